/*
 * ctl/mask - takes people out of what is shown to others: their names, numbers
 * and addresses become tags ("~7f3a21").  The same word has the same tag within
 * one bundle, so that a call can still be followed; the key is forgotten with
 * the process, so that no list of all telephone numbers turns tags back.
 *
 * Taken out is what was learned (agents, extensions, boxes, numbers), and what
 * looks like a person: addresses of IPv4 and IPv6, both sides of an @, five
 * digits or more that are not the value of a counter.
 */
#ifndef HF_CTL_MASK_H
#define HF_CTL_MASK_H

#include <stdbool.h>
#include <stdio.h>

#include "base/hash.h"
#include "base/slice.h"

enum {
	MASK_WORDS = 1 << 16, /* learned, at most */
	MASK_WORD_MAX = 63,   /* bytes; of a longer one the beginning */
};

struct mask {
	struct hf_hash_key key;
	struct hf_map words;
	uint64_t lengths; /* of learned words, a bit each */
	char site[64];    /* calls are named after it: SITE-BOOT-NUMBER */
	bool full;        /* more was to be learned: nothing may be shown */
};

bool mask_open(struct mask *m); /* false with errno */
void mask_close(struct mask *m);

/* Of one byte, and of nothing but dots and stars, is no word. */
void mask_learn(struct mask *m, struct hf_slice word);

/* What is left of it, to f. */
void mask_put(const struct mask *m, FILE *f, struct hf_slice text);

/* Nothing of it, however it looks. */
void mask_put_tag(const struct mask *m, FILE *f, struct hf_slice text);

#endif
