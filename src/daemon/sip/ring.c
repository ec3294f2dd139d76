/* daemon/sip/ring - calling out: see room.h */

#include <stdio.h>
#include <string.h>

#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"
#include "io/sip/build.h"

enum {
	/* A deadline that is met so late tells of us, not of them. */
	STALL_MS = 20,
};

/* Where a leg's target is, as URI and as way. */
struct target {
	char uri[SIP_URI_MAX];
	struct sip_flow flow;
	bool natted; /* the way is the only truth */
};

/* A name stays a name: the far end may serve many of them (RFC 3261 19.1). */
static void
put_target_uri(struct hf_buf *b, const char *user, const struct conf_target *c)
{
	if (c->addr.family != 0) {
		sip_put_uri(b, hf_slice_of(user), &c->addr);
		return;
	}
	hf_buf_str(b, "sip:");
	if (user[0] != '\0') {
		sip_put_user(b, hf_slice_of(user));
		hf_buf_char(b, '@');
	}
	hf_buf_str(b, c->host);
	if (c->addr.port != SIP_PORT) {
		hf_buf_char(b, ':');
		hf_buf_u64(b, c->addr.port);
	}
}

static bool
at_conf(struct target *t, const struct conf_target *c, const char *user,
    unsigned address)
{
	struct hf_buf b = hf_buf_on(t->uri, sizeof(t->uri) - 1);
	bool tcp = c->transport == CONF_TCP;
	struct hf_addr at;

	if (c->transport == CONF_TLS || !target_address(c, address, &at))
		return false;
	put_target_uri(&b, user, c);
	if (tcp)
		hf_buf_str(&b, ";transport=tcp");
	t->uri[b.n] = '\0';
	return !b.overflow && sip_transport_way(&room.tp,
				  tcp ? SIP_TCP : SIP_UDP, &at, &t->flow);
}

/* What the configuration says of the nth target; NULL when it is none of its
 * own (a phone's), or there is no such. */
static const struct conf_target *
target_conf(const struct msg_ring_leg *o, unsigned n)
{
	const struct conf *c = room.conf;

	if (o->kind == TO_HELPER && o->row < c->helpers &&
	    c->helper[o->row].used && n < c->helper[o->row].targets)
		return &c->helper[o->row].to[n];
	if (o->kind == TO_NUMBER && o->row < c->trunks &&
	    c->trunk[o->row].used && n == 0)
		return &c->trunk[o->row].to;
	return NULL;
}

static bool
at_place(struct target *t, const struct msg_ring_leg *o, unsigned n,
    unsigned address)
{
	const struct conf_target *c = target_conf(o, n);
	bool its_user = o->kind == TO_HELPER;

	return c != NULL &&
	       at_conf(t, c,
		   its_user && c->user[0] != '\0' ? c->user : o->number,
		   address);
}

/* Along the way that the phone's REGISTER opened. */
static bool
at_agent(struct target *t, const struct msg_ring_leg *o, unsigned n)
{
	const struct sip_binding *b;

	if (o->row >= room.conf->agents)
		return false;
	b = sip_bindings(&room.registrar, o->row, n, room.now);
	if (b == NULL ||
	    !hf_slice_copy(hf_slice_of(b->contact), t->uri, sizeof(t->uri)) ||
	    !sip_transport_way(&room.tp,
		b->transport == SIP_TCP ? SIP_TCP : SIP_UDP, &b->received,
		&t->flow))
		return false;
	if (b->transport == SIP_TCP)
		t->flow.conn = (struct hf_ref){ (uint32_t)b->connection,
			(uint32_t)(b->connection >> 32) };
	for (uint32_t i = 0; b->transport == SIP_UDP && i < room.tp.udps; i++)
		if (hf_addr_eq(&room.tp.udp[i].at, &b->local))
			t->flow.socket = (uint8_t)i;
	t->natted = true;
	return true;
}

static bool
target_at(struct target *t, const struct msg_ring_leg *o, unsigned n,
    unsigned address)
{
	*t = (struct target){ .natted = false };
	switch (o->kind) {
	case TO_HELPER:
	case TO_NUMBER:
		return at_place(t, o, n, address);
	case TO_AGENT:
		return at_agent(t, o, n);
	}
	return false;
}

static unsigned
targets(const struct msg_ring_leg *o)
{
	if (o->kind == TO_HELPER && o->row < room.conf->helpers)
		return room.conf->helper[o->row].targets;
	return 1;
}

/* One of the order's targets, and of its addresses: a name can have several. */
struct place {
	uint8_t target, address;
};

static struct place
place_of(const struct leg *l)
{
	return (struct place){ l->target, l->address };
}

