/* io/rtp/tap: two processes, one ring, no trust. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/rtp/tap.h"

static struct tap in, out;
static int fd;
static struct tap_record r;
static uint8_t got[TAP_DATA_MAX];

static int
setup(void **state)
{
	(void)state;
	assert_true(tap_make(&in, TAP_BYTES_MIN, &fd));
	assert_true(tap_open(&out, fd, TAP_BYTES_MIN));
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	tap_close(&in);
	tap_close(&out);
	close(fd);
	return 0;
}

static void
what_is_said_arrives_in_order_many_times_round(void **state)
{
	uint8_t said[TAP_DATA_MAX];

	(void)state;
	assert_int_equal(tap_take(&out, &r, got), TAP_EMPTY);
	for (uint32_t i = 0; i < 5000; i++) {
		uint16_t n = (uint16_t)(i * 37 % (TAP_DATA_MAX + 1));

		memset(said, (int)i, n);
		assert_true(tap_put(&in, TAP_DATA, i, said, n));
		assert_int_equal(tap_take(&out, &r, got), TAP_GOT);
		assert_int_equal(r.recording, i);
		assert_int_equal(r.n, n);
		assert_memory_equal(got, said, n);
	}
	assert_int_equal(tap_take(&out, &r, got), TAP_EMPTY);
	assert_int_equal(in.lost, 0);
}

static void
a_slow_reader_loses_words_but_never_the_end(void **state)
{
	static const uint8_t said[160];
	unsigned kept = 0, ends = 0;

	(void)state;
	while (tap_put(&in, TAP_DATA, 1, said, sizeof(said)))
		kept++;
	assert_int_equal(in.lost, sizeof(said));
	assert_true(tap_put(&in, TAP_END, 1, NULL, 0));
	assert_true(tap_put(&in, TAP_BEGIN, 2, NULL, 0));
	while (tap_put(&in, TAP_END, 3, NULL, 0))
		;
	while (tap_take(&out, &r, got) == TAP_GOT) {
		kept -= r.kind == TAP_DATA;
		ends += r.kind == TAP_END;
	}
	assert_int_equal(kept, 0);
	assert_true(ends > 500);
	assert_true(tap_put(&in, TAP_DATA, 4, said, sizeof(said)));
}

static void
a_restarted_reader_goes_on_where_the_first_one_stopped(void **state)
{
	(void)state;
	assert_true(tap_put(&in, TAP_BEGIN, 1, NULL, 0));
	assert_true(tap_put(&in, TAP_DATA, 1, (const uint8_t *)"hello", 5));
	assert_int_equal(tap_take(&out, &r, got), TAP_GOT);
	tap_close(&out);
	assert_true(tap_open(&out, fd, TAP_BYTES_MIN));
	assert_int_equal(tap_take(&out, &r, got), TAP_GOT);
	assert_int_equal(r.n, 5);
	assert_memory_equal(got, "hello", 5);
}

static void
a_foreign_memfd_is_refused(void **state)
{
	struct tap t;
	int other = memfd_create("x", MFD_ALLOW_SEALING);

	(void)state;
	assert_false(tap_open(&t, fd, TAP_BYTES_MIN * 2));
	assert_false(tap_open(&t, fd, TAP_BYTES_MIN - 1));
	assert_int_equal(ftruncate(other, TAP_BYTES_MIN + 192), 0);
	assert_false(tap_open(&t, other, TAP_BYTES_MIN)); /* not sealed */
	assert_int_equal(fcntl(other, F_ADD_SEALS, F_SEAL_SHRINK), 0);
	assert_false(tap_open(&t, other, TAP_BYTES_MIN)); /* no magic */
	close(other);
	assert_false(tap_open(&t, -1, TAP_BYTES_MIN));
}

/* The words of the ring as the other side could spoil them. */
static void
spoil(size_t offset, uint64_t value)
{
	memcpy((uint8_t *)in.ring + offset, &value, sizeof(value));
}

static void
a_mad_writer_is_noticed(void **state)
{
	enum { WRITTEN = 64, DATA = 192 };

	(void)state;
	spoil(WRITTEN, TAP_BYTES_MIN + 8);
	assert_int_equal(tap_take(&out, &r, got), TAP_BROKEN);
	spoil(WRITTEN, 4);
	assert_int_equal(tap_take(&out, &r, got), TAP_BROKEN);
	spoil(WRITTEN, 16);
	spoil(DATA, (uint64_t)TAP_DATA << 48 | (uint64_t)9 << 32);
	assert_int_equal(tap_take(&out, &r, got), TAP_BROKEN); /* 9 in 8 */
	spoil(DATA, (uint64_t)TAP_DATA << 48 | (uint64_t)0xffff << 32);
	assert_int_equal(tap_take(&out, &r, got), TAP_BROKEN);
	spoil(DATA, (uint64_t)9 << 48);
	assert_int_equal(tap_take(&out, &r, got), TAP_BROKEN);
}

static void
a_mad_reader_only_loses_his_words(void **state)
{
	enum { TAKEN = 128 };
	uint8_t said[160] = { 0 };

	(void)state;
	spoil(TAKEN, 12345678);
	assert_false(tap_put(&in, TAP_DATA, 1, said, sizeof(said)));
	spoil(TAKEN, UINT64_MAX);
	for (int i = 0; i < 1000; i++)
		tap_put(&in, TAP_DATA, 1, said, sizeof(said));
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_is_said_arrives_in_order_many_times_round),
		T(a_slow_reader_loses_words_but_never_the_end),
		T(a_restarted_reader_goes_on_where_the_first_one_stopped),
		T(a_foreign_memfd_is_refused),
		T(a_mad_writer_is_noticed),
		T(a_mad_reader_only_loses_his_words),
	};

	return cmocka_run_group_tests_name("io/rtp/tap", tests, NULL, NULL);
}
