/*
 * io/sip/lex - how the SIP grammar reads a text: character classes and a place
 * that moves on.  Private to this folder.
 */
#ifndef HF_IO_SIP_LEX_H
#define HF_IO_SIP_LEX_H

#include "base/slice.h"
#include "io/sip/msg.h"

/* Character classes of RFC 3261 25.1.  SPACE has the line ends too, because a
 * folded line's are blanks. */
enum {
	C_SPACE = 1,
	C_TOKEN = 2,
	C_HOST = 4, /* a name or an IPv4 address; _ is met in the wild */
	C_URI = 8,  /* may stand in a URI behind the scheme */
	C_DIGIT = 16,
	C_SCHEME = 32,
	C_HEX = 64,
	C_ALPHA = 128,
};

extern const uint8_t sip_class[256];

static inline bool
is(char c, unsigned classes)
{
	return (sip_class[(uint8_t)c] & classes) != 0;
}

/* A place in a text: everything is read through one of these. */
struct at {
	const char *p, *end;
};

static inline struct at
at_start(struct hf_slice s)
{
	/* An empty slice may be NULL, to which C adds nothing, not even 0. */
	const char *p = s.n > 0 ? s.p : "";

	return (struct at){ p, p + s.n };
}

static inline void
skip(struct at *a, unsigned classes)
{
	while (a->p < a->end && is(*a->p, classes))
		a->p++;
}

static inline struct hf_slice
take(struct at *a, unsigned classes)
{
	const char *from = a->p;

	skip(a, classes);
	return (struct hf_slice){ from, (size_t)(a->p - from) };
}

/* One character, with blanks allowed on both sides (SEMI, EQUAL, SLASH). */
static inline bool
take_mark(struct at *a, char c)
{
	skip(a, C_SPACE);
	if (a->p == a->end || *a->p != c)
		return false;
	a->p++;
	skip(a, C_SPACE);
	return true;
}

static inline struct hf_slice
between(const char *from, const char *to)
{
	return (struct hf_slice){ from, (size_t)(to - from) };
}

/* Decimal digits up to max, leading zeros welcome. */
static inline bool
number(struct hf_slice s, uint32_t max, uint32_t *out)
{
	uint64_t v = 0;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (!is(s.p[i], C_DIGIT))
			return false;
		v = v * 10 + (uint64_t)(s.p[i] - '0');
		if (v > max)
			return false;
	}
	*out = (uint32_t)v;
	return true;
}

/* Behind the closing quote of the string that starts at p, or NULL. */
static inline const char *
quoted_end(const char *p, const char *end)
{
	for (p++; p < end; p++) {
		if (*p == '"')
			return p + 1;
		if (*p == '\\')
			p++;
	}
	return NULL;
}

/* A name without case; b is letters, digits and '-' only. */
static inline bool
same_name(struct hf_slice a, const char *b, size_t n)
{
	if (a.n != n)
		return false;
	for (size_t i = 0; i < n; i++)
		if ((a.p[i] | 0x20) != (b[i] | 0x20))
			return false;
	return true;
}
#define NAMED(s, lit) same_name((s), (lit), sizeof(lit) - 1)

struct param {
	struct hf_slice name, value;
};

/* The next "name=value" or "name"; a stands behind the ';' before it.  Returns
 * 1, 0 at the end, -1 when it is malformed. */
int sip_param_next(struct at *a, struct param *out);

/* From or To, with its tag (empty when absent). */
bool sip_parse_party(
    struct hf_slice s, struct sip_name_addr *out, struct hf_slice *tag);

/* sip_header_name() with its length. */
struct hf_slice sip_header_text(enum sip_header h);
enum sip_method sip_method_of(struct hf_slice s);
enum sip_header sip_header_of(struct hf_slice name);

#endif
