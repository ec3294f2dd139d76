/* io/sip/uri - URIs, addresses and Vias of msg.h, read and compared. */

#include "base/check.h"
#include "io/sip/lex.h"
#include "io/sip/msg.h"

#define ALNUM  (C_TOKEN | C_HOST | C_URI | C_SCHEME)
#define LETTER (ALNUM | C_ALPHA)
#define DIGIT  (ALNUM | C_DIGIT | C_HEX)
#define HEX    (LETTER | C_HEX)

/* clang-format off */
const uint8_t sip_class[256] = {
	['\t'] = C_SPACE, ['\r'] = C_SPACE, ['\n'] = C_SPACE, [' '] = C_SPACE,
	['0' ... '9'] = DIGIT,
	['A' ... 'F'] = HEX, ['G' ... 'Z'] = LETTER,
	['a' ... 'f'] = HEX, ['g' ... 'z'] = LETTER,
	['-'] = C_TOKEN | C_HOST | C_URI | C_SCHEME,
	['.'] = C_TOKEN | C_HOST | C_URI | C_SCHEME,
	['+'] = C_TOKEN | C_URI | C_SCHEME,
	['_'] = C_TOKEN | C_HOST | C_URI,
	['!'] = C_TOKEN | C_URI, ['%'] = C_TOKEN | C_URI,
	['*'] = C_TOKEN | C_URI, ['`'] = C_TOKEN | C_URI,
	['\''] = C_TOKEN | C_URI, ['~'] = C_TOKEN | C_URI,
	/* Not in a token, but in a URI; # and those above 127 against the
	 * letter of the RFC, because phones send them. */
	['#'] = C_URI, ['$'] = C_URI, ['&'] = C_URI, ['('] = C_URI,
	[')'] = C_URI, [','] = C_URI, ['/'] = C_URI, [':'] = C_URI,
	[';'] = C_URI, ['='] = C_URI, ['?'] = C_URI, ['@'] = C_URI,
	['['] = C_URI, [']'] = C_URI, ['^'] = C_URI, ['{'] = C_URI,
	['|'] = C_URI, ['}'] = C_URI, [128 ... 255] = C_URI,
};
/* clang-format on */

/* ---- parameters ---------------------------------------------------------- */

int
sip_param_next(struct at *a, struct param *out)
{
	const char *from;

	skip(a, C_SPACE);
	if (a->p == a->end)
		return 0;
	out->name = take(a, C_TOKEN);
	out->value = (struct hf_slice){ a->p, 0 };
	if (out->name.n == 0)
		return -1;
	if (take_mark(a, '=')) {
		if (a->p < a->end && *a->p == '"') {
			from = a->p + 1;
			a->p = quoted_end(a->p, a->end);
			if (a->p == NULL) {
				a->p = a->end;
				return -1;
			}
			out->value = between(from, a->p - 1);
		} else {
			/* token, host or IPv6 reference; URI parameters have
			 * the wider alphabet, but end at ';' alike */
			from = a->p;
			while (
			    a->p < a->end && *a->p != ';' && is(*a->p, C_URI))
				a->p++;
			out->value = between(from, a->p);
		}
		skip(a, C_SPACE);
	}
	if (a->p == a->end)
		return 1;
	if (*a->p != ';')
		return -1;
	a->p++;
	return 1; /* "a;" and then nothing is let pass */
}

bool
sip_param(struct hf_slice params, struct hf_slice name, struct hf_slice *value)
{
	struct at a = at_start(params);
	struct param p;

	while (sip_param_next(&a, &p) == 1) {
		if (hf_slice_eq_nocase(p.name, name)) {
			*value = p.value;
			return true;
		}
	}
	return false;
}

/* ---- URIs ---------------------------------------------------------------- */

static bool
escapes_ok(struct hf_slice s)
{
	const char *p = s.p, *end = s.p + s.n;

	while (p < end && (p = memchr(p, '%', (size_t)(end - p))) != NULL) {
		if (end - p < 3 || !is(p[1], C_HEX) || !is(p[2], C_HEX))
			return false;
		p += 3;
	}
	return true;
}

