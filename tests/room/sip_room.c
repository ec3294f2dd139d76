/* tests/room/sip_room - see sip_room.h */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc/snapshot.h"
#include "tests/room/sip_room.h"

enum { NR_HELPERS = 2 };

const char *program;
struct conf conf;
struct conf_secrets secrets;
struct ua_world *world;
struct ua_where house_at;
char house[64];
struct ua *caller, *bot, *second, *anna, *wired, *stranger, *named;

static int udp = -1, tcp = -1;

/* The keeper keeps the sockets: a restarted room gets copies of the same. */
static void
hand_over(void)
{
	struct msg m = { .type = MSG_SECRETS };

	room_tell_fd(ROOM_KEEPER, &m,
	    snapshot_make("secrets", &secrets, sizeof(secrets)));
	m = (struct msg){ .type = MSG_SOCKET, .socket = { .count = 1 } };
	strcpy(m.socket.what, "sip-udp");
	room_tell_fd(ROOM_KEEPER, &m, dup(udp));
	strcpy(m.socket.what, "sip-tcp");
	room_tell_fd(ROOM_KEEPER, &m, dup(tcp));
}

void
sip_room_begin(void)
{
	struct hf_addr at = { .port = 0 };

	room_configure(&conf, "site: lyon\n"
			      "sip:\n"
			      "  dialogs: 64\n"
			      "  transactions: 256\n"
			      "  tcp_connections: 16\n"
			      "  tcp_idle: 1s\n"
			      "  expires_min: 10s\n"
			      "  trace_bytes: 64K\n");
	secrets = (struct conf_secrets){ .magic = CONF_MAGIC,
		.version = CONF_VERSION,
		.size = sizeof(secrets) };
	(void)room_dir(&conf);
	world = ua_world_new();
	udp = room_bind(SOCK_DGRAM, room_ip(1), &at);
	tcp = room_bind(SOCK_STREAM, room_ip(1), &at);
	hf_addr_text(&at, house);
	house_at = ua_where(house);
	room_prepare(hand_over);
}

void
sip_room_start(void)
{
	room_kill();
	room_start(program, ROOM_SIP, &conf);
}

int
sip_room_over(void **state)
{
	room_over();
	ua_world_free(world);
	close(udp);
	close(tcp);
	return 0;
}

/* ---- the usual cast -------------------------------------------------------
 */

static struct conf_target
target(const struct ua *u)
{
	struct conf_target t = { .transport = CONF_UDP };
	char at[80];

	snprintf(at, sizeof(at), "%s:%d", u->ip, u->port);
	assert_true(hf_addr_parse(hf_slice_of(at), &t.addr));
	strcpy(t.user, "bot");
	snprintf(t.uri, sizeof(t.uri), "sip:bot@%s", at);
	return t;
}

static void
configure(void)
{
	conf.trunks = 1;
	conf.helpers = 3;
	conf.agents = 1;
	conf.sip.guesses = GUESSES;
	conf.sip.md5_agents = 1;
	strcpy(conf.sip.md5_agent[0], "old phone 1.");
	conf.trunk[0].used = 1;
	conf.trunk[0].peers = 1;
	assert_true(
	    hf_net_parse(hf_slice_of(caller->ip), &conf.trunk[0].peer[0]));
	conf.helper[0].used = 1;
	conf.helper[0].targets = NR_HELPERS;
	conf.helper[0].to[0] = target(bot);
	conf.helper[0].to[1] = target(second);
	/* A name that /etc/hosts knows. */
	conf.helper[1].used = 1;
	conf.helper[1].targets = 1;
	conf.helper[1].to[0] = target(named);
	conf.helper[1].to[0].addr.family = 0;
	strcpy(conf.helper[1].to[0].host, "localhost");
	/* One that can be called, and one that cannot. */
	conf.helper[2].used = 1;
	conf.helper[2].targets = 2;
	conf.helper[2].to[0] = target(bot);
	conf.helper[2].to[1] = target(second);
	conf.helper[2].to[1].transport = CONF_TLS;
	conf.agent[0].used = 1;
	strcpy(conf.agent[0].name, "anna");
	strcpy(conf.agent[0].extension, "201");
	strcpy(conf.agent[0].realm, "lyon");
	strcpy(secrets.agent[0], "correct horse");
}

int
sip_room_usual(void **state)
{
	sip_room_begin();
	caller = ua_new(world, "caller", room_ip(2), UA_UDP, 1);
	bot = ua_new(world, "bot", room_ip(3), UA_UDP, 2);
	second = ua_new(world, "second", room_ip(3), UA_UDP, 3);
	anna = ua_new(world, "anna", room_ip(4), UA_UDP, 4);
	wired = ua_new(world, "wired", room_ip(4), UA_TCP, 4);
	named = ua_new(world, "named", "127.0.0.1", UA_UDP, 6);
	stranger = ua_new(world, "stranger", room_ip(4), UA_UDP, 5);
	configure();
	sip_room_start();
	return 0;
}

/* ---- waiting --------------------------------------------------------------
 */

bool
fact(enum msg_type type, struct msg *out)
{
	int64_t until = ua_now() + SOON * 1000;

	while (ua_now() < until) {
		(void)ua_run(world, 2, NULL, NULL);
		if (room_hears(ROOM_CALL, type, out, NULL, 1))
			return true;
	}
	return false;
}

struct wait {
	struct ua_call *call;
	enum ua_event what;
};

static bool
is_noted(void *arg)
{
	struct wait *x = arg;

	return ua_noted(x->call, x->what, 0) != NULL;
}

const struct ua_note *
noted(struct ua_call *c, enum ua_event what)
{
	struct wait x = { c, what };

	return ua_run(world, SOON, is_noted, &x) ? ua_noted(c, what, 0) : NULL;
}

