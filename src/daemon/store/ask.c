/* daemon/store/ask - see ask.h */

#include <stdio.h>
#include <string.h>

#include "daemon/store/ask.h"
#include "wire/ask.h"
#include "wire/row.h"

struct answer {
	struct journal *j;
	struct hf_wall now;
	ask_row_fn *fn;
	void *arg;
	char memory[ROW_MAX];
	struct hf_buf row;
};

/* For the length of one question; a text of our own that outlives it. */
static char error[160];

/* ---- rows ---------------------------------------------------------------- */

static void
begin(struct answer *a)
{
	a->row = hf_buf_on(a->memory, sizeof(a->memory));
}

static void
tell(struct answer *a)
{
	/* All texts are short by schema of the messages they came from. */
	hf_assert(!a->row.overflow);
	a->fn(hf_buf_taken(&a->row), a->arg);
	begin(a);
}

static void
put_text(struct answer *a, const char *name, struct hf_slice v)
{
	char text[256];

	if (!hf_slice_copy(v, text, sizeof(text)))
		snprintf(text, sizeof(text), "(unreadable)");
	row_text(&a->row, name, text);
}

static void
put_column(struct answer *a, const char *name, db_stmt *s, int column)
{
	put_text(a, name, db_text(s, column));
}

/* "bot:cloud-a", or "-" when there was nobody. */
static void
put_who(struct answer *a, const char *name, db_stmt *s, int kind)
{
	char text[160];
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);

	if (db_text(s, kind + 1).n == 0) {
		hf_buf_char(&b, '-');
	} else {
		hf_buf_slice(&b, db_text(s, kind));
		hf_buf_char(&b, ':');
		hf_buf_slice(&b, db_text(s, kind + 1));
	}
	text[b.n] = '\0';
	row_text(&a->row, name, text);
}

static void
put_span(struct answer *a, const char *name, int64_t us)
{
	row_span(&a->row, name, (struct hf_span){ us });
}

/* A point that never came is no point in 1970. */
static void
put_wall(struct answer *a, const char *name, int64_t us)
{
	if (us == 0)
		row_text(&a->row, name, "-");
	else
		row_wall(&a->row, name, (struct hf_wall){ us });
}

/* ---- asking -------------------------------------------------------------- */

static const char *
complain(struct answer *a, enum db_result r)
{
	if (r == DB_TOO_LONG)
		return "this question takes too long; ask for less";
	snprintf(error, sizeof(error),
	    "the journal cannot be read: %s (%.100s)", db_result_name(r),
	    db_trouble(&a->j->db));
	return error;
}

/* Runs sql with up to two parameters, one call of fn per row; *rows counts. */
static enum db_result
each(struct answer *a, const char *sql, const char *text, int64_t number,
    void (*fn)(struct answer *, db_stmt *), unsigned *rows)
{
	db_stmt *s = NULL;
	enum db_result r = db_prepare(&a->j->db, sql, &s);

	if (r == DB_OK) {
		db_bind_text(s, 1, text);
		db_bind_i64(s, 2, number);
		while ((r = db_step(&a->j->db, s)) == DB_ROW) {
			fn(a, s);
			++*rows;
		}
	}
	db_finalize(&s);
	return r;
}

static void
tell_call(struct answer *a, db_stmt *s)
{
	put_column(a, "id", s, 0);
	put_wall(a, "came", db_i64(s, 1));
	put_column(a, "number", s, 2);
	put_column(a, "from", s, 3);
	put_column(a, "ladder", s, 4);
	if (db_i64(s, 6) == 0) {
		row_text(&a->row, "cause", "(not ended)");
	} else {
		put_column(a, "cause", s, 7);
		put_span(a, "length", db_i64(s, 6) - db_i64(s, 1));
	}
	row_number(&a->row, "steps", db_i64(s, 8));
	row_number(&a->row, "rescues", db_i64(s, 9));
	put_span(a, "worst_gap", db_i64(s, 10));
	put_who(a, "last", s, 11);
	tell(a);
}

static void
tell_record(struct answer *a, db_stmt *s)
{
	row_text(&a->row, "what", "call");
	put_wall(a, "answered", db_i64(s, 5));
	put_wall(a, "ended", db_i64(s, 6));
	put_column(a, "trunk", s, 13);
	tell_call(a, s);
}

#define CALL_COLUMNS                                                           \
	"id, came, number, caller, ladder, answered, ended, cause, steps, "    \
	"rescues, worst_gap, last_kind, last_name, line "

