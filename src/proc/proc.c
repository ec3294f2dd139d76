/* proc - see proc.h */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/adopt.h"
#include "proc/answer.h"
#include "proc/chan.h"
#include "proc/flight.h"
#include "proc/log.h"
#include "proc/loop.h"
#include "proc/proc.h"
#include "proc/rails.h"
#include "proc/slots.h"
#include "proc/snapshot.h"
#include "proc/spool.h"
#include "proc/would.h"
#include "wire/row.h"

enum {
	KEEPER_FD = 3,
	FDS_WAITING = 8,
	SPOOL_AREA = 8 * 1024 * 1024,
	SETTLE_MS = 10000,
	LAST_WORDS_MS = 300,
	ANSWER_MS = 1, /* between two slices of a long answer */
	/* Of the queue to the keeper is left for all that is not a row. */
	NO_ROWS = CHAN_QUEUE_BYTES / 4,
	PATH_BYTES = CONF_PATH_MAX + 64,
	/* Without a keeper: who waits for hf-call's last orders has had them,
	 * and who is still there then does not leave by himself. */
	MEDIA_LEAVES_MS = 5000,
	ALL_LEAVE_MS = 30000,
};

_Static_assert(sizeof(struct snapshot_head) == 4 * sizeof(uint32_t) &&
		   offsetof(struct conf, generation) == 12 &&
		   offsetof(struct conf_secrets, generation) == 12,
    "both begin with a snapshot's head");

static struct {
	const struct proc_room *room;
	enum room self;
	const struct conf *conf;
	const struct conf_secrets *secrets;
	uint32_t boot;
	uint16_t worker;
	bool started, dying;
	struct chan chan[PEER_NR];
	uint32_t watched[PEER_NR]; /* events */
	struct spool spool;
	bool spools; /* we have facts for the store */
	uint64_t nobody_there;
	struct hf_timer settle, answers;
	uint32_t cropped; /* the answer that lost rows, 0 none */
	struct hf_time since;
	uint64_t program[2]; /* device and inode */
	uint64_t join[PEER_NR];
	bool draining, stopping; /* as the keeper has said it last */
	bool leaving;            /* no keeper came */
	struct hf_timer orphaned;
} proc;

/* One place each; faulted in as far as the queue ever grew. */
static char queues[PEER_NR][CHAN_QUEUE_BYTES];
static struct chan_fds waiting[PEER_NR][FDS_WAITING];

/* ---- who is who ------------------------------------------------------------
 */

static enum room
room_of(enum peer p)
{
	switch ((unsigned)p) {
	case PEER_KEEPER:
		return ROOM_KEEPER;
	case PEER_SIP:
		return ROOM_SIP;
	case PEER_REC:
		return ROOM_REC;
	case PEER_CALL:
		return ROOM_CALL;
	case PEER_STORE:
		return ROOM_STORE;
	default:
		return ROOM_MEDIA;
	}
}

static bool
room_find(const char *name, enum room *out)
{
	if (strncmp(name, "hf-", 3) != 0)
		return false;
	for (int r = 0; r < ROOM_NR; r++)
		if (strcmp(name + 3, room_name((enum room)r)) == 0) {
			*out = (enum room)r;
			return true;
		}
	return false;
}

static enum peer
peer_of(enum room r, uint16_t worker)
{
	switch (r) {
	case ROOM_KEEPER:
		return PEER_KEEPER;
	case ROOM_SIP:
		return PEER_SIP;
	case ROOM_MEDIA:
		hf_assert(worker < PROC_MEDIA_MAX);
		return (enum peer)(PEER_MEDIA + worker);
	case ROOM_REC:
		return PEER_REC;
	case ROOM_CALL:
		return PEER_CALL;
	case ROOM_STORE:
		return PEER_STORE;
	}
	hf_never("a room that is not in the list");
}

static const char *
peer_text(enum peer p, char *to, size_t cap)
{
	if (room_of(p) == ROOM_MEDIA)
		(void)snprintf(to, cap, "hf-media/%d", p - PEER_MEDIA);
	else
		(void)snprintf(to, cap, "hf-%s", room_name(room_of(p)));
	return to;
}

