/* hf-store as a process: what it called safe is there, whatever happens. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/room/keeper.h"

static const char *program;
static struct conf conf;

static int
setup(void **state)
{
	conf = (struct conf){ .magic = CONF_MAGIC,
		.version = CONF_VERSION,
		.size = sizeof(conf) };
	snprintf(
	    conf.store.dir, sizeof(conf.store.dir), "%s/lib", room_dir(&conf));
	conf.store.commit_every = hf_ms(5);
	conf.store.keep_days = 30;
	room_join(ROOM_CALL);
	room_join(ROOM_REC);
	return 0;
}

static int
teardown(void **state)
{
	room_over();
	return 0;
}

static struct msg
came(uint32_t n)
{
	struct msg m = { .type = MSG_CALL_CAME };

	snprintf(m.call_came.id, sizeof(m.call_came.id), "lyon-1-%u", n);
	m.call_came.at = (struct hf_wall){ 1700000000000000 + n };
	strcpy(m.call_came.ladder, "front");
	return m;
}

static struct msg
rung(uint32_t n)
{
	struct msg m = { .type = MSG_RUNG_ENDED };

	snprintf(m.rung_ended.id, sizeof(m.rung_ended.id), "lyon-1-%u", n);
	strcpy(m.rung_ended.name, "cloud-a");
	m.rung_ended.cause = CAUSE_RTP_STOPPED;
	return m;
}

static void
facts_are_called_safe_and_told_to_who_asks(void **state)
{
	struct msg m = came(1);

	room_start(program, ROOM_STORE, &conf);
	room_tell(ROOM_CALL, &m);
	m = rung(1);
	room_tell(ROOM_CALL, &m);
	do
		assert_true(
		    room_hears(ROOM_CALL, MSG_STORED, &m, NULL, NOT_LONG));
	while (m.stored.seq != 2);
	const char *told = room_ask("why", "last", 4);
	assert_int_equal(room_rows(), 2);
	assert_non_null(strstr(told, "detail=bot:cloud-a: rtp_stopped"));
	assert_string_equal(room_ask("why", "nobody", 6),
	    "there is no such call; see hfctl calls --past 20");
	assert_string_equal(
	    room_ask("dance", "", 0), "hf-store does not know this");
	assert_non_null(strstr(room_ask("journal", "", 0), "state=ok|"));
	assert_string_equal(room_ask("calls",
				"since\0"
				"1",
				7),
	    "");
	assert_true(room_lives());
}

/* The sender as proc/spool does it: all that was not called safe is said
 * again, under its old number, after each death. */
static void
no_death_loses_or_doubles_a_fact(void **state)
{
	enum { CALLS = 600, DEATHS = 12, BOOT = 4711 };
	uint32_t safe = 0; /* facts 1..safe */
	char calls[16];
	struct msg m;

	srand(7);
	for (int death = 0; death <= DEATHS; death++) {
		uint32_t until =
		    CALLS * 2 * ((uint32_t)death + 1) / (DEATHS + 1);

		room_start(program, ROOM_STORE, &conf);
		for (uint32_t seq = safe + 1; seq <= until; seq++) {
			m = seq % 2 == 1 ? came(seq / 2) : rung(seq / 2 - 1);
			room_tell_again(ROOM_CALL, &m, BOOT, seq);
		}
		/* Every second time all of it is in the file and we never hear
		 * of it; otherwise death comes somewhere in between. */
		int wait = death == DEATHS ? NOT_LONG : rand() % 12;
		if (death % 2 == 1)
			usleep(50000);
		while (safe < until &&
		       room_hears(ROOM_CALL, MSG_STORED, &m, NULL, wait))
			if (m.stored.boot == BOOT) {
				assert_true(m.stored.seq >= safe);
				safe = m.stored.seq;
			}
		if (death < DEATHS)
			room_kill();
	}
	assert_int_equal(safe, CALLS * 2);
	memcpy(calls,
	    "limit\0"
	    "1000",
	    10);
	room_ask("calls", calls, 10);
	assert_int_equal(room_rows(), CALLS);
	for (uint32_t n = 0; n < CALLS; n++) {
		char id[40];
		int len = snprintf(id, sizeof(id), "lyon-1-%u", n);
		room_ask("call", id, (size_t)len);
		assert_int_equal(room_rows(), 2);
	}
}

static void
a_drain_ends_it_after_its_senders(void **state)
{
	struct msg m = { .type = MSG_DRAIN, .drain = { .on = 1, .die = 1 } };
	struct msg last = came(9);

	room_start(program, ROOM_STORE, &conf);
	room_tell(ROOM_KEEPER, &m);
	room_tell(ROOM_CALL, &last);
	assert_true(room_lives());
	room_end();
	room_start(program, ROOM_STORE, &conf);
	room_ask("call", "lyon-1-9", 8);
	assert_int_equal(room_rows(), 1);
}

static void
last_words_of_a_sender_are_written_at_once(void **state)
{
	struct msg m = came(9);

	conf.store.commit_every = hf_ms(10000);
	room_start(program, ROOM_STORE, &conf);
	room_tell(ROOM_CALL, &m);
	room_leaves(ROOM_CALL);
	sleep(1); /* it has no way to tell us */
	room_kill();
	room_start(program, ROOM_STORE, &conf);
	room_ask("call", "lyon-1-9", 8);
	assert_int_equal(room_rows(), 1);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(facts_are_called_safe_and_told_to_who_asks),
		T(no_death_loses_or_doubles_a_fact),
		T(a_drain_ends_it_after_its_senders),
		T(last_words_of_a_sender_are_written_at_once),
	};

	program = room_program(argc, argv);
	return cmocka_run_group_tests_name("hf-store", tests, NULL, NULL);
}
