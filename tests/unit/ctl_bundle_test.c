/* One file for support: whole, bounded, or not there. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <errno.h>

#include "ctl/bundle.h"

static char dir[] = "/tmp/hf-bundle-XXXXXX";
static char path[64];

static int
make_dir(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/b.tar.gz", dir);
	return 0;
}

static int
remove_dir(void **state)
{
	char rm[96];

	(void)state;
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	return system(rm);
}

/* What tar says of it, with this option. */
static const char *
tar(const char *option)
{
	static char said[4096];
	char command[160];
	size_t n;
	FILE *f;

	snprintf(command, sizeof(command), "tar %s %s", option, path);
	f = popen(command, "r");
	assert_non_null(f);
	n = fread(said, 1, sizeof(said) - 1, f);
	said[n] = '\0';
	assert_int_equal(pclose(f), 0);
	return said;
}

static void
write_much(FILE *f, size_t n)
{
	char line[1024];

	memset(line, 'x', sizeof(line));
	for (; n >= sizeof(line); n -= sizeof(line))
		assert_int_equal(fwrite(line, sizeof(line), 1, f), 1);
}

static void
tar_reads_what_was_written(void **state)
{
	struct bundle b;
	struct stat st;

	(void)state;
	assert_int_equal(bundle_open(&b, path), 0);
	fputs("one\n", bundle_file(&b, "first"));
	(void)bundle_file(&b, "empty");
	fputs("two\n", bundle_file(&b, "answers/second"));
	assert_int_equal(bundle_close(&b), 0);
	assert_string_equal(tar("-tzf"), "holdfast/first\nholdfast/empty\n"
					 "holdfast/answers/second\n");
	assert_string_equal(tar("-xzOf"), "one\ntwo\n");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
it_is_never_made_over_another(void **state)
{
	struct bundle b;

	(void)state;
	assert_int_equal(bundle_open(&b, path), EEXIST);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(unlink(path), 0);
}

static void
a_text_too_long_is_cut_and_too_many_are_left_out(void **state)
{
	struct bundle b;
	char name[16];

	(void)state;
	assert_int_equal(bundle_open(&b, path), 0);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "%d", i);
		write_much(bundle_file(&b, name), BUNDLE_FILE_MAX + 4096);
	}
	assert_int_equal(bundle_close(&b), 0);
	assert_non_null(strstr(tar("-tvzf"), " 4194304 "));
	assert_null(strstr(tar("-tvzf"), " 4198400 "));
	assert_non_null(strstr(tar("-tzf"), "holdfast/7\n"));
	assert_null(strstr(tar("-tzf"), "holdfast/8\n"));
	assert_int_equal(unlink(path), 0);
}

static void
without_gzip_there_is_none(void **state)
{
	char *old = strdup(getenv("PATH"));
	struct bundle b;

	(void)state;
	setenv("PATH", "/nonexistent", 1);
	assert_int_equal(bundle_open(&b, path), 0);
	write_much(bundle_file(&b, "first"), BUNDLE_FILE_MAX);
	assert_int_equal(bundle_close(&b), ENOENT);
	assert_int_equal(access(path, F_OK), -1);
	setenv("PATH", old, 1);
	free(old);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tar_reads_what_was_written),
		cmocka_unit_test(it_is_never_made_over_another),
		cmocka_unit_test(
		    a_text_too_long_is_cut_and_too_many_are_left_out),
		cmocka_unit_test(without_gzip_there_is_none),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
