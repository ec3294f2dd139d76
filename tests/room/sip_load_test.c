/*
 * hf-sip, and more than it was made for: who is refused, who is not even read,
 * and that calls that are there do not notice.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/room/sip_room.h"

enum {
	RATE = 5,     /* calls a second */
	ADDRESS = 12, /* requests at once, and one a second later */
	USER = 4,
	MANY = 40,
	QUIET = 300, /* ms */
};

/* The house as the test wants it. */
static void
limited(uint32_t rated, uint32_t trunk, uint32_t address, uint32_t user)
{
	conf.sip.calls_per_s = rated;
	conf.trunk[0].calls_per_s = trunk;
	conf.sip.address_per_s = 1;
	conf.sip.address_burst = address;
	conf.sip.user_per_s = 1;
	conf.sip.user_burst = user;
	sip_room_start();
}

static unsigned
first_answer(int fd)
{
	char text[4096];
	ssize_t n = recv(fd, text, sizeof(text) - 1, 0);

	assert_true(n > (ssize_t)strlen("SIP/2.0 "));
	text[n] = '\0';
	return (unsigned)atoi(text + strlen("SIP/2.0 "));
}

/* Callers of this trunk may call for help, and it is called for them. */
static void
lets_call_for_help(uint16_t trunk)
{
	struct conf_emergency *e = &conf.emergency;

	e->trunk[0] = e->via[0] = trunk;
	e->trunks = e->vias = 1;
}

/* ---- callers without a phone --------------------------------------------- */

static int
from(const char *ip, char *me)
{
	struct timeval quiet = { .tv_usec = QUIET * 1000 };
	int fd = own_socket(ip, me);

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &quiet, sizeof(quiet));
	return fd;
}

static void
dials(int fd, const char *me, const char *method, const char *number, int n)
{
	static const char sdp[] =
	    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\n"
	    "c=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n";
	bool invite = strcmp(method, "INVITE") == 0;
	char text[2048];

	snprintf(text, sizeof(text),
	    "%s sip:%s@lyon SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP %s;branch=z9hG4bKload%d\r\nMax-Forwards: 70\r\n"
	    "From: <sip:+33612345678@lyon>;tag=c%d\r\nTo: <sip:100@lyon>\r\n"
	    "Call-ID: load-%d\r\nCSeq: 1 %s\r\nContact: <sip:c@%s>\r\n"
	    "%sContent-Length: %zu\r\n\r\n%s",
	    method, number, me, n, n, n, method, me,
	    invite ? "Content-Type: application/sdp\r\n" : "",
	    invite ? sizeof(sdp) - 1 : 0, invite ? sdp : "");
	say(fd, text);
}

static void
asks(int fd, const char *me, const char *method, int n)
{
	dials(fd, me, method, "100", n);
}

/* Answers by status, until it is quiet; "Retry-After" in the range with 503. */
static struct {
	unsigned said_100, said_401, said_503, other, after[2];
} got;

static void
listens(int fd)
{
	char text[4096];
	ssize_t n;

	memset(&got, 0, sizeof(got));
	got.after[0] = UINT32_MAX;
	while ((n = recv(fd, text, sizeof(text) - 1, 0)) > 0) {
		unsigned status = (unsigned)atoi(text + strlen("SIP/2.0 "));
		const char *after;

		text[n] = '\0';
		got.said_100 += status == 100;
		got.said_401 += status == 401;
		got.said_503 += status == 503;
		got.other += status != 100 && status != 401 && status != 503;
		if (status != 503)
			continue;
		after = strstr(text, "Retry-After: ");
		assert_non_null(after);
		status = (unsigned)atoi(after + strlen("Retry-After: "));
		if (status < got.after[0])
			got.after[0] = status;
		if (status > got.after[1])
			got.after[1] = status;
	}
	assert_int_equal(errno, EAGAIN);
}

/* ---- the promises -------------------------------------------------------- */

