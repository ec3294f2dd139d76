/* io/sip/registrar - see registrar.h */

#include "io/sip/registrar.h"
#include "base/check.h"
#include "io/sip/build.h"
#include "io/sip/lex.h"

enum { Q_MAX = 1000, US_PER_S = 1000000 };

typedef struct sip_binding bindings[SIP_BINDINGS_MAX];

void
sip_registrar_init(struct sip_registrar *r,
    struct sip_binding (*memory)[SIP_BINDINGS_MAX], uint32_t people,
    struct hf_span expires_min, struct hf_span expires_max)
{
	hf_assert(expires_min.us <= expires_max.us);
	*r = (struct sip_registrar){
		.at = memory,
		.people = people,
		.expires_min = expires_min,
		.expires_max = expires_max,
	};
}

static struct sip_binding *
row_of(const struct sip_registrar *r, uint32_t person)
{
	hf_assert(person < r->people);
	return r->at[person];
}

static bool
lives(const struct sip_binding *b, struct hf_time now)
{
	return b->contact[0] != '\0' && hf_time_before(now, b->until);
}

static unsigned
count(const struct sip_binding *b, struct hf_time now)
{
	unsigned n = 0;

	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++)
		n += lives(&b[i], now);
	return n;
}

/* ---- what a REGISTER asks for -------------------------------------------- */

/* "0.7" in thousandths; without a q, or with a bad one, 1. */
static uint16_t
quality(struct hf_slice params)
{
	struct hf_slice v;
	uint16_t q = 0, step = Q_MAX / 10;

	if (!sip_param(params, HF_SLICE("q"), &v) || v.n == 0 || v.n > 5 ||
	    (v.p[0] != '0' && v.p[0] != '1') || (v.n > 1 && v.p[1] != '.'))
		return Q_MAX;
	if (v.p[0] == '1')
		return Q_MAX;
	for (size_t i = 2; i < v.n; i++, step /= 10) {
		if (!is(v.p[i], C_DIGIT))
			return Q_MAX;
		q = (uint16_t)(q + step * (v.p[i] - '0'));
	}
	return q;
}

/* Seconds as text.  What is no number is as if it were not there (10.3 step
 * 6); what is too large is as much as can be had. */
static bool
seconds(struct hf_slice s, uint32_t *out)
{
	for (size_t i = 0; i < s.n; i++)
		if (!is(s.p[i], C_DIGIT))
			return false;
	if (s.n == 0)
		return false;
	if (!number(s, INT32_MAX, out))
		*out = INT32_MAX;
	return true;
}

static struct hf_span
asked(const struct sip_registrar *r, const struct sip_msg *m,
    struct hf_slice params)
{
	const struct sip_header_line *h = sip_find(m, SIP_H_EXPIRES, 0);
	struct hf_slice v;
	struct hf_span span = r->expires_max;
	uint32_t s;

	if ((sip_param(params, HF_SLICE("expires"), &v) && seconds(v, &s)) ||
	    (h != NULL && seconds(h->value, &s)))
		span.us = (int64_t)s * US_PER_S;
	return span.us > r->expires_max.us ? r->expires_max : span;
}

/* The binding of the same address, by URI and not by spelling. */
static struct sip_binding *
same(struct sip_binding *b, const struct sip_uri *uri)
{
	struct sip_uri had;

	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++)
		if (b[i].contact[0] != '\0' &&
		    sip_parse_uri(hf_slice_of(b[i].contact), &had) &&
		    sip_uri_eq(&had, uri))
			return &b[i];
	return NULL;
}

static struct sip_binding *
room(struct sip_binding *b)
{
	struct sip_binding *first = &b[0];

	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++) {
		if (b[i].contact[0] == '\0')
			return &b[i];
		if (hf_time_before(b[i].until, first->until))
			first = &b[i];
	}
	return first;
}

/* 10.3 step 7: a REGISTER that was overtaken by a later one of the same
 * Call-ID must not undo it. */
static bool
too_late(const struct sip_binding *b, const struct sip_msg *m)
{
	return hf_slice_eq(hf_slice_of(b->call_id), m->call_id) &&
	       m->cseq <= b->cseq;
}

static struct sip_registered
refused(uint16_t status, const char *why)
{
	return (struct sip_registered){ .status = status, .why = why };
}

static const struct sip_registered fine = { .status = 200, .why = "OK" };

static struct sip_registered
forget_all(struct sip_binding *b, const struct sip_msg *m)
{
	const struct sip_header_line *h = sip_find(m, SIP_H_EXPIRES, 0);
	uint32_t s;

	if (sip_find(m, SIP_H_CONTACT, 1) != NULL || h == NULL ||
	    !seconds(h->value, &s) || s != 0)
		return refused(400, "* needs Expires 0 and stands alone");
	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++)
		if (b[i].contact[0] != '\0' && too_late(&b[i], m))
			return refused(500, "Out of order");
	memset(b, 0, sizeof(bindings));
	return fine;
}

