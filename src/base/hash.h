/*
 * base/hash - SipHash-2-4 (Aumasson and Bernstein 2012) for tables keyed by
 * strangers' bytes, CRC-32C for records, and an index from a 64-bit key to a
 * small number.
 */
#ifndef HF_BASE_HASH_H
#define HF_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/check.h"

struct hf_hash_key {
	uint64_t k[2];
};

uint64_t hf_hash(const struct hf_hash_key *key, const void *p, size_t n);
uint32_t hf_crc32c(const void *p, size_t n);
/* The same without the processor's help; for machines without, and tests. */
uint32_t hf_crc32c_by_table(const void *p, size_t n);

/*
 * Open addressing with linear probing and backward-shift deletion; the memory
 * is the caller's, a power of two of at least twice the entries.  Key 0 and
 * value HF_MAP_NONE are not storable.
 */
#define HF_MAP_NONE UINT32_MAX

struct hf_map_cell {
	uint64_t key;
	uint32_t value;
	uint32_t pad;
};

struct hf_map {
	struct hf_map_cell *cell;
	uint32_t cap; /* a power of two */
	uint32_t n;
};

void hf_map_init(struct hf_map *m, struct hf_map_cell *memory, uint32_t cap);
/* False when the table is half full. */
bool hf_map_put(struct hf_map *m, uint64_t key, uint32_t value) HF_CHECK;
uint32_t hf_map_get(const struct hf_map *m, uint64_t key);
void hf_map_del(struct hf_map *m, uint64_t key);

/* Random numbers that a stranger cannot foretell from earlier ones: SipHash
 * of a counter under a key that came from getrandom(2).  For tags, branches,
 * nonces and SSRCs; seeded by proc, or by a test with a fixed key. */
struct hf_rand {
	struct hf_hash_key key;
	uint64_t counter;
};

uint64_t hf_rand_u64(struct hf_rand *r);
uint32_t hf_rand_below(struct hf_rand *r, uint32_t n); /* n >= 1 */

#endif
