/* logic/call/rescue - how a helper takes a call, how it fails, and what the
 * caller hears meanwhile.  The order of lines matters: he hears something
 * first, then we look for help. */

#include "base/prompt.h"
#include "logic/call/inner.h"

void
voice_at_once(struct engine *e, struct call *c)
{
	static const uint8_t moment[] = { PROMPT_ONE_MOMENT, PROMPT_NONE };

	/* Who still hears his own ringback tone has not been let down yet. */
	if (c->kind == CALL_LADDER && (c->answered || c->early))
		caller_play(e, c, moment, AFTER_MUSIC, 0);
}

void
rung_over(struct engine *e, struct call *c, struct leg *l, enum cause why,
    const char *evidence)
{
	tell_rung(e, c, l, why, evidence);
	if (l->gap.us > c->worst_gap.us)
		c->worst_gap = l->gap;
	c->last_kind = l->kind;
	TEXT(c->last_name, leg_name(e, c, l));
	if (l->kind == RUNG_AGENT)
		agent_free(e, l->row, c, l->state == LEG_UP, why);
}

/* ---- it takes the call --------------------------------------------------- */

void
helper_rang(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_rang *m)
{
	if (l->state == LEG_UP)
		return;
	l->state = LEG_RANG;
	if (c->kind == CALL_DIRECT)
		caller_ring(e, c);
	if (m->media.codec == CODEC_NONE || c->answered ||
	    c->helper[1].id != 0 || l->kind == RUNG_AGENT)
		return;
	/* Its early media is what he hears instead of our ringback. */
	l->media = m->media;
	leg_open(e, c, l);
	caller_early(e, c);
	leg_join(e, c, l);
}

/* The first to answer wins; the other may hang up before it rings long.  One
 * that was asked a moment ago owes us no answer yet: it is not to blame. */
static void
others_cancelled(struct engine *e, struct call *c, uint64_t winner)
{
	for (unsigned i = CALL_HELPERS; i-- > 0;) {
		struct leg *l = &c->helper[i];
		bool silent;

		if (l->id == 0 || l->id == winner)
			continue;
		silent = l->state == LEG_ASKED && l->untried;
		if (silent)
			helper_untried(e, l);
		rung_over(e, c, l, silent ? CAUSE_NO_100 : CAUSE_NONE,
		    "another answered first");
		leg_drop(e, c, l, 200, "Call completed elsewhere");
	}
}

void
helper_answered(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_answered *m)
{
	const struct conf_guard *g;
	uint64_t id = l->id;
	bool passed = pass_is_to(c, l);

	if (l->state == LEG_UP || (c->state != CALL_STATE_REACHING && !passed))
		return;
	if (m->media.codec == CODEC_NONE) {
		helper_lost(e, c, l, CAUSE_REFUSED, "no codec in common");
		return;
	}
	l->media = m->media;
	l->state = LEG_UP;
	l->up = e->now;
	if (passed)
		pass_answered(e, c);
	else
		others_cancelled(e, c, id);
	l = &c->helper[0];
	hf_assert(l->id == id);
	if (l->rung != CALL_RUNG_NONE)
		c->rung = l->rung;
	if (l->kind == RUNG_AGENT) {
		if (c->queue != CONF_NONE && c->kind == CALL_LADDER &&
		    !l->referred)
			tell_rung_without_leg(e, c, RUNG_QUEUE,
			    e->conf->queue[c->queue].name, CAUSE_DONE);
		agent_talk(e, l->row, c, false);
		if (c->queue != CONF_NONE && c->kind == CALL_LADDER &&
		    !l->referred)
			queue_moved(e, c, l);
	}
	if (!passed)
		enter(e, c, CALL_STATE_WITH_HELPER);
	leg_open(e, c, l);
	if (!c->when_ready || l->voter.spoke)
		caller_answer(e, c);
	else
		caller_early(e, c);
	leg_join(e, c, l);
	leg_vote(e, c, l);
	g = guard_of(e, l);
	if (!l->voter.spoke && c->kind == CALL_LADDER)
		due_in(e, c, DUE_NEVER, g->never);
	due_in(e, c, DUE_PROVEN, g->hung_up_at_once);
	tell_evidence(e, c, "helper_joined", "%s %s",
	    rung_name((enum rung)l->kind), leg_name(e, c, l));
}

