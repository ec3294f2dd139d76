/* io/sip/registrar: RFC 3261 10.3, told as phones do it. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/check.h"
#include "io/sip/registrar.h"

enum { ANNA, BOB, PEOPLE };

static struct sip_binding memory[PEOPLE][SIP_BINDINGS_MAX];
static struct sip_registrar r;
static struct sip_register_from from;
static struct hf_time now;

static int
setup(void **state)
{
	(void)state;
	memset(memory, 0, sizeof(memory));
	now.us = 1000000000;
	sip_registrar_init(&r, memory, PEOPLE, (struct hf_span){ 60000000 },
	    (struct hf_span){ 3600000000 });
	from = (struct sip_register_from){ .transport = 0 };
	assert_true(
	    hf_addr_parse(HF_SLICE("203.0.113.5:4321"), &from.received));
	return 0;
}

/* A REGISTER with this CSeq, Call-ID and these lines. */
static struct sip_registered
register_as(
    uint32_t person, unsigned cseq, const char *call_id, const char *lines)
{
	static struct sip_msg m;
	static char text[2048];

	snprintf(text, sizeof(text),
	    "REGISTER sip:h SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1\r\n"
	    "From: <sip:anna@h>;tag=1\r\nTo: <sip:anna@h>\r\nCall-ID: %s\r\n"
	    "CSeq: %u REGISTER\r\n%s\r\n",
	    call_id, cseq, lines);
	assert_int_equal(sip_parse(hf_slice_of(text), &m).parsed, SIP_GOOD);
	return sip_register(&r, person, &m, &from, now);
}

static const char *
contacts(uint32_t person)
{
	static char text[2048];
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);
	struct sip_registered ok = { .status = 200 };

	sip_registrar_put(&r, person, &ok, &b, now);
	text[b.n] = '\0';
	return text;
}

static void
a_phone_comes_stays_and_goes(void **state)
{
	struct sip_registered how;
	const struct sip_binding *b;

	(void)state;
	how = register_as(ANNA, 1, "c",
	    "Contact: <sip:anna@10.0.0.1:5062;ob>;expires=300\r\n");
	assert_int_equal(how.status, 200);
	assert_true(how.came && !how.went && how.there && how.anew);
	assert_string_equal(contacts(ANNA),
	    "Contact: <sip:anna@10.0.0.1:5062;ob>;expires=300\r\n");
	/* He is reached where he spoke from. */
	b = sip_bindings(&r, ANNA, 0, now);
	assert_non_null(b);
	assert_true(hf_addr_eq(&b->received, &from.received));
	assert_null(sip_bindings(&r, ANNA, 1, now));
	assert_null(sip_bindings(&r, BOB, 0, now));

	now.us += 200000001;
	assert_string_equal(contacts(ANNA),
	    "Contact: <sip:anna@10.0.0.1:5062;ob>;expires=100\r\n");
	how = register_as(
	    ANNA, 2, "c", "Contact: <sip:anna@10.0.0.1:5062;ob>\r\n");
	assert_true(!how.came && !how.went && how.there && !how.anew);
	assert_string_equal(contacts(ANNA),
	    "Contact: <sip:anna@10.0.0.1:5062;ob>;expires=3600\r\n");
	/* It has started again, from where it was or from elsewhere. */
	how = register_as(
	    ANNA, 1, "d", "Contact: <sip:anna@10.0.0.1:5062;ob>\r\n");
	assert_true(!how.came && how.there && how.anew);
	how = register_as(ANNA, 2, "d",
	    "Contact: <sip:anna@10.0.0.1:5062;ob>\r\n"
	    "Contact: <sip:anna@10.0.0.1:5064>;expires=100\r\n");
	assert_true(!how.came && how.there && how.anew);
	how = register_as(
	    ANNA, 3, "d", "Contact: <sip:anna@10.0.0.1:5064>;expires=0\r\n");
	assert_true(!how.came && !how.went && !how.there);
	how = register_as(ANNA, 4, "d",
	    "Contact: <sip:anna@10.0.0.1:5062;ob>\r\nExpires: 0\r\n");
	assert_true(!how.came && how.went);
	assert_string_equal(contacts(ANNA), "");
}

static void
asking_changes_nothing(void **state)
{
	(void)state;
	register_as(ANNA, 1, "c", "Contact: <sip:a@h>\r\n");
	assert_int_equal(register_as(ANNA, 2, "c", "").status, 200);
	assert_string_equal(
	    contacts(ANNA), "Contact: <sip:a@h>;expires=3600\r\n");
}

