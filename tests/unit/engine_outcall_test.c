/* logic/call: an agent calls out; who is it, to whom he calls? */

#include "tests/lib/mind.h"

enum { PHONE = 1 };

static struct msg_ring_leg rung;

static void
order(const struct msg *m)
{
	if (m->type == MSG_RING_LEG)
		rung = m->ring_leg;
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
	return 0;
}

static void
anna_dials(const char *number)
{
	const struct msg there = { .type = MSG_AGENT_CAME };
	struct msg m = { .type = MSG_LEG_ARRIVED };

	mind_wakes(order, NULL);
	media_comes();
	tell(&there);
	m.leg_arrived.leg = PHONE;
	m.leg_arrived.agent = 0;
	m.leg_arrived.hops = 70;
	strcpy(m.leg_arrived.number, number);
	strcpy(m.leg_arrived.from, "201");
	m.leg_arrived.media.codec = CODEC_PCMU;
	tell(&m);
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

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(an_extension_is_shown_where_nothing_is_said),
		T(the_companys_number_is_shown),
		T(an_agents_own_number_goes_before_it),
	};
#undef T
	return cmocka_run_group_tests_name("engine outcall", tests, NULL, NULL);
}
