/*
 * conf/load/fill - the key table's walk over the file.  First all names get
 * their places, so that anything may refer to anything; then each scope is
 * filled from the file or from the table's defaults.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "conf/load/walk.h"

enum { CANDIDATES_MAX = 1024 }; /* for "did you mean" */

static void fill_scope(struct load *l, enum conf_scope in, uint32_t map,
    struct mark at, void *base, bool inherit);

/* ---- families: which row has which name ---------------------------------- */

static char *
row_at(const struct conf_key *f, const struct conf *c, uint32_t i)
{
	return (char *)(uintptr_t)c + f->at + (size_t)i * f->size;
}

static uint8_t *
row_used(const struct conf_key *f, char *row)
{
	return (uint8_t *)row + conf_scopes[f->scope].used_at;
}

/* Bots, centres and sites share an array; a kind that changed is another. */
static bool
same_kind(const struct conf_key *f, const char *row)
{
	return f->scope != SCOPE_HELPER ||
	       ((const struct conf_helper *)(const void *)row)->kind == f->kind;
}

static uint16_t
family_find(
    const struct conf_key *f, const struct conf *c, struct hf_slice name)
{
	for (uint32_t i = 0; i < conf_count(f, c); i++) {
		char *row = row_at(f, c, i);

		if (*row_used(f, row) && same_kind(f, row) &&
		    hf_slice_eq(hf_slice_of(row), name))
			return (uint16_t)i;
	}
	return CONF_NONE;
}

static void
row_take(
    struct load *l, const struct conf_key *f, uint16_t i, struct hf_slice name)
{
	char *row = row_at(f, l->out, i);

	memcpy(row, name.p, name.n);
	*row_used(f, row) = 1;
	if (f->scope == SCOPE_HELPER)
		((struct conf_helper *)(void *)row)->kind = f->kind;
	if (conf_count(f, l->out) <= i)
		conf_count_set(f, l->out, i + 1U);
}

/* A row that nobody had, else one that nobody has any more. */
static uint16_t
row_free(const struct load *l, const struct conf_key *f)
{
	uint16_t second = CONF_NONE;

	for (uint16_t i = 0; i < f->items; i++) {
		if (*row_used(f, row_at(f, l->out, i)))
			continue;
		if (l->old == NULL || !*row_used(f, row_at(f, l->old, i)))
			return i;
		if (second == CONF_NONE)
			second = i;
	}
	return second;
}

static bool
check_name(struct load *l, const struct conf_key *f, uint32_t node)
{
	char text[CONF_NUMBER_MAX], why[CONF_PROBLEM_TEXT];
	struct hf_buf b = hf_buf_on(why, sizeof(why) - 1);
	struct conf_key name = {
		.type = f->scope == SCOPE_NUMBER ? CONF_T_DIALLED : CONF_T_NAME,
		.size = conf_scopes[f->scope].name_size,
	};

	if (conf_value_parse(&name, l->tree.node[node].text, text, &b))
		return true;
	why[b.n] = '\0';
	load_wrong(l, load_mark(l, node), "%s", why);
	return false;
}

/* A helper's name in messages and commands does not say its kind. */
static bool
check_taken(struct load *l, const struct conf_key *f, uint32_t node)
{
	static const char *const kinds[] = { "bots", "centres", "sites" };
	struct hf_slice name = l->tree.node[node].text;

	for (uint16_t i = 0; f->scope == SCOPE_HELPER && i < l->out->helpers;
	     i++) {
		const struct conf_helper *h = &l->out->helper[i];

		if (!h->used || h->kind == f->kind ||
		    !hf_slice_eq(hf_slice_of(h->name), name))
			continue;
		load_wrong(l, load_mark(l, node),
		    "\"%s\" is already a name under %s; choose another",
		    h->name, kinds[h->kind]);
		return false;
	}
	return true;
}

static void
place_new(struct load *l, const struct conf_key *f, uint32_t node)
{
	struct node *n = &l->tree.node[node];
	uint16_t i;

	if (!check_name(l, f, node) || !check_taken(l, f, node))
		return;
	i = row_free(l, f);
	if (i == CONF_NONE) {
		load_wrong(l, load_mark(l, node),
		    "too many of them; at most %u", f->items);
		return;
	}
	row_take(l, f, i, n->text);
	n->place = i;
}

