/*
 * drill_points - does a call notice at which of its steps a process dies?
 *
 *      carol --+                 +-- cloud-a
 *              +-- holdfastd ----+         each room dies before its n-th
 *      dave  --+                 +-- anna  store or system call of a scene
 *
 * Real processes of a build with -Dcrash_points=true (src/proc/crash.h), real
 * sockets.  A scene is a call in one state.  It is played once without a death:
 * so is known how it ends, and how many points each process has in it.  Then it
 * is played again for each of them, and has to end in the same way: who is to
 * be heard is heard, nobody is let go, and the journal has each call once, with
 * the same cause, rung and rescues.
 *
 *      drill_points [--scene A,B] [--room A,B] [--point N] [--shard I/K]
 *                   [--every N] [--seconds N] [--seed N]
 *
 * --seconds: as many points as there is time for, in the order of the seed.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/proc/crash.h"
#include "tests/lib/site.h"

enum {
	PATIENCE_MS = 6000, /* for what comes in tenths of a second without */
	STEP_MS = 5,
	A_WORD_MS = 120,
	/* A greeting that a death cut off is said from its beginning. */
	A_MESSAGE_MS = 5200,
	LONG_SCENE = 4000, /* points: more of them alike are left out */
	POINTS_MAX = 100000,
	OUTCOME_MAX = 400,
	FRESH_AFTER = 60, /* scenes a site plays */
	BOT_VOICE = 3,
	ANNA_VOICE = 10,
	CAROL_VOICE = 17,
	EXIT_UNMEASURED = 2,
};

static const char secret[] = "correct horse";

static const char *const rooms[] = { "hf-sip", "hf-media", "hf-call",
	"hf-store", "hf-rec" };
enum { ROOMS = sizeof(rooms) / sizeof(rooms[0]) };

static struct crash_page *page;
static struct crash_cell *armed; /* what this playing is about, or NULL */
static uint64_t die_at;

static struct {
	struct ua_world *world;
	struct site *site;
	struct ua *carol, *dave, *bot, *anna;
	long long journalled; /* the last call's number */
	int messages;         /* so many are from the scenes before */
	unsigned played;
} h;

static char why[200]; /* what was not as it should be */
static bool scene_failed;

/* ---- waiting ---------------------------------------------------------------
 */

static bool __attribute__((format(printf, 1, 2))) fail(const char *fmt, ...)
{
	va_list ap;

	if (!scene_failed) {
		va_start(ap, fmt);
		vsnprintf(why, sizeof why, fmt, ap);
		va_end(ap);
	}
	scene_failed = true;
	return false;
}

static void
run(int ms)
{
	(void)ua_run(h.world, ms, NULL, NULL);
}

static void
hears(struct ua_call *c, int whose, const char *name)
{
	int64_t from = ua_now(), end = from + PATIENCE_MS * 1000;

	while (!scene_failed && ua_hears(c, whose, from) < 0) {
		if (ua_now() > end) {
			fail("%s does not hear %s", c->ua->name, name);
			return;
		}
		run(STEP_MS);
	}
}

static void
notes(struct ua_call *c, enum ua_event what, int64_t from, const char *name)
{
	int64_t end = ua_now() + PATIENCE_MS * 1000;

	while (!scene_failed && ua_noted(c, what, from) == NULL) {
		if (ua_now() > end) {
			fail("%s: no %s", c->ua->name, name);
			return;
		}
		run(STEP_MS);
	}
}

/* The call that comes to u, of those since then; NULL and the scene is over. */
static struct ua_call *
called(struct ua *u, int64_t since)
{
	int64_t end = ua_now() + PATIENCE_MS * 1000;

	while (!scene_failed) {
		struct ua_call *c = u->calls;

		for (; c != NULL; c = c->next)
			if (c->incoming && c->came >= since && !c->over)
				return c;
		if (ua_now() > end)
			fail("%s is not called", u->name);
		run(STEP_MS);
	}
	return NULL;
}

/* ---- the point -------------------------------------------------------------
 */

static struct crash_cell *
cell_of(const char *room)
{
	for (int i = 0; i < ROOMS; i++)
		if (strcmp(page->cell[i].name, room) == 0)
			return &page->cell[i];
	return NULL;
}

/* Counting begins: of one room, which dies, or of all. */
static void
arm(void)
{
	for (int i = 0; i < ROOMS; i++) {
		struct crash_cell *c = &page->cell[i];

		c->count = 0;
		c->die_at = c == armed ? die_at : 0;
		c->on = armed == NULL || c == armed;
	}
}

