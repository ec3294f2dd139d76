/* ctl/verbs - what can be asked, and how each answer is shown */

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/ctl.h"

/* ---- plain answers ------------------------------------------------------- */

static int
show_rows(struct ctl *c, const char *verb, const char *const *word,
    unsigned int words, const char *none)
{
	struct rows r;
	int err = link_ask(c, verb, word, words, &r);

	if (err == CTL_DONE && c->json) {
		json_rows(stdout, &r, 0);
		putchar('\n');
	} else if (err == CTL_DONE && r.n == 0) {
		printf("%s\n", none);
	} else if (err == CTL_DONE) {
		show_table(stdout, &r, 0);
	}
	rows_free(&r);
	return err;
}

/* The first row as fields, those after it (if any) as a table. */
static int
show_one(struct ctl *c, const char *verb, const char *const *word,
    unsigned int words, const char *rest)
{
	struct rows r;
	int err = link_ask(c, verb, word, words, &r);

	if (err == CTL_DONE && c->json) {
		if (rest != NULL)
			printf("{\"%s\": ", verb);
		if (r.n > 0)
			json_row(stdout, r.row[0]);
		else
			printf("null");
		if (rest != NULL) {
			printf(", \"%s\": ", rest);
			json_rows(stdout, &r, 1);
			putchar('}');
		}
		putchar('\n');
	} else if (err == CTL_DONE && r.n > 0) {
		show_fields(stdout, r.row[0]);
		if (r.n > 1) {
			putchar('\n');
			show_table(stdout, &r, 1);
		}
	}
	rows_free(&r);
	return err;
}

static int
verb_calls(struct ctl *c)
{
	if (c->past != NULL && c->live) {
		snprintf(c->error, sizeof(c->error),
		    "--live and --past exclude each other; use one");
		return CTL_USAGE;
	}
	if (c->past != NULL && c->past[strspn(c->past, "0123456789")] != '\0') {
		snprintf(c->error, sizeof(c->error),
		    "--past takes a number of calls, not \"%.40s\"", c->past);
		return CTL_USAGE;
	}
	if (c->past != NULL) {
		const char *const limit[] = { "limit", c->past };

		return show_rows(c, "past", limit, 2, "no call yet");
	}
	return show_rows(c, "calls", NULL, 0, "no live call");
}

static int
verb_call(struct ctl *c)
{
	int err = show_one(c, "call", &c->word[1], 1, NULL);

	/* Not live: then it may be in the journal. */
	if (err == CTL_REFUSED)
		err = show_one(c, "past_call", &c->word[1], 1, "rungs");
	return err;
}

static int
verb_agents(struct ctl *c)
{
	return show_rows(c, "agents", NULL, 0, "no agents are configured");
}

static int
verb_agent(struct ctl *c)
{
	const char *word[] = { c->word[1], c->word[2] };

	/* As the state is called everywhere else. */
	if (strcmp(word[1], "not-ready") == 0)
		word[1] = "not_ready";
	return show_one(c, "agent", word, 2, NULL);
}

static int
verb_queues(struct ctl *c)
{
	return show_rows(c, "queues", NULL, 0, "no queues are configured");
}

static int
verb_helpers(struct ctl *c)
{
	return show_rows(c, "helpers", NULL, 0, "no helpers are configured");
}

static int
verb_trunks(struct ctl *c)
{
	return show_rows(c, "trunks", NULL, 0, "no trunk is configured");
}

static int
verb_emergency(struct ctl *c)
{
	return show_rows(c, "emergency", NULL, 0, "no emergency call");
}

static int
verb_helper(struct ctl *c)
{
	return show_one(c, "helper", &c->word[1], 2, NULL);
}

static int
verb_explain(struct ctl *c)
{
	return show_rows(c, "explain", &c->word[1], 1, "no ladder");
}

static int
verb_streams(struct ctl *c)
{
	return show_rows(c, "streams", NULL, 0, "no open stream");
}

static int
verb_registrations(struct ctl *c)
{
	return show_rows(c, "registrations", NULL, 0, "no phone is registered");
}

static int
verb_sip(struct ctl *c)
{
	return show_rows(c, "sip", NULL, 0, "no counters");
}

