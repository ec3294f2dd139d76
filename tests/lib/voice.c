#include "tests/lib/voice.h"

#include <math.h>
#include <pthread.h>
#include <string.h>

enum {
	LOWS = 6,
	HIGHS = VOICE_ACTORS / LOWS,
	SILENT_BELOW = 9, /* mean absolute sample: rounding of either law */
	FAINT_BELOW = 260,
	OWN_PERCENT = 80, /* of a frame's energy in the actor's two tones */
	LOW_PERCENT = 40,
	HIGH_PERCENT = 7,
};

/* Multiples of 50 Hz, so that 20 ms hold whole periods; the low one carries
 * the sound, as in speech, which crosses zero about as often. */
static const int low[LOWS] = { 350, 450, 550, 650, 750, 850 };
static const int high[HIGHS] = { 1050, 1150, 1250, 1350, 1450, 1550 };

static int16_t mu_linear[256], a_linear[256];
static uint8_t mu_byte[65536], a_byte[65536];
static int16_t spoken[VOICE_ACTORS][VOICE_LEVELS][VOICE_FRAME];
static pthread_once_t made = PTHREAD_ONCE_INIT;

/* ITU-T G.711, from its definition: sign, segment, step. */
static int16_t
mu_expand(uint8_t byte)
{
	int u = ~byte & 0xff;
	int t = ((((u & 0x0f) << 3) + 0x84) << ((u & 0x70) >> 4)) - 0x84;

	return (int16_t)((u & 0x80) ? -t : t);
}

static int16_t
a_expand(uint8_t byte)
{
	int a = byte ^ 0x55;
	int segment = (a & 0x70) >> 4;
	int t = ((a & 0x0f) << 4) + 8;

	if (segment > 0)
		t = (t + 0x100) << (segment - 1);
	return (int16_t)((a & 0x80) ? t : -t);
}

/* For each sample the byte that expands nearest to it. */
static void
compress_by(const int16_t *expand, uint8_t *byte)
{
	int order[256], n = 0;

	for (int v = 0; v < 256; v++) {
		int at = n++;
		for (; at > 0 && expand[order[at - 1]] > expand[v]; at--)
			order[at] = order[at - 1];
		order[at] = v;
	}
	for (int s = -32768, k = 0; s <= 32767; s++) {
		while (
		    k < 255 && s - expand[order[k]] >= expand[order[k + 1]] - s)
			k++;
		byte[(uint16_t)s] = (uint8_t)order[k];
	}
}

static void
make_tables(void)
{
	for (int b = 0; b < 256; b++) {
		mu_linear[b] = mu_expand((uint8_t)b);
		a_linear[b] = a_expand((uint8_t)b);
	}
	compress_by(mu_linear, mu_byte);
	compress_by(a_linear, a_byte);
	for (int v = 0; v < VOICE_ACTORS; v++)
		for (int l = 0; l < VOICE_LEVELS; l++) {
			/* 26 dB between faint and loud, as in speech. */
			double loud = 400 * pow(1.22, l);
			for (int i = 0; i < VOICE_FRAME; i++) {
				double t = 2 * M_PI * i / VOICE_RATE;
				double s = 2 * sin(t * low[v % LOWS]) +
					   0.8 * sin(t * high[v / LOWS] + 1);
				spoken[v][l][i] = (int16_t)(s * loud);
			}
		}
}

static const int16_t *
linear_of(enum voice_law law)
{
	pthread_once(&made, make_tables);
	return law == VOICE_PCMA ? a_linear : mu_linear;
}

uint8_t
voice_encode(enum voice_law law, int16_t linear)
{
	linear_of(law);
	return (law == VOICE_PCMA ? a_byte : mu_byte)[(uint16_t)linear];
}

int16_t
voice_decode(enum voice_law law, uint8_t byte)
{
	return linear_of(law)[byte];
}

/* The mixing is MurmurHash3's. */
int
voice_level(uint32_t n)
{
	n = (n ^ n >> 16) * 0x85ebca6bu;
	n = (n ^ n >> 13) * 0xc2b2ae35u;
	return (int)((n ^ n >> 16) % VOICE_LEVELS);
}

void
voice_speak(enum voice_law law, int actor, int level, uint32_t at, uint8_t *out,
    size_t count)
{
	linear_of(law);
	const uint8_t *byte = law == VOICE_PCMA ? a_byte : mu_byte;
	const int16_t *s = spoken[actor % VOICE_ACTORS][level % VOICE_LEVELS];

	for (size_t i = 0; i < count; i++)
		out[i] = byte[(uint16_t)s[(at + i) % VOICE_FRAME]];
}

int
voice_loudness(enum voice_law law, const uint8_t *p, size_t count)
{
	const int16_t *linear = linear_of(law);
	int64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += linear[p[i]] < 0 ? -linear[p[i]] : linear[p[i]];
	return count == 0 ? 0 : (int)(sum / (int64_t)count);
}

/* Goertzel: the part of the frame's energy, in percent, at one frequency. */
static int
percent_at(const int16_t *x, size_t count, double energy, int hz)
{
	double c = 2 * cos(2 * M_PI * hz / VOICE_RATE), a = 0, b = 0;

	for (size_t i = 0; i < count; i++) {
		double s = x[i] + c * a - b;
		b = a;
		a = s;
	}
	return (int)(100 * (a * a + b * b - c * a * b) /
		     (energy * (double)count / 2));
}

/* The strongest of a group, and its part in percent. */
static int
strongest(const int16_t *x, size_t count, double energy, const int *hz, int n,
    int *percent)
{
	int best = 0;

	*percent = -1;
	for (int i = 0; i < n; i++) {
		int p = percent_at(x, count, energy, hz[i]);
		if (p > *percent) {
			*percent = p;
			best = i;
		}
	}
	return best;
}

int
voice_whose(enum voice_law law, const uint8_t *p, size_t count)
{
	const int16_t *linear = linear_of(law);
	int16_t x[VOICE_FRAME];
	double energy = 0;
	int pl, ph;

	if (count == 0)
		return VOICE_NONE;
	if (count > VOICE_FRAME)
		count = VOICE_FRAME;
	int loud = voice_loudness(law, p, count);
	if (loud < SILENT_BELOW)
		return VOICE_SILENT;
	if (loud < FAINT_BELOW)
		return VOICE_FAINT;
	for (size_t i = 0; i < count; i++) {
		x[i] = linear[p[i]];
		energy += (double)x[i] * x[i];
	}
	int l = strongest(x, count, energy, low, LOWS, &pl);
	int h = strongest(x, count, energy, high, HIGHS, &ph);
	if (pl + ph >= OWN_PERCENT && pl >= LOW_PERCENT && ph >= HIGH_PERCENT)
		return h * LOWS + l;
	return VOICE_OTHER;
}
