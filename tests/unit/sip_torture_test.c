/*
 * io/sip against the torture messages of RFC 4475 and RFC 5118: each has a row
 * that says what its section asks for, and where the section leaves a choice,
 * which one we took.
 */

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "io/sip/build.h"
#include "io/sip/digest.h"
#include "io/sip/msg.h"
#include "io/sip/sdp.h"

enum { ACCEPT = 0, DROP = 1, SKIP_CODE = 77, FILE_MAX = 8192 };

static const char *corpora;
static struct sip_msg m;
static char text[2 * FILE_MAX];
static size_t text_n;

#define S(lit) HF_SLICE(lit)

static void
assert_slice(struct hf_slice got, const char *want)
{
	if (!hf_slice_eq(got, hf_slice_of(want)))
		fail_msg("got \"%.*s\", want \"%s\"", (int)got.n, got.p, want);
}

/* ---- what the sections say about the insides ----------------------------- */

static struct sip_name_addr
contact(unsigned n)
{
	const struct sip_header_line *h = sip_find(&m, SIP_H_CONTACT, n);
	struct sip_name_addr a;

	assert_non_null(h);
	assert_true(sip_parse_name_addr(h->value, &a));
	return a;
}

static void
wsinv(void)
{
	struct hf_slice v;
	struct sip_via via;

	assert_slice(m.to_tag, "1918181833n");
	assert_slice(m.from_tag, "98asjd8");
	assert_slice(m.from.display, "J Rosenberg \\\\\\\"");
	assert_int_equal(m.max_forwards, 68);
	assert_int_equal(m.cseq, 9);
	assert_slice(m.via.host, "192.0.2.2");
	assert_slice(m.via.branch, "390skdjuw");
	assert_non_null(sip_find(&m, SIP_H_VIA, 2));
	assert_null(sip_find(&m, SIP_H_VIA, 3));
	assert_true(sip_parse_via(sip_find(&m, SIP_H_VIA, 1)->value, &via));
	assert_slice(via.transport, "TCP");
	assert_slice(via.host, "spindle.example.com");
	assert_slice(via.branch, "z9hG4bK9ikj8");
	assert_true(sip_parse_via(sip_find(&m, SIP_H_VIA, 2)->value, &via));
	assert_slice(via.branch, "z9hG4bK30239");
	assert_slice(contact(0).display, "Quoted string \\\"\\\"");
	assert_true(sip_param(contact(0).params, S("q"), &v));
	assert_slice(v, "0.33");
	assert_true(sip_param(contact(0).params, S("NewParam"), &v));
	assert_slice(v, "newvalue");
	assert_int_equal(m.body.n, 150);
}

static void
intmeth(void)
{
	assert_slice(
	    m.method_text, "!interesting-Method0123456789_*+`.%indeed'~");
	assert_slice(m.from.display, "token1~` token2'+_ token3*%!.-");
	assert_slice(m.from_tag, "_token~1'+`*%!-.");
	assert_slice(m.via.host, "host1.example.com");
	assert_slice(m.uri.host, "example.com");
}

static void
esc01(void)
{
	char user[64];
	struct hf_slice v;

	assert_true(sip_unescape(m.uri.user, user, sizeof(user)));
	assert_string_equal(user, "sips:user@example.com");
	assert_slice(m.uri.host, "example.net");
	assert_true(sip_unescape(m.to.uri.user, user, sizeof(user)));
	assert_string_equal(user, "user");
	assert_true(sip_unescape(m.from.uri.user, user, sizeof(user)));
	assert_string_equal(user, "I have spaces");
	assert_true(sip_param(contact(0).uri.params, S("n%61me"), &v));
	assert_true(sip_unescape(v, user, sizeof(user)));
	assert_string_equal(user, "value%41");
}

static void
escnull(void)
{
	char user[64];

	/* The NULs do not end anything: the three are different people. */
	assert_slice(m.to.uri.user, "null-%00-null");
	assert_slice(contact(0).uri.user, "%00");
	assert_slice(contact(1).uri.user, "%00%00");
	assert_false(sip_unescape(m.to.uri.user, user, sizeof(user)));
}

static void
esc02(void)
{
	/* An escaped token is not that token. */
	assert_int_equal(m.method, SIP_OTHER);
	assert_slice(m.via.branch, "z9hG4bK209%fzsnel234");
	assert_non_null(sip_find(&m, SIP_H_CONTACT, 1));
	assert_null(sip_find(&m, SIP_H_CONTACT, 2));
}

