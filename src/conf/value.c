/* conf/value - one value between the text of the file and its place */

#include <inttypes.h>
#include <stdio.h>

#include "base/check.h"
#include "conf/keys.h"

enum { SIP_PORT = 5060, SIPS_PORT = 5061, DNS_PORT = 53 };

/* From the smallest to the largest. */
static const struct unit {
	const char *name;
	int64_t us;
} units[] = {
	{ "us", 1 },
	{ "ms", 1000 },
	{ "s", 1000 * 1000 },
	{ "m", INT64_C(60) * 1000 * 1000 },
	{ "h", INT64_C(3600) * 1000 * 1000 },
	{ "d", INT64_C(86400) * 1000 * 1000 },
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_alnum(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Foreign text inside a message: bounded, and nothing a terminal obeys. */
static void
put_quoted(struct hf_buf *b, struct hf_slice s)
{
	enum { SHOWN = 48 };

	hf_buf_char(b, '"');
	for (size_t i = 0; i < s.n && i < SHOWN; i++) {
		unsigned char c = (unsigned char)s.p[i];

		hf_buf_char(b, c < 0x20 || c == 0x7f ? '?' : (char)c);
	}
	hf_buf_str(b, s.n > SHOWN ? "...\"" : "\"");
}

static bool
not_one(const struct conf_key *k, struct hf_slice text, struct hf_buf *why)
{
	put_quoted(why, text);
	hf_buf_fmt(why, " is not %s; write %s", conf_type_name(k->type),
	    conf_type_how(k->type));
	return false;
}

static bool
too_long(struct hf_slice text, size_t most, struct hf_buf *why)
{
	put_quoted(why, text);
	hf_buf_fmt(why, " is too long; write at most %zu characters", most);
	return false;
}

/* ---- numbers with units -------------------------------------------------- */

static void
put_span(struct hf_buf *b, int64_t us)
{
	size_t i = HF_LEN(units) - 1;

	if (us == 0) {
		hf_buf_str(b, "0s");
		return;
	}
	while (us % units[i].us != 0)
		i--;
	hf_buf_fmt(b, "%" PRId64 "%s", us / units[i].us, units[i].name);
}

static void
put_bytes(struct hf_buf *b, uint64_t n)
{
	static const char suffix[] = "GMK";

	for (unsigned int i = 0; i < 3; i++) {
		unsigned int shift = 30 - 10 * i;

		if (n != 0 && (n & ((UINT64_C(1) << shift) - 1)) == 0) {
			hf_buf_fmt(b, "%" PRIu64 "%c", n >> shift, suffix[i]);
			return;
		}
	}
	hf_buf_u64(b, n);
}

static void
put_number(const struct conf_key *k, struct hf_buf *b, int64_t v)
{
	if (k->type == CONF_T_SPAN)
		put_span(b, v);
	else if (k->type == CONF_T_BYTES)
		put_bytes(b, (uint64_t)v);
	else
		hf_buf_fmt(b, "%" PRId64 "%s", v,
		    k->type == CONF_T_PERCENT ? "%" : "");
}

static bool
in_range(const struct conf_key *k, struct hf_slice text, int64_t v,
    struct hf_buf *why)
{
	if (v >= k->min && v <= k->max)
		return true;
	put_quoted(why, text);
	hf_buf_str(why, v < k->min ? " is too small" : " is too large");
	hf_buf_str(why, "; write ");
	put_number(k, why, k->min);
	hf_buf_str(why, " to ");
	put_number(k, why, k->max);
	return false;
}

static bool
parse_span(struct hf_slice s, int64_t *us)
{
	enum { FRACTION_DIGITS = 6 };
	int64_t whole = 0, fraction = 0, scale = 1;
	size_t i = 0;

	for (; i < s.n && is_digit(s.p[i]); i++)
		if (whole < INT64_MAX / 100) /* far out of any range */
			whole = whole * 10 + (s.p[i] - '0');
	if (i == 0)
		return false;
	if (i < s.n && s.p[i] == '.') {
		size_t first = ++i;

		for (; i < s.n && is_digit(s.p[i]); i++) {
			fraction = fraction * 10 + (s.p[i] - '0');
			scale *= 10;
			if (i - first >= FRACTION_DIGITS)
				return false;
		}
		if (i == first)
			return false;
	}
	if (i < s.n && s.p[i] == ' ')
		i++;
	s = (struct hf_slice){ s.p + i, s.n - i };
	for (size_t u = 0; u < HF_LEN(units); u++) {
		if (!hf_slice_eq(s, hf_slice_of(units[u].name)))
			continue;
		if (whole > INT64_MAX / 2 / units[u].us)
			*us = INT64_MAX;
		else
			*us = whole * units[u].us +
			      fraction * units[u].us / scale;
		return true;
	}
	return false;
}

/* Digits, then perhaps one character that multiplies. */
static bool
parse_whole(struct hf_slice s, int64_t *out)
{
	enum { DIGITS_MAX = 15 };
	uint64_t v;

	if (s.n > DIGITS_MAX || !hf_slice_number(s, INT64_MAX, &v))
		return false;
	*out = (int64_t)v;
	return true;
}

static bool
parse_bytes(struct hf_slice s, int64_t *out)
{
	unsigned int shift = 0;

	if (s.n > 1 && !is_digit(s.p[s.n - 1])) {
		switch (s.p[s.n - 1]) {
		case 'K':
			shift = 10;
			break;
		case 'M':
			shift = 20;
			break;
		case 'G':
			shift = 30;
			break;
		default:
			return false;
		}
		s.n--;
	}
	if (!parse_whole(s, out))
		return false;
	*out = *out > INT64_MAX >> shift ? INT64_MAX : *out << shift;
	return true;
}

static bool
parse_percent(struct hf_slice s, int64_t *out)
{
	if (s.n == 0 || s.p[s.n - 1] != '%')
		return false;
	s.n--;
	return parse_whole(hf_slice_trim(s), out);
}

static bool
set_number(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	int64_t v = 0;
	bool is_one = k->type == CONF_T_SPAN      ? parse_span(text, &v)
		      : k->type == CONF_T_BYTES   ? parse_bytes(text, &v)
		      : k->type == CONF_T_PERCENT ? parse_percent(text, &v)
						  : parse_whole(text, &v);

	if (!is_one)
		return not_one(k, text, why);
	if (!in_range(k, text, v, why))
		return false;
	if (k->type == CONF_T_SPAN)
		*(struct hf_span *)at = (struct hf_span){ v };
	else if (k->size == sizeof(uint16_t))
		*(uint16_t *)at = (uint16_t)v;
	else
		*(uint32_t *)at = (uint32_t)v;
	return true;
}

/* ---- texts --------------------------------------------------------------- */

static bool
is_name(struct hf_slice s)
{
	if (s.n == 0 || !is_alnum(s.p[0]))
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) &&
		    (s.p[i] == '\0' || strchr(".-_", s.p[i]) == NULL))
			return false;
	return true;
}