static int
verb_journal(struct ctl *c)
{
	struct rows journal, spools;
	int err = link_ask(c, "journal", NULL, 0, &journal);

	if (err == CTL_DONE)
		err = link_ask(c, "spools", NULL, 0, &spools);
	else
		spools = (struct rows){ 0 };
	if (err == CTL_DONE && c->json) {
		printf("{\"journal\": ");
		json_row(stdout, journal.n > 0 ? journal.row[0] : HF_SLICE(""));
		printf(", \"spools\": ");
		json_rows(stdout, &spools, 0);
		printf("}\n");
	} else if (err == CTL_DONE) {
		if (journal.n > 0)
			show_fields(stdout, journal.row[0]);
		putchar('\n');
		show_table(stdout, &spools, 0);
	}
	rows_free(&journal);
	rows_free(&spools);
	return err;
}

static int
verb_rails(struct ctl *c)
{
	return show_rows(c, "rails", NULL, 0, "no process is there");
}

static int
verb_drop(struct ctl *c)
{
	return show_one(c, "drop", &c->word[1], 1, NULL);
}

static int
verb_drain(struct ctl *c)
{
	const char *on = c->off ? "off" : "on";

	return show_one(c, "drain", &on, 1, NULL);
}

static int
verb_status(struct ctl *c)
{
	struct rows house, calls, trunks;
	char away[CTL_ERROR_MAX];
	int err = link_ask(c, "status", NULL, 0, &house), call_err;

	if (err != CTL_DONE) {
		rows_free(&house);
		return err;
	}
	call_err = link_ask(c, "summary", NULL, 0, &calls);
	snprintf(away, sizeof(away), "%s", c->error);
	(void)link_ask(c, "trunks", NULL, 0, &trunks);
	if (c->json) {
		printf("{\"house\": ");
		json_row(stdout, house.n > 0 ? house.row[0] : HF_SLICE(""));
		printf(", \"calls\": ");
		if (call_err == CTL_DONE && calls.n > 0)
			json_row(stdout, calls.row[0]);
		else
			printf("null");
		printf(", \"trunks\": ");
		json_rows(stdout, &trunks, 0);
		printf(", \"processes\": ");
		json_rows(stdout, &house, 1);
		printf("}\n");
	} else {
		if (house.n > 0)
			show_fields(stdout, house.row[0]);
		putchar('\n');
		if (call_err == CTL_DONE && calls.n > 0)
			show_fields(stdout, calls.row[0]);
		else
			printf("%s\n", away);
		putchar('\n');
		if (trunks.n > 0) {
			show_table(stdout, &trunks, 0);
			putchar('\n');
		}
		show_table(stdout, &house, 1);
	}
	rows_free(&house);
	rows_free(&calls);
	rows_free(&trunks);
	return CTL_DONE;
}

/* What operators have forced is left to the evidence again. */
static int
undo_forces(struct ctl *c)
{
	struct rows r;
	int err = link_ask(c, "helpers", NULL, 0, &r), one;
	char forced[16], name[64];

	for (size_t i = 0; err == CTL_DONE && i < r.n; i++) {
		const char *const word[] = {
			row_str(r.row[i], "name", name, sizeof(name)), "auto"
		};
		struct rows answer;

		row_str(r.row[i], "forced", forced, sizeof(forced));
		if (forced[0] == '\0')
			continue;
		one = link_ask(c, "helper", word, 2, &answer);
		rows_free(&answer);
		err = one;
	}
	rows_free(&r);
	return err;
}

static int
verb_reload(struct ctl *c)
{
	struct rows r;
	int err = link_ask(c, "reload", NULL, 0, &r);
	char text[512];

	/* What is wrong with the file comes as rows before the error. */
	for (size_t i = 0; err == CTL_REFUSED && !c->json && i < r.n; i++) {
		row_str(r.row[i], "problem", text, sizeof(text));
		put_safe(stderr, hf_slice_of(text));
		fputc('\n', stderr);
	}
	if (c->json) {
		json_rows(stdout, &r, 0);
		putchar('\n');
	} else if (err == CTL_DONE && r.n > 0) {
		show_fields(stdout, r.row[r.n - 1]);
	}
	rows_free(&r);
	if (err == CTL_DONE && c->reset)
		err = undo_forces(c);
	return err;
}

/* ---- voicemail ----------------------------------------------------------- */

static int
copy_file(struct ctl *c, int in, int out, const char *path)
{
	char bytes[65536];
	ssize_t n;

	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n) {
			snprintf(c->error, sizeof(c->error),
			    "%.120s cannot be written: %s", path,
			    strerror(errno));
			return CTL_REFUSED;
		}
	if (n == 0)
		return CTL_DONE;
	snprintf(c->error, sizeof(c->error),
	    "the message cannot be read: %s; try again", strerror(errno));
	return CTL_REFUSED;
}

