#include "bench/lines.h"

#include <errno.h>
#include <linux/filter.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	TICK_US = 1000,
	HEADER = 12,
	PACKET = HEADER + VOICE_FRAME,
	READ_EVERY = 5, /* rounds of 20 ms between two readings of a listener */
	COUNT_EVERY = 10, /* and of a socket whose packets are only counted */
	BATCH = 16,
	CONTROL = 64,
	DELAYS = 128,     /* ms a packet can be held back */
	BEHIND_MAX = 200, /* ms: what is older is given up */
	HASH = 1024,
	LATE_KEPT = 65536,
	GENERATOR_FIRST = 20, /* of SCHED_FIFO */
};

struct delayed {
	struct line *line;
	uint16_t seq;
	uint32_t ts, frame;
};

struct slot {
	struct delayed *d;
	size_t n, cap;
};

/* Frames that actors send, by their first bytes: what is not in here has been
 * made by the house. */
struct known {
	uint8_t p[16];
	int8_t whose;
	bool used;
};

struct lines {
	struct line line[LINES_MAX];
	size_t lines;
	uint16_t by_slot[LINES_SLOTS][LINES_MAX]; /* places in line */
	size_t in_slot[LINES_SLOTS];
	int64_t tick; /* number of the next one */
	int64_t start;
	struct slot late[DELAYS];
	uint64_t random;
	int64_t offset; /* wall - monotonic, us */
	uint32_t lateness[LATE_KEPT];
	size_t lates;
	struct known known[HASH];
	uint8_t frame[VOICE_ACTORS][VOICE_LEVELS][VOICE_FRAME];
	bool deaf;
	bool started;
	cpu_set_t may; /* the processors we began with */
};

static int64_t
clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint32_t
draw(struct lines *l)
{
	l->random ^= l->random << 13;
	l->random ^= l->random >> 7;
	l->random ^= l->random << 17;
	return (uint32_t)(l->random >> 16);
}

static int64_t
jitter_us(struct lines *l, int mean_ms)
{
	double u = (draw(l) % 1000000 + 1) / 1000001.0;

	return mean_ms == 0 ? 0 : (int64_t)(-log(u) * mean_ms * 1000);
}

static struct known *
known_find(struct lines *l, const uint8_t *p)
{
	uint64_t a, b;

	memcpy(&a, p, 8);
	memcpy(&b, p + 8, 8);
	unsigned h = (unsigned)(((a ^ (b << 1)) * 0x9e3779b97f4a7c15u) >> 40);
	for (unsigned i = h % HASH;; i = (i + 1) % HASH)
		if (!l->known[i].used ||
		    memcmp(l->known[i].p, p, sizeof l->known[i].p) == 0)
			return &l->known[i];
}

/* A ruler must not be late: what the world sends comes when it comes, whoever
 * is at work here.  So the last processor is its own before all others.  Where
 * it shared one with hf-media, each drove the other's streams out of the cache
 * (a third more time for both), and the kernel held both up for 50 ms once
 * their priorities had taken 95 % of a second. */
static void
hurry(struct lines *l)
{
	struct sched_param p = { .sched_priority = GENERATOR_FIRST };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((size_t)sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	if (sched_getaffinity(0, sizeof l->may, &l->may) != 0 ||
	    sched_setaffinity(0, sizeof set, &set) != 0)
		printf("note: no processor for the generator\n");
	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p) != 0)
		printf("note: no real-time priority for the generator\n");
}

/* The next house inherits from us. */
static void
calm_down(const struct lines *l)
{
	struct sched_param p = { 0 };

	sched_setscheduler(0, SCHED_OTHER, &p);
	sched_setaffinity(0, sizeof l->may, &l->may);
}

struct lines *
lines_new(void)
{
	struct lines *l = calloc(1, sizeof *l);

	if (l == NULL)
		abort();
	for (int v = 0; v < VOICE_ACTORS; v++)
		for (int k = 0; k < VOICE_LEVELS; k++) {
			uint8_t *p = l->frame[v][k];
			voice_speak(VOICE_PCMU, v, k, 0, p, VOICE_FRAME);
			struct known *x = known_find(l, p);
			x->used = true;
			x->whose = (int8_t)v;
			memcpy(x->p, p, sizeof x->p);
		}
	l->random = 0x9e3779b97f4a7c15u ^ (uint64_t)getpid();
	return l;
}

void
lines_free(struct lines *l)
{
	if (l->started)
		calm_down(l);
	for (size_t i = 0; i < l->lines; i++)
		free(l->line[i].heard);
	for (int i = 0; i < DELAYS; i++)
		free(l->late[i].d);
	free(l);
}

