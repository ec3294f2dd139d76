/* daemon/keeper/service - see keeper.h, sd_notify(3) and
 * sd_pid_notify_with_fds(3) */

#include <dirent.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/keeper/keeper.h"
#include "proc/log.h"

/* Over an exec of ours; a new process gets LISTEN_FDS instead. */
#define STORED    "HOLDFAST_STORED"
#define INHERITED "HOLDFAST_SOCKETS"

enum {
	LISTEN_FIRST = 3, /* sd_listen_fds(3) */
	FDS_A_TIME = 128,
};

static bool
tell(const char *what, const int *fds, size_t n)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	union {
		char bytes[CMSG_SPACE(FDS_A_TIME * sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec io = { (void *)(uintptr_t)what, strlen(what) };
	struct msghdr h = { .msg_name = &sa, .msg_iov = &io, .msg_iovlen = 1 };
	struct cmsghdr *cm;
	bool told;
	int fd;

	if (len == 0 || len >= sizeof(sa.sun_path))
		return false;
	memcpy(sa.sun_path, path, len);
	if (sa.sun_path[0] == '@')
		sa.sun_path[0] = '\0';
	h.msg_namelen =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (n > 0) {
		memset(&control, 0, sizeof(control));
		h.msg_control = control.bytes;
		h.msg_controllen = CMSG_SPACE(n * sizeof(int));
		cm = CMSG_FIRSTHDR(&h);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n * sizeof(int));
		memcpy(CMSG_DATA(cm), fds, n * sizeof(int));
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	told = fd >= 0 && sendmsg(fd, &h, MSG_NOSIGNAL) >= 0;
	if (fd >= 0)
		(void)close(fd);
	return told;
}

void
service_notify(const char *what)
{
	(void)tell(what, NULL, 0);
}

void
service_exec(bool begins)
{
	sockets_over_exec(begins);
	if (begins)
		(void)setenv(INHERITED, "1", 1);
	else
		(void)unsetenv(INHERITED);
}

/* Nothing else that we were is open after an exec. */
static void
take_inherited(void)
{
	DIR *d = opendir("/proc/self/fd");
	int family;

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		int fd = atoi(e->d_name);
		socklen_t n = sizeof(family);

		if (fd < LISTEN_FIRST ||
		    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &n) != 0 ||
		    (family != AF_INET && family != AF_INET6))
			continue;
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
		sockets_found(fd, false);
	}
	if (d != NULL)
		(void)closedir(d);
}

void
service_take(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	int n = fds != NULL ? atoi(fds) : 0;

	if (pid != NULL && atoi(pid) == getpid())
		for (int fd = LISTEN_FIRST; fd < LISTEN_FIRST + n; fd++) {
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
			(void)fcntl(fd, F_SETFL, O_NONBLOCK);
			sockets_found(fd, true);
		}
	if (getenv(STORED) != NULL)
		sockets_all_stored();
	if (getenv(INHERITED) != NULL)
		take_inherited();
	if (n > 0)
		hf_log(LOG_NOTICE, "sockets_taken", "n=%d", n);
	(void)unsetenv(INHERITED);
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
}

void
service_keep(void)
{
	const char *most = getenv("FDSTORE"); /* since systemd 254 */
	const int *fd;
	size_t n, told = 0;

	sockets_unstored(&fd, &n);
	if (most != NULL && strtoul(most, NULL, 10) < n)
		return;
	/* An ICMP error is no reason to forget a socket (FDPOLL). */
	for (size_t i = 0; i < n; i += FDS_A_TIME) {
		size_t now = n - i < FDS_A_TIME ? n - i : FDS_A_TIME;

		if (!tell("FDSTORE=1\nFDNAME=h\nFDPOLL=0", fd + i, now))
			return;
		told += now;
	}
	(void)setenv(STORED, "1", 1);
	if (told > 0)
		hf_log(LOG_INFO, "sockets_kept", "n=%zu", told);
}
