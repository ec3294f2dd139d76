#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/story/live.h"

enum {
	HELPER_ANSWERS_MS = 20,
	REGISTERED_MS = 3000,
	EMPTY_MS = 2000,
	THERE_MS = 2000, /* until a process is started again */
	ASK_MS = 50,
	EXPIRES = 3600,
	NAT_HOST = 7,
};

static const char secret[] = "correct horse";

struct live_actor *
live_find(struct live *v, const char *name)
{
	for (size_t i = 0; i < v->actors; i++)
		if (strcmp(v->actor[i].name, name) == 0)
			return &v->actor[i];
	return NULL;
}

static void
world_answers(struct ua_call *c, const struct ua_note *n)
{
	(void)c;
	(void)n;
}

/* Somebody has to pick it up. */
static bool
is_persons(const struct live_actor *a)
{
	return a->role == LIVE_AGENT || a->role == LIVE_PHONE;
}

static struct live_actor *
actor_new(struct live *v, const char *name, enum live_role role)
{
	static const enum site_street street[] = { [LIVE_CALLER] = SITE_TRUNK,
		[LIVE_HELPER] = SITE_HELPERS,
		[LIVE_AGENT] = SITE_AGENTS,
		[LIVE_PHONE] = SITE_AGENTS,
		[LIVE_WORLD] = SITE_HELPERS };
	struct live_actor *a = &v->actor[v->actors++];
	enum site_street st = street[role];

	if (v->actors > LIVE_ACTORS) {
		fprintf(stderr, "too many actors\n");
		exit(99);
	}
	*a = (struct live_actor){ .role = role, .remote = true };
	snprintf(a->name, sizeof a->name, "%s", name);
	/* Strides through the tones, so that neighbours differ in both. */
	int voice = v->voices < LIVE_VOICES ? v->voices++ * 7 % LIVE_VOICES
					    : LIVE_CROWD_VOICE;
	a->ua = ua_new(v->world, name,
	    v->way.ipv6 ? "::1" : site_address(st, ++v->place[st]),
	    v->way.tcp ? UA_TCP : UA_UDP, voice);
	a->ua->manner.answer_ms = is_persons(a) ? -1 : HELPER_ANSWERS_MS;
	a->ua->on_note = world_answers;
	if (v->way.nat && st == SITE_AGENTS)
		snprintf(a->ua->manner.nat_ip, sizeof a->ua->manner.nat_ip,
		    "10.77.0.%d", NAT_HOST + v->place[st]);
	return a;
}

/* ---- the house
 * ------------------------------------------------------------------ */

static void
helper_new(struct live *v, const char *name, const char *kind, bool remote)
{
	struct live_actor *a = actor_new(v, name, LIVE_HELPER);
	char path[120], host[80];

	a->kind = kind;
	a->remote = remote;
	ua_host_text(a->ua->ip, host, sizeof host);
	snprintf(path, sizeof path, "%ss.%s.to", kind, name);
	site_set(v->site, path, "[\"sip:%s@%s:%d%s\"]", name, host, a->ua->port,
	    v->way.tcp ? ";transport=tcp" : "");
	snprintf(path, sizeof path, "%ss.%s.remote", kind, name);
	site_set(v->site, path, "%s", remote ? "yes" : "no");
}

/* A line to the world, and who is at its far end. */
static void
trunk_new(struct live *v, const char *name, const struct live_actor *a)
{
	char path[120], host[80];

	ua_host_text(a->ua->ip, host, sizeof host);
	snprintf(path, sizeof path, "trunks.%s.to", name);
	site_set(v->site, path, "\"sip:%s:%d%s\"", host, a->ua->port,
	    v->way.tcp ? ";transport=tcp" : "");
	snprintf(path, sizeof path, "trunks.%s.peers", name);
	if (strcmp(name, "carrier") != 0)
		site_set(v->site, path, "[\"%s\"]", a->ua->ip);
}

