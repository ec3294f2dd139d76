/* daemon/call/main - see call.h */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "daemon/call/call.h"
#include "daemon/call/outbox.h"
#include "proc/log.h"
#include "proc/proc.h"
#include "proc/slots.h"

enum {
	/* At the end of the house so many are let go at a time, and hf-sip gets
	 * round to their goodbyes before the next: 10,000 within a second. */
	LET_GO_CALLS = 64,
	LET_GO_MS = 5,
	ENDS_MAX = 64,
	END_AGAIN_MS = 3000,
};

/* Before there was an outbox. */
static uint32_t
call_of_4(const void *from, uint32_t n, void *to)
{
	if (n != sizeof(struct call))
		return 0;
	memcpy(to, from, n);
	return (uint32_t)offsetof(struct call_record, told);
}

static const struct slots_past calls_past[] = {
	{ 4, sizeof(struct call), call_of_4 },
};

/* What outlives us; a version that changes brings a line for the one before. */
enum table { TABLE_CALLS, TABLE_HOUSE };
static const struct slots_form forms[] = {
	[TABLE_CALLS] = { .name = "call.slots",
	    .kind = 0x4c4c4143, /* "CALL" */
	    .version = 5,
	    .record_size = sizeof(struct call_record),
	    .past = calls_past,
	    .pasts = HF_LEN(calls_past) },
	[TABLE_HOUSE] = { .name = "house.slots",
	    .kind = 0x53554f48, /* "HOUS" */
	    .version = 4,
	    .record_size = sizeof(struct house) },
};

static const struct slots_form *const tables[] = { &forms[TABLE_CALLS],
	&forms[TABLE_HOUSE] };

static struct {
	struct engine *engine;
	struct hf_timer timer;
	struct slots slots;
	bool has_slots;
	uint32_t inside; /* the call in hand, or HF_MAP_NONE */
	uint32_t *over;  /* ended; their records go in the next turn */
	uint32_t overs;
	struct slots house; /* one record */
	bool has_house;
	struct house record;
	bool leaving;          /* when the last call is over */
	bool closing;          /* and nobody waits for that */
	struct hf_time let_go; /* the next of them */
	uint32_t told;         /* calls in the last DRAINED */
	struct end {
		struct msg_end_message said;
		struct hf_time at;
	} end[ENDS_MAX]; /* of messages, the last */
	unsigned ends;
} room;

/* ---- orders -------------------------------------------------------------- */

static enum peer
peer_of(enum room to, unsigned worker)
{
	switch (to) {
	case ROOM_SIP:
		return PEER_SIP;
	case ROOM_MEDIA:
		return (enum peer)(PEER_MEDIA + worker);
	case ROOM_REC:
		return PEER_REC;
	case ROOM_STORE:
		return PEER_STORE;
	case ROOM_KEEPER:
	case ROOM_CALL:
		break;
	}
	hf_never("the mind orders nothing of these");
}

/* What an operator reads at three in the morning: rescues and breakers. */
static void
log_news(const struct msg *m)
{
	if (m->type == MSG_CALL_RESCUED) {
		const struct msg_call_rescued *r = &m->call_rescued;
		bool person = r->to_kind == RUNG_NUMBER;

		hf_log(LOG_NOTICE, "call_rescued",
		    "call=%s from=%s:%s to=%s:%s why=%s after_ms=%lld", r->id,
		    rung_name(r->from_kind),
		    r->from_kind == RUNG_NUMBER ? "*" : r->from_name,
		    rung_name(r->to_kind), person ? "*" : r->to_name,
		    cause_name(r->why), (long long)r->after.us / 1000);
	} else if (m->type == MSG_BREAKER_MOVED) {
		const struct msg_breaker_moved *b = &m->breaker_moved;

		hf_log(LOG_NOTICE, "breaker_moved",
		    "helper=%s state=%s why=\"%s\"", b->name,
		    breaker_state_name(b->state), b->evidence);
	}
}

/* No picture makes up for the loss of these: who is to go is not there any
 * more when the neighbour is asked to begin anew. */
static bool
is_farewell(enum msg_type t)
{
	return t == MSG_DROP_LEG || t == MSG_REFUSE_LEG ||
	       t == MSG_CLOSE_STREAM || t == MSG_END_MESSAGE;
}

/* An hf-rec that died may not have read of the end of a message whose call is
 * over: what was said of late is said again, and does no harm. */
static void
note_end(const struct msg_end_message *m)
{
	struct end *e = &room.end[room.ends++ % ENDS_MAX];

	*e = (struct end){ *m, proc_now() };
}