void
helper_spoke(struct engine *e, struct call *c, struct leg *l)
{
	l->voter.spoke = true;
	if (l->state != LEG_UP)
		return;
	c->due[DUE_NEVER] = HF_TIME_NEVER;
	caller_answer(e, c);
	/* Past its first seconds already: it was only slow to speak. */
	if (c->due[DUE_PROVEN].us == HF_TIME_NEVER.us)
		helper_proven(e, c, l);
}

void
helper_proven(struct engine *e, struct call *c, struct leg *l)
{
	(void)c;
	if (l->proven || l->voter.silent ||
	    !(l->voter.spoke || l->voter.suppressed))
		return;
	l->proven = true;
	helper_tell(e, l, true, "");
}

/* ---- it fails ------------------------------------------------------------ */

/* Whose fault a cause never is: the breaker hears nothing of it. */
static bool
blames_helper(const struct leg *l, enum cause why)
{
	return leg_is_helpers(l) && why != CAUSE_UPLINK &&
	       why != CAUSE_YIELDED && why != CAUSE_OUR_FAULT;
}

/* An agent's caller goes back into the line with his place; any other goes
 * one rung down. */
static void
next_one(struct engine *e, struct call *c, bool agents)
{
	enum cause why;

	if (c->kind != CALL_LADDER)
		part(e, c, (enum cause)c->why);
	else if (agents && c->queue != CONF_NONE &&
		 queue_usable(e, c->queue, &why))
		queue_return(e, c);
	else
		descend(e, c);
}

void
let_down(struct engine *e, struct call *c, struct leg *l, enum cause why)
{
	c->why = (uint8_t)why;
	c->from_kind = l->kind;
	TEXT(c->from_name, leg_name(e, c, l));
	c->lost_since = l->voter.silent ? l->voter.last : e->now;
	c->caller.code = l->code;
	enter(e, c, CALL_STATE_RESCUE);
	leg_drop(e, c, l, 0, "");
}

/* The phone rang, nobody took it: that is no rescue, he still waits. */
static bool
back_in_line(struct engine *e, struct call *c, struct leg *l)
{
	enum cause why;

	if (l->kind != RUNG_AGENT || l->state == LEG_UP ||
	    c->state != CALL_STATE_REACHING || c->kind != CALL_LADDER ||
	    c->queue == CONF_NONE || !queue_usable(e, c->queue, &why))
		return false;
	leg_drop(e, c, l, 0, "");
	queue_return(e, c);
	return true;
}

void
helper_lost(struct engine *e, struct call *c, struct leg *l, enum cause why,
    const char *evidence)
{
	bool agents = l->kind == RUNG_AGENT;

	if (c->state != CALL_STATE_REACHING &&
	    c->state != CALL_STATE_WITH_HELPER)
		return;
	if (blames_helper(l, why))
		helper_tell(e, l, false, evidence);
	tell_evidence(e, c, "helper_lost", "%s %s: %s", leg_name(e, c, l),
	    cause_name(why), evidence);
	if (pass_is_to(c, l)) {
		pass_failed(e, c, why, evidence);
		return;
	}
	if (pass_left(e, c, l, why))
		return;
	rung_over(e, c, l, why, evidence);
	if (c->state == CALL_STATE_REACHING && c->helper[1].id != 0) {
		/* The other one is still being rung. */
		leg_drop(e, c, l, 0, "");
		return;
	}
	if (number_again(e, c, l) || back_in_line(e, c, l))
		return;
	let_down(e, c, l, why);
	next_one(e, c, agents);
}

void
helper_refused(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_refused *m)
{
	char evidence[64];

	if (l->state == LEG_UP)
		return;
	l->code = m->code;
	snprintf(evidence, sizeof(evidence), "final answer %u", m->code);
	/* Its dialog never was: there is nothing to send a BYE to. */
	leg_ended(e, c, l);
	helper_lost(e, c, l, m->cause == CAUSE_NONE ? CAUSE_REFUSED : m->cause,
	    m->code != 0 ? evidence : "no final answer");
}

