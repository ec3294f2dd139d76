/* proc/slots_view - somebody else's table: see slots.h, slots_file.h */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/slots.h"
#include "proc/slots_file.h"

enum { TRIES = 16 }; /* to read a record that is being written */

static bool
get(const struct slots_view *v, void *to, size_t n, size_t at)
{
	return pread(v->fd, to, n, (off_t)at) == (ssize_t)n;
}

static bool
head_is_sane(const struct slots_view *v, off_t size)
{
	const struct slots_head *h = &v->head;

	return h->magic == SLOTS_MAGIC && h->layout == SLOTS_LAYOUT &&
	       h->count > 0 && h->count <= SLOTS_COUNT_MAX &&
	       h->record_size > 0 && h->record_size <= SLOTS_RECORD_MAX &&
	       slots_shape_of(h->record_size, h->count).bytes == (size_t)size;
}

static int
look_at(struct slots_view *v)
{
	struct stat st;
	size_t bytes;

	if (fstat(v->fd, &st) != 0)
		return errno;
	if (!S_ISREG(st.st_mode))
		return EINVAL;
	if (st.st_size == 0)
		return ENOENT;
	if (!get(v, &v->head, sizeof(v->head), 0) ||
	    !head_is_sane(v, st.st_size))
		return EINVAL;
	v->shape = slots_shape_of(v->head.record_size, v->head.count);
	bytes = v->shape.ring_at - sizeof(struct slots_head);
	v->maybe = malloc(bytes);
	hf_assert(v->maybe != NULL);
	return get(v, v->maybe, bytes, sizeof(struct slots_head)) ? 0 : EINVAL;
}

int
slots_view_open(struct slots_view *v, const char *path)
{
	int err;

	*v = (struct slots_view){ .fd = -1 };
	v->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (v->fd < 0)
		return errno;
	err = look_at(v);
	if (err != 0)
		slots_view_close(v);
	return err;
}

void
slots_view_close(struct slots_view *v)
{
	if (v->fd >= 0)
		(void)close(v->fd);
	free(v->maybe);
	v->fd = -1;
	v->maybe = NULL;
}

bool
slots_view_maybe(const struct slots_view *v, uint32_t i)
{
	return v->maybe[i / SLOTS_WORD_BITS] >> i % SLOTS_WORD_BITS & 1;
}

/* This copy, if it is whole while it is read. */
static bool
take(const struct slots_view *v, uint32_t i, const struct slots_copy *c,
    unsigned which, char *record)
{
	size_t side = (v->shape.stride - 2 * sizeof(*c)) / 2;
	size_t at = v->shape.first + i * v->shape.stride + 2 * sizeof(*c);
	uint32_t size = v->shape.record_size;

	if (c->used != 1 || c->n > size ||
	    !get(v, record, c->n, at + which * side) ||
	    c->crc != slots_sum(i, c, record))
		return false;
	memset(record + c->n, 0, size - c->n);
	return true;
}

enum slots_seen
slots_view_read(
    const struct slots_view *v, uint32_t i, void *record, uint32_t *n)
{
	size_t at = v->shape.first + i * v->shape.stride;

	for (int try = 0; try < TRIES; try++) {
		struct slots_copy c[2];
		unsigned first;

		if (!get(v, c, sizeof(c), at))
			return SLOTS_TORN;
		if (!c[0].used && !c[1].used)
			return SLOTS_GONE;
		first = !c[0].used ||
			(c[1].used && (int32_t)(c[1].seq - c[0].seq) > 0);
		for (unsigned k = 0; k < 2; k++) {
			unsigned which = first ^ k;

			if (!take(v, i, &c[which], which, record))
				continue;
			*n = c[which].n;
			return SLOTS_THERE;
		}
	}
	return SLOTS_TORN;
}

/* ---- what has changed ---------------------------------------------------- */

struct telling {
	const struct slots_view *view;
	slots_change_fn *fn;
	void *arg;
	char *record;
	bool torn;
};

static void
tell(struct telling *t, uint32_t i, bool whole)
{
	uint32_t n;

	switch (slots_view_read(t->view, i, t->record, &n)) {
	case SLOTS_THERE:
		t->fn(i, t->record, n, t->arg);
		break;
	case SLOTS_GONE:
		if (!whole)
			t->fn(i, NULL, 0, t->arg);
		break;
	case SLOTS_TORN:
		t->torn = true;
		break;
	}
}

static int
by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

/* The numbers of the last changes, each once; 0 when the ring was written over
 * while we read it. */
static uint32_t
changed_since(const struct slots_view *v, uint64_t since, uint32_t *list)
{
	uint64_t now = v->head.changes, later;
	uint32_t mask = v->shape.ring - 1, n = 0, kept = 0;

	for (uint64_t k = since; k < now; k++) {
		size_t at = v->shape.ring_at + (k & mask) * sizeof(uint32_t);

		if (!get(v, &list[n++], sizeof(*list), at))
			return 0;
	}
	if (!get(v, &later, sizeof(later),
		offsetof(struct slots_head, changes)) ||
	    later - since >= v->shape.ring)
		return 0;
	qsort(list, n, sizeof(*list), by_number);
	for (uint32_t k = 0; k < n; k++)
		if ((k == 0 || list[k] != list[k - 1]) &&
		    list[k] < v->shape.count)
			list[kept++] = list[k];
	return kept;
}

int
slots_since(const char *path, struct slots_mark *mark, bool *whole,
    slots_change_fn *fn, void *arg)
{
	struct telling t = { .fn = fn, .arg = arg };
	struct slots_mark now;
	struct slots_view v;
	uint32_t *list, n = 0;
	int err = slots_view_open(&v, path);

	if (err != 0)
		return err;
	t.view = &v;
	t.record = malloc(v.shape.record_size);
	list = malloc(v.shape.ring * sizeof(*list));
	hf_assert(t.record != NULL && list != NULL);
	now = (struct slots_mark){ v.head.born, v.head.life, v.head.changes };
	*whole = mark->born != now.born || mark->life != now.life ||
		 mark->changes > now.changes ||
		 now.changes - mark->changes >= v.shape.ring;
	if (!*whole && now.changes > mark->changes) {
		n = changed_since(&v, mark->changes, list);
		*whole = n == 0;
	}
	if (*whole)
		for (uint32_t i = 0; i < v.shape.count; i++) {
			if (slots_view_maybe(&v, i))
				tell(&t, i, true);
		}
	for (uint32_t k = 0; !*whole && k < n; k++)
		tell(&t, list[k], false);
	/* What could not be read is told of again. */
	if (!t.torn)
		*mark = now;
	free(t.record);
	free(list);
	slots_view_close(&v);
	return 0;
}
