/*
 * hf-sip as a process: phones of the tests on one side, the test plays
 * hf-call on the other.
 */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "proc/snapshot.h"
#include "tests/lib/ua.h"
#include "tests/room/keeper.h"

enum { SOON = 2000, PORT = 21000, NR_HELPERS = 2, GUESSES = 4 };
#define OURS (1ULL << 63)

static const char *program;
static char dir[64];
static struct conf conf;
static struct conf_secrets secrets;
static struct ua_world *w;
static struct ua *caller, *bot, *second, *anna, *wired, *stranger, *named;
static char house[64];
static struct ua_where house_at;
static int udp = -1, tcp = -1;

static int
bound(int type, struct hf_addr *at)
{
	struct sockaddr_storage ss;
	socklen_t n = hf_addr_to_sockaddr(at, AF_INET, &ss);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, n), 0);
	n = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	assert_true(hf_addr_from_sockaddr((struct sockaddr *)&ss, at));
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* The keeper keeps the sockets: a restarted room gets copies of the same. */
static void
hand_sockets(void)
{
	struct msg m = { .type = MSG_SECRETS };

	room_tell_fd(ROOM_KEEPER, &m,
	    snapshot_make("secrets", &secrets, sizeof(secrets)));
	m = (struct msg){ .type = MSG_SOCKET };
	m.socket.count = 1;
	strcpy(m.socket.what, "sip-udp");
	room_tell_fd(ROOM_KEEPER, &m, dup(udp));
	strcpy(m.socket.what, "sip-tcp");
	room_tell_fd(ROOM_KEEPER, &m, dup(tcp));
}

static struct conf_target
target(const struct ua *u)
{
	struct conf_target t = { .transport = CONF_UDP };
	char at[80];

	snprintf(at, sizeof(at), "%s:%d", u->ip, u->port);
	assert_true(hf_addr_parse(hf_slice_of(at), &t.addr));
	strcpy(t.user, "bot");
	snprintf(t.uri, sizeof(t.uri), "sip:bot@%s", at);
	return t;
}

