/* A prompt as somebody's editor wrote it. */

#include <stdint.h>
#include <stdlib.h>

#include "base/check.h"
#include "io/rtp/wav.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct wav w;
	const char *why;
	int16_t *out;

	if (!wav_open((struct hf_slice){ (const char *)data, n }, &w, &why)) {
		hf_assert(why != NULL);
		return 0;
	}
	hf_assert(w.n > 0 && wav_length(&w) <= n);
	out = malloc(wav_length(&w) * sizeof(*out));
	hf_assert(out != NULL);
	wav_read(&w, out);
	free(out);
	return 0;
}
