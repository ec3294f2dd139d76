/*
 * io/rtp/ear - what one frame of G.711 sounds like, for those who judge
 * whether someone is speaking, stuck or broken.  It listens; it decides
 * nothing.
 */
#ifndef HF_IO_RTP_EAR_H
#define HF_IO_RTP_EAR_H

#include <stdbool.h>
#include <stdint.h>

#include "io/rtp/g711.h"

struct ear_frame {
	uint8_t loud;        /* dB of mean energy: 0 silence, 87 full scale */
	uint8_t clipped_pct; /* samples at the very end of the scale */
	uint8_t turns_pct;   /* neighbours of different sign: noise is 50 */
	bool constant;       /* one value all along */
	bool silent;         /* ... and that value is silence */
};

enum {
	EAR_QUIET = 40, /* below: nobody speaks, whatever the line hums */
	EAR_DBM0 = 84,  /* what 0 dBm0 comes to on this scale */
};

struct ear_frame ear_listen(enum g711_law law, const uint8_t *p, uint16_t n);

/*
 * Does a voice rise above the room it is in?  Learns the noise floor: it falls
 * at once and rises slowly.  A value; zero is a good beginning.
 */
struct ear_floor {
	uint16_t floor16; /* loudness times 16 */
	uint16_t frames;  /* heard so far, to 65535 */
};

bool ear_speaks(struct ear_floor *f, uint8_t loud);

#endif
