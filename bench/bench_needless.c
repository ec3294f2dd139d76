/*
 * bench_needless - how often would we take a healthy helper for a dead one?
 *
 * Virtual time: batches of a hundred calls to one helper, ten minutes each,
 * whose packets are lost, delayed, held back and left out as on real lines;
 * the real starvation clock (logic/guard/starve) and the real vote judge them,
 * with the defaults of holdfast.conf(5).  The truth is that everyone is alive,
 * so each verdict is false: lost (a needless rescue) and voice (a needless
 * "one moment please").
 *
 * The patterns are invented, like those of any simulation; they are the same
 * that the thresholds were once chosen with.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "bench/figure.h"
#include "conf/load/load.h"
#include "logic/guard/starve.h"
#include "logic/guard/vote.h"

enum {
	BATCH = 100,   /* calls at a time */
	CALL_MIN = 10, /* minutes each */
	PENDING = 128, /* packets on their way, of one call */
	FRAME_US = 20000,
	FRAME_MS = 20,
	TICKS = 8, /* timestamp units in a millisecond */
	STEP_US = 5000,
	STAGGER_US = 60000000, /* calls begin within the first minute */
	US = 1000000,
	EXIT_MISSED = 1,
	EXIT_UNMEASURED = 2,
};

/* ---- the lines ----------------------------------------------------------- */

struct pattern {
	const char *name;
	double loss;       /* each packet by itself */
	double jitter_ms;  /* exponential, order not kept */
	double uniform_ms; /* the same, even */
	bool fifo;         /* uniform_ms, drawn anew twice a second, in order */
	double burst_ms, burst_loss; /* Gilbert: mean length, share */
	double spike_s;              /* every so often 50 to 300 ms, in order */
	double outage_s;             /* 100 to 400 ms, all calls at once */
	bool suppress;   /* 1 s of talk, 1.35 s of silence, exponential */
	double cn_ms;    /* comfort noise packets in the silence */
	bool utterances; /* says 2 to 8 s, then nothing for 3 to 20 s */
	bool silence;    /* as utterances, but its silence is sent */
	int clump;       /* packets sent together */
	bool hold;       /* now and then, for 5 to 60 s */
};

static const struct pattern patterns[] = {
	{ "clean", .loss = 0.0001, .jitter_ms = 1 },
	{ "random_1", .loss = 0.01, .jitter_ms = 3 },
	{ "random_5", .loss = 0.05, .jitter_ms = 5 },
	{ "burst_60", .burst_ms = 60, .burst_loss = 0.01, .jitter_ms = 3 },
	{ "burst_120", .burst_ms = 120, .burst_loss = 0.02, .jitter_ms = 3 },
	{ "spikes", .spike_s = 30, .jitter_ms = 2 },
	{ "outages", .outage_s = 600, .jitter_ms = 2 },
	{ "jitter_300", .uniform_ms = 300 },
	{ "jitter_300_order", .uniform_ms = 300, .fifo = true },
	{ "hold", .hold = true, .loss = 0.001, .jitter_ms = 3 },
	{ "dtx", .suppress = true, .jitter_ms = 3 },
	{ "dtx_loss", .suppress = true, .loss = 0.01, .jitter_ms = 3 },
	{ "dtx_cn", .suppress = true, .cn_ms = 160, .jitter_ms = 3 },
	{ "utterances", .utterances = true, .jitter_ms = 3 },
	{ "listens", .silence = true, .loss = 0.001, .jitter_ms = 3 },
	{ "clumps", .clump = 5, .jitter_ms = 2 },
};

/* ---- chance -------------------------------------------------------------- */

static uint64_t seed;

static double
chance(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (double)((seed * 2685821657736338717u) >> 11) /
	       9007199254740992.0;
}

static double
exponential(double mean)
{
	return mean > 0 ? -mean * log(1 - chance()) : 0;
}

static double
between(double a, double b)
{
	return a + (b - a) * chance();
}

/* ---- one call ------------------------------------------------------------ */

struct flight {
	int64_t at;
	struct starve_packet p;
};

struct call {
	struct starve starve;
	struct flight flight[PENDING]; /* a heap, soonest first */
	unsigned n;
	/* the sender */
	int64_t next; /* frame */
	uint16_t seq;
	uint32_t ts;
	bool talking, bad, marker;
	int64_t turn;       /* until then it talks, or is silent */
	int64_t quiet_from; /* the end of what it says: hangover */
	int64_t next_cn;
	int64_t slow_until, slow_us, last_arrival, redraw;
	int64_t next_spike;
	int64_t hold_at, hold_told, hold_end;
	bool held;
	/* the judge */
	bool silent, suppressed, voted;
	struct hf_time last;
};

