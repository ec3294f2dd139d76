/*
 * hf-sip asks the trunks that calls leave over whether they are there; an
 * operator sees what they said.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/sip/msg.h"
#include "proc/snapshot.h"
#include "tests/room/sip_room.h"

static int carrier = -1;
static char carriers[HF_ADDR_TEXT_MAX];

static void
configured(struct conf_trunk *t, const char *name)
{
	t->used = true;
	strcpy(t->name, name);
	t->peers = 1;
	assert_true(hf_net_parse(hf_slice_of(room_ip(9)), &t->peer[0]));
}

static int
begins(int patience_ms)
{
	sip_room_begin();
	carrier = own_socket(room_ip(2), carriers);
	conf.trunks = 2;
	conf.guard.probe_timeout = hf_ms(patience_ms);
	configured(&conf.trunk[0], "carrier");
	conf.trunk[0].probe_every = hf_ms(100);
	assert_true(
	    hf_addr_parse(hf_slice_of(carriers), &conf.trunk[0].to.addr));
	snprintf(conf.trunk[0].to.uri, sizeof(conf.trunk[0].to.uri), "sip:%s",
	    carriers);
	configured(&conf.trunk[1], "inbound");
	conf.trunk[1].probe_every = hf_ms(100);
	sip_room_start();
	return 0;
}

static int
setup(void **state)
{
	return begins(150);
}

/* For what must not depend on how soon the test answers. */
static int
patient(void **state)
{
	return begins(1000);
}

static int
teardown(void **state)
{
	close(carrier);
	return sip_room_over(state);
}

/* The next question of the house. */
static const char *
asked(void)
{
	return comes(carrier, "OPTIONS ");
}

static void
replies(const char *to, const char *status)
{
	static struct sip_msg m;
	char text[2048];
	const struct sip_header_line *via;

	assert_int_equal(sip_parse(hf_slice_of(to), &m).parsed, SIP_GOOD);
	via = sip_find(&m, SIP_H_VIA, 0);
	snprintf(text, sizeof(text),
	    "SIP/2.0 %s\r\nVia: %.*s\r\nFrom: %.*s\r\nTo: %.*s;tag=c\r\n"
	    "Call-ID: %.*s\r\nCSeq: %u OPTIONS\r\nContent-Length: 0\r\n\r\n",
	    status, (int)via->value.n, via->value.p,
	    (int)sip_find(&m, SIP_H_FROM, 0)->value.n,
	    sip_find(&m, SIP_H_FROM, 0)->value.p,
	    (int)sip_find(&m, SIP_H_TO, 0)->value.n,
	    sip_find(&m, SIP_H_TO, 0)->value.p, (int)m.call_id.n, m.call_id.p,
	    m.cseq);
	say(carrier, text);
}

static bool
is(const char *name, const char *state)
{
	char row[64];

	snprintf(row, sizeof(row), "name=%s|state=%s|", name, state);
	return strstr(room_ask("trunks", "", 0), row) != NULL;
}

/* Within SOON, while nobody answers or somebody does. */
static bool
becomes(const char *name, const char *state, const char *status)
{
	for (int64_t until = ua_now() + SOON * 1000; ua_now() < until;) {
		if (is(name, state))
			return true;
		if (status != NULL)
			replies(asked(), status);
		else
			ua_run(world, 20, NULL, NULL);
	}
	return false;
}

static void
a_trunk_that_stops_answering_is_down_until_it_answers(void **state)
{
	assert_true(is("carrier", "unknown"));
	assert_true(becomes("carrier", "up", "200 OK"));
	assert_true(becomes("carrier", "down", NULL));
	/* It is asked on, and whatever it says it is there. */
	assert_true(becomes("carrier", "up", "405 Method Not Allowed"));
	/* A proxy whose other side is gone is no line to the world. */
	assert_true(becomes("carrier", "down", "503 Service Unavailable"));
	assert_true(becomes("carrier", "up", "401 Unauthorized"));
}

/* A question or its answer was lost on the way. */
static void
one_lost_answer_is_no_news(void **state)
{
	char rest[2048];

	conf.sip.t1 = hf_ms(5000); /* nothing is asked again */
	sip_room_start();
	assert_true(becomes("carrier", "up", "200 OK"));
	while (recv(carrier, rest, sizeof(rest), MSG_DONTWAIT) > 0)
		; /* what came while nobody looked */
	for (int i = 0; i < 5; i++) {
		(void)asked();
		replies(asked(), "200 OK");
		assert_false(is("carrier", "down"));
	}
	assert_true(is("carrier", "up"));
	assert_true(becomes("carrier", "down", NULL));
}

static void
silence_of_one_that_never_answered_means_nothing(void **state)
{
	(void)asked();
	ua_run(world, 400, NULL, NULL);
	(void)asked();
	assert_true(is("carrier", "unknown"));
	assert_true(is("inbound", "unknown"));
}

static void
reload(void)
{
	struct msg m = { .type = MSG_CONFIG };

	room_tell_fd(
	    ROOM_KEEPER, &m, snapshot_make("conf", &conf, sizeof(conf)));
}

static void
after_a_reload_it_is_asked_as_the_file_says_now(void **state)
{
	char was[HF_ADDR_TEXT_MAX];
	int old = carrier;

	assert_true(becomes("carrier", "up", "200 OK"));
	/* The same, asked more seldom: what is known stays known. */
	conf.trunk[0].probe_every = hf_ms(110);
	reload();
	assert_true(is("carrier", "up"));
	/* Another place under the same name is another trunk. */
	memcpy(was, carriers, sizeof(was));
	carrier = own_socket(room_ip(3), carriers);
	assert_true(
	    hf_addr_parse(hf_slice_of(carriers), &conf.trunk[0].to.addr));
	snprintf(conf.trunk[0].to.uri, sizeof(conf.trunk[0].to.uri), "sip:%s",
	    carriers);
	reload();
	assert_true(becomes("carrier", "unknown", NULL));
	assert_true(becomes("carrier", "up", "200 OK"));
	/* Not asked at all. */
	conf.trunk[0].probe_every = hf_ms(0);
	reload();
	assert_true(becomes("carrier", "unknown", NULL));
	close(old);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_trunk_that_stops_answering_is_down_until_it_answers),
		T(one_lost_answer_is_no_news),
		T(silence_of_one_that_never_answered_means_nothing),
		cmocka_unit_test_setup_teardown(
		    after_a_reload_it_is_asked_as_the_file_says_now, patient,
		    teardown),
	};
#undef T

	if (argc != 2)
		return 2;
	program = argv[1];
	room_join(ROOM_CALL);
	return cmocka_run_group_tests_name("hf-sip trunks", tests, NULL, NULL);
}
