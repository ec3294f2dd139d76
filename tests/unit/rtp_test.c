/* io/rtp: packets, what a receiver counts, RTCP, keys. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "io/rtp/dtmf.h"
#include "io/rtp/rtcp.h"
#include "io/rtp/rtp.h"

#define HEAD "\x80\x00\x12\x34\x00\x00\x00\xa0\xde\xad\xbe\xef"

static void
a_packet_is_written_as_it_was_read(void **state)
{
	uint8_t wire[] = HEAD "abc", copy[sizeof(wire)];
	struct rtp_packet p;

	(void)state;
	memcpy(copy, wire, sizeof(wire));
	assert_true(rtp_parse(wire, sizeof(wire) - 1, &p));
	assert_int_equal(p.seq, 0x1234);
	assert_int_equal(p.ts, 160);
	assert_int_equal(p.ssrc, 0xdeadbeef);
	assert_int_equal(p.n, 3);
	memset(wire, 0, RTP_HEADER_LEN);
	assert_ptr_equal(rtp_put_header(&p), wire);
	assert_memory_equal(wire, copy, sizeof(wire));
}

static const struct {
	const char *why;
	const char *bytes;
	size_t n;
	int body; /* -1: refused */
} odd[] = {
	{ "header alone", HEAD, 12, 0 },
	{ "eleven bytes", HEAD, 11, -1 },
	{ "version 1", "\x40" HEAD, 13, -1 },
	{ "one CSRC",
	    "\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
	    "\x00\x00\x00\x02x",
	    17, 1 },
	{ "a CSRC that is not there",
	    "\x81\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01xyz", 15, -1 },
	{ "extension of one word",
	    "\x90\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
	    "\xbe\xde\x00\x01wwwwx",
	    21, 1 },
	{ "extension longer than the packet",
	    "\x90\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01"
	    "\xbe\xde\xff\xffwwwwx",
	    21, -1 },
	{ "extension cut in its head",
	    "\x90\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01\xbe\xde", 14,
	    -1 },
	{ "padding of two",
	    "\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01xy\x00\x02", 16,
	    2 },
	{ "padding of nothing",
	    "\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01xy\x00\x00", 16,
	    -1 },
	{ "padding into the header",
	    "\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01xy\x00\x05", 16,
	    -1 },
	{ "padding without a byte",
	    "\xa0\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x01", 12, -1 },
};

static void
odd_packets_are_read_or_refused_by_their_bounds(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_LEN(odd); i++) {
		uint8_t *p = malloc(odd[i].n); /* so that valgrind sees */
		struct rtp_packet out;
		bool ok;

		assert_non_null(p);
		memcpy(p, odd[i].bytes, odd[i].n);
		ok = rtp_parse(p, odd[i].n, &out);
		if (ok != (odd[i].body >= 0) || (ok && out.n != odd[i].body))
			fail_msg("%s", odd[i].why);
		free(p);
	}
}

static struct rtp_packet
nth(uint16_t seq)
{
	return (struct rtp_packet){ .seq = seq, .ts = seq * 160u, .ssrc = 7 };
}

static void
losses_are_counted_across_the_sequences_end(void **state)
{
	struct rtp_meter m = { 0 };
	struct hf_time t = { 0 };
	unsigned heard = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++, t.us += 20000) {
		struct rtp_packet p = nth((uint16_t)(65000 + i));

		if (i % 10 == 3)
			continue;
		rtp_meter_hear(&m, &p, t);
		heard++;
	}
	assert_int_equal(m.received, heard);
	assert_int_equal(rtp_meter_lost(&m), 1000 - heard);
	assert_int_equal(rtp_meter_highest(&m), 65000 + 999);
	assert_in_range(rtp_meter_fraction(&m), 24, 26);
	assert_int_equal(rtp_meter_fraction(&m), 0);
	assert_true(rtp_meter_jitter(&m).us < 100);
}

static void
duplicates_do_not_make_losses_negative(void **state)
{
	struct rtp_meter m = { 0 };

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct rtp_packet p = nth((uint16_t)(i / 2));

		rtp_meter_hear(&m, &p, (struct hf_time){ i * 10000 });
	}
	assert_int_equal(rtp_meter_lost(&m), 0);
}

static void
a_new_source_keeps_the_old_ones_losses(void **state)
{
	struct rtp_meter m = { 0 };
	struct rtp_packet p = nth(1);

	(void)state;
	rtp_meter_hear(&m, &p, (struct hf_time){ 0 });
	p = nth(5);
	rtp_meter_hear(&m, &p, (struct hf_time){ 80000 });
	assert_int_equal(rtp_meter_lost(&m), 3);
	p.ssrc = 8;
	p.seq = 40000;
	rtp_meter_hear(&m, &p, (struct hf_time){ 100000 });
	assert_int_equal(rtp_meter_lost(&m), 3);
	p.seq = 40002;
	rtp_meter_hear(&m, &p, (struct hf_time){ 140000 });
	assert_int_equal(rtp_meter_lost(&m), 4);
}

static void
jitter_is_what_the_appendix_says(void **state)
{
	struct rtp_meter m = { 0 };

	(void)state;
	/* Every second packet 8 ms late: |D| is 8 ms each time. */
	for (unsigned i = 0; i < 400; i++) {
		struct rtp_packet p = nth((uint16_t)i);

		rtp_meter_hear(
		    &m, &p, (struct hf_time){ i * 20000 + (i % 2) * 8000 });
	}
	assert_in_range(rtp_meter_jitter(&m).us, 7000, 9000);
}

