/* logic/call/ladder - the next rung, skipping those that cannot help, and how
 * each kind begins. */

#include "logic/call/inner.h"

enum {
	HOPS_TO_A_SITE = 2, /* it has helpers of its own */
};

static enum rung
rung_kind(const struct conf_rung *r)
{
	switch ((enum conf_rung_kind)r->kind) {
	case CONF_RUNG_BOT:
		return RUNG_BOT;
	case CONF_RUNG_CENTRE:
		return RUNG_CENTRE;
	case CONF_RUNG_QUEUE:
		return RUNG_QUEUE;
	case CONF_RUNG_SITE:
		return RUNG_SITE;
	case CONF_RUNG_NUMBER:
		return RUNG_NUMBER;
	case CONF_RUNG_VOICEMAIL:
		return RUNG_VOICEMAIL;
	}
	hf_never("no such kind of rung");
}

const struct conf_rung *
rung_at(const struct engine *e, const struct call *c, uint8_t rung)
{
	const struct conf_ladder *l;

	if (c->ladder >= e->conf->ladders)
		return NULL;
	l = &e->conf->ladder[c->ladder];
	return rung < l->rungs ? &l->rung[rung] : NULL;
}

static bool
helper_usable(const struct engine *e, uint16_t helper, enum cause *why)
{
	if (helper >= e->conf->helpers || !e->conf->helper[helper].used)
		*why = CAUSE_UNREACHABLE;
	else if (!breaker_would(&e->helper[helper].breaker))
		*why = CAUSE_BREAKER_OPEN;
	else
		*why = CAUSE_NONE;
	return *why == CAUSE_NONE;
}

bool
engine_rung_usable(
    const struct engine *e, const struct conf_rung *r, enum cause *why)
{
	*why = CAUSE_NONE;
	switch ((enum conf_rung_kind)r->kind) {
	case CONF_RUNG_BOT:
	case CONF_RUNG_CENTRE:
	case CONF_RUNG_SITE:
		return helper_usable(e, r->row, why);
	case CONF_RUNG_QUEUE:
		return queue_usable(e, r->row, why);
	case CONF_RUNG_NUMBER:
		if (e->conf->outbound.vias == 0)
			*why = CAUSE_FORBIDDEN;
		return e->conf->outbound.vias > 0;
	case CONF_RUNG_VOICEMAIL:
		if (e->mailbox[r->row] >= e->conf->box[r->row].messages)
			*why = CAUSE_QUEUE_FULL;
		return *why == CAUSE_NONE;
	}
	hf_never("no such kind of rung");
}

/* Outside, each hop costs one (RFC 3261 16.6); where he has been, he is not
 * sent again. */
static bool
goes_round(
    const struct engine *e, const struct call *c, const struct conf_rung *r)
{
	char path[CONF_PATH_MAX];
	unsigned rung;

	switch ((enum conf_rung_kind)r->kind) {
	case CONF_RUNG_BOT:
	case CONF_RUNG_CENTRE:
	case CONF_RUNG_NUMBER:
		return c->hops == 0;
	case CONF_RUNG_SITE:
		return c->hops < HOPS_TO_A_SITE ||
		       path_has(c->path, e->conf->helper[r->row].name, &rung) ||
		       !path_on(e, c, CONF_RUNGS_MAX, path);
	case CONF_RUNG_QUEUE:
	case CONF_RUNG_VOICEMAIL:
		return false;
	}
	hf_never("no such kind of rung");
}

/* What only matters to this caller. */
static bool
usable_for(const struct engine *e, const struct call *c,
    const struct conf_rung *r, enum cause *why)
{
	bool helpers = r->kind == CONF_RUNG_BOT ||
		       r->kind == CONF_RUNG_CENTRE || r->kind == CONF_RUNG_SITE;

	if (!engine_rung_usable(e, r, why))
		return false;
	if (helpers && c->local_only && e->conf->helper[r->row].remote)
		*why = CAUSE_UPLINK;
	else if (goes_round(e, c, r))
		*why = CAUSE_LOOP_DETECTED;
	return *why == CAUSE_NONE;
}

/* To a bot, a centre or a site: with a ticket of its breaker. */
static bool
helper_begin(struct engine *e, struct call *c, uint8_t rung,
    const struct conf_rung *r, enum cause *why)
{
	struct helper *h = &e->helper[r->row];
	const struct conf_guard *g = &e->conf->helper[r->row].guard;
	uint32_t ticket;
	struct leg *l;

	if (!breaker_ask(&h->breaker, e->now, &ticket)) {
		*why = CAUSE_BREAKER_OPEN;
		return false;
	}
	l = leg_ring(e, c, rung_kind(r), r->row, rung, c->number, g->setup_max);
	if (l == NULL) {
		*why = CAUSE_OUR_FAULT;
		return false;
	}
	l->ticket = ticket;
	l->has_ticket = true;
	return true;
}

static void
reaching(struct engine *e, struct call *c, struct hf_span give_up)
{
	if (c->state != CALL_STATE_REACHING)
		enter(e, c, CALL_STATE_REACHING);
	due_in(e, c, DUE_STATE, ring_late(give_up));
}

