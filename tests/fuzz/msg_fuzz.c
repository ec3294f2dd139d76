/* What a room that was taken over may send to its neighbour: whatever is let
 * in can be printed, and sent again byte for byte. */

#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "wire/msg.h"
#include "wire/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct msg m;
	static char again[MSG_FRAME_MAX], text[4 * MSG_FRAME_MAX];
	struct hf_slice in = { (const char *)data, n };
	struct row_value v;

	while (in.n > 0) {
		const char *frame = in.p;
		struct hf_buf b = hf_buf_on(again, sizeof(again));
		struct hf_buf t = hf_buf_on(text, sizeof(text));

		if (!msg_decode(&in, &m))
			break;
		hf_assert(msg_encode(&b, &m));
		hf_assert(memcmp(frame, again, b.n) == 0);
		msg_print(&t, &m);
		hf_assert(!t.overflow);
	}
	in = (struct hf_slice){ (const char *)data, n };
	while (row_next(&in, &v))
		hf_assert(v.name.n > 0);
	return 0;
}