static void
disarm(void)
{
	for (int i = 0; i < ROOMS; i++)
		page->cell[i].on = 0;
}

/* ---- the house -------------------------------------------------------------
 */

static void
configure(struct site *s)
{
	char host[80];

	ua_host_text(h.bot->ip, host, sizeof host);
	site_set(
	    s, "bots.cloud-a.to", "[\"sip:cloud-a@%s:%d\"]", host, h.bot->port);
	site_set(s, "trunks.carrier.to", "\"sip:%s:%d\"", host, h.bot->port);
	site_set(s, "emergency.via", "[carrier]");
	site_set(s, "queues.sales.strategy", "longest-idle");
	site_set(s, "queues.sales.wrap_up", "0s");
	site_set(s, "voicemail.front.max", "60s");
	site_set(s, "guard.hung_up_at_once", "50ms");
	site_set(s, "keeper.restarts_per_s", "50");
	site_set(s, "keeper.restarts_burst", "50");
	site_set(s, "ladders.bot", "[{ bot: cloud-a }, { queue: sales }]");
	site_set(s, "ladders.line", "[{ queue: sales }]");
	site_set(s, "ladders.box", "[{ voicemail: front }]");
	site_set(s, "numbers.\"+33400000000\"", "bot");
	site_set(s, "numbers.\"+33400000001\"", "line");
	site_set(s, "numbers.\"+33400000002\"", "box");
	site_agent(s, "anna", secret, "sales");
	site_prompts(s);
}

static bool
registers(void)
{
	struct ua_call *r = ua_register(h.anna, h.site->udp, 3600);

	scene_failed = false;
	notes(r, UA_REGISTERED, 0, "REGISTER");
	return !scene_failed;
}

static bool
opens(void)
{
	char said[400];

	h.world = ua_world_new();
	h.site = site_new("lyon", false);
	if (h.site == NULL)
		return false;
	h.carol = ua_new(
	    h.world, "carol", site_address(SITE_TRUNK, 1), UA_UDP, CAROL_VOICE);
	h.dave = ua_new(h.world, "dave", site_address(SITE_TRUNK, 2), UA_UDP,
	    CAROL_VOICE + 1);
	h.bot = ua_new(h.world, "cloud-a", site_address(SITE_HELPERS, 1),
	    UA_UDP, BOT_VOICE);
	h.anna = ua_new(
	    h.world, "anna", site_address(SITE_AGENTS, 1), UA_UDP, ANNA_VOICE);
	snprintf(h.anna->secret, sizeof h.anna->secret, "%s", secret);
	h.anna->manner.answer_ms = -1;
	configure(h.site);
	disarm();
	h.journalled = 0;
	h.messages = 0;
	h.played = 0;
	/* What happens to a helper in one scene is no news in the next. */
	return site_start(h.site, h.world) && registers() &&
	       site_ctl(h.site, "helper cloud-a close", said, sizeof said) == 0;
}

static void
closes(void)
{
	disarm();
	if (h.site != NULL && h.site->pid != 0 && !site_stop(h.site))
		fail("the house did not end well");
	site_free(h.site);
	ua_world_free(h.world);
	h.site = NULL;
	h.world = NULL;
}

/* ---- how it ended ----------------------------------------------------------
 */

/* The calls since h.journalled, a line each; how many have ended, and messages
 * were kept, or -1. */