struct leg *
number_ring(struct engine *e, struct call *c, uint8_t rung, const char *number,
    struct hf_span give_up)
{
	if (c->via >= e->conf->outbound.vias || c->hops == 0)
		return NULL;
	return leg_ring(e, c, RUNG_NUMBER, e->conf->outbound.via[c->via], rung,
	    number, give_up);
}

/* The trunk, not the person: then the next trunk may do better. */
bool
number_again(struct engine *e, struct call *c, const struct leg *failed)
{
	bool trunks = failed->code == 0 || failed->code == 408 ||
		      (failed->code >= 500 && failed->code < 600);
	const char *number = leg_name(e, c, failed);
	bool referred = failed->referred;
	uint16_t payer = failed->payer;
	uint8_t rung = failed->rung;
	struct leg *l;

	if (failed->kind != RUNG_NUMBER || failed->state == LEG_UP ||
	    c->state != CALL_STATE_REACHING || !trunks ||
	    c->via + 1 >= e->conf->outbound.vias)
		return false;
	leg_drop(e, c, &c->helper[0], 0, "");
	c->via++;
	l = number_ring(e, c, rung, number, e->conf->calls.ring);
	if (l == NULL)
		hf_never("the stream of a moment ago is gone");
	l->referred = referred;
	l->payer = payer;
	reaching(e, c, e->conf->calls.ring);
	return true;
}

static bool
rung_begin(struct engine *e, struct call *c, uint8_t rung,
    const struct conf_rung *r, enum cause *why)
{
	switch ((enum conf_rung_kind)r->kind) {
	case CONF_RUNG_BOT:
		if (!helper_begin(e, c, rung, r, why))
			return false;
		reaching(e, c, e->conf->helper[r->row].guard.setup_max);
		return true;
	case CONF_RUNG_CENTRE:
	case CONF_RUNG_SITE:
		if (!helper_begin(e, c, rung, r, why))
			return false;
		reaching(e, c, e->conf->helper[r->row].guard.setup_max);
		return true;
	case CONF_RUNG_QUEUE:
		queue_begin(e, c, r->row);
		return true;
	case CONF_RUNG_NUMBER:
		TEXT(c->target, r->number);
		c->via = 0;
		if (number_ring(e, c, rung, c->target, e->conf->calls.ring) ==
		    NULL) {
			*why = CAUSE_OUR_FAULT;
			return false;
		}
		reaching(e, c, e->conf->calls.ring);
		return true;
	case CONF_RUNG_VOICEMAIL:
		voicemail_begin(e, c, r->row);
		return true;
	}
	hf_never("no such kind of rung");
}

void
descend(struct engine *e, struct call *c)
{
	uint8_t from = c->rung == CALL_RUNG_NONE ? 0 : c->rung + 1;
	bool rescued = c->state == CALL_STATE_RESCUE;
	const struct conf_rung *r;

	for (uint8_t i = from; (r = rung_at(e, c, i)) != NULL; i++) {
		enum cause why = CAUSE_NONE;

		if (c->tried & HF_BIT(i))
			continue;
		if (!usable_for(e, c, r, &why)) {
			tell_evidence(e, c, "rung_skipped", "%s %s: %s",
			    rung_name(rung_kind(r)),
			    conf_rung_title(e->conf, r), cause_name(why));
			continue;
		}
		c->tried |= (uint16_t)HF_BIT(i);
		c->rung = i;
		/* Told first: the queue may hand him on at once. */
		if (rescued)
			tell_rescued(
			    e, c, rung_kind(r), conf_rung_title(e->conf, r));
		if (rung_begin(e, c, i, r, &why))
			return;
		tell_evidence(e, c, "rung_skipped", "%s %s: %s",
		    rung_name(rung_kind(r)), conf_rung_title(e->conf, r),
		    cause_name(why));
	}
	part(e, c, CAUSE_LADDER_ENDED);
}

bool
ladder_goes_on(const struct engine *e, const struct call *c)
{
	const struct conf_rung *r;
	enum cause why;

	for (uint8_t i = c->rung + 1; (r = rung_at(e, c, i)) != NULL; i++) {
		if (!(c->tried & HF_BIT(i)) && usable_for(e, c, r, &why))
			return true;
	}
	return false;
}

void
hedge(struct engine *e, struct call *c)
{
	const struct leg *first = &c->helper[0];
	const struct conf_rung *r;
	enum cause why;

	if (c->state != CALL_STATE_REACHING || first->kind != RUNG_BOT ||
	    first->state != LEG_ASKED || c->helper[1].id != 0)
		return;
	for (uint8_t i = c->rung + 1; (r = rung_at(e, c, i)) != NULL; i++) {
		if ((c->tried & HF_BIT(i)) || !usable_for(e, c, r, &why))
			continue;
		if (r->kind != CONF_RUNG_BOT || !helper_begin(e, c, i, r, &why))
			return;
		c->tried |= (uint16_t)HF_BIT(i);
		reaching(e, c, e->conf->helper[r->row].guard.setup_max);
		tell_evidence(e, c, "hedged", "no 100 from %s, %s is rung too",
		    leg_name(e, c, first), conf_rung_title(e->conf, r));
		return;
	}
}