/* host[:port], blanks round the colon when spaced (Via). */
static bool
take_host(struct at *a, struct hf_slice *host, uint16_t *port, bool spaced)
{
	uint32_t n;

	*port = 0;
	if (a->p < a->end && *a->p == '[') {
		const char *from = ++a->p;

		while (a->p < a->end &&
		       (is(*a->p, C_HEX) || *a->p == ':' || *a->p == '.'))
			a->p++;
		if (a->p == a->end || *a->p != ']')
			return false;
		*host = between(from, a->p++);
	} else {
		*host = take(a, C_HOST);
	}
	if (host->n == 0)
		return false;
	if (spaced)
		skip(a, C_SPACE);
	if (a->p == a->end || *a->p != ':')
		return true;
	a->p++;
	if (spaced)
		skip(a, C_SPACE);
	if (!number(take(a, C_DIGIT), UINT16_MAX, &n))
		return false;
	*port = (uint16_t)n;
	return true;
}

/* Behind "sip:" or "sips:". */
static bool
parse_sip_rest(struct at a, struct sip_uri *out)
{
	const char *sign = memchr(a.p, '@', (size_t)(a.end - a.p));

	if (sign != NULL) {
		const char *colon = memchr(a.p, ':', (size_t)(sign - a.p));

		out->user = between(a.p, colon != NULL ? colon : sign);
		if (out->user.n == 0)
			return false;
		a.p = sign + 1;
	}
	if (!take_host(&a, &out->host, &out->port, false))
		return false;
	if (a.p < a.end && *a.p == ';') {
		const char *from = ++a.p;

		while (a.p < a.end && *a.p != '?')
			a.p++;
		out->params = between(from, a.p);
		if (out->params.n == 0)
			return false;
	}
	if (a.p < a.end && *a.p == '?') {
		out->headers = between(a.p + 1, a.end);
		return out->headers.n > 0;
	}
	return a.p == a.end;
}

bool
sip_parse_uri(struct hf_slice s, struct sip_uri *out)
{
	struct at a = at_start(s);

	*out = (struct sip_uri){ .whole = s };
	if (a.p == a.end || !is(*a.p, C_ALPHA))
		return false;
	out->scheme = take(&a, C_SCHEME);
	if (a.p == a.end || *a.p != ':')
		return false;
	a.p++;
	for (const char *p = a.p; p < a.end; p++)
		if (!is(*p, C_URI))
			return false;
	if (!escapes_ok(between(a.p, a.end)))
		return false;
	if (NAMED(out->scheme, "sip") || NAMED(out->scheme, "sips"))
		return parse_sip_rest(a, out);
	if (NAMED(out->scheme, "tel")) {
		const char *semi = memchr(a.p, ';', (size_t)(a.end - a.p));

		out->user = between(a.p, semi != NULL ? semi : a.end);
		if (semi != NULL)
			out->params = between(semi + 1, a.end);
		return out->user.n > 0;
	}
	return a.p < a.end;
}

/* ---- name-addr ----------------------------------------------------------- */

static bool
params_ok(struct hf_slice params)
{
	struct at a = at_start(params);
	struct param p;
	int got;

	while ((got = sip_param_next(&a, &p)) == 1)
		;
	return got == 0;
}

/* ";params" up to the end, or nothing.  Does not look into them. */
static bool
take_params(struct at *a, struct hf_slice *params)
{
	*params = (struct hf_slice){ a->end, 0 };
	skip(a, C_SPACE);
	if (a->p == a->end)
		return true;
	if (*a->p != ';')
		return false;
	a->p++;
	skip(a, C_SPACE);
	*params = between(a->p, a->end);
	return true;
}

/*
 * RFC 3261 20.10: without <> everything behind the first ';' belongs to the
 * header, and a '?' or ',' may not be there at all.
 */
static bool
parse_bare(struct at a, struct sip_name_addr *out)
{
	const char *from = a.p;

	while (a.p < a.end && *a.p != ';' && *a.p != '?' && *a.p != ',' &&
	       !is(*a.p, C_SPACE))
		a.p++;
	if (!sip_parse_uri(between(from, a.p), &out->uri))
		return false;
	return take_params(&a, &out->params);
}

static bool
split_name_addr(struct hf_slice s, struct sip_name_addr *out)
{
	struct at a = at_start(s);
	const char *from;

	*out = (struct sip_name_addr){ .display = { s.p, 0 } };
	skip(&a, C_SPACE);
	from = a.p;
	if (a.p < a.end && *a.p == '"') {
		a.p = quoted_end(a.p, a.end);
		if (a.p == NULL)
			return false;
		out->display = between(from + 1, a.p - 1);
		skip(&a, C_SPACE);
		if (a.p == a.end || *a.p != '<')
			return false;
	} else {
		while (a.p < a.end && *a.p != '<') {
			/* A comma or a quote in a bare display name, or the
			 * parameters of a bare URI. */
			if (*a.p == ',' || *a.p == '"' || *a.p == ';' ||
			    *a.p == '?')
				break;
			a.p++;
		}
		if (a.p == a.end || *a.p != '<')
			return parse_bare((struct at){ from, a.end }, out);
		out->display = hf_slice_trim(between(from, a.p));
	}
	from = ++a.p;
	a.p = memchr(a.p, '>', (size_t)(a.end - a.p));
	if (a.p == NULL || !sip_parse_uri(between(from, a.p), &out->uri))
		return false;
	a.p++;
	return take_params(&a, &out->params);
}