static bool
is_dialled(struct hf_slice s)
{
	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) &&
		    (s.p[i] == '\0' || strchr("*#.-_", s.p[i]) == NULL) &&
		    !(s.p[i] == '+' && i == 0))
			return false;
	return true;
}

static bool
is_pattern(struct hf_slice s)
{
	if (s.n > 0 && s.p[s.n - 1] == '*')
		s.n--;
	return s.n == 0 || (is_dialled(s) && hf_slice_find(s, '*') == s.n);
}

static bool
is_text(struct hf_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || s.p[i] == 0x7f)
			return false;
	return s.n > 0;
}

static bool
set_text(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	bool is_one = k->type == CONF_T_NAME      ? is_name(text)
		      : k->type == CONF_T_DIALLED ? is_dialled(text)
		      : k->type == CONF_T_PATTERN
			  ? is_pattern(text) && text.n > 0
			  : is_text(text);

	if (!is_one)
		return not_one(k, text, why);
	if (text.n >= k->size)
		return too_long(text, k->size - 1, why);
	/* Whole and clean: the value is compared and shipped as bytes. */
	memset(at, 0, k->size);
	memcpy(at, text.p, text.n);
	return true;
}

static bool
set_bool(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	bool yes = hf_slice_eq(text, HF_SLICE("yes")) ||
		   hf_slice_eq(text, HF_SLICE("true"));
	bool no = hf_slice_eq(text, HF_SLICE("no")) ||
		  hf_slice_eq(text, HF_SLICE("false"));

	if (!yes && !no)
		return not_one(k, text, why);
	*(uint8_t *)at = yes;
	return true;
}

