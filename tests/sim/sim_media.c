/* tests/sim/sim_media - an hf-media without sockets: whoever sends does so
 * every 20 ms, logic/guard/watch judges it as in the real one, and what
 * everybody hears is noted.  And an hf-rec without a disk.  See sim.h */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prompt.h"
#include "sim/sim.h"

enum {
	INTERVAL_US = 20000,
	FRAME_MS = 20,
	TICKS = 8, /* timestamp units in a millisecond */
	NOTHING_US = 200000,
	AGAIN_FRAMES = 100, /* the same 2 s: a loop */
	TALK_FRAMES = 25,   /* who suppresses silence: so long, ... */
	LULL_FRAMES = 25,   /* ... and then so long nothing */
	LOUD = 50,          /* dB of speech, and as much above it */
	LOUDER = 24,
	NOISY = 70,
};

static struct sim_stream *
stream_of(struct sim *s, struct hf_ref ref)
{
	hf_assert(ref.n < SIM_STREAMS);
	return &s->stream[ref.n];
}

static uint32_t
place_of(const struct sim *s, const struct sim_stream *t)
{
	return (uint32_t)(t - s->stream);
}

static struct sim_leg *
leg_at(struct sim *s, uint32_t stream)
{
	struct sim_leg *l = &s->leg[s->leg_of[stream]];

	if (l->state != LEG_FREE && l->stream == stream)
		return l;
	for (unsigned i = 0; i < s->legs_seen; i++) {
		if (s->leg[i].state == LEG_FREE || s->leg[i].stream != stream)
			continue;
		s->leg_of[stream] = (uint16_t)i;
		return &s->leg[i];
	}
	return NULL;
}

/* Does a packet leave the party at this stream about now? */
static bool
sends(struct sim *s, uint32_t stream)
{
	const struct sim_leg *l = leg_at(s, stream);
	const struct sim_actor *a;

	if (l == NULL || (l->state != LEG_TALKS && !(l->early && l->ours)))
		return false;
	a = &s->actor[l->actor];
	return !a->dead && !a->closed && !a->media_dead && !a->will.no_media &&
	       !l->holds && s->now >= a->cut_until;
}

/* ---- prompts ------------------------------------------------------------- */

static int64_t
prompt_us(uint8_t number)
{
	switch (number) {
	case PROMPT_ONE_MOMENT:
		return 2000000;
	case PROMPT_BEEP:
	case PROMPT_CONFIRM:
	case PROMPT_REFUSE:
		return 300000;
	default:
		return number >= PROMPT_MUSIC ? INT64_MAX / 4 : 900000;
	}
}

static int
prompt_sound(uint8_t number)
{
	switch (number) {
	case PROMPT_BEEP:
	case PROMPT_CONFIRM:
	case PROMPT_REFUSE:
		return SOUND_BEEP;
	case PROMPT_GOODBYE:
		return SOUND_GOODBYE;
	case PROMPT_RINGBACK:
		return SOUND_RINGBACK;
	default:
		return number >= PROMPT_MUSIC ? SOUND_MUSIC : SOUND_VOICE;
	}
}

/* The number in the list that is being said now, or 0 behind its end. */
static uint8_t
prompt_now(const struct sim *s, const struct sim_stream *t)
{
	int64_t at = s->now - t->prompt_began;

	if (t->prompt.message != 0)
		return at < 2000000 ? PROMPT_ONE_MOMENT : 0;
	for (unsigned i = 0; i < t->prompt.list.n; i++) {
		at -= prompt_us(t->prompt.list.p[i]);
		if (at < 0)
			return t->prompt.list.p[i];
	}
	return 0;
}

static void
prompt_ended(struct sim *s, uint64_t stream, uint64_t id)
{
	struct msg m = { .type = MSG_PROMPT_ENDED };

	m.prompt_ended.stream = s->stream[stream].ref;
	m.prompt_ended.id = (uint32_t)id;
	sim_fact(s, &m);
}

