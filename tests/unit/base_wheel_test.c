/* base/wheel: never early, at most a tick late, whatever happened between. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/hash.h"
#include "base/wheel.h"

static struct hf_wheel w;
static struct hf_time now;
static int fired;
static struct hf_time fired_due[64];

struct alarm {
	struct hf_timer timer;
	struct hf_time want;
	int rang;
};

static void
ring(struct hf_timer *t, struct hf_time at)
{
	struct alarm *a = HF_CONTAINER(t, struct alarm, timer);

	assert_false(hf_timer_running(t));
	assert_true(at.us >= a->want.us);
	if (fired < (int)HF_LEN(fired_due))
		fired_due[fired] = a->want;
	fired++;
	a->rang++;
}

static void
start(struct alarm *a, int64_t us)
{
	a->want = (struct hf_time){ us };
	hf_timer_start(&w, &a->timer, a->want);
}

static int
setup(void **state)
{
	(void)state;
	now = (struct hf_time){ 5000123 };
	hf_wheel_init(&w, now);
	fired = 0;
	return 0;
}

static void
an_empty_wheel_sleeps_for_ever(void **state)
{
	(void)state;
	assert_int_equal(hf_wheel_next(&w).us, HF_TIME_NEVER.us);
	now.us += 3600LL * 1000000 * 24 * 400;
	hf_wheel_turn(&w, now);
	assert_int_equal(hf_wheel_next(&w).us, HF_TIME_NEVER.us);
}

/* Spans from nothing to months, each alone, woken only when the wheel asks. */
static void
each_span_is_kept_to_the_tick(void **state)
{
	static const int64_t spans[] = { -5, 0, 1, 999, 1000, 1001, 19999,
		255999, 256000, 257001, 65535999, 65536000, 65537123,
		16777215999, 16777216000, 16999999999, 4294967295999,
		4294967296000, 99999999999999 };

	(void)state;
	for (size_t i = 0; i < HF_LEN(spans); i++) {
		struct alarm a = { 0 };
		int turns = 0;

		hf_timer_init(&a.timer, ring);
		start(&a, now.us + spans[i]);
		while (a.rang == 0) {
			struct hf_time next = hf_wheel_next(&w);
			if (next.us > now.us)
				now = next;
			else
				now.us += HF_WHEEL_TICK_US;
			hf_wheel_turn(&w, now);
			assert_true(++turns < 1000);
		}
		assert_true(
		    now.us - a.want.us <=
		    (spans[i] <= 0 ? HF_WHEEL_TICK_US + 5 : HF_WHEEL_TICK_US));
		assert_int_equal(w.running, 0);
	}
}

static void
a_long_stop_fires_everything_once_in_order(void **state)
{
	static const int64_t spans[] = { 80000000, 300000, 20000, 500,
		4000000 };
	struct alarm a[HF_LEN(spans)] = { 0 };

	(void)state;
	for (size_t i = 0; i < HF_LEN(a); i++) {
		hf_timer_init(&a[i].timer, ring);
		start(&a[i], now.us + spans[i]);
	}
	now.us += 90000000;
	hf_wheel_turn(&w, now);
	assert_int_equal(fired, HF_LEN(a));
	for (int i = 1; i < fired; i++)
		assert_true(fired_due[i - 1].us < fired_due[i].us);
}

static void
stopped_and_moved_timers_keep_quiet(void **state)
{
	struct alarm a = { 0 }, b = { 0 };

	(void)state;
	hf_timer_init(&a.timer, ring);
	hf_timer_init(&b.timer, ring);
	start(&a, now.us + 5000);
	start(&b, now.us + 5000);
	hf_timer_stop(&w, &a.timer);
	hf_timer_stop(&w, &a.timer);
	start(&b, now.us + 700000);
	now.us += 600000;
	hf_wheel_turn(&w, now);
	assert_int_equal(fired, 0);
	now.us += 101000;
	hf_wheel_turn(&w, now);
	assert_int_equal(a.rang, 0);
	assert_int_equal(b.rang, 1);
	hf_timer_start(&w, &a.timer, HF_TIME_NEVER);
	assert_false(hf_timer_running(&a.timer));
	assert_int_equal(w.running, 0);
}

static struct alarm victim;

static void
ring_and_stop(struct hf_timer *t, struct hf_time at)
{
	(void)t;
	(void)at;
	fired++;
	hf_timer_stop(&w, &victim.timer);
}

static void
ring_and_start(struct hf_timer *t, struct hf_time at)
{
	fired++;
	hf_timer_start(&w, t, (struct hf_time){ at.us - 50000 });
}

static void
a_handler_may_stop_its_neighbour(void **state)
{
	struct alarm a = { 0 };

	(void)state;
	victim = (struct alarm){ 0 };
	hf_timer_init(&a.timer, ring_and_stop);
	hf_timer_init(&victim.timer, ring);
	start(&a, now.us + 1000);
	start(&victim, now.us + 1000);
	now.us += 5000;
	hf_wheel_turn(&w, now);
	assert_int_equal(fired, 1);
	assert_int_equal(victim.rang, 0);
	assert_int_equal(w.running, 0);
}

static void
a_handler_that_starts_itself_in_the_past_does_not_hang_us(void **state)
{
	struct alarm a = { 0 };

	(void)state;
	hf_timer_init(&a.timer, ring_and_start);
	start(&a, now.us);
	now.us += 20000;
	hf_wheel_turn(&w, now);
	assert_in_range(fired, 1, 21);
	assert_true(hf_wheel_next(&w).us <= now.us + HF_WHEEL_TICK_US);
	hf_timer_stop(&w, &a.timer);
}

/* Two hundred timers, random moves for an hour of the wheel's time. */
static void
chaos_loses_nobody(void **state)
{
	static struct alarm a[200];
	struct hf_rand r = { .key = { { 5, 6 } } };

	(void)state;
	memset(a, 0, sizeof(a));
	for (size_t i = 0; i < HF_LEN(a); i++)
		hf_timer_init(&a[i].timer, ring);
	for (int i = 0; i < 50000; i++) {
		struct alarm *it = &a[hf_rand_below(&r, HF_LEN(a))];
		uint32_t bits = 4 + hf_rand_below(&r, 24);

		if (hf_rand_below(&r, 8) == 0)
			hf_timer_stop(&w, &it->timer);
		else
			start(it, now.us + hf_rand_below(&r, 1U << bits));
		now.us += hf_rand_below(&r, 150000);
		hf_wheel_turn(&w, now);
		uint32_t running = 0;
		for (size_t k = 0; k < HF_LEN(a); k++) {
			if (!hf_timer_running(&a[k].timer))
				continue;
			running++;
			assert_true(a[k].want.us > now.us - HF_WHEEL_TICK_US);
		}
		assert_int_equal(running, w.running);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(an_empty_wheel_sleeps_for_ever),
		T(each_span_is_kept_to_the_tick),
		T(a_long_stop_fires_everything_once_in_order),
		T(stopped_and_moved_timers_keep_quiet),
		T(a_handler_may_stop_its_neighbour),
		T(a_handler_that_starts_itself_in_the_past_does_not_hang_us),
		T(chaos_loses_nobody),
	};

	return cmocka_run_group_tests_name("base/wheel", tests, NULL, NULL);
}
