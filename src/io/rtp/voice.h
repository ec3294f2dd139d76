/*
 * io/rtp/voice - what one party hears, as ONE stream for the whole call.  Who
 * speaks changes under it (a bot, comfort noise, a prompt, music, an agent);
 * the SSRC never does, and sequence and timestamp only ever grow, so that the
 * far end's jitter buffer sees nothing but an ordinary talker.
 *
 *   partner's packets --voice_relay--.
 *                                     >--- one SSRC, one numbering ---> party
 *   our own frames ------voice_say---'
 *
 * While the partner speaks, its own numbering is kept, shifted: what it lost
 * stays a gap, what it sent out of order goes out of order.  Pure; a plain
 * value without pointers.
 */
#ifndef HF_IO_RTP_VOICE_H
#define HF_IO_RTP_VOICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "io/rtp/g711.h"
#include "io/rtp/rtp.h"

/* What a packet carries. */
enum voice_kind {
	VOICE_PCMU,
	VOICE_PCMA,
	VOICE_CN,   /* RFC 3389 */
	VOICE_DTMF, /* RFC 4733 */
	VOICE_OTHER,
};

enum { VOICE_PTIME_MIN = 10, VOICE_PTIME_MAX = 60, VOICE_PTIME = 20 };

/* What the party agreed to receive. */
struct voice_format {
	uint8_t law;     /* enum g711_law */
	uint8_t payload; /* for it */
	uint8_t dtmf;    /* 0: none */
	uint8_t cn;      /* 0: none */
	uint8_t ptime_ms;
	uint8_t pad[3];
};

struct voice {
	struct voice_format format;
	uint32_t ssrc;
	uint16_t seq;      /* the highest sent */
	uint16_t samples;  /* its length */
	uint32_t ts;       /* the highest sent */
	struct hf_time at; /* when that was */
	bool begun;        /* something was sent */
	bool mark;         /* the next audio begins a talkspurt */
	bool relaying;     /* the rest is valid: */
	bool in_event;
	uint16_t seq_shift;
	uint16_t seq_floor; /* the first number of this source */
	uint32_t ts_shift;
	uint32_t in_ssrc;
	uint16_t in_seq; /* the highest of the source */
	uint32_t in_ts;
	uint64_t seen; /* bit n: in_seq - n has been sent */
	/* An event keeps its timestamp even when the source was interrupted
	 * in the middle of it: a second one would be a second key. */
	uint32_t event_ssrc, event_in, event_out;
	uint64_t packets, octets; /* sent */
	uint64_t dropped;         /* late, twice, or not understood there */
};

/* seq and ts should be random (RFC 3550 section 5.1). */
void voice_init(struct voice *v, const struct voice_format *f, uint32_t ssrc,
    uint16_t seq, uint32_t ts);

/* A re-INVITE changed what the party wants; the numbering goes on. */
void voice_format(struct voice *v, const struct voice_format *f);

/* What a payload number means in a stream whose sender agreed to "f". */
enum voice_kind voice_kind_of(const struct voice_format *f, uint8_t payload);

/* Another source speaks from here on. */
void voice_turn(struct voice *v);

/*
 * The partner's packet: rewritten in place, in the party's law and payload
 * types.  Returns where the datagram begins, NULL when it must not go out
 * (too late, a duplicate, a kind the party did not agree to); *n gets its
 * length.
 */
uint8_t *voice_relay(struct voice *v, struct rtp_packet *p,
    enum voice_kind kind, struct hf_time now, uint16_t *n);

/*
 * A frame of ours, already in the party's law, with RTP_HEADER_LEN bytes of
 * room before it.  at is when it was due, not when the tick came: lateness
 * must not creep into the timestamps.  Returns where the datagram begins.
 */
uint8_t *voice_say(
    struct voice *v, uint8_t *frame, uint16_t n, struct hf_time at);

/* Does "at" lie so far behind the last packet that the party heard a hole?
 * That hole. */
struct hf_span voice_hole(const struct voice *v, struct hf_time at);

#endif
