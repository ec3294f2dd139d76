/* hf-media as a process: what the two parties of a call hear, whatever becomes
 * of the helper and of hf-media itself. */

#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/prompt.h"
#include "tests/lib/child.h"
#include "tests/room/media_room.h"

static void
both_hear_each_other_each_in_his_own_law(void **state)
{
	uint16_t said;

	a_call(JUDGE_EAR);
	forget_heard(&caller);
	forget_heard(&helper);
	live(500);
	assert_pace(&caller);
	assert_pace(&helper);
	assert_int_equal(caller.last_payload, 0);
	assert_int_equal(helper.last_payload, 8);
	assert_int_equal(caller.uneven + helper.uneven, 0);
	assert_false(caller.broken || helper.broken);
	assert_int_equal(facts[MSG_STREAM_SPOKE], 2);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	assert_true(media_driver_ask(&d, "streams"));
	assert_true(media_driver_ask(&d, "media"));
	said = (uint16_t)(helper.seq - FIRST_SEQ);
	live(50); /* the last of it arrives */
	media_driver_close(&d, HELPER);
	live_until(MSG_STREAM_CLOSED, 1);
	assert_in_range(news[MSG_STREAM_CLOSED].stream_closed.packets_in, said,
	    (uint16_t)(helper.seq - FIRST_SEQ));
	assert_int_equal(news[MSG_STREAM_CLOSED].stream_closed.lost, 0);
}

static void
a_helper_that_stops_is_bridged_and_welcome_back(void **state)
{
	int64_t waited;

	a_call(JUDGE_PACKETS);
	forget_heard(&caller);
	live(100);
	helper.talks = false;
	waited = waited_us();
	live(600);
	waited = waited_us() - waited;
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 1);
	assert_int_equal(facts[MSG_STREAM_VOICED], 1);
	assert_int_equal(facts[MSG_STREAM_WELL], 0);
	/* 70 ms and a tick is promised; a busy machine may add some. */
	assert_in_range(caller.longest_us, 60000, 110000 + waited);
	assert_in_range(news[MSG_STREAM_VOICED].stream_voiced.gap.us, 60000,
	    110000 + waited);
	assert_true(caller.packets > 20);
	helper.talks = true;
	helper.next = 0;
	helper.ts += 600 * 8;
	helper.seq = (uint16_t)(helper.seq + 30); /* lost on the way */
	live_until(MSG_STREAM_WELL, 1);
	assert_false(caller.broken);
	assert_in_range(
	    news[MSG_STREAM_WELL].stream_well.gap.us, 500000, 800000 + waited);
	live(300);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 1);
}

static void
a_closed_socket_is_known_with_the_next_packet(void **state)
{
	int64_t closed, waited;

	a_call(JUDGE_PACKETS);
	close(helper.fd);
	helper.fd = -1;
	closed = now_us();
	waited = waited_us();
	live_until(MSG_STREAM_REFUSED, 1);
	assert_true(now_us() - closed < 80000 + waited_us() - waited);
	live(200);
	assert_int_equal(facts[MSG_STREAM_REFUSED], 1);
}

static void
a_helper_without_a_word_is_noticed(void **state)
{
	party_comes(&caller, CALLER);
	party_comes(&helper, HELPER);
	caller.talks = true;
	media_driver_join(&d, CALLER, HELPER, JUDGE_PACKETS);
	live(400);
	assert_true(caller.packets > 10); /* the hiss of an open line */
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	live_until(MSG_STREAM_SUSPECT, 1);
	live_until(MSG_STREAM_VOICED, 1);
	assert_int_equal(news[MSG_STREAM_SUSPECT].stream_suspect.last.us, 0);
	assert_false(caller.broken);
}

static void
music_keeps_its_pace_and_prompts_end(void **state)
{
	a_call(JUDGE_PACKETS);
	forget_heard(&caller);
	media_driver_play(&d, CALLER, 5, PROMPT_CONFIRM, AFTER_MUSIC);
	live_until(MSG_PROMPT_ENDED, 1);
	assert_int_equal(news[MSG_PROMPT_ENDED].prompt_ended.id, 5);
	live(500);
	assert_pace(&caller);
	assert_true(caller.uneven <= 1);
	assert_false(caller.broken);
	media_driver_play(&d, CALLER, 6, PROMPT_REFUSE, AFTER_PARTNER);
	live_until(MSG_PROMPT_ENDED, 2);
	forget_heard(&caller);
	live(300);
	assert_pace(&caller);
	assert_false(caller.broken);
}

