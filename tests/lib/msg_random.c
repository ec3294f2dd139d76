/* tests/lib/msg_random - see msg_random.h */

#include <string.h>

#include "lib/msg_random.h"

/* splitmix64 (Steele, Lea, Flood 2014): every seed gives another message. */
static uint64_t
next(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9e3779b97f4a7c15));

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void
fill(char *p, size_t n, uint64_t *state)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (char)next(state);
}

static void
fill_addr(char *p, uint64_t *state)
{
	static const uint8_t families[] = { 0, 4, 6 };
	struct hf_addr a = { .family = families[next(state) % 3] };

	if (a.family != 0) {
		fill((char *)a.ip, a.family == 4 ? 4 : 16, state);
		a.port = (uint16_t)next(state);
	}
	if (a.family == 6)
		a.scope = (uint32_t)next(state);
	memcpy(p, &a, sizeof(a));
}

static void
fill_shape(char *to, const struct wire_shape *s, uint64_t *state)
{
	for (uint16_t i = 0; i < s->n; i++) {
		const struct wire_field *f = &s->field[i];
		char *p = to + f->at;
		uint32_t v;
		uint16_t n;

		switch (f->kind) {
		case WIRE_BOOL:
			*p = (char)(next(state) & 1);
			break;
		case WIRE_U8:
			fill(p, 1, state);
			break;
		case WIRE_U16:
			fill(p, 2, state);
			break;
		case WIRE_U32:
			fill(p, 4, state);
			break;
		case WIRE_U64:
		case WIRE_I64:
		case WIRE_TIME:
		case WIRE_WALL:
		case WIRE_SPAN:
		case WIRE_REF:
			fill(p, 8, state);
			break;
		case WIRE_ADDR:
			fill_addr(p, state);
			break;
		case WIRE_ENUM:
			v = (uint32_t)(next(state) %
				       ((const struct wire_enum *)f->sub)->n);
			memcpy(p, &v, sizeof(v));
			break;
		case WIRE_RECORD:
			fill_shape(p, f->sub, state);
			break;
		case WIRE_TEXT:
			n = (uint16_t)(next(state) % f->cap);
			for (uint16_t k = 0; k < n; k++)
				p[k] = (char)(1 + next(state) % 255);
			p[n] = '\0';
			break;
		case WIRE_BYTES:
			n = (uint16_t)(next(state) % (f->cap + 1U));
			memcpy(p, &n, sizeof(n));
			fill(p + sizeof(n), n, state);
			break;
		}
	}
}

void
msg_random(struct msg *m, enum msg_type type, uint64_t seed)
{
	uint64_t state = seed;

	memset(m, 0, sizeof(*m));
	m->type = type;
	m->boot = (uint32_t)next(&state);
	m->seq = (uint32_t)next(&state);
	fill_shape((char *)m + MSG_BODY_AT, wire_msgs[type].shape, &state);
}

static bool same_field(
    const struct wire_field *f, const char *a, const char *b);

static bool
same_shape(const struct wire_shape *s, const char *a, const char *b)
{
	for (uint16_t i = 0; i < s->n; i++)
		if (!same_field(
			&s->field[i], a + s->field[i].at, b + s->field[i].at))
			return false;
	return true;
}

static bool
same_field(const struct wire_field *f, const char *a, const char *b)
{
	uint16_t n;

	switch (f->kind) {
	case WIRE_BOOL:
	case WIRE_U8:
		return memcmp(a, b, 1) == 0;
	case WIRE_U16:
		return memcmp(a, b, 2) == 0;
	case WIRE_U32:
	case WIRE_ENUM:
		return memcmp(a, b, 4) == 0;
	case WIRE_U64:
	case WIRE_I64:
	case WIRE_TIME:
	case WIRE_WALL:
	case WIRE_SPAN:
	case WIRE_REF:
		return memcmp(a, b, 8) == 0;
	case WIRE_ADDR:
		return memcmp(a, b, sizeof(struct hf_addr)) == 0;
	case WIRE_RECORD:
		return same_shape(f->sub, a, b);
	case WIRE_TEXT:
		return strcmp(a, b) == 0;
	case WIRE_BYTES:
		memcpy(&n, a, sizeof(n));
		return memcmp(a, b, sizeof(n) + n) == 0;
	}
	return false;
}

bool
msg_same(const struct msg *a, const struct msg *b)
{
	return a->type == b->type && a->boot == b->boot && a->seq == b->seq &&
	       same_shape(wire_msgs[a->type].shape,
		   (const char *)a + MSG_BODY_AT,
		   (const char *)b + MSG_BODY_AT);
}
