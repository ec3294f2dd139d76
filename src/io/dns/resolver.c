/* io/dns/resolver - asks for the addresses of a host: see resolver.h */

#include <ares.h>
#include <string.h>
#include <sys/time.h>

#include "io/dns/resolver.h"

enum {
	/* To each server twice, the second time twice as long. */
	ASK_MS = 1500,
	TRIES = 2,
	SERVERS_MAX = 8,
};

/* ---- answers ------------------------------------------------------------- */

/* An address that nobody can be called at is a mistake or a trick. */
static bool
is_callable(const struct hf_addr *a)
{
	bool multicast = a->family == 4 ? a->ip[0] >= 224 : a->ip[0] == 0xff;

	return !hf_addr_is_any(a) && !multicast;
}

static void
take_ttl(struct dns_answer *to, int seconds)
{
	struct hf_span s = hf_ms((seconds < 0 ? 0 : (int64_t)seconds) * 1000);

	if (s.us < to->ttl.us)
		to->ttl = s;
}

static void
take(struct dns_answer *to, const struct ares_addrinfo *from)
{
	to->ttl = hf_ms(DNS_EVERY_MAX_MS);
	for (const struct ares_addrinfo_cname *c = from->cnames; c != NULL;
	     c = c->next)
		take_ttl(to, c->ttl);
	for (const struct ares_addrinfo_node *n = from->nodes; n != NULL;
	     n = n->ai_next) {
		struct hf_addr *a = &to->at[to->ats];

		if (to->ats == DNS_ADDRS_MAX)
			break;
		if (!hf_addr_from_sockaddr(n->ai_addr, a) || !is_callable(a))
			continue;
		a->port = 0;
		take_ttl(to, n->ai_ttl);
		to->ats++;
	}
	if (to->ats == 0)
		to->why = "no address that can be called";
}

static void
on_answer(void *arg, int status, int timeouts, struct ares_addrinfo *res)
{
	struct dns_answer a = { .why = NULL };
	struct dns_ask *q = arg;

	(void)timeouts;
	q->busy = false;
	if (status == ARES_EDESTRUCTION)
		a.unasked = true;
	else if (status != ARES_SUCCESS || res == NULL)
		a.why = ares_strerror(status);
	else
		take(&a, res);
	if (res != NULL)
		ares_freeaddrinfo(res);
	q->of->hooks->answered(q->of->arg, q->n, &a);
}

/* ---- open and close ------------------------------------------------------ */

static void
on_state(void *arg, ares_socket_t fd, int readable, int writable)
{
	struct dns_resolver *r = arg;

	r->hooks->watch(r->arg, fd, readable != 0, writable != 0);
}

static int
set_servers(
    struct dns_resolver *r, const struct hf_addr *servers, unsigned count)
{
	struct ares_addr_port_node node[SERVERS_MAX];

	memset(node, 0, sizeof(node));
	for (unsigned i = 0; i < count; i++) {
		bool v6 = servers[i].family == 6;

		node[i].family = v6 ? AF_INET6 : AF_INET;
		memcpy(&node[i].addr, servers[i].ip, v6 ? 16 : 4);
		node[i].udp_port = node[i].tcp_port = servers[i].port;
		node[i].next = i + 1 < count ? &node[i + 1] : NULL;
	}
	return ares_set_servers_ports(r->channel, node);
}

bool
dns_open(struct dns_resolver *r, const struct hf_addr *servers, unsigned count,
    const struct dns_hooks *hooks, void *arg, const char **why)
{
	char lookups[] = "fb"; /* files before the DNS */
	struct ares_options o = {
		.flags = ARES_FLAG_NOALIASES,
		.timeout = ASK_MS,
		.tries = TRIES,
		.lookups = lookups,
		.sock_state_cb = on_state,
		.sock_state_cb_data = r,
	};
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	hf_assert(count <= SERVERS_MAX);
	*r = (struct dns_resolver){ .hooks = hooks, .arg = arg };
	/* No domains given is none, not the system's. */
	if (status == ARES_SUCCESS)
		status = ares_init_options(&r->channel, &o,
		    ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
			ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS |
			ARES_OPT_SOCK_STATE_CB);
	if (status == ARES_SUCCESS && count > 0)
		status = set_servers(r, servers, count);
	if (status == ARES_SUCCESS)
		return true;
	*why = ares_strerror(status);
	dns_close(r);
	return false;
}

void
dns_close(struct dns_resolver *r)
{
	if (r->channel != NULL)
		ares_destroy(r->channel);
	r->channel = NULL;
}

/* ---- asking -------------------------------------------------------------- */

void
dns_ask(struct dns_resolver *r, uint32_t n, const char *host)
{
	const struct ares_addrinfo_hints hints = { .ai_family = AF_UNSPEC };
	const struct dns_answer closed = { .why = "no resolver" };
	struct dns_ask *q = r->ask;

	if (r->channel == NULL) {
		r->hooks->answered(r->arg, n, &closed);
		return;
	}
	while (q < r->ask + DNS_AT_ONCE && q->busy)
		q++;
	hf_assert(q < r->ask + DNS_AT_ONCE);
	*q = (struct dns_ask){ r, n, true };
	ares_getaddrinfo(r->channel, host, NULL, &hints, on_answer, q);
}

void
dns_ready(struct dns_resolver *r, int fd, bool readable, bool writable)
{
	if (r->channel != NULL)
		ares_process_fd(r->channel, readable ? fd : ARES_SOCKET_BAD,
		    writable ? fd : ARES_SOCKET_BAD);
}

void
dns_tick(struct dns_resolver *r)
{
	if (r->channel != NULL)
		ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

bool
dns_wait(const struct dns_resolver *r, struct hf_span *wait)
{
	struct timeval room, *tv = NULL;

	if (r->channel != NULL)
		tv = ares_timeout(r->channel, NULL, &room);
	if (tv == NULL)
		return false;
	wait->us = (int64_t)tv->tv_sec * 1000000 + tv->tv_usec;
	return true;
}
