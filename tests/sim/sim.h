/*
 * tests/sim/sim - a story played in virtual time: the engine of logic/call as
 * it is, and around it an hf-sip, an hf-media and an hf-rec that obey its
 * orders, and a cast of callers, helpers and phones.
 *
 *      sim_house   the story's house becomes a configuration, the cast
 *      sim_sip     legs: who is rung, answers, hangs up
 *      sim_media   packets every 20 ms for logic/guard/watch, prompts, what
 *                  everybody hears; messages
 *      sim_look    what has come of it: the expectations
 *      sim_time    what happens next
 *      sim_act     what the cast and the operator do
 *      sim_story   reads a story, act by act; the sweeps
 *      sim_chaos   anything at any time
 *
 * Nothing here decides anything about a call.
 */
#ifndef HF_TESTS_SIM_SIM_H
#define HF_TESTS_SIM_SIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "lib/story_parse.h"
#include "logic/call/engine.h"
#include "logic/guard/watch.h"

enum {
	SIM_ACTORS = 120,
	SIM_LEGS = 1024,
	SIM_NOTES = 64,
	SIM_STREAMS = 512,
	SIM_EVENTS = 8192,
	SIM_FACTS = 8192, /* of the journal, kept for the expectations */
	SIM_MESSAGES = 64,
	SIM_TOLD = 256,
	SIM_FOREVER_MS = 3600000,
};

/* What can be heard: an actor by his place, or one of these. */
enum sim_sound {
	SOUND_COMFORT = SIM_ACTORS,
	SOUND_VOICE,
	SOUND_RINGBACK,
	SOUND_MUSIC,
	SOUND_BEEP,
	SOUND_GOODBYE,
	SOUND_NOTHING, /* for 200 ms */
	SOUND_SOMETHING,
	SIM_SOUNDS,
};

enum sim_role { SIM_CALLER, SIM_HELPER, SIM_AGENT, SIM_WORLD };
enum sim_speech { SAYS_WORDS, SAYS_NOTHING, SAYS_SAME, SAYS_GARBAGE };

enum sim_what {
	NOTE_CALLED, /* an INVITE came */
	NOTE_ANSWERED,
	NOTE_RANG,
	NOTE_REFUSED,
	NOTE_LET_GO,
	NOTE_LEFT, /* by himself */
	NOTE_HELD,
	NOTE_RESUMED,
	NOTE_INFO,
	NOTE_NOTIFIED, /* what has come of his REFER: code */
};

struct sim_note {
	int64_t at;
	enum sim_what what;
	int code;
	char text[200]; /* NOTE_CALLED: what its INVITE says */
};

/* How a stand-in takes a call; see story_parse.h. */
struct sim_manner {
	int64_t answer_ms; /* -1: waits for its act */
	int64_t hang_up_ms;
	int refuse;
	bool try_only, ring_only, never_try, no_media, early;
};

struct sim_actor {
	char name[32];
	enum sim_role role;
	uint16_t row;     /* helper or agent in the configuration */
	const char *kind; /* "bot", "centre", "site" */
	bool remote, ready, registered;
	bool later; /* not in the configuration at first */
	char queues[120];
	struct sim_manner will;
	bool dead, closed, media_dead, suppresses;
	enum sim_speech says;
	int64_t says_since, cut_until;
	char digits[64];
	struct sim_note note[SIM_NOTES];
	unsigned notes;
	int64_t first_heard[SIM_SOUNDS]; /* since the last act; -1 */
	bool ever_heard[SIM_SOUNDS];
	int64_t last_sound;
};

enum sim_leg_state { LEG_FREE, LEG_SETUP, LEG_RINGING, LEG_TALKS };

struct sim_leg {
	enum sim_leg_state state;
	uint64_t id;
	unsigned actor;
	uint32_t stream; /* SIM_STREAMS: none yet */
	bool ours;       /* hf-call rang it; else it arrived */
	bool early;      /* media before the answer */
	bool ringback;   /* a caller who got 180 */
	bool holds;
	enum direction asked; /* by the last HOLD_LEG */
	int64_t up;
	uint64_t serial; /* dates the events that concern it */
	bool tried;      /* 100 came */
};

struct sim_stream {
	struct hf_ref ref;
	bool open, joined, caller;
	uint32_t partner;
	enum judge judge;
	uint16_t row;
	bool held; /* by either side */
	bool spoke;
	int64_t next; /* packet from the party */
	uint16_t seq;
	uint32_t frames;
	int64_t quiet; /* since when nothing came, or we said so */
	struct watch watch;
	struct patience patience;
	unsigned bridge;     /* what its caller hears: enum watch_news, or 0 */
	struct hf_span hole; /* in what he hears, before that */
	int64_t voice_at;    /* the prompt began */
	bool playing;
	struct msg_play_prompt prompt;
	int64_t prompt_began;
	bool felt, records;
	uint32_t recording;
	int64_t record_began;
	struct hf_span record_max, record_silence;
};

struct sim;
typedef void sim_event_fn(struct sim *s, uint64_t a, uint64_t b);

struct sim_event {
	int64_t at;
	uint64_t seq;
	sim_event_fn *fn;
	uint64_t a, b;
};

