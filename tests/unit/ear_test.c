/* io/rtp/ear: what a frame sounds like. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/rtp/ear.h"
#include "io/rtp/prompt.h"

static uint8_t frame[160];

/* A square wave of so many samples half a period. */
static struct ear_frame
square(enum g711_law law, int16_t peak, int half)
{
	for (int i = 0; i < 160; i++)
		frame[i] = g711_encode(
		    law, (int16_t)((i / half) % 2 != 0 ? -peak : peak));
	return ear_listen(law, frame, sizeof(frame));
}

static void
loudness_is_in_decibels_whatever_the_law(void **state)
{
	(void)state;
	for (int law = 0; law < 2; law++) {
		assert_in_range(
		    square((enum g711_law)law, 1000, 8).loud, 59, 61);
		assert_in_range(
		    square((enum g711_law)law, 10000, 8).loud, 79, 81);
		assert_in_range(
		    square((enum g711_law)law, 32000, 8).loud, 89, 91);
		assert_true(square((enum g711_law)law, 40, 8).loud < EAR_QUIET);
	}
}

static void
silence_is_silent_in_all_its_bytes(void **state)
{
	static const struct {
		enum g711_law law;
		uint8_t byte;
	} zero[] = { { G711_PCMU, 0xff }, { G711_PCMU, 0x7f },
		{ G711_PCMA, 0xd5 }, { G711_PCMA, 0x55 } };

	(void)state;
	for (size_t i = 0; i < sizeof(zero) / sizeof(zero[0]); i++) {
		struct ear_frame f;

		memset(frame, zero[i].byte, sizeof(frame));
		f = ear_listen(zero[i].law, frame, sizeof(frame));
		assert_true(f.constant);
		assert_true(f.silent);
		assert_true(f.loud < 25);
	}
	memset(frame, 0x10, sizeof(frame));
	assert_true(ear_listen(G711_PCMU, frame, sizeof(frame)).constant);
	assert_false(ear_listen(G711_PCMU, frame, sizeof(frame)).silent);
	assert_int_equal(ear_listen(G711_PCMU, frame, 0).loud, 0);
	assert_int_equal(ear_listen(G711_PCMU, frame, 1).loud, 0);
}

static void
clipping_and_noise_are_told_from_a_voice(void **state)
{
	uint32_t x = 1;
	struct ear_frame f;

	(void)state;
	assert_int_equal(square(G711_PCMU, 32767, 8).clipped_pct, 100);
	assert_int_equal(square(G711_PCMA, 32767, 8).clipped_pct, 100);
	assert_int_equal(square(G711_PCMU, 8000, 8).clipped_pct, 0);
	for (int i = 0; i < 160; i++) {
		x = x * 1103515245 + 12345;
		frame[i] = (uint8_t)(x >> 16);
	}
	f = ear_listen(G711_PCMU, frame, sizeof(frame));
	assert_true(f.turns_pct > 35);
	assert_true(f.loud > 70);
	assert_true(square(G711_PCMU, 8000, 16).turns_pct < 10);
}

static void
a_voice_rises_above_the_room(void **state)
{
	struct ear_floor f = { 0 };

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_false(ear_speaks(&f, 45)); /* an air conditioner */
	assert_true(ear_speaks(&f, 60));
	assert_false(ear_speaks(&f, 45));
	assert_false(ear_speaks(&f, 30));
}

static void
a_voice_of_a_minute_remains_a_voice(void **state)
{
	struct ear_floor f = { 0 };
	int spoke = 0;

	(void)state;
	for (int i = 0; i < 3000; i++) /* words of 400 ms, pauses of 100 */
		spoke += ear_speaks(&f, i % 25 < 20 ? 66 : 30);
	assert_true(spoke > 2300);
}

static void
comfort_noise_is_faint_and_not_dead(void **state)
{
	struct prompt_book b;

	(void)state;
	assert_true(prompt_synthesize(&b));
	for (int law = 0; law < 2; law++) {
		struct ear_frame f = ear_listen(
		    (enum g711_law)law, b.comfort.law[law] + 800, 160);

		assert_in_range(f.loud, 15, 35);
		assert_false(f.constant);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(loudness_is_in_decibels_whatever_the_law),
		cmocka_unit_test(silence_is_silent_in_all_its_bytes),
		cmocka_unit_test(clipping_and_noise_are_told_from_a_voice),
		cmocka_unit_test(a_voice_rises_above_the_room),
		cmocka_unit_test(a_voice_of_a_minute_remains_a_voice),
		cmocka_unit_test(comfort_noise_is_faint_and_not_dead),
	};

	g711_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
