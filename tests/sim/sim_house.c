/* tests/sim/sim_house - the house of a story becomes a configuration, by way
 * of the same YAML that an operator writes; see sim.h */

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf/load/load.h"
#include "sim/sim.h"

enum { START_US = 1000000000, WALL_US = 1700000000 };

struct sim_actor *
sim_find(struct sim *s, const char *name)
{
	for (unsigned i = 0; i < s->actors; i++) {
		if (strcmp(s->actor[i].name, name) == 0)
			return &s->actor[i];
	}
	return NULL;
}

struct sim_actor *
sim_actor_new(struct sim *s, const char *name, enum sim_role role)
{
	struct sim_actor *a = &s->actor[s->actors++];

	hf_assert(s->actors <= SIM_ACTORS);
	memset(a, 0, sizeof(*a));
	snprintf(a->name, sizeof(a->name), "%s", name);
	a->role = role;
	a->row = CONF_NONE;
	a->will.answer_ms = role == SIM_AGENT ? -1 : 20;
	a->says_since = s->now;
	for (unsigned i = 0; i < SIM_SOUNDS; i++)
		a->first_heard[i] = -1;
	return a;
}

/* ---- keys ---------------------------------------------------------------- */

static void __attribute__((format(printf, 3, 4)))
set(struct sim *s, const char *path, const char *fmt, ...)
{
	unsigned i = 0;
	va_list ap;

	while (i < s->keys && strcmp(s->key[i].path, path) != 0)
		i++;
	hf_assert(i < HF_LEN(s->key));
	s->keys += i == s->keys;
	snprintf(s->key[i].path, sizeof(s->key[i].path), "%s", path);
	va_start(ap, fmt);
	vsnprintf(s->key[i].value, sizeof(s->key[i].value), fmt, ap);
	va_end(ap);
}

/* Length of the path's first part; a part in quotes may hold dots. */
static size_t
part(const char *path)
{
	if (*path == '"')
		return strcspn(path + 1, "\"") + 2;
	return strcspn(path, ".");
}

/* All keys below a prefix, those of one section together. */
static void
write_below(struct sim *s, struct hf_buf *b, const char *prefix, int depth)
{
	size_t n = strlen(prefix);

	for (unsigned i = 0; i < s->keys; i++) {
		const char *rest = s->key[i].path + n;
		char section[120];
		bool told = false;

		if (strncmp(s->key[i].path, prefix, n) != 0)
			continue;
		snprintf(section, sizeof(section), "%.*s",
		    (int)(n + part(rest)), s->key[i].path);
		for (unsigned k = 0; k < i; k++)
			told |= strncmp(s->key[k].path, section,
				    strlen(section)) == 0 &&
				(s->key[k].path[strlen(section)] == '.' ||
				    s->key[k].path[strlen(section)] == '\0');
		if (told)
			continue;
		hf_buf_fmt(b, "%*s%.*s:", depth * 2, "", (int)part(rest), rest);
		if (rest[part(rest)] == '\0') {
			hf_buf_fmt(b, " %s\n", s->key[i].value);
			continue;
		}
		hf_buf_str(b, "\n");
		strcat(section, ".");
		write_below(s, b, section, depth + 1);
	}
}

/* ---- the cast ------------------------------------------------------------ */

static void
helper_new(struct sim *s, const char *name, const char *kind, bool remote)
{
	struct sim_actor *a = sim_actor_new(s, name, SIM_HELPER);
	char path[120];

	a->kind = kind;
	a->remote = remote;
	snprintf(path, sizeof(path), "%ss.%s.to", kind, name);
	set(s, path, "[\"sip:%s@127.0.0.2:5060\"]", name);
	snprintf(path, sizeof(path), "%ss.%s.remote", kind, name);
	set(s, path, "%s", remote ? "yes" : "no");
}

