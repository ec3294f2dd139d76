/*
 * base/slice - bytes that belong to someone else, with their length.  Nothing
 * received from outside is ever a C string: it may hold NULs and has no end
 * of its own.
 */
#ifndef HF_BASE_SLICE_H
#define HF_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct hf_slice {
	const char *p; /* never NULL when n > 0 */
	size_t n;
};

#define HF_SLICE(lit) ((struct hf_slice){ (lit), sizeof(lit) - 1 })

static inline struct hf_slice
hf_slice_of(const char *s)
{
	return (struct hf_slice){ s, strlen(s) };
}

static inline bool
hf_slice_eq(struct hf_slice a, struct hf_slice b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

/* ASCII only: SIP's tokens, never people's names. */
bool hf_slice_eq_nocase(struct hf_slice a, struct hf_slice b);
bool hf_slice_starts(struct hf_slice s, struct hf_slice with);
bool hf_slice_starts_nocase(struct hf_slice s, struct hf_slice with);

/* Without blanks (space, tab, CR, LF) at either end. */
struct hf_slice hf_slice_trim(struct hf_slice s);

/* Index of the first c, or s.n. */
size_t hf_slice_find(struct hf_slice s, char c);

/* Decimal digits only, no sign, no blanks.  False when empty, when something
 * else is in it or when it is above max; *out is then untouched. */
bool hf_slice_number(struct hf_slice s, uint64_t max, uint64_t *out);

/* Lower-case hexadecimal digits only, 1 to 16 of them, as hf_buf_hex and %x
 * write them.  False for anything else; *out is then untouched. */
bool hf_slice_hex(struct hf_slice s, uint64_t *out);

/* Copies into a C string of cap bytes; false (and an empty string) when it
 * does not fit or holds a NUL. */
bool hf_slice_copy(struct hf_slice s, char *to, size_t cap);

#endif
