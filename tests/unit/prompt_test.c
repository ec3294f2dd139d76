/* io/rtp/prompt and wav: what is ready to be said, and which files it will
 * not swallow. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "io/rtp/ear.h"
#include "io/rtp/prompt.h"
#include "io/rtp/prompt_file.h"
#include "io/rtp/wav.h"

#define FMT(rate_lo, rate_hi)                                                  \
	"fmt \x10\0\0\0\x01\0\x01\0" rate_lo rate_hi "\0\0\0\0\x02\0"          \
	"\x10\0"
#define FMT_8K FMT("\x40\x1f", "\0\0")

static const struct {
	const char *name;
	const char *bytes;
	size_t n;
	const char *why; /* NULL: taken */
} files[] = {
#define FILE_OF(name, s, why)                                                  \
	{                                                                      \
		name, s, sizeof(s) - 1, why                                    \
	}
	FILE_OF("good", "RIFF\0\0\0\0WAVE" FMT_8K "data\4\0\0\0abcd", NULL),
	FILE_OF("a list between",
	    "RIFF\0\0\0\0WAVE" FMT_8K "LIST\3\0\0\0abc\0data\4\0\0\0abcd",
	    NULL),
	FILE_OF("length left open by a recorder",
	    "RIFF\0\0\0\0WAVE" FMT_8K "data\xff\xff\xff\xff"
	    "abcd",
	    NULL),
	FILE_OF("empty", "", "not_a_wav"),
	FILE_OF("cut in its head", "RIFF\0\0\0\0WAV", "not_a_wav"),
	FILE_OF("no chunk", "RIFF\0\0\0\0WAVE", "no_data"),
	FILE_OF("half a chunk head", "RIFF\0\0\0\0WAVEfmt \x10", "no_data"),
	FILE_OF("format too short",
	    "RIFF\0\0\0\0WAVE"
	    "fmt \x04\0\0\0\1\0\1\0",
	    "format_too_short"),
	FILE_OF("format longer than the file",
	    "RIFF\0\0\0\0WAVE"
	    "fmt \xff\xff\xff\x7f\1\0\1\0",
	    "chunk_too_long"),
	FILE_OF("data before format",
	    "RIFF\0\0\0\0WAVE"
	    "data\4\0\0\0abcd",
	    "data_before_format"),
	FILE_OF("44.1 kHz", "RIFF\0\0\0\0WAVE" FMT("\x44\xac", "\0\0"),
	    "not_8_or_16_khz"),
	FILE_OF("stereo",
	    "RIFF\0\0\0\0WAVE"
	    "fmt \x10\0\0\0\x01\0\x02\0"
	    "\x40\x1f\0\0"
	    "\0\0\0\0\4\0\x10\0",
	    "not_mono"),
	FILE_OF("mu-law",
	    "RIFF\0\0\0\0WAVE"
	    "fmt \x10\0\0\0\x07\0\x01\0"
	    "\x40\x1f\0\0"
	    "\0\0\0\0\1\0\x08\0",
	    "not_pcm"),
	FILE_OF("8 bit",
	    "RIFF\0\0\0\0WAVE"
	    "fmt \x10\0\0\0\x01\0\x01\0"
	    "\x40\x1f\0\0"
	    "\0\0\0\0\1\0\x08\0",
	    "not_16_bit"),
	FILE_OF(
	    "no sample", "RIFF\0\0\0\0WAVE" FMT_8K "data\0\0\0\0", "no_data"),
#undef FILE_OF
};

static void
only_whole_mono_pcm_is_taken(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_LEN(files); i++) {
		char *p = malloc(files[i].n + 1);
		const char *why;
		struct wav w;
		bool ok;

		assert_non_null(p);
		memcpy(p, files[i].bytes, files[i].n);
		ok = wav_open((struct hf_slice){ p, files[i].n }, &w, &why);
		if (ok != (files[i].why == NULL) ||
		    (!ok && strcmp(why, files[i].why) != 0))
			fail_msg("%s: %s", files[i].name, ok ? "taken" : why);
		if (ok)
			assert_int_equal(w.n, 2);
		free(p);
	}
}

