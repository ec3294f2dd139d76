/*
 * daemon/store/ask - an operator's questions to the journal, answered as rows
 * (wire/row.h), newest first where there is a choice.
 *
 *   calls [limit N] [since SECONDS]   past calls; since: not older than that
 *   call ID                           the record of a call, with all its rungs
 *   legs ID                           its legs, for a trace
 *   why ID                            its evidence on a timeline
 *   journal                           counters
 *
 * ID "last" is the newest call.
 */
#ifndef HF_DAEMON_STORE_ASK_H
#define HF_DAEMON_STORE_ASK_H

#include "base/buf.h"
#include "daemon/store/journal.h"

enum {
	ASK_CALLS = 20,       /* rows when no limit is given */
	ASK_CALLS_MAX = 1000, /* and never more */
	ASK_STEPS = 20000000, /* of SQLite's machine: some tenths of a second */
};

/* One row; it is the answerer's to copy. */
typedef void ask_row_fn(struct hf_slice row, void *arg);

/* Is this one of our verbs? */
bool ask_knows(const char *verb);

/* args: words separated by NUL.  NULL when all rows were told, else one line
 * that says what is wrong. */
const char *ask_answer(struct journal *j, const char *verb,
    struct hf_slice args, struct hf_wall now, ask_row_fn *fn, void *arg);

#endif
