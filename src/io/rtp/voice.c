/* io/rtp/voice - see voice.h */

#include "io/rtp/voice.h"

#include "base/check.h"

enum {
	SEEN = 64,                 /* so far back a late packet may come */
	MISORDER_MAX = 100,        /* further back it is a new numbering */
	DROPOUT_MAX = 3000,        /* RFC 3550 A.1: so is a leap */
	LEAP_MAX = 10 * G711_RATE, /* of a timestamp beyond what time passed */
	CN_SAMPLES = VOICE_PTIME * G711_PER_MS,
	GAP_MAX_MS = 3600 * 1000,
};

void
voice_init(struct voice *v, const struct voice_format *f, uint32_t ssrc,
    uint16_t seq, uint32_t ts)
{
	*v = (struct voice){
		.format = *f,
		.ssrc = ssrc,
		.seq = seq,
		.ts = ts,
		.mark = true,
	};
}

void
voice_format(struct voice *v, const struct voice_format *f)
{
	v->format = *f;
}

enum voice_kind
voice_kind_of(const struct voice_format *f, uint8_t payload)
{
	if (payload == f->payload)
		return f->law == G711_PCMU ? VOICE_PCMU : VOICE_PCMA;
	if (payload == f->dtmf && f->dtmf != 0)
		return VOICE_DTMF;
	if (payload == RTP_CN || (payload == f->cn && f->cn != 0))
		return VOICE_CN;
	if (payload == RTP_PCMU)
		return VOICE_PCMU;
	if (payload == RTP_PCMA)
		return VOICE_PCMA;
	return VOICE_OTHER;
}

void
voice_turn(struct voice *v)
{
	v->relaying = false;
	v->mark = true;
}

/* Samples from the last packet's start to "at": never less than its length,
 * or two packets would cover the same moment. */
static uint32_t
elapsed(const struct voice *v, struct hf_time at)
{
	int64_t us = hf_time_since(v->at, at).us;
	uint32_t n = v->samples;

	if (!v->begun || us <= 0)
		return n;
	if (us > (int64_t)GAP_MAX_MS * 1000)
		us = (int64_t)GAP_MAX_MS * 1000;
	if (us * G711_PER_MS / 1000 > n)
		n = (uint32_t)(us * G711_PER_MS / 1000);
	return n;
}

/* The source's numbering begins, or begins anew, behind all we have sent. */
static void
map_source(struct voice *v, const struct rtp_packet *p, struct hf_time now)
{
	uint16_t seq = (uint16_t)(v->seq + 1);

	v->relaying = true;
	v->in_ssrc = p->ssrc;
	v->in_seq = (uint16_t)(p->seq - 1); /* so that p is one ahead */
	v->in_ts = p->ts;
	v->seen = 0;
	v->seq_shift = (uint16_t)(seq - p->seq);
	v->seq_floor = seq;
	v->ts_shift = v->ts + elapsed(v, now) - p->ts;
}

static void
map_timestamp(struct voice *v, const struct rtp_packet *p, struct hf_time now)
{
	v->ts_shift = v->ts + elapsed(v, now) - p->ts;
	v->in_ts = p->ts;
}

/* Is this the source and the numbering we know? */
static bool
follows(const struct voice *v, const struct rtp_packet *p)
{
	int16_t ahead = (int16_t)(p->seq - v->in_seq);

	return v->relaying && p->ssrc == v->in_ssrc && ahead > -MISORDER_MAX &&
	       ahead < DROPOUT_MAX;
}

/* A packet from behind: false when it is a duplicate, too late, or older than
 * this source's first, whose numbers belong to someone else. */
static bool
take_late(struct voice *v, const struct rtp_packet *p)
{
	uint16_t behind = (uint16_t)(v->in_seq - p->seq);
	uint16_t out = (uint16_t)(p->seq + v->seq_shift);

	if (behind >= SEEN || (v->seen & (uint64_t)1 << behind) != 0 ||
	    (int16_t)(out - v->seq_floor) < 0)
		return false;
	v->seen |= (uint64_t)1 << behind;
	return true;
}

static void
take_next(struct voice *v, const struct rtp_packet *p)
{
	uint16_t ahead = (uint16_t)(p->seq - v->in_seq);

	v->seen = ahead >= SEEN ? 1 : v->seen << ahead | 1;
	v->in_seq = p->seq;
	v->seq = (uint16_t)(p->seq + v->seq_shift);
}

