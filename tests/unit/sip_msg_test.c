/* io/sip/msg: what is understood, what is refused, and with which answer. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "io/sip/msg.h"

static struct sip_msg m;
static char text[70000];

#define S(lit) HF_SLICE(lit)

static void
assert_slice(struct hf_slice got, const char *want)
{
	if (!hf_slice_eq(got, hf_slice_of(want)))
		fail_msg("got \"%.*s\", want \"%s\"", (int)got.n, got.p, want);
}

/* A usual INVITE in pieces that a row can replace. */
struct piece {
	const char *line, *via, *from, *to, *id, *cseq, *more, *body;
};

#define USUAL(x, usual) ((x) != NULL ? (x) : (usual))

static struct sip_verdict
parse(const struct piece *p)
{
	snprintf(text, sizeof(text), "%s\r\n%s%s%s%s%s%s\r\n%s",
	    USUAL(p->line, "INVITE sip:bob@example.com SIP/2.0"),
	    USUAL(
		p->via, "Via: SIP/2.0/UDP 192.0.2.1:5061;branch=z9hG4bK1\r\n"),
	    USUAL(p->from, "From: \"Al\" <sip:al@example.net>;tag=a1\r\n"),
	    USUAL(p->to, "To: <sip:bob@example.com>\r\n"),
	    USUAL(p->id, "Call-ID: x@y\r\n"),
	    USUAL(p->cseq, "CSeq: 1 INVITE\r\n"), USUAL(p->more, ""),
	    USUAL(p->body, ""));
	return sip_parse(hf_slice_of(text), &m);
}

static void
a_usual_message_is_understood(void **state)
{
	struct sip_verdict v =
	    parse(&(struct piece){ .more = "Route: <sip:p1;lr>, <sip:p2;lr>\r\n"
					   "Content-Length: 3\r\n",
		.body = "abcdef" });

	(void)state;
	assert_int_equal(v.parsed, SIP_GOOD);
	assert_true(m.request);
	assert_int_equal(m.method, SIP_INVITE);
	assert_slice(m.uri.user, "bob");
	assert_slice(m.via.branch, "z9hG4bK1");
	assert_int_equal(m.via.port, 5061);
	assert_slice(m.from.display, "Al");
	assert_slice(m.from_tag, "a1");
	assert_int_equal(m.to_tag.n, 0);
	assert_slice(m.call_id, "x@y");
	assert_int_equal(m.cseq, 1);
	assert_slice(m.body, "abc");
	assert_int_equal(m.raw.n, strlen(text) - 3);
	assert_slice(sip_find(&m, SIP_H_ROUTE, 1)->value, "<sip:p2;lr>");
	assert_null(sip_find(&m, SIP_H_ROUTE, 2));
}

