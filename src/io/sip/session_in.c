/* io/sip/session_in - see session.h: what we hear */

#include "io/sip/build.h"
#include "io/sip/credentials.h"
#include "io/sip/sdp.h"
#include "io/sip/session_own.h"

enum {
	RETRY_STEP_MS = 10, /* RFC 3261 14.1: units of 10 ms */
	OWNER_RETRY_MIN_MS = 2100,
	OWNER_RETRY_STEPS = 191, /* 2.1 to 4 s */
	OTHER_RETRY_STEPS = 201, /* 0 to 2 s */
	BUSY_RETRY_S = 10,       /* 14.2: Retry-After from 0 to 10 s */
};

static const struct hf_slice nothing = { "", 0 };

static struct sip_session *
by_user(struct sip_sessions *ss, uint64_t user)
{
	struct hf_ref r = { (uint32_t)user, (uint32_t)(user >> 32) };

	return hf_pool_has(&ss->pool, r) ? &ss->session[r.n] : NULL;
}

static struct sip_session *
by_dialog(struct sip_sessions *ss, const struct sip_msg *m)
{
	struct sip_session *s =
	    sip_session_by_tag(ss, m->request ? m->to_tag : m->from_tag);

	return s != NULL && sip_dialog_has(&s->dialog, m) ? s : NULL;
}

/* ---- answers to what we asked -------------------------------------------- */

static void
hear_answer(struct sip_sessions *ss, struct sip_session *s,
    const struct sip_msg *m, const struct sip_flow *from)
{
	bool wanted = s->state == SIP_S_CALLING && s->user != 0;

	if (!sip_dialog_answered(&s->dialog, m, from)) {
		/* Too long to remember: no call can come of it. */
		if (wanted)
			ss->hooks->refused(ss->arg, s, m, SIP_END_TIMEOUT);
		sip_session_decline(ss, m, from);
		sip_session_free(ss, s);
		return;
	}
	s->give_up = HF_TIME_NEVER;
	sip_session_arm(ss, s);
	sip_session_move(s, SIP_S_UP);
	sip_session_reword(ss, s);
	sip_session_ack(ss, &s->dialog, sip_session_credentials(ss, s));
	if (wanted)
		ss->hooks->answered(ss->arg, s, m);
	else
		sip_session_bye(ss, s, s->drop_code, hf_slice_of(s->drop_text));
}

static void
hear_invite_response(struct sip_sessions *ss, struct sip_session *s,
    const struct sip_msg *m, const struct sip_flow *from)
{
	if (s->state != SIP_S_CALLING && s->state != SIP_S_CANCELLING) {
		/* The 2xx once more: its ACK was lost; or another fork. */
		if (m->status / 100 != 2)
			return;
		if (sip_dialog_has(&s->dialog, m))
			sip_session_ack(
			    ss, &s->dialog, sip_session_credentials(ss, s));
		else
			sip_session_decline(ss, m, from);
		return;
	}
	if (m->status < 200) {
		if (m->status > 100 && m->to_tag.n > 0)
			s->early = sip_dialog_answered(&s->dialog, m, from);
		if (s->user != 0)
			ss->hooks->rang(ss->arg, s, m);
	} else if (m->status < 300) {
		hear_answer(ss, s, m, from);
	} else if (!sip_session_challenged(ss, s, m)) {
		if (s->user != 0)
			ss->hooks->refused(ss->arg, s, m, SIP_END_TIMEOUT);
		sip_session_free(ss, s);
	}
}

static struct hf_span
glare_wait(struct sip_sessions *ss, const struct sip_session *s)
{
	uint32_t steps = hf_rand_below(
	    ss->rand, s->caller ? OWNER_RETRY_STEPS : OTHER_RETRY_STEPS);

	return hf_ms((s->caller ? OWNER_RETRY_MIN_MS : 0) +
		     (int64_t)steps * RETRY_STEP_MS);
}

static void
reinvite_over(struct sip_sessions *ss, struct sip_session *s)
{
	sip_live(ss, s)->reinvite = HF_REF_NONE;
	s->give_up = HF_TIME_NEVER;
	sip_session_arm(ss, s);
}

