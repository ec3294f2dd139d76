/* logic/guard/patience - see patience.h */

#include "logic/guard/patience.h"

#include <string.h>

#include "base/check.h"

enum {
	SPOKEN_MS = 160,  /* so much of a voice is a word, not a click */
	PAUSE_MS = 300,   /* so much silence after it ends the turn */
	ANSWER_MS = 80,   /* so much of the helper's voice takes it */
	LAG_MIN = 10,     /* frames: shorter is a tone, not a loop */
	ALIKE_DB = 1,     /* two frames are the same */
	UNLIKE_COST = 12, /* frames that one difference takes back */
	QUIET = 40,       /* below: a pause */
	VARIES_DB = 15,   /* less within a lag is a tone or a hum */
	NOISE_TURNS = 38, /* of a hundred neighbours; speech has 10 to 25 */
	NOISE_LOUD = 66,
	CLIPPED_PCT = 15,
	GARBAGE_DECAY = 4, /* a good frame makes up for so many bad ones */
	FRAME_MS = 20,
};

static void
stop_turn(struct patience *p)
{
	p->turn = false;
	p->due = HF_TIME_NEVER;
}

void
patience_begin(
    struct patience *p, const struct patience_conf *c, struct hf_time now)
{
	hf_assert(c->prompt.us > 0);
	hf_assert(c->prompt.us <= c->lost.us);

	memset(p, 0, sizeof(*p));
	p->conf = *c;
	p->turn_since = now;
	p->frame_ms = FRAME_MS;
	p->due = HF_TIME_NEVER;
}

void
patience_rest(struct patience *p)
{
	stop_turn(p);
	p->caller_ms = p->caller_pause_ms = 0;
	p->garbage_ms = 0;
	p->frames = 0;
	memset(p->run, 0, sizeof(p->run));
}

enum patience_event
patience_caller(
    struct patience *p, const struct patience_frame *f, struct hf_time now)
{
	if (f->speaks) {
		if (p->caller_pause_ms >= PAUSE_MS)
			p->caller_ms = 0;
		p->caller_pause_ms = 0;
		if (p->caller_ms < UINT16_MAX - f->ms)
			p->caller_ms = (uint16_t)(p->caller_ms + f->ms);
		/* He goes on: the helper may well wait. */
		if (p->turn && !p->mute && p->caller_ms >= SPOKEN_MS)
			stop_turn(p);
		return PATIENCE_NOTHING;
	}
	if (p->caller_pause_ms < PAUSE_MS)
		p->caller_pause_ms = (uint16_t)(p->caller_pause_ms + f->ms);
	if (p->caller_pause_ms >= PAUSE_MS && p->caller_ms >= SPOKEN_MS) {
		p->caller_ms = 0;
		if (!p->turn) {
			p->turn = true;
			p->helper_ms = 0;
			p->turn_since = hf_time_after(
			    now, hf_ms(-(int64_t)p->caller_pause_ms));
			p->due = hf_time_after(p->turn_since, p->conf.prompt);
		}
	}
	return PATIENCE_NOTHING;
}

enum patience_event
patience_age(struct patience *p, struct hf_time now)
{
	if (!p->turn || hf_time_before(now, p->due))
		return PATIENCE_NOTHING;
	if (!p->mute) {
		p->mute = true;
		p->due = hf_time_after(p->turn_since, p->conf.lost);
		return PATIENCE_MUTE;
	}
	p->due = HF_TIME_NEVER;
	if (p->lost)
		return PATIENCE_NOTHING;
	p->lost = true;
	return PATIENCE_LOST;
}

/* ---- the same again ------------------------------------------------------ */

static bool
varies(const struct patience *p, uint32_t lag)
{
	uint8_t least = UINT8_MAX, most = 0;

	for (uint32_t i = 1; i <= lag; i++) {
		uint8_t v = p->print[(p->frames - i) % PATIENCE_LAGS];

		least = v < least ? v : least;
		most = v > most ? v : most;
	}
	return most - least >= VARIES_DB;
}

