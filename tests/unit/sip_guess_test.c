/* io/sip/guess: who guesses waits, and nobody waits for others. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "io/sip/guess.h"

enum { WRONG = 10, PAUSE_MS = 30000 };

static struct sip_guess g;
static struct hf_time now;
static const struct hf_hash_key key = { { 1, 2 } };

static int
setup(void **state)
{
	(void)state;
	now.us = 1000000;
	sip_guess_init(&g, &key, WRONG, hf_ms(PAUSE_MS));
	return 0;
}

static struct hf_addr
at(const char *text)
{
	struct hf_addr a;

	assert_true(hf_addr_parse_ip(hf_slice_of(text), &a));
	return a;
}

static bool
may(const char *source, const char *name)
{
	struct hf_addr a = at(source);

	return sip_guess_may(&g, &a, hf_slice_of(name), false, now);
}

/* So many wrong answers; how often somebody was to be told. */
static unsigned
wrong(const char *source, const char *name, unsigned times)
{
	struct hf_addr a = at(source);
	unsigned told = 0;

	while (times-- > 0)
		told += sip_guess_wrong(&g, &a, hf_slice_of(name), now);
	return told;
}

static void
pass(int64_t ms)
{
	now = hf_time_after(now, hf_ms(ms));
}

static void
after_ten_wrong_answers_he_is_not_listened_to(void **state)
{
	(void)state;
	assert_int_equal(wrong("192.0.2.1", "anna", WRONG - 1), 0);
	assert_true(may("192.0.2.1", "anna"));
	assert_int_equal(wrong("192.0.2.1", "anna", 1), 1);
	assert_false(may("192.0.2.1", "anna"));
	/* Nor his neighbour, but others and other names are. */
	assert_false(may("192.0.2.200", "anna"));
	assert_true(may("192.0.2.1", "bob"));
	assert_true(may("198.51.100.1", "anna"));
	assert_true(may("2001:db8::1", "anna"));
}

static void
every_pause_one_more_is_heard(void **state)
{
	(void)state;
	(void)wrong("192.0.2.1", "anna", WRONG);
	pass(PAUSE_MS - 1);
	assert_false(may("192.0.2.1", "anna"));
	pass(1);
	assert_true(may("192.0.2.1", "anna"));
	(void)wrong("192.0.2.1", "anna", 1);
	assert_false(may("192.0.2.1", "anna"));
}

static void
one_line_is_said_until_the_bucket_has_drained(void **state)
{
	(void)state;
	assert_int_equal(wrong("192.0.2.1", "anna", WRONG), 1);
	for (int i = 0; i < 20; i++) {
		pass(PAUSE_MS);
		assert_int_equal(wrong("192.0.2.1", "anna", 1), 0);
	}
	pass(WRONG * PAUSE_MS);
	assert_int_equal(wrong("192.0.2.1", "anna", WRONG), 1);
}

static void
a_network_that_tries_many_names_is_not_listened_to(void **state)
{
	char name[16];

	(void)state;
	for (int i = 0; i < WRONG * SIP_GUESS_SHARE; i++) {
		assert_true(may("2001:db8::1", "anna"));
		snprintf(name, sizeof(name), "n%d", i);
		(void)wrong("2001:db8::1", name, 1);
	}
	assert_false(may("2001:db8::1:2", "anna"));
	assert_true(may("2001:db8:0:1::1", "anna"));
}

static void
a_name_tried_from_everywhere_rests_but_not_at_home(void **state)
{
	struct hf_addr home = at("198.51.100.1");
	char source[32];

	(void)state;
	for (int i = 0; i < WRONG * SIP_GUESS_SHARE; i++) {
		snprintf(source, sizeof(source), "10.0.%d.1", i);
		(void)wrong(source, "anna", 1);
	}
	assert_false(may("198.51.100.1", "anna"));
	assert_true(sip_guess_may(&g, &home, hf_slice_of("anna"), true, now));
	assert_true(may("198.51.100.1", "bob"));
}

static void
a_flood_of_names_does_not_free_the_guilty(void **state)
{
	char source[32];

	(void)state;
	(void)wrong("192.0.2.1", "anna", WRONG);
	for (int i = 0; i < 2000; i++) {
		snprintf(
		    source, sizeof(source), "10.%d.%d.1", i / 250, i % 250);
		(void)wrong(source, "x", 1);
	}
	assert_false(may("192.0.2.1", "anna"));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(after_ten_wrong_answers_he_is_not_listened_to),
		T(every_pause_one_more_is_heard),
		T(one_line_is_said_until_the_bucket_has_drained),
		T(a_network_that_tries_many_names_is_not_listened_to),
		T(a_name_tried_from_everywhere_rests_but_not_at_home),
		T(a_flood_of_names_does_not_free_the_guilty),
	};
#undef T
	return cmocka_run_group_tests_name("guess", tests, NULL, NULL);
}
