/* tests/lib/child - see child.h */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/lib/child.h"

enum { MOST = 24, FDS = 1024, LOOK_US = 5000 };

static struct {
	void (*stop)(void *of);
	void *of;
} up[MOST];

static void
stop_all(void)
{
	for (int i = 0; i < MOST; i++)
		if (up[i].of != NULL)
			up[i].stop(up[i].of);
}

void
child_at_end(void (*stop)(void *of), void *of)
{
	static bool registered;
	int i = 0;

	if (!registered)
		atexit(stop_all);
	registered = true;
	while (i < MOST && up[i].of != NULL)
		i++;
	if (i == MOST) {
		fprintf(stderr, "more children than a test has\n");
		exit(99);
	}
	up[i].stop = stop;
	up[i].of = of;
}

void
child_is_over(void *of)
{
	for (int i = 0; i < MOST; i++)
		if (up[i].of == of)
			up[i].of = NULL;
}

pid_t
child_start(
    char *const *argv, const char *dir, const char *log, int in, int sig)
{
	pid_t pid = fork();

	if (pid < 0) {
		perror(argv[0]);
		exit(99);
	}
	if (pid != 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, sig);
	int out = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(in >= 0 ? in : open("/dev/null", O_RDONLY), 0);
	dup2(out, 1);
	dup2(out, 2);
	for (int i = 3; i < FDS; i++)
		close(i);
	if (dir == NULL || (setenv("HOME", dir, 1) == 0 && chdir(dir) == 0))
		execv(argv[0], argv);
	_exit(127);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

bool
child_ends(pid_t pid, int64_t ms, int *status)
{
	int64_t until = now_ms() + ms;

	while (waitpid(pid, status, WNOHANG) != pid) {
		if (now_ms() >= until)
			return false;
		usleep(LOOK_US);
	}
	return true;
}

int64_t
child_waited(pid_t pid)
{
	char path[64];
	long long ns = 0;

	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)pid);
	FILE *f = fopen(path, "r");
	if (f != NULL) {
		(void)!fscanf(f, "%*d %lld", &ns);
		fclose(f);
	}
	return ns / 1000;
}

bool
file_says(const char *path, const char *text)
{
	return file_says_after(path, 0, text);
}

bool
file_says_after(const char *path, long at, const char *text)
{
	char line[4000];
	bool found = false;
	FILE *f = fopen(path, "r");

	if (f != NULL)
		(void)!fseek(f, at, SEEK_SET);
	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = strstr(line, text) != NULL;
	if (f != NULL)
		fclose(f);
	return found;
}

void
file_show(const char *path, const char *whose)
{
	char line[4000];
	FILE *f = fopen(path, "r");

	if (f == NULL)
		return;
	fprintf(stderr, "---- log of %s ----\n", whose);
	while (fgets(line, sizeof line, f) != NULL)
		fputs(line, stderr);
	fprintf(stderr, "---- end ----\n");
	fclose(f);
}
