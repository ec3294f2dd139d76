/*
 * tests/interop/peer - programs that others wrote, as callers, bots, agents and
 * trunks.  Each runs in a folder of its own, logs there, and is stopped by its
 * process id when the test ends, whatever happens.
 *
 * Who hears whom is told by voices (tests/lib/voice.h): a peer plays a file in
 * which an actor talks, and echoes what it hears.
 */
#ifndef HF_TESTS_PEER_H
#define HF_TESTS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "tests/lib/site.h"

enum {
	/* Voices of the scene's own phones; a peer takes the last. */
	SCENE_BOT = 3,
	SCENE_AGENT = 10,
	SCENE_CALLER = 17,
	PEER_VOICE = 24,
	PEER_SKIP = 77,
};

struct peer {
	char name[24];
	char dir[80]; /* its folder, also its HOME */
	char log[100];
	pid_t pid;
	int in; /* our end of its standard input, -1: closed */
};

/* A house with one number, +33400000000: bot "cloud", then the queue "sales"
 * of agent "anna".  All three of our own phones are there from the beginning;
 * a test puts a peer in the place of one of them. */
struct scene {
	struct ua_world *world;
	struct site *site;
	struct ua *caller, *bot, *anna;
	char dir[64]; /* the peers' folders */
	int passed, failed;
};

/* A programme's full path, in a static buffer; NULL and a line that says
 * "skipped" when it is not installed. */
const char *peer_program(const char *name);

/* Starts argv[0], a full path, within a fresh folder (peer_dir's); its standard
 * input says nothing and stays open. */
void peer_dir(const struct scene *, struct peer *, const char *name);
void peer_start(struct peer *, char *const *argv);

/* A text file of that name in its folder. */
void peer_file(const struct peer *, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Waits until somebody listens at that IPv4 address and port, at most 5 s. */
bool peer_listens(const char *ip, int port, bool tcp);

/* Ends it; true when it was still there or had ended with status 0. */
bool peer_stop(struct peer *);

/* Has it ended by itself?  status: its exit status, 255 after a signal. */
bool peer_ended(struct peer *, int *status);

/* Bare mu-law in which that actor talks. */
void peer_voice_ulaw(const char *path, int voice, int seconds);

/* ---- the scene
 * ------------------------------------------------------------------- */

/* Ends the test as skipped when there is no stage.  how: by which transport our
 * own bot and agent are spoken to. */
struct scene *scene_new(const char *name, enum ua_transport how);

/* Starts the house and registers anna, unless a peer takes her place. */
bool scene_start(struct scene *, bool anna);

/* Prints the summary and returns main's status. */
int scene_end(struct scene *);

/* One promise: prints those that were broken. */
bool scene_check(struct scene *, bool kept, const char *promise);

/* Lets everything run until done, at most so long. */
bool scene_wait(struct scene *, int ms, bool (*done)(void *), void *arg);

/* The phone's current call, as soon as it is answered; NULL in vain. */
struct ua_call *scene_call_of(struct scene *, struct ua *);

/* Does that call hear that voice from now on? */
bool scene_hears(struct scene *, struct ua_call *, int voice);

/* The call ends by the other side within 3 s. */
bool scene_over(struct scene *, struct ua_call *);

/* That party hangs up, after a talk long enough that nobody takes its end for a
 * fault.  NULL is welcome. */
void scene_leaves(struct scene *, struct ua_call *);

/* Is the peer registered as anna?  Asks hfctl until it is. */
bool scene_registered(struct scene *);

/* The bot stops dead, silently, and is well again. */
void scene_bot_dies(struct scene *);
void scene_bot_lives(struct scene *);

#endif
