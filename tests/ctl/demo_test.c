/*
 * The README's five minutes, as they are typed: the demo site in one terminal,
 * "hfctl demo rescue" in another, and then a look at the call.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/child.h"
#include "tests/lib/site.h"

enum { OPEN_MS = 20000, OVER_MS = 10000, LOOK_MS = 50, SKIPPED = 77 };

static char said[1 << 16];
static unsigned int passed, failed;

/* As an operator types it: nothing says where the house is. */
static int
hfctl(const char *words)
{
	char command[600];
	size_t n;
	FILE *f;

	snprintf(command, sizeof command, "'%s' %s 2>&1",
	    site_stage("bin/hfctl"), words);
	f = popen(command, "r");
	if (f == NULL)
		return -1;
	n = fread(said, 1, sizeof said - 1, f);
	said[n] = '\0';
	int status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
check(bool ok, const char *promise)
{
	passed += ok;
	failed += !ok;
	if (!ok)
		printf("FAILED: %s; hfctl said:\n%s\n", promise, said);
}

static bool
says(const char *what)
{
	return strstr(said, what) != NULL;
}

static bool
stands(const char *log)
{
	for (int ms = 0; ms < OPEN_MS; ms += LOOK_MS) {
		if (file_says(log, "A Holdfast stands"))
			return true;
		usleep(LOOK_MS * 1000);
	}
	return false;
}

static void
five_minutes(void)
{
	check(hfctl("demo rescue") == 0, "a rescue is played");
	check(says("silence"), "its gap is told");
	check(!says("closed again"), "at the site that stands");
	check(hfctl("why last") == 0 && says("call_rescued"),
	    "why tells what the detector saw");
	check(hfctl("trace last") == 0 && says("INVITE"),
	    "trace shows the ladder");
	check(hfctl("calls --past 5") == 0 && says("agent:rita"),
	    "the call is among the past ones");
}

int
main(void)
{
	char program[300], run[] = "run";
	char log[] = "/tmp/holdfast-demo.XXXXXX";
	char *argv[] = { program, run, NULL };
	struct stat st;
	int status = -1, fd = mkstemp(log);

	if (stat(site_stage("run/holdfast"), &st) == 0) {
		printf("skipped: a demo of this build is running\n");
		unlink(log);
		return SKIPPED;
	}
	close(fd);
	snprintf(program, sizeof program, "%s",
	    site_stage("libexec/holdfast/hf-demo"));
	pid_t demo = child_start(argv, NULL, log, -1, SIGTERM);
	check(stands(log), "the demo stands");
	if (failed == 0)
		five_minutes();
	else
		file_show(log, "hf-demo");
	kill(demo, SIGTERM);
	check(child_ends(demo, OVER_MS, &status) && status == 0,
	    "the demo ends when asked to");
	check(lstat(site_stage("run/holdfast"), &st) != 0,
	    "and leaves no path behind");
	unlink(log);
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return failed == 0 ? 0 : 1;
}
