/* tests/sim/sim_sip - an hf-sip without SIP: legs, and how the cast takes
 * them; see sim.h */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim.h"

enum { WIRE_MS = 1, TRIED_MS = 5, RANG_MS = 10, REFUSED_MS = 15 };

#define OURS (UINT64_C(1) << 63)

bool
sim_reachable(const struct sim *s, const struct sim_actor *a)
{
	return !a->dead && !a->closed && !a->will.never_try &&
	       s->now >= a->cut_until;
}

void
sim_note(struct sim *s, struct sim_actor *a, enum sim_what what, int code,
    const char *text)
{
	struct sim_note *n;

	if (a->notes == SIM_NOTES)
		return;
	n = &a->note[a->notes++];
	*n = (struct sim_note){ s->now, what, code, "" };
	snprintf(n->text, sizeof(n->text), "%s", text);
}

static struct sim_leg *
leg_find(struct sim *s, uint64_t id)
{
	for (unsigned i = 0; i < s->legs_seen; i++) {
		if (s->leg[i].state != LEG_FREE && s->leg[i].id == id)
			return &s->leg[i];
	}
	return NULL;
}

static struct sim_leg *
leg_new(struct sim *s, uint64_t id, unsigned actor)
{
	for (unsigned i = 0; i < SIM_LEGS; i++) {
		if (s->leg[i].state != LEG_FREE)
			continue;
		s->leg[i] = (struct sim_leg){
			.state = LEG_SETUP,
			.id = id,
			.actor = actor,
			.stream = SIM_STREAMS,
			.ours = (id & OURS) != 0,
			.serial = ++s->next_serial,
		};
		if (i >= s->legs_seen)
			s->legs_seen = i + 1;
		return &s->leg[i];
	}
	hf_never("too many legs for a story");
}

/* The newest leg he has a say in. */
struct sim_leg *
sim_leg_current(struct sim *s, const struct sim_actor *a)
{
	struct sim_leg *best = NULL;

	for (unsigned i = 0; i < s->legs_seen; i++) {
		struct sim_leg *l = &s->leg[i];

		if (l->state != LEG_FREE && &s->actor[l->actor] == a &&
		    (best == NULL || l->serial > best->serial))
			best = l;
	}
	return best;
}

static struct media
media_of(const struct sim_leg *l, enum direction d)
{
	return (struct media){
		.rtp = { .ip = { 127, 0, 0, 1 },
		    .family = 4,
		    .port = (uint16_t)(30000 + l->serial % 10000) },
		.codec = CODEC_PCMA,
		.payload = 8,
		.dtmf = 101,
		.ptime_ms = 20,
		.direction = d,
		.mux = true,
	};
}

/* ---- a leg that hf-call rings -------------------------------------------- */

/* The event's leg, if it is still the same. */
static struct sim_leg *
still(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = &s->leg[place];

	return l->state != LEG_FREE && l->serial == serial ? l : NULL;
}

static void
tried(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);
	struct msg m = { .type = MSG_LEG_TRIED };

	if (l == NULL)
		return;
	l->tried = true;
	m.leg_tried.leg = l->id;
	sim_fact(s, &m);
}

static void
untried(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);
	struct msg m = { .type = MSG_LEG_UNTRIED };

	if (l == NULL || l->tried || l->state != LEG_SETUP)
		return;
	m.leg_untried.leg = l->id;
	sim_fact(s, &m);
}

static void
rang(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);
	struct msg m = { .type = MSG_LEG_RANG };

	if (l == NULL || l->state != LEG_SETUP)
		return;
	l->state = LEG_RINGING;
	m.leg_rang.leg = l->id;
	m.leg_rang.code = 180;
	if (s->actor[l->actor].will.early) {
		l->early = true;
		m.leg_rang.code = 183;
		m.leg_rang.media = media_of(l, DIRECTION_SENDRECV);
	}
	sim_fact(s, &m);
}

