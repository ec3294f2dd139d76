/* io/sip/limit and io/sip/peek: a party has its share, a flood costs neither
 * memory nor anybody else's share, and what belongs to a call is told from
 * what does not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "io/sip/limit.h"
#include "io/sip/peek.h"

enum { PER_S = 10, BURST = 50 };

static struct sip_limit l;
static struct hf_time now;
static const struct hf_hash_key key = { { 1, 2 } };
static const struct sip_rate rate = { PER_S, BURST };

static int
setup(void **state)
{
	(void)state;
	now.us = 1000000;
	sip_limit_init(&l, &key);
	return 0;
}

static uint64_t
at(const char *text)
{
	struct hf_addr a;

	assert_true(hf_addr_parse_ip(hf_slice_of(text), &a));
	return sip_limit_address(&l, &a);
}

/* What came of so many at once. */
static struct {
	unsigned fine, over, flood, told;
} got;

static void
asks(uint64_t party, unsigned times)
{
	memset(&got, 0, sizeof(got));
	while (times-- > 0) {
		bool tell = false;
		enum sip_limit_said s =
		    sip_limit_take(&l, party, rate, now, &tell);

		got.fine += s == SIP_LIMIT_FINE;
		got.over += s == SIP_LIMIT_OVER;
		got.flood += s == SIP_LIMIT_FLOOD;
		got.told += tell;
	}
}

static void
pass(int64_t ms)
{
	now = hf_time_after(now, hf_ms(ms));
}

static void
a_burst_is_heard_as_many_are_refused_the_rest_is_not_read(void **state)
{
	(void)state;
	asks(at("192.0.2.1"), 1000);
	assert_int_equal(got.fine, BURST);
	assert_int_equal(got.over, BURST);
	assert_int_equal(got.flood, 1000 - 2 * BURST);
	assert_int_equal(got.told, 1);
}

static void
who_goes_on_has_the_rate(void **state)
{
	unsigned fine = 0, told = 0;

	(void)state;
	asks(at("192.0.2.1"), 1000);
	for (int i = 0; i < 100; i++) {
		pass(100);
		asks(at("192.0.2.1"), 20);
		fine += got.fine;
		told += got.told;
	}
	assert_in_range(fine, 10 * PER_S - 1, 10 * PER_S + 1);
	assert_int_equal(told, 0);
	assert_int_equal(sip_limit_over(&l, rate, now), 1);
}

static void
who_was_quiet_has_all_of_it_again(void **state)
{
	(void)state;
	asks(at("192.0.2.1"), 1000);
	pass(1000LL * BURST / PER_S + 1);
	assert_int_equal(sip_limit_over(&l, rate, now), 0);
	asks(at("192.0.2.1"), 1000);
	assert_int_equal(got.fine, BURST);
	assert_int_equal(got.told, 1);
}

static void
nobody_pays_for_others(void **state)
{
	(void)state;
	asks(at("192.0.2.1"), 1000);
	asks(at("192.0.2.2"), 1);
	assert_int_equal(got.fine, 1);
	asks(sip_limit_row(&l, 'a', 1), 1000);
	asks(sip_limit_row(&l, 't', 1), 1);
	assert_int_equal(got.fine, 1);
	asks(sip_limit_row(&l, 'a', 2), 1);
	assert_int_equal(got.fine, 1);
	/* Of IPv6 a party is who holds the network. */
	asks(at("2001:db8::1"), 1000);
	asks(at("2001:db8::2"), 1);
	assert_int_equal(got.fine, 0);
	asks(at("2001:db8:0:1::2"), 1);
	assert_int_equal(got.fine, 1);
}

static void
who_is_fined_waits_and_never_longer_than_for_a_burst(void **state)
{
	(void)state;
	sip_limit_fine(&l, at("192.0.2.1"), rate, BURST - 1, now);
	asks(at("192.0.2.1"), 2);
	assert_int_equal(got.fine, 1);
	for (int i = 0; i < 1000; i++)
		sip_limit_fine(&l, at("192.0.2.1"), rate, 100, now);
	pass(1000 / PER_S + 1);
	asks(at("192.0.2.1"), 2);
	assert_int_equal(got.fine, 1);
}

/* Ten times as many addresses as there are places, each once; and somebody who
 * is over meanwhile, and asks as often as they. */
