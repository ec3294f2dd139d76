/* daemon/call/ask - what an operator may know and do about calls, people and
 * helpers; see hfctl(1) for how it looks to him. */

#include <stdio.h>
#include <string.h>

#include "daemon/call/call.h"
#include "proc/control.h"
#include "proc/proc.h"
#include "wire/row.h"

struct answer {
	struct engine *e;
	const struct msg_ask *m;
	struct orders *out;
	const char *arg[3]; /* NULL: not said */
	struct hf_buf row;
	bool waiting; /* a row that is not sent: only the last one ends it */
	const char *error;
};

static char memory[ROW_MAX];
static const struct engine *engine; /* of answers that go on after the turn */

static struct hf_buf *
row_begin(struct answer *a)
{
	if (a->waiting)
		proc_reply(a->m->id, NULL, a->row.p, (uint16_t)a->row.n, true);
	a->row = hf_buf_on(memory, sizeof(memory));
	a->waiting = true;
	return &a->row;
}

static struct hf_span
since(struct hf_time t)
{
	return hf_time_since(t, proc_now());
}

/* ---- calls --------------------------------------------------------------- */

/* Who has the caller, or is being tried for him. */
static void
row_with(struct hf_buf *b, const struct engine *e, const struct call *c)
{
	const struct leg *l = &c->helper[0];
	const char *kind = "", *name = "";

	if (l->id != 0) {
		kind = rung_name((enum rung)l->kind);
		name =
		    l->kind == RUNG_NUMBER ? "*" : engine_helper_name(e, c, l);
	} else if (c->state == CALL_STATE_WAITING) {
		kind = rung_name(RUNG_QUEUE);
		name = e->conf->queue[c->queue].name;
	} else if (c->voicemail != VOICEMAIL_NONE) {
		kind = rung_name(RUNG_VOICEMAIL);
		name = e->conf->box[c->box].name;
	}
	row_text(b, "with", kind);
	row_text(b, "name", name);
}

static void
row_call(struct hf_buf *b, const struct engine *e, const struct call *c)
{
	char ref[HF_REF_TEXT_MAX];

	row_text(b, "id", c->id);
	row_text(b, "call", hf_ref_text(c->ref, ref));
	row_text(b, "state", call_state_name((enum call_state)c->state));
	row_with(b, e, c);
	row_text(b, "number", c->number);
	row_text(b, "from", c->from);
	row_text(b, "ladder", engine_ladder_name(e, c));
	row_span(b, "age", since(c->arrived));
	row_number(b, "rescues", c->rescues);
}

static bool
next_call(const struct msg_ask *q, uint64_t *at, struct hf_buf *row)
{
	(void)q;
	while (*at < engine->pool.cap) {
		const struct call *c = engine_call(engine, (uint32_t)(*at)++);

		if (c == NULL)
			continue;
		row_call(row, engine, c);
		return true;
	}
	return false;
}

/* By either of its names. */
static const struct call *
call_find(const struct answer *a, const char *name)
{
	struct hf_ref ref;

	if (name == NULL)
		return NULL;
	for (uint32_t i = 0; i < a->e->pool.cap; i++) {
		const struct call *c = engine_call(a->e, i);

		if (c != NULL && strcmp(c->id, name) == 0)
			return c;
	}
	if (hf_ref_parse(name, &ref) && hf_pool_has(&a->e->pool, ref))
		return engine_call(a->e, ref.n);
	return NULL;
}

static void
row_leg(struct hf_buf *b, const struct leg *l)
{
	static const char *const state[] = {
		[LEG_NONE] = "none",
		[LEG_ASKED] = "asked",
		[LEG_TRIED] = "tried",
		[LEG_RANG] = "rang",
		[LEG_UP] = "up",
	};

	row_text(b, "leg_state", state[l->state]);
	row_number(b, "stream", (int64_t)l->stream.n);
	row_bool(b, "suspect", l->voter.silent);
	row_bool(b, "suppresses_silence", l->voter.suppressed);
	row_bool(b, "holds", l->holds);
	row_span(b, "gap", l->gap);
}