static void
configure(void)
{
	room_configure(&conf, "site: lyon\n"
			      "sip:\n"
			      "  dialogs: 64\n"
			      "  transactions: 256\n"
			      "  tcp_connections: 16\n"
			      "  tcp_idle: 1s\n"
			      "  expires_min: 10s\n"
			      "  trace_bytes: 64K\n");
	conf.trunks = 1;
	conf.helpers = 3;
	conf.agents = 1;
	conf.sip.guesses = GUESSES;
	conf.sip.md5_agents = 1;
	strcpy(conf.sip.md5_agent[0], "old phone 1.");
	conf.trunk[0].used = 1;
	conf.trunk[0].peers = 1;
	assert_true(
	    hf_net_parse(hf_slice_of(caller->ip), &conf.trunk[0].peer[0]));
	conf.helper[0].used = 1;
	conf.helper[0].targets = NR_HELPERS;
	conf.helper[0].to[0] = target(bot);
	conf.helper[0].to[1] = target(second);
	/* A name that /etc/hosts knows. */
	conf.helper[1].used = 1;
	conf.helper[1].targets = 1;
	conf.helper[1].to[0] = target(named);
	conf.helper[1].to[0].addr.family = 0;
	strcpy(conf.helper[1].to[0].host, "localhost");
	/* One that can be called, and one that cannot. */
	conf.helper[2].used = 1;
	conf.helper[2].targets = 2;
	conf.helper[2].to[0] = target(bot);
	conf.helper[2].to[1] = target(second);
	conf.helper[2].to[1].transport = CONF_TLS;
	conf.agent[0].used = 1;
	strcpy(conf.agent[0].name, "anna");
	strcpy(conf.agent[0].extension, "201");
	strcpy(conf.agent[0].realm, "lyon");
	secrets = (struct conf_secrets){ .magic = CONF_MAGIC,
		.version = CONF_VERSION,
		.size = sizeof(secrets) };
	strcpy(secrets.agent[0], "correct horse");
	strcpy(dir, "/tmp/hf-room-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(conf.keeper.run_dir, sizeof(conf.keeper.run_dir), "%s", dir);
}

static int
setup(void **state)
{
	struct hf_addr a;
	char ip[4][32];

	(void)state;
	for (int i = 0; i < 4; i++)
		snprintf(ip[i], sizeof(ip[i]), "127.%d.%d.%d",
		    20 + getpid() % 200, getpid() / 200 % 250, i + 1);
	w = ua_world_new();
	caller = ua_new(w, "caller", ip[1], UA_UDP, 1);
	bot = ua_new(w, "bot", ip[2], UA_UDP, 2);
	second = ua_new(w, "second", ip[2], UA_UDP, 3);
	anna = ua_new(w, "anna", ip[3], UA_UDP, 4);
	wired = ua_new(w, "wired", ip[3], UA_TCP, 4);
	named = ua_new(w, "named", "127.0.0.1", UA_UDP, 6);
	stranger = ua_new(w, "stranger", ip[3], UA_UDP, 5);
	assert_true(hf_addr_parse_ip(hf_slice_of(ip[0]), &a));
	udp = bound(SOCK_DGRAM, &a);
	tcp = bound(SOCK_STREAM, &a);
	hf_addr_text(&a, house);
	a.port = 0;
	configure();
	{
		struct sockaddr_storage ss;
		socklen_t n = sizeof(ss);

		assert_int_equal(
		    getsockname(udp, (struct sockaddr *)&ss, &n), 0);
		assert_true(hf_addr_from_sockaddr((struct sockaddr *)&ss, &a));
		hf_addr_text(&a, house);
	}
	house_at = ua_where(house);
	room_prepare(hand_sockets);
	room_start(program, ROOM_SIP, &conf);
	return 0;
}

static int
teardown(void **state)
{
	char rm[128];

	(void)state;
	room_kill();
	ua_world_free(w);
	close(udp);
	close(tcp);
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	return system(rm);
}

/* ---- waiting for either side --------------------------------------------- */

/* The next fact of this kind, while the phones go on. */
static bool
fact(enum msg_type type, struct msg *out)
{
	int64_t until = ua_now() + SOON * 1000;

	while (ua_now() < until) {
		(void)ua_run(w, 2, NULL, NULL);
		if (room_hears(ROOM_CALL, type, out, NULL, 1))
			return true;
	}
	return false;
}

struct wait {
	struct ua_call *call;
	enum ua_event what;
};

static bool
is_noted(void *arg)
{
	struct wait *x = arg;

	return ua_noted(x->call, x->what, 0) != NULL;
}

static const struct ua_note *
noted(struct ua_call *c, enum ua_event what)
{
	struct wait x = { c, what };

	return ua_run(w, SOON, is_noted, &x) ? ua_noted(c, what, 0) : NULL;
}

static uint64_t
arrives(struct ua_call **call)
{
	struct msg m;

	*call = ua_invite(caller, house_at, "+33400000000");
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_string_equal(m.leg_arrived.number, "+33400000000");
	assert_int_equal(m.leg_arrived.trunk, 0);
	assert_int_not_equal(m.leg_arrived.media.codec, CODEC_NONE);
	return m.leg_arrived.leg;
}

static void
ring_row(uint64_t leg, enum to kind, uint16_t row)
{
	struct msg m = { .type = MSG_RING_LEG };

	m.ring_leg.leg = leg;
	m.ring_leg.kind = kind;
	m.ring_leg.row = row;
	m.ring_leg.port = PORT;
	m.ring_leg.hops = 60;
	strcpy(m.ring_leg.from, "+33612345678");
	m.ring_leg.give_up = hf_ms(10000);
	room_tell(ROOM_CALL, &m);
}

static void
ring(uint64_t leg, enum to kind)
{
	ring_row(leg, kind, 0);
}

static void
order(enum msg_type type, uint64_t leg)
{
	struct msg m = { .type = type };

	switch (type) {
	case MSG_ANSWER_LEG:
		m.answer_leg.leg = leg;
		m.answer_leg.port = PORT + 2;
		break;
	case MSG_DROP_LEG:
		m.drop_leg.leg = leg;
		break;
	default:
		fail();
	}
	room_tell(ROOM_CALL, &m);
}

/* A caller and the bot, talking. */
static uint64_t
up(struct ua_call **call)
{
	uint64_t leg = arrives(call);
	struct msg m;

	ring(leg | OURS, TO_HELPER);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (leg | OURS));
	order(MSG_ANSWER_LEG, leg);
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	assert_non_null(noted(*call, UA_ANSWERED));
	return leg;
}

/* ---- stories ------------------------------------------------------------- */

static void
without_hf_call_a_new_call_hears_503_after_a_short_wait(void **state)
{
	struct ua_call *c = ua_invite(caller, house_at, "100");
	const struct ua_note *n = noted(c, UA_REFUSED);

	(void)state;
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

	(void)state;
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
	order(MSG_DROP_LEG, leg | OURS);
	assert_non_null(noted(b, UA_BYE));
}

