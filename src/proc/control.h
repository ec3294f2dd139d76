/*
 * proc/control - how an operator's command reaches the house: RUN_DIR/control,
 * a unix SOCK_SEQPACKET socket of the keeper; a datagram is one ASK, or one
 * or more REPLYs (wire/codec.h).
 *
 *      hfctl  --ASK id verb args-->  keeper  --> the rooms that know
 *             <--REPLY id row, more-         <--
 *             <--REPLY id, not more-
 *
 * The kernel says who asks; root, the keeper's own user and the group
 * holdfast may.  An ASK is answered before its deadline, with an error if
 * need be, so waiting has an end.
 */
#ifndef HF_PROC_CONTROL_H
#define HF_PROC_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "base/check.h"
#include "base/time.h"
#include "wire/msg.h"

#define CONTROL_NAME  "control"
#define CONTROL_GROUP "holdfast"

enum {
	CONTROL_WAIT_MS = 5000, /* what a question takes at most, unless said */
	CONTROL_WAIT_MAX_MS = 60000, /* the keeper grants no more */
};

/* The socket of the house whose run-time directory this is, or -1 and errno:
 * ENOENT and ECONNREFUSED when nobody is at home, EACCES. */
int control_connect(const char *run_dir);

/* Asks: args are n words.  0 or errno. */
int control_ask(int fd, uint32_t id, const char *verb, char *const *args,
    size_t n, struct hf_span wait);

/* Waits for the next REPLY; one connection a process.  0 or errno: ETIMEDOUT,
 * EPROTO, ECONNRESET when the keeper went. */
int control_reply(int fd, struct msg *reply, struct hf_span wait);

/* The next word of an ASK's args: from *at = 0 on; NULL at the end.  For the
 * rooms that answer. */
const char *control_word(const struct msg_ask *ask, size_t *at);

#endif
