/*
 * Dialogs and transactions, as much as a phone needs.  A call keeps four
 * retransmissions: its newest INVITE and other request of either side.
 */
#include "tests/lib/ua.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
	T1_US = 500 * 1000,
	T2_US = 4000 * 1000,
	GIVE_UP_US = 64 * T1_US,
};

struct text {
	int n;
	char p[SIP_TEXT_MAX];
};

static void add(struct text *, const char *, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(struct text *t, const char *fmt, ...)
{
	va_list a;

	va_start(a, fmt);
	int k = vsnprintf(t->p + t->n, sizeof t->p - (size_t)t->n, fmt, a);
	va_end(a);
	if (k < 0 || t->n + k >= (int)sizeof t->p)
		abort();
	t->n += k;
}

/* ---- where to, and again
 * ----------------------------------------------------------- */

static const char *
transport_name(const struct ua_where *to)
{
	return to->conn != NULL ? "TCP" : "UDP";
}

static void
again_set(struct ua_again *a, struct ua_where to, const struct text *t,
    const char *method, const char *branch)
{
	free(a->raw);
	a->raw = malloc((size_t)t->n);
	if (a->raw == NULL)
		abort();
	memcpy(a->raw, t->p, (size_t)t->n);
	a->len = t->n;
	a->to = to;
	a->wait = T1_US;
	a->next = ua_now() + a->wait;
	a->until = ua_now() + GIVE_UP_US;
	a->live = true;
	snprintf(a->method, sizeof a->method, "%s", method);
	snprintf(a->branch, sizeof a->branch, "%s", branch);
}

/* In-dialog requests follow the route set, else the remote target. */
static void
peer_follow(struct ua_call *c)
{
	char host[64], first[SIP_WORD_MAX], text[80];
	int port;

	if (c->peer.conn != NULL || c->target[0] == '\0')
		return;
	sip_text_uri(
	    c->route[0] != '\0' ? c->route : c->target, first, sizeof first);
	if (!sip_text_host(first, host, sizeof host, &port))
		return;
	struct sockaddr_storage probe;
	if (inet_pton(AF_INET, host, &probe) != 1 &&
	    inet_pton(AF_INET6, host, &probe) != 1)
		return; /* a name: stay with the address it came from */
	snprintf(text, sizeof text,
	    strchr(host, ':') != NULL ? "[%s]:%d" : "%s:%d", host, port);
	c->peer.to = ua_where(text).to;
}

static void
contact_add(struct text *t, const struct ua_call *c)
{
	char host[80];
	const struct ua_manner *m = &c->manner;

	ua_host_text(
	    m->nat_ip[0] != '\0' ? m->nat_ip : c->ua->ip, host, sizeof host);
	add(t, "Contact: <sip:%s@%s:%d%s>\r\n", c->ua->user, host, c->ua->port,
	    c->ua->transport == UA_TCP ? ";transport=tcp" : "");
}

/* ---- requests
 * ---------------------------------------------------------------------- */

static void
request_send(struct ua_call *c, const char *method, const char *branch,
    uint32_t cseq, const char *extra, const char *body)
{
	struct text t = { 0 };
	struct ua *u = c->ua;
	char host[80];
	char mine[40];
	bool invite = strcmp(method, "INVITE") == 0;
	bool ack = strcmp(method, "ACK") == 0;
	const char *uri = c->request_uri;

	if (c->remote_tag[0] != '\0' && c->target[0] != '\0' &&
	    strcmp(method, "CANCEL") != 0)
		uri = c->target;
	if (branch == NULL) {
		snprintf(mine, sizeof mine, "z9hG4bK%08x%08x",
		    ua_random(u->world), ua_random(u->world));
		branch = mine;
	}
	ua_host_text(c->manner.nat_ip[0] != '\0' ? c->manner.nat_ip : u->ip,
	    host, sizeof host);
	add(&t, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s:%d;branch=%s;rport\r\n",
	    method, uri, transport_name(&c->peer), host, u->port, branch);
	if (extra == NULL || strstr(extra, "Max-Forwards:") == NULL)
		add(&t, "Max-Forwards: 70\r\n");
	add(&t, "From: %s;tag=%s\r\nTo: %s", c->local, c->local_tag, c->remote);
	if (c->remote_tag[0] != '\0' && strcmp(method, "CANCEL") != 0)
		add(&t, ";tag=%s", c->remote_tag);
	add(&t, "\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", c->call_id, cseq, method);
	if (c->route[0] != '\0' && c->remote_tag[0] != '\0')
		add(&t, "Route: %s\r\n", c->route);
	if (!ack && strcmp(method, "CANCEL") != 0 &&
	    strcmp(method, "REGISTER") != 0)
		contact_add(&t, c);
	if (c->auth[0] != '\0' && (invite || c->pseudo))
		add(&t, "%s\r\n", c->auth);
	if (invite)
		add(&t, "Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, "
			"REFER, NOTIFY\r\n");
	add(&t, "User-Agent: tests\r\n%s", extra != NULL ? extra : "");
	if (body != NULL && body[0] == 'v')
		add(&t, "Content-Type: application/sdp\r\n");
	add(&t, "Content-Length: %zu\r\n\r\n%s",
	    body != NULL ? strlen(body) : 0, body != NULL ? body : "");
	if (invite)
		again_set(&c->cli_inv, c->peer, &t, method, branch);
	else if (ack)
		again_set(&c->ack, c->peer, &t, method, branch);
	else
		again_set(&c->cli_non, c->peer, &t, method, branch);
	c->ack.live = false; /* repeated on demand only */
	if (!c->speechless)
		ua_send(u, &c->peer, t.p, t.n);
}

static struct ua_call *
out_new(struct ua *u, struct ua_where to, const char *user)
{
	struct ua_call *c = ua_call_new(u, NULL);
	char host[80], ip[64] = "";
	int port = ntohs(((struct sockaddr_in *)&to.to)->sin_port);

	if (to.to.ss_family == AF_INET6)
		inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&to.to)->sin6_addr,
		    ip, sizeof ip);
	else
		inet_ntop(AF_INET, &((struct sockaddr_in *)&to.to)->sin_addr,
		    ip, sizeof ip);
	ua_host_text(ip, host, sizeof host);
	c->peer = to;
	if (u->transport == UA_TCP && c->peer.conn == NULL)
		c->peer.conn = ua_connect(u, &to.to);
	const char *tcp = u->transport == UA_TCP ? ";transport=tcp" : "";
	snprintf(c->request_uri, sizeof c->request_uri, "sip:%s%s%s:%d%s", user,
	    user[0] != '\0' ? "@" : "", host, port, tcp);
	snprintf(c->remote, sizeof c->remote, "<%s>", c->request_uri);
	snprintf(c->local, sizeof c->local, "\"%s\" <sip:%s@%s:%d>", u->name,
	    u->user, host, port);
	return c;
}

