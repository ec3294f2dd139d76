/* SIP over TCP: framing, caps and ends of connections, on loopback. */

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/sip/stream.h"

enum { CAP = 8, IDLE_MS = 60000 };

static struct sip_stream s;
static struct hf_rand rnd = { .key.k = { 1, 2 } };
static struct hf_time now = { 1000000 };
static struct hf_addr here;
static int listener, ep;
static unsigned heard, lost, lost_asked;
static size_t heard_bytes;
static struct sip_flow from;

static void
on_received(void *arg, struct hf_slice bytes, const struct sip_flow *f)
{
	(void)arg;
	heard++;
	heard_bytes = bytes.n;
	from = *f;
}

static void
on_lost(void *arg, struct hf_ref conn, bool asked)
{
	(void)arg;
	(void)conn;
	lost++;
	lost_asked += asked;
}

static void
on_watch(void *arg, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	(void)arg;
	if (events == 0)
		(void)epoll_ctl(ep, EPOLL_CTL_DEL, fd, NULL);
	else if (epoll_ctl(ep, EPOLL_CTL_MOD, fd, &e) < 0)
		(void)epoll_ctl(ep, EPOLL_CTL_ADD, fd, &e);
}

static const struct sip_wire_hooks hooks = {
	.received = on_received, .lost = on_lost, .watch = on_watch
};

/* Serves what is ready, until nothing is for 20 ms. */
static void
serve(void)
{
	struct epoll_event e[8];
	int n;

	while ((n = epoll_wait(ep, e, 8, 20)) > 0)
		for (int i = 0; i < n; i++)
			(void)sip_stream_ready(
			    &s, e[i].data.fd, e[i].events, now);
}

static int
setup(void **state)
{
	struct sockaddr_storage ss;
	socklen_t n;

	(void)state;
	heard = lost = lost_asked = 0;
	ep = epoll_create1(0);
	assert_true(hf_addr_parse(hf_slice_of("127.0.0.1:0"), &here));
	n = hf_addr_to_sockaddr(&here, AF_INET, &ss);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&ss, n), 0);
	assert_int_equal(listen(listener, 64), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&ss, &n), 0);
	assert_true(hf_addr_from_sockaddr((struct sockaddr *)&ss, &here));
	assert_true(
	    sip_stream_init(&s, CAP, hf_ms(IDLE_MS), &rnd, &hooks, NULL));
	assert_true(sip_stream_listen(&s, listener));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	sip_stream_free(&s);
	close(listener);
	close(ep);
	return 0;
}

static int
comes(void)
{
	struct sockaddr_storage ss;
	socklen_t n = hf_addr_to_sockaddr(&here, AF_INET, &ss);
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;

	/* Pieces arrive as they are written, whoever has answered before. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	assert_int_equal(connect(fd, (struct sockaddr *)&ss, n), 0);
	serve();
	return fd;
}

static const char options[] =
    "OPTIONS sip:a@b SIP/2.0\r\nCall-ID: x\r\nContent-Length: 4\r\n\r\nbody";

static void
two_messages_in_three_pieces_are_two_messages(void **state)
{
	int fd = comes();
	size_t n = sizeof(options) - 1;

	(void)state;
	assert_int_equal(write(fd, "\r\n\r\n", 4), 4);
	assert_int_equal(write(fd, options, 30), 30);
	serve();
	assert_int_equal(heard, 0);
	assert_int_equal(write(fd, options + 30, n - 30), n - 30);
	assert_int_equal(write(fd, options, n), n);
	serve();
	assert_int_equal(heard, 2);
	assert_int_equal(heard_bytes, n);
	close(fd);
	serve();
	assert_int_equal(s.pool.used, 0);
	assert_int_equal(lost, 1);
	assert_int_equal(lost_asked, 0);
}

static void
what_will_never_be_a_message_ends_the_connection(void **state)
{
	static char junk[4096];
	int fd = comes();

	(void)state;
	memset(junk, 'x', sizeof(junk));
	for (int i = 0; i < 20 && s.pool.used > 0; i++) {
		(void)!send(fd, junk, sizeof(junk), MSG_NOSIGNAL);
		serve();
	}
	assert_int_equal(s.pool.used, 0);
	assert_int_equal(s.count.garbled, 1);
	close(fd);
}

static void
an_answer_goes_back_on_the_connection_it_came_on(void **state)
{
	int fd = comes();
	char got[16] = "";

	(void)state;
	(void)!write(fd, options, sizeof(options) - 1);
	serve();
	/* The port in its Via may be another: the connection counts. */
	from.peer.port = 5060;
	assert_true(
	    sip_stream_send(&s, &from, HF_SLICE("SIP/2.0 200"), false, now));
	assert_int_equal(read(fd, got, sizeof(got)), 11);
	assert_string_equal(got, "SIP/2.0 200");
	close(fd);
	serve();
}

