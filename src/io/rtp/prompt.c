/* io/rtp/prompt - see prompt.h */

#include "io/rtp/prompt.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "io/rtp/g711.h"
#include "io/rtp/wav.h"

enum {
	FILE_MAX = 64 << 20, /* half an hour of music at 16 kHz */
	BY_NAME = 20,        /* "nineteen" is the last with a word of its own */
	COMFORT_MS = 4000,
	COMFORT_PEAK = 40, /* about -60 dBm0 */
	ONSET_MS = 10,     /* looked at together, for where speech begins */
	ONSET_MEAN = 250,  /* mean sample of the first that is heard */
};

static bool
clip_from_linear(struct clip *c, const int16_t *s, uint32_t n)
{
	uint8_t *memory = malloc((size_t)n * 2 + 1);

	if (memory == NULL)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		memory[i] = g711_encode(G711_PCMU, s[i]);
		memory[n + i] = g711_encode(G711_PCMA, s[i]);
	}
	free((void *)(uintptr_t)c->law[G711_PCMU]);
	c->law[G711_PCMU] = memory;
	c->law[G711_PCMA] = memory + n;
	c->n = n;
	return true;
}

/* ---- what needs no file -------------------------------------------------- */

/* A stretch of a synthetic sound: two pitches (0: none) for so long. */
struct tone {
	uint16_t hz, hz2;
	uint16_t ms;
};

enum { TONES_MAX = 4, TONE_PEAK = 6000, FADE_MS = 5 };

/* By the recurrence s[n] = 2 cos(w) s[n-1] - s[n-2]: no table, no libm; the
 * cosine comes from its series, good to a millionth below 1 kHz. */
static double
sine_step(double *a, double *b, double twice_cos)
{
	double s = twice_cos * *a - *b;

	*b = *a;
	*a = s;
	return s;
}

static void
add_pitch(int16_t *to, uint32_t n, unsigned hz, int peak)
{
	double w = 2 * 3.14159265358979 * hz / G711_RATE, w2 = w * w;
	double cosine =
	    1 - w2 / 2 * (1 - w2 / 12 * (1 - w2 / 30 * (1 - w2 / 56)));
	double sine = w * (1 - w2 / 6 * (1 - w2 / 20 * (1 - w2 / 42)));
	double a = 0, b = -sine;
	uint32_t fade = FADE_MS * G711_PER_MS;

	if (hz == 0)
		return;
	for (uint32_t i = 0; i < n; i++) {
		double s = sine_step(&a, &b, 2 * cosine) * peak;

		if (i < fade)
			s = s * i / fade;
		if (n - i < fade)
			s = s * (n - i) / fade;
		to[i] = (int16_t)(to[i] + s);
	}
}

static bool
synthesize(struct clip *c, const struct tone *t)
{
	uint32_t n = 0, at = 0;
	int16_t *s;
	bool ok;

	for (int i = 0; i < TONES_MAX; i++)
		n += (uint32_t)t[i].ms * G711_PER_MS;
	s = calloc(n, sizeof(*s));
	if (s == NULL)
		return false;
	for (int i = 0; i < TONES_MAX; i++) {
		uint32_t len = (uint32_t)t[i].ms * G711_PER_MS;
		int peak = t[i].hz2 != 0 ? TONE_PEAK / 2 : TONE_PEAK;

		add_pitch(s + at, len, t[i].hz, peak);
		add_pitch(s + at, len, t[i].hz2, peak);
		at += len;
	}
	ok = clip_from_linear(c, s, n);
	free(s);
	return ok;
}

/* A hiss so faint that nobody listens to it and nobody thinks the line dead:
 * white noise from a shift register, its edge taken off. */
static bool
synthesize_comfort(struct clip *c)
{
	static int16_t s[COMFORT_MS * G711_PER_MS];
	uint32_t x = 0x2545f491;
	int before = 0;

	for (size_t i = 0; i < HF_LEN(s); i++) {
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		before = (before + (int)(x % (2 * COMFORT_PEAK + 1)) -
			     COMFORT_PEAK) /
			 2;
		s[i] = (int16_t)before;
	}
	c->loops = true;
	return clip_from_linear(c, s, HF_LEN(s));
}

static const struct {
	unsigned at;
	bool loops;
	struct tone tone[TONES_MAX];
} synthetic[] = {
	{ PROMPT_BEEP, false, { { 1000, 0, 400 } } },
	/* ITU-T E.180 supplement 2: two seconds in six. */
	{ PROMPT_RINGBACK, true, { { 440, 480, 2000 }, { 0, 0, 4000 } } },
	{ PROMPT_CONFIRM, false,
	    { { 660, 0, 120 }, { 0, 0, 60 }, { 880, 0, 160 } } },
	{ PROMPT_REFUSE, false, { { 220, 0, 500 } } },
	/* What stands in for a recording that is not there. */
	{ PROMPT_ONE_MOMENT, false,
	    { { 440, 554, 300 }, { 0, 0, 100 }, { 554, 659, 500 },
		{ 0, 0, 1100 } } },
	{ PROMPT_MUSIC, true,
	    { { 440, 554, 600 }, { 494, 622, 600 }, { 440, 659, 800 },
		{ 0, 0, 2000 } } },
};

