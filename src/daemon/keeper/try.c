/* daemon/keeper/try - see keeper.h */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/keeper/keeper.h"
#include "proc/loop.h"

enum { WITHIN_MS = 10000, SAID_MAX = 4096 };

static struct {
	pid_t pid; /* 0: nothing is tried */
	int pidfd, out;
	struct hf_timer by;
	try_fn *fn;
	char said[SAID_MAX];
	size_t n;
} try;

bool
try_busy(void)
{
	return try.pid != 0;
}

static void
hear(void)
{
	char rest[512];
	ssize_t n;

	for (;;) {
		size_t left = sizeof(try.said) - 1 - try.n;

		n = left > 0 ? read(try.out, try.said + try.n, left)
			     : read(try.out, rest, sizeof(rest));
		if (n <= 0)
			return;
		if (left > 0)
			try.n += (size_t)n;
	}
}

static void
said(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)arg;
	hear();
	if (events & (EPOLLHUP | EPOLLERR))
		loop_unwatch(try.out);
}

static void
over(int fd, uint32_t events, void *arg)
{
	siginfo_t how = { 0 };

	(void)events;
	(void)arg;
	if (waitid(P_PIDFD, (id_t)fd, &how, WEXITED | WNOHANG) != 0 ||
	    how.si_pid == 0)
		return;
	hear();
	try.said[try.n] = '\0';
	loop_unwatch(try.out);
	loop_unwatch(try.pidfd);
	(void)close(try.out);
	(void)close(try.pidfd);
	hf_timer_stop(loop_wheel(), &try.by);
	try.pid = 0;
	try.fn(how.si_code == CLD_EXITED && how.si_status == 0, try.said);
}

static void
too_late(struct hf_timer *t, struct hf_time now)
{
	(void)t;
	(void)now;
	(void)pidfd_send_signal(try.pidfd, SIGKILL, NULL, 0);
}

bool
try_run(const char *path, char *const *argv, bool as_root, try_fn *fn)
{
	int ends[2];

	hf_assert(!try_busy());
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	try.pid = fork();
	if (try.pid == 0) {
		program_begin();
		(void)dup2(ends[1], STDOUT_FILENO);
		(void)dup2(ends[1], STDERR_FILENO);
		if (as_root || program_give_up_root())
			(void)execv(path, argv);
		dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
		_exit(EXIT_FAILURE);
	}
	(void)close(ends[1]);
	if (try.pid < 0) {
		try.pid = 0;
		(void)close(ends[0]);
		return false;
	}
	(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
	try.out = ends[0];
	try.pidfd = pidfd_open(try.pid, 0);
	hf_assert(try.pidfd >= 0);
	(void)fcntl(try.pidfd, F_SETFD, FD_CLOEXEC);
	try.fn = fn;
	try.n = 0;
	loop_watch(try.out, EPOLLIN, said, NULL);
	loop_watch(try.pidfd, EPOLLIN, over, NULL);
	hf_timer_init(&try.by, too_late);
	hf_timer_start(
	    loop_wheel(), &try.by, hf_time_after(loop_now(), hf_ms(WITHIN_MS)));
	return true;
}
