/* base/slice - see slice.h */

#include "base/slice.h"

/* Not tolower(3): a locale must not decide what a SIP token is. */
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
same_nocase(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (lower(a[i]) != lower(b[i]))
			return false;
	return true;
}

static bool
blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool
hf_slice_eq_nocase(struct hf_slice a, struct hf_slice b)
{
	return a.n == b.n && same_nocase(a.p, b.p, a.n);
}

bool
hf_slice_starts(struct hf_slice s, struct hf_slice with)
{
	return s.n >= with.n &&
	       hf_slice_eq((struct hf_slice){ s.p, with.n }, with);
}

bool
hf_slice_starts_nocase(struct hf_slice s, struct hf_slice with)
{
	return s.n >= with.n && same_nocase(s.p, with.p, with.n);
}

struct hf_slice
hf_slice_trim(struct hf_slice s)
{
	while (s.n > 0 && blank(s.p[0])) {
		s.p++;
		s.n--;
	}
	while (s.n > 0 && blank(s.p[s.n - 1]))
		s.n--;
	return s;
}

size_t
hf_slice_find(struct hf_slice s, char c)
{
	const char *at = s.n > 0 ? memchr(s.p, c, s.n) : NULL;

	return at != NULL ? (size_t)(at - s.p) : s.n;
}

bool
hf_slice_number(struct hf_slice s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		uint64_t digit = (uint64_t)(s.p[i] - '0');
		if (digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

bool
hf_slice_hex(struct hf_slice s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > 16)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint64_t)(c - 'a' + 10);
		else
			return false;
	}
	*out = v;
	return true;
}

bool
hf_slice_copy(struct hf_slice s, char *to, size_t cap)
{
	if (s.n >= cap || (s.n > 0 && memchr(s.p, '\0', s.n) != NULL)) {
		if (cap > 0)
			to[0] = '\0';
		return false;
	}
	if (s.n > 0)
		memcpy(to, s.p, s.n);
	to[s.n] = '\0';
	return true;
}
