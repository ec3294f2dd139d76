/* daemon/keeper/adopt - see keeper.h and proc/adopt.h */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/keeper/keeper.h"
#include "proc/adopt.h"
#include "proc/log.h"
#include "proc/snapshot.h"

enum {
	ANSWER_WITHIN_S = 3, /* a room that does not is killed */
	TELL_WITHIN_S = 10,  /* all of it */
	BATCHES_MAX = 2 * 65536 / ADOPT_FDS,
	DOOR_BACKLOG = 4,
	DEATH_MS = 1000, /* of one that was killed */
};

static struct {
	struct adopted room[CHILDREN_MAX];
	uint32_t n;
} found;

/* ---- doors -----------------------------------------------------------------
 */

static void
name_of(enum room room, uint16_t worker, char *to, size_t cap)
{
	if (room == ROOM_MEDIA)
		(void)snprintf(to, cap, "hf-media.%u", worker);
	else
		(void)snprintf(to, cap, "hf-%s", room_name(room));
}

static bool
door_path(enum room room, uint16_t worker, struct sockaddr_un *sa)
{
	char name[16];
	int n;

	name_of(room, worker, name, sizeof(name));
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	n = snprintf(sa->sun_path, sizeof(sa->sun_path), "%s/" ADOPT_NAME "%s",
	    keeper_conf()->keeper.run_dir, name);
	return n > 0 && (size_t)n < sizeof(sa->sun_path);
}

int
adopt_door_open(enum room room, uint16_t worker)
{
	struct sockaddr_un sa;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	mode_t was;
	bool well;

	if (fd < 0 || !door_path(room, worker, &sa)) {
		if (fd >= 0)
			(void)close(fd);
		return -1;
	}
	(void)unlink(sa.sun_path);
	was = umask(0177); /* nobody but us need knock */
	well = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0 &&
	       listen(fd, DOOR_BACKLOG) == 0;
	(void)umask(was);
	if (well)
		return fd;
	hf_log(LOG_WARNING, "door_not_made", "path=%s why=\"%s\"", sa.sun_path,
	    strerror(errno));
	(void)close(fd);
	return -1;
}

void
adopt_doors_close(void)
{
	struct sockaddr_un sa;

	for (int r = 0; r < ROOM_NR; r++)
		for (uint16_t w = 0; w < WORKERS_MAX; w++)
			if (r != ROOM_KEEPER && door_path((enum room)r, w, &sa))
				(void)unlink(sa.sun_path);
}

/* ---- meeting ---------------------------------------------------------------
 */

/* A connection to who listens there, or -1. */
static int
knock(enum room room, uint16_t worker)
{
	const struct timeval within = { .tv_sec = ANSWER_WITHIN_S };
	struct sockaddr_un sa;
	int fd, on = 1;

	if (!door_path(room, worker, &sa))
		return -1;
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &within, sizeof(within));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &within, sizeof(within));
	(void)setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof(on));
	if (connect(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0)
		return fd;
	if (errno == ECONNREFUSED)
		(void)unlink(sa.sun_path); /* he is dead */
	(void)close(fd);
	return -1;
}

static bool
may_be_ours(const struct ucred *who)
{
	return who->pid > 0 &&
	       (who->uid == 0 || who->uid == geteuid() ||
		   (keeper_user()->change && who->uid == keeper_user()->uid));
}

/* Who it is, and its configuration. */
static bool
hear_hello(struct adopted *a)
{
	int fds[ADOPT_FDS];
	struct ucred who = { 0 };
	size_t n;
	ssize_t got;

	got =
	    adopt_receive(a->fd, &a->hello, sizeof(a->hello), fds, &n, &who, 0);
	if (got < 0)
		return false;
	for (size_t i = 0; i < n; i++) {
		if (i == 0)
			a->conf = fds[i];
		else if (i == 1)
			a->secrets = fds[i];
		else
			(void)close(fds[i]);
	}
	a->hello.room[sizeof(a->hello.room) - 1] = '\0';
	if (got < (ssize_t)sizeof(a->hello) || !may_be_ours(&who) ||
	    a->hello.head.magic != ADOPT_MAGIC ||
	    a->hello.head.kind != ADOPT_HELLO || a->hello.worker != a->worker ||
	    a->hello.joins > ADOPT_JOINS ||
	    strncmp(a->hello.room, "hf-", 3) != 0 ||
	    strcmp(a->hello.room + 3, room_name(a->room)) != 0)
		return false;
	a->pid = who.pid;
	a->pidfd = pidfd_open(who.pid, 0);
	if (a->pidfd >= 0)
		(void)fcntl(a->pidfd, F_SETFD, FD_CLOEXEC);
	return a->pidfd >= 0;
}

