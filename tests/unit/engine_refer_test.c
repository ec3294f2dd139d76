/* logic/call: what was on its way is said again to an hf-sip that died. */

#include "tests/lib/mind.h"

enum { CALLER = 1 };

static struct msg_ring_leg rung; /* the newest leg of ours */
static struct msg_report_refer reported;
static struct msg_refuse_leg refused;
static unsigned rings, reports, refusals;

static void
order(const struct msg *m)
{
	if (m->type == MSG_RING_LEG) {
		rung = m->ring_leg;
		rings++;
	}
	if (m->type == MSG_REPORT_REFER) {
		reported = m->report_refer;
		reports++;
	}
	if (m->type == MSG_REFUSE_LEG) {
		refused = m->refuse_leg;
		refusals++;
	}
}

static int
setup(void **state)
{
	mind_house(1);
	mind_queue();
	conf.outbound.allows = conf.outbound.vias = 1;
	strcpy(conf.outbound.allow[0], "+33*");
	conf.calls.ring = hf_ms(30000);
	mind_wakes(order, NULL);
	rings = reports = refusals = 0;
	media_comes();
	anna_comes();
	return 0;
}

static void
refers(uint64_t leg)
{
	struct msg m = { .type = MSG_LEG_REFERRED };

	m.leg_referred.leg = leg;
	strcpy(m.leg_referred.target, "+33123456789");
	tell(&m);
}

/* Anna talks to a caller, and passes him on: her leg. */
static uint64_t
passes_on(void)
{
	uint64_t anna;

	caller_comes(CALLER);
	anna = rung.leg;
	leg_answers(anna);
	refers(anna);
	assert_int_equal(rings, 2);
	assert_string_equal(rung.number, "+33123456789");
	return anna;
}

static void
who_was_named_is_rung_again_and_nobody_else(void **state)
{
	uint64_t named;

	passes_on();
	named = rung.leg;
	rung = (struct msg_ring_leg){ 0 };
	passes(10);
	sip_dies();
	assert_int_equal(rings, 3);
	assert_true(rung.leg == named);
	assert_string_equal(rung.number, "+33123456789");
	assert_in_range(rung.give_up.us, SECOND, 25 * SECOND);
	engine_check(e);
}

static void
what_is_asked_twice_is_done_once(void **state)
{
	refers(passes_on());
	assert_int_equal(rings, 2);
	assert_int_equal(reports, 0);
}

static void
what_came_of_it_is_said_again_to_a_new_process(void **state)
{
	struct msg m = { .type = MSG_LEG_REFUSED };
	uint64_t anna = passes_on();

	m.leg_refused.leg = rung.leg;
	m.leg_refused.cause = CAUSE_BUSY;
	m.leg_refused.code = 486;
	tell(&m);
	assert_int_equal(reports, 1);
	sip_dies();
	assert_int_equal(reports, 2);
	assert_true(reported.leg == anna);
	assert_int_equal(reported.code, 486);
	/* Long ago: it was heard. */
	passes(5);
	sip_dies();
	assert_int_equal(reports, 2);
	engine_check(e);
}

/* hf-sip tells of a caller who has no answer: whatever we said was lost. */
static void
who_was_refused_is_refused_again_and_nobody_is_rung_twice(void **state)
{
	struct msg m = { .type = MSG_LEG_ARRIVED };
	struct msg busy = { .type = MSG_LEG_REFUSED };

	m.leg_arrived.leg = CALLER;
	m.leg_arrived.agent = 0;
	m.leg_arrived.trunk = CONF_NONE;
	m.leg_arrived.hops = 70;
	strcpy(m.leg_arrived.number, "+33123456789");
	m.leg_arrived.media.codec = CODEC_PCMU;
	tell(&m);
	assert_int_equal(rings, 1);
	busy.leg_refused.leg = rung.leg;
	busy.leg_refused.cause = CAUSE_BUSY;
	busy.leg_refused.code = 486;
	tell(&busy);
	assert_int_equal(refusals, 1);
	sip_dies();
	tell(&m);
	assert_int_equal(refusals, 2);
	assert_int_equal(refused.leg, CALLER);
	assert_int_equal(refused.code, 486);
	assert_int_equal(rings, 1);
	assert_int_equal(engine_calls(e), 0);
	engine_check(e);
}

/* It is there as it was, and we are not: what we had ordered may have died with
 * us, between our record and the wire. */
static void
who_was_to_be_rung_when_we_died_is_rung(void **state)
{
	struct msg m = { .type = MSG_SIP_STARTED };
	uint64_t anna;

	caller_comes(CALLER);
	assert_int_equal(rings, 1);
	anna = rung.leg;
	rung = (struct msg_ring_leg){ 0 };
	mind_sleeps(0);
	media_comes();
	tell(&m);
	assert_int_equal(rings, 2);
	assert_true(rung.leg == anna);
	/* Once: hf-sip has heard it. */
	tell(&m);
	assert_int_equal(rings, 2);
	engine_check(e);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(who_was_named_is_rung_again_and_nobody_else),
		T(what_is_asked_twice_is_done_once),
		T(what_came_of_it_is_said_again_to_a_new_process),
		T(who_was_refused_is_refused_again_and_nobody_is_rung_twice),
		T(who_was_to_be_rung_when_we_died_is_rung),
	};

	return cmocka_run_group_tests_name(
	    "logic/call/engine refer", tests, NULL, NULL);
}
