/* daemon/rec/box - see box.h */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/slice.h"
#include "daemon/rec/box.h"

#define TAIL      ".wav"
#define PART_HEAD "."
#define PART_TAIL ".part"

enum {
	FILE_NAME = BOX_NAME_MAX + sizeof(PART_HEAD PART_TAIL),
	WAVE_MULAW = 7, /* RFC 2361 */
	NOTE_BYTES = 256,
};

/* Little-endian, like all machines we build for (base/hash.c).  "hfmd" is
 * ours; a player that does not know a chunk skips it. */
struct __attribute__((packed)) header {
	char riff[4];
	uint32_t riff_n;
	char wave[4];
	char fmt[4];
	uint32_t fmt_n;
	uint16_t format, channels;
	uint32_t rate, bytes_s;
	uint16_t align, bits, extra;
	char fact[4];
	uint32_t fact_n, samples;
	char hfmd[4];
	uint32_t hfmd_n;
	char note[NOTE_BYTES];
	char data[4];
	uint32_t data_n;
};

static struct header
header_of(const struct box_message *m)
{
	struct header h = {
		.riff = "RIFF",
		.riff_n = (uint32_t)sizeof(h) - 8 + m->bytes,
		.wave = "WAVE",
		.fmt = "fmt ",
		.fmt_n = 18,
		.format = WAVE_MULAW,
		.channels = 1,
		.rate = BOX_BYTES_S,
		.bytes_s = BOX_BYTES_S,
		.align = 1,
		.bits = 8,
		.fact = "fact",
		.fact_n = 4,
		.samples = m->bytes,
		.hfmd = "hfmd",
		.hfmd_n = NOTE_BYTES,
		.data = "data",
		.data_n = m->bytes,
	};
	char call[HF_REF_TEXT_MAX];

	/* From last: it is the only part that a stranger has written. */
	(void)snprintf(h.note, sizeof(h.note), "at=%lld\ncall=%s\nfrom=%s",
	    (long long)m->note.at.us, hf_ref_text(m->note.call, call),
	    m->note.from);
	return h;
}

static bool
take_line(struct hf_slice *in, const char *key, struct hf_slice *value)
{
	struct hf_slice k = hf_slice_of(key);

	if (!hf_slice_starts(*in, k))
		return false;
	in->p += k.n;
	in->n -= k.n;
	size_t n = hf_slice_find(*in, '\n');
	*value = (struct hf_slice){ in->p, n };
	n += n < in->n;
	in->p += n;
	in->n -= n;
	return true;
}

/* The file may have been made by anybody: what is not as we write it is not
 * one of ours. */
static bool
header_read(const struct header *h, struct box_note *out)
{
	struct hf_slice in = { h->note, strnlen(h->note, sizeof(h->note)) };
	struct hf_slice at, call, from;
	char text[HF_REF_TEXT_MAX];
	uint64_t us;

	if (memcmp(h->riff, "RIFF", 4) != 0 ||
	    memcmp(h->wave, "WAVE", 4) != 0 || memcmp(h->fmt, "fmt ", 4) != 0 ||
	    h->fmt_n != 18 || h->format != WAVE_MULAW || h->channels != 1 ||
	    h->rate != BOX_BYTES_S || memcmp(h->hfmd, "hfmd", 4) != 0 ||
	    h->hfmd_n != NOTE_BYTES || memcmp(h->data, "data", 4) != 0)
		return false;
	*out = (struct box_note){ 0 };
	if (!take_line(&in, "at=", &at) || !take_line(&in, "call=", &call) ||
	    !take_line(&in, "from=", &from) ||
	    !hf_slice_number(at, INT64_MAX, &us) ||
	    !hf_slice_copy(call, text, sizeof(text)) ||
	    !hf_ref_parse(text, &out->call))
		return false;
	out->at.us = (int64_t)us;
	(void)hf_slice_copy(from, out->from, sizeof(out->from));
	return true;
}

/* ---- names --------------------------------------------------------------- */

static bool
alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

