/*
 * io/sip/trace - the last SIP messages, as they were on the wire, for the
 * operator who asks "what did they say?" (hfctl trace draws them).  A ring of
 * bytes in the caller's memory: what is new pushes out what is oldest.  Digest
 * responses are masked before they go in.
 */
#ifndef HF_IO_SIP_TRACE_H
#define HF_IO_SIP_TRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/slice.h"
#include "base/time.h"

struct sip_trace {
	uint8_t *ring;
	uint32_t cap;
	uint64_t head, tail; /* ever written, oldest kept; place = % cap */
	uint64_t dropped;    /* messages that were larger than a quarter */
};

struct sip_traced {
	struct hf_wall at;
	uint64_t leg; /* 0: none, as OPTIONS and REGISTER */
	struct hf_addr local, remote;
	uint8_t transport;     /* 0 UDP, 1 TCP */
	bool out;              /* we sent it */
	bool plain;            /* put: known to hold no digest response */
	struct hf_slice bytes; /* valid until the next put */
};

/* cap: at least 4096. */
void sip_trace_init(struct sip_trace *t, void *memory, uint32_t cap);
void sip_trace_put(struct sip_trace *t, const struct sip_traced *m);

/* Walks from the oldest to the newest: *at starts as 0.  False at the end.
 * legs: only these, all when none are given. */
bool sip_trace_next(const struct sip_trace *t, uint64_t *at,
    const uint64_t *leg, unsigned legs, struct sip_traced *out);

#endif