static void
parting_leaves_an_open_line(void **state)
{
	struct msg m = { .type = MSG_PART_STREAMS };

	a_call(JUDGE_PACKETS);
	m.part_streams.caller = media_driver_ref(CALLER);
	media_driver_order(&d, &m);
	live(50);
	forget_heard(&caller);
	forget_heard(&helper);
	live(400);
	assert_pace(&caller);
	assert_int_equal(helper.packets, 0);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	helper.talks = false;
	live(200);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
}

static void
our_own_stall_blames_nobody(void **state)
{
	a_call(JUDGE_PACKETS);
	kill(d.pid, SIGSTOP);
	for (int i = 0; i < 25; i++) { /* both go on talking */
		talk(&caller);
		talk(&helper);
		usleep(20000);
	}
	caller.next = helper.next = 0;
	kill(d.pid, SIGCONT);
	live(300);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	assert_false(caller.broken);
	/* Also when nothing came meanwhile: the stall may have been the
	 * whole machine's. */
	kill(d.pid, SIGSTOP);
	usleep(400000);
	caller.next = helper.next = 0;
	kill(d.pid, SIGCONT);
	live(300);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
}

/* A helper falls silent, and in its gap we are stalled: how long the caller
 * hears nothing. */
static int64_t
gap_with_a_stall(void)
{
	a_call(JUDGE_PACKETS);
	helper.talks = false;
	live(30);
	caller.longest_us = 0;
	kill(d.pid, SIGSTOP);
	live(45);
	kill(d.pid, SIGCONT);
	live(150);
	media_room_hang_up(NULL);
	return caller.longest_us;
}

static void
a_short_stall_of_ours_excuses_no_silence(void **state)
{
	enum { TRIES = 5 };
	int64_t best = INT64_MAX, gap;

	for (int i = 0; i < TRIES && best > 100000; i++) {
		gap = gap_with_a_stall();
		best = gap < best ? gap : best;
	}
	assert_in_range(best, 0, 100000);
	a_call(JUDGE_NOBODY); /* for the teardown */
}

static void
a_successor_goes_on_with_the_same_stream(void **state)
{
	uint32_t ssrc;

	a_call(JUDGE_PACKETS);
	ssrc = caller.ssrc;
	media_room_again();
	live_until(MSG_MEDIA_STARTED, 1);
	live(300);
	assert_false(caller.broken);
	assert_false(helper.broken);
	assert_int_equal(caller.ssrc, ssrc);
	assert_int_equal(news[MSG_MEDIA_STARTED].media_started.open, 2);
	forget_heard(&caller);
	live(300);
	assert_pace(&caller);
	helper.talks = false;
	live_until(MSG_STREAM_SUSPECT, 1);
}

/* Words that came while nobody was there lie in the socket. */
static void
what_was_said_during_a_restart_is_heard_after_it(void **state)
{
	int64_t waited;

	a_call(JUDGE_NOBODY);
	live(100);
	helper.talks = false;
	live(60);
	caller.other = HELPER_IN_PCMU;
	forget_heard(&caller);
	kill(d.pid, SIGSTOP); /* it will not read them; its death is next */
	for (int i = 0; i < 6; i++) {
		talk(&helper);
		usleep(20000);
	}
	media_room_again();
	live_heard(&caller.mine, 6);
	live(100);
	assert_int_equal(caller.mine, 6);
	assert_false(caller.broken);
	/* And the way back is short: nothing is read and rendered anew. */
	helper.talks = true;
	helper.next = 0;
	live(100);
	forget_heard(&caller);
	live(60); /* the gap begins with the last of these */
	waited = child_waited(getpid());
	media_room_again();
	live(200);
	print_message("restart: %lld ms without a packet\n",
	    (long long)caller.longest_us / 1000);
	/* What its successor has waited is all in the gap. */
	assert_true(caller.longest_us < 90000 + waited_us() - waited);
}

