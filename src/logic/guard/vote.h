/*
 * logic/guard/vote - one silent call may be a bad line; many at once are a
 * dead helper; several helpers at once are our own uplink.
 *
 *   a call is silent ---- alone ------------> lost after conf.lost (1 s)
 *         |
 *         '- the helper has fallen: ---------> lost after conf.after (500 ms),
 *            share and min of its calls         and its breaker opens
 *            are silent together
 *                |
 *                '- so have other remote ----> uplink: after conf.uplink_after
 *                   helpers, and no OPTIONS     (1 s) calls go to local rungs,
 *                   was answered                breakers stay as they are
 *
 * A helper that has fallen stays so while its calls are being rescued (the
 * last four of a thousand must not wait longer than the others) and rises
 * when calls become well again, or when the next silence comes after all who
 * fell have gone and conf.lost has passed.
 */
#ifndef HF_LOGIC_GUARD_VOTE_H
#define HF_LOGIC_GUARD_VOTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/time.h"
#include "conf/conf.h"

struct vote_conf {
	uint32_t share; /* percent of the helper's live calls */
	uint32_t min;   /* and at least so many */
	struct hf_span after;
	struct hf_span lost;
	uint32_t uplink_helpers; /* so many remote ones together */
	uint32_t uplink_calls;   /* with so many live calls each */
	struct hf_span uplink_within;
	struct hf_span uplink_after;
};

/* From a helper's keys. */
struct vote_conf vote_conf(const struct conf_guard *g);

enum vote_proof { PROOF_NONE, PROOF_ANSWERED, PROOF_FAILED };

struct vote {
	uint32_t live;       /* calls that are judged by their packets */
	uint32_t silent;     /* of these: suspect now */
	bool remote;         /* behind our uplink */
	uint8_t proof;       /* OPTIONS since it fell, enum vote_proof */
	uint32_t voters;     /* live when it fell */
	struct hf_time fell; /* HF_TIME_NEVER: it has not */
};

void vote_init(struct vote *v, bool remote);

/* A call is judged by its packets from now on; or no longer, and was silent
 * then or not. */
void vote_join(struct vote *v);
void vote_leave(struct vote *v, bool was_silent);

/* A call fell silent.  True: with this one the helper fell, ask it for
 * OPTIONS now. */
bool vote_silent(struct vote *v, const struct vote_conf *c, struct hf_time now);
/* A call's packets are back. */
void vote_well(struct vote *v, const struct vote_conf *c);

/* How OPTIONS came out. */
void vote_probed(struct vote *v, bool answered);

enum verdict {
	VERDICT_WAIT,     /* ask again at *again */
	VERDICT_ALONE,    /* lost, this one call */
	VERDICT_TOGETHER, /* lost, and the helper is down */
	VERDICT_UPLINK,   /* lost, and it is us */
};

/* Is a call of helper i, silent since last, lost now?  all are the n helpers'
 * votes.  *again is set with VERDICT_WAIT only; any later vote_silent() or
 * vote_probed() may move it nearer. */
enum verdict vote_judge(const struct vote *all, unsigned n, unsigned i,
    const struct vote_conf *c, struct hf_time last, struct hf_time now,
    struct hf_time *again);

/* One call with a helper: what is known of its packets, and its part in the
 * vote.  A value; it lies in the call's slot. */
struct voter {
	bool spoke;      /* its first packet came */
	bool silent;     /* suspect now */
	bool paused;     /* ... since a pause: it may only be saying nothing */
	bool suppressed; /* silence suppression: packets prove nothing */
	bool voting;     /* it counts in its helper's vote ... */
	bool voted;      /* ... as silent */
	struct hf_time last;  /* silent: since then */
	struct hf_span grace; /* silent: earned by its path */
};

/* As the watch tells it (STREAM_SUSPECT). */
void voter_suspect(struct voter *r, struct hf_time last, struct hf_span grace,
    bool paused, struct hf_time now);

/* After each change of r.  judged: the two are talking, and packets are
 * expected.  True as in vote_silent(). */
bool voter_cast(struct voter *r, struct vote *v, const struct vote_conf *c,
    bool judged, struct hf_time now);

/* As vote_judge() for a call of helper i.  Its own line may have earned it
 * more time, and one that is not in the vote is judged alone.  Who is not
 * silent, or never said a word, waits for ever. */
enum verdict voter_judge(const struct voter *r, const struct vote *all,
    unsigned n, unsigned i, const struct vote_conf *c, struct hf_time now,
    struct hf_time *again);

#endif
