/* logic/call/legs - legs and streams: what is ordered of hf-sip and hf-media,
 * and kept in step with the tables. */

#include "base/prompt.h"
#include "logic/call/inner.h"

/* Set in every leg of ours, so that hf-sip's never collide. */
#define LEG_OURS (UINT64_C(1) << 63)

bool
leg_is_helpers(const struct leg *l)
{
	return l->kind == RUNG_BOT || l->kind == RUNG_CENTRE ||
	       l->kind == RUNG_SITE;
}

const struct conf_guard *
guard_of(const struct engine *e, const struct leg *l)
{
	return leg_is_helpers(l) && l->row < CONF_HELPERS_MAX
		   ? &e->conf->helper[l->row].guard
		   : &e->conf->guard;
}

const char *
leg_name(const struct engine *e, const struct call *c, const struct leg *l)
{
	switch ((enum rung)l->kind) {
	case RUNG_BOT:
	case RUNG_CENTRE:
	case RUNG_SITE:
		return e->conf->helper[l->row].name;
	case RUNG_AGENT:
		return e->conf->agent[l->row].name;
	case RUNG_NUMBER:
		return l->referred ? c->passed_to : c->target;
	case RUNG_QUEUE:
	case RUNG_VOICEMAIL:
	case RUNG_CODE:
		return "";
	}
	hf_never("no such kind of leg");
}

const char *
engine_helper_name(
    const struct engine *e, const struct call *c, const struct leg *l)
{
	return leg_name(e, c, l);
}

struct leg *
helper_up(struct call *c)
{
	return c->helper[0].id != 0 && c->helper[0].state == LEG_UP
		   ? &c->helper[0]
		   : NULL;
}

/* ---- streams ------------------------------------------------------------- */

bool
stream_take(struct engine *e, struct call *c, struct leg *l)
{
	struct worker *w = &e->worker[c->worker];
	struct hf_ref local;

	if (!w->there || !hf_pool_take(&w->streams, &local))
		return false;
	l->stream = (struct hf_ref){ w->first + local.n, local.gen };
	e->stream_call[l->stream.n] = (uint32_t)(c - e->call);
	return true;
}

static void
stream_give(struct engine *e, struct call *c, struct leg *l)
{
	struct worker *w = &e->worker[c->worker];
	struct msg_close_stream *o;

	if (hf_ref_none(l->stream))
		return;
	if (l->open) {
		o = ORDER(e, MSG_CLOSE_STREAM, close_stream);
		o->stream = l->stream;
		send_media(e, c);
	}
	e->stream_call[l->stream.n] = HF_MAP_NONE;
	if (w->there)
		hf_pool_give(&w->streams,
		    (struct hf_ref){ l->stream.n - w->first, l->stream.gen });
	l->stream = HF_REF_NONE;
	l->open = l->joined = false;
}

uint16_t
leg_port(const struct engine *e, const struct leg *l)
{
	return (uint16_t)(e->conf->rtp.port_first + 2 * l->stream.n);
}

void
leg_open(struct engine *e, struct call *c, struct leg *l)
{
	struct msg_open_stream *o = ORDER(e, MSG_OPEN_STREAM, open_stream);

	hf_assert(l->media.codec != CODEC_NONE);
	o->stream = l->stream;
	o->call = c->ref;
	o->media = l->media;
	send_media(e, c);
	l->open = true;
	touch(e, c);
}

/* Who is judged by what: a bot must speak when it is its turn; who is held,
 * or rings only, owes us no packet. */
static enum judge
judge_of(const struct call *c, const struct leg *l)
{
	if (l->state != LEG_UP || c->kind != CALL_LADDER || c->caller_held ||
	    l->holds || l->asked_dir != DIRECTION_SENDRECV)
		return JUDGE_NOBODY;
	return l->kind == RUNG_BOT ? JUDGE_EAR : JUDGE_PACKETS;
}

