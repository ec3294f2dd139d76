/* daemon/media/stream - the table of streams and hf-call's orders about them.
 * Orders may come twice, or late: a handle dates its stream, and each order
 * says how things shall be, not how they shall change. */

#include <string.h>

#include "base/check.h"
#include "base/table.h"
#include "daemon/media/room.h"

void
stream_table(uint32_t first, uint32_t count)
{
	size_t blocks = (count + DUE_BLOCK - 1) / DUE_BLOCK;

	room.first = first;
	room.count = count;
	room.stream = hf_table(count + 1, sizeof(*room.stream));
	room.due = hf_table(count + 1, sizeof(*room.due));
	room.block_due = hf_table(blocks + 1, sizeof(*room.block_due));
	hf_assert(
	    room.stream != NULL && room.due != NULL && room.block_due != NULL);
	for (uint32_t i = 0; i < count; i++) {
		room.stream[i].fd = room.stream[i].rtcp_fd = -1;
		room.due[i] = HF_TIME_NEVER;
	}
	for (size_t b = 0; b < blocks; b++)
		room.block_due[b] = HF_TIME_NEVER;
}

struct stream *
stream_at(struct hf_ref r)
{
	struct stream *s;

	if (r.n < room.first || r.n - room.first >= room.count)
		return NULL;
	s = &room.stream[r.n - room.first];
	if (s->open && hf_ref_is(s->ref, r))
		return s;
	room.count_of.stale++;
	return NULL;
}

void
stream_tell(const struct stream *s, const struct msg *m)
{
	if (s->ref.n < room.sos)
		proc_send(PEER_CALL, m);
	else if (msg_may(m->type, ROOM_MEDIA, ROOM_SIP))
		proc_send(PEER_SIP, m);
}

/* ---- the record ---------------------------------------------------------- */

void
stream_commit(const struct stream *s, struct hf_time now)
{
	struct stream_record r = {
		.ref = s->ref,
		.call = s->call,
		.partner = s->partner != NULL ? s->partner->ref : HF_REF_NONE,
		.media = s->media,
		.role = s->role,
		.judge = s->judge,
		.row = s->row,
		.source = s->source,
		.locked = s->connected,
		.seq = s->voice.seq,
		.ssrc = s->voice.ssrc,
		.ts = s->voice.ts,
		.far = s->far,
		.at = now,
	};

	if (room.slotted)
		slots_commit(&room.slots, (uint32_t)(s - room.stream), &r);
}

/* ---- what follows from a stream's state ---------------------------------- */

struct hf_time
stream_due(const struct stream *s)
{
	struct hf_time t;

	if (!s->open)
		return HF_TIME_NEVER;
	t = hf_time_min(s->rtcp_due, guard_due(s));
	if (s->recording.number != 0)
		t = hf_time_min(t, record_due(s));
	if (s->dtmf.held && s->felt)
		t = hf_time_min(
		    t, hf_time_after(s->dtmf.last, room.conf->rtp.dtmf_gap));
	return hf_time_min(t, hf_time_min(s->say_due, s->bridge_due));
}

void
stream_age(struct stream *s, struct hf_time now)
{
	if (!s->open)
		return;
	guard_age(s, now);
	say_age(s, now);
	record_age(s, now);
	hear_age(s, now);
	report_age(s, now);
}

void
stream_listen(struct stream *s)
{
	s->listen = s->recording.number != 0 || s->watch.on ||
		    (s->partner != NULL && s->partner->watch.patience != NULL);
}

static struct voice_format
format_of(const struct media *m)
{
	uint8_t ptime = m->ptime_ms;

	if (ptime < VOICE_PTIME_MIN || ptime > VOICE_PTIME_MAX)
		ptime = VOICE_PTIME;
	return (struct voice_format){
		.law = m->codec == CODEC_PCMA ? G711_PCMA : G711_PCMU,
		.payload = m->payload,
		.dtmf = m->dtmf,
		.cn = m->cn,
		.ptime_ms = ptime,
	};
}

static bool
sends(const struct media *m)
{
	return m->rtp.family != 0 && (m->direction == DIRECTION_SENDRECV ||
					 m->direction == DIRECTION_SENDONLY);
}

/* ---- orders -------------------------------------------------------------- */

static bool
same_place(const struct media *a, const struct media *b)
{
	return hf_addr_eq(&a->rtp, &b->rtp) && hf_addr_eq(&a->rtcp, &b->rtcp) &&
	       a->mux == b->mux && a->latch == b->latch &&
	       hf_addr_eq(&a->source, &b->source);
}