static void
helper_done(struct engine *e, struct call *c, struct leg *l)
{
	rung_over(e, c, l, CAUSE_DONE, "");
	leg_forget(e, c, l);
	part(e, c, CAUSE_DONE);
}

void
helper_yields(
    struct engine *e, struct call *c, struct leg *l, const char *target)
{
	bool agents = l->kind == RUNG_AGENT;

	helper_proven(e, c, l);
	tell_evidence(e, c, "helper_yielded", "%s%s", leg_name(e, c, l),
	    target != NULL ? ", and names who is next" : "");
	rung_over(e, c, l, CAUSE_YIELDED, "");
	let_down(e, c, l, CAUSE_YIELDED);
	if (target != NULL)
		reach_named(e, c, target);
	else
		next_one(e, c, agents);
}

void
helper_left(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_left *m)
{
	const struct conf_guard *g = guard_of(e, l);
	bool at_once = hf_time_since(l->up, e->now).us < g->hung_up_at_once.us;
	bool up = l->state == LEG_UP;

	l->code = m->code;
	leg_ended(e, c, l);
	if (up && pass_left(e, c, l, CAUSE_YIELDED))
		return;
	if (!up)
		helper_lost(e, c, l,
		    m->cause == CAUSE_DONE || m->cause == CAUSE_NONE
			? CAUSE_REFUSED
			: m->cause,
		    "gone before it answered");
	else if (m->cause == CAUSE_YIELDED && c->kind == CALL_LADDER)
		helper_yields(e, c, l, NULL);
	else if (m->cause != CAUSE_DONE && m->cause != CAUSE_NONE &&
		 m->cause != CAUSE_YIELDED)
		helper_lost(e, c, l, m->cause, "its BYE says so");
	else if (c->kind == CALL_LADDER && at_once)
		helper_lost(e, c, l, CAUSE_HUNG_UP_AT_ONCE,
		    "BYE right after its answer");
	else if (l->voter.silent && !bye_may_come_again(e))
		helper_lost(
		    e, c, l, CAUSE_RTP_STOPPED, "BYE while it was silent");
	else
		helper_done(e, c, l);
}

/* ---- it falls silent ----------------------------------------------------- */

void
judge(struct engine *e, struct call *c, struct leg *l)
{
	struct vote_conf vc = vote_conf(guard_of(e, l));
	struct hf_time again;
	enum verdict v;

	if (c->state != CALL_STATE_WITH_HELPER)
		return;
	v = voter_judge(
	    &l->voter, e->vote, CONF_HELPERS_MAX, l->row, &vc, e->now, &again);
	switch (v) {
	case VERDICT_WAIT:
		c->due[DUE_JUDGE] = again;
		touch(e, c);
		break;
	case VERDICT_ALONE:
		helper_lost(e, c, l, CAUSE_RTP_STOPPED, "this call alone");
		break;
	case VERDICT_TOGETHER:
		helper_trip(e, l->row, "many of its calls fell silent");
		helper_lost(
		    e, c, l, CAUSE_RTP_STOPPED, "many of its calls together");
		break;
	case VERDICT_UPLINK:
		c->local_only = true;
		helper_lost(e, c, l, CAUSE_UPLINK,
		    "several remote helpers together, none answers OPTIONS");
		break;
	}
}

void
judge_all(struct engine *e, uint16_t helper, bool options_failed)
{
	bool fallen = e->vote[helper].fell.us != HF_TIME_NEVER.us;

	for (uint32_t i = 0; i < e->pool.cap; i++) {
		struct call *c = &e->call[i];
		struct leg *l;

		if (hf_ref_none(c->ref) || (l = helper_up(c)) == NULL ||
		    !leg_is_helpers(l) || l->row != helper)
			continue;
		touch(e, c);
		/* Packets cannot speak for it, or speak against it. */
		if (options_failed && !fallen &&
		    (!l->voter.voting || l->voter.silent))
			helper_lost(e, c, l, CAUSE_OPTIONS_FAILED,
			    "it no longer answers OPTIONS");
		else
			judge(e, c, l);
	}
}

