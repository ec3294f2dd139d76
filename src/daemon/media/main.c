/* daemon/media/main - hf-media: orders in, facts out.  See room.h for who does
 * what. */

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/media/room.h"
#include "wire/row.h"

enum {
	STREAMS_MAX = 32768, /* two ports each */
	PRIORITY = 10,       /* of SCHED_FIFO: above all that can wait */
	PATH_LEN = CONF_PATH_MAX + 64,
	CLAIMED_MS = 4000,
};

struct media_room room;

/* What outlives us; a version that changes brings a line for the one before. */
static const struct slots_form form = {
	.name = "streams",
	.per_worker = true,
	.kind = 0x73747265, /* "stre" */
	.version = 2,
	.record_size = sizeof(struct stream_record),
};
static const struct slots_form *const tables[] = { &form };

/* What the keeper handed over, before anything else is known: descriptor + 1
 * by port. */
static int handed[2 * STREAMS_MAX];
static uint32_t lowest = UINT32_MAX, beyond;

static void
take_sockets(const struct msg_socket *m, const int *fd)
{
	bool ours = strcmp(m->what, "rtp") == 0;

	for (uint32_t i = 0; i < m->count; i++) {
		uint32_t stream = m->first + i / 2;

		if (!ours || stream >= STREAMS_MAX) {
			(void)close(fd[i]);
			continue;
		}
		handed[2 * stream + i % 2] = fd[i] + 1;
		if (stream < lowest)
			lowest = stream;
		if (stream >= beyond)
			beyond = stream + 1;
	}
}

/* A late tick is heard by every caller at once: ask to go first. */
static void
ask_priority(void)
{
	struct sched_param p = { .sched_priority = PRIORITY };

	if (sched_setscheduler(0, SCHED_FIFO, &p) != 0)
		hf_log(LOG_NOTICE, "priority_refused", "why=\"%s\"",
		    strerror(errno));
}

/* Several workers: each on a processor of its own, where the state of its
 * calls stays near, unless there are fewer processors than workers. */
static void
keep_to_processor(void)
{
	uint32_t workers = room.conf->rtp.workers;
	uint16_t left = room.worker;
	cpu_set_t may, one;

	if (sched_getaffinity(0, sizeof(may), &may) != 0)
		return;
	if (workers == 0)
		workers = (uint32_t)CPU_COUNT(&may);
	if (workers > PROC_MEDIA_MAX)
		workers = PROC_MEDIA_MAX;
	if (workers < 2 || (uint32_t)CPU_COUNT(&may) < workers)
		return;
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &may) || left-- > 0)
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		if (sched_setaffinity(0, sizeof(one), &one) != 0)
			hf_log(LOG_NOTICE, "processor_refused", "why=\"%s\"",
			    strerror(errno));
		return;
	}
}

static void
open_slots(void)
{
	char path[PATH_LEN];
	bool fresh;
	int err;

	snprintf(path, sizeof(path), "%s/%s.%u", room.conf->keeper.run_dir,
	    form.name, room.worker);
	err = slots_open(&room.slots, path, &form, room.count, &fresh);
	room.slotted = err == 0;
	if (err != 0)
		slots_complain(&room.slots, path, err);
}

/* ---- whose streams are these? ---------------------------------------------
 * An order to close one may have died with either side.  When hf-call meets us
 * it opens once more what its calls have; what it has not named by then belongs
 * to nobody.  Those of emergency calls are hf-sip's, and are left alone. */

static struct hf_timer claims;

static void
claims_are_made(struct hf_timer *t, struct hf_time now)
{
	uint32_t closed = 0;

	(void)t;
	if (!proc_there(PEER_CALL))
		return; /* it will be asked again */
	for (uint32_t i = 0; i < room.count; i++) {
		struct stream *s = &room.stream[i];

		if (!s->open || !s->unclaimed)
			continue;
		stream_close(s, now);
		closed++;
	}
	if (closed > 0)
		hf_log(LOG_NOTICE, "streams_unclaimed", "closed=%u", closed);
}

