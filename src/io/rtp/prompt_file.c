/* io/rtp/prompt_file - see prompt_file.h */

#include "io/rtp/prompt_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "io/rtp/g711.h"

enum {
	MAGIC = 0x70727066, /* "prpf" */
	VERSION = 1,        /* also of how sounds are rendered */
	CLIPS = PROMPT_NR + 1,
	COMFORT = PROMPT_NR, /* the last */
	LAWS = 2,
};

struct place {
	uint64_t at; /* of the first law's samples; the other's follow */
	uint32_t n;
	uint32_t loops;
};

struct head {
	uint32_t magic, version;
	uint64_t key;
	uint64_t bytes; /* the whole file */
	struct place clip[CLIPS];
};

uint64_t
prompt_file_key(uint64_t key, const char *source)
{
	struct hf_hash_key k = { { key, VERSION } };
	struct stat st = { 0 };
	int64_t what[3];

	if (source[0] != '\0' && stat(source, &st) != 0)
		st.st_size = -1;
	what[0] = st.st_size;
	what[1] = st.st_mtim.tv_sec;
	what[2] = st.st_mtim.tv_nsec;
	k.k[0] = hf_hash(&k, what, sizeof(what));
	return hf_hash(&k, source, strlen(source));
}

static const struct clip *
clip_of(const struct prompt_book *b, unsigned i)
{
	return i == COMFORT ? &b->comfort : &b->clip[i];
}

static bool
put(int fd, const void *p, size_t n)
{
	const char *from = p;

	while (n > 0) {
		ssize_t done = write(fd, from, n);

		if (done <= 0)
			return false;
		from += done;
		n -= (size_t)done;
	}
	return true;
}

static bool
put_book(int fd, const struct prompt_book *b, uint64_t key)
{
	struct head h = { .magic = MAGIC, .version = VERSION, .key = key };

	h.bytes = sizeof(h);
	for (unsigned i = 0; i < CLIPS; i++) {
		const struct clip *c = clip_of(b, i);

		h.clip[i] = (struct place){ h.bytes, c->n, c->loops };
		h.bytes += (uint64_t)LAWS * c->n;
	}
	if (!put(fd, &h, sizeof(h)))
		return false;
	for (unsigned i = 0; i < CLIPS; i++) {
		const struct clip *c = clip_of(b, i);

		for (int law = 0; law < LAWS; law++)
			if (!put(fd, c->law[law], c->n))
				return false;
	}
	return true;
}

int
prompt_file_write(const struct prompt_book *b, uint64_t key, const char *path,
    unsigned writer)
{
	char beside[PATH_MAX];
	int fd, err = 0;

	if (snprintf(beside, sizeof(beside), "%s.new.%u", path, writer) >=
	    (int)sizeof(beside))
		return ENAMETOOLONG;
	fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	errno = 0;
	if (!put_book(fd, b, key))
		err = errno != 0 ? errno : ENOSPC;
	(void)close(fd);
	if (err == 0 && rename(beside, path) != 0)
		err = errno;
	if (err != 0)
		(void)unlink(beside);
	return err;
}

/* Every clip lies inside, and there is a hiss. */
static bool
is_whole(const struct head *h, uint64_t bytes)
{
	if (h->bytes != bytes || h->clip[COMFORT].n == 0)
		return false;
	for (unsigned i = 0; i < CLIPS; i++) {
		const struct place *p = &h->clip[i];

		if (p->at < sizeof(*h) || p->at > bytes ||
		    (uint64_t)LAWS * p->n > bytes - p->at)
			return false;
	}
	return true;
}

bool
prompt_file_map(struct prompt_book *b, uint64_t key, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	const struct head *h = MAP_FAILED;
	struct stat st;
	size_t bytes = 0;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(*h)) {
		bytes = (size_t)st.st_size;
		h = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
	}
	(void)close(fd);
	if (h == MAP_FAILED)
		return false;
	if (h->magic != MAGIC || h->version != VERSION || h->key != key ||
	    !is_whole(h, bytes)) {
		(void)munmap((void *)(uintptr_t)h, bytes);
		return false;
	}
	for (unsigned i = 0; i < CLIPS; i++) {
		struct clip *c = i == COMFORT ? &b->comfort : &b->clip[i];
		const uint8_t *p = (const uint8_t *)h + h->clip[i].at;

		*c = (struct clip){ .law = { p, p + h->clip[i].n },
			.n = h->clip[i].n,
			.loops = h->clip[i].loops != 0 };
	}
	return true;
}
