/* logic/guard/starve - see starve.h */

#include "logic/guard/starve.h"

#include "base/check.h"

enum {
	INTERVAL_MS = 20, /* until a packet tells */
	INTERVAL_MAX_MS = 150,
	BURST_WINDOW = 64,   /* packets */
	BURST_MIN = 3,       /* late ones among them: it sends in bursts */
	HUSH_MS = 60,        /* a gap behind so much silence may be meant */
	CONTINUOUS_MS = 500, /* nobody who suppresses silence sends so much */
	ROUGH_VOICE = 6,     /* times the mean: one in 400 gaps is longer */
	ROUGH_GAPS = 3,
	VOICE_MAX = 3,   /* times conf.voice */
	ROUGH_LOST = 20, /* times the mean: one in 10^8 gaps is longer */
	ROUGH_WEIGHT = 8,
	SKIP_MS = 40,      /* a timestamp leaps: the sender kept quiet */
	SKIPS_MIN = 3,     /* and so often: even one who sent silence before */
	KIN_PCT = 25,      /* of them, and at least ... */
	KIN_STREAMS = 200, /* so many count; then the past counts half */
	KIN_MIN = 2,       /* streams that agree speak for their helper */
	SIGNS_MIN = 2,     /* RTCP came so often: its silence means something */
};

#define TO(s) HF_BIT(STARVE_##s)
#define ANY   (TO(OFF) | TO(WAITING) | TO(HELD))
/* clang-format off */
static const struct {
	const char *name;
	unsigned next;			/* states that may follow */
} states[] = {
	[STARVE_OFF]     = { "off",     ANY },
	[STARVE_WAITING] = { "waiting", ANY | TO(WELL) | TO(VOICED) },
	[STARVE_WELL]    = { "well",    ANY | TO(LULL) | TO(SUSPECT) },
	[STARVE_LULL]    = { "lull",    ANY | TO(WELL) | TO(SUSPECT) },
	[STARVE_SUSPECT] = { "suspect", ANY | TO(WELL) | TO(VOICED) | TO(LULL) },
	[STARVE_VOICED]  = { "voiced",  ANY | TO(WELL) | TO(LULL) },
	[STARVE_HELD]    = { "held",    ANY | TO(WELL) },
};
/* clang-format on */
#undef ANY
#undef TO
_Static_assert(HF_LEN(states) == STARVE_NR, "one row per state");

static struct hf_span
interval(const struct starve *s)
{
	return hf_ms(s->interval_ms);
}

static struct hf_time
after_last(const struct starve *s, struct hf_span a)
{
	return hf_time_after(hf_time_after(s->last, interval(s)), a);
}

/* The prompt waits longer on a path that has swallowed several stretches in
 * this very call; a stall of all calls at once must not teach that. */
static struct hf_span
voice_after(const struct starve *s)
{
	struct hf_span v = s->conf.voice;
	int64_t rough = (int64_t)s->rough_us * ROUGH_VOICE;

	if (s->gaps < ROUGH_GAPS || rough <= v.us)
		return v;
	return (struct hf_span){ rough < VOICE_MAX * v.us ? rough
							  : VOICE_MAX * v.us };
}

static struct hf_span
grace(const struct starve *s, const struct starve_kin *kin)
{
	int64_t us = interval(s).us + s->conf.suspect.us +
		     (int64_t)kin->rough_us * ROUGH_LOST;

	if (us > s->conf.grace_max.us)
		us = s->conf.grace_max.us;
	/* Perhaps it only has nothing to say; we do not know it well yet. */
	if (s->hushed && us < s->conf.hush.us)
		us = s->conf.hush.us;
	return us > s->conf.lost.us ? (struct hf_span){ us } : s->conf.lost;
}

/* The only place where the state changes, and where a new state is set up. */
static void
move(struct starve *s, enum starve_state next, const struct starve_kin *kin)
{
	hf_assert(states[s->state].next & HF_BIT(next));

	s->state = next;
	switch (next) {
	case STARVE_OFF:
	case STARVE_HELD:
	case STARVE_VOICED:
		s->due = HF_TIME_NEVER;
		break;
	case STARVE_WAITING:
		s->due = hf_time_after(s->last, s->conf.never);
		break;
	case STARVE_WELL:
		s->due = after_last(s, s->conf.suspect);
		break;
	case STARVE_LULL:
		/* Who never sent RTCP cannot stop to send it. */
		s->due = s->signs >= SIGNS_MIN
			     ? hf_time_after(s->last, s->conf.sign_max)
			     : HF_TIME_NEVER;
		break;
	case STARVE_SUSPECT:
		s->grace = grace(s, kin);
		s->due = after_last(s, voice_after(s));
		break;
	}
}

/* So many streams of this helper say so that it is its way, not an accident
 * of one. */
