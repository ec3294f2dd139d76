/* io/sip/sdp - see sdp.h; here: finding and reading a description. */

#include "io/sip/sdp.h"
#include "base/check.h"
#include "io/sip/lex.h"

enum { PT_PCMU = 0, PT_PCMA = 8, PT_MAX = 127, PARTS_MAX = 16 };

/* ---- in a message -------------------------------------------------------- */

/* The media type in front of the parameters. */
static struct hf_slice
bare_type(struct hf_slice value)
{
	value.n = hf_slice_find(value, ';');
	return hf_slice_trim(value);
}

static bool
is_sdp(struct hf_slice content_type)
{
	return hf_slice_eq_nocase(
	    bare_type(content_type), HF_SLICE("application/sdp"));
}

static struct hf_slice
behind(struct hf_slice s, size_t n)
{
	if (n > s.n)
		n = s.n;
	if (n == 0)
		return s; /* which may be NULL */
	return (struct hf_slice){ s.p + n, s.n - n };
}

/* The next line without its end; false when there is none. */
static bool
take_line(struct hf_slice *text, struct hf_slice *line)
{
	size_t n;

	if (text->n == 0)
		return false;
	n = hf_slice_find(*text, '\n');
	*line = (struct hf_slice){ text->p, n };
	if (n > 0 && line->p[n - 1] == '\r')
		line->n--;
	*text = behind(*text, n + 1);
	return true;
}

/* One part: its own headers, an empty line, its bytes. */
static bool
part_is_sdp(struct hf_slice part, struct hf_slice *out)
{
	static const struct hf_slice type = HF_SLICE("content-type:");
	struct hf_slice line;
	bool yes = false;

	while (take_line(&part, &line)) {
		if (line.n == 0) {
			*out = part;
			return yes;
		}
		if (hf_slice_starts_nocase(line, type))
			yes = is_sdp(behind(line, type.n));
		else if (hf_slice_starts_nocase(
			     line, HF_SLICE("content-transfer-encoding:")) &&
			 memmem(line.p, line.n, "base64", 6) != NULL)
			return false;
	}
	return false;
}

/* RFC 2046 5.1.1: parts stand between lines of "--boundary". */
static bool
find_part(struct hf_slice body, struct hf_slice boundary, struct hf_slice *out)
{
	char mark[80] = "--";
	size_t n = boundary.n + 2;
	const char *at, *next, *end = body.p + body.n;

	if (boundary.n == 0 || n > sizeof(mark))
		return false;
	memcpy(mark + 2, boundary.p, boundary.n);
	at = memmem(body.p, body.n, mark, n);
	for (int parts = 0; at != NULL && parts < PARTS_MAX; parts++) {
		struct hf_slice part, rest;

		at += n;
		next = memmem(at, (size_t)(end - at), mark, n);
		if (next == NULL)
			return false;
		part = (struct hf_slice){ at, (size_t)(next - at) };
		/* the rest of the mark's own line */
		if (take_line(&part, &rest) && part_is_sdp(part, out)) {
			/* the line end before the next mark is the mark's */
			if (out->n > 0 && out->p[out->n - 1] == '\n')
				out->n--;
			if (out->n > 0 && out->p[out->n - 1] == '\r')
				out->n--;
			return true;
		}
		at = next;
	}
	return false;
}

static bool
is_optional(const struct sip_msg *m)
{
	const struct sip_header_line *h =
	    sip_find(m, SIP_H_CONTENT_DISPOSITION, 0);
	struct hf_slice handling;
	size_t semi;

	if (h == NULL)
		return false;
	semi = hf_slice_find(h->value, ';');
	return sip_param(behind(h->value, semi + 1), HF_SLICE("handling"),
		   &handling) &&
	       hf_slice_eq_nocase(handling, HF_SLICE("optional"));
}

