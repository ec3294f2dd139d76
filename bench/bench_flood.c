/*
 * bench_flood - 10,000 messages a second from a stranger, while 100 calls talk
 * from somewhere else: random bytes, torture messages as they are and with
 * bytes changed, and requests that look honest.  The calls must not notice, new
 * ones must come through, OPTIONS must be answered, and memory must not grow.
 *
 * Gaps are the longest of each second of each call.  A noise floor comes from
 * the seconds before the flood.
 */
#include <dirent.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/figure.h"
#include "bench/lines.h"
#include "tests/lib/site.h"

enum {
	CALLS = 100,
	RATE = 10000, /* messages a second */
	NOISE_S = 3,
	SETTLE_MS = 1000,
	OPTIONS_EVERY_US = 200000,
	MESSAGES_MAX = 200,
	MESSAGE_MAX = 8192,
	BATCH = 32,
	FLOOD_S_MAX = 600,
	OPTIONS_MAX = 5 * FLOOD_S_MAX,
	EXIT_UNMEASURED = 2,
	EXIT_INVALID = 77,
};

struct message {
	size_t n;
	char p[MESSAGE_MAX];
};

static struct message corpus[MESSAGES_MAX];
static size_t corpora;
static bool tortured; /* with the messages of the RFCs */

static struct ua_world *w;
static struct lines *lines;
static struct ua *callers, *bots, *prober;
static struct line *caller[CALLS];
static int up, lost, fresh_asked, fresh_answered;
static bool parting;
static int64_t asked[OPTIONS_MAX], rtt[OPTIONS_MAX];
static struct ua_call *probe[OPTIONS_MAX];
static size_t probes;
static uint64_t flooded;

static void
caller_noted(struct ua_call *c, const struct ua_note *n)
{
	struct line **l = c->owner;

	if (n->what == UA_ANSWERED && l != NULL) {
		*l = lines_add(lines, c, true);
		up += *l != NULL;
	} else if (n->what == UA_ANSWERED) {
		fresh_answered++;
		ua_hang_up(c, NULL);
	} else if ((n->what == UA_BYE || n->what == UA_REFUSED) && !parting) {
		lost += l != NULL;
		if (l != NULL && *l != NULL)
			line_end(*l);
	}
}

static void
bot_noted(struct ua_call *c, const struct ua_note *n)
{
	static struct line *line[LINES_MAX];
	static size_t at;

	if (n->what == UA_CONFIRMED && at < LINES_MAX) {
		line[at] = lines_add(lines, c, false);
		c->owner = &line[at++];
	} else if (n->what == UA_BYE && c->owner != NULL) {
		struct line **l = c->owner;
		if (*l != NULL)
			line_end(*l);
	}
}

/* ---- the stranger
 * ------------------------------------------------------------------- */

static void
corpus_add(const char *p, size_t n)
{
	if (corpora == MESSAGES_MAX || n == 0 || n > MESSAGE_MAX)
		return;
	memcpy(corpus[corpora].p, p, n);
	corpus[corpora++].n = n;
}

static void
folder_read(const char *dir)
{
	DIR *d = opendir(dir);
	static char p[MESSAGE_MAX + 1];
	char path[600];

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		FILE *f = e->d_name[0] == '.' ? NULL : fopen(path, "rb");
		if (f == NULL)
			continue;
		corpus_add(p, fread(p, 1, sizeof p, f));
		fclose(f);
	}
	if (d != NULL)
		closedir(d);
}

static void
corpus_read(const struct site *s)
{
	static const char *const method[] = { "INVITE", "OPTIONS", "REGISTER",
		"BYE", "CANCEL", "ACK", "SUBSCRIBE", "NOTIFY" };
	const char *dir = getenv("HF_CORPORA");
	char text[1000], path[500];

	for (size_t i = 0; i < sizeof method / sizeof *method; i++)
		corpus_add(text,
		    (size_t)snprintf(text, sizeof text,
			"%s sip:+33400000000@%s:%d SIP/2.0\r\n"
			"Via: SIP/2.0/UDP "
			"192.0.2.66:5060;branch=z9hG4bKx%zu\r\n"
			"From: <sip:x@192.0.2.66>;tag=1\r\nTo: <sip:y@%s>\r\n"
			"Call-ID: flood-%zu\r\nCSeq: 1 %s\r\nMax-Forwards: "
			"9\r\n"
			"Contact: <sip:x@192.0.2.66>\r\n"
			"Content-Length: 0\r\n\r\n",
			method[i], s->ip, s->port, i, s->ip, i, method[i]));
	if (dir == NULL)
		dir = "../shared/corpora";
	snprintf(path, sizeof path, "%s/sip/rfc4475", dir);
	folder_read(path);
	snprintf(path, sizeof path, "%s/sip/rfc5118", dir);
	folder_read(path);
	tortured = corpora > sizeof method / sizeof *method;
	if (!tortured)
		printf("no torture messages: no %s\n", path);
}