static void
ask_call(struct answer *a)
{
	const struct call *c = call_find(a, a->arg[0]);
	struct hf_buf *b;

	if (c == NULL) {
		a->error = "no such live call; see hfctl calls";
		return;
	}
	b = row_begin(a);
	row_call(b, a->e, c);
	row_wall(b, "came", c->came);
	row_bool(b, "answered", c->answered);
	row_bool(b, "held_by_caller", c->caller_held);
	row_number(b, "rung", c->rung == CALL_RUNG_NONE ? -1 : c->rung);
	row_number(b, "steps", c->steps);
	row_span(b, "in_state", since(c->entered));
	row_number(b, "caller_stream", (int64_t)c->caller.stream.n);
	row_span(b, "worst_gap", c->worst_gap);
	if (c->helper[0].id != 0)
		row_leg(b, &c->helper[0]);
}

/* Those that are up; hf-store knows the others. */
static void
ask_legs(struct answer *a)
{
	const struct call *c = call_find(a, a->arg[0]);
	char name[96];
	struct hf_buf *b;

	if (c == NULL) {
		a->error = "no such live call; see hfctl calls";
		return;
	}
	b = row_begin(a);
	row_number(b, "leg", (int64_t)c->caller.id);
	row_text(b, "side", "caller");
	row_text(b, "name", "");
	for (size_t i = 0; i < HF_LEN(c->helper); i++) {
		const struct leg *l = &c->helper[i];

		if (l->id == 0)
			continue;
		(void)snprintf(name, sizeof(name), "%s:%s",
		    rung_name((enum rung)l->kind),
		    engine_helper_name(a->e, c, l));
		b = row_begin(a);
		row_number(b, "leg", (int64_t)l->id);
		row_text(b, "side", "helper");
		row_text(b, "name", name);
	}
}

static void
ask_drop(struct answer *a)
{
	const struct call *c = call_find(a, a->arg[0]);

	if (c == NULL) {
		a->error = "no such live call; see hfctl calls";
		return;
	}
	row_text(row_begin(a), "dropped", c->id);
	(void)engine_call_drop(a->e, c->ref, proc_now(), a->out, &a->error);
}

/* The keeper has told us before it passed the question on. */
static void
ask_drain(struct answer *a)
{
	struct hf_buf *b = row_begin(a);

	row_bool(b, "draining", engine_draining(a->e));
	row_number(b, "calls", engine_calls(a->e));
}

/* ---- people -------------------------------------------------------------- */

static void
row_agent(struct answer *a, uint16_t i, const uint32_t out[CONF_AGENTS_MAX])
{
	const struct agent *g = &a->e->agent[i];
	const struct call *c = NULL;
	struct hf_buf *b = row_begin(a);

	if (!hf_ref_none(g->call))
		c = engine_call(a->e, g->call.n);
	row_text(b, "name", a->e->conf->agent[i].name);
	row_text(b, "state", agent_state_name(engine_agent_state(a->e, i)));
	row_text(b, "why", engine_agent_why(a->e, i));
	row_wall(b, "since", g->since);
	row_bool(b, "registered", g->registered);
	row_text(b, "call", c != NULL ? c->id : "");
	row_number(b, "missed", g->missed);
	row_number(b, "calls_out", out[i]);
}

static void
ask_agents(struct answer *a)
{
	uint32_t out[CONF_AGENTS_MAX];

	engine_outward(a->e, out);
	for (uint16_t i = 0; i < a->e->conf->agents; i++) {
		if (a->e->conf->agent[i].used)
			row_agent(a, i, out);
	}
}

static void
ask_agent(struct answer *a)
{
	uint32_t out[CONF_AGENTS_MAX];
	uint16_t i = a->arg[0] == NULL ? CONF_NONE
				       : conf_agent_find(a->e->conf, a->arg[0]);
	enum agent_state s = AGENT_STATE_OFFLINE;

	if (i == CONF_NONE) {
		a->error = "no such agent; see hfctl agents";
		return;
	}
	if (a->arg[1] != NULL) {
		if (strcmp(a->arg[1], "available") == 0)
			s = AGENT_STATE_AVAILABLE;
		else if (strcmp(a->arg[1], "not_ready") == 0)
			s = AGENT_STATE_NOT_READY;
		if (!engine_agent_set(a->e, i, s, "by an operator", proc_now(),
			a->out, &a->error))
			return;
	}
	engine_outward(a->e, out);
	row_agent(a, i, out);
}