void
leg_join(struct engine *e, struct call *c, struct leg *l)
{
	struct msg_join_streams *o;

	hf_assert(l->open);
	l->joined = true;
	c->playing.id = 0;
	touch(e, c);
	/* A late offer's answer is still on its way: confirmed() joins. */
	if (!c->caller.open)
		return;
	c->caller.joined = true;
	o = ORDER(e, MSG_JOIN_STREAMS, join_streams);
	o->caller = c->caller.stream;
	o->helper = l->stream;
	o->row = leg_is_helpers(l) ? l->row : CONF_NONE;
	o->judge = judge_of(c, l);
	send_media(e, c);
}

bool
leg_vote(struct engine *e, struct call *c, struct leg *l)
{
	struct vote_conf vc;
	bool judged;

	if (!leg_is_helpers(l))
		return false;
	vc = vote_conf_of(e, l->row);
	judged = l->joined && c->state == CALL_STATE_WITH_HELPER &&
		 judge_of(c, l) != JUDGE_NOBODY;
	return voter_cast(&l->voter, &e->vote[l->row], &vc, judged, e->now);
}

/* ---- legs ---------------------------------------------------------------- */

static enum to
to_of(enum rung kind)
{
	switch (kind) {
	case RUNG_BOT:
	case RUNG_CENTRE:
	case RUNG_SITE:
		return TO_HELPER;
	case RUNG_AGENT:
		return TO_AGENT;
	case RUNG_NUMBER:
		return TO_NUMBER;
	case RUNG_QUEUE:
	case RUNG_VOICEMAIL:
	case RUNG_CODE:
		break;
	}
	hf_never("nobody to ring");
}

/* Who calls, as the called are told.  An extension means nothing out there. */
static const char *
shown_from(const struct engine *e, const struct call *c, const struct leg *l)
{
	const char *own;

	if (l->kind != RUNG_NUMBER || c->agent == CONF_NONE)
		return c->from;
	own = e->conf->agent[c->agent].number;
	if (own[0] != '\0')
		return own;
	return e->conf->outbound.number[0] != '\0' ? e->conf->outbound.number
						   : c->from;
}

static void
order_ring(struct engine *e, struct call *c, const struct leg *l,
    const char *number, struct hf_span give_up)
{
	struct msg_ring_leg *o = ORDER(e, MSG_RING_LEG, ring_leg);

	o->leg = l->id;
	o->call = c->ref;
	o->kind = to_of((enum rung)l->kind);
	o->row = l->row;
	TEXT(o->number, number);
	TEXT(o->from, shown_from(e, c, l));
	TEXT(o->display, c->display);
	o->restricted = c->restricted;
	if (l->kind == RUNG_SITE && !path_on(e, c, l->rung, o->path))
		hf_never("a site whose path does not fit is not usable");
	o->hops = c->hops > 0 ? c->hops - 1 : 0;
	o->codec = c->caller.media.codec != CODEC_NONE ? c->caller.media.codec
						       : CODEC_PCMA;
	o->port = leg_port(e, l);
	o->give_up = give_up;
	if (leg_is_helpers(l))
		o->no_100 = guard_of(e, l)->hedge_after;
	send_sip(e);
}

struct leg *
leg_ring(struct engine *e, struct call *c, enum rung kind, uint16_t row,
    uint8_t rung, const char *number, struct hf_span give_up)
{
	struct leg *l = &c->helper[0];

	if (l->id != 0)
		l = &c->helper[1];
	hf_assert(l->id == 0);
	*l = (struct leg){
		.state = LEG_ASKED,
		.kind = (uint8_t)kind,
		.rung = rung,
		.row = row,
		.asked = e->now,
	};
	if (!stream_take(e, c, l))
		return NULL;
	/* Bit 31 is hf-sip's: a leg of an emergency call. */
	l->id =
	    LEG_OURS | (uint64_t)e->boot << 32 | (++e->next_leg & INT32_MAX);
	c->helper_leg = l->id;
	if (!hf_map_put(&e->legs, l->id, (uint32_t)(c - e->call)))
		hf_never("the map of legs is too small");
	if (leg_is_helpers(l))
		e->helper[row].calls++;
	touch(e, c);
	order_ring(e, c, l, number, give_up);
	return l;
}