static void
invite_send(struct ua_call *c)
{
	char sdp[1024];

	c->invite_cseq = ++c->cseq;
	ua_media_open(c);
	if (c->manner.late_offer && !c->answered) {
		request_send(c, "INVITE", NULL, c->cseq, c->manner.lines, NULL);
		return;
	}
	ua_media_sdp(c, false, sdp, sizeof sdp);
	request_send(c, "INVITE", NULL, c->cseq, c->manner.lines, sdp);
}

struct ua_call *
ua_invite(struct ua *u, struct ua_where to, const char *number)
{
	struct ua_call *c = out_new(u, to, number);

	invite_send(c);
	return c;
}

static void
register_send(struct ua_call *c)
{
	char extra[400], host[80];
	const struct ua *u = c->ua;

	ua_host_text(u->manner.nat_ip[0] != '\0' ? u->manner.nat_ip : u->ip,
	    host, sizeof host);
	snprintf(extra, sizeof extra,
	    "Contact: <sip:%s@%s:%d%s>;expires=%d\r\nExpires: %d\r\n", u->user,
	    host, u->port, u->transport == UA_TCP ? ";transport=tcp" : "",
	    c->code, c->code);
	request_send(c, "REGISTER", NULL, ++c->cseq, extra, NULL);
}

struct ua_call *
ua_register(struct ua *u, struct ua_where to, int expires)
{
	struct ua_call *c = out_new(u, to, "");

	c->pseudo = true;
	c->code = expires;
	snprintf(c->remote, sizeof c->remote, "%s", c->local);
	register_send(c);
	return c;
}

