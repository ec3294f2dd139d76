/* The messages between the rooms: what is sent is what arrives, and nothing
 * that is not a message gets in. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "lib/msg_random.h"
#include "wire/msg.h"
#include "wire/row.h"

enum { SEEDS = 40 };

static struct msg sent, got;
static char wire[MSG_FRAME_MAX + 1];

static size_t
encoded(const struct msg *m)
{
	struct hf_buf b = hf_buf_on(wire, sizeof(wire));

	assert_true(msg_encode(&b, m));
	assert_true(b.n <= MSG_FRAME_MAX);
	return b.n;
}

static void
every_message_arrives_as_it_was_sent(void **state)
{
	(void)state;
	for (unsigned t = 1; t < MSG_NR; t++)
		for (uint64_t seed = 0; seed < SEEDS; seed++) {
			struct hf_slice in;

			msg_random(&sent, (enum msg_type)t, seed);
			in = (struct hf_slice){ wire, encoded(&sent) };
			/* What lay there before must not matter. */
			memset(&got, 0xa5, sizeof(got));
			assert_true(msg_decode(&in, &got));
			assert_int_equal(in.n, 0);
			assert_true(msg_same(&sent, &got));
		}
}

static void
several_messages_travel_in_one_datagram(void **state)
{
	static char many[3 * MSG_FRAME_MAX];
	struct hf_buf b = hf_buf_on(many, sizeof(many));
	struct hf_slice in;

	(void)state;
	for (unsigned i = 1; i <= 3; i++) {
		msg_random(&sent, (enum msg_type)i, i);
		assert_true(msg_encode(&b, &sent));
	}
	in = hf_buf_taken(&b);
	for (unsigned i = 1; i <= 3; i++) {
		msg_random(&sent, (enum msg_type)i, i);
		assert_true(msg_decode(&in, &got));
		assert_true(msg_same(&sent, &got));
	}
	assert_int_equal(in.n, 0);
}

/* At every length; and with the length in the header made to fit as well. */
static void
a_message_cut_short_is_refused(void **state)
{
	(void)state;
	for (unsigned t = 1; t < MSG_NR; t++) {
		size_t n;

		msg_random(&sent, (enum msg_type)t, 7);
		n = encoded(&sent);
		for (size_t cut = 0; cut < n; cut++) {
			struct hf_slice in = { wire, cut };
			uint16_t len = (uint16_t)cut;
			uint16_t whole = (uint16_t)n;

			assert_false(msg_decode(&in, &got));
			if (cut < 2)
				continue;
			memcpy(wire, &len, 2);
			in = (struct hf_slice){ wire, cut };
			assert_false(msg_decode(&in, &got));
			memcpy(wire, &whole, 2);
		}
	}
}

static void
bytes_behind_the_last_field_are_refused(void **state)
{
	(void)state;
	for (unsigned t = 1; t < MSG_NR; t++) {
		struct hf_slice in;
		uint16_t len;

		msg_random(&sent, (enum msg_type)t, 3);
		len = (uint16_t)(encoded(&sent) + 1);
		wire[len - 1] = 0;
		memcpy(wire, &len, 2);
		in = (struct hf_slice){ wire, len };
		assert_false(msg_decode(&in, &got));
	}
}

/* Whatever is let in is a message that can be sent again, byte for byte. */
static void
garbage_is_refused_or_is_a_whole_message(void **state)
{
	static char again[MSG_FRAME_MAX];
	unsigned taken = 0;

	(void)state;
	srandom(1);
	for (int i = 0; i < 200000; i++) {
		unsigned t = 1 + (unsigned)random() % (MSG_NR - 1);
		struct hf_slice in;
		struct hf_buf b;
		size_t n;

		msg_random(&sent, (enum msg_type)t, (uint64_t)i);
		n = encoded(&sent);
		for (int k = (int)(random() % 4); k >= 0; k--)
			wire[(size_t)random() % n] = (char)random();
		in = (struct hf_slice){ wire, n };
		if (!msg_decode(&in, &got))
			continue;
		taken++;
		b = hf_buf_on(again, sizeof(again));
		assert_true(msg_encode(&b, &got));
		assert_memory_equal(again, wire, b.n);
	}
	assert_true(taken > 1000); /* else the test tests nothing */
}

static void
a_text_with_a_nul_inside_is_refused(void **state)
{
	struct msg m = { .type = MSG_REFUSE_LEG,
		.refuse_leg = { .reason = "ab" } };
	struct hf_slice in = { wire, encoded(&m) };

	(void)state;
	wire[in.n - 2] = '\0';
	assert_false(msg_decode(&in, &got));
}

static void
a_word_outside_its_list_is_refused(void **state)
{
	struct msg m = { .type = MSG_HOLD_LEG };
	struct hf_slice in = { wire, encoded(&m) };

	(void)state;
	wire[in.n - 1] = DIRECTION_NR;
	assert_false(msg_decode(&in, &got));
}

static void
a_frame_that_does_not_fit_writes_nothing(void **state)
{
	struct msg m = { .type = MSG_LEG_LEFT };
	char little[MSG_HEADER_LEN + 3];
	struct hf_buf b = hf_buf_on(little, sizeof(little));

	(void)state;
	assert_false(msg_encode(&b, &m));
	assert_int_equal(b.n, 0);
}

