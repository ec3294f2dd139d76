/* daemon/rec/box: a message is whole or it is not there, and no name leads
 * out of its box. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/rec/box.h"

static char root[64];
static int spool, dir;
static struct draft d;
static const struct box_note note = {
	.from = "+33611111111", .at = { 1700000000123456 }, .call = { 0x7f2, 3 }
};

static int
setup(void **state)
{
	(void)state;
	strcpy(root, "/tmp/hf-box-XXXXXX");
	assert_non_null(mkdtemp(root));
	spool = open(root, O_RDONLY | O_DIRECTORY);
	assert_true(spool >= 0);
	assert_int_equal(box_open(spool, "front", &dir), 0);
	return 0;
}

static int
teardown(void **state)
{
	char rm[128];

	(void)state;
	close(dir);
	close(spool);
	snprintf(rm, sizeof(rm), "rm -rf %s", root);
	return system(rm);
}

static void
speak(struct draft *to, uint32_t bytes)
{
	uint8_t frame[160];

	for (uint32_t at = 0; at < bytes; at += sizeof(frame)) {
		uint32_t n = bytes - at < 160 ? bytes - at : 160;
		memset(frame, (int)(at / 160), sizeof(frame));
		draft_write(to, frame, n);
	}
}

static void
leave(const char *name, uint32_t bytes)
{
	assert_int_equal(draft_begin(&d, dir, name, &note), 0);
	speak(&d, bytes);
	assert_int_equal(draft_keep(&d), 0);
}

static uint32_t
count(void)
{
	const char(*names)[BOX_NAME_MAX];
	uint32_t n;

	assert_int_equal(box_list(dir, &names, &n), 0);
	return n;
}

static void
a_message_is_heard_as_it_was_spoken(void **state)
{
	struct box_message m;
	uint8_t first[161];
	char sox[200];
	int fd;

	(void)state;
	leave("20260301T120000Z-1", 20000);
	assert_int_equal(count(), 1);
	assert_int_equal(box_read(dir, "20260301T120000Z-1", &m, &fd), 0);
	assert_int_equal(m.bytes, 20000);
	assert_int_equal(box_length(m.bytes).us, 2500000);
	assert_string_equal(m.note.from, note.from);
	assert_int_equal(m.note.at.us, note.at.us);
	assert_true(hf_ref_is(m.note.call, note.call));
	assert_int_equal(read(fd, first, sizeof(first)), sizeof(first));
	assert_int_equal(first[0], 0);
	assert_int_equal(first[160], 1);
	close(fd);
	/* Others read it too: fields where RIFF has them. */
	snprintf(sox, sizeof(sox),
	    "head -c 4 %s/front/20260301T120000Z-1.wav | grep -q RIFF", root);
	assert_int_equal(system(sox), 0);
	assert_int_equal(box_delete(dir, "20260301T120000Z-1"), 0);
	assert_int_equal(count(), 0);
	assert_int_equal(box_delete(dir, "20260301T120000Z-1"), ENOENT);
}

static void
the_oldest_message_comes_first(void **state)
{
	const char(*names)[BOX_NAME_MAX];
	uint32_t n;

	(void)state;
	leave("20260301T120002Z-3", 8000);
	leave("20260301T120000Z-7", 8000);
	leave("20260301T120001Z-1", 8000);
	assert_int_equal(box_list(dir, &names, &n), 0);
	assert_int_equal(n, 3);
	assert_string_equal(names[0], "20260301T120000Z-7");
	assert_string_equal(names[2], "20260301T120002Z-3");
}

static void
nothing_is_seen_before_it_is_whole(void **state)
{
	(void)state;
	assert_int_equal(draft_begin(&d, dir, "a", &note), 0);
	speak(&d, 20000);
	assert_int_equal(count(), 0);
	draft_drop(&d);
	assert_int_equal(count(), 0);
	assert_int_equal(draft_begin(&d, dir, "a", &note), 0); /* no leftover */
	speak(&d, 300);
	assert_int_equal(draft_keep(&d), ENODATA);
	assert_int_equal(count(), 0);
}

static char parts[4][BOX_NAME_MAX];
static unsigned found;

static void
on_part(const char *name, void *arg)
{
	(void)arg;
	assert_true(found < HF_LEN(parts));
	strcpy(parts[found++], name);
}

