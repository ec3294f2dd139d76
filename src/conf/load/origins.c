/* conf/load/origins - see origins.h */

#include <string.h>

#include "base/hash.h"
#include "conf/load/origins.h"

/* The operator's own words: nobody is to be surprised by collisions. */
static uint64_t
hashed(const char *path)
{
	static const struct hf_hash_key key;

	return hf_hash(&key, path, strlen(path));
}

static void
note(void *arg, const char *path, uint32_t line)
{
	struct conf_origins *o = arg;

	if (o->n == CONF_ORIGINS_MAX)
		return;
	o->row[o->n].path = hashed(path);
	o->row[o->n++].line = line;
}

void
conf_origins_hear(struct conf_origins *o, struct conf_report *report)
{
	o->n = 0;
	report->origin = note;
	report->origin_arg = o;
}

uint32_t
conf_origins_line(const struct conf_origins *o, const char *path)
{
	uint64_t h = hashed(path);

	for (uint32_t i = 0; i < o->n; i++)
		if (o->row[i].path == h)
			return o->row[i].line;
	return 0;
}
