/*
 * io/rtp/rtp - the packet of RFC 3550 section 5.1, read and written, and what
 * a receiver counts about a sender (appendix A.1, A.3, A.8).
 */
#ifndef HF_IO_RTP_RTP_H
#define HF_IO_RTP_RTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

enum {
	RTP_HEADER_LEN = 12,
	RTP_PACKET_MAX = 1500, /* nobody sends us more in one datagram */
	RTP_PCMU = 0,
	RTP_PCMA = 8,
	RTP_CN = 13, /* RFC 3389; these three never change their number */
};

/* A header's fields and where its body lies, inside the datagram. */
struct rtp_packet {
	uint8_t payload;
	bool marker;
	uint16_t seq;
	uint32_t ts;
	uint32_t ssrc;
	uint8_t *body; /* at least RTP_HEADER_LEN bytes lie before it */
	uint16_t n;
};

/* False for what is not RTP version 2 with all its parts inside n bytes.
 * CSRCs, a header extension and padding are skipped. */
bool rtp_parse(void *p, size_t n, struct rtp_packet *out);

/* RFC 5761 section 4: on a port for both, is this datagram RTCP? */
bool rtp_is_rtcp(const void *p, size_t n);

/* Writes the twelve bytes just before the body, over whatever lay there, and
 * returns where the datagram begins now. */
uint8_t *rtp_put_header(const struct rtp_packet *p);

/* How well one sender is heard.  A value; zero is a good beginning. */
struct rtp_meter {
	uint32_t ssrc;
	uint32_t base_seq;
	uint32_t cycles; /* how often the sequence came round, times 65536 */
	uint16_t max_seq;
	bool begun;
	uint64_t received;
	uint64_t lost_before; /* lost of earlier sources of this stream */
	uint32_t expected_prior, received_prior; /* at the last report */
	uint32_t begun_at; /* received, when this source began */
	int32_t transit;   /* timestamp units */
	uint32_t jitter16; /* the same, times 16 */
	uint32_t last_ts;
};

void rtp_meter_hear(
    struct rtp_meter *m, const struct rtp_packet *p, struct hf_time at);

/* All that did not come; duplicates may make up for losses, never more. */
uint64_t rtp_meter_lost(const struct rtp_meter *m);
struct hf_span rtp_meter_jitter(const struct rtp_meter *m);

/* What a report block says: the share lost since the last report, in 256ths;
 * begins the next interval. */
uint8_t rtp_meter_fraction(struct rtp_meter *m);
uint32_t rtp_meter_highest(const struct rtp_meter *m);

#endif
