/*
 * io/rtp/wav - a RIFF file of spoken words, as somebody's editor wrote it:
 * every length in it is a claim to be checked.
 */
#ifndef HF_IO_RTP_WAV_H
#define HF_IO_RTP_WAV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct wav {
	uint32_t rate;         /* 8000 or 16000 */
	const uint8_t *sample; /* 16 bits, little-endian, inside the file */
	uint32_t n;            /* samples */
};

/* False, and why in a word, for all but mono PCM of 16 bits. */
bool wav_open(struct hf_slice file, struct wav *out, const char **why);

/* As 8 kHz: at 16 kHz every second sample behind a low-pass (-33 dB at
 * 4.4 kHz, flat to 3 kHz).  "to" takes wav_length() samples. */
uint32_t wav_length(const struct wav *w);
void wav_read(const struct wav *w, int16_t *to);

#endif