/* The dialog is over at the far end: no BYE of ours any more. */
void
leg_ended(struct engine *e, struct call *c, struct leg *l)
{
	touch(e, c);
	l->ended = true;
}

void
leg_forget(struct engine *e, struct call *c, struct leg *l)
{
	hf_assert(l->id != 0);
	touch(e, c);
	hf_map_del(&e->legs, l->id);
	if (l != &c->caller) {
		l->joined = false;
		leg_vote(e, c, l);
		if (leg_is_helpers(l))
			e->helper[l->row].calls--;
		c->caller.joined = false;
	}
	stream_give(e, c, l);
	*l = (struct leg){ .row = CONF_NONE };
	/* No holes: who is left is the first. */
	if (l == &c->helper[0]) {
		c->helper[0] = c->helper[1];
		c->helper[1] = (struct leg){ .row = CONF_NONE };
	}
}

void
leg_drop(struct engine *e, struct call *c, struct leg *l, uint16_t code,
    const char *reason)
{
	if (!l->ended) {
		struct msg_drop_leg *o = ORDER(e, MSG_DROP_LEG, drop_leg);

		o->leg = l->id;
		o->code = code;
		TEXT(o->reason, reason);
		send_sip(e);
	}
	leg_forget(e, c, l);
}

/* ---- the caller's side --------------------------------------------------- */

static void
progress(struct engine *e, struct call *c, uint16_t code)
{
	struct msg_progress_leg *o = ORDER(e, MSG_PROGRESS_LEG, progress_leg);

	o->leg = c->caller.id;
	o->code = code;
	o->port = code == 183 ? leg_port(e, &c->caller) : 0;
	send_sip(e);
	touch(e, c);
}

void
caller_ring(struct engine *e, struct call *c)
{
	if (c->answered || c->early || c->ringing)
		return;
	c->ringing = true;
	progress(e, c, 180);
}

void
caller_early(struct engine *e, struct call *c)
{
	if (c->answered || c->early)
		return;
	c->early = true;
	progress(e, c, 183);
}

static void
order_answer(struct engine *e, const struct call *c)
{
	struct msg_answer_leg *o = ORDER(e, MSG_ANSWER_LEG, answer_leg);

	o->leg = c->caller.id;
	o->port = leg_port(e, &c->caller);
	send_sip(e);
}

void
caller_answer(struct engine *e, struct call *c)
{
	c->due[DUE_READY] = HF_TIME_NEVER;
	if (c->answered)
		return;
	c->answered = true;
	c->answered_at = wall_now(e);
	if (e->conf->calls.longest.us > 0)
		due_in(e, c, DUE_LONGEST, e->conf->calls.longest);
	c->caller.state = LEG_UP;
	c->caller.up = e->now;
	order_answer(e, c);
	touch(e, c);
}

void
caller_listen(struct engine *e, struct call *c)
{
	if (c->when_ready)
		caller_early(e, c);
	else
		caller_answer(e, c);
}

static void
play_again(struct engine *e, struct call *c)
{
	if (c->playing.id == 0 || !c->caller.open)
		return;
	e->m.type = MSG_PLAY_PROMPT;
	e->m.play_prompt = c->playing;
	send_media(e, c);
}

void
caller_play(struct engine *e, struct call *c, const uint8_t *list,
    enum after after, uint32_t message)
{
	struct msg_play_prompt p = {
		.stream = c->caller.stream,
		.id = ++e->next_prompt,
		.after = after,
		.message = message,
	};

	while (*list != PROMPT_NONE) {
		hf_assert(p.list.n < sizeof(p.list.p));
		p.list.p[p.list.n++] = *list++;
	}
	c->playing = p;
	play_again(e, c);
	/* Behind it he hears his partner: nothing to say again later. */
	if (after == AFTER_PARTNER)
		c->playing.id = 0;
	touch(e, c);
}

static void
order_refuse(struct engine *e, const struct msg_refuse_leg *o)
{
	*ORDER(e, MSG_REFUSE_LEG, refuse_leg) = *o;
	send_sip(e);
}

