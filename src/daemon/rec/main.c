/*
 * hf-rec - writes voicemail.  hf-call says which recording belongs to which
 * box and when it is over; what the caller says comes from hf-media through a
 * ring in shared memory (io/rtp/tap), so no packet ever waits for a disk.
 *
 *   BEGIN_MESSAGE -> draft -> [ tap: words ... END ] -> END_MESSAGE -> message
 *
 * Words and orders come by different ways: an END_MESSAGE waits a moment for
 * the last words; words without an END_MESSAGE are kept in the end.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "daemon/rec/box.h"
#include "io/rtp/tap.h"
#include "proc/log.h"
#include "proc/proc.h"
#include "wire/ask.h"
#include "wire/row.h"

enum {
	RECORDINGS_MAX = 256,   /* at once, all boxes */
	LOOK_MS = 20,           /* at the rings, while anything is recorded */
	LINGER_MS = 2000,       /* and so long after */
	LAST_WORDS_MS = 300,    /* what END_MESSAGE waits for them */
	ADOPTED_MS = 5 * 1000,  /* an unfinished one is gone on with, or over */
	ORPHAN_MS = 60 * 1000,  /* words ended, but hf-call never said so */
	TAKE_MAX = 4096,        /* records from one ring in a turn */
	FIRST_BYTES = 64 << 10, /* of a message that will be heard */
	SPARE_BYTES = 16 << 20, /* left on the disk for the journal */
	LIST_ROWS_MAX = 1000,   /* in one answer; the oldest */
};

struct recording {
	uint32_t number; /* 0: free */
	uint16_t box;
	struct hf_ref call;
	int8_t ring; /* whose words these are; -1: none came yet */
	bool ending; /* END_MESSAGE came: keep it when the words end */
	bool spoken; /* the words ended */
	uint32_t bytes, bytes_max;
	struct hf_timer due;
	struct draft draft;
};

_Static_assert(BOX_LIST_MAX >= CONF_MESSAGES_MAX + RECORDINGS_MAX,
    "the oldest message is always found");

static struct {
	const struct conf *conf;
	int spool;
	int box[CONF_BOXES_MAX];                      /* folders; -1: none */
	char box_name[CONF_BOXES_MAX][CONF_NAME_MAX]; /* whose folder */
	uint32_t messages[CONF_BOXES_MAX];
	struct tap ring[PROC_MEDIA_MAX];
	uint32_t first[PROC_MEDIA_MAX], count[PROC_MEDIA_MAX];
	struct recording recording[RECORDINGS_MAX];
	uint32_t busy;
	struct hf_timer look;
	struct hf_time look_until; /* when nothing is recorded */
	uint64_t strays;           /* words that belong to no recording */
	bool leaving;
} rec;

/* ---- telling ------------------------------------------------------------- */

static void
tell_mailbox(uint16_t box)
{
	struct msg m = { .type = MSG_MAILBOX };

	m.mailbox.box = box;
	m.mailbox.messages = rec.messages[box];
	if (proc_there(PEER_CALL))
		proc_send(PEER_CALL, &m);
}

static void
tell_saved(uint32_t number, uint16_t box, const struct box_message *b)
{
	struct msg m = { .type = MSG_MESSAGE_SAVED };

	m.message_saved.recording = number;
	m.message_saved.call = b->note.call;
	m.message_saved.box = box;
	(void)snprintf(
	    m.message_saved.name, sizeof(m.message_saved.name), "%s", b->name);
	(void)snprintf(m.message_saved.box_name,
	    sizeof(m.message_saved.box_name), "%s", rec.conf->box[box].name);
	m.message_saved.length = box_length(b->bytes);
	if (proc_there(PEER_CALL))
		proc_send(PEER_CALL, &m);
	proc_send(PEER_STORE, &m);
	rec.messages[box]++;
	tell_mailbox(box);
}

