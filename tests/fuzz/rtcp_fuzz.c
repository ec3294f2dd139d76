/* Whatever comes in at an RTCP port. */

#include <stdint.h>

#include "base/check.h"
#include "io/rtp/rtcp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct rtcp_news news;
	bool ok = rtcp_parse(
	    (struct hf_slice){ (const char *)data, n }, 0x01020304, &news);

	hf_assert(!ok || news.reported);
	hf_assert(!news.about_us || news.blocks > 0);
	return 0;
}