static void
times_are_kept_between_least_and_most(void **state)
{
	static const struct {
		const char *lines;
		uint16_t status;
		const char *got;
	} rows[] = {
		{ "Contact: <sip:a@h>;expires=59\r\n", 423, "" },
		{ "Contact: <sip:a@h>;expires=60\r\n", 200, "expires=60\r\n" },
		{ "Contact: <sip:a@h>;expires=99999\r\n", 200,
		    "expires=3600\r\n" },
		{ "Contact: <sip:a@h>;expires=99999999999999999\r\n", 200,
		    "expires=3600\r\n" },
		{ "Contact: <sip:a@h>;expires=banana\r\n", 200,
		    "expires=3600\r\n" },
		{ "Contact: <sip:a@h>\r\nExpires: 120\r\n", 200,
		    "expires=120\r\n" },
		{ "Contact: <sip:a@h>;expires=90\r\nExpires: 120\r\n", 200,
		    "expires=90\r\n" },
		{ "Contact: <sip:a@h>\r\nExpires: -1\r\n", 200,
		    "expires=3600\r\n" },
		{ "Contact: <sip:a@h>;q=0.25;expires=90\r\n", 200,
		    "expires=90;q=0.250\r\n" },
		{ "Contact: sip:a@h;expires=90\r\n", 200, "expires=90\r\n" },
		{ "Contact: <isbn:2983792873>\r\n", 400, "" },
		{ "Contact: *\r\n", 400, "" },
		{ "Contact: *\r\nExpires: 60\r\n", 400, "" },
		{ "Contact: *, <sip:a@h>\r\nExpires: 0\r\n", 400, "" },
		{ "Contact: *\r\nExpires: 0\r\n", 200, "" },
	};

	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct sip_registered how;

		setup(state);
		how = register_as(ANNA, 1, "c", rows[i].lines);
		if (how.status != rows[i].status ||
		    strstr(contacts(ANNA), rows[i].got) == NULL ||
		    (rows[i].got[0] == '\0') != (contacts(ANNA)[0] == '\0'))
			fail_msg(
			    "row %zu: %u %s", i, how.status, contacts(ANNA));
	}
}

static void
a_too_short_time_is_told_the_least(void **state)
{
	char text[128];
	struct hf_buf b = hf_buf_on(text, sizeof(text));
	struct sip_registered how =
	    register_as(ANNA, 1, "c", "Contact: <sip:a@h>;expires=1\r\n");

	(void)state;
	sip_registrar_put(&r, ANNA, &how, &b, now);
	assert_true(
	    hf_slice_eq(hf_buf_taken(&b), HF_SLICE("Min-Expires: 60\r\n")));
}

static void
an_overtaken_register_undoes_nothing(void **state)
{
	(void)state;
	register_as(ANNA, 5, "c", "Contact: <sip:a@h>\r\n");
	assert_int_equal(
	    register_as(ANNA, 5, "c", "Contact: <sip:a@h>;expires=0\r\n")
		.status,
	    500);
	assert_int_equal(
	    register_as(ANNA, 4, "c", "Contact: *\r\nExpires: 0\r\n").status,
	    500);
	assert_non_null(sip_bindings(&r, ANNA, 0, now));
	/* Another Call-ID: the phone was restarted, its word counts. */
	assert_int_equal(
	    register_as(ANNA, 1, "d", "Contact: <sip:a@h>;expires=0\r\n")
		.status,
	    200);
	assert_null(sip_bindings(&r, ANNA, 0, now));
}

/* Its phone has not come back for us, whatever else it named. */
static void
of_a_refused_request_nothing_came(void **state)
{
	static const char *const lines[] = {
		"Contact: <sip:a@h>\r\nContact: <isbn:2983792873>\r\n",
		"Contact: <sip:a@h>\r\nContact: <sip:b@h>;expires=1\r\n",
		"Contact: <sip:a@h>;expires=1\r\n",
	};

	(void)state;
	for (unsigned i = 0; i < HF_LEN(lines); i++) {
		struct sip_registered how =
		    register_as(ANNA, i + 1, "c", lines[i]);

		assert_int_not_equal(how.status, 200);
		assert_false(how.came || how.went || how.there || how.anew);
		assert_null(sip_bindings(&r, ANNA, 0, now));
	}
}

static void
all_contacts_of_a_request_or_none(void **state)
{
	(void)state;
	register_as(ANNA, 1, "c", "Contact: <sip:a@h>\r\n");
	assert_int_equal(
	    register_as(ANNA, 2, "c",
		"Contact: <sip:a@h>;expires=0, <sip:b@h>;expires=5\r\n")
		.status,
	    423);
	assert_string_equal(
	    contacts(ANNA), "Contact: <sip:a@h>;expires=3600\r\n");
}

static void
the_same_address_in_another_spelling_is_one_binding(void **state)
{
	(void)state;
	register_as(ANNA, 1, "c", "Contact: <sip:%61@H.example>\r\n");
	register_as(ANNA, 2, "c", "Contact: <sip:a@h.EXAMPLE>\r\n");
	assert_non_null(sip_bindings(&r, ANNA, 0, now));
	assert_null(sip_bindings(&r, ANNA, 1, now));
}