static void
hear_reinvite_response(struct sip_sessions *ss, struct sip_session *s,
    const struct sip_msg *m, const struct sip_flow *from)
{
	if (m->status < 200 || sip_session_challenged(ss, s, m))
		return;
	reinvite_over(ss, s);
	sip_session_touch(ss, s);
	if (m->status < 300) {
		sip_dialog_refresh(&s->dialog, m, from);
		sip_session_ack(ss, &s->dialog, sip_session_credentials(ss, s));
	}
	if (s->state != SIP_S_UP)
		return;
	if (m->status == 491) {
		ss->count.glare++;
		s->retry = hf_time_after(ss->now, glare_wait(ss, s));
		sip_session_arm(ss, s);
		return;
	}
	if (m->status == 408 || m->status == 481) {
		sip_session_leave(ss, s, m, SIP_LEFT_LOST);
		return;
	}
	if (s->user != 0)
		ss->hooks->reanswered(ss->arg, s, m);
}

static void
on_response(void *arg, struct hf_ref t, uint64_t user, const struct sip_msg *m,
    const struct sip_flow *from)
{
	struct sip_sessions *ss = arg;
	struct sip_session *s;

	if (user & SIP_ASKED) {
		if (m->status >= 200)
			ss->hooks->outcome(ss->arg, user & ~SIP_ASKED, m);
		return;
	}
	s = by_user(ss, user);
	if (s == NULL) {
		if (m->cseq_method == SIP_INVITE && m->status / 100 == 2)
			sip_session_decline(ss, m, from);
		return;
	}
	if (m->status >= 200 && m->status != 401 && m->status != 407)
		sip_live(ss, s)->stale = 0;
	if (m->cseq_method == SIP_INVITE) {
		struct sip_session_live *l = sip_live(ss, s);

		if (hf_ref_is(t, l->reinvite))
			hear_reinvite_response(ss, s, m, from);
		else if (hf_ref_is(t, l->invite))
			hear_invite_response(ss, s, m, from);
		else if (m->status / 100 == 2)
			sip_session_ack(
			    ss, &s->dialog, sip_session_credentials(ss, s));
	} else if (m->status < 200) {
		return;
	} else if (m->cseq_method == SIP_BYE) {
		if (s->state == SIP_S_LEAVING &&
		    !sip_session_challenged(ss, s, m))
			sip_session_free(ss, s);
	} else if ((m->status == 481 || m->status == 408) &&
		   m->cseq_method != SIP_NOTIFY && s->state == SIP_S_UP) {
		/* 12.2.1.2; a NOTIFY's 481 ends its subscription only. */
		sip_session_leave(ss, s, m, SIP_LEFT_LOST);
	} else {
		(void)sip_session_challenged(ss, s, m);
	}
}

static void
on_ended(void *arg, struct hf_ref t, uint64_t user, enum sip_method method,
    enum sip_trans_end why)
{
	struct sip_sessions *ss = arg;
	struct sip_session *s;

	if (user & SIP_ASKED) {
		ss->hooks->outcome(ss->arg, user & ~SIP_ASKED, NULL);
		return;
	}
	s = by_user(ss, user);
	if (s == NULL)
		return;
	switch ((enum sip_session_state)s->state) {
	case SIP_S_CALLING:
	case SIP_S_CANCELLING:
		if (!hf_ref_is(t, sip_live(ss, s)->invite))
			return;
		if (s->user != 0)
			ss->hooks->refused(ss->arg, s, NULL, why);
		sip_session_free(ss, s);
		break;
	case SIP_S_UP:
		if (hf_ref_is(t, sip_live(ss, s)->reinvite))
			reinvite_over(ss, s);
		if (method == SIP_INVITE || method == SIP_INFO ||
		    method == SIP_OPTIONS)
			sip_session_leave(ss, s, NULL, SIP_LEFT_LOST);
		break;
	case SIP_S_LEAVING:
		if (method == SIP_BYE)
			sip_session_free(ss, s);
		break;
	case SIP_S_INVITED:
	case SIP_S_ANSWERED:
	case SIP_S_FREE:
		break; /* a refusal's ACK never came: the session is gone */
	}
}

