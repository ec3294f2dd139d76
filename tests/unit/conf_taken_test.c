/*
 * conf/load: what a file that is taken becomes: its names' places across
 * reloads, its paths, its secrets, and the way back to text.
 */

#include "conf_try.h"

static struct conf before;
static struct conf_secrets secrets;

static void
note_restart(
    void *arg, const char *path, const char *value, const struct conf_key *k)
{
	struct hf_buf *b = arg;

	(void)value;
	assert_true(k->restart);
	hf_buf_str(b, path);
	hf_buf_char(b, ' ');
}

/* Names keep their places, and what a new row brings is a change when it is
 * not the default. */
static void
what_takes_a_restart_is_found(void **state)
{
	static struct conf old;
	char text[512];
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);

	(void)state;
	assert_true(load("site: lyon\n"
			 "queues: { a: { music: /x.wav, ring: 9s }, b: {} }\n"
			 "prompts: { goodbye: a-long-name-of-a-file.wav }\n"));
	old = conf;
	assert_true(conf_load_memory(
	    "site: lyon\n"
	    "queues: { a: { music: /x.wav, ring: 8s }, c: {} }\n"
	    "agents: { ben: { secret_file: /x } }\n"
	    "voicemail: { front: { max: 9s } }\n"
	    "prompts: { goodbye: a-long-name-of-a-file.wav }\n",
	    strlen("site: lyon\n"
		   "queues: { a: { music: /x.wav, ring: 8s }, c: {} }\n"
		   "agents: { ben: { secret_file: /x } }\n"
		   "voicemail: { front: { max: 9s } }\n"
		   "prompts: { goodbye: a-long-name-of-a-file.wav }\n"),
	    "holdfast.yaml", &old, &conf, NULL, &report));
	conf_each_restart(&old, &conf, note_restart, &b);
	assert_int_equal(b.n, 0);
	const char *changed =
	    "site: lyon\n"
	    "sip: { listen: [\"udp:0.0.0.0:5062\"], trace_bytes: 1M }\n"
	    "rtp: { ports: 20000-29997 }\n"
	    "store: { dir: /srv, keep_days: 5 }\n"
	    "queues: { a: { music: /y.wav }, c: { music: /z.wav } }\n"
	    "prompts: { goodbye: short.wav }\n";
	assert_true(conf_load_memory(changed, strlen(changed), "holdfast.yaml",
	    &old, &conf, NULL, &report));
	conf_each_restart(&old, &conf, note_restart, &b);
	text[b.n] = '\0';
	assert_string_equal(text,
	    "sip.listen sip.trace_bytes rtp.ports store.dir prompts.goodbye "
	    "queues.a.music queues.c.music ");
}

/* ---- reload -------------------------------------------------------------- */

static void
a_name_keeps_its_place_across_reloads(void **state)
{
	const char *text = "site: lyon\n"
			   "queues: { new: {}, c: {}, a: {}, other: {} }\n"
			   "bots: { y: { to: \"sip:192.0.2.1\" } }\n"
			   "centres: { x: { to: \"sip:192.0.2.1\" } }\n";

	(void)state;
	must_load("site: lyon\nqueues: { a: {}, b: {}, c: {} }\n"
		  "bots: { x: { to: \"sip:192.0.2.1\" },"
		  " y: { to: \"sip:192.0.2.1\" } }\n");
	before = conf;
	assert_true(conf_load_memory(
	    text, strlen(text), "f", &before, &conf, NULL, &report));
	assert_int_equal(conf.generation, before.generation + 1);
	assert_int_equal(conf_queue_find(&conf, "a"), 0);
	assert_int_equal(conf_queue_find(&conf, "b"), CONF_NONE);
	assert_int_equal(conf_queue_find(&conf, "c"), 2);
	/* A fresh row first; b's own only when there is no other, since calls
	 * may still wait in it. */
	assert_int_equal(conf_queue_find(&conf, "new"), 3);
	assert_int_equal(conf_queue_find(&conf, "other"), 4);
	/* A bot that became a centre is another helper. */
	assert_int_equal(conf_helper_find(&conf, "y"), 1);
	assert_int_equal(conf_helper_find(&conf, "x"), 2);
}

