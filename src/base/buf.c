/* base/buf - see buf.h */

#include <stdio.h>

#include "base/buf.h"

void
hf_buf_u64(struct hf_buf *b, uint64_t v)
{
	char digits[20]; /* UINT64_MAX has 20 */
	size_t n = sizeof(digits);

	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v > 0);
	hf_buf_put(b, digits + n, sizeof(digits) - n);
}

void
hf_buf_hex(struct hf_buf *b, const void *p, size_t n)
{
	static const char hex[] = "0123456789abcdef";
	const uint8_t *from = p;
	char *at = n > 0 && n <= SIZE_MAX / 2 ? hf_buf_room(b, 2 * n) : NULL;

	for (size_t i = 0; at != NULL && i < n; i++) {
		*at++ = hex[from[i] >> 4];
		*at++ = hex[from[i] & 15];
	}
}

/* vsnprintf(3) wants a place for its NUL: the last byte of the buffer cannot
 * be reached this way. */
void
hf_buf_fmt(struct hf_buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (b->overflow)
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->n, b->cap - b->n, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= b->cap - b->n)
		b->overflow = true;
	else
		b->n += (size_t)n;
}
