/*
 * interop [NAME...] - real phones and proxies against a real Holdfast: each
 * calls, or is called as an agent, and says a voice of ours from a wav file;
 * what arrives at the far end, and in the peer's own recording, proves that
 * sound went both ways.  A peer that is not installed is skipped.
 *
 * Last line: N passed, N failed, N skipped.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/site.h"

enum {
	VOICE_OURS = 20, /* of our end */
	VOICE_PEER = 10, /* of what the peer plays */
	VOICE_AGENT = 17,
	HEARD_MS = 12000,
	TALK_MS = 2000,
	ENOUGH = 20, /* frames in a recording */
	WAV_FRAMES = 1500,
	WAV_HEADER = 44,
};

#define NUMBER         "+33400000000"
#define SECRET         "correct-horse"
#define CARRIER_SECRET "open-sesame"

static struct ua_world *w;
static struct site *s;
static char why[300];
static pid_t peers[4];

static bool
fails(const char *fmt, ...)
{
	va_list a;

	va_start(a, fmt);
	vsnprintf(why, sizeof why, fmt, a);
	va_end(a);
	return false;
}

static const char *
file(const char *name)
{
	static char path[4][200];
	static int turn;

	turn = (turn + 1) % 4;
	snprintf(path[turn], sizeof path[0], "%s/%s", s->dir, name);
	return path[turn];
}

static void
text_write(const char *name, const char *fmt, ...)
{
	FILE *f = fopen(file(name), "w");
	va_list a;

	if (f == NULL)
		exit(99);
	va_start(a, fmt);
	vfprintf(f, fmt, a);
	va_end(a);
	fclose(f);
}

/* ---- peers
 * ------------------------------------------------------------------------ */

/* Starts a peer; its standard input is the read end of in, or nothing. */
static pid_t
peer_start(const char *log, int in, char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		int out = open(file(log), O_WRONLY | O_CREAT | O_APPEND, 0644);
		dup2(in >= 0 ? in : open("/dev/null", O_RDONLY), 0);
		dup2(out, 1);
		dup2(out, 2);
		for (int fd = 3; fd < 1024; fd++)
			close(fd);
		setenv("HOME", s->dir, 1);
		if (chdir(s->dir) == 0)
			execvp(argv[0], argv);
		_exit(127);
	}
	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++)
		if (peers[i] == 0) {
			peers[i] = pid;
			break;
		}
	return pid;
}

static void
peers_stop(void)
{
	for (size_t i = 0; i < sizeof peers / sizeof *peers; i++) {
		if (peers[i] == 0)
			continue;
		kill(peers[i], SIGTERM);
		for (int k = 0; k < 200; k++) {
			if (waitpid(peers[i], NULL, WNOHANG) == peers[i])
				break;
			if (k == 199) {
				kill(peers[i], SIGKILL);
				waitpid(peers[i], NULL, 0);
			}
			usleep(10000);
		}
		peers[i] = 0;
	}
}

static bool
installed(const char *program)
{
	char command[100];

	snprintf(
	    command, sizeof command, "command -v %s >/dev/null 2>&1", program);
	return system(command) == 0;
}

/* How many frames of a recording are that voice. */
static int
frames_of(const char *path, int voice)
{
	FILE *f = fopen(path, "rb");
	int16_t x[VOICE_FRAME];
	uint8_t mu[VOICE_FRAME];
	int n = 0;

	if (f == NULL)
		return 0;
	fseek(f, WAV_HEADER, SEEK_SET);
	while (fread(x, sizeof *x, VOICE_FRAME, f) == VOICE_FRAME) {
		for (int i = 0; i < VOICE_FRAME; i++)
			mu[i] = voice_encode(VOICE_PCMU, x[i]);
		n += voice_whose(VOICE_PCMU, mu, sizeof mu) == voice;
	}
	fclose(f);
	return n;
}

/* The file in our folder that ends so. */
static const char *
recording(const char *end)
{
	DIR *d = opendir(s->dir);
	const char *found = "";

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		size_t n = strlen(e->d_name), k = strlen(end);
		if (n > k && strcmp(e->d_name + n - k, end) == 0)
			found = file(e->d_name);
	}
	if (d != NULL)
		closedir(d);
	return found;
}

