/* ctl/link - a question to the house and the rows that come back */

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "wire/msg.h"

enum {
	PACKET_MAX = 64 * 1024,
	ROWS_MAX = 1000000, /* an answer that never ends is a fault */
};

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* ---- rows ---------------------------------------------------------------- */

void
rows_free(struct rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		free((void *)(uintptr_t)r->row[i].p);
	free(r->row);
	*r = (struct rows){ 0 };
}

static void
rows_add(struct rows *r, const void *p, size_t n)
{
	char *copy = malloc(n);

	if (r->n == r->cap) {
		r->cap = r->cap == 0 ? 64 : 2 * r->cap;
		r->row = reallocarray(r->row, r->cap, sizeof(*r->row));
	}
	if (copy == NULL || r->row == NULL)
		abort();
	memcpy(copy, p, n);
	r->row[r->n++] = (struct hf_slice){ copy, n };
}

bool
row_find(struct hf_slice row, const char *name, struct row_value *out)
{
	while (row_next(&row, out))
		if (hf_slice_eq(out->name, hf_slice_of(name)))
			return true;
	return false;
}

int64_t
row_int(struct hf_slice row, const char *name, int64_t otherwise)
{
	struct row_value v;
	char text[24];

	if (!row_find(row, name, &v) ||
	    !hf_slice_copy(v.value, text, sizeof(text)))
		return otherwise;
	/* A leg has all 64 bits. */
	return text[0] == '-' ? strtoll(text, NULL, 10)
			      : (int64_t)strtoull(text, NULL, 10);
}

const char *
row_str(struct hf_slice row, const char *name, char *to, size_t n)
{
	struct row_value v;

	to[0] = '\0';
	if (row_find(row, name, &v)) {
		if (v.value.n >= n)
			v.value.n = n - 1;
		hf_slice_copy(v.value, to, n);
	}
	return to;
}

/* ---- the socket ---------------------------------------------------------- */

static int
away(struct ctl *c, const char *what, int err)
{
	const char *todo = err == ENOENT || err == ECONNREFUSED
			       ? "is holdfastd running? another folder is "
				 "named by --socket or "
				 "HF_RUN_DIR"
			   : err == EACCES
			       ? "ask as root or as the house's own user"
			       : "see the log of holdfastd";

	snprintf(c->error, sizeof(c->error), "%s %s: %s; %s", c->socket, what,
	    strerror(err), todo);
	return CTL_AWAY;
}

static int
link_open(struct ctl *c)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (c->fd >= 0)
		return CTL_DONE;
	if (strlen(c->socket) >= sizeof(to.sun_path))
		return away(c, "cannot be reached", ENAMETOOLONG);
	memcpy(to.sun_path, c->socket, strlen(c->socket));
	c->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		return away(c, "cannot be reached", errno);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		int err = errno;

		close(c->fd);
		c->fd = -1;
		return away(c, "cannot be reached", err);
	}
	return CTL_DONE;
}

static int
send_ask(struct ctl *c, const char *verb, const char *const *word,
    unsigned int words, int64_t deadline)
{
	static struct msg m;
	static char frame[MSG_FRAME_MAX];
	struct hf_buf b = hf_buf_on(frame, sizeof(frame));
	struct hf_buf args;

	m = (struct msg){ .type = MSG_ASK };
	m.ask.id = ++c->id;
	m.ask.deadline = (struct hf_time){ deadline };
	hf_assert(strlen(verb) < sizeof(m.ask.verb));
	memcpy(m.ask.verb, verb, strlen(verb));
	args = hf_buf_on(m.ask.args.p, sizeof(m.ask.args.p));
	for (unsigned int i = 0; i < words; i++)
		hf_buf_put(&args, word[i], strlen(word[i]) + 1);
	if (args.overflow) {
		snprintf(c->error, sizeof(c->error),
		    "the words are too long; at most %zu bytes in all",
		    sizeof(m.ask.args.p));
		return CTL_USAGE;
	}
	m.ask.args.n = (uint16_t)args.n;
	if (!msg_encode(&b, &m))
		hf_never("a question that does not fit its frame");
	if (send(c->fd, frame, b.n, MSG_NOSIGNAL) < 0)
		return away(c, "does not take the question", errno);
	return CTL_DONE;
}

/* One packet: rows, and whether the answer is over. */
static int
take_packet(struct ctl *c, struct hf_slice in, struct rows *out, bool *over)
{
	static struct msg m;

	while (in.n > 0 && !*over) {
		if (!msg_decode(&in, &m) || m.type != MSG_REPLY) {
			snprintf(c->error, sizeof(c->error),
			    "the answer is not understood; are hfctl and "
			    "holdfastd of the same version?");
			return CTL_AWAY;
		}
		if (m.reply.id != c->id)
			continue; /* of a question we gave up on */
		if (m.reply.error[0] != '\0') {
			snprintf(
			    c->error, sizeof(c->error), "%s", m.reply.error);
			return CTL_REFUSED;
		}
		if (m.reply.row.n > 0)
			rows_add(out, m.reply.row.p, m.reply.row.n);
		*over = !m.reply.more || out->n >= ROWS_MAX;
	}
	return CTL_DONE;
}

static int
no_answer(struct ctl *c, const char *verb)
{
	snprintf(c->error, sizeof(c->error),
	    "no answer to \"%s\" within %lld ms; try a longer --timeout, or "
	    "see the log of holdfastd",
	    verb, (long long)(c->timeout.us / 1000));
	return CTL_AWAY;
}

int
link_ask(struct ctl *c, const char *verb, const char *const *word,
    unsigned int words, struct rows *out)
{
	static char packet[PACKET_MAX];
	int64_t deadline = now_us() + c->timeout.us;
	bool over = false;
	int err;

	*out = (struct rows){ 0 };
	c->error[0] = '\0';
	err = link_open(c);
	if (err == CTL_DONE)
		err = send_ask(c, verb, word, words, deadline);
	while (err == CTL_DONE && !over) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };
		int64_t left = deadline - now_us();
		ssize_t n;

		if (left <= 0 || poll(&p, 1, (int)(left / 1000) + 1) == 0)
			return no_answer(c, verb);
		n = recv(c->fd, packet, sizeof(packet), MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			continue;
		if (n <= 0)
			return away(c, "hung up", n == 0 ? ECONNRESET : errno);
		err = take_packet(
		    c, (struct hf_slice){ packet, (size_t)n }, out, &over);
	}
	return err;
}

bool
link_ends(struct ctl *c, struct hf_span within)
{
	int64_t deadline = now_us() + within.us, left;
	char byte;

	while (c->fd >= 0 && (left = deadline - now_us()) > 0) {
		struct pollfd p = { .fd = c->fd, .events = POLLIN };

		if (poll(&p, 1, (int)(left / 1000) + 1) != 1 ||
		    recv(c->fd, &byte, 1, MSG_DONTWAIT) > 0)
			continue;
		close(c->fd);
		c->fd = -1;
	}
	return c->fd < 0;
}

pid_t
link_pid(struct ctl *c)
{
	struct ucred who = { 0 };
	socklen_t n = sizeof(who);

	if (link_open(c) != CTL_DONE ||
	    getsockopt(c->fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
		return 0;
	return who.pid;
}
