/* wire/codec - see codec.h */

#include <string.h>

#include "base/addr.h"
#include "base/check.h"
#include "base/pool.h"
#include "base/time.h"
#include "wire/codec.h"
#include "wire/msg.h"

_Static_assert(sizeof(enum msg_type) == sizeof(uint32_t), "enums are 32 bits");
_Static_assert(MSG_FRAME_MAX <= UINT16_MAX, "a frame's length fits its field");
_Static_assert(
    sizeof(struct hf_time) == 8 && sizeof(struct hf_ref) == 8, "plain values");

/* The fields of "bytes N", whatever N. */
struct wire_bytes {
	uint16_t n;
	uint8_t p[];
};

/* ---- writing --------------------------------------------------------------
 */

/* Bytes are put behind *at, which the caller knows to have room: the whole
 * frame was measured against MSG_FRAME_MAX or is built in a spare buffer. */
struct writer {
	uint8_t *at;
	const uint8_t *end;
	bool full;
};

static void
put(struct writer *w, const void *p, size_t n)
{
	if ((size_t)(w->end - w->at) < n) {
		w->full = true;
		return;
	}
	memcpy(w->at, p, n);
	w->at += n;
}

/* Little-endian on the wire; x86 and ARM need no turning. */
#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the codec copies integers as they lie in memory"
#endif

static void
put_addr(struct writer *w, const struct hf_addr *a)
{
	hf_assert(a->family == 0 || a->family == 4 || a->family == 6);
	put(w, &a->family, 1);
	if (a->family == 0)
		return;
	put(w, a->ip, a->family == 4 ? 4 : 16);
	put(w, &a->port, 2);
	if (a->family == 6)
		put(w, &a->scope, 4);
}

static void
put_counted(struct writer *w, const void *p, size_t n)
{
	uint16_t len = (uint16_t)n;

	put(w, &len, 2);
	put(w, p, n);
}

static void
put_word(struct writer *w, const struct wire_field *f, const void *p)
{
	const struct wire_enum *e = f->sub;
	uint32_t v;
	uint8_t byte;

	memcpy(&v, p, sizeof(v));
	hf_assert(v < e->n);
	byte = (uint8_t)v;
	put(w, &byte, 1);
}

static void
put_shape(struct writer *w, const struct wire_shape *s, const char *from)
{
	for (uint16_t i = 0; i < s->n; i++) {
		const struct wire_field *f = &s->field[i];
		const char *p = from + f->at;

		switch (f->kind) {
		case WIRE_BOOL:
		case WIRE_U8:
			put(w, p, 1);
			break;
		case WIRE_U16:
			put(w, p, 2);
			break;
		case WIRE_U32:
			put(w, p, 4);
			break;
		case WIRE_U64:
		case WIRE_I64:
		case WIRE_TIME:
		case WIRE_WALL:
		case WIRE_SPAN:
		case WIRE_REF:
			put(w, p, 8);
			break;
		case WIRE_ADDR:
			put_addr(w, (const struct hf_addr *)(const void *)p);
			break;
		case WIRE_ENUM:
			put_word(w, f, p);
			break;
		case WIRE_RECORD:
			put_shape(w, f->sub, p);
			break;
		case WIRE_TEXT: {
			size_t n = strnlen(p, f->cap);

			hf_assert(n < f->cap);
			put_counted(w, p, n);
			break;
		}
		case WIRE_BYTES: {
			const struct wire_bytes *b = (const void *)p;

			hf_assert(b->n <= f->cap);
			put_counted(w, b->p, b->n);
			break;
		}
		}
	}
}

bool
msg_encode(struct hf_buf *b, const struct msg *m)
{
	struct writer w = { .at = (uint8_t *)b->p + b->n,
		.end = (uint8_t *)b->p + b->cap };
	uint8_t *start = w.at;
	uint16_t type = (uint16_t)m->type, len = 0;

	hf_assert((unsigned)m->type > 0 && (unsigned)m->type < MSG_NR);
	put(&w, &len, 2);
	put(&w, &type, 2);
	put(&w, &m->boot, 4);
	put(&w, &m->seq, 4);
	put_shape(&w, wire_msgs[type].shape, (const char *)m + MSG_BODY_AT);
	if (w.full)
		return false;
	len = (uint16_t)(w.at - start);
	memcpy(start, &len, 2);
	b->n += len;
	return true;
}

