/* io/sip/sdp: what two sides come to, for what phones and bots really send. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "io/sip/sdp.h"

static char room[4096];
static struct hf_buf b;
static struct sdp_state state;
static struct sdp_ours ours;
static struct hf_addr source;
static struct sip_media media;
static struct sdp sdp;

#define S(lit) HF_SLICE(lit)

static struct hf_addr
at(const char *text)
{
	struct hf_addr a;

	assert_true(hf_addr_parse(hf_slice_of(text), &a));
	return a;
}

static int
setup(void **unused)
{
	(void)unused;
	b = hf_buf_on(room, sizeof(room));
	state = (struct sdp_state){ .session = 42 };
	ours = (struct sdp_ours){ .rtp = at("192.0.2.9:20000"),
		.latch = SIP_LATCH_HOST };
	source = at("203.0.113.5:5060");
	return 0;
}

#define HEAD                                                                   \
	"v=0\r\no=x 1 1 IN IP4 203.0.113.5\r\ns=-\r\n"                         \
	"c=IN IP4 203.0.113.5\r\nt=0 0\r\n"

static void
read_sdp(const char *text)
{
	const char *why;

	if (!sdp_parse(hf_slice_of(text), &sdp, &why))
		fail_msg("%s in\n%s", why, text);
}

static uint16_t
answer(const char *offer)
{
	read_sdp(offer);
	b = hf_buf_on(room, sizeof(room));
	return sdp_answer(&b, &state, &sdp, &ours, &source, &media);
}

static void
assert_written(const char *want)
{
	if (!hf_slice_eq(hf_buf_taken(&b), hf_slice_of(want)))
		fail_msg("got\n%.*s\nwant\n%s", (int)b.n, b.p, want);
}

static bool
wrote(const char *part)
{
	return memmem(b.p, b.n, part, strlen(part)) != NULL;
}

static void
a_usual_offer_is_answered(void **unused)
{
	struct hf_addr want = at("203.0.113.5:4000");

	(void)unused;
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 9 8 0 101 13\r\n"
				     "a=rtpmap:9 G722/8000\r\n"
				     "a=rtpmap:101 telephone-event/8000\r\n"
				     "a=ptime:30\r\n"),
	    0);
	assert_written("v=0\r\no=- 42 1 IN IP4 192.0.2.9\r\ns=-\r\n"
		       "c=IN IP4 192.0.2.9\r\nt=0 0\r\n"
		       "m=audio 20000 RTP/AVP 8 101 13\r\n"
		       "a=rtpmap:8 PCMA/8000\r\n"
		       "a=rtpmap:101 telephone-event/8000\r\n"
		       "a=fmtp:101 0-16\r\na=rtpmap:13 CN/8000\r\n"
		       "a=ptime:30\r\na=sendrecv\r\n");
	assert_true(hf_addr_eq(&media.rtp, &want));
	assert_int_equal(media.rtcp.port, 4001);
	assert_int_equal(media.codec, SIP_CODEC_PCMA);
	assert_int_equal(media.payload, 8);
	assert_int_equal(media.dtmf, 101);
	assert_int_equal(media.cn, 13);
	assert_int_equal(media.ptime_ms, 30);
	assert_int_equal(media.direction, SIP_SENDRECV);
	assert_false(media.mux || media.latch != SIP_LATCH_NEVER);
}

static void
offers_come_to_what_they_should(void **unused)
{
	static const struct {
		const char *lines;
		uint16_t status;
		enum sip_codec codec;
		uint8_t payload, dtmf, cn, ptime;
	} rows[] = {
		{ "m=audio 4000 RTP/AVP 0\r\n", 0, SIP_CODEC_PCMU, 0, 0, 0,
		    20 },
		{ "m=audio 4000 RTP/AVP 8 0\r\n", 0, SIP_CODEC_PCMA, 8, 0, 0,
		    20 },
		{ "m=audio 4000/1 RTP/AVPF 96 97\r\na=rtpmap:96 "
		  "opus/48000/2\r\n"
		  "a=rtpmap:97 pcmu/8000/1\r\n",
		    0, SIP_CODEC_PCMU, 97, 0, 0, 20 },
		{ "m=audio 4000 RTP/AVP 0 96 101\r\n"
		  "a=rtpmap:96 telephone-event/48000\r\n"
		  "a=rtpmap:101 TELEPHONE-EVENT/8000\r\n",
		    0, SIP_CODEC_PCMU, 0, 101, 0, 20 },
		/* 0 is taken for something else: against the RFC, but clear */
		{ "m=audio 4000 RTP/AVP 0\r\na=rtpmap:0 L16/8000\r\n", 488, 0,
		    0, 0, 0, 0 },
		/* not on the m-line: not on offer */
		{ "m=audio 4000 RTP/AVP 9\r\na=rtpmap:0 PCMU/8000\r\n", 488, 0,
		    0, 0, 0, 0 },
		{ "m=audio 4000 RTP/SAVP 0\r\n", 488, 0, 0, 0, 0, 0 },
		{ "m=audio 0 RTP/AVP 0\r\n", 488, 0, 0, 0, 0, 0 },
		{ "m=video 4000 RTP/AVP 0\r\n", 488, 0, 0, 0, 0, 0 },
		{ "m=audio 4000 RTP/AVP 18\r\n", 488, 0, 0, 0, 0, 0 },
		{ "", 488, 0, 0, 0, 0, 0 },
		{ "m=audio 4000 RTP/AVP 0\r\na=ptime:5\r\n", 0, SIP_CODEC_PCMU,
		    0, 0, 0, 10 },
		{ "m=audio 4000 RTP/AVP 0\r\na=ptime:200\r\n", 0,
		    SIP_CODEC_PCMU, 0, 0, 0, 60 },
		{ "m=audio 4000 RTP/AVP 0\r\na=ptime:40\r\na=maxptime:30\r\n",
		    0, SIP_CODEC_PCMU, 0, 0, 0, 30 },
		{ "m=audio 4000 RTP/AVP 0\r\na=ptime:25\r\n", 0, SIP_CODEC_PCMU,
		    0, 0, 0, 20 },
		{ "m=audio 4000 RTP/AVP 0\r\na=ptime:0\r\n", 0, SIP_CODEC_PCMU,
		    0, 0, 0, 20 },
		{ "m=audio 4000 RTP/AVP 0\r\na=ptime:banana\r\n", 0,
		    SIP_CODEC_PCMU, 0, 0, 0, 20 },
		{ "m=audio 4000 RTP/AVP 0 127\r\na=rtpmap:127 CN/8000\r\n", 0,
		    SIP_CODEC_PCMU, 0, 0, 127, 20 },
		{ "m=audio 4000 RTP/AVP 0 300 x\r\n", 0, SIP_CODEC_PCMU, 0, 0,
		    0, 20 },
	};
	char text[1024];

	for (size_t i = 0; i < HF_LEN(rows); i++) {
		uint16_t got;

		setup(unused);
		snprintf(text, sizeof(text), HEAD "%s", rows[i].lines);
		got = answer(text);
		if (got != rows[i].status || media.codec != rows[i].codec ||
		    media.payload != rows[i].payload ||
		    media.dtmf != rows[i].dtmf || media.cn != rows[i].cn ||
		    media.ptime_ms != rows[i].ptime)
			fail_msg("row %zu: %u codec %d pt %u dtmf %u cn %u "
				 "ptime %u",
			    i, got, media.codec, media.payload, media.dtmf,
			    media.cn, media.ptime_ms);
		if (got != 0) {
			assert_int_equal(b.n, 0);
			assert_int_equal(state.version, 0);
		}
	}
}

