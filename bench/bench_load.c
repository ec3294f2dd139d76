/*
 * bench_load - a house that is rated for 300 new calls a second by its
 * configuration hears as many, three times and five times as many, while twenty
 * calls with sound go on beside.
 *
 *      sipp uac --+                 +-- sipp uas
 *                 +-- holdfastd --+
 *      callers  --+                 +-- bots, with sound
 *
 * A call of sipp's that is taken says INVITE, ACK, re-INVITE, ACK and BYE; one
 * that is refused is sent away with 503, and does not come back.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/figure.h"
#include "bench/lines.h"
#include "tests/lib/child.h"
#include "tests/lib/site.h"

enum {
	RATED = 300, /* calls a second */
	CALLS = 20,  /* with sound */
	CALLS_MAX = 1500,
	SECONDS = 120,
	SECONDS_QUICK = 4,
	WARM_S = 3,
	TABLES_S = 40,
	SETTLE_MS = 1500,
	FRAME_US = 20000,
	LATE_MS = 20000, /* sipp's last calls */
	EXIT_UNMEASURED = 2,
	EXIT_SKIPPED = 77,
};

#define SPOKEN "+33400000000"
#define CROWD  "+33400000001"

static const int times[] = { 1, 3, 5 };
enum { STAGES = sizeof times / sizeof *times };

static struct ua_world *w;
static struct lines *lines;
static struct ua *callers, *bots;
static struct party {
	struct line *line;
	int64_t from;  /* what is heard from then on counts */
	uint64_t sent; /* until then */
} caller[CALLS], bot[CALLS];
static int callers_up, bots_up, lost;
static bool parting;

/* What sipp says of a stage. */
struct said {
	double taken, reoffered, done, refused, failed, seconds, cpu_pct;
};

/* ---- sipp ---------------------------------------------------------------- */

#define REQUEST(method, cseq, to)                                              \
	method " sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n"            \
	       "Via: SIP/2.0/UDP [local_ip]:[local_port];branch=[branch]\n"    \
	       "From: <sip:+33612345678@[local_ip]>;tag=c[call_number]\n" to   \
	       "Call-ID: [call_id]\nCSeq: " cseq "\n"                          \
	       "Contact: <sip:c@[local_ip]:[local_port]>\n"                    \
	       "Max-Forwards: 70\n"
#define NEW_TO "To: <sip:[service]@[remote_ip]>\n"
#define OFFER                                                                  \
	"Content-Type: application/sdp\nContent-Length: [len]\n\n"             \
	"v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"    \
	"m=audio [media_port] RTP/AVP 0\n"
#define EMPTY "Content-Length: 0\n\n"

