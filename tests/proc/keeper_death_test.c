/* The keeper dies, or gives its place to one of another build; its rooms do
 * not.  argv: holdfastd, echo_room. */

#include <sys/un.h>

#include "daemon/keeper/keeper.h"
#include "proc/house.h"

/* ---- the keeper dies -------------------------------------------------------
 */

struct pids {
	pid_t of[6];
};

static void
look_at_pids(struct pids *p)
{
	static struct answer a;
	static const char *const who[] = { "hf-store ", "hf-rec ",
		"hf-media/0 ", "hf-media/1 ", "hf-call ", "hf-sip " };
	char key[64];

	assert_true(ask("status", NULL, WAIT_MS, &a));
	for (size_t i = 0; i < HF_LEN(who); i++) {
		(void)snprintf(key, sizeof(key), "process=%s", who[i]);
		p->of[i] = (pid_t)number_of(&a, key, "pid");
	}
}

static void
all_are_neighbours(void)
{
	static struct answer a;

	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("agents", NULL, WAIT_MS, &a) &&
		    number_of(&a, "hf-call", "neighbours") == 5 &&
		    ask("messages", NULL, WAIT_MS, &a) &&
		    number_of(&a, "hf-rec", "neighbours") == 4 &&
		    ask("registrations", NULL, WAIT_MS, &a) &&
		    number_of(&a, "hf-sip", "neighbours") == 3)
			return;
	fail_msg("somebody has no neighbour");
}

static void
rooms_outlive_their_keeper_and_are_adopted(void **state)
{
	struct pids before, after;
	static struct answer a;
	long facts;

	(void)state;
	look_at_pids(&before);
	assert_true(ask("past", "1", WAIT_MS, &a));
	facts = number_of(&a, "hf-store", "facts");
	for (int times = 0; times < 2; times++) {
		kill_keeper();
		assert_int_equal(say(sip_port, "x", WAIT_MS), before.of[5]);
		assert_int_equal(say(rtp_port, "x", WAIT_MS), before.of[2]);
		assert_true(say(sip_port, "fact", WAIT_MS) > 0);
		assert_true(next_keeper());
		look_at_pids(&after);
		assert_memory_equal(&before, &after, sizeof(before));
		assert_true(log_says("house_adopted rooms=6 missing=0"));
		all_are_neighbours();
	}
	assert_false(log_says("room_died"));
	/* None was joined anew: whoever had a neighbour kept it. */
	assert_false(log_says("neighbour_left"));
	assert_true(ask("agents", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "hf-call", "generation"), 1);
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("past", "1", WAIT_MS, &a) &&
		    number_of(&a, "hf-store", "facts") >= facts + 2)
			break;
	assert_int_equal(number_of(&a, "hf-store", "facts"), facts + 2);
	/* And the sockets are there to be given to the next. */
	assert_int_equal(kill(before.of[5], SIGKILL), 0);
	assert_true(say(sip_port, "x", WAIT_MS) > 0);
	assert_true(log_will_say("room_died room=hf-sip"));
	assert_int_equal(kill(before.of[2], SIGKILL), 0);
	assert_true(say(rtp_port, "x", WAIT_MS) > 0);
	all_are_neighbours();
	assert_true(ask("status", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "process=hf-sip", "restarts"), 1);
}

/* Told to stop before it has taken them over, it does so, and stops them. */
static void
a_stop_in_the_middle_of_an_adoption_is_one(void **state)
{
	struct pids p;
	int status;

	(void)state;
	look_at_pids(&p);
	kill_keeper();
	assert_int_equal(kill(p.of[5], SIGSTOP), 0); /* it is waited for */
	start_keeper();
	(void)usleep(500000);
	assert_int_equal(kill(keeper, SIGTERM), 0);
	(void)usleep(100000);
	assert_int_equal(kill(p.of[5], SIGCONT), 0);
	assert_int_equal(waitpid(keeper, &status, 0), keeper);
	keeper = 0;
	assert_int_equal(status, 0);
	assert_true(log_says("house_adopted rooms=6 missing=0"));
	assert_true(log_says("house_closed"));
	for (size_t i = 0; i < HF_LEN(p.of); i++)
		assert_int_not_equal(
		    say(i < 4 ? rtp_port : sip_port, "x", 20), p.of[i]);
}

