/*
 * bench_rescue - how long does a caller hear nothing when his bot dies?
 *
 *      callers --+                 +-- cloud-a, which dies call by call
 *      (trunk)   +-- holdfastd --+
 *                                  +-- cloud-b, the next rung
 *
 * Real processes, real sockets, sound both ways.  Each call's bot stops at a
 * random moment; the caller's kernel has stamped each packet, and its payload
 * tells who made it: cloud-a, cloud-b, or the house.  In the same run, before
 * anything dies, the same thing is measured without the fault: that is the
 * noise floor.
 *
 *      gap     last packet of cloud-a to the next packet, whatever it is
 *      voice   last packet of cloud-a to the first loud packet of the house
 *      decide  the fault to the BYE that gives cloud-a up
 *      late    how late the generator itself came to its milliseconds, which
 *              lengthens all the others
 */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/crowd.h"
#include "bench/figure.h"

enum {
	LOSS_PCT = 2,
	JITTER_MS = 4,
	NOISE_MS = 2000,
	TAIL_MS = 4000,
	NOISE_GOAL_MS = 30,
	EXIT_UNMEASURED = 2,
};

/* What came of a phase, the worst last; each is judged by itself, and the
 * worst of all is the run's. */
enum verdict { MET, INVALID, MISSED, UNMEASURED };
static const int exit_status[] = {
	[MET] = 0,
	[INVALID] = 77,
	[MISSED] = 1,
	[UNMEASURED] = EXIT_UNMEASURED,
};

struct phase {
	const char *prefix;
	bool closed;     /* the bot's RTP socket is closed: ICMP */
	bool bad_helper; /* 2 % loss and 4 ms jitter on its leg */
	bool bad_caller;
	const char *gap_goal, *decide_goal;
	bool quick; /* also in a quick run */
};

static const struct phase phases[] = {
	{ "", .gap_goal = "<=90", .quick = true },
	{ "closed_", .closed = true, .gap_goal = "<=90", .decide_goal = "<=50",
	    .quick = true },
	{ "lossy_", .bad_helper = true, .gap_goal = "<=90" },
	{ "lossy_both_", .bad_helper = true, .bad_caller = true,
	    .gap_goal = "<=115", .quick = true },
};

static int calls = 1000;
static int fault_ms = 10000;
static bool quick;

/* ---- a phase's acts
 * ------------------------------------------------------------------ */

