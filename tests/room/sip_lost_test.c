/* hf-sip as a process: what was on its way when it died. */

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/room/sip_room.h"

/* ---- a transfer -----------------------------------------------------------
 */

static void
a_transfer_is_asked_for_in_the_next_life(void **state)
{
	struct ua_call *c, *b;
	uint64_t leg = up(&c);
	const struct ua_note *n;
	struct msg m;

	b = ua_current(bot);
	dies_and_is_there_again(2);
	ua_refer(b, "%2B33611111111");
	assert_true(fact(MSG_LEG_REFERRED, &m));
	assert_true(m.leg_referred.leg == (leg | OURS));
	assert_string_equal(m.leg_referred.target, "+33611111111");
	n = noted(b, UA_REFERRED);
	assert_non_null(n);
	assert_int_equal(n->code, 202);
	assert_true(hears_of_transfer(b, "SIP/2.0 100"));
	report(leg | OURS, 486);
	assert_true(hears_of_transfer(b, "SIP/2.0 486"));
}

static void
a_transfer_asked_for_is_told_of_in_the_next_life(void **state)
{
	struct ua_call *c, *b;
	uint64_t leg = up(&c);
	struct msg m;

	b = ua_current(bot);
	ua_refer(b, "%2B33611111111");
	assert_true(fact(MSG_LEG_REFERRED, &m));
	assert_non_null(noted(b, UA_NOTIFIED));
	dies_and_is_there_again(2);
	report(leg | OURS, 486);
	assert_true(hears_of_transfer(b, "SIP/2.0 486"));
	ua_hang_up(b, NULL);
	assert_true(fact(MSG_LEG_LEFT, &m));
}

static void
a_refer_whose_202_was_lost_is_accepted_when_it_is_said_again(void **state)
{
	struct ua_call *c, *b;
	uint64_t leg = up(&c);
	const struct ua_note *n;
	struct msg m;

	b = ua_current(bot);
	ua_refer(b, "%2B33611111111");
	bot->dead = true;
	assert_true(fact(MSG_LEG_REFERRED, &m));
	room_kill();
	(void)ua_run(world, 20, NULL, NULL); /* the 202 goes by */
	bot->dead = false;
	dies_and_is_there_again(2);
	n = noted(b, UA_REFERRED);
	assert_non_null(n);
	assert_int_equal(n->code, 202);
	/* Nobody knows whether it was heard: it is told again. */
	assert_true(fact(MSG_LEG_REFERRED, &m));
	assert_true(m.leg_referred.leg == (leg | OURS));
	/* What comes after it is in order as ever. */
	ua_inform(b, "text/plain", "short");
	assert_true(fact(MSG_LEG_INFO, &m));
}

/* ---- a refusal ------------------------------------------------------------
 */

static void
refuse(uint64_t leg, uint16_t code)
{
	struct msg m = { .type = MSG_REFUSE_LEG };

	m.refuse_leg.leg = leg;
	m.refuse_leg.code = code;
	room_tell(ROOM_CALL, &m);
}

/* Said to one who does not listen any more. */
static uint64_t
refusal_is_lost(struct ua_call **c)
{
	uint64_t leg = arrives(c);
	struct msg m;

	assert_int_equal(kill(room_pid(), SIGSTOP), 0);
	refuse(leg, 404);
	dies_and_is_there_again(1);
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_true(m.leg_arrived.leg == leg);
	return leg;
}

static void
who_was_refused_to_deaf_ears_is_refused_again(void **state)
{
	const struct ua_note *n;
	struct ua_call *c;
	uint64_t leg = refusal_is_lost(&c);

	refuse(leg, 404);
	n = noted(c, UA_REFUSED);
	assert_non_null(n);
	assert_int_equal(n->code, 404);
	dies_and_is_there_again(0);
}

static void
even_when_nobody_says_it_again_he_has_his_answer(void **state)
{
	const struct ua_note *n;
	struct ua_call *c;
	const char *after;
	uint64_t leg;

	conf.sip.retry_after = hf_ms(7000);
	leg = refusal_is_lost(&c);
	n = noted(c, UA_REFUSED);
	if (n == NULL) /* 4 s */
		n = noted(c, UA_REFUSED);
	if (n == NULL)
		n = noted(c, UA_REFUSED);
	assert_non_null(n);
	assert_int_equal(n->code, 503);
	after = strstr(trace(leg), "Retry-After: ");
	assert_non_null(after);
	assert_in_range(atoi(after + strlen("Retry-After: ")), 7, 14);
}

/* ---- a connection ---------------------------------------------------------
 */