static void
longreq(void)
{
	assert_non_null(sip_find(&m, SIP_H_VIA, 33));
	assert_int_equal(m.body.n, 150);
	assert_int_equal(
	    m.from.uri.user.n, 5 * strlen("amazinglylongcallername"));
}

static void
dblreq(void)
{
	assert_int_equal(m.method, SIP_REGISTER);
	assert_int_equal(m.raw.n, 300);
}

static void
semiuri(void)
{
	assert_slice(m.uri.user, "user;par=u%40example.net");
	assert_slice(m.uri.host, "example.com");
	assert_int_equal(m.uri.params.n, 0);
}

static void
transports(void)
{
	static const char *const names[] = { "UDP", "SCTP", "TLS", "UNKNOWN",
		"TCP" };
	struct sip_via via;

	for (unsigned i = 0; i < HF_LEN(names); i++) {
		assert_true(
		    sip_parse_via(sip_find(&m, SIP_H_VIA, i)->value, &via));
		assert_slice(via.transport, names[i]);
	}
}

static void
mpart01(void)
{
	struct hf_slice sdp;
	uint16_t status;

	assert_true(m.via.has_rport);
	assert_int_equal(m.body.n, 553);
	assert_false(sdp_find(&m, &sdp, &status));
	assert_int_equal(status, 415);
}

static void
cparam01(void)
{
	struct hf_slice v;

	assert_true(sip_param(contact(0).params, S("unknownparam"), &v));
	assert_int_equal(contact(0).uri.params.n, 0);
}

static void
cparam02(void)
{
	struct hf_slice v;

	assert_true(sip_param(contact(0).uri.params, S("unknownparam"), &v));
	assert_int_equal(contact(0).params.n, 0);
}

static void
regescrt(void)
{
	assert_slice(contact(0).uri.headers, "Route=%3Csip:sip.example.com%3E");
}

static void
unreason(void)
{
	assert_int_equal(m.status, 200);
	assert_true(m.reason.n > 60);
}

static void
noreason(void)
{
	assert_int_equal(m.status, 100);
	assert_int_equal(m.reason.n, 0);
}

static void
inv2543(void)
{
	assert_int_equal(m.from_tag.n, 0);
	assert_int_equal(m.via.branch.n, 0);
	assert_false(m.has_max_forwards);
	assert_int_equal(m.body.n, 105);
}

static void
ipv6_good(void)
{
	assert_slice(m.uri.host, "2001:db8::10");
	assert_int_equal(m.uri.port, 0);
	assert_slice(m.via.host, "2001:db8::9:1");
	assert_slice(contact(0).uri.host, "2001:db8::1");
}

static void
port_ambiguous(void)
{
	assert_slice(m.uri.host, "2001:db8::10:5070");
	assert_int_equal(m.uri.port, 0);
}

static void
port_unambiguous(void)
{
	assert_slice(m.uri.host, "2001:db8::10");
	assert_int_equal(m.uri.port, 5070);
}

static void
received(void)
{
	struct hf_addr a, want;

	assert_true(sip_host_addr(m.via.received, &a));
	assert_true(hf_addr_parse_ip(S("2001:db8::9:255"), &want));
	assert_true(hf_addr_same_host(&a, &want));
}

static void
colons(void)
{
	struct hf_addr a, want;

	assert_true(sip_host_addr(m.uri.host, &a));
	assert_true(hf_addr_parse_ip(S("2001:db8::192.0.2.1"), &want));
	assert_true(hf_addr_same_host(&a, &want));
}

static void
mult_ip_in_header(void)
{
	struct sip_via via;

	assert_int_equal(m.via.port, 6050);
	assert_true(sip_parse_via(sip_find(&m, SIP_H_VIA, 2)->value, &via));
	assert_slice(via.host, "2001:db8::9:255");
	assert_slice(via.received, "192.0.2.200");
}

static void
mult_ip_in_sdp(void)
{
	struct sdp sdp;
	struct hf_addr want;
	const char *why;

	assert_true(sdp_parse(m.body, &sdp, &why));
	assert_true(hf_addr_parse_ip(S("192.0.2.1"), &want));
	assert_true(hf_addr_same_host(&sdp.stream[0].rtp, &want));
	assert_true(hf_addr_parse_ip(S("2001:db8::1"), &want));
	assert_true(hf_addr_same_host(&sdp.stream[1].rtp, &want));
}

static void
mapped(void)
{
	struct hf_addr a, want;

	assert_true(sip_host_addr(m.via.host, &a));
	assert_int_equal(m.via.port, 19823);
	assert_true(hf_addr_parse_ip(S("192.0.2.10"), &want) &&
		    hf_addr_same_host(&a, &want));
}