static void
prompt_tick(struct sim *s, struct sim_stream *t)
{
	if (!t->playing || t->prompt.id == 0 || prompt_now(s, t) != 0)
		return;
	if (t->prompt.list.n > 0 || t->prompt.message != 0)
		sim_later(s, 1, prompt_ended, place_of(s, t), t->prompt.id);
	t->prompt.id = 0; /* told */
}

/* ---- the clocks ---------------------------------------------------------- */

static void
fact_of(struct sim *s, struct sim_stream *t, enum msg_type type)
{
	struct msg m = { .type = type };

	m.stream_spoke.stream = t->ref;
	sim_fact(s, &m);
}

static struct starve_kin *
kin_of(struct sim *s, const struct sim_stream *t)
{
	return &s->kin[t->row < CONF_HELPERS_MAX ? t->row : CONF_HELPERS_MAX];
}

static const struct conf_guard *
guard_of(const struct sim *s, const struct sim_stream *t)
{
	return t->row == CONF_NONE ? &s->conf.guard
				   : &s->conf.helper[t->row].guard;
}

/* What its watch says of this helper: the caller hears it at once, hf-call with
 * the next tell_call(). */
static void
obey(struct sim *s, struct sim_stream *h, unsigned news)
{
	struct hf_time now = { s->now };
	struct msg *m = &s->told[s->tolds];
	unsigned bridge = news & (WATCH_COMFORT | WATCH_PROMPT);

	if (news == 0)
		return;
	if (bridge != 0 && h->bridge == 0)
		h->hole = hf_time_since(h->watch.starve.last, now);
	if (news & WATCH_PROMPT)
		h->voice_at = s->now;
	if (bridge != 0 || news & WATCH_CLEAR)
		h->bridge = bridge;
	for (; watch_fact(&h->watch, &news, h->ref, now, m); m++) {
		if (m->type == MSG_STREAM_VOICED)
			m->stream_voiced.gap = h->hole;
		else if (m->type == MSG_STREAM_WELL)
			m->stream_well.heard = h->hole;
		hf_assert(++s->tolds < SIM_TOLD);
	}
}

/* Its orders may change everything here, and bring more to tell. */
static void
tell_call(struct sim *s)
{
	for (unsigned i = 0; i < s->tolds; i++)
		sim_fact(s, &s->told[i]);
	s->tolds = 0;
}

/* Loudness of the n-th frame of speech: no two stretches are alike. */
static uint8_t
loudness(uint32_t n)
{
	n = (n ^ n >> 16) * 0x85ebca6bu;
	n = (n ^ n >> 13) * 0xc2b2ae35u;
	return (uint8_t)(LOUD + (n ^ n >> 16) % LOUDER);
}

static struct patience_frame
frame_of(const struct sim_actor *a, uint32_t n)
{
	struct patience_frame f = { .ms = FRAME_MS };

	switch (a->says) {
	case SAYS_NOTHING:
		return f;
	case SAYS_WORDS:
		f.loud = loudness(n);
		break;
	case SAYS_SAME:
		f.loud = loudness(n % AGAIN_FRAMES);
		break;
	case SAYS_GARBAGE:
		f.loud = NOISY;
		f.constant = true;
		break;
	}
	f.speaks = true;
	return f;
}

/* The watch of this stream's party's helper, or NULL. */
static struct sim_stream *
helper_of(struct sim *s, struct sim_stream *t)
{
	struct sim_stream *h;

	if (!t->joined)
		return NULL;
	h = t->caller ? &s->stream[t->partner] : t;
	return h->watch.on ? h : NULL;
}

static void
hear_frame(struct sim *s, struct sim_stream *t, const struct sim_actor *a,
    struct starve_packet *p, struct hf_time at)
{
	struct patience_frame f = frame_of(a, t->frames);
	struct sim_stream *h = helper_of(s, t);
	const struct patience_frame *heard =
	    p->cn || t->held || (t->joined && s->stream[t->partner].held) ? NULL
									  : &f;

	if (h == NULL)
		return;
	p->quiet = !p->cn && !f.speaks;
	if (h == t)
		obey(s, h, watch_helper(&h->watch, kin_of(s, h), p, heard, at));
	else if (heard != NULL)
		obey(s, h, watch_caller(&h->watch, heard, at));
}

