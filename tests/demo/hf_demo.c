/*
 * hf-demo run [--address IP]: a site to call from any softphone; its cloud bot
 * talks, and dies in mid-sentence.  Until interrupted.  On loopback unless
 * told.
 *
 * hf-demo rescue [--after SPAN_MS]: the same without a softphone: a site of its
 * own, a caller, a bot that is killed, a person who answers; then the timeline
 * with the gap, measured by the time stamps of the caller's kernel.
 *
 * The actors are the tests' own; nothing is simulated inside Holdfast.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/site.h"

enum {
	VOICE_CAROL = 3,
	VOICE_BOT = 20,
	VOICE_ANNA = 33,
	BOT_LIVES_MS = 12000,
	TALK_MS = 3000,
	SOON_MS = 5000,
	RINGS_MS = 1500, /* anna lets it ring */
	ANNA_ANSWERS_MS = 2000,
	PORT = 5060,
	PORTS_TRIED = 40,
	EXPIRES = 3600,
};

#define NUMBER "+33400000000"
#define SOUNDS "/usr/share/asterisk/sounds/en_US_f_Allison/"

static const char password[] = "holdfast-demo";
static volatile sig_atomic_t stopped;
static struct ua_world *w;

static void
on_signal(int n)
{
	(void)n;
	stopped = 1;
}

/* The stage that this program stands in: STAGE/libexec/holdfast/hf-demo. */
static void
stage_find(void)
{
	char self[300];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (getenv("HF_STAGE") != NULL || n <= 0)
		return;
	self[n] = '\0';
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(self, '/');
		if (slash != NULL)
			*slash = '\0';
	}
	setenv("HF_STAGE", self, 1);
}

static void
ladder(struct site *s, const struct ua *bot, const char *rungs)
{
	site_set(
	    s, "bots.cloud-bot.to", "[\"sip:bot@%s:%d\"]", bot->ip, bot->port);
	site_set(s, "queues.sales.ring", "15s");
	site_set(s, "queues.sales.wrap_up", "1s");
	site_set(s, "ladders.front", "%s", rungs);
	site_set(s, "numbers.\"" NUMBER "\"", "front");
}

static bool
is_noted(void *arg)
{
	const struct ua_call *c = arg;

	return c->notes > 0;
}

static bool
phone_register(const struct site *s, struct ua *u)
{
	snprintf(u->secret, sizeof u->secret, "%s", password);
	struct ua_call *r = ua_register(u, s->udp, EXPIRES);

	if (ua_run(w, SOON_MS, is_noted, r) && r->note[0].code == 200)
		return true;
	fprintf(stderr, "%s's phone could not register\n", u->name);
	return false;
}

/* ---- rescue
 * ----------------------------------------------------------------------- */

struct drama {
	struct ua *carol, *bot, *anna;
	struct ua_call *call;
	int64_t zero, last, died;
	const struct ua_note *rang;
};

static void
tell(const struct drama *d, int64_t at, const char *what)
{
	printf("  %7.3f s  %s\n", (double)(at - d->zero) / 1e6, what);
	fflush(stdout);
}

static bool
hears_bot(void *arg)
{
	const struct drama *d = arg;

	return ua_hears(d->call, VOICE_BOT, 0) >= 0;
}

static bool
anna_rings(void *arg)
{
	struct drama *d = arg;

	d->rang = d->anna->calls != NULL
		      ? ua_noted(d->anna->calls, UA_CALLED, 0)
		      : NULL;
	return d->rang != NULL;
}

static bool
hears_anna(void *arg)
{
	const struct drama *d = arg;

	return ua_hears(d->call, VOICE_ANNA, d->died) >= 0;
}

/* When did carol first hear something of that kind after the bot's last
 * packet?  In milliseconds after it; negative: never. */
static double
after(const struct drama *d, int whose)
{
	const struct ua_media *m = &d->call->media;

	for (size_t i = 0; i < m->hears; i++)
		if (m->heard[i].at > d->last &&
		    (whose == VOICE_NONE || m->heard[i].whose == whose))
			return (double)(m->heard[i].at - d->last) / 1000;
	return -1;
}

static void
last_find(struct drama *d)
{
	const struct ua_media *m = &d->call->media;

	for (size_t i = 0; i < m->hears; i++)
		if (m->heard[i].whose == VOICE_BOT)
			d->last = m->heard[i].at;
}

