/* daemon/sip/leg - a leg of hf-call's is a session of ours: see room.h */

#include <string.h>

#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"
#include "io/sip/build.h"

enum {
	HOLD_AGAIN_MS = 200, /* another offer is on its way */
	NO_PORT = 9,         /* discard: in a description that is not sent */
	TRYING = 100,
	RINGING = 180,
	UNAVAILABLE = 480, /* when hf-call named no refusal */
};

/* ---- descriptions -------------------------------------------------------- */

/* Does this party send from elsewhere than it says? */
static enum sip_latch
may_latch(const struct leg *l)
{
	static const enum sip_latch as[] = {
		[CONF_SYMMETRIC_AUTO] = SIP_LATCH_HOST,
		[CONF_SYMMETRIC_YES] = SIP_LATCH_ANY,
		[CONF_SYMMETRIC_NO] = SIP_LATCH_NEVER,
	};
	uint16_t trunk = l->trunk, agent = l->agent;

	if (l->order.leg != 0 && l->order.kind == TO_AGENT)
		agent = l->order.row;
	if (l->order.leg != 0 && l->order.kind == TO_NUMBER)
		trunk = l->order.row;
	if (agent < room.conf->agents)
		return as[room.conf->agent[agent].symmetric];
	if (trunk < room.conf->trunks)
		return as[room.conf->trunk[trunk].symmetric];
	return SIP_LATCH_HOST;
}

struct sdp_ours
leg_ours(const struct leg *l, const struct sip_flow *flow)
{
	struct sdp_ours o = {
		.rtp = sip_transport_here(&room.tp, flow, room.now),
		.first = (enum sip_codec)l->order.codec,
		.direction = (enum sip_direction)l->direction,
		.latch = may_latch(l),
	};
	const struct hf_addr *adv = &room.conf->rtp.advertise;

	/* What the signalling is told goes for media too, unless it has an
	 * address of its own; a peer in the house keeps to the house. */
	if (adv->family == o.rtp.family &&
	    !sip_transport_is_local(&room.tp, &flow->peer))
		o.rtp = *adv;
	o.rtp.port = l->port != 0 ? l->port : NO_PORT;
	return o;
}

struct media
leg_media(const struct sip_media *m)
{
	return (struct media){
		.rtp = m->rtp,
		.rtcp = m->rtcp,
		.codec = (enum codec)m->codec,
		.payload = m->payload,
		.dtmf = m->dtmf,
		.cn = m->cn,
		.ptime_ms = m->ptime_ms,
		.direction = (enum direction)m->direction,
		.mux = m->mux,
		.latch = (enum latch)m->latch,
		.source = m->source,
	};
}

/* Reads the description in m; 0, or the status to refuse it with.  *found is
 * false when there is none. */
static uint16_t
read_sdp(const struct sip_msg *m, struct sdp *out, bool *found)
{
	struct hf_slice text;
	const char *why;
	uint16_t status = 0;

	*found = sdp_find(m, &text, &status);
	if (!*found)
		return status;
	return sdp_parse(text, out, &why) ? 0 : 488;
}

/* Our answer to the offer in m, into b. */
static uint16_t
answer(struct leg *l, struct sdp_state *state, const struct sip_msg *m,
    const struct sip_flow *from, struct hf_buf *b, struct sip_media *media,
    bool *found)
{
	struct sdp offer;
	struct sdp_ours ours = leg_ours(l, from);
	uint16_t status = read_sdp(m, &offer, found);

	if (status != 0 || !*found)
		return status;
	return sdp_answer(b, state, &offer, &ours, &from->peer, media);
}

/* ---- facts --------------------------------------------------------------- */

static struct msg_leg_left
news_of(const struct leg *l, enum cause cause, uint16_t code,
    struct hf_slice reason)
{
	struct msg_leg_left f = { .leg = l->id, .cause = cause, .code = code };

	(void)hf_slice_copy(reason, f.reason, sizeof(f.reason));
	return f;
}

static void
tell_left(
    const struct leg *l, enum cause cause, uint16_t code, const char *reason)
{
	struct msg_leg_left f = news_of(l, cause, code, hf_slice_of(reason));

	if (!turned_leg(l, cause, code))
		ended_tell(&f, false);
}

