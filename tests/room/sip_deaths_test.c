/* hf-sip as a process: it dies, or hf-call does, and calls go on. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/room/sip_room.h"

static void
who_restarts_hears_the_whole_picture(void **state)
{
	struct msg m;

	assert_true(fact(MSG_SIP_STARTED, &m));
	assert_int_equal(m.sip_started.dialogs, 0);
}

static void
a_mind_that_was_away_hears_what_it_slept_through(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	room_leaves(ROOM_CALL);
	(void)ua_run(world, 100, NULL, NULL);
	ua_hang_up(c, NULL);
	assert_non_null(noted(c, UA_LEFT));
	room_returns(ROOM_CALL);
	assert_true(fact(MSG_SIP_STARTED, &m));
	assert_int_equal(m.sip_started.dialogs, 1);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (leg | OURS));
	drop(leg | OURS);
	assert_non_null(noted(ua_current(bot), UA_BYE));
}

static void
a_call_outlives_the_process(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	dies_and_is_there_again(2);
	/* Its whole picture. */
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	assert_true(m.leg_confirmed.leg == leg);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (leg | OURS));
	assert_int_not_equal(m.leg_answered.media.codec, CODEC_NONE);
	dies_and_is_there_again(2);
	ua_hang_up(c, NULL);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg);
	assert_int_equal(m.leg_left.cause, CAUSE_DONE);
	assert_non_null(noted(c, UA_LEFT));
	drop(leg | OURS);
	assert_non_null(noted(ua_current(bot), UA_BYE));
	dies_and_is_there_again(0);
}

static void
a_caller_who_waits_for_an_answer_waits_on(void **state)
{
	struct ua_call *c;
	uint64_t leg = arrives(&c);
	struct msg m;

	dies_and_is_there_again(1);
	/* The same leg, should hf-call have missed it; and no second one. */
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_true(m.leg_arrived.leg == leg);
	assert_string_equal(m.leg_arrived.number, "+33400000000");
	answer(leg);
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	assert_non_null(noted(c, UA_ANSWERED));
	dies_and_is_there_again(1);
	answer(leg); /* lost, for all that hf-call knows */
	drop(leg);
	assert_non_null(noted(c, UA_BYE));
}

static void
who_is_rung_rings_on(void **state)
{
	struct msg m;

	bot->manner.answer_ms = -1;
	ring(OURS | 1, TO_HELPER);
	assert_true(fact(MSG_LEG_RANG, &m));
	dies_and_is_there_again(1);
	ring(OURS | 1, TO_HELPER); /* asked again */
	assert_true(fact(MSG_LEG_TRIED, &m));
	(void)ua_run(world, 300, NULL, NULL);
	assert_int_equal(calls_of(bot), 1);
	ua_answer(ua_current(bot));
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (OURS | 1));
	assert_non_null(noted(ua_current(bot), UA_CONFIRMED));
	drop(OURS | 1);
	assert_non_null(noted(ua_current(bot), UA_BYE));
}

static void
a_leg_that_is_wanted_and_not_there_is_told(void **state)
{
	struct msg m;

	answer(77);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == 77);
	assert_int_equal(m.leg_left.cause, CAUSE_OUR_FAULT);
}

/* News of an end was on its way when somebody died: who asks hears it. */
static void
what_became_of_a_leg_is_told_again(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	ua_hang_up(c, NULL);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_int_equal(m.leg_left.cause, CAUSE_DONE);
	dies_and_is_there_again(1);
	answer(leg);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg);
	assert_int_equal(m.leg_left.cause, CAUSE_DONE);
	room_leaves(ROOM_CALL);
	room_returns(ROOM_CALL);
	answer(leg);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg);
	drop(leg | OURS);
	assert_non_null(noted(ua_current(bot), UA_BYE));
}

static void
who_refused_is_not_rung_again(void **state)
{
	struct msg m;

	bot->manner.refuse = 486;
	ring(OURS | 1, TO_HELPER);
	assert_true(fact(MSG_LEG_REFUSED, &m));
	dies_and_is_there_again(0);
	ring(OURS | 1, TO_HELPER);
	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_true(m.leg_refused.leg == (OURS | 1));
	assert_int_equal(m.leg_refused.code, 486);
	assert_int_equal(calls_of(bot), 1);
}

static void
calls_of_long_ago_are_said_goodbye(void **state)
{
	struct ua_call *c, *b;
	uint64_t leg = up(&c);
	char path[256];
	struct msg m;

	b = ua_current(bot);
	room_kill();
	/* Nobody knows when that was. */
	snprintf(path, sizeof(path), "%s/alive.slots", conf.keeper.run_dir);
	assert_int_equal(unlink(path), 0);
	sip_room_start();
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg || m.leg_left.leg == (leg | OURS));
	assert_int_equal(m.leg_left.cause, CAUSE_OUR_FAULT);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_non_null(noted(c, UA_BYE));
	assert_non_null(noted(b, UA_BYE));
}

static void
phones_are_known_in_the_next_life(void **state)
{
	struct msg m;

	assert_int_equal(registers(anna, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	dies_and_is_there_again(0);
	assert_true(fact(MSG_AGENT_CAME, &m));
	assert_int_equal(m.agent_came.agent, 0);
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	drop(OURS | 3);
	assert_non_null(noted(anna->calls, UA_BYE));
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sip_room_usual, sip_room_over)
	const struct CMUnitTest tests[] = {
		T(who_restarts_hears_the_whole_picture),
		T(a_mind_that_was_away_hears_what_it_slept_through),
		T(a_call_outlives_the_process),
		T(a_caller_who_waits_for_an_answer_waits_on),
		T(who_is_rung_rings_on),
		T(a_leg_that_is_wanted_and_not_there_is_told),
		T(what_became_of_a_leg_is_told_again),
		T(who_refused_is_not_rung_again),
		T(calls_of_long_ago_are_said_goodbye),
		T(phones_are_known_in_the_next_life),
	};
#undef T

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip deaths", tests, NULL, NULL);
}
