/*
 * bench_rtp - what does a relayed packet cost, and how long is it held up?
 *
 *      callers --+                +-- helpers      (one process, 50 packets a
 *                +---- relay -----+                 second from each party)
 *
 * The same load goes through hf-media (with its guard and its ear at work, as
 * in a bot's call), through a bare loop on the same sockets with the same tick
 * that only receives and sends (the floor), and through rtpengine. Runs of
 * hf-media and the floor alternate; medians count.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "bench/figure.h"
#include "bench/rtp_load.h"
#include "tests/lib/media_driver.h"

enum {
	RELAY_CPU = 0,
	LOAD_CPU = 1,
	WARM_MS = 1500,
	TICK_NS = 1000000,
	EVENTS = 512,
	LATE = 2, /* ticks */
	ROUNDS_MAX = 9,
	EXIT_MISSED = 1,
	EXIT_UNMEASURED = 2,
	SATURATED_PCT = 90,
};

struct options {
	uint32_t calls; /* the largest load */
	int window_ms, rounds;
	bool with_rtpengine, both; /* families on one socket */
	const char *program;
};

/* ---- the floor ----------------------------------------------------------- */

static void
dial(int fd, uint16_t port)
{
	int family = AF_INET;
	socklen_t n = sizeof(family);
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n);
	inet_pton(AF_INET6, "::ffff:127.0.0.1", &v6.sin6_addr);
	inet_pton(AF_INET, "127.0.0.1", &v4.sin_addr);
	hf_assert(family == AF_INET6
		      ? connect(fd, (struct sockaddr *)&v6, sizeof(v6)) == 0
		      : connect(fd, (struct sockaddr *)&v4, sizeof(v4)) == 0);
}

/* One packet, or all that wait: two of one stream can only have met in its
 * socket when somebody was late. */
static void
pass_on(const int *rtp, uint32_t from, bool all)
{
	static uint8_t packet[1501];
	ssize_t k;

	do {
		k = recv(rtp[2 * from], packet, sizeof(packet), MSG_DONTWAIT);
		if (k > 0)
			(void)send(rtp[2 * (from ^ 1)], packet, (size_t)k,
			    MSG_DONTWAIT);
	} while (all && k > 0);
}

/* rtp[] as the media_driver has it: RTP and RTCP of each stream in turn. */
static void
relay_barely(const int *rtp, const struct rtp_load *l)
{
	static struct epoll_event ev[EVENTS];
	struct itimerspec tick = { .it_interval.tv_nsec = TICK_NS,
		.it_value.tv_nsec = TICK_NS };
	int timer = timerfd_create(CLOCK_MONOTONIC, 0);
	int epoll = epoll_create1(0);
	uint64_t times;

	for (uint32_t i = 0; i < 2 * l->calls; i++) {
		/* By edge, as hf-media: polling a socket again that has been
		 * read would make the floor dearer than it need be. */
		struct epoll_event e = { .events = EPOLLIN | EPOLLET,
			.data.u32 = i };

		dial(rtp[2 * i], l->port[i % 2]);
		epoll_ctl(epoll, EPOLL_CTL_ADD, rtp[2 * i], &e);
	}
	timerfd_settime(timer, 0, &tick, NULL);
	while (read(timer, &times, sizeof(times)) == sizeof(times)) {
		int n;

		do {
			n = epoll_wait(epoll, ev, EVENTS, 0);
			for (int i = 0; i < n; i++) {
				pass_on(rtp, ev[i].data.u32, times > LATE);
			}
		} while (n == EVENTS);
	}
	_exit(0);
}

static void
aim_at_driver(struct rtp_load *l, const struct media_driver *d)
{
	for (uint32_t i = 0; i < 2 * l->calls; i++) {
		l->to[i] = (struct sockaddr_in){ .sin_family = AF_INET,
			.sin_port = htons((uint16_t)(d->port_first + 2 * i)) };
		inet_pton(AF_INET, "127.0.0.1", &l->to[i].sin_addr);
	}
}

static void
undial(const struct media_driver *d)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };
	char packet[2000];

	for (uint32_t i = 0; i < 2 * d->streams; i++) {
		(void)connect(d->rtp[i], &none, sizeof(none));
		while (recv(d->rtp[i], packet, sizeof(packet), MSG_DONTWAIT) >=
			   0 ||
		       errno == ECONNREFUSED)
			continue;
	}
}

