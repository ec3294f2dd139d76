/* daemon/keeper/children - see keeper.h */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/keeper/keeper.h"
#include "proc/chan.h"
#include "proc/flight.h"
#include "proc/log.h"
#include "proc/loop.h"
#include "proc/rails.h"

enum {
	CHILD_FD = 3, /* where a room finds its channel to us */
	READY_WITHIN_MS = 10000,
	WEAK_MS = 2000,          /* a life shorter than this is not progress */
	WEAK_MAX = 4,            /* the dearest restart costs 1 << this */
	LEAVE_WITHIN_MS = 10000, /* the last commit, on a slow disk */
	/* Goodbyes to all, twice over UDP, and the records of their calls: who
	 * has asked twice does not wait longer. */
	GOODBYE_WITHIN_MS = 1000,
	GOODBYES = 64,   /* hf-call lets go of so many calls at once ... */
	GOODBYES_MS = 5, /* ... and so often */
	STOP_STEP_US = 5000,
	/* All RTP sockets of the largest range, two a stream. */
	FDS_WAITING = 65536 / CHAN_FDS_MAX + 8,
	MEDIA_NICE = -10, /* frames go every 20 ms, whatever else runs */
	MEDIA_FIRST = 10, /* of SCHED_FIFO, as hf-media asks for itself */
	EVENT_NICE = -5,
	US_PER_S = 1000000,
};

struct child {
	enum room room;
	uint16_t worker;
	pid_t pid;
	int pidfd;
	bool ready;
	uint32_t starts, weak;
	struct hf_time since;
	struct chan chan;
	uint32_t watched; /* events */
	struct hf_timer ready_by, restart;
};

static struct {
	struct child child[CHILDREN_MAX];
	uint32_t n;
	uint16_t workers;
	uint32_t boot; /* the last one given */
	bool booted;   /* all were ready once */
	bool stopping;
	int64_t tokens_us; /* what restarts may cost, in time earned */
	struct hf_time earned;
} all;

static char queues[CHILDREN_MAX][CHAN_QUEUE_BYTES];
static struct chan_fds waiting[CHILDREN_MAX][FDS_WAITING];

static const struct {
	enum room a, b;
} joins[] = {
	{ ROOM_CALL, ROOM_SIP },
	{ ROOM_CALL, ROOM_MEDIA },
	{ ROOM_SIP, ROOM_MEDIA },
	{ ROOM_CALL, ROOM_STORE },
	{ ROOM_CALL, ROOM_REC },
	{ ROOM_REC, ROOM_MEDIA },
	{ ROOM_REC, ROOM_STORE },
};

static void spawn(struct child *ch);

static uint32_t
place_of(const struct child *ch)
{
	return (uint32_t)(ch - all.child);
}

/* "hf-media/1" */
static const char *
text_of(const struct child *ch, char *to, size_t cap)
{
	if (ch->room == ROOM_MEDIA)
		(void)snprintf(to, cap, "hf-media/%u", ch->worker);
	else
		(void)snprintf(to, cap, "hf-%s", room_name(ch->room));
	return to;
}

/* ---- joining ---------------------------------------------------------------
 */

static bool
are_neighbours(enum room a, enum room b)
{
	for (size_t i = 0; i < HF_LEN(joins); i++)
		if ((joins[i].a == a && joins[i].b == b) ||
		    (joins[i].a == b && joins[i].b == a))
			return true;
	return false;
}

static void
tell_neighbour(struct child *to, const struct child *of, int fd)
{
	struct msg m = { .type = MSG_NEIGHBOUR,
		.neighbour = { .worker = of->worker } };

	(void)snprintf(m.neighbour.name, sizeof(m.neighbour.name), "hf-%s",
	    room_name(of->room));
	chan_send_fds(&to->chan, &m, &fd, 1, false);
}