static bool
is_way(const struct starve_kin *kin, uint16_t so_many)
{
	return so_many >= KIN_MIN &&
	       (uint32_t)so_many * 100 >= (uint32_t)kin->streams * KIN_PCT;
}

static void
learn_stream(struct starve_kin *kin)
{
	if (++kin->streams < KIN_STREAMS)
		return;
	kin->streams /= 2;
	kin->suppressing /= 2;
	kin->continuous /= 2;
}

void
starve_begin(struct starve *s, const struct starve_conf *c,
    const struct starve_kin *kin, struct hf_time now)
{
	bool suppresses = is_way(kin, kin->suppressing);

	hf_assert(c->suspect.us > 0);
	hf_assert(c->suspect.us <= c->voice.us);

	*s = (struct starve){
		.conf = *c,
		.last = now,
		.interval_ms = INTERVAL_MS,
		.frame_ms = INTERVAL_MS,
		.suppresses = suppresses,
		.continuous = !suppresses && is_way(kin, kin->continuous),
	};
	move(s, STARVE_WAITING, kin);
}

void
starve_end(struct starve *s)
{
	s->state = STARVE_OFF;
	s->due = HF_TIME_NEVER;
}

/* ---- what a packet teaches ----------------------------------------------- */

static void
learn_suppression(struct starve *s, struct starve_kin *kin)
{
	s->suppresses = true;
	if (!s->shown && kin->suppressing < UINT16_MAX)
		kin->suppressing++;
	s->shown = true;
}

static void
learn_quiet(
    struct starve *s, struct starve_kin *kin, const struct starve_packet *p)
{
	if (p->ms == 0)
		return;
	s->quiet_ms = p->quiet ? (uint16_t)(s->quiet_ms + p->ms) : 0;
	if (s->quiet_ms < CONTINUOUS_MS)
		return;
	s->quiet_ms = CONTINUOUS_MS;
	if (!s->sent_silence && kin->continuous < UINT16_MAX)
		kin->continuous++;
	s->sent_silence = s->continuous = true;
	if (!s->shown) /* its kin's way is not its own */
		s->suppresses = false;
}

/* The numbers go on but time was left out, or a talkspurt begins: the gap was
 * meant.  Once is enough, unless it has been sending its silence: that one may
 * have been stuck for a moment. */
static bool
kept_quiet(struct starve *s, const struct starve_packet *p, bool next)
{
	int32_t skip_ms = (int32_t)(p->ts - s->ts) / 8 - s->frame_ms;

	if (!next || p->ms == 0 || (!p->marker && skip_ms < SKIP_MS))
		return false;
	if (s->skips < UINT8_MAX)
		s->skips++;
	return !s->continuous || s->skips >= SKIPS_MIN;
}

/* A bot that delivers five frames every 100 ms is not failing four times out
 * of five: late packets of which none was lost stretch the interval. */
static void
learn_interval(struct starve *s, const struct starve_packet *p,
    struct hf_span gap, bool next)
{
	if (p->ms != 0)
		s->frame_ms = p->ms;
	if (next && gap.us > (int64_t)s->frame_ms * 1000 + s->conf.suspect.us) {
		int64_t ms = gap.us / 1000;

		if (ms <= INTERVAL_MAX_MS) {
			s->burst_ms =
			    (uint16_t)(s->burst_late == 0
					   ? ms
					   : (s->burst_ms * 3 + ms) / 4);
			s->burst_late++;
		}
	}
	if (s->interval_ms < s->frame_ms)
		s->interval_ms = s->frame_ms;
	if (++s->burst_seen < BURST_WINDOW)
		return;
	s->interval_ms =
	    s->burst_late >= BURST_MIN ? (uint8_t)s->burst_ms : s->frame_ms;
	s->burst_seen = s->burst_late = 0;
}

static uint32_t
learn_mean(uint32_t mean, uint16_t *gaps, int64_t over)
{
	int64_t n = *gaps < ROUGH_WEIGHT ? *gaps + 1 : ROUGH_WEIGHT;

	if (*gaps < UINT16_MAX)
		(*gaps)++;
	return (uint32_t)(mean + (over - (int64_t)mean) / n);
}

/* What the path swallowed beyond the first suspicion: for exponential gaps
 * that is their mean, however long we wait before we call it a gap. */
static void
learn_rough(struct starve *s, struct starve_kin *kin, struct hf_span gap)
{
	int64_t over = gap.us - interval(s).us - s->conf.suspect.us;

	if (over <= 0 || gap.us > s->conf.lost.us)
		return; /* an outage says nothing about ordinary days */
	s->rough_us = learn_mean(s->rough_us, &s->gaps, over);
	kin->rough_us = learn_mean(kin->rough_us, &kin->gaps, over);
}