bool
sip_parse_name_addr(struct hf_slice s, struct sip_name_addr *out)
{
	return split_name_addr(s, out) && params_ok(out->params);
}

bool
sip_parse_party(
    struct hf_slice s, struct sip_name_addr *out, struct hf_slice *tag)
{
	struct param p;
	struct at a;
	int got;

	*tag = (struct hf_slice){ s.p, 0 };
	if (!split_name_addr(s, out))
		return false;
	a = at_start(out->params);
	while ((got = sip_param_next(&a, &p)) == 1) {
		if (NAMED(p.name, "tag")) {
			/* Two tags, or one without a value: who is it? */
			if (tag->n > 0 || p.value.n == 0)
				return false;
			*tag = p.value;
		}
	}
	return got == 0;
}

/* ---- Via ----------------------------------------------------------------- */

/* "SIP / 2.0 / UDP", mostly without the blanks. */
static bool
take_sent_protocol(struct at *a, struct hf_slice *transport)
{
	if (a->end - a->p > 8 && memcmp(a->p, "SIP/2.0/", 8) == 0) {
		a->p += 8;
	} else {
		/* The version is not looked at: a request of another one is
		 * answered 505 along the Vias it came with. */
		if (take(a, C_TOKEN).n == 0 || !take_mark(a, '/') ||
		    take(a, C_TOKEN).n == 0 || !take_mark(a, '/'))
			return false;
	}
	skip(a, C_SPACE);
	*transport = take(a, C_TOKEN);
	if (transport->n == 0 || a->p == a->end || !is(*a->p, C_SPACE))
		return false;
	skip(a, C_SPACE);
	return true;
}

/*
 * What is needed to send an answer comes first: when host.n > 0 after a false
 * return, the rest is malformed but an answer can be sent.
 */
bool
sip_parse_via(struct hf_slice s, struct sip_via *out)
{
	struct at a = at_start(s);
	struct param p;
	int got;

	*out = (struct sip_via){ .whole = s };
	skip(&a, C_SPACE);
	if (!take_sent_protocol(&a, &out->transport))
		return false;
	if (!take_host(&a, &out->host, &out->port, true)) {
		out->host = (struct hf_slice){ NULL, 0 };
		return false;
	}
	skip(&a, C_SPACE);
	if (a.p == a.end)
		return true;
	if (*a.p++ != ';')
		return false;
	while ((got = sip_param_next(&a, &p)) == 1) {
		if (NAMED(p.name, "branch")) {
			out->branch = p.value;
		} else if (NAMED(p.name, "received")) {
			out->received = p.value;
		} else if (NAMED(p.name, "rport")) {
			out->rport = p.value;
			out->has_rport = true;
		}
	}
	return got == 0;
}

/* ---- text and comparison ------------------------------------------------- */

static int
hex_value(char c)
{
	return is(c, C_DIGIT) ? c - '0' : (c | 0x20) - 'a' + 10;
}

bool
sip_unescape(struct hf_slice s, char *to, size_t cap)
{
	size_t n = 0;

	hf_assert(cap > 0);
	to[0] = '\0';
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '%') {
			if (s.n - i < 3 || !is(s.p[i + 1], C_HEX) ||
			    !is(s.p[i + 2], C_HEX))
				goto no;
			c = (char)(hex_value(s.p[i + 1]) << 4 |
				   hex_value(s.p[i + 2]));
			i += 2;
		}
		if (c == '\0' || n + 1 >= cap)
			goto no;
		to[n++] = c;
	}
	to[n] = '\0';
	return true;
no:
	to[0] = '\0';
	return false;
}

