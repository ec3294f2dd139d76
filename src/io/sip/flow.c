/* io/sip/flow - see flow.h */

#include "io/sip/flow.h"

struct sip_flow
sip_flow_back(const struct sip_via *via, const struct sip_flow *from)
{
	struct sip_flow f = *from;
	struct hf_addr by;
	uint16_t port = via->port != 0 ? via->port : SIP_PORT;
	bool natted;

	if (from->transport != SIP_UDP) {
		/* The connection itself; when it is gone, one to sent-by. */
		f.peer.port = port;
		return f;
	}
	/* RFC 3581 by request; and uncalled for where the sent-by address is
	 * not the one it came from: its port then means nothing to us. */
	natted = hf_addr_parse_ip(via->host, &by) &&
		 !hf_addr_same_host(&by, &from->peer);
	if (!via->has_rport && !natted)
		f.peer.port = port;
	return f;
}
