/* io/sip/peek - see peek.h */

#include "io/sip/peek.h"
#include "io/sip/lex.h"

static struct hf_slice
rest_of(struct hf_slice s, size_t from)
{
	return (struct hf_slice){ s.p + from, s.n - from };
}

/* The next line without its end; *s is what comes after it. */
static struct hf_slice
line_of(struct hf_slice *s)
{
	size_t n = hf_slice_find(*s, '\n');
	struct hf_slice line = { s->p, n };

	*s = rest_of(*s, n < s->n ? n + 1 : n);
	return line;
}

/* Behind "To:" or "t:", nothing when it is another header. */
static struct hf_slice
to_value(struct hf_slice line)
{
	size_t n = hf_slice_find(line, ':');
	struct hf_slice name = hf_slice_trim((struct hf_slice){ line.p, n });

	if (n == line.n || (!hf_slice_eq_nocase(name, HF_SLICE("to")) &&
			       !hf_slice_eq_nocase(name, HF_SLICE("t"))))
		return HF_SLICE("");
	return rest_of(line, n + 1);
}

static struct hf_slice
tag_in(struct hf_slice value)
{
	static const struct hf_slice mark = HF_SLICE("tag=");
	size_t n;

	while ((n = hf_slice_find(value, ';')) < value.n) {
		value = rest_of(value, n + 1);
		if (!hf_slice_starts_nocase(value, mark))
			continue;
		value = rest_of(value, mark.n);
		for (n = 0; n < value.n && is(value.p[n], C_TOKEN); n++)
			;
		return (struct hf_slice){ value.p, n };
	}
	return HF_SLICE("");
}

/* "sip:+33400000000@lyon": what stands before the host. */
static struct hf_slice
user_in(struct hf_slice uri)
{
	size_t n = hf_slice_find(uri, ':');

	if (n == uri.n)
		return HF_SLICE("");
	uri = rest_of(uri, n + 1);
	n = hf_slice_find(uri, '@');
	return n < uri.n ? (struct hf_slice){ uri.p, n } : HF_SLICE("");
}

static bool
is_method(struct hf_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i], C_TOKEN))
			return false;
	return s.n > 0;
}

struct sip_peek
sip_peek(struct hf_slice bytes)
{
	struct sip_peek p = { .kind = SIP_PEEK_NOISE };
	struct hf_slice first, method, line;

	/* RFC 3261 7.5: blank lines before a message mean nothing. */
	while (bytes.n > 0 && (bytes.p[0] == '\r' || bytes.p[0] == '\n'))
		bytes = rest_of(bytes, 1);
	if (hf_slice_starts_nocase(bytes, HF_SLICE("SIP/"))) {
		p.kind = SIP_PEEK_ANSWER;
		return p;
	}
	first = line_of(&bytes);
	method = (struct hf_slice){ first.p, hf_slice_find(first, ' ') };
	if (method.n == first.n || !is_method(method))
		return p;
	p.kind = SIP_PEEK_NEW;
	p.invite = hf_slice_eq(method, HF_SLICE("INVITE"));
	p.uri = rest_of(first, method.n + 1);
	p.uri.n = hf_slice_find(p.uri, ' ');
	p.user = user_in(p.uri);
	p.cancel = hf_slice_eq(method, HF_SLICE("CANCEL"));
	if (p.cancel || hf_slice_eq(method, HF_SLICE("ACK"))) {
		p.kind = SIP_PEEK_ABOUT;
		return p;
	}
	/* Where the header ends, and at a line that belongs to the one before
	 * it (which none of those who call us writes), the parser knows. */
	while (bytes.n > 0) {
		line = line_of(&bytes);
		if (line.n == 0 || line.p[0] == '\r')
			break;
		p.tag = tag_in(to_value(line));
		if (p.tag.n > 0) {
			p.kind = SIP_PEEK_INSIDE;
			break;
		}
	}
	return p;
}
