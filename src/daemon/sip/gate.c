/* daemon/sip/gate - who is let in: see room.h */

#include <string.h>

#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"
#include "io/sip/build.h"
#include "io/tls/digest.h"

static const struct sip_hashes hashes = {
	.md5 = tls_md5, .sha256 = tls_sha256, .ctx = NULL
};

/* The header lines that go with the refusal being written: a challenge. */
static char challenge_room[SIP_DIGEST_TEXT_MAX];
static struct hf_slice challenge;

const struct sip_hashes *
gate_hashes(void)
{
	return &hashes;
}

/* One realm for the house: agents name it in their rows, else it is the
 * site's name. */
const char *
gate_realm(void)
{
	const struct conf *c = room.conf;

	for (uint16_t i = 0; i < c->agents; i++)
		if (c->agent[i].used && c->agent[i].realm[0] != '\0')
			return c->agent[i].realm;
	return c->site;
}

uint16_t
gate_trunk(const struct hf_addr *peer)
{
	const struct conf *c = room.conf;

	for (uint16_t i = 0; i < c->trunks; i++) {
		const struct conf_trunk *t = &c->trunk[i];

		for (uint16_t k = 0; t->used && k < t->peers; k++)
			if (hf_net_has(&t->peer[k], peer))
				return i;
	}
	return CONF_NONE;
}

bool
gate_is_site(const struct hf_addr *peer)
{
	const struct conf *c = room.conf;
	struct hf_addr at;

	for (uint16_t i = 0; i < c->helpers; i++) {
		const struct conf_helper *h = &c->helper[i];

		for (unsigned t = 0;
		     h->used && h->kind == CONF_SITE && t < h->targets; t++)
			for (unsigned k = 0; target_address(&h->to[t], k, &at);
			     k++)
				if (hf_addr_same_host(&at, peer))
					return true;
	}
	return false;
}

static uint16_t
agent_named(struct hf_slice name)
{
	char text[CONF_NAME_MAX];
	uint16_t n;

	if (!sip_unescape(name, text, sizeof(text)))
		return CONF_NONE;
	n = conf_agent_find(room.conf, text);
	return n != CONF_NONE && room.conf->agent[n].used ? n : CONF_NONE;
}

/* RFC 8760 wants an unknown algorithm passed over.  Some phones give up
 * instead: sip.md5_agents names them, and they are asked for MD5 alone. */
static bool
knows_md5_only(const struct sip_msg *m)
{
	const struct sip_header_line *h = sip_find(m, SIP_H_USER_AGENT, 0);
	const struct conf_sip *c = &room.conf->sip;

	for (uint16_t i = 0; h != NULL && i < c->md5_agents; i++)
		if (hf_slice_starts_nocase(
			h->value, hf_slice_of(c->md5_agent[i])))
			return true;
	return false;
}

/* The first of the two lines, SHA-256's, is left away where it would hurt. */
static void
write_challenge(const struct sip_msg *m, bool stale)
{
	struct hf_buf b = hf_buf_on(challenge_room, sizeof(challenge_room));
	size_t n;

	sip_digest_challenge(&room.digest, &b, 401, stale, room.now);
	challenge = hf_buf_taken(&b);
	if (!knows_md5_only(m))
		return;
	n = hf_slice_find(challenge, '\n') + 1;
	if (n < challenge.n)
		challenge =
		    (struct hf_slice){ challenge.p + n, challenge.n - n };
}

/* One of the agent's phones is registered from this host. */
static bool
is_home(uint16_t agent, const struct hf_addr *host)
{
	const struct sip_binding *b;

	for (unsigned i = 0;
	     agent != CONF_NONE &&
	     (b = sip_bindings(&room.registrar, agent, i, room.now)) != NULL;
	     i++)
		if (hf_addr_same_host(&b->received, host))
			return true;
	return false;
}

/* For whoever watches the log, a firewall's helper or a person; whose name it
 * was stays in the house. */
static void
count_wrong(const struct sip_credentials *c, const struct hf_addr *source)
{
	char text[HF_ADDR_TEXT_MAX];

	room.gate.wrong++;
	limits_wrong(source);
	if (sip_guess_wrong(&room.guess, source, c->username, room.now))
		hf_log(LOG_WARNING, "passwords_guessed", "source=%s wrong=%llu",
		    hf_addr_text(source, text),
		    (unsigned long long)room.gate.wrong);
}

/* 0 and room.from_agent, or 401, 403, 400.  A stranger cannot tell a wrong
 * name from a wrong password, neither by the answer nor by its time. */
