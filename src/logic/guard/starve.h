/*
 * logic/guard/starve - is the helper's audio still coming?  One watch a
 * stream, asked by its deadline, so that a thousand of them cost a scan.
 *
 *             packet              suspect          voice
 *   WAITING ---------> WELL ----------------> SUSPECT ------> VOICED
 *      |                ^ |                       |              |
 *      | never          | '--> LULL (its own      |              |
 *      v                |       silence, if it    |              |
 *   VOICED              |       suppresses it)    |              |
 *                       '------- packet ----------+--------------'
 *
 * What it does not take for a failing: hold; a sender that stops sending while
 * it has nothing to say (silence suppression, learned from comfort noise
 * packets, and from gaps in which no packet is missing: the next number with a
 * marker bit or a leap in its timestamp); a sender that delivers in bursts; our
 * own stall.  And on a path that has swallowed stretches before,
 * it waits longer with the prompt (the comfort noise comes in time), and asks
 * for grace before the helper is given up.
 *
 * Pure: no I/O, no clock, no allocation.
 */
#ifndef HF_LOGIC_GUARD_STARVE_H
#define HF_LOGIC_GUARD_STARVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

enum starve_state {
	STARVE_OFF,     /* not watched */
	STARVE_WAITING, /* answered; nothing came yet */
	STARVE_WELL,
	STARVE_LULL,    /* silent, as it is its way; nobody is blamed */
	STARVE_SUSPECT, /* comfort noise */
	STARVE_VOICED,  /* the bridging prompt */
	STARVE_HELD,
};
enum { STARVE_NR = STARVE_HELD + 1 };

/* What a packet or the passing of time did; who watches must act on it. */
enum starve_event {
	STARVE_NOTHING,
	STARVE_HUSHED,     /* WELL -> LULL: comfort noise, no news */
	STARVE_RESUMED,    /* LULL -> WELL */
	STARVE_SUSPECTED,  /* -> SUSPECT */
	STARVE_SPOKEN_FOR, /* -> VOICED */
	STARVE_NEVER_CAME, /* WAITING -> VOICED */
	STARVE_RETURNED,   /* SUSPECT or VOICED -> WELL */
};

struct starve_conf {
	struct hf_span suspect; /* beyond the packet interval */
	struct hf_span voice;   /* beyond the packet interval */
	struct hf_span lost;    /* what hf-call waits; for the measure only */
	struct hf_span hush;    /* grace for a stranger whose silence began in a
				 * pause: he may suppress it */
	struct hf_span never;   /* answered, but nothing came */
	struct hf_span grace_max; /* at most, on a rough path */
	struct hf_span sign_max;  /* LULL: no RTCP for so long */
};

/* What a helper's streams learn from one another. */
struct starve_kin {
	uint32_t rough_us;    /* mean length of what its paths swallow, beyond
			       * the first suspicion */
	uint16_t gaps;        /* seen, to 65535 */
	uint16_t streams;     /* heard; of them: */
	uint16_t suppressing; /* streams that suppressed silence */
	uint16_t continuous;  /* streams that sent theirs */
};

struct starve_packet {
	uint32_t ssrc;
	uint16_t seq;
	uint8_t ms;  /* of audio in it; 0 for comfort noise and DTMF */
	uint32_t ts; /* at 8 kHz */
	bool marker;
	bool cn;
	bool quiet; /* so faint that it could have been left out */
};

/* A value without pointers: it may lie in a slot. */
struct starve {
	struct starve_conf conf;
	enum starve_state state;
	struct hf_time last; /* packet, or when the watch began; later by what
			      * we were stalled ourselves since */
	struct hf_time due;  /* call starve_age() then */
	struct hf_span shifted; /* last and due, since the last packet */
	struct hf_time sign;    /* RTCP came; 0 us: never twice */
	struct hf_span grace;   /* SUSPECT, VOICED: before this helper is given
				 * up, counted from last; at least conf.lost */
	uint32_t ssrc;
	uint16_t seq;
	uint32_t ts;
	uint8_t interval_ms; /* learned */
	uint8_t frame_ms;
	bool came;                /* last is a packet's */
	bool suppresses;          /* learned; not judged by gaps any more */
	bool continuous;          /* learned: sends its silence too */
	bool shown, sent_silence; /* it did so itself, not only its kin */
	bool hushed;              /* the gap began in silence */
	uint16_t quiet_ms;        /* what it just sent, without a voice in it */
	uint8_t burst_seen, burst_late; /* of the last packets, how many */
	uint16_t burst_ms;              /* mean of their gaps */
	uint32_t rough_us;              /* as in starve_kin, of this stream */
	uint16_t gaps;
	uint8_t signs; /* RTCP packets, to 255 */
	uint8_t skips; /* gaps without a loss, to 255 */
};

void starve_begin(struct starve *s, const struct starve_conf *c,
    const struct starve_kin *kin, struct hf_time now);
void starve_end(struct starve *s);

/* A packet.  kin is what its helper's streams share; it learns, too. */
enum starve_event starve_hear(struct starve *s, struct starve_kin *kin,
    const struct starve_packet *p, struct hf_time now);

/* due has come. */
enum starve_event starve_age(
    struct starve *s, const struct starve_kin *kin, struct hf_time now);

/* On hold, by the far end or by us; judged anew from the moment it ends. */
enum starve_event starve_hold(struct starve *s, bool held, struct hf_time now);

/* RTCP came: somebody is there, even if he has nothing to say. */
void starve_sign(struct starve *s, struct hf_time now);

/* We were late ourselves, by so much, so the silence is not all theirs.
 * Packets that waited in the sockets have been heard, at "now", before this is
 * called.  Who is late all the time must notice a dead helper all the same: in
 * one silence conf.lost is given once, though by one stall as long as it was.
 */
void starve_shift(
    struct starve *s, struct hf_span lateness, struct hf_time now);

const char *starve_state_name(enum starve_state s);

#endif
