/*
 * conf/load/walk - inside the loader: the state of one load, shared by the
 * pages that fill the snapshot (fill.c) and compare its values (rules.c).
 */
#ifndef HF_CONF_LOAD_WALK_H
#define HF_CONF_LOAD_WALK_H

#include "conf/keys.h"
#include "conf/load/tree.h"

struct load {
	struct tree tree;
	const struct conf *old; /* NULL at the first load */
	struct conf *out;
	struct conf_secrets *secrets; /* NULL: touch no other file */
	struct conf_report *report;
	char path[256];   /* where we are: "bots.cloud-a.guard" */
	char folder[256]; /* of the file; "" or with a slash at the end */
};

/* Where a problem is told: the position of a node, or of the nearest thing
 * that is in the file. */
struct mark {
	uint32_t line, column;
};
struct mark load_mark(const struct load *l, uint32_t node);

/* FILE:LINE:COLUMN: PATH: what is wrong; what to do */
void load_wrong(struct load *l, struct mark at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void load_warn(struct load *l, struct mark at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Goes one step down, and back: returns the length to go back to. */
size_t load_enter(struct load *l, struct hf_slice name);
void load_leave(struct load *l, size_t n);

/* Everything the table says; then what it cannot say. */
void fill_all(struct load *l);
void rules_all(struct load *l);

/* After the keys of a scope are filled: values that must fit together.  map
 * is the scope's mapping in the file, or 0; at is where it is or would be. */
void rules_scope(struct load *l, enum conf_scope scope, uint32_t map,
    struct mark at, void *base);

/* " (did you mean "x"?)" or nothing; names ends with NULL. */
const char *nearest(struct hf_slice word, const char *const *names, size_t n);

#endif
