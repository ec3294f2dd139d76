/* daemon/sip/emergency - who may dial for help, over which trunk it goes, and
 * what comes of it: see emergency.h */

#include <stdio.h>
#include <string.h>

#include "daemon/sip/emergency.h"

enum {
	AGAIN_MS = 200, /* a channel needs so long to be free again, ... */
	AGAINS_MAX = 4, /* ... or twice, or four times that, ... */
	NO_ANSWER_MS = 180000,
	LEGS_A_CALL = 2,
	UNAVAILABLE = 503,
	SILENT = 408,
};

#define PREEMPTED "ended for an emergency call"

/* ---- who ----------------------------------------------------------------- */

/* What the trunk is to be asked for; NULL: it is no call for help. */
static const char *
number_dialled(const struct sip_msg *m)
{
	const struct conf_emergency *e = &room.conf->emergency;
	char number[CONF_NUMBER_MAX];
	uint16_t n;

	if (e->vias == 0 || e->numbers == 0)
		return NULL;
	if (sip_is_sos(m->uri_text))
		return e->sos;
	if (!who_is_meant(&m->uri, number, sizeof(number)))
		return NULL;
	n = conf_sos_find(room.conf, number);
	return n != CONF_NONE ? e->number[n] : NULL;
}

void
emergency_number(const struct sip_msg *m, char *to, size_t cap)
{
	const char *number = number_dialled(m);

	(void)snprintf(to, cap, "%s", number != NULL ? number : "");
}

bool
emergency_is_dialled(const struct sip_msg *m)
{
	return m->request && m->method == SIP_INVITE && m->to_tag.n == 0 &&
	       number_dialled(m) != NULL;
}

static bool
is_lets_in(uint16_t trunk)
{
	const struct conf_emergency *e = &room.conf->emergency;

	for (uint16_t i = 0; trunk != CONF_NONE && i < e->trunks; i++)
		if (e->trunk[i] == trunk)
			return true;
	return false;
}

bool
emergency_is_strangers(const struct sip_msg *m)
{
	return room.conf->emergency.strangers && emergency_is_dialled(m);
}

bool
emergency_is_let_in(const struct sip_msg *m)
{
	return emergency_is_dialled(m) &&
	       (room.from_agent != CONF_NONE || is_lets_in(room.from_trunk) ||
		   (room.from_trunk == CONF_NONE &&
		       room.conf->emergency.strangers));
}

uint32_t
emergency_dialogs(const struct conf *c)
{
	return c->sip.dialogs + LEGS_A_CALL * c->emergency.calls;
}

bool
emergency_leaves_room(uint64_t leg)
{
	/* Each leg has a dialog, and one that says goodbye has no leg. */
	return is_emergency_leg(leg) ||
	       room.ss.pool.used < room.conf->sip.dialogs;
}

void
leg_tell(const struct msg *m)
{
	/* Every fact about a leg begins with its number. */
	if (is_emergency_leg(m->leg_left.leg))
		emergency_fact(m);
	else
		proc_send(PEER_CALL, m);
}

/* ---- orders to the legs -------------------------------------------------- */

static void
progress(const struct emergency *c, uint16_t code, uint16_t port)
{
	struct msg m;

	FACT(m, MSG_PROGRESS_LEG, progress_leg);
	m.progress_leg.leg = c->caller;
	m.progress_leg.code = code;
	m.progress_leg.port = port;
	leg_order(&m);
}

static void
drop(uint64_t leg, uint16_t code, const char *reason)
{
	struct msg m;

	FACT(m, MSG_DROP_LEG, drop_leg);
	if (leg_by_id(leg) == NULL)
		return;
	m.drop_leg.leg = leg;
	m.drop_leg.code = code;
	(void)snprintf(
	    m.drop_leg.reason, sizeof(m.drop_leg.reason), "%s", reason);
	leg_order(&m);
}

/* ---- the end ------------------------------------------------------------- */

static void
note(struct emergency *c, const char *what, unsigned code)
{
	size_t n = strlen(c->tried);

	(void)snprintf(c->tried + n, sizeof(c->tried) - n, "%s%s %s",
	    n > 0 ? ", " : "", c->over, what);
	n = strlen(c->tried);
	if (code != 0)
		(void)snprintf(c->tried + n, sizeof(c->tried) - n, " %u", code);
}

