/* logic/call: hf-sip died, and with it the connections of some phones. */

#include "tests/lib/mind.h"

enum { CALLER = 1, BACK = 30, CAME = SECOND };

static struct msg_ring_leg rung; /* the newest leg of ours */
static unsigned rings;
static unsigned dropped;
static struct msg_call_ended ended;
static struct msg_evidence evidence;
static struct hf_span talked; /* by the last rung */
static unsigned given_up;     /* waits, because nobody is there */

static void
order(const struct msg *m)
{
	if (m->type == MSG_RING_LEG) {
		rung = m->ring_leg;
		rings++;
	}
	if (m->type == MSG_EVIDENCE)
		evidence = m->evidence;
	if (m->type == MSG_CALL_ENDED)
		ended = m->call_ended;
	if (m->type == MSG_RUNG_ENDED)
		talked = m->rung_ended.talked;
	dropped += m->type == MSG_DROP_LEG || m->type == MSG_REFUSE_LEG;
	given_up +=
	    m->type == MSG_PLAY_PROMPT && m->play_prompt.after == AFTER_SILENCE;
}

static int
setup(void **state)
{
	mind_house(2);
	mind_queue();
	conf.boxes = 1;
	conf.box[0].used = true;
	conf.box[0].max = hf_ms(60000);
	conf.box[0].messages = 10;
	conf.ladder[0].rung[1].kind = CONF_RUNG_VOICEMAIL;
	conf.calls.phones = hf_ms(BACK * 1000);
	mind_wakes(order, NULL);
	rings = dropped = given_up = 0;
	engine_wall(e, now, (struct hf_wall){ 1000 * SECOND });
	media_comes();
	anna_comes();
	return 0;
}

static void
who_is_not_named_is_not_rung_and_is_waited_for(void **state)
{
	sip_dies();
	caller_comes(CALLER);
	passes(BACK / 2);
	assert_int_equal(rings, 0);
	assert_int_equal(given_up, 0);
	anna_comes();
	assert_int_equal(rings, 1);
	leg_answers(rung.leg);
	passes(BACK);
	assert_int_equal(given_up, 0);
	engine_check(e);
}

static void
who_is_not_back_in_time_is_offline(void **state)
{
	sip_dies();
	caller_comes(CALLER);
	passes(BACK + 1);
	assert_int_equal(rings, 0);
	assert_int_equal(given_up, 1);
	/* Later is as good as new. */
	anna_comes();
	caller_comes(CALLER + 1);
	assert_int_equal(rings, 1);
	engine_check(e);
}

static void
who_is_named_does_not_notice(void **state)
{
	sip_dies();
	anna_comes();
	caller_comes(CALLER);
	assert_int_equal(rings, 1);
	leg_answers(rung.leg);
	leg_leaves(CALLER);
	passes(BACK + 1);
	caller_comes(CALLER + 1);
	assert_int_equal(rings, 2);
	assert_int_equal(given_up, 0);
}

/* Her phone could not be reached any more: that is not her fault, and she
 * would not know that she is not ready. */
static void
a_phone_that_was_ringing_then_is_not_blamed(void **state)
{
	struct msg m = { .type = MSG_LEG_REFUSED };

	caller_comes(CALLER);
	assert_int_equal(rings, 1);
	sip_dies();
	m.leg_refused.leg = rung.leg;
	m.leg_refused.cause = CAUSE_RESET;
	tell(&m);
	rings = 0;
	passes(BACK / 2);
	assert_int_equal(rings, 0);
	assert_int_equal(given_up, 0);
	anna_comes();
	assert_int_equal(rings, 1);
	engine_check(e);
}

/* Nor for a caller's phone that fell silent. */
static void
who_talked_to_a_caller_that_died_is_there_for_the_next(void **state)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	caller_comes(CALLER);
	leg_answers(rung.leg);
	m.leg_left.leg = CALLER;
	m.leg_left.cause = CAUSE_TIMEOUT;
	tell(&m);
	caller_comes(CALLER + 1);
	assert_int_equal(rings, 2);
	engine_check(e);
}

/* Whoever is free by that has nobody to be rung for any more. */
static void
a_house_that_closes_lets_everybody_go(void **state)
{
	caller_comes(CALLER);
	leg_answers(rung.leg);
	caller_comes(CALLER + 1);
	assert_int_equal(engine_calls(e), 2);
	house_closes();
	assert_int_equal(engine_calls(e), 0);
	assert_int_equal(rings, 1);
	assert_int_equal(dropped, 3);
	engine_check(e);
}

/* What happened since is not known: it is not counted as talk. */
static void
a_call_that_a_sleep_has_ended_was_over_when_it_began(void **state)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	caller_comes(CALLER);
	leg_answers(rung.leg);
	for (int i = 0; i < 5; i++)
		passes(1);
	mind_sleeps(100);
	media_comes();
	m.leg_left.leg = CALLER;
	m.leg_left.cause = CAUSE_OUR_FAULT;
	tell(&m);
	assert_int_equal(engine_calls(e), 0);
	assert_int_equal(ended.cause, CAUSE_OUR_FAULT);
	assert_int_equal(ended.ended.us - CAME, 5 * SECOND);
	assert_int_equal(talked.us, 5 * SECOND);
	/* Of the next one all is known. */
	caller_comes(CALLER + 1);
	passes(2);
	leg_leaves(CALLER + 1);
	assert_int_equal(ended.ended.us, now.us);
}

