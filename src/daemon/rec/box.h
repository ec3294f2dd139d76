/*
 * daemon/rec/box - a voicemail box is a folder, a message is one wav file in
 * it (G.711 mu-law, 8 kHz) that carries its own story: who, when, which call.
 *
 *      .NAME.part  --keep: sizes, fsync, rename, fsync of the folder-->
 * NAME.wav
 *
 * A crash leaves a whole message or a .part; draft_adopt() goes on with it, so
 * that what had been said until then becomes a message at least.  Names come
 * from other rooms and from operators: only box_name_ok() ones ever become part
 * of a path, and no symbolic link is followed.
 *
 * Functions that return int: 0 or an errno.
 */
#ifndef HF_DAEMON_REC_BOX_H
#define HF_DAEMON_REC_BOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "base/pool.h"
#include "base/time.h"
#include "conf/conf.h"

enum {
	BOX_NAME_MAX = 64,
	BOX_BYTES_S = 8000,              /* mu-law: a byte a sample */
	BOX_BYTES_MIN = BOX_BYTES_S / 2, /* less is a click, not a message */
	/* Messages that are looked at in a box: as many as one may be told to
	 * hold, and those that were begun while there was room for one. */
	BOX_LIST_MAX = CONF_MESSAGES_MAX + 256,
	BOX_BUFFER = 4096,
};

/* What is known about a message. */
struct box_note {
	char from[64];
	struct hf_wall at;
	struct hf_ref call;
};

struct box_message {
	char name[BOX_NAME_MAX];
	struct box_note note;
	uint32_t bytes; /* of mu-law */
};

static inline struct hf_span
box_length(uint32_t bytes)
{
	return (struct hf_span){ (int64_t)bytes * 1000000 / BOX_BYTES_S };
}

/* Letters, digits, '-', '_' and '.', the first a letter or digit. */
bool box_name_ok(const char *name);

/* The folder of a box below the spool, made when it is not there. */
int box_open(int spool, const char *box, int *dir) HF_CHECK;

/* Messages, oldest first: names begin with their time.  The list is valid
 * until the next call; *n is at most BOX_LIST_MAX. */
int box_list(int dir, const char (**names)[BOX_NAME_MAX], uint32_t *n) HF_CHECK;

/* Opens a message; *fd stands at its first sample. */
int box_read(
    int dir, const char *name, struct box_message *out, int *fd) HF_CHECK;

int box_delete(int dir, const char *name) HF_CHECK;

/* The names of what a dead process left unfinished, for draft_adopt(). */
typedef void box_part_fn(const char *name, void *arg);
int box_parts(int dir, box_part_fn *fn, void *arg) HF_CHECK;

/* ---- a message while it is spoken -----------------------------------------
 */

struct draft {
	int dir; /* its own hold on the folder */
	int fd;
	int error; /* nothing more is written after the first */
	uint16_t held;
	struct box_message message;
	uint8_t buffer[BOX_BUFFER];
};

int draft_begin(struct draft *d, int dir, const char *name,
    const struct box_note *note) HF_CHECK;
/* Goes on where a dead process stopped.  EBADMSG: not even its header is
 * there; it is removed. */
int draft_adopt(struct draft *d, int dir, const char *name) HF_CHECK;
/* Trouble is kept in d->error and told by draft_keep. */
void draft_write(struct draft *d, const uint8_t *ulaw, uint32_t n);
/* ENODATA: too short, and gone.  Otherwise what could be written is kept even
 * when the disk filled up in the middle. */
int draft_keep(struct draft *d) HF_CHECK;
void draft_drop(struct draft *d);

#endif