static void
over(struct emergency *c, enum cause why)
{
	char id[48];

	for (int side = SIDE_CALLER; side <= SIDE_LINE; side++)
		emergency_close_media(c, side);
	hf_timer_stop(proc_wheel(), emergency_timer(c));
	c->again = HF_TIME_NEVER;
	c->state = EMERGENCY_OVER;
	c->cause = (uint8_t)why;
	c->ended = proc_wall();
	emergency_touch(c);
	emergency_name(c, id, sizeof(id));
	hf_log(LOG_WARNING, "emergency_ended",
	    "call=%s why=%s answered=%d over=%s lines=%u preempted=%u", id,
	    cause_name(why), c->answered.us != 0,
	    c->over[0] != '\0' ? c->over : "-", c->lines, c->preempted);
	emergency_tell_ended(c);
}

/* ---- the next trunk ------------------------------------------------------ */

static unsigned
vias(void)
{
	return room.conf->emergency.vias;
}

/* A channel of it may be held by one of our other calls.  403 and 600 are no
 * lack of channels: to end a call for them would be in vain. */
static bool
is_full(uint16_t code)
{
	return code == 480 || code == 486 || code == 500 || code == 503;
}

/* Over which trunk is this leg? */
static uint16_t
trunk_of(const struct leg *l)
{
	if (l->order.leg == 0)
		return l->trunk;
	return l->order.kind == TO_NUMBER ? l->order.row : CONF_NONE;
}

static struct leg *
newest_on(uint16_t trunk)
{
	struct leg *newest = NULL;

	for (uint32_t i = 0; room.legs.used > 0 && i < room.legs.fresh; i++) {
		struct leg *l = &room.leg[i];

		if (l->state == LEG_FREE || l->state == LEG_WAITING ||
		    is_emergency_leg(l->id) || trunk_of(l) != trunk)
			continue;
		if (newest == NULL || hf_time_before(newest->since, l->since))
			newest = l;
	}
	return newest;
}

static void
preempt(struct emergency *c, struct leg *l)
{
	char id[48];

	emergency_name(c, id, sizeof(id));
	hf_log(LOG_WARNING, "call_preempted", "trunk=%s by=%s leg=%llu",
	    room.conf->trunk[trunk_of(l)].name, id, (unsigned long long)l->id);
	leg_end(l, CAUSE_PREEMPTED, UNAVAILABLE, PREEMPTED);
	c->preempted++;
	c->agains = 0;
}

static void
wait_for(struct emergency *c, struct hf_span most)
{
	c->again = hf_time_after(room.now, most);
	hf_timer_start(proc_wheel(), emergency_timer(c), c->again);
	emergency_touch(c);
}

static void
wait_no_more(struct emergency *c)
{
	c->again = HF_TIME_NEVER;
	hf_timer_stop(proc_wheel(), emergency_timer(c));
	emergency_touch(c);
}

static void
wait_again(struct emergency *c)
{
	wait_for(c, hf_ms(AGAIN_MS << c->agains++));
}

/* Is there another way, should this trunk go on saying nothing? */
static bool
has_other(const struct emergency *c)
{
	return c->round == ROUND_QUICK &&
	       (c->via + 1u < vias() || c->full != 0);
}

static void
call_via(struct emergency *c)
{
	static struct msg_ring_leg o;
	const struct conf_trunk *t =
	    &room.conf->trunk[room.conf->emergency.via[c->via]];

	c->line = c->last = leg_number() | EMERGENCY_LEG;
	c->lines++;
	(void)snprintf(c->over, sizeof(c->over), "%s", t->name);
	o = (struct msg_ring_leg){
		.leg = c->line,
		.kind = TO_NUMBER,
		.row = room.conf->emergency.via[c->via],
		.hops = c->hops,
		.codec = c->media[SIDE_CALLER].codec,
		.port = emergency_port(c, SIDE_LINE),
	};
	memcpy(o.number, c->number, sizeof(o.number));
	memcpy(o.from, c->shown, sizeof(o.from));
	memcpy(o.display, c->display, sizeof(o.display));
	/* Each of its addresses gets as long. */
	if (has_other(c))
		o.no_100.us =
		    room.conf->sip.next_target.us *
		    (target_addresses(&t->to) > 1 ? target_addresses(&t->to)
						  : 1);
	wait_for(c,
	    has_other(c) ? room.conf->emergency.no_ring : hf_ms(NO_ANSWER_MS));
	ring_leg(&o); /* it may be refused before this returns */
}