/* All packets of one event carry the time it began. */
static uint32_t
event_timestamp(struct voice *v, const struct rtp_packet *p, struct hf_time now)
{
	if (v->in_event && v->event_ssrc == p->ssrc && v->event_in == p->ts)
		return v->event_out;
	v->in_event = true;
	v->event_ssrc = p->ssrc;
	v->event_in = p->ts;
	v->event_out = p->ts + v->ts_shift;
	if ((int32_t)(v->event_out - v->ts) <= 0)
		v->event_out = v->ts + elapsed(v, now);
	v->ts = v->event_out;
	v->at = now;
	return v->event_out;
}

static uint32_t
audio_timestamp(struct voice *v, const struct rtp_packet *p, uint16_t samples,
    struct hf_time now)
{
	uint32_t step = p->ts + v->ts_shift - v->ts;

	if ((int32_t)step <= 0 || step > elapsed(v, now) + LEAP_MAX)
		map_timestamp(v, p, now);
	v->in_ts = p->ts;
	v->ts = p->ts + v->ts_shift;
	v->samples = samples;
	v->at = now;
	return v->ts;
}

/* What the kind becomes in this party's terms; false: he cannot take it. */
static bool
translate(const struct voice *v, struct rtp_packet *p, enum voice_kind kind)
{
	switch (kind) {
	case VOICE_PCMU:
	case VOICE_PCMA:
		if (p->n == 0)
			return false;
		if ((kind == VOICE_PCMA) != (v->format.law == G711_PCMA))
			g711_transcode(
			    kind == VOICE_PCMA ? G711_PCMA : G711_PCMU, p->body,
			    p->n);
		p->payload = v->format.payload;
		return true;
	case VOICE_CN:
		p->payload = v->format.cn;
		return v->format.cn != 0;
	case VOICE_DTMF:
		p->payload = v->format.dtmf;
		return v->format.dtmf != 0 && p->n >= 4;
	case VOICE_OTHER:
		return false;
	}
	hf_never("no such kind");
}

uint8_t *
voice_relay(struct voice *v, struct rtp_packet *p, enum voice_kind kind,
    struct hf_time now, uint16_t *n)
{
	bool audio = kind == VOICE_PCMU || kind == VOICE_PCMA;

	if (!translate(v, p, kind)) {
		v->dropped++;
		return NULL;
	}
	if (!follows(v, p))
		map_source(v, p, now);
	if ((int16_t)(p->seq - v->in_seq) > 0) {
		uint32_t ts;

		take_next(v, p);
		ts = kind == VOICE_DTMF ? event_timestamp(v, p, now)
					: audio_timestamp(v, p,
					      audio ? p->n : CN_SAMPLES, now);
		p->ts = ts;
	} else if (take_late(v, p)) {
		p->ts = v->in_event && v->event_ssrc == p->ssrc &&
				v->event_in == p->ts && kind == VOICE_DTMF
			    ? v->event_out
			    : p->ts + v->ts_shift;
	} else {
		v->dropped++;
		return NULL;
	}
	p->seq = (uint16_t)(p->seq + v->seq_shift);
	p->ssrc = v->ssrc;
	if (audio && v->mark) {
		p->marker = true;
		v->mark = false;
	}
	v->begun = true;
	v->packets++;
	v->octets += p->n;
	*n = (uint16_t)(p->n + RTP_HEADER_LEN);
	return rtp_put_header(p);
}

uint8_t *
voice_say(struct voice *v, uint8_t *frame, uint16_t n, struct hf_time at)
{
	struct rtp_packet p = {
		.payload = v->format.payload,
		.marker = v->mark,
		.seq = (uint16_t)(v->seq + 1),
		.ts = v->ts + elapsed(v, at),
		.ssrc = v->ssrc,
		.body = frame,
		.n = n,
	};

	hf_assert(n > 0);
	v->relaying = false;
	v->mark = false;
	v->begun = true;
	v->seq = p.seq;
	v->ts = p.ts;
	v->samples = n;
	v->at = at;
	v->packets++;
	v->octets += n;
	return rtp_put_header(&p);
}

struct hf_span
voice_hole(const struct voice *v, struct hf_time at)
{
	return v->begun ? hf_time_since(v->at, at) : (struct hf_span){ 0 };
}
