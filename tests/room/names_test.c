/*
 * hf-sip, whose bot is known by name: the test is its name server, its bots
 * and its hf-call.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/snapshot.h"
#include "tests/lib/dns.h"
#include "tests/lib/ua.h"
#include "tests/room/keeper.h"

#define HOST "bots.example.net"

enum {
	SOON = 2000,
	AT_ONCE = 200,
	/* A name is asked for again after 5 s, and the DNS is given up after
	 * 4.5 s. */
	NEXT_TURN = 15000,
	SHORT_TTL = 1,
	PORT = 21000,
};
#define OURS (1ULL << 63)

static const char *program;
static char dir[64];
static struct conf conf;
static struct ua_world *w;
static struct ua *bot, *moved;
static struct dns_server *dns;
static char nobody[32]; /* an address without a bot */
static int udp = -1;
static uint64_t legs = OURS;

static void
hand_sockets(void)
{
	struct msg m = { .type = MSG_SOCKET, .socket = { .count = 1 } };

	strcpy(m.socket.what, "sip-udp");
	room_tell_fd(ROOM_KEEPER, &m, dup(udp));
}

static void
configure(void)
{
	struct conf_target *t = &conf.helper[0].to[0];

	room_configure(&conf, "site: lyon\n"
			      "sip:\n"
			      "  dialogs: 64\n"
			      "  transactions: 256\n"
			      "  tcp_connections: 16\n"
			      "  trace_bytes: 64K\n");
	conf.helpers = 1;
	conf.sip.dns_count = 1;
	assert_true(hf_addr_parse_ip(HF_SLICE("127.0.0.1"), &conf.sip.dns[0]));
	conf.sip.dns[0].port = dns_server_port(dns);
	conf.helper[0].used = 1;
	conf.helper[0].targets = 1;
	*t = (struct conf_target){ .transport = CONF_UDP };
	t->addr.port = (uint16_t)bot->port;
	strcpy(t->user, "bot");
	strcpy(t->host, HOST);
	snprintf(t->uri, sizeof(t->uri), "sip:bot@" HOST ":%d", bot->port);
	strcpy(dir, "/tmp/hf-room-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(conf.keeper.run_dir, sizeof(conf.keeper.run_dir), "%s", dir);
}

static int
setup(void **state)
{
	struct sockaddr_storage ss;
	struct hf_addr house;
	char ip[4][32];
	socklen_t n;

	(void)state;
	for (int i = 0; i < 4; i++)
		snprintf(ip[i], sizeof(ip[i]), "127.%d.%d.%d",
		    20 + getpid() % 200, getpid() / 200 % 250, i + 11);
	strcpy(nobody, ip[3]);
	w = ua_world_new();
	bot = ua_new(w, "bot", ip[1], UA_UDP, 2);
	/* The same port at another address: a name has one for all. */
	moved = ua_new(w, "moved", ip[2], UA_UDP, 3);
	ua_close(moved);
	moved->port = bot->port;
	ua_open(moved);
	assert_true(hf_addr_parse_ip(hf_slice_of(ip[0]), &house));
	n = hf_addr_to_sockaddr(&house, AF_INET, &ss);
	udp = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(udp, (struct sockaddr *)&ss, n), 0);
	dns = dns_server_new();
	configure();
	room_prepare(hand_sockets);
	return 0;
}

static int
teardown(void **state)
{
	char rm[128];

	(void)state;
	room_kill();
	ua_world_free(w);
	dns_server_free(dns);
	close(udp);
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	return system(rm);
}

/* ---- waiting ------------------------------------------------------------- */

static bool
fact(enum msg_type type, struct msg *out)
{
	int64_t until = ua_now() + SOON * 1000;

	while (ua_now() < until) {
		(void)ua_run(w, 2, NULL, NULL);
		if (room_hears(ROOM_CALL, type, out, NULL, 1))
			return true;
	}
	return false;
}

static uint64_t
counter(const char *name)
{
	char row[64];
	const char *at;

	snprintf(row, sizeof(row), "name=%s|value=", name);
	at = strstr(room_ask("sip", "", 0), row);
	assert_non_null(at);
	return strtoull(at + strlen(row), NULL, 10);
}

static void
until_failed(void)
{
	uint64_t failed = counter("dns_failed");
	int64_t until = ua_now() + NEXT_TURN * 1000;

	while (counter("dns_failed") == failed) {
		assert_true(ua_now() < until);
		(void)ua_run(w, 20, NULL, NULL);
	}
}