/* A restart that the keeper did not live to finish. */
static void
who_dies_without_a_keeper_is_started_by_the_next(void **state)
{
	struct pids before, after;

	(void)state;
	look_at_pids(&before);
	for (size_t who = 0; who < HF_LEN(before.of); who++) {
		kill_keeper();
		assert_int_equal(kill(before.of[who], SIGKILL), 0);
		assert_true(next_keeper());
		look_at_pids(&after);
		for (size_t i = 0; i < HF_LEN(before.of); i++)
			if (i == who)
				assert_int_not_equal(after.of[i], before.of[i]);
			else
				assert_int_equal(after.of[i], before.of[i]);
		all_are_neighbours();
		before = after;
	}
	assert_true(say(sip_port, "x", WAIT_MS) == after.of[5]);
	assert_true(say(rtp_port, "x", WAIT_MS) == after.of[2]);
}

/* The keeper dies in the same moment as one of them, and leaves half-joined
 * rooms behind. */
static void
a_keeper_that_dies_while_it_restarts_leaves_nobody_alone(void **state)
{
	struct pids p;

	(void)state;
	for (int i = 0; i < 12; i++) {
		look_at_pids(&p);
		assert_int_equal(kill(p.of[i % 6], SIGKILL), 0);
		(void)usleep((useconds_t)(i * 1500));
		kill_keeper();
		assert_true(next_keeper());
		all_are_neighbours();
	}
}

static void
a_room_that_does_not_answer_is_replaced(void **state)
{
	struct pids before, after;

	(void)state;
	look_at_pids(&before);
	kill_keeper();
	assert_int_equal(kill(before.of[4], SIGSTOP), 0);
	assert_true(next_keeper());
	assert_true(log_says("why=does_not_answer"));
	look_at_pids(&after);
	assert_int_not_equal(after.of[4], before.of[4]);
	assert_int_equal(after.of[5], before.of[5]);
	all_are_neighbours();
}

/* What the file says by now is a reload, to be refused or applied as one. */
static void
the_configuration_goes_on_with_the_rooms(void **state)
{
	static struct answer a;

	(void)state;
	write_conf("test", "queues: { sales: {} }\n");
	assert_true(ask("reload", NULL, WAIT_MS, &a));
	assert_true(ask("drain", "on", WAIT_MS, &a));
	kill_keeper();
	rtp_port += 2;
	write_conf("test", "");
	rtp_port -= 2;
	assert_true(next_keeper());
	assert_true(
	    log_says("rtp.ports: a change takes a restart of holdfastd"));
	assert_true(log_says("config_kept generation=2"));
	assert_true(ask("agents", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "hf-call", "generation"), 2);
	assert_non_null(strstr(a.all, "draining=true"));
	assert_true(ask("status", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "site=test", "generation"), 2);
	assert_non_null(strstr(a.all, "draining=true"));
	assert_true(say(rtp_port, "x", WAIT_MS) > 0);
	kill_keeper();
	write_conf("test", "queues: { sales: {}, front: {} }\n");
	assert_true(next_keeper());
	assert_true(log_says("config_applied generation=3"));
	assert_true(ask("agents", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "hf-call", "generation"), 3);
}

/* A socket that hears every address tells another one once it is connected. */
static void
connected_sockets_are_known_again(void **state)
{
	struct pids before, after;
	int fd = client(rtp_port);

	(void)state;
	look_at_pids(&before);
	assert_int_equal(send(fd, "connect", 7, 0), 7);
	assert_int_equal(hear(fd, WAIT_MS), before.of[2]);
	kill_keeper();
	assert_true(next_keeper());
	assert_int_equal(kill(before.of[2], SIGKILL), 0);
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe()) {
		look_at_pids(&after);
		if (after.of[2] > 0 && after.of[2] != before.of[2])
			break;
	}
	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_int_equal(hear(fd, WAIT_MS), after.of[2]);
	(void)close(fd);
}

static int
open_house_of_every_address(void **state)
{
	int err;

	rtp_address = "";
	err = open_house(state);
	rtp_address = "address: 127.0.0.1, ";
	return err;
}

/* ---- another build ---------------------------------------------------------
 */

static bool
upgrade_to(const char *folder, struct answer *a)
{
	char path[TEXT];

	path_of(path, folder);
	return ask("upgrade", path, WAIT_MS, a);
}

