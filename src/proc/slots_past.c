/* proc/slots_past - slots_open, and what becomes of a file from before. */

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/log.h"
#include "proc/slots.h"
#include "proc/slots_file.h"

enum { PATH_LEN = 512, WHY_LEN = 160 };

enum found {
	FOUND_NOTHING,
	FOUND_OURS,
	FOUND_PAST,    /* of ours, by *how */
	FOUND_FOREIGN, /* why says what it is */
};

struct past {
	const struct slots_past *how; /* NULL: only the count is another */
	uint32_t version, record_size, count;
};

static void __attribute__((format(printf, 3, 4)))
say(char *why, size_t n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, n, fmt, ap);
	va_end(ap);
}

static enum found
look(const struct slots_view *v, const struct slots_form *f, uint32_t count,
    struct past *past, char *why, size_t n)
{
	const struct slots_head *h = &v->head;

	*past = (struct past){ NULL, h->version, h->record_size, h->count };
	if (h->kind != f->kind) {
		say(why, n, "it is another kind of table");
		return FOUND_FOREIGN;
	}
	if (h->version == f->version && h->record_size == f->record_size)
		return h->count == count ? FOUND_OURS : FOUND_PAST;
	for (uint32_t i = 0; i < f->pasts; i++) {
		past->how = &f->past[i];
		if (past->how->version == h->version &&
		    past->how->record_size == h->record_size)
			return FOUND_PAST;
	}
	say(why, n,
	    "its version is %u with %u bytes a record, ours is %u with %u, and "
	    "that cannot be taken",
	    h->version, h->record_size, f->version, f->record_size);
	return FOUND_FOREIGN;
}

/* The bytes that say something; 0: refused. */
static uint32_t
convert(const struct past *past, const struct slots_form *f, const void *from,
    uint32_t n, void *to)
{
	uint32_t said;

	if (past->how == NULL) {
		memcpy(to, from, f->record_size);
		return n;
	}
	memset(to, 0, f->record_size);
	said = past->how->convert(from, n, to);
	hf_assert(said <= f->record_size);
	return said;
}

bool
slots_would_take(const char *path, const struct slots_form *form,
    uint32_t count, char *why, size_t why_size)
{
	struct slots_view v;
	struct past past;
	enum found found;
	bool good = true;
	char *from, *to;
	int err = slots_view_open(&v, path);

	why[0] = '\0';
	if (err == ENOENT)
		return true;
	if (err != 0) {
		say(why, why_size, "%s",
		    err == EINVAL ? "it is no table that can be read"
				  : strerror(err));
		return false;
	}
	if (count == 0)
		count = v.head.count;
	found = look(&v, form, count, &past, why, why_size);
	if (found != FOUND_PAST) {
		slots_view_close(&v);
		return found == FOUND_OURS;
	}
	from = malloc(past.record_size);
	to = malloc(form->record_size);
	hf_assert(from != NULL && to != NULL);
	for (uint32_t i = 0; i < past.count && good; i++) {
		uint32_t n;

		if (!slots_view_maybe(&v, i) ||
		    slots_view_read(&v, i, from, &n) != SLOTS_THERE)
			continue;
		if (i >= count) {
			say(why, why_size,
			    "record %u lives, and only %u would have a place",
			    i, count);
			good = false;
		} else if (n > 0 && convert(&past, form, from, n, to) == 0) {
			say(why, why_size, "record %u is refused", i);
			good = false;
		}
	}
	free(from);
	free(to);
	slots_view_close(&v);
	return good;
}

/* ---- conversion ---------------------------------------------------------- */

struct conversion {
	const struct past *past;
	const struct slots_form *form;
	struct slots *old, *new;
	char *from, *to;
	uint32_t taken, lost;
	uint32_t refused; /* the first; SLOTS_NOBODY: none */
};

