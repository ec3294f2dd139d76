/* logic/guard/vote - see vote.h */

#include "logic/guard/vote.h"

struct vote_conf
vote_conf(const struct conf_guard *g)
{
	return (struct vote_conf){
		.share = g->vote_share,
		.min = g->vote_min,
		.after = g->vote_after,
		.lost = g->lost,
		.uplink_helpers = g->uplink_helpers,
		.uplink_calls = g->uplink_calls,
		.uplink_within = g->uplink_within,
		.uplink_after = g->uplink_after,
	};
}

void
vote_init(struct vote *v, bool remote)
{
	*v = (struct vote){ .remote = remote, .fell = HF_TIME_NEVER };
}

static bool
has_fallen(const struct vote *v)
{
	return v->fell.us != HF_TIME_NEVER.us;
}

static bool
share_reached(const struct vote *v, const struct vote_conf *c)
{
	return v->silent >= c->min &&
	       (uint64_t)v->silent * 100 >= (uint64_t)v->live * c->share;
}

void
vote_join(struct vote *v)
{
	/* Who comes when the last one has gone is a new electorate.  Until
	 * then it stays fallen: the calls of the others that fell with it are
	 * still being judged. */
	if (v->live++ == 0)
		v->fell = HF_TIME_NEVER;
}

void
vote_leave(struct vote *v, bool was_silent)
{
	hf_assert(v->live > 0);
	v->live--;
	if (was_silent) {
		hf_assert(v->silent > 0);
		v->silent--;
	}
}

bool
vote_silent(struct vote *v, const struct vote_conf *c, struct hf_time now)
{
	/* That was another day: nobody of those who fell is left, and who is
	 * here has been well since. */
	if (has_fallen(v) && v->silent == 0 &&
	    !hf_time_before(now, hf_time_after(v->fell, c->lost)))
		v->fell = HF_TIME_NEVER;
	v->silent++;
	hf_assert(v->silent <= v->live);
	if (has_fallen(v) || !share_reached(v, c))
		return false;
	v->fell = now;
	v->voters = v->live;
	v->proof = PROOF_NONE;
	return true;
}

void
vote_well(struct vote *v, const struct vote_conf *c)
{
	hf_assert(v->silent > 0);
	v->silent--;
	if (!share_reached(v, c))
		v->fell = HF_TIME_NEVER;
}

void
vote_probed(struct vote *v, bool answered)
{
	if (has_fallen(v))
		v->proof = answered ? PROOF_ANSWERED : PROOF_FAILED;
}

/* Did b fall about when a did, with enough calls to mean something? */
static bool
fell_together(
    const struct vote *a, const struct vote *b, const struct vote_conf *c)
{
	int64_t apart;

	if (!b->remote || !has_fallen(b) || b->voters < c->uplink_calls)
		return false;
	apart = hf_time_since(a->fell, b->fell).us;
	return apart <= c->uplink_within.us && -apart <= c->uplink_within.us;
}

/* Could it be our uplink?  Then *first is when the first of them fell. */
static bool
uplink_suspected(const struct vote *all, unsigned n, const struct vote *v,
    const struct vote_conf *c, struct hf_time *first)
{
	unsigned together = 0;

	*first = v->fell;
	if (!fell_together(v, v, c))
		return false;
	for (unsigned i = 0; i < n; i++) {
		if (!fell_together(v, &all[i], c))
			continue;
		if (all[i].proof == PROOF_ANSWERED)
			return false;
		*first = hf_time_min(*first, all[i].fell);
		together++;
	}
	return together >= c->uplink_helpers;
}

static enum verdict
once(struct hf_time at, enum verdict then, struct hf_time now,
    struct hf_time *again)
{
	if (!hf_time_before(now, at))
		return then;
	*again = at;
	return VERDICT_WAIT;
}

enum verdict
vote_judge(const struct vote *all, unsigned n, unsigned i,
    const struct vote_conf *c, struct hf_time last, struct hf_time now,
    struct hf_time *again)
{
	const struct vote *v = &all[i];
	struct hf_time first;

	hf_assert(i < n);
	if (!has_fallen(v))
		return once(
		    hf_time_after(last, c->lost), VERDICT_ALONE, now, again);
	if (uplink_suspected(all, n, v, c, &first))
		return once(hf_time_after(first, c->uplink_after),
		    VERDICT_UPLINK, now, again);
	return once(
	    hf_time_after(last, c->after), VERDICT_TOGETHER, now, again);
}

/* ---- one call ------------------------------------------------------------ */

void
voter_suspect(struct voter *r, struct hf_time last, struct hf_span grace,
    bool paused, struct hf_time now)
{
	r->silent = true;
	r->paused = paused;
	r->grace = grace;
	r->last = hf_time_min(last, now);
}

bool
voter_cast(struct voter *r, struct vote *v, const struct vote_conf *c,
    bool judged, struct hf_time now)
{
	bool counts = judged && !r->suppressed;
	bool silent = counts && r->silent && r->spoke && !r->paused;
	bool fell = false;

	if (r->voting && !counts) {
		vote_leave(v, r->voted);
		r->voting = r->voted = false;
	} else if (!r->voting && counts) {
		vote_join(v);
		r->voting = true;
	}
	if (silent && !r->voted) {
		r->voted = true;
		fell = vote_silent(v, c, now);
	} else if (!silent && r->voted) {
		r->voted = false;
		vote_well(v, c);
	}
	return fell;
}

enum verdict
voter_judge(const struct voter *r, const struct vote *all, unsigned n,
    unsigned i, const struct vote_conf *c, struct hf_time now,
    struct hf_time *again)
{
	struct vote_conf own = *c;

	*again = HF_TIME_NEVER;
	if (!r->silent || !r->spoke)
		return VERDICT_WAIT;
	/* A path that has swallowed stretches before, or a helper that may
	 * only have nothing to say, is waited for longer: alone. */
	if (r->grace.us > own.lost.us)
		own.lost = r->grace;
	if (r->voting)
		return vote_judge(all, n, i, &own, r->last, now, again);
	return once(
	    hf_time_after(r->last, own.lost), VERDICT_ALONE, now, again);
}
