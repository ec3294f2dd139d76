/*
 * logic/guard/watch - one helper, watched by whoever hears its packets: is its
 * audio still coming (starve), is it useful (patience), what does the caller
 * hear meanwhile, and what is hf-call told?
 *
 *      packets, frames, time, hold --> watch --> news: bits, nearly always none
 *                                        '-----> facts: for hf-call (vote.h)
 *
 * hf-media, the stories in virtual time and bench-needless watch with this
 * page; none of them judges by itself.
 *
 * Pure: no I/O, no clock, no allocation.
 */
#ifndef HF_LOGIC_GUARD_WATCH_H
#define HF_LOGIC_GUARD_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "conf/conf.h"
#include "logic/guard/patience.h"
#include "logic/guard/starve.h"
#include "wire/msg.h"

enum watch_news {
	/* What the caller hears from now on; at most one of them. */
	WATCH_CLEAR = HF_BIT(0), /* the helper */
	WATCH_COMFORT = HF_BIT(1),
	WATCH_PROMPT = HF_BIT(2),
	/* What hf-call is to be told, in this order. */
	WATCH_SUPPRESSED = HF_BIT(3),
	WATCH_SUSPECT = HF_BIT(4),
	WATCH_VOICED = HF_BIT(5),
	WATCH_WELL = HF_BIT(6),
	WATCH_MUTE = HF_BIT(7),
	WATCH_LOST = HF_BIT(8),
	WATCH_SPEAKS = HF_BIT(9),
	WATCH_LOOPED = HF_BIT(10),
	WATCH_GARBLED = HF_BIT(11),
};

struct watch {
	struct starve starve;
	struct patience *patience; /* NULL: nobody asks for its words */
	bool on;
	struct hf_span gap; /* before the last WATCH_WELL */
};

/* The helper has joined; held: by either side.  p is memory for JUDGE_EAR and
 * stays the caller's; JUDGE_NOBODY watches nothing. */
void watch_begin(struct watch *w, struct patience *p,
    const struct conf_guard *g, enum judge judge, bool held,
    const struct starve_kin *kin, struct hf_time now);
void watch_end(struct watch *w);

/* A new direction came with a re-INVITE, to the helper or to its caller.  A
 * party on hold owes nothing, nor does the helper to a caller who put it on
 * hold. */
unsigned watch_hold(struct watch *w, bool helpers, bool on, struct hf_time now);
/* Do we send to this party, or it to us, but not both? */
bool watch_held(const struct media *m);

/* watch_due() has come. */
unsigned watch_age(
    struct watch *w, const struct starve_kin *kin, struct hf_time now);
/* We were late ourselves: see starve_shift().  Where the caller's packets have
 * waited for us the helper's would have, too: then a stall no longer than
 * suspect is no excuse for silence.  A long one may have lost what did not fit.
 */
void watch_shift(struct watch *w, struct hf_span lateness, bool caller_waited,
    struct hf_time now);
/* RTCP came. */
void watch_sign(struct watch *w, struct hf_time now);

/* Silent just now, whoever may be to blame. */
bool watch_silent(const struct watch *w);

/* The next fact of *news, which is taken out; false: there is none.  How long
 * the caller heard nothing is for whoever plays to him to fill in:
 * stream_voiced.gap and stream_well.heard. */
bool watch_fact(const struct watch *w, unsigned *news, struct hf_ref stream,
    struct hf_time now, struct msg *m);

/* What the two watches said, as news. */
unsigned watch_starved(struct watch *w, enum starve_event e, bool suppressed,
    struct hf_time last, struct hf_time now);
unsigned watch_heard(enum patience_event e);

/* ---- for each packet ----------------------------------------------------- */

static inline struct hf_time
watch_due(const struct watch *w)
{
	if (!w->on)
		return HF_TIME_NEVER;
	return w->patience != NULL
		   ? hf_time_min(w->starve.due, w->patience->due)
		   : w->starve.due;
}

/* The helper's packet; f: NULL when it is not audio, or someone is held. */
static inline unsigned
watch_helper(struct watch *w, struct starve_kin *kin,
    const struct starve_packet *p, const struct patience_frame *f,
    struct hf_time now)
{
	struct hf_time last = w->starve.last;
	bool suppressed = w->starve.suppresses;
	enum starve_event e = starve_hear(&w->starve, kin, p, now);
	enum patience_event heard = PATIENCE_NOTHING;
	unsigned news = 0;

	if (e != STARVE_NOTHING || w->starve.suppresses != suppressed)
		news = watch_starved(w, e, suppressed, last, now);
	if (f != NULL && w->patience != NULL)
		heard = patience_helper(w->patience, f, now);
	return heard == PATIENCE_NOTHING ? news : news | watch_heard(heard);
}

/* The caller's audio, when nobody is held. */
static inline unsigned
watch_caller(
    struct watch *w, const struct patience_frame *f, struct hf_time now)
{
	if (w->patience == NULL)
		return 0;
	return watch_heard(patience_caller(w->patience, f, now));
}

#endif