static void
a_crash_costs_the_last_words_and_no_message(void **state)
{
	struct box_message m;
	int fd, error;

	(void)state;
	found = 0;
	assert_int_equal(draft_begin(&d, dir, "long", &note), 0);
	speak(&d, 3 * BOX_BUFFER + 555);
	close(d.fd); /* as death does */
	close(d.dir);
	assert_int_equal(draft_begin(&d, dir, "short", &note), 0);
	close(d.fd);
	close(d.dir);
	/* Torn in its header, and nothing of ours at all. */
	fd = openat(dir, ".torn.part", O_CREAT | O_WRONLY, 0600);
	assert_int_equal(write(fd, "RIFF....", 8), 8);
	close(fd);

	assert_int_equal(box_parts(dir, on_part, NULL), 0);
	assert_int_equal(found, 3);
	for (unsigned i = 0; i < found; i++) {
		bool torn = strcmp(parts[i], "torn") == 0;
		error = draft_adopt(&d, dir, parts[i]);
		assert_int_equal(error, torn ? EBADMSG : 0);
		if (torn)
			continue;
		assert_true(hf_ref_is(d.message.note.call, note.call));
		if (strcmp(parts[i], "short") == 0) {
			assert_int_equal(draft_keep(&d), ENODATA);
			continue;
		}
		assert_int_equal(d.message.bytes, 3 * BOX_BUFFER);
		speak(&d, 1000); /* and goes on */
		assert_int_equal(draft_keep(&d), 0);
	}
	found = 0;
	assert_int_equal(box_parts(dir, on_part, NULL), 0);
	assert_int_equal(found, 0);
	assert_int_equal(count(), 1);
	assert_int_equal(box_read(dir, "long", &m, &fd), 0);
	assert_int_equal(m.bytes, 3 * BOX_BUFFER + 1000);
	close(fd);
}

static void
no_name_leads_out_of_the_box(void **state)
{
	static const char *const bad[] = { "", ".", "..", "../x", "/etc/passwd",
		"a/b", ".hidden", "a b", "a\n", "-rf", "a\xc3\xa9", "a%2f",
		("0123456789012345678901234567890123456789012345678901234567890"
		 "123") };
	struct box_message m;
	int fd;

	(void)state;
	for (size_t i = 0; i < HF_LEN(bad); i++) {
		assert_false(box_name_ok(bad[i]));
		assert_int_equal(box_open(spool, bad[i], &fd), EINVAL);
		assert_int_equal(box_read(dir, bad[i], &m, &fd), EINVAL);
		assert_int_equal(box_delete(dir, bad[i]), EINVAL);
		assert_int_equal(draft_begin(&d, dir, bad[i], &note), EINVAL);
		assert_int_equal(draft_adopt(&d, dir, bad[i]), EINVAL);
	}
	assert_true(box_name_ok("a..b")); /* a name like any other */
}

static void
links_and_strange_files_are_no_messages(void **state)
{
	struct box_message m;
	int fd;

	(void)state;
	assert_int_equal(symlinkat("/etc/passwd", dir, "link.wav"), 0);
	assert_int_equal(symlinkat("/etc", spool, "away"), 0);
	assert_int_equal(mkdirat(dir, "folder.wav", 0700), 0);
	fd = openat(dir, "text.wav", O_CREAT | O_WRONLY, 0600);
	for (int i = 0; i < 100; i++)
		assert_int_equal(write(fd, "not a wav ", 10), 10);
	close(fd);
	assert_int_equal(box_read(dir, "link", &m, &fd), ELOOP);
	assert_int_not_equal(box_read(dir, "folder", &m, &fd), 0);
	assert_int_equal(box_read(dir, "text", &m, &fd), EBADMSG);
	assert_int_equal(box_read(dir, "nothing", &m, &fd), ENOENT);
	assert_int_not_equal(box_open(spool, "away", &fd), 0);
}

static void
a_callers_name_stays_one_line(void **state)
{
	struct box_note evil = note;
	struct box_message m;
	int fd;

	(void)state;
	strcpy(evil.from, "x\ncall=1.1\nat=0");
	assert_int_equal(draft_begin(&d, dir, "evil", &evil), 0);
	speak(&d, 8000);
	assert_int_equal(draft_keep(&d), 0);
	assert_int_equal(box_read(dir, "evil", &m, &fd), 0);
	close(fd);
	assert_string_equal(m.note.from, "x?call=1.1?at=0");
	assert_true(hf_ref_is(m.note.call, note.call));
	memset(evil.from, 'y', sizeof(evil.from) - 1);
	assert_int_equal(draft_begin(&d, dir, "long", &evil), 0);
	speak(&d, 8000);
	assert_int_equal(draft_keep(&d), 0);
	assert_int_equal(box_read(dir, "long", &m, &fd), 0);
	close(fd);
	assert_string_equal(m.note.from, evil.from);
}

static void
a_disk_that_fills_up_keeps_what_was_said(void **state)
{
	struct rlimit old, small;
	struct box_message m;
	int fd;

	(void)state;
	/* A file that may not grow is as good as a disk that is full. */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = old;
	small.rlim_cur = 20000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(draft_begin(&d, dir, "full", &note), 0);
	speak(&d, 100000);
	assert_int_equal(d.error, EFBIG);
	assert_int_equal(draft_keep(&d), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(box_read(dir, "full", &m, &fd), 0);
	close(fd);
	assert_true(m.bytes > 16000 && m.bytes < 20000);

	small.rlim_cur = 100;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_not_equal(draft_begin(&d, dir, "fuller", &note), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(count(), 1);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_message_is_heard_as_it_was_spoken),
		T(the_oldest_message_comes_first),
		T(nothing_is_seen_before_it_is_whole),
		T(a_crash_costs_the_last_words_and_no_message),
		T(no_name_leads_out_of_the_box),
		T(links_and_strange_files_are_no_messages),
		T(a_callers_name_stays_one_line),
		T(a_disk_that_fills_up_keeps_what_was_said),
	};

	return cmocka_run_group_tests_name("daemon/rec/box", tests, NULL, NULL);
}
