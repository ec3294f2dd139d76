/* io/sip/digest - see digest.h */

#include <stdio.h>

#include "base/check.h"
#include "io/sip/digest.h"
#include "io/sip/lex.h"

enum {
	MD5_LEN = 16,
	SHA256_LEN = 32,
	HEX_MAX = 2 * SHA256_LEN,
	WINDOW = 64, /* use counts below the highest that are told apart */
	WAYS = 4,    /* places a nonce may have in the table */
	STAMP_TEXT = 16,
	PARTS_MAX = 16,
};
_Static_assert(SIP_NONCE_TEXT == 3 * STAMP_TEXT, "time, counter, hash");

void
sip_digest_init(struct sip_digest *d, const struct sip_hashes *hash,
    const struct hf_hash_key *key, const char *realm, struct hf_span life,
    struct sip_nonce_use *memory, uint32_t uses)
{
	hf_assert(uses >= WAYS && (uses & (uses - 1)) == 0);
	*d = (struct sip_digest){
		.hash = *hash,
		.key = *key,
		.life = life,
		.use = memory,
		.uses = uses,
		.forgotten_us = INT64_MIN,
	};
	hf_assert(strlen(realm) < sizeof(d->realm));
	memcpy(d->realm, realm, strlen(realm));
	memset(memory, 0, uses * sizeof(*memory));
}

/* ---- nonces -------------------------------------------------------------- */

static void
put_hex64(char *to, uint64_t v)
{
	for (int i = STAMP_TEXT - 1; i >= 0; i--, v >>= 4)
		to[i] = "0123456789abcdef"[v & 15];
}

static bool
take_hex(struct hf_slice s, uint64_t *out)
{
	uint64_t v = 0;

	if (s.n == 0 || s.n > STAMP_TEXT)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (!is(c, C_HEX))
			return false;
		v = v << 4 | (uint64_t)(is(c, C_DIGIT) ? c - '0'
						       : (c | 0x20) - 'a' + 10);
	}
	*out = v;
	return true;
}

/* Over time, counter and realm: what we alone can have made. */
static uint64_t
nonce_hash(const struct sip_digest *d, const char *stamps)
{
	char text[2 * STAMP_TEXT + sizeof(d->realm)] = { 0 };

	memcpy(text, stamps, 2 * STAMP_TEXT);
	memcpy(text + 2 * STAMP_TEXT, d->realm, sizeof(d->realm));
	return hf_hash(&d->key, text, sizeof(text));
}

static void
make_nonce(struct sip_digest *d, struct hf_time now, char *to)
{
	put_hex64(to, (uint64_t)now.us);
	put_hex64(to + STAMP_TEXT, ++d->counter);
	put_hex64(to + 2 * STAMP_TEXT, nonce_hash(d, to));
}

/* Is it ours, and when was it made? */
static bool
read_nonce(const struct sip_digest *d, struct hf_slice nonce, int64_t *made_us,
    uint64_t *hash)
{
	uint64_t made;

	if (nonce.n != SIP_NONCE_TEXT ||
	    !take_hex((struct hf_slice){ nonce.p, STAMP_TEXT }, &made) ||
	    !take_hex((struct hf_slice){ nonce.p + 2 * STAMP_TEXT, STAMP_TEXT },
		hash))
		return false;
	*made_us = (int64_t)made;
	return *hash == nonce_hash(d, nonce.p);
}

/* The place of a nonce in the table; a new one when it has none yet.  NULL
 * when it may have had one that was given away. */
static struct sip_nonce_use *
place_of(
    struct sip_digest *d, uint64_t nonce, int64_t made_us, struct hf_time now)
{
	struct sip_nonce_use *set = &d->use[nonce & (d->uses - WAYS)];
	struct sip_nonce_use *old = &set[0];

	for (unsigned i = 0; i < WAYS; i++)
		if (set[i].nonce == nonce)
			return &set[i];
	if (made_us <= d->forgotten_us)
		return NULL;
	for (unsigned i = 0; i < WAYS; i++) {
		if (set[i].nonce == 0) {
			old = &set[i];
			break;
		}
		if (set[i].made_us < old->made_us)
			old = &set[i];
	}
	/* Giving away one that lives means: we no longer know which of its
	 * age were used, so none of them is taken again. */
	if (old->nonce != 0 && old->made_us + d->life.us > now.us &&
	    old->made_us > d->forgotten_us)
		d->forgotten_us = old->made_us;
	if (made_us <= d->forgotten_us)
		return NULL;
	*old = (struct sip_nonce_use){ .nonce = nonce, .made_us = made_us };
	return old;
}

