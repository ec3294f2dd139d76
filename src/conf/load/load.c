/* conf/load - see load.h */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/load/walk.h"

struct mark
load_mark(const struct load *l, uint32_t node)
{
	if (node == 0)
		return (struct mark){ 1, 1 };
	return (
	    struct mark){ l->tree.node[node].line, l->tree.node[node].column };
}

static void
tell(struct load *l, bool warning, struct mark at, const char *fmt, va_list ap)
{
	char text[CONF_PROBLEM_TEXT];

	vsnprintf(text, sizeof(text), fmt, ap);
	report_add(l->report, warning, at.line, at.column, "%s%s%s", l->path,
	    l->path[0] == '\0' ? "" : ": ", text);
}

void
load_wrong(struct load *l, struct mark at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(l, false, at, fmt, ap);
	va_end(ap);
}

void
load_warn(struct load *l, struct mark at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell(l, true, at, fmt, ap);
	va_end(ap);
}

size_t
load_enter(struct load *l, struct hf_slice name)
{
	size_t n = strlen(l->path);
	struct hf_buf b = hf_buf_on(l->path + n, sizeof(l->path) - 1 - n);

	if (name.n > 0 && n > 0)
		hf_buf_char(&b, '.');
	if (name.n > CONF_NUMBER_MAX)
		name.n = CONF_NUMBER_MAX;
	hf_buf_slice(&b, name);
	l->path[n + b.n] = '\0';
	return n;
}

void
load_leave(struct load *l, size_t n)
{
	l->path[n] = '\0';
}

/* ---- did you mean -------------------------------------------------------- */

/* Edits (insert, delete, replace, swap) between two short words. */
static unsigned int
distance(const char *a, size_t an, const char *b, size_t bn)
{
	enum { WORD_MAX = 40 };
	unsigned int row[3][WORD_MAX + 1];

	if (an > WORD_MAX || bn > WORD_MAX)
		return WORD_MAX;
	for (size_t j = 0; j <= bn; j++)
		row[0][j] = (unsigned int)j;
	for (size_t i = 1; i <= an; i++) {
		unsigned int *now = row[i % 3], *up = row[(i + 2) % 3];
		const unsigned int *upper = row[(i + 1) % 3];

		now[0] = (unsigned int)i;
		for (size_t j = 1; j <= bn; j++) {
			unsigned int d = up[j - 1] + (a[i - 1] != b[j - 1]);

			if (up[j] + 1 < d)
				d = up[j] + 1;
			if (now[j - 1] + 1 < d)
				d = now[j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
			    a[i - 2] == b[j - 1] && upper[j - 2] + 1 < d)
				d = upper[j - 2] + 1;
			now[j] = d;
		}
	}
	return row[an % 3][bn];
}

const char *
nearest(struct hf_slice word, const char *const *names, size_t n)
{
	enum { NEAR = 2 };
	unsigned int best = NEAR + 1;
	const char *found = NULL;

	for (size_t i = 0; i < n; i++) {
		size_t len = strlen(names[i]);
		unsigned int d = distance(word.p, word.n, names[i], len);

		/* Two edits turn any short word into any other. */
		if (d < best && d < word.n && d < len) {
			best = d;
			found = names[i];
		}
	}
	return found;
}

/* ---- the file ------------------------------------------------------------ */

static void
begin_report(struct conf_report *r, const char *name)
{
	r->errors = r->problems = 0;
	snprintf(r->file, sizeof(r->file), "%s", name);
}

/* Where relative paths begin, from the root: who reads them later may stand
 * elsewhere. */
static void
begin_folder(struct load *l, const char *name)
{
	const char *slash = strrchr(name, '/');
	char cwd[CONF_PATH_MAX] = "";
	size_t n = slash == NULL ? 0 : (size_t)(slash - name + 1);

	if (name[0] != '/' && getcwd(cwd, sizeof(cwd) - 1) != NULL)
		strcat(cwd, "/");
	snprintf(l->folder, sizeof(l->folder), "%s%.*s", cwd, (int)n, name);
}

bool
conf_load_memory(const char *text, size_t n, const char *name,
    const struct conf *old, struct conf *out, struct conf_secrets *secrets,
    struct conf_report *report)
{
	struct load l = {
		.old = old, .out = out, .secrets = secrets, .report = report
	};

	begin_report(report, name);
	begin_folder(&l, name);
	memset(out, 0, sizeof(*out));
	out->magic = CONF_MAGIC;
	out->version = CONF_VERSION;
	out->size = sizeof(*out);
	out->generation = old == NULL ? 1 : old->generation + 1;
	if (secrets != NULL) {
		memset(secrets, 0, sizeof(*secrets));
		secrets->magic = CONF_MAGIC;
		secrets->version = CONF_VERSION;
		secrets->size = sizeof(*secrets);
		secrets->generation = out->generation;
	}
	if (n > CONF_FILE_BYTES_MAX)
		report_add(report, false, 1, 1,
		    "the file has more than %d bytes; is it the right one?",
		    CONF_FILE_BYTES_MAX);
	else if (tree_read(&l.tree, text, n, report)) {
		fill_all(&l);
		rules_all(&l);
	}
	tree_free(&l.tree);
	return report->errors == 0;
}

static bool
refuse_file(struct conf_report *r, const char *what, int err)
{
	report_add(r, false, 1, 1, "%s: %s", what, strerror(err));
	return false;
}

bool
conf_load(const char *path, const struct conf *old, struct conf *out,
    struct conf_secrets *secrets, struct conf_report *report)
{
	/* A device or a pipe may never end; one byte more than allowed is
	 * enough to see that it is too much. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text = malloc(CONF_FILE_BYTES_MAX + 1);
	size_t n = 0;
	ssize_t got = 1;
	bool ok;

	begin_report(report, path);
	if (fd < 0) {
		ok = refuse_file(report,
		    "cannot be opened; check the path and who may read it",
		    errno);
		goto out;
	}
	if (text == NULL) {
		ok = refuse_file(report, "cannot be read", ENOMEM);
		goto out;
	}
	while (n < CONF_FILE_BYTES_MAX + 1 && got > 0) {
		got = read(fd, text + n, CONF_FILE_BYTES_MAX + 1 - n);
		if (got > 0)
			n += (size_t)got;
	}
	ok = got >= 0
		 ? conf_load_memory(text, n, path, old, out, secrets, report)
		 : refuse_file(report, "cannot be read; is it a file?", errno);
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

void
conf_report_each(const struct conf_report *r, conf_tell *say, void *arg)
{
	char line[sizeof(r->file) + CONF_PROBLEM_TEXT + 64];
	uint32_t all = r->errors + r->warnings;

	for (uint32_t i = 0; i < r->problems; i++) {
		const struct conf_problem *p = &r->problem[i];

		(void)snprintf(line, sizeof(line), "%s:%u:%u: %s%s", r->file,
		    p->line, p->column, p->warning ? "warning: " : "", p->text);
		say(arg, line);
	}
	if (all > r->problems) {
		(void)snprintf(line, sizeof(line), "%s: and %u more", r->file,
		    all - r->problems);
		say(arg, line);
	}
}

static void
tell_fd(void *arg, const char *line)
{
	const int *fd = arg;

	dprintf(*fd, "%s\n", line);
}

void
conf_report_print(const struct conf_report *r, int fd)
{
	conf_report_each(r, tell_fd, &fd);
}
