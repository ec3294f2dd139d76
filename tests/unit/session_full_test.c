/* Sessions whose table of transactions is full of ones that are over. */

#include "tests/lib/sip_calls.h"

enum { MANY_CALLS = 200 }; /* of four transactions; a table has 64 places */

static void
stragglers_are_in_nobodys_way(void **state)
{
	for (unsigned i = 1; i <= MANY_CALLS; i++) {
		assert_non_null(world_call(w, A, B));
		world_run(w, 20);
		assert_int_equal(b->seen[W_CONFIRMED], i);
		drop(a);
		world_run(w, 20);
		assert_int_equal(b->seen[W_LEFT], i);
	}
	assert_int_equal(b->ss.tt.count.full, 0);
	assert_true(b->ss.tt.count.evicted > 0);
	end_well();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    stragglers_are_in_nobodys_way, calls_begin, calls_end),
	};

	return cmocka_run_group_tests_name("session full", tests, NULL, NULL);
}
