/*
 * conf/load/rules - what a row of the key table cannot say: values that must
 * fit together, and files that must be there.
 */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conf/load/walk.h"

/* The first of these keys that is in the file, else where the map is. */
static struct mark
mark_of(const struct load *l, uint32_t map, struct mark at, const char *a,
    const char *b)
{
	uint32_t key = tree_key(&l->tree, map, a);

	if (key == 0 && b != NULL)
		key = tree_key(&l->tree, map, b);
	return key == 0 ? at : load_mark(l, l->tree.node[key].value);
}

/* An order between two spans of one scope. */
struct order {
	const char *less, *more;
	size_t less_at, more_at;
	bool equal; /* may be the same */
};

static void
check_orders(struct load *l, uint32_t map, struct mark at, const void *base,
    const struct order *o, size_t n)
{
	for (size_t i = 0; i < n; i++, o++) {
		const char *b = base;
		int64_t less =
		    ((const struct hf_span *)(const void *)(b + o->less_at))
			->us;
		int64_t more =
		    ((const struct hf_span *)(const void *)(b + o->more_at))
			->us;

		if (less < more || (o->equal && less == more))
			continue;
		load_wrong(l, mark_of(l, map, at, o->less, o->more),
		    "%s (%" PRId64 "ms) must be below %s (%" PRId64
		    "ms); change one of them",
		    o->less, less / 1000, o->more, more / 1000);
	}
}

#define ORDER(s, a, b, eq)                                                     \
	{                                                                      \
#a, #b, offsetof(struct s, a), offsetof(struct s, b), (eq)     \
	}

static void
rules_guard(
    struct load *l, uint32_t map, struct mark at, const struct conf_guard *g)
{
	static const struct order orders[] = {
		ORDER(conf_guard, suspect, voice, false),
		ORDER(conf_guard, suspect, lost, false),
		ORDER(conf_guard, vote_after, lost, true),
		ORDER(conf_guard, patience_prompt, patience_lost, false),
		ORDER(conf_guard, rest_min, rest_max, true),
	};

	check_orders(l, map, at, g, orders, HF_LEN(orders));
	for (size_t i = 1; i < HF_LEN(g->ramp); i++)
		if (g->ramp[i] < g->ramp[i - 1]) {
			load_wrong(l, mark_of(l, map, at, "ramp", NULL),
			    "ramp goes down from %u%% to %u%%; write shares "
			    "that grow",
			    g->ramp[i - 1], g->ramp[i]);
			return;
		}
	if (g->ramp[HF_LEN(g->ramp) - 1] != 100)
		load_wrong(l, mark_of(l, map, at, "ramp", NULL),
		    "ramp ends at %u%%; let the last be 100%%",
		    g->ramp[HF_LEN(g->ramp) - 1]);
}

static void
rules_sip(
    struct load *l, uint32_t map, struct mark at, const struct conf_sip *s)
{
	static const struct order orders[] = {
		ORDER(conf_sip, t1, t2, true),
		ORDER(conf_sip, expires_min, expires_max, true),
	};

	check_orders(l, map, at, s, orders, HF_LEN(orders));
	for (uint16_t i = 0; i < s->listens; i++)
		for (uint16_t j = 0; j < i; j++)
			if (s->listen[i].transport == s->listen[j].transport &&
			    hf_addr_eq(&s->listen[i].addr, &s->listen[j].addr))
				load_wrong(l,
				    mark_of(l, map, at, "listen", NULL),
				    "the same address stands here twice; "
				    "remove one");
}

static void
rules_codes(
    struct load *l, uint32_t map, struct mark at, const struct conf_codes *c)
{
	const struct {
		const char *name, *code;
	} all[] = {
		{ "available", c->available },
		{ "not_ready", c->not_ready },
		{ "wrap_up_end", c->wrap_up_end },
		{ "voicemail", c->voicemail },
	};

	for (size_t i = 0; i < HF_LEN(all); i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(all[i].code, all[j].code) == 0)
				load_wrong(l,
				    mark_of(
					l, map, at, all[i].name, all[j].name),
				    "%s and %s are both \"%s\"; choose "
				    "another code for one",
				    all[j].name, all[i].name, all[i].code);
}

