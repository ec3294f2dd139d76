/* daemon/sip/emergency_calls - the records of emergency calls, their streams,
 * and what hf-call hears of them: see emergency.h */

#include <stdio.h>
#include <string.h>

#include "daemon/sip/emergency.h"
#include "proc/slots.h"
#include "wire/row.h"

enum {
	PAIR = 2, /* streams of a call */
};

const struct slots_form emergency_form = {
	.name = "emergency.slots",
	.kind = 0x45534f53, /* "SOSE" */
	.version = 1,
	.record_size = sizeof(struct emergency),
};

static struct {
	struct emergency call[EMERGENCY_PLACES];
	struct hf_timer timer[EMERGENCY_PLACES];
	bool changed[EMERGENCY_PLACES], committed[EMERGENCY_PLACES];
	struct slots slots;
	bool there;
	uint8_t next_pair; /* a port rests the longest */
	uint32_t gens;
	/* What each hf-media has, as it said itself. */
	struct {
		uint32_t first, count;
	} worker[PROC_MEDIA_MAX];
	bool draining;
	uint32_t told;  /* to the keeper */
	bool restoring; /* our legs are being found again */
} all;

static uint32_t
place_of(const struct emergency *c)
{
	return (uint32_t)(c - all.call);
}

struct emergency *
emergency_at(uint32_t place)
{
	return place < EMERGENCY_PLACES ? &all.call[place] : NULL;
}

struct hf_timer *
emergency_timer(const struct emergency *c)
{
	return &all.timer[place_of(c)];
}

void
emergency_touch(const struct emergency *c)
{
	all.changed[place_of(c)] = true;
}

static bool
is_live(const struct emergency *c)
{
	return c->state == EMERGENCY_TRYING || c->state == EMERGENCY_UP;
}

struct emergency *
emergency_by_leg(uint64_t leg)
{
	for (uint32_t i = 0; leg != 0 && i < EMERGENCY_PLACES; i++) {
		struct emergency *c = &all.call[i];

		if (c->state != EMERGENCY_FREE &&
		    (c->caller == leg || c->line == leg))
			return c;
	}
	return NULL;
}

uint32_t
emergency_calls(void)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++)
		n += is_live(&all.call[i]);
	return n;
}

bool
emergency_has(uint16_t agent)
{
	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++)
		if (is_live(&all.call[i]) && all.call[i].agent == agent)
			return true;
	return false;
}

/* ---- a place ------------------------------------------------------------- */

static uint32_t
pairs(void)
{
	return (conf_streams(room.conf) - conf_sos_first(room.conf)) / PAIR;
}

static bool
pair_take(uint8_t *out)
{
	uint32_t n = pairs();

	for (uint32_t k = 0; k < n; k++) {
		uint8_t pair = (uint8_t)((all.next_pair + k) % n);
		bool taken = false;

		for (uint32_t i = 0; i < EMERGENCY_PLACES; i++)
			taken |=
			    is_live(&all.call[i]) && all.call[i].pair == pair;
		if (taken)
			continue;
		all.next_pair = (uint8_t)((pair + 1) % n);
		*out = pair;
		return true;
	}
	return false;
}

/* A record that hf-call has been too long away to take makes room. */
static struct emergency *
place_take(void)
{
	struct emergency *oldest = NULL;

	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++) {
		struct emergency *c = &all.call[i];

		if (c->state == EMERGENCY_FREE)
			return c;
		if (c->state == EMERGENCY_OVER &&
		    (oldest == NULL || c->ended.us < oldest->ended.us))
			oldest = c;
	}
	if (oldest != NULL)
		hf_log(LOG_ERROR, "emergency_unrecorded", "records=%d",
		    EMERGENCY_PLACES);
	return oldest;
}

/* Odd, and another one than any stream of the last hours had: its orders may
 * still be on their way. */
static struct hf_ref
tenant(uint32_t stream)
{
	return (
	    struct hf_ref){ stream, ((room.boot << 8) + ++all.gens) * 2 + 1 };
}

static struct hf_ref
stream_ref(uint8_t pair, int side)
{
	return tenant(
	    conf_sos_first(room.conf) + (uint32_t)pair * PAIR + (uint32_t)side);
}

struct emergency *
emergency_take(uint64_t caller)
{
	struct emergency *c;
	uint8_t pair;

	if (!pair_take(&pair) || (c = place_take()) == NULL)
		return NULL;
	*c = (struct emergency){
		.caller = caller,
		.state = EMERGENCY_TRYING,
		.young = true,
		.pair = pair,
		.again = HF_TIME_NEVER,
		.came = proc_wall(),
	};
	for (int side = 0; side < PAIR; side++)
		c->stream[side] = stream_ref(pair, side);
	hf_timer_init(emergency_timer(c), emergency_again);
	emergency_touch(c);
	return c;
}

