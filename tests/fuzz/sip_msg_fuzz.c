/* What anybody may send to the SIP port: whatever is let in lies inside the
 * bytes it came in, and its answer can be read back and says the same. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "io/sip/build.h"
#include "io/sip/digest.h"
#include "io/sip/peek.h"
#include "io/sip/sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static struct sip_msg m, back;
static char room[4 * SIP_MSG_MAX], asked_room[4 * SIP_MSG_MAX];
static struct hf_slice all;

static void
check_inside(struct hf_slice s)
{
	hf_assert(s.n == 0 || (s.p >= all.p && s.p + s.n <= all.p + all.n));
}

static void
check_uri(const struct sip_uri *u)
{
	char text[256];

	check_inside(u->whole);
	check_inside(u->scheme);
	check_inside(u->user);
	check_inside(u->host);
	check_inside(u->params);
	check_inside(u->headers);
	(void)sip_unescape(u->user, text, sizeof(text));
}

static void
check_header(const struct sip_header_line *h)
{
	struct hf_slice list = h->value, item;
	struct sip_name_addr a;
	struct sip_via via;
	struct hf_addr addr;
	char text[128];

	check_inside(h->name);
	check_inside(h->value);
	while (sip_list_next(&list, &item))
		check_inside(item);
	if (sip_parse_name_addr(h->value, &a)) {
		check_inside(a.display);
		check_inside(a.params);
		check_uri(&a.uri);
		(void)sip_uri_eq(&a.uri, &m.to.uri);
	}
	if (sip_parse_via(h->value, &via)) {
		check_inside(via.branch);
		check_inside(via.host);
		(void)sip_host_addr(via.received, &addr);
	}
	(void)sip_unquote(h->value, text, sizeof(text));
}

static void
check_message(void)
{
	static struct sip_digest digest = { .realm = "example.com" };
	struct sip_credentials c;
	struct hf_slice sdp;
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	uint16_t status;

	check_inside(m.raw);
	check_inside(m.body);
	check_inside(m.call_id);
	check_inside(m.from_tag);
	check_inside(m.to_tag);
	check_inside(m.from.params);
	check_inside(m.to.display);
	check_inside(m.via.whole);
	check_uri(&m.uri);
	check_uri(&m.from.uri);
	check_uri(&m.to.uri);
	hf_assert(m.headers <= SIP_HEADERS_MAX);
	for (unsigned i = 0; i < m.headers; i++)
		check_header(&m.header[i]);
	if (sdp_find(&m, &sdp, &status))
		check_inside(sdp);
	(void)sip_unknown_required(&m, SIP_H_REQUIRE, HF_SLICE(""), &b);
	(void)sip_digest_find(&digest, &m, SIP_H_AUTHORIZATION, &c);
}

/* The answer to a request, read back. */
static void
check_answer(bool good)
{
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	struct hf_addr source = {
		.ip = { 192, 0, 2, 1 }, .family = 4, .port = 5060
	};
	struct sip_verdict v;

	sip_put_reply(&b, &m, 400, (struct hf_slice){ NULL, 0 },
	    HF_SLICE("tag"), &source);
	sip_put_body(&b, NULL, (struct hf_slice){ NULL, 0 });
	if (b.overflow || b.n > SIP_MSG_MAX)
		return;
	v = sip_parse(hf_buf_taken(&b), &back);
	if (!good || sip_find(&m, SIP_H_VIA, 1) != NULL)
		return; /* of a broken request much may be missing */
	hf_assert(v.parsed == SIP_GOOD);
	hf_assert(!back.request && back.status == 400);
	hf_assert(back.raw.n == b.n && back.body.n == 0);
	hf_assert(back.cseq == m.cseq);
	hf_assert(hf_slice_eq(back.call_id, m.call_id));
	hf_assert(hf_slice_eq(back.from_tag, m.from_tag));
	hf_assert(hf_slice_eq(back.via.branch, m.via.branch));
	hf_assert(hf_slice_eq(back.cseq_method_text, m.method_text));
	hf_assert(back.to_tag.n > 0);
}

