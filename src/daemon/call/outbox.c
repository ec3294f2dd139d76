/* daemon/call/outbox - see outbox.h */

#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "base/table.h"
#include "daemon/call/outbox.h"

enum {
	TURN_BYTES = 1024 * 1024, /* more than a turn's datagrams can cause */
	ENTRIES_MAX = 8192,
	UNSAID_BYTES = 64 * 1024, /* orders of the process before us */
	RESTORED_MAX = 4096,
	BOOT_AT = 4, /* in a frame; see wire/codec.h */
	SEQ_AT = 8,
};

struct entry {
	uint32_t place;
	uint16_t to, n;
	uint32_t at;    /* of its frame */
	uint32_t after; /* the next of the same place, + 1 */
};

/* In a record: this, and the frame behind it. */
struct told {
	uint16_t to, n;
};

static struct {
	struct entry entry[ENTRIES_MAX];
	unsigned entries;
	/* By place, + 1: 0 is none. */
	struct chain {
		uint32_t first, last;
	} * chain;
	char bytes[TURN_BYTES];
	uint32_t used;
} box;

static struct {
	char bytes[UNSAID_BYTES];
	uint32_t used;
	struct fact {
		uint32_t boot, seq;
		uint32_t at;
		uint16_t n;
	} fact[RESTORED_MAX];
	unsigned facts;
	char *frames; /* of the facts; at the start only */
	uint32_t framed;
} old;

void
outbox_open(uint32_t calls)
{
	box.chain = hf_table(calls, sizeof(*box.chain));
	hf_assert(box.chain != NULL);
}

void
outbox_put(uint32_t place, enum peer to, const struct msg *m)
{
	struct hf_buf b =
	    hf_buf_on(box.bytes + box.used, TURN_BYTES - box.used);
	struct entry *e = &box.entry[box.entries];
	struct chain *c = &box.chain[place];

	if (box.entries == ENTRIES_MAX || !msg_encode(&b, m)) {
		if (to == PEER_STORE)
			proc_send(to, m); /* not as safe, and told */
		return;
	}
	*e = (struct entry){ place, (uint16_t)to, (uint16_t)b.n, box.used, 0 };
	box.used += (uint32_t)b.n;
	box.entries++;
	if (c->first == 0)
		c->first = box.entries;
	else
		box.entry[c->last - 1].after = box.entries;
	c->last = box.entries;
}

void
outbox_number(void)
{
	uint32_t boot, seq = proc_facts(&boot);

	for (unsigned i = 0; i < box.entries; i++) {
		char *frame = box.bytes + box.entry[i].at;

		if (box.entry[i].to != PEER_STORE)
			continue;
		seq++;
		memcpy(frame + BOOT_AT, &boot, sizeof(boot));
		memcpy(frame + SEQ_AT, &seq, sizeof(seq));
	}
}

bool
outbox_pack(uint32_t place, struct call_record *r)
{
	r->n = 0;
	for (uint32_t i = box.chain[place].first; i != 0;) {
		const struct entry *e = &box.entry[i - 1];
		struct told t = { e->to, e->n };

		i = e->after;
		if (r->n + sizeof(t) + e->n > sizeof(r->told))
			continue;
		memcpy(r->told + r->n, &t, sizeof(t));
		memcpy(r->told + r->n + sizeof(t), box.bytes + e->at, e->n);
		r->n += (uint32_t)sizeof(t) + e->n;
	}
	return r->n > 0;
}

void
outbox_send(void)
{
	for (unsigned i = 0; i < box.entries; i++) {
		const struct entry *e = &box.entry[i];

		box.chain[e->place] = (struct chain){ 0, 0 };
		if (e->to == PEER_STORE)
			proc_fact(box.bytes + e->at, e->n);
	}
	box.entries = 0;
	box.used = 0;
}

/* ---- after a death ------------------------------------------------------- */

static void
take_fact(const char *frame, uint16_t n)
{
	struct fact *f = &old.fact[old.facts];

	if (old.frames == NULL)
		old.frames = malloc(TURN_BYTES);
	if (old.facts == RESTORED_MAX || old.framed + n > TURN_BYTES ||
	    old.frames == NULL)
		return;
	memcpy(&f->boot, frame + BOOT_AT, sizeof(f->boot));
	memcpy(&f->seq, frame + SEQ_AT, sizeof(f->seq));
	/* Most were told long ago. */
	if (proc_fact_is_known(f->boot, f->seq))
		return;
	f->at = old.framed;
	f->n = n;
	memcpy(old.frames + old.framed, frame, n);
	old.framed += n;
	old.facts++;
}

void
outbox_restore(const struct call_record *r)
{
	uint32_t at = 0;
	struct told t;

	while (r->n <= sizeof(r->told) && r->n - at > sizeof(t)) {
		memcpy(&t, r->told + at, sizeof(t));
		if (t.n < SEQ_AT + 4 || r->n - at - sizeof(t) < t.n)
			return;
		if (t.to == PEER_STORE) {
			take_fact(r->told + at + sizeof(t), t.n);
		} else if (old.used + sizeof(t) + t.n <= UNSAID_BYTES) {
			memcpy(old.bytes + old.used, r->told + at,
			    sizeof(t) + t.n);
			old.used += (uint32_t)sizeof(t) + t.n;
		}
		at += (uint32_t)sizeof(t) + t.n;
	}
}

static int
by_number(const void *a, const void *b)
{
	const struct fact *x = a, *y = b;

	if (x->boot != y->boot)
		return x->boot < y->boot ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

void
outbox_restored(void)
{
	qsort(old.fact, old.facts, sizeof(old.fact[0]), by_number);
	for (unsigned i = 0; i < old.facts; i++)
		proc_fact(old.frames + old.fact[i].at, old.fact[i].n);
	free(old.frames);
	old.frames = NULL;
	old.facts = 0;
}

void
outbox_met(enum peer to)
{
	static struct msg m;
	struct told t;
	uint32_t kept = 0;

	for (uint32_t at = 0; at < old.used; at += (uint32_t)sizeof(t) + t.n) {
		struct hf_slice in;

		memcpy(&t, old.bytes + at, sizeof(t));
		in = (struct hf_slice){ old.bytes + at + sizeof(t), t.n };
		if (t.to == to) {
			if (msg_decode(&in, &m))
				proc_send(to, &m);
			continue;
		}
		memmove(old.bytes + kept, old.bytes + at, sizeof(t) + t.n);
		kept += (uint32_t)sizeof(t) + t.n;
	}
	old.used = kept;
}
