/*
 * io/dns/resolver - asks for the addresses of a host: first /etc/hosts, then
 * the DNS, A and AAAA together (c-ares).  It never waits: its sockets and its
 * timeouts are the loop's, and the answer comes through a hook.
 *
 * Names are whole: the search list of resolv.conf(5) is not tried, because it
 * asks strangers about our helpers.
 */
#ifndef HF_IO_DNS_RESOLVER_H
#define HF_IO_DNS_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "io/dns/names.h"

struct dns_hooks {
	/* Wait for this, or (both false) no longer: the socket is closed
	 * next. */
	void (*watch)(void *arg, int fd, bool readable, bool writable);
	/* Once a question; perhaps already from within dns_ask(). */
	void (*answered)(void *arg, uint32_t n, const struct dns_answer *a);
};

struct dns_ask {
	struct dns_resolver *of;
	uint32_t n;
	bool busy;
};

struct dns_resolver {
	struct ares_channeldata *channel; /* NULL: closed */
	const struct dns_hooks *hooks;
	void *arg;
	struct dns_ask ask[DNS_AT_ONCE];
};

/* servers: with their ports; none: those of the system, as they are now.
 * False, with the reason, when it cannot be opened. */
bool dns_open(struct dns_resolver *r, const struct hf_addr *servers,
    unsigned count, const struct dns_hooks *hooks, void *arg,
    const char **why) HF_CHECK;

/* Answers what is on its way (unasked), closes the sockets.  Not from within a
 * hook. */
void dns_close(struct dns_resolver *r);

/* n is the caller's, for the answer.  At most DNS_AT_ONCE at a time. */
void dns_ask(struct dns_resolver *r, uint32_t n, const char *host);

/* Its socket has something to say. */
void dns_ready(struct dns_resolver *r, int fd, bool readable, bool writable);

/* Time has passed: repeats and gives up what is due. */
void dns_tick(struct dns_resolver *r);
/* How long until it is to be called; false: nothing is on its way. */
bool dns_wait(const struct dns_resolver *r, struct hf_span *wait);

#endif