static void
a_phone_over_tcp_is_not_known_until_it_comes_back(void **state)
{
	struct msg m;

	wired->manner.answer_ms = -1;
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	dies_and_is_there_again(0);
	assert_false(room_hears(ROOM_CALL, MSG_AGENT_CAME, &m, NULL, 100));
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_int_equal(m.leg_refused.cause, CAUSE_UNREACHABLE);
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	ring(OURS | 4, TO_AGENT);
	assert_true(fact(MSG_LEG_RANG, &m));
}

static void
a_phone_that_rang_over_tcp_is_not_left_ringing(void **state)
{
	const struct ua_note *n;
	struct ua_call *c;
	struct msg m;

	wired->manner.answer_ms = -1;
	assert_int_equal(registers(wired, "correct horse"), 200);
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_RANG, &m));
	c = ua_current(wired);
	dies_and_is_there_again(0);
	ring(OURS | 3, TO_AGENT); /* asked again */
	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_int_equal(m.leg_refused.cause, CAUSE_UNREACHABLE);
	/* Nor when hf-sip dies before the phone is back. */
	dies_and_is_there_again(0);
	assert_int_equal(registers(wired, "correct horse"), 200);
	n = noted(c, UA_CANCELLED);
	assert_non_null(n);
	ring(OURS | 4, TO_AGENT);
	assert_true(fact(MSG_LEG_RANG, &m));
}

/* We live, and the phone's connection does not: it has another. */
static void
a_ringing_phone_hears_cancel_over_its_next_connection(void **state)
{
	struct ua_call *c;
	struct msg m;

	wired->manner.answer_ms = -1;
	assert_int_equal(registers(wired, "correct horse"), 200);
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_RANG, &m));
	c = ua_current(wired);
	ua_close(wired);
	ua_open(wired);
	assert_true(fact(MSG_AGENT_WENT, &m));
	assert_int_equal(registers(wired, "correct horse"), 200);
	drop(OURS | 3);
	assert_non_null(noted(c, UA_CANCELLED));
}

static void
a_cancel_said_to_a_lost_connection_is_said_over_the_next(void **state)
{
	struct ua_call *c;
	struct msg m;

	wired->manner.answer_ms = -1;
	assert_int_equal(registers(wired, "correct horse"), 200);
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_RANG, &m));
	c = ua_current(wired);
	ua_close(wired);
	ua_open(wired);
	assert_true(fact(MSG_AGENT_WENT, &m));
	drop(OURS | 3);
	(void)ua_run(world, 50, NULL, NULL);
	assert_null(ua_noted(c, UA_CANCELLED, 0));
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_non_null(noted(c, UA_CANCELLED));
}

static void
either_of_two_phones_hears_cancel_over_its_next_connection(void **state)
{
	struct ua *desk = ua_new(world, "desk", room_ip(4), UA_TCP, 4);
	struct ua_call *c, *d;

	wired->manner.answer_ms = desk->manner.answer_ms = -1;
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_int_equal(registers(desk, "correct horse"), 200);
	ring(OURS | 3, TO_AGENT);
	(void)ua_run(world, 200, NULL, NULL);
	c = ua_current(wired);
	d = ua_current(desk);
	assert_true(c != NULL && d != NULL);
	ua_close(wired);
	ua_open(wired);
	(void)ua_run(world, 50, NULL, NULL);
	assert_int_equal(registers(wired, "correct horse"), 200);
	ua_close(desk);
	ua_open(desk);
	(void)ua_run(world, 50, NULL, NULL);
	assert_int_equal(registers(desk, "correct horse"), 200);
	drop(OURS | 3);
	assert_non_null(noted(c, UA_CANCELLED));
	assert_non_null(noted(d, UA_CANCELLED));
}

/* One over UDP rings on, and the ring is that one's alone. */
static void
a_phone_over_tcp_drops_out_of_a_ring_that_goes_on(void **state)
{
	struct ua_call *a, *c;
	struct msg m;

	wired->manner.answer_ms = anna->manner.answer_ms = -1;
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_int_equal(registers(anna, "correct horse"), 200);
	ring(OURS | 3, TO_AGENT);
	(void)ua_run(world, 200, NULL, NULL);
	a = ua_current(anna);
	c = ua_current(wired);
	assert_true(a != NULL && c != NULL);
	dies_and_is_there_again(1);
	ring(OURS | 3, TO_AGENT); /* asked again */
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_non_null(noted(c, UA_CANCELLED));
	assert_int_equal(calls_of(wired), 1);
	ua_answer(a);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (OURS | 3));
	drop(OURS | 3);
	assert_non_null(noted(a, UA_BYE));
}