/* The next trunk of this round; false when there is none. */
static bool
next_in_round(struct emergency *c)
{
	struct leg *victim;

	for (; c->via < vias(); c->via++) {
		uint16_t row = room.conf->emergency.via[c->via];
		unsigned bit = 1U << c->via;

		switch ((enum emergency_round)c->round) {
		case ROUND_QUICK:
			call_via(c);
			return true;
		case ROUND_PREEMPT:
			if (!(c->full & bit) ||
			    (victim = newest_on(row)) == NULL)
				break;
			preempt(c, victim);
			wait_again(c);
			return true;
		case ROUND_PATIENT:
			if (!(c->silent & bit))
				break;
			call_via(c);
			return true;
		case ROUND_NONE:
			return false;
		}
	}
	return false;
}

static void
call_next(struct emergency *c)
{
	struct msg m;

	for (; c->round < ROUND_NONE; c->round++, c->via = 0)
		if (next_in_round(c))
			return;
	FACT(m, MSG_REFUSE_LEG, refuse_leg);
	m.refuse_leg.leg = c->caller;
	/* A challenge that we have no answer to is none for his phone. */
	m.refuse_leg.code =
	    c->last_code >= 400 && c->last_code != 401 && c->last_code != 407
		? c->last_code
		: UNAVAILABLE;
	over(c, CAUSE_REFUSED);
	leg_order(&m);
}

static void line_says_nothing(struct emergency *c);

void
emergency_again(struct hf_timer *t, struct hf_time now)
{
	struct emergency *c = NULL;

	room.now = now;
	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++)
		if (emergency_timer(emergency_at(i)) == t)
			c = emergency_at(i);
	if (c == NULL || c->state != EMERGENCY_TRYING)
		return;
	c->again = HF_TIME_NEVER;
	if (c->line != 0)
		line_says_nothing(c);
	else if (c->via < vias()) /* there may have been a reload */
		call_via(c);
	else
		call_next(c);
}

/* This trunk has refused, or has been given up. */
static void
line_lost(struct emergency *c, uint16_t code)
{
	c->line = 0;
	emergency_close_media(c, SIDE_LINE);
	wait_no_more(c);
	if (code != SILENT && code != 0)
		c->last_code = code;
	if (is_full(code) && c->round == ROUND_QUICK)
		c->full |= (uint16_t)(1U << c->via);
	if (c->round == ROUND_PREEMPT && is_full(code) &&
	    c->agains < AGAINS_MAX) {
		wait_again(c);
		return;
	}
	c->via++;
	call_next(c);
}

/* ---- what the legs tell -------------------------------------------------- */

static void
name_caller(struct emergency *c, const struct msg_leg_arrived *f)
{
	const struct conf *conf = room.conf;
	const char *shown = f->from;

	if (f->agent < conf->agents) {
		const struct conf_agent *a = &conf->agent[f->agent];

		shown = a->number[0] != '\0' ? a->number
			: conf->outbound.number[0] != '\0'
			    ? conf->outbound.number
			    : f->from;
	}
	memcpy(c->from, f->from, sizeof(c->from));
	memcpy(c->display, f->display, sizeof(c->display));
	(void)snprintf(c->shown, sizeof(c->shown), "%s", shown);
}