/* ---- the table ----------------------------------------------------------- */

static const struct row {
	const char *file;
	uint16_t want; /* ACCEPT, DROP or the status of the answer */
	void (*inside)(void);
	bool recount; /* its Content-Length is wrong in the RFC's own text */
} rows[] = {
	/* 3.1.1 valid */
	{ "rfc4475/wsinv.dat", ACCEPT, wsinv, false },
	{ "rfc4475/intmeth.dat", 501, intmeth, false },
	{ "rfc4475/esc01.dat", ACCEPT, esc01, false },
	{ "rfc4475/escnull.dat", ACCEPT, escnull, false },
	{ "rfc4475/esc02.dat", 501, esc02, false },
	{ "rfc4475/lwsdisp.dat", ACCEPT, NULL, false },
	{ "rfc4475/longreq.dat", ACCEPT, longreq, false },
	{ "rfc4475/dblreq.dat", ACCEPT, dblreq, false },
	{ "rfc4475/semiuri.dat", ACCEPT, semiuri, false },
	{ "rfc4475/transports.dat", ACCEPT, transports, false },
	/* valid, but we take no MESSAGE: 405 */
	{ "rfc4475/mpart01.dat", 405, mpart01, false },
	{ "rfc4475/unreason.dat", ACCEPT, unreason, false },
	{ "rfc4475/noreason.dat", ACCEPT, noreason, false },
	/* 3.1.2 invalid; choices: strict where 400 is one of them */
	{ "rfc4475/badinv01.dat", 400, NULL, false },
	{ "rfc4475/clerr.dat", 400, NULL, false },
	{ "rfc4475/ncl.dat", 400, NULL, false },
	{ "rfc4475/scalar02.dat", 400, NULL, false },
	{ "rfc4475/scalarlg.dat", DROP, NULL, false },
	{ "rfc4475/quotbal.dat", 400, NULL, false },
	{ "rfc4475/ltgtruri.dat", 400, NULL, false },
	{ "rfc4475/lwsruri.dat", 400, NULL, false },
	{ "rfc4475/lwsstart.dat", 400, NULL, false },
	{ "rfc4475/trws.dat", 400, NULL, false },
	{ "rfc4475/escruri.dat", 400, NULL, false },
	/* "may ignore the Date and process the message" */
	{ "rfc4475/baddate.dat", ACCEPT, NULL, false },
	{ "rfc4475/regbadct.dat", 400, NULL, false },
	{ "rfc4475/badaspec.dat", 400, NULL, false },
	{ "rfc4475/baddn.dat", 400, NULL, false },
	{ "rfc4475/badvers.dat", 505, NULL, false },
	{ "rfc4475/mismatch01.dat", 400, NULL, false },
	/* 400 or 501 */
	{ "rfc4475/mismatch02.dat", 400, NULL, false },
	{ "rfc4475/bigcode.dat", DROP, NULL, false },
	/* 3.2: falls back to RFC 2543's way of matching */
	{ "rfc4475/badbranch.dat", ACCEPT, NULL, false },
	/* 3.3 */
	{ "rfc4475/insuf.dat", 400, NULL, false },
	{ "rfc4475/unkscm.dat", 416, NULL, false },
	{ "rfc4475/novelsc.dat", 416, NULL, false },
	/* 3.3.4: a registrar may refuse an AOR that is no SIP URI */
	{ "rfc4475/unksm2.dat", 400, NULL, false },
	{ "rfc4475/bext01.dat", 420, NULL, false },
	{ "rfc4475/invut.dat", 415, NULL, false },
	{ "rfc4475/regaut01.dat", 401, NULL, false },
	{ "rfc4475/multi01.dat", 400, NULL, false },
	{ "rfc4475/mcl01.dat", 400, NULL, false },
	{ "rfc4475/bcast.dat", DROP, NULL, false },
	{ "rfc4475/zeromf.dat", ACCEPT, NULL, false },
	{ "rfc4475/cparam01.dat", ACCEPT, cparam01, false },
	{ "rfc4475/cparam02.dat", ACCEPT, cparam02, false },
	{ "rfc4475/regescrt.dat", ACCEPT, regescrt, false },
	{ "rfc4475/sdp01.dat", 406, NULL, false },
	/* 3.4 */
	{ "rfc4475/inv2543.dat", ACCEPT, inv2543, false },
	/* RFC 5118 4.1 to 4.10; the offers with G.726 alone are 488 */
	{ "rfc5118/ipv6-good", ACCEPT, ipv6_good, false },
	{ "rfc5118/ipv6-bad", 400, NULL, false },
	{ "rfc5118/port-ambiguous", ACCEPT, port_ambiguous, false },
	{ "rfc5118/port-unambiguous", ACCEPT, port_unambiguous, false },
	{ "rfc5118/via-received-param-with-delim", ACCEPT, received, false },
	{ "rfc5118/via-received-param-no-delim", ACCEPT, received, false },
	{ "rfc5118/ipv6-in-sdp", 488, NULL, true },
	{ "rfc5118/mult-ip-in-header", ACCEPT, mult_ip_in_header, false },
	{ "rfc5118/mult-ip-in-sdp", ACCEPT, mult_ip_in_sdp, false },
	{ "rfc5118/ipv4-mapped-ipv6", 488, mapped, false },
	{ "rfc5118/ipv6-bug-abnf-3-colons", ACCEPT, colons, false },
	{ "rfc5118/ipv6-correct-abnf-2-colons", ACCEPT, colons, false },
};