static void
say_ends_again(void)
{
	static struct msg m = { .type = MSG_END_MESSAGE };

	for (unsigned i = 0; i < ENDS_MAX; i++) {
		const struct end *e = &room.end[i];

		if (e->said.recording == 0 ||
		    hf_time_since(e->at, proc_now()).us >
			hf_ms(END_AGAIN_MS).us)
			continue;
		m.end_message = e->said;
		proc_send(PEER_REC, &m);
	}
}

static void
put(struct orders *o, enum room to, unsigned worker, const struct msg *m)
{
	enum peer peer = peer_of(to, worker);
	bool kept = room.has_slots && room.inside != HF_MAP_NONE;

	(void)o;
	if (m->type == MSG_END_MESSAGE)
		note_end(&m->end_message);
	if (to == ROOM_STORE)
		log_news(m);
	if (to != ROOM_STORE || !kept)
		proc_send(peer, m);
	if (kept && (to == ROOM_STORE || is_farewell(m->type)))
		outbox_put(room.inside, peer, m);
}

/* A call on which we die twice in a row is let go by the slots: one poisoned
 * call does not take the house down. */
static void
inside(struct orders *o, uint32_t place)
{
	(void)o;
	if (!room.has_slots)
		return;
	room.inside = place;
	if (place == HF_MAP_NONE)
		slots_leave(&room.slots);
	else
		slots_enter(&room.slots, place);
}

static struct orders orders = { .put = put, .inside = inside };

static void
look_at_the_clock(void)
{
	engine_wall(room.engine, proc_now(), proc_wall());
}

static void
timer_fired(struct hf_timer *t, struct hf_time now)
{
	(void)t;
	look_at_the_clock();
	engine_time(room.engine, now, &orders);
}

/* ---- start --------------------------------------------------------------- */

static void
restore_one(uint32_t i, const void *record, void *arg)
{
	static struct call_record r;
	uint32_t *calls = arg;

	(void)record;
	slots_enter(&room.slots, i);
	if (!slots_read(&room.slots, i, &r))
		return;
	outbox_restore(&r);
	if (r.call.ref.n == i && engine_restore(room.engine, &r.call))
		(*calls)++;
	else
		room.over[room.overs++] = i;
}

static void
house_begin(const struct conf *c)
{
	char path[CONF_PATH_MAX + 16];
	bool fresh;
	int err;

	(void)snprintf(path, sizeof(path), "%s/%s", c->keeper.run_dir,
	    forms[TABLE_HOUSE].name);
	err = slots_open(&room.house, path, &forms[TABLE_HOUSE], 1, &fresh);
	if (err != 0) {
		slots_complain(&room.house, path, err);
		return;
	}
	room.has_house = true;
	if (slots_read(&room.house, 0, &room.record))
		engine_house_restore(room.engine, &room.record);
}

static void
slots_begin(const struct conf *c)
{
	char path[CONF_PATH_MAX + 16];
	const struct call_record *released = NULL;
	uint32_t calls = 0, poisoned;
	bool fresh;
	int err;

	(void)snprintf(path, sizeof(path), "%s/%s", c->keeper.run_dir,
	    forms[TABLE_CALLS].name);
	err = slots_open(
	    &room.slots, path, &forms[TABLE_CALLS], c->calls_max, &fresh);
	if (err != 0) {
		slots_complain(&room.slots, path, err);
		return;
	}
	room.has_slots = true;
	if (slots_condemned(&room.slots, &poisoned)) {
		hf_log(LOG_ERROR, "call_released", "slot=%u why=died_twice",
		    poisoned);
		released = slots_condemned_record(&room.slots);
	}
	if (released != NULL)
		outbox_restore(released);
	(void)slots_each(&room.slots, restore_one, &calls);
	slots_leave(&room.slots);
	outbox_restored();
	if (released != NULL)
		engine_condemned(
		    room.engine, &released->call, proc_now(), &orders);
	if (calls > 0)
		hf_log(LOG_NOTICE, "calls_restored", "calls=%u", calls);
}

static void
start(const struct conf *c, uint32_t boot, uint16_t worker)
{
	void *memory = hf_table(1, engine_size(c));

	(void)worker;
	if (memory == NULL) {
		hf_log(LOG_ERROR, "out_of_memory", "bytes=%zu", engine_size(c));
		exit(1);
	}
	room.engine = engine_init(memory, c, boot, proc_now());
	room.over = hf_table(c->calls_max, sizeof(*room.over));
	hf_assert(room.over != NULL);
	room.inside = HF_MAP_NONE;
	outbox_open(c->calls_max);
	hf_timer_init(&room.timer, timer_fired);
	look_at_the_clock();
	house_begin(c);
	slots_begin(c);
}

