/*
 * logic/call/refer - a party passes the one he talks to on (blind REFER).
 *
 *   a machine   has yielded: its caller goes to whom it names, or one rung
 *               down, and it is let go at once
 *   a person    stays until somebody has taken over: whom he named is rung
 *               as helper[1].  Answered: they change places and he is let
 *               go.  Refused: he is told why and still has his caller.  Gone
 *               before that: who is rung is now who is reached.
 *
 * A person can be the helper, or the agent who dialled: then the helper is
 * passed on and becomes the record's caller.
 */

#include "base/prompt.h"
#include "logic/call/inner.h"

enum { REPORT_AGAIN_MS = 2000 };

static void
order_report(struct engine *e, const struct leg *to)
{
	struct msg_report_refer *o = ORDER(e, MSG_REPORT_REFER, report_refer);

	if (to->ended)
		return;
	o->leg = to->id;
	o->code = to->reported;
	send_sip(e);
}

static void
report(struct engine *e, struct call *c, struct leg *to, uint16_t code)
{
	to->reported = code;
	to->reported_at = e->now;
	order_report(e, to);
	touch(e, c);
}

void
report_again(struct engine *e, const struct leg *to)
{
	if (to->id != 0 && to->reported != 0 &&
	    hf_time_since(to->reported_at, e->now).us <
		hf_ms(REPORT_AGAIN_MS).us)
		order_report(e, to);
}

/* Who asked for it. */
static struct leg *
passer(struct call *c)
{
	return c->passing == PASSING_BY_CALLER ? &c->caller : &c->helper[0];
}

/* Can he whom the number means be rung now?  0, or what SIP calls it. */
static uint16_t
may_reach(const struct engine *e, const char *number, uint16_t *agent)
{
	*agent = agent_of_extension(e, number);
	if (*agent == CONF_NONE)
		return e->conf->outbound.vias > 0 &&
			       conf_may_call(e->conf, number)
			   ? 0
			   : 403;
	switch (agent_reached_as(e, *agent)) {
	case AGENT_STATE_OFFLINE:
		return 480;
	case AGENT_STATE_RINGING:
	case AGENT_STATE_ON_CALL:
		return 486;
	case AGENT_STATE_AVAILABLE:
	case AGENT_STATE_WRAP_UP:
	case AGENT_STATE_NOT_READY:
		return 0;
	}
	hf_never("no such state of an agent");
}

/* NULL: no stream, no trunk or no hop is left. */
static struct leg *
ring(struct engine *e, struct call *c, const char *number, uint16_t agent)
{
	struct leg *l;

	c->via = 0;
	TEXT(c->passed_to, number);
	if (agent != CONF_NONE) {
		l = leg_ring(e, c, RUNG_AGENT, agent, CALL_RUNG_NONE, number,
		    e->conf->calls.ring);
		if (l != NULL)
			agent_ring(e, agent, c);
	} else {
		l = number_ring(
		    e, c, CALL_RUNG_NONE, number, e->conf->calls.ring);
	}
	if (l != NULL)
		l->referred = true;
	return l;
}

/* The only leg there is rings already, or begins to. */
static void
reaching(struct engine *e, struct call *c)
{
	static const uint8_t none[] = { PROMPT_NONE };
	struct leg *l = &c->helper[0];

	if (c->state == CALL_STATE_RESCUE && c->kind == CALL_LADDER)
		tell_rescued(e, c, (enum rung)l->kind, leg_name(e, c, l));
	enter(e, c, CALL_STATE_REACHING);
	due_in(e, c, DUE_STATE, ring_late(e->conf->calls.ring));
	/* On a ladder he has heard a voice already, and hears its music. */
	if (c->kind != CALL_LADDER)
		caller_play(e, c, none, AFTER_MUSIC, 0);
}

void
reach_named(struct engine *e, struct call *c, const char *number)
{
	uint16_t agent;

	if (may_reach(e, number, &agent) == 0 &&
	    ring(e, c, number, agent) != NULL)
		reaching(e, c);
	else
		descend(e, c);
}

/* ---- a person passes on -------------------------------------------------- */

static void
pass_begin(struct engine *e, struct call *c, struct leg *l, const char *number)
{
	uint16_t agent, code = may_reach(e, number, &agent);
	uint16_t payer = l == &c->caller ? c->agent : l->row;
	bool over = code == 0 && agent == CONF_NONE && !outcall_pays(e, payer);

	if (over)
		code = 403;
	if (code == 0 && ring(e, c, number, agent) == NULL)
		code = 503;
	if (code != 0) {
		tell_evidence(e, c, "transfer_refused", "%u: %s", code,
		    over          ? "over_limit"
		    : code == 403 ? "outbound.allow has no such number"
		    : code == 480 ? "the agent has no phone registered"
		    : code == 486 ? "the agent is on a call"
				  : "no stream, trunk or hop is left");
		report(e, c, l, code);
		return;
	}
	if (agent == CONF_NONE)
		c->helper[1].payer = payer + 1;
	l->reported = 0; /* what came of an earlier one is not this one's */
	c->passing = l == &c->caller ? PASSING_BY_CALLER : PASSING_BY_HELPER;
	due_in(e, c, DUE_PASSED, ring_late(e->conf->calls.ring));
	tell_evidence(e, c, "passes_on", "%s is rung",
	    agent != CONF_NONE ? leg_name(e, c, &c->helper[1])
			       : "a number outside");
}