static void
a_bot_that_says_agent_has_yielded(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	(void)state;
	ua_hang_up(ua_current(bot), "SIP;cause=200;text=\"agent\"");
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == (leg | OURS));
	assert_int_equal(m.leg_left.cause, CAUSE_YIELDED);
}

static bool
is_busy_told(void *arg)
{
	const struct ua_call *c = arg;
	const struct ua_note *n = &c->note[c->notes - 1];

	return n->what == UA_NOTIFIED &&
	       strncmp(n->text, "SIP/2.0 486", strlen("SIP/2.0 486")) == 0;
}

static void
hold_info_and_refer_are_told(void **state)
{
	const struct ua_note *n;
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	(void)state;
	ua_reinvite(c, "sendonly", false);
	assert_true(fact(MSG_LEG_REOFFERED, &m));
	assert_int_equal(m.leg_reoffered.media.direction, DIRECTION_RECVONLY);
	ua_inform(ua_current(bot), "application/dtmf-relay", "Signal=1");
	assert_true(fact(MSG_LEG_INFO, &m));
	assert_true(m.leg_info.leg == (leg | OURS));
	ua_refer(ua_current(bot), "%2B33611111111;phone-context=x");
	assert_true(fact(MSG_LEG_REFERRED, &m));
	assert_string_equal(m.leg_referred.target, "+33611111111");
	n = noted(ua_current(bot), UA_NOTIFIED);
	assert_non_null(n);
	assert_int_equal(strncmp(n->text, "SIP/2.0 100", 11), 0);
	m = (struct msg){ .type = MSG_REPORT_REFER };
	m.report_refer.leg = leg | OURS;
	m.report_refer.code = 486;
	room_tell(ROOM_CALL, &m);
	assert_true(ua_run(w, SOON, is_busy_told, ua_current(bot)));
}

static void
an_info_that_cannot_be_passed_on_is_refused(void **state)
{
	struct ua_call *c;
	char much[600];
	struct msg m;

	(void)state;
	(void)up(&c);
	memset(much, 'x', sizeof(much) - 1);
	much[sizeof(much) - 1] = '\0';
	ua_inform(c, "text/plain", much);
	ua_inform(c, "text/plain", "short");
	assert_true(fact(MSG_LEG_INFO, &m));
	assert_int_equal(m.leg_info.body.n, 5);
}

static void
a_dead_target_is_passed_over_in_milliseconds(void **state)
{
	struct msg m;
	int64_t begin;

	(void)state;
	ua_close(bot);
	begin = ua_now();
	ring(OURS | 7, TO_HELPER);
	assert_true(fact(MSG_LEG_TRIED, &m));
	assert_true(ua_now() - begin < 200000);
	assert_int_equal(m.leg_tried.target, 1);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_int_equal(m.leg_answered.target, 1);
	order(MSG_DROP_LEG, OURS | 7);
	ua_close(second);
	begin = ua_now();
	ring(OURS | 8, TO_HELPER);
	assert_true(fact(MSG_LEG_REFUSED, &m));
	assert_true(ua_now() - begin < 200000);
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

	(void)state;
	/* Silent until the next one should have its turn. */
	bot->manner.no_100 = true;
	bot->manner.ring_ms = -1;
	bot->manner.answer_ms = 1300;
	ring_row(OURS | 7, TO_HELPER, 2);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_int_equal(m.leg_answered.target, 0);
	origin(bot->calls, first, sizeof(first));
	m = (struct msg){ .type = MSG_HOLD_LEG };
	m.hold_leg.leg = OURS | 7;
	m.hold_leg.direction = DIRECTION_SENDONLY;
	room_tell(ROOM_CALL, &m);
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

	(void)state;
	/* Not yet found means refused; hf-call would try again later. */
	for (int i = 0; i < 50; i++) {
		(void)ua_run(w, 20, NULL, NULL);
		ring_row(++leg, TO_HELPER, 1);
		if (!room_hears(ROOM_CALL, MSG_LEG_REFUSED, &m, NULL, 20))
			break;
	}
	ring_row(++leg, TO_HELPER, 1);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_non_null(named->calls);
}

static void
a_stranger_is_asked_who_he_is_and_may_ask_whether_we_live(void **state)
{
	struct ua_call *c = ua_invite(stranger, house_at, "100");
	const struct ua_note *n = noted(c, UA_REFUSED);

	(void)state;
	assert_non_null(n);
	assert_int_equal(n->code, 401);
	n = noted(ua_options(stranger, house_at), UA_OPTIONED);
	assert_non_null(n);
	assert_int_equal(n->code, 200);
}

