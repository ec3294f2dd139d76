/* io/sip/transport - see transport.h */

#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <unistd.h>

#include "io/sip/peek.h"
#include "io/sip/sdp.h"
#include "io/sip/transport.h"

enum {
	DATAGRAM_MAX = 65536,
	BATCHES_A_TURN = 4,
	CROWD = SIP_BATCH / 2, /* so many at once, and order matters */
	ERRORS_A_TURN = 256,
	FLUSHES_A_TURN = 4, /* a refused message may lead to a next one */
	SOCKET_BUFFER = 4 << 20,
	ROUTE_LIFE_MS = 30000,
	/* Whoever has no answer by then has asked four times (T1 of 500 ms),
	 * and the more there is to do the more comes.  A machine that is held
	 * up for less gets round to all of them. */
	BEHIND_MS = 5000,
	KEEP_ALIVE_MAX = 4, /* RFC 5626 3.5.1, and what phones make of it */
};

bool
sip_transport_init(struct sip_transport *tp, uint32_t connections,
    struct hf_span idle, const struct hf_addr *advertise, struct hf_rand *rand,
    const struct sip_wire_hooks *hooks, void *arg)
{
	*tp = (struct sip_transport){
		.advertise = *advertise,
		.hooks = hooks,
		.arg = arg,
	};
	tp->in = calloc(SIP_BATCH, DATAGRAM_MAX);
	tp->out = calloc(1, SIP_OUT_BYTES);
	if (tp->in != NULL && tp->out != NULL &&
	    sip_stream_init(&tp->stream, connections, idle, rand, hooks, arg))
		return true;
	free(tp->in);
	free(tp->out);
	return false;
}

void
sip_transport_free(struct sip_transport *tp)
{
	sip_stream_free(&tp->stream);
	free(tp->in);
	free(tp->out);
	*tp = (struct sip_transport){ 0 };
}

/* ---- sockets ------------------------------------------------------------- */

static bool
name_of(int fd, struct hf_addr *out, int *family)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);

	if (getsockname(fd, (struct sockaddr *)&ss, &n) < 0)
		return false;
	*family = ss.ss_family;
	/* A dual-stack wildcard is not IPv4's; keep it as it is. */
	return hf_addr_from_sockaddr((struct sockaddr *)&ss, out);
}

static bool
unblock(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	return flags >= 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) == 0;
}

bool
sip_transport_udp(struct sip_transport *tp, int fd)
{
	struct sip_socket *s = &tp->udp[tp->udps];
	int one = 1, room = SOCKET_BUFFER;

	if (tp->udps == HF_LEN(tp->udp) || !unblock(fd) ||
	    !name_of(fd, &s->at, &s->family))
		return false;
	/* More than the system's limit needs a privilege; without it the limit
	 * will do. */
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) < 0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0)
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
	/* An IPv6 socket carries mapped IPv4 too. */
	(void)setsockopt(fd, IPPROTO_IP, IP_RECVERR, &one, sizeof(one));
	if (s->family == AF_INET6)
		(void)setsockopt(
		    fd, IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one));
	s->fd = fd;
	s->full = HF_TIME_NEVER;
	tp->udps++;
	tp->hooks->watch(tp->arg, fd, EPOLLIN);
	return true;
}

bool
sip_transport_tcp(struct sip_transport *tp, int fd)
{
	struct sip_socket *s = &tp->tcp[tp->tcps];

	if (tp->tcps == HF_LEN(tp->tcp) || !unblock(fd) ||
	    !name_of(fd, &s->at, &s->family) ||
	    !sip_stream_listen(&tp->stream, fd))
		return false;
	s->fd = fd;
	tp->tcps++;
	return true;
}

static bool
reaches(const struct sip_socket *s, const struct hf_addr *peer)
{
	return s->at.family == peer->family ||
	       (s->family == AF_INET6 && hf_addr_is_any(&s->at));
}

static bool
is_loopback(const struct hf_addr *a)
{
	static const uint8_t one[16] = { [15] = 1 };

	return a->family == 4 ? a->ip[0] == 127
			      : memcmp(a->ip, one, sizeof(one)) == 0;
}

