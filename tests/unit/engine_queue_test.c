/* logic/call: how long those who wait are told that it will take. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/prompt.h"
#include "logic/call/engine.h"

enum { SECOND = 1000000 };

static struct conf conf;
static struct engine *e;
static struct hf_time now;
static uint64_t rung;    /* the newest leg of ours */
static uint64_t callers; /* 1, 2, ... */
static struct msg_play_prompt said;

static void
put(struct orders *o, enum room to, unsigned worker, const struct msg *m)
{
	(void)o;
	(void)to;
	(void)worker;
	if (m->type == MSG_RING_LEG)
		rung = m->ring_leg.leg;
	if (m->type == MSG_PLAY_PROMPT && m->play_prompt.list.n > 0 &&
	    m->play_prompt.list.p[0] == PROMPT_YOU_ARE_NUMBER)
		said = m->play_prompt;
}

static struct orders out = { .put = put };

static void
tell(const struct msg *m)
{
	engine_fact(e, m, now, &out);
}

static void
passes(int64_t seconds)
{
	now.us += seconds * SECOND;
	engine_time(e, now, &out);
}

static void
caller_comes(void)
{
	struct msg m = { .type = MSG_LEG_ARRIVED };

	m.leg_arrived.leg = ++callers;
	m.leg_arrived.agent = CONF_NONE;
	m.leg_arrived.hops = 70;
	strcpy(m.leg_arrived.number, "100");
	m.leg_arrived.media.codec = CODEC_PCMU;
	tell(&m);
}

/* The first in line is answered, talks so long and goes. */
static void
one_is_served(uint64_t caller, int64_t seconds)
{
	struct msg m = { .type = MSG_LEG_ANSWERED };

	m.leg_answered.leg = rung;
	m.leg_answered.media.codec = CODEC_PCMU;
	tell(&m);
	passes(seconds);
	m = (struct msg){ .type = MSG_LEG_LEFT };
	m.leg_left.leg = caller;
	m.leg_left.cause = CAUSE_DONE;
	tell(&m);
}

static int
setup(void **state)
{
	struct msg m = { .type = MSG_MEDIA_STARTED };

	(void)state;
	conf = (struct conf){ .calls_max = 20 };
	conf.rtp.port_first = 20000;
	conf.rtp.port_last = 20199;
	conf.ladders = conf.numbers = conf.queues = conf.trunks = 1;
	conf.agents = 1;
	conf.trunk[0].used = true;
	conf.ladder[0] = (struct conf_ladder){ .used = true, .rungs = 1 };
	conf.ladder[0].rung[0].kind = CONF_RUNG_QUEUE;
	conf.queue[0] = (struct conf_queue){ .used = true,
		.estimate = true,
		.max_wait = hf_ms(3600000),
		.ring = hf_ms(3600000),
		.announce = hf_ms(30000) };
	conf.agent[0] = (struct conf_agent){ .used = true,
		.name = "anna",
		.queues = 1,
		.ready_at_login = true };
	conf.number[0] = (struct conf_number){ .number = "100", .used = true };
	conf.guard.never = hf_ms(36000000);
	conf.guard.hung_up_at_once = hf_ms(3000);
	free(e);
	e = calloc(1, engine_size(&conf));
	now.us = SECOND;
	e = engine_init(e, &conf, 1, now);
	callers = 0;
	said = (struct msg_play_prompt){ 0 };
	m.media_started.count = 100;
	tell(&m);
	m = (struct msg){ .type = MSG_AGENT_CAME };
	tell(&m);
	return 0;
}

static bool
ends_with(const uint8_t *list, size_t n)
{
	return said.list.n >= n &&
	       memcmp(said.list.p + said.list.n - n, list, n) == 0;
}

static void
nobody_guesses_before_the_line_has_moved(void **state)
{
	(void)state;
	caller_comes();
	caller_comes();
	passes(31);
	assert_int_equal(said.list.n, 3);
	assert_int_equal(said.list.p[1], PROMPT_DIGIT_0 + 1);
}

static void
the_wait_is_the_place_times_the_pace(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++)
		caller_comes();
	for (uint64_t i = 1; i <= 4; i++)
		one_is_served(i, 60);
	/* The fifth rings; three wait behind him, a minute each. */
	passes(31);
	assert_int_equal(said.list.n, 6);
	assert_int_equal(said.list.p[1], PROMPT_DIGIT_0 + 3);
	assert_true(ends_with((const uint8_t[]){ PROMPT_WAIT_IS,
				  PROMPT_DIGIT_0 + 3, PROMPT_MINUTES },
	    3));
	engine_check(e);
}

static void
a_short_wait_is_less_than_two_minutes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 6; i++)
		caller_comes();
	for (uint64_t i = 1; i <= 4; i++)
		one_is_served(i, 10);
	passes(31);
	assert_true(
	    ends_with((const uint8_t[]){ PROMPT_WAIT_IS, PROMPT_LESS_THAN,
			  PROMPT_DIGIT_0 + 2, PROMPT_MINUTES },
		4));
}

static void
who_wants_none_hears_none(void **state)
{
	(void)state;
	conf.queue[0].estimate = false;
	for (unsigned i = 0; i < 6; i++)
		caller_comes();
	for (uint64_t i = 1; i <= 4; i++)
		one_is_served(i, 60);
	passes(31);
	assert_int_equal(said.list.n, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    nobody_guesses_before_the_line_has_moved, setup),
		cmocka_unit_test_setup(
		    the_wait_is_the_place_times_the_pace, setup),
		cmocka_unit_test_setup(
		    a_short_wait_is_less_than_two_minutes, setup),
		cmocka_unit_test_setup(who_wants_none_hears_none, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
