/* io/sip/offer - what two sides agree on (RFC 3264); see sdp.h. */

#include "base/check.h"
#include "base/hash.h"
#include "io/sip/lex.h"
#include "io/sip/sdp.h"

enum {
	NO_AUDIO = 255,
	PTIME_MIN = 10,
	PTIME_MAX = 60,
	PTIME_USUAL = 20,
	WAY_SEND = 1,
	WAY_RECV = 2,
};

/* ---- directions ---------------------------------------------------------- */

static unsigned
ways(enum sip_direction d)
{
	static const uint8_t of[] = {
		[SIP_SENDRECV] = WAY_SEND | WAY_RECV,
		[SIP_SENDONLY] = WAY_SEND,
		[SIP_RECVONLY] = WAY_RECV,
		[SIP_INACTIVE] = 0,
	};
	return of[d];
}

static enum sip_direction
direction(unsigned w)
{
	static const uint8_t of[] = { SIP_INACTIVE, SIP_SENDONLY, SIP_RECVONLY,
		SIP_SENDRECV };
	return (enum sip_direction)of[w];
}

/* What we may do when they say that of themselves. */
static unsigned
our_ways(const struct sdp_stream *s)
{
	unsigned theirs = ways(s->direction), ours = 0;

	/* RFC 3264 8.4: nothing is sent to 0.0.0.0. */
	if (s->held)
		theirs &= ~(unsigned)WAY_RECV;
	if (theirs & WAY_RECV)
		ours |= WAY_SEND;
	if (theirs & WAY_SEND)
		ours |= WAY_RECV;
	return ours;
}

/* ---- choosing ------------------------------------------------------------ */

bool
sdp_is_private(const struct hf_addr *a)
{
	const uint8_t *ip = a->ip;

	if (a->family == 4)
		return ip[0] == 10 || (ip[0] == 172 && (ip[1] & 0xf0) == 16) ||
		       (ip[0] == 192 && ip[1] == 168) ||
		       (ip[0] == 100 && (ip[1] & 0xc0) == 64) ||
		       (ip[0] == 169 && ip[1] == 254);
	if (a->family == 6)
		return (ip[0] & 0xfe) == 0xfc ||
		       (ip[0] == 0xfe && (ip[1] & 0xc0) == 0x80);
	return false;
}

/* A line we could carry, were it not disabled. */
static bool
is_ours(const struct sdp_stream *s)
{
	return NAMED(s->kind, "audio") &&
	       (hf_slice_eq_nocase(s->proto, HF_SLICE("RTP/AVP")) ||
		   hf_slice_eq_nocase(s->proto, HF_SLICE("RTP/AVPF")));
}

static bool
usable(const struct sdp_stream *s)
{
	return is_ours(s) && s->port != 0 && (s->pcmu >= 0 || s->pcma >= 0);
}

/* The line to take: the same as before if it can still be, else the first. */
static unsigned
choose(const struct sdp *offer, const struct sdp_state *state)
{
	if (state->streams > 0 && state->audio < offer->streams &&
	    usable(&offer->stream[state->audio]))
		return state->audio;
	for (unsigned i = 0; i < offer->streams; i++)
		if (usable(&offer->stream[i]))
			return i;
	return NO_AUDIO;
}

static uint8_t
packet_time(const struct sdp_stream *s)
{
	unsigned ms = s->ptime_ms != 0 ? s->ptime_ms : PTIME_USUAL;

	if (s->maxptime_ms != 0 && ms > s->maxptime_ms)
		ms = s->maxptime_ms;
	if (ms > PTIME_MAX)
		ms = PTIME_MAX;
	if (ms < PTIME_MIN)
		ms = PTIME_MIN;
	return (uint8_t)(ms - ms % 10);
}

/* He names an address that only his own house knows. */
static bool
behind_nat(const struct sdp_stream *s, const struct hf_addr *source)
{
	return source->family != 0 && sdp_is_private(&s->rtp) &&
	       !hf_addr_same_host(&s->rtp, source);
}

