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
#include "proc/snapshot.h"
#include "tests/room/sip_room.h"

enum { NONCES = 64 };
#define SECRET "open sesame"
#define ANSWER                                                                 \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"     \
	"t=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"

static int carrier = -1;
static uint64_t leg = OURS;
/* The carrier's own realm, and that of who answers behind it. */
static struct sip_digest digest, behind;
static struct sip_nonce_use nonces[NONCES], nonces_behind[NONCES];
static struct hf_time now = { 1000000 };

/* Where the carrier says that it is to be found. */
static struct hf_addr contact;

/* What the carrier heard last. */
static struct {
	char bytes[8192];
	struct sip_msg m;
	struct sockaddr_storage from;
	socklen_t from_n;
} heard;

/* The carrier that is spoken to over TCP. */
static struct {
	int listener, fd; /* -1: there is none */
	char bytes[16384];
	size_t n;
} wire = { .listener = -1, .fd = -1 };

static void
prepare(void)
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
	t->peers = 1;
	assert_true(hf_net_parse(hf_slice_of(strtok(at, ":")), &t->peer[0]));
	contact = t->to.addr;
	strcpy(secrets.trunk[0], SECRET);
	sip_digest_init(&digest, &hashes, &key, "carrier.example.net",
	    hf_ms(60000), nonces, NONCES);
	sip_digest_init(&behind, &hashes, &key, "callee.example.org",
	    hf_ms(60000), nonces_behind, NONCES);
}

static int
setup(void **state)
{
	prepare();
	sip_room_start();
	return 0;
}

static int
setup_elsewhere(void **state)
{
	prepare();
	strcpy(conf.trunk[0].realm, "elsewhere.example.net");
	sip_room_start();
	return 0;
}

static int
setup_wired(void **state)
{
	struct conf_target *to = &conf.trunk[0].to;
	char at[HF_ADDR_TEXT_MAX];

	prepare();
	wire.listener = room_bind(SOCK_STREAM, room_ip(2), &to->addr);
	contact = to->addr;
	to->transport = CONF_TCP;
	hf_addr_text(&to->addr, at);
	snprintf(to->uri, sizeof(to->uri), "sip:%s;transport=tcp", at);
	sip_room_start();
	return 0;
}

static int
teardown(void **state)
{
	close(carrier);
	if (wire.listener >= 0)
		close(wire.listener);
	if (wire.fd >= 0)
		close(wire.fd);
	wire.listener = wire.fd = -1;
	wire.n = 0;
	return sip_room_over(state);
}

/* ---- the carrier --------------------------------------------------------- */

static ssize_t
next_datagram(void)
{
	heard.from_n = sizeof(heard.from);
	return recvfrom(carrier, heard.bytes, sizeof(heard.bytes), 0,
	    (struct sockaddr *)&heard.from, &heard.from_n);
}

/* The next message of the stream. */
static ssize_t
next_on_wire(void)
{
	struct timeval soon = { .tv_sec = SOON / 1000 };
	uint32_t skip;
	ssize_t n;

	if (wire.fd < 0) {
		heard.from_n = sizeof(heard.from);
		wire.fd = accept(wire.listener, (struct sockaddr *)&heard.from,
		    &heard.from_n);
		assert_true(wire.fd >= 0);
		assert_int_equal(setsockopt(wire.fd, SOL_SOCKET, SO_RCVTIMEO,
				     &soon, sizeof(soon)),
		    0);
	}
	while ((n = sip_frame(
		    (struct hf_slice){ wire.bytes, wire.n }, &skip)) == 0) {
		n = recv(wire.fd, wire.bytes + wire.n,
		    sizeof(wire.bytes) - wire.n, 0);
		if (n <= 0)
			return -1;
		wire.n += (size_t)n;
	}
	assert_true(n > 0 && (size_t)n <= sizeof(heard.bytes));
	memcpy(heard.bytes, wire.bytes + skip, (size_t)n);
	wire.n -= skip + (size_t)n;
	memmove(wire.bytes, wire.bytes + skip + n, wire.n);
	return n;
}

