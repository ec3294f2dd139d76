/* logic/call/check - what must hold of all calls, agents and helpers together;
 * what must hold of one call is machine_check(). */

#include "logic/call/inner.h"

static void
check_agents(const struct engine *e)
{
	for (uint16_t i = 0; i < CONF_AGENTS_MAX; i++) {
		const struct agent *a = &e->agent[i];
		bool busy = a->state == AGENT_STATE_RINGING ||
			    a->state == AGENT_STATE_ON_CALL;

		hf_assert(busy == !hf_ref_none(a->call));
		if (busy)
			hf_assert(hf_pool_has(&e->pool, a->call));
		if (a->state == AGENT_STATE_WRAP_UP)
			hf_assert(hf_timer_running(&a->timer));
	}
}

/* What is counted as it changes is what is there. */
static void
check_helpers(const struct engine *e)
{
	uint32_t calls[CONF_HELPERS_MAX] = { 0 };
	uint32_t live[CONF_HELPERS_MAX] = { 0 };
	uint32_t silent[CONF_HELPERS_MAX] = { 0 };

	for (uint32_t i = 0; i < e->pool.cap; i++) {
		const struct call *c = engine_call(e, i);

		for (unsigned k = 0; c != NULL && k < CALL_HELPERS; k++) {
			const struct leg *l = &c->helper[k];

			if (l->id == 0 || !leg_is_helpers(l))
				continue;
			calls[l->row]++;
			live[l->row] += l->voter.voting;
			silent[l->row] += l->voter.voted;
		}
	}
	for (unsigned i = 0; i < CONF_HELPERS_MAX; i++) {
		hf_assert(calls[i] == e->helper[i].calls);
		hf_assert(live[i] == e->vote[i].live);
		hf_assert(silent[i] == e->vote[i].silent);
	}
}

void
engine_check(const struct engine *e)
{
	uint32_t calls = 0, legs = 0, streams = 0, waiting = 0;

	for (uint32_t i = 0; i < e->pool.cap; i++) {
		const struct call *c = engine_call(e, i);

		if (c == NULL)
			continue;
		machine_check(e, c);
		calls++;
		legs += c->caller.id != 0;
		streams += !hf_ref_none(c->caller.stream);
		waiting += c->state == CALL_STATE_WAITING;
		for (unsigned k = 0; k < CALL_HELPERS; k++) {
			legs += c->helper[k].id != 0;
			streams += !hf_ref_none(c->helper[k].stream);
		}
	}
	hf_assert(calls == e->pool.used);
	hf_assert(legs == e->legs.n);
	for (unsigned i = 0; i < ENGINE_WORKERS_MAX; i++)
		streams -= e->worker[i].streams.used;
	hf_assert(streams == 0);
	for (unsigned i = 0; i < CONF_QUEUES_MAX; i++)
		waiting -= e->queue[i].length;
	hf_assert(waiting == 0);
	check_agents(e);
	check_helpers(e);
}
