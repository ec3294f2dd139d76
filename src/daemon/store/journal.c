/* daemon/store/journal - see journal.h */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "daemon/store/journal.h"
#include "daemon/store/schema.h"
#include "proc/log.h"

/* In front of each frame in the queue. */
struct waiting {
	int64_t wall;
	uint32_t room;
	uint32_t n; /* bytes of the frame */
};

/* clang-format off */
static const char *const sql[] = {
	[SQL_BEGIN] = "BEGIN IMMEDIATE",
	[SQL_COMMIT] = "COMMIT",
	[SQL_CALL_CAME] =
	    "INSERT INTO calls(id, came, trunk, number, caller, ladder, line) "
	    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(id) DO NOTHING",
	[SQL_CALL_ENDED] =
	    "INSERT INTO calls(id, came, trunk, number, caller, ladder, answered, "
	    "ended, cause, steps, rescues, worst_gap, last_kind, last_name, "
	    "caller_leg, helper_leg, line) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, "
	    "?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT(id) DO UPDATE SET "
	    "ladder = excluded.ladder, answered = excluded.answered, "
	    "ended = excluded.ended, cause = excluded.cause, "
	    "steps = excluded.steps, rescues = excluded.rescues, "
	    "worst_gap = excluded.worst_gap, last_kind = excluded.last_kind, "
	    "last_name = excluded.last_name, caller_leg = excluded.caller_leg, "
	    "helper_leg = excluded.helper_leg",
	[SQL_RUNG] =
	    "INSERT INTO rungs(call, n, at, step, kind, name, cause, code, rang, "
	    "talked, gap, voice, decided, evidence, leg) "
	    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, "
	    "?14, ?15)",
	[SQL_EVIDENCE] =
	    "INSERT INTO evidence(call, n, at, what, detail) "
	    "VALUES(?1, ?2, ?3, ?4, ?5)",
	[SQL_RESCUE] =
	    "INSERT INTO rescues(call, n, at, from_kind, from_name, to_kind, "
	    "to_name, why, after) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
	[SQL_MOVE] =
	    "INSERT INTO moves(n, at, what, name, state, why) "
	    "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	[SQL_ACT] =
	    "INSERT INTO acts(n, at, who, what) VALUES(?1, ?2, ?3, ?4)",
	[SQL_MESSAGE] =
	    "INSERT INTO messages(n, at, call, box, name, length, box_name) "
	    "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)",
	[SQL_CURSOR] =
	    "INSERT INTO cursors(room, boot, seq) VALUES(?1, ?2, ?3) "
	    "ON CONFLICT(room, boot) DO UPDATE SET seq = excluded.seq",
	[SQL_CURSOR_FORGET] =
	    "DELETE FROM cursors WHERE room = ?1 AND boot = ?2",
};
/* clang-format on */
_Static_assert(HF_LEN(sql) == SQL_NR, "one statement each");

/* The number of the last fact is kept as a cursor of its own. */
#define ROOM_OF_COUNTER "journal"

/* ---- opening ------------------------------------------------------------- */

void
journal_init(struct journal *j, const char *path, char *queue)
{
	hf_assert(strlen(path) < sizeof(j->path));
	*j = (struct journal){ .queue = queue };
	strcpy(j->path, path);
}

void
journal_close(struct journal *j)
{
	for (size_t i = 0; i < HF_LEN(j->sql); i++)
		db_finalize(&j->sql[i]);
	db_close(&j->db);
}

static enum db_result
fail(struct journal *j, enum db_result r)
{
	snprintf(j->trouble, sizeof(j->trouble), "%s", db_trouble(&j->db));
	return r;
}

static struct journal_cursor *
cursor_find(struct journal *j, uint32_t room, uint32_t boot)
{
	for (size_t i = 0; i < HF_LEN(j->cursor); i++) {
		struct journal_cursor *c = &j->cursor[i];
		if (c->used && c->room == room && c->boot == boot)
			return c;
	}
	return NULL;
}

/* A place for a start not heard of before; the one of the room with the most
 * places that started first makes room. */
