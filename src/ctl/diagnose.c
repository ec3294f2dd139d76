/*
 * ctl/diagnose - hfctl diagnose: what somebody far away needs to understand a
 * house, in one file, without the people in it and without secrets.  A house
 * that is down is the one that needs it most: what cannot be asked is left out
 * and said, files are read all the same.
 */

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "conf/keys.h"
#include "conf/load/load.h"
#include "ctl/bundle.h"
#include "ctl/ctl.h"
#include "ctl/mask.h"
#include "proc/flight.h"
#include "wire/msg.h"

#ifndef HF_VERSION
#define HF_VERSION "0"
#endif

enum {
	PAST = 100,        /* calls that ended */
	ROWS_SHOWN = 5000, /* of one answer */
	MOMENTS = 400,     /* messages of each recorder */
	PATH_BYTES = 512,
	LINE_BYTES = 1024,
	PIDS_MAX = 32,
};

static const char usual_file[] = "/etc/holdfast/holdfast.conf";

static struct {
	struct ctl *ctl;
	struct mask mask;
	struct bundle bundle;
	bool knows; /* whose names to take out */
	char run_dir[PATH_BYTES], store[PATH_BYTES], spool[PATH_BYTES];
	FILE *out; /* for callbacks that have no argument */
	struct flight_moment moment[MOMENTS];
	uint64_t moments;
	long pid[PIDS_MAX];
	size_t pids;
} d;

/* ---- who is to be taken out ---------------------------------------------- */

/* Apart by blanks, commas, brackets. */
static void
learn_list(const char *value)
{
	while (*value != '\0') {
		size_t n;

		value += strspn(value, " ,[]{}\"'*");
		n = strcspn(value, " ,[]{}\"'*");
		mask_learn(&d.mask, (struct hf_slice){ value, n });
		value += n;
	}
}

/* "extension" of "agents.anna.extension" */
static bool
is_member_key(const char *word)
{
	for (size_t i = 0; i < conf_keys_nr; i++)
		if ((conf_keys[i].in == SCOPE_AGENT ||
			conf_keys[i].in == SCOPE_BOX ||
			conf_keys[i].in == SCOPE_NUMBER) &&
		    strcmp(conf_keys[i].name, word) == 0)
			return true;
	return false;
}

/* A member's name, which may have dots in it, without its family and key. */
static void
learn_member(const char *path)
{
	const char *name = strchr(path, '.') + 1, *key = strrchr(path, '.') + 1;
	size_t n = strlen(name);

	if (key > name && is_member_key(key))
		n = (size_t)(key - 1 - name);
	if (n > 2 && name[0] == '"') {
		name++;
		n -= 2;
	}
	mask_learn(&d.mask, (struct hf_slice){ name, n });
}

/* A rung "number:201". */
static void
learn_rungs(const char *value)
{
	static const char word[] = "number:";

	for (const char *at = value; (at = strstr(at, word)) != NULL;) {
		at += sizeof(word) - 1;
		mask_learn(
		    &d.mask, (struct hf_slice){ at, strcspn(at, " ,[]{}\"'") });
	}
}

static bool
is_personal_key(const char *path)
{
	static const char *const personal[] = { "extension", "number", "allow",
		"user" };
	const char *key = strrchr(path, '.');

	if (key == NULL || strcmp(path, "keeper.user") == 0)
		return false;
	for (size_t i = 0; i < HF_LEN(personal); i++)
		if (strcmp(key + 1, personal[i]) == 0)
			return true;
	return false;
}

static void
learn_setting(const char *path, const char *value)
{
	static const char *const families[] = { "agents.", "numbers.",
		"voicemail." };

	for (size_t i = 0; i < HF_LEN(families); i++)
		if (strncmp(path, families[i], strlen(families[i])) == 0)
			learn_member(path);
	if (is_personal_key(path))
		learn_list(value);
	if (strncmp(path, "ladders.", strlen("ladders.")) == 0)
		learn_rungs(value);
	if (strcmp(path, "site") == 0)
		snprintf(d.mask.site, sizeof(d.mask.site), "%s", value);
	if (strcmp(path, "store.dir") == 0)
		snprintf(d.store, sizeof(d.store), "%s", value);
	if (strcmp(path, "store.spool") == 0)
		snprintf(d.spool, sizeof(d.spool), "%s", value);
	d.knows = true;
}

