/*
 * base/pool - numbered places, made at boot, given out and taken back in
 * O(1).  A handle dates its number: news for an earlier tenant never reaches a
 * later one.  A number given back rests until so many others rest behind it,
 * first in first out; a place that was never used is taken only before that,
 * so that the memory in use is that of the busiest hour, not of the table.
 */
#ifndef HF_BASE_POOL_H
#define HF_BASE_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

/* A handle that may lie in a message, a slot or a log line ("7f2.3"). */
struct hf_ref {
	uint32_t n;   /* place in the pool */
	uint32_t gen; /* which tenant; 0 means "nobody" */
};

#define HF_REF_NONE     ((struct hf_ref){ 0, 0 })
#define HF_REF_TEXT_MAX 20

static inline bool
hf_ref_is(struct hf_ref a, struct hf_ref b)
{
	return a.n == b.n && a.gen == b.gen;
}

static inline bool
hf_ref_none(struct hf_ref a)
{
	return a.gen == 0;
}

static inline uint64_t
hf_ref_key(struct hf_ref a)
{
	return (uint64_t)a.gen << 32 | a.n;
}

/* "7f2.3": place in hex, dot, generation.  to has HF_REF_TEXT_MAX bytes. */
const char *hf_ref_text(struct hf_ref r, char *to);
bool hf_ref_parse(const char *s, struct hf_ref *out);

struct hf_pool_place {
	uint32_t next; /* free list */
	uint32_t gen;  /* odd while taken */
};

struct hf_pool {
	struct hf_pool_place *place;
	uint32_t cap, used;
	uint32_t rest;        /* how many shall rest; the owner may set it */
	uint32_t fresh;       /* the first that was never taken */
	uint32_t first, last; /* the resting, UINT32_MAX when none does */
};

enum { HF_POOL_REST = 256 };

/* The memory is the caller's: cap places, which are written when first used. */
void hf_pool_init(
    struct hf_pool *p, struct hf_pool_place *memory, uint32_t cap);
bool hf_pool_take(struct hf_pool *p, struct hf_ref *out) HF_CHECK;
void hf_pool_give(struct hf_pool *p, struct hf_ref r);
/* Is this handle's tenant still here? */
bool hf_pool_has(const struct hf_pool *p, struct hf_ref r);
/* The place's present handle; gen 0 when it is free. */
struct hf_ref hf_pool_at(const struct hf_pool *p, uint32_t n);

/* After a restart: the place is taken, as found in its slot.  Call for every
 * live slot before the first take. */
void hf_pool_restore(struct hf_pool *p, struct hf_ref r);

#endif
