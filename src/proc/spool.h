/*
 * proc/spool - facts on their way to the store, in a bounded file on tmpfs
 * that outlives their sender.  A fact stays until the store says that it is
 * committed; after a death of either side the rest is sent again, and the
 * store knows by (boot, seq) what it has already.
 *
 *      spool_put -> [ oldest ... newest ] -> spool_next -> store
 *                     ^ spool_stored drops from this end
 *
 * When it is full the least important go first and are counted; the ends of
 * calls go last of all.
 */
#ifndef HF_PROC_SPOOL_H
#define HF_PROC_SPOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/msg.h"

struct spool_head;

struct spool {
	struct spool_head *head; /* NULL: closed */
	size_t bytes;
	uint32_t area; /* size of each of the two halves */
	uint32_t seq;  /* of the newest fact of this boot */
	uint32_t boot;
	uint32_t sent_to;  /* offset of the first fact not yet sent */
	uint16_t squeezed; /* nothing less important than this is left */
	uint64_t dropped;
	bool memory; /* there is no file */
};

/* Maps path or makes it, whole, so that a full file system is met here and not
 * later by a signal; area is a power of two.  Facts that an earlier process
 * left are kept.  0 or errno: then facts are kept in memory and outlive the
 * store's death, though not ours. */
int spool_open(struct spool *s, const char *path, uint32_t area, uint32_t boot);
void spool_close(struct spool *s);

/* Keeps the fact under the next seq. */
void spool_put(struct spool *s, const struct msg *m);

/* Keeps a frame that has its boot and seq already, the newest so far, and may
 * be of a process before us; nothing happens when it was put before. */
void spool_put_frame(struct spool *s, const void *frame, uint16_t n);
bool spool_knows(const struct spool *s, uint32_t boot, uint32_t seq);

/* The next fact to send, as a frame; false when all were sent. */
bool spool_next(struct spool *s, const void **frame, uint16_t *n);
/* Begin again with the oldest: the store is another one. */
void spool_rewind(struct spool *s);

/* The store has committed all up to this one. */
void spool_stored(struct spool *s, uint32_t boot, uint32_t seq);

uint32_t spool_waiting(const struct spool *s); /* facts not yet committed */

#endif
