#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/story/live.h"

enum { NOTHING_US = 200000, SAID_MAX = 65536, SQL_MAX = 2000 };

/* ---- what an actor has seen
 * ----------------------------------------------------- */

/* The first note of a kind at any of his calls from then on. */
static const struct ua_note *
seen(const struct live_actor *a, enum ua_event what, int64_t from)
{
	const struct ua_note *first = NULL;

	for (const struct ua_call *c = a->ua->calls; c != NULL; c = c->next) {
		const struct ua_note *n =
		    c->pseudo ? NULL : ua_noted(c, what, from);
		if (n != NULL && (first == NULL || n->at < first->at))
			first = n;
	}
	return first;
}

/* Did one of his REFERs come to this, as the last NOTIFY's sipfrag says? */
static bool
notified(const struct live_actor *a, long code, int64_t from)
{
	char want[40];

	snprintf(want, sizeof want, "SIP/2.0 %ld", code);
	for (const struct ua_call *c = a->ua->calls; c != NULL; c = c->next)
		for (size_t i = 0; i < c->notes; i++)
			if (c->note[i].what == UA_NOTIFIED &&
			    c->note[i].at >= from &&
			    strncmp(c->note[i].text, want, strlen(want)) == 0)
				return true;
	return false;
}

/* Was one of his calls made with this in its INVITE? */
static bool
called_with(const struct live_actor *a, const char *text)
{
	for (const struct ua_call *c = a->ua->calls; c != NULL; c = c->next)
		if (c->incoming && c->invite != NULL &&
		    strstr(c->invite, text) != NULL)
			return true;
	return false;
}

/* Voices from first to last are that sound.  False: it is none. */
static bool
sound_of(struct live *v, const char *word, int *first, int *last)
{
	static const struct {
		const char *word;
		int first, last;
	} sounds[] = { { "comfort", VOICE_FAINT, VOICE_FAINT },
		{ "a-voice", SITE_ONE_MOMENT, SITE_ALL_BUSY },
		{ "goodbye", SITE_GOODBYE, SITE_GOODBYE },
		{ "music", SITE_MUSIC, SITE_MUSIC },
		{ "ringback", VOICE_OTHER, VOICE_OTHER },
		{ "a-beep", VOICE_OTHER, VOICE_OTHER },
		{ "something", VOICE_NONE, VOICE_NONE } };
	const struct live_actor *a = live_find(v, word);

	for (size_t i = 0; i < sizeof sounds / sizeof *sounds; i++)
		if (strcmp(word, sounds[i].word) == 0) {
			*first = sounds[i].first;
			*last = sounds[i].last;
			return true;
		}
	if (a != NULL)
		*first = *last = a->ua->voice;
	return a != NULL;
}

/* When did he hear it, from then on?  -1: he did not. */
static int64_t
heard(
    struct live *v, const struct live_actor *a, const char *what, int64_t from)
{
	int64_t first = -1;
	int whose = 0, last_voice = 0;

	if (strcmp(what, "ringback") == 0) {
		/* The phone makes it itself after a 180. */
		const struct ua_note *n = seen(a, UA_RANG, from);
		if (n != NULL)
			return n->at;
	}
	if (strcmp(what, "nothing") == 0) {
		const struct ua_call *c = ua_current(a->ua);
		int64_t last = from;
		if (c != NULL && c->media.hears > 0 &&
		    c->media.heard[c->media.hears - 1].at > from)
			last = c->media.heard[c->media.hears - 1].at;
		return ua_now() - last >= NOTHING_US ? last + NOTHING_US : -1;
	}
	if (!sound_of(v, what, &whose, &last_voice))
		return -1;
	for (; whose <= last_voice; whose++)
		for (const struct ua_call *c = a->ua->calls; c != NULL;
		     c = c->next) {
			int64_t at = ua_hears(c, whose, from);
			if (at >= 0 && (first < 0 || at < first))
				first = at;
		}
	return first;
}

static bool
reinvited(const struct live_actor *a, bool held, int64_t from)
{
	for (const struct ua_call *c = a->ua->calls; c != NULL; c = c->next)
		for (size_t i = 0; i < c->notes; i++) {
			const struct ua_note *n = &c->note[i];
			if (n->what != UA_REINVITED || n->at < from)
				continue;
			bool stop = strcmp(n->text, "sendonly") == 0 ||
				    strcmp(n->text, "inactive") == 0;
			if (stop == held)
				return true;
		}
	return false;
}