/* hfctl may stand in another folder than holdfastd did. */
static void
a_path_begins_at_the_root_wherever_the_file_was_named_from(void **state)
{
	const char *text = "site: lyon\nstore: { spool: spool }\n";
	char here[CONF_PATH_MAX - 16], want[CONF_PATH_MAX];

	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	snprintf(want, sizeof(want), "%s/etc/spool", here);
	assert_true(conf_load_memory(
	    text, strlen(text), "etc/h.conf", NULL, &conf, NULL, &report));
	assert_string_equal(conf.store.spool, want);
	assert_true(conf_load_memory(
	    text, strlen(text), "/srv/h.conf", NULL, &conf, NULL, &report));
	assert_string_equal(conf.store.spool, "/srv/spool");
}

static void
a_box_made_by_a_ladder_keeps_its_place_too(void **state)
{
	const char *text = "site: lyon\nladders: "
			   "{ l: [ { voicemail: b }, { voicemail: a } ] }\n";

	(void)state;
	must_load("site: lyon\nladders: "
		  "{ l: [ { voicemail: a }, { voicemail: b } ] }\n");
	before = conf;
	assert_true(conf_load_memory(
	    text, strlen(text), "f", &before, &conf, NULL, &report));
	assert_int_equal(conf_box_find(&conf, "a"), 0);
	assert_int_equal(conf_box_find(&conf, "b"), 1);
}

/* A beginning of a User-Agent may have blanks: the default is not cut there. */
static void
a_list_of_texts_keeps_their_blanks(void **state)
{
	static const struct {
		const char *text;
		uint16_t nr;
		const char *first;
	} rows[] = {
		{ "site: lyon\n", 4, "baresip v0." },
		{ "site: lyon\nsip: { md5_agents: [\"My Phone 1.\", b] }\n", 2,
		    "My Phone 1." },
		{ "site: lyon\nsip: { md5_agents: [] }\n", 0, NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_true(conf_load_memory(rows[i].text, strlen(rows[i].text),
		    "f", NULL, &conf, NULL, &report));
		assert_int_equal(conf.sip.md5_agents, rows[i].nr);
		if (rows[i].first != NULL)
			assert_string_equal(
			    conf.sip.md5_agent[0], rows[i].first);
	}
}

/* ---- secrets and files --------------------------------------------------- */

static void
secrets_come_from_files_that_nobody_else_reads(void **state)
{
	static const struct {
		const char *text;
		mode_t mode;
		const char *says; /* NULL: taken */
	} rows[] = {
		{ "s3cret\n", 0600, NULL },
		{ "s3cret", 0640, NULL },
		{ "s3cret\n", 0644, "chmod 600" },
		{ "s3cret\n", 0620, "chmod 600" },
		{ "", 0600, "is empty" },
		{ "\n", 0600, "is empty" },
		{ "one\ntwo\n", 0600, "one secret" },
		{ "a-secret-that-is-longer-than-any-phone-would-take-and-then-"
		  "some-more\n",
		    0600, "one secret" },
	};
	const char *text = "site: lyon\n"
			   "agents: { anna: { secret_file: anna } }\n";
	char dir[] = "/tmp/conf_load_test.XXXXXX", file[64], yaml[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(file, sizeof(file), "%s/anna", dir);
	snprintf(yaml, sizeof(yaml), "%s/holdfast.yaml", dir);
	write_file(yaml, text, 0644);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		bool ok;

		write_file(file, rows[i].text, rows[i].mode);
		ok = conf_load(yaml, NULL, &conf, &secrets, &report);
		if (ok != (rows[i].says == NULL))
			fail_msg("row %zu: %s", i, report.problem[0].text);
		if (ok) {
			assert_string_equal(secrets.agent[0], "s3cret");
			continue;
		}
		assert_int_equal(report.errors, 1);
		for (uint32_t p = 0; p < report.problems; p++)
			if (!report.problem[p].warning) {
				assert_int_equal(report.problem[p].line, 2);
				assert_int_equal(report.problem[p].column, 32);
				assert_non_null(strstr(
				    report.problem[p].text, rows[i].says));
			}
	}
	unlink(file);
	assert_false(conf_load(yaml, NULL, &conf, &secrets, &report));
	assert_int_equal(report.errors, 1);
	unlink(yaml);
	assert_false(conf_load(yaml, NULL, &conf, &secrets, &report));
	assert_non_null(strstr(report.problem[0].text, "cannot be opened"));
	rmdir(dir);
}

static void
prompts_that_are_named_must_be_there(void **state)
{
	const char *text = "site: lyon\nprompts: { dir: /nowhere, "
			   "goodbye: bye.wav }\n";

	(void)state;
	assert_false(conf_load_memory(
	    text, strlen(text), "f", NULL, &conf, &secrets, &report));
	assert_int_equal(report.errors, 2); /* dir and goodbye */
	assert_string_equal(conf.prompts.goodbye, "/nowhere/bye.wav");
}

#define CARRIER "site: lyon\ntrunks:\n  carrier: { peers: [192.0.2.0/24]"

static void
emergency_calls_leave_as_others_do_unless_the_file_says_otherwise(void **state)
{
	const struct conf_emergency *e = &conf.emergency;

	(void)state;
	must_load(
	    CARRIER ", to: sip:192.0.2.1 }\noutbound: { via: [carrier] }\n");
	assert_int_equal(e->numbers, 2);
	assert_int_equal(conf_sos_find(&conf, "911"), 1);
	assert_int_equal(conf_sos_find(&conf, "9"), CONF_NONE);
	assert_string_equal(e->sos, "112");
	assert_int_equal(e->vias, 1);
	assert_int_equal(e->strangers, 0);
	assert_int_equal(conf_streams(&conf) - conf_sos_first(&conf), 8);
	must_load("site: lyon\nrtp: { ports: 20000-20031 }\n");
	assert_int_equal(conf_sos_first(&conf), 14); /* an eighth of 16 */
}

static void
emergency_numbers_that_cannot_be_called_are_told_of(void **state)
{
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *says;
	} rows[] = {
		{ "site: lyon\nemergency: { numbers: [\"112\"] }\n", 2, 23,
		    "over no trunk" },
		{ CARRIER " }\nemergency: { via: [carrier] }\n", 4, 19,
		    "no emergency call can leave over it" },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		const struct conf_problem *p = report.problem;

		must_load(rows[i].text);
		/* Sounds that are not installed may be warned of, too. */
		while (strstr(p->text, rows[i].says) == NULL)
			assert_true(++p < report.problem + report.problems);
		assert_true(p->warning);
		assert_int_equal(p->line, rows[i].line);
		assert_int_equal(p->column, rows[i].column);
	}
}