static int64_t
own_cpu(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void
paths_go_bad(const struct phase *ph)
{
	for (int i = 0; i < calls; i++) {
		if (ph->bad_helper && crowd.bot[i].line != NULL)
			line_path(crowd.bot[i].line, LOSS_PCT, JITTER_MS);
		if (ph->bad_caller && crowd.caller[i].line != NULL)
			line_path(crowd.caller[i].line, LOSS_PCT, JITTER_MS);
	}
}

static void
fault(const struct phase *ph, struct party *p)
{
	if (p->line == NULL || p->line->fd < 0)
		return;
	p->fault = ua_now();
	if (ph->closed) {
		line_close(p->line);
	} else {
		p->line->call->speechless = true;
		p->fault = line_hush(p->line);
	}
}

struct death {
	int64_t at;
	struct party *who;
};

static int
by_time(const void *a, const void *b)
{
	const struct death *x = a, *y = b;

	return x->at < y->at ? -1 : x->at > y->at;
}

static void
bots_die(const struct phase *ph)
{
	static struct death death[LINES_MAX];
	int64_t start = ua_now();

	for (int i = 0; i < calls; i++)
		death[i] = (struct death){ start + (int64_t)(rand() %
							     (fault_ms * 1000)),
			&crowd.bot[i] };
	qsort(death, (size_t)calls, sizeof *death, by_time);
	for (int i = 0; i < calls; lines_turn(crowd.lines, crowd.world))
		for (int64_t now = ua_now(); i < calls && death[i].at <= now;
		     i++)
			fault(ph, death[i].who);
}

/* ---- what came of it
 * ------------------------------------------------------------------ */

/* The time between the packets round an instant. */
static int64_t
gap_at(const struct line *l, int64_t at)
{
	size_t i = 1;

	while (i < l->hears && l->heard[i].at <= at)
		i++;
	return i < l->hears ? l->heard[i].at - l->heard[i - 1].at : -1;
}

struct outcome {
	int64_t gap[LINES_MAX], voice[LINES_MAX], decide[LINES_MAX],
	    noise[LINES_MAX];
	size_t gaps, voices, decides, noises;
	int lost, early;
	int64_t late, late_max;
};

static void
caller_judge(const struct party *p, struct outcome *o)
{
	const struct line *l = p->line;
	size_t last = 0, i;
	bool helped = false;
	int64_t voice = -1;

	if (l == NULL || !p->told) {
		o->lost++;
		return;
	}
	for (i = 0; i < l->hears; i++)
		if (l->heard[i].whose == CROWD_VOICE_A)
			last = i;
	for (i = 0; i < last; i++)
		if (l->heard[i].whose == VOICE_FAINT ||
		    l->heard[i].whose == VOICE_SILENT) {
			o->early++; /* comfort noise while the bot was well */
			break;
		}
	for (i = last + 1; i < l->hears; i++) {
		if (l->heard[i].whose == VOICE_OTHER && voice < 0)
			voice = l->heard[i].at - l->heard[last].at;
		if (l->heard[i].whose == CROWD_VOICE_B)
			helped = true;
	}
	if (!helped)
		o->lost++;
	if (last + 1 < l->hears)
		o->gap[o->gaps++] = l->heard[last + 1].at - l->heard[last].at;
	/* Rescued before the prompt was due: cloud-b was the first voice. */
	if (voice >= 0)
		o->voice[o->voices++] = voice;
}

static void
lament(const struct phase *ph, const char *fmt, ...)
{
	va_list a;

	printf("%s: ", *ph->prefix != '\0' ? ph->prefix : "silent_");
	va_start(a, fmt);
	vprintf(fmt, a);
	va_end(a);
	printf("\n");
}

/* One measure of all calls: the middle, the last hundredth and the worst.  The
 * goal is for the last hundredth.  A quick run is a test, and a test is not to
 * fail by a hiccup of the machine: there it is for the middle, which no hiccup
 * moves. */
static bool
spread(const struct phase *ph, const char *what, int64_t *us, size_t n,
    const char *goal)
{
	static const struct {
		const char *name;
		int percent;
		bool judged, judged_quick;
	} row[] = {
		{ "p50", 50, .judged_quick = true },
		{ "p99", 99, .judged = true },
		{ "max", 100 },
	};
	char name[64];
	bool met = true;

	for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
		bool judged = quick ? row[i].judged_quick : row[i].judged;

		snprintf(name, sizeof name, "%s_%s_ms", what, row[i].name);
		met &= figure(ph->prefix, name,
		    figure_percentile(us, n, row[i].percent) / 1000,
		    judged ? goal : NULL);
	}
	return met;
}

static enum verdict
report(const struct phase *ph, struct outcome *o)
{
	const char *x = ph->prefix;
	/* A closed socket may be answered by the next bot before a prompt. */
	const char *prompt = ph->closed && o->voices == 0 ? NULL : "<=250";
	double noise = figure_percentile(o->noise, o->noises, 99) / 1000;
	bool met = true;

	met &= figure(x, "calls", calls, NULL);
	met &= figure(x, "calls_lost", o->lost, "==0");
	met &= spread(ph, "gap", o->gap, o->gaps, ph->gap_goal);
	met &= spread(ph, "voice", o->voice, o->voices, prompt);
	met &= spread(ph, "decide", o->decide, o->decides, ph->decide_goal);
	figure(x, "noise_p99_ms", noise, "<=30");
	figure(x, "late_p99_ms", (double)o->late / 1000, NULL);
	figure(x, "late_max_ms", (double)o->late_max / 1000, NULL);
	if (o->early > 0)
		lament(ph,
		    "%d callers heard comfort noise before their bot died",
		    o->early);
	if (o->gaps != (size_t)calls || o->decides == 0) {
		lament(ph, "could not measure: %zu gaps, %zu decisions",
		    o->gaps, o->decides);
		return UNMEASURED;
	}
	if (noise > NOISE_GOAL_MS) {
		lament(
		    ph, "invalid: without any fault the gap is %.1f ms", noise);
		return INVALID;
	}
	return met ? MET : MISSED;
}

