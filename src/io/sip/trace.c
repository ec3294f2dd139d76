/* io/sip/trace - see trace.h */

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
		if (!m->plain)
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