static void
queue_new(struct sim *s, const char *name)
{
	char path[120];

	snprintf(s->queue[s->queues++ % 8], sizeof(s->queue[0]), "%s", name);
	snprintf(path, sizeof(path), "queues.%s.strategy", name);
	set(s, path, "longest-idle");
}

static void
box_new(struct sim *s, const char *name)
{
	char path[120];

	snprintf(path, sizeof(path), "voicemail.%s.max", name);
	set(s, path, "60s");
}

static void
agent_new(struct sim *s, const struct story_act *t)
{
	struct sim_actor *a = sim_actor_new(s, t->word[0], SIM_AGENT);

	for (unsigned i = 2; i < t->words; i++) {
		size_t n = strlen(a->queues);

		if (strcmp(t->word[i], "ready") == 0)
			a->ready = true;
		else if (strcmp(t->word[i], "later") == 0)
			a->later = true;
		else if (strcmp(t->word[i], "serves") != 0)
			snprintf(a->queues + n, sizeof(a->queues) - n, "%s%s",
			    n > 0 ? ", " : "", t->word[i]);
	}
}

static void
ladder_set(
    struct sim *s, const char *number, const struct story_act *t, unsigned from)
{
	char text[400] = "[ ", path[120];
	const char *digits = number + (number[0] == '+');

	for (unsigned i = from; i + 1 < t->words; i += 2) {
		const char *kind =
		    strcmp(t->word[i], "neighbour") == 0 ? "site" : t->word[i];
		size_t n = strlen(text);

		if (strcmp(kind, "voicemail") == 0)
			box_new(s, t->word[i + 1]);
		snprintf(text + n, sizeof(text) - n, "%s{ %s: \"%s\" }",
		    i > from ? ", " : "", kind, t->word[i + 1]);
	}
	strncat(text, " ]", sizeof(text) - strlen(text) - 1);
	snprintf(path, sizeof(path), "ladders.l%s", digits);
	set(s, path, "%s", text);
	snprintf(path, sizeof(path), "numbers.\"%s\"", number);
	set(s, path, "l%s", digits);
	s->ladder |= strcmp(number, STORY_NUMBER) == 0;
}

bool
sim_house(struct sim *s, const struct story_act *t)
{
	switch (t->verb) {
	case STORY_SITE:
		set(s, "site", "%s", t->word[0]);
		break;
	case STORY_SET:
		set(s, t->word[0], "%s", t->word[1]);
		break;
	case STORY_BOT:
		helper_new(s, t->word[0], "bot", true);
		break;
	case STORY_BOT_LOCAL:
		helper_new(s, t->word[0], "bot", false);
		break;
	case STORY_CENTRE:
		helper_new(s, t->word[0], "centre", true);
		break;
	case STORY_NEIGHBOUR:
		helper_new(s, t->word[0], "site", true);
		break;
	case STORY_QUEUE:
		queue_new(s, t->word[0]);
		break;
	case STORY_BOX:
		box_new(s, t->word[0]);
		break;
	case STORY_AGENT:
		agent_new(s, t);
		break;
	case STORY_LADDER:
		ladder_set(s, STORY_NUMBER, t, 0);
		break;
	case STORY_LADDER_OF:
		ladder_set(s, t->word[0], t, 1);
		break;
	default:
		break; /* story, only, sweep */
	}
	return true;
}

/* Helpers in the order they were named, then the queues. */
static void
ladder_default(struct sim *s, bool agents)
{
	struct story_act t = { .words = 0 };

	for (unsigned i = 0; i < s->actors; i++) {
		if (s->actor[i].role != SIM_HELPER)
			continue;
		t.word[t.words++] = s->actor[i].kind;
		t.word[t.words++] = s->actor[i].name;
	}
	for (unsigned i = 0; agents && i < s->queues; i++) {
		t.word[t.words++] = "queue";
		t.word[t.words++] = s->queue[i];
	}
	ladder_set(s, STORY_NUMBER, &t, 0);
}

