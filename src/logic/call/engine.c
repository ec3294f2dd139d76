/* logic/call/engine - tables, and to whom a fact or a deadline goes; see
 * engine.h */

#include "logic/call/inner.h"

enum { ALIGN = 64, ALIVE_MS = 1000, BYE_AGAIN_MS = 600, NO_SUCH_CALL = 481 };

static size_t
align(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static uint32_t
power_of_two(uint32_t at_least)
{
	uint32_t n = 16;

	while (n < at_least)
		n *= 2;
	return n;
}

/* A caller and two helpers while a setup is hedged; the map wants room. */
static uint32_t
map_cells(const struct conf *c)
{
	return power_of_two(c->calls_max * (1 + CALL_HELPERS) * 2 + 2);
}

size_t
engine_size(const struct conf *c)
{
	size_t calls = c->calls_max, streams = conf_sos_first(c);

	return align(sizeof(struct engine)) +
	       align(calls * sizeof(struct call)) +
	       align(calls * sizeof(struct call_mind)) +
	       align(calls * sizeof(struct hf_pool_place)) +
	       2 * align(calls * sizeof(uint32_t)) +
	       align(map_cells(c) * sizeof(struct hf_map_cell)) +
	       align(streams * sizeof(struct hf_pool_place)) +
	       align(streams * sizeof(uint32_t));
}

static void
call_timer_fired(struct hf_timer *t, struct hf_time now)
{
	struct call_mind *m = HF_CONTAINER(t, struct call_mind, timer);
	struct engine *e = m->engine;
	struct call *c = &e->call[m - e->mind];
	struct hf_ref ref = c->ref;

	for (unsigned d = 0; d < DUE_NR; d++) {
		/* What came before may have ended the call. */
		if (!hf_ref_is(c->ref, ref))
			return;
		if (hf_time_before(now, c->due[d]))
			continue;
		c->due[d] = HF_TIME_NEVER;
		touch(e, c);
		machine_time(e, c, (enum due)d);
	}
}

/* The record of the house is committed, with the time. */
static void
still_alive(struct hf_timer *t, struct hf_time now)
{
	struct engine *e = HF_CONTAINER(t, struct engine, alive);

	(void)now;
	e->house_changed = true;
}

static void *
carve(char **at, size_t n)
{
	void *p = *at;

	*at += align(n);
	return p;
}

struct engine *
engine_init(
    void *memory, const struct conf *c, uint32_t boot, struct hf_time now)
{
	char *at = memory;
	struct engine *e = carve(&at, sizeof(*e));
	uint32_t cells = map_cells(c);

	hf_assert((uintptr_t)memory % _Alignof(max_align_t) == 0);
	e->conf = c;
	e->boot = boot;
	e->now = now;
	e->streams = conf_sos_first(c);
	e->call = carve(&at, c->calls_max * sizeof(*e->call));
	e->mind = carve(&at, c->calls_max * sizeof(*e->mind));
	hf_pool_init(&e->pool,
	    carve(&at, c->calls_max * sizeof(struct hf_pool_place)),
	    c->calls_max);
	e->dirty = carve(&at, c->calls_max * sizeof(*e->dirty));
	e->touched = carve(&at, c->calls_max * sizeof(*e->touched));
	hf_map_init(
	    &e->legs, carve(&at, cells * sizeof(struct hf_map_cell)), cells);
	e->stream_place = carve(&at, e->streams * sizeof(struct hf_pool_place));
	e->stream_call = carve(&at, e->streams * sizeof(*e->stream_call));
	hf_assert((size_t)(at - (char *)memory) == engine_size(c));

	hf_wheel_init(&e->wheel, now);
	for (uint32_t i = 0; i < c->calls_max; i++) {
		e->mind[i].engine = e;
		hf_timer_init(&e->mind[i].timer, call_timer_fired);
		hf_list_init(&e->mind[i].waiting);
	}
	for (uint32_t i = 0; i < e->streams; i++)
		e->stream_call[i] = HF_MAP_NONE;
	for (unsigned i = 0; i < CONF_QUEUES_MAX; i++)
		hf_list_init(&e->queue[i].waiting);
	hf_timer_init(&e->alive, still_alive);
	agents_init(e);
	helpers_init(e);
	return e;
}

void
engine_wall(struct engine *e, struct hf_time now, struct hf_wall wall)
{
	/* At the start nobody had looked at the calendar yet. */
	for (uint16_t i = 0; e->wall_ahead == 0 && i < e->conf->helpers; i++)
		e->helper[i].since = wall;
	e->wall_ahead = wall.us - now.us;
}

struct hf_wall
wall_now(const struct engine *e)
{
	return (struct hf_wall){ e->now.us + e->wall_ahead };
}

struct call_mind *
mind_of(const struct engine *e, const struct call *c)
{
	return &e->mind[c - e->call];
}

void
due_in(struct engine *e, struct call *c, enum due d, struct hf_span s)
{
	c->due[d] = hf_time_after(e->now, s);
	touch(e, c);
}

/* ---- out ----------------------------------------------------------------- */

static void
put(struct engine *e, enum room to, unsigned worker)
{
	hf_assert(e->out != NULL);
	e->out->put(e->out, to, worker, &e->m);
}

void
send_sip(struct engine *e)
{
	put(e, ROOM_SIP, 0);
}

void
send_media(struct engine *e, const struct call *c)
{
	put(e, ROOM_MEDIA, c->worker);
}

void
send_rec(struct engine *e)
{
	put(e, ROOM_REC, 0);
}

void
send_store(struct engine *e)
{
	put(e, ROOM_STORE, 0);
}

void
text_set(char *to, size_t cap, const char *from)
{
	size_t n = strnlen(from, cap - 1);

	memcpy(to, from, n);
	to[n] = '\0';
}

/* ---- a turn -------------------------------------------------------------- */

static void
begin(struct engine *e, struct hf_time now, struct orders *out)
{
	hf_assert(e->out == NULL);
	hf_assert(!hf_time_before(now, e->now));
	e->now = now;
	e->out = out;
}

/* Should we die now, this call may be the cause. */
static void
inside(struct engine *e, uint32_t place)
{
	if (e->out != NULL && e->out->inside != NULL)
		e->out->inside(e->out, place);
}

void
touch(struct engine *e, struct call *c)
{
	struct call_mind *m = mind_of(e, c);

	inside(e, (uint32_t)(c - e->call));
	if (m->touched)
		return;
	m->touched = true;
	e->touched[e->touches++] = (uint32_t)(c - e->call);
}

/* After each turn, for each call that took part: its invariants, its timer,
 * its slot. */
static void
settle(struct engine *e, uint32_t place)
{
	struct call *c = &e->call[place];
	struct call_mind *m = &e->mind[place];
	struct hf_time first = HF_TIME_NEVER;

	inside(e, place);
	m->touched = false;
	if (!m->dirty) {
		m->dirty = true;
		e->dirty[e->dirties++] = place;
	}
	if (hf_ref_none(c->ref))
		return;
	machine_check(e, c);
	for (unsigned d = 0; d < DUE_NR; d++)
		first = hf_time_min(first, c->due[d]);
	if (first.us == HF_TIME_NEVER.us)
		hf_timer_stop(&e->wheel, &m->timer);
	else
		hf_timer_start(&e->wheel, &m->timer, first);
}

static void
end(struct engine *e)
{
	while (e->touches > 0)
		settle(e, e->touched[--e->touches]);
	inside(e, HF_MAP_NONE);
	if (e->pool.used > 0 && !hf_timer_running(&e->alive))
		hf_timer_start(&e->wheel, &e->alive,
		    hf_time_after(e->now, hf_ms(ALIVE_MS)));
	e->out = NULL;
}

uint32_t
engine_changed(struct engine *e)
{
	uint32_t place;

	if (e->dirties == 0)
		return HF_MAP_NONE;
	place = e->dirty[--e->dirties];
	e->mind[place].dirty = false;
	return place;
}

void
call_free(struct engine *e, struct call *c)
{
	struct call_mind *m = mind_of(e, c);

	hf_timer_stop(&e->wheel, &m->timer);
	hf_assert(hf_list_empty(&m->waiting));
	m->restored = m->unsaid = false;
	touch(e, c);
	hf_pool_give(&e->pool, c->ref);
	c->ref = HF_REF_NONE;
}

void
engine_time(struct engine *e, struct hf_time now, struct orders *out)
{
	begin(e, now, out);
	hf_wheel_turn(&e->wheel, now);
	end(e);
}

struct hf_time
engine_next(const struct engine *e)
{
	return hf_wheel_next(&e->wheel);
}

/* ---- facts --------------------------------------------------------------- */

static struct leg *
leg_of(struct engine *e, uint64_t id, struct call **out)
{
	uint32_t place = id == 0 ? HF_MAP_NONE : hf_map_get(&e->legs, id);
	struct call *c;

	if (place == HF_MAP_NONE) {
		e->counts.stale_facts++;
		return NULL;
	}
	*out = c = &e->call[place];
	touch(e, c);
	if (c->caller.id == id)
		return &c->caller;
	for (unsigned i = 0; i < CALL_HELPERS; i++) {
		if (c->helper[i].id == id)
			return &c->helper[i];
	}
	hf_never("a leg in the map that its call does not have");
}

static struct leg *
leg_of_stream(struct engine *e, struct hf_ref stream, struct call **out)
{
	uint32_t place = HF_MAP_NONE;
	struct call *c;

	/* "Nobody" would match every leg that is not there. */
	if (!hf_ref_none(stream) && stream.n < e->streams)
		place = e->stream_call[stream.n];
	if (place != HF_MAP_NONE) {
		*out = c = &e->call[place];
		touch(e, c);
		if (hf_ref_is(c->caller.stream, stream))
			return &c->caller;
		for (unsigned i = 0; i < CALL_HELPERS; i++) {
			if (hf_ref_is(c->helper[i].stream, stream))
				return &c->helper[i];
		}
	}
	e->counts.stale_facts++;
	return NULL;
}

static void
caller_left(struct engine *e, struct call *c, enum cause why, uint16_t code)
{
	/* Asked for, his phone knows of no call: his BYE has not reached us. */
	if (why == CAUSE_TIMEOUT && code == NO_SUCH_CALL)
		why = CAUSE_CALLER_LEFT;

	leg_ended(e, c, &c->caller);
	if (pass_left(e, c, &c->caller, CAUSE_DONE))
		return;
	leg_forget(e, c, &c->caller);
	gone(e, c,
	    why == CAUSE_TIMEOUT || why == CAUSE_OUR_FAULT ||
		    why == CAUSE_PREEMPTED
		? why
		: CAUSE_CALLER_LEFT);
}

static void
info(struct engine *e, struct call *c, struct leg *from,
    const struct msg_leg_info *m)
{
	struct leg *to = from == &c->caller ? helper_up(c) : &c->caller;
	struct msg_pass_info *o;

	if (to == NULL && c->voicemail != VOICEMAIL_NONE) {
		voicemail_info(e, c, m);
		return;
	}
	/* Nobody is there to use it, and it was answered 200 all the same.  RFC
	 * 2976 2.2 wants 415 for what is not understood, but who understands
	 * is for whom he talks with to say, and in a queue nobody is that yet:
	 * one key pressed twice would be refused once.  It means as much as
	 * the same key by RFC 4733: nothing, while music plays. */
	if (to == NULL || to->id == 0 || (to == &c->caller && !c->answered))
		return;
	o = ORDER(e, MSG_PASS_INFO, pass_info);
	o->leg = to->id;
	TEXT(o->type, m->type);
	hf_assert(m->body.n <= sizeof(o->body.p));
	o->body.n = m->body.n;
	memcpy(o->body.p, m->body.p, m->body.n);
	send_sip(e);
}

static void
confirmed(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_confirmed *m)
{
	if (l != &c->caller || m->media.codec == CODEC_NONE)
		return;
	l->media = m->media;
	leg_open(e, c, l);
	call_rejoin(e, c);
}

/* hf-sip is there (again), or we are: it brings back what it can of its
 * dialogs, and says of each leg that we want and it has not that it is over. */
static void
sip_started(struct engine *e, bool fresh)
{
	e->sip_gone = false;
	if (fresh)
		e->sip_back = e->now;
	agents_unsure(e);
	for (uint32_t i = 0; e->pool.used > 0 && i < e->pool.cap; i++) {
		struct call_mind *m = &e->mind[i];

		if (hf_ref_none(e->call[i].ref))
			continue;
		call_reorder(e, &e->call[i], fresh || m->unsaid);
		m->unsaid = false;
	}
}

/* A dialog that lives, of a call that does not: it crossed our BYE, or we were
 * restarted.  Nobody else will end it. */
static void
stray_leg(struct engine *e, const struct msg *m)
{
	uint64_t leg = m->leg_left.leg;
	struct msg_drop_leg *o;

	if (m->type == MSG_LEG_REFUSED)
		return;
	if (m->type == MSG_LEG_LEFT) {
		(void)call_left_early(
		    e, leg, m->leg_left.cause, m->leg_left.code);
		return;
	}
	if (m->type == MSG_LEG_TURNED_AWAY) {
		call_turned_away(e, &m->leg_turned_away);
		return;
	}
	o = ORDER(e, MSG_DROP_LEG, drop_leg);
	o->leg = leg;
	send_sip(e);
}

static void
fact_sip(struct engine *e, const struct msg *m)
{
	struct call *c;
	struct leg *l;

	switch ((int)m->type) {
	case MSG_LEG_ARRIVED:
		call_arrived(e, &m->leg_arrived);
		return;
	case MSG_HELPER_PROBED:
		helper_probed(e, &m->helper_probed);
		return;
	case MSG_AGENT_CAME:
		agent_came(e, m->agent_came.agent, m->agent_came.anew);
		return;
	case MSG_AGENT_WENT:
		agent_went(e, m->agent_went.agent);
		return;
	case MSG_SIP_STARTED:
		sip_started(e, m->sip_started.fresh);
		return;
	case MSG_EMERGENCY_ENDED:
		tell_emergency(e, &m->emergency_ended);
		return;
	}
	/* Every other one begins with its leg. */
	l = leg_of(e, m->leg_left.leg, &c);
	if (l == NULL) {
		stray_leg(e, m);
		return;
	}
	switch ((int)m->type) {
	case MSG_LEG_TRIED:
		if (l != &c->caller && l->state == LEG_ASKED) {
			l->state = LEG_TRIED;
			helper_tried(e, l);
		}
		break;
	case MSG_LEG_UNTRIED:
		if (l != &c->caller && l->state == LEG_ASKED) {
			l->untried = true;
			hedge(e, c);
		}
		break;
	case MSG_LEG_RANG:
		if (l != &c->caller)
			helper_rang(e, c, l, &m->leg_rang);
		break;
	case MSG_LEG_ANSWERED:
		if (l != &c->caller)
			helper_answered(e, c, l, &m->leg_answered);
		break;
	case MSG_LEG_CONFIRMED:
		confirmed(e, c, l, &m->leg_confirmed);
		break;
	case MSG_LEG_REFUSED:
		if (l != &c->caller)
			helper_refused(e, c, l, &m->leg_refused);
		break;
	case MSG_LEG_LEFT:
		if (l == &c->caller)
			caller_left(e, c, m->leg_left.cause, m->leg_left.code);
		else
			helper_left(e, c, l, &m->leg_left);
		break;
	case MSG_LEG_TURNED_AWAY:
		/* It was away when he left, and cannot know whom we know. */
		if (l == &c->caller)
			caller_left(e, c, m->leg_turned_away.cause, 0);
		break;
	case MSG_LEG_REOFFERED:
		if (l == &c->caller)
			caller_reoffered(e, c, &m->leg_reoffered.media);
		else
			helper_reoffered(e, c, l, &m->leg_reoffered.media);
		break;
	case MSG_LEG_REFERRED:
		leg_referred(e, c, l, m->leg_referred.target);
		break;
	case MSG_LEG_INFO:
		info(e, c, l, &m->leg_info);
		break;
	}
}

static void
prompt_ended(struct engine *e, struct call *c, struct leg *l, uint32_t id)
{
	if (l != &c->caller || id != c->playing.id || id == 0)
		return;
	/* The music behind it goes on, also in hf-media's next life. */
	if (c->playing.after == AFTER_MUSIC)
		c->playing.list.n = 0;
	else
		c->playing.id = 0;
	machine_prompt_ended(e, c);
}

void
engine_media_gone(struct engine *e, unsigned worker, struct hf_time now)
{
	if (worker < ENGINE_WORKERS_MAX && e->worker[worker].there)
		e->worker[worker].gone = now;
}

void
engine_rec_met(struct engine *e, struct hf_time now, struct orders *out)
{
	begin(e, now, out);
	for (uint32_t i = 0; e->pool.used > 0 && i < e->pool.cap; i++)
		if (!hf_ref_none(e->call[i].ref))
			voicemail_begin_again(e, &e->call[i]);
	end(e);
}

void
engine_sip_gone(struct engine *e)
{
	e->sip_gone = true;
}

bool
bye_may_come_again(const struct engine *e)
{
	return e->sip_gone ||
	       (e->sip_back.us != 0 && hf_time_since(e->sip_back, e->now).us <
					   hf_ms(BYE_AGAIN_MS).us);
}

/* hf-media is there (again): it hears what every call of its needs. */
static void
media_started(struct engine *e, const struct msg_media_started *m)
{
	struct hf_span gap = { 0 };
	struct worker *w;
	uint32_t count = m->count;

	if (m->worker >= ENGINE_WORKERS_MAX || count == 0 ||
	    m->first >= e->streams) {
		e->counts.stale_facts++;
		return;
	}
	if (count > e->streams - m->first)
		count = e->streams - m->first;
	w = &e->worker[m->worker];
	if (w->gone.us != 0)
		gap = hf_time_since(w->gone, e->now);
	w->gone.us = 0;
	if (!w->there || w->first != m->first || w->count != count) {
		*w = (struct worker){ true, m->first, count, { 0 } };
		hf_pool_init(&w->streams, &e->stream_place[m->first], count);
		/* A port rests the longest: packets to its last tenant. */
		w->streams.rest = count;
		streams_restore(e, m->worker);
	}
	for (uint32_t i = 0; i < e->pool.cap; i++) {
		struct call *c = &e->call[i];

		if (hf_ref_none(c->ref) || c->worker != m->worker)
			continue;
		touch(e, c);
		if (gap.us > 0)
			tell_media_gap(e, c, gap);
		call_reopen(e, c);
		call_rejoin(e, c);
	}
	call_early_admit(e);
	/* Without streams nobody could be rung. */
	for (uint16_t i = 0; i < e->conf->queues; i++)
		queue_match(e, i);
}

static void
fact_media(struct engine *e, const struct msg *m)
{
	struct call *c;
	struct leg *l;
	bool helpers;

	if (m->type == MSG_MEDIA_STARTED) {
		media_started(e, &m->media_started);
		return;
	}
	/* What a stream saw is news even when its call is over. */
	if (m->type == MSG_STREAM_CLOSED)
		return;
	l = leg_of_stream(e, m->stream_well.stream, &c);
	if (l == NULL)
		return;
	helpers = l != &c->caller;
	switch ((int)m->type) {
	case MSG_STREAM_SPOKE:
		if (helpers)
			helper_spoke(e, c, l);
		break;
	case MSG_STREAM_SUSPECT:
		if (helpers)
			stream_suspect(e, c, l, &m->stream_suspect);
		break;
	case MSG_STREAM_VOICED:
		if (helpers)
			stream_voiced(e, c, l, &m->stream_voiced);
		break;
	case MSG_STREAM_WELL:
		if (helpers)
			stream_well(e, c, l, &m->stream_well);
		break;
	case MSG_STREAM_REFUSED:
		/* A caller may be about to move to another port: his phone is
		 * asked.  So is who was dialled: there is no rescue. */
		if (!helpers || c->kind != CALL_LADDER)
			leg_silent(e, c, l, "its media port is closed");
		else if (l->joined)
			helper_closed(e, c, l);
		break;
	case MSG_STREAM_STRANGERS:
		stream_strangers(e, c, l, &m->stream_strangers);
		break;
	case MSG_STREAM_SILENT:
		leg_silent(e, c, l, "neither sound nor RTCP");
		break;
	case MSG_STREAM_MUTE:
		if (helpers)
			stream_mute(e, c, l, &m->stream_mute);
		break;
	case MSG_STREAM_SPEAKS:
		if (helpers)
			tell_evidence(e, c, "helper_speaks", "again");
		break;
	case MSG_STREAM_LOOPED:
		if (helpers && l->joined)
			helper_lost(e, c, l, CAUSE_LOOP,
			    "it says the same again and again");
		break;
	case MSG_STREAM_GARBLED:
		if (helpers && l->joined)
			helper_lost(e, c, l, CAUSE_GARBAGE,
			    "its sound is clipped or constant");
		break;
	case MSG_STREAM_SUPPRESSED:
		if (helpers) {
			l->voter.suppressed = true;
			leg_vote(e, c, l);
			tell_evidence(e, c, "silence_suppressed",
			    "judged by OPTIONS from now on");
		}
		break;
	case MSG_STREAM_ONE_WAY:
		if (helpers && l->joined)
			helper_lost(e, c, l, CAUSE_ONE_WAY,
			    "RTCP says that it hears nothing");
		break;
	case MSG_STREAM_DTMF:
		if (!helpers)
			voicemail_digit(e, c, m->stream_dtmf.digit);
		break;
	case MSG_PROMPT_ENDED:
		prompt_ended(e, c, l, m->prompt_ended.id);
		break;
	case MSG_RECORDING_ENDED:
		if (!helpers)
			voicemail_recorded(e, c, &m->recording_ended);
		break;
	}
}

static void
fact_rec(struct engine *e, const struct msg *m)
{
	switch ((int)m->type) {
	case MSG_MESSAGE_SAVED:
		voicemail_saved(e, &m->message_saved);
		break;
	case MSG_MESSAGE_LOST:
		voicemail_lost(e, &m->message_lost);
		break;
	case MSG_MESSAGE_LOADED:
		voicemail_loaded(e, &m->message_loaded);
		break;
	case MSG_MAILBOX:
		if (m->mailbox.box < CONF_BOXES_MAX)
			e->mailbox[m->mailbox.box] = m->mailbox.messages;
		break;
	}
}

void
engine_fact(struct engine *e, const struct msg *m, struct hf_time now,
    struct orders *out)
{
	begin(e, now, out);
	if (msg_may(m->type, ROOM_SIP, ROOM_CALL))
		fact_sip(e, m);
	else if (msg_may(m->type, ROOM_MEDIA, ROOM_CALL))
		fact_media(e, m);
	else if (msg_may(m->type, ROOM_REC, ROOM_CALL))
		fact_rec(e, m);
	else
		e->counts.stale_facts++;
	end(e);
}

/* ---- a restart, a reload ------------------------------------------------- */

bool
engine_restore(struct engine *e, const struct call *from)
{
	uint32_t place = from->ref.n;
	struct call *c;

	if (place >= e->pool.cap || hf_ref_none(from->ref) ||
	    !hf_ref_none(e->call[place].ref) ||
	    from->state == CALL_STATE_ARRIVED ||
	    from->state == CALL_STATE_RESCUE || from->state >= CALL_STATE_GONE)
		return false;
	c = &e->call[place];
	*c = *from;
	hf_pool_restore(&e->pool, c->ref);
	if (c->caller.id != 0 && !hf_map_put(&e->legs, c->caller.id, place))
		hf_never("the map of legs is too small");
	for (unsigned i = 0; i < CALL_HELPERS; i++) {
		if (c->helper[i].id != 0 &&
		    !hf_map_put(&e->legs, c->helper[i].id, place))
			hf_never("the map of legs is too small");
	}
	mind_of(e, c)->restored = mind_of(e, c)->unsaid = true;
	call_restored(e, c);
	touch(e, c);
	settle(e, e->touched[--e->touches]);
	return true;
}

void
engine_condemned(struct engine *e, const struct call *from, struct hf_time now,
    struct orders *out)
{
	struct call *c;

	if (from->ref.n >= e->pool.cap || hf_ref_none(from->ref) ||
	    !hf_ref_none(e->call[from->ref.n].ref))
		return;
	begin(e, now, out);
	c = &e->call[from->ref.n];
	*c = *from; /* for as long as it is told of, and not touched */
	tell_evidence(e, c, "released", "hf-call died of it twice");
	tell_ended(e, c, CAUSE_OUR_FAULT);
	*c = (struct call){ .ref = HF_REF_NONE };
	end(e);
}

bool
engine_house_changed(struct engine *e, struct house *h)
{
	if (!e->house_changed)
		return false;
	e->house_changed = false;
	memset(h, 0, sizeof(*h)); /* what lies between fields, too */
	h->alive = e->now;
	agents_keep(e, h);
	helpers_keep(e, h);
	return true;
}

void
engine_house_restore(struct engine *e, const struct house *h)
{
	e->slept_from = h->alive;
	e->slept_until = e->now;
	agents_kept(e, h);
	helpers_kept(e, h);
}

void
engine_reconf(struct engine *e, const struct conf *c, struct hf_time now,
    struct orders *out)
{
	const struct conf *old = e->conf;

	begin(e, now, out);
	agents_leave(e, old, c);
	e->conf = c;
	agents_enter(e, old);
	helpers_reconf(e);
	end(e);
}

/* ---- for operators and readers ------------------------------------------- */

void
engine_operator(struct engine *e, const char *who)
{
	TEXT(e->operator_name, who);
}

bool
engine_agent_set(struct engine *e, uint16_t agent, enum agent_state s,
    const char *why, struct hf_time now, struct orders *out, const char **error)
{
	bool ok;

	if (agent >= e->conf->agents || !e->conf->agent[agent].used) {
		*error = "no such agent";
		return false;
	}
	if (s != AGENT_STATE_AVAILABLE && s != AGENT_STATE_NOT_READY) {
		*error = "an agent can be made available or not_ready";
		return false;
	}
	begin(e, now, out);
	ok = agent_wish(e, agent, s, why);
	tell_operator(
	    e, "agent %s %s", e->conf->agent[agent].name, agent_state_name(s));
	end(e);
	if (!ok)
		*error = "the agent's phone is not registered";
	return ok;
}

bool
engine_helper_force(struct engine *e, uint16_t helper, enum breaker_force f,
    struct hf_time now, struct orders *out, const char **error)
{
	static const char *const word[] = {
		[BREAKER_AUTO] = "auto",
		[BREAKER_FORCED_OPEN] = "open",
		[BREAKER_FORCED_CLOSED] = "close",
	};

	if (helper >= e->conf->helpers || !e->conf->helper[helper].used) {
		*error = "no such helper";
		return false;
	}
	begin(e, now, out);
	breaker_force(&e->helper[helper].breaker, f, now);
	helper_note(e, helper, "by an operator");
	tell_operator(e, "helper %s %s", e->conf->helper[helper].name, word[f]);
	end(e);
	return true;
}

bool
engine_call_drop(struct engine *e, struct hf_ref call, struct hf_time now,
    struct orders *out, const char **error)
{
	struct call *c;

	if (!hf_pool_has(&e->pool, call)) {
		*error = "no such call";
		return false;
	}
	c = &e->call[call.n];
	begin(e, now, out);
	touch(e, c);
	tell_operator(e, "drop %s", c->id);
	gone(e, c, CAUSE_OPERATOR);
	end(e);
	return true;
}

void
engine_drain(struct engine *e, bool on)
{
	e->draining = on;
}

static uint32_t
let_go(struct engine *e, uint32_t most, bool in_line)
{
	uint32_t n = 0;

	for (uint32_t i = 0; n < most && i < e->pool.cap; i++) {
		struct call *c = &e->call[i];

		if (hf_ref_none(c->ref) ||
		    (in_line && c->state != CALL_STATE_WAITING))
			continue;
		touch(e, c);
		tell_evidence(e, c, "let_go", "the house closes");
		gone(e, c, CAUSE_DRAIN);
		n++;
	}
	return n;
}

void
engine_let_go(
    struct engine *e, uint32_t calls, struct hf_time now, struct orders *out)
{
	begin(e, now, out);
	/* Who waits goes first: no agent who is free now is rung for him. */
	calls -= let_go(e, calls, true);
	(void)let_go(e, calls, false);
	end(e);
}

bool
engine_draining(const struct engine *e)
{
	return e->draining;
}

uint32_t
engine_calls(const struct engine *e)
{
	return e->pool.used;
}

const struct call *
engine_call(const struct engine *e, uint32_t place)
{
	if (place >= e->pool.cap || hf_ref_none(e->call[place].ref))
		return NULL;
	return &e->call[place];
}

uint32_t
engine_waiting(const struct engine *e, uint16_t queue, uint32_t after)
{
	const struct hf_list *head = &e->queue[queue].waiting;
	const struct hf_list *at =
	    after == HF_MAP_NONE ? head : &e->mind[after].waiting;

	at = at->next;
	if (at == head)
		return HF_MAP_NONE;
	return (
	    uint32_t)(HF_CONTAINER(at, struct call_mind, waiting) - e->mind);
}