static void
on_stray(void *arg, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_sessions *ss = arg;
	struct sip_session *s = by_dialog(ss, m);

	if (s != NULL && sip_session_awaits(ss, s))
		hear_answer(ss, s, m, from); /* he took it while we were dead */
	else if (s != NULL && s->dialog.cseq_invite == m->cseq)
		sip_session_ack(ss, &s->dialog, sip_session_credentials(ss, s));
	else if (s == NULL && sip_session_by_tag(ss, m->from_tag) != NULL)
		sip_session_decline(ss, m, from);
}

/* ---- their requests ------------------------------------------------------ */

static void
say(struct sip_sessions *ss, struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from, uint16_t status)
{
	sip_sessions_reply(ss, t, m, from, status, nothing, nothing);
}

/* Retry-After of an overlapping or early re-INVITE. */
static void
say_later(struct sip_sessions *ss, struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from)
{
	char room[64];
	struct hf_buf b = hf_buf_on(room, sizeof(room));

	sip_put_number(
	    &b, SIP_H_RETRY_AFTER, hf_rand_below(ss->rand, BUSY_RETRY_S + 1));
	sip_sessions_reply(ss, t, m, from, 500, nothing, hf_buf_taken(&b));
}

/* RFC 3261 8.2.2.3: no option is known here that one could require. */
static bool
requires_more(struct sip_sessions *ss, struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from)
{
	char names[SIP_MSG_MAX], line[SIP_MSG_MAX + 32];
	struct hf_buf n = hf_buf_on(names, sizeof(names));
	struct hf_buf b = hf_buf_on(line, sizeof(line));

	if (!sip_unknown_required(m, SIP_H_REQUIRE, nothing, &n))
		return false;
	sip_put(&b, SIP_H_UNSUPPORTED, hf_buf_taken(&n));
	if (m->to_tag.n == 0)
		sip_session_turned(ss, m, from, 420);
	sip_sessions_reply(ss, t, m, from, 420, nothing, hf_buf_taken(&b));
	return true;
}

/* By its ACK, or by what can only come behind it. */
static void
acknowledged(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_msg *m)
{
	bool first = s->state == SIP_S_ANSWERED;

	sip_session_reword(ss, s);
	s->unacked = false;
	s->repeat = s->end = HF_TIME_NEVER;
	sip_keep_give(&ss->tt.keep, &sip_live(ss, s)->answer);
	sip_session_arm(ss, s);
	if (first)
		sip_session_move(s, SIP_S_UP);
	if (s->user == 0 && s->state == SIP_S_UP)
		sip_session_bye(ss, s, s->drop_code, hf_slice_of(s->drop_text));
	else if (s->user != 0 && (first || s->late))
		ss->hooks->confirmed(ss->arg, s, m);
}

static void
hear_reinvite(struct sip_sessions *ss, struct sip_session *s, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct hf_ref me = sip_session_ref(ss, s);
	char room[SDP_ROOM];
	struct hf_buf sdp = hf_buf_on(room, sizeof(room));
	bool late = m->body.n == 0;
	uint16_t status;

	if (!hf_ref_none(l->reinvite)) {
		ss->count.glare++;
		say(ss, t, m, from, 491);
		return;
	}
	/* Its ACK was lost, or died with the process that had read it: whoever
	 * asks for the next change has our 2xx (RFC 5407 3.1.5), unless that
	 * held an offer, for then we need his answer. */
	if (s->state == SIP_S_UP && s->unacked && !s->late && s->user != 0)
		acknowledged(ss, s, m);
	if (s->state != SIP_S_UP || s->unacked) {
		say_later(ss, t, m, from);
		return;
	}
	status = ss->hooks->reoffered(ss->arg, s, m, &sdp);
	if (!hf_pool_has(&ss->pool, me))
		return;
	if (status != 200 || sdp.overflow) {
		say(ss, t, m, from, status != 200 ? status : 500);
		return;
	}
	sip_dialog_refresh(&s->dialog, m, from);
	if (!sip_session_accept(ss, s, t, m, from, hf_buf_taken(&sdp), late))
		say(ss, t, m, from, 500);
}