static void
one_host_does_not_get_the_whole_table(void **state)
{
	int fd[CAP];

	(void)state;
	for (int i = 0; i < CAP; i++)
		fd[i] = comes();
	assert_true(s.pool.used <= CAP / 4 + 1);
	assert_true(s.count.refused > 0);
	for (int i = 0; i < CAP; i++)
		close(fd[i]);
	serve();
	assert_int_equal(s.pool.used, 0);
}

static void
one_host_has_so_many(void **state)
{
	int fd[3];

	(void)state;
	s.per_host = 2;
	for (int i = 0; i < 3; i++)
		fd[i] = comes();
	assert_int_equal(s.count.accepted, 2);
	assert_int_equal(s.count.refused, 1);
	close(fd[0]);
	serve();
	fd[0] = comes();
	assert_int_equal(s.count.accepted, 3);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

/* A byte a second, and never the end. */
static void
who_never_comes_to_an_end_is_closed(void **state)
{
	int fd;

	(void)state;
	s.partial = hf_ms(10000);
	fd = comes();
	assert_int_equal(
	    write(fd, options, sizeof(options) - 1), sizeof(options) - 1);
	serve();
	assert_int_equal(heard, 1);
	/* Silent between two messages is another matter. */
	now = hf_time_after(now, hf_ms(20000));
	sip_stream_tidy(&s, now);
	assert_int_equal(lost, 0);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(write(fd, options + i, 1), 1);
		serve();
		sip_stream_tidy(&s, now);
		assert_int_equal(lost, 0);
		now = hf_time_after(now, hf_ms(1000));
	}
	sip_stream_tidy(&s, now);
	assert_int_equal(lost, 1);
	assert_int_equal(s.count.partial, 1);
	close(fd);
}

static void
who_connects_has_something_to_say(void **state)
{
	int mute, pings, speaks;

	(void)state;
	s.partial = hf_ms(10000);
	mute = comes();
	pings = comes();
	speaks = comes();
	now = hf_time_after(now, hf_ms(9000));
	assert_int_equal(write(pings, "\r\n\r\n", 4), 4);
	assert_int_equal(
	    write(speaks, options, sizeof(options) - 1), sizeof(options) - 1);
	serve();
	now = hf_time_after(now, hf_ms(1000));
	sip_stream_tidy(&s, now);
	assert_int_equal(lost, 2);
	assert_int_equal(s.count.partial, 2);
	assert_int_equal(s.pool.used, 1);
	close(mute);
	close(pings);
	close(speaks);
}

static void
who_is_silent_too_long_is_closed(void **state)
{
	int fd = comes();
	struct hf_time later = hf_time_after(now, hf_ms(IDLE_MS - 1));

	(void)state;
	sip_stream_tidy(&s, later);
	assert_int_equal(s.pool.used, 1);
	later = hf_time_after(now, hf_ms(IDLE_MS));
	sip_stream_tidy(&s, later);
	assert_int_equal(s.pool.used, 0);
	close(fd);
}

static struct hf_ref held;

static void
on_silent(void *arg, struct hf_time t)
{
	(void)arg;
	sip_stream_hold(&s, held, t);
}

static void
who_is_held_may_be_silent(void **state)
{
	struct sip_wire_hooks with = hooks;
	struct hf_time later = hf_time_after(now, hf_ms(IDLE_MS));
	int a = comes(), b = comes();

	(void)state;
	with.silent = on_silent;
	s.hooks = &with;
	(void)!write(a, options, sizeof(options) - 1);
	serve();
	held = from.conn;
	sip_stream_tidy(&s, later);
	assert_int_equal(s.pool.used, 1);
	assert_true(hf_pool_has(&s.pool, held));
	held = HF_REF_NONE;
	sip_stream_tidy(&s, hf_time_after(later, hf_ms(IDLE_MS)));
	assert_int_equal(s.pool.used, 0);
	s.hooks = &hooks;
	close(a);
	close(b);
}