static void
agent_set(struct sim *s, const struct sim_actor *a)
{
	char path[120];

	snprintf(path, sizeof(path), "agents.%s.queues", a->name);
	set(s, path, "[%s]", a->queues);
	snprintf(path, sizeof(path), "agents.%s.secret_file", a->name);
	set(s, path, "/nowhere/%s", a->name);
}

static void
agent_unset(struct sim *s, const struct sim_actor *a)
{
	char path[120];
	size_t n;

	snprintf(path, sizeof(path), "agents.%s.", a->name);
	n = strlen(path);
	for (unsigned i = s->keys; i-- > 0;) {
		if (strncmp(s->key[i].path, path, n) == 0)
			s->key[i] = s->key[--s->keys];
	}
}

static void
agents_set(struct sim *s)
{
	for (unsigned i = 0; i < s->actors; i++) {
		struct sim_actor *a = &s->actor[i];

		if (a->role != SIM_AGENT)
			continue;
		if (a->queues[0] == '\0')
			snprintf(
			    a->queues, sizeof(a->queues), "%s", s->queue[0]);
		if (!a->later)
			agent_set(s, a);
	}
}

/* The keys as a configuration; old: what it replaces, or NULL. */
static bool
load(struct sim *s, const struct conf *old, struct conf *new)
{
	static struct conf_report report;
	struct hf_buf b = hf_buf_on(s->yaml, sizeof(s->yaml) - 1);

	write_below(s, &b, "", 0);
	s->yaml[b.n] = '\0';
	memset(&report, 0, sizeof(report));
	if (conf_load_memory(
		s->yaml, b.n, "story.yaml", old, new, NULL, &report))
		return true;
	fputs(s->yaml, stderr);
	conf_report_print(&report, 2);
	return false;
}

static bool
configure(struct sim *s)
{
	bool agents = false;

	for (unsigned i = 0; i < s->actors; i++)
		agents |= s->actor[i].role == SIM_AGENT;
	if (s->queues == 0)
		queue_new(s, "sales");
	sim_actor_new(s, "world", SIM_WORLD);
	set(s, "trunks.carrier.to", "\"sip:127.0.0.1:5060\"");
	set(s, "outbound.allow", "[\"+33*\"]");
	set(s, "outbound.via", "[carrier]");
	agents_set(s);
	if (!s->ladder)
		ladder_default(s, agents);
	return load(s, NULL, &s->conf);
}

/* ---- the mind ------------------------------------------------------------ */

static void
put(struct orders *o, enum room to, unsigned worker, const struct msg *m)
{
	struct sim *s = HF_CONTAINER(o, struct sim, orders);

	(void)worker;
	switch (to) {
	case ROOM_SIP:
		sim_sip_order(s, m);
		break;
	case ROOM_MEDIA:
		sim_media_order(s, m);
		break;
	case ROOM_REC:
		sim_rec_order(s, m);
		break;
	case ROOM_STORE:
		sim_journal(s, m);
		break;
	case ROOM_KEEPER:
	case ROOM_CALL:
		hf_never("no orders for these");
	}
}

static void
engine_begin(struct sim *s)
{
	struct hf_time now = { s->now };

	memset(s->memory, 0, engine_size(&s->conf));
	s->engine = engine_init(s->memory, &s->conf, ++s->boot, now);
	engine_wall(s->engine, now, (struct hf_wall){ WALL_US + s->now });
}

static void
tell_media_started(struct sim *s)
{
	struct msg m = { .type = MSG_MEDIA_STARTED };
	uint32_t open = 0;

	for (unsigned i = 0; i < SIM_STREAMS; i++)
		open += s->stream[i].open;
	m.media_started.count = SIM_STREAMS;
	m.media_started.open = open;
	sim_fact(s, &m);
}