/* What a phone that calls itself so is asked when it registers. */
static void
asked_of(const char *user_agent, char *to, size_t cap)
{
	struct sockaddr_storage ss;
	socklen_t n = sizeof(ss);
	struct hf_addr here;
	char at[HF_ADDR_TEXT_MAX], text[1024];
	int fd;
	ssize_t got;

	assert_true(hf_addr_parse_ip(hf_slice_of(stranger->ip), &here));
	fd = bound(SOCK_DGRAM, &here);
	hf_addr_text(&here, at);
	snprintf(text, sizeof(text),
	    "REGISTER sip:lyon SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP %s;branch=z9hG4bK-%s\r\n"
	    "From: <sip:anna@lyon>;tag=1\r\nTo: <sip:anna@lyon>\r\n"
	    "Call-ID: %s\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n"
	    "Contact: <sip:anna@%s>\r\nUser-Agent: %s\r\n"
	    "Content-Length: 0\r\n\r\n",
	    at, at, at, at, user_agent);
	assert_int_equal(getsockname(udp, (struct sockaddr *)&ss, &n), 0);
	assert_int_equal(
	    sendto(fd, text, strlen(text), 0, (struct sockaddr *)&ss, n),
	    (ssize_t)strlen(text));
	got = recv(fd, to, cap - 1, 0);
	assert_true(got > 0);
	to[got] = '\0';
	close(fd);
}

static void
only_a_phone_that_would_give_up_is_asked_for_md5_alone(void **state)
{
	char answer[4096];

	(void)state;
	asked_of("Old Phone 1.7 (a comment)", answer, sizeof(answer));
	assert_non_null(strstr(answer, "algorithm=MD5"));
	assert_null(strstr(answer, "algorithm=SHA-256"));
	asked_of("Old Phone 2.0", answer, sizeof(answer));
	assert_non_null(strstr(answer, "algorithm=SHA-256"));
	assert_true(strstr(answer, "algorithm=SHA-256") <
		    strstr(answer, "algorithm=MD5"));
}

static void
an_unknown_name_and_a_wrong_password_look_the_same(void **state)
{
	const struct ua_note *n;

	(void)state;
	strcpy(anna->user, "anna");
	strcpy(anna->secret, "wrong");
	n = noted(ua_register(anna, house_at, 60), UA_REGISTERED);
	assert_non_null(n);
	assert_int_equal(n->code, 403);
	strcpy(anna->user, "nobody");
	n = noted(ua_register(anna, house_at, 60), UA_REGISTERED);
	assert_non_null(n);
	assert_int_equal(n->code, 403);
}

static uint16_t
registers(const char *secret)
{
	const struct ua_note *n;

	strcpy(anna->user, "anna");
	strcpy(anna->secret, secret);
	n = noted(ua_register(anna, house_at, 60), UA_REGISTERED);
	assert_non_null(n);
	return (uint16_t)n->code;
}

