/* hf-rec as a process: what a caller said can be heard again. */

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "io/rtp/tap.h"
#include "tests/room/keeper.h"

enum {
	RING = 1 << 16,
	FRAME = 160,
	READ_US = 300000, /* hf-rec has long emptied the ring by then */
};

static const char *program;
static const char *dir;
static struct conf conf;
static struct tap tap;
static int tap_fd = -1;

static int
setup(void **state)
{
	conf = (struct conf){ .magic = CONF_MAGIC,
		.version = CONF_VERSION,
		.size = sizeof(conf),
		.boxes = 1 };
	dir = room_dir(&conf);
	snprintf(conf.store.spool, sizeof(conf.store.spool), "%s/spool", dir);
	strcpy(conf.box[0].name, "front");
	conf.box[0].used = 1;
	conf.box[0].max = hf_ms(10000);
	conf.box[0].messages = 2;
	room_join(ROOM_CALL);
	room_join(ROOM_STORE);
	room_join(ROOM_MEDIA);
	assert_true(tap_make(&tap, RING, &tap_fd));
	return 0;
}

static int
teardown(void **state)
{
	room_over();
	tap_close(&tap);
	close(tap_fd);
	return 0;
}

static void
start(void)
{
	struct msg m = { .type = MSG_TAP_RING };

	room_start(program, ROOM_REC, &conf);
	m.tap_ring.bytes = RING;
	m.tap_ring.first = 100;
	m.tap_ring.count = 50;
	room_tell_fd(ROOM_MEDIA, &m, dup(tap_fd));
}

static void
begin(uint32_t recording, uint16_t box)
{
	struct msg m = { .type = MSG_BEGIN_MESSAGE };

	m.begin_message.recording = recording;
	m.begin_message.box = box;
	m.begin_message.call = (struct hf_ref){ 0x7f2, 3 };
	m.begin_message.at = (struct hf_wall){ 1700000000000000 + recording };
	strcpy(m.begin_message.from, "+33611111111");
	room_tell(ROOM_CALL, &m);
}

/* In pieces, so that the ring never fills. */
static void
speak(uint32_t recording, unsigned frames)
{
	uint8_t words[FRAME];

	for (unsigned i = 0; i < frames; i++) {
		memset(words, (int)i, sizeof(words));
		for (int tries = 0;
		     tries < 1000 &&
		     !tap_put(&tap, TAP_DATA, recording, words, FRAME);
		     tries++)
			usleep(5000);
	}
}

static void
finish(uint32_t recording, bool keep)
{
	struct msg m = { .type = MSG_END_MESSAGE };

	tap_put(&tap, TAP_END, recording, NULL, 0);
	m.end_message.recording = recording;
	m.end_message.keep = keep;
	room_tell(ROOM_CALL, &m);
}

/* Until the box says so; true when it did. */
static bool
box_holds(uint32_t messages)
{
	struct msg m;

	while (room_hears(ROOM_CALL, MSG_MAILBOX, &m, NULL, NOT_LONG))
		if (m.mailbox.messages == messages)
			return true;
	return false;
}

static void
what_was_said_is_heard_again(void **state)
{
	struct msg m, saved;
	int fd;

	start();
	assert_true(box_holds(0));
	begin(5, 0);
	speak(5, 100);
	finish(5, true);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_SAVED, &saved, NULL, NOT_LONG));
	assert_int_equal(saved.message_saved.recording, 5);
	assert_int_equal(saved.message_saved.length.us, 2000000);
	assert_true(
	    room_hears(ROOM_STORE, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	assert_string_equal(m.message_saved.name, saved.message_saved.name);

	m = (struct msg){ .type = MSG_LOAD_MESSAGE };
	m.load_message.message = 77;
	m.load_message.stream = (struct hf_ref){ 120, 1 };
	room_tell(ROOM_CALL, &m);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_LOADED, &m, NULL, NOT_LONG));
	assert_string_equal(m.message_loaded.name, saved.message_saved.name);
	assert_string_equal(m.message_loaded.from, "+33611111111");
	assert_true(
	    room_hears(ROOM_MEDIA, MSG_MESSAGE_SHIPPED, &m, &fd, NOT_LONG));
	assert_int_equal(m.message_shipped.message, 77);
	assert_int_equal(m.message_shipped.bytes, 100 * FRAME);
	static uint8_t p[100 * FRAME];
	assert_int_equal(
	    pread(fd, p, sizeof(p), m.message_shipped.from), sizeof(p));
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(p[i * FRAME + 80], i);
	assert_int_equal(write(fd, p, 1), -1);
	close(fd);

	m = (struct msg){ .type = MSG_LOAD_MESSAGE, .load_message.nth = 1 };
	room_tell(ROOM_CALL, &m);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_LOADED, &m, NULL, NOT_LONG));
	assert_string_equal(m.message_loaded.name, "");

	m = (struct msg){ .type = MSG_DELETE_MESSAGE };
	strcpy(m.delete_message.name, saved.message_saved.name);
	room_tell(ROOM_CALL, &m);
	assert_true(box_holds(0));
}

