/* proc/slots - see slots.h */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "proc/log.h"
#include "proc/slots.h"

#define SLOTS_MAGIC 0x4846534cu /* "HFSL" */
#define NOBODY      UINT32_MAX

enum {
	SLOTS_VERSION = 2, /* of this layout */
	PAGE = 4096,
	WORD_BITS = 64,
	ALIGN = 16, /* a whole struct copy */
	DEATHS_MAX = 2,
};

struct slots_head {
	uint32_t magic, layout, kind, version, record_size, count;
	uint32_t inside;    /* record being handled */
	uint32_t suspect;   /* the one being handled at the last death */
	uint32_t deaths;    /* of suspect, in a row */
	uint32_t condemned; /* released at this start for it */
	/* A bit for each record that may be live: start looks at these alone,
	 * for looking at a page of the table would make it be there. */
	uint64_t maybe[];
};

/* What is to be known of one copy; the two of a record lie side by side, and
 * what they are about behind them: whoever looks touches little memory. */
struct copy {
	uint32_t used;
	uint32_t seq;
	uint32_t crc; /* of seq, place, length and record */
	uint32_t n;   /* bytes of it that say something */
};

/* A process that dies keeps what it stored, in program order; it is only the
 * compiler that must be kept from turning the order round. */
static inline void
in_order(void)
{
	atomic_signal_fence(memory_order_seq_cst);
}

static size_t
head_bytes(uint32_t count)
{
	size_t words = (count + WORD_BITS - 1U) / WORD_BITS;
	size_t n = sizeof(struct slots_head) + words * sizeof(uint64_t);

	return (n + PAGE - 1) & ~(size_t)(PAGE - 1);
}

static struct copy *
copy_of(const struct slots *s, uint32_t i, unsigned which)
{
	return (struct copy *)(void *)(s->first + i * s->stride) + which;
}