static void
a_trace_never_shows_who_called(void **state)
{
	struct msg m = { .type = MSG_LEG_ARRIVED,
		.leg_arrived = { .leg = 17,
		    .number = "+33400000000",
		    .from = "+33611111111",
		    .display = "Carol" } };
	char text[1024];
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);

	(void)state;
	msg_print(&b, &m);
	assert_false(b.overflow);
	text[b.n] = '\0';
	assert_non_null(strstr(text, "LEG_ARRIVED leg=17 "));
	assert_non_null(strstr(text, " from=* "));
	assert_null(strstr(text, "336"));
	assert_null(strstr(text, "334"));
	assert_null(strstr(text, "Carol"));
}

static void
a_text_cannot_forge_a_line_of_the_trace(void **state)
{
	struct msg m = { .type = MSG_REFUSE_LEG,
		.refuse_leg = { .reason = "x\" leg=1\nassert_failed" } };
	char text[256];
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);

	(void)state;
	msg_print(&b, &m);
	text[b.n] = '\0';
	assert_non_null(strstr(text, "reason=\"x? leg=1?assert_failed\""));
}

static void
only_its_sender_may_send_a_message(void **state)
{
	(void)state;
	assert_true(msg_may(MSG_LEG_ARRIVED, ROOM_SIP, ROOM_CALL));
	assert_false(msg_may(MSG_LEG_ARRIVED, ROOM_CALL, ROOM_SIP));
	assert_false(msg_may(MSG_LEG_ARRIVED, ROOM_MEDIA, ROOM_CALL));
	assert_true(msg_may(MSG_MESSAGE_SAVED, ROOM_REC, ROOM_STORE));
	assert_true(msg_may(MSG_CONFIG, ROOM_KEEPER, ROOM_MEDIA));
	assert_false(msg_may(MSG_CONFIG, ROOM_SIP, ROOM_MEDIA));
	assert_false(msg_may(MSG_SECRETS, ROOM_KEEPER, ROOM_MEDIA));
	assert_false(msg_may((enum msg_type)0, ROOM_SIP, ROOM_CALL));
	assert_false(msg_may((enum msg_type)MSG_NR, ROOM_SIP, ROOM_CALL));
}

static void
a_row_is_read_as_it_was_written(void **state)
{
	char bytes[ROW_MAX];
	struct hf_buf b = hf_buf_on(bytes, sizeof(bytes));
	struct hf_slice in;
	struct row_value v;

	(void)state;
	row_text(&b, "name", "anna");
	row_number(&b, "calls", INT64_MIN);
	row_bool(&b, "ready", true);
	row_span(&b, "gap", (struct hf_span){ 61000 });
	in = hf_buf_taken(&b);
	assert_true(row_next(&in, &v) && v.type == 's');
	assert_true(hf_slice_eq(v.name, HF_SLICE("name")));
	assert_true(hf_slice_eq(v.value, HF_SLICE("anna")));
	assert_true(row_next(&in, &v) && v.type == 'n');
	assert_true(hf_slice_eq(v.value, HF_SLICE("-9223372036854775808")));
	assert_true(row_next(&in, &v) && v.type == 'b');
	assert_true(hf_slice_eq(v.value, HF_SLICE("true")));
	assert_true(row_next(&in, &v) && v.type == 'd');
	assert_true(hf_slice_eq(v.value, HF_SLICE("61000")));
	assert_false(row_next(&in, &v));
	assert_int_equal(in.n, 0);
}

static void
a_row_cut_short_is_refused(void **state)
{
	char bytes[64];
	struct hf_buf b = hf_buf_on(bytes, sizeof(bytes));
	struct row_value v;

	(void)state;
	row_text(&b, "name", "anna");
	for (size_t cut = 1; cut < b.n; cut++) {
		struct hf_slice in = { bytes, cut };

		assert_false(row_next(&in, &v));
		assert_int_not_equal(in.n, 0);
	}
}

static void
a_value_that_does_not_fit_leaves_the_row_whole(void **state)
{
	char bytes[20];
	struct hf_buf b = hf_buf_on(bytes, sizeof(bytes));
	struct hf_slice in;
	struct row_value v;

	(void)state;
	row_text(&b, "a", "1");
	row_text(&b, "b", "far too long for what is left");
	assert_true(b.overflow);
	in = hf_buf_taken(&b);
	assert_true(row_next(&in, &v));
	assert_false(row_next(&in, &v));
	assert_int_equal(in.n, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_arrives_as_it_was_sent),
		cmocka_unit_test(several_messages_travel_in_one_datagram),
		cmocka_unit_test(a_message_cut_short_is_refused),
		cmocka_unit_test(bytes_behind_the_last_field_are_refused),
		cmocka_unit_test(garbage_is_refused_or_is_a_whole_message),
		cmocka_unit_test(a_text_with_a_nul_inside_is_refused),
		cmocka_unit_test(a_word_outside_its_list_is_refused),
		cmocka_unit_test(a_frame_that_does_not_fit_writes_nothing),
		cmocka_unit_test(a_trace_never_shows_who_called),
		cmocka_unit_test(a_text_cannot_forge_a_line_of_the_trace),
		cmocka_unit_test(only_its_sender_may_send_a_message),
		cmocka_unit_test(a_row_is_read_as_it_was_written),
		cmocka_unit_test(a_row_cut_short_is_refused),
		cmocka_unit_test(
		    a_value_that_does_not_fit_leaves_the_row_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
