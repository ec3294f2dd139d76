/*
 * hf-demo run [--address IP]: a site to call from any softphone; its cloud bot
 * talks, and dies in mid-sentence.  Until interrupted.  On loopback unless
 * told.  The hfctl beside it finds it: STAGE/run/holdfast leads there.
 *
 * hf-demo rescue [--after SPAN_MS]: the same without a softphone: a caller, a
 * bot that is killed, a person who answers; then the timeline with the gap,
 * measured by the time stamps of the caller's kernel.  It is played at the site
 * of "run" when there is one, so that it can be looked at afterwards; else at
 * one of its own.
 *
 *      rescue --"3000"--> socket DIR/demo --> run plays it
 *             <--text, then a zero when all went well--
 *
 * The actors are the tests' own; nothing is simulated inside Holdfast.
 */
#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lib/site.h"

enum {
	VOICE_CAROL = 3,
	VOICE_BOT = 20,
	VOICE_ANNA = 33,
	VOICE_RITA = 34,
	BOT_LIVES_MS = 12000,
	TALK_MS = 3000,
	SOON_MS = 5000,
	RINGS_MS = 1500, /* anna lets it ring */
	ANNA_ANSWERS_MS = 2000,
	PORT = 5060,
	PORTS_TRIED = 40,
	EXPIRES = 3600,
	RENEW_S = EXPIRES / 2,
	RENEW_AGAIN_S = 30, /* nobody answered */
};

#define NUMBER        "+33400000000"
#define RESCUE_NUMBER "+33400000001"
#define SOUNDS        "/usr/share/asterisk/sounds/en_US_f_Allison/"

static const char password[] = "holdfast-demo";
static volatile sig_atomic_t stopped;
static struct ua_world *w;
static FILE *told; /* where the timeline goes */

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

