/* The keeper and the skeleton, live: real processes, real sockets, rooms that
 * only echo.  argv: holdfastd, echo_room. */

#include "proc/house.h"

/* ---- the promises ----------------------------------------------------------
 */

static void
every_room_has_its_sockets_and_neighbours(void **state)
{
	static struct answer a;

	(void)state;
	assert_true(ask("status", NULL, WAIT_MS, &a));
	assert_string_equal(a.error, "");
	assert_int_equal(a.rows, 1 + 1 + 6); /* the house, the keeper, rooms */
	assert_non_null(strstr(a.all, "site=test "));
	assert_non_null(strstr(a.all, "process=hf-media/1 "));
	assert_null(strstr(a.all, "state=starting"));
	assert_true(ask("registrations", NULL, WAIT_MS, &a)); /* hf-sip */
	assert_int_equal(number_of(&a, "hf-sip", "sockets"), 2);
	assert_int_equal(number_of(&a, "hf-sip", "neighbours"), 3);
	assert_true(ask("agents", NULL, WAIT_MS, &a)); /* hf-call */
	assert_int_equal(number_of(&a, "hf-call", "neighbours"), 5);
	assert_true(ask("streams", NULL, WAIT_MS, &a)); /* both workers */
	assert_int_equal(a.rows, 2);
	assert_int_equal(number_of(&a, "hf-media", "sockets"), STREAMS);
	assert_int_equal(number_of(&a, "hf-media", "neighbours"), 3);
	assert_true(ask("messages", NULL, WAIT_MS, &a)); /* hf-rec */
	assert_int_equal(number_of(&a, "hf-rec", "neighbours"), 4);
	assert_true(ask("spools", NULL, WAIT_MS, &a)); /* who tells facts */
	assert_int_equal(a.rows, 2);
	assert_int_equal(number_of(&a, "hf-call", "dropped"), 0);
	assert_non_null(strstr(a.all, "kept_in=file"));
}

static void
every_rtp_port_is_somebodys(void **state)
{
	pid_t first = say(rtp_port, "x", WAIT_MS);
	pid_t last = say((uint16_t)(rtp_port + RTP_PORTS - 1), "x", WAIT_MS);

	(void)state;
	assert_true(first > 0 && last > 0 && first != last);
	for (uint16_t i = 0; i < RTP_PORTS; i++)
		assert_int_equal(say((uint16_t)(rtp_port + i), "x", WAIT_MS),
		    i < STREAMS ? first : last);
}

static void
a_killed_room_is_back_and_its_socket_lost_nothing(void **state)
{
	pid_t old = say(sip_port, "x", WAIT_MS), new;
	int fd = client(sip_port);
	int heard = 0;

	(void)state;
	assert_true(old > 0);
	assert_int_equal(kill(old, SIGSTOP), 0);
	for (int i = 0; i < 10; i++)
		assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_int_equal(kill(old, SIGKILL), 0);
	while ((new = hear(fd, WAIT_MS)) > 0) {
		assert_int_not_equal(new, old);
		if (++heard == 10)
			break;
	}
	assert_int_equal(heard, 10);
	(void)close(fd);
	assert_true(log_says("room_died room=hf-sip"));
}

static void
neighbours_meet_again_after_a_death(void **state)
{
	static struct answer a;
	pid_t old = say(rtp_port, "x", WAIT_MS);

	(void)state;
	assert_int_equal(kill(old, SIGKILL), 0);
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("streams", NULL, WAIT_MS, &a) && a.rows == 2 &&
		    ask("agents", NULL, WAIT_MS, &a) &&
		    number_of(&a, "hf-call", "neighbours") == 5)
			break;
	assert_int_equal(number_of(&a, "hf-call", "neighbours"), 5);
	assert_int_not_equal(say(rtp_port, "x", WAIT_MS), old);
}

/* systemd tells a whole group to terminate; who is to leave is told so by the
 * keeper, and waited for. */
static void
a_stop_is_the_keepers_business(void **state)
{
	static struct answer a;
	char key[32];
	pid_t pid;

	(void)state;
	assert_true(ask("status", NULL, WAIT_MS, &a));
	for (size_t i = 0; i < HF_LEN(house_rooms); i++) {
		(void)snprintf(key, sizeof(key), "process=%s", house_rooms[i]);
		pid = (pid_t)number_of(&a, key, "pid");
		assert_true(pid > 0);
		assert_int_equal(kill(pid, SIGTERM), 0);
	}
	assert_true(ask("status", NULL, WAIT_MS, &a));
	assert_non_null(strstr(a.all, "process=hf-sip "));
	assert_false(log_says("room_died"));
	assert_int_equal(kill(keeper, SIGTERM), 0);
	assert_true(log_will_say("house_closed"));
	assert_true(log_says("hf-rec info room_left"));
	assert_true(log_says("hf-store info room_left"));
	assert_false(log_says("does_not_leave"));
	/* Its neighbour is behind with his reading when hf-call leaves. */
	assert_true(log_says("orders_read all=1"));
}