/* What their line means for us.  False: there is nowhere to send to. */
static bool
media_of(const struct sdp_stream *s, const struct sdp_ours *ours,
    const struct hf_addr *source, bool mux, struct sip_media *out)
{
	unsigned way = our_ways(s) & ways(ours->direction);

	*out = (struct sip_media){
		.rtp = s->rtp,
		.rtcp = mux ? s->rtp : s->rtcp,
		.codec = s->pcma_first ? SIP_CODEC_PCMA : SIP_CODEC_PCMU,
		.payload = (uint8_t)(s->pcma_first ? s->pcma : s->pcmu),
		.dtmf = (uint8_t)(s->dtmf > 0 ? s->dtmf : 0),
		.cn = (uint8_t)(s->cn > 0 ? s->cn : 0),
		.ptime_ms = packet_time(s),
		.direction = direction(way),
		.mux = mux,
		.source = *source,
	};
	out->source.port = 0;
	if (s->held) {
		/* connect() to 0.0.0.0 would reach ourselves */
		out->rtp = out->rtcp = (struct hf_addr){ .family = 0 };
		return true;
	}
	if (s->named || s->rtp.family == 0) {
		/* We ask no name server in the middle of a call: his packets
		 * will say where he is, and his signalling is a good guess. */
		if (source->family == 0)
			return false;
		out->rtp = out->rtcp = *source;
		out->rtp.port = s->port;
		out->rtcp.port = mux ? s->port : s->rtcp.port;
		out->latch = SIP_LATCH_HOST;
		return true;
	}
	if (s->rtp.family != ours->rtp.family)
		return false;
	out->latch = ours->latch;
	if (ours->latch == SIP_LATCH_HOST && !behind_nat(s, source))
		out->latch = SIP_LATCH_NEVER;
	return true;
}

/* ---- writing ------------------------------------------------------------- */

/* Payload types of one line of ours, in order; -1 is left out. */
struct formats {
	int pt[4];
	const char *name[4];
};

static void
put_address(struct hf_buf *b, const struct hf_addr *a)
{
	hf_buf_str(b, a->family == 6 ? "IN IP6 " : "IN IP4 ");
	hf_addr_put_ip(b, a);
	hf_buf_str(b, "\r\n");
}

static void
put_attribute(struct hf_buf *b, const char *name, unsigned value)
{
	hf_buf_str(b, "a=");
	hf_buf_str(b, name);
	hf_buf_u64(b, value);
	hf_buf_str(b, "\r\n");
}

static void
put_audio(struct hf_buf *b, struct hf_slice proto, const struct sdp_ours *ours,
    const struct formats *f, uint8_t ptime, enum sip_direction way, bool mux)
{
	static const char *const directions[] = { "a=sendrecv\r\n",
		"a=sendonly\r\n", "a=recvonly\r\n", "a=inactive\r\n" };
	uint16_t rtcp = ours->rtcp_port;

	hf_buf_str(b, "m=audio ");
	hf_buf_u64(b, ours->rtp.port);
	hf_buf_char(b, ' ');
	hf_buf_slice(b, proto);
	for (size_t i = 0; i < HF_LEN(f->pt); i++) {
		if (f->pt[i] < 0)
			continue;
		hf_buf_char(b, ' ');
		hf_buf_u64(b, (uint64_t)f->pt[i]);
	}
	hf_buf_str(b, "\r\n");
	for (size_t i = 0; i < HF_LEN(f->pt); i++) {
		if (f->pt[i] < 0)
			continue;
		hf_buf_str(b, "a=rtpmap:");
		hf_buf_u64(b, (uint64_t)f->pt[i]);
		hf_buf_char(b, ' ');
		hf_buf_str(b, f->name[i]);
		hf_buf_str(b, "/8000\r\n");
		if (f->name[i][0] == 't') {
			hf_buf_str(b, "a=fmtp:");
			hf_buf_u64(b, (uint64_t)f->pt[i]);
			hf_buf_str(b, " 0-16\r\n");
		}
	}
	put_attribute(b, "ptime:", ptime);
	if (rtcp != 0 && rtcp != ours->rtp.port + 1)
		put_attribute(b, "rtcp:", rtcp);
	if (mux)
		hf_buf_str(b, "a=rtcp-mux\r\n");
	hf_buf_str(b, directions[way]);
}

static void
put_refused(struct hf_buf *b, const struct sdp_refused *r)
{
	hf_buf_str(b, "m=");
	hf_buf_str(b, r->kind);
	hf_buf_str(b, " 0 ");
	hf_buf_str(b, r->proto);
	hf_buf_char(b, ' ');
	hf_buf_str(b, r->format);
	hf_buf_str(b, "\r\n");
}

