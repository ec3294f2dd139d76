/* logic/guard/watch: what the caller hears and what hf-call is told, in which
 * order, of a helper that falls silent or says nothing. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/guard/watch.h"

static const struct conf_guard keys = {
	.suspect = { 50000 },
	.voice = { 180000 },
	.lost = { 1000000 },
	.hush = { 3000000 },
	.never = { 4000000 },
	.grace_max = { 3000000 },
	.sign_max = { 12000000 },
	.patience_prompt = { 3000000 },
	.patience_lost = { 6000000 },
	.loop = { 2000000 },
	.loop_times = 3,
	.garbage = { 1000000 },
	.word = { 200000 },
	.pause = { 300000 },
};

static const struct hf_ref stream = { .n = 7, .gen = 1 };
static struct watch w;
static struct patience memory;
static struct starve_kin kin;
static uint16_t seq;
static uint32_t frames;

static struct hf_time
at(int64_t ms)
{
	return (struct hf_time){ 10000000 + ms * 1000 };
}

static void
begin(enum judge judge, bool held)
{
	w = (struct watch){ 0 };
	kin = (struct starve_kin){ 0 };
	seq = 0;
	frames = 0;
	watch_begin(&w, &memory, &keys, judge, held, &kin, at(0));
}

static uint8_t
loudness(uint32_t n)
{
	n = (n ^ n >> 16) * 0x85ebca6bu;
	n = (n ^ n >> 13) * 0xc2b2ae35u;
	return (uint8_t)(50 + (n ^ n >> 16) % 24);
}

static struct patience_frame
frame(bool speaks)
{
	return (struct patience_frame){
		.ms = 20,
		.loud = speaks ? loudness(frames) : 0,
		.speaks = speaks,
	};
}

/* From one time to another, a packet every 20 ms; all news together. */
static unsigned
helper(int64_t from, int64_t to, bool speaks)
{
	unsigned news = 0;

	for (int64_t ms = from; ms < to; ms += 20) {
		struct patience_frame f = frame(speaks);
		struct starve_packet p = {
			.ssrc = 1,
			.seq = seq++,
			.ms = 20,
			.ts = frames++ * 160,
			.quiet = !speaks,
		};

		news |= watch_helper(&w, &kin, &p, &f, at(ms));
		if (!hf_time_before(at(ms), watch_due(&w)))
			news |= watch_age(&w, &kin, at(ms));
	}
	return news;
}

static unsigned
caller(int64_t from, int64_t to, bool speaks)
{
	unsigned news = 0;

	for (int64_t ms = from; ms < to; ms += 20) {
		struct patience_frame f = frame(speaks);

		news |= watch_caller(&w, &f, at(ms));
	}
	return news;
}

/* At its deadline, which is in "ms". */
static unsigned
age(int64_t ms)
{
	assert_int_equal(watch_due(&w).us, at(ms).us);
	assert_int_equal(watch_age(&w, &kin, at(ms - 1)), 0);
	return watch_age(&w, &kin, at(ms));
}

static void
a_helper_that_falls_silent_is_covered_and_told_of(void **state)
{
	unsigned news;
	struct msg m;

	(void)state;
	begin(JUDGE_PACKETS, false);
	assert_int_equal(helper(0, 2000, true), 0); /* last at 1980 */
	news = age(1980 + 20 + 50);
	assert_int_equal(news, WATCH_COMFORT | WATCH_SUSPECT);
	assert_true(watch_silent(&w));
	assert_true(watch_fact(&w, &news, stream, at(2050), &m));
	assert_int_equal(m.type, MSG_STREAM_SUSPECT);
	assert_true(hf_ref_is(m.stream_suspect.stream, stream));
	assert_int_equal(m.stream_suspect.last.us, at(1980).us);
	assert_int_equal(m.stream_suspect.grace.us, keys.lost.us);
	assert_false(m.stream_suspect.pause);
	assert_false(watch_fact(&w, &news, stream, at(2050), &m));

	news = age(1980 + 20 + 180);
	assert_int_equal(news, WATCH_PROMPT | WATCH_VOICED);
	assert_true(watch_fact(&w, &news, stream, at(2180), &m));
	assert_int_equal(m.type, MSG_STREAM_VOICED);
	assert_int_equal(m.stream_voiced.last.us, at(1980).us);

	news = helper(2400, 2420, true);
	assert_int_equal(news, WATCH_CLEAR | WATCH_WELL);
	assert_false(watch_silent(&w));
	assert_true(watch_fact(&w, &news, stream, at(2400), &m));
	assert_int_equal(m.type, MSG_STREAM_WELL);
	assert_int_equal(m.stream_well.gap.us, 420000);
}

static void
who_never_came_is_told_of_as_suspect_and_then_as_voiced(void **state)
{
	unsigned news;
	struct msg m;

	(void)state;
	begin(JUDGE_PACKETS, false);
	news = age(4000);
	assert_true(news & WATCH_PROMPT);
	assert_true(watch_fact(&w, &news, stream, at(4000), &m));
	assert_int_equal(m.type, MSG_STREAM_SUSPECT);
	assert_int_equal(m.stream_suspect.last.us, 0);
	assert_true(watch_fact(&w, &news, stream, at(4000), &m));
	assert_int_equal(m.type, MSG_STREAM_VOICED);
	assert_false(watch_fact(&w, &news, stream, at(4000), &m));
}