static void
tell_agents(struct sim *s)
{
	for (unsigned i = 0; i < s->actors; i++) {
		struct msg m = { .type = MSG_AGENT_CAME };

		if (s->actor[i].role != SIM_AGENT || !s->actor[i].registered)
			continue;
		m.agent_came.agent = s->actor[i].row;
		sim_fact(s, &m);
	}
}

static void
tell_sip_started(struct sim *s, bool fresh)
{
	struct msg m = { .type = MSG_SIP_STARTED };

	m.sip_started.fresh = fresh;

	for (unsigned i = 0; i < SIM_LEGS; i++)
		m.sip_started.dialogs += s->leg[i].state != LEG_FREE;
	sim_fact(s, &m);
	tell_agents(s);
}

void
sim_restart_call(struct sim *s)
{
	engine_begin(s);
	engine_house_restore(s->engine, &s->house);
	for (uint32_t i = 0; i < s->conf.calls_max; i++) {
		if (!hf_ref_none(s->slots[i].ref) &&
		    !engine_restore(s->engine, &s->slots[i]))
			hf_never("a committed call cannot be restored");
	}
	tell_media_started(s);
	tell_sip_started(s, false);
	engine_check(s->engine);
}

void
sim_sip_restart(struct sim *s)
{
	for (unsigned i = 0; i < SIM_LEGS; i++)
		if (s->leg[i].state == LEG_SETUP && s->leg[i].ours)
			s->leg[i].state = LEG_FREE;
	tell_sip_started(s, true);
}

static void
find_rows(struct sim *s)
{
	for (unsigned i = 0; i < s->actors; i++) {
		struct sim_actor *a = &s->actor[i];

		if (a->role == SIM_HELPER)
			a->row = conf_helper_find(&s->conf, a->name);
		if (a->role == SIM_AGENT)
			a->row = conf_agent_find(&s->conf, a->name);
		a->registered &= a->row != CONF_NONE;
	}
}

/* hf-sip lets go of the phones of those who left by itself; that is left away
 * here, so that hf-call must know, too. */
bool
sim_reload(struct sim *s, struct sim_actor *a, bool with)
{
	if (a->role != SIM_AGENT)
		return false;
	if (with)
		agent_set(s, a);
	else
		agent_unset(s, a);
	if (!load(s, &s->conf, &s->fresh))
		return false;
	engine_reconf(
	    s->engine, &s->fresh, (struct hf_time){ s->now }, &s->orders);
	s->conf = s->fresh;
	s->engine->conf = &s->conf;
	find_rows(s);
	engine_check(s->engine);
	return true;
}

bool
sim_start(struct sim *s)
{
	if (!configure(s))
		return false;
	for (unsigned i = 0; i < s->actors; i++)
		s->actor[i].registered = s->actor[i].ready;
	find_rows(s);
	s->memory = aligned_alloc(64, (engine_size(&s->conf) + 63) / 64 * 64);
	s->slots = calloc(s->conf.calls_max, sizeof(*s->slots));
	hf_assert(s->memory != NULL && s->slots != NULL);
	engine_begin(s);
	tell_media_started(s);
	tell_sip_started(s, true);
	sim_run(s, s->now + 500000, NULL, NULL);
	s->began = s->acted = s->deadlines = s->now;
	return true;
}

struct sim *
sim_new(void)
{
	struct sim *s = calloc(1, sizeof(*s));

	hf_assert(s != NULL);
	s->orders.put = put;
	s->now = s->tick = START_US;
	s->tick_us = 5000;
	s->random = 1;
	set(s, "site", "lyon");
	set(s, "calls_max", "120");
	set(s, "rtp.ports", "20000-21023");
	set(s, "trunks.carrier.peers", "[127.0.0.1]");
	return s;
}

void
sim_free(struct sim *s)
{
	for (unsigned i = 0; i < s->facts; i++)
		free(s->fact[i].text);
	free(s->memory);
	free(s->slots);
	free(s);
}
