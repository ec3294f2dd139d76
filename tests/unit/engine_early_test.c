/* logic/call: a caller who comes while the house is still waking up. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "logic/call/engine.h"

#define LEG 77

static struct conf conf;
static struct engine *e;
static unsigned refused, answered;

static void
put(struct orders *o, enum room to, unsigned worker, const struct msg *m)
{
	(void)o;
	(void)to;
	(void)worker;
	refused += m->type == MSG_REFUSE_LEG;
	answered += m->type == MSG_ANSWER_LEG || m->type == MSG_PROGRESS_LEG;
}

static uint32_t entered, in_hand = HF_MAP_NONE;

static void
inside(struct orders *o, uint32_t place)
{
	(void)o;
	in_hand = place;
	entered += place != HF_MAP_NONE;
}

static struct orders out = { .put = put, .inside = inside };

static void
tell(const struct msg *m)
{
	engine_fact(e, m, (struct hf_time){ 2000000 }, &out);
}

static void
caller_comes(uint64_t leg)
{
	struct msg m = { .type = MSG_LEG_ARRIVED };

	m.leg_arrived.leg = leg;
	m.leg_arrived.agent = CONF_NONE;
	m.leg_arrived.hops = 70;
	strcpy(m.leg_arrived.number, "100");
	m.leg_arrived.media.codec = CODEC_PCMU;
	tell(&m);
}

static void
media_wakes(void)
{
	struct msg m = { .type = MSG_MEDIA_STARTED };

	m.media_started.count = 10;
	tell(&m);
}

static int
setup(void **state)
{
	(void)state;
	conf = (struct conf){ .calls_max = 10 };
	conf.rtp.port_first = 20000;
	conf.rtp.port_last = 20099;
	conf.ladders = conf.numbers = conf.boxes = conf.trunks = 1;
	conf.trunk[0].used = true;
	conf.ladder[0] = (struct conf_ladder){ .used = true, .rungs = 1 };
	conf.ladder[0].rung[0].kind = CONF_RUNG_VOICEMAIL;
	conf.box[0].used = true;
	conf.box[0].max = hf_ms(60000);
	conf.box[0].messages = 10;
	conf.number[0] = (struct conf_number){ .number = "100", .used = true };
	free(e);
	e = calloc(1, engine_size(&conf));
	e = engine_init(e, &conf, 1, (struct hf_time){ 1000000 });
	refused = answered = 0;
	return 0;
}

static void
a_caller_before_the_media_waits_and_is_taken(void **state)
{
	(void)state;
	caller_comes(LEG);
	assert_int_equal(refused, 0);
	assert_int_equal(engine_calls(e), 0);
	media_wakes();
	assert_int_equal(refused, 0);
	assert_int_equal(engine_calls(e), 1);
	engine_check(e);
}

static void
an_early_caller_who_leaves_leaves_nothing(void **state)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	(void)state;
	caller_comes(LEG);
	m.leg_left.leg = LEG;
	tell(&m);
	media_wakes();
	assert_int_equal(engine_calls(e), 0);
	engine_check(e);
}

static void
more_early_callers_than_places_are_refused(void **state)
{
	(void)state;
	for (unsigned i = 1; i <= ENGINE_EARLY_MAX; i++)
		caller_comes(i);
	assert_int_equal(refused, 0);
	caller_comes(ENGINE_EARLY_MAX + 1);
	assert_int_equal(refused, 1);
}

/* So that one poisoned call can be told from the others. */
static void
the_call_in_hand_is_named_while_it_is_in_hand(void **state)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	(void)state;
	media_wakes();
	entered = 0;
	caller_comes(LEG);
	assert_true(entered > 0);
	assert_int_equal(in_hand, HF_MAP_NONE);
	entered = 0;
	m.leg_left.leg = LEG + 1; /* nobody's */
	tell(&m);
	assert_int_equal(entered, 0);
	m.leg_left.leg = LEG;
	tell(&m);
	assert_true(entered > 0);
	assert_int_equal(in_hand, HF_MAP_NONE);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_caller_before_the_media_waits_and_is_taken),
		T(an_early_caller_who_leaves_leaves_nothing),
		T(more_early_callers_than_places_are_refused),
		T(the_call_in_hand_is_named_while_it_is_in_hand),
	};

	return cmocka_run_group_tests_name(
	    "logic/call/engine early", tests, NULL, NULL);
}
