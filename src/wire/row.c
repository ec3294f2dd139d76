/* wire/row - see row.h */

#include <string.h>

#include "base/check.h"
#include "wire/row.h"

static void
put_value(struct hf_buf *b, char type, const char *name, struct hf_slice v)
{
	size_t name_len = strlen(name);
	uint8_t short_len = (uint8_t)name_len;
	uint16_t len = (uint16_t)v.n;

	hf_assert(name_len > 0 && name_len <= UINT8_MAX);
	if (v.n > ROW_MAX || b->cap - b->n < 1 + 1 + name_len + 2 + v.n) {
		b->overflow = true; /* half a value would spoil the whole row */
		return;
	}
	hf_buf_char(b, type);
	hf_buf_put(b, &short_len, 1);
	hf_buf_put(b, name, name_len);
	hf_buf_put(b, &len, 2);
	hf_buf_slice(b, v);
}

static void
put_integer(struct hf_buf *b, char type, const char *name, int64_t v)
{
	char text[24];
	struct hf_buf t = hf_buf_on(text, sizeof(text));

	if (v < 0)
		hf_buf_char(&t, '-');
	hf_buf_u64(&t, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
	put_value(b, type, name, hf_buf_taken(&t));
}

void
row_text(struct hf_buf *b, const char *name, const char *v)
{
	put_value(b, 's', name, hf_slice_of(v));
}

void
row_slice(struct hf_buf *b, const char *name, struct hf_slice v)
{
	put_value(b, 's', name, v);
}

void
row_number(struct hf_buf *b, const char *name, int64_t v)
{
	put_integer(b, 'n', name, v);
}

void
row_bool(struct hf_buf *b, const char *name, bool v)
{
	put_value(b, 'b', name, v ? HF_SLICE("true") : HF_SLICE("false"));
}

void
row_wall(struct hf_buf *b, const char *name, struct hf_wall v)
{
	put_integer(b, 't', name, v.us);
}

void
row_span(struct hf_buf *b, const char *name, struct hf_span v)
{
	put_integer(b, 'd', name, v.us);
}

bool
row_next(struct hf_slice *in, struct row_value *out)
{
	size_t name_len;
	uint16_t len;

	if (in->n < 2 || strchr("snbtd", in->p[0]) == NULL || in->p[0] == '\0')
		return false;
	name_len = (uint8_t)in->p[1];
	if (name_len == 0 || in->n < 2 + name_len + 2)
		return false;
	memcpy(&len, in->p + 2 + name_len, 2);
	if (in->n < 2 + name_len + 2 + len)
		return false;
	out->type = in->p[0];
	out->name = (struct hf_slice){ in->p + 2, name_len };
	out->value = (struct hf_slice){ in->p + 2 + name_len + 2, len };
	in->p += 2 + name_len + 2 + len;
	in->n -= 2 + name_len + 2 + len;
	return true;
}
