/*
 * tests/story/live - a story played by real processes: holdfastd of the stage,
 * and a cast of phones and bots that speak SIP and RTP over loopback.
 *
 *      live_main   reads the story, act by act
 *      live_cast   who is there, what they do
 *      live_look   what has come of it: the expectations
 */
#ifndef HF_TESTS_STORY_LIVE_H
#define HF_TESTS_STORY_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/story_parse.h"
#include "tests/lib/site.h"

enum {
	LIVE_ACTORS = 80,
	LIVE_LATER = 16,
	/* So much beyond a story's own deadline is forgiven, and as long as
	 * the machine kept the house and us waiting for a processor, which is
	 * no promise of ours, but no more than so.  The exact figures are
	 * bench-rescue's. */
	LIVE_SLACK_MS = 60,
	LIVE_WAITED_MAX_MS = 500,
	LIVE_VOICES = SITE_ONE_MOMENT, /* the house has the others */
	/* Whoever has been heard has said a word before the next act. */
	LIVE_WORD_MS = 400,
	LIVE_CROWD_VOICE = VOICE_ACTORS - 1,
};

enum live_role {
	LIVE_CALLER,
	LIVE_HELPER,
	LIVE_AGENT,
	LIVE_PHONE, /* one more of an agent's */
	LIVE_WORLD
};

struct live_actor {
	char name[32];
	enum live_role role;
	const char *kind; /* helpers: "bot", "centre", "site" */
	bool later;
	bool remote, ready;
	char queues[120]; /* agents */
	struct ua *ua;
	struct ua_call *registration;
};

/* How the whole cast stands to the house; the story's text does not say. */
struct live_way {
	bool tcp, ipv6, nat;
};

struct live {
	struct story *story;
	struct live_way way;
	struct ua_world *world;
	struct site *site;
	bool up;           /* the house has been started */
	int64_t began;     /* of the story */
	int64_t acted;     /* the last act that does something */
	int64_t deadlines; /* deadlines count from here: the last act of all */
	struct site_mark mark; /* taken there */
	struct live_actor actor[LIVE_ACTORS];
	size_t actors;
	int voices, place[4];
	char queue[8][32];
	size_t queues;
	bool box, ladder, agents_told;
	struct {
		int64_t at;
		pid_t pid;
	} thaw[LIVE_LATER]; /* frozen processes */
	char why[400];      /* what was wrong with the expectation */
};

struct live_actor *live_find(struct live *, const char *name);

/* A line of the house, before anybody calls. */
bool live_house(struct live *, const struct story_act *);
/* Everything is said: start it, register the phones. */
bool live_start(struct live *);
bool live_act(struct live *, const struct story_act *);
/* All callers hang up; false when something is left after 2 s. */
bool live_end(struct live *);
void live_free(struct live *);
/* Runs the world; meanwhile the frozen thaw in time. */
bool live_run(struct live *, int64_t ms, bool (*done)(void *), void *arg);

/* How many rows hfctl answers to these words; -1: it refused. */
long live_rows(struct live *, const char *words);

bool live_expect(struct live *, const struct story_act *);
/* "never" and "was never", at the end. */
bool live_never(struct live *, const struct story_act *);
void live_show(struct live *); /* what everyone saw, on standard error */

#endif
