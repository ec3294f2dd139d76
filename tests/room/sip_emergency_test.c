/*
 * hf-sip, and calls for help: the test is the phones, two trunks, hf-media,
 * and hf-call, which is asked nothing.
 */

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/room/sip_room.h"

enum {
	CALLS = 2,
	FIRST = 5000 - 2 * CALLS, /* of the streams that are kept */
	NOT = 200,
	CARRIER = 0,
	SPARE = 1,
	DOORS = 2, /* whose callers may dial for help */
};

static struct ua *carrier, *spare, *ben;
static int door = -1;
static char doors[HF_ADDR_TEXT_MAX];

static void
trunk(uint16_t row, const char *name, const struct ua *u, const char *ip)
{
	struct conf_trunk *t = &conf.trunk[row];

	t->used = 1;
	t->peers = 1;
	strcpy(t->name, name);
	assert_true(hf_net_parse(hf_slice_of(ip), &t->peer[0]));
	if (u == NULL)
		return;
	snprintf(t->to.uri, sizeof(t->to.uri), "sip:%s:%d", u->ip, u->port);
	assert_true(hf_addr_parse(hf_slice_of(t->to.uri + 4), &t->to.addr));
}

static void
agent(uint16_t row, const char *name)
{
	struct conf_agent *a = &conf.agent[row];

	a->used = 1;
	strcpy(a->name, name);
	strcpy(a->extension, name);
	strcpy(a->realm, "lyon");
	strcpy(secrets.agent[row], "correct horse");
}

static void
prepare(void)
{
	struct conf_emergency *e = &conf.emergency;

	sip_room_begin();
	carrier = ua_new(world, "carrier", room_ip(2), UA_UDP, 1);
	spare = ua_new(world, "spare", room_ip(3), UA_UDP, 2);
	anna = ua_new(world, "anna", room_ip(4), UA_UDP, 4);
	ben = ua_new(world, "ben", room_ip(4), UA_UDP, 5);
	stranger = ua_new(world, "stranger", room_ip(6), UA_UDP, 6);
	door = own_socket(room_ip(5), doors);
	conf.trunks = 3;
	trunk(CARRIER, "carrier", carrier, carrier->ip);
	trunk(SPARE, "spare", spare, spare->ip);
	trunk(DOORS, "doors", NULL, room_ip(5));
	conf.agents = 2;
	agent(0, "anna");
	agent(1, "ben");
	strcpy(conf.outbound.number, "+33400000000");
	strcpy(conf.agent[1].number, "+33400000202");
	conf.sip.next_target = hf_ms(300);
	conf.emergency.no_ring = hf_ms(600);
	conf.sip.user_per_s = conf.sip.user_burst = 1000;
	conf.sip.address_per_s = conf.sip.address_burst = 1000;
	e->calls = CALLS;
	e->vias = 2;
	e->via[0] = CARRIER;
	e->via[1] = SPARE;
	e->trunks = 1;
	e->trunk[0] = DOORS;
	assert_int_equal(conf_sos_first(&conf), FIRST);
}

static int
setup(void **state)
{
	prepare();
	sip_room_start();
	return 0;
}

static int
setup_open(void **state)
{
	prepare();
	conf.emergency.strangers = 1;
	sip_room_start();
	return 0;
}

static int
setup_few(void **state)
{
	prepare();
	conf.sip.transactions = 32;
	sip_room_start();
	return 0;
}

static int
setup_strict(void **state)
{
	prepare();
	conf.sip.guesses = 1;
	sip_room_start();
	return 0;
}

static int
teardown(void **state)
{
	close(door);
	return sip_room_over(state);
}

/* ---- hf-media, hf-call ----------------------------------------------------
 */

static void
media_is_there(void)
{
	struct msg m = { .type = MSG_MEDIA_STARTED };

	m.media_started.count = 5000;
	room_tell(ROOM_MEDIA, &m);
}

static bool
media_hears(enum msg_type type, struct msg *m)
{
	return room_hears(ROOM_MEDIA, type, m, NULL, SOON);
}

/* Before any call: each stream is taken and given back, whoever had it. */
static void
media_begins(void)
{
	struct msg m, n;

	media_is_there();
	for (uint32_t i = 0; i < 2 * CALLS; i++) {
		assert_true(media_hears(MSG_OPEN_STREAM, &m));
		assert_int_equal(m.open_stream.stream.n, FIRST + i);
		assert_int_equal(m.open_stream.media.codec, CODEC_NONE);
		assert_true(media_hears(MSG_CLOSE_STREAM, &n));
		assert_int_equal(
		    n.close_stream.stream.gen, m.open_stream.stream.gen);
	}
}

