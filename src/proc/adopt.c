/* proc/adopt - see adopt.h */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/adopt.h"
#include "proc/log.h"
#include "proc/loop.h"

enum {
	SENDS_A_TURN = 8, /* of 64 descriptors each, between two frames */
	BATCHES_STEP = 64,
};

struct batch {
	struct adopt_sockets say;
	int fd[ADOPT_FDS];
};

static struct {
	int door, conn; /* -1: none */
	int conf, secrets;
	struct batch *batch;
	uint32_t batches, cap;
	const struct adopt_ways *ways;
	uint32_t told; /* 0 nothing; 1 the hello; ...; batches + 2 all */
	bool known;    /* by one who says no more */
} room = { .door = -1, .conn = -1, .conf = -1, .secrets = -1 };

/* ---- both sides ------------------------------------------------------------
 */

/* Stands out in the program, where a test finds it and makes another build. */
static const volatile struct {
	char mark[16];
	uint64_t language;
} spoken = { "hf-language", MSG_LANGUAGE };

uint64_t
adopt_language(void)
{
	return spoken.language ^ ((uint64_t)CONF_VERSION << 32) ^
	       sizeof(struct conf) ^ (sizeof(struct conf_secrets) << 20);
}

struct adopt_head
adopt_head(enum adopt_kind kind, size_t bytes)
{
	return (
	    struct adopt_head){ ADOPT_MAGIC, (uint16_t)kind, (uint16_t)bytes };
}

union control {
	char bytes[CMSG_SPACE(ADOPT_FDS * sizeof(int)) +
		   CMSG_SPACE(sizeof(struct ucred))];
	struct cmsghdr align;
};

int
adopt_send(int fd, const void *datagram, size_t bytes, const int *fds, size_t n,
    int flags)
{
	union control control;
	struct iovec io = { (void *)(uintptr_t)datagram, bytes };
	struct msghdr h = { .msg_iov = &io, .msg_iovlen = 1 };
	struct cmsghdr *cm;

	hf_assert(n <= ADOPT_FDS);
	if (n > 0) {
		memset(&control, 0, sizeof(control));
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
	}
	return sendmsg(fd, &h, flags | MSG_NOSIGNAL) == (ssize_t)bytes ? 0
								       : errno;
}

ssize_t
adopt_receive(int fd, void *to, size_t cap, int *fd_to, size_t *fds,
    struct ucred *who, int flags)
{
	union control control;
	struct iovec io = { to, cap };
	struct msghdr h = { .msg_iov = &io,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &h, flags | MSG_CMSG_CLOEXEC);

	*fds = 0;
	if (n <= 0)
		return n;
	for (struct cmsghdr *cm = CMSG_FIRSTHDR(&h); cm != NULL;
	     cm = CMSG_NXTHDR(&h, cm)) {
		size_t here = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (who != NULL && cm->cmsg_level == SOL_SOCKET &&
		    cm->cmsg_type == SCM_CREDENTIALS)
			memcpy(who, CMSG_DATA(cm), sizeof(*who));
		if (cm->cmsg_level != SOL_SOCKET ||
		    cm->cmsg_type != SCM_RIGHTS || *fds + here > ADOPT_FDS)
			continue;
		memcpy(fd_to + *fds, CMSG_DATA(cm), here * sizeof(int));
		*fds += here;
	}
	/* What stands behind what we know is a later one's. */
	if (!(h.msg_flags & MSG_CTRUNC))
		return n;
	for (size_t i = 0; i < *fds; i++)
		(void)close(fd_to[i]);
	*fds = 0;
	errno = EBADMSG;
	return -1;
}

/* ---- what a room was handed ------------------------------------------------
 */

void
adopt_door(int fd)
{
	if (room.door >= 0)
		(void)close(room.door);
	room.door = fd;
	(void)fcntl(fd, F_SETFL, O_NONBLOCK);
}

bool
adopt_possible(void)
{
	return room.door >= 0;
}

void
adopt_remember(const struct msg_socket *m, const int *fd)
{
	struct batch *b;

	if (m->count > ADOPT_FDS)
		return;
	if (room.batches == room.cap) {
		room.cap += BATCHES_STEP;
		room.batch =
		    realloc(room.batch, room.cap * sizeof(*room.batch));
		hf_assert(room.batch != NULL);
	}
	b = &room.batch[room.batches++];
	memset(b, 0, sizeof(*b));
	b->say.head = adopt_head(ADOPT_SOCKETS, sizeof(b->say));
	(void)snprintf(b->say.what, sizeof(b->say.what), "%s", m->what);
	b->say.first = m->first;
	b->say.count = m->count;
	memcpy(b->fd, fd, m->count * sizeof(*fd));
}

