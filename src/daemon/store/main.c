/*
 * hf-store - the one writer of the journal.  Facts come from hf-call and
 * hf-rec, are written together every store.commit_every, and are then called
 * safe; operators' questions are answered from the same connection, with a
 * budget, so that no question keeps a fact waiting for long.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/ask.h"
#include "daemon/store/journal.h"
#include "proc/log.h"
#include "proc/proc.h"
#include "wire/row.h"

enum {
	RETRY_MS = 1000,      /* while the disk is full or away */
	PRUNE_MS = 60 * 1000, /* between looks at what is too old */
	PRUNE_MORE_MS = 250,  /* while there is more */
	EAGER_BYTES = JOURNAL_QUEUE_BYTES / 8, /* then do not wait */
	PEERS = 2,
};

static struct {
	struct journal journal;
	char queue[JOURNAL_QUEUE_BYTES];
	struct hf_timer commit, prune;
	struct hf_span commit_every;
	int64_t keep_us;
	bool leaving; /* when the last sender has left */
} store;

static const struct {
	enum peer peer;
	enum room room;
} senders[PEERS] = {
	{ PEER_CALL, ROOM_CALL },
	{ PEER_REC, ROOM_REC },
};

/* ---- writing ------------------------------------------------------------- */

static void
tell_stored(uint32_t boot, uint32_t seq, void *arg)
{
	const enum peer *to = arg;
	struct msg m = { .type = MSG_STORED };

	m.stored.boot = boot;
	m.stored.seq = seq;
	proc_send(*to, &m);
}

static void
tell_sender(size_t i)
{
	enum peer to = senders[i].peer;

	if (proc_there(to))
		journal_stored(
		    &store.journal, senders[i].room, tell_stored, &to);
}

static void
commit(struct hf_timer *t, struct hf_time now)
{
	struct journal *j = &store.journal;
	bool news = j->facts > 0;

	hf_timer_stop(proc_wheel(), t);
	if (journal_commit(j, proc_wall()) != DB_OK) {
		hf_timer_start(
		    proc_wheel(), t, hf_time_after(now, hf_ms(RETRY_MS)));
		return;
	}
	for (size_t i = 0; news && i < HF_LEN(senders); i++)
		tell_sender(i);
	if (journal_wants_resend(j)) {
		hf_log(LOG_NOTICE, "store_restarts", "why=facts_left left=%llu",
		    (unsigned long long)j->counts.left);
		journal_close(j);
		proc_leave();
	}
}

static void
prune(struct hf_timer *t, struct hf_time now)
{
	struct hf_wall before = { proc_wall().us - store.keep_us };
	bool more = false;

	/* What goes wrong here goes wrong at the next commit too, and is told
	 * there. */
	(void)journal_prune(&store.journal, before, &more);
	hf_timer_start(proc_wheel(), t,
	    hf_time_after(now, hf_ms(more ? PRUNE_MORE_MS : PRUNE_MS)));
}

static void
leave_if_alone(void)
{
	for (size_t i = 0; i < HF_LEN(senders); i++)
		if (!store.leaving || proc_there(senders[i].peer))
			return;
	(void)journal_commit(&store.journal, proc_wall());
	journal_close(&store.journal);
	proc_leave();
}

/* ---- the room ------------------------------------------------------------ */

static void
take_conf(const struct conf *c)
{
	const int64_t day_us = 24LL * 3600 * 1000000;

	store.commit_every = c->store.commit_every;
	store.keep_us = c->store.keep_days * day_us;
}

static void
on_start(const struct conf *c, uint32_t boot, uint16_t worker)
{
	char path[JOURNAL_PATH_MAX];

	(void)boot;
	(void)worker;
	take_conf(c);
	/* Its own folder; the one above it is the package's or the operator's.
	 * Callers' numbers lie in here: nobody else's business. */
	(void)umask(S_IRWXO | S_IWGRP);
	if (mkdir(c->store.dir, S_IRWXU | S_IRGRP | S_IXGRP) != 0 &&
	    errno != EEXIST)
		hf_log(LOG_ERROR, "folder_failed", "path=%s why=\"%s\"",
		    c->store.dir, strerror(errno));
	(void)snprintf(path, sizeof(path), "%s/journal.db", c->store.dir);
	journal_init(&store.journal, path, store.queue);
	hf_timer_init(&store.commit, commit);
	hf_timer_init(&store.prune, prune);
	commit(&store.commit, proc_now()); /* opens it */
	hf_timer_start(proc_wheel(), &store.prune,
	    hf_time_after(proc_now(), hf_ms(PRUNE_MS)));
}

static void
on_met(enum peer from)
{
	for (size_t i = 0; i < HF_LEN(senders); i++)
		if (senders[i].peer == from)
			tell_sender(i);
}

static void
on_left(enum peer from)
{
	/* It died, or all of us are about to: not a moment to wait in. */
	(void)from;
	if (store.journal.facts > 0)
		commit(&store.commit, proc_now());
	leave_if_alone();
}

static void
on_message(enum peer from, const struct msg *m, int fd)
{
	if (fd >= 0)
		(void)close(fd); /* nobody sends us descriptors */
	if (from == PEER_KEEPER) {
		if (m->type == MSG_DRAIN) {
			store.leaving = m->drain.on && m->drain.die;
			leave_if_alone();
		}
		return;
	}
	for (size_t i = 0; i < HF_LEN(senders); i++)
		if (senders[i].peer == from && journal_wants(m->type))
			(void)journal_take(&store.journal, senders[i].room, m,
			    proc_wall()); /* it counts */
}

static void
turn_end(struct hf_time now)
{
	struct journal *j = &store.journal;

	if (j->facts == 0)
		return;
	if (j->state == DB_OK && j->queued >= EAGER_BYTES)
		commit(&store.commit, now);
	else if (!hf_timer_running(&store.commit))
		hf_timer_start(proc_wheel(), &store.commit,
		    hf_time_after(now, store.commit_every));
}

/* ---- questions ----------------------------------------------------------- */

/* A row waits for the next one: only the last says that it is the last. */
static struct {
	uint32_t id;
	bool waiting;
	uint16_t n;
	char row[ROW_MAX];
} reply;

static void
send_row(bool more)
{
	proc_reply(reply.id, NULL, reply.row, reply.n, more);
	reply.waiting = false;
}

static void
on_row(struct hf_slice row, void *arg)
{
	(void)arg;
	if (reply.waiting)
		send_row(true);
	hf_assert(row.n <= sizeof(reply.row));
	memcpy(reply.row, row.p, row.n);
	reply.n = (uint16_t)row.n;
	reply.waiting = true;
}

static void
on_ask(const struct msg_ask *m)
{
	struct hf_slice args = { (const char *)m->args.p, m->args.n };
	const char *wrong;

	reply.id = m->id;
	reply.n = 0;
	reply.waiting = false;
	if (!ask_knows(m->verb)) {
		proc_reply(
		    m->id, "hf-store does not know this", NULL, 0, false);
		return;
	}
	wrong = ask_answer(
	    &store.journal, m->verb, args, proc_wall(), on_row, NULL);
	if (wrong != NULL)
		proc_reply(m->id, wrong, NULL, 0, false);
	else
		send_row(false); /* empty when there was none */
}

int
main(int argc, char **argv)
{
	static const struct proc_room room = {
		.name = "hf-store",
		.start = on_start,
		.reconf = take_conf,
		.met = on_met,
		.left = on_left,
		.message = on_message,
		.ask = on_ask,
		.turn_end = turn_end,
	};

	return proc_main(argc, argv, &room);
}
