/* daemon/media/say - what a party hears when it does not come from the other
 * one: the hiss of an open line, prompts, music. */

#include <string.h>

#include "base/check.h"
#include "daemon/media/room.h"

enum {
	FRAME_MAX = VOICE_PTIME_MAX * G711_PER_MS,
	WAIT_MAX = 200, /* frames for a disk: then the message is over */
};

bool
say_ours(const struct stream *s)
{
	return s->source == SOURCE_COMFORT || s->source == SOURCE_CLIP ||
	       (s->source == SOURCE_PARTNER && s->bridge != BRIDGE_NONE);
}

static struct hf_span
frame_span(const struct stream *s)
{
	return hf_ms(s->voice.format.ptime_ms);
}

/* Our own voice begins, unless it is speaking already: then the words change
 * and the rhythm does not. */
static void
begin(struct stream *s, bool before, struct hf_time now)
{
	if (!say_ours(s)) {
		s->say_due = HF_TIME_NEVER;
		if (before)
			voice_turn(&s->voice);
		return;
	}
	if (!before) {
		voice_turn(&s->voice);
		s->say_due = now;
	}
	tick_at(s, s->say_due);
}

void
say_source(struct stream *s, enum source source, struct hf_time now)
{
	bool before = say_ours(s);

	s->source = source;
	if (source != SOURCE_PARTNER)
		s->bridge = BRIDGE_NONE;
	else if (!before)
		voice_turn(&s->voice); /* another partner, perhaps */
	begin(s, before, now);
}

/* Another list; a message that was being said is not needed any more. */
static void
replace(struct stream *s, const struct play *p)
{
	if (s->play.message != p->message)
		sound_done(s->play.message);
	s->play = *p;
}

void
say_bridge(struct stream *s, enum bridge bridge, struct hf_time now)
{
	bool before = say_ours(s);

	if (s->source != SOURCE_PARTNER || s->bridge == bridge)
		return;
	s->bridge = bridge;
	if (bridge == BRIDGE_PROMPT)
		replace(s, &(struct play){
			       .list = { PROMPT_ONE_MOMENT },
			       .n = 1,
			       .after = AFTER_SILENCE,
			       .told = true,
			   });
	begin(s, before, now);
}

void
say_play(struct stream *s, const struct play *p, struct hf_time now)
{
	replace(s, p);
	say_source(s, SOURCE_CLIP, now);
}

void
say_end(struct stream *s)
{
	replace(s, &(struct play){ 0 });
}

/* ---- the sounds of a list ------------------------------------------------ */

static bool
is_music(uint8_t sound)
{
	return sound >= PROMPT_MUSIC;
}

/* The sound that is to be played now; NULL at the end of the list. */
static const struct clip *
current(const struct stream *s)
{
	const struct play *p = &s->play;

	if (p->message != 0 || p->at >= p->n)
		return NULL;
	return prompt_clip(&room.book, p->list[p->at]);
}

/* Music goes on where an announcement interrupted it. */
static void
remember_music(struct stream *s)
{
	const struct play *p = &s->play;

	if (p->message == 0 && p->at < p->n && is_music(p->list[p->at]))
		s->music_sample = p->sample;
}

static void
next_sound(struct stream *s)
{
	struct play *p = &s->play;

	p->at++;
	p->sample = 0;
	if (p->at < p->n && is_music(p->list[p->at])) {
		if (s->music != p->list[p->at])
			s->music_sample = 0;
		s->music = p->list[p->at];
		p->sample = s->music_sample;
	}
}

static void
tell_ended(struct stream *s)
{
	struct msg m = { .type = MSG_PROMPT_ENDED };

	if (s->play.told)
		return;
	s->play.told = true;
	m.prompt_ended.stream = s->ref;
	m.prompt_ended.id = s->play.id;
	stream_tell(s, &m);
}

/* The list is over; who speaks now? */
static void
finish(struct stream *s, struct hf_time now)
{
	tell_ended(s);
	if (s->source != SOURCE_CLIP) { /* the bridge: a quiet line */
		s->bridge = BRIDGE_COMFORT;
		return;
	}
	switch ((enum after)s->play.after) {
	case AFTER_SILENCE:
		s->source = SOURCE_COMFORT;
		break;
	case AFTER_MUSIC:
		replace(s, &(struct play){
			       .list = { s->music },
			       .n = 1,
			       .sample = s->music_sample,
			       .told = true,
			   });
		break;
	case AFTER_PARTNER:
		s->source = SOURCE_PARTNER;
		s->bridge = s->partner != NULL && guard_silent(s->partner)
				? BRIDGE_COMFORT
				: BRIDGE_NONE;
		begin(s, true, now);
		break;
	}
}

static bool
plays(const struct stream *s)
{
	return s->source == SOURCE_CLIP ||
	       (s->source == SOURCE_PARTNER && s->bridge == BRIDGE_PROMPT);
}