struct ua_call *
ua_options(struct ua *u, struct ua_where to)
{
	struct ua_call *c = out_new(u, to, "");

	c->pseudo = true;
	request_send(c, "OPTIONS", NULL, ++c->cseq, NULL, NULL);
	return c;
}

/* ---- responses
 * ---------------------------------------------------------------------- */

static const char *
reason_of(int code)
{
	switch (code) {
	case 100:
		return "Trying";
	case 180:
		return "Ringing";
	case 183:
		return "Session Progress";
	case 200:
		return "OK";
	case 202:
		return "Accepted";
	case 404:
		return "Not Found";
	case 480:
		return "Temporarily Unavailable";
	case 481:
		return "Call/Transaction Does Not Exist";
	case 486:
		return "Busy Here";
	case 487:
		return "Request Terminated";
	case 488:
		return "Not Acceptable Here";
	case 491:
		return "Request Pending";
	case 500:
		return "Server Internal Error";
	case 503:
		return "Service Unavailable";
	case 603:
		return "Decline";
	default:
		return "Because";
	}
}

/* A response to m; from is where m came from. */
static void
respond(struct ua *u, struct ua_call *c, const struct sip_text *m,
    struct ua_where from, int code, const char *body)
{
	struct text t = { 0 };
	char v[SIP_TEXT_MAX / 4];

	add(&t, "SIP/2.0 %d %s\r\n", code, reason_of(code));
	for (int i = 0; sip_text_get(m, "Via", i, v, sizeof v); i++)
		add(&t, "Via: %s\r\n", v);
	for (int i = 0; sip_text_get(m, "Record-Route", i, v, sizeof v); i++)
		add(&t, "Record-Route: %s\r\n", v);
	sip_text_get(m, "From", 0, v, sizeof v);
	add(&t, "From: %s\r\n", v);
	sip_text_get(m, "To", 0, v, sizeof v);
	add(&t, "To: %s", v);
	if (m->to_tag[0] == '\0' && code > 100)
		add(&t, ";tag=%s", c != NULL ? c->local_tag : "stray");
	add(&t, "\r\nCall-ID: %s\r\nCSeq: %u %s\r\n", m->call_id, m->cseq,
	    m->method);
	if (c != NULL && code > 100 && code < 300)
		contact_add(&t, c);
	if (body != NULL)
		add(&t, "Content-Type: application/sdp\r\n");
	add(&t, "User-Agent: tests\r\nContent-Length: %zu\r\n\r\n%s",
	    body != NULL ? strlen(body) : 0, body != NULL ? body : "");
	if (c != NULL) {
		struct ua_again *a = strcmp(m->method, "INVITE") == 0
					 ? &c->srv_inv
					 : &c->srv_non;
		again_set(a, from, &t, m->method, m->branch);
		a->live = a == &c->srv_inv && code >= 200;
	}
	if (c == NULL || !c->speechless)
		ua_send(u, &from, t.p, t.n);
}

static void
invite_respond(struct ua_call *c, int code, bool sdp)
{
	static struct sip_text m;
	char body[1024];
	bool answering;

	sip_text_read(&m, c->invite, strlen(c->invite));
	answering = m.body[0] != '\0';
	if (sdp) {
		ua_media_open(c);
		ua_media_sdp(c, answering, body, sizeof body);
	}
	c->code = code;
	respond(c->ua, c, &m, c->srv_inv.to, code, sdp ? body : NULL);
}

void
ua_answer(struct ua_call *c)
{
	if (c->answered || c->over || !c->incoming)
		return;
	c->answered = true;
	c->answer_at = c->ring_at = INT64_MAX;
	invite_respond(c, 200, true);
	if (c->manner.hang_up_ms >= 0)
		c->hang_up_at = ua_now() + c->manner.hang_up_ms * 1000LL;
}