static void
warn_tls(
    struct load *l, uint32_t map, struct mark at, const struct conf_target *t)
{
	if (t->uri[0] != '\0' && t->transport == CONF_TLS)
		load_warn(l, mark_of(l, map, at, "to", NULL),
		    "SIP over TLS is not spoken by this version; calls to %s "
		    "pass on to the next target or rung",
		    t->uri);
}

/* Half of an account answers no challenge. */
static void
rules_trunk(
    struct load *l, uint32_t map, struct mark at, const struct conf_trunk *t)
{
	bool secret = tree_key(&l->tree, map, "secret_file") != 0;

	if (secret != (t->user[0] != '\0'))
		load_warn(l, mark_of(l, map, at, "user", "secret_file"),
		    "the trunk's challenges are not answered without %s; "
		    "write it too",
		    secret ? "user" : "secret_file");
	warn_tls(l, map, at, &t->to);
}

void
rules_scope(struct load *l, enum conf_scope scope, uint32_t map, struct mark at,
    void *base)
{
	const struct conf_helper *h = base;

	/* A value that was refused has left a hole: comparing it would tell
	 * the same trouble twice. */
	if (l->report->errors > 0)
		return;
	if (scope == SCOPE_GUARD)
		rules_guard(l, map, at, base);
	else if (scope == SCOPE_SIP)
		rules_sip(l, map, at, base);
	else if (scope == SCOPE_CODES)
		rules_codes(l, map, at, base);
	else if (scope == SCOPE_TRUNK)
		rules_trunk(l, map, at, base);
	else if (scope == SCOPE_HELPER)
		for (uint8_t i = 0; i < h->targets; i++)
			warn_tls(l, map, at, &h->to[i]);
}

/* ---- the whole ----------------------------------------------------------- */

static void
rules_ports(struct load *l)
{
	enum { STREAMS_PER_CALL = 2 };
	struct conf *c = l->out;
	const struct node *n = l->tree.node;
	uint32_t most = conf_sos_first(c) / STREAMS_PER_CALL;
	uint32_t key = tree_key(&l->tree, l->tree.root, "calls_max");

	if (c->calls_max <= most)
		return;
	if (key == 0)
		c->calls_max = most;
	else
		load_wrong(l, load_mark(l, n[key].value),
		    "rtp.ports %u-%u carry %u calls, not %u; lower calls_max "
		    "or widen rtp.ports",
		    c->rtp.port_first, c->rtp.port_last, most, c->calls_max);
}

static struct mark
mark_in(
    const struct load *l, const char *family, const char *name, const char *key)
{
	const struct node *n = l->tree.node;
	uint32_t i = tree_key(&l->tree, l->tree.root, family), j;

	if (i == 0)
		return (struct mark){ 1, 1 };
	j = tree_key(&l->tree, n[i].value, name);
	if (j == 0)
		return load_mark(l, i);
	return mark_of(l, n[j].value, load_mark(l, j), key, NULL);
}

static bool
is_code(const struct conf_codes *c, const char *dialled)
{
	return strcmp(dialled, c->available) == 0 ||
	       strcmp(dialled, c->not_ready) == 0 ||
	       strcmp(dialled, c->wrap_up_end) == 0 ||
	       strcmp(dialled, c->voicemail) == 0;
}

/* What an agent may dial means one thing only. */
static void
rules_extensions(struct load *l)
{
	struct conf *c = l->out;

	for (uint16_t i = 0; i < c->agents; i++) {
		const struct conf_agent *a = &c->agent[i];
		const char *clash = NULL;
		struct mark at;

		if (!a->used)
			continue;
		at = mark_in(l, "agents", a->name, "extension");
		if (conf_ladder_for(c, a->extension) != CONF_NONE)
			clash = "a number of this house";
		else if (is_code(&c->codes, a->extension))
			clash = "a code (see codes)";
		for (uint16_t j = 0; j < i && clash == NULL; j++)
			if (c->agent[j].used &&
			    strcmp(c->agent[j].extension, a->extension) == 0)
				clash = c->agent[j].name;
		if (clash != NULL)
			load_wrong(l, at,
			    "agents.%s: extension \"%s\" is already %s; "
			    "choose another",
			    a->name, a->extension, clash);
	}
}