void
leg_refused(const struct leg *l, enum cause cause, uint16_t code,
    struct hf_slice reason)
{
	struct msg_leg_left f = news_of(l, cause, code, reason);

	ended_tell(&f, true);
}

void
leg_end(struct leg *l, enum cause cause, uint16_t code, const char *reason)
{
	if (l->state == LEG_RINGING)
		leg_refused(l, cause, code, hf_slice_of(reason));
	else
		tell_left(l, cause, code, reason);
	leg_keep_only(l, HF_REF_NONE, code, hf_slice_of(reason));
	leg_free(l);
}

static void
tell_reoffered(struct leg *l, const struct sip_media *media)
{
	struct msg f;

	FACT(f, MSG_LEG_REOFFERED, leg_reoffered);
	leg_touch(l); /* what we said, if nothing else */
	if (sip_media_eq(media, &l->media))
		return;
	l->media = *media;
	f.leg_reoffered.leg = l->id;
	f.leg_reoffered.media = leg_media(media);
	leg_tell(&f);
}

/* ---- a call arrives ------------------------------------------------------ */

static void
refuse_new(struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from, uint16_t status)
{
	turned_away(NULL, m, from, status);
	sip_sessions_reply(
	    &room.ss, t, m, from, status, HF_SLICE(""), HF_SLICE(""));
}

static void refuse(
    struct leg *l, uint16_t code, uint16_t retry_after, const char *reason);

static void
tell_arrived(struct leg *l)
{
	struct msg f;

	FACT(f, MSG_LEG_ARRIVED, leg_arrived);
	f.leg_arrived = l->arrived;
	leg_touch(l);
	l->state = LEG_ARRIVED;
	l->decide_by = hf_time_after(room.now, hf_ms(DECIDE_MS));
	leg_arm(l);
	leg_tell(&f);
}

uint64_t
leg_number(void)
{
	return (uint64_t)(room.boot & INT32_MAX) << 32 |
	       (++room.legs_made & (EMERGENCY_LEG - 1));
}

void
leg_arrive(
    struct hf_ref t, const struct sip_msg *m, const struct sip_flow *from)
{
	uint64_t id =
	    leg_number() | (emergency_is_let_in(m) ? EMERGENCY_LEG : 0);
	char text[SDP_ROOM];
	struct hf_buf b = hf_buf_on(text, sizeof(text));
	struct sdp_state scratch;
	struct leg *l = leg_new(id, LEG_WAITING);
	struct sip_session *s;
	uint16_t status;
	bool found;

	room.arriving = id;
	if (l == NULL) {
		refuse_new(t, m, from, 503);
		return;
	}
	l->trunk = room.from_trunk;
	l->agent = room.from_agent;
	scratch = l->sdp;
	status = answer(l, &scratch, m, from, &b, &l->media, &found);
	if (status != 0) {
		refuse_new(t, m, from, status);
		leg_free(l);
		return;
	}
	l->late = !found;
	s = sip_session_invited(&room.ss, t, m, from, l->id);
	if (s == NULL) {
		leg_free(l);
		return;
	}
	s->mark = l->id;
	s->account = gate_account(l->trunk);
	s->phone = legs_phone(l->agent);
	l->session = hf_pool_at(&room.ss.pool, s->n);
	if (l->agent != CONF_NONE) {
		/* A phone may be behind NAT: the way it came is the way. */
		s->dialog.symmetric = true;
		sip_dialog_refresh(&s->dialog, m, from);
	}
	if (!who_calls(l, m, from)) {
		turned_away(NULL, m, from, 482);
		refuse(l, 482, 0, "loop");
		return;
	}
	l->arrived.media = leg_media(&l->media);
	if (is_emergency_leg(id))
		emergency_number(
		    m, l->arrived.number, sizeof(l->arrived.number));
	if (is_emergency_leg(id) || proc_there(PEER_CALL)) {
		tell_arrived(l);
	} else {
		l->decide_by = hf_time_after(room.now, hf_ms(AWAY_MS));
		leg_arm(l);
	}
}

/* What was agreed, in case that the news of a change died with the process
 * before us, or with hf-call. */