static int
journal(char *out, size_t cap, long long *last)
{
	static const char sql[] =
	    "SELECT n, cause, rescues, last_kind, last_name, ended > 0"
	    " FROM calls WHERE n > ? ORDER BY number, cause, n";
	char path[120];
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	int ended = 0;
	size_t n = 0;

	out[0] = '\0';
	snprintf(path, sizeof path, "%s/store/journal.db", h.site->dir);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) !=
		SQLITE_OK ||
	    sqlite3_busy_timeout(db, 500) != SQLITE_OK ||
	    sqlite3_prepare_v2(db, sql, -1, &s, NULL) != SQLITE_OK) {
		sqlite3_close(db);
		return -1;
	}
	sqlite3_bind_int64(s, 1, h.journalled);
	while (sqlite3_step(s) == SQLITE_ROW && n < cap) {
		if (sqlite3_column_int64(s, 0) > *last)
			*last = sqlite3_column_int64(s, 0);
		ended += sqlite3_column_int(s, 5);
		n += (size_t)snprintf(out + n, cap - n,
		    "[%s rescues=%d last=%s/%s]", sqlite3_column_text(s, 1),
		    sqlite3_column_int(s, 2), sqlite3_column_text(s, 3),
		    sqlite3_column_text(s, 4));
	}
	sqlite3_finalize(s);
	if (sqlite3_prepare_v2(db, "SELECT count(*) FROM messages", -1, &s,
		NULL) == SQLITE_OK) {
		int kept = 0;

		if (sqlite3_step(s) == SQLITE_ROW)
			kept = sqlite3_column_int(s, 0) - h.messages;
		sqlite3_finalize(s);
		ended += kept;
		if (kept != 0)
			snprintf(out + n, cap - n, "[messages=%d]", kept);
	}
	sqlite3_close(db);
	return ended;
}

static unsigned callers;  /* of this scene */
static unsigned messages; /* that they leave */

static void
all_told(char *outcome)
{
	int64_t end = ua_now() + PATIENCE_MS * 1000;
	long long last = h.journalled;

	while (!scene_failed && journal(outcome, OUTCOME_MAX, &last) !=
				    (int)(callers + messages)) {
		if (ua_now() > end)
			fail("the journal says: %s", outcome);
		run(4 * STEP_MS);
	}
}

/* Nobody is let go but by the scene. */
static void
still_there(const struct ua_call *c)
{
	if (ua_noted(c, UA_BYE, 0) != NULL ||
	    ua_noted(c, UA_REFUSED, 0) != NULL)
		fail("%s is let go", c->ua->name);
	if (ua_noted(c, UA_REINVITED, 0) != NULL)
		fail("%s is re-invited", c->ua->name);
}

static void
goes(struct ua_call *c)
{
	int64_t now = ua_now();

	if (scene_failed)
		return;
	still_there(c);
	ua_hang_up(c, NULL);
	notes(c, UA_LEFT, now, "answer to the BYE");
}

/* ---- scenes ----------------------------------------------------------------
 */

static struct ua_call *
calls(struct ua *u, const char *number)
{
	callers++;
	return ua_invite(u, h.site->udp, number);
}

#define BOT  "+33400000000"
#define LINE "+33400000001"
#define BOX  "+33400000002"
#define HELP "112"

static struct ua_call *
talking(void)
{
	struct ua_call *c = calls(h.carol, BOT);

	hears(c, BOT_VOICE, "cloud-a");
	run(A_WORD_MS);
	return c;
}

static void
arriving(void)
{
	struct ua_call *c;

	arm();
	c = calls(h.carol, BOT);
	hears(c, BOT_VOICE, "cloud-a");
	disarm();
	goes(c);
}

static void
ringing(void)
{
	int64_t now = ua_now();
	struct ua_call *c, *b;

	h.bot->manner.answer_ms = -1;
	c = calls(h.carol, BOT);
	b = called(h.bot, now);
	run(A_WORD_MS / 2);
	arm();
	if (b != NULL)
		ua_answer(b);
	hears(c, BOT_VOICE, "cloud-a");
	disarm();
	goes(c);
}

static void
early(void)
{
	int64_t now = ua_now();
	struct ua_call *c, *b;

	h.bot->manner.answer_ms = -1;
	h.bot->manner.early = true;
	arm();
	c = calls(h.carol, BOT);
	b = called(h.bot, now);
	hears(c, BOT_VOICE, "cloud-a, early");
	if (b != NULL)
		ua_answer(b);
	notes(c, UA_ANSWERED, now, "answer");
	hears(c, BOT_VOICE, "cloud-a");
	disarm();
	goes(c);
}

static void
talk(void)
{
	struct ua_call *c = talking();

	arm();
	run(A_WORD_MS);
	hears(c, BOT_VOICE, "cloud-a");
	disarm();
	goes(c);
}

static void
suspect(void)
{
	struct ua_call *c = talking(), *b = ua_current(h.bot);

	if (b == NULL) {
		fail("cloud-a has no call");
		return;
	}
	arm();
	b->media.speech = UA_NOTHING;
	run(3 * A_WORD_MS);
	b->media.speech = UA_TALKS;
	hears(c, BOT_VOICE, "cloud-a again");
	disarm();
	goes(c);
}

