/* io/sip/trace - see trace.h; here: the ring and the capture file. */

#include "io/sip/trace.h"
#include "base/check.h"
#include "io/sip/lex.h"

enum {
	RING_MIN = 4096,
	SHARE = 4, /* no message takes more than so much of the ring */
	ALIGN = 8,
};

/* In front of each message in the ring. */
struct entry {
	uint32_t total; /* to the next entry */
	uint32_t n;     /* bytes of the message; FILLER: none, the ring's end */
	struct hf_wall at;
	uint64_t leg;
	struct hf_addr local, remote;
	uint8_t transport, out;
	uint8_t pad[6];
};
#define FILLER UINT32_MAX
_Static_assert(sizeof(struct entry) % ALIGN == 0, "entries stay aligned");

void
sip_trace_init(struct sip_trace *t, void *memory, uint32_t cap)
{
	hf_assert(cap >= RING_MIN && (uintptr_t)memory % ALIGN == 0);
	*t = (struct sip_trace){ .ring = memory, .cap = cap - cap % ALIGN };
}

static struct entry *
entry_at(const struct sip_trace *t, uint64_t at)
{
	return (struct entry *)(void *)(t->ring + at % t->cap);
}

/* Room for n more bytes: the oldest go. */
static void
make_room(struct sip_trace *t, uint64_t n)
{
	while (t->head + n - t->tail > t->cap)
		t->tail += entry_at(t, t->tail)->total;
}

/* ---- secrets ------------------------------------------------------------- */

/* Stars over the value behind "response=" in one header line. */
static void
mask_response(char *p, const char *end)
{
	static const char word[] = "response";
	size_t n = sizeof(word) - 1;

	for (; p + n < end; p++) {
		struct at a = { p + n, end };

		if (!NAMED(((struct hf_slice){ p, n }), "response") ||
		    !take_mark(&a, '='))
			continue;
		for (p = (char *)a.p; p < end && *p != ','; p++)
			if (is(*p, C_HEX))
				*p = '*';
		if (p == end)
			return;
	}
}

/* Over all lines of the header part; a folded line's continuation begins with
 * a blank and belongs to the line before. */
static void
mask_secrets(char *p, const char *end)
{
	bool secret = false;

	while (p < end) {
		char *lf = memchr(p, '\n', (size_t)(end - p));
		char *stop = lf != NULL ? lf : (char *)end;
		struct at a = { p, stop };

		if (p == stop || *p == '\r')
			return; /* the body */
		if (*p != ' ' && *p != '\t') {
			enum sip_header h = sip_header_of(take(&a, C_TOKEN));

			secret = h == SIP_H_AUTHORIZATION ||
				 h == SIP_H_PROXY_AUTHORIZATION;
		}
		if (secret)
			mask_response(p, stop);
		p = stop + 1;
	}
}

/* ---- the ring ------------------------------------------------------------ */

void
sip_trace_put(struct sip_trace *t, const struct sip_traced *m)
{
	uint64_t need = sizeof(struct entry) + m->bytes.n;
	uint64_t room;
	struct entry *e;

	need = (need + ALIGN - 1) & ~(uint64_t)(ALIGN - 1);
	if (need > t->cap / SHARE) {
		t->dropped++;
		return;
	}
	/* An entry lies in one piece, so that it can be read as a slice. */
	room = t->cap - t->head % t->cap;
	if (need > room) {
		make_room(t, room);
		e = entry_at(t, t->head);
		e->total = (uint32_t)room;
		e->n = FILLER;
		t->head += room;
	}
	make_room(t, need);
	e = entry_at(t, t->head);
	memset(e, 0, sizeof(*e));
	e->total = (uint32_t)need;
	e->n = (uint32_t)m->bytes.n;
	e->at = m->at;
	e->leg = m->leg;
	e->local = m->local;
	e->remote = m->remote;
	e->transport = m->transport;
	e->out = m->out;
	if (m->bytes.n > 0) {
		char *to = (char *)(e + 1);

		memcpy(to, m->bytes.p, m->bytes.n);
		mask_secrets(to, to + m->bytes.n);
	}
	t->head += need;
}

static bool
wanted(uint64_t leg, const uint64_t *legs, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (legs[i] == leg)
			return true;
	return n == 0;
}

bool
sip_trace_next(const struct sip_trace *t, uint64_t *at, const uint64_t *leg,
    unsigned legs, struct sip_traced *out)
{
	if (*at < t->tail)
		*at = t->tail;
	while (*at < t->head) {
		const struct entry *e = entry_at(t, *at);

		*at += e->total;
		if (e->n == FILLER || !wanted(e->leg, leg, legs))
			continue;
		*out = (struct sip_traced){
			.at = e->at,
			.leg = e->leg,
			.local = e->local,
			.remote = e->remote,
			.transport = e->transport,
			.out = e->out != 0,
			.bytes = { (const char *)(e + 1), e->n },
		};
		return true;
	}
	return false;
}