static void
messages_that_are_wrong_get_their_status(void **state)
{
	static const struct {
		struct piece p;
		uint16_t status;
	} rows[] = {
		{ { .line = "INVITE sip:bob@example.com SIP/3.0" }, 505 },
		{ { .line = "INVITE sip:bob@example.com sip/2.0" }, 0 },
		{ { .line = "INVITE sip:bob@example.com SIP/2.0 " }, 400 },
		{ { .line = "INVITE sip:bob@example.com HTTP/1.1" }, 400 },
		{ { .line = "INVITE sip:bob@example.com" }, 400 },
		{ { .line = "INVITE bob SIP/2.0" }, 400 },
		{ { .line = "INVITE sip: SIP/2.0" }, 400 },
		{ { .line = "INVITE sip:@example.com SIP/2.0" }, 400 },
		{ { .line = "INVITE sip:bob@ SIP/2.0" }, 400 },
		{ { .line = "INVITE sip:bob@h:99999 SIP/2.0" }, 400 },
		{ { .line = "INVITE sip:bob@h:5060x SIP/2.0" }, 400 },
		{ { .line = "INVITE sip:b%4@h SIP/2.0" }, 400 },
		{ { .line = "INVITE sip:b%zz@h SIP/2.0" }, 400 },
		{ { .line = "INVITE sip:b@[2001:db8::1 SIP/2.0" }, 400 },
		{ { .line = "INVITE sip:b@h;x;y=1?Route=z SIP/2.0" }, 400 },
		{ { .line = "INVITE mailto:bob@h SIP/2.0" }, 416 },
		{ { .line = "INVITE tel:+33400000000;phone-context=x SIP/2.0" },
		    0 },
		{ { .from = "" }, 400 },
		{ { .from = "From: <sip:al@h\r\n" }, 400 },
		{ { .from = "From: sip:al@h;tag=1;tag=2\r\n" }, 400 },
		{ { .from = "From: sip:al@h;tag\r\n" }, 400 },
		{ { .from = "From: sip:al@h?x=y\r\n" }, 400 },
		{ { .from = "From: \"Al <sip:al@h>\r\n" }, 400 },
		{ { .from = "From: \"Al\" sip:al@h\r\n" }, 400 },
		{ { .from = "From: A, B <sip:al@h>\r\n" }, 400 },
		{ { .from = "From: <sip:al@h> x\r\n" }, 400 },
		{ { .from = "From: <sip:al@h>;=x\r\n" }, 400 },
		{ { .from = "From: <sip:al@h>;x=\"y\r\n" }, 400 },
		{ { .from = "f: sip:al@h\r\n" }, 0 },
		{ { .from = "From: <sip:al@h>;\r\n" }, 0 },
		{ { .from = "From: <tel:+33>;tag=1\r\n" }, 0 },
		{ { .to = "" }, 400 },
		{ { .to = "To: <sip:b@h>\r\nt: <sip:c@h>\r\n" }, 400 },
		{ { .id = "" }, 400 },
		{ { .id = "Call-ID:\r\n" }, 400 },
		{ { .id = "Call-ID: a b\r\n" }, 400 },
		{ { .id = "i: a\r\nCall-ID: b\r\n" }, 400 },
		{ { .cseq = "" }, 400 },
		{ { .cseq = "CSeq: INVITE\r\n" }, 400 },
		{ { .cseq = "CSeq: 1\r\n" }, 400 },
		{ { .cseq = "CSeq: 1 BYE\r\n" }, 400 },
		{ { .cseq = "CSeq: -1 INVITE\r\n" }, 400 },
		{ { .cseq = "CSeq: 1 INVITE x\r\n" }, 400 },
		{ { .cseq = "CSeq: 2147483648 INVITE\r\n" }, 400 },
		{ { .cseq = "CSeq: 2147483647 INVITE\r\n" }, 0 },
		{ { .cseq = "CSeq: 0001\r\n\t INVITE\r\n" }, 0 },
		{ { .more = "Max-Forwards: 256\r\n" }, 400 },
		{ { .more = "Max-Forwards: x\r\n" }, 400 },
		{ { .more = "Max-Forwards: 1\r\nMax-Forwards: 1\r\n" }, 400 },
		{ { .more = "Content-Length: 1\r\n" }, 400 },
		{ { .more = "Content-Length: 0\r\nl: 0\r\n" }, 400 },
		{ { .more = "Content-Length: 0x0\r\n" }, 400 },
		{ { .more = "Content-Length: 99999999999\r\n" }, 400 },
		{ { .more = "Contact: <sip:a@h>, bad\r\n" }, 400 },
		{ { .more = "Contact: *\r\n" }, 0 },
		{ { .more = "Contact: <sip:a@h>,\r\n" }, 400 },
		{ { .more =
			  "Contact: <sip:a,b@h>, \"x,\\\",y\" <sip:c@h>\r\n" },
		    0 },
		{ { .more = "no header at all\r\n: nor this\r\n" }, 0 },
		{ { .via = "Via: SIP/2.0/UDP h;branch=a, SIP/2.0/TCP\r\n" },
		    0 },
		{ { .via = "Via: SIP/2.0/UDP h;;branch=a\r\n" }, 400 },
		{ { .via = "Via: SIP/2.0/UDP h:x\r\n" }, 1 },
		{ { .via = "Via: SIP/2.0/UDP\r\n" }, 1 },
		{ { .via = "Via: UDP h\r\n" }, 1 },
		{ { .via = "" }, 1 },
		{ { .line = "" }, 1 },
		{ { .line = "GET" }, 1 },
		{ { .line = "ACK sip:b@h SIP/2.0", .cseq = "CSeq: 1 ACK\r\n" },
		    0 },
		{ { .line = "ACK sip:b@h SIP/2.0" }, 1 },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct sip_verdict v = parse(&rows[i].p);
		uint16_t got = v.parsed == SIP_DROP ? 1 : v.status;

		if (got != rows[i].status)
			fail_msg("row %zu: got %u (%s), want %u\n%s", i, got,
			    USUAL(v.why, ""), rows[i].status, text);
		if (v.parsed != SIP_GOOD)
			assert_non_null(v.why);
		assert_true(v.at <= strlen(text));
	}
}