static unsigned
addresses(const struct msg_ring_leg *o, struct place p)
{
	const struct conf_target *c = target_conf(o, p.target);

	return c != NULL ? target_addresses(c) : 1;
}

static bool
is_last(const struct msg_ring_leg *o, struct place p)
{
	return p.target + 1u >= targets(o) && p.address + 1u >= addresses(o, p);
}

static bool
is_site(const struct msg_ring_leg *o)
{
	return o->kind == TO_HELPER &&
	       room.conf->helper[o->row].kind == CONF_SITE;
}

/* Where a restricted caller's number may be known (RFC 3325 9.1). */
static bool
is_trusted(const struct msg_ring_leg *o)
{
	switch (o->kind) {
	case TO_HELPER:
		return room.conf->helper[o->row].trusted;
	case TO_NUMBER:
		return room.conf->trunk[o->row].trusted;
	case TO_AGENT:
		return false;
	}
	return false;
}

/* Who calls, for those alone who pass it on as little as we do. */
static void
put_identity(
    struct hf_buf *b, const struct msg_ring_leg *o, const struct sip_flow *to)
{
	char text[SIP_URI_MAX];
	struct hf_buf uri = hf_buf_on(text, sizeof(text));
	struct hf_addr here = sip_transport_here(&room.tp, to, room.now);

	sip_put_uri(&uri, hf_slice_of(o->from), &here);
	sip_put_name_addr(b, SIP_H_P_ASSERTED_IDENTITY, hf_slice_of(o->display),
	    hf_buf_taken(&uri), HF_SLICE(""));
	sip_put(b, SIP_H_PRIVACY, HF_SLICE("id"));
}

/* Calls this one; NULL: it cannot be called. */
static struct sip_session *
call_place(struct leg *l, struct place p, struct sdp_state *sdp)
{
	const struct msg_ring_leg *o = &l->order;
	char text[SDP_ROOM], more[4096];
	struct hf_buf body = hf_buf_on(text, sizeof(text));
	struct hf_buf lines = hf_buf_on(more, sizeof(more));
	const char *type = NULL;
	struct hf_slice offer;
	struct sdp_ours ours;
	struct sip_session *s;
	struct target t;
	struct sip_call c;

	if (!target_at(&t, o, p.target, p.address))
		return NULL;
	ours = leg_ours(l, &t.flow);
	sdp_offer(&body, sdp, &ours);
	if (is_site(o) && o->path[0] != '\0')
		sip_put_named(
		    &lines, HF_SLICE(PATH_HEADER), hf_slice_of(o->path));
	if (o->restricted && is_trusted(o))
		put_identity(&lines, o, &t.flow);
	offer = hf_buf_taken(&body);
	if (is_emergency_leg(l->id))
		emergency_words(l, &t.flow, &lines, &offer, &type);
	if (lines.overflow)
		return NULL;
	c = (struct sip_call){
		.to = t.flow,
		.uri = hf_slice_of(t.uri),
		.user = hf_slice_of(o->from),
		.display = o->restricted ? HF_SLICE("Anonymous")
					 : hf_slice_of(o->display),
		.anonymous = o->restricted,
		.lines = hf_buf_taken(&lines),
		.body = offer,
		.type = type,
		.max_forwards = o->hops,
		.give_up = l->give_up,
		.handle = l->id,
		.account = o->kind == TO_NUMBER ? gate_account(o->row) : 0,
	};
	s = sip_session_call(&room.ss, &c, room.now);
	if (s == NULL)
		return NULL;
	s->mark = l->id;
	s->phone = o->kind == TO_AGENT ? legs_phone(o->row) : 0;
	s->dialog.symmetric = t.natted;
	leg_touch(l);
	return s;
}

/* Where it cannot be called the leg stays as it is: another call of it may be
 * under way. */
static bool
call_target(struct leg *l, struct place p)
{
	/* Another target is another dialog: its descriptions start anew. */
	struct sdp_state sdp = { .session = hf_rand_u64(proc_rand()) >> 2 };
	struct sip_session *s = call_place(l, p, &sdp);

	if (s == NULL)
		return false;
	l->target = p.target;
	l->address = p.address;
	l->sdp = sdp;
	l->media = (struct sip_media){ .codec = SIP_CODEC_NONE };
	l->session = hf_pool_at(&room.ss.pool, s->n);
	l->tried = l->rang = false;
	l->next_by = is_last(&l->order, p)
			 ? HF_TIME_NEVER
			 : hf_time_after(room.now, room.conf->sip.next_target);
	leg_arm(l);
	return true;
}

/* All of the agent's phones at once: he is at one of them.  They hear the same
 * offer, as from a proxy that forks (RFC 3261 16.6), in dialogs of their own.
 */
