/*
 * gen-rails - libseccomp's home: which system calls each room may still make
 * once it has what it needs, compiled here, at build time, into the filters
 * that proc/rails installs.  No room links libseccomp, and hf-call stays with
 * libc alone.
 *
 *      gen-rails > rails_calls.c
 *
 * A call that is not listed ends the process (see proc/rails.h), so a list
 * has what the room does, what glibc does behind its back, and the siblings
 * that another glibc would take instead.  A name that this machine does not
 * have (open on aarch64) is passed over.
 */

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proc/rails_calls.h"

enum { FILTER_MAX = 4096 };

/* ---- the lists -----------------------------------------------------------
 */

/* Wait, talk with neighbours, say something, keep slots, die. */
static const char *const everyone[] = {
	/* the loop, its clocks */
	"epoll_wait", "epoll_pwait", "epoll_pwait2", "epoll_ctl", "poll",
	"ppoll", "clock_gettime", "gettimeofday", "time", "clock_nanosleep",
	"nanosleep", "restart_syscall", "getcpu",
	/* sockets and files that we have */
	"read", "readv", "pread64", "preadv", "preadv2", "write", "writev",
	"pwrite64", "pwritev", "close", "lseek", "dup", "fstat", "fallocate",
	"ftruncate", "fstatfs", "recvfrom", "recvmsg", "recvmmsg", "sendto",
	"sendmsg", "sendmmsg", "shutdown", "setsockopt", "getsockopt",
	"getsockname", "getpeername",
	"accept4", /* a new keeper, at the socket we were born with */
	/* memory: never to be run, see below */
	"brk", "munmap", "mremap", "madvise", "msync", "memfd_create", "futex",
	"membarrier", "rseq", "set_robust_list", "sched_yield", "getrandom",
	/* who we are */
	"getpid", "gettid", "getuid", "geteuid", "getgid", "getegid",
	/* the end */
	"rt_sigprocmask", "rt_sigreturn", "sigaltstack", "exit", "exit_group",
	NULL
};

/* To a party of a call, or to nobody: bind(2) is the keeper's. */
static const char *const media[] = { "connect", "timerfd_settime",
	"timerfd_gettime", NULL };

/* TCP to targets, and the questions of c-ares. */
static const char *const sip[] = { "bind", "connect", "uname", NULL };

/* In the one folder that Landlock leaves them. */
static const char *const disk[] = { "open", "openat", "access", "faccessat",
	"faccessat2", "stat", "lstat", "newfstatat", "statx", "readlink",
	"readlinkat", "getcwd", "getdents64", "mkdir", "mkdirat", "rename",
	"renameat", "renameat2", "unlink", "unlinkat", "fsync", "fdatasync",
	"sync_file_range", "fadvise64", "statfs", "fchmod", "fchown", "umask",
	"utimensat", NULL };

/* For reading only; fstat(3) is newfstatat(2) on some. */
static const char *const look[] = { "access", "faccessat", "faccessat2", "stat",
	"lstat", "readlink", "readlinkat", NULL };

static const char *const none[] = { NULL };

static const struct room_calls {
	const char *room, *name;
	const char *const *more[2];
	bool reads; /* may open files for reading */
	bool locks; /* SQLite's */
	bool inet;  /* may make a socket */
} rooms[] = {
	{ "ROOM_SIP", "sip", { sip, look }, .reads = true, .inet = true },
	{ "ROOM_MEDIA", "media", { media, none } },
	{ "ROOM_REC", "rec", { disk, none } },
	{ "ROOM_CALL", "call", { none, none } },
	{ "ROOM_STORE", "store", { disk, none }, .locks = true },
};

/* ---- making them ---------------------------------------------------------
 */

static void
must(int err, const char *what)
{
	if (err == 0)
		return;
	(void)fprintf(stderr, "gen-rails: %s: %s\n", what, strerror(-err));
	exit(EXIT_FAILURE);
}

/* False: not a call of this machine. */
static bool
number_of(const char *name, int *nr)
{
	*nr = seccomp_syscall_resolve_name(name);
	if (*nr == __NR_SCMP_ERROR) {
		(void)fprintf(stderr, "gen-rails: %s: no such call\n", name);
		exit(EXIT_FAILURE);
	}
	return *nr >= 0;
}

static void
allow(scmp_filter_ctx f, const char *name)
{
	int nr;

	if (number_of(name, &nr))
		must(seccomp_rule_add_exact(f, SCMP_ACT_ALLOW, nr, 0), name);
}

static void
allow_if(scmp_filter_ctx f, const char *name, struct scmp_arg_cmp arg)
{
	int nr;

	if (number_of(name, &nr))
		must(seccomp_rule_add_exact_array(
			 f, SCMP_ACT_ALLOW, nr, 1, &arg),
		    name);
}