static void
learn_key(
    void *arg, const char *path, const char *value, const struct conf_key *k)
{
	(void)arg;
	(void)k;
	learn_setting(path, value);
}

/* The file, whether it is in force or not: its names may be in the log. */
static void
learn_file(void)
{
	static struct conf conf;
	static struct conf_report report;
	const char *file = d.ctl->file != NULL ? d.ctl->file : usual_file;

	if (conf_load(file, NULL, &conf, NULL, &report))
		conf_each(&conf, learn_key, NULL);
}

static void
learn_answer(const char *verb, const char *const *word, unsigned words,
    const char *const *columns)
{
	struct rows r;
	char text[256];

	(void)link_ask(d.ctl, verb, word, words, &r);
	for (size_t i = 0; i < r.n; i++)
		for (size_t k = 0; columns[k] != NULL; k++) {
			const char *at;

			row_str(r.row[i], columns[k], text, sizeof(text));
			at = strrchr(text, ':'); /* "agent:anna" */
			mask_learn(
			    &d.mask, hf_slice_of(at != NULL ? at + 1 : text));
		}
	rows_free(&r);
}

static void
learn(void)
{
	static const char *const calls[] = { "number", "from", NULL };
	static const char *const names[] = { "name", NULL };
	static const char *const phones[] = { "agent", NULL };
	static const char *const boxes[] = { "box", "from", NULL };
	static const char *const limit[] = { "limit", "1000" };
	struct rows r;
	char key[256], value[2048];

	learn_file();
	(void)link_ask(d.ctl, "config", NULL, 0, &r);
	for (size_t i = 0; i < r.n; i++)
		learn_setting(row_str(r.row[i], "key", key, sizeof(key)),
		    row_str(r.row[i], "value", value, sizeof(value)));
	rows_free(&r);
	learn_answer("calls", NULL, 0, calls);
	learn_answer("past", limit, 2, calls);
	learn_answer("agents", NULL, 0, names);
	learn_answer("registrations", NULL, 0, phones);
	learn_answer("messages", NULL, 0, boxes);
}

/* ---- answers ------------------------------------------------------------- */

/* Whatever stands in them is somebody's. */
static bool
is_personal_column(struct hf_slice column)
{
	static const char *const names[] = { "number", "from", "contact",
		"remote", "local", "text", "text_more", "detail", "path" };

	for (size_t i = 0; i < HF_LEN(names); i++)
		if (hf_slice_eq(column, hf_slice_of(names[i])))
			return true;
	return false;
}

static void
put_value(FILE *f, const struct row_value *v)
{
	char text[64];
	int64_t us = 0;

	if (v->type == 't' || v->type == 'd') {
		if (hf_slice_copy(v->value, text, sizeof(text)))
			us = strtoll(text, NULL, 10);
		fputs(v->type == 't' ? wall_text(us, text, sizeof(text))
				     : span_text(us, text, sizeof(text)),
		    f);
	} else if (v->type == 'n' || v->type == 'b') {
		put_safe(f, v->value);
	} else if (v->value.n > 0 && is_personal_column(v->name)) {
		mask_put_tag(&d.mask, f, v->value);
	} else {
		mask_put(&d.mask, f, v->value);
	}
}

/* A setting: a count, a range or a size is nobody's number. */
static void
put_setting(FILE *f, struct hf_slice row)
{
	char key[256], value[2048], from[300];

	row_str(row, "key", key, sizeof(key));
	row_str(row, "value", value, sizeof(value));
	row_str(row, "origin", from, sizeof(from));
	mask_put(&d.mask, f, hf_slice_of(key));
	fputs(": ", f);
	if (value[strspn(value, "0123456789-")] == '\0' &&
	    !is_personal_key(key))
		fputs(value, f);
	else
		mask_put(&d.mask, f, hf_slice_of(value));
	if (strcmp(from, "default") != 0)
		fprintf(f, "  # line %s",
		    strrchr(from, ':') != NULL ? strrchr(from, ':') + 1 : "?");
	fputc('\n', f);
}

