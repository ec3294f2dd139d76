/* bench/crowd - see crowd.h */

#include "bench/crowd.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
	SETUP_PER_S = 150,
	ANSWERED_MS = 15000,
	SETTLE_MS = 1500,
	HEARING_MS = 300,
	PARTING_MS = 6000,
	SIP_TURN_US = 40000,
	STREAMS_A_CALL = 4,
	SPARE = 50,
};

#define NUMBER "+33400000000"

struct crowd crowd;

/* The last processor is the world's: on the machines where callers and bots
 * live, the house takes no time. */
int
crowd_workers(void)
{
	int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);

	return cpus > 1 ? cpus - 1 : 1;
}

/* ---- who is there -------------------------------------------------------- */

static void
caller_noted(struct ua_call *c, const struct ua_note *n)
{
	struct party *p = c->owner;

	if (n->what == UA_ANSWERED && p != NULL) {
		p->line = lines_add(crowd.lines, c, true);
		crowd.callers_up += p->line != NULL;
	}
	if ((n->what == UA_BYE || n->what == UA_REFUSED) && p != NULL &&
	    p->line != NULL)
		line_end(p->line);
}

static void
bot_noted(struct ua_call *c, const struct ua_note *n)
{
	struct party *p = c->owner;

	if (n->what == UA_CONFIRMED && c->ua == crowd.cloud_a &&
	    crowd.bots_up < LINES_MAX) {
		p = c->owner = &crowd.bot[crowd.bots_up++];
		p->line = lines_add(crowd.lines, c, false);
	} else if (n->what == UA_CONFIRMED) {
		p = c->owner = &crowd.next[crowd.nexts_up++ % LINES_MAX];
		p->line = lines_add(crowd.lines, c, false);
	} else if (n->what == UA_BYE || n->what == UA_CANCELLED) {
		if (p != NULL) {
			p->decided = n->came;
			if (p->line != NULL)
				line_end(p->line);
		}
	}
}

static struct ua *
actor(const char *name, enum site_street street, int n, int voice,
    void (*noted)(struct ua_call *, const struct ua_note *))
{
	struct ua *u =
	    ua_new(crowd.world, name, site_address(street, n), UA_UDP, voice);

	u->manner.foreign_media = true;
	u->on_note = noted;
	return u;
}

static void
configure(struct site *s)
{
	int most = crowd.calls + SPARE;

	site_set(s, "calls_max", "%d", most);
	site_set(s, "rtp.workers", "%d", crowd_workers());
	site_set(
	    s, "rtp.ports", "10000-%d", 10000 + 2 * STREAMS_A_CALL * most - 1);
	site_set(s, "bots.cloud-a.to", "[\"sip:bot@%s:%d\"]", crowd.cloud_a->ip,
	    crowd.cloud_a->port);
	site_set(s, "bots.cloud-b.to", "[\"sip:bot@%s:%d\"]", crowd.cloud_b->ip,
	    crowd.cloud_b->port);
	site_set(s, "ladders.front", "[ { bot: cloud-a }, { bot: cloud-b } ]");
	site_set(s, "numbers.\"" NUMBER "\"", "front");
}

/* ---- life ---------------------------------------------------------------- */

struct site *
crowd_new(int calls)
{
	memset(&crowd, 0, sizeof crowd);
	crowd.calls = calls;
	crowd.world = ua_world_new();
	ua_world_slow(crowd.world, SIP_TURN_US);
	crowd.lines = lines_new();
	lines_deaf(crowd.lines, true);
	crowd.callers =
	    actor("callers", SITE_TRUNK, 1, CROWD_VOICE, caller_noted);
	crowd.cloud_a =
	    actor("cloud-a", SITE_HELPERS, 1, CROWD_VOICE_A, bot_noted);
	crowd.cloud_b =
	    actor("cloud-b", SITE_HELPERS, 2, CROWD_VOICE_B, bot_noted);
	crowd.site = site_new("bench", false);
	if (crowd.site != NULL)
		configure(crowd.site);
	return crowd.site;
}

void
crowd_place(void)
{
	pid_t pid;

	for (int i = 0; i < crowd_workers(); i++) {
		cpu_set_t set;

		CPU_ZERO(&set);
		CPU_SET((size_t)i, &set);
		if ((pid = site_child(crowd.site, "hf-media", i)) > 0)
			sched_setaffinity(pid, sizeof set, &set);
	}
}

bool
crowd_start(void)
{
	if (crowd.site == NULL || !site_start(crowd.site, crowd.world))
		return false;
	crowd_place();
	lines_start(crowd.lines);
	return true;
}

bool
crowd_stop(void)
{
	return site_stop(crowd.site);
}

void
crowd_free(void)
{
	if (crowd.site != NULL)
		site_free(crowd.site);
	ua_world_free(crowd.world);
	lines_free(crowd.lines);
}

/* ---- what happens -------------------------------------------------------- */

void
crowd_stay(int ms)
{
	for (int64_t until = ua_now() + ms * 1000LL; ua_now() < until;)
		lines_turn(crowd.lines, crowd.world);
}

static bool
is_up(void)
{
	return crowd.callers_up >= crowd.calls && crowd.bots_up >= crowd.calls;
}

bool
crowd_set_up(void)
{
	for (int i = 0; i < crowd.calls; i++) {
		int64_t due = ua_now() + 1000000 / SETUP_PER_S;
		struct ua_call *c =
		    ua_invite(crowd.callers, crowd.site->udp, NUMBER);
		c->owner = &crowd.caller[i];
		while (ua_now() < due)
			lines_turn(crowd.lines, crowd.world);
	}
	for (int64_t until = ua_now() + ANSWERED_MS * 1000LL;
	     ua_now() < until && !is_up();)
		lines_turn(crowd.lines, crowd.world);
	crowd_stay(SETTLE_MS);
	if (crowd.callers_up == crowd.calls && crowd.bots_up == crowd.calls)
		return true;
	fprintf(stderr, "%d of %d callers answered, %d of %d bots\n",
	    crowd.callers_up, crowd.calls, crowd.bots_up, crowd.calls);
	for (struct ua_call *c = crowd.callers->calls; c != NULL; c = c->next)
		if (!c->answered)
			fprintf(stderr, "%s: last response %d\n", c->call_id,
			    c->code);
	return false;
}

int
crowd_hearing(struct party *p, int n)
{
	int hear = 0;

	for (int i = 0; i < n; i++)
		if (p[i].line != NULL)
			p[i].line->voices = 0;
	lines_deaf(crowd.lines, false);
	crowd_stay(HEARING_MS);
	lines_drain(crowd.lines);
	lines_deaf(crowd.lines, true);
	for (int i = 0; i < n; i++)
		hear += p[i].line != NULL &&
			(p[i].line->voices & UINT64_C(1) << CROWD_VOICE) != 0;
	return hear;
}

static int
unanswered(void)
{
	int n = 0;

	for (int i = 0; i < crowd.calls; i++)
		n += crowd.caller[i].told &&
		     ua_noted(crowd.caller[i].line->call, UA_LEFT, 0) == NULL;
	return n;
}

void
crowd_part(void)
{
	for (int i = 0; i < crowd.calls; i++) {
		struct party *p = &crowd.caller[i];

		if (p->line == NULL || p->line->fd < 0)
			continue;
		p->told = true;
		line_end(p->line);
		ua_hang_up(p->line->call, NULL);
		if (i % 4 == 0)
			lines_turn(crowd.lines, crowd.world);
	}
	for (int64_t until = ua_now() + PARTING_MS * 1000LL;
	     ua_now() < until && unanswered() > 0;)
		ua_turn(crowd.world, 1);
}