static struct sip_registered
take_contact(const struct sip_registrar *r, struct sip_binding *b,
    struct hf_slice value, const struct sip_msg *m,
    const struct sip_register_from *from, struct hf_time now)
{
	struct sip_name_addr a;
	struct sip_binding *at;
	struct hf_span span;
	struct sip_registered how = fine;

	if (!sip_parse_name_addr(value, &a) || a.uri.host.n == 0)
		return refused(400, "Contact is no SIP URI");
	if (a.uri.whole.n >= SIP_CONTACT_MAX)
		return refused(400, "Contact too long");
	span = asked(r, m, a.params);
	if (span.us != 0 && span.us < r->expires_min.us)
		return refused(423, "Interval Too Brief");
	at = same(b, &a.uri);
	if (at != NULL && too_late(at, m))
		return refused(500, "Out of order");
	if (span.us == 0) {
		if (at != NULL)
			memset(at, 0, sizeof(*at));
		return fine;
	}
	how.there = true;
	how.anew =
	    at == NULL || !hf_slice_eq(hf_slice_of(at->call_id), m->call_id);
	if (at == NULL)
		at = room(b);
	memset(at, 0, sizeof(*at));
	at->cseq = m->cseq;
	at->q = quality(a.params);
	at->transport = from->transport;
	at->received = from->received;
	at->local = from->local;
	at->connection = from->connection;
	at->since = now;
	at->until = hf_time_after(now, span);
	if (!hf_slice_copy(a.uri.whole, at->contact, sizeof(at->contact)) ||
	    !hf_slice_copy(m->call_id, at->call_id, sizeof(at->call_id)))
		return refused(400, "Call-ID too long");
	return how;
}

struct sip_registered
sip_register(struct sip_registrar *r, uint32_t person, const struct sip_msg *m,
    const struct sip_register_from *from, struct hf_time now)
{
	struct sip_binding *b = row_of(r, person);
	const struct sip_header_line *h = sip_find(m, SIP_H_CONTACT, 0);
	struct sip_registered how = fine, one;
	unsigned before = count(b, now), after;
	bindings changed;

	(void)sip_registrar_expire(r, person, now);
	memcpy(changed, b, sizeof(changed));
	if (h != NULL && hf_slice_eq(h->value, HF_SLICE("*"))) {
		how = forget_all(changed, m);
	} else {
		for (unsigned n = 0; how.status == 200 && h != NULL;
		     h = sip_find(m, SIP_H_CONTACT, ++n)) {
			one = n == SIP_BINDINGS_MAX
				  ? refused(403, "Too many contacts")
				  : take_contact(
					r, changed, h->value, m, from, now);
			one.anew |= how.anew;
			one.there |= how.there;
			how = one;
		}
	}
	if (how.status != 200) /* whatever its other contacts were */
		return refused(how.status, how.why);
	memcpy(b, changed, sizeof(changed));
	after = count(b, now);
	how.came = before == 0 && after > 0;
	how.went = before > 0 && after == 0;
	return how;
}

/* ---- what is known ------------------------------------------------------- */

static void
put_binding(const struct sip_binding *at, struct hf_buf *b, struct hf_time now)
{
	int64_t left = hf_time_since(now, at->until).us;

	hf_buf_str(b, "Contact: <");
	hf_buf_str(b, at->contact);
	hf_buf_str(b, ">;expires=");
	/* Rounded up: "0" would read as removed. */
	hf_buf_u64(b, (uint64_t)((left + US_PER_S - 1) / US_PER_S));
	if (at->q != Q_MAX)
		hf_buf_fmt(b, ";q=0.%03u", at->q);
	hf_buf_str(b, "\r\n");
}

void
sip_registrar_put(const struct sip_registrar *r, uint32_t person,
    const struct sip_registered *how, struct hf_buf *b, struct hf_time now)
{
	const struct sip_binding *row = row_of(r, person);

	if (how->status == 423)
		sip_put_number(b, SIP_H_MIN_EXPIRES,
		    (uint64_t)((r->expires_min.us + US_PER_S - 1) / US_PER_S));
	if (how->status != 200)
		return;
	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++)
		if (lives(&row[i], now))
			put_binding(&row[i], b, now);
}

/* Is a to be tried before b? */
static bool
better(const struct sip_binding *a, const struct sip_binding *b)
{
	if (a->q != b->q)
		return a->q > b->q;
	if (a->since.us != b->since.us)
		return a->since.us > b->since.us;
	return a < b;
}

const struct sip_binding *
sip_bindings(const struct sip_registrar *r, uint32_t person, unsigned nth,
    struct hf_time now)
{
	const struct sip_binding *row = row_of(r, person);

	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++) {
		unsigned before = 0;

		if (!lives(&row[i], now))
			continue;
		for (unsigned k = 0; k < SIP_BINDINGS_MAX; k++)
			before += k != i && lives(&row[k], now) &&
				  better(&row[k], &row[i]);
		if (before == nth)
			return &row[i];
	}
	return NULL;
}

bool
sip_registrar_expire(
    struct sip_registrar *r, uint32_t person, struct hf_time now)
{
	struct sip_binding *row = row_of(r, person);
	bool any = false;

	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++) {
		if (row[i].contact[0] == '\0' || lives(&row[i], now))
			continue;
		memset(&row[i], 0, sizeof(row[i]));
		any = true;
	}
	return any && count(row, now) == 0;
}

bool
sip_registrar_hangup(
    struct sip_registrar *r, uint32_t person, uint64_t connection)
{
	struct sip_binding *row = row_of(r, person);
	bool any = false, left = false;

	hf_assert(connection != 0);
	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++) {
		if (row[i].contact[0] == '\0')
			continue;
		if (row[i].connection == connection) {
			memset(&row[i], 0, sizeof(row[i]));
			any = true;
		} else {
			left = true;
		}
	}
	return any && !left;
}

bool
sip_registrar_clear(struct sip_registrar *r, uint32_t person)
{
	struct sip_binding *row = row_of(r, person);
	bool any = false;

	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++)
		any |= row[i].contact[0] != '\0';
	memset(row, 0, SIP_BINDINGS_MAX * sizeof(*row));
	return any;
}

struct hf_time
sip_registrar_next(const struct sip_registrar *r, uint32_t person)
{
	const struct sip_binding *row = row_of(r, person);
	struct hf_time next = HF_TIME_NEVER;

	for (unsigned i = 0; i < SIP_BINDINGS_MAX; i++)
		if (row[i].contact[0] != '\0')
			next = hf_time_min(next, row[i].until);
	return next;
}