static void
tell_media(const struct leg *l)
{
	struct msg f;

	FACT(f, MSG_LEG_REOFFERED, leg_reoffered);
	if (l->media.codec == SIP_CODEC_NONE)
		return;
	f.leg_reoffered.leg = l->id;
	f.leg_reoffered.media = leg_media(&l->media);
	leg_tell(&f);
}

static void
tell_answered(struct leg *l)
{
	struct msg f;

	FACT(f, MSG_LEG_ANSWERED, leg_answered);
	leg_touch(l);
	l->state = LEG_UP;
	f.leg_answered.leg = l->id;
	f.leg_answered.target = l->target;
	f.leg_answered.media = leg_media(&l->media);
	leg_tell(&f);
}

/* What hf-call must know of a leg that it may have slept through; what it
 * knows already does it no harm, and a leg it does not know it drops. */
void
leg_tell_again(struct leg *l)
{
	struct msg f;

	FACT(f, MSG_LEG_CONFIRMED, leg_confirmed);
	switch ((enum leg_state)l->state) {
	case LEG_FREE:
		return;
	case LEG_WAITING:
		tell_arrived(l);
		return;
	case LEG_ARRIVED:
		f.type = MSG_LEG_ARRIVED;
		f.leg_arrived = l->arrived;
		leg_tell(&f);
		return;
	case LEG_RINGING:
		f.type = MSG_LEG_TRIED;
		f.leg_tried.leg = l->id;
		f.leg_tried.target = l->target;
		if (l->tried)
			leg_tell(&f);
		else if (l->untried)
			tell_untried(l);
		if (l->tried && l->rang)
			tell_rang(l, 0);
		return;
	case LEG_ANSWERED:
	case LEG_UP:
		if (l->order.leg != 0) {
			tell_answered(l);
			tell_media(l);
			return;
		}
		if (l->state == LEG_ANSWERED)
			return; /* its ACK is still to come */
		f.leg_confirmed.leg = l->id;
		if (l->late)
			f.leg_confirmed.media = leg_media(&l->media);
		leg_tell(&f);
		tell_media(l);
		return;
	}
}

void
legs_picture(void)
{
	ended_picture();
	for (uint32_t i = 0; room.legs.used > 0 && i < room.legs.cap; i++)
		if (!is_emergency_leg(room.leg[i].id))
			leg_tell_again(&room.leg[i]);
}

/* ---- a new process ------------------------------------------------------- */

/* Those of its sessions that are there; the first of them. */
static struct sip_session *
first_there(struct leg *l)
{
	struct hf_ref all[1 + HF_LEN(l->also)] = { l->session };

	memcpy(all + 1, l->also, sizeof(l->also));
	for (unsigned i = 0; i < HF_LEN(all); i++)
		if (!hf_ref_none(all[i]) &&
		    (!hf_pool_has(&room.ss.pool, all[i]) ||
			room.sessions[all[i].n].user != l->id))
			leg_without(l, all[i]);
	return leg_session(l);
}

/* Legs are committed before their sessions: where the two differ, the session
 * is a step behind, and what is still to come brings the leg on. */
static void
restored(struct leg *l)
{
	struct sip_session *s = first_there(l);

	switch ((enum leg_state)l->state) {
	case LEG_FREE:
		break;
	case LEG_WAITING:
	case LEG_ARRIVED:
		if (s == NULL)
			break;
		l->decide_by = hf_time_after(room.now, hf_ms(DECIDE_MS));
		leg_arm(l);
		return;
	case LEG_RINGING:
		/* hf-call still wants it, or it would not be there: it asks
		 * again, and then it is rung anew. */
		if (s == NULL) {
			leg_free(l);
			return;
		}
		l->tried = true;
		leg_arm(l);
		return;
	case LEG_ANSWERED:
	case LEG_UP:
		if (s == NULL)
			break;
		if (s->state == SIP_S_INVITED)
			l->state = LEG_ARRIVED;
		else if (s->state == SIP_S_ANSWERED)
			l->state = LEG_ANSWERED;
		if (l->hold) /* its answer, if any, went by us */
			l->next_by =
			    hf_time_after(room.now, hf_ms(HOLD_AGAIN_MS));
		leg_arm(l);
		return;
	}
	tell_left(l, CAUSE_OUR_FAULT, 0, "");
	leg_free(l);
}

