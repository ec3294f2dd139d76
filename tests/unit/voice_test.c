/* io/rtp/voice: what the far end's jitter buffer is promised. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "io/rtp/voice.h"

static const struct voice_format mulaw = {
	.law = G711_PCMU, .payload = 0, .dtmf = 101, .cn = 13, .ptime_ms = 20
};
static const struct voice_format alaw = {
	.law = G711_PCMA, .payload = 8, .dtmf = 96, .ptime_ms = 20
};

static struct voice v;
static struct hf_time now;
static uint8_t room[RTP_HEADER_LEN + 480];
static struct rtp_packet heard; /* what the far end got last */

static void
begin(const struct voice_format *f)
{
	voice_init(&v, f, 0x5151, 65530, 0xffffff00);
	now.us = 1000000;
	memset(room, 0x31, sizeof(room));
}

/* The partner's packet; false when nothing went out. */
static bool
relay(uint32_t ssrc, uint16_t seq, uint32_t ts, enum voice_kind kind)
{
	struct rtp_packet p = { .ssrc = ssrc,
		.seq = seq,
		.ts = ts,
		.body = room + RTP_HEADER_LEN,
		.n = kind == VOICE_DTMF ? 4
		     : kind == VOICE_CN ? 1
					: 160 };
	uint16_t n;
	uint8_t *out = voice_relay(&v, &p, kind, now, &n);

	if (out == NULL)
		return false;
	assert_ptr_equal(out, room);
	assert_true(rtp_parse(out, n, &heard));
	assert_int_equal(heard.ssrc, 0x5151);
	return true;
}

static void
say(void)
{
	uint8_t *out = voice_say(&v, room + RTP_HEADER_LEN, 160, now);

	assert_true(rtp_parse(out, RTP_HEADER_LEN + 160, &heard));
	assert_int_equal(heard.ssrc, 0x5151);
}

static void
the_first_packet_begins_a_talkspurt(void **state)
{
	(void)state;
	begin(&mulaw);
	assert_true(relay(1, 100, 1600, VOICE_PCMU));
	assert_true(heard.marker);
	assert_int_equal(heard.seq, 65531);
	now.us += 20000;
	assert_true(relay(1, 101, 1760, VOICE_PCMU));
	assert_false(heard.marker);
	assert_int_equal(heard.seq, 65532);
}

static void
a_rescue_is_one_stream_to_the_ear(void **state)
{
	uint32_t ts;
	uint16_t seq;

	(void)state;
	begin(&mulaw);
	assert_true(relay(1, 100, 1600, VOICE_PCMU));
	ts = heard.ts;
	seq = heard.seq;
	/* The bot dies; 70 ms later comfort noise, at its place in time. */
	now.us += 70000;
	say();
	assert_int_equal((uint16_t)(heard.seq - seq), 1);
	assert_int_equal(heard.ts - ts, 560);
	ts = heard.ts;
	now.us += 20000;
	say();
	assert_int_equal(heard.ts - ts, 160);
	assert_false(heard.marker);
	ts = heard.ts;
	seq = heard.seq;
	/* The agent, with numbers of his own. */
	voice_turn(&v);
	now.us += 20000;
	assert_true(relay(2, 7, 77, VOICE_PCMA));
	assert_true(heard.marker);
	assert_int_equal((uint16_t)(heard.seq - seq), 1);
	assert_int_equal(heard.ts - ts, 160);
	assert_int_equal(heard.payload, 0);
}

static void
losses_stay_gaps_and_late_packets_find_their_place(void **state)
{
	uint16_t first;
	uint32_t ts;

	(void)state;
	begin(&mulaw);
	assert_true(relay(1, 65534, 1600, VOICE_PCMU));
	first = heard.seq;
	ts = heard.ts;
	now.us += 60000;
	assert_true(relay(1, 1, 1600 + 480, VOICE_PCMU)); /* over the edge */
	assert_int_equal((uint16_t)(heard.seq - first), 3);
	assert_int_equal(heard.ts - ts, 480);
	assert_true(relay(1, 65535, 1600 + 160, VOICE_PCMU));
	assert_int_equal((uint16_t)(heard.seq - first), 1);
	assert_int_equal(heard.ts - ts, 160);
	assert_false(relay(1, 65535, 1600 + 160, VOICE_PCMU)); /* twice */
	assert_false(relay(1, 65533, 1440, VOICE_PCMU)); /* before our time */
	assert_int_equal(v.dropped, 2);
}

static void
a_late_packet_of_the_old_source_never_meets_the_new_numbers(void **state)
{
	(void)state;
	begin(&mulaw);
	assert_true(relay(1, 100, 16000, VOICE_PCMU));
	now.us += 80000;
	say();
	now.us += 20000;
	assert_true(relay(1, 105, 16800, VOICE_PCMU)); /* it is back */
	assert_false(relay(1, 104, 16640, VOICE_PCMU));
	assert_false(relay(1, 101, 16160, VOICE_PCMU));
}

static void
an_event_keeps_one_timestamp_in_the_partys_terms(void **state)
{
	uint32_t ts;

	(void)state;
	begin(&alaw);
	assert_true(relay(1, 1, 160, VOICE_PCMU));
	assert_int_equal(heard.payload, 8);
	now.us += 20000;
	assert_true(relay(1, 2, 320, VOICE_DTMF));
	assert_int_equal(heard.payload, 96);
	ts = heard.ts;
	for (uint16_t i = 3; i < 10; i++) {
		now.us += 20000;
		assert_true(relay(1, i, 320, VOICE_DTMF));
		assert_int_equal(heard.ts, ts);
	}
	/* Interrupted in the middle: still the same key. */
	now.us += 20000;
	say();
	assert_true(relay(1, 10, 320, VOICE_DTMF));
	assert_int_equal(heard.ts, ts);
	now.us += 20000;
	assert_true(relay(1, 11, 320 + 1600, VOICE_PCMU));
	assert_true((int32_t)(heard.ts - ts) > 0);
}

