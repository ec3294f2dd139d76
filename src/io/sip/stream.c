/* io/sip/stream - see stream.h */

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "io/sip/stream.h"

enum {
	CONNECT_MAX_MS = 3000, /* then the next target has its turn */
	HOST_SHARE = 4,        /* one host may hold 1/4 of the table */
	NET6 = 8,              /* bytes of an IPv6 address: a /64 */
	ACCEPTS_A_TURN = 64,
	READS_A_TURN = 8,
	/* TCP's own question to a silent peer: a connection that is held ends
	 * with its phone, and NAT keeps it open. */
	KEEP_IDLE_S = 60,
	KEEP_EACH_S = 15,
	KEEP_TRIES = 4,
	PING_LEN = 4, /* CRLF CRLF; the pong is one (RFC 5626 3.5.1) */
};

bool
sip_stream_init(struct sip_stream *s, uint32_t cap, struct hf_span idle,
    struct hf_rand *rand, const struct sip_wire_hooks *hooks, void *arg)
{
	uint32_t cells = 4;

	while (cells < 2 * cap + 2)
		cells *= 2;
	*s = (struct sip_stream){
		.idle = idle,
		.hooks = hooks,
		.arg = arg,
		.hash.k = { hf_rand_u64(rand), hf_rand_u64(rand) },
	};
	s->conn = calloc(cap, sizeof(*s->conn));
	s->rx = calloc(cap, SIP_STREAM_RX);
	s->tx = calloc(cap, SIP_STREAM_TX);
	s->places = calloc(cap, sizeof(*s->places));
	for (size_t i = 0; i < HF_LEN(s->cells); i++)
		s->cells[i] = calloc(cells, sizeof(**s->cells));
	if (s->conn == NULL || s->rx == NULL || s->tx == NULL ||
	    s->places == NULL || s->cells[0] == NULL || s->cells[1] == NULL ||
	    s->cells[2] == NULL) {
		sip_stream_free(s);
		return false;
	}
	hf_pool_init(&s->pool, s->places, cap);
	hf_map_init(&s->by_peer, s->cells[0], cells);
	hf_map_init(&s->by_fd, s->cells[1], cells);
	hf_map_init(&s->of_host, s->cells[2], cells);
	hf_list_init(&s->by_age);
	hf_list_init(&s->by_partial);
	for (uint32_t i = 0; i < cap; i++) {
		s->conn[i].fd = -1;
		s->conn[i].n = i;
		hf_list_init(&s->conn[i].age);
		hf_list_init(&s->conn[i].partial);
	}
	return true;
}

void
sip_stream_free(struct sip_stream *s)
{
	for (uint32_t i = 0; s->conn != NULL && i < s->pool.cap; i++)
		if (s->conn[i].fd >= 0)
			close(s->conn[i].fd);
	free(s->conn);
	free(s->rx);
	free(s->tx);
	free(s->places);
	for (size_t i = 0; i < HF_LEN(s->cells); i++)
		free(s->cells[i]);
	*s = (struct sip_stream){ 0 };
}

static uint64_t
peer_key(const struct sip_stream *s, const struct hf_addr *a)
{
	uint64_t h = hf_hash(&s->hash, a, sizeof(*a));

	return h != 0 ? h : 1;
}

/* Who has an IPv6 network has all of its addresses. */
static uint64_t
host_key(const struct sip_stream *s, const struct hf_addr *a)
{
	size_t n = a->family == 6 ? NET6 : sizeof(a->ip);
	uint64_t h = hf_hash(&s->hash, a->ip, n) ^ a->family;

	return h != 0 ? h : 1;
}

static uint32_t
of_host(const struct sip_stream *s, const struct hf_addr *a)
{
	uint32_t n = hf_map_get(&s->of_host, host_key(s, a));

	return n != HF_MAP_NONE ? n : 0;
}

static void
of_host_set(struct sip_stream *s, const struct hf_addr *a, uint32_t n)
{
	uint64_t key = host_key(s, a);

	hf_map_del(&s->of_host, key);
	if (n > 0 && !hf_map_put(&s->of_host, key, n))
		hf_never("the map has room for every connection's host");
}

