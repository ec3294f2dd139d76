/* io/rtp/wav - see wav.h */

#include "io/rtp/wav.h"

#include "base/check.h"

enum {
	RIFF_LEN = 12, /* "RIFF" length "WAVE" */
	CHUNK_LEN = 8,
	FORMAT_LEN = 16,
	FORMAT_PCM = 1,
	FORMAT_EXTENSIBLE = 0xfffe,
	EXTENSIBLE_LEN = 26, /* up to the sub-format's code */
	RATE = 8000,
	RATE_WIDE = 16000,
};

static uint32_t
u32_at(const uint8_t *p)
{
	return (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 |
	       (uint32_t)p[1] << 8 | p[0];
}

static uint16_t
u16_at(const uint8_t *p)
{
	return (uint16_t)(p[1] << 8 | p[0]);
}

static const char *
read_format(const uint8_t *p, size_t n, struct wav *out)
{
	uint16_t code;

	if (n < FORMAT_LEN)
		return "format_too_short";
	code = u16_at(p);
	if (code == FORMAT_EXTENSIBLE && n >= EXTENSIBLE_LEN)
		code = u16_at(p + EXTENSIBLE_LEN - 2);
	if (code != FORMAT_PCM)
		return "not_pcm";
	if (u16_at(p + 2) != 1)
		return "not_mono";
	if (u16_at(p + 14) != 16)
		return "not_16_bit";
	out->rate = u32_at(p + 4);
	if (out->rate != RATE && out->rate != RATE_WIDE)
		return "not_8_or_16_khz";
	return NULL;
}

bool
wav_open(struct hf_slice file, struct wav *out, const char **why)
{
	const uint8_t *p = (const uint8_t *)file.p;
	size_t left = file.n;

	*out = (struct wav){ 0 };
	*why = "not_a_wav";
	if (left < RIFF_LEN || memcmp(p, "RIFF", 4) != 0 ||
	    memcmp(p + 8, "WAVE", 4) != 0)
		return false;
	p += RIFF_LEN;
	left -= RIFF_LEN;
	*why = "no_data";
	while (left >= CHUNK_LEN) {
		size_t n = u32_at(p + 4);
		const uint8_t *body = p + CHUNK_LEN;

		left -= CHUNK_LEN;
		if (n > left) {
			/* A recorder that was stopped leaves 0 or all ones;
			 * what is there is what there is. */
			if (memcmp(p, "data", 4) != 0) {
				*why = "chunk_too_long";
				return false;
			}
			n = left;
		}
		if (memcmp(p, "fmt ", 4) == 0) {
			*why = read_format(body, n, out);
			if (*why != NULL)
				return false;
			*why = "no_data";
		} else if (memcmp(p, "data", 4) == 0) {
			if (out->rate == 0) {
				*why = "data_before_format";
				return false;
			}
			out->sample = body;
			out->n = (uint32_t)(n / 2);
			return out->n > 0;
		}
		n += n & 1; /* chunks are padded to even */
		if (n > left)
			n = left;
		p = body + n;
		left -= n;
	}
	return false;
}

uint32_t
wav_length(const struct wav *w)
{
	return w->rate == RATE_WIDE ? (w->n + 1) / 2 : w->n;
}

/* Windowed sinc (Blackman), 3.8 kHz at 16 kHz, sum 32765: no overflow. */
static const int16_t low_pass[] = { 0, 3, -1, -14, -2, 38, 14, -81, -46, 147,
	116, -239, -251, 354, 489, -483, -894, 611, 1614, -720, -3173, 793,
	10325, 15565, 10325, 793, -3173, -720, 1614, 611, -894, -483, 489, 354,
	-251, -239, 116, 147, -46, -81, 14, 38, -2, -14, -1, 3, 0 };
enum { TAPS = HF_LEN(low_pass), MIDDLE = TAPS / 2 };

static int16_t
sample_at(const struct wav *w, int64_t i)
{
	return i < 0 || i >= w->n ? 0 : (int16_t)u16_at(w->sample + 2 * i);
}

static int16_t
filtered(const struct wav *w, int64_t at)
{
	int64_t sum = 1 << 14;

	for (int k = 0; k < TAPS; k++)
		sum += (int64_t)low_pass[k] * sample_at(w, at + k - MIDDLE);
	sum >>= 15;
	if (sum > INT16_MAX)
		return INT16_MAX;
	return (int16_t)(sum < INT16_MIN ? INT16_MIN : sum);
}

void
wav_read(const struct wav *w, int16_t *to)
{
	uint32_t n = wav_length(w);

	for (uint32_t i = 0; i < n; i++)
		to[i] = w->rate == RATE_WIDE ? filtered(w, (int64_t)i * 2)
					     : sample_at(w, i);
}