static time_t
seconds(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

/* What it was handed by who kept it before. */
static bool
hear_sockets(struct adopted *a)
{
	int fds[ADOPT_FDS];
	struct adopt_sockets s;
	struct ucred who;
	size_t n;
	ssize_t got;
	time_t end;

	end = seconds() + TELL_WITHIN_S;
	/* No room was ever handed more: who goes on has something in mind. */
	for (int i = 0; i < BATCHES_MAX && seconds() < end; i++) {
		memset(&s, 0, sizeof(s));
		got = adopt_receive(a->fd, &s, sizeof(s), fds, &n, &who, 0);
		if (got < (ssize_t)sizeof(s.head) ||
		    s.head.magic != ADOPT_MAGIC ||
		    (s.head.kind != ADOPT_SOCKETS &&
			s.head.kind != ADOPT_ALL)) {
			for (size_t k = 0; k < n; k++)
				(void)close(fds[k]);
			return false;
		}
		for (size_t k = 0; k < n; k++)
			sockets_found(fds[k], false);
		if (s.head.kind == ADOPT_ALL)
			return true;
	}
	return false;
}

static void
close_all(struct adopted *a)
{
	int *all[] = { &a->fd, &a->pidfd, &a->conf, &a->secrets };

	for (size_t i = 0; i < HF_LEN(all); i++) {
		if (*all[i] >= 0)
			(void)close(*all[i]);
		*all[i] = -1;
	}
}

/* It listens and does not answer: whoever it is, its successor will.  Only if
 * the process has its name; numbers are given again. */
static void
kill_mute(enum room room, uint16_t worker, pid_t pid)
{
	char path[64], is[32] = "", name[32];
	struct pollfd f;
	int fd;

	if (pid <= 0)
		return;
	(void)snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)!read(fd, is, sizeof(is) - 1);
	(void)close(fd);
	(void)snprintf(name, sizeof(name), "hf-%s\n", room_name(room));
	f = (struct pollfd){ .fd = pidfd_open(pid, 0), .events = POLLIN };
	if (f.fd < 0)
		return;
	if (strcmp(is, name) == 0) {
		hf_log(LOG_ERROR, "room_killed",
		    "room=hf-%s worker=%u pid=%d why=does_not_answer",
		    room_name(room), worker, (int)pid);
		(void)pidfd_send_signal(f.fd, SIGKILL, NULL, 0);
		(void)poll(&f, 1, DEATH_MS);
	}
	(void)close(f.fd);
}

static void
meet(enum room room, uint16_t worker, const struct past *past)
{
	struct adopted *a = &found.room[found.n];

	*a = (struct adopted){ .room = room,
		.worker = worker,
		.fd = knock(room, worker),
		.pidfd = -1,
		.conf = -1,
		.secrets = -1 };
	if (a->fd < 0)
		return;
	if (hear_hello(a) && hear_sockets(a)) {
		found.n++;
		return;
	}
	close_all(a);
	for (uint32_t i = 0; i < HF_LEN(past->child); i++)
		if (past->child[i].room == (uint16_t)room &&
		    past->child[i].worker == worker)
			kill_mute(room, worker, past->child[i].pid);
}

uint32_t
adopt_meet(const struct past *past)
{
	static const enum room order[] = { ROOM_MEDIA, ROOM_SIP, ROOM_CALL,
		ROOM_REC, ROOM_STORE };
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) == 0) {
		r.rlim_cur = r.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &r);
	}
	for (size_t i = 0; i < HF_LEN(order); i++)
		for (uint16_t w = 0;
		     w < (order[i] == ROOM_MEDIA ? WORKERS_MAX : 1); w++)
			meet(order[i], w, past);
	return found.n;
}