/* Compares the new frame with each one up to "lags" before it: where a lag
 * has matched for longer than it takes to hear the stretch loop_times over,
 * the helper repeats itself.  Loudness alone tells: two different sentences
 * never agree for seconds on end.  Pauses agree with pauses, so they count
 * for nothing; half of a stretch must be sound. */
static bool
hear_again(struct patience *p, uint8_t loud)
{
	uint32_t lags =
	    (uint32_t)(p->conf.loop.us * 5 / 4 / 1000) / p->frame_ms;
	uint32_t need = (uint32_t)(p->conf.loop.us / 2000) / p->frame_ms *
			(p->conf.loop_times - 1);
	bool looped = false;

	if (lags > PATIENCE_LAGS - 1)
		lags = PATIENCE_LAGS - 1;
	if (lags > p->frames)
		lags = p->frames;
	for (uint32_t lag = LAG_MIN; lag <= lags; lag++) {
		uint8_t then = p->print[(p->frames - lag) % PATIENCE_LAGS];
		int d = loud - then;

		if (loud < QUIET && then < QUIET)
			continue;
		if (d >= -ALIKE_DB && d <= ALIKE_DB) {
			p->run[lag] =
			    (uint16_t)(p->run[lag] + (p->run[lag] < need));
			looped |= p->run[lag] >= need;
		} else {
			p->run[lag] =
			    p->run[lag] > UNLIKE_COST
				? (uint16_t)(p->run[lag] - UNLIKE_COST)
				: 0;
		}
	}
	p->print[p->frames % PATIENCE_LAGS] = loud;
	p->frames++;
	if (!looped)
		return false;
	for (uint32_t lag = LAG_MIN; lag <= lags; lag++)
		if (p->run[lag] >= need && varies(p, lag))
			return true;
	return false;
}

static bool
is_garbage(const struct patience_frame *f)
{
	return f->constant || f->clipped_pct >= CLIPPED_PCT ||
	       (f->turns_pct >= NOISE_TURNS && f->loud >= NOISE_LOUD);
}

static bool
hear_garbage(struct patience *p, const struct patience_frame *f)
{
	uint32_t back = (uint32_t)f->ms * GARBAGE_DECAY;

	if (p->conf.garbage.us == 0)
		return false;
	if (is_garbage(f)) {
		p->garbage_ms += f->ms;
		p->clipped_pct = f->clipped_pct;
	} else {
		p->garbage_ms = p->garbage_ms > back ? p->garbage_ms - back : 0;
		if (p->garbage_ms == 0)
			p->garbled = false;
	}
	return p->garbage_ms >= p->conf.garbage.us / 1000;
}

enum patience_event
patience_helper(
    struct patience *p, const struct patience_frame *f, struct hf_time now)
{
	enum patience_event e = patience_age(p, now);

	if (e != PATIENCE_NOTHING || f->ms == 0)
		return e;
	if (f->ms != p->frame_ms) { /* another grid: begin to compare anew */
		p->frame_ms = f->ms;
		p->frames = 0;
		memset(p->run, 0, sizeof(p->run));
	}
	if (p->conf.loop_times > 1 && hear_again(p, f->loud) && !p->looped) {
		p->looped = true;
		return PATIENCE_LOOPED;
	}
	if (hear_garbage(p, f) && !p->garbled) {
		p->garbled = true;
		return PATIENCE_GARBLED;
	}
	if (!f->speaks || is_garbage(f)) {
		p->helper_ms = 0;
		return PATIENCE_NOTHING;
	}
	if (p->helper_ms < ANSWER_MS)
		p->helper_ms = (uint16_t)(p->helper_ms + f->ms);
	if (!p->turn || p->helper_ms < ANSWER_MS)
		return PATIENCE_NOTHING;
	stop_turn(p);
	if (!p->mute)
		return PATIENCE_NOTHING;
	p->mute = p->lost = false;
	return PATIENCE_SPEAKS;
}

void
patience_shift(struct patience *p, struct hf_span lateness)
{
	p->turn_since = hf_time_after(p->turn_since, lateness);
	if (p->due.us != INT64_MAX)
		p->due = hf_time_after(p->due, lateness);
}
