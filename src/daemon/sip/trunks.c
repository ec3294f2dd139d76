/* daemon/sip/trunks - do the trunks that calls leave over answer OPTIONS? See
 * room.h */

#include <string.h>

#include "daemon/sip/room.h"
#include "wire/row.h"

enum {
	SPREAD = 8, /* they are not all asked in the same moment */
	/* One answer that is lost is the network's; the next question comes
	 * soon then. */
	DOWN_AFTER = 2,
	AGAIN_MS = 1000,
};

static struct trunk {
	struct hf_timer timer; /* the next question, or its time is up */
	struct hf_time asked;
	char name[CONF_NAME_MAX];
	char uri[CONF_URI_MAX]; /* as it was when this was learned */
	struct hf_wall since;
	struct hf_span rtt;
	uint32_t round;     /* late news are old news */
	uint16_t code;      /* 0: nothing came */
	uint8_t unanswered; /* in a row */
	uint8_t address;
	bool waiting;
	bool answers; /* has ever answered: only then silence means anything */
	bool down;
} trunk[CONF_TRUNKS_MAX];

static bool
is_asked(const struct conf_trunk *c)
{
	return c->used && c->to.uri[0] != '\0' && c->probe_every.us > 0;
}

static void
told(uint16_t row, bool alive, uint16_t code)
{
	const struct conf_trunk *c = &room.conf->trunk[row];
	struct trunk *t = &trunk[row];
	struct hf_span next = c->probe_every;
	bool down;

	if (alive)
		t->unanswered = 0;
	else if (t->unanswered < DOWN_AFTER)
		t->unanswered++;
	down = t->answers && t->unanswered == DOWN_AFTER;
	if (t->answers && t->unanswered > 0 && !down &&
	    next.us > hf_ms(AGAIN_MS).us)
		next = hf_ms(AGAIN_MS);
	t->waiting = false;
	t->code = code;
	if (alive)
		t->rtt = hf_time_since(t->asked, room.now);
	t->address += !alive;
	if (alive && !t->answers)
		t->since = proc_wall();
	t->answers |= alive;
	if (down != t->down) {
		t->down = down;
		t->since = proc_wall();
		hf_log(down ? LOG_WARNING : LOG_NOTICE,
		    down ? "trunk_down" : "trunk_back", "trunk=%s code=%u",
		    c->name, code);
	}
	hf_timer_start(proc_wheel(), &t->timer, hf_time_after(room.now, next));
}

static void
ask_one(uint16_t row)
{
	const struct conf_target *c = &room.conf->trunk[row].to;
	struct trunk *t = &trunk[row];
	struct sip_flow flow;

	t->asked = room.now;
	t->round = (t->round + 1) & INT32_MAX;
	if (c->transport == CONF_TLS || !probe_way(&t->address, c, &flow) ||
	    !sip_sessions_ask(&room.ss, SIP_OPTIONS, &flow, hf_slice_of(c->uri),
		(uint64_t)t->round << 32 | PROBE_TRUNK | row, room.now)) {
		told(row, false, 0);
		return;
	}
	t->waiting = true;
	hf_timer_start(proc_wheel(), &t->timer,
	    hf_time_after(room.now, room.conf->guard.probe_timeout));
}

static void
on_timer(struct hf_timer *timer, struct hf_time now)
{
	struct trunk *t = HF_CONTAINER(timer, struct trunk, timer);
	uint16_t row = (uint16_t)(t - trunk);

	room.now = now;
	if (!is_asked(&room.conf->trunk[row]))
		return;
	if (t->waiting)
		told(row, false, 0);
	else
		ask_one(row);
}

void
trunk_outcome(uint16_t row, uint32_t round, const struct sip_msg *m)
{
	struct trunk *t = &trunk[row];

	if (t->waiting && t->round == round)
		told(row, probe_is_alive(m), m != NULL ? m->status : 0);
}

void
trunks_reconf(void)
{
	for (uint16_t i = 0; i < CONF_TRUNKS_MAX; i++) {
		const struct conf_trunk *c = &room.conf->trunk[i];
		struct trunk *t = &trunk[i];
		struct hf_timer timer = t->timer;

		/* What is known of another one is nothing about this one. */
		if (strcmp(t->name, c->name) != 0 ||
		    strcmp(t->uri, c->to.uri) != 0) {
			*t = (struct trunk){ .timer = timer,
				.round = t->round + 1 };
			(void)hf_slice_copy(
			    hf_slice_of(c->name), t->name, sizeof(t->name));
			(void)hf_slice_copy(
			    hf_slice_of(c->to.uri), t->uri, sizeof(t->uri));
		}
		t->waiting = false;
		if (is_asked(c))
			hf_timer_start(proc_wheel(), &t->timer,
			    hf_time_after(room.now,
				(struct hf_span){ c->probe_every.us *
						  (i % SPREAD + 1) / SPREAD }));
		else
			hf_timer_stop(proc_wheel(), &t->timer);
	}
}

void
trunks_start(void)
{
	for (uint16_t i = 0; i < CONF_TRUNKS_MAX; i++)
		hf_timer_init(&trunk[i].timer, on_timer);
	trunks_reconf();
}

bool
trunks_next(const struct msg_ask *q, uint64_t *at, struct hf_buf *row)
{
	(void)q;
	for (; *at < room.conf->trunks; ++*at) {
		const struct conf_trunk *c = &room.conf->trunk[*at];
		const struct trunk *t = &trunk[*at];

		if (!c->used)
			continue;
		row_text(row, "name", c->name);
		row_text(row, "state",
		    !is_asked(c) || !t->answers ? "unknown"
		    : t->down                   ? "down"
						: "up");
		row_text(row, "to", c->to.uri);
		if (t->answers) {
			row_wall(row, "since", t->since);
			row_span(row, "rtt", t->rtt);
		}
		row_number(row, "code", t->code);
		++*at;
		return true;
	}
	return false;
}