static void
broken_descriptions_are_refused(void **unused)
{
	static const char *const rows[] = {
		"",
		"v=1\r\n",
		"x",
		"o=x\r\n",
		"v=0\r\no=\r\n",
		"v=0\r\nc=IN IP4\r\n",
		"v=0\r\nc=ATM NSAP 47\r\n",
		"v=0\r\nm=audio\r\n",
		"v=0\r\nm=audio 4000\r\n",
		"v=0\r\nm=audio 4000 RTP/AVP\r\n",
		"v=0\r\nm=audio 65536 RTP/AVP 0\r\n",
		"v=0\r\nm=audio -1 RTP/AVP 0\r\n",
		"v=0\r\nnonsense\r\n",
		"v=0\r\nm =audio 1 RTP/AVP 0\r\n",
		"v=0\r\n"
		"m=a 1 x 0\r\nm=a 1 x 0\r\nm=a 1 x 0\r\nm=a 1 x 0\r\n"
		"m=a 1 x 0\r\nm=a 1 x 0\r\nm=a 1 x 0\r\nm=a 1 x 0\r\n"
		"m=a 1 x 0\r\n",
	};

	(void)unused;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		const char *why = NULL;

		if (sdp_parse(hf_slice_of(rows[i]), &sdp, &why))
			fail_msg("row %zu", i);
		assert_non_null(why);
	}
}

