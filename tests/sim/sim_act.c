/* tests/sim/sim_act - what the cast and the operator do; see sim.h */

#include <stdio.h>
#include <string.h>

#include "sim/sim.h"

static const char *
dialled(const struct sim *s, const char *word)
{
	const struct {
		const char *word, *code;
	} codes[] = {
		{ "available", s->conf.codes.available },
		{ "not_ready", s->conf.codes.not_ready },
		{ "wrap_up_end", s->conf.codes.wrap_up_end },
		{ "voicemail", s->conf.codes.voicemail },
	};

	for (size_t i = 0; i < HF_LEN(codes); i++) {
		if (strcmp(word, codes[i].word) == 0)
			return codes[i].code;
	}
	return word;
}

static void
says(struct sim *s, struct sim_actor *a, enum sim_speech what)
{
	a->says = what;
	a->says_since = s->now;
}

static bool
standing_order(struct sim *s, struct sim_actor *a, const struct story_act *t)
{
	int64_t ms = t->span.us / 1000;

	switch (t->verb) {
	case STORY_WILL_ANSWER:
		a->will.answer_ms = ms;
		return true;
	case STORY_WILL_REFUSE:
		a->will.refuse = (int)t->number;
		return true;
	case STORY_WILL_TRY:
		a->will.try_only = true;
		return true;
	case STORY_WILL_RING:
		a->will.ring_only = true;
		return true;
	case STORY_WILL_NEVER_TRY:
		a->will.never_try = true;
		return true;
	case STORY_WILL_NO_MEDIA:
		a->will.no_media = true;
		return true;
	case STORY_WILL_EARLY:
		a->will.early = true;
		return true;
	case STORY_WILL_HANG_UP:
		a->will.hang_up_ms = ms;
		return true;
	case STORY_WILL_BEHAVE:
		a->will = (struct sim_manner){
			.answer_ms = a->role == SIM_AGENT ? -1 : 20,
		};
		return true;
	case STORY_REGISTERS:
	case STORY_UNREGISTERS:
		sim_registers(s, a, t->verb == STORY_REGISTERS);
		return true;
	default:
		return false;
	}
}

static bool
state_act(struct sim *s, struct sim_actor *a, const struct story_act *t)
{
	switch (t->verb) {
	case STORY_KILL_SILENTLY:
		a->dead = true;
		return true;
	case STORY_KILL_CLOSED:
		a->closed = true;
		sim_media_closed(s, a);
		return true;
	case STORY_KILL_MEDIA:
		a->media_dead = true;
		return true;
	case STORY_REVIVE:
		a->dead = a->closed = a->media_dead = false;
		return true;
	case STORY_MUTE:
		says(s, a, SAYS_NOTHING);
		return true;
	case STORY_TALKS:
		says(s, a, SAYS_WORDS);
		return true;
	case STORY_LOOPS:
		says(s, a, SAYS_SAME);
		return true;
	case STORY_GARBAGE:
		says(s, a, SAYS_GARBAGE);
		return true;
	case STORY_SUPPRESSES:
		a->suppresses = true;
		return true;
	default:
		return false;
	}
}

static bool
call_act(struct sim *s, struct sim_actor *a, const struct story_act *t)
{
	switch (t->verb) {
	case STORY_CALLS:
		sim_calls(s, a, dialled(s, t->word[1]), "");
		return true;
	case STORY_CALLS_WITH:
		sim_calls(s, a, dialled(s, t->word[1]), t->word[2]);
		return true;
	case STORY_ANSWERS:
		return sim_answers(s, a);
	case STORY_DECLINES:
		return sim_declines(
		    s, a, t->number != 0 ? (int)t->number : 486);
	case STORY_HANGS_UP:
		return sim_hangs_up(s, a, CAUSE_DONE, 0, "");
	case STORY_HANGS_UP_WITH:
		return sim_hangs_up(s, a, CAUSE_ERROR_BYE, (int)t->number, "");
	case STORY_HANGS_UP_SAYING:
		return sim_hangs_up(s, a,
		    strcmp(t->word[1], "agent") == 0 ? CAUSE_YIELDED
						     : CAUSE_DONE,
		    200, t->word[1]);
	case STORY_REFERS:
		return sim_refers(s, a, t->word[1]);
	case STORY_HOLDS:
		return sim_holds(s, a, true);
	case STORY_RESUMES:
		return sim_holds(s, a, false);
	case STORY_REOFFERS:
		return sim_reoffers(s, a);
	case STORY_PRESSES:
		return sim_presses(s, a, t->word[1]);
	case STORY_INFORMS:
		return sim_informs(s, a, t->word[1], t->word[2]);
	default:
		return false;
	}
}

