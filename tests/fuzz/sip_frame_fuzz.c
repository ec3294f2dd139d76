/* What anybody may write into a TCP connection: messages are cut the same way
 * however the bytes arrive, and the parser takes exactly what was cut. */

#include <stdint.h>

#include "base/check.h"
#include "io/sip/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct sip_msg m;

/* The first n bytes alone: not all here yet, or the same as with the rest. */
static void
check_part(struct hf_slice s, size_t n, int whole)
{
	uint32_t skip;
	int part = sip_frame((struct hf_slice){ s.p, n }, &skip);

	hf_assert(skip <= n);
	if (part < 0)
		hf_assert(whole < 0);
	if (part > 0)
		hf_assert(part == whole && (size_t)part + skip <= n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct hf_slice s = { (const char *)data, n };

	for (int messages = 0; messages < 20 && s.n > 0; messages++) {
		uint32_t skip;
		int whole = sip_frame(s, &skip);
		struct sip_verdict v;

		hf_assert(skip <= s.n && whole >= -1);
		check_part(s, s.n / 2, whole);
		check_part(s, s.n - 1, whole);
		/* What is answered before the end is never acted upon. */
		if (whole < 0) {
			struct hf_slice rest = { s.p + skip, s.n - skip };

			rest.n = sip_frame_head(rest);
			hf_assert(rest.n == 0 ||
				  sip_parse(rest, &m).parsed != SIP_GOOD);
		}
		if (whole <= 0)
			break;
		hf_assert(skip + (size_t)whole <= s.n);
		v = sip_parse(
		    (struct hf_slice){ s.p + skip, (size_t)whole }, &m);
		/* Nothing of a good message is left over: else the next one
		 * would begin inside it. */
		if (v.parsed == SIP_GOOD)
			hf_assert(m.raw.n == (size_t)whole);
		s.p += skip + (size_t)whole;
		s.n -= skip + (size_t)whole;
	}
	return 0;
}