/* ---- the recorder ----------------------------------------------------------
 */

/* A message's first field says what it is about, and names nobody when it is
 * a number. */
static void
record(enum peer p, bool sent, const struct msg *m)
{
	const struct wire_shape *s = wire_msgs[m->type].shape;
	uint8_t first[8] = { 0 };

	if (s->n > 0 && !s->field[0].personal) {
		const char *body = (const char *)m + MSG_BODY_AT;

		if (s->field[0].kind == WIRE_U64 ||
		    s->field[0].kind == WIRE_REF)
			memcpy(first, body, 8);
		else if (s->field[0].kind == WIRE_U32)
			memcpy(first, body, 4);
		else if (s->field[0].kind == WIRE_U16)
			memcpy(first, body, 2);
	}
	flight_message(loop_now(), (uint8_t)p, sent, (uint16_t)m->type, first);
}

/* ---- channels --------------------------------------------------------------
 */

static void channel_ready(int fd, uint32_t events, void *arg);

static void
watch(enum peer p)
{
	struct chan *c = &proc.chan[p];
	uint32_t events = EPOLLIN | (c->blocked ? EPOLLOUT : 0U);

	/* Before start() nobody is listened to but the keeper. */
	if (!proc.started && p != PEER_KEEPER)
		return;
	if (c->fd < 0 || proc.watched[p] == events)
		return;
	loop_watch(c->fd, events, channel_ready, c);
	proc.watched[p] = events;
}

static void
pump_spool(void)
{
	const void *frame;
	uint16_t n;

	/* No more than half the channel's queue at once; the store confirms
	 * as it commits, and each confirmation pumps the next. */
	while (proc_there(PEER_STORE) &&
	       chan_waiting(&proc.chan[PEER_STORE]) < CHAN_QUEUE_BYTES / 2 &&
	       spool_next(&proc.spool, &frame, &n))
		chan_send_frame(&proc.chan[PEER_STORE], frame, n);
}

static void
met(enum peer p)
{
	char text[16];

	hf_log(LOG_INFO, "neighbour_met", "peer=%s",
	    peer_text(p, text, sizeof(text)));
	watch(p);
	if (p == PEER_STORE) {
		spool_rewind(&proc.spool); /* it skips what it knows */
		pump_spool();
	}
	if (proc.room->met != NULL)
		proc.room->met(p);
}

static void
lose(enum peer p)
{
	struct chan *c = &proc.chan[p];
	char text[16];

	hf_log(LOG_INFO, "neighbour_left", "peer=%s sent=%llu received=%llu",
	    peer_text(p, text, sizeof(text)), (unsigned long long)c->sent,
	    (unsigned long long)c->received);
	if (proc.watched[p] != 0)
		loop_unwatch(c->fd);
	proc.watched[p] = 0;
	proc.join[p] = 0;
	chan_close(c);
	if (proc.started && proc.room->left != NULL)
		proc.room->left(p);
}

/* Cut by us, although the other side lives: the keeper has to join us anew. */
static void
cut_off(enum peer p)
{
	struct chan *c = &proc.chan[p];
	struct msg m = { .type = MSG_NEIGHBOUR_LOST };
	char text[16];

	hf_log(LOG_WARNING, "channel_cut",
	    "peer=%s refused=%llu waiting_bytes=%zu",
	    peer_text(p, text, sizeof(text)), (unsigned long long)c->refused,
	    chan_waiting(c));
	(void)snprintf(m.neighbour_lost.name, sizeof(m.neighbour_lost.name),
	    "hf-%s", room_name(room_of(p)));
	if (room_of(p) == ROOM_MEDIA)
		m.neighbour_lost.worker = (uint16_t)(p - PEER_MEDIA);
	lose(p);
	chan_send(&proc.chan[PEER_KEEPER], &m);
}

/* ---- without a keeper ------------------------------------------------------
 */

