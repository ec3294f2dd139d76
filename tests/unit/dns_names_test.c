/* What is known of host names, in virtual time. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "io/dns/names.h"

enum { ROWS = 40 };

static struct dns_name row[ROWS];
static struct dns_names d;
static struct hf_time now;

static int
setup(void **state)
{
	(void)state;
	now = (struct hf_time){ 1000000 };
	dns_names_init(&d, row, ROWS);
	return 0;
}

static void
later(int64_t ms)
{
	now = hf_time_after(now, hf_ms(ms));
}

static void
only(const char *host)
{
	dns_names_begin(&d);
	assert_true(dns_names_want(&d, host, now));
	dns_names_end(&d);
}

/* "192.0.2.1 192.0.2.2", good for so long; empty: why it failed. */
static struct dns_answer
answer(const char *ips, int ttl_s)
{
	struct dns_answer a = { .ttl = hf_ms(ttl_s * 1000) };
	struct hf_slice s = hf_slice_of(ips);

	while (s.n > 0) {
		size_t n = hf_slice_find(s, ' ');

		assert_true(hf_addr_parse_ip(
		    (struct hf_slice){ s.p, n }, &a.at[a.ats++]));
		n += n < s.n;
		s = (struct hf_slice){ s.p + n, s.n - n };
	}
	if (a.ats == 0)
		a.why = "server failed";
	return a;
}

static enum dns_news
asked_and_answered(const char *ips, int ttl_s)
{
	struct dns_answer a = answer(ips, ttl_s);
	uint32_t n = dns_names_due(&d, now);

	assert_int_not_equal(n, DNS_NONE);
	return dns_names_answered(&d, n, &a, now);
}

static const char *
known(const char *host)
{
	static char text[256];
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);
	const struct dns_name *n = dns_names_find(&d, host);

	for (uint8_t i = 0; n != NULL && i < n->ats; i++) {
		if (i > 0)
			hf_buf_char(&b, ' ');
		hf_addr_put_ip(&b, &n->at[i]);
	}
	text[b.n] = '\0';
	return text;
}

/* ---- stories ------------------------------------------------------------- */

static void
a_new_name_is_asked_for_at_once_and_once(void **state)
{
	(void)state;
	only("bots.example.net");
	assert_true(dns_names_next(&d).us == now.us);
	assert_int_not_equal(dns_names_due(&d, now), DNS_NONE);
	assert_int_equal(dns_names_due(&d, now), DNS_NONE);
	assert_true(dns_names_next(&d).us == INT64_MAX);
	assert_string_equal(known("bots.example.net"), "");
}

static void
addresses_are_kept_in_the_order_of_the_answer(void **state)
{
	(void)state;
	only("bots.example.net");
	assert_int_equal(
	    asked_and_answered("192.0.2.2 2001:db8::1 192.0.2.1", 60),
	    DNS_FOUND);
	assert_string_equal(
	    known("BOTS.example.NET"), "192.0.2.2 2001:db8::1 192.0.2.1");
}

static void
it_is_asked_again_before_it_is_too_old(void **state)
{
	static const struct {
		int ttl_s;
		int64_t ms;
	} rows[] = {
		{ 0, 5000 },
		{ 1, 5000 },
		{ 6, 5000 },
		{ 60, 48000 },
		{ 300, 240000 },
		{ 301, 300000 },
		{ 86400, 300000 },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		setup(NULL);
		only("bots.example.net");
		(void)asked_and_answered("192.0.2.1", rows[i].ttl_s);
		assert_true(
		    dns_names_next(&d).us == now.us + rows[i].ms * 1000);
		later(rows[i].ms - 1);
		assert_int_equal(dns_names_due(&d, now), DNS_NONE);
		later(1);
		assert_int_not_equal(dns_names_due(&d, now), DNS_NONE);
	}
}

