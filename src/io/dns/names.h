/*
 * io/dns/names - what is known of host names: the addresses of each, how long
 * they are good and when to ask again.  It thinks only; io/dns/resolver asks.
 *
 *      unknown --answer--> good --answer--> good (found, moved)
 *         |                 |
 *      failure           failure
 *         v                 v
 *      nowhere <------- as it was: the last good addresses are kept
 *
 * A resolver that is out of order, and a zone that lost a name by mistake, look
 * the same from here and must not take a working helper away: whether an
 * address still answers is found out by calling it, not by asking for it.
 */
#ifndef HF_IO_DNS_NAMES_H
#define HF_IO_DNS_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/time.h"

enum {
	DNS_HOST_MAX = 64,
	DNS_ADDRS_MAX = 8, /* of one name; more are left out */
	DNS_AT_ONCE = 32,  /* questions on their way */
	/* However short or long the owner of the name would have it. */
	DNS_EVERY_MIN_MS = 5000,
	DNS_EVERY_MAX_MS = 300000,
	/* A and AAAA are two questions, and the answer does not tell that one
	 * of them got lost: when all addresses of a family are missing they
	 * are kept, as the last to try, for so many answers more. */
	DNS_KEPT_TURNS = 12,
};
#define DNS_NONE UINT32_MAX /* no such name */

/* What came of a question. */
struct dns_answer {
	const char *why; /* it failed, and so; NULL: it did not */
	bool unasked;    /* the resolver was closed meanwhile: ask again */
	uint8_t ats;     /* 0 is a failure too */
	struct hf_addr
	    at[DNS_ADDRS_MAX]; /* in the order to try, without port */
	struct hf_span ttl;
};

struct dns_name {
	char host[DNS_HOST_MAX];
	struct hf_addr at[DNS_ADDRS_MAX]; /* the last good answer */
	struct hf_time due;               /* to ask (again) */
	uint8_t ats;
	uint8_t turns; /* that a missing family has been kept */
	bool used;     /* the row is taken */
	bool wanted;   /* the configuration speaks of it */
	bool asked;    /* a question is on its way */
	bool failing;  /* the last question failed */
};

/* What an answer changed; each is worth one line in the log, except the
 * first. */
enum dns_news {
	DNS_AS_IT_WAS,
	DNS_FOUND, /* the first addresses */
	DNS_MOVED, /* other addresses than before */
	DNS_LOST,  /* no answer any more; the addresses are kept */
	DNS_BACK,  /* an answer again, and the same */
};

struct dns_names {
	struct dns_name *name;
	uint32_t cap;
	uint32_t asking;
	uint64_t asked, failed; /* ever */
};

/* memory: of cap rows, the caller's, zeroed here. */
void dns_names_init(struct dns_names *d, struct dns_name *memory, uint32_t cap);

/*
 * A new configuration: begin, each host that it speaks of (as often as it
 * likes, upper or lower case), end.  Those that are no longer spoken of are
 * forgotten; the others stay as they are, and those that failed are asked for
 * again.  False when the table is full or the
 * host too long.
 */
void dns_names_begin(struct dns_names *d);
bool dns_names_want(
    struct dns_names *d, const char *host, struct hf_time now) HF_CHECK;
void dns_names_end(struct dns_names *d);

/* The name to ask for now, which then counts as asked; DNS_NONE: none. */
uint32_t dns_names_due(struct dns_names *d, struct hf_time now);
/* When there will be one, if no answer comes before. */
struct hf_time dns_names_next(const struct dns_names *d);

/* What came of it; each question has one. */
enum dns_news dns_names_answered(struct dns_names *d, uint32_t n,
    const struct dns_answer *a, struct hf_time now);

/* The row of a host, or NULL. */
const struct dns_name *dns_names_find(
    const struct dns_names *d, const char *host);

#endif
