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
	int tos = DSCP_EF, family = AF_INET;
	socklen_t n = sizeof(family);

	hf_assert(getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) == 0);
	s->family = family;
	/* Voice first, where the network listens to such wishes. */
	(void)setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	if (family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
	*(rtcp ? &s->rtcp_fd : &s->fd) = fd;
	/* Wherever our predecessor left it. */
	*(rtcp ? &s->rtcp_dialled : &s->dialled) = true;
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
listen_on(const struct stream *s, int fd, bool rtcp, int op)
{
	/* RTP by edge: a socket that was read is not polled once more, a tenth
	 * of a packet's price.  port_hear() sees to it that nothing stays. */
	struct epoll_event ev = {
		.events = rtcp ? EPOLLIN : EPOLLIN | EPOLLET,
		.data.u64 = (uint64_t)(s - room.stream) << 1 | rtcp,
	};

	if (fd >= 0 && epoll_ctl(room.epoll, op, fd, &ev) != 0)
		hf_assert(errno == EEXIST || errno == ENOENT);
}

static bool
dial_rtp(struct stream *s, const struct hf_addr *a)
{
	hang_up(s, s->fd, &s->dialled);
	s->dialled = dial(s->fd, s->family, a);
	return s->dialled;
}

static void
dial_rtcp(struct stream *s)
{
	if (s->rtcp_fd < 0)
		return;
	hang_up(s, s->rtcp_fd, &s->rtcp_dialled);
	if (s->media.latch == LATCH_NEVER && s->media.rtcp.family != 0)
		s->rtcp_dialled = dial(s->rtcp_fd, s->family, &s->media.rtcp);
}

void
port_open(struct stream *s)
{
	static const struct hf_addr none;
	bool latch = s->media.latch != LATCH_NEVER;
	bool known = s->media.rtp.family != 0;

	s->far = s->media.rtp;
	s->latch = none;
	s->latch_same = s->latch_seen = 0;
	s->refused = false;
	s->connected = false;
	if (s->fd < 0)
		return;
	hang_up(s, s->fd, &s->dialled);
	if (known && !latch)
		s->connected = dial_rtp(s, &s->far);
	if (!s->media.mux)
		dial_rtcp(s);
	if (known && !latch && !s->connected)
		hf_log(LOG_WARNING, "stream_not_connected",
		    "stream=%u why=\"%s\"", s->ref.n, strerror(errno));
	forget(s->fd);
	if (s->rtcp_fd >= 0)
		forget(s->rtcp_fd);
	port_adopt(s);
}

void
port_adopt(struct stream *s)
{
	if (s->polled)
		return;
	s->polled = true;
	listen_on(s, s->fd, false, EPOLL_CTL_ADD);
	listen_on(s, s->rtcp_fd, true, EPOLL_CTL_ADD);
}

void
port_close(struct stream *s)
{
	listen_on(s, s->fd, false, EPOLL_CTL_DEL);
	listen_on(s, s->rtcp_fd, true, EPOLL_CTL_DEL);
	s->polled = false;
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
	proc_send(PEER_CALL, &m);
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

	if (s->connected)
		sent = send(s->fd, p, n, MSG_DONTWAIT);
	else if (s->fd >= 0 && s->far.family != 0)
		sent = send_to(s, s->fd, p, n, &s->far);
	else
		return;
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

void
port_lock(struct stream *s, const struct hf_addr *far)
{
	s->far = *far;
	s->connected = dial_rtp(s, far);
	if (s->connected)
		forget(s->fd); /* others may have knocked meanwhile */
}

/* Behind NAT: may this sender be the party?  From the hosts that were
 * signalled any port may.  Once believed it is locked. */
static bool
latch(struct stream *s, const struct hf_addr *from)
{
	if (!is_signalled(s, from) && !knocks(s, from))
		return false;
	port_lock(s, from);
	stream_commit(s, proc_now());
	return true;
}

/* How many bytes came from whom we listen to; 0: nothing to handle, < 0: the
 * socket is empty. */
static ssize_t
receive(struct stream *s)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct hf_addr from;
	ssize_t n;

	if (s->connected) {
		n = recv(s->fd, datagram, sizeof(datagram), MSG_DONTWAIT);
	} else {
		n = recvfrom(s->fd, datagram, sizeof(datagram), MSG_DONTWAIT,
		    (struct sockaddr *)&sa, &len);
	}
	if (n < 0) {
		if (errno == EAGAIN || errno == EINTR)
			return -1;
		/* An error that waited; packets may wait behind it. */
		if (is_hard(errno))
			refused(s);
		return 0;
	}
	if (s->connected)
		return n;
	if (s->media.rtp.family != 0 && s->media.latch != LATCH_NEVER &&
	    hf_addr_from_sockaddr((struct sockaddr *)&sa, &from) &&
	    !rtp_is_rtcp(datagram, (size_t)n) && n >= RTP_HEADER_LEN) {
		uint8_t kept[RTP_PACKET_MAX + 1];

		/* Locking empties the socket through the same memory. */
		memcpy(kept, datagram, (size_t)n);
		if (latch(s, &from)) {
			memcpy(datagram, kept, (size_t)n);
			return n;
		}
	}
	s->strangers++;
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
		return !hear_packet(s, datagram, (size_t)n, now) || all;
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

bool
port_hear_rtcp(struct stream *s, struct hf_time now)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	struct hf_addr from;
	ssize_t n = recvfrom(s->rtcp_fd, datagram, sizeof(datagram),
	    MSG_DONTWAIT, (struct sockaddr *)&sa, &len);

	if (n < 0)
		return false;
	/* Unconnected: from the host that we hear, and with rtcp-mux nobody. */
	if (!s->rtcp_dialled &&
	    (s->media.mux ||
		!hf_addr_from_sockaddr((struct sockaddr *)&sa, &from) ||
		!hf_addr_same_host(&from, &s->far))) {
		s->strangers++;
		return true;
	}
	report_hear(s, datagram, (size_t)n, now);
	return true;
}
