/*
 * bench/lines - many streams of sound, leanly: each has a connected socket and
 * a place in the 20 ms; every millisecond those whose place it is send one
 * packet.  What comes waits in the kernel, stamped with its arrival, until it
 * is convenient to read it, so that the generator's own lateness is not taken
 * for the house's.
 *
 * Who does not listen can be deaf: the kernel throws away what comes for it, as
 * a machine far away would, and its port stays open.
 *
 * Signalling is tests/lib/ua's; a call's sockets are handed over here
 * (ua_manner.foreign_media).
 */
#ifndef HF_BENCH_LINES_H
#define HF_BENCH_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lib/ua.h"

enum { LINES_MAX = 4000, LINES_SLOTS = 20 };

/* One packet that came to a line that listens closely. */
struct line_heard {
	int64_t at; /* us, monotonic; path delay of our own making included */
	int8_t whose;
};

struct line {
	struct ua_call *call;
	int fd; /* -1: it is over */
	int voice;
	bool talks;
	bool listens; /* keep what comes; else it is only looked at */
	int loss_pct, jitter_ms;
	/* sending */
	uint32_t slot, ssrc, ts, frame;
	uint16_t seq;
	int64_t last_sent, late_until;
	uint64_t sent;
	/* heard */
	struct line_heard *heard;
	size_t hears, heard_cap;
	int64_t last_heard;
	uint64_t came;
	uint64_t voices; /* bits: whom one who does not listen has heard */
};

struct lines;

struct lines *lines_new(void);
/* Once the house is up: from here on this thread has the last processor, and
 * goes before all others. */
void lines_start(struct lines *);
void lines_free(struct lines *);

/* The line of this call; its remote address must be agreed.  listens: keep what
 * comes.  NULL: no room. */
struct line *lines_add(struct lines *, struct ua_call *, bool listens);
/* Nothing is sent or heard any more; the socket stays open. */
void line_end(struct line *);
/* Nothing is sent any more.  Returns when the last packet was. */
int64_t line_hush(struct line *);
/* A bad path, of our making, in either direction. */
void line_path(struct line *, int loss_pct, int jitter_ms);
/* Its socket is closed: whoever sends to it meets ICMP. */
void line_close(struct line *);

/* All lines that do not listen, and those to come, are deaf, or hear again. */
void lines_deaf(struct lines *, bool);

/* One millisecond: signalling, then what is due; waits for the next. */
void lines_turn(struct lines *, struct ua_world *);

/* Reads everything that is there. */
void lines_drain(struct lines *);

/* How late the milliseconds were since this was last asked, us. */
void lines_lateness(struct lines *, int64_t *p99, int64_t *max);

#endif