static void
deafen(int fd, bool deaf)
{
	/* Nothing of it is kept: dropped before it is queued. */
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog f = { .len = 1, .filter = &none };

	if (fd < 0)
		return;
	if (deaf)
		setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &f, sizeof f);
	else
		setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &f, sizeof f);
}

void
lines_deaf(struct lines *l, bool deaf)
{
	l->deaf = deaf;
	for (size_t i = 0; i < l->lines; i++)
		if (!l->line[i].listens)
			deafen(l->line[i].fd, deaf);
}

struct line *
lines_add(struct lines *l, struct ua_call *c, bool listens)
{
	const struct sockaddr_storage *to = &c->media.remote;

	if (l->lines == LINES_MAX || !c->media.up || c->media.rtp < 0)
		return NULL;
	struct line *x = &l->line[l->lines];
	*x = (struct line){ .call = c,
		.fd = c->media.rtp,
		.voice = c->ua->voice,
		.talks = true,
		.listens = listens,
		.slot = (uint32_t)(l->lines * 7) % LINES_SLOTS,
		.ssrc = ua_random(c->ua->world),
		.ts = ua_random(c->ua->world),
		.frame = ua_random(c->ua->world),
		.seq = (uint16_t)ua_random(c->ua->world) };
	/* 20 ms long: the bank's frames begin at sample 0. */
	if (connect(x->fd, (const struct sockaddr *)to,
		to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					  : sizeof(struct sockaddr_in)) != 0)
		return NULL;
	if (l->deaf && !listens)
		deafen(x->fd, true);
	l->by_slot[x->slot][l->in_slot[x->slot]++] = (uint16_t)l->lines++;
	return x;
}

void
line_end(struct line *x)
{
	x->fd = -1;
}

int64_t
line_hush(struct line *x)
{
	x->talks = false;
	return x->last_sent;
}

void
line_path(struct line *x, int loss_pct, int jitter_ms)
{
	x->loss_pct = loss_pct;
	x->jitter_ms = jitter_ms;
}

void
line_close(struct line *x)
{
	line_end(x);
	ua_media_close(x->call);
}

/* ---- sending
 * ---------------------------------------------------------------------- */

static void
packet_send(const struct lines *l, struct line *x, const struct delayed *d)
{
	uint8_t p[PACKET];

	if (x->fd < 0 || !x->talks)
		return;
	p[0] = 0x80;
	p[1] = 0;
	p[2] = (uint8_t)(d->seq >> 8);
	p[3] = (uint8_t)d->seq;
	for (int i = 0; i < 4; i++) {
		p[4 + i] = (uint8_t)(d->ts >> (24 - 8 * i));
		p[8 + i] = (uint8_t)(x->ssrc >> (24 - 8 * i));
	}
	memcpy(
	    p + HEADER, l->frame[x->voice][voice_level(d->frame)], VOICE_FRAME);
	if (send(x->fd, p, sizeof p, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
		return; /* refused once: the far end closed its port */
	x->last_sent = clock_us(CLOCK_MONOTONIC);
	x->sent++;
}

static void
hold_back(struct lines *l, struct delayed d, int64_t tick)
{
	struct slot *s = &l->late[tick % DELAYS];

	if (s->n == s->cap) {
		s->cap = 2 * s->cap + 64;
		s->d = realloc(s->d, s->cap * sizeof *s->d);
		if (s->d == NULL)
			abort();
	}
	s->d[s->n++] = d;
}

static void
line_due(struct lines *l, struct line *x, int64_t tick)
{
	struct delayed d = { x, x->seq, x->ts, x->frame };

	if (x->fd < 0 || !x->talks)
		return;
	x->seq++;
	x->ts += VOICE_FRAME;
	x->frame++;
	if (x->loss_pct > 0 && (int)(draw(l) % 100) < x->loss_pct)
		return;
	if (x->jitter_ms == 0) {
		packet_send(l, x, &d);
		return;
	}
	int64_t to = tick + jitter_us(l, x->jitter_ms) / TICK_US;
	if (to > tick + DELAYS - 2)
		to = tick + DELAYS - 2;
	/* A path queues; it does not overtake. */
	if (to < x->late_until)
		to = x->late_until;
	x->late_until = to;
	if (to == tick)
		packet_send(l, x, &d);
	else
		hold_back(l, d, to);
}

/* ---- reading
 * ---------------------------------------------------------------------- */

static int64_t
stamp(const struct lines *l, struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	     c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec t;
			memcpy(&t, CMSG_DATA(c), sizeof t);
			return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 -
			       l->offset;
		}
	return clock_us(CLOCK_MONOTONIC);
}

static int8_t
whose(struct lines *l, const uint8_t *p, size_t n)
{
	if (n < HEADER || (p[0] & 0xc0) != 0x80)
		return VOICE_NONE;
	if ((p[1] & 0x7f) == 13)
		return VOICE_FAINT;
	if ((p[1] & 0x7f) != 0 && (p[1] & 0x7f) != 8)
		return VOICE_EVENT;
	if (n == PACKET && (p[1] & 0x7f) == 0) {
		const struct known *k = known_find(l, p + HEADER);
		if (k->used)
			return k->whose;
	}
	return (int8_t)voice_whose((p[1] & 0x7f) == 8 ? VOICE_PCMA : VOICE_PCMU,
	    p + HEADER, n - HEADER);
}

static void
packet_keep(struct lines *l, struct line *x, int64_t at, int8_t who)
{
	if (x->loss_pct > 0 && (int)(draw(l) % 100) < x->loss_pct)
		return;
	at += jitter_us(l, x->jitter_ms);
	if (at < x->last_heard)
		at = x->last_heard;
	x->last_heard = at;
	if (x->hears == x->heard_cap) {
		x->heard_cap = 2 * x->heard_cap + 2048;
		x->heard = realloc(x->heard, x->heard_cap * sizeof *x->heard);
		if (x->heard == NULL)
			abort();
	}
	x->heard[x->hears++] = (struct line_heard){ at, who };
}

static void
line_read(struct lines *l, struct line *x)
{
	uint8_t p[BATCH][256], control[BATCH][CONTROL];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	int n;

	if (x->fd < 0 || (l->deaf && !x->listens))
		return;
	do {
		for (int i = 0; i < BATCH; i++) {
			v[i] = (struct iovec){ p[i], sizeof p[i] };
			m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &v[i],
						     .msg_iovlen = 1 } };
			if (x->listens) {
				m[i].msg_hdr.msg_control = control[i];
				m[i].msg_hdr.msg_controllen = CONTROL;
			}
		}
		n = recvmmsg(x->fd, m, BATCH, MSG_DONTWAIT, NULL);
		for (int i = 0; i < n; i++) {
			int8_t who = whose(l, p[i], m[i].msg_len);
			x->came++;
			if (x->listens)
				packet_keep(l, x, stamp(l, &m[i].msg_hdr), who);
			else if (who >= 0)
				x->voices |= UINT64_C(1) << who;
		}
	} while (n == BATCH);
}

