/*
 * tests/lib/sip_world - parties that each run the house's session layer, on a
 * network of virtual time: 1 ms away from each other, losing what a test says.
 */
#ifndef HF_TESTS_SIP_WORLD_H
#define HF_TESTS_SIP_WORLD_H

#include "io/sip/record.h"

enum { WORLD_PARTIES = 3, WORLD_QUEUE = 256, WORLD_SESSIONS = 16 };

enum world_event {
	W_ARRIVED,
	W_RANG,
	W_ANSWERED,
	W_REFUSED,
	W_CONFIRMED,
	W_REOFFERED,
	W_REANSWERED,
	W_INFO,
	W_REFERRED,
	W_LEFT,
	W_OUTCOME,
	W_NR
};

struct party {
	struct world *world;
	uint8_t n;
	struct hf_wheel wheel;
	struct hf_rand rand;
	struct sip_sessions ss;
	struct sip_session memory[WORLD_SESSIONS];
	/* What came last, and how often. */
	unsigned seen[W_NR];
	uint16_t status; /* of the last RANG, REFUSED, REANSWERED */
	enum sip_trans_end why;
	enum sip_left how;
	struct sip_session *last; /* valid while its event's turn lasts */
	uint32_t last_n;
	char body[2000]; /* of the last message with one */
	/* What it does by itself. */
	bool answers, rings, let_in, retries;
	bool deaf; /* nothing comes of what arrives */
	uint16_t reoffer_status, info_status;
	char sdp[64];
};

struct world {
	struct hf_time now;
	struct party party[WORLD_PARTIES];
	struct {
		struct hf_time at;
		uint8_t to;
		struct sip_flow from;
		uint32_t n;
		char bytes[16384];
	} queue[WORLD_QUEUE];
	unsigned queued;
	unsigned sent; /* messages ever sent */
	/* True: this message is lost. */
	bool (*lose)(struct world *w, uint8_t from, struct hf_slice bytes);
	unsigned count;           /* for lose() */
	bool dead[WORLD_PARTIES]; /* a datagram to it comes back */
};

struct world *world_new(void);
void world_free(struct world *w);
/* Lets so much time pass. */
void world_run(struct world *w, int64_t ms);
struct sip_session *world_call(struct world *w, uint8_t from, uint8_t to);
/* A party dies and is there again with what its records and words say; of a
 * session that its user does not know any more, unwanted says so. */
void world_dies(struct world *w, uint8_t party, bool unwanted);
/* Bytes as if party "from" had sent them. */
void world_say(
    struct world *w, uint8_t from, uint8_t to, struct hf_slice bytes);
struct sip_session *world_session(struct party *p);
/* All tables of all parties are empty. */
bool world_is_empty(const struct world *w);

#endif
