/*
 * io/sip/sdp - session descriptions (RFC 4566, RFC 8866) and what two sides
 * agree on (RFC 3264).  We carry one G.711 stream: the first usable audio
 * line is taken, every other is refused with port 0.
 *
 *   a caller's INVITE:    sdp_find, sdp_parse, sdp_answer  -> our answer, media
 *   without a body:       sdp_offer in the 200, sdp_parse + sdp_accept on ACK
 *   a leg that we ring:   sdp_offer, sdp_parse + sdp_accept
 *   re-INVITE, both ways: the same functions with the same struct sdp_state
 */
#ifndef HF_IO_SIP_SDP_H
#define HF_IO_SIP_SDP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/slice.h"
#include "io/sip/msg.h"

enum {
	SDP_STREAMS_MAX = 8, /* m-lines in one description */
	SDP_FORMATS_MAX = 32,
	SDP_LINES_MAX = 1000,
	SDP_ROOM = 1500,   /* what we write always fits into so many bytes */
	SDP_DTMF_PT = 101, /* in our own offers */
	SDP_CN_PT = 13,
};

/* Same values and fields as wire/msg.def's codec, direction and media. */
enum sip_codec { SIP_CODEC_NONE, SIP_CODEC_PCMU, SIP_CODEC_PCMA };
enum sip_direction {
	SIP_SENDRECV,
	SIP_SENDONLY,
	SIP_RECVONLY,
	SIP_INACTIVE,
};
/* Who may be latched to: also wire/msg.def. */
enum sip_latch { SIP_LATCH_NEVER, SIP_LATCH_HOST, SIP_LATCH_ANY };
struct sip_media {
	/* Family 0: nowhere to send to.  With a codec that is a party that
	 * holds the old way (c=0.0.0.0); without one there is no media. */
	struct hf_addr rtp, rtcp;
	enum sip_codec codec;
	uint8_t payload;              /* as the far end wants to receive it */
	uint8_t dtmf, cn;             /* payload types, 0 when none */
	uint8_t ptime_ms;             /* 10 to 60 */
	enum sip_direction direction; /* what WE may do */
	bool mux;
	enum sip_latch latch;
	struct hf_addr source; /* where the signalling came from */
};

/* One m-line with what the session level says about it already in it. */
struct sdp_stream {
	struct hf_slice kind, proto, first_format;
	uint16_t port; /* 0: disabled or refused */
	struct hf_addr rtp, rtcp;
	bool named; /* c= holds a host name, or nothing: rtp.family is 0 */
	bool held;  /* c= is 0.0.0.0 or ::, RFC 2543's way to hold */
	enum sip_direction direction; /* as the writer says it of himself */
	bool mux;
	uint8_t ptime_ms, maxptime_ms; /* 0 when absent */
	/* Payload types, -1 when absent. */
	int16_t pcmu, pcma, dtmf, cn;
	bool pcma_first; /* the writer likes it better than PCMU */
};

struct sdp {
	uint64_t session, version; /* of o= */
	struct hf_slice time;      /* of t= */
	uint8_t streams;
	struct sdp_stream stream[SDP_STREAMS_MAX];
};

/* What of us goes into a description. */
struct sdp_ours {
	struct hf_addr rtp;   /* address to advertise, with the RTP port */
	uint16_t rtcp_port;   /* 0: the next */
	enum sip_codec first; /* in an offer; NONE: PCMU */
	uint8_t ptime_ms;     /* 0: 20 */
	enum sip_direction direction; /* what we want, of us */
	/* Whether his packets may come from elsewhere than he says: NEVER, ANY,
	 * or (HOST) when his address and his signalling speak of NAT. */
	enum sip_latch latch;
	/* Put rtcp-mux, and comfort noise, into an offer; an answer follows
	 * the offer it is for. */
	bool mux, cn;
};

/*
 * What one dialog must remember between descriptions (RFC 3264 section 8):
 * plain, fixed-size, starts as zeros with a random session.  The version grows
 * only when what we say changed; refused m-lines keep their places.
 */
struct sdp_state {
	uint64_t session;
	uint64_t said; /* hash of our last description */
	uint32_t version;
	uint8_t streams;
	uint8_t audio;                /* which of them is ours */
	uint8_t dtmf, cn, pcmu, pcma; /* types once agreed, plus 1; 0: none */
	uint8_t pad[6];
	struct sdp_refused {
		char kind[12], proto[20], format[20];
	} refused[SDP_STREAMS_MAX];
};

/* May our answer to this INVITE be a session description?  Without an Accept
 * header it may (RFC 3261 20.1). */
bool sdp_is_accepted(const struct sip_msg *m);

/* The description in a message: its body, or the application/sdp part of a
 * multipart body (RFC 5621).  False when there is none; *status is then 415
 * for a body we must understand but cannot, else 0. */
bool sdp_find(const struct sip_msg *m, struct hf_slice *out, uint16_t *status);

/* False when it is malformed: 400, *why is static text for Warning and log. */
bool sdp_parse(struct hf_slice text, struct sdp *out, const char **why);

/*
 * Writes our answer to an offer.  Returns 0, or 488 when there is nothing in
 * common (then nothing is written and state is as before).  A re-offer that
 * disables its audio is answered, with codec NONE.  source is where the
 * message came from (family 0: unknown): behind NAT his
 * packets are expected from there.
 */
uint16_t sdp_answer(struct hf_buf *b, struct sdp_state *state,
    const struct sdp *offer, const struct sdp_ours *ours,
    const struct hf_addr *source, struct sip_media *out);

/* Writes our offer: the first one, or a later one of the same dialog. */
void sdp_offer(
    struct hf_buf *b, struct sdp_state *state, const struct sdp_ours *ours);

/* The far end's answer to sdp_offer().  488 when it refused the audio line or
 * chose what we did not offer: the leg is to be ended. */
uint16_t sdp_accept(struct sdp_state *state, const struct sdp *answer,
    const struct sdp_ours *ours, const struct hf_addr *source,
    struct sip_media *out);

/* Do the two say the same to hf-media? */
bool sip_media_eq(const struct sip_media *a, const struct sip_media *b);

/* 10/8, 172.16/12, 192.168/16, 100.64/10, 169.254/16, fc00::/7, fe80::/10. */
bool sdp_is_private(const struct hf_addr *a);

#endif
