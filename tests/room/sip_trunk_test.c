/*
 * hf-sip, whose trunk asks who we are: the test is the carrier, with the
 * server's side of digest, and hf-call.
 */

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sip/build.h"
#include "io/sip/digest.h"
#include "io/tls/digest.h"
#include "tests/room/sip_room.h"

enum { NONCES = 64 };
#define SECRET "open sesame"
#define ANSWER                                                                 \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"     \
	"t=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"

static int carrier = -1;
static uint64_t leg = OURS;
static struct sip_digest digest;
static struct sip_nonce_use nonces[NONCES];
static struct hf_time now = { 1000000 };

/* What the carrier heard last. */
static struct {
	char bytes[8192];
	struct sip_msg m;
	struct sockaddr_storage from;
	socklen_t from_n;
} heard;

static int
setup(void **state)
{
	static const struct sip_hashes hashes = { tls_md5, tls_sha256, NULL };
	static const struct hf_hash_key key = { { 1, 2 } };
	struct conf_trunk *t = &conf.trunk[0];
	char at[HF_ADDR_TEXT_MAX];

	sip_room_begin();
	conf.trunks = 1;
	t->used = 1;
	strcpy(t->name, "carrier");
	strcpy(t->user, "holdfast-lyon");
	carrier = room_bind(SOCK_DGRAM, room_ip(2), &t->to.addr);
	hf_addr_text(&t->to.addr, at);
	snprintf(t->to.uri, sizeof(t->to.uri), "sip:%s", at);
	strcpy(secrets.trunk[0], SECRET);
	sip_digest_init(&digest, &hashes, &key, "carrier.example.net",
	    hf_ms(60000), nonces, NONCES);
	sip_room_start();
	return 0;
}

static int
teardown(void **state)
{
	close(carrier);
	return sip_room_over(state);
}

/* ---- the carrier --------------------------------------------------------- */

/* The next request of this method; what was said before is passed over. */
static void
hears(enum sip_method method, uint32_t cseq)
{
	struct sip_verdict v;
	ssize_t n;

	do {
		heard.from_n = sizeof(heard.from);
		n = recvfrom(carrier, heard.bytes, sizeof(heard.bytes), 0,
		    (struct sockaddr *)&heard.from, &heard.from_n);
		if (n < 0)
			fail_msg("no %s", sip_method_name(method));
		v = sip_parse(
		    (struct hf_slice){ heard.bytes, (size_t)n }, &heard.m);
		assert_int_equal(v.parsed, SIP_GOOD);
	} while (heard.m.method != method || heard.m.cseq < cseq);
}

static void
says(uint16_t status, struct hf_slice lines, const char *body)
{
	char text[4096];
	struct hf_buf b = hf_buf_on(text, sizeof(text));
	struct hf_addr from, here = conf.trunk[0].to.addr;

	assert_true(
	    hf_addr_from_sockaddr((struct sockaddr *)&heard.from, &from));
	sip_put_reply(&b, &heard.m, status, HF_SLICE(""),
	    HF_SLICE("carriers-tag"), &from);
	hf_buf_slice(&b, lines);
	sip_put_contact(&b, HF_SLICE(""), &here, HF_SLICE(""));
	sip_put_body(&b, "application/sdp", hf_slice_of(body));
	assert_false(b.overflow);
	assert_true(sendto(carrier, b.p, b.n, 0, (struct sockaddr *)&heard.from,
			heard.from_n) > 0);
}

static void
asks(uint16_t status, bool stale)
{
	char text[SIP_DIGEST_TEXT_MAX];
	struct hf_buf b = hf_buf_on(text, sizeof(text));

	sip_digest_challenge(&digest, &b, status, stale, now);
	says(status, hf_buf_taken(&b), "");
}

/* Do the credentials in what was heard prove who it was? */
static bool
is_proven(enum sip_header h)
{
	struct sip_credentials c;

	return sip_digest_find(&digest, &heard.m, h, &c) == SIP_AUTH_GOOD &&
	       c.sha256 && hf_slice_eq(c.username, HF_SLICE("holdfast-lyon")) &&
	       hf_slice_eq(c.uri, heard.m.uri_text) &&
	       sip_digest_verify(&digest, &c, heard.m.method_text, true,
		   HF_SLICE(SECRET), now) == SIP_AUTH_GOOD;
}

static void
call(void)
{
	struct msg o = { .type = MSG_RING_LEG };

	o.ring_leg.leg = ++leg;
	o.ring_leg.kind = TO_NUMBER;
	o.ring_leg.port = PORT;
	o.ring_leg.hops = 60;
	o.ring_leg.give_up = hf_ms(10000);
	strcpy(o.ring_leg.number, "+33412345678");
	strcpy(o.ring_leg.from, "+33612345678");
	room_tell(ROOM_CALL, &o);
	hears(SIP_INVITE, 0);
	assert_null(sip_find(&heard.m, SIP_H_AUTHORIZATION, 0));
	assert_null(sip_find(&heard.m, SIP_H_PROXY_AUTHORIZATION, 0));
}