/* A new pair of sockets, an end to each. */
static void
join(struct child *a, struct child *b)
{
	int pair[2];

	if (a->pid == 0 || b->pid == 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		hf_log(LOG_ERROR, "join_failed", "why=\"%s\"", strerror(errno));
		return;
	}
	tell_neighbour(a, b, pair[0]);
	tell_neighbour(b, a, pair[1]);
}

/* ---- the price of a restart ------------------------------------------------
 */

static int64_t
price_us(void)
{
	return US_PER_S / keeper_conf()->keeper.restarts_per_s;
}

static void
earn(struct hf_time now)
{
	int64_t most = price_us() * keeper_conf()->keeper.restarts_burst;

	all.tokens_us += hf_time_since(all.earned, now).us;
	if (all.tokens_us > most)
		all.tokens_us = most;
	all.earned = now;
}

/* How long until so many restarts are paid for; they are, at once, when zero.
 */
static struct hf_span
pay(uint32_t restarts)
{
	int64_t cost = price_us() * restarts;

	earn(loop_now());
	if (all.tokens_us < cost)
		return (struct hf_span){ cost - all.tokens_us };
	all.tokens_us -= cost;
	return (struct hf_span){ 0 };
}

/* Never more than the bucket holds: it could not be paid, ever. */
static uint32_t
cost_of(const struct child *ch)
{
	uint32_t cost = 1U << (ch->weak > WEAK_MAX ? WEAK_MAX : ch->weak);
	uint32_t most = keeper_conf()->keeper.restarts_burst;

	return cost < most ? cost : most;
}

static void
start_when_paid(struct child *ch)
{
	struct hf_span wait = pay(cost_of(ch));

	if (wait.us == 0) {
		spawn(ch);
		return;
	}
	hf_timer_start(
	    loop_wheel(), &ch->restart, hf_time_after(loop_now(), wait));
}

static void
try_again(struct hf_timer *t, struct hf_time now)
{
	struct child *ch = HF_CONTAINER(t, struct child, restart);

	(void)now;
	if (!all.stopping)
		start_when_paid(ch);
}

/* ---- death -----------------------------------------------------------------
 */

static void
last_words(const struct child *ch, const char *begin, char *to, size_t cap)
{
	char path[KEEPER_PATH_MAX];
	int n;

	n = snprintf(path, sizeof(path), "%s/flight.hf-%s",
	    keeper_conf()->keeper.run_dir, room_name(ch->room));
	if (ch->room == ROOM_MEDIA)
		(void)snprintf(
		    path + n, sizeof(path) - (size_t)n, ".%u", ch->worker);
	if (!flight_last(path, begin, to, cap))
		to[0] = '\0';
	for (char *c = to; *c != '\0'; c++)
		if (*c == '"')
			*c = '\'';
}

static void
tell_death(const struct child *ch, const siginfo_t *how)
{
	char name[16], words[256] = "";
	bool by_signal = how->si_code != CLD_EXITED;

	if (by_signal && how->si_status == SIGABRT)
		last_words(ch, "assert_failed", words, sizeof(words));
	if (by_signal && how->si_status == SIGSYS)
		last_words(ch, "rails_broken", words, sizeof(words));
	hf_log(all.stopping ? LOG_INFO : LOG_ERROR,
	    all.stopping ? "room_stopped" : "room_died",
	    "room=%s pid=%d %s=%d after_ms=%lld%s%s%s",
	    text_of(ch, name, sizeof(name)), (int)ch->pid,
	    by_signal ? "signal" : "exit", how->si_status,
	    (long long)(hf_time_since(ch->since, loop_now()).us / 1000),
	    words[0] != '\0' ? " last=\"" : "", words,
	    words[0] != '\0' ? "\"" : "");
}

static void
buried(struct child *ch)
{
	loop_unwatch(ch->pidfd);
	(void)close(ch->pidfd);
	if (ch->watched != 0)
		loop_unwatch(ch->chan.fd);
	ch->watched = 0;
	chan_close(&ch->chan);
	hf_timer_stop(loop_wheel(), &ch->ready_by);
	ch->pid = 0;
	ch->pidfd = -1;
	ch->ready = false;
	control_child_gone(place_of(ch));
}

