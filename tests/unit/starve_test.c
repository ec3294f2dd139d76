/* logic/guard/starve: whose audio is missed, and whose is not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "logic/guard/starve.h"

static const struct starve_conf conf = {
	.suspect = { 50000 },
	.voice = { 180000 },
	.lost = { 1000000 },
	.hush = { 20000000 },
	.never = { 2000000 },
	.grace_max = { 3000000 },
	.sign_max = { 20000000 },
};

static struct starve s;
static struct starve_kin kin;
static struct hf_time now;
static struct starve_packet packet;

static void
begin(void)
{
	memset(&kin, 0, sizeof(kin));
	now.us = 5000000;
	packet = (struct starve_packet){ .ssrc = 1, .seq = 65500, .ms = 20 };
	starve_begin(&s, &conf, &kin, now);
}

/* Time passes, a millisecond at a time, as in hf-media; stops at news. */
static enum starve_event
wait(int ms)
{
	while (ms-- > 0) {
		enum starve_event e;

		now.us += 1000;
		if (hf_time_before(now, s.due))
			continue;
		e = starve_age(&s, &kin, now);
		if (e != STARVE_NOTHING)
			return e;
	}
	return STARVE_NOTHING;
}

/* The sender's clock goes on by "lost" packets more. */
static enum starve_event
hear(int lost)
{
	packet.seq = (uint16_t)(packet.seq + 1 + lost);
	packet.ts += (uint32_t)(1 + lost) * packet.ms * 8;
	return starve_hear(&s, &kin, &packet, now);
}

static void
talk(int packets)
{
	for (int i = 0; i < packets; i++) {
		assert_int_equal(hear(0), STARVE_NOTHING);
		assert_int_equal(wait(packet.ms), STARVE_NOTHING);
	}
}

static void
a_helper_that_stops_is_suspect_at_70_and_spoken_for_at_200_ms(void **state)
{
	struct hf_time last;

	(void)state;
	begin();
	talk(100);
	assert_int_equal(hear(0), STARVE_NOTHING);
	last = now;
	assert_int_equal(wait(1000), STARVE_SUSPECTED);
	assert_int_equal(hf_time_since(last, now).us, 70000);
	assert_int_equal(s.grace.us, conf.lost.us);
	assert_int_equal(wait(1000), STARVE_SPOKEN_FOR);
	assert_int_equal(hf_time_since(last, now).us, 200000);
	assert_int_equal(wait(5000), STARVE_NOTHING);
	assert_int_equal(hear(0), STARVE_RETURNED);
	assert_int_equal(s.state, STARVE_WELL);
}

static void
three_packets_lost_in_a_row_are_noticed_two_are_not(void **state)
{
	(void)state;
	begin();
	talk(100);
	assert_int_equal(wait(40), STARVE_NOTHING);
	assert_int_equal(hear(2), STARVE_NOTHING);
	assert_int_equal(wait(60), STARVE_NOTHING);
	assert_int_equal(hear(2), STARVE_NOTHING);
	assert_int_equal(wait(80), STARVE_SUSPECTED);
	assert_int_equal(hear(3), STARVE_RETURNED);
	assert_false(s.suppresses);
}

static void
longer_packets_are_given_longer(void **state)
{
	(void)state;
	begin();
	packet.ms = 60;
	talk(50);
	hear(0);
	assert_int_equal(wait(109), STARVE_NOTHING);
	assert_int_equal(wait(1), STARVE_SUSPECTED);
}

static void
bursts_are_learned_and_forgotten(void **state)
{
	int false_alarms = 0;

	(void)state;
	begin();
	for (int burst = 0; burst < 60; burst++) {
		for (int i = 0; i < 5; i++)
			hear(0);
		if (burst > 30)
			false_alarms += wait(100) != STARVE_NOTHING;
		else if (wait(100) != STARVE_NOTHING)
			now.us += 30000;
	}
	assert_int_equal(false_alarms, 0);
	assert_false(s.suppresses);
	talk(200);
	hear(0);
	assert_int_equal(wait(70), STARVE_SUSPECTED);
}