void
legs_restored(void)
{
	for (uint32_t i = 0; room.legs.used > 0 && i < room.legs.fresh; i++)
		if (room.leg[i].state != LEG_FREE)
			restored(&room.leg[i]);
}

/* ---- refusing ------------------------------------------------------------ */

static void
refuse(struct leg *l, uint16_t code, uint16_t retry_after, const char *reason)
{
	struct sip_session *s = leg_session(l);
	char text[64];
	struct hf_buf b = hf_buf_on(text, sizeof(text));

	if (retry_after != 0)
		sip_put_number(&b, SIP_H_RETRY_AFTER,
		    sip_spread(proc_rand(), retry_after));
	if (code < 300 || code > 699)
		code = UNAVAILABLE;
	if (s != NULL)
		sip_session_refuse(&room.ss, s, code, hf_slice_of(reason),
		    hf_buf_taken(&b), room.now);
	leg_free(l);
}

static bool
is_due(struct hf_time *t)
{
	if (hf_time_before(room.now, *t))
		return false;
	*t = HF_TIME_NEVER;
	return true;
}

static void
hold_now(struct leg *l)
{
	struct sip_session *s = leg_session(l);
	char text[SDP_ROOM];
	struct hf_buf b = hf_buf_on(text, sizeof(text));
	struct sdp_ours ours;

	leg_touch(l);
	if (s == NULL || l->state != LEG_UP)
		return;
	ours = leg_ours(l, &s->dialog.flow);
	sdp_offer(&b, &l->sdp, &ours);
	l->offered =
	    sip_session_reinvite(&room.ss, s, hf_buf_taken(&b), room.now);
	l->hold = !l->offered;
	if (l->hold) {
		l->next_by = hf_time_after(room.now, hf_ms(HOLD_AGAIN_MS));
		leg_arm(l);
	}
}

void
leg_timer(struct hf_timer *t, struct hf_time now)
{
	struct leg_live *live = HF_CONTAINER(t, struct leg_live, timer);
	struct leg *l = &room.leg[live - room.live];
	struct hf_time untried_by = l->untried_by;

	room.now = now;
	if (is_due(&l->decide_by)) {
		tell_left(l, CAUSE_OUR_FAULT, 503, "");
		refuse(l, 503, conf_retry_after(room.conf), "");
		return;
	}
	if (is_due(&l->next_by)) {
		if (l->state == LEG_RINGING)
			ring_next(l);
		else if (l->hold)
			hold_now(l);
		return;
	}
	if (is_due(&l->untried_by)) {
		ring_untried(l, hf_time_since(untried_by, now));
		return;
	}
	leg_arm(l);
}

/* ---- orders -------------------------------------------------------------- */

static void
decided(struct leg *l)
{
	l->decide_by = HF_TIME_NEVER;
	leg_arm(l);
}

/* Our description for a caller: the answer to his offer, or our offer. */
static bool
describe_us(struct leg *l, struct sip_session *s, struct hf_buf *b)
{
	const struct sip_flow *from = &room.ss.live[s->n].source;
	struct sdp_ours ours = leg_ours(l, from);
	struct sip_media media;
	struct sip_msg m;
	bool found;

	if (l->late) {
		sdp_offer(b, &l->sdp, &ours);
		return !b->overflow;
	}
	return sip_session_asked(&room.ss, s, &m) &&
	       answer(l, &l->sdp, &m, from, b, &media, &found) == 0 && found;
}

static void
progress(struct leg *l, const struct msg_progress_leg *o)
{
	struct sip_session *s = leg_session(l);
	char text[SDP_ROOM];
	struct hf_buf b = hf_buf_on(text, sizeof(text));

	decided(l);
	if (s == NULL || l->state != LEG_ARRIVED || o->code == TRYING)
		return;
	if (o->port != 0) {
		l->port = o->port;
		leg_touch(l);
	}
	/* An offer of ours may not stand in an unreliable 18x (RFC 3262). */
	if (o->port != 0 && !l->late && !describe_us(l, s, &b))
		return;
	sip_session_ring(&room.ss, s,
	    o->code > 100 && o->code < 200 ? o->code : RINGING,
	    hf_buf_taken(&b), room.now);
}