/* ---- a UAS without a memory (RFC 3261 8.2) --------------------------------
 */

static bool
takes(enum sip_method method)
{
	struct hf_slice list = S(SIP_ALLOW), item;

	while (sip_list_next(&list, &item))
		if (hf_slice_eq(item, hf_slice_of(sip_method_name(method))))
			return true;
	return false;
}

static uint16_t
answer_offer(void)
{
	static struct sdp_state state;
	struct sdp_ours ours = { .ptime_ms = 20 };
	struct hf_addr source = { .family = 0 };
	struct sip_media media;
	struct hf_slice body;
	struct sdp sdp;
	uint16_t status;
	const char *why;
	char room[SDP_ROOM];
	struct hf_buf b = hf_buf_on(room, sizeof(room));

	if (!sdp_is_accepted(&m))
		return 406;
	if (!sdp_find(&m, &body, &status))
		return status;
	if (!sdp_parse(body, &sdp, &why))
		return 400;
	memset(&state, 0, sizeof(state));
	assert_true(hf_addr_parse(sdp.stream[0].rtp.family == 6
				      ? S("[2001:db8::99]:20000")
				      : S("192.0.2.99:20000"),
	    &ours.rtp));
	return sdp_answer(&b, &state, &sdp, &ours, &source, &media);
}

static uint16_t
answer(void)
{
	static struct sip_digest digest = { .realm = "holdfast" };
	struct sip_credentials c;
	char room[256];
	struct hf_buf b = hf_buf_on(room, sizeof(room));

	if (m.method == SIP_OTHER)
		return 501;
	if (!takes(m.method))
		return 405;
	if (sip_unknown_required(&m, SIP_H_REQUIRE, S(""), &b)) {
		assert_slice(hf_buf_taken(&b),
		    "nothingSupportsThis, nothingSupportsThisEither");
		return 420;
	}
	if (m.method == SIP_REGISTER) {
		if (m.to.uri.host.n == 0)
			return 400;
		if (sip_find(&m, SIP_H_AUTHORIZATION, 0) != NULL &&
		    sip_digest_find(&digest, &m, SIP_H_AUTHORIZATION, &c) !=
			SIP_AUTH_GOOD)
			return 401;
	}
	return m.method == SIP_INVITE ? answer_offer() : ACCEPT;
}

/* ---- the messages ---------------------------------------------------------
 */

static void
put_with_crlf(const char *raw, size_t n)
{
	text_n = 0;
	for (size_t i = 0; i < n; i++) {
		if (raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r'))
			text[text_n++] = '\r';
		text[text_n++] = raw[i];
	}
	/* Some copies have lost their empty line. */
	if (memmem(text, text_n, "\r\n\r\n", 4) == NULL) {
		memcpy(text + text_n, "\r\n", 2);
		text_n += 2;
	}
}

static void
load(const struct row *row)
{
	char path[512], raw[FILE_MAX];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/sip/%s", corpora, row->file);
	f = fopen(path, "r");
	if (f == NULL)
		fail_msg("cannot open %s", path);
	n = fread(raw, 1, sizeof(raw), f);
	fclose(f);
	/* Those of RFC 4475 are byte for byte as they should be. */
	if (strncmp(row->file, "rfc4475", 7) == 0 &&
	    memmem(raw, n, "\r\n\r\n", 4) != NULL) {
		memcpy(text, raw, n);
		text_n = n;
	} else {
		put_with_crlf(raw, n);
	}
	if (row->recount) {
		char *at = memmem(text, text_n, "Content-Length: ", 16);
		char *body = memmem(text, text_n, "\r\n\r\n", 4);
		char digits[8];

		assert_non_null(at);
		assert_non_null(body);
		snprintf(digits, sizeof(digits), "%03zu",
		    (size_t)(text + text_n - (body + 4)));
		memcpy(at + 16, digits, 3);
	}
}

static uint16_t
outcome(void)
{
	struct sip_verdict v = sip_parse((struct hf_slice){ text, text_n }, &m);

	switch (v.parsed) {
	case SIP_DROP:
		return DROP;
	case SIP_BAD:
		assert_non_null(v.why);
		return v.status;
	case SIP_GOOD:
		break;
	}
	return m.request ? answer() : ACCEPT;
}

static void
every_message_gets_what_its_section_asks_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		uint16_t got;

		load(&rows[i]);
		got = outcome();
		if (got != rows[i].want)
			fail_msg("%s: got %u, want %u", rows[i].file, got,
			    rows[i].want);
		if (rows[i].inside != NULL)
			rows[i].inside();
	}
}