/* Nobody counts on somebody who has no phone, also while it is waited for. */
static void
without_a_phone_he_is_offline_from_the_first_moment_on(void **state)
{
	struct hf_wall since;

	since = e->agent[0].since;
	assert_int_not_equal(since.us, 0);
	mind_sleeps(100);
	assert_int_equal(e->agent[0].since.us, since.us);
	assert_string_equal(engine_agent_why(e, 0), "phone awaited");
	sip_dies();
	assert_int_equal(engine_agent_state(e, 0), AGENT_STATE_OFFLINE);
	passes(BACK / 2);
	assert_int_equal(engine_agent_state(e, 0), AGENT_STATE_OFFLINE);
	anna_comes();
	assert_int_equal(engine_agent_state(e, 0), AGENT_STATE_AVAILABLE);
	assert_string_equal(engine_agent_why(e, 0), "registered");
	assert_int_equal(e->agent[0].since.us, since.us);
	mind_sleeps(100);
	sip_dies();
	passes(BACK + 1);
	assert_int_equal(e->agent[0].state, AGENT_STATE_OFFLINE);
}

static void
hears_nothing(void)
{
	struct msg m = { .type = MSG_STREAM_ONE_WAY };

	m.stream_one_way.stream = engine_call(e, 0)->helper[0].stream;
	tell(&m);
}

static void
dialog_dies(uint64_t leg)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	m.leg_left.leg = leg;
	m.leg_left.cause = CAUSE_TIMEOUT;
	tell(&m);
}

/* It crashed in a call, and was still registered when it started again. */
static void
a_phone_that_starts_again_is_there_for_the_next(void **state)
{
	caller_comes(CALLER);
	leg_answers(rung.leg);
	hears_nothing();
	leg_leaves(CALLER);
	assert_int_equal(e->agent[0].state, AGENT_STATE_NOT_READY);
	/* Its old self may still renew, and its sound is as it was. */
	annas_phone(false);
	assert_int_equal(e->agent[0].state, AGENT_STATE_NOT_READY);
	annas_phone(true);
	assert_int_equal(e->agent[0].state, AGENT_STATE_AVAILABLE);
	/* It was quicker than our judgement. */
	caller_comes(CALLER + 1);
	leg_answers(rung.leg);
	annas_phone(true);
	dialog_dies(rung.leg);
	assert_int_not_equal(e->agent[0].state, AGENT_STATE_NOT_READY);
	engine_check(e);
}

static void
a_phone_that_is_reached_again_is_there_for_the_next(void **state)
{
	caller_comes(CALLER);
	leg_answers(rung.leg);
	dialog_dies(rung.leg);
	assert_int_equal(e->agent[0].state, AGENT_STATE_NOT_READY);
	assert_string_equal(engine_agent_why(e, 0), cause_name(CAUSE_TIMEOUT));
	annas_phone(false);
	assert_int_not_equal(e->agent[0].state, AGENT_STATE_NOT_READY);
	engine_check(e);
}

/* Not the phone is missing but she: only she can say that she is back. */
static void
who_does_not_answer_is_not_called_back_by_her_phone(void **state)
{
	struct msg m = { .type = MSG_LEG_REFUSED };

	caller_comes(CALLER);
	for (int i = 0; i < 2; i++) {
		m.leg_refused.leg = rung.leg;
		m.leg_refused.cause = CAUSE_NO_ANSWER;
		tell(&m);
	}
	assert_int_equal(e->agent[0].state, AGENT_STATE_NOT_READY);
	assert_string_equal(engine_agent_why(e, 0), "did not answer");
	annas_phone(false);
	annas_phone(true);
	assert_int_equal(e->agent[0].state, AGENT_STATE_NOT_READY);
	engine_check(e);
}

/* The caller's silence while hf-media was away has no other witness. */
static void
the_time_without_hf_media_is_in_the_record(void **state)
{
	caller_comes(CALLER);
	leg_answers(rung.leg);
	engine_media_gone(e, 0, now);
	now.us += 70000;
	media_comes();
	assert_string_equal(evidence.what, "room_returned");
	assert_string_equal(evidence.detail, "hf-media after 70 ms");
	engine_media_gone(e, 0, now);
	now.us += 30000;
	media_comes();
	evidence.what[0] = '\0';
	media_comes(); /* it had not gone */
	assert_string_equal(evidence.what, "");
	leg_leaves(CALLER);
	assert_int_equal(ended.worst_gap.us, 70000);
	engine_check(e);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(who_is_not_named_is_not_rung_and_is_waited_for),
		T(who_is_not_back_in_time_is_offline),
		T(who_is_named_does_not_notice),
		T(a_phone_that_was_ringing_then_is_not_blamed),
		T(a_house_that_closes_lets_everybody_go),
		T(a_call_that_a_sleep_has_ended_was_over_when_it_began),
		T(without_a_phone_he_is_offline_from_the_first_moment_on),
		T(a_phone_that_starts_again_is_there_for_the_next),
		T(a_phone_that_is_reached_again_is_there_for_the_next),
		T(who_does_not_answer_is_not_called_back_by_her_phone),
		T(the_time_without_hf_media_is_in_the_record),
		T(who_talked_to_a_caller_that_died_is_there_for_the_next),
	};

	return cmocka_run_group_tests_name(
	    "logic/call/engine phones", tests, NULL, NULL);
}