/* ---- the promises -------------------------------------------------------- */

static void
a_challenged_call_is_made_once_more_and_its_bye_too(void **state)
{
	char call_id[256], tag[64], branch[128];
	uint32_t cseq;
	struct msg m;

	call();
	assert_true(hf_slice_copy(heard.m.call_id, call_id, sizeof(call_id)));
	assert_true(hf_slice_copy(heard.m.from_tag, tag, sizeof(tag)));
	assert_true(hf_slice_copy(heard.m.via.branch, branch, sizeof(branch)));
	cseq = heard.m.cseq;
	asks(407, false);
	hears(SIP_ACK, cseq);
	assert_int_equal(heard.m.cseq, cseq);
	hears(SIP_INVITE, cseq + 1);
	assert_int_equal(heard.m.cseq, cseq + 1);
	assert_true(hf_slice_eq(heard.m.call_id, hf_slice_of(call_id)));
	assert_true(hf_slice_eq(heard.m.from_tag, hf_slice_of(tag)));
	assert_int_equal(heard.m.to_tag.n, 0);
	assert_false(hf_slice_eq(heard.m.via.branch, hf_slice_of(branch)));
	assert_true(heard.m.body.n > 0);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	says(200, HF_SLICE(""), ANSWER);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	hears(SIP_ACK, cseq + 1);
	assert_int_equal(heard.m.cseq, cseq + 1);
	/* RFC 3261 13.2.2.4: the same credentials as the INVITE. */
	assert_non_null(sip_find(&heard.m, SIP_H_PROXY_AUTHORIZATION, 0));

	drop(leg);
	hears(SIP_BYE, 0);
	cseq = heard.m.cseq;
	asks(401, false);
	hears(SIP_BYE, cseq + 1);
	assert_true(is_proven(SIP_H_AUTHORIZATION));
	says(200, HF_SLICE(""), "");
}

static void
an_old_nonce_is_no_refusal_and_a_second_one_is(void **state)
{
	uint32_t cseq;
	struct msg m;

	call();
	cseq = heard.m.cseq;
	asks(401, false);
	hears(SIP_INVITE, cseq + 1);
	asks(401, true);
	hears(SIP_INVITE, cseq + 2);
	assert_true(is_proven(SIP_H_AUTHORIZATION));
	asks(401, true);
	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_int_equal(m.leg_refused.code, 401);
}

static void
a_wrong_password_is_not_tried_twice(void **state)
{
	uint32_t cseq;
	struct msg m;

	call();
	cseq = heard.m.cseq;
	asks(401, false);
	hears(SIP_INVITE, cseq + 1);
	asks(401, false);
	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_int_equal(m.leg_refused.leg, leg);
	assert_int_equal(m.leg_refused.code, 401);
}

static void
a_call_that_was_challenged_can_be_cancelled(void **state)
{
	uint32_t cseq;

	call();
	cseq = heard.m.cseq;
	asks(407, false);
	hears(SIP_INVITE, cseq + 1);
	says(100, HF_SLICE(""), "");
	drop(leg);
	hears(SIP_CANCEL, cseq + 1);
	/* RFC 3261 9.1: the number of the INVITE that it cancels. */
	assert_int_equal(heard.m.cseq, cseq + 1);
}

/* hfctl trace shows the call, and no response to a challenge. */
static void
the_trace_keeps_the_response_to_itself(void **state)
{
	uint32_t cseq;
	struct sip_credentials c;
	char response[128], hex[2 * sizeof(response)];
	struct hf_buf b = hf_buf_on(hex, sizeof(hex));
	const char *rows;

	call();
	cseq = heard.m.cseq;
	asks(407, false);
	hears(SIP_INVITE, cseq + 1);
	assert_int_equal(
	    sip_digest_find(&digest, &heard.m, SIP_H_PROXY_AUTHORIZATION, &c),
	    SIP_AUTH_GOOD);
	assert_true(hf_slice_copy(c.response, response, sizeof(response)));
	hf_buf_hex(&b, response, 32);
	rows = trace(leg);
	assert_true(room_rows() > 2);
	assert_null(strstr(rows, response));
	assert_null(memmem(rows, strlen(rows), b.p, b.n));
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_challenged_call_is_made_once_more_and_its_bye_too),
		T(an_old_nonce_is_no_refusal_and_a_second_one_is),
		T(a_wrong_password_is_not_tried_twice),
		T(a_call_that_was_challenged_can_be_cancelled),
		T(the_trace_keeps_the_response_to_itself),
	};
#undef T

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip trunk", tests, NULL, NULL);
}