/* What they may do, what we may do, what our answer says. */
static void
holding_works_the_new_and_the_old_way(void **unused)
{
	static const struct {
		const char *session, *media, *answer;
		enum sip_direction way;
		bool nowhere;
	} rows[] = {
		{ "", "", "a=sendrecv", SIP_SENDRECV, false },
		{ "", "a=sendonly\r\n", "a=recvonly", SIP_RECVONLY, false },
		{ "", "a=recvonly\r\n", "a=sendonly", SIP_SENDONLY, false },
		{ "", "a=inactive\r\n", "a=inactive", SIP_INACTIVE, false },
		{ "a=sendonly\r\n", "", "a=recvonly", SIP_RECVONLY, false },
		{ "a=sendonly\r\n", "a=sendrecv\r\n", "a=sendrecv",
		    SIP_SENDRECV, false },
		{ "", "c=IN IP4 0.0.0.0\r\n", "a=recvonly", SIP_RECVONLY,
		    true },
		{ "", "c=IN IP4 0.0.0.0\r\na=sendonly\r\n", "a=recvonly",
		    SIP_RECVONLY, true },
		{ "", "c=IN IP4 0.0.0.0\r\na=recvonly\r\n", "a=inactive",
		    SIP_INACTIVE, true },
		{ "", "c=IN IP6 ::\r\n", "a=recvonly", SIP_RECVONLY, true },
	};
	char text[1024];

	for (size_t i = 0; i < HF_LEN(rows); i++) {
		setup(unused);
		snprintf(text, sizeof(text),
		    HEAD "%sm=audio 4000 RTP/AVP 0\r\n%s", rows[i].session,
		    rows[i].media);
		assert_int_equal(answer(text), 0);
		if (media.direction != rows[i].way || !wrote(rows[i].answer) ||
		    (media.rtp.family == 0) != rows[i].nowhere)
			fail_msg("row %zu: way %d", i, media.direction);
	}
	/* And what we want counts as well. */
	setup(unused);
	ours.direction = SIP_SENDONLY;
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_int_equal(media.direction, SIP_SENDONLY);
	assert_int_equal(
	    answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), 0);
	assert_int_equal(media.direction, SIP_INACTIVE);
}

static void
rtcp_goes_where_they_say(void **unused)
{
	static const struct {
		const char *lines;
		const char *rtcp;
		bool mux;
	} rows[] = {
		{ "", "203.0.113.5:4001", false },
		{ "a=rtcp:5000\r\n", "203.0.113.5:5000", false },
		{ "a=rtcp:5000 IN IP4 203.0.113.6\r\n", "203.0.113.6:5000",
		    false },
		{ "a=rtcp:banana\r\n", "203.0.113.5:4001", false },
		{ "a=rtcp-mux\r\n", "203.0.113.5:4000", true },
		{ "a=rtcp:5000\r\na=rtcp-mux\r\n", "203.0.113.5:4000", true },
		{ "c=IN IP4 203.0.113.7\r\n", "203.0.113.7:4001", false },
	};
	char text[1024];

	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct hf_addr want = at(rows[i].rtcp);

		setup(unused);
		snprintf(text, sizeof(text),
		    HEAD "m=audio 4000 RTP/AVP 0\r\n%s", rows[i].lines);
		assert_int_equal(answer(text), 0);
		if (!hf_addr_eq(&media.rtcp, &want) ||
		    media.mux != rows[i].mux ||
		    wrote("a=rtcp-mux") != rows[i].mux)
			fail_msg("row %zu", i);
	}
	setup(unused);
	ours.rtcp_port = 30000;
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_true(wrote("a=rtcp:30000\r\n"));
	setup(unused);
	ours.rtcp_port = 20001;
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_false(wrote("a=rtcp"));
}