static bool
set_choice(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	for (uint8_t i = 0; k->words[i] != NULL; i++) {
		if (!hf_slice_eq(text, hf_slice_of(k->words[i])))
			continue;
		*(uint8_t *)at = i;
		return true;
	}
	put_quoted(why, text);
	hf_buf_str(why, " is not known here; write ");
	for (size_t i = 0; k->words[i] != NULL; i++)
		hf_buf_fmt(why, "%s%s", i == 0 ? "" : " or ", k->words[i]);
	return false;
}

/* ---- addresses ----------------------------------------------------------- */

static bool
set_ip(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	return hf_addr_parse_ip(text, at) ? true : not_one(k, text, why);
}

static bool
set_server(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	struct hf_addr *a = at;

	if (hf_addr_parse_ip(text, a))
		a->port = DNS_PORT;
	else if (!hf_addr_parse(text, a) || a->port == 0)
		return not_one(k, text, why);
	return true;
}

static bool
set_net(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	return hf_net_parse(text, at) ? true : not_one(k, text, why);
}

static bool
set_listen(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	struct conf_listen *l = at;
	bool tcp = hf_slice_starts(text, HF_SLICE("tcp:"));

	memset(l, 0, sizeof(*l));
	if (!tcp && !hf_slice_starts(text, HF_SLICE("udp:")))
		return not_one(k, text, why);
	l->transport = tcp ? CONF_TCP : CONF_UDP;
	if (!hf_addr_parse(
		(struct hf_slice){ text.p + 4, text.n - 4 }, &l->addr) ||
	    l->addr.port == 0)
		return not_one(k, text, why);
	return true;
}

/* host, host:port, [v6], [v6]:port */
static bool
split_host(struct hf_slice s, struct hf_slice *host, struct hf_slice *port)
{
	size_t colon;

	*port = (struct hf_slice){ 0 };
	if (s.n > 0 && s.p[0] == '[') {
		size_t end = hf_slice_find(s, ']');

		if (end == s.n)
			return false;
		*host = (struct hf_slice){ s.p + 1, end - 1 };
		s = (struct hf_slice){ s.p + end + 1, s.n - end - 1 };
		if (s.n == 0)
			return true;
		colon = 0;
	} else {
		colon = hf_slice_find(s, ':');
		*host = (struct hf_slice){ s.p, colon };
		if (colon == s.n)
			return true;
	}
	if (s.p[colon] != ':')
		return false;
	*port = (struct hf_slice){ s.p + colon + 1, s.n - colon - 1 };
	return port->n > 0;
}

static bool
parse_transport(struct hf_slice params, uint8_t *transport)
{
	static const struct {
		const char *text;
		enum conf_transport is;
	} known[] = {
		{ ";transport=udp", CONF_UDP },
		{ ";transport=tcp", CONF_TCP },
		{ ";transport=tls", CONF_TLS },
	};

	*transport = CONF_UDP;
	if (params.n == 0)
		return true;
	for (size_t i = 0; i < HF_LEN(known); i++) {
		if (!hf_slice_eq_nocase(params, hf_slice_of(known[i].text)))
			continue;
		*transport = (uint8_t)known[i].is;
		return true;
	}
	return false;
}

/* Names only here: what gethostbyname would take, no more. */
static bool
is_host(struct hf_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) && s.p[i] != '.' && s.p[i] != '-')
			return false;
	return s.n > 0 && s.p[0] != '.' && s.p[0] != '-';
}

static bool
is_user(struct hf_slice s)
{
	static const char marks[] = "-_.!~*'()&=+$,;?/%";

	for (size_t i = 0; i < s.n; i++)
		if (!is_alnum(s.p[i]) &&
		    (s.p[i] == '\0' || strchr(marks, s.p[i]) == NULL))
			return false;
	return true;
}

