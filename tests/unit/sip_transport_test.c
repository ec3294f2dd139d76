/* io/sip/transport: which address of ours a peer is told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/sip/transport.h"

static struct sip_transport tp;
static struct hf_rand rnd = { .key.k = { 1, 2 } };
static struct hf_time now = { 1000000 };
static int fd[3];

static void
on_watch(void *arg, int f, uint32_t events)
{
	(void)arg;
	(void)f;
	(void)events;
}

static unsigned heard;
static char order[2 * SIP_BATCH]; /* what they begin with */

static void
on_received(void *arg, struct hf_slice bytes, const struct sip_flow *from)
{
	(void)arg;
	(void)from;
	if (heard < sizeof(order))
		order[heard] = bytes.p[0];
	heard++;
}

static const struct sip_wire_hooks hooks = { .watch = on_watch,
	.received = on_received };

static struct hf_addr
at(const char *text)
{
	struct hf_addr a;

	assert_true(hf_addr_parse_ip(hf_slice_of(text), &a));
	return a;
}

static int
bound(const char *ip, int type)
{
	struct hf_addr a = at(ip);
	int family = a.family == 6 ? AF_INET6 : AF_INET;
	struct sockaddr_storage ss;
	socklen_t n = hf_addr_to_sockaddr(&a, family, &ss);
	int f = socket(family, type | SOCK_CLOEXEC, 0);

	assert_true(f >= 0);
	assert_int_equal(bind(f, (struct sockaddr *)&ss, n), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(f, 1), 0);
	return f;
}

/* One UDP socket, and a TCP listener of each family on a port of its own. */
static int
setup(void **state)
{
	struct hf_addr adv = at("198.51.100.7");

	(void)state;
	assert_true(
	    sip_transport_init(&tp, 4, hf_ms(60000), &adv, &rnd, &hooks, NULL));
	fd[0] = bound("127.0.0.1", SOCK_DGRAM);
	fd[1] = bound("127.0.0.1", SOCK_STREAM);
	fd[2] = bound("::1", SOCK_STREAM);
	assert_true(sip_transport_udp(&tp, fd[0]));
	assert_true(sip_transport_tcp(&tp, fd[1]));
	assert_true(sip_transport_tcp(&tp, fd[2]));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sip_transport_free(&tp);
	for (size_t i = 0; i < HF_LEN(fd); i++)
		close(fd[i]);
	return 0;
}

static const char *
here(const char *peer, enum sip_transport_kind kind)
{
	static char text[HF_ADDR_TEXT_MAX];
	struct sip_flow f = { .peer = at(peer), .transport = (uint8_t)kind };
	struct hf_addr a = sip_transport_here(&tp, &f, now);
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);

	hf_addr_put_ip(&b, &a);
	text[b.n] = '\0';
	return text;
}

static void
the_world_is_told_the_public_address_and_the_house_its_own(void **state)
{
	static const char *const inside[] = { "127.0.0.9", "10.1.2.3",
		"172.16.0.1", "192.168.9.9", "100.64.0.1" };

	(void)state;
	assert_string_equal(here("203.0.113.5", SIP_UDP), "198.51.100.7");
	assert_string_equal(here("203.0.113.5", SIP_TCP), "198.51.100.7");
	for (size_t i = 0; i < HF_LEN(inside); i++) {
		assert_string_equal(here(inside[i], SIP_UDP), "127.0.0.1");
		assert_string_equal(here(inside[i], SIP_TCP), "127.0.0.1");
	}
}

static void
named_networks_replace_the_private_ones(void **state)
{
	struct hf_net net;

	(void)state;
	assert_true(hf_net_parse(HF_SLICE("203.0.113.0/24"), &net));
	tp.local = &net;
	tp.locals = 1;
	assert_string_equal(here("203.0.113.5", SIP_UDP), "127.0.0.1");
	assert_string_equal(here("10.1.2.3", SIP_UDP), "198.51.100.7");
	assert_string_equal(here("127.0.0.9", SIP_UDP), "127.0.0.1");
}

static void
each_family_is_told_its_own_listener(void **state)
{
	struct sip_flow four = { .peer = at("127.0.0.9"),
		.transport = SIP_TCP },
			six = { .peer = at("::1"), .transport = SIP_TCP };

	(void)state;
	assert_int_equal(
	    sip_transport_here(&tp, &four, now).port, tp.tcp[0].at.port);
	assert_int_equal(
	    sip_transport_here(&tp, &six, now).port, tp.tcp[1].at.port);
	assert_int_not_equal(tp.tcp[0].at.port, tp.tcp[1].at.port);
}

/* So many datagrams of a stranger's. */
static void
say(const char *text, unsigned n)
{
	struct sockaddr_storage ss;
	socklen_t len = hf_addr_to_sockaddr(&tp.udp[0].at, AF_INET, &ss);
	int f = bound("127.0.0.1", SOCK_DGRAM);
	size_t size = strlen(text);

	while (n-- > 0)
		assert_int_equal(
		    sendto(f, text, size, 0, (struct sockaddr *)&ss, len),
		    size);
	close(f);
}

static void
come(unsigned n)
{
	say("OPTIONS", n);
}

/* A turn that comes so long after the one before. */
static void
turn(int64_t ms)
{
	now = hf_time_after(now, hf_ms(ms));
	sip_transport_ready(&tp, fd[0], EPOLLIN, now);
}

static void
who_never_gets_to_the_end_is_behind(void **state)
{
	enum { A_TURN = 4 * SIP_BATCH };

	(void)state;
	heard = 0;
	come(3 * A_TURN + 1);
	turn(0);
	assert_true(sip_transport_has_more(&tp));
	assert_false(sip_transport_is_behind(&tp, now));
	turn(4900);
	/* It may have waited for a process that was not there. */
	assert_false(sip_transport_is_behind(&tp, now));
	turn(200);
	assert_true(sip_transport_is_behind(&tp, now));
	turn(1);
	assert_false(sip_transport_has_more(&tp));
	assert_int_equal(heard, 3 * A_TURN + 1);
	assert_false(sip_transport_is_behind(&tp, now));
	come(A_TURN);
	turn(10000);
	assert_false(sip_transport_is_behind(&tp, now));
}

static void
who_has_a_call_goes_before_who_wants_one(void **state)
{
	(void)state;
	heard = 0;
	say("INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n", 20);
	say("CANCEL sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n", 1);
	say("BYE sip:a@b SIP/2.0\r\nTo: <sip:a@b>;tag=1\r\n\r\n", 2);
	say("\r\n\r\n", 1);
	say("ACK sip:a@b SIP/2.0\r\nTo: <sip:a@b>;tag=1\r\n\r\n", 1);
	say("SIP/2.0 200 OK\r\n\r\n", 1);
	turn(1);
	assert_int_equal(heard, 25);
	assert_memory_equal(order, "BBASIIIIIIIIIIIIIIIIIIIIC", 25);
	/* A few are heard as they come. */
	heard = 0;
	say("INVITE sip:a@b SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n", 2);
	say("BYE sip:a@b SIP/2.0\r\nTo: <sip:a@b>;tag=1\r\n\r\n", 1);
	turn(1);
	assert_int_equal(heard, 3);
	assert_memory_equal(order, "IIB", 3);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(the_world_is_told_the_public_address_and_the_house_its_own),
		T(named_networks_replace_the_private_ones),
		T(each_family_is_told_its_own_listener),
		T(who_never_gets_to_the_end_is_behind),
		T(who_has_a_call_goes_before_who_wants_one),
	};
#undef T
	return cmocka_run_group_tests_name("transport", tests, NULL, NULL);
}
