/* io/sip/keep - see keep.h */

#include "io/sip/keep.h"
#include "base/check.h"
#include "base/table.h"

/* A handle: the class above, the place from 1 on below. */
enum { CLASS_SHIFT = 30, PLACE_MASK = (1 << CLASS_SHIFT) - 1 };
#define NO_PLACE UINT32_MAX

static const uint32_t sizes[] = {
	SIP_KEEP_SMALL,
	SIP_KEEP_MEDIUM,
	SIP_KEEP_BIG,
};
_Static_assert(HF_LEN(sizes) == SIP_KEEP_NR, "one size a class");

static bool
class_init(struct sip_keep_class *c, uint32_t cap, uint32_t size)
{
	*c = (struct sip_keep_class){ .cap = cap, .size = size };
	c->bytes = hf_table(cap, size);
	c->next = hf_table(cap, sizeof(*c->next));
	c->len = hf_table(cap, sizeof(*c->len));
	c->first = NO_PLACE;
	return c->bytes != NULL && c->next != NULL && c->len != NULL;
}

static void
class_free(struct sip_keep_class *c)
{
	hf_table_free(c->bytes, c->cap, c->size);
	hf_table_free(c->next, c->cap, sizeof(*c->next));
	hf_table_free(c->len, c->cap, sizeof(*c->len));
	*c = (struct sip_keep_class){ .first = NO_PLACE };
}

static bool
class_has_room(const struct sip_keep_class *c)
{
	return c->first != NO_PLACE || c->fresh < c->cap;
}

bool
sip_keep_init(struct sip_keep *k, uint32_t small, uint32_t medium, uint32_t big)
{
	const uint32_t caps[] = { small, medium, big };

	_Static_assert(HF_LEN(caps) == SIP_KEEP_NR, "one a class");
	*k = (struct sip_keep){ 0 };
	for (int i = 0; i < SIP_KEEP_NR; i++) {
		if (!class_init(&k->drawers[i], caps[i], sizes[i])) {
			sip_keep_free(k);
			return false;
		}
	}
	return true;
}

void
sip_keep_free(struct sip_keep *k)
{
	for (int i = 0; i < SIP_KEEP_NR; i++)
		class_free(&k->drawers[i]);
}

uint32_t
sip_keep_put(struct sip_keep *k, struct hf_slice s)
{
	struct sip_keep_class *c;
	uint32_t class = 0, i;

	while (class < SIP_KEEP_NR && (s.n > k->drawers[class].size ||
					  !class_has_room(&k->drawers[class])))
		class ++;
	if (class == SIP_KEEP_NR || s.n == 0) {
		k->refused++;
		return 0;
	}
	c = &k->drawers[class];
	i = c->first;
	if (i != NO_PLACE)
		c->first = c->next[i];
	else
		i = c->fresh++;
	c->used++;
	c->len[i] = (uint16_t)s.n;
	memcpy(c->bytes + (size_t)i * c->size, s.p, s.n);
	return (i + 1) | class << CLASS_SHIFT;
}

struct hf_slice
sip_keep_get(const struct sip_keep *k, uint32_t h)
{
	const struct sip_keep_class *c;
	uint32_t i = (h & PLACE_MASK) - 1;

	if (h == 0)
		return (struct hf_slice){ NULL, 0 };
	c = &k->drawers[h >> CLASS_SHIFT];
	hf_assert(i < c->fresh);
	return (struct hf_slice){ c->bytes + (size_t)i * c->size, c->len[i] };
}

void
sip_keep_give(struct sip_keep *k, uint32_t *h)
{
	struct sip_keep_class *c;
	uint32_t i = (*h & PLACE_MASK) - 1;

	if (*h == 0)
		return;
	c = &k->drawers[*h >> CLASS_SHIFT];
	hf_assert(i < c->fresh && c->used > 0);
	c->next[i] = c->first;
	c->first = i;
	c->used--;
	*h = 0;
}