void
emergency_give(struct emergency *c)
{
	hf_timer_stop(proc_wheel(), emergency_timer(c));
	c->state = EMERGENCY_FREE;
	emergency_touch(c);
}

bool
emergency_never_was(const struct emergency *c)
{
	return all.restoring && c->young;
}

void
emergency_legs_are_there(void)
{
	all.restoring = false;
}

void
emergency_name(const struct emergency *c, char *to, size_t cap)
{
	(void)snprintf(to, cap, "%.16s-e-%llx", room.conf->site,
	    (unsigned long long)(c->caller & ~EMERGENCY_LEG));
}

/* ---- sound --------------------------------------------------------------- */

uint16_t
emergency_port(const struct emergency *c, int side)
{
	return (uint16_t)(room.conf->rtp.port_first + 2 * c->stream[side].n);
}

/* Of an hf-media that is away nothing is known, and it is not told either: it
 * hears of its streams when it is there. */
static bool
worker_of(struct hf_ref stream, enum peer *out)
{
	for (unsigned w = 0; w < PROC_MEDIA_MAX; w++)
		if (stream.n - all.worker[w].first < all.worker[w].count) {
			*out = (enum peer)(PEER_MEDIA + w);
			return proc_there(*out);
		}
	return false;
}

void
emergency_say_media(struct emergency *c, int side)
{
	struct msg m;
	enum peer to;

	if (c->media[side].codec == CODEC_NONE ||
	    !worker_of(c->stream[side], &to))
		return;
	FACT(m, MSG_OPEN_STREAM, open_stream);
	m.open_stream.stream = c->stream[side];
	m.open_stream.call = c->stream[SIDE_CALLER];
	m.open_stream.media = c->media[side];
	proc_send(to, &m);
	if (c->media[!side].codec == CODEC_NONE)
		return;
	FACT(m, MSG_JOIN_STREAMS, join_streams);
	m.join_streams.caller = c->stream[SIDE_CALLER];
	m.join_streams.helper = c->stream[SIDE_LINE];
	m.join_streams.row = CONF_NONE;
	m.join_streams.judge = JUDGE_NOBODY;
	proc_send(to, &m);
}

void
emergency_close_media(struct emergency *c, int side)
{
	struct msg m;
	enum peer to;

	if (c->media[side].codec == CODEC_NONE)
		return;
	c->media[side] = (struct media){ .codec = CODEC_NONE };
	emergency_touch(c);
	FACT(m, MSG_CLOSE_STREAM, close_stream);
	m.close_stream.stream = c->stream[side];
	if (worker_of(c->stream[side], &to))
		proc_send(to, &m);
	/* Who is tried next is another tenant of the port. */
	c->stream[side] = stream_ref(c->pair, side);
}

/* Whose stream it is now; what it may be from a call that is over, because the
 * order to close it was lost with one of us, is ended. */
static void
say_stream(uint32_t n, enum peer to)
{
	struct hf_ref nobody = tenant(n);
	struct msg m;

	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++)
		for (int side = 0; side < PAIR; side++)
			if (is_live(&all.call[i]) &&
			    all.call[i].stream[side].n == n &&
			    all.call[i].media[side].codec != CODEC_NONE) {
				emergency_say_media(&all.call[i], side);
				return;
			}
	FACT(m, MSG_OPEN_STREAM, open_stream);
	m.open_stream.stream = nobody;
	proc_send(to, &m);
	FACT(m, MSG_CLOSE_STREAM, close_stream);
	m.close_stream.stream = nobody;
	proc_send(to, &m);
}

static void
media_started(const struct msg_media_started *m)
{
	if (m->worker >= PROC_MEDIA_MAX)
		return;
	all.worker[m->worker].first = m->first;
	all.worker[m->worker].count = m->count;
	for (uint32_t n = conf_sos_first(room.conf);
	     n < conf_streams(room.conf); n++)
		if (n - m->first < m->count)
			say_stream(n, (enum peer)(PEER_MEDIA + m->worker));
}

/* Nothing comes from that side any more: is it still there?  Only its dialog's
 * own word ends the call. */
