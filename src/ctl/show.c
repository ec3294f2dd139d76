/* ctl/show - rows for people and for programs */

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"

enum { COLUMNS_MAX = 32, NAME_MAX_LEN = 64 };

/* ---- text ---------------------------------------------------------------- */

/* Length of the UTF-8 character at p, 0 when it is none (RFC 3629). */
static size_t
utf8_len(const unsigned char *p, size_t n)
{
	size_t len = p[0] < 0x80                    ? 1
		     : p[0] >= 0xc2 && p[0] <= 0xdf ? 2
		     : p[0] >= 0xe0 && p[0] <= 0xef ? 3
		     : p[0] >= 0xf0 && p[0] <= 0xf4 ? 4
						    : 0;

	if (len == 0 || len > n)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] > 0x9f) ||
	    (p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] > 0x8f))
		return 0;
	return len;
}

static bool
is_control(const unsigned char *p, size_t len)
{
	return p[0] < 0x20 || p[0] == 0x7f ||
	       (len == 2 && p[0] == 0xc2 && p[1] < 0xa0) || /* C1 */
	       /* Marks that turn the direction of writing: a number could be
		* shown backwards. */
	       (len == 3 && p[0] == 0xe2 && p[1] == 0x80 && p[2] >= 0xaa &&
		   p[2] <= 0xae) ||
	       (len == 3 && p[0] == 0xe2 && p[1] == 0x81 && p[2] >= 0xa6 &&
		   p[2] <= 0xa9);
}

size_t
put_safe(FILE *f, struct hf_slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;
	size_t width = 0;

	for (size_t i = 0; i < s.n;) {
		size_t len = utf8_len(p + i, s.n - i);

		if (len > 0 && !is_control(p + i, len)) {
			if (f != NULL)
				fwrite(p + i, 1, len, f);
			width++;
			i += len;
			continue;
		}
		for (len = len == 0 ? 1 : len; len > 0; len--, i++) {
			if (f != NULL)
				fprintf(f, "\\x%02x", p[i]);
			width += 4;
		}
	}
	return width;
}

const char *
span_text(int64_t us, char *to, size_t n)
{
	const char *minus = us < 0 ? "-" : "";
	int64_t t = us < 0 ? -us : us, s;

	/* 1.999 s is 2.00 s, and 59.996 s a minute. */
	if (t >= 1000000)
		t += t < 60000000 ? 5000 : 500000;
	else if (t >= 1000)
		t += 500;
	s = t / 1000000;
	if (t < 1000 && t > 0)
		snprintf(to, n, "%s%" PRId64 "us", minus, t);
	else if (t < 1000000)
		snprintf(to, n, "%s%" PRId64 "ms", minus, t / 1000);
	else if (s < 60)
		snprintf(to, n, "%s%" PRId64 ".%02" PRId64 "s", minus, s,
		    t / 10000 % 100);
	else if (s < 3600)
		snprintf(to, n, "%s%" PRId64 "m%02" PRId64 "s", minus, s / 60,
		    s % 60);
	else if (s < 86400)
		snprintf(to, n, "%s%" PRId64 "h%02" PRId64 "m", minus, s / 3600,
		    s / 60 % 60);
	else
		snprintf(to, n, "%s%" PRId64 "d%" PRId64 "h", minus, s / 86400,
		    s / 3600 % 24);
	return to;
}

const char *
wall_text(int64_t us, char *to, size_t n)
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	size_t at;

	if (us <= 0 || localtime_r(&s, &tm) == NULL) {
		snprintf(to, n, "-");
		return to;
	}
	at = strftime(to, n, "%Y-%m-%d %H:%M:%S", &tm);
	snprintf(to + at, n - at, ".%03d", (int)(us / 1000 % 1000));
	return to;
}

static int64_t
to_int(struct hf_slice s)
{
	char text[24];

	if (!hf_slice_copy(s, text, sizeof(text)))
		return 0;
	return strtoll(text, NULL, 10);
}

/* As people read it; the text may still hold a stranger's bytes. */
static struct hf_slice
value_text(const struct row_value *v, char *to, size_t n)
{
	switch (v->type) {
	case 'd':
		return hf_slice_of(span_text(to_int(v->value), to, n));
	case 't':
		return hf_slice_of(wall_text(to_int(v->value), to, n));
	case 'b':
		return hf_slice_eq(v->value, HF_SLICE("true")) ? HF_SLICE("yes")
							       : HF_SLICE("no");
	default:
		return v->value.n == 0 ? HF_SLICE("-") : v->value;
	}
}

static void
pad(FILE *f, size_t n)
{
	while (n-- > 0)
		fputc(' ', f);
}

/* ---- tables -------------------------------------------------------------- */

struct column {
	struct hf_slice name;
	size_t width;
	bool right; /* numbers and spans stand under one another */
};

static size_t
find_columns(const struct rows *r, size_t from, struct column *col)
{
	size_t n = 0, i;
	char text[64];

	for (size_t at = from; at < r->n; at++) {
		struct hf_slice in = r->row[at];
		struct row_value v;

		while (row_next(&in, &v)) {
			size_t width =
			    put_safe(NULL, value_text(&v, text, sizeof(text)));

			for (i = 0; i < n; i++)
				if (hf_slice_eq(col[i].name, v.name))
					break;
			if (i == COLUMNS_MAX)
				continue;
			if (i == n)
				col[n++] = (struct column){ v.name, v.name.n,
					v.type == 'n' || v.type == 'd' };
			if (width > col[i].width)
				col[i].width = width;
		}
	}
	return n;
}

