/* tests/lib/story_parse - see story_parse.h */

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "lib/story_parse.h"

/* clang-format off */
/* The grammar.  Where two patterns could match, the earlier one is tried
 * first; [...] is optional and comes last. */
static const struct {
	enum story_verb verb;
	const char *pattern;
} grammar[] = {
	{ STORY_STORY,           "story TEXT" },
	{ STORY_ONLY_SIM,        "only sim" },
	{ STORY_ONLY_LIVE,       "only live" },
	{ STORY_SWEEP,           "sweep NAME hangs up" },
	{ STORY_SITE,            "site NAME" },
	{ STORY_SET,             "set TEXT TEXT" },
	{ STORY_BOT_LOCAL,       "bot NAME in the house" },
	{ STORY_BOT,             "bot NAME [says TEXT]" },
	{ STORY_CENTRE,          "centre NAME" },
	{ STORY_NEIGHBOUR,       "neighbour NAME" },
	{ STORY_TRUNK,           "trunk NAME" },
	{ STORY_QUEUE,           "queue NAME" },
	{ STORY_BOX,             "box NAME" },
	{ STORY_AGENT,           "agent NAME at NAME REST" },
	{ STORY_PHONE,           "phone NAME of NAME" },
	{ STORY_LADDER_OF,       "ladder of TEXT is REST" },
	{ STORY_LADDER,          "ladder REST" },
	{ STORY_KILL_SILENTLY,   "kill NAME silently" },
	{ STORY_KILL_CLOSED,     "kill NAME closed" },
	{ STORY_KILL_MEDIA,      "kill NAME media" },
	{ STORY_REVIVE,          "revive NAME" },
	{ STORY_CUT,             "cut NAME for SPAN" },
	{ STORY_RESTART_WITH,    "restart NAME with NAME" },
	{ STORY_RESTART,         "restart NAME" },
	{ STORY_UPGRADE,         "upgrade the house" },
	{ STORY_FREEZE,          "freeze NAME for SPAN" },
	{ STORY_RELOAD_WITHOUT,  "reload without NAME" },
	{ STORY_RELOAD_WITH,     "reload with NAME" },
	{ STORY_OPERATOR,        "operator REST" },
	{ STORY_AFTER,           "after SPAN" },
	{ STORY_CROWD,           "crowd of N calls TEXT" },
	{ STORY_JOURNAL,         "expect journal says NAME REST" },
	{ STORY_JOURNAL_NEVER,   "expect journal never says NAME REST" },
	{ STORY_CALLS_UP,        "expect calls N" },
	{ STORY_BOX_HAS,         "expect box NAME has N" },
	{ STORY_HEARS_NO_GAP,    "expect NAME hears no gap of SPAN" },
	{ STORY_HEARS,           "expect NAME hears NAME" },
	{ STORY_NEVER_HEARS,     "expect NAME never hears NAME" },
	{ STORY_RINGS,           "expect NAME rings" },
	{ STORY_NEVER_RINGS,     "expect NAME never rings" },
	{ STORY_CALLED_WITH,     "expect NAME is called with TEXT" },
	{ STORY_IS_CALLED,       "expect NAME is called" },
	{ STORY_NEVER_CALLED_WITH, "expect NAME was never called with TEXT" },
	{ STORY_NEVER_CALLED,    "expect NAME was never called" },
	{ STORY_IS_ANSWERED,     "expect NAME is answered" },
	{ STORY_NEVER_ANSWERED,  "expect NAME was never answered" },
	{ STORY_NEVER_REINVITED, "expect NAME was never re-invited" },
	{ STORY_IS_REFUSED,      "expect NAME is refused CODE" },
	{ STORY_LET_GO,          "expect NAME is let go" },
	{ STORY_NEVER_LET_GO,    "expect NAME was never let go" },
	{ STORY_GETS_DIGITS,     "expect NAME gets digits TEXT" },
	{ STORY_GETS_INFO,       "expect NAME gets info TEXT" },
	{ STORY_IS_NOTIFIED,     "expect NAME is notified CODE" },
	{ STORY_IS_HELD,         "expect NAME is held" },
	{ STORY_IS_RESUMED,      "expect NAME is resumed" },
	{ STORY_IS,              "expect NAME is NAME" },
	{ STORY_WILL_ANSWER,     "NAME will answer after SPAN" },
	{ STORY_WILL_REFUSE,     "NAME will refuse CODE" },
	{ STORY_WILL_TRY,        "NAME will try only" },
	{ STORY_WILL_RING,       "NAME will ring only" },
	{ STORY_WILL_NEVER_TRY,  "NAME will never try" },
	{ STORY_WILL_NO_MEDIA,   "NAME will send no media" },
	{ STORY_WILL_EARLY,      "NAME will talk early" },
	{ STORY_WILL_HANG_UP,    "NAME will hang up after SPAN" },
	{ STORY_WILL_TAKE,       "NAME will take N at once" },
	{ STORY_WILL_BEHAVE,     "NAME will behave" },
	{ STORY_CALLS_WITH,      "NAME calls TEXT with TEXT" },
	{ STORY_CALLS,           "NAME calls TEXT" },
	{ STORY_ANSWERS,         "NAME answers" },
	{ STORY_DECLINES,        "NAME declines [CODE]" },
	{ STORY_HANGS_UP_WITH,   "NAME hangs up with CODE" },
	{ STORY_HANGS_UP_SAYING, "NAME hangs up saying TEXT" },
	{ STORY_HANGS_UP,        "NAME hangs up" },
	{ STORY_REFERS,          "NAME refers to TEXT" },
	{ STORY_HOLDS,           "NAME holds" },
	{ STORY_RESUMES,         "NAME resumes" },
	{ STORY_REOFFERS,        "NAME reoffers" },
	{ STORY_PRESSES,         "NAME presses TEXT" },
	{ STORY_INFORMS,         "NAME informs TEXT TEXT" },
	{ STORY_REGISTERS,       "NAME registers" },
	{ STORY_UNREGISTERS,     "NAME unregisters" },
	{ STORY_MUTE,            "NAME goes mute" },
	{ STORY_TALKS,           "NAME talks" },
	{ STORY_LOOPS,           "NAME loops" },
	{ STORY_GARBAGE,         "NAME sends garbage" },
	{ STORY_SUPPRESSES,      "NAME suppresses silence" },
};
/* clang-format on */
_Static_assert(HF_LEN(grammar) == STORY_VERBS, "one pattern per verb");

