/* logic/call/queue - waiting in line for a person: longest-idle agent first,
 * music, the place in line, and an end to it. */

#include "base/prompt.h"
#include "logic/call/inner.h"

enum {
	NUMBERS_SPOKEN = 99,
	PACE_SHARE = 4,  /* of the newest in the mean */
	PACES_LEAST = 3, /* before it is believed */
};

bool
engine_staffed(const struct engine *e, uint16_t queue)
{
	for (uint16_t i = 0; i < e->conf->agents; i++) {
		const struct agent *a = &e->agent[i];

		if ((a->registered || agents_are_unsure(e)) &&
		    a->state != AGENT_STATE_OFFLINE &&
		    a->state != AGENT_STATE_NOT_READY && a->wants &&
		    agent_serves(e, i, queue))
			return true;
	}
	return false;
}

bool
queue_usable(const struct engine *e, uint16_t queue, enum cause *why)
{
	const struct conf_queue *q = &e->conf->queue[queue];

	*why = CAUSE_NONE;
	if (queue >= e->conf->queues || !q->used)
		*why = CAUSE_UNREACHABLE;
	else if (!engine_staffed(e, queue))
		*why = CAUSE_UNSTAFFED;
	else if (q->max_length != 0 && e->queue[queue].length >= q->max_length)
		*why = CAUSE_QUEUE_FULL;
	return *why == CAUSE_NONE;
}

/* Who came first stands first, also when he comes back. */
static void
line_up(struct engine *e, struct call *c)
{
	struct queue *q = &e->queue[c->queue];
	struct hf_list *behind = q->waiting.prev;

	while (behind != &q->waiting) {
		struct call_mind *m =
		    HF_CONTAINER(behind, struct call_mind, waiting);

		if (!hf_time_before(c->queued, e->call[m - e->mind].queued))
			break;
		behind = behind->prev;
	}
	if (q->length == 0)
		q->moved = e->now;
	hf_list_push(behind->next, &mind_of(e, c)->waiting);
	q->length++;
}

void
queue_restored(struct engine *e, struct call *c)
{
	line_up(e, c);
}

void
queue_leave(struct engine *e, struct call *c)
{
	hf_list_remove(&mind_of(e, c)->waiting);
	hf_assert(e->queue[c->queue].length > 0);
	e->queue[c->queue].length--;
}

static void
wait_in_line(struct engine *e, struct call *c)
{
	const struct conf_queue *q = &e->conf->queue[c->queue];

	enter(e, c, CALL_STATE_WAITING);
	line_up(e, c);
	c->due[DUE_STATE] = hf_time_after(c->queued, q->max_wait);
	if (q->announce.us > 0)
		due_in(e, c, DUE_ANNOUNCE, q->announce);
	caller_listen(e, c);
	if (c->playing.id == 0 || c->playing.after != AFTER_MUSIC) {
		const uint8_t music[] = { q->music[0] != '\0'
					      ? (uint8_t)(PROMPT_QUEUE_MUSIC +
							  c->queue)
					      : PROMPT_NONE,
			PROMPT_NONE };

		caller_play(e, c, music, AFTER_MUSIC, 0);
	}
	queue_match(e, c->queue);
}

void
queue_begin(struct engine *e, struct call *c, uint16_t queue)
{
	c->queue = queue;
	c->queued = e->now;
	c->rung_began = e->now;
	wait_in_line(e, c);
}

void
queue_return(struct engine *e, struct call *c)
{
	bool rescued = c->state == CALL_STATE_RESCUE;

	/* Lost in the middle of a talk: his patience starts anew, his place
	 * in line does not. */
	if (rescued) {
		tell_rescued(e, c, RUNG_QUEUE, e->conf->queue[c->queue].name);
		c->rung_began = e->now;
	}
	wait_in_line(e, c);
	if (rescued && c->state == CALL_STATE_WAITING)
		due_in(e, c, DUE_STATE, e->conf->queue[c->queue].max_wait);
}

void
queue_give_up(struct engine *e, struct call *c, enum cause why)
{
	const char *name = e->conf->queue[c->queue].name;

	tell_rung_without_leg(e, c, RUNG_QUEUE, name, why);
	c->why = (uint8_t)why;
	c->from_kind = c->last_kind = RUNG_QUEUE;
	TEXT(c->from_name, name);
	TEXT(c->last_name, name);
	c->lost_since = e->now;
	enter(e, c, CALL_STATE_RESCUE);
	descend(e, c);
}