static void
place_family(struct load *l, const struct conf_key *f)
{
	uint32_t key = tree_key(&l->tree, l->tree.root, f->name), map, m;
	size_t back = load_enter(l, hf_slice_of(f->name));
	struct node *n = l->tree.node;

	map = key == 0 ? 0 : n[key].value;
	if (map == 0 || n[map].kind != NODE_MAP)
		map = 0; /* fill_family() tells */
	/* Those we know keep their rows; only then newcomers choose. */
	for (m = map == 0 ? 0 : n[map].first; m != 0; m = n[m].next) {
		uint16_t was = l->old == NULL
				   ? CONF_NONE
				   : family_find(f, l->old, n[m].text);

		if (was == CONF_NONE || *row_used(f, row_at(f, l->out, was)))
			continue;
		row_take(l, f, was, n[m].text);
		n[m].place = was;
	}
	for (m = map == 0 ? 0 : n[map].first; m != 0; m = n[m].next)
		if (n[m].place == CONF_NONE &&
		    family_find(f, l->out, n[m].text) == CONF_NONE)
			place_new(l, f, m);
	load_leave(l, back);
}

/* ---- what is not known --------------------------------------------------- */

static void
tell_unknown_key(struct load *l, enum conf_scope in, uint32_t key)
{
	const char *names[64];
	struct hf_slice text = l->tree.node[key].text;
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < conf_keys_nr; i++)
		if (conf_keys[i].in == in && n < HF_LEN(names))
			names[n++] = conf_keys[i].name;
	near = nearest(text, names, n);
	load_wrong(l, load_mark(l, key), "\"%.*s\" is not a key here; %s%s%s",
	    (int)(text.n > 48 ? 48 : text.n), text.p,
	    near != NULL ? "did you mean \"" : "see holdfast.conf(5)",
	    near != NULL ? near : "", near != NULL ? "\"?" : "");
}

static void
tell_unknown_name(struct load *l, enum conf_scope scope, int kind,
    uint32_t node, const char *section)
{
	const char *names[CANDIDATES_MAX];
	struct hf_slice text = l->tree.node[node].text;
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *f = &conf_keys[i];

		if (f->type != CONF_T_FAMILY || f->scope != scope ||
		    (scope == SCOPE_HELPER && f->kind != kind))
			continue;
		for (uint32_t r = 0; r < conf_count(f, l->out); r++) {
			char *row = row_at(f, l->out, r);

			if (*row_used(f, row) && same_kind(f, row) &&
			    n < HF_LEN(names))
				names[n++] = row;
		}
	}
	near = nearest(text, names, n);
	if (near != NULL)
		load_wrong(l, load_mark(l, node),
		    "\"%.*s\" is not a name under %s; did you mean \"%s\"?",
		    (int)(text.n > 48 ? 48 : text.n), text.p, section, near);
	else
		load_wrong(l, load_mark(l, node),
		    "\"%.*s\" is not a name under %s; add it there or "
		    "correct it here",
		    (int)(text.n > 48 ? 48 : text.n), text.p, section);
}

/* ---- values -------------------------------------------------------------- */

static void
tell_kind(struct load *l, const struct conf_key *k, uint32_t node)
{
	static const char *const is[] = {
		[NODE_SCALAR] = "a single value",
		[NODE_MAP] = "a mapping",
		[NODE_LIST] = "a list",
	};

	load_wrong(l, load_mark(l, node), "%s stands here, not %s%s; write %s",
	    is[l->tree.node[node].kind],
	    k->items > 0 && k->type != CONF_T_RUNGS ? "a list of: " : "",
	    conf_type_name(k->type), conf_type_how(k->type));
}

static const struct conf_key *
family_of(enum conf_scope scope, uint8_t kind)
{
	for (size_t i = 0; i < conf_keys_nr; i++)
		if (conf_keys[i].type == CONF_T_FAMILY &&
		    conf_keys[i].scope == scope &&
		    (scope != SCOPE_HELPER || conf_keys[i].kind == kind))
			return &conf_keys[i];
	hf_never("a scope that no family opens");
}