static void
no_message_is_left_out(void **state)
{
	static const char *const folders[] = { "rfc4475", "rfc5118" };

	(void)state;
	for (size_t i = 0; i < HF_LEN(folders); i++) {
		char path[512];
		struct dirent *e;
		DIR *d;

		snprintf(path, sizeof(path), "%s/sip/%s", corpora, folders[i]);
		d = opendir(path);
		assert_non_null(d);
		while ((e = readdir(d)) != NULL) {
			bool found = e->d_name[0] == '.' ||
				     strcmp(e->d_name, "test.dat") == 0;

			snprintf(
			    path, sizeof(path), "%s/%s", folders[i], e->d_name);
			for (size_t k = 0; k < HF_LEN(rows) && !found; k++)
				found = strcmp(rows[k].file, path) == 0;
			if (!found)
				fail_msg("%s has no row", path);
		}
		closedir(d);
	}
}

/* What can be answered gets an answer that its sender can read. */
static void
every_answer_is_itself_a_good_message(void **state)
{
	static struct sip_msg back;
	struct hf_addr source;

	(void)state;
	assert_true(hf_addr_parse(S("198.51.100.1:6060"), &source));
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		char room[FILE_MAX];
		struct hf_buf b = hf_buf_on(room, sizeof(room));
		uint16_t got;

		load(&rows[i]);
		got = outcome();
		if (got == DROP || !m.request)
			continue;
		sip_put_reply(&b, &m, got == ACCEPT ? 200 : got,
		    (struct hf_slice){ NULL, 0 }, S("ourtag"), &source);
		sip_put_body(&b, NULL, (struct hf_slice){ NULL, 0 });
		assert_false(b.overflow);
		/* We never get answers with several Vias; look past that. */
		if (sip_find(&m, SIP_H_VIA, 1) != NULL)
			continue;
		if (sip_parse(hf_buf_taken(&b), &back).parsed != SIP_GOOD) {
			/* Only when what it must copy was missing or broken. */
			assert_int_equal(got, 400);
			continue;
		}
		assert_int_equal(back.status, got == ACCEPT ? 200 : got);
		assert_int_equal(back.cseq, m.cseq);
		assert_true(hf_slice_eq(back.call_id, m.call_id));
	}
}

/* No prefix of any message makes the framer or the parser lose its way. */
static void
a_message_that_ends_early_is_never_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		uint32_t skip;
		int whole;

		load(&rows[i]);
		whole = sip_frame((struct hf_slice){ text, text_n }, &skip);
		if (whole <= 0)
			continue;
		assert_true((size_t)whole + skip <= text_n);
		for (size_t n = 0; n < (size_t)whole + skip; n++)
			assert_int_equal(
			    sip_frame((struct hf_slice){ text, n }, &skip), 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_message_gets_what_its_section_asks_for),
		cmocka_unit_test(no_message_is_left_out),
		cmocka_unit_test(every_answer_is_itself_a_good_message),
		cmocka_unit_test(a_message_that_ends_early_is_never_taken),
	};
	char path[512];
	FILE *f;

	corpora = getenv("HF_CORPORA");
	snprintf(path, sizeof(path), "%s/sip/%s",
	    corpora != NULL ? corpora : "", rows[0].file);
	f = corpora != NULL ? fopen(path, "r") : NULL;
	if (f == NULL) {
		printf("skipped: HF_CORPORA (%s) has no sip/rfc4475\n",
		    corpora != NULL ? corpora : "not set");
		return SKIP_CODE;
	}
	fclose(f);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