/* As much of a foreign word as is safe and fits. */
static void
keep_word(char *to, size_t cap, struct hf_slice word)
{
	size_t n = 0;

	while (n < word.n && n + 1 < cap &&
	       (is(word.p[n], C_TOKEN) || word.p[n] == '/'))
		n++;
	if (n == 0)
		word = HF_SLICE("-"), n = 1;
	memcpy(to, word.p, n);
	memset(to + n, 0, cap - n);
}

/* The whole description: what stands in front of the media lines, with the
 * version that tells whether anything changed. */
static void
say(struct hf_buf *b, struct sdp_state *state, const struct sdp_ours *ours,
    struct hf_slice time, struct hf_slice media)
{
	static const struct hf_hash_key key = { { 0x68663a73, 0x64703a31 } };
	char memory[SDP_ROOM];
	struct hf_buf rest = hf_buf_on(memory, sizeof(memory));
	struct hf_slice text;
	uint64_t hash;

	put_address(&rest, &ours->rtp);
	hf_buf_str(&rest, "s=-\r\nc=");
	put_address(&rest, &ours->rtp);
	hf_buf_str(&rest, "t=");
	hf_buf_slice(&rest, time);
	hf_buf_str(&rest, "\r\n");
	hf_buf_slice(&rest, media);
	hf_assert(!rest.overflow);
	text = hf_buf_taken(&rest);

	hash = hf_hash(&key, text.p, text.n);
	if (state->version == 0 || hash != state->said)
		state->version++;
	state->said = hash;
	hf_buf_str(b, "v=0\r\no=- ");
	/* RFC 3264 5: fits a 64-bit signed integer. */
	hf_buf_u64(b, state->session & INT64_MAX);
	hf_buf_char(b, ' ');
	hf_buf_u64(b, state->version);
	hf_buf_char(b, ' ');
	hf_buf_slice(b, text);
}

/* RFC 3264 6: the answer's t= is the offer's; but only digits of it. */
static struct hf_slice
same_time(struct hf_slice time)
{
	for (size_t i = 0; i < time.n; i++)
		if (!is(time.p[i], C_DIGIT) && time.p[i] != ' ')
			return HF_SLICE("0 0");
	return time.n > 0 && time.n < 44 ? time : HF_SLICE("0 0");
}

/* ---- answering ----------------------------------------------------------- */

static void
remember(struct sdp_state *state, const struct sdp_stream *s)
{
	state->pcmu = (uint8_t)(s->pcmu + 1);
	state->pcma = (uint8_t)(s->pcma + 1);
	state->dtmf = (uint8_t)(s->dtmf + 1);
	state->cn = (uint8_t)(s->cn + 1);
}

/* The answer's media lines, and the state after it. */
static void
answer_lines(struct hf_buf *b, struct sdp_state *state, const struct sdp *offer,
    unsigned audio, const struct sdp_ours *ours, const struct sip_media *m)
{
	state->streams = offer->streams;
	state->audio = (uint8_t)audio;
	for (unsigned i = 0; i < offer->streams; i++) {
		const struct sdp_stream *s = &offer->stream[i];
		struct sdp_refused *r = &state->refused[i];

		keep_word(r->kind, sizeof(r->kind), s->kind);
		keep_word(r->proto, sizeof(r->proto), s->proto);
		keep_word(r->format, sizeof(r->format), s->first_format);
		if (i == audio) {
			struct formats f = {
				.pt = { m->payload, s->dtmf > 0 ? s->dtmf : -1,
				    s->cn > 0 ? s->cn : -1, -1 },
				.name = { m->codec == SIP_CODEC_PCMA ? "PCMA"
								     : "PCMU",
				    "telephone-event", "CN" },
			};

			remember(state, s);
			put_audio(b, hf_slice_of(r->proto), ours, &f,
			    m->ptime_ms, m->direction, m->mux);
		} else {
			put_refused(b, r);
		}
	}
}

uint16_t
sdp_answer(struct hf_buf *b, struct sdp_state *state, const struct sdp *offer,
    const struct sdp_ours *ours, const struct hf_addr *source,
    struct sip_media *out)
{
	char memory[SDP_ROOM];
	struct hf_buf lines = hf_buf_on(memory, sizeof(memory));
	unsigned audio = choose(offer, state);
	bool again = state->streams > 0;