static void
keys_are_told_while_felt(void **state)
{
	struct msg m = { .type = MSG_FEEL_STREAM };
	uint8_t event[4] = { 7, 0x0a, 0, 160 };

	a_call(JUDGE_PACKETS);
	m.feel_stream.stream = media_driver_ref(CALLER);
	m.feel_stream.on = true;
	media_driver_order(&d, &m);
	live(20);
	caller.talks = false;
	for (int i = 0; i < 8; i++) {
		event[3] = (uint8_t)(i * 20);
		event[1] = i >= 5 ? 0x8a : 0x0a;
		send_packet(&caller, 101, event, sizeof(event));
		live(20);
	}
	live_until(MSG_STREAM_DTMF, 1);
	assert_int_equal(news[MSG_STREAM_DTMF].stream_dtmf.digit, '7');
}

static void
a_recording_ends_when_its_speaker_does(void **state)
{
	struct msg m = { .type = MSG_RECORD_STREAM };

	a_call(JUDGE_NOBODY);
	m.record_stream.stream = media_driver_ref(CALLER);
	m.record_stream.recording = 44;
	m.record_stream.max = hf_ms(60000);
	m.record_stream.silence = hf_ms(400);
	media_driver_order(&d, &m);
	live(300);
	assert_int_equal(facts[MSG_RECORDING_ENDED], 0);
	caller.talks = false;
	live_until(MSG_RECORDING_ENDED, 1);
	assert_int_equal(
	    news[MSG_RECORDING_ENDED].recording_ended.cause, CAUSE_MUTE);
	assert_in_range(news[MSG_RECORDING_ENDED].recording_ended.length.us,
	    200000, 800000);
}

/* A receiver report about what hf-media sends to this party; or about nobody,
 * which is shorter. */
static void
report(struct party *p, uint32_t highest, bool about_us)
{
	uint8_t m[32] = { 0x81, 201, 0, 7, 0, 0, 0, 9 };
	size_t n = sizeof(m);

	memcpy(m + 8, &p->ssrc, 4); /* as it came: network order */
	highest = htonl(highest);
	memcpy(m + 16, &highest, 4);
	if (!about_us) {
		m[0] = 0x80;
		m[3] = 1;
		n = 8;
	}
	(void)sendto(p->fd, m, n, 0, (struct sockaddr *)&p->to, sizeof(p->to));
}

static void
a_party_that_hears_nothing_of_us_is_told(void **state)
{
	enum { TURN_MS = 2100 }; /* a hundred packets and more */
	struct media m;

	a_call(JUDGE_NOBODY);
	close(caller.fd);
	m = media_driver_media(party_open(&caller, CALLER), CODEC_PCMU);
	m.mux = true;
	media_driver_open(&d, CALLER, &m); /* a re-INVITE: it has moved */
	caller.talks = true;
	live(100);
	/* Who never writes a block says nothing. */
	for (int i = 0; i < 4; i++) {
		report(&caller, 0, false);
		live(TURN_MS);
	}
	assert_int_equal(facts[MSG_STREAM_ONE_WAY], 0);
	report(&caller, 1002, true);
	for (int i = 0; i < 2; i++) {
		live(TURN_MS);
		report(&caller, 1002, true);
	}
	live(20);
	assert_int_equal(facts[MSG_STREAM_ONE_WAY], 0);
	live(TURN_MS);
	report(&caller, 0, false); /* he wrote one: now it is missing */
	live_until(MSG_STREAM_ONE_WAY, 1);
}

static void
a_helper_on_hold_is_not_missed(void **state)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	struct media m;

	a_call(JUDGE_PACKETS);
	assert_int_equal(getsockname(helper.fd, (struct sockaddr *)&a, &n), 0);
	m = media_driver_media(ntohs(a.sin_port), CODEC_PCMA);
	m.direction = DIRECTION_INACTIVE;
	media_driver_open(&d, HELPER, &m);
	helper.talks = false;
	live(600);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	forget_heard(&helper);
	live(200);
	assert_int_equal(helper.packets, 0);
	m.direction = DIRECTION_SENDRECV;
	media_driver_open(&d, HELPER, &m);
	helper.talks = true;
	helper.next = 0;
	live(300);
	assert_pace(&helper);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	helper.talks = false;
	live_until(MSG_STREAM_SUSPECT, 1);
}