static struct journal_cursor *
cursor_new(struct journal *j, uint32_t room, uint32_t boot)
{
	struct journal_cursor *place = NULL;

	for (size_t i = 0; i < HF_LEN(j->cursor); i++) {
		struct journal_cursor *c = &j->cursor[i];
		if (!c->used) {
			place = c;
			break;
		}
		/* What is still to be written must not be forgotten. */
		if (c->taken == c->stored &&
		    (place == NULL || c->boot < place->boot))
			place = c;
	}
	if (place == NULL)
		return NULL;
	if (place->used && db_is_open(&j->db)) {
		db_stmt *s = j->sql[SQL_CURSOR_FORGET];
		db_bind_text(s, 1, room_name((enum room)place->room));
		db_bind_i64(s, 2, place->boot);
		(void)db_once(&j->db, s); /* then it is forgotten later */
	}
	*place =
	    (struct journal_cursor){ .used = true, .room = room, .boot = boot };
	return place;
}

static uint32_t
room_of(struct hf_slice name)
{
	for (uint32_t i = 0; i < ROOM_NR; i++)
		if (hf_slice_eq(name, hf_slice_of(room_name((enum room)i))))
			return i;
	return ROOM_NR;
}

static enum db_result
load_cursors(struct journal *j)
{
	db_stmt *s = NULL;
	enum db_result r = db_prepare(
	    &j->db, "SELECT room, boot, seq FROM cursors ORDER BY boot", &s);

	while (r == DB_OK && (r = db_step(&j->db, s)) == DB_ROW) {
		uint32_t room = room_of(db_text(s, 0));
		uint32_t boot = (uint32_t)db_i64(s, 1);
		uint32_t seq = (uint32_t)db_i64(s, 2);

		r = DB_OK;
		if (hf_slice_eq(db_text(s, 0), HF_SLICE(ROOM_OF_COUNTER))) {
			uint64_t n = (uint64_t)db_i64(s, 2);
			if (n > j->n)
				j->n = n;
			j->n_stored = n;
			continue;
		}
		if (room == ROOM_NR)
			continue;
		struct journal_cursor *c = cursor_find(j, room, boot);
		if (c == NULL)
			c = cursor_new(j, room, boot);
		if (c == NULL)
			continue;
		c->stored = seq;
		if (c->taken < seq)
			c->taken = seq;
	}
	db_finalize(&s);
	return r;
}

/* A file that is no database any more is put aside, not deleted: somebody may
 * want to save what can be saved. */
static void
put_aside(struct journal *j, struct hf_wall now)
{
	static const char *const tails[] = { "", "-wal", "-shm" };
	char from[JOURNAL_PATH_MAX + 8], to[JOURNAL_PATH_MAX + 48];

	journal_close(j);
	for (size_t i = 0; i < HF_LEN(tails); i++) {
		snprintf(from, sizeof(from), "%s%s", j->path, tails[i]);
		snprintf(to, sizeof(to), "%s.damaged-%lld%s", j->path,
		    (long long)(now.us / 1000000), tails[i]);
		if (rename(from, to) == 0 && i == 0)
			hf_log(LOG_ERROR, "journal_put_aside",
			    "file=%s why=\"%s\"", to, j->trouble);
	}
	/* All that is remembered of the old file is gone with it; the cursors
	 * stay, and are written into the new one. */
	for (size_t i = 0; i < HF_LEN(j->cursor); i++)
		j->cursor[i].stored = 0;
	j->n_stored = 0;
}

static enum db_result
open_file(struct journal *j, struct hf_wall now)
{
	enum db_result r = db_open(&j->db, j->path, DB_WRITER);

	if (r == DB_OK) {
		r = schema_raise(&j->db);
		if (r != DB_OK)
			fail(j, r);
	} else {
		snprintf(j->trouble, sizeof(j->trouble), "%s", j->path);
	}
	for (size_t i = 0; r == DB_OK && i < HF_LEN(sql); i++)
		r = db_prepare(&j->db, sql[i], &j->sql[i]);
	if (r == DB_OK)
		r = load_cursors(j);
	if (r == DB_OK)
		return r;
	if (db_is_open(&j->db))
		fail(j, r);
	journal_close(j);
	if (r == DB_DAMAGED)
		put_aside(j, now);
	return r;
}

/* ---- taking -------------------------------------------------------------- */