static bool
has_digits(const struct live_actor *a, const char *text)
{
	for (const struct ua_call *c = a->ua->calls; c != NULL; c = c->next) {
		char all[128] = "";
		size_t k = 0;
		for (size_t i = 0; i < c->notes && k + 1 < sizeof all; i++)
			if (c->note[i].what == UA_DIGIT) {
				all[k++] = (char)c->note[i].code;
				all[k] = '\0';
			}
		if (strstr(all, text) != NULL)
			return true;
	}
	return false;
}

static bool
let_go(const struct live_actor *a, int64_t from)
{
	static const enum ua_event end[] = { UA_BYE, UA_CANCELLED, UA_LEFT,
		UA_REFUSED };

	for (size_t i = 0; i < sizeof end / sizeof *end; i++)
		if (seen(a, end[i], from) != NULL)
			return true;
	return false;
}

/* ---- what the house says
 * ------------------------------------------------------------ */

/* One row of hfctl --json VERB: does it hold this name and that word? */
static bool
row_has(const char *said, const char *name, const char *word)
{
	char n[64], w[64];

	snprintf(n, sizeof n, "\"%s\"", name);
	snprintf(w, sizeof w, "\"%s\"", word);
	for (const char *p = said; (p = strchr(p, '{')) != NULL; p++) {
		size_t k = strcspn(p + 1, "}");
		char row[2000];
		snprintf(row, sizeof row, "%.*s", (int)k, p + 1);
		if (strstr(row, n) != NULL && strstr(row, w) != NULL)
			return true;
	}
	return false;
}

static bool
is_in_state(struct live *v, const struct live_actor *a, const char *state)
{
	static char said[SAID_MAX];

	site_ctl(v->site,
	    a->role == LIVE_AGENT ? "--json agents" : "--json helpers", said,
	    sizeof said);
	return row_has(said, a->name, state);
}

long
live_rows(struct live *v, const char *words)
{
	static char said[SAID_MAX];
	long n = 0;

	if (site_ctl(v->site, words, said, sizeof said) != 0)
		return -1;
	for (const char *p = said; (p = strchr(p, '{')) != NULL; p++)
		n++;
	return n;
}

static long
calls_up(struct live *v)
{
	return live_rows(v, "--json calls --live");
}

static long
messages_in(struct live *v, const char *box)
{
	char words[100];

	snprintf(words, sizeof words, "voicemail list %s --json", box);
	return live_rows(v, words);
}

/* ---- the journal
 * ------------------------------------------------------------------------ */

static const struct {
	const char *fact, *table, *call, *always;
} tables[] = {
	{ "call_came", "calls", "id", "1" },
	{ "call_ended", "calls", "id", "ended > 0" },
	{ "rung_ended", "rungs", "call", "1" },
	{ "call_rescued", "rescues", "call", "1" },
	{ "evidence", "evidence", "call", "1" },
	{ "agent_moved", "moves", "", "what = 'agent'" },
	{ "breaker_moved", "moves", "", "what <> 'agent'" },
	{ "operator_acted", "acts", "", "1" },
	{ "message_saved", "messages", "call", "1" },
};

static bool
sql_make(const struct story_act *t, char *sql, size_t cap)
{
	size_t row = 0, rows = sizeof tables / sizeof *tables;

	while (row < rows && strcmp(tables[row].fact, t->word[0]) != 0)
		row++;
	if (row == rows)
		return false;
	int n = snprintf(sql, cap, "SELECT count(*) FROM %s WHERE %s",
	    tables[row].table, tables[row].always);
	for (unsigned i = 1; i < t->words; i++) {
		const char *eq = strchr(t->word[i], '=');
		char key[64];
		if (eq == NULL)
			return false;
		snprintf(key, sizeof key, "%.*s", (int)(eq - t->word[i]),
		    t->word[i]);
		char *value = sqlite3_mprintf("%Q", eq + 1);
		if (strcmp(key, "call") == 0)
			n += snprintf(sql + n, cap - (size_t)n,
			    " AND %s IN (SELECT id FROM calls WHERE "
			    "caller = %s)",
			    tables[row].call, value);
		else
			n += snprintf(sql + n, cap - (size_t)n, " AND %s = %s",
			    strcmp(key, "why") == 0 &&
				    strcmp(tables[row].table, "rescues") != 0 &&
				    strcmp(tables[row].table, "moves") != 0
				? "cause"
				: key,
			    value);
		sqlite3_free(value);
		if (n >= (int)cap)
			return false;
	}
	return true;
}

