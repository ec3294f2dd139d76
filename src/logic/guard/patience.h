/*
 * logic/guard/patience - is the helper useful?  Its packets may flow and carry
 * nothing: silence when it is its turn, the same two seconds again and again,
 * or noise.  Fed with what the ear heard of both parties, frame by frame.
 *
 * The turn is the helper's once the caller has spoken and stopped; it ends
 * when the helper speaks.  Before the caller has said anything nobody owes
 * anybody a word.
 *
 * Pure: no I/O, no clock, no allocation.
 */
#ifndef HF_LOGIC_GUARD_PATIENCE_H
#define HF_LOGIC_GUARD_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"

struct patience_conf {
	struct hf_span prompt; /* silent in its turn */
	struct hf_span lost;
	struct hf_span loop;    /* the same stretch of about this length, or */
	uint32_t loop_times;    /* shorter, heard so often; 0: do not judge */
	struct hf_span garbage; /* 0: do not judge */
	struct hf_span word;    /* so much of a voice is one, not a click */
	struct hf_span pause;   /* so much silence after it ends the turn */
};

enum patience_event {
	PATIENCE_NOTHING,
	PATIENCE_MUTE,   /* for conf.prompt */
	PATIENCE_LOST,   /* for conf.lost */
	PATIENCE_SPEAKS, /* again, after one of these */
	PATIENCE_LOOPED,
	PATIENCE_GARBLED,
};

/* What the ear says of a frame. */
struct patience_frame {
	uint8_t ms;
	uint8_t loud; /* dB, 87 is full scale */
	uint8_t clipped_pct;
	uint8_t turns_pct;
	bool constant; /* one value, which is not silence */
	bool speaks;
};

enum {
	PATIENCE_FRAMES = 512, /* of memory: ten seconds */
};

/* A value without pointers, some 600 bytes. */
struct patience {
	struct patience_conf conf;
	struct hf_time due;        /* call patience_age() then */
	struct hf_time turn_since; /* the caller's last word */
	bool turn;                 /* it is the helper's */
	bool mute;                 /* told so; lost, too, when */
	bool lost;
	bool looped, garbled;     /* told so */
	uint16_t caller_ms;       /* spoken without a break */
	uint16_t caller_pause_ms; /* and then been silent */
	uint16_t helper_ms;
	uint16_t clipped_pct; /* of the frames called garbage, the last */
	uint32_t garbage_ms;
	uint32_t frames;                /* of the helper, in print[] */
	uint8_t print[PATIENCE_FRAMES]; /* their loudness */
	uint8_t frame_ms;
};

/* The helper has joined. */
void patience_begin(
    struct patience *p, const struct patience_conf *c, struct hf_time now);

/* The caller's frame. */
enum patience_event patience_caller(
    struct patience *p, const struct patience_frame *f, struct hf_time now);

/* The helper's. */
enum patience_event patience_helper(
    struct patience *p, const struct patience_frame *f, struct hf_time now);

/* due has come. */
enum patience_event patience_age(struct patience *p, struct hf_time now);

/* No judging for now (hold), or anew from now on. */
void patience_rest(struct patience *p);

/* We were stalled ourselves. */
void patience_shift(struct patience *p, struct hf_span lateness);

#endif