static void
more_calls_than_the_house_is_rated_for_are_sent_away_for_a_while(void **state)
{
	char me[HF_ADDR_TEXT_MAX];
	unsigned arrived = 0, told = 0;
	struct msg m;
	int fd;

	limited(RATE, 0, ADDRESS, USER);
	fd = from(caller->ip, me);
	for (int i = 0; i < MANY; i++)
		asks(fd, me, "INVITE", i);
	listens(fd);
	/* One more where the burst took a fifth of a second. */
	assert_in_range(got.said_100, RATE, RATE + 2);
	assert_int_equal(got.said_503, MANY - got.said_100);
	assert_int_equal(got.other, 0);
	assert_in_range(got.after[0], 5, 7);
	assert_in_range(got.after[1], 8, 10);
	assert_int_equal(counter("refused_house_rate"), got.said_503);
	while (room_hears(ROOM_CALL, MSG_LEG_ARRIVED, &m, NULL, QUIET))
		arrived++;
	assert_int_equal(arrived, got.said_100);
	/* As many are told of as will be written down. */
	assert_int_equal(counter("turned_away"), got.said_503);
	told = (unsigned)(got.said_503 - counter("turned_away_untold"));
	assert_in_range(told, 1, 20);
	close(fd);
}

static void
a_call_that_is_there_goes_on_in_any_crowd(void **state)
{
	char me[HF_ADDR_TEXT_MAX];
	struct ua_call *c;
	int fd, n = 0;

	limited(RATE, 0, ADDRESS, USER);
	(void)up(&c);
	fd = from(caller->ip, me);
	for (int i = 0; i < 5; i++) {
		for (int k = 0; k < MANY; k++)
			asks(fd, me, "INVITE", n++);
		ua_reinvite(c, i % 2 == 0 ? "sendonly" : "sendrecv", false);
		assert_non_null(noted(c, UA_REANSWERED));
	}
	listens(fd);
	assert_true(got.said_503 > 0);
	ua_hang_up(c, NULL);
	assert_non_null(noted(c, UA_LEFT));
	close(fd);
}

static void
one_trunk_has_a_limit_of_its_own(void **state)
{
	char me[HF_ADDR_TEXT_MAX];
	int fd;

	limited(1000, RATE, ADDRESS, USER);
	fd = from(caller->ip, me);
	for (int i = 0; i < MANY; i++)
		asks(fd, me, "INVITE", i);
	listens(fd);
	assert_int_equal(counter("refused_trunk_rate"), got.said_503);
	assert_in_range(got.said_503, MANY - RATE - 2, MANY - RATE);
	close(fd);
}

static void
a_stranger_has_his_share_and_then_silence(void **state)
{
	char me[HF_ADDR_TEXT_MAX], other[HF_ADDR_TEXT_MAX];
	struct msg m;
	int fd, fd2;

	limited(1000, 0, ADDRESS, USER);
	fd = from(stranger->ip, me);
	for (int i = 0; i < MANY; i++)
		asks(fd, me, i % 2 == 0 ? "INVITE" : "REGISTER", i);
	listens(fd);
	assert_int_equal(got.said_401, ADDRESS);
	assert_in_range(got.said_503, ADDRESS, ADDRESS + 1);
	assert_int_equal(got.other, 0);
	assert_in_range(
	    counter("unread"), MANY - 2 * ADDRESS - 1, MANY - 2 * ADDRESS);
	assert_int_equal(counter("addresses_over_rate"), 1);
	assert_int_equal(counter("refused_address_rate"), got.said_503);
	/* He is in nobody's way, and no record of the house's. */
	fd2 = from(second->ip, other);
	asks(fd2, other, "REGISTER", 1);
	listens(fd2);
	assert_int_equal(got.said_401, 1);
	assert_false(
	    room_hears(ROOM_CALL, MSG_LEG_TURNED_AWAY, &m, NULL, QUIET));
	assert_int_equal(counter("turned_away"), 0);
	close(fd);
	close(fd2);
}

static void
a_wrong_password_costs_ten_requests(void **state)
{
	char me[HF_ADDR_TEXT_MAX];
	int fd;

	limited(1000, 0, 2 * ADDRESS, USER);
	/* Two to be asked and to be wrong, and ten. */
	assert_int_equal(registers(anna, "wrong"), 403);
	fd = from(anna->ip, me);
	for (int i = 0; i < 2 * ADDRESS; i++)
		asks(fd, me, "REGISTER", i);
	listens(fd);
	assert_in_range(got.said_401, 2 * ADDRESS - 12, 2 * ADDRESS - 11);
	assert_in_range(got.said_503, 11, 12);
	close(fd);
}