static void
a_flood_of_addresses_makes_nobody_forgotten(void **state)
{
	uint64_t loud = at("198.51.100.1");

	(void)state;
	asks(loud, 1000);
	for (uint32_t i = 0; i < 10 * HF_LEN(l.place); i++) {
		asks(sip_limit_row(&l, 'x', i), 1);
		assert_int_equal(got.fine, 1);
	}
	asks(loud, 1);
	assert_int_equal(got.fine, 0);
}

/* ---- peek ---------------------------------------------------------------- */

#define VIA "Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"

static void
each_kind_of_message_is_known_by_its_header(void **state)
{
	static const struct {
		const char *text;
		enum sip_peek_kind kind;
		bool invite;
		const char *user, *tag;
	} rows[] = {
		{ "SIP/2.0 200 OK\r\n" VIA "To: <sip:a@b>;tag=1\r\n\r\n",
		    SIP_PEEK_ANSWER, false, "", "" },
		{ "INVITE sip:+331@h SIP/2.0\r\n" VIA
		  "From: <sip:a@b>;tag=f\r\nTo: <sip:a@b>\r\n\r\nTo: x;tag=1",
		    SIP_PEEK_NEW, true, "+331", "" },
		{ "INVITE sip:+331@h SIP/2.0\r\n" VIA
		  "to : \"x\" <sip:a@b>;x=y;TAG=12ab\r\n\r\n",
		    SIP_PEEK_INSIDE, true, "+331", "12ab" },
		{ "BYE sip:h SIP/2.0\r\nt:sip:a@b;tag=9;z\r\n\r\n",
		    SIP_PEEK_INSIDE, false, "", "9" },
		{ "ACK sip:a@h SIP/2.0\r\n\r\n", SIP_PEEK_ABOUT, false, "a",
		    "" },
		{ "CANCEL sip:a@h SIP/2.0\r\n\r\n", SIP_PEEK_ABOUT, false, "a",
		    "" },
		{ "REGISTER sip:h SIP/2.0\r\nTo: <sip:a@b>\r\n\r\n",
		    SIP_PEEK_NEW, false, "", "" },
		{ "invite sip:a@h SIP/2.0\r\n\r\n", SIP_PEEK_NEW, false, "a",
		    "" },
		{ "\r\n\r\nOPTIONS sip:h SIP/2.0\r\nTo: <sip:h>;tag=1\r\n\r\n",
		    SIP_PEEK_INSIDE, false, "", "1" },
		{ "GET", SIP_PEEK_NOISE, false, "", "" },
		{ "", SIP_PEEK_NOISE, false, "", "" },
		{ "\r\n\r\n", SIP_PEEK_NOISE, false, "", "" },
		{ "\x01\x02 \x03", SIP_PEEK_NOISE, false, "", "" },
		{ "INVITE", SIP_PEEK_NOISE, false, "", "" },
		{ "INVITE ", SIP_PEEK_NEW, true, "", "" },
		{ "INVITE sip:a@h SIP/2.0\nTo", SIP_PEEK_NEW, true, "a", "" },
		{ "INVITE sip:a@h SIP/2.0\nTo:;tag=", SIP_PEEK_NEW, true, "a",
		    "" },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct sip_peek p = sip_peek(hf_slice_of(rows[i].text));

		if (p.kind != rows[i].kind || p.invite != rows[i].invite ||
		    !hf_slice_eq(p.user, hf_slice_of(rows[i].user)) ||
		    !hf_slice_eq(p.tag, hf_slice_of(rows[i].tag)))
			fail_msg("row %zu: kind %d invite %d user %.*s "
				 "tag %.*s",
			    i, p.kind, p.invite, (int)p.user.n, p.user.p,
			    (int)p.tag.n, p.tag.p);
	}
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_burst_is_heard_as_many_are_refused_the_rest_is_not_read),
		T(who_goes_on_has_the_rate),
		T(who_was_quiet_has_all_of_it_again),
		T(nobody_pays_for_others),
		T(who_is_fined_waits_and_never_longer_than_for_a_burst),
		T(a_flood_of_addresses_makes_nobody_forgotten),
		T(each_kind_of_message_is_known_by_its_header),
	};
#undef T

	return cmocka_run_group_tests_name("limit", tests, NULL, NULL);
}