/* Calls by name.  The one who was called, or NULL when the leg was refused:
 * then m says how. */
static struct ua *
rung(struct msg *m)
{
	struct msg o = { .type = MSG_RING_LEG };
	int64_t until = ua_now() + SOON * 1000;
	struct ua *who = NULL;

	o.ring_leg.leg = ++legs;
	o.ring_leg.kind = TO_HELPER;
	o.ring_leg.port = PORT;
	o.ring_leg.hops = 60;
	o.ring_leg.give_up = hf_ms(10000);
	room_tell(ROOM_CALL, &o);
	while (who == NULL && ua_now() < until) {
		(void)ua_run(w, 2, NULL, NULL);
		if (room_hears(ROOM_CALL, MSG_LEG_REFUSED, m, NULL, 0) &&
		    m->leg_refused.leg == legs)
			return NULL;
		who = ua_current(bot) != NULL     ? bot
		      : ua_current(moved) != NULL ? moved
						  : NULL;
	}
	assert_non_null(who);
	assert_true(fact(MSG_LEG_ANSWERED, m));
	assert_non_null(strstr(ua_current(who)->invite, "sip:bot@" HOST));
	o = (struct msg){ .type = MSG_DROP_LEG, .drop_leg = { .leg = legs } };
	room_tell(ROOM_CALL, &o);
	until = ua_now() + SOON * 1000;
	while (ua_current(who) != NULL && ua_now() < until)
		(void)ua_run(w, 2, NULL, NULL);
	assert_null(ua_current(who));
	return who;
}

/* Calls until this one is reached. */
static void
until_rung(const struct ua *who, int64_t ms)
{
	int64_t until = ua_now() + ms * 1000;
	struct msg m;

	while (rung(&m) != who) {
		assert_true(ua_now() < until);
		(void)ua_run(w, 20, NULL, NULL);
	}
}

static void
refused_at_once(void)
{
	int64_t begin = ua_now();
	struct msg m;

	assert_null(rung(&m));
	assert_true(ua_now() - begin < AT_ONCE * 1000);
	assert_int_equal(m.leg_refused.cause, CAUSE_UNREACHABLE);
	assert_string_equal(m.leg_refused.reason, "no address for " HOST);
	begin = ua_now();
	m = (struct msg){ .type = MSG_PROBE_HELPER };
	m.probe_helper.timeout = hf_ms(SOON);
	room_tell(ROOM_CALL, &m);
	assert_true(fact(MSG_HELPER_PROBED, &m));
	assert_true(ua_now() - begin < AT_ONCE * 1000);
	assert_false(m.helper_probed.ok);
}

/* The keeper has read the file again: all is asked anew. */
static void
reload(void)
{
	struct msg m = { .type = MSG_CONFIG };

	conf.generation++;
	room_tell_fd(
	    ROOM_KEEPER, &m, snapshot_make("conf", &conf, sizeof(conf)));
}

/* ---- stories ------------------------------------------------------------- */

static void
a_name_is_looked_up_and_called(void **state)
{
	struct msg m = { .type = MSG_PROBE_HELPER };

	(void)state;
	dns_server_says(dns, DNS_ANSWERS, bot->ip, 60);
	room_start(program, ROOM_SIP, &conf);
	until_rung(bot, SOON);
	m.probe_helper.timeout = hf_ms(SOON);
	room_tell(ROOM_CALL, &m);
	assert_true(fact(MSG_HELPER_PROBED, &m));
	assert_true(m.helper_probed.ok);
	assert_int_equal(dns_server_asked(dns), 1);
}

static void
addresses_of_a_name_are_tried_in_order(void **state)
{
	char both[128];
	struct msg m;
	int64_t begin;

	(void)state;
	snprintf(both, sizeof(both), "%s %s", nobody, moved->ip);
	dns_server_says(dns, DNS_ANSWERS, both, 60);
	room_start(program, ROOM_SIP, &conf);
	until_rung(moved, SOON);
	begin = ua_now();
	assert_ptr_equal(rung(&m), moved);
	assert_true(ua_now() - begin < SOON / 2 * 1000);
	assert_int_equal(m.leg_answered.target, 0);
}