static void
tell_lost(uint32_t number, const char *why)
{
	struct msg m = { .type = MSG_MESSAGE_LOST };

	m.message_lost.recording = number;
	(void)snprintf(
	    m.message_lost.why, sizeof(m.message_lost.why), "%s", why);
	proc_send(PEER_CALL, &m);
}

static const char *
why_of(int error)
{
	switch (error) {
	case ENOSPC:
	case EDQUOT:
	case EFBIG:
		return "disk_full";
	case EROFS:
	case EACCES:
	case EPERM:
		return "read_only";
	case ENODATA:
		return "too_short";
	default:
		return "disk_error";
	}
}

/* ---- recordings ---------------------------------------------------------- */

static struct recording *
find(uint32_t number)
{
	if (number == 0 || rec.busy == 0)
		return NULL;
	for (size_t i = 0; i < HF_LEN(rec.recording); i++)
		if (rec.recording[i].number == number)
			return &rec.recording[i];
	return NULL;
}

static struct recording *
find_free(void)
{
	for (size_t i = 0; i < HF_LEN(rec.recording); i++)
		if (rec.recording[i].number == 0)
			return &rec.recording[i];
	return NULL;
}

static void
release(struct recording *r)
{
	hf_timer_stop(proc_wheel(), &r->due);
	r->number = 0;
	rec.busy--;
	/* The last words of one that was thrown away are still to be taken out
	 * of the ring. */
	rec.look_until = hf_time_after(proc_now(), hf_ms(LINGER_MS));
}

static void
keep(struct recording *r)
{
	int error = draft_keep(&r->draft);

	if (error == 0) {
		tell_saved(r->number, r->box, &r->draft.message);
		if (r->draft.error != 0)
			hf_log(LOG_WARNING, "message_cut",
			    "box=%s name=%s why=%s kept_ms=%lld",
			    rec.conf->box[r->box].name, r->draft.message.name,
			    why_of(r->draft.error),
			    (long long)box_length(r->draft.message.bytes).us /
				1000);
	} else {
		tell_lost(r->number, why_of(error));
		if (error != ENODATA)
			hf_log(LOG_ERROR, "message_lost",
			    "box=%s name=%s why=\"%s\"",
			    rec.conf->box[r->box].name, r->draft.message.name,
			    strerror(error));
	}
	release(r);
}

static void
on_due(struct hf_timer *t, struct hf_time now)
{
	(void)now;
	keep(HF_CONTAINER(t, struct recording, due));
}

/* The last words are here, or will not come any more. */
static void
words_ended(struct recording *r)
{
	r->spoken = true;
	/* Not here and now: a disk may take its time, and meanwhile the ring
	 * fills with words whose BEGIN_MESSAGE we have not read. */
	hf_timer_start(proc_wheel(), &r->due,
	    hf_time_after(proc_now(), hf_ms(r->ending ? 0 : ORPHAN_MS)));
}

/* An adopted one is spoken on. */
static void
word_came(struct recording *r)
{
	if (!r->ending)
		hf_timer_start(proc_wheel(), &r->due,
		    hf_time_after(
			hf_time_after(proc_now(), rec.conf->box[r->box].max),
			hf_ms(ORPHAN_MS)));
}

/* ---- the rings ----------------------------------------------------------- */

static void
take_record(size_t ring, const struct tap_record *t, const uint8_t *ulaw)
{
	struct recording *r = find(t->recording);

	if (r == NULL || r->spoken) {
		rec.strays++;
		return;
	}
	if (r->ring < 0)
		word_came(r);
	r->ring = (int8_t)ring;
	if (t->kind == TAP_END) {
		words_ended(r);
	} else if (t->kind == TAP_DATA) {
		uint32_t room = r->bytes_max - r->bytes;
		uint32_t n = t->n < room ? t->n : room;
		draft_write(&r->draft, ulaw, n);
		r->bytes += n;
	}
}