static void
convert_one(uint32_t i, const void *record, void *arg)
{
	struct conversion *c = arg;
	uint32_t n, said = 0;

	(void)record; /* its end may be anything */
	if (c->refused != SLOTS_NOBODY)
		return;
	if (i >= c->new->count) {
		c->lost++;
		return;
	}
	/* A converter that dies of a record does so twice, then it is gone. */
	slots_enter(c->old, i);
	n = slots_read_part(c->old, i, c->from);
	if (n > 0)
		said = convert(c->past, c->form, c->from, n, c->to);
	slots_leave(c->old);
	if (n > 0 && said == 0) {
		c->refused = i;
		return;
	}
	slots_commit_part(c->new, i, c->to, said);
	c->taken++;
}

/* The whole table into a new file, and that into its place. */
static int
convert_all(struct slots *s, const char *path, const struct slots_form *form,
    const struct past *past, char *why)
{
	char new_path[PATH_LEN];
	struct slots old;
	struct conversion c = { .past = past,
		.form = form,
		.old = &old,
		.new = s,
		.refused = SLOTS_NOBODY };
	int err = slots_open_found(&old, path, past->record_size, past->count);

	if (err != 0)
		return err;
	say(new_path, sizeof(new_path), "%s.new", path);
	err = slots_open_afresh(s, new_path, form, s->count, old.head);
	if (err != 0) {
		say(why, WHY_LEN, "no room to convert it: %s", strerror(err));
		slots_close(&old);
		(void)unlink(new_path);
		return err;
	}
	c.from = malloc(past->record_size);
	c.to = malloc(form->record_size);
	hf_assert(c.from != NULL && c.to != NULL);
	(void)slots_each(&old, convert_one, &c);
	free(c.from);
	free(c.to);
	slots_close(&old);
	if (c.refused != SLOTS_NOBODY) {
		say(why, WHY_LEN, "record %u was refused", c.refused);
		err = EINVAL;
	} else if (s->unkept > 0) {
		say(why, WHY_LEN, "no room to convert it");
		err = ENOSPC;
	} else if (rename(new_path, path) != 0) {
		err = errno;
		say(why, WHY_LEN, "%s", strerror(err));
	}
	if (err != 0) {
		slots_close(s);
		(void)unlink(new_path);
		return err;
	}
	slots_moved(s, path);
	hf_log(c.lost > 0 ? LOG_ERROR : LOG_NOTICE, "slots_converted",
	    "path=%s version=%u from=%u count=%u before=%u records=%u lost=%u",
	    path, form->version, past->version, s->count, past->count, c.taken,
	    c.lost);
	return 0;
}

static void
put_aside(const char *path)
{
	char aside[PATH_LEN];

	say(aside, sizeof(aside), "%s.refused", path);
	(void)rename(path, aside);
}

static int
begin_afresh(struct slots *s, const char *path, const struct slots_form *form,
    uint32_t count, const char *why)
{
	if (why[0] != '\0')
		hf_log(LOG_ERROR, "slots_afresh",
		    "path=%s why=\"%s\" do=\"what was up is lost; before the "
		    "next upgrade ask what it would take, holdfastd(8)\"",
		    path, why);
	return slots_open_afresh(s, path, form, count, NULL);
}

int
slots_open(struct slots *s, const char *path, const struct slots_form *form,
    uint32_t count, bool *fresh)
{
	enum found found = FOUND_NOTHING;
	char why[WHY_LEN] = "";
	struct slots_view v;
	struct past past;
	int err = slots_view_open(&v, path);

	hf_assert(form->record_size > 0 && count > 0);
	*s = (struct slots){ .count = count, .fd = -1 };
	*fresh = false;
	if (err != 0 && err != ENOENT && err != EINVAL)
		return err;
	if (err == EINVAL) {
		say(why, sizeof(why), "it is no table that can be read");
	} else if (err == 0) {
		found = look(&v, form, count, &past, why, sizeof(why));
		slots_view_close(&v);
	}
	if (found == FOUND_OURS)
		return slots_open_found(s, path, form->record_size, count);
	if (found == FOUND_PAST) {
		err = convert_all(s, path, form, &past, why);
		if (err == 0)
			return 0;
		if (err != ENOSPC)
			put_aside(path);
		*s = (struct slots){ .count = count, .fd = -1 };
	}
	*fresh = true;
	return begin_afresh(s, path, form, count, why);
}
