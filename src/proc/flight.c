/* proc/flight - see flight.h */

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/flight.h"

#define FLIGHT_MAGIC   0x48464652u /* "HFFR" */
#define FLIGHT_VERSION 1

struct line {
	uint64_t number; /* counts from 1; 0: never written */
	char text[FLIGHT_LINE_MAX];
};

struct moment {
	int64_t us;
	uint8_t peer, sent;
	uint16_t type;
	uint32_t pad;
	uint8_t first[8];
};

struct recorder {
	uint32_t magic, version;
	_Atomic uint64_t lines, moments;
	struct line line[FLIGHT_LINES];
	struct moment moment[FLIGHT_MESSAGES];
};

static struct recorder *rec;

/* hf_assert's last word goes into the file before the process dies. */
static void
note_death(const char *words)
{
	flight_note(words, strlen(words));
}

int
flight_open(const char *path)
{
	char old[256];
	void *p;
	int fd, err;

	if (snprintf(old, sizeof(old), "%s.old", path) < (int)sizeof(old))
		(void)rename(path, old);
	fd = open(
	    path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return errno;
	/* All of it: a hole in a full file system is a signal later. */
	err = posix_fallocate(fd, 0, sizeof(*rec));
	if (err != 0) {
		(void)close(fd);
		return err;
	}
	p = mmap(NULL, sizeof(*rec), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (p == MAP_FAILED)
		return errno;
	rec = p;
	rec->version = FLIGHT_VERSION;
	rec->magic = FLIGHT_MAGIC;
	hf_die_note = note_death;
	return 0;
}

void
flight_note(const char *text, size_t n)
{
	struct line *l;
	uint64_t number;

	if (rec == NULL)
		return;
	number = atomic_load_explicit(&rec->lines, memory_order_relaxed) + 1;
	l = &rec->line[number % FLIGHT_LINES];
	l->number = 0; /* not a line while it is written */
	atomic_signal_fence(memory_order_seq_cst);
	if (n >= sizeof(l->text))
		n = sizeof(l->text) - 1;
	memcpy(l->text, text, n);
	l->text[n] = '\0';
	atomic_signal_fence(memory_order_seq_cst);
	l->number = number;
	atomic_store_explicit(&rec->lines, number, memory_order_relaxed);
}

void
flight_message(struct hf_time now, uint8_t peer, bool sent, uint16_t type,
    const void *body)
{
	uint64_t number;
	struct moment *m;

	if (rec == NULL)
		return;
	number = atomic_load_explicit(&rec->moments, memory_order_relaxed) + 1;
	m = &rec->moment[number % FLIGHT_MESSAGES];
	m->us = now.us;
	m->peer = peer;
	m->sent = sent;
	m->type = type;
	memcpy(m->first, body, sizeof(m->first));
	atomic_store_explicit(&rec->moments, number, memory_order_relaxed);
}

static void
copy_printable(char *to, size_t cap, const char *from)
{
	size_t i = 0;

	for (; i + 1 < cap && i < FLIGHT_LINE_MAX && from[i] != '\0'; i++)
		to[i] = from[i] < ' ' || from[i] == 0x7f ? '?' : from[i];
	to[i] = '\0';
}

bool
flight_last(const char *path, const char *word, char *to, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	uint64_t best = 0;

	if (fd < 0)
		return false;
	for (unsigned i = 0; i < FLIGHT_LINES; i++) {
		struct line l;
		off_t at =
		    (off_t)(offsetof(struct recorder, line) + i * sizeof(l));

		/* Not mapped: the file may shrink at any moment. */
		if (pread(fd, &l, sizeof(l), at) != (ssize_t)sizeof(l))
			break;
		l.text[sizeof(l.text) - 1] = '\0';
		if (l.number > best && strstr(l.text, word) != NULL) {
			best = l.number;
			copy_printable(to, cap, l.text);
		}
	}
	(void)close(fd);
	return best > 0;
}

/* Copied: the file is another process's and may be written to, or shrink. */
static struct recorder *
load(const char *path)
{
	struct recorder *r = malloc(sizeof(*r));
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool well = r != NULL && fd >= 0 &&
		    pread(fd, r, sizeof(*r), 0) == (ssize_t)sizeof(*r) &&
		    r->magic == FLIGHT_MAGIC && r->version == FLIGHT_VERSION;

	if (fd >= 0)
		(void)close(fd);
	if (well)
		return r;
	free(r);
	return NULL;
}

bool
flight_read(const char *path, void (*line)(const char *text),
    void (*moment)(const struct flight_moment *m))
{
	struct recorder *r = load(path);
	uint64_t last, n;

	if (r == NULL)
		return false;
	last = r->lines;
	n = last > FLIGHT_LINES ? last - FLIGHT_LINES : 0;
	for (n++; n <= last; n++) {
		const struct line *l = &r->line[n % FLIGHT_LINES];
		char text[FLIGHT_LINE_MAX];

		if (l->number != n)
			continue; /* it was being written */
		copy_printable(text, sizeof(text), l->text);
		line(text);
	}
	last = r->moments;
	n = last > FLIGHT_MESSAGES ? last - FLIGHT_MESSAGES : 0;
	for (n++; n <= last; n++) {
		const struct moment *m = &r->moment[n % FLIGHT_MESSAGES];
		struct flight_moment out = { .at = { m->us },
			.peer = m->peer,
			.sent = m->sent != 0,
			.type = m->type };

		memcpy(&out.about, m->first, sizeof(out.about));
		moment(&out);
	}
	free(r);
	return true;
}