/* Is this use of the nonce its first?  Notes it. */
static bool
first_use(struct sip_nonce_use *u, uint32_t nc)
{
	uint32_t back;

	if (nc > u->top) {
		back = nc - u->top;
		u->seen = back < WINDOW ? u->seen << back : 0;
		u->seen |= 1;
		u->top = nc;
		return true;
	}
	back = u->top - nc;
	if (back >= WINDOW || (u->seen & (uint64_t)1 << back) != 0)
		return false;
	u->seen |= (uint64_t)1 << back;
	return true;
}

/* ---- the text of a header ------------------------------------------------ */

bool
sip_unquote(struct hf_slice s, char *to, size_t cap)
{
	size_t n = 0;

	hf_assert(cap > 0);
	to[0] = '\0';
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '\\' && i + 1 < s.n)
			i++;
		if (s.p[i] == '\0' || n + 1 >= cap) {
			to[0] = '\0';
			return false;
		}
		to[n++] = s.p[i];
	}
	to[n] = '\0';
	return true;
}

/* "Digest a=b, c="d"": the scheme, and the rest as a list. */
static bool
is_digest(struct hf_slice value, struct hf_slice *list)
{
	struct at a = at_start(value);

	if (!NAMED(take(&a, C_TOKEN), "digest") || a.p == a.end ||
	    !is(*a.p, C_SPACE))
		return false;
	*list = between(a.p, a.end);
	return true;
}

/* One "name=value" of the list; quotes taken off. */
static bool
split_item(struct hf_slice item, struct hf_slice *name, struct hf_slice *value)
{
	struct at a = at_start(item);

	*name = take(&a, C_TOKEN);
	if (name->n == 0 || !take_mark(&a, '='))
		return false;
	*value = between(a.p, a.end);
	if (value->n > 0 && value->p[0] == '"') {
		if (quoted_end(a.p, a.end) != a.end)
			return false;
		*value = between(a.p + 1, a.end - 1);
	}
	return true;
}

/* One of the items a header may have; NULL for what we do not know. */
static struct hf_slice *
field_of(struct sip_credentials *c, struct hf_slice name)
{
	if (NAMED(name, "username"))
		return &c->username;
	if (NAMED(name, "realm"))
		return &c->realm;
	if (NAMED(name, "nonce"))
		return &c->nonce;
	if (NAMED(name, "uri"))
		return &c->uri;
	if (NAMED(name, "response"))
		return &c->response;
	if (NAMED(name, "cnonce"))
		return &c->cnonce;
	if (NAMED(name, "nc"))
		return &c->nc_text;
	if (NAMED(name, "qop"))
		return &c->qop;
	if (NAMED(name, "algorithm"))
		return &c->algorithm_text;
	if (NAMED(name, "opaque"))
		return &c->opaque;
	return NULL;
}

/* False when it cannot be read, or says one thing twice. */
static bool
read_items(struct hf_slice list, struct sip_credentials *c)
{
	struct hf_slice item, name, value;

	*c = (struct sip_credentials){ .nc = 0 };
	while (sip_list_next(&list, &item)) {
		struct hf_slice *field;

		if (!split_item(item, &name, &value))
			return false;
		field = field_of(c, name);
		if (field == NULL)
			continue;
		if (field->p != NULL)
			return false;
		*field = value;
	}
	c->has_qop = c->qop.p != NULL;
	return true;
}

/* True for MD5 (or nothing) and SHA-256. */
static bool
known_algorithm(struct hf_slice text, bool *sha256)
{
	*sha256 = hf_slice_eq_nocase(text, HF_SLICE("SHA-256"));
	return *sha256 || text.n == 0 ||
	       hf_slice_eq_nocase(text, HF_SLICE("MD5"));
}

/* RFC 7616 3.4.6: the response is for the URI it names.  Without this, who
 * sees one call of somebody's could dial another number with it. */
static bool
is_for(const struct sip_credentials *c, const struct sip_msg *m)
{
	struct sip_uri said;

	return hf_slice_eq(c->uri, m->uri_text) ||
	       (sip_parse_uri(c->uri, &said) && sip_uri_names(&said, &m->uri));
}

enum sip_auth
sip_digest_find(const struct sip_digest *d, const struct sip_msg *m,
    enum sip_header h, struct sip_credentials *out)
{
	const struct sip_header_line *line;
	struct hf_slice list;
	uint64_t nc;