static bool
ended(struct msg *m)
{
	return fact(MSG_EMERGENCY_ENDED, m);
}

static void
note(uint64_t leg)
{
	struct msg m = { .type = MSG_NOTE_EMERGENCY };

	m.note_emergency.leg = leg;
	room_tell(ROOM_CALL, &m);
}

/* ---- phones ----------------------------------------------------------------
 */

static struct ua_call *
dials(struct ua *phone, const char *number)
{
	strcpy(phone->user, phone->name);
	strcpy(phone->secret, "correct horse");
	return ua_invite(phone, house_at, number);
}

/* Who is at the far end of the trunk has been called: his call. */
static struct ua_call *
called(struct ua *u)
{
	struct ua_call *c;

	for (int ms = 0; ms < SOON && u->calls == NULL; ms++)
		(void)ua_run(world, 1, NULL, NULL);
	c = u->calls;
	assert_non_null(c);
	return c;
}

static bool
says(const struct ua_call *c, const char *text)
{
	return strstr(c->invite, text) != NULL;
}

/* A door station: no account, and it knows where it is. */
static void
door_dials(const char *uri, const char *lines, const char *body)
{
	char text[16384];

	snprintf(text, sizeof(text),
	    "INVITE %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKdoor\r\n"
	    "Max-Forwards: 70\r\nFrom: <sip:door7@%s>;tag=d\r\n"
	    "To: <%s>\r\nCall-ID: door\r\nCSeq: 1 INVITE\r\n"
	    "Contact: <sip:door7@%s>\r\n%sContent-Length: %zu\r\n\r\n%s",
	    uri, doors, doors, uri, doors, lines, strlen(body), body);
	say(door, text);
}

#define SDP                                                                    \
	"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"     \
	"t=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
#define IS_SDP "Content-Type: application/sdp\r\n"

/* ---- the promises ----------------------------------------------------------
 */

static void
an_agent_s_call_is_routed_and_joined_without_hf_call(void **state)
{
	struct ua_call *c;
	struct msg m;

	media_begins();
	room_leaves(ROOM_CALL);
	c = dials(anna, "112");
	assert_true(says(called(carrier), "INVITE sip:112@"));
	assert_true(says(carrier->calls, "\r\nPriority: emergency\r\n"));
	assert_non_null(noted(c, UA_ANSWERED));
	assert_true(media_hears(MSG_OPEN_STREAM, &m));
	assert_int_equal(m.open_stream.stream.n, FIRST);
	assert_true(media_hears(MSG_OPEN_STREAM, &m));
	assert_int_equal(m.open_stream.stream.n, FIRST + 1);
	assert_true(media_hears(MSG_JOIN_STREAMS, &m));
	assert_int_equal(m.join_streams.judge, JUDGE_NOBODY);
	ua_hang_up(c, NULL);
	assert_non_null(noted(carrier->calls, UA_BYE));
	assert_true(media_hears(MSG_CLOSE_STREAM, &m));
	assert_true(media_hears(MSG_CLOSE_STREAM, &m));
	room_returns(ROOM_CALL);
	assert_true(ended(&m));
	assert_int_equal(m.emergency_ended.cause, CAUSE_CALLER_LEFT);
	assert_string_equal(m.emergency_ended.over, "carrier");
	assert_string_equal(m.emergency_ended.tried, "carrier answered");
}

static void
hf_call_hears_of_no_leg_of_it(void **state)
{
	struct ua_call *c = dials(anna, "112");
	struct msg m;

	assert_non_null(noted(c, UA_ANSWERED));
	assert_false(room_hears(ROOM_CALL, MSG_LEG_ARRIVED, &m, NULL, NOT));
	(void)dials(ben, "113"); /* no such number of emergency.numbers */
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_string_equal(m.leg_arrived.number, "113");
}

static void
the_number_to_call_back_goes_along(void **state)
{
	(void)dials(anna, "112");
	assert_true(says(called(carrier), "From: \"anna\" <sip:+33400000000@"));
	assert_true(says(carrier->calls,
	    "P-Asserted-Identity: \"anna\" <sip:+33400000000@"));
	carrier->calls = NULL;
	(void)dials(ben, "911");
	assert_true(says(called(carrier), "INVITE sip:911@"));
	assert_true(says(
	    carrier->calls, "P-Asserted-Identity: \"ben\" <sip:+33400000202@"));
}