static void
last_words_are_told(void **state)
{
	(void)state;
	assert_int_equal(say(sip_port, "die", 50), 0);
	assert_true(log_will_say("room_died room=hf-sip"));
	assert_true(log_will_say("last=\"assert_failed at="));
	assert_true(log_says("what='told to die'"));
	assert_true(say(sip_port, "x", WAIT_MS) > 0);
}

static void
who_breaks_the_rails_is_named_with_the_call(void **state)
{
	(void)state;
#ifdef HF_SANITIZED
	skip();
#endif
	assert_true(log_says("hf-sip info rails_up"));
	assert_int_equal(say(sip_port, "exec", 50), 0);
	assert_true(log_will_say("room_died room=hf-sip"));
	assert_true(log_will_say("last=\"rails_broken room=hf-sip "
				 "call=execve number="));
	assert_true(say(sip_port, "x", WAIT_MS) > 0);
}

static void
a_room_that_keeps_dying_is_throttled(void **state)
{
	uint32_t deaths = 0;
	int64_t end = now_ms() + 3000;
	int fd = client(sip_port);
	pid_t last = 0;

	(void)state;
	while (now_ms() < end) {
		(void)!send(fd, "x", 1, MSG_DONTWAIT);
		pid_t pid = hear(fd, 20);

		if (pid > 0 && pid != last && kill(pid, SIGKILL) == 0) {
			deaths++;
			last = pid;
		}
	}
	(void)close(fd);
	/* 1 + 2 + 4 + 8 of the burst of 20, then 16 at 10 a second. */
	assert_in_range(deaths, 4, 8);
	assert_true(
	    say(sip_port, "x", WAIT_MS) > 0 || say(sip_port, "x", WAIT_MS) > 0);
}

/* The dearest restart costs sixteen, and this bucket holds one. */
static void
a_small_bucket_pays_for_every_restart(void **state)
{
	(void)state;
	for (int deaths = 0; deaths < 3; deaths++) {
		pid_t pid = say(sip_port, "x", WAIT_MS);

		assert_true(pid > 0);
		assert_int_equal(kill(pid, SIGKILL), 0);
	}
	assert_true(say(sip_port, "x", WAIT_MS) > 0);
}

static int
open_house_with_a_small_bucket(void **state)
{
	int err;

	keeper_keys = "user: root, restarts_burst: 1";
	err = open_house(state);
	keeper_keys = "user: root";
	return err;
}

static void
facts_reach_the_store_once_though_it_dies(void **state)
{
	static struct answer a;
	pid_t store;

	(void)state;
	assert_true(ask("status", NULL, WAIT_MS, &a));
	store = (pid_t)number_of(&a, "process=hf-store", "pid");
	assert_true(store > 0);
	for (int i = 0; i < 5; i++)
		assert_true(say(sip_port, "fact", WAIT_MS) > 0);
	assert_int_equal(kill(store, SIGSTOP), 0);
	for (int i = 0; i < 5; i++)
		assert_true(say(sip_port, "fact", WAIT_MS) > 0);
	assert_int_equal(kill(store, SIGKILL), 0);
	for (int i = 0; i < 5; i++)
		assert_true(say(sip_port, "fact", WAIT_MS) > 0);
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("past", "1", WAIT_MS, &a) &&
		    number_of(&a, "hf-store", "facts") == 15)
			break;
	assert_int_equal(number_of(&a, "hf-store", "facts"), 15);
}