static void
rescue(void)
{
	struct ua_call *c = talking(), *a;
	int64_t now = ua_now();

	arm();
	ua_close(h.bot);
	ua_close_media(h.bot);
	a = called(h.anna, now);
	if (a != NULL)
		ua_answer(a);
	hears(c, ANNA_VOICE, "anna");
	disarm();
	goes(c);
}

static void
waiting(void)
{
	int64_t now = ua_now();
	struct ua_call *d = calls(h.dave, LINE), *a, *c;

	a = called(h.anna, now);
	if (a != NULL)
		ua_answer(a);
	hears(d, ANNA_VOICE, "anna");
	run(A_WORD_MS);
	arm();
	c = calls(h.carol, LINE);
	hears(c, SITE_MUSIC, "music");
	now = ua_now();
	goes(d);
	a = called(h.anna, now);
	if (a != NULL)
		ua_answer(a);
	hears(c, ANNA_VOICE, "anna");
	disarm();
	goes(c);
}

static void
hold(void)
{
	struct ua_call *c = talking();
	int64_t now = ua_now();

	arm();
	ua_reinvite(c, "sendonly", false);
	notes(c, UA_REANSWERED, now, "answer to hold");
	run(A_WORD_MS / 2);
	now = ua_now();
	ua_reinvite(c, "sendrecv", false);
	notes(c, UA_REANSWERED, now, "answer to resume");
	hears(c, BOT_VOICE, "cloud-a");
	disarm();
	goes(c);
}

static void
parting(void)
{
	struct ua_call *c = talking(), *b = ua_current(h.bot);
	char outcome[OUTCOME_MAX];
	int64_t now = ua_now();

	arm();
	goes(c);
	if (b != NULL)
		notes(b, UA_BYE, now, "BYE");
	all_told(outcome);
	disarm();
}

static void
let_go(void)
{
	struct ua_call *c = talking(), *b = ua_current(h.bot);
	char outcome[OUTCOME_MAX];
	int64_t now = ua_now();

	arm();
	if (b != NULL)
		ua_hang_up(b, NULL);
	notes(c, UA_BYE, now, "BYE");
	all_told(outcome);
	disarm();
}

static void
gives_up(void)
{
	int64_t now = ua_now();
	struct ua_call *c, *b;
	char outcome[OUTCOME_MAX];

	h.bot->manner.answer_ms = -1;
	c = calls(h.carol, BOT);
	b = called(h.bot, now);
	run(A_WORD_MS / 2);
	arm();
	ua_hang_up(c, NULL);
	notes(c, UA_REFUSED, now, "487");
	if (b != NULL)
		notes(b, UA_CANCELLED, now, "CANCEL");
	all_told(outcome);
	disarm();
}

static void
message(void)
{
	char outcome[OUTCOME_MAX];
	struct ua_call *c;

	arm();
	c = calls(h.carol, BOX);
	messages = 1;
	hears(c, SITE_VOICEMAIL_INTRO, "the greeting");
	run(A_MESSAGE_MS);
	goes(c);
	all_told(outcome);
	disarm();
}

/* Anna calls for help; the far end of the trunk is the bot's phone. */
static void
help(void)
{
	struct ua_call *c;

	arm();
	c = calls(h.anna, HELP);
	hears(c, BOT_VOICE, "who helps");
	run(A_WORD_MS);
	disarm();
	goes(c);
}

static void
help_rings(void)
{
	int64_t now = ua_now();
	struct ua_call *c, *b;

	h.bot->manner.answer_ms = -1;
	c = calls(h.anna, HELP);
	b = called(h.bot, now);
	run(A_WORD_MS / 2);
	arm();
	if (b != NULL)
		ua_answer(b);
	hears(c, BOT_VOICE, "who helps");
	disarm();
	goes(c);
}

static void
help_parts(void)
{
	int64_t now = ua_now();
	struct ua_call *c = calls(h.anna, HELP), *b = called(h.bot, now);
	char outcome[OUTCOME_MAX];

	hears(c, BOT_VOICE, "who helps");
	arm();
	goes(c);
	if (b != NULL)
		notes(b, UA_BYE, now, "BYE");
	all_told(outcome);
	disarm();
}