static void
a_message_that_is_not_wanted_leaves_nothing(void **state)
{
	struct msg m;

	start();
	begin(5, 0);
	speak(5, 50);
	finish(5, false);
	begin(6, 0);
	speak(6, 3);
	finish(6, true);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_LOST, &m, NULL, NOT_LONG));
	assert_int_equal(m.message_lost.recording, 6);
	assert_string_equal(m.message_lost.why, "too_short");
	assert_string_equal(room_ask("messages", "", 0), "");
}

static void
last_words_that_never_come_are_not_waited_for(void **state)
{
	struct msg m = { .type = MSG_END_MESSAGE };

	start();
	begin(5, 0);
	speak(5, 60);
	m.end_message.recording = 5;
	m.end_message.keep = true;
	room_tell(ROOM_CALL, &m);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	assert_int_equal(m.message_saved.length.us, 1200000);
}

static void
a_full_box_and_a_box_that_is_none_say_so(void **state)
{
	struct msg m;

	start();
	for (uint32_t i = 1; i <= 2; i++) {
		begin(i, 0);
		speak(i, 50);
		finish(i, true);
		assert_true(room_hears(
		    ROOM_CALL, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	}
	begin(3, 0);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_LOST, &m, NULL, NOT_LONG));
	assert_string_equal(m.message_lost.why, "box_full");
	begin(4, 7);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_LOST, &m, NULL, NOT_LONG));
	assert_string_equal(m.message_lost.why, "no_such_box");
	finish(9, true);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_LOST, &m, NULL, NOT_LONG));
	assert_string_equal(m.message_lost.why, "unknown");
	assert_true(room_lives());
}

static void
nobody_speaks_longer_than_the_box_allows(void **state)
{
	struct msg m;

	conf.box[0].max = hf_ms(1000);
	start();
	begin(5, 0);
	speak(5, 120);
	finish(5, true);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	assert_int_equal(m.message_saved.length.us, 1000000);
}

/* Speaks, and dies when the last of it has left the ring. */
static void
speak_and_die(uint32_t recording, unsigned frames)
{
	start();
	begin(recording, 0);
	speak(recording, frames);
	usleep(READ_US);
	room_kill();
}

static void
a_death_in_mid_sentence_costs_half_a_second_of_it(void **state)
{
	struct msg m;

	speak_and_die(5, 200);
	speak(5, 50); /* into the ring, while nobody is there */
	start();
	speak(5, 50);
	finish(5, true);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	assert_int_equal(m.message_saved.recording, 5);
	assert_true(m.message_saved.length.us > 5400000);
	assert_true(box_holds(1));
}

/* hf-call and hf-media have left, and the house closes. */
static void
a_house_that_closes_keeps_what_was_said(void **state)
{
	const struct msg drain = { .type = MSG_DRAIN,
		.drain = { .on = true, .die = true } };

	start();
	begin(5, 0);
	speak(5, 100);
	room_tell(ROOM_KEEPER, &drain);
	usleep(100000);
	assert_true(room_lives());
	room_end();
	start();
	assert_true(box_holds(1));
}

static void
a_sentence_nobody_ends_after_a_death_is_a_message(void **state)
{
	struct msg m;

	speak_and_die(5, 200);
	start();
	assert_true(
	    room_hears(ROOM_STORE, MSG_MESSAGE_SAVED, &m, NULL, 2 * NOT_LONG));
	assert_int_equal(m.message_saved.recording, 5);
	assert_true(m.message_saved.length.us > 3400000);
	assert_true(
	    hf_ref_is(m.message_saved.call, (struct hf_ref){ 0x7f2, 3 }));
	assert_true(box_holds(1));
}

static void
a_number_that_comes_again_for_another_call_mixes_nobodys_words(void **state)
{
	struct msg m = { .type = MSG_BEGIN_MESSAGE };

	start();
	begin(1, 0);
	speak(1, 100);
	usleep(READ_US);
	m.begin_message.recording = 1; /* hf-call has died in between */
	m.begin_message.call = (struct hf_ref){ 0x7f3, 1 };
	room_tell(ROOM_CALL, &m);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	assert_int_equal(m.message_saved.call.n, 0x7f2);
	assert_int_equal(m.message_saved.length.us, 2000000);
	speak(1, 60);
	finish(1, true);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	assert_int_equal(m.message_saved.call.n, 0x7f3);
	assert_int_equal(m.message_saved.length.us, 1200000);
}

