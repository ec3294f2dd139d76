/*
 * io/rtp/prompt - spoken words and music, as G.711 ready to send: a wav file
 * (8 or 16 kHz, mono, 16-bit PCM) is decoded once at start, so that a rescue
 * needs no disk, no synthesis and no allocation.
 */
#ifndef HF_IO_RTP_PROMPT_H
#define HF_IO_RTP_PROMPT_H

#include <stddef.h>
#include <stdint.h>

/* Numbers in PLAY_PROMPT's list. */
#include "base/prompt.h"
enum { PROMPT_NR = PROMPT_QUEUE_MUSIC + 64 };

#endif
