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
	return watch_silent(&helper->watch);
}

/* ---- news ---------------------------------------------------------------- */

/* What the caller heard meanwhile, which the watch cannot know. */
static void
add_holes(struct stream *h, struct hf_time now, struct msg *m)
{
	struct hf_span hole = h->partner->hole, since;

	if (m->type == MSG_STREAM_VOICED) {
		since = voice_hole(&h->partner->voice, now);
		m->stream_voiced.gap = since.us > hole.us ? since : hole;
	} else if (m->type == MSG_STREAM_WELL) {
		m->stream_well.heard = hole;
		h->partner->hole.us = 0;
	}
}

/* The caller first, then hf-call. */
static void
obey(struct stream *h, unsigned news, struct hf_time now)
{
	struct msg m;

	if (news & WATCH_CLEAR)
		say_bridge(h->partner, BRIDGE_NONE, now);
	if (news & WATCH_COMFORT)
		say_bridge(h->partner, BRIDGE_COMFORT, now);
	if (news & WATCH_PROMPT)
		say_bridge(h->partner, BRIDGE_PROMPT, now);
	if (news & WATCH_SUSPECT)
		port_mistaken(h);
	while (watch_fact(&h->watch, &news, h->ref, now, &m)) {
		add_holes(h, now, &m);
		stream_tell(h, &m);
	}
}

/* ---- the helper's life --------------------------------------------------- */

void
guard_begin(struct stream *h, struct hf_time now)
{
	guard_end(h);
	watch_begin(&h->watch, &h->patience, guard_conf(h),
	    (enum judge)h->judge, h->held, kin_of(h), now);
	if (!h->watch.on)
		return;
	tick_at(h, guard_due(h));
	stream_listen(h);
	stream_listen(h->partner);
}

void
guard_end(struct stream *h)
{
	watch_end(&h->watch);
	stream_listen(h);
	if (h->partner != NULL)
		stream_listen(h->partner);
}

void
guard_hold(struct stream *s, bool on, struct hf_time now)
{
	struct stream *h = s->role == ROLE_HELPER ? s : s->partner;

	if (h == NULL || !h->watch.on)
		return;
	obey(h, watch_hold(&h->watch, h == s, on, now), now);
	tick_at(h, guard_due(h));
}

static bool
is_audio(enum voice_kind kind)
{
	return kind == VOICE_PCMU || kind == VOICE_PCMA;
}

static uint8_t
length_ms(const struct rtp_packet *p)
{
	uint16_t ms = p->n / G711_PER_MS;

	return (uint8_t)(ms > VOICE_PTIME_MAX ? VOICE_PTIME_MAX : ms);
}

void
guard_packet(struct stream *s, const struct rtp_packet *p, enum voice_kind kind,
    const struct ear_frame *f, struct hf_time now)
{
	struct stream *h = s->role == ROLE_HELPER ? s : s->partner;
	struct patience_frame frame = { 0 };
	const struct patience_frame *heard = NULL;
	unsigned news;

	if (h == NULL || !h->watch.on)
		return;
	if (is_audio(kind)) {
		frame = (struct patience_frame){
			.ms = length_ms(p),
			.loud = f->loud,
			.clipped_pct = f->clipped_pct,
			.turns_pct = f->turns_pct,
			.constant = f->constant && !f->silent,
			.speaks = s->listen && ear_speaks(&s->floor, f->loud),
		};
		if (!h->held && !h->partner->held)
			heard = &frame;
	}
	if (h == s) {
		struct starve_packet packet = {
			.ssrc = p->ssrc,
			.seq = p->seq,
			.ms = frame.ms,
			.ts = p->ts,
			.marker = p->marker,
			.cn = kind == VOICE_CN,
			.quiet = is_audio(kind) && f->loud < EAR_QUIET,
		};

		news = watch_helper(&h->watch, kin_of(h), &packet, heard, now);
	} else if (heard != NULL && h->watch.patience != NULL) {
		news = watch_caller(&h->watch, heard, now);
	} else {
		return;
	}
	if (news != 0)
		obey(h, news, now);
	/* Only the first packet brings the deadline forward.  An earlier one
	 * stays in the table and is found idle then. */
	tick_at(h, guard_due(h));
}

struct hf_time
guard_due(const struct stream *h)
{
	return watch_due(&h->watch);
}

void
guard_age(struct stream *h, struct hf_time now)
{
	if (!h->watch.on)
		return;
	/* Nobody is blamed for a packet that lies unread. */
	if (!hf_time_before(now, h->watch.starve.due))
		port_hear(h, true, now);
	obey(h, watch_age(&h->watch, kin_of(h), now), now);
}

void
guard_shift(struct stream *h, struct hf_span lateness, struct hf_time now)
{
	/* The caller's packets are passed on by now. */
	watch_shift(
	    &h->watch, lateness, !hf_time_before(h->voice.at, now), now);
}

void
guard_sign(struct stream *s, struct hf_time now)
{
	watch_sign(&s->watch, now);
}
