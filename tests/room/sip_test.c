/* hf-sip as a process: calls that come, go out and are changed. */

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "tests/room/sip_room.h"

static void
without_hf_call_a_new_call_hears_503_after_a_short_wait(void **state)
{
	struct ua_call *c = ua_invite(caller, house_at, "100");
	const struct ua_note *n = noted(c, UA_REFUSED);

	assert_non_null(n);
	assert_int_equal(n->code, 503);
	assert_true(n->at - c->came < 1500000);
}

static void
a_call_goes_through_and_both_ends_hear_its_end(void **state)
{
	struct ua_call *c, *b;
	uint64_t leg = up(&c);
	struct msg m;

	b = ua_current(bot);
	assert_non_null(b);
	/* Nothing of the caller's leg is in the bot's. */
	assert_string_not_equal(b->call_id, c->call_id);
	assert_non_null(strstr(b->invite, "+33612345678"));
	assert_non_null(strstr(b->invite, "Max-Forwards: 60\r\n"));
	assert_null(strstr(b->invite, caller->ip));
	ua_hang_up(c, NULL);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg);
	assert_int_equal(m.leg_left.cause, CAUSE_DONE);
	drop(leg | OURS);
	assert_non_null(noted(b, UA_BYE));
}

static void
a_bot_that_says_agent_has_yielded(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	ua_hang_up(ua_current(bot), "SIP;cause=200;text=\"agent\"");
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == (leg | OURS));
	assert_int_equal(m.leg_left.cause, CAUSE_YIELDED);
}

static void
hold_info_and_refer_are_told(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	ua_reinvite(c, "sendonly", false);
	assert_true(fact(MSG_LEG_REOFFERED, &m));
	assert_int_equal(m.leg_reoffered.media.direction, DIRECTION_RECVONLY);
	ua_inform(ua_current(bot), "application/dtmf-relay", "Signal=1");
	assert_true(fact(MSG_LEG_INFO, &m));
	assert_true(m.leg_info.leg == (leg | OURS));
	ua_refer(ua_current(bot), "%2B33611111111;phone-context=x");
	assert_true(fact(MSG_LEG_REFERRED, &m));
	assert_string_equal(m.leg_referred.target, "+33611111111");
	assert_true(hears_of_transfer(ua_current(bot), "SIP/2.0 100"));
	report(leg | OURS, 486);
	assert_true(hears_of_transfer(ua_current(bot), "SIP/2.0 486"));
}

static void
an_info_that_cannot_be_passed_on_is_refused(void **state)
{
	struct ua_call *c;
	char much[600];
	struct msg m;

	(void)up(&c);
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	ua_inform(c, "text/plain", much);
	ua_inform(c, "text/plain", "short");
	assert_true(fact(MSG_LEG_INFO, &m));
	assert_int_equal(m.leg_info.body.n, 5);
}

/* ---- targets ------------------------------------------------------------- */

enum { NO_WAIT_US = 450000 }; /* shorter than T1: nothing was said again */

static void
a_dead_target_is_passed_over_in_milliseconds(void **state)
{
	struct msg m;
	int64_t begin;

	ua_close(bot);
	begin = ua_now();
	ring(OURS | 7, TO_HELPER);
	assert_true(fact(MSG_LEG_TRIED, &m));
	assert_true(ua_now() - begin < NO_WAIT_US);
	assert_int_equal(m.leg_tried.target, 1);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_int_equal(m.leg_answered.target, 1);
	drop(OURS | 7);
	ua_close(second);
	begin = ua_now();
	ring(OURS | 8, TO_HELPER);
	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_true(ua_now() - begin < NO_WAIT_US);
	assert_int_equal(m.leg_refused.cause, CAUSE_ICMP);
}

/* Who made this description, "o=- 123 ", and for which session. */
static void
origin(const struct ua_call *c, char *to, size_t cap)
{
	const char *o = strstr(c->invite, "\no=");

	assert_non_null(o);
	snprintf(to, cap, "%.*s", (int)strcspn(o + 5, " "), o + 5);
}

static void
a_target_that_cannot_be_called_leaves_the_present_call_alone(void **state)
{
	struct msg m;
	char first[64], then[64];

	/* Silent until the next one should have its turn. */
	bot->manner.no_100 = true;
	bot->manner.ring_ms = -1;
	bot->manner.answer_ms = 1300;
	ring_row(OURS | 7, TO_HELPER, 2);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_int_equal(m.leg_answered.target, 0);
	origin(bot->calls, first, sizeof(first));
	hold(OURS | 7);
	assert_non_null(noted(bot->calls, UA_REINVITED));
	/* Its session goes on (RFC 3264 8). */
	origin(bot->calls, then, sizeof(then));
	assert_string_equal(first, then);
}

static void
a_helper_known_by_name_is_found(void **state)
{
	struct msg m;
	uint64_t leg = OURS | 20;

	/* Not yet found means refused; hf-call would try again later. */
	for (int i = 0; i < 50; i++) {
		(void)ua_run(world, 20, NULL, NULL);
		ring_row(++leg, TO_HELPER, 1);
		if (!room_hears(ROOM_CALL, MSG_LEG_REFUSED, &m, NULL, 20))
			break;
	}
	ring_row(++leg, TO_HELPER, 1);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_non_null(named->calls);
}