static void
answer_leg(struct leg *l, const struct msg_answer_leg *o)
{
	struct sip_session *s = leg_session(l);
	char text[SDP_ROOM];
	struct hf_buf b = hf_buf_on(text, sizeof(text));

	decided(l);
	if (s == NULL || l->state != LEG_ARRIVED)
		return; /* again: the 200 is on its way already */
	leg_touch(l);
	l->port = o->port;
	if (!describe_us(l, s, &b)) {
		tell_left(l, CAUSE_OUR_FAULT, 500, "");
		refuse(l, 500, 0, "");
		return;
	}
	if (!sip_session_answer(
		&room.ss, s, hf_buf_taken(&b), l->late, room.now)) {
		tell_left(l, CAUSE_OUR_FAULT, 500, "");
		leg_free(l);
		return;
	}
	l->state = LEG_ANSWERED;
}

static void
drop(struct leg *l, const struct msg_drop_leg *o)
{
	leg_keep_only(l, HF_REF_NONE, o->code, hf_slice_of(o->reason));
	leg_free(l);
}

/* Asked again for what is so, or is being asked of him, nothing is done. */
static void
hold(struct leg *l, enum sip_direction d)
{
	if (l->direction == d)
		return;
	l->direction = (uint8_t)d;
	hold_now(l);
}

static void
pass_info(struct leg *l, const struct msg_pass_info *o)
{
	struct sip_session *s = leg_session(l);

	if (s != NULL)
		(void)sip_session_tell(&room.ss, s, SIP_INFO, HF_SLICE(""),
		    o->type,
		    (struct hf_slice){ (const char *)o->body.p, o->body.n },
		    room.now);
}

/* Whatever it answers it is there, unless it does not know the dialog (RFC 3261
 * 12.2.1.2); the session layer sees to that. */
static void
probe_leg(struct leg *l)
{
	struct sip_session *s = leg_session(l);

	if (s != NULL)
		(void)sip_session_tell(&room.ss, s, SIP_OPTIONS, HF_SLICE(""),
		    NULL, HF_SLICE(""), room.now);
}

static void
report_refer(struct leg *l, const struct msg_report_refer *o)
{
	struct sip_session *s = leg_session(l);

	if (s != NULL && o->code >= 100 && o->code <= 699)
		sip_session_report(&room.ss, s, o->code, room.now);
}

/* The leg an order is for, whatever order it is. */
static uint64_t
leg_named(const struct msg *m)
{
	switch (m->type) {
	case MSG_PROGRESS_LEG:
		return m->progress_leg.leg;
	case MSG_ANSWER_LEG:
		return m->answer_leg.leg;
	case MSG_REFUSE_LEG:
		return m->refuse_leg.leg;
	case MSG_DROP_LEG:
		return m->drop_leg.leg;
	case MSG_HOLD_LEG:
		return m->hold_leg.leg;
	case MSG_PASS_INFO:
		return m->pass_info.leg;
	case MSG_REPORT_REFER:
		return m->report_refer.leg;
	case MSG_PROBE_LEG:
		return m->probe_leg.leg;
	default:
		return 0;
	}
}

