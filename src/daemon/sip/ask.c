/* daemon/sip/ask - OPTIONS to helpers, answers to operators: see room.h */

#include <stdlib.h>
#include <string.h>

#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"
#include "wire/ask.h"
#include "wire/row.h"

/* ---- probes -------------------------------------------------------------- */

struct probe {
	struct hf_timer timer;
	struct hf_time asked;
	uint8_t address; /* of the target: one that answers is stayed with */
	uint32_t round;  /* of this helper and target: late news are old news */
	bool waiting;
};

static struct probe probe[CONF_HELPERS_MAX][CONF_TARGETS_MAX];

static void
tell(struct probe *p, bool ok, uint16_t code)
{
	size_t n = (size_t)(p - &probe[0][0]);
	struct msg f;

	FACT(f, MSG_HELPER_PROBED, helper_probed);
	p->waiting = false;
	p->address += !ok;
	hf_timer_stop(proc_wheel(), &p->timer);
	f.helper_probed.helper = (uint16_t)(n / CONF_TARGETS_MAX);
	f.helper_probed.target = (uint8_t)(n % CONF_TARGETS_MAX);
	f.helper_probed.ok = ok;
	f.helper_probed.code = code;
	f.helper_probed.rtt = hf_time_since(p->asked, room.now);
	proc_send(PEER_CALL, &f);
}

static void
on_timeout(struct hf_timer *t, struct hf_time now)
{
	room.now = now;
	tell(HF_CONTAINER(t, struct probe, timer), false, 0);
}

bool
probe_way(uint8_t *address, const struct conf_target *c, struct sip_flow *way)
{
	unsigned known = target_addresses(c);
	struct hf_addr at;

	for (unsigned i = 0; i < known; i++, ++*address)
		if (target_address(c, *address % known, &at) &&
		    sip_transport_way(&room.tp,
			c->transport == CONF_TCP ? SIP_TCP : SIP_UDP, &at, way))
			return true;
	return false;
}

void
probe_helper(const struct msg_probe_helper *o)
{
	const struct conf_target *c;
	struct sip_flow flow;
	struct probe *p;
	uint64_t user;

	if (o->helper >= room.conf->helpers || o->target >= CONF_TARGETS_MAX)
		return;
	p = &probe[o->helper][o->target];
	c = &room.conf->helper[o->helper].to[o->target];
	if (p->waiting)
		return;
	hf_timer_init(&p->timer, on_timeout);
	p->asked = room.now;
	p->waiting = true;
	p->round++;
	user = (uint64_t)(p->round & INT32_MAX) << 32 |
	       ((uint32_t)(p - &probe[0][0]) + 1);
	if (c->transport == CONF_TLS || !probe_way(&p->address, c, &flow) ||
	    !sip_sessions_ask(&room.ss, SIP_OPTIONS, &flow, hf_slice_of(c->uri),
		user, room.now)) {
		tell(p, false, 0);
		return;
	}
	hf_timer_start(
	    proc_wheel(), &p->timer, hf_time_after(room.now, o->timeout));
}

bool
probe_is_alive(const struct sip_msg *m)
{
	/* "I do not know OPTIONS", or who we are, comes from one who lives. */
	return m != NULL && m->status != 408 &&
	       (m->status < 500 || m->status == 501);
}

void
probe_outcome(void *arg, uint64_t user, const struct sip_msg *m)
{
	struct probe *p = &probe[0][0] + (uint32_t)user - 1;

	(void)arg;
	if (user & PROBE_TRUNK) {
		trunk_outcome((uint16_t)user, (uint32_t)(user >> 32), m);
		return;
	}
	if (!p->waiting || (p->round & INT32_MAX) != user >> 32)
		return;
	tell(p, probe_is_alive(m), m != NULL ? m->status : 0);
}

/* ---- questions ----------------------------------------------------------- */

static char row_room[ROW_MAX];

