/*
 * proc/control - the words of an operator's question, as C strings in place.
 * The keeper sees to it that the last one has its end, so a room need not copy.
 */
#ifndef HF_PROC_CONTROL_H
#define HF_PROC_CONTROL_H

#include <stddef.h>
#include <string.h>

#include "wire/msg.h"

/* The next word of an ASK's args: from *at = 0 on; NULL at the end. */
static inline const char *
control_word(const struct msg_ask *ask, size_t *at)
{
	const char *word = (const char *)ask->args.p + *at;
	const char *end;

	if (*at >= ask->args.n)
		return NULL;
	end = memchr(word, '\0', ask->args.n - *at);
	if (end == NULL)
		return NULL; /* a word without end is none */
	*at += (size_t)(end - word) + 1;
	return word;
}

#endif
