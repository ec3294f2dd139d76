/* io/rtp/rtp - see rtp.h */

#include "io/rtp/rtp.h"

#include "base/check.h"
#include "io/rtp/g711.h"

enum {
	VERSION = 2,
	RTCP_FIRST = 192, /* RFC 5761: second byte of RTCP */
	RTCP_LAST = 223,
	MAX_DROPOUT = 3000, /* RFC 3550 A.1 */
	MAX_MISORDER = 100,
};

static uint16_t
u16_at(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t
u32_at(const uint8_t *p)
{
	return (uint32_t)u16_at(p) << 16 | u16_at(p + 2);
}

static void
put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void
put_u32(uint8_t *p, uint32_t v)
{
	put_u16(p, (uint16_t)(v >> 16));
	put_u16(p + 2, (uint16_t)v);
}

bool
rtp_parse(void *at, size_t n, struct rtp_packet *out)
{
	uint8_t *p = at;
	size_t head = RTP_HEADER_LEN;

	if (n < RTP_HEADER_LEN || n > RTP_PACKET_MAX || p[0] >> 6 != VERSION)
		return false;
	head += (size_t)(p[0] & 0x0f) * 4; /* CSRCs */
	if (p[0] & 0x10) {                 /* extension */
		if (n < head + 4)
			return false;
		head += 4 + (size_t)u16_at(p + head + 2) * 4;
	}
	if (n < head)
		return false;
	if (p[0] & 0x20) { /* padding: the last byte says how much */
		if (n == head || p[n - 1] == 0 || p[n - 1] > n - head)
			return false;
		n -= p[n - 1];
	}
	*out = (struct rtp_packet){
		.payload = p[1] & 0x7f,
		.marker = p[1] & 0x80,
		.seq = u16_at(p + 2),
		.ts = u32_at(p + 4),
		.ssrc = u32_at(p + 8),
		.body = p + head,
		.n = (uint16_t)(n - head),
	};
	return true;
}

bool
rtp_is_rtcp(const void *at, size_t n)
{
	const uint8_t *p = at;

	return n >= 2 && p[1] >= RTCP_FIRST && p[1] <= RTCP_LAST;
}

uint8_t *
rtp_put_header(const struct rtp_packet *p)
{
	uint8_t *to = p->body - RTP_HEADER_LEN;

	to[0] = VERSION << 6;
	to[1] = (uint8_t)((p->marker ? 0x80 : 0) | (p->payload & 0x7f));
	put_u16(to + 2, p->seq);
	put_u32(to + 4, p->ts);
	put_u32(to + 8, p->ssrc);
	return to;
}

static uint64_t
expected(const struct rtp_meter *m)
{
	return m->begun ? (uint64_t)m->cycles + m->max_seq - m->base_seq + 1
			: 0;
}

/* A sender began, or began again: what it lost before stays counted. */
static void
begin(struct rtp_meter *m, const struct rtp_packet *p)
{
	m->lost_before = rtp_meter_lost(m);
	m->begun = true;
	m->ssrc = p->ssrc;
	m->base_seq = m->max_seq = p->seq;
	m->cycles = 0;
	m->begun_at = (uint32_t)m->received;
	m->expected_prior = m->received_prior = 0;
	m->transit = 0;
}

void
rtp_meter_hear(
    struct rtp_meter *m, const struct rtp_packet *p, struct hf_time at)
{
	uint16_t ahead = (uint16_t)(p->seq - m->max_seq);
	int32_t transit, d;

	if (!m->begun || p->ssrc != m->ssrc ||
	    (ahead >= MAX_DROPOUT && ahead <= UINT16_MAX - MAX_MISORDER)) {
		begin(m, p);
	} else if (ahead < MAX_DROPOUT) {
		if (p->seq < m->max_seq)
			m->cycles += UINT16_MAX + 1;
		m->max_seq = p->seq;
	}
	m->received++;

	/* Packets of one timestamp (DTMF events) say nothing about jitter. */
	if (m->transit != 0 && p->ts == m->last_ts)
		return;
	m->last_ts = p->ts;
	transit = (int32_t)((uint32_t)(at.us * G711_PER_MS / 1000) - p->ts);
	if (m->transit != 0) {
		d = (int32_t)((uint32_t)transit - (uint32_t)m->transit);
		d = d == INT32_MIN ? INT32_MAX : d < 0 ? -d : d;
		if (d < G711_RATE) /* more is a new clock, not jitter */
			m->jitter16 += (uint32_t)d - ((m->jitter16 + 8) >> 4);
	}
	m->transit = transit == 0 ? 1 : transit; /* 0 means none yet */
}

uint64_t
rtp_meter_lost(const struct rtp_meter *m)
{
	uint64_t want = expected(m), got = m->received - m->begun_at;

	return m->lost_before + (want > got ? want - got : 0);
}

struct hf_span
rtp_meter_jitter(const struct rtp_meter *m)
{
	return (
	    struct hf_span){ (int64_t)(m->jitter16 >> 4) * 1000 / G711_PER_MS };
}

uint8_t
rtp_meter_fraction(struct rtp_meter *m)
{
	uint32_t want = (uint32_t)expected(m) - m->expected_prior;
	uint32_t all = (uint32_t)m->received - m->begun_at;
	uint32_t got = all - m->received_prior;

	m->expected_prior += want;
	m->received_prior = all;
	if (want == 0 || got >= want)
		return 0;
	return (uint8_t)(((uint64_t)(want - got) * 256) / (want + 1));
}

uint32_t
rtp_meter_highest(const struct rtp_meter *m)
{
	return m->cycles + m->max_seq;
}
