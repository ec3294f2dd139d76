/* base/addr - see addr.h */

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

/* One address has one value: ::ffff:192.0.2.1 is 192.0.2.1. */
static void
set_ip6(struct hf_addr *a, const uint8_t ip[16])
{
	if (memcmp(ip, mapped, sizeof(mapped)) == 0) {
		a->family = 4;
		memcpy(a->ip, ip + sizeof(mapped), 4);
	} else {
		a->family = 6;
		memcpy(a->ip, ip, 16);
	}
}

static bool
parse_ip6(struct hf_slice s, struct hf_addr *a)
{
	char text[INET6_ADDRSTRLEN];
	uint8_t ip[16];
	uint64_t scope = 0;
	size_t at = hf_slice_find(s, '%');

	if (at < s.n &&
	    !hf_slice_number((struct hf_slice){ s.p + at + 1, s.n - at - 1 },
		UINT32_MAX, &scope))
		return false;
	s.n = at;
	if (!hf_slice_copy(s, text, sizeof(text)) ||
	    inet_pton(AF_INET6, text, ip) != 1)
		return false;
	set_ip6(a, ip);
	if (a->family == 6)
		a->scope = (uint32_t)scope;
	return true;
}

bool
hf_addr_parse_ip(struct hf_slice s, struct hf_addr *out)
{
	struct hf_addr a = { .family = 4 };
	char text[INET_ADDRSTRLEN];

	if (s.n >= 2 && s.p[0] == '[' && s.p[s.n - 1] == ']') {
		s.p++;
		s.n -= 2;
		if (!parse_ip6(s, &a))
			return false;
	} else if (hf_slice_find(s, ':') < s.n) {
		if (!parse_ip6(s, &a))
			return false;
	} else if (!hf_slice_copy(s, text, sizeof(text)) ||
		   inet_pton(AF_INET, text, a.ip) != 1) {
		return false;
	}
	*out = a;
	return true;
}

