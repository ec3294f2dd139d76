/* daemon/media/port - the sockets.  One that is connected takes packets from
 * one address alone (the kernel sees to it), costs a fifth less to send on and
 * tells when nobody is there any more. */

#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/media/room.h"

enum {
	DSCP_EF = 0xb8, /* RFC 3246, in the place of the old TOS byte */
	DRAIN_MAX = 4096,
	HEAR_MAX = 64,  /* packets of one party at once: 1.3 s */
	LATCH_SAME = 3, /* packets from one unknown address */
};

/* One at a time; the byte more than a packet may have tells a longer one. */
static uint8_t datagram[RTP_PACKET_MAX + 1];

void
port_take(struct stream *s, int fd, bool rtcp)
{
	*(rtcp ? &s->rtcp_fd : &s->fd) = fd;
	/* Wherever our predecessor left it. */
	*(rtcp ? &s->rtcp_dialled : &s->dialled) = true;
}

static int
family_of(int fd)
{
	int family = AF_INET;
	socklen_t n = sizeof(family);

	hf_assert(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0);
	return family;
}

/* Voice first, where the network listens to such wishes. */
static void
wish(int fd, int family)
{
	int tos = DSCP_EF;

	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	if (family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

/* What was sent to an earlier tenant, or before we knew whom to believe. */
static void
forget(int fd)
{
	for (int i = 0; i < DRAIN_MAX; i++)
		if (recv(fd, datagram, sizeof(datagram), MSG_DONTWAIT) < 0 &&
		    errno != ECONNREFUSED)
			return;
}

static bool
dial(int fd, int family, const struct hf_addr *a)
{
	struct sockaddr_storage sa = { 0 };
	socklen_t n = sizeof(sa.ss_family);

	sa.ss_family = AF_UNSPEC;
	if (a->family != 0)
		n = hf_addr_to_sockaddr(a, family, &sa);
	return n > 0 && connect(fd, (struct sockaddr *)&sa, n) == 0;
}

/* Takes a socket back from where it was connected to; also lets the kernel
 * choose its source address anew. */
static void
hang_up(const struct stream *s, int fd, bool *dialled)
{
	static const struct hf_addr none;

	if (fd >= 0 && *dialled)
		(void)dial(fd, s->family, &none);
	*dialled = false;
}

static void
listen_on(const struct stream *s, int fd, bool rtcp)
{
	/* By edge: a socket that was read is not polled once more, a tenth of
	 * a packet's price.  port_hear() sees to it that nothing stays. */
	struct epoll_event ev = {
		.events = EPOLLIN | EPOLLET,
		.data.u64 = (uint64_t)(s - room.stream) << 1 | rtcp,
	};

	if (fd >= 0)
		hf_assert(epoll_ctl(room.epoll, EPOLL_CTL_ADD, fd, &ev) == 0);
}

/* From the first call at this port on, for good: coming and going would be a
 * third of what a call costs.  Between calls an edge is passed over, and what
 * made it is thrown away by the next port_open(). */
static void
listen_once(struct stream *s)
{
	if (s->polled)
		return;
	s->polled = true;
	wish(s->fd, s->family);
	wish(s->rtcp_fd, s->family);
	listen_on(s, s->fd, false);
	listen_on(s, s->rtcp_fd, true);
}

/* From here on the kernel keeps all others out.  Those who knocked before lie
 * in the socket still: it is not trusted until it was seen empty. */
static void
lock_to(struct stream *s, const struct hf_addr *a)
{
	hang_up(s, s->fd, &s->dialled);
	s->far = *a;
	s->connected = s->dialled = dial(s->fd, s->family, a);
	s->unsure = true;
	if (!s->connected)
		hf_log(LOG_WARNING, "stream_not_connected",
		    "stream=%u why=\"%s\"", s->ref.n, strerror(errno));
	s->undialable = !s->connected;
}

static void
settle(struct stream *s, const struct hf_addr *a)
{
	lock_to(s, a);
	stream_commit(s, proc_now());
}

/* Connected with the first packet either way, no earlier: many a call has
 * none.  Until then whose packet it is is looked at here. */
void
port_open(struct stream *s)
{
	static const struct hf_addr none;

	s->far = s->media.rtp;
	s->latch = none;
	s->latch_same = s->latch_seen = 0;
	s->refused = s->undialable = false;
	s->connected = false;
	if (s->fd < 0)
		return;
	if (!s->polled)
		s->family = family_of(s->fd);
	hang_up(s, s->fd, &s->dialled);
	hang_up(s, s->rtcp_fd, &s->rtcp_dialled);
	forget(s->fd);
	if (s->rtcp_fd >= 0)
		forget(s->rtcp_fd);
	listen_once(s);
}

static bool
is_dialled_to(int fd, const struct hf_addr *a)
{
	struct sockaddr_storage sa;
	socklen_t n = sizeof(sa);
	struct hf_addr to;

	return getpeername(fd, (struct sockaddr *)&sa, &n) == 0 &&
	       hf_addr_from_sockaddr((struct sockaddr *)&sa, &to) &&
	       hf_addr_eq(&to, a);
}

/* What waits in a socket that the earlier life had connected is this call's:
 * the caller shall hear it. */
void
port_adopt(struct stream *s, const struct hf_addr *far)
{
	if (s->fd < 0 || !is_dialled_to(s->fd, far)) {
		port_open(s);
		if (s->fd >= 0)
			lock_to(s, far);
		return;
	}
	s->family = family_of(s->fd);
	s->far = *far;
	s->connected = s->dialled = s->unsure = true;
	hang_up(s, s->rtcp_fd, &s->rtcp_dialled);
	listen_once(s);
}

/* Left unconnected: the next party's first packet may be here before we are
 * told of him, and a connected socket would answer that nobody is. */
void
port_close(struct stream *s)
{
	hang_up(s, s->fd, &s->dialled);
	hang_up(s, s->rtcp_fd, &s->rtcp_dialled);
	s->connected = false;
}

/* Nobody listens at the far end's port: as hard as evidence gets. */
static void
refused(struct stream *s)
{
	struct msg m = { .type = MSG_STREAM_REFUSED };

	room.count_of.refused++;
	if (s->refused)
		return;
	s->refused = true;
	m.stream_refused.stream = s->ref;
	stream_tell(s, &m);
}

/* ICMP that ends a matter (RFC 1122 4.1.3.3), not a way that may come back. */
static bool
is_hard(int err)
{
	return err == ECONNREFUSED || err == EHOSTUNREACH || err == EHOSTDOWN ||
	       err == ENOPROTOOPT || err == ENONET;
}

static ssize_t
send_to(const struct stream *s, int fd, const void *p, size_t n,
    const struct hf_addr *a)
{
	struct sockaddr_storage sa;
	socklen_t len = hf_addr_to_sockaddr(a, s->family, &sa);

	return sendto(fd, p, n, MSG_DONTWAIT, (struct sockaddr *)&sa, len);
}

void
port_send(struct stream *s, const uint8_t *p, uint16_t n)
{
	ssize_t sent;

	if (s->fd < 0 || s->far.family == 0)
		return;
	if (!s->connected && s->media.latch == LATCH_NEVER && !s->undialable)
		settle(s, &s->far);
	if (s->connected)
		sent = send(s->fd, p, n, MSG_DONTWAIT);
	else
		sent = send_to(s, s->fd, p, n, &s->far);
	if (sent == n) {
		room.count_of.out++;
		return;
	}
	room.count_of.unsent++;
	if (is_hard(errno))
		refused(s);
}

void
port_send_rtcp(struct stream *s, const void *p, size_t n)
{
	struct hf_addr to = s->media.rtcp;

	if (s->media.mux) {
		port_send(s, p, (uint16_t)n);
		return;
	}
	if (s->rtcp_fd < 0 || to.family == 0)
		return;
	if (s->media.latch != LATCH_NEVER) {
		/* Behind the same NAT, on the port beside it: a guess that is
		 * right more often than the one in the SDP. */
		to = s->far;
		to.port++;
		(void)send_to(s, s->rtcp_fd, p, n, &to);
	} else {
		/* Most calls end before the first report: connected by it, no
		 * earlier. */
		if (!s->rtcp_dialled)
			s->rtcp_dialled = dial(s->rtcp_fd, s->family, &to);
		/* Many do not listen for RTCP: their refusal says nothing. */
		(void)send(s->rtcp_fd, p, n, MSG_DONTWAIT);
	}
}

static bool
is_signalled(const struct stream *s, const struct hf_addr *from)
{
	return hf_addr_same_host(from, &s->media.rtp) ||
	       (s->media.source.family != 0 &&
		   hf_addr_same_host(from, &s->media.source));
}

/* Any host may be it: the one that knocks several times in a row, soon. */
static bool
knocks(struct stream *s, const struct hf_addr *from)
{
	if (s->media.latch != LATCH_ANY ||
	    s->latch_seen >= room.conf->rtp.latch_packets)
		return false;
	s->latch_seen++;
	if (!hf_addr_eq(from, &s->latch)) {
		s->latch = *from;
		s->latch_same = 0;
	}
	return ++s->latch_same >= LATCH_SAME;
}

/* Behind NAT: may this sender be the party?  From the hosts that were
 * signalled any port may.  Once believed it is locked. */
static bool
latch(struct stream *s, const struct hf_addr *from)
{
	return is_signalled(s, from) || knocks(s, from);
}

/* The first packet: is it the party's? */
static bool
is_party(struct stream *s, const struct hf_addr *from, ssize_t n)
{
	if (s->media.rtp.family == 0 || n < RTP_HEADER_LEN)
		return false;
	if (s->media.latch == LATCH_NEVER)
		return hf_addr_eq(from, &s->media.rtp);
	return !rtp_is_rtcp(datagram, (size_t)n) && latch(s, from);
}

static void
turn_away(struct stream *s, const struct hf_addr *from)
{
	s->strangers++;
	s->stranger = *from;
}

void
port_mistaken(struct stream *s)
{
	struct msg m = { .type = MSG_STREAM_STRANGERS };

	if (s->heard || s->strangers == 0)
		return;
	m.stream_strangers.stream = s->ref;
	m.stream_strangers.from = s->stranger;
	m.stream_strangers.expected = s->media.rtp;
	stream_tell(s, &m);
}

/* How many bytes came from whom we listen to; 0: nothing to handle, < 0: the
 * socket is empty. */
static ssize_t
receive(struct stream *s)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct hf_addr from;
	bool sure = s->connected && !s->unsure;
	ssize_t n;

	n = sure ? recv(s->fd, datagram, sizeof(datagram), MSG_DONTWAIT)
		 : recvfrom(s->fd, datagram, sizeof(datagram), MSG_DONTWAIT,
		       (struct sockaddr *)&sa, &len);
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR) {
			s->unsure = s->unsure && errno == EINTR;
			return -1;
		}
		/* An error that waited; packets may wait behind it. */
		if (s->connected && is_hard(errno))
			refused(s);
		return 0;
	}
	if (sure)
		return n;
	if (hf_addr_from_sockaddr((struct sockaddr *)&sa, &from)) {
		if (s->connected && hf_addr_eq(&from, &s->far))
			return n;
		if (!s->connected && is_party(s, &from, n)) {
			if (!s->undialable)
				settle(s, &from);
			return n;
		}
		turn_away(s, &from);
	}
	return 0;
}

