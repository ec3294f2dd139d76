/* Facts on their way to the store: kept until they are safe, and the ends of
 * calls last of all. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/spool.h"

enum { AREA = 64 * 1024 };

static char dir[] = "/tmp/hf-spool-XXXXXX";
static char path[64];

static int
begin(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static struct spool
opened(uint32_t boot)
{
	struct spool s;

	assert_int_equal(spool_open(&s, path, AREA, boot), 0);
	return s;
}

static void
put(struct spool *s, enum msg_type type, uint32_t call)
{
	static struct msg m;

	memset(&m, 0, sizeof(m));
	m.type = type;
	if (type == MSG_CALL_ENDED)
		m.call_ended.call.n = call;
	else if (type == MSG_EVIDENCE)
		m.evidence.call.n = call;
	else
		m.call_came.call.n = call;
	spool_put(s, &m);
}

static bool
next(struct spool *s, struct msg *m)
{
	const void *frame;
	struct hf_slice in;
	uint16_t n;

	if (!spool_next(s, &frame, &n))
		return false;
	in = (struct hf_slice){ frame, n };
	assert_true(msg_decode(&in, m));
	return true;
}

/* A sender that numbers its facts itself puts them again after a death. */
static void
a_fact_that_has_its_number_is_kept_once(void **state)
{
	static struct msg m;
	static char frame[MSG_FRAME_MAX];
	struct hf_buf b = hf_buf_on(frame, sizeof(frame));
	struct spool s = opened(10);
	uint32_t of[2] = { 10, 2 };

	(void)state;
	put(&s, MSG_CALL_CAME, 1);
	memset(&m, 0, sizeof(m));
	m.type = MSG_CALL_CAME;
	m.call_came.call.n = 2;
	assert_true(msg_encode(&b, &m));
	memcpy(frame + 4, of, sizeof(of));
	assert_false(spool_knows(&s, 10, 2));
	spool_put_frame(&s, frame, (uint16_t)b.n);
	assert_true(spool_knows(&s, 10, 2));
	assert_int_equal(s.seq, 2);
	spool_stored(&s, 10, 1);
	spool_close(&s);

	s = opened(11); /* it was put: nothing is put again, stored or not */
	spool_put_frame(&s, frame, (uint16_t)b.n);
	assert_int_equal(spool_waiting(&s), 1);
	spool_stored(&s, 10, 2);
	spool_put_frame(&s, frame, (uint16_t)b.n);
	assert_int_equal(spool_waiting(&s), 0);
	of[1] = 3; /* the next one was not */
	memcpy(frame + 4, of, sizeof(of));
	spool_put_frame(&s, frame, (uint16_t)b.n);
	assert_int_equal(spool_waiting(&s), 1);
	put(&s, MSG_CALL_CAME, 4);
	assert_true(next(&s, &m));
	assert_int_equal(m.boot, 10);
	assert_int_equal(m.seq, 3);
	assert_true(next(&s, &m));
	assert_int_equal(m.boot, 11);
	assert_int_equal(m.seq, 1);
	spool_close(&s);
}

static void
facts_come_in_order_and_stay_until_they_are_stored(void **state)
{
	static struct msg m;
	struct spool s = opened(10);

	(void)state;
	for (uint32_t i = 1; i <= 3; i++)
		put(&s, MSG_CALL_CAME, i);
	for (uint32_t i = 1; i <= 3; i++) {
		assert_true(next(&s, &m));
		assert_int_equal(m.call_came.call.n, i);
		assert_int_equal(m.boot, 10);
		assert_int_equal(m.seq, i);
	}
	assert_false(next(&s, &m));
	spool_rewind(&s);
	assert_true(next(&s, &m));
	assert_int_equal(m.seq, 1);
	spool_stored(&s, 10, 2);
	assert_int_equal(spool_waiting(&s), 1);
	assert_true(next(&s, &m));
	assert_int_equal(m.seq, 3);
	spool_stored(&s, 10, 3);
	assert_int_equal(spool_waiting(&s), 0);
	spool_close(&s);
}

static void
what_a_dead_sender_left_is_sent_by_the_next(void **state)
{
	static struct msg m;
	struct spool s = opened(10);

	(void)state;
	put(&s, MSG_CALL_CAME, 1);
	put(&s, MSG_CALL_ENDED, 1);
	spool_close(&s);
	s = opened(11);
	put(&s, MSG_CALL_CAME, 2);
	assert_int_equal(spool_waiting(&s), 3);
	assert_true(next(&s, &m) && m.boot == 10 && m.seq == 1);
	assert_true(next(&s, &m) && m.boot == 10 && m.seq == 2);
	assert_true(next(&s, &m) && m.boot == 11 && m.seq == 1);
	spool_stored(&s, 10, 2);
	assert_int_equal(spool_waiting(&s), 1);
	spool_stored(&s, 11, 1);
	assert_int_equal(spool_waiting(&s), 0);
	spool_close(&s);
}

/* No room for the file, or no right to it: the store hears all the same. */
static void
without_a_file_facts_are_kept_in_memory(void **state)
{
	static struct msg m;
	struct spool s;

	(void)state;
	assert_int_equal(spool_open(&s, "/nowhere/at/all", AREA, 10), ENOENT);
	assert_true(s.memory);
	put(&s, MSG_CALL_ENDED, 1);
	assert_int_equal(s.dropped, 0);
	assert_int_equal(spool_waiting(&s), 1);
	assert_true(next(&s, &m));
	assert_int_equal(m.call_ended.call.n, 1);
	spool_close(&s);
}

