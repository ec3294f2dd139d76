/*
 * bench/crowd - many callers who talk to a cloud bot through one house, with a
 * second bot on the next rung: the world of bench_rescue and drill_kill.
 *
 *      callers --+                 +-- cloud-a
 *      (trunk)   +-- holdfastd --+
 *                                  +-- cloud-b, the next rung
 */
#ifndef HF_BENCH_CROWD_H
#define HF_BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/lines.h"
#include "tests/lib/site.h"

enum {
	CROWD_VOICE = 3, /* of all callers */
	CROWD_VOICE_A = 20,
	CROWD_VOICE_B = 33,
};

/* A caller or a bot's call. */
struct party {
	struct line *line;
	int64_t fault, decided; /* bots */
	bool told;              /* callers: we hung up ourselves */
};

struct crowd {
	int calls;
	struct ua_world *world;
	struct lines *lines;
	struct site *site;
	struct ua *callers, *cloud_a, *cloud_b;
	struct party caller[LINES_MAX], bot[LINES_MAX], next[LINES_MAX];
	int callers_up, bots_up, nexts_up;
};

extern struct crowd crowd; /* one at a time */

/* How many processors the house's media has here: the last is the world's. */
int crowd_workers(void);

/* An empty world, and a house that is configured for so many calls.  NULL: no
 * stage to start it from. */
struct site *crowd_new(int calls);
/* Starts the house. */
bool crowd_start(void);
/* Stops it; false when it did not end well. */
bool crowd_stop(void);
void crowd_free(void);

/* All calls are up, and sound has settled.  False: they are not, and it is said
 * which. */
bool crowd_set_up(void);
/* So long the world goes on. */
void crowd_stay(int ms);
/* Sound goes both ways: for a moment the bots listen too.  How many of these n
 * heard their caller. */
int crowd_hearing(struct party *p, int n);
/* Whoever is still there hangs up.  Those to whom it is answered are told. */
void crowd_part(void);

/* Each worker of hf-media has a processor of its own: otherwise it is luck who
 * shares with whom, and each run would measure another house. */
void crowd_place(void);

#endif
