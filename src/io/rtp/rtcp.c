/* io/rtp/rtcp - see rtcp.h */

#include "io/rtp/rtcp.h"

#include <string.h>

enum {
	VERSION = 2,
	TYPE_SR = 200,
	TYPE_RR = 201,
	TYPE_SDES = 202,
	TYPE_BYE = 203,
	HEAD_LEN = 8,    /* header and the reporter's SSRC */
	SENDER_LEN = 20, /* what a sender report has more */
	BLOCK_LEN = 24,
	SDES_CNAME = 1,
	LOST_MAX = 0x7fffff, /* 24 bits, signed */
};

static uint32_t
u32_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
read_blocks(
    const uint8_t *p, unsigned count, uint32_t ours, struct rtcp_news *out)
{
	for (unsigned i = 0; i < count; i++, p += BLOCK_LEN) {
		if (out->blocks < UINT8_MAX)
			out->blocks++;
		if (u32_at(p) != ours)
			continue;
		out->about_us = true;
		out->fraction = p[4];
		/* 24 bits with a sign: up to the top and back. */
		out->lost = (int32_t)(u32_at(p + 4) << 8) >> 8;
		out->highest = u32_at(p + 8);
		out->jitter = u32_at(p + 12);
	}
}

static bool
read_report(const uint8_t *p, size_t n, uint32_t ours, struct rtcp_news *out)
{
	unsigned count = p[0] & 0x1f;
	size_t head = HEAD_LEN + (p[1] == TYPE_SR ? SENDER_LEN : 0);

	if (n < head + (size_t)count * BLOCK_LEN)
		return false;
	out->reported = true;
	if (p[1] == TYPE_SR) {
		out->sender = true;
		out->ssrc = u32_at(p + 4);
		out->ntp_mid = u32_at(p + 10);
		out->packets = u32_at(p + 20);
	}
	read_blocks(p + head, count, ours, out);
	return true;
}

bool
rtcp_parse(struct hf_slice in, uint32_t ours, struct rtcp_news *out)
{
	const uint8_t *p = (const uint8_t *)in.p;
	size_t n = in.n;

	*out = (struct rtcp_news){ 0 };
	while (n > 0) {
		size_t len;

		if (n < 4 || p[0] >> 6 != VERSION)
			return false;
		len = ((size_t)(p[2] << 8 | p[3]) + 1) * 4;
		if (len > n)
			return false;
		if (p[1] == TYPE_SR || p[1] == TYPE_RR) {
			if (len < HEAD_LEN || !read_report(p, len, ours, out))
				return false;
		} else if (p[1] == TYPE_BYE) {
			out->bye = true;
		}
		if (!out->reported)
			return false; /* a compound begins with a report */
		p += len;
		n -= len;
	}
	return out->reported;
}

static void
put_u32(struct hf_buf *b, uint32_t v)
{
	uint8_t p[4] = { (uint8_t)(v >> 24), (uint8_t)(v >> 16),
		(uint8_t)(v >> 8), (uint8_t)v };

	hf_buf_put(b, p, sizeof(p));
}

/* len in bytes, header included. */
static void
put_head(struct hf_buf *b, unsigned count, unsigned type, size_t len)
{
	put_u32(b, (uint32_t)VERSION << 30 | count << 24 | type << 16 |
		       (uint32_t)(len / 4 - 1));
}

static void
put_sdes(struct hf_buf *b, uint32_t ssrc, const char *cname)
{
	static const char nothing[4];
	size_t name = strlen(cname);
	size_t len = HEAD_LEN + 2 + name;
	size_t pad = 4 - len % 4; /* at least one zero ends the items */
	char item[2] = { SDES_CNAME, (char)name };

	put_head(b, 1, TYPE_SDES, len + pad);
	put_u32(b, ssrc);
	hf_buf_put(b, item, sizeof(item));
	hf_buf_put(b, cname, name);
	hf_buf_put(b, nothing, pad);
}

void
rtcp_put(struct hf_buf *b, const struct rtcp_report *r)
{
	put_head(b, r->hears, r->sender ? TYPE_SR : TYPE_RR,
	    HEAD_LEN + (r->sender ? SENDER_LEN : 0) +
		(r->hears ? BLOCK_LEN : 0));
	put_u32(b, r->ssrc);
	if (r->sender) {
		put_u32(b, (uint32_t)(r->ntp >> 32));
		put_u32(b, (uint32_t)r->ntp);
		put_u32(b, r->ts);
		put_u32(b, r->packets);
		put_u32(b, r->octets);
	}
	if (r->hears) {
		put_u32(b, r->about);
		put_u32(b, (uint32_t)r->fraction << 24 |
			       (r->lost > LOST_MAX ? LOST_MAX : r->lost));
		put_u32(b, r->highest);
		put_u32(b, r->jitter);
		put_u32(b, r->lsr);
		put_u32(b, r->dlsr);
	}
	put_sdes(b, r->ssrc, r->cname);
}
