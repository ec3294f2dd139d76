/* base/slice: bytes of strangers. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/slice.h"

static void
numbers_are_digits_and_within_their_limit(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		bool ok;
		uint64_t value;
	} rows[] = {
		{ "0", 0, true, 0 },
		{ "65535", 65535, true, 65535 },
		{ "65536", 65535, false, 0 },
		{ "007", 9, true, 7 },
		{ "18446744073709551615", UINT64_MAX, true, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, false, 0 },
		{ "99999999999999999999999", UINT64_MAX, false, 0 },
		{ "9", 5, false, 0 },
		{ "", 9, false, 0 },
		{ "-1", 9, false, 0 },
		{ "+1", 9, false, 0 },
		{ " 1", 9, false, 0 },
		{ "1 ", 9, false, 0 },
		{ "0x1", 99, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		uint64_t v = 4711;
		bool ok =
		    hf_slice_number(hf_slice_of(rows[i].text), rows[i].max, &v);
		assert_int_equal(ok, rows[i].ok);
		assert_int_equal(v, ok ? rows[i].value : 4711);
	}
}

static void
case_is_ignored_for_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(hf_slice_eq_nocase(HF_SLICE("Via@["), HF_SLICE("vIA@[")));
	assert_false(hf_slice_eq_nocase(HF_SLICE("@"), HF_SLICE("`")));
	assert_false(hf_slice_eq_nocase(HF_SLICE("\xc4"), HF_SLICE("\xe4")));
	assert_false(hf_slice_eq_nocase(HF_SLICE("ab"), HF_SLICE("abc")));
	assert_true(hf_slice_eq_nocase(HF_SLICE(""), (struct hf_slice){ 0 }));
}

static void
hexadecimal_digits_are_small_and_few(void **state)
{
	static const struct {
		const char *text;
		bool good;
		uint64_t v;
	} rows[] = {
		{ "0", true, 0 },
		{ "c0ffee", true, 0xc0ffee },
		{ "ffffffffffffffff", true, UINT64_MAX },
		{ "0ffffffffffffffff", false, 0 },
		{ "", false, 0 },
		{ "C0FFEE", false, 0 },
		{ "0x1", false, 0 },
		{ "1g", false, 0 },
		{ " 1", false, 0 },
	};

	for (size_t i = 0; i < HF_LEN(rows); i++) {
		uint64_t v = 7;

		assert_int_equal(
		    hf_slice_hex(hf_slice_of(rows[i].text), &v), rows[i].good);
		assert_true(v == (rows[i].good ? rows[i].v : 7));
	}
}

static void
beginnings_are_found_and_longer_ones_are_not(void **state)
{
	(void)state;
	assert_true(hf_slice_starts(HF_SLICE("sip:a"), HF_SLICE("sip:")));
	assert_false(hf_slice_starts(HF_SLICE("SIP:a"), HF_SLICE("sip:")));
	assert_true(
	    hf_slice_starts_nocase(HF_SLICE("SIP:a"), HF_SLICE("sip:")));
	assert_false(hf_slice_starts(HF_SLICE("si"), HF_SLICE("sip:")));
	assert_true(hf_slice_starts(HF_SLICE("x"), HF_SLICE("")));
}

static void
trimming_takes_blanks_from_both_ends(void **state)
{
	(void)state;
	assert_true(hf_slice_eq(
	    hf_slice_trim(HF_SLICE(" \t a b\r\n")), HF_SLICE("a b")));
	assert_int_equal(hf_slice_trim(HF_SLICE(" \t\r\n")).n, 0);
	assert_int_equal(hf_slice_trim((struct hf_slice){ 0 }).n, 0);
}

static void
what_is_not_found_is_at_the_end(void **state)
{
	(void)state;
	assert_int_equal(hf_slice_find(HF_SLICE("a;b;c"), ';'), 1);
	assert_int_equal(hf_slice_find(HF_SLICE("abc"), ';'), 3);
	assert_int_equal(hf_slice_find((struct hf_slice){ 0 }, ';'), 0);
}

static void
a_copy_is_whole_or_empty(void **state)
{
	char to[4] = "xxx";

	(void)state;
	assert_true(hf_slice_copy(HF_SLICE("abc"), to, sizeof(to)));
	assert_string_equal(to, "abc");
	assert_false(hf_slice_copy(HF_SLICE("abcd"), to, sizeof(to)));
	assert_string_equal(to, "");
	assert_true(hf_slice_copy((struct hf_slice){ 0 }, to, sizeof(to)));
	assert_false(hf_slice_copy(HF_SLICE("a\0b"), to, sizeof(to)));
	assert_string_equal(to, "");
	assert_false(hf_slice_copy(HF_SLICE(""), to, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_digits_and_within_their_limit),
		cmocka_unit_test(case_is_ignored_for_ascii_letters_only),
		cmocka_unit_test(hexadecimal_digits_are_small_and_few),
		cmocka_unit_test(beginnings_are_found_and_longer_ones_are_not),
		cmocka_unit_test(trimming_takes_blanks_from_both_ends),
		cmocka_unit_test(what_is_not_found_is_at_the_end),
		cmocka_unit_test(a_copy_is_whole_or_empty),
	};

	return cmocka_run_group_tests_name("base/slice", tests, NULL, NULL);
}