static void
a_helper_that_says_nothing_in_its_turn_is_asked_for_and_given_up(void **state)
{
	unsigned news;
	struct msg m;

	(void)state;
	begin(JUDGE_EAR, false);
	assert_int_equal(helper(0, 1000, true), 0);
	assert_int_equal(caller(1000, 1500, true), 0);
	assert_int_equal(caller(1500, 2000, false), 0);
	/* Its packets flow, so that nobody calls it dead. */
	news = helper(1000, 4400, false);
	assert_int_equal(news, 0);
	news = helper(4400, 5000, false);
	assert_int_equal(news, WATCH_MUTE);
	assert_true(watch_fact(&w, &news, stream, at(5000), &m));
	assert_int_equal(m.type, MSG_STREAM_MUTE);
	assert_false(m.stream_mute.lost);
	assert_true(m.stream_mute.silent.us >= keys.patience_prompt.us);
	news = helper(5000, 8000, false);
	assert_int_equal(news, WATCH_LOST);
	assert_true(watch_fact(&w, &news, stream, at(8000), &m));
	assert_true(m.stream_mute.lost);
	news = helper(8000, 8200, true);
	assert_int_equal(news, WATCH_SPEAKS);
}

static void
nobody_listens_to_what_a_person_says(void **state)
{
	(void)state;
	begin(JUDGE_PACKETS, false);
	(void)caller(0, 500, true);
	(void)caller(500, 1000, false);
	assert_int_equal(helper(0, 10000, false), 0);
	begin(JUDGE_NOBODY, false);
	assert_false(w.on);
	assert_int_equal(watch_due(&w).us, INT64_MAX);
	assert_int_equal(watch_age(&w, &kin, at(60000)), 0);
}

static void
silence_suppression_is_told_once(void **state)
{
	struct starve_packet cn = { .ssrc = 1, .cn = true };
	unsigned news;
	struct msg m;

	(void)state;
	begin(JUDGE_PACKETS, false);
	assert_int_equal(helper(0, 200, true), 0);
	cn.seq = seq++;
	news = watch_helper(&w, &kin, &cn, NULL, at(200));
	assert_int_equal(news, WATCH_SUPPRESSED);
	assert_true(watch_fact(&w, &news, stream, at(200), &m));
	assert_int_equal(m.type, MSG_STREAM_SUPPRESSED);
	cn.seq = seq++;
	assert_int_equal(watch_helper(&w, &kin, &cn, NULL, at(220)), 0);
	/* What follows is its silence, and nobody's fault. */
	assert_int_equal(age(220 + 20 + 50), WATCH_COMFORT);
	assert_int_equal(helper(900, 920, true), WATCH_CLEAR);
}

static void
who_is_held_owes_nothing(void **state)
{
	(void)state;
	begin(JUDGE_PACKETS, false);
	assert_int_equal(helper(0, 1000, true), 0);
	assert_int_equal(age(980 + 20 + 50), WATCH_COMFORT | WATCH_SUSPECT);
	assert_int_equal(
	    watch_hold(&w, true, true, at(1100)), WATCH_CLEAR | WATCH_WELL);
	assert_int_equal(watch_due(&w).us, INT64_MAX);
	assert_int_equal(watch_hold(&w, true, false, at(9000)), 0);
	assert_int_equal(watch_due(&w).us, at(9000 + 4000).us);
	/* The caller's hold is no excuse for its packets. */
	assert_int_equal(helper(9000, 9100, true), 0);
	assert_int_equal(watch_hold(&w, false, true, at(9100)), 0);
	assert_int_equal(age(9080 + 20 + 50), WATCH_COMFORT | WATCH_SUSPECT);
	begin(JUDGE_PACKETS, true);
	assert_int_equal(watch_due(&w).us, INT64_MAX);
}

static void
our_own_stall_moves_both_watches(void **state)
{
	(void)state;
	begin(JUDGE_EAR, false);
	assert_int_equal(helper(0, 1000, true), 0);
	(void)caller(0, 500, true);
	(void)caller(500, 900, false);
	watch_shift(&w, hf_ms(300), true, at(1300));
	assert_int_equal(w.starve.due.us, at(980 + 20 + 50 + 300).us);
	assert_int_equal(w.patience->due.us, at(480 + 3000 + 300).us);
}

static void
a_short_stall_is_no_excuse_where_the_caller_was_heard(void **state)
{
	(void)state;
	begin(JUDGE_PACKETS, false);
	assert_int_equal(helper(0, 1000, true), 0);
	watch_shift(&w, hf_ms(30), true, at(1030));
	assert_int_equal(w.starve.due.us, at(980 + 20 + 50).us);
	watch_shift(&w, hf_ms(30), false, at(1030));
	assert_int_equal(w.starve.due.us, at(980 + 20 + 50 + 30).us);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_helper_that_falls_silent_is_covered_and_told_of),
		cmocka_unit_test(
		    who_never_came_is_told_of_as_suspect_and_then_as_voiced),
		cmocka_unit_test(
		    a_helper_that_says_nothing_in_its_turn_is_asked_for_and_given_up),
		cmocka_unit_test(nobody_listens_to_what_a_person_says),
		cmocka_unit_test(silence_suppression_is_told_once),
		cmocka_unit_test(who_is_held_owes_nothing),
		cmocka_unit_test(our_own_stall_moves_both_watches),
		cmocka_unit_test(
		    a_short_stall_is_no_excuse_where_the_caller_was_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