/* ---- reading --------------------------------------------------------------
 */

static bool
take(struct hf_slice *in, void *to, size_t n)
{
	if (in->n < n)
		return false;
	memcpy(to, in->p, n);
	in->p += n;
	in->n -= n;
	return true;
}

static bool
take_addr(struct hf_slice *in, struct hf_addr *a)
{
	memset(a, 0, sizeof(*a));
	if (!take(in, &a->family, 1))
		return false;
	switch (a->family) {
	case 0:
		return true;
	case 4:
		return take(in, a->ip, 4) && take(in, &a->port, 2);
	case 6:
		return take(in, a->ip, 16) && take(in, &a->port, 2) &&
		       take(in, &a->scope, 4);
	default:
		return false;
	}
}

static bool
take_bool(struct hf_slice *in, char *to)
{
	/* Any other value in a bool is undefined behaviour to its reader. */
	return in->n > 0 && (uint8_t)in->p[0] <= 1 && take(in, to, 1);
}

static bool
take_word(struct hf_slice *in, const struct wire_field *f, void *to)
{
	const struct wire_enum *e = f->sub;
	uint8_t byte;
	uint32_t v;

	if (!take(in, &byte, 1) || byte >= e->n)
		return false;
	v = byte;
	memcpy(to, &v, sizeof(v));
	return true;
}

static bool
take_text(struct hf_slice *in, const struct wire_field *f, char *to)
{
	uint16_t n;

	if (!take(in, &n, 2) || n >= f->cap || in->n < n)
		return false;
	if (n > 0 && memchr(in->p, '\0', n) != NULL)
		return false;
	to[n] = '\0';
	return take(in, to, n);
}

static bool
take_bytes(struct hf_slice *in, const struct wire_field *f, void *to)
{
	struct wire_bytes *b = to;

	return take(in, &b->n, 2) && b->n <= f->cap && take(in, b->p, b->n);
}

static bool
take_shape(struct hf_slice *in, const struct wire_shape *s, char *to)
{
	bool well = true;

	for (uint16_t i = 0; well && i < s->n; i++) {
		const struct wire_field *f = &s->field[i];
		char *p = to + f->at;

		switch (f->kind) {
		case WIRE_BOOL:
			well = take_bool(in, p);
			break;
		case WIRE_U8:
			well = take(in, p, 1);
			break;
		case WIRE_U16:
			well = take(in, p, 2);
			break;
		case WIRE_U32:
			well = take(in, p, 4);
			break;
		case WIRE_U64:
		case WIRE_I64:
		case WIRE_TIME:
		case WIRE_WALL:
		case WIRE_SPAN:
		case WIRE_REF:
			well = take(in, p, 8);
			break;
		case WIRE_ADDR:
			well = take_addr(in, (struct hf_addr *)(void *)p);
			break;
		case WIRE_ENUM:
			well = take_word(in, f, p);
			break;
		case WIRE_RECORD:
			well = take_shape(in, f->sub, p);
			break;
		case WIRE_TEXT:
			well = take_text(in, f, p);
			break;
		case WIRE_BYTES:
			well = take_bytes(in, f, p);
			break;
		}
	}
	return well;
}

bool
msg_decode(struct hf_slice *in, struct msg *out)
{
	struct hf_slice frame;
	uint16_t len, type;

	if (in->n < MSG_HEADER_LEN)
		return false;
	memcpy(&len, in->p, 2);
	if (len < MSG_HEADER_LEN || len > in->n)
		return false;
	frame = (struct hf_slice){ in->p + 2, len - 2U };
	in->p += len;
	in->n -= len;

	(void)take(&frame, &type, 2);
	(void)take(&frame, &out->boot, 4);
	(void)take(&frame, &out->seq, 4);
	if (type == 0 || type >= MSG_NR)
		return false;
	out->type = (enum msg_type)type;
	return take_shape(
		   &frame, wire_msgs[type].shape, (char *)out + MSG_BODY_AT) &&
	       frame.n == 0;
}

