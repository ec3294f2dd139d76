/*
 * conf/load: an operator's file becomes the snapshot, or each thing that is
 * wrong in it one line with its place.  The rows of the key table make the
 * cases: a key that is added is tested.
 *
 *      conf_load_test [CHECKER [WORD...]]
 *
 * With a checker ("holdfastd -t -c"), each refused file is also given to it:
 * it must leave with 1 and say the same one line.
 */

#include "conf_try.h"

#include <inttypes.h>
#include <sys/wait.h>

/* ---- the programs that check a file -------------------------------------- */

static char **checker; /* NULL: only the library */
static unsigned int refused;

/* What it says; returns its exit code. */
static int
run_checker(char *path, char *said, size_t cap)
{
	char *args[16];
	int out[2], status, i = 0;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	for (; checker[i] != NULL && i < 14; i++)
		args[i] = checker[i];
	args[i++] = path;
	args[i] = NULL;
	assert_int_equal(pipe(out), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(out[1], STDERR_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(out[0]);
		execv(args[0], args);
		_exit(127);
	}
	close(out[1]);
	while (n < cap - 1 && (got = read(out[0], said + n, cap - 1 - n)) > 0)
		n += (size_t)got;
	said[n] = '\0';
	close(out[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
checker_must_refuse(const char *text, uint32_t line, uint32_t column)
{
	static char said[65536];
	char dir[] = "/tmp/conf_rows.XXXXXX", path[64], secret[64], start[128];
	const char *hit;
	int code;

	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/holdfast.conf", dir);
	snprintf(secret, sizeof(secret), "%s/x", dir);
	write_file(path, text, 0644);
	write_file(secret, "s3cret\n", 0600); /* what the rows name */
	code = run_checker(path, said, sizeof(said));
	unlink(path);
	unlink(secret);
	rmdir(dir);
	snprintf(start, sizeof(start), "%s:%u:%u: ", path, line, column);
	hit = strstr(said, start);
	/* The place once; a prompt that is not installed may be warned of. */
	if (code == 1 && hit != NULL && strstr(hit + 1, start) == NULL)
		return;
	fail_msg("exit %d, %s said:\n%s", code, checker[0], said);
}

/* Exactly one line, at this place, with this in it. */
static void
must_refuse(const char *text, uint32_t line, uint32_t column, const char *says)
{
	bool ok = load(text);
	const struct conf_problem *p = &report.problem[0];

	refused++;
	if (checker != NULL)
		checker_must_refuse(text, line, column);
	if (!ok && report.errors == 1 && report.problems == 1 &&
	    p->line == line && p->column == column &&
	    strstr(p->text, says) != NULL)
		return;
	print_report(text);
	fail_msg("expected one error at %u:%u saying %s", line, column, says);
}

/* ---- the file of the design ---------------------------------------------- */

static void
the_example_of_the_design_is_taken(void **state)
{
	const struct conf_ladder *l;

	(void)state;
	must_load(example);
	assert_string_equal(conf.site, "lyon");
	assert_int_equal(conf.sip.listens, 2);
	assert_int_equal(conf.sip.listen[1].transport, CONF_TCP);
	assert_int_equal(conf.rtp.port_last, 29999);
	assert_int_equal(conf.trunks, 1);
	assert_int_equal(conf.helpers, 2);
	assert_int_equal(
	    conf.helper[conf_helper_find(&conf, "genesys")].kind, CONF_CENTRE);
	assert_int_equal(conf.queue[0].max_wait.us, INT64_C(300000000));
	assert_int_equal(conf.agent[0].queue[0], 0);
	assert_string_equal(conf.agent[0].extension, "anna");
	assert_string_equal(conf.agent[0].realm, "lyon");
	l = &conf.ladder[conf_ladder_for(&conf, "+33400000000")];
	assert_int_equal(l->rungs, 3);
	assert_int_equal(l->rung[2].kind, CONF_RUNG_VOICEMAIL);
	assert_string_equal(conf.box[l->rung[2].row].name, "front");
	assert_int_equal(conf.box[l->rung[2].row].max.us, INT64_C(180000000));
	assert_true(conf_may_call(&conf, "+33612345678"));
}

static void
the_thresholds_are_those_of_the_design(void **state)
{
	const struct conf_guard *g = &conf.guard;

	(void)state;
	must_load("site: lyon\n");
	assert_int_equal(g->suspect.us, 50 * 1000);
	assert_int_equal(g->voice.us, 180 * 1000);
	assert_int_equal(g->lost.us, 1000 * 1000);
	assert_int_equal(g->vote_share, 40);
	assert_int_equal(g->vote_min, 5);
	assert_int_equal(g->vote_after.us, 500 * 1000);
	assert_int_equal(g->patience_prompt.us, 3000 * 1000);
	assert_int_equal(g->patience_lost.us, 6000 * 1000);
	assert_int_equal(g->loop.us, 2000 * 1000);
	assert_int_equal(g->hung_up_at_once.us, 3000 * 1000);
	assert_int_equal(g->hedge_after.us, 300 * 1000);
	assert_int_equal(g->uplink_helpers, 2);
	assert_int_equal(g->uplink_calls, 5);
	assert_int_equal(g->uplink_within.us, 500 * 1000);
	assert_int_equal(g->uplink_after.us, 1000 * 1000);
	assert_int_equal(g->ramp[0], 10);
	assert_int_equal(g->ramp[1], 25);
	assert_int_equal(g->ramp[2], 50);
	assert_int_equal(g->ramp[3], 100);
	assert_int_equal(conf.sip.t1.us, 500 * 1000);
	assert_int_equal(conf.keeper.restarts_per_s, 10);
	assert_int_equal(conf.keeper.restarts_burst, 20);
}

static void
a_helper_may_have_thresholds_of_its_own(void **state)
{
	(void)state;
	must_load("site: lyon\n"
		  "bots:\n"
		  "  a: { to: [\"sip:192.0.2.1\"], guard: { lost: 2s } }\n"
		  "  b: { to: [\"sip:192.0.2.2\"] }\n"
		  "guard: { lost: 3s, voice: 200ms }\n");
	assert_int_equal(conf.helper[0].guard.lost.us, 2000 * 1000);
	assert_int_equal(conf.helper[0].guard.voice.us, 200 * 1000);
	assert_int_equal(conf.helper[1].guard.lost.us, 3000 * 1000);
}

/* ---- a file around one key of the table ---------------------------------- */

struct page {
	char text[8192];
	struct hf_buf b;
	uint32_t line;           /* the one that is being written */
	uint32_t member, column; /* where the scope's own name stands */
	uint32_t at, at_column;  /* where the row under test stands */
};

static const struct conf_key *
opener(enum conf_scope scope)
{
	for (size_t i = 0; i < conf_keys_nr; i++)
		if (conf_keys[i].in == SCOPE_ROOT &&
		    conf_keys[i].scope == scope &&
		    (conf_keys[i].type == CONF_T_SECTION ||
			conf_keys[i].type == CONF_T_FAMILY))
			return &conf_keys[i];
	return NULL;
}

static void
put_line(
    struct page *p, unsigned int indent, const char *name, const char *value)
{
	hf_buf_fmt(&p->b, "%*s%s: %s\n", (int)indent, "", name, value);
	p->line++;
}

static const char *
member_name(enum conf_scope scope)
{
	return scope == SCOPE_NUMBER ? "\"+33400000000\"" : "somebody";
}

/*
 * The least file that is valid but for one row: in scope, all required keys
 * but k, then name: value (no such line when name is NULL).
 */
static void
write_page(struct page *p, const struct conf_key *k, const char *name,
    const char *value)
{
	const struct conf_key *o = opener(k->in);
	unsigned int indent = 0;

	*p = (struct page){ .line = 1, .member = 1, .column = 1 };
	p->b = hf_buf_on(p->text, sizeof(p->text) - 1);
	for (size_t i = 0; i < conf_keys_nr; i++)
		if (conf_keys[i].in == SCOPE_ROOT && conf_keys[i].required &&
		    &conf_keys[i] != k)
			put_line(p, 0, conf_keys[i].name, conf_keys[i].example);
	if (k->in == SCOPE_NUMBER)
		put_line(p, 0, "queues", "{ sales: {} }"),
		    put_line(
			p, 0, "ladders", "{ front: [ { queue: sales } ] }");
	if (o != NULL) {
		put_line(p, 0, o->name, "");
		p->member = p->line - 1;
		indent = 4;
		if (o->type == CONF_T_FAMILY && k->name[0] != '\0') {
			put_line(p, 4, member_name(k->in), "");
			p->member = p->line - 1;
			p->column = 5;
			indent = 8;
		}
		for (size_t i = 0; i < conf_keys_nr; i++)
			if (conf_keys[i].in == k->in && conf_keys[i].required &&
			    &conf_keys[i] != k && k->name[0] != '\0')
				put_line(p, indent, conf_keys[i].name,
				    conf_keys[i].example);
	}
	p->at = p->line;
	p->at_column = indent + 1;
	if (name != NULL)
		put_line(p, indent, name, value);
}

static uint32_t
value_column(const struct page *p, const char *name)
{
	return p->at_column + (uint32_t)strlen(name) + 2;
}

static const char *
key_name(const struct conf_key *k)
{
	return k->name[0] != '\0' ? k->name : member_name(k->in);
}

static void
each_row_has_a_valid_value(void **state)
{
	struct page p;
	const char *refs = "trunks: { carrier: { peers: [203.0.113.0/24] } }\n"
			   "queues: { sales: {} }\n"
			   "agents: { anna: { secret_file: x } }\n"
			   "bots: { cloud-a: { to: \"sip:192.0.2.1\" } }\n"
			   "ladders: { front: [ { queue: sales } ] }\n";

	(void)state;
	(void)refs;
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->type >= CONF_T_SECTION || k->type == CONF_T_RUNGS ||
		    k->type == CONF_T_REF)
			continue; /* the example of the design has them */
		if (k->in == SCOPE_OUTBOUND)
			continue;
		write_page(&p, k, key_name(k),
		    k->example != NULL   ? k->example
		    : k->items == 0      ? k->def
		    : k->count_size == 0 ? "[10%, 25%, 50%, 100%]"
					 : "[\"udp:0.0.0.0:5060\"]");
		/* A lone star begins an alias. */
		if (k->in == SCOPE_CODES) {
			char quoted[64];

			snprintf(quoted, sizeof(quoted), "\"%s\"", k->def);
			write_page(&p, k, k->name, quoted);
		}
		must_load(p.text);
	}
}

static void
each_unknown_key_is_told_with_its_place(void **state)
{
	struct page p;
	char name[64];

	(void)state;
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];
		static const struct conf_key none;

		if (k->name[0] == '\0')
			continue; /* any word is a name there */
		/* Beside it something that nobody would mean ... */
		write_page(&p, &(struct conf_key){ .in = k->in, .name = "x" },
		    "zzqxjkw", "1");
		must_refuse(p.text, p.at, p.at_column,
		    "\"zzqxjkw\" is not a key here; see");
		/* ... and the key itself with a slip of the hand. */
		snprintf(name, sizeof(name), "%sx", k->name);
		write_page(&p, &(struct conf_key){ .in = k->in, .name = "x" },
		    name, "1");
		must_refuse(p.text, p.at, p.at_column, "did you mean");
		(void)none;
	}
}

