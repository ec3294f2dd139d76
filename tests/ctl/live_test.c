/*
 * hfctl beside a house that runs: a caller, a bot that dies, a person; every
 * verb is asked while the call is up and after it, in both ways of showing.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/child.h"
#include "tests/lib/site.h"

#define NUMBER "+33400000000"

enum {
	VOICE_CAROL = 3,
	VOICE_BOT = 20,
	VOICE_ANNA = 33,
	SOON_MS = 8000,
	G722 = 9,
};

static struct ua_world *w;
static struct site *site;
static struct ua *carol, *bot, *anna;
static struct ua_call *call;
static char said[1 << 18];
static unsigned int passed, failed;

static int
hfctl(const char *fmt, ...)
{
	char words[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(words, sizeof words, fmt, ap);
	va_end(ap);
	/* What the rest of the world does meanwhile happens in between. */
	ua_run(w, 20, NULL, NULL);
	return site_ctl(site, words, said, sizeof said);
}

static void
check(bool ok, const char *promise)
{
	passed += ok;
	failed += !ok;
	if (!ok)
		printf("FAILED: %s; hfctl said:\n%s\n", promise, said);
}

static bool
says(const char *what)
{
	return strstr(said, what) != NULL;
}

/* The journal waits for its disk: it is asked until it says so. */
static bool
soon(const char *words, const char *what)
{
	for (int64_t until = ua_now() + SOON_MS * INT64_C(1000);
	     ua_now() < until; ua_run(w, 100, NULL, NULL))
		if (hfctl("%s", words) == 0 && says(what))
			return true;
	return false;
}

/* Both ways of showing; JSON is read by another program. */
static void
shows(const char *words, const char *what)
{
	char promise[200];

	snprintf(promise, sizeof promise, "\"%s\" shows %s", words, what);
	check(hfctl("%s", words) == 0 && says(what), promise);
	snprintf(promise, sizeof promise, "\"%s\" speaks JSON", words);
	check(hfctl("--json %s | python3 -m json.tool", words) == 0, promise);
}

static bool
hears_bot(void *arg)
{
	(void)arg;
	return ua_hears(call, VOICE_BOT, 0) >= 0;
}

static bool
hears_anna(void *arg)
{
	(void)arg;
	return ua_hears(call, VOICE_ANNA, 0) >= 0;
}

static bool
registered(void *arg)
{
	const struct ua_call *c = arg;

	return c->notes > 0 && c->note[0].code == 200;
}

static bool
refused(void *arg)
{
	return ua_noted(arg, UA_REFUSED, 0) != NULL;
}

static bool
is_over(void *arg)
{
	return ua_noted(arg, UA_BYE, 0) != NULL;
}

static bool
begin(void)
{
	carol = ua_new(
	    w, "carol", site_address(SITE_TRUNK, 1), UA_UDP, VOICE_CAROL);
	bot =
	    ua_new(w, "bot", site_address(SITE_HELPERS, 1), UA_UDP, VOICE_BOT);
	anna =
	    ua_new(w, "anna", site_address(SITE_AGENTS, 1), UA_UDP, VOICE_ANNA);
	snprintf(anna->user, sizeof anna->user, "anna");
	snprintf(anna->secret, sizeof anna->secret, "s3cret");
	site_set(site, "bots.cloud-a.to", "[\"sip:bot@%s:%d\"]",
	    site_address(SITE_HELPERS, 1), bot->port);
	site_set(site, "queues.sales.ring", "10s");
	site_set(site, "ladders.front",
	    "[ { bot: cloud-a }, { queue: sales }, "
	    "{ voicemail: front } ]");
	site_set(site, "numbers.\"" NUMBER "\"", "front");
	site_agent(site, "anna", "s3cret", "sales");
	if (!site_start(site, w))
		return false;
	struct ua_call *r = ua_register(anna, site->udp, 300);
	if (!ua_run(w, SOON_MS, registered, r))
		return false;
	call = ua_invite(carol, site->udp, NUMBER);
	return ua_run(w, SOON_MS, hears_bot, NULL);
}

/* The id of the only live call. */
static void
id_find(char *id, size_t cap)
{
	const char *at;

	hfctl("--json calls");
	at = strstr(said, "\"id\": \"");
	snprintf(id, cap, "%.*s", at == NULL ? 0 : (int)strcspn(at + 7, "\""),
	    at == NULL ? "" : at + 7);
	check(id[0] != '\0', "the live call has a name");
}

static bool
status_says(int pid, const char *line)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/status", pid);
	return file_says(path, line);
}

