/* logic/call/machine - what may follow what, and what must then hold; see
 * call.h for the drawing. */

#include "base/prompt.h"
#include "logic/call/inner.h"

#define MAY(s) HF_BIT(CALL_STATE_##s)
/* The caller may leave, and an operator drop, in every state: GONE. */
static const unsigned may_follow[] = {
	[CALL_STATE_ARRIVED] = MAY(REACHING) | MAY(WAITING) | MAY(WITH_HELPER) |
			       MAY(PARTING) | MAY(GONE),
	[CALL_STATE_REACHING] =
	    MAY(WITH_HELPER) | MAY(RESCUE) | MAY(WAITING) | MAY(GONE),
	[CALL_STATE_WITH_HELPER] = MAY(RESCUE) | MAY(PARTING) | MAY(GONE),
	[CALL_STATE_RESCUE] = MAY(REACHING) | MAY(WAITING) | MAY(WITH_HELPER) |
			      MAY(PARTING) | MAY(GONE),
	[CALL_STATE_WAITING] = MAY(REACHING) | MAY(RESCUE) | MAY(GONE),
	[CALL_STATE_PARTING] = MAY(GONE),
	[CALL_STATE_GONE] = 0,
};
#undef MAY
_Static_assert(HF_LEN(may_follow) == CALL_STATE_NR, "one row per state");

/* How long a caller may hear the goodbye, when there is one to hear. */
static void
say_goodbye(struct engine *e, struct call *c)
{
	static const uint8_t sorry[] = { PROMPT_ALL_BUSY, PROMPT_GOODBYE,
		PROMPT_NONE };
	static const uint8_t bye[] = { PROMPT_GOODBYE, PROMPT_NONE };

	caller_listen(e, c);
	caller_play(
	    e, c, c->cause == CAUSE_DONE ? bye : sorry, AFTER_SILENCE, 0);
	due_in(e, c, DUE_STATE, e->conf->calls.goodbye);
}

void
enter(struct engine *e, struct call *c, enum call_state next)
{
	hf_assert(may_follow[c->state] & HF_BIT(next));

	if (c->state == CALL_STATE_WAITING)
		queue_leave(e, c);
	c->state = next;
	c->entered = e->now;
	c->due[DUE_STATE] = HF_TIME_NEVER;
	c->due[DUE_NEVER] = HF_TIME_NEVER;
	c->due[DUE_PROVEN] = HF_TIME_NEVER;
	c->due[DUE_JUDGE] = HF_TIME_NEVER;
	c->due[DUE_CLOSED] = HF_TIME_NEVER;
	c->due[DUE_ANNOUNCE] = HF_TIME_NEVER;
	c->due[DUE_PASSED] = HF_TIME_NEVER;
	c->passing = PASSING_NOT;
	touch(e, c);

	switch (next) {
	case CALL_STATE_ARRIVED:
		hf_never("nobody arrives twice");
	case CALL_STATE_REACHING:
		if (c->kind == CALL_LADDER)
			caller_ring(e, c);
		break;
	case CALL_STATE_WITH_HELPER:
		break;
	case CALL_STATE_RESCUE:
		voice_at_once(e, c);
		break;
	case CALL_STATE_WAITING:
		break;
	case CALL_STATE_PARTING:
		c->due[DUE_READY] = HF_TIME_NEVER;
		say_goodbye(e, c);
		break;
	case CALL_STATE_GONE:
		break;
	}
}

/* Is there something to say, and somebody who would hear it? */
static bool
deserves_goodbye(const struct call *c, enum cause why)
{
	if (c->kind != CALL_LADDER || c->caller.id == 0)
		return false;
	return why == CAUSE_LADDER_ENDED ||
	       (why == CAUSE_DONE && c->last_kind == RUNG_VOICEMAIL);
}

void
part(struct engine *e, struct call *c, enum cause why)
{
	c->cause = (uint8_t)why;
	if (deserves_goodbye(c, why))
		enter(e, c, CALL_STATE_PARTING);
	else
		gone(e, c, why);
}

void
gone(struct engine *e, struct call *c, enum cause why)
{
	struct leg *l;

	if (c->state == CALL_STATE_WAITING)
		tell_rung_without_leg(
		    e, c, RUNG_QUEUE, e->conf->queue[c->queue].name, why);
	voicemail_stop(e, c);
	while ((l = &c->helper[0])->id != 0) {
		/* Who is still there has not failed, whatever has. */
		if (l->kind == RUNG_AGENT)
			agent_free(e, l->row, c, l->state == LEG_UP,
			    CAUSE_CALLER_LEFT);
		rung_over(e, c, l, why, "");
		leg_drop(e, c, l, 0, "");
	}
	if (c->agent != CONF_NONE)
		/* His phone is to blame only if it was he who went. */
		agent_free(
		    e, c->agent, c, true, c->caller.id != 0 ? CAUSE_DONE : why);
	if (c->caller.id != 0 && c->answered)
		leg_drop(e, c, &c->caller, 0, "");
	else if (c->caller.id != 0)
		caller_refuse(e, c, outcall_code(why, c->caller.code), "");
	tell_ended(e, c, why);
	enter(e, c, CALL_STATE_GONE);
	call_free(e, c);
}