static void
a_message_without_an_end_is_refused(void **state)
{
	(void)state;
	parse(&(struct piece){ .line = NULL });
	text[strlen(text) - 2] = '\0';
	assert_int_equal(sip_parse(hf_slice_of(text), &m).status, 400);
	assert_int_equal(sip_parse(S(""), &m).parsed, SIP_DROP);
	assert_int_equal(sip_parse(S("\r\n\r\n"), &m).parsed, SIP_DROP);
}

static void
headers_are_bounded(void **state)
{
	size_t n;

	(void)state;
	parse(&(struct piece){ .line = NULL });
	n = strlen(text) - 2;
	for (int i = 0; i < SIP_HEADERS_MAX - 5; i++) {
		memcpy(text + n, "x: y\r\n", 6);
		n += 6;
	}
	memcpy(text + n, "\r\n", 2);
	assert_int_equal(
	    sip_parse((struct hf_slice){ text, n + 2 }, &m).parsed, SIP_GOOD);
	assert_int_equal(m.headers, SIP_HEADERS_MAX);
	memcpy(text + n, "x: y\r\n\r\n", 8);
	assert_int_equal(
	    sip_parse((struct hf_slice){ text, n + 8 }, &m).status, 400);
	memset(text + n, ' ', sizeof(text) - n);
	assert_int_equal(
	    sip_parse((struct hf_slice){ text, sizeof(text) }, &m).parsed,
	    SIP_DROP);
}

static void
responses_are_taken_or_dropped_but_never_answered(void **state)
{
	static const struct {
		const char *line;
		uint16_t status; /* 0: dropped */
	} rows[] = {
		{ "SIP/2.0 200 OK", 200 },
		{ "SIP/2.0 200 ", 200 },
		{ "SIP/2.0 200", 200 },
		{ "sip/2.0 699 x y z", 699 },
		{ "SIP/2.0 99 x", 0 },
		{ "SIP/2.0 700 x", 0 },
		{ "SIP/2.0 20 OK", 0 },
		{ "SIP/2.0 200OK", 0 },
		{ "SIP/2.0  200 OK", 0 },
		{ "SIP/1.0 200 OK", 0 },
		{ "SIP/2.0", 0 },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct sip_verdict v =
		    parse(&(struct piece){ .line = rows[i].line });

		if (rows[i].status == 0
			? v.parsed != SIP_DROP
			: v.parsed != SIP_GOOD || m.status != rows[i].status ||
			      m.request)
			fail_msg("row %zu: %s", i, rows[i].line);
	}
	assert_int_equal(
	    parse(&(struct piece){ .line = "SIP/2.0 200 OK", .from = "" })
		.parsed,
	    SIP_DROP);
	/* 8.1.3.3: it was meant for someone behind us, whom there is not. */
	assert_int_equal(parse(&(struct piece){ .line = "SIP/2.0 200 OK",
				   .via = "Via: SIP/2.0/UDP a;branch=1\r\n"
					  "Via: SIP/2.0/UDP b;branch=2\r\n" })
			     .parsed,
	    SIP_DROP);
}

