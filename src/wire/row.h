/*
 * wire/row - one row of an answer to an operator: named values.  The room that
 * owns the truth writes rows; hfctl prints them as a table or as JSON.
 *
 * Bytes: for each value its type ('s' text, 'n' number, 'b' bool, 't' wall
 * time, 'd' span; the last two in microseconds), u8 length of the name, name,
 * u16 length of the value, value as text.
 */
#ifndef HF_WIRE_ROW_H
#define HF_WIRE_ROW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/time.h"

#define ROW_MAX 8000

void row_text(struct hf_buf *b, const char *name, const char *v);
/* Bytes as they are, NUL and all. */
void row_slice(struct hf_buf *b, const char *name, struct hf_slice v);
void row_number(struct hf_buf *b, const char *name, int64_t v);
void row_bool(struct hf_buf *b, const char *name, bool v);
void row_wall(struct hf_buf *b, const char *name, struct hf_wall v);
void row_span(struct hf_buf *b, const char *name, struct hf_span v);

struct row_value {
	char type;
	struct hf_slice name;
	struct hf_slice value; /* as text, whatever the type */
};

/* Takes the next value from *in; false at the end or when it is malformed
 * (*in is then empty, respectively not). */
bool row_next(struct hf_slice *in, struct row_value *out);

#endif
