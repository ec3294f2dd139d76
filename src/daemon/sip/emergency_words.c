/* daemon/sip/emergency_words - what a caller's INVITE says that whoever comes
 * to help must know: where he is (RFC 6442), who he is.  See emergency.h */

#include <string.h>

#include "daemon/sip/emergency.h"
#include "io/sip/build.h"
#include "io/sip/keep.h"

enum {
	PARTS_MAX = 8,
	LINES_MAX = 24,    /* of his that are passed on, ... */
	LINES_ROOM = 1500, /* ... ours among them */
	/* An INVITE is kept to be said again: so much of it any has, with our
	 * answer to a challenge. */
	ENVELOPE = 2048,
	BODY_ROOM = SIP_KEEP_BIG - ENVELOPE - LINES_ROOM,
	MARK_MAX = 80,
};

#define BOUNDARY "holdfast-emergency"

/* What is passed on as it came.  A location by value is a part of the body,
 * which Geolocation names by its Content-ID. */
static const char *const passed[] = {
	"Geolocation",
	"Geolocation-Routing",
	"Call-Info", /* RFC 7852: additional data */
	"P-Access-Network-Info",
	"Resource-Priority",
};

static bool
is_passed(struct hf_slice name)
{
	for (size_t i = 0; i < HF_LEN(passed); i++)
		if (hf_slice_eq_nocase(name, hf_slice_of(passed[i])))
			return true;
	return false;
}

/* Better without than not at all. */
static void
left_out(size_t bytes)
{
	hf_log(LOG_WARNING, "emergency_location_too_long", "bytes=%zu", bytes);
}

static void
put_lines(struct hf_buf *b, const struct sip_msg *m)
{
	size_t before = b->n;
	unsigned n = 0;

	for (uint16_t i = 0; i < m->headers && n < LINES_MAX; i++)
		if (is_passed(m->header[i].name)) {
			sip_put_named(b, m->header[i].name, m->header[i].value);
			n++;
		}
	if (b->overflow || b->n > LINES_ROOM) {
		left_out(b->n - before);
		b->n = before;
		b->overflow = false;
	}
}

/* The number to call back: his house's word on who he is.  It is said whatever
 * he wished to withhold: who helps must find him. */
static void
put_identity(
    struct hf_buf *b, const struct emergency *c, const struct sip_flow *to)
{
	char text[SIP_URI_MAX];
	struct hf_buf uri = hf_buf_on(text, sizeof(text));
	struct hf_addr here = sip_transport_here(&room.tp, to, room.now);

	sip_put_uri(&uri, hf_slice_of(c->shown), &here);
	sip_put_name_addr(b, SIP_H_P_ASSERTED_IDENTITY, hf_slice_of(c->display),
	    hf_buf_taken(&uri), HF_SLICE(""));
}

/* ---- the body ------------------------------------------------------------ */

static struct hf_slice
boundary_of(const struct sip_msg *m)
{
	const struct sip_header_line *h = sip_find(m, SIP_H_CONTENT_TYPE, 0);
	struct hf_slice v = HF_SLICE(""), rest;
	size_t semi;

	if (h == NULL ||
	    !hf_slice_starts_nocase(h->value, HF_SLICE("multipart/")))
		return HF_SLICE("");
	semi = hf_slice_find(h->value, ';');
	semi += semi < h->value.n;
	rest = (struct hf_slice){ h->value.p + semi, h->value.n - semi };
	return sip_param(rest, HF_SLICE("boundary"), &v) ? v : HF_SLICE("");
}

/* The description is ours to write; all else is his. */
static bool
is_sdp(struct hf_slice part)
{
	const char *end = memmem(part.p, part.n, "\r\n\r\n", 4);
	size_t n = end != NULL ? (size_t)(end - part.p) : part.n;

	for (size_t i = 0; i < n; i++) {
		struct hf_slice at = { part.p + i, n - i };

		if (hf_slice_starts_nocase(at, HF_SLICE("application/sdp")))
			return true;
	}
	return false;
}

