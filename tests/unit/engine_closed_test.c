/* logic/call: a helper's media port is closed; has it failed, or hung up? */

#include "tests/lib/mind.h"

enum { CALLER = 1, WAIT_MS = 10 };

static uint64_t bot;
static struct hf_ref stream;
static struct msg_rung_ended rung;
static struct msg_call_ended ended;
static unsigned rungs, rescues, drops;

static void
order(const struct msg *m)
{
	if (m->type == MSG_RING_LEG)
		bot = m->ring_leg.leg;
	if (m->type == MSG_OPEN_STREAM)
		stream = m->open_stream.stream; /* the newest: the bot's */
	if (m->type == MSG_RUNG_ENDED) {
		rung = m->rung_ended;
		rungs++;
	}
	rescues += m->type == MSG_CALL_RESCUED;
	drops += m->type == MSG_DROP_LEG;
	if (m->type == MSG_CALL_ENDED)
		ended = m->call_ended;
}

static int
setup(void **state)
{
	struct msg spoke = { .type = MSG_STREAM_SPOKE };
	struct msg closed = { .type = MSG_STREAM_REFUSED };

	mind_bots(2);
	for (unsigned i = 0; i < 2; i++) {
		conf.helper[i].guard.bye_wait = hf_ms(WAIT_MS);
		conf.helper[i].guard.lost = hf_ms(1000);
		conf.helper[i].guard.vote_min = 5;
	}
	mind_wakes(order, NULL);
	rungs = rescues = 0;
	media_comes();
	caller_comes(CALLER);
	leg_answers(bot);
	spoke.stream_spoke.stream = closed.stream_refused.stream = stream;
	tell(&spoke);
	passes(5);
	tell(&closed);
	return 0;
}

static void
falls_silent(void)
{
	struct msg m = { .type = MSG_STREAM_SUSPECT };

	m.stream_suspect.stream = stream;
	m.stream_suspect.last = now;
	tell(&m);
}

static void
who_says_bye_behind_it_has_hung_up(void **state)
{
	assert_int_equal(rungs, 0);
	leg_leaves(bot);
	assert_int_equal(rungs, 1);
	assert_int_equal(rung.cause, CAUSE_DONE);
	passes(1);
	assert_int_equal(rescues, 0);
	engine_check(e);
}

static void
who_does_not_is_lost(void **state)
{
	passes_ms(WAIT_MS - 1);
	assert_int_equal(rungs, 0);
	passes_ms(1);
	assert_int_equal(rungs, 1);
	assert_int_equal(rung.cause, CAUSE_ICMP);
	assert_int_equal(rescues, 1);
	engine_check(e);
}

/* hf-sip had read the BYE and died: it is said again half a second later. */
static void
who_may_have_said_bye_to_a_process_that_died_is_waited_for(void **state)
{
	sip_dies();
	passes_ms(WAIT_MS);
	passes_ms(500);
	assert_int_equal(rungs, 0);
	leg_leaves(bot);
	assert_int_equal(rungs, 1);
	assert_int_equal(rung.cause, CAUSE_DONE);
	assert_int_equal(rescues, 0);
	engine_check(e);
}

/* And it was the first time that it fell silent because it had hung up. */
static void
who_says_it_again_after_a_silence_has_hung_up(void **state)
{
	falls_silent();
	sip_dies();
	passes_ms(WAIT_MS);
	passes_ms(490);
	leg_leaves(bot);
	assert_int_equal(rung.cause, CAUSE_DONE);
	assert_int_equal(rescues, 0);
	engine_check(e);
}

static void
who_says_it_after_a_silence_of_its_own_has_failed(void **state)
{
	falls_silent();
	leg_leaves(bot);
	assert_int_equal(rung.cause, CAUSE_RTP_STOPPED);
	assert_int_equal(rescues, 1);
	engine_check(e);
}

static void
but_not_for_ever(void **state)
{
	sip_dies();
	for (int ms = 0; ms < 650; ms += WAIT_MS)
		passes_ms(WAIT_MS);
	assert_int_equal(rungs, 1);
	assert_int_equal(rung.cause, CAUSE_ICMP);
	assert_int_equal(rescues, 1);
	engine_check(e);
}

static void
a_caller_whose_phone_knows_of_no_call_has_left(void **state)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	m.leg_left.leg = CALLER;
	m.leg_left.cause = CAUSE_TIMEOUT;
	m.leg_left.code = 481;
	tell(&m);
	assert_int_equal(ended.cause, CAUSE_CALLER_LEFT);
	engine_check(e);
}

/* The slots let it go, because the mind has died of it twice. */
static void
a_call_that_kills_is_ended_in_the_record(void **state)
{
	struct call c = *engine_call(e, 0);

	ended = (struct msg_call_ended){ .cause = CAUSE_NONE };
	mind_dies_of(&c);
	assert_int_equal(ended.cause, CAUSE_OUR_FAULT);
	assert_string_equal(ended.id, c.id);
	assert_int_equal(engine_calls(e), 0);
	/* Its leg is a stray now, and is let go. */
	drops = 0;
	leg_answers(bot);
	assert_int_equal(drops, 1);
	engine_check(e);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(who_says_bye_behind_it_has_hung_up),
		T(who_does_not_is_lost),
		T(who_may_have_said_bye_to_a_process_that_died_is_waited_for),
		T(but_not_for_ever),
		T(a_call_that_kills_is_ended_in_the_record),
		T(who_says_it_again_after_a_silence_has_hung_up),
		T(who_says_it_after_a_silence_of_its_own_has_failed),
		T(a_caller_whose_phone_knows_of_no_call_has_left),
	};
#undef T
	return cmocka_run_group_tests_name("engine closed", tests, NULL, NULL);
}
