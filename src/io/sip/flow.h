/*
 * io/sip/flow - the way a message came, and the way its answer goes back: a
 * plain value that may lie in a slot.  After a restart a connection handle in
 * it is stale; the transport then opens a new connection to the peer.
 */
#ifndef HF_IO_SIP_FLOW_H
#define HF_IO_SIP_FLOW_H

#include "base/addr.h"
#include "base/pool.h"
#include "io/sip/msg.h"

enum sip_transport_kind { SIP_UDP, SIP_TCP };

enum { SIP_PORT = 5060 }; /* RFC 3261 19.1.2: when a URI names none */

struct sip_flow {
	struct hf_addr peer;
	struct hf_ref conn; /* TCP; none: connect when something is sent */
	uint8_t transport;  /* enum sip_transport_kind */
	uint8_t socket;     /* UDP: which of our sockets */
	uint8_t pad[6];
};

/* Where the answer to a request with this top Via goes (RFC 3261 18.2.2, RFC
 * 3581): always to the host it came from. */
struct sip_flow sip_flow_back(
    const struct sip_via *via, const struct sip_flow *from);

#endif
