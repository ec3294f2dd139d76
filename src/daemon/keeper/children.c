/* daemon/keeper/children - see keeper.h */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/keeper/keeper.h"
#include "proc/chan.h"
#include "proc/flight.h"
#include "proc/log.h"
#include "proc/loop.h"

enum {
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
	KILLED_WITHIN_MS = 10000,
	/* All RTP sockets of the largest range, two a stream. */
	FDS_WAITING = 65536 / CHAN_FDS_MAX + 8,
	US_PER_S = 1000000,
};

struct child {
	enum room room;
	uint16_t worker;
	pid_t pid;
	int pidfd;
	bool ready;
	bool old;      /* not the program that we would start */
	bool kept;     /* that one could not go on from where it is */
	bool replaced; /* for that reason; its death is no news */
	int silent;    /* connection to one that speaks another language */
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
	struct past past;    /* what the next keeper should know */
	struct child *tried; /* its successor is asked whether it could */
	bool booted;         /* all were ready once */
	bool stopping;
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
static void start_next(void);
static void replace_next(void);
static void remember(void);

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
tell_neighbour(
    struct child *to, const struct child *of, uint64_t number, int fd)
{
	struct msg m = { .type = MSG_NEIGHBOUR,
		.neighbour = { .worker = of->worker, .join = number } };

	(void)snprintf(m.neighbour.name, sizeof(m.neighbour.name), "hf-%s",
	    room_name(of->room));
	chan_send_fds(&to->chan, &m, &fd, 1, false);
}

/* A new pair of sockets, an end to each. */
static void
join(struct child *a, struct child *b)
{
	uint64_t number;
	int pair[2];

	/* One that is not there, or speaks another language. */
	if (a->chan.fd < 0 || b->chan.fd < 0)
		return;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
		hf_log(LOG_ERROR, "join_failed", "why=\"%s\"", strerror(errno));
		return;
	}
	do
		number = hf_rand_u64(loop_rand());
	while (number == 0);
	tell_neighbour(a, b, number, pair[0]);
	tell_neighbour(b, a, number, pair[1]);
}

/* ---- the price of a restart ------------------------------------------------
 */

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
	struct hf_span wait = purse_pay(cost_of(ch));

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
	bool seen = how->si_pid != 0; /* who is not our child dies unseen */
	bool by_signal = seen && how->si_code != CLD_EXITED;

	if (by_signal && how->si_status == SIGABRT)
		last_words(ch, "assert_failed", words, sizeof(words));
	if (by_signal && how->si_status == SIGSYS)
		last_words(ch, "rails_broken", words, sizeof(words));
	hf_log(all.stopping ? LOG_INFO : LOG_ERROR,
	    all.stopping ? "room_stopped" : "room_died",
	    "room=%s pid=%d %s=%d after_ms=%lld%s%s%s",
	    text_of(ch, name, sizeof(name)), (int)ch->pid,
	    by_signal ? "signal"
	    : seen    ? "exit"
		      : "unseen",
	    how->si_status,
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
	if (ch->silent >= 0)
		(void)close(ch->silent);
	hf_timer_stop(loop_wheel(), &ch->ready_by);
	ch->pid = 0;
	ch->pidfd = ch->silent = -1;
	ch->ready = ch->old = ch->kept = ch->replaced = false;
	control_child_gone(place_of(ch));
}

/* True when it is dead.  Who was born to another keeper is buried by init, and
 * how it died is not told. */
static bool
is_dead(const struct child *ch, int wait_ms, siginfo_t *how)
{
	struct pollfd f = { .fd = ch->pidfd, .events = POLLIN };

	if (poll(&f, 1, wait_ms) != 1)
		return false;
	*how = (siginfo_t){ 0 };
	if (waitid(P_PIDFD, (id_t)ch->pidfd, how, WEXITED | WNOHANG) == 0)
		return how->si_pid != 0;
	*how = (siginfo_t){ 0 };
	return errno == ECHILD;
}

/* By its descriptor: its number may be another's by now. */
static void
end(const struct child *ch)
{
	(void)pidfd_send_signal(ch->pidfd, SIGKILL, NULL, 0);
}