/* Each of the new one is there. */
static bool
all_are_replaced(const struct pids *before, struct pids *after)
{
	static struct answer a;

	for (int64_t end = now_ms() + 2 * WAIT_MS; now_ms() < end; breathe()) {
		bool all = ask("status", NULL, WAIT_MS, &a) &&
			   strstr(a.all, "state=old") == NULL &&
			   strstr(a.all, "state=starting") == NULL;

		if (all)
			look_at_pids(after);
		for (size_t i = 0; all && i < HF_LEN(after->of); i++)
			all = after->of[i] > 0 && after->of[i] != before->of[i];
		if (all)
			return true;
	}
	return false;
}

static void
another_build_takes_the_house_over(void **state)
{
	struct pids before, after;
	static struct answer a;
	int fd = client(sip_port), heard = 0;

	(void)state;
	make_build("same", false);
	make_build("other", true);
	for (int i = 0; i < 2; i++) {
		off_t at = log_end();

		look_at_pids(&before);
		assert_int_equal(kill(before.of[5], SIGSTOP), 0);
		for (int k = 0; k < 10; k++)
			assert_int_equal(send(fd, "x", 1, 0), 1);
		assert_int_equal(kill(before.of[5], SIGCONT), 0);
		assert_true(upgrade_to(i == 0 ? "same" : "other", &a));
		assert_string_equal(a.error, "");
		assert_non_null(strstr(a.all, "from="));
		assert_true(log_will_say_after(at, "house_adopted rooms=6"));
		assert_true(all_are_replaced(&before, &after));
		all_are_neighbours();
		assert_true(say(sip_port, "fact", WAIT_MS) > 0);
		for (int k = 0; k < 10; k++, heard++)
			assert_true(hear(fd, WAIT_MS) > 0);
	}
	(void)close(fd);
	assert_int_equal(heard, 20);
	assert_int_equal(kill(keeper, 0), 0); /* it is the same process */
	assert_false(log_says("room_died"));
	assert_true(say(rtp_port, "x", WAIT_MS) == after.of[2]);
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("past", "1", WAIT_MS, &a) &&
		    number_of(&a, "hf-store", "facts") >= 2)
			break;
	assert_true(number_of(&a, "hf-store", "facts") >= 2);
}

static void
script(const char *name, const char *text)
{
	char path[TEXT];
	FILE *f;

	path_of(path, name);
	(void)unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fputs(text, f);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, 0755), 0);
}

static void
a_build_that_could_not_go_on_is_refused(void **state)
{
	struct pids before, after;
	static struct answer a;
	char path[TEXT];

	(void)state;
	look_at_pids(&before);
	make_build("worse", true);
	script("worse/libexec/holdfast/hf-call",
	    "#!/bin/sh\necho 'table=call.slots take=no why=\"too old\"'\n"
	    "exit 1\n");
	assert_true(upgrade_to("worse", &a));
	assert_string_equal(a.error,
	    "libexec/holdfast/hf-call could not go on from here; what runs "
	    "goes on");
	assert_non_null(strstr(a.all, "table=call.slots take=no"));
	path_of(path, "worse/libexec/holdfast/hf-call");
	assert_int_equal(unlink(path), 0);
	assert_true(upgrade_to("worse", &a));
	assert_non_null(strstr(a.error, "No such file"));
	assert_true(upgrade_to("nowhere", &a));
	assert_string_not_equal(a.error, "");
	/* It would take the file as it is: other ports under live calls. */
	write_conf("test", "emergency: { calls: 1 }\n");
	make_build("fits", true);
	assert_true(upgrade_to("fits", &a));
	assert_non_null(strstr(a.all, "takes a restart"));
	assert_non_null(strstr(a.error, "what runs goes on"));
	write_conf("test", "");
	/* Who may write there would be run as we are. */
	make_build("open", true);
	path_of(path, "open/libexec/holdfast");
	assert_int_equal(chmod(path, 0777), 0);
	assert_true(upgrade_to("open", &a));
	assert_non_null(strstr(a.error, "others than root may change it"));
	look_at_pids(&after);
	assert_memory_equal(&before, &after, sizeof(before));
	assert_false(log_says("keeper_left"));
	assert_false(log_says("keeper_replaced"));
}

/* Its programs were put into our places without a question; the keeper of that
 * build finds what it cannot go on from, and leaves that alone. */
