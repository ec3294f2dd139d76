/* io/sip/dialog - see dialog.h */

#include "io/sip/dialog.h"
#include "io/sip/build.h"
#include "io/sip/sdp.h"

void
sip_tag_text(uint64_t tag, char *to)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < SIP_OUR_TAG; i++)
		to[i] = hex[tag >> (60 - 4 * i) & 0xf];
	to[SIP_OUR_TAG] = '\0';
}

uint64_t
sip_tag_make(struct hf_rand *r, char *to)
{
	uint64_t v;

	do {
		v = hf_rand_u64(r);
	} while (v == 0);
	sip_tag_text(v, to);
	return v;
}

bool
sip_tag_number(struct hf_slice tag, uint64_t *out)
{
	return tag.n == SIP_OUR_TAG && hf_slice_hex(tag, out) && *out != 0;
}

/* ---- where requests go --------------------------------------------------- */

/* The first route's URI, or the remote target's. */
static bool
next_hop(const struct sip_dialog *d, struct sip_uri *out)
{
	struct sip_name_addr na;
	struct hf_slice s = hf_slice_of(d->routes);

	if (s.n == 0)
		return sip_parse_uri(hf_slice_of(d->target), out);
	s.n = hf_slice_find(s, '>') + 1;
	if (!sip_parse_name_addr(s, &na))
		return false;
	*out = na.uri;
	return true;
}

/* What we speak towards it: not TLS, nor what a browser speaks. */
static bool
is_spoken(const struct sip_uri *u)
{
	struct hf_slice transport;

	if (!hf_slice_eq_nocase(u->scheme, HF_SLICE("sip")))
		return false;
	return !sip_param(u->params, HF_SLICE("transport"), &transport) ||
	       hf_slice_eq_nocase(transport, HF_SLICE("udp")) ||
	       hf_slice_eq_nocase(transport, HF_SLICE("tcp"));
}

/* Names are not looked up here: one who calls himself by a name, or asks for
 * what we do not speak, is answered where he was last heard. */
static void
aim(struct sip_dialog *d, const struct sip_flow *from)
{
	struct hf_slice transport;
	struct hf_addr a;
	struct sip_uri u;

	d->flow = *from;
	if (d->symmetric && d->routes[0] == '\0') {
		d->natted = true;
		return;
	}
	if (!next_hop(d, &u) || !is_spoken(&u) || !hf_addr_parse_ip(u.host, &a))
		return;
	a.port = u.port != 0 ? u.port : SIP_PORT;
	d->natted = d->routes[0] == '\0' &&
		    !hf_addr_same_host(&a, &from->peer) && sdp_is_private(&a) &&
		    !sdp_is_private(&from->peer);
	if (d->natted || a.family != from->peer.family)
		return;
	/* A connection is used again by whoever it belongs to. */
	if (from->transport == SIP_TCP && hf_addr_same_host(&a, &from->peer)) {
		d->flow.peer.port = a.port;
		return;
	}
	if (sip_param(u.params, HF_SLICE("transport"), &transport) &&
	    hf_slice_eq_nocase(transport, HF_SLICE("tcp")))
		d->flow.transport = SIP_TCP;
	else
		d->flow.transport = SIP_UDP;
	d->flow.conn = HF_REF_NONE;
	d->flow.peer = a;
}

static bool
is_scheme(const struct sip_uri *u)
{
	return hf_slice_eq_nocase(u->scheme, HF_SLICE("sip")) ||
	       hf_slice_eq_nocase(u->scheme, HF_SLICE("sips"));
}

static bool
take_contact(struct sip_dialog *d, const struct sip_msg *m)
{
	const struct sip_header_line *h = sip_find(m, SIP_H_CONTACT, 0);
	struct sip_name_addr na;
	char target[SIP_URI_MAX];

	if (h == NULL || !sip_parse_name_addr(h->value, &na) ||
	    !is_scheme(&na.uri) ||
	    !hf_slice_copy(na.uri.whole, target, sizeof(target)))
		return false;
	memcpy(d->target, target, sizeof(target));
	return true;
}

/* A party's URI.  A very long one loses its parameters: a dialog is known by
 * its tags, its URIs are there for RFC 2543 (12.2.1.1). */
static bool
keep_party(const struct sip_uri *u, char *to, size_t cap)
{
	struct hf_slice whole = u->whole;

	if (whole.n >= cap && u->params.n > 0)
		whole.n = (size_t)(u->params.p - whole.p) - 1;
	return hf_slice_copy(whole, to, cap);
}

/* RFC 2543 knew INVITEs without a Contact: whoever sent it is the target. */
static bool
take_target(struct sip_dialog *d, const struct sip_msg *m)
{
	if (sip_find(m, SIP_H_CONTACT, 0) != NULL)
		return take_contact(d, m);
	return is_scheme(&m->from.uri) &&
	       keep_party(&m->from.uri, d->target, sizeof(d->target));
}

/* Record-Route in the order given, or the other way round. */
static bool
take_routes(struct sip_dialog *d, const struct sip_msg *m, bool reverse)
{
	struct hf_buf b = hf_buf_on(d->routes, sizeof(d->routes) - 1);
	struct sip_name_addr na;
	unsigned n = 0;

	while (sip_find(m, SIP_H_RECORD_ROUTE, n) != NULL)
		n++;
	for (unsigned i = 0; i < n; i++) {
		const struct sip_header_line *h =
		    sip_find(m, SIP_H_RECORD_ROUTE, reverse ? n - 1 - i : i);

		if (!sip_parse_name_addr(h->value, &na))
			return false;
		hf_buf_str(&b, i > 0 ? ", <" : "<");
		hf_buf_slice(&b, na.uri.whole);
		hf_buf_char(&b, '>');
	}
	d->routes[b.n] = '\0';
	return !b.overflow && memchr(d->routes, '\0', b.n) == NULL;
}

