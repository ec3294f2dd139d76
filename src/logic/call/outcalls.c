/* logic/call/outcalls - what an agent may dial: a feature code, a colleague,
 * a number on the allow-list; nothing else. */

#include "base/prompt.h"
#include "logic/call/inner.h"

enum {
	TONE_MAX_MS = 5000,
	HOUR_MS = 3600 * 1000,
};

uint16_t
outcall_code(enum cause why, uint16_t code)
{
	if (code >= 400 && code < 700)
		return code;
	switch (why) {
	case CAUSE_FORBIDDEN:
	case CAUSE_OVER_LIMIT:
		return 403;
	case CAUSE_BUSY:
		return 486;
	case CAUSE_NO_ANSWER:
	case CAUSE_UNSTAFFED:
	case CAUSE_LADDER_ENDED:
		return 480;
	case CAUSE_LOOP_DETECTED:
		return 482;
	default:
		return 503;
	}
}

/* ---- on whose account ---------------------------------------------------- */

static void
count(const struct leg *l, uint32_t n[CONF_AGENTS_MAX])
{
	if (l->id != 0 && l->payer != 0)
		n[l->payer - 1]++;
}

void
engine_outward(const struct engine *e, uint32_t n[CONF_AGENTS_MAX])
{
	memset(n, 0, CONF_AGENTS_MAX * sizeof(*n));
	for (uint32_t i = 0; e->pool.used > 0 && i < e->pool.cap; i++) {
		const struct call *c = &e->call[i];

		if (c->ref.gen == 0)
			continue;
		count(&c->caller, n);
		for (size_t k = 0; k < HF_LEN(c->helper); k++)
			count(&c->helper[k], n);
	}
}

/* Each call owes the account an hour's share of time. */
bool
outcall_pays(struct engine *e, uint16_t agent)
{
	const struct conf_outbound *o = &e->conf->outbound;
	struct agent *a = &e->agent[agent];
	struct hf_time owed = a->charged;
	struct hf_span share = { 0 };
	uint32_t now[CONF_AGENTS_MAX];

	if (hf_time_before(owed, e->now))
		owed = e->now;
	if (o->per_hour > 0) {
		share.us = hf_ms(HOUR_MS).us / o->per_hour;
		owed = hf_time_after(owed, share);
	}
	engine_outward(e, now);
	if (hf_time_since(e->now, owed).us > share.us * o->per_hour ||
	    (o->at_once > 0 && now[agent] >= o->at_once)) {
		e->counts.refused_over_limit++;
		return false;
	}
	a->charged = owed;
	return true;
}

/* ---- what is dialled ----------------------------------------------------- */

static bool
is_code(const char *code, const char *dialled)
{
	return code[0] != '\0' && strcmp(code, dialled) == 0;
}

/* The code, and behind it which box. */
static uint16_t
coded_box(const struct engine *e, uint16_t agent, const char *dialled)
{
	const char *code = e->conf->codes.voicemail;
	size_t n = strlen(code);

	return n > 0 && strncmp(code, dialled, n) == 0 && dialled[n] != '\0'
		   ? voicemail_box(e, agent, dialled + n)
		   : CONF_NONE;
}

/* Two short tones, or a low one, and that was it. */
static void
code_tone(struct engine *e, struct call *c, bool done)
{
	const uint8_t tone[] = { done ? PROMPT_CONFIRM : PROMPT_REFUSE,
		PROMPT_NONE };

	c->kind = CALL_CODE;
	caller_answer(e, c);
	enter(e, c, CALL_STATE_WITH_HELPER);
	caller_play(e, c, tone, AFTER_SILENCE, 0);
	due_in(e, c, DUE_STATE, hf_ms(TONE_MAX_MS));
}

static void
refuse(struct engine *e, struct call *c, enum cause why)
{
	c->kind = CALL_DIRECT;
	gone(e, c, why);
}

static void
ring(struct engine *e, struct call *c, enum rung kind, uint16_t row)
{
	struct leg *l;

	c->kind = CALL_DIRECT;
	TEXT(c->target, c->number);
	l = kind == RUNG_AGENT ? leg_ring(e, c, kind, row, CALL_RUNG_NONE,
				     c->number, e->conf->calls.ring)
			       : number_ring(e, c, CALL_RUNG_NONE, c->number,
				     e->conf->calls.ring);
	if (l == NULL) {
		gone(e, c, CAUSE_OUR_FAULT);
		return;
	}
	if (kind == RUNG_AGENT)
		agent_ring(e, row, c);
	else
		l->payer = c->agent + 1;
	enter(e, c, CALL_STATE_REACHING);
	due_in(e, c, DUE_STATE, ring_late(e->conf->calls.ring));
}

static void
colleague(struct engine *e, struct call *c, uint16_t agent)
{
	switch (agent_reached_as(e, agent)) {
	case AGENT_STATE_OFFLINE:
		refuse(e, c, CAUSE_UNSTAFFED);
		break;
	case AGENT_STATE_RINGING:
	case AGENT_STATE_ON_CALL:
		refuse(e, c, CAUSE_BUSY);
		break;
	case AGENT_STATE_AVAILABLE:
	case AGENT_STATE_WRAP_UP:
	case AGENT_STATE_NOT_READY:
		ring(e, c, RUNG_AGENT, agent);
		break;
	}
}

void
outcall_arrived(struct engine *e, struct call *c)
{
	const struct conf_codes *codes = &e->conf->codes;
	uint16_t agent = c->agent;
	uint16_t other = agent_of_extension(e, c->number), box;

	if (is_code(codes->available, c->number) ||
	    is_code(codes->wrap_up_end, c->number)) {
		code_tone(e, c,
		    agent_wish(
			e, agent, AGENT_STATE_AVAILABLE, "by feature code"));
	} else if (is_code(codes->not_ready, c->number)) {
		code_tone(e, c,
		    agent_wish(
			e, agent, AGENT_STATE_NOT_READY, "by feature code"));
	} else if (is_code(codes->voicemail, c->number)) {
		voicemail_listen(e, c, voicemail_box(e, agent, ""));
	} else if ((box = coded_box(e, agent, c->number)) != CONF_NONE) {
		voicemail_listen(e, c, box);
	} else if (!hf_ref_none(e->agent[agent].call)) {
		/* One call at a time: his phone's second line stays free. */
		refuse(e, c, CAUSE_BUSY);
	} else if (other != CONF_NONE && other != agent) {
		agent_talk(e, agent, c, true);
		colleague(e, c, other);
	} else if (e->conf->outbound.vias > 0 &&
		   conf_may_call(e->conf, c->number)) {
		if (!outcall_pays(e, agent)) {
			refuse(e, c, CAUSE_OVER_LIMIT);
			return;
		}
		agent_talk(e, agent, c, true);
		ring(e, c, RUNG_NUMBER, CONF_NONE);
	} else {
		refuse(e, c, CAUSE_FORBIDDEN);
	}
}
