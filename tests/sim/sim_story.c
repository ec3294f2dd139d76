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
	return engine_calls(s->engine) == 0 && !sim_anything_open(s);
}

/* A site that calls is a caller, too. */
static bool
is_caller(struct sim *s, const struct sim_actor *a)
{
	const struct sim_leg *l = sim_leg_current(s, a);

	return l != NULL &&
	       (a->role == SIM_CALLER || (a->role == SIM_HELPER && !l->ours));
}

/* All hang up; nothing may be left, and each call has its one record. */
static bool
ends_well(struct sim *s, const char *path)
{
	for (unsigned i = 0; i < s->actors; i++) {
		struct sim_actor *a = &s->actor[i];

		while (is_caller(s, a))
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
			(void)sim_act(s, t);
			continue;
		}
		began[i] = s->now - s->began;
		if (story_is_never(t->verb))
			continue;
		if (!(story_is_expectation(t->verb) ? sim_expect(s, t)
						    : sim_act(s, t))) {
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
