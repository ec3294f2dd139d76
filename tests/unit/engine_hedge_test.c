/* logic/call: two bots are rung at once, and one of them is told why not he. */

#include "tests/lib/mind.h"

enum { BOTS = 2, HEDGE_MS = 300 };

static uint64_t rung[BOTS];
static unsigned rings;
static struct msg_drop_leg dropped;

static void
order(const struct msg *m)
{
	if (m->type == MSG_RING_LEG && rings < BOTS)
		rung[rings++] = m->ring_leg.leg;
	if (m->type == MSG_DROP_LEG)
		dropped = m->drop_leg;
}

static int
setup(void **state)
{
	mind_bots(BOTS);
	for (unsigned i = 0; i < BOTS; i++)
		conf.helper[i].guard.hedge_after = hf_ms(HEDGE_MS);
	mind_wakes(order, NULL);
	rings = 0;
	dropped = (struct msg_drop_leg){ 0 };
	media_comes();
	return 0;
}

static void
the_loser_of_a_hedge_is_told_that_another_took_the_call(void **state)
{
	struct msg m = { .type = MSG_LEG_UNTRIED };

	caller_comes(1);
	assert_int_equal(rings, 1);
	m.leg_untried.leg = rung[0];
	tell(&m);
	assert_int_equal(rings, BOTS);
	leg_answers(rung[0]);
	assert_true(dropped.leg == rung[1]);
	/* RFC 3326 3.1: or its history shows a missed call. */
	assert_int_equal(dropped.code, 200);
	assert_string_equal(dropped.reason, "Call completed elsewhere");
	engine_check(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    the_loser_of_a_hedge_is_told_that_another_took_the_call,
		    setup),
	};
	return cmocka_run_group_tests_name("hedge", tests, NULL, NULL);
}
