/*
 * ctl/why - a call's evidence as a timeline.  People compare distances, not
 * clock times: each line says how long after the call came.
 *
 *      call lyon-1-7, came 2026-03-01 12:00:00.123
 *         +0.000 s  call_came       from +336... to +334..., ladder front
 *         +8.204 s  helper_lost     bot:cloud-a rtp_stopped
 */

#include <inttypes.h>
#include <string.h>

#include "ctl/ctl.h"

/* "last" has a name of its own, which people put into a ticket. */
static struct hf_slice
name_of(const char *asked, const struct rows *r)
{
	struct row_value v;

	return r->n > 0 && row_find(r->row[0], "id", &v) ? v.value
							 : hf_slice_of(asked);
}

static void
show_timeline(const char *asked, const struct rows *r)
{
	int64_t first = r->n > 0 ? row_int(r->row[0], "at", 0) : 0;
	size_t width = 0;
	char wall[64];
	struct row_value v;

	for (size_t i = 0; i < r->n; i++)
		if (row_find(r->row[i], "what", &v) &&
		    put_safe(NULL, v.value) > width)
			width = put_safe(NULL, v.value);
	printf("call ");
	put_safe(stdout, name_of(asked, r));
	printf(", came %s\n", wall_text(first, wall, sizeof(wall)));
	for (size_t i = 0; i < r->n; i++) {
		int64_t after = row_int(r->row[i], "at", first) - first;
		size_t n = 0;

		printf("%c%6" PRId64 ".%03d s  ", after < 0 ? '-' : '+',
		    (after < 0 ? -after : after) / 1000000,
		    (int)((after < 0 ? -after : after) / 1000 % 1000));
		if (row_find(r->row[i], "what", &v))
			n = put_safe(stdout, v.value);
		printf("%*s", (int)(width - n + 2), "");
		if (row_find(r->row[i], "detail", &v))
			put_safe(stdout, v.value);
		putchar('\n');
	}
}

static void
json_timeline(const char *asked, const struct rows *r)
{
	int64_t first = r->n > 0 ? row_int(r->row[0], "at", 0) : 0;
	char with[ROW_MAX + 64];
	struct row_value v;

	printf("{\"id\": ");
	json_text(stdout, name_of(asked, r));
	printf(", \"timeline\": [");
	for (size_t i = 0; i < r->n; i++) {
		struct hf_buf b = hf_buf_on(with, sizeof(with));

		if (!row_find(r->row[i], "after", &v))
			row_span(&b, "after",
			    (struct hf_span){
				row_int(r->row[i], "at", first) - first });
		hf_buf_slice(&b, r->row[i]);
		printf(i == 0 ? "\n  " : ",\n  ");
		json_row(stdout, hf_buf_taken(&b));
	}
	printf("%s]}\n", r->n > 0 ? "\n" : "");
}

int
verb_why(struct ctl *c)
{
	struct rows r;
	int err = link_ask(c, "why", &c->word[1], 1, &r);

	if (err == CTL_DONE && r.n == 0) {
		snprintf(c->error, sizeof(c->error),
		    "no such call; hfctl calls and hfctl calls --past 20 "
		    "list them");
		err = CTL_REFUSED;
	} else if (err == CTL_DONE && c->json) {
		json_timeline(c->word[1], &r);
	} else if (err == CTL_DONE) {
		show_timeline(c->word[1], &r);
	}
	rows_free(&r);
	return err;
}