/* Nobody came for so long that nobody will: the house closes by itself. */
static void
leave_alone(struct hf_timer *t, struct hf_time now)
{
	const struct msg drain = { .type = MSG_DRAIN,
		.drain = { .on = true, .die = true, .now = true } };

	if (proc.leaving)
		exit(EXIT_SUCCESS);
	hf_log(LOG_ERROR, "no_keeper_came", "after_ms=%lld",
	    (long long)(proc.conf->keeper.orphans_max.us / 1000));
	proc.leaving = true;
	hf_timer_start(loop_wheel(), t,
	    hf_time_after(now, hf_ms(proc.self == ROOM_MEDIA ? MEDIA_LEAVES_MS
							     : ALL_LEAVE_MS)));
	if (proc.room->message != NULL && proc.self != ROOM_MEDIA)
		proc.room->message(PEER_KEEPER, &drain, -1);
}

static void
fill_hello(struct adopt_hello *h)
{
	(void)snprintf(h->room, sizeof(h->room), "%s", proc.room->name);
	h->worker = proc.worker;
	h->pid = (uint32_t)getpid();
	h->boot = proc.boot;
	h->generation = proc.conf->generation;
	h->flags = (proc.draining ? (uint32_t)ADOPT_DRAINING : 0) |
		   (proc.stopping ? (uint32_t)ADOPT_STOPPING : 0);
	h->language = adopt_language();
	memcpy(h->program, proc.program, sizeof(h->program));
	h->since_us = proc.since.us;
	for (int p = PEER_KEEPER + 1; p < PEER_NR; p++) {
		struct adopt_join *j = &h->join[h->joins];

		if (proc.chan[p].fd < 0 || proc.join[p] == 0)
			continue;
		(void)snprintf(j->room, sizeof(j->room), "hf-%s",
		    room_name(room_of((enum peer)p)));
		if (room_of((enum peer)p) == ROOM_MEDIA)
			j->worker = (uint64_t)(p - PEER_MEDIA);
		j->join = proc.join[p];
		h->joins++;
	}
}

/* The time that nobody keeps us runs, or does not. */
static void
kept(bool there)
{
	if (there && !proc.leaving)
		hf_timer_stop(loop_wheel(), &proc.orphaned);
	else if (!there && !hf_timer_running(&proc.orphaned))
		hf_timer_start(loop_wheel(), &proc.orphaned,
		    hf_time_after(loop_now(), proc.conf->keeper.orphans_max));
}

static void
adopted(int fd)
{
	hf_log(LOG_NOTICE, "keeper_met", "boot=%u", proc.boot);
	kept(true);
	chan_open(&proc.chan[PEER_KEEPER], fd, proc.boot);
	watch(PEER_KEEPER);
}

/* The keeper has left; what we do, we do for callers. */
static void
orphaned(void)
{
	static const struct adopt_ways ways = { fill_hello, adopted, kept };
	struct chan *c = &proc.chan[PEER_KEEPER];

	hf_log(LOG_ERROR, "keeper_left", "refused=%llu waiting=%d",
	    (unsigned long long)c->refused, proc.started && adopt_possible());
	if (!proc.started || !adopt_possible())
		exit(EXIT_FAILURE);
	if (proc.watched[PEER_KEEPER] != 0)
		loop_unwatch(c->fd);
	proc.watched[PEER_KEEPER] = 0;
	chan_close(c);
	kept(false);
	adopt_wait(&ways);
}

/* It broke as we wrote.  What a keeper said before it died is there to be
 * read, and its end behind it; one that lives does not read us any more. */
static void
keeper_cut(void)
{
	struct pollfd f = { .fd = proc.chan[PEER_KEEPER].fd };

	if (poll(&f, 1, 0) < 0 || !(f.revents & POLLHUP))
		orphaned();
}

/* Everything sent since the start of the turn leaves; channels that broke on
 * the way are closed here, where no handler holds them. */
