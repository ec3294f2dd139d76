/* tests/lib/dns - a name server of the test's own: see dns.h */

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lib/dns.h"

enum { HEADER = 12, MESSAGE = 512, TYPE_A = 1, TYPE_AAAA = 28, LOOK_MS = 20 };

struct dns_server {
	pthread_t thread;
	pthread_mutex_t lock;
	int fd;
	uint16_t port;
	bool over;
	enum dns_manner manner;
	char ips[256];
	uint32_t ttl_s;
	uint32_t asked;
	unsigned seed;
};

static void
put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static int
bound(uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
		perror("dns server");
		exit(99);
	}
	return fd;
}

/* The question's type; 0 when it is none.  *end is behind it. */
static unsigned
question(const uint8_t *q, size_t n, size_t *end)
{
	size_t i = HEADER;

	while (i < n && q[i] != 0)
		i += q[i] + 1u;
	if (n < HEADER || i + 5 > n || (q[2] & 0x80) != 0)
		return 0;
	*end = i + 5;
	return (unsigned)q[i + 1] << 8 | q[i + 2];
}

/* One record; its name points to the question's. */
static size_t
put_record(uint8_t *r, unsigned type, const void *ip, size_t n, uint32_t ttl)
{
	put16(r, 0xc000 | HEADER);
	put16(r + 2, type);
	put16(r + 4, 1);
	put16(r + 6, ttl >> 16);
	put16(r + 8, ttl & 0xffff);
	put16(r + 10, (unsigned)n);
	memcpy(r + 12, ip, n);
	return 12 + n;
}

/* Those of the addresses that are of this type. */
static size_t
put_records(
    struct dns_server *s, uint8_t *r, size_t n, unsigned type, const char *ips)
{
	char text[sizeof(s->ips)], *at = text, *one;
	size_t size = type == TYPE_A ? 4 : 16;
	unsigned count = 0;
	uint8_t ip[16];

	snprintf(text, sizeof(text), "%s", ips);
	while ((one = strsep(&at, " ")) != NULL) {
		if (inet_pton(type == TYPE_A ? AF_INET : AF_INET6, one, ip) !=
			1 ||
		    n + 12 + size > MESSAGE)
			continue;
		n += put_record(r + n, type, ip, size, s->ttl_s);
		count++;
	}
	put16(r + 6, count);
	return n;
}

/* The bytes to say, in r, which begins with the question. */
static size_t
answer(struct dns_server *s, uint8_t *r, size_t n, unsigned type)
{
	put16(r + 2, 0x8180);
	memset(r + 6, 0, 6);
	switch (s->manner) {
	case DNS_SILENT:
		return 0;
	case DNS_NXDOMAIN:
		put16(r + 2, 0x8183);
		return n;
	case DNS_SERVFAIL:
		put16(r + 2, 0x8182);
		return n;
	case DNS_ANSWERS:
		return put_records(s, r, n, type, s->ips);
	case DNS_NOWHERE:
		return put_records(
		    s, r, n, type, "0.0.0.0 255.255.255.255 :: ff02::1");
	case DNS_CUT:
		return put_records(s, r, n, TYPE_A, "127.0.0.66") - 3;
	case DNS_LIES:
		n = put_records(s, r, n, TYPE_A, "127.0.0.66");
		put16(r + n - 6, 400);
		return n;
	case DNS_LOOPS: {
		size_t at = n;

		n = put_records(s, r, n, TYPE_A, "127.0.0.66");
		put16(r + at, 0xc000 | (unsigned)at);
		return n;
	}
	case DNS_GARBAGE:
		for (n = 2; n < 200; n++)
			r[n] = (uint8_t)rand_r(&s->seed);
		r[2] |= 0x80;
		return n;
	}
	return 0;
}

static void
serve(struct dns_server *s)
{
	struct sockaddr_in from;
	socklen_t with = sizeof(from);
	uint8_t m[MESSAGE];
	unsigned type;
	size_t end = 0;
	ssize_t n = recvfrom(
	    s->fd, m, sizeof(m), MSG_DONTWAIT, (struct sockaddr *)&from, &with);

	if (n <= 0)
		return;
	type = question(m, (size_t)n, &end);
	s->asked += type == TYPE_A;
	end = type != TYPE_A && type != TYPE_AAAA ? 0 : answer(s, m, end, type);
	if (end > 0)
		(void)sendto(s->fd, m, end, 0, (struct sockaddr *)&from, with);
}

static void *
run(void *arg)
{
	struct dns_server *s = arg;
	bool over = false;
	int fd = -1;

	while (!over) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		(void)poll(&p, 1, LOOK_MS);
		pthread_mutex_lock(&s->lock);
		if (s->fd >= 0)
			serve(s);
		over = s->over;
		fd = s->fd;
		pthread_mutex_unlock(&s->lock);
	}
	return NULL;
}

struct dns_server *
dns_server_new(void)
{
	struct dns_server *s = calloc(1, sizeof(*s));
	struct sockaddr_in at;
	socklen_t n = sizeof(at);

	if (s == NULL)
		exit(99);
	s->fd = bound(0);
	s->seed = 7;
	(void)getsockname(s->fd, (struct sockaddr *)&at, &n);
	s->port = ntohs(at.sin_port);
	pthread_mutex_init(&s->lock, NULL);
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		exit(99);
	return s;
}

uint16_t
dns_server_port(const struct dns_server *s)
{
	return s->port;
}

void
dns_server_free(struct dns_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->over = true;
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

void
dns_server_says(struct dns_server *s, enum dns_manner manner, const char *ips,
    uint32_t ttl_s)
{
	pthread_mutex_lock(&s->lock);
	s->manner = manner;
	snprintf(s->ips, sizeof(s->ips), "%s", ips);
	s->ttl_s = ttl_s;
	pthread_mutex_unlock(&s->lock);
}

void
dns_server_dies(struct dns_server *s)
{
	pthread_mutex_lock(&s->lock);
	close(s->fd);
	s->fd = -1;
	pthread_mutex_unlock(&s->lock);
}

void
dns_server_lives(struct dns_server *s)
{
	pthread_mutex_lock(&s->lock);
	s->fd = bound(s->port);
	pthread_mutex_unlock(&s->lock);
}

uint32_t
dns_server_asked(const struct dns_server *s)
{
	struct dns_server *own = (struct dns_server *)(uintptr_t)s;
	uint32_t n;

	pthread_mutex_lock(&own->lock);
	n = own->asked;
	pthread_mutex_unlock(&own->lock);
	return n;
}
