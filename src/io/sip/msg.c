/* io/sip/msg - see msg.h */

#include "io/sip/msg.h"
#include "io/sip/lex.h"

/* ---- lists --------------------------------------------------------------- */

/* The comma that ends the item at p, or end. */
static const char *
item_end(const char *p, const char *end)
{
	while (p < end && *p != ',') {
		if (*p == '"') {
			p = quoted_end(p, end);
			if (p == NULL)
				return end;
		} else if (*p == '<') {
			p = memchr(p, '>', (size_t)(end - p));
			if (p == NULL)
				return end;
		} else {
			p++;
		}
	}
	return p;
}

bool
sip_list_next(struct hf_slice *list, struct hf_slice *item)
{
	while (list->n > 0) {
		const char *end = list->p + list->n;
		const char *comma = item_end(list->p, end);

		*item = hf_slice_trim(between(list->p, comma));
		*list = between(comma < end ? comma + 1 : end, end);
		if (item->n > 0)
			return true;
	}
	return false;
}

static bool
in_list(struct hf_slice list, struct hf_slice token)
{
	struct hf_slice item;

	while (sip_list_next(&list, &item))
		if (hf_slice_eq_nocase(item, token))
			return true;
	return false;
}

bool
sip_unknown_required(const struct sip_msg *m, enum sip_header id,
    struct hf_slice known, struct hf_buf *unsupported)
{
	const struct sip_header_line *h;
	bool any = false;

	for (unsigned n = 0; (h = sip_find(m, id, n)) != NULL; n++) {
		struct hf_slice list = h->value, item;

		while (sip_list_next(&list, &item)) {
			if (in_list(known, item))
				continue;
			if (any)
				hf_buf_str(unsupported, ", ");
			hf_buf_slice(unsupported, item);
			any = true;
		}
	}
	return any;
}

const struct sip_header_line *
sip_find(const struct sip_msg *m, enum sip_header id, unsigned nth)
{
	if ((m->seen >> id & 1) == 0)
		return NULL;
	for (unsigned i = 0; i < m->headers; i++)
		if (m->header[i].id == id && nth-- == 0)
			return &m->header[i];
	return NULL;
}

/* ---- the message --------------------------------------------------------- */

/* What is being found out; the first trouble counts. */
struct parse {
	struct sip_msg *m;
	struct sip_verdict v;
	const char *start;
	struct hf_slice from, to, call_id, cseq, max_forwards, length;
	bool have_from, have_to, have_call_id, have_cseq, have_max_forwards;
	bool have_length;
	unsigned vias;
};

static void
trouble(struct parse *p, uint16_t status, const char *why, const char *where)
{
	if (p->v.parsed != SIP_GOOD)
		return;
	p->v = (struct sip_verdict){
		.parsed = SIP_BAD,
		.status = status,
		.why = why,
		.at = where == NULL ? 0 : (uint32_t)(where - p->start),
	};
}

static void
hopeless(struct parse *p, const char *why, const char *where)
{
	p->v.parsed = SIP_GOOD;
	trouble(p, 0, why, where);
	p->v.parsed = SIP_DROP;
}

static void
add(struct parse *p, enum sip_header id, struct hf_slice name,
    struct hf_slice value)
{
	struct sip_msg *m = p->m;

	if (m->headers == SIP_HEADERS_MAX) {
		trouble(p, 400, "Too many headers", name.p);
		return;
	}
	m->seen |= (uint64_t)1 << id;
	m->header[m->headers++] =
	    (struct sip_header_line){ .id = id, .name = name, .value = value };
}

static void
add_list(struct parse *p, enum sip_header id, struct hf_slice name,
    struct hf_slice value)
{
	struct sip_name_addr contact;
	struct hf_slice item;

	if (value.n == 0)
		return;
	for (;;) {
		const char *end = value.p + value.n;
		const char *comma = item_end(value.p, end);

		item = hf_slice_trim(between(value.p, comma));
		if (item.n == 0)
			trouble(p, 400, "Empty list item", comma);
		else
			add(p, id, name, item);
		if (id == SIP_H_VIA && p->vias++ == 0 &&
		    !sip_parse_via(item, &p->m->via))
			trouble(p, 400, "Bad Via", value.p);
		/* A Contact we cannot use is found out now and not in the
		 * middle of a call. */
		if (id == SIP_H_CONTACT && item.n > 0 &&
		    !(item.n == 1 && *item.p == '*') &&
		    !sip_parse_name_addr(item, &contact))
			trouble(p, 400, "Bad Contact", value.p);
		if (comma == end)
			break;
		value = between(comma + 1, end);
	}
}

