/* ctl/trace - see trace.h; here: ask for the messages, draw the ladder */

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/trace.h"

enum {
	LANE = 30, /* between two lifelines */
	LANES_MAX = 8,
	LEGS_A_QUESTION = 16,
};

bool
trace_row(struct hf_slice row, struct trace_message *out)
{
	struct row_value v;

	*out = (struct trace_message){
		.at = row_int(row, "at", 0),
		.leg = (uint64_t)row_int(row, "leg", 0),
	};
	if (row_find(row, "dir", &v))
		out->in = hf_slice_eq(v.value, HF_SLICE("in"));
	if (row_find(row, "transport", &v))
		out->tcp = hf_slice_eq_nocase(v.value, HF_SLICE("tcp"));
	if (row_find(row, "local", &v))
		hf_addr_parse(v.value, &out->local);
	if (row_find(row, "remote", &v))
		hf_addr_parse(v.value, &out->remote);
	if (!row_find(row, "text", &v))
		return false;
	out->text = v.value;
	return v.value.n > 0;
}

/* text is the last value of its row: the row grows. */
static bool
append(struct hf_slice *row, struct hf_slice more)
{
	char *to = (char *)(uintptr_t)row->p;
	struct row_value text;
	uint16_t len;

	if (!row_find(*row, "text", &text) ||
	    text.value.p + text.value.n != row->p + row->n ||
	    text.value.n + more.n > UINT16_MAX)
		return false;
	len = (uint16_t)(text.value.n + more.n);
	memcpy(to + row->n - text.value.n - sizeof(len), &len, sizeof(len));
	to = realloc(to, row->n + more.n);
	if (to == NULL)
		abort();
	memcpy(to + row->n, more.p, more.n);
	*row = (struct hf_slice){ to, row->n + more.n };
	return true;
}

void
trace_join(struct rows *r)
{
	struct row_value more;
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (!row_find(r->row[i], "text_more", &more)) {
			r->row[n++] = r->row[i];
			continue;
		}
		if (n > 0)
			(void)append(&r->row[n - 1], more.value);
		free((void *)(uintptr_t)r->row[i].p);
	}
	r->n = n;
}

/* ---- what a message is called -------------------------------------------- */

static struct hf_slice
first_line(struct hf_slice s)
{
	size_t n = hf_slice_find(s, '\n');

	return hf_slice_trim((struct hf_slice){ s.p, n });
}

/* The value of a header in one of its two names, or nothing. */
static struct hf_slice
header(struct hf_slice s, const char *name, const char *brief)
{
	while (s.n > 0) {
		size_t end = hf_slice_find(s, '\n'), colon;
		struct hf_slice line = { s.p, end }, word;

		if (hf_slice_trim(line).n == 0)
			break; /* the body */
		colon = hf_slice_find(line, ':');
		word = hf_slice_trim((struct hf_slice){ line.p, colon });
		if (colon < line.n &&
		    (hf_slice_eq_nocase(word, hf_slice_of(name)) ||
			hf_slice_eq_nocase(word, hf_slice_of(brief))))
			return hf_slice_trim((struct hf_slice){
			    line.p + colon + 1, line.n - colon - 1 });
		end += end < s.n;
		s = (struct hf_slice){ s.p + end, s.n - end };
	}
	return (struct hf_slice){ 0 };
}

/* "INVITE (SDP)", "200 OK to INVITE (SDP)" */
static void
put_label(struct hf_buf *b, struct hf_slice text)
{
	struct hf_slice line = first_line(text), type, cseq;
	size_t blank = hf_slice_find(line, ' ');

	if (hf_slice_starts(line, HF_SLICE("SIP/2.0 "))) {
		hf_buf_slice(b, (struct hf_slice){
				    line.p + blank + 1, line.n - blank - 1 });
		cseq = header(text, "CSeq", "CSeq");
		blank = hf_slice_find(cseq, ' ');
		if (blank < cseq.n) {
			hf_buf_str(b, " to ");
			hf_buf_slice(b, hf_slice_trim((struct hf_slice){
					    cseq.p + blank, cseq.n - blank }));
		}
	} else {
		hf_buf_slice(b, (struct hf_slice){ line.p, blank });
	}
	type = header(text, "Content-Type", "c");
	if (hf_slice_starts_nocase(type, HF_SLICE("application/sdp")))
		hf_buf_str(b, " (SDP)");
	else if (type.n > 0)
		hf_buf_str(b, " (body)");
	for (size_t i = 0; i < b->n; i++)
		if (b->p[i] < 0x20 || b->p[i] > 0x7e)
			b->p[i] = '?';
}