static void
hear_update(struct sip_sessions *ss, struct sip_session *s, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from)
{
	struct hf_ref me = sip_session_ref(ss, s);
	char room[SDP_ROOM];
	struct hf_buf sdp = hf_buf_on(room, sizeof(room));
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	uint16_t status = 200;

	/* RFC 3311 5.2: an offer while one is under way. */
	if (m->body.n > 0 && !hf_ref_none(sip_live(ss, s)->reinvite)) {
		say(ss, t, m, from, 491);
		return;
	}
	if (m->body.n > 0 && (s->state != SIP_S_UP || s->unacked)) {
		say_later(ss, t, m, from);
		return;
	}
	if (m->body.n > 0)
		status = ss->hooks->reoffered(ss->arg, s, m, &sdp);
	if (!hf_pool_has(&ss->pool, me))
		return;
	if (status != 200) {
		say(ss, t, m, from, status);
		return;
	}
	sip_dialog_refresh(&s->dialog, m, from);
	sip_put_reply(b, m, 200, nothing, nothing, &from->peer);
	sip_put_our_contact(ss, b, &s->dialog.flow, nothing);
	sip_put_agent(ss, b);
	sip_put_body(b, "application/sdp", hf_buf_taken(&sdp));
	sip_draft_answer(ss, t, 200, b);
}

static void
hear_bye(struct sip_sessions *ss, struct sip_session *s, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from)
{
	say(ss, t, m, from, 200);
	if (s->state == SIP_S_LEAVING)
		return; /* both at once: our own BYE has its answer coming */
	if (s->state == SIP_S_INVITED) {
		/* A BYE in an early dialog is a CANCEL (15.1.2). */
		uint64_t user = s->user;

		if (user != 0)
			ss->hooks->left(ss->arg, s, m, SIP_LEFT_BYE);
		s->user = 0;
		sip_session_refuse(ss, s, 487, nothing, nothing, ss->now);
		return;
	}
	if (s->state == SIP_S_CALLING || s->state == SIP_S_CANCELLING)
		return; /* the callee's refusal is still to come */
	sip_session_leave(ss, s, m, SIP_LEFT_BYE);
}

static void
hear_refer(struct sip_sessions *ss, struct sip_session *s, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from)
{
	const struct sip_header_line *h = sip_find(m, SIP_H_REFER_TO, 0);
	struct hf_ref me = sip_session_ref(ss, s);
	struct sip_name_addr to;
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	uint16_t status;

	/* RFC 3515 2.4.1: exactly one. */
	if (h == NULL || sip_find(m, SIP_H_REFER_TO, 1) != NULL ||
	    !sip_parse_name_addr(h->value, &to)) {
		say(ss, t, m, from, 400);
		return;
	}
	if (s->state != SIP_S_UP || s->user == 0) {
		say(ss, t, m, from, 603);
		return;
	}
	status = ss->hooks->referred(ss->arg, s, &to.uri);
	if (status != 202 || !hf_pool_has(&ss->pool, me)) {
		say(ss, t, m, from, status);
		return;
	}
	sip_put_reply(b, m, 202, nothing, nothing, &from->peer);
	sip_put_our_contact(ss, b, &s->dialog.flow, nothing);
	sip_put_agent(ss, b);
	sip_put_body(b, NULL, nothing);
	sip_draft_answer(ss, t, 202, b);
	/* RFC 3515 2.4.4: the subscription's first news come at once. */
	sip_session_report(ss, s, 100, ss->now);
}

static void
say_options(struct sip_sessions *ss, struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from)
{
	char room[512];
	struct hf_buf b = hf_buf_on(room, sizeof(room));

	sip_put(&b, SIP_H_ALLOW, HF_SLICE(SIP_ALLOW));
	sip_put(&b, SIP_H_ACCEPT, HF_SLICE(SIP_ACCEPT));
	sip_sessions_reply(ss, t, m, from, 200, nothing, hf_buf_taken(&b));
}

