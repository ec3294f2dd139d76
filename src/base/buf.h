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
	size_t n;      /* written so far */
	size_t cap;
	bool overflow; /* something did not fit: what is here is not whole */
};

static inline struct hf_buf
hf_buf_on(void *memory, size_t cap)
{
	return (struct hf_buf){ .p = memory, .cap = cap };
}

void hf_buf_put(struct hf_buf *b, const void *p, size_t n);
void hf_buf_str(struct hf_buf *b, const char *s);
void hf_buf_slice(struct hf_buf *b, struct hf_slice s);
void hf_buf_char(struct hf_buf *b, char c);
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
