/* A party dies in every state of a call and goes on from its records. */

#include "tests/lib/sip_calls.h"

/* ---- a talk -------------------------------------------------------------- */

static void
a_talk_goes_on_and_either_side_ends_it(void **state)
{
	for (int who = 0; who < 4; who++) {
		struct party *ends = who % 2 == 0 ? a : b;
		struct party *hears = who % 2 == 0 ? b : a;

		(void)call_up();
		world_dies(w, who < 2 ? A : B, false);
		world_run(w, 100);
		drop(ends);
		world_run(w, 20);
		assert_int_equal(hears->seen[W_LEFT], 1);
		assert_int_equal(hears->how, SIP_LEFT_BYE);
		assert_null(world_session(a));
		assert_null(world_session(b));
		hears->seen[W_LEFT] = 0;
		b->seen[W_CONFIRMED] = 0;
	}
	all_is_gone();
}

static void
what_may_follow_in_a_talk_follows(void **state)
{
	(void)call_up();
	world_dies(w, A, false);
	world_dies(w, B, false);
	reinvite(a, "v=0 moved");
	world_run(w, 20);
	assert_int_equal(b->seen[W_REOFFERED], 1);
	assert_int_equal(a->seen[W_REANSWERED], 1);
	assert_int_equal(a->status, 200);
	inform(b, "text/plain", "hello");
	world_run(w, 20);
	assert_int_equal(a->seen[W_INFO], 1);
	/* The next CSeq, not one that was used before. */
	world_dies(w, A, false);
	reinvite(a, "v=0 again");
	world_run(w, 20);
	assert_int_equal(b->seen[W_REOFFERED], 2);
	assert_int_equal(b->ss.count.out_of_order, 0);
	drop(a);
	all_is_gone();
}

static void
a_talk_that_nobody_wants_any_more_is_said_goodbye(void **state)
{
	(void)call_up();
	world_dies(w, A, true);
	world_run(w, 20);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_BYE);
	assert_int_equal(a->seen[W_LEFT], 0);
	all_is_gone();
}

static void
a_goodbye_that_was_under_way_is_said_again(void **state)
{
	(void)call_up();
	w->dead[B] = true;
	drop(a);
	(void)session(a, SIP_S_LEAVING);
	w->queued = 0; /* its BYE never left */
	w->dead[B] = false;
	world_dies(w, A, false);
	world_run(w, 20);
	assert_int_equal(b->seen[W_LEFT], 1);
	all_is_gone();
}

/* ---- we call ------------------------------------------------------------- */

static void
our_call_rings_on_and_is_answered(void **state)
{
	(void)call_rings();
	world_dies(w, A, false);
	world_run(w, 20);
	(void)session(a, SIP_S_CALLING);
	assert_int_equal(b->seen[W_ARRIVED], 1); /* no second call */
	answer(b, "v=0 at last");
	world_run(w, 20);
	assert_int_equal(a->seen[W_ANSWERED], 1);
	(void)session(b, SIP_S_UP);
	drop(a);
	all_is_gone();
}

static void
an_invite_that_never_left_leaves_now(void **state)
{
	assert_non_null(world_call(w, A, B));
	w->queued = 0;
	world_dies(w, A, false);
	world_run(w, 20);
	(void)session(a, SIP_S_UP);
	assert_int_equal(a->seen[W_ANSWERED], 1);
	drop(a);
	all_is_gone();
}

static void
an_answer_that_came_meanwhile_is_heard(void **state)
{
	assert_non_null(world_call(w, A, B));
	world_run(w, 1); /* it is on its way back */
	world_dies(w, A, false);
	world_run(w, 20);
	assert_int_equal(a->seen[W_ANSWERED], 1);
	assert_int_equal(b->seen[W_CONFIRMED], 1);
	assert_int_equal(b->seen[W_ARRIVED], 1);
	drop(b);
	all_is_gone();
}

static void
a_call_that_nobody_wants_any_more_is_cancelled(void **state)
{
	(void)call_rings();
	world_dies(w, A, true);
	world_run(w, 20);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_CANCEL);
	assert_int_equal(a->seen[W_REFUSED], 0);
	all_is_gone();
}

static void
who_answers_a_call_that_nobody_wants_hears_ack_and_bye(void **state)
{
	(void)call_rings();
	answer(b, "v=0 too late");
	world_dies(w, A, true);
	world_run(w, 50);
	assert_int_equal(b->seen[W_CONFIRMED], 1);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_BYE);
	assert_int_equal(a->seen[W_ANSWERED], 0);
	all_is_gone();
}

static void
our_call_is_given_up_at_its_old_deadline(void **state)
{
	struct sip_session *s;

	b->answers = false;
	s = world_call(w, A, B);
	assert_non_null(s);
	s->give_up = hf_time_after(w->now, hf_ms(3000));
	world_run(w, 1000);
	world_dies(w, A, false);
	world_run(w, 1900);
	assert_int_equal(a->seen[W_REFUSED], 0);
	world_run(w, 200);
	assert_int_equal(a->seen[W_REFUSED], 1);
	assert_int_equal(b->how, SIP_LEFT_CANCEL);
	all_is_gone();
}

/* ---- he calls ------------------------------------------------------------ */

static void
his_call_waits_for_its_answer(void **state)
{
	(void)call_rings();
	world_dies(w, B, false);
	world_run(w, 100);
	answer(b, "v=0 of the next life");
	world_run(w, 20);
	assert_string_equal(a->body, "v=0 of the next life");
	assert_int_equal(b->seen[W_CONFIRMED], 1);
	assert_int_equal(b->seen[W_ARRIVED], 1);
	drop(a);
	all_is_gone();
}