/* One phase: everything between the first INVITE and the last BYE.  False:
 * there is nothing to report. */
static bool
act(const struct phase *ph, const struct site *s, struct outcome *o)
{
	if (!crowd_set_up())
		return false;
	int hear = crowd_hearing(crowd.bot, crowd.bots_up);
	if (hear != calls) {
		lament(
		    ph, "could not measure: %d bots hear their caller", hear);
		return false;
	}
	lines_lateness(crowd.lines, &o->late, &o->late_max);
	int64_t noise = ua_now();
	int64_t cpu = site_cpu(s), own = own_cpu();
	crowd_stay(NOISE_MS);
	lament(ph, "the house takes %.2f cores, the generator %.2f",
	    (double)(site_cpu(s) - cpu) / (NOISE_MS * 1000.0),
	    (double)(own_cpu() - own) / (NOISE_MS * 1000.0));
	paths_go_bad(ph);
	bots_die(ph);
	crowd_stay(TAIL_MS);
	lines_lateness(crowd.lines, &o->late, &o->late_max);
	hear = crowd_hearing(crowd.next, crowd.nexts_up);
	if (hear < calls)
		lament(ph, "%d next bots hear their caller", hear);
	lines_drain(crowd.lines);
	crowd_part();
	for (int i = 0; i < calls; i++) {
		caller_judge(&crowd.caller[i], o);
		int64_t at = noise + rand() % (NOISE_MS * 900) + NOISE_MS * 50;
		int64_t g = crowd.caller[i].line
				? gap_at(crowd.caller[i].line, at)
				: -1;
		if (g >= 0)
			o->noise[o->noises++] = g;
		if (crowd.bot[i].fault != 0 && crowd.bot[i].decided != 0)
			o->decide[o->decides++] =
			    crowd.bot[i].decided - crowd.bot[i].fault;
	}
	/* Who hears and is not heard is lost as well. */
	if (o->lost < calls - hear)
		o->lost = calls - hear;
	return true;
}

static enum verdict
play(const struct phase *ph)
{
	static struct outcome o;
	enum verdict v = UNMEASURED;

	memset(&o, 0, sizeof o);
	struct site *s = crowd_new(calls);
	if (s != NULL && crowd_start()) {
		bool acted = act(ph, s, &o);
		if (!acted)
			site_show_log(s);
		bool well = crowd_stop();
		if (acted)
			v = report(ph, &o);
		if (v == MET && !well)
			v = MISSED;
	}
	crowd_free();
	return v;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "quick", no_argument, NULL, 'q' },
		{ "only", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	const char *only = NULL;
	enum verdict worst = MET;

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		if (o == 'c')
			calls = atoi(optarg);
		else if (o == 'q')
			quick = true;
		else if (o == 'o')
			only = optarg;
		else
			return EXIT_UNMEASURED;
	}
	if (calls < 1 || 3 * calls > LINES_MAX)
		return EXIT_UNMEASURED;
	if (quick)
		fault_ms = 3000;
	srand((unsigned)time(NULL));
	for (size_t i = 0; i < sizeof phases / sizeof *phases; i++) {
		if ((quick && !phases[i].quick) ||
		    (only != NULL && strcmp(only, phases[i].prefix) != 0))
			continue;
		enum verdict v = play(&phases[i]);
		if (v > worst)
			worst = v;
	}
	return exit_status[worst];
}
