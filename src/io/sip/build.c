/* io/sip/build - see build.h */

#include "io/sip/build.h"
#include "base/check.h"
#include "io/sip/lex.h"

enum { MAX_FORWARDS = 70 };

static void
put_eol(struct hf_buf *b)
{
	hf_buf_put(b, "\r\n", 2);
}

/* A foreign text as one line: what could end it becomes a blank.  A NUL cannot,
 * and may stand in a quoted string that we must give back (RFC 4475 3.1.1.2).
 */
static void
put_line_text(struct hf_buf *b, struct hf_slice s)
{
	struct at a = at_start(s);
	const char *p = a.p, *end = a.end, *from = p;

	for (; p < end; p++) {
		if (*p != '\r' && *p != '\n')
			continue;
		hf_buf_put(b, from, (size_t)(p - from));
		hf_buf_char(b, ' ');
		while (p + 1 < end && is(p[1], C_SPACE))
			p++;
		from = p + 1;
	}
	hf_buf_put(b, from, (size_t)(end - from));
}

/* As much of it as may stand in a URI. */
static void
put_uri_text(struct hf_buf *b, struct hf_slice uri)
{
	size_t n = 0;

	while (n < uri.n && is(uri.p[n], C_URI))
		n++;
	hf_buf_put(b, uri.p, n);
}

static void
put_token(struct hf_buf *b, struct hf_slice s)
{
	size_t n = 0;

	while (n < s.n && is(s.p[n], C_TOKEN))
		n++;
	hf_buf_put(b, s.p, n);
}

static void
put_name(struct hf_buf *b, enum sip_header h)
{
	hf_buf_slice(b, sip_header_text(h));
	hf_buf_put(b, ": ", 2);
}

void
sip_put_request_line(
    struct hf_buf *b, struct hf_slice method, struct hf_slice uri)
{
	put_token(b, method);
	hf_buf_char(b, ' ');
	put_uri_text(b, uri);
	hf_buf_str(b, " SIP/2.0\r\n");
}

void
sip_put_status_line(struct hf_buf *b, uint16_t status, struct hf_slice reason)
{
	hf_assert(status >= 100 && status <= 699);
	hf_buf_str(b, "SIP/2.0 ");
	hf_buf_u64(b, status);
	hf_buf_char(b, ' ');
	if (reason.n > 0)
		put_line_text(b, reason);
	else
		hf_buf_str(b, sip_reason(status));
	put_eol(b);
}

void
sip_put(struct hf_buf *b, enum sip_header h, struct hf_slice value)
{
	put_name(b, h);
	put_line_text(b, value);
	put_eol(b);
}

void
sip_put_named(struct hf_buf *b, struct hf_slice name, struct hf_slice value)
{
	put_token(b, name);
	hf_buf_put(b, ": ", 2);
	put_line_text(b, value);
	put_eol(b);
}

void
sip_put_number(struct hf_buf *b, enum sip_header h, uint64_t value)
{
	put_name(b, h);
	hf_buf_u64(b, value);
	put_eol(b);
}

void
sip_put_via(struct hf_buf *b, const char *transport, const struct hf_addr *by,
    struct hf_slice branch)
{
	hf_buf_str(b, "Via: SIP/2.0/");
	hf_buf_str(b, transport);
	hf_buf_char(b, ' ');
	hf_addr_put(b, by);
	hf_buf_str(b, ";branch=");
	put_token(b, branch);
	hf_buf_str(b, ";rport\r\n");
}

void
sip_put_name_addr(struct hf_buf *b, enum sip_header h, struct hf_slice display,
    struct hf_slice uri, struct hf_slice tag)
{
	put_name(b, h);
	if (display.n > 0) {
		sip_put_quoted(b, display);
		hf_buf_char(b, ' ');
	}
	hf_buf_char(b, '<');
	put_uri_text(b, uri);
	hf_buf_char(b, '>');
	if (tag.n > 0) {
		hf_buf_str(b, ";tag=");
		put_token(b, tag);
	}
	put_eol(b);
}

