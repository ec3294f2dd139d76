/*
 * hf-sip, whose bot is known by name: the test is its name server, its bots
 * and its hf-call.
 */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc/snapshot.h"
#include "tests/lib/dns.h"
#include "tests/room/sip_room.h"

#define HOST "bots.example.net"

enum {
	AT_ONCE = SOON / 2, /* the DNS is given up after 4.5 s */
	NEXT_TURN = 15000,  /* and a name is asked for again 5 s later */
	SHORT_TTL = 1,
};

static struct ua *moved;
static struct dns_server *dns;
static char nobody[32]; /* an address without a bot */
static uint64_t legs = OURS;

static int
setup(void **state)
{
	struct conf_target *t = &conf.helper[0].to[0];

	sip_room_begin();
	strcpy(nobody, room_ip(4));
	bot = ua_new(world, "bot", room_ip(2), UA_UDP, 2);
	/* The same port at another address: a name has one for all. */
	moved = ua_new(world, "moved", room_ip(3), UA_UDP, 3);
	ua_close(moved);
	moved->port = bot->port;
	ua_open(moved);
	dns = dns_server_new();
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
	return 0;
}

static int
teardown(void **state)
{
	dns_server_free(dns);
	return sip_room_over(state);
}

/* ---- waiting ------------------------------------------------------------- */

static void
until_failed(void)
{
	uint64_t failed = counter("dns_failed");
	int64_t until = ua_now() + NEXT_TURN * 1000;

	while (counter("dns_failed") == failed) {
		assert_true(ua_now() < until);
		(void)ua_run(world, 20, NULL, NULL);
	}
}

static bool
is_left(void *who)
{
	return ua_current(who) == NULL;
}

/* Calls by name.  The one who was called, or NULL when the leg was refused:
 * then m says how. */
static struct ua *
rung(struct msg *m)
{
	int64_t until = ua_now() + SOON * 1000;
	struct ua *who = NULL;

	ring(++legs, TO_HELPER);
	while (who == NULL && ua_now() < until) {
		(void)ua_run(world, 2, NULL, NULL);
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
	drop(legs);
	assert_true(ua_run(world, SOON, is_left, who));
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
		(void)ua_run(world, 20, NULL, NULL);
	}
}

/* Asks the helper whether it is there. */
static bool
probe(void)
{
	struct msg m = { .type = MSG_PROBE_HELPER };

	m.probe_helper.timeout = hf_ms(AT_ONCE);
	room_tell(ROOM_CALL, &m);
	assert_true(fact(MSG_HELPER_PROBED, &m));
	return m.helper_probed.ok;
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
	assert_false(probe());
	assert_true(ua_now() - begin < AT_ONCE * 1000);
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
	dns_server_says(dns, DNS_ANSWERS, bot->ip, 60);
	sip_room_start();
	until_rung(bot, SOON);
	assert_true(probe());
	assert_int_equal(dns_server_asked(dns), 1);
}

static void
addresses_of_a_name_are_tried_in_order(void **state)
{
	char both[128];
	struct msg m;
	int64_t begin;

	snprintf(both, sizeof(both), "%s %s", nobody, moved->ip);
	dns_server_says(dns, DNS_ANSWERS, both, 60);
	sip_room_start();
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
	char both[128];

	snprintf(both, sizeof(both), "::1 %s", bot->ip);
	dns_server_says(dns, DNS_ANSWERS, both, 60);
	sip_room_start();
	until_rung(bot, SOON);
	assert_true(probe());
}

/* Half of the probes would open its breaker, though each call gets through. */
static void
a_probe_stays_with_the_address_that_answers(void **state)
{
	unsigned failed = 0;
	char both[128];

	snprintf(both, sizeof(both), "%s %s", nobody, moved->ip);
	dns_server_says(dns, DNS_ANSWERS, both, 60);
	sip_room_start();
	until_rung(moved, SOON);
	for (int i = 0; i < 10; i++)
		failed += !probe();
	assert_int_equal(failed, 1);
}

static void
a_name_that_moves_is_followed(void **state)
{
	dns_server_says(dns, DNS_ANSWERS, bot->ip, SHORT_TTL);
	sip_room_start();
	until_rung(bot, SOON);
	dns_server_says(dns, DNS_ANSWERS, moved->ip, SHORT_TTL);
	until_rung(moved, NEXT_TURN);
}

static void
the_last_good_address_outlives_the_dns(void **state)
{
	static const enum dns_manner manners[] = { DNS_NXDOMAIN, DNS_SERVFAIL };
	struct msg m;

	dns_server_says(dns, DNS_ANSWERS, bot->ip, SHORT_TTL);
	sip_room_start();
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

	dns_server_says(dns, manners[0], "", SHORT_TTL);
	sip_room_start();
	for (size_t i = 0; i < HF_LEN(manners); i++) {
		uint32_t asked = dns_server_asked(dns);

		dns_server_says(dns, manners[i], "", SHORT_TTL);
		/* What was on its way is broken off. */
		reload();
		for (int k = 0; dns_server_asked(dns) == asked; k++) {
			assert_true(k < 400);
			(void)ua_run(world, 20, NULL, NULL);
		}
		(void)ua_run(world, 50, NULL, NULL);
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

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip names", tests, NULL, NULL);
}