/* ---- the ladder ---------------------------------------------------------- */

/* Lane 0 is the caller's, lane 1 ours, then a lane for each leg tried. */
static unsigned int
lane_of(const struct trace_leg *leg, size_t legs, uint64_t id)
{
	unsigned int lane = 2;

	for (size_t i = 0; i < legs; i++) {
		if (leg[i].leg == id)
			return leg[i].caller      ? 0
			       : lane < LANES_MAX ? lane
						  : LANES_MAX - 1;
		lane += !leg[i].caller;
	}
	return LANES_MAX - 1;
}

static unsigned int
lanes_of(const struct trace_leg *leg, size_t legs)
{
	unsigned int lanes = 2;

	for (size_t i = 0; i < legs; i++)
		lanes += !leg[i].caller;
	return lanes < LANES_MAX ? lanes : LANES_MAX;
}

static void
put_lane_names(
    FILE *f, const struct trace_leg *leg, size_t legs, unsigned int lanes)
{
	fprintf(f, "%14s%-*s%-*s", "", LANE, "caller", LANE, "Holdfast");
	for (unsigned int lane = 2; lane < lanes; lane++) {
		const char *name = "";
		size_t width;

		for (size_t i = 0; i < legs; i++)
			if (lane_of(leg, legs, leg[i].leg) == lane)
				name = leg[i].name;
		width = put_safe(f, hf_slice_of(name));
		if (lane + 1 < lanes)
			fprintf(f, "%*s",
			    width < LANE ? (int)(LANE - width) : 1, "");
	}
	fputc('\n', f);
}

static void
put_addresses(FILE *f, const struct trace_leg *leg, size_t legs,
    unsigned int lanes, const struct rows *messages)
{
	char text[LANES_MAX][HF_ADDR_TEXT_MAX] = { { 0 } };
	struct trace_message m;

	for (size_t i = 0; i < messages->n; i++) {
		unsigned int lane;

		if (!trace_row(messages->row[i], &m))
			continue;
		lane = lane_of(leg, legs, m.leg);
		if (text[lane][0] == '\0' && m.remote.family != 0)
			hf_addr_text(&m.remote, text[lane]);
		if (text[1][0] == '\0' && m.local.family != 0)
			hf_addr_text(&m.local, text[1]);
	}
	fprintf(f, "%14s", "");
	for (unsigned int lane = 0; lane < lanes; lane++)
		fprintf(f, lane + 1 < lanes ? "%-*s" : "%.*s%s",
		    lane + 1 < lanes ? LANE : 0,
		    lane + 1 < lanes ? text[lane] : "", text[lane]);
	fputc('\n', f);
}

static void
put_arrow(FILE *f, const struct trace_message *m, unsigned int lane,
    unsigned int lanes, int64_t first)
{
	char line[LANE * LANES_MAX + 1], label[LANE * LANES_MAX];
	struct hf_buf b = hf_buf_on(label, sizeof(label) - 1);
	size_t width = (size_t)LANE * (lanes - 1) + 1, left, right, most;
	/* Towards us from the left and away from us to the left. */
	bool to_right = (lane == 0) == m->in;

	left = (size_t)LANE * (lane == 0 ? 0 : 1);
	right = (size_t)LANE * (lane == 0 ? 1 : lane);
	memset(line, ' ', width);
	for (unsigned int i = 0; i < lanes; i++)
		line[(size_t)i * LANE] = '|';
	memset(line + left + 1, '-', right - left - 1);
	line[to_right ? right - 1 : left + 1] = to_right ? '>' : '<';
	put_label(&b, m->text);
	most = right - left - 7;
	if (b.n > most)
		b.n = most;
	line[left + 3] = ' ';
	memcpy(line + left + 4, label, b.n);
	line[left + 4 + b.n] = ' ';
	line[width] = '\0';
	fprintf(f, "%6" PRId64 ".%03d ms  %s\n", (m->at - first) / 1000,
	    (int)((m->at - first) % 1000), line);
}

void
ladder_show(FILE *f, const struct trace_leg *leg, size_t legs,
    const struct rows *messages)
{
	unsigned int lanes = lanes_of(leg, legs);
	struct trace_message m;
	int64_t first = 0;

	put_lane_names(f, leg, legs, lanes);
	put_addresses(f, leg, legs, lanes, messages);
	for (size_t i = 0; i < messages->n; i++) {
		unsigned int lane;

		if (!trace_row(messages->row[i], &m))
			continue;
		if (first == 0)
			first = m.at;
		lane = lane_of(leg, legs, m.leg);
		put_arrow(f, &m, lane < lanes ? lane : lanes - 1, lanes, first);
	}
}

