/*
 * conf/keys - the configuration's schema: one row a key.  The loader, the
 * manual page, hfctl's listing and the tests all walk this table, so a new key
 * is one row here and one field in conf.h.
 *
 * A key lives in a scope (a mapping of the file).  Some keys open another
 * scope: a section ("sip:") has fixed keys, a family ("bots:") has one member
 * for each name the operator makes up.
 *
 *      root -- sip:  { listen: ... }
 *           \- bots: { cloud-a: { to: ..., guard: { voice: ... } } }
 */
#ifndef HF_CONF_KEYS_H
#define HF_CONF_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/slice.h"
#include "conf/conf.h"

enum conf_scope {
	SCOPE_ROOT,
	SCOPE_SIP,
	SCOPE_RTP,
	SCOPE_GUARD,
	SCOPE_KEEPER,
	SCOPE_STORE,
	SCOPE_PROMPTS,
	SCOPE_CODES,
	SCOPE_OUTBOUND,
	SCOPE_CALLS,
	SCOPE_EMERGENCY,
	SCOPE_TRUNK,
	SCOPE_HELPER,
	SCOPE_QUEUE,
	SCOPE_AGENT,
	SCOPE_BOX,
	SCOPE_LADDER,
	SCOPE_NUMBER,
};
enum { SCOPE_NR = SCOPE_NUMBER + 1 };

enum conf_type {
	CONF_T_NAME,    /* char[]: letters, digits, . - _ */
	CONF_T_TEXT,    /* char[]: anything that can be printed */
	CONF_T_PATH,    /* char[]: a file or folder */
	CONF_T_DIALLED, /* char[]: what a phone can dial */
	CONF_T_PATTERN, /* char[]: dialled, or a beginning and a star */
	CONF_T_SPAN,    /* struct hf_span; limits in microseconds */
	CONF_T_COUNT,   /* u16 or u32 */
	CONF_T_PERCENT, /* u32 */
	CONF_T_BYTES,   /* u32 */
	CONF_T_BOOL,    /* u8 */
	CONF_T_CHOICE,  /* u8, place in words */
	CONF_T_IP,      /* struct hf_addr without a port */
	CONF_T_SERVER,  /* struct hf_addr; its port may be left out */
	CONF_T_LISTEN,  /* struct conf_listen */
	CONF_T_TARGET,  /* struct conf_target */
	CONF_T_NET,     /* struct hf_net */
	CONF_T_PORTS,   /* u16 first, u16 last */
	CONF_T_REF,     /* u16: place of a name in the family of .scope */
	CONF_T_SECRET,  /* a file; its line goes to conf_secrets */
	CONF_T_RUNGS,   /* struct conf_rung[] */
	CONF_T_SECTION,
	CONF_T_FAMILY,
};
enum { CONF_T_NR = CONF_T_FAMILY + 1 };

struct conf_key {
	const char *name; /* empty: the member itself is the value */
	enum conf_scope in;
	enum conf_type type;
	bool required;
	bool restart;          /* a change takes a restart of the house */
	uint8_t kind;          /* family of helpers: enum conf_helper_kind */
	enum conf_scope scope; /* opened by it, or referred to */
	uint32_t at, size;     /* in the scope's struct; size of one item */
	uint32_t items;        /* most of a list; 0: one value */
	uint32_t count_at, count_size;
	int64_t min, max;
	const char *const *words; /* CONF_T_CHOICE; NULL-terminated */
	const char *def;      /* as one would write it; items apart by blanks,
			       * texts, which may have some, by commas */
	const char *def_said; /* in words, when def cannot say it */
	const char *example;  /* where there is no def: a value for the page */
	const char *help;
};

extern const struct conf_key conf_keys[];
extern const size_t conf_keys_nr;

/* What a scope is, for messages and the manual page. */
struct conf_scope_row {
	const char *one; /* "bot": a member of the family */
	const char *help;
	uint32_t size;      /* of its struct */
	uint32_t name_size; /* families: the struct begins with its name */
	uint32_t used_at;   /* families: u8, the row is taken */
};

extern const struct conf_scope_row conf_scopes[SCOPE_NR];

/* "a span of time", and how one writes it: "a number and a unit, like 3s". */
const char *conf_type_name(enum conf_type t);
const char *conf_type_how(enum conf_type t);

/*
 * One value from the text of the file to its place.  False when it is not one;
 * why then says "what is wrong; what to do" (without the key's name).  The
 * types CONF_T_REF and up are the loader's own and not for this.
 */
bool conf_value_parse(const struct conf_key *k, struct hf_slice text, void *at,
    struct hf_buf *why);

/* The way back: what one would write.  c gives the names for CONF_T_REF. */
void conf_value_put(const struct conf_key *k, const void *at,
    const struct conf *c, struct hf_buf *b);

/* Members of a list; reads and writes the u8, u16 or u32 at count_at. */
uint32_t conf_count(const struct conf_key *k, const void *scope);
void conf_count_set(const struct conf_key *k, void *scope, uint32_t n);

/* Each effective value: path as "bots.cloud-a.guard.voice", value and default
 * as text.  Secrets are not in it. */
typedef void conf_each_fn(
    void *arg, const char *path, const char *value, const struct conf_key *k);
void conf_each(const struct conf *c, conf_each_fn *fn, void *arg);

/* Each value of a key that takes a restart and that is not what it was. */
void conf_each_restart(const struct conf *old, const struct conf *new,
    conf_each_fn *fn, void *arg);

#endif