/* ---- our end
 * ------------------------------------------------------------------------ */

struct hearing {
	struct ua *u;
	int voice;
};

static bool
is_heard(void *arg)
{
	const struct hearing *h = arg;

	return h->u->calls != NULL && ua_hears(h->u->calls, h->voice, 0) >= 0;
}

static bool
hears(struct ua *u, int voice)
{
	struct hearing h = { u, voice };

	if (ua_run(w, HEARD_MS, is_heard, &h)) {
		ua_run(w, TALK_MS, NULL, NULL);
		return true;
	}
	if (u->calls == NULL)
		return fails("%s has no call", u->name);
	const struct ua_media *m = &u->calls->media;
	return fails("%s heard %zu packets, the last payload %d of voice %d",
	    u->name, m->hears,
	    m->hears > 0 ? m->heard[m->hears - 1].payload : 0,
	    m->hears > 0 ? m->heard[m->hears - 1].whose : 0);
}

static bool
is_registered(void *arg)
{
	static char said[20000];

	(void)arg;
	site_ctl(s, "--json agents", said, sizeof said);
	return strstr(said, "available") != NULL;
}

static bool
registered(void)
{
	for (int64_t until = ua_now() + HEARD_MS * 1000LL; ua_now() < until;) {
		ua_run(w, 100, NULL, NULL);
		if (is_registered(NULL))
			return true;
	}
	return fails("the peer did not register");
}

/* For peers that cannot be told which address to speak from: baresip takes
 * loopback's first, linphone names in its SDP what the default route leaves
 * from. */
static const char *
house_moves(const char *to)
{
	site_move(s, to, s->port);
	return s->ip;
}

static struct ua *
bot_stands(void)
{
	struct ua *bot =
	    ua_new(w, "bot", site_address(SITE_HELPERS, 1), UA_UDP, VOICE_OURS);

	site_set(s, "bots.cloud.to", "[\"sip:bot@%s:%d\"]", bot->ip, bot->port);
	site_set(s, "ladders.front", "[ { bot: cloud } ]");
	return bot;
}

static struct ua *
caller_stands(void)
{
	site_set(s, "queues.sales.ring", "20s");
	site_agent(s, "anna", SECRET, "sales");
	site_set(s, "ladders.front", "[ { queue: sales } ]");
	return ua_new(
	    w, "carol", site_address(SITE_TRUNK, 1), UA_UDP, VOICE_OURS);
}

static bool
house_opens(void)
{
	site_set(s, "numbers.\"" NUMBER "\"", "front");
	site_wav(file("say.wav"), VOICE_PEER, WAV_FRAMES);
	return site_start(s, w) || fails("the house did not open");
}

/* Behind the bot: who takes over when it dies. */
static struct ua *
anna_stands(void)
{
	site_agent(s, "anna", SECRET, "sales");
	site_set(s, "queues.sales.ring", "20s");
	site_set(s, "ladders.front", "[ { bot: cloud }, { queue: sales } ]");
	return ua_new(
	    w, "anna", site_address(SITE_AGENTS, 1), UA_UDP, VOICE_AGENT);
}

static bool
anna_registers(struct ua *anna)
{
	snprintf(anna->secret, sizeof anna->secret, SECRET);
	ua_register(anna, s->udp, 600);
	return registered();
}

static bool
call_and_hear(struct ua *carol)
{
	ua_invite(carol, s->udp, NUMBER);
	if (!hears(carol, VOICE_PEER))
		return false;
	ua_hang_up(carol->calls, NULL);
	ua_run(w, 500, NULL, NULL);
	return ua_noted(carol->calls, UA_LEFT, 0) != NULL ||
	       fails("BYE was not answered");
}

static bool
recorded(const char *path, int voice)
{
	int n = frames_of(path, voice);

	return n >= ENOUGH ||
	       fails("%s: %d frames of voice %d", path, n, voice);
}

/* ---- baresip
 * ------------------------------------------------------------------------ */

