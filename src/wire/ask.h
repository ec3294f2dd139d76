/*
 * wire/ask - what an operator may ask (hfctl) and which room answers.
 *
 *      hfctl --ASK--> keeper --ASK--> room --REPLY...--> keeper ---> hfctl
 *
 * On RUN_DIR/control, a SOCK_SEQPACKET socket, a packet holds one or more
 * frames of wire/msg.def.  The keeper sets ASK's uid from the peer's
 * credentials, gives each ASK an id of its own towards the room, and puts
 * hfctl's back into the replies.  ASK_MEDIA goes to all workers and
 * ASK_SPOOLS to two rooms, ASK_ALL to every one; their rows are one answer,
 * which ends when the last has ended.
 *
 * A long answer comes in slices: see ANSWER_MORE and proc/answer.h.
 *
 * An answer is rows, a REPLY each, all but the last with more set; an empty
 * last row only ends it.  A REPLY with an error ends it as well: the text
 * says what is wrong; what to do.  A room that is away, or is silent until
 * the deadline, is said by the keeper: "hf-call does not answer; ...".
 *
 * A row is named values (wire/row.h); hfctl shows them in the order they
 * come, so a room adds a column by writing it.  The rows below name those
 * that others rely on: (s) text, (n) number, (b) bool, (t) wall, (d) span.
 */
#ifndef HF_WIRE_ASK_H
#define HF_WIRE_ASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"

enum ask_room {
	ASK_KEEPER,
	ASK_CALL,
	ASK_STORE,
	ASK_SIP,
	ASK_REC,
	ASK_MEDIA,
	ASK_SPOOLS, /* hf-call and hf-rec: who tells the store facts */
	ASK_ALL,    /* every room: the skeleton answers */
};

/* Bytes of rows that a room may tell before the keeper asks for more: eight
 * workers together stay below half a client's queue. */
#define ASK_WINDOW 65536

struct ask_verb {
	const char *name; /* in ASK's verb */
	enum ask_room room;
	uint8_t args_min, args_max;
	bool acts; /* root or the house's own user only; journalled */
	const char *args, *rows;
	const char *as; /* how the room calls it, when not the same */
};

extern const struct ask_verb ask_verbs[];
extern const size_t ask_verbs_nr;

/* NULL when there is no such verb. */
const struct ask_verb *ask_find(const char *name);

/* The nth word (from 0) of ASK's args as a C string in to; false, and an
 * empty string, when there are fewer or it does not fit. */
bool ask_word(struct hf_slice args, unsigned int nth, char *to, size_t cap);
unsigned int ask_words(struct hf_slice args);
/* Takes the first of them off; empty when there is none. */
struct hf_slice ask_next(struct hf_slice *args);

#endif
