/*
 * proc/crash - see crash.h.  The functions here have the names of the C
 * library's and take their place, in the libraries as well.
 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/crash.h"

static struct crash_cell *me;

static void
die_before(const char *what, const char *more)
{
	me->die_at = 0;
	me->deaths++;
	(void)snprintf(me->where, sizeof(me->where), "%s %s", what, more);
	(void)syscall(SYS_kill, (long)getpid(), (long)SIGKILL);
	/* Where the rails do not let us: as abruptly, without the signal. */
	for (;;)
		(void)syscall(SYS_exit_group, 128L + SIGKILL);
}

static inline void
point(const char *what, const char *more)
{
	if (me == NULL || !me->on)
		return;
	if (++me->count == me->die_at)
		die_before(what, more);
}

void
crash_store(const char *path, const char *what)
{
	const char *name = path != NULL ? strrchr(path, '/') : NULL;

	point(name != NULL ? name + 1 : "slots", what);
}

static void __attribute__((constructor)) begin(void)
{
	const char *path = getenv("HF_CRASH");
	struct crash_page *page;
	long fd;

	if (path == NULL)
		return;
	fd = syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED,
	    (int)fd, 0);
	(void)syscall(SYS_close, fd);
	if (page == MAP_FAILED || page->magic != CRASH_MAGIC)
		return;
	for (unsigned i = 0; i < CRASH_CELLS; i++)
		if (strcmp(page->cell[i].name, program_invocation_short_name) ==
		    0)
			me = &page->cell[i];
}

/* ---- the calls -------------------------------------------------------------
 */

/* All arguments as the kernel wants them: a long each. */
#define CALL(name, nr, params, ...)                                            \
	long crash_##name params __asm__(#name);                               \
	long crash_##name params                                               \
	{                                                                      \
		point("call", #name);                                          \
		return syscall(nr, __VA_ARGS__);                               \
	}

CALL(read, SYS_read, (long a, long b, long c), (long)(int)a, b, c)
CALL(write, SYS_write, (long a, long b, long c), (long)(int)a, b, c)
CALL(pread64, SYS_pread64, (long a, long b, long c, long d), (long)(int)a, b, c,
    d)
CALL(pwrite64, SYS_pwrite64, (long a, long b, long c, long d), (long)(int)a, b,
    c, d)
CALL(close, SYS_close, (long a), (long)(int)a)
CALL(fsync, SYS_fsync, (long a), (long)(int)a)
CALL(fdatasync, SYS_fdatasync, (long a), (long)(int)a)
CALL(ftruncate64, SYS_ftruncate, (long a, long b), (long)(int)a, b)
CALL(rename, SYS_rename, (long a, long b), a, b)
CALL(renameat, SYS_renameat, (long a, long b, long c, long d), (long)(int)a, b,
    (long)(int)c, d)
CALL(unlink, SYS_unlink, (long a), a)
CALL(unlinkat, SYS_unlinkat, (long a, long b, long c), (long)(int)a, b,
    (long)(int)c)
CALL(connect, SYS_connect, (long a, long b, long c), (long)(int)a, b, c)
CALL(bind, SYS_bind, (long a, long b, long c), (long)(int)a, b, c)
CALL(socket, SYS_socket, (long a, long b, long c), (long)(int)a, (long)(int)b,
    (long)(int)c)
CALL(accept4, SYS_accept4, (long a, long b, long c, long d), (long)(int)a, b, c,
    (long)(int)d)
CALL(setsockopt, SYS_setsockopt, (long a, long b, long c, long d, long e),
    (long)(int)a, (long)(int)b, (long)(int)c, d, (long)(unsigned)e)
CALL(send, SYS_sendto, (long a, long b, long c, long d), (long)(int)a, b, c,
    (long)(int)d, 0L, 0L)
CALL(sendto, SYS_sendto, (long a, long b, long c, long d, long e, long f),
    (long)(int)a, b, c, (long)(int)d, e, (long)(unsigned)f)
CALL(recv, SYS_recvfrom, (long a, long b, long c, long d), (long)(int)a, b, c,
    (long)(int)d, 0L, 0L)
CALL(recvfrom, SYS_recvfrom, (long a, long b, long c, long d, long e, long f),
    (long)(int)a, b, c, (long)(int)d, e, f)
CALL(sendmsg, SYS_sendmsg, (long a, long b, long c), (long)(int)a, b,
    (long)(int)c)
CALL(recvmsg, SYS_recvmsg, (long a, long b, long c), (long)(int)a, b,
    (long)(int)c)
CALL(sendmmsg, SYS_sendmmsg, (long a, long b, long c, long d), (long)(int)a, b,
    (long)(unsigned)c, (long)(int)d)
CALL(recvmmsg, SYS_recvmmsg, (long a, long b, long c, long d, long e),
    (long)(int)a, b, (long)(unsigned)c, (long)(int)d, e)
CALL(epoll_ctl, SYS_epoll_ctl, (long a, long b, long c, long d), (long)(int)a,
    (long)(int)b, (long)(int)c, d)
/* The last two as the C library tells the kernel: a mask, and its size. */
CALL(epoll_wait, SYS_epoll_wait, (long a, long b, long c, long d),
    (long)(int)a, b, (long)(int)c, (long)(int)d)
CALL(epoll_pwait2, SYS_epoll_pwait2, (long a, long b, long c, long d, long e),
    (long)(int)a, b, (long)(int)c, d, e, 8L)
CALL(timerfd_settime, SYS_timerfd_settime, (long a, long b, long c, long d),
    (long)(int)a, (long)(int)b, c, d)
CALL(mkdirat, SYS_mkdirat, (long a, long b, long c), (long)(int)a, b, c)

#define OPEN(name, params, before, at, path)                                   \
	long crash_##name params __asm__(#name);                               \
	long crash_##name params                                               \
	{                                                                      \
		va_list ap;                                                    \
		long mode;                                                     \
                                                                               \
		va_start(ap, flags);                                           \
		mode =                                                         \
		    (flags & (O_CREAT | __O_TMPFILE)) ? va_arg(ap, int) : 0;   \
		va_end(ap);                                                    \
		point("call", #name);                                          \
		return syscall(                                                \
		    SYS_openat, (long)(at), path, (long)flags, mode);          \
	}

OPEN(open64, (long path, int flags, ...), , AT_FDCWD, path)
OPEN(openat64, (long at, long path, int flags, ...), , (int)at, path)

/* Tells its error otherwise. */
int crash_fallocate(int fd, long at, long n) __asm__("posix_fallocate64");
int
crash_fallocate(int fd, long at, long n)
{
	point("call", "posix_fallocate64");
	return syscall(SYS_fallocate, (long)fd, 0L, at, n) == 0 ? 0 : errno;
}