static unsigned
place_in_line(const struct engine *e, const struct call *c)
{
	uint32_t me = (uint32_t)(c - e->call);
	uint32_t at = engine_waiting(e, c->queue, HF_MAP_NONE);
	unsigned n = 1;

	while (at != me) {
		hf_assert(at != HF_MAP_NONE);
		at = engine_waiting(e, c->queue, at);
		n++;
	}
	return n;
}

void
queue_moved(struct engine *e, const struct call *c, const struct leg *l)
{
	struct queue *q = &e->queue[c->queue];
	struct hf_span took = hf_time_since(q->moved, e->now);

	/* Nobody behind him: it says how fast calls come, not agents. */
	if (q->length == 0)
		return;
	q->moved = e->now;
	/* An agent was free when he came: the line begins behind him. */
	if (l->asked.us == c->queued.us)
		return;
	if (q->paces == 0)
		q->pace = took;
	else
		q->pace.us += (took.us - q->pace.us) / PACE_SHARE;
	q->paces++;
}

/* Minutes, rounded up; 0: nothing to go by. */
static unsigned
estimate(const struct engine *e, const struct call *c, unsigned place)
{
	const struct queue *q = &e->queue[c->queue];
	int64_t minute = hf_ms(60000).us, minutes;

	if (!e->conf->queue[c->queue].estimate || q->paces < PACES_LEAST)
		return 0;
	minutes = (place * q->pace.us + minute - 1) / minute;
	return (unsigned)(minutes < NUMBERS_SPOKEN ? minutes : NUMBERS_SPOKEN);
}

void
queue_announce(struct engine *e, struct call *c)
{
	uint8_t list[3 + 4 + 1];
	unsigned place, minutes, n = 0;

	if (c->state != CALL_STATE_WAITING)
		return;
	place = place_in_line(e, c);
	minutes = estimate(e, c, place);
	if (place <= NUMBERS_SPOKEN) {
		list[n++] = PROMPT_YOU_ARE_NUMBER;
		list[n++] = (uint8_t)(PROMPT_DIGIT_0 + place);
		list[n++] = PROMPT_IN_LINE;
	}
	if (minutes > 0) {
		list[n++] = PROMPT_WAIT_IS;
		/* "One minutes" is no English. */
		if (minutes == 1)
			list[n++] = PROMPT_LESS_THAN;
		list[n++] =
		    (uint8_t)(PROMPT_DIGIT_0 + (minutes == 1 ? 2 : minutes));
		list[n++] = PROMPT_MINUTES;
	}
	list[n] = PROMPT_NONE;
	if (n > 0)
		caller_play(e, c, list, AFTER_MUSIC, 0);
	due_in(e, c, DUE_ANNOUNCE, e->conf->queue[c->queue].announce);
}

/* ---- bringing them together ---------------------------------------------- */

static bool
ring(struct engine *e, struct call *c, uint16_t agent)
{
	struct hf_span patience = e->conf->queue[c->queue].ring;

	if (leg_ring(e, c, RUNG_AGENT, agent, CALL_RUNG_NONE, c->number,
		patience) == NULL)
		return false;
	agent_ring(e, agent, c);
	enter(e, c, CALL_STATE_REACHING);
	due_in(e, c, DUE_STATE, ring_late(patience));
	return true;
}

void
queue_match(struct engine *e, uint16_t queue)
{
	uint32_t place;
	uint16_t agent;

	while ((place = engine_waiting(e, queue, HF_MAP_NONE)) != HF_MAP_NONE) {
		agent = agent_longest_idle(e, queue);
		if (agent == CONF_NONE || !ring(e, &e->call[place], agent))
			return;
	}
}

void
queue_match_agent(struct engine *e, uint16_t agent)
{
	const struct conf_agent *a = &e->conf->agent[agent];
	struct call *first = NULL;

	if (e->agent[agent].state != AGENT_STATE_AVAILABLE ||
	    !e->agent[agent].registered)
		return;
	for (unsigned i = 0; i < a->queues; i++) {
		uint32_t place = engine_waiting(e, a->queue[i], HF_MAP_NONE);

		if (place != HF_MAP_NONE &&
		    (first == NULL ||
			hf_time_before(e->call[place].queued, first->queued)))
			first = &e->call[place];
	}
	if (first != NULL)
		(void)ring(e, first, agent);
}

void
queue_abandoned(struct engine *e, uint16_t queue)
{
	uint32_t place = engine_waiting(e, queue, HF_MAP_NONE), next;

	if (engine_staffed(e, queue))
		return;
	for (; place != HF_MAP_NONE; place = next) {
		struct call *c = &e->call[place];

		next = engine_waiting(e, queue, place);
		if (ladder_goes_on(e, c))
			queue_give_up(e, c, CAUSE_UNSTAFFED);
	}
}