/* What the kernel says of them, not what they say. */
static void
each_is_closed_in(void)
{
	unsigned rooms = 0;

	if (geteuid() != 0 || getenv("HF_RAILS") != NULL)
		return;
	hfctl("--json status");
	for (const char *at = said;
	     (at = strstr(at, "{\"process\": \"hf-")) != NULL; at++) {
		int pid = atoi(strstr(at, "\"pid\": ") + 7);

		check(status_says(pid, "Seccomp:\t2") &&
			  status_says(pid, "NoNewPrivs:\t1") &&
			  status_says(pid, "CapPrm:\t0000000000000000") &&
			  status_says(pid, "CapEff:\t0000000000000000") &&
			  status_says(pid, "CapAmb:\t0000000000000000"),
		    "a process has no powers left");
		rooms++;
	}
	check(rooms == 5, "all five were looked at");
}

static void
during_the_call(const char *id)
{
	char words[200];

	shows("status", "hf-media");
	shows("calls", id);
	shows("agents", "anna");
	shows("registrations", "anna");
	shows("queues", "sales");
	shows("helpers", "cloud-a");
	shows("trunks", "unknown");
	shows("status", "carrier");
	check(!says("1970-"), "no time is one before the house was built");
	shows("explain " NUMBER, "cloud-a");
	shows("streams", "STREAM");
	shows("sip", "messages_in");
	shows("journal", "stored");
	shows("rails", "hf-sip");
	if (geteuid() == 0 && getenv("HF_RAILS") == NULL)
		check(!says("part") && !says("off"),
		    "every process is behind its rails");
	each_is_closed_in();
	shows("config", "bots.cloud-a.to");
	snprintf(words, sizeof words, "call %s", id);
	shows(words, "with_helper");
	snprintf(words, sizeof words, "why %s", id);
	shows(words, "call_came");
	snprintf(words, sizeof words, "trace %s", id);
	shows(words, "bot:cloud-a");
	check(hfctl("trace %s", id) == 0 && says("-- INVITE (SDP) ") &&
		  says("200 OK to INVITE (SDP)"),
	    "a trace has the call's messages");
	check(hfctl("complete why '' >/dev/null; HF_RUN_DIR=%s/run '%s' "
		    "complete why ''",
		  site->dir, site_stage("bin/hfctl")) == 0 &&
		  says(id),
	    "the shell completes a live call");
}

static void
after_the_call(const char *id)
{
	char words[200];

	shows("calls --past 5", id);
	snprintf(words, sizeof words, "call %s", id);
	shows(words, "rtp_stopped");
	snprintf(words, sizeof words, "why %s", id);
	shows(words, "call_rescued");
	check(hfctl("why last") == 0 && says("call_ended"),
	    "the last call may be called last");
	check(strstr(strstr(said, "call_ended"), "rung_ended") == NULL,
	    "its end is its last line");
	snprintf(words, sizeof words, "trace %s", id);
	shows(words, "agent:anna");
	check(hfctl("trace %s --pcap %s/t.pcap && tshark -r %s/t.pcap -Y "
		    "'sip.Method == \"INVITE\" && sip.CSeq.method' | wc -l",
		  id, site->dir, site->dir) == 0 &&
		  atoi(said + (strstr(said, "\n") != NULL &&
					  strncmp(said, "Running", 7) == 0
				      ? strcspn(said, "\n") + 1
				      : 0)) >= 3,
	    "tshark sees an INVITE of each of the three legs");
}

/* Of the call that has just been: who called whom, from where, and the phone's
 * password. */
static void
for_support(void)
{
	static const char *const promised[] = { "answers/status",
		"answers/config", "answers/rails", "log/flight.hf-sip",
		"log/flight.holdfastd", "files", "processes", "machine",
		"README" };
	char file[200];

	snprintf(file, sizeof file, "%s/bundle.tar.gz", site->dir);
	check(hfctl("diagnose %s", file) == 0, "a bundle for support is made");
	check(hfctl("diagnose %s", file) == 1 && says("File exists"),
	    "but never over a file");
	check(hfctl("complete why >/dev/null; tar -tzf %s", file) == 0,
	    "tar reads it");
	for (size_t i = 0; i < sizeof promised / sizeof *promised; i++)
		check(says(promised[i]), promised[i]);
	check(hfctl("complete why >/dev/null; tar -xzOf %s", file) == 0 &&
		  says("room_started") && says("rails_up") &&
		  says("bots.cloud-a.to") && says("CALL_ENDED"),
	    "it tells what happened");
	check(!says("anna") && !says("carol") && !says("s3cret") &&
		  !says("33400000000") && !says("127."),
	    "and nobody's name, number, address or password");
}

