/* io/sip/record - see record.h */

#include "io/sip/record.h"
#include "io/sip/session_own.h"

/* ---- writing ------------------------------------------------------------- */

static char *
put_text(struct sip_record *r, enum sip_text which, const char *text, char *at)
{
	size_t n = strlen(text);

	hf_assert(at + n <= r->text + sizeof(r->text));
	memcpy(at, text, n);
	r->length[which] = (uint16_t)n;
	return at + n;
}

uint32_t
sip_record_write(const struct sip_sessions *ss, const struct sip_session *s,
    struct sip_record *r)
{
	const struct sip_dialog *d = &s->dialog;
	char *at = r->text;

	memset(r, 0, offsetof(struct sip_record, text));
	r->ref = sip_session_ref(ss, s);
	r->user = s->user;
	r->mark = s->mark;
	r->tag = s->tag;
	r->repeat = s->repeat;
	r->end = s->end;
	r->give_up = s->give_up;
	r->retry = s->retry;
	r->interval = s->interval;
	r->flow = d->flow;
	r->source = ss->live[s->n].source;
	r->cseq_local = d->cseq_local;
	r->cseq_remote = d->cseq_remote;
	r->cseq_invite = d->cseq_invite;
	r->cseq_answered = s->cseq_answered;
	r->drop_code = s->drop_code;
	r->account = s->account;
	r->phone = s->phone;
	r->state = s->state;
	r->caller = s->caller;
	r->early = s->early;
	r->unacked = s->unacked;
	r->late = s->late;
	r->cseq_remote_known = d->cseq_remote_known;
	r->symmetric = d->symmetric;
	r->natted = d->natted;
	at = put_text(r, SIP_TEXT_CALL_ID, d->call_id, at);
	at = put_text(r, SIP_TEXT_REMOTE_TAG, d->remote_tag, at);
	at = put_text(r, SIP_TEXT_LOCAL, d->local, at);
	at = put_text(r, SIP_TEXT_REMOTE, d->remote, at);
	at = put_text(r, SIP_TEXT_TARGET, d->target, at);
	at = put_text(r, SIP_TEXT_ROUTES, d->routes, at);
	at = put_text(r, SIP_TEXT_DROP, s->drop_text, at);
	return (uint32_t)(at - (char *)r);
}

bool
sip_session_words(
    struct sip_sessions *ss, const struct sip_session *s, struct hf_slice *out)
{
	struct sip_session_live *l = sip_live(ss, s);

	if (!l->reworded)
		return false;
	l->reworded = false;
	*out = HF_SLICE("");
	if (s->state == SIP_S_INVITED)
		*out = sip_keep_get(&ss->tt.keep, l->asked);
	else if (sip_session_awaits(ss, s))
		*out = sip_keep_get(&ss->tt.keep, l->asked);
	else if (s->state == SIP_S_CALLING || s->state == SIP_S_CANCELLING)
		*out = sip_trans_words(&ss->tt, l->invite);
	else if (s->unacked)
		*out = sip_keep_get(&ss->tt.keep, l->answer);
	return true;
}

bool
sip_sessions_changed(struct sip_sessions *ss, uint32_t *place)
{
	if (ss->changes == 0)
		return false;
	*place = ss->changed[--ss->changes];
	ss->live[*place].changed = false;
	return true;
}

/* ---- reading ------------------------------------------------------------- */

static const char *
take_text(const struct sip_record *r, enum sip_text which, const char *at,
    char *to, size_t cap)
{
	size_t n = r->length[which];

	if (at == NULL || n >= cap ||
	    n > (size_t)(r->text + sizeof(r->text) - at))
		return NULL;
	memcpy(to, at, n);
	to[n] = '\0';
	return at + n;
}

static bool
read_record(struct sip_session *s, const struct sip_record *r)
{
	struct sip_dialog *d = &s->dialog;
	const char *at = r->text;

	*s = (struct sip_session){
		.user = r->user,
		.mark = r->mark,
		.tag = r->tag,
		.repeat = r->repeat,
		.end = r->end,
		.give_up = r->give_up,
		.retry = r->retry,
		.interval = r->interval,
		.n = r->ref.n,
		.cseq_answered = r->cseq_answered,
		.drop_code = r->drop_code,
		.account = r->account,
		.phone = r->phone,
		.state = r->state,
		.caller = r->caller,
		.early = r->early,
		.unacked = r->unacked,
		.late = r->late,
	};
	d->flow = r->flow;
	d->cseq_local = r->cseq_local;
	d->cseq_remote = r->cseq_remote;
	d->cseq_invite = r->cseq_invite;
	d->cseq_remote_known = r->cseq_remote_known;
	d->symmetric = r->symmetric;
	d->natted = r->natted;
	d->again = true;
	sip_tag_text(r->tag, d->local_tag);
	at = take_text(r, SIP_TEXT_CALL_ID, at, d->call_id, sizeof(d->call_id));
	at = take_text(
	    r, SIP_TEXT_REMOTE_TAG, at, d->remote_tag, sizeof(d->remote_tag));
	at = take_text(r, SIP_TEXT_LOCAL, at, d->local, sizeof(d->local));
	at = take_text(r, SIP_TEXT_REMOTE, at, d->remote, sizeof(d->remote));
	at = take_text(r, SIP_TEXT_TARGET, at, d->target, sizeof(d->target));
	at = take_text(r, SIP_TEXT_ROUTES, at, d->routes, sizeof(d->routes));
	at =
	    take_text(r, SIP_TEXT_DROP, at, s->drop_text, sizeof(s->drop_text));
	/* Connections ended with the process, and their numbers are given
	 * anew. */
	d->flow.conn = HF_REF_NONE;
	return at != NULL && s->tag != 0;
}