static bool
call_phones(struct leg *l)
{
	struct sdp_state begun = l->sdp;
	unsigned n = 0;

	for (uint8_t k = 0; k < SIP_BINDINGS_MAX; k++) {
		struct sdp_state sdp = begun;
		struct sip_session *s =
		    call_place(l, (struct place){ .target = k }, &sdp);
		struct hf_ref r;

		if (s == NULL)
			continue;
		r = hf_pool_at(&room.ss.pool, s->n);
		if (n++ == 0) {
			l->session = r;
			l->sdp = sdp;
		} else {
			l->also[n - 2] = r;
		}
	}
	return n > 0;
}

static void
tell_refused(const struct leg *l, enum cause cause, const struct sip_msg *m)
{
	leg_refused(
	    l, cause, l->last_code, m != NULL ? m->reason : HF_SLICE(""));
}

/* The next address or target that can be called; false when there is none. */
static bool
call_next(struct leg *l)
{
	struct place p = place_of(l);

	while (!is_last(&l->order, p)) {
		if (p.address + 1u < addresses(&l->order, p)) {
			p.address++;
		} else {
			p.address = 0;
			p.target++;
		}
		if (call_target(l, p))
			return true;
	}
	return false;
}

/* None of the targets could even be called.  A long name is cut, not left
 * out. */
static void
tell_nowhere(const struct leg *l)
{
	char text[sizeof(((struct msg_leg_refused *)0)->reason)] = "";

	for (unsigned n = 0; n < targets(&l->order) && text[0] == '\0'; n++) {
		const struct conf_target *c = target_conf(&l->order, n);

		if (c != NULL && c->transport == CONF_TLS)
			(void)snprintf(
			    text, sizeof(text), "no TLS to %.48s", c->host);
		else if (c != NULL && target_addresses(c) == 0)
			(void)snprintf(text, sizeof(text),
			    "no address for %.48s", c->host);
	}
	leg_refused(l, CAUSE_UNREACHABLE, l->last_code, hf_slice_of(text));
}

void
ring_leg(const struct msg_ring_leg *o)
{
	struct leg *l = leg_by_id(o->leg);

	if (l != NULL || o->leg == 0 || ended_again(o->leg))
		return; /* the same order again */
	if (o->kind == TO_AGENT && emergency_has(o->row)) {
		struct leg none = { .id = o->leg, .last_code = 486 };

		tell_refused(&none, CAUSE_BUSY, NULL);
		return;
	}
	l = leg_new(o->leg, LEG_RINGING);
	if (l == NULL) {
		struct leg none = { .id = o->leg, .last_code = 503 };

		tell_refused(&none, CAUSE_OUR_FAULT, NULL);
		return;
	}
	l->order = *o;
	l->port = o->port;
	if (o->give_up.us > 0)
		l->give_up = hf_time_after(room.now, o->give_up);
	if (o->no_100.us > 0)
		l->untried_by = hf_time_after(room.now, o->no_100);
	if (o->kind == TO_AGENT ? call_phones(l)
				: call_target(l, place_of(l)) || call_next(l))
		return;
	tell_nowhere(l);
	leg_free(l);
}

void
ring_next(struct leg *l)
{
	struct sip_session *s = leg_session(l);

	l->next_by = HF_TIME_NEVER;
	if (l->tried || !call_next(l)) {
		leg_arm(l);
		return;
	}
	/* The new one rings; only then is the silent one let go. */
	if (s != NULL)
		sip_session_drop(&room.ss, s, 0, HF_SLICE(""), room.now);
}

void
tell_tried(struct leg *l)
{
	struct msg f;

	if (l->tried)
		return;
	FACT(f, MSG_LEG_TRIED, leg_tried);
	l->tried = true;
	l->untried = false;
	l->next_by = l->untried_by = HF_TIME_NEVER;
	leg_arm(l);
	f.leg_tried.leg = l->id;
	f.leg_tried.target = l->target;
	leg_tell(&f);
}

void
tell_untried(const struct leg *l)
{
	struct msg f;

	FACT(f, MSG_LEG_UNTRIED, leg_untried);
	f.leg_untried.leg = l->id;
	leg_tell(&f);
}

void
ring_untried(struct leg *l, struct hf_span late)
{
	uint64_t id = l->id;

	/* Nobody is blamed for an answer that lies unread. */
	hear_all();
	l = leg_by_id(id);
	if (l == NULL)
		return;
	if (l->state == LEG_RINGING && !l->tried && !l->untried) {
		if (late.us >= hf_ms(STALL_MS).us) {
			/* We slept: so much longer is waited for them. */
			l->untried_by = hf_time_after(room.now, late);
		} else {
			l->untried = true;
			tell_untried(l);
		}
		leg_touch(l);
	}
	leg_arm(l);
}