static void
reconf(const struct conf *c)
{
	look_at_the_clock();
	engine_reconf(room.engine, c, proc_now(), &orders);
}

/* ---- a turn -------------------------------------------------------------- */

static void
drain(const struct msg_drain *m)
{
	engine_drain(room.engine, m->on);
	room.leaving = m->on && m->die;
	room.closing = room.leaving && m->now;
	room.let_go = proc_now();
	room.told = UINT32_MAX;
}

static void
message(enum peer from, const struct msg *m, int fd)
{
	(void)from;
	(void)fd;
	if (m->type == MSG_DRAIN) {
		drain(&m->drain);
		return;
	}
	if (m->type == MSG_OPERATOR_ACTED) {
		proc_send(PEER_STORE, m); /* we have the way to the journal */
		return;
	}
	look_at_the_clock();
	engine_fact(room.engine, m, proc_now(), &orders);
}

static void
met(enum peer from)
{
	outbox_met(from);
	if (from != PEER_REC)
		return;
	look_at_the_clock();
	engine_rec_met(room.engine, proc_now(), &orders);
	say_ends_again();
}

static void
left(enum peer from)
{
	if (room.engine != NULL && from == PEER_SIP)
		engine_sip_gone(room.engine);
	if (room.engine != NULL && from >= PEER_MEDIA &&
	    from < PEER_MEDIA + PROC_MEDIA_MAX)
		engine_media_gone(
		    room.engine, (unsigned)(from - PEER_MEDIA), proc_now());
}

static void
ask(const struct msg_ask *m)
{
	look_at_the_clock();
	ask_answer(room.engine, m, &orders);
}

/* The turn in which they ended has been told. */
static void
release_over(void)
{
	for (uint32_t i = 0; i < room.overs; i++)
		if (engine_call(room.engine, room.over[i]) == NULL)
			slots_release(&room.slots, room.over[i]);
	room.overs = 0;
}

static void
commit_call(uint32_t place)
{
	static struct call_record r;
	const struct call *c = engine_call(room.engine, place);
	bool told = outbox_pack(place, &r);

	if (c != NULL)
		r.call = *c;
	else
		r.call.ref = HF_REF_NONE;
	if (c != NULL || told)
		slots_commit_part(&room.slots, place, &r,
		    (uint32_t)offsetof(struct call_record, told) + r.n);
	if (c == NULL)
		room.over[room.overs++] = place;
}

static void
commit(void)
{
	uint32_t place;

	if (room.has_slots)
		release_over();
	outbox_number();

	if (engine_house_changed(room.engine, &room.record) && room.has_house)
		slots_commit(&room.house, 0, &room.record);
	while ((place = engine_changed(room.engine)) != HF_MAP_NONE) {
		if (room.has_slots)
			commit_call(place);
	}
	outbox_send();
}

static void
tell_drained(void)
{
	uint32_t calls = engine_calls(room.engine);
	struct msg m = { .type = MSG_DRAINED, .drained = { .calls = calls } };

	if (!engine_draining(room.engine) || calls == room.told)
		return;
	room.told = calls;
	proc_send(PEER_KEEPER, &m);
	if (calls == 0 && room.leaving)
		proc_leave();
}

/* The house closes, whoever is on the line: he hears that it is over. */
static void
let_go(struct hf_time now)
{
	if (!room.closing || hf_time_before(now, room.let_go))
		return;
	look_at_the_clock();
	engine_let_go(room.engine, LET_GO_CALLS, proc_now(), &orders);
	room.let_go = hf_time_after(now, hf_ms(LET_GO_MS));
}

static void
turn_end(struct hf_time now)
{
	struct hf_time next;

	if (room.engine == NULL)
		return;
	let_go(now);
	commit();
	next = engine_next(room.engine);
	if (room.closing)
		next = hf_time_min(next, room.let_go);
	hf_timer_start(proc_wheel(), &room.timer, next);
	tell_drained();
}

int
main(int argc, char **argv)
{
	static const struct proc_room me = {
		.name = "hf-call",
		.start = start,
		.reconf = reconf,
		.met = met,
		.left = left,
		.message = message,
		.ask = ask,
		.turn_end = turn_end,
		.forms = tables,
		.forms_nr = HF_LEN(tables),
	};

	return proc_main(argc, argv, &me);
}