bool
journal_wants(enum msg_type t)
{
	return t == MSG_CALL_CAME || t == MSG_RUNG_ENDED || t == MSG_EVIDENCE ||
	       t == MSG_CALL_RESCUED || t == MSG_CALL_ENDED ||
	       t == MSG_AGENT_MOVED || t == MSG_BREAKER_MOVED ||
	       t == MSG_OPERATOR_ACTED || t == MSG_MESSAGE_SAVED;
}

enum journal_taken
journal_take(
    struct journal *j, enum room from, const struct msg *m, struct hf_wall now)
{
	struct journal_cursor *c = cursor_find(j, from, m->boot);

	hf_assert(journal_wants(m->type));
	/* A fact without a number was never kept by its sender: it comes once.
	 */
	if (m->seq != 0) {
		if (c == NULL)
			c = cursor_new(j, from, m->boot);
		if (c == NULL || c->deaf) {
			j->counts.left++;
			return JOURNAL_LEFT;
		}
		if (m->seq <= c->taken) {
			j->counts.duplicates++;
			return JOURNAL_DUPLICATE;
		}
	}
	struct waiting w = { .wall = now.us, .room = from };
	struct hf_buf b =
	    hf_buf_on(j->queue + j->queued, JOURNAL_QUEUE_BYTES - j->queued);
	hf_buf_put(&b, &w, sizeof(w));
	if (b.overflow || !msg_encode(&b, m)) {
		if (m->seq != 0)
			c->deaf = true;
		j->counts.left++;
		return JOURNAL_LEFT;
	}
	w.n = (uint32_t)(b.n - sizeof(w));
	memcpy(j->queue + j->queued, &w, sizeof(w));
	j->queued += b.n;
	j->facts++;
	j->counts.taken++;
	if (m->seq != 0)
		c->taken = m->seq;
	return JOURNAL_TAKEN;
}

/* ---- writing ------------------------------------------------------------- */

static void
bind_call(db_stmt *s, const char *id, struct hf_wall came, uint16_t trunk,
    const char *number, const char *from, const char *ladder)
{
	db_bind_text(s, 1, id);
	db_bind_i64(s, 2, came.us);
	db_bind_i64(s, 3, trunk);
	db_bind_text(s, 4, number);
	db_bind_text(s, 5, from);
	db_bind_text(s, 6, ladder);
}

static db_stmt *
bind_ended(struct journal *j, const struct msg_call_ended *m)
{
	db_stmt *s = j->sql[SQL_CALL_ENDED];

	bind_call(s, m->id, m->came, m->trunk, m->number, m->from, m->ladder);
	db_bind_i64(s, 7, m->answered.us);
	db_bind_i64(s, 8, m->ended.us);
	db_bind_text(s, 9, cause_name(m->cause));
	db_bind_i64(s, 10, m->steps);
	db_bind_i64(s, 11, m->rescues);
	db_bind_i64(s, 12, m->worst_gap.us);
	db_bind_text(s, 13, rung_name(m->last_kind));
	db_bind_text(s, 14, m->last_name);
	db_bind_i64(s, 15, (int64_t)m->caller_leg);
	db_bind_i64(s, 16, (int64_t)m->helper_leg);
	db_bind_text(s, 17, m->line);
	return s;
}

static db_stmt *
bind_rung(struct journal *j, const struct msg_rung_ended *m)
{
	db_stmt *s = j->sql[SQL_RUNG];

	db_bind_text(s, 1, m->id);
	db_bind_i64(s, 2, (int64_t)j->n);
	db_bind_i64(s, 3, m->at.us);
	db_bind_i64(s, 4, m->step);
	db_bind_text(s, 5, rung_name(m->kind));
	db_bind_text(s, 6, m->name);
	db_bind_text(s, 7, cause_name(m->cause));
	db_bind_i64(s, 8, m->code);
	db_bind_i64(s, 9, m->rang.us);
	db_bind_i64(s, 10, m->talked.us);
	db_bind_i64(s, 11, m->gap.us);
	db_bind_i64(s, 12, m->voice.us);
	db_bind_i64(s, 13, m->decided.us);
	db_bind_text(s, 14, m->evidence);
	db_bind_i64(s, 15, (int64_t)m->leg);
	return s;
}

