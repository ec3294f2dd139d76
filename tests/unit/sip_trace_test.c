/* io/sip/trace: what was said is kept, but for its secrets. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "io/sip/trace.h"

enum { RING = 8192, BEHIND = 2048 };
static uint64_t memory[(RING + BEHIND) / 8];
static struct sip_trace t;
static char room[65536];

static int
setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	sip_trace_init(&t, memory, RING);
	return 0;
}

static struct hf_addr
at(const char *text)
{
	struct hf_addr a;

	assert_true(hf_addr_parse(hf_slice_of(text), &a));
	return a;
}

static void
say(uint64_t leg, bool out, const char *remote, int64_t us, const char *text)
{
	sip_trace_put(&t,
	    &(struct sip_traced){
		.at = { 1700000000000000 + us },
		.leg = leg,
		.local = at(
		    remote[0] == '[' ? "[2001:db8::9]:5060" : "192.0.2.9:5060"),
		.remote = at(remote),
		.out = out,
		.bytes = hf_slice_of(text),
	    });
}

#define REST(cseq)                                                             \
	"Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:+331@h>;tag=1\r\n"   \
	"To: <sip:+332@h>\r\nCall-ID: c\r\nCSeq: " cseq "\r\n"
#define SDP                                                                    \
	"Content-Type: application/sdp\r\nContent-Length: 80\r\n\r\nv=0\r\n"   \
	"o=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\n"            \
	"m=audio 4000 RTP/AVP 0\r\n"

/* A call from a trunk, put through to a bot. */
static void
say_a_call(void)
{
	say(1, false, "192.0.2.1:5060", 0,
	    "INVITE sip:+33299@h SIP/2.0\r\n" REST("1 INVITE") SDP);
	say(1, true, "192.0.2.1:5060", 400,
	    "SIP/2.0 100 Trying\r\n" REST("1 INVITE") "\r\n");
	say(2, true, "[2001:db8::1]:5060", 1000,
	    "INVITE sip:bot@h SIP/2.0\r\n" REST("7 INVITE") "\r\n");
	say(2, false, "[2001:db8::1]:5060", 20000,
	    "SIP/2.0 200 OK\r\n" REST("7 INVITE") "\r\n");
	say(3, true, "192.0.2.77:5060", 21000,
	    "OPTIONS sip:other@h SIP/2.0\r\n" REST("7 OPTIONS") "\r\n");
	say(1, false, "192.0.2.1:5060", 1234567, "\x01garbage");
}

static void
messages_come_back_as_they_were(void **state)
{
	static const uint64_t legs[] = { 1, 2 };
	struct sip_traced m;
	uint64_t place = 0;
	unsigned n = 0;

	(void)state;
	say_a_call();
	while (sip_trace_next(&t, &place, legs, 2, &m)) {
		assert_true(m.leg == 1 || m.leg == 2);
		assert_int_equal(m.local.port, 5060);
		n++;
	}
	assert_int_equal(n, 5);
	assert_true(hf_slice_eq(m.bytes, HF_SLICE("\x01garbage")));
	for (place = 0, n = 0; sip_trace_next(&t, &place, NULL, 0, &m); n++)
		;
	assert_int_equal(n, 6);
}

/* The ring goes round many times; what is left is a run of the newest. */
static void
the_oldest_go_first(void **state)
{
	char text[2000];
	struct sip_traced m;

	(void)state;
	srand(1);
	for (uint64_t i = 1; i < 3000; i++) {
		size_t n = (size_t)rand() % 1900;
		uint64_t place = 0, expect = 0, got = 0;

		memset(text, 'a' + (char)(i % 26), n);
		text[n] = '\0';
		say(i, false, "192.0.2.1:5060", (int64_t)i, text);
		while (sip_trace_next(&t, &place, NULL, 0, &m)) {
			if (expect != 0)
				assert_int_equal(m.leg, expect);
			expect = m.leg + 1;
			for (size_t k = 0; k < m.bytes.n; k++)
				assert_int_equal(
				    m.bytes.p[k], 'a' + (char)(m.leg % 26));
			got++;
		}
		assert_int_equal(expect, i + 1);
		assert_true(got >= (i < 3 ? i : 3));
	}
	for (size_t i = RING / 8; i < HF_LEN(memory); i++)
		assert_int_equal(memory[i], 0); /* nothing behind the ring */
	assert_int_equal(t.dropped, 0);
	memset(text, 'x', sizeof(text) - 1);
	for (int i = 0; i < 2; i++) {
		struct sip_traced big = { .bytes = { room, 4000 } };

		sip_trace_put(&t, &big);
	}
	assert_int_equal(t.dropped, 2);
}

static void
digest_responses_are_never_kept(void **state)
{
	static const char response[] = "0123456789abcdef0123456789abcdef";
	struct sip_traced m;
	uint64_t place = 0;

	(void)state;
	say(1, false, "192.0.2.1:5060", 0,
	    "REGISTER sip:h SIP/2.0\r\n"
	    "Authorization: Digest username=\"anna\",\r\n"
	    "  Response = \"0123456789abcdef0123456789abcdef\", "
	    "uri=\"sip:h\"\r\n"
	    "Proxy-Authorization: Digest response=0123456789abcdef0123456789"
	    "abcdef,x=\"y\"\r\n"
	    "X: 0123456789\r\n\r\nresponse=\"0123\"");
	assert_true(sip_trace_next(&t, &place, NULL, 0, &m));
	assert_null(memmem(m.bytes.p, m.bytes.n, response, strlen(response)));
	assert_null(memmem(m.bytes.p, m.bytes.n, "abcdef", 6));
	assert_non_null(memmem(m.bytes.p, m.bytes.n, "uri=\"sip:h\"", 11));
	assert_non_null(memmem(m.bytes.p, m.bytes.n, "X: 0123456789", 13));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(messages_come_back_as_they_were, setup),
		cmocka_unit_test_setup(the_oldest_go_first, setup),
		cmocka_unit_test_setup(digest_responses_are_never_kept, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