void
leg_order(const struct msg *m)
{
	struct leg *l = leg_by_id(leg_named(m));

	if (l != NULL && leg_session(l) != NULL)
		kept_enter(l->session.n);
	if (m->type == MSG_RING_LEG) {
		ring_leg(&m->ring_leg);
	} else if (m->type == MSG_PROBE_HELPER) {
		probe_helper(&m->probe_helper);
	} else if (l == NULL) {
		/* It ended while the order was on its way, or before we were
		 * started: a leg that was to live on is told so. */
		if ((m->type == MSG_ANSWER_LEG || m->type == MSG_HOLD_LEG ||
			m->type == MSG_PROGRESS_LEG ||
			m->type == MSG_PROBE_LEG) &&
		    !ended_again(leg_named(m))) {
			struct leg gone = { .id = leg_named(m) };

			tell_left(&gone, CAUSE_OUR_FAULT, 0, "");
		}
	} else if (m->type == MSG_PROGRESS_LEG) {
		progress(l, &m->progress_leg);
	} else if (m->type == MSG_ANSWER_LEG) {
		answer_leg(l, &m->answer_leg);
	} else if (m->type == MSG_REFUSE_LEG) {
		if (l->state == LEG_ARRIVED)
			refuse(l, m->refuse_leg.code, m->refuse_leg.retry_after,
			    m->refuse_leg.reason);
	} else if (m->type == MSG_DROP_LEG) {
		drop(l, &m->drop_leg);
	} else if (m->type == MSG_HOLD_LEG) {
		hold(l, (enum sip_direction)m->hold_leg.direction);
	} else if (m->type == MSG_PASS_INFO) {
		pass_info(l, &m->pass_info);
	} else if (m->type == MSG_PROBE_LEG) {
		probe_leg(l);
	} else if (m->type == MSG_REPORT_REFER) {
		report_refer(l, &m->report_refer);
	}
	kept_leave();
}

/* ---- what sessions tell -------------------------------------------------- */

void
on_answered(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	struct hf_ref me = hf_pool_at(&room.ss.pool, s->n);
	struct leg *l = leg_of(s);
	struct sdp_ours ours;
	struct sdp theirs;
	uint16_t status;
	bool found;

	(void)arg;
	if (l == NULL)
		return;
	tell_tried(l);
	l->next_by = l->untried_by = HF_TIME_NEVER;
	leg_arm(l);
	ours = leg_ours(l, &s->dialog.flow);
	status = read_sdp(m, &theirs, &found);
	if (status == 0 && found)
		status = sdp_accept(
		    &l->sdp, &theirs, &ours, &s->dialog.flow.peer, &l->media);
	/* Without a description now, what an 18x said stands. */
	if (status != 0 || l->media.codec == SIP_CODEC_NONE) {
		sip_session_drop(&room.ss, s, 488,
		    HF_SLICE("no usable session description"), room.now);
		ring_lost(l, me, CAUSE_GARBAGE, 488, HF_SLICE(""));
		return;
	}
	/* The first to answer has it; one who answers while this is on its way
	 * is thanked and let go (RFC 3261 13.2.2.4). */
	leg_keep_only(l, me, 200, HF_SLICE("Call completed elsewhere"));
	tell_answered(l);
}

void
on_confirmed(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	struct leg *l = leg_of(s);
	struct msg f;
	struct sip_media media = { .codec = SIP_CODEC_NONE };
	struct sdp_ours ours;
	struct sdp theirs;
	uint16_t status;
	bool found;

	FACT(f, MSG_LEG_CONFIRMED, leg_confirmed);
	(void)arg;
	if (l == NULL)
		return;
	if (s->late) {
		ours = leg_ours(l, &s->dialog.flow);
		status = read_sdp(m, &theirs, &found);
		if (status == 0 && found)
			status = sdp_accept(&l->sdp, &theirs, &ours,
			    &s->dialog.flow.peer, &media);
		if (status != 0 || media.codec == SIP_CODEC_NONE) {
			tell_left(l, CAUSE_GARBAGE, 488, "");
			sip_session_drop(&room.ss, s, 488,
			    HF_SLICE("no usable answer"), room.now);
			leg_free(l);
			return;
		}
	}
	if (l->state == LEG_UP) {
		/* A late re-offer: it may have moved. */
		tell_reoffered(l, &media);
		return;
	}
	leg_touch(l);
	l->state = LEG_UP;
	if (s->late)
		l->media = media;
	f.leg_confirmed.leg = l->id;
	f.leg_confirmed.media = leg_media(&media);
	leg_tell(&f);
}

uint16_t
on_reoffered(void *arg, struct sip_session *s, const struct sip_msg *m,
    struct hf_buf *sdp)
{
	struct leg *l = leg_of(s);
	struct sip_media media;
	struct sdp_ours ours;
	uint16_t status;
	bool found;

	(void)arg;
	if (l == NULL)
		return 481;
	status = answer(l, &l->sdp, m, &s->dialog.flow, sdp, &media, &found);
	if (status != 0)
		return status;
	if (found) {
		tell_reoffered(l, &media);
		return 200;
	}
	leg_touch(l);
	ours = leg_ours(l, &s->dialog.flow);
	sdp_offer(sdp, &l->sdp, &ours);
	return 200;
}