static void
no_hash(void *ctx, const struct hf_slice *part, size_t parts, uint8_t *out)
{
	(void)ctx;
	(void)part;
	(void)parts;
	memset(out, 0, 16); /* both have so many at least */
}

/* What a stranger's challenge makes us say is header lines of ours alone, for
 * each realm one. */
static void
check_challenge(void)
{
	static const struct sip_hashes hashes = { no_hash, no_hash, NULL };
	static const struct sip_claim who = { &hashes, HF_SLICE("me"),
		HF_SLICE("secret"), HF_SLICE("c") };
	static const struct hf_slice before =
	    HF_SLICE("OPTIONS sip:b SIP/2.0\r\nVia: SIP/2.0/UDP b\r\n"
		     "From: <sip:a@b>;tag=1\r\nTo: <sip:b>\r\nCall-ID: x\r\n"
		     "CSeq: 1 OPTIONS\r\n");
	static struct sip_msg asked;
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	unsigned lines = 0;

	hf_buf_slice(&b, before);
	sip_put_body(&b, NULL, HF_SLICE(""));
	hf_assert(sip_parse(hf_buf_taken(&b), &asked).parsed == SIP_GOOD);
	b = hf_buf_on(asked_room, sizeof(asked_room));
	hf_buf_slice(&b, before);
	if (!sip_digest_answer(&b, &m, &asked, &who))
		return;
	sip_put_body(&b, NULL, HF_SLICE(""));
	if (b.overflow || b.n > SIP_MSG_MAX)
		return;
	hf_assert(sip_parse(hf_buf_taken(&b), &back).parsed == SIP_GOOD);
	for (unsigned i = 0; i < back.headers; i++)
		lines += back.header[i].id == SIP_H_AUTHORIZATION ||
			 back.header[i].id == SIP_H_PROXY_AUTHORIZATION;
	hf_assert(lines >= 1 && lines <= SIP_REALMS_MAX);
	hf_assert(back.headers == asked.headers + lines);
}

static void
check_follow_ups(void)
{
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	bool many = sip_find(&m, SIP_H_ROUTE, 100) != NULL;

	sip_put_ack(&b, &m, &m);
	if (b.overflow || b.n > SIP_MSG_MAX || many)
		return;
	hf_assert(sip_parse(hf_buf_taken(&b), &back).parsed == SIP_GOOD);
	hf_assert(back.method == SIP_ACK);
	hf_assert(hf_slice_eq(back.uri_text, m.uri_text));
	hf_assert(hf_slice_eq(back.call_id, m.call_id));
}

/* The look before reading: what is an answer to the one is to the other. */
static void
check_peek(struct sip_verdict v)
{
	struct sip_peek p = sip_peek(all);

	check_inside(p.uri);
	check_inside(p.user);
	check_inside(p.tag);
	if (v.parsed != SIP_GOOD)
		return;
	hf_assert((p.kind == SIP_PEEK_ANSWER) == !m.request);
	if (!m.request)
		return;
	hf_assert(p.kind != SIP_PEEK_NOISE);
	hf_assert(p.invite == (m.method == SIP_INVITE));
	hf_assert((p.kind == SIP_PEEK_ABOUT) ==
		  (m.method == SIP_ACK || m.method == SIP_CANCEL));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct sip_verdict v;

	all = (struct hf_slice){ (const char *)data, n };
	if (n == 0)
		return 0;
	v = sip_parse(all, &m);
	hf_assert(v.parsed == SIP_GOOD || v.why != NULL);
	hf_assert(v.at <= n);
	check_peek(v);
	if (v.parsed == SIP_DROP)
		return 0;
	hf_assert(v.parsed == SIP_GOOD || v.status >= 400);
	check_message();
	if (!m.request) {
		check_challenge();
		return 0;
	}
	check_answer(v.parsed == SIP_GOOD);
	if (v.parsed == SIP_GOOD)
		check_follow_ups();
	return 0;
}
