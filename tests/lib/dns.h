/*
 * tests/lib/dns - a name server of the test's own, on loopback, in a thread of
 * the test: it answers for each name alike.  Written from RFC 1035; nothing of
 * src/io is in it.
 */
#ifndef TESTS_LIB_DNS_H
#define TESTS_LIB_DNS_H

#include <stdbool.h>
#include <stdint.h>

struct dns_server;

enum dns_manner {
	DNS_ANSWERS,
	DNS_NXDOMAIN,
	DNS_SERVFAIL,
	DNS_SILENT,
	DNS_GARBAGE, /* random bytes behind the right number */
	DNS_CUT,     /* a good answer that ends too soon */
	DNS_LOOPS,   /* a name that points to itself */
	DNS_LIES,    /* a record that claims more bytes than there are */
	DNS_NOWHERE, /* 0.0.0.0 and 255.255.255.255 */
};

/* On 127.0.0.1 and a free port; dies when there is none. */
struct dns_server *dns_server_new(void);
uint16_t dns_server_port(const struct dns_server *);
void dns_server_free(struct dns_server *);

/* ips: "127.0.0.2 127.0.0.3", A and AAAA records in this order, with this TTL.
 */
void dns_server_says(
    struct dns_server *, enum dns_manner, const char *ips, uint32_t ttl_s);
/* Its socket closes, so that who asks meets ICMP; or opens again. */
void dns_server_dies(struct dns_server *);
void dns_server_lives(struct dns_server *);
/* Questions that came so far, for A. */
uint32_t dns_server_asked(const struct dns_server *);

#endif