static db_stmt *
bind_rescue(struct journal *j, const struct msg_call_rescued *m)
{
	db_stmt *s = j->sql[SQL_RESCUE];

	db_bind_text(s, 1, m->id);
	db_bind_i64(s, 2, (int64_t)j->n);
	db_bind_i64(s, 3, m->at.us);
	db_bind_text(s, 4, rung_name(m->from_kind));
	db_bind_text(s, 5, m->from_name);
	db_bind_text(s, 6, rung_name(m->to_kind));
	db_bind_text(s, 7, m->to_name);
	db_bind_text(s, 8, cause_name(m->why));
	db_bind_i64(s, 9, m->after.us);
	return s;
}

static db_stmt *
bind_move(struct journal *j, const char *what, int64_t at, const char *name,
    const char *state, const char *why)
{
	db_stmt *s = j->sql[SQL_MOVE];

	db_bind_i64(s, 1, (int64_t)j->n);
	db_bind_i64(s, 2, at);
	db_bind_text(s, 3, what);
	db_bind_text(s, 4, name);
	db_bind_text(s, 5, state);
	db_bind_text(s, 6, why);
	return s;
}

/* text: HF_REF_TEXT_MAX bytes that live until the statement is done. */
static db_stmt *
bind_message(struct journal *j, const struct msg_message_saved *m, int64_t at,
    char *text)
{
	db_stmt *s = j->sql[SQL_MESSAGE];

	db_bind_i64(s, 1, (int64_t)j->n);
	db_bind_i64(s, 2, at);
	db_bind_text(s, 3, hf_ref_text(m->call, text));
	db_bind_i64(s, 4, m->box);
	db_bind_text(s, 5, m->name);
	db_bind_i64(s, 6, m->length.us);
	db_bind_text(s, 7, m->box_name);
	return s;
}

static enum db_result
write_fact(struct journal *j, const struct msg *m, int64_t at)
{
	char text[HF_REF_TEXT_MAX];
	db_stmt *s = NULL;

	j->n++;
	switch ((unsigned)m->type) {
	case MSG_CALL_CAME: {
		const struct msg_call_came *c = &m->call_came;
		s = j->sql[SQL_CALL_CAME];
		bind_call(
		    s, c->id, c->at, c->trunk, c->number, c->from, c->ladder);
		db_bind_text(s, 7, c->line);
		break;
	}
	case MSG_RUNG_ENDED:
		s = bind_rung(j, &m->rung_ended);
		break;
	case MSG_EVIDENCE:
		s = j->sql[SQL_EVIDENCE];
		db_bind_text(s, 1, m->evidence.id);
		db_bind_i64(s, 2, (int64_t)j->n);
		db_bind_i64(s, 3, m->evidence.at.us);
		db_bind_text(s, 4, m->evidence.what);
		db_bind_text(s, 5, m->evidence.detail);
		break;
	case MSG_CALL_RESCUED:
		s = bind_rescue(j, &m->call_rescued);
		break;
	case MSG_CALL_ENDED:
		s = bind_ended(j, &m->call_ended);
		break;
	case MSG_AGENT_MOVED:
		s = bind_move(j, "agent", m->agent_moved.at.us,
		    m->agent_moved.name, agent_state_name(m->agent_moved.state),
		    m->agent_moved.why);
		break;
	case MSG_BREAKER_MOVED:
		s = bind_move(j, "breaker", m->breaker_moved.at.us,
		    m->breaker_moved.name,
		    breaker_state_name(m->breaker_moved.state),
		    m->breaker_moved.evidence);
		break;
	case MSG_OPERATOR_ACTED:
		s = j->sql[SQL_ACT];
		db_bind_i64(s, 1, (int64_t)j->n);
		db_bind_i64(s, 2, m->operator_acted.at.us);
		db_bind_text(s, 3, m->operator_acted.who);
		db_bind_text(s, 4, m->operator_acted.what);
		break;
	case MSG_MESSAGE_SAVED:
		s = bind_message(j, &m->message_saved, at, text);
		break;
	default:
		hf_never("journal_take lets only facts in");
	}
	return db_once(&j->db, s);
}

/* Trouble with this fact alone, not with the file. */
static bool
its_own_fault(enum db_result r)
{
	return r == DB_REFUSED || r == DB_FAULT;
}

/* Taken before the file could be opened, and found in it then. */
static bool
is_in_file(struct journal *j, uint32_t room, const struct msg *m)
{
	const struct journal_cursor *c = cursor_find(j, room, m->boot);

	return m->seq != 0 && c != NULL && m->seq <= c->stored;
}

