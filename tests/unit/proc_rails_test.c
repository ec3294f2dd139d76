/* What a room can do no more, tried by one that was taken over. */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "proc/flight.h"
#include "proc/log.h"
#include "proc/rails.h"

static const enum room rooms[] = { ROOM_SIP, ROOM_MEDIA, ROOM_REC, ROOM_CALL,
	ROOM_STORE };

static char dir[64];
static struct conf conf;
static int spool = -1; /* as hf-rec has it */
static pid_t test;

/* How a try ends: 0 it was done, errno when it was refused. */
typedef int try_fn(void);

enum { KILLED = 1000 }; /* by the rails */

static void
path_in(char *to, size_t cap, const char *name)
{
	snprintf(to, cap, "%s/%s", dir, name);
}

static int
make_site(void **state)
{
	static const char *const folders[] = { "run", "store", "spool" };
	const struct passwd *nobody = getpwnam("nobody");
	char path[128];

	(void)state;
	test = getpid();
	strcpy(dir, "/tmp/hf-rails-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	for (size_t i = 0; i < HF_LEN(folders); i++) {
		path_in(path, sizeof(path), folders[i]);
		assert_int_equal(mkdir(path, 0755), 0);
		if (geteuid() == 0)
			assert_int_equal(
			    chown(path, nobody->pw_uid, nobody->pw_gid), 0);
	}
	path_in(path, sizeof(path), "other");
	assert_true(close(open(path, O_CREAT | O_WRONLY, 0644)) == 0);
	assert_int_equal(chmod(path, 0666), 0);
	path_in(conf.keeper.run_dir, sizeof(conf.keeper.run_dir), "run");
	path_in(conf.store.dir, sizeof(conf.store.dir), "store");
	path_in(conf.store.spool, sizeof(conf.store.spool), "spool");
	conf.keeper.rails = true;
	spool = open(conf.store.spool, O_RDONLY | O_DIRECTORY);
	return spool < 0;
}

static int
remove_site(void **state)
{
	char rm[96];

	(void)state;
	close(spool);
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	return system(rm);
}

static void
be(enum room r)
{
	const struct passwd *nobody = getpwnam("nobody");
	int null = open("/dev/null", O_WRONLY);

	dup2(null, STDERR_FILENO);
	prctl(PR_SET_DUMPABLE, 0); /* no core files */
	if (geteuid() == 0 && !rails_become(nobody->pw_uid, nobody->pw_gid))
		_exit(99);
	hf_log_open(room_name(r), LOG_INFO);
	rails_up(r, &conf);
}

static int
attempt(enum room r, try_fn *what)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		be(r);
		_exit(what());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status))
		return WTERMSIG(status) == SIGSYS ? KILLED
						  : KILLED + WTERMSIG(status);
	return WEXITSTATUS(status);
}

static int
opened(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd < 0 ? errno : 0;
}

/* ---- programs and code --------------------------------------------------- */

static int
execute(void)
{
	return execl("/bin/true", "true", (char *)NULL) < 0 ? errno : 0;
}

static int
multiply(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int
map_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? errno : 0;
}

static int
turn_into_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return mprotect(p, 4096, PROT_READ | PROT_EXEC) != 0 ? errno : 0;
}

static int
map_memory(void)
{
	return malloc(8 << 20) == NULL ? ENOMEM : 0;
}

static void
no_room_runs_what_it_was_not_built_with(void **state)
{
	for (size_t i = 0; i < HF_LEN(rooms); i++) {
		assert_int_equal(attempt(rooms[i], execute), KILLED);
		assert_int_equal(attempt(rooms[i], multiply), KILLED);
		assert_int_equal(attempt(rooms[i], map_code), KILLED);
		assert_int_equal(attempt(rooms[i], turn_into_code), KILLED);
		assert_int_equal(attempt(rooms[i], map_memory), 0);
	}
}

/* ---- files --------------------------------------------------------------- */

static int
read_passwd(void)
{
	return opened("/etc/passwd", O_RDONLY);
}

static int
read_proc(void)
{
	return opened("/proc/self/maps", O_RDONLY);
}

static int
write_other(void)
{
	char path[128];

	path_in(path, sizeof(path), "other");
	return opened(path, O_WRONLY);
}