static void
an_agent_has_a_share_wherever_his_phones_are(void **state)
{
	limited(1000, 0, 1000, USER);
	for (int i = 0; i < USER; i++)
		assert_int_equal(registers(anna, "correct horse"), 200);
	assert_int_equal(registers(anna, "correct horse"), 503);
	assert_int_equal(registers(wired, "correct horse"), 503);
	assert_int_equal(counter("refused_agent_rate"), 2);
}

static void
an_emergency_call_is_heard_in_any_crowd(void **state)
{
	char me[HF_ADDR_TEXT_MAX];
	int fd;

	lets_call_for_help(0);
	limited(1, 0, ADDRESS, USER);
	fd = from(caller->ip, me);
	for (int i = 0; i < MANY; i++)
		asks(fd, me, "INVITE", i);
	listens(fd);
	assert_true(got.said_503 > 0);
	dials(fd, me, "INVITE", "112", MANY);
	assert_int_equal(first_answer(fd), 100);
	close(fd);
	fd = from(stranger->ip, me);
	for (int i = 0; i < MANY; i++)
		asks(fd, me, "REGISTER", i);
	listens(fd);
	assert_true(counter("unread") > 0);
	dials(fd, me, "INVITE", "112", MANY + 1);
	listens(fd);
	assert_int_equal(got.said_503, 0);
	assert_true(got.said_401 + got.said_100 > 0);
	close(fd);
}

/* To dial its number is not enough for who may not call for help here. */
static void
who_is_not_let_in_has_no_emergency(void **state)
{
	char me[HF_ADDR_TEXT_MAX];
	int fd;

	limited(1, 0, ADDRESS, USER);
	fd = from(caller->ip, me);
	for (int i = 0; i < MANY; i++)
		dials(fd, me, "INVITE", "112", i);
	listens(fd);
	assert_true(got.said_503 > MANY / 2);
	close(fd);
}

/* What strangers try to be taken for somebody else.  Whoever gets past hf-sip
 * can reach a trunk; nobody does. */
static void
nobody_gets_in_by_what_he_says_of_himself(void **state)
{
	static const struct {
		const char *from, *to_tag, *lines;
	} tries[] = {
		{ "<sip:+33612345678@lyon>", "", "" },
		{ "<sip:anna@lyon>", "", "" },
		{ "<sip:anna@lyon>", "",
		    "P-Asserted-Identity: <sip:anna@lyon>\r\n" },
		{ "<sip:anna@lyon>", "",
		    "P-Preferred-Identity: <sip:anna@lyon>\r\n"
		    "X-Holdfast-Path: lyon/0\r\n" },
		{ "<sip:anna@lyon>", "", "Route: <sip:%s;lr>\r\n" },
		{ "<sip:anna@lyon>", "",
		    "Via: SIP/2.0/UDP %s;branch=z9hG4bKtrunk\r\n" },
		{ "<sip:anna@lyon>", "",
		    "Authorization: Digest username=\"anna\", realm=\"lyon\", "
		    "nonce=\"0\", uri=\"sip:100@lyon\", response=\"\"\r\n" },
		{ "<sip:anna@lyon>", "", "Authorization: Basic YW5uYTp4\r\n" },
		{ "<sip:anna@lyon>", "",
		    "Replaces: x;to-tag=1;from-tag=2\r\n" },
		{ "<sip:anna@lyon>", ";tag=0123456789abcdef", "" },
		{ "<sip:anna@lyon>", ";tag=", "" },
	};
	char me[HF_ADDR_TEXT_MAX], lines[512], text[2048];
	struct msg m;
	int fd = from(stranger->ip, me);

	for (int i = 0; i < (int)(sizeof(tries) / sizeof(*tries)); i++) {
		/* As if it came by way of the trunk. */
		snprintf(lines, sizeof(lines), tries[i].lines, caller->ip);
		snprintf(text, sizeof(text),
		    "INVITE sip:+33612345678@lyon SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP %s;branch=z9hG4bKway%d\r\n%s"
		    "Max-Forwards: 70\r\nFrom: %s;tag=c%d\r\n"
		    "To: <sip:+33612345678@lyon>%s\r\nCall-ID: way-%d\r\n"
		    "CSeq: 1 INVITE\r\nContact: <sip:c@%s>\r\n"
		    "Content-Length: 0\r\n\r\n",
		    me, i, lines, tries[i].from, i, tries[i].to_tag, i, me);
		say(fd, text);
	}
	listens(fd);
	assert_int_equal(got.said_100, 0);
	assert_true(
	    got.said_401 + got.other >= sizeof(tries) / sizeof(*tries) - 1);
	assert_false(room_hears(ROOM_CALL, MSG_LEG_ARRIVED, &m, NULL, QUIET));
	close(fd);
}