static void
a_ping_is_answered(void **state)
{
	int fd = comes();
	char got[16] = "";

	(void)state;
	assert_int_equal(write(fd, "\r\n\r\n", 4), 4);
	serve();
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 2);
	assert_string_equal(got, "\r\n");
	/* In two pieces it is one still; before a message a blank line. */
	assert_int_equal(write(fd, "\r\n", 2), 2);
	serve();
	assert_int_equal(write(fd, "\r\n", 2), 2);
	serve();
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), 2);
	assert_int_equal(write(fd, "\r\n", 2), 2);
	(void)!write(fd, options, sizeof(options) - 1);
	serve();
	assert_int_equal(recv(fd, got, sizeof(got), MSG_DONTWAIT), -1);
	assert_int_equal(heard, 1);
	close(fd);
	serve();
}

static void
doom(void *arg, struct hf_slice bytes, const struct sip_flow *f)
{
	static char much[SIP_STREAM_TX];

	on_received(arg, bytes, f);
	while (sip_stream_send(
	    &s, &from, (struct hf_slice){ much, sizeof(much) }, false, now))
		;
}

static void
what_dooms_its_connection_is_heard_once(void **state)
{
	struct sip_wire_hooks with = hooks;
	int fd = comes();

	(void)state;
	with.received = doom;
	s.hooks = &with;
	(void)!write(fd, options, sizeof(options) - 1);
	(void)!write(fd, options, sizeof(options) - 1);
	serve();
	assert_int_equal(heard, 1);
	sip_stream_tidy(&s, hf_time_after(now, hf_ms(5000)));
	assert_int_equal(s.pool.used, 0);
	s.hooks = &hooks;
	close(fd);
}

static void
a_port_where_nobody_listens_is_told_at_once(void **state)
{
	struct sip_flow to = { .peer = here, .transport = SIP_TCP };
	int other = socket(AF_INET, SOCK_STREAM, 0);
	struct sockaddr_storage ss;
	socklen_t n;

	(void)state;
	to.peer.port = 0; /* bound, and never listening */
	n = hf_addr_to_sockaddr(&to.peer, AF_INET, &ss);
	assert_int_equal(bind(other, (struct sockaddr *)&ss, n), 0);
	assert_int_equal(getsockname(other, (struct sockaddr *)&ss, &n), 0);
	assert_true(hf_addr_from_sockaddr((struct sockaddr *)&ss, &to.peer));
	if (sip_stream_send(&s, &to, HF_SLICE("OPTIONS"), true, now)) {
		serve();
		assert_int_equal(lost_asked, 1);
	}
	assert_int_equal(s.pool.used, 0);
	close(other);
}

static void
who_does_not_read_is_closed_and_costs_a_bounded_buffer(void **state)
{
	static char much[SIP_STREAM_TX / 2];
	int fd = comes();
	int sent = 0;

	(void)state;
	(void)!write(fd, options, sizeof(options) - 1);
	serve();
	memset(much, 'y', sizeof(much));
	while (sent < 1000 &&
	       sip_stream_send(&s, &from,
		   (struct hf_slice){ much, sizeof(much) }, false, now))
		sent++;
	assert_true(sent < 1000);
	assert_int_equal(s.count.slow, 1);
	serve();
	sip_stream_tidy(&s, hf_time_after(now, hf_ms(5000)));
	assert_int_equal(s.pool.used, 0);
	close(fd);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(two_messages_in_three_pieces_are_two_messages),
		T(what_will_never_be_a_message_ends_the_connection),
		T(an_answer_goes_back_on_the_connection_it_came_on),
		T(one_host_does_not_get_the_whole_table),
		T(one_host_has_so_many),
		T(who_never_comes_to_an_end_is_closed),
		T(who_connects_has_something_to_say),
		T(who_is_silent_too_long_is_closed),
		T(who_is_held_may_be_silent),
		T(a_ping_is_answered),
		T(what_dooms_its_connection_is_heard_once),
		T(a_port_where_nobody_listens_is_told_at_once),
		T(who_does_not_read_is_closed_and_costs_a_bounded_buffer),
	};
#undef T
	return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