static void
add_once(struct parse *p, struct hf_slice *slot, bool *have,
    struct hf_slice value, const char *why)
{
	if (*have) {
		trouble(p, 400, why, value.p);
		return;
	}
	*slot = value;
	*have = true;
}

static void
take_header(struct parse *p, struct hf_slice name, struct hf_slice value)
{
	enum sip_header id = sip_header_of(name);

	switch ((int)id) {
	case SIP_H_VIA:
	case SIP_H_ROUTE:
	case SIP_H_RECORD_ROUTE:
	case SIP_H_CONTACT:
		add_list(p, id, name, value);
		return;
	case SIP_H_FROM:
		add_once(p, &p->from, &p->have_from, value, "Two From");
		break;
	case SIP_H_TO:
		add_once(p, &p->to, &p->have_to, value, "Two To");
		break;
	case SIP_H_CALL_ID:
		add_once(
		    p, &p->call_id, &p->have_call_id, value, "Two Call-ID");
		break;
	case SIP_H_CSEQ:
		add_once(p, &p->cseq, &p->have_cseq, value, "Two CSeq");
		break;
	case SIP_H_MAX_FORWARDS:
		add_once(p, &p->max_forwards, &p->have_max_forwards, value,
		    "Two Max-Forwards");
		break;
	case SIP_H_CONTENT_LENGTH:
		add_once(p, &p->length, &p->have_length, value,
		    "Two Content-Length");
		break;
	default:
		break;
	}
	add(p, id, name, value);
}

/* The end of the line that starts at p, folds included; *next is the line
 * behind it.  NULL: there is no line end. */
static const char *
line_end(const char *p, const char *end, const char **next)
{
	for (;;) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));

		if (lf == NULL)
			return NULL;
		p = lf + 1;
		if (p < end && (*p == ' ' || *p == '\t'))
			continue;
		*next = p;
		return lf;
	}
}

static inline bool
empty_line(const char *p, const char *end, const char **next)
{
	if (p < end && *p == '\n') {
		*next = p + 1;
		return true;
	}
	if (end - p >= 2 && p[0] == '\r' && p[1] == '\n') {
		*next = p + 2;
		return true;
	}
	return false;
}

/* All header lines; returns where the body starts, NULL without an end. */
static const char *
take_headers(struct parse *p, const char *at, const char *end)
{
	const char *next, *stop;

	while (!empty_line(at, end, &next)) {
		struct at a;
		struct hf_slice name;

		stop = line_end(at, end, &next);
		if (stop == NULL)
			return NULL;
		a = (struct at){ at, stop };
		name = take(&a, C_TOKEN);
		while (a.p < a.end && (*a.p == ' ' || *a.p == '\t'))
			a.p++;
		/* 8.2: a malformed header that we do not need is passed over;
		 * one that we need will be missed. */
		if (name.n > 0 && a.p < a.end && *a.p == ':')
			take_header(
			    p, name, hf_slice_trim(between(a.p + 1, a.end)));
		at = next;
	}
	return next;
}

static void
take_request_line(struct parse *p, struct at a)
{
	struct sip_msg *m = p->m;
	struct hf_slice version;
	const char *sp;

	m->request = true;
	m->method_text = take(&a, C_TOKEN);
	m->method = sip_method_of(m->method_text);
	if (m->method_text.n == 0 || a.p == a.end || *a.p != ' ') {
		hopeless(p, "Not SIP", a.p);
		return;
	}
	a.p++;
	sp = memchr(a.p, ' ', (size_t)(a.end - a.p));
	if (sp == NULL) {
		trouble(p, 400, "Bad request line", a.p);
		return;
	}
	m->uri_text = between(a.p, sp);
	version = between(sp + 1, a.end);
	if (!hf_slice_eq_nocase(version, HF_SLICE("SIP/2.0"))) {
		struct at v = { version.p, a.end };

		if (hf_slice_starts_nocase(version, HF_SLICE("SIP/")) &&
		    (v.p += 4, take(&v, C_DIGIT | C_HOST).n > 0) &&
		    v.p == v.end)
			trouble(p, 505, "Version Not Supported", version.p);
		else
			trouble(p, 400, "Bad request line", version.p);
	}
	if (!sip_parse_uri(m->uri_text, &m->uri))
		trouble(p, 400, "Bad Request-URI", m->uri_text.p);
	else if (m->uri.host.n == 0 && !NAMED(m->uri.scheme, "tel") &&
		 !sip_is_sos(m->uri_text))
		trouble(p, 416, "Unsupported URI Scheme", m->uri_text.p);
	else if (m->uri.headers.n > 0)
		/* 19.1.1: not in a Request-URI. */
		trouble(p, 400, "Headers in Request-URI", m->uri.headers.p);
}