static void
allow_fcntl(scmp_filter_ctx f, bool locks)
{
	static const int common[] = { F_GETFD, F_SETFD, F_GETFL, F_SETFL,
		F_DUPFD_CLOEXEC, F_GET_SEALS, F_ADD_SEALS };
	static const int lock[] = { F_GETLK, F_SETLK, F_SETLKW };

	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		allow_if(
		    f, "fcntl", SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)common[i]));
	for (size_t i = 0; locks && i < sizeof(lock) / sizeof(lock[0]); i++)
		allow_if(
		    f, "fcntl", SCMP_A1(SCMP_CMP_EQ, (scmp_datum_t)lock[i]));
}

/* What each room has, with a condition. */
static void
allow_with_care(scmp_filter_ctx f)
{
	/* Nothing that can be written becomes code. */
	allow_if(f, "mmap", SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	allow_if(f, "mprotect", SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	/* To ourselves: abort(3), and a death by design. */
	allow_if(f, "kill", SCMP_A0(SCMP_CMP_EQ, RAILS_OWN_PID));
	allow_if(f, "tgkill", SCMP_A0(SCMP_CMP_EQ, RAILS_OWN_PID));
}

static void
allow_reading(scmp_filter_ctx f)
{
	const scmp_datum_t writes = O_ACCMODE | O_CREAT | O_TRUNC;

	allow_if(f, "open", SCMP_A1(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
	allow_if(f, "openat", SCMP_A2(SCMP_CMP_MASKED_EQ, writes, O_RDONLY));
}

static scmp_filter_ctx
filter_of(const struct room_calls *r)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_TRAP);

	if (f == NULL)
		exit(EXIT_FAILURE);
	must(
	    seccomp_attr_set(f, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS),
	    "bad architecture");
	/* A tree: the kernel walks it for each call it has not seen before. */
	must(seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2), "optimize");
	for (size_t i = 0; everyone[i] != NULL; i++)
		allow(f, everyone[i]);
	for (size_t k = 0; k < 2; k++)
		for (size_t i = 0; r->more[k][i] != NULL; i++)
			allow(f, r->more[k][i]);
	if (r->more[0] != disk)
		/* fstat(3), as glibc before 2.39 makes it, and c-ares' stat */
		allow(f, "newfstatat");
	allow_with_care(f);
	allow_fcntl(f, r->locks);
	if (r->reads)
		allow_reading(f);
	if (r->inet) {
		allow_if(f, "socket", SCMP_A0(SCMP_CMP_EQ, AF_INET));
		allow_if(f, "socket", SCMP_A0(SCMP_CMP_EQ, AF_INET6));
	}
	return f;
}

static void
put_filter(const struct room_calls *r)
{
	static struct sock_filter line[FILTER_MAX];
	scmp_filter_ctx f = filter_of(r);
	FILE *t = tmpfile();
	size_t n;

	if (t == NULL)
		must(-errno, "tmpfile");
	must(seccomp_export_bpf(f, fileno(t)), r->name);
	rewind(t);
	n = fread(line, sizeof(line[0]), FILTER_MAX, t);
	(void)fclose(t);
	seccomp_release(f);
	if (n == 0 || n == FILTER_MAX)
		must(-E2BIG, r->name);
	printf("static const struct sock_filter %s[] = {\n", r->name);
	for (size_t i = 0; i < n; i++)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", line[i].code,
		    line[i].jt, line[i].jf, line[i].k);
	printf("};\n\n");
}

int
main(void)
{
	const size_t n = sizeof(rooms) / sizeof(rooms[0]);

	printf("/* Made by tools/gen-rails.c; do not edit. */\n\n"
	       "#include \"proc/rails_calls.h\"\n\n");
	for (size_t i = 0; i < n; i++)
		put_filter(&rooms[i]);
	printf("const struct rails_calls rails_calls[ROOM_NR] = {\n");
	for (size_t i = 0; i < n; i++)
		printf("\t[%s] = { %s, sizeof(%s) / sizeof(%s[0]) },\n",
		    rooms[i].room, rooms[i].name, rooms[i].name, rooms[i].name);
	printf("};\n\nconst char *const rails_call_names[RAILS_CALL_NAMES] = "
	       "{\n");
	for (int nr = 0; nr < RAILS_CALL_NAMES; nr++) {
		char *name =
		    seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);

		if (name != NULL)
			printf("\t[%d] = \"%s\",\n", nr, name);
		free(name);
	}
	printf("};\n");
	return EXIT_SUCCESS;
}
