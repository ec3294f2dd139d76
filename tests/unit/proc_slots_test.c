/* Records that outlive their process, and a death at any point of a write. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/slots.h"

enum { KIND = 7, VERSION = 1, COUNT = 300 };

struct record {
	uint64_t a;
	char text[52];
	uint32_t b;
};

static const struct slots_form form = {
	.name = "test",
	.kind = KIND,
	.version = VERSION,
	.record_size = sizeof(struct record),
};

static char dir[] = "/tmp/hf-slots-XXXXXX";
static char path[64];

static struct slots
opened(bool expect_fresh)
{
	struct slots s;
	bool fresh;

	assert_int_equal(slots_open(&s, path, &form, COUNT, &fresh), 0);
	assert_int_equal(fresh, expect_fresh);
	return s;
}

static int
begin(void **state)
{
	(void)state;
	(void)unlink(path);
	return 0;
}

static struct record
record_of(uint32_t n)
{
	struct record r = { .a = n, .b = ~n };

	(void)snprintf(r.text, sizeof(r.text), "record %u", n);
	return r;
}

static void
a_committed_record_is_there_after_a_restart(void **state)
{
	struct slots s = opened(true);
	struct record r = record_of(5), got;

	(void)state;
	slots_commit(&s, 5, &r);
	slots_close(&s);
	s = opened(false);
	assert_true(slots_read(&s, 5, &got));
	assert_memory_equal(&r, &got, sizeof(r));
	assert_false(slots_read(&s, 4, &got));
	slots_close(&s);
}

static void
a_released_record_does_not_come_back(void **state)
{
	struct slots s = opened(true);
	struct record r = record_of(1), got;

	(void)state;
	for (int i = 0; i < 5; i++)
		slots_commit(&s, 9, &r);
	slots_release(&s, 9);
	slots_release(&s, 9);
	assert_false(slots_read(&s, 9, &got));
	slots_close(&s);
	s = opened(false);
	assert_false(slots_read(&s, 9, &got));
	slots_close(&s);
}

static void
count_one(uint32_t i, const void *record, void *arg)
{
	const struct record *r = record;

	assert_int_equal(r->a, i);
	(*(uint32_t *)arg)++;
}

static void
each_shows_what_is_live_and_nothing_else(void **state)
{
	struct slots s = opened(true);
	uint32_t seen = 0;

	(void)state;
	for (uint32_t i = 0; i < COUNT; i += 3) {
		struct record r = record_of(i);

		slots_commit(&s, i, &r);
	}
	for (uint32_t i = 0; i < COUNT; i += 6)
		slots_release(&s, i);
	assert_int_equal(slots_each(&s, count_one, &seen), COUNT / 6);
	assert_int_equal(seen, COUNT / 6);
	slots_close(&s);
}

/* ---- a death at every instruction ------------------------------------------
 */

enum { STEPS_MAX = 200000 };

static uint32_t value; /* what the step commits; 0: it releases */

/* A child does the step, one instruction at a time; between any two of them it
 * could have died, and here is what would then be found. */