bool
sip_transport_way(const struct sip_transport *tp, enum sip_transport_kind kind,
    const struct hf_addr *peer, struct sip_flow *out)
{
	int best = -1;

	*out = (struct sip_flow){ .peer = *peer, .transport = (uint8_t)kind };
	if (out->peer.port == 0)
		out->peer.port = SIP_PORT;
	if (kind == SIP_TCP)
		return true;
	for (uint32_t i = 0; i < tp->udps; i++) {
		const struct sip_socket *s = &tp->udp[i];

		if (!reaches(s, peer))
			continue;
		/* A socket bound to loopback does not get out, nor is one
		 * bound elsewhere heard by a peer in the house. */
		if (best < 0 || is_loopback(&s->at) == is_loopback(peer))
			best = (int)i;
		if (hf_addr_is_any(&s->at) ||
		    is_loopback(&s->at) == is_loopback(peer))
			break;
	}
	out->socket = (uint8_t)(best < 0 ? 0 : best);
	return best >= 0;
}

/* Which of this machine's addresses the kernel would use towards the peer:
 * connecting a socket asks without sending. */
static struct hf_addr
ask_kernel(const struct hf_addr *peer)
{
	int family = peer->family == 6 ? AF_INET6 : AF_INET, got;
	struct hf_addr here = { .family = 0 };
	struct sockaddr_storage ss;
	socklen_t n = hf_addr_to_sockaddr(peer, family, &ss);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return here;
	if (connect(fd, (struct sockaddr *)&ss, n) < 0 ||
	    !name_of(fd, &here, &got))
		here.family = 0;
	close(fd);
	return here;
}

bool
sip_transport_is_local(
    const struct sip_transport *tp, const struct hf_addr *peer)
{
	if (is_loopback(peer))
		return true;
	for (uint32_t i = 0; i < tp->locals; i++)
		if (hf_net_has(&tp->local[i], peer))
			return true;
	return tp->locals == 0 && sdp_is_private(peer);
}

/* The socket of ours that this peer would come to. */
static const struct hf_addr *
socket_of(const struct sip_transport *tp, const struct sip_flow *flow)
{
	if (flow->transport == SIP_UDP)
		return &tp->udp[flow->socket].at;
	for (uint32_t i = 0; i < tp->tcps; i++)
		if (reaches(&tp->tcp[i], &flow->peer))
			return &tp->tcp[i].at;
	return &tp->tcp[0].at;
}

struct hf_addr
sip_transport_here(
    struct sip_transport *tp, const struct sip_flow *flow, struct hf_time now)
{
	const struct hf_addr *at = socket_of(tp, flow);
	uint16_t port = at->port != 0 ? at->port : SIP_PORT;
	struct sip_route *r;
	struct hf_addr here;
	uint32_t h = 0;

	if (tp->advertise.family == flow->peer.family &&
	    !sip_transport_is_local(tp, &flow->peer)) {
		here = tp->advertise;
	} else if (at->family == flow->peer.family && !hf_addr_is_any(at)) {
		here = *at;
	} else {
		for (size_t i = 0; i < sizeof(flow->peer.ip); i++)
			h = h * 31 + flow->peer.ip[i];
		r = &tp->route[h % SIP_ROUTES];
		if (!hf_addr_same_host(&r->peer, &flow->peer) ||
		    !hf_time_before(now, r->until)) {
			r->peer = flow->peer;
			r->here = ask_kernel(&flow->peer);
			r->until = hf_time_after(now, hf_ms(ROUTE_LIFE_MS));
		}
		here = r->here.family != 0 ? r->here : *at;
	}
	if (here.port == 0 || here.port != tp->advertise.port)
		here.port = port;
	return here;
}

/* ---- in ------------------------------------------------------------------ */