static struct rtp_load_result
measure_floor(struct media_driver *d, uint32_t calls, const struct options *o)
{
	struct rtp_load_result r;
	struct rtp_load l;
	pid_t pid;

	rtp_load_open(&l, calls);
	aim_at_driver(&l, d);
	pid = fork();
	hf_assert(pid >= 0);
	if (pid == 0) {
		rtp_load_pin(0, RELAY_CPU, true);
		relay_barely(d->rtp, &l);
	}
	usleep(100000);
	r = rtp_load_run(&l, pid, WARM_MS, o->window_ms, LOAD_CPU);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	undial(d);
	rtp_load_close(&l);
	return r;
}

/* ---- hf-media ------------------------------------------------------------ */

static struct rtp_load_result
measure_media(struct media_driver *d, uint32_t calls, const struct options *o)
{
	struct rtp_load_result r;
	struct rtp_load l;

	rtp_load_open(&l, calls);
	aim_at_driver(&l, d);
	for (uint32_t i = 0; i < 2 * calls; i++) {
		struct media m = media_driver_media(l.port[i % 2], CODEC_PCMU);

		m.rtcp.family = 0; /* nobody listens there */
		media_driver_open(d, i, &m);
		if (i % 2 == 1)
			media_driver_join(d, i - 1, i, JUDGE_EAR);
	}
	media_driver_run(d, 300);
	r = rtp_load_run(&l, d->pid, WARM_MS, o->window_ms, LOAD_CPU);
	for (uint32_t i = 0; i < 2 * calls; i++)
		media_driver_close(d, i);
	media_driver_run(d, 300);
	undial(d);
	rtp_load_close(&l);
	return r;
}

/* ---- rtpengine, over its ng protocol ------------------------------------- */

struct engine {
	pid_t pid;
	int ng;
	uint32_t cookie;
};

static bool
engine_ask(struct engine *e, const char *body, char *answer, size_t cap)
{
	char text[4096], cookie[32];

	snprintf(cookie, sizeof(cookie), "hf%u", ++e->cookie);
	snprintf(text, sizeof(text), "%s %s", cookie, body);
	for (int i = 0; i < 20; i++) {
		struct pollfd p = { e->ng, POLLIN, 0 };

		(void)send(e->ng, text, strlen(text), 0);
		while (poll(&p, 1, 250) > 0) {
			ssize_t n = recv(e->ng, answer, cap - 1, 0);

			if (n < 0)
				break;
			answer[n] = '\0';
			if (strncmp(answer, cookie, strlen(cookie)) == 0)
				return true;
		}
		usleep(100000);
	}
	return false;
}

/* One side's SDP in, the port that rtpengine opened for it out. */
static uint16_t
engine_tell(struct engine *e, const char *command, uint32_t call, uint16_t port)
{
	char sdp[256], body[2048], answer[4096], *m;

	snprintf(sdp, sizeof(sdp),
	    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
	    "t=0 0\r\nm=audio %u RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n",
	    port);
	snprintf(body, sizeof(body),
	    "d7:call-id8:c%07u7:command%zu:%s8:from-tag1:a"
	    "3:ICE6:remove3:sdp%zu:%s6:to-tag1:be",
	    call, strlen(command), command, strlen(sdp), sdp);
	if (!engine_ask(e, body, answer, sizeof(answer)))
		return 0;
	m = strstr(answer, "m=audio ");
	return m == NULL ? 0 : (uint16_t)atoi(m + 8);
}

static bool
engine_start(struct engine *e, uint32_t calls)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	char listen[64], low[32], high[32], answer[512];
	int base = 20000 + (getpid() % 100) * 40;
	uint16_t port;

	*e = (struct engine){ 0 };
	port = (uint16_t)(10000 + getpid() % 5000);
	snprintf(listen, sizeof(listen), "--listen-ng=127.0.0.1:%u", port);
	snprintf(low, sizeof(low), "--port-min=%d", base);
	snprintf(
	    high, sizeof(high), "--port-max=%d", base + (int)calls * 4 + 200);
	e->pid = fork();
	hf_assert(e->pid >= 0);
	if (e->pid == 0) {
		rtp_load_pin(0, RELAY_CPU, true);
		execlp("rtpengine", "rtpengine", "--table=-1",
		    "--interface=127.0.0.1", listen, low, high, "--foreground",
		    "--num-threads=1", "--log-level=2", (char *)NULL);
		_exit(127);
	}
	e->ng = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	a.sin_port = htons(port);
	hf_assert(connect(e->ng, (struct sockaddr *)&a, sizeof(a)) == 0);
	return engine_ask(e, "d7:command4:pinge", answer, sizeof(answer)) &&
	       strstr(answer, "pong") != NULL;
}