static void
baresip_start(const char *ip, const char *account, const char *dial)
{
	char *argv[] = { (char *)"baresip", (char *)"-4", (char *)"-f", s->dir,
		(char *)"-e", (char *)(uintptr_t)dial, NULL };

	if (dial == NULL)
		argv[4] = NULL;
	text_write("config",
	    "poll_method epoll\nsip_listen %s:35062\nnet_interface %s\n"
	    "audio_player aufile,%s/played.wav\n"
	    "audio_source aufile,%s/say.wav\naudio_alert aufile,/dev/null\n"
	    "ausrc_srate 8000\nauplay_srate 8000\nausrc_channels 1\n"
	    "auplay_channels 1\nrtp_ports 30000-30100\n"
	    "module_path /usr/lib/baresip/modules\nmodule g711.so\n"
	    "module aufile.so\nmodule sndfile.so\nmodule_app account.so\n"
	    "module_app menu.so\nmodule_tmp uuid.so\nsnd_path %s\n",
	    ip, ip, s->dir, s->dir, s->dir);
	text_write("accounts", "%s\n", account);
	text_write("contacts", "\n");
	peer_start("baresip.log", -1, argv);
}

static bool
baresip_calls(void)
{
	char account[200], dial[200];
	struct ua *bot = bot_stands(), *anna = anna_stands();
	const char *ip = house_moves("127.0.0.1");

	site_set(s, "trunks.carrier.peers", "[\"%s\"]", ip);

	if (!house_opens() || !anna_registers(anna))
		return false;
	snprintf(account, sizeof account,
	    "<sip:tester@%s>;regint=0;audio_codecs=PCMU/8000", ip);
	snprintf(
	    dial, sizeof dial, "/dial sip:" NUMBER "@%s:%d", s->ip, s->port);
	baresip_start(ip, account, dial);
	if (!hears(bot, VOICE_PEER))
		return false;
	bot->dead = true;
	if (!hears(anna, VOICE_PEER))
		return false;
	peers_stop();
	ua_run(w, 500, NULL, NULL);
	return recorded(recording("-dec.wav"), VOICE_OURS) &&
	       recorded(recording("-dec.wav"), VOICE_AGENT);
}

static bool
baresip_answers(void)
{
	char account[300];
	struct ua *carol = caller_stands();
	const char *ip = house_moves("127.0.0.1");

	if (!house_opens())
		return false;
	snprintf(account, sizeof account,
	    "<sip:anna@%s:%d>;auth_user=anna;auth_pass=" SECRET
	    ";regint=60;answermode=auto;audio_codecs=PCMA/8000",
	    s->ip, s->port);
	baresip_start(ip, account, NULL);
	if (!registered() || !call_and_hear(carol))
		return false;
	peers_stop();
	return recorded(recording("-dec.wav"), VOICE_OURS);
}

/* ---- a network of our own
 * ------------------------------------------------------------------------ */

/* The machine's network, and who else has ports in it, is none of the test's
 * business: one cable, both ends of it ours, and a default route along it
 * (addresses of RFC 5737).  It is gone with the last process that lives in it.
 * Where there can be none, loopback does for most. */
#define OWN_ADDRESS "192.0.2.1"

static int network_of_all = -1;

static bool
network_leave(void)
{
	return network_of_all < 0 || setns(network_of_all, CLONE_NEWNET) == 0;
}

static bool
network_enter(void)
{
	static const char *const wires[] = {
		"link set lo up",
		"link add hf0 type veth peer name hf1",
		"address add " OWN_ADDRESS "/24 dev hf0",
		"link set hf0 up",
		"link set hf1 up",
		"route add default via 192.0.2.2 dev hf0",
	};
	char command[200];

	if (network_of_all < 0)
		network_of_all =
		    open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (network_of_all < 0 || unshare(CLONE_NEWNET) != 0)
		return fails("no network of its own: %s", strerror(errno));
	for (size_t i = 0; i < sizeof wires / sizeof *wires; i++) {
		snprintf(
		    command, sizeof command, "ip %s 2>/dev/null", wires[i]);
		if (system(command) == 0)
			continue;
		network_leave();
		return fails("no network of its own: ip %s", wires[i]);
	}
	return true;
}

/* ---- linphone: its console, by its standard input
 * -------------------------------------- */