static void
compact_and_folded_headers_are_the_same_headers(void **state)
{
	static const struct {
		const char *line;
		enum sip_header id;
		const char *value;
	} rows[] = {
		{ "s: x\r\n", SIP_H_OTHER, "x" },
		{ "K : timer,  100rel\r\n", SIP_H_SUPPORTED, "timer,  100rel" },
		{ "c:application/sdp\r\n", SIP_H_CONTENT_TYPE,
		    "application/sdp" },
		{ "O: presence\r\n", SIP_H_EVENT, "presence" },
		{ "r: <sip:c@h>\r\n", SIP_H_REFER_TO, "<sip:c@h>" },
		{ "b: <sip:c@h>\r\n", SIP_H_REFERRED_BY, "<sip:c@h>" },
		{ "X: 90\r\n", SIP_H_SESSION_EXPIRES, "90" },
		{ "REASON: Q.850;cause=16\r\n", SIP_H_REASON,
		    "Q.850;cause=16" },
		{ "WWW-Authenticate\t:\t Digest x=\"y\"  \r\n",
		    SIP_H_WWW_AUTHENTICATE, "Digest x=\"y\"" },
		{ "User-Agent: a\r\n b\r\n\tc\r\n", SIP_H_USER_AGENT,
		    "a\r\n b\r\n\tc" },
		{ "P-Asserted-Identity: <sip:c@h>\r\n",
		    SIP_H_P_ASSERTED_IDENTITY, "<sip:c@h>" },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		parse(&(struct piece){ .more = rows[i].line });
		assert_int_equal(m.header[m.headers - 1].id, rows[i].id);
		assert_slice(m.header[m.headers - 1].value, rows[i].value);
	}
	for (enum sip_header h = 1; h < SIP_H_NR; h++) {
		char line[64];

		snprintf(line, sizeof(line), "%s: 1\r\n", sip_header_name(h));
		parse(&(struct piece){ .more = line });
		assert_non_null(sip_find(&m, h, 0));
	}
}

static void
odd_addresses_are_read_as_they_are_meant(void **state)
{
	static const struct {
		const char *text, *display, *user, *host, *params;
		uint16_t port;
	} rows[] = {
		{ "sip:a@h", "", "a", "h", "", 0 },
		{ "sip:a@h;tag=1", "", "a", "h", "tag=1", 0 },
		{ "<sip:a@h;lr>;tag=1", "", "a", "h", "tag=1", 0 },
		{ "sips:h:5061", "", "", "h", "", 5061 },
		{ "A B  <sip:a:pw@h>", "A B", "a", "h", "", 0 },
		{ "\"A \\\" <sip:x@y>\" <sip:a@[::1]:5070>;x",
		    "A \\\" <sip:x@y>", "a", "::1", "x", 5070 },
		{ "Grüße <sip:a@h>", "Grüße", "a", "h", "", 0 },
		{ "sip:*72@h", "", "*72", "h", "", 0 },
		{ "<sip:#31#123@h>", "", "#31#123", "h", "", 0 },
		{ "<sip:a;b=c?d@h?Replaces=x%40y>", "", "a;b=c?d", "h", "", 0 },
		{ "<sip:a@h> ; x = \"1;2\" ; y", "", "a", "h",
		    "x = \"1;2\" ; y", 0 },
		{ "tel:+33-1;isub=2", "", "+33-1", "", "isub=2", 0 },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct sip_name_addr a;

		if (!sip_parse_name_addr(hf_slice_of(rows[i].text), &a))
			fail_msg("refused: %s", rows[i].text);
		assert_slice(a.display, rows[i].display);
		assert_slice(a.uri.user, rows[i].user);
		assert_slice(a.uri.host, rows[i].host);
		assert_slice(a.params, rows[i].params);
		assert_int_equal(a.uri.port, rows[i].port);
	}
}