bool
sdp_is_accepted(const struct sip_msg *m)
{
	static const char *const fitting[] = { "application/sdp",
		"application/*", "*/*" };
	const struct sip_header_line *h;
	bool any = false;

	for (unsigned n = 0; (h = sip_find(m, SIP_H_ACCEPT, n)) != NULL; n++) {
		struct hf_slice list = h->value, item;

		while (sip_list_next(&list, &item)) {
			any = true;
			item.n = hf_slice_find(item, ';');
			for (size_t i = 0; i < HF_LEN(fitting); i++)
				if (hf_slice_eq_nocase(hf_slice_trim(item),
					hf_slice_of(fitting[i])))
					return true;
		}
	}
	return !any;
}

bool
sdp_find(const struct sip_msg *m, struct hf_slice *out, uint16_t *status)
{
	const struct sip_header_line *type = sip_find(m, SIP_H_CONTENT_TYPE, 0);
	const struct sip_header_line *coded =
	    sip_find(m, SIP_H_CONTENT_ENCODING, 0);
	struct hf_slice boundary;

	*status = 0;
	*out = (struct hf_slice){ NULL, 0 };
	if (m->body.n == 0)
		return false;
	if (coded != NULL && coded->value.n > 0 &&
	    !hf_slice_eq_nocase(coded->value, HF_SLICE("identity"))) {
		*status = 415;
		return false;
	}
	if (type == NULL ? hf_slice_starts(m->body, HF_SLICE("v=0"))
			 : is_sdp(type->value)) {
		*out = m->body;
		return true;
	}
	if (type != NULL &&
	    hf_slice_starts_nocase(type->value, HF_SLICE("multipart/"))) {
		struct hf_slice params =
		    behind(type->value, hf_slice_find(type->value, ';') + 1);

		if (sip_param(params, HF_SLICE("boundary"), &boundary) &&
		    find_part(m->body, boundary, out))
			return true;
	}
	if (!is_optional(m))
		*status = 415;
	return false;
}

/* ---- reading ------------------------------------------------------------- */

/* The media line being read, and the payload types on it. */
struct reading {
	struct sdp *sdp;
	struct sdp_stream *stream; /* NULL: still the session level */
	struct sdp_stream session; /* what is said there */
	uint8_t format[SDP_FORMATS_MAX];
	unsigned formats;
	uint32_t mapped[4]; /* bit n: payload type n had its rtpmap */
};

static struct hf_slice
take_word(struct hf_slice *s)
{
	struct hf_slice word;
	size_t n;

	while (s->n > 0 && (*s->p == ' ' || *s->p == '\t'))
		*s = behind(*s, 1);
	for (n = 0; n < s->n && s->p[n] != ' ' && s->p[n] != '\t'; n++)
		;
	word = (struct hf_slice){ s->p, n };
	*s = behind(*s, n);
	return word;
}

static bool
take_number(struct hf_slice *s, uint32_t max, uint32_t *out)
{
	return number(take_word(s), max, out);
}

/* "IN IP4 192.0.2.1/127".  A name leaves family 0 and is no error. */
static bool
take_connection(struct hf_slice *s, struct hf_addr *out)
{
	struct hf_slice net = take_word(s), type = take_word(s);
	struct hf_slice host = take_word(s);

	*out = (struct hf_addr){ .family = 0 };
	if (!hf_slice_eq_nocase(net, HF_SLICE("IN")) ||
	    (!hf_slice_eq_nocase(type, HF_SLICE("IP4")) &&
		!hf_slice_eq_nocase(type, HF_SLICE("IP6"))) ||
	    host.n == 0)
		return false;
	host.n = hf_slice_find(host, '/');
	if (!hf_addr_parse_ip(host, out))
		*out = (struct hf_addr){ .family = 0 };
	return true;
}

static bool
read_c(struct reading *r, struct hf_slice value)
{
	struct sdp_stream *to = r->stream != NULL ? r->stream : &r->session;
	uint16_t port = to->rtp.port;

	if (!take_connection(&value, &to->rtp))
		return false;
	to->named = to->rtp.family == 0;
	to->held = !to->named && hf_addr_is_any(&to->rtp);
	to->rtp.port = port;
	return true;
}

