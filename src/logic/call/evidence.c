/* logic/call/evidence - what the journal hears: every rung with its cause and
 * its figures, every rescue, and one record at the end. */

#include <stdarg.h>

#include "logic/call/inner.h"

/* After a start hf-sip says within this which dialogs are no more. */
enum { FOUND_MS = 10000 };

#define ABOUT(e, o, c)                                                         \
	do {                                                                   \
		(o)->call = (c)->ref;                                          \
		TEXT((o)->id, (c)->id);                                        \
	} while (0)

const char *
engine_ladder_name(const struct engine *e, const struct call *c)
{
	return c->ladder < e->conf->ladders ? e->conf->ladder[c->ladder].name
					    : "";
}

static const char *
line_name(const struct engine *e, uint16_t trunk)
{
	return trunk < e->conf->trunks ? e->conf->trunk[trunk].name : "";
}

/* When what ends now was over.  Of a call that was found in its slot, and whose
 * dialog was not there any more, nothing is known after the last sign of life
 * of the process before. */
static struct hf_time
over_at(const struct engine *e, const struct call *c, enum cause why)
{
	const struct hf_span soon = hf_ms(FOUND_MS);

	if (why == CAUSE_OUR_FAULT && mind_of(e, c)->restored &&
	    hf_time_since(e->slept_until, e->now).us < soon.us &&
	    hf_time_before(c->arrived, e->slept_from))
		/* The last sign may be older than the answer. */
		return hf_time_before(e->slept_from, c->caller.up)
			   ? c->caller.up
			   : e->slept_from;
	return e->now;
}

static struct hf_wall
wall_at(const struct engine *e, struct hf_time at)
{
	return (struct hf_wall){ at.us + e->wall_ahead };
}

static struct hf_span
until(struct hf_time from, struct hf_time to)
{
	return hf_time_since(from, hf_time_before(to, from) ? from : to);
}

void
tell_came(struct engine *e, const struct call *c)
{
	struct msg_call_came *o = ORDER(e, MSG_CALL_CAME, call_came);

	ABOUT(e, o, c);
	o->at = c->came;
	o->trunk = c->trunk;
	TEXT(o->number, c->number);
	TEXT(o->from, c->from);
	TEXT(o->ladder, engine_ladder_name(e, c));
	TEXT(o->line, line_name(e, c->trunk));
	send_store(e);
}

void
tell_evidence(struct engine *e, const struct call *c, const char *what,
    const char *fmt, ...)
{
	struct msg_evidence *o = ORDER(e, MSG_EVIDENCE, evidence);
	va_list ap;

	ABOUT(e, o, c);
	o->at = wall_now(e);
	TEXT(o->what, what);
	va_start(ap, fmt);
	vsnprintf(o->detail, sizeof(o->detail), fmt, ap);
	va_end(ap);
	send_store(e);
}

void
tell_media_gap(struct engine *e, struct call *c, struct hf_span gap)
{
	if (!c->caller.open)
		return;
	tell_evidence(e, c, "room_returned", "hf-media after %lld ms",
	    (long long)gap.us / 1000);
	if (gap.us > c->worst_gap.us)
		c->worst_gap = gap;
}

void
tell_rung(struct engine *e, struct call *c, const struct leg *l, enum cause why,
    const char *evidence)
{
	struct msg_rung_ended *o = ORDER(e, MSG_RUNG_ENDED, rung_ended);
	struct hf_time over = over_at(e, c, why);

	ABOUT(e, o, c);
	o->at = wall_at(e, over);
	o->step = c->steps++;
	o->kind = (enum rung)l->kind;
	TEXT(o->name, leg_name(e, c, l));
	o->cause = why;
	o->code = l->code;
	o->leg = l->id;
	if (l->state == LEG_UP) {
		o->rang = hf_time_since(l->asked, l->up);
		o->talked = until(l->up, over);
	} else {
		o->rang = until(l->asked, over);
	}
	o->gap = l->gap;
	o->voice = l->voice;
	o->decided = l->voter.silent ? until(l->voter.last, over)
		     : l->state == LEG_UP && !l->voter.spoke
			 ? until(l->up, over)
			 : (struct hf_span){ 0 };
	TEXT(o->evidence, evidence);
	send_store(e);
}

void
tell_rung_without_leg(struct engine *e, struct call *c, enum rung kind,
    const char *name, enum cause why)
{
	struct msg_rung_ended *o = ORDER(e, MSG_RUNG_ENDED, rung_ended);
	struct hf_time over = over_at(e, c, why);

	ABOUT(e, o, c);
	o->at = wall_at(e, over);
	o->step = c->steps++;
	o->kind = kind;
	TEXT(o->name, name);
	o->cause = why;
	*(kind == RUNG_QUEUE ? &o->rang : &o->talked) =
	    until(c->rung_began, over);
	send_store(e);
}

void
tell_rescued(
    struct engine *e, struct call *c, enum rung to_kind, const char *to_name)
{
	struct msg_call_rescued *o = ORDER(e, MSG_CALL_RESCUED, call_rescued);

	c->rescues++;
	e->counts.rescues++;
	ABOUT(e, o, c);
	o->at = wall_now(e);
	o->from_kind = (enum rung)c->from_kind;
	TEXT(o->from_name, c->from_name);
	o->to_kind = to_kind;
	TEXT(o->to_name, to_name);
	o->why = (enum cause)c->why;
	o->after = hf_time_since(c->lost_since, e->now);
	send_store(e);
}

