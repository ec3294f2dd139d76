/* logic/call/agents - people and their phones.
 *
 *   OFFLINE <--> AVAILABLE --> RINGING --> ON_CALL --> WRAP_UP --> AVAILABLE
 *       ^            ^            |                      |
 *       '-------> NOT_READY <-----' not answered twice   '--> NOT_READY
 */

#include "logic/call/inner.h"

enum { MISSED_MAX = 2 }; /* rings in a row not answered: he is not there */

static void
move(struct engine *e, uint16_t agent, enum agent_state s, const char *why)
{
	struct agent *a = &e->agent[agent];

	TEXT(a->why, why);
	if (a->state == s)
		return;
	hf_timer_stop(&e->wheel, &a->timer);
	e->house_changed = true;
	a->state = (uint8_t)s;
	a->since = wall_now(e);
	if (s != AGENT_STATE_RINGING && s != AGENT_STATE_ON_CALL)
		a->call = HF_REF_NONE;
	tell_agent(e, agent, why);
}

/* After he left, or could not be reached: those who wait for nobody go on. */
static void
abandon(struct engine *e, uint16_t agent)
{
	const struct conf_agent *a = &e->conf->agent[agent];

	for (unsigned i = 0; i < a->queues; i++)
		queue_abandoned(e, a->queue[i]);
}

static void
available(struct engine *e, uint16_t agent, const char *why)
{
	struct agent *a = &e->agent[agent];

	a->wants = true;
	move(e, agent, AGENT_STATE_AVAILABLE, why);
	queue_match_agent(e, agent);
}

static void
not_ready(struct engine *e, uint16_t agent, const char *why)
{
	e->agent[agent].wants = false;
	e->agent[agent].failed = CAUSE_NONE;
	move(e, agent, AGENT_STATE_NOT_READY, why);
	abandon(e, agent);
}

static void
wrapped_up(struct hf_timer *t, struct hf_time now)
{
	struct agent *a = HF_CONTAINER(t, struct agent, timer);
	struct engine *e = a->engine;

	(void)now;
	a->idle = e->now;
	available(e, (uint16_t)(a - e->agent), "wrap_up is over");
}

/* ---- hf-sip is there (again) ---------------------------------------------
 * Whose phones it knows it says at once.  The others' connections ended with
 * the process before it, and they come back over new ones. */

static void
phones_are_back(struct hf_timer *t, struct hf_time now)
{
	struct engine *e = HF_CONTAINER(t, struct engine, phones);

	(void)now;
	for (uint16_t i = 0; i < e->conf->agents; i++)
		if (e->conf->agent[i].used && !e->agent[i].registered &&
		    e->agent[i].state != AGENT_STATE_OFFLINE)
			agent_went(e, i);
}

void
agents_unsure(struct engine *e)
{
	for (uint16_t i = 0; i < e->conf->agents; i++)
		e->agent[i].registered = false;
	hf_timer_start(&e->wheel, &e->phones,
	    hf_time_after(e->now, e->conf->calls.phones));
}

bool
agents_are_unsure(const struct engine *e)
{
	return hf_timer_running(&e->phones);
}

enum agent_state
agent_reached_as(const struct engine *e, uint16_t agent)
{
	const struct agent *a = &e->agent[agent];

	return a->registered || !hf_ref_none(a->call)
		   ? (enum agent_state)a->state
		   : AGENT_STATE_OFFLINE;
}

enum agent_state
engine_agent_state(const struct engine *e, uint16_t agent)
{
	return agent_reached_as(e, agent);
}

const char *
engine_agent_why(const struct engine *e, uint16_t agent)
{
	const struct agent *a = &e->agent[agent];

	return engine_agent_state(e, agent) == a->state ? a->why
							: "phone awaited";
}