static void
take_status_line(struct parse *p, struct at a)
{
	struct sip_msg *m = p->m;
	uint32_t status;

	m->request = false;
	if (!hf_slice_starts_nocase(
		between(a.p, a.end), HF_SLICE("SIP/2.0 "))) {
		hopeless(p, "Version Not Supported", a.p);
		return;
	}
	a.p += 8;
	if (!number(take(&a, C_DIGIT), 699, &status) || status < 100 ||
	    (a.p < a.end && *a.p != ' ')) {
		hopeless(p, "Bad status", a.p);
		return;
	}
	m->status = (uint16_t)status;
	if (a.p < a.end)
		a.p++;
	m->reason = between(a.p, a.end);
}

static void
check_cseq(struct parse *p)
{
	struct sip_msg *m = p->m;
	struct at a = at_start(p->cseq);

	if (!number(take(&a, C_DIGIT), INT32_MAX, &m->cseq)) {
		trouble(p, 400, "Bad CSeq number", p->cseq.p);
		return;
	}
	if (a.p == a.end || !is(*a.p, C_SPACE)) {
		trouble(p, 400, "Bad CSeq", p->cseq.p);
		return;
	}
	skip(&a, C_SPACE);
	m->cseq_method_text = take(&a, C_TOKEN);
	m->cseq_method = sip_method_of(m->cseq_method_text);
	if (m->cseq_method_text.n == 0 || a.p != a.end)
		trouble(p, 400, "Bad CSeq", p->cseq.p);
	else if (m->request &&
		 !hf_slice_eq(m->cseq_method_text, m->method_text))
		trouble(p, 400, "CSeq of another method", p->cseq.p);
}

/* What RFC 3261 8.1.1 asks for; Max-Forwards may be missing, as it was in
 * RFC 2543. */
static void
check_mandatory(struct parse *p)
{
	struct sip_msg *m = p->m;
	uint32_t n;

	if (!p->have_from)
		trouble(p, 400, "No From", NULL);
	else if (!sip_parse_party(p->from, &m->from, &m->from_tag))
		trouble(p, 400, "Bad From", p->from.p);
	if (!p->have_to)
		trouble(p, 400, "No To", NULL);
	else if (!sip_parse_party(p->to, &m->to, &m->to_tag))
		trouble(p, 400, "Bad To", p->to.p);
	m->call_id = p->call_id;
	if (p->call_id.n == 0)
		trouble(p, 400, "No Call-ID", NULL);
	for (size_t i = 0; i < m->call_id.n; i++)
		if (is(m->call_id.p[i], C_SPACE) || m->call_id.p[i] == '\0')
			trouble(p, 400, "Bad Call-ID", m->call_id.p);
	if (!p->have_cseq)
		trouble(p, 400, "No CSeq", NULL);
	else
		check_cseq(p);
	if (p->have_max_forwards) {
		m->has_max_forwards = number(p->max_forwards, UINT8_MAX, &n);
		if (m->has_max_forwards)
			m->max_forwards = (uint8_t)n;
		else
			trouble(p, 400, "Bad Max-Forwards", p->max_forwards.p);
	}
}

/* The body is what Content-Length says; without one, the rest. */
static void
check_body(struct parse *p, const char *body, const char *end)
{
	size_t have = (size_t)(end - body);
	uint32_t n = (uint32_t)have;

	if (p->have_length) {
		if (!number(p->length, UINT32_MAX, &n)) {
			trouble(p, 400, "Bad Content-Length", p->length.p);
			n = (uint32_t)have;
		} else if (n > have) {
			trouble(p, 400, "Body shorter than Content-Length",
			    p->length.p);
			n = (uint32_t)have;
		}
	}
	p->m->body = (struct hf_slice){ body, n };
	p->m->raw.n = (size_t)(body + n - p->m->raw.p);
}

/* Everything but the header lines, which need no zeros. */
static void
clear(struct sip_msg *m)
{
	memset(m, 0, offsetof(struct sip_msg, header));
	m->body = (struct hf_slice){ NULL, 0 };
}

void
sip_msg_copy(struct sip_msg *to, const struct sip_msg *from)
{
	memcpy(to, from, offsetof(struct sip_msg, header[from->headers]));
	to->body = from->body;
}

