/*
 * tests/lib/msg_random - any message, filled with anything that its table
 * allows.  Walks the same table as the codec, so a new row in wire/msg.def is
 * tested without a new line here.
 */
#ifndef HF_LIB_MSG_RANDOM_H
#define HF_LIB_MSG_RANDOM_H

#include "wire/msg.h"

/* The whole of m is written; seed picks the contents. */
void msg_random(struct msg *m, enum msg_type type, uint64_t seed);

/* Do a and b say the same?  Texts are compared as strings. */
bool msg_same(const struct msg *a, const struct msg *b);

#endif