static void
look_at_the_clock(struct lines *l)
{
	l->offset = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
}

void
lines_drain(struct lines *l)
{
	look_at_the_clock(l);
	for (size_t i = 0; i < l->lines; i++)
		line_read(l, &l->line[i]);
}

/* ---- time
 * ----------------------------------------------------------------------------
 */

static void
tick(struct lines *l)
{
	int64_t round = l->tick / LINES_SLOTS;
	uint32_t place = (uint32_t)(l->tick % LINES_SLOTS);
	uint32_t reading = (place + LINES_SLOTS / 2) % LINES_SLOTS;
	struct slot *s = &l->late[l->tick % DELAYS];

	for (size_t i = 0; i < s->n; i++)
		packet_send(l, s->d[i].line, &s->d[i]);
	s->n = 0;
	for (size_t i = 0; i < l->in_slot[place]; i++)
		line_due(l, &l->line[l->by_slot[place][i]], l->tick);
	for (size_t i = 0; i < l->in_slot[reading]; i++) {
		struct line *x = &l->line[l->by_slot[reading][i]];
		int every = x->listens ? READ_EVERY : COUNT_EVERY;
		if ((round + (int64_t)i) % every == 0)
			line_read(l, x);
	}
	l->tick++;
}

/* Waits for the next millisecond and does what is due. */
static void
turn(struct lines *l)
{
	int64_t due = l->start + l->tick * TICK_US;
	struct timespec t = { .tv_sec = due / 1000000,
		.tv_nsec = due % 1000000 * 1000 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	int64_t now = clock_us(CLOCK_MONOTONIC), late = now - due;
	if (l->lates < LATE_KEPT)
		l->lateness[l->lates++] = (uint32_t)late;
	if (late > BEHIND_MAX * TICK_US) /* give up what is too old */
		l->start += late;
	look_at_the_clock(l);
	while (l->start + l->tick * TICK_US <= now)
		tick(l);
}

void
lines_start(struct lines *l)
{
	hurry(l);
	l->start = clock_us(CLOCK_MONOTONIC);
	l->started = true;
}

void
lines_turn(struct lines *l, struct ua_world *w)
{
	ua_turn(w, 0);
	turn(l);
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

void
lines_lateness(struct lines *l, int64_t *p99, int64_t *max)
{
	*p99 = *max = 0;
	qsort(l->lateness, l->lates, sizeof *l->lateness, compare);
	if (l->lates > 0) {
		*p99 = l->lateness[l->lates * 99 / 100];
		*max = l->lateness[l->lates - 1];
	}
	l->lates = 0;
}