static void
his_record_is_told_until_it_is_noted(void **state)
{
	struct ua_call *c = dials(anna, "112");
	struct msg m;
	uint64_t leg;

	assert_non_null(noted(c, UA_ANSWERED));
	ua_hang_up(called(carrier), NULL);
	assert_true(ended(&m));
	assert_int_equal(m.emergency_ended.cause, CAUSE_DONE);
	leg = m.emergency_ended.leg;
	room_leaves(ROOM_CALL);
	room_returns(ROOM_CALL);
	assert_true(ended(&m));
	dies_and_is_there_again(0);
	assert_true(ended(&m));
	assert_int_equal(m.emergency_ended.leg, leg);
	assert_string_equal(m.emergency_ended.number, "112");
	note(leg);
	(void)room_ask("emergency", "", 0);
	assert_int_equal(room_rows(), 0);
	dies_and_is_there_again(0);
	assert_false(room_hears(ROOM_CALL, MSG_EMERGENCY_ENDED, &m, NULL, NOT));
}

static void
the_urn_of_rfc_5031_is_the_number(void **state)
{
	door_dials("urn:service:sos.fire", IS_SDP, SDP);
	assert_true(says(called(carrier), "INVITE sip:112@"));
	assert_non_null(comes(door, "SIP/2.0 200"));
}

static void
another_urn_is_refused_as_ever(void **state)
{
	door_dials("urn:service:sosumi", IS_SDP, SDP);
	assert_non_null(comes(door, "SIP/2.0 4"));
	assert_int_equal(calls_of(carrier), 0);
}

static void
where_he_is_goes_along(void **state)
{
	door_dials("sip:112@lyon",
	    "Geolocation: <cid:here@door7>\r\nGeolocation-Routing: no\r\n"
	    "Privacy: id\r\nX-Secret: of the house\r\n"
	    "Content-Type: multipart/mixed;boundary=b0\r\n",
	    "--b0\r\n" IS_SDP "\r\n" SDP "\r\n--b0\r\n"
	    "Content-Type: application/pidf+xml\r\n"
	    "Content-ID: <here@door7>\r\n\r\n"
	    "<presence>room 7</presence>\r\n--b0--\r\n");
	(void)called(carrier);
	assert_true(says(carrier->calls, "Geolocation: <cid:here@door7>\r\n"));
	assert_true(says(carrier->calls, "Geolocation-Routing: no\r\n"));
	assert_true(says(carrier->calls, "Content-Type: multipart/mixed"));
	assert_true(says(carrier->calls,
	    "Content-Type: application/pidf+xml\r\n"
	    "Content-ID: <here@door7>\r\n\r\n<presence>room 7</presence>\r\n"));
	/* One description, and it is ours. */
	assert_true(says(carrier->calls, IS_SDP));
	assert_false(says(carrier->calls, "m=audio 4000"));
	assert_false(says(carrier->calls, "X-Secret"));
	/* Who helps must find him. */
	assert_true(says(carrier->calls, "From: <sip:door7@"));
	assert_non_null(comes(door, "SIP/2.0 200"));
}

/* Any length of body and lines that a phone's INVITE may have. */
static void
a_location_too_long_does_not_hold_him_up(void **state)
{
	static const struct {
		size_t body, line;
	} rows[] = { { 2500, 0 }, { 4000, 1200 }, { 5500, 0 }, { 10, 3500 },
		{ 3000, 3000 }, { 10, 6500 } };
	static char body[7000], lines[7000];

	for (size_t i = 0; i < HF_LEN(rows); i++) {
		char *at = body;

		at += sprintf(at, "--b0\r\n" IS_SDP "\r\n" SDP "\r\n--b0\r\n"
				  "Content-Type: application/pidf+xml\r\n\r\n");
		memset(at, 'x', rows[i].body);
		strcpy(at + rows[i].body, "\r\n--b0--\r\n");
		at = lines;
		at +=
		    sprintf(at, "Content-Type: multipart/mixed;boundary=b0\r\n"
				"Geolocation: <sip:");
		memset(at, 'y', rows[i].line);
		strcpy(at + rows[i].line, ">\r\n");
		carrier->calls = NULL;
		door_dials("sip:112@lyon", lines, body);
		(void)called(carrier);
		assert_int_equal(
		    says(carrier->calls, "xxx"), rows[i].body < 5000);
		assert_int_equal(
		    says(carrier->calls, "Geolocation"), rows[i].line < 1300);
		assert_non_null(comes(door, "SIP/2.0 200"));
		(void)teardown(state);
		(void)setup(state);
	}
}