/* What one try came to; counted only when it is committed. */
struct attempt {
	uint64_t stored, duplicates, refused;
};

static enum db_result
write_queue(struct journal *j, struct attempt *a)
{
	size_t at = 0;

	while (at < j->queued) {
		struct waiting w;
		static struct msg m;

		memcpy(&w, j->queue + at, sizeof(w));
		struct hf_slice frame = { j->queue + at + sizeof(w), w.n };
		hf_assert(msg_decode(&frame, &m));
		at += sizeof(w) + w.n;
		if (is_in_file(j, w.room, &m)) {
			a->duplicates++;
			continue;
		}
		enum db_result r = write_fact(j, &m, w.wall);
		if (its_own_fault(r)) {
			a->refused++;
			hf_log(LOG_ERROR, "fact_refused",
			    "fact=%s boot=%u seq=%u why=\"%s\"",
			    msg_name(m.type), m.boot, m.seq,
			    db_trouble(&j->db));
		} else if (r != DB_OK) {
			return r;
		} else {
			a->stored++;
		}
	}
	return DB_OK;
}

static enum db_result
write_cursor(struct journal *j, const char *room, uint32_t boot, uint64_t seq)
{
	db_stmt *s = j->sql[SQL_CURSOR];

	db_bind_text(s, 1, room);
	db_bind_i64(s, 2, boot);
	db_bind_i64(s, 3, (int64_t)seq);
	return db_once(&j->db, s);
}

static enum db_result
write_cursors(struct journal *j)
{
	enum db_result r = DB_OK;

	for (size_t i = 0; r == DB_OK && i < HF_LEN(j->cursor); i++) {
		struct journal_cursor *c = &j->cursor[i];
		if (c->used && c->taken != c->stored)
			r = write_cursor(j, room_name((enum room)c->room),
			    c->boot, c->taken);
	}
	if (r == DB_OK && j->n != j->n_stored)
		r = write_cursor(j, ROOM_OF_COUNTER, 0, j->n);
	return r;
}

static void
committed(struct journal *j, const struct attempt *a)
{
	for (size_t i = 0; i < HF_LEN(j->cursor); i++)
		j->cursor[i].stored = j->cursor[i].taken;
	j->n_stored = j->n;
	j->counts.commits++;
	j->counts.refused += a->refused;
	j->counts.stored += a->stored;
	j->counts.duplicates += a->duplicates;
	j->queued = 0;
	j->facts = 0;
}

/* SQLite may have done so by itself; then this is refused, rightly. */
static void
roll_back(struct journal *j)
{
	(void)db_run(&j->db, "ROLLBACK");
}

static enum db_result
write_all(struct journal *j, struct attempt *a)
{
	enum db_result r = db_once(&j->db, j->sql[SQL_BEGIN]);

	if (r != DB_OK)
		return fail(j, r);
	r = write_queue(j, a);
	if (r == DB_OK)
		r = write_cursors(j);
	if (r == DB_OK)
		r = db_once(&j->db, j->sql[SQL_COMMIT]);
	if (r == DB_OK)
		return r;
	fail(j, r);
	roll_back(j);
	return r;
}

/* About every 4 MB; in the way of nobody: we are the only writer. */
static void
checkpoint(struct journal *j)
{
	uint32_t left = 0;

	j->pages += j->facts / 8 + 4; /* some rows share a page */
	if (j->pages < JOURNAL_CHECKPOINT_PAGES)
		return;
	j->pages = 0;
	enum db_result r = db_checkpoint(&j->db, &left);
	if (r != DB_OK)
		hf_log(LOG_WARNING, "checkpoint_failed", "why=%s left=%u",
		    db_result_name(r), left);
}

/* Said once, when it begins and when it is over. */
static void
move_state(struct journal *j, enum db_result next)
{
	if (next == j->state)
		return;
	if (next != DB_OK)
		hf_log(LOG_ERROR, "journal_stopped",
		    "why=%s detail=\"%s\" waiting=%u", db_result_name(next),
		    j->trouble, j->facts);
	else
		hf_log(LOG_NOTICE, "journal_writes", "file=%s after=%s",
		    j->path, db_result_name(j->state));
	j->state = next;
}