struct transfer {
	const struct ua_call *call;
	const char *status;
};

static bool
is_told(void *arg)
{
	const struct transfer *x = arg;
	size_t i = x->call->notes;

	while (i > 0 && x->call->note[i - 1].what != UA_NOTIFIED)
		i--;
	return i > 0 && strncmp(x->call->note[i - 1].text, x->status,
			    strlen(x->status)) == 0;
}

bool
hears_of_transfer(struct ua_call *c, const char *status)
{
	struct transfer x = { c, status };

	return ua_run(world, SOON, is_told, &x);
}

unsigned
calls_of(const struct ua *u)
{
	unsigned n = 0;

	for (const struct ua_call *c = u->calls; c != NULL; c = c->next)
		n += c->incoming;
	return n;
}

uint64_t
counter(const char *name)
{
	char row[64];
	const char *at;

	snprintf(row, sizeof(row), "name=%s|value=", name);
	at = strstr(room_ask("sip", "", 0), row);
	assert_non_null(at);
	return strtoull(at + strlen(row), NULL, 10);
}

const char *
trace(uint64_t leg)
{
	char word[32];

	snprintf(word, sizeof(word), "%llu", (unsigned long long)leg);
	return room_ask("trace", word, strlen(word) + 1);
}

int
own_socket(const char *ip, char *me)
{
	struct hf_addr at = { .port = 0 };
	int fd = room_bind(SOCK_DGRAM, ip, &at);

	hf_addr_text(&at, me);
	return fd;
}

void
say(int fd, const char *text)
{
	assert_true(sendto(fd, text, strlen(text), 0,
			(const struct sockaddr *)&house_at.to,
			sizeof(struct sockaddr_in)) > 0);
}

const char *
comes(int fd, const char *begin)
{
	static char came[65536];
	int64_t until = ua_now() + SOON * 1000;

	while (ua_now() < until) {
		ssize_t n;

		(void)ua_run(world, 2, NULL, NULL);
		n = recv(fd, came, sizeof(came) - 1, MSG_DONTWAIT);
		if (n <= 0)
			continue;
		came[n] = '\0';
		if (strncmp(came, begin, strlen(begin)) == 0)
			return came;
	}
	fail_msg("no %s", begin);
	return NULL;
}

/* ---- hf-call's orders -----------------------------------------------------
 */

void
ring_row(uint64_t leg, enum to kind, uint16_t row)
{
	struct msg m = { .type = MSG_RING_LEG };

	m.ring_leg.leg = leg;
	m.ring_leg.kind = kind;
	m.ring_leg.row = row;
	m.ring_leg.port = PORT;
	m.ring_leg.hops = 60;
	strcpy(m.ring_leg.from, "+33612345678");
	m.ring_leg.give_up = hf_ms(10000);
	room_tell(ROOM_CALL, &m);
}

void
ring(uint64_t leg, enum to kind)
{
	ring_row(leg, kind, 0);
}

void
ring_impatiently(uint64_t leg, int ms)
{
	struct msg m = { .type = MSG_RING_LEG };

	m.ring_leg.leg = leg;
	m.ring_leg.kind = TO_HELPER;
	m.ring_leg.port = PORT;
	m.ring_leg.hops = 60;
	m.ring_leg.no_100 = hf_ms(ms);
	m.ring_leg.give_up = hf_ms(10000);
	room_tell(ROOM_CALL, &m);
}

void
answer(uint64_t leg)
{
	struct msg m = { .type = MSG_ANSWER_LEG };

	m.answer_leg.leg = leg;
	m.answer_leg.port = PORT + 2;
	room_tell(ROOM_CALL, &m);
}

void
drop(uint64_t leg)
{
	struct msg m = { .type = MSG_DROP_LEG, .drop_leg = { .leg = leg } };

	room_tell(ROOM_CALL, &m);
}

void
hold(uint64_t leg)
{
	struct msg m = { .type = MSG_HOLD_LEG };

	m.hold_leg.leg = leg;
	m.hold_leg.direction = DIRECTION_SENDONLY;
	room_tell(ROOM_CALL, &m);
}

void
report(uint64_t leg, uint16_t code)
{
	struct msg m = { .type = MSG_REPORT_REFER };

	m.report_refer.leg = leg;
	m.report_refer.code = code;
	room_tell(ROOM_CALL, &m);
}

/* ---- the usual cast's ways ------------------------------------------------
 */

uint64_t
arrives(struct ua_call **call)
{
	struct msg m;

	*call = ua_invite(caller, house_at, "+33400000000");
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_string_equal(m.leg_arrived.number, "+33400000000");
	assert_int_equal(m.leg_arrived.trunk, 0);
	assert_int_not_equal(m.leg_arrived.media.codec, CODEC_NONE);
	return m.leg_arrived.leg;
}

uint64_t
up(struct ua_call **call)
{
	uint64_t leg = arrives(call);
	struct msg m;

	ring(leg | OURS, TO_HELPER);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (leg | OURS));
	answer(leg);
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	assert_non_null(noted(*call, UA_ANSWERED));
	return leg;
}

int
registers(struct ua *phone, const char *secret)
{
	const struct ua_note *n;

	strcpy(phone->user, "anna");
	strcpy(phone->secret, secret);
	n = noted(ua_register(phone, house_at, 60), UA_REGISTERED);
	assert_non_null(n);
	return n->code;
}

void
dies_and_is_there_again(uint32_t dialogs)
{
	struct msg m;

	sip_room_start();
	assert_true(fact(MSG_SIP_STARTED, &m));
	assert_int_equal(m.sip_started.dialogs, dialogs);
}
