/* What anybody may offer: our answer has as many lines, at most one of them
 * open, can be read back, and is the same when asked again. */

#include <stdint.h>

#include "base/check.h"
#include "io/sip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static char room[SDP_ROOM], again[SDP_ROOM];

static void
check_lines(struct hf_slice text, unsigned streams, unsigned most)
{
	struct sdp mine;
	const char *why;
	unsigned open = 0;

	hf_assert(sdp_parse(text, &mine, &why));
	hf_assert(mine.streams == streams);
	for (unsigned i = 0; i < mine.streams; i++)
		open += mine.stream[i].port != 0;
	hf_assert(open <= most);
}

static void
check_media(const struct sip_media *m)
{
	if (m->codec == SIP_CODEC_NONE)
		return;
	hf_assert(m->ptime_ms >= 10 && m->ptime_ms <= 60);
	hf_assert(m->ptime_ms % 10 == 0);
	hf_assert(m->payload < 128 && m->dtmf < 128 && m->cn < 128);
	hf_assert(m->rtp.family != 0 || m->direction == SIP_RECVONLY ||
		  m->direction == SIP_INACTIVE);
	hf_assert(m->rtp.family == 0 || m->rtp.port != 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct hf_slice text = { (const char *)data, n };
	struct sdp_state state = { .session = 7 };
	struct sdp_ours ours = { .rtp = { .family = 4, .port = 20000 } };
	struct hf_addr source = {
		.ip = { 192, 0, 2, 1 }, .family = 4, .port = 5060
	};
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	struct sip_media media, second;
	struct sdp sdp;
	const char *why;
	size_t first;

	if (n == 0 || !sdp_parse(text, &sdp, &why))
		return 0;
	hf_assert(sdp.streams <= SDP_STREAMS_MAX);
	ours.rtp.family = sdp.streams > 0 ? sdp.stream[0].rtp.family : 0;
	if (ours.rtp.family == 0)
		ours.rtp.family = 4;
	ours.rtp.ip[0] = 198;
	if (sdp_answer(&b, &state, &sdp, &ours, &source, &media) != 0) {
		hf_assert(b.n == 0 && state.version == 0);
		return 0;
	}
	hf_assert(!b.overflow && state.version == 1);
	check_media(&media);
	check_lines(hf_buf_taken(&b), sdp.streams, 1);
	first = b.n;

	b = hf_buf_on(again, sizeof(again));
	hf_assert(sdp_answer(&b, &state, &sdp, &ours, &source, &second) == 0);
	hf_assert(b.n == first && memcmp(room, again, first) == 0);
	hf_assert(sip_media_eq(&media, &second));

	b = hf_buf_on(room, sizeof(room));
	sdp_offer(&b, &state, &ours);
	hf_assert(!b.overflow);
	check_lines(hf_buf_taken(&b), sdp.streams, 1);
	if (sdp_accept(&state, &sdp, &ours, &source, &media) == 0)
		check_media(&media);
	return 0;
}
