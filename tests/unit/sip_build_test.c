/* io/sip/build: what we write can be read, and holds nobody else's lines. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/sip/build.h"

static char room[4096];
static struct hf_buf b;
static struct sip_msg m;

#define S(lit)  HF_SLICE(lit)
#define NOTHING ((struct hf_slice){ NULL, 0 })

static int
setup(void **state)
{
	(void)state;
	b = hf_buf_on(room, sizeof(room));
	return 0;
}

static void
assert_written(const char *want)
{
	if (!hf_slice_eq(hf_buf_taken(&b), hf_slice_of(want)))
		fail_msg("got\n%.*s\nwant\n%s", (int)b.n, b.p, want);
}

static struct hf_addr
at(const char *text)
{
	struct hf_addr a;

	assert_true(hf_addr_parse(hf_slice_of(text), &a));
	return a;
}

static void
parse(const char *text)
{
	assert_int_equal(sip_parse(hf_slice_of(text), &m).parsed, SIP_GOOD);
}

static void
our_tag_is_read_behind_a_to_that_ends_in_the_air(void **state)
{
	static char answer[4096];
	struct hf_addr source = at("198.51.100.9:4321");

	(void)state;
	parse("OPTIONS sip:b@h SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bK1\r\n"
	      "f: <sip:a@h>;tag=1\r\nt: <sip:b@h>; \r\ni: c\r\n"
	      "CSeq: 7 OPTIONS\r\nl: 0\r\n\r\n");
	sip_put_reply(&b, &m, 200, NOTHING, S("ours"), &source);
	sip_put_body(&b, NULL, NOTHING);
	memcpy(answer, b.p, b.n);
	assert_int_equal(
	    sip_parse((struct hf_slice){ answer, b.n }, &m).parsed, SIP_GOOD);
	assert_true(hf_slice_eq(m.to_tag, S("ours")));
}

static void
a_response_takes_its_way_and_names_from_the_request(void **state)
{
	struct hf_addr source = at("198.51.100.9:4321");

	(void)state;
	parse("INVITE sip:b@h SIP/2.0\r\n"
	      "v: SIP/2.0/UDP 10.0.0.1:5060 ;rport;branch=z9hG4bK1;received=x,"
	      " SIP/2.0/TCP p;branch=z9hG4bK2\r\n"
	      "f: \"A\" <sip:a@h>;tag=1\r\nt: <sip:b@h>\r\ni: c@d\r\n"
	      "CSeq: 7\r\n INVITE\r\nl: 0\r\n\r\n");
	sip_put_reply(&b, &m, 486, NOTHING, S("xyz"), &source);
	sip_put_body(&b, NULL, NOTHING);
	assert_written("SIP/2.0 486 Busy Here\r\n"
		       "Via: SIP/2.0/UDP 10.0.0.1:5060;branch=z9hG4bK1;"
		       "received=198.51.100.9;rport=4321\r\n"
		       "Via: SIP/2.0/TCP p;branch=z9hG4bK2\r\n"
		       "From: \"A\" <sip:a@h>;tag=1\r\n"
		       "To: <sip:b@h>;tag=xyz\r\n"
		       "Call-ID: c@d\r\nCSeq: 7 INVITE\r\n"
		       "Content-Length: 0\r\n\r\n");
}

static void
a_tag_is_added_once_and_not_to_100(void **state)
{
	struct hf_addr source = at("192.0.2.1:5060");

	(void)state;
	parse("BYE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
	      "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\nCall-ID: c\r\n"
	      "CSeq: 7 BYE\r\n\r\n");
	sip_put_reply(&b, &m, 200, NOTHING, S("xyz"), &source);
	/* Nothing to tell him about his own address either. */
	assert_written("SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
		       "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=2\r\n"
		       "Call-ID: c\r\nCSeq: 7 BYE\r\n");
	setup(NULL);
	parse("INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
	      "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"
	      "CSeq: 7 INVITE\r\n\r\n");
	sip_put_reply(&b, &m, 100, NOTHING, S("xyz"), &source);
	assert_null(memmem(b.p, b.n, "xyz", 3));
}

static void
the_ack_of_a_refusal_goes_the_invites_way(void **state)
{
	static struct sip_msg refusal;

	(void)state;
	parse("INVITE sip:b@h;x=y SIP/2.0\r\n"
	      "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n"
	      "Route: <sip:p;lr>\r\nFrom: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"
	      "Call-ID: c\r\nCSeq: 7 INVITE\r\n\r\n");
	assert_int_equal(
	    sip_parse(S("SIP/2.0 404 Not Found\r\n"
			"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1\r\n"
			"From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=9\r\n"
			"Call-ID: c\r\nCSeq: 7 INVITE\r\n\r\n"),
		&refusal)
		.parsed,
	    SIP_GOOD);
	sip_put_ack(&b, &m, &refusal);
	assert_written(
	    "ACK sip:b@h;x=y SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n"
	    "Max-Forwards: 70\r\nRoute: <sip:p;lr>\r\n"
	    "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>;tag=9\r\n"
	    "Call-ID: c\r\nCSeq: 7 ACK\r\nContent-Length: 0\r\n\r\n");
	setup(NULL);
	sip_put_cancel(&b, &m, S("Reason: SIP;cause=200\r\n"));
	assert_written(
	    "CANCEL sip:b@h;x=y SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n"
	    "Max-Forwards: 70\r\nRoute: <sip:p;lr>\r\n"
	    "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\n"
	    "Call-ID: c\r\nCSeq: 7 CANCEL\r\nReason: SIP;cause=200\r\n"
	    "Content-Length: 0\r\n\r\n");
}

