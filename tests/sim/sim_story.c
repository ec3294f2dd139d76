/*
 * sim_story [-v] FILE...: plays each story in virtual time; a story with a
 * sweep once more for each moment at which somebody may hang up.  Last line:
 * N passed, N failed, N skipped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

enum { AFTERWARDS_MS = 90000 }; /* wrap-up, a goodbye, recordings */

static struct story story;
static bool verbose;

/* ---- time ---------------------------------------------------------------- */

static bool
earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void
sim_later(struct sim *s, int64_t ms, sim_event_fn *fn, uint64_t a, uint64_t b)
{
	unsigned i = s->events++;
	struct sim_event ev = { s->now + ms * 1000, ++s->seq, fn, a, b };

	hf_assert(s->events <= SIM_EVENTS);
	for (; i > 0 && earlier(&ev, &s->event[(i - 1) / 2]); i = (i - 1) / 2)
		s->event[i] = s->event[(i - 1) / 2];
	s->event[i] = ev;
}

static struct sim_event
first_event(struct sim *s)
{
	struct sim_event first = s->event[0], last = s->event[--s->events];
	unsigned i = 0, child;

	while ((child = 2 * i + 1) < s->events) {
		if (child + 1 < s->events &&
		    earlier(&s->event[child + 1], &s->event[child]))
			child++;
		if (!earlier(&s->event[child], &last))
			break;
		s->event[i] = s->event[child];
		i = child;
	}
	s->event[i] = last;
	return first;
}

void
sim_commit(struct sim *s)
{
	uint32_t place;

	while ((place = engine_changed(s->engine)) != HF_MAP_NONE)
		s->slots[place] = s->engine->call[place];
}

static void
leaves(struct sim *s, uint64_t a, uint64_t b)
{
	struct sim_actor *who = sim_find(s, s->leaver);

	(void)a;
	(void)b;
	if (who != NULL)
		sim_hangs_up(s, who, CAUSE_DONE, 0, "");
}

/* One more thing has happened to the engine. */
static void
moment(struct sim *s)
{
	sim_commit(s);
	if (++s->moments == s->leave_at)
		sim_later(s, 0, leaves, 0, 0);
}

void
sim_fact(struct sim *s, const struct msg *m)
{
	engine_fact(s->engine, m, (struct hf_time){ s->now }, &s->orders);
	moment(s);
}

static bool
anything_open(const struct sim *s)
{
	for (unsigned i = 0; i < SIM_STREAMS; i++) {
		if (s->stream[i].open)
			return true;
	}
	for (unsigned i = 0; i < SIM_LEGS; i++) {
		if (s->leg[i].state != LEG_FREE)
			return true;
	}
	return false;
}

bool
sim_run(struct sim *s, int64_t until, bool (*done)(struct sim *s, void *),
    void *arg)
{
	while (s->now <= until) {
		int64_t next = engine_next(s->engine).us;
		bool ticks = anything_open(s);

		if (done != NULL && done(s, arg))
			return true;
		if (s->events > 0 && s->event[0].at < next)
			next = s->event[0].at;
		if (ticks && s->tick < next)
			next = s->tick;
		if (next > until)
			break;
		if (next > s->now)
			s->now = next;
		if (ticks && s->now >= s->tick)
			sim_media_tick(s);
		if (!ticks)
			s->tick = s->now;
		while (s->events > 0 && s->event[0].at <= s->now) {
			struct sim_event ev = first_event(s);

			ev.fn(s, ev.a, ev.b);
		}
		if (engine_next(s->engine).us <= s->now) {
			engine_time(
			    s->engine, (struct hf_time){ s->now }, &s->orders);
			moment(s);
		}
	}
	if (until > s->now)
		s->now = until;
	return done != NULL && done(s, arg);
}

/* ---- acts ---------------------------------------------------------------- */

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
		sim_calls(s, a, dialled(s, t->word[1]));
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
	} else if (strcmp(t->word[0], "drain") == 0) {
		engine_drain(s->engine, t->words == 1);
		ok = true;
	}
	moment(s);
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
		    dialled(s, t->word[1]));
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

static bool
act(struct sim *s, const struct story_act *t)
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
	case STORY_RESTART:
		return restart(s, t->word[0]);
	case STORY_OPERATOR:
		return operate(s, t);
	case STORY_CROWD:
		crowd(s, t);
		return true;
	case STORY_CALLS:
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

/* ---- a story ------------------------------------------------------------- */

