/* base/hash: published vectors, and an index that never lies. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"

/* Key 00..0f, messages of 0 to 15 bytes 00, 01, ...: from the authors'
 * reference implementation. */
static void
siphash_gives_the_authors_values(void **state)
{
	static const uint64_t want[] = {
		0x726fdb47dd0e0e31,
		0x74f839c593dc67fd,
		0x0d6c8009d9a94f5a,
		0x85676696d7fb7e2d,
		0xcf2794e0277187b7,
		0x18765564cd99a68d,
		0xcbc9466e58fee3ce,
		0xab0200f58b01d137,
		0x93f5f5799a932462,
		0x9e0082df0ba9e4b0,
		0x7a5dbbc594ddb9f3,
		0xf4b32f46226bada7,
		0x751e8fbc860ee5fb,
		0x14ea5627c0843d90,
		0xf723ca908e7af2ee,
		0xa129ca6149be45e5,
	};
	const struct hf_hash_key key = { { 0x0706050403020100,
	    0x0f0e0d0c0b0a0908 } };
	uint8_t message[HF_LEN(want)];

	(void)state;
	for (size_t i = 0; i < HF_LEN(want); i++) {
		assert_true(hf_hash(&key, message, i) == want[i]);
		message[i] = (uint8_t)i;
	}
}

/* RFC 3720 appendix B.4, and the usual check value. */
static void
crc32c_gives_the_rfc_values(void **state)
{
	uint8_t p[32];

	(void)state;
	memset(p, 0, sizeof(p));
	assert_int_equal(hf_crc32c(p, sizeof(p)), 0x8a9136aa);
	memset(p, 0xff, sizeof(p));
	assert_int_equal(hf_crc32c(p, sizeof(p)), 0x62a8ab43);
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)i;
	assert_int_equal(hf_crc32c(p, sizeof(p)), 0x46dd794e);
	assert_int_equal(hf_crc32c("123456789", 9), 0xe3069283);
	assert_int_equal(hf_crc32c_by_table("123456789", 9), 0xe3069283);
	assert_int_equal(hf_crc32c(NULL, 0), 0);
}

static void
both_ways_to_a_crc_agree(void **state)
{
	struct hf_rand r = { .key = { { 1, 2 } } };
	uint8_t p[300];

	(void)state;
	for (size_t i = 0; i < sizeof(p); i++)
		p[i] = (uint8_t)hf_rand_u64(&r);
	for (size_t from = 0; from < 9; from++)
		for (size_t n = 0; n <= sizeof(p) - from; n++)
			assert_int_equal(hf_crc32c(p + from, n),
			    hf_crc32c_by_table(p + from, n));
}

/* 20,000 random acts beside a plain array; keys are few, so that they meet. */
static void
the_index_agrees_with_a_plain_array(void **state)
{
	enum { CAP = 64, KEYS = 48 };
	static struct hf_map_cell memory[CAP];
	uint32_t plain[KEYS + 1], n = 0;
	struct hf_rand r = { .key = { { 7, 9 } } };
	struct hf_map m;

	(void)state;
	hf_map_init(&m, memory, CAP);
	memset(plain, 0xff, sizeof(plain));
	for (uint32_t i = 0; i < 20000; i++) {
		uint32_t key = 1 + hf_rand_below(&r, KEYS);

		if (hf_rand_below(&r, 5) < 3) {
			bool fits = plain[key] != HF_MAP_NONE || n < CAP / 2;
			assert_int_equal(hf_map_put(&m, key, i), fits);
			n += fits && plain[key] == HF_MAP_NONE;
			if (fits)
				plain[key] = i;
		} else {
			hf_map_del(&m, key);
			n -= plain[key] != HF_MAP_NONE;
			plain[key] = HF_MAP_NONE;
		}
		assert_int_equal(m.n, n);
		for (key = 1; key <= KEYS; key++)
			assert_int_equal(hf_map_get(&m, key), plain[key]);
	}
	assert_int_equal(hf_map_get(&m, 0), HF_MAP_NONE);
	hf_map_del(&m, 0);
}

static void
random_numbers_differ_and_stay_below_their_limit(void **state)
{
	struct hf_rand r = { .key = { { 3, 4 } } };
	unsigned seen[6] = { 0 };
	uint64_t first = hf_rand_u64(&r);

	(void)state;
	assert_true(first != hf_rand_u64(&r));
	for (int i = 0; i < 6000; i++)
		seen[hf_rand_below(&r, 6)]++;
	for (size_t i = 0; i < HF_LEN(seen); i++)
		assert_in_range(seen[i], 850, 1150);
	assert_int_equal(hf_rand_below(&r, 1), 0);
	r = (struct hf_rand){ .key = { { 3, 4 } } };
	assert_true(first == hf_rand_u64(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(siphash_gives_the_authors_values),
		cmocka_unit_test(crc32c_gives_the_rfc_values),
		cmocka_unit_test(both_ways_to_a_crc_agree),
		cmocka_unit_test(the_index_agrees_with_a_plain_array),
		cmocka_unit_test(
		    random_numbers_differ_and_stay_below_their_limit),
	};

	return cmocka_run_group_tests_name("base/hash", tests, NULL, NULL);
}
