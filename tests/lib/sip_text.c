#include "tests/lib/sip_text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
	char compact;
	const char *name;
} compact[] = {
	{ 'v', "Via" },
	{ 'f', "From" },
	{ 't', "To" },
	{ 'i', "Call-ID" },
	{ 'm', "Contact" },
	{ 'l', "Content-Length" },
	{ 'c', "Content-Type" },
	{ 'r', "Refer-To" },
	{ 'k', "Supported" },
	{ 'o', "Event" },
};

static void
copy(char *out, size_t cap, const char *p, size_t n)
{
	if (n >= cap)
		n = cap - 1;
	memcpy(out, p, n);
	out[n] = '\0';
}

/* Is this line the header `name`?  Then *value is behind the colon. */
static bool
line_is(const char *line, const char *name, const char **value)
{
	size_t n = strcspn(line, ":\r\n");
	size_t k = n;

	if (line[n] != ':')
		return false;
	while (k > 0 && (line[k - 1] == ' ' || line[k - 1] == '\t'))
		k--;
	bool same = k == strlen(name) && strncasecmp(line, name, k) == 0;
	for (size_t i = 0; k == 1 && i < sizeof compact / sizeof *compact; i++)
		if (compact[i].compact == (line[0] | 0x20) &&
		    strcasecmp(compact[i].name, name) == 0)
			same = true;
	*value = line + n + 1 + strspn(line + n + 1, " \t");
	return same;
}

bool
sip_text_get(
    const struct sip_text *m, const char *name, int nth, char *out, size_t cap)
{
	out[0] = '\0';
	for (const char *l = strstr(m->raw, "\r\n"); l != NULL;
	     l = strstr(l, "\r\n")) {
		const char *v;
		l += 2;
		if (l >= m->body || *l == '\r' || *l == '\0')
			return false;
		if (line_is(l, name, &v) && nth-- == 0) {
			copy(out, cap, v, strcspn(v, "\r\n"));
			return true;
		}
	}
	return false;
}

bool
sip_text_param(const char *value, const char *name, char *out, size_t cap)
{
	size_t n = strlen(name);
	const char *p = strchr(value, '>');

	out[0] = '\0';
	for (p = p != NULL ? p : value; (p = strchr(p, ';')) != NULL;) {
		p += 1 + strspn(p + 1, " \t");
		if (strncasecmp(p, name, n) != 0)
			continue;
		const char *v = p + n + strspn(p + n, " \t");
		if (*v == '=') {
			v += 1 + strspn(v + 1, " \t");
			if (*v == '"')
				copy(out, cap, v + 1, strcspn(v + 1, "\""));
			else
				copy(out, cap, v, strcspn(v, ";, \t\r\n"));
			return true;
		}
		if (strchr(";, \r\n", *v) != NULL)
			return true;
	}
	return false;
}

void
sip_text_uri(const char *value, char *out, size_t cap)
{
	const char *p = strchr(value, '<');

	if (p != NULL)
		copy(out, cap, p + 1, strcspn(p + 1, ">"));
	else
		copy(out, cap, value, strcspn(value, "; \t\r\n"));
}

bool
sip_text_host(const char *uri, char *host, size_t cap, int *port)
{
	const char *p = strncasecmp(uri, "sip:", 4) == 0 ? uri + 4 : uri;
	size_t n = strcspn(p, ";?>");
	const char *at = memchr(p, '@', n);

	if (at != NULL)
		p = at + 1;
	if (*p == '[') {
		n = strcspn(p, "]");
		copy(host, cap, p + 1, n - 1);
		p += n + 1;
	} else {
		n = strcspn(p, ":;?> \r\n");
		copy(host, cap, p, n);
		p += n;
	}
	*port = *p == ':' ? atoi(p + 1) : 5060;
	return host[0] != '\0';
}

bool
sip_text_read(struct sip_text *m, const char *p, size_t n)
{
	char v[SIP_WORD_MAX];

	memset(m, 0, offsetof(struct sip_text, len));
	if (n >= sizeof m->raw)
		return false;
	*m = (struct sip_text){ .len = (int)n };
	memcpy(m->raw, p, n);
	const char *end = strstr(m->raw, "\r\n\r\n");
	if (end == NULL)
		return false;
	m->body = end + 4;
	if (strncmp(m->raw, "SIP/2.0 ", 8) == 0) {
		m->status = atoi(m->raw + 8);
	} else {
		size_t k = strcspn(m->raw, " \r\n");
		copy(m->method, sizeof m->method, m->raw, k);
		if (m->raw[k] != ' ')
			return false;
		copy(m->uri, sizeof m->uri, m->raw + k + 1,
		    strcspn(m->raw + k + 1, " \r\n"));
	}
	sip_text_get(m, "Call-ID", 0, m->call_id, sizeof m->call_id);
	if (sip_text_get(m, "CSeq", 0, v, sizeof v)) {
		m->cseq = (uint32_t)strtoul(v, NULL, 10);
		size_t k = strcspn(v, " \t");
		k += strspn(v + k, " \t");
		if (m->status != 0)
			copy(m->method, sizeof m->method, v + k,
			    strcspn(v + k, " \t"));
	}
	if (sip_text_get(m, "Via", 0, v, sizeof v))
		sip_text_param(v, "branch", m->branch, sizeof m->branch);
	if (sip_text_get(m, "From", 0, v, sizeof v))
		sip_text_param(v, "tag", m->from_tag, sizeof m->from_tag);
	if (sip_text_get(m, "To", 0, v, sizeof v))
		sip_text_param(v, "tag", m->to_tag, sizeof m->to_tag);
	return m->call_id[0] != '\0';
}