static void
facts_outlive_the_room_that_told_them(void **state)
{
	static struct answer a;
	pid_t store, call;

	(void)state;
	assert_true(ask("status", NULL, WAIT_MS, &a));
	store = (pid_t)number_of(&a, "process=hf-store", "pid");
	call = (pid_t)number_of(&a, "process=hf-call", "pid");
	assert_true(store > 0 && call > 0);
	assert_true(ask("past", "1", WAIT_MS, &a));
	assert_int_equal(kill(store, SIGSTOP), 0);
	for (int i = 0; i < 3; i++)
		assert_true(say(sip_port, "fact", WAIT_MS) > 0);
	breathe(); /* hf-sip answered before hf-call has heard of it */
	(void)usleep(100000);
	assert_int_equal(kill(call, SIGKILL), 0);
	assert_int_equal(kill(store, SIGKILL), 0);
	long before = number_of(&a, "hf-store", "facts");

	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("past", "1", WAIT_MS, &a) &&
		    number_of(&a, "hf-store", "facts") == before + 3)
			break;
	assert_int_equal(number_of(&a, "hf-store", "facts"), before + 3);
	assert_true(log_says("spool_recovered"));
}

static void
a_good_configuration_is_applied_whole(void **state)
{
	static struct answer a;

	(void)state;
	write_conf("test", "queues: { sales: {} }\n");
	assert_true(ask("reload", NULL, WAIT_MS, &a));
	assert_string_equal(a.error, "");
	assert_true(ask("agents", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "hf-call", "generation"), 2);
	assert_int_equal(kill(keeper, SIGHUP), 0);
	assert_true(log_will_say("config_applied generation=3"));
}

static void
a_bad_configuration_changes_nothing(void **state)
{
	static struct answer a;

	(void)state;
	write_conf("test", "no_such_key: 1\n");
	assert_true(ask("reload", NULL, WAIT_MS, &a));
	assert_string_equal(a.error, "refused; the old configuration stays");
	assert_non_null(strstr(a.all, "holdfast.conf:6:1"));
	assert_true(ask("agents", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "hf-call", "generation"), 1);
	rtp_port += 2;
	write_conf("test", "");
	rtp_port -= 2;
	assert_true(ask("reload", NULL, WAIT_MS, &a));
	assert_non_null(
	    strstr(a.all, "rtp.ports: a change takes a restart of holdfastd"));
	/* How many calls that leaves ports for, nobody wrote. */
	write_conf("test", "emergency: { calls: 1 }\n");
	assert_true(ask("reload", NULL, WAIT_MS, &a));
	assert_non_null(strstr(a.all, "emergency.calls: "));
	assert_null(strstr(a.all, "calls_max"));
	write_conf("other", "");
	assert_true(ask("reload", NULL, WAIT_MS, &a));
	assert_non_null(
	    strstr(a.all, "site: a change takes a restart of holdfastd"));
}

static void
a_question_always_has_an_answer(void **state)
{
	static struct answer a;
	int64_t start;

	(void)state;
	assert_true(ask("nonsense", NULL, WAIT_MS, &a));
	assert_non_null(strstr(a.error, "no such question"));
	assert_true(ask("agents", "superfluous", WAIT_MS, &a));
	assert_non_null(strstr(a.error, "agents takes no words"));
	assert_true(ask("agent", "anna", WAIT_MS, &a));
	assert_string_equal(a.error, "say agent NAME available|not_ready");
	assert_true(ask("call", "carefully", WAIT_MS, &a));
	assert_non_null(strstr(a.all, "word=carefully"));
	assert_true(ask("call", "error", WAIT_MS, &a));
	assert_string_equal(a.error, "as you wish");
	start = now_ms();
	assert_true(ask("call", "silence", 300, &a));
	assert_string_equal(
	    a.error, "hf-call does not answer; see its lines in the log");
	assert_in_range(now_ms() - start, 250, 1500);
}

/* Four megabytes, of which a channel holds one. */
static void
a_long_answer_is_told_whole_and_hurts_nobody(void **state)
{
	static struct answer a;
	pid_t call;

	(void)state;
	assert_true(ask("status", NULL, WAIT_MS, &a));
	call = (pid_t)number_of(&a, "process=hf-call", "pid");
	assert_true(ask("call", "much", WAIT_MS, &a));
	assert_string_equal(a.error, "");
	assert_int_equal(a.rows, 1000);
	assert_true(ask("call", "flood", WAIT_MS, &a));
	assert_string_equal(
	    a.error, "the answer is too long to be told whole; ask for less");
	assert_true(ask("status", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "process=hf-call", "pid"), call);
}

/* He asked and stands still, again and again; others are answered. */
static void
operators_who_stand_still_cost_nobody_an_answer(void **state)
{
	static struct answer a;
	char *words[] = { (char *)(uintptr_t) "much" };
	char run[TEXT];
	int fd[12];

	(void)state;
	path_of(run, "run");
	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < HF_LEN(fd); i++) {
			fd[i] = asker_connect(run);
			assert_int_equal(
			    asker_ask(fd[i], 7, "call", words, 1, hf_ms(60000)),
			    0);
		}
		assert_true(ask("call", "much", WAIT_MS, &a));
		assert_string_equal(a.error, "");
		assert_int_equal(a.rows, 1000);
		for (size_t i = 0; i < HF_LEN(fd); i++)
			(void)close(fd[i]);
	}
}

