/*
 * drill_kill - do callers notice when a process of the house is killed?
 *
 *      callers --+                 +-- cloud-a
 *      (trunk)   +-- holdfastd --+        kill -9 of hf-media, hf-sip, ...
 *
 * Real processes, real sockets, sound both ways.  Each process is killed so
 * many times, at random moments.  The callers' kernel has stamped each packet;
 * what counts is the longest time between two of them that each caller lived
 * through within a second of each kill.  The same is measured first round
 * instants at which nothing is killed: that is the noise floor.
 *
 *      gap      longest time between packets within a second of the kill
 *      lost     packets that cloud-a sent and no caller heard
 *      recover  the kill to the new process at work, as the log has it
 */
#include <getopt.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/crowd.h"
#include "bench/figure.h"

enum {
	KILLS_MAX = 100,
	AFTER_US = 1000000, /* what is looked at round a kill */
	ON_ITS_WAY_US = 20000,
	PAUSE_MS = 1500, /* at least, between two kills */
	PAUSE_MORE_MS = 2000,
	TAIL_MS = 1200,
	LINE_MAX_BYTES = 1024,
	MEDIA_GOAL_MS = 40,
	NOISE_GOAL_MS = 30,
	FLOOR_MS = 2, /* by so much two measures of the same may differ */
	DAY_S = 86400,
	EXIT_INVALID = 77,
	EXIT_UNMEASURED = 2,
};

#define KEEPER  "holdfastd"
#define UPGRADE "upgrade" /* nobody is killed: all are replaced */

/* Whom to kill; the first row kills nobody. */
static const struct victim {
	const char *room, *prefix;
} victims[] = {
	{ NULL, "noise_" },
	{ "hf-media", "media_" },
	{ "hf-sip", "sip_" },
	{ "hf-call", "call_" },
	{ "hf-store", "store_" },
	{ "hf-rec", "rec_" },
	{ KEEPER, "keeper_" },
	{ UPGRADE, "upgrade_" },
};

static int calls = 1000, kills = 30;
static bool quick, upgrades;

static int64_t gap[LINES_MAX * KILLS_MAX], recover[KILLS_MAX];
static int64_t kill_at[KILLS_MAX]; /* milliseconds of the day */
static size_t gaps, recoveries, killed;

/* ---- what the callers heard ---------------------------------------------- */

/* The longest time between two packets, the later of which came after begin
 * and the earlier before end; a silence that lasts until now is one. */
static int64_t
longest_gap(const struct line *l, int64_t begin, int64_t end)
{
	int64_t last = l->hears > 0 ? l->heard[l->hears - 1].at : begin;
	int64_t longest = ua_now() - last;

	/* Of what has come all is read now, but for what is on its way. */
	if (longest < ON_ITS_WAY_US)
		longest = 0;
	for (size_t i = 1; i < l->hears; i++) {
		int64_t from = l->heard[i - 1].at, to = l->heard[i].at;

		if (from > end)
			break;
		if (to >= begin && to - from > longest)
			longest = to - from;
	}
	return longest;
}

/* Of all packets so far: cloud-a's that were sent, less those that callers
 * heard.  What is on its way is in it. */
static int64_t
missing(void)
{
	int64_t n = 0;

	lines_drain(crowd.lines);
	for (int i = 0; i < crowd.bots_up; i++)
		n += (int64_t)crowd.bot[i].line->sent;
	for (int i = 0; i < crowd.calls; i++) {
		const struct line *l = crowd.caller[i].line;

		for (size_t k = 0; k < l->hears; k++)
			n -= l->heard[k].whose == CROWD_VOICE_A;
	}
	return n;
}

/* What has been looked at takes memory no more. */
static void
forget(void)
{
	lines_drain(crowd.lines);
	for (int i = 0; i < crowd.calls; i++)
		crowd.caller[i].line->hears = 0;
	for (int i = 0; i < crowd.bots_up; i++)
		crowd.bot[i].line->sent = 0;
}