bool
box_name_ok(const char *name)
{
	size_t n = strnlen(name, BOX_NAME_MAX);

	if (n == 0 || n == BOX_NAME_MAX || !alnum(name[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!alnum(name[i]) && strchr("-_.", name[i]) == NULL)
			return false;
	return true;
}

/* to has FILE_NAME bytes; false for a name that must not become a path. */
static bool
file_name(char *to, const char *head, const char *name, const char *tail)
{
	if (!box_name_ok(name))
		return false;
	(void)snprintf(to, FILE_NAME, "%s%s%s", head, name, tail);
	return true;
}

/* The name inside a file's name; false when it is not of this kind. */
static bool
name_in(const char *file, const char *head, const char *tail, char *name)
{
	struct hf_slice s = hf_slice_of(file);
	size_t h = strlen(head), t = strlen(tail);

	if (s.n < h + t || strncmp(s.p, head, h) != 0 ||
	    strcmp(s.p + s.n - t, tail) != 0)
		return false;
	s.p += h;
	s.n -= h + t;
	return hf_slice_copy(s, name, BOX_NAME_MAX) && box_name_ok(name);
}

/* ---- the folder ---------------------------------------------------------- */

int
box_open(int spool, const char *box, int *dir)
{
	if (!box_name_ok(box))
		return EINVAL;
	if (mkdirat(spool, box, S_IRWXU | S_IRGRP | S_IXGRP) != 0 &&
	    errno != EEXIST)
		return errno;
	*dir =
	    openat(spool, box, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *dir < 0 ? errno : 0;
}

/* A stream of its own: the position of dir itself is nobody's. */
static DIR *
look_into(int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);

	if (d == NULL && fd >= 0)
		(void)close(fd);
	return d;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

int
box_list(int dir, const char (**names)[BOX_NAME_MAX], uint32_t *n)
{
	static char list[BOX_LIST_MAX][BOX_NAME_MAX];
	const struct dirent *e;
	DIR *d = look_into(dir);

	*n = 0;
	*names = (const char(*)[BOX_NAME_MAX])list;
	if (d == NULL)
		return errno;
	while (*n < BOX_LIST_MAX && (e = readdir(d)) != NULL)
		if (name_in(e->d_name, "", TAIL, list[*n]))
			++*n;
	(void)closedir(d);
	qsort(list, *n, sizeof(list[0]), by_name);
	return 0;
}

static int
read_file(int dir, const char *file, int how, struct box_message *m, int *out)
{
	struct header h;
	struct stat st;
	int fd = openat(dir, file, how | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
	    read(fd, &h, sizeof(h)) != (ssize_t)sizeof(h) ||
	    !header_read(&h, &m->note) ||
	    st.st_size - (off_t)sizeof(h) > UINT32_MAX) {
		(void)close(fd);
		return EBADMSG;
	}
	m->bytes = (uint32_t)(st.st_size - (off_t)sizeof(h));
	*out = fd;
	return 0;
}

int
box_read(int dir, const char *name, struct box_message *out, int *fd)
{
	char file[FILE_NAME];

	if (!file_name(file, "", name, TAIL))
		return EINVAL;
	(void)snprintf(out->name, sizeof(out->name), "%s", name);
	return read_file(dir, file, O_RDONLY, out, fd);
}

int
box_delete(int dir, const char *name)
{
	char file[FILE_NAME];

	if (!file_name(file, "", name, TAIL))
		return EINVAL;
	if (unlinkat(dir, file, 0) != 0)
		return errno;
	return fsync(dir) == 0 ? 0 : errno;
}

/* ---- a message while it is spoken ---------------------------------------- */

static void
draft_close(struct draft *d)
{
	if (d->fd >= 0)
		(void)close(d->fd);
	(void)close(d->dir);
	d->fd = d->dir = -1;
}

int
draft_begin(
    struct draft *d, int dir, const char *name, const struct box_note *note)
{
	char part[FILE_NAME];

	if (!file_name(part, PART_HEAD, name, PART_TAIL))
		return EINVAL;
	d->dir = fcntl(dir, F_DUPFD_CLOEXEC, 0);
	if (d->dir < 0)
		return errno;
	d->error = 0;
	d->held = 0;
	d->message = (struct box_message){ .note = *note };
	(void)snprintf(d->message.name, sizeof(d->message.name), "%s", name);
	/* A caller's name is one line of the note. */
	for (char *c = d->message.note.from; *c != '\0'; c++)
		if ((unsigned char)*c < ' ')
			*c = '?';
	d->fd = openat(dir, part,
	    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    S_IRUSR | S_IWUSR | S_IRGRP);
	if (d->fd < 0) {
		int error = errno;
		draft_close(d);
		return error;
	}
	struct header h = header_of(&d->message);
	if (write(d->fd, &h, sizeof(h)) != (ssize_t)sizeof(h)) {
		d->error = errno != 0 ? errno : ENOSPC;
		draft_drop(d);
		return d->error;
	}
	return 0;
}

static void
flush(struct draft *d)
{
	uint32_t done = 0;

	while (done < d->held && d->error == 0) {
		ssize_t n = write(d->fd, d->buffer + done, d->held - done);
		if (n > 0)
			done += (uint32_t)n;
		else if (n < 0 && errno != EINTR)
			d->error = errno;
	}
	d->message.bytes += done;
	d->held = 0;
}

void
draft_write(struct draft *d, const uint8_t *ulaw, uint32_t n)
{
	while (n > 0 && d->error == 0) {
		uint32_t room = BOX_BUFFER - d->held;
		uint32_t part = n < room ? n : room;

		memcpy(d->buffer + d->held, ulaw, part);
		d->held = (uint16_t)(d->held + part);
		ulaw += part;
		n -= part;
		if (d->held == BOX_BUFFER)
			flush(d);
	}
}

void
draft_drop(struct draft *d)
{
	char part[FILE_NAME];

	if (file_name(part, PART_HEAD, d->message.name, PART_TAIL))
		(void)unlinkat(d->dir, part, 0);
	draft_close(d);
}

/* Sizes first, then the name: whoever sees NAME.wav sees a whole message. */
static int
publish(int dir, int fd, const struct box_message *m)
{
	char part[FILE_NAME], whole[FILE_NAME];
	struct header h = header_of(m);

	if (!file_name(part, PART_HEAD, m->name, PART_TAIL) ||
	    !file_name(whole, "", m->name, TAIL))
		return EINVAL;
	if (ftruncate(fd, (off_t)sizeof(h) + m->bytes) != 0 ||
	    pwrite(fd, &h, sizeof(h), 0) != (ssize_t)sizeof(h) ||
	    fsync(fd) != 0 || renameat(dir, part, dir, whole) != 0 ||
	    fsync(dir) != 0)
		return errno;
	return 0;
}

int
draft_keep(struct draft *d)
{
	int error;

	flush(d);
	d->message.bytes &= ~1U; /* RIFF: chunks are of even length */
	if (d->message.bytes < BOX_BYTES_MIN) {
		error = d->error != 0 ? d->error : ENODATA;
		draft_drop(d);
		return error;
	}
	/* When this fails the .part stays: the next start tries again. */
	error = publish(d->dir, d->fd, &d->message);
	draft_close(d);
	return error;
}

/* ---- after a crash ------------------------------------------------------- */

int
draft_adopt(struct draft *d, int dir, const char *name)
{
	char part[FILE_NAME];

	if (!file_name(part, PART_HEAD, name, PART_TAIL))
		return EINVAL;
	*d = (struct draft){ .dir = fcntl(dir, F_DUPFD_CLOEXEC, 0), .fd = -1 };
	if (d->dir < 0)
		return errno;
	(void)snprintf(d->message.name, sizeof(d->message.name), "%s", name);
	int error = read_file(dir, part, O_RDWR, &d->message, &d->fd);
	if (error == 0 && lseek(d->fd, 0, SEEK_END) < 0)
		error = errno;
	if (error == EBADMSG)
		draft_drop(d);
	else if (error != 0)
		draft_close(d);
	return error;
}

int
box_parts(int dir, box_part_fn *fn, void *arg)
{
	char name[BOX_NAME_MAX];
	const struct dirent *e;
	DIR *d = look_into(dir);

	if (d == NULL)
		return errno;
	while ((e = readdir(d)) != NULL)
		if (name_in(e->d_name, PART_HEAD, PART_TAIL, name))
			fn(name, arg);
	(void)closedir(d);
	return 0;
}
