/*
 * wire/codec - messages between the rooms as bytes, and back.  The tables come
 * from wire/msg.def; here is the one walker for encode, decode and print, so
 * that a new message is a new row and no new code.
 *
 *      frame: u16 length of all, u16 type, u32 boot, u32 seq, fields in order
 *
 * What comes in is checked as if a stranger had sent it: the room at the other
 * end parses the network and may have been taken over.
 */
#ifndef HF_WIRE_CODEC_H
#define HF_WIRE_CODEC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"

#define MSG_HEADER_LEN 12

enum wire_kind {
	WIRE_BOOL,
	WIRE_U8,
	WIRE_U16,
	WIRE_U32,
	WIRE_U64,
	WIRE_I64,
	WIRE_TIME,
	WIRE_WALL,
	WIRE_SPAN,
	WIRE_ADDR,
	WIRE_REF,
	WIRE_ENUM,
	WIRE_RECORD,
	WIRE_TEXT,
	WIRE_BYTES,
};

struct wire_enum {
	const char *const *word;
	uint32_t n;
};

struct wire_field {
	const char *name;
	enum wire_kind kind;
	bool personal;   /* masked in traces */
	uint16_t at;     /* offset in its struct */
	uint16_t cap;    /* text and bytes */
	const void *sub; /* struct wire_enum or struct wire_shape */
};

struct wire_shape {
	const struct wire_field *field;
	uint16_t n;
	uint16_t size;
};

struct wire_msg {
	const char *name;
	const char *kind; /* "fact", "order", "view", "ask" */
	const struct wire_shape *shape;
	uint64_t ways; /* bit from * ROOM_NR + to */
};

/* By enum msg_type; [0] is empty. */
extern const struct wire_msg wire_msgs[];
extern const unsigned wire_msgs_nr;

struct msg;

/* Appends one frame.  False when it does not fit; nothing is written then.
 * A message of ours that breaks its own rules (a text without end, a word
 * that is not in its enum) is our bug and dies. */
bool msg_encode(struct hf_buf *b, const struct msg *m);

/* Takes the next frame from *in.  False when it is not exactly one message of
 * ours: *in is then worthless, and so is *out.  Of text only what is used is
 * written, so compare texts as strings. */
bool msg_decode(struct hf_slice *in, struct msg *out);

/* "LEG_ARRIVED", or "?". */
const char *msg_name(unsigned type);

/* "LEG_ARRIVED leg=17 number=* ...": what is private shows as a star, bytes
 * show as their count. */
void msg_print(struct hf_buf *b, const struct msg *m);

#endif