/* The next 20 ms of a party that lives. */
static void
packet(struct sim *s, struct sim_stream *t, const struct sim_actor *a,
    struct hf_time at)
{
	uint32_t turn = t->frames % (TALK_FRAMES + LULL_FRAMES);
	struct starve_packet p = {
		.ssrc = 1,
		.seq = t->seq,
		.ts = t->frames * FRAME_MS * TICKS,
		.ms = FRAME_MS,
		.marker = a->suppresses && turn == 0,
		.cn = a->suppresses && turn == TALK_FRAMES,
	};
	struct hf_ref ref = t->ref;

	t->frames++;
	t->quiet = at.us;
	if (a->suppresses && turn > TALK_FRAMES)
		return;
	if (p.cn)
		p.ms = 0;
	t->seq++;
	if (!t->spoke) {
		t->spoke = true;
		fact_of(s, t, MSG_STREAM_SPOKE);
	}
	/* The fact may have closed it. */
	if (t->open && hf_ref_is(t->ref, ref))
		hear_frame(s, t, a, &p, at);
}

static void
quiet(struct sim *s, struct sim_stream *t)
{
	struct msg m = { .type = MSG_STREAM_SILENT };

	m.stream_silent.stream = t->ref;
	m.stream_silent.silent.us = s->now - t->quiet;
	t->quiet = s->now;
	sim_fact(s, &m);
}

static void
party_tick(struct sim *s, struct sim_stream *t)
{
	struct hf_ref ref = t->ref;
	bool now_sends = sends(s, place_of(s, t));

	for (; t->next <= s->now; t->next += INTERVAL_US) {
		const struct sim_leg *l = leg_at(s, place_of(s, t));

		if (now_sends && l != NULL)
			packet(s, t, &s->actor[l->actor],
			    (struct hf_time){ t->next });
		tell_call(s);
		/* The facts may have closed it, or moved its leg. */
		if (!t->open || !hf_ref_is(t->ref, ref))
			return;
	}
	if (!now_sends && s->conf.calls.silent_max.us > 0 &&
	    s->now - t->quiet >= s->conf.calls.silent_max.us)
		quiet(s, t);
	if (t->open && hf_ref_is(t->ref, ref) &&
	    !hf_time_before((struct hf_time){ s->now }, watch_due(&t->watch)))
		obey(s, t,
		    watch_age(
			&t->watch, kin_of(s, t), (struct hf_time){ s->now }));
	tell_call(s);
}

/* ---- hearing ------------------------------------------------------------- */

static int
sound_at(struct sim *s, struct sim_stream *t)
{
	uint8_t prompt = t->playing ? prompt_now(s, t) : 0;
	struct sim_stream *p;
	struct sim_leg *l;

	if (prompt != 0)
		return prompt_sound(prompt);
	if (t->playing && t->prompt.after == AFTER_MUSIC)
		return SOUND_MUSIC;
	if (!t->joined || (t->playing && t->prompt.after == AFTER_SILENCE))
		return SOUND_NOTHING;
	p = &s->stream[t->partner];
	if (t->caller && p->bridge & WATCH_PROMPT)
		return s->now - p->voice_at < prompt_us(PROMPT_ONE_MOMENT)
			   ? SOUND_VOICE
			   : SOUND_COMFORT;
	if (t->caller && p->bridge & WATCH_COMFORT)
		return SOUND_COMFORT;
	l = leg_at(s, t->partner);
	return l != NULL && sends(s, t->partner) ? (int)l->actor
						 : SOUND_NOTHING;
}

static void
hear(struct sim *s, struct sim_actor *a, int sound)
{
	if (sound == SOUND_NOTHING) {
		if (s->now - a->last_sound < NOTHING_US)
			return;
	} else {
		a->last_sound = s->now;
		a->ever_heard[SOUND_SOMETHING] = true;
		if (a->first_heard[SOUND_SOMETHING] < 0)
			a->first_heard[SOUND_SOMETHING] = s->now;
	}
	a->ever_heard[sound] = true;
	if (a->first_heard[sound] < 0)
		a->first_heard[sound] = s->now;
	/* A goodbye is a spoken prompt, too. */
	if (sound == SOUND_GOODBYE)
		hear(s, a, SOUND_VOICE);
}

