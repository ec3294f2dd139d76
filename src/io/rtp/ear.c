/* io/rtp/ear - see ear.h */

#include "io/rtp/ear.h"

#include <string.h>

enum {
	ABOVE_FLOOR = 9, /* dB a voice must rise above the noise */
	FLOOR_MAX = 55,  /* a room louder than this is a voice */
	FLOOR_RISE = 1,  /* sixteenths of a dB a frame: 3 dB a second */
	POWER_SHIFT = 4, /* g711_power is the square shifted by this */
	CLIP_LOUD = 76,  /* 15 % of samples at the end of the scale */
	STRIDE = 2,      /* every second sample tells a frame's energy */
};

/* 10 log10(v), a third of a decibel exact. */
static uint8_t
decibel(uint32_t v)
{
	uint32_t e, frac;

	if (v == 0)
		return 0;
	e = 31 - (uint32_t)__builtin_clz(v);
	frac = e >= 4 ? (v >> (e - 4)) & 15 : (v << (4 - e)) & 15;
	return (uint8_t)(((e * 16 + frac) * 3083 + 8192) / 16384);
}

static bool
is_constant(const uint8_t *p, uint16_t n)
{
	return memcmp(p, p + 1, (size_t)n - 1) == 0;
}

static uint8_t
clipped_pct(enum g711_law law, const uint8_t *p, uint16_t n)
{
	uint8_t top = law == G711_PCMA ? 0x2a : 0x00; /* of either sign */
	uint32_t clipped = 0;

	for (uint16_t i = 0; i < n; i++)
		clipped += (p[i] & 0x7f) == top;
	return (uint8_t)(clipped * 100 / n);
}

struct ear_frame
ear_listen(enum g711_law law, const uint8_t *p, uint16_t n)
{
	const uint32_t *power = g711_power[law];
	uint64_t sum = 0;
	uint32_t turns = 0, heard = n / STRIDE;
	struct ear_frame f = { 0 };

	if (heard == 0)
		return f;
	for (uint16_t i = 0; i + 1 < n; i += STRIDE) {
		sum += power[p[i]];
		turns += (uint32_t)(p[i] ^ p[i + 1]) >> 7;
	}
	f.loud = decibel((uint32_t)(sum / heard) << POWER_SHIFT);
	f.turns_pct = (uint8_t)(turns * 100 / heard);
	/* Only what is loud can be clipped, and what never crosses zero be
	 * constant: most frames are spared the second look. */
	if (f.loud >= CLIP_LOUD)
		f.clipped_pct = clipped_pct(law, p, n);
	if (turns == 0)
		f.constant = is_constant(p, n);
	f.silent = f.constant && power[p[0]] <= power[G711_PCMA_SILENCE];
	return f;
}

bool
ear_speaks(struct ear_floor *f, uint8_t loud)
{
	uint16_t now16 = (uint16_t)(loud * 16);

	if (f->frames == 0) /* he may be in the middle of a word */
		f->floor16 = loud < EAR_QUIET ? now16 : EAR_QUIET * 16;
	else if (now16 < f->floor16)
		f->floor16 = now16;
	else if (f->floor16 < FLOOR_MAX * 16)
		f->floor16 = (uint16_t)(f->floor16 + FLOOR_RISE);
	if (f->frames < UINT16_MAX)
		f->frames++;
	return loud >= EAR_QUIET && loud >= f->floor16 / 16 + ABOVE_FLOOR;
}