void
leg_refuse(struct engine *e, uint64_t leg, uint16_t code, uint16_t retry_after,
    const char *reason)
{
	struct msg_refuse_leg *o =
	    &e->refused[e->refusals++ % ENGINE_REFUSED_MAX];

	*o = (struct msg_refuse_leg){ leg, code, retry_after, "" };
	TEXT(o->reason, reason);
	order_refuse(e, o);
}

bool
leg_refused_before(struct engine *e, uint64_t leg)
{
	for (unsigned i = 0; i < ENGINE_REFUSED_MAX; i++) {
		if (e->refused[i].leg != leg)
			continue;
		order_refuse(e, &e->refused[i]);
		return true;
	}
	return false;
}

void
caller_refuse(
    struct engine *e, struct call *c, uint16_t code, const char *reason)
{
	leg_refuse(e, c->caller.id, code, 0, reason);
	leg_forget(e, c, &c->caller);
}

/* ---- hold and resume ----------------------------------------------------- */

/* What he asks of us we ask of his partner: he only listens (or not even
 * that), so the partner need not (or may not) speak. */
static enum direction
mirrored(enum direction d)
{
	switch (d) {
	case DIRECTION_SENDRECV:
	case DIRECTION_INACTIVE:
		return d;
	case DIRECTION_SENDONLY:
		return DIRECTION_RECVONLY;
	case DIRECTION_RECVONLY:
		return DIRECTION_SENDONLY;
	}
	hf_never("no such direction");
}

static void
order_hold(struct engine *e, const struct leg *l)
{
	struct msg_hold_leg *o = ORDER(e, MSG_HOLD_LEG, hold_leg);

	o->leg = l->id;
	o->direction = (enum direction)l->asked_dir;
	send_sip(e);
}

static void
hold(struct engine *e, struct leg *l, enum direction d)
{
	if (l->asked_dir == d)
		return;
	l->asked_dir = (uint8_t)d;
	order_hold(e, l);
}

void
leg_silent(
    struct engine *e, struct call *c, struct leg *l, const char *evidence)
{
	struct msg_probe_leg *o;

	if (l->state != LEG_UP)
		return;
	tell_evidence(e, c, "asked", "%s: %s",
	    l == &c->caller ? "the caller" : leg_name(e, c, l), evidence);
	o = ORDER(e, MSG_PROBE_LEG, probe_leg);
	o->leg = l->id;
	send_sip(e);
}

void
leg_resume(struct engine *e, struct leg *l)
{
	hold(e, l, DIRECTION_SENDRECV);
}

void
caller_reoffered(struct engine *e, struct call *c, const struct media *media)
{
	struct leg *l = helper_up(c);
	bool held;

	if (media->codec == CODEC_NONE)
		return;
	c->caller.media = *media;
	leg_open(e, c, &c->caller);
	held = media->direction != DIRECTION_SENDRECV;
	if (held == c->caller_held)
		return;
	tell_evidence(e, c, held ? "caller_holds" : "caller_resumes", "%s",
	    direction_name(media->direction));
	c->caller_held = held;
	if (l == NULL)
		return;
	hold(e, l, mirrored(media->direction));
	stream_excused(e, c, l);
	leg_vote(e, c, l);
	if (!l->holds)
		leg_join(e, c, l); /* judged, or not, from now on */
}

void
helper_reoffered(
    struct engine *e, struct call *c, struct leg *l, const struct media *media)
{
	static const uint8_t none[] = { PROMPT_NONE };
	bool holds;

	if (media->codec == CODEC_NONE || l->state != LEG_UP)
		return;
	l->media = *media;
	leg_open(e, c, l);
	/* What we asked for ourselves is no hold of theirs. */
	holds = media->direction != l->asked_dir &&
		(media->direction == DIRECTION_RECVONLY ||
		    media->direction == DIRECTION_INACTIVE);
	if (holds == l->holds)
		return;
	l->holds = holds;
	tell_evidence(e, c, holds ? "helper_holds" : "helper_resumes", "%s",
	    leg_name(e, c, l));
	stream_excused(e, c, l);
	leg_vote(e, c, l);
	leg_join(e, c, l);
	/* A person's phone is quiet while it holds; machines play their own
	 * music unless they send nothing at all. */
	if (holds && c->kind == CALL_LADDER &&
	    (l->kind == RUNG_AGENT || media->direction == DIRECTION_INACTIVE))
		caller_play(e, c, none, AFTER_MUSIC, 0);
}

