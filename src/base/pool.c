/* base/pool - see pool.h */

#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "base/slice.h"

#define NOWHERE UINT32_MAX

const char *
hf_ref_text(struct hf_ref r, char *to)
{
	snprintf(to, HF_REF_TEXT_MAX, "%x.%u", r.n, r.gen);
	return to;
}

bool
hf_ref_parse(const char *s, struct hf_ref *out)
{
	struct hf_slice all = hf_slice_of(s);
	size_t dot = hf_slice_find(all, '.');
	uint64_t n, gen;

	if (dot == all.n || dot > 8 ||
	    !hf_slice_hex((struct hf_slice){ s, dot }, &n) ||
	    !hf_slice_number((struct hf_slice){ s + dot + 1, all.n - dot - 1 },
		UINT32_MAX, &gen))
		return false;
	*out = (struct hf_ref){ (uint32_t)n, (uint32_t)gen };
	return true;
}

static bool
taken(const struct hf_pool *p, uint32_t n)
{
	return p->place[n].gen % 2 == 1;
}

void
hf_pool_init(struct hf_pool *p, struct hf_pool_place *memory, uint32_t cap)
{
	hf_assert(cap >= 1 && cap < NOWHERE);
	*p = (struct hf_pool){
		.place = memory,
		.cap = cap,
		.rest = HF_POOL_REST,
		.first = NOWHERE,
		.last = NOWHERE,
	};
}

static void
append(struct hf_pool *p, uint32_t n)
{
	p->place[n].next = NOWHERE;
	if (p->last == NOWHERE)
		p->first = n;
	else
		p->place[p->last].next = n;
	p->last = n;
}

/* Places given back, waiting to be taken again. */
static uint32_t
resting(const struct hf_pool *p)
{
	return p->fresh - p->used;
}

bool
hf_pool_take(struct hf_pool *p, struct hf_ref *out)
{
	uint32_t n;

	if (p->fresh < p->cap && resting(p) < p->rest) {
		n = p->fresh++;
		p->place[n] = (struct hf_pool_place){ 0 };
	} else if (p->first != NOWHERE) {
		n = p->first;
		p->first = p->place[n].next;
		if (p->first == NOWHERE)
			p->last = NOWHERE;
	} else {
		return false;
	}
	p->place[n].gen++;
	p->used++;
	hf_assert(taken(p, n));
	*out = (struct hf_ref){ n, p->place[n].gen };
	return true;
}

void
hf_pool_give(struct hf_pool *p, struct hf_ref r)
{
	hf_assert(hf_pool_has(p, r));
	p->place[r.n].gen++;
	append(p, r.n);
	p->used--;
}

bool
hf_pool_has(const struct hf_pool *p, struct hf_ref r)
{
	return r.n < p->fresh && p->place[r.n].gen == r.gen && taken(p, r.n);
}

struct hf_ref
hf_pool_at(const struct hf_pool *p, uint32_t n)
{
	if (n >= p->fresh || !taken(p, n))
		return HF_REF_NONE;
	return (struct hf_ref){ n, p->place[n].gen };
}

static void
unlink_place(struct hf_pool *p, uint32_t n)
{
	uint32_t before = NOWHERE;

	for (uint32_t i = p->first; i != n; i = p->place[i].next) {
		hf_assert(i != NOWHERE);
		before = i;
	}
	if (before == NOWHERE)
		p->first = p->place[n].next;
	else
		p->place[before].next = p->place[n].next;
	if (p->last == n)
		p->last = before;
}

/* Slots come in order, so the places before this one are free: they rest.
 * Out of order it is a walk along those. */
void
hf_pool_restore(struct hf_pool *p, struct hf_ref r)
{
	hf_assert(r.n < p->cap && r.gen % 2 == 1);
	if (r.n < p->fresh) {
		hf_assert(!taken(p, r.n));
		unlink_place(p, r.n);
	} else {
		for (; p->fresh < r.n; p->fresh++) {
			p->place[p->fresh] = (struct hf_pool_place){ 0 };
			append(p, p->fresh);
		}
		p->fresh++;
	}
	p->place[r.n].gen = r.gen;
	p->used++;
}
