/*
 * ctl/pcap - a classic pcap file of raw IP packets (draft-ietf-opsawg-pcap,
 * LINKTYPE_RAW).  The packets are made up around the messages, so the file
 * can be opened by whatever opens captures.
 */

#include <string.h>

#include "ctl/trace.h"

enum {
	LINKTYPE_RAW = 101,
	IP4_LEN = 20,
	IP6_LEN = 40,
	UDP_LEN = 8,
	TCP_LEN = 20,
	PROTO_TCP = 6,
	PROTO_UDP = 17,
	HOPS = 64,
	PACKET_MAX = IP6_LEN + TCP_LEN + ROW_MAX,
	FLOWS_MAX = 128,
};

/* One direction of a TCP connection: how far its numbers are. */
struct flow {
	struct hf_addr from, to;
	uint32_t next;
};

static void
put16(unsigned char *p, uint32_t v)
{
	p[0] = (unsigned char)(v >> 8);
	p[1] = (unsigned char)v;
}

static void
put32(unsigned char *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

/* RFC 1071 */
static uint32_t
sum(uint32_t s, const unsigned char *p, size_t n)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)p[i] << 8 | p[i + 1];
	if (n % 2 != 0)
		s += (uint32_t)p[n - 1] << 8;
	return s;
}

static uint32_t
folded(uint32_t s)
{
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return ~s & 0xffff;
}

static size_t
put_ip(unsigned char *p, const struct hf_addr *from, const struct hf_addr *to,
    unsigned int proto, size_t payload)
{
	if (from->family == 6) {
		p[0] = 0x60;
		put16(p + 4, (uint32_t)payload);
		p[6] = (unsigned char)proto;
		p[7] = HOPS;
		memcpy(p + 8, from->ip, 16);
		memcpy(p + 24, to->ip, 16);
		return IP6_LEN;
	}
	p[0] = 0x45;
	put16(p + 2, (uint32_t)(IP4_LEN + payload));
	p[8] = HOPS;
	p[9] = (unsigned char)proto;
	memcpy(p + 12, from->ip, 4);
	memcpy(p + 16, to->ip, 4);
	put16(p + 10, folded(sum(0, p, IP4_LEN)));
	return IP4_LEN;
}

/* Over the pseudo header (RFC 768, 9293, 8200) and what follows the IP. */
static uint32_t
checksum(const struct hf_addr *from, const struct hf_addr *to,
    unsigned int proto, const unsigned char *p, size_t n)
{
	size_t len = from->family == 6 ? 16 : 4;
	uint32_t s = sum(sum(proto + (uint32_t)n, from->ip, len), to->ip, len);

	s = folded(sum(s, p, n));
	return s == 0 && proto == PROTO_UDP ? 0xffff : s;
}

static struct flow *
flow_of(struct flow *flow, size_t *flows, const struct hf_addr *from,
    const struct hf_addr *to)
{
	for (size_t i = 0; i < *flows; i++)
		if (hf_addr_eq(&flow[i].from, from) &&
		    hf_addr_eq(&flow[i].to, to))
			return &flow[i];
	if (*flows == FLOWS_MAX)
		return &flow[FLOWS_MAX - 1];
	flow[*flows] = (struct flow){ *from, *to, 1 };
	return &flow[(*flows)++];
}

static size_t
make_packet(unsigned char *p, const struct trace_message *m, struct flow *flow,
    size_t *flows)
{
	const struct hf_addr *from = m->in ? &m->remote : &m->local;
	const struct hf_addr *to = m->in ? &m->local : &m->remote;
	size_t head = m->tcp ? TCP_LEN : UDP_LEN, n = m->text.n, ip;
	unsigned int proto = m->tcp ? PROTO_TCP : PROTO_UDP;
	unsigned char *t;

	memset(p, 0, PACKET_MAX);
	ip = put_ip(p, from, to, proto, head + n);
	t = p + ip;
	put16(t, from->port);
	put16(t + 2, to->port);
	memcpy(t + head, m->text.p, n);
	if (m->tcp) {
		struct flow *f = flow_of(flow, flows, from, to);

		put32(t + 4, f->next);
		put32(t + 8, flow_of(flow, flows, to, from)->next);
		t[12] = TCP_LEN / 4 << 4;
		t[13] = 0x18; /* PSH, ACK */
		put16(t + 14, UINT16_MAX);
		put16(t + 16, checksum(from, to, proto, t, head + n));
		f->next += (uint32_t)n;
	} else {
		put16(t + 4, (uint32_t)(head + n));
		put16(t + 6, checksum(from, to, proto, t, head + n));
	}
	return ip + head + n;
}

bool
pcap_write(FILE *f, const struct rows *messages)
{
	/* Native order: the first number tells the reader which. */
	const struct {
		uint32_t magic;
		uint16_t major, minor;
		uint32_t zone, accuracy, snap, link;
	} file = { 0xa1b2c3d4, 2, 4, 0, 0, 65535, LINKTYPE_RAW };
	static unsigned char packet[PACKET_MAX];
	struct flow flow[FLOWS_MAX];
	size_t flows = 0;
	bool ok = fwrite(&file, sizeof(file), 1, f) == 1;

	for (size_t i = 0; ok && i < messages->n; i++) {
		struct trace_message m;
		uint32_t head[4];

		if (!trace_row(messages->row[i], &m) ||
		    m.local.family != m.remote.family || m.local.family == 0 ||
		    m.text.n > ROW_MAX)
			continue;
		head[0] = (uint32_t)(m.at / 1000000);
		head[1] = (uint32_t)(m.at % 1000000);
		head[2] = head[3] =
		    (uint32_t)make_packet(packet, &m, flow, &flows);
		ok = fwrite(head, sizeof(head), 1, f) == 1 &&
		     fwrite(packet, head[2], 1, f) == 1;
	}
	return ok;
}