static void
a_stranger_on_the_control_socket_is_cut_off(void **state)
{
	struct msg m = { .type = MSG_CONFIG };
	char frame[MSG_FRAME_MAX], run[TEXT];
	struct hf_buf b = hf_buf_on(frame, sizeof(frame));
	static struct msg reply;
	int fd;

	(void)state;
	path_of(run, "run");
	assert_true(msg_encode(&b, &m));
	fd = asker_connect(run);
	assert_int_equal(send(fd, frame, b.n, 0), (ssize_t)b.n);
	assert_int_equal(asker_reply(fd, &reply, hf_ms(WAIT_MS)), ECONNRESET);
	(void)close(fd);
}

/* Runs holdfastd to its end, which it should find by itself. */
static int
run_once(rlim_t descriptors)
{
	struct rlimit files = { descriptors, descriptors };
	char program[TEXT], conf[TEXT];
	int status;
	pid_t pid;

	path_of(program, "sbin/holdfastd");
	path_of(conf, "holdfast.conf");
	pid = fork();
	if (pid == 0) {
		if (descriptors > 0)
			(void)setrlimit(RLIMIT_NOFILE, &files);
		(void)dup2(log_fd, STDERR_FILENO);
		(void)alarm(WAIT_MS / 1000);
		(void)execl(program, program, "-c", conf, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void
a_second_keeper_leaves_the_first_alone(void **state)
{
	(void)state;
	assert_int_equal(run_once(0), 1);
	assert_true(log_says("another holdfastd holds this house"));
	assert_true(say(sip_port, "x", WAIT_MS) > 0);
}

static int
open_log(void **state)
{
	char log[TEXT];

	(void)state;
	path_of(log, "log");
	write_conf("test", "");
	log_fd = open(log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644);
	return log_fd < 0;
}

static void
a_port_that_is_taken_is_named(void **state)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)(rtp_port + 5)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char text[64];

	(void)state;
	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	assert_int_equal(run_once(0), 1);
	(void)snprintf(text, sizeof(text), "rtp.ports: 127.0.0.1:%u: Address",
	    rtp_port + 5U);
	assert_true(log_says(text));
	assert_false(log_says("room_starting"));
	(void)close(fd);
}

static void
without_the_account_of_its_rooms_it_does_not_start(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	keeper_keys = "user: no-such-account";
	write_conf("test", "");
	keeper_keys = "user: root";
	assert_int_equal(run_once(0), 1);
	assert_true(log_says("there is no account \"no-such-account\""));
	assert_false(log_says("room_starting"));
}

/* Root gives the folder to its rooms; not what somebody let it point to. */
static void
a_folder_that_is_a_link_is_refused(void **state)
{
	char store[TEXT], away[TEXT];

	(void)state;
	path_of(store, "store");
	path_of(away, "store-away");
	assert_int_equal(rename(store, away), 0);
	assert_int_equal(symlink("/tmp", store), 0);
	assert_int_equal(run_once(0), 1);
	assert_true(log_says("/store: Not a directory") ||
		    log_says("/store: Too many levels of symbolic links"));
	assert_int_equal(unlink(store), 0);
	assert_int_equal(rename(away, store), 0);
}

/* Also what is done in the keeper and in hf-rec, not in hf-call. */
static void
what_operators_do_is_on_its_way_to_the_journal(void **state)
{
	static struct answer a;
	long before;

	(void)state;
	assert_true(ask("past", "1", WAIT_MS, &a));
	before = number_of(&a, "hf-store", "facts");
	assert_true(before >= 0);
	assert_true(ask("drain", "on", WAIT_MS, &a));
	assert_true(ask("drain", "off", WAIT_MS, &a));
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("past", "1", WAIT_MS, &a) &&
		    number_of(&a, "hf-store", "facts") == before + 2)
			break;
	assert_int_equal(number_of(&a, "hf-store", "facts"), before + 2);
}

/* They connect and say nothing; who comes after them is heard. */
static void
idle_operators_lock_nobody_out(void **state)
{
	static struct answer a;
	char run[TEXT];
	int fd[40];

	(void)state;
	path_of(run, "run");
	for (size_t i = 0; i < HF_LEN(fd); i++) {
		fd[i] = asker_connect(run);
		assert_true(fd[i] >= 0);
	}
	assert_true(ask("status", NULL, WAIT_MS, &a));
	assert_string_equal(a.error, "");
	for (size_t i = 0; i < HF_LEN(fd); i++)
		(void)close(fd[i]);
}

