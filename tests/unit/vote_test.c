/* logic/guard/vote: one call, one helper, or we ourselves. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "logic/guard/vote.h"

static const struct vote_conf conf = {
	.share = 40,
	.min = 5,
	.after = { 500000 },
	.lost = { 1000000 },
	.uplink_helpers = 2,
	.uplink_calls = 5,
	.uplink_within = { 500000 },
	.uplink_after = { 1000000 },
};

enum { HELPERS = 3 };
static struct vote v[HELPERS];
static const struct hf_time start = { 10000000 };

static struct hf_time
at(int64_t ms)
{
	return hf_time_after(start, hf_ms(ms));
}

/* v[0] and v[1] are remote, v[2] is in the house; ten calls each. */
static int
setup(void **state)
{
	(void)state;
	for (unsigned i = 0; i < HELPERS; i++) {
		vote_init(&v[i], i < 2);
		for (int n = 0; n < 10; n++)
			vote_join(&v[i]);
	}
	return 0;
}

static bool
fall(unsigned i, unsigned calls, int64_t ms)
{
	bool fell = false;

	while (calls-- > 0)
		fell |= vote_silent(&v[i], &conf, at(ms));
	return fell;
}

static enum verdict
judge(unsigned i, int64_t ms, int64_t *again)
{
	struct hf_time t = { 0 };
	enum verdict e = vote_judge(v, HELPERS, i, &conf, start, at(ms), &t);

	if (again != NULL)
		*again = hf_time_since(start, t).us / 1000;
	return e;
}

static void
a_call_alone_is_lost_after_a_second(void **state)
{
	int64_t again;

	(void)state;
	assert_false(fall(0, 1, 70));
	assert_int_equal(judge(0, 70, &again), VERDICT_WAIT);
	assert_int_equal(again, 1000);
	assert_int_equal(judge(0, 999, NULL), VERDICT_WAIT);
	assert_int_equal(judge(0, 1000, NULL), VERDICT_ALONE);
}

static void
five_of_ten_are_lost_after_half_a_second(void **state)
{
	int64_t again;

	(void)state;
	assert_false(fall(0, 4, 70));
	assert_true(fall(0, 1, 75));
	assert_int_equal(judge(0, 75, &again), VERDICT_WAIT);
	assert_int_equal(again, 500);
	assert_int_equal(judge(0, 500, NULL), VERDICT_TOGETHER);
	assert_int_equal(judge(2, 600, NULL), VERDICT_WAIT);
}

static void
five_of_thirteen_are_no_majority(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		vote_join(&v[0]);
	assert_false(fall(0, 5, 70));
	assert_int_equal(judge(0, 500, NULL), VERDICT_WAIT);
	assert_true(fall(0, 1, 80));
}

static void
the_last_ones_rescued_do_not_wait_longer(void **state)
{
	(void)state;
	assert_true(fall(0, 10, 70));
	for (int i = 0; i < 9; i++)
		vote_leave(&v[0], true);
	assert_int_equal(judge(0, 500, NULL), VERDICT_TOGETHER);
}

static void
who_becomes_well_is_no_longer_fallen(void **state)
{
	(void)state;
	assert_true(fall(0, 5, 70));
	vote_well(&v[0], &conf);
	assert_int_equal(judge(0, 500, NULL), VERDICT_WAIT);
	assert_true(fall(0, 1, 600));
}

static void
a_bad_line_hours_after_is_a_bad_line(void **state)
{
	enum { HOURS = 7200000 };
	struct hf_time again;

	(void)state;
	assert_true(fall(0, 5, 70));
	for (int i = 0; i < 5; i++) /* rescued; the other five go on */
		vote_leave(&v[0], true);
	/* One that fell with them, and was seen last. */
	assert_false(fall(0, 1, 900));
	assert_int_equal(judge(0, 900, NULL), VERDICT_TOGETHER);
	vote_leave(&v[0], true);
	assert_false(fall(0, 1, HOURS));
	assert_int_equal(vote_judge(v, HELPERS, 0, &conf, at(HOURS - 70),
			     at(HOURS + 500), &again),
	    VERDICT_WAIT);
	assert_int_equal(vote_judge(v, HELPERS, 0, &conf, at(HOURS - 70),
			     at(HOURS + 930), &again),
	    VERDICT_ALONE);
}

static void
two_remote_helpers_at_once_are_our_uplink(void **state)
{
	int64_t again;

	(void)state;
	assert_true(fall(0, 6, 70));
	assert_true(fall(1, 6, 300));
	assert_int_equal(judge(0, 500, &again), VERDICT_WAIT);
	assert_int_equal(again, 1070);
	vote_probed(&v[0], false);
	assert_int_equal(judge(0, 1070, NULL), VERDICT_UPLINK);
	assert_int_equal(judge(1, 1070, NULL), VERDICT_UPLINK);
}

static void
an_answer_to_options_clears_the_uplink(void **state)
{
	(void)state;
	assert_true(fall(0, 6, 70));
	assert_true(fall(1, 6, 70));
	vote_probed(&v[1], true);
	assert_int_equal(judge(0, 500, NULL), VERDICT_TOGETHER);
	assert_int_equal(judge(1, 500, NULL), VERDICT_TOGETHER);
}

