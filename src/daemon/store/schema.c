/* daemon/store/schema - see schema.h */

#include <stdio.h>

#include "daemon/store/schema.h"
#include "proc/log.h"

/* Times are microseconds since 1970, spans microseconds, states and causes the
 * words of wire/msg.def.  n numbers all facts in the order they were written:
 * it sorts a timeline even when the clock was set.  What belongs to a call
 * lies together (WITHOUT ROWID), so that its story is read from few pages. */
/* clang-format off */
static const char *const steps[] = {
	"CREATE TABLE calls("
	" n INTEGER PRIMARY KEY,"
	" id TEXT NOT NULL UNIQUE,"
	" came INTEGER NOT NULL,"
	" answered INTEGER NOT NULL DEFAULT 0,"
	" ended INTEGER NOT NULL DEFAULT 0,"
	" trunk INTEGER NOT NULL,"
	" number TEXT NOT NULL,"
	" caller TEXT NOT NULL,"
	" ladder TEXT NOT NULL,"
	" cause TEXT NOT NULL DEFAULT '',"
	" steps INTEGER NOT NULL DEFAULT 0,"
	" rescues INTEGER NOT NULL DEFAULT 0,"
	" worst_gap INTEGER NOT NULL DEFAULT 0,"
	" last_kind TEXT NOT NULL DEFAULT '',"
	" last_name TEXT NOT NULL DEFAULT '',"
	" caller_leg INTEGER NOT NULL DEFAULT 0,"
	" helper_leg INTEGER NOT NULL DEFAULT 0) STRICT;"
	"CREATE TABLE rungs("
	" call TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,"
	" step INTEGER NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,"
	" cause TEXT NOT NULL, code INTEGER NOT NULL, rang INTEGER NOT NULL,"
	" talked INTEGER NOT NULL, gap INTEGER NOT NULL, voice INTEGER NOT NULL,"
	" decided INTEGER NOT NULL, evidence TEXT NOT NULL,"
	" PRIMARY KEY(call, n)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE evidence("
	" call TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,"
	" what TEXT NOT NULL, detail TEXT NOT NULL,"
	" PRIMARY KEY(call, n)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE rescues("
	" call TEXT NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,"
	" from_kind TEXT NOT NULL, from_name TEXT NOT NULL,"
	" to_kind TEXT NOT NULL, to_name TEXT NOT NULL,"
	" why TEXT NOT NULL, after INTEGER NOT NULL,"
	" PRIMARY KEY(call, n)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE moves("
	" n INTEGER PRIMARY KEY, at INTEGER NOT NULL, what TEXT NOT NULL,"
	" name TEXT NOT NULL, state TEXT NOT NULL, why TEXT NOT NULL) STRICT;"
	"CREATE TABLE acts("
	" n INTEGER PRIMARY KEY, at INTEGER NOT NULL,"
	" who TEXT NOT NULL, what TEXT NOT NULL) STRICT;"
	"CREATE TABLE messages("
	" n INTEGER PRIMARY KEY, at INTEGER NOT NULL, call TEXT NOT NULL,"
	" box INTEGER NOT NULL, name TEXT NOT NULL, length INTEGER NOT NULL)"
	" STRICT;"
	"CREATE TABLE cursors("
	" room TEXT NOT NULL, boot INTEGER NOT NULL, seq INTEGER NOT NULL,"
	" PRIMARY KEY(room, boot)) STRICT, WITHOUT ROWID;",
	"ALTER TABLE rungs ADD COLUMN leg INTEGER NOT NULL DEFAULT 0;",
	/* Places are the running configuration's; names outlive it. */
	("ALTER TABLE calls ADD COLUMN line TEXT NOT NULL DEFAULT '';"
	 "ALTER TABLE messages ADD COLUMN box_name TEXT NOT NULL DEFAULT '';"),
};
/* clang-format on */

static enum db_result
step_up(struct db *db, int to)
{
	char mark[64];

	snprintf(mark, sizeof(mark), "PRAGMA user_version=%d; COMMIT", to);
	enum db_result r = db_run(db, "BEGIN IMMEDIATE");
	if (r == DB_OK)
		r = db_run(db, steps[to - 1]);
	if (r == DB_OK)
		r = db_run(db, mark);
	if (r == DB_OK)
		hf_log(LOG_NOTICE, "journal_raised", "version=%d", to);
	else
		(void)db_run(db, "ROLLBACK"); /* refused if it never began */
	return r;
}

enum db_result
schema_raise(struct db *db)
{
	int version = 0;
	enum db_result r = db_version(db, &version);

	if (r == DB_OK && version > (int)HF_LEN(steps)) {
		hf_log(LOG_ERROR, "journal_is_newer", "version=%d known=%zu",
		    version, HF_LEN(steps));
		return DB_FAULT;
	}
	while (r == DB_OK && version < (int)HF_LEN(steps))
		r = step_up(db, ++version);
	return r;
}