static struct call calls[BATCH];
static int64_t outage_from, outage_to, outage_next;
static struct starve_kin kin;
static struct vote vote;
static struct conf conf;

static void
push(struct call *c, const struct flight *f)
{
	unsigned i = c->n;

	hf_assert(c->n < PENDING);
	c->n++;
	for (; i > 0 && c->flight[(i - 1) / 2].at > f->at; i = (i - 1) / 2)
		c->flight[i] = c->flight[(i - 1) / 2];
	c->flight[i] = *f;
}

static struct flight
pop(struct call *c)
{
	struct flight top = c->flight[0], f = c->flight[--c->n];
	unsigned i = 0, k;

	while ((k = 2 * i + 1) < c->n) {
		if (k + 1 < c->n && c->flight[k + 1].at < c->flight[k].at)
			k++;
		if (f.at <= c->flight[k].at)
			break;
		c->flight[i] = c->flight[k];
		i = k;
	}
	c->flight[i] = f;
	return top;
}

/* Who speaks now, and until when? */
static void
take_turn(struct call *c, const struct pattern *p, int64_t now)
{
	bool first = c->turn == 0;

	if (!p->suppress && !p->utterances && !p->silence) {
		c->talking = true;
		return;
	}
	if (now < c->turn)
		return;
	c->talking = first || !c->talking;
	if (p->suppress)
		c->turn =
		    now + (int64_t)(exponential(c->talking ? 1.0 : 1.35) * US);
	else
		c->turn = now + (int64_t)((c->talking ? between(2, 8)
						      : between(3, 20)) *
					  US);
	if (c->talking) {
		c->marker = true;
		/* The detector of speech hangs on for 60 to 200 ms, and a
		 * synthesizer ends in a breath. */
		c->turn += (int64_t)(between(0.06, 0.2) * US);
		c->quiet_from = c->turn - (int64_t)(between(0.06, 0.2) * US);
	} else {
		c->next_cn = now;
	}
}

static bool
is_lost(struct call *c, const struct pattern *p, int64_t now)
{
	if (now >= outage_from && now < outage_to)
		return true;
	if (p->burst_ms > 0) {
		double leave = FRAME_MS / p->burst_ms;
		double enter = leave * p->burst_loss / (1 - p->burst_loss);

		c->bad = chance() < (c->bad ? 1 - leave : enter);
		if (c->bad)
			return true;
	}
	return p->loss > 0 && chance() < p->loss;
}

static int64_t
arrival(struct call *c, const struct pattern *p, int64_t now)
{
	int64_t at = now + 20000 + (int64_t)(exponential(p->jitter_ms) * 1000);

	if (p->fifo) {
		if (now >= c->redraw) {
			c->slow_us =
			    (int64_t)(between(0, p->uniform_ms) * 1000);
			c->redraw = now + (int64_t)(exponential(0.5) * US);
		}
		at += c->slow_us;
	} else if (p->uniform_ms > 0) {
		at += (int64_t)(between(0, p->uniform_ms) * 1000);
	}
	if (p->spike_s > 0 && now >= c->next_spike) {
		c->slow_until = now + (int64_t)(between(0.05, 0.3) * US);
		c->next_spike = now + (int64_t)(exponential(p->spike_s) * US);
	}
	if (at < c->slow_until)
		at = c->slow_until;
	if (p->clump > 1) /* leaves with the last of its clump */
		at += (p->clump - 1 - c->seq % p->clump) * (int64_t)FRAME_US;
	if (p->fifo || p->spike_s > 0 || p->clump > 1) {
		if (at <= c->last_arrival)
			at = c->last_arrival + 100;
		c->last_arrival = at;
	}
	return at;
}

static void
emit(struct call *c, const struct pattern *p, int64_t now, bool cn)
{
	struct flight f = {
		.p = { .ssrc = 1,
		    .seq = c->seq,
		    .ts = c->ts,
		    .ms = cn ? 0 : FRAME_MS,
		    .marker = c->marker && !cn,
		    .cn = cn,
		    .quiet = !c->talking ||
			     (c->quiet_from != 0 && now >= c->quiet_from) },
	};

	c->seq++;
	if (!cn)
		c->marker = false;
	if (is_lost(c, p, now))
		return;
	f.at = arrival(c, p, now);
	push(c, &f);
}

