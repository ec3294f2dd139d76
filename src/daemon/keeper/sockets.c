/* daemon/keeper/sockets - see keeper.h */

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/keeper/keeper.h"
#include "proc/chan.h"
#include "proc/log.h"

enum {
	SIP_RCVBUF = 4 * 1024 * 1024, /* a burst while hf-sip is restarted */
	SIP_BACKLOG = 512,
	FDS_BESIDES = 256, /* channels, files, TCP connections of hf-sip */
	TEXT = 256,
	/* The service manager compares each one with all it has. */
	STORED_MAX = 2048,
	PORTS = 65536,
	STEP = 64,
	/* Whoever held a port before us has died a moment ago. */
	TAKEN_TRIES = 100,
	TAKEN_STEP_US = 20000,
};

static struct {
	int sip[CONF_LISTENS_MAX];
	struct hf_addr sip_at[CONF_LISTENS_MAX];
	uint16_t sips;
	bool tcp[CONF_LISTENS_MAX];
	int *rtp; /* RTP, RTCP, RTP, ... */
	uint32_t streams;
	uint16_t port_first;
	struct hf_addr rtp_at;
	uint16_t workers;
	bool patient;
} held;

/* Open before us; by port, the last first. */
static struct found {
	struct one {
		int fd;                 /* -1: taken */
		int family, type, next; /* 0: no other; else its place + 1 */
		bool stored;            /* the service manager has it, too */
		struct hf_addr at;
		bool both_families;
	} * one;
	int n, cap;
	int by_port[PORTS]; /* place + 1 */
	bool all_stored;    /* before we became what we are */
} found;

/* What the service manager does not have yet. */
static struct {
	int fd[STORED_MAX];
	size_t n;
	bool too_many;
} unstored;

static bool refuse(keeper_tell *tell, void *arg, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static bool
refuse(keeper_tell *tell, void *arg, const char *fmt, ...)
{
	char line[TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	tell(arg, line);
	return false;
}

/* All that may be open at once, in us and in each child. */
static bool
raise_limit(uint32_t wanted, keeper_tell *tell, void *arg)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return true;
	r.rlim_cur = r.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &r);
	(void)getrlimit(RLIMIT_NOFILE, &r);
	if (r.rlim_cur >= wanted)
		return true;
	return refuse(tell, arg,
	    "rtp.ports: %u descriptors are needed and the limit on open files "
	    "is %llu: raise it (LimitNOFILE=) or name fewer ports",
	    wanted, (unsigned long long)r.rlim_cur);
}

static int
family_of(const struct hf_addr *a)
{
	return a->family == 4 ? AF_INET : AF_INET6;
}

void
sockets_found(int fd, bool stored)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa), size = sizeof(int);
	struct one *o;
	int v6only = 1;

	if (found.n == found.cap) {
		found.cap = 2 * found.cap + STEP;
		found.one =
		    realloc(found.one, (size_t)found.cap * sizeof(*found.one));
		hf_assert(found.one != NULL);
	}
	o = &found.one[found.n];
	*o = (struct one){ .fd = fd, .stored = stored || found.all_stored };
	if (getsockname(fd, (struct sockaddr *)&sa, &n) != 0 ||
	    !hf_addr_from_sockaddr((struct sockaddr *)&sa, &o->at) ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &o->type, &size) != 0) {
		(void)close(fd);
		return;
	}
	o->family = sa.ss_family;
	size = sizeof(v6only);
	o->both_families =
	    sa.ss_family == AF_INET6 &&
	    getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, &size) == 0 &&
	    v6only == 0;
	o->next = found.by_port[o->at.port];
	found.by_port[o->at.port] = ++found.n;
}

/* One that hears every address tells that of its peer's interface once it is
 * connected. */
static bool
is_there(const struct one *o, const struct hf_addr *at)
{
	return o->family == family_of(at) &&
	       (hf_addr_is_any(at) || hf_addr_eq(&o->at, at));
}

/* One that was bound there before us, or -1.  What the service manager has is
 * not given to it again. */