static void
refused(struct sim *s, struct sim_leg *l, int code, enum cause cause)
{
	struct msg m = { .type = MSG_LEG_REFUSED };

	m.leg_refused.leg = l->id;
	m.leg_refused.code = (uint16_t)code;
	m.leg_refused.cause = cause;
	l->state = LEG_FREE;
	sim_fact(s, &m);
}

static void
refuses(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);

	if (l != NULL)
		refused(s, l, s->actor[l->actor].will.refuse, CAUSE_REFUSED);
}

static void
gave_up(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);

	if (l == NULL || l->state == LEG_TALKS)
		return;
	sim_note(s, &s->actor[l->actor], NOTE_LET_GO, 0, "");
	refused(s, l, 0,
	    sim_reachable(s, &s->actor[l->actor]) ? CAUSE_NO_ANSWER
						  : CAUSE_TIMEOUT);
}

static void
unreachable(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);

	if (l != NULL)
		refused(s, l, 0, CAUSE_UNREACHABLE);
}

static void
bored(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);

	if (l != NULL && l->state == LEG_TALKS)
		sim_hangs_up(s, &s->actor[l->actor], CAUSE_DONE, 0, "");
}

static void
answered(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);
	struct msg m = { .type = MSG_LEG_ANSWERED };
	struct sim_actor *a;

	if (l == NULL || l->state == LEG_TALKS)
		return;
	a = &s->actor[l->actor];
	if (!sim_reachable(s, a)) {
		if (s->now < a->cut_until) /* it is sent again */
			sim_later(s, (a->cut_until - s->now) / 1000 + 1,
			    answered, place, serial);
		return;
	}
	l->state = LEG_TALKS;
	l->up = s->now;
	if (a->will.hang_up_ms > 0)
		sim_later(s, a->will.hang_up_ms, bored, place, serial);
	m.leg_answered.leg = l->id;
	m.leg_answered.media = media_of(l, DIRECTION_SENDRECV);
	sim_fact(s, &m);
}

static struct sim_actor *
who_is_rung(struct sim *s, const struct msg_ring_leg *o)
{
	for (unsigned i = 0; i < s->actors; i++) {
		struct sim_actor *a = &s->actor[i];

		if ((o->kind == TO_HELPER && a->role == SIM_HELPER &&
			a->row == o->row) ||
		    (o->kind == TO_AGENT && a->role == SIM_AGENT &&
			a->row == o->row) ||
		    (o->kind == TO_NUMBER && a->role == SIM_WORLD))
			return a;
	}
	hf_never("hf-call rings somebody who is not there");
}

/* What hf-sip would write. */
static void
invite_text(
    const struct sim *s, const struct msg_ring_leg *o, char *to, size_t cap)
{
	bool trusted = o->kind == TO_HELPER && s->conf.helper[o->row].trusted;

	snprintf(to, cap,
	    "Max-Forwards: %u\nX-Holdfast-Path: %s\nFrom: %s\n%s%s", o->hops,
	    o->path, o->restricted ? "sip:anonymous@" : o->from,
	    o->restricted && trusted ? "P-Asserted-Identity: " : "",
	    o->restricted && trusted ? o->from : "");
}