static void
put_settings(FILE *f, const struct rows *r)
{
	for (size_t i = 0; i < r->n; i++)
		put_setting(f, r->row[i]);
}

static void
put_rows(FILE *f, const struct rows *r)
{
	for (size_t i = 0; i < r->n && i < ROWS_SHOWN; i++) {
		struct hf_slice row = r->row[i];
		struct row_value v;

		for (bool first = true; row_next(&row, &v); first = false) {
			fputs(first ? "" : "  ", f);
			put_safe(f, v.name);
			fputc('=', f);
			put_value(f, &v);
		}
		fputc('\n', f);
	}
	if (r->n > ROWS_SHOWN)
		fprintf(f, "... and %zu more\n", r->n - ROWS_SHOWN);
}

static void
ask(const char *verb, const char *const *word, unsigned words)
{
	char name[64];
	struct rows r;
	int err = link_ask(d.ctl, verb, word, words, &r);
	FILE *f;

	snprintf(name, sizeof(name), "answers/%s", verb);
	f = bundle_file(&d.bundle, name);
	if (strcmp(verb, "config") == 0)
		put_settings(f, &r);
	else
		put_rows(f, &r);
	if (err != CTL_DONE)
		fprintf(f, "no answer: %s\n", d.ctl->error);
	for (size_t i = 0; strcmp(verb, "status") == 0 && i < r.n; i++)
		if (d.pids < PIDS_MAX && row_int(r.row[i], "pid", 0) > 0)
			d.pid[d.pids++] = (long)row_int(r.row[i], "pid", 0);
	rows_free(&r);
}

static void
ask_all(void)
{
	static const char *const verbs[] = { "status", "summary", "config",
		"rails", "emergency", "helpers", "trunks", "queues", "agents",
		"calls", "registrations", "sip", "streams", "journal",
		"spools" };
	char past[16];
	const char *const limit[] = { "limit", past };

	snprintf(past, sizeof(past), "%d", PAST);
	for (size_t i = 0; i < HF_LEN(verbs); i++)
		ask(verbs[i], NULL, 0);
	ask("past", limit, 2);
}

/* ---- recorders ----------------------------------------------------------- */

static void
on_line(const char *text)
{
	mask_put(&d.mask, d.out, hf_slice_of(text));
	fputc('\n', d.out);
}

static void
on_moment(const struct flight_moment *m)
{
	d.moment[d.moments++ % MOMENTS] = *m;
}

/* What a message is about would be a leg or a call: a number in the house. */
static void
put_moments(void)
{
	uint64_t from = d.moments > MOMENTS ? d.moments - MOMENTS : 0;

	fprintf(d.out, "\nthe last %" PRIu64 " of %" PRIu64 " messages\n",
	    d.moments - from, d.moments);
	for (uint64_t i = from; i < d.moments; i++) {
		const struct flight_moment *m = &d.moment[i % MOMENTS];

		fprintf(d.out, "%" PRId64 ".%06" PRId64 " %s %u %s\n",
		    m->at.us / 1000000, m->at.us % 1000000,
		    m->sent ? "to" : "from", m->peer, msg_name(m->type));
	}
}

static void
put_recorder(const char *name)
{
	char path[2 * PATH_BYTES], as[96];

	snprintf(path, sizeof(path), "%s/%s", d.run_dir, name);
	snprintf(as, sizeof(as), "log/%.80s", name);
	d.out = bundle_file(&d.bundle, as);
	d.moments = 0;
	if (!d.knows)
		fprintf(d.out, "left out: without the configuration nobody "
			       "knows whose names to take out\n");
	else if (!flight_read(path, on_line, on_moment))
		fprintf(d.out, "cannot be read: %s\n", strerror(errno));
	else
		put_moments();
}

/* ---- files --------------------------------------------------------------- */

static int
is_recorder(const struct dirent *e)
{
	return strncmp(e->d_name, "flight.", strlen("flight.")) == 0;
}

