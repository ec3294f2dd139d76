/*
 * base/buf - writing into memory that has an end.  A write that does not fit
 * writes nothing and marks the buffer; so a message is built in one go and
 * asked once, at the end, whether it is whole.
 */
#ifndef HF_BASE_BUF_H
#define HF_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

struct hf_buf {
	char *p;
	size_t n; /* written so far */
	size_t cap;
	bool overflow; /* something did not fit: what is here is not whole */
};

static inline struct hf_buf
hf_buf_on(void *memory, size_t cap)
{
	return (struct hf_buf){ .p = memory, .cap = cap };
}

/* Once something was lost all that follows is refused as well: what is in the
 * buffer is always the beginning of what was meant, never a text with a hole.
 * Inline, because a message is written in some hundred small pieces, most of
 * them of a length that is known to the compiler. */
static inline char *
hf_buf_room(struct hf_buf *b, size_t n)
{
	char *at = b->p + b->n;

	if (b->overflow || n > b->cap - b->n) {
		b->overflow = true;
		return NULL;
	}
	b->n += n;
	return at;
}

static inline void
hf_buf_put(struct hf_buf *b, const void *p, size_t n)
{
	char *at = n > 0 ? hf_buf_room(b, n) : NULL;

	if (at != NULL)
		memcpy(at, p, n);
}

static inline void
hf_buf_str(struct hf_buf *b, const char *s)
{
	hf_buf_put(b, s, strlen(s));
}

static inline void
hf_buf_slice(struct hf_buf *b, struct hf_slice s)
{
	hf_buf_put(b, s.p, s.n);
}

static inline void
hf_buf_char(struct hf_buf *b, char c)
{
	char *at = hf_buf_room(b, 1);

	if (at != NULL)
		*at = c;
}

void hf_buf_u64(struct hf_buf *b, uint64_t v); /* decimal, no printf */
void hf_buf_hex(struct hf_buf *b, const void *p, size_t n);
void hf_buf_fmt(struct hf_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static inline struct hf_slice
hf_buf_taken(const struct hf_buf *b)
{
	return (struct hf_slice){ b->p, b->n };
}

#endif