static const char *
answer_calls(struct answer *a, struct hf_slice args)
{
	uint64_t limit = ASK_CALLS, since = 0;
	char horizon[24];
	unsigned rows = 0;

	while (args.n > 0) {
		struct hf_slice word = ask_next(&args);
		struct hf_slice value = ask_next(&args);

		if (hf_slice_eq(word, HF_SLICE("limit"))) {
			if (!hf_slice_number(value, ASK_CALLS_MAX, &limit))
				return "calls: limit takes a number up to 1000";
		} else if (hf_slice_eq(word, HF_SLICE("since"))) {
			if (!hf_slice_number(value, UINT32_MAX, &since))
				return "calls: since takes seconds";
		} else {
			return "calls: takes limit N and since SECONDS";
		}
	}
	snprintf(horizon, sizeof(horizon), "%lld",
	    since == 0 ? 0LL
		       : (long long)(a->now.us - (int64_t)since * 1000000));
	enum db_result r = each(a,
	    "SELECT " CALL_COLUMNS
	    "FROM calls WHERE came >= CAST(?1 AS INTEGER)"
	    " ORDER BY n DESC LIMIT ?2",
	    horizon, (int64_t)limit, tell_call, &rows);
	return r == DB_OK ? NULL : complain(a, r);
}

/* Finds the call that was asked for; id has room for the longest. */
static const char *
which_call(struct answer *a, struct hf_slice args, char *id, size_t cap)
{
	struct hf_slice word = ask_next(&args);
	bool last = hf_slice_eq(word, HF_SLICE("last"));
	const char *wrong = NULL;
	db_stmt *s = NULL;

	if (word.n == 0)
		return "which call? (an id from \"calls\", or \"last\")";
	if (!hf_slice_copy(word, id, cap))
		return "there is no such call; see hfctl calls --past 20";
	enum db_result r = db_prepare(&a->j->db,
	    last ? "SELECT id FROM calls ORDER BY n DESC LIMIT 1"
		 : "SELECT id FROM calls WHERE id = ?1",
	    &s);
	if (r == DB_OK && !last)
		db_bind_text(s, 1, id);
	if (r == DB_OK)
		r = db_step(&a->j->db, s);
	if (r == DB_OK ||
	    (r == DB_ROW && !hf_slice_copy(db_text(s, 0), id, cap)))
		wrong = "there is no such call; see hfctl calls --past 20";
	else if (r != DB_ROW)
		wrong = complain(a, r);
	db_finalize(&s); /* after this id is free of it */
	return wrong;
}

static void
tell_rung(struct answer *a, db_stmt *s)
{
	row_text(&a->row, "what", "rung");
	row_number(&a->row, "step", db_i64(s, 0));
	put_who(a, "who", s, 1);
	put_column(a, "cause", s, 3);
	row_number(&a->row, "code", db_i64(s, 4));
	put_span(a, "rang", db_i64(s, 5));
	put_span(a, "talked", db_i64(s, 6));
	put_span(a, "gap", db_i64(s, 7));
	put_span(a, "voice", db_i64(s, 8));
	put_span(a, "decided", db_i64(s, 9));
	put_column(a, "evidence", s, 10);
	tell(a);
}

static const char *
answer_call(struct answer *a, struct hf_slice args)
{
	char id[64];
	unsigned rows = 0;
	const char *wrong = which_call(a, args, id, sizeof(id));

	if (wrong != NULL)
		return wrong;
	enum db_result r = each(a,
	    "SELECT " CALL_COLUMNS "FROM calls WHERE id = ?1 AND ?2 = 0", id, 0,
	    tell_record, &rows);
	if (r == DB_OK)
		r = each(a,
		    "SELECT step, kind, name, cause, code, rang, talked, gap, "
		    "voice, decided, evidence FROM rungs "
		    "WHERE call = ?1 AND ?2 = 0 ORDER BY n",
		    id, 0, tell_rung, &rows);
	return r == DB_OK ? NULL : complain(a, r);
}

static void
tell_leg(struct answer *a, db_stmt *s)
{
	row_number(&a->row, "leg", db_i64(s, 0));
	put_column(a, "side", s, 1);
	put_column(a, "name", s, 2);
	tell(a);
}

/* The caller's leg is known when the call has ended, a helper's when its rung
 * has; hf-call knows the others. */
static const char *
answer_legs(struct answer *a, struct hf_slice args)
{
	char id[64];
	unsigned rows = 0;
	const char *wrong = which_call(a, args, id, sizeof(id));

	if (wrong != NULL)
		return wrong;
	enum db_result r = each(a,
	    "SELECT caller_leg, 'caller', '', 0 FROM calls "
	    "WHERE id = ?1 AND caller_leg <> 0 AND ?2 = 0 "
	    "UNION ALL "
	    "SELECT leg, 'helper', kind || ':' || name, n FROM rungs "
	    "WHERE call = ?1 AND leg <> 0 ORDER BY 4",
	    id, 0, tell_leg, &rows);
	return r == DB_OK ? NULL : complain(a, r);
}

static void
tell_point(struct answer *a, db_stmt *s)
{
	put_wall(a, "at", db_i64(s, 1));
	put_span(a, "after", db_i64(s, 2));
	put_column(a, "what", s, 3);
	put_column(a, "detail", s, 4);
	if (db_text(s, 5).n > 0)
		put_column(a, "id", s, 5);
	tell(a);
}