static size_t
aligned(size_t n)
{
	return (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
}

static char *
record_of(const struct slots *s, uint32_t i, const struct copy *c)
{
	size_t which = (size_t)(c - copy_of(s, i, 0));

	return (char *)copy_of(s, i, 2) + which * aligned(s->record_size);
}

static uint32_t
sum(const struct slots *s, uint32_t i, const struct copy *c)
{
	uint32_t n = c->n <= s->record_size ? c->n : s->record_size;
	uint32_t of[4] = { c->seq, i, c->n, hf_crc32c(record_of(s, i, c), n) };

	return hf_crc32c(of, sizeof(of));
}

static bool
whole(const struct slots *s, uint32_t i, const struct copy *c)
{
	return c->used == 1 && c->crc == sum(s, i, c);
}

static bool
maybe_live(const struct slots *s, uint32_t i)
{
	return s->head->maybe[i / WORD_BITS] >> i % WORD_BITS & 1;
}

/* The newest whole copy, or NULL. */
static struct copy *
newest(const struct slots *s, uint32_t i)
{
	struct copy *a = copy_of(s, i, 0), *b = copy_of(s, i, 1);
	bool a_whole = whole(s, i, a), b_whole = whole(s, i, b);

	if (a_whole && b_whole)
		return (int32_t)(a->seq - b->seq) > 0 ? a : b;
	return a_whole ? a : b_whole ? b : NULL;
}

static bool
is_ours(const struct slots *s, uint32_t kind, uint32_t version)
{
	const struct slots_head *h = s->head;

	return h->magic == SLOTS_MAGIC && h->layout == SLOTS_VERSION &&
	       h->kind == kind && h->version == version &&
	       h->record_size == s->record_size && h->count == s->count;
}

/* Who was in our hands when we died? */
static void
judge_last_death(struct slots *s)
{
	struct slots_head *h = s->head;

	h->condemned = NOBODY;
	if (h->inside == NOBODY || h->inside >= s->count) {
		h->suspect = NOBODY;
		h->deaths = 0;
	} else if (h->inside != h->suspect) {
		h->suspect = h->inside;
		h->deaths = 1;
	} else if (++h->deaths >= DEATHS_MAX) {
		h->condemned = h->suspect;
		slots_release(s, h->suspect);
		h->suspect = NOBODY;
		h->deaths = 0;
	}
	h->inside = NOBODY;
}

/* ---- room in the file system --------------------------------------------- */

#define ADVICE                                                                 \
	"make the file system of keeper.run_dir larger or, with fewer "        \
	"calls at once, lower calls_max and sip.dialogs"

static uint64_t
bit_of(size_t page)
{
	return UINT64_C(1) << page % WORD_BITS;
}

static int
reserve_pages(struct slots *s, size_t from, size_t to)
{
	size_t end = (to + 1) * PAGE < s->bytes ? (to + 1) * PAGE : s->bytes;
	int err;

	do
		err = posix_fallocate(
		    s->fd, (off_t)(from * PAGE), (off_t)(end - from * PAGE));
	while (err == EINTR);
	if (err != 0)
		return err;
	s->full = false; /* there is room again */
	for (size_t p = from; p <= to; p++)
		s->reserved[p / WORD_BITS] |= bit_of(p);
	return 0;
}

/* May these n bytes of the table, one at least, be written? */
static inline int
reserve(struct slots *s, const void *at, size_t n)
{
	size_t offset = (size_t)((const char *)at - (const char *)s->head);
	size_t from = offset / PAGE, to = (offset + n - 1) / PAGE;

	for (size_t p = from; p <= to; p++)
		if (!(s->reserved[p / WORD_BITS] & bit_of(p)))
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
map(struct slots *s, int fd)
{
	void *p;

	if (ftruncate(fd, (off_t)s->bytes) != 0)
		return errno;
	p = mmap(NULL, s->bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return errno;
	s->head = p;
	s->first = (char *)p + head_bytes(s->count);
	return reserve(s, s->head, head_bytes(s->count));
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
	s->head = NULL;
	s->reserved = NULL;
	s->path = NULL;
	s->fd = -1;
}

static void
pages_begin(struct slots *s)
{
	size_t pages = s->bytes / PAGE + 2;

	s->reserved = calloc(pages / WORD_BITS + 1, sizeof(*s->reserved));
	hf_assert(s->reserved != NULL);
}

int
slots_open(struct slots *s, const char *path, uint32_t kind, uint32_t version,
    uint32_t record_size, uint32_t count, bool *fresh)
{
	struct stat st;
	int err;

	hf_assert(record_size > 0 && count > 0);
	*s = (struct slots){ .record_size = record_size, .count = count };
	s->stride = 2 * (sizeof(struct copy) + aligned(record_size));
	s->bytes = head_bytes(count) + (size_t)count * s->stride;
	s->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (s->fd < 0)
		return errno;
	s->path = strdup(path);
	hf_assert(s->path != NULL);
	pages_begin(s);
	err = fstat(s->fd, &st) == 0 ? 0 : errno;
	/* Cut to nothing first: what was there would show through. */
	if (err == 0 && (size_t)st.st_size != s->bytes) {
		err = ftruncate(s->fd, 0) == 0 ? 0 : errno;
		st.st_blocks = 0;
	}
	if (err == 0)
		err = map(s, s->fd);
	*fresh = err == 0 && !is_ours(s, kind, version);
	if (*fresh) {
		(void)munmap(s->head, s->bytes);
		s->head = NULL;
		free(s->reserved);
		pages_begin(s);
		st.st_blocks = 0;
		err = ftruncate(s->fd, 0) == 0 ? map(s, s->fd) : errno;
	}
	if (err != 0) {
		undo(s);
		return err;
	}
	look_for_room(s, &st);
	if (*fresh) {
		*s->head = (struct slots_head){ .layout = SLOTS_VERSION,
			.kind = kind,
			.version = version,
			.record_size = record_size,
			.count = count,
			.inside = NOBODY,
			.suspect = NOBODY,
			.condemned = NOBODY };
		in_order();
		s->head->magic = SLOTS_MAGIC;
	}
	judge_last_death(s);
	return 0;
}

void
slots_close(struct slots *s)
{
	undo(s);
}

void
slots_commit(struct slots *s, uint32_t i, const void *record)
{
	slots_commit_part(s, i, record, s->record_size);
}

void
slots_commit_part(struct slots *s, uint32_t i, const void *record, uint32_t n)
{
	struct copy *a, *b, *old;
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

	s->head->maybe[i / WORD_BITS] |= UINT64_C(1) << i % WORD_BITS;
	old->used = 0;
	in_order();
	old->seq = seq;
	old->n = n;
	memcpy(record_of(s, i, old), record, n);
	old->crc = sum(s, i, old);
	in_order();
	old->used = 1;
}

void
slots_release(struct slots *s, uint32_t i)
{
	struct copy *a, *b, *old;

	hf_assert(i < s->count);
	if (!maybe_live(s, i))
		return;
	a = copy_of(s, i, 0);
	b = copy_of(s, i, 1);
	/* The older first: a death in between must not bring it back. */
	old = (int32_t)(a->seq - b->seq) > 0 ? b : a;
	old->used = 0;
	in_order();
	(old == a ? b : a)->used = 0;
	in_order();
	s->head->maybe[i / WORD_BITS] &= ~(UINT64_C(1) << i % WORD_BITS);
	/* The next tenant of the place is innocent. */
	if (s->head->suspect == i)
		s->head->suspect = NOBODY;
}

bool
slots_read(const struct slots *s, uint32_t i, void *record)
{
	const struct copy *c;

	hf_assert(i < s->count);
	c = maybe_live(s, i) ? newest(s, i) : NULL;
	if (c == NULL)
		return false;
	memcpy(record, record_of(s, i, c), c->n);
	memset((char *)record + c->n, 0, s->record_size - c->n);
	return true;
}

/* A copy whose sum is wrong must not look newer to the next commit. */
static void
drop_torn(struct copy *c, const struct copy *best, bool is_whole)
{
	if (c->used && c != best && !is_whole)
		c->used = 0;
}

uint32_t
slots_each(const struct slots *s, slots_fn *fn, void *arg)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->count; i++) {
		struct copy *best, *a, *b;

		if (s->head->maybe[i / WORD_BITS] == 0) {
			i |= WORD_BITS - 1; /* none of these 64 */
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
	s->head->inside = i;
}

void
slots_leave(struct slots *s)
{
	s->head->inside = NOBODY;
}

bool
slots_condemned(const struct slots *s, uint32_t *poisoned)
{
	*poisoned = s->head->condemned;
	return *poisoned != NOBODY;
}