static void
who_guesses_is_not_listened_to_for_a_while(void **state)
{
	struct msg m;

	(void)state;
	for (int i = 0; i < GUESSES - 1; i++)
		assert_int_equal(registers("wrong"), 403);
	assert_int_equal(registers("correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	assert_int_equal(registers("wrong"), 403);
	/* He cannot tell that this one was right. */
	assert_int_equal(registers("correct horse"), 403);
}

static void
an_agent_comes_is_rung_calls_and_goes(void **state)
{
	const struct ua_note *n;
	struct ua_call *c;
	struct msg m;

	(void)state;
	strcpy(anna->user, "anna");
	strcpy(anna->secret, "correct horse");
	/* Behind NAT: what she says of herself leads nowhere. */
	strcpy(anna->manner.nat_ip, "10.9.9.9");
	n = noted(ua_register(anna, house_at, 60), UA_REGISTERED);
	assert_non_null(n);
	assert_int_equal(n->code, 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	ring(OURS | 9, TO_AGENT);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_int_equal(m.leg_answered.media.latch, LATCH_HOST);
	order(MSG_DROP_LEG, OURS | 9);
	assert_non_null(noted(anna->calls, UA_BYE));
	c = ua_invite(anna, house_at, "*1");
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_int_equal(m.leg_arrived.agent, 0);
	assert_int_equal(m.leg_arrived.trunk, CONF_NONE);
	assert_string_equal(m.leg_arrived.from, "201");
	order(MSG_ANSWER_LEG, m.leg_arrived.leg);
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	ua_hang_up(c, NULL);
	assert_true(fact(MSG_LEG_LEFT, &m));
	(void)ua_register(anna, house_at, 0);
	assert_true(fact(MSG_AGENT_WENT, &m));
}

static void
a_new_password_ends_what_the_old_one_began(void **state)
{
	struct msg m = { .type = MSG_SECRETS }, f;

	(void)state;
	strcpy(anna->user, "anna");
	strcpy(anna->secret, "correct horse");
	ua_register(anna, house_at, 600);
	assert_true(fact(MSG_AGENT_CAME, &f));
	strcpy(secrets.agent[0], "battery staple");
	room_tell_fd(ROOM_KEEPER, &m,
	    snapshot_make("secrets", &secrets, sizeof(secrets)));
	assert_true(fact(MSG_AGENT_WENT, &f));
	assert_int_equal(f.agent_went.agent, 0);
}

static void
who_restarts_hears_the_whole_picture(void **state)
{
	struct msg m;

	(void)state;
	assert_true(fact(MSG_SIP_STARTED, &m));
	assert_int_equal(m.sip_started.dialogs, 0);
}

/* ---- odd offers, odd answers --------------------------------------------- */

static void
hold(uint64_t leg)
{
	struct msg m = { .type = MSG_HOLD_LEG };

	m.hold_leg.leg = leg;
	m.hold_leg.direction = DIRECTION_SENDONLY;
	room_tell(ROOM_CALL, &m);
}

static void
a_late_offer_is_answered_in_the_ack_and_told(void **state)
{
	struct ua_call *c;
	struct msg m;

	(void)state;
	caller->manner.late_offer = true;
	c = ua_invite(caller, house_at, "100");
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_int_equal(m.leg_arrived.media.codec, CODEC_NONE);
	order(MSG_ANSWER_LEG, m.leg_arrived.leg);
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	assert_int_not_equal(m.leg_confirmed.media.codec, CODEC_NONE);
	assert_int_not_equal(m.leg_confirmed.media.rtp.port, 0);
	assert_non_null(noted(c, UA_ANSWERED));
}

static void
two_offers_that_meet_are_both_refused_and_ours_comes_again(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	const struct ua_note *n;

	(void)state;
	(void)ua_run(w, 50, NULL, NULL);
	hold(leg);
	/* It is on its way, and the phone has not looked. */
	usleep(50000);
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

	(void)state;
	conf.sip.t1 = hf_ms(50); /* 64 of them are 3.2 s */
	room_kill();
	room_start(program, ROOM_SIP, &conf);
	leg = up(&c);
	c->speechless = true;
	hold(leg);
	left = fact(MSG_LEG_LEFT, &m) || fact(MSG_LEG_LEFT, &m);
	assert_true(left);
	assert_true(m.leg_left.leg == leg);
	assert_int_equal(m.leg_left.cause, CAUSE_TIMEOUT);
}

/* A socket of the test's own at that address, and what comes to it. */
static char came[65536];

static bool
comes(int fd, const char *begin)
{
	int64_t until = ua_now() + SOON * 1000;

	while (ua_now() < until) {
		ssize_t n;

		(void)ua_run(w, 2, NULL, NULL);
		n = recv(fd, came, sizeof(came) - 1, MSG_DONTWAIT);
		if (n <= 0)
			continue;
		came[n] = '\0';
		if (strncmp(came, begin, strlen(begin)) == 0)
			return true;
	}
	return false;
}

static void
say(int fd, const char *text)
{
	assert_true(sendto(fd, text, strlen(text), 0,
			(const struct sockaddr *)&house_at.to,
			sizeof(struct sockaddr_in)) > 0);
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
	struct hf_addr at;
	char text[4096], me[64];
	struct ua_call *c, *b;
	int fd, n;

	(void)up(&c);
	(void)state;
	b = ua_current(bot);
	assert_true(hf_addr_parse_ip(hf_slice_of(second->ip), &at));
	fd = bound(SOCK_DGRAM, &at);
	hf_addr_text(&at, me);
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
	assert_true(comes(fd, "ACK "));
	assert_non_null(strstr(came, ";tag=fork"));
	assert_true(comes(fd, "BYE "));
	assert_non_null(strstr(came, ";tag=fork"));
	/* The call with the first goes on. */
	assert_false(b->over);
	close(fd);
}

static void
an_invite_of_more_than_8_kb_hears_513(void **state)
{
	struct hf_addr at;
	char text[12000], me[64];
	struct ua_call *c;
	int fd;

	(void)state;
	assert_true(hf_addr_parse_ip(hf_slice_of(caller->ip), &at));
	fd = bound(SOCK_DGRAM, &at);
	hf_addr_text(&at, me);
	snprintf(text, sizeof(text),
	    "INVITE sip:100@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKb"
	    "\r\nMax-Forwards: 70\r\nFrom: \"%0*d\" <sip:a@b>;tag=1\r\n"
	    "To: <sip:100@%s>\r\nCall-ID: big\r\nCSeq: 1 INVITE\r\n"
	    "Contact: <sip:a@%s>\r\nContent-Length: 0\r\n\r\n",
	    house, me, 9000, 0, house, me);
	say(fd, text);
	assert_true(comes(fd, "SIP/2.0 513 "));
	(void)arrives(&c);
	close(fd);
}

/* Longer than the connection may be idle, and than any may be. */
enum { SILENCE = 5000 };

static void
a_phone_registered_over_tcp_may_be_silent(void **state)
{
	struct ua_call *c;
	struct msg m;

	(void)state;
	strcpy(wired->user, "anna");
	strcpy(wired->secret, "correct horse");
	assert_non_null(noted(ua_register(wired, house_at, 60), UA_REGISTERED));
	assert_true(fact(MSG_AGENT_CAME, &m));
	assert_false(ua_run(w, SILENCE, NULL, NULL));
	assert_false(room_hears(ROOM_CALL, MSG_AGENT_WENT, &m, NULL, 0));
	ring(OURS | 9, TO_AGENT);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	order(MSG_DROP_LEG, OURS | 9);
	c = wired->calls;
	assert_non_null(noted(c, UA_BYE));
	/* Signed off, and still silent: the connection may go now. */
	(void)ua_register(wired, house_at, 0);
	assert_true(fact(MSG_AGENT_WENT, &m));
}

static void
a_mind_that_was_away_hears_what_it_slept_through(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	(void)state;
	room_leaves(ROOM_CALL);
	(void)ua_run(w, 100, NULL, NULL);
	ua_hang_up(c, NULL);
	assert_non_null(noted(c, UA_LEFT));
	room_returns(ROOM_CALL);
	assert_true(fact(MSG_SIP_STARTED, &m));
	assert_int_equal(m.sip_started.dialogs, 1);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (leg | OURS));
	order(MSG_DROP_LEG, leg | OURS);
	assert_non_null(noted(ua_current(bot), UA_BYE));
}

enum { IMPATIENT = 200, NAP = 2 * IMPATIENT };

static void
ring_impatiently(uint64_t leg)
{
	struct msg m = { .type = MSG_RING_LEG };

	m.ring_leg.leg = leg;
	m.ring_leg.kind = TO_HELPER;
	m.ring_leg.port = PORT;
	m.ring_leg.hops = 60;
	m.ring_leg.no_100 = hf_ms(IMPATIENT);
	m.ring_leg.give_up = hf_ms(10000);
	room_tell(ROOM_CALL, &m);
}

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

	(void)state;
	bot->manner.no_100 = true;
	bot->manner.ring_ms = bot->manner.answer_ms = 2 * IMPATIENT;
	ring_impatiently(OURS | 7);
	assert_true(fact(MSG_LEG_UNTRIED, &m));
	assert_true(m.leg_untried.leg == (OURS | 7));
	assert_in_range(ua_now() - began, IMPATIENT * 1000, 900000);
	assert_true(fact(MSG_LEG_TRIED, &m));
}

static void
what_we_sleep_through_is_no_silence_of_the_bots(void **state)
{
	struct msg m;

	(void)state;
	bot->manner.no_100 = true;
	bot->manner.ring_ms = bot->manner.answer_ms = NAP + IMPATIENT / 2;
	ring_impatiently(OURS | 7);
	assert_true(ua_run(w, SOON, is_called, NULL));
	assert_int_equal(kill(room_pid(), SIGSTOP), 0);
	(void)ua_run(w, NAP, NULL, NULL);
	assert_int_equal(kill(room_pid(), SIGCONT), 0);
	assert_false(fact(MSG_LEG_UNTRIED, &m));
	assert_non_null(noted(ua_current(bot), UA_CONFIRMED));
}

static void
a_100_that_lies_unread_counts(void **state)
{
	struct msg m;

	(void)state;
	bot->manner.no_100 = true;
	bot->manner.ring_ms = IMPATIENT / 2;
	bot->manner.answer_ms = 1000;
	ring_impatiently(OURS | 7);
	assert_true(ua_run(w, SOON, is_called, NULL));
	assert_int_equal(kill(room_pid(), SIGSTOP), 0);
	(void)ua_run(w, IMPATIENT + 10, NULL, NULL);
	assert_int_equal(kill(room_pid(), SIGCONT), 0);
	assert_false(fact(MSG_LEG_UNTRIED, &m));
}

static void
dies_and_is_there_again(uint32_t dialogs)
{
	struct msg m;

	room_kill();
	room_start(program, ROOM_SIP, &conf);
	assert_true(fact(MSG_SIP_STARTED, &m));
	assert_int_equal(m.sip_started.dialogs, dialogs);
}

static void
a_call_outlives_the_process(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	struct msg m;

	(void)state;
	dies_and_is_there_again(2);
	/* Its whole picture. */
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	assert_true(m.leg_confirmed.leg == leg);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (leg | OURS));
	assert_int_not_equal(m.leg_answered.media.codec, CODEC_NONE);
	dies_and_is_there_again(2);
	ua_hang_up(c, NULL);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg);
	assert_int_equal(m.leg_left.cause, CAUSE_DONE);
	assert_non_null(noted(c, UA_LEFT));
	order(MSG_DROP_LEG, leg | OURS);
	assert_non_null(noted(ua_current(bot), UA_BYE));
	dies_and_is_there_again(0);
}