static void
a_message_from_the_box_is_heard_to_its_end(void **state)
{
	struct msg m = { .type = MSG_MESSAGE_SHIPPED };
	uint8_t words[8000];
	int fd = memfd_create("message", MFD_CLOEXEC);

	a_call(JUDGE_NOBODY);
	for (size_t i = 0; i < sizeof(words); i++)
		words[i] = (uint8_t)(0x27 ^ (i / 16 % 2 ? 0x80 : 0));
	assert_int_equal(
	    write(fd, words, sizeof(words)), (ssize_t)sizeof(words));
	m.message_shipped.message = 12;
	m.message_shipped.bytes = sizeof(words);
	chan_send_fds(&d.rec, &m, &fd, 1, false);
	chan_flush(&d.rec);
	live(50);
	caller.other = 0x27;
	forget_heard(&caller);
	m = (struct msg){ .type = MSG_PLAY_PROMPT };
	m.play_prompt.stream = media_driver_ref(CALLER);
	m.play_prompt.id = 9;
	m.play_prompt.message = 12;
	m.play_prompt.after = AFTER_SILENCE;
	media_driver_order(&d, &m);
	live_until(MSG_PROMPT_ENDED, 1);
	live(50);
	assert_in_range(caller.mine, 49, 51);
	assert_false(caller.broken);
}

static void
who_asks_and_is_not_answered_is_mute(void **state)
{
	a_call(JUDGE_EAR);
	live(700);
	helper.byte = 0xd5; /* it listens: digital silence */
	live(600);
	caller.byte = 0xff; /* and so does he */
	live(2400);
	assert_int_equal(facts[MSG_STREAM_MUTE], 0);
	live_until(MSG_STREAM_MUTE, 1);
	assert_false(news[MSG_STREAM_MUTE].stream_mute.lost);
	helper.byte = 0x35;
	live_until(MSG_STREAM_SPEAKS, 1);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
}

/* The order to close it died with one of us. */
static void
a_stream_that_nobody_names_is_closed(void **state)
{
	struct sockaddr_in at;
	socklen_t n = sizeof(at);
	struct media m;

	a_call(JUDGE_PACKETS);
	live(100);
	assert_int_equal(getsockname(caller.fd, (void *)&at, &n), 0);
	m = media_driver_media(ntohs(at.sin_port), CODEC_PCMU);
	media_room_again();
	media_driver_open(&d, CALLER, &m);
	live_until(MSG_STREAM_CLOSED, 1);
	assert_int_equal(
	    news[MSG_STREAM_CLOSED].stream_closed.stream.n, HELPER);
	live(100);
	assert_int_equal(facts[MSG_STREAM_CLOSED], 1);
}

int
main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_teardown(f, media_room_hang_up)
	const struct CMUnitTest tests[] = {
		T(both_hear_each_other_each_in_his_own_law),
		T(a_helper_that_stops_is_bridged_and_welcome_back),
		T(a_closed_socket_is_known_with_the_next_packet),
		T(a_helper_without_a_word_is_noticed),
		T(music_keeps_its_pace_and_prompts_end),
		T(parting_leaves_an_open_line),
		T(our_own_stall_blames_nobody),
		T(a_short_stall_of_ours_excuses_no_silence),
		T(a_successor_goes_on_with_the_same_stream),
		T(what_was_said_during_a_restart_is_heard_after_it),
		T(a_stream_that_nobody_names_is_closed),
		T(keys_are_told_while_felt),
		T(a_recording_ends_when_its_speaker_does),
		T(a_party_that_hears_nothing_of_us_is_told),
		T(a_helper_on_hold_is_not_missed),
		T(a_message_from_the_box_is_heard_to_its_end),
		T(who_asks_and_is_not_answered_is_mute),
	};
#undef T

	program = room_program(argc, argv);
	return cmocka_run_group_tests_name(
	    "hf-media", tests, media_room_start, media_room_stop);
}
