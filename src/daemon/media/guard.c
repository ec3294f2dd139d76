/* daemon/media/guard - what the watches on a helper say, and the bridge over
 * its silence.  Nobody is asked: the caller hears comfort noise and then a
 * voice whatever the other processes are doing, and hf-call is told. */

#include "base/check.h"
#include "daemon/media/room.h"

const struct conf_guard *
guard_conf(const struct stream *helper)
{
	if (helper->row < room.conf->helpers &&
	    room.conf->helper[helper->row].used)
		return &room.conf->helper[helper->row].guard;
	return &room.conf->guard;
}

static struct starve_kin *
kin_of(const struct stream *helper)
{
	return &room.kin[helper->row < CONF_HELPERS_MAX ? helper->row
							: KIN_MAX - 1];
}

bool
guard_silent(const struct stream *helper)
{
	return helper->watched && (helper->starve.state == STARVE_SUSPECT ||
				      helper->starve.state == STARVE_VOICED ||
				      helper->starve.state == STARVE_LULL);
}

/* ---- facts --------------------------------------------------------------- */

static void
tell_suspect(const struct stream *h)
{
	struct msg m = { .type = MSG_STREAM_SUSPECT };

	m.stream_suspect.stream = h->ref;
	if (h->starve.came)
		m.stream_suspect.last = h->starve.last;
	m.stream_suspect.pause = h->starve.hushed;
	m.stream_suspect.grace = h->starve.grace;
	proc_send(PEER_CALL, &m);
}

static void
tell_voiced(const struct stream *h, struct hf_time now)
{
	struct msg m = { .type = MSG_STREAM_VOICED };
	struct hf_span hole = h->partner->hole;
	struct hf_span since = voice_hole(&h->partner->voice, now);

	m.stream_voiced.stream = h->ref;
	if (h->starve.came)
		m.stream_voiced.last = h->starve.last;
	m.stream_voiced.gap = since.us > hole.us ? since : hole;
	proc_send(PEER_CALL, &m);
}

static void
tell_well(struct stream *h, struct hf_span gap)
{
	struct msg m = { .type = MSG_STREAM_WELL };

	m.stream_well.stream = h->ref;
	m.stream_well.gap = gap;
	m.stream_well.heard = h->partner->hole;
	h->partner->hole.us = 0;
	proc_send(PEER_CALL, &m);
}

static void
tell_suppressed(const struct stream *h)
{
	struct msg m = { .type = MSG_STREAM_SUPPRESSED };

	m.stream_suppressed.stream = h->ref;
	proc_send(PEER_CALL, &m);
}

/* ---- the bridge ---------------------------------------------------------- */

static void
act(struct stream *h, enum starve_event e, struct hf_span gap,
    struct hf_time now)
{
	struct stream *caller = h->partner;

	switch (e) {
	case STARVE_NOTHING:
		return;
	case STARVE_HUSHED:
		say_bridge(caller, BRIDGE_COMFORT, now);
		return;
	case STARVE_RESUMED:
		say_bridge(caller, BRIDGE_NONE, now);
		return;
	case STARVE_SUSPECTED:
		say_bridge(caller, BRIDGE_COMFORT, now);
		tell_suspect(h);
		return;
	case STARVE_NEVER_CAME:
		tell_suspect(h);
		say_bridge(caller, BRIDGE_PROMPT, now);
		tell_voiced(h, now);
		return;
	case STARVE_SPOKEN_FOR:
		say_bridge(caller, BRIDGE_PROMPT, now);
		tell_voiced(h, now);
		return;
	case STARVE_RETURNED:
		say_bridge(caller, BRIDGE_NONE, now);
		tell_well(h, gap);
		return;
	}
}

static void
tell_patience(const struct stream *h, enum patience_event e, struct hf_time now)
{
	struct msg m = { 0 };

	switch (e) {
	case PATIENCE_NOTHING:
		return;
	case PATIENCE_MUTE:
	case PATIENCE_LOST:
		m.type = MSG_STREAM_MUTE;
		m.stream_mute.stream = h->ref;
		m.stream_mute.silent =
		    hf_time_since(h->patience.turn_since, now);
		m.stream_mute.lost = e == PATIENCE_LOST;
		break;
	case PATIENCE_SPEAKS:
		m.type = MSG_STREAM_SPEAKS;
		m.stream_speaks.stream = h->ref;
		break;
	case PATIENCE_LOOPED:
		m.type = MSG_STREAM_LOOPED;
		m.stream_looped.stream = h->ref;
		m.stream_looped.times = h->patience.conf.loop_times;
		break;
	case PATIENCE_GARBLED:
		m.type = MSG_STREAM_GARBLED;
		m.stream_garbled.stream = h->ref;
		m.stream_garbled.clipped_pct = h->patience.clipped_pct;
		break;
	}
	proc_send(PEER_CALL, &m);
}

/* ---- the helper's life --------------------------------------------------- */