static void
a_caller_who_waits_for_an_answer_waits_on(void **state)
{
	struct ua_call *c;
	uint64_t leg = arrives(&c);
	struct msg m;

	(void)state;
	dies_and_is_there_again(1);
	/* The same leg, should hf-call have missed it; and no second one. */
	assert_true(fact(MSG_LEG_ARRIVED, &m));
	assert_true(m.leg_arrived.leg == leg);
	assert_string_equal(m.leg_arrived.number, "+33400000000");
	order(MSG_ANSWER_LEG, leg);
	assert_true(fact(MSG_LEG_CONFIRMED, &m));
	assert_non_null(noted(c, UA_ANSWERED));
	dies_and_is_there_again(1);
	order(MSG_ANSWER_LEG, leg); /* lost, for all that hf-call knows */
	order(MSG_DROP_LEG, leg);
	assert_non_null(noted(c, UA_BYE));
}

static unsigned
calls_of(const struct ua *u)
{
	unsigned n = 0;

	for (const struct ua_call *c = u->calls; c != NULL; c = c->next)
		n++;
	return n;
}

static void
who_is_rung_rings_on(void **state)
{
	struct msg m;

	(void)state;
	bot->manner.answer_ms = -1;
	ring(OURS | 1, TO_HELPER);
	assert_true(fact(MSG_LEG_RANG, &m));
	dies_and_is_there_again(1);
	ring(OURS | 1, TO_HELPER); /* asked again */
	assert_true(fact(MSG_LEG_TRIED, &m));
	(void)ua_run(w, 300, NULL, NULL);
	assert_int_equal(calls_of(bot), 1);
	ua_answer(ua_current(bot));
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	assert_true(m.leg_answered.leg == (OURS | 1));
	assert_non_null(noted(ua_current(bot), UA_CONFIRMED));
	order(MSG_DROP_LEG, OURS | 1);
	assert_non_null(noted(ua_current(bot), UA_BYE));
}