static int
is_file(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void
put_recorders(void)
{
	struct dirent **found;
	int n = scandir(d.run_dir, &found, is_recorder, alphasort);

	for (int i = 0; i < n; i++) {
		put_recorder(found[i]->d_name);
		free(found[i]);
	}
	if (n >= 0)
		free(found);
}

static void
put_sizes(FILE *f, const char *dir, bool named)
{
	struct dirent **found;
	int n = scandir(dir, &found, is_file, alphasort);
	int64_t bytes = 0, taken = 0;

	if (n < 0) {
		fprintf(f, "cannot be read: %s\n", strerror(errno));
		return;
	}
	for (int i = 0; i < n; i++) {
		char path[2 * PATH_BYTES];
		struct stat st = { 0 };

		snprintf(path, sizeof(path), "%s/%s", dir, found[i]->d_name);
		if (lstat(path, &st) == 0) {
			bytes += st.st_size;
			taken += st.st_blocks * 512;
		}
		if (named) {
			mask_put(&d.mask, f, hf_slice_of(found[i]->d_name));
			fprintf(f, "  bytes=%lld taken=%lld mode=%03o\n",
			    (long long)st.st_size,
			    (long long)st.st_blocks * 512, st.st_mode & 07777);
		}
		free(found[i]);
	}
	fprintf(f, "entries=%d bytes=%lld taken=%lld\n", n, (long long)bytes,
	    (long long)taken);
	free(found);
}

static void
put_folders(void)
{
	FILE *f = bundle_file(&d.bundle, "files");

	fputs("---- keeper.run_dir: slots, spools, recorders\n", f);
	put_sizes(f, d.run_dir, true);
	fputs("\n---- store.dir\n", f);
	put_sizes(f, d.store, true);
	fputs("\n---- store.spool: a folder each box\n", f);
	put_sizes(f, d.spool, false);
}

/* ---- the machine --------------------------------------------------------- */

/* Lines of a file of /proc or /etc; those that begin with one of words, or
 * all. */
static void
put_lines(FILE *f, const char *path, const char *words)
{
	char line[LINE_BYTES];
	FILE *in = fopen(path, "re");

	fprintf(f, "---- %s\n", path);
	if (in == NULL) {
		fprintf(f, "cannot be read: %s\n", strerror(errno));
		return;
	}
	while (fgets(line, sizeof(line), in) != NULL) {
		size_t n = strcspn(line, ": \t=\n");
		const char *at;

		line[n + strcspn(line + n, "\n")] = '\0';
		if (words != NULL && n > 0) {
			char word[64];

			snprintf(word, sizeof(word), " %.*s ", (int)n, line);
			at = strstr(words, word);
			if (at == NULL)
				continue;
		}
		for (char *c = line; *c != '\0'; c++)
			if (*c == '\t')
				*c = ' ';
		put_safe(f, hf_slice_of(line));
		fputc('\n', f);
	}
	fclose(in);
}

static const char clocksource[] = "/sys/devices/system/clocksource/"
				  "clocksource0/current_clocksource";

static void
put_machine(void)
{
	static const char *const settings[] = { "/proc/loadavg", "/proc/uptime",
		"/proc/pressure/cpu", "/proc/pressure/memory",
		"/proc/pressure/io", "/proc/sys/fs/file-nr",
		"/proc/sys/net/core/rmem_max", "/proc/sys/net/core/wmem_max",
		"/proc/sys/net/core/rmem_default", "/proc/sys/net/ipv4/udp_mem",
		"/proc/sys/net/ipv4/ip_local_port_range",
		"/proc/sys/kernel/sched_rt_runtime_us",
		"/sys/kernel/security/lsm", clocksource };
	FILE *f = bundle_file(&d.bundle, "machine");
	struct utsname u;

	/* Its name is its owner's. */
	if (uname(&u) == 0)
		fprintf(f, "%s %s %s %s, %ld processors\n", u.sysname,
		    u.release, u.version, u.machine,
		    sysconf(_SC_NPROCESSORS_ONLN));
	put_lines(f, "/etc/os-release", " PRETTY_NAME VERSION_ID ");
	put_lines(f, "/proc/meminfo",
	    " MemTotal MemFree MemAvailable SwapTotal SwapFree Shmem ");
	put_lines(f, "/proc/net/snmp", " Udp ");
	for (size_t i = 0; i < HF_LEN(settings); i++)
		put_lines(f, settings[i], NULL);
}

static void
put_processes(void)
{
	FILE *f = bundle_file(&d.bundle, "processes");

	if (d.pids == 0)
		fputs("none is known: the house does not answer\n", f);
	for (size_t i = 0; i < d.pids; i++) {
		char path[64];

		snprintf(path, sizeof(path), "/proc/%ld/status", d.pid[i]);
		put_lines(f, path,
		    " Name State VmPeak VmRSS VmHWM VmLck Threads Seccomp "
		    "NoNewPrivs CapPrm CapEff CapAmb CapBnd Uid "
		    "voluntary_ctxt_switches nonvoluntary_ctxt_switches ");
		snprintf(path, sizeof(path), "/proc/%ld/limits", d.pid[i]);
		put_lines(f, path, NULL);
		snprintf(path, sizeof(path), "/proc/%ld/schedstat", d.pid[i]);
		put_lines(f, path, NULL);
		fputc('\n', f);
	}
}

static void
put_contents(void)
{
	FILE *f = bundle_file(&d.bundle, "README");
	time_t now = time(NULL);
	struct tm tm;
	char when[64];

	strftime(
	    when, sizeof(when), "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&now, &tm));
	fprintf(f,
	    "A house, for support; made by hfctl %s at %s.\n\n"
	    "Names and numbers of people and addresses are tags, like ~7f3a21: "
	    "the\nsame word has the same tag here, and another in the next "
	    "bundle.  There is no\nsecret, no journal, no message and no SIP "
	    "in "
	    "it.\n\n"
	    "answers/   what the house says of itself (hfctl(1))\n"
	    "log/       the last lines of each process, and of its life "
	    "before\n"
	    "files      slots and other files, by size\n"
	    "processes  limits, memory and powers of each\n"
	    "machine    the kernel and its settings\n",
	    HF_VERSION, when);
}

/* ---- the verb ------------------------------------------------------------ */

static int
refuse(struct ctl *c, const char *path, int err, const char *todo)
{
	snprintf(c->error, sizeof(c->error), "%.120s cannot be made: %s; %s",
	    path, strerror(err), todo);
	return CTL_REFUSED;
}

static void
own_name(char *to, size_t cap)
{
	time_t now = time(NULL);
	struct tm tm;

	strftime(
	    to, cap, "holdfast-%Y%m%dT%H%M%SZ.tar.gz", gmtime_r(&now, &tm));
}

/* Where the socket lies. */
static void
find_run_dir(const struct ctl *c)
{
	char *slash;

	snprintf(d.run_dir, sizeof(d.run_dir), "%s", c->socket);
	slash = strrchr(d.run_dir, '/');
	if (slash != NULL)
		*slash = '\0';
}

int
verb_diagnose(struct ctl *c)
{
	char own[64];
	const char *path = own;
	int err;

	if (c->json) {
		snprintf(c->error, sizeof(c->error),
		    "the bundle is a file; say hfctl diagnose [FILE]");
		return CTL_USAGE;
	}
	own_name(own, sizeof(own));
	if (c->words > 1)
		path = c->word[1];
	d.ctl = c;
	if (!mask_open(&d.mask))
		return refuse(c, path, errno, "try again");
	learn();
	find_run_dir(c);
	if (d.mask.full)
		return refuse(c, path, E2BIG, "there are too many names");
	err = bundle_open(&d.bundle, path);
	if (err != 0)
		return refuse(c, path, err, "name another file");
	put_contents();
	ask_all();
	put_recorders();
	put_folders();
	put_processes();
	put_machine();
	err = bundle_close(&d.bundle);
	mask_close(&d.mask);
	if (err != 0)
		return refuse(
		    c, path, err, "is gzip there, and the disk not full?");
	if (strcmp(path, "-") != 0)
		printf("%s\n", path);
	c->error[0] = '\0'; /* a house that is down is told inside */
	return CTL_DONE;
}
