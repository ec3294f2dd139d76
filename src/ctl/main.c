/* hfctl - see ctl.h and hfctl(1) */

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/load/load.h"
#include "ctl/ctl.h"

#ifndef HF_VERSION
#define HF_VERSION "0"
#endif

static const char default_run_dir[] = "/run/holdfast";

static void
usage(FILE *f)
{
	fprintf(f,
	    "usage: hfctl [-c FILE] [--json] [--socket PATH] [--timeout TIME] "
	    "VERB [WORD...]\n\n");
	for (size_t i = 0; i < ctl_verbs_nr; i++)
		fprintf(f, "  %s %s\n      %s\n", ctl_verbs[i].name,
		    ctl_verbs[i].args, ctl_verbs[i].help);
	fprintf(f, "\nAll of it is in hfctl(1).\n");
}

static bool
parse_timeout(const char *text, struct hf_span *out)
{
	char *end;
	double v = strtod(text, &end);

	if (end == text || !(v > 0 && v < 86400000))
		return false;
	if (strcmp(end, "ms") == 0)
		out->us = (int64_t)(v * 1000);
	else if (strcmp(end, "s") == 0 || *end == '\0')
		out->us = (int64_t)(v * 1000000);
	else
		return false;
	return out->us > 0;
}

/* Options may stand before and after the verb; those with a value take the
 * next word. */
static int
parse_option(struct ctl *c, int argc, char **argv, int *i)
{
	static const struct {
		const char *name;
		bool value;
	} known[] = {
		{ "--json", false },
		{ "--live", false },
		{ "--off", false },
		{ "--reset", false },
		{ "--socket", true },
		{ "--timeout", true },
		{ "--past", true },
		{ "--pcap", true },
		{ "--to", true },
		{ "-c", true },
	};
	const char *name = argv[*i], *value = NULL;
	size_t k;

	for (k = 0; k < HF_LEN(known); k++)
		if (strcmp(name, known[k].name) == 0)
			break;
	if (k == HF_LEN(known)) {
		snprintf(c->error, sizeof(c->error),
		    "%.80s is not an option; see hfctl --help", name);
		return CTL_USAGE;
	}
	if (known[k].value) {
		if (++*i == argc) {
			snprintf(c->error, sizeof(c->error),
			    "%s needs a value behind it", name);
			return CTL_USAGE;
		}
		value = argv[*i];
	}
	if (strcmp(name, "--json") == 0)
		c->json = true;
	else if (strcmp(name, "--live") == 0)
		c->live = true;
	else if (strcmp(name, "--off") == 0)
		c->off = true;
	else if (strcmp(name, "--reset") == 0)
		c->reset = true;
	else if (strcmp(name, "--socket") == 0)
		c->socket = value;
	else if (strcmp(name, "--past") == 0)
		c->past = value;
	else if (strcmp(name, "--pcap") == 0)
		c->pcap = value;
	else if (strcmp(name, "--to") == 0)
		c->to = value;
	else if (strcmp(name, "-c") == 0)
		c->file = value;
	else if (!parse_timeout(value, &c->timeout)) {
		snprintf(c->error, sizeof(c->error),
		    "--timeout %.40s is not a time; write it like 500ms or 3s",
		    value);
		return CTL_USAGE;
	}
	return CTL_DONE;
}

static int
parse_words(struct ctl *c, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		/* What follows belongs to the demonstration. */
		bool ours = c->words == 0 || strcmp(c->word[0], "demo") != 0;
		int err = CTL_DONE;

		if (ours && argv[i][0] == '-' && argv[i][1] != '\0')
			err = parse_option(c, argc, argv, &i);
		else if (c->words < CTL_WORDS_MAX)
			c->word[c->words++] = argv[i];
		if (err != CTL_DONE)
			return err;
	}
	return CTL_DONE;
}

/* An option of another verb would be passed over in silence. */
static int
check_options(struct ctl *c, const struct ctl_verb *v)
{
	const struct {
		const char *name;
		bool given;
	} all[] = {
		{ "--live", c->live },
		{ "--past", c->past != NULL },
		{ "--pcap", c->pcap != NULL },
		{ "--off", c->off },
		{ "--reset", c->reset },
		{ "--to", c->to != NULL },
	};

	for (size_t i = 0; i < HF_LEN(all); i++)
		if (all[i].given && strstr(v->options, all[i].name) == NULL) {
			snprintf(c->error, sizeof(c->error),
			    "%s means nothing to \"%s\"; say hfctl %s %s",
			    all[i].name, v->name, v->name, v->args);
			return CTL_USAGE;
		}
	return CTL_DONE;
}