static int
linphone_start(int port)
{
	char *argv[] = { (char *)"linphonec", (char *)"-c",
		(char *)(uintptr_t) "linphonerc", (char *)"-d", (char *)"0",
		NULL };
	int in[2];

	mkdir(file(".local"), 0755);
	mkdir(file(".local/share"), 0755);
	mkdir(file(".local/share/linphone"), 0755);
	text_write("linphonerc",
	    "[sip]\nsip_port=%d\nsip_tcp_port=0\nsip_tls_port=0\nuse_ipv6=0\n"
	    "ipv6_migration_done=1\n[rtp]\naudio_rtp_port=%d\n"
	    "[net]\nfirewall_policy=0\n[sound]\nechocancellation=0\n",
	    port, port + 2);
	if (pipe(in) != 0)
		exit(99);
	fcntl(in[1], F_SETFD, FD_CLOEXEC);
	peer_start("linphone.log", in[0], argv);
	close(in[0]);
	dprintf(in[1], "soundcard use files\nplay %s\nrecord %s\n",
	    file("say.wav"), file("linphone.wav"));
	ua_run(w, 1000, NULL, NULL);
	return in[1];
}

static bool
linphone_calls(void)
{
	struct ua *bot = bot_stands(), *anna = anna_stands();

	site_set(
	    s, "trunks.carrier.peers", "[\"%s\"]", house_moves(OWN_ADDRESS));
	if (!house_opens() || !anna_registers(anna))
		return false;
	int in = linphone_start(35060 + getpid() % 10000);
	dprintf(in, "call sip:" NUMBER "@%s:%d\n", s->ip, s->port);
	bool well = hears(bot, VOICE_PEER);
	bot->dead = true;
	well = well && hears(anna, VOICE_PEER);
	dprintf(in, "terminate\n");
	ua_run(w, 500, NULL, NULL);
	dprintf(in, "quit\n");
	ua_run(w, 1000, NULL, NULL);
	close(in);
	return well && recorded(file("linphone.wav"), VOICE_OURS) &&
	       recorded(file("linphone.wav"), VOICE_AGENT);
}

static bool
linphone_answers(void)
{
	struct ua *carol = caller_stands();

	house_moves(OWN_ADDRESS);
	if (!house_opens())
		return false;
	int in = linphone_start(35060 + getpid() % 10000);
	dprintf(in, "register sip:anna@%s:%d sip:%s:%d " SECRET "\n", s->ip,
	    s->port, s->ip, s->port);
	dprintf(in, "autoanswer enable\n");
	bool well = registered() && call_and_hear(carol);
	dprintf(in, "quit\n");
	ua_run(w, 1000, NULL, NULL);
	close(in);
	return well && recorded(file("linphone.wav"), VOICE_OURS);
}

/* ---- kamailio, the carrier's proxy in front
 * ---------------------------------------------- */

/* Starts it with this route; returns where it listens. */
static const char *
kamailio_start(const char *more, const char *route)
{
	static char at[100];
	char proxy[64];

	snprintf(proxy, sizeof proxy, "%s", site_address(SITE_TRUNK, 60));
	text_write("kamailio.cfg",
	    "#!KAMAILIO\nchildren=1\nauto_aliases=no\n"
	    "listen=udp:%s:5060\nlisten=tcp:%s:5060\n"
	    "tcp_children=1\ntcp_source_ipv4=%s\n"
	    "log_stderror=yes\ndebug=0\nloadmodule \"tm.so\"\n"
	    "loadmodule \"sl.so\"\nloadmodule \"rr.so\"\nloadmodule \"pv.so\"\n"
	    "loadmodule \"textops.so\"\nloadmodule \"siputils.so\"\n%s"
	    "request_route {\n%s}\n",
	    proxy, proxy, proxy, more, route);
	char *argv[] = { (char *)"kamailio", (char *)"-f",
		(char *)(uintptr_t) "kamailio.cfg", (char *)"-DD", (char *)"-E",
		(char *)"-m", (char *)"64", (char *)"-M", (char *)"8",
		(char *)"-P", (char *)(uintptr_t) "kamailio.pid", NULL };
	peer_start("kamailio.log", -1, argv);
	ua_run(w, 1500, NULL, NULL);
	snprintf(at, sizeof at, "%s:5060", proxy);
	return at;
}