static void
ask_for_claims(void)
{
	uint32_t beyond_its = conf_sos_first(room.conf);

	for (uint32_t i = 0; i < room.count; i++)
		room.stream[i].unclaimed =
		    room.stream[i].open && room.first + i < beyond_its;
	hf_timer_start(proc_wheel(), &claims,
	    hf_time_after(proc_now(), hf_ms(CLAIMED_MS)));
}

static void
start(const struct conf *c, uint32_t boot, uint16_t worker)
{
	(void)boot;
	room.conf = c;
	room.worker = worker;
	if (beyond == 0)
		lowest = 0;
	sound_load(c);
	room.sos = conf_sos_first(c);
	stream_table(lowest, beyond - lowest);
	for (uint32_t i = 0; i < room.count; i++) {
		const int *fd = &handed[2 * (room.first + i)];

		for (int k = 0; k < 2; k++)
			if (fd[k] != 0)
				port_take(&room.stream[i], fd[k] - 1, k == 1);
	}
	tick_open();
	if (room.count > 0)
		open_slots();
	ask_priority();
	keep_to_processor();
	stream_restore(proc_now());
	hf_timer_init(&claims, claims_are_made);
	hf_log(LOG_INFO, "media_started", "worker=%u first=%u streams=%u",
	    worker, room.first, room.count);
}

static void
reconf(const struct conf *c)
{
	room.conf = c; /* prompts and ports change with a restart */
}

static void
met(enum peer from)
{
	struct msg m = { .type = MSG_MEDIA_STARTED };

	if (from == PEER_REC)
		record_met();
	if (from != PEER_CALL && from != PEER_SIP)
		return;
	if (from == PEER_CALL)
		ask_for_claims();
	m.media_started.worker = room.worker;
	m.media_started.first = room.first;
	m.media_started.count = room.count;
	m.media_started.open = room.open;
	proc_send(from, &m);
}

static void
feel(const struct msg_feel_stream *m)
{
	struct stream *s = stream_at(m->stream);

	if (s == NULL || s->felt == m->on)
		return;
	s->felt = m->on;
	s->dtmf = (struct dtmf){ 0 };
}

static void
message(enum peer from, const struct msg *m, int fd)
{
	struct hf_time now = proc_now();
	struct stream *s;

	(void)from;
	switch ((unsigned)m->type) {
	case MSG_OPEN_STREAM:
		stream_open(&m->open_stream, now);
		break;
	case MSG_CLOSE_STREAM:
		s = stream_at(m->close_stream.stream);
		if (s != NULL)
			stream_close(s, now);
		break;
	case MSG_JOIN_STREAMS:
		stream_join(&m->join_streams, now);
		break;
	case MSG_PART_STREAMS:
		s = stream_at(m->part_streams.caller);
		if (s != NULL)
			stream_part(s, now);
		break;
	case MSG_PLAY_PROMPT:
		stream_play(&m->play_prompt, now);
		break;
	case MSG_RECORD_STREAM:
		record_begin(&m->record_stream, now);
		break;
	case MSG_END_RECORDING:
		s = stream_at(m->end_recording.stream);
		if (s != NULL &&
		    s->recording.number == m->end_recording.recording)
			record_end(s, CAUSE_DONE, now);
		break;
	case MSG_FEEL_STREAM:
		feel(&m->feel_stream);
		break;
	case MSG_MESSAGE_SHIPPED:
		sound_shipped(&m->message_shipped, fd);
		break;
	default:
		break;
	}
	if (fd >= 0)
		(void)close(fd);
}

/* ---- an operator's questions --------------------------------------------- */