/* A re-INVITE, or the answer to an offer that was open so far. */
static void
move(struct stream *s, const struct media *to, struct hf_time now)
{
	bool moved = !same_place(&s->media, to);

	s->media = *to;
	s->in = format_of(to);
	voice_format(&s->voice, &s->in);
	s->may_send = sends(to);
	s->held = watch_held(to);
	if (moved)
		port_open(s);
	guard_hold(s, s->held, now);
	stream_commit(s, now);
}

/* found: where an earlier life was connected to; NULL: nowhere yet. */
static void
begin(struct stream *s, const struct msg_open_stream *m,
    const struct hf_addr *found, struct hf_time now)
{
	int fd = s->fd, rtcp_fd = s->rtcp_fd, family = s->family;
	bool dialled = s->dialled, rtcp_dialled = s->rtcp_dialled;
	bool polled = s->polled;
	struct voice_format f = format_of(&m->media);

	memset(s, 0, sizeof(*s));
	s->fd = fd;
	s->rtcp_fd = rtcp_fd;
	s->dialled = dialled;
	s->rtcp_dialled = rtcp_dialled;
	s->polled = polled;
	s->family = family;
	s->open = true;
	s->ref = m->stream;
	s->call = m->call;
	s->media = m->media;
	s->row = CONF_NONE;
	s->in = f;
	s->music = PROMPT_MUSIC;
	s->may_send = sends(&m->media);
	s->held = watch_held(&m->media);
	s->say_due = s->bridge_due = HF_TIME_NEVER;
	voice_init(&s->voice, &f, (uint32_t)hf_rand_u64(proc_rand()),
	    (uint16_t)hf_rand_u64(proc_rand()),
	    (uint32_t)hf_rand_u64(proc_rand()));
	room.open++;
	if (found != NULL)
		port_adopt(s, found);
	else
		port_open(s);
	report_begin(s, now);
	tick_run(true);
}

void
stream_open(const struct msg_open_stream *m, struct hf_time now)
{
	struct stream *s;

	if (m->stream.n < room.first ||
	    m->stream.n - room.first >= room.count) {
		hf_log(LOG_ERROR, "stream_not_ours",
		    "stream=%u first=%u count=%u", m->stream.n, room.first,
		    room.count);
		return;
	}
	s = &room.stream[m->stream.n - room.first];
	s->unclaimed = false;
	if (s->open && hf_ref_is(s->ref, m->stream)) {
		move(s, &m->media, now);
		return;
	}
	if (s->open)
		stream_close(
		    s, now); /* its CLOSE_STREAM was lost with its sender */
	begin(s, m, NULL, now);
	stream_commit(s, now);
}

static void
leave_partner(struct stream *s, struct hf_time now)
{
	struct stream *other = s->partner;

	if (other == NULL)
		return;
	guard_end(s);
	guard_end(other);
	s->partner = other->partner = NULL;
	s->role = other->role = ROLE_NONE;
	stream_listen(s);
	stream_listen(other);
	if (other->source == SOURCE_PARTNER)
		say_source(other, SOURCE_NONE, now);
	stream_commit(other, now);
}

void
stream_close(struct stream *s, struct hf_time now)
{
	struct msg m = { .type = MSG_STREAM_CLOSED };
	struct msg_stream_closed *c = &m.stream_closed;

	record_end(s, CAUSE_DONE, now);
	stream_part(s, now);
	c->stream = s->ref;
	c->packets_in = s->meter.received;
	c->packets_out = s->voice.packets;
	c->lost = rtp_meter_lost(&s->meter);
	c->refused = s->strangers;
	c->jitter_us = (uint32_t)rtp_meter_jitter(&s->meter).us;
	c->longest_gap = s->hole_max;
	stream_tell(s, &m);

	say_end(s);
	port_close(s);
	s->open = false;
	if (room.slotted)
		slots_release(&room.slots, (uint32_t)(s - room.stream));
	if (--room.open == 0)
		tick_run(false);
}

/* A bridging prompt that is being said is said to its end. */
static void
quiet_line(struct stream *s, struct hf_time now)
{
	if (s->source == SOURCE_PARTNER && s->bridge == BRIDGE_PROMPT)
		s->source = SOURCE_CLIP;
	else if (s->source == SOURCE_PARTNER)
		say_source(s, SOURCE_COMFORT, now);
}

void
stream_part(struct stream *s, struct hf_time now)
{
	struct stream *caller = s->role == ROLE_HELPER ? s->partner : s;

	if (s->partner == NULL) {
		quiet_line(s, now);
		return;
	}
	quiet_line(caller, now);
	leave_partner(caller, now);
	stream_commit(caller, now);
}