static void
arrived(const struct msg_leg_arrived *f)
{
	struct emergency *c = emergency_by_leg(f->leg);
	char id[48];
	struct msg m;

	if (c != NULL)
		return;
	c = emergency_take(f->leg);
	if (c == NULL) {
		hf_log(LOG_ERROR, "emergency_refused", "calls=%u",
		    emergency_calls());
		FACT(m, MSG_REFUSE_LEG, refuse_leg);
		m.refuse_leg.leg = f->leg;
		m.refuse_leg.code = UNAVAILABLE;
		leg_order(&m);
		return;
	}
	c->trunk = f->trunk;
	c->agent = f->agent;
	c->hops = f->hops > 0 ? f->hops - 1 : 0;
	c->media[SIDE_CALLER] = f->media;
	memcpy(c->number, f->number, sizeof(c->number));
	name_caller(c, f);
	emergency_name(c, id, sizeof(id));
	hf_log(LOG_WARNING, "emergency_call", "call=%s from=%s", id,
	    f->agent != CONF_NONE   ? "agent"
	    : f->trunk != CONF_NONE ? room.conf->trunk[f->trunk].name
				    : "stranger");
	progress(c, 100, 0);
	emergency_say_media(c, SIDE_CALLER);
	call_next(c);
}

static void
rang(struct emergency *c, const struct msg_leg_rang *f)
{
	c->ringing = true;
	if (f->media.codec != CODEC_NONE) {
		c->media[SIDE_LINE] = f->media;
		emergency_say_media(c, SIDE_LINE);
	}
	if (c->state == EMERGENCY_TRYING)
		wait_for(c, hf_ms(NO_ANSWER_MS));
	progress(c, f->code,
	    f->media.codec != CODEC_NONE ? emergency_port(c, SIDE_CALLER) : 0);
}

static void
answered(struct emergency *c, const struct msg_leg_answered *f)
{
	struct msg m;

	c->media[SIDE_LINE] = f->media;
	wait_no_more(c);
	emergency_say_media(c, SIDE_LINE);
	if (c->state == EMERGENCY_UP)
		return; /* told again */
	c->state = EMERGENCY_UP;
	c->answered = proc_wall();
	note(c, "answered", 0);
	FACT(m, MSG_ANSWER_LEG, answer_leg);
	m.answer_leg.leg = c->caller;
	m.answer_leg.port = emergency_port(c, SIDE_CALLER);
	leg_order(&m);
}

static void
moved(struct emergency *c, uint64_t leg, const struct media *to)
{
	int side = leg == c->caller ? SIDE_CALLER : SIDE_LINE;

	if (to->codec == CODEC_NONE)
		return;
	c->media[side] = *to;
	emergency_touch(c);
	emergency_say_media(c, side);
}

/* Who has not even said that it rings is asked again with patience when all
 * others have refused; who rang and rang is not. */
static void
give_line_up(struct emergency *c, const char *why)
{
	uint64_t line = c->line;

	note(c, why, 0);
	c->line = 0; /* what comes of it is no news of this call any more */
	line_lost(c, SILENT);
	drop(line, 0, "");
}

static void
untried(struct emergency *c)
{
	if (!has_other(c))
		return;
	c->silent |= (uint16_t)(1U << c->via);
	give_line_up(c, "silent");
}

/* RFC 3261 16.8, Timer C: nobody is waited for for ever, and a caller who has
 * gone without a word keeps nobody else's place. */
static void
line_says_nothing(struct emergency *c)
{
	if (has_other(c))
		untried(c);
	else
		give_line_up(c, "no_answer");
}

static void
pass_info(struct emergency *c, const struct msg_leg_info *f)
{
	static struct msg m;

	FACT(m, MSG_PASS_INFO, pass_info);
	m.pass_info.leg = f->leg == c->caller ? c->line : c->caller;
	memcpy(m.pass_info.type, f->type, sizeof(f->type));
	m.pass_info.body.n = f->body.n;
	memcpy(m.pass_info.body.p, f->body.p, f->body.n);
	leg_order(&m);
}

void
emergency_fact(const struct msg *m)
{
	struct emergency *c = emergency_by_leg(m->leg_left.leg);

	if (m->type == MSG_LEG_ARRIVED)
		arrived(&m->leg_arrived);
	if (c == NULL || c->state == EMERGENCY_OVER)
		return;
	switch ((unsigned)m->type) {
	case MSG_LEG_UNTRIED:
		untried(c);
		break;
	case MSG_LEG_RANG:
		rang(c, &m->leg_rang);
		break;
	case MSG_LEG_ANSWERED:
		answered(c, &m->leg_answered);
		break;
	case MSG_LEG_CONFIRMED:
		moved(c, m->leg_confirmed.leg, &m->leg_confirmed.media);
		break;
	case MSG_LEG_REOFFERED:
		moved(c, m->leg_reoffered.leg, &m->leg_reoffered.media);
		break;
	case MSG_LEG_INFO:
		pass_info(c, &m->leg_info);
		break;
	default: /* LEG_TRIED: a sign of life, and that is all */
		break;
	}
}