int
sip_text_frame(const char *p, size_t n)
{
	const char *end = memmem(p, n, "\r\n\r\n", 4);
	const char *v;

	if (end == NULL)
		return n >= SIP_TEXT_MAX ? -1 : 0;
	for (const char *l = memchr(p, '\n', n); l != NULL && l < end;
	     l = memchr(l, '\n', (size_t)(end + 2 - l))) {
		l++;
		if (line_is(l, "Content-Length", &v)) {
			int whole = (int)(end + 4 - p) + atoi(v);
			return (size_t)whole > n ? 0 : whole;
		}
	}
	return -1;
}

/* ---- SDP -------------------------------------------------------------------
 */

static void
sdp_attribute(struct sdp_text *s, const char *l)
{
	static const char *const direction[] = { "sendrecv", "sendonly",
		"recvonly", "inactive" };
	int pt;
	char name[32];

	if (sscanf(l, "a=rtpmap:%d %31[^/]", &pt, name) == 2) {
		if (strcasecmp(name, "telephone-event") == 0)
			s->dtmf = pt;
		if (strcasecmp(name, "CN") == 0)
			s->cn = pt;
	}
	sscanf(l, "a=ptime:%d", &s->ptime);
	sscanf(l, "a=rtcp:%d", &s->rtcp);
	if (strncmp(l, "a=rtcp-mux", 10) == 0)
		s->mux = true;
	for (size_t i = 0; i < 4; i++)
		if (strncmp(l + 2, direction[i], strlen(direction[i])) == 0)
			snprintf(s->direction, sizeof s->direction, "%s",
			    direction[i]);
}

void
sdp_text_read(struct sdp_text *s, const char *body)
{
	*s = (struct sdp_text){ .ptime = 20, .direction = "sendrecv" };
	for (const char *l = body; l != NULL && *l != '\0';
	     l = strchr(l, '\n')) {
		l += *l == '\n';
		int at = 0;
		if (sscanf(l, "c=IN IP4 %63[0-9.]", s->ip) == 1 ||
		    sscanf(l, "c=IN IP6 %63[0-9a-fA-F:.]", s->ip) == 1)
			continue;
		if (sscanf(l, "m=audio %d RTP/AVP%n", &s->port, &at) == 1 &&
		    at > 0) {
			s->there = s->port != 0;
			s->payloads = 0;
			for (int pt, k; s->payloads < 8 &&
					sscanf(l + at, " %d%n", &pt, &k) == 1;
			     at += k) {
				s->payload[s->payloads++] = pt;
				if (l[at + k] == '\r' || l[at + k] == '\n')
					break;
			}
			for (int i = 0; i < s->payloads; i++)
				if (s->payload[i] == 13)
					s->cn = 13;
		}
		if (l[0] == 'a' && l[1] == '=')
			sdp_attribute(s, l);
	}
}

/* ---- digest -----------------------------------------------------------------
 */

static void
hash(const EVP_MD *md, const char *text, char *hex)
{
	unsigned char d[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	EVP_Digest(text, strlen(text), d, &n, md, NULL);
	for (unsigned i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", d[i]);
}

void
sip_text_digest(const char *challenge, const char *user, const char *secret,
    const char *method, const char *uri, char *out, size_t cap)
{
	char realm[128], nonce[256], opaque[128], algorithm[32], qop[32];
	char text[1024], a1[129], a2[129], answer[129];
	/* "Digest realm=..., nonce=...": commas as the ; that param wants. */
	char list[1024];
	bool quoted = false;

	snprintf(list, sizeof list, ";%s",
	    strncasecmp(challenge, "Digest ", 7) == 0 ? challenge + 7
						      : challenge);
	for (char *p = list; *p != '\0'; p++) {
		if (*p == '"')
			quoted = !quoted;
		if (*p == ',' && !quoted)
			*p = ';';
	}
	sip_text_param(list, "realm", realm, sizeof realm);
	sip_text_param(list, "nonce", nonce, sizeof nonce);
	sip_text_param(list, "algorithm", algorithm, sizeof algorithm);
	bool has_opaque = sip_text_param(list, "opaque", opaque, sizeof opaque);
	bool has_qop = sip_text_param(list, "qop", qop, sizeof qop);
	const EVP_MD *md =
	    strcasecmp(algorithm, "SHA-256") == 0 ? EVP_sha256() : EVP_md5();
	snprintf(text, sizeof text, "%s:%s:%s", user, realm, secret);
	hash(md, text, a1);
	snprintf(text, sizeof text, "%s:%s", method, uri);
	hash(md, text, a2);
	if (has_qop)
		snprintf(text, sizeof text, "%s:%s:00000001:c0ffee:auth:%s", a1,
		    nonce, a2);
	else
		snprintf(text, sizeof text, "%s:%s:%s", a1, nonce, a2);
	hash(md, text, answer);
	int n = snprintf(out, cap,
	    "Digest username=\"%s\", realm=\"%s\", nonce=\"%s\", uri=\"%s\", "
	    "response=\"%s\", algorithm=%s",
	    user, realm, nonce, uri, answer,
	    algorithm[0] != '\0' ? algorithm : "MD5");
	if (has_qop && n < (int)cap)
		n += snprintf(out + n, cap - (size_t)n,
		    ", qop=auth, nc=00000001, cnonce=\"c0ffee\"");
	if (has_opaque && n < (int)cap)
		snprintf(out + n, cap - (size_t)n, ", opaque=\"%s\"", opaque);
}
