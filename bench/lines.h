/*
 * bench/lines - many streams of sound, leanly: each has a connected socket and
 * a place in the 20 ms; every millisecond those whose place it is send one
 * packet.  What comes waits in the kernel, stamped with its arrival, until it
 * is convenient to read it, so that the generator's own lateness is not taken
 * for the house's.
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
	int fd;
	int voice;
	bool talks;
	bool listens; /* keep what comes; else it is only counted */
	/* A bad path, of our making, in either direction. */
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
};

struct lines;

struct lines *lines_new(void);
void lines_free(struct lines *);

/* The line of this call; its remote address must be agreed.  NULL: no room. */
struct line *lines_add(struct lines *, struct ua_call *);
/* Its socket is closed: whoever sends to it meets ICMP. */
void line_close(struct line *);

/* One millisecond: sends what is due, reads what it is time to read, and waits
 * for the next.  Returns how late it came, us. */
int64_t lines_turn(struct lines *, struct ua_world *);

/* Reads everything that is there. */
void lines_drain(struct lines *);

/* How late the turns were: the nth percentile in us since the last call. */
int64_t lines_lateness(struct lines *, int percent);

#endif