static void
the_best_comes_first(void **state)
{
	(void)state;
	register_as(ANNA, 1, "c", "Contact: <sip:old@h>\r\n");
	now.us += 1000;
	register_as(ANNA, 2, "c", "Contact: <sip:young@h>\r\n");
	now.us += 1000;
	register_as(ANNA, 3, "c", "Contact: <sip:low@h>;q=0.1\r\n");
	assert_string_equal(
	    sip_bindings(&r, ANNA, 0, now)->contact, "sip:young@h");
	assert_string_equal(
	    sip_bindings(&r, ANNA, 1, now)->contact, "sip:old@h");
	assert_string_equal(
	    sip_bindings(&r, ANNA, 2, now)->contact, "sip:low@h");
	assert_null(sip_bindings(&r, ANNA, 3, now));
}

static void
phones_that_restart_do_not_lock_themselves_out(void **state)
{
	char line[64], id[32];

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		snprintf(
		    line, sizeof(line), "Contact: <sip:a@h:%u>\r\n", 5000 + i);
		now.us += 1000;
		snprintf(id, sizeof(id), "after-restart-%u", i);
		assert_int_equal(register_as(ANNA, 1, id, line).status, 200);
	}
	assert_string_equal(
	    sip_bindings(&r, ANNA, 0, now)->contact, "sip:a@h:5009");
	assert_int_equal(
	    register_as(BOB, 1, "c",
		"Contact: <sip:1@h>, <sip:2@h>, <sip:3@h>, <sip:4@h>, "
		"<sip:5@h>\r\n")
		.status,
	    403);
	assert_null(sip_bindings(&r, BOB, 0, now));
}

static void
what_is_over_is_not_rung(void **state)
{
	(void)state;
	assert_int_equal(sip_registrar_next(&r, ANNA).us, INT64_MAX);
	register_as(ANNA, 1, "c", "Contact: <sip:a@h>;expires=60\r\n");
	register_as(ANNA, 2, "c", "Contact: <sip:b@h>;expires=90\r\n");
	assert_int_equal(sip_registrar_next(&r, ANNA).us, now.us + 60000000);
	now.us += 60000000;
	assert_string_equal(sip_bindings(&r, ANNA, 0, now)->contact, "sip:b@h");
	assert_null(sip_bindings(&r, ANNA, 1, now));
	assert_false(sip_registrar_expire(&r, ANNA, now));
	now.us += 30000000;
	assert_true(sip_registrar_expire(&r, ANNA, now));
	assert_false(sip_registrar_expire(&r, ANNA, now));
	/* And who comes again has come. */
	assert_true(register_as(ANNA, 3, "c", "Contact: <sip:b@h>\r\n").came);
}

static void
a_broken_stream_takes_its_bindings_along(void **state)
{
	(void)state;
	from.connection = 7;
	register_as(ANNA, 1, "c", "Contact: <sip:a@h;transport=tcp>\r\n");
	from.connection = 0;
	register_as(ANNA, 1, "d", "Contact: <sip:b@h>\r\n");
	assert_false(sip_registrar_hangup(&r, ANNA, 8));
	assert_false(sip_registrar_hangup(&r, ANNA, 7));
	assert_null(sip_bindings(&r, ANNA, 1, now));
	from.connection = 9;
	register_as(BOB, 1, "c", "Contact: <sip:a@h;transport=tcp>\r\n");
	assert_true(sip_registrar_hangup(&r, BOB, 9));
}

static void
nothing_is_left_of_who_is_let_go(void **state)
{
	(void)state;
	register_as(ANNA, 1, "c", "Contact: <sip:a@h>\r\n");
	register_as(ANNA, 1, "d", "Contact: <sip:b@h>\r\n");
	register_as(BOB, 1, "e", "Contact: <sip:c@h>\r\n");
	assert_true(sip_registrar_clear(&r, ANNA));
	assert_false(sip_registrar_clear(&r, ANNA));
	assert_null(sip_bindings(&r, ANNA, 0, now));
	assert_non_null(sip_bindings(&r, BOB, 0, now));
	assert_int_equal(sip_registrar_next(&r, ANNA).us, INT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_phone_comes_stays_and_goes, setup),
		cmocka_unit_test_setup(asking_changes_nothing, setup),
		cmocka_unit_test_setup(
		    times_are_kept_between_least_and_most, setup),
		cmocka_unit_test_setup(
		    a_too_short_time_is_told_the_least, setup),
		cmocka_unit_test_setup(
		    an_overtaken_register_undoes_nothing, setup),
		cmocka_unit_test_setup(
		    all_contacts_of_a_request_or_none, setup),
		cmocka_unit_test_setup(
		    the_same_address_in_another_spelling_is_one_binding, setup),
		cmocka_unit_test_setup(
		    of_a_refused_request_nothing_came, setup),
		cmocka_unit_test_setup(the_best_comes_first, setup),
		cmocka_unit_test_setup(
		    phones_that_restart_do_not_lock_themselves_out, setup),
		cmocka_unit_test_setup(what_is_over_is_not_rung, setup),
		cmocka_unit_test_setup(
		    a_broken_stream_takes_its_bindings_along, setup),
		cmocka_unit_test_setup(nothing_is_left_of_who_is_let_go, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