/* The name came from the house: never over a file that is there. */
static int
save_message(struct ctl *c, const char *from, const char *path)
{
	bool standard = strcmp(path, "-") == 0;
	int in = open(from, O_RDONLY | O_CLOEXEC), out, err;

	if (in < 0) {
		snprintf(c->error, sizeof(c->error),
		    "%.120s cannot be read: %s; ask as root or as the house's "
		    "own user",
		    from, strerror(errno));
		return CTL_REFUSED;
	}
	out = standard
		  ? STDOUT_FILENO
		  : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (out < 0) {
		snprintf(c->error, sizeof(c->error),
		    "%.120s cannot be made: %s; name another file", path,
		    strerror(errno));
		close(in);
		return CTL_REFUSED;
	}
	err = copy_file(c, in, out, path);
	close(in);
	if (!standard && close(out) != 0)
		err = CTL_REFUSED;
	return err;
}

/* hfctl voicemail export BOX NAME [FILE]: "-" is standard output. */
static int
voicemail_export(struct ctl *c)
{
	char from[512], own[512];
	const char *path = c->words > 4 ? c->word[4] : own;
	struct rows r;
	int err = link_ask(c, "message_export", &c->word[2], 2, &r);

	if (err == CTL_DONE) {
		row_str(r.n > 0 ? r.row[0] : HF_SLICE(""), "path", from,
		    sizeof(from));
		snprintf(own, sizeof(own), "%s",
		    strrchr(from, '/') != NULL ? strrchr(from, '/') + 1 : from);
		err = save_message(c, from, path);
	}
	rows_free(&r);
	if (err == CTL_DONE && strcmp(path, "-") != 0 && c->json) {
		printf("{\"file\": ");
		json_text(stdout, hf_slice_of(path));
		printf("}\n");
	} else if (err == CTL_DONE && strcmp(path, "-") != 0) {
		printf("%s\n", path);
	}
	return err;
}

static int
verb_voicemail(struct ctl *c)
{
	const char *what = c->words > 1 ? c->word[1] : "list";

	if (strcmp(what, "list") == 0 && c->words <= 3)
		return show_rows(
		    c, "messages", &c->word[2], c->words > 2, "no messages");
	if (strcmp(what, "export") == 0 && c->words >= 4)
		return voicemail_export(c);
	if (strcmp(what, "delete") == 0 && c->words == 4)
		return show_one(c, "message_delete", &c->word[2], 2, NULL);
	snprintf(c->error, sizeof(c->error),
	    "say voicemail list [BOX], voicemail export BOX NAME [FILE] or "
	    "voicemail delete BOX NAME");
	return CTL_USAGE;
}

/* ---- the demonstration --------------------------------------------------- */

/* The actors are programs of their own: nothing is simulated in the house. */
static int
verb_demo(struct ctl *c)
{
	static const char program[] = "hf-demo";
	char self[256], path[512];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *dir = getenv("HF_LIBEXEC");
	char *slash, *args[CTL_WORDS_MAX + 1] = { 0 };

	if (c->json) {
		snprintf(c->error, sizeof(c->error),
		    "the demonstration is told in words; ask hfctl --json why "
		    "last behind it");
		return CTL_USAGE;
	}
	if (dir == NULL && n > 0) {
		self[n] = '\0';
		for (int up = 0; up < 2; up++)
			if ((slash = strrchr(self, '/')) != NULL)
				*slash = '\0';
		snprintf(path, sizeof(path), "%s/libexec/holdfast/%s", self,
		    program);
	} else {
		snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : ".",
		    program);
	}
	args[0] = path;
	for (unsigned int i = 1; i < c->words; i++)
		args[i] = (char *)(uintptr_t)c->word[i];
	fflush(stdout);
	execv(path, args);
	snprintf(c->error, sizeof(c->error),
	    "%.200s cannot be started: %s; is it installed?", path,
	    strerror(errno));
	return CTL_REFUSED;
}

/* ---- the table ----------------------------------------------------------- */

#define NONE                                                                   \
	{                                                                      \
		COMPLETE_NOTHING, NULL                                         \
	}
#define WORDS(w)                                                               \
	{                                                                      \
		COMPLETE_WORDS, (w)                                            \
	}
#define FIRST(k)                                                               \
	{                                                                      \
		{ (k), NULL }, NONE                                            \
	}
