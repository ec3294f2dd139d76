/* tests/sim/sim_time - virtual time: what happens next; see sim.h */

#include "sim/sim.h"

static bool
earlier(const struct sim_event *a, const struct sim_event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

void
sim_later(struct sim *s, int64_t ms, sim_event_fn *fn, uint64_t a, uint64_t b)
{
	unsigned i = s->events++;
	struct sim_event ev = { s->now + ms * 1000, ++s->seq, fn, a, b };

	hf_assert(s->events <= SIM_EVENTS);
	for (; i > 0 && earlier(&ev, &s->event[(i - 1) / 2]); i = (i - 1) / 2)
		s->event[i] = s->event[(i - 1) / 2];
	s->event[i] = ev;
}

static struct sim_event
first_event(struct sim *s)
{
	struct sim_event first = s->event[0], last = s->event[--s->events];
	unsigned i = 0, child;

	while ((child = 2 * i + 1) < s->events) {
		if (child + 1 < s->events &&
		    earlier(&s->event[child + 1], &s->event[child]))
			child++;
		if (!earlier(&s->event[child], &last))
			break;
		s->event[i] = s->event[child];
		i = child;
	}
	s->event[i] = last;
	return first;
}

void
sim_commit(struct sim *s)
{
	uint32_t place;

	while ((place = engine_changed(s->engine)) != HF_MAP_NONE)
		s->slots[place] = s->engine->call[place];
	(void)engine_house_changed(s->engine, &s->house);
}

static void
leaves(struct sim *s, uint64_t a, uint64_t b)
{
	struct sim_actor *who = sim_find(s, s->leaver);

	(void)a;
	(void)b;
	if (who != NULL)
		sim_hangs_up(s, who, CAUSE_DONE, 0, "");
}

/* One more thing has happened to the engine. */
void
sim_moment(struct sim *s)
{
	sim_commit(s);
	if (++s->moments == s->leave_at)
		sim_later(s, 0, leaves, 0, 0);
}

void
sim_fact(struct sim *s, const struct msg *m)
{
	engine_fact(s->engine, m, (struct hf_time){ s->now }, &s->orders);
	sim_moment(s);
}

bool
sim_anything_open(const struct sim *s)
{
	for (unsigned i = 0; i < s->streams_seen; i++) {
		if (s->stream[i].open)
			return true;
	}
	for (unsigned i = 0; i < s->legs_seen; i++) {
		if (s->leg[i].state != LEG_FREE)
			return true;
	}
	return false;
}

bool
sim_run(struct sim *s, int64_t until, bool (*done)(struct sim *s, void *),
    void *arg)
{
	while (s->now <= until) {
		int64_t next = engine_next(s->engine).us;
		bool ticks = sim_anything_open(s);

		if (done != NULL && done(s, arg))
			return true;
		if (s->events > 0 && s->event[0].at < next)
			next = s->event[0].at;
		if (ticks && s->tick < next)
			next = s->tick;
		if (next > until)
			break;
		if (next > s->now)
			s->now = next;
		if (ticks && s->now >= s->tick)
			sim_media_tick(s);
		if (!ticks)
			s->tick = s->now;
		while (s->events > 0 && s->event[0].at <= s->now) {
			struct sim_event ev = first_event(s);

			ev.fn(s, ev.a, ev.b);
		}
		if (engine_next(s->engine).us <= s->now) {
			engine_time(
			    s->engine, (struct hf_time){ s->now }, &s->orders);
			sim_moment(s);
		}
	}
	if (until > s->now)
		s->now = until;
	return done != NULL && done(s, arg);
}