/* A square-ish tone at 16 kHz whose period is "period" samples. */
static int
heard_of(int period)
{
	static uint8_t pcm[16000 * 2];
	static int16_t out[8000];
	struct wav w = { .rate = 16000, .sample = pcm, .n = 16000 };
	int64_t sum = 0;

	for (int i = 0; i < 16000; i++) {
		/* A triangle: little energy beyond its pitch. */
		int at = i % period * 4;
		int v = at < period       ? at
			: at < 3 * period ? 2 * period - at
					  : at - 4 * period;
		int16_t s = (int16_t)(v * 8000 / period);

		pcm[2 * i] = (uint8_t)s;
		pcm[2 * i + 1] = (uint8_t)(s >> 8);
	}
	assert_int_equal(wav_length(&w), 8000);
	wav_read(&w, out);
	for (int i = 1000; i < 7000; i++)
		sum += out[i] < 0 ? -out[i] : out[i];
	return (int)(sum / 6000);
}

static void
wide_files_lose_what_would_fold_back(void **state)
{
	(void)state;
	assert_in_range(heard_of(32), 3000, 5000); /* 500 Hz passes */
	assert_in_range(heard_of(16), 3000, 5000); /* 1 kHz */
	assert_true(heard_of(3) < 60); /* 5.3 kHz would be heard at 2.7 */
}

static void
without_any_file_there_is_still_a_voice(void **state)
{
	struct prompt_book b;

	(void)state;
	assert_true(prompt_synthesize(&b));
	for (unsigned at = 0; at < PROMPT_NR + 10; at++) {
		const struct clip *c = prompt_clip(&b, at);

		assert_true(c->n > 0);
		assert_non_null(c->law[G711_PCMU]);
		assert_non_null(c->law[G711_PCMA]);
	}
	assert_true(prompt_clip(&b, PROMPT_QUEUE_MUSIC + 3)->loops);
	assert_false(prompt_clip(&b, PROMPT_BEEP)->loops);
	assert_ptr_equal(prompt_clip(&b, PROMPT_GREETING + 3),
	    prompt_clip(&b, PROMPT_VOICEMAIL_INTRO));
	assert_in_range(
	    ear_listen(G711_PCMA,
		prompt_clip(&b, PROMPT_BEEP)->law[G711_PCMA] + 800, 160)
		.loud,
	    60, 80);
}

static void
put_wav(const char *dir, int number, uint16_t samples, uint16_t hush)
{
	char path[256], head[] = "RIFF\0\0\0\0WAVE" FMT_8K "data\0\0\0\0";
	FILE *f;

	snprintf(path, sizeof(path), "%s/digits/%d.wav", dir, number);
	f = fopen(path, "w");
	assert_non_null(f);
	head[sizeof(head) - 5] = (char)(samples * 2);
	head[sizeof(head) - 4] = (char)(samples * 2 >> 8);
	fwrite(head, 1, sizeof(head) - 1, f);
	for (int i = 0; i < samples; i++)
		fwrite(i < hush ? "\0\0" : "\0\x10", 1, 2, f);
	fclose(f);
}

static void
forty_and_two_make_forty_two(void **state)
{
	char dir[] = "/tmp/hf-prompt-XXXXXX", path[256];
	static const int there[] = { 0, 1, 2, 19, 40 };
	struct prompt_book b;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "mkdir %s/digits", dir);
	assert_int_equal(system(path), 0);
	for (size_t i = 0; i < HF_LEN(there); i++)
		put_wav(dir, there[i], (uint16_t)(100 + there[i]), 0);
	assert_true(prompt_synthesize(&b));
	assert_int_equal(prompt_load_digits(&b, dir), 7); /* and 41, 42 */
	assert_int_equal(b.clip[PROMPT_DIGIT_0 + 42].n, 140 + 102);
	assert_int_equal(b.clip[PROMPT_DIGIT_0 + 19].n, 119);
	assert_int_equal(b.clip[PROMPT_DIGIT_0 + 50].n, 0);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	assert_int_equal(system(path), 0);
}

