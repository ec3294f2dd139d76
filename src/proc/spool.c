/* proc/spool - see spool.h */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "proc/spool.h"

#define SPOOL_MAGIC 0x48465350u /* "HFSP" */

enum {
	SPOOL_VERSION = 1,
	HEAD_BYTES = 4096,
	ALIGN = 8,
	ROOMY = 128 * 1024, /* move the few that wait when this much is spent */
	IMPORTANCES = 3,
	TYPE_AT = 2, /* in a frame; see wire/codec.h */
	BOOT_AT = 4,
	SEQ_AT = 8,
};

/* One half holds the facts; the other is where they are packed to, and the
 * change of halves is one store, so a death at any point loses nothing. */
struct spool_head {
	uint32_t magic, version, area, active;
	struct {
		uint32_t first, end, facts, pad;
	} half[2];
	uint32_t last_boot, last_seq; /* the newest that was put, or 0 */
};

struct entry {
	uint32_t crc; /* of the frame */
	uint16_t n;
	uint16_t importance;
	char frame[];
};

static inline void
in_order(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static size_t
entry_bytes(uint16_t n)
{
	return (sizeof(struct entry) + n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static char *
half_of(const struct spool *s, uint32_t which)
{
	return (char *)s->head + HEAD_BYTES + (size_t)which * s->area;
}

static struct entry *
entry_at(const struct spool *s, uint32_t at)
{
	return (struct entry *)(void *)(half_of(s, s->head->active) + at);
}

/* What may be lost before what: 0 goes last. */
static uint16_t
importance_of(enum msg_type t)
{
	switch ((unsigned)t) {
	case MSG_CALL_ENDED:
		return 0;
	case MSG_EVIDENCE:
	case MSG_AGENT_MOVED:
		return 2;
	default:
		return 1;
	}
}

/* The file may be from a version of ours that had a bug: believe nothing. */
static void
drop_what_is_torn(struct spool *s)
{
	struct spool_head *h = s->head;
	uint32_t which = h->active, at = h->half[which].first, facts = 0;

	while (at < h->half[which].end && h->half[which].end <= s->area) {
		struct entry *e = entry_at(s, at);

		if (s->area - at < sizeof(*e) ||
		    s->area - at < entry_bytes(e->n) ||
		    e->crc != hf_crc32c(e->frame, e->n))
			break;
		at += (uint32_t)entry_bytes(e->n);
		facts++;
	}
	h->half[which].end = at;
	h->half[which].facts = facts;
}

/* NULL and errno when the file system does not have it. */
static void *
map_file(const char *path, size_t bytes)
{
	int fd, err;
	void *p;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return NULL;
	err = posix_fallocate(fd, 0, (off_t)bytes);
	if (err == 0 && ftruncate(fd, (off_t)bytes) != 0)
		err = errno;
	p = err != 0
		? MAP_FAILED
		: mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (err == 0 && p == MAP_FAILED)
		err = errno;
	(void)close(fd);
	errno = err;
	return p == MAP_FAILED ? NULL : p;
}

static void *
map_memory(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	hf_assert(p != MAP_FAILED);
	return p;
}

int
spool_open(struct spool *s, const char *path, uint32_t area, uint32_t boot)
{
	struct spool_head *h;
	int err = 0;

	*s = (struct spool){
		.area = area, .boot = boot, .squeezed = IMPORTANCES
	};
	s->bytes = HEAD_BYTES + 2 * (size_t)area;
	h = map_file(path, s->bytes);
	if (h == NULL) {
		err = errno;
		h = map_memory(s->bytes);
		s->memory = true;
	}
	s->head = h;
	if (h->magic != SPOOL_MAGIC || h->version != SPOOL_VERSION ||
	    h->area != area || h->active > 1 ||
	    h->half[h->active].first > h->half[h->active].end ||
	    h->half[h->active].end > area) {
		memset(h, 0, sizeof(*h));
		h->version = SPOOL_VERSION;
		h->area = area;
		in_order();
		h->magic = SPOOL_MAGIC;
	}
	drop_what_is_torn(s);
	spool_rewind(s);
	return err;
}

void
spool_close(struct spool *s)
{
	if (s->head != NULL)
		(void)munmap(s->head, s->bytes);
	s->head = NULL;
}

/* Moves what is at most so important a loss into the other half. */
static void
pack(struct spool *s, uint16_t keep)
{
	struct spool_head *h = s->head;
	uint32_t from = h->active, to = !from, end = 0, facts = 0, sent = 0;

	for (uint32_t at = h->half[from].first; at < h->half[from].end;) {
		const struct entry *e = entry_at(s, at);
		uint32_t n = (uint32_t)entry_bytes(e->n);

		if (at == s->sent_to)
			sent = end;
		if (e->importance <= keep) {
			memcpy(half_of(s, to) + end, e, n);
			end += n;
			facts++;
		} else {
			s->dropped++;
		}
		at += n;
	}
	if (s->sent_to >= h->half[from].end)
		sent = end;
	h->half[to].first = 0;
	h->half[to].end = end;
	h->half[to].facts = facts;
	in_order();
	h->active = to;
	s->sent_to = sent;
}

/* False when even the ends of calls fill it: that fact is lost, and counted. */
static bool
make_room(struct spool *s, size_t n, uint16_t importance)
{
	/* What was thrown out for lack of room is not let in again until the
	 * store has made some: else every fact would cost a packing. */
	if (importance > s->squeezed)
		return false;
	for (int keep = IMPORTANCES - 1; keep >= 0; keep--) {
		if (s->area - s->head->half[s->head->active].end >= n)
			return true;
		if (keep < importance)
			return false; /* do not push out what matters more */
		if (keep >= s->squeezed)
			continue;
		pack(s, (uint16_t)keep);
		s->squeezed = (uint16_t)keep;
	}
	return s->area - s->head->half[s->head->active].end >= n;
}

static void
append(struct spool *s, const char *frame, uint16_t n)
{
	struct spool_head *h = s->head;
	struct entry *e;
	uint16_t type, importance;

	memcpy(&type, frame + TYPE_AT, sizeof(type));
	importance = importance_of((enum msg_type)type);
	if (h == NULL || !make_room(s, entry_bytes(n), importance)) {
		s->dropped++;
		return;
	}
	e = entry_at(s, h->half[h->active].end);
	e->n = n;
	e->importance = importance;
	e->crc = hf_crc32c(frame, n);
	memcpy(e->frame, frame, n);
	in_order();
	h->half[h->active].end += (uint32_t)entry_bytes(n);
	h->half[h->active].facts++;
}

static void
newest_is(struct spool *s, uint32_t boot, uint32_t seq)
{
	if (boot == s->boot)
		s->seq = seq;
	if (s->head == NULL)
		return;
	/* After what it says: a death in between, and it is put once more,
	 * which the store notices. */
	in_order();
	s->head->last_boot = boot;
	s->head->last_seq = seq;
}

void
spool_put(struct spool *s, const struct msg *m)
{
	static char frame[MSG_FRAME_MAX];
	struct hf_buf b = hf_buf_on(frame, sizeof(frame));
	uint32_t seq = s->seq + 1;

	hf_assert(msg_encode(&b, m));
	memcpy(frame + BOOT_AT, &s->boot, 4);
	memcpy(frame + SEQ_AT, &seq, 4);
	append(s, frame, (uint16_t)b.n);
	newest_is(s, s->boot, seq);
}

bool
spool_knows(const struct spool *s, uint32_t boot, uint32_t seq)
{
	const struct spool_head *h = s->head;

	return h != NULL && (boot < h->last_boot ||
				(boot == h->last_boot && seq <= h->last_seq));
}

void
spool_put_frame(struct spool *s, const void *frame, uint16_t n)
{
	uint32_t of[2];

	memcpy(of, (const char *)frame + BOOT_AT, sizeof(of));
	if (spool_knows(s, of[0], of[1]))
		return;
	append(s, frame, n);
	newest_is(s, of[0], of[1]);
}

bool
spool_next(struct spool *s, const void **frame, uint16_t *n)
{
	const struct entry *e;

	if (s->head == NULL || s->sent_to >= s->head->half[s->head->active].end)
		return false;
	e = entry_at(s, s->sent_to);
	*frame = e->frame;
	*n = e->n;
	s->sent_to += (uint32_t)entry_bytes(e->n);
	return true;
}

void
spool_rewind(struct spool *s)
{
	if (s->head != NULL)
		s->sent_to = s->head->half[s->head->active].first;
}

/* Facts are in the order they were put: earlier boots before this one. */
static bool
is_stored(const struct entry *e, uint32_t boot, uint32_t seq)
{
	uint32_t of[2];

	memcpy(of, e->frame + 4, sizeof(of));
	return of[0] < boot || (of[0] == boot && of[1] <= seq);
}

void
spool_stored(struct spool *s, uint32_t boot, uint32_t seq)
{
	struct spool_head *h = s->head;
	uint32_t which, at;

	if (h == NULL)
		return;
	which = h->active;
	at = h->half[which].first;
	while (
	    at < h->half[which].end && is_stored(entry_at(s, at), boot, seq)) {
		at += (uint32_t)entry_bytes(entry_at(s, at)->n);
		h->half[which].facts--;
	}
	if (at != h->half[which].first)
		s->squeezed = IMPORTANCES;
	h->half[which].first = at;
	if (s->sent_to < at)
		s->sent_to = at;
	/* Few wait and much is spent: go back to the first pages, which are
	 * warm, instead of through the whole file. */
	if (at >= ROOMY && h->half[which].end - at < ROOMY)
		pack(s, IMPORTANCES - 1);
}

uint32_t
spool_waiting(const struct spool *s)
{
	return s->head == NULL ? 0 : s->head->half[s->head->active].facts;
}