static void
timeline(struct drama *d)
{
	char text[200];
	double ms;
	int64_t anna = ua_hears(d->call, VOICE_ANNA, d->died);

	last_find(d);
	tell(d, d->last, "the last packet of the bot reaches the caller");
	if ((ms = after(d, VOICE_NONE)) >= 0) {
		snprintf(text, sizeof text,
		    "the line is alive again: %.1f ms of silence", ms);
		tell(d, d->last + (int64_t)(ms * 1000), text);
	}
	if ((ms = after(d, VOICE_OTHER)) >= 0) {
		snprintf(text, sizeof text,
		    "\"One moment, please\": a voice after %.1f ms", ms);
		tell(d, d->last + (int64_t)(ms * 1000), text);
	}
	const struct ua_note *bye =
	    d->bot->calls != NULL ? ua_noted(d->bot->calls, UA_BYE, d->died)
				  : NULL;
	if (bye != NULL) {
		snprintf(text, sizeof text,
		    "the bot is given up, %.0f ms after its last packet",
		    (double)(bye->at - d->last) / 1000);
		tell(d, bye->at, text);
	}
	if (d->rang != NULL)
		tell(d, d->rang->at, "anna's phone rings");
	tell(d, anna, "the caller hears anna");
	printf("\nLongest silence at the caller: %.1f ms; re-INVITEs to the "
	       "caller: %d\n",
	    (double)ua_longest_gap(d->call, d->last, anna) / 1000,
	    ua_noted(d->call, UA_REINVITED, 0) != NULL);
}

static bool
drama_play(struct drama *d, const struct site *s, int after_ms)
{
	printf("A caller dials " NUMBER ".\n");
	d->zero = ua_now();
	d->call = ua_invite(d->carol, s->udp, NUMBER);
	if (!ua_run(w, SOON_MS, hears_bot, d)) {
		fprintf(stderr, "the caller never heard the bot\n");
		return false;
	}
	tell(d, ua_hears(d->call, VOICE_BOT, 0), "the caller hears the bot");
	ua_run(w, after_ms, NULL, NULL);
	d->died = ua_now();
	d->bot->calls->speechless = true;
	d->bot->calls->media.speech = UA_NOTHING;
	tell(d, d->died,
	    "the bot dies in mid-sentence; no BYE, its sockets stay open");
	if (!ua_run(w, SOON_MS, anna_rings, d)) {
		fprintf(stderr, "nobody's phone rang\n");
		return false;
	}
	ua_run(w, RINGS_MS, NULL, NULL);
	ua_answer(d->anna->calls);
	if (!ua_run(w, SOON_MS, hears_anna, d)) {
		fprintf(stderr, "the caller never heard anna\n");
		return false;
	}
	timeline(d);
	ua_hang_up(d->call, NULL);
	ua_run(w, 300, NULL, NULL);
	return true;
}

static int
rescue(int after_ms)
{
	struct drama d = { .rang = NULL };
	struct site *s = site_new("demo", false);

	if (s == NULL)
		return 2;
	d.carol = ua_new(
	    w, "carol", site_address(SITE_TRUNK, 1), UA_UDP, VOICE_CAROL);
	d.bot = ua_new(
	    w, "cloud-bot", site_address(SITE_HELPERS, 1), UA_UDP, VOICE_BOT);
	d.anna =
	    ua_new(w, "anna", site_address(SITE_AGENTS, 1), UA_UDP, VOICE_ANNA);
	d.anna->manner.answer_ms = -1;
	ladder(s, d.bot, "[ { bot: cloud-bot }, { queue: sales } ]");
	site_agent(s, "anna", password, "sales");
	bool well = site_start(s, w) && phone_register(s, d.anna) &&
		    drama_play(&d, s, after_ms);
	if (!well)
		site_show_log(s);
	well = site_stop(s) && well;
	site_free(s);
	return well ? 0 : 1;
}

/* ---- run
 * -----------------------------------------------------------------------------
 */

static int
port_find(const char *ip)
{
	for (int port = PORT; port < PORT + PORTS_TRIED; port++) {
		struct sockaddr_in a = { .sin_family = AF_INET,
			.sin_port = htons((uint16_t)port) };
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		inet_pton(AF_INET, ip, &a.sin_addr);
		bool free = bind(fd, (struct sockaddr *)&a, sizeof a) == 0;
		close(fd);
		if (free)
			return port;
	}
	return 0;
}

/* The bot of a call that has lived long enough falls silent. */
static void
bot_noted(struct ua_call *c, const struct ua_note *n)
{
	if (n->what == UA_CONFIRMED)
		printf("A caller talks to the cloud bot; it will die in %d "
		       "seconds.\n",
		    BOT_LIVES_MS / 1000);
	if (n->what == UA_BYE && c->speechless)
		printf("Holdfast has given up the bot.\n");
	fflush(stdout);
}

