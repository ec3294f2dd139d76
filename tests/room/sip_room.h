/*
 * tests/room/sip_room - one hf-sip as a process, between phones of the tests
 * on one side and us on the other: its keeper and its hf-call.
 *
 *      setup       sip_room_begin(), the test's own wishes in conf,
 *                  sip_room_start(); or sip_room_usual() for all of it
 *      teardown    sip_room_over()
 */
#ifndef TESTS_ROOM_SIP_ROOM_H
#define TESTS_ROOM_SIP_ROOM_H

#include "tests/lib/ua.h"
#include "tests/room/keeper.h"

enum {
	SOON = 2000, /* ms: what has not come by then does not come */
	PORT = 21000,
};
#define OURS (1ULL << 63)

extern const char *program;
extern struct conf conf;
extern struct conf_secrets secrets;
extern struct ua_world *world;
extern struct ua_where house_at;
extern char house[64]; /* where it listens, over UDP and TCP */

/* A world without phones; sockets, a folder and a small configuration for the
 * room.  Nothing is running yet. */
void sip_room_begin(void);
/* hf-sip, as conf and secrets say; one that runs dies first. */
void sip_room_start(void);
int sip_room_over(void **state);

/* The usual cast: a caller who is the trunk's, a bot and a second one that are
 * the first helper's targets, agent anna's phones over UDP and TCP, a stranger
 * at her address, and a bot whom /etc/hosts knows by name. */
extern struct ua *caller, *bot, *second, *anna, *wired, *stranger, *named;
enum { GUESSES = 4 }; /* of a password */
int sip_room_usual(void **state);

/* ---- waiting for either side, SOON at most --------------------------------
 */

/* The next fact of this kind, while the phones go on. */
bool fact(enum msg_type type, struct msg *out);
/* What the phone noted, or NULL. */
const struct ua_note *noted(struct ua_call *c, enum ua_event what);
/* Is that what the phone was last told of its transfer, "SIP/2.0 486"? */
bool hears_of_transfer(struct ua_call *c, const char *status);
/* How often it was called. */
unsigned calls_of(const struct ua *u);
/* One of the counters of hfctl sip. */
uint64_t counter(const char *name);
/* The rows of hfctl trace about that leg. */
const char *trace(uint64_t leg);

/* A UDP socket without a phone; me: its address as text, HF_ADDR_TEXT_MAX. */
int own_socket(const char *ip, char *me);
/* To the house; and the next thing to come from it that begins so. */
void say(int fd, const char *text);
const char *comes(int fd, const char *begin);

/* ---- hf-call's orders -----------------------------------------------------
 */

/* Rings this row from PORT, with 60 hops, for 10 s at most. */
void ring_row(uint64_t leg, enum to kind, uint16_t row);
void ring(uint64_t leg, enum to kind); /* the first row */
/* The first helper, of whom we want to hear within so long. */
void ring_impatiently(uint64_t leg, int ms);
void answer(uint64_t leg);
void drop(uint64_t leg);
void hold(uint64_t leg);
void report(uint64_t leg, uint16_t code); /* how its transfer fares */

/* ---- the usual cast's ways ------------------------------------------------
 */

/* The caller's call has come: its leg. */
uint64_t arrives(struct ua_call **call);
/* A caller and the bot, talking: the caller's leg; the bot's is OURS, too. */
uint64_t up(struct ua_call **call);
/* Anna's phone with this password: the last answer's code. */
int registers(struct ua *phone, const char *secret);
/* Another hf-sip in the place of the one that dies, which finds so many. */
void dies_and_is_there_again(uint32_t dialogs);

#endif