/* A message has begun, or the first one is awaited; or all has come whole. */
static void
owes(struct sip_stream *s, struct sip_conn *c, bool owes, struct hf_time now)
{
	hf_list_remove(&c->partial);
	if (!owes || s->partial.us == 0)
		return;
	c->whole_by = hf_time_after(now, s->partial);
	hf_list_push(&s->by_partial, &c->partial);
}

static char *
rx_of(struct sip_stream *s, const struct sip_conn *c)
{
	return s->rx + (size_t)c->n * SIP_STREAM_RX;
}

static char *
tx_of(struct sip_stream *s, const struct sip_conn *c)
{
	return s->tx + (size_t)c->n * SIP_STREAM_TX;
}

static void
touch(struct sip_stream *s, struct sip_conn *c, struct hf_time now)
{
	c->heard = now;
	hf_list_remove(&c->age);
	hf_list_push(&s->by_age, &c->age);
}

static void
set_up(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S },
		{ IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EACH_S },
		{ IPPROTO_TCP, TCP_KEEPCNT, KEEP_TRIES },
	};

	for (size_t i = 0; i < HF_LEN(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name,
		    &options[i].value, sizeof(options[i].value));
}

static struct sip_conn *
conn_new(struct sip_stream *s, int fd, const struct hf_addr *peer,
    bool connecting, struct hf_time now)
{
	uint64_t key = peer_key(s, peer);
	struct sip_conn *c;
	struct hf_ref r;

	if (!hf_pool_take(&s->pool, &r))
		return NULL;
	if (!hf_map_put(&s->by_fd, (uint64_t)fd + 1, r.n) ||
	    !hf_map_put(&s->by_peer, key, r.n))
		hf_never("maps have room for every connection");
	set_up(fd);
	c = &s->conn[r.n];
	c->peer = *peer;
	c->fd = fd;
	c->connecting = connecting;
	c->asked = c->doomed = c->known = false;
	c->rx = c->tx = 0;
	of_host_set(s, peer, of_host(s, peer) + 1);
	touch(s, c, now);
	s->hooks->watch(s->arg, fd, connecting ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return c;
}

static void
conn_close(struct sip_stream *s, struct sip_conn *c)
{
	struct hf_ref r = hf_pool_at(&s->pool, c->n);
	uint64_t key = peer_key(s, &c->peer);
	bool asked = c->asked;

	s->hooks->watch(s->arg, c->fd, 0);
	hf_map_del(&s->by_fd, (uint64_t)c->fd + 1);
	if (hf_map_get(&s->by_peer, key) == c->n)
		hf_map_del(&s->by_peer, key);
	close(c->fd);
	c->fd = -1;
	of_host_set(s, &c->peer, of_host(s, &c->peer) - 1);
	hf_list_remove(&c->age);
	hf_list_remove(&c->partial);
	hf_pool_give(&s->pool, r);
	s->count.closed++;
	s->hooks->lost(s->arg, r, asked);
}

/* ---- in ------------------------------------------------------------------ */

bool
sip_stream_listen(struct sip_stream *s, int fd)
{
	if (s->listeners == HF_LEN(s->listener))
		return false;
	s->listener[s->listeners++] = fd;
	s->hooks->watch(s->arg, fd, EPOLLIN);
	return true;
}

static bool
may_enter(const struct sip_stream *s, const struct hf_addr *peer)
{
	uint32_t same = of_host(s, peer), share = s->pool.cap / HOST_SHARE;

	if (s->pool.used == s->pool.cap ||
	    (s->per_host > 0 && same >= s->per_host))
		return false;
	return s->pool.used < share || same < share + 1;
}

static void
accept_all(struct sip_stream *s, int listener, struct hf_time now)
{
	for (int i = 0; i < ACCEPTS_A_TURN; i++) {
		struct sockaddr_storage ss;
		socklen_t n = sizeof(ss);
		struct hf_addr peer;
		struct sip_conn *c;
		int fd = accept4(listener, (struct sockaddr *)&ss, &n,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd < 0)
			return;
		if (!hf_addr_from_sockaddr((struct sockaddr *)&ss, &peer) ||
		    !may_enter(s, &peer) ||
		    (c = conn_new(s, fd, &peer, false, now)) == NULL) {
			s->count.refused++;
			close(fd);
			continue;
		}
		owes(s, c, true, now);
		s->count.accepted++;
	}
}

static bool put(
    struct sip_stream *s, struct sip_conn *c, struct hf_slice bytes);

/* Who wrote a length that cannot be is told so before the connection ends. */
static void
hear_head(struct sip_stream *s, struct hf_slice rest, uint32_t skip,
    const struct sip_flow *from)
{
	struct hf_slice head = { rest.p + skip, rest.n - skip };

	head.n = sip_frame_head(head);
	if (head.n > 0)
		s->hooks->received(s->arg, head, from);
}

/* Hands over every whole message; false: the rest will never be one. */
static bool
deliver(struct sip_stream *s, struct sip_conn *c)
{
	struct hf_ref r = hf_pool_at(&s->pool, c->n);
	struct sip_flow from = {
		.peer = c->peer, .conn = r, .transport = SIP_TCP
	};
	uint32_t done = 0;
	bool good = true;

	for (;;) {
		struct hf_slice rest = { rx_of(s, c) + done, c->rx - done };
		uint32_t skip = 0;
		int n;

		if (rest.n == 0)
			break;
		n = sip_frame(rest, &skip);
		if (n < 0)
			hear_head(s, rest, skip, &from);
		if (!hf_pool_has(&s->pool, r))
			return true;
		if (n < 0 || skip + (uint32_t)(n > 0 ? n : 0) > rest.n) {
			good = false;
			break;
		}
		/* Half a ping is told from the blank line before a message by
		 * what comes next. */
		if (n == 0 && skip == PING_LEN / 2)
			break;
		done += skip;
		if (skip >= PING_LEN && !put(s, c, HF_SLICE("\r\n")))
			return true;
		if (n == 0)
			break;
		rest = (struct hf_slice){ rest.p + skip, (size_t)n };
		done += (uint32_t)n;
		c->known = true;
		hf_list_remove(&c->partial);
		s->hooks->received(s->arg, rest, &from);
		/* The handler may have closed it under our feet, or doomed
		 * it: nothing more of it is heard then. */
		if (!hf_pool_has(&s->pool, r) || c->doomed)
			return true;
	}
	memmove(rx_of(s, c), rx_of(s, c) + done, c->rx - done);
	c->rx -= done;
	return good && c->rx < SIP_STREAM_RX;
}

static void
read_all(struct sip_stream *s, struct sip_conn *c, struct hf_time now)
{
	struct hf_ref r = hf_pool_at(&s->pool, c->n);

	for (int i = 0; i < READS_A_TURN; i++) {
		ssize_t n =
		    recv(c->fd, rx_of(s, c) + c->rx, SIP_STREAM_RX - c->rx, 0);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			conn_close(s, c);
			return;
		}
		touch(s, c, now);
		c->rx += (uint32_t)n;
		if (!deliver(s, c)) {
			s->count.garbled++;
			conn_close(s, c);
			return;
		}
		if (!hf_pool_has(&s->pool, r) || c->doomed)
			return;
		/* Half a ping is owed, too. */
		if (c->rx == 0 && c->known)
			owes(s, c, false, now);
		else if (hf_list_empty(&c->partial))
			owes(s, c, true, now);
	}
}