static void
send_row(uint32_t id, struct hf_buf *b, bool more)
{
	proc_reply(id, NULL, b->p, (uint16_t)b->n, more);
	b->n = 0;
	b->overflow = false;
}

/* at: the agent's place, then which of his phones. */
static bool
next_registration(const struct msg_ask *q, uint64_t *at, struct hf_buf *row)
{
	char text[HF_ADDR_TEXT_MAX];

	(void)q;
	for (; *at >> 32 < room.conf->agents; *at = ((*at >> 32) + 1) << 32) {
		uint16_t agent = (uint16_t)(*at >> 32);
		const struct sip_binding *r = sip_bindings(
		    &room.registrar, agent, (unsigned)*at, room.now);

		if (r == NULL)
			continue;
		++*at;
		row_text(row, "agent", room.conf->agent[agent].name);
		row_text(row, "contact", hf_addr_text(&r->received, text));
		row_span(row, "expires", hf_time_since(room.now, r->until));
		row_text(
		    row, "transport", r->transport == SIP_TCP ? "tcp" : "udp");
		return true;
	}
	return false;
}

static void
say_counters(const struct msg_ask *q)
{
	struct hf_buf b = hf_buf_on(row_room, sizeof(row_room));
	const struct sip_transactions *tt = &room.ss.tt;
	const struct {
		const char *name;
		uint64_t value;
	} counter[] = {
		{ "legs", room.legs.used },
		{ "dialogs", room.ss.pool.used },
		{ "transactions", tt->pool.used },
		{ "connections", room.tp.stream.pool.used },
		{ "messages_in", room.tp.count.in },
		{ "messages_out", room.tp.count.out },
		{ "bytes_in", room.tp.count.bytes_in },
		{ "bytes_out", room.tp.count.bytes_out },
		{ "unsent", room.tp.count.unsent },
		{ "keep_alives", room.tp.count.empty },
		{ "icmp", room.tp.count.refused },
		{ "bad_messages", room.bad_messages },
		{ "dropped_messages", room.dropped_messages },
		{ "calls_in", room.ss.count.calls_in },
		{ "calls_out", room.ss.count.calls_out },
		{ "retransmits_out", tt->count.repeats_out },
		{ "retransmits_in", tt->count.repeats_in },
		{ "timeouts", tt->count.timeouts },
		{ "unreachable", tt->count.unreachable },
		{ "unmatched",
		    tt->count.unmatched + room.ss.count.ack_unmatched },
		{ "merged", tt->count.merged },
		{ "looped", room.ss.count.looped },
		{ "forked", room.ss.count.forked },
		{ "glare", room.ss.count.glare },
		{ "no_ack", room.ss.count.no_ack },
		{ "no_dialog", room.ss.count.no_dialog },
		{ "table_full", tt->count.full + room.ss.count.full },
		{ "evicted", tt->count.evicted },
		{ "turned_away", room.turned.away },
		{ "turned_away_untold", room.turned.untold },
		{ "refused_strangers", room.gate.stranger },
		{ "challenged", room.gate.challenged },
		{ "wrong_secrets", room.gate.wrong },
		{ "guesses_unheard", room.gate.guessing },
		{ "unread", room.limits.unread },
		{ "addresses_over_rate", limits_over() },
		{ "refused_address_rate", room.limits.address },
		{ "refused_agent_rate", room.limits.user },
		{ "refused_trunk_rate", room.limits.trunk },
		{ "refused_house_rate", room.limits.house },
		{ "refused_behind", room.limits.behind },
		{ "stale_nonces", room.gate.stale },
		{ "registered", room.gate.registered },
		{ "unregistered", room.gate.unregistered },
		{ "tcp_accepted", room.tp.stream.count.accepted },
		{ "tcp_refused", room.tp.stream.count.refused },
		{ "tcp_garbled", room.tp.stream.count.garbled },
		{ "tcp_idle", room.tp.stream.count.idle },
		{ "tcp_partial", room.tp.stream.count.partial },
		{ "tcp_slow", room.tp.stream.count.slow },
		{ "dns_asked", room.names.asked },
		{ "dns_failed", room.names.failed },
	};

	for (size_t i = 0; i < HF_LEN(counter); i++) {
		row_text(&b, "name", counter[i].name);
		row_number(&b, "value", (int64_t)counter[i].value);
		send_row(q->id, &b, true);
	}
	proc_reply(q->id, NULL, NULL, 0, false);
}