static int
kept(void)
{
	int n = 0;

	for (int i = 0; i < crowd.calls; i++)
		n += crowd.caller[i].line->fd >= 0;
	return n;
}

/* ---- the keeper's log ---------------------------------------------------- */

/* Milliseconds of the day, or -1. */
static int64_t
stamp_of(const char *line)
{
	int h, m, s, ms;

	if (sscanf(line, "%*d-%*d-%*dT%d:%d:%d.%dZ", &h, &m, &s, &ms) != 4)
		return -1;
	return ((h * 60 + m) * 60 + s) * 1000 + ms;
}

static int64_t
of_the_day(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)(t.tv_sec % DAY_S) * 1000 + t.tv_nsec / 1000000;
}

/* From each kill to the line that says that the next one is at work. */
static void
read_recoveries(const char *room)
{
	char path[128], ready[64] = " house_adopted ", line[LINE_MAX_BYTES];
	size_t k = 0;
	FILE *f;

	snprintf(path, sizeof path, "%s/log", crowd.site->dir);
	if (strcmp(room, KEEPER) != 0)
		snprintf(ready, sizeof ready, " room_ready room=%s", room);
	f = fopen(path, "re");
	while (f != NULL && k < killed && fgets(line, sizeof line, f) != NULL)
		if (strstr(line, ready) != NULL && stamp_of(line) >= kill_at[k])
			recover[k] = 1000 * (stamp_of(line) - kill_at[k]), k++;
	recoveries = k;
	if (f != NULL)
		fclose(f);
}

/* ---- the drill ----------------------------------------------------------- */

static bool
upgrade(struct site *s)
{
	return site_upgrade(s, crowd.world);
}

/* Whoever is started by us may run on any processor: the world's own is not
 * for its children. */
static bool
on_any_processor(bool (*act)(struct site *s))
{
	cpu_set_t all, world;
	bool well;

	CPU_ZERO(&all);
	for (int i = 0; i < (int)sysconf(_SC_NPROCESSORS_ONLN); i++)
		CPU_SET((size_t)i, &all);
	if (sched_getaffinity(0, sizeof world, &world) != 0 ||
	    sched_setaffinity(0, sizeof all, &all) != 0)
		return false;
	well = act(crowd.site);
	return sched_setaffinity(0, sizeof world, &world) == 0 && well;
}

static bool
kill_it(const char *room)
{
	pid_t pid;

	if (room == NULL)
		return true;
	if (strcmp(room, KEEPER) == 0)
		return on_any_processor(site_new_keeper);
	if (strcmp(room, UPGRADE) == 0)
		return on_any_processor(upgrade);
	pid = site_child(crowd.site, room, 0);
	return pid > 0 && kill(pid, SIGKILL) == 0;
}

/* One kill, and what each caller lived through.  False: nobody to kill. */
static bool
kill_once(const char *room)
{
	int64_t at = ua_now(), end;

	kill_at[killed++] = of_the_day();
	if (!kill_it(room)) {
		fprintf(stderr, "drill_kill: there is no %s to kill\n", room);
		return false;
	}
	end = ua_now() + AFTER_US; /* an upgrade takes a while */
	crowd_stay(TAIL_MS);
	if (room != NULL &&
	    (strcmp(room, "hf-media") == 0 || strcmp(room, UPGRADE) == 0))
		crowd_place(); /* the new one where the old one was */
	lines_drain(crowd.lines);
	for (int i = 0; i < crowd.calls; i++)
		gap[gaps++] = longest_gap(crowd.caller[i].line, at, end);
	return true;
}

