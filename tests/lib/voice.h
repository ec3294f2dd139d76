/*
 * tests/lib/voice - who is speaking?  Every actor of a test talks in a pair of
 * tones of his own, with a loudness that changes from frame to frame as
 * speech does, so that whoever receives a 20 ms frame can tell whose it is,
 * also after a change of codec.  What is loud and nobody's is a prompt or
 * music; what is faint is comfort noise.
 *
 * Written apart from src/io/rtp on purpose: a fault there must not be
 * mirrored here.
 */
#ifndef HF_TESTS_VOICE_H
#define HF_TESTS_VOICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	VOICE_RATE = 8000, /* samples a second */
	VOICE_FRAME = 160, /* samples in 20 ms */
	VOICE_ACTORS = 36, /* different voices: 0 to 35 */
	VOICE_LEVELS = 16, /* loudnesses */
};

/* What a frame is, when it is not an actor's (0 to VOICE_ACTORS - 1). */
enum {
	VOICE_SILENT = -1, /* digital silence */
	VOICE_FAINT = -2,  /* comfort noise, a pause in speech */
	VOICE_OTHER = -3,  /* loud, of no actor: prompt, music, tone */
	VOICE_EVENT = -4,  /* an RFC 4733 event packet */
	VOICE_NONE = -5,   /* cannot be told: empty, or another codec */
};

enum voice_law { VOICE_PCMU = 0, VOICE_PCMA = 8 };

/* One sample to and from G.711. */
uint8_t voice_encode(enum voice_law law, int16_t linear);
int16_t voice_decode(enum voice_law law, uint8_t byte);

/* Loudness of the n-th frame of speech, without a period and without nearly
 * one: what a multiplication alone gives comes close to itself again after
 * each Fibonacci number of frames, and an ear that looks for loops hears it. */
int voice_level(uint32_t n);

/* count samples of an actor's speech from sample place `at` on (the phase
 * runs on over calls when at does).  level: 0 (faintest) to 15. */
void voice_speak(enum voice_law law, int actor, int level, uint32_t at,
    uint8_t *out, size_t count);

/* Whose frame is it?  count: samples, best 160 or more; 80 will do. */
int voice_whose(enum voice_law law, const uint8_t *p, size_t count);

/* Mean of the absolute sample, 0 to 32767. */
int voice_loudness(enum voice_law law, const uint8_t *p, size_t count);

#endif