static unsigned
step_through(struct slots *s, uint32_t before, uint32_t after)
{
	struct record want[2] = { record_of(before), record_of(after) }, got;
	unsigned steps = 0;
	bool changed = false;
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		(void)raise(SIGSTOP);
		if (value != 0)
			slots_commit(s, 0, &want[1]);
		else
			slots_release(s, 0);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	for (; WIFSTOPPED(status) && steps < STEPS_MAX; steps++) {
		bool is_new, there = slots_read(s, 0, &got);

		/* What was there, then what is to be; never back, nothing else
		 * and never an older one. */
		is_new = value != 0 ? there && got.a == after : !there;
		assert_true(is_new || (there && got.a == before && !changed));
		if (there)
			assert_memory_equal(
			    &got, &want[got.a == after], sizeof(got));
		changed = is_new;
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(changed);
	return steps;
}

/* Who runs under it cannot be stepped through, nor mount anything. */
static void
unless_valgrind(void)
{
	if (getenv("HF_VALGRIND") != NULL)
		skip();
}

static void
a_death_at_any_instruction_of_a_write_shows_old_or_new(void **state)
{
	struct slots s = opened(true);
	struct record first = record_of(1);

	(void)state;
	unless_valgrind();
	slots_commit(&s, 0, &first);
	/* More than twice: whichever of the two copies is the older. */
	for (value = 2; value <= 6; value++)
		assert_true(step_through(&s, value - 1, value) > 100);
	slots_close(&s);
}

static void
a_death_at_any_instruction_of_a_release_brings_nothing_older(void **state)
{
	struct slots s = opened(true);

	(void)state;
	unless_valgrind();
	for (uint32_t last = 2; last <= 5; last++) {
		for (uint32_t n = 1; n <= last; n++) {
			struct record r = record_of(n);

			slots_commit(&s, 0, &r);
		}
		value = 0;
		assert_true(step_through(&s, last, 0) > 10);
	}
	slots_close(&s);
}

static void
a_process_killed_while_writing_leaves_whole_records(void **state)
{
	(void)state;
	for (int round = 0; round < 20; round++) {
		struct record got;
		struct slots s;
		pid_t pid;

		(void)unlink(path);
		s = opened(true);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			for (uint32_t n = 1;; n++) {
				struct record r = record_of(n);

				slots_commit(&s, n % 4, &r);
			}
		(void)usleep(1000 + (useconds_t)round * 137);
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		for (uint32_t i = 0; i < 4; i++) {
			struct record want;

			if (!slots_read(&s, i, &got))
				continue;
			want = record_of((uint32_t)got.a);
			assert_memory_equal(&got, &want, sizeof(got));
			assert_int_equal(got.a % 4, i);
		}
		slots_close(&s);
	}
}

static void
a_flipped_bit_is_noticed(void **state)
{
	struct slots s = opened(true);
	struct record r = record_of(3), got;

	(void)state;
	slots_commit(&s, 0, &r);
	s.first[s.stride / 2] ^= 1; /* of a's record */
	assert_false(slots_read(&s, 0, &got));
	slots_close(&s);
}

/* ---- another version -----------------------------------------------------
 */

/* What came after struct record. */
struct later {
	char text[64];
	uint64_t a;
	uint32_t b, born;
};

enum { BORN = 77, REFUSED = 13, SHORT = 8 };

static bool refuse, die_of_it;

static uint32_t
later_of(const void *from, uint32_t n, void *to)
{
	const struct record *r = from;
	struct later *l = to;

	if (die_of_it && r->a == 3)
		_exit(9);
	if (refuse && r->a == REFUSED)
		return 0;
	l->a = r->a;
	l->born = BORN;
	if (n == SHORT) { /* its a alone was said, and nothing shows through */
		assert_int_equal(r->b, 0);
		assert_string_equal(r->text, "");
		return sizeof(*l);
	}
	memcpy(l->text, r->text, sizeof(r->text));
	l->b = r->b;
	return sizeof(*l);
}

static const struct slots_past pasts[] = {
	{ VERSION + 7, sizeof(struct record), later_of },
	{ VERSION, sizeof(struct record), later_of },
};

static const struct slots_form later = {
	.name = "test",
	.kind = KIND,
	.version = VERSION + 1,
	.record_size = sizeof(struct later),
	.past = pasts,
	.pasts = 2,
};

static void
expect_later(const struct slots *s, uint32_t i)
{
	struct record want = record_of(i);
	struct later got;

	assert_true(slots_read(s, i, &got));
	assert_int_equal(got.a, want.a);
	assert_int_equal(got.b, want.b);
	assert_string_equal(got.text, want.text);
	assert_int_equal(got.born, BORN);
}

/* Records 3, 13, 23... live, 5 was there, 7 is one of which little was said. */
static void
fill_past(void)
{
	struct slots s = opened(true);
	struct record r = record_of(5);

	slots_commit(&s, 5, &r);
	slots_release(&s, 5);
	for (uint32_t i = 3; i < COUNT; i += 10) {
		r = record_of(i);
		slots_commit(&s, i, &r);
	}
	r = record_of(7);
	slots_commit(&s, 7, &r);
	slots_commit_part(&s, 7, &r, SHORT);
	slots_close(&s);
}

static int
begin_past(void **state)
{
	char aside[80];

	(void)begin(state);
	(void)snprintf(aside, sizeof(aside), "%s.refused", path);
	(void)unlink(aside);
	refuse = die_of_it = false;
	fill_past();
	return 0;
}

static void
an_older_version_is_converted_record_by_record(void **state)
{
	struct later got;
	struct slots s;
	bool fresh;

	(void)state;
	for (int round = 0; round < 2; round++) { /* and then it is ours */
		assert_int_equal(
		    slots_open(&s, path, &later, COUNT, &fresh), 0);
		assert_false(fresh);
		for (uint32_t i = 3; i < COUNT; i += 10)
			expect_later(&s, i);
		assert_true(slots_read(&s, 7, &got));
		assert_int_equal(got.a, 7);
		assert_false(slots_read(&s, 5, &got));
		assert_false(slots_read(&s, 4, &got));
		slots_commit(&s, 200, &got); /* it can be written */
		slots_release(&s, 200);
		slots_close(&s);
	}
}

static bool
exists(const char *suffix)
{
	char name[80];

	(void)snprintf(name, sizeof(name), "%s%s", path, suffix);
	return access(name, F_OK) == 0;
}

static void
a_refused_record_leaves_the_file_as_it_was(void **state)
{
	char why[100];
	struct slots s;
	bool fresh;

	(void)state;
	assert_true(slots_would_take(path, &later, COUNT, why, sizeof(why)));
	refuse = true;
	assert_false(slots_would_take(path, &later, COUNT, why, sizeof(why)));
	assert_string_equal(why, "record 13 is refused");
	s = opened(false); /* asking has changed nothing */
	slots_close(&s);
	assert_int_equal(slots_open(&s, path, &later, COUNT, &fresh), 0);
	assert_true(fresh);
	slots_close(&s);
	/* Put aside, whole: the program of before would take it up. */
	assert_false(exists(".new"));
	assert_true(exists(".refused"));
	assert_int_equal(unlink(path), 0);
	{
		char aside[80];

		(void)snprintf(aside, sizeof(aside), "%s.refused", path);
		assert_int_equal(rename(aside, path), 0);
	}
	refuse = false;
	assert_int_equal(slots_open(&s, path, &later, COUNT, &fresh), 0);
	assert_false(fresh);
	expect_later(&s, REFUSED);
	slots_close(&s);
}

static void
a_converter_that_dies_of_a_record_lets_it_go(void **state)
{
	struct later got;
	struct slots s;
	bool fresh;
	int status;

	(void)state;
	die_of_it = true;
	for (int death = 0; death < 2; death++) {
		pid_t pid = fork();

		assert_true(pid >= 0);
		if (pid == 0)
			_exit(slots_open(&s, path, &later, COUNT, &fresh));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WEXITSTATUS(status), 9);
	}
	assert_int_equal(slots_open(&s, path, &later, COUNT, &fresh), 0);
	assert_false(fresh);
	{
		uint32_t poisoned;

		assert_true(slots_condemned(&s, &poisoned));
		assert_int_equal(poisoned, 3);
	}
	assert_false(slots_read(&s, 3, &got));
	expect_later(&s, 13);
	slots_close(&s);
}