static void
queue_new(struct live *v, const char *name)
{
	char path[120];

	snprintf(v->queue[v->queues++ % 8], sizeof v->queue[0], "%s", name);
	snprintf(path, sizeof path, "queues.%s.strategy", name);
	site_set(v->site, path, "longest-idle");
}

static void
box_new(struct live *v, const char *name)
{
	char path[120];

	v->box = true;
	snprintf(path, sizeof path, "voicemail.%s.max", name);
	site_set(v->site, path, "60s");
}

static void
agent_new(struct live *v, const struct story_act *t)
{
	struct live_actor *a = actor_new(v, t->word[0], LIVE_AGENT);

	for (unsigned i = 2; i < t->words; i++) {
		if (strcmp(t->word[i], "ready") == 0) {
			a->ready = true;
		} else if (strcmp(t->word[i], "later") == 0) {
			a->later = true;
		} else if (strcmp(t->word[i], "serves") != 0) {
			size_t n = strlen(a->queues);
			snprintf(a->queues + n, sizeof a->queues - n, "%s%s",
			    n > 0 ? ", " : "", t->word[i]);
		}
	}
	snprintf(a->ua->secret, sizeof a->ua->secret, "%s", secret);
}

static void
phone_new(struct live *v, const struct story_act *t)
{
	struct live_actor *a = actor_new(v, t->word[0], LIVE_PHONE);

	a->ready = true;
	snprintf(a->ua->user, sizeof a->ua->user, "%s", t->word[1]);
	snprintf(a->ua->secret, sizeof a->ua->secret, "%s", secret);
}

static void
ladder_set(struct live *v, const char *number, const struct story_act *t,
    unsigned from)
{
	char text[500] = "[ ", path[120];

	for (unsigned i = from; i + 1 < t->words; i += 2) {
		size_t n = strlen(text);
		const char *kind =
		    strcmp(t->word[i], "neighbour") == 0 ? "site" : t->word[i];
		if (strcmp(kind, "voicemail") == 0)
			box_new(v, t->word[i + 1]);
		snprintf(text + n, sizeof text - n, "%s{ %s: \"%s\" }",
		    i > from ? ", " : "", kind, t->word[i + 1]);
	}
	strncat(text, " ]", sizeof text - strlen(text) - 1);
	const char *digits = number[0] == '+' ? number + 1 : number;
	snprintf(path, sizeof path, "ladders.l%s", digits);
	site_set(v->site, path, "%s", text);
	snprintf(path, sizeof path, "numbers.\"%s\"", number);
	site_set(v->site, path, "l%s", digits);
	v->ladder = v->ladder || strcmp(number, STORY_NUMBER) == 0;
}

bool
live_house(struct live *v, const struct story_act *t)
{
	switch (t->verb) {
	case STORY_SITE:
		site_set(v->site, "site", "%s", t->word[0]);
		return true;
	case STORY_SET:
		site_set(v->site, t->word[0], "%s", t->word[1]);
		return true;
	case STORY_BOT:
		helper_new(v, t->word[0], "bot", true);
		return true;
	case STORY_BOT_LOCAL:
		helper_new(v, t->word[0], "bot", false);
		return true;
	case STORY_CENTRE:
		helper_new(v, t->word[0], "centre", true);
		return true;
	case STORY_NEIGHBOUR:
		helper_new(v, t->word[0], "site", true);
		site_set(v->site, "trunks.sites.peers", "[\"%s\"]",
		    v->way.ipv6 ? "::1" : live_find(v, t->word[0])->ua->ip);
		return true;
	case STORY_TRUNK:
		trunk_new(v, t->word[0], actor_new(v, t->word[0], LIVE_WORLD));
		return true;
	case STORY_QUEUE:
		queue_new(v, t->word[0]);
		return true;
	case STORY_BOX:
		box_new(v, t->word[0]);
		return true;
	case STORY_AGENT:
		agent_new(v, t);
		return true;
	case STORY_PHONE:
		phone_new(v, t);
		return true;
	case STORY_LADDER:
		ladder_set(v, STORY_NUMBER, t, 0);
		return true;
	case STORY_LADDER_OF:
		ladder_set(v, t->word[0], t, 1);
		return true;
	default:
		return true; /* story, only, sweep */
	}
}

