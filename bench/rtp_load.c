/* bench/rtp_load - see rtp_load.h */

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "bench/rtp_load.h"

enum {
	FRAME_MS = 20,
	BODY = 160,
	HEAD = 12,
	SIZE = HEAD + BODY,
	BATCH = 16, /* small: a packet's stamp must not wait for its batch */
	DRAIN_MS = 300,
	BUFFER = 64 << 20,
	LATE_NS = 2000000,
	PRIORITY = 5,
	MAGIC = 0x686f6c64,
};

static const int64_t NS = 1000000000, NS_PER_MS = 1000000;

/* What each packet carries at the start of its body. */
struct mark {
	uint32_t magic, stream;
	int64_t sent_ns;
};

static int64_t
clock_ns(clockid_t c)
{
	struct timespec t;

	clock_gettime(c, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

void
rtp_load_pin(pid_t pid, int cpu, bool first)
{
	struct sched_param p = { .sched_priority = PRIORITY };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)(cpu % (int)sysconf(_SC_NPROCESSORS_ONLN)), &set);
	(void)sched_setaffinity(pid, sizeof(set), &set);
	if (first)
		(void)sched_setscheduler(pid, SCHED_FIFO, &p);
}

void
rtp_load_open(struct rtp_load *l, uint32_t calls)
{
	*l = (struct rtp_load){ .calls = calls };
	l->to = calloc(2 * (size_t)calls, sizeof(*l->to));
	hf_assert(l->to != NULL);
	for (int i = 0; i < RTP_LOAD_SIDES; i++) {
		struct sockaddr_in a = { .sin_family = AF_INET };
		socklen_t n = sizeof(a);
		int on = 1, bytes = BUFFER;
		int fd = socket(
		    AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

		hf_assert(fd >= 0);
		inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
		hf_assert(bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0);
		hf_assert(getsockname(fd, (struct sockaddr *)&a, &n) == 0);
		setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
		if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes,
			sizeof(bytes)) != 0)
			setsockopt(
			    fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
		l->fd[i] = fd;
		l->port[i] = ntohs(a.sin_port);
	}
}

void
rtp_load_close(struct rtp_load *l)
{
	for (int i = 0; i < RTP_LOAD_SIDES; i++)
		close(l->fd[i]);
	free(l->to);
}

/* ---- the generator's own process ----------------------------------------- */

static struct {
	const struct rtp_load *l;
	int64_t begin, window, end; /* CLOCK_MONOTONIC */
	int64_t wall;               /* CLOCK_REALTIME less CLOCK_MONOTONIC */
	uint32_t *turn;             /* by stream: packets sent */
	uint8_t body[BODY];
	uint64_t sent, received, late;
	int32_t *latency; /* microseconds */
	size_t latencies, cap;
} gen;

static void
make_packet(uint8_t *m, uint32_t stream, int64_t now)
{
	uint32_t n = gen.turn[stream]++;
	uint16_t seq = htons((uint16_t)n);
	uint32_t ts = htonl(n * BODY), ssrc = htonl(stream + 1);
	struct mark mark = { MAGIC, stream, now };

	m[0] = 0x80;
	m[1] = n == 0 ? 0x80 : 0;
	memcpy(m + 2, &seq, 2);
	memcpy(m + 4, &ts, 4);
	memcpy(m + 8, &ssrc, 4);
	memcpy(m + HEAD, gen.body, BODY);
	memcpy(m + HEAD, &mark, sizeof(mark));
}

/* Each stream has its own moment within the 20 ms. */
static int64_t
due(uint32_t stream)
{
	uint32_t all = 2 * gen.l->calls;

	return gen.begin + gen.turn[stream] * (int64_t)FRAME_MS * NS_PER_MS +
	       (int64_t)stream * FRAME_MS * NS_PER_MS / all;
}

