/*
 * io/rtp/rtcp - RFC 3550 section 6, as much as an end of a call needs.  We end
 * both RTCP sessions of a call and speak for ourselves in each: what one side
 * hears of us depends on prompts and rescues that the other side knows nothing
 * of, so its reports could not be passed on without lying.
 */
#ifndef HF_IO_RTP_RTCP_H
#define HF_IO_RTP_RTCP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

/* What the far end says about a stream of ours. */
struct rtcp_news {
	bool reported;    /* there was a sender or receiver report */
	uint8_t blocks;   /* report blocks, about anyone */
	bool about_us;    /* one of them was about our SSRC; then: */
	uint8_t fraction; /* lost, in 256ths */
	int32_t lost;     /* in all */
	uint32_t highest; /* extended sequence received */
	uint32_t jitter;  /* timestamp units */
	bool sender;      /* it was a sender report; then: */
	uint32_t ssrc;
	uint32_t ntp_mid; /* middle 32 bits of its NTP time, for our LSR */
	uint32_t packets; /* it has sent */
	bool bye;
};

/* Reads a compound packet; false when it is not one (section 6.1: version 2,
 * a report first, lengths that add up). */
bool rtcp_parse(struct hf_slice in, uint32_t ours, struct rtcp_news *out);

/* A report of ours, SDES CNAME behind it. */
struct rtcp_report {
	uint32_t ssrc;
	bool sender;  /* we have sent since the last one; then: */
	uint64_t ntp; /* 32.32 */
	uint32_t ts;
	uint32_t packets, octets;
	bool hears; /* we hear someone; then: */
	uint32_t about;
	uint8_t fraction;
	uint32_t lost, highest, jitter;
	uint32_t lsr, dlsr;
	const char *cname; /* at most 255 bytes */
};

void rtcp_put(struct hf_buf *b, const struct rtcp_report *r);

#endif