static void
end_turn(void)
{
	bool again;

	if (proc.started && !proc.dying && proc.room->turn_end != NULL)
		proc.room->turn_end(loop_now());
	if (answer_pump(&proc.chan[PEER_KEEPER], loop_now()))
		hf_timer_start(loop_wheel(), &proc.answers,
		    hf_time_after(loop_now(), hf_ms(ANSWER_MS)));
	do {
		again = false;
		for (int p = 0; p < PEER_NR; p++) {
			struct chan *c = &proc.chan[p];

			if (c->fd < 0)
				continue;
			if (!c->blocked)
				chan_flush(c);
			if (c->cut && p == PEER_KEEPER) {
				keeper_cut();
			} else if (c->cut) {
				cut_off((enum peer)p);
				again = true;
			} else {
				watch((enum peer)p);
			}
		}
	} while (again);
}

/* ---- what the keeper says --------------------------------------------------
 */

static void
take_conf(int fd)
{
	const struct conf *old = proc.conf, *new;

	adopt_remember_conf(fd, false);
	new = snapshot_map(fd, CONF_MAGIC, CONF_VERSION, sizeof(*new));
	if (new == NULL) {
		hf_log(LOG_ERROR, "config_refused", "why=not_ours");
		exit(EXIT_FAILURE);
	}
	proc.conf = new;
	if (proc.started && proc.room->reconf != NULL)
		proc.room->reconf(new);
	if (old != NULL)
		(void)munmap((void *)(uintptr_t)old, sizeof(*old));
}

static void
take_secrets(int fd)
{
	const struct conf_secrets *old = proc.secrets, *new;

	adopt_remember_conf(fd, true);
	new = snapshot_map(fd, CONF_MAGIC, CONF_VERSION, sizeof(*new));
	if (new == NULL) {
		hf_log(LOG_ERROR, "secrets_refused", "why=not_ours");
		exit(EXIT_FAILURE);
	}
	(void)madvise((void *)(uintptr_t) new, sizeof(*new), MADV_DONTDUMP);
	proc.secrets = new;
	if (proc.room->secrets != NULL)
		proc.room->secrets(new);
	if (old != NULL)
		(void)munmap((void *)(uintptr_t)old, sizeof(*old));
}

static void
take_neighbour(const struct msg_neighbour *n, int fd)
{
	enum room r;
	enum peer p;

	if (!room_find(n->name, &r) || r == ROOM_KEEPER ||
	    n->worker >= PROC_MEDIA_MAX)
		hf_never("the keeper joins us to nobody");
	p = peer_of(r, n->worker);
	if (proc.chan[p].fd >= 0)
		lose(p); /* its end has not reached us yet */
	chan_open(&proc.chan[p], fd, proc.boot);
	proc.join[p] = n->join;
	if (proc.started)
		met(p);
}

/* name in the run-time directory; each worker has its own. */
static void
run_path(char *to, size_t cap, const char *what)
{
	if (proc.self == ROOM_MEDIA)
		(void)snprintf(to, cap, "%s/%s.%s.%u",
		    proc.conf->keeper.run_dir, what, proc.room->name,
		    proc.worker);
	else
		(void)snprintf(to, cap, "%s/%s.%s", proc.conf->keeper.run_dir,
		    what, proc.room->name);
}

static void
open_files(void)
{
	char path[PATH_BYTES];
	int err;

	run_path(path, sizeof(path), "flight");
	err = flight_open(path);
	if (err != 0)
		hf_log(LOG_WARNING, "flight_recorder_off", "path=%s why=\"%s\"",
		    path, strerror(err));
	if (!proc.spools)
		return;
	run_path(path, sizeof(path), "spool");
	err = spool_open(&proc.spool, path, SPOOL_AREA, proc.boot);
	if (err != 0)
		hf_log(LOG_ERROR, "spool_in_memory", "path=%s why=\"%s\"", path,
		    strerror(err));
	else if (spool_waiting(&proc.spool) > 0)
		hf_log(LOG_NOTICE, "spool_recovered", "facts=%u",
		    spool_waiting(&proc.spool));
}