static const struct scene {
	const char *name;
	void (*play)(void);
} scenes[] = {
	{ "arriving", arriving },
	{ "ringing", ringing },
	{ "early", early },
	{ "talking", talk },
	{ "suspect", suspect },
	{ "rescue", rescue },
	{ "waiting", waiting },
	{ "hold", hold },
	{ "parting", parting },
	{ "let-go", let_go },
	{ "gives-up", gives_up },
	{ "message", message },
	{ "help", help },
	{ "help-rings", help_rings },
	{ "help-parts", help_parts },
};
enum { SCENES = sizeof(scenes) / sizeof(scenes[0]) };

/* ---- one playing -----------------------------------------------------------
 */

static bool
nothing_left(void)
{
	static const char *const what[] = { "--json calls --live",
		"--json streams" };
	int64_t end = ua_now() + PATIENCE_MS * 1000;
	char said[2000];

	for (int i = 0; i < 2; i++)
		while (site_ctl(h.site, what[i], said, sizeof said) != 0 ||
		       strchr(said, '{') != NULL) {
			if (ua_now() > end)
				return fail("left behind: %.80s", said);
			run(10 * STEP_MS);
		}
	return true;
}

static void
show(void)
{
	static const char *const what[] = { "calls --live", "agents", "streams",
		"queues" };
	static char said[60000];

	for (size_t i = 0; i < sizeof(what) / sizeof(what[0]); i++) {
		(void)site_ctl(h.site, what[i], said, sizeof said);
		fprintf(stderr, "---- hfctl %s\n%s", what[i], said);
	}
	/* The call that is up. */
	if (site_ctl(h.site, "calls --live", said, sizeof said) == 0) {
		char *id = strstr(said, "lyon-"), words[80];

		if (id != NULL) {
			snprintf(words, sizeof words, "trace %.*s",
			    (int)strcspn(id, " "), id);
			(void)site_ctl(h.site, words, said, sizeof said);
			fprintf(stderr, "---- hfctl %s\n%s", words, said);
			memcpy(words, "why  ", 5);
			(void)site_ctl(h.site, words, said, sizeof said);
			fprintf(stderr, "---- hfctl %s\n%s", words, said);
		}
	}
	site_show_log(h.site);
}

static bool
play(const struct scene *s, char *outcome)
{
	if (h.site != NULL && h.played >= FRESH_AFTER)
		closes();
	scene_failed = false;
	why[0] = '\0';
	if (h.site == NULL && !opens()) {
		fprintf(stderr, "no house to try this in\n");
		exit(EXIT_UNMEASURED);
	}
	h.played++;
	callers = messages = 0;
	s->play();
	disarm();
	all_told(outcome);
	(void)(scene_failed || nothing_left());
	(void)journal(outcome, OUTCOME_MAX, &h.journalled);
	h.messages += (int)messages;
	if (h.bot->udp < 0) {
		ua_open(h.bot);
		ua_open_media(h.bot);
	}
	h.bot->manner = ua_manner();
	if (scene_failed) {
		char reason[200];

		snprintf(reason, sizeof reason, "%s", why);
		if (getenv("HF_KEEP") != NULL)
			show();
		closes(); /* what is left of it would spoil the next */
		snprintf(why, sizeof why, "%s", reason);
	}
	return !scene_failed;
}

/* ---- all of them -----------------------------------------------------------
 */

struct point {
	uint8_t scene, room;
	uint32_t n;
};

static struct point points[POINTS_MAX];
static unsigned points_nr;
static char clean[SCENES][OUTCOME_MAX];

static bool
named(const char *list, const char *name)
{
	size_t n = strlen(name);

	if (list == NULL)
		return true;
	for (const char *p = list; p != NULL && *p != '\0';) {
		size_t k = strcspn(p, ",");

		if (k == n && strncmp(p, name, n) == 0)
			return true;
		p += k + (p[k] == ',');
	}
	return false;
}

/* Each scene without a death: how it ends, and what points it has. */
static bool
survey(const char *only, const char *whom, unsigned every, uint32_t one)
{
	for (uint8_t i = 0; i < SCENES; i++) {
		if (!named(only, scenes[i].name))
			continue;
		armed = NULL;
		if (!play(&scenes[i], clean[i])) {
			fprintf(stderr, "%s fails without a death: %s\n",
			    scenes[i].name, why);
			return false;
		}
		printf("scene %-9s %s", scenes[i].name, clean[i]);
		for (uint8_t r = 0; r < ROOMS; r++) {
			uint64_t n = page->cell[r].count;

			printf(" %s=%llu", rooms[r], (unsigned long long)n);
			for (uint32_t k = 1; k <= n;
			     k +=
			     n > LONG_SCENE && every > 1 ? 8 * every : every)
				if (named(whom, rooms[r]) &&
				    (one == 0 || one == k) &&
				    points_nr < POINTS_MAX)
					points[points_nr++] =
					    (struct point){ i, r, k };
		}
		printf("\n");
		fflush(stdout);
	}
	return true;
}

