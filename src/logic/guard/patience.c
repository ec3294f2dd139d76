/* logic/guard/patience - see patience.h */

#include "logic/guard/patience.h"

#include <string.h>

#include "base/check.h"

enum {
	ANSWER_MS = 80,   /* so much of the helper's voice takes it */
	LAG_MIN = 10,     /* frames: shorter is a tone, not a loop */
	LOOK_EVERY = 25,  /* frames: the search is not done for each */
	SAMPLE = 40,      /* frames that must agree before we look closer */
	ALIKE_DB = 1,     /* two frames are the same */
	ALIKE_PCT = 92,   /* of them, in what is taken for a repetition */
	SOUND_PCT = 50,   /* of it: the rest may be pauses */
	QUIET = 40,       /* below: a pause */
	VARIES_DB = 15,   /* less within a lag is a tone or a hum */
	NOISE_TURNS = 38, /* of a hundred neighbours; speech has 10 to 25 */
	NOISE_LOUD = 66,
	CLIPPED_PCT = 15,
	GARBAGE_DECAY = 4, /* a good frame makes up for so many bad ones */
	FRAME_MS = 20,
};

static bool
has_spoken(const struct patience *p)
{
	return (int64_t)p->caller_ms * 1000 >= p->conf.word.us;
}

static bool
paused(const struct patience *p)
{
	return (int64_t)p->caller_pause_ms * 1000 >= p->conf.pause.us;
}

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
}

enum patience_event
patience_caller(
    struct patience *p, const struct patience_frame *f, struct hf_time now)
{
	if (f->speaks) {
		if (paused(p))
			p->caller_ms = 0;
		p->caller_pause_ms = 0;
		if (p->caller_ms < UINT16_MAX - f->ms)
			p->caller_ms = (uint16_t)(p->caller_ms + f->ms);
		/* He goes on: the helper may well wait. */
		if (p->turn && !p->mute && has_spoken(p))
			stop_turn(p);
		return PATIENCE_NOTHING;
	}
	if (!paused(p))
		p->caller_pause_ms = (uint16_t)(p->caller_pause_ms + f->ms);
	if (paused(p) && has_spoken(p)) {
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

static uint8_t
print_at(const struct patience *p, uint32_t back)
{
	return p->print[(p->frames - back) % PATIENCE_FRAMES];
}

/* A tone or a hum agrees with itself at any distance. */
static bool
varies(const struct patience *p, uint32_t lag)
{
	uint8_t least = UINT8_MAX, most = 0;

	for (uint32_t i = 1; i <= lag; i++) {
		uint8_t v = print_at(p, i);

		least = v < least ? v : least;
		most = v > most ? v : most;
	}
	return most - least >= VARIES_DB;
}

/* Of the last "frames", do those with sound agree with what was heard a lag
 * before?  Gives up once too many do not. */
static bool
agree(const struct patience *p, uint32_t lag, uint32_t frames)
{
	uint32_t unlike_max = frames * (100 - ALIKE_PCT) / 100, unlike = 0;
	uint32_t sound = 0;

	for (uint32_t i = 1; i <= frames; i++) {
		uint8_t now = print_at(p, i), then = print_at(p, i + lag);
		int d = now - then;

		if (now < QUIET && then < QUIET)
			continue; /* pauses agree with pauses */
		sound++;
		if ((d > ALIKE_DB || d < -ALIKE_DB) && ++unlike > unlike_max)
			return false;
	}
	return sound * 100 >= frames * SOUND_PCT;
}

/* Has the helper said the same stretch, loop long or shorter, loop_times over?
 * Loudness alone tells: two different sentences never agree for seconds on
 * end.  A search twice a second costs a fiftieth of looking at each frame. */
static bool
hear_again(struct patience *p, uint8_t loud)
{
	uint32_t loop = (uint32_t)(p->conf.loop.us / 1000) / p->frame_ms;
	uint32_t lags = loop * 5 / 4, need = loop * (p->conf.loop_times - 1);

	p->print[p->frames++ % PATIENCE_FRAMES] = loud;
	if (p->frames % LOOK_EVERY != 0)
		return false;
	if (lags > PATIENCE_FRAMES / 2)
		lags = PATIENCE_FRAMES / 2;
	if (need > PATIENCE_FRAMES - 1 - lags)
		need = PATIENCE_FRAMES - 1 - lags;
	if (p->frames < lags || !varies(p, lags))
		return false;
	for (uint32_t lag = LAG_MIN; lag <= lags; lag++) {
		if (p->frames < need + lag)
			return false;
		if (agree(p, lag, SAMPLE) && agree(p, lag, need) &&
		    varies(p, lag))
			return true;
	}
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