static void
what_the_party_did_not_agree_to_stays_here(void **state)
{
	(void)state;
	begin(&alaw); /* no comfort noise */
	assert_false(relay(1, 1, 160, VOICE_CN));
	assert_false(relay(1, 2, 320, VOICE_OTHER));
	begin(&mulaw);
	assert_true(relay(1, 1, 160, VOICE_CN));
	assert_int_equal(heard.payload, 13);
	assert_false(heard.marker);
	assert_true(relay(1, 2, 320, VOICE_PCMU));
	assert_true(heard.marker);
}

static void
a_senders_clock_that_stands_still_or_leaps_is_replaced(void **state)
{
	uint32_t ts;

	(void)state;
	begin(&mulaw);
	assert_true(relay(1, 1, 160, VOICE_PCMU));
	ts = heard.ts;
	now.us += 20000;
	assert_true(relay(1, 2, 160, VOICE_PCMU));
	assert_int_equal(heard.ts - ts, 160);
	now.us += 20000;
	assert_true(relay(1, 3, 4000000000u, VOICE_PCMU));
	assert_int_equal(heard.ts - ts, 320);
	now.us += 20000;
	assert_true(relay(1, 4, 4000000160u, VOICE_PCMU));
	assert_int_equal(heard.ts - ts, 480);
}

static void
a_payload_number_means_what_was_agreed(void **state)
{
	struct voice_format odd = {
		.law = G711_PCMA, .payload = 97, .dtmf = 8
	};

	(void)state;
	assert_int_equal(voice_kind_of(&mulaw, 0), VOICE_PCMU);
	assert_int_equal(voice_kind_of(&mulaw, 8), VOICE_PCMA);
	assert_int_equal(voice_kind_of(&mulaw, 101), VOICE_DTMF);
	assert_int_equal(voice_kind_of(&alaw, 101), VOICE_OTHER);
	assert_int_equal(voice_kind_of(&alaw, 13), VOICE_CN);
	assert_int_equal(voice_kind_of(&odd, 97), VOICE_PCMA);
	assert_int_equal(voice_kind_of(&odd, 8), VOICE_DTMF);
}

/* Sources that come and go, lose, repeat and reorder: at the far end no number
 * comes twice, and what is new is newer than all before it. */
static void
ten_thousand_changes_of_source_stay_one_stream(void **state)
{
	static uint8_t used[UINT16_MAX + 1];
	struct hf_rand r = { .key = { { 1, 2 } } };
	uint16_t top = 65530;
	uint32_t top_ts = 0xffffff00, ssrc = 1, ts = 0;
	uint16_t seq = 0;
	bool any = false;

	(void)state;
	begin(&mulaw);
	for (int change = 0; change < 10000; change++) {
		int packets = (int)hf_rand_below(&r, 40);
		bool ours = hf_rand_below(&r, 3) == 0;

		if (!ours && hf_rand_below(&r, 4) != 0) {
			ssrc = (uint32_t)hf_rand_u64(&r);
			seq = (uint16_t)hf_rand_u64(&r);
			ts = (uint32_t)hf_rand_u64(&r);
		}
		voice_turn(&v);
		for (int i = 0; i < packets; i++) {
			uint32_t back = hf_rand_below(&r, 10) == 0
					    ? hf_rand_below(&r, 80)
					    : 0;

			now.us += hf_rand_below(&r, 45000);
			if (ours) {
				say();
			} else {
				seq++;
				ts += 160;
				if (hf_rand_below(&r, 8) == 0)
					continue; /* lost */
				if (!relay(ssrc, (uint16_t)(seq - back),
					ts - back * 160, VOICE_PCMU))
					continue;
			}
			if (any && (int16_t)(heard.seq - top) <= 0) {
				/* Late: its place was kept free. */
				assert_false(ours);
				assert_int_equal(used[heard.seq], 0);
				assert_true((int32_t)(heard.ts - top_ts) < 0);
			} else {
				assert_true(
				    !any || (int32_t)(heard.ts - top_ts) > 0);
				/* Half the circle ahead is forgotten. */
				for (uint16_t k = (uint16_t)(top + 1);
				     k != (uint16_t)(heard.seq + 1); k++)
					used[(uint16_t)(k + 32768)] = 0;
				top = heard.seq;
				top_ts = heard.ts;
			}
			used[heard.seq] = 1;
			any = true;
		}
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_packet_begins_a_talkspurt),
		cmocka_unit_test(a_rescue_is_one_stream_to_the_ear),
		cmocka_unit_test(
		    losses_stay_gaps_and_late_packets_find_their_place),
		cmocka_unit_test(
		    a_late_packet_of_the_old_source_never_meets_the_new_numbers),
		cmocka_unit_test(
		    an_event_keeps_one_timestamp_in_the_partys_terms),
		cmocka_unit_test(what_the_party_did_not_agree_to_stays_here),
		cmocka_unit_test(
		    a_senders_clock_that_stands_still_or_leaps_is_replaced),
		cmocka_unit_test(a_payload_number_means_what_was_agreed),
		cmocka_unit_test(
		    ten_thousand_changes_of_source_stay_one_stream),
	};

	g711_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
