/*
 * hf-sip, and who was turned away by it: the test is the carrier whose callers
 * they are, and hf-call, which writes them down.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/sip/msg.h"
#include "tests/room/sip_room.h"

enum { NOT = 200, DIALOGS = 16, FLOOD = 60, A_SECOND = 10 };
#define PCMA "8"
#define G726 "2"

static int carrier = -1, beggar = -1;
static char carriers[HF_ADDR_TEXT_MAX], beggars[HF_ADDR_TEXT_MAX];

static int
setup(void **state)
{
	struct timeval soon = { .tv_sec = SOON / 1000 };

	sip_room_begin();
	conf.sip.dialogs = DIALOGS;
	carrier = own_socket(room_ip(2), carriers);
	beggar = own_socket(room_ip(3), beggars);
	(void)setsockopt(carrier, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	(void)setsockopt(beggar, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	conf.trunks = 1;
	conf.trunk[0].used = true;
	strcpy(conf.trunk[0].name, "carrier");
	conf.trunk[0].peers = 1;
	assert_true(
	    hf_net_parse(hf_slice_of(room_ip(2)), &conf.trunk[0].peer[0]));
	sip_room_start();
	return 0;
}

static int
teardown(void **state)
{
	close(carrier);
	close(beggar);
	return sip_room_over(state);
}

/* ---- callers ------------------------------------------------------------- */

/* What makes this caller a special one. */
struct caller {
	const char *method; /* NULL: INVITE */
	const char *uri;    /* NULL: the number */
	const char *lines;  /* more headers */
	const char *codec;  /* NULL: one that we speak */
	int hops;           /* 0: 70; -1: none left */
	int n;              /* the nth call; CANCEL names the same */
};

static void
calls(int fd, const struct caller *c)
{
	const char *method = c->method != NULL ? c->method : "INVITE";
	const char *at = fd == carrier ? carriers : beggars;
	char text[4096], sdp[512];

	snprintf(sdp, sizeof(sdp),
	    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
	    "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP %s\r\n",
	    c->codec != NULL ? c->codec : PCMA);
	if (strcmp(method, "INVITE") != 0)
		sdp[0] = '\0';
	snprintf(text, sizeof(text),
	    "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKturned%d\r\n"
	    "Max-Forwards: %d\r\nFrom: <sip:+33612345678@%s>;tag=c%d\r\n"
	    "To: <sip:+33400000000@lyon>\r\nCall-ID: turned-%d\r\n"
	    "CSeq: 1 %s\r\nContact: <sip:c@%s>\r\n%s%s"
	    "Content-Length: %zu\r\n\r\n%s",
	    method, c->uri != NULL ? c->uri : "sip:+33400000000@lyon", at, c->n,
	    c->hops < 0 ? 0 : 70, at, c->n, c->n, method, at,
	    c->lines != NULL ? c->lines : "",
	    sdp[0] != '\0' ? "Content-Type: application/sdp\r\n" : "",
	    strlen(sdp), sdp);
	say(fd, text);
}

/* The final answer to that INVITE; 0: none, with these flags for recv(2). */
static unsigned
answer_to(int fd, int n, int flags)
{
	static char bytes[8192];
	static struct sip_msg m;
	char id[32];

	snprintf(id, sizeof(id), "turned-%d", n);
	for (;;) {
		ssize_t got = recv(fd, bytes, sizeof(bytes), flags);

		if (got < 0)
			return 0;
		assert_int_equal(
		    sip_parse((struct hf_slice){ bytes, (size_t)got }, &m)
			.parsed,
		    SIP_GOOD);
		if (m.status >= 200 && m.cseq_method == SIP_INVITE &&
		    hf_slice_eq(m.call_id, hf_slice_of(id)))
			return m.status;
	}
}

static unsigned
hears(int fd, int n)
{
	unsigned status = answer_to(fd, n, 0);

	if (status == 0)
		fail_msg("no answer for %d", n);
	return status;
}

/* Told to hf-call, or refused? Whichever comes first. */
static unsigned
refused(int fd, int n)
{
	struct msg m;

	for (int ms = 0; ms < SOON; ms += 10) {
		unsigned status = answer_to(fd, n, MSG_DONTWAIT);

		if (status != 0 ||
		    room_hears(ROOM_CALL, MSG_LEG_ARRIVED, &m, NULL, 10))
			return status;
	}
	fail_msg("neither told of nor answered: %d", n);
	return 0;
}

static struct msg
recorded(unsigned code, enum cause cause)
{
	struct msg m;

	if (!room_hears(ROOM_CALL, MSG_LEG_TURNED_AWAY, &m, NULL, SOON))
		fail_msg("nobody hears of the %u", code);
	assert_int_equal(m.leg_turned_away.code, code);
	assert_int_equal(m.leg_turned_away.cause, cause);
	assert_int_equal(m.leg_turned_away.trunk, 0);
	assert_int_equal(m.leg_turned_away.agent, CONF_NONE);
	assert_string_equal(m.leg_turned_away.number, "+33400000000");
	assert_string_equal(m.leg_turned_away.from, "+33612345678");
	assert_true(m.leg_turned_away.at.us > 0);
	assert_true(m.leg_turned_away.leg != 0);
	return m;
}

/* ---- the promises -------------------------------------------------------- */

