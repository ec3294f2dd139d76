/* daemon/keeper/program - see keeper.h */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/keeper/keeper.h"
#include "proc/rails.h"

enum {
	CHILD_FD = 3,     /* where a room finds its channel to us */
	MEDIA_NICE = -10, /* frames go every 20 ms, whatever else runs */
	MEDIA_FIRST = 10, /* of SCHED_FIFO, as hf-media asks for itself */
	EVENT_NICE = -5,
};

static struct {
	char folder[PATH_MAX];
	struct {
		int fd; /* -1: not there */
		char path[PATH_MAX + 64];
		uint64_t id[2];
	} room[ROOM_NR];
} program;

const char *
program_folder(void)
{
	return program.folder;
}

const char *
program_path(enum room room)
{
	return program.room[room].path;
}

bool
program_is(enum room room, const uint64_t id[2])
{
	return program.room[room].fd < 0 ||
	       (program.room[room].id[0] == id[0] &&
		   program.room[room].id[1] == id[1]);
}

void
programs_open(void)
{
	ssize_t n = readlink(
	    "/proc/self/exe", program.folder, sizeof(program.folder) - 1);
	struct stat st;

	hf_assert(n > 0);
	program.folder[n] = '\0';
	for (int up = 0; up < 2; up++) {
		char *slash = strrchr(program.folder, '/');

		hf_assert(slash != NULL);
		*slash = '\0';
	}
	for (int r = 0; r < ROOM_NR; r++) {
		(void)snprintf(program.room[r].path,
		    sizeof(program.room[r].path), "%s/libexec/holdfast/hf-%s",
		    program.folder, room_name((enum room)r));
		program.room[r].fd =
		    r == ROOM_KEEPER
			? -1
			: open(program.room[r].path, O_PATH | O_CLOEXEC);
		if (program.room[r].fd < 0 ||
		    fstat(program.room[r].fd, &st) != 0)
			continue;
		program.room[r].id[0] = st.st_dev;
		program.room[r].id[1] = st.st_ino;
	}
}

static void
be_in_time(enum room room)
{
	if (room == ROOM_MEDIA) {
		(void)setpriority(PRIO_PROCESS, 0, MEDIA_NICE);
		/* Asked for while we may; it outlives setuid().  A machine
		 * that refuses leaves the nice value. */
		(void)sched_setscheduler(0, SCHED_FIFO,
		    &(struct sched_param){ .sched_priority = MEDIA_FIRST });
	} else if (room == ROOM_SIP || room == ROOM_CALL)
		(void)setpriority(PRIO_PROCESS, 0, EVENT_NICE);
}

void
program_begin(void)
{
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)signal(SIGPIPE, SIG_DFL);
	if (null >= 0)
		(void)dup2(null, STDIN_FILENO);
}

bool
program_give_up_root(void)
{
	const struct keeper_user *u = keeper_user();

	return (!u->change || rails_become(u->uid, u->gid)) &&
	       prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

_Noreturn void
program_become(enum room room, int channel)
{
	char name[16];
	char *argv[] = { name, NULL };

	program_begin();
	be_in_time(room);
	if (channel != CHILD_FD && dup2(channel, CHILD_FD) < 0)
		_exit(EXIT_FAILURE);
	if (fcntl(CHILD_FD, F_SETFD, 0) != 0 || !program_give_up_root())
		_exit(EXIT_FAILURE);
	(void)snprintf(name, sizeof(name), "hf-%s", room_name(room));
	if (program.room[room].fd >= 0 && program.room[room].fd != CHILD_FD)
		(void)execveat(
		    program.room[room].fd, "", argv, environ, AT_EMPTY_PATH);
	/* A script cannot be run by its descriptor. */
	(void)execv(program.room[room].path, argv);
	dprintf(STDERR_FILENO, "%s: %s\n", program.room[room].path,
	    strerror(errno));
	_exit(EXIT_FAILURE);
}