static bool
fill_ref(struct load *l, const struct conf_key *k, uint32_t node, void *at)
{
	const struct conf_key *f = family_of(k->scope, 0);
	uint16_t i = family_find(f, l->out, l->tree.node[node].text);

	if (i == CONF_NONE) {
		tell_unknown_name(l, k->scope, 0, node, f->name);
		return false;
	}
	*(uint16_t *)at = i;
	return true;
}

static bool
fill_one(struct load *l, const struct conf_key *k, uint32_t node, void *at)
{
	char why[CONF_PROBLEM_TEXT];
	struct hf_buf b = hf_buf_on(why, sizeof(why) - 1);

	if (l->tree.node[node].kind != NODE_SCALAR) {
		tell_kind(l, k, node);
		return false;
	}
	if (k->type == CONF_T_REF)
		return fill_ref(l, k, node, at);
	if (conf_value_parse(k, l->tree.node[node].text, at, &b))
		return true;
	why[b.n] = '\0';
	load_wrong(l, load_mark(l, node), "%s", why);
	return false;
}

/* A list with one member may stand without its brackets. */
static void
fill_list(struct load *l, const struct conf_key *k, uint32_t node, void *base)
{
	const struct node *n = l->tree.node;
	char *at = (char *)base + k->at;
	uint32_t i = n[node].kind == NODE_LIST ? n[node].first : node, nr = 0;

	if (n[node].kind == NODE_MAP) {
		tell_kind(l, k, node);
		return;
	}
	if (n[node].kind == NODE_SCALAR && k->count_size == 0) {
		load_wrong(l, load_mark(l, node),
		    "one value stands here; write a list of %u", k->items);
		return;
	}
	if (n[node].kind == NODE_LIST &&
	    ((k->required && i == 0) ||
		(k->count_size == 0 && n[node].members != k->items))) {
		load_wrong(l, load_mark(l, node),
		    "this list has %u members; write %s%u", n[node].members,
		    k->count_size == 0 ? "" : "1 to ", k->items);
		return;
	}
	for (; i != 0; i = n[node].kind == NODE_LIST ? n[i].next : 0) {
		if (nr == k->items) {
			load_wrong(l, load_mark(l, i),
			    "too many members; at most %u", k->items);
			break;
		}
		if (fill_one(l, k, i, at + (size_t)nr * k->size))
			nr++;
	}
	conf_count_set(k, base, nr);
}

/* ---- secrets ------------------------------------------------------------- */

static bool
secret_take(struct load *l, struct mark at, const char *path, char *to)
{
	char text[CONF_NUMBER_MAX + 2];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	ssize_t n;

	if (fd < 0) {
		if (errno == EACCES)
			load_wrong(l, at,
			    "%s cannot be read (%s); let who runs this read "
			    "it, and nobody else",
			    path, strerror(errno));
		else
			load_wrong(l, at,
			    "%s cannot be read (%s); make the file, with the "
			    "secret in its only line",
			    path, strerror(errno));
		return false;
	}
	n = fstat(fd, &st) == 0 && S_ISREG(st.st_mode)
		? read(fd, text, sizeof(text))
		: -1;
	close(fd);
	if (n < 0) {
		load_wrong(l, at, "%s is not a file; name a plain file", path);
		return false;
	}
	/* RFC 7616: whoever reads it can be this agent. */
	if (st.st_mode & (S_IWGRP | S_IXGRP | S_IRWXO)) {
		load_wrong(l, at,
		    "%s may be read or written by others (mode %03o); say "
		    "chmod 600 %s",
		    path, st.st_mode & 0777, path);
		return false;
	}
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (n == 0 || n >= CONF_NUMBER_MAX ||
	    memchr(text, '\n', (size_t)n) != NULL ||
	    memchr(text, '\0', (size_t)n) != NULL) {
		load_wrong(l, at,
		    "%s %s; write the secret, 1 to %d characters, in its only "
		    "line",
		    path, n == 0 ? "is empty" : "does not hold one secret",
		    CONF_NUMBER_MAX - 1);
		return false;
	}
	memcpy(to, text, (size_t)n);
	explicit_bzero(text, sizeof(text));
	return true;
}