/* ---- asking -------------------------------------------------------------- */

/* Adds those that are not there yet. */
static void
add_legs(const struct rows *r, struct trace_leg *leg, size_t *legs)
{
	char side[16];

	for (size_t i = 0; i < r->n && *legs < TRACE_LEGS_MAX; i++) {
		struct trace_leg *l = &leg[*legs];
		bool known = false;

		l->leg = (uint64_t)row_int(r->row[i], "leg", 0);
		l->caller =
		    strcmp(row_str(r->row[i], "side", side, sizeof(side)),
			"caller") == 0;
		row_str(r->row[i], "name", l->name, sizeof(l->name));
		for (size_t j = 0; j < *legs; j++)
			known |= leg[j].leg == l->leg;
		*legs += l->leg != 0 && !known;
	}
}

/* The journal knows the legs that are over, hf-call those that are up. */
static int
ask_legs(struct ctl *c, struct trace_leg *leg, size_t *legs)
{
	struct rows r;
	int past = link_ask(c, "past_legs", &c->word[1], 1, &r), live;

	*legs = 0;
	add_legs(&r, leg, legs);
	rows_free(&r);
	if (past == CTL_AWAY)
		return past;
	live = link_ask(c, "legs", &c->word[1], 1, &r);
	add_legs(&r, leg, legs);
	rows_free(&r);
	if (live == CTL_REFUSED && past == CTL_REFUSED)
		snprintf(c->error, sizeof(c->error),
		    "no such call; hfctl calls and hfctl calls --past 20 "
		    "list them");
	return live == CTL_REFUSED ? past : live;
}

static int
by_time(const void *a, const void *b)
{
	int64_t x = row_int(*(const struct hf_slice *)a, "at", 0);
	int64_t y = row_int(*(const struct hf_slice *)b, "at", 0);

	return (x > y) - (x < y);
}

static int
ask_messages(
    struct ctl *c, const struct trace_leg *leg, size_t legs, struct rows *out)
{
	char number[LEGS_A_QUESTION][24];
	const char *word[LEGS_A_QUESTION];
	int err = CTL_DONE;

	*out = (struct rows){ 0 };
	for (size_t at = 0; at < legs && err == CTL_DONE;) {
		unsigned int n = 0;
		struct rows some;

		for (; n < LEGS_A_QUESTION && at < legs; n++, at++) {
			snprintf(number[n], sizeof(number[n]), "%" PRIu64,
			    leg[at].leg);
			word[n] = number[n];
		}
		err = link_ask(c, "trace", word, n, &some);
		trace_join(&some);
		out->row = reallocarray(
		    out->row, out->n + some.n + 1, sizeof(*out->row));
		if (out->row == NULL)
			abort();
		if (some.n > 0)
			memcpy(out->row + out->n, some.row,
			    some.n * sizeof(*some.row));
		out->n += some.n;
		free(some.row); /* its rows are ours now */
	}
	if (out->n > 0)
		qsort(out->row, out->n, sizeof(*out->row), by_time);
	return err;
}

static int
save_pcap(struct ctl *c, const struct rows *messages)
{
	FILE *f = strcmp(c->pcap, "-") == 0 ? stdout : fopen(c->pcap, "we");
	bool ok = f != NULL && pcap_write(f, messages) && fflush(f) == 0;
	int err = errno;

	if (f != NULL && f != stdout && fclose(f) != 0)
		ok = false;
	if (ok)
		return CTL_DONE;
	snprintf(c->error, sizeof(c->error),
	    "%s cannot be written: %s; name another file", c->pcap,
	    strerror(err));
	return CTL_REFUSED;
}

int
verb_trace(struct ctl *c)
{
	struct trace_leg leg[TRACE_LEGS_MAX];
	struct rows messages = { 0 };
	size_t legs = 0;
	int err = ask_legs(c, leg, &legs);

	if (err == CTL_DONE)
		err = ask_messages(c, leg, legs, &messages);
	if (err == CTL_DONE && messages.n == 0) {
		snprintf(c->error, sizeof(c->error),
		    "no messages of this call are kept any more; "
		    "sip.trace_bytes says how much is");
		err = CTL_REFUSED;
	} else if (err == CTL_DONE && c->pcap != NULL) {
		err = save_pcap(c, &messages);
	} else if (err == CTL_DONE && c->json) {
		json_rows(stdout, &messages, 0);
		putchar('\n');
	} else if (err == CTL_DONE) {
		ladder_show(stdout, leg, legs, &messages);
	}
	rows_free(&messages);
	return err;
}