void
emergency_left(const struct msg_leg_left *f, bool refused)
{
	struct emergency *c = emergency_by_leg(f->leg);
	uint64_t line;

	if (c == NULL || c->state == EMERGENCY_OVER)
		return;
	if (emergency_never_was(c)) {
		line = c->line;
		emergency_give(c);
		drop(line, 0, "");
		return;
	}
	if (refused && f->leg == c->line) {
		note(c, cause_name(f->cause), f->code);
		line_lost(c, f->code);
		return;
	}
	/* Who is still there hears the other's reason. */
	line = c->line;
	if (f->leg == c->caller) {
		over(c, f->cause == CAUSE_DONE ? CAUSE_CALLER_LEFT : f->cause);
		drop(line, f->code, f->reason);
	} else {
		uint64_t caller = c->caller;

		over(c, f->cause);
		drop(caller, f->code, f->reason);
	}
}

void
emergency_let_go(void)
{
	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++) {
		struct emergency *c = emergency_at(i);
		uint64_t line = c->line;

		if (c->state != EMERGENCY_TRYING && c->state != EMERGENCY_UP)
			continue;
		over(c, CAUSE_DRAIN);
		drop(line, 0, "");
		drop(c->caller, UNAVAILABLE, "");
	}
}

/* ---- a new process ------------------------------------------------------- */

void
emergency_start(void)
{
	const struct conf_emergency *e = &room.conf->emergency;
	uint16_t ways = 0;

	for (uint16_t i = 0; i < e->vias; i++)
		ways += room.conf->trunk[e->via[i]].to.uri[0] != '\0';
	if (ways == 0 || e->numbers == 0)
		hf_log(LOG_WARNING, "emergency_unavailable",
		    "numbers=%u trunks=%u why=\"no emergency number can be "
		    "called from this house; see emergency.via\"",
		    e->numbers, ways);
}

/* Its legs are there again, or not. */
static void
restored(struct emergency *c)
{
	const struct leg *caller = leg_by_id(c->caller);
	uint64_t line = c->line;

	if (caller == NULL) {
		if (emergency_never_was(c))
			emergency_give(c);
		else
			over(c, CAUSE_CALLER_LEFT);
		drop(line, 0, "");
		return;
	}
	if (c->state == EMERGENCY_TRYING)
		progress(c, 100, 0);
	if (c->line != 0 && leg_by_id(c->line) != NULL) {
		if (c->state == EMERGENCY_TRYING && c->again.us != INT64_MAX)
			hf_timer_start(
			    proc_wheel(), emergency_timer(c), c->again);
		return;
	}
	if (c->state == EMERGENCY_UP) {
		over(c, CAUSE_OUR_FAULT);
		drop(c->caller, UNAVAILABLE, "");
		return;
	}
	/* It was between two trunks, or one was lost with us. */
	c->line = 0;
	c->again = room.now;
	hf_timer_start(proc_wheel(), emergency_timer(c), c->again);
	emergency_touch(c);
}

void
emergency_restored(void)
{
	struct emergency *c;

	for (uint32_t i = 0; i < EMERGENCY_PLACES; i++) {
		c = emergency_at(i);
		if (c->state == EMERGENCY_TRYING || c->state == EMERGENCY_UP)
			restored(c);
	}
	for (uint32_t i = 0; room.legs.used > 0 && i < room.legs.fresh; i++) {
		struct leg *l = &room.leg[i];

		if (l->state == LEG_FREE || !is_emergency_leg(l->id))
			continue;
		c = emergency_by_leg(l->id);
		if (c == NULL)
			drop(l->id, UNAVAILABLE, "");
		else if (c->state == EMERGENCY_OVER)
			drop(l->id, 0, ""); /* we died before we said so */
		else
			leg_tell_again(l);
	}
	emergency_legs_are_there();
}