static void
a_version_nobody_can_take_is_started_afresh(void **state)
{
	struct slots_form strange = form;
	struct record got;
	char why[200];
	struct slots s;
	bool fresh;

	(void)state;
	strange.version = VERSION + 5;
	assert_false(slots_would_take(path, &strange, 0, why, sizeof(why)));
	assert_non_null(strstr(why, "its version is 1"));
	assert_int_equal(slots_open(&s, path, &strange, COUNT, &fresh), 0);
	assert_true(fresh);
	assert_false(slots_read(&s, 3, &got));
	slots_close(&s);
	s = opened(true); /* and back again */
	assert_false(slots_read(&s, 3, &got));
	slots_close(&s);
	strange = form;
	strange.kind++;
	assert_false(slots_would_take(path, &strange, 0, why, sizeof(why)));
	assert_int_equal(unlink(path), 0);
	assert_true(slots_would_take(path, &form, 0, why, sizeof(why)));
}

static void
a_table_that_grows_keeps_its_records(void **state)
{
	struct record r, want = record_of(13);
	char why[100];
	struct slots s;
	bool fresh;

	(void)state;
	assert_true(slots_would_take(path, &form, 5 * COUNT, why, sizeof(why)));
	assert_int_equal(slots_open(&s, path, &form, 5 * COUNT, &fresh), 0);
	assert_false(fresh);
	assert_true(slots_read(&s, 13, &r));
	assert_memory_equal(&r, &want, sizeof(r));
	slots_commit(&s, 5 * COUNT - 1, &want);
	slots_close(&s);

	/* Smaller again: what has a place is kept. */
	assert_false(slots_would_take(path, &form, COUNT, why, sizeof(why)));
	assert_non_null(strstr(why, "only 300 would have a place"));
	s = opened(false);
	assert_true(slots_read(&s, 13, &r));
	assert_memory_equal(&r, &want, sizeof(r));
	assert_true(slots_read(&s, 293, &r));
	slots_close(&s);
}