static void
other_media_keep_their_places_with_port_0(void **unused)
{
	(void)unused;
	assert_int_equal(answer(HEAD "m=video 5000 RTP/AVP 31\r\n"
				     "m=audio 4002 RTP/SAVP 0\r\n"
				     "m=audio 4000 RTP/AVP 0\r\n"
				     "m=application 9 UDP/DTLS/SCTP "
				     "webrtc-datachannel\r\n"
				     "m=audio 4004 RTP/AVP 8\r\n"),
	    0);
	assert_true(wrote("m=video 0 RTP/AVP 31\r\n"
			  "m=audio 0 RTP/SAVP 0\r\n"
			  "m=audio 20000 RTP/AVP 0\r\n"));
	assert_true(wrote("m=application 0 UDP/DTLS/SCTP webrtc-datachannel\r\n"
			  "m=audio 0 RTP/AVP 8\r\n"));
	/* Our own offer later has the same five lines (RFC 3264 8). */
	b = hf_buf_on(room, sizeof(room));
	sdp_offer(&b, &state, &ours);
	assert_true(wrote("o=- 42 2 "));
	assert_true(wrote("m=video 0 RTP/AVP 31\r\nm=audio 0 RTP/SAVP 0\r\n"
			  "m=audio 20000 RTP/AVP 0 8 101\r\n"));
	assert_true(wrote("m=audio 0 RTP/AVP 8\r\n"));
	/* Their answer is read at our line. */
	read_sdp(HEAD "m=video 0 RTP/AVP 31\r\nm=audio 0 RTP/SAVP 0\r\n"
		      "m=audio 4000 RTP/AVP 8\r\nm=application 0 x y\r\n"
		      "m=audio 0 RTP/AVP 8\r\n");
	assert_int_equal(sdp_accept(&state, &sdp, &ours, &source, &media), 0);
	assert_int_equal(media.codec, SIP_CODEC_PCMA);
}

static void
the_version_grows_only_when_something_changed(void **unused)
{
	static const char offer[] = HEAD "m=audio 4000 RTP/AVP 0\r\n";

	(void)unused;
	assert_int_equal(answer(offer), 0);
	assert_true(wrote("o=- 42 1 IN"));
	assert_int_equal(answer(offer), 0);
	assert_true(wrote("o=- 42 1 IN"));
	assert_int_equal(
	    answer(HEAD "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"), 0);
	assert_true(wrote("o=- 42 2 IN"));
	assert_int_equal(answer(offer), 0);
	assert_true(wrote("o=- 42 3 IN"));
	ours.rtp = at("192.0.2.9:20002");
	assert_int_equal(answer(offer), 0);
	assert_true(wrote("o=- 42 4 IN"));
	/* A refused re-offer changes nothing. */
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 18\r\n"), 488);
	assert_int_equal(answer(offer), 0);
	assert_true(wrote("o=- 42 4 IN"));
}

static void
audio_may_be_switched_off_and_on_again(void **unused)
{
	(void)unused;
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_int_equal(answer(HEAD "m=audio 0 RTP/AVP 0\r\n"), 0);
	assert_true(wrote("m=audio 0 RTP/AVP 0\r\n"));
	assert_int_equal(media.codec, SIP_CODEC_NONE);
	/* Now we offer: in the same place. */
	b = hf_buf_on(room, sizeof(room));
	sdp_offer(&b, &state, &ours);
	assert_true(wrote("t=0 0\r\nm=audio 20000 RTP/AVP 0 8 101\r\n"));
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"), 0);
	assert_int_equal(media.codec, SIP_CODEC_PCMU);
}

static void
a_stream_stays_on_its_line(void **unused)
{
	(void)unused;
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 18\r\n"
				     "m=audio 4002 RTP/AVP 0\r\n"),
	    0);
	assert_true(wrote("m=audio 0 RTP/AVP 18\r\nm=audio 20000 "));
	/* The first would do now, but the second is where we are. */
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"
				     "m=audio 4002 RTP/AVP 0\r\n"),
	    0);
	assert_true(wrote("m=audio 0 RTP/AVP 0\r\nm=audio 20000 "));
	/* The second is given up: the first it is. */
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0\r\n"
				     "m=audio 0 RTP/AVP 0\r\n"),
	    0);
	assert_true(wrote("m=audio 20000 RTP/AVP 0\r\n"));
}