static void
rules_outbound(struct load *l)
{
	const struct conf_outbound *o = &l->out->outbound;
	const struct node *n = l->tree.node;
	uint32_t key = tree_key(&l->tree, l->tree.root, "outbound");
	uint32_t map = key == 0 ? 0 : n[key].value;

	if (o->allows > 0 && o->vias == 0)
		load_wrong(l, mark_of(l, map, load_mark(l, key), "allow", NULL),
		    "outbound.allow has numbers, but outbound.via no trunk; "
		    "write via: [TRUNK]");
	for (uint16_t i = 0; i < o->vias; i++) {
		const struct conf_trunk *t = &l->out->trunk[o->via[i]];

		if (t->to.uri[0] == '\0')
			load_warn(l,
			    mark_of(l, map, load_mark(l, key), "via", NULL),
			    "trunk \"%s\" has no \"to\": no call can leave "
			    "over it; write trunks.%s.to: sip:ADDRESS",
			    t->name, t->name);
	}
}

/* Who has no trunk hears of it from hf-sip when it starts; but who has written
 * the numbers believes that they can be called. */
static void
rules_sos_ways(struct load *l, uint32_t map, struct mark at)
{
	struct conf_emergency *s = &l->out->emergency;
	const struct conf_outbound *o = &l->out->outbound;
	bool own = s->vias > 0;

	if (!own) {
		memcpy(s->via, o->via, sizeof(s->via));
		s->vias = o->vias;
	}
	if (s->vias == 0 && tree_key(&l->tree, map, "numbers") != 0 &&
	    s->numbers > 0)
		load_warn(l, mark_of(l, map, at, "numbers", NULL),
		    "emergency.numbers can be called over no trunk; write via: "
		    "[TRUNK] below emergency");
	for (uint16_t i = 0; own && i < s->vias; i++) {
		const struct conf_trunk *t = &l->out->trunk[s->via[i]];

		if (t->to.uri[0] == '\0')
			load_warn(l, mark_of(l, map, at, "via", NULL),
			    "trunk \"%s\" has no \"to\": no emergency call "
			    "can leave over it; write trunks.%s.to: "
			    "sip:ADDRESS",
			    t->name, t->name);
	}
}

/* Who dials for help must not end up on a ladder, at a desk or at a code. */
static void
rules_emergency(struct load *l)
{
	struct conf *c = l->out;
	struct conf_emergency *s = &c->emergency;
	const struct node *n = l->tree.node;
	uint32_t key = tree_key(&l->tree, l->tree.root, "emergency");
	uint32_t map = key == 0 ? 0 : n[key].value;
	struct mark at = key == 0 ? (struct mark){ 1, 1 } : load_mark(l, key);

	rules_sos_ways(l, map, at);
	if (s->sos[0] == '\0' && s->numbers > 0)
		memcpy(s->sos, s->number[0], sizeof(s->sos));
	for (uint16_t i = 0; s->vias > 0 && i < s->numbers; i++) {
		const char *number = s->number[i], *clash = NULL;

		if (conf_ladder_for(c, number) != CONF_NONE)
			clash = "a number of this house";
		else if (is_code(&c->codes, number))
			clash = "a code (see codes)";
		for (uint16_t k = 0; k < c->agents && clash == NULL; k++)
			if (c->agent[k].used &&
			    strcmp(c->agent[k].extension, number) == 0)
				clash = c->agent[k].name;
		if (clash != NULL)
			load_wrong(l, mark_of(l, map, at, "numbers", NULL),
			    "emergency.numbers: \"%s\" is also %s; change "
			    "that, "
			    "or name other numbers",
			    number, clash);
	}
}

/* ---- files --------------------------------------------------------------- */