/* The sender's next 20 ms. */
static void
send_frame(struct call *c, const struct pattern *p)
{
	int64_t now = c->next;

	c->next += FRAME_US;
	take_turn(c, p, now);
	if (c->talking || p->silence) {
		if (!(p->hold && now >= c->hold_at && now < c->hold_end))
			emit(c, p, now, false);
	} else if (p->cn_ms > 0 && now >= c->next_cn) {
		c->next_cn = now + (int64_t)(p->cn_ms * 1000);
		emit(c, p, now, true);
	}
	c->ts += FRAME_MS * TICKS;
}

/* ---- the judge, as hf-media and hf-call do it ---------------------------- */

struct outcome {
	uint64_t lost, voice, suspect;
	double minutes;
};

static struct vote_conf
vote_conf(void)
{
	return (struct vote_conf){
		.share = conf.guard.vote_share,
		.min = conf.guard.vote_min,
		.after = conf.guard.vote_after,
		.lost = conf.guard.lost,
		.uplink_helpers = conf.guard.uplink_helpers,
		.uplink_calls = conf.guard.uplink_calls,
		.uplink_within = conf.guard.uplink_within,
		.uplink_after = conf.guard.uplink_after,
	};
}

static void
watch(struct call *c, struct hf_time now)
{
	struct starve_conf s = {
		.suspect = conf.guard.suspect,
		.voice = conf.guard.voice,
		.lost = conf.guard.lost,
		.hush = conf.guard.hush,
		.never = conf.guard.never,
		.grace_max = conf.guard.grace_max,
		.sign_max = conf.guard.sign_max,
	};

	starve_begin(&c->starve, &s, &kin, now);
}

static void
note(struct call *c, enum starve_event e, struct hf_time now, struct outcome *o)
{
	struct vote_conf vc = vote_conf();

	switch (e) {
	case STARVE_NOTHING:
	case STARVE_HUSHED:
	case STARVE_RESUMED:
		break;
	case STARVE_SUSPECTED:
		o->suspect++;
		c->silent = true;
		c->last = c->starve.last;
		c->voted = !c->suppressed && !c->starve.hushed;
		if (c->voted)
			(void)vote_silent(&vote, &vc, now);
		break;
	case STARVE_NEVER_CAME:
	case STARVE_SPOKEN_FOR:
		o->voice++;
		break;
	case STARVE_RETURNED:
		if (c->voted)
			vote_well(&vote, &vc);
		c->silent = c->voted = false;
		break;
	}
	if (c->starve.suppresses && !c->suppressed) {
		c->suppressed = true; /* out of the vote */
		vote_leave(&vote, c->voted);
		c->voted = false;
	}
}

static void
judge(struct call *c, struct hf_time now, struct outcome *o)
{
	struct vote_conf vc = vote_conf();
	struct hf_time again;

	if (c->starve.grace.us > vc.lost.us)
		vc.lost = c->starve.grace;
	if (c->suppressed) {
		if (hf_time_since(c->last, now).us < vc.lost.us)
			return;
	} else if (vote_judge(&vote, 1, 0, &vc, c->last, now, &again) ==
		   VERDICT_WAIT) {
		return;
	}
	/* A needless rescue; the call goes on as if with another helper. */
	o->lost++;
	note(c, STARVE_RETURNED, now, o);
	watch(c, now);
}

static void
run_hold(struct call *c, int64_t now, struct outcome *o)
{
	struct hf_time t = { now };

	if (c->hold_at == 0)
		c->hold_at = now + (int64_t)(exponential(90) * US);
	if (c->hold_end == 0) {
		c->hold_end = c->hold_at + (int64_t)(between(5, 60) * US);
		/* The re-INVITE and the last packet race each other. */
		c->hold_told = c->hold_at + (int64_t)(between(-40, 40) * 1000);
	}
	if (!c->held && now >= c->hold_told && now < c->hold_end) {
		c->held = true;
		note(c, starve_hold(&c->starve, true, t), t, o);
	}
	if (c->held && now >= c->hold_end) {
		c->held = false;
		c->hold_at = c->hold_end = 0;
		note(c, starve_hold(&c->starve, false, t), t, o);
	}
}