static void
bots_die(struct ua *bot)
{
	for (struct ua_call *c = bot->calls; c != NULL; c = c->next) {
		const struct ua_note *n = ua_noted(c, UA_CONFIRMED, 0);
		if (n == NULL || c->over || c->speechless ||
		    ua_now() - n->at < BOT_LIVES_MS * 1000LL)
			continue;
		c->speechless = true;
		c->media.speech = UA_NOTHING;
		printf("The bot has died in mid-sentence.  Listen.\n");
		fflush(stdout);
	}
}

static void
advice(const struct site *s, const char *ip)
{
	printf("\nA Holdfast stands at %s, port %d (UDP and TCP).\n\n"
	       "  Call it from any softphone, without an account:\n"
	       "      sip:" NUMBER "@%s:%d\n"
	       "  A cloud bot answers.  After %d seconds it dies in "
	       "mid-sentence.\n\n"
	       "  Be the person who takes over, from a second softphone:\n"
	       "      user ben, password %s, server %s:%d\n"
	       "  While ben is not there, a scripted agent, anna, answers.\n\n"
	       "  Look at it:       %s --socket %s/run/control status\n"
	       "  Without a phone:  %s demo rescue\n"
	       "  From elsewhere:   HF_DEMO_ADDRESS=own-address make run\n"
	       "  Stop it:          Ctrl-C\n\n",
	    ip, s->port, ip, s->port, BOT_LIVES_MS / 1000, password, ip,
	    s->port, site_stage("bin/hfctl"), s->dir, site_stage("bin/hfctl"));
	fflush(stdout);
}

/* ip: loopback, or the address that softphones on other machines reach. */
static int
run(const char *ip)
{
	struct in_addr parsed;
	int port;

	if (inet_pton(AF_INET, ip, &parsed) != 1 ||
	    (port = port_find(ip)) == 0) {
		fprintf(stderr,
		    "hf-demo: %s is not an IPv4 address of this machine with "
		    "a free port from %d on\n",
		    ip, PORT);
		return 2;
	}
	struct site *s = site_new("demo", false);

	if (s == NULL)
		return 2;
	site_move(s, ip, port);
	struct ua *bot = ua_new(w, "cloud-bot", ip, UA_UDP, VOICE_BOT);
	struct ua *anna = ua_new(w, "anna", ip, UA_UDP, VOICE_ANNA);
	bot->on_note = bot_noted;
	anna->manner.answer_ms = ANNA_ANSWERS_MS;
	if (!ua_says(bot, SOUNDS "demo-congrats.wav") ||
	    !ua_says(anna, SOUNDS "demo-thanks.wav"))
		printf("Debian's prompts are missing: the actors will "
		       "whistle.\n");
	/* Whoever is that near may call in; nobody may call out. */
	site_set(s, "trunks.carrier.peers", "[\"127.0.0.0/8\", \"%s/24\"]", ip);
	site_set(s, "queues.backup.wrap_up", "1s");
	ladder(s, bot,
	    "[ { bot: cloud-bot }, { queue: sales }, { queue: backup }, "
	    "{ voicemail: front } ]");
	site_agent(s, "ben", password, "sales");
	site_agent(s, "anna", password, "backup");
	if (!site_start(s, w) || !phone_register(s, anna))
		return 1;
	advice(s, ip);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	while (!stopped && kill(s->pid, 0) == 0) {
		ua_run(w, 50, NULL, NULL);
		bots_die(bot);
	}
	printf("Good night.\n");
	bool well = site_stop(s);
	site_free(s);
	return well ? 0 : 1;
}

int
main(int argc, char **argv)
{
	int status = 2;

	stage_find();
	w = ua_world_new();
	if (argc == 2 && strcmp(argv[1], "run") == 0)
		status = run("127.0.0.1");
	else if (argc == 4 && strcmp(argv[1], "run") == 0 &&
		 strcmp(argv[2], "--address") == 0)
		status = run(argv[3]);
	else if (argc == 2 && strcmp(argv[1], "rescue") == 0)
		status = rescue(TALK_MS);
	else if (argc == 4 && strcmp(argv[1], "rescue") == 0 &&
		 strcmp(argv[2], "--after") == 0)
		status = rescue(atoi(argv[3]));
	else
		fprintf(stderr, "usage: hf-demo run [--address IP] | rescue "
				"[--after MS]\n");
	ua_world_free(w);
	return status;
}
