/* io/sip/guess - see guess.h */

#include <string.h>

#include "base/check.h"
#include "io/sip/guess.h"

enum {
	NET4 = 3, /* bytes: a /24 */
	NET6 = 8, /* a /64 */
	TRIES = 4,
};

/* The three buckets of an answer. */
enum bucket { PAIR, NETWORK, NAME };
enum { BUCKETS = NAME + 1 };

struct keys {
	uint64_t of[BUCKETS];
};

void
sip_guess_init(struct sip_guess *g, const struct hf_hash_key *hash,
    uint32_t wrong, struct hf_span pause)
{
	hf_assert(wrong > 0 && pause.us > 0);
	memset(g->place, 0, sizeof(g->place));
	g->hash = *hash;
	g->wrong = wrong;
	g->pause = pause;
}

static struct keys
keys_of(const struct sip_guess *g, const struct hf_addr *source,
    struct hf_slice name)
{
	size_t n = source->family == 6 ? NET6 : NET4;
	uint64_t net = hf_hash(&g->hash, source->ip, n) ^ source->family;
	uint64_t who = hf_hash(&g->hash, name.p, name.n);
	uint64_t both[2] = { net, who };

	/* 0 means free; the last bit is not missed. */
	return (struct keys){
		.of = {
			[PAIR] = hf_hash(&g->hash, both, sizeof(both)) | 1,
			[NETWORK] = net | 1,
			[NAME] = who | 1,
		},
	};
}

static uint32_t
place_of(uint64_t key, unsigned i)
{
	return (uint32_t)((key >> 1) + i) % SIP_GUESS_PLACES;
}

static const struct sip_guess_place *
find(const struct sip_guess *g, uint64_t key)
{
	for (unsigned i = 0; i < TRIES; i++)
		if (g->place[place_of(key, i)].key == key)
			return &g->place[place_of(key, i)];
	return NULL;
}

/* Its place, or of those it may have the one that is empty first. */
static struct sip_guess_place *
take(struct sip_guess *g, uint64_t key, struct hf_time now)
{
	struct sip_guess_place *p = &g->place[place_of(key, 0)];

	for (unsigned i = 1; i < TRIES && p->key != key; i++) {
		struct sip_guess_place *q = &g->place[place_of(key, i)];

		if (q->key == key || hf_time_before(q->empty, p->empty))
			p = q;
	}
	if (p->key != key || !hf_time_before(now, p->empty))
		*p = (struct sip_guess_place){ .key = key, .empty = now };
	return p;
}

static struct hf_span
pause_of(const struct sip_guess *g, enum bucket b)
{
	int share = b == PAIR ? 1 : SIP_GUESS_SHARE;

	return (struct hf_span){ g->pause.us / share };
}

static bool
is_full(const struct sip_guess *g, const struct sip_guess_place *p,
    enum bucket b, struct hf_time now)
{
	/* One more would make it run over. */
	return p->empty.us - now.us + pause_of(g, b).us >
	       (int64_t)g->wrong * g->pause.us;
}

bool
sip_guess_may(const struct sip_guess *g, const struct hf_addr *source,
    struct hf_slice name, bool at_home, struct hf_time now)
{
	struct keys k = keys_of(g, source, name);

	for (unsigned b = 0; b < BUCKETS; b++) {
		const struct sip_guess_place *p = find(g, k.of[b]);

		if (b == NAME && at_home)
			continue;
		if (p != NULL && is_full(g, p, (enum bucket)b, now))
			return false;
	}
	return true;
}

bool
sip_guess_wrong(struct sip_guess *g, const struct hf_addr *source,
    struct hf_slice name, struct hf_time now)
{
	struct keys k = keys_of(g, source, name);
	bool tell = false;

	for (unsigned b = 0; b < BUCKETS; b++) {
		struct sip_guess_place *p = take(g, k.of[b], now);

		p->empty = hf_time_after(p->empty, pause_of(g, (enum bucket)b));
		if (p->told || !is_full(g, p, (enum bucket)b, now))
			continue;
		p->told = true;
		tell = true;
	}
	return tell;
}