/* The helper's last packet; where none came since it answered, that. */
static struct hf_time
heard_last(const struct engine *e, const struct leg *l, struct hf_time last)
{
	return hf_time_min(hf_time_before(last, l->up) ? l->up : last, e->now);
}

void
stream_suspect(struct engine *e, struct call *c, struct leg *l,
    const struct msg_stream_suspect *m)
{
	bool came = m->last.us != 0;
	struct hf_span gap;

	if (!l->joined || l->voter.silent || c->state != CALL_STATE_WITH_HELPER)
		return;
	voter_suspect(
	    &l->voter, heard_last(e, l, m->last), m->grace, m->pause, e->now);
	gap = hf_time_since(l->voter.last, e->now);
	/* The line was open meanwhile if none ever came: no gap to hear. */
	if (came && gap.us > l->gap.us)
		l->gap = gap;
	tell_evidence(e, c, "suspect",
	    came ? "%lld ms without a packet from %s"
		 : "%lld ms answered, and no packet yet from %s",
	    (long long)gap.us / 1000, leg_name(e, c, l));
	if (leg_vote(e, c, l)) {
		helper_probe_now(e, l->row);
		judge_all(e, l->row, false);
	} else {
		judge(e, c, l);
	}
}

/* Who hangs up closes his port as well, and the news of that can overtake his
 * BYE, which comes by way of hf-sip. */
void
helper_closed(struct engine *e, struct call *c, const struct leg *l)
{
	if (c->due[DUE_CLOSED].us == HF_TIME_NEVER.us)
		due_in(e, c, DUE_CLOSED, guard_of(e, l)->bye_wait);
}

void
stream_strangers(struct engine *e, struct call *c, const struct leg *l,
    const struct msg_stream_strangers *m)
{
	char from[HF_ADDR_TEXT_MAX], expected[HF_ADDR_TEXT_MAX];

	tell_evidence(e, c, "strangers",
	    "%s sends from %s, announced was %s: dropped, see symmetric",
	    l == &c->caller ? "the caller" : leg_name(e, c, l),
	    hf_addr_text(&m->from, from), hf_addr_text(&m->expected, expected));
}

void
stream_voiced(struct engine *e, struct call *c, struct leg *l,
    const struct msg_stream_voiced *m)
{
	if (!l->joined)
		return;
	l->voice = hf_time_since(heard_last(e, l, m->last), e->now);
	if (m->gap.us > l->gap.us)
		l->gap = m->gap;
	tell_evidence(e, c, "voice", "prompt %lld ms after the %s",
	    (long long)l->voice.us / 1000,
	    m->last.us != 0 ? "last packet" : "answer");
}

void
stream_well(struct engine *e, struct call *c, struct leg *l,
    const struct msg_stream_well *m)
{
	if (!l->voter.silent)
		return;
	l->voter.silent = false;
	l->voice = (struct hf_span){ 0 };
	c->due[DUE_JUDGE] = HF_TIME_NEVER;
	if (m->heard.us > l->gap.us)
		l->gap = m->heard;
	leg_vote(e, c, l);
	tell_evidence(e, c, "helper_returned", "%s after %lld ms",
	    leg_name(e, c, l), (long long)m->gap.us / 1000);
}

void
stream_excused(struct engine *e, struct call *c, struct leg *l)
{
	l->voter.silent = false;
	c->due[DUE_JUDGE] = HF_TIME_NEVER;
	touch(e, c);
}

void
stream_mute(struct engine *e, struct call *c, struct leg *l,
    const struct msg_stream_mute *m)
{
	static const uint8_t there[] = { PROMPT_STILL_THERE, PROMPT_NONE };

	if (!l->joined || c->state != CALL_STATE_WITH_HELPER)
		return;
	if (m->lost) {
		helper_lost(e, c, l, CAUSE_MUTE, "silent though its turn");
		return;
	}
	tell_evidence(e, c, "mute", "%lld ms silent though its turn",
	    (long long)m->silent.us / 1000);
	caller_play(e, c, there, AFTER_PARTNER, 0);
}
