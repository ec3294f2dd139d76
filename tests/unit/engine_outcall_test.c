/* logic/call: an agent calls out; who is it, to whom he calls? */

#include "tests/lib/mind.h"

enum { PHONE = 1 };

enum { AT_ONCE = 2, PER_HOUR = 6 };

static struct msg_ring_leg rung;
static struct msg_refuse_leg refused;
static struct msg_call_ended record;
static uint64_t phone; /* the leg of her last call */

static void
order(const struct msg *m)
{
	if (m->type == MSG_RING_LEG)
		rung = m->ring_leg;
	if (m->type == MSG_REFUSE_LEG)
		refused = m->refuse_leg;
	if (m->type == MSG_CALL_ENDED)
		record = m->call_ended;
}

static int
setup(void **state)
{
	mind_house(1);
	mind_queue();
	conf.outbound.allows = conf.outbound.vias = 1;
	strcpy(conf.outbound.allow[0], "+33*");
	conf.calls.ring = hf_ms(30000);
	rung = (struct msg_ring_leg){ 0 };
	refused = (struct msg_refuse_leg){ 0 };
	phone = PHONE - 1;
	return 0;
}

static void
dials(const char *number)
{
	struct msg m = { .type = MSG_LEG_ARRIVED };

	rung = (struct msg_ring_leg){ 0 };
	refused = (struct msg_refuse_leg){ 0 };
	m.leg_arrived.leg = ++phone;
	m.leg_arrived.agent = 0;
	m.leg_arrived.hops = 70;
	strcpy(m.leg_arrived.number, number);
	strcpy(m.leg_arrived.from, "201");
	m.leg_arrived.media.codec = CODEC_PCMU;
	tell(&m);
}

static void
anna_dials(const char *number)
{
	const struct msg there = { .type = MSG_AGENT_CAME };

	mind_wakes(order, NULL);
	media_comes();
	tell(&there);
	dials(number);
}

static void
an_extension_is_shown_where_nothing_is_said(void **state)
{
	anna_dials("+33123456789");
	assert_string_equal(rung.number, "+33123456789");
	assert_string_equal(rung.from, "201");
}

static void
the_companys_number_is_shown(void **state)
{
	strcpy(conf.outbound.number, "+33400000000");
	anna_dials("+33123456789");
	assert_string_equal(rung.from, "+33400000000");
}

static void
an_agents_own_number_goes_before_it(void **state)
{
	strcpy(conf.outbound.number, "+33400000000");
	strcpy(conf.agent[0].number, "+33400000201");
	anna_dials("+33123456789");
	assert_string_equal(rung.from, "+33400000201");
}

/* ---- on her account ------------------------------------------------------ */

static void
refers(uint64_t leg, const char *number)
{
	struct msg m = { .type = MSG_LEG_REFERRED };

	m.leg_referred.leg = leg;
	strcpy(m.leg_referred.target, number);
	tell(&m);
}

static bool
is_refused_over_limit(void)
{
	return rung.leg == 0 && refused.leg == phone && refused.code == 403 &&
	       record.cause == CAUSE_OVER_LIMIT;
}

/* She calls a number, and passes whom she reached on to another: both go on
 * talking without her, and she is free to do it again. */
static void
joins_two_outside(void)
{
	uint64_t first;

	dials("+33123456789");
	first = rung.leg;
	assert_true(first != 0);
	leg_answers(first);
	refers(phone, "+33987654321");
	if (rung.leg != first) {
		leg_answers(rung.leg);
		leg_leaves(phone);
	}
}

static void
one_account_has_so_many_calls_to_the_world_at_once(void **state)
{
	uint32_t out[CONF_AGENTS_MAX];

	conf.outbound.at_once = AT_ONCE;
	conf.outbound.per_hour = 1000;
	anna_dials("+33123456789");
	leg_answers(rung.leg);
	leg_leaves(phone);
	passes(60);
	/* Two legs: two calls on her account. */
	joins_two_outside();
	engine_outward(e, out);
	assert_int_equal(out[0], AT_ONCE);
	passes(60);
	dials("+33123456789");
	assert_true(is_refused_over_limit());
	assert_true(e->counts.refused_over_limit == 1);
	engine_check(e);
}

static void
who_passes_on_outside_pays_for_it(void **state)
{
	uint64_t first;

	conf.outbound.at_once = 1;
	conf.outbound.per_hour = 1000;
	anna_dials("+33123456789");
	first = rung.leg;
	leg_answers(first);
	refers(phone, "+33987654321");
	assert_true(rung.leg == first); /* nobody else was rung */
	assert_int_equal(e->counts.refused_over_limit, 1);
	leg_leaves(phone);
	passes(60);
	dials("+33123456789");
	assert_true(rung.leg != 0);
}

static void
one_account_has_so_many_calls_an_hour(void **state)
{
	conf.outbound.at_once = 10;
	conf.outbound.per_hour = PER_HOUR;
	anna_dials("+33123456789");
	for (int i = 0; i < PER_HOUR; i++) {
		if (i > 0)
			dials("+33123456789");
		assert_true(rung.leg != 0);
		leg_leaves(phone);
		passes(1);
	}
	dials("+33123456789");
	assert_true(is_refused_over_limit());
	/* An hour's share later. */
	passes(3600 / PER_HOUR);
	dials("+33123456789");
	assert_true(rung.leg != 0);
	leg_leaves(phone);
	dials("+33123456789");
	assert_true(is_refused_over_limit());
	/* After an hour all of it is there again. */
	passes(3601);
	for (int i = 0; i < PER_HOUR; i++) {
		dials("+33123456789");
		assert_true(rung.leg != 0);
		leg_leaves(phone);
	}
	dials("+33123456789");
	assert_true(is_refused_over_limit());
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(an_extension_is_shown_where_nothing_is_said),
		T(the_companys_number_is_shown),
		T(an_agents_own_number_goes_before_it),
		T(one_account_has_so_many_calls_to_the_world_at_once),
		T(who_passes_on_outside_pays_for_it),
		T(one_account_has_so_many_calls_an_hour),
	};
#undef T
	return cmocka_run_group_tests_name("engine outcall", tests, NULL, NULL);
}