/* ---- the configuration in force --------------------------------------------
 */

/* A room that strangers have got hold of may show any configuration, and we
 * act on it, perhaps as root: only one that a keeper has sealed is looked at.
 */
static const struct snapshot_head *
map_sealed(const struct adopted *a, int fd, size_t size, const uint64_t seal[2])
{
	const struct snapshot_head *p;

	if (a->hello.language != adopt_language() || fd < 0)
		return NULL;
	p = snapshot_map(
	    fcntl(fd, F_DUPFD_CLOEXEC, 0), CONF_MAGIC, CONF_VERSION, size);
	if (p == NULL || keeper_has_sealed(p, size, seal))
		return p;
	hf_log(
	    LOG_WARNING, "config_not_known", "room=hf-%s", room_name(a->room));
	(void)munmap((void *)(uintptr_t)p, size);
	return NULL;
}

/* The newest that is wanted (0: any). */
static bool
copy_newest(bool secrets, uint32_t wanted, size_t size, const uint64_t seal[2],
    void *to)
{
	uint32_t best = 0;

	for (uint32_t i = 0; i < found.n; i++) {
		const struct adopted *a = &found.room[i];
		const struct snapshot_head *p =
		    map_sealed(a, secrets ? a->secrets : a->conf, size, seal);

		if (p == NULL)
			continue;
		if (p->generation > best &&
		    (wanted == 0 || p->generation == wanted)) {
			best = p->generation;
			memcpy(to, p, size);
		}
		(void)munmap((void *)(uintptr_t)p, size);
	}
	return best > 0;
}

bool
adopt_conf(const struct past *past, struct conf *c)
{
	return copy_newest(false, 0, sizeof(*c), past->conf_seal, c);
}

bool
adopt_secrets(
    const struct past *past, const struct conf *c, struct conf_secrets *s)
{
	return copy_newest(
	    true, c->generation, sizeof(*s), past->secrets_seal, s);
}

uint32_t
adopt_generation(void)
{
	uint32_t most = 0;

	for (uint32_t i = 0; i < found.n; i++)
		if (found.room[i].hello.generation > most)
			most = found.room[i].hello.generation;
	return most;
}

uint32_t
adopt_flags(void)
{
	uint32_t flags = 0;

	for (uint32_t i = 0; i < found.n; i++)
		flags |= found.room[i].hello.flags;
	return flags;
}

/* ---- keeping ---------------------------------------------------------------
 */

static bool
alive(const struct adopted *a)
{
	struct pollfd f = { .fd = a->pidfd, .events = POLLIN };

	return poll(&f, 1, 0) == 0;
}

/* False when it will not be kept: it is dead, or will be. */
static bool
keep(struct adopted *a)
{
	struct adopt_head word;
	int fds[ADOPT_FDS], off = 0;
	struct ucred who;
	size_t n = 0;
	bool yes;

	a->speaks = a->hello.language == adopt_language();
	word = adopt_head(a->speaks ? ADOPT_TAKEN : ADOPT_KNOWN, sizeof(word));
	/* What it says from now on comes without its name. */
	(void)setsockopt(a->fd, SOL_SOCKET, SO_PASSCRED, &off, sizeof(off));
	yes = adopt_send(a->fd, &word, sizeof(word), NULL, 0, 0) == 0 &&
	      adopt_receive(a->fd, &word, sizeof(word), fds, &n, &who, 0) ==
		  (ssize_t)sizeof(word) &&
	      word.magic == ADOPT_MAGIC && word.kind == ADOPT_YES;
	for (size_t i = 0; i < n; i++)
		(void)close(fds[i]);
	/* It answered, so the number was its own all the time. */
	if (yes && alive(a))
		return true;
	(void)pidfd_send_signal(a->pidfd, SIGKILL, NULL, 0);
	return false;
}

void
adopt_each(adopt_fn *fn)
{
	for (uint32_t i = 0; i < found.n; i++) {
		struct adopted *a = &found.room[i];

		if (keep(a)) {
			fn(a); /* the connection and the pidfd are its own */
			a->fd = a->pidfd = -1;
		}
		close_all(a);
	}
	found.n = 0;
}
