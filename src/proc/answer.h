/*
 * proc/answer - long answers to operators' questions, told in slices: a row
 * when the channel has room for it and the keeper has asked for more, a few a
 * turn.  However much there is to say, a question costs a room neither its
 * channel nor a frame's time.
 *
 *      answer_begin -> [ question, cursor ] -> answer_pump, once a turn
 *
 * The keeper grants ASK_WINDOW bytes at first and more as the operator takes
 * them (ANSWER_MORE); nothing at all says that he has gone.
 */
#ifndef HF_PROC_ANSWER_H
#define HF_PROC_ANSWER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/time.h"
#include "proc/chan.h"
#include "proc/proc.h"

/* False when too many are being told at once. */
bool answer_begin(const struct msg_ask *q, proc_row_fn *next);

/* The keeper's ANSWER_MORE; of an answer that is over it means nothing. */
void answer_more(const struct msg_answer_more *m);

/* Tells some more.  True when it should be called again soon, though nothing
 * may happen until then. */
bool answer_pump(const struct chan *keeper, struct hf_time now);

#endif
