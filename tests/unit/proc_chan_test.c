/* A channel between two rooms: few datagrams, descriptors in their place, and
 * an end to what may wait. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/chan.h"
#include "proc/snapshot.h"

enum { WAITING = 4 };

static struct chan sip, call;
static char queue[2][CHAN_QUEUE_BYTES];
static struct chan_fds waiting[2][WAITING];

struct seen {
	uint32_t n, last_seq;
	uint16_t code;
	int fds;
	ino_t inode;
};

static void
see(struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	struct seen *s = arg;
	struct stat st;

	(void)c;
	s->n++;
	s->last_seq = m->seq;
	if (m->type == MSG_LEG_RANG)
		s->code = m->leg_rang.code;
	for (uint16_t i = 0; i < n; i++) {
		assert_int_equal(fstat(fd[i], &st), 0);
		s->inode = st.st_ino;
		s->fds++;
		(void)close(fd[i]);
	}
}

static int
join(void **state)
{
	int pair[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return -1;
	chan_init(&sip, ROOM_SIP, ROOM_CALL, queue[0], waiting[0], WAITING);
	chan_init(&call, ROOM_CALL, ROOM_SIP, queue[1], waiting[1], WAITING);
	chan_open(&sip, pair[0], 1);
	chan_open(&call, pair[1], 1);
	return 0;
}

static int
part(void **state)
{
	(void)state;
	chan_close(&sip);
	chan_close(&call);
	return 0;
}

static void
rang(uint16_t code)
{
	struct msg m = { .type = MSG_LEG_RANG, .leg_rang = { .code = code } };

	chan_send(&sip, &m);
}

static void
a_turns_messages_travel_in_one_datagram(void **state)
{
	struct seen s = { 0 };

	(void)state;
	for (uint16_t i = 1; i <= 50; i++)
		rang(i);
	chan_flush(&sip);
	assert_int_equal(sip.datagrams, 1);
	assert_true(chan_read(&call, see, &s));
	assert_int_equal(s.n, 50);
	assert_int_equal(s.code, 50);
	assert_int_equal(s.last_seq, 50);
}

static void
a_stalled_neighbour_misses_nothing_that_fits_the_queue(void **state)
{
	struct seen s = { 0 };
	uint32_t sent = 0;

	(void)state;
	for (; sent < 20000; sent++) {
		rang((uint16_t)sent);
		chan_flush(&sip);
	}
	assert_true(sip.blocked);
	assert_false(sip.cut);
	for (int i = 0; i < 10000 && s.n < sent; i++) {
		assert_true(chan_read(&call, see, &s));
		chan_flush(&sip);
	}
	assert_int_equal(s.n, sent);
	assert_int_equal(s.last_seq, sent);
	assert_false(sip.blocked);
}

static void
a_neighbour_stalled_for_too_long_is_cut(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 200000 && !sip.cut; i++) {
		rang(1);
		chan_flush(&sip);
	}
	assert_true(sip.cut);
	assert_true(sip.tail <= CHAN_QUEUE_BYTES);
}

static void
descriptors_arrive_with_their_message_in_order(void **state)
{
	struct msg m = { .type = MSG_LEG_RANG, .leg_rang = { .code = 7 } };
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct seen s = { 0 };
	struct stat st;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	rang(1);
	chan_send_fds(&sip, &m, &fd, 1, false);
	rang(3);
	chan_flush(&sip);
	assert_int_equal(fcntl(fd, F_GETFD), -1); /* ours is closed */
	assert_true(chan_read(&call, see, &s));
	assert_int_equal(s.n, 3);
	assert_int_equal(s.fds, 1);
	assert_true(s.inode == st.st_ino);
	assert_int_equal(s.code, 3);
}

static void
kept_descriptors_can_be_handed_over_again(void **state)
{
	struct msg m = { .type = MSG_LEG_RANG };
	int fd[CHAN_FDS_MAX];
	struct seen s = { 0 };

	(void)state;
	for (int i = 0; i < CHAN_FDS_MAX; i++) {
		fd[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		assert_true(fd[i] >= 0);
	}
	for (int i = 0; i < 2; i++) {
		chan_send_fds(&sip, &m, fd, CHAN_FDS_MAX, true);
		chan_flush(&sip);
	}
	assert_true(chan_read(&call, see, &s));
	assert_int_equal(s.fds, 2 * CHAN_FDS_MAX);
	for (int i = 0; i < CHAN_FDS_MAX; i++)
		assert_int_equal(close(fd[i]), 0);
}

static void
a_message_from_the_wrong_room_ends_the_channel(void **state)
{
	struct msg m = { .type = MSG_RING_LEG }; /* an order, from hf-sip */
	struct seen s = { 0 };
	char bytes[MSG_FRAME_MAX];
	struct hf_buf b = hf_buf_on(bytes, sizeof(bytes));

	(void)state;
	assert_true(msg_encode(&b, &m));
	assert_int_equal(send(sip.fd, bytes, b.n, 0), (ssize_t)b.n);
	assert_false(chan_read(&call, see, &s));
	assert_int_equal(s.n, 0);
	assert_int_equal(call.refused, 1);
}

static void
garbage_ends_the_channel(void **state)
{
	struct seen s = { 0 };

	(void)state;
	assert_int_equal(send(sip.fd, "garbage", 7, 0), 7);
	assert_false(chan_read(&call, see, &s));
	assert_int_equal(call.refused, 1);
}

static void
the_end_of_the_other_side_is_seen(void **state)
{
	struct seen s = { 0 };

	(void)state;
	chan_close(&sip);
	assert_false(chan_read(&call, see, &s));
	assert_int_equal(call.refused, 0);
}

static void
a_snapshot_is_what_was_written_and_cannot_be_changed(void **state)
{
	struct {
		struct snapshot_head head;
		char text[32];
	} v = { { 1, 2, sizeof(v), 3 }, "as it was" };
	int fd = snapshot_make("test", &v, sizeof(v));
	const void *p;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	p = snapshot_map(dup(fd), 1, 2, sizeof(v));
	assert_non_null(p);
	assert_memory_equal(p, &v, sizeof(v));
	assert_null(snapshot_map(dup(fd), 1, 3, sizeof(v)));
	assert_null(snapshot_map(dup(fd), 1, 2, sizeof(v) - 1));
	assert_null(snapshot_map(open("/dev/zero", O_RDONLY), 1, 2, 64));
	(void)close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_turns_messages_travel_in_one_datagram, join, part),
		cmocka_unit_test_setup_teardown(
		    a_stalled_neighbour_misses_nothing_that_fits_the_queue,
		    join, part),
		cmocka_unit_test_setup_teardown(
		    a_neighbour_stalled_for_too_long_is_cut, join, part),
		cmocka_unit_test_setup_teardown(
		    descriptors_arrive_with_their_message_in_order, join, part),
		cmocka_unit_test_setup_teardown(
		    kept_descriptors_can_be_handed_over_again, join, part),
		cmocka_unit_test_setup_teardown(
		    a_message_from_the_wrong_room_ends_the_channel, join, part),
		cmocka_unit_test_setup_teardown(
		    garbage_ends_the_channel, join, part),
		cmocka_unit_test_setup_teardown(
		    the_end_of_the_other_side_is_seen, join, part),
		cmocka_unit_test(
		    a_snapshot_is_what_was_written_and_cannot_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