static void
a_leg_that_is_wanted_and_not_there_is_told(void **state)
{
	struct msg m;

	(void)state;
	order(MSG_ANSWER_LEG, 77);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == 77);
	assert_int_equal(m.leg_left.cause, CAUSE_OUR_FAULT);
}

static void
calls_of_long_ago_are_said_goodbye(void **state)
{
	struct ua_call *c, *b;
	uint64_t leg = up(&c);
	char path[128];
	struct msg m;

	(void)state;
	b = ua_current(bot);
	room_kill();
	/* Nobody knows when that was. */
	snprintf(path, sizeof(path), "%s/alive.slots", dir);
	assert_int_equal(unlink(path), 0);
	room_start(program, ROOM_SIP, &conf);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_true(m.leg_left.leg == leg || m.leg_left.leg == (leg | OURS));
	assert_int_equal(m.leg_left.cause, CAUSE_OUR_FAULT);
	assert_true(fact(MSG_LEG_LEFT, &m));
	assert_non_null(noted(c, UA_BYE));
	assert_non_null(noted(b, UA_BYE));
}

static void
phones_are_known_in_the_next_life(void **state)
{
	struct msg m;

	(void)state;
	assert_int_equal(registers("correct horse"), 200);
	assert_true(fact(MSG_AGENT_CAME, &m));
	dies_and_is_there_again(0);
	assert_true(fact(MSG_AGENT_CAME, &m));
	assert_int_equal(m.agent_came.agent, 0);
	ring(OURS | 3, TO_AGENT);
	assert_true(fact(MSG_LEG_ANSWERED, &m));
	order(MSG_DROP_LEG, OURS | 3);
	assert_non_null(noted(anna->calls, UA_BYE));
}

