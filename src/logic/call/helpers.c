/* logic/call/helpers - each helper's breaker, fed by calls and by OPTIONS, and
 * what its vote needs to know. */

#include "logic/call/inner.h"

enum { PROBE_MARGIN_MS = 500 }; /* hf-sip reports before we assume */

static struct breaker_conf
breaker_conf_of(const struct conf_guard *g)
{
	struct breaker_conf b = {
		.trip = g->breaker_trip,
		.heal = g->breaker_heal,
		.rest_min = g->rest_min,
		.rest_max = g->rest_max,
		.trial_max = { g->probe_timeout.us +
			       hf_ms(PROBE_MARGIN_MS).us },
		.ramp_step = g->ramp_step,
	};

	for (unsigned i = 0; i < BREAKER_RAMP_STEPS; i++)
		b.ramp[i] = g->ramp[i];
	return b;
}

struct vote_conf
vote_conf_of(const struct engine *e, uint16_t helper)
{
	return vote_conf(&e->conf->helper[helper].guard);
}

static bool
used(const struct engine *e, uint16_t helper)
{
	return helper < e->conf->helpers && e->conf->helper[helper].used;
}

static void
schedule(struct engine *e, uint16_t helper)
{
	struct helper *h = &e->helper[helper];
	struct hf_time due = hf_time_min(h->probe, breaker_due(&h->breaker));

	if (due.us == HF_TIME_NEVER.us)
		hf_timer_stop(&e->wheel, &h->timer);
	else
		hf_timer_start(&e->wheel, &h->timer, due);
}

void
helper_note(struct engine *e, uint16_t helper, const char *evidence)
{
	struct helper *h = &e->helper[helper];
	enum breaker_phase p = breaker_phase(&h->breaker);

	e->house_changed = true;
	if (p != h->told) {
		h->told = p;
		h->silences = 0; /* the breaker counts anew as well */
		h->since = wall_now(e);
		TEXT(h->why, evidence);
		tell_breaker(e, helper, evidence);
		/* Its rest is over: find out at once. */
		if (p == BREAKER_TRIAL)
			h->probe = e->now;
	}
	schedule(e, helper);
}

void
helper_tell(struct engine *e, struct leg *l, bool ok, const char *evidence)
{
	if (!l->has_ticket)
		return;
	breaker_tell(&e->helper[l->row].breaker, l->ticket, ok, e->now);
	if (ok)
		e->helper[l->row].silences = 0;
	helper_note(e, l->row, evidence);
	/* A failure ends what the ticket was for; good news may yet turn. */
	if (!ok)
		l->has_ticket = false;
}

/* A helper that is slow under a burst of calls is slow to all of them: those
 * that were on their way when the first verdict fell say nothing new, and one
 * sign of life takes it all back.  It was slow, and others were quicker. */
void
helper_untried(struct engine *e, struct leg *l)
{
	struct helper *h = &e->helper[l->row];

	if (hf_time_before(l->asked, h->hushed)) {
		l->has_ticket = false;
		return;
	}
	h->hushed = e->now;
	h->silences++;
	helper_tell(e, l, false, "no 100");
}

void
helper_tried(struct engine *e, const struct leg *l)
{
	struct helper *h = &e->helper[l->row];

	if (!leg_is_helpers(l) || h->silences == 0)
		return;
	breaker_pardon(&h->breaker, h->silences);
	h->silences = 0;
	e->house_changed = true;
}

void
helper_trip(struct engine *e, uint16_t helper, const char *evidence)
{
	breaker_trip(&e->helper[helper].breaker, e->now);
	helper_note(e, helper, evidence);
}

/* ---- probes -------------------------------------------------------------- */

static void
order_probe(struct engine *e, uint16_t helper)
{
	struct helper *h = &e->helper[helper];
	const struct conf_guard *g = &e->conf->helper[helper].guard;
	struct msg_probe_helper *o = ORDER(e, MSG_PROBE_HELPER, probe_helper);

	o->helper = helper;
	o->target = h->target;
	o->timeout = g->probe_timeout;
	send_sip(e);
	h->probing = true;
	/* If the answer is lost with hf-sip, the next one is asked for. */
	h->probe = hf_time_after(e->now,
	    (struct hf_span){ g->probe_timeout.us + g->probe_every.us });
}

void
helper_probe_now(struct engine *e, uint16_t helper)
{
	struct helper *h = &e->helper[helper];

	h->target = 0;
	h->has_ticket = breaker_probe_ask(&h->breaker, e->now, &h->ticket);
	order_probe(e, helper);
	schedule(e, helper);
}

static void
helper_timer(struct hf_timer *t, struct hf_time now)
{
	struct helper *h = HF_CONTAINER(t, struct helper, timer);
	struct engine *e = h->engine;
	uint16_t helper = (uint16_t)(h - e->helper);

	if (!used(e, helper))
		return;
	breaker_age(&h->breaker, now);
	helper_note(e, helper,
	    h->breaker.phase == BREAKER_TRIAL ? "its rest is over"
					      : "the next step of its ramp");
	if (hf_time_before(now, h->probe))
		return;
	/* While it rests nobody knocks. */
	if (h->breaker.phase == BREAKER_OPEN) {
		h->probe = h->breaker.until;
		schedule(e, helper);
		return;
	}
	helper_probe_now(e, helper);
}