/* ---- hf-sip is there again ------------------------------------------------
 */

/* Who is still being set up is asked again; whoever was asked already does
 * not notice. */
static void
ring_again(struct engine *e, struct call *c, const struct leg *l)
{
	struct hf_time until =
	    c->due[pass_is_to(c, l) ? DUE_PASSED : DUE_STATE];
	struct hf_span left = hf_time_since(e->now, until);

	order_ring(e, c, l,
	    l->kind != RUNG_NUMBER ? c->number
	    : l->referred          ? c->passed_to
				   : c->target,
	    left.us > 0 ? left : hf_ms(1));
}

void
call_reorder(struct engine *e, struct call *c, bool lost)
{
	if (c->answered)
		order_answer(e, c);
	else
		progress(e, c, c->early ? 183 : c->ringing ? 180 : 100);
	if (lost)
		report_again(e, &c->caller);
	for (unsigned i = 0; i < CALL_HELPERS; i++) {
		struct leg *l = &c->helper[i];

		if (l->id == 0)
			continue;
		if (l->state == LEG_UP)
			order_hold(e, l);
		else if (lost)
			ring_again(e, c, l);
		if (lost)
			report_again(e, l);
	}
}

/* ---- after a start ------------------------------------------------------- */

void
call_reopen(struct engine *e, struct call *c)
{
	if (c->caller.open)
		leg_open(e, c, &c->caller);
	for (unsigned i = 0; i < CALL_HELPERS; i++) {
		if (c->helper[i].open)
			leg_open(e, c, &c->helper[i]);
	}
}

void
call_rejoin(struct engine *e, struct call *c)
{
	struct msg_play_prompt playing = c->playing;
	struct leg *l = &c->helper[0];

	if (l->id != 0 && l->joined)
		leg_join(e, c, l);
	/* Music while he is held is played over the join. */
	c->playing = playing;
	play_again(e, c);
	if (c->voicemail == VOICEMAIL_RECORDING)
		voicemail_resume(e, c);
}

void
streams_restore(struct engine *e, unsigned worker)
{
	struct worker *w = &e->worker[worker];

	for (uint32_t i = 0; i < e->pool.cap; i++) {
		struct call *c = &e->call[i];
		struct leg *l[1 + CALL_HELPERS] = { &c->caller, &c->helper[0],
			&c->helper[1] };

		if (hf_ref_none(c->ref) || c->worker != worker)
			continue;
		for (unsigned k = 0; k < HF_LEN(l); k++) {
			struct hf_ref s = l[k]->stream;

			if (hf_ref_none(s))
				continue;
			hf_assert(s.n >= w->first && s.n - w->first < w->count);
			hf_pool_restore(&w->streams,
			    (struct hf_ref){ s.n - w->first, s.gen });
			e->stream_call[s.n] = i;
		}
	}
}

/* Found in its slot: the tables it stood in are made anew. */
void
call_restored(struct engine *e, struct call *c)
{
	if (c->agent != CONF_NONE && c->kind == CALL_DIRECT)
		agent_restored(e, c->agent, c, AGENT_STATE_ON_CALL);
	for (unsigned i = 0; i < CALL_HELPERS; i++) {
		struct leg *l = &c->helper[i];

		if (l->id == 0)
			continue;
		/* What was known of its last seconds is stale. */
		l->voter.voting = l->voter.voted = l->voter.silent =
		    l->has_ticket = false;
		if (leg_is_helpers(l))
			e->helper[l->row].calls++;
		if (l->kind == RUNG_AGENT)
			agent_restored(e, l->row, c,
			    l->state == LEG_UP ? AGENT_STATE_ON_CALL
					       : AGENT_STATE_RINGING);
		leg_vote(e, c, l);
	}
	c->due[DUE_JUDGE] = HF_TIME_NEVER;
	if (c->state == CALL_STATE_WAITING)
		queue_restored(e, c);
}
