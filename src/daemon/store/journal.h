/*
 * daemon/store/journal - the journal's book: facts in, one transaction a turn.
 *
 *      journal_take() -> [ queue, bounded ] -> journal_commit() -> journal.db
 *                                                     |
 *      sender <---- STORED(boot, seq) <---- journal_stored()
 *
 * A fact is told as stored only when its transaction is; until then its
 * sender keeps it, and sends it again after a death of either side.  What was
 * taken already is known by (room, boot, seq) and counted once.
 *
 * When the disk is full, read-only or broken the queue keeps what it can.
 * What no longer fits is left with the senders: from there on that sender is
 * not listened to (his later facts would hide the gap), and once the journal
 * is well again the process ends, so that everyone sends the rest again.
 */
#ifndef HF_DAEMON_STORE_JOURNAL_H
#define HF_DAEMON_STORE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"
#include "io/db/db.h"
#include "wire/msg.h"

enum {
	JOURNAL_QUEUE_BYTES = 4 * 1024 * 1024,
	JOURNAL_PATH_MAX = 192,
	JOURNAL_CURSORS = 16,      /* (room, boot) pairs that are remembered */
	JOURNAL_PRUNE_CALLS = 200, /* in one transaction */
	JOURNAL_CHECKPOINT_PAGES = 1000,
};

enum journal_sql {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_CALL_CAME,
	SQL_CALL_ENDED,
	SQL_RUNG,
	SQL_EVIDENCE,
	SQL_RESCUE,
	SQL_MOVE,
	SQL_ACT,
	SQL_MESSAGE,
	SQL_CURSOR,
	SQL_CURSOR_FORGET,
	SQL_NR
};

/* How far one start of a room has been heard. */
struct journal_cursor {
	uint32_t room; /* enum room */
	uint32_t boot;
	uint32_t taken;  /* seq of the last fact in the queue or the file */
	uint32_t stored; /* in the file */
	bool deaf;       /* one did not fit: not listened to any more */
	bool used;
};

struct journal_counts {
	uint64_t taken, duplicates; /* by journal_take */
	uint64_t left;              /* did not fit: still with their senders */
	uint64_t stored, refused;   /* by journal_commit */
	uint64_t commits, failures;
	uint64_t pruned; /* calls */
};

struct journal {
	char path[JOURNAL_PATH_MAX];
	struct db db;
	db_stmt *sql[SQL_NR];
	enum db_result state; /* DB_OK, or why nothing can be written */
	char trouble[JOURNAL_PATH_MAX]; /* SQLite's words for it */
	uint64_t n; /* number of the last fact, for ever rising */
	uint64_t n_stored;
	char *queue; /* JOURNAL_QUEUE_BYTES */
	size_t queued;
	uint32_t facts; /* in the queue */
	uint32_t pages; /* written since the last checkpoint, about */
	struct journal_cursor cursor[JOURNAL_CURSORS];
	struct journal_counts counts;
};

enum journal_taken { JOURNAL_TAKEN, JOURNAL_DUPLICATE, JOURNAL_LEFT };

/* queue: JOURNAL_QUEUE_BYTES, the caller's.  Opens nothing yet. */
void journal_init(struct journal *j, const char *path, char *queue);
void journal_close(struct journal *j);

/* Is this one of the messages that belong into the journal? */
bool journal_wants(enum msg_type t);

/* now: for facts that carry no time of their own. */
enum journal_taken journal_take(
    struct journal *j, enum room from, const struct msg *m, struct hf_wall now);

/* Opens the file if it is not, and writes all that waits as one transaction.
 * Anything but DB_OK leaves the queue as it was: call again after a while. */
enum db_result journal_commit(struct journal *j, struct hf_wall now);

/* For each (boot, seq) of this room that is safe, the newest boot last. */
typedef void journal_stored_fn(uint32_t boot, uint32_t seq, void *arg);
void journal_stored(
    const struct journal *j, enum room of, journal_stored_fn *fn, void *arg);

/* Some facts were left with their senders and the journal is well again. */
bool journal_wants_resend(const struct journal *j);

/* Forgets calls that came before this, at most JOURNAL_PRUNE_CALLS at once;
 * *more when there are others. */
enum db_result journal_prune(
    struct journal *j, struct hf_wall before, bool *more);

#endif
