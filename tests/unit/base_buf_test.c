/* base/buf: a message is built in one go and asked once whether it is whole. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void
everything_fits_to_the_last_byte(void **state)
{
	char memory[8];
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));

	(void)state;
	hf_buf_str(&b, "abc");
	hf_buf_char(&b, '=');
	hf_buf_u64(&b, 1234);
	assert_false(b.overflow);
	assert_int_equal(b.n, 8);
	assert_memory_equal(memory, "abc=1234", 8);
}

static void
what_does_not_fit_writes_nothing_and_is_remembered(void **state)
{
	char memory[4] = "....";
	struct hf_buf b = hf_buf_on(memory, 3);

	(void)state;
	hf_buf_str(&b, "ab");
	hf_buf_str(&b, "cd");
	assert_true(b.overflow);
	assert_memory_equal(memory, "ab..", 4);
	hf_buf_char(&b, 'c'); /* would fit, and would leave a hole */
	assert_int_equal(b.n, 2);
	hf_buf_fmt(&b, "%s", "");
	hf_buf_hex(&b, "", 0);
	assert_true(hf_slice_eq(hf_buf_taken(&b), HF_SLICE("ab")));
}

static void
numbers_and_hex_look_as_people_write_them(void **state)
{
	char memory[64];
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));

	(void)state;
	hf_buf_u64(&b, 0);
	hf_buf_char(&b, ' ');
	hf_buf_u64(&b, UINT64_MAX);
	hf_buf_char(&b, ' ');
	hf_buf_hex(&b, "\x00\xff\x1a", 3);
	hf_buf_fmt(&b, " %d%%", -5);
	assert_true(hf_slice_eq(
	    hf_buf_taken(&b), HF_SLICE("0 18446744073709551615 00ff1a -5%")));
}

static void
hex_and_formats_that_do_not_fit_are_refused(void **state)
{
	char memory[4];
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));

	(void)state;
	hf_buf_hex(&b, "abc", 3);
	assert_true(b.overflow);
	assert_int_equal(b.n, 0);
	b = hf_buf_on(memory, sizeof(memory));
	hf_buf_fmt(&b, "%s", "abcd");
	assert_true(b.overflow);
	assert_int_equal(b.n, 0);
	b = hf_buf_on(memory, 0);
	hf_buf_put(&b, "", 0);
	assert_false(b.overflow);
	hf_buf_fmt(&b, "x");
	assert_true(b.overflow);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_fits_to_the_last_byte),
		cmocka_unit_test(
		    what_does_not_fit_writes_nothing_and_is_remembered),
		cmocka_unit_test(numbers_and_hex_look_as_people_write_them),
		cmocka_unit_test(hex_and_formats_that_do_not_fit_are_refused),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