static void
our_own_headers_look_as_they_should(void **state)
{
	struct hf_addr four = at("192.0.2.1:5060"), six = at("[2001:db8::1]:6");

	(void)state;
	sip_put_request_line(&b, S("INVITE"), S("sip:b@h"));
	sip_put_via(&b, "TCP", &six, S("z9hG4bKx"));
	sip_put_name_addr(
	    &b, SIP_H_FROM, S("O \"B\" \\"), S("sip:a@h"), S("t"));
	sip_put_name_addr(&b, SIP_H_TO, NOTHING, S("sip:b@h"), NOTHING);
	sip_put_contact(&b, S("a b"), &four, NOTHING);
	sip_put_contact(&b, NOTHING, &six, S("tcp"));
	sip_put_reason(&b, "SIP", 486, S("busy"));
	sip_put_reason(&b, "Q.850", 16, NOTHING);
	sip_put_cseq(&b, 9, S("INVITE"));
	sip_put_body(&b, "text/plain", S("hello"));
	assert_written(
	    "INVITE sip:b@h SIP/2.0\r\n"
	    "Via: SIP/2.0/TCP [2001:db8::1]:6;branch=z9hG4bKx;rport\r\n"
	    "From: \"O \\\"B\\\" \\\\\" <sip:a@h>;tag=t\r\n"
	    "To: <sip:b@h>\r\n"
	    "Contact: <sip:a%20b@192.0.2.1:5060>\r\n"
	    "Contact: <sip:[2001:db8::1]:6;transport=tcp>\r\n"
	    "Reason: SIP;cause=486;text=\"busy\"\r\n"
	    "Reason: Q.850;cause=16\r\n"
	    "CSeq: 9 INVITE\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 5\r\n\r\nhello");
}

static void
nobody_puts_a_line_of_his_own_into_ours(void **state)
{
	struct hf_addr four = at("192.0.2.1:5060");
	static const char evil[] = "a\r\nEvil: 1\r\n\r\nx";

	(void)state;
	sip_put_request_line(&b, hf_slice_of(evil), hf_slice_of(evil));
	sip_put_status_line(&b, 400, hf_slice_of(evil));
	sip_put(&b, SIP_H_REASON, hf_slice_of(evil));
	sip_put_named(&b, hf_slice_of(evil), hf_slice_of(evil));
	sip_put_name_addr(&b, SIP_H_FROM, hf_slice_of(evil), hf_slice_of(evil),
	    hf_slice_of(evil));
	sip_put_contact(&b, hf_slice_of(evil), &four, hf_slice_of(evil));
	sip_put_reason(&b, "SIP", 200, hf_slice_of(evil));
	sip_put_cseq(&b, 1, hf_slice_of(evil));
	sip_put_via(&b, "UDP", &four, hf_slice_of(evil));
	assert_null(memmem(b.p, b.n, "\nEvil", 5));
	assert_null(memmem(b.p, b.n, "\r\n\r\n", 4));
}

static void
users_survive_being_escaped(void **state)
{
	static const char user[] = "o'b <@;:?/%\x01\xc3\xa9+#*";
	struct sip_uri uri;
	struct hf_addr four = at("192.0.2.1:5060");
	char back[64];

	(void)state;
	sip_put_uri(&b, hf_slice_of(user), &four);
	assert_true(sip_parse_uri(hf_buf_taken(&b), &uri));
	assert_true(sip_unescape(uri.user, back, sizeof(back)));
	assert_string_equal(back, user);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    our_tag_is_read_behind_a_to_that_ends_in_the_air, setup),
		cmocka_unit_test_setup(
		    a_response_takes_its_way_and_names_from_the_request, setup),
		cmocka_unit_test_setup(
		    a_tag_is_added_once_and_not_to_100, setup),
		cmocka_unit_test_setup(
		    the_ack_of_a_refusal_goes_the_invites_way, setup),
		cmocka_unit_test_setup(
		    our_own_headers_look_as_they_should, setup),
		cmocka_unit_test_setup(
		    nobody_puts_a_line_of_his_own_into_ours, setup),
		cmocka_unit_test_setup(users_survive_being_escaped, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