/* Bots, centres, neighbours in the order they were named, then the queues. */
static void
ladder_default(struct live *v, bool agents)
{
	struct story_act t = { .words = 0 };

	for (size_t i = 0; i < v->actors; i++)
		if (v->actor[i].role == LIVE_HELPER) {
			t.word[t.words++] = v->actor[i].kind;
			t.word[t.words++] = v->actor[i].name;
		}
	for (size_t i = 0; agents && i < v->queues; i++) {
		t.word[t.words++] = "queue";
		t.word[t.words++] = v->queue[i];
	}
	ladder_set(v, STORY_NUMBER, &t, 0);
}

static void
agents_set(struct live *v)
{
	for (size_t i = 0; i < v->actors; i++) {
		struct live_actor *a = &v->actor[i];
		if (a->role != LIVE_AGENT)
			continue;
		if (a->queues[0] == '\0')
			snprintf(
			    a->queues, sizeof a->queues, "%s", v->queue[0]);
		if (!a->later)
			site_agent(v->site, a->name, secret, a->queues);
	}
}

/* The world behind the trunk: whoever is called out there answers. */
static void
world_set(struct live *v)
{
	trunk_new(v, "carrier", actor_new(v, "world", LIVE_WORLD));
	site_set(v->site, "outbound.allow", "[\"+33*\"]");
	site_set(v->site, "outbound.via", "[carrier]");
}

static bool
all_registered(void *arg)
{
	const struct live *v = arg;

	for (size_t i = 0; i < v->actors; i++) {
		const struct ua_call *r = v->actor[i].registration;
		const struct ua_note *n =
		    r != NULL ? ua_noted(r, UA_REGISTERED, 0) : NULL;
		if (v->actor[i].ready && (n == NULL || n->code != 200))
			return false;
	}
	return true;
}

bool
live_start(struct live *v)
{
	bool agents = false;

	for (size_t i = 0; i < v->actors; i++)
		agents |= v->actor[i].role == LIVE_AGENT;
	if (v->queues == 0)
		queue_new(v, "sales");
	world_set(v);
	agents_set(v);
	if (!v->ladder)
		ladder_default(v, agents);
	site_prompts(v->site);
	if (!site_start(v->site, v->world))
		return false;
	for (size_t i = 0; i < v->actors; i++)
		if (v->actor[i].ready)
			v->actor[i].registration =
			    ua_register(v->actor[i].ua, v->site->udp, EXPIRES);
	if (!live_run(v, REGISTERED_MS * site_patience(), all_registered, v)) {
		fprintf(stderr, "the phones could not register\n");
		return false;
	}
	v->up = true;
	site_mark(v->site, &v->mark);
	v->began = v->acted = v->deadlines = ua_now();
	return true;
}

/* ---- acts
 * ---------------------------------------------------------------------------
 */

bool
live_run(struct live *v, int64_t ms, bool (*done)(void *), void *arg)
{
	for (int64_t until = ua_now() + ms * 1000;;) {
		int64_t now = ua_now();
		for (size_t i = 0; i < LIVE_LATER; i++)
			if (v->thaw[i].pid != 0 && now >= v->thaw[i].at) {
				kill(v->thaw[i].pid, SIGCONT);
				v->thaw[i].pid = 0;
			}
		if (done != NULL && done(arg))
			return true;
		if (now >= until)
			return false;
		ua_turn(v->world, 1);
	}
}

/* What it says from now on, in this call and the next ones. */
static void
speak(struct live_actor *a, enum ua_speech s)
{
	a->ua->manner.speech = s;
	for (struct ua_call *c = a->ua->calls; c != NULL; c = c->next)
		c->media.speech = s;
}

static void
media_dead(struct live_actor *a, bool dead)
{
	a->ua->manner.no_media = dead;
	for (struct ua_call *c = a->ua->calls; c != NULL; c = c->next)
		c->manner.no_media = dead;
}

