/*
 * daemon/sip/names - targets that are written as names: see room.h.  Looking a
 * name up may take seconds, so a child of ours does it, over and over; here
 * only what it found last is used.  A name that cannot be found any more keeps
 * its last address: a dead name server must not take the helpers with it.
 */

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/sip/room.h"

enum {
	NAMES_MAX = CONF_HELPERS_MAX * CONF_TARGETS_MAX + CONF_TRUNKS_MAX,
	AGAIN_MS = 30000,
	CHILD_FD = 3,
	FAMILIES = 2, /* the first address of each */
};

/* A question, and its answer. */
struct lookup {
	char host[CONF_NUMBER_MAX];
	struct hf_addr found[FAMILIES]; /* the resolver's first first */
};

static struct {
	struct lookup name[NAMES_MAX];
	uint32_t n;
	int fd; /* to the child, -1: none */
	struct hf_time again;
} names = { .fd = -1 };

/* ---- the child ----------------------------------------------------------- */

static void
look_up(struct lookup *l)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM };
	struct addrinfo *list = NULL;
	struct hf_addr *first = &l->found[0], a;

	memset(l->found, 0, sizeof(l->found));
	if (getaddrinfo(l->host, NULL, &hints, &list) != 0)
		return;
	for (struct addrinfo *it = list; it != NULL; it = it->ai_next) {
		if (!hf_addr_from_sockaddr(it->ai_addr, &a))
			continue;
		if (first->family == 0)
			*first = a;
		else if (a.family != first->family && first[1].family == 0)
			first[1] = a;
	}
	freeaddrinfo(list);
}

/* Ends when its parent does: the socket says so. */
static _Noreturn void
be_child(int fd)
{
	struct lookup l;

	(void)prctl(PR_SET_NAME, "hf-sip-names");
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd != CHILD_FD && dup2(fd, CHILD_FD) < 0)
		_exit(1);
	/* Sockets and channels are the parent's alone. */
	(void)close_range(CHILD_FD + 1, ~0U, 0);
	while (recv(CHILD_FD, &l, sizeof(l), 0) == (ssize_t)sizeof(l)) {
		l.host[sizeof(l.host) - 1] = '\0';
		look_up(&l);
		if (send(CHILD_FD, &l, sizeof(l), MSG_NOSIGNAL) < 0)
			break;
	}
	_exit(0);
}

/* ---- here ---------------------------------------------------------------- */

static void
lose_child(void)
{
	proc_unwatch(names.fd);
	close(names.fd);
	names.fd = -1;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

static void
on_answer(int fd, uint32_t events, void *arg)
{
	struct lookup l;
	ssize_t n;

	(void)events;
	(void)arg;
	while (
	    (n = recv(fd, &l, sizeof(l), MSG_DONTWAIT)) == (ssize_t)sizeof(l)) {
		for (uint32_t i = 0; i < names.n; i++)
			if (l.found[0].family != 0 &&
			    strcmp(names.name[i].host, l.host) == 0)
				names.name[i] = l;
	}
	if (n == 0 || (n < 0 && errno != EAGAIN))
		lose_child();
}

static void
start_child(void)
{
	int pair[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return;
	pid = fork();
	if (pid == 0)
		be_child(pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return;
	}
	names.fd = pair[0];
	proc_watch(names.fd, EPOLLIN, on_answer, NULL);
}

static void
want(const struct conf_target *t)
{
	if (t->addr.family != 0 || t->host[0] == '\0' || names.n == NAMES_MAX)
		return;
	for (uint32_t i = 0; i < names.n; i++)
		if (strcmp(names.name[i].host, t->host) == 0)
			return;
	names.name[names.n] = (struct lookup){ .host = "" };
	memcpy(names.name[names.n++].host, t->host, sizeof(t->host));
}

void
names_ask(void)
{
	const struct conf *c = room.conf;

	for (uint16_t i = 0; i < c->helpers; i++)
		for (uint8_t k = 0;
		     c->helper[i].used && k < c->helper[i].targets; k++)
			want(&c->helper[i].to[k]);
	for (uint16_t i = 0; i < c->trunks; i++)
		if (c->trunk[i].used)
			want(&c->trunk[i].to);
	names.again = hf_time_after(room.now, hf_ms(AGAIN_MS));
	if (names.n == 0)
		return;
	if (names.fd < 0)
		start_child();
	/* What does not fit into the socket is asked the next time. */
	for (uint32_t i = 0; names.fd >= 0 && i < names.n; i++)
		if (send(names.fd, &names.name[i], sizeof(names.name[i]),
			MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			break;
}

void
names_tick(void)
{
	if (!hf_time_before(room.now, names.again))
		names_ask();
}

/* The first of its addresses that a socket of ours reaches. */
static bool
choose(const struct lookup *l, uint16_t port, struct hf_addr *out)
{
	struct sip_flow way;

	for (int i = 0; i < FAMILIES && l->found[i].family != 0; i++) {
		*out = l->found[i];
		out->port = port;
		if (sip_transport_way(&room.tp, SIP_UDP, out, &way))
			return true;
	}
	return l->found[0].family != 0;
}

bool
names_addr(const struct conf_target *t, struct hf_addr *out)
{
	*out = t->addr;
	if (t->addr.family != 0)
		return true;
	for (uint32_t i = 0; i < names.n; i++)
		if (strcmp(names.name[i].host, t->host) == 0)
			return choose(&names.name[i], t->addr.port, out);
	return false;
}