/* Ours are IPv4 here, and the resolver puts IPv6 first. */
static void
an_address_that_no_socket_reaches_is_passed_over(void **state)
{
	struct msg m = { .type = MSG_PROBE_HELPER };
	char both[128];

	(void)state;
	snprintf(both, sizeof(both), "::1 %s", bot->ip);
	dns_server_says(dns, DNS_ANSWERS, both, 60);
	room_start(program, ROOM_SIP, &conf);
	until_rung(bot, SOON);
	m.probe_helper.timeout = hf_ms(SOON);
	room_tell(ROOM_CALL, &m);
	assert_true(fact(MSG_HELPER_PROBED, &m));
	assert_true(m.helper_probed.ok);
}

/* Half of the probes would open its breaker, though each call gets through. */
static void
a_probe_stays_with_the_address_that_answers(void **state)
{
	unsigned failed = 0;
	char both[128];

	(void)state;
	snprintf(both, sizeof(both), "%s %s", nobody, moved->ip);
	dns_server_says(dns, DNS_ANSWERS, both, 60);
	room_start(program, ROOM_SIP, &conf);
	until_rung(moved, SOON);
	for (int i = 0; i < 10; i++) {
		struct msg m = { .type = MSG_PROBE_HELPER };

		m.probe_helper.timeout = hf_ms(AT_ONCE);
		room_tell(ROOM_CALL, &m);
		assert_true(fact(MSG_HELPER_PROBED, &m));
		failed += !m.helper_probed.ok;
	}
	assert_int_equal(failed, 1);
}

static void
a_name_that_moves_is_followed(void **state)
{
	(void)state;
	dns_server_says(dns, DNS_ANSWERS, bot->ip, SHORT_TTL);
	room_start(program, ROOM_SIP, &conf);
	until_rung(bot, SOON);
	dns_server_says(dns, DNS_ANSWERS, moved->ip, SHORT_TTL);
	until_rung(moved, NEXT_TURN);
}

static void
the_last_good_address_outlives_the_dns(void **state)
{
	static const enum dns_manner manners[] = { DNS_NXDOMAIN, DNS_SERVFAIL };
	struct msg m;

	(void)state;
	dns_server_says(dns, DNS_ANSWERS, bot->ip, SHORT_TTL);
	room_start(program, ROOM_SIP, &conf);
	until_rung(bot, SOON);
	dns_server_dies(dns);
	until_failed();
	assert_ptr_equal(rung(&m), bot);
	dns_server_lives(dns);
	for (size_t i = 0; i < HF_LEN(manners); i++) {
		dns_server_says(dns, manners[i], "", SHORT_TTL);
		until_failed();
		assert_ptr_equal(rung(&m), bot);
	}
	dns_server_says(dns, DNS_ANSWERS, moved->ip, SHORT_TTL);
	until_rung(moved, NEXT_TURN);
}

/* The call does not wait, whatever the DNS is up to. */
static void
a_name_without_an_answer_is_refused_at_once(void **state)
{
	static const enum dns_manner manners[] = {
		DNS_NXDOMAIN,
		DNS_SILENT,
		DNS_SERVFAIL,
		DNS_GARBAGE,
		DNS_CUT,
		DNS_LOOPS,
		DNS_LIES,
		DNS_NOWHERE,
	};

	(void)state;
	dns_server_says(dns, manners[0], "", SHORT_TTL);
	room_start(program, ROOM_SIP, &conf);
	for (size_t i = 0; i < HF_LEN(manners); i++) {
		uint32_t asked = dns_server_asked(dns);

		dns_server_says(dns, manners[i], "", SHORT_TTL);
		/* What was on its way is broken off. */
		reload();
		for (int k = 0; dns_server_asked(dns) == asked; k++) {
			assert_true(k < 400);
			(void)ua_run(w, 20, NULL, NULL);
		}
		(void)ua_run(w, 50, NULL, NULL);
		refused_at_once();
		assert_true(room_lives());
	}
	dns_server_says(dns, DNS_ANSWERS, bot->ip, 60);
	until_rung(bot, NEXT_TURN);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_name_is_looked_up_and_called),
		T(addresses_of_a_name_are_tried_in_order),
		T(an_address_that_no_socket_reaches_is_passed_over),
		T(a_probe_stays_with_the_address_that_answers),
		T(a_name_that_moves_is_followed),
		T(the_last_good_address_outlives_the_dns),
		T(a_name_without_an_answer_is_refused_at_once),
	};
#undef T

	if (argc != 2)
		return 2;
	program = argv[1];
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip names", tests, NULL, NULL);
}
