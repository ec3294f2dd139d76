/* The world: sockets, time, and who is there. */
#include "tests/lib/ua.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

enum {
	HASHES = 4096,
	EVENTS = 128,
	PORTS_FIRST = 16000,
	PORTS_LAST = 60000,
	SIP_TURN_US = 5000,
	CONN_CAP = 65536,
	READS_A_TURN = 256,
};

struct ua_conn {
	struct ua *ua;
	struct ua_conn *next;
	int fd;
	struct sockaddr_storage peer;
	int n;
	char in[CONN_CAP];
};

struct watched {
	void *key;
	int kind;
};

struct ua_world {
	int epoll;
	struct ua *first;
	struct ua_conn *conns;
	struct ua_call *hash[HASHES];
	uint64_t random;
	int port;
	int64_t sip_turn, sip_turn_us;
	int media;    /* calls whose packets we move */
	int64_t came; /* kernel's stamp on the datagram in hand, 0: none is */
	struct watched watched[65536]; /* by descriptor */
};

static int64_t
clock_us(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
ua_now(void)
{
	return clock_us(CLOCK_MONOTONIC);
}

static int64_t
wall_offset(void)
{
	return clock_us(CLOCK_REALTIME) - clock_us(CLOCK_MONOTONIC);
}

int64_t
ua_kernel_time(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c != NULL;
	     c = CMSG_NXTHDR(m, c))
		if (c->cmsg_level == SOL_SOCKET &&
		    c->cmsg_type == SCM_TIMESTAMPNS) {
			struct timespec t;
			memcpy(&t, CMSG_DATA(c), sizeof t);
			return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 -
			       wall_offset();
		}
	return ua_now();
}

struct ua_world *
ua_world_new(void)
{
	struct ua_world *w = calloc(1, sizeof *w);

	if (w == NULL)
		abort();
	w->sip_turn_us = SIP_TURN_US;
	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	w->random =
	    (uint64_t)ua_now() * 0x9e3779b97f4a7c15u + (uint64_t)getpid();
	w->port = PORTS_FIRST + 2 * (getpid() % 8000);
	return w;
}

uint32_t
ua_random(struct ua_world *w)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return (uint32_t)(w->random >> 16);
}

struct ua *
ua_first(struct ua_world *w)
{
	return w->first;
}

void
ua_watch(struct ua_world *w, int fd, void *key, int kind)
{
	struct epoll_event e = { .events = EPOLLIN, .data.fd = fd };

	w->watched[fd] = (struct watched){ key, kind };
	epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e);
}

void
ua_unwatch(struct ua_world *w, int fd)
{
	epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, NULL);
	w->watched[fd].key = NULL;
}

/* ---- addresses and sockets
 * --------------------------------------------------- */

static socklen_t
length_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					: sizeof(struct sockaddr_in);
}

static bool
address(const char *ip, int port, struct sockaddr_storage *out)
{
	struct sockaddr_in *four = (void *)out;
	struct sockaddr_in6 *six = (void *)out;

	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, ip, &four->sin_addr) == 1) {
		four->sin_family = AF_INET;
		four->sin_port = htons((uint16_t)port);
		return true;
	}
	six->sin6_family = AF_INET6;
	six->sin6_port = htons((uint16_t)port);
	return inet_pton(AF_INET6, ip, &six->sin6_addr) == 1;
}

static int
port_of(int fd)
{
	struct sockaddr_storage a;
	socklen_t n = sizeof a;

	getsockname(fd, (struct sockaddr *)&a, &n);
	return ntohs(a.ss_family == AF_INET6
			 ? ((struct sockaddr_in6 *)&a)->sin6_port
			 : ((struct sockaddr_in *)&a)->sin_port);
}

struct ua_where
ua_where(const char *text)
{
	struct ua_where w = { .conn = NULL };
	char host[64];
	int port;

	if (!sip_text_host(text, host, sizeof host, &port) ||
	    !address(host, port, &w.to)) {
		fprintf(stderr, "not an address: %s\n", text);
		exit(99);
	}
	return w;
}

void
ua_host_text(const char *ip, char *out, size_t cap)
{
	snprintf(out, cap, strchr(ip, ':') != NULL ? "[%s]" : "%s", ip);
}