static void
ask_side(struct hf_ref stream)
{
	struct msg m;

	FACT(m, MSG_PROBE_LEG, probe_leg);
	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++) {
		const struct emergency *c = &all.call[i];

		if (c->state != EMERGENCY_UP)
			continue;
		m.probe_leg.leg =
		    hf_ref_is(stream, c->stream[SIDE_CALLER]) ? c->caller
		    : hf_ref_is(stream, c->stream[SIDE_LINE]) ? c->line
							      : 0;
		if (m.probe_leg.leg != 0)
			leg_order(&m);
	}
}

void
emergency_media(const struct msg *m)
{
	if (m->type == MSG_MEDIA_STARTED)
		media_started(&m->media_started);
	else if (m->type == MSG_STREAM_SILENT)
		ask_side(m->stream_silent.stream);
}

/* ---- hf-call, the keeper ------------------------------------------------- */

/* Again and again until it has noted it: a fact on its way to one who dies is
 * lost, and this one may not be. */
void
emergency_tell_ended(const struct emergency *c)
{
	struct msg m;
	struct msg_emergency_ended *f = &m.emergency_ended;

	FACT(m, MSG_EMERGENCY_ENDED, emergency_ended);
	f->leg = c->caller;
	emergency_name(c, f->id, sizeof(f->id));
	f->came = c->came;
	f->answered = c->answered;
	f->ended = c->ended;
	f->trunk = c->trunk;
	f->line = c->last;
	f->code = c->answered.us != 0 ? 200 : c->last_code;
	f->cause = (enum cause)c->cause;
	f->lines = c->lines;
	memcpy(f->number, c->number, sizeof(f->number));
	memcpy(f->from, c->from, sizeof(f->from));
	memcpy(f->over, c->over, sizeof(f->over));
	memcpy(f->tried, c->tried, sizeof(f->tried));
	proc_send(PEER_CALL, &m);
}

void
emergency_met(void)
{
	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++)
		if (all.call[i].state == EMERGENCY_OVER)
			emergency_tell_ended(&all.call[i]);
}

void
emergency_noted(uint64_t leg)
{
	struct emergency *c = emergency_by_leg(leg);

	if (c != NULL && c->state == EMERGENCY_OVER)
		emergency_give(c);
}

void
emergency_drain(bool on)
{
	all.draining = on;
	all.told = UINT32_MAX;
}

/* The keeper waits for these calls, too. */
static void
tell_keeper(void)
{
	struct msg m;

	FACT(m, MSG_DRAINED, drained);
	m.drained.calls = emergency_calls();
	if (!all.draining || m.drained.calls == all.told)
		return;
	all.told = m.drained.calls;
	proc_send(PEER_KEEPER, &m);
}

/* ---- what outlives us ---------------------------------------------------- */

static void
read_one(uint32_t i, const void *record, void *arg)
{
	const struct emergency *c = record;

	(void)arg;
	all.call[i] = *c;
	hf_timer_init(&all.timer[i], emergency_again);
}

void
emergency_open(void)
{
	all.restoring = true;
	all.there = kept_table(&all.slots, &emergency_form, EMERGENCY_PLACES);
	if (all.there)
		(void)slots_each(&all.slots, read_one, NULL);
}

void
emergency_commit(void)
{
	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++) {
		struct emergency *c = &all.call[i];

		/* The bytes of its first turn left when all of that turn was
		 * committed: somebody knows of it now. */
		if (c->young && all.committed[i]) {
			c->young = false;
			all.changed[i] = true;
		}
		if (!all.changed[i])
			continue;
		all.changed[i] = false;
		all.committed[i] = c->state != EMERGENCY_FREE;
		if (!all.there)
			continue;
		if (c->state == EMERGENCY_FREE)
			slots_release(&all.slots, i);
		else
			slots_commit(&all.slots, i, c);
	}
	tell_keeper();
}

/* ---- hfctl emergency ----------------------------------------------------- */

bool
emergency_next(const struct msg_ask *q, uint64_t *at, struct hf_buf *row)
{
	static const char *const states[] = {
		[EMERGENCY_FREE] = "",
		[EMERGENCY_TRYING] = "trying",
		[EMERGENCY_UP] = "up",
		[EMERGENCY_OVER] = "over",
	};
	char id[48];

	(void)q;
	while (*at < EMERGENCY_PLACES) {
		const struct emergency *c = &all.call[(*at)++];

		if (c->state == EMERGENCY_FREE)
			continue;
		emergency_name(c, id, sizeof(id));
		row_text(row, "id", id);
		row_text(row, "state", states[c->state]);
		row_wall(row, "came", c->came);
		row_text(row, "number", c->number);
		row_text(row, "from", c->from);
		row_text(row, "over", c->over);
		row_text(row, "tried", c->tried);
		return true;
	}
	return false;
}
