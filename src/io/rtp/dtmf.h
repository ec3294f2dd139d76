/*
 * io/rtp/dtmf - keys from RFC 4733 events: each key once, however often its
 * packets come, and also when its last ones are lost.
 */
#ifndef HF_IO_RTP_DTMF_H
#define HF_IO_RTP_DTMF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "io/rtp/rtp.h"

struct dtmf_key {
	char digit; /* '0'-'9', '*', '#', 'A'-'D' */
	uint16_t ms;
};

/* A value; zero is a good beginning. */
struct dtmf {
	bool held;  /* a key is down; it has not been told yet */
	bool known; /* ssrc and ts are of the last event */
	uint8_t event;
	uint16_t samples;
	uint32_t ssrc, ts;
	struct hf_time last;
};

/* An event packet: true when it completes a key. */
bool dtmf_hear(struct dtmf *d, const struct rtp_packet *p, struct hf_time now,
    struct dtmf_key *out);

/* Nothing came for "gap": a key whose end was lost is over.  True then. */
bool dtmf_age(struct dtmf *d, struct hf_time now, struct hf_span gap,
    struct dtmf_key *out);

#endif