void
on_reanswered(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	struct leg *l = leg_of(s);
	struct sip_media media;
	struct sdp_ours ours;
	struct sdp theirs;
	bool found;

	(void)arg;
	if (l == NULL)
		return;
	leg_touch(l);
	l->offered = false;
	if (m == NULL || m->status >= 300)
		return; /* refused: the call goes on as it was */
	if (read_sdp(m, &theirs, &found) != 0 || !found)
		return;
	ours = leg_ours(l, &s->dialog.flow);
	if (sdp_accept(&l->sdp, &theirs, &ours, &s->dialog.flow.peer, &media) ==
	    0)
		tell_reoffered(l, &media);
}

void
on_retry(void *arg, struct sip_session *s)
{
	struct leg *l = leg_of(s);

	(void)arg;
	if (l != NULL)
		hold_now(l);
}

uint16_t
on_referred(void *arg, struct sip_session *s, const struct sip_uri *to)
{
	struct leg *l = leg_of(s);
	struct msg f;

	FACT(f, MSG_LEG_REFERRED, leg_referred);
	(void)arg;
	if (l == NULL || l->state != LEG_UP || is_emergency_leg(l->id))
		return 603;
	/* Headers in the URI (Replaces: attended transfer) are not for us. */
	if (to->headers.n > 0)
		return 501;
	f.leg_referred.leg = l->id;
	if (!who_is_meant(
		to, f.leg_referred.target, sizeof(f.leg_referred.target)))
		return 404;
	leg_tell(&f);
	return 202;
}

enum {
	Q850_NORMAL = 16,
	Q850_UNSPECIFIED = 31,
};

enum cause
reason_of(const struct sip_msg *m, uint16_t *code, char *text, size_t cap)
{
	enum cause c = CAUSE_DONE;
	const struct sip_header_line *h;

	*code = 0;
	text[0] = '\0';
	for (unsigned i = 0;
	     m != NULL && (h = sip_find(m, SIP_H_REASON, i)) != NULL; i++) {
		size_t n = hf_slice_find(h->value, ';');
		struct hf_slice what =
		    hf_slice_trim((struct hf_slice){ h->value.p, n });
		struct hf_slice rest = { h->value.p + n, h->value.n - n }, v;
		uint64_t cause = 0;

		if (rest.n > 0)
			rest = (struct hf_slice){ rest.p + 1, rest.n - 1 };
		if (sip_param(rest, HF_SLICE("cause"), &v))
			(void)hf_slice_number(v, 699, &cause);
		if (sip_param(rest, HF_SLICE("text"), &v) &&
		    !sip_unquote(v, text, cap))
			text[0] = '\0';
		*code = (uint16_t)cause;
		if (strcmp(text, "agent") == 0)
			return CAUSE_YIELDED;
		if (hf_slice_eq_nocase(what, HF_SLICE("SIP")) && cause >= 400 &&
		    cause != 487)
			c = CAUSE_ERROR_BYE;
		if (hf_slice_eq_nocase(what, HF_SLICE("Q.850")) && cause != 0 &&
		    cause != Q850_NORMAL && cause != Q850_UNSPECIFIED)
			c = CAUSE_ERROR_BYE;
	}
	return c;
}

void
on_left(void *arg, struct sip_session *s, const struct sip_msg *m,
    enum sip_left how)
{
	struct leg *l = leg_of(s);
	char text[64];
	uint16_t code = 0;
	enum cause cause = CAUSE_TIMEOUT;

	(void)arg;
	if (l == NULL)
		return;
	text[0] = '\0';
	switch (how) {
	case SIP_LEFT_BYE:
		cause = reason_of(m, &code, text, sizeof(text));
		break;
	case SIP_LEFT_CANCEL:
		(void)reason_of(m, &code, text, sizeof(text));
		cause = CAUSE_DONE;
		break;
	case SIP_LEFT_NO_ACK:
	case SIP_LEFT_LOST:
		code = m != NULL ? m->status : 408;
		break;
	}
	tell_left(l, cause, code, text);
	leg_free(l);
}