static uint16_t
check_agent(const struct sip_msg *m, const struct sip_flow *from)
{
	struct sip_credentials c;
	struct hf_slice secret = HF_SLICE("");
	enum sip_auth a =
	    sip_digest_find(&room.digest, m, SIP_H_AUTHORIZATION, &c);
	uint16_t agent = CONF_NONE;
	bool home;

	if (a == SIP_AUTH_GOOD) {
		agent = agent_named(c.username);
		/* Whoever else guesses from his network, a phone that is
		 * registered there may call for help. */
		home = is_home(agent, &from->peer);
		if (!(home && emergency_is_dialled(m)) &&
		    !sip_guess_may(
			&room.guess, &from->peer, c.username, home, room.now)) {
			room.gate.guessing++;
			return 403;
		}
		if (agent != CONF_NONE && room.secrets != NULL)
			secret = hf_slice_of(room.secrets->agent[agent]);
		a = sip_digest_verify(&room.digest, &c, m->method_text,
		    secret.n > 0, secret, room.now);
	}
	switch (a) {
	case SIP_AUTH_GOOD:
		room.from_agent = agent;
		return 0;
	case SIP_AUTH_NONE:
	case SIP_AUTH_STALE:
		if (a == SIP_AUTH_STALE)
			room.gate.stale++;
		else
			room.gate.challenged++;
		write_challenge(m, a == SIP_AUTH_STALE);
		return 401;
	case SIP_AUTH_WRONG:
		count_wrong(&c, &from->peer);
		return 403;
	case SIP_AUTH_BAD:
		room.gate.malformed++;
		return 400;
	}
	hf_never("every outcome of digest has its answer");
}

/* 0, or what it is refused with. */
static uint16_t
check(const struct sip_msg *m, const struct sip_flow *from)
{
	if (m->method == SIP_REGISTER)
		return check_agent(m, from);
	if (room.from_trunk != CONF_NONE)
		return 0;
	if (m->method == SIP_OPTIONS) {
		/* Anybody may ask whether we live; it costs no state. */
		room.gate.options++;
		return 200;
	}
	if (m->method == SIP_INVITE && m->to_tag.n == 0)
		return emergency_is_strangers(m) ? 0 : check_agent(m, from);
	room.gate.stranger++;
	return m->to_tag.n > 0 ? 481 : 403;
}

uint16_t
gate_admit(void *arg, const struct sip_msg *m, const struct sip_flow *from)
{
	uint16_t status;

	(void)arg;
	challenge = HF_SLICE("");
	room.from_agent = CONF_NONE;
	room.from_trunk = gate_trunk(&from->peer);
	/* Who speaks of a call that is not there hears so: it may be one of
	 * ours that has ended. */
	if (room.over && m->to_tag.n == 0) {
		room.limits.address++;
		return 503;
	}
	status = check(m, from);
	if (status == 0 && m->to_tag.n == 0 && limits_refuse(m))
		status = 503;
	/* There is always a place for him who calls for help. */
	room.ss.tt.urgent = status == 0 && emergency_is_let_in(m);
	return status;
}

void
gate_stateless(void *arg, const struct sip_msg *m, const struct sip_flow *from,
    uint16_t status)
{
	char text[256];
	struct hf_buf b = hf_buf_on(text, sizeof(text));
	struct hf_slice lines = challenge;

	(void)arg;
	if (status == 200) {
		sip_put(&b, SIP_H_ALLOW, HF_SLICE(SIP_ALLOW));
		sip_put(&b, SIP_H_ACCEPT, HF_SLICE(SIP_ACCEPT));
		lines = hf_buf_taken(&b);
	} else if (status != 401) {
		lines = HF_SLICE("");
	}
	sip_sessions_reply(
	    &room.ss, HF_REF_NONE, m, from, status, HF_SLICE(""), lines);
}

/* ---- we are asked who we are --------------------------------------------- */

uint16_t
gate_account(uint16_t trunk)
{
	const struct conf *c = room.conf;

	return trunk < c->trunks && c->trunk[trunk].user[0] != '\0'
		   ? (uint16_t)(trunk + 1)
		   : 0;
}

/* Is it the trunk that is there?  Whoever else a call has led us to (by his
 * Contact, say) gets no proof to guess our password with, nor one that he could
 * show to the trunk as his own. */
static bool
is_of_trunk(const struct conf_trunk *t, const struct hf_addr *peer)
{
	struct hf_addr at;

	for (uint16_t i = 0; i < t->peers; i++)
		if (hf_net_has(&t->peer[i], peer))
			return true;
	for (unsigned i = 0; i < target_addresses(&t->to); i++)
		if (target_address(&t->to, i, &at) &&
		    hf_addr_same_host(&at, peer))
			return true;
	return false;
}

bool
gate_credentials(void *arg, uint16_t account, const struct sip_flow *way,
    const struct sip_msg *asked, const struct sip_msg *said,
    struct hf_buf *lines)
{
	uint16_t row = (uint16_t)(account - 1);
	uint64_t random = hf_rand_u64(proc_rand());
	char text[2 * sizeof(random)];
	struct hf_buf cnonce = hf_buf_on(text, sizeof(text));
	const struct conf_trunk *t;
	struct sip_claim who;

