/*
 * io/sip/limit - how much one party may ask of us in a while: a token bucket
 * for each address, agent or trunk that asks, in a table of fixed size.  Who
 * falls on a full row pushes out the one that has asked least lately, so that
 * a flood from many addresses costs memory no more than a quiet day.
 *
 * Beyond its bucket a party is told so, as often again as it would have been
 * heard; what comes beyond that is not worth an answer.
 */
#ifndef HF_IO_SIP_LIMIT_H
#define HF_IO_SIP_LIMIT_H

#include "base/addr.h"
#include "base/hash.h"
#include "base/time.h"

enum {
	SIP_LIMIT_ROWS = 2048,
	SIP_LIMIT_WAYS = 4, /* places a row: whom one key may fall on */
};

enum sip_limit_said {
	SIP_LIMIT_FINE,
	SIP_LIMIT_OVER,  /* refuse it, and say when to try again */
	SIP_LIMIT_FLOOD, /* not even that */
};

/* So many a second, and so many at once after a pause. */
struct sip_rate {
	uint32_t per_s, burst;
};

struct sip_limit {
	struct sip_limit_place {
		uint64_t key;           /* 0: free */
		struct hf_time empty;   /* what it was granted is used up */
		struct hf_time refused; /* ... and what it was told */
		bool told;              /* that somebody is over */
	} place[SIP_LIMIT_ROWS * SIP_LIMIT_WAYS];
	struct hf_hash_key hash;
};

/* l is the caller's memory. */
void sip_limit_init(struct sip_limit *l, const struct hf_hash_key *hash);

/* Names of parties: an IPv4 address or an IPv6 /64; a place in a table of the
 * owner's (kind sets the tables apart). */
uint64_t sip_limit_address(
    const struct sip_limit *l, const struct hf_addr *from);
uint64_t sip_limit_row(const struct sip_limit *l, char kind, uint32_t row);

/* One more request of this party.  *tell, when it is not NULL: it is over,
 * once until it has been quiet; somebody ought to know. */
enum sip_limit_said sip_limit_take(struct sip_limit *l, uint64_t key,
    struct sip_rate rate, struct hf_time now, bool *tell);

/* It is to pay for so many requests, whether it has them or not. */
void sip_limit_fine(struct sip_limit *l, uint64_t key, struct sip_rate rate,
    uint32_t requests, struct hf_time now);

/* Parties that would be refused now. */
uint32_t sip_limit_over(
    const struct sip_limit *l, struct sip_rate rate, struct hf_time now);

#endif