static void
fill_secret(
    struct load *l, const struct conf_key *k, uint32_t node, const void *row)
{
	struct conf_key path = *k;
	char text[CONF_PATH_MAX], full[sizeof(l->folder) + CONF_PATH_MAX];

	path.size = sizeof(text);
	if (!fill_one(l, &path, node, text) || l->secrets == NULL)
		return;
	snprintf(
	    full, sizeof(full), "%s%s", text[0] == '/' ? "" : l->folder, text);
	(void)secret_take(l, load_mark(l, node), full,
	    k->in == SCOPE_TRUNK
		? l->secrets
		      ->trunk[(const struct conf_trunk *)row - l->out->trunk]
		: l->secrets
		      ->agent[(const struct conf_agent *)row - l->out->agent]);
}

/* ---- ladders ------------------------------------------------------------- */

static const struct rung_kind {
	enum conf_rung_kind kind;
	enum conf_scope scope; /* SCOPE_ROOT: a number */
	uint8_t helper;        /* enum conf_helper_kind */
} rung_kinds[CONF_RUNG_KINDS] = {
	{ CONF_RUNG_BOT, SCOPE_HELPER, CONF_BOT },
	{ CONF_RUNG_CENTRE, SCOPE_HELPER, CONF_CENTRE },
	{ CONF_RUNG_QUEUE, SCOPE_QUEUE, 0 },
	{ CONF_RUNG_SITE, SCOPE_HELPER, CONF_SITE },
	{ CONF_RUNG_NUMBER, SCOPE_ROOT, 0 },
	{ CONF_RUNG_VOICEMAIL, SCOPE_BOX, 0 },
};

static bool
fill_rung_number(struct load *l, uint32_t node, struct conf_rung *r)
{
	static const struct conf_key key = { .type = CONF_T_DIALLED,
		.size = CONF_NUMBER_MAX };

	r->row = CONF_NONE;
	if (!fill_one(l, &key, node, r->number))
		return false;
	if (conf_may_call(l->out, r->number))
		return true;
	load_wrong(l, load_mark(l, node),
	    "\"%s\" may not be called; add it to outbound.allow", r->number);
	return false;
}

/* A box comes into being by its name, unless the file lists the boxes. */
static bool
box_made(struct load *l, const struct conf_key *f, uint32_t node, uint16_t *row)
{
	struct hf_slice name = l->tree.node[node].text;

	if (tree_key(&l->tree, l->tree.root, f->name) != 0 ||
	    !check_name(l, f, node))
		return false;
	*row = l->old == NULL ? CONF_NONE : family_find(f, l->old, name);
	if (*row == CONF_NONE || *row_used(f, row_at(f, l->out, *row)))
		*row = row_free(l, f);
	if (*row == CONF_NONE)
		return false;
	row_take(l, f, *row, name);
	fill_scope(l, SCOPE_BOX, 0, load_mark(l, node), row_at(f, l->out, *row),
	    false);
	return true;
}

static bool
fill_rung_name(struct load *l, const struct rung_kind *k, uint32_t node,
    struct conf_rung *r)
{
	const struct conf_key *f = family_of(k->scope, k->helper);
	uint32_t errors = l->report->errors;

	if (l->tree.node[node].kind != NODE_SCALAR) {
		static const struct conf_key name = { .type = CONF_T_REF };

		tell_kind(l, &name, node);
		return false;
	}
	r->row = family_find(f, l->out, l->tree.node[node].text);
	if (r->row != CONF_NONE ||
	    (k->scope == SCOPE_BOX && box_made(l, f, node, &r->row)))
		return true;
	if (l->report->errors == errors)
		tell_unknown_name(l, k->scope, k->helper, node, f->name);
	return false;
}

