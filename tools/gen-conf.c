/*
 * gen-conf - what is made of the key table: holdfast.conf(5), from its
 * template and the example, and the fuzzer's words.  The page cannot fall
 * behind the schema.
 *
 *      gen-conf man TEMPLATE EXAMPLE > holdfast.conf.5
 *      gen-conf dict > conf.dict
 */

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "conf/keys.h"

enum { LINE_WIDTH = 76 };

/* mdoc: a line for each sentence, none too long, none that begins like a
 * request. */
static void
put_text(const char *s)
{
	size_t at = 0;

	while (*s != '\0') {
		size_t n = strcspn(s, " ");
		bool end = n > 0 && strchr(".?!", s[n - 1]) != NULL &&
			   (n < 3 || s[n - 2] != '.') && s[n] == ' ' &&
			   isupper((unsigned char)s[n + 1]);

		if (at > 0 && at + 1 + n > LINE_WIDTH) {
			putchar('\n');
			at = 0;
		}
		if (at > 0)
			at += (size_t)printf(" ");
		else if (*s == '.' || *s == '\'')
			at += (size_t)printf("\\&");
		for (size_t i = 0; i < n; i++)
			at += (size_t)printf(s[i] == '\\' ? "\\e" : "%c", s[i]);
		s += n + strspn(s + n, " ");
		if (end) {
			putchar('\n');
			at = 0;
		}
	}
	if (at > 0)
		putchar('\n');
}

static const char *
argument(const struct conf_key *k)
{
	static const char *const name[CONF_T_NR] = {
		[CONF_T_NAME] = "name",
		[CONF_T_TEXT] = "text",
		[CONF_T_PATH] = "path",
		[CONF_T_DIALLED] = "number",
		[CONF_T_PATTERN] = "number",
		[CONF_T_SPAN] = "span",
		[CONF_T_COUNT] = "count",
		[CONF_T_PERCENT] = "percent",
		[CONF_T_BYTES] = "size",
		[CONF_T_BOOL] = "yes | no",
		[CONF_T_CHOICE] = "word",
		[CONF_T_IP] = "address",
		[CONF_T_SERVER] = "address:port",
		[CONF_T_LISTEN] = "transport:address:port",
		[CONF_T_TARGET] = "uri",
		[CONF_T_NET] = "network",
		[CONF_T_PORTS] = "first-last",
		[CONF_T_REF] = "name",
		[CONF_T_SECRET] = "path",
		[CONF_T_RUNGS] = "rung",
	};

	return name[k->type];
}

static void
put_range(const struct conf_key *k)
{
	char text[64];
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);
	struct hf_span span[2] = { { k->min }, { k->max } };
	uint32_t count[2] = { (uint32_t)k->min, (uint32_t)k->max };
	struct conf_key one = *k;

	if (k->type != CONF_T_SPAN && k->type != CONF_T_COUNT &&
	    k->type != CONF_T_PERCENT && k->type != CONF_T_BYTES)
		return;
	one.size = sizeof(count[0]);
	for (int i = 0; i < 2; i++) {
		hf_buf_str(&b, i == 0 ? "" : " to ");
		conf_value_put(&one,
		    k->type == CONF_T_SPAN ? (void *)&span[i]
					   : (void *)&count[i],
		    NULL, &b);
	}
	text[b.n] = '\0';
	printf("From %s.\n", text);
}

static void
put_default(const struct conf_key *k)
{
	if (k->required)
		printf("Required.\n");
	else if (k->def_said != NULL)
		printf("Default: %s.\n", k->def_said);
	else if (k->def == NULL || *k->def == '\0')
		printf("Default: none.\n");
	else
		printf("Default:\n.Ql %s%s .\n",
		    strchr(".'", *k->def) != NULL ? "\\&" : "", k->def);
}