static bool
operate(struct sim *s, const struct story_act *t)
{
	struct hf_time now = { s->now };
	const char *error = "what should that be?";
	const char *what = t->words > 2 ? t->word[2] : "";
	bool ok = false;

	engine_operator(s->engine, "story");
	if (strcmp(t->word[0], "agent") == 0 && t->words > 2) {
		ok = engine_agent_set(s->engine,
		    conf_agent_find(&s->conf, t->word[1]),
		    strcmp(what, "available") == 0 ? AGENT_STATE_AVAILABLE
						   : AGENT_STATE_NOT_READY,
		    "by an operator", now, &s->orders, &error);
	} else if (strcmp(t->word[0], "helper") == 0 && t->words > 2) {
		ok = engine_helper_force(s->engine,
		    conf_helper_find(&s->conf, t->word[1]),
		    strcmp(what, "open") == 0    ? BREAKER_FORCED_OPEN
		    : strcmp(what, "close") == 0 ? BREAKER_FORCED_CLOSED
						 : BREAKER_AUTO,
		    now, &s->orders, &error);
	} else if (strcmp(t->word[0], "drop") == 0 && t->words > 1) {
		struct hf_ref ref = HF_REF_NONE;

		(void)hf_ref_parse(t->word[1], &ref);
		ok = engine_call_drop(s->engine, ref, now, &s->orders, &error);
	} else if (strcmp(t->word[0], "drain") == 0) {
		engine_drain(s->engine, t->words == 1);
		ok = true;
	}
	sim_moment(s);
	if (!ok)
		snprintf(s->why, sizeof(s->why), "%s", error);
	return ok;
}

static bool
restart(struct sim *s, const char *name)
{
	if (strcmp(name, "hf-call") == 0)
		sim_restart_call(s);
	else if (strcmp(name, "hf-media") == 0)
		sim_media_restart(s);
	else if (strcmp(name, "hf-sip") == 0)
		sim_sip_restart(s);
	else
		return strcmp(name, "hf-rec") == 0 ||
		       strcmp(name, "hf-store") == 0;
	return true;
}

static void
cut(struct sim *s, const struct story_act *t)
{
	for (unsigned i = 0; i < s->actors; i++) {
		struct sim_actor *a = &s->actor[i];

		if (strcmp(t->word[0], "uplink") == 0
			? a->role == SIM_HELPER && a->remote
			: strcmp(a->name, t->word[0]) == 0)
			a->cut_until = s->now + t->span.us;
	}
}

static void
crowd(struct sim *s, const struct story_act *t)
{
	char name[32];

	for (long i = 0; i < t->number; i++) {
		snprintf(name, sizeof(name), "crowd-%ld", i + 1);
		sim_calls(s, sim_actor_new(s, name, SIM_CALLER),
		    dialled(s, t->word[1]), "");
	}
}

/* Deadlines and what is heard count from here. */
static void
act_begins(struct sim *s, const struct story_act *t)
{
	s->deadlines = s->now;
	if (t->verb == STORY_AFTER)
		return;
	s->acted = s->now;
	for (unsigned i = 0; i < s->actors; i++) {
		for (unsigned k = 0; k < SIM_SOUNDS; k++)
			s->actor[i].first_heard[k] = -1;
	}
}

bool
sim_act(struct sim *s, const struct story_act *t)
{
	struct sim_actor *a = t->words > 0 ? sim_find(s, t->word[0]) : NULL;

	act_begins(s, t);
	switch (t->verb) {
	case STORY_AFTER:
		sim_run(s, s->now + t->span.us, NULL, NULL);
		s->deadlines = s->now;
		return true;
	case STORY_CUT:
		cut(s, t);
		return true;
	case STORY_FREEZE:
		return true; /* our own stall shifts our own clocks: live */
	case STORY_RESTART_WITH:
		return restart(s, t->word[1]); /* there is no keeper here */
	case STORY_RESTART:
		return restart(s, t->word[0]);
	case STORY_UPGRADE:
		return true; /* what it costs is measured live */
	case STORY_RELOAD_WITHOUT:
	case STORY_RELOAD_WITH:
		return a != NULL &&
		       sim_reload(s, a, t->verb == STORY_RELOAD_WITH);
	case STORY_OPERATOR:
		return operate(s, t);
	case STORY_CROWD:
		crowd(s, t);
		return true;
	case STORY_CALLS:
	case STORY_CALLS_WITH:
		if (a == NULL)
			a = sim_actor_new(s, t->word[0], SIM_CALLER);
		break;
	default:
		break;
	}
	if (a == NULL) {
		snprintf(
		    s->why, sizeof(s->why), "nobody is called %s", t->word[0]);
		return false;
	}
	if (standing_order(s, a, t) || state_act(s, a, t) || call_act(s, a, t))
		return true;
	snprintf(s->why, sizeof(s->why), "%s has no call for that", a->name);
	return false;
}