static unsigned
agents_in(const struct engine *e, uint16_t queue, enum agent_state s)
{
	unsigned n = 0;

	for (uint16_t i = 0; i < e->conf->agents; i++) {
		const struct conf_agent *c = &e->conf->agent[i];

		for (unsigned k = 0; c->used && k < c->queues; k++)
			n += c->queue[k] == queue &&
			     engine_agent_state(e, i) == s;
	}
	return n;
}

static void
ask_queues(struct answer *a)
{
	for (uint16_t i = 0; i < a->e->conf->queues; i++) {
		uint32_t first = engine_waiting(a->e, i, HF_MAP_NONE);
		struct hf_buf *b;

		if (!a->e->conf->queue[i].used)
			continue;
		b = row_begin(a);
		row_text(b, "name", a->e->conf->queue[i].name);
		row_number(b, "waiting", a->e->queue[i].length);
		row_span(b, "longest",
		    first == HF_MAP_NONE ? (struct hf_span){ 0 }
					 : since(a->e->call[first].queued));
		row_bool(b, "staffed", engine_staffed(a->e, i));
		row_number(
		    b, "available", agents_in(a->e, i, AGENT_STATE_AVAILABLE));
		row_number(
		    b, "ringing", agents_in(a->e, i, AGENT_STATE_RINGING));
		row_number(
		    b, "on_call", agents_in(a->e, i, AGENT_STATE_ON_CALL));
		row_number(
		    b, "wrap_up", agents_in(a->e, i, AGENT_STATE_WRAP_UP));
		row_number(
		    b, "not_ready", agents_in(a->e, i, AGENT_STATE_NOT_READY));
	}
}

/* ---- helpers ------------------------------------------------------------- */

static void
row_helper(struct answer *a, uint16_t i)
{
	static const char *const kind[] = {
		[CONF_BOT] = "bot",
		[CONF_CENTRE] = "centre",
		[CONF_SITE] = "site",
	};
	static const char *const force[] = {
		[BREAKER_AUTO] = "",
		[BREAKER_FORCED_OPEN] = "open",
		[BREAKER_FORCED_CLOSED] = "close",
	};
	const struct conf_helper *c = &a->e->conf->helper[i];
	const struct helper *h = &a->e->helper[i];
	struct hf_buf *b = row_begin(a);

	row_text(b, "name", c->name);
	row_text(b, "kind", kind[c->kind]);
	row_text(b, "breaker", breaker_phase_name(breaker_phase(&h->breaker)));
	row_text(b, "forced", force[h->breaker.force]);
	row_wall(b, "since", h->since);
	row_number(b, "calls", h->calls);
	row_number(b, "silent", a->e->vote[i].silent);
	row_bool(b, "answers_options", h->answered);
	row_span(b, "rtt", h->rtt);
	row_bool(b, "remote", c->remote);
	row_text(b, "provider", c->provider);
	row_text(b, "region", c->region);
	row_text(b, "why", h->why);
}

static void
ask_helpers(struct answer *a)
{
	for (uint16_t i = 0; i < a->e->conf->helpers; i++) {
		if (a->e->conf->helper[i].used)
			row_helper(a, i);
	}
}

static void
ask_helper(struct answer *a)
{
	static const struct {
		const char *word;
		enum breaker_force force;
	} words[] = {
		{ "open", BREAKER_FORCED_OPEN },
		{ "close", BREAKER_FORCED_CLOSED },
		{ "closed", BREAKER_FORCED_CLOSED },
		{ "auto", BREAKER_AUTO },
	};
	uint16_t i = a->arg[0] == NULL
			 ? CONF_NONE
			 : conf_helper_find(a->e->conf, a->arg[0]);
	size_t w = 0;

	if (i == CONF_NONE) {
		a->error = "no such helper; see hfctl helpers";
		return;
	}
	if (a->arg[1] != NULL) {
		while (
		    w < HF_LEN(words) && strcmp(words[w].word, a->arg[1]) != 0)
			w++;
		if (w == HF_LEN(words)) {
			a->error = "a helper can be open, close or auto";
			return;
		}
		if (!engine_helper_force(
			a->e, i, words[w].force, proc_now(), a->out, &a->error))
			return;
	}
	row_helper(a, i);
}

/* ---- what would happen --------------------------------------------------- */

