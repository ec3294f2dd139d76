/* proc/log - see log.h */

#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "base/hash.h"
#include "proc/flight.h"
#include "proc/log.h"

enum {
	LINE_MAX_BYTES = 1024,
	EVENTS = 128,   /* told apart; a power of two */
	PER_SECOND = 5, /* of one event, after the first */
	BURST = 20,
	MS_PER_S = 1000,
	MS_PER_LINE = MS_PER_S / PER_SECOND,
	NS_PER_MS = 1000000,
};

static const char *const levels[] = {
	[LOG_TRACE] = "trace",
	[LOG_INFO] = "info",
	[LOG_NOTICE] = "notice",
	[LOG_WARNING] = "warning",
	[LOG_ERROR] = "error",
};

/* A stranger who can cause a line must not be able to fill the disk with it,
 * nor push other news out of the flight recorder. */
struct told {
	const char *event;
	int64_t paid_ms; /* the bucket is empty until then, less the burst */
	uint32_t swallowed;
};

static struct {
	const char *room;
	enum log_level least;
	uint32_t unwritten; /* standard error was full */
	struct told told[EVENTS];
} logger = { .room = "-", .least = LOG_INFO };

static int64_t
coarse_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
	return (int64_t)ts.tv_sec * MS_PER_S + ts.tv_nsec / NS_PER_MS;
}

static struct told *
told_of(const char *event)
{
	uint32_t home = hf_crc32c(event, strlen(event)) % EVENTS;

	for (uint32_t i = 0; i < EVENTS; i++) {
		struct told *t = &logger.told[(home + i) % EVENTS];

		if (t->event == NULL)
			t->event = event;
		if (t->event == event || strcmp(t->event, event) == 0)
			return t;
	}
	return &logger.told[home]; /* share: more kinds of news than places */
}

static bool
may_tell(struct told *t)
{
	int64_t now = coarse_ms();

	if (t->paid_ms < now - BURST * MS_PER_LINE)
		t->paid_ms = now - BURST * MS_PER_LINE;
	if (t->paid_ms + MS_PER_LINE > now) {
		t->swallowed++;
		return false;
	}
	t->paid_ms += MS_PER_LINE;
	return true;
}

static int
put_head(char *line, size_t cap, enum log_level level, const char *event)
{
	struct timespec ts;
	struct tm tm;
	size_t n;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	(void)gmtime_r(&ts.tv_sec, &tm);
	n = strftime(line, cap, "%Y-%m-%dT%H:%M:%S", &tm);
	return (int)n + snprintf(line + n, cap - n, ".%03ldZ %s %s %s",
			    ts.tv_nsec / NS_PER_MS, logger.room, levels[level],
			    event);
}

/* Whoever reads our standard error may stand still; calls must not. */
static void
write_line(const char *line, size_t n)
{
	struct pollfd p = { .fd = STDERR_FILENO, .events = POLLOUT };

	if (poll(&p, 1, 0) != 1 || !(p.revents & POLLOUT) ||
	    write(STDERR_FILENO, line, n) != (ssize_t)n)
		logger.unwritten++;
}

void
hf_log(enum log_level level, const char *event, const char *fmt, ...)
{
	struct told *t = told_of(event);
	char line[LINE_MAX_BYTES];
	size_t n, cap = sizeof(line) - 64; /* for what we add at the end */
	va_list ap;
	int more;

	if (!may_tell(t))
		return;
	n = (size_t)put_head(line, cap, level, event);
	if (fmt[0] != '\0') {
		line[n++] = ' ';
		va_start(ap, fmt);
		more = vsnprintf(line + n, cap - n, fmt, ap);
		va_end(ap);
		n = more < 0 || (size_t)more >= cap - n ? cap - 1
							: n + (size_t)more;
	}
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 0x7f)
			line[i] = '?';
	if (t->swallowed > 0)
		n += (size_t)snprintf(
		    line + n, sizeof(line) - n, " not_told=%u", t->swallowed);
	t->swallowed = 0;
	if (logger.unwritten > 0 && level >= logger.least)
		n += (size_t)snprintf(line + n, sizeof(line) - n,
		    " not_written=%u", logger.unwritten);
	line[n++] = '\n';
	flight_note(line, n - 1);
	if (level >= logger.least) {
		logger.unwritten = 0;
		write_line(line, n);
	}
}

void
hf_log_settle(void)
{
	for (size_t i = 0; i < HF_LEN(logger.told); i++) {
		struct told *t = &logger.told[i];
		uint32_t n = t->swallowed;

		if (n == 0)
			continue;
		t->swallowed = 0;
		hf_log(LOG_NOTICE, "news_repeated", "event=%s not_told=%u",
		    t->event, n);
	}
}

void
hf_log_open(const char *room, enum log_level least)
{
	hf_assert(least <= LOG_ERROR);
	logger.room = room;
	logger.least = least;
}