static bool
lose_answers(struct world *x, uint8_t from, struct hf_slice m)
{
	(void)x;
	return from == B && hf_slice_starts(m, HF_SLICE("SIP/2.0"));
}

static void
his_invite_once_more_makes_no_second_call(void **state)
{
	b->answers = false;
	w->lose = lose_answers; /* no 100 reaches him: he repeats */
	assert_non_null(world_call(w, A, B));
	world_run(w, 20);
	world_dies(w, B, false);
	world_run(w, 4000);
	assert_int_equal(b->seen[W_ARRIVED], 1);
	w->lose = NULL;
	answer(b, "v=0");
	/* Nor does it behind a 2xx that was lost. */
	w->lose = lose_answers;
	w->queued = 0;
	world_dies(w, B, false);
	world_run(w, 4000);
	assert_int_equal(b->seen[W_ARRIVED], 1);
	(void)session(b, SIP_S_ANSWERED);
	w->lose = NULL;
	world_run(w, 5000);
	assert_int_equal(a->seen[W_ANSWERED], 1);
	(void)session(b, SIP_S_UP);
	drop(b);
	all_is_gone();
}

static void
his_call_is_cancelled_in_the_next_life(void **state)
{
	(void)call_rings();
	world_dies(w, B, false);
	drop(a);
	world_run(w, 20);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_CANCEL);
	all_is_gone();
}

static void
his_call_that_nobody_wants_any_more_hears_503(void **state)
{
	(void)call_rings();
	world_dies(w, B, true);
	world_run(w, 20);
	assert_int_equal(a->seen[W_REFUSED], 1);
	assert_int_equal(a->status, 503);
	all_is_gone();
}

static void
our_answer_is_repeated_until_its_old_deadline(void **state)
{
	w->lose = lose_acks;
	assert_non_null(world_call(w, A, B));
	world_run(w, 20);
	(void)session(b, SIP_S_ANSWERED);
	world_run(w, 20000);
	world_dies(w, B, false);
	world_run(w, 11000); /* 31 of 32 s */
	(void)session(b, SIP_S_ANSWERED);
	assert_int_equal(b->seen[W_LEFT], 0);
	world_run(w, 1500);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_NO_ACK);
	assert_int_equal(a->seen[W_LEFT], 1); /* our BYE */
	all_is_gone();
}

static void
a_reinvite_of_his_is_still_answered(void **state)
{
	(void)call_up();
	w->lose = lose_acks;
	reinvite(a, "v=0 moved");
	world_run(w, 20);
	world_dies(w, B, false);
	world_run(w, 2000);
	assert_int_equal(b->seen[W_REOFFERED], 1);
	assert_true(session(b, SIP_S_UP)->unacked);
	w->lose = NULL;
	world_run(w, 5000);
	assert_false(session(b, SIP_S_UP)->unacked);
	drop(b);
	all_is_gone();
}

/* ---- records that are not what they were --------------------------------- */

static void
a_record_that_makes_no_sense_is_let_go(void **state)
{
	static struct sip_record good, bad;

	(void)call_up();
	(void)sip_record_write(&a->ss, session(a, SIP_S_UP), &good);
	drop(a);
	world_run(w, 2 * LONG);
	bad = good;
	bad.ref.n = WORLD_SESSIONS;
	assert_null(
	    sip_session_restore(&a->ss, &bad, HF_SLICE(""), true, w->now));
	bad = good;
	bad.ref.gen++;
	assert_null(
	    sip_session_restore(&a->ss, &bad, HF_SLICE(""), true, w->now));
	bad = good;
	bad.state = SIP_S_NR;
	assert_null(
	    sip_session_restore(&a->ss, &bad, HF_SLICE(""), true, w->now));
	bad = good;
	bad.length[SIP_TEXT_ROUTES] = UINT16_MAX;
	assert_null(
	    sip_session_restore(&a->ss, &bad, HF_SLICE(""), true, w->now));
	/* Calls that wait for something, and nobody knows for what. */
	for (int s = SIP_S_INVITED; s <= SIP_S_CANCELLING; s++) {
		bad = good;
		bad.state = (uint8_t)s;
		assert_null(sip_session_restore(
		    &a->ss, &bad, HF_SLICE("INVITE nonsense"), true, w->now));
	}
	all_is_gone();
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, calls_begin, calls_end)
	const struct CMUnitTest tests[] = {
		T(a_talk_goes_on_and_either_side_ends_it),
		T(what_may_follow_in_a_talk_follows),
		T(a_talk_that_nobody_wants_any_more_is_said_goodbye),
		T(a_goodbye_that_was_under_way_is_said_again),
		T(our_call_rings_on_and_is_answered),
		T(an_invite_that_never_left_leaves_now),
		T(an_answer_that_came_meanwhile_is_heard),
		T(a_call_that_nobody_wants_any_more_is_cancelled),
		T(who_answers_a_call_that_nobody_wants_hears_ack_and_bye),
		T(our_call_is_given_up_at_its_old_deadline),
		T(his_call_waits_for_its_answer),
		T(his_invite_once_more_makes_no_second_call),
		T(his_call_is_cancelled_in_the_next_life),
		T(his_call_that_nobody_wants_any_more_hears_503),
		T(our_answer_is_repeated_until_its_old_deadline),
		T(a_reinvite_of_his_is_still_answered),
		T(a_record_that_makes_no_sense_is_let_go),
	};
#undef T

	return cmocka_run_group_tests_name("io/sip/record", tests, NULL, NULL);
}
