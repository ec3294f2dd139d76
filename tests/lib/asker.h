/*
 * tests/lib/asker - asks the house like hfctl, in few lines, for tests.
 */
#ifndef HF_LIB_ASKER_H
#define HF_LIB_ASKER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/time.h"
#include "wire/msg.h"

/* The control socket of the house whose run-time directory this is, or -1 and
 * errno. */
int asker_connect(const char *run_dir);

/* Asks: args are n words.  0 or errno. */
int asker_ask(int fd, uint32_t id, const char *verb, char *const *args,
    size_t n, struct hf_span wait);

/* Waits for the next REPLY; one connection a process.  0 or errno: ETIMEDOUT,
 * EPROTO, ECONNRESET when the keeper went. */
int asker_reply(int fd, struct msg *reply, struct hf_span wait);

#endif