static int
found_take(const struct hf_addr *at, int type, bool both_families, bool *stored)
{
	struct one *best = NULL;
	int fd;

	for (int i = found.by_port[at->port]; i != 0;
	     i = found.one[i - 1].next) {
		struct one *o = &found.one[i - 1];

		if (o->fd >= 0 && o->type == type && is_there(o, at) &&
		    o->both_families == (both_families && at->family != 4) &&
		    (best == NULL || o->stored))
			best = o;
	}
	if (best == NULL)
		return -1;
	fd = best->fd;
	best->fd = -1;
	*stored = best->stored;
	return fd;
}

/* What the configuration does not name any more. */
static void
found_close(void)
{
	for (int i = 0; i < found.n; i++)
		if (found.one[i].fd >= 0)
			(void)close(found.one[i].fd);
	free(found.one);
	found.one = NULL;
	found.n = found.cap = 0;
}

/* A bound socket, or -1 and errno. */
static int
bind_anew(const struct hf_addr *at, int type, bool both_families)
{
	int family = family_of(at), fd, err, on = 1, off = 0;
	struct sockaddr_storage sa;
	socklen_t n;

	fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* "udp:0.0.0.0:5060" and "udp:[::]:5060" may stand side by side. */
	if (family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY,
		    both_families ? &off : &on, sizeof(on));
	/* For TCP it passes over old connections in TIME_WAIT.  For UDP it
	 * would let two programs share one port, and steal from each other. */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	n = hf_addr_to_sockaddr(at, family, &sa);
	if (bind(fd, (struct sockaddr *)&sa, n) == 0 &&
	    (type != SOCK_STREAM || listen(fd, SIP_BACKLOG) == 0))
		return fd;
	err = errno;
	(void)close(fd);
	errno = err;
	return -1;
}

static int
bound(const struct hf_addr *at, int type, bool both_families)
{
	bool stored = false;
	int fd = found_take(at, type, both_families, &stored);

	for (int i = 0; fd < 0 && i < (held.patient ? TAKEN_TRIES : 1); i++) {
		if (i > 0)
			(void)usleep(TAKEN_STEP_US);
		fd = bind_anew(at, type, both_families);
		if (fd < 0 && errno != EADDRINUSE)
			break;
	}
	if (fd >= 0 && !stored && unstored.n < STORED_MAX)
		unstored.fd[unstored.n++] = fd;
	else if (fd >= 0 && !stored)
		unstored.too_many = true;
	return fd;
}

static void
widen(int fd)
{
	int bytes = SIP_RCVBUF;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) !=
	    0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
}

static const char *
remedy(int err)
{
	return err == EADDRINUSE ? "; another program has it (ss -anp shows "
				   "which): stop that, or name another"
	       : err == EADDRNOTAVAIL
		   ? "; it is no address of this machine (ip address)"
		   : "";
}

static bool
open_sip(const struct conf *c, keeper_tell *tell, void *arg)
{
	char text[HF_ADDR_TEXT_MAX];

	for (uint16_t i = 0; i < c->sip.listens; i++) {
		const struct conf_listen *l = &c->sip.listen[i];
		bool tcp = l->transport == CONF_TCP;
		int fd = bound(&l->addr, tcp ? SOCK_STREAM : SOCK_DGRAM, false);

		if (fd < 0)
			return refuse(tell, arg, "sip.listen: %s %s: %s%s",
			    tcp ? "tcp" : "udp", hf_addr_text(&l->addr, text),
			    strerror(errno), remedy(errno));
		if (!tcp)
			widen(fd);
		held.sip[i] = fd;
		held.sip_at[i] = l->addr;
		held.tcp[i] = tcp;
		held.sips = (uint16_t)(i + 1);
	}
	return true;
}

static bool
hears_ipv6(const struct conf_sip *s)
{
	for (uint16_t i = 0; i < s->listens; i++)
		if (s->listen[i].addr.family == 6)
			return true;
	return false;
}

/* Who is called over both families has sockets for both, which pay for a
 * route with each packet over IPv4: the kernel takes its address for one that
 * was named anew.  A socket of IPv4 alone keeps its route. */