void
sip_put_contact(struct hf_buf *b, struct hf_slice user,
    const struct hf_addr *at, struct hf_slice transport)
{
	hf_buf_str(b, "Contact: <");
	sip_put_uri(b, user, at);
	if (transport.n > 0) {
		hf_buf_str(b, ";transport=");
		put_token(b, transport);
	}
	hf_buf_str(b, ">\r\n");
}

void
sip_put_cseq(struct hf_buf *b, uint32_t cseq, struct hf_slice method)
{
	hf_buf_str(b, "CSeq: ");
	hf_buf_u64(b, cseq);
	hf_buf_char(b, ' ');
	put_token(b, method);
	put_eol(b);
}

void
sip_put_reason(struct hf_buf *b, const char *protocol, uint16_t cause,
    struct hf_slice text)
{
	hf_buf_str(b, "Reason: ");
	hf_buf_str(b, protocol);
	hf_buf_str(b, ";cause=");
	hf_buf_u64(b, cause);
	if (text.n > 0) {
		hf_buf_str(b, ";text=");
		sip_put_quoted(b, text);
	}
	put_eol(b);
}

void
sip_put_copies(struct hf_buf *b, const struct sip_msg *from, enum sip_header h)
{
	const struct sip_header_line *line;

	for (unsigned n = 0; (line = sip_find(from, h, n)) != NULL; n++)
		sip_put(b, h, line->value);
}

void
sip_put_body(struct hf_buf *b, const char *type, struct hf_slice body)
{
	if (body.n > 0 && type != NULL)
		sip_put(b, SIP_H_CONTENT_TYPE, hf_slice_of(type));
	sip_put_number(b, SIP_H_CONTENT_LENGTH, body.n);
	put_eol(b);
	hf_buf_slice(b, body);
}

void
sip_put_quoted(struct hf_buf *b, struct hf_slice text)
{
	hf_buf_char(b, '"');
	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '"' || c == '\\')
			hf_buf_char(b, '\\');
		/* Neither a line end nor another control character. */
		hf_buf_char(b, (uint8_t)c < ' ' || c == 0x7f ? ' ' : c);
	}
	hf_buf_char(b, '"');
}

void
sip_put_user(struct hf_buf *b, struct hf_slice user)
{
	static const char hex[] = "0123456789ABCDEF";

	for (size_t i = 0; i < user.n; i++) {
		char c = user.p[i];

		/* unreserved, and of user-unreserved what needs no care */
		if ((is(c, C_TOKEN) && c != '%' && c != '`') || c == '(' ||
		    c == ')' || c == '&' || c == '=' || c == '$' || c == ',') {
			hf_buf_char(b, c);
		} else {
			char e[3] = { '%', hex[(uint8_t)c >> 4],
				hex[(uint8_t)c & 15] };

			hf_buf_put(b, e, sizeof(e));
		}
	}
}

void
sip_put_uri(struct hf_buf *b, struct hf_slice user, const struct hf_addr *at)
{
	hf_buf_str(b, "sip:");
	if (user.n > 0) {
		sip_put_user(b, user);
		hf_buf_char(b, '@');
	}
	if (at->port != 0)
		hf_addr_put(b, at);
	else
		hf_addr_put_host(b, at);
}

/* ---- responses ----------------------------------------------------------- */

/* The topmost Via of a request, with where it really came from (18.2.1,
 * RFC 3581 4).  What the sender claims about that himself is left out. */
static void
put_top_via(
    struct hf_buf *b, const struct sip_via *via, const struct hf_addr *source)
{
	struct hf_slice whole = via->whole;
	size_t semi = hf_slice_find(whole, ';');
	struct hf_addr by;
	struct param p;