/* ---- out ----------------------------------------------------------------- */

/* False: broken. */
static bool
write_all(struct sip_stream *s, struct sip_conn *c)
{
	uint32_t done = 0;
	uint32_t waiting = c->tx;

	while (done < c->tx) {
		ssize_t n =
		    send(c->fd, tx_of(s, c) + done, c->tx - done, MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			break;
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			done += (uint32_t)n;
	}
	memmove(tx_of(s, c), tx_of(s, c) + done, c->tx - done);
	c->tx -= done;
	if (c->tx > 0 || waiting > 0)
		s->hooks->watch(
		    s->arg, c->fd, c->tx > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
	return true;
}

static bool
connected(struct sip_conn *c)
{
	int err = 0;
	socklen_t n = sizeof(err);

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &n) < 0 || err != 0)
		return false;
	c->connecting = false;
	return true;
}

bool
sip_stream_ready(
    struct sip_stream *s, int fd, uint32_t events, struct hf_time now)
{
	struct sip_conn *c;
	uint32_t n;

	for (uint32_t i = 0; i < s->listeners; i++) {
		if (s->listener[i] == fd) {
			accept_all(s, fd, now);
			return true;
		}
	}
	n = hf_map_get(&s->by_fd, (uint64_t)fd + 1);
	if (n == HF_MAP_NONE)
		return false;
	c = &s->conn[n];
	if (c->doomed || (c->connecting && !connected(c)) ||
	    ((events & EPOLLOUT) && !write_all(s, c))) {
		conn_close(s, c);
		return true;
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_all(s, c, now);
	return true;
}

static struct sip_conn *
conn_open(struct sip_stream *s, const struct hf_addr *peer, struct hf_time now)
{
	int family = peer->family == 6 ? AF_INET6 : AF_INET;
	struct sockaddr_storage ss;
	socklen_t n = hf_addr_to_sockaddr(peer, family, &ss);
	struct sip_conn *c;
	bool waits;
	int fd;

	if (s->pool.used == s->pool.cap)
		return NULL;
	fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	waits = connect(fd, (struct sockaddr *)&ss, n) < 0;
	if ((waits && errno != EINPROGRESS) ||
	    (c = conn_new(s, fd, peer, waits, now)) == NULL) {
		close(fd);
		return NULL;
	}
	s->count.opened++;
	c->known = true;
	return c;
}

/* False: he reads too slowly, or is gone; it will be closed.  Not here: our
 * caller may stand on this very connection. */
static bool
put(struct sip_stream *s, struct sip_conn *c, struct hf_slice bytes)
{
	bool fits = bytes.n <= SIP_STREAM_TX - c->tx;

	if (fits) {
		memcpy(tx_of(s, c) + c->tx, bytes.p, bytes.n);
		c->tx += (uint32_t)bytes.n;
		if (c->connecting || c->tx > bytes.n || write_all(s, c))
			return true;
	} else {
		s->count.slow++;
	}
	c->doomed = true;
	s->hooks->watch(s->arg, c->fd, EPOLLIN | EPOLLOUT);
	return false;
}

bool
sip_stream_send(struct sip_stream *s, struct sip_flow *to,
    struct hf_slice bytes, bool request, struct hf_time now)
{
	struct sip_conn *c = NULL;
	uint32_t n;

