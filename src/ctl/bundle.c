/* ctl/bundle - see bundle.h */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "ctl/bundle.h"

enum { BLOCK = 512, MODE = 0600, NO_GZIP = 127 };

/* POSIX.1-1988, ustar. */
struct head {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], sum[8];
	char type, link[100], magic[6], version[2], user[32], group[32];
	char major[8], minor[8], prefix[155], pad[12];
};

_Static_assert(sizeof(struct head) == BLOCK, "a tar block");

static void
put(struct bundle *b, const void *p, size_t n)
{
	const char *from = p;

	while (n > 0 && b->err == 0) {
		ssize_t done = write(b->fd, from, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0) {
			b->err = errno;
			return;
		}
		from += done;
		n -= (size_t)done;
	}
}

static void
put_head(struct bundle *b, size_t n)
{
	struct head h = { .mode = "0000600",
		.uid = "0000000",
		.gid = "0000000",
		.type = '0',
		.magic = "ustar",
		.version = { '0', '0' } };
	unsigned sum = 0;

	(void)snprintf(h.name, sizeof(h.name), "%s", b->name);
	(void)snprintf(h.size, sizeof(h.size), "%011zo", n);
	(void)snprintf(
	    h.mtime, sizeof(h.mtime), "%011llo", (long long)time(NULL));
	memset(h.sum, ' ', sizeof(h.sum));
	for (size_t i = 0; i < sizeof(h); i++)
		sum += ((const unsigned char *)&h)[i];
	(void)snprintf(h.sum, sizeof(h.sum), "%06o", sum);
	put(b, &h, sizeof(h));
}

/* What was written last goes into the bundle. */
static void
put_file(struct bundle *b)
{
	static const char zero[BLOCK];
	size_t n;

	if (b->text == NULL)
		return;
	if (fclose(b->text) != 0 && b->err == 0)
		b->err = errno;
	b->text = NULL;
	n = b->size < BUNDLE_FILE_MAX ? b->size : BUNDLE_FILE_MAX;
	if (b->bytes + n <= BUNDLE_MAX) {
		put_head(b, n);
		put(b, b->memory, n);
		put(b, zero, (BLOCK - n % BLOCK) % BLOCK);
		b->bytes += n;
	}
	free(b->memory);
	b->memory = NULL;
}

FILE *
bundle_file(struct bundle *b, const char *name)
{
	put_file(b);
	(void)snprintf(b->name, sizeof(b->name), "holdfast/%s", name);
	b->text = open_memstream(&b->memory, &b->size);
	if (b->text == NULL)
		abort();
	return b->text;
}

static _Noreturn void
become_gzip(int in, int out)
{
	(void)signal(SIGPIPE, SIG_DFL);
	if (dup2(in, STDIN_FILENO) >= 0 && dup2(out, STDOUT_FILENO) >= 0)
		(void)execlp("gzip", "gzip", "-nc", (char *)NULL);
	_exit(NO_GZIP);
}

int
bundle_open(struct bundle *b, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	int pair[2], out, err;

	*b = (struct bundle){ .path = standard ? NULL : path };
	out = standard
		  ? fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)
		  : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, MODE);
	if (out < 0)
		return errno;
	/* That gzip has gone is an error to be told, not our death. */
	(void)signal(SIGPIPE, SIG_IGN);
	if (pipe2(pair, O_CLOEXEC) != 0) {
		err = errno;
		(void)close(out);
		return err;
	}
	b->gzip = fork();
	if (b->gzip == 0)
		become_gzip(pair[0], out);
	b->err = b->gzip < 0 ? errno : 0;
	(void)close(pair[0]);
	(void)close(out);
	b->fd = pair[1];
	return b->err;
}

int
bundle_close(struct bundle *b)
{
	static const char end[2 * BLOCK];
	int status = 0;

	put_file(b);
	put(b, end, sizeof(end));
	(void)close(b->fd);
	if (b->gzip > 0 && waitpid(b->gzip, &status, 0) != b->gzip)
		status = 1;
	if (status != 0 && (b->err == 0 || b->err == EPIPE))
		b->err = WIFEXITED(status) && WEXITSTATUS(status) == NO_GZIP
			     ? ENOENT
			     : EIO;
	if (b->err != 0 && b->path != NULL)
		(void)unlink(b->path);
	return b->err;
}
