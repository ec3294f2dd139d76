/* logic/call: a caller who comes while the house is still waking up. */

#include "tests/lib/mind.h"

#define LEG 77

static unsigned refused, records;
static struct msg_call_ended record;
static struct msg_evidence evidence;
static uint32_t entered, in_hand = HF_MAP_NONE;

static void
order(const struct msg *m)
{
	refused += m->type == MSG_REFUSE_LEG;
	records += m->type == MSG_CALL_ENDED;
	if (m->type == MSG_CALL_ENDED)
		record = m->call_ended;
	if (m->type == MSG_EVIDENCE)
		evidence = m->evidence;
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
	refused = records = 0;
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
an_early_caller_who_leaves_leaves_his_record_alone(void **state)
{
	caller_comes(LEG);
	leg_leaves(LEG);
	media_comes();
	assert_int_equal(engine_calls(e), 0);
	assert_int_equal(records, 1);
	assert_int_equal(record.cause, CAUSE_CALLER_LEFT);
	assert_string_equal(record.number, "100");
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

static void
turned_away(uint64_t leg, int64_t at_ms)
{
	struct msg m = { .type = MSG_LEG_TURNED_AWAY };

	m.leg_turned_away.leg = leg;
	m.leg_turned_away.agent = CONF_NONE;
	m.leg_turned_away.code = 488;
	m.leg_turned_away.cause = CAUSE_REFUSED;
	m.leg_turned_away.at.us = at_ms * 1000;
	strcpy(m.leg_turned_away.number, "100");
	tell(&m);
}

static void
whom_hf_sip_turned_away_has_a_record(void **state)
{
	turned_away(LEG, 5000);
	assert_int_equal(records, 1);
	assert_int_equal(record.cause, CAUSE_REFUSED);
	assert_true(record.caller_leg == LEG);
	assert_true(record.came.us == 5000 * 1000);
	assert_string_equal(record.number, "100");
	/* hfctl why tells what he heard. */
	assert_string_equal(evidence.id, record.id);
	assert_string_equal(evidence.detail, "488 hf-sip");
	assert_int_equal(engine_calls(e), 0);
}

/* Ten a second of theirs, whenever we hear of it. */
static void
a_flood_of_them_is_counted(void **state)
{
	for (unsigned i = 0; i < 25; i++)
		turned_away(i + 1, 5000 + i);
	assert_int_equal(records, 10);
	assert_int_equal(e->counts.refused_untold, 15);
	turned_away(99, 6000);
	assert_int_equal(records, 11);
}

/* It was away when he left, and could not know whom we know. */
static void
a_call_we_know_ends_once(void **state)
{
	media_comes();
	caller_comes(LEG);
	assert_int_equal(engine_calls(e), 1);
	turned_away(LEG, 5000);
	turned_away(LEG + 1, 5000);
	assert_int_equal(records, 2);
	engine_check(e);
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
		T(an_early_caller_who_leaves_leaves_his_record_alone),
		T(whom_hf_sip_turned_away_has_a_record),
		T(a_flood_of_them_is_counted),
		T(a_call_we_know_ends_once),
		T(more_early_callers_than_places_are_refused),
		T(the_call_in_hand_is_named_while_it_is_in_hand),
	};

	return cmocka_run_group_tests_name(
	    "logic/call/engine early", tests, NULL, NULL);
}
