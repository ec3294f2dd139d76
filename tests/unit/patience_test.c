/* logic/guard/patience: when a helper that still sends is of no use. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "logic/guard/patience.h"

static const struct patience_conf conf = {
	.prompt = { 3000000 },
	.lost = { 6000000 },
	.loop = { 2000000 },
	.loop_times = 3,
	.garbage = { 1500000 },
	.word = { 160000 },
	.pause = { 300000 },
};

static struct patience p;
static struct hf_time now;
static struct hf_rand r;

static void
begin(void)
{
	r = (struct hf_rand){ .key = { { 3, 4 } } };
	now.us = 1000000;
	patience_begin(&p, &conf, now);
}

static const struct patience_frame hush = { .ms = 20, .loud = 22 };

static struct patience_frame
word(void)
{
	return (struct patience_frame){ .ms = 20,
		.loud = (uint8_t)(50 + hf_rand_below(&r, 25)),
		.turns_pct = 15,
		.speaks = true };
}

/* Both parties for so long: C, H the caller or helper speaks, - nobody.  The
 * first news ends it. */
static enum patience_event
pass(char who, int ms)
{
	for (; ms > 0; ms -= 20) {
		struct patience_frame c = who == 'C' ? word() : hush;
		struct patience_frame h = who == 'H' ? word() : hush;
		enum patience_event e;

		now.us += 20000;
		e = patience_caller(&p, &c, now);
		if (e == PATIENCE_NOTHING)
			e = patience_helper(&p, &h, now);
		if (e != PATIENCE_NOTHING)
			return e;
	}
	return PATIENCE_NOTHING;
}

static void
nobody_owes_a_word_before_the_caller_has_spoken(void **state)
{
	(void)state;
	begin();
	assert_int_equal(pass('-', 20000), PATIENCE_NOTHING);
	assert_int_equal(pass('H', 3000), PATIENCE_NOTHING);
	assert_int_equal(pass('-', 60000), PATIENCE_NOTHING);
}

static void
silence_in_its_turn_is_mute_at_3_and_lost_at_6_seconds(void **state)
{
	struct hf_time stopped;

	(void)state;
	begin();
	pass('H', 2000);
	assert_int_equal(pass('C', 2000), PATIENCE_NOTHING);
	stopped = now;
	assert_int_equal(pass('-', 10000), PATIENCE_MUTE);
	assert_in_range(hf_time_since(stopped, now).us, 2980000, 3040000);
	assert_int_equal(pass('-', 10000), PATIENCE_LOST);
	assert_in_range(hf_time_since(stopped, now).us, 5980000, 6040000);
	assert_int_equal(pass('-', 30000), PATIENCE_NOTHING);
}

static void
without_any_packet_the_clock_alone_tells(void **state)
{
	(void)state;
	begin();
	pass('C', 1000);
	pass('-', 400);
	now = p.due;
	assert_int_equal(patience_age(&p, now), PATIENCE_MUTE);
	now = p.due;
	assert_int_equal(patience_age(&p, now), PATIENCE_LOST);
	assert_int_equal(p.due.us, INT64_MAX);
}

static void
an_answer_in_time_is_no_news_a_late_one_is(void **state)
{
	(void)state;
	begin();
	pass('C', 1000);
	assert_int_equal(pass('-', 2900), PATIENCE_NOTHING);
	assert_int_equal(pass('H', 1000), PATIENCE_NOTHING);
	assert_int_equal(pass('-', 20000), PATIENCE_NOTHING);
	pass('C', 1000);
	assert_int_equal(pass('-', 4000), PATIENCE_MUTE);
	assert_int_equal(pass('H', 1000), PATIENCE_SPEAKS);
}

static void
a_click_is_neither_a_question_nor_an_answer(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 10; i++) {
		assert_int_equal(pass('C', 40), PATIENCE_NOTHING);
		assert_int_equal(pass('-', 1000), PATIENCE_NOTHING);
	}
	pass('C', 1000);
	pass('-', 2000);
	assert_int_equal(pass('H', 40), PATIENCE_NOTHING);
	assert_int_equal(pass('-', 1000), PATIENCE_MUTE);
}