/* ---- telling --------------------------------------------------------------
 */

const char *
msg_name(unsigned type)
{
	return type > 0 && type < wire_msgs_nr ? wire_msgs[type].name : "?";
}

static void
print_i64(struct hf_buf *b, const void *p)
{
	int64_t v;

	memcpy(&v, p, sizeof(v));
	hf_buf_fmt(b, "%lld", (long long)v);
}

static void
print_unsigned(struct hf_buf *b, const void *p, size_t n)
{
	uint64_t v = 0;

	memcpy(&v, p, n);
	hf_buf_u64(b, v);
}

/* Quoted, and nothing in it that could forge a line or a field. */
static void
print_text(struct hf_buf *b, const char *p)
{
	hf_buf_char(b, '"');
	for (; *p != '\0'; p++) {
		unsigned char c = (unsigned char)*p;

		hf_buf_char(b,
		    c < ' ' || c == 0x7f || c == '"' || c == '\\' ? '?' : *p);
	}
	hf_buf_char(b, '"');
}

static void print_shape(
    struct hf_buf *b, const struct wire_shape *s, const char *from);

static void
print_value(struct hf_buf *b, const struct wire_field *f, const char *p)
{
	char text[HF_ADDR_TEXT_MAX];
	struct hf_addr addr;
	struct hf_ref ref;
	uint32_t v;

	switch (f->kind) {
	case WIRE_BOOL:
	case WIRE_U8:
		print_unsigned(b, p, 1);
		break;
	case WIRE_U16:
		print_unsigned(b, p, 2);
		break;
	case WIRE_U32:
		print_unsigned(b, p, 4);
		break;
	case WIRE_U64:
		print_unsigned(b, p, 8);
		break;
	case WIRE_I64:
	case WIRE_TIME:
	case WIRE_WALL:
	case WIRE_SPAN:
		print_i64(b, p);
		break;
	case WIRE_ADDR:
		memcpy(&addr, p, sizeof(addr));
		hf_buf_str(
		    b, addr.family == 0 ? "-" : hf_addr_text(&addr, text));
		break;
	case WIRE_REF:
		memcpy(&ref, p, sizeof(ref));
		hf_buf_str(b, hf_ref_text(ref, text));
		break;
	case WIRE_ENUM:
		memcpy(&v, p, sizeof(v));
		hf_buf_str(b, v < ((const struct wire_enum *)f->sub)->n
				  ? ((const struct wire_enum *)f->sub)->word[v]
				  : "?");
		break;
	case WIRE_RECORD:
		hf_buf_char(b, '{');
		print_shape(b, f->sub, p);
		hf_buf_str(b, " }");
		break;
	case WIRE_TEXT:
		print_text(b, p);
		break;
	case WIRE_BYTES:
		hf_buf_char(b, '<');
		print_unsigned(b, p, 2);
		hf_buf_char(b, '>');
		break;
	}
}

static void
print_shape(struct hf_buf *b, const struct wire_shape *s, const char *from)
{
	for (uint16_t i = 0; i < s->n; i++) {
		const struct wire_field *f = &s->field[i];

		hf_buf_char(b, ' ');
		hf_buf_str(b, f->name);
		hf_buf_char(b, '=');
		if (f->personal)
			hf_buf_char(b, '*');
		else
			print_value(b, f, from + f->at);
	}
}

void
msg_print(struct hf_buf *b, const struct msg *m)
{
	hf_buf_str(b, msg_name((unsigned)m->type));
	if ((unsigned)m->type > 0 && (unsigned)m->type < MSG_NR)
		print_shape(
		    b, wire_msgs[m->type].shape, (const char *)m + MSG_BODY_AT);
}