static void
our_offer_is_what_we_can_do(void **unused)
{
	(void)unused;
	ours.first = SIP_CODEC_PCMA;
	ours.mux = ours.cn = true;
	ours.ptime_ms = 30;
	ours.direction = SIP_SENDONLY;
	sdp_offer(&b, &state, &ours);
	assert_written("v=0\r\no=- 42 1 IN IP4 192.0.2.9\r\ns=-\r\n"
		       "c=IN IP4 192.0.2.9\r\nt=0 0\r\n"
		       "m=audio 20000 RTP/AVP 8 0 101 13\r\n"
		       "a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
		       "a=rtpmap:101 telephone-event/8000\r\n"
		       "a=fmtp:101 0-16\r\na=rtpmap:13 CN/8000\r\n"
		       "a=ptime:30\r\na=rtcp-mux\r\na=sendonly\r\n");
}

static void
answers_to_our_offer_are_judged(void **unused)
{
	static const struct {
		const char *lines;
		uint16_t status;
		enum sip_codec codec;
		uint8_t dtmf;
		bool mux;
	} rows[] = {
		{ "m=audio 4000 RTP/AVP 0 101\r\n"
		  "a=rtpmap:101 telephone-event/8000\r\n",
		    0, SIP_CODEC_PCMU, 101, false },
		{ "m=audio 4000 RTP/AVP 8 0\r\na=rtcp-mux\r\n", 0,
		    SIP_CODEC_PCMA, 0, true },
		{ "m=audio 0 RTP/AVP 0\r\n", 488, 0, 0, false },
		{ "m=audio 4000 RTP/AVP 18\r\n", 488, 0, 0, false },
		{ "", 488, 0, 0, false },
		{ "m=audio 4000 RTP/AVP 0\r\nm=video 0 RTP/AVP 31\r\n", 0,
		    SIP_CODEC_PCMU, 0, false },
	};
	char text[1024];

	for (size_t i = 0; i < HF_LEN(rows); i++) {
		setup(unused);
		ours.mux = true;
		sdp_offer(&b, &state, &ours);
		snprintf(text, sizeof(text), HEAD "%s", rows[i].lines);
		read_sdp(text);
		if (sdp_accept(&state, &sdp, &ours, &source, &media) !=
			rows[i].status ||
		    media.codec != rows[i].codec ||
		    media.dtmf != rows[i].dtmf || media.mux != rows[i].mux)
			fail_msg("row %zu", i);
	}
	/* Not offered, so not agreed, whatever they say. */
	setup(unused);
	sdp_offer(&b, &state, &ours);
	read_sdp(HEAD "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n");
	assert_int_equal(sdp_accept(&state, &sdp, &ours, &source, &media), 0);
	assert_false(media.mux);
}

static void
payload_numbers_keep_their_meaning(void **unused)
{
	(void)unused;
	assert_int_equal(answer(HEAD "m=audio 4000 RTP/AVP 0 96 97\r\n"
				     "a=rtpmap:96 telephone-event/8000\r\n"
				     "a=rtpmap:97 CN/8000\r\n"),
	    0);
	ours.cn = true;
	b = hf_buf_on(room, sizeof(room));
	sdp_offer(&b, &state, &ours);
	assert_true(wrote("m=audio 20000 RTP/AVP 0 8 96 97\r\n"));
}