static void
when_it_is_full_the_ends_of_calls_are_kept(void **state)
{
	static struct msg m;
	struct spool s = opened(1);
	uint32_t ends = 0, other = 0;

	(void)state;
	for (uint32_t i = 1; i <= 200; i++) {
		put(&s, MSG_CALL_CAME, i);
		for (int k = 0; k < 20; k++)
			put(&s, MSG_EVIDENCE, i);
		put(&s, MSG_CALL_ENDED, i);
	}
	while (next(&s, &m))
		if (m.type == MSG_CALL_ENDED)
			assert_int_equal(m.call_ended.call.n, ++ends);
		else
			other++;
	assert_int_equal(ends, 200);
	assert_int_equal(ends + other + s.dropped, 200 * 22);
	assert_true(s.dropped > 0);
	spool_close(&s);
}

static void
a_spool_full_of_ends_drops_the_newest_and_counts(void **state)
{
	struct spool s = opened(1);
	uint32_t kept;

	(void)state;
	for (uint32_t i = 1; i <= 5000; i++)
		put(&s, MSG_CALL_ENDED, i);
	kept = spool_waiting(&s);
	assert_true(kept > 100);
	assert_int_equal(kept + s.dropped, 5000);
	put(&s, MSG_EVIDENCE, 1);
	assert_int_equal(spool_waiting(&s), kept);
	spool_stored(&s, 1, kept / 2);
	put(&s, MSG_CALL_ENDED, 5001);
	assert_int_equal(spool_waiting(&s), kept - kept / 2 + 1);
	spool_close(&s);
}

/* Sending and storing go on for longer than the file is large. */
static void
a_store_that_keeps_up_never_fills_it(void **state)
{
	static struct msg m;
	struct spool s = opened(1);

	(void)state;
	for (uint32_t i = 1; i <= 20000; i++) {
		put(&s, MSG_CALL_ENDED, i);
		assert_true(next(&s, &m));
		assert_int_equal(m.seq, i);
		if (i > 10)
			spool_stored(&s, 1, i - 10);
	}
	assert_int_equal(s.dropped, 0);
	assert_int_equal(spool_waiting(&s), 10);
	spool_close(&s);
}

/* ---- a death at every instruction ------------------------------------------
 */

enum { SMALL_AREA = 2048, STEPS_MAX = 200000 };

/* The file as the next life would find it: the numbers of its first and last
 * fact, which follow one another without a hole. */
static uint32_t
next_life(const struct spool *s, uint32_t *first)
{
	static struct msg m;
	char copy[80];
	struct spool again;
	uint32_t last = 0;
	FILE *f;

	(void)snprintf(copy, sizeof(copy), "%s.copy", path);
	f = fopen(copy, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(s->head, 1, s->bytes, f), s->bytes);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(spool_open(&again, copy, SMALL_AREA, 2), 0);
	*first = 0;
	while (next(&again, &m)) {
		assert_true(last == 0 || m.seq == last + 1);
		last = m.seq;
		if (*first == 0)
			*first = m.seq;
	}
	spool_close(&again);
	(void)unlink(copy);
	return last;
}

/* The child says that all up to "stored" is safe, then keeps one more. */
static void
step_through(struct spool *s, uint32_t old_first, uint32_t stored)
{
	uint32_t first, last, old_last = s->seq;
	unsigned steps = 0;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		spool_stored(s, 1, stored);
		put(s, MSG_CALL_ENDED, 7);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (; WIFSTOPPED(status) && steps < STEPS_MAX; steps++) {
		last = next_life(s, &first);
		assert_in_range(last, old_last, old_last + 1);
		assert_in_range(first, old_first, stored + 1);
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(steps > 100);
	last = next_life(s, &first);
	assert_int_equal(last, old_last + 1);
	assert_int_equal(first, stored + 1);
}

/* Who runs under it cannot be stepped through, nor mount anything. */
static void
unless_valgrind(void)
{
	if (getenv("HF_VALGRIND") != NULL)
		skip();
}

static void
a_death_at_any_instruction_loses_no_fact(void **state)
{
	struct spool s;
	uint32_t fit = 0;

	(void)state;
	unless_valgrind();
	assert_int_equal(spool_open(&s, path, SMALL_AREA, 1), 0);
	while (s.dropped == 0) {
		put(&s, MSG_CALL_ENDED, ++fit);
		assert_true(fit < 1000);
	}
	spool_close(&s);
	/* Half full: it is put behind the others.  Full: they are packed. */
	for (uint32_t n = fit / 2; n < fit; n += fit - 1 - fit / 2) {
		(void)unlink(path);
		assert_int_equal(spool_open(&s, path, SMALL_AREA, 1), 0);
		for (uint32_t i = 1; i <= n; i++)
			put(&s, MSG_CALL_ENDED, i);
		step_through(&s, 1, 2);
		spool_close(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    a_fact_that_has_its_number_is_kept_once, begin),
		cmocka_unit_test_setup(
		    facts_come_in_order_and_stay_until_they_are_stored, begin),
		cmocka_unit_test_setup(
		    what_a_dead_sender_left_is_sent_by_the_next, begin),
		cmocka_unit_test_setup(
		    without_a_file_facts_are_kept_in_memory, begin),
		cmocka_unit_test_setup(
		    when_it_is_full_the_ends_of_calls_are_kept, begin),
		cmocka_unit_test_setup(
		    a_spool_full_of_ends_drops_the_newest_and_counts, begin),
		cmocka_unit_test_setup(
		    a_store_that_keeps_up_never_fills_it, begin),
		cmocka_unit_test_setup(
		    a_death_at_any_instruction_loses_no_fact, begin),
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/spool", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)rmdir(dir);
	return failed;
}