static bool
fail(struct story *s, unsigned line, const char *fmt, ...)
{
	char what[STORY_ERROR_MAX - 20];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	snprintf(s->error, sizeof(s->error), "line %u: %s", line, what);
	return false;
}

bool
story_span(const char *word, struct hf_span *out)
{
	char *unit;
	double v = strtod(word, &unit);

	if (unit == word || v < 0)
		return false;
	if (strcmp(unit, "ms") == 0)
		out->us = (int64_t)(v * 1e3);
	else if (strcmp(unit, "s") == 0)
		out->us = (int64_t)(v * 1e6);
	else if (strcmp(unit, "m") == 0)
		out->us = (int64_t)(v * 60e6);
	else
		return false;
	return true;
}

static bool
is_number(const char *w)
{
	if (*w == '\0')
		return false;
	for (; *w != '\0'; w++) {
		if (!isdigit((unsigned char)*w))
			return false;
	}
	return true;
}

static bool
is_name(const char *w)
{
	for (; *w != '\0'; w++) {
		if (!islower((unsigned char)*w) &&
		    !isdigit((unsigned char)*w) && *w != '-' && *w != '_')
			return false;
	}
	return true;
}

/* Cuts a line into words where it stands; -1 when there are too many or a
 * quote is left open. */
static int
cut(char *line, const char **word, unsigned max)
{
	unsigned n = 0;
	char *p = line;

	for (;;) {
		while (*p == ' ' || *p == '\t' || *p == ',' || *p == '\r')
			*p++ = '\0';
		if (*p == '\0' || *p == '#') {
			*p = '\0';
			return (int)n;
		}
		if (n == max)
			return -1;
		if (*p == '"') {
			word[n++] = ++p;
			p = strchr(p, '"');
			if (p == NULL)
				return -1;
			*p++ = '\0';
			continue;
		}
		word[n++] = p;
		while (*p != '\0' && strchr(" \t,\r", *p) == NULL)
			p++;
	}
}

/* One word of the pattern against one word of the line. */
static bool
fits(const char *want, const char *word, struct story_act *a)
{
	struct hf_span span;

	if (islower((unsigned char)*want))
		return strcmp(want, word) == 0;
	if (strcmp(want, "NAME") == 0 && !is_name(word))
		return false;
	if (strcmp(want, "SPAN") == 0) {
		if (!story_span(word, &span))
			return false;
		if (a->span.us == 0)
			a->span = span;
	}
	if (strcmp(want, "N") == 0 || strcmp(want, "CODE") == 0) {
		if (!is_number(word))
			return false;
		a->number = strtol(word, NULL, 10);
	}
	a->word[a->words++] = word;
	return true;
}

