/* daemon/media/hear - a packet of a party: measured, judged, recorded, and
 * passed to whom it is meant for, all in the memory it came in. */

#include "daemon/media/room.h"

static void
first_word(struct stream *s, struct hf_time now)
{
	struct msg m = { .type = MSG_STREAM_SPOKE };

	s->heard = true;
	m.stream_spoke.stream = s->ref;
	m.stream_spoke.at = now;
	stream_tell(s, &m);
}

static void
tell_key(const struct stream *s, const struct dtmf_key *key)
{
	struct msg m = { .type = MSG_STREAM_DTMF };

	m.stream_dtmf.stream = s->ref;
	m.stream_dtmf.digit = (uint8_t)key->digit;
	m.stream_dtmf.ms = key->ms;
	stream_tell(s, &m);
}

static void
hear_key(struct stream *s, const struct rtp_packet *p, struct hf_time now)
{
	struct dtmf_key key;

	if (dtmf_hear(&s->dtmf, p, now, &key))
		tell_key(s, &key);
	if (s->dtmf.held)
		tick_at(s, hf_time_after(now, room.conf->rtp.dtmf_gap));
}

void
hear_age(struct stream *s, struct hf_time now)
{
	struct dtmf_key key;

	if (s->felt && dtmf_age(&s->dtmf, now, room.conf->rtp.dtmf_gap, &key))
		tell_key(s, &key);
}

enum {
	LATE = 10 * G711_PER_MS,   /* timestamp units behind the best */
	ANEW = 1000 * G711_PER_MS, /* another clock altogether */
	DRIFT = 1,                 /* a packet: six milliseconds a second */
};

/* Compared with the best packets of late, which set the pace.  A packet that
 * was held up may have others right behind it; one in time cannot. */
static bool
in_time(struct stream *s)
{
	int32_t behind =
	    (int32_t)((uint32_t)s->meter.transit - (uint32_t)s->in_time);

	if (behind < 0 || behind > ANEW) {
		s->in_time = s->meter.transit;
		return behind < 0 && behind > -LATE;
	}
	s->in_time += DRIFT;
	return behind < LATE;
}

bool
hear_packet(struct stream *s, uint8_t *data, size_t n, struct hf_time now)
{
	struct ear_frame f = { 0 };
	struct rtp_packet p;
	enum voice_kind kind;

	room.count_of.in++;
	if (!rtp_parse(data, n, &p)) {
		room.count_of.odd++;
		s->strangers++;
		return false;
	}
	kind = voice_kind_of(&s->in, p.payload);
	rtp_meter_hear(&s->meter, &p, now);
	s->refused = false;
	if (!s->heard)
		first_word(s, now);
	if (s->listen && (kind == VOICE_PCMU || kind == VOICE_PCMA))
		f = ear_listen(
		    kind == VOICE_PCMU ? G711_PCMU : G711_PCMA, p.body, p.n);
	guard_packet(s, &p, kind, &f, now);
	if (s->recording.number != 0)
		record_packet(s, &p, kind, &f, now);
	if (kind == VOICE_DTMF && s->felt)
		hear_key(s, &p, now);
	if (s->partner != NULL)
		say_relay(s->partner, &p, kind, now);
	/* A key's packets share one timestamp: they tell nothing of time. */
	return in_time(s) && kind != VOICE_DTMF;
}