static void
put_header(FILE *f, const struct column *col, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (col[i].right)
			pad(f, col[i].width - col[i].name.n);
		for (size_t j = 0; j < col[i].name.n; j++) {
			char c = col[i].name.p[j];

			fputc(c == '_'               ? '-'
			      : c >= 'a' && c <= 'z' ? c - 'a' + 'A'
						     : c,
			    f);
		}
		if (i + 1 < n)
			pad(f,
			    2 + (col[i].right ? 0
					      : col[i].width - col[i].name.n));
	}
	fputc('\n', f);
}

void
show_table(FILE *f, const struct rows *r, size_t from)
{
	struct column col[COLUMNS_MAX];
	size_t n = find_columns(r, from, col);
	char text[64];

	if (n == 0)
		return;
	put_header(f, col, n);
	for (size_t at = from; at < r->n; at++) {
		for (size_t i = 0; i < n; i++) {
			struct hf_slice in = r->row[at], shown = HF_SLICE("-");
			struct row_value v;
			size_t width;

			while (row_next(&in, &v))
				if (hf_slice_eq(v.name, col[i].name)) {
					shown =
					    value_text(&v, text, sizeof(text));
					break;
				}
			width = put_safe(NULL, shown);
			if (col[i].right)
				pad(f, col[i].width - width);
			put_safe(f, shown);
			if (i + 1 < n)
				pad(f,
				    2 + (col[i].right ? 0
						      : col[i].width - width));
		}
		fputc('\n', f);
	}
}

void
show_fields(FILE *f, struct hf_slice row)
{
	struct hf_slice in = row;
	struct row_value v;
	size_t width = 0;
	char text[64];

	while (row_next(&in, &v))
		width = v.name.n > width ? v.name.n : width;
	while (row_next(&row, &v)) {
		put_safe(f, v.name);
		pad(f, width - v.name.n + 2);
		put_safe(f, value_text(&v, text, sizeof(text)));
		fputc('\n', f);
	}
}

/* ---- JSON ---------------------------------------------------------------- */

void
json_text(FILE *f, struct hf_slice s)
{
	const unsigned char *p = (const unsigned char *)s.p;

	fputc('"', f);
	for (size_t i = 0; i < s.n;) {
		size_t len = utf8_len(p + i, s.n - i);

		if (len == 0) {
			fputs("\\ufffd", f);
			i++;
		} else if (p[i] < 0x20 || p[i] == 0x7f) {
			fprintf(f, "\\u%04x", p[i++]);
		} else if (is_control(p + i, len)) {
			uint32_t c =
			    len == 2 ? ((uint32_t)(p[i] & 0x1f) << 6) |
					   (p[i + 1] & 0x3f)
				     : ((uint32_t)(p[i] & 0x0f) << 12) |
					   ((uint32_t)(p[i + 1] & 0x3f) << 6) |
					   (p[i + 2] & 0x3f);

			fprintf(f, "\\u%04x", c);
			i += len;
		} else {
			if (p[i] == '"' || p[i] == '\\')
				fputc('\\', f);
			fwrite(p + i, 1, len, f);
			i += len;
		}
	}
	fputc('"', f);
}

static void
json_wall(FILE *f, int64_t us)
{
	time_t s = (time_t)(us / 1000000);
	struct tm tm;
	char text[40];

	if (us <= 0 || gmtime_r(&s, &tm) == NULL) {
		fputs("null", f);
		return;
	}
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
	fprintf(f, "\"%s.%06dZ\"", text, (int)(us % 1000000));
}

/* A number may have all 64 bits (a leg), which JSON's readers would round. */
static bool
is_exact(struct hf_slice s)
{
	enum { SAFE_DIGITS = 15 };
	size_t i = s.n > 0 && s.p[0] == '-';

	if (s.n - i == 0 || s.n - i > SAFE_DIGITS)
		return false;
	if (s.p[i] == '0' && s.n - i > 1)
		return false;
	for (; i < s.n; i++)
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	return true;
}

static void
json_value(FILE *f, const struct row_value *v)
{
	int64_t us = to_int(v->value);

	switch (v->type) {
	case 'n':
		if (is_exact(v->value))
			put_safe(f, v->value);
		else
			json_text(f, v->value);
		return;
	case 'b':
		fputs(
		    hf_slice_eq(v->value, HF_SLICE("true")) ? "true" : "false",
		    f);
		return;
	case 'd':
		fprintf(f, "%s%" PRId64 ".%03d", us < 0 ? "-" : "",
		    (us < 0 ? -us : us) / 1000,
		    (int)((us < 0 ? -us : us) % 1000));
		return;
	case 't':
		json_wall(f, us);
		return;
	default:
		json_text(f, v->value);
	}
}

void
json_row(FILE *f, struct hf_slice row)
{
	struct row_value v;
	bool first = true;

	fputc('{', f);
	while (row_next(&row, &v)) {
		char name[NAME_MAX_LEN + 4];

		/* A span says its unit; it is the only one there is. */
		if (v.name.n > NAME_MAX_LEN)
			v.name.n = NAME_MAX_LEN;
		snprintf(name, sizeof(name), "%.*s%s", (int)v.name.n, v.name.p,
		    v.type == 'd' ? "_ms" : "");
		fputs(first ? "" : ", ", f);
		json_text(f, hf_slice_of(name));
		fputs(": ", f);
		json_value(f, &v);
		first = false;
	}
	fputc('}', f);
}

void
json_rows(FILE *f, const struct rows *r, size_t from)
{
	fputc('[', f);
	for (size_t i = from; i < r->n; i++) {
		fputs(i == from ? "\n  " : ",\n  ", f);
		json_row(f, r->row[i]);
	}
	fputs(r->n > from ? "\n]" : "]", f);
}
