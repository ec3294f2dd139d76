/*
 * bench_needless - how often would we take a healthy helper for a dead one?
 *
 * Virtual time: batches of a hundred calls to one helper, ten minutes each,
 * whose packets are lost, delayed, held back and left out as on real lines.
 * They are watched as hf-media does it (logic/guard/watch: starvation and
 * patience) and judged as hf-call does it (logic/guard/vote), with the defaults
 * of holdfast.conf(5).  The truth is that everyone is alive and answers, so
 * each verdict is false: lost (a needless rescue), voice (a needless "one
 * moment please") and mute (a needless "are you still there?").
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
#include "logic/guard/vote.h"
#include "logic/guard/watch.h"

enum {
	BATCH = 100,   /* calls at a time */
	CALL_MIN = 10, /* minutes each */
	PENDING = 128, /* packets on their way, of one call */
	FRAME_US = 20000,
	FRAME_MS = 20,
	TICKS = 8, /* timestamp units in a millisecond */
	STEP_US = 5000,
	LOUD = 50, /* dB of speech, and as much above it */
	LOUDER = 24,
	HUM = 20, /* of silence that is sent */
	TURNS_PCT = 18,
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
	uint8_t loud;
};

struct call {
	struct watch watch;
	struct patience patience;
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
	/* the caller: speaks while it is silent, or into what it says */
	int64_t caller_next, says_from, says_to;
	struct voter voter;
};

static struct call calls[BATCH];
static int64_t outage_from, outage_to, outage_next;
static struct starve_kin kin;
static struct vote vote;
static struct vote_conf vote_keys;
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
		/* Who was spoken to answers with more than a click. */
		if (now < c->says_to + 2 * US && c->turn < now + US / 2)
			c->turn = now + US / 2;
		/* The detector of speech hangs on for 60 to 200 ms, and a
		 * synthesizer ends in a breath. */
		c->turn += (int64_t)(between(0.06, 0.2) * US);
		c->quiet_from = c->turn - (int64_t)(between(0.06, 0.2) * US);
	} else {
		c->next_cn = now;
		/* The caller has his turn; then it thinks for a moment. */
		c->says_from = now + (int64_t)(between(0.2, 0.5) * US);
		c->says_to = c->turn - (int64_t)(between(0.3, 1.5) * US);
	}
}

/* Loudness of the n-th frame of speech: no two stretches are alike. */
static uint8_t
loudness(uint32_t n)
{
	n = (n ^ n >> 16) * 0x85ebca6bu;
	n = (n ^ n >> 13) * 0xc2b2ae35u;
	return (uint8_t)(LOUD + (n ^ n >> 16) % LOUDER);
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

	f.loud = f.p.quiet ? HUM : loudness(c->ts);
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

/* ---- what the house makes of it ------------------------------------------ */

struct outcome {
	uint64_t lost, voice, mute, suspect;
	double minutes;
};

static void
join(struct call *c, struct hf_time now)
{
	watch_begin(&c->watch, &c->patience, &conf.guard, JUDGE_EAR, c->held,
	    &kin, now);
	c->voter = (struct voter){ 0 };
	(void)voter_cast(&c->voter, &vote, &vote_keys, true, now);
}

/* A needless rescue; the call goes on as if with another helper. */
static void
lose(struct call *c, struct hf_time now, struct outcome *o)
{
	o->lost++;
	(void)voter_cast(&c->voter, &vote, &vote_keys, false, now);
	join(c, now);
}

static void
hear_fact(
    struct call *c, const struct msg *m, struct hf_time now, struct outcome *o)
{
	struct voter *r = &c->voter;

	switch ((int)m->type) {
	case MSG_STREAM_SUSPECT:
		o->suspect++;
		voter_suspect(r, m->stream_suspect.last,
		    m->stream_suspect.grace, m->stream_suspect.pause, now);
		break;
	case MSG_STREAM_VOICED:
		o->voice++;
		break;
	case MSG_STREAM_WELL:
		r->silent = false;
		break;
	case MSG_STREAM_SUPPRESSED:
		r->suppressed = true;
		break;
	case MSG_STREAM_MUTE:
		o->mute += !m->stream_mute.lost;
		if (m->stream_mute.lost)
			lose(c, now, o);
		return;
	case MSG_STREAM_LOOPED:
	case MSG_STREAM_GARBLED:
		lose(c, now, o);
		return;
	}
	(void)voter_cast(r, &vote, &vote_keys, true, now);
}

static void
obey(struct call *c, unsigned news, struct hf_time now, struct outcome *o)
{
	struct msg m;

	while (news != 0 && c->watch.on &&
	       watch_fact(&c->watch, &news, HF_REF_NONE, now, &m))
		hear_fact(c, &m, now, o);
}

static void
judge(struct call *c, struct hf_time now, struct outcome *o)
{
	struct hf_time again;

	if (voter_judge(&c->voter, &vote, 1, 0, &vote_keys, now, &again) !=
	    VERDICT_WAIT)
		lose(c, now, o);
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
		obey(c, watch_hold(&c->watch, true, true, t), t, o);
	}
	if (c->held && now >= c->hold_end) {
		c->held = false;
		c->hold_at = c->hold_end = 0;
		obey(c, watch_hold(&c->watch, true, false, t), t, o);
	}
}

