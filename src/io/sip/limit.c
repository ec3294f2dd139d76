/* io/sip/limit - see limit.h */

#include <string.h>

#include "base/check.h"
#include "io/sip/limit.h"

enum {
	US_PER_S = 1000000,
	NET6 = 8, /* bytes: a /64 */
};

void
sip_limit_init(struct sip_limit *l, const struct hf_hash_key *hash)
{
	memset(l->place, 0, sizeof(l->place));
	l->hash = *hash;
}

uint64_t
sip_limit_address(const struct sip_limit *l, const struct hf_addr *from)
{
	size_t n = from->family == 6 ? NET6 : 4;

	/* 0 means free; the last bit is not missed. */
	return (hf_hash(&l->hash, from->ip, n) ^ from->family << 1) | 1;
}

uint64_t
sip_limit_row(const struct sip_limit *l, char kind, uint32_t row)
{
	const uint32_t both[2] = { (uint8_t)kind, row };

	return hf_hash(&l->hash, both, sizeof(both)) | 1;
}

static struct sip_limit_place *
row_of(struct sip_limit *l, uint64_t key)
{
	return &l->place[(key >> 1) % SIP_LIMIT_ROWS * SIP_LIMIT_WAYS];
}

/* Its place, or that of the one in its row that has asked least lately. */
static struct sip_limit_place *
take(struct sip_limit *l, uint64_t key, struct hf_time now)
{
	struct sip_limit_place *row = row_of(l, key), *p = row;

	for (unsigned i = 0; i < SIP_LIMIT_WAYS; i++) {
		if (row[i].key == key)
			return &row[i];
		if (hf_time_before(row[i].empty, p->empty))
			p = &row[i];
	}
	*p = (struct sip_limit_place){
		.key = key, .empty = now, .refused = now
	};
	return p;
}

static struct hf_span
price(struct sip_rate rate)
{
	return (struct hf_span){ US_PER_S / rate.per_s };
}

/* So much may be owed before one more is too much. */
static int64_t
depth(struct sip_rate rate)
{
	return (int64_t)rate.burst * price(rate).us;
}

/* Draws one from a bucket; false: it has none left. */
static bool
draw(struct hf_time *empty, struct sip_rate rate, struct hf_time now)
{
	if (hf_time_before(*empty, now))
		*empty = now;
	if (empty->us - now.us + price(rate).us > depth(rate))
		return false;
	*empty = hf_time_after(*empty, price(rate));
	return true;
}

enum sip_limit_said
sip_limit_take(struct sip_limit *l, uint64_t key, struct sip_rate rate,
    struct hf_time now, bool *tell)
{
	struct sip_limit_place *p = take(l, key, now);

	hf_assert(rate.per_s > 0 && rate.per_s <= US_PER_S && rate.burst > 0);
	/* Quiet for as long as a whole burst takes to come back: what comes
	 * now is another story. */
	if (!hf_time_before(now, p->empty))
		p->told = false;
	if (draw(&p->empty, rate, now))
		return SIP_LIMIT_FINE;
	if (tell != NULL)
		*tell = !p->told;
	p->told = true;
	return draw(&p->refused, rate, now) ? SIP_LIMIT_OVER : SIP_LIMIT_FLOOD;
}

void
sip_limit_fine(struct sip_limit *l, uint64_t key, struct sip_rate rate,
    uint32_t requests, struct hf_time now)
{
	struct sip_limit_place *p = take(l, key, now);
	int64_t most = now.us + depth(rate);

	if (hf_time_before(p->empty, now))
		p->empty = now;
	p->empty.us += (int64_t)requests * price(rate).us;
	if (p->empty.us > most)
		p->empty.us = most;
}

uint32_t
sip_limit_over(
    const struct sip_limit *l, struct sip_rate rate, struct hf_time now)
{
	uint32_t n = 0;

	for (size_t i = 0; i < HF_LEN(l->place); i++)
		n += l->place[i].key != 0 &&
		     l->place[i].empty.us - now.us + price(rate).us >
			 depth(rate);
	return n;
}