void
tell_rang(const struct leg *l, uint16_t code)
{
	struct msg f;

	FACT(f, MSG_LEG_RANG, leg_rang);
	f.leg_rang.leg = l->id;
	f.leg_rang.media = leg_media(&l->media);
	if (code == 0)
		code = l->media.codec != SIP_CODEC_NONE ? 183 : 180;
	f.leg_rang.code = code;
	leg_tell(&f);
}

void
on_rang(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	struct leg *l = leg_of(s);
	struct sdp_ours ours;
	struct hf_slice text;
	struct sdp theirs;
	const char *why;
	uint16_t status;

	(void)arg;
	if (l == NULL || l->state != LEG_RINGING)
		return;
	tell_tried(l);
	if (m->status == 100)
		return;
	/* Of several phones none can be listened to before one has answered. */
	if (!leg_has_several(l) && sdp_find(m, &text, &status) &&
	    sdp_parse(text, &theirs, &why)) {
		ours = leg_ours(l, &s->dialog.flow);
		if (sdp_accept(&l->sdp, &theirs, &ours, &s->dialog.flow.peer,
			&l->media) != 0)
			l->media.codec = SIP_CODEC_NONE;
	}
	leg_touch(l);
	l->rang = true;
	tell_rang(l, m->status);
}

static enum cause
cause_of(const struct leg *l, const struct sip_session *s,
    const struct sip_msg *m, enum sip_trans_end why)
{
	bool tcp = s->dialog.flow.transport == SIP_TCP;

	if (m == NULL && why == SIP_END_UNREACHABLE)
		return tcp ? CAUSE_RESET : CAUSE_ICMP;
	if (m == NULL)
		return l->tried ? CAUSE_NO_ANSWER : CAUSE_NO_100;
	switch (m->status) {
	case 486:
	case 600:
		return CAUSE_BUSY;
	case 408:
		return CAUSE_TIMEOUT;
	default:
		return m->status < 300 ? CAUSE_GARBAGE : CAUSE_REFUSED;
	}
}

/* Does this refusal speak for one target only (RFC 3263 4.3)? */
static bool
may_go_on(const struct leg *l, const struct sip_msg *m)
{
	if (m == NULL)
		return !l->tried || l->order.kind != TO_HELPER;
	switch (m->status) {
	case 408:
	case 502:
	case 503:
	case 504:
		return true;
	default:
		return false;
	}
}

/* Of what an agent's phones have said, the word that tells most of him: that
 * he is there and will not, before that he is not, before what became of a
 * phone. */
static unsigned
weight(enum cause c)
{
	static const uint8_t said[] = { CAUSE_NO_100, CAUSE_TIMEOUT,
		CAUSE_GARBAGE, CAUSE_NO_ANSWER, CAUSE_REFUSED, CAUSE_BUSY };
	unsigned i = HF_LEN(said);

	while (i > 0 && said[i - 1] != c)
		i--;
	return i;
}

/* 6xx speaks for all of them (RFC 3261 16.7). */
enum { GLOBAL = 600 };

void
ring_lost(struct leg *l, struct hf_ref session, enum cause cause, uint16_t code,
    struct hf_slice reason)
{
	bool several = leg_has_several(l);

	leg_without(l, session);
	if (l->verdict == CAUSE_NONE || code >= GLOBAL ||
	    weight(cause) > weight((enum cause)l->verdict)) {
		l->verdict = (uint8_t)cause;
		l->last_code = code;
	} else {
		reason = HF_SLICE("");
	}
	if (several && code < GLOBAL)
		return;
	leg_keep_only(l, HF_REF_NONE, 0, HF_SLICE(""));
	leg_refused(l, (enum cause)l->verdict, l->last_code, reason);
	leg_free(l);
}

void
on_refused(void *arg, struct sip_session *s, const struct sip_msg *m,
    enum sip_trans_end why)
{
	struct hf_ref me = hf_pool_at(&room.ss.pool, s->n);
	struct leg *l = leg_of(s);
	enum cause cause;

	(void)arg;
	if (l == NULL || l->state != LEG_RINGING || !leg_has(l, me))
		return;
	cause = cause_of(l, s, m, why);
	if (l->order.kind == TO_AGENT) {
		ring_lost(l, me, cause, m != NULL ? m->status : 0,
		    m != NULL ? m->reason : HF_SLICE(""));
		return;
	}
	if (m != NULL)
		l->last_code = m->status;
	if (may_go_on(l, m) && hf_time_before(room.now, l->give_up) &&
	    call_next(l))
		return;
	tell_refused(l, cause, m);
	leg_free(l);
}
