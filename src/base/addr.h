/*
 * base/addr - a network address as a plain value that can lie in a slot or a
 * message: no pointers, no padding, IPv4 and IPv6 alike.
 */
#ifndef HF_BASE_ADDR_H
#define HF_BASE_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/slice.h"

struct hf_addr {
	uint8_t ip[16];	 /* network order; IPv4 in the first four bytes */
	uint8_t family;	 /* 0 (none), 4 or 6 */
	uint8_t pad;	 /* zero */
	uint16_t port;	 /* host order */
	uint32_t scope;	 /* IPv6 interface index, else zero */
};

#define HF_ADDR_TEXT_MAX 64 /* "[ffff:...:255.255.255.255%4294967295]:65535" */

/* Numeric only: "192.0.2.1", "2001:db8::1", with or without brackets. */
bool hf_addr_parse_ip(struct hf_slice s, struct hf_addr *out);

/* With a port: "192.0.2.1:5060", "[2001:db8::1]:5060". */
bool hf_addr_parse(struct hf_slice s, struct hf_addr *out);

/* As SIP and SDP write it: put_ip without brackets, put_host with brackets
 * round IPv6, put with the port behind. */
void hf_addr_put_ip(struct hf_buf *b, const struct hf_addr *a);
void hf_addr_put_host(struct hf_buf *b, const struct hf_addr *a);
void hf_addr_put(struct hf_buf *b, const struct hf_addr *a);
/* The same as a C string, for log lines; to has HF_ADDR_TEXT_MAX bytes. */
const char *hf_addr_text(const struct hf_addr *a, char *to);

/* From and to the kernel.  A v4-mapped IPv6 address becomes IPv4; to_sockaddr
 * maps it again when the socket is AF_INET6.  False for other families. */
bool hf_addr_from_sockaddr(const struct sockaddr *sa, struct hf_addr *out);
socklen_t hf_addr_to_sockaddr(
    const struct hf_addr *a, int socket_family, struct sockaddr_storage *out);

bool hf_addr_eq(const struct hf_addr *a, const struct hf_addr *b);
bool hf_addr_same_host(const struct hf_addr *a, const struct hf_addr *b);
bool hf_addr_is_any(const struct hf_addr *a);

/* A network: an address and how many leading bits count. */
struct hf_net {
	struct hf_addr base;
	uint8_t bits;
	uint8_t pad[7];
};

/* "203.0.113.0/24", "2001:db8::/32", or a host without a length. */
bool hf_net_parse(struct hf_slice s, struct hf_net *out);
bool hf_net_has(const struct hf_net *n, const struct hf_addr *a);

#endif