static void
each_wrong_type_is_told_with_its_place(void **state)
{
	struct page p;

	(void)state;
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];
		const char *name = key_name(k);
		bool scope = k->type >= CONF_T_RUNGS;

		write_page(&p, k, name, scope ? "5" : "{ a: b }");
		must_refuse(p.text, p.at, value_column(&p, name), "; write ");
		if (k->items > 0)
			continue;
		write_page(&p, k, name, "[ 1, 2 ]");
		must_refuse(p.text, p.at, value_column(&p, name), "; write ");
	}
}

static void
each_wrong_value_is_told_with_its_place(void **state)
{
	static const char *const wrong[CONF_T_NR] = {
		[CONF_T_NAME] = "a b",
		[CONF_T_DIALLED] = "a b",
		[CONF_T_PATTERN] = "a b",
		[CONF_T_SPAN] = "3",
		[CONF_T_COUNT] = "3s",
		[CONF_T_PERCENT] = "40",
		[CONF_T_BYTES] = "16Q",
		[CONF_T_BOOL] = "maybe",
		[CONF_T_CHOICE] = "random",
		[CONF_T_IP] = "example.net",
		[CONF_T_SERVER] = "example.net:53",
		[CONF_T_LISTEN] = "0.0.0.0:5060",
		[CONF_T_TARGET] = "bot@example.net",
		[CONF_T_NET] = "203.0.113.0/33",
		[CONF_T_PORTS] = "20000",
		[CONF_T_REF] = "nobody",
	};
	struct page p;

	(void)state;
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];
		const char *name = key_name(k);

		/* Empty is wrong for all that have one value. */
		if (k->type < CONF_T_RUNGS && k->items == 0) {
			write_page(&p, k, name, "\"\"");
			must_refuse(p.text, p.at, value_column(&p, name), "; ");
		}
		/* Whatever a text may be, it ends. */
		if (wrong[k->type] == NULL)
			continue;
		write_page(&p, k, name, wrong[k->type]);
		must_refuse(p.text, p.at, value_column(&p, name), "; ");
	}
}