/* ---- making -------------------------------------------------------------- */

uint16_t
sip_dialog_called(
    struct sip_dialog *d, const struct sip_msg *m, const struct sip_flow *from)
{
	if (!hf_slice_copy(m->call_id, d->call_id, sizeof(d->call_id)) ||
	    !hf_slice_copy(m->from_tag, d->remote_tag, sizeof(d->remote_tag)) ||
	    !keep_party(&m->to.uri, d->local, sizeof(d->local)) ||
	    !keep_party(&m->from.uri, d->remote, sizeof(d->remote)) ||
	    !take_target(d, m) || !take_routes(d, m, false))
		return 400;
	d->cseq_remote = m->cseq;
	d->cseq_remote_known = true;
	aim(d, from);
	return 0;
}

bool
sip_dialog_answered(
    struct sip_dialog *d, const struct sip_msg *m, const struct sip_flow *from)
{
	if (!hf_slice_copy(m->to_tag, d->remote_tag, sizeof(d->remote_tag)))
		return false;
	if (!take_routes(d, m, true))
		return false;
	if (!take_contact(d, m)) /* allowed in a 1xx; a sin in a 2xx */
		return true;
	aim(d, from);
	return true;
}

/* ---- inside -------------------------------------------------------------- */

bool
sip_dialog_has(const struct sip_dialog *d, const struct sip_msg *m)
{
	struct hf_slice remote = m->request ? m->from_tag : m->to_tag;
	struct hf_slice local = m->request ? m->to_tag : m->from_tag;

	return hf_slice_eq(m->call_id, hf_slice_of(d->call_id)) &&
	       hf_slice_eq(local, hf_slice_of(d->local_tag)) &&
	       (d->remote_tag[0] == '\0' ||
		   hf_slice_eq(remote, hf_slice_of(d->remote_tag)));
}

uint16_t
sip_dialog_order(struct sip_dialog *d, const struct sip_msg *m)
{
	bool again = d->again;

	/* Its 202 may have died with the process that wrote the record. */
	if (again && d->cseq_remote_known && m->cseq == d->cseq_remote &&
	    m->method == SIP_REFER)
		return 0;
	if (d->cseq_remote_known && m->cseq <= d->cseq_remote)
		return 500;
	d->again = false;
	d->cseq_remote = m->cseq;
	d->cseq_remote_known = true;
	return 0;
}

void
sip_dialog_refresh(
    struct sip_dialog *d, const struct sip_msg *m, const struct sip_flow *from)
{
	if (take_contact(d, m))
		aim(d, from);
}

static void
put_routes(struct hf_buf *b, const struct sip_dialog *d, bool strict,
    struct hf_slice target)
{
	struct hf_slice r = hf_slice_of(d->routes);

	if (strict) {
		/* 12.2.1.1: the first route became the Request-URI, the
		 * target goes to the end of the list. */
		size_t n = hf_slice_find(r, '>') + 1;

		r = (struct hf_slice){ r.p + n, r.n - n };
		if (hf_slice_starts(r, HF_SLICE(", ")))
			r = (struct hf_slice){ r.p + 2, r.n - 2 };
	}
	if (r.n == 0 && !strict)
		return;
	hf_buf_str(b, "Route: ");
	hf_buf_slice(b, r);
	if (strict) {
		hf_buf_str(b, r.n > 0 ? ", <" : "<");
		hf_buf_slice(b, target);
		hf_buf_char(b, '>');
	}
	hf_buf_str(b, "\r\n");
}

void
sip_dialog_put(struct hf_buf *b, struct sip_dialog *d, enum sip_method method,
    const char *branch, const struct hf_addr *here, unsigned max_forwards)
{
	struct hf_slice name = hf_slice_of(sip_method_name(method)), lr;
	struct hf_slice target = hf_slice_of(d->target);
	struct sip_uri hop;
	bool strict = false;

	if (target.n == 0)
		target = hf_slice_of(d->remote);
	if (d->routes[0] != '\0' && next_hop(d, &hop))
		strict = !sip_param(hop.params, HF_SLICE("lr"), &lr);
	sip_put_request_line(b, name, strict ? hop.whole : target);
	sip_put_via(b, d->flow.transport == SIP_TCP ? "TCP" : "UDP", here,
	    hf_slice_of(branch));
	sip_put_number(b, SIP_H_MAX_FORWARDS, max_forwards);
	put_routes(b, d, strict, target);
	sip_put_name_addr(b, SIP_H_FROM, HF_SLICE(""), hf_slice_of(d->local),
	    hf_slice_of(d->local_tag));
	sip_put_name_addr(b, SIP_H_TO, HF_SLICE(""), hf_slice_of(d->remote),
	    hf_slice_of(d->remote_tag));
	sip_put(b, SIP_H_CALL_ID, hf_slice_of(d->call_id));
	if (method == SIP_ACK) {
		sip_put_cseq(b, d->cseq_invite, name);
		return;
	}
	sip_put_cseq(b, ++d->cseq_local, name);
	if (method == SIP_INVITE)
		d->cseq_invite = d->cseq_local;
}
