/* logic/call: what emergency calls, which hf-sip routes, leave to be done. */

#include "tests/lib/mind.h"

enum { SOS_CALLS = 1 };

static struct msg_call_ended ended;
static struct msg_rung_ended rung;
static uint64_t noted, bot;
static unsigned records;
static uint32_t highest;

static void
order(const struct msg *m)
{
	if (m->type == MSG_OPEN_STREAM && m->open_stream.stream.n > highest)
		highest = m->open_stream.stream.n;
	if (m->type == MSG_RING_LEG)
		bot = m->ring_leg.leg;
	if (m->type == MSG_RUNG_ENDED)
		rung = m->rung_ended;
	if (m->type == MSG_NOTE_EMERGENCY)
		noted = m->note_emergency.leg;
	if (m->type != MSG_CALL_ENDED)
		return;
	ended = m->call_ended;
	records++;
}

static int
setup(void **state)
{
	(void)state;
	mind_bots(1);
	conf.calls_max = 100;
	conf.emergency.calls = SOS_CALLS;
	mind_wakes(order, NULL);
	records = 0;
	highest = 0;
	noted = 0;
	media_comes();
	return 0;
}

/* hf-sip takes them without asking. */
static void
the_streams_kept_for_them_are_nobody_else_s(void **state)
{
	uint32_t first = conf_sos_first(&conf);

	(void)state;
	assert_true(first < conf_streams(&conf));
	for (uint64_t leg = 1; records == 0; leg++) {
		caller_comes(leg);
		leg_answers(bot);
	}
	assert_int_equal(ended.cause, CAUSE_BUSY);
	assert_int_equal(highest, first - 1);
	engine_check(e);
}

static void
its_record_is_written_and_hf_sip_may_forget_it(void **state)
{
	struct msg m = { .type = MSG_EMERGENCY_ENDED };
	struct msg_emergency_ended *f = &m.emergency_ended;

	(void)state;
	f->leg = 77;
	f->line = 78;
	f->trunk = CONF_NONE;
	f->cause = CAUSE_DONE;
	f->lines = 2;
	f->came.us = 5;
	f->answered.us = 6;
	f->ended.us = 7;
	strcpy(f->id, "lyon-e-1");
	strcpy(f->number, "112");
	strcpy(f->over, "spare");
	strcpy(f->tried, "carrier refused 503, spare answered");
	tell(&m);
	assert_int_equal(noted, 77);
	assert_int_equal(records, 1);
	assert_string_equal(ended.id, "lyon-e-1");
	assert_string_equal(ended.ladder, "emergency");
	assert_string_equal(ended.last_name, "spare");
	assert_int_equal(ended.answered.us, 6);
	assert_int_equal(ended.steps, 2);
	assert_string_equal(rung.id, "lyon-e-1");
	assert_string_equal(rung.evidence, f->tried);
	assert_int_equal(rung.leg, 78);
	assert_int_equal(rung.talked.us, 1);
	/* Again, under the same name: the journal counts it once. */
	tell(&m);
	assert_string_equal(ended.id, "lyon-e-1");
	assert_int_equal(engine_calls(e), 0);
}

static void
whoever_made_room_has_it_in_his_record(void **state)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	(void)state;
	caller_comes(1);
	leg_answers(bot);
	m.leg_left.leg = 1;
	m.leg_left.cause = CAUSE_PREEMPTED;
	m.leg_left.code = 503;
	tell(&m);
	assert_int_equal(records, 1);
	assert_int_equal(ended.cause, CAUSE_PREEMPTED);
	engine_check(e);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(the_streams_kept_for_them_are_nobody_else_s),
		T(its_record_is_written_and_hf_sip_may_forget_it),
		T(whoever_made_room_has_it_in_his_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
