/* proc/answer - see answer.h */

#include "proc/answer.h"
#include "base/check.h"
#include "wire/ask.h"
#include "wire/row.h"

enum {
	QUESTIONS_MAX = 16,           /* at once; the keeper has few clients */
	SLICE_ROWS = 64,              /* a turn: less than half a millisecond */
	LEAST = CHAN_QUEUE_BYTES / 2, /* of the channel, for everything else */
};

struct question {
	proc_row_fn *next; /* NULL: free */
	uint64_t at;
	int64_t credit; /* bytes of rows the keeper still takes */
	struct msg_ask ask;
};

static struct question questions[QUESTIONS_MAX];

bool
answer_begin(const struct msg_ask *q, proc_row_fn *next)
{
	for (size_t i = 0; i < HF_LEN(questions); i++) {
		struct question *a = &questions[i];

		if (a->next != NULL)
			continue;
		a->next = next;
		a->at = 0;
		a->credit = ASK_WINDOW;
		a->ask = *q;
		return true;
	}
	return false;
}

void
answer_more(const struct msg_answer_more *m)
{
	for (size_t i = 0; i < HF_LEN(questions); i++) {
		struct question *a = &questions[i];

		if (a->next == NULL || a->ask.id != m->id)
			continue;
		a->credit += m->bytes;
		if (m->bytes == 0)
			a->next = NULL; /* nobody listens any more */
	}
}

/* One row, or the end of the answer. */
static void
tell(struct question *a)
{
	static char memory[ROW_MAX];
	struct hf_buf row = hf_buf_on(memory, sizeof(memory));
	bool more = a->next(&a->ask, &a->at, &row);

	proc_reply(a->ask.id, NULL, memory, more ? (uint16_t)row.n : 0U, more);
	a->credit -= (int64_t)row.n;
	if (!more)
		a->next = NULL;
}

bool
answer_pump(const struct chan *keeper, struct hf_time now)
{
	bool again = false;

	for (size_t i = 0; i < HF_LEN(questions); i++) {
		struct question *a = &questions[i];

		/* The keeper has said so to the operator. */
		if (a->next != NULL && hf_time_before(a->ask.deadline, now))
			a->next = NULL;
		for (int n = 0; n < SLICE_ROWS && a->next != NULL &&
				a->credit > 0 && chan_waiting(keeper) < LEAST;
		     n++)
			tell(a);
		again = again || (a->next != NULL && a->credit > 0);
	}
	/* A channel that stands still wakes us when it moves. */
	return again && !keeper->blocked;
}
