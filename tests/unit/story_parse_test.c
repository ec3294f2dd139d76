/* tests/lib/story_parse: what the writer of a story can rely on. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "lib/story_parse.h"

static struct story s;

static bool
parse(const char *text)
{
	return story_parse(&s, text, strlen(text));
}

static void
each_line_becomes_one_act_with_its_values(void **state)
{
	(void)state;
	assert_true(parse("story \"a title, with a comma\"\n"
			  "  bot cloud-a says \"How can I help?\" # a remark\n"
			  "\n"
			  "  agent anna at lyon, ready, serves sales, parts\n"
			  "  carol calls +33400000000\n"
			  "  expect carol hears comfort within 90ms\n"
			  "  expect journal says call_rescued why=mute\n"
			  "  cloud-a hangs up with 503\n"));
	assert_string_equal(s.title, "a title, with a comma");
	assert_int_equal(s.acts, 7);
	assert_int_equal(s.act[1].verb, STORY_BOT);
	assert_string_equal(s.act[1].word[1], "How can I help?");
	assert_int_equal(s.act[2].verb, STORY_AGENT);
	assert_int_equal(s.act[2].words, 6);
	assert_string_equal(s.act[2].word[5], "parts");
	assert_int_equal(s.act[3].line, 5);
	assert_int_equal(s.act[4].verb, STORY_HEARS);
	assert_int_equal(s.act[4].within.us, 90000);
	assert_int_equal(s.act[5].verb, STORY_JOURNAL);
	assert_int_equal(s.act[5].within.us, 2000000);
	assert_int_equal(s.act[6].number, 503);
}

static void
an_optional_word_may_be_left_out(void **state)
{
	(void)state;
	assert_true(parse("story t\nbot a\nanna declines\nanna declines 603"));
	assert_int_equal(s.act[1].words, 1);
	assert_int_equal(s.act[2].words, 1);
	assert_int_equal(s.act[3].number, 603);
}

static void
a_wrong_line_is_named(void **state)
{
	/* clang-format off */
	static const struct { const char *text, *error; } odd[] = {
		{ "bot a", "line 1: a story begins" },
		{ "story t\n\ncarol dances", "line 3: no such act: carol dances" },
		{ "story t\nbot \"a", "line 2: too many words" },
		{ "story t\nafter 3 bananas", "line 2: no such act" },
		{ "story t\nexpect a rings within 3", "line 2: within what" },
		{ "story t\nexpect a never rings within 3s", "line 2: never has" },
		{ "story t\nbot Cloud", "line 2: no such act" },
	};
	/* clang-format on */
	(void)state;
	for (size_t i = 0; i < HF_LEN(odd); i++) {
		assert_false(parse(odd[i].text));
		if (strstr(s.error, odd[i].error) == NULL)
			fail_msg("%s: %s", odd[i].text, s.error);
	}
}

static void
every_verb_has_a_pattern_that_it_understands(void **state)
{
	char text[200];

	(void)state;
	for (int v = STORY_ONLY_SIM; v < STORY_VERBS; v++) {
		const char *from = story_verb_pattern((enum story_verb)v);
		char *to = text + sprintf(text, "story t\n");

		while (*from != '\0') {
			static const char *const value[][2] = {
				{ "NAME", "x" },
				{ "TEXT", "x" },
				{ "CODE", "500" },
				{ "REST", "x y" },
				{ "SPAN", "3s" },
				{ "N ", "7 " },
			};
			size_t i = 0;

			while (
			    i < HF_LEN(value) && strncmp(from, value[i][0],
						     strlen(value[i][0])) != 0)
				i++;
			if (i < HF_LEN(value)) {
				to += sprintf(to, "%s", value[i][1]);
				from += strlen(value[i][0]);
			} else if (*from == 'N' && from[1] == '\0') {
				*to++ = '7';
				from++;
			} else if (*from == '[' || *from == ']') {
				from++;
			} else {
				*to++ = *from++;
			}
		}
		*to = '\0';
		if (!parse(text))
			fail_msg("%s: %s", text, s.error);
		assert_int_equal(s.act[1].verb, v);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_becomes_one_act_with_its_values),
		cmocka_unit_test(an_optional_word_may_be_left_out),
		cmocka_unit_test(a_wrong_line_is_named),
		cmocka_unit_test(every_verb_has_a_pattern_that_it_understands),
	};

	return cmocka_run_group_tests_name(
	    "tests/lib/story_parse", tests, NULL, NULL);
}