#define BOTH(k, w)                                                             \
	{                                                                      \
		{ (k), NULL }, WORDS(w)                                        \
	}

/* clang-format off */
const struct ctl_verb ctl_verbs[] = {
	{ "status", "", "the house: its processes, calls, people and helpers",
	    verb_status, 0, 0, { NONE, NONE }, "" },
	{ "calls", "[--live | --past N]", "live calls, or the last N that ended",
	    verb_calls, 0, 0, { NONE, NONE }, "--live --past" },
	{ "call", "ID", "all about one call, live or past",
	    verb_call, 1, 1, FIRST(COMPLETE_CALL), "" },
	{ "why", "ID", "what happened to a call, as a timeline",
	    verb_why, 1, 1, FIRST(COMPLETE_CALL), "" },
	{ "trace", "ID [--pcap FILE]", "the SIP messages of a call's legs",
	    verb_trace, 1, 1, FIRST(COMPLETE_CALL), "--pcap" },
	{ "agents", "", "agents and their state",
	    verb_agents, 0, 0, { NONE, NONE }, "" },
	{ "agent", "NAME available|not-ready", "change an agent's state",
	    verb_agent, 2, 2, BOTH(COMPLETE_AGENT, "available not-ready"), "" },
	{ "registrations", "", "phones that are registered",
	    verb_registrations, 0, 0, { NONE, NONE }, "" },
	{ "queues", "", "queues and who waits",
	    verb_queues, 0, 0, { NONE, NONE }, "" },
	{ "helpers", "", "bots, centres and sites, and their breakers",
	    verb_helpers, 0, 0, { NONE, NONE }, "" },
	{ "trunks", "", "lines to the world, and whether they answer",
	    verb_trunks, 0, 0, { NONE, NONE }, "" },
	{ "emergency", "", "emergency calls, and which trunks were tried",
	    verb_emergency, 0, 0, { NONE, NONE }, "" },
	{ "helper", "NAME open|close|auto", "force a helper's breaker, or let it be",
	    verb_helper, 2, 2, BOTH(COMPLETE_HELPER, "open close auto"), "" },
	{ "voicemail", "[list [BOX] | export BOX NAME [FILE] | delete BOX NAME]",
	    "messages in the boxes",
	    verb_voicemail, 0, 4, { WORDS("list export delete"), { COMPLETE_BOX, NULL } }, "" },
	{ "explain", "NUMBER", "what would happen to a call to this number now",
	    verb_explain, 1, 1, FIRST(COMPLETE_NUMBER), "" },
	{ "streams", "", "open media streams",
	    verb_streams, 0, 0, { NONE, NONE }, "" },
	{ "sip", "", "counters of hf-sip", verb_sip, 0, 0, { NONE, NONE }, "" },
	{ "journal", "", "counters of the journal",
	    verb_journal, 0, 0, { NONE, NONE }, "" },
	{ "rails", "", "what each process has given up, and what it could not",
	    verb_rails, 0, 0, { NONE, NONE }, "" },
	{ "drop", "ID", "end a live call",
	    verb_drop, 1, 1, FIRST(COMPLETE_CALL), "" },
	{ "config", "[-c FILE]", "effective settings and where each comes from",
	    verb_config, 0, 0, { NONE, NONE }, "" },
	{ "reload", "[--reset]", "read the configuration again",
	    verb_reload, 0, 0, { NONE, NONE }, "--reset" },
	{ "drain", "[--off]", "take no new calls, or take them again",
	    verb_drain, 0, 0, { NONE, NONE }, "--off" },
	{ "upgrade", "[--to FOLDER]", "move every process to another build, with calls up",
	    verb_upgrade, 0, 0, { NONE, NONE }, "--to" },
	{ "diagnose", "[FILE]", "a file for support, without people and secrets",
	    verb_diagnose, 0, 1, { NONE, NONE }, "" },
	{ "demo", "rescue", "place a call, kill its bot, show the rescue",
	    verb_demo, 1, CTL_WORDS_MAX - 1, { WORDS("rescue"), NONE }, "" },
};
/* clang-format on */

const size_t ctl_verbs_nr = HF_LEN(ctl_verbs);

const struct ctl_verb *
verb_find(const char *name)
{
	for (size_t i = 0; i < ctl_verbs_nr; i++)
		if (strcmp(ctl_verbs[i].name, name) == 0)
			return &ctl_verbs[i];
	return NULL;
}