/* A helper has joined: what if he says nothing? */
static void
bridge_after_join(struct stream *caller, struct hf_time now)
{
	caller->bridge_due =
	    hf_time_after(now, guard_conf(caller->partner)->fresh);
	tick_at(caller, caller->bridge_due);
}

void
stream_join(const struct msg_join_streams *m, struct hf_time now)
{
	struct stream *c = stream_at(m->caller), *h = stream_at(m->helper);

	if (c == NULL || h == NULL || c == h)
		return;
	if (c->partner == h && c->role == ROLE_CALLER && h->row == m->row &&
	    h->judge == m->judge && c->source == SOURCE_PARTNER)
		return; /* the same order again */
	leave_partner(c, now);
	leave_partner(h, now);
	c->partner = h;
	h->partner = c;
	c->role = ROLE_CALLER;
	h->role = ROLE_HELPER;
	h->row = m->row;
	h->judge = m->judge;
	c->hole.us = 0;
	say_source(c, SOURCE_PARTNER, now);
	say_bridge(c, BRIDGE_NONE, now);
	say_source(h, SOURCE_PARTNER, now);
	say_bridge(h, BRIDGE_NONE, now);
	bridge_after_join(c, now);
	guard_begin(h, now);
	stream_commit(c, now);
	stream_commit(h, now);
}

void
stream_play(const struct msg_play_prompt *m, struct hf_time now)
{
	struct stream *s = stream_at(m->stream);
	struct play p = {
		.id = m->id,
		.message = m->message,
		.after = m->after,
	};

	if (s == NULL)
		return;
	_Static_assert(sizeof(m->list.p) <= PLAY_MAX, "a list fits");
	memcpy(p.list, m->list.p, m->list.n);
	p.n = (uint8_t)m->list.n;
	if (p.message == 0 && p.n > 0 && p.list[0] >= PROMPT_MUSIC) {
		if (s->music != p.list[0])
			s->music_sample = 0;
		s->music = p.list[0];
		p.sample = s->music_sample;
	}
	say_play(s, &p, now);
	stream_commit(s, now);
}

/* ---- an earlier life ----------------------------------------------------- */

enum {
	FRAMES_PER_S = 100, /* at most: what may have been sent unrecorded */
	RECORD_MAX_S = 60,
};

static void
restore(uint32_t i, const void *record, void *arg)
{
	const struct stream_record *r = record;
	const struct hf_time *now = arg;
	struct stream *s = &room.stream[i];
	struct msg_open_stream m = {
		.stream = r->ref,
		.call = r->call,
		.media = r->media,
	};
	int64_t s_ago = hf_time_since(r->at, *now).us / 1000000 + 1;

	if (s->fd < 0 || r->ref.n != room.first + i || s_ago < 0)
		return;
	begin(s, &m, r->locked ? &r->far : NULL, *now);
	if (s_ago > RECORD_MAX_S)
		s_ago = RECORD_MAX_S;
	/* Ahead of all that may have been sent since the record was made. */
	s->voice.ssrc = r->ssrc;
	s->voice.seq = (uint16_t)(r->seq + s_ago * FRAMES_PER_S);
	s->voice.ts = r->ts + (uint32_t)(s_ago * G711_RATE);
	s->role = r->role;
	s->judge = r->judge;
	s->row = r->row;
	/* What we say ourselves is begun anew, or its clock would not run. */
	s->source = r->source == SOURCE_PARTNER ? SOURCE_PARTNER : SOURCE_NONE;
}

static void
rejoin(uint32_t i, const void *record, void *arg)
{
	const struct stream_record *r = record;
	const struct hf_time *now = arg;
	struct stream *s = &room.stream[i];
	struct stream *other = stream_at(r->partner);

	if (!s->open || r->role != ROLE_HELPER || other == NULL) {
		if (s->open && r->source != SOURCE_PARTNER &&
		    r->source != SOURCE_NONE)
			say_source(s, SOURCE_COMFORT, *now);
		return;
	}
	s->partner = other;
	other->partner = s;
	guard_begin(s, *now);
	bridge_after_join(other, *now);
}

void
stream_restore(struct hf_time now)
{
	uint32_t n;

	if (!room.slotted)
		return;
	n = slots_each(&room.slots, restore, &now);
	(void)slots_each(&room.slots, rejoin, &now);
	if (n > 0)
		hf_log(LOG_NOTICE, "streams_recovered", "streams=%u", n);
}
