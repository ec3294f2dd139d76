/* daemon/sip/limits - how much of what comes is heard: see room.h.  Everything
 * here is a look into a table or two, whatever comes. */

#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"
#include "io/sip/peek.h"

enum { WRONG_COSTS = 10 }; /* requests */

#define URGENT (1ULL << 40) /* sets an address's emergency calls apart */

/* Parties' buckets: those of addresses by themselves, so that no flood of them
 * makes the others' forgotten. */
static struct sip_limit addresses, known;
static struct sip_rate address_rate, user_rate;

void
limits_conf(const struct conf *c)
{
	address_rate =
	    (struct sip_rate){ c->sip.address_per_s, c->sip.address_burst };
	user_rate = (struct sip_rate){ c->sip.user_per_s, c->sip.user_burst };
}

void
limits_start(const struct conf *c, const struct hf_hash_key *hash)
{
	sip_limit_init(&addresses, hash);
	sip_limit_init(&known, hash);
	limits_conf(c);
}

/* ---- before a message is read -------------------------------------------- */

/* Part of what is there already. */
static bool
belongs(const struct sip_peek *p)
{
	switch (p->kind) {
	case SIP_PEEK_ANSWER:
	case SIP_PEEK_ABOUT:
		return true;
	case SIP_PEEK_INSIDE:
		return sip_session_by_tag(&room.ss, p->tag) != NULL;
	case SIP_PEEK_NEW:
	case SIP_PEEK_NOISE:
		return false;
	}
	hf_never("no such kind of message");
}

/* Somebody dials an emergency number, or seems to.  Whether he may is asked
 * later. */
static bool
is_urgent(const struct sip_peek *p)
{
	struct hf_slice user = p->user;
	char number[CONF_NUMBER_MAX];

	if (!p->invite || p->kind != SIP_PEEK_NEW)
		return false;
	user.n = hf_slice_find(user, ';');
	return sip_is_sos(p->uri) ||
	       (hf_slice_copy(user, number, sizeof(number)) &&
		   conf_sos_find(room.conf, number) != CONF_NONE);
}

bool
limits_hear(struct hf_slice bytes, const struct sip_flow *from)
{
	struct sip_peek p = sip_peek(bytes);
	char text[HF_ADDR_TEXT_MAX];
	enum sip_limit_said said;
	uint64_t key = sip_limit_address(&addresses, &from->peer);
	bool tell = false;

	room.over = false;
	room.urgent = is_urgent(&p);
	if (belongs(&p) || gate_trunk(&from->peer) != CONF_NONE ||
	    gate_is_site(&from->peer))
		return true;
	/* A share of its own, so that no phone is in its own way, and to be
	 * asked who one is does not count. */
	said = sip_limit_take(&addresses, room.urgent ? key ^ URGENT : key,
	    address_rate, room.now, &tell);
	if (tell)
		hf_log(LOG_WARNING, "address_over_rate",
		    "source=%s unread=%llu", hf_addr_text(&from->peer, text),
		    (unsigned long long)room.limits.unread);
	room.over = said == SIP_LIMIT_OVER && !room.urgent;
	room.limits.unread += said == SIP_LIMIT_FLOOD;
	return said != SIP_LIMIT_FLOOD;
}

void
limits_wrong(const struct hf_addr *source)
{
	sip_limit_fine(&addresses, sip_limit_address(&addresses, source),
	    address_rate, WRONG_COSTS, room.now);
}

uint32_t
limits_over(void)
{
	return sip_limit_over(&addresses, address_rate, room.now);
}

/* ---- when we know who asks ----------------------------------------------- */

/* what names the log's line; who is whom it is about: people have a number
 * only. */
static bool
is_over(char kind, uint32_t row, struct sip_rate rate, const char *what,
    const char *who)
{
	bool tell = false;

	if (sip_limit_take(&known, sip_limit_row(&known, kind, row), rate,
		room.now, &tell) == SIP_LIMIT_FINE)
		return false;
	if (tell)
		hf_log(LOG_WARNING, what, "row=%u who=%s per_s=%u", row, who,
		    rate.per_s);
	return true;
}

/* A second's worth may come at once. */
static struct sip_rate
each_second(uint32_t calls)
{
	return (struct sip_rate){ calls, calls };
}

bool
limits_refuse(const struct sip_msg *m)
{
	const struct conf *c = room.conf;
	uint16_t trunk = room.from_trunk, agent = room.from_agent;

	if (emergency_is_let_in(m))
		return false;
	if (agent != CONF_NONE &&
	    is_over('a', agent, user_rate, "agent_over_rate", "-")) {
		room.limits.user++;
		return true;
	}
	if (m->method != SIP_INVITE)
		return false;
	/* Whatever the house is rated for, the machine does not get round to
	 * it: who has a call goes before who has none. */
	if (sip_transport_is_behind(&room.tp, room.now)) {
		room.limits.behind++;
		return true;
	}
	if (trunk != CONF_NONE && c->trunk[trunk].calls_per_s > 0 &&
	    is_over('t', trunk, each_second(c->trunk[trunk].calls_per_s),
		"trunk_over_rate", c->trunk[trunk].name)) {
		room.limits.trunk++;
		return true;
	}
	if (is_over('h', 0, each_second(c->sip.calls_per_s), "house_over_rate",
		c->site)) {
		room.limits.house++;
		return true;
	}
	return false;
}