static void
revive(struct live_actor *a)
{
	a->ua->dead = false;
	media_dead(a, false);
	if (a->ua->udp < 0)
		ua_open(a->ua);
	ua_open_media(a->ua);
}

static void
cut(struct live *v, const struct story_act *t)
{
	bool uplink = strcmp(t->word[0], "uplink") == 0;

	for (size_t i = 0; i < v->actors; i++) {
		struct live_actor *a = &v->actor[i];
		if (uplink ? a->role == LIVE_HELPER && a->remote
			   : strcmp(a->name, t->word[0]) == 0)
			a->ua->cut_until = ua_now() + t->span.us;
	}
}

static bool
freeze(struct live *v, const struct story_act *t)
{
	int64_t until = ua_now() + THERE_MS * INT64_C(1000);
	pid_t pid;

	/* One that was killed a moment ago is being started. */
	while (site_child(v->site, t->word[0], 0) == 0 && ua_now() < until)
		ua_turn(v->world, 1);

	for (int nth = 0; (pid = site_child(v->site, t->word[0], nth)) != 0;
	     nth++)
		for (size_t i = 0; i < LIVE_LATER; i++)
			if (v->thaw[i].pid == 0) {
				kill(pid, SIGSTOP);
				v->thaw[i].pid = pid;
				v->thaw[i].at = ua_now() + t->span.us;
				break;
			}
	return site_child(v->site, t->word[0], 0) != 0;
}

static bool
restart(struct live *v, const struct story_act *t)
{
	pid_t pid = site_child(v->site, t->word[0], 0);

	if (t->verb == STORY_RESTART_WITH)
		return site_again(v->site, v->world, t->word[1]);
	if (strcmp(t->word[0], "holdfastd") == 0)
		return site_again(v->site, v->world, NULL);
	if (strcmp(t->word[0], "house") == 0)
		return site_again(v->site, v->world, "hf-");
	return pid != 0 && kill(pid, SIGKILL) == 0;
}

static bool
reload(struct live *v, struct live_actor *a, bool with)
{
	char path[120];

	if (a == NULL || a->role != LIVE_AGENT)
		return false;
	if (with) {
		site_agent(v->site, a->name, secret, a->queues);
	} else {
		snprintf(path, sizeof path, "agents.%s.secret_file", a->name);
		site_unset(v->site, path);
		snprintf(path, sizeof path, "agents.%s.queues", a->name);
		site_unset(v->site, path);
	}
	return site_reload(v->site);
}

static bool
operate(struct live *v, const struct story_act *t)
{
	char words[600] = "", said[2000];

	for (unsigned i = 0; i < t->words; i++) {
		size_t n = strlen(words);
		snprintf(words + n, sizeof words - n, " '%s'", t->word[i]);
		/* States have an underscore in stories, a hyphen in hfctl. */
		for (char *p = words + n; (p = strchr(p, '_')) != NULL;)
			*p = '-';
	}
	int status = site_ctl(v->site, words, said, sizeof said);
	if (status != 0)
		snprintf(v->why, sizeof v->why, "hfctl%s: %d: %.200s", words,
		    status, said);
	return status == 0;
}

static const char *
code_of(const char *word)
{
	static const char *const code[][2] = { { "available", "*1" },
		{ "not_ready", "*2" }, { "wrap_up_end", "*3" },
		{ "voicemail", "*9" } };

	for (size_t i = 0; i < sizeof code / sizeof *code; i++)
		if (strcmp(word, code[i][0]) == 0)
			return code[i][1];
	return word;
}

static void
crowd(struct live *v, const struct story_act *t)
{
	char name[32];

	for (long i = 0; i < t->number; i++) {
		snprintf(name, sizeof name, "crowd-%ld", i + 1);
		struct live_actor *a = actor_new(v, name, LIVE_CALLER);
		ua_invite(a->ua, v->site->udp, t->word[1]);
	}
}