static void
a_death_while_converting_leaves_the_one_or_the_other(void **state)
{
	unsigned points = 0;
	int status = 0;

	(void)state;
	/* At each of its system calls, and between them. */
	for (unsigned n = 1;; n++) {
		struct slots s;
		bool fresh;
		pid_t pid;

		(void)unlink(path);
		fill_past();
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0) {
			(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
			(void)raise(SIGSTOP);
			_exit(slots_open(&s, path, &later, COUNT, &fresh));
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		for (unsigned k = 0; k < n && WIFSTOPPED(status); k++) {
			assert_int_equal(
			    ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
			assert_int_equal(waitpid(pid, &status, 0), pid);
		}
		if (WIFSTOPPED(status)) {
			assert_int_equal(kill(pid, SIGKILL), 0);
			assert_int_equal(waitpid(pid, NULL, 0), pid);
		}
		assert_int_equal(
		    slots_open(&s, path, &later, COUNT, &fresh), 0);
		assert_false(fresh);
		for (uint32_t i = 3; i < COUNT; i += 10)
			expect_later(&s, i);
		slots_close(&s);
		if (WIFEXITED(status))
			break;
		points++;
	}
	assert_true(points > 20);
}

/* ---- reading along -------------------------------------------------------
 */

struct heard {
	unsigned told, gone, look;
	unsigned when[COUNT]; /* told of */
	uint64_t a[COUNT];
};

static void
hear(uint32_t i, const void *record, uint32_t n, void *arg)
{
	struct heard *h = arg;

	assert_true(i < COUNT);
	h->told++;
	h->when[i] = h->look;
	if (record == NULL) {
		h->gone++;
		h->a[i] = 0;
		return;
	}
	assert_int_equal(n, sizeof(struct record));
	h->a[i] = ((const struct record *)record)->a;
}

static bool
look(struct slots_mark *m, struct heard *h)
{
	bool whole;

	h->told = h->gone = 0;
	h->look++;
	assert_int_equal(slots_since(path, m, &whole, hear, h), 0);
	for (uint32_t i = 0; whole && i < COUNT; i++)
		if (h->when[i] != h->look)
			h->a[i] = 0;
	return whole;
}

static void
put(struct slots *s, uint32_t i, uint32_t value_)
{
	struct record r = record_of(value_);

	slots_commit(s, i, &r);
}

static void
a_reader_is_told_what_has_changed_since(void **state)
{
	static struct heard h;
	struct slots_mark m = { 0 };
	struct slots s;
	bool whole;

	(void)state;
	assert_int_equal(slots_since(path, &m, &whole, hear, &h), ENOENT);
	s = opened(true);
	put(&s, 3, 30);
	put(&s, 4, 40);
	assert_true(look(&m, &h));
	assert_int_equal(h.told, 2);
	assert_false(look(&m, &h));
	assert_int_equal(h.told, 0);

	for (uint32_t n = 0; n < 5; n++)
		put(&s, 4, 41 + n); /* each once, as it is now */
	slots_release(&s, 3);
	put(&s, 299, 1);
	assert_false(look(&m, &h));
	assert_int_equal(h.told, 3);
	assert_int_equal(h.gone, 1);
	assert_int_equal(h.a[4], 45);
	assert_int_equal(h.a[299], 1);

	/* Far behind: the whole table, which is no more work than that. */
	for (uint32_t n = 0; n < 600; n++)
		put(&s, n % 100, n + 1);
	assert_true(look(&m, &h));
	assert_int_equal(h.told, 101);

	/* The owner died, perhaps before he could say what he had done. */
	slots_close(&s);
	s = opened(false);
	assert_true(look(&m, &h));
	assert_false(look(&m, &h));
	slots_close(&s);
}

static void
a_reader_follows_a_busy_owner(void **state)
{
	static struct heard h;
	struct slots_mark m = { 0 };
	struct slots s = opened(true);
	unsigned looks = 0;
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		for (uint32_t n = 1; n <= 200000; n++) {
			put(&s, n % COUNT, n);
			if (n % 7 == 0)
				slots_release(&s, (n / 7) % COUNT);
		}
		_exit(0);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		(void)look(&m, &h);
		looks++;
	}
	assert_true(looks > 0);
	/* What the reader has in the end is what there is. */
	(void)look(&m, &h);
	for (uint32_t i = 0; i < COUNT; i++) {
		struct record r = { .a = 0 };

		(void)slots_read(&s, i, &r);
		assert_int_equal(h.a[i], r.a);
	}
	slots_close(&s);
}

static void
a_table_that_is_not_used_takes_no_memory(void **state)
{
	struct slots s = opened(true);
	uint32_t seen = 0;
	struct stat st;

	(void)state;
	assert_int_equal(slots_each(&s, count_one, &seen), 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 30000);
	assert_true(st.st_blocks * 512 <= 4096);
	slots_close(&s);
}

static void
a_record_that_kills_twice_is_released(void **state)
{
	struct slots s = opened(true);
	struct record r = record_of(3), got;
	uint32_t poisoned;

	(void)state;
	slots_commit(&s, 3, &r);
	slots_enter(&s, 3);
	slots_close(&s); /* died with it in hand */
	s = opened(false);
	assert_false(slots_condemned(&s, &poisoned));
	assert_true(slots_read(&s, 3, &got)); /* once may be chance */
	slots_enter(&s, 3);
	slots_close(&s);
	s = opened(false);
	assert_true(slots_condemned(&s, &poisoned));
	assert_int_equal(poisoned, 3);
	assert_false(slots_read(&s, 3, &got));
	assert_non_null(slots_condemned_record(&s)); /* to be told of */
	assert_memory_equal(slots_condemned_record(&s), &r, sizeof(r));
	slots_close(&s);
	s = opened(false);
	assert_false(slots_condemned(&s, &poisoned));
	assert_null(slots_condemned_record(&s));
	slots_close(&s);
}

static void
the_next_tenant_of_a_place_is_not_blamed(void **state)
{
	struct slots s = opened(true);
	struct record r = record_of(3), got;

	(void)state;
	for (int life = 0; life < 2; life++) {
		slots_commit(&s, 3, &r);
		slots_enter(&s, 3);
		slots_close(&s); /* died with it in hand */
		s = opened(false);
		assert_true(slots_read(&s, 3, &got));
		slots_release(&s, 3); /* it came to its end */
	}
	slots_close(&s);
}

/* ---- a full file system ---------------------------------------------------
 */

static const struct slots_form big = {
	.name = "big", .kind = KIND, .version = VERSION, .record_size = 3000
};
static const struct slots_form many = {
	.name = "many", .kind = KIND, .version = VERSION, .record_size = 64
};

enum { BIG = 3000, BIG_COUNT = 1000, SMALL_FS_KB = 512, NOT_ALLOWED = 77 };

/* A child sees a tmpfs of this size at dir, and does it there. */
static int
on_a_file_system_of(int kb, int (*fn)(void))
{
	char size[32];
	int status;
	pid_t child;

	(void)snprintf(size, sizeof(size), "size=%dk", kb);
	(void)fflush(NULL);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
		    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
		    mount("tmpfs", dir, "tmpfs", 0, size) != 0)
			_exit(NOT_ALLOWED);
		_exit(fn());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NOT_ALLOWED)
		skip();
	assert_false(WIFSIGNALED(status));
	return WEXITSTATUS(status);
}