/* Takes the refused datagrams off the error queue. */
static void
read_errors(struct sip_transport *tp, const struct sip_socket *s)
{
	char data[2048], control[512];

	for (int i = 0; i < ERRORS_A_TURN; i++) {
		struct sockaddr_storage ss;
		struct iovec iov = { data, sizeof(data) };
		struct msghdr m = {
			.msg_name = &ss,
			.msg_namelen = sizeof(ss),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		ssize_t n = recvmsg(s->fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

		if (n < 0)
			return;
		tp->count.refused++;
		tp->hooks->refused(
		    tp->arg, (struct hf_slice){ data, (size_t)n });
	}
}

static bool
is_keep_alive(struct hf_slice s)
{
	return s.n <= KEEP_ALIVE_MAX && hf_slice_trim(s).n == 0;
}

/* What belongs to a call that is there does not wait behind those that ask for
 * one; a CANCEL stays behind its INVITE. */
static bool
goes_first(struct hf_slice bytes)
{
	struct sip_peek p = sip_peek(bytes);

	return p.kind != SIP_PEEK_NEW && p.kind != SIP_PEEK_NOISE && !p.cancel;
}

static void
hear(struct sip_transport *tp, uint32_t which, struct hf_slice bytes,
    const struct sockaddr_storage *from)
{
	struct sip_flow f = { .transport = SIP_UDP, .socket = (uint8_t)which };

	if (hf_addr_from_sockaddr((const struct sockaddr *)from, &f.peer) &&
	    f.peer.port != 0)
		tp->hooks->received(tp->arg, bytes, &f);
}

/* How many came; -1: an error is waiting to be read. */
static int
read_batch(struct sip_transport *tp, uint32_t which)
{
	static struct mmsghdr mm[SIP_BATCH];
	static struct iovec iov[SIP_BATCH];
	static struct sockaddr_storage from[SIP_BATCH];
	struct hf_slice bytes[SIP_BATCH];
	int8_t round_of[SIP_BATCH]; /* -1: not at all */
	int n;

	for (int i = 0; i < SIP_BATCH; i++) {
		iov[i] = (struct iovec){ tp->in + (size_t)i * DATAGRAM_MAX,
			DATAGRAM_MAX };
		mm[i].msg_hdr = (struct msghdr){
			.msg_name = &from[i],
			.msg_namelen = sizeof(from[i]),
			.msg_iov = &iov[i],
			.msg_iovlen = 1,
		};
	}
	n = recvmmsg(tp->udp[which].fd, mm, SIP_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	for (int i = 0; i < n; i++) {
		bytes[i] = (struct hf_slice){ iov[i].iov_base, mm[i].msg_len };
		tp->count.in++;
		tp->count.bytes_in += bytes[i].n;
		round_of[i] = n < CROWD || goes_first(bytes[i]) ? 0 : 1;
		if (is_keep_alive(bytes[i])) {
			tp->count.empty++;
			round_of[i] = -1;
		}
	}
	for (int round = 0; round < 2; round++)
		for (int i = 0; i < n; i++)
			if (round_of[i] == round)
				hear(tp, which, bytes[i], &from[i]);
	return n;
}

/* As much as a turn has room for. */
static void
read_turn(struct sip_transport *tp, uint32_t which, struct hf_time now)
{
	struct sip_socket *s = &tp->udp[which];

	for (int k = 0; k < BATCHES_A_TURN; k++) {
		int n = read_batch(tp, which);

		if (n < 0)
			read_errors(tp, s);
		else if (n < SIP_BATCH) {
			s->full = HF_TIME_NEVER;
			return;
		}
	}
	s->full = hf_time_min(s->full, now);
}

void
sip_transport_ready(
    struct sip_transport *tp, int fd, uint32_t events, struct hf_time now)
{
	for (uint32_t i = 0; i < tp->udps; i++) {
		if (tp->udp[i].fd != fd)
			continue;
		if (events & EPOLLERR)
			read_errors(tp, &tp->udp[i]);
		read_turn(tp, i, now);
		return;
	}
	(void)sip_stream_ready(&tp->stream, fd, events, now);
}

bool
sip_transport_has_more(const struct sip_transport *tp)
{
	for (uint32_t i = 0; i < tp->udps; i++)
		if (tp->udp[i].full.us != HF_TIME_NEVER.us)
			return true;
	return false;
}

bool
sip_transport_is_behind(const struct sip_transport *tp, struct hf_time now)
{
	for (uint32_t i = 0; i < tp->udps; i++)
		if (now.us - tp->udp[i].full.us > hf_ms(BEHIND_MS).us)
			return true;
	return false;
}

/* ---- out ----------------------------------------------------------------- */

bool
sip_transport_send(struct sip_transport *tp, struct sip_flow *to,
    struct hf_slice bytes, struct hf_time now)
{
	struct sip_out *o;

	tp->count.out++;
	tp->count.bytes_out += bytes.n;
	if (to->transport == SIP_TCP)
		return sip_stream_send(&tp->stream, to, bytes,
		    !hf_slice_starts(bytes, HF_SLICE("SIP/")), now);
	if (to->socket >= tp->udps || bytes.n > DATAGRAM_MAX)
		return false;
	if (tp->outs == SIP_OUT_MAX || bytes.n > SIP_OUT_BYTES - tp->out_bytes)
		sip_transport_flush(tp);
	if (tp->outs == SIP_OUT_MAX ||
	    bytes.n > SIP_OUT_BYTES - tp->out_bytes) {
		tp->count.unsent++;
		return true; /* as good as lost on the way: it is UDP */
	}
	o = &tp->queue[tp->outs++];
	*o = (struct sip_out){
		.at = tp->out_bytes,
		.len = (uint32_t)bytes.n,
		.socket = to->socket,
		.to = to->peer,
	};
	memcpy(tp->out + o->at, bytes.p, bytes.n);
	tp->out_bytes += o->len;
	return true;
}

/* Sends the first of a run for one socket; how many were dealt with. */
static uint32_t
send_run(struct sip_transport *tp, const struct sip_out *first, uint32_t n)
{
	static struct mmsghdr mm[SIP_OUT_MAX];
	static struct iovec iov[SIP_OUT_MAX];
	static struct sockaddr_storage to[SIP_OUT_MAX];
	const struct sip_socket *s = &tp->udp[first->socket];
	uint32_t run = 0;
	int sent;

	for (; run < n && first[run].socket == first->socket; run++) {
		iov[run] =
		    (struct iovec){ tp->out + first[run].at, first[run].len };
		mm[run].msg_hdr = (struct msghdr){
			.msg_name = &to[run],
			.msg_namelen = hf_addr_to_sockaddr(
			    &first[run].to, s->family, &to[run]),
			.msg_iov = &iov[run],
			.msg_iovlen = 1,
		};
	}
	sent = sendmmsg(s->fd, mm, run, MSG_DONTWAIT);
	/* An error may be the news of an earlier datagram, which this call
	 * took off the socket: the second try is the first one's own. */
	if (sent < 0 && errno != EAGAIN)
		sent = sendmmsg(s->fd, mm, run, MSG_DONTWAIT);
	if (sent > 0)
		return (uint32_t)sent;
	tp->count.unsent++;
	if (errno != EAGAIN)
		tp->hooks->refused(tp->arg,
		    (struct hf_slice){ tp->out + first->at, first->len });
	return 1;
}

void
sip_transport_flush(struct sip_transport *tp)
{
	if (tp->flushing)
		return;
	tp->flushing = true;
	for (int round = 0; round < FLUSHES_A_TURN && tp->outs > 0; round++) {
		uint32_t n = tp->outs, done = 0, end = tp->out_bytes;

		while (done < n)
			done += send_run(tp, &tp->queue[done], n - done);
		/* What refused() queued meanwhile moves to the front. */
		tp->outs -= n;
		memmove(
		    tp->queue, tp->queue + n, tp->outs * sizeof(*tp->queue));
		memmove(tp->out, tp->out + end, tp->out_bytes - end);
		tp->out_bytes -= end;
		for (uint32_t i = 0; i < tp->outs; i++)
			tp->queue[i].at -= end;
	}
	tp->flushing = false;
}

void
sip_transport_tidy(struct sip_transport *tp, struct hf_time now)
{
	sip_stream_tidy(&tp->stream, now);
}
