/* daemon/store/journal: what happened is written down, once, and whoever asks
 * is told. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/store/ask.h"
#include "daemon/store/journal.h"
#include "proc/log.h"
#include "wire/row.h"

static char dir[64], path[96], queue[JOURNAL_QUEUE_BYTES];
static struct journal j;
static struct hf_wall now;
static int said_stopped, said_writes;

/* What an operator would read. */
void
hf_log(enum log_level level, const char *event, const char *fmt, ...)
{
	(void)level;
	(void)fmt;
	said_stopped += strcmp(event, "journal_stopped") == 0;
	said_writes += strcmp(event, "journal_writes") == 0;
}

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/hf-journal-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/journal.db", dir);
	now = (struct hf_wall){ 1700000000000000 };
	said_stopped = said_writes = 0;
	journal_init(&j, path, queue);
	return 0;
}

static int
teardown(void **state)
{
	char rm[128];

	(void)state;
	journal_close(&j);
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	return system(rm);
}

static enum journal_taken
take(const struct msg *m)
{
	now.us += 1000;
	return journal_take(&j, ROOM_CALL, m, now);
}

static struct msg
came(uint32_t boot, uint32_t seq, const char *id)
{
	struct msg m = { .type = MSG_CALL_CAME, .boot = boot, .seq = seq };

	snprintf(m.call_came.id, sizeof(m.call_came.id), "%s", id);
	m.call_came.at = now;
	strcpy(m.call_came.number, "+33400000000");
	strcpy(m.call_came.from, "+33611111111");
	strcpy(m.call_came.ladder, "front");
	return m;
}

static struct msg
rung(uint32_t boot, uint32_t seq, const char *id, uint16_t step)
{
	struct msg m = { .type = MSG_RUNG_ENDED, .boot = boot, .seq = seq };

	snprintf(m.rung_ended.id, sizeof(m.rung_ended.id), "%s", id);
	m.rung_ended.at = now;
	m.rung_ended.step = step;
	m.rung_ended.kind = step == 0 ? RUNG_BOT : RUNG_QUEUE;
	strcpy(m.rung_ended.name, step == 0 ? "cloud-a" : "sales");
	m.rung_ended.cause = step == 0 ? CAUSE_RTP_STOPPED : CAUSE_DONE;
	m.rung_ended.gap = hf_ms(step == 0 ? 71 : 0);
	m.rung_ended.talked = hf_ms(4200);
	return m;
}

static struct msg
ended(uint32_t boot, uint32_t seq, const char *id)
{
	struct msg m = { .type = MSG_CALL_ENDED, .boot = boot, .seq = seq };

	snprintf(m.call_ended.id, sizeof(m.call_ended.id), "%s", id);
	m.call_ended.came = now;
	m.call_ended.answered = (struct hf_wall){ now.us + 500000 };
	m.call_ended.ended = (struct hf_wall){ now.us + 9000000 };
	strcpy(m.call_ended.number, "+33400000000");
	strcpy(m.call_ended.ladder, "front");
	m.call_ended.cause = CAUSE_DONE;
	m.call_ended.steps = 2;
	m.call_ended.rescues = 1;
	m.call_ended.worst_gap = hf_ms(71);
	strcpy(m.call_ended.last_name, "sales");
	m.call_ended.last_kind = RUNG_QUEUE;
	m.call_ended.helper_leg = 1ULL << 63 | 5;
	return m;
}

#define TAKE(what)                                                             \
	do {                                                                   \
		struct msg m_ = what;                                          \
		assert_int_equal(take(&m_), JOURNAL_TAKEN);                    \
	} while (0)

/* ---- what an operator sees, as text: "name=value" a column, a row a line --
 */

static char seen[256 * 1024];
static unsigned rows;

static void
see(struct hf_slice row, void *arg)
{
	struct row_value v;

	(void)arg;
	rows++;
	while (row_next(&row, &v)) {
		size_t n = strlen(seen);
		snprintf(seen + n, sizeof(seen) - n, "%.*s=%.*s|",
		    (int)v.name.n, v.name.p, (int)v.value.n, v.value.p);
	}
	assert_int_equal(row.n, 0);
	strcat(seen, "\n");
}

