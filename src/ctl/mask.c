/* ctl/mask - see mask.h */

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/addr.h"
#include "ctl/mask.h"

enum {
	DIGITS_MIN = 5, /* so many in a row may be somebody's number */
	TAG_MASK = 0xffffff,
	ADDRESS_MAX = 46,
};

bool
mask_open(struct mask *m)
{
	struct hf_map_cell *cells = calloc(2 * MASK_WORDS, sizeof(*cells));

	*m = (struct mask){ 0 };
	if (cells == NULL ||
	    getrandom(&m->key, sizeof(m->key), 0) != sizeof(m->key)) {
		free(cells);
		return false;
	}
	hf_map_init(&m->words, cells, 2 * MASK_WORDS);
	return true;
}

void
mask_close(struct mask *m)
{
	free(m->words.cell);
	explicit_bzero(m, sizeof(*m));
}

/* Of the word in small letters; never 0. */
static uint64_t
sum(const struct mask *m, const char *p, size_t n)
{
	char small[MASK_WORD_MAX];

	if (n > sizeof(small))
		n = sizeof(small);
	for (size_t i = 0; i < n; i++)
		small[i] = (char)tolower((unsigned char)p[i]);
	return hf_hash(&m->key, small, n) | 1;
}

void
mask_learn(struct mask *m, struct hf_slice word)
{
	size_t blank = 0;
	uint64_t key;

	if (word.n > MASK_WORD_MAX)
		word.n = MASK_WORD_MAX;
	while (blank < word.n && strchr(".*- ", word.p[blank]) != NULL)
		blank++;
	if (word.n < 2 || blank == word.n)
		return;
	key = sum(m, word.p, word.n);
	if (hf_map_get(&m->words, key) != HF_MAP_NONE)
		return;
	if (!hf_map_put(&m->words, key, 1))
		m->full = true;
	m->lengths |= UINT64_C(1) << word.n;
}

void
mask_put_tag(const struct mask *m, FILE *f, struct hf_slice text)
{
	fprintf(f, "~%06x", (unsigned)(sum(m, text.p, text.n) >> 8 & TAG_MASK));
}

/* ---- what looks like whom ------------------------------------------------ */

static bool
is_word(char c)
{
	return isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

/* How much of s, from its beginning, is made of these. */
static size_t
run(struct hf_slice s, const char *more)
{
	size_t n = 0;

	while (n < s.n &&
	       (is_word(s.p[n]) || (s.p[n] != '\0' && strchr(more, s.p[n]))))
		n++;
	return n;
}

/* Is the number at p[at] the value of a counter or of a span? */
static bool
counts(struct hf_slice line, size_t at)
{
	static const char *const names[] = { "n", "pid", "boot", "seq", "uid",
		"leg", "legs", "stream", "streams", "worker", "bytes", "calls",
		"facts", "waiting", "records", "dialogs", "transactions",
		"sent", "received", "refused", "dropped", "number", "spooled",
		"generation", "line", "message", "prompt", "fd", "signal",
		"exit", "phones", "so_far", "length", "size", "kept", "need" };
	static const char *const tails[] = { "_ms", "_us", "_s", "_kb",
		"_bytes", "_n", "_max", "_at", "_d", "_per_s" };
	size_t end, n = 0;

	if (at > 0 && line.p[at - 1] == '-')
		at--;
	if (at == 0 || line.p[at - 1] != '=')
		return false;
	end = at - 1;
	while (n < end && (islower((unsigned char)line.p[end - n - 1]) ||
			      line.p[end - n - 1] == '_'))
		n++;
	for (size_t i = 0; i < HF_LEN(names); i++)
		if (strlen(names[i]) == n &&
		    memcmp(names[i], line.p + end - n, n) == 0)
			return true;
	for (size_t i = 0; i < HF_LEN(tails); i++)
		if (n > strlen(tails[i]) &&
		    memcmp(tails[i], line.p + end - strlen(tails[i]),
			strlen(tails[i])) == 0)
			return true;
	return false;
}

static size_t
digits(struct hf_slice s)
{
	size_t n = s.n > 0 && s.p[0] == '+' ? 1 : 0;

	while (n < s.n && isdigit((unsigned char)s.p[n]))
		n++;
	return n;
}

/* The longest learned word that stands here as a whole. */
static size_t
learned(const struct mask *m, struct hf_slice line, size_t at)
{
	size_t left = line.n - at;

	for (size_t n = left < MASK_WORD_MAX ? left : MASK_WORD_MAX; n > 1;
	     n--) {
		if (!(m->lengths >> n & 1))
			continue;
		if (n < left && is_word(line.p[at + n]))
			continue;
		if (hf_map_get(&m->words, sum(m, line.p + at, n)) !=
		    HF_MAP_NONE)
			return n;
	}
	return 0;
}

/* An address that says where somebody is; a port behind it is none of it. */
static size_t
address(struct hf_slice s)
{
	size_t n = 0;
	struct hf_addr a;

	while (
	    n < s.n && n < ADDRESS_MAX &&
	    (isxdigit((unsigned char)s.p[n]) || s.p[n] == '.' || s.p[n] == ':'))
		n++;
	if (n < s.n && is_word(s.p[n]))
		return 0;
	for (; n > 2; n--)
		if (hf_addr_parse_ip((struct hf_slice){ s.p, n }, &a))
			return hf_addr_is_any(&a) ? 0 : n;
	return 0;
}

/* NAME@HOST: either side is somebody's. */
static size_t
user(struct hf_slice s)
{
	size_t n = run(s, "+.-_*#%");

	return n > 0 && n < s.n && s.p[n] == '@' ? n : 0;
}

/* Behind the site's name: a call's, which says when the house began. */
static bool
names_call(const struct mask *m, struct hf_slice line, size_t at)
{
	size_t n = strlen(m->site);

	return n > 0 && at > n && line.p[at - 1] == '-' &&
	       memcmp(line.p + at - 1 - n, m->site, n) == 0;
}

/* ":5060" */
static bool
is_port(struct hf_slice digits, char before)
{
	uint64_t port;

	return before == ':' && hf_slice_number(digits, UINT16_MAX, &port);
}

/* How much at this place is a person's. */
static size_t
person(const struct mask *m, struct hf_slice line, size_t at)
{
	struct hf_slice here = { line.p + at, line.n - at };
	char before = at > 0 ? line.p[at - 1] : ' ';
	size_t n;

	if (is_word(before) || before == '+')
		return 0;
	if ((n = address(here)) > 0 || (n = user(here)) > 0)
		return n;
	if (before == '@' && (n = run(here, ".-")) > 0)
		return n;
	n = learned(m, line, at);
	if (n > 0 && !(digits(here) == n && counts(line, at)))
		return n;
	n = digits(here);
	if (n >= DIGITS_MIN && (n == here.n || !is_word(here.p[n])) &&
	    !counts(line, at) && !names_call(m, line, at) &&
	    !is_port((struct hf_slice){ here.p, n }, before))
		return n;
	return 0;
}

void
mask_put(const struct mask *m, FILE *f, struct hf_slice text)
{
	for (size_t at = 0; at < text.n;) {
		size_t n = person(m, text, at);

		if (n == 0) {
			fputc(text.p[at++], f);
			continue;
		}
		mask_put_tag(m, f, (struct hf_slice){ text.p + at, n });
		at += n;
	}
}
