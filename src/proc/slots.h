/*
 * proc/slots - plain records that outlive their process: a table in a file on
 * tmpfs, mapped by its one owner.  Each record has two copies; the older is
 * written over, its "used" flag last, so a death in the middle of a write
 * leaves the copy before it.  slots_file.h has the layout.
 *
 * Pages are touched when a record is first committed, so a large table that
 * is little used costs little, also at start.  Their memory is asked for before
 * they are touched: when the file system is full, a record is not kept, and
 * nobody dies of it (the kernel's answer to a touched hole is SIGBUS).
 *
 * Others may read along: what a program of another version would make of the
 * table (slots_would_take), and what has changed since one last looked
 * (slots_since).  The owner does not notice.
 */
#ifndef HF_PROC_SLOTS_H
#define HF_PROC_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slots_head;

/* A version from before, and how a record of it becomes one of today's: from
 * has record_size bytes, of which n were said and the rest are 0; to is all 0.
 * Returns how many bytes of to say something; 0: this record cannot be taken,
 * and then the table is not. */
struct slots_past {
	uint32_t version, record_size;
	uint32_t (*convert)(const void *from, uint32_t n, void *to);
};

/* What a room keeps in one table. */
struct slots_form {
	const char *name; /* of the file in keeper.run_dir */
	bool per_worker;  /* then ".0", ".1"... follows */
	uint32_t kind;    /* four letters */
	/* One more when a record of before would be misread, and then a line
	 * in past for what was. */
	uint32_t version;
	uint32_t record_size;
	const struct slots_past *past;
	uint32_t pasts;
};

struct slots {
	struct slots_head *head;
	char *first;
	uint32_t *ring; /* the last changes */
	size_t bytes;
	uint32_t record_size, count, ring_mask;
	size_t stride;
	int fd;
	uint64_t *reserved; /* a bit a page: it is there, and ours */
	char *path;
	uint64_t unkept; /* commits for which there was no room */
	bool full;       /* the last one was, and it has been said */
	void *condemned; /* the record that was released, or NULL */
};

/* Maps path, or makes it.  A file of the same kind, whose version form takes or
 * whose count is another, is converted: its live records go to a new file, and
 * that takes its place when all are in it.  Of a table that has become smaller
 * what no longer has a place is lost, and told of.  When a record is refused,
 * or there is no room for both files, none is taken: the file is put aside as
 * PATH.refused.  That, and a file which nobody can take, is told of as an error
 * (slots_afresh), the table is started afresh and *fresh is set; a new file is
 * fresh, too.
 * 0 or errno: ENOSPC when there is not even room to begin.  Says (hf_log) when
 * the whole table would not fit. */
int slots_open(struct slots *s, const char *path, const struct slots_form *form,
    uint32_t count, bool *fresh);
void slots_close(struct slots *s);
/* Says what slots_open() could not do, and what can be done about it. */
void slots_complain(const struct slots *s, const char *path, int err);

/* Would slots_open() take every record that lives in the file now?  Its owner
 * may be at work.  count 0: as many as the file has.  false: why says it, for
 * people (why_size bytes).  No file: there is nothing that could be lost. */
bool slots_would_take(const char *path, const struct slots_form *form,
    uint32_t count, char *why, size_t why_size);

/* record_size bytes become record i, as a whole or not at all.  Without room
 * for it there is no record i from now on: what was is not true any more. */
void slots_commit(struct slots *s, uint32_t i, const void *record);

/* The same for a record of which only the first n bytes say anything: the rest
 * is not written, and what is found there is anything. */
void slots_commit_part(
    struct slots *s, uint32_t i, const void *record, uint32_t n);

/* Record i is no more.  Nothing happens when it was not there. */
void slots_release(struct slots *s, uint32_t i);

/* The newest whole copy, into record_size bytes; false when there is none. */
bool slots_read(const struct slots *s, uint32_t i, void *record);

/* For every live record, at start; the record is the file's own memory: look,
 * do not write, do not keep. */
typedef void slots_fn(uint32_t i, const void *record, void *arg);
uint32_t slots_each(const struct slots *s, slots_fn *fn, void *arg);

/* Around the handling of record i: one on which the process dies twice in a
 * row is released by slots_open(), because it is the cause, not the victim.
 * *poisoned of slots_condemned() is its number. */
void slots_enter(struct slots *s, uint32_t i);
void slots_leave(struct slots *s);
bool slots_condemned(const struct slots *s, uint32_t *poisoned);
/* What it was, to be told of; NULL when none was, or it was not whole.  Gone
 * with slots_close(). */
const void *slots_condemned_record(const struct slots *s);

/* ---- reading along ------------------------------------------------------- */

/* How far a reader has come; all 0: he knows nothing yet. */
struct slots_mark {
	uint64_t born, life, changes;
};

/* Record i has changed: these are its record_size bytes, of which n say
 * something; NULL: it is no more. */
typedef void slots_change_fn(
    uint32_t i, const void *record, uint32_t n, void *arg);

/* Tells what has changed in the table at path since *mark, each record once, as
 * it is now, and moves the mark.  *whole: this is all there is, and what the
 * reader knew besides is gone: at first, after a death of the owner, and when
 * he fell behind by more than the table remembers (its count, 4,096 at most).
 * A record that the owner writes too fast to be read, or died in writing, waits
 * for the next time.  0 or errno: ENOENT, EINVAL for a file that is no table.
 */
int slots_since(const char *path, struct slots_mark *mark, bool *whole,
    slots_change_fn *fn, void *arg);

#endif