static void
hear_info(struct sip_sessions *ss, struct sip_session *s, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from)
{
	char room[64];
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	uint16_t status = s->user != 0 ? ss->hooks->info(ss->arg, s, m) : 481;

	/* RFC 6086 4.2.2, and 8.2.3 of RFC 3261. */
	if (status == 469)
		sip_put_named(&b, HF_SLICE("Recv-Info"), HF_SLICE("nil"));
	if (status == 415)
		sip_put_named(
		    &b, HF_SLICE("Accept-Encoding"), HF_SLICE("identity"));
	sip_sessions_reply(ss, t, m, from, status, nothing, hf_buf_taken(&b));
}

static void
inside(struct sip_sessions *ss, struct sip_session *s, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from)
{
	if (sip_dialog_order(&s->dialog, m) != 0) {
		ss->count.out_of_order++;
		say(ss, t, m, from, 500);
		return;
	}
	sip_session_touch(ss, s);
	/* No extension could be needed to hang up. */
	if (m->method != SIP_BYE && requires_more(ss, t, m, from))
		return;
	if (s->dialog.natted)
		s->dialog.flow = *from; /* his port may have moved */
	switch (m->method) {
	case SIP_INVITE:
		hear_reinvite(ss, s, t, m, from);
		break;
	case SIP_UPDATE:
		hear_update(ss, s, t, m, from);
		break;
	case SIP_BYE:
		hear_bye(ss, s, t, m, from);
		break;
	case SIP_INFO:
		hear_info(ss, s, t, m, from);
		break;
	case SIP_REFER:
		hear_refer(ss, s, t, m, from);
		break;
	case SIP_OPTIONS:
		say_options(ss, t, m, from);
		break;
	case SIP_NOTIFY: /* no subscription of ours is in this dialog */
		say(ss, t, m, from, 481);
		break;
	case SIP_REGISTER:
	case SIP_PRACK:
	case SIP_MESSAGE:
	case SIP_SUBSCRIBE:
	case SIP_PUBLISH:
		say(ss, t, m, from, 405);
		break;
	case SIP_ACK:
	case SIP_CANCEL:
	case SIP_OTHER:
		say(ss, t, m, from, 501);
		break;
	}
}

static void
turn_away(struct sip_sessions *ss, struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from, uint16_t status)
{
	sip_session_turned(ss, m, from, status);
	say(ss, t, m, from, status);
}

static void
on_request(void *arg, struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from)
{
	struct sip_sessions *ss = arg;
	struct sip_session *s;

	if (m->to_tag.n > 0) {
		s = by_dialog(ss, m);
		if (s != NULL) {
			inside(ss, s, t, m, from);
			return;
		}
		if (m->method != SIP_OPTIONS) {
			ss->count.no_dialog++;
			say(ss, t, m, from, 481);
			return;
		}
	}
	if (requires_more(ss, t, m, from))
		return;
	/* Our own call has come back to us: its From tag is ours. */
	s = sip_session_by_tag(ss, m->from_tag);
	if (s != NULL &&
	    hf_slice_eq(m->call_id, hf_slice_of(s->dialog.call_id))) {
		ss->count.looped++;
		turn_away(ss, t, m, from, 482);
		return;
	}
	switch (m->method) {
	case SIP_INVITE:
		if (m->has_max_forwards && m->max_forwards == 0) {
			turn_away(ss, t, m, from, 483);
			return;
		}
		if (!sdp_is_accepted(m)) {
			turn_away(ss, t, m, from, 406);
			return;
		}
		/* He wants TLS all the way (RFC 3261 26.2.2). */
		if (hf_slice_eq_nocase(m->uri.scheme, HF_SLICE("sips"))) {
			turn_away(ss, t, m, from, 416);
			return;
		}
		break;
	case SIP_OPTIONS:
		say_options(ss, t, m, from);
		return;
	case SIP_REGISTER:
		break;
	case SIP_BYE:
	case SIP_INFO:
	case SIP_UPDATE:
	case SIP_REFER:
	case SIP_NOTIFY:
	case SIP_PRACK:
		say(ss, t, m, from, 481);
		return;
	case SIP_MESSAGE:
	case SIP_SUBSCRIBE:
	case SIP_PUBLISH:
		say(ss, t, m, from, 405);
		return;
	case SIP_ACK:
	case SIP_CANCEL:
	case SIP_OTHER:
		say(ss, t, m, from, 501);
		return;
	}
	ss->hooks->outside(ss->arg, t, m, from);
}