static void
who_could_not_be_replaced_goes_on(void **state)
{
	struct pids before, after;
	static struct answer a;
	char is[TEXT], was[TEXT];

	(void)state;
	look_at_pids(&before);
	path_of(is, "libexec/holdfast/hf-call");
	path_of(was, "libexec/holdfast/was");
	assert_int_equal(rename(is, was), 0);
	script("libexec/holdfast/hf-call", "#!/bin/sh\necho no\nexit 1\n");
	/* Whom the old keeper restarts is what it was. */
	assert_int_equal(kill(before.of[4], SIGKILL), 0);
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("agents", NULL, WAIT_MS, &a) && a.error[0] == '\0')
			break;
	assert_string_equal(a.error, "");
	look_at_pids(&before);
	kill_keeper();
	assert_true(next_keeper());
	assert_true(log_will_say("room_kept room=hf-call why=\"no\""));
	look_at_pids(&after);
	assert_memory_equal(&before, &after, sizeof(before));
	all_are_neighbours();
	assert_true(ask("status", NULL, WAIT_MS, &a));
	assert_non_null(strstr(a.all, "state=kept"));
	assert_int_equal(rename(was, is), 0);
}

/* ---- a service manager that keeps sockets ----------------------------------
 */

static struct {
	int at, fd[256];
	int n;
	bool started; /* the next keeper gets them */
} manager;

static void
manager_begins(void)
{
	char path[TEXT], text[16];

	path_of(path, "notify");
	(void)setenv("NOTIFY_SOCKET", path, 1);
	if (!manager.started)
		return;
	/* Above where they go, so that none is written over. */
	for (int i = 0; i < manager.n; i++)
		manager.fd[i] =
		    fcntl(manager.fd[i], F_DUPFD, 3 + (int)HF_LEN(manager.fd));
	for (int i = 0; i < manager.n; i++)
		(void)dup2(manager.fd[i], 3 + i);
	(void)snprintf(text, sizeof(text), "%d", manager.n);
	(void)setenv("LISTEN_FDS", text, 1);
	(void)snprintf(text, sizeof(text), "%d", (int)getpid());
	(void)setenv("LISTEN_PID", text, 1);
}

/* Takes what was sent; how many descriptors came. */
static int
manager_takes(void)
{
	int before = manager.n;
	char text[256];
	union {
		char bytes[CMSG_SPACE(256 * sizeof(int))];
		struct cmsghdr align;
	} control;

	for (;;) {
		struct iovec io = { text, sizeof(text) - 1 };
		struct msghdr h = { .msg_iov = &io,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control) };
		ssize_t n =
		    recvmsg(manager.at, &h, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
		struct cmsghdr *cm = n > 0 ? CMSG_FIRSTHDR(&h) : NULL;
		size_t fds;

		if (n <= 0)
			return manager.n - before;
		text[n] = '\0';
		if (cm == NULL)
			continue;
		assert_non_null(strstr(text, "FDSTORE=1"));
		assert_non_null(strstr(text, "FDPOLL=0"));
		fds = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		assert_true((size_t)manager.n + fds <= HF_LEN(manager.fd));
		memcpy(
		    manager.fd + manager.n, CMSG_DATA(cm), fds * sizeof(int));
		manager.n += (int)fds;
	}
}

/* All are killed at once, and what comes meanwhile is heard afterwards. */
static void
the_service_manager_keeps_what_nobody_has(void **state)
{
	struct pids p, other;
	static struct answer a;
	int sip = client(sip_port), rtp = client(rtp_port);

	(void)state;
	assert_int_equal(manager_takes(), 2 + RTP_PORTS);
	for (int times = 0; times < 2; times++) {
		look_at_pids(&p);
		kill_keeper();
		for (size_t i = 0; i < HF_LEN(p.of); i++)
			assert_int_equal(kill(p.of[i], SIGKILL), 0);
		(void)usleep(100000);
		for (int i = 0; i < 10; i++) {
			assert_int_equal(send(sip, "x", 1, 0), 1);
			assert_int_equal(send(rtp, "x", 1, 0), 1);
		}
		manager.started = true;
		assert_true(next_keeper());
		for (int i = 0; i < 10; i++) {
			assert_true(hear(sip, WAIT_MS) > 0);
			assert_true(hear(rtp, WAIT_MS) > 0);
		}
		assert_int_equal(manager_takes(), 0);
	}
	/* Also when it is only the keeper, or another one takes its place. */
	kill_keeper();
	assert_true(next_keeper());
	assert_int_equal(manager_takes(), 0);
	make_build("other", true);
	look_at_pids(&p);
	assert_true(upgrade_to("other", &a));
	assert_true(all_are_replaced(&p, &other));
	assert_int_equal(manager_takes(), 0);
	(void)close(sip);
	(void)close(rtp);
}