bool
prompt_synthesize(struct prompt_book *b)
{
	memset(b, 0, sizeof(*b));
	for (size_t i = 0; i < HF_LEN(synthetic); i++) {
		struct clip *c = &b->clip[synthetic[i].at];

		c->loops = synthetic[i].loops;
		if (!synthesize(c, synthetic[i].tone))
			return false;
	}
	for (unsigned q = PROMPT_QUEUE_MUSIC; q < PROMPT_GREETING; q++)
		b->clip[q].loops = true;
	return synthesize_comfort(&b->comfort);
}

/* ---- what comes from files ----------------------------------------------- */

/* The file's samples at 8 kHz, malloc'd; NULL, and why. */
static int16_t *
read_wav(const char *path, uint32_t *n, const char **why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int16_t *s = NULL;
	void *file;
	struct wav w;

	*why = "cannot_open";
	if (fd < 0)
		return NULL;
	*why = "empty_or_too_long";
	if (fstat(fd, &st) != 0 || st.st_size <= 0 || st.st_size > FILE_MAX) {
		close(fd);
		return NULL;
	}
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	*why = "cannot_map";
	if (file == MAP_FAILED)
		return NULL;
	if (wav_open((struct hf_slice){ file, (size_t)st.st_size }, &w, why)) {
		*n = wav_length(&w);
		s = malloc((size_t)*n * sizeof(*s));
		*why = "no_memory";
		if (s != NULL)
			wav_read(&w, s);
	}
	munmap(file, (size_t)st.st_size);
	return s;
}

/* Where the speaker begins: recordings open with a tenth of a second of studio,
 * which a caller whose helper has died would hear as more silence. */
static uint32_t
onset(const int16_t *s, uint32_t n)
{
	const uint32_t step = ONSET_MS * G711_PER_MS;

	for (uint32_t at = 0; at + step <= n; at += step) {
		uint32_t sum = 0;

		for (uint32_t i = 0; i < step; i++)
			sum += (uint32_t)abs(s[at + i]);
		if (sum / step >= ONSET_MEAN)
			return at;
	}
	return 0;
}

bool
prompt_load(
    struct prompt_book *b, unsigned at, const char *path, const char **why)
{
	uint32_t n;
	int16_t *s;
	bool ok;

	hf_assert(at < PROMPT_NR);
	s = read_wav(path, &n, why);
	if (s == NULL)
		return false;
	uint32_t from = onset(s, n);
	ok = clip_from_linear(&b->clip[at], s + from, n - from);
	free(s);
	return ok;
}

/* Two sounds in a row as one. */
static bool
join(struct clip *to, const struct clip *a, const struct clip *b)
{
	uint32_t n = a->n + b->n;
	uint8_t *memory = malloc((size_t)n * 2);

	if (memory == NULL)
		return false;
	for (int law = 0; law < 2; law++) {
		uint8_t *at = memory + (size_t)law * n;

		memcpy(at, a->law[law], a->n);
		memcpy(at + a->n, b->law[law], b->n);
		to->law[law] = at;
	}
	to->n = n;
	return true;
}

bool
prompt_digit_path(char *to, size_t cap, const char *dir, unsigned number)
{
	if (number > BY_NAME && number % 10 != 0)
		return false;
	return snprintf(to, cap, "%s/digits/%u.wav", dir, number) < (int)cap;
}

unsigned
prompt_load_digits(struct prompt_book *b, const char *dir)
{
	struct clip *digit = &b->clip[PROMPT_DIGIT_0];
	unsigned found = 0;
	const char *why;

	for (unsigned i = 0; i < PROMPT_NUMBERS; i++) {
		char path[PATH_MAX];

		if (prompt_digit_path(path, sizeof(path), dir, i))
			(void)prompt_load(b, PROMPT_DIGIT_0 + i, path, &why);
	}
	for (unsigned i = BY_NAME + 1; i < PROMPT_NUMBERS; i++) {
		const struct clip *ten = &digit[i - i % 10];

		if (i % 10 != 0 && digit[i].n == 0 && ten->n != 0 &&
		    digit[i % 10].n != 0)
			(void)join(&digit[i], ten, &digit[i % 10]);
	}
	for (unsigned i = 0; i < PROMPT_NUMBERS; i++)
		found += digit[i].n != 0;
	return found;
}

const struct clip *
prompt_clip(const struct prompt_book *b, unsigned at)
{
	if (at < PROMPT_NR && b->clip[at].n != 0)
		return &b->clip[at];
	if (at >= PROMPT_GREETING && at < PROMPT_NR)
		return prompt_clip(b, PROMPT_VOICEMAIL_INTRO);
	if (at >= PROMPT_MUSIC)
		return &b->clip[PROMPT_MUSIC];
	return &b->clip[at >= PROMPT_ONE_MOMENT ? PROMPT_ONE_MOMENT
						: PROMPT_BEEP];
}