void
ua_ring(struct ua_call *c, bool early)
{
	if (!c->answered && !c->over)
		invite_respond(c, early ? 183 : 180, early);
}

static void
call_end(struct ua_call *c)
{
	c->over = true;
	c->hang_up_at = c->answer_at = c->ring_at = INT64_MAX;
	ua_media_close(c);
}

void
ua_refuse(struct ua_call *c, int code)
{
	if (c->answered || c->over)
		return;
	invite_respond(c, code, false);
	call_end(c);
}

void
ua_hang_up(struct ua_call *c, const char *reason)
{
	char extra[SIP_WORD_MAX] = "";

	if (c->over)
		return;
	c->hang_up_at = INT64_MAX;
	if (reason != NULL)
		snprintf(extra, sizeof extra, "Reason: %s\r\n", reason);
	if (c->incoming && !c->answered) {
		ua_refuse(c, 603);
	} else if (c->answered) {
		request_send(c, "BYE", NULL, ++c->cseq, extra, NULL);
		call_end(c);
	} else if (c->code >= 100) {
		c->cancelling = true;
		request_send(c, "CANCEL", c->cli_inv.branch, c->invite_cseq,
		    extra, NULL);
	} else {
		/* RFC 3261 9.1: not before a provisional response. */
		c->cancelling = true;
	}
}

void
ua_reinvite(struct ua_call *c, const char *direction, bool move)
{
	char sdp[1024];

	if (c->over || !c->answered)
		return;
	if (move) {
		ua_media_close(c);
		ua_media_open(c);
	}
	snprintf(c->direction, sizeof c->direction, "%s", direction);
	c->invite_cseq = ++c->cseq;
	ua_media_sdp(c, false, sdp, sizeof sdp);
	request_send(c, "INVITE", NULL, c->cseq, NULL, sdp);
}

void
ua_refer(struct ua_call *c, const char *number)
{
	char extra[SIP_WORD_MAX], ip[64], host[80], own[80];
	int port = 5060;

	if (c->over || !c->answered)
		return;
	sip_text_host(c->target, ip, sizeof ip, &port);
	ua_host_text(ip, host, sizeof host);
	ua_host_text(c->ua->ip, own, sizeof own);
	snprintf(extra, sizeof extra,
	    "Refer-To: <sip:%s@%s:%d>\r\nReferred-By: <sip:%s@%s>\r\n", number,
	    host, port, c->ua->user, own);
	request_send(c, "REFER", NULL, ++c->cseq, extra, NULL);
}

void
ua_inform(struct ua_call *c, const char *type, const char *body)
{
	char extra[SIP_WORD_MAX];

	if (c->over || !c->answered)
		return;
	snprintf(extra, sizeof extra, "Content-Type: %s\r\n", type);
	request_send(c, "INFO", NULL, ++c->cseq, extra, body);
}

/* ---- what comes: responses
 * --------------------------------------------------------------- */

static void
dialog_learn(struct ua_call *c, const struct sip_text *m, bool reverse)
{
	char v[SIP_WORD_MAX], all[1024] = "";
	int n = 0;

	if (sip_text_get(m, "Contact", 0, v, sizeof v))
		sip_text_uri(v, c->target, sizeof c->target);
	if (c->confirmed || c->answered)
		return;
	while (sip_text_get(m, "Record-Route", n, v, sizeof v))
		n++;
	for (int i = 0; i < n; i++) {
		sip_text_get(
		    m, "Record-Route", reverse ? n - 1 - i : i, v, sizeof v);
		size_t k = strlen(all);
		snprintf(all + k, sizeof all - k, "%s%s", i > 0 ? ", " : "", v);
	}
	snprintf(c->route, sizeof c->route, "%s", all);
}