static void
send_batch(int side, const uint32_t *stream, unsigned n)
{
	static uint8_t memory[BATCH][SIZE];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	int64_t now = clock_ns(CLOCK_MONOTONIC);
	bool counts = now >= gen.window && now < gen.end;

	memset(m, 0, sizeof(m));
	for (unsigned i = 0; i < n; i++) {
		gen.late += counts && now - due(stream[i]) > LATE_NS;
		make_packet(memory[i], stream[i], now + gen.wall);
		v[i] = (struct iovec){ memory[i], SIZE };
		m[i].msg_hdr.msg_iov = &v[i];
		m[i].msg_hdr.msg_iovlen = 1;
		m[i].msg_hdr.msg_name =
		    (void *)(uintptr_t)&gen.l->to[stream[i]];
		m[i].msg_hdr.msg_namelen = sizeof(struct sockaddr_in);
	}
	for (unsigned done = 0; done < n;) {
		int k = sendmmsg(gen.l->fd[side], m + done, n - done, 0);

		if (k > 0)
			done += (unsigned)k;
		else if (errno != EAGAIN && errno != ECONNREFUSED)
			hf_never("the generator cannot send");
	}
	gen.sent += counts ? n : 0;
}

/* All that is due; streams are in the order of their moments. */
static void
send_due(uint32_t *next)
{
	uint32_t all = 2 * gen.l->calls;
	int64_t now = clock_ns(CLOCK_MONOTONIC);

	for (int side = 0; side < RTP_LOAD_SIDES; side++) {
		uint32_t batch[BATCH];
		unsigned n = 0;

		while (due(next[side]) <= now) {
			batch[n++] = next[side];
			next[side] = (next[side] + 2) % all;
			if (n == BATCH) {
				send_batch(side, batch, n);
				n = 0;
			}
		}
		if (n > 0)
			send_batch(side, batch, n);
	}
}

static void
note(const uint8_t *p, size_t n, const struct msghdr *h)
{
	struct mark mark;
	struct timespec t;
	int64_t came = 0;

	if (n != SIZE)
		return; /* RTCP */
	memcpy(&mark, p + HEAD, sizeof(mark));
	if (mark.magic != MAGIC || mark.sent_ns < gen.window + gen.wall ||
	    mark.sent_ns >= gen.end + gen.wall)
		return;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
	     c = CMSG_NXTHDR((struct msghdr *)(uintptr_t)h, c)) {
		if (c->cmsg_level != SOL_SOCKET ||
		    c->cmsg_type != SCM_TIMESTAMPNS)
			continue;
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		came = t.tv_sec * NS + t.tv_nsec;
	}
	gen.received++;
	if (came > 0 && gen.latencies < gen.cap)
		gen.latency[gen.latencies++] =
		    (int32_t)((came - mark.sent_ns) / 1000);
}

static void
hear_all(void)
{
	enum { MANY = 64 };
	static uint8_t memory[MANY][1500];
	static char control[MANY][128];
	struct mmsghdr m[MANY];
	struct iovec v[MANY];
	int n;

	for (int side = 0; side < RTP_LOAD_SIDES; side++) {
		do {
			memset(m, 0, sizeof(m));
			for (int i = 0; i < MANY; i++) {
				v[i] = (struct iovec){ memory[i],
					sizeof(memory[i]) };
				m[i].msg_hdr.msg_iov = &v[i];
				m[i].msg_hdr.msg_iovlen = 1;
				m[i].msg_hdr.msg_control = control[i];
				m[i].msg_hdr.msg_controllen =
				    sizeof(control[i]);
			}
			n = recvmmsg(
			    gen.l->fd[side], m, MANY, MSG_DONTWAIT, NULL);
			for (int i = 0; i < n; i++)
				note(memory[i], m[i].msg_len, &m[i].msg_hdr);
		} while (n == MANY);
	}
}

static void
say(int fd, char c)
{
	hf_assert(write(fd, &c, 1) == 1);
}

static int
by_value(const void *a, const void *b)
{
	return (*(const int32_t *)a > *(const int32_t *)b) -
	       (*(const int32_t *)a < *(const int32_t *)b);
}

