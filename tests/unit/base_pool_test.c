/* base/pool: news for an earlier tenant never reaches a later one. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pool.h"

enum { CAP = 4 };
static struct hf_pool_place memory[CAP];
static struct hf_pool pool;

static int
setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	hf_pool_init(&pool, memory, CAP);
	return 0;
}

static void
a_full_pool_says_no_and_nothing_else(void **state)
{
	struct hf_ref r[CAP], more = { 9, 9 };

	(void)state;
	for (int i = 0; i < CAP; i++) {
		assert_true(hf_pool_take(&pool, &r[i]));
		assert_int_equal(r[i].n, i);
		assert_true(hf_pool_has(&pool, r[i]));
		assert_true(hf_ref_is(hf_pool_at(&pool, r[i].n), r[i]));
	}
	assert_false(hf_pool_take(&pool, &more));
	assert_int_equal(more.n, 9);
	for (int i = 0; i < CAP; i++)
		hf_pool_give(&pool, r[i]);
	assert_int_equal(pool.used, 0);
	assert_true(hf_pool_take(&pool, &more));
}

static void
a_number_rests_as_long_as_possible(void **state)
{
	struct hf_ref a, b;

	(void)state;
	assert_true(hf_pool_take(&pool, &a));
	hf_pool_give(&pool, a);
	for (uint32_t i = 1; i < CAP; i++) {
		assert_true(hf_pool_take(&pool, &b));
		assert_int_equal(b.n, i);
	}
	assert_true(hf_pool_take(&pool, &b));
	assert_int_equal(b.n, a.n);
	assert_int_not_equal(b.gen, a.gen);
}

static void
the_memory_in_use_is_that_of_the_busiest_hour(void **state)
{
	enum { MANY = 40000, BUSY = 10, TURNS = 1000 };
	struct hf_pool_place *many = calloc(MANY, sizeof(*many));
	struct hf_ref r[BUSY];
	uint32_t beyond = 0;

	(void)state;
	assert_non_null(many);
	hf_pool_init(&pool, many, MANY);
	for (int turn = 0; turn < TURNS; turn++) {
		for (int i = 0; i < BUSY; i++) {
			assert_true(hf_pool_take(&pool, &r[i]));
			if (r[i].n >= beyond)
				beyond = r[i].n + 1;
		}
		for (int i = 0; i < BUSY; i++)
			hf_pool_give(&pool, r[i]);
	}
	assert_in_range(beyond, HF_POOL_REST, HF_POOL_REST + BUSY);
	free(many);
}

static void
a_place_far_ahead_is_restored_and_those_before_it_are_free(void **state)
{
	bool seen[CAP] = { false };
	struct hf_ref r;

	(void)state;
	hf_pool_restore(&pool, (struct hf_ref){ CAP - 1, 5 });
	for (int i = 0; i < CAP - 1; i++) {
		assert_true(hf_pool_take(&pool, &r));
		assert_in_range(r.n, 0, CAP - 2);
		assert_false(seen[r.n]);
		seen[r.n] = true;
	}
	assert_false(hf_pool_take(&pool, &r));
}

static void
an_old_handle_opens_nothing(void **state)
{
	struct hf_ref old, now;

	(void)state;
	assert_true(hf_pool_take(&pool, &old));
	hf_pool_give(&pool, old);
	assert_false(hf_pool_has(&pool, old));
	assert_true(hf_ref_none(hf_pool_at(&pool, old.n)));
	for (int i = 0; i < CAP; i++)
		assert_true(hf_pool_take(&pool, &now));
	assert_int_equal(now.n, old.n);
	assert_false(hf_pool_has(&pool, old));
	assert_true(hf_pool_has(&pool, now));
	assert_false(hf_pool_has(&pool, HF_REF_NONE));
	assert_false(hf_pool_has(&pool, (struct hf_ref){ CAP, 1 }));
	assert_true(hf_ref_none(hf_pool_at(&pool, CAP)));
}

static void
what_lived_before_a_restart_is_still_taken(void **state)
{
	struct hf_ref r;

	(void)state;
	hf_pool_restore(&pool, (struct hf_ref){ 0, 7 });
	hf_pool_restore(&pool, (struct hf_ref){ 3, 1 });
	hf_pool_restore(&pool, (struct hf_ref){ 2, 3 });
	assert_int_equal(pool.used, 3);
	assert_true(hf_pool_has(&pool, (struct hf_ref){ 2, 3 }));
	assert_true(hf_pool_take(&pool, &r));
	assert_int_equal(r.n, 1);
	assert_false(hf_pool_take(&pool, &r));
	hf_pool_give(&pool, (struct hf_ref){ 3, 1 });
	assert_true(hf_pool_take(&pool, &r));
	assert_int_equal(r.n, 3);
	assert_int_equal(r.gen, 3);
}

static void
handles_are_read_as_they_are_written(void **state)
{
	static const char *const bad[] = { "", ".", "7f2", "7f2.", ".3", "7g.3",
		"7f2.x", "123456789.1", "1.4294967296", "-1.1", "A.1" };
	char text[HF_REF_TEXT_MAX];
	struct hf_ref r;

	(void)state;
	assert_string_equal(
	    hf_ref_text((struct hf_ref){ 0x7f2, 3 }, text), "7f2.3");
	assert_string_equal(
	    hf_ref_text((struct hf_ref){ UINT32_MAX, UINT32_MAX }, text),
	    "ffffffff.4294967295");
	assert_true(hf_ref_parse(text, &r));
	assert_true(hf_ref_is(r, (struct hf_ref){ UINT32_MAX, UINT32_MAX }));
	for (size_t i = 0; i < HF_LEN(bad); i++)
		assert_false(hf_ref_parse(bad[i], &r));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_full_pool_says_no_and_nothing_else),
		T(a_number_rests_as_long_as_possible),
		T(the_memory_in_use_is_that_of_the_busiest_hour),
		T(a_place_far_ahead_is_restored_and_those_before_it_are_free),
		T(an_old_handle_opens_nothing),
		T(what_lived_before_a_restart_is_still_taken),
		T(handles_are_read_as_they_are_written),
	};

	return cmocka_run_group_tests_name("base/pool", tests, NULL, NULL);
}