/* One datagram: may another one be waiting behind it?  False when the socket
 * is empty, and when the packet came so much in time that it is the last. */
static bool
hear_one(struct stream *s, bool all, struct hf_time now)
{
	ssize_t n = receive(s);

	if (n < 0)
		return false;
	if (n == 0)
		return true;
	if (!rtp_is_rtcp(datagram, (size_t)n))
		return !hear_packet(s, datagram, (size_t)n, now) || all ||
		       s->unsure;
	report_hear(s, datagram, (size_t)n, now);
	return true;
}

void
port_hear(struct stream *s, bool all, struct hf_time now)
{
	for (int i = 0; i < HEAR_MAX; i++)
		if (!hear_one(s, all, now))
			return;
}

/* Is this where the party's reports come from?  The kernel asks only once the
 * socket is connected; behind NAT it never is: there the host must do. */
static bool
reports_from(const struct stream *s, const struct hf_addr *from)
{
	if (s->media.mux || from->family == 0)
		return false; /* they come with the sound */
	return s->media.latch == LATCH_NEVER ? hf_addr_eq(from, &s->media.rtcp)
					     : hf_addr_same_host(from, &s->far);
}

/* One datagram; false when there is none. */
static bool
hear_report(struct stream *s, struct hf_time now)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct hf_addr from = { 0 };
	ssize_t n = recvfrom(s->rtcp_fd, datagram, sizeof(datagram),
	    MSG_DONTWAIT, (struct sockaddr *)&sa, &len);

	if (n < 0)
		return errno != EAGAIN && errno != EINTR;
	if (!hf_addr_from_sockaddr((struct sockaddr *)&sa, &from) ||
	    !reports_from(s, &from))
		s->strangers++;
	else
		report_hear(s, datagram, (size_t)n, now);
	return true;
}

void
port_hear_rtcp(struct stream *s, struct hf_time now)
{
	for (int i = 0; i < HEAR_MAX; i++)
		if (!hear_report(s, now))
			return;
}