static void
answer_media(uint32_t id)
{
	char memory[ROW_MAX];
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));

	row_number(&b, "worker", room.worker);
	row_number(&b, "first", room.first);
	row_number(&b, "streams", room.count);
	row_number(&b, "open", room.open);
	row_number(&b, "packets_in", (int64_t)room.count_of.in);
	row_number(&b, "packets_out", (int64_t)room.count_of.out);
	row_number(&b, "packets_odd", (int64_t)room.count_of.odd);
	row_number(&b, "packets_unsent", (int64_t)room.count_of.unsent);
	row_number(&b, "packets_refused", (int64_t)room.count_of.refused);
	row_number(&b, "rtcp_in", (int64_t)room.count_of.rtcp_in);
	row_number(&b, "orders_stale", (int64_t)room.count_of.stale);
	row_number(&b, "ticks", (int64_t)room.count_of.ticks);
	row_number(&b, "ticks_late", (int64_t)room.count_of.late);
	row_number(&b, "stalls", (int64_t)room.count_of.stalls);
	row_span(&b, "late_max", room.count_of.late_max);
	row_number(&b, "tap_lost", room.tapped ? (int64_t)room.tap.lost : 0);
	proc_reply(id, NULL, memory, (uint16_t)b.n, false);
}

static const char *
source_name(const struct stream *s)
{
	static const char *const sources[] = {
		[SOURCE_NONE] = "nothing",
		[SOURCE_PARTNER] = "partner",
		[SOURCE_COMFORT] = "comfort",
		[SOURCE_CLIP] = "prompt",
	};
	static const char *const bridges[] = {
		[BRIDGE_NONE] = "partner",
		[BRIDGE_COMFORT] = "bridge_comfort",
		[BRIDGE_PROMPT] = "bridge_prompt",
	};

	return s->source == SOURCE_PARTNER ? bridges[s->bridge]
					   : sources[s->source];
}

static void
row_stream(struct hf_buf *b, const struct stream *s)
{
	static const char *const roles[] = {
		[ROLE_NONE] = "alone",
		[ROLE_CALLER] = "caller",
		[ROLE_HELPER] = "helper",
	};
	char ref[HF_REF_TEXT_MAX];

	row_text(b, "stream", hf_ref_text(s->ref, ref));
	row_text(b, "call", hf_ref_text(s->call, ref));
	row_text(b, "role", roles[s->role]);
	row_text(b, "hears", source_name(s));
	row_text(b, "watch",
	    s->watch.on ? starve_state_name(s->watch.starve.state) : "off");
	row_text(b, "codec", codec_name(s->media.codec));
	row_number(b, "packets_in", (int64_t)s->meter.received);
	row_number(b, "packets_out", (int64_t)s->voice.packets);
	row_number(b, "lost", (int64_t)rtp_meter_lost(&s->meter));
	row_number(b, "refused", (int64_t)s->strangers);
	row_span(b, "jitter", rtp_meter_jitter(&s->meter));
	row_span(b, "longest_gap", s->hole_max);
}

static bool
next_stream(const struct msg_ask *q, uint64_t *at, struct hf_buf *row)
{
	(void)q;
	while (*at < room.count) {
		const struct stream *s = &room.stream[(*at)++];

		if (!s->open)
			continue;
		row_stream(row, s);
		return true;
	}
	return false;
}

static void
ask(const struct msg_ask *m)
{
	if (strcmp(m->verb, "media") == 0) {
		answer_media(m->id);
		return;
	}
	if (strcmp(m->verb, "streams") != 0) {
		proc_reply(m->id, "hf-media answers media and streams", NULL, 0,
		    false);
		return;
	}
	proc_answer(m, next_stream);
}

int
main(int argc, char **argv)
{
	static const struct proc_room table = {
		.name = "hf-media",
		.socket = take_sockets,
		.start = start,
		.reconf = reconf,
		.met = met,
		.message = message,
		.ask = ask,
		.forms = tables,
		.forms_nr = 1,
	};

	return proc_main(argc, argv, &table);
}
