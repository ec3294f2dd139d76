/* io/rtp/dtmf - see dtmf.h */

#include "io/rtp/dtmf.h"

#include "io/rtp/g711.h"

enum { BODY_LEN = 4, END = 0x80 };

static const char digits[] = "0123456789*#ABCD";

static void
tell(struct dtmf *d, struct dtmf_key *out)
{
	d->held = false;
	*out = (struct dtmf_key){
		.digit = digits[d->event],
		.ms = d->samples / G711_PER_MS,
	};
}

bool
dtmf_hear(struct dtmf *d, const struct rtp_packet *p, struct hf_time now,
    struct dtmf_key *out)
{
	bool told = false;

	if (p->n < BODY_LEN || p->body[0] >= sizeof(digits) - 1)
		return false;
	if (!d->known || d->ssrc != p->ssrc || d->ts != p->ts) {
		/* Reordered behind its own end: that key is told already. */
		if (d->known && d->ssrc == p->ssrc &&
		    (int32_t)(p->ts - d->ts) < 0 &&
		    (int32_t)(d->ts - p->ts) < G711_RATE)
			return false;
		if (d->held) { /* the next key came before this one's end */
			tell(d, out);
			told = true;
		}
		d->known = d->held = true;
		d->ssrc = p->ssrc;
		d->ts = p->ts;
		d->samples = 0;
		d->event = p->body[0];
	} else if (!d->held) {
		return false; /* its end, repeated */
	}
	d->last = now;
	if ((uint16_t)(p->body[2] << 8 | p->body[3]) > d->samples)
		d->samples = (uint16_t)(p->body[2] << 8 | p->body[3]);
	/* Two keys in one packet's wake: the second waits for its repeats. */
	if ((p->body[1] & END) != 0 && !told) {
		tell(d, out);
		told = true;
	}
	return told;
}

bool
dtmf_age(struct dtmf *d, struct hf_time now, struct hf_span gap,
    struct dtmf_key *out)
{
	if (!d->held || hf_time_since(d->last, now).us < gap.us)
		return false;
	tell(d, out);
	return true;
}