static void
whom_we_cannot_serve_is_written_down(void **state)
{
	static const struct {
		struct caller c;
		unsigned code;
		enum cause cause;
	} rows[] = {
		{ { .codec = G726 }, 488, CAUSE_REFUSED },
		{ { .hops = -1 }, 483, CAUSE_LOOP_DETECTED },
		{ { .lines = "Require: nothing-we-know\r\n" }, 420,
		    CAUSE_REFUSED },
		{ { .lines = "Accept: text/plain\r\n" }, 406, CAUSE_REFUSED },
		{ { .uri = "sips:+33400000000@lyon" }, 416, CAUSE_REFUSED },
		{ { .lines = "Content-Encoding: gzip\r\n" }, 415,
		    CAUSE_REFUSED },
	};
	struct msg m;

	for (int i = 0; i < (int)(sizeof(rows) / sizeof(*rows)); i++) {
		struct caller c = rows[i].c;
		c.n = i;
		calls(carrier, &c);
		assert_int_equal(hears(carrier, i), rows[i].code);
		m = recorded(rows[i].code, rows[i].cause);
		/* His messages are found by the number in his record. */
		(void)trace(m.leg_turned_away.leg);
		assert_true(room_rows() >= 2);
	}
}

static void
a_stranger_is_a_number(void **state)
{
	struct msg m;

	for (int i = 0; i < 20; i++) {
		calls(beggar, &(struct caller){ .n = i, .codec = G726 });
		assert_int_equal(hears(beggar, i), 401);
	}
	assert_false(room_hears(ROOM_CALL, MSG_LEG_TURNED_AWAY, &m, NULL, NOT));
	assert_int_equal(counter("turned_away"), 0);
	assert_int_equal(counter("challenged"), 20);
}

static void
who_came_when_nobody_could_decide_is_told_later(void **state)
{
	room_leaves(ROOM_CALL);
	calls(carrier, &(struct caller){ .n = 1 });
	assert_int_equal(hears(carrier, 1), 503);
	calls(carrier, &(struct caller){ .n = 2, .codec = G726 });
	assert_int_equal(hears(carrier, 2), 488);
	room_returns(ROOM_CALL);
	(void)recorded(503, CAUSE_OUR_FAULT);
	(void)recorded(488, CAUSE_REFUSED);
}

static void
who_gives_up_before_anybody_could_decide_is_told_later(void **state)
{
	room_leaves(ROOM_CALL);
	calls(carrier, &(struct caller){ .n = 1 });
	calls(carrier, &(struct caller){ .n = 1, .method = "CANCEL" });
	assert_int_equal(hears(carrier, 1), 487);
	room_returns(ROOM_CALL);
	(void)recorded(0, CAUSE_CALLER_LEFT);
}

/* hf-call knows him: his end is his leg's. */
static void
who_was_told_of_is_not_told_of_twice(void **state)
{
	struct msg m;

	calls(carrier, &(struct caller){ .n = 1 });
	assert_true(room_hears(ROOM_CALL, MSG_LEG_ARRIVED, &m, NULL, SOON));
	calls(carrier, &(struct caller){ .n = 1, .method = "CANCEL" });
	assert_true(room_hears(ROOM_CALL, MSG_LEG_LEFT, &m, NULL, SOON));
	assert_int_equal(counter("turned_away"), 0);
}

static void
one_more_than_the_house_has_room_for_is_written_down(void **state)
{
	struct msg m;

	for (int i = 0; i < DIALOGS; i++) {
		calls(carrier, &(struct caller){ .n = i });
		assert_true(
		    room_hears(ROOM_CALL, MSG_LEG_ARRIVED, &m, NULL, SOON));
	}
	calls(carrier, &(struct caller){ .n = DIALOGS });
	assert_int_equal(hears(carrier, DIALOGS), 503);
	(void)recorded(503, CAUSE_BUSY);
}

/* Dialogs are left, but nothing to remember a request by. */
static void
no_room_for_a_transaction_is_written_down_too(void **state)
{
	unsigned status;
	int n = 0;

	conf.sip.transactions = DIALOGS / 2;
	sip_room_start();
	do {
		assert_true(n < DIALOGS);
		calls(carrier, &(struct caller){ .n = n });
	} while ((status = refused(carrier, n++)) == 0);
	assert_true(n > 1);
	assert_int_equal(status, 503);
	assert_int_equal(counter("turned_away"), 1);
}

static void
a_flood_while_nobody_writes_is_bounded_and_counted(void **state)
{
	uint64_t told = 0, untold;
	struct msg m;

	room_leaves(ROOM_CALL);
	for (int i = 0; i < FLOOD; i++) {
		calls(carrier, &(struct caller){ .n = i, .codec = G726 });
		assert_int_equal(hears(carrier, i), 488);
	}
	untold = counter("turned_away_untold");
	room_returns(ROOM_CALL);
	while (room_hears(ROOM_CALL, MSG_LEG_TURNED_AWAY, &m, NULL, NOT))
		told++;
	assert_int_equal(told + untold, FLOOD);
	assert_true(told >= A_SECOND);
	assert_true(untold > 0);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(whom_we_cannot_serve_is_written_down),
		T(a_stranger_is_a_number),
		T(who_came_when_nobody_could_decide_is_told_later),
		T(who_gives_up_before_anybody_could_decide_is_told_later),
		T(who_was_told_of_is_not_told_of_twice),
		T(one_more_than_the_house_has_room_for_is_written_down),
		T(no_room_for_a_transaction_is_written_down_too),
		T(a_flood_while_nobody_writes_is_bounded_and_counted),
	};
#undef T

	if (argc != 2)
		return 2;
	program = argv[1];
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip turned", tests, NULL, NULL);
}