static int
open_house_of_a_service(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int bytes = 1 << 20;

	path_of(sa.sun_path, "notify");
	(void)unlink(sa.sun_path);
	manager.at = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	manager.n = 0;
	manager.started = false;
	(void)setsockopt(
	    manager.at, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (bind(manager.at, (struct sockaddr *)&sa, sizeof(sa)) != 0)
		return -1;
	keeper_begins = manager_begins;
	return open_house(state);
}

static int
close_house_of_a_service(void **state)
{
	for (int i = 0; i < manager.n; i++)
		(void)close(manager.fd[i]);
	(void)close(manager.at);
	keeper_begins = NULL;
	return close_house(state);
}

/* One that no keeper has sealed is a forgery for all we know. */
static void
a_configuration_that_no_keeper_has_sealed_is_not_taken(void **state)
{
	static struct answer a;
	char path[TEXT];
	uint8_t key[16];
	struct pids before, after;
	int fd;

	(void)state;
	look_at_pids(&before);
	path_of(path, "run/keeper.boot");
	fd = open(path, O_RDWR);
	kill_keeper();
	memset(key, 'k', sizeof(key));
	assert_int_equal(
	    pwrite(fd, key, sizeof(key), offsetof(struct past, key)),
	    sizeof(key));
	(void)close(fd);
	assert_true(next_keeper());
	assert_true(log_says("config_not_known room=hf-sip"));
	look_at_pids(&after);
	assert_memory_equal(&before, &after, sizeof(before));
	/* The file's is in force, and what is handed out is the newest. */
	assert_true(ask("agents", NULL, WAIT_MS, &a));
	assert_int_equal(number_of(&a, "hf-call", "generation"), 2);
}

/* Nobody is left on its ports for ever. */
static void
nobody_outlives_a_killed_keeper_for_long(void **state)
{
	(void)state;
	kill_keeper();
	assert_true(say(sip_port, "x", WAIT_MS) > 0);
	assert_true(log_will_say("no_keeper_came"));
	for (int64_t end = now_ms() + 2 * WAIT_MS; now_ms() < end; breathe())
		if (say(sip_port, "x", 50) == 0 && say(rtp_port, "x", 50) == 0)
			break;
	assert_int_equal(say(sip_port, "x", 50), 0);
	assert_int_equal(say(rtp_port, "x", 50), 0);
	assert_true(log_says("hf-store info room_left"));
}

static int
open_house_of_impatient_orphans(void **state)
{
	int err;

	orphans_max = "1s";
	err = open_house(state);
	orphans_max = "8s";
	return err;
}

int
main(int argc, char **argv)
{
#define LIVE(name)                                                             \
	cmocka_unit_test_setup_teardown(name, open_house, close_house)
	const struct CMUnitTest tests[] = {
		LIVE(rooms_outlive_their_keeper_and_are_adopted),
		LIVE(a_stop_in_the_middle_of_an_adoption_is_one),
		LIVE(who_dies_without_a_keeper_is_started_by_the_next),
		LIVE(a_keeper_that_dies_while_it_restarts_leaves_nobody_alone),
		LIVE(a_room_that_does_not_answer_is_replaced),
		LIVE(the_configuration_goes_on_with_the_rooms),
		cmocka_unit_test_setup_teardown(
		    connected_sockets_are_known_again,
		    open_house_of_every_address, close_house),
		LIVE(a_configuration_that_no_keeper_has_sealed_is_not_taken),
		LIVE(another_build_takes_the_house_over),
		LIVE(a_build_that_could_not_go_on_is_refused),
		LIVE(who_could_not_be_replaced_goes_on),
		cmocka_unit_test_setup_teardown(
		    the_service_manager_keeps_what_nobody_has,
		    open_house_of_a_service, close_house_of_a_service),
		cmocka_unit_test_setup_teardown(
		    nobody_outlives_a_killed_keeper_for_long,
		    open_house_of_impatient_orphans, close_house),
	};
#undef LIVE
	int failed;

	if (!house_begin(argc, argv))
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	house_end();
	return failed;
}