/* ---- trace --------------------------------------------------------------- */

enum {
	TRACE_LEGS = 16,
	TRACE_TEXT = 7000, /* a row holds so much of a message */
};

/* The words as numbers of legs; false when one is not. */
static bool
legs_of(const struct msg_ask *q, uint64_t *leg, unsigned *n)
{
	struct hf_slice args = { (const char *)q->args.p, q->args.n };
	char word[32];

	*n = ask_words(args);
	for (unsigned i = 0; i < *n; i++)
		if (i >= TRACE_LEGS || !ask_word(args, i, word, sizeof(word)) ||
		    !hf_slice_number(hf_slice_of(word), UINT64_MAX, &leg[i]))
			return false;
	return true;
}

static void
row_message(struct hf_buf *b, const struct sip_traced *t)
{
	char addr[HF_ADDR_TEXT_MAX];

	row_wall(b, "at", t->at);
	row_number(b, "leg", (int64_t)t->leg);
	row_text(b, "dir", t->out ? "out" : "in");
	row_text(b, "transport", t->transport == SIP_TCP ? "tcp" : "udp");
	row_text(b, "local", hf_addr_text(&t->local, addr));
	row_text(b, "remote", hf_addr_text(&t->remote, addr));
}

/* at: where in the ring to look on, and in the lower 16 bits how much of the
 * message there was told already. */
static bool
next_message(const struct msg_ask *q, uint64_t *at, struct hf_buf *row)
{
	uint64_t leg[TRACE_LEGS], place = *at >> 16;
	size_t told = *at & UINT16_MAX;
	struct sip_traced m;
	unsigned n;

	(void)legs_of(q, leg, &n);     /* they were read when it was asked */
	if (place < room.trace.tail) { /* it was pushed out meanwhile */
		place = room.trace.tail;
		*at = place << 16;
		told = 0;
	}
	if (!sip_trace_next(&room.trace, &place, leg, n, &m))
		return false;
	if (told == 0)
		row_message(row, &m);
	m.bytes.p += told;
	m.bytes.n -= told;
	row_slice(row, told == 0 ? "text" : "text_more",
	    (struct hf_slice){
		m.bytes.p, m.bytes.n < TRACE_TEXT ? m.bytes.n : TRACE_TEXT });
	*at = m.bytes.n <= TRACE_TEXT ? place << 16 : *at + TRACE_TEXT;
	return true;
}

static void
say_trace(const struct msg_ask *q)
{
	uint64_t leg[TRACE_LEGS];
	unsigned n;

	if (legs_of(q, leg, &n))
		proc_answer(q, next_message);
	else
		proc_reply(q->id,
		    "not a leg; name up to 16 legs by their numbers", NULL, 0,
		    false);
}

void
ask_answer(const struct msg_ask *m)
{
	if (strcmp(m->verb, "registrations") == 0)
		proc_answer(m, next_registration);
	else if (strcmp(m->verb, "trunks") == 0)
		proc_answer(m, trunks_next);
	else if (strcmp(m->verb, "emergency") == 0)
		proc_answer(m, emergency_next);
	else if (strcmp(m->verb, "sip") == 0)
		say_counters(m);
	else if (strcmp(m->verb, "trace") == 0)
		say_trace(m);
	else
		proc_reply(
		    m->id, "hf-sip does not know this verb", NULL, 0, false);
}