static bool
hang_up(struct live_actor *a, const struct story_act *t)
{
	struct ua_call *c = ua_current(a->ua);
	char reason[200] = "";

	if (c == NULL)
		return false;
	if (t->verb == STORY_HANGS_UP_WITH)
		snprintf(reason, sizeof reason, "SIP;cause=%ld", t->number);
	if (t->verb == STORY_HANGS_UP_SAYING)
		snprintf(reason, sizeof reason, "SIP;cause=200;text=\"%s\"",
		    t->word[1]);
	ua_hang_up(c, reason[0] != '\0' ? reason : NULL);
	return true;
}

/* Acts of somebody who has a call. */
static bool
call_act(struct live_actor *a, const struct story_act *t)
{
	struct ua_call *c = ua_current(a->ua);

	if (c == NULL)
		return false;
	switch (t->verb) {
	case STORY_ANSWERS:
		ua_answer(c);
		return true;
	case STORY_DECLINES:
		ua_refuse(c, t->number != 0 ? (int)t->number : 486);
		return true;
	case STORY_REFERS:
		ua_refer(c, t->word[1]);
		return true;
	case STORY_HOLDS:
		ua_reinvite(c, "sendonly", false);
		return true;
	case STORY_RESUMES:
		ua_reinvite(c, "sendrecv", false);
		return true;
	case STORY_REOFFERS:
		ua_reinvite(c, "sendrecv", true);
		return true;
	case STORY_PRESSES:
		ua_press(c, t->word[1]);
		return true;
	case STORY_INFORMS:
		ua_inform(c, t->word[1], t->word[2]);
		return true;
	default:
		return hang_up(a, t);
	}
}

/* Standing orders and what can be done without a call. */
static bool
actor_act(struct live *v, struct live_actor *a, const struct story_act *t)
{
	struct ua_manner *m = &a->ua->manner, fresh = ua_manner();
	int ms = (int)(t->span.us / 1000);

	switch (t->verb) {
	case STORY_WILL_ANSWER:
		m->answer_ms = ms;
		return true;
	case STORY_WILL_REFUSE:
		m->refuse = (int)t->number;
		return true;
	case STORY_WILL_TRY:
		m->ring_ms = m->answer_ms = -1;
		return true;
	case STORY_WILL_RING:
		m->answer_ms = -1;
		return true;
	case STORY_WILL_NEVER_TRY:
		a->ua->dead = true;
		return true;
	case STORY_WILL_NO_MEDIA:
		m->no_media = true;
		return true;
	case STORY_WILL_EARLY:
		m->early = true;
		return true;
	case STORY_WILL_HANG_UP:
		m->hang_up_ms = ms;
		return true;
	case STORY_WILL_TAKE:
		m->channels = (int)t->number;
		return true;
	case STORY_WILL_BEHAVE:
		memcpy(fresh.nat_ip, m->nat_ip, sizeof fresh.nat_ip);
		if (is_persons(a))
			fresh.answer_ms = -1;
		*m = fresh;
		a->ua->dead = false;
		return true;
	case STORY_REGISTERS:
	case STORY_UNREGISTERS:
		a->registration = ua_register(a->ua, v->site->udp,
		    t->verb == STORY_REGISTERS ? EXPIRES : 0);
		return true;
	case STORY_KILL_SILENTLY:
		a->ua->dead = true;
		return true;
	case STORY_KILL_CLOSED:
		ua_close(a->ua);
		ua_close_media(a->ua);
		return true;
	case STORY_KILL_MEDIA:
		media_dead(a, true);
		return true;
	case STORY_REVIVE:
		revive(a);
		return true;
	case STORY_MUTE:
		speak(a, UA_SILENT);
		return true;
	case STORY_TALKS:
		speak(a, UA_TALKS);
		return true;
	case STORY_LOOPS:
		speak(a, UA_LOOPS);
		return true;
	case STORY_GARBAGE:
		speak(a, UA_GARBAGE);
		return true;
	case STORY_SUPPRESSES:
		speak(a, UA_SUPPRESSES);
		return true;
	case STORY_CALLS_WITH:
		snprintf(m->lines, sizeof m->lines, "%s\r\n", t->word[2]);
		ua_invite(a->ua, v->site->udp, code_of(t->word[1]));
		m->lines[0] = '\0';
		return true;
	case STORY_CALLS:
		ua_invite(a->ua, v->site->udp, code_of(t->word[1]));
		return true;
	default:
		return call_act(a, t);
	}
}