static void
an_answer_without_any_packet_is_noticed_when_never_is_over(void **state)
{
	(void)state;
	begin();
	assert_int_equal(wait(1999), STARVE_NOTHING);
	assert_int_equal(wait(1), STARVE_NEVER_CAME);
	assert_false(s.came);
	assert_int_equal(s.state, STARVE_VOICED);
	assert_int_equal(hear(0), STARVE_RETURNED);
}

static void
comfort_noise_packets_teach_silence_suppression(void **state)
{
	(void)state;
	begin();
	talk(50);
	packet.cn = true;
	packet.ms = 0;
	assert_int_equal(hear(0), STARVE_NOTHING);
	assert_true(s.suppresses);
	assert_int_equal(wait(3000), STARVE_HUSHED);
	assert_int_equal(wait(30000), STARVE_NOTHING);
	packet.cn = false;
	packet.ms = 20;
	assert_int_equal(hear(0), STARVE_RESUMED);
}

static void
a_gap_without_a_loss_teaches_it_too(void **state)
{
	(void)state;
	for (int by_marker = 0; by_marker < 2; by_marker++) {
		begin();
		talk(50);
		assert_int_equal(wait(400), STARVE_SUSPECTED);
		assert_int_equal(wait(400), STARVE_SPOKEN_FOR);
		packet.marker = by_marker;
		packet.ts += by_marker ? 0 : 600 * 8;
		assert_int_equal(hear(0), STARVE_RETURNED);
		packet.marker = false;
		assert_true(s.suppresses);
		assert_int_equal(kin.suppressing, 1);
		assert_int_equal(kin.rough_us, 0);
		talk(20);
		assert_int_equal(wait(3000), STARVE_HUSHED);
	}
}

static void
a_held_up_network_does_not_pass_for_silence_suppression(void **state)
{
	(void)state;
	begin();
	talk(50);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(wait(200), STARVE_SUSPECTED);
		assert_int_equal(hear(0), STARVE_RETURNED);
		talk(80);
	}
	assert_false(s.suppresses);
	assert_int_equal(wait(80), STARVE_SUSPECTED);
}

static void
who_sends_his_silence_is_not_excused_by_one_stall(void **state)
{
	(void)state;
	begin();
	packet.quiet = true;
	talk(30);
	assert_true(s.continuous);
	packet.quiet = false;
	talk(10);
	assert_int_equal(wait(300), STARVE_SUSPECTED);
	packet.ts += 300 * 8;
	packet.marker = true;
	assert_int_equal(hear(0), STARVE_RETURNED);
	packet.marker = false;
	assert_false(s.suppresses);
	talk(10);
	assert_int_equal(wait(300), STARVE_SUSPECTED);
}

static void
a_stranger_who_falls_silent_after_a_pause_is_given_grace(void **state)
{
	(void)state;
	begin();
	talk(50);
	packet.quiet = true;
	talk(6);
	assert_int_equal(wait(300), STARVE_SUSPECTED);
	assert_true(s.grace.us > conf.lost.us);
	/* In mid-word there is none. */
	begin();
	talk(50);
	assert_int_equal(wait(300), STARVE_SUSPECTED);
	assert_int_equal(s.grace.us, conf.lost.us);
}

static void
kin_know_each_other(void **state)
{
	(void)state;
	begin();
	kin.streams = 4;
	kin.suppressing = 2;
	starve_begin(&s, &conf, &kin, now);
	talk(50);
	assert_int_equal(wait(300), STARVE_HUSHED);

	kin.suppressing = 0;
	kin.continuous = 2;
	starve_begin(&s, &conf, &kin, now);
	talk(50);
	packet.quiet = true;
	talk(6);
	assert_int_equal(wait(300), STARVE_SUSPECTED);
	assert_int_equal(s.grace.us, conf.lost.us);
}

static void
a_rough_path_earns_later_prompts_and_grace_within_bounds(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 20; i++) {
		talk(100);
		hear(0);
		assert_int_equal(wait(180), STARVE_SUSPECTED);
		assert_int_equal(wait(100), STARVE_NOTHING);
		assert_int_equal(hear(8), STARVE_RETURNED);
	}
	assert_in_range(kin.rough_us, 0, 130000);
	talk(100);
	assert_int_equal(wait(100), STARVE_SUSPECTED);
	assert_true(s.grace.us > conf.lost.us);
	assert_true(s.grace.us <= 3000000);
	assert_true(hf_time_since(s.last, s.due).us <= 20000 + 3 * 180000);
}