/* How many lines of the journal are so; -1 and live.why when it cannot tell. */
static int
journal_count(struct live *v, const struct story_act *t)
{
	char path[120], sql[SQL_MAX];
	sqlite3 *db = NULL;
	sqlite3_stmt *s = NULL;
	int n = -1;

	snprintf(path, sizeof path, "%s/store/journal.db", v->site->dir);
	if (!sql_make(t, sql, sizeof sql)) {
		snprintf(v->why, sizeof v->why, "no such fact in the journal");
		return -1;
	}
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) ==
		SQLITE_OK &&
	    sqlite3_busy_timeout(db, 200) == SQLITE_OK &&
	    sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK &&
	    sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int(s, 0);
	else
		snprintf(
		    v->why, sizeof v->why, "journal: %s", sqlite3_errmsg(db));
	if (n >= 0)
		v->why[0] = '\0';
	sqlite3_finalize(s);
	sqlite3_close(db);
	return n;
}

/* ---- expectations
 * -------------------------------------------------------------------------- */

struct look {
	struct live *v;
	const struct story_act *t;
	struct live_actor *a;
	int64_t until; /* a sound after this came too late */
	int64_t next;  /* what costs a process is asked now and then */
};

enum { ASK_EVERY_US = 50000 };

/* What only the house knows. */
static bool
house_says(struct look *x)
{
	if (ua_now() < x->next)
		return false;
	x->next = ua_now() + ASK_EVERY_US;
	switch (x->t->verb) {
	case STORY_IS:
		return is_in_state(x->v, x->a, x->t->word[1]);
	case STORY_JOURNAL:
		return journal_count(x->v, x->t) > 0;
	case STORY_CALLS_UP:
		return calls_up(x->v) == x->t->number;
	default:
		return messages_in(x->v, x->t->word[0]) == x->t->number;
	}
}

/* The kernel's stamps: our own delay in reading is none of theirs. */
static bool
hears_no_gap(
    const struct live_actor *a, const struct story_act *t, int64_t from)
{
	const struct ua_call *c = ua_current(a->ua);
	int64_t us = c != NULL ? ua_longest_gap(c, from, ua_now()) : -1;

	printf("%s heard nothing for %lld ms at most\n", a->name,
	    (long long)us / 1000);
	return us >= 0 && us < t->span.us;
}

static bool
is_so(void *arg)
{
	struct look *x = arg;
	const struct story_act *t = x->t;
	int64_t from = x->v->acted, at;
	const struct ua_note *n;

	switch (t->verb) {
	case STORY_HEARS:
		at = heard(x->v, x->a, t->word[1], from);
		return at >= 0 && at <= x->until;
	case STORY_HEARS_NO_GAP:
		return hears_no_gap(x->a, t, from);
	case STORY_RINGS:
	case STORY_IS_CALLED:
		return seen(x->a, UA_CALLED, from) != NULL;
	case STORY_CALLED_WITH:
		return called_with(x->a, t->word[1]);
	case STORY_IS_ANSWERED:
		return seen(x->a, UA_ANSWERED, from) != NULL;
	case STORY_IS_REFUSED:
		n = seen(x->a, UA_REFUSED, from);
		return n != NULL && n->code == t->number;
	case STORY_LET_GO:
		return let_go(x->a, from);
	case STORY_GETS_DIGITS:
		return has_digits(x->a, t->word[1]);
	case STORY_GETS_INFO:
		n = seen(x->a, UA_INFORMED, from);
		return n != NULL && strstr(n->text, t->word[1]) == n->text;
	case STORY_IS_NOTIFIED:
		return notified(x->a, t->number, from);
	case STORY_IS_HELD:
		return reinvited(x->a, true, from);
	case STORY_IS_RESUMED:
		return reinvited(x->a, false, from);
	default:
		return house_says(x);
	}
}