static const char *
ask(const char *verb, const char *args, size_t n)
{
	seen[0] = '\0';
	rows = 0;
	return ask_answer(
	    &j, verb, (struct hf_slice){ args, n }, now, see, NULL);
}
#define ASK(verb, args) ask(verb, args, sizeof(args) - 1)

#define SEES(text) assert_non_null(strstr(seen, text))

/* ---- stories ------------------------------------------------------------- */

static void
a_rescued_call_is_told_from_beginning_to_end(void **state)
{
	struct msg m = { .type = MSG_EVIDENCE, .boot = 1, .seq = 2 };

	(void)state;
	TAKE(came(1, 1, "lyon-1-1"));
	strcpy(m.evidence.id, "lyon-1-1");
	strcpy(m.evidence.what, "stream_suspect");
	strcpy(m.evidence.detail, "silent_ms=70");
	m.evidence.at = now;
	TAKE(m);
	TAKE(rung(1, 3, "lyon-1-1", 0));
	m = (struct msg){ .type = MSG_CALL_RESCUED, .boot = 1, .seq = 4 };
	strcpy(m.call_rescued.id, "lyon-1-1");
	m.call_rescued.at = now;
	strcpy(m.call_rescued.from_name, "cloud-a");
	m.call_rescued.to_kind = RUNG_QUEUE;
	strcpy(m.call_rescued.to_name, "sales");
	m.call_rescued.why = CAUSE_RTP_STOPPED;
	m.call_rescued.after = hf_ms(1002);
	TAKE(m);
	TAKE(rung(1, 5, "lyon-1-1", 1));
	TAKE(ended(1, 6, "lyon-1-1"));
	assert_int_equal(journal_commit(&j, now), DB_OK);

	assert_null(ASK("call", "lyon-1-1"));
	assert_int_equal(rows, 3);
	SEES("what=call|");
	SEES("from=+33611111111|");
	SEES("rescues=1|worst_gap=71000|last=queue:sales|");
	SEES("step=0|who=bot:cloud-a|cause=rtp_stopped|");
	SEES("step=1|who=queue:sales|cause=done|");

	assert_null(ASK("why", "last"));
	assert_int_equal(rows, 6);
	const char *order[] = { "what=call_came|", "what=stream_suspect|",
		"what=rung_ended|",
		("from bot:cloud-a to queue:sales "
		 "after 1002 ms: rtp_stopped"),
		"queue:sales: done", "what=call_ended|" };
	const char *at = seen;
	for (size_t i = 0; i < HF_LEN(order); i++) {
		at = strstr(at, order[i]);
		assert_non_null(at);
	}
	SEES("silence 71 ms");
}

static void
news_that_comes_twice_counts_once(void **state)
{
	struct msg m = came(1, 1, "lyon-1-1"),
		   again = rung(1, 2, "lyon-1-1", 0);

	(void)state;
	assert_int_equal(take(&m), JOURNAL_TAKEN);
	assert_int_equal(take(&again), JOURNAL_TAKEN);
	assert_int_equal(take(&again), JOURNAL_DUPLICATE);
	assert_int_equal(journal_commit(&j, now), DB_OK);
	assert_int_equal(take(&m), JOURNAL_DUPLICATE);
	/* The same number of another start, or of another room, is news. */
	m = came(2, 1, "lyon-2-1");
	assert_int_equal(take(&m), JOURNAL_TAKEN);
	m = (struct msg){ .type = MSG_MESSAGE_SAVED, .boot = 1, .seq = 1 };
	assert_int_equal(journal_take(&j, ROOM_REC, &m, now), JOURNAL_TAKEN);
	assert_null(ASK("call", "lyon-1-1"));
	assert_int_equal(rows, 2);
}

static void
a_new_process_remembers_what_the_old_one_heard(void **state)
{
	struct msg m = came(7, 5, "lyon-7-5");

	(void)state;
	TAKE(came(7, 4, "lyon-7-4"));
	assert_int_equal(take(&m), JOURNAL_TAKEN);
	assert_int_equal(journal_commit(&j, now), DB_OK);
	journal_close(&j);
	journal_init(&j, path, queue);
	assert_int_equal(journal_commit(&j, now), DB_OK);
	assert_int_equal(take(&m), JOURNAL_DUPLICATE);
	TAKE(came(7, 6, "lyon-7-6"));
	assert_null(ASK("calls", ""));
	assert_int_equal(rows, 3);
}