static void
close_ring(size_t i)
{
	tap_close(&rec.ring[i]);
	for (size_t k = 0; k < HF_LEN(rec.recording); k++) {
		struct recording *r = &rec.recording[k];
		if (r->number == 0 || r->ring != (int8_t)i || r->spoken)
			continue;
		if (r->ending) {
			words_ended(r);
			continue;
		}
		/* Its hf-media has died: the next one goes on with it, or else
		 * it is a message. */
		r->ring = -1;
		hf_timer_start(proc_wheel(), &r->due,
		    hf_time_after(proc_now(), hf_ms(ORPHAN_MS)));
	}
}

static void
drain_ring(size_t i)
{
	static uint8_t ulaw[TAP_DATA_MAX];
	struct tap_record t;
	enum tap_got got = TAP_GOT;

	if (rec.ring[i].ring == NULL)
		return;
	for (int n = 0; n < TAKE_MAX && got == TAP_GOT; n++) {
		got = tap_take(&rec.ring[i], &t, ulaw);
		if (got == TAP_GOT)
			take_record(i, &t, ulaw);
	}
	if (got == TAP_BROKEN) {
		hf_log(LOG_ERROR, "tap_broken", "worker=%zu", i);
		close_ring(i);
	}
}

static void
drain_rings(void)
{
	for (size_t i = 0; i < HF_LEN(rec.ring); i++)
		drain_ring(i);
}

/* Only wakes us: the rings are drained at the end of the turn, after the
 * orders that say whose words they are. */
static void
on_look(struct hf_timer *t, struct hf_time now)
{
	if (rec.busy > 0 || hf_time_before(now, rec.look_until))
		hf_timer_start(
		    proc_wheel(), t, hf_time_after(now, hf_ms(LOOK_MS)));
}

/* ---- orders -------------------------------------------------------------- */

static const char *
may_begin(const struct msg_begin_message *m)
{
	struct statvfs v;

	if (m->recording == 0 || m->box >= rec.conf->boxes ||
	    !rec.conf->box[m->box].used)
		return "no_such_box";
	if (rec.box[m->box] < 0)
		return "disk_error";
	if (rec.messages[m->box] >= rec.conf->box[m->box].messages)
		return "box_full";
	if (rec.busy == RECORDINGS_MAX)
		return "too_many_at_once";
	if (fstatvfs(rec.box[m->box], &v) == 0 &&
	    (uint64_t)v.f_bavail * v.f_frsize < SPARE_BYTES)
		return "disk_full";
	return NULL;
}

/* Sorts by time, is unique for ever, and says nothing about the caller. */
static void
make_name(char *to, uint32_t recording, struct hf_wall at)
{
	time_t s = (time_t)(at.us / 1000000);
	struct tm tm;
	char when[32];

	(void)gmtime_r(&s, &tm);
	(void)strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	(void)snprintf(to, BOX_NAME_MAX, "%s-%u-%08x", when, recording,
	    (uint32_t)hf_rand_u64(proc_rand()));
}

static uint32_t
bytes_max(uint16_t box)
{
	return (uint32_t)(rec.conf->box[box].max.us / (1000000 / BOX_BYTES_S));
}