static bool
parse_target(struct hf_slice text, struct conf_target *t)
{
	struct hf_slice s, user, host, port;
	size_t at, semi;
	uint64_t n;

	if (!hf_slice_starts_nocase(text, HF_SLICE("sip:")))
		return false;
	s = (struct hf_slice){ text.p + 4, text.n - 4 };
	at = hf_slice_find(s, '@');
	user = (struct hf_slice){ s.p, at == s.n ? 0 : at };
	if (at == 0)
		return false; /* "sip:@host": an at sign after nobody */
	if (at < s.n)
		s = (struct hf_slice){ s.p + at + 1, s.n - at - 1 };
	semi = hf_slice_find(s, ';');
	if (!is_user(user) || !hf_slice_copy(user, t->user, sizeof(t->user)) ||
	    !parse_transport(
		(struct hf_slice){ s.p + semi, s.n - semi }, &t->transport) ||
	    !split_host((struct hf_slice){ s.p, semi }, &host, &port))
		return false;
	if (!hf_addr_parse_ip(host, &t->addr)) {
		memset(&t->addr, 0, sizeof(t->addr));
		if (!is_host(host))
			return false;
	}
	n = t->transport == CONF_TLS ? SIPS_PORT : SIP_PORT;
	if (port.n > 0 && (!hf_slice_number(port, UINT16_MAX, &n) || n == 0))
		return false;
	t->addr.port = (uint16_t)n;
	return hf_slice_copy(host, t->host, sizeof(t->host));
}

static bool
set_target(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	struct conf_target *t = at;

	memset(t, 0, sizeof(*t));
	if (text.n >= sizeof(t->uri))
		return too_long(text, sizeof(t->uri) - 1, why);
	if (!parse_target(text, t)) {
		memset(t, 0, sizeof(*t));
		return not_one(k, text, why);
	}
	memcpy(t->uri, text.p, text.n);
	return true;
}

static bool
set_ports(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	enum { LEAST = 4 }; /* one call */
	size_t dash = hf_slice_find(text, '-');
	int64_t first, last;
	uint16_t *port = at;

	if (dash == text.n ||
	    !parse_whole((struct hf_slice){ text.p, dash }, &first) ||
	    !parse_whole(
		(struct hf_slice){ text.p + dash + 1, text.n - dash - 1 },
		&last))
		return not_one(k, text, why);
	if (first < k->min || last > k->max || last - first + 1 < LEAST) {
		put_quoted(why, text);
		hf_buf_fmt(why,
		    " is out of range; write two ports between %" PRId64
		    " and %" PRId64 ", the second at least %d above the first",
		    k->min, k->max, LEAST - 1);
		return false;
	}
	if (first % 2 != 0) {
		put_quoted(why, text);
		hf_buf_str(why, " begins with an odd port; write an even one, "
				"RTP takes it and RTCP the next");
		return false;
	}
	port[0] = (uint16_t)first;
	port[1] = (uint16_t)last;
	return true;
}

bool
conf_value_parse(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why)
{
	switch (k->type) {
	case CONF_T_NAME:
	case CONF_T_TEXT:
	case CONF_T_PATH:
	case CONF_T_DIALLED:
	case CONF_T_PATTERN:
	case CONF_T_SECRET:
		return set_text(k, text, at, why);
	case CONF_T_SPAN:
	case CONF_T_COUNT:
	case CONF_T_PERCENT:
	case CONF_T_BYTES:
		return set_number(k, text, at, why);
	case CONF_T_BOOL:
		return set_bool(k, text, at, why);
	case CONF_T_CHOICE:
		return set_choice(k, text, at, why);
	case CONF_T_IP:
		return set_ip(k, text, at, why);
	case CONF_T_SERVER:
		return set_server(k, text, at, why);
	case CONF_T_LISTEN:
		return set_listen(k, text, at, why);
	case CONF_T_TARGET:
		return set_target(k, text, at, why);
	case CONF_T_NET:
		return set_net(k, text, at, why);
	case CONF_T_PORTS:
		return set_ports(k, text, at, why);
	case CONF_T_REF:
	case CONF_T_RUNGS:
	case CONF_T_SECTION:
	case CONF_T_FAMILY:
		break;
	}
	hf_never("a key of this type is the loader's own");
}

/* ---- the way back -------------------------------------------------------- */

static void
put_listen(struct hf_buf *b, const struct conf_listen *l)
{
	hf_buf_str(b, l->transport == CONF_TCP ? "tcp:" : "udp:");
	hf_addr_put(b, &l->addr);
}