static void
engine_stop(struct engine *e)
{
	kill(e->pid, SIGTERM);
	for (int i = 0; i < 30 && waitpid(e->pid, NULL, WNOHANG) == 0; i++)
		usleep(100000);
	kill(e->pid, SIGKILL);
	waitpid(e->pid, NULL, 0);
	close(e->ng);
}

static struct rtp_load_result
measure_engine(uint32_t calls, const struct options *o)
{
	struct rtp_load_result r = { 0 };
	struct rtp_load l;
	struct engine e;

	rtp_load_open(&l, calls);
	if (!engine_start(&e, calls)) {
		engine_stop(&e);
		rtp_load_close(&l);
		return r;
	}
	for (uint32_t i = 0; i < calls; i++) {
		uint16_t to_caller = 0, to_helper;

		/* The offer opens the helper's port, the answer the caller's.
		 */
		to_helper = engine_tell(&e, "offer", i, l.port[0]);
		if (to_helper != 0)
			to_caller = engine_tell(&e, "answer", i, l.port[1]);
		if (to_caller == 0) {
			engine_stop(&e);
			rtp_load_close(&l);
			return r;
		}
		for (int k = 0; k < 2; k++) {
			struct sockaddr_in *a = &l.to[2 * i + (uint32_t)k];

			*a = (struct sockaddr_in){ .sin_family = AF_INET };
			inet_pton(AF_INET, "127.0.0.1", &a->sin_addr);
			a->sin_port = htons(k == 0 ? to_caller : to_helper);
		}
	}
	r = rtp_load_run(&l, e.pid, WARM_MS, o->window_ms, LOAD_CPU);
	engine_stop(&e);
	rtp_load_close(&l);
	return r;
}

/* ---- the comparison ------------------------------------------------------ */

static double
us_per_packet(const struct rtp_load_result *r)
{
	return r->received > 0 ? r->cpu_s * 1e6 / (double)r->received : 0;
}

static void
print_run(const char *what, uint32_t calls, const struct rtp_load_result *r)
{
	printf("%-10s %5u calls  %6.2f us/packet  %4.2f core  lost %llu of "
	       "%llu  added p50 %.2f p99 %.2f max %.1f ms  load late %.1f %%\n",
	    what, calls, us_per_packet(r), r->cpu_s / r->window_s,
	    (unsigned long long)(r->sent - r->received),
	    (unsigned long long)r->sent, r->p50_ms, r->p99_ms, r->max_ms,
	    r->late_pct);
	fflush(stdout);
}

static int
by_cost(const void *a, const void *b)
{
	double x = us_per_packet(a), y = us_per_packet(b);

	return (x > y) - (x < y);
}

