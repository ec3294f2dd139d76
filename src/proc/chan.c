/* proc/chan - see chan.h */

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/chan.h"

_Static_assert(MSG_FRAME_MAX <= CHAN_DATAGRAM_MAX, "any frame can travel");

void
chan_init(struct chan *c, enum room self, enum room other, char *queue,
    struct chan_fds *fds, uint32_t fds_cap)
{
	*c = (struct chan){
		.fd = -1,
		.self = self,
		.other = other,
		.queue = queue,
		.fds = fds,
		.fds_cap = fds_cap,
	};
}

void
chan_open(struct chan *c, int fd, uint32_t boot)
{
	int bytes = CHAN_QUEUE_BYTES;

	hf_assert(c->fd < 0);
	hf_assert(fcntl(fd, F_SETFL, O_NONBLOCK) == 0);
	/* More than net.core.wmem_max is quietly less; the queue is behind. */
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	c->fd = fd;
	c->boot = boot;
	c->cut = c->blocked = false;
	c->head = c->tail = 0;
}

static void
fds_done(struct chan *c)
{
	struct chan_fds *f = &c->fds[c->fds_first];

	for (uint16_t i = 0; !f->keep && i < f->n; i++)
		(void)close(f->fd[i]);
	c->fds_first = (c->fds_first + 1) % c->fds_cap;
	c->fds_n--;
}

void
chan_close(struct chan *c)
{
	if (c->fd < 0)
		return;
	while (c->fds_n > 0)
		fds_done(c);
	(void)close(c->fd);
	c->fd = -1;
	c->base += c->tail;
	c->head = c->tail = 0;
}

/* Room for one more frame behind the tail. */
static bool
make_room(struct chan *c, size_t n)
{
	if (CHAN_QUEUE_BYTES - c->tail >= n)
		return true;
	memmove(c->queue, c->queue + c->head, c->tail - c->head);
	c->base += c->head;
	c->tail -= c->head;
	c->head = 0;
	return CHAN_QUEUE_BYTES - c->tail >= n;
}

void
chan_send(struct chan *c, const struct msg *m)
{
	struct hf_buf b;
	char *frame;

	hf_assert(msg_may(m->type, c->self, c->other));
	if (c->fd < 0 || c->cut)
		return;
	if (!make_room(c, MSG_FRAME_MAX)) {
		c->cut = true;
		return;
	}
	frame = c->queue + c->tail;
	b = hf_buf_on(frame, CHAN_QUEUE_BYTES - c->tail);
	hf_assert(msg_encode(&b, m));
	c->seq++;
	memcpy(frame + 4, &c->boot, 4);
	memcpy(frame + 8, &c->seq, 4);
	c->tail += b.n;
	c->sent++;
}

void
chan_send_frame(struct chan *c, const void *frame, size_t n)
{
	hf_assert(n >= MSG_HEADER_LEN && n <= MSG_FRAME_MAX);
	if (c->fd < 0 || c->cut)
		return;
	if (!make_room(c, n)) {
		c->cut = true;
		return;
	}
	memcpy(c->queue + c->tail, frame, n);
	c->tail += n;
	c->sent++;
}

void
chan_send_fds(
    struct chan *c, const struct msg *m, const int *fd, uint16_t n, bool keep)
{
	struct chan_fds *f;

	hf_assert(n > 0 && n <= CHAN_FDS_MAX);
	if (c->fds_n == c->fds_cap)
		c->cut = true;
	if (c->fd < 0 || c->cut || !make_room(c, MSG_FRAME_MAX)) {
		for (uint16_t i = 0; !keep && i < n; i++)
			(void)close(fd[i]);
		c->cut = true;
		return;
	}
	f = &c->fds[(c->fds_first + c->fds_n++) % c->fds_cap];
	f->at = c->base + c->tail;
	f->n = n;
	f->keep = keep;
	memcpy(f->fd, fd, n * sizeof(*fd));
	chan_send(c, m);
}

size_t
chan_waiting(const struct chan *c)
{
	return c->tail - c->head;
}

/* How many bytes from the head may go as one datagram: whole frames, and
 * none that has descriptors of its own waiting. */