enum { IMPATIENT = 200, NAP = 2 * IMPATIENT };

static bool
is_called(void *arg)
{
	(void)arg;
	return ua_current(bot) != NULL;
}

static void
a_bot_that_says_nothing_is_told_of_in_its_time(void **state)
{
	int64_t began = ua_now();
	struct msg m;

	bot->manner.no_100 = true;
	bot->manner.ring_ms = bot->manner.answer_ms = 2 * IMPATIENT;
	ring_impatiently(OURS | 7, IMPATIENT);
	assert_true(fact(MSG_LEG_UNTRIED, &m));
	assert_true(m.leg_untried.leg == (OURS | 7));
	assert_true(ua_now() - began >= IMPATIENT * 1000);
	/* And not when he said something at last. */
	assert_true(fact(MSG_LEG_TRIED, &m));
}

static void
what_we_sleep_through_is_no_silence_of_the_bots(void **state)
{
	struct msg m;

	bot->manner.no_100 = true;
	bot->manner.ring_ms = bot->manner.answer_ms = NAP + IMPATIENT / 2;
	ring_impatiently(OURS | 7, IMPATIENT);
	assert_true(ua_run(world, SOON, is_called, NULL));
	assert_int_equal(kill(room_pid(), SIGSTOP), 0);
	(void)ua_run(world, NAP, NULL, NULL);
	assert_int_equal(kill(room_pid(), SIGCONT), 0);
	assert_false(fact(MSG_LEG_UNTRIED, &m));
	assert_non_null(noted(ua_current(bot), UA_CONFIRMED));
}

static void
a_100_that_lies_unread_counts(void **state)
{
	struct msg m;

	bot->manner.no_100 = true;
	bot->manner.ring_ms = IMPATIENT / 2;
	bot->manner.answer_ms = 1000;
	ring_impatiently(OURS | 7, IMPATIENT);
	assert_true(ua_run(world, SOON, is_called, NULL));
	assert_int_equal(kill(room_pid(), SIGSTOP), 0);
	(void)ua_run(world, IMPATIENT + 10, NULL, NULL);
	assert_int_equal(kill(room_pid(), SIGCONT), 0);
	assert_false(fact(MSG_LEG_UNTRIED, &m));
}

/* ---- odd offers, odd answers --------------------------------------------- */

static void
a_late_offer_is_answered_in_the_ack_and_told(void **state)
{
	struct ua_call *c;
	struct msg m;

	caller->manner.late_offer = true;
	c = ua_invite(caller, house_at, "100");
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_int_equal(m.leg_arrived.media.codec, CODEC_NONE);
	answer(m.leg_arrived.leg);
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	assert_int_not_equal(m.leg_confirmed.media.codec, CODEC_NONE);
	assert_int_not_equal(m.leg_confirmed.media.rtp.port, 0);
	assert_non_null(noted(c, UA_ANSWERED));
}

static unsigned
nr_of(const char *what, const char *in)
{
	unsigned n = 0;

	for (; (in = strstr(in, what)) != NULL; in++)
		n++;
	return n;
}

static void
two_offers_that_meet_are_both_refused_and_ours_comes_again(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	const struct ua_note *n;
	int64_t until = ua_now() + SOON * 1000;

	hold(leg);
	/* Until it is on its way; the phone does not look. */
	while (nr_of("text=INVITE ", trace(leg)) < 2)
		assert_true(ua_now() < until);
	ua_reinvite(c, "sendrecv", false);
	n = noted(c, UA_REANSWERED);
	assert_non_null(n);
	assert_int_equal(n->code, 491);
	/* RFC 3261 14.1: within 2 s, for the dialog is his. */
	if ((n = noted(c, UA_REINVITED)) == NULL)
		n = noted(c, UA_REINVITED);
	assert_non_null(n);
}

static void
a_phone_that_is_silent_to_an_offer_is_lost(void **state)
{
	struct ua_call *c;
	uint64_t leg;
	struct msg m;
	bool left;

	conf.sip.t1 = hf_ms(50); /* 64 of them are 3.2 s */
	sip_room_start();
	leg = up(&c);
	c->speechless = true;
	hold(leg);
	left = fact(MSG_LEG_LEFT, &m) || fact(MSG_LEG_LEFT, &m);
	assert_true(left);
	assert_true(m.leg_left.leg == leg);
	assert_int_equal(m.leg_left.cause, CAUSE_TIMEOUT);
}

/* The line of the bot's INVITE that begins so, with its end. */
static const char *
line_of(const char *invite, const char *name)
{
	static char line[4][512];
	static unsigned n;
	const char *p = strstr(invite, name);
	char *to = line[n++ % HF_LEN(line)];

	assert_non_null(p);
	snprintf(to, sizeof(line[0]), "%.*s\r\n", (int)strcspn(p + 2, "\r\n"),
	    p + 2);
	return to;
}

