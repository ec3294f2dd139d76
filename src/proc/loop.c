/* proc/loop - see loop.h */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <time.h>

#include "base/check.h"
#include "proc/loop.h"

enum {
	EVENTS_MAX = 256,  /* a turn; the rest is there the next time */
	FDS_MAX = 1 << 17, /* of an unlimited limit */
	US_PER_S = 1000000,
	US_PER_MS = 1000,
	NS_PER_US = 1000,
};

struct watched {
	loop_fd_fn *fn;
	void *arg;
	uint32_t gen; /* news for an earlier holder of the number is old */
	bool on;
};

static struct {
	int epoll;
	struct watched *fd;
	uint32_t fds;
	struct hf_time now;
	struct hf_wall wall; /* 0: not read in this turn */
	struct hf_wheel wheel;
	struct hf_rand rand;
} loop;

static int64_t
clock_us(clockid_t clock)
{
	struct timespec ts;

	hf_assert(clock_gettime(clock, &ts) == 0);
	return (int64_t)ts.tv_sec * US_PER_S + ts.tv_nsec / NS_PER_US;
}

void
loop_open(void)
{
	struct rlimit files;

	hf_assert(getrlimit(RLIMIT_NOFILE, &files) == 0);
	loop.fds =
	    files.rlim_cur > FDS_MAX ? FDS_MAX : (uint32_t)files.rlim_cur;
	loop.fd = calloc(loop.fds, sizeof(*loop.fd));
	hf_assert(loop.fd != NULL);
	loop.epoll = epoll_create1(EPOLL_CLOEXEC);
	hf_assert(loop.epoll >= 0);
	loop.now.us = clock_us(CLOCK_MONOTONIC);
	hf_wheel_init(&loop.wheel, loop.now);
	hf_assert(getrandom(&loop.rand.key, sizeof(loop.rand.key), 0) ==
		  (ssize_t)sizeof(loop.rand.key));
}

void
loop_watch(int fd, uint32_t events, loop_fd_fn *fn, void *arg)
{
	struct epoll_event ev = { .events = events };
	struct watched *w;

	hf_assert(fd >= 0 && (uint32_t)fd < loop.fds);
	w = &loop.fd[fd];
	if (!w->on)
		w->gen++;
	ev.data.u64 = (uint64_t)w->gen << 32 | (uint32_t)fd;
	hf_assert(epoll_ctl(loop.epoll, w->on ? EPOLL_CTL_MOD : EPOLL_CTL_ADD,
		      fd, &ev) == 0);
	w->on = true;
	w->fn = fn;
	w->arg = arg;
}

void
loop_unwatch(int fd)
{
	struct watched *w;

	hf_assert(fd >= 0 && (uint32_t)fd < loop.fds);
	w = &loop.fd[fd];
	if (!w->on)
		return;
	hf_assert(epoll_ctl(loop.epoll, EPOLL_CTL_DEL, fd, NULL) == 0);
	w->on = false;
}

/* epoll_wait(2) knows milliseconds only and is up to one too late, so it serves
 * where there is nothing better: before Linux 5.11, and under valgrind. */
static int
wait_coarsely(struct epoll_event *ev, int64_t us)
{
	int64_t ms = (us + US_PER_MS - 1) / US_PER_MS;

	return epoll_wait(loop.epoll, ev, EVENTS_MAX,
	    us < 0         ? -1
	    : ms > INT_MAX ? INT_MAX
			   : (int)ms);
}

static int
wait_for_news(struct epoll_event *ev)
{
	static bool coarse;
	struct hf_time next = hf_wheel_next(&loop.wheel);
	struct timespec ts = { 0 };
	int64_t us = -1; /* for ever */
	int n;

	if (next.us != INT64_MAX) {
		us = next.us - clock_us(CLOCK_MONOTONIC);
		us = us < 0 ? 0 : us;
		ts.tv_sec = us / US_PER_S;
		ts.tv_nsec = us % US_PER_S * NS_PER_US;
	}
	if (coarse)
		return wait_coarsely(ev, us);
	n = epoll_pwait2(loop.epoll, ev, EVENTS_MAX, us < 0 ? NULL : &ts, NULL);
	if (n >= 0 || errno != ENOSYS)
		return n;
	coarse = true;
	return wait_coarsely(ev, us);
}

void
loop_turn(void)
{
	static struct epoll_event ev[EVENTS_MAX];
	int n = wait_for_news(ev);

	hf_assert(n >= 0 || errno == EINTR);
	loop.now.us = clock_us(CLOCK_MONOTONIC);
	loop.wall.us = 0;
	for (int i = 0; i < n; i++) {
		uint32_t fd = (uint32_t)ev[i].data.u64;
		struct watched *w = &loop.fd[fd];

		/* An earlier handler of this turn may have closed it. */
		if (w->on && w->gen == (uint32_t)(ev[i].data.u64 >> 32))
			w->fn((int)fd, ev[i].events, w->arg);
	}
	hf_wheel_turn(&loop.wheel, loop.now);
}

struct hf_time
loop_now(void)
{
	return loop.now;
}

struct hf_wall
loop_wall(void)
{
	if (loop.wall.us == 0)
		loop.wall.us = clock_us(CLOCK_REALTIME);
	return loop.wall;
}

struct hf_wheel *
loop_wheel(void)
{
	return &loop.wheel;
}

struct hf_rand *
loop_rand(void)
{
	return &loop.rand;
}
