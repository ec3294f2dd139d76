/* What goes to support, and what of it does not. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/mask.h"

static struct mask m;

static int
learn(void **state)
{
	static const char *const words[] = { "anna", "john.doe", "201", "100",
		"+33400000000", "mary-ann", "*", ".", "x" };

	(void)state;
	if (!mask_open(&m))
		return -1;
	for (size_t i = 0; i < HF_LEN(words); i++)
		mask_learn(&m, hf_slice_of(words[i]));
	strcpy(m.site, "lyon");
	return 0;
}

static int
forget(void **state)
{
	(void)state;
	mask_close(&m);
	return 0;
}

/* Each tag becomes "~". */
static const char *
masked(const char *text)
{
	static char *memory;
	size_t size;
	char *to;
	FILE *f;

	free(memory);
	f = open_memstream(&memory, &size);
	mask_put(&m, f, hf_slice_of(text));
	fclose(f);
	to = memory;
	for (const char *from = memory; *from != '\0'; from++) {
		*to++ = *from;
		if (*from == '~' && strspn(from + 1, "0123456789abcdef") >= 6)
			from += 6;
	}
	*to = '\0';
	return memory;
}

static void
nobody_is_named(void **state)
{
	static const struct {
		const char *in, *out;
	} row[] = {
		{ "agent=anna state=available", "agent=~ state=available" },
		{ "agents.anna.queues", "agents.~.queues" },
		{ "with agent:Anna.", "with agent:~." },
		{ "savanna annas", "savanna annas" },
		{ "agents.john.doe.extension", "agents.~.extension" },
		{ "to=mary-ann", "to=~" },
		{ "number:201 201", "number:~ ~" },
		{ "after_ms=201 code=201", "after_ms=201 code=~" },
		{ "sip:+33400000000@x.example", "sip:~@~" },
		{ "sip:anna@[2001:db8::17]:5060", "sip:~@[~]:5060" },
		{ "peer=192.0.2.7:50600", "peer=~:50600" },
		{ "from:155501234", "from:~" },
		{ "peers [192.0.2.0/24]", "peers [~/24]" },
		{ "listen=udp:0.0.0.0:5060", "listen=udp:0.0.0.0:5060" },
		{ "at 09:06:18.734", "at 09:06:18.734" },
		{ "2026-11-22T09:06:18.734Z hf-sip", "2026-11-22T09:06:18.734Z "
						     "hf-sip" },
		{ "number 0155501234 calls", "number ~ calls" },
		{ "pid=123456 bytes=1048576", "pid=123456 bytes=1048576" },
		{ "what=123456", "what=~" },
		{ "call=lyon-1795167600-12", "call=lyon-1795167600-12" },
		{ "call=other-1795167600-12", "call=other-~-12" },
		{ "leg=9223372036854775810", "leg=9223372036854775810" },
		{ "a.b-c_d 1 22 333 4444", "a.b-c_d 1 22 333 4444" },
		{ "x . *", "x . *" },
		{ "", "" },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(row); i++)
		assert_string_equal(masked(row[i].in), row[i].out);
}

static void
the_same_word_has_the_same_tag(void **state)
{
	char *text;
	size_t size;
	FILE *f = open_memstream(&text, &size);

	(void)state;
	mask_put(&m, f, hf_slice_of("anna ANNA 201"));
	fclose(f);
	assert_int_equal(size, 3 * 7 + 2);
	assert_memory_equal(text, text + 8, 7);
	assert_memory_not_equal(text, text + 16, 7);
	free(text);
}

static void
another_bundle_has_other_tags(void **state)
{
	struct mask other;
	char *text[2];
	size_t size;

	(void)state;
	assert_true(mask_open(&other));
	for (int i = 0; i < 2; i++) {
		FILE *f = open_memstream(&text[i], &size);

		mask_put_tag(i == 0 ? &m : &other, f, HF_SLICE("anna"));
		fclose(f);
	}
	assert_string_not_equal(text[0], text[1]);
	mask_close(&other);
	free(text[0]);
	free(text[1]);
}

static void
what_cannot_be_learned_is_known(void **state)
{
	struct mask one;
	char word[16];

	(void)state;
	assert_true(mask_open(&one));
	for (unsigned i = 0; i <= MASK_WORDS; i++) {
		snprintf(word, sizeof(word), "w%u", i);
		mask_learn(&one, hf_slice_of(word));
	}
	assert_true(one.full);
	mask_close(&one);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_is_named),
		cmocka_unit_test(the_same_word_has_the_same_tag),
		cmocka_unit_test(another_bundle_has_other_tags),
		cmocka_unit_test(what_cannot_be_learned_is_known),
	};

	return cmocka_run_group_tests(tests, learn, forget);
}