/* The next request of this method; what was said before is passed over. */
static void
hears(enum sip_method method, uint32_t cseq)
{
	struct sip_verdict v;
	ssize_t n;

	do {
		n = wire.listener >= 0 ? next_on_wire() : next_datagram();
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
	struct hf_addr from;

	assert_true(
	    hf_addr_from_sockaddr((struct sockaddr *)&heard.from, &from));
	sip_put_reply(&b, &heard.m, status, HF_SLICE(""),
	    HF_SLICE("carriers-tag"), &from);
	hf_buf_slice(&b, lines);
	sip_put_contact(&b, HF_SLICE(""), &contact, HF_SLICE(""));
	sip_put_body(&b, "application/sdp", hf_slice_of(body));
	assert_false(b.overflow);
	if (wire.fd >= 0)
		assert_true(send(wire.fd, b.p, b.n, MSG_NOSIGNAL) > 0);
	else
		assert_true(
		    sendto(carrier, b.p, b.n, 0, (struct sockaddr *)&heard.from,
			heard.from_n) > 0);
}

static void
asks_in(struct sip_digest *d, uint16_t status, bool stale)
{
	char text[SIP_DIGEST_TEXT_MAX];
	struct hf_buf b = hf_buf_on(text, sizeof(text));

	sip_digest_challenge(d, &b, status, stale, now);
	says(status, hf_buf_taken(&b), "");
}

static void
asks(uint16_t status, bool stale)
{
	asks_in(&digest, status, stale);
}

/* Do the credentials in what was heard prove who it was?  Twice the same
 * response does not. */
static bool
is_proven_in(struct sip_digest *d, enum sip_header h, const char *secret)
{
	struct sip_credentials c;

	return sip_digest_find(d, &heard.m, h, &c) == SIP_AUTH_GOOD &&
	       c.sha256 && hf_slice_eq(c.username, HF_SLICE("holdfast-lyon")) &&
	       hf_slice_eq(c.uri, heard.m.uri_text) &&
	       sip_digest_verify(d, &c, heard.m.method_text, true,
		   hf_slice_of(secret), now) == SIP_AUTH_GOOD;
}

static bool
is_proven(enum sip_header h)
{
	return is_proven_in(&digest, h, SECRET);
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

/* A call that the carrier answered without a question. */
static void
is_up(void)
{
	struct msg m;

	call();
	says(200, HF_SLICE(""), ANSWER);
	assert_true(room_hears(ROOM_CALL, MSG_LEG_ANSWERED, &m, NULL, SOON));
	hears(SIP_ACK, 0);
}

static void
wants(enum direction d)
{
	struct msg o = { .type = MSG_HOLD_LEG };

	o.hold_leg.leg = leg;
	o.hold_leg.direction = d;
	room_tell(ROOM_CALL, &o);
}

/* The next request is asked who it is and comes once more, the same one.
 * Returns its CSeq. */
static uint32_t
is_asked_again(enum sip_method method)
{
	char body[2048], type[128] = "", call_id[256], tag[64], to_tag[64];
	const struct sip_header_line *h;
	uint32_t cseq;

	hears(method, 0);
	cseq = heard.m.cseq;
	h = sip_find(&heard.m, SIP_H_CONTENT_TYPE, 0);
	if (h != NULL)
		assert_true(hf_slice_copy(h->value, type, sizeof(type)));
	assert_true(hf_slice_copy(heard.m.body, body, sizeof(body)));
	assert_true(hf_slice_copy(heard.m.call_id, call_id, sizeof(call_id)));
	assert_true(hf_slice_copy(heard.m.from_tag, tag, sizeof(tag)));
	assert_true(hf_slice_copy(heard.m.to_tag, to_tag, sizeof(to_tag)));
	asks(407, false);
	hears(method, cseq + 1);
	assert_int_equal(heard.m.cseq, cseq + 1);
	assert_true(hf_slice_eq(heard.m.body, hf_slice_of(body)));
	assert_true(hf_slice_eq(heard.m.call_id, hf_slice_of(call_id)));
	assert_true(hf_slice_eq(heard.m.from_tag, hf_slice_of(tag)));
	assert_true(hf_slice_eq(heard.m.to_tag, hf_slice_of(to_tag)));
	h = sip_find(&heard.m, SIP_H_CONTENT_TYPE, 0);
	assert_true(hf_slice_eq(
	    h != NULL ? h->value : HF_SLICE(""), hf_slice_of(type)));
	assert_null(sip_find(&heard.m, SIP_H_CONTENT_TYPE, 1));
	return cseq + 1;
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

static void
what_is_asked_in_a_call_is_asked_once_more_too(void **state)
{
	struct msg o = { .type = MSG_PASS_INFO };
	uint32_t cseq;

	(void)state;
	is_up();
	wants(DIRECTION_SENDONLY);
	cseq = is_asked_again(SIP_INVITE);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	says(200, HF_SLICE(""), ANSWER);
	hears(SIP_ACK, cseq);
	assert_int_equal(heard.m.cseq, cseq);
	assert_non_null(sip_find(&heard.m, SIP_H_PROXY_AUTHORIZATION, 0));

	o.pass_info.leg = leg;
	strcpy(o.pass_info.type, "application/dtmf-relay");
	o.pass_info.body.n = 10;
	memcpy(o.pass_info.body.p, "Signal=5\r\n", 10);
	room_tell(ROOM_CALL, &o);
	assert_int_equal(is_asked_again(SIP_INFO), cseq + 2);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	says(200, HF_SLICE(""), "");

	o = (struct msg){ .type = MSG_PROBE_LEG };
	o.probe_leg.leg = leg;
	room_tell(ROOM_CALL, &o);
	(void)is_asked_again(SIP_OPTIONS);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	says(200, HF_SLICE(""), "");

	o = (struct msg){ .type = MSG_REPORT_REFER };
	o.report_refer.leg = leg;
	o.report_refer.code = 180;
	room_tell(ROOM_CALL, &o);
	(void)is_asked_again(SIP_NOTIFY);
	assert_non_null(sip_find(&heard.m, SIP_H_EVENT, 0));
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	says(200, HF_SLICE(""), "");

	/* One that nobody asks about has an ACK that tells nothing. */
	wants(DIRECTION_SENDRECV);
	hears(SIP_INVITE, 0);
	says(200, HF_SLICE(""), ANSWER);
	hears(SIP_ACK, 0);
	assert_null(sip_find(&heard.m, SIP_H_PROXY_AUTHORIZATION, 0));
}

/* The carrier's proxy asks, then who is behind it: both are told, and what the
 * proxy hears is no replay. */
static void
two_who_ask_are_both_told(void **state)
{
	uint32_t cseq;
	struct msg m;

	(void)state;
	call();
	cseq = heard.m.cseq;
	asks(407, false);
	hears(SIP_INVITE, cseq + 1);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	asks_in(&behind, 401, false);
	hears(SIP_INVITE, cseq + 2);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	assert_true(is_proven_in(&behind, SIP_H_AUTHORIZATION, SECRET));
	/* One's nonce is too old by then, and so is the other's. */
	asks(407, true);
	hears(SIP_INVITE, cseq + 3);
	asks_in(&behind, 401, true);
	hears(SIP_INVITE, cseq + 4);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	assert_true(is_proven_in(&behind, SIP_H_AUTHORIZATION, SECRET));
	says(200, HF_SLICE(""), ANSWER);
	assert_true(room_hears(ROOM_CALL, MSG_LEG_ANSWERED, &m, NULL, SOON));
	hears(SIP_ACK, cseq + 4);
	assert_non_null(sip_find(&heard.m, SIP_H_PROXY_AUTHORIZATION, 0));
	assert_non_null(sip_find(&heard.m, SIP_H_AUTHORIZATION, 0));

	drop(leg);
	hears(SIP_BYE, 0);
	cseq = heard.m.cseq;
	asks(407, false);
	hears(SIP_BYE, cseq + 1);
	asks_in(&behind, 401, false);
	hears(SIP_BYE, cseq + 2);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	assert_true(is_proven_in(&behind, SIP_H_AUTHORIZATION, SECRET));
	says(200, HF_SLICE(""), "");
}

static void
realms_without_end_are_a_refusal(void **state)
{
	static const struct hf_hash_key key = { { 3, 4 } };
	char realm[32];
	uint32_t cseq;
	struct msg m;

	(void)state;
	call();
	cseq = heard.m.cseq;
	for (unsigned i = 0; i <= SIP_REALMS_MAX; i++) {
		snprintf(realm, sizeof(realm), "realm-%u", i);
		sip_digest_init(&behind, &digest.hash, &key, realm,
		    hf_ms(60000), nonces_behind, NONCES);
		asks_in(&behind, 401, false);
		if (i < SIP_REALMS_MAX)
			hears(SIP_INVITE, ++cseq);
	}
	assert_true(room_hears(ROOM_CALL, MSG_LEG_REFUSED, &m, NULL, SOON));
	assert_int_equal(m.leg_refused.code, 401);
}

/* Who we are is said in today's words, also at the end of an old call. */
static void
a_new_password_is_used_in_a_call_that_began_under_the_old_one(void **state)
{
	struct msg m = { .type = MSG_SECRETS };

	(void)state;
	call();
	asks(407, false);
	hears(SIP_INVITE, heard.m.cseq + 1);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	says(200, HF_SLICE(""), ANSWER);
	hears(SIP_ACK, 0);

	strcpy(secrets.trunk[0], "new moon");
	room_tell_fd(ROOM_KEEPER, &m,
	    snapshot_make("secrets", &secrets, sizeof(secrets)));
	/* What it says on another channel it may hear before: ask it. */
	(void)room_ask("sip", "", 0);
	wants(DIRECTION_SENDONLY);
	(void)is_asked_again(SIP_INVITE);
	assert_true(
	    is_proven_in(&digest, SIP_H_PROXY_AUTHORIZATION, "new moon"));
	says(200, HF_SLICE(""), ANSWER);
	drop(leg);
	(void)is_asked_again(SIP_BYE);
	assert_true(
	    is_proven_in(&digest, SIP_H_PROXY_AUTHORIZATION, "new moon"));
	says(200, HF_SLICE(""), "");
}

/* It does not like our password: nothing changes, and the call goes on. */
static void
a_refused_hold_leaves_the_call_as_it_was(void **state)
{
	struct msg m;

	(void)state;
	is_up();
	wants(DIRECTION_SENDONLY);
	(void)is_asked_again(SIP_INVITE);
	asks(407, false);
	hears(SIP_ACK, 0);
	assert_false(room_hears(ROOM_CALL, MSG_LEG_LEFT, &m, NULL, 200));
	drop(leg);
	hears(SIP_BYE, 0);
	says(200, HF_SLICE(""), "");
}

/* The carrier called, and wants to know who hangs up. */
static void
a_call_that_came_in_is_left_with_credentials_too(void **state)
{
	char at[HF_ADDR_TEXT_MAX], text[4096], tag[64] = "";
	char got[8192];
	struct sip_msg said;
	struct msg m;
	ssize_t n;

	(void)state;
	hf_addr_text(&conf.trunk[0].to.addr, at);
#define HEAD(method)                                                           \
	method " sip:+33400000000@lyon SIP/2.0\r\n"                            \
	       "Via: SIP/2.0/UDP %s;branch=z9hG4bKin" method "\r\n"            \
	       "Max-Forwards: 70\r\nFrom: <sip:carol@%s>;tag=carol\r\n"        \
	       "Call-ID: came-in\r\nContact: <sip:carol@%s>\r\n"               \
	       "CSeq: 1 " method "\r\n"
	snprintf(text, sizeof(text),
	    HEAD("INVITE") "To: <sip:+33400000000@lyon>\r\n"
			   "Content-Type: application/sdp\r\n"
			   "Content-Length: %zu\r\n\r\n%s",
	    at, at, at, strlen(ANSWER), ANSWER);
	say(carrier, text);
	assert_true(room_hears(ROOM_CALL, MSG_LEG_ARRIVED, &m, NULL, SOON));
	leg = m.leg_arrived.leg;
	answer(leg);
	do {
		n = recv(carrier, got, sizeof(got), 0);
		assert_true(n > 0);
		assert_int_equal(
		    sip_parse((struct hf_slice){ got, (size_t)n }, &said)
			.parsed,
		    SIP_GOOD);
	} while (said.status < 200);
	assert_int_equal(said.status, 200);
	assert_true(hf_slice_copy(said.to_tag, tag, sizeof(tag)));
	snprintf(text, sizeof(text),
	    HEAD("ACK") "To: <sip:+33400000000@lyon>;tag=%s\r\n"
			"Content-Length: 0\r\n\r\n",
	    at, at, at, tag);
#undef HEAD
	say(carrier, text);
	assert_true(room_hears(ROOM_CALL, MSG_LEG_CONFIRMED, &m, NULL, SOON));
	drop(leg);
	(void)is_asked_again(SIP_BYE);
	assert_true(is_proven(SIP_H_PROXY_AUTHORIZATION));
	says(200, HF_SLICE(""), "");
}

/* Past the carrier, to whom he has named as his Contact. */
static void
who_is_not_the_trunk_gets_no_proof(void **state)
{
	int own = carrier, other;
	ssize_t n;

	(void)state;
	other = room_bind(SOCK_DGRAM, room_ip(3), &contact);
	call();
	says(200, HF_SLICE(""), ANSWER);
	carrier = other;
	hears(SIP_ACK, 0);
	drop(leg);
	hears(SIP_BYE, 0);
	asks(407, false);
	/* It is said again as it was, if at all. */
	usleep(300000);
	while ((n = recv(other, heard.bytes, sizeof(heard.bytes),
		    MSG_DONTWAIT)) > 0)
		assert_null(memmem(heard.bytes, (size_t)n, "uthorization", 12));
	carrier = own;
	close(other);
}

static void
another_realm_than_the_trunks_is_not_answered(void **state)
{
	struct msg m;

	(void)state;
	call();
	asks(407, false);
	assert_true(room_hears(ROOM_CALL, MSG_LEG_REFUSED, &m, NULL, SOON));
	assert_int_equal(m.leg_refused.code, 407);
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
		T(what_is_asked_in_a_call_is_asked_once_more_too),
		T(two_who_ask_are_both_told),
		T(realms_without_end_are_a_refusal),
		T(a_new_password_is_used_in_a_call_that_began_under_the_old_one),
		T(a_refused_hold_leaves_the_call_as_it_was),
		T(a_call_that_came_in_is_left_with_credentials_too),
		T(who_is_not_the_trunk_gets_no_proof),
		cmocka_unit_test_setup_teardown(
		    another_realm_than_the_trunks_is_not_answered,
		    setup_elsewhere, teardown),
		T(the_trace_keeps_the_response_to_itself),
		cmocka_unit_test_setup_teardown(
		    what_is_asked_in_a_call_is_asked_once_more_too, setup_wired,
		    teardown),
		cmocka_unit_test_setup_teardown(
		    two_who_ask_are_both_told, setup_wired, teardown),
	};
#undef T

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip trunk", tests, NULL, NULL);
}
