/* Whatever comes in at an RTP port: parsed, measured, relayed, listened to. */

#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "io/rtp/dtmf.h"
#include "io/rtp/ear.h"
#include "io/rtp/voice.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* The input is a row of packets, a length byte before each; the clock goes on
 * by 20 ms a packet. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct voice_format format = { .law = G711_PCMA,
		.payload = 8,
		.dtmf = 101,
		.cn = 13,
		.ptime_ms = 20 };
	struct rtp_meter meter = { 0 };
	struct dtmf keys = { 0 };
	struct hf_time now = { 1000000 };
	struct voice v;
	uint32_t top = 0;

	if (g711_power[0][0] == 0)
		g711_init();
	voice_init(&v, &format, 1, 65530, 0xffffff00);
	while (n > 0) {
		uint8_t packet[256];
		struct rtp_packet p;
		size_t len = data[0];

		data++;
		n--;
		len = len > n ? n : len;
		memcpy(packet, data, len);
		data += len;
		n -= len;
		now.us += 20000;
		if (!rtp_parse(packet, len, &p))
			continue;
		hf_assert(p.body >= packet + RTP_HEADER_LEN);
		hf_assert(p.body + p.n <= packet + len);
		rtp_meter_hear(&meter, &p, now);
		top += ear_listen(G711_PCMU, p.body, p.n).loud;
		enum voice_kind kind = voice_kind_of(&format, p.payload);
		struct dtmf_key key;
		uint16_t out;

		if (kind == VOICE_DTMF)
			(void)dtmf_hear(&keys, &p, now, &key);
		if (voice_relay(&v, &p, kind, now, &out) != NULL)
			hf_assert(out <= len);
	}
	return top == UINT32_MAX;
}