	for (unsigned n = 0; (line = sip_find(m, h, n)) != NULL; n++) {
		/* Credentials of another scheme are for someone else, or for
		 * nobody (RFC 4475 3.3.8). */
		if (!is_digest(line->value, &list))
			continue;
		if (!read_items(list, out))
			return SIP_AUTH_BAD;
		if (!hf_slice_eq(out->realm, hf_slice_of(d->realm)))
			continue;
		if (out->username.n == 0 || out->nonce.n == 0 ||
		    out->response.n == 0 || !is_for(out, m))
			return SIP_AUTH_BAD;
		if (!known_algorithm(out->algorithm_text, &out->sha256))
			return SIP_AUTH_NONE; /* not one we offered */
		if (!out->has_qop)
			return SIP_AUTH_GOOD;
		if (!hf_slice_eq_nocase(out->qop, HF_SLICE("auth")) ||
		    out->cnonce.n == 0 || out->nc_text.n > 8 ||
		    !take_hex(out->nc_text, &nc) || nc == 0)
			return SIP_AUTH_BAD;
		out->nc = (uint32_t)nc;
		return SIP_AUTH_GOOD;
	}
	return SIP_AUTH_NONE;
}

/* ---- the hashes ---------------------------------------------------------- */

struct hex {
	char text[HEX_MAX];
	size_t n;
};

static void
hash_hex(const struct sip_hashes *h, bool sha256, const struct hf_slice *part,
    size_t parts, struct hex *out)
{
	uint8_t raw[SHA256_LEN];

	out->n = 2 * (sha256 ? SHA256_LEN : MD5_LEN);
	(sha256 ? h->sha256 : h->md5)(h->ctx, part, parts, raw);
	for (size_t i = 0; i < out->n / 2; i++) {
		out->text[2 * i] = "0123456789abcdef"[raw[i] >> 4];
		out->text[2 * i + 1] = "0123456789abcdef"[raw[i] & 15];
	}
}

/* RFC 7616 3.4.1: KD(H(A1), nonce : nc : cnonce : qop : H(A2)), and without a
 * qop KD(H(A1), nonce : H(A2)).  username and realm as they are meant, without
 * the escapes of quoted strings. */
static void
response_of(const struct sip_hashes *h, const struct sip_credentials *c,
    struct hf_slice username, struct hf_slice realm, struct hf_slice secret,
    struct hf_slice method, struct hex *out)
{
	const struct hf_slice colon = HF_SLICE(":");
	struct hex a1, a2;
	struct hf_slice in[PARTS_MAX];
	size_t n = 0;

	in[n++] = username;
	in[n++] = colon;
	in[n++] = realm;
	in[n++] = colon;
	in[n++] = secret;
	hash_hex(h, c->sha256, in, n, &a1);
	n = 0;
	in[n++] = method;
	in[n++] = colon;
	in[n++] = c->uri;
	hash_hex(h, c->sha256, in, n, &a2);
	n = 0;
	in[n++] = (struct hf_slice){ a1.text, a1.n };
	in[n++] = colon;
	in[n++] = c->nonce;
	in[n++] = colon;
	if (c->has_qop) {
		in[n++] = c->nc_text;
		in[n++] = colon;
		in[n++] = c->cnonce;
		in[n++] = colon;
		in[n++] = c->qop;
		in[n++] = colon;
	}
	in[n++] = (struct hf_slice){ a2.text, a2.n };
	hf_assert(n <= PARTS_MAX);
	hash_hex(h, c->sha256, in, n, out);
}

/* In a time that does not tell where the first difference is. */
static bool
same_secretly(const struct hex *want, struct hf_slice got)
{
	unsigned differ = got.n != want->n;

	for (size_t i = 0; i < want->n; i++) {
		char c = i < got.n ? got.p[i] : 0;

		if (c >= 'A' && c <= 'F')
			c = (char)(c | 0x20);
		differ |= (unsigned)(uint8_t)(c ^ want->text[i]);
	}
	return differ == 0;
}

enum sip_auth
sip_digest_verify(struct sip_digest *d, const struct sip_credentials *c,
    struct hf_slice method, bool known, struct hf_slice secret,
    struct hf_time now)
{
	/* Of an unknown user we ask for a password that cannot be had. */
	char nobody[STAMP_TEXT];
	char username[SIP_DIGEST_SECRET_MAX];
	struct sip_nonce_use *use;
	int64_t made_us;
	uint64_t hash;
	struct hex want;
	bool same;