static void
begin(const struct msg_start *s)
{
	struct msg ready = { .type = MSG_READY };

	hf_assert(proc.conf != NULL && !proc.started);
	proc.boot = s->boot;
	proc.worker = s->worker;
	for (int p = 0; p < PEER_NR; p++)
		proc.chan[p].boot = s->boot;
	open_files();
	hf_log(
	    LOG_INFO, "room_started", "boot=%u worker=%u", s->boot, s->worker);
	proc.room->start(proc.conf, s->boot, s->worker);
	rails_up(proc.self, proc.conf);
	proc.started = true;
	for (int p = PEER_KEEPER + 1; p < PEER_NR; p++)
		if (proc.chan[p].fd >= 0)
			met((enum peer)p);
	ready.ready.pid = (uint32_t)getpid();
	chan_send(&proc.chan[PEER_KEEPER], &ready);
}

static void
close_all(const int *fd, uint16_t n)
{
	for (uint16_t i = 0; i < n; i++)
		(void)close(fd[i]);
}

/* What is on its way to the store, asked of whoever has such a spool. */
static void
tell_spool(uint32_t id)
{
	char memory[256];
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));

	row_text(&b, "process", proc.room->name);
	row_number(&b, "waiting", spool_waiting(&proc.spool));
	row_number(&b, "dropped", (int64_t)proc.spool.dropped);
	row_text(&b, "kept_in", proc.spool.memory ? "memory" : "file");
	proc_reply(id, NULL, memory, (uint16_t)b.n, false);
}

/* What we have given up. */
static void
tell_rails(uint32_t id)
{
	const struct rails *r = rails_now();
	char memory[512];
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));

	row_text(&b, "process", proc.room->name);
	row_number(&b, "worker", proc.worker);
	row_text(&b, "rails",
	    r->off                ? "off"
	    : r->lacks[0] != '\0' ? "part"
				  : "up");
	row_text(&b, "lacks", r->lacks);
	row_number(&b, "landlock", r->landlock);
	row_text(&b, "why", r->why);
	proc_reply(id, NULL, memory, (uint16_t)b.n, false);
}

static void
keeper_said(
    struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	(void)c;
	(void)arg;
	switch ((unsigned)m->type) {
	case MSG_CONFIG:
		hf_assert(n == 1);
		take_conf(fd[0]);
		return;
	case MSG_SECRETS:
		hf_assert(n == 1);
		take_secrets(fd[0]);
		return;
	case MSG_NEIGHBOUR:
		hf_assert(n == 1);
		take_neighbour(&m->neighbour, fd[0]);
		return;
	case MSG_SOCKET:
		hf_assert(n == m->socket.count);
		if (strcmp(m->socket.what, "door") == 0) {
			hf_assert(n == 1);
			adopt_door(fd[0]);
			return;
		}
		adopt_remember(&m->socket, fd);
		if (proc.room->socket != NULL)
			proc.room->socket(&m->socket, fd);
		else
			close_all(fd, n);
		return;
	case MSG_START:
		begin(&m->start);
		break;
	case MSG_ANSWER_MORE:
		answer_more(&m->answer_more);
		break;
	case MSG_ASK:
		if (proc.started && proc.spools &&
		    strcmp(m->ask.verb, "spools") == 0)
			tell_spool(m->ask.id);
		else if (proc.started && strcmp(m->ask.verb, "rails") == 0)
			tell_rails(m->ask.id);
		else if (proc.started && proc.room->ask != NULL)
			proc.room->ask(&m->ask);
		else
			proc_reply(
			    m->ask.id, "nothing to ask here", NULL, 0, false);
		break;
	case MSG_DRAIN:
		proc.draining = m->drain.on;
		proc.stopping = m->drain.on && m->drain.die;
		/* fallthrough */
	default:
		if (proc.started && proc.room->message != NULL)
			proc.room->message(PEER_KEEPER, m, -1);
		break;
	}
	close_all(fd, n);
}

/* ---- what neighbours say ---------------------------------------------------
 */

static void
neighbour_said(
    struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	enum peer p = (enum peer)(c - proc.chan);

	(void)arg;
	record(p, false, m);
	if (m->type == MSG_STORED) {
		spool_stored(&proc.spool, m->stored.boot, m->stored.seq);
		pump_spool();
		close_all(fd, n);
		return;
	}
	if (n > 1)
		close_all(fd + 1, (uint16_t)(n - 1));
	if (proc.room->message != NULL)
		proc.room->message(p, m, n > 0 ? fd[0] : -1);
	else if (n > 0)
		(void)close(fd[0]);
}

