/*
 * SIPVicious, which strangers all over the network point at whatever answers
 * SIP: it looks for accounts by each of its methods, and guesses a password
 * that is in its list.  It finds nothing, it is slowed down, and who belongs to
 * the house does not notice.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interop/peer.h"
#include "tests/lib/child.h"

enum {
	SCAN_MS = 6000, /* then it is stopped */
	NAMES = 3000,   /* anna is one of the first */
	ANNA = 50,
	GUESSES = 400,
	RIGHT = 40, /* the right one among them */
	CALL_MS = 5000,
	OUT_MAX = 8000,
};

static const char secret[] = "correct-horse";

/* Both programs are told by -d from which list they take their words. */
static void
lists(const struct peer *p)
{
	static char text[NAMES * 12];
	size_t n = 0;

	for (int i = 0; i < NAMES; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    i == ANNA ? "anna\n" : "x%d\n", 1000 + i);
	peer_file(p, "names", "%s", text);
	n = 0;
	for (int i = 0; i < GUESSES; i++)
		n += i == RIGHT ? (size_t)snprintf(
				      text + n, sizeof text - n, "%s\n", secret)
				: (size_t)snprintf(
				      text + n, sizeof text - n, "word%d\n", i);
	peer_file(p, "words", "%s", text);
}

static bool
has_ended(void *arg)
{
	int status;

	return peer_ended(arg, &status);
}

/* from: which address of the agents' street it has. */
static void
scan(struct scene *s, struct peer *p, const char *program, int from,
    const char *what, const char *list, const char *of)
{
	char path[100], at[60], ip[60];
	const char *found = peer_program(program);

	if (found == NULL)
		exit(PEER_SKIP);
	snprintf(path, sizeof path, "%s", found);
	snprintf(at, sizeof at, "udp://%s:%d", s->site->ip, s->site->port);
	snprintf(ip, sizeof ip, "%s", site_address(SITE_AGENTS, from));
	peer_dir(s, p, what);
	lists(p);
	char *argv[] = { path, (char *)"-b", ip, (char *)"-x", ip, (char *)"-d",
		(char *)list, (char *)(of != NULL ? "-u" : "-m"),
		(char *)(of != NULL ? of : what),
		(char *)(of != NULL ? "-v" : "--force"), at, NULL };
	peer_start(p, argv);
	(void)scene_wait(s, SCAN_MS, has_ended, p);
	peer_stop(p);
}

static unsigned long
counted(struct scene *s, const char *name)
{
	static char out[OUT_MAX];
	const char *at;

	if (site_ctl(s->site, "sip", out, sizeof out) != 0 ||
	    (at = strstr(out, name)) == NULL)
		return 0;
	return strtoul(at + strlen(name), NULL, 10);
}

/* Everybody is asked who he is, whatever his name. */
static void
looks_for_accounts(struct scene *s, const char *method, int from)
{
	char promise[80];
	struct peer p;

	scan(s, &p, "svwar", from, method, "names", NULL);
	snprintf(promise, sizeof promise, "%s: it finds nothing", method);
	scene_check(s,
	    file_says(p.log, "found nothing") && !file_says(p.log, "reqauth"),
	    promise);
	snprintf(promise, sizeof promise, "%s: not even anna", method);
	scene_check(s, !file_says(p.log, "anna"), promise);
}

/* Everybody is told that we live, until it is too much. */
static void
asks_too_often(struct scene *s)
{
	unsigned long before = counted(s, "refused_address_rate");
	struct peer p;

	scan(s, &p, "svwar", 204, "OPTIONS", "names", NULL);
	scene_check(
	    s, !file_says(p.log, "anna"), "OPTIONS: anna is like others");
	scene_check(s, counted(s, "refused_address_rate") > before,
	    "OPTIONS: its address is over its share");
}

static void
guesses_a_password(struct scene *s)
{
	struct peer p;

	scan(s, &p, "svcrack", 203, "guess", "words", "anna");
	scene_check(s, !file_says(p.log, secret), "the password is not found");
	scene_check(
	    s, counted(s, "guesses_unheard") > 0, "guesses are not heard");
	scene_check(s, counted(s, "wrong_secrets") < RIGHT,
	    "few of them were looked at");
}

static bool
is_answered(void *arg)
{
	return ua_noted(arg, UA_ANSWERED, 0) != NULL;
}

static bool
is_registered(void *arg)
{
	const struct ua_note *n = ua_noted(arg, UA_REGISTERED, 0);

	return n != NULL && n->code == 200;
}

int
main(void)
{
	struct scene *s;
	struct ua_call *c;

	if (peer_program("svwar") == NULL || peer_program("svcrack") == NULL)
		return PEER_SKIP;
	s = scene_new("vienne", UA_UDP);
	if (!scene_start(s, true))
		return EXIT_FAILURE;
	looks_for_accounts(s, "REGISTER", 201);
	looks_for_accounts(s, "INVITE", 202);
	guesses_a_password(s);
	asks_too_often(s);
	c = ua_register(s->anna, s->site->udp, 600);
	scene_check(s, scene_wait(s, CALL_MS, is_registered, c),
	    "anna is let in as before");
	c = ua_invite(s->caller, s->site->udp, "+33400000000");
	scene_check(s, scene_wait(s, CALL_MS, is_answered, c),
	    "a caller is answered as before");
	ua_hang_up(c, NULL);
	scene_wait(s, 500, NULL, NULL);
	return scene_end(s);
}