static void
begin_message(const struct msg_begin_message *m)
{
	struct box_note note = { .at = m->at, .call = m->call };
	char name[BOX_NAME_MAX];
	struct recording *r;

	r = find(m->recording);
	if (r != NULL && hf_ref_is(r->call, m->call))
		return; /* an order may come twice */
	if (r != NULL)
		keep(r); /* hf-call has died and counts from one again */
	const char *why = may_begin(m);
	if (why != NULL) {
		tell_lost(m->recording, why);
		hf_log(LOG_NOTICE, "message_refused", "box=%u why=%s", m->box,
		    why);
		return;
	}
	(void)snprintf(note.from, sizeof(note.from), "%s", m->from);
	make_name(name, m->recording, m->at);
	r = find_free();
	int error = draft_begin(&r->draft, rec.box[m->box], name, &note);
	if (error != 0) {
		tell_lost(m->recording, why_of(error));
		hf_log(LOG_ERROR, "message_lost", "box=%s why=\"%s\"",
		    rec.conf->box[m->box].name, strerror(error));
		return;
	}
	struct hf_span max = rec.conf->box[m->box].max;
	r->number = m->recording;
	r->box = m->box;
	r->call = m->call;
	r->ring = -1;
	r->ending = r->spoken = false;
	r->bytes = 0;
	r->bytes_max = bytes_max(m->box);
	hf_timer_start(proc_wheel(), &r->due,
	    hf_time_after(hf_time_after(proc_now(), max), hf_ms(ORPHAN_MS)));
	rec.busy++;
	if (!hf_timer_running(&rec.look))
		on_look(&rec.look, proc_now());
}

static void
end_message(const struct msg_end_message *m)
{
	struct recording *r = find(m->recording);

	if (r == NULL) {
		if (m->keep)
			tell_lost(m->recording, "unknown");
		return;
	}
	if (!m->keep) {
		draft_drop(&r->draft);
		release(r);
		return;
	}
	r->ending = true;
	if (r->spoken)
		keep(r);
	else
		hf_timer_start(proc_wheel(), &r->due,
		    hf_time_after(proc_now(), hf_ms(LAST_WORDS_MS)));
}

static bool
is_box(uint16_t box)
{
	return box < rec.conf->boxes && rec.conf->box[box].used &&
	       rec.box[box] >= 0;
}

static enum peer
worker_of(struct hf_ref stream)
{
	for (size_t i = 0; i < HF_LEN(rec.ring); i++)
		if (stream.n - rec.first[i] < rec.count[i])
			return (enum peer)(PEER_MEDIA + i);
	return PEER_MEDIA;
}

/* The nth oldest that can be read; false when there are not so many. */
static bool
open_nth(uint16_t box, uint16_t nth, struct box_message *b, int *fd)
{
	const char(*names)[BOX_NAME_MAX];
	uint32_t n;

	if (!is_box(box) || box_list(rec.box[box], &names, &n) != 0)
		return false;
	for (uint32_t i = 0; i < n; i++) {
		if (box_read(rec.box[box], names[i], b, fd) != 0)
			continue; /* not one of ours */
		if (nth-- == 0)
			return true;
		(void)close(*fd);
	}
	return false;
}

static void
load_message(const struct msg_load_message *m)
{
	struct msg told = { .type = MSG_MESSAGE_LOADED };
	struct msg shipped = { .type = MSG_MESSAGE_SHIPPED };
	struct box_message b;
	int fd;

	told.message_loaded.message = m->message;
	told.message_loaded.box = m->box;
	if (open_nth(m->box, m->nth, &b, &fd)) {
		off_t from = lseek(fd, 0, SEEK_CUR);

		/* hf-media reads what is there and waits for nothing: it shall
		 * be there when it looks, the beginning first. */
		(void)posix_fadvise(fd, from, FIRST_BYTES, POSIX_FADV_WILLNEED);
		(void)posix_fadvise(fd, from, b.bytes, POSIX_FADV_WILLNEED);
		shipped.message_shipped.message = m->message;
		shipped.message_shipped.from = (uint32_t)from;
		shipped.message_shipped.bytes = b.bytes;
		proc_send_fd(worker_of(m->stream), &shipped, fd);
		(void)snprintf(told.message_loaded.name,
		    sizeof(told.message_loaded.name), "%s", b.name);
		(void)snprintf(told.message_loaded.from,
		    sizeof(told.message_loaded.from), "%s", b.note.from);
		told.message_loaded.at = b.note.at;
		told.message_loaded.length = box_length(b.bytes);
	}
	proc_send(PEER_CALL, &told);
}

