/* tests/lib/asker - see asker.h */

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "lib/asker.h"
#include "proc/chan.h"

enum { US_PER_MS = 1000, US_PER_S = 1000000, NS_PER_US = 1000 };

static struct hf_time
now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (struct hf_time){ (int64_t)ts.tv_sec * US_PER_S +
				 ts.tv_nsec / NS_PER_US };
}

int
asker_connect(const char *run_dir)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd, n, err;

	n = snprintf(sa.sun_path, sizeof(sa.sun_path), "%s/control", run_dir);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) != 0) {
		err = errno;
		(void)close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

int
asker_ask(int fd, uint32_t id, const char *verb, char *const *args, size_t n,
    struct hf_span wait)
{
	static struct msg m;
	static char frame[MSG_FRAME_MAX];
	struct hf_buf b = hf_buf_on(frame, sizeof(frame));
	struct hf_buf words = hf_buf_on(m.ask.args.p, sizeof(m.ask.args.p));

	m.type = MSG_ASK;
	m.ask.id = id;
	m.ask.deadline = hf_time_after(now(), wait);
	if (strlen(verb) >= sizeof(m.ask.verb))
		return E2BIG;
	(void)snprintf(m.ask.verb, sizeof(m.ask.verb), "%s", verb);
	for (size_t i = 0; i < n; i++)
		hf_buf_put(&words, args[i], strlen(args[i]) + 1);
	if (words.overflow)
		return E2BIG;
	m.ask.args.n = (uint16_t)words.n;
	if (!msg_encode(&b, &m))
		return E2BIG;
	return send(fd, frame, b.n, MSG_NOSIGNAL) == (ssize_t)b.n ? 0 : errno;
}

/* Waits until something can be read.  0 or errno. */
static int
wait_for(int fd, struct hf_time end)
{
	for (;;) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		int64_t left = hf_time_since(now(), end).us / US_PER_MS;
		int ready = poll(&p, 1, left < 0 ? 0 : (int)left + 1);

		if (ready > 0)
			return 0;
		if (ready < 0 && errno != EINTR)
			return errno;
		if (ready == 0 && left <= 0)
			return ETIMEDOUT;
	}
}

int
asker_reply(int fd, struct msg *reply, struct hf_span wait)
{
	static char bytes[CHAN_DATAGRAM_MAX];
	static struct hf_slice rest; /* a datagram may hold several */
	ssize_t n;
	int err;

	if (rest.n == 0) {
		err = wait_for(fd, hf_time_after(now(), wait));
		if (err != 0)
			return err;
		n = recv(fd, bytes, sizeof(bytes), 0);
		if (n < 0)
			return errno;
		if (n == 0)
			return ECONNRESET;
		rest = (struct hf_slice){ bytes, (size_t)n };
	}
	if (!msg_decode(&rest, reply) || reply->type != MSG_REPLY) {
		rest.n = 0;
		return EPROTO;
	}
	return 0;
}
