/* hf-sip as a process: whom it rings, one after another. */

#include <stdio.h>
#include <string.h>

#include "tests/room/sip_room.h"

enum {
	TARGET = 1000, /* ms: hf-sip moves on to the next target */
	IMPATIENT = 200,
};

/* ---- a helper's targets, one after another --------------------------------
 */

static void
ring_patiently(uint64_t leg, int ms)
{
	struct msg m = { .type = MSG_RING_LEG };

	m.ring_leg.leg = leg;
	m.ring_leg.kind = TO_HELPER;
	m.ring_leg.port = PORT;
	m.ring_leg.hops = 60;
	m.ring_leg.no_100 = hf_ms(ms);
	m.ring_leg.give_up = hf_ms(10000);
	room_tell(ROOM_CALL, &m);
}

/* The far end of whichever of the two has the call, and the one that has not.
 */
static void
who_sounds_while_we_move_on_is_let_go_or_has_the_call(int at)
{
	struct ua_call *other;
	struct msg m;

	bot->manner.no_100 = true;
	bot->manner.ring_ms = bot->manner.answer_ms = at;
	ring_patiently(OURS | 7, IMPATIENT);
	assert_true(fact(MSG_LEG_UNTRIED, &m));
	assert_true(fact(MSG_LEG_TRIED, &m));
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	other = m.leg_answered.target == 1 ? bot->calls : second->calls;
	if (other != NULL && ua_noted(other, UA_CANCELLED, 0) == NULL)
		assert_non_null(noted(other, UA_BYE));
	drop(OURS | 7);
	assert_non_null(noted(
	    m.leg_answered.target == 1 ? second->calls : bot->calls, UA_BYE));
}

static void
a_first_180_just_before_we_move_on_counts(void **state)
{
	who_sounds_while_we_move_on_is_let_go_or_has_the_call(TARGET - 5);
}

static void
a_first_180_as_we_move_on_loses_nothing(void **state)
{
	who_sounds_while_we_move_on_is_let_go_or_has_the_call(TARGET);
}

static void
a_first_180_just_after_we_moved_on_is_let_go(void **state)
{
	who_sounds_while_we_move_on_is_let_go_or_has_the_call(TARGET + 2);
}

static void
who_answers_without_a_word_before_has_been_tried(void **state)
{
	struct msg m;

	bot->manner.no_100 = true;
	bot->manner.ring_ms = -1;
	bot->manner.answer_ms = 2 * IMPATIENT;
	ring_patiently(OURS | 7, IMPATIENT);
	assert_true(fact(MSG_LEG_UNTRIED, &m));
	assert_true(fact(MSG_LEG_TRIED, &m));
	assert_true(fact(MSG_LEG_ANSWERED, &m));
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sip_room_usual, sip_room_over)
	const struct CMUnitTest tests[] = {
		T(a_first_180_just_before_we_move_on_counts),
		T(a_first_180_as_we_move_on_loses_nothing),
		T(a_first_180_just_after_we_moved_on_is_let_go),
		T(who_answers_without_a_word_before_has_been_tried),
	};
#undef T

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip rings", tests, NULL, NULL);
}