static struct patience_frame
frame(uint8_t ms, uint8_t loud)
{
	return (struct patience_frame){
		.ms = ms,
		.loud = loud,
		.turns_pct = TURNS_PCT,
		.speaks = loud >= LOUD,
	};
}

static void
packet_came(struct call *c, struct outcome *o)
{
	struct flight f = pop(c);
	struct patience_frame said = frame(f.p.ms, f.loud);
	struct hf_time now = { f.at };

	c->voter.spoke = true;
	obey(c,
	    watch_helper(
		&c->watch, &kin, &f.p, f.p.cn || c->held ? NULL : &said, now),
	    now, o);
}

/* The caller's next 20 ms, on a good line.  A helper who talks and talks is
 * interrupted with a word now and then. */
static void
caller_speaks(struct call *c, struct outcome *o)
{
	struct hf_time now = { c->caller_next };
	struct patience_frame f;
	bool says;

	if (c->turn == 0 && now.us >= c->says_to) {
		c->says_from = now.us + (int64_t)(exponential(8) * US);
		c->says_to = c->says_from + (int64_t)(between(0.4, 1.5) * US);
	}
	c->caller_next += FRAME_US;
	says = now.us >= c->says_from && now.us < c->says_to;
	f = frame(FRAME_MS, says ? LOUD : HUM);
	if (!c->held)
		obey(c, watch_caller(&c->watch, &f, now), now, o);
}

static void
run_call(struct call *c, const struct pattern *p, int64_t to, struct outcome *o)
{
	while (c->next < to)
		send_frame(c, p);
	for (;;) {
		int64_t packet = c->n > 0 ? c->flight[0].at : INT64_MAX;
		struct hf_time due = watch_due(&c->watch);

		/* hf-media looks once a millisecond. */
		if (due.us != INT64_MAX)
			due.us = (due.us / 1000 + 1) * 1000;
		if (packet > to && due.us > to && c->caller_next > to)
			break;
		if (c->caller_next <= packet && c->caller_next <= due.us)
			caller_speaks(c, o);
		else if (packet <= due.us)
			packet_came(c, o);
		else
			obey(c, watch_age(&c->watch, &kin, due), due, o);
	}
	if (p->hold)
		run_hold(c, to, o);
	if (c->voter.silent)
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

			if (c->next > t + STEP_US && !c->watch.on)
				continue; /* not there yet */
			if (!c->watch.on) {
				join(c, (struct hf_time){ c->next });
				c->caller_next = c->next;
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
	vote_keys = vote_conf(&conf.guard);
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
		printf("%-18s %6.0f call-minutes, suspect %.3g voice %.3g mute "
		       "%.3g lost %.3g in a call's hour\n",
		    p->name, o.minutes, (double)o.suspect * 60 / o.minutes,
		    (double)o.voice * 60 / o.minutes,
		    (double)o.mute * 60 / o.minutes,
		    (double)o.lost * 60 / o.minutes);
		snprintf(name, sizeof(name), "lost_false_%s", p->name);
		met &= figure("", name, (double)o.lost, "==0");
		snprintf(name, sizeof(name), "voice_false_%s", p->name);
		figure("", name, (double)o.voice, NULL);
		snprintf(name, sizeof(name), "mute_false_%s", p->name);
		figure("", name, (double)o.mute, NULL);
	}
	return met ? EXIT_SUCCESS : EXIT_MISSED;
}