static void
who_is_not_known_is_asked_who_he_is(void **state)
{
	struct ua_call *c;

	strcpy(stranger->user, "nobody");
	c = ua_invite(stranger, house_at, "112");
	assert_int_equal(noted(c, UA_REFUSED)->code, 401);
	strcpy(stranger->user, "anna");
	strcpy(stranger->secret, "a guess");
	c = ua_invite(stranger, house_at, "112");
	assert_int_equal(noted(c, UA_REFUSED)->code, 403);
	assert_int_equal(calls_of(carrier), 0);
}

static void
whoever_guesses_beside_him_he_is_heard(void **state)
{
	enum { MANY = 200 }; /* wrong ones, until nobody there is listened to */
	int said = 200;

	assert_int_equal(registers(anna, "correct horse"), 200);
	for (int i = 0; i < MANY && said == 200; i++) {
		(void)registers(ben, "a guess");
		said = registers(anna, "correct horse");
	}
	assert_int_equal(said, 403);
	(void)dials(anna, "112");
	assert_true(says(called(carrier), "INVITE sip:112@"));
}

static void
callers_of_another_trunk_are_hf_call_s(void **state)
{
	struct msg m;

	(void)ua_invite(spare, house_at, "112");
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_string_equal(m.leg_arrived.number, "112");
	assert_int_equal(calls_of(carrier), 0);
}

static void
where_the_house_says_so_a_stranger_is_let_out(void **state)
{
	struct ua_call *c = ua_invite(stranger, house_at, "112");

	assert_non_null(noted(c, UA_ANSWERED));
	c = ua_invite(stranger, house_at, "113");
	assert_int_equal(noted(c, UA_REFUSED)->code, 401);
	assert_int_equal(calls_of(carrier), 1);
}

static void
one_more_than_there_are_streams_for_is_refused(void **state)
{
	struct ua_call *c[CALLS + 1];

	for (int i = 0; i < CALLS; i++) {
		c[i] = dials(anna, "112");
		assert_non_null(noted(c[i], UA_ANSWERED));
	}
	c[CALLS] = dials(anna, "112");
	assert_int_equal(noted(c[CALLS], UA_REFUSED)->code, 503);
	ua_hang_up(c[0], NULL);
	assert_non_null(noted(c[0], UA_LEFT));
	assert_non_null(noted(dials(ben, "112"), UA_ANSWERED));
}

static void
a_table_full_of_other_calls_has_room(void **state)
{
	struct ua_call *c;
	struct msg m;

	for (uint32_t i = 0; i < conf.sip.dialogs; i++) {
		(void)dials(ben, "113");
		assert_true(fact(MSG_LEG_ARRIVED, &m));
	}
	assert_int_equal(noted(dials(ben, "113"), UA_REFUSED)->code, 503);
	c = dials(anna, "112");
	assert_non_null(noted(c, UA_ANSWERED));
}

static void
no_transaction_is_too_many_for_it(void **state)
{
	unsigned full = 0;

	for (uint32_t i = 0; i < conf.sip.transactions && full == 0; i++) {
		(void)dials(ben, "113");
		(void)ua_run(world, 1, NULL, NULL);
		full = counter("table_full") > 0;
	}
	assert_true(full);
	assert_non_null(noted(dials(anna, "112"), UA_ANSWERED));
}

static void
one_who_offers_nothing_is_joined_when_he_answers(void **state)
{
	struct ua_call *c;
	struct msg m;

	media_begins();
	anna->manner.late_offer = true;
	c = dials(anna, "112");
	assert_non_null(noted(c, UA_ANSWERED));
	assert_true(media_hears(MSG_OPEN_STREAM, &m));
	assert_int_equal(m.open_stream.stream.n, FIRST + 1);
	assert_true(media_hears(MSG_OPEN_STREAM, &m));
	assert_int_equal(m.open_stream.stream.n, FIRST);
	assert_true(media_hears(MSG_JOIN_STREAMS, &m));
}