static void
died(int fd, uint32_t events, void *arg)
{
	struct child *ch = arg;
	siginfo_t how;

	(void)fd;
	(void)events;
	if (!is_dead(ch, 0, &how))
		return;
	if (ch->replaced && !all.stopping) {
		buried(ch);
		ch->weak = 0;
		spawn(ch);
		return;
	}
	tell_death(ch, &how);
	if (hf_time_since(ch->since, loop_now()).us < WEAK_MS * 1000)
		ch->weak++;
	else
		ch->weak = 0;
	buried(ch);
	remember();
	if (all.stopping)
		return;
	start_when_paid(ch);
	if (!all.booted)
		start_next();
}

static void
not_ready(struct hf_timer *t, struct hf_time now)
{
	struct child *ch = HF_CONTAINER(t, struct child, ready_by);
	char name[16];

	(void)now;
	hf_log(LOG_ERROR, "room_not_ready", "room=%s pid=%d within_ms=%d",
	    text_of(ch, name, sizeof(name)), (int)ch->pid, READY_WITHIN_MS);
	end(ch);
}

/* ---- what a child says -----------------------------------------------------
 */

/* One that has died at its start holds up nobody: help can be called without
 * it. */
static void
start_next(void)
{
	bool open = true;

	for (uint32_t i = 0; i < all.n; i++) {
		struct child *ch = &all.child[i];

		if (ch->ready)
			continue;
		open = false;
		if (ch->pid == 0 && !hf_timer_running(&ch->restart))
			spawn(ch);
		if (ch->pid != 0 && ch->starts == 1)
			return;
	}
	if (open && !all.booted)
		hf_log(LOG_NOTICE, "house_open", "rooms=%u streams=%u", all.n,
		    sockets_streams());
	all.booted |= open;
}

/* The one that is to be replaced; NULL when all are as they should be, or
 * somebody has to be waited for. */
static struct child *
next_old(void)
{
	struct child *next = NULL;

	for (uint32_t i = 0; i < all.n; i++) {
		struct child *ch = &all.child[i];

		if (ch->replaced || (!ch->ready && !ch->old))
			return NULL;
		if (next == NULL && ch->old && !ch->kept)
			next = ch;
	}
	return all.stopping ? NULL : next;
}

/* Of a line a table, or whatever else it said. */
static void
one_that_is_in_the_way(const char *said, char *to, size_t cap)
{
	const char *no = strstr(said, "take=no");

	while (no != NULL && no > said && no[-1] != '\n')
		no--;
	said = no != NULL ? no : said;
	(void)snprintf(to, cap, "%.*s", (int)strcspn(said, "\n"), said);
	for (char *c = to; *c != '\0'; c++)
		if (*c == '"')
			*c = '\'';
}

static void
tried(bool well, const char *said)
{
	struct child *ch = next_old();
	char name[16], why[256];

	if (ch == NULL)
		return; /* somebody died meanwhile: when he is back */
	if (ch != all.tried) {
		replace_next(); /* it was the one that died */
		return;
	}
	(void)text_of(ch, name, sizeof(name));
	if (well) {
		hf_log(LOG_NOTICE, "room_replaced", "room=%s pid=%d", name,
		    (int)ch->pid);
		ch->replaced = true;
		end(ch);
		return;
	}
	one_that_is_in_the_way(said, why, sizeof(why));
	hf_log(LOG_ERROR, "room_kept", "room=%s why=\"%s\"", name, why);
	ch->kept = true;
	replace_next();
}

/* Another program stands where it was started from: one after another dies,
 * each when all others are there, and when that program could go on from what
 * it keeps. */
static void
replace_next(void)
{
	struct child *ch = next_old();
	char run_dir[KEEPER_PATH_MAX];
	char *argv[] = { NULL, (char *)(uintptr_t) "--would-take", run_dir,
		NULL };

	if (ch == NULL || try_busy())
		return;
	all.tried = ch;
	argv[0] = (char *)(uintptr_t)program_path(ch->room);
	(void)snprintf(
	    run_dir, sizeof(run_dir), "%s", keeper_conf()->keeper.run_dir);
	if (!try_run(argv[0], argv, false, tried))
		hf_log(LOG_ERROR, "fork_failed", "why=\"%s\"", strerror(errno));
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
	replace_next();
}

