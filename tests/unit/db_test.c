/* io/db: trouble has a name that tells what can be done about it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/db/db.h"

static char dir[64], path[96];
static struct db db;

static int
setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/hf-db-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/x.db", dir);
	return 0;
}

static int
teardown(void **state)
{
	char rm[128];

	(void)state;
	db_close(&db);
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	return system(rm);
}

static void
what_was_written_is_read_again(void **state)
{
	db_stmt *in = NULL, *out = NULL;
	int version = -1;

	(void)state;
	assert_int_equal(db_open(&db, path, DB_WRITER), DB_OK);
	assert_int_equal(db_version(&db, &version), DB_OK);
	assert_int_equal(version, 0);
	assert_int_equal(
	    db_run(&db, "CREATE TABLE t(a, b); PRAGMA user_version=3"), DB_OK);
	assert_int_equal(
	    db_prepare(&db, "INSERT INTO t VALUES(?, ?)", &in), DB_OK);
	db_bind_i64(in, 1, -7);
	db_bind_text(in, 2, "seven");
	assert_int_equal(db_step(&db, in), DB_OK);
	db_done(in);
	assert_int_equal(db_changed(&db), 1);
	assert_int_equal(db_row_id(&db), 1);
	assert_int_equal(db_step(&db, in), DB_OK); /* nothing bound: NULLs */
	db_finalize(&in);
	db_close(&db);

	assert_int_equal(db_open(&db, path, DB_READER), DB_OK);
	assert_int_equal(db_version(&db, &version), DB_OK);
	assert_int_equal(version, 3);
	assert_int_equal(db_prepare(&db, "SELECT a, b FROM t", &out), DB_OK);
	assert_int_equal(db_step(&db, out), DB_ROW);
	assert_int_equal(db_i64(out, 0), -7);
	assert_true(hf_slice_eq(db_text(out, 1), HF_SLICE("seven")));
	assert_int_equal(db_step(&db, out), DB_ROW);
	assert_true(db_is_null(out, 1));
	assert_int_equal(db_text(out, 1).n, 0);
	assert_int_equal(db_step(&db, out), DB_OK);
	db_finalize(&out);
	assert_int_equal(db_run(&db, "DELETE FROM t"), DB_READONLY);
}

static void
each_kind_of_trouble_has_its_name(void **state)
{
	FILE *f;

	(void)state;
	assert_int_equal(db_open(&db, path, DB_READER), DB_ABSENT);
	assert_int_equal(
	    db_open(&db, "/no/such/dir/x.db", DB_WRITER), DB_ABSENT);
	f = fopen(path, "w");
	assert_non_null(f);
	for (int i = 0; i < 5000; i++)
		fputs("this is no database ", f);
	fclose(f);
	assert_int_equal(db_open(&db, path, DB_WRITER), DB_DAMAGED);
	assert_false(db_is_open(&db));
	assert_string_equal(db_trouble(&db), "not open");
	unlink(path);

	assert_int_equal(db_open(&db, path, DB_WRITER), DB_OK);
	assert_int_equal(
	    db_run(&db, "CREATE TABLE t(a UNIQUE NOT NULL)"), DB_OK);
	assert_int_equal(db_run(&db, "INSERT INTO t VALUES(NULL)"), DB_REFUSED);
	assert_int_equal(db_run(&db, "INSERT INTO t VALUES(1)"), DB_OK);
	assert_int_equal(db_run(&db, "INSERT INTO t VALUES(1)"), DB_REFUSED);
	assert_int_equal(db_run(&db, "SELEKT"), DB_FAULT);
	assert_non_null(strstr(db_trouble(&db), "SELEKT"));
}

static void
a_full_disk_is_told_and_overcome(void **state)
{
	(void)state;
	assert_int_equal(db_open(&db, path, DB_WRITER), DB_OK);
	assert_int_equal(db_run(&db, "CREATE TABLE t(a)"), DB_OK);
	assert_int_equal(db_run(&db, "PRAGMA max_page_count=8"), DB_OK);
	assert_int_equal(
	    db_run(&db, "INSERT INTO t VALUES(zeroblob(100000))"), DB_FULL);
	assert_int_equal(db_run(&db, "PRAGMA max_page_count=1000"), DB_OK);
	assert_int_equal(
	    db_run(&db, "INSERT INTO t VALUES(zeroblob(100000))"), DB_OK);
}

static void
a_question_that_costs_too_much_is_cut_short(void **state)
{
	static const char endless[] =
	    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
	    "SELECT count(*) FROM n";
	static const char cheap[] = "SELECT 1";

	(void)state;
	assert_int_equal(db_open(&db, path, DB_WRITER), DB_OK);
	db_budget(&db, 100000);
	assert_int_equal(db_run(&db, endless), DB_TOO_LONG);
	db_budget(&db, 0);
	assert_int_equal(db_run(&db, cheap), DB_OK);
}

static void
the_log_is_moved_by_hand_only(void **state)
{
	struct stat st;
	uint32_t left = 99;

	(void)state;
	assert_int_equal(db_open(&db, path, DB_WRITER), DB_OK);
	assert_int_equal(db_run(&db, "CREATE TABLE t(a)"), DB_OK);
	for (int i = 0; i < 30; i++)
		assert_int_equal(
		    db_run(&db, "INSERT INTO t VALUES(zeroblob(200000))"),
		    DB_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size < 100000);
	assert_int_equal(db_checkpoint(&db, &left), DB_OK);
	assert_int_equal(left, 0);
	assert_int_equal(stat(path, &st), 0);
	assert_true(st.st_size > 6000000);
	assert_int_equal(db_bytes(&db), st.st_size);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_written_is_read_again),
		T(each_kind_of_trouble_has_its_name),
		T(a_full_disk_is_told_and_overcome),
		T(a_question_that_costs_too_much_is_cut_short),
		T(the_log_is_moved_by_hand_only),
	};

	return cmocka_run_group_tests_name("io/db", tests, NULL, NULL);
}