	*out = (struct sip_media){ .codec = SIP_CODEC_NONE };
	if (audio != NO_AUDIO) {
		const struct sdp_stream *s = &offer->stream[audio];

		if (!media_of(s, ours, source, s->mux, out)) {
			*out = (struct sip_media){ .codec = SIP_CODEC_NONE };
			return 488;
		}
	} else if (!again) {
		return 488;
	} else {
		/* Enabled audio that we cannot carry is refused; audio that
		 * they switched off is agreed to. */
		for (unsigned i = 0; i < offer->streams; i++)
			if (is_ours(&offer->stream[i]) &&
			    offer->stream[i].port != 0)
				return 488;
	}
	answer_lines(&lines, state, offer, audio, ours, out);
	hf_assert(!lines.overflow);
	say(b, state, ours, same_time(offer->time), hf_buf_taken(&lines));
	return 0;
}

/* ---- offering ------------------------------------------------------------ */

/* Where our audio line goes among those that were there before. */
static void
place_audio(struct sdp_state *state)
{
	if (state->streams > 0 && state->audio < state->streams)
		return;
	for (unsigned i = 0; i < state->streams; i++) {
		if (strcmp(state->refused[i].kind, "audio") == 0) {
			state->audio = (uint8_t)i;
			return;
		}
	}
	state->audio = state->streams;
	if (state->streams == SDP_STREAMS_MAX)
		state->audio = SDP_STREAMS_MAX - 1;
	else
		state->streams++;
	keep_word(state->refused[state->audio].kind,
	    sizeof(state->refused[0].kind), HF_SLICE("audio"));
	keep_word(state->refused[state->audio].proto,
	    sizeof(state->refused[0].proto), HF_SLICE("RTP/AVP"));
	keep_word(state->refused[state->audio].format,
	    sizeof(state->refused[0].format), HF_SLICE("0"));
}

void
sdp_offer(
    struct hf_buf *b, struct sdp_state *state, const struct sdp_ours *ours)
{
	char memory[SDP_ROOM];
	struct hf_buf lines = hf_buf_on(memory, sizeof(memory));
	bool alaw = ours->first == SIP_CODEC_PCMA;
	int pcmu = state->pcmu > 0 ? state->pcmu - 1 : 0;
	int pcma = state->pcma > 0 ? state->pcma - 1 : 8;
	/* RFC 3264 8.3.2: a number once given keeps its meaning. */
	struct formats f = {
		.pt = { alaw ? pcma : pcmu, alaw ? pcmu : pcma,
		    state->dtmf > 0 ? state->dtmf - 1 : SDP_DTMF_PT,
		    !ours->cn       ? -1
		    : state->cn > 0 ? state->cn - 1
				    : SDP_CN_PT },
		.name = { alaw ? "PCMA" : "PCMU", alaw ? "PCMU" : "PCMA",
		    "telephone-event", "CN" },
	};

	place_audio(state);
	for (unsigned i = 0; i < state->streams; i++) {
		if (i == state->audio)
			put_audio(&lines, hf_slice_of(state->refused[i].proto),
			    ours, &f,
			    ours->ptime_ms != 0 ? ours->ptime_ms : PTIME_USUAL,
			    ours->direction, ours->mux);
		else
			put_refused(&lines, &state->refused[i]);
	}
	hf_assert(!lines.overflow);
	say(b, state, ours, HF_SLICE("0 0"), hf_buf_taken(&lines));
}

uint16_t
sdp_accept(struct sdp_state *state, const struct sdp *answer,
    const struct sdp_ours *ours, const struct hf_addr *source,
    struct sip_media *out)
{
	const struct sdp_stream *s;

	*out = (struct sip_media){ .codec = SIP_CODEC_NONE };
	if (state->audio >= answer->streams)
		return 488;
	s = &answer->stream[state->audio];
	if (!usable(s) ||
	    !media_of(s, ours, source, s->mux && ours->mux, out)) {
		*out = (struct sip_media){ .codec = SIP_CODEC_NONE };
		return 488;
	}
	return 0;
}

bool
sip_media_eq(const struct sip_media *a, const struct sip_media *b)
{
	return hf_addr_eq(&a->rtp, &b->rtp) && hf_addr_eq(&a->rtcp, &b->rtcp) &&
	       a->codec == b->codec && a->payload == b->payload &&
	       a->dtmf == b->dtmf && a->cn == b->cn &&
	       a->ptime_ms == b->ptime_ms && a->direction == b->direction &&
	       a->mux == b->mux && a->latch == b->latch &&
	       hf_addr_eq(&a->source, &b->source);
}
