/*
 * bench_journal - what the journal costs: three facts a call (came, a rung
 * ended, ended), decoded as they come from hf-call, in transactions of so many
 * calls as come in store.commit_every at 1,500 calls/s; the disk is the one
 * below the folder given, synchronous=FULL.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "bench/figure.h"
#include "daemon/store/ask.h"
#include "daemon/store/journal.h"

enum { CALLS = 45000, RATE = 1500, COMMIT_MS = 50, ASKS = 200 };

static char queue[JOURNAL_QUEUE_BYTES];
static struct journal j;

static double
cpu_us(void)
{
	struct rusage r;

	(void)getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static int64_t
now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* What hf-call writes about one call; n is its number. */
static void
put_call(struct hf_buf *b, uint32_t n, struct hf_wall at)
{
	static struct msg m;
	char id[40];

	(void)snprintf(id, sizeof(id), "lyon-6b023632-%u", n);
	m = (struct msg){ .type = MSG_CALL_CAME, .boot = 1, .seq = n * 3 + 1 };
	strcpy(m.call_came.id, id);
	m.call_came.at = at;
	strcpy(m.call_came.number, "+33400000000");
	strcpy(m.call_came.from, "+33611111111");
	strcpy(m.call_came.ladder, "front");
	(void)msg_encode(b, &m);
	m = (struct msg){ .type = MSG_RUNG_ENDED, .boot = 1, .seq = n * 3 + 2 };
	strcpy(m.rung_ended.id, id);
	strcpy(m.rung_ended.name, "cloud-a");
	strcpy(m.rung_ended.evidence, "BYE after 61234 ms");
	m.rung_ended.cause = CAUSE_DONE;
	(void)msg_encode(b, &m);
	m = (struct msg){ .type = MSG_CALL_ENDED, .boot = 1, .seq = n * 3 + 3 };
	strcpy(m.call_ended.id, id);
	m.call_ended.came = m.call_ended.ended = at;
	strcpy(m.call_ended.number, "+33400000000");
	strcpy(m.call_ended.from, "+33611111111");
	strcpy(m.call_ended.ladder, "front");
	strcpy(m.call_ended.last_name, "cloud-a");
	m.call_ended.cause = CAUSE_DONE;
	(void)msg_encode(b, &m);
}

static void
on_row(struct hf_slice row, void *arg)
{
	unsigned *rows = arg;

	(void)row;
	++*rows;
}

static bool
write_all(int64_t *commit)
{
	const uint32_t together = RATE * COMMIT_MS / 1000;
	struct hf_wall now = { 1700000000000000 };
	static char frames[16384];
	static struct msg m;

	for (uint32_t n = 0; n < CALLS; n++) {
		struct hf_buf b = hf_buf_on(frames, sizeof(frames));

		now.us += 1000000 / RATE;
		put_call(&b, n, now);
		struct hf_slice in = hf_buf_taken(&b);
		while (in.n > 0)
			if (!msg_decode(&in, &m) ||
			    journal_take(&j, ROOM_CALL, &m, now) !=
				JOURNAL_TAKEN)
				return false;
		if (n % together != together - 1)
			continue;
		int64_t begun = now_us();
		if (journal_commit(&j, now) != DB_OK)
			return false;
		commit[n / together] = now_us() - begun;
	}
	return j.counts.stored == CALLS * 3;
}

static bool
ask_all(int64_t *took)
{
	for (int i = 0; i < ASKS; i++) {
		char id[40];
		unsigned rows = 0;
		int n = snprintf(
		    id, sizeof(id), "lyon-6b023632-%d", i * (CALLS / ASKS));
		int64_t begun = now_us();

		if (ask_answer(&j, "why", (struct hf_slice){ id, (size_t)n },
			(struct hf_wall){ 0 }, on_row, &rows) != NULL ||
		    rows != 3)
			return false;
		took[i] = now_us() - begun;
	}
	return true;
}

int
main(int argc, char **argv)
{
	static int64_t commit[CALLS], took[ASKS];
	const size_t commits = CALLS * 1000 / (RATE * COMMIT_MS);
	char dir[256], path[300];
	bool ok;

	(void)snprintf(dir, sizeof(dir), "%s/hf-bench-XXXXXX",
	    argc > 1 ? argv[1] : "/tmp");
	if (mkdtemp(dir) == NULL) {
		perror(dir);
		return 2;
	}
	(void)snprintf(path, sizeof(path), "%s/journal.db", dir);
	journal_init(&j, path, queue);
	double begun = cpu_us();
	ok = write_all(commit);
	double used = cpu_us() - begun;
	ok = ok && ask_all(took);
	journal_close(&j);
	(void)unlink(path);
	(void)rmdir(dir);
	if (!ok) {
		(void)fprintf(stderr, "bench_journal: could not measure\n");
		return 2;
	}
	ok = figure("journal_", "cpu_us_per_call", used / CALLS, "<=25");
	(void)figure("journal_", "commit_p50_ms",
	    figure_percentile(commit, commits, 50) / 1000, NULL);
	(void)figure("journal_", "commit_p99_ms",
	    figure_percentile(commit, commits, 99) / 1000, NULL);
	ok &= figure("journal_", "why_p99_ms",
	    figure_percentile(took, ASKS, 99) / 1000, "<=10");
	return ok ? 0 : 1;
}