void
adopt_remember_conf(int fd, bool secrets)
{
	int *keep = secrets ? &room.secrets : &room.conf;

	if (*keep >= 0)
		(void)close(*keep);
	*keep = fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

/* ---- the next keeper -------------------------------------------------------
 */

static void came(int fd, uint32_t events, void *arg);

static void
gone(void)
{
	bool was_known = room.known;

	loop_unwatch(room.conn);
	(void)close(room.conn);
	room.conn = -1;
	room.known = false;
	loop_watch(room.door, EPOLLIN, came, NULL);
	if (was_known)
		room.ways->known(false);
}

static int
tell_hello(void)
{
	struct adopt_hello h = { 0 };
	int fds[2] = { room.conf, room.secrets };

	room.ways->fill(&h);
	h.head = adopt_head(ADOPT_HELLO, sizeof(h));
	h.secrets = room.secrets >= 0;
	return adopt_send(
	    room.conn, &h, sizeof(h), fds, 1U + h.secrets, MSG_DONTWAIT);
}

static int
tell_all(void)
{
	struct adopt_head all = adopt_head(ADOPT_ALL, sizeof(all));

	return adopt_send(room.conn, &all, sizeof(all), NULL, 0, MSG_DONTWAIT);
}

static int
tell_batch(const struct batch *b)
{
	return adopt_send(room.conn, &b->say, sizeof(b->say), b->fd,
	    b->say.count, MSG_DONTWAIT);
}

/* False when he is gone. */
static bool
tell(void)
{
	uint32_t last = room.batches + 2;
	int err = 0;

	for (int i = 0; i < SENDS_A_TURN && room.told < last && err == 0; i++) {
		err = room.told == 0 ? tell_hello()
		      : room.told < last - 1
			  ? tell_batch(&room.batch[room.told - 1])
			  : tell_all();
		room.told += err == 0;
	}
	/* So many descriptors on their way are too many for the kernel, or so
	 * many bytes: he reads them, and there is room. */
	return err == 0 || err == EAGAIN || err == ENOBUFS ||
	       err == ETOOMANYREFS;
}

/* False when he said nothing that we know, or is gone. */
static bool
hear(void)
{
	struct adopt_head head, yes = adopt_head(ADOPT_YES, sizeof(yes));
	int fds[ADOPT_FDS], fd;
	size_t nfds;
	ssize_t n = adopt_receive(
	    room.conn, &head, sizeof(head), fds, &nfds, NULL, MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return true;
	for (size_t i = 0; n > 0 && i < nfds; i++)
		(void)close(fds[i]);
	if (n != (ssize_t)sizeof(head) || head.magic != ADOPT_MAGIC ||
	    (head.kind != ADOPT_TAKEN && head.kind != ADOPT_KNOWN) ||
	    room.told != room.batches + 2 || room.known ||
	    adopt_send(room.conn, &yes, sizeof(yes), NULL, 0, MSG_DONTWAIT) !=
		0)
		return false;
	if (head.kind == ADOPT_KNOWN) {
		room.known = true;
		room.ways->known(true);
		return true;
	}
	loop_unwatch(room.conn);
	fd = room.conn;
	room.conn = -1;
	room.ways->taken(fd);
	return true;
}

static void
ready(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)arg;
	if (room.told < room.batches + 2 && !tell()) {
		gone();
		return;
	}
	if (room.told == room.batches + 2)
		loop_watch(room.conn, EPOLLIN, ready, NULL);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !hear())
		gone();
}

/* Root, or who runs the house. */
static bool
may_keep(int fd)
{
	struct ucred who;
	socklen_t n = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) == 0 &&
	       (who.uid == 0 || who.uid == geteuid());
}

static void
came(int fd, uint32_t events, void *arg)
{
	int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)events;
	(void)arg;
	if (c < 0)
		return;
	if (!may_keep(c)) {
		hf_log(LOG_WARNING, "keeper_refused", "why=not_root");
		(void)close(c);
		return;
	}
	/* One at a time: who is dead is seen to be. */
	loop_unwatch(room.door);
	room.conn = c;
	room.told = 0;
	loop_watch(c, EPOLLIN | EPOLLOUT, ready, NULL);
}

void
adopt_wait(const struct adopt_ways *ways)
{
	hf_assert(adopt_possible() && room.conn < 0);
	room.ways = ways;
	loop_watch(room.door, EPOLLIN, came, NULL);
}