static bool
fill_rung(struct load *l, uint32_t node, struct conf_rung *r)
{
	const struct node *n = l->tree.node;
	const char *names[CONF_RUNG_KINDS], *near;
	uint32_t key = n[node].first;

	if (n[node].kind != NODE_MAP || n[node].members != 1) {
		load_wrong(l, load_mark(l, node),
		    "this is not a rung; write one pair, like %s",
		    "{ queue: sales }");
		return false;
	}
	for (size_t i = 0; i < HF_LEN(rung_kinds); i++) {
		names[i] = conf_rung_kind_name(rung_kinds[i].kind);
		if (!hf_slice_eq(n[key].text, hf_slice_of(names[i])))
			continue;
		r->kind = (uint8_t)rung_kinds[i].kind;
		return rung_kinds[i].scope == SCOPE_ROOT
			   ? fill_rung_number(l, n[key].value, r)
			   : fill_rung_name(l, &rung_kinds[i], n[key].value, r);
	}
	near = nearest(n[key].text, names, HF_LEN(names));
	load_wrong(l, load_mark(l, key),
	    "\"%.*s\" is not a kind of rung; %s%s%s",
	    (int)(n[key].text.n > 48 ? 48 : n[key].text.n), n[key].text.p,
	    near != NULL ? "did you mean \"" : "there are bot, centre, queue, ",
	    near != NULL ? near : "site, number and voicemail",
	    near != NULL ? "\"?" : "");
	return false;
}

static void
fill_rungs(struct load *l, const struct conf_key *k, uint32_t node, void *base)
{
	const struct node *n = l->tree.node;
	struct conf_ladder *ladder = base;
	uint32_t i;

	if (n[node].kind != NODE_LIST) {
		tell_kind(l, k, node);
		return;
	}
	if (n[node].members == 0)
		load_wrong(l, load_mark(l, node),
		    "a ladder without rungs helps nobody; write %s",
		    conf_type_how(k->type));
	for (i = n[node].first; i != 0; i = n[i].next) {
		if (ladder->rungs == CONF_RUNGS_MAX) {
			load_wrong(l, load_mark(l, i),
			    "too many rungs; at most %d", CONF_RUNGS_MAX);
			return;
		}
		if (fill_rung(l, i, &ladder->rung[ladder->rungs]))
			ladder->rungs++;
	}
}

/* ---- scopes -------------------------------------------------------------- */

static void
fill_default(const struct conf_key *k, void *base)
{
	char *at = (char *)base + k->at;
	char apart = k->type == CONF_T_TEXT ? ',' : ' ';
	struct hf_slice rest;
	uint32_t nr = 0;

	if (k->def == NULL || *k->def == '\0')
		return;
	rest = hf_slice_of(k->def);
	while (rest.n > 0) {
		size_t end = k->items > 0 ? hf_slice_find(rest, apart) : rest.n;
		char why[CONF_PROBLEM_TEXT];
		struct hf_buf b = hf_buf_on(why, sizeof(why));
		bool ok = conf_value_parse(k, (struct hf_slice){ rest.p, end },
		    at + (size_t)nr++ * k->size, &b);

		hf_assert(ok); /* the table's own default */
		end += end < rest.n;
		rest = (struct hf_slice){ rest.p + end, rest.n - end };
	}
	if (k->items > 0)
		conf_count_set(k, base, nr);
}

static void
fill_member(struct load *l, const struct conf_key *f, uint32_t key)
{
	const struct node *n = l->tree.node;
	uint32_t map = n[key].value;
	char *row = row_at(f, l->out, n[key].place);
	size_t back = load_enter(l, n[key].text);

	if (f->scope == SCOPE_HELPER)
		((struct conf_helper *)(void *)row)->guard = l->out->guard;
	fill_scope(l, f->scope, map, load_mark(l, key), row, false);
	load_leave(l, back);
}

/* "queues:" or "sales:" with nothing behind it is a mapping with no keys. */
static bool
is_nothing(const struct node *n)
{
	return n->kind == NODE_SCALAR && n->text.n == 0;
}

static void
fill_family(struct load *l, const struct conf_key *f, uint32_t key)
{
	const struct node *n = l->tree.node;
	uint32_t map = n[key].value;

	if (n[map].kind != NODE_MAP) {
		if (!is_nothing(&n[map]))
			tell_kind(l, f, map);
		return;
	}
	for (uint32_t m = n[map].first; m != 0; m = n[m].next)
		if (n[m].place != CONF_NONE)
			fill_member(l, f, m);
}