void
agents_init(struct engine *e)
{
	hf_timer_init(&e->phones, phones_are_back);
	for (unsigned i = 0; i < CONF_AGENTS_MAX; i++) {
		struct agent *a = &e->agent[i];

		a->engine = e;
		a->state = AGENT_STATE_OFFLINE;
		hf_timer_init(&a->timer, wrapped_up);
	}
}

bool
agent_serves(const struct engine *e, uint16_t agent, uint16_t queue)
{
	const struct conf_agent *a = &e->conf->agent[agent];

	if (!a->used)
		return false;
	for (unsigned i = 0; i < a->queues; i++) {
		if (a->queue[i] == queue)
			return true;
	}
	return false;
}

uint16_t
agent_longest_idle(const struct engine *e, uint16_t queue)
{
	uint16_t best = CONF_NONE;

	for (uint16_t i = 0; i < e->conf->agents; i++) {
		const struct agent *a = &e->agent[i];

		if (a->state != AGENT_STATE_AVAILABLE || !a->registered ||
		    !agent_serves(e, i, queue))
			continue;
		if (best == CONF_NONE ||
		    hf_time_before(a->idle, e->agent[best].idle))
			best = i;
	}
	return best;
}

uint16_t
agent_of_extension(const struct engine *e, const char *extension)
{
	for (uint16_t i = 0; i < e->conf->agents; i++) {
		const struct conf_agent *a = &e->conf->agent[i];

		if (a->used && extension[0] != '\0' &&
		    (strcmp(a->extension, extension) == 0 ||
			strcmp(a->name, extension) == 0))
			return i;
	}
	return CONF_NONE;
}

static bool
known(struct engine *e, uint16_t agent)
{
	if (agent < e->conf->agents && e->conf->agent[agent].used)
		return true;
	e->counts.stale_facts++;
	return false;
}

/* Its signalling could not get through, and a REGISTER has. */
static bool
is_reached_again(enum cause failed)
{
	return failed == CAUSE_UNREACHABLE || failed == CAUSE_TIMEOUT ||
	       failed == CAUSE_RESET || failed == CAUSE_ICMP;
}

/* The phone was to blame, and it is well again, as far as it can show: what
 * its sound was like a REGISTER does not tell, a new start does. */
static void
phone_again(struct engine *e, uint16_t agent, bool anew)
{
	struct agent *a = &e->agent[agent];

	if (!e->conf->agent[agent].ready_at_login)
		return;
	if (!hf_ref_none(a->call)) {
		a->anew |= anew;
		return;
	}
	if (a->state != AGENT_STATE_NOT_READY || a->failed == CAUSE_NONE ||
	    !(anew || is_reached_again((enum cause)a->failed)))
		return;
	a->idle = e->now;
	a->missed = 0;
	available(e, agent, "the phone is back");
}

void
agent_came(struct engine *e, uint16_t agent, bool anew)
{
	struct agent *a;
	bool was;

	if (!known(e, agent))
		return;
	a = &e->agent[agent];
	was = a->registered;
	a->registered = true;
	if (a->state != AGENT_STATE_OFFLINE) {
		phone_again(e, agent, anew);
		/* His call has outlived his registration, or he our death. */
		if (!was)
			queue_match_agent(e, agent);
		return;
	}
	a->idle = e->now;
	a->missed = 0;
	if (e->conf->agent[agent].ready_at_login)
		available(e, agent, "registered");
	else
		not_ready(e, agent, "registered");
}

void
agent_went(struct engine *e, uint16_t agent)
{
	struct agent *a;
	struct call *c;
	struct leg *l;

	if (!known(e, agent))
		return;
	a = &e->agent[agent];
	a->registered = false;
	if (a->state != AGENT_STATE_RINGING &&
	    a->state != AGENT_STATE_ON_CALL) {
		move(e, agent, AGENT_STATE_OFFLINE, "unregistered");
		abandon(e, agent);
		return;
	}
	/* On a call, his silence and this together are hard evidence. */
	c = &e->call[a->call.n];
	l = helper_up(c);
	if (l != NULL && l->kind == RUNG_AGENT && l->row == agent &&
	    l->voter.silent) {
		touch(e, c);
		helper_lost(e, c, l, CAUSE_RESET, "its registration is gone");
	}
}

