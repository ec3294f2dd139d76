/* daemon/media/record - what a party says goes into the ring that hf-rec
 * reads: a copy in memory, no system call, no waiting. */

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/media/room.h"

enum {
	RING_BYTES = 1 << 21, /* 13 s of 20 voices */
	HOLE_MS = 60,         /* so much missing is filled with silence */
	FILL_MAX_MS = 10000,
};

void
record_met(void)
{
	/* One ring for all readers: the next one goes on where the one before
	 * it stopped, with what was said in between. */
	static int ring = -1;
	struct msg m = { .type = MSG_TAP_RING };

	if (!room.tapped)
		room.tapped = tap_make(&room.tap, RING_BYTES, &ring);
	int fd = room.tapped ? fcntl(ring, F_DUPFD_CLOEXEC, 0) : -1;
	if (fd < 0) {
		hf_log(LOG_ERROR, "tap_not_made", "bytes=%d", RING_BYTES);
		return;
	}
	m.tap_ring.worker = room.worker;
	m.tap_ring.bytes = RING_BYTES;
	m.tap_ring.first = room.first;
	m.tap_ring.count = room.count;
	proc_send_fd(PEER_REC, &m, fd);
	for (uint32_t i = 0; i < room.count; i++)
		if (room.stream[i].recording.number != 0)
			(void)tap_put(&room.tap, TAP_BEGIN,
			    room.stream[i].recording.number, NULL, 0);
}

static struct hf_span
length(const struct recording *r)
{
	return hf_ms((int64_t)(r->samples / G711_PER_MS));
}

static void
put(struct stream *s, const uint8_t *ulaw, uint16_t n)
{
	s->recording.samples += n;
	if (room.tapped)
		(void)tap_put(
		    &room.tap, TAP_DATA, s->recording.number, ulaw, n);
}

void
record_begin(const struct msg_record_stream *m, struct hf_time now)
{
	struct stream *s = stream_at(m->stream);

	if (s == NULL || s->recording.number == m->recording)
		return;
	if (s->recording.number != 0)
		record_end(s, CAUSE_DONE, now);
	s->recording = (struct recording){
		.number = m->recording,
		.max = m->max,
		.silence = m->silence,
		.since = now,
		.spoke = now,
	};
	if (room.tapped)
		(void)tap_put(&room.tap, TAP_BEGIN, m->recording, NULL, 0);
	stream_listen(s);
	tick_at(s, record_due(s));
}

void
record_end(struct stream *s, enum cause why, struct hf_time now)
{
	struct msg m = { .type = MSG_RECORDING_ENDED };

	(void)now;
	if (s->recording.number == 0)
		return;
	if (room.tapped)
		(void)tap_put(&room.tap, TAP_END, s->recording.number, NULL, 0);
	m.recording_ended.stream = s->ref;
	m.recording_ended.recording = s->recording.number;
	m.recording_ended.cause = why;
	m.recording_ended.length = length(&s->recording);
	s->recording.number = 0;
	stream_listen(s);
	stream_tell(s, &m);
}

/* What was lost, or never sent, was time all the same. */
static void
fill_hole(struct stream *s, struct hf_time now)
{
	static uint8_t silence[HOLE_MS * G711_PER_MS];
	int64_t missing = hf_time_since(s->recording.since, now).us / 1000 -
			  (int64_t)(s->recording.samples / G711_PER_MS);

	if (silence[0] == 0)
		memset(silence, G711_PCMU_SILENCE, sizeof(silence));
	if (missing > FILL_MAX_MS)
		missing = FILL_MAX_MS;
	for (; missing >= HOLE_MS; missing -= HOLE_MS)
		put(s, silence, sizeof(silence));
}

void
record_packet(struct stream *s, const struct rtp_packet *p,
    enum voice_kind kind, const struct ear_frame *f, struct hf_time now)
{
	struct recording *r = &s->recording;
	uint8_t ulaw[TAP_DATA_MAX];
	uint16_t n = p->n > TAP_DATA_MAX ? TAP_DATA_MAX : p->n;

	if (kind != VOICE_PCMU && kind != VOICE_PCMA)
		return;
	fill_hole(s, now);
	memcpy(ulaw, p->body, n);
	if (kind == VOICE_PCMA)
		g711_transcode(G711_PCMA, ulaw, n);
	put(s, ulaw, n);
	if (ear_speaks(&r->floor, f->loud))
		r->spoke = now;
	record_age(s, now);
}

struct hf_time
record_due(const struct stream *s)
{
	const struct recording *r = &s->recording;
	struct hf_time due;

	if (r->number == 0)
		return HF_TIME_NEVER;
	due = r->max.us > 0 ? hf_time_after(r->since, r->max) : HF_TIME_NEVER;
	return r->silence.us > 0
		   ? hf_time_min(due, hf_time_after(r->spoke, r->silence))
		   : due;
}

void
record_age(struct stream *s, struct hf_time now)
{
	const struct recording *r = &s->recording;

	if (r->number == 0)
		return;
	if (r->max.us > 0 && hf_time_since(r->since, now).us >= r->max.us)
		record_end(s, CAUSE_MAX_WAIT, now);
	else if (r->silence.us > 0 &&
		 hf_time_since(r->spoke, now).us >= r->silence.us)
		record_end(s, CAUSE_MUTE, now);
}