enum starve_event
starve_hear(struct starve *s, struct starve_kin *kin,
    const struct starve_packet *p, struct hf_time now)
{
	struct hf_span gap = hf_time_since(s->last, now);
	bool known = s->came && p->ssrc == s->ssrc;
	bool next = known && p->seq == (uint16_t)(s->seq + 1);
	enum starve_state was = s->state;

	if (was == STARVE_OFF)
		return STARVE_NOTHING;
	if (p->cn || kept_quiet(s, p, next))
		learn_suppression(s, kin);
	else if (s->came && (was == STARVE_SUSPECT || was == STARVE_VOICED))
		learn_rough(s, kin, gap);
	if (known && was != STARVE_LULL)
		learn_interval(s, p, gap, next);
	learn_quiet(s, kin, p);

	if (!known || (int16_t)(p->seq - s->seq) > 0) {
		s->seq = p->seq;
		if (p->ms != 0)
			s->ts = p->ts;
	}
	if (!s->came) {
		learn_stream(kin);
		if (p->ms != 0)
			s->interval_ms = s->frame_ms = p->ms;
	}
	s->ssrc = p->ssrc;
	s->came = true;
	s->last = now;
	s->shifted.us = 0;

	switch (was) {
	case STARVE_OFF:
	case STARVE_HELD:
		return STARVE_NOTHING;
	case STARVE_WELL:
		s->due = after_last(s, s->conf.suspect);
		return STARVE_NOTHING;
	case STARVE_WAITING:
		move(s, STARVE_WELL, kin);
		return STARVE_NOTHING;
	case STARVE_LULL:
		if (p->cn) /* still nothing to say */
			return STARVE_NOTHING;
		move(s, STARVE_WELL, kin);
		return STARVE_RESUMED;
	case STARVE_SUSPECT:
	case STARVE_VOICED:
		move(s, STARVE_WELL, kin);
		return STARVE_RETURNED;
	}
	hf_never("no such state");
}

enum starve_event
starve_age(struct starve *s, const struct starve_kin *kin, struct hf_time now)
{
	struct hf_time sign;

	if (hf_time_before(now, s->due))
		return STARVE_NOTHING;
	switch (s->state) {
	case STARVE_OFF:
	case STARVE_HELD:
	case STARVE_VOICED:
		s->due = HF_TIME_NEVER;
		return STARVE_NOTHING;
	case STARVE_WAITING:
		s->hushed = false;
		s->grace = s->conf.never;
		move(s, STARVE_VOICED, kin);
		return STARVE_NEVER_CAME;
	case STARVE_WELL:
		s->hushed = !s->continuous && s->quiet_ms >= HUSH_MS;
		if (s->suppresses) {
			move(s, STARVE_LULL, kin);
			return STARVE_HUSHED;
		}
		move(s, STARVE_SUSPECT, kin);
		return STARVE_SUSPECTED;
	case STARVE_LULL:
		/* Silence is its way, but its RTCP has stopped as well. */
		sign = hf_time_before(s->sign, s->last) ? s->last : s->sign;
		s->due = hf_time_after(sign, s->conf.sign_max);
		if (hf_time_before(now, s->due))
			return STARVE_NOTHING;
		s->hushed = false;
		move(s, STARVE_SUSPECT, kin);
		return STARVE_SUSPECTED;
	case STARVE_SUSPECT:
		move(s, STARVE_VOICED, kin);
		return STARVE_SPOKEN_FOR;
	}
	hf_never("no such state");
}

enum starve_event
starve_hold(struct starve *s, bool held, struct hf_time now)
{
	static const struct starve_kin nobody;
	enum starve_state was = s->state;

	if (was == STARVE_OFF || held == (was == STARVE_HELD))
		return STARVE_NOTHING;
	if (held) {
		move(s, STARVE_HELD, &nobody);
		return was == STARVE_SUSPECT || was == STARVE_VOICED
			   ? STARVE_RETURNED
			   : STARVE_NOTHING;
	}
	s->last = now;
	s->shifted.us = 0;
	move(s, STARVE_WAITING, &nobody);
	return STARVE_NOTHING;
}

void
starve_sign(struct starve *s, struct hf_time now)
{
	s->sign = now;
	if (s->signs < UINT8_MAX)
		s->signs++;
}

void
starve_shift(struct starve *s, struct hf_span lateness, struct hf_time now)
{
	if (!hf_time_before(s->last, now))
		return; /* heard after the stall: nothing to make up for */
	if (s->shifted.us >= s->conf.lost.us)
		return;
	s->shifted.us += lateness.us;
	s->last = hf_time_after(s->last, lateness);
	if (s->due.us != INT64_MAX)
		s->due = hf_time_after(s->due, lateness);
}

const char *
starve_state_name(enum starve_state s)
{
	hf_assert((unsigned)s < STARVE_NR);
	return states[s].name;
}