static void
the_last_good_answer_outlives_the_dns(void **state)
{
	(void)state;
	only("bots.example.net");
	(void)asked_and_answered("192.0.2.1", 60);
	later(48000);
	assert_int_equal(asked_and_answered("", 0), DNS_LOST);
	for (int i = 0; i < 10000; i++) {
		later(DNS_EVERY_MIN_MS);
		assert_int_equal(asked_and_answered("", 0), DNS_AS_IT_WAS);
	}
	assert_string_equal(known("bots.example.net"), "192.0.2.1");
	assert_true(d.failed == 10001);
	later(DNS_EVERY_MIN_MS);
	assert_int_equal(asked_and_answered("192.0.2.1", 60), DNS_BACK);
}

static void
a_name_that_never_was_is_told_once_and_asked_on(void **state)
{
	(void)state;
	only("nowhere.example.net");
	assert_int_equal(asked_and_answered("", 0), DNS_LOST);
	later(DNS_EVERY_MIN_MS);
	assert_int_equal(asked_and_answered("", 0), DNS_AS_IT_WAS);
	assert_string_equal(known("nowhere.example.net"), "");
	later(DNS_EVERY_MIN_MS);
	assert_int_equal(asked_and_answered("192.0.2.1", 9), DNS_FOUND);
}

static void
another_order_is_no_news_but_another_address_is(void **state)
{
	static const struct {
		const char *ips;
		enum dns_news news;
	} rows[] = {
		{ "192.0.2.1 192.0.2.2", DNS_FOUND },
		{ "192.0.2.2 192.0.2.1", DNS_AS_IT_WAS },
		{ "192.0.2.2", DNS_MOVED },
		{ "192.0.2.2 192.0.2.3", DNS_MOVED },
		{ "", DNS_LOST },
		{ "192.0.2.4", DNS_MOVED },
	};

	(void)state;
	only("bots.example.net");
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		assert_int_equal(
		    asked_and_answered(rows[i].ips, 5), rows[i].news);
		later(DNS_EVERY_MIN_MS);
	}
	assert_string_equal(known("bots.example.net"), "192.0.2.4");
}

static void
a_family_that_is_missing_is_kept_for_a_while_as_the_last_to_try(void **state)
{
	(void)state;
	only("bots.example.net");
	(void)asked_and_answered("192.0.2.1 2001:db8::1", 60);
	later(48000);
	for (int i = 0; i < DNS_KEPT_TURNS; i++) {
		assert_int_equal(
		    asked_and_answered("2001:db8::1", 60), DNS_AS_IT_WAS);
		assert_string_equal(
		    known("bots.example.net"), "2001:db8::1 192.0.2.1");
		later(DNS_EVERY_MIN_MS);
	}
	assert_int_equal(asked_and_answered("2001:db8::1", 60), DNS_MOVED);
	assert_string_equal(known("bots.example.net"), "2001:db8::1");
	/* It comes back, and the next time it is as patient. */
	later(48000);
	assert_int_equal(
	    asked_and_answered("192.0.2.2 2001:db8::1", 5), DNS_MOVED);
	later(DNS_EVERY_MIN_MS);
	assert_int_equal(asked_and_answered("192.0.2.2", 60), DNS_AS_IT_WAS);
	assert_string_equal(known("bots.example.net"), "192.0.2.2 2001:db8::1");
}

static void
a_reload_keeps_what_is_known_and_forgets_what_is_not_meant(void **state)
{
	(void)state;
	only("bots.example.net");
	(void)asked_and_answered("192.0.2.1", 60);
	dns_names_begin(&d);
	assert_true(dns_names_want(&d, "Bots.Example.Net", now));
	assert_true(dns_names_want(&d, "trunk.example.net", now));
	assert_true(dns_names_want(&d, "trunk.example.net", now));
	dns_names_end(&d);
	assert_string_equal(known("bots.example.net"), "192.0.2.1");
	(void)asked_and_answered("192.0.2.9", 60);
	assert_int_equal(dns_names_due(&d, now), DNS_NONE);
	only("trunk.example.net");
	assert_null(dns_names_find(&d, "bots.example.net"));
	assert_string_equal(known("trunk.example.net"), "192.0.2.9");
}