/* The agent who dialled steps out; whom he talked to has the record now. */
static void
caller_steps_out(struct engine *e, struct call *c)
{
	uint16_t agent = c->agent;

	leg_drop(e, c, &c->caller, 0, "");
	c->caller = c->helper[0];
	c->helper[0] = c->helper[1];
	c->helper[1] = (struct leg){ .row = CONF_NONE };
	c->caller.joined = false;
	c->caller_held = c->caller.holds;
	c->caller.holds = false;
	c->agent = c->caller.kind == RUNG_AGENT ? c->caller.row : CONF_NONE;
	leg_resume(e, &c->caller);
	agent_free(e, agent, c, true, CAUSE_DONE);
	touch(e, c);
}

bool
pass_is_to(const struct call *c, const struct leg *l)
{
	return c->passing != PASSING_NOT && l == &c->helper[1];
}

void
pass_answered(struct engine *e, struct call *c)
{
	struct leg *by = passer(c);

	report(e, c, by, 200);
	if (c->passing == PASSING_BY_CALLER) {
		caller_steps_out(e, c);
	} else {
		rung_over(e, c, by, CAUSE_YIELDED, "passed on");
		leg_drop(e, c, by, 0, "");
	}
	c->passing = PASSING_NOT;
	c->due[DUE_PASSED] = HF_TIME_NEVER;
	/* They were about who has gone. */
	c->due[DUE_NEVER] = HF_TIME_NEVER;
	c->due[DUE_JUDGE] = HF_TIME_NEVER;
	c->due[DUE_CLOSED] = HF_TIME_NEVER;
}

void
pass_failed(
    struct engine *e, struct call *c, enum cause why, const char *evidence)
{
	struct leg *l = &c->helper[1];

	report(e, c, passer(c), outcall_code(why, l->code));
	tell_rung(e, c, l, why, evidence);
	if (l->kind == RUNG_AGENT)
		agent_free(e, l->row, c, false, why);
	leg_drop(e, c, l, 0, "");
	c->helper_leg = c->helper[0].id;
	c->passing = PASSING_NOT;
	c->due[DUE_PASSED] = HF_TIME_NEVER;
}

bool
pass_left(struct engine *e, struct call *c, struct leg *l, enum cause why)
{
	if (c->passing == PASSING_NOT || l != passer(c))
		return false;
	if (c->passing == PASSING_BY_CALLER) {
		caller_steps_out(e, c);
		enter(e, c, CALL_STATE_RESCUE);
	} else {
		rung_over(e, c, l, why, "passed on, and left");
		let_down(e, c, l, why);
	}
	reaching(e, c);
	return true;
}

void
pass_late(struct engine *e, struct call *c)
{
	if (c->passing != PASSING_NOT)
		pass_failed(e, c, CAUSE_NO_ANSWER, "no news of its setup");
}

/* ---- REFER --------------------------------------------------------------- */

void
leg_referred(
    struct engine *e, struct call *c, struct leg *l, const char *number)
{
	bool by_caller = l == &c->caller;
	uint16_t agent;

	/* Said once more: nobody knows whether it was heard. */
	if (c->passing != PASSING_NOT && l == passer(c) &&
	    strcmp(c->passed_to, number) == 0)
		return;
	if (c->state != CALL_STATE_WITH_HELPER || helper_up(c) == NULL ||
	    l == &c->helper[1] || c->passing != PASSING_NOT ||
	    c->kind == (by_caller ? CALL_LADDER : CALL_CODE)) {
		report(e, c, l, 403);
		return;
	}
	if (by_caller ? c->agent != CONF_NONE : l->kind == RUNG_AGENT) {
		pass_begin(e, c, l, number);
		return;
	}
	/* Outside, nobody disposes of our lines and agents. */
	if (by_caller || c->kind != CALL_LADDER) {
		report(e, c, l, 403);
		return;
	}
	/* A bot that asks for somebody we do not know, or who cannot come,
	 * still asks for a person: the ladder has one. */
	report(e, c, l, 200);
	helper_yields(
	    e, c, l, may_reach(e, number, &agent) == 0 ? number : NULL);
}