static void
parameters_are_found_with_or_without_blanks_and_quotes(void **state)
{
	struct hf_slice p = S("a ; B=2;c = \"x;\\\"y\" ;\r\n d=;e=[::1]:5");
	struct hf_slice v;

	(void)state;
	assert_true(sip_param(p, S("A"), &v));
	assert_int_equal(v.n, 0);
	assert_true(sip_param(p, S("b"), &v));
	assert_slice(v, "2");
	assert_true(sip_param(p, S("c"), &v));
	assert_slice(v, "x;\\\"y");
	assert_true(sip_param(p, S("d"), &v));
	assert_int_equal(v.n, 0);
	assert_true(sip_param(p, S("e"), &v));
	assert_slice(v, "[::1]:5");
	assert_false(sip_param(p, S("f"), &v));
	assert_false(sip_param(S(""), S("f"), &v));
}

static void
lists_end_at_commas_that_are_not_protected(void **state)
{
	struct hf_slice list = S("a, \"b,\\\",c\" <x,y>,, <d,e> ;q=1 ,\r\n f,");
	struct hf_slice item;
	static const char *const want[] = { "a", "\"b,\\\",c\" <x,y>",
		"<d,e> ;q=1", "f" };

	(void)state;
	for (size_t i = 0; i < HF_LEN(want); i++) {
		assert_true(sip_list_next(&list, &item));
		assert_slice(item, want[i]);
	}
	assert_false(sip_list_next(&list, &item));
}

/* The examples of RFC 3261 19.1.4, and some of ours. */
static void
uris_are_compared_as_the_rfc_does(void **state)
{
	static const struct {
		const char *a, *b;
		bool same;
	} rows[] = {
		{ "sip:%61lice@atlanta.com;transport=TCP",
		    "sip:alice@AtLanTa.CoM;Transport=tcp", true },
		{ "sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5",
		    true },
		{ "sip:carol@chicago.com;newparam=5",
		    "sip:carol@chicago.com;security=on", true },
		{ "sip:biloxi.com;transport=tcp;method=REGISTER"
		  "?to=sip:bob%40biloxi.com",
		    "sip:biloxi.com;method=REGISTER;transport=tcp"
		    "?to=sip:bob%40biloxi.com",
		    true },
		{ "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
		    "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
		    true },
		{ "SIP:ALICE@AtLanTa.CoM;Transport=udp",
		    "sip:alice@AtLanTa.CoM;Transport=UDP", false },
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:5060", false },
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp",
		    false },
		{ "sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp",
		    false },
		{ "sip:carol@chicago.com",
		    "sip:carol@chicago.com?Subject=next%20meeting", false },
		{ "sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4",
		    false },
		{ "sip:carol@chicago.com;security=off",
		    "sip:carol@chicago.com;security=on", false },
		{ "sip:a@h", "sips:a@h", false },
		{ "sip:a@h", "sip:a:b@h", false },
		{ "sip:a%3ab@h", "sip:a:b@h", false },
		{ "sip:a@[2001:db8::1]", "sip:a@[2001:DB8:0::1]", true },
		{ "tel:+331", "tel:+331", true },
		{ "tel:+331", "tel:+332", false },
		{ "urn:service:sos", "urn:service:sos", true },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct sip_uri a, b;

		assert_true(sip_parse_uri(hf_slice_of(rows[i].a), &a));
		assert_true(sip_parse_uri(hf_slice_of(rows[i].b), &b));
		if (sip_uri_eq(&a, &b) != rows[i].same ||
		    sip_uri_eq(&b, &a) != rows[i].same)
			fail_msg("row %zu: %s %s", i, rows[i].a, rows[i].b);
	}
}