static bool
authorize(struct ua_call *c, const struct sip_text *m)
{
	char challenge[1024], value[900];
	bool proxy = m->status == 407;

	if (c->ua->secret[0] == '\0' || (m->status != 401 && !proxy) ||
	    !sip_text_get(m, proxy ? "Proxy-Authenticate" : "WWW-Authenticate",
		0, challenge, sizeof challenge))
		return false;
	/* Asked again: only its nonce was too old (RFC 7616 3.3), or the
	 * password is wrong. */
	if (c->auth[0] != '\0' && strcasestr(challenge, "stale=true") == NULL)
		return false;
	sip_text_digest(challenge, c->ua->user, c->ua->secret, m->method,
	    c->request_uri, value, sizeof value);
	snprintf(c->auth, sizeof c->auth, "%sAuthorization: %s",
	    proxy ? "Proxy-" : "", value);
	return true;
}

/* A final answer to our first INVITE, or to a re-INVITE. */
static void
invite_finished(struct ua_call *c, const struct sip_text *m)
{
	char sdp[1024];
	bool again = c->answered;

	c->cli_inv.live = false;
	if (m->status >= 300) {
		/* RFC 3261 17.1.1.3: this ACK is part of the transaction. */
		char tag[96];
		memcpy(tag, c->remote_tag, sizeof tag);
		snprintf(c->remote_tag, sizeof c->remote_tag, "%s", m->to_tag);
		char target[SIP_WORD_MAX];
		memcpy(target, c->target, sizeof target);
		if (!again)
			c->target[0] = '\0';
		request_send(c, "ACK", c->cli_inv.branch, m->cseq, NULL, NULL);
		memcpy(c->remote_tag, tag, sizeof tag);
		memcpy(c->target, target, sizeof target);
		if (again) {
			ua_note(c, UA_REANSWERED, m->status, NULL);
		} else if (authorize(c, m)) {
			c->remote_tag[0] = '\0';
			invite_send(c);
		} else {
			call_end(c);
			ua_note(c, UA_REFUSED, m->status, NULL);
		}
		return;
	}
	snprintf(c->remote_tag, sizeof c->remote_tag, "%s", m->to_tag);
	dialog_learn(c, m, true);
	peer_follow(c);
	ua_media_agree(c, m->body);
	bool late = !again && c->manner.late_offer && m->body[0] != '\0';
	if (late)
		ua_media_sdp(c, true, sdp, sizeof sdp);
	request_send(c, "ACK", NULL, m->cseq, NULL, late ? sdp : NULL);
	c->answered = c->confirmed = true;
	ua_note(c, again ? UA_REANSWERED : UA_ANSWERED, m->status, NULL);
	if (!again && c->manner.hang_up_ms >= 0)
		c->hang_up_at = ua_now() + c->manner.hang_up_ms * 1000LL;
	if (!again && c->cancelling)
		ua_hang_up(c, NULL); /* too late for CANCEL */
}

static void
invite_response(struct ua_call *c, const struct sip_text *m)
{
	if (strcmp(m->branch, c->cli_inv.branch) != 0)
		return;
	if (!c->cli_inv.live) {
		if (m->status >= 200 && c->ack.raw != NULL)
			ua_send(c->ua, &c->ack.to, c->ack.raw, c->ack.len);
		return;
	}
	c->code = c->answered ? c->code : m->status;
	if (m->status >= 200) {
		invite_finished(c, m);
		return;
	}
	c->cli_inv.next = INT64_MAX; /* RFC 3261 17.1.1.2: proceeding */
	c->cli_inv.until = INT64_MAX;
	if (c->answered)
		return;
	ua_note(c, m->status == 100 ? UA_TRIED : UA_RANG, m->status, NULL);
	if (m->to_tag[0] != '\0' && m->body[0] != '\0') {
		dialog_learn(c, m, true);
		ua_media_agree(c, m->body);
	}
	if (c->cancelling)
		ua_hang_up(c, NULL);
}

