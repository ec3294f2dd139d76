/* proc/slots - see slots.h */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "proc/crash.h"
#include "proc/log.h"
#include "proc/slots.h"
#include "proc/slots_file.h"

enum { DEATHS_MAX = 2 };

/* A process that dies keeps what it stored, in program order; it is only the
 * compiler that must be kept from turning the order round. */
static inline void
in_order(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static struct slots_copy *
copy_of(const struct slots *s, uint32_t i, unsigned which)
{
	return (struct slots_copy *)(void *)(s->first + i * s->stride) + which;
}

static size_t
aligned(size_t n)
{
	return (n + SLOTS_ALIGN - 1) & ~(size_t)(SLOTS_ALIGN - 1);
}

struct slots_shape
slots_shape_of(uint32_t record_size, uint32_t count)
{
	size_t words = (count + SLOTS_WORD_BITS - 1U) / SLOTS_WORD_BITS;
	struct slots_shape f = {
		.record_size = record_size,
		.count = count,
		.ring = 1,
	};

	while (f.ring < count && f.ring < SLOTS_RING_MAX)
		f.ring *= 2;
	f.ring_at = sizeof(struct slots_head) + words * sizeof(uint64_t);
	f.first = f.ring_at + f.ring * sizeof(uint32_t);
	f.first = (f.first + SLOTS_PAGE - 1) & ~(size_t)(SLOTS_PAGE - 1);
	f.stride = 2 * (sizeof(struct slots_copy) + aligned(record_size));
	f.bytes = f.first + (size_t)count * f.stride;
	return f;
}

uint32_t
slots_sum(uint32_t place, const struct slots_copy *c, const void *record)
{
	uint32_t of[4] = { c->seq, place, c->n, hf_crc32c(record, c->n) };

	return hf_crc32c(of, sizeof(of));
}

static char *
record_of(const struct slots *s, uint32_t i, const struct slots_copy *c)
{
	size_t which = (size_t)(c - copy_of(s, i, 0));

	return (char *)copy_of(s, i, 2) + which * aligned(s->record_size);
}

static bool
whole(const struct slots *s, uint32_t i, const struct slots_copy *c)
{
	return c->used == 1 && c->n <= s->record_size &&
	       c->crc == slots_sum(i, c, record_of(s, i, c));
}

static bool
maybe_live(const struct slots *s, uint32_t i)
{
	return s->head->maybe[i / SLOTS_WORD_BITS] >> i % SLOTS_WORD_BITS & 1;
}

/* The newest whole copy, or NULL. */
static struct slots_copy *
newest(const struct slots *s, uint32_t i)
{
	struct slots_copy *a = copy_of(s, i, 0), *b = copy_of(s, i, 1);
	bool a_whole = whole(s, i, a), b_whole = whole(s, i, b);

	if (a_whole && b_whole)
		return (int32_t)(a->seq - b->seq) > 0 ? a : b;
	return a_whole ? a : b_whole ? b : NULL;
}

/* Who was in our hands when we died? */
static void
judge_last_death(struct slots *s)
{
	struct slots_head *h = s->head;

	h->condemned = SLOTS_NOBODY;
	if (h->inside == SLOTS_NOBODY || h->inside >= s->count) {
		h->suspect = SLOTS_NOBODY;
		h->deaths = 0;
	} else if (h->inside != h->suspect) {
		h->suspect = h->inside;
		h->deaths = 1;
	} else if (++h->deaths >= DEATHS_MAX) {
		h->condemned = h->suspect;
		s->condemned = malloc(s->record_size);
		hf_assert(s->condemned != NULL);
		if (!slots_read(s, h->suspect, s->condemned)) {
			free(s->condemned);
			s->condemned = NULL;
		}
		slots_release(s, h->suspect);
		h->suspect = SLOTS_NOBODY;
		h->deaths = 0;
	}
	h->inside = SLOTS_NOBODY;
}

/* ---- room in the file system --------------------------------------------- */

#define ADVICE                                                                 \
	"make the file system of keeper.run_dir larger or, with fewer "        \
	"calls at once, lower calls_max and sip.dialogs"

static uint64_t
bit_of(size_t page)
{
	return UINT64_C(1) << page % SLOTS_WORD_BITS;
}

static int
reserve_pages(struct slots *s, size_t from, size_t to)
{
	size_t end =
	    (to + 1) * SLOTS_PAGE < s->bytes ? (to + 1) * SLOTS_PAGE : s->bytes;
	int err;

	do
		err = posix_fallocate(s->fd, (off_t)(from * SLOTS_PAGE),
		    (off_t)(end - from * SLOTS_PAGE));
	while (err == EINTR);
	if (err != 0)
		return err;
	s->full = false; /* there is room again */
	for (size_t p = from; p <= to; p++)
		s->reserved[p / SLOTS_WORD_BITS] |= bit_of(p);
	return 0;
}

/* May these n bytes of the table, one at least, be written? */
static inline int
reserve(struct slots *s, const void *at, size_t n)
{
	size_t offset = (size_t)((const char *)at - (const char *)s->head);
	size_t from = offset / SLOTS_PAGE, to = (offset + n - 1) / SLOTS_PAGE;

	for (size_t p = from; p <= to; p++)
		if (!(s->reserved[p / SLOTS_WORD_BITS] & bit_of(p)))
			return reserve_pages(s, from, to);
	return 0;
}

/* Said once: a full file system stays full for a while. */
static void
not_kept(struct slots *s, uint32_t i, int err)
{
	s->unkept++;
	slots_release(s, i);
	if (s->full)
		return;
	s->full = true;
	hf_log(LOG_ERROR, "slots_full",
	    "path=%s bytes=%zu why=\"%s\" do=\"" ADVICE "\"", s->path, s->bytes,
	    strerror(err));
}

static void
look_for_room(const struct slots *s, const struct stat *st)
{
	uint64_t there = (uint64_t)st->st_blocks * 512, free;
	struct statvfs fs;

	if (fstatvfs(s->fd, &fs) != 0)
		return;
	free = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (s->bytes <= there + free)
		return;
	hf_log(LOG_WARNING, "slots_tight",
	    "path=%s bytes=%zu free=%llu do=\"" ADVICE "\"", s->path, s->bytes,
	    (unsigned long long)(there + free));
}

void
slots_complain(const struct slots *s, const char *path, int err)
{
	hf_log(LOG_ERROR, "slots_failed",
	    "path=%s bytes=%zu why=\"%s\" do=\"%s\"", path, s->bytes,
	    strerror(err), err == ENOSPC ? ADVICE : "see holdfastd(8), FILES");
}

/* ---- open ---------------------------------------------------------------- */

static int
map(struct slots *s, const struct slots_shape *f)
{
	void *p;

	if (ftruncate(s->fd, (off_t)s->bytes) != 0)
		return errno;
	p = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (p == MAP_FAILED)
		return errno;
	s->head = p;
	s->first = (char *)p + f->first;
	s->ring = (uint32_t *)(void *)((char *)p + f->ring_at);
	return reserve(s, s->head, f->first);
}

/* Nothing of it is left. */
static void
undo(struct slots *s)
{
	if (s->head != NULL)
		(void)munmap(s->head, s->bytes);
	if (s->fd >= 0)
		(void)close(s->fd);
	free(s->reserved);
	free(s->path);
	free(s->condemned);
	s->condemned = NULL;
	s->head = NULL;
	s->reserved = NULL;
	s->path = NULL;
	s->fd = -1;
}

static void
write_head(struct slots *s, uint32_t kind, uint32_t version,
    const struct slots_head *of)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	*s->head = (struct slots_head){ .layout = SLOTS_LAYOUT,
		.kind = kind,
		.version = version,
		.record_size = s->record_size,
		.count = s->count,
		.born =
		    (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
		.inside = SLOTS_NOBODY,
		.suspect = of != NULL ? of->suspect : SLOTS_NOBODY,
		.deaths = of != NULL ? of->deaths : 0,
		.condemned = of != NULL ? of->condemned : SLOTS_NOBODY };
	in_order();
	s->head->magic = SLOTS_MAGIC;
}

/* Maps what is this very table, or nothing yet; afresh: whatever is there. */
static int
open_exact(struct slots *s, const char *path, uint32_t record_size,
    uint32_t count, bool afresh)
{
	struct slots_shape f = slots_shape_of(record_size, count);
	int flags = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW;
	struct stat st;
	size_t pages;
	int err;

	*s = (struct slots){ .record_size = record_size,
		.count = count,
		.ring_mask = f.ring - 1,
		.stride = f.stride,
		.bytes = f.bytes };
	/* Cut to nothing first: what was there would show through. */
	s->fd = open(path, flags | (afresh ? O_TRUNC : 0), 0600);
	if (s->fd < 0)
		return errno;
	s->path = strdup(path);
	hf_assert(s->path != NULL);
	pages = s->bytes / SLOTS_PAGE + 2;
	s->reserved = calloc(pages / SLOTS_WORD_BITS + 1, sizeof(*s->reserved));
	hf_assert(s->reserved != NULL);
	err = fstat(s->fd, &st) == 0 ? 0 : errno;
	if (err == 0)
		err = map(s, &f);
	if (err == 0)
		look_for_room(s, &st);
	else
		undo(s);
	return err;
}

int
slots_open_afresh(struct slots *s, const char *path,
    const struct slots_form *form, uint32_t count, const struct slots_head *of)
{
	int err = open_exact(s, path, form->record_size, count, true);

	if (err == 0)
		write_head(s, form->kind, form->version, of);
	return err;
}

int
slots_open_found(
    struct slots *s, const char *path, uint32_t record_size, uint32_t count)
{
	int err = open_exact(s, path, record_size, count, false);

	if (err == 0) {
		s->head->life++;
		judge_last_death(s);
	}
	return err;
}

void
slots_close(struct slots *s)
{
	undo(s);
}

void
slots_moved(struct slots *s, const char *path)
{
	free(s->path);
	s->path = strdup(path);
	hf_assert(s->path != NULL);
}

/* For those who read along.  A death before this leaves it unsaid: they begin
 * anew with each life of the owner. */
static void
changed(struct slots *s, uint32_t i)
{
	uint64_t n = s->head->changes;

	s->ring[n & s->ring_mask] = i;
	__atomic_store_n(&s->head->changes, n + 1, __ATOMIC_RELEASE);
}

void
slots_commit(struct slots *s, uint32_t i, const void *record)
{
	slots_commit_part(s, i, record, s->record_size);
}

static void
copy_in(const struct slots *s, char *to, const char *record, uint32_t n)
{
	uint32_t half = 0;

	(void)s;
#ifdef HF_CRASH_POINTS
	CRASH_STORE(s->path, "record");
	half = n / 2;
	memcpy(to, record, half);
	CRASH_STORE(s->path, "record's rest");
#endif
	memcpy(to + half, record + half, n - half);
}

void
slots_commit_part(struct slots *s, uint32_t i, const void *record, uint32_t n)
{
	struct slots_copy *a, *b, *old;
	uint32_t seq;
	int err;

	hf_assert(i < s->count && n <= s->record_size);
	a = copy_of(s, i, 0);
	b = copy_of(s, i, 1);
	err = reserve(s, a, 2 * sizeof(*a));
	if (err != 0) {
		not_kept(s, i, err);
		return;
	}
	/* Trusts its own flags: sums were looked at when we started, and what
	 * was torn then is unused or gets written over here. */
	if (!a->used)
		old = a;
	else if (!b->used)
		old = b;
	else
		old = (int32_t)(a->seq - b->seq) > 0 ? b : a;
	seq = (old == a ? b : a)->seq + 1;
	err = reserve(s, record_of(s, i, old), n > 0 ? n : 1);
	if (err != 0) {
		not_kept(s, i, err);
		return;
	}

	CRASH_STORE(s->path, "maybe");
	s->head->maybe[i / SLOTS_WORD_BITS] |= UINT64_C(1)
					       << i % SLOTS_WORD_BITS;
	CRASH_STORE(s->path, "used=0");
	old->used = 0;
	in_order();
	CRASH_STORE(s->path, "seq");
	old->seq = seq;
	old->n = n;
	copy_in(s, record_of(s, i, old), record, n);
	CRASH_STORE(s->path, "crc");
	old->crc = slots_sum(i, old, record_of(s, i, old));
	in_order();
	CRASH_STORE(s->path, "used=1");
	old->used = 1;
	CRASH_STORE(s->path, "changes");
	changed(s, i);
}

void
slots_release(struct slots *s, uint32_t i)
{
	struct slots_copy *a, *b, *old;

	hf_assert(i < s->count);
	if (!maybe_live(s, i))
		return;
	a = copy_of(s, i, 0);
	b = copy_of(s, i, 1);
	/* The older first: a death in between must not bring it back. */
	old = (int32_t)(a->seq - b->seq) > 0 ? b : a;
	CRASH_STORE(s->path, "release older");
	old->used = 0;
	in_order();
	CRASH_STORE(s->path, "release newer");
	(old == a ? b : a)->used = 0;
	in_order();
	CRASH_STORE(s->path, "release maybe");
	s->head->maybe[i / SLOTS_WORD_BITS] &=
	    ~(UINT64_C(1) << i % SLOTS_WORD_BITS);
	changed(s, i);
	/* The next tenant of the place is innocent. */
	if (s->head->suspect == i)
		s->head->suspect = SLOTS_NOBODY;
}

static const struct slots_copy *
live(const struct slots *s, uint32_t i)
{
	hf_assert(i < s->count);
	return maybe_live(s, i) ? newest(s, i) : NULL;
}

bool
slots_read(const struct slots *s, uint32_t i, void *record)
{
	const struct slots_copy *c = live(s, i);

	if (c == NULL)
		return false;
	memcpy(record, record_of(s, i, c), c->n);
	memset((char *)record + c->n, 0, s->record_size - c->n);
	return true;
}

uint32_t
slots_read_part(const struct slots *s, uint32_t i, void *record)
{
	const struct slots_copy *c = live(s, i);

	return slots_read(s, i, record) ? c->n : 0;
}

/* A copy whose sum is wrong must not look newer to the next commit. */
static void
drop_torn(struct slots_copy *c, const struct slots_copy *best, bool is_whole)
{
	if (c->used && c != best && !is_whole)
		c->used = 0;
}

uint32_t
slots_each(const struct slots *s, slots_fn *fn, void *arg)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct slots_copy *best, *a, *b;

		if (s->head->maybe[i / SLOTS_WORD_BITS] == 0) {
			i |= SLOTS_WORD_BITS - 1; /* none of these 64 */
			continue;
		}
		if (!maybe_live(s, i))
			continue;
		a = copy_of(s, i, 0);
		b = copy_of(s, i, 1);
		best = newest(s, i);
		drop_torn(a, best, whole(s, i, a));
		drop_torn(b, best, whole(s, i, b));
		if (best == NULL)
			continue;
		fn(i, record_of(s, i, best), arg);
		n++;
	}
	return n;
}

void
slots_enter(struct slots *s, uint32_t i)
{
	CRASH_STORE(s->path, "enter");
	s->head->inside = i;
}

void
slots_leave(struct slots *s)
{
	CRASH_STORE(s->path, "leave");
	s->head->inside = SLOTS_NOBODY;
}

bool
slots_condemned(const struct slots *s, uint32_t *poisoned)
{
	*poisoned = s->head->condemned;
	return *poisoned != SLOTS_NOBODY;
}

const void *
slots_condemned_record(const struct slots *s)
{
	return s->condemned;
}
