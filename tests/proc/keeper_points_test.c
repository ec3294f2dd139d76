/* The next keeper dies at each step of taking the house over, and so does each
 * room: whoever comes after them finds it whole.  For programs of a build with
 * -Dcrash_points=true (src/proc/crash.h).  argv: holdfastd, echo_room.
 * HF_POINT: from this one on; HF_EVERY: not all of them. */

#include "proc/house.h"

#include <sys/mman.h>

#include "proc/crash.h"

enum {
	POINTS_MAX = 5000,
	ROOM_POINTS_MAX = 400,
	AFTER_US = 5000,
	LOOK_BYTES = 1 << 19
};

static struct crash_page *page;
static unsigned points;
static uint64_t first = 1, step = 1; /* HF_POINT, HF_EVERY */

static void
keeper_finds_the_page(void)
{
	char path[TEXT];

	path_of(path, "crash");
	(void)setenv("HF_CRASH", path, 1);
}

static int
open_house_with_points(void **state)
{
	static const char *const names[] = { "holdfastd", "hf-store", "hf-rec",
		"hf-media", "hf-call", "hf-sip" };
	char path[TEXT];
	int fd;

	path_of(path, "crash");
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	if (fd < 0 || ftruncate(fd, sizeof(*page)) != 0)
		return -1;
	page = mmap(
	    NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	(void)close(fd);
	if (page == MAP_FAILED)
		return -1;
	page->magic = CRASH_MAGIC;
	for (size_t i = 0; i < HF_LEN(names); i++)
		(void)snprintf(page->cell[i].name, sizeof(page->cell[i].name),
		    "%s", names[i]);
	keeper_begins = keeper_finds_the_page;
	points = 0;
	return open_house(state);
}

static int
close_house_with_points(void **state)
{
	printf("%u points\n", points);
	keeper_begins = NULL;
	return close_house(state);
}

static bool
is_whole(void)
{
	static struct answer a;

	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (ask("agents", NULL, WAIT_MS, &a) &&
		    number_of(&a, "hf-call", "neighbours") == 5 &&
		    ask("messages", NULL, WAIT_MS, &a) &&
		    number_of(&a, "hf-rec", "neighbours") == 4 &&
		    ask("registrations", NULL, WAIT_MS, &a) &&
		    number_of(&a, "hf-sip", "neighbours") == 3 &&
		    number_of(&a, "hf-sip", "sockets") == 2)
			return true;
	return false;
}

static pid_t
pid_of(const char *room)
{
	static struct answer a;
	char key[64];

	(void)snprintf(key, sizeof(key), "process=%s", room);
	assert_true(ask("status", NULL, WAIT_MS, &a));
	return (pid_t)number_of(&a, key, "pid");
}

/* It adopts, or is dead: false when it has died. */
static bool
lives_to_open(off_t at)
{
	for (int64_t end = now_ms() + 2 * WAIT_MS; now_ms() < end;
	     (void)usleep(1000)) {
		if (waitpid(keeper, NULL, WNOHANG) == keeper) {
			keeper = 0;
			return false;
		}
		if (log_says_after(at, "house_open"))
			return true;
	}
	fail_msg("neither dead nor open");
	return false;
}

/* One death of cell at its n-th point while a house is taken over.  False when
 * it has not so many. */
static bool
die_at(struct crash_cell *cell, uint64_t n, const char *missing)
{
	pid_t sip = pid_of("hf-sip"), call = pid_of("hf-call");
	uint32_t deaths = cell->deaths;
	off_t at = log_end();

	kill_keeper();
	if (missing != NULL)
		assert_int_equal(
		    kill(missing[3] == 's' ? sip : call, SIGKILL), 0);
	cell->count = 0;
	cell->die_at = n;
	cell->on = 1;
	start_keeper();
	if (lives_to_open(at)) {
		(void)usleep(AFTER_US); /* the turn in which it said so */
		if (waitpid(keeper, NULL, WNOHANG) == keeper)
			keeper = 0;
	}
	cell->on = 0;
	if (keeper == 0)
		assert_true(next_keeper());
	if (!is_whole()) {
		show_log();
		fail_msg("%s at %llu before %s", cell->name,
		    (unsigned long long)n, cell->where);
	}
	if (cell->deaths == deaths)
		return false;
	points++;
	/* Who was not meant has lived through it. */
	if (cell == &page->cell[0] && missing == NULL) {
		assert_int_equal(pid_of("hf-sip"), sip);
		assert_int_equal(pid_of("hf-call"), call);
	}
	return true;
}

/* A child that has not become a room yet has the keeper's points, and may die
 * of them; a room dies of none. */
static void
nobody_fell_over_it(void)
{
	off_t end = log_end();

	for (off_t at = 0; at < end; at += LOOK_BYTES)
		assert_false(log_says_after(at, "assert_failed"));
}

static void
a_keeper_may_die_at_each_step_of_an_adoption(void **state)
{
	uint64_t n = first;

	(void)state;
	while (n < POINTS_MAX && die_at(&page->cell[0], n, NULL))
		n += step;
	assert_in_range(n, 50, POINTS_MAX - 1);
	nobody_fell_over_it();
}

static void
a_keeper_may_die_at_each_step_of_starting_who_is_missing(void **state)
{
	uint64_t n = first;

	(void)state;
	while (n < POINTS_MAX &&
	       die_at(&page->cell[0], n, n % 2 != 0 ? "hf-sip" : "hf-call"))
		n += step;
	assert_in_range(n, 50, POINTS_MAX - 1);
}

static void
a_room_may_die_at_each_step_of_its_adoption(void **state)
{
	(void)state;
	for (size_t i = 1; i < HF_LEN(house_rooms) + 1; i++)
		for (uint64_t n = first; n < ROOM_POINTS_MAX; n += step)
			if (!die_at(&page->cell[i], n, NULL))
				break;
	assert_true(points > 0 || first > 1);
	nobody_fell_over_it();
}

static bool
none_is_old(void)
{
	static struct answer a;

	for (int64_t end = now_ms() + 2 * WAIT_MS; now_ms() < end; breathe())
		if (ask("status", NULL, WAIT_MS, &a) &&
		    strstr(a.all, "state=old") == NULL &&
		    strstr(a.all, "state=starting") == NULL &&
		    strstr(a.all, "state=kept") == NULL)
			return true;
	return false;
}

/* The keeper dies at its n-th point, of the old build or already of the new
 * one; the next is of the old build, and takes all back.  False when it has not
 * so many. */
static bool
upgrade_and_die_at(uint64_t n)
{
	static struct answer a;
	struct crash_cell *cell = &page->cell[0];
	uint32_t deaths = cell->deaths;
	off_t at = log_end();
	char path[TEXT];
	bool died = false;

	path_of(path, "other");
	cell->count = 0;
	cell->die_at = n;
	cell->on = 1;
	(void)ask("upgrade", path, WAIT_MS, &a);
	for (int64_t end = now_ms() + 2 * WAIT_MS; !died && now_ms() < end;
	     (void)usleep(1000)) {
		died = waitpid(keeper, NULL, WNOHANG) == keeper;
		if (log_says_after(at, "room_ready room=hf-sip"))
			break;
	}
	cell->on = 0;
	if (!died) {
		(void)usleep(AFTER_US);
		kill_keeper();
	}
	at = log_end();
	start_keeper();
	if (!log_will_say_after(at, "house_open") || !none_is_old() ||
	    !is_whole()) {
		show_log();
		fail_msg("upgrade at %llu before %s", (unsigned long long)n,
		    cell->where);
	}
	points += cell->deaths != deaths;
	return cell->deaths != deaths;
}

static void
a_keeper_may_die_at_each_step_of_an_upgrade(void **state)
{
	uint64_t n = first;

	(void)state;
	make_build("other", true);
	while (n < POINTS_MAX && upgrade_and_die_at(n))
		n += step;
	assert_in_range(n, 100, POINTS_MAX - 1);
	nobody_fell_over_it();
}

int
main(int argc, char **argv)
{
#define LIVE(name)                                                             \
	cmocka_unit_test_setup_teardown(                                       \
	    name, open_house_with_points, close_house_with_points)
	const struct CMUnitTest tests[] = {
		LIVE(a_keeper_may_die_at_each_step_of_an_adoption),
		LIVE(a_keeper_may_die_at_each_step_of_starting_who_is_missing),
		LIVE(a_room_may_die_at_each_step_of_its_adoption),
		LIVE(a_keeper_may_die_at_each_step_of_an_upgrade),
	};
#undef LIVE
	const char *from = getenv("HF_POINT"), *every = getenv("HF_EVERY");
	int failed;

	if (from != NULL)
		first = strtoull(from, NULL, 10);
	if (every != NULL)
		step = strtoull(every, NULL, 10);
	keeper_keys = "user: root, restarts_per_s: 1000, restarts_burst: 1000";
	orphans_max = "30s";
	if (!house_begin(argc, argv))
		return 2;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	house_end();
	return failed;
}