static void
helpers_that_fall_apart_in_time_are_two_troubles(void **state)
{
	(void)state;
	assert_true(fall(0, 6, 70));
	assert_true(fall(1, 6, 571));
	assert_int_equal(judge(0, 580, NULL), VERDICT_TOGETHER);
	assert_int_equal(judge(1, 1000, NULL), VERDICT_TOGETHER);
}

static void
the_uplink_is_judged_alike_for_the_last_call_of_all(void **state)
{
	(void)state;
	assert_true(fall(0, 10, 70));
	assert_true(fall(1, 10, 70));
	assert_int_equal(judge(0, 1070, NULL), VERDICT_UPLINK);
	for (int i = 0; i < 10; i++)
		vote_leave(&v[0], true);
	assert_int_equal(judge(1, 1070, NULL), VERDICT_UPLINK);
	vote_join(&v[0]);
	assert_int_equal(judge(0, 1071, NULL), VERDICT_ALONE);
}

static void
a_helper_in_the_house_says_nothing_about_the_uplink(void **state)
{
	(void)state;
	assert_true(fall(0, 6, 70));
	assert_true(fall(2, 6, 70));
	assert_int_equal(judge(0, 500, NULL), VERDICT_TOGETHER);
	assert_int_equal(judge(2, 500, NULL), VERDICT_TOGETHER);
}

/* ---- one call in it ------------------------------------------------------ */

static struct voter
suspect(int64_t ms, int64_t grace_ms, bool paused)
{
	struct voter r = { .spoke = true };

	assert_false(voter_cast(&r, &v[0], &conf, true, at(0)));
	assert_true(r.voting);
	voter_suspect(&r, start, hf_ms(grace_ms), paused, at(ms));
	(void)voter_cast(&r, &v[0], &conf, true, at(ms));
	return r;
}

static enum verdict
judge_one(const struct voter *r, int64_t ms, int64_t *again)
{
	struct hf_time t;
	enum verdict e = voter_judge(r, v, HELPERS, 0, &conf, at(ms), &t);

	if (again != NULL)
		*again = hf_time_since(start, t).us / 1000;
	return e;
}

static void
a_rough_path_earns_its_call_more_time_alone(void **state)
{
	struct voter r = suspect(70, 2500, false);
	int64_t again;

	(void)state;
	assert_true(r.voted);
	assert_int_equal(judge_one(&r, 1000, &again), VERDICT_WAIT);
	assert_int_equal(again, 2500);
	assert_int_equal(judge_one(&r, 2500, NULL), VERDICT_ALONE);
	(void)fall(0, 5, 80);
	assert_int_equal(judge_one(&r, 500, NULL), VERDICT_TOGETHER);
}

static void
who_fell_silent_in_a_pause_does_not_vote(void **state)
{
	struct voter r = suspect(70, 3000, true);

	(void)state;
	assert_false(r.voted);
	assert_int_equal(v[0].silent, 0);
	assert_int_equal(judge_one(&r, 2999, NULL), VERDICT_WAIT);
	assert_int_equal(judge_one(&r, 3000, NULL), VERDICT_ALONE);
}

static void
who_suppresses_silence_leaves_the_vote(void **state)
{
	struct voter r = suspect(70, 0, false);
	uint32_t live = v[0].live;

	(void)state;
	r.suppressed = true;
	assert_false(voter_cast(&r, &v[0], &conf, true, at(80)));
	assert_false(r.voting);
	assert_false(r.voted);
	assert_int_equal(v[0].live, live - 1);
	assert_int_equal(v[0].silent, 0);
	(void)fall(0, 5, 80);
	assert_int_equal(judge_one(&r, 999, NULL), VERDICT_WAIT);
	assert_int_equal(judge_one(&r, 1000, NULL), VERDICT_ALONE);
}

static void
who_never_said_a_word_is_not_judged_by_silence(void **state)
{
	struct voter r = suspect(70, 0, false);
	int64_t again;

	(void)state;
	r.spoke = false;
	assert_int_equal(judge_one(&r, 60000, &again), VERDICT_WAIT);
	assert_true(again > 1000000);
	r.spoke = true;
	r.silent = false;
	assert_int_equal(judge_one(&r, 60000, NULL), VERDICT_WAIT);
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(a_call_alone_is_lost_after_a_second),
		T(five_of_ten_are_lost_after_half_a_second),
		T(five_of_thirteen_are_no_majority),
		T(the_last_ones_rescued_do_not_wait_longer),
		T(who_becomes_well_is_no_longer_fallen),
		T(a_bad_line_hours_after_is_a_bad_line),
		T(two_remote_helpers_at_once_are_our_uplink),
		T(an_answer_to_options_clears_the_uplink),
		T(helpers_that_fall_apart_in_time_are_two_troubles),
		T(the_uplink_is_judged_alike_for_the_last_call_of_all),
		T(a_helper_in_the_house_says_nothing_about_the_uplink),
		T(a_rough_path_earns_its_call_more_time_alone),
		T(who_fell_silent_in_a_pause_does_not_vote),
		T(who_suppresses_silence_leaves_the_vote),
		T(who_never_said_a_word_is_not_judged_by_silence),
	};

	return cmocka_run_group_tests_name(
	    "logic/guard/vote", tests, NULL, NULL);
}