static void
put_key(const struct conf_key *k)
{
	if (k->name[0] != '\0')
		printf(".It Ic %s : ", k->name);
	else
		printf(".It Ar %s : ", conf_scopes[k->in].one);
	if (k->items > 0)
		printf("Oo Ar %s , No ... Oc\n", argument(k));
	else
		printf("Ar %s\n", argument(k));
	put_text(k->help);
	put_range(k);
	if (k->type == CONF_T_CHOICE)
		for (size_t i = 0; k->words[i] != NULL; i++)
			printf("%s.Cm %s%s\n", i == 0 ? "One of\n" : "",
			    k->words[i], k->words[i + 1] != NULL ? " ," : " .");
	put_default(k);
	if (k->restart)
		printf("A change takes a restart.\n");
	if (k->example != NULL)
		printf("Example:\n.Ql %s .\n", k->example);
}

static void
put_keys(enum conf_scope in)
{
	printf(".Bl -tag -width Ds\n");
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->in != in || k->type == CONF_T_FAMILY)
			continue;
		if (k->type != CONF_T_SECTION) {
			put_key(k);
		} else if (in != SCOPE_ROOT) {
			printf(".It Ic %s :\n", k->name);
			put_text(k->help);
		}
	}
	printf(".El\n");
}

static void
put_scope(const struct conf_key *opener)
{
	bool before = false;

	/* Bots, centres and sites have the same keys: told once. */
	for (const struct conf_key *k = conf_keys; k < opener; k++)
		before |= k->type == CONF_T_FAMILY && k->scope == opener->scope;
	if (opener->type == CONF_T_SECTION)
		printf(".Ss %s\n", opener->name);
	else
		printf(".Ss %s.%s\n", opener->name,
		    opener->scope == SCOPE_NUMBER ? "NUMBER" : "NAME");
	put_text(opener->help);
	if (opener->type == CONF_T_FAMILY)
		printf("At most %u.\n", opener->items);
	if (before)
		printf("The keys are those of\n.Sx bots.NAME .\n");
	else
		put_keys(opener->scope);
}

static void
put_all(void)
{
	printf(".Ss The top\n");
	put_keys(SCOPE_ROOT);
	for (size_t i = 0; i < conf_keys_nr; i++)
		if (conf_keys[i].in == SCOPE_ROOT &&
		    (conf_keys[i].type == CONF_T_SECTION ||
			conf_keys[i].type == CONF_T_FAMILY))
			put_scope(&conf_keys[i]);
}

static void
put_literal(FILE *f)
{
	int c, last = '\n';

	while ((c = getc(f)) != EOF) {
		if (last == '\n' && (c == '.' || c == '\''))
			printf("\\&");
		if (c == '\\')
			printf("\\e");
		else
			putchar(c);
		last = c;
	}
}

static int
put_page(const char *template, const char *example)
{
	FILE *page = fopen(template, "r"), *text = fopen(example, "r");
	char line[1024];

	if (page == NULL || text == NULL)
		return EXIT_FAILURE;
	while (fgets(line, sizeof(line), page) != NULL) {
		if (strcmp(line, "@KEYS@\n") == 0)
			put_all();
		else if (strcmp(line, "@EXAMPLE@\n") == 0)
			put_literal(text);
		else
			fputs(line, stdout);
	}
	fclose(page);
	fclose(text);
	return EXIT_SUCCESS;
}

static void
put_word(const char *s)
{
	putchar('"');
	for (; *s != '\0'; s++)
		printf(strchr("\"\\", *s) != NULL ? "\\%c" : "%c", *s);
	printf("\"\n");
}

static void
put_words(void)
{
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];

		if (k->name[0] != '\0')
			put_word(k->name);
		if (k->def != NULL && *k->def != '\0')
			put_word(k->def);
		if (k->example != NULL)
			put_word(k->example);
	}
	for (unsigned int i = 0; i < CONF_RUNG_KINDS; i++)
		put_word(conf_rung_kind_name(i));
}

int
main(int argc, char **argv)
{
	int err = EXIT_SUCCESS;

	if (argc == 2 && strcmp(argv[1], "dict") == 0) {
		put_words();
	} else if (argc == 4 && strcmp(argv[1], "man") == 0) {
		err = put_page(argv[2], argv[3]);
	} else {
		fprintf(stderr, "usage: gen-conf man TEMPLATE EXAMPLE\n"
				"       gen-conf dict\n");
		return EXIT_FAILURE;
	}
	return fflush(stdout) == 0 ? err : EXIT_FAILURE;
}
