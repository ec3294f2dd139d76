/* io/db - see db.h */

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "io/db/db.h"

enum {
	BUDGET_GRAIN = 1000, /* machine steps between two looks */
	BUSY_MS = 200,       /* an operator's sqlite3 shell may be looking */
};

static sqlite3_stmt *
raw(db_stmt *s)
{
	return (void *)s;
}

const char *
db_result_name(enum db_result r)
{
	static const char *const names[] = {
		[DB_OK] = "ok",
		[DB_ROW] = "row",
		[DB_FULL] = "disk_full",
		[DB_READONLY] = "read_only",
		[DB_DAMAGED] = "damaged",
		[DB_BUSY] = "locked",
		[DB_IO] = "disk_error",
		[DB_ABSENT] = "cannot_open",
		[DB_REFUSED] = "refused",
		[DB_TOO_LONG] = "too_long",
		[DB_FAULT] = "fault",
	};
	_Static_assert(HF_LEN(names) == DB_RESULT_NR, "one name each");

	hf_assert((unsigned)r < DB_RESULT_NR);
	return names[r];
}

static enum db_result
result_of(int rc)
{
	switch (rc & 0xff) { /* without the extended part */
	case SQLITE_OK:
	case SQLITE_DONE:
		return DB_OK;
	case SQLITE_ROW:
		return DB_ROW;
	case SQLITE_FULL:
		return DB_FULL;
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return DB_READONLY;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return DB_DAMAGED;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return DB_BUSY;
	case SQLITE_IOERR:
		return DB_IO;
	case SQLITE_CANTOPEN:
		return DB_ABSENT;
	case SQLITE_CONSTRAINT:
	case SQLITE_TOOBIG:
	case SQLITE_MISMATCH:
		return DB_REFUSED;
	case SQLITE_INTERRUPT:
		return DB_TOO_LONG;
	default:
		return DB_FAULT;
	}
}

static int
on_progress(void *arg)
{
	struct db *db = arg;

	if (db->budget <= BUDGET_GRAIN)
		return 1;
	db->budget -= BUDGET_GRAIN;
	return 0;
}

void
db_budget(struct db *db, uint64_t steps)
{
	db->budget = steps;
	sqlite3_progress_handler(db->handle, steps > 0 ? BUDGET_GRAIN : 0,
	    steps > 0 ? on_progress : NULL, db);
}

enum db_result
db_open(struct db *db, const char *path, enum db_how how)
{
	static const char writer[] = "PRAGMA journal_mode=WAL;"
				     "PRAGMA synchronous=FULL;"
				     "PRAGMA wal_autocheckpoint=0;"
				     "PRAGMA temp_store=MEMORY;"
				     "PRAGMA trusted_schema=OFF;";
	static const char reader[] = "PRAGMA query_only=ON;"
				     "PRAGMA trusted_schema=OFF;";
	int flags = how == DB_WRITER
			? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
			: SQLITE_OPEN_READONLY;
	sqlite3 *h = NULL;

	*db = (struct db){ 0 };
	int rc = sqlite3_open_v2(path, &h,
	    flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
		SQLITE_OPEN_EXRESCODE,
	    NULL);
	db->handle = h;
	enum db_result r = result_of(rc);
	if (r == DB_OK) {
		sqlite3_busy_timeout(h, BUSY_MS);
		r = db_run(db, how == DB_WRITER ? writer : reader);
	}
	/* SQLite opens what it may not write, and says so only here. */
	if (r == DB_OK && how == DB_WRITER && sqlite3_db_readonly(h, "main"))
		r = DB_READONLY;
	if (r != DB_OK)
		db_close(db);
	return r;
}

void
db_close(struct db *db)
{
	if (db->handle != NULL)
		hf_assert(sqlite3_close(db->handle) == SQLITE_OK);
	db->handle = NULL;
}

bool
db_is_open(const struct db *db)
{
	return db->handle != NULL;
}

enum db_result
db_run(struct db *db, const char *sql)
{
	return result_of(sqlite3_exec(db->handle, sql, NULL, NULL, NULL));
}

enum db_result
db_version(struct db *db, int *version)
{
	db_stmt *s = NULL;
	enum db_result r = db_prepare(db, "PRAGMA user_version", &s);

	if (r == DB_OK)
		r = db_step(db, s);
	if (r == DB_ROW) {
		*version = (int)db_i64(s, 0);
		r = DB_OK;
	}
	db_finalize(&s);
	return r;
}

enum db_result
db_prepare(struct db *db, const char *sql, db_stmt **out)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v3(
	    db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, &s, NULL);

	*out = (void *)s;
	return result_of(rc);
}

void
db_finalize(db_stmt **s)
{
	/* Its answer repeats the last step's, which was looked at then. */
	(void)sqlite3_finalize(raw(*s));
	*s = NULL;
}

void
db_bind_i64(db_stmt *s, int column, int64_t v)
{
	hf_assert(sqlite3_bind_int64(raw(s), column, v) == SQLITE_OK);
}

void
db_bind_text(db_stmt *s, int column, const char *v)
{
	size_t n = strlen(v);

	hf_assert(n <= INT_MAX);
	hf_assert(sqlite3_bind_text(raw(s), column, v, (int)n, SQLITE_STATIC) ==
		  SQLITE_OK);
}

enum db_result
db_step(struct db *db, db_stmt *s)
{
	(void)db;
	return result_of(sqlite3_step(raw(s)));
}

void
db_done(db_stmt *s)
{
	(void)sqlite3_reset(raw(s)); /* repeats the last step's answer */
	(void)sqlite3_clear_bindings(raw(s));
}

enum db_result
db_once(struct db *db, db_stmt *s)
{
	enum db_result r = db_step(db, s);

	(void)sqlite3_reset(raw(s));
	return r == DB_ROW ? DB_OK : r;
}

int64_t
db_i64(db_stmt *s, int column)
{
	return sqlite3_column_int64(raw(s), column);
}

struct hf_slice
db_text(db_stmt *s, int column)
{
	const unsigned char *p = sqlite3_column_text(raw(s), column);
	int n = sqlite3_column_bytes(raw(s), column);

	return (struct hf_slice){ p != NULL ? (const char *)p : "",
		p != NULL && n > 0 ? (size_t)n : 0 };
}

bool
db_is_null(db_stmt *s, int column)
{
	return sqlite3_column_type(raw(s), column) == SQLITE_NULL;
}

uint32_t
db_changed(const struct db *db)
{
	return (uint32_t)sqlite3_changes(db->handle);
}

int64_t
db_row_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

enum db_result
db_checkpoint(struct db *db, uint32_t *left)
{
	int log = 0, moved = 0;
	int rc = sqlite3_wal_checkpoint_v2(
	    db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &moved);

	*left = log > moved ? (uint32_t)(log - moved) : 0;
	return result_of(rc);
}

uint64_t
db_bytes(struct db *db)
{
	uint64_t bytes = 0;
	db_stmt *s = NULL;

	if (db_prepare(db,
		"SELECT page_count * page_size FROM pragma_page_count, "
		"pragma_page_size",
		&s) == DB_OK &&
	    db_step(db, s) == DB_ROW)
		bytes = (uint64_t)db_i64(s, 0);
	db_finalize(&s);
	return bytes;
}

const char *
db_trouble(const struct db *db)
{
	return db->handle != NULL ? sqlite3_errmsg(db->handle) : "not open";
}
