/*
 * io/sip/guess - who guesses passwords is not listened to for a while.  Wrong
 * answers are charged to three buckets: this name from this network, this
 * network whatever the name, this name from wherever.  A bucket that is full
 * drains one answer a pause; until then nothing of its kind is even hashed.
 * A plain table that forgets the least guilty when two fall on one place.
 */
#ifndef HF_IO_SIP_GUESS_H
#define HF_IO_SIP_GUESS_H

#include "base/addr.h"
#include "base/hash.h"
#include "base/slice.h"
#include "base/time.h"

enum {
	SIP_GUESS_PLACES = 4096,
	/* A whole network, and a name from wherever, may be wrong so many
	 * times as often: an office behind one address has many phones. */
	SIP_GUESS_SHARE = 10,
};

struct sip_guess {
	struct sip_guess_place {
		uint64_t key;         /* 0: free */
		struct hf_time empty; /* drained by then */
		bool told;            /* that it was full */
	} place[SIP_GUESS_PLACES];
	struct hf_hash_key hash;
	uint32_t wrong;       /* so many answers fill a bucket */
	struct hf_span pause; /* each drains in so much time */
};

/* g is the caller's memory; wrong and pause may be set anew at any time. */
void sip_guess_init(struct sip_guess *g, const struct hf_hash_key *hash,
    uint32_t wrong, struct hf_span pause);

/* May he try?  at_home: a phone of that name is registered from this host, so
 * that others cannot lock it out. */
bool sip_guess_may(const struct sip_guess *g, const struct hf_addr *source,
    struct hf_slice name, bool at_home, struct hf_time now);

/* He was wrong.  True when a bucket has become full by it, once until it has
 * drained: somebody ought to know. */
bool sip_guess_wrong(struct sip_guess *g, const struct hf_addr *source,
    struct hf_slice name, struct hf_time now);

#endif