static struct hf_addr
rtp_address(const struct conf *c, bool *both)
{
	*both = false;
	if (c->rtp.address.family != 0)
		return c->rtp.address;
	*both = hears_ipv6(&c->sip);
	return (struct hf_addr){ .family = *both ? 6 : 4 };
}

static bool
open_rtp(const struct conf *c, keeper_tell *tell, void *arg)
{
	char text[HF_ADDR_TEXT_MAX];
	struct hf_addr at;
	bool both;

	at = held.rtp_at = rtp_address(c, &both);
	held.rtp = calloc(held.streams * 2, sizeof(*held.rtp));
	hf_assert(held.rtp != NULL);
	for (uint32_t i = 0; i < held.streams * 2; i++) {
		at.port = (uint16_t)(held.port_first + i);
		held.rtp[i] = bound(&at, SOCK_DGRAM, both);
		if (held.rtp[i] < 0)
			return refuse(tell, arg, "rtp.ports: %s: %s%s",
			    hf_addr_text(&at, text), strerror(errno),
			    remedy(errno));
	}
	return true;
}

bool
sockets_open(const struct conf *c, bool again, keeper_tell *tell, void *arg)
{
	held.patient = again;
	held.port_first = c->rtp.port_first;
	held.streams = (uint32_t)(c->rtp.port_last - c->rtp.port_first + 1) / 2;
	held.workers = children_workers();
	if (!raise_limit(held.streams * 2 + FDS_BESIDES, tell, arg) ||
	    !open_sip(c, tell, arg) || !open_rtp(c, tell, arg))
		return false;
	found_close();
	/* SIP's came first.  Half of the streams would be of no use. */
	if (unstored.too_many)
		unstored.n = held.sips;
	return true;
}

void
sockets_unstored(const int **fd, size_t *n)
{
	*fd = unstored.fd;
	*n = unstored.n;
}

void
sockets_over_exec(bool stay)
{
	int flags = stay ? 0 : FD_CLOEXEC;

	for (uint16_t i = 0; i < held.sips; i++)
		(void)fcntl(held.sip[i], F_SETFD, flags);
	for (uint32_t i = 0; i < held.streams * 2; i++)
		(void)fcntl(held.rtp[i], F_SETFD, flags);
}

void
sockets_all_stored(void)
{
	found.all_stored = true;
}

uint32_t
sockets_streams(void)
{
	return held.streams;
}

/* Neighbouring streams belong together, the last worker takes the rest. */
void
sockets_share(uint16_t worker, uint32_t *first, uint32_t *count)
{
	uint32_t each = held.streams / held.workers;

	*first = each * worker;
	*count = worker + 1 == held.workers ? held.streams - *first : each;
}

static void
hand_sip(struct chan *to)
{
	for (uint16_t i = 0; i < held.sips; i++) {
		struct msg m = { .type = MSG_SOCKET,
			.socket = {
			    .first = i, .count = 1, .at = held.sip_at[i] } };

		(void)snprintf(m.socket.what, sizeof(m.socket.what), "%s",
		    held.tcp[i] ? "sip-tcp" : "sip-udp");
		chan_send_fds(to, &m, &held.sip[i], 1, true);
	}
}

static void
hand_rtp(struct chan *to, uint16_t worker)
{
	uint32_t first, count, end;

	sockets_share(worker, &first, &count);
	end = first + count;
	while (first < end) {
		uint32_t n = end - first;
		struct msg m = { .type = MSG_SOCKET,
			.socket = { .what = "rtp",
			    .first = first,
			    .at = held.rtp_at } };

		if (n > CHAN_FDS_MAX / 2)
			n = CHAN_FDS_MAX / 2;
		m.socket.count = (uint16_t)(2 * n);
		m.socket.at.port = (uint16_t)(held.port_first + 2 * first);
		chan_send_fds(
		    to, &m, &held.rtp[(size_t)2 * first], m.socket.count, true);
		first += n;
	}
}

void
sockets_hand_over(struct chan *to, enum room room, uint16_t worker)
{
	if (room == ROOM_SIP)
		hand_sip(to);
	else if (room == ROOM_MEDIA)
		hand_rtp(to, worker);
}