/* ---- the way back -------------------------------------------------------- */

struct seen {
	unsigned int nr;
	bool ramp, ladder, listen;
};

static void
see(void *arg, const char *path, const char *value, const struct conf_key *k)
{
	struct seen *s = arg;

	s->nr++;
	assert_non_null(k->help);
	if (strcmp(path, "bots.cloud-a.guard.ramp") == 0)
		s->ramp = strcmp(value, "10% 25% 50% 100%") == 0;
	if (strcmp(path, "ladders.front") == 0)
		s->ladder = strcmp(value,
				"bot:cloud-a queue:sales voicemail:front") == 0;
	if (strcmp(path, "sip.listen") == 0)
		s->listen =
		    strcmp(value, "udp:0.0.0.0:5060 tcp:0.0.0.0:5060") == 0;
	assert_null(strstr(path, "secret"));
}

static void
effective_values_are_listed_with_their_paths(void **state)
{
	struct seen s = { 0 };

	(void)state;
	must_load(example);
	conf_each(&conf, see, &s);
	assert_true(s.nr > 80);
	assert_true(s.ramp && s.ladder && s.listen);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_takes_a_restart_is_found),
		cmocka_unit_test(a_name_keeps_its_place_across_reloads),
		cmocka_unit_test(
		    a_path_begins_at_the_root_wherever_the_file_was_named_from),
		cmocka_unit_test(a_box_made_by_a_ladder_keeps_its_place_too),
		cmocka_unit_test(a_list_of_texts_keeps_their_blanks),
		cmocka_unit_test(
		    secrets_come_from_files_that_nobody_else_reads),
		cmocka_unit_test(prompts_that_are_named_must_be_there),
		cmocka_unit_test(
		    emergency_calls_leave_as_others_do_unless_the_file_says_otherwise),
		cmocka_unit_test(
		    emergency_numbers_that_cannot_be_called_are_told_of),
		cmocka_unit_test(effective_values_are_listed_with_their_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