static int
fill(void)
{
	static char r[BIG], got[BIG];
	uint32_t kept = 0;
	struct slots s;
	bool fresh;

	if (slots_open(&s, path, &big, BIG_COUNT, &fresh) != 0)
		return 1;
	for (uint32_t i = 0; i < BIG_COUNT; i++) {
		memset(r, (int)(i % 251), sizeof(r));
		slots_commit(&s, i, r);
		slots_commit(&s, i, r);
		if (!slots_read(&s, i, got))
			continue;
		kept++;
		if (memcmp(r, got, sizeof(r)) != 0)
			return 2;
	}
	/* Two copies of three thousand bytes. */
	if (kept < SMALL_FS_KB * 1024 / (3 * BIG) || kept == BIG_COUNT ||
	    s.unkept < BIG_COUNT - kept)
		return 3;
	/* What has its room keeps it; who has none has no old truth either. */
	memset(r, 'x', sizeof(r));
	for (int n = 0; n < 4; n++)
		slots_commit(&s, 5, r);
	if (!slots_read(&s, 5, got) || memcmp(r, got, sizeof(r)) != 0)
		return 4;
	/* That is no sign of room: it would be complained of once more. */
	if (!s.full)
		return 6;
	slots_close(&s);
	if (slots_open(&s, path, &big, BIG_COUNT, &fresh) != 0 || fresh ||
	    !slots_read(&s, 5, got) || slots_read(&s, 900, got))
		return 5;
	return 0;
}

