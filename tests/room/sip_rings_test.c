/* hf-sip as a process: whom it rings, one after another or all at once. */

#include <stdio.h>
#include <string.h>

#include "tests/room/sip_room.h"

enum {
	TARGET = 1000, /* ms: hf-sip moves on to the next target */
	IMPATIENT = 200,
};

/* ---- a helper's targets, one after another --------------------------------
 */

/* The far end of whichever of the two has the call, and the one that has not.
 */
static void
who_sounds_while_we_move_on_is_let_go_or_has_the_call(int at)
{
	struct ua_call *other;
	struct msg m;

	bot->manner.no_100 = true;
	bot->manner.ring_ms = bot->manner.answer_ms = at;
	ring_impatiently(OURS | 7, IMPATIENT);
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
the_operator_says_how_long_a_silent_address_is_waited_for(void **state)
{
	int64_t began;
	struct msg m;

	conf.sip.next_target = hf_ms(TARGET / 4);
	sip_room_start();
	bot->dead = true;
	began = ua_now();
	ring(OURS | 7, TO_HELPER);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_int_equal(m.leg_answered.target, 1);
	assert_in_range(ua_now() - began, TARGET * 250, TARGET * 900);
	drop(OURS | 7);
	assert_non_null(noted(second->calls, UA_BYE));
}

static void
who_answers_without_a_word_before_has_been_tried(void **state)
{
	struct msg m;

	bot->manner.no_100 = true;
	bot->manner.ring_ms = -1;
	bot->manner.answer_ms = 2 * IMPATIENT;
	ring_impatiently(OURS | 7, IMPATIENT);
	assert_true(fact(MSG_LEG_UNTRIED, &m));
	assert_true(fact(MSG_LEG_TRIED, &m));
	assert_true(fact(MSG_LEG_ANSWERED, &m));
}

/* ---- an agent's phones, all at once ---------------------------------------
 */

static bool
is_called(void *arg)
{
	return ua_current(arg) != NULL;
}

static struct ua_call *
rung(struct ua *phone)
{
	assert_true(ua_run(world, SOON, is_called, phone));
	return ua_current(phone);
}

/* Two of hers, over UDP: they know each other's calls as little as we do. */
static void
two_phones(int refusal, int other_refusal)
{
	struct msg m;

	anna->manner.answer_ms = stranger->manner.answer_ms = -1;
	anna->manner.refuse = refusal;
	stranger->manner.refuse = other_refusal;
	assert_int_equal(registers(anna, "correct horse"), 200);
	assert_int_equal(registers(stranger, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
}

static void
refused(enum cause cause, int code)
{
	struct msg m;

	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_true(m.leg_refused.leg == (OURS | 7));
	assert_int_equal(m.leg_refused.cause, cause);
	assert_int_equal(m.leg_refused.code, code);
}

static void
the_first_phone_to_answer_has_the_call(void **state)
{
	struct ua_call *a, *b;
	const struct ua_note *n;
	struct msg m;

	two_phones(0, 0);
	ring(OURS | 7, TO_AGENT);
	a = rung(anna);
	b = rung(stranger);
	assert_string_not_equal(a->call_id, b->call_id);
	assert_true(fact(MSG_LEG_RANG, &m));
	ua_answer(b);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_non_null(noted(b, UA_CONFIRMED));
	n = noted(a, UA_CANCELLED);
	assert_non_null(n);
	assert_non_null(strstr(n->text, "cause=200"));
	assert_false(b->over);
	drop(OURS | 7);
	assert_non_null(noted(b, UA_BYE));
}

static void
of_two_that_answer_at_once_one_is_let_go(void **state)
{
	struct ua_call *a, *b, *winner, *loser;
	struct msg m;

	two_phones(0, 0);
	ring(OURS | 7, TO_AGENT);
	a = rung(anna);
	b = rung(stranger);
	assert_true(fact(MSG_LEG_RANG, &m));
	ua_answer(a);
	ua_answer(b);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_false(fact(MSG_LEG_ANSWERED, &m));
	assert_true(a->over != b->over);
	winner = a->over ? b : a;
	loser = a->over ? a : b;
	assert_non_null(ua_noted(loser, UA_CONFIRMED, 0)); /* the ACK */
	assert_non_null(ua_noted(loser, UA_BYE, 0));
	drop(OURS | 7);
	assert_non_null(noted(winner, UA_BYE));
}

static void
a_busy_phone_leaves_the_other_ringing(void **state)
{
	struct msg m;

	two_phones(486, 0);
	ring(OURS | 7, TO_AGENT);
	ua_answer(rung(stranger));
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	drop(OURS | 7);
	assert_non_null(noted(stranger->calls, UA_BYE));
}

static void
who_is_busy_on_one_phone_is_busy(void **state)
{
	two_phones(486, 480);
	ring(OURS | 7, TO_AGENT);
	refused(CAUSE_BUSY, 486);
}

static void
a_dead_phone_says_nothing_of_its_owner(void **state)
{
	struct ua_call *b;

	two_phones(0, 0);
	ua_close(anna);
	ring(OURS | 7, TO_AGENT);
	b = rung(stranger);
	(void)ua_run(world, 100, NULL, NULL);
	ua_refuse(b, 480);
	refused(CAUSE_REFUSED, 480);
}

static void
who_declines_on_one_phone_declines_on_all(void **state)
{
	struct ua_call *a;

	two_phones(0, 0);
	ring(OURS | 7, TO_AGENT);
	a = rung(anna);
	ua_refuse(rung(stranger), 603);
	refused(CAUSE_REFUSED, 603);
	assert_non_null(noted(a, UA_CANCELLED));
}

static void
when_nobody_wants_it_any_more_no_phone_rings_on(void **state)
{
	struct ua_call *a, *b;

	two_phones(0, 0);
	ring(OURS | 7, TO_AGENT);
	a = rung(anna);
	b = rung(stranger);
	drop(OURS | 7);
	assert_non_null(noted(a, UA_CANCELLED));
	assert_non_null(noted(b, UA_CANCELLED));
}

static void
phones_ring_on_in_the_next_life(void **state)
{
	struct ua_call *a, *b;
	struct msg m;

	two_phones(0, 0);
	ring(OURS | 7, TO_AGENT);
	a = rung(anna);
	b = rung(stranger);
	assert_true(fact(MSG_LEG_RANG, &m));
	dies_and_is_there_again(1);
	ring(OURS | 7, TO_AGENT); /* asked again */
	(void)ua_run(world, 300, NULL, NULL);
	assert_int_equal(calls_of(anna), 1);
	assert_int_equal(calls_of(stranger), 1);
	ua_answer(a);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (OURS | 7));
	assert_non_null(noted(b, UA_CANCELLED));
	dies_and_is_there_again(1);
	drop(OURS | 7);
	assert_non_null(noted(a, UA_BYE));
}

/* Both answer while nobody hears them: they say so again. */
static void
one_has_the_call_when_two_answered_between_two_lives(void **state)
{
	struct ua_call *a, *b;
	struct msg m;

	two_phones(0, 0);
	ring(OURS | 7, TO_AGENT);
	a = rung(anna);
	b = rung(stranger);
	assert_true(fact(MSG_LEG_RANG, &m));
	room_kill();
	ua_answer(a);
	ua_answer(b);
	(void)ua_run(world, 50, NULL, NULL);
	dies_and_is_there_again(1);
	ring(OURS | 7, TO_AGENT);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	(void)ua_run(world, SOON, NULL, NULL);
	assert_true(a->over != b->over);
	drop(OURS | 7);
	assert_non_null(noted(a, UA_BYE));
	assert_non_null(noted(b, UA_BYE));
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sip_room_usual, sip_room_over)
	const struct CMUnitTest tests[] = {
		T(a_first_180_just_before_we_move_on_counts),
		T(a_first_180_as_we_move_on_loses_nothing),
		T(a_first_180_just_after_we_moved_on_is_let_go),
		T(the_operator_says_how_long_a_silent_address_is_waited_for),
		T(who_answers_without_a_word_before_has_been_tried),
		T(the_first_phone_to_answer_has_the_call),
		T(of_two_that_answer_at_once_one_is_let_go),
		T(a_busy_phone_leaves_the_other_ringing),
		T(who_is_busy_on_one_phone_is_busy),
		T(a_dead_phone_says_nothing_of_its_owner),
		T(who_declines_on_one_phone_declines_on_all),
		T(when_nobody_wants_it_any_more_no_phone_rings_on),
		T(phones_ring_on_in_the_next_life),
		T(one_has_the_call_when_two_answered_between_two_lives),
	};
#undef T

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip rings", tests, NULL, NULL);
}