/* One message of the flood into p; its length. */
static size_t
message_make(uint8_t *p)
{
	const struct message *m = &corpus[(size_t)rand() % corpora];
	size_t n = m->n;

	if (rand() % 4 == 0) {
		n = 1 + (size_t)rand() % 1400;
		for (size_t i = 0; i < n; i++)
			p[i] = (uint8_t)rand();
		return n;
	}
	memcpy(p, m->p, n);
	for (int k = rand() % 4; k > 0; k--)
		p[(size_t)rand() % n] = (uint8_t)rand();
	return n;
}

static void
flood_turn(int fd, int64_t began)
{
	static uint8_t p[BATCH][MESSAGE_MAX];
	struct mmsghdr m[BATCH];
	struct iovec v[BATCH];
	uint64_t due = (uint64_t)((ua_now() - began) / 1000) * (RATE / 1000);

	while (flooded < due) {
		int n = due - flooded < BATCH ? (int)(due - flooded) : BATCH;
		for (int i = 0; i < n; i++) {
			v[i] = (struct iovec){ p[i], message_make(p[i]) };
			m[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &v[i],
						     .msg_iovlen = 1 } };
		}
		int k = sendmmsg(fd, m, (unsigned)n, MSG_DONTWAIT);
		if (k <= 0)
			return; /* what is due is sent the next time */
		flooded += (uint64_t)k;
	}
}

/* ---- the run
 * ------------------------------------------------------------------------- */

static void
stay(int64_t ms)
{
	for (int64_t until = ua_now() + ms * 1000; ua_now() < until;)
		lines_turn(lines, w);
}

static void
probe_turn(const struct site *s)
{
	static int64_t next;

	if (ua_now() < next || probes == OPTIONS_MAX)
		return;
	next = ua_now() + OPTIONS_EVERY_US;
	asked[probes] = ua_now();
	probe[probes++] = ua_options(prober, s->udp);
	if (probes % 5 == 0) {
		fresh_asked++;
		ua_invite(callers, s->udp, "+33400000000");
	}
}

/* The longest gap of each whole second of each call. */
static size_t
gaps_of(int64_t from, int seconds, int64_t *gap)
{
	size_t n = 0;

	for (int i = 0; i < CALLS; i++) {
		const struct line *l = caller[i];
		for (int s = 0; l != NULL && s < seconds; s++) {
			int64_t a = from + s * 1000000LL, b = a + 1000000;
			int64_t last = a, longest = 0;
			for (size_t k = 0; k < l->hears && l->heard[k].at < b;
			     k++) {
				if (l->heard[k].at < a)
					continue;
				if (l->heard[k].at - last > longest)
					longest = l->heard[k].at - last;
				last = l->heard[k].at;
			}
			gap[n++] = b - last > longest ? b - last : longest;
		}
	}
	return n;
}

static struct site *
house(void)
{
	struct site *s = site_new("flood", false);

	if (s == NULL)
		exit(EXIT_UNMEASURED);
	site_set(
	    s, "bots.cloud.to", "[\"sip:bot@%s:%d\"]", bots->ip, bots->port);
	/* As if each came from an address of its own: all are read. */
	site_set(s, "sip.address_per_s", "100000");
	site_set(s, "sip.address_burst", "1000000");
	site_set(s, "ladders.front", "[ { bot: cloud } ]");
	site_set(s, "numbers.\"+33400000000\"", "front");
	return s;
}