static void
ask_explain(struct answer *a)
{
	const struct conf *c = a->e->conf;
	uint16_t ladder =
	    a->arg[0] == NULL ? CONF_NONE : conf_ladder_for(c, a->arg[0]);
	bool first = true;

	if (ladder == CONF_NONE) {
		a->error = "no ladder is bound to this number; see numbers in "
			   "the configuration";
		return;
	}
	for (uint16_t i = 0; i < c->ladder[ladder].rungs; i++) {
		const struct conf_rung *r = &c->ladder[ladder].rung[i];
		struct hf_buf *b = row_begin(a);
		enum cause why;
		bool usable = engine_rung_usable(a->e, r, &why);

		row_number(b, "rung", i);
		row_text(b, "ladder", c->ladder[ladder].name);
		row_text(b, "kind",
		    conf_rung_kind_name((enum conf_rung_kind)r->kind));
		row_text(b, "name", conf_rung_title(c, r));
		row_text(b, "now",
		    !usable ? cause_name(why)
		    : first ? "gets the call"
			    : "ready");
		first = first && !usable;
	}
}

static void
ask_summary(struct answer *a)
{
	const struct engine *e = a->e;
	unsigned by_state[CALL_STATE_NR] = { 0 }, ready = 0, open = 0;
	const struct call *c;
	struct hf_buf *b = row_begin(a);

	for (uint32_t i = 0; i < e->pool.cap; i++) {
		if ((c = engine_call(e, i)) != NULL)
			by_state[c->state]++;
	}
	for (uint16_t i = 0; i < e->conf->agents; i++)
		ready += engine_agent_state(e, i) == AGENT_STATE_AVAILABLE;
	for (uint16_t i = 0; i < e->conf->helpers; i++)
		open += e->conf->helper[i].used &&
			breaker_phase(&e->helper[i].breaker) != BREAKER_CLOSED;
	row_number(b, "calls", engine_calls(e));
	row_number(b, "waiting", by_state[CALL_STATE_WAITING]);
	row_number(b, "reaching", by_state[CALL_STATE_REACHING]);
	row_number(b, "with_helper", by_state[CALL_STATE_WITH_HELPER]);
	row_number(b, "available_agents", ready);
	row_number(b, "breakers_not_closed", open);
	row_number(b, "calls_so_far", (int64_t)e->counts.calls);
	row_number(b, "rescues_so_far", (int64_t)e->counts.rescues);
	row_number(b, "refused_full", (int64_t)e->counts.refused_full);
	row_number(
	    b, "refused_over_limit", (int64_t)e->counts.refused_over_limit);
	row_number(b, "refused_untold", (int64_t)e->counts.refused_untold);
	row_number(b, "stale_facts", (int64_t)e->counts.stale_facts);
}

void
ask_answer(struct engine *e, const struct msg_ask *m, struct orders *out)
{
	static const struct {
		const char *verb;
		void (*answer)(struct answer *a);
	} verbs[] = {
		{ "call", ask_call },
		{ "legs", ask_legs },
		{ "drop", ask_drop },
		{ "drain", ask_drain },
		{ "agents", ask_agents },
		{ "agent", ask_agent },
		{ "queues", ask_queues },
		{ "helpers", ask_helpers },
		{ "helper", ask_helper },
		{ "explain", ask_explain },
		{ "summary", ask_summary },
	};
	struct answer a = { .e = e, .m = m, .out = out };
	char who[32];
	size_t at = 0, i = 0;

	for (size_t k = 0; k < HF_LEN(a.arg); k++)
		a.arg[k] = control_word(m, &at);
	(void)snprintf(who, sizeof(who), "uid %u", m->uid);
	engine_operator(e, who);
	if (strcmp(m->verb, "calls") == 0) {
		engine = e;
		proc_answer(m, next_call);
		return;
	}
	while (i < HF_LEN(verbs) && strcmp(verbs[i].verb, m->verb) != 0)
		i++;
	if (i == HF_LEN(verbs)) {
		proc_reply(m->id, "hf-call does not know this", NULL, 0, false);
		return;
	}
	verbs[i].answer(&a);
	if (a.error != NULL)
		proc_reply(m->id, a.error, NULL, 0, false);
	else if (a.waiting)
		proc_reply(m->id, NULL, a.row.p, (uint16_t)a.row.n, false);
	else
		proc_reply(m->id, NULL, NULL, 0, false);
}
