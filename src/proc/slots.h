/*
 * proc/slots - plain records that outlive their process: a table in a file on
 * tmpfs, mapped by its one owner.  Each record has two copies; the older is
 * written over, its "used" flag last, so a death in the middle of a write
 * leaves the copy before it.
 *
 *      head | 0: a.head b.head a b | 1: a.head b.head a b | ...
 *
 * Pages are touched when a record is first committed, so a large table that
 * is little used costs little, also at start.  Their memory is asked for before
 * they are touched: when the file system is full, a record is not kept, and
 * nobody dies of it (the kernel's answer to a touched hole is SIGBUS).
 */
#ifndef HF_PROC_SLOTS_H
#define HF_PROC_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slots_head;

struct slots {
	struct slots_head *head;
	char *first;
	size_t bytes;
	uint32_t record_size, count;
	size_t stride;
	int fd;
	uint64_t *reserved; /* a bit a page: it is there, and ours */
	char *path;
	uint64_t unkept; /* commits for which there was no room */
	bool full;       /* the last one was, and it has been said */
};

/* Maps path, or makes it.  A file of another kind, version, record size or
 * count is another program's past: it is started afresh and *fresh is set.
 * 0 or errno: ENOSPC when there is not even room to begin.  Says (hf_log) when
 * the whole table would not fit. */
int slots_open(struct slots *s, const char *path, uint32_t kind,
    uint32_t version, uint32_t record_size, uint32_t count, bool *fresh);
void slots_close(struct slots *s);
/* Says what slots_open() could not do, and what can be done about it. */
void slots_complain(const struct slots *s, const char *path, int err);

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

#endif