static void
set_up(const struct site *s)
{
	for (int i = 0; i < CALLS; i++) {
		ua_invite(callers, s->udp, "+33400000000")->owner = &caller[i];
		stay(10);
	}
	stay(SETTLE_MS);
	if (up != CALLS) {
		fprintf(stderr, "%d of %d callers answered\n", up, CALLS);
		site_show_log(s);
		exit(EXIT_UNMEASURED);
	}
}

static bool
report(int64_t before, int64_t began, int seconds, int64_t grown)
{
	static int64_t gap[CALLS * FLOOD_S_MAX];
	bool met = true;
	size_t n = gaps_of(before, NOISE_S, gap), late = 0;
	double noise = figure_percentile(gap, n, 99) / 1000;

	n = gaps_of(began, seconds, gap);
	for (size_t i = 0; i < probes; i++) {
		const struct ua_note *a = ua_noted(probe[i], UA_OPTIONED, 0);
		rtt[i] = a != NULL ? a->at - asked[i] : INT64_C(99999999);
		late += a == NULL;
	}
	bool loaded = figure(
	    "flood_", "messages_per_s", (double)flooded / seconds, ">=9900");
	met &= figure("flood_", "calls_lost", lost, "==0");
	met &= figure("flood_", "gap_p99_ms",
	    figure_percentile(gap, n, 99) / 1000, "<=40");
	met &= figure("flood_", "options_max_ms",
	    figure_percentile(rtt, probes, 100) / 1000, "<=500");
	met &= figure(
	    "flood_", "new_calls_failed", fresh_asked - fresh_answered, "==0");
	met &= figure("flood_", "memory_grown_kb", (double)grown, "<=4096");
	figure("flood_", "noise_p99_ms", noise, "<=40");
	if (!loaded || !tortured) {
		fprintf(stderr, "not the load it should be: %s\n",
		    loaded ? "no torture messages" : "too few messages");
		exit(EXIT_UNMEASURED);
	}
	if (noise > 40) {
		printf(
		    "invalid: without the flood the gap is %.1f ms\n", noise);
		exit(EXIT_INVALID);
	}
	return met && late == 0;
}

int
main(int argc, char **argv)
{
	int seconds = 20;

	if (argc == 2 && strcmp(argv[1], "--quick") == 0)
		seconds = 6;
	else if (argc != 1)
		return EXIT_UNMEASURED;
	w = ua_world_new();
	lines = lines_new();
	callers = ua_new(w, "callers", site_address(SITE_TRUNK, 1), UA_UDP, 3);
	prober = ua_new(w, "prober", site_address(SITE_TRUNK, 2), UA_UDP, 0);
	bots = ua_new(w, "bots", site_address(SITE_HELPERS, 1), UA_UDP, 20);
	callers->manner.foreign_media = bots->manner.foreign_media = true;
	callers->on_note = caller_noted;
	bots->on_note = bot_noted;
	struct site *s = house();
	if (!site_start(s, w))
		return EXIT_UNMEASURED;
	lines_start(lines);
	corpus_read(s);
	set_up(s);
	struct ua *stranger =
	    ua_new(w, "stranger", site_address(SITE_AGENTS, 200), UA_UDP, 0);
	if (connect(stranger->udp, (struct sockaddr *)&s->udp.to,
		sizeof(struct sockaddr_in)) != 0)
		return EXIT_UNMEASURED;
	stranger->dead = true; /* what it is told does not matter */
	int64_t before = ua_now();
	stay(NOISE_S * 1000);
	int64_t began = ua_now(), memory = 0;
	while (ua_now() < began + seconds * 1000000LL) {
		lines_turn(lines, w);
		flood_turn(stranger->udp, began);
		probe_turn(s);
		if (memory == 0 && ua_now() > began + 2000000)
			memory = site_memory(s);
	}
	int64_t grown = site_memory(s) - memory;
	stay(SETTLE_MS);
	lines_drain(lines);
	parting = true;
	for (int i = 0; i < CALLS; i++)
		if (caller[i] != NULL && caller[i]->fd >= 0) {
			caller[i]->fd = -1;
			ua_hang_up(caller[i]->call, NULL);
		}
	ua_run(w, 1000, NULL, NULL);
	bool well = site_stop(s);
	site_free(s);
	bool met = report(before, began, seconds, grown);
	return met && well ? 0 : 1;
}