static void
a_private_address_from_elsewhere_is_behind_nat(void **unused)
{
	static const struct {
		const char *c, *from;
		bool symmetric;
	} rows[] = {
		{ "IN IP4 10.1.2.3", "203.0.113.5:5060", true },
		{ "IN IP4 10.1.2.3", "10.1.2.3:5060", false },
		{ "IN IP4 203.0.113.9", "203.0.113.5:5060", false },
		{ "IN IP4 172.31.0.1", "203.0.113.5:5060", true },
		{ "IN IP4 172.32.0.1", "203.0.113.5:5060", false },
		{ "IN IP4 192.168.1.1", "203.0.113.5:5060", true },
		{ "IN IP4 100.64.0.1", "203.0.113.5:5060", true },
		{ "IN IP4 169.254.3.4", "203.0.113.5:5060", true },
		/* a name: where its signalling came from, until it speaks */
		{ "IN IP4 phone.example.net", "203.0.113.5:5060", true },
	};
	char text[512];

	for (size_t i = 0; i < HF_LEN(rows); i++) {
		setup(unused);
		source = at(rows[i].from);
		snprintf(text, sizeof(text),
		    "v=0\r\no=x 1 1 IN IP4 h\r\ns=-\r\nc=%s\r\nt=0 0\r\n"
		    "m=audio 4000 RTP/AVP 0\r\n",
		    rows[i].c);
		assert_int_equal(answer(text), 0);
		if ((media.latch == SIP_LATCH_HOST) != rows[i].symmetric)
			fail_msg("row %zu", i);
		assert_int_equal(media.rtp.port, 4000);
	}
	assert_true(hf_addr_same_host(&media.rtp, &source));
	/* Nobody knows where: a name, and no source. */
	source.family = 0;
	assert_int_equal(
	    answer("v=0\r\nc=IN IP4 h\r\nm=audio 4000 RTP/AVP 0\r\n"), 488);
	assert_int_equal(answer("v=0\r\nm=audio 4000 RTP/AVP 0\r\n"), 488);
}

static void
both_families_of_addresses_work(void **unused)
{
	static const char six[] =
	    "v=0\r\no=x 1 1 IN IP6 2001:db8::5\r\ns=-\r\n"
	    "c=IN IP6 2001:db8::5\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";

	(void)unused;
	read_sdp(six);
	assert_int_equal(answer(six), 488); /* we have but IPv4 */
	ours.rtp = at("[2001:db8::9]:20000");
	assert_int_equal(answer(six), 0);
	assert_true(wrote("c=IN IP6 2001:db8::9\r\n"));
	/* multicast-style suffix */
	assert_int_equal(
	    answer("v=0\r\nc=IN IP6 2001:db8::5/2\r\nm=audio 4000 RTP/AVP "
		   "0\r\n"),
	    0);
}

static void
their_time_is_ours_but_not_their_text(void **unused)
{
	(void)unused;
	assert_int_equal(answer("v=0\r\nc=IN IP4 203.0.113.5\r\n"
				"t=3149328700 0\r\nm=audio 4000 RTP/AVP 0\r\n"),
	    0);
	assert_true(wrote("\r\nt=3149328700 0\r\n"));
	assert_int_equal(answer("v=0\r\nc=IN IP4 203.0.113.5\r\n"
				"t=evil\r\nm=audio 4000 RTP/AVP 0\r\n"),
	    0);
	assert_true(wrote("\r\nt=0 0\r\n"));
}

static void
the_longest_answer_fits(void **unused)
{
	char text[4096];
	struct hf_buf t = hf_buf_on(text, sizeof(text));

	(void)unused;
	hf_buf_str(&t, "v=0\nc=IN IP4 203.0.113.5\n"
		       "t=99999999999999999999 99999999999999999999\n");
	for (int i = 0; i < SDP_STREAMS_MAX - 1; i++)
		hf_buf_str(&t,
		    "m=aaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1 bbbbbbbbbbbbbbbbbbbbbbbb"
		    "bbbbbbbbbb cccccccccccccccccccccccccccccccccccccccccc\n");
	hf_buf_str(&t,
	    "m=audio 65535 RTP/AVPF 127 126 125\na=rtpmap:127 PCMU/8000\n"
	    "a=rtpmap:126 telephone-event/8000\na=rtpmap:125 CN/8000\n"
	    "a=rtcp-mux\n");
	hf_buf_char(&t, '\0');
	ours.rtp = at("203.200.213.205:65000");
	ours.rtcp_port = 64000;
	state.session = UINT64_MAX;
	state.version = UINT32_MAX - 2;
	assert_int_equal(answer(text), 0);
	assert_true(b.n < SDP_ROOM);
	ours.mux = ours.cn = true;
	b = hf_buf_on(room, sizeof(room));
	sdp_offer(&b, &state, &ours);
	assert_true(b.n < SDP_ROOM);
}

/* ---- in a message ----------------------------------------------------------
 */