/* Callers reach it by UDP, it reaches the house by UDP or TCP. */
static const char *
kamailio_in_front(bool tcp)
{
	char route[400];

	snprintf(route, sizeof route,
	    " if (has_totag()) { loose_route(); t_relay(); exit; }\n"
	    " if (is_method(\"CANCEL\")) { t_relay(); exit; }\n"
	    " if (is_method(\"INVITE\")) record_route();\n"
	    " $du = \"sip:%s:%d%s\";\n t_relay();\n",
	    s->ip, s->port, tcp ? ";transport=tcp" : "");
	return kamailio_start("", route);
}

static struct ua *
carol_stands(void)
{
	return ua_new(
	    w, "carol", site_address(SITE_TRUNK, 1), UA_UDP, VOICE_PEER);
}

static bool
byes_pass(bool tcp)
{
	struct ua *bot = bot_stands(), *carol = carol_stands();

	if (!house_opens())
		return false;
	const char *at = kamailio_in_front(tcp);
	for (int round = 0; round < 2; round++) {
		struct ua_call *c = ua_invite(carol, ua_where(at), NUMBER);
		if (!hears(bot, VOICE_PEER) || !hears(carol, VOICE_OURS))
			return false;
		/* First the caller leaves, then the bot (after its 3 s). */
		ua_run(w, 2000, NULL, NULL);
		ua_hang_up(round == 0 ? c : bot->calls, NULL);
		ua_run(w, 500, NULL, NULL);
		if (ua_noted(round == 0 ? bot->calls : c, UA_BYE, 0) == NULL)
			return fails("BYE did not come through the proxy");
	}
	return true;
}

static bool
kamailio_stands_between(void)
{
	return byes_pass(false);
}

static bool
kamailio_speaks_tcp(void)
{
	return byes_pass(true);
}

/* The dialog that kamailio stands in is the caller's: the bot's death and the
 * agent's answer must not show in it. */
static bool
kamailio_sees_no_rescue(void)
{
	struct ua *bot = bot_stands(), *carol = carol_stands();
	struct ua *anna = anna_stands();

	if (!house_opens() || !anna_registers(anna))
		return false;
	struct ua_call *c =
	    ua_invite(carol, ua_where(kamailio_in_front(false)), NUMBER);
	if (!hears(bot, VOICE_PEER) || !hears(carol, VOICE_OURS))
		return false;
	bot->dead = true;
	if (!hears(anna, VOICE_PEER) || !hears(carol, VOICE_AGENT))
		return false;
	if (ua_noted(c, UA_REINVITED, 0) != NULL || c->over)
		return fails("the caller's dialog was touched");
	ua_run(w, TALK_MS, NULL, NULL);
	ua_hang_up(anna->calls, NULL);
	ua_run(w, 500, NULL, NULL);
	return ua_noted(c, UA_BYE, 0) != NULL ||
	       fails("the agent's BYE did not come through the proxy");
}

/* The carrier that an agent calls out through asks who we are, for whatever we
 * ask of it: first its proxy, and then as who answers behind it. */
