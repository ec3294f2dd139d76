/* hf-media as a process with more to do than usual: what the two parties of a
 * call hear must not depend on it. */

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/prompt.h"
#include "tests/room/media_room.h"

enum {
	STREAMS = 1200,
	CROWD = 2, /* the first stream of the flood */
	MESSAGE = 12,
	MESSAGES = 64, /* it keeps at most, as its room.h says */
	STORY = 208,   /* bytes before the first sample, or some such */
	LONG = 480,    /* samples in 60 ms */
	WAITED_MAX = 600000,
	SHALLOW = 4096, /* bytes: three packets or so */
	HOUR = 8000 * 3600,
	PAGE_KB = 4,
};

/* ---- a long message -------------------------------------------------------
 */

static int64_t
cpu_us_of(pid_t pid)
{
	struct timespec t;
	clockid_t clock;

	assert_int_equal(clock_getcpuclockid(pid, &clock), 0);
	assert_int_equal(clock_gettime(clock, &t), 0);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static long
memory_kb_of(pid_t pid)
{
	char path[40];
	long size, resident;
	FILE *f;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%ld %ld", &size, &resident), 2);
	(void)fclose(f);
	return resident * PAGE_KB;
}

/* So many bytes of mu-law behind a head, on a disk. */
static int
message_of(uint32_t bytes)
{
	char path[] = "/tmp/hf-message-XXXXXX";
	static uint8_t words[64000];
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	(void)unlink(path);
	for (size_t i = 0; i < sizeof(words); i++)
		words[i] = (uint8_t)(0x27 ^ (i / 16 % 2 ? 0x80 : 0));
	assert_int_equal(lseek(fd, STORY, SEEK_SET), STORY);
	while (bytes > 0) {
		size_t n = bytes < sizeof(words) ? bytes : sizeof(words);

		assert_int_equal(write(fd, words, n), (ssize_t)n);
		bytes -= (uint32_t)n;
	}
	return fd;
}

static void
ship(uint32_t number, int fd, uint32_t bytes)
{
	struct msg m = { .type = MSG_MESSAGE_SHIPPED };

	m.message_shipped.message = number;
	m.message_shipped.from = STORY;
	m.message_shipped.bytes = bytes;
	chan_send_fds(&d.rec, &m, &fd, 1, false);
	chan_flush(&d.rec);
}

static void
play(uint32_t number)
{
	struct msg m = { .type = MSG_PLAY_PROMPT };

	m.play_prompt.stream = media_driver_ref(CALLER);
	m.play_prompt.id = number;
	m.play_prompt.message = number;
	m.play_prompt.after = AFTER_SILENCE;
	media_driver_order(&d, &m);
}

/* Taken over at once, an hour would be 57 MB to copy within one tick. */
static void
an_hours_message_costs_no_tick_and_no_memory(void **state)
{
	int fd = message_of(HOUR);
	int64_t cpu, least = INT64_MAX;
	long memory;

	(void)state;
	a_call(JUDGE_NOBODY);
	memory = memory_kb_of(d.pid);
	for (uint32_t i = 0; i < 5; i++) {
		cpu = cpu_us_of(d.pid);
		ship(MESSAGE + i, dup(fd), HOUR);
		live(40);
		cpu = cpu_us_of(d.pid) - cpu;
		least = cpu < least ? cpu : least;
	}
	assert_true(least < 15000);
	caller.other = 0x27;
	forget_heard(&caller);
	play(MESSAGE);
	live(3000);
	/* On a busy machine some come later, but none is left out. */
	assert_in_range(caller.packets, 50, 155);
	assert_true(caller.mine + 3 >= caller.packets);
	assert_false(caller.broken);
	assert_int_equal(facts[MSG_PROMPT_ENDED], 0);
	assert_true(memory_kb_of(d.pid) - memory < 1000);
	(void)close(fd);
}

/* Files that it holds open. */
static unsigned
files_of(pid_t pid)
{
	char path[40], to[64];
	unsigned n = 0;

	for (int fd = 0; fd < 8192; fd++) {
		(void)snprintf(
		    path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		memset(to, 0, sizeof(to));
		if (readlink(path, to, sizeof(to) - 1) > 0 &&
		    strstr(to, "hf-message") != NULL)
			n++;
	}
	return n;
}

/* hf-media is told over one channel and asked over another. */
static void
holds_so_many_files(unsigned n)
{
	for (int ms = 0; ms < NOT_LONG && files_of(d.pid) != n; ms += 20)
		live(20);
	assert_int_equal(files_of(d.pid), n);
}

static void
a_message_is_let_go_when_it_was_heard_or_is_not_wanted(void **state)
{
	int fd = message_of(8000);

	(void)state;
	a_call(JUDGE_NOBODY);
	for (uint32_t i = 100; i < 300; i++)
		ship(i, dup(fd), 8000);
	/* Nobody ever asked for most of them. */
	holds_so_many_files(MESSAGES);
	live(50);
	assert_true(media_driver_ask(&d, "media"));
	assert_int_equal(files_of(d.pid), MESSAGES);
	play(299);
	live_until(MSG_PROMPT_ENDED, 1);
	holds_so_many_files(MESSAGES - 1);
	play(298);
	live(200);
	media_driver_play(&d, CALLER, 7, PROMPT_CONFIRM, AFTER_SILENCE);
	holds_so_many_files(MESSAGES - 2);
	play(297);
	live(100);
	media_driver_close(&d, CALLER);
	holds_so_many_files(MESSAGES - 3);
	(void)close(fd);
}

/* ---- more packets than it can pass on --------------------------------------
 */

/* Another process sends to all the other streams as fast as it can, from the
 * one port where their parties are said to be. */
static pid_t
flood(int fd)
{
	enum { BATCH = 64 };
	static struct sockaddr_in to[STREAMS];
	static uint8_t packet[BATCH][12 + LONG];
	static struct iovec v[BATCH];
	static struct mmsghdr m[BATCH];
	pid_t child = fork();

	assert_true(child >= 0);
	if (child != 0)
		return child;
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (uint32_t i = 0; i < STREAMS; i++) {
		to[i].sin_family = AF_INET;
		to[i].sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		to[i].sin_port = htons((uint16_t)(d.port_first + 2 * i));
	}
	for (uint32_t k = 0; k < BATCH; k++) {
		memset(packet[k], 0x21, sizeof(packet[k]));
		v[k] = (struct iovec){ packet[k], sizeof(packet[k]) };
		m[k].msg_hdr.msg_iov = &v[k];
		m[k].msg_hdr.msg_iovlen = 1;
		m[k].msg_hdr.msg_namelen = sizeof(to[0]);
	}
	for (uint32_t round = 0;; round++) {
		uint16_t seq = htons((uint16_t)round);
		uint32_t ts = htonl(round * LONG), k = 0;

		for (uint32_t i = CROWD; i < STREAMS; i++) {
			packet[k][0] = 0x80;
			packet[k][1] = i % 2 ? 8 : 0;
			memcpy(packet[k] + 2, &seq, 2);
			memcpy(packet[k] + 4, &ts, 4);
			packet[k][11] = 1;
			m[k].msg_hdr.msg_name = &to[i];
			if (++k == BATCH || i + 1 == STREAMS) {
				(void)sendmmsg(fd, m, k, 0);
				k = 0;
			}
		}
	}
}

static int
crowd_comes(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct media m;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	/* Each frame is listened to and changes its law: the most that a
	 * packet can cost, so that the sender is the quicker one. */
	for (uint32_t i = CROWD; i < STREAMS; i++) {
		m = media_driver_media(
		    ntohs(a.sin_port), i % 2 ? CODEC_PCMA : CODEC_PCMU);
		media_driver_open(&d, i, &m);
		if (i % 100 == 0)
			live(2);
	}
	/* Full all the time, yet not so deep that one look lasts a second. */
	for (uint32_t i = CROWD; i < STREAMS; i++)
		(void)setsockopt(d.rtp[2 * i], SOL_SOCKET, SO_RCVBUF,
		    &(int){ SHALLOW }, sizeof(int));
	for (uint32_t i = CROWD; i + 1 < STREAMS; i += 2)
		media_driver_join(&d, i, i + 1, JUDGE_EAR);
	live(100);
	return fd;
}

/* Whose helper falls silent in the flood: how long does he hear nothing?  *busy
 * is the share of a processor that hf-media had meanwhile; -1: the machine kept
 * it waiting for one too long to tell. */
static int64_t
silence_in(int flood_fd, int *busy_pct)
{
	int64_t began, cpu, waited;
	pid_t child;
	int status;

	a_call(JUDGE_PACKETS);
	child = flood(flood_fd);
	live(500);
	cpu = cpu_us_of(d.pid);
	began = now_us();
	forget_heard(&caller);
	live(200);
	waited = waited_us();
	helper.talks = false;
	live(1200);
	*busy_pct = (int)((cpu_us_of(d.pid) - cpu) * 100 / (now_us() - began));
	waited = waited_us() - waited;
	(void)kill(child, SIGKILL);
	(void)waitpid(child, &status, 0);
	live(300); /* what waits in the sockets */
	media_room_hang_up(NULL);
	print_message("the caller heard nothing for %lld ms, hf-media busy "
		      "%d %%, kept waiting for %lld ms\n",
	    (long long)caller.longest_us / 1000, *busy_pct,
	    (long long)waited / 1000);
	return waited < WAITED_MAX ? caller.longest_us : -1;
}

static int
by_length(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

/* Nobody is late here by himself: sockets are full all the time, so that a
 * tick has always more to read.  Deadlines must have their turn between, and
 * being busy is no stall of ours that a dead helper could profit from. */
static void
who_has_more_to_read_than_he_can_notices_a_silent_helper(void **state)
{
	enum { TIMES = 8, BUSY_PCT = 60 };
	int64_t heard_nothing[TIMES];
	unsigned n = 0;
	int most = 0;
	int fd, busy;

	(void)state;
	fd = crowd_comes();
	for (unsigned i = 0; i < TIMES; i++) {
		heard_nothing[n] = silence_in(fd, &busy);
		n += heard_nothing[n] >= 0;
		most = busy > most ? busy : most;
	}
	for (uint32_t i = CROWD; i < STREAMS; i++)
		media_driver_close(&d, i);
	live(200);
	(void)close(fd);
	party_comes(&caller, CALLER);
	party_comes(&helper, HELPER);
	if (most < BUSY_PCT || n < TIMES / 2)
		skip(); /* nobody here can send, or run, so much */
	/* Once a busy machine may have taken the processor away. */
	qsort(heard_nothing, n, sizeof(heard_nothing[0]), by_length);
	assert_true(heard_nothing[n - 2] < 110000);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_teardown(f, media_room_hang_up)
	const struct CMUnitTest tests[] = {
		T(an_hours_message_costs_no_tick_and_no_memory),
		T(a_message_is_let_go_when_it_was_heard_or_is_not_wanted),
		T(who_has_more_to_read_than_he_can_notices_a_silent_helper),
	};
#undef T

	media_room_streams = STREAMS;
	program = room_program(argc, argv);
	return cmocka_run_group_tests_name(
	    "hf-media under load", tests, media_room_start, media_room_stop);
}