static void
channel_ready(int fd, uint32_t events, void *arg)
{
	struct chan *c = arg;
	enum peer p = (enum peer)(c - proc.chan);
	uint64_t refused = c->refused;

	(void)fd;
	if (events & EPOLLOUT)
		chan_flush(c);
	if (!(events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
		return;
	if (chan_read(c, p == PEER_KEEPER ? keeper_said : neighbour_said, NULL))
		return;
	if (p == PEER_KEEPER)
		orphaned();
	else if (c->refused != refused)
		cut_off(p);
	else
		lose(p);
}

/* ---- for the room ----------------------------------------------------------
 */

struct hf_time
proc_now(void)
{
	return loop_now();
}

struct hf_wall
proc_wall(void)
{
	return loop_wall();
}

struct hf_wheel *
proc_wheel(void)
{
	return loop_wheel();
}

struct hf_rand *
proc_rand(void)
{
	return loop_rand();
}

bool
proc_there(enum peer to)
{
	return proc.chan[to].fd >= 0 && !proc.chan[to].cut;
}

static void
look_at_spool(uint64_t dropped)
{
	if (proc.spool.dropped > dropped)
		hf_log(LOG_ERROR, "facts_dropped", "so_far=%llu waiting=%u",
		    (unsigned long long)proc.spool.dropped,
		    spool_waiting(&proc.spool));
}

void
proc_send(enum peer to, const struct msg *m)
{
	uint64_t dropped = proc.spool.dropped;

	record(to, true, m);
	if (to == PEER_STORE && proc.spools) {
		hf_assert(msg_may(m->type, proc.self, ROOM_STORE));
		spool_put(&proc.spool, m);
		look_at_spool(dropped);
		pump_spool();
		return;
	}
	if (!proc_there(to))
		proc.nobody_there++;
	chan_send(&proc.chan[to], m);
}

uint32_t
proc_facts(uint32_t *boot)
{
	*boot = proc.boot;
	return proc.spool.seq;
}

bool
proc_fact_is_known(uint32_t boot, uint32_t seq)
{
	return spool_knows(&proc.spool, boot, seq);
}

void
proc_fact(const void *frame, uint16_t n)
{
	uint64_t dropped = proc.spool.dropped;

	hf_assert(proc.spools);
	spool_put_frame(&proc.spool, frame, n);
	look_at_spool(dropped);
	pump_spool();
}

void
proc_send_fd(enum peer to, const struct msg *m, int fd)
{
	record(to, true, m);
	if (!proc_there(to)) {
		proc.nobody_there++;
		(void)close(fd);
		return;
	}
	chan_send_fds(&proc.chan[to], m, &fd, 1, false);
	if (!proc.chan[to].blocked)
		chan_flush(&proc.chan[to]);
}

void
proc_watch(int fd, uint32_t events, proc_fd_fn *fn, void *arg)
{
	loop_watch(fd, events, fn, arg);
}

void
proc_unwatch(int fd)
{
	loop_unwatch(fd);
}

void
proc_reply(
    uint32_t id, const char *error, const void *row, uint16_t n, bool more)
{
	static struct msg m; /* large */

	if (n > 0 && chan_waiting(&proc.chan[PEER_KEEPER]) >
			 CHAN_QUEUE_BYTES - NO_ROWS) {
		proc.cropped = id;
		n = 0;
		if (more)
			return;
	}
	if (!more && proc.cropped == id) {
		proc.cropped = 0;
		error = "the answer is too long to be told whole; ask for less";
	}
	m.type = MSG_REPLY;
	m.reply.id = id;
	m.reply.more = more && error == NULL;
	m.reply.row.n = n;
	hf_assert(n <= sizeof(m.reply.row.p));
	(void)snprintf(m.reply.error, sizeof(m.reply.error), "%s",
	    error != NULL ? error : "");
	if (n > 0)
		memcpy(m.reply.row.p, row, n);
	chan_send(&proc.chan[PEER_KEEPER], &m);
}

void
proc_answer(const struct msg_ask *q, proc_row_fn *next)
{
	if (!answer_begin(q, next))
		proc_reply(q->id, "too many questions at once; ask again", NULL,
		    0, false);
}

static int64_t
ms_now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What waits in a channel would go with us: orders to a neighbour who is
 * behind with his reading. The time is for all of them together. The keeper
 * reads nothing while it waits for our end. */
static void
send_the_rest(void)
{
	int64_t end = ms_now() + LAST_WORDS_MS;

	for (int p = 0; p < PEER_NR; p++) {
		struct chan *c = &proc.chan[p];

		while (p != PEER_KEEPER && c->fd >= 0 && !c->cut &&
		       chan_waiting(c) > 0) {
			struct pollfd f = { .fd = c->fd, .events = POLLOUT };
			int64_t left = end - ms_now();

			if (left <= 0)
				return;
			(void)poll(&f, 1, (int)left);
			chan_flush(c);
		}
	}
}

_Noreturn void
proc_leave(void)
{
	proc.dying = true; /* the end of a turn may be what brought us here */
	end_turn();
	send_the_rest();
	hf_log(LOG_INFO, "room_left", "spooled=%u nobody_there=%llu",
	    spool_waiting(&proc.spool), (unsigned long long)proc.nobody_there);
	exit(EXIT_SUCCESS);
}

/* ---- life ------------------------------------------------------------------
 */

static void
settle(struct hf_timer *t, struct hf_time now)
{
	hf_log_settle();
	hf_timer_start(loop_wheel(), t, hf_time_after(now, hf_ms(SETTLE_MS)));
}

/* The turn's end goes on with what is to be told. */
static void
tell_more(struct hf_timer *t, struct hf_time now)
{
	(void)t;
	(void)now;
}

static void
set_up(const struct proc_room *room)
{
	struct stat st;

	proc.room = room;
	hf_log_open(room->name, LOG_INFO);
	if (!room_find(room->name, &proc.self))
		hf_never("a room without a name");
	proc.spools = proc.self != ROOM_STORE &&
		      msg_may(MSG_STORED, ROOM_STORE, proc.self);
	(void)prctl(PR_SET_NAME, room->name);
	/* Told to the next keeper; later we may not see it any more. */
	if (stat("/proc/self/exe", &st) == 0) {
		proc.program[0] = st.st_dev;
		proc.program[1] = st.st_ino;
	}
	(void)signal(SIGPIPE, SIG_IGN);
	/* A terminal sends these to all of us; the keeper decides. */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	(void)signal(SIGQUIT, SIG_IGN);
	/* And a service manager this one, to the whole group: the calls that
	 * are up are waited for, and who is to leave is told so. */
	(void)signal(SIGTERM, SIG_IGN);
	loop_open();
	proc.since = loop_now();
	for (int p = 0; p < PEER_NR; p++)
		chan_init(&proc.chan[p], proc.self, room_of((enum peer)p),
		    queues[p], waiting[p], FDS_WAITING);
}

int
proc_main(int argc, char **argv, const struct proc_room *room)
{
	if (argc == 3 && strcmp(argv[1], "--would-take") == 0)
		return would_take(room, argv[2]);
	set_up(room);
	if (fcntl(KEEPER_FD, F_GETFD) < 0) {
		(void)fprintf(
		    stderr, "%s is started by holdfastd(8)\n", room->name);
		return EXIT_FAILURE;
	}
	(void)fcntl(KEEPER_FD, F_SETFD, FD_CLOEXEC);
	chan_open(&proc.chan[PEER_KEEPER], KEEPER_FD, 0);
	watch(PEER_KEEPER);
	hf_timer_init(&proc.answers, tell_more);
	hf_timer_init(&proc.orphaned, leave_alone);
	hf_timer_init(&proc.settle, settle);
	hf_timer_start(loop_wheel(), &proc.settle,
	    hf_time_after(loop_now(), hf_ms(SETTLE_MS)));
	for (;;) {
		loop_turn();
		end_turn();
	}
}