void
tell_ended(struct engine *e, const struct call *c, enum cause why)
{
	struct msg_call_ended *o = ORDER(e, MSG_CALL_ENDED, call_ended);

	ABOUT(e, o, c);
	o->came = c->came;
	o->answered = c->answered_at;
	o->ended = wall_at(e, over_at(e, c, why));
	TEXT(o->number, c->number);
	TEXT(o->from, c->from);
	TEXT(o->ladder, engine_ladder_name(e, c));
	o->trunk = c->trunk;
	o->cause = why;
	o->steps = c->steps;
	o->rescues = c->rescues;
	o->worst_gap = c->worst_gap;
	TEXT(o->last_name, c->last_name);
	o->last_kind = (enum rung)c->last_kind;
	o->caller_leg = c->caller_leg;
	o->helper_leg = c->helper_leg;
	TEXT(o->line, line_name(e, c->trunk));
	send_store(e);
}

void
tell_refused(struct engine *e, const struct msg_leg_arrived *m, enum cause why,
    uint16_t code, const char *reason)
{
	struct msg_call_ended *o = ORDER(e, MSG_CALL_ENDED, call_ended);
	struct msg_evidence *p;
	char id[sizeof(o->id)];

	call_name(e, id, sizeof(id));
	TEXT(o->id, id);
	o->came = m->at.us != 0 ? m->at : wall_now(e);
	o->ended = wall_now(e);
	TEXT(o->number, m->number);
	TEXT(o->from, m->from);
	o->trunk = m->trunk;
	TEXT(o->line, line_name(e, m->trunk));
	o->cause = why;
	o->last_kind = RUNG_CODE;
	o->caller_leg = m->leg;
	send_store(e);
	p = ORDER(e, MSG_EVIDENCE, evidence);
	TEXT(p->id, id);
	p->at = wall_now(e);
	TEXT(p->what, "refused");
	snprintf(p->detail, sizeof(p->detail), "%u%s%s", code,
	    reason[0] != '\0' ? " " : "", reason);
	send_store(e);
}

/* The trunk that it was on last, for hfctl call and trace. */
static void
tell_emergency_line(struct engine *e, const struct msg_emergency_ended *m)
{
	struct msg_rung_ended *o = ORDER(e, MSG_RUNG_ENDED, rung_ended);
	bool up = m->answered.us != 0;

	TEXT(o->id, m->id);
	o->at = m->ended;
	o->step = m->lines > 0 ? m->lines - 1 : 0;
	o->kind = RUNG_NUMBER;
	TEXT(o->name, m->over);
	o->cause = m->cause;
	o->code = m->code;
	o->leg = m->line;
	o->rang.us = (up ? m->answered.us : m->ended.us) - m->came.us;
	o->talked.us = up ? m->ended.us - m->answered.us : 0;
	TEXT(o->evidence, m->tried);
	send_store(e);
}

/* It may come again, to us or to the next of us: the journal knows it by its
 * name, and counts it once. */
void
tell_emergency(struct engine *e, const struct msg_emergency_ended *m)
{
	struct msg_call_ended *o = ORDER(e, MSG_CALL_ENDED, call_ended);
	struct msg_note_emergency *n;

	TEXT(o->id, m->id);
	o->came = m->came;
	o->answered = m->answered;
	o->ended = m->ended;
	TEXT(o->number, m->number);
	TEXT(o->from, m->from);
	TEXT(o->ladder, "emergency");
	o->trunk = m->trunk;
	TEXT(o->line, line_name(e, m->trunk));
	o->cause = m->cause;
	o->steps = m->lines;
	TEXT(o->last_name, m->over);
	o->last_kind = RUNG_NUMBER;
	o->caller_leg = m->leg;
	o->helper_leg = m->line;
	send_store(e);
	tell_emergency_line(e, m);
	n = ORDER(e, MSG_NOTE_EMERGENCY, note_emergency);
	n->leg = m->leg;
	send_sip(e);
}

void
tell_agent(struct engine *e, uint16_t agent, const char *why)
{
	struct msg_agent_moved *o = ORDER(e, MSG_AGENT_MOVED, agent_moved);

	o->agent = agent;
	TEXT(o->name, e->conf->agent[agent].name);
	o->state = (enum agent_state)e->agent[agent].state;
	o->at = wall_now(e);
	TEXT(o->why, why);
	send_store(e);
}

void
tell_breaker(struct engine *e, uint16_t helper, const char *evidence)
{
	struct msg_breaker_moved *o =
	    ORDER(e, MSG_BREAKER_MOVED, breaker_moved);

	o->helper = helper;
	TEXT(o->name, e->conf->helper[helper].name);
	o->state =
	    (enum breaker_state)breaker_phase(&e->helper[helper].breaker);
	o->at = wall_now(e);
	TEXT(o->evidence, evidence);
	send_store(e);
}

void
tell_operator(struct engine *e, const char *fmt, ...)
{
	struct msg_operator_acted *o =
	    ORDER(e, MSG_OPERATOR_ACTED, operator_acted);
	va_list ap;

	o->at = wall_now(e);
	TEXT(o->who, e->operator_name);
	va_start(ap, fmt);
	vsnprintf(o->what, sizeof(o->what), fmt, ap);
	va_end(ap);
	send_store(e);
}
