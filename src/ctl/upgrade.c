/* ctl/upgrade - hfctl upgrade: asks, then watches one process after another
 * give its place to the one of the new build */

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/ctl.h"


enum {
	ASK_MS = 60000,   /* each program of the new build is asked */
	ENDS_MS = 10000,  /* until the old keeper is gone */
	DONE_MS = 120000, /* all others */
	LOOK_MS = 50,
	STRANGE_MAX = 20, /* looks at an answer we do not understand */
	STATUS_MS = 3000,
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Everybody is what he should be; *kept of them will not be. */
static bool
is_done(const struct rows *r, unsigned int *kept)
{
	char state[32];
	bool all = true;

	*kept = 0;
	for (size_t i = 1; i < r->n; i++) {
		row_str(r->row[i], "state", state, sizeof(state));
		*kept += strcmp(state, "kept") == 0;
		if (strcmp(state, "up") != 0 && strcmp(state, "kept") != 0)
			all = false;
	}
	return all && r->n > 1;
}

static void
look_again(struct ctl *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	usleep(LOOK_MS * 1000);
}

/* The house, once it is of the new build. */
static int
wait_for_all(struct ctl *c, struct rows *r, unsigned int *kept)
{
	int64_t end = now_ms() + DONE_MS;
	int strange = 0;

	c->timeout = hf_ms(STATUS_MS);
	do {
		if (link_ask(c, "status", NULL, 0, r) == CTL_DONE &&
		    is_done(r, kept))
			return CTL_DONE;
		rows_free(r);
		strange += strstr(c->error, "not understood") != NULL;
		if (strange == STRANGE_MAX) {
			snprintf(c->error, sizeof(c->error),
			    "the house is of the new build, and speaks with "
			    "the hfctl of that build: ask it for the rest");
			return CTL_AWAY;
		}
		look_again(c);
	} while (now_ms() < end);
	if (c->error[0] == '\0')
		snprintf(c->error, sizeof(c->error),
		    "not every process is there yet; see hfctl status, and "
		    "the log of holdfastd");
	return CTL_AWAY;
}

static void
show(const struct ctl *c, const struct rows *versions, const struct rows *r,
    int64_t ms)
{
	char from[64] = "the last build", to[64] = "this one";

	if (versions->n > 0) {
		row_str(versions->row[0], "from", from, sizeof(from));
		row_str(versions->row[0], "to", to, sizeof(to));
	}
	if (c->json) {
		printf("{\"from\": ");
		json_text(stdout, hf_slice_of(from));
		printf(", \"to\": ");
		json_text(stdout, hf_slice_of(to));
		printf(", \"ms\": %lld, \"processes\": ", (long long)ms);
		json_rows(stdout, r, 1);
		printf("}\n");
		return;
	}
	printf(
	    "upgraded from %s to %s in %lld ms\n\n", from, to, (long long)ms);
	show_table(stdout, r, 1);
}

static void
show_problems(const struct ctl *c, const struct rows *r)
{
	char line[300];

	if (c->json) {
		json_rows(stdout, r, 0);
		putchar('\n');
		return;
	}
	for (size_t i = 0; i < r->n; i++) {
		row_str(r->row[i], "problem", line, sizeof(line));
		put_safe(stdout, hf_slice_of(line));
		putchar('\n');
	}
}

/* What runs is of a build that does not understand our question; it knows this
 * sign, and answers in its log. */
static bool
make_a_sign(struct ctl *c)
{
	pid_t pid;

	look_again(c);
	pid = link_pid(c);
	return pid > 0 && kill(pid, SIGUSR2) == 0;
}

int
verb_upgrade(struct ctl *c)
{
	char folder[PATH_MAX];
	const char *word = folder;
	struct rows versions, r = { 0 };
	int64_t began = now_ms();
	unsigned int kept = 0;
	bool there;
	int err;

	if (c->to != NULL && realpath(c->to, folder) == NULL) {
		snprintf(c->error, sizeof(c->error), "--to %.150s: %s", c->to,
		    strerror(errno));
		return CTL_USAGE;
	}
	c->timeout = hf_ms(ASK_MS);
	there = link_pid(c) > 0;
	err = link_ask(c, "upgrade", &word, c->to != NULL, &versions);
	if (err == CTL_AWAY && there && c->to == NULL && make_a_sign(c))
		err = CTL_DONE;
	if (err == CTL_REFUSED)
		show_problems(c, &versions);
	if (err == CTL_DONE && !link_ends(c, hf_ms(ENDS_MS))) {
		snprintf(c->error, sizeof(c->error),
		    "holdfastd goes on as it was; see its log");
		err = CTL_AWAY;
	}
	if (err == CTL_DONE)
		err = wait_for_all(c, &r, &kept);
	if (err == CTL_DONE)
		show(c, &versions, &r, now_ms() - began);
	if (err == CTL_DONE && kept > 0) {
		snprintf(c->error, sizeof(c->error),
		    "%u go on as they were: what they keep would not be taken; "
		    "see room_kept in the log",
		    kept);
		err = CTL_REFUSED;
	}
	rows_free(&versions);
	rows_free(&r);
	return err;
}