static void
a_full_file_system_loses_records_and_nobody_dies(void **state)
{
	(void)state;
	unless_valgrind();
	assert_int_equal(on_a_file_system_of(SMALL_FS_KB, fill), 0);
}

static int
begin_without_room(void)
{
	struct slots s;
	bool fresh;
	int err;

	/* The bits of so many records alone take more. */
	err = slots_open(&s, path, &many, 1000000, &fresh);
	slots_complain(&s, path, err);
	return err == ENOSPC ? 0 : 1;
}

static void
a_table_that_cannot_begin_says_so(void **state)
{
	(void)state;
	unless_valgrind();
	assert_int_equal(on_a_file_system_of(64, begin_without_room), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    a_committed_record_is_there_after_a_restart, begin),
		cmocka_unit_test_setup(
		    a_released_record_does_not_come_back, begin),
		cmocka_unit_test_setup(
		    each_shows_what_is_live_and_nothing_else, begin),
		cmocka_unit_test_setup(
		    a_death_at_any_instruction_of_a_write_shows_old_or_new,
		    begin),
		cmocka_unit_test_setup(
		    a_death_at_any_instruction_of_a_release_brings_nothing_older,
		    begin),
		cmocka_unit_test_setup(
		    a_process_killed_while_writing_leaves_whole_records, begin),
		cmocka_unit_test_setup(a_flipped_bit_is_noticed, begin),
		cmocka_unit_test_setup(
		    an_older_version_is_converted_record_by_record, begin_past),
		cmocka_unit_test_setup(
		    a_refused_record_leaves_the_file_as_it_was, begin_past),
		cmocka_unit_test_setup(
		    a_converter_that_dies_of_a_record_lets_it_go, begin_past),
		cmocka_unit_test_setup(
		    a_version_nobody_can_take_is_started_afresh, begin_past),
		cmocka_unit_test_setup(
		    a_table_that_grows_keeps_its_records, begin_past),
		cmocka_unit_test_setup(
		    a_death_while_converting_leaves_the_one_or_the_other,
		    begin_past),
		cmocka_unit_test_setup(
		    a_reader_is_told_what_has_changed_since, begin),
		cmocka_unit_test_setup(a_reader_follows_a_busy_owner, begin),
		cmocka_unit_test_setup(
		    a_table_that_is_not_used_takes_no_memory, begin),
		cmocka_unit_test_setup(
		    a_record_that_kills_twice_is_released, begin),
		cmocka_unit_test_setup(
		    the_next_tenant_of_a_place_is_not_blamed, begin),
		cmocka_unit_test_setup(
		    a_full_file_system_loses_records_and_nobody_dies, begin),
		cmocka_unit_test_setup(
		    a_table_that_cannot_begin_says_so, begin),
	};
	int failed;

	if (mkdtemp(dir) == NULL)
		return 1;
	(void)snprintf(path, sizeof(path), "%s/slots", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)rmdir(dir);
	return failed;
}
