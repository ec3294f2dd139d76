#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/interop/peer.h"

enum {
	CALL_MS = 8000,
	HEARS_MS = 5000,
	OVER_MS = 3000,
	REGISTERED_MS = 5000,
	ASK_MS = 200,
	TALK_MS = 800,
	EXPIRES = 600,
	WORDS_MAX = 4000,
};

static const char secret[] = "correct-horse";

struct scene *
scene_new(const char *name, enum ua_transport how)
{
	struct scene *s = calloc(1, sizeof *s);

	if (s == NULL)
		abort();
	s->world = ua_world_new();
	s->site = site_new(name, false);
	if (s->site == NULL)
		exit(PEER_SKIP);
	snprintf(s->dir, sizeof s->dir, "%s/peers", s->site->dir);
	mkdir(s->dir, 0755);
	s->caller = ua_new(s->world, "caller", site_address(SITE_TRUNK, 1),
	    UA_UDP, SCENE_CALLER);
	s->bot = ua_new(
	    s->world, "bot", site_address(SITE_HELPERS, 1), how, SCENE_BOT);
	s->anna = ua_new(
	    s->world, "anna", site_address(SITE_AGENTS, 1), how, SCENE_AGENT);
	snprintf(s->anna->secret, sizeof s->anna->secret, "%s", secret);
	site_prompts(s->site);
	site_set(s->site, "bots.cloud.to", "[\"sip:bot@%s:%d%s\"]", s->bot->ip,
	    s->bot->port, how == UA_TCP ? ";transport=tcp" : "");
	site_set(s->site, "queues.sales.strategy", "longest-idle");
	site_set(s->site, "queues.sales.wrap_up", "0s");
	site_set(s->site, "guard.hung_up_at_once", "500ms");
	site_set(
	    s->site, "ladders.front", "[ { bot: cloud }, { queue: sales } ]");
	site_set(s->site, "numbers.\"+33400000000\"", "front");
	site_agent(s->site, "anna", secret, "sales");
	return s;
}

static bool
is_registered(void *arg)
{
	const struct ua_note *n = ua_noted(arg, UA_REGISTERED, 0);

	return n != NULL && n->code == 200;
}

bool
scene_start(struct scene *s, bool anna)
{
	if (!site_start(s->site, s->world))
		return false;
	if (!anna)
		return true;
	struct ua_call *r = ua_register(s->anna, s->site->udp, EXPIRES);
	return ua_run(s->world, REGISTERED_MS, is_registered, r);
}

static void
show_state(struct scene *s)
{
	static const char *const words[] = { "helpers", "agents",
		"registrations", "calls", "calls --past 2" };
	char out[WORDS_MAX];

	for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
		site_ctl(s->site, words[i], out, sizeof out);
		fprintf(stderr, "-- hfctl %s\n%s", words[i], out);
	}
}

bool
scene_check(struct scene *s, bool kept, const char *promise)
{
	if (!kept && s->failed == 0 && s->site->pid != 0)
		show_state(s);
	kept ? s->passed++ : s->failed++;
	printf("%s %s\n", kept ? "ok  " : "FAIL", promise);
	fflush(stdout);
	return kept;
}

bool
scene_wait(struct scene *s, int ms, bool (*done)(void *), void *arg)
{
	return ua_run(s->world, ms, done, arg);
}

static bool
is_talking(void *arg)
{
	const struct ua *u = arg;
	const struct ua_call *c = ua_current(u);

	return c != NULL &&
	       ua_noted(c, c->incoming ? UA_CONFIRMED : UA_ANSWERED, 0) != NULL;
}

struct ua_call *
scene_call_of(struct scene *s, struct ua *u)
{
	if (!scene_wait(s, CALL_MS, is_talking, u))
		return NULL;
	return ua_current(u);
}

struct hope {
	const struct ua_call *call;
	int voice;
	int64_t from;
};

static bool
is_heard(void *arg)
{
	const struct hope *h = arg;

	return ua_hears(h->call, h->voice, h->from) >= 0;
}

bool
scene_hears(struct scene *s, struct ua_call *c, int voice)
{
	struct hope h = { .call = c, .voice = voice, .from = ua_now() };

	return c != NULL && scene_wait(s, HEARS_MS, is_heard, &h);
}

static bool
is_over(void *arg)
{
	return ((const struct ua_call *)arg)->over;
}

bool
scene_over(struct scene *s, struct ua_call *c)
{
	return c != NULL && scene_wait(s, OVER_MS, is_over, c);
}

void
scene_leaves(struct scene *s, struct ua_call *c)
{
	if (c == NULL)
		return;
	scene_wait(s, TALK_MS, NULL, NULL);
	ua_hang_up(c, NULL);
}

bool
scene_registered(struct scene *s)
{
	char out[WORDS_MAX];

	for (int ms = 0; ms < REGISTERED_MS; ms += ASK_MS) {
		if (site_ctl(s->site, "registrations", out, sizeof out) == 0 &&
		    strstr(out, "anna") != NULL)
			return true;
		scene_wait(s, ASK_MS, NULL, NULL);
	}
	return false;
}

void
scene_bot_dies(struct scene *s)
{
	s->bot->dead = true;
}

void
scene_bot_lives(struct scene *s)
{
	char out[WORDS_MAX];

	s->bot->dead = false;
	/* What was said to it meanwhile, it has not heard. */
	for (struct ua_call *c = s->bot->calls; c != NULL; c = c->next)
		c->over = true;
	site_ctl(s->site, "helper cloud close", out, sizeof out);
}

int
scene_end(struct scene *s)
{
	int failed;

	scene_check(s, site_stop(s->site), "the house ends in order");
	failed = s->failed;
	printf("%d passed, %d failed, 0 skipped\n", s->passed, failed);
	if (failed > 0 && getenv("HF_SHOW") != NULL)
		site_show_log(s->site);
	site_free(s->site);
	ua_world_free(s->world);
	free(s);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
