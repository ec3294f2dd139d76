/* News for people: a line each, no flood, and last words that are kept. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/flight.h"
#include "proc/log.h"

enum { SAID_MAX = 1 << 16 };

static char dir[] = "/tmp/hf-log-XXXXXX";
static char path[64];
static char said[SAID_MAX];
static int out[2], real_stderr;

/* Standard error becomes a pipe of ours. */
static int
listen_in(void **state)
{
	(void)state;
	real_stderr = dup(STDERR_FILENO);
	if (pipe2(out, O_NONBLOCK | O_CLOEXEC) != 0 ||
	    dup2(out[1], STDERR_FILENO) < 0)
		return -1;
	hf_log_open("hf-test", LOG_INFO);
	return 0;
}

static int
listen_no_more(void **state)
{
	(void)state;
	(void)dup2(real_stderr, STDERR_FILENO);
	(void)close(real_stderr);
	(void)close(out[0]);
	(void)close(out[1]);
	return 0;
}

/* What was said since the last time; how many lines. */
static unsigned
lines(void)
{
	ssize_t n = read(out[0], said, sizeof(said) - 1);
	unsigned lines = 0;

	said[n > 0 ? n : 0] = '\0';
	for (const char *c = said; *c != '\0'; c++)
		lines += *c == '\n';
	return lines;
}

static void
a_line_says_when_who_and_what(void **state)
{
	(void)state;
	hf_log(LOG_NOTICE, "breaker_opened", "helper=%s calls=%d", "x", 7);
	assert_int_equal(lines(), 1);
	assert_non_null(
	    strstr(said, "Z hf-test notice breaker_opened helper=x calls=7\n"));
	assert_int_equal(said[4], '-'); /* 2026-03-01T12:00:00.123Z */
	assert_int_equal(said[10], 'T');
}

static void
a_stranger_cannot_forge_a_line(void **state)
{
	(void)state;
	hf_log(
	    LOG_INFO, "forged", "text=\"%s\"", "x\n2026 hf-sip error y\033[2J");
	assert_int_equal(lines(), 1);
	assert_non_null(strstr(said, "text=\"x?2026 hf-sip error y?[2J\""));
}

static void
a_flood_is_counted_and_not_told(void **state)
{
	unsigned told;

	(void)state;
	for (int i = 0; i < 1000; i++)
		hf_log(LOG_WARNING, "flooded", "i=%d", i);
	told = lines();
	assert_in_range(told, 20, 25);
	hf_log(LOG_WARNING, "something_else", "%s", "");
	assert_int_equal(lines(), 1); /* others are heard */
	hf_log_settle();
	(void)lines();
	assert_non_null(strstr(said, "news_repeated event=flooded not_told=9"));
}

static void
a_long_line_is_cut_and_ends(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	hf_log(LOG_INFO, "long", "text=%s", text);
	assert_int_equal(lines(), 1);
	assert_true(strlen(said) < 1100);
}

static void
a_reader_that_stands_still_stops_nobody(void **state)
{
	static char event[100][16]; /* kept by the logger, like literals */

	(void)state;
	for (int i = 0; i < 5000; i++) {
		char *name = event[i % 100];

		(void)snprintf(name, sizeof(event[0]), "news_%d", i % 100);
		hf_log(LOG_INFO, name, "text=%0500d", i);
	}
	assert_true(lines() > 10); /* the pipe was full, and we came here */
}

static void
trace_is_for_the_recorder_alone(void **state)
{
	char last[FLIGHT_LINE_MAX];

	(void)state;
	assert_int_equal(flight_open(path), 0);
	hf_log(LOG_TRACE, "step", "to=%d", 3);
	assert_int_equal(lines(), 0);
	assert_true(flight_last(path, "step", last, sizeof(last)));
	assert_non_null(strstr(last, "trace step to=3"));
}

static void
the_recorder_keeps_the_newest_and_a_life_before(void **state)
{
	char last[FLIGHT_LINE_MAX], text[32], old[80];

	(void)state;
	assert_int_equal(flight_open(path), 0);
	for (int i = 0; i < 3 * FLIGHT_LINES; i++) {
		int n = snprintf(text, sizeof(text), "line %d", i);

		flight_note(text, (size_t)n);
	}
	assert_true(flight_last(path, "line", last, sizeof(last)));
	assert_string_equal(last, text);
	assert_false(flight_last(path, "line 5", last, sizeof(last)) &&
		     strcmp(last, "line 5") == 0); /* written over */
	assert_int_equal(flight_open(path), 0);
	assert_false(flight_last(path, "line", last, sizeof(last)));
	(void)snprintf(old, sizeof(old), "%s.old", path);
	assert_true(flight_last(old, "line", last, sizeof(last)));
	assert_string_equal(last, text);
	assert_false(flight_last("/dev/null", "line", last, sizeof(last)));
}

static unsigned told, moments;
static struct flight_moment newest;

static void
count_line(const char *text)
{
	(void)text;
	told++;
}

static void
count_moment(const struct flight_moment *m)
{
	assert_true(moments == 0 || newest.at.us < m->at.us);
	newest = *m;
	moments++;
}

static void
a_recording_is_read_in_order(void **state)
{
	uint64_t leg = 77;

	(void)state;
	assert_int_equal(flight_open(path), 0);
	flight_note("one", 3);
	flight_note("two", 3);
	for (int64_t i = 1; i <= FLIGHT_MESSAGES + 100; i++)
		flight_message((struct hf_time){ i }, 1, true, 5, &leg);
	told = moments = 0;
	assert_true(flight_read(path, count_line, count_moment));
	assert_int_equal(told, 2);
	assert_int_equal(moments, FLIGHT_MESSAGES);
	assert_int_equal(newest.at.us, FLIGHT_MESSAGES + 100);
	assert_int_equal(newest.about, 77);
	assert_false(flight_read("/dev/null", count_line, count_moment));
}

static void
an_assertion_leaves_its_words_behind(void **state)
{
	char last[FLIGHT_LINE_MAX];
	int status;
	pid_t pid;

	(void)state;
	pid = fork();
	if (pid == 0) {
		(void)signal(SIGABRT, SIG_DFL);
		(void)flight_open(path);
		hf_assert(pid != 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	assert_true(flight_last(path, "assert_failed", last, sizeof(last)));
	assert_non_null(strstr(last, "what=\"pid != 0\""));
}

int
main(void)
{
#define HEARD(name)                                                            \
	cmocka_unit_test_setup_teardown(name, listen_in, listen_no_more)
	const struct CMUnitTest tests[] = {
		HEARD(a_line_says_when_who_and_what),
		HEARD(a_stranger_cannot_forge_a_line),
		HEARD(a_flood_is_counted_and_not_told),
		HEARD(a_long_line_is_cut_and_ends),
		HEARD(trace_is_for_the_recorder_alone),
		HEARD(the_recorder_keeps_the_newest_and_a_life_before),
		HEARD(a_recording_is_read_in_order),
		HEARD(an_assertion_leaves_its_words_behind),
		HEARD(a_reader_that_stands_still_stops_nobody),
	};
#undef HEARD
	char command[96];
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/flight", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	(void)!system(command);
	return failed;
}