/* What the rescue is played on. */
static void
rescue_ladder(struct site *s, const struct ua *bot)
{
	site_set(
	    s, "bots.frail-bot.to", "[\"sip:bot@%s:%d\"]", bot->ip, bot->port);
	site_set(s, "queues.rescue.wrap_up", "0s");
	site_set(
	    s, "ladders.rescue", "[ { bot: frail-bot }, { queue: rescue } ]");
	site_set(s, "numbers.\"" RESCUE_NUMBER "\"", "rescue");
	site_agent(s, "rita", password, "rescue");
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

/* Registrations end; whoever stays longer renews his in time. */
struct phone {
	struct ua *ua;
	struct ua_call *asked; /* NULL: answered, or not yet asked */
	int64_t due;
};

static void
phone_renew(const struct site *s, struct phone *p)
{
	int64_t now = ua_now();

	if (p->asked != NULL && p->asked->notes > 0) {
		if (p->asked->note[0].code == 200)
			p->due = now + RENEW_S * 1000000LL;
		else
			fprintf(stderr, "%s's phone could not register\n",
			    p->ua->name);
		p->asked = NULL;
	}
	if (now < p->due)
		return;
	p->due = now + RENEW_AGAIN_S * 1000000LL;
	p->asked = ua_register(p->ua, s->udp, EXPIRES);
}

/* ---- rescue
 * ----------------------------------------------------------------------- */

struct drama {
	struct ua *carol, *bot, *rita;
	struct ua_call *call, *before; /* rita's last one */
	int64_t zero, last, died;
	const struct ua_note *rang;
};

static void
tell(const struct drama *d, int64_t at, const char *what)
{
	fprintf(told, "  %7.3f s  %s\n", (double)(at - d->zero) / 1e6, what);
	fflush(told);
}

static bool
hears_bot(void *arg)
{
	const struct drama *d = arg;

	return ua_hears(d->call, VOICE_BOT, 0) >= 0;
}

static bool
rita_rings(void *arg)
{
	struct drama *d = arg;

	d->rang = d->rita->calls != d->before
		      ? ua_noted(d->rita->calls, UA_CALLED, 0)
		      : NULL;
	return d->rang != NULL;
}

static bool
hears_rita(void *arg)
{
	const struct drama *d = arg;

	return ua_hears(d->call, VOICE_RITA, d->died) >= 0;
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
	int64_t rita = ua_hears(d->call, VOICE_RITA, d->died);

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
		tell(d, d->rang->at, "rita's phone rings");
	tell(d, rita, "the caller hears rita");
	fprintf(told,
	    "\nLongest silence at the caller: %.1f ms; re-INVITEs to the "
	    "caller: %d\n",
	    (double)ua_longest_gap(d->call, d->last, rita) / 1000,
	    ua_noted(d->call, UA_REINVITED, 0) != NULL);
}

static bool
drama_play(struct drama *d, const struct site *s, int after_ms)
{
	fprintf(told, "A caller dials " RESCUE_NUMBER ".\n");
	d->before = d->rita->calls;
	d->zero = ua_now();
	d->call = ua_invite(d->carol, s->udp, RESCUE_NUMBER);
	if (!ua_run(w, SOON_MS, hears_bot, d)) {
		fprintf(told, "the caller never heard the bot\n");
		return false;
	}
	tell(d, ua_hears(d->call, VOICE_BOT, 0), "the caller hears the bot");
	ua_run(w, after_ms, NULL, NULL);
	d->died = ua_now();
	d->bot->calls->speechless = true;
	d->bot->calls->media.speech = UA_NOTHING;
	tell(d, d->died,
	    "the bot dies in mid-sentence; no BYE, its sockets stay open");
	if (!ua_run(w, SOON_MS, rita_rings, d)) {
		fprintf(told, "nobody's phone rang\n");
		return false;
	}
	ua_run(w, RINGS_MS, NULL, NULL);
	ua_answer(d->rita->calls);
	if (!ua_run(w, SOON_MS, hears_rita, d)) {
		fprintf(told, "the caller never heard rita\n");
		return false;
	}
	timeline(d);
	ua_hang_up(d->call, NULL);
	ua_run(w, 300, NULL, NULL);
	return true;
}

/* Its actors, at addresses of their own or all at one. */
static void
drama_cast(
    struct drama *d, const char *carol, const char *bot, const char *rita)
{
	*d = (struct drama){
		.carol = ua_new(w, "carol", carol, UA_UDP, VOICE_CAROL),
		.bot = ua_new(w, "frail-bot", bot, UA_UDP, VOICE_BOT),
		.rita = ua_new(w, "rita", rita, UA_UDP, VOICE_RITA),
	};
	d->rita->manner.answer_ms = -1;
}

/* At a site of its own. */
static int
rescue_alone(int after_ms)
{
	char carol[64], bot[64];
	struct drama d;
	struct site *s = site_new("demo", false);

	if (s == NULL)
		return 2;
	snprintf(carol, sizeof carol, "%s", site_address(SITE_TRUNK, 1));
	snprintf(bot, sizeof bot, "%s", site_address(SITE_HELPERS, 1));
	drama_cast(&d, carol, bot, site_address(SITE_AGENTS, 1));
	rescue_ladder(s, d.bot);
	bool well = site_start(s, w) && phone_register(s, d.rita) &&
		    drama_play(&d, s, after_ms);
	if (well)
		printf("\nThis site is closed again.  While \"make run\" runs "
		       "in another terminal the rescue is\nplayed there, and "
		       "hfctl why last shows what was seen.\n");
	else
		site_show_log(s);
	well = site_stop(s) && well;
	site_free(s);
	return well ? 0 : 1;
}

/* ---- the site of "run", for others
 * ------------------------------------------------- */

static bool
socket_name(struct sockaddr_un *to, const char *dir)
{
	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int n = snprintf(to->sun_path, sizeof to->sun_path, "%s/demo", dir);
	return n > 0 && (size_t)n < sizeof to->sun_path;
}

/* STAGE/run/holdfast leads to the site, where the hfctl of this stage looks; a
 * folder that is there already is somebody's house. */
static bool
place_take(const struct site *s, char *place, size_t cap)
{
	char run[200], to[100];
	struct stat st;

	snprintf(run, sizeof run, "%s", site_stage("run"));
	snprintf(place, cap, "%s/holdfast", run);
	snprintf(to, sizeof to, "%s/run", s->dir);
	(void)mkdir(run, 0755);
	if (lstat(place, &st) == 0 && S_ISLNK(st.st_mode))
		(void)unlink(place);
	return symlink(to, place) == 0;
}

static int
door_open(const struct site *s)
{
	struct sockaddr_un at;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	char run[100];

	snprintf(run, sizeof run, "%s/run", s->dir);
	if (fd >= 0 && socket_name(&at, run) &&
	    bind(fd, (struct sockaddr *)&at, sizeof at) == 0 &&
	    chmod(at.sun_path, 0600) == 0 && listen(fd, 4) == 0)
		return fd;
	perror("hf-demo: nobody can ask for a rescue");
	return -1;
}

static void
door_answer(int door, struct drama *d, const struct site *s)
{
	char text[16] = "";
	int fd = accept4(door, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	struct timeval soon = { .tv_sec = 1 };
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof soon);
	if (recv(fd, text, sizeof text - 1, 0) <= 0 ||
	    (told = fdopen(fd, "w")) == NULL) {
		close(fd);
		told = stdout;
		return;
	}
	printf("A rescue was asked for; it is told there.\n");
	fflush(stdout);
	if (drama_play(d, s, atoi(text)))
		fputc('\0', told);
	else if (d->call != NULL && !d->call->over)
		ua_hang_up(d->call, NULL);
	fclose(told);
	told = stdout;
}

/* False when there is no such site. */
static bool
rescue_there(int after_ms, int *status)
{
	struct sockaddr_un to;
	char text[500];
	ssize_t n;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || !socket_name(&to, site_stage("run/holdfast")) ||
	    connect(fd, (struct sockaddr *)&to, sizeof to) != 0) {
		close(fd);
		return false;
	}
	n = snprintf(text, sizeof text, "%d", after_ms);
	*status = send(fd, text, (size_t)n, MSG_NOSIGNAL) == n ? 1 : 2;
	while ((n = recv(fd, text, sizeof text, 0)) > 0) {
		if (text[n - 1] == '\0') {
			*status = 0;
			n--;
		}
		fwrite(text, 1, (size_t)n, stdout);
		fflush(stdout);
	}
	close(fd);
	if (*status == 0)
		printf("\nLook at it:  hfctl why last, hfctl trace last, "
		       "hfctl calls --past 1\n");
	return true;
}