static void
streams_are_cut_into_messages(void **state)
{
	static const struct {
		const char *bytes;
		int want;
		uint32_t skip;
		uint32_t head; /* to be answered */
	} rows[] = {
		{ "", 0, 0 },
		{ "\r\n\r\n", 0, 4 },
		{ "\r\nX\r\nl: 0\r\n\r\n", 11, 2 },
		{ "X\r\nContent-Length: 3\r\n\r\nabcX", 28 - 1, 0 },
		{ "X\r\nContent-Length: 3\r\n\r\nab", 0, 0 },
		{ "X\r\nCONTENT-LENGTH :\r\n 3\r\n\r\nabc", 30, 0 },
		{ "X\r\nContent-Length: 3\r\nl:3\r\n\r\nabc", 32, 0 },
		{ "X\r\nContent-Length: 3\r\nl:4\r\n\r\nabc", -1, 0, 29 },
		{ "X\r\nContent-Length: -1\r\n\r\n", -1, 0, 25 },
		{ "X\r\nContent-Length: -1\r\nY: 1\r\n", 0, 0 },
		{ "X\r\nContent-Length: 65536\r\n\r\n", -1, 0, 28 },
		{ "X\r\nContent-Length: 65530\r\n\r\n", -1, 0, 28 },
		{ "X\r\n\r\n", -1, 0 },
		{ "X\r\nContent-Length", 0, 0 },
		{ "X\nl: 1\n\nab", 9, 0 },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		uint32_t skip;
		int got = sip_frame(hf_slice_of(rows[i].bytes), &skip);

		if (got != rows[i].want || skip != rows[i].skip)
			fail_msg("row %zu: got %d skip %u", i, got, skip);
		if (got < 0)
			assert_int_equal(
			    sip_frame_head(hf_slice_of(rows[i].bytes)),
			    rows[i].head);
	}
	/* No end within 64 KB, and no end of lines. */
	memset(text, 'x', sizeof(text));
	assert_int_equal(sip_frame((struct hf_slice){ text, sizeof(text) },
			     &(uint32_t){ 0 }),
	    -1);
	for (size_t i = 0; i < 4000; i += 2)
		memcpy(text + i, "x\n", 2);
	assert_int_equal(
	    sip_frame((struct hf_slice){ text, 4000 }, &(uint32_t){ 0 }), -1);
}

static void
what_is_required_of_us_and_unknown_is_named(void **state)
{
	char room[64];
	struct hf_buf b = hf_buf_on(room, sizeof(room));

	(void)state;
	parse(&(struct piece){
	    .more = "Require: timer, a\r\nRequire: b,TIMER\r\n" });
	assert_true(sip_unknown_required(&m, SIP_H_REQUIRE, S("x, timer"), &b));
	assert_slice(hf_buf_taken(&b), "a, b");
	assert_false(
	    sip_unknown_required(&m, SIP_H_REQUIRE, S("a, timer, b"), &b));
	assert_false(sip_unknown_required(&m, SIP_H_PROXY_REQUIRE, S(""), &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_usual_message_is_understood),
		cmocka_unit_test(messages_that_are_wrong_get_their_status),
		cmocka_unit_test(a_message_without_an_end_is_refused),
		cmocka_unit_test(headers_are_bounded),
		cmocka_unit_test(
		    responses_are_taken_or_dropped_but_never_answered),
		cmocka_unit_test(
		    compact_and_folded_headers_are_the_same_headers),
		cmocka_unit_test(odd_addresses_are_read_as_they_are_meant),
		cmocka_unit_test(
		    parameters_are_found_with_or_without_blanks_and_quotes),
		cmocka_unit_test(lists_end_at_commas_that_are_not_protected),
		cmocka_unit_test(uris_are_compared_as_the_rfc_does),
		cmocka_unit_test(streams_are_cut_into_messages),
		cmocka_unit_test(what_is_required_of_us_and_unknown_is_named),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