static void
put_number(const struct conf_key *k, int64_t v, char *to, size_t n)
{
	snprintf(to, n, "%" PRId64 "%s", v,
	    k->type == CONF_T_SPAN      ? "us"
	    : k->type == CONF_T_PERCENT ? "%"
					: "");
}

static void
each_value_out_of_range_is_told_with_its_place(void **state)
{
	struct page p;
	char text[64], list[256];
	unsigned int told = 0;

	(void)state;
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->type != CONF_T_SPAN && k->type != CONF_T_COUNT &&
		    k->type != CONF_T_PERCENT && k->type != CONF_T_BYTES)
			continue;
		for (int side = 0; side < 2; side++) {
			uint32_t in = 0;

			if (side == 0 && k->min == 0)
				continue; /* there is no minus */
			put_number(k, side == 0 ? k->min - 1 : k->max + 1, text,
			    sizeof(text));
			if (k->items > 0) {
				snprintf(list, sizeof(list),
				    "[%s, 25%%, 50%%, 100%%]", text);
				in = 1;
			} else {
				snprintf(list, sizeof(list), "%s", text);
			}
			write_page(&p, k, k->name, list);
			must_refuse(p.text, p.at,
			    value_column(&p, k->name) + in,
			    side == 0 ? "too small; write "
				      : "too large; write ");
			told++;
		}
	}
	assert_true(told > 80);
}

