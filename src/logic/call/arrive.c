/* logic/call/arrive - a call begins: may it come in, and where does it go? */

#include <stdlib.h>

#include "logic/call/inner.h"

enum {
	STREAMS_A_CALL = 2, /* fewer free than these: do not begin */
	REFUSED_TOLD_A_SECOND = 10,
};

void
call_name(struct engine *e, char *id, size_t cap)
{
	snprintf(
	    id, cap, "%.16s-%x-%x", e->conf->site, e->boot, ++e->next_call);
}

/* In a flood the journal is spared, and the counter says how many.  By the
 * second he came in: of those we missed we hear all at once. */
static bool
may_tell(struct engine *e, struct hf_wall came)
{
	int64_t s = came.us / hf_ms(1000).us;

	if (s != e->refused_second) {
		e->refused_second = s;
		e->refused_told = 0;
	}
	return e->refused_told++ < REFUSED_TOLD_A_SECOND;
}

static void
record_refusal(struct engine *e, const struct msg_leg_arrived *m,
    enum cause why, uint16_t code, const char *reason)
{
	if (may_tell(e, m->at.us != 0 ? m->at : wall_now(e)))
		tell_refused(e, m, why, code, reason);
	else
		e->counts.refused_untold++;
}

/* A call that never became one: one line of SIP, and its record, so that it is
 * known who was turned away. */
static void
refuse(struct engine *e, const struct msg_leg_arrived *m, uint16_t code,
    enum cause why, const char *reason)
{
	leg_refuse(e, m->leg, code, code == 503 ? conf_retry_after(e->conf) : 0,
	    reason);
	record_refusal(e, m, why, code, reason);
}

/* "lyon/2 paris/1": has it been through this site, and from which rung did it
 * leave last? */
bool
path_has(const char *path, const char *site, unsigned *rung)
{
	size_t n = strlen(site);
	bool found = false;

	for (const char *at = path; at != NULL && *at != '\0';
	     at = strchr(at, ' ')) {
		at += *at == ' ';
		if (strncmp(at, site, n) != 0 || at[n] != '/')
			continue;
		found = true;
		*rung = (unsigned)strtoul(at + n + 1, NULL, 10);
	}
	return found;
}

bool
path_on(const struct engine *e, const struct call *c, uint8_t rung,
    char to[CONF_PATH_MAX])
{
	struct hf_buf b = hf_buf_on(to, CONF_PATH_MAX - 1);

	hf_buf_fmt(&b, "%s%s%s/%u", c->path, c->path[0] != '\0' ? " " : "",
	    e->conf->site, rung);
	to[b.n] = '\0';
	return !b.overflow;
}

/* The worker with most streams left. */
static bool
worker_choose(const struct engine *e, uint8_t *out)
{
	uint32_t most = STREAMS_A_CALL - 1;

	for (unsigned i = 0; i < ENGINE_WORKERS_MAX; i++) {
		const struct hf_pool *p = &e->worker[i].streams;

		if (!e->worker[i].there || p->cap - p->used <= most)
			continue;
		most = p->cap - p->used;
		*out = (uint8_t)i;
	}
	return most >= STREAMS_A_CALL;
}

static void
record_begin(struct engine *e, struct call *c, struct hf_ref ref,
    const struct msg_leg_arrived *m)
{
	*c = (struct call){
		.ref = ref,
		.state = CALL_STATE_ARRIVED,
		.hops = m->hops,
		.rung = CALL_RUNG_NONE,
		.ladder = CONF_NONE,
		.trunk = m->trunk,
		.agent = m->agent,
		.queue = CONF_NONE,
		.box = CONF_NONE,
		.arrived = e->now,
		.came = m->at.us != 0 ? m->at : wall_now(e),
		.last_kind = RUNG_CODE,
		.late_offer = m->media.codec == CODEC_NONE,
		.restricted = m->restricted,
		.caller = {
			.id = m->leg,
			.media = m->media,
			.state = LEG_ASKED,
			.rung = CALL_RUNG_NONE,
			.row = CONF_NONE,
			.asked = e->now,
		},
	};
	for (unsigned d = 0; d < DUE_NR; d++)
		c->due[d] = HF_TIME_NEVER;
	call_name(e, c->id, sizeof(c->id));
	TEXT(c->number, m->number);
	TEXT(c->from, m->from);
	TEXT(c->display, m->display);
	TEXT(c->path, m->path);
}

/* From the trunk: onto its number's ladder, or behind the rung that sent it
 * to another site. */