static const char uac_xml[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<scenario name=\"load\">\n"
    "<send retrans=\"500\"><![CDATA[\n\n" REQUEST("INVITE", "1 INVITE", NEW_TO)
	OFFER "]]></send>\n"
	      "<recv response=\"100\" optional=\"true\"/>\n"
	      "<recv response=\"180\" optional=\"true\"/>\n"
	      "<recv response=\"183\" optional=\"true\"/>\n"
	      "<recv response=\"503\" optional=\"true\" next=\"away\" "
	      "counter=\"refused\"/>\n"
	      "<recv response=\"200\" counter=\"taken\"/>\n"
	      "<send><![CDATA[\n\n" REQUEST("ACK", "1 ACK", "[last_To:]\n")
		  EMPTY "]]></send>\n<pause milliseconds=\"200\"/>\n"
			"<send retrans=\"500\"><![CDATA[\n\n" REQUEST(
			    "INVITE", "2 INVITE", "[last_To:]\n") OFFER
    "]]></send>\n"
    "<recv response=\"100\" optional=\"true\"/>\n"
    "<recv response=\"200\" counter=\"reoffered\"/>\n"
    "<send><![CDATA[\n\n" REQUEST("ACK", "2 ACK", "[last_To:]\n") EMPTY
    "]]></send>\n<pause milliseconds=\"200\"/>\n"
    "<send retrans=\"500\"><![CDATA[\n\n" REQUEST(
	"BYE", "3 BYE", "[last_To:]\n") EMPTY
    "]]></send>\n"
    "<recv response=\"200\" counter=\"done\" next=\"end\"/>\n"
    "<label id=\"away\"/>\n"
    "<send><![CDATA[\n\n"
    "ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n"
    "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n"
    "CSeq: 1 ACK\nMax-Forwards: 70\n" EMPTY "]]></send>\n"
    "<label id=\"end\"/>\n</scenario>\n";

/* On any processor but, with luck, the generator's. */
static pid_t
sipp(const struct site *s, const char *log, const char *const *words)
{
	static char everywhere[16];
	const char *argv[48] = { "/usr/bin/taskset", "-c", everywhere,
		"/usr/bin/sipp" };
	char path[120];
	int n = 4;

	snprintf(everywhere, sizeof everywhere, "0-%ld",
	    sysconf(_SC_NPROCESSORS_ONLN) - 1);
	while (*words != NULL)
		argv[n++] = *words++;
	snprintf(path, sizeof path, "%s/%s", s->dir, log);
	return child_start(
	    (char *const *)(intptr_t)argv, s->dir, path, -1, SIGKILL);
}

static pid_t
sipp_answers(const struct site *s, int port)
{
	char at[16];

	snprintf(at, sizeof at, "%d", port);
	return sipp(s, "uas.log",
	    (const char *[]){ "-sn", "uas", "-i", site_address(SITE_HELPERS, 9),
		"-p", at, "-nostdin", "-mp", "7000", "-buff_size", "4194304",
		NULL });
}

static pid_t
sipp_calls(const struct site *s, int port, int cps, int seconds)
{
	char at[100], from[16], rate[16], most[16], over[16], ip[40];

	snprintf(at, sizeof at, "%s:%d", s->ip, s->port);
	snprintf(ip, sizeof ip, "%s", site_address(SITE_TRUNK, 9));
	snprintf(from, sizeof from, "%d", port);
	snprintf(rate, sizeof rate, "%d", cps);
	snprintf(most, sizeof most, "%d", cps * seconds);
	snprintf(over, sizeof over, "%d", seconds + LATE_MS / 1000 / 2);
	return sipp(s, "uac.log",
	    (const char *[]){ at, "-sf", "uac.xml", "-i", ip, "-p", from, "-s",
		CROWD, "-r", rate, "-m", most, "-l", "20000", "-nostdin", "-mp",
		"8000", "-buff_size", "4194304", "-trace_stat", "-stf",
		"uac.csv", "-fd", "1", "-timeout", over, "-recv_timeout",
		"8000", NULL });
}

/* The column of that name in sipp's last row; -1: there is none. */
static double
column(char *names, char *values, const char *name)
{
	char *n = names, *v = values;

	while (n != NULL && v != NULL) {
		size_t k = strcspn(n, ";\n");
		if (k == strlen(name) && strncmp(n, name, k) == 0)
			return strtod(v, NULL);
		n = strchr(n, ';');
		v = strchr(v, ';');
		n = n != NULL ? n + 1 : NULL;
		v = v != NULL ? v + 1 : NULL;
	}
	return -1;
}

static bool
sipp_said(const struct site *s, struct said *out)
{
	static char names[16384], line[16384], last[16384];
	char path[120];

	snprintf(path, sizeof path, "%s/uac.csv", s->dir);
	FILE *f = fopen(path, "r");
	if (f == NULL || fgets(names, sizeof names, f) == NULL)
		return false;
	while (fgets(line, sizeof line, f) != NULL)
		memcpy(last, line, sizeof last);
	fclose(f);
	*out = (struct said){
		.taken = column(names, last, "taken(C)"),
		.reoffered = column(names, last, "reoffered(C)"),
		.done = column(names, last, "done(C)"),
		.refused = column(names, last, "refused(C)"),
		.failed = column(names, last, "FailedCall(C)"),
	};
	return out->taken >= 0 && out->done >= 0 && out->refused >= 0;
}

/* ---- calls with sound ---------------------------------------------------- */

static void
caller_noted(struct ua_call *c, const struct ua_note *n)
{
	struct party *p = c->owner;

	if (n->what == UA_ANSWERED && p != NULL) {
		p->line = lines_add(lines, c, true);
		callers_up += p->line != NULL;
	} else if ((n->what == UA_BYE || n->what == UA_REFUSED) && !parting) {
		lost++;
		if (p != NULL && p->line != NULL)
			line_end(p->line);
	}
}

static void
bot_noted(struct ua_call *c, const struct ua_note *n)
{
	if (n->what == UA_CONFIRMED && bots_up < CALLS) {
		c->owner = &bot[bots_up++];
		((struct party *)c->owner)->line = lines_add(lines, c, true);
	} else if (n->what == UA_BYE && c->owner != NULL) {
		line_end(((struct party *)c->owner)->line);
	}
}

static void
stay(int64_t ms)
{
	for (int64_t until = ua_now() + ms * 1000; ua_now() < until;)
		lines_turn(lines, w);
}

/* Between two packets of the one who speaks, what was sent is there. */
static void
count_from_here(struct party *speaks, struct party *hears)
{
	speaks->sent = speaks->line->sent;
	hears->from = speaks->line->last_sent + FRAME_US / 2;
}

static uint64_t
heard(const struct party *p, int voice)
{
	uint64_t n = 0;

	for (size_t i = 0; i < p->line->hears; i++)
		n += p->line->heard[i].at >= p->from &&
		     p->line->heard[i].whose == voice;
	return n;
}

/* Percent of what was said, both ways together, that was not heard. */
static double
media_loss(void)
{
	uint64_t said = 0, came = 0;

	for (int i = 0; i < CALLS; i++) {
		said += caller[i].line->sent - caller[i].sent +
			bot[i].line->sent - bot[i].sent;
		came += heard(&caller[i], bots->voice) +
			heard(&bot[i], callers->voice);
	}
	printf("note: %llu packets of sound, %llu of them came\n",
	    (unsigned long long)said, (unsigned long long)came);
	return said > came ? 100.0 * (double)(said - came) / (double)said : 0;
}

static bool
set_up(const struct site *s)
{
	for (int i = 0; i < CALLS; i++) {
		ua_invite(callers, s->udp, SPOKEN)->owner = &caller[i];
		stay(20);
	}
	stay(SETTLE_MS);
	if (callers_up != CALLS || bots_up != CALLS) {
		fprintf(stderr, "%d callers and %d bots of %d are up\n",
		    callers_up, bots_up, CALLS);
		return false;
	}
	/* Which of the bots has which caller does not matter: all say the
	 * same, and they are counted together. */
	for (int i = 0; i < CALLS; i++) {
		count_from_here(&caller[i], &bot[i]);
		count_from_here(&bot[i], &caller[i]);
	}
	return true;
}

/* ---- the run ------------------------------------------------------------- */

static struct site *
house(int uas_port)
{
	struct site *s = site_new("load", false);

	if (s == NULL)
		exit(EXIT_UNMEASURED);
	site_set(s, "calls_max", "%d", CALLS_MAX);
	site_set(s, "rtp.ports", "10000-%d", 10000 + 4 * 2 * CALLS_MAX - 1);
	site_set(s, "sip.calls_per_s", "%d", RATED);
	/* Finished ones are kept for half a minute, or until their place is
	 * needed: this table is full after 22 s of the rated load, and what
	 * grows later is something else. */
	site_set(s, "sip.transactions", "32768");
	site_set(
	    s, "bots.cloud.to", "[\"sip:bot@%s:%d\"]", bots->ip, bots->port);
	/* Nobody speaks there, and nobody shall be rescued for it. */
	site_set(s, "centres.crowd.to", "[\"sip:c@%s:%d\"]",
	    site_address(SITE_HELPERS, 9), uas_port);
	site_set(s, "centres.crowd.guard.never", "60s");
	site_set(s, "centres.crowd.guard.lost", "60s");
	site_set(s, "centres.crowd.guard.suspect", "5s");
	site_set(s, "centres.crowd.guard.voice", "10s");
	site_set(s, "ladders.front", "[ { bot: cloud } ]");
	site_set(s, "ladders.crowd", "[ { centre: crowd } ]");
	site_set(s, "numbers.\"" SPOKEN "\"", "front");
	site_set(s, "numbers.\"" CROWD "\"", "crowd");
	return s;
}

static bool
stage(
    const struct site *s, int uac_port, int cps, int seconds, struct said *out)
{
	char path[120];
	int status;
	pid_t pid;
	int64_t began = ua_now(), ended = 0;

	snprintf(path, sizeof path, "%s/uac.csv", s->dir);
	unlink(path);
	pid = sipp_calls(s, uac_port, cps, seconds);
	while (!child_ends(pid, 0, &status)) {
		lines_turn(lines, w);
		if (ua_now() - began >
		    (int64_t)seconds * 1000000 + (int64_t)LATE_MS * 1000) {
			kill(pid, SIGKILL);
			child_ends(pid, 1000, &status);
			break;
		}
	}
	ended = ua_now();
	if (!sipp_said(s, out)) {
		snprintf(path, sizeof path, "%s/uac.log", s->dir);
		file_show(path, "sipp");
		return false;
	}
	out->seconds = (double)(ended - began) / 1e6;
	return true;
}

static bool
report(const struct said *said, int seconds, double loss, int64_t grown)
{
	bool met = true;
	double taken = 0, inside = 0;

	for (int i = 0; i < STAGES; i++) {
		char name[40];
		snprintf(name, sizeof name, "goodput_ratio_%dx", times[i]);
		met &= figure(
		    "load_", name, said[i].done / (RATED * seconds), ">=0.9");
		/* More than the house is rated for is refused: all of it, but
		 * for the burst that a pause has earned. */
		snprintf(name, sizeof name, "taken_ratio_%dx", times[i]);
		met &= figure("load_", name,
		    said[i].taken / (RATED * (seconds + 1)), "<=1.05");
		taken += said[i].taken;
		inside += said[i].done < said[i].reoffered ? said[i].done
							   : said[i].reoffered;
	}
	met &= figure("load_", "indialog_ok_pct",
	    taken > 0 ? 100 * inside / taken : 0, "==100");
	met &= figure("load_", "media_loss_pct", loss, "<=0.1");
	met &= figure("load_", "calls_lost", lost, "==0");
	met &= figure("load_", "memory_grown_kb", (double)grown,
	    /* In less time not every table has been full once. */
	    seconds >= TABLES_S ? "<=4096" : NULL);
	for (int i = 0; i < STAGES; i++) {
		char name[40];
		snprintf(name, sizeof name, "house_cpu_pct_%dx", times[i]);
		figure("load_", name, said[i].cpu_pct, NULL);
	}
	return met;
}

static void
tell(int n, const struct said *x)
{
	printf("note: %dx: %.0f taken, %.0f re-offered, %.0f done, %.0f "
	       "refused, %.0f failed, in %.1f s\n",
	    n, x->taken, x->reoffered, x->done, x->refused, x->failed,
	    x->seconds);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct said said[STAGES];
	int seconds = SECONDS;
	int64_t memory = 0, cpu[STAGES], idle;
	struct site *s;

	if (argc == 2 && strcmp(argv[1], "--quick") == 0)
		seconds = SECONDS_QUICK;
	else if (argc == 3 && strcmp(argv[1], "--seconds") == 0)
		seconds = atoi(argv[2]);
	else if (argc != 1)
		return EXIT_UNMEASURED;
	if (seconds < 1)
		return EXIT_UNMEASURED;
	if (access("/usr/bin/sipp", X_OK) != 0) {
		printf("skipped: sipp is not installed\n");
		return EXIT_SKIPPED;
	}
	w = ua_world_new();
	lines = lines_new();
	callers = ua_new(w, "callers", site_address(SITE_TRUNK, 1), UA_UDP, 3);
	bots = ua_new(w, "bots", site_address(SITE_HELPERS, 1), UA_UDP, 20);
	callers->manner.foreign_media = bots->manner.foreign_media = true;
	callers->on_note = caller_noted;
	bots->on_note = bot_noted;
	/* Free ports: those that phones of nobody have found. */
	struct ua *uac =
	    ua_new(w, "uac", site_address(SITE_TRUNK, 9), UA_UDP, 0);
	struct ua *uas =
	    ua_new(w, "uas", site_address(SITE_HELPERS, 9), UA_UDP, 0);
	ua_close(uac);
	ua_close(uas);
	s = house(uas->port);
	char path[120];
	snprintf(path, sizeof path, "%s/uac.xml", s->dir);
	FILE *f = fopen(path, "w");
	if (f == NULL)
		return EXIT_UNMEASURED;
	fputs(uac_xml, f);
	fclose(f);
	if (!site_start(s, w))
		return EXIT_UNMEASURED;
	pid_t answers = sipp_answers(s, uas->port);
	lines_start(lines);
	if (!set_up(s))
		return EXIT_UNMEASURED;
	idle = site_cpu(s);
	stay(seconds * 1000 / 4);
	idle = (site_cpu(s) - idle) * 4;
	/* As many at once as ever there will be: what is touched then is not
	 * what grows. */
	if (!stage(s, uac->port, RATED * times[STAGES - 1], WARM_S, &said[0]))
		return EXIT_UNMEASURED;
	for (int i = 0; i < STAGES; i++) {
		int64_t before = site_cpu(s);
		if (!stage(s, uac->port, RATED * times[i], seconds, &said[i]))
			return EXIT_UNMEASURED;
		cpu[i] = site_cpu(s) - before;
		tell(times[i], &said[i]);
		/* The first crowd touches places that nobody had needed; the
		 * next, which is larger, needs no more of them. */
		if (i == STAGES - 2)
			memory = site_memory(s);
	}
	int64_t grown = site_memory(s) - memory;
	stay(SETTLE_MS);
	for (int i = 0; i < CALLS; i++) {
		line_hush(caller[i].line);
		line_hush(bot[i].line);
	}
	stay(200);
	lines_drain(lines);
	double loss = media_loss();
	for (int i = 0; i < STAGES; i++)
		said[i].cpu_pct =
		    100.0 * (double)cpu[i] / 1e6 / said[i].seconds;
	printf("note: the calls with sound alone take %.1f %% of a processor\n",
	    100.0 * (double)idle / 1e6 / seconds);
	kill(answers, SIGKILL);
	int status;
	child_ends(answers, 1000, &status);
	parting = true;
	for (int i = 0; i < CALLS; i++)
		if (caller[i].line->fd >= 0)
			ua_hang_up(caller[i].line->call, NULL);
	ua_run(w, 1000, NULL, NULL);
	bool well = site_stop(s);
	site_free(s);
	bool met = report(said, seconds, loss, grown);
	return met && well ? 0 : 1;
}
