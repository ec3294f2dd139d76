/*
 * io/db - the home of SQLite: one connection, statements kept for its life,
 * and trouble sorted by what can be done about it.  It knows files, words and
 * numbers; what they mean is daemon/store's business.
 *
 *      db_open -> db_prepare ... -> [ bind, step, ..., done ] -> db_close
 *
 * The journal is in WAL mode with synchronous=FULL: what db_run("COMMIT") has
 * said yes to survives the power cut.  The one connection that writes is the
 * only one that checkpoints.
 */
#ifndef HF_IO_DB_H
#define HF_IO_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/slice.h"

enum db_result {
	DB_OK,       /* done, or: no more rows */
	DB_ROW,      /* db_step: here is one */
	DB_FULL,     /* no space left on the disk, or a quota */
	DB_READONLY, /* the file, its folder or its file system */
	DB_DAMAGED,  /* not a database, or not a whole one */
	DB_BUSY,     /* somebody else holds the lock */
	DB_IO,       /* the disk says no */
	DB_ABSENT,   /* cannot be opened at all */
	DB_REFUSED,  /* this row breaks a rule of the schema */
	DB_TOO_LONG, /* the budget of db_budget() is used up */
	DB_FAULT,    /* anything else: most likely our own bug */
	DB_RESULT_NR,
};
const char *db_result_name(enum db_result r);

struct db {
	void *handle;
	uint64_t budget; /* steps of SQLite's machine left, see db_budget() */
};
/* One of SQLite's, prepared; NULL until then. */
typedef struct db_stmt db_stmt;

enum db_how { DB_WRITER, DB_READER };

/* *db is closed when this fails.  The writer makes the file if it must. */
enum db_result db_open(struct db *db, const char *path, enum db_how how);
/* Statements are to be finalized before.  Harmless on a closed one. */
void db_close(struct db *db);
bool db_is_open(const struct db *db);

/* SQL without results. */
enum db_result db_run(struct db *db, const char *sql);
/* PRAGMA user_version: which schema is this? */
enum db_result db_version(struct db *db, int *version) HF_CHECK;

/* sql must live as long as the statement. */
enum db_result db_prepare(
    struct db *db, const char *sql, db_stmt **out) HF_CHECK;
void db_finalize(db_stmt **s);

/* Columns to bind count from 1.  Text is not copied: it stays where it is
 * until db_done(). */
void db_bind_i64(db_stmt *s, int column, int64_t v);
void db_bind_text(db_stmt *s, int column, const char *v);
enum db_result db_step(struct db *db, db_stmt *s) HF_CHECK;
/* Ready for the next use; nothing is bound. */
void db_done(db_stmt *s);
/* Binds nothing, expects no row: step and done. */
enum db_result db_once(struct db *db, db_stmt *s);

/* Results count from 0.  Text is valid until the next step. */
int64_t db_i64(db_stmt *s, int column);
struct hf_slice db_text(db_stmt *s, int column);
bool db_is_null(db_stmt *s, int column);

/* Rows changed by the last statement; the row id it gave. */
uint32_t db_changed(const struct db *db);
int64_t db_row_id(const struct db *db);

/* Moves the log into the database as far as nobody is in the way; *left is
 * what remains in the log, in pages. */
enum db_result db_checkpoint(struct db *db, uint32_t *left) HF_CHECK;
uint64_t db_bytes(struct db *db);

/* A question may cost so many steps of SQLite's machine and not more; 0: as
 * many as it takes.  Holds for all statements until set again. */
void db_budget(struct db *db, uint64_t steps);

/* SQLite's own words on the last failure, for the log. */
const char *db_trouble(const struct db *db);

#endif