static int
read_other(void)
{
	char path[128];

	path_in(path, sizeof(path), "other");
	return opened(path, O_RDONLY);
}

static int
write_run_dir(void)
{
	char path[128];

	path_in(path, sizeof(path), "run/calls");
	return opened(path, O_WRONLY | O_CREAT);
}

static int
write_store(void)
{
	char path[128];

	path_in(path, sizeof(path), "store/journal.db");
	return opened(path, O_RDWR | O_CREAT);
}

static int
write_spool(void)
{
	int box;

	if (mkdirat(spool, "front", 0750) != 0 && errno != EEXIST)
		return errno;
	box = openat(spool, "front", O_RDONLY | O_DIRECTORY);
	if (box < 0 || openat(box, "part", O_RDWR | O_CREAT, 0640) < 0 ||
	    renameat(box, "part", box, "whole") != 0 ||
	    unlinkat(box, "whole", 0) != 0)
		return errno;
	return 0;
}

static int
climb_out(void)
{
	return openat(spool, "../other", O_RDONLY) < 0 ? errno : 0;
}

static bool
is_refused(int end)
{
	return end == KILLED || end == ENOENT || end == EACCES;
}

static void
no_room_opens_a_file_of_others(void **state)
{
	static try_fn *const tries[] = { read_proc, read_other, write_other,
		write_run_dir };

	for (size_t i = 0; i < HF_LEN(rooms); i++)
		for (size_t k = 0; k < HF_LEN(tries); k++)
			if (!is_refused(attempt(rooms[i], tries[k])))
				fail_msg("hf-%s, try %zu: %d",
				    room_name(rooms[i]), k,
				    attempt(rooms[i], tries[k]));
}

static void
who_has_no_files_has_no_call_for_them(void **state)
{
	assert_int_equal(attempt(ROOM_CALL, read_passwd), KILLED);
	assert_int_equal(attempt(ROOM_MEDIA, read_passwd), KILLED);
}

static void
each_writes_in_its_own_folder_alone(void **state)
{
	assert_int_equal(attempt(ROOM_STORE, write_store), 0);
	assert_int_equal(attempt(ROOM_REC, write_spool), 0);
	assert_true(is_refused(attempt(ROOM_REC, write_store)));
	assert_true(is_refused(attempt(ROOM_STORE, write_spool)));
	assert_true(is_refused(attempt(ROOM_REC, climb_out)));
	assert_true(is_refused(attempt(ROOM_STORE, read_passwd)));
	assert_true(is_refused(attempt(ROOM_REC, read_passwd)));
}

static int
write_hosts(void)
{
	return opened("/etc/hosts", O_WRONLY | O_APPEND);
}

static int
read_hosts(void)
{
	return opened("/etc/hosts", O_RDONLY);
}

static void
sip_reads_where_names_are_and_writes_nothing(void **state)
{
	assert_int_equal(attempt(ROOM_SIP, read_hosts), 0);
	assert_int_equal(attempt(ROOM_SIP, write_hosts), KILLED);
	assert_int_equal(attempt(ROOM_SIP, write_store), KILLED);
}

/* ---- sockets and signals ------------------------------------------------- */

static int
made(int family, int type)
{
	int fd = socket(family, type, 0);

	return fd < 0 ? errno : 0;
}

static int
make_udp(void)
{
	return made(AF_INET, SOCK_DGRAM);
}

static int
make_tcp6(void)
{
	return made(AF_INET6, SOCK_STREAM);
}

static int
make_unix(void)
{
	return made(AF_UNIX, SOCK_STREAM);
}

static int
make_netlink(void)
{
	return made(AF_NETLINK, SOCK_RAW);
}

static void
hf_sip_alone_makes_network_sockets(void **state)
{
	for (size_t i = 0; i < HF_LEN(rooms); i++) {
		int end = rooms[i] == ROOM_SIP ? 0 : KILLED;

		assert_int_equal(attempt(rooms[i], make_udp), end);
		assert_int_equal(attempt(rooms[i], make_unix), KILLED);
		assert_int_equal(attempt(rooms[i], make_netlink), KILLED);
		if (end == KILLED) /* an IPv6 socket may be none to be had */
			assert_int_equal(attempt(rooms[i], make_tcp6), KILLED);
	}
}