static void
died(int fd, uint32_t events, void *arg)
{
	struct child *ch = arg;
	siginfo_t how = { 0 };

	(void)events;
	if (waitid(P_PIDFD, (id_t)fd, &how, WEXITED | WNOHANG) != 0 ||
	    how.si_pid == 0)
		return;
	tell_death(ch, &how);
	if (hf_time_since(ch->since, loop_now()).us < WEAK_MS * 1000)
		ch->weak++;
	else
		ch->weak = 0;
	buried(ch);
	if (!all.stopping)
		start_when_paid(ch);
}

static void
not_ready(struct hf_timer *t, struct hf_time now)
{
	struct child *ch = HF_CONTAINER(t, struct child, ready_by);
	char name[16];

	(void)now;
	hf_log(LOG_ERROR, "room_not_ready", "room=%s pid=%d within_ms=%d",
	    text_of(ch, name, sizeof(name)), (int)ch->pid, READY_WITHIN_MS);
	(void)kill(ch->pid, SIGKILL);
}

/* ---- what a child says -----------------------------------------------------
 */

static void
start_next(void)
{
	for (uint32_t i = 0; i < all.n; i++) {
		struct child *ch = &all.child[i];

		if (ch->ready)
			continue;
		if (ch->pid == 0 && !hf_timer_running(&ch->restart))
			spawn(ch);
		return;
	}
	if (!all.booted)
		hf_log(LOG_NOTICE, "house_open", "rooms=%u streams=%u", all.n,
		    sockets_streams());
	all.booted = true;
}

static void
is_ready(struct child *ch)
{
	char name[16];

	ch->ready = true;
	hf_timer_stop(loop_wheel(), &ch->ready_by);
	hf_log(LOG_INFO, "room_ready", "room=%s pid=%d after_ms=%lld",
	    text_of(ch, name, sizeof(name)), (int)ch->pid,
	    (long long)(hf_time_since(ch->since, loop_now()).us / 1000));
	if (keeper_draining() &&
	    (ch->room == ROOM_CALL || ch->room == ROOM_SIP))
		keeper_drain(true, false); /* it does not know yet */
	start_next();
}

/* Two that live lost each other: one of them stood still for too long. */
static void
join_again(struct child *ch, const struct msg_neighbour_lost *lost)
{
	char name[16];

	if (pay(1).us > 0) {
		/* It goes on and on: a restart is the cure for all. */
		hf_log(LOG_ERROR, "room_killed", "room=%s why=loses_neighbours",
		    text_of(ch, name, sizeof(name)));
		(void)kill(ch->pid, SIGKILL);
		return;
	}
	for (uint32_t i = 0; i < all.n; i++) {
		struct child *other = &all.child[i];

		if (other != ch && are_neighbours(ch->room, other->room) &&
		    strncmp(lost->name, "hf-", 3) == 0 &&
		    strcmp(lost->name + 3, room_name(other->room)) == 0 &&
		    lost->worker == other->worker)
			join(ch, other);
	}
}

static void
said(struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	struct child *ch = arg;

	(void)c;
	for (uint16_t i = 0; i < n; i++)
		(void)close(fd[i]); /* nobody hands us anything */
	switch ((unsigned)m->type) {
	case MSG_READY:
		is_ready(ch);
		break;
	case MSG_NEIGHBOUR_LOST:
		join_again(ch, &m->neighbour_lost);
		break;
	case MSG_DRAINED:
		keeper_drained(m->drained.calls);
		break;
	case MSG_REPLY:
		control_answered(place_of(ch), &m->reply);
		break;
	default:
		break;
	}
}

static void channel_ready(int fd, uint32_t events, void *arg);