bool
live_expect(struct live *v, const struct story_act *t)
{
	struct look x = { .v = v, .t = t, .a = live_find(v, t->word[0]) };
	bool of_house = t->verb == STORY_JOURNAL || t->verb == STORY_CALLS_UP ||
			t->verb == STORY_BOX_HAS;
	int64_t ms = t->within.us / 1000 * site_patience() + LIVE_SLACK_MS;

	if (x.a == NULL && !of_house) {
		snprintf(
		    v->why, sizeof v->why, "nobody is called %s", t->word[0]);
		return false;
	}
	x.until = v->deadlines + ms * 1000;
	ms -= (ua_now() - v->deadlines) / 1000;
	if (live_run(v, ms > 0 ? ms : 0, is_so, &x))
		return true;
	ms = site_waited(v->site, &v->mark) / 1000;
	if (ms > LIVE_WAITED_MAX_MS)
		ms = LIVE_WAITED_MAX_MS;
	x.until += ms * 1000;
	if (live_run(v, ms, is_so, &x))
		return true;
	/* A last look, for what was already so and is asked of the house. */
	x.next = 0;
	return is_so(&x);
}

bool
live_never(struct live *v, const struct story_act *t)
{
	struct live_actor *a = live_find(v, t->word[0]);

	if (t->verb == STORY_JOURNAL_NEVER)
		return journal_count(v, t) == 0;
	if (a == NULL)
		return false;
	switch (t->verb) {
	case STORY_NEVER_HEARS:
		return heard(v, a, t->word[1], 0) < 0;
	case STORY_NEVER_RINGS:
	case STORY_NEVER_CALLED:
		return seen(a, UA_CALLED, 0) == NULL;
	case STORY_NEVER_CALLED_WITH:
		return !called_with(a, t->word[1]);
	case STORY_NEVER_ANSWERED:
		return seen(a, UA_ANSWERED, 0) == NULL;
	case STORY_NEVER_REINVITED:
		return seen(a, UA_REINVITED, 0) == NULL;
	case STORY_NEVER_LET_GO:
		return seen(a, UA_BYE, 0) == NULL &&
		       seen(a, UA_REFUSED, 0) == NULL;
	default:
		return false;
	}
}

/* ---- for whoever has to find out
 * ---------------------------------------------------------- */

static const char *
event_name(enum ua_event e)
{
	static const char *const name[] = { "called", "tried", "rang",
		"answered", "confirmed", "refused", "bye", "cancelled", "left",
		"reinvited", "reanswered", "referred", "notified", "informed",
		"digit", "registered", "optioned" };

	return e < sizeof name / sizeof *name ? name[e] : "?";
}

/* Whom a call heard, as stretches. */
static void
show_heard(struct live *v, const struct ua_call *c)
{
	const struct ua_media *m = &c->media;

	for (size_t i = 0, k; i < m->hears; i = k) {
		for (k = i;
		     k < m->hears && m->heard[k].whose == m->heard[i].whose;
		     k++)
			continue;
		const char *who = "?";
		for (size_t j = 0; j < v->actors; j++)
			if (v->actor[j].ua->voice == m->heard[i].whose)
				who = v->actor[j].name;
		static const char *const house[] = { "one-moment",
			"still-there", "you-are-number", "in-line", "intro",
			"no-messages", "goodbye", "all-busy", "music" };
		if (m->heard[i].whose >= SITE_ONE_MOMENT &&
		    m->heard[i].whose <= SITE_MUSIC)
			who = house[m->heard[i].whose - SITE_ONE_MOMENT];
		static const char *const other[] = { "", "silence", "comfort",
			"a voice or music", "digit", "?" };
		if (m->heard[i].whose < 0)
			who = other[-m->heard[i].whose];
		if (k - i >= 2 || m->heard[i].whose != VOICE_OTHER)
			fprintf(stderr, "      %8.3f %8.3f  %s (%zu)\n",
			    (double)(m->heard[i].at - v->began) / 1e6,
			    (double)(m->heard[k - 1].at - v->began) / 1e6, who,
			    k - i);
	}
}

void
live_show(struct live *v)
{
	for (size_t i = 0; i < v->actors; i++) {
		struct live_actor *a = &v->actor[i];
		fprintf(stderr, "  %s:\n", a->name);
		for (struct ua_call *c = a->ua->calls; c != NULL; c = c->next) {
			fprintf(stderr, "    call %s\n", c->call_id);
			for (size_t k = 0; k < c->notes; k++)
				fprintf(stderr, "      %8.3f %s %d %s\n",
				    (double)(c->note[k].at - v->began) / 1e6,
				    event_name(c->note[k].what),
				    c->note[k].code, c->note[k].text);
			show_heard(v, c);
		}
	}
	if (v->site != NULL)
		site_show_log(v->site);
}
