/*
 * daemon/call/outbox - what a turn tells of a call leaves with the call's
 * record.  Facts that were on their way to the journal before the record is in
 * its slot would be told twice by the next process, and orders that are not
 * made up for by a picture would be lost between the two:
 *
 *      turn -> outbox -> record (call + what was told) -> spool, neighbours
 *                               |
 *      next process <-----------' tells what was not told
 *
 * Facts get their numbers before the record is written, so that one that is
 * told again is known to be the same.
 */
#ifndef HF_DAEMON_CALL_OUTBOX_H
#define HF_DAEMON_CALL_OUTBOX_H

#include "logic/call/engine.h"
#include "proc/proc.h"

enum { OUTBOX_MAX = 6144 }; /* bytes in a record; the rest is not kept */

struct call_record {
	struct call call; /* without ref: it is over, and this was told */
	uint32_t n;       /* bytes of told */
	char told[OUTBOX_MAX];
};

/* For so many calls. */
void outbox_open(uint32_t calls);

/* A fact waits for outbox_send(); an order has been sent already. */
void outbox_put(uint32_t place, enum peer to, const struct msg *m);

/* The turn ends: all facts get their numbers. */
void outbox_number(void);
/* What was told of that place, into r; true when that was anything. */
bool outbox_pack(uint32_t place, struct call_record *r);
/* All records are committed: the facts go. */
void outbox_send(void);

/* A record from before: its facts are taken, and its orders. */
void outbox_restore(const struct call_record *r);
/* All were taken: the facts go that had not gone. */
void outbox_restored(void);
/* That neighbour is there: it hears the orders it may not have heard. */
void outbox_met(enum peer to);

#endif