static void
too_few_descriptors_are_said_before_anything_starts(void **state)
{
	(void)state;
	assert_int_equal(run_once(RTP_PORTS), 1);
	assert_true(log_says("rtp.ports: "));
	assert_true(log_says("raise it (LimitNOFILE=) or name fewer ports"));
	assert_false(log_says("room_starting"));
}

static void
drain_can_be_taken_back(void **state)
{
	static struct answer a;

	(void)state;
	assert_true(ask("drain", "on", WAIT_MS, &a));
	assert_non_null(strstr(a.all, "draining=true"));
	assert_true(ask("drain", "off", WAIT_MS, &a));
	assert_non_null(strstr(a.all, "draining=false"));
}

static void
away(const char *room, bool is)
{
	char here[TEXT], there[TEXT], name[TEXT / 2];

	(void)snprintf(name, sizeof(name), "libexec/holdfast/%s", room);
	path_of(here, name);
	path_of(there, room);
	assert_int_equal(is ? rename(here, there) : rename(there, here), 0);
}

static int
open_house_without_a_mind(void **state)
{
	away("hf-store", true);
	away("hf-call", true);
	house_opens = "room_ready room=hf-sip";
	return open_house(state);
}

static int
close_house_again(void **state)
{
	house_opens = "house_open";
	return close_house(state);
}

/* Who calls for help needs hf-sip and hf-media. */
static void
rooms_that_die_at_their_start_hold_up_no_other(void **state)
{
	static struct answer a;

	(void)state;
	assert_true(log_says("room_died room=hf-call"));
	assert_false(log_says("house_open"));
	assert_true(ask("registrations", NULL, WAIT_MS, &a)); /* hf-sip */
	assert_int_equal(number_of(&a, "hf-sip", "neighbours"), 2);
	away("hf-store", false);
	away("hf-call", false);
	assert_true(log_will_say("house_open"));
	assert_false(log_says("room_killed"));
	assert_true(ask("registrations", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "hf-sip", "neighbours"), 3);
}

int
main(int argc, char **argv)
{
#define LIVE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, open_house, close_house)
	const struct CMUnitTest tests[] = {
		LIVE(every_room_has_its_sockets_and_neighbours),
		LIVE(every_rtp_port_is_somebodys),
		LIVE(a_killed_room_is_back_and_its_socket_lost_nothing),
		LIVE(neighbours_meet_again_after_a_death),
		LIVE(a_stop_is_the_keepers_business),
		LIVE(last_words_are_told),
		LIVE(who_breaks_the_rails_is_named_with_the_call),
		LIVE(a_room_that_keeps_dying_is_throttled),
		cmocka_unit_test_setup_teardown(
		    a_small_bucket_pays_for_every_restart,
		    open_house_with_a_small_bucket, close_house),
		cmocka_unit_test_setup_teardown(
		    rooms_that_die_at_their_start_hold_up_no_other,
		    open_house_without_a_mind, close_house_again),
		LIVE(facts_reach_the_store_once_though_it_dies),
		LIVE(facts_outlive_the_room_that_told_them),
		LIVE(a_good_configuration_is_applied_whole),
		LIVE(a_bad_configuration_changes_nothing),
		LIVE(a_question_always_has_an_answer),
		LIVE(a_long_answer_is_told_whole_and_hurts_nobody),
		LIVE(operators_who_stand_still_cost_nobody_an_answer),
		LIVE(idle_operators_lock_nobody_out),
		LIVE(what_operators_do_is_on_its_way_to_the_journal),
		LIVE(a_stranger_on_the_control_socket_is_cut_off),
		LIVE(a_second_keeper_leaves_the_first_alone),
		LIVE(drain_can_be_taken_back),
		cmocka_unit_test_setup(a_port_that_is_taken_is_named, open_log),
		cmocka_unit_test_setup(
		    a_folder_that_is_a_link_is_refused, open_log),
		cmocka_unit_test_setup(
		    without_the_account_of_its_rooms_it_does_not_start,
		    open_log),
		cmocka_unit_test_setup(
		    too_few_descriptors_are_said_before_anything_starts,
		    open_log),
	};
#undef LIVE
	int failed;

	if (!house_begin(argc, argv))
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	house_end();
	return failed;
}