static uint16_t
on_admit(void *arg, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_sessions *ss = arg;

	if (m->to_tag.n > 0 && by_dialog(ss, m) != NULL)
		return 0;
	return ss->hooks->admit(ss->arg, m, from);
}

static void
on_stateless(void *arg, const struct sip_msg *m, const struct sip_flow *from,
    uint16_t status)
{
	struct sip_sessions *ss = arg;

	/* Full; who is not let in at all hears something else. */
	if (status == 503 && m->to_tag.n == 0)
		sip_session_turned(ss, m, from, status);
	ss->hooks->stateless(ss->arg, m, from, status);
}

static void
on_ack(void *arg, const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_sessions *ss = arg;
	struct sip_session *s = by_dialog(ss, m);

	(void)from;
	if (s == NULL || !s->unacked || m->cseq != s->cseq_answered)
		ss->count.ack_unmatched++;
	else
		acknowledged(ss, s, m);
}

static void
on_cancelled(void *arg, struct hf_ref t, const struct sip_msg *m,
    struct hf_ref invite, uint64_t user)
{
	struct sip_sessions *ss = arg;
	struct sip_session *s = by_user(ss, user);
	const struct sip_trans *c = sip_trans_at(&ss->tt, t);
	struct sip_flow from;

	hf_assert(c != NULL);
	from = c->flow;
	say(ss, t, m, &from, 200);
	if (s == NULL || s->state != SIP_S_INVITED ||
	    !hf_ref_is(sip_live(ss, s)->invite, invite))
		return; /* too late, or a re-INVITE answered at once (9.2) */
	if (s->user != 0)
		ss->hooks->left(ss->arg, s, m, SIP_LEFT_CANCEL);
	s->user = 0;
	sip_session_refuse(ss, s, 487, nothing, nothing, ss->now);
}

/* The same reason whether the CANCEL goes at once or has to wait for a 1xx. */
static void
on_cancelling(void *arg, uint64_t user, struct hf_buf *lines)
{
	const struct sip_session *s = by_user(arg, user);

	if (s != NULL && s->state == SIP_S_CANCELLING && s->drop_code != 0)
		sip_put_reason(
		    lines, "SIP", s->drop_code, hf_slice_of(s->drop_text));
}

static bool
on_send(void *arg, struct sip_flow *to, struct hf_slice bytes)
{
	struct sip_sessions *ss = arg;

	return ss->hooks->send(ss->arg, to, bytes);
}

const struct sip_trans_hooks sip_session_trans_hooks = {
	.send = on_send,
	.admit = on_admit,
	.request = on_request,
	.ack = on_ack,
	.stateless = on_stateless,
	.cancelled = on_cancelled,
	.cancelling = on_cancelling,
	.response = on_response,
	.stray = on_stray,
	.ended = on_ended,
};

/* ---- bytes --------------------------------------------------------------- */

void
sip_sessions_receive(struct sip_sessions *ss, const struct sip_msg *m,
    struct sip_verdict v, const struct sip_flow *from, struct hf_time now)
{
	ss->now = now;
	if (v.parsed == SIP_DROP)
		return;
	if (v.parsed == SIP_GOOD) {
		sip_transactions_receive(&ss->tt, m, from, now);
		return;
	}
	if (m->request && m->method != SIP_ACK)
		sip_sessions_reply(ss, HF_REF_NONE, m, from, v.status,
		    hf_slice_of(v.why), nothing);
}

void
sip_sessions_refused(
    struct sip_sessions *ss, struct hf_slice bytes, struct hf_time now)
{
	ss->now = now;
	sip_transactions_refused(&ss->tt, bytes, now);
}

void
sip_sessions_lost(
    struct sip_sessions *ss, struct hf_ref conn, struct hf_time now)
{
	ss->now = now;
	sip_transactions_lost(&ss->tt, conn, NULL, now);
}