static uint32_t stored_boot, stored_seq, stored_times;

static void
on_stored(uint32_t boot, uint32_t seq, void *arg)
{
	(void)arg;
	assert_true(stored_times == 0 || boot > stored_boot);
	stored_boot = boot;
	stored_seq = seq;
	stored_times++;
}

static void
only_what_is_committed_is_called_safe(void **state)
{
	(void)state;
	stored_times = 0;
	TAKE(came(3, 1, "lyon-3-1"));
	journal_stored(&j, ROOM_CALL, on_stored, NULL);
	assert_int_equal(stored_times, 0);
	assert_int_equal(journal_commit(&j, now), DB_OK);
	TAKE(came(3, 2, "lyon-3-2"));
	journal_stored(&j, ROOM_CALL, on_stored, NULL);
	assert_int_equal(stored_times, 1);
	assert_int_equal(stored_seq, 1);
	TAKE(came(4, 9, "lyon-4-9"));
	assert_int_equal(journal_commit(&j, now), DB_OK);
	stored_times = 0;
	journal_stored(&j, ROOM_CALL, on_stored, NULL);
	assert_int_equal(stored_times, 2);
	assert_int_equal(stored_boot, 4);
	assert_int_equal(stored_seq, 9);
	stored_times = 0;
	journal_stored(&j, ROOM_REC, on_stored, NULL);
	assert_int_equal(stored_times, 0);
}

static void
a_disk_that_fills_up_costs_nothing_but_time(void **state)
{
	(void)state;
	assert_int_equal(journal_commit(&j, now), DB_OK);
	assert_int_equal(db_run(&j.db, "PRAGMA max_page_count=16"), DB_OK);
	for (uint32_t i = 1; i <= 400; i++) {
		char id[40];
		snprintf(id, sizeof(id), "lyon-1-%06u", i);
		TAKE(came(1, i, id));
	}
	for (int i = 0; i < 5; i++)
		assert_int_equal(journal_commit(&j, now), DB_FULL);
	assert_int_equal(said_stopped, 1); /* once, not every time */
	stored_times = 0;
	journal_stored(&j, ROOM_CALL, on_stored, NULL);
	assert_int_equal(stored_times, 0);

	assert_int_equal(db_run(&j.db, "PRAGMA max_page_count=100000"), DB_OK);
	assert_int_equal(journal_commit(&j, now), DB_OK);
	assert_int_equal(said_writes, 1);
	assert_int_equal(j.counts.stored, 400);
	assert_null(ASK("calls", "limit\0"
				 "1000"));
	assert_int_equal(rows, 400);
	assert_false(journal_wants_resend(&j));
}

static void
what_does_not_fit_in_memory_stays_with_its_sender(void **state)
{
	uint32_t seq = 0;
	struct msg m;

	(void)state;
	snprintf(j.path, sizeof(j.path), "%s/not/there.db", dir);
	assert_int_equal(journal_commit(&j, now), DB_ABSENT);
	do {
		seq++;
		m = rung(1, seq, "lyon-1-1", 0);
	} while (take(&m) == JOURNAL_TAKEN);
	assert_true(seq > 10000);
	/* Small enough to fit; but it would hide the one before. */
	m = came(1, seq + 1, "x");
	assert_int_equal(take(&m), JOURNAL_LEFT);
	assert_int_equal(j.counts.left, 2);
	assert_false(journal_wants_resend(&j));

	strcpy(j.path, path);
	assert_int_equal(journal_commit(&j, now), DB_OK);
	stored_times = 0;
	journal_stored(&j, ROOM_CALL, on_stored, NULL);
	assert_int_equal(stored_seq, seq - 1);
	assert_true(journal_wants_resend(&j));
}