bool
hf_addr_parse(struct hf_slice s, struct hf_addr *out)
{
	struct hf_addr a;
	uint64_t port;
	size_t colon = s.n;

	while (colon > 0 && s.p[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return false;
	struct hf_slice host = { s.p, colon - 1 };
	struct hf_slice digits = { s.p + colon, s.n - colon };

	/* Without brackets the last group of an IPv6 address would be taken
	 * for a port. */
	if (host.n == 0 ||
	    (host.p[0] != '[' && hf_slice_find(host, ':') < host.n))
		return false;
	if (!hf_slice_number(digits, UINT16_MAX, &port) ||
	    !hf_addr_parse_ip(host, &a))
		return false;
	a.port = (uint16_t)port;
	*out = a;
	return true;
}

static void
put_ip4(struct hf_buf *b, const uint8_t ip[4])
{
	char text[INET_ADDRSTRLEN];
	struct hf_buf t = hf_buf_on(text, sizeof(text));

	for (int i = 0; i < 4; i++) {
		if (i > 0)
			hf_buf_char(&t, '.');
		hf_buf_u64(&t, ip[i]);
	}
	hf_buf_slice(b, hf_buf_taken(&t));
}

void
hf_addr_put_ip(struct hf_buf *b, const struct hf_addr *a)
{
	char text[INET6_ADDRSTRLEN];

	if (a->family == 4) {
		put_ip4(b, a->ip);
	} else if (a->family == 6 &&
		   inet_ntop(AF_INET6, a->ip, text, sizeof(text)) != NULL) {
		hf_buf_str(b, text);
	}
}

void
hf_addr_put_host(struct hf_buf *b, const struct hf_addr *a)
{
	if (a->family == 6)
		hf_buf_char(b, '[');
	hf_addr_put_ip(b, a);
	if (a->family == 6)
		hf_buf_char(b, ']');
}

void
hf_addr_put(struct hf_buf *b, const struct hf_addr *a)
{
	hf_addr_put_host(b, a);
	hf_buf_char(b, ':');
	hf_buf_u64(b, a->port);
}

const char *
hf_addr_text(const struct hf_addr *a, char *to)
{
	struct hf_buf b = hf_buf_on(to, HF_ADDR_TEXT_MAX - 1);

	if (a->family == 0) {
		hf_buf_str(&b, "none");
	} else if (a->scope != 0) {
		/* The scope means something on this machine only: in logs,
		 * never on the wire (RFC 4007 section 6). */
		hf_buf_char(&b, '[');
		hf_addr_put_ip(&b, a);
		hf_buf_fmt(&b, "%%%u]:%u", a->scope, a->port);
	} else {
		hf_addr_put(&b, a);
	}
	to[b.n] = '\0';
	return to;
}

bool
hf_addr_from_sockaddr(const struct sockaddr *sa, struct hf_addr *out)
{
	struct hf_addr a = { 0 };

	if (sa->sa_family == AF_INET) {
		struct sockaddr_in in;
		memcpy(&in, sa, sizeof(in));
		a.family = 4;
		memcpy(a.ip, &in.sin_addr, 4);
		a.port = ntohs(in.sin_port);
	} else if (sa->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;
		memcpy(&in6, sa, sizeof(in6));
		set_ip6(&a, in6.sin6_addr.s6_addr);
		a.port = ntohs(in6.sin6_port);
		if (a.family == 6)
			a.scope = in6.sin6_scope_id;
	} else {
		return false;
	}
	*out = a;
	return true;
}

socklen_t
hf_addr_to_sockaddr(
    const struct hf_addr *a, int socket_family, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (a->family == 4 && socket_family == AF_INET) {
		struct sockaddr_in in = { .sin_family = AF_INET,
			.sin_port = htons(a->port) };
		memcpy(&in.sin_addr, a->ip, 4);
		memcpy(out, &in, sizeof(in));
		return sizeof(in);
	}
	if (socket_family != AF_INET6 || (a->family != 4 && a->family != 6))
		return 0;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(a->port),
		.sin6_scope_id = a->scope };
	if (a->family == 6) {
		memcpy(&in6.sin6_addr, a->ip, 16);
	} else {
		/* The dual-stack socket knows IPv4's "any" as "::". */
		if (!hf_addr_is_any(a)) {
			memcpy(in6.sin6_addr.s6_addr, mapped, sizeof(mapped));
			memcpy(
			    in6.sin6_addr.s6_addr + sizeof(mapped), a->ip, 4);
		}
	}
	memcpy(out, &in6, sizeof(in6));
	return sizeof(in6);
}

bool
hf_addr_same_host(const struct hf_addr *a, const struct hf_addr *b)
{
	return a->family == b->family && a->scope == b->scope &&
	       memcmp(a->ip, b->ip, sizeof(a->ip)) == 0;
}

bool
hf_addr_eq(const struct hf_addr *a, const struct hf_addr *b)
{
	return a->port == b->port && hf_addr_same_host(a, b);
}

bool
hf_addr_is_any(const struct hf_addr *a)
{
	static const uint8_t any[16];

	return a->family != 0 && memcmp(a->ip, any, sizeof(any)) == 0;
}

bool
hf_net_parse(struct hf_slice s, struct hf_net *out)
{
	struct hf_net n = { 0 };
	size_t slash = hf_slice_find(s, '/');
	uint64_t bits;

	if (!hf_addr_parse_ip((struct hf_slice){ s.p, slash }, &n.base))
		return false;
	bits = n.base.family == 4 ? 32 : 128;
	if (slash < s.n && !hf_slice_number((struct hf_slice){ s.p + slash + 1,
						s.n - slash - 1 },
			       bits, &bits))
		return false;
	n.bits = (uint8_t)bits;
	*out = n;
	return true;
}

bool
hf_net_has(const struct hf_net *n, const struct hf_addr *a)
{
	uint8_t whole = n->bits / 8, rest = n->bits % 8;

	if (n->base.family != a->family || a->family == 0)
		return false;
	if (memcmp(n->base.ip, a->ip, whole) != 0)
		return false;
	return rest == 0 ||
	       (n->base.ip[whole] ^ a->ip[whole]) >> (8 - rest) == 0;
}