static void
the_trace_and_the_counters_are_told(void **state)
{
	struct ua_call *c;
	uint64_t leg = up(&c);
	char word[32];
	const char *rows;

	(void)state;
	snprintf(word, sizeof(word), "%llu", (unsigned long long)leg);
	rows = room_ask("trace", word, strlen(word) + 1);
	assert_non_null(strstr(rows, "INVITE sip:+33400000000@"));
	assert_non_null(strstr(rows, "SIP/2.0 200 OK"));
	assert_true(room_rows() >= 4);
	rows = room_ask("sip", "", 0);
	assert_non_null(strstr(rows, "name=calls_in|value=1"));
}

/* A row holds 7,000 bytes of it. */
static void
a_long_message_is_traced_whole(void **state)
{
	static char body[7600];
	struct ua_call *c;
	uint64_t leg = up(&c);
	char word[32];
	const char *rows, *first, *rest;

	(void)state;
	memset(body, 'x', sizeof(body) - 5);
	strcpy(body + sizeof(body) - 5, "~end");
	ua_inform(c, "text/plain", body);
	ua_inform(c, "text/plain", "short");
	(void)ua_run(w, 200, NULL, NULL);
	snprintf(word, sizeof(word), "%llu", (unsigned long long)leg);
	rows = room_ask("trace", word, strlen(word) + 1);
	first = strstr(rows, "text=INFO ");
	assert_non_null(first);
	rest = strstr(first, "text_more=x");
	assert_non_null(rest);
	assert_non_null(strstr(rest, "~end|"));
	assert_non_null(strstr(rest, "text=INFO ")); /* and those after it */
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest alone[] = {
		T(without_hf_call_a_new_call_hears_503_after_a_short_wait),
	};
	const struct CMUnitTest joined[] = {
		T(who_restarts_hears_the_whole_picture),
		T(a_call_goes_through_and_both_ends_hear_its_end),
		T(a_bot_that_says_agent_has_yielded),
		T(hold_info_and_refer_are_told),
		T(an_info_that_cannot_be_passed_on_is_refused),
		T(a_dead_target_is_passed_over_in_milliseconds),
		T(a_target_that_cannot_be_called_leaves_the_present_call_alone),
		T(a_helper_known_by_name_is_found),
		T(a_stranger_is_asked_who_he_is_and_may_ask_whether_we_live),
		T(only_a_phone_that_would_give_up_is_asked_for_md5_alone),
		T(an_unknown_name_and_a_wrong_password_look_the_same),
		T(who_guesses_is_not_listened_to_for_a_while),
		T(an_agent_comes_is_rung_calls_and_goes),
		T(a_late_offer_is_answered_in_the_ack_and_told),
		T(two_offers_that_meet_are_both_refused_and_ours_comes_again),
		T(a_phone_that_is_silent_to_an_offer_is_lost),
		T(a_second_answer_of_a_fork_is_acked_and_let_go),
		T(an_invite_of_more_than_8_kb_hears_513),
		T(a_phone_registered_over_tcp_may_be_silent),
		T(a_new_password_ends_what_the_old_one_began),
		T(a_mind_that_was_away_hears_what_it_slept_through),
		T(a_bot_that_says_nothing_is_told_of_in_its_time),
		T(what_we_sleep_through_is_no_silence_of_the_bots),
		T(a_100_that_lies_unread_counts),
		T(a_call_outlives_the_process),
		T(a_caller_who_waits_for_an_answer_waits_on),
		T(who_is_rung_rings_on),
		T(a_leg_that_is_wanted_and_not_there_is_told),
		T(calls_of_long_ago_are_said_goodbye),
		T(phones_are_known_in_the_next_life),
		T(the_trace_and_the_counters_are_told),
		T(a_long_message_is_traced_whole),
	};
#undef T
	int bad;

	if (argc != 2)
		return 2;
	program = argv[1];
	bad = cmocka_run_group_tests_name("hf-sip alone", alone, NULL, NULL);
	room_join(ROOM_CALL);
	return bad + cmocka_run_group_tests_name("hf-sip", joined, NULL, NULL);
}