static void
ring(struct sim *s, const struct msg_ring_leg *o)
{
	struct sim_actor *a = who_is_rung(s, o);
	struct sim_leg *l;
	uint64_t place;
	int64_t late = 0;
	char text[200];

	if (leg_find(s, o->leg) != NULL)
		return; /* asked again */
	l = leg_new(s, o->leg, (unsigned)(a - s->actor));
	place = (uint64_t)(l - s->leg);

	l->stream = (uint32_t)(o->port - s->conf.rtp.port_first) / 2;
	if (a->closed || (a->role == SIM_AGENT && !a->registered)) {
		sim_later(s, WIRE_MS + 1, unreachable, place, l->serial);
		return;
	}
	sim_later(s, o->give_up.us / 1000, gave_up, place, l->serial);
	if (o->no_100.us > 0)
		sim_later(s, o->no_100.us / 1000, untried, place, l->serial);
	if (s->now < a->cut_until) /* INVITE is sent again */
		late = (a->cut_until - s->now) / 1000 + 1;
	else if (!sim_reachable(s, a))
		return;
	invite_text(s, o, text, sizeof(text));
	sim_note(s, a, NOTE_CALLED, 0, text);
	sim_later(s, late + TRIED_MS, tried, place, l->serial);
	if (a->will.refuse != 0) {
		sim_later(s, late + REFUSED_MS, refuses, place, l->serial);
		return;
	}
	if (a->will.try_only)
		return;
	if (a->will.ring_only || a->will.early || a->role != SIM_HELPER)
		sim_later(s, late + RANG_MS, rang, place, l->serial);
	if (!a->will.ring_only && a->will.answer_ms >= 0)
		sim_later(
		    s, late + a->will.answer_ms, answered, place, l->serial);
}

/* ---- orders -------------------------------------------------------------- */

static void
probed(struct sim *s, uint64_t helper, uint64_t ok)
{
	struct msg m = { .type = MSG_HELPER_PROBED };

	m.helper_probed.helper = (uint16_t)helper;
	m.helper_probed.ok = ok != 0;
	m.helper_probed.code = ok ? 200 : 0;
	sim_fact(s, &m);
}

static void
probe(struct sim *s, const struct msg_probe_helper *o)
{
	for (unsigned i = 0; i < s->actors; i++) {
		const struct sim_actor *a = &s->actor[i];

		if (a->role != SIM_HELPER || a->row != o->helper)
			continue;
		if (sim_reachable(s, a))
			sim_later(s, 2 * WIRE_MS, probed, o->helper, 1);
		else
			sim_later(s,
			    a->closed ? 2 * WIRE_MS : o->timeout.us / 1000,
			    probed, o->helper, 0);
	}
}

static void
confirmed(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);
	struct msg m = { .type = MSG_LEG_CONFIRMED };

	if (l == NULL)
		return;
	m.leg_confirmed.leg = l->id;
	sim_fact(s, &m);
}

static void
caller_answered(struct sim *s, struct sim_leg *l, uint16_t port)
{
	if (l->state == LEG_TALKS)
		return;
	l->state = LEG_TALKS;
	l->up = s->now;
	l->stream = (uint32_t)(port - s->conf.rtp.port_first) / 2;
	sim_note(s, &s->actor[l->actor], NOTE_ANSWERED, 200, "");
	sim_later(s, 2 * WIRE_MS, confirmed, (uint64_t)(l - s->leg), l->serial);
}

static void
progress(struct sim *s, struct sim_leg *l, const struct msg_progress_leg *o)
{
	if (o->code == 100)
		return;
	sim_note(s, &s->actor[l->actor], NOTE_RANG, o->code, "");
	if (o->code == 180)
		l->ringback = true;
	if (o->port != 0) {
		l->early = true;
		l->stream = (uint32_t)(o->port - s->conf.rtp.port_first) / 2;
	}
}

static void
reanswered(struct sim *s, uint64_t place, uint64_t direction)
{
	struct sim_leg *l = &s->leg[place];
	struct msg m = { .type = MSG_LEG_REOFFERED };

	if (l->state != LEG_TALKS)
		return;
	m.leg_reoffered.leg = l->id;
	m.leg_reoffered.media = media_of(l, (enum direction)direction);
	sim_fact(s, &m);
}

static void
left(struct sim *s, uint64_t leg, uint64_t none)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	(void)none;
	m.leg_left.leg = leg;
	m.leg_left.cause = CAUSE_OUR_FAULT;
	sim_fact(s, &m);
}

/* Wanted, and not there any more. */
static void
no_such_leg(struct sim *s, const struct msg *order)
{
	if (order->type == MSG_ANSWER_LEG || order->type == MSG_HOLD_LEG ||
	    order->type == MSG_PROGRESS_LEG || order->type == MSG_PROBE_LEG)
		sim_later(s, WIRE_MS, left, order->drop_leg.leg, 0);
}

