/* daemon/keeper/past - see keeper.h */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon/keeper/keeper.h"
#include "proc/log.h"

static int
past_open(void)
{
	char path[KEEPER_PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/keeper.boot",
	    keeper_conf()->keeper.run_dir);
	return open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void
past_read(struct past *p)
{
	int fd = past_open();
	ssize_t n = -1;

	memset(p, 0, sizeof(*p));
	if (fd >= 0) {
		n = pread(fd, p, sizeof(*p), 0);
		(void)close(fd);
	}
	if (n == (ssize_t)sizeof(*p) && p->bytes == sizeof(*p))
		return;
	/* Another build's: the number of the last start stands first, always.
	 */
	*p = (struct past){ .boot =
				n >= (ssize_t)sizeof(p->boot) ? p->boot : 0 };
}

void
past_write(const struct past *p)
{
	int fd = past_open();

	if (fd < 0 || pwrite(fd, p, sizeof(*p), 0) != (ssize_t)sizeof(*p))
		hf_log(LOG_WARNING, "boot_not_kept", "why=\"%s\"",
		    strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}
