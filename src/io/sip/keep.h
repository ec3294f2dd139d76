/*
 * io/sip/keep - messages kept to be said again.  Three sizes of drawers made at
 * boot; the last one emptied is filled first, so that a quiet house touches
 * little memory.  Most of what is kept long are short answers.
 */
#ifndef HF_IO_SIP_KEEP_H
#define HF_IO_SIP_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

enum {
	SIP_KEEP_SMALL = 512,   /* an answer without a description */
	SIP_KEEP_MEDIUM = 1536, /* nearly every message */
	SIP_KEEP_BIG = 8192,    /* answers that repeat a stranger's headers */
};

enum { SIP_KEEP_NR = 3 };

struct sip_keep_class {
	char *bytes;
	uint32_t *next; /* free list */
	uint16_t *len;
	uint32_t cap, used, first;
	uint32_t fresh; /* the first that was never filled */
	uint32_t size;
};

struct sip_keep {
	struct sip_keep_class drawers[SIP_KEEP_NR];
	uint64_t refused; /* not kept: too long, or all drawers full */
};

/* False when there is no memory. */
bool sip_keep_init(
    struct sip_keep *k, uint32_t small, uint32_t medium, uint32_t big);
void sip_keep_free(struct sip_keep *k);

/* A handle, or 0 when it cannot be kept.  When its size is out, a larger
 * drawer will do. */
uint32_t sip_keep_put(struct sip_keep *k, struct hf_slice s);
/* Empty for handle 0. */
struct hf_slice sip_keep_get(const struct sip_keep *k, uint32_t h);
/* Empties the drawer and forgets the handle; 0 is welcome. */
void sip_keep_give(struct sip_keep *k, uint32_t *h);

#endif