static void
hf_media_may_die_in_mid_sentence(void **state)
{
	uint8_t words[FRAME] = { 0 };
	struct msg m;
	struct tap other;
	int fd;

	start();
	begin(5, 0);
	speak(5, 100);
	/* Its successor brings a ring of its own. */
	usleep(READ_US);
	assert_true(tap_make(&other, RING, &fd));
	m = (struct msg){ .type = MSG_TAP_RING, .tap_ring.bytes = RING };
	room_tell_fd(ROOM_MEDIA, &m, fd);
	/* And he goes on speaking, which belongs to the same message. */
	usleep(READ_US);
	for (unsigned i = 0; i < 50; i++)
		assert_true(tap_put(&other, TAP_DATA, 5, words, FRAME));
	tap_put(&other, TAP_END, 5, NULL, 0);
	usleep(READ_US);
	tap_close(&other);
	m = (struct msg){ .type = MSG_END_MESSAGE };
	m.end_message.recording = 5;
	m.end_message.keep = true;
	room_tell(ROOM_CALL, &m);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	assert_int_equal(m.message_saved.length.us, 3000000);
	/* A ring that is none is refused, and nobody falls. */
	m = (struct msg){ .type = MSG_TAP_RING, .tap_ring.bytes = RING };
	room_tell_fd(ROOM_MEDIA, &m, memfd_create("x", 0));
	begin(6, 0);
	assert_non_null(strstr(room_ask("messages", "", 0), "box=front|"));
	assert_true(room_lives());
}

static void
strange_names_from_the_house_and_from_operators_go_nowhere(void **state)
{
	static const char *const evil[] = { "../../etc/passwd", "/etc/passwd",
		".", "..", "", "a/../../b" };
	char outside[100], args[128];
	struct msg m;
	FILE *f;

	start();
	snprintf(outside, sizeof(outside), "%s/outside.wav", dir);
	f = fopen(outside, "w");
	assert_non_null(f);
	fclose(f);
	m = (struct msg){ .type = MSG_DELETE_MESSAGE };
	strcpy(m.delete_message.name, "../../outside");
	room_tell(ROOM_CALL, &m);
	for (size_t i = 0; i < HF_LEN(evil); i++) {
		m = (struct msg){ .type = MSG_DELETE_MESSAGE };
		snprintf(m.delete_message.name, sizeof(m.delete_message.name),
		    "%s", evil[i]);
		room_tell(ROOM_CALL, &m);
		int n = snprintf(args, sizeof(args), "front%c%s", 0, evil[i]);
		assert_string_equal(room_ask("message_delete", args, (size_t)n),
		    "there is no such message; see hfctl voicemail");
		assert_string_equal(room_ask("message_export", args, (size_t)n),
		    "there is no such message; see hfctl voicemail");
	}
	assert_int_equal(access(outside, F_OK), 0);
	assert_string_equal(room_ask("message_delete", "front\0nothing", 13),
	    "there is no such message");
	assert_string_equal(room_ask("message_delete", "cellar\0nothing", 14),
	    "there is no such message");
	assert_string_equal(room_ask("messages", "cellar", 6),
	    "there is no such box; see voicemail in the configuration");
	assert_string_equal(
	    room_ask("calls", "", 0), "hf-rec does not know this");
	assert_true(room_lives());
}

static void
an_operator_lists_exports_and_deletes(void **state)
{
	char args[160];
	struct msg m;
	int n;

	start();
	begin(5, 0);
	speak(5, 50);
	finish(5, true);
	assert_true(
	    room_hears(ROOM_CALL, MSG_MESSAGE_SAVED, &m, NULL, NOT_LONG));
	assert_non_null(
	    strstr(room_ask("messages", "front", 5), m.message_saved.name));
	assert_int_equal(room_rows(), 1);
	n = snprintf(args, sizeof(args), "front%c%s", 0, m.message_saved.name);
	assert_non_null(strstr(
	    room_ask("message_export", args, (size_t)n), "/spool/front/"));
	assert_string_equal(room_ask("message_delete", args, (size_t)n), "");
	assert_string_equal(room_ask("message_delete", args, (size_t)n),
	    "there is no such message");
	assert_string_equal(room_ask("messages", "", 0), "");
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(what_was_said_is_heard_again),
		T(a_message_that_is_not_wanted_leaves_nothing),
		T(last_words_that_never_come_are_not_waited_for),
		T(a_full_box_and_a_box_that_is_none_say_so),
		T(nobody_speaks_longer_than_the_box_allows),
		T(a_death_in_mid_sentence_costs_half_a_second_of_it),
		T(a_house_that_closes_keeps_what_was_said),
		T(a_sentence_nobody_ends_after_a_death_is_a_message),
		T(a_number_that_comes_again_for_another_call_mixes_nobodys_words),
		T(hf_media_may_die_in_mid_sentence),
		T(strange_names_from_the_house_and_from_operators_go_nowhere),
		T(an_operator_lists_exports_and_deletes),
	};

	program = room_program(argc, argv);
	return cmocka_run_group_tests_name("hf-rec", tests, NULL, NULL);
}
