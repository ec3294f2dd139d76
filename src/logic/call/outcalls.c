/* logic/call/outcalls - what an agent may dial: a feature code, a colleague,
 * a number on the allow-list; nothing else. */

#include "base/prompt.h"
#include "logic/call/inner.h"

enum {
	TONE_MAX_MS = 5000,
};

uint16_t
outcall_code(enum cause why, uint16_t code)
{
	if (code >= 400 && code < 700)
		return code;
	switch (why) {
	case CAUSE_FORBIDDEN:
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
		agent_talk(e, agent, c, true);
		ring(e, c, RUNG_NUMBER, CONF_NONE);
	} else {
		refuse(e, c, CAUSE_FORBIDDEN);
	}
}