static double
percentile_ms(double percent)
{
	size_t i = (size_t)((double)gen.latencies * percent / 100);

	if (gen.latencies == 0)
		return -1;
	if (i >= gen.latencies)
		i = gen.latencies - 1;
	return gen.latency[i] / 1000.0;
}

static void
generate(const struct rtp_load *l, int warm_ms, int window_ms, int fd)
{
	uint32_t next[RTP_LOAD_SIDES] = { 0, 1 };
	bool begun = false, over = false;
	struct rtp_load_result r = { .ok = true };
	int64_t now;

	gen.l = l;
	gen.turn = calloc(2 * (size_t)l->calls, sizeof(*gen.turn));
	gen.cap = (size_t)l->calls * 2 * 50 * (size_t)window_ms / 1000 + 10000;
	gen.latency = malloc(gen.cap * sizeof(*gen.latency));
	hf_assert(gen.turn != NULL && gen.latency != NULL);
	memset(gen.latency, 0, gen.cap * sizeof(*gen.latency));
	/* Something like a voice: a loud wave in mu-law. */
	for (int i = 0; i < BODY; i++)
		gen.body[i] =
		    (uint8_t)(0x20 + i % 13 + (i / 20 % 2 ? 0x80 : 0));
	gen.wall = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC);
	gen.begin = clock_ns(CLOCK_MONOTONIC) + 20 * NS_PER_MS;
	gen.window = gen.begin + warm_ms * NS_PER_MS;
	gen.end = gen.window + window_ms * NS_PER_MS;
	while ((now = clock_ns(CLOCK_MONOTONIC)) <
	       gen.end + DRAIN_MS * NS_PER_MS) {
		struct timespec pause = { 0, NS_PER_MS / 4 };

		if (!begun && now >= gen.window) {
			begun = true;
			say(fd, 'b');
		}
		if (!over && now >= gen.end) {
			over = true;
			say(fd, 'e');
		}
		send_due(next);
		hear_all();
		nanosleep(&pause, NULL);
	}
	qsort(gen.latency, gen.latencies, sizeof(*gen.latency), by_value);
	r.sent = gen.sent;
	r.received = gen.received;
	r.p50_ms = percentile_ms(50);
	r.p99_ms = percentile_ms(99);
	r.max_ms = percentile_ms(100);
	r.late_pct =
	    gen.sent > 0 ? 100.0 * (double)gen.late / (double)gen.sent : 0;
	hf_assert(write(fd, &r, sizeof(r)) == sizeof(r));
	_exit(0);
}

/* ---- from outside -------------------------------------------------------- */

static int64_t
cpu_ns(pid_t pid)
{
	clockid_t c;

	return clock_getcpuclockid(pid, &c) == 0 ? clock_ns(c) : -1;
}

struct rtp_load_result
rtp_load_run(
    const struct rtp_load *l, pid_t relay, int warm_ms, int window_ms, int cpu)
{
	struct rtp_load_result r = { 0 };
	int64_t cpu_begin, begin, cpu_end, end;
	int fd[2];
	char c;
	pid_t pid;

	hf_assert(pipe(fd) == 0);
	pid = fork();
	hf_assert(pid >= 0);
	if (pid == 0) {
		rtp_load_pin(0, cpu, true);
		generate(l, warm_ms, window_ms, fd[1]);
	}
	close(fd[1]);
	if (read(fd[0], &c, 1) != 1)
		hf_never("the generator died");
	cpu_begin = cpu_ns(relay);
	begin = clock_ns(CLOCK_MONOTONIC);
	if (read(fd[0], &c, 1) != 1)
		hf_never("the generator died");
	cpu_end = cpu_ns(relay);
	end = clock_ns(CLOCK_MONOTONIC);
	if (read(fd[0], &r, sizeof(r)) != (ssize_t)sizeof(r))
		r.ok = false;
	close(fd[0]);
	waitpid(pid, NULL, 0);
	r.ok = r.ok && cpu_begin >= 0 && cpu_end >= 0 && r.sent > 0;
	r.cpu_s = (double)(cpu_end - cpu_begin) / (double)NS;
	r.window_s = (double)(end - begin) / (double)NS;
	return r;
}