static void
hearing(struct sim *s)
{
	for (unsigned i = 0; i < s->legs_seen; i++) {
		struct sim_leg *l = &s->leg[i];
		struct sim_stream *t;

		if (l->state == LEG_FREE)
			continue;
		t = l->stream < SIM_STREAMS ? &s->stream[l->stream] : NULL;
		if (l->state != LEG_TALKS && !(l->early && !l->ours)) {
			if (l->ringback)
				hear(s, &s->actor[l->actor], SOUND_RINGBACK);
		} else if (t != NULL && t->open && !s->media_gone) {
			hear(s, &s->actor[l->actor], sound_at(s, t));
		}
	}
}

static void recording_tick(struct sim *s, struct sim_stream *t);

void
sim_media_tick(struct sim *s)
{
	s->tick = s->now + s->tick_us;
	if (s->media_gone)
		return;
	for (unsigned i = 0; i < s->streams_seen; i++) {
		struct sim_stream *t = &s->stream[i];

		if (!t->open)
			continue;
		prompt_tick(s, t);
		party_tick(s, t);
		recording_tick(s, t);
	}
	hearing(s);
}

/* Its sockets are closed: the kernel says so at our next packet. */
static void
icmp(struct sim *s, uint64_t stream, uint64_t gen)
{
	struct sim_stream *t = &s->stream[stream];

	if (t->open && t->ref.gen == gen && t->joined)
		fact_of(s, t, MSG_STREAM_REFUSED);
}

void
sim_media_closed(struct sim *s, const struct sim_actor *a)
{
	for (unsigned i = 0; i < s->legs_seen; i++) {
		struct sim_leg *l = &s->leg[i];

		if (l->state == LEG_TALKS && &s->actor[l->actor] == a)
			sim_later(s, INTERVAL_US / 1000 + 1, icmp, l->stream,
			    s->stream[l->stream].ref.gen);
	}
}

/* ---- recording ----------------------------------------------------------- */

static void
recording_over(struct sim *s, struct sim_stream *t, enum cause why)
{
	struct msg m = { .type = MSG_RECORDING_ENDED };

	t->records = false;
	m.recording_ended.stream = t->ref;
	m.recording_ended.recording = t->recording;
	m.recording_ended.cause = why;
	m.recording_ended.length.us = s->now - t->record_began;
	sim_fact(s, &m);
}

static void
recording_tick(struct sim *s, struct sim_stream *t)
{
	const struct sim_leg *l = leg_at(s, place_of(s, t));
	int64_t from;

	if (!t->open || !t->records || l == NULL)
		return;
	from = s->actor[l->actor].says_since;
	if (from < t->record_began)
		from = t->record_began;
	if (s->now - t->record_began >= t->record_max.us)
		recording_over(s, t, CAUSE_MAX_WAIT);
	else if (s->actor[l->actor].says == SAYS_NOTHING &&
		 t->record_silence.us > 0 &&
		 s->now - from >= t->record_silence.us)
		recording_over(s, t, CAUSE_MUTE);
}

static void
end_recording(struct sim *s, uint64_t stream, uint64_t recording)
{
	struct sim_stream *t = &s->stream[stream];

	if (t->open && t->records && t->recording == recording)
		recording_over(s, t, CAUSE_DONE);
}

static void
saved(struct sim *s, uint64_t place, uint64_t unused)
{
	struct msg m = { .type = MSG_MESSAGE_SAVED };

	(void)unused;
	s->message[place].kept = true;
	m.message_saved.recording = s->message[place].recording;
	m.message_saved.box = s->message[place].box;
	m.message_saved.length = hf_ms(5000);
	snprintf(m.message_saved.name, sizeof(m.message_saved.name), "m%u",
	    (unsigned)place);
	sim_fact(s, &m);
}