	if (!read_nonce(d, c->nonce, &made_us, &hash) || made_us > now.us ||
	    made_us + d->life.us <= now.us)
		return SIP_AUTH_STALE;
	if (!sip_unquote(c->username, username, sizeof(username)))
		known = false;
	if (!known) {
		put_hex64(nobody, hf_hash(&d->key, c->nonce.p, c->nonce.n));
		secret = (struct hf_slice){ nobody, sizeof(nobody) };
	}
	response_of(&d->hash, c, hf_slice_of(username), hf_slice_of(d->realm),
	    secret, method, &want);
	same = same_secretly(&want, c->response);
	/* The rest is for one who knows the password, so that a stranger
	 * cannot use up somebody's nonce. */
	if (!(same & known))
		return SIP_AUTH_WRONG;
	use = place_of(d, hash, made_us, now);
	/* Without a qop there is no count: such a nonce is good once. */
	if (use == NULL || !first_use(use, c->has_qop ? c->nc : 1))
		return SIP_AUTH_STALE;
	return SIP_AUTH_GOOD;
}

/* ---- challenges ---------------------------------------------------------- */

void
sip_digest_challenge(struct sip_digest *d, struct hf_buf *b, uint16_t status,
    bool stale, struct hf_time now)
{
	static const char *const algorithms[] = { "SHA-256", "MD5" };
	char nonce[SIP_NONCE_TEXT];

	hf_assert(status == 401 || status == 407);
	make_nonce(d, now, nonce);
	for (size_t i = 0; i < HF_LEN(algorithms); i++) {
		hf_buf_str(b,
		    sip_header_name(status == 401 ? SIP_H_WWW_AUTHENTICATE
						  : SIP_H_PROXY_AUTHENTICATE));
		hf_buf_str(b, ": Digest realm=\"");
		hf_buf_str(b, d->realm);
		hf_buf_str(b, "\", nonce=\"");
		hf_buf_put(b, nonce, sizeof(nonce));
		hf_buf_str(b, "\", qop=\"auth\", algorithm=");
		hf_buf_str(b, algorithms[i]);
		hf_buf_str(b, stale ? ", stale=true\r\n" : "\r\n");
	}
}

/* ---- the client ---------------------------------------------------------- */

/* Is "auth" among the qops on offer?  None on offer is RFC 2069's way. */
static bool
can_qop(const struct sip_credentials *c)
{
	struct hf_slice list = c->qop, item;

	if (!c->has_qop)
		return true;
	while (sip_list_next(&list, &item))
		if (hf_slice_eq_nocase(item, HF_SLICE("auth")))
			return true;
	return false;
}

static void
put_item(struct hf_buf *b, const char *name, struct hf_slice value)
{
	hf_buf_str(b, name);
	hf_buf_slice(b, value);
	hf_buf_char(b, '"');
}

/* No quote and no line end of someone else's in what we put into quotes. */
static bool
clean(struct hf_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		if (s.p[i] == '"' || (uint8_t)s.p[i] < ' ')
			return false;
	return true;
}

static void
put_answer(struct hf_buf *b, enum sip_header h, const struct sip_credentials *c,
    const struct hex *response)
{
	hf_buf_str(b, sip_header_name(h));
	put_item(b, ": Digest username=\"", c->username);
	put_item(b, ", realm=\"", c->realm);
	put_item(b, ", nonce=\"", c->nonce);
	put_item(b, ", uri=\"", c->uri);
	put_item(b, ", response=\"",
	    (struct hf_slice){ response->text, response->n });
	if (c->has_qop) {
		hf_buf_str(b, ", qop=auth, nc=");
		hf_buf_slice(b, c->nc_text);
		put_item(b, ", cnonce=\"", c->cnonce);
	}
	if (c->opaque.p != NULL)
		put_item(b, ", opaque=\"", c->opaque);
	hf_buf_str(
	    b, c->sha256 ? ", algorithm=SHA-256\r\n" : ", algorithm=MD5\r\n");
}

/* c is a challenge, or credentials of ours that go on.  False: it asks for
 * what we cannot do, or cannot be written down. */
static bool
put_claim(struct hf_buf *b, enum sip_header h, struct sip_credentials *c,
    const struct sip_msg *asked, const struct sip_claim *who)
{
	char realm[SIP_DIGEST_SECRET_MAX], nc[9];
	struct hex response;
	uint64_t used = 0;

	if (!known_algorithm(c->algorithm_text, &c->sha256) || !can_qop(c) ||
	    c->realm.p == NULL || c->nonce.n == 0 ||
	    !sip_unquote(c->realm, realm, sizeof(realm)) || !clean(c->nonce) ||
	    !clean(c->opaque) || !clean(who->user) || !clean(asked->uri_text) ||
	    memchr(c->realm.p, '\n', c->realm.n) != NULL)
		return false;
	if (c->nc_text.n > 0 && !take_hex(c->nc_text, &used))
		return false;
	(void)snprintf(nc, sizeof(nc), "%08x", (uint32_t)used + 1);
	c->nc_text = hf_slice_of(nc);
	c->username = who->user;
	c->uri = asked->uri_text;
	c->cnonce = who->cnonce;
	if (c->has_qop)
		c->qop = HF_SLICE("auth");
	response_of(who->hash, c, who->user, hf_slice_of(realm), who->secret,
	    asked->method_text, &response);
	put_answer(b, h, c, &response);
	return true;
}