static void
count_messages(uint16_t box)
{
	const char(*names)[BOX_NAME_MAX];

	if (rec.box[box] < 0 ||
	    box_list(rec.box[box], &names, &rec.messages[box]) != 0)
		rec.messages[box] = 0;
}

static int
delete_message(uint16_t box, const char *name)
{
	if (!is_box(box))
		return ENOENT;
	int error = box_delete(rec.box[box], name);
	/* An operator may have been there by hand: count again. */
	count_messages(box);
	tell_mailbox(box);
	return error;
}

static void
take_ring(enum peer from, const struct msg_tap_ring *m, int fd)
{
	size_t i = from - PEER_MEDIA;

	drain_ring(i);
	if (rec.ring[i].ring != NULL)
		close_ring(i);
	if (fd < 0 || !tap_open(&rec.ring[i], fd, m->bytes))
		hf_log(LOG_ERROR, "tap_refused", "worker=%zu bytes=%u", i,
		    m->bytes);
	rec.first[i] = m->first;
	rec.count[i] = m->count;
}

static bool
somebody_may_speak(void)
{
	for (int p = PEER_MEDIA; p < PEER_MEDIA + PROC_MEDIA_MAX; p++)
		if (proc_there((enum peer)p))
			return true;
	return false;
}

/* What was said so far is a message, when nobody is left to go on. */
static void
leave_if_done(void)
{
	if (!rec.leaving || proc_there(PEER_CALL))
		return;
	for (size_t i = 0; i < HF_LEN(rec.recording); i++)
		if (rec.recording[i].number != 0 && !somebody_may_speak())
			keep(&rec.recording[i]);
	if (rec.busy == 0)
		proc_leave();
}

static void
on_message(enum peer from, const struct msg *m, int fd)
{
	switch ((unsigned)m->type) {
	case MSG_BEGIN_MESSAGE:
		begin_message(&m->begin_message);
		break;
	case MSG_END_MESSAGE:
		end_message(&m->end_message);
		break;
	case MSG_LOAD_MESSAGE:
		load_message(&m->load_message);
		break;
	case MSG_DELETE_MESSAGE:
		(void)delete_message(
		    m->delete_message.box, m->delete_message.name);
		break;
	case MSG_TAP_RING:
		if (from >= PEER_MEDIA && from < PEER_MEDIA + PROC_MEDIA_MAX)
			take_ring(from, &m->tap_ring, fd);
		break;
	case MSG_DRAIN:
		rec.leaving = m->drain.on && m->drain.die;
		leave_if_done();
		break;
	default:
		break;
	}
	if (fd >= 0)
		(void)close(fd);
}

/* ---- the room ------------------------------------------------------------ */

/* "20260301T120000Z-17-9f2c81aa": 17.  A name that is not by make_name() gets
 * a number that hf-call will not come to. */
static uint32_t
number_in(const char *name)
{
	struct hf_slice s = hf_slice_of(name);
	uint64_t number = 0;

	for (int i = 0; i < 2; i++) {
		size_t dash = hf_slice_find(s, '-');
		if (dash == s.n)
			return UINT32_MAX - rec.busy;
		if (i == 1)
			s.n = dash;
		else
			s = (struct hf_slice){ s.p + dash + 1, s.n - dash - 1 };
	}
	if (!hf_slice_number(s, UINT32_MAX / 2, &number) || number == 0)
		return UINT32_MAX - rec.busy;
	return (uint32_t)number;
}

/* Somebody may still be speaking: hf-media and hf-call live on.  If nobody is,
 * it is a message soon. */
static void
on_part(const char *name, void *arg)
{
	const uint16_t *box = arg;
	struct recording *r = find_free();

	if (r == NULL || draft_adopt(&r->draft, rec.box[*box], name) != 0)
		return;
	r->number = number_in(name);
	r->box = *box;
	r->call = r->draft.message.note.call;
	r->ring = -1;
	r->ending = r->spoken = false;
	r->bytes = r->draft.message.bytes;
	r->bytes_max = bytes_max(*box);
	hf_timer_start(proc_wheel(), &r->due,
	    hf_time_after(proc_now(), hf_ms(ADOPTED_MS)));
	rec.busy++;
	hf_log(LOG_NOTICE, "message_adopted", "box=%s name=%s length_ms=%lld",
	    rec.conf->box[*box].name, name,
	    (long long)box_length(r->bytes).us / 1000);
}

