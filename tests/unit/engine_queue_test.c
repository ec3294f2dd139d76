/* logic/call: how long those who wait are told that it will take. */

#include "base/prompt.h"
#include "tests/lib/mind.h"

static uint64_t rung;    /* the newest leg of ours */
static uint64_t callers; /* 1, 2, ... */
static struct msg_play_prompt said;
static unsigned passed; /* INFOs */
static uint64_t passed_to;

static void
order(const struct msg *m)
{
	if (m->type == MSG_RING_LEG)
		rung = m->ring_leg.leg;
	if (m->type == MSG_PASS_INFO) {
		passed++;
		passed_to = m->pass_info.leg;
	}
	if (m->type == MSG_PLAY_PROMPT && m->play_prompt.list.n > 0 &&
	    m->play_prompt.list.p[0] == PROMPT_YOU_ARE_NUMBER)
		said = m->play_prompt;
}

static void
callers_come(unsigned n)
{
	while (n-- > 0)
		caller_comes(++callers);
}

/* The first so many are answered, talk so long and go. */
static void
are_served(unsigned n, int64_t seconds)
{
	for (uint64_t caller = 1; caller <= n; caller++) {
		leg_answers(rung);
		passes(seconds);
		leg_leaves(caller);
	}
}

static int
setup(void **state)
{
	mind_house(1);
	mind_queue();
	conf.queue[0].estimate = true;
	conf.queue[0].ring = hf_ms(3600000);
	mind_wakes(order, NULL);
	callers = passed = 0;
	said = (struct msg_play_prompt){ 0 };
	media_comes();
	anna_comes();
	return 0;
}

/* We died, and his agent is named before hf-media is there. */
static void
who_waits_for_streams_is_brought_together_when_they_come(void **state)
{
	callers_come(1);
	leg_answers(rung);
	callers_come(1);
	rung = 0;
	mind_sleeps_with_all(2);
	anna_comes();
	leg_leaves(1);
	assert_true(rung == 0);
	media_comes();
	assert_true(rung != 0);
	engine_check(e);
}

static bool
ends_with(const uint8_t *list, size_t n)
{
	return said.list.n >= n &&
	       memcmp(said.list.p + said.list.n - n, list, n) == 0;
}

static void
nobody_guesses_before_the_line_has_moved(void **state)
{
	callers_come(2);
	passes(31);
	assert_int_equal(said.list.n, 3);
	assert_int_equal(said.list.p[1], PROMPT_DIGIT_0 + 1);
}

static void
the_wait_is_the_place_times_the_pace(void **state)
{
	callers_come(8);
	are_served(4, 60);
	/* The fifth rings; three wait behind him, a minute each. */
	passes(31);
	assert_int_equal(said.list.n, 6);
	assert_int_equal(said.list.p[1], PROMPT_DIGIT_0 + 3);
	assert_true(ends_with((const uint8_t[]){ PROMPT_WAIT_IS,
				  PROMPT_DIGIT_0 + 3, PROMPT_MINUTES },
	    3));
	engine_check(e);
}

static void
a_short_wait_is_less_than_two_minutes(void **state)
{
	callers_come(6);
	are_served(4, 10);
	passes(31);
	assert_true(
	    ends_with((const uint8_t[]){ PROMPT_WAIT_IS, PROMPT_LESS_THAN,
			  PROMPT_DIGIT_0 + 2, PROMPT_MINUTES },
		4));
}

static void
who_wants_none_hears_none(void **state)
{
	conf.queue[0].estimate = false;
	callers_come(6);
	are_served(4, 60);
	passes(31);
	assert_int_equal(said.list.n, 3);
}

/* A key pressed in the line is nothing; with an agent it is his to hear. */
static void
a_key_by_info_is_for_whom_he_talks_with(void **state)
{
	struct msg m = { .type = MSG_LEG_INFO };

	callers_come(1);
	m.leg_info.leg = callers;
	strcpy(m.leg_info.type, "application/dtmf-relay");
	m.leg_info.body.n = 8;
	memcpy(m.leg_info.body.p, "Signal=5", 8);
	tell(&m);
	assert_int_equal(passed, 0);
	assert_int_equal(engine_calls(e), 1);
	leg_answers(rung);
	tell(&m);
	assert_int_equal(passed, 1);
	assert_true(passed_to == rung);
	engine_check(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    who_waits_for_streams_is_brought_together_when_they_come,
		    setup),
		cmocka_unit_test_setup(
		    nobody_guesses_before_the_line_has_moved, setup),
		cmocka_unit_test_setup(
		    the_wait_is_the_place_times_the_pace, setup),
		cmocka_unit_test_setup(
		    a_short_wait_is_less_than_two_minutes, setup),
		cmocka_unit_test_setup(who_wants_none_hears_none, setup),
		cmocka_unit_test_setup(
		    a_key_by_info_is_for_whom_he_talks_with, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
