/* io/rtp/g711: the tables agree with ITU-T G.711. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "io/rtp/g711.h"

/* Corners of tables 1 and 2 of the recommendation, on 16 bits. */
static const struct {
	enum g711_law law;
	uint8_t byte;
	int16_t linear;
} known[] = {
	{ G711_PCMU, 0xff, 0 },
	{ G711_PCMU, 0x7f, 0 },
	{ G711_PCMU, 0x80, 32124 },
	{ G711_PCMU, 0x00, -32124 },
	{ G711_PCMU, 0xfe, 8 },
	{ G711_PCMU, 0x8f, 16764 },
	{ G711_PCMU, 0xef, 132 },
	{ G711_PCMA, 0xd5, 8 },
	{ G711_PCMA, 0x55, -8 },
	{ G711_PCMA, 0xaa, 32256 },
	{ G711_PCMA, 0x2a, -32256 },
	{ G711_PCMA, 0xd4, 24 },
};

static void
the_standards_corners_hold(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_LEN(known); i++)
		assert_int_equal(
		    g711_linear[known[i].law][known[i].byte], known[i].linear);
}

static void
a_byte_survives_decoding_and_encoding(void **state)
{
	(void)state;
	for (int law = 0; law < 2; law++) {
		for (int i = 0; i < 256; i++) {
			uint8_t back = g711_encode(
			    (enum g711_law)law, g711_linear[law][i]);

			/* mu-law has two zeros. */
			if (law == G711_PCMU && i == 0x7f)
				assert_int_equal(back, 0xff);
			else
				assert_int_equal(back, i);
		}
	}
}

static void
every_sample_is_encoded_to_its_nearest_step(void **state)
{
	(void)state;
	for (int law = 0; law < 2; law++) {
		for (int v = INT16_MIN; v <= INT16_MAX; v++) {
			uint8_t b = g711_encode((enum g711_law)law, (int16_t)v);
			int off = abs(v - g711_linear[law][b]);
			int size = abs(v);

			/* Half a step: a 32nd of the segment's start. */
			assert_true(
			    off <= (size + 132) / 32 + 8 || size > 32124);
		}
	}
}

static void
transcoding_there_and_back_stays_within_a_step(void **state)
{
	(void)state;
	for (int i = 0; i < 256; i++) {
		uint8_t p[1] = { (uint8_t)i };
		int was = g711_linear[G711_PCMU][i], is;

		g711_transcode(G711_PCMU, p, 1);
		is = g711_linear[G711_PCMA][p[0]];
		assert_true(abs(was - is) <= abs(was) / 16 + 16);
		g711_transcode(G711_PCMA, p, 1);
		is = g711_linear[G711_PCMU][p[0]];
		assert_true(abs(was - is) <= abs(was) / 16 + 16);
	}
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_standards_corners_hold),
		cmocka_unit_test(a_byte_survives_decoding_and_encoding),
		cmocka_unit_test(every_sample_is_encoded_to_its_nearest_step),
		cmocka_unit_test(
		    transcoding_there_and_back_stays_within_a_step),
	};

	g711_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