bool
sip_host_addr(struct hf_slice host, struct hf_addr *out)
{
	char text[HF_ADDR_TEXT_MAX];
	size_t n = 0;

	if (hf_addr_parse_ip(host, out))
		return true;
	if (host.n >= sizeof(text))
		return false;
	for (size_t i = 0; i < host.n; i++) {
		if (n >= 2 && host.p[i] == ':' && text[n - 1] == ':' &&
		    text[n - 2] == ':')
			continue;
		text[n++] = host.p[i];
	}
	return n < host.n &&
	       hf_addr_parse_ip((struct hf_slice){ text, n }, out);
}

/* One character of a URI, with escapes undone; above 255 when an escape hides
 * a reserved one, which is not the same as that character. */
static int
uri_char(struct at *a)
{
	int c = (uint8_t)*a->p++;

	if (c != '%' || a->end - a->p < 2)
		return c;
	c = hex_value(a->p[0]) << 4 | hex_value(a->p[1]);
	a->p += 2;
	if (c == 0 || strchr(";/?:@&=+$,", c) != NULL)
		return c | 0x100;
	return c;
}

static int
lower(int c)
{
	return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static bool
text_eq(struct hf_slice x, struct hf_slice y, bool nocase)
{
	struct at a = at_start(x), b = at_start(y);

	while (a.p < a.end && b.p < b.end) {
		int c = uri_char(&a), d = uri_char(&b);

		if (nocase ? lower(c) != lower(d) : c != d)
			return false;
	}
	return a.p == a.end && b.p == b.end;
}

/* Every parameter of a that b has too must be the same; these must be in both
 * or in none. */
static bool
params_agree(struct hf_slice a, struct hf_slice b)
{
	struct at at = at_start(a);
	struct hf_slice other;
	struct param p;

	while (sip_param_next(&at, &p) == 1) {
		if (sip_param(b, p.name, &other)) {
			if (!text_eq(p.value, other, true))
				return false;
		} else if (NAMED(p.name, "transport") ||
			   NAMED(p.name, "user") || NAMED(p.name, "ttl") ||
			   NAMED(p.name, "method") || NAMED(p.name, "maddr")) {
			return false;
		}
	}
	return true;
}

/* Each of a's headers is among b's. */
static bool
headers_in(struct hf_slice a, struct hf_slice b)
{
	while (a.n > 0) {
		size_t n = hf_slice_find(a, '&');
		struct hf_slice one = { a.p, n }, rest = b;
		bool found = false;

		while (!found && rest.n > 0) {
			size_t k = hf_slice_find(rest, '&');

			found =
			    text_eq(one, (struct hf_slice){ rest.p, k }, true);
			rest = between(
			    rest.p + (k < rest.n ? k + 1 : k), rest.p + rest.n);
		}
		if (!found)
			return false;
		a = between(a.p + (n < a.n ? n + 1 : n), a.p + a.n);
	}
	return true;
}

/* "user:password": what stands before the '@'. */
static struct hf_slice
userinfo(const struct sip_uri *u)
{
	const char *sign;

	if (u->user.n == 0)
		return (struct hf_slice){ u->whole.p, 0 };
	if (u->host.n == 0)
		return u->user;
	sign = memchr(
	    u->user.p, '@', (size_t)(u->whole.p + u->whole.n - u->user.p));
	return between(u->user.p, sign);
}

bool
sip_uri_names(const struct sip_uri *a, const struct sip_uri *b)
{
	if (!hf_slice_eq_nocase(a->scheme, b->scheme))
		return false;
	if (a->user.n == 0 && a->host.n == 0)
		return hf_slice_eq(a->whole, b->whole);
	return text_eq(userinfo(a), userinfo(b), false);
}

bool
sip_is_sos(struct hf_slice uri)
{
	struct hf_slice urn = HF_SLICE("urn:service:sos");

	return hf_slice_starts_nocase(uri, urn) &&
	       (uri.n == urn.n || uri.p[urn.n] == '.');
}

bool
sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b)
{
	struct hf_addr x, y;

	if (!hf_slice_eq_nocase(a->scheme, b->scheme))
		return false;
	if (a->user.n == 0 && a->host.n == 0)
		return hf_slice_eq(a->whole, b->whole);
	if (a->port != b->port || !text_eq(userinfo(a), userinfo(b), false))
		return false;
	if (!hf_slice_eq_nocase(a->host, b->host) &&
	    !(sip_host_addr(a->host, &x) && sip_host_addr(b->host, &y) &&
		hf_addr_same_host(&x, &y)))
		return false;
	return params_agree(a->params, b->params) &&
	       params_agree(b->params, a->params) &&
	       headers_in(a->headers, b->headers) &&
	       headers_in(b->headers, a->headers);
}
