/*
 * base/wheel - see wheel.h.
 *
 * A timer lies in the level where its tick and the present one first differ,
 * so level 0 holds this stretch of 256 ticks, level 1 this stretch of 65,536,
 * and so on; the lowest level that is not empty holds whatever comes first.
 * Only the topmost level goes round.
 */

#include "base/wheel.h"
#include "base/check.h"

#define SHIFT(level) (HF_WHEEL_BITS * (level))
#define BELOW(level) (((int64_t)1 << SHIFT(level)) - 1)
#define NO_TICK      INT64_MAX

static int64_t
index_of(int64_t tick, int level)
{
	return tick >> SHIFT(level) & (HF_WHEEL_SLOTS - 1);
}

/* Where does a timer of this tick belong, seen from the present one? */
static struct hf_list *
slot_for(struct hf_wheel *w, int64_t tick)
{
	const int top = HF_WHEEL_LEVELS - 1;

	if (tick - w->tick > BELOW(HF_WHEEL_LEVELS) - BELOW(top))
		/* Beyond the wheel: as late as it goes, sorted again then. */
		return &w->slot[top][index_of(
		    w->tick + BELOW(HF_WHEEL_LEVELS) - BELOW(top), top)];
	for (int level = 0; level < top; level++)
		if (((tick ^ w->tick) >> SHIFT(level + 1)) == 0)
			return &w->slot[level][index_of(tick, level)];
	return &w->slot[top][index_of(tick, top)];
}

static void
put(struct hf_wheel *w, struct hf_timer *t)
{
	int64_t tick = t->due.us / HF_WHEEL_TICK_US;

	if (t->due.us % HF_WHEEL_TICK_US > 0)
		tick++; /* never earlier than due */
	if (tick < w->tick)
		tick = w->tick;
	hf_list_push(slot_for(w, tick), &t->node);
}

/* The first tick at which there is anything to do: to fire, or to deal a slot
 * of a higher level out to the lower ones. */
static int64_t
next_tick(const struct hf_wheel *w)
{
	if (w->running == 0)
		return NO_TICK;
	for (int level = 0; level < HF_WHEEL_LEVELS; level++) {
		bool top = level == HF_WHEEL_LEVELS - 1;
		int64_t here = w->tick >> SHIFT(level);
		int64_t end = top ? HF_WHEEL_SLOTS
				  : HF_WHEEL_SLOTS - index_of(w->tick, level);

		/* A higher level's slot that we are inside of has been dealt
		 * out already. */
		for (int64_t i = level > 0; i < end; i++) {
			int64_t at = (here + i) & (HF_WHEEL_SLOTS - 1);
			if (!hf_list_empty(&w->slot[level][at]))
				return (here + i) << SHIFT(level);
		}
	}
	hf_never("a running timer is in no slot");
}

static void
take_all(struct hf_list *from, struct hf_list *to)
{
	hf_list_init(to);
	if (hf_list_empty(from))
		return;
	*to = *from;
	to->next->prev = to;
	to->prev->next = to;
	hf_list_init(from);
}

/* The only place where time moves.  At the start of a stretch its slot is
 * dealt out to the lower levels, before anything new is put there: else the
 * lowest level would no longer hold what comes first. */
static void
advance(struct hf_wheel *w, int64_t tick)
{
	w->tick = tick;
	for (int level = HF_WHEEL_LEVELS - 1; level > 0; level--) {
		struct hf_list list;

		if ((w->tick & BELOW(level)) != 0)
			continue;
		take_all(&w->slot[level][index_of(w->tick, level)], &list);
		HF_LIST_EACH_SAFE (it, &list) {
			hf_list_remove(it);
			put(w, HF_CONTAINER(it, struct hf_timer, node));
		}
	}
}

static void
fire(struct hf_wheel *w, struct hf_time now)
{
	struct hf_list list;

	take_all(&w->slot[0][index_of(w->tick, 0)], &list);
	advance(w, w->tick + 1); /* what a handler starts is for later */
	/* One at a time from the front: a handler may stop any of the rest. */
	while (!hf_list_empty(&list)) {
		struct hf_timer *t =
		    HF_CONTAINER(list.next, struct hf_timer, node);
		hf_list_remove(&t->node);
		t->due = HF_TIME_NEVER;
		w->running--;
		t->fn(t, now);
	}
}

void
hf_wheel_init(struct hf_wheel *w, struct hf_time now)
{
	hf_assert(now.us >= 0);
	w->tick = now.us / HF_WHEEL_TICK_US;
	w->running = 0;
	for (int level = 0; level < HF_WHEEL_LEVELS; level++)
		for (int i = 0; i < HF_WHEEL_SLOTS; i++)
			hf_list_init(&w->slot[level][i]);
}

void
hf_timer_init(struct hf_timer *t, hf_timer_fn *fn)
{
	hf_list_init(&t->node);
	t->due = HF_TIME_NEVER;
	t->fn = fn;
}

void
hf_timer_start(struct hf_wheel *w, struct hf_timer *t, struct hf_time due)
{
	hf_timer_stop(w, t);
	if (due.us == HF_TIME_NEVER.us)
		return;
	t->due = due;
	w->running++;
	put(w, t);
}

void
hf_timer_stop(struct hf_wheel *w, struct hf_timer *t)
{
	if (!hf_timer_running(t))
		return;
	hf_list_remove(&t->node);
	t->due = HF_TIME_NEVER;
	w->running--;
}

void
hf_wheel_turn(struct hf_wheel *w, struct hf_time now)
{
	int64_t last = now.us / HF_WHEEL_TICK_US;

	while (w->tick <= last) {
		int64_t next = next_tick(w);

		if (next > last) {
			advance(w, last + 1);
			break;
		}
		if (next > w->tick)
			advance(w, next);
		fire(w, now);
	}
}

struct hf_time
hf_wheel_next(const struct hf_wheel *w)
{
	int64_t tick = next_tick(w);

	if (tick == NO_TICK)
		return HF_TIME_NEVER;
	return (struct hf_time){ tick * HF_WHEEL_TICK_US };
}