static void
unanswered(struct sim *s, uint64_t place, uint64_t serial)
{
	struct sim_leg *l = still(s, place, serial);
	struct msg m = { .type = MSG_LEG_LEFT };

	if (l == NULL)
		return;
	m.leg_left.leg = l->id;
	m.leg_left.cause = CAUSE_TIMEOUT;
	m.leg_left.code = 408;
	l->state = LEG_FREE;
	sim_fact(s, &m);
}

void
sim_sip_order(struct sim *s, const struct msg *m)
{
	struct sim_leg *l;

	if (m->type == MSG_RING_LEG) {
		ring(s, &m->ring_leg);
		return;
	}
	if (m->type == MSG_PROBE_HELPER) {
		probe(s, &m->probe_helper);
		return;
	}
	l = leg_find(s, m->drop_leg.leg);
	if (l == NULL) {
		no_such_leg(s, m);
		return;
	}
	switch ((int)m->type) {
	case MSG_PROGRESS_LEG:
		progress(s, l, &m->progress_leg);
		break;
	case MSG_ANSWER_LEG:
		caller_answered(s, l, m->answer_leg.port);
		break;
	case MSG_REFUSE_LEG:
		sim_note(s, &s->actor[l->actor], NOTE_REFUSED,
		    m->refuse_leg.code, "");
		l->state = LEG_FREE;
		break;
	case MSG_DROP_LEG:
		sim_note(s, &s->actor[l->actor], NOTE_LET_GO, 0, "");
		l->state = LEG_FREE;
		break;
	case MSG_HOLD_LEG:
		if (l->asked == m->hold_leg.direction)
			break;
		l->asked = m->hold_leg.direction;
		sim_note(s, &s->actor[l->actor],
		    m->hold_leg.direction == DIRECTION_SENDRECV ? NOTE_RESUMED
								: NOTE_HELD,
		    0, direction_name(m->hold_leg.direction));
		sim_later(s, 2 * WIRE_MS, reanswered, (uint64_t)(l - s->leg),
		    m->hold_leg.direction);
		break;
	case MSG_PROBE_LEG:
		if (!sim_reachable(s, &s->actor[l->actor]))
			sim_later(s,
			    s->actor[l->actor].closed
				? 2 * WIRE_MS
				: 64 * s->conf.sip.t1.us / 1000,
			    unanswered, (uint64_t)(l - s->leg), l->serial);
		break;
	case MSG_PASS_INFO:
		sim_note(
		    s, &s->actor[l->actor], NOTE_INFO, 0, m->pass_info.type);
		break;
	case MSG_REPORT_REFER:
		sim_note(s, &s->actor[l->actor], NOTE_NOTIFIED,
		    m->report_refer.code, "");
		break;
	}
}

/* ---- what the cast does -------------------------------------------------- */

static const char *
value_of(const char *line, const char *name)
{
	size_t n = strlen(name);

	return strncmp(line, name, n) == 0 ? line + n : NULL;
}

/* hf-sip believes a site alone where a call has been. */
static void
said(const struct sim_actor *a, const char *line, struct msg_leg_arrived *f)
{
	const char *hops = value_of(line, "Max-Forwards: ");
	const char *path = value_of(line, "X-Holdfast-Path: ");

	if (hops != NULL)
		f->hops = (uint8_t)atoi(hops);
	if (path != NULL && a->role == SIM_HELPER)
		snprintf(f->path, sizeof(f->path), "%s", path);
	f->restricted = value_of(line, "Privacy: id") != NULL;
}

void
sim_calls(
    struct sim *s, struct sim_actor *a, const char *number, const char *line)
{
	struct sim_leg *l = leg_new(s, ++s->next_leg, (unsigned)(a - s->actor));
	struct msg m = { .type = MSG_LEG_ARRIVED };
	struct msg_leg_arrived *f = &m.leg_arrived;