/* Bob has a phone in anna's office, over TCP as hers. */
static struct ua *
bob_is_there(void)
{
	struct ua *bob = ua_new(world, "bob", room_ip(4), UA_TCP, 4);

	conf.agents = 2;
	conf.agent[1] = conf.agent[0];
	strcpy(conf.agent[1].name, "bob");
	strcpy(conf.agent[1].extension, "202");
	strcpy(secrets.agent[1], "correct horse");
	dies_and_is_there_again(0);
	strcpy(bob->user, "bob");
	strcpy(bob->secret, secrets.agent[1]);
	return bob;
}

static void
phones_of_one_office_hear_each_its_own_cancel(void **state)
{
	struct ua *bob = bob_is_there();
	struct ua_call *a, *b;
	struct msg m;

	wired->manner.answer_ms = bob->manner.answer_ms = -1;
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_non_null(noted(ua_register(bob, house_at, 60), UA_REGISTERED));
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_RANG, &m));
	ring_row(OURS | 4, TO_AGENT, 1);
	assert_true(fact(MSG_LEG_RANG, &m));
	a = ua_current(wired);
	b = ua_current(bob);
	dies_and_is_there_again(0);
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_non_null(noted(a, UA_CANCELLED));
	assert_null(ua_noted(b, UA_CANCELLED, 0));
	assert_non_null(noted(ua_register(bob, house_at, 60), UA_REGISTERED));
	assert_non_null(noted(b, UA_CANCELLED));
}

/* That line of an INVITE, with its end and what else belongs into it. */
static const char *
line(const char *invite, const char *name, const char *more)
{
	static char text[5][512];
	static unsigned n;
	const char *at = strstr(invite, name);
	char *to = text[n++ % HF_LEN(text)];

	assert_non_null(at);
	at += 2; /* the line before it ends */
	snprintf(to, sizeof(text[0]), "%.*s%s\r\n", (int)strcspn(at, "\r"), at,
	    more);
	return to;
}

/* It was picked up while nobody listened, and there is no caller any more. */
static void
who_answers_between_two_lives_over_tcp_is_let_go(void **state)
{
	char me[HF_ADDR_TEXT_MAX], text[4096], tag[64];
	int fd = own_socket(wired->ip, me);
	struct ua_call *c;
	struct msg m;

	wired->manner.answer_ms = -1;
	assert_int_equal(registers(wired, "correct horse"), 200);
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_RANG, &m));
	c = ua_current(wired);
	snprintf(tag, sizeof(tag), ";tag=%s", c->local_tag);
	dies_and_is_there_again(0);
	snprintf(text, sizeof(text),
	    "SIP/2.0 200 OK\r\n%s%s%s%s%sContact: <sip:anna@%s>\r\n"
	    "Content-Length: 0\r\n\r\n",
	    line(c->invite, "\r\nVia:", ""), line(c->invite, "\r\nFrom:", ""),
	    line(c->invite, "\r\nTo:", tag),
	    line(c->invite, "\r\nCall-ID:", ""),
	    line(c->invite, "\r\nCSeq:", ""), me);
	say(fd, text);
	(void)comes(fd, "ACK ");
	(void)comes(fd, "BYE ");
	close(fd);
}

static void
a_call_over_tcp_goes_on_over_the_phones_next_connection(void **state)
{
	struct ua_call *c;
	struct msg m;

	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	c = ua_current(wired);
	assert_non_null(noted(c, UA_CONFIRMED));
	dies_and_is_there_again(1);
	assert_int_equal(registers(wired, "correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	assert_false(c->over);
	hold(OURS | 3);
	assert_non_null(noted(c, UA_REINVITED));
	drop(OURS | 3);
	assert_non_null(noted(c, UA_BYE));
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sip_room_usual, sip_room_over)
	const struct CMUnitTest tests[] = {
		T(a_transfer_is_asked_for_in_the_next_life),
		T(a_transfer_asked_for_is_told_of_in_the_next_life),
		T(a_refer_whose_202_was_lost_is_accepted_when_it_is_said_again),
		T(who_was_refused_to_deaf_ears_is_refused_again),
		T(even_when_nobody_says_it_again_he_has_his_answer),
		T(a_phone_over_tcp_is_not_known_until_it_comes_back),
		T(a_phone_that_rang_over_tcp_is_not_left_ringing),
		T(a_ringing_phone_hears_cancel_over_its_next_connection),
		T(a_cancel_said_to_a_lost_connection_is_said_over_the_next),
		T(either_of_two_phones_hears_cancel_over_its_next_connection),
		T(a_phone_over_tcp_drops_out_of_a_ring_that_goes_on),
		T(phones_of_one_office_hear_each_its_own_cancel),
		T(who_answers_between_two_lives_over_tcp_is_let_go),
		T(a_call_over_tcp_goes_on_over_the_phones_next_connection),
	};
#undef T

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip lost", tests, NULL, NULL);
}