static bool
is_one_of(const char *word, const char *words)
{
	size_t n = strlen(word);

	for (const char *p = words; *p != '\0'; p += *p == ' ') {
		size_t len = strcspn(p, " ");

		if (len == n && memcmp(p, word, n) == 0)
			return true;
		p += len;
	}
	return false;
}

/* A word of which there are only so many. */
static int
check_words(struct ctl *c, const struct ctl_verb *v)
{
	for (unsigned int i = 0; i < HF_LEN(v->complete); i++)
		if (v->complete[i].kind == COMPLETE_WORDS && i + 1 < c->words &&
		    !is_one_of(c->word[i + 1], v->complete[i].words)) {
			snprintf(c->error, sizeof(c->error),
			    "\"%.40s\" is none of: %s", c->word[i + 1],
			    v->complete[i].words);
			return CTL_USAGE;
		}
	return CTL_DONE;
}

/* -c FILE: the house whose configuration that is.  "config" reads the file
 * itself, whether there is a house or not. */
static int
find_house(struct ctl *c, const struct ctl_verb *v, char *path, size_t n)
{
	static struct conf conf;
	static struct conf_report report;

	if (c->file == NULL || c->socket != path || v->run == verb_config)
		return CTL_DONE;
	/* A file with a mistake in it names its house all the same, which runs
	 * on what it read before: on a bad day that is when people look. */
	if (!conf_load(c->file, NULL, &conf, NULL, &report)) {
		conf_report_print(&report, STDERR_FILENO);
		if (conf.keeper.run_dir[0] == '\0')
			return CTL_REFUSED;
	}
	snprintf(path, n, "%s/control", conf.keeper.run_dir);
	return CTL_DONE;
}

static int
run(struct ctl *c, char *path, size_t n)
{
	const struct ctl_verb *v;
	int err;

	if (c->words == 0) {
		usage(stderr);
		return CTL_USAGE;
	}
	v = verb_find(c->word[0]);
	if (v == NULL) {
		snprintf(c->error, sizeof(c->error),
		    "\"%.40s\" is not a verb; see hfctl --help", c->word[0]);
		return CTL_USAGE;
	}
	if (c->words - 1 < v->words_min || c->words - 1 > v->words_max) {
		snprintf(c->error, sizeof(c->error), "say hfctl %s %s", v->name,
		    v->args);
		return CTL_USAGE;
	}
	err = check_options(c, v);
	if (err == CTL_DONE)
		err = check_words(c, v);
	if (err == CTL_DONE)
		err = find_house(c, v, path, n);
	return err == CTL_DONE ? v->run(c) : err;
}

/* A house that lives in the tree this program was run from, as the one of
 * "make run" does, else the machine's. */
static const char *
usual_dir(char *path, size_t n)
{
	ssize_t len = readlink("/proc/self/exe", path, n - 1);
	char *slash;

	path[len > 0 ? len : 0] = '\0';
	for (int up = 0; up < 2; up++)
		if ((slash = strrchr(path, '/')) != NULL)
			*slash = '\0';
	len = (ssize_t)strlen(path);
	(void)snprintf(path + len, n - (size_t)len, "/run/holdfast");
	return len > 0 && access(path, F_OK) == 0 ? path : default_run_dir;
}

static void
tell_error(const struct ctl *c)
{
	if (c->error[0] == '\0')
		return;
	fputs("hfctl: ", stderr);
	put_safe(stderr, hf_slice_of(c->error));
	fputc('\n', stderr);
}

int
main(int argc, char **argv)
{
	struct ctl c = { .fd = -1, .timeout = hf_ms(3000) };
	const char *dir = getenv("HF_RUN_DIR");
	char path[512], usual[480];
	int err;

	snprintf(path, sizeof(path), "%s/control",
	    dir != NULL && *dir != '\0' ? dir
					: usual_dir(usual, sizeof(usual)));
	c.socket = path;
	if (argc > 1 && strcmp(argv[1], "complete") == 0)
		return complete_run(&c, argc - 2, argv + 2);
	if (argc > 1 && strcmp(argv[1], "--help") == 0) {
		usage(stdout);
		return CTL_DONE;
	}
	if (argc > 1 && strcmp(argv[1], "--version") == 0) {
		printf("hfctl %s\n", HF_VERSION);
		return CTL_DONE;
	}
	err = parse_words(&c, argc, argv);
	if (err == CTL_DONE)
		err = run(&c, path, sizeof(path));
	if (err != CTL_DONE)
		tell_error(&c);
	/* A full disk or a closed pipe is not a success. */
	if (err == CTL_DONE && (fflush(stdout) != 0 || ferror(stdout)))
		return CTL_REFUSED;
	return err;
}
