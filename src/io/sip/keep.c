/* io/sip/keep - see keep.h */

#include <stdlib.h>

#include "base/check.h"
#include "base/table.h"
#include "io/sip/keep.h"

#define BIG      0x80000000u
#define NO_PLACE UINT32_MAX

static bool
class_init(struct sip_keep_class *c, uint32_t cap, uint32_t size)
{
	*c = (struct sip_keep_class){ .cap = cap, .size = size };
	c->bytes = hf_table(cap, size);
	c->next = calloc(cap, sizeof(*c->next));
	c->len = calloc(cap, sizeof(*c->len));
	if (c->bytes == NULL || c->next == NULL || c->len == NULL)
		return false;
	for (uint32_t i = 0; i < cap; i++)
		c->next[i] = i + 1 < cap ? i + 1 : NO_PLACE;
	c->first = cap > 0 ? 0 : NO_PLACE;
	return true;
}

static void
class_free(struct sip_keep_class *c)
{
	hf_table_free(c->bytes, c->cap, c->size);
	free(c->next);
	free(c->len);
	*c = (struct sip_keep_class){ .first = NO_PLACE };
}

bool
sip_keep_init(struct sip_keep *k, uint32_t small, uint32_t big)
{
	k->refused = 0;
	k->big = (struct sip_keep_class){ .first = NO_PLACE };
	if (class_init(&k->small, small, SIP_KEEP_SMALL) &&
	    class_init(&k->big, big, SIP_KEEP_BIG))
		return true;
	sip_keep_free(k);
	return false;
}

void
sip_keep_free(struct sip_keep *k)
{
	class_free(&k->small);
	class_free(&k->big);
}

uint32_t
sip_keep_put(struct sip_keep *k, struct hf_slice s)
{
	struct sip_keep_class *c = &k->small;
	uint32_t i;

	if (s.n > c->size || c->first == NO_PLACE)
		c = &k->big;
	if (s.n > c->size || c->first == NO_PLACE || s.n == 0) {
		k->refused++;
		return 0;
	}
	i = c->first;
	c->first = c->next[i];
	c->used++;
	c->len[i] = (uint16_t)s.n;
	memcpy(c->bytes + (size_t)i * c->size, s.p, s.n);
	return (i + 1) | (c == &k->big ? BIG : 0);
}

struct hf_slice
sip_keep_get(const struct sip_keep *k, uint32_t h)
{
	const struct sip_keep_class *c = h & BIG ? &k->big : &k->small;
	uint32_t i = (h & ~BIG) - 1;

	if (h == 0)
		return (struct hf_slice){ NULL, 0 };
	hf_assert(i < c->cap);
	return (struct hf_slice){ c->bytes + (size_t)i * c->size, c->len[i] };
}

void
sip_keep_give(struct sip_keep *k, uint32_t *h)
{
	struct sip_keep_class *c = *h & BIG ? &k->big : &k->small;
	uint32_t i = (*h & ~BIG) - 1;

	if (*h == 0)
		return;
	hf_assert(i < c->cap && c->used > 0);
	c->next[i] = c->first;
	c->first = i;
	c->used--;
	*h = 0;
}