static void
a_call_does_not_go_round_for_ever(void **state)
{
	door_dials("sip:112@lyon", IS_SDP, SDP);
	assert_true(says(called(carrier), "Max-Forwards: 69\r\n"));
}

static void
who_calls_for_help_is_not_rung(void **state)
{
	struct ua_call *c;
	struct msg m;

	assert_int_equal(registers(anna, "correct horse"), 200);
	c = dials(anna, "112");
	assert_non_null(noted(c, UA_ANSWERED));
	ring(OURS | 1, TO_AGENT);
	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_int_equal(m.leg_refused.cause, CAUSE_BUSY);
	ua_hang_up(c, NULL);
	assert_non_null(noted(c, UA_LEFT));
	ring(OURS | 2, TO_AGENT);
	assert_true(fact(MSG_LEG_RANG, &m));
}

static void
who_was_silent_is_asked_again_with_patience(void **state)
{
	struct ua_call *c;

	carrier->dead = true;
	spare->manner.refuse = 404;
	c = dials(anna, "112");
	assert_int_equal(noted(called(spare), UA_CALLED)->code, 0);
	carrier->dead = false;
	assert_non_null(noted(c, UA_ANSWERED));
}

/* It tries, and that is all that is ever heard of it. */
static void
who_only_tries_does_not_hold_him_up(void **state)
{
	struct ua_call *c;

	carrier->manner.ring_ms = carrier->manner.answer_ms = -1;
	c = dials(anna, "112");
	assert_non_null(noted(called(carrier), UA_CALLED));
	assert_non_null(noted(c, UA_ANSWERED));
	assert_non_null(noted(called(spare), UA_CONFIRMED));
	assert_non_null(noted(carrier->calls, UA_CANCELLED));
}

static void
a_trunk_that_is_given_up_is_let_go(void **state)
{
	struct ua_call *c;
	struct ua_call *slow;

	carrier->manner.no_100 = true;
	carrier->manner.ring_ms = carrier->manner.answer_ms = -1;
	c = dials(anna, "112");
	assert_non_null(noted(c, UA_ANSWERED));
	assert_int_equal(calls_of(spare), 1);
	slow = called(carrier);
	ua_ring(slow, false); /* now it can be told */
	assert_non_null(noted(slow, UA_CANCELLED));
}

static void
the_newest_call_makes_room_and_no_other(void **state)
{
	struct ua_call *c, *older = NULL, *newer = NULL;
	struct msg m;

	carrier->manner.channels = 2;
	spare->manner.refuse = 404;
	for (uint64_t i = 0; i < 2; i++) {
		ring_row(OURS | (i + 1), TO_NUMBER, CARRIER);
		assert_true(fact(MSG_LEG_ANSWERED, &m));
		older = newer;
		newer = carrier->calls;
	}
	c = dials(anna, "112");
	assert_non_null(noted(c, UA_ANSWERED));
	assert_string_equal(noted(newer, UA_BYE)->text,
	    "SIP;cause=503;text=\"ended for an emergency call\"");
	assert_null(ua_noted(older, UA_BYE, 0));
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_int_equal(m.leg_left.leg, OURS | 2);
	assert_int_equal(m.leg_left.cause, CAUSE_PREEMPTED);
}

static void
an_emergency_call_is_ended_for_none(void **state)
{
	struct ua_call *c;

	carrier->manner.channels = 1;
	spare->manner.refuse = 486;
	assert_non_null(noted(dials(anna, "112"), UA_ANSWERED));
	c = dials(ben, "112");
	assert_int_equal(noted(c, UA_REFUSED)->code, 486);
	assert_null(ua_noted(called(carrier), UA_BYE, 0));
}

static void
hf_media_hears_all_when_it_is_there_again(void **state)
{
	struct ua_call *c = dials(anna, "112");
	struct msg m, n;

	assert_non_null(noted(c, UA_ANSWERED)); /* it was away all the time */
	media_is_there();
	assert_true(media_hears(MSG_OPEN_STREAM, &m));
	assert_true(media_hears(MSG_JOIN_STREAMS, &m));
	media_is_there();
	assert_true(media_hears(MSG_JOIN_STREAMS, &n));
	assert_int_equal(m.join_streams.caller.gen, n.join_streams.caller.gen);
	dies_and_is_there_again(2);
	media_is_there();
	assert_true(media_hears(MSG_JOIN_STREAMS, &n));
	assert_int_equal(m.join_streams.caller.gen, n.join_streams.caller.gen);
}