static void
open_box(uint16_t i)
{
	const char *name = rec.conf->box[i].name;
	int error = box_open(rec.spool, name, &rec.box[i]);

	(void)snprintf(rec.box_name[i], sizeof(rec.box_name[i]), "%s", name);
	if (error == 0)
		error = box_parts(rec.box[i], on_part, &i);
	if (error != 0)
		hf_log(LOG_ERROR, "box_failed", "box=%s why=\"%s\"", name,
		    strerror(error));
	count_messages(i);
}

/* A place may have got another box; recordings under way hold on to the
 * folder they began in. */
static void
take_conf(const struct conf *c)
{
	rec.conf = c;
	for (uint16_t i = 0; i < c->boxes; i++) {
		if (rec.box[i] >= 0 &&
		    (!c->box[i].used ||
			strcmp(rec.box_name[i], c->box[i].name) != 0)) {
			(void)close(rec.box[i]);
			rec.box[i] = -1;
		}
		if (c->box[i].used && rec.box[i] < 0 && rec.spool >= 0)
			open_box(i);
		tell_mailbox(i);
	}
}

static void
on_start(const struct conf *c, uint32_t boot, uint16_t worker)
{
	(void)boot;
	(void)worker;
	/* What callers said is nobody else's business. */
	(void)umask(S_IRWXO | S_IWGRP);
	for (size_t i = 0; i < HF_LEN(rec.box); i++)
		rec.box[i] = -1;
	for (size_t i = 0; i < HF_LEN(rec.recording); i++)
		hf_timer_init(&rec.recording[i].due, on_due);
	hf_timer_init(&rec.look, on_look);
	if (mkdir(c->store.spool, S_IRWXU | S_IRGRP | S_IXGRP) != 0 &&
	    errno != EEXIST)
		hf_log(LOG_ERROR, "folder_failed", "path=%s why=\"%s\"",
		    c->store.spool, strerror(errno));
	rec.spool = open(c->store.spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (rec.spool < 0)
		hf_log(LOG_ERROR, "spool_failed", "path=%s why=\"%s\"",
		    c->store.spool, strerror(errno));
	take_conf(c);
	if (rec.busy > 0)
		on_look(&rec.look, proc_now());
}

static void
on_met(enum peer from)
{
	if (from == PEER_CALL)
		for (uint16_t i = 0; i < rec.conf->boxes; i++)
			tell_mailbox(i);
}

static void
on_left(enum peer from)
{
	if (from >= PEER_MEDIA && from < PEER_MEDIA + PROC_MEDIA_MAX) {
		size_t i = from - PEER_MEDIA;
		drain_ring(i);
		if (rec.ring[i].ring != NULL)
			close_ring(i);
		rec.count[i] = 0;
	}
	leave_if_done();
}

static void
turn_end(struct hf_time now)
{
	if (rec.busy > 0 || hf_time_before(now, rec.look_until))
		drain_rings();
	leave_if_done();
}

/* ---- questions ----------------------------------------------------------- */

/* A row waits for the next one: only the last says that it is the last. */
static struct {
	uint16_t n, rows;
	char row[ROW_MAX];
} reply;

static void
tell_row(uint32_t id, uint16_t box, const struct box_message *b)
{
	struct hf_buf r = hf_buf_on(reply.row, sizeof(reply.row));

	if (reply.rows++ > 0)
		proc_reply(id, NULL, reply.row, reply.n, true);
	row_text(&r, "box", rec.conf->box[box].name);
	row_text(&r, "name", b->name);
	row_wall(&r, "at", b->note.at);
	row_span(&r, "length", box_length(b->bytes));
	row_text(&r, "from", b->note.from);
	reply.n = (uint16_t)r.n;
}

static void
tell_box(uint32_t id, uint16_t box)
{
	const char(*names)[BOX_NAME_MAX];
	struct box_message b;
	uint32_t n;
	int fd;

	if (!is_box(box) || box_list(rec.box[box], &names, &n) != 0)
		return; /* said in the log when it was opened */
	for (uint32_t i = 0; i < n && reply.rows < LIST_ROWS_MAX; i++) {
		if (box_read(rec.box[box], names[i], &b, &fd) != 0)
			continue;
		(void)close(fd);
		tell_row(id, box, &b);
	}
}

/* One row a message; CONF_NONE: of all boxes. */
static void
tell_list(uint32_t id, uint16_t only)
{
	reply.rows = reply.n = 0;
	for (uint16_t i = 0; i < rec.conf->boxes; i++)
		if (only == CONF_NONE || only == i)
			tell_box(id, i);
	proc_reply(id, NULL, reply.row, reply.n, false);
}

static uint16_t
box_of(struct hf_slice word)
{
	char name[CONF_NAME_MAX];

	if (!hf_slice_copy(word, name, sizeof(name)))
		return CONF_NONE;
	return conf_box_find(rec.conf, name);
}

/* Where the message is: hfctl copies it with the operator's own rights. */
static const char *
tell_export(uint32_t id, uint16_t box, const char *name)
{
	char memory[512], path[256];
	struct hf_buf row = hf_buf_on(memory, sizeof(memory));
	struct box_message b;
	int fd;

	if (!is_box(box) || box_read(rec.box[box], name, &b, &fd) != 0)
		return "there is no such message";
	(void)close(fd);
	(void)snprintf(path, sizeof(path), "%s/%s/%s.wav",
	    rec.conf->store.spool, rec.conf->box[box].name, name);
	row_text(&row, "path", path);
	row_wall(&row, "at", b.note.at);
	row_span(&row, "length", box_length(b.bytes));
	proc_reply(id, NULL, memory, (uint16_t)row.n, false);
	return NULL;
}

static void
on_ask(const struct msg_ask *m)
{
	struct hf_slice args = { (const char *)m->args.p, m->args.n };
	struct hf_slice box = ask_next(&args);
	char name[BOX_NAME_MAX];
	const char *wrong = NULL;

	if (strcmp(m->verb, "messages") == 0) {
		if (box.n > 0 && box_of(box) == CONF_NONE)
			wrong = "there is no such box; see voicemail in the "
				"configuration";
		else
			tell_list(m->id, box.n > 0 ? box_of(box) : CONF_NONE);
	} else if (strcmp(m->verb, "message_export") != 0 &&
		   strcmp(m->verb, "message_delete") != 0) {
		wrong = "hf-rec does not know this";
	} else if (!hf_slice_copy(ask_next(&args), name, sizeof(name)) ||
		   !box_name_ok(name)) {
		wrong = "there is no such message; see hfctl voicemail";
	} else if (strcmp(m->verb, "message_export") == 0) {
		wrong = tell_export(m->id, box_of(box), name);
	} else {
		int error = delete_message(box_of(box), name);
		if (error != 0)
			wrong = error == ENOENT ? "there is no such message"
						: strerror(error);
		else
			proc_reply(m->id, NULL, NULL, 0, false);
	}
	if (wrong != NULL)
		proc_reply(m->id, wrong, NULL, 0, false);
}

int
main(int argc, char **argv)
{
	static const struct proc_room room = {
		.name = "hf-rec",
		.start = on_start,
		.reconf = take_conf,
		.met = on_met,
		.left = on_left,
		.message = on_message,
		.ask = on_ask,
		.turn_end = turn_end,
	};

	return proc_main(argc, argv, &room);
}