static void
put_part(struct hf_buf *b, struct hf_slice part)
{
	hf_buf_str(b, "--" BOUNDARY "\r\n");
	hf_buf_slice(b, part);
	hf_buf_str(b, "\r\n");
}

/* Parts stand between lines of "--boundary" (RFC 2046 5.1.1). */
static unsigned
put_parts(struct hf_buf *b, struct hf_slice body, struct hf_slice boundary)
{
	char mark[MARK_MAX] = "--";
	size_t n = boundary.n + 2;
	const char *at, *next, *end = body.p + body.n;
	unsigned put = 0;

	if (boundary.n == 0 || n > sizeof(mark))
		return 0;
	memcpy(mark + 2, boundary.p, boundary.n);
	at = memmem(body.p, body.n, mark, n);
	for (int i = 0; at != NULL && i < PARTS_MAX; i++, at = next) {
		struct hf_slice part;

		at += n;
		next = memmem(at, (size_t)(end - at), mark, n);
		if (next == NULL || end - at < 2 || memcmp(at, "\r\n", 2) != 0)
			break;
		part = (struct hf_slice){ at + 2, (size_t)(next - at - 2) };
		if (part.n >= 2 && memcmp(next - 2, "\r\n", 2) == 0)
			part.n -= 2;
		if (is_sdp(part))
			continue;
		put_part(b, part);
		put++;
	}
	return put;
}

/* A body that is nothing but the location: the offer is to come in our 200. */
static unsigned
put_whole(struct hf_buf *b, const struct sip_msg *m)
{
	const struct sip_header_line *h = sip_find(m, SIP_H_CONTENT_TYPE, 0);

	if (h == NULL || m->body.n == 0 ||
	    hf_slice_starts_nocase(h->value, HF_SLICE("application/sdp")) ||
	    hf_slice_starts_nocase(h->value, HF_SLICE("multipart/")))
		return 0;
	hf_buf_str(b, "--" BOUNDARY "\r\n");
	sip_put(b, SIP_H_CONTENT_TYPE, h->value);
	for (uint16_t i = 0; i < m->headers; i++)
		if (hf_slice_eq_nocase(
			m->header[i].name, HF_SLICE("Content-ID")))
			sip_put_named(b, m->header[i].name, m->header[i].value);
	hf_buf_str(b, "\r\n");
	hf_buf_slice(b, m->body);
	hf_buf_str(b, "\r\n");
	return 1;
}

static void
put_body(const struct sip_msg *m, struct hf_slice *body, const char **type)
{
	static char text[BODY_ROOM];
	struct hf_buf b = hf_buf_on(text, sizeof(text));
	unsigned parts;

	hf_buf_str(
	    &b, "--" BOUNDARY "\r\nContent-Type: application/sdp\r\n\r\n");
	hf_buf_slice(&b, *body);
	hf_buf_str(&b, "\r\n");
	parts = put_parts(&b, m->body, boundary_of(m)) + put_whole(&b, m);
	hf_buf_str(&b, "--" BOUNDARY "--\r\n");
	if (parts == 0)
		return;
	if (b.overflow) {
		left_out(m->body.n);
		return;
	}
	*body = hf_buf_taken(&b);
	*type = "multipart/mixed;boundary=" BOUNDARY;
}

void
emergency_words(const struct leg *l, const struct sip_flow *to,
    struct hf_buf *lines, struct hf_slice *body, const char **type)
{
	static struct sip_msg m;
	const struct emergency *c = emergency_by_leg(l->id);
	const struct leg *caller = c != NULL ? leg_by_id(c->caller) : NULL;
	const struct sip_session *s =
	    caller != NULL ? leg_session(caller) : NULL;

	if (c == NULL)
		return;
	sip_put_named(lines, HF_SLICE("Priority"), HF_SLICE("emergency"));
	put_identity(lines, c, to);
	if (s == NULL || !sip_session_asked(&room.ss, s, &m))
		return;
	put_lines(lines, &m);
	put_body(&m, body, type);
}
