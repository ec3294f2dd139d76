/* hf-media as a process: whose packets are a party's, and whose are not. */

#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/room/media_room.h"
#include "wire/row.h"

static void
a_stranger_is_not_heard(void **state)
{
	struct party stranger;

	a_call(JUDGE_NOBODY);
	(void)party_open(&stranger, HELPER);
	helper.talks = false;
	live(50);
	forget_heard(&caller);
	for (int i = 0; i < 10; i++) {
		talk(&stranger);
		live(10);
	}
	assert_int_equal(caller.packets, 0);
	close(stranger.fd);
}

static void
who_sends_from_elsewhere_than_announced_is_named(void **state)
{
	struct party mistaken;
	uint16_t announced, port;

	party_comes(&caller, CALLER);
	party_comes(&helper, HELPER);
	port = party_open(&mistaken, HELPER);
	/* It is open: what came before is forgotten. */
	live(50);
	assert_true(media_driver_ask(&d, "media"));
	talk(&mistaken);
	live(20);
	caller.talks = true;
	media_driver_join(&d, CALLER, HELPER, JUDGE_PACKETS);
	live_until(MSG_STREAM_SUSPECT, 1);
	assert_int_equal(facts[MSG_STREAM_STRANGERS], 1);
	announced = news[MSG_STREAM_STRANGERS].stream_strangers.expected.port;
	assert_int_equal(
	    news[MSG_STREAM_STRANGERS].stream_strangers.from.port, port);
	assert_int_not_equal(announced, port);
	close(mistaken.fd);
}

/* A call whose helper's port has seen all sorts before, from the very address
 * that the helper has now. */
static void
what_came_before_the_call_is_not_heard(void **state)
{
	struct party stranger;
	struct media m;
	uint16_t port;

	party_comes(&caller, CALLER);
	port = party_open(&helper, HELPER);
	(void)party_open(&stranger, HELPER);
	for (int i = 0; i < 20; i++) { /* nobody has the port */
		talk(&helper);
		talk(&stranger);
	}
	live(30);
	for (int i = 0; i < 20; i++) {
		talk(&helper);
		talk(&stranger);
	}
	m = media_driver_media(port, CODEC_PCMA);
	media_driver_open(&d, HELPER, &m);
	caller.other = HELPER_IN_PCMU;
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	live(100);
	assert_int_equal(caller.mine, 0);
	for (int i = 0; i < 20; i++) /* before the helper's first word */
		talk(&stranger);
	live(50);
	assert_int_equal(caller.mine, 0);
	/* Right behind the helper's first word, in one heap with it. */
	kill(d.pid, SIGSTOP);
	talk(&helper);
	for (int i = 0; i < 20; i++)
		talk(&stranger);
	kill(d.pid, SIGCONT);
	live_heard(&caller.mine, 1);
	live(50);
	assert_int_equal(caller.mine, 1);
	for (int i = 0; i < 20; i++) {
		talk(&stranger);
		talk(&helper);
		live(10);
	}
	live_heard(&caller.mine, 21);
	assert_int_equal(caller.mine, 21);
	close(stranger.fd);
}

/* The last call's helper talks on into the next one, at his own port. */
static void
the_earlier_tenant_is_not_heard(void **state)
{
	struct party earlier;
	struct media m;

	a_call(JUDGE_NOBODY);
	m = media_driver_media(party_open(&earlier, HELPER), CODEC_PCMA);
	media_driver_close(&d, HELPER);
	live(20);
	media_driver_open(&d, HELPER, &m);
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	for (int i = 0; i < 10; i++) {
		talk(&earlier);
		live(10);
	}
	live_heard(&caller.packets, 11);
	caller.other = HELPER_IN_PCMU;
	media_driver_close(&d, HELPER);
	for (int i = 0; i < 10; i++)
		talk(&earlier);
	party_comes(&helper, HELPER);
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	live(20);
	forget_heard(&caller);
	for (int i = 0; i < 20; i++) {
		talk(&earlier);
		live(5);
	}
	assert_int_equal(caller.mine, 0);
	helper.talks = true;
	live_heard(&caller.mine, 6);
	close(earlier.fd);
}

