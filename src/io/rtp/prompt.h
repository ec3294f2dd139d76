/*
 * io/rtp/prompt - spoken words and music, as G.711 ready to send: a wav file
 * (8 or 16 kHz, mono, 16-bit PCM) is decoded once at start, so that a rescue
 * needs no disk, no synthesis and no allocation.
 */
#ifndef HF_IO_RTP_PROMPT_H
#define HF_IO_RTP_PROMPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/prompt.h" /* the numbers in PLAY_PROMPT's list */

enum { PROMPT_NR = PROMPT_END };

/* One sound in both laws. */
struct clip {
	const uint8_t *law[2]; /* by enum g711_law */
	uint32_t n;            /* samples; 0: there is no such sound */
	bool loops;
};

/* All sounds of the house, and the hiss that says the line is open. */
struct prompt_book {
	struct clip clip[PROMPT_NR];
	struct clip comfort;
};

/* The synthetic ones and the comfort noise; call g711_init() before.  A
 * spoken prompt that has no file is a tone, so that there is always a voice:
 * false when memory is short. */
bool prompt_synthesize(struct prompt_book *b);

/* From a file; false, and why, leaves what was there. */
bool prompt_load(
    struct prompt_book *b, unsigned at, const char *path, const char **why);

enum { PROMPT_NUMBERS = 100 };

/* The file of a number that has a recording of its own, under dir; false: it
 * is said in two words. */
bool prompt_digit_path(char *to, size_t cap, const char *dir, unsigned number);

/* Numbers 0 to 99 out of DIR/digits/N.wav ("40" and "2" make "42"); how many
 * there are afterwards. */
unsigned prompt_load_digits(struct prompt_book *b, const char *dir);

/* The sound, or the one that stands in for it; never without samples. */
const struct clip *prompt_clip(const struct prompt_book *b, unsigned at);

#endif
