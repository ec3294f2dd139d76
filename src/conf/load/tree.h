/*
 * conf/load/tree - the file as a tree of values with the place each came from.
 * Values lie in one array and name each other by index; 0 is no value.
 */
#ifndef HF_CONF_LOAD_TREE_H
#define HF_CONF_LOAD_TREE_H

#include <stdarg.h>
#include <stdint.h>

#include "base/slice.h"
#include "conf/load/load.h"

enum node_kind { NODE_SCALAR, NODE_MAP, NODE_LIST };

struct node {
	enum node_kind kind;
	uint32_t line, column;
	struct hf_slice text; /* NODE_SCALAR */
	uint32_t first;       /* member: of a map the key, of a list the item */
	uint32_t last;
	uint32_t next;  /* sibling */
	uint32_t value; /* of a key */
	uint32_t members;
	uint16_t place; /* of a family's member: the row it was given */
};

struct tree {
	struct node *node;
	uint32_t nodes;
	char *text; /* where the scalars lie */
	size_t text_n, text_cap;
	uint32_t root;
};

/* One more problem of the file. */
void report_add(struct conf_report *r, bool warning, uint32_t line,
    uint32_t column, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* False when the text is not YAML as we take it; the report says why.  Free
 * the tree in any case. */
bool tree_read(struct tree *t, const char *text, size_t n,
    struct conf_report *report) HF_CHECK;
void tree_free(struct tree *t);

/* The key node of this name in a map, or 0. */
uint32_t tree_key(const struct tree *t, uint32_t map, const char *name);

#endif