/* A re-INVITE moves the helper: his old place has nothing to say. */
static void
whoever_moves_is_heard_from_there_alone(void **state)
{
	struct party old;

	a_call(JUDGE_NOBODY);
	old = helper;
	party_comes(&helper, HELPER);
	live(30);
	caller.other = HELPER_IN_PCMU;
	forget_heard(&caller);
	for (int i = 0; i < 10; i++) {
		talk(&old);
		live(10);
	}
	assert_int_equal(caller.mine, 0);
	helper.seq = (uint16_t)(old.seq + 10); /* the same talker */
	helper.ts = old.ts + 10 * FRAME;
	helper.talks = true;
	live_heard(&caller.mine, 6);
	close(old.fd);
}

static int
reporter(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void
send_reports(int fd, uint32_t stream, int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)(d.port_first + 2 * stream + 1)) };
	uint8_t m[8] = { 0x80, 201, 0, 1, 0, 0, 0, 9 };

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	while (n-- > 0)
		(void)sendto(
		    fd, m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to));
}

static int64_t
media_counts(const char *name)
{
	struct hf_slice in;
	struct row_value v;

	assert_true(media_driver_ask(&d, "media"));
	in = (struct hf_slice){ (const char *)d.last.reply.row.p,
		d.last.reply.row.n };
	while (row_next(&in, &v))
		if (v.name.n == strlen(name) &&
		    memcmp(v.name.p, name, v.name.n) == 0)
			return strtoll(v.value.p, NULL, 10);
	fail_msg("no %s", name);
	return -1;
}

/* Reports: before the first of ours and after it, at a port of their own. */
static void
reports_are_believed_from_their_place_alone(void **state)
{
	int right, wrong, right_early;
	uint16_t right_port, wrong_port;
	struct media m;
	uint8_t got[64];
	int64_t until = now_us() + 8000000, heard;

	heard = media_counts("rtcp_in");
	right = reporter(&right_port);
	wrong = reporter(&wrong_port);
	send_reports(right, HELPER, 5); /* too early: forgotten */
	party_comes(&caller, CALLER);
	m = media_driver_media(party_open(&helper, HELPER), CODEC_PCMA);
	m.rtcp.port = right_port;
	media_driver_open(&d, HELPER, &m);
	live(50);
	send_reports(wrong, HELPER, 4);
	send_reports(right, HELPER, 1);
	live(50);
	while ((right_early = (int)recv(right, got, sizeof(got), 0)) < 0 &&
	       now_us() < until)
		live(20);
	assert_true(right_early > 8 && (got[1] == 200 || got[1] == 201));
	send_reports(wrong, HELPER, 4); /* the kernel keeps these out */
	send_reports(right, HELPER, 1);
	live(50);
	media_driver_close(&d, HELPER);
	live_until(MSG_STREAM_CLOSED, 1);
	assert_int_equal(news[MSG_STREAM_CLOSED].stream_closed.refused, 4);
	assert_int_equal(media_counts("rtcp_in"), heard + 2);
	/* With rtcp-mux nobody is believed at that port. */
	m.mux = true;
	media_driver_open(&d, HELPER, &m);
	live(20);
	send_reports(right, HELPER, 3);
	send_reports(wrong, HELPER, 3);
	live(30);
	media_driver_close(&d, HELPER);
	live_until(MSG_STREAM_CLOSED, 2);
	assert_int_equal(news[MSG_STREAM_CLOSED].stream_closed.refused, 6);
	close(right);
	close(wrong);
}