/* A proxy forked our INVITE, and a second phone took it too: 13.2.2.4. */
static void
a_second_answer_of_a_fork_is_acked_and_let_go(void **state)
{
	char text[4096], me[HF_ADDR_TEXT_MAX];
	struct ua_call *c, *b;
	int fd = own_socket(second->ip, me), n;

	(void)up(&c);
	b = ua_current(bot);
	n = snprintf(text, sizeof(text), "SIP/2.0 200 OK\r\n%s%s%s%s",
	    line_of(b->invite, "\r\nVia:"), line_of(b->invite, "\r\nFrom:"),
	    line_of(b->invite, "\r\nCall-ID:"),
	    line_of(b->invite, "\r\nCSeq:"));
	n += snprintf(text + n, sizeof(text) - (size_t)n,
	    "%.*s;tag=fork\r\nContact: <sip:x@%s>\r\n"
	    "Content-Length: 0\r\n\r\n",
	    (int)strlen(line_of(b->invite, "\r\nTo:")) - 2,
	    line_of(b->invite, "\r\nTo:"), me);
	say(fd, text);
	assert_non_null(strstr(comes(fd, "ACK "), ";tag=fork"));
	assert_non_null(strstr(comes(fd, "BYE "), ";tag=fork"));
	/* The call with the first goes on. */
	assert_false(b->over);
	close(fd);
}

static void
an_invite_of_more_than_8_kb_hears_513(void **state)
{
	char text[12000], me[HF_ADDR_TEXT_MAX];
	int fd = own_socket(caller->ip, me);
	struct ua_call *c;

	snprintf(text, sizeof(text),
	    "INVITE sip:100@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKb"
	    "\r\nMax-Forwards: 70\r\nFrom: \"%0*d\" <sip:a@b>;tag=1\r\n"
	    "To: <sip:100@%s>\r\nCall-ID: big\r\nCSeq: 1 INVITE\r\n"
	    "Contact: <sip:a@%s>\r\nContent-Length: 0\r\n\r\n",
	    house, me, 9000, 0, house, me);
	say(fd, text);
	(void)comes(fd, "SIP/2.0 513 ");
	(void)arrives(&c);
	close(fd);
}

/* ---- what operators see -------------------------------------------------- */

static void
the_trace_and_the_counters_are_told(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	const char *rows = trace(leg);

	assert_non_null(strstr(rows, "INVITE sip:+33400000000@"));
	assert_non_null(strstr(rows, "SIP/2.0 200 OK"));
	assert_true(room_rows() >= 4);
	assert_int_equal(counter("calls_in"), 1);
}

/* A row holds 7,000 bytes of it. */
static void
a_long_message_is_traced_whole(void **state)
{
	static char body[7600];
	struct ua_call *c;
	uint64_t leg = up(&c);
	const char *first, *rest;
	struct msg m;

	memset(body, 'x', sizeof(body) - 5);
	strcpy(body + sizeof(body) - 5, "~end");
	ua_inform(c, "text/plain", body);
	ua_inform(c, "text/plain", "short");
	assert_true(fact(MSG_LEG_INFO, &m));
	first = strstr(trace(leg), "text=INFO ");
	assert_non_null(first);
	rest = strstr(first, "text_more=x");
	assert_non_null(rest);
	assert_non_null(strstr(rest, "~end|"));
	assert_non_null(strstr(rest, "text=INFO ")); /* and those after it */
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sip_room_usual, sip_room_over)
	const struct CMUnitTest alone[] = {
		T(without_hf_call_a_new_call_hears_503_after_a_short_wait),
	};
	const struct CMUnitTest joined[] = {
		T(a_call_goes_through_and_both_ends_hear_its_end),
		T(a_bot_that_says_agent_has_yielded),
		T(hold_info_and_refer_are_told),
		T(an_info_that_cannot_be_passed_on_is_refused),
		T(a_dead_target_is_passed_over_in_milliseconds),
		T(a_target_that_cannot_be_called_leaves_the_present_call_alone),
		T(a_helper_known_by_name_is_found),
		T(a_bot_that_says_nothing_is_told_of_in_its_time),
		T(what_we_sleep_through_is_no_silence_of_the_bots),
		T(a_100_that_lies_unread_counts),
		T(a_late_offer_is_answered_in_the_ack_and_told),
		T(two_offers_that_meet_are_both_refused_and_ours_comes_again),
		T(a_phone_that_is_silent_to_an_offer_is_lost),
		T(a_second_answer_of_a_fork_is_acked_and_let_go),
		T(an_invite_of_more_than_8_kb_hears_513),
		T(the_trace_and_the_counters_are_told),
		T(a_long_message_is_traced_whole),
	};
#undef T
	int bad;

	program = room_program(argc, argv);
	bad = cmocka_run_group_tests_name("hf-sip alone", alone, NULL, NULL);
	room_join(ROOM_CALL);
	return bad + cmocka_run_group_tests_name("hf-sip", joined, NULL, NULL);
}