static bool
read_o(struct reading *r, struct hf_slice value)
{
	uint64_t n;

	(void)take_word(&value);
	/* Numbers of more than 64 bits are met; we only tell versions apart. */
	if (hf_slice_number(take_word(&value), UINT64_MAX, &n))
		r->sdp->session = n;
	if (hf_slice_number(take_word(&value), UINT64_MAX, &n))
		r->sdp->version = n;
	return value.n > 0;
}

static bool
has_format(const struct reading *r, unsigned pt)
{
	for (unsigned i = 0; i < r->formats; i++)
		if (r->format[i] == pt)
			return true;
	return false;
}

static bool
was_mapped(const struct reading *r, unsigned pt)
{
	return (r->mapped[pt / 32] & HF_BIT(pt % 32)) != 0;
}

static unsigned
place_of(const struct reading *r, int pt)
{
	unsigned i = 0;

	while (i < r->formats && r->format[i] != pt)
		i++;
	return i;
}

/* At the end of a media section: static payload types need no rtpmap, and the
 * order on the m-line is the order of wishes. */
static void
finish_stream(struct reading *r)
{
	struct sdp_stream *s = r->stream;

	if (s == NULL)
		return;
	if (s->pcmu < 0 && has_format(r, PT_PCMU) && !was_mapped(r, PT_PCMU))
		s->pcmu = PT_PCMU;
	if (s->pcma < 0 && has_format(r, PT_PCMA) && !was_mapped(r, PT_PCMA))
		s->pcma = PT_PCMA;
	if (s->cn < 0 && has_format(r, SDP_CN_PT) && !was_mapped(r, SDP_CN_PT))
		s->cn = SDP_CN_PT;
	s->pcma_first =
	    s->pcma >= 0 &&
	    (s->pcmu < 0 || place_of(r, s->pcma) < place_of(r, s->pcmu));
	/* a=rtcp without an address; without a=rtcp, the next port. */
	if (s->rtcp.port == 0)
		s->rtcp.port =
		    s->port == UINT16_MAX ? s->port : (uint16_t)(s->port + 1);
	if (s->rtcp.family == 0) {
		uint16_t port = s->rtcp.port;

		s->rtcp = s->rtp;
		s->rtcp.port = port;
	}
	s->rtp.port = s->port;
}

/* "audio 49170/2 RTP/AVP 0 8 101" */
static bool
read_m(struct reading *r, struct hf_slice value, const char **why)
{
	struct sdp_stream *s;
	struct hf_slice port;
	uint32_t n;

	finish_stream(r);
	if (r->sdp->streams == SDP_STREAMS_MAX) {
		*why = "Too many media lines";
		return false;
	}
	s = r->stream = &r->sdp->stream[r->sdp->streams++];
	*s = r->session;
	s->pcmu = s->pcma = s->dtmf = s->cn = -1;
	r->formats = 0;
	memset(r->mapped, 0, sizeof(r->mapped));

	s->kind = take_word(&value);
	port = take_word(&value);
	port.n = hf_slice_find(port, '/');
	s->proto = take_word(&value);
	if (s->kind.n == 0 || s->proto.n == 0 || !number(port, UINT16_MAX, &n))
		return false;
	s->port = (uint16_t)n;
	for (;;) {
		struct hf_slice f = take_word(&value);

		if (f.n == 0)
			break;
		if (s->first_format.n == 0)
			s->first_format = f;
		if (r->formats < SDP_FORMATS_MAX && number(f, PT_MAX, &n))
			r->format[r->formats++] = (uint8_t)n;
	}
	return s->first_format.n > 0;
}