static void
complain(const struct sim *s, const char *path, const struct story_act *t)
{
	fprintf(stderr, "not ok: %s:%u: %s: %s", path, t->line,
	    story_verb_pattern(t->verb), s->why);
	for (unsigned i = 0; i < t->words; i++)
		fprintf(stderr, " %s", t->word[i]);
	fprintf(stderr, "\n");
}

static bool
nobody_left(struct sim *s, void *arg)
{
	(void)arg;
	return engine_calls(s->engine) == 0 && !anything_open(s);
}

/* All hang up; nothing may be left, and each call has its one record. */
static bool
ends_well(struct sim *s, const char *path)
{
	for (unsigned i = 0; i < s->actors; i++) {
		struct sim_actor *a = &s->actor[i];

		while (a->role == SIM_CALLER && sim_leg_current(s, a) != NULL)
			sim_hangs_up(s, a, CAUSE_DONE, 0, "");
	}
	if (!sim_run(s, s->now + 2000000, nobody_left, NULL)) {
		fprintf(stderr,
		    "not ok: %s: after the last caller left, %u "
		    "calls are up\n",
		    path, engine_calls(s->engine));
		return false;
	}
	engine_check(s->engine);
	if (s->came == s->ended)
		return true;
	fprintf(stderr, "not ok: %s: %u calls came, %u ended\n", path, s->came,
	    s->ended);
	return false;
}

/* When each act began in the run without a leaver. */
static int64_t began[STORY_ACTS_MAX];

static bool
play_acts(struct sim *s, const char *path)
{
	bool sweeping = s->leave_at != 0;

	for (unsigned i = 0; i < story.acts; i++) {
		const struct story_act *t = &story.act[i];

		s->why[0] = '\0';
		if (story_is_house(t->verb)) {
			if (s->engine == NULL) {
				sim_house(s, t);
				continue;
			}
			snprintf(
			    s->why, sizeof(s->why), "the house stands already");
			complain(s, path, t);
			return false;
		}
		if (s->engine == NULL && !sim_start(s))
			return false;
		if (sweeping) {
			if (story_is_expectation(t->verb))
				continue;
			sim_run(s, s->began + began[i], NULL, NULL);
			(void)act(s, t);
			continue;
		}
		began[i] = s->now - s->began;
		if (story_is_never(t->verb))
			continue;
		if (!(story_is_expectation(t->verb) ? sim_expect(s, t)
						    : act(s, t))) {
			complain(s, path, t);
			return false;
		}
	}
	return true;
}

static bool
nevers(struct sim *s, const char *path)
{
	for (unsigned i = 0; i < story.acts; i++) {
		const struct story_act *t = &story.act[i];

		if (!story_is_never(t->verb) || sim_never(s, t))
			continue;
		snprintf(s->why, sizeof(s->why), "it was so");
		complain(s, path, t);
		return false;
	}
	return true;
}

/* One run; *moments is how many there were. */
static bool
play(const char *path, uint64_t leave_at, uint64_t *moments)
{
	struct sim *s = sim_new();
	bool well;

	s->leave_at = leave_at;
	s->leaver = story.sweep;
	well = play_acts(s, path);
	*moments = s->moments;
	if (well && leave_at != 0)
		sim_run(s, s->now + AFTERWARDS_MS * 1000LL, nobody_left, NULL);
	well = well && ends_well(s, path);
	if (leave_at == 0)
		well = well && nevers(s, path);
	if (!well || (verbose && leave_at == 0))
		sim_show(s);
	if (!well && leave_at != 0)
		fprintf(stderr, "%s left after moment %llu\n", s->leaver,
		    (unsigned long long)leave_at);
	sim_free(s);
	return well;
}

static bool
play_all(const char *path)
{
	uint64_t moments, unused;
	bool well = play(path, 0, &moments);

	if (story.sweep == NULL)
		return well;
	for (uint64_t k = 1; well && k <= moments; k++)
		well = play(path, k, &unused);
	if (well)
		printf("  %s left at %llu moments\n", story.sweep,
		    (unsigned long long)moments);
	return well;
}

int
main(int argc, char **argv)
{
	unsigned passed = 0, failed = 0, skipped = 0;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-v") == 0) {
			verbose = true;
			continue;
		}
		if (!story_load(&story, argv[i])) {
			fprintf(
			    stderr, "not ok: %s: %s\n", argv[i], story.error);
			failed++;
		} else if (story.only_live) {
			printf(
			    "skipped %s: it is for real processes\n", argv[i]);
			skipped++;
		} else if (play_all(argv[i])) {
			printf("ok: %s\n", story.title);
			passed++;
		} else {
			printf("not ok: %s\n", story.title);
			failed++;
		}
		fflush(stdout);
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed == 0 ? 0 : 1;
}