static void
put_net(struct hf_buf *b, const struct hf_net *n)
{
	hf_addr_put_ip(b, &n->base);
	hf_buf_fmt(b, "/%u", n->bits);
}

static void
put_ref(const struct conf_key *k, uint16_t row, const struct conf *c,
    struct hf_buf *b)
{
	/* The family that holds the rows of this scope. */
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *f = &conf_keys[i];

		if (f->type != CONF_T_FAMILY || f->scope != k->scope)
			continue;
		if (row < conf_count(f, c))
			hf_buf_str(
			    b, (const char *)c + f->at + (size_t)row * f->size);
		return;
	}
}

static void
put_rung(const struct conf_rung *r, const struct conf *c, struct hf_buf *b)
{
	const char *name = r->number;

	hf_assert(r->kind < CONF_RUNG_KINDS);
	switch ((enum conf_rung_kind)r->kind) {
	case CONF_RUNG_BOT:
	case CONF_RUNG_CENTRE:
	case CONF_RUNG_SITE:
		name = c->helper[r->row].name;
		break;
	case CONF_RUNG_QUEUE:
		name = c->queue[r->row].name;
		break;
	case CONF_RUNG_VOICEMAIL:
		name = c->box[r->row].name;
		break;
	case CONF_RUNG_NUMBER:
		break;
	}
	hf_buf_fmt(b, "%s:%s", conf_rung_kind_name(r->kind), name);
}

void
conf_value_put(const struct conf_key *k, const void *at, const struct conf *c,
    struct hf_buf *b)
{
	const struct hf_addr *ip = at;
	const uint16_t *port = at;

	switch (k->type) {
	case CONF_T_NAME:
	case CONF_T_TEXT:
	case CONF_T_PATH:
	case CONF_T_DIALLED:
	case CONF_T_PATTERN:
		hf_buf_str(b, at);
		return;
	case CONF_T_SPAN:
		put_span(b, ((const struct hf_span *)at)->us);
		return;
	case CONF_T_COUNT:
	case CONF_T_PERCENT:
	case CONF_T_BYTES:
		put_number(k, b,
		    k->size == sizeof(uint16_t) ? *(const uint16_t *)at
						: *(const uint32_t *)at);
		return;
	case CONF_T_BOOL:
		hf_buf_str(b, *(const uint8_t *)at ? "yes" : "no");
		return;
	case CONF_T_CHOICE:
		hf_buf_str(b, k->words[*(const uint8_t *)at]);
		return;
	case CONF_T_IP:
		if (ip->family != 0)
			hf_addr_put_ip(b, ip);
		return;
	case CONF_T_SERVER:
		if (ip->family != 0)
			hf_addr_put(b, ip);
		return;
	case CONF_T_LISTEN:
		put_listen(b, at);
		return;
	case CONF_T_TARGET:
		hf_buf_str(b, ((const struct conf_target *)at)->uri);
		return;
	case CONF_T_NET:
		put_net(b, at);
		return;
	case CONF_T_PORTS:
		hf_buf_fmt(b, "%u-%u", port[0], port[1]);
		return;
	case CONF_T_REF:
		put_ref(k, *(const uint16_t *)at, c, b);
		return;
	case CONF_T_RUNGS:
		put_rung(at, c, b);
		return;
	case CONF_T_SECRET:
	case CONF_T_SECTION:
	case CONF_T_FAMILY:
		return;
	}
	hf_never("no such type of key");
}

/* ---- lists --------------------------------------------------------------- */

uint32_t
conf_count(const struct conf_key *k, const void *scope)
{
	const char *at = (const char *)scope + k->count_at;

	switch (k->count_size) {
	case 0:
		return k->items; /* always full */
	case sizeof(uint8_t):
		return *(const uint8_t *)at;
	case sizeof(uint16_t):
		return *(const uint16_t *)(const void *)at;
	default:
		hf_never("a count of this size");
	}
}

void
conf_count_set(const struct conf_key *k, void *scope, uint32_t n)
{
	char *at = (char *)scope + k->count_at;

	switch (k->count_size) {
	case 0:
		return;
	case sizeof(uint8_t):
		*(uint8_t *)at = (uint8_t)n;
		return;
	case sizeof(uint16_t):
		*(uint16_t *)(void *)at = (uint16_t)n;
		return;
	default:
		hf_never("a count of this size");
	}
}