void
helper_probed(struct engine *e, const struct msg_helper_probed *m)
{
	struct helper *h;

	if (!used(e, m->helper) || !e->helper[m->helper].probing) {
		e->counts.stale_facts++;
		return;
	}
	h = &e->helper[m->helper];
	if (m->target != h->target)
		return;
	if (!m->ok && h->target + 1 < e->conf->helper[m->helper].targets) {
		h->target++;
		order_probe(e, m->helper);
		schedule(e, m->helper);
		return;
	}
	h->probing = false;
	h->answered = m->ok;
	if (m->ok)
		h->rtt = m->rtt;
	h->answers |= m->ok;
	h->probe =
	    hf_time_after(e->now, e->conf->helper[m->helper].guard.probe_every);
	vote_probed(&e->vote[m->helper], m->ok);
	/* One that never answered OPTIONS is not dead for not answering, and
	 * cannot be tried by it: the ramp's first calls find out. */
	if (h->has_ticket)
		breaker_probe_tell(
		    &h->breaker, h->ticket, m->ok || !h->answers, e->now);
	h->has_ticket = false;
	helper_note(
	    e, m->helper, m->ok ? "OPTIONS answered" : "OPTIONS failed");
	if (e->helper[m->helper].calls > 0 && (h->answers || m->ok))
		judge_all(e, m->helper, !m->ok);
	/* News for the uplink rule concerns the others that fell with it. */
	for (uint16_t i = 0; i < e->conf->helpers; i++) {
		if (i != m->helper && e->vote[i].fell.us != HF_TIME_NEVER.us)
			judge_all(e, i, false);
	}
}

/* ---- start and reload ---------------------------------------------------- */

static void
begin(struct engine *e, uint16_t helper)
{
	struct helper *h = &e->helper[helper];
	const struct conf_helper *c = &e->conf->helper[helper];
	struct breaker_conf b = breaker_conf_of(&c->guard);

	breaker_init(&h->breaker, &b);
	vote_init(&e->vote[helper], c->remote);
	h->told = BREAKER_CLOSED;
	h->since = wall_now(e);
	h->answers = h->probing = h->has_ticket = false;
	/* Not all in the same moment. */
	h->probe = hf_time_after(e->now,
	    (struct hf_span){ c->guard.probe_every.us * (helper % 8 + 1) / 8 });
	schedule(e, helper);
}

void
helpers_init(struct engine *e)
{
	for (uint16_t i = 0; i < CONF_HELPERS_MAX; i++) {
		e->helper[i].engine = e;
		e->helper[i].probe = HF_TIME_NEVER;
		hf_timer_init(&e->helper[i].timer, helper_timer);
		vote_init(&e->vote[i], false);
		if (used(e, i))
			begin(e, i);
	}
}

void
helpers_reconf(struct engine *e)
{
	for (uint16_t i = 0; i < CONF_HELPERS_MAX; i++) {
		struct helper *h = &e->helper[i];
		struct breaker_conf b;

		if (!used(e, i)) {
			hf_timer_stop(&e->wheel, &h->timer);
			h->probe = HF_TIME_NEVER;
		} else if (h->breaker.conf.trip == 0) {
			begin(e, i);
		} else {
			b = breaker_conf_of(&e->conf->helper[i].guard);
			breaker_reconf(&h->breaker, &b);
			e->vote[i].remote = e->conf->helper[i].remote;
			if (h->probe.us == HF_TIME_NEVER.us)
				h->probe = e->now;
			schedule(e, i);
		}
	}
}

void
helpers_keep(const struct engine *e, struct house *h)
{
	for (uint16_t i = 0; i < e->conf->helpers; i++) {
		if (!used(e, i))
			continue;
		TEXT(h->helper[i].name, e->conf->helper[i].name);
		h->helper[i].breaker = e->helper[i].breaker;
		h->helper[i].answers = e->helper[i].answers;
	}
}

void
helpers_kept(struct engine *e, const struct house *h)
{
	for (unsigned i = 0; i < CONF_HELPERS_MAX; i++) {
		const struct kept_helper *k = &h->helper[i];
		uint16_t at;
		struct breaker_conf b;

		if (k->name[0] == '\0' ||
		    (unsigned)k->breaker.phase >= BREAKER_NR ||
		    k->breaker.force > BREAKER_FORCED_CLOSED)
			continue;
		at = conf_helper_find(e->conf, k->name);
		if (at == CONF_NONE)
			continue;
		b = breaker_conf_of(&e->conf->helper[at].guard);
		e->helper[at].breaker = k->breaker;
		breaker_reconf(&e->helper[at].breaker, &b);
		e->helper[at].told = breaker_phase(&e->helper[at].breaker);
		e->helper[at].answers = k->answers;
		schedule(e, at);
	}
}
