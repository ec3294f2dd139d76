/* conf/load/tree - see tree.h */

#include <stdio.h>
#include <stdlib.h>
#include <yaml.h>

#include "base/check.h"
#include "conf/load/tree.h"

enum {
	DEPTH_MAX = 12,
	NODES_MAX = 65536,
	MEMBERS_MAX = 2048, /* of one map or list */
};

/* An error is what keeps the house from starting: it is told, and a warning
 * makes room for it. */
static bool
make_room(struct conf_report *r)
{
	uint32_t i = r->problems;

	if (r->problems < CONF_PROBLEMS_MAX)
		return true;
	while (i > 0 && !r->problem[i - 1].warning)
		i--;
	if (i == 0)
		return false;
	for (; i < r->problems; i++)
		r->problem[i - 1] = r->problem[i];
	r->problems--;
	return true;
}

void
report_add(struct conf_report *r, bool warning, uint32_t line, uint32_t column,
    const char *fmt, ...)
{
	struct conf_problem *p;
	uint32_t i;
	va_list ap;

	if (warning)
		r->warnings++;
	else
		r->errors++;
	if (warning ? r->problems == CONF_PROBLEMS_MAX : !make_room(r))
		return;
	/* In the order of the file, whatever the order of our checks. */
	for (i = r->problems++; i > 0; i--) {
		p = &r->problem[i - 1];
		if (p->line < line || (p->line == line && p->column <= column))
			break;
		r->problem[i] = *p;
	}
	p = &r->problem[i];
	*p = (struct conf_problem){
		.line = line, .column = column, .warning = warning
	};
	va_start(ap, fmt);
	vsnprintf(p->text, sizeof(p->text), fmt, ap);
	va_end(ap);
	/* Words of the file are in it: one line, and nothing a terminal
	 * obeys. */
	for (char *c = p->text; *c != '\0'; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
}

/* ---- building ------------------------------------------------------------ */

struct builder {
	struct tree *t;
	struct conf_report *report;
	uint32_t open[DEPTH_MAX]; /* maps and lists we are in */
	uint32_t key[DEPTH_MAX];  /* map: the key that waits for a value */
	uint32_t depth;
	bool done; /* the document has ended */
};

static bool
refuse(struct builder *b, const yaml_mark_t *at, const char *why)
{
	report_add(b->report, false, (uint32_t)at->line + 1,
	    (uint32_t)at->column + 1, "%s", why);
	return false;
}

static bool
check_twice(struct builder *b, uint32_t map, uint32_t key)
{
	const struct node *n = b->t->node;
	uint32_t i = n[map].first;

	for (; i != key; i = n[i].next)
		if (hf_slice_eq(n[i].text, n[key].text))
			break;
	if (i == key)
		return true;
	report_add(b->report, false, n[key].line, n[key].column,
	    "\"%.*s\" is written twice, first in line %u; remove one of them",
	    (int)(n[key].text.n > 48 ? 48 : n[key].text.n), n[key].text.p,
	    n[i].line);
	return false;
}

static void
append(struct builder *b, uint32_t parent, uint32_t child)
{
	struct node *n = b->t->node;

	if (n[parent].first == 0)
		n[parent].first = child;
	else
		n[n[parent].last].next = child;
	n[parent].last = child;
	n[parent].members++;
}

/* Hangs a new value where we are; a scalar may be a map's next key. */
static bool
place_node(struct builder *b, uint32_t i, const yaml_mark_t *at)
{
	struct node *n = b->t->node;
	uint32_t parent, key;

	if (b->depth == 0) {
		b->t->root = i;
		return true;
	}
	parent = b->open[b->depth - 1];
	key = b->key[b->depth - 1];
	if (n[parent].members >= MEMBERS_MAX)
		return refuse(b, at, "too many members here; at most 2048");
	if (n[parent].kind == NODE_LIST) {
		append(b, parent, i);
	} else if (key != 0) {
		n[key].value = i;
		b->key[b->depth - 1] = 0;
	} else if (n[i].kind != NODE_SCALAR) {
		return refuse(b, at,
		    "a list or mapping cannot be a key; write a word before "
		    "the colon");
	} else {
		append(b, parent, i);
		b->key[b->depth - 1] = i;
		/* The second of two is told and then passed over: its value
		 * is in the tree, but tree_key() finds the first. */
		check_twice(b, parent, i);
	}
	return true;
}

static bool
node_new(struct builder *b, enum node_kind kind, const yaml_event_t *e,
    uint32_t *out)
{
	struct tree *t = b->t;

	if (t->nodes == NODES_MAX)
		return refuse(b, &e->start_mark,
		    "the file has too many values; at most 65,536");
	*out = t->nodes++;
	t->node[*out] = (struct node){
		.kind = kind,
		.line = (uint32_t)e->start_mark.line + 1,
		.column = (uint32_t)e->start_mark.column + 1,
		.place = CONF_NONE,
	};
	return true;
}

static bool
add_scalar(struct builder *b, const yaml_event_t *e)
{
	struct tree *t = b->t;
	size_t n = e->data.scalar.length;
	uint32_t i;

	if (e->data.scalar.anchor != NULL)
		return refuse(b, &e->start_mark,
		    "anchors (&) are not taken; write the value out");
	if (e->data.scalar.tag != NULL)
		return refuse(
		    b, &e->start_mark, "tags (!) are not taken; remove it");
	if (n > t->text_cap - t->text_n)
		return refuse(b, &e->start_mark, "the file is too long");
	if (!node_new(b, NODE_SCALAR, e, &i))
		return false;
	memcpy(t->text + t->text_n, e->data.scalar.value, n);
	t->node[i].text = (struct hf_slice){ t->text + t->text_n, n };
	t->text_n += n;
	return place_node(b, i, &e->start_mark);
}

static bool
begin(struct builder *b, enum node_kind kind, const yaml_event_t *e,
    const yaml_char_t *anchor, const yaml_char_t *tag)
{
	uint32_t i;

	if (anchor != NULL)
		return refuse(b, &e->start_mark,
		    "anchors (&) are not taken; write the value out");
	if (tag != NULL)
		return refuse(
		    b, &e->start_mark, "tags (!) are not taken; remove it");
	if (b->depth == DEPTH_MAX)
		return refuse(b, &e->start_mark,
		    "too deep; no key is further than 12 levels in");
	if (!node_new(b, kind, e, &i) || !place_node(b, i, &e->start_mark))
		return false;
	b->open[b->depth] = i;
	b->key[b->depth++] = 0;
	return true;
}

static bool
take(struct builder *b, const yaml_event_t *e)
{
	switch (e->type) {
	case YAML_NO_EVENT:
	case YAML_STREAM_START_EVENT:
	case YAML_DOCUMENT_END_EVENT:
		return true;
	case YAML_DOCUMENT_START_EVENT:
		if (b->t->root != 0)
			return refuse(b, &e->start_mark,
			    "a second document begins here; remove the line "
			    "with three dashes");
		return true;
	case YAML_STREAM_END_EVENT:
		b->done = true;
		return true;
	case YAML_ALIAS_EVENT:
		return refuse(b, &e->start_mark,
		    "aliases (*) are not taken; write the value out, in "
		    "quotes when it begins with a star");
	case YAML_SCALAR_EVENT:
		return add_scalar(b, e);
	case YAML_SEQUENCE_START_EVENT:
		return begin(b, NODE_LIST, e, e->data.sequence_start.anchor,
		    e->data.sequence_start.tag);
	case YAML_MAPPING_START_EVENT:
		return begin(b, NODE_MAP, e, e->data.mapping_start.anchor,
		    e->data.mapping_start.tag);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		hf_assert(b->depth > 0);
		b->depth--;
		return true;
	}
	hf_never("libyaml has a new kind of event");
}

static void
refuse_syntax(struct builder *b, const yaml_parser_t *p)
{
	const char *what = p->problem != NULL ? p->problem : "it ends too soon";

	/* A byte that is not UTF-8 is found before there are lines. */
	if (p->error == YAML_READER_ERROR)
		report_add(b->report, false, (uint32_t)p->mark.line + 1,
		    (uint32_t)p->mark.column + 1,
		    "the text is not UTF-8 (%s, at byte %zu); save it as UTF-8",
		    what, p->problem_offset);
	else
		report_add(b->report, false, (uint32_t)p->problem_mark.line + 1,
		    (uint32_t)p->problem_mark.column + 1,
		    "this is not YAML: %s; check indentation (blanks, no "
		    "tabs), quotes and brackets",
		    what);
}

bool
tree_read(
    struct tree *t, const char *text, size_t n, struct conf_report *report)
{
	struct builder b = { .t = t, .report = report };
	yaml_parser_t parser;
	yaml_event_t e;
	bool ok;

	/* An escape of two characters may stand for three bytes. */
	*t = (struct tree){ .nodes = 1, .text_cap = 2 * n + 16 };
	t->node = calloc(NODES_MAX, sizeof(*t->node));
	t->text = malloc(t->text_cap);
	if (t->node == NULL || t->text == NULL ||
	    !yaml_parser_initialize(&parser)) {
		report_add(report, false, 1, 1,
		    "no memory to read the file; "
		    "free some and try again");
		return false;
	}
	yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, n);
	do {
		if (yaml_parser_parse(&parser, &e) == 0) {
			refuse_syntax(&b, &parser);
			ok = false;
			break;
		}
		ok = take(&b, &e);
		yaml_event_delete(&e);
	} while (ok && !b.done);
	yaml_parser_delete(&parser);
	return ok;
}

void
tree_free(struct tree *t)
{
	free(t->node);
	free(t->text);
	*t = (struct tree){ 0 };
}

uint32_t
tree_key(const struct tree *t, uint32_t map, const char *name)
{
	uint32_t i;

	if (map == 0 || t->node[map].kind != NODE_MAP)
		return 0;
	for (i = t->node[map].first; i != 0; i = t->node[i].next)
		if (hf_slice_eq(t->node[i].text, hf_slice_of(name)))
			return i;
	return 0;
}