static void
a_damaged_file_is_put_aside_and_a_new_one_begun(void **state)
{
	char look[160];
	FILE *f = fopen(path, "w");

	(void)state;
	assert_non_null(f);
	for (int i = 0; i < 1000; i++)
		fputs("once upon a time ", f);
	fclose(f);
	TAKE(came(1, 1, "lyon-1-1"));
	assert_int_equal(journal_commit(&j, now), DB_DAMAGED);
	assert_int_equal(journal_commit(&j, now), DB_OK);
	assert_int_equal(j.counts.stored, 1);
	snprintf(look, sizeof(look), "test -f %s.damaged-*", path);
	assert_int_equal(system(look), 0);
}

static void
a_file_of_a_later_house_is_not_touched(void **state)
{
	struct db db;

	(void)state;
	assert_int_equal(db_open(&db, path, DB_WRITER), DB_OK);
	assert_int_equal(db_run(&db, "PRAGMA user_version=999"), DB_OK);
	db_close(&db);
	TAKE(came(1, 1, "lyon-1-1"));
	assert_int_equal(journal_commit(&j, now), DB_FAULT);
	assert_non_null(ASK("calls", ""));
	SEES("");
	assert_int_equal(rows, 0);
	assert_null(ASK("journal", ""));
	SEES("state=fault|");
	SEES("waiting=1|");
}

static void
facts_taken_before_the_file_was_found_are_compared_with_it(void **state)
{
	(void)state;
	TAKE(came(1, 1, "lyon-1-1"));
	TAKE(rung(1, 2, "lyon-1-1", 0));
	assert_int_equal(journal_commit(&j, now), DB_OK);
	journal_close(&j);

	/* A restart while the disk is away: the sender says all again. */
	journal_init(&j, "/nowhere/x.db", queue);
	TAKE(came(1, 1, "lyon-1-1"));
	TAKE(rung(1, 2, "lyon-1-1", 0));
	TAKE(rung(1, 3, "lyon-1-1", 1));
	assert_int_equal(journal_commit(&j, now), DB_ABSENT);
	strcpy(j.path, path);
	assert_null(ASK("call", "lyon-1-1"));
	assert_int_equal(rows, 3);
	assert_int_equal(j.counts.duplicates, 2);
}

static void
old_calls_are_forgotten_with_all_that_belongs_to_them(void **state)
{
	bool more = false;

	(void)state;
	struct hf_wall limit = now;
	for (uint32_t i = 0; i < 350; i++) {
		char id[40];
		if (i == 300)
			limit = now;
		snprintf(id, sizeof(id), "lyon-1-%u", i);
		TAKE(came(1, i * 2 + 1, id));
		TAKE(rung(1, i * 2 + 2, id, 0));
	}
	assert_int_equal(journal_commit(&j, now), DB_OK);
	assert_int_equal(journal_prune(&j, limit, &more), DB_OK);
	assert_true(more);
	assert_int_equal(journal_prune(&j, limit, &more), DB_OK);
	assert_false(more);
	assert_int_equal(j.counts.pruned, 300);
	assert_null(ASK("calls", "limit\0"
				 "1000"));
	assert_int_equal(rows, 50);
	assert_non_null(ASK("call", "lyon-1-299"));
	assert_null(ASK("call", "lyon-1-300"));
	assert_int_equal(rows, 2);
}

/* Of calls there are few, of moves many: the next pass is due all the same. */
static void
old_moves_are_forgotten_as_fast_as_they_come(void **state)
{
	bool more = false;

	(void)state;
	for (uint32_t i = 1; i <= 450; i++) {
		struct msg m = { .type = MSG_AGENT_MOVED, .boot = 1, .seq = i };

		m.agent_moved.at = now;
		TAKE(m);
	}
	assert_int_equal(journal_commit(&j, now), DB_OK);
	now.us++;
	assert_int_equal(journal_prune(&j, now, &more), DB_OK);
	assert_true(more);
	assert_int_equal(journal_prune(&j, now, &more), DB_OK);
	assert_true(more);
	assert_int_equal(journal_prune(&j, now, &more), DB_OK);
	assert_false(more);
}