static void
loaded(struct sim *s, uint64_t message, uint64_t box_nth)
{
	uint16_t box = (uint16_t)(box_nth >> 16), nth = (uint16_t)box_nth;
	struct msg m = { .type = MSG_MESSAGE_LOADED };

	m.message_loaded.message = (uint32_t)message;
	m.message_loaded.box = box;
	for (unsigned i = 0; i < SIM_MESSAGES; i++) {
		if (!s->message[i].used || !s->message[i].kept ||
		    s->message[i].box != box || nth-- != 0)
			continue;
		snprintf(m.message_loaded.name, sizeof(m.message_loaded.name),
		    "m%u", i);
		break;
	}
	sim_fact(s, &m);
}

static void
end_message(struct sim *s, const struct msg_end_message *o)
{
	for (unsigned i = 0; i < SIM_MESSAGES; i++) {
		if (!s->message[i].used || s->message[i].kept ||
		    s->message[i].recording != o->recording)
			continue;
		if (o->keep)
			sim_later(s, 5, saved, i, 0);
		else
			s->message[i].used = false;
	}
}

void
sim_rec_order(struct sim *s, const struct msg *m)
{
	unsigned i = 0;

	switch ((int)m->type) {
	case MSG_BEGIN_MESSAGE:
		while (i < SIM_MESSAGES && s->message[i].used)
			i++;
		if (i == SIM_MESSAGES)
			return;
		s->message[i].used = true;
		s->message[i].kept = false;
		s->message[i].recording = m->begin_message.recording;
		s->message[i].box = m->begin_message.box;
		break;
	case MSG_END_MESSAGE:
		end_message(s, &m->end_message);
		break;
	case MSG_LOAD_MESSAGE:
		sim_later(s, 5, loaded, m->load_message.message,
		    (uint64_t)m->load_message.box << 16 | m->load_message.nth);
		break;
	case MSG_DELETE_MESSAGE:
		i = (unsigned)atoi(m->delete_message.name + 1);
		if (i < SIM_MESSAGES)
			s->message[i].used = false;
		break;
	}
}

long
sim_messages(const struct sim *s, uint16_t box)
{
	long n = 0;

	for (unsigned i = 0; i < SIM_MESSAGES; i++)
		n += s->message[i].used && s->message[i].kept &&
		     s->message[i].box == box;
	return n;
}

/* ---- orders -------------------------------------------------------------- */

/* A new direction for a party that may be in a conversation. */
static void
hold(struct sim *s, struct sim_stream *t, bool held)
{
	struct sim_stream *h = helper_of(s, t);

	t->held = held;
	if (h != NULL)
		obey(s, h,
		    watch_hold(
			&h->watch, h == t, held, (struct hf_time){ s->now }));
}

static void
open_stream(struct sim *s, const struct msg_open_stream *o)
{
	struct sim_stream *t = stream_of(s, o->stream);

	if (t->open && hf_ref_is(t->ref, o->stream)) {
		/* Moved: the sim has no addresses. */
		hold(s, t, watch_held(&o->media));
		return;
	}
	hf_assert(!t->open);
	memset(t, 0, sizeof(*t));
	if (o->stream.n >= s->streams_seen)
		s->streams_seen = o->stream.n + 1;
	t->ref = o->stream;
	t->open = true;
	t->held = watch_held(&o->media);
	t->quiet = t->next = s->now;
}

static void
part(struct sim *s, struct sim_stream *t)
{
	struct sim_stream *p = &s->stream[t->partner];

	if (!t->joined)
		return;
	watch_end(&t->watch);
	watch_end(&p->watch);
	t->bridge = p->bridge = 0;
	t->joined = p->joined = false;
}

static void
join(struct sim *s, const struct msg_join_streams *o)
{
	struct sim_stream *c = stream_of(s, o->caller);
	struct sim_stream *h = stream_of(s, o->helper);
	bool again = c->joined && c->caller && c->partner == o->helper.n &&
		     h->row == o->row && h->judge == o->judge;

	/* Only what is open, and only with whom it belongs to. */
	hf_assert(c->open && hf_ref_is(c->ref, o->caller));
	hf_assert(h->open && hf_ref_is(h->ref, o->helper));
	c->playing = h->playing = false;
	if (again)
		return;
	part(s, c);
	part(s, h);
	h->judge = o->judge;
	h->row = o->row;
	c->joined = h->joined = c->caller = true;
	h->caller = false;
	c->partner = o->helper.n;
	h->partner = o->caller.n;
	watch_begin(&h->watch, &h->patience, guard_of(s, h), h->judge, h->held,
	    kin_of(s, h), (struct hf_time){ s->now });
}

