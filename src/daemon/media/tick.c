/* daemon/media/tick - once a millisecond.  Waking up for each packet would
 * cost as much as the packets; a tick serves all that came since the last. */

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/media/room.h"

enum {
	EVENTS_MAX = 512,
	PASSES_MAX = 64, /* then orders and questions have their turn */
	NS_PER_US = 1000,
	CACHE_LINE = 64,
};

/* A thousand calls do not fit the near cache.  While the kernel works on one
 * packet the streams of the next ones can come closer: first their own part,
 * then, when the partner is known, his. */
static void
fetch(const void *p, size_t n)
{
	for (size_t i = 0; i < n; i += CACHE_LINE)
		__builtin_prefetch((const char *)p + i, 1);
}

static void
fetch_next(const struct epoll_event *ev, int i, int n)
{
	const struct stream *s;

	if (i + 2 < n) {
		s = &room.stream[ev[i + 2].data.u64 >> 1];
		fetch(s, offsetof(struct stream, ref));
	}
	if (i + 1 < n) {
		s = &room.stream[ev[i + 1].data.u64 >> 1];
		if (s->partner != NULL)
			fetch(s->partner, offsetof(struct stream, meter));
		if (s->watch.patience != NULL)
			fetch(&s->patience, offsetof(struct patience, print));
	}
}

static struct hf_time
clock_now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (struct hf_time){ t.tv_sec * 1000000 + t.tv_nsec / 1000 };
}

/* How long nothing was done since the last time this was asked: what has
 * passed, but for our own work. */
static struct hf_span
idled(struct hf_time now)
{
	struct hf_time worked = clock_now(CLOCK_THREAD_CPUTIME_ID);
	struct hf_span s = { hf_time_since(room.last_tick, now).us -
			     hf_time_since(room.worked, worked).us };

	room.last_tick = now;
	room.worked = worked;
	return s;
}

/* A pass over the sockets that hold something: of each one packet, or, when
 * that was late or we were stalled, whatever waits behind it.  False: there
 * was not more than fits a pass. */
static bool
drain(struct hf_time now, bool all)
{
	static struct epoll_event ev[EVENTS_MAX];
	int n = epoll_wait(room.epoll, ev, EVENTS_MAX, 0);

	for (int i = 0; i < n; i++) {
		struct stream *s = &room.stream[ev[i].data.u64 >> 1];

		fetch_next(ev, i, n);

		if (!s->open)
			continue; /* between two calls */
		if (ev[i].data.u64 & 1)
			port_hear_rtcp(s, now);
		else
			port_hear(s, all, now);
	}
	return n == EVENTS_MAX;
}

/* Our own stall is not theirs. */
static void
shift_all(struct hf_span lateness, struct hf_time now)
{
	for (uint32_t i = 0; i < room.count; i++)
		if (room.stream[i].open)
			guard_shift(&room.stream[i], lateness, now);
	room.count_of.stalls++;
}

static void
age_block(uint32_t b, struct hf_time now)
{
	uint32_t from = b * DUE_BLOCK, to = from + DUE_BLOCK;
	struct hf_time next = HF_TIME_NEVER;

	if (to > room.count)
		to = room.count;
	/* Ageing one stream may bring another's deadline forward. */
	room.block_due[b] = HF_TIME_NEVER;
	for (uint32_t i = from; i < to; i++) {
		if (!hf_time_before(now, room.due[i])) {
			struct stream *s = &room.stream[i];

			room.due[i] = HF_TIME_NEVER;
			stream_age(s, now);
			room.due[i] = hf_time_min(room.due[i], stream_due(s));
		}
		next = hf_time_min(next, room.due[i]);
	}
	room.block_due[b] = hf_time_min(room.block_due[b], next);
}

static void
age_all(struct hf_time now)
{
	uint32_t blocks = (room.count + DUE_BLOCK - 1) / DUE_BLOCK;

	for (uint32_t b = 0; b < blocks; b++)
		if (!hf_time_before(now, room.block_due[b]))
			age_block(b, now);
}

/* Somebody who has more to do than he can is late as well, but that is no
 * stall: he looks at each socket before he judges it, and the deadlines have
 * their turn after each pass.  A stall is time in which nothing was done.  Were
 * work one, a pass that reads all that waits would be the reason for the next.
 */
static void
tick(int fd, uint32_t events, void *arg)
{
	struct hf_time now = proc_now();
	struct hf_span late = { hf_time_since(room.last_tick, now).us -
				TICK_US };
	int passes = PASSES_MAX;
	uint64_t times;
	bool more;

	(void)events;
	(void)arg;
	if (read(fd, &times, sizeof(times)) != (ssize_t)sizeof(times) ||
	    !room.ticking)
		return;
	room.count_of.ticks++;
	if (late.us > TICK_US)
		room.count_of.late++;
	if (late.us > room.count_of.late_max.us)
		room.count_of.late_max = late;
	late.us = idled(now).us - TICK_US;
	do {
		more = drain(now, late.us >= STALL_US);
		if (late.us >= STALL_US)
			shift_all(late, now);
		age_all(now);
		now = clock_now(CLOCK_MONOTONIC);
		late = idled(now);
	} while (--passes > 0 && (more || late.us >= STALL_US));
}

void
tick_open(void)
{
	room.epoll = epoll_create1(EPOLL_CLOEXEC);
	room.timer =
	    timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	hf_assert(room.epoll >= 0 && room.timer >= 0);
	proc_watch(room.timer, EPOLLIN, tick, NULL);
}

void
tick_run(bool on)
{
	struct itimerspec t = { 0 };

	if (on == room.ticking)
		return;
	room.ticking = on;
	if (on)
		t.it_interval.tv_nsec = t.it_value.tv_nsec =
		    TICK_US * NS_PER_US;
	hf_assert(timerfd_settime(room.timer, 0, &t, NULL) == 0);
	(void)idled(proc_now());
}

void
tick_at(const struct stream *s, struct hf_time at)
{
	uint32_t i = (uint32_t)(s - room.stream);

	room.due[i] = hf_time_min(room.due[i], at);
	room.block_due[i / DUE_BLOCK] =
	    hf_time_min(room.block_due[i / DUE_BLOCK], at);
}