static bool
matches(const char *pattern, const char **word, unsigned n, struct story_act *a)
{
	char copy[80], *save = NULL;
	unsigned i = 0;

	a->words = 0;
	a->number = 0;
	a->span = (struct hf_span){ 0 };
	snprintf(copy, sizeof(copy), "%s", pattern);
	for (char *w = strtok_r(copy, " ", &save); w != NULL;
	     w = strtok_r(NULL, " ", &save)) {
		if (*w == '[') {
			w++;
			if (i == n)
				return true;
		}
		if (w[strlen(w) - 1] == ']')
			w[strlen(w) - 1] = '\0';
		if (strcmp(w, "REST") == 0) {
			while (i < n)
				a->word[a->words++] = word[i++];
			return true;
		}
		if (i == n || !fits(w, word[i], a))
			return false;
		i++;
	}
	return i == n;
}

static bool
parse_line(struct story *s, char *text, unsigned line)
{
	const char *word[STORY_WORDS_MAX];
	int n = cut(text, word, STORY_WORDS_MAX);
	struct story_act a = { .line = line, .within = hf_ms(2000) };
	bool expects, timed;

	if (n == 0)
		return true;
	if (n < 0)
		return fail(s, line, "too many words, or a quote left open");
	expects = strcmp(word[0], "expect") == 0;
	timed = expects && n > 2 && strcmp(word[n - 2], "within") == 0;
	if (timed) {
		if (!story_span(word[n - 1], &a.within))
			return fail(
			    s, line, "within what? \"%s\"", word[n - 1]);
		n -= 2;
	}
	for (size_t i = 0; i < HF_LEN(grammar); i++) {
		if (!matches(grammar[i].pattern, word, (unsigned)n, &a))
			continue;
		if (s->acts == STORY_ACTS_MAX)
			return fail(s, line, "the story is too long");
		if (timed && story_is_never(grammar[i].verb))
			return fail(s, line, "never has no end");
		a.verb = grammar[i].verb;
		s->act[s->acts++] = a;
		return true;
	}
	return fail(
	    s, line, "no such act: %s %s ...", word[0], n > 1 ? word[1] : "");
}

static bool
heading(struct story *s)
{
	if (s->acts == 0 || s->act[0].verb != STORY_STORY)
		return fail(s, 1, "a story begins with: story \"title\"");
	s->title = s->act[0].word[0];
	for (unsigned i = 0; i < s->acts; i++) {
		const struct story_act *a = &s->act[i];

		if (a->verb == STORY_ONLY_SIM)
			s->only_sim = true;
		else if (a->verb == STORY_ONLY_LIVE)
			s->only_live = true;
		else if (a->verb == STORY_SWEEP)
			s->sweep = a->word[0];
	}
	if (s->sweep != NULL)
		s->only_sim = true;
	return true;
}

bool
story_parse(struct story *s, const char *text, size_t n)
{
	unsigned line = 0;

	s->acts = 0;
	s->title = s->sweep = NULL;
	s->only_sim = s->only_live = false;
	s->error[0] = '\0';
	if (n >= sizeof(s->text) || memchr(text, '\0', n) != NULL)
		return fail(s, 0, "too long, or not a text");
	memcpy(s->text, text, n);
	s->text[n] = '\0';
	for (char *p = s->text, *end; p != NULL; p = end) {
		end = strchr(p, '\n');
		if (end != NULL)
			*end++ = '\0';
		if (!parse_line(s, p, ++line))
			return false;
	}
	return heading(s);
}

bool
story_load(struct story *s, const char *path)
{
	static char text[STORY_TEXT_MAX];
	FILE *f = fopen(path, "r");
	size_t n;

	if (f == NULL)
		return fail(s, 0, "cannot open %s", path);
	n = fread(text, 1, sizeof(text), f);
	fclose(f);
	return story_parse(s, text, n);
}

bool
story_is_house(enum story_verb v)
{
	return v <= STORY_LADDER_OF;
}

bool
story_is_expectation(enum story_verb v)
{
	return v >= STORY_HEARS;
}

bool
story_is_never(enum story_verb v)
{
	return v == STORY_NEVER_HEARS || v == STORY_NEVER_RINGS ||
	       v == STORY_NEVER_CALLED || v == STORY_NEVER_CALLED_WITH ||
	       v == STORY_NEVER_ANSWERED || v == STORY_NEVER_REINVITED ||
	       v == STORY_NEVER_LET_GO || v == STORY_JOURNAL_NEVER;
}

const char *
story_verb_pattern(enum story_verb v)
{
	for (size_t i = 0; i < HF_LEN(grammar); i++) {
		if (grammar[i].verb == v)
			return grammar[i].pattern;
	}
	hf_never("a verb without a pattern");
}