static int
rescue(int after_ms)
{
	int status;

	return rescue_there(after_ms, &status) ? status
					       : rescue_alone(after_ms);
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
advice(const struct site *s, const char *ip, bool found)
{
	char where[100] = "";

	if (!found)
		snprintf(where, sizeof where, "HF_RUN_DIR=%s/run ", s->dir);
	printf("\nA Holdfast stands at %s, port %d (UDP and TCP).\n\n"
	       "  Call it from any softphone, without an account:\n"
	       "      sip:" NUMBER "@%s:%d\n"
	       "  A cloud bot answers.  After %d seconds it dies in "
	       "mid-sentence.\n\n"
	       "  Be the person who takes over, from a second softphone:\n"
	       "      user ben, password %s, server %s:%d\n"
	       "  While ben is not there, a scripted agent, anna, answers.\n\n"
	       "  Look at it:       %s%s status\n"
	       "  Without a phone:  %s demo rescue\n"
	       "  From elsewhere:   HF_DEMO_ADDRESS=own-address make run\n"
	       "  Stop it:          Ctrl-C\n\n",
	    ip, s->port, ip, s->port, BOT_LIVES_MS / 1000, password, ip,
	    s->port, where, site_stage("bin/hfctl"), site_stage("bin/hfctl"));
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
	struct drama drama;
	char place[300];
	drama_cast(&drama, ip, ip, ip);
	rescue_ladder(s, drama.bot);
	if (!site_start(s, w) || !phone_register(s, anna) ||
	    !phone_register(s, drama.rita))
		return 1;
	bool found = place_take(s, place, sizeof place);
	int door = door_open(s);
	advice(s, ip, found);
	signal(SIGPIPE, SIG_IGN); /* who asked for a rescue may go */
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	struct phone phones[] = {
		{ anna, NULL, ua_now() + RENEW_S * 1000000LL },
		{ drama.rita, NULL, ua_now() + RENEW_S * 1000000LL },
	};
	while (!stopped && kill(s->pid, 0) == 0) {
		ua_run(w, 50, NULL, NULL);
		for (size_t i = 0; i < sizeof phones / sizeof phones[0]; i++)
			phone_renew(s, &phones[i]);
		bots_die(bot);
		door_answer(door, &drama, s);
	}
	if (found)
		unlink(place);
	printf("Good night.\n");
	bool well = site_stop(s);
	site_free(s);
	return well ? 0 : 1;
}

int
main(int argc, char **argv)
{
	int status = 2;

	told = stdout;
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