static void
a_caller_who_goes_on_starts_the_clock_anew(void **state)
{
	(void)state;
	begin();
	pass('C', 1000);
	assert_int_equal(pass('-', 2500), PATIENCE_NOTHING);
	pass('C', 1000);
	assert_int_equal(pass('-', 2900), PATIENCE_NOTHING);
	assert_int_equal(pass('-', 200), PATIENCE_MUTE);
}

static enum patience_event
play(const uint8_t *loud, int n, int times)
{
	for (int i = 0; i < n * times; i++) {
		struct patience_frame f = { .ms = 20,
			.loud = loud[i % n],
			.turns_pct = 15,
			.speaks = loud[i % n] > 45 };
		enum patience_event e;

		now.us += 20000;
		e = patience_helper(&p, &f, now);
		if (e != PATIENCE_NOTHING)
			return e;
	}
	return PATIENCE_NOTHING;
}

static void
sentence(uint8_t *loud, int n)
{
	for (int i = 0; i < n; i++)
		loud[i] =
		    (uint8_t)(i % 40 >= 32 ? 20 : 45 + hf_rand_below(&r, 30));
}

static void
the_same_two_seconds_three_times_are_a_loop(void **state)
{
	uint8_t loud[100];

	(void)state;
	begin();
	sentence(loud, 100);
	assert_int_equal(play(loud, 100, 2), PATIENCE_NOTHING);
	assert_int_equal(play(loud, 100, 2), PATIENCE_LOOPED);
	assert_int_equal(play(loud, 100, 9), PATIENCE_NOTHING); /* once */
	begin();
	assert_int_equal(play(loud, 37, 9), PATIENCE_LOOPED); /* stuck buffer */
}

static void
speech_tones_and_pauses_are_no_loop(void **state)
{
	uint8_t loud[3000];

	(void)state;
	begin();
	sentence(loud, 3000);
	assert_int_equal(play(loud, 3000, 1), PATIENCE_NOTHING);
	memset(loud, 62, sizeof(loud));
	assert_int_equal(play(loud, 3000, 1), PATIENCE_NOTHING); /* a tone */
	memset(loud, 20, sizeof(loud));
	for (int i = 0; i < 3000; i += 190) /* a cough every four seconds */
		loud[i] = loud[i + 1] = loud[i + 2] = 60;
	assert_int_equal(play(loud, 3000, 1), PATIENCE_NOTHING);
	/* The same question again after five seconds is a question. */
	sentence(loud, 100);
	memset(loud + 100, 20, 250);
	assert_int_equal(play(loud, 350, 4), PATIENCE_NOTHING);
}

static enum patience_event
garbage(struct patience_frame f, int ms)
{
	for (; ms > 0; ms -= 20) {
		enum patience_event e;

		f.ms = 20;
		f.loud = (uint8_t)(f.loud ^ (hf_rand_u64(&r) & 1));
		now.us += 20000;
		e = patience_helper(&p, &f, now);
		if (e != PATIENCE_NOTHING)
			return e;
	}
	return PATIENCE_NOTHING;
}

static void
clipping_noise_and_a_stuck_value_are_garbage(void **state)
{
	static const struct patience_frame odd[] = {
		{ .loud = 88, .clipped_pct = 40, .speaks = true },
		{ .loud = 78, .turns_pct = 50, .speaks = true },
		{ .loud = 60, .constant = true, .speaks = true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		begin();
		assert_int_equal(garbage(odd[i], 1400), PATIENCE_NOTHING);
		assert_int_equal(pass('H', 400), PATIENCE_NOTHING);
		assert_int_equal(garbage(odd[i], 1400), PATIENCE_NOTHING);
		assert_int_equal(garbage(odd[i], 400), PATIENCE_GARBLED);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    nobody_owes_a_word_before_the_caller_has_spoken),
		cmocka_unit_test(
		    silence_in_its_turn_is_mute_at_3_and_lost_at_6_seconds),
		cmocka_unit_test(without_any_packet_the_clock_alone_tells),
		cmocka_unit_test(an_answer_in_time_is_no_news_a_late_one_is),
		cmocka_unit_test(a_click_is_neither_a_question_nor_an_answer),
		cmocka_unit_test(a_caller_who_goes_on_starts_the_clock_anew),
		cmocka_unit_test(the_same_two_seconds_three_times_are_a_loop),
		cmocka_unit_test(speech_tones_and_pauses_are_no_loop),
		cmocka_unit_test(clipping_noise_and_a_stuck_value_are_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