static size_t
next_datagram(const struct chan *c)
{
	size_t end = c->tail, n = 0;
	uint16_t len;

	if (c->fds_n > 0)
		end = (size_t)(c->fds[c->fds_first].at - c->base);
	if (end - c->head <= CHAN_DATAGRAM_MAX)
		return end - c->head;
	for (;;) {
		memcpy(&len, c->queue + c->head + n, sizeof(len));
		if (n + len > CHAN_DATAGRAM_MAX)
			return n;
		n += len;
	}
}

static ssize_t
send_with_fds(struct chan *c)
{
	const struct chan_fds *f = &c->fds[c->fds_first];
	union {
		char bytes[CMSG_SPACE(CHAN_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec io = { .iov_base = c->queue + c->head };
	struct msghdr h = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = CMSG_SPACE(f->n * sizeof(int)) };
	struct cmsghdr *cm;
	uint16_t len;

	memset(&control, 0, sizeof(control));
	cm = CMSG_FIRSTHDR(&h);
	memcpy(&len, c->queue + c->head, sizeof(len));
	io.iov_len = len;
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(f->n * sizeof(int));
	memcpy(CMSG_DATA(cm), f->fd, f->n * sizeof(int));
	return sendmsg(c->fd, &h, MSG_DONTWAIT | MSG_NOSIGNAL);
}

void
chan_flush(struct chan *c)
{
	while (c->fd >= 0 && !c->cut && c->head < c->tail) {
		size_t n = next_datagram(c);
		ssize_t sent;

		if (n > 0)
			sent = send(c->fd, c->queue + c->head, n,
			    MSG_DONTWAIT | MSG_NOSIGNAL);
		else
			sent = send_with_fds(c);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0) {
			c->blocked = errno == EAGAIN || errno == ENOBUFS;
			/* Gone: the reader will see its end, and tell. */
			c->cut = !c->blocked;
			return;
		}
		if (n == 0)
			fds_done(c);
		c->head += (size_t)sent;
		c->datagrams++;
		c->blocked = false;
	}
	if (c->head == c->tail) {
		c->base += c->tail;
		c->head = c->tail = 0;
	}
}

static uint16_t
fds_of(struct msghdr *h, int *fd)
{
	uint16_t n = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(h); cm != NULL;
	     cm = CMSG_NXTHDR(h, cm)) {
		size_t here;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		here = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		hf_assert(n + here <= CHAN_FDS_MAX);
		memcpy(fd + n, CMSG_DATA(cm), here * sizeof(int));
		n = (uint16_t)(n + here);
	}
	return n;
}

/* Hands over one datagram's messages; descriptors go with the first. */
static bool
deliver(struct chan *c, struct hf_slice in, const int *fd, uint16_t fds,
    chan_fn *fn, void *arg)
{
	static struct msg m; /* large; handlers do not read channels */

	while (in.n > 0) {
		if (!msg_decode(&in, &m) ||
		    !msg_may(m.type, c->other, c->self)) {
			c->refused++;
			for (uint16_t i = 0; i < fds; i++)
				(void)close(fd[i]);
			return false;
		}
		c->received++;
		fn(c, &m, fd, fds, arg);
		fds = 0;
		if (c->fd < 0)
			return true; /* the handler closed it: nothing to say */
	}
	return true;
}

bool
chan_read(struct chan *c, chan_fn *fn, void *arg)
{
	static char bytes[CHAN_DATAGRAM_MAX];
	union {
		char bytes[CMSG_SPACE(CHAN_FDS_MAX * sizeof(int))];
		struct cmsghdr align;
	} control;

	for (int i = 0; i < CHAN_READS_A_TURN && c->fd >= 0; i++) {
		struct iovec io = { bytes, sizeof(bytes) };
		struct msghdr h = { .msg_iov = &io,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control) };
		int fd[CHAN_FDS_MAX];
		ssize_t n;
		uint16_t fds;

		n = recvmsg(c->fd, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		fds = fds_of(&h, fd);
		if (h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
			for (uint16_t k = 0; k < fds; k++)
				(void)close(fd[k]);
			c->refused++;
			return false;
		}
		if (!deliver(c, (struct hf_slice){ bytes, (size_t)n }, fd, fds,
			fn, arg))
			return false;
	}
	return true;
}