/* ---- the whole of it ----------------------------------------------------- */

struct walk {
	const struct conf *c;
	const struct conf *old; /* only what is not as there, of some keys */
	bool fresh;             /* old has no such row */
	conf_each_fn *fn;
	void *arg;
	char path[256]; /* where we are */
};

static size_t
walk_enter(struct walk *w, const char *name)
{
	size_t n = strlen(w->path);
	struct hf_buf b = hf_buf_on(w->path + n, sizeof(w->path) - 1 - n);

	if (n > 0 && *name != '\0')
		hf_buf_char(&b, '.');
	hf_buf_str(&b, name);
	w->path[n + b.n] = '\0';
	return n;
}

static void walk_scope(struct walk *w, enum conf_scope in, const void *base);

static void
put_all(const struct conf_key *k, const void *base, const struct conf *c,
    char *text, size_t cap)
{
	struct hf_buf b = hf_buf_on(text, cap - 1);
	const char *at = (const char *)base + k->at;

	for (uint32_t i = 0; k->items > 0 && i < conf_count(k, base); i++) {
		if (i > 0)
			hf_buf_char(&b, ' ');
		conf_value_put(k, at + (size_t)i * k->size, c, &b);
	}
	if (k->items == 0)
		conf_value_put(k, at, c, &b);
	text[b.n] = '\0';
}

/* Rows keep their places from one snapshot to the next. */
static const void *
in_old(const struct walk *w, const void *base)
{
	return (const char *)w->old + ((const char *)base - (const char *)w->c);
}

/* A row that was not there: families have no such key with another default
 * than nothing. */
static const union {
	struct conf_queue queue;
	struct conf_box box;
} no_row;

static void
walk_value(struct walk *w, const struct conf_key *k, const void *base)
{
	char text[2048], before[2048];

	if (w->old != NULL && !k->restart)
		return;
	put_all(k, base, w->c, text, sizeof(text));
	if (w->old != NULL && w->fresh)
		put_all(k, &no_row, w->old, before, sizeof(before));
	else if (w->old != NULL)
		put_all(k, in_old(w, base), w->old, before, sizeof(before));
	if (w->old == NULL || strcmp(text, before) != 0)
		w->fn(w->arg, w->path, text, k);
}

/* A family's row begins with its name. */
static bool
same_row(const struct conf_scope_row *s, const char *old, const char *row)
{
	return old[s->used_at] != 0 && strcmp(old, row) == 0;
}

static void
walk_family(struct walk *w, const struct conf_key *k)
{
	const struct conf_scope_row *s = &conf_scopes[k->scope];

	for (uint32_t i = 0; i < conf_count(k, w->c); i++) {
		size_t back;
		const char *row =
		    (const char *)w->c + k->at + (size_t)i * k->size;

		if (*(const uint8_t *)(row + s->used_at) == 0)
			continue;
		if (k->scope == SCOPE_HELPER &&
		    ((const struct conf_helper *)(const void *)row)->kind !=
			k->kind)
			continue;
		back = walk_enter(w, row);
		w->fresh = w->old != NULL && !same_row(s, in_old(w, row), row);
		walk_scope(w, k->scope, row);
		w->fresh = false;
		w->path[back] = '\0';
	}
}

static void
walk_scope(struct walk *w, enum conf_scope in, const void *base)
{
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];
		size_t back;

		if (k->in != in)
			continue;
		back = walk_enter(w, k->name);
		if (k->type == CONF_T_SECTION)
			walk_scope(w, k->scope, (const char *)base + k->at);
		else if (k->type == CONF_T_FAMILY)
			walk_family(w, k);
		else if (k->type != CONF_T_SECRET)
			walk_value(w, k, base);
		w->path[back] = '\0';
	}
}

void
conf_each(const struct conf *c, conf_each_fn *fn, void *arg)
{
	struct walk w = { .c = c, .fn = fn, .arg = arg };

	walk_scope(&w, SCOPE_ROOT, c);
}

void
conf_each_restart(
    const struct conf *old, const struct conf *new, conf_each_fn *fn, void *arg)
{
	struct walk w = { .c = new, .old = old, .fn = fn, .arg = arg };

	walk_scope(&w, SCOPE_ROOT, new);
}