static void
a_report_says_what_was_put_into_it(void **state)
{
	uint8_t wire[200];
	struct hf_buf b = hf_buf_on(wire, sizeof(wire));
	struct rtcp_news news;
	struct rtcp_report r = {
		.ssrc = 0x11223344,
		.sender = true,
		.ntp = 0x0102030405060708,
		.ts = 99,
		.packets = 50,
		.octets = 8000,
		.hears = true,
		.about = 0xcafe,
		.fraction = 26,
		.lost = 5,
		.highest = 70000,
		.jitter = 12,
		.cname = "hf",
	};

	(void)state;
	rtcp_put(&b, &r);
	assert_false(b.overflow);
	assert_int_equal(b.n % 4, 0);
	assert_true(rtp_is_rtcp(wire, b.n));
	assert_true(rtcp_parse(hf_buf_taken(&b), 0xcafe, &news));
	assert_true(news.about_us);
	assert_true(news.sender);
	assert_int_equal(news.ntp_mid, 0x03040506);
	assert_int_equal(news.packets, 50);
	assert_int_equal(news.fraction, 26);
	assert_int_equal(news.lost, 5);
	assert_int_equal(news.highest, 70000);
	assert_int_equal(news.jitter, 12);
	assert_true(rtcp_parse(hf_buf_taken(&b), 0xbeef, &news));
	assert_false(news.about_us);
	assert_int_equal(news.blocks, 1);
}

static void
an_empty_receiver_report_is_news_of_nobody(void **state)
{
	uint8_t wire[64];
	struct hf_buf b = hf_buf_on(wire, sizeof(wire));
	struct rtcp_news news;

	(void)state;
	rtcp_put(&b, &(struct rtcp_report){ .ssrc = 1, .cname = "hf" });
	assert_true(rtcp_parse(hf_buf_taken(&b), 2, &news));
	assert_int_equal(news.blocks, 0);
	for (size_t cut = 1; cut < b.n; cut++)
		if (cut != 8) /* the report without its SDES is whole */
			assert_false(rtcp_parse(
			    (struct hf_slice){ (char *)wire, cut }, 2, &news));
}

static struct rtp_packet
event(uint32_t ts, uint8_t key, bool end, uint16_t samples)
{
	static uint8_t body[4];

	body[0] = key;
	body[1] = end ? 0x8a : 0x0a;
	body[2] = (uint8_t)(samples >> 8);
	body[3] = (uint8_t)samples;
	return (struct rtp_packet){ .ts = ts, .ssrc = 1, .body = body, .n = 4 };
}

static void
a_key_is_told_once_however_often_it_comes(void **state)
{
	struct dtmf d = { 0 };
	struct dtmf_key key = { 0 };
	int told = 0;

	(void)state;
	for (int i = 0; i < 8; i++) {
		struct rtp_packet p =
		    event(1000, 11, i >= 5, (uint16_t)(i < 5 ? i * 160 : 800));

		told += dtmf_hear(&d, &p, (struct hf_time){ i * 20000 }, &key);
	}
	assert_int_equal(told, 1);
	assert_int_equal(key.digit, '#');
	assert_int_equal(key.ms, 100);
}

static void
a_key_whose_end_was_lost_is_told_after_the_gap(void **state)
{
	struct dtmf d = { 0 };
	struct dtmf_key key;
	struct rtp_packet p = event(1000, 1, false, 160);

	(void)state;
	assert_false(dtmf_hear(&d, &p, (struct hf_time){ 0 }, &key));
	assert_false(dtmf_age(&d, (struct hf_time){ 50000 }, hf_ms(60), &key));
	assert_true(dtmf_age(&d, (struct hf_time){ 60000 }, hf_ms(60), &key));
	assert_int_equal(key.digit, '1');
	assert_false(dtmf_age(&d, (struct hf_time){ 90000 }, hf_ms(60), &key));
}

static void
the_next_key_ends_the_one_before(void **state)
{
	struct dtmf d = { 0 };
	struct dtmf_key key;
	struct rtp_packet p = event(1000, 1, false, 160);

	(void)state;
	assert_false(dtmf_hear(&d, &p, (struct hf_time){ 0 }, &key));
	p = event(3000, 1, false, 160);
	assert_true(dtmf_hear(&d, &p, (struct hf_time){ 250000 }, &key));
	assert_int_equal(key.digit, '1');
	p = event(3000, 1, true, 320);
	assert_true(dtmf_hear(&d, &p, (struct hf_time){ 270000 }, &key));
	p = event(1000, 1, true, 320); /* late, of the first */
	assert_false(dtmf_hear(&d, &p, (struct hf_time){ 280000 }, &key));
	p = event(5000, 99, true, 320); /* not a key */
	assert_false(dtmf_hear(&d, &p, (struct hf_time){ 300000 }, &key));
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_packet_is_written_as_it_was_read),
		cmocka_unit_test(
		    odd_packets_are_read_or_refused_by_their_bounds),
		cmocka_unit_test(losses_are_counted_across_the_sequences_end),
		cmocka_unit_test(duplicates_do_not_make_losses_negative),
		cmocka_unit_test(a_new_source_keeps_the_old_ones_losses),
		cmocka_unit_test(jitter_is_what_the_appendix_says),
		cmocka_unit_test(a_report_says_what_was_put_into_it),
		cmocka_unit_test(an_empty_receiver_report_is_news_of_nobody),
		cmocka_unit_test(a_key_is_told_once_however_often_it_comes),
		cmocka_unit_test(
		    a_key_whose_end_was_lost_is_told_after_the_gap),
		cmocka_unit_test(the_next_key_ends_the_one_before),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
