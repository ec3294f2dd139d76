/* base/hash - see hash.h */

#include <string.h>

#include "base/hash.h"

static uint64_t
load64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return v; /* little-endian, as are all machines we build for */
}
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "see load64");

/* ---- SipHash-2-4 --------------------------------------------------------- */

static uint64_t
rotl(uint64_t v, int bits)
{
	return v << bits | v >> (64 - bits);
}

static void
sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotl(v[1], 13) ^ v[0];
	v[3] = rotl(v[3], 16) ^ v[2];
	v[0] = rotl(v[0], 32);
	v[2] += v[1];
	v[0] += v[3];
	v[1] = rotl(v[1], 17) ^ v[2];
	v[3] = rotl(v[3], 21) ^ v[0];
	v[2] = rotl(v[2], 32);
}

static void
sip_word(uint64_t v[4], uint64_t m)
{
	v[3] ^= m;
	sip_round(v);
	sip_round(v);
	v[0] ^= m;
}

uint64_t
hf_hash(const struct hf_hash_key *key, const void *p, size_t n)
{
	const uint8_t *at = p;
	uint64_t last = (uint64_t)n << 56;
	uint64_t v[4] = {
		key->k[0] ^ 0x736f6d6570736575,
		key->k[1] ^ 0x646f72616e646f6d,
		key->k[0] ^ 0x6c7967656e657261,
		key->k[1] ^ 0x7465646279746573,
	};

	for (; n >= 8; n -= 8, at += 8)
		sip_word(v, load64(at));
	for (size_t i = 0; i < n; i++)
		last |= (uint64_t)at[i] << (8 * i);
	sip_word(v, last);
	v[2] ^= 0xff;
	for (int i = 0; i < 4; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* ---- CRC-32C (RFC 3720 appendix B.4) ------------------------------------- */

#define CRC_POLY 0x82f63b78u /* 0x1edc6f41, reflected */

static uint32_t crc_table[256];

/* Runs before main(): the table is there for whoever asks. */
__attribute__((constructor)) static void
crc_prepare(void)
{
	for (uint32_t i = 0; i < HF_LEN(crc_table); i++) {
		uint32_t v = i;
		for (int bit = 0; bit < 8; bit++)
			v = v >> 1 ^ ((v & 1) != 0 ? CRC_POLY : 0);
		crc_table[i] = v;
	}
}

uint32_t
hf_crc32c_by_table(const void *p, size_t n)
{
	const uint8_t *at = p;
	uint32_t v = UINT32_MAX;

	for (; n > 0; n--, at++)
		v = v >> 8 ^ crc_table[(v ^ *at) & 0xff];
	return ~v;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc_by_sse42(const void *p, size_t n)
{
	const uint8_t *at = p;
	uint64_t v = UINT32_MAX;

	for (; n >= 8; n -= 8, at += 8)
		v = __builtin_ia32_crc32di(v, load64(at));
	for (; n > 0; n--, at++)
		v = __builtin_ia32_crc32qi((uint32_t)v, *at);
	return ~(uint32_t)v;
}
#endif

uint32_t
hf_crc32c(const void *p, size_t n)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return crc_by_sse42(p, n);
#endif
	return hf_crc32c_by_table(p, n);
}

/* ---- the index ----------------------------------------------------------- */

/* Keys are often small numbers or handles: spread them over all bits
 * (the finalizer of MurmurHash3). */
static uint32_t
home(const struct hf_map *m, uint64_t key)
{
	key ^= key >> 33;
	key *= 0xff51afd7ed558ccd;
	key ^= key >> 33;
	key *= 0xc4ceb9fe1a85ec53;
	key ^= key >> 33;
	return (uint32_t)key & (m->cap - 1);
}

/* The key's cell, or the empty one where it would go. */
static uint32_t
look(const struct hf_map *m, uint64_t key)
{
	uint32_t i = home(m, key);

	while (m->cell[i].key != 0 && m->cell[i].key != key)
		i = (i + 1) & (m->cap - 1);
	return i;
}

void
hf_map_init(struct hf_map *m, struct hf_map_cell *memory, uint32_t cap)
{
	hf_assert(cap >= 2 && (cap & (cap - 1)) == 0);
	memset(memory, 0, cap * sizeof(*memory));
	*m = (struct hf_map){ .cell = memory, .cap = cap };
}

bool
hf_map_put(struct hf_map *m, uint64_t key, uint32_t value)
{
	hf_assert(key != 0 && value != HF_MAP_NONE);
	uint32_t i = look(m, key);

	if (m->cell[i].key == 0) {
		if (m->n >= m->cap / 2)
			return false;
		m->n++;
	}
	m->cell[i] = (struct hf_map_cell){ .key = key, .value = value };
	return true;
}

uint32_t
hf_map_get(const struct hf_map *m, uint64_t key)
{
	if (key == 0)
		return HF_MAP_NONE;
	uint32_t i = look(m, key);

	return m->cell[i].key == 0 ? HF_MAP_NONE : m->cell[i].value;
}

void
hf_map_del(struct hf_map *m, uint64_t key)
{
	const uint32_t mask = m->cap - 1;

	if (key == 0)
		return;
	uint32_t hole = look(m, key);
	if (m->cell[hole].key == 0)
		return;
	/* Move up whoever would no longer be found behind the hole. */
	for (uint32_t i = (hole + 1) & mask; m->cell[i].key != 0;
	     i = (i + 1) & mask) {
		uint32_t from = home(m, m->cell[i].key);
		if (((i - from) & mask) >= ((i - hole) & mask)) {
			m->cell[hole] = m->cell[i];
			hole = i;
		}
	}
	m->cell[hole] = (struct hf_map_cell){ 0 };
	m->n--;
}

/* ---- random numbers ------------------------------------------------------ */

uint64_t
hf_rand_u64(struct hf_rand *r)
{
	r->counter++;
	return hf_hash(&r->key, &r->counter, sizeof(r->counter));
}

uint32_t
hf_rand_below(struct hf_rand *r, uint32_t n)
{
	hf_assert(n >= 1);
	/* The last, incomplete stretch of n would favour small numbers. */
	const uint64_t fair = UINT64_MAX - UINT64_MAX % n;
	uint64_t v;

	do
		v = hf_rand_u64(r);
	while (v >= fair);
	return (uint32_t)(v % n);
}