/* ---- a capture file -------------------------------------------------------
 */

enum {
	LINKTYPE_RAW = 101,
	PCAP_SNAP = 262144,
	IP4_LEN = 20,
	IP6_LEN = 40,
	UDP_LEN = 8,
	PROTO_UDP = 17,
	HOPS = 64,
	US = 1000000,
};

struct pcap_file {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snap, link;
};

struct pcap_packet {
	uint32_t s, us, kept, length;
};

bool
sip_pcap_begin(struct hf_buf *b)
{
	struct pcap_file f = {
		.magic = 0xa1b2c3d4,
		.major = 2,
		.minor = 4,
		.snap = PCAP_SNAP,
		.link = LINKTYPE_RAW,
	};

	if (b->cap - b->n < sizeof(f))
		return false;
	hf_buf_put(b, &f, sizeof(f));
	return true;
}

static void
put16(uint8_t *to, size_t v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

/* RFC 1071, over bytes that may be odd in number. */
static uint32_t
sum(uint32_t s, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i + 1 < n; i += 2)
		s += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (n % 2 != 0)
		s += (uint32_t)(p[n - 1] << 8);
	while (s >> 16 != 0)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

static size_t
ip4_header(uint8_t *h, const struct hf_addr *from, const struct hf_addr *to,
    size_t payload)
{
	memset(h, 0, IP4_LEN);
	h[0] = 0x45;
	put16(h + 2, IP4_LEN + payload);
	h[8] = HOPS;
	h[9] = PROTO_UDP;
	memcpy(h + 12, from->ip, 4);
	memcpy(h + 16, to->ip, 4);
	put16(h + 10, ~sum(0, h, IP4_LEN) & 0xffff);
	return IP4_LEN;
}

static size_t
ip6_header(uint8_t *h, const struct hf_addr *from, const struct hf_addr *to,
    size_t payload)
{
	memset(h, 0, IP6_LEN);
	h[0] = 0x60;
	put16(h + 4, payload);
	h[6] = PROTO_UDP;
	h[7] = HOPS;
	memcpy(h + 8, from->ip, 16);
	memcpy(h + 24, to->ip, 16);
	return IP6_LEN;
}

/* As UDP over both, with a checksum: IPv6 has no packets without one. */
static void
udp_header(uint8_t *u, const struct hf_addr *from, const struct hf_addr *to,
    struct hf_slice bytes)
{
	size_t ip = from->family == 6 ? 16 : 4;
	uint32_t s;

	memset(u, 0, UDP_LEN);
	put16(u, from->port);
	put16(u + 2, to->port);
	put16(u + 4, UDP_LEN + bytes.n);
	s = PROTO_UDP + (uint32_t)(UDP_LEN + bytes.n);
	s = sum(s, from->ip, ip);
	s = sum(s, to->ip, ip);
	s = sum(s, u, UDP_LEN);
	s = sum(s, bytes.p, bytes.n);
	s = ~s & 0xffff;
	put16(u + 6, s == 0 ? 0xffff : s);
}

bool
sip_pcap_put(struct hf_buf *b, const struct sip_traced *m)
{
	const struct hf_addr *from = m->out ? &m->local : &m->remote;
	const struct hf_addr *to = m->out ? &m->remote : &m->local;
	bool six = from->family == 6 && to->family == 6;
	uint8_t ip[IP6_LEN], udp[UDP_LEN];
	struct hf_slice bytes = m->bytes;
	struct pcap_packet p;
	size_t n;

	if (bytes.n > UINT16_MAX - IP4_LEN - UDP_LEN)
		bytes.n = UINT16_MAX - IP4_LEN - UDP_LEN;
	n = six ? ip6_header(ip, from, to, UDP_LEN + bytes.n)
		: ip4_header(ip, from, to, UDP_LEN + bytes.n);
	udp_header(udp, from, to, bytes);
	p = (struct pcap_packet){
		.s = (uint32_t)(m->at.us / US),
		.us = (uint32_t)(m->at.us % US),
		.kept = (uint32_t)(n + UDP_LEN + bytes.n),
	};
	p.length = p.kept;
	if (b->cap - b->n < sizeof(p) + p.kept)
		return false;
	hf_buf_put(b, &p, sizeof(p));
	hf_buf_put(b, ip, n);
	hf_buf_put(b, udp, UDP_LEN);
	hf_buf_slice(b, bytes);
	return true;
}