	f->leg = l->id;
	f->trunk = a->role == SIM_AGENT ? CONF_NONE : 0;
	f->agent = a->role == SIM_AGENT ? a->row : CONF_NONE;
	f->hops = 70;
	snprintf(f->number, sizeof(f->number), "%s", number);
	snprintf(f->from, sizeof(f->from), "%s", a->name);
	said(a, line, f);
	f->media = media_of(l, DIRECTION_SENDRECV);
	sim_fact(s, &m);
}

bool
sim_answers(struct sim *s, struct sim_actor *a)
{
	struct sim_leg *l = sim_leg_current(s, a);

	if (l == NULL || !l->ours || l->state == LEG_TALKS)
		return false;
	answered(s, (uint64_t)(l - s->leg), l->serial);
	return true;
}

bool
sim_declines(struct sim *s, struct sim_actor *a, int code)
{
	struct sim_leg *l = sim_leg_current(s, a);

	if (l == NULL || !l->ours || l->state == LEG_TALKS)
		return false;
	refused(s, l, code, code == 486 ? CAUSE_BUSY : CAUSE_REFUSED);
	return true;
}

bool
sim_hangs_up(struct sim *s, struct sim_actor *a, enum cause cause, int code,
    const char *reason)
{
	struct sim_leg *l = sim_leg_current(s, a);
	struct msg m = { .type = MSG_LEG_LEFT };

	if (l == NULL)
		return false;
	m.leg_left.leg = l->id;
	m.leg_left.cause = cause;
	m.leg_left.code = (uint16_t)code;
	snprintf(m.leg_left.reason, sizeof(m.leg_left.reason), "%s", reason);
	l->state = LEG_FREE;
	sim_note(s, a, NOTE_LEFT, 0, "");
	sim_fact(s, &m);
	return true;
}

bool
sim_refers(struct sim *s, struct sim_actor *a, const char *target)
{
	struct sim_leg *l = sim_leg_current(s, a);
	struct msg m = { .type = MSG_LEG_REFERRED };

	if (l == NULL)
		return false;
	m.leg_referred.leg = l->id;
	snprintf(
	    m.leg_referred.target, sizeof(m.leg_referred.target), "%s", target);
	sim_fact(s, &m);
	return true;
}

bool
sim_holds(struct sim *s, struct sim_actor *a, bool on)
{
	struct sim_leg *l = sim_leg_current(s, a);

	if (l == NULL || l->state != LEG_TALKS)
		return false;
	l->holds = on;
	/* They offer sendonly, so all we may do is listen. */
	reanswered(s, (uint64_t)(l - s->leg),
	    on ? DIRECTION_RECVONLY : DIRECTION_SENDRECV);
	return true;
}

bool
sim_reoffers(struct sim *s, struct sim_actor *a)
{
	struct sim_leg *l = sim_leg_current(s, a);

	if (l == NULL || l->state != LEG_TALKS)
		return false;
	reanswered(s, (uint64_t)(l - s->leg), DIRECTION_SENDRECV);
	return true;
}

bool
sim_informs(
    struct sim *s, struct sim_actor *a, const char *type, const char *body)
{
	struct sim_leg *l = sim_leg_current(s, a);
	struct msg m = { .type = MSG_LEG_INFO };

	if (l == NULL)
		return false;
	m.leg_info.leg = l->id;
	snprintf(m.leg_info.type, sizeof(m.leg_info.type), "%s", type);
	m.leg_info.body.n = (uint16_t)strlen(body);
	memcpy(m.leg_info.body.p, body, m.leg_info.body.n);
	sim_fact(s, &m);
	return true;
}

void
sim_registers(struct sim *s, struct sim_actor *a, bool on)
{
	struct msg m = { .type = on ? MSG_AGENT_CAME : MSG_AGENT_WENT };

	a->registered = on;
	if (on)
		m.agent_came =
		    (struct msg_agent_came){ .agent = a->row, .anew = true };
	else
		m.agent_went.agent = a->row;
	sim_fact(s, &m);
}