/* hf-sip said nothing in time: every leg being set up has failed. */
static void
setup_late(struct engine *e, struct call *c)
{
	struct hf_ref ref = c->ref;

	for (unsigned i = 0; i < CALL_HELPERS; i++) {
		if (!hf_ref_is(c->ref, ref) ||
		    c->state != CALL_STATE_REACHING || c->helper[0].id == 0)
			return;
		helper_lost(e, c, &c->helper[0], CAUSE_NO_ANSWER,
		    "no news of its setup");
	}
}

static void
state_late(struct engine *e, struct call *c)
{
	switch ((enum call_state)c->state) {
	case CALL_STATE_REACHING:
		setup_late(e, c);
		break;
	case CALL_STATE_WITH_HELPER:
		voicemail_late(e, c);
		break;
	case CALL_STATE_WAITING:
		queue_give_up(e, c, CAUSE_MAX_WAIT);
		break;
	case CALL_STATE_PARTING:
		gone(e, c, (enum cause)c->cause);
		break;
	case CALL_STATE_ARRIVED:
	case CALL_STATE_RESCUE:
	case CALL_STATE_GONE:
		hf_never("nobody stays here");
	}
}

static bool
owes_packets(const struct call *c, const struct leg *l)
{
	return !c->caller_held && !l->holds && !l->voter.suppressed;
}

void
machine_time(struct engine *e, struct call *c, enum due d)
{
	struct leg *up = helper_up(c);

	switch (d) {
	case DUE_STATE:
		state_late(e, c);
		break;
	case DUE_NEVER:
		if (up != NULL && !up->voter.spoke && owes_packets(c, up))
			helper_lost(e, c, up, CAUSE_RTP_NEVER_CAME,
			    "answered, and no packet came");
		break;
	case DUE_PROVEN:
		if (up != NULL)
			helper_proven(e, c, up);
		break;
	case DUE_JUDGE:
		if (up != NULL)
			judge(e, c, up);
		break;
	case DUE_CLOSED:
		if (up != NULL && up->joined && bye_may_come_again(e))
			due_in(e, c, DUE_CLOSED, guard_of(e, up)->bye_wait);
		else if (up != NULL && up->joined)
			helper_lost(
			    e, c, up, CAUSE_ICMP, "its media port is closed");
		break;
	case DUE_READY:
		caller_answer(e, c);
		break;
	case DUE_ANNOUNCE:
		queue_announce(e, c);
		break;
	case DUE_PASSED:
		pass_late(e, c);
		break;
	case DUE_LONGEST:
		tell_evidence(e, c, "longest", "the call has lasted too long");
		gone(e, c, CAUSE_TIMEOUT);
		break;
	case DUE_NR:
		hf_never("no such deadline");
	}
}

void
machine_prompt_ended(struct engine *e, struct call *c)
{
	if (c->state == CALL_STATE_PARTING)
		gone(e, c, (enum cause)c->cause);
	else if (c->voicemail != VOICEMAIL_NONE)
		voicemail_prompt_ended(e, c);
	else if (c->kind == CALL_CODE)
		gone(e, c, CAUSE_DONE);
}

static unsigned
helpers_of(const struct call *c)
{
	unsigned n = 0;

	for (unsigned i = 0; i < CALL_HELPERS; i++)
		n += c->helper[i].id != 0;
	return n;
}

static bool
has_due(const struct call *c, enum due d)
{
	return c->due[d].us != HF_TIME_NEVER.us;
}

static void
check_leg(const struct engine *e, const struct call *c, const struct leg *l)
{
	hf_assert(hf_map_get(&e->legs, l->id) == (uint32_t)(c - e->call));
	hf_assert(!hf_ref_none(l->stream));
	hf_assert(!l->joined || l->open);
	hf_assert(!l->voter.voted || l->voter.voting);
	if (l != &c->caller && l->kind == RUNG_AGENT)
		hf_assert(hf_ref_is(e->agent[l->row].call, c->ref));
}

void
machine_check(const struct engine *e, const struct call *c)
{
	unsigned helpers = helpers_of(c);
	const struct leg *first = &c->helper[0];
	bool in_line = !hf_list_empty(&mind_of(e, c)->waiting);

	hf_assert(c->caller.id != 0);
	check_leg(e, c, &c->caller);
	for (unsigned i = 0; i < helpers; i++)
		check_leg(e, c, &c->helper[i]); /* no holes */
	hf_assert(in_line == (c->state == CALL_STATE_WAITING));
	hf_assert(!c->answered || c->answered_at.us != 0);

	switch ((enum call_state)c->state) {
	case CALL_STATE_REACHING:
		hf_assert(helpers >= 1);
		hf_assert(first->state != LEG_UP);
		hf_assert(has_due(c, DUE_STATE));
		break;
	case CALL_STATE_WITH_HELPER:
		hf_assert(helpers == 2 ? c->passing != PASSING_NOT
				       : c->passing == PASSING_NOT);
		if (helpers >= 1)
			hf_assert(first->state == LEG_UP && first->joined);
		else
			hf_assert(has_due(c, DUE_STATE));
		if (helpers == 2)
			hf_assert(c->helper[1].state != LEG_UP &&
				  has_due(c, DUE_PASSED));
		break;
	case CALL_STATE_WAITING:
		hf_assert(helpers == 0);
		hf_assert(has_due(c, DUE_STATE));
		hf_assert(c->answered || c->early);
		break;
	case CALL_STATE_PARTING:
		hf_assert(helpers == 0);
		hf_assert(has_due(c, DUE_STATE));
		break;
	case CALL_STATE_ARRIVED:
	case CALL_STATE_RESCUE:
	case CALL_STATE_GONE:
		hf_never("nobody stays here");
	}
}
