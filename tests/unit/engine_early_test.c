/* logic/call: a caller who comes while the house is still waking up. */

#include "tests/lib/mind.h"

#define LEG 77

static unsigned refused;
static uint32_t entered, in_hand = HF_MAP_NONE;

static void
order(const struct msg *m)
{
	refused += m->type == MSG_REFUSE_LEG;
}

static void
inside(struct orders *o, uint32_t place)
{
	in_hand = place;
	entered += place != HF_MAP_NONE;
}

static int
setup(void **state)
{
	mind_house(1);
	conf.boxes = 1;
	conf.ladder[0].rung[0].kind = CONF_RUNG_VOICEMAIL;
	conf.box[0].used = true;
	conf.box[0].max = hf_ms(60000);
	conf.box[0].messages = 10;
	mind_wakes(order, inside);
	refused = 0;
	return 0;
}

static void
a_caller_before_the_media_waits_and_is_taken(void **state)
{
	caller_comes(LEG);
	assert_int_equal(refused, 0);
	assert_int_equal(engine_calls(e), 0);
	media_comes();
	assert_int_equal(refused, 0);
	assert_int_equal(engine_calls(e), 1);
	engine_check(e);
}

static void
an_early_caller_who_leaves_leaves_nothing(void **state)
{
	caller_comes(LEG);
	leg_leaves(LEG);
	media_comes();
	assert_int_equal(engine_calls(e), 0);
	engine_check(e);
}

static void
more_early_callers_than_places_are_refused(void **state)
{
	for (unsigned i = 1; i <= ENGINE_EARLY_MAX; i++)
		caller_comes(i);
	assert_int_equal(refused, 0);
	caller_comes(ENGINE_EARLY_MAX + 1);
	assert_int_equal(refused, 1);
}

/* So that one poisoned call can be told from the others. */
static void
the_call_in_hand_is_named_while_it_is_in_hand(void **state)
{
	media_comes();
	entered = 0;
	caller_comes(LEG);
	assert_true(entered > 0);
	assert_int_equal(in_hand, HF_MAP_NONE);
	entered = 0;
	leg_leaves(LEG + 1); /* nobody's */
	assert_int_equal(entered, 0);
	leg_leaves(LEG);
	assert_true(entered > 0);
	assert_int_equal(in_hand, HF_MAP_NONE);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_caller_before_the_media_waits_and_is_taken),
		T(an_early_caller_who_leaves_leaves_nothing),
		T(more_early_callers_than_places_are_refused),
		T(the_call_in_hand_is_named_while_it_is_in_hand),
	};

	return cmocka_run_group_tests_name(
	    "logic/call/engine early", tests, NULL, NULL);
}