static void
response_got(struct ua_call *c, const struct sip_text *m)
{
	if (strcmp(m->method, "INVITE") == 0) {
		invite_response(c, m);
		return;
	}
	if (strcmp(m->branch, c->cli_non.branch) != 0 || !c->cli_non.live ||
	    strcmp(m->method, c->cli_non.method) != 0 || m->status < 200)
		return;
	c->cli_non.live = false;
	if (strcmp(m->method, "REGISTER") == 0) {
		if (authorize(c, m))
			register_send(c);
		else
			ua_note(c, UA_REGISTERED, m->status, NULL);
	} else if (strcmp(m->method, "OPTIONS") == 0) {
		ua_note(c, UA_OPTIONED, m->status, NULL);
	} else if (strcmp(m->method, "REFER") == 0) {
		ua_note(c, UA_REFERRED, m->status, NULL);
	} else if (strcmp(m->method, "BYE") == 0 ||
		   strcmp(m->method, "CANCEL") == 0) {
		ua_note(c, UA_LEFT, m->status, NULL);
	}
}

/* ---- what comes: requests
 * ------------------------------------------------------------------- */

/* Calls that are not over. */
static int
live_calls(const struct ua *u)
{
	int n = 0;

	for (const struct ua_call *c = u->calls; c != NULL; c = c->next)
		n += !c->over && !c->pseudo;
	return n;
}

static void
invite_first(
    struct ua *u, const struct ua_where *from, const struct sip_text *m)
{
	struct ua_call *c = ua_call_new(u, m->call_id);
	const struct ua_manner *w = &c->manner;
	int64_t now = ua_now();
	char v[SIP_WORD_MAX];

	c->incoming = true;
	c->peer = c->srv_inv.to = *from;
	c->invite = strdup(m->raw);
	snprintf(c->srv_inv.branch, sizeof c->srv_inv.branch, "%s", m->branch);
	snprintf(c->remote_tag, sizeof c->remote_tag, "%s", m->from_tag);
	sip_text_get(m, "From", 0, v, sizeof v);
	v[strcspn(v, ">")] = '\0';
	snprintf(c->remote, sizeof c->remote, "%s>", v);
	sip_text_get(m, "To", 0, v, sizeof v);
	v[strcspn(v, ">")] = '\0';
	snprintf(c->local, sizeof c->local, "%s>", v);
	dialog_learn(c, m, false);
	peer_follow(c);
	snprintf(c->request_uri, sizeof c->request_uri, "%s", c->target);
	ua_media_agree(c, m->body);
	ua_note(c, UA_CALLED, 0, m->uri);
	if (c->over)
		return;
	if (!w->no_100)
		respond(u, c, m, *from, 100, NULL);
	if (w->channels != 0 && live_calls(u) > w->channels) {
		ua_refuse(c, 503);
		return;
	}
	if (w->refuse != 0) {
		ua_refuse(c, w->refuse);
		return;
	}
	if (w->ring_ms >= 0)
		c->ring_at = now + w->ring_ms * 1000LL;
	if (w->answer_ms >= 0)
		c->answer_at = now + w->answer_ms * 1000LL;
}

static void
invite_again(
    struct ua_call *c, const struct ua_where *from, const struct sip_text *m)
{
	struct sdp_text s;

	sdp_text_read(&s, m->body);
	if (c->cli_inv.live) { /* glare, RFC 3261 14.2 */
		respond(c->ua, c, m, *from, 491, NULL);
		return;
	}
	free(c->invite);
	c->invite = strdup(m->raw);
	c->srv_inv.to = *from;
	dialog_learn(c, m, false);
	ua_media_agree(c, m->body);
	ua_note(c, UA_REINVITED, 0, s.direction);
	invite_respond(c, 200, true);
}

static void
request_in_call(
    struct ua_call *c, const struct ua_where *from, const struct sip_text *m)
{
	char v[SIP_WORD_MAX];

