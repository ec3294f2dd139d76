/* logic/call: two bots are rung at once, and one of them is told why not he. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "logic/call/engine.h"

enum { BOTS = 2, HEDGE_MS = 300, SECOND = 1000000 };

static struct conf conf;
static struct engine *e;
static struct hf_time now;
static uint64_t rung[BOTS];
static unsigned rings;
static struct msg_drop_leg dropped;

static void
put(struct orders *o, enum room to, unsigned worker, const struct msg *m)
{
	(void)o;
	(void)to;
	(void)worker;
	if (m->type == MSG_RING_LEG && rings < BOTS)
		rung[rings++] = m->ring_leg.leg;
	if (m->type == MSG_DROP_LEG)
		dropped = m->drop_leg;
}

static struct orders out = { .put = put };

static void
tell(const struct msg *m)
{
	engine_fact(e, m, now, &out);
}

static int
setup(void **state)
{
	struct msg m = { .type = MSG_MEDIA_STARTED };
	struct conf_guard *g;

	(void)state;
	conf = (struct conf){ .calls_max = 20 };
	conf.rtp.port_first = 20000;
	conf.rtp.port_last = 20199;
	conf.ladders = conf.numbers = conf.trunks = 1;
	conf.helpers = BOTS;
	conf.trunk[0].used = true;
	conf.ladder[0] = (struct conf_ladder){ .used = true, .rungs = BOTS };
	for (uint16_t i = 0; i < BOTS; i++) {
		conf.ladder[0].rung[i].kind = CONF_RUNG_BOT;
		conf.ladder[0].rung[i].row = i;
		conf.helper[i].used = true;
		conf.helper[i].kind = CONF_BOT;
		conf.helper[i].targets = 1;
		g = &conf.helper[i].guard;
		g->hedge_after = hf_ms(HEDGE_MS);
		g->setup_max = hf_ms(8000);
		g->never = hf_ms(36000000);
		g->probe_every = hf_ms(36000000);
		g->probe_timeout = hf_ms(1000);
		g->breaker_trip = 3;
		g->breaker_heal = 1;
		g->rest_min = g->rest_max = hf_ms(1000);
		g->ramp_step = hf_ms(1000);
		for (unsigned k = 0; k < HF_LEN(g->ramp); k++)
			g->ramp[k] = 100;
	}
	conf.number[0] = (struct conf_number){ .number = "100", .used = true };
	free(e);
	e = calloc(1, engine_size(&conf));
	now.us = SECOND;
	e = engine_init(e, &conf, 1, now);
	rings = 0;
	dropped = (struct msg_drop_leg){ 0 };
	m.media_started.count = 100;
	tell(&m);
	return 0;
}

static void
the_loser_of_a_hedge_is_told_that_another_took_the_call(void **state)
{
	struct msg m = { .type = MSG_LEG_ARRIVED };

	(void)state;
	m.leg_arrived.leg = 1;
	m.leg_arrived.agent = CONF_NONE;
	m.leg_arrived.hops = 70;
	strcpy(m.leg_arrived.number, "100");
	m.leg_arrived.media.codec = CODEC_PCMU;
	tell(&m);
	assert_int_equal(rings, 1);
	m = (struct msg){ .type = MSG_LEG_UNTRIED };
	m.leg_untried.leg = rung[0];
	tell(&m);
	assert_int_equal(rings, BOTS);
	m = (struct msg){ .type = MSG_LEG_ANSWERED };
	m.leg_answered.leg = rung[0];
	m.leg_answered.media.codec = CODEC_PCMU;
	tell(&m);
	assert_true(dropped.leg == rung[1]);
	/* RFC 3326 3.1: or its history shows a missed call. */
	assert_int_equal(dropped.code, 200);
	assert_string_equal(dropped.reason, "Call completed elsewhere");
	engine_check(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    the_loser_of_a_hedge_is_told_that_another_took_the_call,
		    setup),
	};
	return cmocka_run_group_tests_name("hedge", tests, NULL, NULL);
}
