/* logic/call: nobody is left, and the caller hears it. */

#include "base/prompt.h"
#include "tests/lib/mind.h"

enum { CALLER = 1, LONGEST = 7 };

static uint32_t said; /* the goodbye's number; 0: none yet */
static uint64_t dropped;

static void
order(const struct msg *m)
{
	if (m->type == MSG_PLAY_PROMPT && m->play_prompt.after == AFTER_SILENCE)
		said = m->play_prompt.id;
	if (m->type == MSG_DROP_LEG)
		dropped = m->drop_leg.leg;
}

static int
setup(void **state)
{
	mind_house(1);
	conf.queues = 1;
	conf.ladder[0].rung[0].kind = CONF_RUNG_QUEUE;
	conf.queue[0].used = true;
	conf.calls.goodbye = hf_ms(LONGEST * 1000);
	mind_wakes(order, NULL);
	said = 0;
	dropped = 0;
	media_comes();
	caller_comes(CALLER);
	assert_int_not_equal(said, 0);
	return 0;
}

static void
a_goodbye_lasts_as_long_as_it_is_said(void **state)
{
	struct msg m = { .type = MSG_PROMPT_ENDED };

	m.prompt_ended.stream.n = 0;
	m.prompt_ended.stream.gen = 1;
	m.prompt_ended.id = said;
	passes(LONGEST / 2);
	assert_int_equal(dropped, 0);
	tell(&m);
	assert_true(dropped == CALLER);
	engine_check(e);
}

/* hf-media has no word of its end. */
static void
and_no_longer_than_it_may(void **state)
{
	passes(LONGEST - 1);
	assert_int_equal(dropped, 0);
	passes(2);
	assert_true(dropped == CALLER);
	assert_int_equal(engine_calls(e), 0);
	engine_check(e);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_goodbye_lasts_as_long_as_it_is_said),
		T(and_no_longer_than_it_may),
	};

	return cmocka_run_group_tests_name(
	    "logic/call/engine goodbye", tests, NULL, NULL);
}