static int
signal_parent(void)
{
	return kill(test, 0) != 0 ? errno : 0;
}

static int
trace(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0 ? errno : 0;
}

static int
abort_self(void)
{
	abort();
}

static int
kill_self(void)
{
	return kill(getpid(), SIGKILL);
}

static void
a_room_signals_nobody_but_itself(void **state)
{
	for (size_t i = 0; i < HF_LEN(rooms); i++) {
		assert_int_equal(attempt(rooms[i], signal_parent), KILLED);
		assert_int_equal(attempt(rooms[i], trace), KILLED);
		assert_int_equal(
		    attempt(rooms[i], abort_self), KILLED + SIGABRT);
		assert_int_equal(
		    attempt(rooms[i], kill_self), KILLED + SIGKILL);
	}
}

/* ---- what can be seen from outside --------------------------------------- */

static long
status_of(pid_t pid, const char *name)
{
	char path[64], line[256];
	long value = -1;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, strlen(name)) == 0 &&
		    line[strlen(name)] == ':')
			value = strtol(line + strlen(name) + 1, NULL,
			    strncmp(name, "Cap", 3) == 0 ? 16 : 10);
	fclose(f);
	return value;
}

static void
a_room_has_no_powers_and_gets_none(void **state)
{
	static const char *const caps[] = { "CapInh", "CapPrm", "CapEff",
		"CapAmb" };

	for (size_t i = 0; i < HF_LEN(rooms); i++) {
		int end[2], up[2];
		char byte;
		pid_t pid;

		assert_int_equal(pipe(end) | pipe(up), 0);
		pid = fork();
		if (pid == 0) {
			close(end[1]);
			be(rooms[i]);
			(void)!write(up[1], "", 1);
			(void)!read(end[0], &byte, 1);
			_exit(0);
		}
		close(up[1]);
		assert_int_equal(read(up[0], &byte, 1), 1);
		assert_int_equal(status_of(pid, "Seccomp"), 2);
		assert_int_equal(status_of(pid, "NoNewPrivs"), 1);
		for (size_t k = 0; k < HF_LEN(caps); k++)
			assert_int_equal(status_of(pid, caps[k]), 0);
		close(end[1]);
		close(end[0]);
		close(up[0]);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
	}
}

static int
execute_recorded(void)
{
	return execute();
}

static void
who_breaks_the_rails_leaves_the_name_of_the_call(void **state)
{
	char path[128], words[200];

	path_in(path, sizeof(path), "flight");
	assert_int_equal(flight_open(path), 0); /* ours and the child's */
	assert_int_equal(attempt(ROOM_CALL, execute_recorded), KILLED);
	assert_true(flight_last(path, "rails_broken", words, sizeof(words)));
	assert_non_null(strstr(words, "room=hf-call call=execve number="));
}

static void
rails_can_be_put_aside_and_that_is_said(void **state)
{
	char path[128], words[200];

	conf.keeper.rails = false;
	path_in(path, sizeof(path), "flight");
	assert_int_equal(attempt(ROOM_CALL, read_passwd), 0);
	assert_true(flight_last(path, "rails_off", words, sizeof(words)));
	assert_non_null(
	    strstr(words, "lacks=all why=\"all: keeper.rails is no\""));
	conf.keeper.rails = true;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_room_runs_what_it_was_not_built_with),
		cmocka_unit_test(no_room_opens_a_file_of_others),
		cmocka_unit_test(who_has_no_files_has_no_call_for_them),
		cmocka_unit_test(each_writes_in_its_own_folder_alone),
		cmocka_unit_test(sip_reads_where_names_are_and_writes_nothing),
		cmocka_unit_test(hf_sip_alone_makes_network_sockets),
		cmocka_unit_test(a_room_signals_nobody_but_itself),
		cmocka_unit_test(a_room_has_no_powers_and_gets_none),
		cmocka_unit_test(
		    who_breaks_the_rails_leaves_the_name_of_the_call),
		cmocka_unit_test(rails_can_be_put_aside_and_that_is_said),
	};

#ifdef HF_SANITIZED
	printf("skipped: the sanitizers need system calls of their own\n");
	return 77;
#endif
	return cmocka_run_group_tests(tests, make_site, remove_site);
}
