/*
 * ctl/config - effective settings: those in force, as the keeper knows them,
 * or those of a file that is only being thought of (-c FILE).
 */

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "conf/keys.h"
#include "conf/load/origins.h"
#include "ctl/ctl.h"

struct listing {
	struct conf_origins origins;
	struct rows rows;
	struct ctl *ctl;
};

static void
add_value(
    void *arg, const char *path, const char *value, const struct conf_key *k)
{
	struct listing *o = arg;
	char row[ROW_MAX], from[300] = "default", *copy;
	struct hf_buf b = hf_buf_on(row, sizeof(row));
	uint32_t line = conf_origins_line(&o->origins, path);

	(void)k;
	if (line > 0)
		snprintf(from, sizeof(from), "%s:%u", o->ctl->file, line);
	row_text(&b, "key", path);
	row_text(&b, "value", value);
	row_text(&b, "origin", from);
	if (o->rows.n == o->rows.cap) {
		o->rows.cap = o->rows.cap == 0 ? 256 : 2 * o->rows.cap;
		o->rows.row = reallocarray(
		    o->rows.row, o->rows.cap, sizeof(*o->rows.row));
	}
	copy = malloc(b.n);
	if (copy == NULL || o->rows.row == NULL)
		abort();
	memcpy(copy, row, b.n);
	o->rows.row[o->rows.n++] = (struct hf_slice){ copy, b.n };
}

static void
show(struct ctl *c, const struct rows *r)
{
	if (c->json) {
		json_rows(stdout, r, 0);
		putchar('\n');
	} else {
		show_table(stdout, r, 0);
	}
}

static int
config_of_file(struct ctl *c)
{
	static struct conf conf;
	static struct conf_report report;
	static struct listing o;

	o.ctl = c;
	conf_origins_hear(&o.origins, &report);
	if (!conf_load(c->file, NULL, &conf, NULL, &report)) {
		conf_report_print(&report, STDERR_FILENO);
		return CTL_REFUSED;
	}
	conf_report_print(&report, STDERR_FILENO); /* warnings */
	conf_each(&conf, add_value, &o);
	show(c, &o.rows);
	rows_free(&o.rows);
	return CTL_DONE;
}

int
verb_config(struct ctl *c)
{
	struct rows r;
	int err;

	if (c->file != NULL)
		return config_of_file(c);
	err = link_ask(c, "config", NULL, 0, &r);
	if (err == CTL_DONE)
		show(c, &r);
	rows_free(&r);
	return err;
}