	if (strcmp(m->method, "ACK") == 0) {
		bool first = c->srv_inv.live && !c->confirmed && c->answered;
		c->srv_inv.live = false;
		if (m->body[0] == 'v')
			ua_media_agree(c, m->body);
		if (first) {
			c->confirmed = true;
			ua_note(c, UA_CONFIRMED, 0, NULL);
		}
		return;
	}
	if (strcmp(m->method, "CANCEL") == 0) {
		respond(c->ua, c, m, *from, 200, NULL);
		if (c->answered || c->over)
			return;
		sip_text_get(m, "Reason", 0, v, sizeof v);
		invite_respond(c, 487, false);
		call_end(c);
		ua_note(c, UA_CANCELLED, 0, v);
		return;
	}
	if (c->over && strcmp(m->method, "NOTIFY") != 0) {
		respond(c->ua, c, m, *from,
		    strcmp(m->method, "BYE") == 0 ? 200 : 481, NULL);
		return;
	}
	if (strcmp(m->method, "INVITE") == 0) {
		invite_again(c, from, m);
		return;
	}
	respond(c->ua, c, m, *from, 200, NULL);
	if (strcmp(m->method, "BYE") == 0) {
		sip_text_get(m, "Reason", 0, v, sizeof v);
		call_end(c);
		ua_note(c, UA_BYE, 0, v);
	} else if (strcmp(m->method, "INFO") == 0) {
		sip_text_get(m, "Content-Type", 0, v, sizeof v);
		ua_note(c, UA_INFORMED, 0, v);
	} else if (strcmp(m->method, "NOTIFY") == 0) {
		ua_note(c, UA_NOTIFIED, 0, m->body);
	}
}

static bool
request_repeated(struct ua_call *c, const struct sip_text *m)
{
	struct ua_again *a =
	    strcmp(m->method, "INVITE") == 0 ? &c->srv_inv : &c->srv_non;

	if (strcmp(m->method, "ACK") == 0 ||
	    strcmp(a->branch, m->branch) != 0 ||
	    (a->raw != NULL && strcmp(a->method, m->method) != 0))
		return false;
	/* Nothing was said to the INVITE yet: nothing is said again. */
	if (a->raw != NULL && !c->speechless)
		ua_send(c->ua, &a->to, a->raw, a->len);
	return true;
}

void
ua_got(struct ua *u, const struct ua_where *from, const char *p, int n)
{
	static struct sip_text m;

	if (!sip_text_read(&m, p, (size_t)n))
		return;
	struct ua_call *c = ua_find(u, m.call_id);
	if (m.status != 0) {
		if (c != NULL)
			response_got(c, &m);
		return;
	}
	if (c != NULL && request_repeated(c, &m))
		return;
	if (c != NULL)
		request_in_call(c, from, &m);
	else if (strcmp(m.method, "INVITE") == 0 && m.to_tag[0] == '\0')
		invite_first(u, from, &m);
	else if (strcmp(m.method, "OPTIONS") == 0) {
		u->options++;
		respond(u, NULL, &m, *from, 200, NULL);
	} else if (strcmp(m.method, "ACK") != 0)
		respond(u, NULL, &m, *from, 481, NULL);
}

/* ---- time
 * ----------------------------------------------------------------------------------------
 */

/* False when it was given up just now. */
static bool
again_turn(struct ua_call *c, struct ua_again *a, int64_t now)
{
	if (!a->live || now < a->next)
		return true;
	if (now >= a->until) {
		a->live = false;
		return false;
	}
	if ((a->to.conn == NULL || a == &c->srv_inv) && !c->speechless)
		ua_send(c->ua, &a->to, a->raw, a->len);
	a->wait = 2 * a->wait < T2_US || a == &c->cli_inv ? 2 * a->wait : T2_US;
	a->next = now + a->wait;
	return true;
}

void
ua_sip_turn(struct ua_world *w, int64_t now)
{
	for (struct ua *u = ua_first(w); u != NULL; u = u->next)
		for (struct ua_call *c = u->calls; c != NULL; c = c->next) {
			if (!again_turn(c, &c->cli_inv, now) && !c->answered) {
				call_end(c);
				ua_note(c, UA_REFUSED, 0, "nobody answered");
			}
			again_turn(c, &c->cli_non, now);
			again_turn(c, &c->srv_inv, now);
			if (c->over || u->dead || c->speechless)
				continue;
			if (now >= c->ring_at) {
				c->ring_at = INT64_MAX;
				ua_ring(c, c->manner.early);
			}
			if (now >= c->answer_at)
				ua_answer(c);
			if (now >= c->hang_up_at)
				ua_hang_up(
				    c, c->manner.hang_up_reason[0] != '\0'
					   ? c->manner.hang_up_reason
					   : NULL);
		}
}