static bool
is_stale(struct hf_slice list)
{
	struct hf_slice item, name, value;

	while (sip_list_next(&list, &item))
		if (split_item(item, &name, &value) && NAMED(name, "stale") &&
		    hf_slice_eq_nocase(value, HF_SLICE("true")))
			return true;
	return false;
}

struct realms {
	struct hf_slice name[SIP_REALMS_MAX];
	unsigned n;
};

static bool
is_among(const struct realms *r, struct hf_slice realm)
{
	for (unsigned i = 0; i < r->n; i++)
		if (hf_slice_eq(r->name[i], realm))
			return true;
	return false;
}

/* Whom the request told who we are, in that header. */
static struct realms
realms_told(const struct sip_msg *asked, enum sip_header h)
{
	const struct sip_header_line *line;
	struct realms r = { .n = 0 };
	struct sip_credentials c;
	struct hf_slice list;

	for (unsigned i = 0;
	     r.n < SIP_REALMS_MAX && (line = sip_find(asked, h, i)) != NULL;
	     i++)
		if (is_digest(line->value, &list) && read_items(list, &c))
			r.name[r.n++] = c.realm;
	return r;
}

/* The others hear the same as before, or they would ask anew. */
static void
put_told(struct hf_buf *b, enum sip_header h, const struct realms *but,
    const struct sip_msg *asked, const struct sip_claim *who)
{
	const struct sip_header_line *line;
	struct sip_credentials c;
	struct hf_slice list;

	for (unsigned i = 0; (line = sip_find(asked, h, i)) != NULL; i++)
		if (is_digest(line->value, &list) && read_items(list, &c) &&
		    (but == NULL || !is_among(but, c.realm)))
			(void)put_claim(b, h, &c, asked, who);
}

bool
sip_digest_answer(struct hf_buf *b, const struct sip_msg *challenge,
    const struct sip_msg *asked, const struct sip_claim *who)
{
	bool proxy = challenge->status == 407;
	enum sip_header says =
	    proxy ? SIP_H_PROXY_AUTHENTICATE : SIP_H_WWW_AUTHENTICATE;
	enum sip_header here =
	    proxy ? SIP_H_PROXY_AUTHORIZATION : SIP_H_AUTHORIZATION;
	enum sip_header there =
	    proxy ? SIP_H_AUTHORIZATION : SIP_H_PROXY_AUTHORIZATION;
	struct realms known = realms_told(asked, here), now = { .n = 0 };
	unsigned others = realms_told(asked, there).n;
	const struct sip_header_line *line;
	struct sip_credentials c;
	struct hf_slice list;
	size_t begin = b->n;

	for (unsigned n = 0; (line = sip_find(challenge, says, n)) != NULL;
	     n++) {
		if (!is_digest(line->value, &list) || !read_items(list, &c) ||
		    is_among(&now, c.realm) ||
		    (who->realm.n > 0 && !hf_slice_eq(c.realm, who->realm)))
			continue;
		/* The same again would be refused again, and twice a guess;
		 * and one may find new names for ever. */
		if (is_among(&known, c.realm)
			? !is_stale(list)
			: known.n + others + now.n >= SIP_REALMS_MAX) {
			b->n = begin;
			return false;
		}
		if (put_claim(b, here, &c, asked, who))
			now.name[now.n++] = c.realm;
	}
	if (now.n == 0)
		return false;
	put_told(b, here, &now, asked, who);
	put_told(b, there, NULL, asked, who);
	return true;
}

bool
sip_digest_stale(const struct sip_msg *challenge)
{
	enum sip_header says = challenge->status == 407
				   ? SIP_H_PROXY_AUTHENTICATE
				   : SIP_H_WWW_AUTHENTICATE;
	const struct sip_header_line *line;
	struct hf_slice list;

	for (unsigned n = 0; (line = sip_find(challenge, says, n)) != NULL; n++)
		if (is_digest(line->value, &list) && is_stale(list))
			return true;
	return false;
}