/* A relative path starts at a folder, so that nobody later has to know. */
static bool
path_under(struct load *l, struct mark at, const char *folder, char *path)
{
	char full[512];
	bool slash = folder[0] != '\0' && folder[strlen(folder) - 1] != '/';

	if (path[0] == '\0' || path[0] == '/' || folder[0] == '\0')
		return true;
	if (snprintf(full, sizeof(full), "%s%s%s", folder, slash ? "/" : "",
		path) >= CONF_PATH_MAX) {
		load_wrong(l, at,
		    "%s is too long a path; at most %d characters", full,
		    CONF_PATH_MAX - 1);
		return false;
	}
	memcpy(path, full, strlen(full) + 1);
	return true;
}

static void
check_file(struct load *l, struct mark at, bool written, const char *what,
    const char *path)
{
	if (l->secrets == NULL || path[0] == '\0' || access(path, R_OK) == 0)
		return;
	if (written)
		load_wrong(l, at,
		    "%s: %s cannot be read; check the path, or remove the key",
		    what, path);
	else
		load_warn(l, at,
		    "%s: %s cannot be read; install "
		    "asterisk-core-sounds-en-wav and asterisk-moh-opsound-wav, "
		    "or name a file",
		    what, path);
}

static void
rules_prompts(struct load *l)
{
	struct conf_prompts *p = &l->out->prompts;
	const struct node *n = l->tree.node;
	uint32_t key = tree_key(&l->tree, l->tree.root, "prompts");
	uint32_t map = key == 0 ? 0 : n[key].value;

	path_under(l, mark_of(l, map, load_mark(l, key), "dir", NULL),
	    l->folder, p->dir);
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];
		char *path = (char *)p + k->at, what[64];
		struct mark at =
		    mark_of(l, map, load_mark(l, key), k->name, NULL);
		bool written = tree_key(&l->tree, map, k->name) != 0;

		if (k->in != SCOPE_PROMPTS)
			continue;
		snprintf(what, sizeof(what), "prompts.%s", k->name);
		if (path == p->dir || path_under(l, at, p->dir, path))
			check_file(l, at, written, what, path);
	}
}

static void
rules_sounds(struct load *l)
{
	struct conf *c = l->out;
	char what[64];

	for (uint16_t i = 0; i < c->queues; i++) {
		struct conf_queue *q = &c->queue[i];
		struct mark at = mark_in(l, "queues", q->name, "music");

		snprintf(what, sizeof(what), "queues.%s.music", q->name);
		if (q->used && path_under(l, at, c->prompts.dir, q->music))
			check_file(l, at, true, what, q->music);
	}
	for (uint16_t i = 0; i < c->boxes; i++) {
		struct conf_box *x = &c->box[i];
		struct mark at = mark_in(l, "voicemail", x->name, "greeting");

		snprintf(what, sizeof(what), "voicemail.%s.greeting", x->name);
		if (x->used && path_under(l, at, c->prompts.dir, x->greeting))
			check_file(l, at, true, what, x->greeting);
	}
}

static void
rules_folders(struct load *l)
{
	struct mark top = { 1, 1 };

	path_under(l, top, l->folder, l->out->keeper.run_dir);
	path_under(l, top, l->folder, l->out->store.dir);
	path_under(l, top, l->folder, l->out->store.spool);
}

/* Where the table's words for a default need another value. */
static void
settle_agents(struct conf *c)
{
	for (uint16_t i = 0; i < c->agents; i++) {
		struct conf_agent *a = &c->agent[i];

		if (!a->used)
			continue;
		if (a->extension[0] == '\0')
			memcpy(a->extension, a->name, sizeof(a->name));
		if (a->realm[0] == '\0')
			memcpy(a->realm, c->site, sizeof(c->site));
	}
}

void
rules_all(struct load *l)
{
	rules_folders(l);
	if (l->report->errors > 0)
		return;
	settle_agents(l->out);
	rules_ports(l);
	rules_extensions(l);
	rules_outbound(l);
	rules_emergency(l);
	rules_prompts(l);
	rules_sounds(l);
}