static struct child *
neighbour_named(const struct child *ch, const struct msg_neighbour_lost *lost)
{
	for (uint32_t i = 0; i < all.n; i++) {
		struct child *other = &all.child[i];

		if (other != ch && are_neighbours(ch->room, other->room) &&
		    strncmp(lost->name, "hf-", 3) == 0 &&
		    strcmp(lost->name + 3, room_name(other->room)) == 0 &&
		    lost->worker == other->worker)
			return other;
	}
	return NULL;
}

/* Two that live lost each other: one of them stood still for too long.  Of one
 * that dies, or has just died, the loss is no fault of the other's. */
static void
join_again(struct child *ch, const struct msg_neighbour_lost *lost)
{
	struct child *other = neighbour_named(ch, lost);
	struct pollfd f = { .fd = other != NULL ? other->pidfd : -1,
		.events = POLLIN };
	char name[16];

	if (other == NULL || other->pid == 0 || poll(&f, 1, 0) == 1)
		return; /* its next life brings a new pair */
	if (hf_time_since(other->since, loop_now()).us >= WEAK_MS * 1000 &&
	    purse_pay(1).us > 0) {
		/* It goes on and on: a restart is the cure for all. */
		hf_log(LOG_ERROR, "room_killed", "room=%s why=loses_neighbours",
		    text_of(ch, name, sizeof(name)));
		end(ch);
		return;
	}
	join(ch, other);
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
		keeper_drained(ch->room, m->drained.calls);
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
	end(ch);
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

/* Boots grow, also across our own restarts, when many were used up within a
 * second: hf-store tells by them which facts it has.  The file goes with the
 * machine's memory, and then the clock has moved on. */
static uint32_t
next_boot(void)
{
	uint32_t now = (uint32_t)(loop_wall().us / US_PER_S);
	struct past last;

	past_read(&last);
	if (last.boot > all.past.boot)
		all.past.boot = last.boot;
	all.past.boot = now > all.past.boot ? now : all.past.boot + 1;
	return all.past.boot;
}

/* For whoever keeps this house after us. */
static void
remember(void)
{
	struct past *p = &all.past;

	p->bytes = sizeof(*p);
	p->workers = all.workers;
	purse_remember(p);
	keeper_seals(p);
	for (uint32_t i = 0; i < all.n; i++) {
		const struct child *ch = &all.child[i];

		p->child[i].pid = ch->pid;
		p->child[i].room = (uint16_t)ch->room;
		p->child[i].worker = ch->worker;
		p->child[i].starts = ch->starts;
		p->child[i].weak = ch->weak;
	}
	past_write(p);
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

	struct msg door = { .type = MSG_SOCKET,
		.socket = { .what = "door", .count = 1 } };
	int fd = adopt_door_open(ch->room, ch->worker);

	if (fd >= 0)
		chan_send_fds(&ch->chan, &door, &fd, 1, false);
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
	char name[16];
	uint32_t boot = next_boot();
	int pair[2];
	pid_t pid;

	hf_assert(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid = fork();
	if (pid == 0)
		program_become(ch->room, pair[1]);
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
	remember();
	hand_over(ch, boot);
}

static void
add(enum room room, uint16_t worker)
{
	struct child *ch = &all.child[all.n];

	hf_assert(all.n < CHILDREN_MAX);
	ch->room = room;
	ch->worker = worker;
	ch->pidfd = ch->silent = -1;
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
	purse_open(NULL);
	all.past.opened_us = loop_now().us;
	start_next();
}

uint16_t
children_workers(void)
{
	return all.workers;
}

/* ---- those of another keeper -----------------------------------------------
 */

static struct adopt_hello hellos[CHILDREN_MAX];

static void
take(const struct adopted *a)
{
	struct child *ch = NULL;
	char name[16];

	for (uint32_t i = 0; i < all.n; i++)
		if (all.child[i].room == a->room &&
		    all.child[i].worker == a->worker)
			ch = &all.child[i];
	if (ch == NULL) { /* one worker too many */
		(void)pidfd_send_signal(a->pidfd, SIGKILL, NULL, 0);
		(void)close(a->pidfd);
		(void)close(a->fd);
		return;
	}
	hellos[place_of(ch)] = a->hello;
	ch->pid = a->pid;
	ch->pidfd = a->pidfd;
	ch->since = (struct hf_time){ a->hello.since_us };
	ch->old = a->hello.language != adopt_language() ||
		  !program_is(a->room, a->hello.program);
	ch->ready = a->speaks;
	if (a->hello.boot > all.past.boot)
		all.past.boot = a->hello.boot;
	if (a->speaks)
		chan_open(&ch->chan, a->fd, a->hello.boot);
	else
		ch->silent = a->fd;
	loop_watch(ch->pidfd, EPOLLIN, died, ch);
	watch(ch);
	hf_log(LOG_NOTICE, "room_adopted", "room=%s pid=%d boot=%u old=%d",
	    text_of(ch, name, sizeof(name)), (int)ch->pid, a->hello.boot,
	    ch->old);
}

/* The number of the channel that it has to the other; 0: none. */
static uint64_t
join_of(const struct child *ch, const struct child *other)
{
	const struct adopt_hello *h = &hellos[place_of(ch)];

	for (uint32_t i = 0; i < h->joins; i++)
		if (strncmp(h->join[i].room, "hf-", 3) == 0 &&
		    strcmp(h->join[i].room + 3, room_name(other->room)) == 0 &&
		    h->join[i].worker == other->worker)
			return h->join[i].join;
	return 0;
}

/* Where one end has died, or was on its way when the keeper did. */
static void
join_who_are_not(void)
{
	for (uint32_t i = 0; i < all.n; i++)
		for (uint32_t k = 0; k < i; k++) {
			struct child *a = &all.child[i], *b = &all.child[k];

			if (are_neighbours(a->room, b->room) &&
			    (join_of(a, b) == 0 ||
				join_of(a, b) != join_of(b, a)))
				join(a, b);
		}
}

static void
inherit(const struct past *past)
{
	all.past = *past;
	all.past.keepers++;
	purse_open(past);
	for (uint32_t i = 0; i < all.n; i++)
		for (uint32_t k = 0; k < CHILDREN_MAX; k++)
			if (past->child[k].starts > 0 &&
			    past->child[k].room == all.child[i].room &&
			    past->child[k].worker == all.child[i].worker) {
				all.child[i].starts = past->child[k].starts;
				all.child[i].weak = past->child[k].weak;
			}
}

void
children_adopt(const struct past *past)
{
	uint32_t missing = 0;

	inherit(past);
	adopt_each(take);
	join_who_are_not();
	for (uint32_t i = 0; i < all.n; i++) {
		struct child *ch = &all.child[i];

		if (ch->ready &&
		    hellos[i].generation != keeper_conf()->generation)
			hand_conf(ch);
		missing += ch->pid == 0;
	}
	hf_log(LOG_NOTICE, "house_adopted", "rooms=%u missing=%u",
	    all.n - missing, missing);
	remember();
	for (uint32_t i = 0; i < all.n; i++)
		if (all.child[i].pid == 0)
			start_when_paid(&all.child[i]);
	start_next();
	replace_next();
}

/* ---- for the rest of the keeper --------------------------------------------
 */

void
children_reconf(void)
{
	remember(); /* before anybody has it */
	for (uint32_t i = 0; i < all.n; i++)
		if (all.child[i].chan.fd >= 0)
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
children_keepers(void)
{
	return all.past.keepers;
}

struct hf_time
children_opened(void)
{
	return (struct hf_time){ all.past.opened_us };
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
		.old = ch->old,
		.kept = ch->kept,
		.starts = ch->starts };
	if (ch->pid != 0)
		out->up = hf_time_since(ch->since, loop_now());
}

/* ---- the end ---------------------------------------------------------------
 */

static bool
gone(struct child *ch, int wait_ms)
{
	siginfo_t how;

	if (ch->pid == 0)
		return true;
	if (!is_dead(ch, wait_ms, &how))
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
		if (gone(ch, 0))
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
	end(ch);
	(void)gone(ch, KILLED_WITHIN_MS);
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
	adopt_doors_close();
}
