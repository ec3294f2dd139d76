/* io/dns/names - what is known of host names: see names.h */

#include <string.h>
#include <strings.h>

#include "io/dns/names.h"

void
dns_names_init(struct dns_names *d, struct dns_name *memory, uint32_t cap)
{
	memset(memory, 0, cap * sizeof(*memory));
	*d = (struct dns_names){ .name = memory, .cap = cap };
}

/* ---- which names --------------------------------------------------------- */

static uint32_t
find(const struct dns_names *d, const char *host)
{
	for (uint32_t i = 0; i < d->cap; i++)
		if (d->name[i].used && strcasecmp(d->name[i].host, host) == 0)
			return i;
	return DNS_NONE;
}

const struct dns_name *
dns_names_find(const struct dns_names *d, const char *host)
{
	uint32_t i = find(d, host);

	return i == DNS_NONE ? NULL : &d->name[i];
}

void
dns_names_begin(struct dns_names *d)
{
	for (uint32_t i = 0; i < d->cap; i++)
		d->name[i].wanted = false;
}

bool
dns_names_want(struct dns_names *d, const char *host, struct hf_time now)
{
	uint32_t i = find(d, host);
	struct dns_name *n;

	for (uint32_t k = 0; i == DNS_NONE && k < d->cap; k++)
		if (!d->name[k].used)
			i = k;
	if (i == DNS_NONE)
		return false;
	n = &d->name[i];
	if (!n->used) {
		*n = (struct dns_name){ .due = now };
		if (!hf_slice_copy(hf_slice_of(host), n->host, sizeof(n->host)))
			return false;
		n->used = true;
	}
	n->wanted = true;
	if (n->failing)
		n->due = now; /* perhaps that is what was mended */
	return true;
}

/* A row whose answer is still to come must not be another's by then. */
static void
forget(struct dns_name *n)
{
	if (!n->wanted && !n->asked)
		n->used = false;
}

void
dns_names_end(struct dns_names *d)
{
	for (uint32_t i = 0; i < d->cap; i++)
		forget(&d->name[i]);
}

/* ---- when ---------------------------------------------------------------- */

static bool
may_ask(const struct dns_names *d, const struct dns_name *n)
{
	return n->used && n->wanted && !n->asked && d->asking < DNS_AT_ONCE;
}

uint32_t
dns_names_due(struct dns_names *d, struct hf_time now)
{
	uint32_t best = DNS_NONE;

	for (uint32_t i = 0; i < d->cap; i++) {
		const struct dns_name *n = &d->name[i];

		if (!may_ask(d, n) || hf_time_before(now, n->due))
			continue;
		/* Who waits longest: nobody is starved by the first rows. */
		if (best == DNS_NONE ||
		    hf_time_before(n->due, d->name[best].due))
			best = i;
	}
	if (best != DNS_NONE) {
		d->name[best].asked = true;
		d->asking++;
		d->asked++;
	}
	return best;
}

struct hf_time
dns_names_next(const struct dns_names *d)
{
	struct hf_time next = HF_TIME_NEVER;

	for (uint32_t i = 0; i < d->cap; i++)
		if (may_ask(d, &d->name[i]))
			next = hf_time_min(next, d->name[i].due);
	return next;
}

/* ---- answers ------------------------------------------------------------- */

/* A fifth of the time is kept for a question that has to be repeated. */
static struct hf_span
until_next(struct hf_span ttl)
{
	const struct hf_span min = hf_ms(DNS_EVERY_MIN_MS);
	const struct hf_span max = hf_ms(DNS_EVERY_MAX_MS);

	if (ttl.us > max.us)
		return max;
	ttl.us -= ttl.us / 5;
	return ttl.us < min.us ? min : ttl;
}

static bool
has(const struct hf_addr *at, uint8_t ats, const struct hf_addr *a)
{
	for (uint8_t i = 0; i < ats; i++)
		if (hf_addr_same_host(&at[i], a))
			return true;
	return false;
}

/* Servers turn the order round with each answer; that is no news. */
static bool
same_addresses(const struct dns_name *n, const struct dns_answer *a)
{
	for (uint8_t i = 0; i < a->ats; i++)
		if (!has(n->at, n->ats, &a->at[i]))
			return false;
	for (uint8_t i = 0; i < n->ats; i++)
		if (!has(a->at, a->ats, &n->at[i]))
			return false;
	return true;
}

static enum dns_news
failed(struct dns_names *d, struct dns_name *n, struct hf_time now)
{
	bool before = n->failing;

	d->failed++;
	n->failing = true;
	n->due = hf_time_after(now, hf_ms(DNS_EVERY_MIN_MS));
	return before ? DNS_AS_IT_WAS : DNS_LOST;
}

static bool
has_family(const struct dns_answer *a, uint8_t family)
{
	for (uint8_t i = 0; i < a->ats; i++)
		if (a->at[i].family == family)
			return true;
	return false;
}

/* The answer, and behind it the addresses of a family that is not in it. */
static struct dns_answer
with_missing(struct dns_name *n, const struct dns_answer *a)
{
	struct dns_answer all = *a;

	for (uint8_t i = 0; i < n->ats && all.ats < DNS_ADDRS_MAX; i++)
		if (!has_family(a, n->at[i].family))
			all.at[all.ats++] = n->at[i];
	if (all.ats == a->ats) {
		n->turns = 0;
		return all;
	}
	if (n->turns == DNS_KEPT_TURNS)
		return *a;
	n->turns++;
	all.ttl = hf_ms(0);
	return all;
}

static enum dns_news
good(struct dns_name *n, const struct dns_answer *answer, struct hf_time now)
{
	struct dns_answer a = with_missing(n, answer);
	enum dns_news news = n->ats == 0              ? DNS_FOUND
			     : !same_addresses(n, &a) ? DNS_MOVED
			     : n->failing             ? DNS_BACK
						      : DNS_AS_IT_WAS;

	memcpy(n->at, a.at, sizeof(n->at));
	n->ats = a.ats;
	n->failing = false;
	n->due = hf_time_after(now, until_next(a.ttl));
	return news;
}

enum dns_news
dns_names_answered(struct dns_names *d, uint32_t i, const struct dns_answer *a,
    struct hf_time now)
{
	struct dns_name *n;

	hf_assert(i < d->cap && d->name[i].asked && d->asking > 0);
	hf_assert(a->ats <= DNS_ADDRS_MAX);
	n = &d->name[i];
	n->asked = false;
	d->asking--;
	if (!n->wanted) {
		forget(n);
		return DNS_AS_IT_WAS;
	}
	if (a->unasked) {
		n->due = now;
		return DNS_AS_IT_WAS;
	}
	return a->why != NULL || a->ats == 0 ? failed(d, n, now)
					     : good(n, a, now);
}
