/* logic/guard/watch - see watch.h */

#include "logic/guard/watch.h"

static struct hf_span
at_least(struct hf_span a, struct hf_span b)
{
	return a.us > b.us ? a : b;
}

static struct starve_conf
starve_conf(const struct conf_guard *g, enum judge judge)
{
	return (struct starve_conf){
		.suspect = g->suspect,
		.voice = at_least(g->voice, g->suspect),
		.lost = g->lost,
		/* Patience watches a bot meanwhile; nobody else a centre. */
		.hush = judge == JUDGE_EAR ? g->hush : g->patience_lost,
		.never = g->never,
		.grace_max = g->grace_max,
		.sign_max = g->sign_max,
	};
}

static struct patience_conf
patience_conf(const struct conf_guard *g)
{
	return (struct patience_conf){
		.prompt = g->patience_prompt,
		.lost = at_least(g->patience_lost, g->patience_prompt),
		.loop = g->loop,
		.loop_times = g->loop_times,
		.garbage = g->garbage,
		.word = g->word,
		.pause = g->pause,
	};
}

void
watch_begin(struct watch *w, struct patience *p, const struct conf_guard *g,
    enum judge judge, bool held, const struct starve_kin *kin,
    struct hf_time now)
{
	struct starve_conf s = starve_conf(g, judge);
	struct patience_conf c = patience_conf(g);

	watch_end(w);
	if (judge == JUDGE_NOBODY)
		return;
	w->on = true;
	starve_begin(&w->starve, &s, kin, now);
	if (held)
		(void)starve_hold(&w->starve, true, now);
	if (judge != JUDGE_EAR)
		return;
	w->patience = p;
	patience_begin(p, &c, now);
}

void
watch_end(struct watch *w)
{
	if (w->on)
		starve_end(&w->starve);
	w->on = false;
	w->patience = NULL;
}

bool
watch_held(const struct media *m)
{
	return m->direction != DIRECTION_SENDRECV;
}

unsigned
watch_hold(struct watch *w, bool helpers, bool on, struct hf_time now)
{
	struct hf_time last = w->starve.last;
	unsigned news = 0;

	if (!w->on)
		return 0;
	if (helpers)
		news = watch_starved(w, starve_hold(&w->starve, on, now),
		    w->starve.suppresses, last, now);
	if (w->patience != NULL && on)
		patience_rest(w->patience);
	return news;
}

unsigned
watch_age(struct watch *w, const struct starve_kin *kin, struct hf_time now)
{
	struct hf_time last = w->starve.last;
	unsigned news;

	if (!w->on)
		return 0;
	news = watch_starved(w, starve_age(&w->starve, kin, now),
	    w->starve.suppresses, last, now);
	if (w->patience != NULL)
		news |= watch_heard(patience_age(w->patience, now));
	return news;
}

void
watch_shift(struct watch *w, struct hf_span lateness, bool caller_waited,
    struct hf_time now)
{
	if (!w->on ||
	    (caller_waited && lateness.us <= w->starve.conf.suspect.us))
		return;
	starve_shift(&w->starve, lateness, now);
	if (w->patience != NULL)
		patience_shift(w->patience, lateness);
}

void
watch_sign(struct watch *w, struct hf_time now)
{
	if (w->on)
		starve_sign(&w->starve, now);
}

bool
watch_silent(const struct watch *w)
{
	return w->on && (w->starve.state == STARVE_SUSPECT ||
			    w->starve.state == STARVE_VOICED ||
			    w->starve.state == STARVE_LULL);
}

/* ---- news ---------------------------------------------------------------- */

