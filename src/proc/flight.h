/*
 * proc/flight - the flight recorder: the last log lines of every level and the
 * last messages of a process, in a ring file on tmpfs that outlives it.  When
 * a room dies the keeper reads what its last words were.
 *
 * Messages are kept as time, direction, type and their first eight bytes (the
 * leg, the stream or the call); their contents are not, because they name
 * people.
 */
#ifndef HF_PROC_FLIGHT_H
#define HF_PROC_FLIGHT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

enum {
	FLIGHT_LINES = 512,
	FLIGHT_LINE_MAX = 248,
	FLIGHT_MESSAGES = 8192,
};

/* A new file at path (an old one becomes path.old).  0 or errno; without a
 * file everything below does nothing. */
int flight_open(const char *path);

/* One line, without its end; the rest of a longer one is cut. */
void flight_note(const char *line, size_t n);

/* One message to or from a neighbour. */
void flight_message(struct hf_time now, uint8_t peer, bool sent, uint16_t type,
    const void *body);

/* The newest line of the file at path that begins with or holds word; false
 * when there is none.  The file is another process's: nothing in it is
 * believed. */
bool flight_last(const char *path, const char *word, char *to, size_t cap);

/* One message of the recording: what it was about is its first eight bytes. */
struct flight_moment {
	struct hf_time at;
	uint8_t peer; /* enum peer */
	bool sent;
	uint16_t type;
	uint64_t about;
};

/* Everything that the file at path holds, the oldest first: the lines, then
 * the messages.  False when it is not a recording of this version. */
bool flight_read(const char *path, void (*line)(const char *text),
    void (*moment)(const struct flight_moment *m));

#endif