static void
watch(struct child *ch)
{
	uint32_t events = EPOLLIN | (ch->chan.blocked ? EPOLLOUT : 0U);

	if (ch->chan.fd < 0 || ch->watched == events)
		return;
	loop_watch(ch->chan.fd, events, channel_ready, ch);
	ch->watched = events;
}

/* Whatever is wrong with its channel, the cure is its death; pidfd tells. */
static void
give_up(struct child *ch)
{
	loop_unwatch(ch->chan.fd);
	ch->watched = 0;
	chan_close(&ch->chan);
	(void)kill(ch->pid, SIGKILL);
}

static void
channel_ready(int fd, uint32_t events, void *arg)
{
	struct child *ch = arg;

	(void)fd;
	if (events & EPOLLOUT)
		chan_flush(&ch->chan);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) &&
	    !chan_read(&ch->chan, said, ch))
		give_up(ch);
}

void
children_flush(void)
{
	for (uint32_t i = 0; i < all.n; i++) {
		struct child *ch = &all.child[i];

		if (ch->chan.fd < 0)
			continue;
		if (!ch->chan.blocked)
			chan_flush(&ch->chan);
		if (ch->chan.cut)
			give_up(ch);
		else
			watch(ch);
	}
}

/* ---- birth -----------------------------------------------------------------
 */

/* In the child: nothing here may allocate or log. */
static _Noreturn void
become(const struct child *ch, const char *path, int channel)
{
	const struct keeper_user *u = keeper_user();
	char name[16];
	char *argv[] = { name, NULL };
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (ch->room == ROOM_MEDIA) {
		(void)setpriority(PRIO_PROCESS, 0, MEDIA_NICE);
		/* Asked for while we may; it outlives setuid().  A machine
		 * that refuses leaves the nice value. */
		(void)sched_setscheduler(0, SCHED_FIFO,
		    &(struct sched_param){ .sched_priority = MEDIA_FIRST });
	} else if (ch->room == ROOM_SIP || ch->room == ROOM_CALL)
		(void)setpriority(PRIO_PROCESS, 0, EVENT_NICE);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
	if (channel != CHILD_FD && dup2(channel, CHILD_FD) < 0)
		_exit(EXIT_FAILURE);
	if (fcntl(CHILD_FD, F_SETFD, 0) != 0)
		_exit(EXIT_FAILURE);
	if (u->change && !rails_become(u->uid, u->gid))
		_exit(EXIT_FAILURE);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		_exit(EXIT_FAILURE);
	(void)snprintf(name, sizeof(name), "hf-%s", room_name(ch->room));
	(void)execv(path, argv);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(EXIT_FAILURE);
}