static void
acting(void)
{
	struct ua_call *c;
	char words[200];

	check(hfctl("agent anna not-ready") == 0 && says("not_ready"),
	    "an agent is told to rest");
	check(
	    hfctl("agents") == 0 && says("not_ready") && says("by an operator"),
	    "he rests, and it is said why");
	check(hfctl("agent anna available") == 0 && says("available"),
	    "an agent is called back");
	check(hfctl("agent nobody available") == 1 && says("no such agent"),
	    "a stranger is no agent");
	check(hfctl("helper cloud-a open") == 0 && says("open"),
	    "a breaker is forced open");
	check(hfctl("explain " NUMBER) == 0 && says("breaker_open"),
	    "and its rung is passed by");
	check(hfctl("reload --reset") == 0 && hfctl("helpers") == 0 &&
		  !says("open"),
	    "and let be");
	shows("voicemail list", "no messages");
	check(hfctl("voicemail delete front nothing") == 1 &&
		  says("no such message"),
	    "what is not there cannot be deleted");
	check(hfctl("reload") == 0 && says("generation"), "it reloads");
	check(hfctl("--json drain") == 0 && says("\"calls\": 0"), "it drains");
	c = ua_invite(carol, site->udp, NUMBER);
	check(ua_run(w, SOON_MS, refused, c), "a call is refused meanwhile");
	check(soon("why last", "503 drain"),
	    "and its record says what was heard");
	check(hfctl("drain --off") == 0, "it takes calls again");
	carol->manner.payload[0] = G722;
	carol->manner.payload[1] = -1;
	c = ua_invite(carol, site->udp, NUMBER);
	check(ua_run(w, SOON_MS, refused, c), "a stranger's codec is refused");
	carol->manner = ua_manner();
	check(soon("why last", "488 hf-sip"),
	    "whom hf-sip refused by itself has a record");
	check(hfctl("trace last") == 0 && says("488 "),
	    "and its messages are found by it");
	call = ua_invite(carol, site->udp, NUMBER);
	check(ua_run(w, SOON_MS, hears_bot, NULL), "a call comes again");
	check(hfctl("--json drain") == 0 && says("\"calls\": 1") &&
		  says("\"draining\": true") &&
		  hfctl("--json drain --off") == 0 && says("\"calls\": 1") &&
		  says("\"draining\": false"),
	    "a drain says how many calls are left");
	check(hfctl("drop nobody") == 1 && says("no such live call"),
	    "who is not there cannot be dropped");
	hfctl("--json calls | python3 -c 'import json, sys; "
	      "print(json.load(sys.stdin)[0][\"id\"])'");
	said[strcspn(said, "\n")] = '\0';
	snprintf(words, sizeof words, "drop %.60s", said);
	check(hfctl("%s", words) == 0 && ua_run(w, SOON_MS, is_over, call),
	    "a call is dropped");
	check(hfctl("why nobody") == 1 && says("no such call"),
	    "a call that was not has no story");
}

static bool
bot_let_go(void *arg)
{
	(void)arg;
	return bot->calls != NULL && ua_noted(bot->calls, UA_BYE, 0) != NULL;
}

/* Nobody is left in silence by a house that waits no longer. */
static void
closing(void)
{
	call = ua_invite(carol, site->udp, NUMBER);
	check(ua_run(w, SOON_MS, hears_bot, NULL), "a last call comes");
	check(site_reopen(site, w), "the house is closed and opened again");
	check(is_over(call), "the caller was said goodbye");
	check(bot_let_go(NULL), "and so was his helper");
	check(hfctl("calls --past 1") == 0 && says("drain"),
	    "his record says why");
	check(hfctl("why last") == 0 && says("the house closes"),
	    "and so does his story");
	check(hfctl("status >/dev/null; cat %s/log", site->dir) == 0 &&
		  says("room_stopped") && !says("room_died") &&
		  !says("does_not_leave"),
	    "and who stopped has not died");
}

int
main(void)
{
	char id[64];
	bool well;

	w = ua_world_new();
	site = site_new("ctl", false);
	if (site == NULL)
		return 77;
	well = begin();
	if (well) {
		id_find(id, sizeof id);
		during_the_call(id);
		bot->calls->speechless = true;
		bot->calls->media.speech = UA_NOTHING;
		check(ua_run(w, SOON_MS, hears_anna, NULL),
		    "the caller is rescued");
		ua_hang_up(call, NULL);
		check(soon("why last", "call_ended") &&
			  soon("calls --past 5", id),
		    "the journal has the call's end");
		after_the_call(id);
		for_support();
		acting();
		closing();
	} else {
		site_show_log(site);
	}
	well = site_stop(site) && well && failed == 0;
	site_free(site);
	ua_world_free(w);
	printf("%u passed, %u failed, 0 skipped\n", passed, failed);
	return well ? 0 : 1;
}
