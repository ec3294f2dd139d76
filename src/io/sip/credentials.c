/* io/sip/credentials - see credentials.h */

#include "io/sip/credentials.h"
#include "io/sip/build.h"
#include "io/sip/digest.h"
#include "io/sip/session_own.h"

enum { ANSWERS_MAX = 2 }; /* the second only to stale=true */

struct hf_slice
sip_session_credentials(struct sip_sessions *ss, const struct sip_session *s)
{
	return sip_keep_get(&ss->tt.keep, sip_live(ss, s)->credentials);
}

static bool
may_answer(const struct sip_session_live *l, const struct sip_msg *m)
{
	if (m->status != 401 && m->status != 407)
		return false;
	/* The same again would be refused again, and twice a guess. */
	return l->challenges == 0 ||
	       (l->challenges < ANSWERS_MAX && sip_digest_stale(m));
}

static struct hf_slice
request_uri(struct hf_slice request)
{
	size_t sp = hf_slice_find(request, ' ') + 1;
	struct hf_slice rest = { request.p + sp, request.n - sp };

	rest.n = hf_slice_find(rest, ' ');
	return rest;
}

/* All that the INVITE said, but for what belongs to one transaction and what
 * comes behind. */
static void
put_headers(struct hf_buf *b, const struct sip_msg *invite)
{
	for (unsigned i = 0; i < invite->headers; i++) {
		const struct sip_header_line *h = &invite->header[i];

		if (h->id != SIP_H_VIA && h->id != SIP_H_CSEQ &&
		    h->id != SIP_H_CONTENT_TYPE &&
		    h->id != SIP_H_CONTENT_LENGTH)
			sip_put_named(b, h->name, h->value);
	}
}

/* What an early answer said of the dialog is void: the next one is another
 * dialog of the same call. */
static void
begin_anew(struct sip_sessions *ss, struct sip_session *s)
{
	struct sip_dialog *d = &s->dialog;

	d->remote_tag[0] = '\0';
	d->routes[0] = '\0';
	memcpy(d->target, d->remote, sizeof(d->target));
	d->flow = sip_live(ss, s)->source;
	s->early = false;
}

static bool
invite_again(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_msg *m)
{
	static const struct hf_slice method = HF_SLICE("INVITE");
	struct sip_session_live *l = sip_live(ss, s);
	struct hf_slice kept = sip_keep_get(&ss->tt.keep, l->asked);
	struct hf_addr here = ss->hooks->here(ss->arg, &l->source);
	char room[SIP_DIGEST_TEXT_MAX], branch[SIP_BRANCH_LEN + 1];
	struct hf_buf line = hf_buf_on(room, sizeof(room));
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	struct sip_msg was;
	struct hf_ref t;
	uint64_t v;

	if (kept.n == 0 || sip_parse(kept, &was).parsed != SIP_GOOD ||
	    !ss->hooks->credentials(
		ss->arg, s->account, m, method, was.uri_text, &line) ||
	    line.overflow)
		return false;
	begin_anew(ss, s);
	s->dialog.cseq_invite = ++s->dialog.cseq_local;
	v = sip_branch(&ss->tt, branch);
	sip_put_request_line(b, method, was.uri_text);
	sip_put_via(b, l->source.transport == SIP_TCP ? "TCP" : "UDP", &here,
	    hf_slice_of(branch));
	sip_put_cseq(b, s->dialog.cseq_invite, method);
	put_headers(b, &was);
	hf_buf_slice(b, hf_buf_taken(&line));
	sip_put_body(b, "application/sdp", was.body);
	if (b->overflow ||
	    !sip_trans_start(&ss->tt, SIP_INVITE, v, hf_buf_taken(b),
		&l->source, hf_ref_key(sip_session_ref(ss, s)), ss->now, &t))
		return false;
	l->invite = t;
	sip_keep_give(&ss->tt.keep, &l->credentials);
	l->credentials = sip_keep_put(&ss->tt.keep, hf_buf_taken(&line));
	sip_session_reword(ss, s);
	return true;
}

static bool
bye_again(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_msg *m)
{
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	uint64_t branch = sip_session_begin(ss, &s->dialog, SIP_BYE, b);
	struct hf_ref t;

	if (b->overflow ||
	    !ss->hooks->credentials(ss->arg, s->account, m, HF_SLICE("BYE"),
		request_uri(hf_buf_taken(b)), b))
		return false;
	sip_put_agent(ss, b);
	sip_put_body(b, NULL, HF_SLICE(""));
	sip_session_touch(ss, s);
	return !b->overflow &&
	       sip_trans_start(&ss->tt, SIP_BYE, branch, hf_buf_taken(b),
		   &s->dialog.flow, hf_ref_key(sip_session_ref(ss, s)), ss->now,
		   &t);
}

bool
sip_session_challenged(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_msg *m)
{
	struct sip_session_live *l = sip_live(ss, s);

	if (s->account == 0 || !may_answer(l, m))
		return false;
	l->challenges++;
	if (s->state == SIP_S_CALLING && s->user != 0)
		return invite_again(ss, s, m);
	return s->state == SIP_S_LEAVING && bye_again(ss, s, m);
}
