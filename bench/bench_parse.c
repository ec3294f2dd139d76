/*
 * bench_parse - what it costs to read one INVITE of about 1 KB with 17 headers
 * and to write its 180, and to see that it is not worth reading, in CPU time of
 * this thread: the best of many rounds, since whatever else runs on the machine
 * can only add.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/check.h"
#include "bench/figure.h"
#include "io/sip/build.h"
#include "io/sip/limit.h"
#include "io/sip/peek.h"
#include "io/sip/sdp.h"

enum { ROUNDS = 200, TIMES = 2000 };

#define SDP_TEXT                                                               \
	"v=0\r\no=- 3915 3915 IN IP4 198.51.100.20\r\ns=call\r\n"              \
	"c=IN IP4 198.51.100.20\r\nt=0 0\r\nm=audio 40376 RTP/AVP 0 8 101\r\n" \
	"a=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"                     \
	"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"             \
	"a=ptime:20\r\na=sendrecv\r\n"

static const char head[] =
    "INVITE sip:+33400000000@192.0.2.10:5060;user=phone SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK0a1b2c3d4e5f;rport\r\n"
    "Record-Route: <sip:198.51.100.7;lr;ftag=as58f4d2a1>\r\n"
    "From: \"+33612345678\" <sip:+33612345678@198.51.100.7>;tag=as58f4d2a1\r\n"
    "To: <sip:+33400000000@192.0.2.10;user=phone>\r\n"
    "Call-ID: 3c2ab0c1-7d4e-4f1a-9b0e-2f6d8a11c0de@198.51.100.7\r\n"
    "CSeq: 102 INVITE\r\n"
    "Contact: <sip:+33612345678@198.51.100.20:5060;transport=udp>\r\n"
    "Max-Forwards: 68\r\n"
    "User-Agent: Carrier SBC 7.4.1\r\n"
    "Allow: INVITE, ACK, CANCEL, OPTIONS, BYE, REFER, INFO, NOTIFY\r\n"
    "Supported: replaces, timer\r\n"
    "Session-Expires: 1800;refresher=uac\r\n"
    "P-Asserted-Identity: <sip:+33612345678@carrier.example.net>\r\n"
    "Privacy: none\r\n"
    "Date: Sat, 21 Nov 2026 23:00:00 GMT\r\n"
    "Content-Type: application/sdp\r\n";

static char text[2048];
static struct sip_msg m;
static volatile size_t sink; /* so that nothing is optimized away */

static double
cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* What is done to a message of a stranger's before it is read at all. */
static void
weigh_it(void)
{
	static struct sip_limit limit;
	static const struct sip_rate rate = { 50, 500 };
	static struct hf_time now = { 1000000 };
	static struct hf_addr from = { .family = 4 };
	struct sip_peek p = sip_peek(hf_slice_of(text));

	hf_assert(p.kind == SIP_PEEK_NEW && p.invite);
	/* From everywhere, a million a second. */
	from.ip[0]++;
	from.ip[1] += from.ip[0] == 0;
	from.ip[2] += from.ip[0] == 0 && from.ip[1] == 0;
	now.us++;
	sink += sip_limit_take(
	    &limit, sip_limit_address(&limit, &from), rate, now, NULL);
}

static void
read_it(void)
{
	struct sip_verdict v = sip_parse(hf_slice_of(text), &m);

	hf_assert(v.parsed == SIP_GOOD && m.headers == 17);
	sink += m.body.n;
}

static void
write_it(void)
{
	static char room[2048];
	static const struct hf_addr source = {
		.ip = { 198, 51, 100, 7 }, .family = 4, .port = 5060
	};
	struct hf_buf b = hf_buf_on(room, sizeof(room));

	sip_put_reply(&b, &m, 180, (struct hf_slice){ NULL, 0 },
	    HF_SLICE("0123456789abcdef"), &source);
	sip_put_copies(&b, &m, SIP_H_RECORD_ROUTE);
	sip_put_contact(
	    &b, HF_SLICE("holdfast"), &source, (struct hf_slice){ NULL, 0 });
	sip_put_body(&b, NULL, (struct hf_slice){ NULL, 0 });
	hf_assert(!b.overflow);
	sink += b.n;
}

static void
agree(void)
{
	char room[SDP_ROOM];
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	struct sdp_state state = { .session = 1 };
	struct sdp_ours ours = {
		.rtp = { .ip = { 192, 0, 2, 10 }, .family = 4, .port = 20000 }
	};
	struct hf_addr source = { .family = 0 };
	struct sip_media media;
	struct sdp sdp;
	const char *why;

	hf_assert(sdp_parse(m.body, &sdp, &why));
	hf_assert(sdp_answer(&b, &state, &sdp, &ours, &source, &media) == 0);
	sink += b.n;
}

static double
best_of(void (*what)(void))
{
	double best = 1e9;

	for (int r = 0; r < ROUNDS; r++) {
		double start = cpu_us(), took;

		for (int i = 0; i < TIMES; i++)
			what();
		took = (cpu_us() - start) / TIMES;
		if (took < best)
			best = took;
	}
	return best;
}

int
main(void)
{
	bool met = true;

	snprintf(text, sizeof(text), "%sContent-Length: %zu\r\n\r\n%s", head,
	    strlen(SDP_TEXT), SDP_TEXT);
	figure("parse_", "bytes", (double)strlen(text), NULL);
	met &= figure("parse_", "weighed_us", best_of(weigh_it), "<=0.5");
	met &= figure("parse_", "invite_us", best_of(read_it), "<=1.5");
	met &= figure("parse_", "reply_us", best_of(write_it), "<=1.5");
	met &= figure("parse_", "answer_us", best_of(agree), "<=3");
	return met ? EXIT_SUCCESS : EXIT_FAILURE;
}