/* It says that it belongs to a call, and there is no such call. */
static void
a_tag_that_was_made_up_opens_nothing(void **state)
{
	char me[HF_ADDR_TEXT_MAX], text[1024];
	int fd;

	limited(1000, 0, ADDRESS, USER);
	fd = from(stranger->ip, me);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text),
		    "BYE sip:lyon SIP/2.0\r\n"
		    "Via: SIP/2.0/UDP %s;branch=z9hG4bKload%d\r\n"
		    "From: <sip:a@lyon>;tag=1\r\n"
		    "To: <sip:100@lyon>;tag=0123456789abcdef\r\n"
		    "Call-ID: load-%d\r\nCSeq: 2 BYE\r\nMax-Forwards: 70\r\n"
		    "Content-Length: 0\r\n\r\n",
		    me, i, i);
		say(fd, text);
	}
	listens(fd);
	assert_in_range(got.other, 2 * ADDRESS, 2 * ADDRESS + 1); /* 481 */
	assert_int_equal(got.said_503, 0);
	assert_true(counter("unread") > 0);
	close(fd);
}

/* ---- over TCP ------------------------------------------------------------ */

static int
connects(void)
{
	struct timeval soon = { .tv_sec = SOON / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(connect(fd, (const struct sockaddr *)&house_at.to,
			     sizeof(struct sockaddr_in)),
	    0);
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &soon, sizeof(soon));
	return fd;
}

static bool
is_closed(int fd)
{
	char c;
	ssize_t n = recv(fd, &c, 1, 0);

	return n == 0 || (n < 0 && errno == ECONNRESET);
}

static void
who_holds_a_connection_for_nothing_loses_it(void **state)
{
	static const char word[] = "OPTIONS sip:lyon";
	int fd;

	conf.sip.tcp_partial = hf_ms(1000);
	conf.sip.tcp_idle = hf_ms(60000);
	sip_room_start();
	fd = connects();
	/* A letter now and then. */
	for (size_t i = 0; i < sizeof(word) - 1; i++) {
		if (send(fd, word + i, 1, MSG_NOSIGNAL) < 0)
			break;
		usleep(100 * 1000);
	}
	assert_true(is_closed(fd));
	assert_int_equal(counter("tcp_partial"), 1);
	close(fd);
}

static void
one_address_has_so_many_connections(void **state)
{
	int fd[3];

	conf.sip.tcp_per_address = 2;
	conf.sip.tcp_connections = 64;
	sip_room_start();
	for (int i = 0; i < 3; i++)
		fd[i] = connects();
	assert_true(is_closed(fd[2]));
	assert_int_equal(counter("tcp_refused"), 1);
	assert_int_equal(counter("connections"), 2);
	for (int i = 0; i < 3; i++)
		close(fd[i]);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, sip_room_usual, sip_room_over)
	const struct CMUnitTest tests[] = {
		T(more_calls_than_the_house_is_rated_for_are_sent_away_for_a_while),
		T(a_call_that_is_there_goes_on_in_any_crowd),
		T(one_trunk_has_a_limit_of_its_own),
		T(a_stranger_has_his_share_and_then_silence),
		T(a_wrong_password_costs_ten_requests),
		T(an_agent_has_a_share_wherever_his_phones_are),
		T(an_emergency_call_is_heard_in_any_crowd),
		T(who_is_not_let_in_has_no_emergency),
		T(nobody_gets_in_by_what_he_says_of_himself),
		T(who_holds_a_connection_for_nothing_loses_it),
		T(one_address_has_so_many_connections),
		T(a_tag_that_was_made_up_opens_nothing),
	};
#undef T

	if (argc != 2)
		return 2;
	program = argv[1];
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip load", tests, NULL, NULL);
}