static void
behind_nat_the_true_port_is_learned_once(void **state)
{
	struct party stranger;
	struct media m;
	uint16_t port;

	party_comes(&caller, CALLER);
	port = party_open(&helper, HELPER);
	m = media_driver_media((uint16_t)(port == 9 ? 10 : 9), CODEC_PCMA);
	m.latch = LATCH_HOST;
	media_driver_open(&d, HELPER, &m);
	caller.talks = helper.talks = true;
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	live_heard(&helper.packets, 9);
	live_heard(&caller.packets, 9);
	(void)party_open(&stranger, HELPER);
	helper.talks = false;
	live(50);
	forget_heard(&caller);
	for (int i = 0; i < 20; i++) {
		talk(&stranger);
		live(5);
	}
	assert_int_equal(caller.packets, 0);
	close(stranger.fd);
}

/* A caller whose SDP names an address in his own house; nobody talks yet. */
static void
a_call_behind_nat(enum latch latch, const char *source)
{
	struct media m;

	party_comes(&helper, HELPER);
	m = media_driver_media(9, CODEC_PCMU);
	assert_true(hf_addr_parse_ip(HF_SLICE("10.77.1.2"), &m.rtp));
	m.rtp.port = 4000;
	assert_true(hf_addr_parse_ip(hf_slice_of(source), &m.source));
	m.latch = latch;
	media_driver_open(&d, CALLER, &m);
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	live(30);
}

static void
knock(const char *ip, int times)
{
	struct party stranger;

	(void)party_open_at(ip, &stranger, CALLER);
	for (int i = 0; i < times; i++) {
		talk(&stranger);
		live(3);
	}
	close(stranger.fd);
}

static void
behind_nat_only_the_signalled_hosts_are_believed(void **state)
{
	a_call_behind_nat(LATCH_HOST, "127.0.0.8");
	knock("127.0.0.9", 40);
	assert_int_equal(helper.packets, 0);
	(void)party_open_at("127.0.0.8", &caller, CALLER);
	caller.talks = helper.talks = true;
	live_heard(&helper.packets, 7);
	live_heard(&caller.packets, 7);
}

static void
where_any_host_may_come_from_the_one_that_keeps_knocking_is_it(void **state)
{
	a_call_behind_nat(LATCH_ANY, "127.0.0.8");
	knock("127.0.0.10", 2);
	knock("127.0.0.11", 2);
	assert_int_equal(helper.packets, 0);
	(void)party_open_at("127.0.0.9", &caller, CALLER);
	caller.talks = helper.talks = true;
	live_heard(&helper.packets, 6);
	live_heard(&caller.packets, 6);
	forget_heard(&helper);
	caller.talks = false;
	live(40);
	forget_heard(&helper);
	knock("127.0.0.10", 10); /* it is locked */
	assert_int_equal(helper.packets, 0);
}

static void
where_any_host_may_come_from_it_must_come_soon(void **state)
{
	a_call_behind_nat(LATCH_ANY, "127.0.0.8");
	for (int i = 0; i < 6; i++) { /* rtp.latch_packets and more */
		knock("127.0.0.10", 1);
		knock("127.0.0.11", 1);
	}
	knock("127.0.0.9", 10);
	assert_int_equal(helper.packets, 0);
	(void)party_open_at("127.0.0.8", &caller, CALLER);
	caller.talks = true;
	live_heard(&helper.packets, 3); /* the signalled one always may */
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_teardown(f, media_room_hang_up)
	const struct CMUnitTest tests[] = {
		T(a_stranger_is_not_heard),
		T(who_sends_from_elsewhere_than_announced_is_named),
		T(what_came_before_the_call_is_not_heard),
		T(the_earlier_tenant_is_not_heard),
		T(whoever_moves_is_heard_from_there_alone),
		T(reports_are_believed_from_their_place_alone),
		T(behind_nat_the_true_port_is_learned_once),
		T(behind_nat_only_the_signalled_hosts_are_believed),
		T(where_any_host_may_come_from_the_one_that_keeps_knocking_is_it),
		T(where_any_host_may_come_from_it_must_come_soon),
	};
#undef T

	program = room_program(argc, argv);
	return cmocka_run_group_tests_name(
	    "hf-media gate", tests, media_room_start, media_room_stop);
}