static void
run_call(struct call *c, const struct pattern *p, int64_t to, struct outcome *o)
{
	while (c->next < to)
		send_frame(c, p);
	for (;;) {
		int64_t packet = c->n > 0 ? c->flight[0].at : INT64_MAX;
		/* hf-media looks once a millisecond. */
		int64_t due = c->starve.due.us == INT64_MAX
				  ? INT64_MAX
				  : (c->starve.due.us / 1000 + 1) * 1000;
		struct hf_time now;

		if (packet > to && due > to)
			break;
		if (packet <= due) {
			struct flight f = pop(c);

			now.us = f.at;
			note(c, starve_hear(&c->starve, &kin, &f.p, now), now,
			    o);
		} else {
			now.us = due;
			note(c, starve_age(&c->starve, &kin, now), now, o);
		}
	}
	if (p->hold)
		run_hold(c, to, o);
	if (c->silent)
		judge(c, (struct hf_time){ to }, o);
}

static void
run_batch(const struct pattern *p, int64_t begin, struct outcome *o)
{
	int64_t end = begin + (int64_t)CALL_MIN * 60 * US + STAGGER_US;

	memset(calls, 0, sizeof(calls));
	vote_init(&vote, true);
	outage_from = outage_to = 0;
	outage_next = begin + (int64_t)(exponential(p->outage_s) * US);
	for (int i = 0; i < BATCH; i++) {
		calls[i].next = begin + (int64_t)(chance() * STAGGER_US);
		calls[i].seq = (uint16_t)(chance() * 65536);
		calls[i].next_spike =
		    calls[i].next + (int64_t)(exponential(p->spike_s) * US);
	}
	for (int64_t t = begin; t < end; t += STEP_US) {
		if (p->outage_s > 0 && t >= outage_next) {
			outage_from = t;
			outage_to = t + (int64_t)(between(0.1, 0.4) * US);
			outage_next =
			    t + (int64_t)(exponential(p->outage_s) * US);
		}
		for (int i = 0; i < BATCH; i++) {
			struct call *c = &calls[i];

			if (c->next > t + STEP_US &&
			    c->starve.state == STARVE_OFF)
				continue; /* not there yet */
			if (c->starve.state == STARVE_OFF) {
				watch(c, (struct hf_time){ c->next });
				c->suppressed = c->starve.suppresses;
				if (!c->suppressed)
					vote_join(&vote);
			}
			run_call(c, p, t + STEP_US, o);
		}
	}
	o->minutes += (double)BATCH * CALL_MIN;
}

int
main(int argc, char **argv)
{
	static const struct option words[] = {
		{ "minutes", required_argument, NULL, 'm' },
		{ "only", required_argument, NULL, 'o' },
		{ 0 },
	};
	static struct conf_report report;
	static const char site[] = "site: bench\n";
	const char *only = NULL;
	double minutes = 10000;
	bool met = true;
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (c == 'm')
			minutes = atof(optarg);
		else if (c == 'o')
			only = optarg;
		else
			return EXIT_UNMEASURED;
	}
	if (!conf_load_memory(site, sizeof(site) - 1, "bench.yaml", NULL, &conf,
		NULL, &report))
		return EXIT_UNMEASURED;
	for (size_t i = 0; i < HF_LEN(patterns); i++) {
		const struct pattern *p = &patterns[i];
		struct outcome o = { 0 };
		char name[64];

		if (only != NULL && strcmp(only, p->name) != 0)
			continue;
		seed = 88172645463325252u + i;
		memset(&kin, 0, sizeof(kin)); /* a helper nobody knows yet */
		for (int64_t t = US; o.minutes < minutes;
		     t += (int64_t)(CALL_MIN + 2) * 60 * US)
			run_batch(p, t, &o);
		printf("%-18s %6.0f call-minutes, suspect %.3g voice %.3g lost "
		       "%.3g in a call's hour\n",
		    p->name, o.minutes, (double)o.suspect * 60 / o.minutes,
		    (double)o.voice * 60 / o.minutes,
		    (double)o.lost * 60 / o.minutes);
		snprintf(name, sizeof(name), "lost_false_%s", p->name);
		met &= figure("", name, (double)o.lost, "==0");
		snprintf(name, sizeof(name), "voice_false_%s", p->name);
		figure("", name, (double)o.voice, NULL);
	}
	return met ? EXIT_SUCCESS : EXIT_MISSED;
}