static void
a_prompt_begins_where_the_speaker_does(void **state)
{
	char dir[] = "/tmp/hf-prompt-XXXXXX", path[256];
	struct prompt_book b;
	const char *why;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "mkdir %s/digits", dir);
	assert_int_equal(system(path), 0);
	put_wav(dir, 1, 2000, 880);
	put_wav(dir, 2, 2000, 2000);
	assert_true(prompt_synthesize(&b));
	snprintf(path, sizeof(path), "%s/digits/1.wav", dir);
	assert_true(prompt_load(&b, PROMPT_ONE_MOMENT, path, &why));
	assert_int_equal(b.clip[PROMPT_ONE_MOMENT].n, 2000 - 880);
	/* What never speaks is as long as it was: a pause on purpose. */
	snprintf(path, sizeof(path), "%s/digits/2.wav", dir);
	assert_true(prompt_load(&b, PROMPT_ONE_MOMENT, path, &why));
	assert_int_equal(b.clip[PROMPT_ONE_MOMENT].n, 2000);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	assert_int_equal(system(path), 0);
}

static bool
same_clip(const struct clip *a, const struct clip *b)
{
	return a->n == b->n && a->loops == b->loops &&
	       (a->n == 0 || (memcmp(a->law[0], b->law[0], a->n) == 0 &&
				 memcmp(a->law[1], b->law[1], a->n) == 0));
}

static void
a_book_that_was_made_once_is_found_again(void **state)
{
	char dir[] = "/tmp/hf-prompt-XXXXXX", path[256], source[256];
	struct prompt_book made, found;
	uint64_t key, other;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/prompts", dir);
	snprintf(source, sizeof(source), "%s/word.wav", dir);
	key = prompt_file_key(0, source); /* it is not there: a key too */
	f = fopen(source, "w");
	assert_non_null(f);
	fclose(f);
	other = prompt_file_key(0, source);
	assert_true(other != key);
	assert_true(prompt_file_key(0, path) != key);
	assert_true(prompt_synthesize(&made));
	assert_false(prompt_file_map(&found, key, path));
	assert_int_equal(prompt_file_write(&made, key, path, 0), 0);
	assert_false(prompt_file_map(&found, other, path));
	memset(&found, 0xff, sizeof(found));
	assert_true(prompt_file_map(&found, key, path));
	for (unsigned i = 0; i < PROMPT_NR; i++)
		assert_true(same_clip(&made.clip[i], &found.clip[i]));
	assert_true(same_clip(&made.comfort, &found.comfort));
	/* A new one takes its place while the old one is being played. */
	made.clip[PROMPT_BEEP].loops = true;
	assert_int_equal(prompt_file_write(&made, key, path, 1), 0);
	assert_false(found.clip[PROMPT_BEEP].loops);
	assert_true(prompt_file_map(&found, key, path));
	assert_true(found.clip[PROMPT_BEEP].loops);
	assert_int_equal(truncate(path, 100000), 0);
	assert_false(prompt_file_map(&found, key, path));
	assert_int_equal(truncate(path, 10), 0);
	assert_false(prompt_file_map(&found, key, path));
	assert_int_not_equal(
	    prompt_file_write(&made, key, "/nowhere/prompts", 0), 0);
	unlink(path);
	unlink(source);
	assert_int_equal(rmdir(dir), 0); /* nothing else was left */
}

int
main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_whole_mono_pcm_is_taken),
		cmocka_unit_test(wide_files_lose_what_would_fold_back),
		cmocka_unit_test(without_any_file_there_is_still_a_voice),
		cmocka_unit_test(forty_and_two_make_forty_two),
		cmocka_unit_test(a_prompt_begins_where_the_speaker_does),
		cmocka_unit_test(a_book_that_was_made_once_is_found_again),
	};

	g711_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