static void
the_description_is_found_in_the_body(void **unused)
{
	static const struct {
		const char *headers, *body, *want;
		uint16_t status;
	} rows[] = {
		{ "", "", NULL, 0 },
		{ "c: application/sdp\r\n", "v=0\r\n", "v=0\r\n", 0 },
		{ "Content-Type: Application/SDP ;charset=x\r\n", "v=0\r\n",
		    "v=0\r\n", 0 },
		{ "", "v=0\r\n", "v=0\r\n", 0 },
		{ "", "hello", NULL, 415 },
		{ "c: text/plain\r\n", "hello", NULL, 415 },
		{ "c: text/plain\r\nContent-Disposition: render;"
		  "handling=optional\r\n",
		    "hello", NULL, 0 },
		{ "c: application/sdp\r\ne: gzip\r\n", "xxx", NULL, 415 },
		{ "c: application/sdp\r\ne: identity\r\n", "v=0\r\n", "v=0\r\n",
		    0 },
		{ "c: multipart/mixed;boundary=b1\r\n",
		    "preamble\r\n--b1\r\nContent-Type: text/plain\r\n\r\nhi\r\n"
		    "--b1\r\nContent-Type: application/sdp\r\nX: y\r\n\r\n"
		    "v=0\r\ns=-\r\n\r\n--b1--\r\n",
		    "v=0\r\ns=-\r\n", 0 },
		{ "c: multipart/mixed; boundary=\"b 1\"\r\n",
		    "--b 1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n"
		    "--b 1--",
		    "v=0", 0 },
		{ "c: multipart/mixed;boundary=b1\r\n",
		    "--b1\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n",
		    NULL, 415 },
		{ "c: multipart/mixed;boundary=b1\r\n",
		    "--b1\r\nContent-Type: text/plain\r\n\r\nv=0\r\n--b1--",
		    NULL, 415 },
		{ "c: multipart/mixed\r\n", "--\r\n\r\n--", NULL, 415 },
		{ "c: multipart/mixed;boundary=b1\r\n",
		    "--b1\r\nContent-Type: application/sdp\r\n"
		    "Content-Transfer-Encoding: base64\r\n\r\ndj0w\r\n--b1--",
		    NULL, 415 },
	};
	static struct sip_msg m;
	char text[1024];

	(void)unused;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct hf_slice got;
		uint16_t status;
		bool found;

		snprintf(text, sizeof(text),
		    "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h\r\n"
		    "From: <sip:a@h>;tag=1\r\nTo: <sip:b@h>\r\nCall-ID: c\r\n"
		    "CSeq: 7 INVITE\r\n%s\r\n%s",
		    rows[i].headers, rows[i].body);
		assert_int_equal(
		    sip_parse(hf_slice_of(text), &m).parsed, SIP_GOOD);
		found = sdp_find(&m, &got, &status);
		if (found != (rows[i].want != NULL) ||
		    status != rows[i].status ||
		    (found && !hf_slice_eq(got, hf_slice_of(rows[i].want))))
			fail_msg("row %zu: %d %u \"%.*s\"", i, found, status,
			    (int)got.n, got.p);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_usual_offer_is_answered, setup),
		cmocka_unit_test_setup(offers_come_to_what_they_should, setup),
		cmocka_unit_test_setup(broken_descriptions_are_refused, setup),
		cmocka_unit_test_setup(
		    holding_works_the_new_and_the_old_way, setup),
		cmocka_unit_test_setup(rtcp_goes_where_they_say, setup),
		cmocka_unit_test_setup(
		    other_media_keep_their_places_with_port_0, setup),
		cmocka_unit_test_setup(
		    the_version_grows_only_when_something_changed, setup),
		cmocka_unit_test_setup(
		    audio_may_be_switched_off_and_on_again, setup),
		cmocka_unit_test_setup(a_stream_stays_on_its_line, setup),
		cmocka_unit_test_setup(our_offer_is_what_we_can_do, setup),
		cmocka_unit_test_setup(answers_to_our_offer_are_judged, setup),
		cmocka_unit_test_setup(
		    payload_numbers_keep_their_meaning, setup),
		cmocka_unit_test_setup(
		    a_private_address_from_elsewhere_is_behind_nat, setup),
		cmocka_unit_test_setup(both_families_of_addresses_work, setup),
		cmocka_unit_test_setup(
		    their_time_is_ours_but_not_their_text, setup),
		cmocka_unit_test_setup(the_longest_answer_fits, setup),
		cmocka_unit_test(the_description_is_found_in_the_body),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
