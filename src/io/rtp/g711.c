/* io/rtp/g711 - see g711.h */

#include "io/rtp/g711.h"

int16_t g711_linear[2][256];
uint32_t g711_power[2][256];
uint8_t g711_other[2][256];

enum {
	PCMU_BIAS = 0x84, /* 33 on the 14-bit scale of the standard */
	PCMU_MAX = 32635,
	PCMA_FLIP = 0x55, /* even bits are inverted on the line */
	SIGN = 0x80,
};

static int16_t
pcmu_linear(uint8_t byte)
{
	int u = ~byte & 0xff;
	int v = (((u & 0x0f) << 3) + PCMU_BIAS) << ((u & 0x70) >> 4);

	return (int16_t)(u & SIGN ? PCMU_BIAS - v : v - PCMU_BIAS);
}

static int16_t
pcma_linear(uint8_t byte)
{
	int a = byte ^ PCMA_FLIP;
	int segment = (a & 0x70) >> 4;
	int v = ((a & 0x0f) << 4) + 8;

	if (segment > 0)
		v = (v + 0x100) << (segment - 1);
	return (int16_t)(a & SIGN ? v : -v);
}

/* The segment is the place of the highest bit above bit "low". */
static int
segment_of(int v, int low)
{
	int s = 0;

	while (s < 7 && v >= 1 << (low + 1 + s))
		s++;
	return s;
}

uint8_t
g711_encode(enum g711_law law, int16_t sample)
{
	int v = sample;
	int sign = v < 0;
	int s;

	if (law == G711_PCMU) {
		v = sign ? -v : v;
		v = (v > PCMU_MAX ? PCMU_MAX : v) + PCMU_BIAS;
		s = segment_of(v, 7);
		return (uint8_t) ~(
		    (sign ? SIGN : 0) | s << 4 | ((v >> (s + 3)) & 0x0f));
	}
	v = sign ? -v - 1 : v; /* -1 is the negative twin of 0 */
	s = segment_of(v, 7);
	v = (v >> (s == 0 ? 4 : s + 3)) & 0x0f;
	return (uint8_t)(((sign ? 0 : SIGN) | s << 4 | v) ^ PCMA_FLIP);
}

void
g711_init(void)
{
	for (int i = 0; i < 256; i++) {
		g711_linear[G711_PCMU][i] = pcmu_linear((uint8_t)i);
		g711_linear[G711_PCMA][i] = pcma_linear((uint8_t)i);
	}
	for (int law = 0; law < 2; law++) {
		for (int i = 0; i < 256; i++) {
			int32_t v = g711_linear[law][i];

			g711_power[law][i] = (uint32_t)(v * v) >> 4;
			g711_other[law][i] =
			    g711_encode((enum g711_law) !law, (int16_t)v);
		}
	}
}

void
g711_transcode(enum g711_law law, uint8_t *p, size_t n)
{
	const uint8_t *to = g711_other[law];

	for (size_t i = 0; i < n; i++)
		p[i] = to[p[i]];
}
