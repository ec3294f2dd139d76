/* io/sip/credentials - see credentials.h */

#include "io/sip/credentials.h"
#include "io/sip/build.h"
#include "io/sip/digest.h"
#include "io/sip/session_own.h"

struct hf_slice
sip_session_credentials(struct sip_sessions *ss, const struct sip_session *s)
{
	return sip_keep_get(&ss->tt.keep, sip_live(ss, s)->credentials);
}

static unsigned
told(const struct sip_msg *asked, enum sip_header h)
{
	unsigned n = 0;

	while (sip_find(asked, h, n) != NULL)
		n++;
	return n;
}

/* A nonce may have grown old on its way, once for each who was told. */
static bool
may_be_stale(struct sip_session_live *l, const struct sip_msg *asked)
{
	unsigned realms = told(asked, SIP_H_AUTHORIZATION) +
			  told(asked, SIP_H_PROXY_AUTHORIZATION);

	return l->stale++ < (realms > 0 ? realms : 1);
}

/* All that it said, but for what belongs to one transaction and what comes
 * behind. */
static void
put_headers(struct hf_buf *b, const struct sip_msg *asked)
{
	for (unsigned i = 0; i < asked->headers; i++) {
		const struct sip_header_line *h = &asked->header[i];

		if (h->id != SIP_H_VIA && h->id != SIP_H_CSEQ &&
		    h->id != SIP_H_AUTHORIZATION &&
		    h->id != SIP_H_PROXY_AUTHORIZATION &&
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

/* The same once more; lines say who we are. */
static bool
ask_again(struct sip_sessions *ss, struct sip_session *s,
    const struct sip_msg *asked, struct hf_slice lines, struct hf_ref *out)
{
	struct sip_dialog *d = &s->dialog;
	struct hf_addr here;
	char branch[SIP_BRANCH_LEN + 1];
	uint64_t v = sip_branch(&ss->tt, branch);
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);

	if (s->state == SIP_S_CALLING)
		begin_anew(ss, s);
	here = ss->hooks->here(ss->arg, &d->flow);
	d->cseq_local++;
	if (asked->method == SIP_INVITE)
		d->cseq_invite = d->cseq_local;
	sip_put_request_line(b, asked->method_text, asked->uri_text);
	sip_put_via(b, d->flow.transport == SIP_TCP ? "TCP" : "UDP", &here,
	    hf_slice_of(branch));
	sip_put_cseq(b, d->cseq_local, asked->method_text);
	put_headers(b, asked);
	hf_buf_slice(b, lines);
	sip_put_body(b, NULL, asked->body);
	return !b->overflow &&
	       sip_trans_start(&ss->tt, asked->method, v, hf_buf_taken(b),
		   &d->flow, hf_ref_key(sip_session_ref(ss, s)), ss->now, out);
}

/* What a new INVITE changes: whose answer is waited for, what its ACK says. */
static void
invited_again(struct sip_sessions *ss, struct sip_session *s, struct hf_ref t,
    struct hf_slice lines)
{
	struct sip_session_live *l = sip_live(ss, s);

	if (s->state == SIP_S_CALLING)
		l->invite = t;
	else
		l->reinvite = t;
	sip_keep_give(&ss->tt.keep, &l->credentials);
	l->credentials = sip_keep_put(&ss->tt.keep, lines);
	sip_session_reword(ss, s);
}

/* Is the answer still wanted?  A BYE is all that one who leaves has to say. */
static bool
is_wanted(const struct sip_session *s, enum sip_method method)
{
	switch ((enum sip_session_state)s->state) {
	case SIP_S_CALLING:
		return s->user != 0;
	case SIP_S_UP:
		return true;
	case SIP_S_LEAVING:
		return method == SIP_BYE;
	case SIP_S_FREE:
	case SIP_S_INVITED:
	case SIP_S_CANCELLING:
	case SIP_S_ANSWERED:
		return false;
	}
	return false;
}

bool
sip_session_challenged(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_msg *m)
{
	struct hf_slice was = sip_trans_asked(&ss->tt);
	char room[SIP_REALMS_MAX * SIP_DIGEST_TEXT_MAX];
	struct hf_buf lines = hf_buf_on(room, sizeof(room));
	/* ask_again() begins where the call did. */
	const struct sip_flow *way = s->state == SIP_S_CALLING
					 ? &sip_live(ss, s)->source
					 : &s->dialog.flow;
	struct sip_msg asked;
	struct hf_ref t;

	if (s->account == 0 || (m->status != 401 && m->status != 407) ||
	    !is_wanted(s, m->cseq_method) || was.n == 0 ||
	    sip_parse(was, &asked).parsed != SIP_GOOD)
		return false;
	if (sip_digest_stale(m) && !may_be_stale(sip_live(ss, s), &asked))
		return false;
	if (!ss->hooks->credentials(
		ss->arg, s->account, way, &asked, m, &lines) ||
	    lines.overflow ||
	    !ask_again(ss, s, &asked, hf_buf_taken(&lines), &t))
		return false;
	sip_session_touch(ss, s);
	if (asked.method == SIP_INVITE)
		invited_again(ss, s, t, hf_buf_taken(&lines));
	return true;
}