unsigned
watch_starved(struct watch *w, enum starve_event e, bool suppressed,
    struct hf_time last, struct hf_time now)
{
	static const unsigned news[] = {
		[STARVE_NOTHING] = 0,
		[STARVE_HUSHED] = WATCH_COMFORT,
		[STARVE_RESUMED] = WATCH_CLEAR,
		[STARVE_SUSPECTED] = WATCH_COMFORT | WATCH_SUSPECT,
		[STARVE_SPOKEN_FOR] = WATCH_PROMPT | WATCH_VOICED,
		[STARVE_NEVER_CAME] =
		    WATCH_PROMPT | WATCH_SUSPECT | WATCH_VOICED,
		[STARVE_RETURNED] = WATCH_CLEAR | WATCH_WELL,
	};

	hf_assert((unsigned)e < HF_LEN(news));
	if (e == STARVE_RETURNED)
		w->gap = hf_time_since(last, now);
	return news[e] |
	       (!suppressed && w->starve.suppresses ? WATCH_SUPPRESSED : 0);
}

unsigned
watch_heard(enum patience_event e)
{
	static const unsigned news[] = {
		[PATIENCE_NOTHING] = 0,
		[PATIENCE_MUTE] = WATCH_MUTE,
		[PATIENCE_LOST] = WATCH_LOST,
		[PATIENCE_SPEAKS] = WATCH_SPEAKS,
		[PATIENCE_LOOPED] = WATCH_LOOPED,
		[PATIENCE_GARBLED] = WATCH_GARBLED,
	};

	hf_assert((unsigned)e < HF_LEN(news));
	return news[e];
}

static void
tell_mute(const struct watch *w, struct hf_ref stream, bool lost,
    struct hf_time now, struct msg *m)
{
	m->type = MSG_STREAM_MUTE;
	m->stream_mute.stream = stream;
	m->stream_mute.silent = hf_time_since(w->patience->turn_since, now);
	m->stream_mute.lost = lost;
}

static void
tell(const struct watch *w, enum watch_news one, struct hf_ref stream,
    struct hf_time now, struct msg *m)
{
	switch (one) {
	case WATCH_CLEAR:
	case WATCH_COMFORT:
	case WATCH_PROMPT:
		hf_never("not a fact");
	case WATCH_SUPPRESSED:
		m->type = MSG_STREAM_SUPPRESSED;
		m->stream_suppressed.stream = stream;
		break;
	case WATCH_SUSPECT:
		m->type = MSG_STREAM_SUSPECT;
		m->stream_suspect.stream = stream;
		if (w->starve.came)
			m->stream_suspect.last = w->starve.last;
		m->stream_suspect.pause = w->starve.hushed;
		m->stream_suspect.grace = w->starve.grace;
		break;
	case WATCH_VOICED:
		m->type = MSG_STREAM_VOICED;
		m->stream_voiced.stream = stream;
		if (w->starve.came)
			m->stream_voiced.last = w->starve.last;
		break;
	case WATCH_WELL:
		m->type = MSG_STREAM_WELL;
		m->stream_well.stream = stream;
		m->stream_well.gap = w->gap;
		break;
	case WATCH_MUTE:
	case WATCH_LOST:
		tell_mute(w, stream, one == WATCH_LOST, now, m);
		break;
	case WATCH_SPEAKS:
		m->type = MSG_STREAM_SPEAKS;
		m->stream_speaks.stream = stream;
		break;
	case WATCH_LOOPED:
		m->type = MSG_STREAM_LOOPED;
		m->stream_looped.stream = stream;
		m->stream_looped.times = w->patience->conf.loop_times;
		break;
	case WATCH_GARBLED:
		m->type = MSG_STREAM_GARBLED;
		m->stream_garbled.stream = stream;
		m->stream_garbled.clipped_pct = w->patience->clipped_pct;
		break;
	}
}

bool
watch_fact(const struct watch *w, unsigned *news, struct hf_ref stream,
    struct hf_time now, struct msg *m)
{
	unsigned facts = *news & ~(WATCH_CLEAR | WATCH_COMFORT | WATCH_PROMPT);
	unsigned one = facts & -facts;

	if (one == 0)
		return false;
	*m = (struct msg){ 0 };
	tell(w, (enum watch_news)one, stream, now, m);
	*news &= ~one;
	return true;
}