static void
questions_have_clear_answers(void **state)
{
	static const struct {
		const char *verb, *args;
		size_t n;
		const char *wrong; /* NULL: well */
		unsigned rows;
	} table[] = {
		{ "calls", "", 0, NULL, 3 },
		{ "calls",
		    "limit\0"
		    "2",
		    7, NULL, 2 },
		{ "calls",
		    "limit\0"
		    "2\0since\0"
		    "99999",
		    19, NULL, 2 },
		{ "calls", "limit\0x", 7, "number", 0 },
		{ "calls", "limit", 5, "number", 0 },
		{ "calls",
		    "limit\0"
		    "1001",
		    10, "1000", 0 },
		{ "calls", "since\0-1", 8, "seconds", 0 },
		{ "calls", "by\0name", 7, "takes", 0 },
		{ "call", "", 0, "which call", 0 },
		{ "call", "lyon-9-9", 8, "no such call", 0 },
		{ "call", "' OR 1=1 --", 11, "no such call", 0 },
		{ "call", "lyon-1-3", 8, NULL, 1 },
		{ "call", "last", 4, NULL, 1 },
		{ "why", "lyon-1-3", 8, NULL, 1 },
		{ "why", "nobody", 6, "no such call", 0 },
		{ "journal", "", 0, NULL, 1 },
	};
	char longest[300];

	(void)state;
	TAKE(came(1, 1, "lyon-1-1"));
	TAKE(came(1, 2, "lyon-1-2"));
	TAKE(came(1, 3, "lyon-1-3"));
	for (size_t i = 0; i < HF_LEN(table); i++) {
		const char *wrong =
		    ask(table[i].verb, table[i].args, table[i].n);
		if (table[i].wrong == NULL)
			assert_null(wrong);
		else
			assert_non_null(strstr(wrong, table[i].wrong));
		assert_int_equal(rows, table[i].rows);
		assert_true(ask_knows(table[i].verb));
	}
	memset(longest, 'x', sizeof(longest));
	assert_non_null(ask("call", longest, sizeof(longest)));
	assert_false(ask_knows("voicemail"));
	assert_null(ASK("calls", "limit\0"
				 "1"));
	SEES("id=lyon-1-3|");
	SEES("cause=(not ended)|");
	now.us += 10 * 1000000LL;
	assert_null(ASK("calls", "since\0"
				 "5"));
	assert_int_equal(rows, 0);
}

static void
states_acts_and_messages_are_written_down(void **state)
{
	struct msg m = { .type = MSG_AGENT_MOVED, .boot = 1, .seq = 1 };

	(void)state;
	m.agent_moved.state = AGENT_STATE_WRAP_UP;
	TAKE(m);
	m = (struct msg){ .type = MSG_BREAKER_MOVED, .boot = 1, .seq = 2 };
	m.breaker_moved.state = BREAKER_STATE_RAMP;
	TAKE(m);
	m = (struct msg){ .type = MSG_OPERATOR_ACTED, .boot = 1, .seq = 3 };
	strcpy(m.operator_acted.what, "drain on");
	TAKE(m);
	m = (struct msg){ .type = MSG_MESSAGE_SAVED, .boot = 1, .seq = 4 };
	strcpy(m.message_saved.name, "20260301T120000Z-1");
	TAKE(m);
	assert_int_equal(journal_commit(&j, now), DB_OK);
	assert_int_equal(j.counts.stored, 4);
	assert_int_equal(j.counts.refused, 0);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_rescued_call_is_told_from_beginning_to_end),
		T(news_that_comes_twice_counts_once),
		T(a_new_process_remembers_what_the_old_one_heard),
		T(only_what_is_committed_is_called_safe),
		T(a_disk_that_fills_up_costs_nothing_but_time),
		T(what_does_not_fit_in_memory_stays_with_its_sender),
		T(a_damaged_file_is_put_aside_and_a_new_one_begun),
		T(a_file_of_a_later_house_is_not_touched),
		T(facts_taken_before_the_file_was_found_are_compared_with_it),
		T(old_calls_are_forgotten_with_all_that_belongs_to_them),
		T(old_moves_are_forgotten_as_fast_as_they_come),
		T(questions_have_clear_answers),
		T(states_acts_and_messages_are_written_down),
	};

	return cmocka_run_group_tests_name(
	    "daemon/store/journal", tests, NULL, NULL);
}