/* Copies what the clip still has, at most n; loops begin again. */
static uint16_t
take(struct stream *s, const struct clip *c, uint8_t *to, uint16_t n)
{
	struct play *p = &s->play;
	uint16_t done = 0;

	if (p->sample >= c->n && c->loops)
		p->sample %= c->n;
	while (done < n && p->sample < c->n) {
		uint32_t some = c->n - p->sample;

		if (some > (uint32_t)(n - done))
			some = (uint32_t)(n - done);
		memcpy(
		    to + done, c->law[s->voice.format.law] + p->sample, some);
		done = (uint16_t)(done + some);
		p->sample += some;
		if (p->sample == c->n && c->loops)
			p->sample = 0;
	}
	return done;
}

/* The same of a message; false when it is over.  Less than n: the rest has not
 * come from the disk yet. */
static bool
take_message(struct stream *s, uint8_t *to, uint16_t n, uint16_t *got)
{
	struct play *p = &s->play;

	*got = n;
	if (p->at != 0 || p->waited > WAIT_MAX ||
	    !sound_read(p->message, p->sample,
		(enum g711_law)s->voice.format.law, to, got)) {
		p->at = 1;
		sound_done(p->message);
		return false;
	}
	p->sample += *got;
	p->waited = *got > 0 ? 0 : (uint8_t)(p->waited + 1);
	return true;
}

static void
fill_comfort(struct stream *s, uint8_t *to, uint16_t n)
{
	const struct clip *c = &room.book.comfort;
	/* Where in the hiss does not matter; that it moves does. */
	uint32_t at = s->voice.ts % (c->n - FRAME_MAX);

	memcpy(to, c->law[s->voice.format.law] + at, n);
}

/* One frame of whatever is to be heard; the list may end inside it. */
static void
fill(struct stream *s, uint8_t *to, uint16_t n, struct hf_time now)
{
	uint16_t done = 0;

	while (done < n && plays(s)) {
		const struct clip *c = current(s);
		uint16_t got;

		if (s->play.message != 0 &&
		    take_message(s, to + done, (uint16_t)(n - done), &got)) {
			done = (uint16_t)(done + got);
			if (got == 0)
				break;
			continue;
		}
		if (c == NULL) {
			finish(s, now);
			continue;
		}
		done = (uint16_t)(done +
				  take(s, c, to + done, (uint16_t)(n - done)));
		remember_music(s);
		if (done < n)
			next_sound(s);
	}
	if (done < n)
		fill_comfort(s, to + done, (uint16_t)(n - done));
}

static void
note_hole(struct stream *s, struct hf_time now)
{
	struct hf_span hole = voice_hole(&s->voice, now);

	if (hole.us > s->hole.us)
		s->hole = hole;
	if (hole.us > s->hole_max.us)
		s->hole_max = hole;
}

static void
say_frame(struct stream *s, struct hf_time at, struct hf_time now)
{
	static uint8_t memory[RTP_HEADER_LEN + FRAME_MAX];
	uint16_t n = (uint16_t)(s->voice.format.ptime_ms * G711_PER_MS);
	uint8_t *frame = memory + RTP_HEADER_LEN;

	fill(s, frame, n, now);
	if (!s->may_send)
		return; /* on hold: the music moves on all the same */
	note_hole(s, now);
	port_send(s, voice_say(&s->voice, frame, n, at),
	    (uint16_t)(n + RTP_HEADER_LEN));
}

/* The helper has joined and says nothing yet: the line is open, nothing more
 * is meant by it. */
static void
bridge_start(struct stream *s, struct hf_time now)
{
	s->bridge_due = HF_TIME_NEVER;
	if (s->source == SOURCE_PARTNER && s->partner != NULL &&
	    s->bridge == BRIDGE_NONE &&
	    hf_time_since(s->voice.at, now).us >=
		guard_conf(s->partner)->fresh.us)
		say_bridge(s, BRIDGE_COMFORT, now);
}

void
say_age(struct stream *s, struct hf_time now)
{
	int frames = 0;

	if (!hf_time_before(now, s->bridge_due))
		bridge_start(s, now);

	while (say_ours(s) && !hf_time_before(now, s->say_due)) {
		struct hf_time at = s->say_due;

		/* So late that catching up would be a burst: what was not
		 * said in time is said now, from here on. */
		if (++frames > CATCH_UP ||
		    hf_time_since(at, now).us > CATCH_UP * frame_span(s).us)
			at = now;
		s->say_due = hf_time_after(at, frame_span(s));
		say_frame(s, at, now);
	}
	if (!say_ours(s))
		s->say_due = HF_TIME_NEVER;
}

void
say_relay(struct stream *to, struct rtp_packet *p, enum voice_kind kind,
    struct hf_time now)
{
	uint16_t n;
	uint8_t *out;

	if (to->source != SOURCE_PARTNER || !to->may_send)
		return;
	/* The guard has had its say: whoever sends again may speak again.  A
	 * key pressed while we speak still reaches the other side. */
	if (to->bridge != BRIDGE_NONE && kind == VOICE_CN)
		return;
	if (to->bridge != BRIDGE_NONE && kind != VOICE_DTMF)
		say_bridge(to, BRIDGE_NONE, now);
	note_hole(to, now);
	out = voice_relay(&to->voice, p, kind, now, &n);
	if (out != NULL)
		port_send(to, out, n);
}