struct sip_verdict
sip_parse(struct hf_slice bytes, struct sip_msg *out)
{
	struct at a = at_start(bytes);
	struct parse p = { .m = out, .start = a.p };
	const char *at = a.p, *end = a.end;
	const char *next = NULL, *stop;

	clear(out);
	/* 7.5: empty lines before a message mean nothing. */
	while (at < end && (*at == '\r' || *at == '\n'))
		at++;
	out->raw = between(at, end);
	stop = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
	if (stop == NULL || bytes.n > SIP_MSG_MAX) {
		hopeless(&p, "Not SIP", at);
		return p.v;
	}
	next = stop + 1;
	if (stop > at && stop[-1] == '\r')
		stop--;
	if (hf_slice_starts_nocase(between(at, stop), HF_SLICE("SIP/")))
		take_status_line(&p, (struct at){ at, stop });
	else
		take_request_line(&p, (struct at){ at, stop });
	if (p.v.parsed == SIP_DROP)
		return p.v;

	next = take_headers(&p, next, end);
	if (next == NULL) {
		trouble(&p, 400, "No end of headers", end);
		next = end;
	}
	check_mandatory(&p);
	check_body(&p, next, end);

	if (out->via.host.n == 0)
		hopeless(&p, "No way back", NULL);
	else if (!out->request && p.vias > 1)
		hopeless(&p, "Response is not for us", NULL);
	else if (p.v.parsed == SIP_BAD &&
		 (!out->request || out->method == SIP_ACK))
		p.v.parsed = SIP_DROP;
	return p.v;
}

/* ---- streams ------------------------------------------------------------- */

enum { FRAME_LINES_MAX = 4 * SIP_HEADERS_MAX };

static bool
is_content_length(struct hf_slice line, struct hf_slice *value)
{
	struct at a = at_start(line);
	struct hf_slice name = take(&a, C_TOKEN);

	if (!NAMED(name, "l") && !NAMED(name, "content-length"))
		return false;
	while (a.p < a.end && (*a.p == ' ' || *a.p == '\t'))
		a.p++;
	if (a.p == a.end || *a.p != ':')
		return false;
	*value = hf_slice_trim(between(a.p + 1, a.end));
	return true;
}

/* The head of the first message: up to its empty line, and what it says of the
 * bytes behind. */
struct head {
	uint32_t skip; /* blank lines before it */
	uint32_t n;    /* 0: not all here yet */
	uint32_t length;
	bool has_length;
	bool bad_length; /* no number, or two of them */
	bool endless;
};

static void
take_length(struct head *h, struct hf_slice line)
{
	struct hf_slice value;
	uint32_t again;

	if (!is_content_length(line, &value))
		return;
	h->bad_length |= !number(value, SIP_MSG_MAX, &again) ||
			 (h->has_length && again != h->length);
	h->length = h->bad_length ? 0 : again;
	h->has_length = true;
}

static struct head
head_of(struct hf_slice bytes)
{
	struct at a = at_start(bytes);
	const char *at = a.p, *end = a.end;
	const char *start, *next, *stop;
	struct head h = { .n = 0 };

	while (at < end && (*at == '\r' || *at == '\n'))
		at++;
	h.skip = (uint32_t)(at - a.p);
	start = at;
	for (int lines = 0; !empty_line(at, end, &next); lines++) {
		stop = at < end ? line_end(at, end, &next) : NULL;
		h.endless = end - start > SIP_MSG_MAX ||
			    (stop != NULL && lines > FRAME_LINES_MAX);
		/* A line is whole when the next one has begun: it might be
		 * folded. */
		if (stop == NULL || next == end || h.endless)
			return h;
		if (lines > 0 && ((*at | 0x20) == 'l' || (*at | 0x20) == 'c'))
			take_length(&h, between(at, stop));
		at = next;
	}
	h.n = (uint32_t)(next - start);
	return h;
}

int
sip_frame(struct hf_slice bytes, uint32_t *skip_bytes)
{
	struct head h = head_of(bytes);

	*skip_bytes = h.skip;
	if (h.endless)
		return -1;
	if (h.n == 0)
		return 0;
	if (!h.has_length || h.bad_length || h.n + h.length > SIP_MSG_MAX)
		return -1;
	return bytes.n - h.skip - h.n < h.length ? 0 : (int)(h.n + h.length);
}

uint32_t
sip_frame_head(struct hf_slice bytes)
{
	struct head h = head_of(bytes);

	return h.has_length && h.n <= SIP_MSG_MAX ? h.n : 0;
}
