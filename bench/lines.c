#include "bench/lines.h"

#include <errno.h>
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
	READ_EVERY = 2, /* rounds of 20 ms between two readings of a listener */
	COUNT_EVERY = 10, /* and of a socket whose packets are only counted */
	BATCH = 16,
	CONTROL = 64,
	DELAYS = 128,     /* ms a packet can be held back */
	BEHIND_MAX = 200, /* ms: what is older is given up */
	HASH = 1024,
	LATE_KEPT = 65536,
	GENERATOR_FIRST = 5, /* of SCHED_FIFO */
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
	struct known known[HASH];
	uint8_t frame[VOICE_ACTORS][VOICE_LEVELS][VOICE_FRAME];
	uint32_t lateness[LATE_KEPT];
	size_t lates;
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

/* A ruler must not be late, nor stand in the way of what it measures: before
 * all that can wait, behind hf-media. */
static void
hurry(void)
{
	struct sched_param p = { .sched_priority = GENERATOR_FIRST };

	if (sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &p) != 0)
		printf("note: no real-time priority for the generator\n");
}

struct lines *
lines_new(void)
{
	struct lines *l = calloc(1, sizeof *l);

	if (l == NULL)
		abort();
	l->random = 0x9e3779b97f4a7c15u ^ (uint64_t)getpid();
	for (int v = 0; v < VOICE_ACTORS; v++)
		for (int k = 0; k < VOICE_LEVELS; k++) {
			uint8_t *p = l->frame[v][k];
			voice_speak(VOICE_PCMU, v, k, 0, p, VOICE_FRAME);
			struct known *x = known_find(l, p);
			x->used = true;
			x->whose = (int8_t)v;
			memcpy(x->p, p, sizeof x->p);
		}
	hurry();
	l->start = clock_us(CLOCK_MONOTONIC);
	return l;
}

void
lines_free(struct lines *l)
{
	for (size_t i = 0; i < l->lines; i++)
		free(l->line[i].heard);
	for (int i = 0; i < DELAYS; i++)
		free(l->late[i].d);
	free(l);
}

struct line *
lines_add(struct lines *l, struct ua_call *c)
{
	const struct sockaddr_storage *to = &c->media.remote;

	if (l->lines == LINES_MAX || !c->media.up || c->media.rtp < 0)
		return NULL;
	struct line *x = &l->line[l->lines];
	*x = (struct line){ .call = c,
		.fd = c->media.rtp,
		.voice = c->ua->voice,
		.talks = true,
		.slot = (uint32_t)(l->lines * 7) % LINES_SLOTS,
		.ssrc = draw(l),
		.ts = draw(l),
		.frame = draw(l),
		.seq = (uint16_t)draw(l) };
	/* 20 ms long: the bank's frames begin at sample 0. */
	if (connect(x->fd, (const struct sockaddr *)to,
		to->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					  : sizeof(struct sockaddr_in)) != 0)
		return NULL;
	l->by_slot[x->slot][l->in_slot[x->slot]++] = (uint16_t)l->lines++;
	return x;
}

void
line_close(struct line *x)
{
	x->talks = false;
	x->fd = -1;
	ua_media_close(x->call);
}

/* ---- sending
 * ---------------------------------------------------------------------- */

static void
packet_send(struct lines *l, struct line *x, const struct delayed *d)
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
stamp(struct lines *l, struct msghdr *m)
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
	static uint8_t p[BATCH][256], control[BATCH][CONTROL];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	int n;

	if (x->fd < 0)
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
			x->came++;
			if (x->listens)
				packet_keep(l, x, stamp(l, &m[i].msg_hdr),
				    whose(l, p[i], m[i].msg_len));
		}
	} while (n == BATCH);
}

void
lines_drain(struct lines *l)
{
	l->offset = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
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

int64_t
lines_turn(struct lines *l, struct ua_world *w)
{
	int64_t due = l->start + l->tick * TICK_US;
	struct timespec t = { .tv_sec = due / 1000000,
		.tv_nsec = due % 1000000 * 1000 };

	l->offset = clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
	ua_turn(w, 0);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
	int64_t now = clock_us(CLOCK_MONOTONIC), late = now - due;
	if (l->lates < LATE_KEPT)
		l->lateness[l->lates++] = (uint32_t)late;
	if (late > BEHIND_MAX * TICK_US) { /* give up what is too old */
		l->start += late;
		due += late;
	}
	while (l->start + l->tick * TICK_US <= now)
		tick(l);
	return late;
}

static int
compare(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

int64_t
lines_lateness(struct lines *l, int percent)
{
	if (l->lates == 0)
		return 0;
	qsort(l->lateness, l->lates, sizeof *l->lateness, compare);
	int64_t v = l->lateness[(l->lates - 1) * (size_t)percent / 100];
	l->lates = 0;
	return v;
}