	(void)arg;
	if (row >= room.conf->trunks || room.secrets == NULL ||
	    room.secrets->trunk[row][0] == '\0')
		return false;
	t = &room.conf->trunk[row];
	hf_buf_hex(&cnonce, &random, sizeof(random));
	/* Who we are today: the password may be newer than the call. */
	who = (struct sip_claim){
		.hash = &hashes,
		.user = hf_slice_of(t->user),
		.secret = hf_slice_of(room.secrets->trunk[row]),
		.cnonce = hf_buf_taken(&cnonce),
		.realm = hf_slice_of(t->realm),
	};
	if (is_of_trunk(t, &way->peer) &&
	    sip_digest_answer(lines, said, asked, &who))
		return true;
	hf_log(LOG_WARNING, "challenge_not_answered",
	    "trunk=%s status=%u method=%s", t->name, said->status,
	    sip_method_name(asked->method));
	return false;
}

/* ---- REGISTER ------------------------------------------------------------ */

static void
tell_came(uint16_t agent, bool anew)
{
	struct msg m;
	const struct sip_binding *b =
	    sip_bindings(&room.registrar, agent, 0, room.now);

	FACT(m, MSG_AGENT_CAME, agent_came);
	if (b == NULL)
		return;
	m.agent_came.agent = agent;
	m.agent_came.contact = b->received;
	m.agent_came.anew = anew;
	proc_send(PEER_CALL, &m);
}

static void
tell_went(uint16_t agent)
{
	struct msg m;

	FACT(m, MSG_AGENT_WENT, agent_went);
	m.agent_went.agent = agent;
	room.gate.unregistered++;
	proc_send(PEER_CALL, &m);
}

void
gate_register(
    struct hf_ref t, const struct sip_msg *m, const struct sip_flow *from)
{
	uint16_t agent = room.from_agent;
	char text[2048];
	struct hf_buf b = hf_buf_on(text, sizeof(text));
	struct sip_register_from rf = {
		.received = from->peer,
		.transport = from->transport,
		.connection =
		    from->transport == SIP_TCP ? hf_ref_key(from->conn) : 0,
	};
	struct sip_registered r;

	if (agent == CONF_NONE || agent_named(m->to.uri.user) != agent) {
		/* In, but for somebody else. */
		sip_sessions_reply(
		    &room.ss, t, m, from, 403, HF_SLICE(""), HF_SLICE(""));
		return;
	}
	if (from->transport == SIP_UDP)
		rf.local = room.tp.udp[from->socket].at;
	r = sip_register(&room.registrar, agent, m, &rf, room.now);
	kept_phones(agent);
	sip_registrar_put(&room.registrar, agent, &r, &b, room.now);
	sip_sessions_reply(&room.ss, t, m, from, r.status,
	    hf_slice_of(r.why != NULL && r.status != 200 ? r.why : ""),
	    b.overflow ? HF_SLICE("") : hf_buf_taken(&b));
	if (r.status == 200) {
		room.gate.registered++;
		legs_follow(agent, from);
	}
	if (r.came || r.there)
		tell_came(agent, r.anew);
	if (r.went)
		tell_went(agent);
}

void
gate_tidy(void)
{
	for (uint16_t i = 0; i < room.conf->agents; i++) {
		struct hf_time next = sip_registrar_next(&room.registrar, i);

		if (!hf_time_before(room.now, next) &&
		    sip_registrar_expire(&room.registrar, i, room.now))
			tell_went(i);
	}
}

void
gate_hangup(struct hf_ref conn)
{
	for (uint16_t i = 0; i < room.conf->agents; i++)
		if (sip_registrar_hangup(&room.registrar, i, hf_ref_key(conn)))
			tell_went(i);
}

void
gate_hold(struct hf_time now)
{
	const struct sip_binding *b;

	for (uint16_t i = 0; i < room.conf->agents; i++)
		for (unsigned k = 0;
		     (b = sip_bindings(&room.registrar, i, k, now)) != NULL;
		     k++)
			if (b->connection != 0)
				sip_stream_hold(&room.tp.stream,
				    (struct hf_ref){ (uint32_t)b->connection,
					(uint32_t)(b->connection >> 32) },
				    now);
}

void
gate_reconf(const struct conf *old, const struct conf *new)
{
	for (uint16_t i = 0; i < CONF_AGENTS_MAX; i++)
		if (conf_agent_left(old, new, i) &&
		    sip_registrar_clear(&room.registrar, i)) {
			kept_phones(i);
			tell_went(i);
		}
}

void
gate_secrets(const struct conf_secrets *old, const struct conf_secrets *new)
{
	for (uint16_t i = 0; i < CONF_AGENTS_MAX; i++)
		if (strcmp(old->agent[i], new->agent[i]) != 0 &&
		    sip_registrar_clear(&room.registrar, i)) {
			kept_phones(i);
			tell_went(i);
		}
}

void
gate_picture(void)
{
	for (uint16_t i = 0; i < room.conf->agents; i++)
		tell_came(i, false);
}