static void
each_missing_key_is_told_with_the_place_of_its_owner(void **state)
{
	struct page p;
	char says[128];
	unsigned int told = 0;

	(void)state;
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (!k->required || k->name[0] == '\0')
			continue;
		write_page(&p, k, NULL, NULL);
		snprintf(says, sizeof(says),
		    "\"%s\" is missing; write %s:", k->name, k->name);
		must_refuse(p.text, p.member, p.column, says);
		told++;
	}
	assert_true(told >= 4);
}

/* ---- odd files ----------------------------------------------------------- */

static void
odd_files_are_refused_in_one_line(void **state)
{
	static const struct {
		const char *text;
		uint32_t line, column;
		const char *says;
	} rows[] = {
		{ "", 1, 1, "\"site\" is missing" },
		{ "# only a comment\n", 1, 1, "\"site\" is missing" },
		{ "just words\n", 1, 1, "not a mapping" },
		{ "- a\n- b\n", 1, 1, "not a mapping" },
		{ "site: lyon\nsite: paris\n", 2, 1, "written twice" },
		{ "site: lyon\n\tsip: {}\n", 2, 1, "not YAML" },
		{ "site: [\n", 2, 1, "not YAML" },
		{ "site: \"lyon\n", 2, 1, "not YAML" },
		{ "site: &a lyon\n", 1, 7, "anchors" },
		{ "site: *a\n", 1, 7, "aliases" },
		{ "site: !!str lyon\n", 1, 7, "tags" },
		{ "site: lyon\n---\nsite: paris\n", 2, 1, "second document" },
		{ "site: lyon\n? [a, b]\n: c\n", 2, 3, "cannot be a key" },
		{ "site: \"ly\\0on\"\n", 1, 7, "not a name" },
		{ "site: \xff\xfe\n", 1, 1, "UTF-8" },
		{ "site: lyon\n\"a\\nb\\e[2J\": 1\n", 2, 1, "\"a?b?[2J\"" },
		{ "site: lyon\nnumbers: { \"+331\": front }\n", 2, 20,
		    "not a name under ladders" },
		{ "site: lyon\nqueues: { sales: }\n"
		  "ladders: { front: [ { queue: sale } ] }\n",
		    3, 30, "did you mean \"sales\"" },
		{ "site: lyon\nladders: { front: [ { bot: x } ] }\n", 2, 28,
		    "not a name under bots" },
		{ "site: lyon\nladders: { front: [] }\n", 2, 19,
		    "without rungs" },
		{ "site: lyon\nladders: { front: [ queue ] }\n", 2, 21,
		    "not a rung" },
		{ "site: lyon\nladders: { front: [ { quue: x } ] }\n", 2, 23,
		    "did you mean \"queue\"" },
		{ "site: lyon\nladders: { front: [ { number: \"112\" } ] }\n",
		    2, 31, "outbound.allow" },
		{ "site: lyon\nvoicemail: { front: }\n"
		  "ladders: { a: [ { voicemail: frint } ] }\n",
		    3, 30, "did you mean \"front\"" },
		{ "site: lyon\nagents: { anna: { queues: [sales], "
		  "secret_file: x } }\n",
		    2, 28, "not a name under queues" },
		{ "site: lyon\nnumbers: { \"+33 1\": front }\n", 2, 12,
		    "not a number to dial" },
		{ "site: lyon\nbots: { x: { to: \"sip:192.0.2.1\" } }\n"
		  "centres: { x: { to: \"sip:192.0.2.1\" } }\n",
		    3, 12, "already a name under bots" },
		{ "site: lyon\nguard: { voice: 40ms }\n", 2, 17,
		    "suspect (50ms) must be below voice (40ms)" },
		{ "site: lyon\nguard: { ramp: [10%, 5%, 50%, 100%] }\n", 2, 16,
		    "ramp goes down" },
		{ "site: lyon\nguard: { ramp: [10%, 25%, 50%, 99%] }\n", 2, 16,
		    "last be 100%" },
		{ "site: lyon\nguard: { ramp: [100%] }\n", 2, 16,
		    "1 members; write 4" },
		{ "site: lyon\ncodes: { available: \"*2\" }\n", 2, 21,
		    "both \"*2\"" },
		{ "site: lyon\nsip: { listen: [\"udp:0.0.0.0:5060\", "
		  "\"udp:0.0.0.0:5060\"] }\n",
		    2, 16, "twice" },
		{ "site: lyon\ncalls_max: 1000\nrtp: { ports: 20000-20099 }\n",
		    2, 12, "carry 22 calls, not 1000" },
		{ "site: lyon\noutbound: { allow: [\"+33*\"] }\n", 2, 20,
		    "outbound.via no trunk" },
		{ "site: lyon\ntrunks: { carrier: { peers: [192.0.2.0/24], "
		  "to: sip:192.0.2.1 } }\nagents:\n  anna: { secret_file: x, "
		  "extension: \"18\" }\nemergency:\n"
		  "  numbers: [\"112\", \"18\"]\n  via: [carrier]\n",
		    6, 12, "\"18\" is also anna" },
		{ "site: lyon\nemergency: { calls: 17 }\n", 2, 21, "16" },
		{ "site: lyon\nemergency: { via: [nobody] }\n", 2, 20,
		    "nobody" },
		{ "site: lyon\nemergency: { numers: [\"112\"] }\n", 2, 14,
		    "did you mean \"numbers\"" },
		{ "site: lyon\nagents:\n  anna: { secret_file: x }\n"
		  "  bert: { secret_file: x, extension: anna }\n",
		    4, 38, "already anna" },
		{ "site: lyon\nbots: { x: { to: [] } }\n", 2, 18,
		    "0 members; write 1 to 4" },
		{ "site: lyon\nbots:\n  x: { to: [sip:a, sip:b, sip:c, sip:d, "
		  "sip:e] }\n",
		    3, 41, "at most 4" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		must_refuse(
		    rows[i].text, rows[i].line, rows[i].column, rows[i].says);
}

static void
all_errors_are_told_at_once_in_the_order_of_the_file(void **state)
{
	(void)state;
	assert_false(load("numbers: { \"+331\": nowhere }\n"
			  "rtp: { ports: none }\n"
			  "sipp: {}\n"
			  "queues: { a: { ring: 3 } }\n"));
	assert_int_equal(report.errors, 5); /* and no site */
	assert_int_equal(report.problem[0].line, 1);
	assert_int_equal(report.problem[0].column, 1);
	for (uint32_t i = 1; i < report.problems; i++)
		assert_true(
		    report.problem[i - 1].line <= report.problem[i].line);
}

static void
more_than_twenty_errors_are_counted(void **state)
{
	char text[4096] = "site: lyon\n";

	(void)state;
	for (int i = 0; i < 30; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "zzqxjkw%d: 1\n", i);
	assert_false(load(text));
	assert_int_equal(report.errors, 30);
	assert_int_equal(report.problems, CONF_PROBLEMS_MAX);
}

static void
an_error_is_told_however_many_warnings_there_are(void **state)
{
	char text[8192] = "site: lyon\nbots:\n";

	(void)state;
	for (int i = 0; i < 30; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "  b%d: { to: [\"sip:b@192.0.2.1:5061;transport=tls\"] }\n",
		    i);
	strcat(text, "queues: { sales: { rnig: 3s } }\n");
	assert_false(load(text));
	assert_int_equal(report.errors, 1);
	assert_true(report.warnings >= 30);
	assert_int_equal(report.problems, CONF_PROBLEMS_MAX);
	assert_non_null(
	    strstr(report.problem[CONF_PROBLEMS_MAX - 1].text, "rnig"));
}

static void
a_file_that_wants_to_be_large_in_memory_is_refused(void **state)
{
	static char deep[CONF_FILE_BYTES_MAX + 2];

	(void)state;
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	assert_false(load(deep));
	assert_non_null(strstr(report.problem[0].text, "too deep"));
	for (size_t i = 0; i < 200000; i += 2)
		memcpy(deep + i, i == 0 ? "[ " : "a,", 2);
	assert_false(load(deep));
	assert_non_null(strstr(report.problem[0].text, "too many members"));
	memset(deep, ' ', sizeof(deep) - 1);
	assert_false(load(deep));
	assert_non_null(strstr(report.problem[0].text, "more than"));
	/* Ten to the ninth, out of ten lines. */
	assert_false(load("a: &a [x,x,x,x,x,x,x,x,x,x]\n"
			  "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"));
	assert_non_null(strstr(report.problem[0].text, "anchors"));
}

static void
too_many_of_a_family_are_refused(void **state)
{
	static char text[65536];
	size_t n = (size_t)snprintf(text, sizeof(text), "site: l\nqueues:\n");

	(void)state;
	for (int i = 0; i <= CONF_QUEUES_MAX; i++)
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "  q%d: {}\n", i);
	must_refuse(text, 3 + CONF_QUEUES_MAX, 3, "at most 64");
}

int
main(int argc, char **argv)
{
	int err;

	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_example_of_the_design_is_taken),
		cmocka_unit_test(the_thresholds_are_those_of_the_design),
		cmocka_unit_test(a_helper_may_have_thresholds_of_its_own),
		cmocka_unit_test(each_row_has_a_valid_value),
		cmocka_unit_test(each_unknown_key_is_told_with_its_place),
		cmocka_unit_test(each_wrong_type_is_told_with_its_place),
		cmocka_unit_test(each_wrong_value_is_told_with_its_place),
		cmocka_unit_test(
		    each_value_out_of_range_is_told_with_its_place),
		cmocka_unit_test(
		    each_missing_key_is_told_with_the_place_of_its_owner),
		cmocka_unit_test(odd_files_are_refused_in_one_line),
		cmocka_unit_test(
		    all_errors_are_told_at_once_in_the_order_of_the_file),
		cmocka_unit_test(more_than_twenty_errors_are_counted),
		cmocka_unit_test(
		    an_error_is_told_however_many_warnings_there_are),
		cmocka_unit_test(
		    a_file_that_wants_to_be_large_in_memory_is_refused),
		cmocka_unit_test(too_many_of_a_family_are_refused),
	};

	checker = argc > 1 ? &argv[1] : NULL;
	err = cmocka_run_group_tests(tests, NULL, NULL);
	if (err == 0)
		printf("FIGURE name=conf_refusals_told value=%u goal>=300\n",
		    refused);
	return err;
}