static void
a_reload_asks_again_for_what_failed(void **state)
{
	(void)state;
	only("bots.example.net");
	(void)asked_and_answered("", 0);
	assert_int_equal(dns_names_due(&d, now), DNS_NONE);
	only("bots.example.net");
	assert_int_equal(asked_and_answered("192.0.2.1", 60), DNS_FOUND);
	only("bots.example.net");
	assert_int_equal(dns_names_due(&d, now), DNS_NONE);
}

static void
an_answer_for_a_forgotten_name_is_nobody_elses(void **state)
{
	struct dns_answer a = answer("192.0.2.66", 60);
	uint32_t n;

	(void)state;
	only("old.example.net");
	n = dns_names_due(&d, now);
	only("new.example.net");
	assert_int_not_equal(dns_names_due(&d, now), n);
	assert_int_equal(dns_names_answered(&d, n, &a, now), DNS_AS_IT_WAS);
	assert_null(dns_names_find(&d, "old.example.net"));
	assert_string_equal(known("new.example.net"), "");
}

static void
a_question_that_was_not_put_is_put_again(void **state)
{
	struct dns_answer a = { .unasked = true };
	uint32_t n;

	(void)state;
	only("bots.example.net");
	n = dns_names_due(&d, now);
	assert_int_equal(dns_names_answered(&d, n, &a, now), DNS_AS_IT_WAS);
	assert_int_equal(dns_names_due(&d, now), n);
	assert_true(d.failed == 0);
}

static void
so_many_at_once_and_the_others_get_their_turn(void **state)
{
	struct dns_answer a = answer("192.0.2.1", 5);
	uint32_t n[ROWS], asked = 0;
	char host[32];

	(void)state;
	dns_names_begin(&d);
	for (int i = 0; i < ROWS; i++) {
		snprintf(host, sizeof(host), "bot%d.example.net", i);
		assert_true(dns_names_want(&d, host, now));
	}
	assert_false(dns_names_want(&d, "one.too.many", now));
	dns_names_end(&d);
	while ((n[asked] = dns_names_due(&d, now)) != DNS_NONE)
		asked++;
	assert_int_equal(asked, DNS_AT_ONCE);
	later(DNS_EVERY_MIN_MS);
	for (uint32_t i = 0; i < asked; i++)
		(void)dns_names_answered(&d, n[i], &a, now);
	/* Those that were answered are due again as well; they have waited
	 * less. */
	later(DNS_EVERY_MIN_MS);
	for (int i = DNS_AT_ONCE; i < ROWS; i++)
		assert_int_equal(dns_names_due(&d, now), i);
}

static void
a_host_that_is_too_long_is_refused(void **state)
{
	char host[DNS_HOST_MAX + 1];

	(void)state;
	memset(host, 'a', sizeof(host));
	host[DNS_HOST_MAX] = '\0';
	dns_names_begin(&d);
	assert_false(dns_names_want(&d, host, now));
	host[DNS_HOST_MAX - 1] = '\0';
	assert_true(dns_names_want(&d, host, now));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_new_name_is_asked_for_at_once_and_once),
		T(addresses_are_kept_in_the_order_of_the_answer),
		T(it_is_asked_again_before_it_is_too_old),
		T(the_last_good_answer_outlives_the_dns),
		T(a_name_that_never_was_is_told_once_and_asked_on),
		T(another_order_is_no_news_but_another_address_is),
		T(a_family_that_is_missing_is_kept_for_a_while_as_the_last_to_try),
		T(a_reload_keeps_what_is_known_and_forgets_what_is_not_meant),
		T(a_reload_asks_again_for_what_failed),
		T(an_answer_for_a_forgotten_name_is_nobody_elses),
		T(a_question_that_was_not_put_is_put_again),
		T(so_many_at_once_and_the_others_get_their_turn),
		T(a_host_that_is_too_long_is_refused),
	};
#undef T

	return cmocka_run_group_tests_name("dns_names", tests, NULL, NULL);
}