enum db_result
journal_commit(struct journal *j, struct hf_wall now)
{
	struct attempt a = { 0 };
	uint64_t n = j->n;
	enum db_result r = DB_OK;

	if (!db_is_open(&j->db))
		r = open_file(j, now);
	n = j->n > n ? j->n : n;
	if (r == DB_OK && j->facts > 0)
		r = write_all(j, &a);
	if (r != DB_OK) {
		j->n = n;
		j->counts.failures++;
		move_state(j, r);
		if (r == DB_DAMAGED && db_is_open(&j->db))
			put_aside(j, now);
		return r;
	}
	move_state(j, DB_OK);
	if (j->facts > 0) {
		checkpoint(j);
		committed(j, &a);
	}
	return r;
}

void
journal_stored(
    const struct journal *j, enum room of, journal_stored_fn *fn, void *arg)
{
	uint32_t after = 0;
	bool first = true;

	/* In the order of boots; there are a handful. */
	for (;;) {
		const struct journal_cursor *next = NULL;
		for (size_t i = 0; i < HF_LEN(j->cursor); i++) {
			const struct journal_cursor *c = &j->cursor[i];
			if (!c->used || c->room != of || c->stored == 0 ||
			    (!first && c->boot <= after))
				continue;
			if (next == NULL || c->boot < next->boot)
				next = c;
		}
		if (next == NULL)
			return;
		fn(next->boot, next->stored, arg);
		after = next->boot;
		first = false;
	}
}

bool
journal_wants_resend(const struct journal *j)
{
	if (j->state != DB_OK)
		return false;
	for (size_t i = 0; i < HF_LEN(j->cursor); i++)
		if (j->cursor[i].used && j->cursor[i].deaf)
			return true;
	return false;
}

/* ---- forgetting ---------------------------------------------------------- */

enum db_result
journal_prune(struct journal *j, struct hf_wall before, bool *more)
{
	/* The oldest calls come first by n; one that came later than the limit
	 * ends the walk, so nobody needs an index on the time. */
	static const char *const acts[] = {
		"CREATE TEMP TABLE IF NOT EXISTS old(id TEXT PRIMARY KEY)",
		"DELETE FROM old",
		"INSERT INTO old SELECT id FROM (SELECT id, came FROM calls "
		"ORDER BY n LIMIT 200) WHERE came < (SELECT us FROM horizon)",
		"DELETE FROM rungs WHERE call IN old",
		"DELETE FROM evidence WHERE call IN old",
		"DELETE FROM rescues WHERE call IN old",
		"DELETE FROM moves WHERE n IN (SELECT n FROM moves ORDER BY n "
		"LIMIT 200) AND at < (SELECT us FROM horizon)",
		"DELETE FROM acts WHERE n IN (SELECT n FROM acts ORDER BY n "
		"LIMIT 200) AND at < (SELECT us FROM horizon)",
		"DELETE FROM messages WHERE n IN (SELECT n FROM messages "
		"ORDER BY n LIMIT 200) AND at < (SELECT us FROM horizon)",
		"DELETE FROM calls WHERE id IN old",
	};
	enum { PRUNE_FRESH = 1 }; /* up to here nothing old is deleted */
	_Static_assert(JOURNAL_PRUNE_CALLS == 200, "as written above");
	char horizon[160];

	*more = false;
	if (!db_is_open(&j->db))
		return j->state;
	snprintf(horizon, sizeof(horizon),
	    "CREATE TEMP TABLE IF NOT EXISTS horizon(us); "
	    "DELETE FROM horizon; INSERT INTO horizon VALUES(%lld)",
	    (long long)before.us);
	enum db_result r = db_run(&j->db, horizon);
	if (r == DB_OK)
		r = db_once(&j->db, j->sql[SQL_BEGIN]);
	uint32_t gone = 0;
	for (size_t i = 0; r == DB_OK && i < HF_LEN(acts); i++) {
		r = db_run(&j->db, acts[i]);
		gone = db_changed(&j->db);
		/* Any of them may be the one that grows fastest. */
		*more |= i > PRUNE_FRESH && gone == JOURNAL_PRUNE_CALLS;
	}
	if (r == DB_OK)
		r = db_once(&j->db, j->sql[SQL_COMMIT]);
	if (r != DB_OK) {
		fail(j, r);
		roll_back(j);
		return r;
	}
	j->counts.pruned += gone;
	j->pages += gone / 4;
	return r;
}
