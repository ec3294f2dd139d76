/* proc/snapshot - see snapshot.h */

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proc/snapshot.h"

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW)

static int
write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return -1;
		p += done;
		n -= (size_t)done;
	}
	return 0;
}

int
snapshot_make(const char *name, const void *value, size_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (write_all(fd, value, size) != 0 ||
	    fcntl(fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) != 0) {
		int err = errno;

		(void)close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

const void *
snapshot_map(int fd, uint32_t magic, uint32_t version, size_t size)
{
	const struct snapshot_head *head = NULL;
	struct stat st;
	void *p;

	/* Unsealed it could shrink under us, and reading would be our death. */
	if ((fcntl(fd, F_GET_SEALS) & SEALS) == SEALS && fstat(fd, &st) == 0 &&
	    (size_t)st.st_size == size) {
		p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (p != MAP_FAILED)
			head = p;
	}
	(void)close(fd);
	if (head == NULL)
		return NULL;
	if (head->magic != magic || head->version != version ||
	    head->size != size) {
		(void)munmap((void *)(uintptr_t)head, size);
		return NULL;
	}
	return head;
}
