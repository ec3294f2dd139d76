/* logic/call: a bot answers and never says a word; what the record says. */

#include "tests/lib/mind.h"

enum { CALLER = 1, NEVER_S = 2, BOOTED_S = 86400 };

static uint64_t bot;
static struct hf_ref stream;
static struct msg_rung_ended rung;
static struct msg_call_ended record;

static void
order(const struct msg *m)
{
	if (m->type == MSG_RING_LEG)
		bot = m->ring_leg.leg;
	if (m->type == MSG_OPEN_STREAM)
		stream = m->open_stream.stream; /* the newest: the bot's */
	if (m->type == MSG_RUNG_ENDED)
		rung = m->rung_ended;
	if (m->type == MSG_CALL_ENDED)
		record = m->call_ended;
}

static int
setup(void **state)
{
	mind_bots(1);
	conf.helper[0].guard.never = hf_ms(NEVER_S * 1000);
	conf.helper[0].guard.lost = hf_ms(1000);
	mind_wakes(order, NULL);
	media_comes();
	return 0;
}

/* hf-media knows of no last packet: no time is not the time of the boot. */
static void
silence_is_counted_from_the_answer(void **state)
{
	struct msg suspect = { .type = MSG_STREAM_SUSPECT };
	struct msg voiced = { .type = MSG_STREAM_VOICED };

	passes(BOOTED_S);
	caller_comes(CALLER);
	leg_answers(bot);
	passes(NEVER_S);
	suspect.stream_suspect.stream = stream;
	suspect.stream_suspect.grace = hf_ms(NEVER_S * 1000);
	voiced.stream_voiced.stream = stream;
	tell(&suspect);
	tell(&voiced);
	passes(0);
	leg_leaves(CALLER);
	assert_int_equal(rung.cause, CAUSE_RTP_NEVER_CAME);
	assert_int_equal(rung.decided.us, NEVER_S * SECOND);
	/* The caller heard an open line, then us. */
	assert_in_range(rung.gap.us, 0, SECOND);
	assert_in_range(record.worst_gap.us, 0, SECOND);
	engine_check(e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    silence_is_counted_from_the_answer, setup),
	};

	return cmocka_run_group_tests_name("engine silent", tests, NULL, NULL);
}