static void
fill_key(struct load *l, const struct conf_key *k, uint32_t key, void *base)
{
	const struct node *n = l->tree.node;
	uint32_t value = n[key].value;

	if (k->type == CONF_T_SECTION)
		fill_scope(l, k->scope, value, load_mark(l, key),
		    (char *)base + k->at, k->in != SCOPE_ROOT);
	else if (k->type == CONF_T_FAMILY)
		fill_family(l, k, key);
	else if (k->type == CONF_T_SECRET)
		fill_secret(l, k, value, base);
	else if (k->items > 0)
		fill_list(l, k, value, base);
	else
		fill_one(l, k, value, (char *)base + k->at);
	if (l->report->origin != NULL && k->type != CONF_T_SECTION &&
	    k->type != CONF_T_FAMILY)
		l->report->origin(l->report->origin_arg, l->path, n[key].line);
}

/* The member of a family is itself the value: ladders and numbers. */
static bool
fill_bare(struct load *l, const struct conf_key *k, uint32_t node,
    struct mark at, void *base)
{
	if (k->name[0] != '\0')
		return false;
	if (k->type == CONF_T_RUNGS)
		fill_rungs(l, k, node, base);
	else
		fill_one(l, k, node, (char *)base + k->at);
	if (l->report->origin != NULL)
		l->report->origin(l->report->origin_arg, l->path, at.line);
	return true;
}

static void
check_known(struct load *l, enum conf_scope in, uint32_t map)
{
	const struct node *n = l->tree.node;

	for (uint32_t m = n[map].first; m != 0; m = n[m].next) {
		size_t i;

		for (i = 0; i < conf_keys_nr; i++)
			if (conf_keys[i].in == in &&
			    hf_slice_eq(
				n[m].text, hf_slice_of(conf_keys[i].name)))
				break;
		if (i == conf_keys_nr)
			tell_unknown_key(l, in, m);
	}
}

/*
 * The keys of one mapping, in the order of the table.  inherit: keys that are
 * not there keep what base holds already (a helper's guard).
 */
static void
fill_scope(struct load *l, enum conf_scope in, uint32_t map, struct mark at,
    void *base, bool inherit)
{
	const struct node *n = l->tree.node;

	if (map != 0 && is_nothing(&n[map]) && in != SCOPE_LADDER &&
	    in != SCOPE_NUMBER)
		map = 0;
	for (size_t i = 0; i < conf_keys_nr; i++)
		if (conf_keys[i].in == in &&
		    fill_bare(l, &conf_keys[i], map, at, base))
			return;
	if (map != 0 && n[map].kind != NODE_MAP) {
		static const struct conf_key section = { .type =
							     CONF_T_SECTION };

		tell_kind(l, &section, map);
		return;
	}
	if (map != 0)
		check_known(l, in, map);
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];
		uint32_t key =
		    k->in == in ? tree_key(&l->tree, map, k->name) : 0;
		size_t back;

		if (k->in != in)
			continue;
		back = load_enter(l, hf_slice_of(k->name));
		/* Below a section that is not there lie its defaults. */
		if (k->type == CONF_T_SECTION && key == 0 && in == SCOPE_ROOT)
			fill_scope(
			    l, k->scope, 0, at, (char *)base + k->at, false);
		else if (!inherit && k->type < CONF_T_REF)
			fill_default(k, base);
		if (key != 0)
			fill_key(l, k, key, base);
		load_leave(l, back);
		if (key == 0 && k->required)
			load_wrong(l, at, "\"%s\" is missing; write %s: %s",
			    k->name, k->name, k->example);
	}
	rules_scope(l, in, map, at, base);
}

void
fill_all(struct load *l)
{
	const struct node *n = l->tree.node;
	uint32_t root = l->tree.root;

	if (root != 0 && n[root].kind != NODE_MAP) {
		load_wrong(l, load_mark(l, root),
		    "the file is not a mapping; write keys and values, "
		    "see holdfast.conf(5)");
		return;
	}
	for (size_t i = 0; i < conf_keys_nr; i++)
		if (conf_keys[i].type == CONF_T_FAMILY)
			place_family(l, &conf_keys[i]);
	fill_scope(l, SCOPE_ROOT, root, (struct mark){ 1, 1 }, l->out, false);
}