static int
bound(const char *ip, int port, int type)
{
	struct sockaddr_storage a;
	int on = 1;

	if (!address(ip, port, &a))
		return -1;
	int fd = socket(a.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
	if (bind(fd, (struct sockaddr *)&a, length_of(&a)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int
ua_port_take(struct ua_world *w, const char *ip, int *rtp, int *rtcp)
{
	for (int tries = 0; tries < 2000; tries++) {
		int port = w->port;
		w->port = port + 2 > PORTS_LAST ? PORTS_FIRST : port + 2;
		if ((*rtp = bound(ip, port, SOCK_DGRAM)) < 0)
			continue;
		if ((*rtcp = bound(ip, port + 1, SOCK_DGRAM)) >= 0)
			return port;
		close(*rtp);
	}
	fprintf(stderr, "no free port at %s: %s\n", ip, strerror(errno));
	exit(99);
}

/* ---- user agents
 * --------------------------------------------------------------- */

struct ua_manner
ua_manner(void)
{
	return (struct ua_manner){ .answer_ms = 20,
		.hang_up_ms = -1,
		.ptime = 20,
		.payload = { VOICE_PCMU, VOICE_PCMA, -1 },
		.dtmf = 101,
		.cn = 13 };
}

void
ua_open(struct ua *u)
{
	int big = 4 << 20;

	for (int tries = 0; tries < 50 && u->udp < 0; tries++) {
		u->udp = bound(u->ip, u->port, SOCK_DGRAM);
		if (u->udp < 0)
			break;
		int port = port_of(u->udp);
		u->tcp = bound(u->ip, port, SOCK_STREAM);
		if (u->tcp < 0) {
			close(u->udp);
			u->udp = -1;
			continue;
		}
		u->port = port;
	}
	if (u->udp < 0) {
		fprintf(stderr, "%s: cannot bind %s:%d: %s\n", u->name, u->ip,
		    u->port, strerror(errno));
		exit(99);
	}
	setsockopt(u->udp, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof big);
	listen(u->tcp, 64);
	ua_watch(u->world, u->udp, u, UA_FD_UDP);
	ua_watch(u->world, u->tcp, u, UA_FD_LISTEN);
}

struct ua *
ua_new(struct ua_world *w, const char *name, const char *ip,
    enum ua_transport transport, int voice)
{
	struct ua *u = calloc(1, sizeof *u);

	if (u == NULL)
		abort();
	*u = (struct ua){ .world = w,
		.next = w->first,
		.transport = transport,
		.voice = voice,
		.udp = -1,
		.tcp = -1,
		.family = strchr(ip, ':') != NULL ? AF_INET6 : AF_INET,
		.manner = ua_manner() };
	snprintf(u->name, sizeof u->name, "%s", name);
	snprintf(u->user, sizeof u->user, "%s", name);
	snprintf(u->ip, sizeof u->ip, "%s", ip);
	w->first = u;
	ua_open(u);
	return u;
}

static void
conn_close(struct ua_conn *c)
{
	if (c->fd >= 0) {
		ua_unwatch(c->ua->world, c->fd);
		close(c->fd);
		c->fd = -1;
	}
}

void
ua_close(struct ua *u)
{
	if (u->udp >= 0) {
		ua_unwatch(u->world, u->udp);
		ua_unwatch(u->world, u->tcp);
		close(u->udp);
		close(u->tcp);
		u->udp = u->tcp = -1;
	}
	for (struct ua_conn *c = u->world->conns; c != NULL; c = c->next)
		if (c->ua == u)
			conn_close(c);
}

void
ua_world_free(struct ua_world *w)
{
	for (struct ua *u = w->first, *un; u != NULL; u = un) {
		un = u->next;
		ua_close(u);
		for (struct ua_call *c = u->calls, *cn; c != NULL; c = cn) {
			cn = c->next;
			ua_media_close(c);
			free(c->media.heard);
			free(c->media.late);
			free(c->invite);
			free(c->note);
			free(c->cli_inv.raw);
			free(c->cli_non.raw);
			free(c->srv_inv.raw);
			free(c->srv_non.raw);
			free(c->ack.raw);
			free(c);
		}
		free((void *)(uintptr_t)u->says);
		free(u);
	}
	for (struct ua_conn *c = w->conns, *cn; c != NULL; c = cn) {
		cn = c->next;
		free(c);
	}
	close(w->epoll);
	free(w);
}

/* ---- calls
 * ------------------------------------------------------------------------ */

static unsigned
hash_of(const char *s)
{
	unsigned h = 2166136261u;

	while (*s != '\0')
		h = (h ^ (unsigned char)*s++) * 16777619u;
	return h % HASHES;
}

struct ua_call *
ua_find(struct ua *u, const char *call_id)
{
	struct ua_call *c = u->world->hash[hash_of(call_id)];

	while (c != NULL && (c->ua != u || strcmp(c->call_id, call_id) != 0))
		c = c->same_hash;
	return c;
}

struct ua_call *
ua_call_new(struct ua *u, const char *call_id)
{
	struct ua_world *w = u->world;
	struct ua_call *c = calloc(1, sizeof *c);

	if (c == NULL)
		abort();
	c->ua = u;
	c->manner = u->manner;
	c->came = ua_now();
	c->media.rtp = c->media.rtcp = -1;
	c->ring_at = c->answer_at = c->hang_up_at = INT64_MAX;
	snprintf(c->direction, sizeof c->direction, "sendrecv");
	if (call_id != NULL)
		snprintf(c->call_id, sizeof c->call_id, "%s", call_id);
	else
		snprintf(c->call_id, sizeof c->call_id, "%08x%08x.%s",
		    ua_random(w), ua_random(w), u->name);
	snprintf(c->local_tag, sizeof c->local_tag, "t%08x", ua_random(w));
	c->cseq = 1 + ua_random(w) % 1000;
	c->next = u->calls;
	u->calls = c;
	unsigned h = hash_of(c->call_id);
	c->same_hash = w->hash[h];
	w->hash[h] = c;
	return c;
}

struct ua_call *
ua_current(const struct ua *u)
{
	struct ua_call *c = u->calls;

	while (c != NULL && (c->over || c->pseudo))
		c = c->next;
	return c;
}

void
ua_note(struct ua_call *c, enum ua_event what, int code, const char *text)
{
	if (c->notes == c->note_cap) {
		c->note_cap = c->note_cap == 0 ? 8 : 2 * c->note_cap;
		c->note = realloc(c->note, c->note_cap * sizeof *c->note);
		if (c->note == NULL)
			abort();
	}
	struct ua_note *n = &c->note[c->notes++];
	*n = (struct ua_note){ .at = ua_now(), .what = what, .code = code };
	n->came = c->ua->world->came != 0 ? c->ua->world->came : n->at;
	if (text != NULL)
		snprintf(n->text, sizeof n->text, "%s", text);
	if (c->ua->on_note != NULL) {
		struct ua_note copy = *n;
		c->ua->on_note(c, &copy);
	}
}

const struct ua_note *
ua_noted(const struct ua_call *c, enum ua_event what, int64_t from)
{
	for (size_t i = 0; i < c->notes; i++)
		if (c->note[i].what == what && c->note[i].at >= from)
			return &c->note[i];
	return NULL;
}

/* ---- in and out
 * ---------------------------------------------------------------------- */

static struct ua_conn *
conn_new(struct ua *u, int fd, const struct sockaddr_storage *peer)
{
	struct ua_conn *c = calloc(1, sizeof *c);
	int on = 1;

	if (c == NULL)
		abort();
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	c->ua = u;
	c->fd = fd;
	c->peer = *peer;
	c->next = u->world->conns;
	u->world->conns = c;
	ua_watch(u->world, fd, c, UA_FD_CONN);
	return c;
}

struct ua_conn *
ua_connect(struct ua *u, const struct sockaddr_storage *to)
{
	for (struct ua_conn *c = u->world->conns; c != NULL; c = c->next)
		if (c->ua == u && c->fd >= 0 &&
		    memcmp(&c->peer, to, length_of(to)) == 0)
			return c;
	int fd = bound(u->ip, 0, SOCK_STREAM);
	if (fd < 0)
		return NULL;
	/* Loopback: a blocking connect ends at once, one way or the other. */
	fcntl(fd, F_SETFL, 0);
	if (connect(fd, (const struct sockaddr *)to, length_of(to)) != 0) {
		close(fd);
		return NULL;
	}
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return conn_new(u, fd, to);
}

void
ua_send(struct ua *u, const struct ua_where *to, const char *p, int n)
{
	if (u->dead || u->udp < 0 || ua_now() < u->cut_until)
		return;
	if (to->conn != NULL) {
		if (to->conn->fd >= 0 &&
		    send(to->conn->fd, p, (size_t)n, MSG_NOSIGNAL) != n)
			conn_close(to->conn);
		return;
	}
	/* Refusals (ICMP) are met by retransmission and time-out. */
	if (sendto(u->udp, p, (size_t)n, MSG_NOSIGNAL,
		(const struct sockaddr *)&to->to, length_of(&to->to)) < 0)
		return;
}

static bool
numb(const struct ua *u)
{
	return u->dead || ua_now() < u->cut_until;
}

static void
udp_read(struct ua *u)
{
	static char p[65536];

	for (int i = 0; i < READS_A_TURN && u->udp >= 0; i++) {
		struct ua_where from = { .conn = NULL };
		struct iovec v = { p, sizeof p };
		uint8_t control[256];
		struct msghdr m = { .msg_name = &from.to,
			.msg_namelen = sizeof from.to,
			.msg_iov = &v,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof control };
		ssize_t n = recvmsg(u->udp, &m, 0);
		if (n < 0 && errno != ECONNREFUSED)
			return;
		if (n <= 0 || numb(u))
			continue;
		u->world->came = ua_kernel_time(&m);
		ua_got(u, &from, p, (int)n);
		u->world->came = 0;
	}
}

static void
conn_read(struct ua_conn *c)
{
	ssize_t n = recv(c->fd, c->in + c->n, sizeof c->in - (size_t)c->n, 0);
	struct ua_where from = { .to = c->peer, .conn = c };
	int whole;

	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			conn_close(c);
		return;
	}
	c->n += (int)n;
	for (;;) {
		int skip = 0; /* keep-alives, RFC 5626 */
		while (
		    skip < c->n && (c->in[skip] == '\r' || c->in[skip] == '\n'))
			skip++;
		memmove(c->in, c->in + skip, (size_t)(c->n - skip));
		c->n -= skip;
		whole = sip_text_frame(c->in, (size_t)c->n);
		if (whole <= 0)
			break;
		if (!numb(c->ua))
			ua_got(c->ua, &from, c->in, whole);
		if (c->fd < 0)
			return;
		memmove(c->in, c->in + whole, (size_t)(c->n - whole));
		c->n -= whole;
	}
	if (whole < 0)
		conn_close(c);
}

static void
ready(struct ua_world *w, int fd)
{
	struct watched *x = &w->watched[fd];
	struct sockaddr_storage peer = { 0 };
	socklen_t k = sizeof peer;

	if (x->key == NULL)
		return;
	switch (x->kind) {
	case UA_FD_UDP:
		udp_read(x->key);
		break;
	case UA_FD_LISTEN: {
		struct ua *u = x->key;
		int c = accept4(fd, (struct sockaddr *)&peer, &k,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (c >= 0)
			conn_new(u, c, &peer);
		break;
	}
	case UA_FD_CONN:
		conn_read(x->key);
		break;
	case UA_FD_RTP:
		ua_media_read(x->key, false);
		break;
	case UA_FD_RTCP:
		ua_media_read(x->key, true);
		break;
	}
}

void
ua_turn(struct ua_world *w, int wait_ms)
{
	struct epoll_event e[EVENTS];
	int64_t now = ua_now();

	if (w->media > 0)
		ua_media_turn(w, now);
	if (now >= w->sip_turn) {
		ua_sip_turn(w, now);
		w->sip_turn = now + w->sip_turn_us;
	}
	int n = epoll_wait(w->epoll, e, EVENTS, wait_ms);
	for (int i = 0; i < n; i++)
		ready(w, e[i].data.fd);
}

bool
ua_run(struct ua_world *w, int64_t ms, bool (*done)(void *), void *arg)
{
	for (int64_t until = ua_now() + ms * 1000;;) {
		if (done != NULL && done(arg))
			return true;
		if (ua_now() >= until)
			return false;
		ua_turn(w, 1);
	}
}

void
ua_world_slow(struct ua_world *w, int64_t us)
{
	w->sip_turn_us = us;
}

void
ua_media_count(struct ua_world *w, int more)
{
	w->media += more;
}
