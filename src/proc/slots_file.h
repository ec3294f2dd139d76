/*
 * proc/slots_file - how a table of slots lies in its file; for proc/slots and
 * those who read the file of somebody else.
 *
 *      head | a bit a record: may be live | last changed records (a ring)
 *      page | 0: a.head b.head a b | 1: a.head b.head a b | ...
 */
#ifndef HF_PROC_SLOTS_FILE_H
#define HF_PROC_SLOTS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proc/slots.h"

#define SLOTS_MAGIC  0x4846534cu /* "HFSL" */
#define SLOTS_NOBODY UINT32_MAX

enum {
	SLOTS_LAYOUT = 3,
	SLOTS_PAGE = 4096,
	SLOTS_WORD_BITS = 64,
	SLOTS_ALIGN = 16,      /* a whole struct slots_copy */
	SLOTS_RING_MAX = 4096, /* changes that are remembered */
	SLOTS_RECORD_MAX = 1 << 24,
	SLOTS_COUNT_MAX = 1 << 24,
};

struct slots_head {
	uint32_t magic, layout, kind, version, record_size, count;
	uint32_t inside;    /* record being handled */
	uint32_t suspect;   /* the one being handled at the last death */
	uint32_t deaths;    /* of suspect, in a row */
	uint32_t condemned; /* released at this start for it */
	uint64_t born;      /* ns of CLOCK_MONOTONIC: no two tables agree */
	uint64_t life;      /* starts of the owner on this file */
	uint64_t changes;   /* commits and releases on this file */
	/* A bit for each record that may be live: start looks at these alone,
	 * for looking at a page of the table would make it be there.  Then the
	 * ring: change n is of record ring[n % its size]. */
	uint64_t maybe[];
};

/* What is to be known of one copy; the two of a record lie side by side, and
 * what they are about behind them: whoever looks touches little memory. */
struct slots_copy {
	uint32_t used;
	uint32_t seq;
	uint32_t crc; /* of seq, place, length and record */
	uint32_t n;   /* bytes of it that say something */
};

/* Where things are in a table of such records. */
struct slots_shape {
	uint32_t record_size, count;
	uint32_t ring; /* entries, a power of two */
	size_t ring_at, first, stride, bytes;
};

struct slots_shape slots_shape_of(uint32_t record_size, uint32_t count);

/* Of what was read from somewhere; n may be anything. */
uint32_t slots_sum(
    uint32_t place, const struct slots_copy *c, const void *record);

/* ---- the parts of slots_open --------------------------------------------- */

/* The table as it is in the file, which was looked at; judges the last death.
 */
int slots_open_found(
    struct slots *s, const char *path, uint32_t record_size, uint32_t count);
/* An empty table, whatever was in the file; of: whose deaths go on, or NULL. */
int slots_open_afresh(struct slots *s, const char *path,
    const struct slots_form *form, uint32_t count, const struct slots_head *of);

/* Its file has another name now. */
void slots_moved(struct slots *s, const char *path);
/* slots_read() that says how many bytes were said; 0: there is none whole. */
uint32_t slots_read_part(const struct slots *s, uint32_t i, void *record);

/* ---- reading somebody's file --------------------------------------------- */

/* Without mapping it: nothing is made to be there, and nobody can shorten it
 * under our feet. */
struct slots_view {
	int fd;                 /* -1: none */
	struct slots_shape shape;
	uint64_t *maybe;
	struct slots_head head; /* as it was at the beginning */
};

/* 0; ENOENT: no file, or nothing in it; EINVAL: not a table of this layout;
 * errno. */
int slots_view_open(struct slots_view *v, const char *path);
void slots_view_close(struct slots_view *v);
bool slots_view_maybe(const struct slots_view *v, uint32_t i);

enum slots_seen { SLOTS_GONE, SLOTS_TORN, SLOTS_THERE };

/* Record i as it is now: record_size bytes, all 0 behind the n that were said.
 * Torn: no copy held still long enough, or none is whole. */
enum slots_seen slots_view_read(
    const struct slots_view *v, uint32_t i, void *record, uint32_t *n);

#endif