struct sim_fact {
	enum msg_type type;
	char id[CALL_ID_MAX];
	char *text; /* " key=value key=value ... " */
};

struct sim {
	struct orders orders; /* first: put() finds the sim by it */
	struct conf conf, fresh;
	struct engine *engine;
	void *memory;
	struct call *slots; /* what hf-call has committed */
	struct house house;
	uint32_t boot;
	int64_t now, tick;
	int64_t tick_us;              /* 5 ms; chaos is coarser */
	uint32_t streams_seen;        /* one past the highest ever opened */
	uint16_t leg_of[SIM_STREAMS]; /* a guess */
	uint64_t seq;
	struct sim_event event[SIM_EVENTS];
	unsigned events;
	struct sim_actor actor[SIM_ACTORS];
	unsigned actors;
	struct sim_leg leg[SIM_LEGS];
	unsigned legs_seen;
	uint64_t next_leg, next_serial;
	struct sim_stream stream[SIM_STREAMS];
	struct starve_kin kin[CONF_HELPERS_MAX + 1]; /* the last: no row */
	struct {
		bool used, kept;
		uint32_t recording;
		uint16_t box;
		struct hf_span length;
	} message[SIM_MESSAGES];
	struct sim_fact fact[SIM_FACTS];
	unsigned facts, came, ended;
	bool media_gone;
	struct msg told[SIM_TOLD]; /* by hf-media, not yet to hf-call */
	unsigned tolds;
	/* The house while it is told. */
	char queue[8][32];
	unsigned queues;
	char yaml[65536];
	struct {
		char path[120], value[400];
	} key[400];
	unsigned keys;
	bool ladder;
	/* The story. */
	int64_t began, acted, deadlines;
	uint64_t moments;  /* facts and deadlines the engine has met */
	uint64_t leave_at; /* a sweep: hang up after this one; 0 never */
	const char *leaver;
	char why[300];
	uint32_t random;
};

/* ---- sim_house ----------------------------------------------------------- */

struct sim *sim_new(void);
void sim_free(struct sim *s);
struct sim_actor *sim_actor_new(
    struct sim *s, const char *name, enum sim_role role);
struct sim_actor *sim_find(struct sim *s, const char *name);
bool sim_house(struct sim *s, const struct story_act *t);
bool sim_start(struct sim *s);
/* The configuration with that agent, or without him, is taken over. */
bool sim_reload(struct sim *s, struct sim_actor *a, bool with);
/* hf-call dies and starts again from its slots. */
void sim_restart_call(struct sim *s);

/* ---- time ---------------------------------------------------------------- */

void sim_later(
    struct sim *s, int64_t ms, sim_event_fn *fn, uint64_t a, uint64_t b);
/* Runs until the time has come or done() says so. */
bool sim_run(struct sim *s, int64_t until, bool (*done)(struct sim *s, void *),
    void *arg);
/* A fact for the engine, now. */
void sim_fact(struct sim *s, const struct msg *m);
void sim_commit(struct sim *s);
/* One more thing has happened to the engine. */
void sim_moment(struct sim *s);
/* A leg or a stream is left. */
bool sim_anything_open(const struct sim *s);
bool sim_act(struct sim *s, const struct story_act *t);

/* ---- sim_sip ------------------------------------------------------------- */

void sim_sip_order(struct sim *s, const struct msg *m);
/* hf-sip dies and is there again, without what it had not committed. */
void sim_sip_restart(struct sim *s);
struct sim_leg *sim_leg_current(struct sim *s, const struct sim_actor *a);
bool sim_reachable(const struct sim *s, const struct sim_actor *a);
void sim_note(struct sim *s, struct sim_actor *a, enum sim_what what, int code,
    const char *text);
/* line: a header line that hf-sip would understand, or "". */
void sim_calls(
    struct sim *s, struct sim_actor *a, const char *number, const char *line);
bool sim_answers(struct sim *s, struct sim_actor *a);
bool sim_declines(struct sim *s, struct sim_actor *a, int code);
bool sim_hangs_up(struct sim *s, struct sim_actor *a, enum cause cause,
    int code, const char *reason);
bool sim_refers(struct sim *s, struct sim_actor *a, const char *target);
bool sim_holds(struct sim *s, struct sim_actor *a, bool on);
bool sim_reoffers(struct sim *s, struct sim_actor *a);
bool sim_informs(
    struct sim *s, struct sim_actor *a, const char *type, const char *body);
void sim_registers(struct sim *s, struct sim_actor *a, bool on);

/* ---- sim_media ----------------------------------------------------------- */

void sim_media_order(struct sim *s, const struct msg *m);
void sim_rec_order(struct sim *s, const struct msg *m);
void sim_media_tick(struct sim *s);
void sim_media_closed(struct sim *s, const struct sim_actor *a);
void sim_media_restart(struct sim *s);
bool sim_presses(struct sim *s, struct sim_actor *a, const char *digits);
long sim_messages(const struct sim *s, uint16_t box);

/* ---- sim_look ------------------------------------------------------------ */

void sim_journal(struct sim *s, const struct msg *m);
bool sim_expect(struct sim *s, const struct story_act *t);
bool sim_never(struct sim *s, const struct story_act *t);
void sim_show(struct sim *s);

#endif