	if (hf_pool_has(&s->pool, to->conn))
		c = &s->conn[to->conn.n];
	else if ((n = hf_map_get(&s->by_peer, peer_key(s, &to->peer))) !=
		 HF_MAP_NONE)
		c = &s->conn[n];
	else
		c = conn_open(s, &to->peer, now);
	if (c == NULL || c->doomed) {
		s->count.refused++;
		return false;
	}
	to->conn = hf_pool_at(&s->pool, c->n);
	if (!put(s, c, bytes))
		return false;
	c->asked |= request;
	touch(s, c, now);
	return true;
}

void
sip_stream_hold(struct sip_stream *s, struct hf_ref conn, struct hf_time now)
{
	struct sip_conn *c;

	if (!hf_pool_has(&s->pool, conn))
		return;
	c = &s->conn[conn.n];
	if (!c->connecting && !c->doomed)
		touch(s, c, now);
}

/* Who brings a byte now and then is never silent, and never done. */
static void
close_partial(struct sip_stream *s, struct hf_time now)
{
	while (!hf_list_empty(&s->by_partial)) {
		struct sip_conn *c =
		    HF_CONTAINER(s->by_partial.next, struct sip_conn, partial);

		if (hf_time_before(now, c->whole_by))
			return;
		s->count.partial++;
		conn_close(s, c);
	}
}

void
sip_stream_tidy(struct sip_stream *s, struct hf_time now)
{
	struct hf_list *it;
	bool asked = s->hooks->silent == NULL;

	close_partial(s, now);
	it = s->by_age.next;
	while (it != &s->by_age) {
		struct sip_conn *c = HF_CONTAINER(it, struct sip_conn, age);
		int64_t silent = hf_time_since(c->heard, now).us;

		if (silent < (int64_t)CONNECT_MAX_MS * 1000)
			return;
		it = it->next;
		if (!c->connecting && !c->doomed && silent < s->idle.us)
			continue;
		if (!asked) {
			asked = true;
			s->hooks->silent(s->arg, now);
			it = s->by_age.next;
			continue;
		}
		s->count.idle++;
		conn_close(s, c);
		/* lost() may have closed or opened others. */
		it = s->by_age.next;
	}
}