static void
ladder_begin(struct engine *e, struct call *c, uint16_t ladder)
{
	unsigned rung = 0;

	c->kind = CALL_LADDER;
	c->ladder = ladder;
	if (path_has(c->path, e->conf->site, &rung)) {
		c->rung =
		    (uint8_t)(rung < CONF_RUNGS_MAX ? rung : CONF_RUNGS_MAX);
		c->tried = (uint16_t)((2U << c->rung) - 1);
		tell_evidence(e, c, "came_back", "behind rung %u", rung);
	}
	if (c->trunk != CONF_NONE &&
	    e->conf->trunk[c->trunk].answer_when_ready) {
		c->when_ready = true;
		due_in(e, c, DUE_READY, e->conf->trunk[c->trunk].ready_max);
	}
	descend(e, c);
}

/* Twice through us and back again: the ladders of the sites form a ring. */
static bool
goes_round(const struct engine *e, const char *path)
{
	const char *first = path;
	unsigned times = 0, rung;

	for (; first != NULL && *first != '\0'; first = strchr(first, ' ')) {
		char one[CONF_PATH_MAX];

		first += *first == ' ';
		TEXT(one, first);
		one[strcspn(one, " ")] = '\0';
		times += path_has(one, e->conf->site, &rung);
	}
	return times >= 2;
}

bool
call_left_early(struct engine *e, uint64_t leg, enum cause why, uint16_t code)
{
	for (uint32_t i = 0; i < e->earlies; i++) {
		if (e->early[i].leg != leg)
			continue;
		record_refusal(e, &e->early[i],
		    why == CAUSE_DONE ? CAUSE_CALLER_LEFT : why, code, "");
		e->early[i].leg = 0;
		return true;
	}
	return false;
}

void
call_turned_away(struct engine *e, const struct msg_leg_turned_away *m)
{
	struct msg_leg_arrived who = {
		.leg = m->leg,
		.trunk = m->trunk,
		.agent = m->agent,
		.at = m->at,
	};

	TEXT(who.number, m->number);
	TEXT(who.from, m->from);
	if (!call_left_early(e, m->leg, m->cause, m->code))
		record_refusal(e, &who, m->cause, m->code, "hf-sip");
}

void
call_early_admit(struct engine *e)
{
	uint32_t n = e->earlies;

	e->media_known = true;
	e->earlies = 0;
	for (uint32_t i = 0; i < n; i++)
		if (e->early[i].leg != 0)
			call_arrived(e, &e->early[i]);
}

/* hf-sip refuses by itself a caller about whom nothing is decided in time, so
 * nobody is kept here for long. */
static bool
keep_early(struct engine *e, const struct msg_leg_arrived *m)
{
	if (e->media_known || e->earlies == ENGINE_EARLY_MAX)
		return false;
	e->early[e->earlies++] = *m;
	return true;
}

void
call_arrived(struct engine *e, const struct msg_leg_arrived *m)
{
	uint16_t ladder = conf_ladder_for(e->conf, m->number);
	struct hf_ref ref;
	struct call *c;
	uint8_t worker;

	if (m->leg == 0 || hf_map_get(&e->legs, m->leg) != HF_MAP_NONE) {
		e->counts.stale_facts++;
		return;
	}
	if (leg_refused_before(e, m->leg))
		return;
	if (m->agent != CONF_NONE &&
	    (m->agent >= e->conf->agents || !e->conf->agent[m->agent].used)) {
		refuse(e, m, 403, CAUSE_FORBIDDEN, "");
		return;
	}
	if (m->agent == CONF_NONE &&
	    (m->trunk >= e->conf->trunks || !e->conf->trunk[m->trunk].used)) {
		refuse(e, m, 403, CAUSE_FORBIDDEN, "");
		return;
	}
	if (m->agent == CONF_NONE && ladder == CONF_NONE) {
		refuse(e, m, 404, CAUSE_UNKNOWN_NUMBER, "");
		return;
	}
	if (goes_round(e, m->path)) {
		refuse(e, m, 482, CAUSE_LOOP_DETECTED, "loop");
		return;
	}
	if (!e->draining && keep_early(e, m))
		return;
	if (e->draining || !worker_choose(e, &worker) ||
	    !hf_pool_take(&e->pool, &ref)) {
		e->counts.refused_full++;
		refuse(e, m, 503, e->draining ? CAUSE_DRAIN : CAUSE_BUSY,
		    e->draining ? "drain" : "busy");
		return;
	}
	c = &e->call[ref.n];
	record_begin(e, c, ref, m);
	c->worker = worker;
	c->caller_leg = m->leg;
	touch(e, c);
	e->counts.calls++;
	if (!hf_map_put(&e->legs, m->leg, ref.n))
		hf_never("the map of legs is too small");
	if (!stream_take(e, c, &c->caller))
		hf_never("the worker had streams a moment ago");
	if (!c->late_offer)
		leg_open(e, c, &c->caller);
	if (m->agent == CONF_NONE)
		c->ladder = ladder;
	tell_came(e, c);
	if (m->agent == CONF_NONE)
		ladder_begin(e, c, ladder);
	else
		outcall_arrived(e, c);
}