/* "101 telephone-event/8000", "0 PCMU/8000/1" */
static void
read_rtpmap(struct reading *r, struct hf_slice value)
{
	struct sdp_stream *s = r->stream;
	struct hf_slice name, rate, channels;
	uint32_t pt;
	size_t n;

	if (s == NULL || !take_number(&value, PT_MAX, &pt) ||
	    !has_format(r, pt))
		return;
	r->mapped[pt / 32] |= HF_BIT(pt % 32);
	name = take_word(&value);
	n = hf_slice_find(name, '/');
	rate = behind(name, n + 1);
	name.n = n;
	n = hf_slice_find(rate, '/');
	channels = behind(rate, n + 1);
	rate.n = n;
	if (!hf_slice_eq(rate, HF_SLICE("8000")) ||
	    (channels.n > 0 && !hf_slice_eq(channels, HF_SLICE("1"))))
		return;
	if (NAMED(name, "pcmu") && s->pcmu < 0)
		s->pcmu = (int16_t)pt;
	else if (NAMED(name, "pcma") && s->pcma < 0)
		s->pcma = (int16_t)pt;
	else if (NAMED(name, "telephone-event") && s->dtmf < 0)
		s->dtmf = (int16_t)pt;
	else if (NAMED(name, "cn") && s->cn < 0)
		s->cn = (int16_t)pt;
}

/* "53020" or "53020 IN IP4 126.16.64.4" (RFC 3605) */
static void
read_rtcp(struct reading *r, struct hf_slice value)
{
	struct hf_addr at = { .family = 0 };
	uint32_t port;

	if (r->stream == NULL || !take_number(&value, UINT16_MAX, &port))
		return;
	if (hf_slice_trim(value).n > 0)
		(void)take_connection(&value, &at);
	at.port = (uint16_t)port;
	r->stream->rtcp = at;
}

static void
read_a(struct reading *r, struct hf_slice value)
{
	struct sdp_stream *s = r->stream != NULL ? r->stream : &r->session;
	size_t colon = hf_slice_find(value, ':');
	struct hf_slice name =
	    hf_slice_trim((struct hf_slice){ value.p, colon });
	uint32_t n;

	value = hf_slice_trim(behind(value, colon + 1));
	if (NAMED(name, "sendrecv"))
		s->direction = SIP_SENDRECV;
	else if (NAMED(name, "sendonly"))
		s->direction = SIP_SENDONLY;
	else if (NAMED(name, "recvonly"))
		s->direction = SIP_RECVONLY;
	else if (NAMED(name, "inactive"))
		s->direction = SIP_INACTIVE;
	else if (NAMED(name, "rtpmap"))
		read_rtpmap(r, value);
	else if (NAMED(name, "rtcp"))
		read_rtcp(r, value);
	else if (NAMED(name, "rtcp-mux"))
		s->mux = true;
	else if (NAMED(name, "ptime") && take_number(&value, 240, &n))
		s->ptime_ms = (uint8_t)n;
	else if (NAMED(name, "maxptime") && take_number(&value, 240, &n))
		s->maxptime_ms = (uint8_t)n;
}

static bool
read_line(struct reading *r, struct hf_slice line, const char **why)
{
	struct hf_slice value = behind(line, 2);

	switch (line.p[0]) {
	case 'o':
		*why = "Bad o=";
		return read_o(r, value);
	case 'c':
		*why = "Bad c=";
		return read_c(r, value);
	case 't':
		if (r->sdp->time.n == 0)
			r->sdp->time = hf_slice_trim(value);
		return true;
	case 'm':
		*why = "Bad m=";
		return read_m(r, value, why);
	case 'a':
		read_a(r, value);
		return true;
	default:
		return true; /* s, i, u, e, p, b, r, z, k and tomorrow's */
	}
}

bool
sdp_parse(struct hf_slice text, struct sdp *out, const char **why)
{
	struct reading r = { .sdp = out };
	struct hf_slice line;
	int lines = 0;

	memset(out, 0, offsetof(struct sdp, stream));
	*why = "No v=0";
	if (!take_line(&text, &line) ||
	    !hf_slice_eq(hf_slice_trim(line), HF_SLICE("v=0")))
		return false;
	while (take_line(&text, &line)) {
		*why = "Too many lines";
		if (++lines > SDP_LINES_MAX)
			return false;
		if (hf_slice_trim(line).n == 0)
			continue;
		*why = "Bad line";
		if (line.n < 2 || line.p[1] != '=')
			return false;
		if (!read_line(&r, line, why))
			return false;
	}
	finish_stream(&r);
	*why = NULL;
	return true;
}