void
guard_begin(struct stream *h, struct hf_time now)
{
	const struct conf_guard *g = guard_conf(h);
	struct starve_conf starve = {
		.suspect = g->suspect,
		.voice = g->voice.us > g->suspect.us ? g->voice : g->suspect,
		.lost = g->lost,
		/* Patience watches a bot meanwhile; nobody else a centre. */
		.hush = h->judge == JUDGE_EAR ? g->hush : g->patience_lost,
		.never = g->never,
		.grace_max = g->grace_max,
		.sign_max = g->sign_max,
	};
	struct patience_conf patience = {
		.prompt = g->patience_prompt,
		.lost = g->patience_lost.us > g->patience_prompt.us
			    ? g->patience_lost
			    : g->patience_prompt,
		.loop = g->loop,
		.loop_times = g->loop_times,
		.garbage = g->garbage,
		.word = g->word,
		.pause = g->pause,
	};

	guard_end(h);
	if (h->judge == JUDGE_NOBODY)
		return;
	h->watched = true;
	starve_begin(&h->starve, &starve, kin_of(h), now);
	if (h->held)
		(void)starve_hold(&h->starve, true, now);
	h->patient = h->judge == JUDGE_EAR;
	if (h->patient)
		patience_begin(&h->patience, &patience, now);
	tick_at(h, guard_due(h));
	stream_listen(h);
	stream_listen(h->partner);
}

void
guard_end(struct stream *h)
{
	if (h->watched)
		starve_end(&h->starve);
	h->watched = h->patient = false;
	stream_listen(h);
	if (h->partner != NULL)
		stream_listen(h->partner);
}

/* A new direction came with a re-INVITE.  A party on hold owes nothing, nor
 * does the helper to a caller who put it on hold. */
void
guard_hold(struct stream *s, bool on, struct hf_time now)
{
	struct stream *h = s->role == ROLE_HELPER ? s : s->partner;
	struct hf_span gap;

	if (h == NULL || !h->watched)
		return;
	if (h == s) {
		gap = hf_time_since(h->starve.last, now);
		act(h, starve_hold(&h->starve, on, now), gap, now);
	}
	if (h->patient && on)
		patience_rest(&h->patience);
	tick_at(h, guard_due(h));
}

static bool
is_audio(enum voice_kind kind)
{
	return kind == VOICE_PCMU || kind == VOICE_PCMA;
}

static uint8_t
length_ms(const struct rtp_packet *p, enum voice_kind kind)
{
	uint16_t ms = p->n / G711_PER_MS;

	if (!is_audio(kind))
		return 0;
	return (uint8_t)(ms > VOICE_PTIME_MAX ? VOICE_PTIME_MAX : ms);
}

static void
watch(struct stream *h, const struct rtp_packet *p, enum voice_kind kind,
    bool quiet, struct hf_time now)
{
	struct starve_packet packet = {
		.ssrc = p->ssrc,
		.seq = p->seq,
		.ms = length_ms(p, kind),
		.ts = p->ts,
		.marker = p->marker,
		.cn = kind == VOICE_CN,
		.quiet = quiet,
	};
	struct hf_span gap = hf_time_since(h->starve.last, now);
	bool suppressed = h->starve.suppresses;
	enum starve_event e = starve_hear(&h->starve, kin_of(h), &packet, now);

	if (!suppressed && h->starve.suppresses)
		tell_suppressed(h);
	act(h, e, gap, now);
	/* Only the first packet brings the deadline forward.  An earlier one
	 * stays in the table and is found idle then. */
	tick_at(h, h->starve.due);
}

void
guard_packet(struct stream *s, const struct rtp_packet *p, enum voice_kind kind,
    const struct ear_frame *f, struct hf_time now)
{
	struct stream *h = s->role == ROLE_HELPER ? s : s->partner;
	struct patience_frame frame;
	bool speaks;

	if (h == NULL || !h->watched)
		return;
	speaks = is_audio(kind) && s->listen && ear_speaks(&s->floor, f->loud);
	if (h == s)
		watch(h, p, kind, is_audio(kind) && f->loud < EAR_QUIET, now);
	if (!h->patient || !is_audio(kind) || h->held || h->partner->held)
		return;
	frame = (struct patience_frame){
		.ms = length_ms(p, kind),
		.loud = f->loud,
		.clipped_pct = f->clipped_pct,
		.turns_pct = f->turns_pct,
		.constant = f->constant && !f->silent,
		.speaks = speaks,
	};
	tell_patience(h,
	    h == s ? patience_helper(&h->patience, &frame, now)
		   : patience_caller(&h->patience, &frame, now),
	    now);
	if (h->patience.due.us != INT64_MAX)
		tick_at(h, h->patience.due);
}

struct hf_time
guard_due(const struct stream *h)
{
	if (!h->watched)
		return HF_TIME_NEVER;
	return h->patient ? hf_time_min(h->starve.due, h->patience.due)
			  : h->starve.due;
}

void
guard_age(struct stream *h, struct hf_time now)
{
	struct hf_span gap;

	if (!h->watched)
		return;
	/* Nobody is blamed for a packet that lies unread. */
	if (!hf_time_before(now, h->starve.due))
		port_hear(h, true, now);
	gap = hf_time_since(h->starve.last, now);
	act(h, starve_age(&h->starve, kin_of(h), now), gap, now);
	if (h->patient)
		tell_patience(h, patience_age(&h->patience, now), now);
}

void
guard_shift(struct stream *h, struct hf_span lateness, struct hf_time now)
{
	if (!h->watched)
		return;
	starve_shift(&h->starve, lateness, now);
	if (h->patient)
		patience_shift(&h->patience, lateness);
}

void
guard_sign(struct stream *s, struct hf_time now)
{
	if (s->watched)
		starve_sign(&s->starve, now);
}