/* ---- taking up again ----------------------------------------------------- */

/* His INVITE waits for its answer, and hears 100 once more: the first one may
 * have stayed with us. */
static bool
resume_invited(
    struct sip_sessions *ss, struct sip_session *s, struct hf_slice words)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct sip_msg m;

	if (words.n == 0 || sip_parse(words, &m).parsed != SIP_GOOD ||
	    !m.request)
		return false;
	l->asked = sip_keep_put(&ss->tt.keep, words);
	if (l->asked == 0 ||
	    !sip_trans_resume_server(&ss->tt, &m, &l->source,
		hf_ref_key(sip_session_ref(ss, s)), ss->now, &l->invite))
		return false;
	sip_sessions_reply(
	    ss, l->invite, &m, &l->source, 100, HF_SLICE(""), HF_SLICE(""));
	return true;
}

/* Our 2xx is repeated until its ACK comes; who repeats his INVITE meanwhile
 * makes no second call. */
static bool
resume_unacked(
    struct sip_sessions *ss, struct sip_session *s, struct hf_slice words)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct sip_msg m;
	struct hf_ref t;

	if (words.n == 0 || sip_parse(words, &m).parsed != SIP_GOOD ||
	    m.request)
		return false;
	l->answer = sip_keep_put(&ss->tt.keep, words);
	(void)!sip_trans_resume_server(&ss->tt, &m, &l->source, 0, ss->now, &t);
	return l->answer != 0;
}

/* The same INVITE once more: who has it already says again what he said, and
 * who has not hears it now. */
static bool
resume_calling(struct sip_sessions *ss, struct sip_session *s,
    struct hf_slice words, bool wanted)
{
	return words.n > 0 &&
	       sip_trans_resume_invite(&ss->tt, words, &sip_live(ss, s)->source,
		   hf_ref_key(sip_session_ref(ss, s)), !wanted, ss->now,
		   &sip_live(ss, s)->invite);
}

/* A phone that rang over a connection of its own: there is no other way to it
 * until it comes back, if it does. */
static bool
resume_away(
    struct sip_sessions *ss, struct sip_session *s, struct hf_slice words)
{
	struct sip_session_live *l = sip_live(ss, s);

	s->user = 0;
	s->state = SIP_S_CANCELLING;
	l->asked = sip_keep_put(&ss->tt.keep, words);
	s->give_up =
	    hf_time_after(ss->now, (struct hf_span){ 64 * ss->tt.t.t1.us });
	sip_session_arm(ss, s);
	return l->asked != 0;
}

static bool
resume(struct sip_sessions *ss, struct sip_session *s, struct hf_slice words,
    bool wanted)
{
	switch ((enum sip_session_state)s->state) {
	case SIP_S_FREE:
		break;
	case SIP_S_INVITED:
		if (!resume_invited(ss, s, words))
			return false;
		if (!wanted)
			sip_session_drop(ss, s, 503, HF_SLICE(""), ss->now);
		return true;
	case SIP_S_CALLING:
	case SIP_S_CANCELLING:
		if (s->dialog.symmetric &&
		    sip_live(ss, s)->source.transport == SIP_TCP)
			return resume_away(ss, s, words);
		wanted = wanted && s->state == SIP_S_CALLING;
		if (!resume_calling(ss, s, words, wanted))
			return false;
		if (!wanted) {
			s->state = SIP_S_CANCELLING;
			s->give_up = HF_TIME_NEVER;
		}
		sip_session_arm(ss, s);
		return true;
	case SIP_S_ANSWERED:
		/* Its words may be a step behind: still the INVITE. */
		if (resume_unacked(ss, s, words)) {
			sip_session_arm(ss, s);
			return true;
		}
		s->state = SIP_S_INVITED;
		s->unacked = false;
		s->repeat = s->end = HF_TIME_NEVER;
		return wanted && resume_invited(ss, s, words);
	case SIP_S_UP:
	case SIP_S_LEAVING:
		wanted = wanted && s->state == SIP_S_UP;
		s->state = SIP_S_UP;
		s->give_up = HF_TIME_NEVER; /* of a re-INVITE that was */
		if (s->unacked && !resume_unacked(ss, s, words)) {
			s->unacked = false;
			s->repeat = s->end = HF_TIME_NEVER;
		}
		sip_session_arm(ss, s);
		if (!wanted)
			sip_session_bye(
			    ss, s, s->drop_code, hf_slice_of(s->drop_text));
		return true;
	}
	return false;
}

struct sip_session *
sip_session_restore(struct sip_sessions *ss, const struct sip_record *r,
    struct hf_slice words, bool wanted, struct hf_time now)
{
	struct sip_session *s;

	ss->now = now;
	if (r->ref.n >= ss->pool.cap || r->ref.gen % 2 == 0 ||
	    r->state == SIP_S_FREE || r->state >= SIP_S_NR ||
	    !hf_ref_none(hf_pool_at(&ss->pool, r->ref.n)))
		return NULL;
	s = &ss->session[r->ref.n];
	if (!read_record(s, r) ||
	    hf_map_get(&ss->by_tag, s->tag) != HF_MAP_NONE) {
		*s = (struct sip_session){ .state = SIP_S_FREE };
		return NULL;
	}
	hf_pool_restore(&ss->pool, r->ref);
	sip_session_begin_life(ss, s);
	sip_live(ss, s)->source = r->source;
	sip_live(ss, s)->source.conn = HF_REF_NONE;
	if (!wanted)
		s->user = 0;
	if (!resume(ss, s, words, wanted)) {
		sip_session_free(ss, s);
		return NULL;
	}
	ss->count.restored++;
	return s->state != SIP_S_FREE ? s : NULL;
}
