/* tests/room/media_room - see media_room.h */

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/child.h"
#include "tests/room/media_room.h"

enum {
	HEAD = 12,
	RTCP_FIRST = 64,
	RTCP_LAST = 95,
	FRAME_US = 20000,
	ENOUGH = 8, /* packets, to speak of a pace */
	LATE = 2,   /* packets, or early */
};

const char *program;
uint32_t media_room_streams = 8;
struct media_driver d;
struct party caller = { .fd = -1 }, helper = { .fd = -1 };
unsigned facts[MSG_NR];
struct msg news[MSG_NR];

/* What they say: payload type, and the byte in its law. */
static const struct voice {
	enum codec codec;
	uint8_t payload, byte;
} voices[] = {
	[CALLER] = { CODEC_PCMU, 0, 0x21 },
	[HELPER] = { CODEC_PCMA, 8, 0x35 },
};

int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

uint16_t
party_open_at(const char *ip, struct party *p, uint32_t stream)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int yes = 1;

	memset(p, 0, sizeof(*p));
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, ip, &a.sin_addr);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &n), 0);
	assert_int_equal(
	    setsockopt(p->fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof(yes)),
	    0);
	p->to = a;
	p->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->to.sin_port = htons((uint16_t)(d.port_first + 2 * stream));
	p->payload = voices[stream].payload;
	p->byte = voices[stream].byte;
	p->seq = FIRST_SEQ;
	return ntohs(a.sin_port);
}

uint16_t
party_open(struct party *p, uint32_t stream)
{
	return party_open_at("127.0.0.1", p, stream);
}

void
party_comes(struct party *p, uint32_t stream)
{
	struct media m =
	    media_driver_media(party_open(p, stream), voices[stream].codec);

	media_driver_open(&d, stream, &m);
}

void
send_packet(struct party *p, uint8_t payload, const void *body, size_t n)
{
	uint8_t m[HEAD + 480] = { 0x80, payload };
	uint16_t seq = htons(p->seq++);
	uint32_t ts = htonl(p->ts);

	memcpy(m + 2, &seq, 2);
	memcpy(m + 4, &ts, 4);
	m[11] = p->byte;
	memcpy(m + HEAD, body, n);
	(void)sendto(
	    p->fd, m, HEAD + n, 0, (struct sockaddr *)&p->to, sizeof(p->to));
}

void
talk(struct party *p)
{
	uint8_t body[FRAME];

	/* A square wave whose loudness differs from frame to frame. */
	for (int i = 0; i < FRAME; i++)
		body[i] = (uint8_t)(p->byte ^ (i / 16 % 2 ? 0x80 : 0));
	send_packet(p, p->payload, body, sizeof(body));
	p->ts += FRAME;
}

/* The kernel's stamp, so that nothing is said of how late we read it. */
static ssize_t
receive(int fd, uint8_t *m, size_t cap, int64_t *at)
{
	union {
		char p[CMSG_SPACE(sizeof(struct timespec))];
		struct cmsghdr align;
	} control;
	struct iovec v = { m, cap };
	struct msghdr h = { .msg_iov = &v,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &h, 0);
	struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&h);
	struct timespec t;

	if (c != NULL && c->cmsg_type == SCM_TIMESTAMPNS) {
		memcpy(&t, CMSG_DATA(c), sizeof(t));
		*at = t.tv_sec * 1000000LL + t.tv_nsec / 1000;
	}
	return n;
}

static void
hear(struct party *p)
{
	uint8_t m[1500];
	int64_t now = 0;
	ssize_t n;

	while ((n = receive(p->fd, m, sizeof(m), &now)) >= HEAD) {
		uint16_t seq = (uint16_t)(m[2] << 8 | m[3]);
		uint32_t ts, ssrc;

		memcpy(&ts, m + 4, 4);
		memcpy(&ssrc, m + 8, 4);
		ts = ntohl(ts);
		if ((m[1] & 0x7f) >= RTCP_FIRST && (m[1] & 0x7f) <= RTCP_LAST)
			continue;
		if (p->packets == 0)
			p->first = now;
		else {
			if (ssrc != p->ssrc ||
			    (int16_t)(seq - p->last_seq) <= 0 ||
			    (int32_t)(ts - p->last_ts) < 0)
				p->broken = true;
			if (ts - p->last_ts != FRAME)
				p->uneven++;
			if (now - p->last > p->longest_us)
				p->longest_us = now - p->last;
		}
		p->packets++;
		p->mine += n > HEAD && m[HEAD] == p->other;
		p->ssrc = ssrc;
		p->last_seq = seq;
		p->last_ts = ts;
		p->last = now;
		p->last_payload = m[1] & 0x7f;
	}
}

void
forget_heard(struct party *p)
{
	p->packets = p->mine = p->uneven = 0;
	p->broken = false;
	p->longest_us = 0;
}

static const unsigned never;

static void
live_while(const unsigned *count, unsigned enough, int ms)
{
	int64_t until = now_us() + ms * 1000LL;

	while (*count < enough && now_us() < until) {
		struct party *all[] = { &caller, &helper };

		for (int i = 0; i < 2; i++) {
			struct party *p = all[i];

			if (p->fd < 0)
				continue;
			if (p->talks && now_us() >= p->next) {
				p->next = p->next == 0 ? now_us() : p->next;
				p->next += FRAME_US;
				talk(p);
			}
			hear(p);
		}
		media_driver_run(&d, 1);
	}
}

void
live(int ms)
{
	live_while(&never, 1, ms);
}

void
live_until(enum msg_type type, unsigned times)
{
	live_while(&facts[type], times, NOT_LONG);
	if (facts[type] != times)
		fail_msg("%s came %u times", msg_name(type), facts[type]);
}

void
live_heard(const unsigned *packets, unsigned least)
{
	live_while(packets, least, NOT_LONG);
	assert_true(*packets >= least);
}

void
assert_pace(const struct party *p)
{
	unsigned due = (unsigned)((p->last - p->first) / FRAME_US) + 1;

	assert_true(p->packets > ENOUGH);
	assert_in_range(p->packets, due - LATE, due + LATE);
}

int64_t
waited_us(void)
{
	return child_waited(d.pid) + child_waited(getpid());
}

static void
note(const struct msg *m, void *arg)
{
	(void)arg;
	facts[m->type]++;
	news[m->type] = *m;
}

void
a_call(enum judge judge)
{
	memset(facts, 0, sizeof(facts));
	party_comes(&caller, CALLER);
	party_comes(&helper, HELPER);
	caller.talks = helper.talks = true;
	media_driver_join(&d, CALLER, HELPER, judge);
	live(300);
}

int
media_room_hang_up(void **state)
{
	media_driver_close(&d, CALLER);
	media_driver_close(&d, HELPER);
	live(30);
	close(caller.fd);
	close(helper.fd);
	caller.fd = helper.fd = -1;
	memset(facts, 0, sizeof(facts));
	return 0;
}

int
media_room_start(void **state)
{
	media_driver_start(&d, program, "", media_room_streams, true);
	d.fact = note;
	return 0;
}

void
media_room_again(void)
{
	media_driver_restart(&d, program);
}

int
media_room_stop(void **state)
{
	media_driver_stop(&d);
	return 0;
}