static void
a_silent_side_is_ended_only_when_it_knows_no_call(void **state)
{
	struct ua_call *c = dials(anna, "112");
	struct msg m;

	media_is_there();
	assert_non_null(noted(c, UA_ANSWERED));
	assert_true(media_hears(MSG_JOIN_STREAMS, &m));
	m.stream_silent.stream = m.join_streams.caller;
	m.type = MSG_STREAM_SILENT;
	room_tell(ROOM_MEDIA, &m);
	(void)ua_run(world, NOT, NULL, NULL);
	assert_false(c->over);
	c->over = true; /* his phone has started again */
	room_tell(ROOM_MEDIA, &m);
	assert_non_null(noted(called(carrier), UA_BYE));
}

static uint32_t
drained(void)
{
	struct msg m;

	assert_true(room_hears(ROOM_KEEPER, MSG_DRAINED, &m, NULL, SOON));
	return m.drained.calls;
}

static void
a_house_that_leaves_waits_for_it_and_one_that_must_says_goodbye(void **state)
{
	struct msg m = { .type = MSG_DRAIN,
		.drain = { .on = true, .die = true } };
	struct ua_call *c;

	room_tell(ROOM_KEEPER, &m);
	assert_int_equal(drained(), 0);
	c = dials(anna, "112"); /* no reason not to help */
	assert_non_null(noted(c, UA_ANSWERED));
	assert_int_equal(drained(), 1);
	ua_hang_up(c, NULL);
	assert_int_equal(drained(), 0);
	carrier->calls = NULL;
	c = dials(anna, "112");
	assert_non_null(noted(c, UA_ANSWERED));
	assert_int_equal(drained(), 1);
	m.drain.now = true;
	room_tell(ROOM_KEEPER, &m);
	assert_non_null(noted(c, UA_BYE));
	assert_non_null(noted(called(carrier), UA_BYE));
	while (ended(&m) && m.emergency_ended.cause == CAUSE_CALLER_LEFT)
		;
	assert_int_equal(m.emergency_ended.cause, CAUSE_DRAIN);
}

int
main(int argc, char **argv)
{
#define T(t)    cmocka_unit_test_setup_teardown(t, setup, teardown)
#define OPEN(t) cmocka_unit_test_setup_teardown(t, setup_open, teardown)
#define FEW(t)  cmocka_unit_test_setup_teardown(t, setup_few, teardown)
	const struct CMUnitTest tests[] = {
		T(an_agent_s_call_is_routed_and_joined_without_hf_call),
		T(hf_call_hears_of_no_leg_of_it),
		T(the_number_to_call_back_goes_along),
		T(his_record_is_told_until_it_is_noted),
		T(the_urn_of_rfc_5031_is_the_number),
		T(another_urn_is_refused_as_ever),
		T(where_he_is_goes_along),
		T(a_location_too_long_does_not_hold_him_up),
		T(who_is_not_known_is_asked_who_he_is),
		cmocka_unit_test_setup_teardown(
		    whoever_guesses_beside_him_he_is_heard, setup_strict,
		    teardown),
		T(callers_of_another_trunk_are_hf_call_s),
		OPEN(callers_of_another_trunk_are_hf_call_s),
		OPEN(where_the_house_says_so_a_stranger_is_let_out),
		T(one_more_than_there_are_streams_for_is_refused),
		T(a_table_full_of_other_calls_has_room),
		FEW(no_transaction_is_too_many_for_it),
		T(one_who_offers_nothing_is_joined_when_he_answers),
		T(a_call_does_not_go_round_for_ever),
		T(who_calls_for_help_is_not_rung),
		T(who_was_silent_is_asked_again_with_patience),
		T(who_only_tries_does_not_hold_him_up),
		T(a_trunk_that_is_given_up_is_let_go),
		T(the_newest_call_makes_room_and_no_other),
		T(an_emergency_call_is_ended_for_none),
		T(hf_media_hears_all_when_it_is_there_again),
		T(a_house_that_leaves_waits_for_it_and_one_that_must_says_goodbye),
		T(a_silent_side_is_ended_only_when_it_knows_no_call),
	};

	program = room_program(argc, argv);
	room_join(ROOM_CALL);
	room_join(ROOM_MEDIA);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