static void
play(struct sim *s, const struct msg_play_prompt *o)
{
	struct sim_stream *t = stream_of(s, o->stream);
	bool goes_on;
	int64_t began = s->now;

	hf_assert(t->open && hf_ref_is(t->ref, o->stream));
	/* The bridging prompt that is being said goes on. */
	goes_on = t->joined && (s->stream[t->partner].bridge & WATCH_PROMPT) &&
		  o->list.n > 0 && o->list.p[0] == PROMPT_ONE_MOMENT;
	if (goes_on)
		began = s->stream[t->partner].voice_at;
	t->playing = true;
	t->prompt = *o;
	t->prompt_began = began;
}

static void
close_stream(struct sim *s, const struct msg_close_stream *o)
{
	struct sim_stream *t = stream_of(s, o->stream);

	if (!t->open || !hf_ref_is(t->ref, o->stream))
		return;
	part(s, t);
	t->open = false;
}

void
sim_media_order(struct sim *s, const struct msg *m)
{
	struct sim_stream *t;

	if (s->media_gone)
		return; /* hf-call does not know yet */
	switch ((int)m->type) {
	case MSG_OPEN_STREAM:
		open_stream(s, &m->open_stream);
		break;
	case MSG_CLOSE_STREAM:
		close_stream(s, &m->close_stream);
		break;
	case MSG_JOIN_STREAMS:
		join(s, &m->join_streams);
		break;
	case MSG_PART_STREAMS:
		part(s, stream_of(s, m->part_streams.caller));
		break;
	case MSG_PLAY_PROMPT:
		play(s, &m->play_prompt);
		break;
	case MSG_RECORD_STREAM:
		t = stream_of(s, m->record_stream.stream);
		t->records = true;
		t->recording = m->record_stream.recording;
		t->record_began = s->now;
		t->record_max = m->record_stream.max;
		t->record_silence = m->record_stream.silence;
		break;
	case MSG_END_RECORDING:
		sim_later(s, 1, end_recording, m->end_recording.stream.n,
		    m->end_recording.recording);
		break;
	case MSG_FEEL_STREAM:
		stream_of(s, m->feel_stream.stream)->felt = m->feel_stream.on;
		break;
	}
}

static void
media_back(struct sim *s, uint64_t a, uint64_t b)
{
	struct msg m = { .type = MSG_MEDIA_STARTED };

	(void)a;
	(void)b;
	s->media_gone = false;
	m.media_started.count = SIM_STREAMS;
	sim_fact(s, &m);
}

void
sim_media_restart(struct sim *s)
{
	for (unsigned i = 0; i < SIM_STREAMS; i++)
		s->stream[i].open = false;
	s->media_gone = true;
	sim_later(s, 15, media_back, 0, 0);
}

bool
sim_presses(struct sim *s, struct sim_actor *a, const char *digits)
{
	struct sim_leg *l = sim_leg_current(s, a), *other;
	struct sim_stream *t;

	if (l == NULL || l->stream >= SIM_STREAMS)
		return false;
	t = &s->stream[l->stream];
	for (; *digits != '\0' && t->open; digits++) {
		struct msg m = { .type = MSG_STREAM_DTMF };
		size_t n;

		other = t->joined ? leg_at(s, t->partner) : NULL;
		if (other != NULL) {
			char *to = s->actor[other->actor].digits;

			n = strlen(to);
			if (n + 1 < sizeof(s->actor[0].digits))
				to[n] = *digits;
		}
		if (!t->felt)
			continue;
		m.stream_dtmf.stream = t->ref;
		m.stream_dtmf.digit = (uint8_t)*digits;
		m.stream_dtmf.ms = 100;
		sim_fact(s, &m);
	}
	return true;
}