static bool
tell(const struct victim *v, int64_t lost, double *noise)
{
	double p50 = figure_percentile(gap, gaps, 50) / 1000;
	double p99 = figure_percentile(gap, gaps, 99) / 1000;
	double max = figure_percentile(gap, gaps, 100) / 1000;
	bool media = v->room != NULL && (strcmp(v->room, "hf-media") == 0 ||
					    strcmp(v->room, UPGRADE) == 0);
	char goal[32];
	bool met = true;

	if (v->room == NULL)
		*noise = p99;
	snprintf(goal, sizeof goal, "<=%.1f",
	    media ? (double)MEDIA_GOAL_MS : *noise + FLOOR_MS);
	figure(v->prefix, "gap_p50_ms", p50, NULL);
	/* A quick run is a test beside others: a hiccup is no failure. */
	met = figure(v->prefix, "gap_p99_ms", p99,
	    v->room == NULL || quick ? NULL : goal);
	figure(v->prefix, "gap_max_ms", max, NULL);
	figure(v->prefix, "packets_lost", (double)lost, NULL);
	if (v->room == NULL || strcmp(v->room, UPGRADE) == 0)
		return met;
	read_recoveries(v->room);
	snprintf(goal, sizeof goal, "==%zu", killed);
	met &= figure(v->prefix, "recovered", (double)recoveries, goal);
	figure(v->prefix, "recover_p50_ms",
	    figure_percentile(recover, recoveries, 50) / 1000, NULL);
	figure(v->prefix, "recover_max_ms",
	    figure_percentile(recover, recoveries, 100) / 1000, NULL);
	return met;
}

/* So many kills of one process.  False: it could not be done. */
static bool
drill(const struct victim *v, double *noise, bool *met)
{
	int64_t before;

	gaps = killed = 0;
	forget();
	before = missing();
	for (int k = 0; k < kills; k++) {
		crowd_stay(PAUSE_MS - TAIL_MS + rand() % PAUSE_MORE_MS);
		if (!kill_once(v->room))
			return false;
	}
	*met &= tell(v, missing() - before, noise);
	return true;
}

static int
play(void)
{
	double noise = 0;
	bool met = true, well = true;
	int lost, hear;

	if (!crowd_set_up())
		return EXIT_UNMEASURED;
	for (size_t i = 0; i < sizeof victims / sizeof *victims && well; i++) {
		const char *room = victims[i].room;

		if (room == NULL || (strcmp(room, UPGRADE) == 0) == upgrades)
			well = drill(&victims[i], &noise, &met);
	}
	hear = crowd_hearing(crowd.bot, crowd.bots_up);
	lost = calls - kept();
	if (lost < calls - hear)
		lost = calls - hear; /* who is not heard is lost as well */
	crowd_part();
	figure("", "calls", calls, NULL);
	met &= figure("", "calls_lost", lost, "==0");
	if (crowd.nexts_up > 0)
		printf("note: %d callers were passed on to the next bot\n",
		    crowd.nexts_up);
	if (!well)
		return EXIT_UNMEASURED;
	if (!quick && noise > NOISE_GOAL_MS) {
		printf("invalid: without any kill the gap is %.1f ms\n", noise);
		return EXIT_INVALID;
	}
	return met && crowd.nexts_up == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "kills", required_argument, NULL, 'k' },
		{ "quick", no_argument, NULL, 'q' },
		{ "upgrade", no_argument, NULL, 'u' },
		{ NULL, 0, NULL, 0 },
	};
	int status = EXIT_UNMEASURED;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'c')
			calls = atoi(optarg);
		else if (o == 'k')
			kills = atoi(optarg);
		else if (o == 'q')
			quick = true;
		else if (o == 'u')
			upgrades = true;
		else
			return EXIT_UNMEASURED;
	}
	if (calls < 1 || 2 * calls > LINES_MAX || kills < 1 ||
	    kills > KILLS_MAX) {
		fprintf(stderr,
		    "drill_kill [--calls N] [--kills N] "
		    "[--quick] [--upgrade]: at most %d calls, %d kills\n",
		    LINES_MAX / 2, KILLS_MAX);
		return EXIT_UNMEASURED;
	}
	srand((unsigned)time(NULL));
	if (crowd_new(calls) != NULL && crowd_start()) {
		crowd.site->pass = crowd_stay;
		status = play();
		if (status == EXIT_UNMEASURED)
			site_show_log(crowd.site);
		if (!crowd_stop() && status == EXIT_SUCCESS)
			status = EXIT_FAILURE;
	}
	crowd_free();
	return status;
}