void
agent_ring(struct engine *e, uint16_t agent, struct call *c)
{
	struct agent *a = &e->agent[agent];

	hf_assert(hf_ref_none(a->call));
	a->call = c->ref;
	a->dialled = false;
	a->anew = false;
	a->wants = a->state != AGENT_STATE_NOT_READY;
	move(e, agent, AGENT_STATE_RINGING, "");
}

void
agent_talk(struct engine *e, uint16_t agent, struct call *c, bool dialled)
{
	struct agent *a = &e->agent[agent];

	if (dialled) {
		hf_assert(hf_ref_none(a->call));
		a->anew = false;
		a->wants = a->state == AGENT_STATE_AVAILABLE ||
			   a->state == AGENT_STATE_WRAP_UP;
	}
	a->call = c->ref;
	a->dialled = dialled;
	a->missed = 0;
	move(e, agent, AGENT_STATE_ON_CALL, dialled ? "dialled" : "");
}

/* The phone is to blame, not the person: no ring will get through. */
static bool
phone_failed(enum cause why, bool answered)
{
	switch (why) {
	case CAUSE_UNREACHABLE:
	case CAUSE_TIMEOUT:
	case CAUSE_RESET:
	case CAUSE_ICMP:
	case CAUSE_RTP_NEVER_CAME:
		return true;
	case CAUSE_RTP_STOPPED:
	case CAUSE_ONE_WAY:
		return answered;
	default:
		return false;
	}
}

static struct hf_span
wrap_up_of(const struct engine *e, const struct agent *a, const struct call *c)
{
	if (a->dialled || c->queue == CONF_NONE || c->kind != CALL_LADDER)
		return (struct hf_span){ 0 };
	return e->conf->queue[c->queue].wrap_up;
}

void
agent_free(struct engine *e, uint16_t agent, struct call *c, bool answered,
    enum cause why)
{
	struct agent *a = &e->agent[agent];
	struct hf_span wrap_up = wrap_up_of(e, a, c);

	if (!hf_ref_is(a->call, c->ref))
		return;
	if (!a->registered && !agents_are_unsure(e)) {
		move(e, agent, AGENT_STATE_OFFLINE, "unregistered");
		abandon(e, agent);
	} else if (a->registered && !a->anew && phone_failed(why, answered)) {
		bool wants = a->wants;

		not_ready(e, agent, cause_name(why));
		a->failed = (uint8_t)(wants ? why : CAUSE_NONE);
	} else if (!a->wants) {
		not_ready(e, agent, "as he wished");
	} else if (answered && wrap_up.us > 0) {
		move(e, agent, AGENT_STATE_WRAP_UP, "");
		hf_timer_start(
		    &e->wheel, &a->timer, hf_time_after(e->now, wrap_up));
	} else if (answered) {
		a->idle = e->now;
		available(e, agent, "the call is over");
	} else if (why == CAUSE_CALLER_LEFT || why == CAUSE_OPERATOR ||
		   !a->registered) {
		available(e, agent, cause_name(why)); /* still the first */
	} else if (++a->missed >= MISSED_MAX) {
		not_ready(e, agent, "did not answer");
	} else {
		a->idle = e->now;
		available(e, agent, cause_name(why));
	}
}

bool
agent_wish(
    struct engine *e, uint16_t agent, enum agent_state s, const char *why)
{
	struct agent *a = &e->agent[agent];
	bool ready = s == AGENT_STATE_AVAILABLE;