static int
by_number(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

struct comparison {
	struct rtp_load_result media, floor, engine;
	double ratio;  /* hf-media to floor, round by round */
	uint64_t lost; /* in all rounds of hf-media */
	uint32_t engine_calls;
};

static bool
compare(struct media_driver *d, uint32_t calls, int rounds,
    const struct options *o, struct comparison *c)
{
	struct rtp_load_result media[ROUNDS_MAX], bare[ROUNDS_MAX];
	double ratio[ROUNDS_MAX];

	c->lost = 0;
	for (int i = 0; i < rounds; i++) {
		bare[i] = measure_floor(d, calls, o);
		media[i] = measure_media(d, calls, o);
		if (!media[i].ok || !bare[i].ok)
			return false;
		print_run("floor", calls, &bare[i]);
		print_run("hf-media", calls, &media[i]);
		c->lost += media[i].sent - media[i].received;
		/* Neighbours in time: what else the machine does hits both. */
		ratio[i] = us_per_packet(&media[i]) / us_per_packet(&bare[i]);
	}
	qsort(ratio, (size_t)rounds, sizeof(ratio[0]), by_number);
	c->ratio = ratio[rounds / 2];
	qsort(media, (size_t)rounds, sizeof(media[0]), by_cost);
	qsort(bare, (size_t)rounds, sizeof(bare[0]), by_cost);
	c->media = media[rounds / 2];
	c->floor = bare[rounds / 2];
	return true;
}

/* The largest of the loads that leaves it breath and loses nothing. */
static void
compare_engine(const struct options *o, struct comparison *c)
{
	static const uint32_t part[] = { 4, 2, 1 };

	for (size_t i = 0; i < HF_LEN(part); i++) {
		uint32_t calls = o->calls / part[i];
		struct rtp_load_result r = measure_engine(calls, o);

		if (!r.ok) {
			printf("rtpengine  did not run at %u calls\n", calls);
			return;
		}
		print_run("rtpengine", calls, &r);
		if (r.cpu_s / r.window_s * 100 > SATURATED_PCT ||
		    r.received < r.sent)
			return;
		c->engine = r;
		c->engine_calls = calls;
	}
}

static bool
tell(const struct options *o, const struct comparison *c)
{
	const struct rtp_load_result *m = &c->media;
	double cost = us_per_packet(m);
	bool met = true;

	figure("", "calls", o->calls, NULL);
	met &= figure("", "lost", (double)c->lost, "==0");
	met &= figure("", "cores", m->cpu_s / m->window_s, "<=0.5");
	figure("", "us_per_packet", cost, NULL);
	figure("", "added_p50_ms", m->p50_ms, NULL);
	figure("", "added_p99_ms", m->p99_ms, NULL);
	met &= figure("", "ratio_to_floor", c->ratio, "<=1.15");
	if (c->engine_calls != 0) {
		figure("", "rtpengine_calls", c->engine_calls, NULL);
		met &= figure("", "cpu_ratio_to_rtpengine",
		    cost / us_per_packet(&c->engine), "<=0.6");
	}
	return met;
}

static struct options
read_options(int argc, char **argv)
{
	static const struct option words[] = {
		{ "calls", required_argument, NULL, 'c' },
		{ "seconds", required_argument, NULL, 's' },
		{ "rounds", required_argument, NULL, 'r' },
		{ "alone", no_argument, NULL, 'a' },
		{ "both-families", no_argument, NULL, 'b' },
		{ 0 },
	};
	struct options o = { .calls = 1000,
		.window_ms = 6000,
		.rounds = 3,
		.with_rtpengine = true };
	int c;

	while ((c = getopt_long(argc, argv, "", words, NULL)) != -1) {
		if (c == 'c')
			o.calls = (uint32_t)atoi(optarg);
		else if (c == 's')
			o.window_ms = atoi(optarg) * 1000;
		else if (c == 'r')
			o.rounds = atoi(optarg);
		else if (c == 'a')
			o.with_rtpengine = false;
		else if (c == 'b')
			o.both = true;
		else
			exit(EXIT_UNMEASURED);
	}
	if (optind < argc)
		o.program = argv[optind];
	if (o.program == NULL || o.calls < 4 || o.calls > 4000 ||
	    o.window_ms <= 0 || o.rounds < 1 || o.rounds > ROUNDS_MAX) {
		fprintf(stderr, "bench_rtp [--calls N] [--seconds S] "
				"[--rounds R] [--alone] [--both-families] "
				"HF-MEDIA\n");
		exit(EXIT_UNMEASURED);
	}
	return o;
}

int
main(int argc, char **argv)
{
	struct options o = read_options(argc, argv);
	struct rlimit files;
	struct media_driver d;
	struct comparison c = { 0 };
	bool ok = true;

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	media_driver_start(&d, o.program, "", 2 * o.calls, o.both);
	rtp_load_pin(d.pid, RELAY_CPU, true);
	if (o.calls >= 4 && o.rounds > 1)
		for (uint32_t part = 4; part > 1 && ok; part /= 2)
			ok = compare(&d, o.calls / part, 1, &o, &c);
	ok = ok && compare(&d, o.calls, o.rounds, &o, &c);
	media_driver_stop(&d);
	if (!ok) {
		fprintf(stderr, "bench_rtp: could not measure\n");
		return EXIT_UNMEASURED;
	}
	if (o.with_rtpengine)
		compare_engine(&o, &c);
	/* A quick run beside other things proves that all comes through; only
	 * the large one measures what it costs. */
	ok = tell(&o, &c);
	if (!o.with_rtpengine) {
		ok = c.lost == 0;
	} else if (c.engine_calls == 0) {
		fprintf(stderr, "bench_rtp: no figure of rtpengine's\n");
		return EXIT_UNMEASURED;
	}
	return ok ? EXIT_SUCCESS : EXIT_MISSED;
}
