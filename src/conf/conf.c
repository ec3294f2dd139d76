/* conf - look-ups in the snapshot; see conf.h */

#include <string.h>

#include "base/check.h"
#include "conf/conf.h"

/* Each family is an array of rows with a name and a flag. */
#define FIND(rows, count, field, wanted)                                       \
	do {                                                                   \
		for (uint16_t i_ = 0; i_ < (count); i_++)                      \
			if ((rows)[i_].used &&                                 \
			    strcmp((rows)[i_].field, (wanted)) == 0)           \
				return i_;                                     \
		return CONF_NONE;                                              \
	} while (0)

uint16_t
conf_helper_find(const struct conf *c, const char *name)
{
	FIND(c->helper, c->helpers, name, name);
}

uint16_t
conf_queue_find(const struct conf *c, const char *name)
{
	FIND(c->queue, c->queues, name, name);
}

uint16_t
conf_agent_find(const struct conf *c, const char *name)
{
	FIND(c->agent, c->agents, name, name);
}

uint16_t
conf_trunk_find(const struct conf *c, const char *name)
{
	FIND(c->trunk, c->trunks, name, name);
}

uint16_t
conf_box_find(const struct conf *c, const char *name)
{
	FIND(c->box, c->boxes, name, name);
}

uint16_t
conf_ladder_find(const struct conf *c, const char *name)
{
	FIND(c->ladder, c->ladders, name, name);
}

uint16_t
conf_ladder_for(const struct conf *c, const char *number)
{
	for (uint16_t i = 0; i < c->numbers; i++)
		if (c->number[i].used &&
		    strcmp(c->number[i].number, number) == 0)
			return c->number[i].ladder;
	return CONF_NONE;
}

bool
conf_may_call(const struct conf *c, const char *number)
{
	for (uint16_t i = 0; i < c->outbound.allows; i++) {
		const char *a = c->outbound.allow[i];
		size_t n = strlen(a);

		if (n > 0 && a[n - 1] == '*' ? strncmp(a, number, n - 1) == 0
					     : strcmp(a, number) == 0)
			return true;
	}
	return false;
}

uint16_t
conf_sos_find(const struct conf *c, const char *number)
{
	for (uint16_t i = 0; i < c->emergency.numbers; i++)
		if (strcmp(c->emergency.number[i], number) == 0)
			return i;
	return CONF_NONE;
}

uint32_t
conf_streams(const struct conf *c)
{
	return ((uint32_t)c->rtp.port_last - c->rtp.port_first + 1) / 2;
}

uint32_t
conf_sos_first(const struct conf *c)
{
	enum { SHARE = 8, A_CALL = 2 };
	uint32_t most = conf_streams(c) / SHARE / A_CALL;
	uint32_t calls = c->emergency.calls;

	/* One at least, where there is room for any call beside it. */
	if (most == 0 && conf_streams(c) >= 2 * A_CALL)
		most = 1;
	return conf_streams(c) - A_CALL * (calls < most ? calls : most);
}

uint16_t
conf_retry_after(const struct conf *c)
{
	enum { US_PER_S = 1000000 };

	return (uint16_t)((c->sip.retry_after.us + US_PER_S - 1) / US_PER_S);
}

const char *
conf_rung_kind_name(enum conf_rung_kind k)
{
	static const char *const name[CONF_RUNG_KINDS] = {
		[CONF_RUNG_BOT] = "bot",
		[CONF_RUNG_CENTRE] = "centre",
		[CONF_RUNG_QUEUE] = "queue",
		[CONF_RUNG_SITE] = "site",
		[CONF_RUNG_NUMBER] = "number",
		[CONF_RUNG_VOICEMAIL] = "voicemail",
	};

	hf_assert((unsigned int)k < CONF_RUNG_KINDS);
	return name[k];
}

bool
conf_agent_left(const struct conf *old, const struct conf *new, uint16_t agent)
{
	const struct conf_agent *was = &old->agent[agent];
	const struct conf_agent *is = &new->agent[agent];

	return was->used && (!is->used || strcmp(was->name, is->name) != 0);
}

const char *
conf_rung_title(const struct conf *c, const struct conf_rung *r)
{
	switch ((enum conf_rung_kind)r->kind) {
	case CONF_RUNG_BOT:
	case CONF_RUNG_CENTRE:
	case CONF_RUNG_SITE:
		return c->helper[r->row].name;
	case CONF_RUNG_QUEUE:
		return c->queue[r->row].name;
	case CONF_RUNG_NUMBER:
		return r->number;
	case CONF_RUNG_VOICEMAIL:
		return c->box[r->row].name;
	}
	hf_never("no such kind of rung");
}