/* Rooms stand beside us: sbin/holdfastd, libexec/holdfast/hf-*. */
static void
find_program(const struct child *ch, char *to, size_t cap)
{
	char self[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char *slash;

	hf_assert(n > 0);
	self[n] = '\0';
	for (int up = 0; up < 2; up++) {
		slash = strrchr(self, '/');
		hf_assert(slash != NULL);
		*slash = '\0';
	}
	(void)snprintf(
	    to, cap, "%s/libexec/holdfast/hf-%s", self, room_name(ch->room));
}

/* Boots grow, also across our own restarts, when many were used up within a
 * second: hf-store tells by them which facts it has.  The file goes with the
 * machine's memory, and then the clock has moved on. */
static uint32_t
next_boot(void)
{
	uint32_t now = (uint32_t)(loop_wall().us / US_PER_S);
	char path[KEEPER_PATH_MAX];
	uint32_t last = 0;
	int fd;

	(void)snprintf(path, sizeof(path), "%s/keeper.boot",
	    keeper_conf()->keeper.run_dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && pread(fd, &last, sizeof(last), 0) == sizeof(last) &&
	    last > all.boot)
		all.boot = last;
	all.boot = now > all.boot ? now : all.boot + 1;
	if (fd < 0 ||
	    pwrite(fd, &all.boot, sizeof(all.boot), 0) != sizeof(all.boot))
		hf_log(LOG_WARNING, "boot_not_kept", "path=%s why=\"%s\"", path,
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return all.boot;
}

static void
hand_conf(struct child *ch)
{
	struct msg m = { .type = MSG_CONFIG,
		.config = { .generation = keeper_conf()->generation } };
	int fd = fcntl(keeper_conf_fd(), F_DUPFD_CLOEXEC, 0);

	hf_assert(fd >= 0);
	chan_send_fds(&ch->chan, &m, &fd, 1, false);
	if (ch->room != ROOM_SIP)
		return;
	m.type = MSG_SECRETS;
	m.secrets.generation = keeper_conf()->generation;
	fd = fcntl(keeper_secrets_fd(), F_DUPFD_CLOEXEC, 0);
	hf_assert(fd >= 0);
	chan_send_fds(&ch->chan, &m, &fd, 1, false);
}

/* Everything a room needs, then the word to begin. */
static void
hand_over(struct child *ch, uint32_t boot)
{
	struct msg start = { .type = MSG_START,
		.start = { .boot = boot, .worker = ch->worker } };

	hand_conf(ch);
	sockets_hand_over(&ch->chan, ch->room, ch->worker);
	for (uint32_t i = 0; i < all.n; i++)
		if (are_neighbours(ch->room, all.child[i].room))
			join(ch, &all.child[i]);
	chan_send(&ch->chan, &start);
}

static void
spawn(struct child *ch)
{
	char path[PATH_MAX + 64], name[16];
	uint32_t boot = next_boot();
	int pair[2];
	pid_t pid;

	find_program(ch, path, sizeof(path));
	hf_assert(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid = fork();
	if (pid == 0)
		become(ch, path, pair[1]);
	(void)close(pair[1]);
	if (pid < 0) {
		hf_log(LOG_ERROR, "fork_failed", "why=\"%s\"", strerror(errno));
		(void)close(pair[0]);
		hf_timer_start(loop_wheel(), &ch->restart,
		    hf_time_after(loop_now(), hf_ms(WEAK_MS)));
		return;
	}
	ch->pid = pid;
	ch->pidfd = pidfd_open(pid, 0);
	hf_assert(ch->pidfd >= 0);
	(void)fcntl(ch->pidfd, F_SETFD, FD_CLOEXEC);
	ch->ready = false;
	ch->starts++;
	ch->since = loop_now();
	chan_open(&ch->chan, pair[0], boot);
	loop_watch(ch->pidfd, EPOLLIN, died, ch);
	watch(ch);
	hf_timer_start(loop_wheel(), &ch->ready_by,
	    hf_time_after(loop_now(), hf_ms(READY_WITHIN_MS)));
	hf_log(LOG_INFO, "room_starting", "room=%s pid=%d boot=%u",
	    text_of(ch, name, sizeof(name)), (int)pid, boot);
	hand_over(ch, boot);
}

static void
add(enum room room, uint16_t worker)
{
	struct child *ch = &all.child[all.n];

	hf_assert(all.n < CHILDREN_MAX);
	ch->room = room;
	ch->worker = worker;
	ch->pidfd = -1;
	chan_init(&ch->chan, ROOM_KEEPER, room, queues[all.n], waiting[all.n],
	    FDS_WAITING);
	hf_timer_init(&ch->ready_by, not_ready);
	hf_timer_init(&ch->restart, try_again);
	all.n++;
}

void
children_prepare(uint16_t workers)
{
	hf_assert(workers >= 1 && workers <= WORKERS_MAX);
	all.workers = workers;
	add(ROOM_STORE, 0);
	add(ROOM_REC, 0);
	for (uint16_t w = 0; w < workers; w++)
		add(ROOM_MEDIA, w);
	add(ROOM_CALL, 0);
	add(ROOM_SIP, 0); /* last: who answers the door knows whom to ask */
}

void
children_start(void)
{
	all.earned = loop_now();
	all.tokens_us = price_us() * keeper_conf()->keeper.restarts_burst;
	start_next();
}

uint16_t
children_workers(void)
{
	return all.workers;
}

/* ---- for the rest of the keeper --------------------------------------------
 */

void
children_reconf(void)
{
	for (uint32_t i = 0; i < all.n; i++)
		if (all.child[i].pid != 0)
			hand_conf(&all.child[i]);
}

bool
children_send(enum room room, const struct msg *m)
{
	bool any = false;

	for (uint32_t i = 0; i < all.n; i++) {
		struct child *ch = &all.child[i];

		if (ch->room != room || !ch->ready || ch->chan.fd < 0)
			continue;
		chan_send(&ch->chan, m);
		any = true;
	}
	return any;
}

bool
children_ask(uint32_t i, const struct msg *m)
{
	struct child *ch = &all.child[i];

	if (!ch->ready || ch->chan.fd < 0)
		return false;
	chan_send(&ch->chan, m);
	return true;
}

uint32_t
children_count(void)
{
	return all.n;
}

void
children_news(uint32_t i, struct child_news *out)
{
	const struct child *ch = &all.child[i];

	*out = (struct child_news){ .room = ch->room,
		.worker = ch->worker,
		.pid = ch->pid,
		.ready = ch->ready,
		.starts = ch->starts };
	if (ch->pid != 0)
		out->up = hf_time_since(ch->since, loop_now());
}

/* ---- the end ---------------------------------------------------------------
 */

static bool
gone(struct child *ch, bool block)
{
	siginfo_t how = { 0 };

	if (ch->pid == 0)
		return true;
	if (waitid(P_PID, (id_t)ch->pid, &how,
		WEXITED | (block ? 0 : WNOHANG)) != 0 ||
	    how.si_pid == 0)
		return false;
	tell_death(ch, &how);
	buried(ch);
	return true;
}

/* hf-call lets everybody go, hf-sip says so to their phones; who writes to a
 * disk reads to the end what the others told it last and writes that down.
 * Then it leaves. */
static bool
left(struct child *ch, int within_ms)
{
	const struct msg drain = { .type = MSG_DRAIN,
		.drain = { .on = true, .die = true, .now = true } };
	char name[16];

	if (!ch->ready || ch->chan.fd < 0)
		return false;
	chan_send(&ch->chan, &drain);
	for (int us = 0; us < within_ms * 1000; us += STOP_STEP_US) {
		chan_flush(&ch->chan);
		if (gone(ch, false))
			return true;
		(void)usleep(STOP_STEP_US);
	}
	hf_log(LOG_ERROR, "room_killed", "room=%s why=does_not_leave",
	    text_of(ch, name, sizeof(name)));
	return false;
}

/* A larger house has more goodbyes to say. */
static int
goodbye_within_ms(void)
{
	return GOODBYE_WITHIN_MS +
	       (int)(keeper_conf()->calls_max / GOODBYES * GOODBYES_MS);
}

static void
stop_one(struct child *ch)
{
	bool writes = ch->room == ROOM_STORE || ch->room == ROOM_REC;

	/* What hf-media does ends with it, and it has nothing to keep. */
	if (ch->pid == 0 ||
	    (ch->room != ROOM_MEDIA &&
		left(ch, writes ? LEAVE_WITHIN_MS : goodbye_within_ms())))
		return;
	(void)kill(ch->pid, SIGKILL);
	(void)gone(ch, true);
}

void
children_may_leave(void)
{
	all.stopping = true;
}

void
children_stop(void)
{
	static const enum room order[] = { ROOM_CALL, ROOM_SIP, ROOM_MEDIA,
		ROOM_REC, ROOM_STORE };

	_Static_assert(HF_LEN(order) == ROOM_NR - 1, "all but the keeper");
	children_may_leave();
	for (size_t k = 0; k < HF_LEN(order); k++)
		for (uint32_t i = 0; i < all.n; i++)
			if (all.child[i].room == order[k])
				stop_one(&all.child[i]);
}