static void
a_held_stream_owes_nothing(void **state)
{
	(void)state;
	begin();
	talk(50);
	assert_int_equal(starve_hold(&s, true, now), STARVE_NOTHING);
	assert_int_equal(wait(60000), STARVE_NOTHING);
	assert_int_equal(starve_hold(&s, false, now), STARVE_NOTHING);
	talk(50);
	assert_int_equal(wait(300), STARVE_SUSPECTED);
	assert_int_equal(starve_hold(&s, true, now), STARVE_RETURNED);
}

static void
our_own_stall_is_not_theirs(void **state)
{
	(void)state;
	begin();
	talk(50);
	hear(0);
	now.us += 500000; /* SIGSTOP */
	starve_shift(&s, hf_ms(499), now);
	assert_int_equal(starve_age(&s, &kin, now), STARVE_NOTHING);
	assert_int_equal(wait(60), STARVE_NOTHING);
	assert_int_equal(hear(0), STARVE_NOTHING);
	/* Whoever was drained after the stall gains nothing by it. */
	now.us += 500000;
	assert_int_equal(hear(0), STARVE_NOTHING);
	starve_shift(&s, hf_ms(499), now);
	assert_int_equal(wait(69), STARVE_NOTHING);
	assert_int_equal(wait(1), STARVE_SUSPECTED);
}

static void
who_is_always_late_misses_a_dead_one_all_the_same(void **state)
{
	enum starve_event e = STARVE_NOTHING;
	int ticks = 0;

	(void)state;
	begin();
	talk(50);
	hear(0);
	for (; ticks < 100 && e == STARVE_NOTHING; ticks++) {
		now.us += 21000; /* each tick comes 20 ms late */
		starve_shift(&s, hf_ms(20), now);
		if (!hf_time_before(now, s.due))
			e = starve_age(&s, &kin, now);
	}
	assert_int_equal(e, STARVE_SUSPECTED);
	assert_in_range(ticks, 50, 55);
	/* A packet gives the credit anew. */
	assert_int_equal(hear(52), STARVE_RETURNED);
	now.us += 500000;
	starve_shift(&s, hf_ms(499), now);
	assert_int_equal(starve_age(&s, &kin, now), STARVE_NOTHING);
}

static void
a_silent_one_whose_reports_stop_as_well_is_missed(void **state)
{
	(void)state;
	begin();
	talk(50);
	packet.cn = true;
	hear(0);
	for (int i = 0; i < 3; i++)
		starve_sign(&s, now);
	assert_int_equal(wait(1000), STARVE_HUSHED);
	for (int i = 0; i < 12; i++) {
		assert_int_equal(wait(5000), STARVE_NOTHING);
		starve_sign(&s, now);
	}
	assert_int_equal(wait(19999), STARVE_NOTHING);
	assert_int_equal(wait(1), STARVE_SUSPECTED);
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_helper_that_stops_is_suspect_at_70_and_spoken_for_at_200_ms),
		cmocka_unit_test(
		    three_packets_lost_in_a_row_are_noticed_two_are_not),
		cmocka_unit_test(longer_packets_are_given_longer),
		cmocka_unit_test(bursts_are_learned_and_forgotten),
		cmocka_unit_test(
		    an_answer_without_any_packet_is_noticed_when_never_is_over),
		cmocka_unit_test(
		    comfort_noise_packets_teach_silence_suppression),
		cmocka_unit_test(a_gap_without_a_loss_teaches_it_too),
		cmocka_unit_test(
		    a_held_up_network_does_not_pass_for_silence_suppression),
		cmocka_unit_test(
		    who_sends_his_silence_is_not_excused_by_one_stall),
		cmocka_unit_test(
		    a_stranger_who_falls_silent_after_a_pause_is_given_grace),
		cmocka_unit_test(kin_know_each_other),
		cmocka_unit_test(
		    a_rough_path_earns_later_prompts_and_grace_within_bounds),
		cmocka_unit_test(a_held_stream_owes_nothing),
		cmocka_unit_test(our_own_stall_is_not_theirs),
		cmocka_unit_test(
		    who_is_always_late_misses_a_dead_one_all_the_same),
		cmocka_unit_test(
		    a_silent_one_whose_reports_stop_as_well_is_missed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
