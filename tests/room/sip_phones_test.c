/* hf-sip as a process: who its agents' phones are, and that it is they. */

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "proc/snapshot.h"
#include "tests/room/sip_room.h"

static void
a_stranger_is_asked_who_he_is_and_may_ask_whether_we_live(void **state)
{
	struct ua_call *c = ua_invite(stranger, house_at, "100");
	const struct ua_note *n = noted(c, UA_REFUSED);

	assert_non_null(n);
	assert_int_equal(n->code, 401);
	n = noted(ua_options(stranger, house_at), UA_OPTIONED);
	assert_non_null(n);
	assert_int_equal(n->code, 200);
}

/* What a phone that calls itself so is asked when it registers. */
static const char *
asked_of(const char *user_agent)
{
	char at[HF_ADDR_TEXT_MAX], text[1024];
	int fd = own_socket(stranger->ip, at);
	const char *answer;

	snprintf(text, sizeof(text),
	    "REGISTER sip:lyon SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP %s;branch=z9hG4bK-%s\r\n"
	    "From: <sip:anna@lyon>;tag=1\r\nTo: <sip:anna@lyon>\r\n"
	    "Call-ID: %s\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
	    "Contact: <sip:anna@%s>\r\nUser-Agent: %s\r\n"
	    "Content-Length: 0\r\n\r\n",
	    at, at, at, at, user_agent);
	say(fd, text);
	answer = comes(fd, "SIP/2.0 401 ");
	close(fd);
	return answer;
}

static void
only_a_phone_that_would_give_up_is_asked_for_md5_alone(void **state)
{
	const char *answer = asked_of("Old Phone 1.7 (a comment)");

	assert_non_null(strstr(answer, "algorithm=MD5"));
	assert_null(strstr(answer, "algorithm=SHA-256"));
	answer = asked_of("Old Phone 2.0");
	assert_non_null(strstr(answer, "algorithm=SHA-256"));
	assert_true(strstr(answer, "algorithm=SHA-256") <
		    strstr(answer, "algorithm=MD5"));
}

static void
an_unknown_name_and_a_wrong_password_look_the_same(void **state)
{
	const struct ua_note *n;

	assert_int_equal(registers(anna, "wrong"), 403);
	strcpy(anna->user, "nobody");
	n = noted(ua_register(anna, house_at, 60), UA_REGISTERED);
	assert_non_null(n);
	assert_int_equal(n->code, 403);
}

static void
who_guesses_is_not_listened_to_for_a_while(void **state)
{
	struct msg m;

	for (int i = 0; i < GUESSES - 1; i++)
		assert_int_equal(registers(anna, "wrong"), 403);
	assert_int_equal(registers(anna, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	assert_int_equal(registers(anna, "wrong"), 403);
	/* He cannot tell that this one was right. */
	assert_int_equal(registers(anna, "correct horse"), 403);
}

static void
an_agent_comes_is_rung_calls_and_goes(void **state)
{
	struct ua_call *c;
	struct msg m;

	/* Behind NAT: what she says of herself leads nowhere. */
	strcpy(anna->manner.nat_ip, "10.9.9.9");
	assert_int_equal(registers(anna, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	ring(OURS | 9, TO_AGENT);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_int_equal(m.leg_answered.media.latch, LATCH_HOST);
	drop(OURS | 9);
	assert_non_null(noted(anna->calls, UA_BYE));
	c = ua_invite(anna, house_at, "*1");
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_int_equal(m.leg_arrived.agent, 0);
	assert_int_equal(m.leg_arrived.trunk, CONF_NONE);
	assert_string_equal(m.leg_arrived.from, "201");
	answer(m.leg_arrived.leg);
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	ua_hang_up(c, NULL);
	assert_true(fact(MSG_LEG_LEFT, &m));
	(void)ua_register(anna, house_at, 0);
	assert_true(fact(MSG_AGENT_WENT, &m));
}

/* Longer than the connection may be idle, and than any may be. */
enum { SILENCE = 5000 };

static void
a_phone_registered_over_tcp_may_be_silent(void **state)
{
	struct ua_call *c;
	struct msg m;

	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	assert_false(ua_run(world, SILENCE, NULL, NULL));
	assert_false(room_hears(ROOM_CALL, MSG_AGENT_WENT, &m, NULL, 0));
	ring(OURS | 9, TO_AGENT);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	drop(OURS | 9);
	c = wired->calls;
	assert_non_null(noted(c, UA_BYE));
	/* Signed off, and still silent: the connection may go now. */
	(void)ua_register(wired, house_at, 0);
	assert_true(fact(MSG_AGENT_WENT, &m));
}

static void
a_new_password_ends_what_the_old_one_began(void **state)
{
	struct msg m = { .type = MSG_SECRETS }, f;

	assert_int_equal(registers(anna, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &f));
	strcpy(secrets.agent[0], "battery staple");
	room_tell_fd(ROOM_KEEPER, &m,
	    snapshot_make("secrets", &secrets, sizeof(secrets)));
	assert_true(fact(MSG_AGENT_WENT, &f));
	assert_int_equal(f.agent_went.agent, 0);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sip_room_usual, sip_room_over)
	const struct CMUnitTest tests[] = {
		T(a_stranger_is_asked_who_he_is_and_may_ask_whether_we_live),
		T(only_a_phone_that_would_give_up_is_asked_for_md5_alone),
		T(an_unknown_name_and_a_wrong_password_look_the_same),
		T(who_guesses_is_not_listened_to_for_a_while),
		T(an_agent_comes_is_rung_calls_and_goes),
		T(a_phone_registered_over_tcp_may_be_silent),
		T(a_new_password_ends_what_the_old_one_began),
	};
#undef T

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip phones", tests, NULL, NULL);
}