	hf_buf_str(b, "Via: ");
	put_line_text(b, hf_slice_trim((struct hf_slice){ whole.p, semi }));
	if (semi < whole.n) {
		struct at a = { whole.p + semi + 1, whole.p + whole.n };

		while (sip_param_next(&a, &p) == 1) {
			if (NAMED(p.name, "received") || NAMED(p.name, "rport"))
				continue;
			hf_buf_char(b, ';');
			hf_buf_slice(b, p.name);
			if (p.value.n == 0)
				continue;
			hf_buf_char(b, '=');
			if (p.value.p[-1] == '"') {
				/* escapes are still in it */
				hf_buf_char(b, '"');
				put_line_text(b, p.value);
				hf_buf_char(b, '"');
			} else {
				hf_buf_slice(b, p.value);
			}
		}
	}
	if (via->has_rport || !sip_host_addr(via->host, &by) ||
	    !hf_addr_same_host(&by, source)) {
		hf_buf_str(b, ";received=");
		hf_addr_put_ip(b, source);
	}
	if (via->has_rport) {
		hf_buf_str(b, ";rport=");
		hf_buf_u64(b, source->port);
	}
	put_eol(b);
}

static void
put_copy(struct hf_buf *b, const struct sip_msg *from, enum sip_header h)
{
	const struct sip_header_line *line = sip_find(from, h, 0);

	if (line != NULL)
		sip_put(b, h, line->value);
}

static void
put_to(struct hf_buf *b, const struct sip_msg *req, struct hf_slice tag)
{
	const struct sip_header_line *to = sip_find(req, SIP_H_TO, 0);
	struct hf_slice value;
	bool tagged;

	if (to == NULL)
		return;
	value = to->value;
	/* Behind a To that we could not read a tag would mean nothing. */
	tagged = tag.n > 0 && req->to_tag.n == 0 && req->to.uri.whole.n > 0;
	/* A parameter without a name before ours: few would read that. */
	while (
	    tagged && value.n > 0 &&
	    (value.p[value.n - 1] == ';' || is(value.p[value.n - 1], C_SPACE)))
		value.n--;
	put_name(b, SIP_H_TO);
	put_line_text(b, value);
	if (tagged) {
		hf_buf_str(b, ";tag=");
		put_token(b, tag);
	}
	put_eol(b);
}

void
sip_put_reply(struct hf_buf *b, const struct sip_msg *req, uint16_t status,
    struct hf_slice reason, struct hf_slice to_tag,
    const struct hf_addr *source)
{
	const struct sip_header_line *via;

	hf_assert(req->request);
	if (status == 100)
		to_tag.n = 0;
	sip_put_status_line(b, status, reason);
	for (unsigned n = 0; (via = sip_find(req, SIP_H_VIA, n)) != NULL; n++) {
		if (n == 0 && source != NULL && source->family != 0)
			put_top_via(b, &req->via, source);
		else
			sip_put(b, SIP_H_VIA, via->value);
	}
	put_copy(b, req, SIP_H_FROM);
	put_to(b, req, to_tag);
	put_copy(b, req, SIP_H_CALL_ID);
	put_copy(b, req, SIP_H_CSEQ);
}

/* ---- what follows an INVITE ---------------------------------------------- */

/* Along the INVITE's own way: same URI, branch, Route, From, Call-ID and
 * number. */
static void
put_after_invite(struct hf_buf *b, const struct sip_msg *invite,
    enum sip_method method, const struct sip_msg *to)
{
	struct hf_slice name = hf_slice_of(sip_method_name(method));

	sip_put_request_line(b, name, invite->uri_text);
	sip_put(b, SIP_H_VIA, invite->via.whole);
	sip_put_number(b, SIP_H_MAX_FORWARDS, MAX_FORWARDS);
	sip_put_copies(b, invite, SIP_H_ROUTE);
	put_copy(b, invite, SIP_H_FROM);
	put_copy(b, to, SIP_H_TO);
	put_copy(b, invite, SIP_H_CALL_ID);
	sip_put_cseq(b, invite->cseq, name);
}

void
sip_put_ack(struct hf_buf *b, const struct sip_msg *invite,
    const struct sip_msg *response)
{
	put_after_invite(b, invite, SIP_ACK, response);
	sip_put_body(b, NULL, (struct hf_slice){ NULL, 0 });
}

void
sip_put_cancel(
    struct hf_buf *b, const struct sip_msg *invite, struct hf_slice lines)
{
	put_after_invite(b, invite, SIP_CANCEL, invite);
	hf_buf_slice(b, lines);
	sip_put_body(b, NULL, (struct hf_slice){ NULL, 0 });
}