static void
shuffle(unsigned seed)
{
	srandom(seed);
	for (unsigned i = points_nr; i > 1; i--) {
		unsigned k = (unsigned)random() % i;
		struct point p = points[i - 1];

		points[i - 1] = points[k];
		points[k] = p;
	}
}

/* -1: the process did not come to that point; 0: otherwise; 1: well. */
static int
try(const struct point *p)
{
	const struct scene *s = &scenes[p->scene];
	char outcome[OUTCOME_MAX];
	uint32_t deaths;
	bool well;

	armed = cell_of(rooms[p->room]);
	die_at = p->n;
	deaths = armed->deaths;
	well = play(s, outcome);
	if (well && strcmp(outcome, clean[p->scene]) != 0)
		well = fail("ended as %s", outcome);
	if (well)
		return armed->deaths != deaths ? 1 : -1;
	printf("otherwise: scene=%s room=%s n=%u before=\"%s\" why=\"%s\"\n",
	    s->name, rooms[p->room], p->n,
	    armed->deaths != deaths ? armed->where : "(no death)", why);
	fflush(stdout);
	return 0;
}

static const char *
page_make(void)
{
	static char path[] = "/dev/shm/holdfast-crash.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || fchmod(fd, 0666) != 0 ||
	    ftruncate(fd, sizeof *page) != 0) {
		perror(path);
		exit(EXIT_UNMEASURED);
	}
	page =
	    mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		exit(EXIT_UNMEASURED);
	page->magic = CRASH_MAGIC;
	for (int i = 0; i < ROOMS; i++)
		snprintf(page->cell[i].name, CRASH_NAME, "%s", rooms[i]);
	setenv("HF_CRASH", path, 1);
	return path;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "scene", required_argument, NULL, 's' },
		{ "room", required_argument, NULL, 'r' },
		{ "point", required_argument, NULL, 'p' },
		{ "shard", required_argument, NULL, 'k' },
		{ "every", required_argument, NULL, 'e' },
		{ "seconds", required_argument, NULL, 't' },
		{ "seed", required_argument, NULL, 'x' },
		{ NULL, 0, NULL, 0 },
	};
	const char *only = NULL, *whom = NULL, *path;
	unsigned every = 1, shard = 0, shards = 1, tried = 0, otherwise = 0,
		 unreached = 0;
	unsigned seed = (unsigned)ua_now();
	uint32_t one = 0;
	int64_t seconds = 0, began = ua_now();

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (o) {
		case 's':
			only = optarg;
			break;
		case 'r':
			whom = optarg;
			break;
		case 'p':
			one = (uint32_t)atoi(optarg);
			break;
		case 'e':
			every = (unsigned)atoi(optarg);
			break;
		case 't':
			seconds = atoi(optarg);
			break;
		case 'x':
			seed = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'k':
			if (sscanf(optarg, "%u/%u", &shard, &shards) == 2)
				break;
			return EXIT_UNMEASURED;
		default:
			return EXIT_UNMEASURED;
		}
	path = page_make();
	if (!survey(only, whom, every > 0 ? every : 1, one)) {
		unlink(path);
		return EXIT_UNMEASURED;
	}
	if (seconds > 0) {
		printf("seed %u: the same points again with --seed %u\n", seed,
		    seed);
		shuffle(seed);
	}
	for (unsigned i = shard; i < points_nr; i += shards) {
		int how;

		if (seconds > 0 && ua_now() - began > seconds * 1000000)
			break;
		how = try(&points[i]);
		tried += how >= 0;
		otherwise += how == 0;
		unreached += how < 0;
	}
	if (h.site != NULL)
		closes();
	unlink(path);
	printf("%u of %u points, %u were not reached again\n", tried,
	    points_nr / shards, unreached);
	printf("FIGURE name=points_tried value=%u\n", tried);
	printf(
	    "FIGURE name=points_ended_otherwise value=%u goal==0\n", otherwise);
	return tried == 0 ? EXIT_UNMEASURED : otherwise > 0;
}
