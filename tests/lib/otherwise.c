/* tests/lib/otherwise - see otherwise.h */

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "otherwise.h"

bool
speak_otherwise(const char *path)
{
	static const char mark[16] = "hf-language";
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat st;
	char *bytes = NULL, *at = NULL;
	bool done = false;

	if (fd < 0)
		return false;
	if (fstat(fd, &st) == 0)
		bytes = malloc((size_t)st.st_size);
	if (bytes != NULL && read(fd, bytes, (size_t)st.st_size) == st.st_size)
		at = memmem(bytes, (size_t)st.st_size, mark, sizeof mark);
	if (at != NULL) {
		at += sizeof mark;
		*at ^= 1;
		done = pwrite(fd, at, 1, at - bytes) == 1;
	}
	free(bytes);
	return close(fd) == 0 && done;
}