	switch ((enum agent_state)a->state) {
	case AGENT_STATE_OFFLINE:
		return false;
	case AGENT_STATE_RINGING:
	case AGENT_STATE_ON_CALL:
		a->wants = ready; /* when the call is over */
		e->house_changed = true;
		return true;
	case AGENT_STATE_AVAILABLE:
	case AGENT_STATE_WRAP_UP:
	case AGENT_STATE_NOT_READY:
		break;
	}
	a->missed = 0;
	if (!ready) {
		not_ready(e, agent, why);
	} else if (a->state != AGENT_STATE_AVAILABLE) {
		a->idle = e->now;
		available(e, agent, why);
	}
	return true;
}

void
agent_restored(
    struct engine *e, uint16_t agent, struct call *c, enum agent_state s)
{
	struct agent *a = &e->agent[agent];

	/* Unknown till now: he was talking, so he is there. */
	if (a->state == AGENT_STATE_OFFLINE)
		a->wants = true;
	hf_timer_stop(&e->wheel, &a->timer);
	a->state = (uint8_t)s;
	a->call = c->ref;
	a->registered = true; /* hf-sip's picture will say otherwise */
	a->dialled = c->agent == agent;
}

void
agents_leave(struct engine *e, const struct conf *old, const struct conf *new)
{
	for (uint16_t i = 0; i < CONF_AGENTS_MAX; i++) {
		struct agent *a = &e->agent[i];

		if (!conf_agent_left(old, new, i))
			continue;
		a->registered = false;
		a->missed = 0;
		a->charged = (struct hf_time){ 0 };
		/* A talk goes on; its end finds him offline. */
		if (hf_ref_none(a->call))
			move(e, i, AGENT_STATE_OFFLINE, "no agent any more");
	}
}

void
agents_enter(struct engine *e, const struct conf *old)
{
	for (uint16_t i = 0; i < CONF_AGENTS_MAX; i++) {
		if (conf_agent_left(old, e->conf, i))
			e->agent[i].wants = e->conf->agent[i].used &&
					    e->conf->agent[i].ready_at_login;
	}
	/* Nobody may be left for those who wait. */
	for (uint16_t i = 0; i < e->conf->queues; i++)
		queue_abandoned(e, i);
}

void
agents_keep(const struct engine *e, struct house *h)
{
	for (uint16_t i = 0; i < e->conf->agents; i++) {
		const struct agent *a = &e->agent[i];
		struct kept_agent *k = &h->agent[i];

		if (!e->conf->agent[i].used)
			continue;
		TEXT(k->name, e->conf->agent[i].name);
		k->state = a->state;
		k->wants = a->wants;
		k->missed = a->missed;
		k->failed = a->failed;
		k->idle = a->idle;
		k->since = a->since;
		TEXT(k->why, a->why);
		k->due = a->timer.due;
	}
}

/* His call is restored later and says so itself. */
static void
agent_kept(struct engine *e, struct agent *a, const struct kept_agent *k)
{
	a->state = k->state;
	a->wants = k->wants;
	a->missed = k->missed;
	a->failed = k->failed;
	a->idle = k->idle;
	a->since = k->since;
	TEXT(a->why, k->why);
	switch ((enum agent_state)k->state) {
	case AGENT_STATE_RINGING:
	case AGENT_STATE_ON_CALL:
		a->state =
		    k->wants ? AGENT_STATE_AVAILABLE : AGENT_STATE_NOT_READY;
		break;
	case AGENT_STATE_WRAP_UP:
		hf_timer_start(&e->wheel, &a->timer, k->due);
		break;
	case AGENT_STATE_OFFLINE:
	case AGENT_STATE_AVAILABLE:
	case AGENT_STATE_NOT_READY:
		break;
	}
}

void
agents_kept(struct engine *e, const struct house *h)
{
	for (unsigned i = 0; i < CONF_AGENTS_MAX; i++) {
		const struct kept_agent *k = &h->agent[i];
		uint16_t agent;

		if (k->name[0] == '\0' || k->state >= AGENT_STATE_NR)
			continue;
		agent = conf_agent_find(e->conf, k->name);
		if (agent != CONF_NONE)
			agent_kept(e, &e->agent[agent], k);
	}
}
