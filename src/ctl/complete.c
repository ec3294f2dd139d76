/*
 * ctl/complete - candidates for the shell: verbs, options and the names that
 * the house knows right now.  A house that does not answer at once completes
 * nothing; the prompt must not hang.
 */

#include <string.h>

#include "ctl/ctl.h"

enum { PATIENCE_MS = 400 };

static void
put_if(const char *word, size_t n, const char *typed)
{
	size_t len = strlen(typed);

	if (n >= len && memcmp(word, typed, len) == 0)
		printf("%.*s\n", (int)n, word);
}

static void
put_words(const char *words, const char *typed)
{
	while (*words != '\0') {
		size_t n = strcspn(words, " ");

		put_if(words, n, typed);
		words += n + strspn(words + n, " ");
	}
}

static void
put_names(struct ctl *c, const char *verb, const char *const *word,
    unsigned int words, const char *column, const char *typed)
{
	struct rows r;
	char name[128];

	c->timeout = hf_ms(PATIENCE_MS);
	if (link_ask(c, verb, word, words, &r) == CTL_DONE)
		for (size_t i = 0; i < r.n; i++) {
			row_str(r.row[i], column, name, sizeof(name));
			/* Only what a shell takes as it is. */
			if (name[strspn(name, "abcdefghijklmnopqrstuvwxyz"
					      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789+-._/")] == '\0')
				put_if(name, strlen(name), typed);
		}
	rows_free(&r);
}

static void
put_numbers(struct ctl *c, const char *typed)
{
	static const char family[] = "numbers.";
	char key[256];
	struct rows r;

	c->timeout = hf_ms(PATIENCE_MS);
	if (link_ask(c, "config", NULL, 0, &r) == CTL_DONE)
		for (size_t i = 0; i < r.n; i++) {
			row_str(r.row[i], "key", key, sizeof(key));
			if (strncmp(key, family, strlen(family)) == 0)
				put_if(key + strlen(family),
				    strlen(key) - strlen(family), typed);
		}
	rows_free(&r);
}

static void
put_kind(struct ctl *c, enum complete_kind kind, const char *words,
    const char *typed)
{
	static const char *const recent[] = { "limit", "20" };

	switch (kind) {
	case COMPLETE_NOTHING:
		return;
	case COMPLETE_WORDS:
		put_words(words, typed);
		return;
	case COMPLETE_CALL:
		put_names(c, "calls", NULL, 0, "id", typed);
		put_names(c, "past", recent, 2, "id", typed);
		return;
	case COMPLETE_AGENT:
		put_names(c, "agents", NULL, 0, "name", typed);
		return;
	case COMPLETE_HELPER:
		put_names(c, "helpers", NULL, 0, "name", typed);
		return;
	case COMPLETE_BOX:
		put_names(c, "messages", NULL, 0, "box", typed);
		return;
	case COMPLETE_NUMBER:
		put_numbers(c, typed);
		return;
	}
}

int
complete_run(struct ctl *c, int argc, char **argv)
{
	const char *typed = argc > 0 ? argv[argc - 1] : "";
	const struct ctl_verb *v = argc > 1 ? verb_find(argv[0]) : NULL;

	if (argc <= 1) {
		for (size_t i = 0; i < ctl_verbs_nr; i++)
			put_if(ctl_verbs[i].name, strlen(ctl_verbs[i].name),
			    typed);
		put_words("-c --json --socket --timeout --help --version", typed);
		return CTL_DONE;
	}
	if (v == NULL)
		return CTL_DONE;
	if (typed[0] == '-') {
		put_words(v->options, typed);
		put_words("-c --json --socket --timeout", typed);
	} else if ((size_t)argc - 2 < HF_LEN(v->complete)) {
		put_kind(c, v->complete[argc - 2].kind,
		    v->complete[argc - 2].words, typed);
	}
	return CTL_DONE;
}
