/*
 * base/wheel - timers by absolute deadline: a hierarchical wheel (Varghese and
 * Lauck 1987), start and stop in O(1).  A timer is embedded in the thing it
 * wakes.  Deadlines are kept, not countdowns, so a process that was stopped
 * or restarted fires what is due and shifts nothing.
 */
#ifndef HF_BASE_WHEEL_H
#define HF_BASE_WHEEL_H

#include "base/list.h"
#include "base/time.h"

struct hf_timer;
typedef void hf_timer_fn(struct hf_timer *t, struct hf_time now);

struct hf_timer {
	struct hf_list node;
	struct hf_time due; /* HF_TIME_NEVER when not running */
	hf_timer_fn *fn;
};

#define HF_WHEEL_TICK_US  1000
#define HF_WHEEL_BITS	  8
#define HF_WHEEL_SLOTS	  (1 << HF_WHEEL_BITS)
#define HF_WHEEL_LEVELS	  4 /* 1 ms << 32: 49 days */

struct hf_wheel {
	int64_t tick; /* all ticks below this one have fired */
	uint32_t running;
	struct hf_list slot[HF_WHEEL_LEVELS][HF_WHEEL_SLOTS];
};

void hf_wheel_init(struct hf_wheel *w, struct hf_time now);

/* Once, before the timer's first start. */
void hf_timer_init(struct hf_timer *t, hf_timer_fn *fn);

/* Starts, or moves, the timer.  A deadline in the past fires at the next
 * turn; never earlier than due, at most one tick later. */
void hf_timer_start(struct hf_wheel *w, struct hf_timer *t, struct hf_time due);
void hf_timer_stop(struct hf_wheel *w, struct hf_timer *t);

static inline bool
hf_timer_running(const struct hf_timer *t)
{
	return t->due.us != INT64_MAX;
}

/* Fires all that is due; handlers may start and stop any timer. */
void hf_wheel_turn(struct hf_wheel *w, struct hf_time now);

/* When to call hf_wheel_turn() next; may be early (a cascade), never late. */
struct hf_time hf_wheel_next(const struct hf_wheel *w);

#endif