static bool
kamailio_asks(const char *algorithm)
{
	struct ua *anna, *carol = carol_stands();
	char more[200], route[1000];

	(void)bot_stands();
	anna = anna_stands();
	text_write("carrier", "%s\n", CARRIER_SECRET);
	chmod(file("carrier"), 0600);
	site_set(s, "trunks.carrier.to", "sip:%s:5060",
	    site_address(SITE_TRUNK, 60));
	site_set(s, "trunks.carrier.user", "holdfast");
	site_set(s, "trunks.carrier.secret_file", "%s", file("carrier"));
	site_set(s, "outbound.allow", "[\"+33*\"]");
	site_set(s, "outbound.via", "[carrier]");
	if (!house_opens() || !anna_registers(anna))
		return false;
	snprintf(more, sizeof more,
	    "loadmodule \"auth.so\"\n"
	    "modparam(\"auth\", \"algorithm\", \"%s\")\n",
	    algorithm);
	snprintf(route, sizeof route,
	    " if (src_ip == %s && !is_method(\"ACK|CANCEL\")) {\n"
	    "  if (!pv_proxy_authenticate(\"carrier\", \"" CARRIER_SECRET
	    "\", \"0\")) {\n"
	    "   proxy_challenge(\"carrier\", \"1\"); exit; }\n"
	    "  consume_credentials();\n"
	    "  if (!pv_www_authenticate(\"callee\", \"" CARRIER_SECRET
	    "\", \"0\")) {\n"
	    "   www_challenge(\"callee\", \"1\"); exit; }\n"
	    "  consume_credentials();\n }\n"
	    " if (has_totag()) { loose_route(); t_relay(); exit; }\n"
	    " if (is_method(\"CANCEL\")) { t_relay(); exit; }\n"
	    " record_route();\n"
	    " $du = \"sip:%s:%d\";\n t_relay();\n",
	    s->ip, carol->ip, carol->port);
	(void)kamailio_start(more, route);
	struct ua_call *c = ua_invite(anna, s->udp, "+33412345678");
	if (!hears(carol, VOICE_AGENT) || !hears(anna, VOICE_PEER))
		return false;
	ua_reinvite(c, "sendonly", false);
	ua_run(w, 1000, NULL, NULL);
	if (ua_noted(carol->calls, UA_REINVITED, 0) == NULL)
		return fails("the hold was not let through");
	ua_inform(c, "application/dtmf-relay", "Signal=5\r\nDuration=100\r\n");
	ua_run(w, 1000, NULL, NULL);
	if (ua_noted(carol->calls, UA_INFORMED, 0) == NULL)
		return fails("the INFO was not let through");
	ua_hang_up(c, NULL);
	ua_run(w, 1000, NULL, NULL);
	return ua_noted(carol->calls, UA_BYE, 0) != NULL ||
	       fails("the BYE was not let through");
}

static bool
kamailio_asks_for_md5(void)
{
	return kamailio_asks("MD5");
}

static bool
kamailio_asks_for_sha256(void)
{
	return kamailio_asks("SHA-256");
}

/* ---- all of it
 * ---------------------------------------------------------------------------
 */

static const struct {
	const char *name, *program;
	bool (*play)(void);
	bool alone; /* in a network of its own, or not at all */
} all[] = {
	{ "baresip calls", "baresip", baresip_calls },
	{ "baresip answers as an agent", "baresip", baresip_answers },
	{ "linphone calls", "linphonec", linphone_calls, true },
	{ "linphone answers as an agent", "linphonec", linphone_answers, true },
	{ "kamailio stands between", "kamailio", kamailio_stands_between },
	{ "kamailio speaks TCP to the house", "kamailio", kamailio_speaks_tcp },
	{ "kamailio sees no rescue", "kamailio", kamailio_sees_no_rescue },
	{ "kamailio asks who calls, by MD5", "kamailio",
	    kamailio_asks_for_md5 },
	{ "kamailio asks who calls, by SHA-256", "kamailio",
	    kamailio_asks_for_sha256 },
};

static void
log_show(const char *name)
{
	char line[500];
	FILE *f = fopen(file(name), "r");

	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		fprintf(stderr, "  %s: %s", name, line);
	if (f != NULL)
		fclose(f);
}

int
main(int argc, char **argv)
{
	int passed = 0, failed = 0, skipped = 0;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (argc > 1 && strstr(all[i].name, argv[1]) == NULL)
			continue;
		if (!installed(all[i].program)) {
			printf(
			    "skipped %s: it is not installed\n", all[i].name);
			skipped++;
			continue;
		}
		if (!network_enter() && all[i].alone) {
			printf("skipped %s: %s\n", all[i].name, why);
			skipped++;
			continue;
		}
		w = ua_world_new();
		s = site_new("interop", false);
		bool well = s != NULL && all[i].play();
		peers_stop();
		if (s != NULL && !well) {
			fprintf(stderr, "%s: %s\n", all[i].name, why);
			log_show("baresip.log");
			log_show("linphone.log");
			log_show("kamailio.log");
			site_show_log(s);
		}
		if (s != NULL && s->pid != 0)
			well = site_stop(s) && well;
		site_free(s);
		ua_world_free(w);
		if (!network_leave())
			return 1;
		printf("%s: %s\n", well ? "ok" : "not ok", all[i].name);
		fflush(stdout);
		passed += well;
		failed += !well;
	}
	printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
	return failed == 0 ? 0 : 1;
}