bool
live_act(struct live *v, const struct story_act *t)
{
	struct live_actor *a = t->words > 0 ? live_find(v, t->word[0]) : NULL;
	bool done = true;

	site_mark(v->site, &v->mark);
	v->deadlines = ua_now();
	if (t->verb != STORY_AFTER)
		v->acted = v->deadlines;
	switch (t->verb) {
	case STORY_AFTER:
		live_run(v, t->span.us / 1000, NULL, NULL);
		site_mark(v->site, &v->mark);
		v->deadlines = ua_now();
		return true;
	case STORY_CUT:
		cut(v, t);
		return true;
	case STORY_FREEZE:
		return freeze(v, t);
	case STORY_RESTART_WITH:
	case STORY_RESTART:
		return restart(v, t);
	case STORY_UPGRADE:
		return site_upgrade(v->site, v->world);
	case STORY_RELOAD_WITHOUT:
	case STORY_RELOAD_WITH:
		return reload(v, a, t->verb == STORY_RELOAD_WITH);
	case STORY_OPERATOR:
		return operate(v, t);
	case STORY_CROWD:
		crowd(v, t);
		return true;
	case STORY_CALLS:
	case STORY_CALLS_WITH:
		if (a == NULL)
			a = actor_new(v, t->word[0], LIVE_CALLER);
		break;
	default:
		break;
	}
	if (a == NULL) {
		snprintf(
		    v->why, sizeof v->why, "nobody is called %s", t->word[0]);
		return false;
	}
	done = actor_act(v, a, t);
	if (!done)
		snprintf(v->why, sizeof v->why, "%s has no call", a->name);
	return done;
}

/* ---- the end
 * ----------------------------------------------------------------------------
 */

/* Bots that were cut off may wait for a BYE for ever; people and the house know
 * better. */
static bool
nobody_talks(void *arg)
{
	const struct live *v = arg;

	for (size_t i = 0; i < v->actors; i++)
		if (v->actor[i].role != LIVE_HELPER && !v->actor[i].ua->dead &&
		    v->actor[i].ua->udp >= 0 &&
		    ua_current(v->actor[i].ua) != NULL)
			return false;
	return true;
}

bool
live_end(struct live *v)
{
	int64_t until;
	long calls = 0, streams = 0;

	for (size_t i = 0; i < v->actors; i++)
		for (struct ua_call *c = v->actor[i].ua->calls; c != NULL;
		     c = c->next)
			/* A site that calls is a caller, too. */
			if (v->actor[i].role == LIVE_CALLER ||
			    (v->actor[i].role == LIVE_HELPER && !c->incoming))
				ua_hang_up(c, NULL);
	if (!live_run(v, EMPTY_MS * site_patience(), nobody_talks, v)) {
		snprintf(v->why, sizeof v->why,
		    "somebody is still on the line 2 s after the last caller "
		    "left");
		return false;
	}
	until = ua_now() + EMPTY_MS * site_patience() * 1000;
	do {
		live_run(v, ASK_MS, NULL, NULL);
		calls = live_rows(v, "--json calls --live");
		streams = live_rows(v, "--json streams");
	} while ((calls != 0 || streams != 0) && ua_now() < until);
	snprintf(v->why, sizeof v->why,
	    "%ld calls and %ld streams are left behind", calls, streams);
	return calls == 0 && streams == 0;
}

void
live_free(struct live *v)
{
	site_free(v->site);
	if (v->world != NULL)
		ua_world_free(v->world);
}