static const char *
answer_why(struct answer *a, struct hf_slice args)
{
	/* The columns of each part: n (sorts what has one time), at, since the
	 * call came, what, detail, the call's id (in the first alone).  Spans
	 * are told in milliseconds, as people time a silence. */
	static const char timeline[] =
	    "WITH c AS (SELECT * FROM calls WHERE id = ?1 AND ?2 = 0) "
	    "SELECT 0 AS o, came AS at, 0, 'call_came', "
	    "       printf('from %s to %s, ladder %s', iif(caller = '', "
	    "       'anonymous', caller), number, ladder), id FROM c "
	    "UNION ALL "
	    "SELECT e.n, e.at, e.at - c.came, e.what, e.detail, '' "
	    "  FROM c JOIN evidence e ON e.call = c.id "
	    "UNION ALL "
	    "SELECT r.n, r.at, r.at - c.came, 'rung_ended', "
	    "       printf('%s:%s: %s', r.kind, r.name, r.cause) || "
	    "       iif(r.code > 0, printf(' %d', r.code), '') || "
	    "       printf('; rang %d ms', r.rang / 1000) || "
	    "       iif(r.talked > 0, "
	    "       printf(', talked %d ms', r.talked / 1000), '') || "
	    "       iif(r.gap > 0, printf(', silence %d ms', r.gap / 1000), '')"
	    "    || iif(r.voice > 0, "
	    "       printf(', voice after %d ms', r.voice / 1000), '') || "
	    "       iif(r.decided > 0, "
	    "       printf(', given up after %d ms', r.decided / 1000), '') || "
	    "       iif(r.evidence <> '', printf(' (%s)', r.evidence), ''), '' "
	    "  FROM c JOIN rungs r ON r.call = c.id "
	    "UNION ALL "
	    "SELECT s.n, s.at, s.at - c.came, 'call_rescued', "
	    "       printf('from %s:%s to %s:%s after %d ms: %s', "
	    "       s.from_kind, s.from_name, s.to_kind, s.to_name, "
	    "       s.after / 1000, s.why), '' "
	    "  FROM c JOIN rescues s ON s.call = c.id "
	    "UNION ALL "
	    "SELECT 9223372036854775807, ended, ended - came, 'call_ended', "
	    "       printf('%s; rescues %d, longest silence %d ms', cause, "
	    "       rescues, worst_gap / 1000), '' FROM c WHERE ended > 0 "
	    "ORDER BY at, o";
	char id[64];
	unsigned rows = 0;
	const char *wrong = which_call(a, args, id, sizeof(id));

	if (wrong != NULL)
		return wrong;
	enum db_result r = each(a, timeline, id, 0, tell_point, &rows);
	return r == DB_OK ? NULL : complain(a, r);
}

static const char *
answer_journal(struct answer *a)
{
	const struct journal *j = a->j;

	row_text(&a->row, "state", db_result_name(j->state));
	row_text(&a->row, "file", j->path);
	row_number(&a->row, "bytes",
	    db_is_open(&a->j->db) ? (int64_t)db_bytes(&a->j->db) : 0);
	row_number(&a->row, "taken", (int64_t)j->counts.taken);
	row_number(&a->row, "stored", (int64_t)j->counts.stored);
	row_number(&a->row, "waiting", j->facts);
	row_number(&a->row, "duplicates", (int64_t)j->counts.duplicates);
	row_number(&a->row, "refused", (int64_t)j->counts.refused);
	row_number(&a->row, "left_with_senders", (int64_t)j->counts.left);
	row_number(&a->row, "commits", (int64_t)j->counts.commits);
	row_number(&a->row, "failures", (int64_t)j->counts.failures);
	row_number(&a->row, "calls_pruned", (int64_t)j->counts.pruned);
	tell(a);
	return NULL;
}

bool
ask_knows(const char *verb)
{
	return strcmp(verb, "calls") == 0 || strcmp(verb, "call") == 0 ||
	       strcmp(verb, "why") == 0 || strcmp(verb, "legs") == 0 ||
	       strcmp(verb, "journal") == 0;
}

const char *
ask_answer(struct journal *j, const char *verb, struct hf_slice args,
    struct hf_wall now, ask_row_fn *fn, void *arg)
{
	static struct answer a;
	const char *wrong;

	a = (struct answer){ .j = j, .now = now, .fn = fn, .arg = arg };
	begin(&a);
	if (strcmp(verb, "journal") == 0)
		return answer_journal(&a);
	/* What was said a moment ago belongs to the answer. */
	(void)journal_commit(j, now);
	if (!db_is_open(&j->db)) {
		snprintf(error, sizeof(error),
		    "the journal is not there: %s (%.90s)",
		    db_result_name(j->state), j->trouble);
		return error;
	}
	db_budget(&j->db, ASK_STEPS);
	if (strcmp(verb, "calls") == 0)
		wrong = answer_calls(&a, args);
	else if (strcmp(verb, "call") == 0)
		wrong = answer_call(&a, args);
	else if (strcmp(verb, "legs") == 0)
		wrong = answer_legs(&a, args);
	else if (strcmp(verb, "why") == 0)
		wrong = answer_why(&a, args);
	else
		wrong = "the journal has no such verb";
	db_budget(&j->db, 0);
	return wrong;
}
