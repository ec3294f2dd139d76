/* Calls between parties that speak our own SIP, in virtual time. */

#include <stdio.h>

#include "io/sip/build.h"
#include "tests/lib/sip_calls.h"

/* ---- stories ------------------------------------------------------------- */

static void
a_call_is_answered_and_ended_by_the_caller(void **state)
{
	(void)call_up();
	assert_int_equal(a->seen[W_RANG], 2); /* 100 and 180 */
	assert_int_equal(a->seen[W_ANSWERED], 1);
	assert_string_equal(a->body, "v=0 of party 1");
	assert_string_equal(b->body, "v=0 of party 0");
	drop(a);
	world_run(w, 10);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_BYE);
	assert_int_equal(a->seen[W_LEFT], 0);
	assert_null(world_session(a));
	assert_null(world_session(b));
	end_well();
}

static void
the_callee_hangs_up(void **state)
{
	call_up();
	sip_session_drop(
	    &b->ss, world_session(b), 200, HF_SLICE("agent"), w->now);
	world_run(w, 10);
	assert_int_equal(a->seen[W_LEFT], 1);
	end_well();
}

static bool
lose_first_two_of_each(struct world *x, uint8_t from, struct hf_slice m)
{
	static unsigned n[2];

	(void)from;
	if (x->count == 0)
		n[0] = n[1] = 0;
	x->count++;
	if (is(m, "INVITE"))
		return n[0]++ < 2;
	if (is(m, "BYE"))
		return n[1]++ < 2;
	return false;
}

static void
lost_requests_are_said_again(void **state)
{
	struct sip_session *s;

	w->lose = lose_first_two_of_each;
	s = world_call(w, A, B);
	world_run(w, 1499);
	assert_int_equal(b->seen[W_ARRIVED], 0);
	world_run(w, 20); /* 500 + 1000 ms */
	assert_int_equal(s->state, SIP_S_UP);
	drop(a);
	world_run(w, 1520);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->seen[W_ARRIVED], 1);
	end_well();
}

static bool
lose_three_acks(struct world *x, uint8_t from, struct hf_slice m)
{
	(void)from;
	return is(m, "ACK") && x->count++ < 3;
}

static void
a_lost_ack_is_asked_for_by_the_2xx_again(void **state)
{
	w->lose = lose_three_acks;
	world_call(w, A, B);
	world_run(w, 3000);
	assert_int_equal(b->seen[W_CONFIRMED], 0);
	world_run(w, 1000); /* 0.5 + 1 + 2 s */
	assert_int_equal(b->seen[W_CONFIRMED], 1);
	assert_int_equal(a->seen[W_ANSWERED], 1);
	end_well();
}

static void
a_2xx_that_nobody_acknowledges_ends_in_bye(void **state)
{
	w->lose = lose_acks;
	world_call(w, A, B);
	world_run(w, 31900);
	assert_int_equal(b->seen[W_LEFT], 0);
	world_run(w, 200);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_NO_ACK);
	assert_int_equal(a->seen[W_LEFT], 1);
	end_well();
}

static bool
lose_all(struct world *x, uint8_t from, struct hf_slice m)
{
	(void)x;
	(void)from;
	(void)m;
	return true;
}

static void
nobody_answers_and_timer_b_says_so(void **state)
{
	w->lose = lose_all;
	world_call(w, A, B);
	world_run(w, 31990);
	assert_int_equal(a->seen[W_REFUSED], 0);
	world_run(w, 20);
	assert_int_equal(a->seen[W_REFUSED], 1);
	assert_int_equal(a->why, SIP_END_TIMEOUT);
	assert_int_equal(w->sent, 7); /* 0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5 s */
	end_well();
}

static void
a_dead_port_is_noticed_in_milliseconds(void **state)
{
	w->dead[B] = true;
	world_call(w, A, B);
	world_run(w, 3);
	assert_int_equal(a->seen[W_REFUSED], 1);
	assert_int_equal(a->why, SIP_END_UNREACHABLE);
	w->dead[B] = false;
	end_well();
}

static void
a_caller_gives_up_while_it_rings(void **state)
{
	struct sip_session *s;

	s = call_rings();
	sip_session_drop(&a->ss, s, 487, HF_SLICE("gone"), w->now);
	world_run(w, 20);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_CANCEL);
	assert_int_equal(a->seen[W_REFUSED], 0);
	assert_null(world_session(a));
	assert_null(world_session(b));
	end_well();
}

static void
a_cancel_waits_for_the_first_sign_of_life(void **state)
{
	b->answers = false;
	world_call(w, A, B);
	drop(a);
	assert_int_equal(w->sent, 1);
	world_run(w, 20);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_null(world_session(a));
	end_well();
}

static const char *reason_of_cancel;

static bool
look_at_cancel(struct world *x, uint8_t from, struct hf_slice m)
{
	static struct sip_msg p;
	const struct sip_header_line *h;

	(void)from;
	if (!is(m, "CANCEL"))
		return false;
	assert_int_equal(sip_parse(m, &p).parsed, SIP_GOOD);
	h = sip_find(&p, SIP_H_REASON, 0);
	assert_non_null(h);
	assert_true(hf_slice_eq(h->value, hf_slice_of(reason_of_cancel)));
	x->count++;
	return false;
}

static void
a_cancel_says_why_at_once_or_later(void **state)
{
	b->answers = false;
	w->lose = look_at_cancel;
	reason_of_cancel = "SIP;cause=200;text=\"Call completed elsewhere\"";
	for (int wait = 0; wait <= 20; wait += 20) {
		struct sip_session *s = world_call(w, A, B);

		world_run(w, wait);
		sip_session_drop(&a->ss, s, 200,
		    HF_SLICE("Call completed elsewhere"), w->now);
		world_run(w, 20);
	}
	assert_int_equal(w->count, 2);
	assert_int_equal(b->seen[W_LEFT], 2);
	end_well();
}

static void
an_answer_that_crosses_a_cancel_is_acked_and_ended(void **state)
{
	(void)call_rings();
	drop(a);
	answer(b, "v=0");
	world_run(w, 20);
	assert_int_equal(b->seen[W_CONFIRMED], 1);
	assert_int_equal(b->seen[W_LEFT], 1);
	assert_int_equal(b->how, SIP_LEFT_BYE);
	assert_int_equal(a->seen[W_ANSWERED], 0);
	end_well();
}

static void
giving_up_in_time_cancels_and_tells(void **state)
{
	struct sip_session *s;

	b->answers = false;
	s = world_call(w, A, B);
	s->give_up = hf_time_after(w->now, hf_ms(5000));
	world_run(w, 5);
	hf_timer_start(&a->wheel, &a->ss.live[s->n].timer, s->give_up);
	world_run(w, 5100);
	assert_int_equal(a->seen[W_REFUSED], 1);
	assert_int_equal(b->seen[W_LEFT], 1);
	end_well();
}

static void
a_refusal_is_acknowledged_and_said_again_until_then(void **state)
{
	b->answers = false;
	w->lose = lose_acks;
	world_call(w, A, B);
	world_run(w, 20);
	sip_session_refuse(
	    &b->ss, world_session(b), 486, HF_SLICE(""), HF_SLICE(""), w->now);
	world_run(w, 600);
	assert_int_equal(a->seen[W_REFUSED], 1);
	assert_int_equal(a->status, 486);
	assert_int_equal(b->ss.tt.count.repeats_out, 1);
	w->lose = NULL;
	world_run(w, 1100);
	assert_int_equal(b->ss.tt.count.repeats_out, 2);
	world_run(w, 10000);
	assert_int_equal(b->ss.tt.count.repeats_out, 2);
	end_well();
}

static void
both_hang_up_at_once(void **state)
{
	(void)call_up();
	drop(a);
	drop(b);
	world_run(w, 10);
	assert_null(world_session(a));
	assert_null(world_session(b));
	assert_int_equal(a->ss.tt.count.repeats_out, 0);
	end_well();
}

static void
a_drop_before_the_ack_waits_for_it(void **state)
{
	w->lose = lose_acks;
	world_call(w, A, B);
	world_run(w, 20);
	drop(b);
	world_run(w, 400);
	assert_int_equal(a->seen[W_LEFT], 0);
	w->lose = NULL;
	world_run(w, 200);
	assert_int_equal(a->seen[W_LEFT], 1);
	end_well();
}

/* ---- in the call --------------------------------------------------------- */

static void
a_reinvite_is_answered_both_ways(void **state)
{
	struct sip_session *s = call_up();

	reinvite(a, "v=0 held");
	world_run(w, 10);
	assert_int_equal(b->seen[W_REOFFERED], 1);
	assert_string_equal(b->body, "v=0 held");
	assert_int_equal(a->seen[W_REANSWERED], 1);
	reinvite(b, "v=0 back");
	world_run(w, 10);
	assert_int_equal(a->seen[W_REOFFERED], 1);
	assert_int_equal(b->seen[W_REANSWERED], 1);
	assert_false(s->unacked);
	end_well();
}

/* Its ACK died with a process of ours; or it was lost on the way. */
static void
a_change_behind_an_ack_that_was_lost_is_taken(void **state)
{
	call_up();
	w->lose = lose_acks;
	reinvite(a, "v=0 held");
	world_run(w, 10);
	assert_int_equal(b->seen[W_REOFFERED], 1);
	assert_int_equal(a->seen[W_REANSWERED], 1);
	w->lose = NULL;
	reinvite(a, "v=0 back");
	world_run(w, 10);
	assert_int_equal(a->seen[W_REANSWERED], 2);
	assert_int_equal(a->status, 200);
	assert_int_equal(b->seen[W_REOFFERED], 2);
	assert_string_equal(b->body, "v=0 back");
	end_well();
}

static void
two_reinvites_that_meet_back_off_and_both_succeed(void **state)
{
	struct sip_session *s = call_up();

	reinvite(a, "v=0");
	reinvite(b, "v=0");
	world_run(w, 20);
	assert_int_equal(a->seen[W_REANSWERED], 0);
	assert_int_equal(b->seen[W_REANSWERED], 0);
	assert_true(s->retry.us != INT64_MAX);
	/* The callee may try from 0 to 2 s, the caller from 2.1 to 4 s. */
	world_run(w, 2100);
	assert_int_equal(b->seen[W_REANSWERED], 1);
	assert_int_equal(a->seen[W_REANSWERED], 0);
	world_run(w, 2000);
	assert_int_equal(a->seen[W_REANSWERED], 1);
	end_well();
}

static void
a_refused_reinvite_leaves_the_call_as_it_was(void **state)
{
	struct sip_session *s = call_up();

	b->reoffer_status = 488;
	reinvite(a, "v=0");
	world_run(w, 10);
	assert_int_equal(a->seen[W_REANSWERED], 1);
	assert_int_equal(a->status, 488);
	assert_int_equal(s->state, SIP_S_UP);
	end_well();
}

/* A proxy: it answers 100 to A's INVITE, and the phone behind it is dead; or
 * it takes a CANCEL for it and says 487. */
static struct hf_slice asked;
static bool cancels;

static void
proxy_says(struct world *x, uint16_t status)
{
	static struct sip_msg m;
	char text[2000];
	struct hf_buf o = hf_buf_on(text, sizeof(text));

	assert_int_equal(sip_parse(asked, &m).parsed, SIP_GOOD);
	sip_put_reply(&o, &m, status, HF_SLICE(""), HF_SLICE("p"), NULL);
	sip_put_body(&o, NULL, HF_SLICE(""));
	world_say(x, B, A, hf_buf_taken(&o));
}

static bool
proxy_with_a_dead_phone(struct world *x, uint8_t from, struct hf_slice m)
{
	static char kept[2000];

	if (from != A)
		return false;
	if (is(m, "INVITE")) {
		assert_true(hf_slice_copy(m, kept, sizeof(kept)));
		asked = (struct hf_slice){ kept, m.n };
		proxy_says(x, 100);
	} else if (is(m, "CANCEL") && cancels) {
		proxy_says(x, 487);
	}
	return true;
}

static struct sip_session *
reinvite_into_silence(bool then_487)
{
	struct sip_session *s = call_up();

	cancels = then_487;
	w->lose = proxy_with_a_dead_phone;
	reinvite(a, "v=0");
	world_run(w, 31900);
	assert_int_equal(s->state, SIP_S_UP);
	assert_int_equal(a->seen[W_REANSWERED], 0);
	return s;
}

static void
a_reinvite_that_hears_100_and_no_more_ends_the_call(void **state)
{
	(void)reinvite_into_silence(false);
	world_run(w, 32200);
	assert_int_equal(a->seen[W_LEFT], 1);
	assert_int_equal(a->how, SIP_LEFT_LOST);
	end_well();
}

static void
a_reinvite_that_took_too_long_is_cancelled_and_the_call_goes_on(void **state)
{
	struct sip_session *s = reinvite_into_silence(true);

	world_run(w, 200);
	assert_int_equal(a->seen[W_REANSWERED], 1);
	assert_int_equal(a->status, 487);
	world_run(w, LONG);
	assert_int_equal(s->state, SIP_S_UP);
	w->lose = NULL;
	reinvite(a, "v=0");
	world_run(w, 10);
	assert_int_equal(a->seen[W_REANSWERED], 2);
	end_well();
}

static void
a_call_dropped_while_its_reinvite_waits_leaves_nothing(void **state)
{
	(void)reinvite_into_silence(false);
	drop(a);
	drop(b);
	all_is_gone();
}

static void
a_dialog_that_the_other_side_forgot_is_over(void **state)
{
	(void)call_up();
	world_session(b)->user = 0;
	/* B dies and comes back without memory. */
	b->memory[0].dialog.remote_tag[0] = 'x';
	inform(a, "text/plain", "hello");
	world_run(w, 10);
	assert_int_equal(a->seen[W_LEFT], 1);
	assert_int_equal(a->how, SIP_LEFT_LOST);
	b->memory[0].state = SIP_S_UP;
	end_well();
}

static void
info_and_refer_reach_the_user(void **state)
{
	struct sip_session *s = call_up();

	inform(a, "application/dtmf-relay", "Signal=5");
	world_run(w, 10);
	assert_int_equal(b->seen[W_INFO], 1);
	assert_string_equal(b->body, "Signal=5");
	assert_true(sip_session_tell(&a->ss, s, SIP_REFER,
	    HF_SLICE("Refer-To: <sip:300@192.0.2.3>\r\n"), NULL, HF_SLICE(""),
	    w->now));
	world_run(w, 10);
	assert_int_equal(b->seen[W_REFERRED], 1);
	end_well();
}

static bool
hear_answer_to_info(struct world *x, uint8_t from, struct hf_slice m)
{
	if (from == B && is(m, "SIP/2.0 469 ")) {
		x->count++;
		assert_non_null(memmem(m.p, m.n, "\r\nRecv-Info: nil\r\n", 18));
	}
	return false;
}

static void
an_info_that_goes_nowhere_is_not_answered_200(void **state)
{
	struct sip_session *s = call_up();

	b->info_status = 469;
	w->count = 0;
	w->lose = hear_answer_to_info;
	assert_true(sip_session_tell(&a->ss, s, SIP_INFO,
	    HF_SLICE("Info-Package: foo\r\n"), NULL, HF_SLICE(""), w->now));
	world_run(w, 10);
	assert_int_equal(w->count, 1);
	assert_int_equal(s->state, SIP_S_UP);
	end_well();
}

static struct {
	uint32_t cseq;
	char event[32], state[64], type[64], body[64];
} told[4];

static bool
hear_notify(struct world *x, uint8_t from, struct hf_slice bytes)
{
	static struct sip_msg m;
	unsigned n = x->count;

	if (from != B || !is(bytes, "NOTIFY"))
		return false;
	assert_true(n < HF_LEN(told));
	assert_int_equal(sip_parse(bytes, &m).parsed, SIP_GOOD);
	told[n].cseq = m.cseq;
#define VALUE(h, to)                                                           \
	assert_true(hf_slice_copy(sip_find(&m, h, 0)->value, to, sizeof(to)))
	VALUE(SIP_H_EVENT, told[n].event);
	VALUE(SIP_H_SUBSCRIPTION_STATE, told[n].state);
	VALUE(SIP_H_CONTENT_TYPE, told[n].type);
#undef VALUE
	assert_true(hf_slice_copy(m.body, told[n].body, sizeof(told[n].body)));
	x->count++;
	return false;
}

/* RFC 3515 2.4.4 and 2.4.5. */
static void
a_refer_is_told_how_it_fares(void **state)
{
	static const struct {
		const char *state, *body;
	} want[] = {
		{ "active", "SIP/2.0 100 Trying" },
		{ "active", "SIP/2.0 180 Ringing" },
		{ "terminated", "SIP/2.0 200 OK" },
	};
	struct sip_session *s = call_up();

	w->count = 0;
	w->lose = hear_notify;
	assert_true(sip_session_tell(&a->ss, s, SIP_REFER,
	    HF_SLICE("Refer-To: <sip:300@192.0.2.3>\r\n"), NULL, HF_SLICE(""),
	    w->now));
	world_run(w, 10);
	sip_session_report(&b->ss, world_session(b), 180, w->now);
	sip_session_report(&b->ss, world_session(b), 200, w->now);
	assert_int_equal(w->count, HF_LEN(want));
	for (size_t i = 0; i < HF_LEN(want); i++) {
		assert_string_equal(told[i].event, "refer");
		assert_string_equal(
		    told[i].type, "message/sipfrag;version=2.0");
		assert_int_equal(strncmp(told[i].state, want[i].state,
				     strlen(want[i].state)),
		    0);
		assert_int_equal(
		    strncmp(told[i].body, want[i].body, strlen(want[i].body)),
		    0);
		assert_int_equal(told[i].cseq, told[0].cseq + i);
	}
	world_run(w, 10);
	assert_int_equal(s->state, SIP_S_UP);
	end_well();
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, calls_begin, calls_end)
	const struct CMUnitTest tests[] = {
		T(a_call_is_answered_and_ended_by_the_caller),
		T(the_callee_hangs_up),
		T(lost_requests_are_said_again),
		T(a_lost_ack_is_asked_for_by_the_2xx_again),
		T(a_2xx_that_nobody_acknowledges_ends_in_bye),
		T(nobody_answers_and_timer_b_says_so),
		T(a_dead_port_is_noticed_in_milliseconds),
		T(a_caller_gives_up_while_it_rings),
		T(a_cancel_waits_for_the_first_sign_of_life),
		T(a_cancel_says_why_at_once_or_later),
		T(an_answer_that_crosses_a_cancel_is_acked_and_ended),
		T(giving_up_in_time_cancels_and_tells),
		T(a_refusal_is_acknowledged_and_said_again_until_then),
		T(both_hang_up_at_once),
		T(a_drop_before_the_ack_waits_for_it),
		T(a_reinvite_is_answered_both_ways),
		T(a_change_behind_an_ack_that_was_lost_is_taken),
		T(two_reinvites_that_meet_back_off_and_both_succeed),
		T(a_refused_reinvite_leaves_the_call_as_it_was),
		T(a_reinvite_that_hears_100_and_no_more_ends_the_call),
		T(a_reinvite_that_took_too_long_is_cancelled_and_the_call_goes_on),
		T(a_call_dropped_while_its_reinvite_waits_leaves_nothing),
		T(a_dialog_that_the_other_side_forgot_is_over),
		T(info_and_refer_reach_the_user),
		T(an_info_that_goes_nowhere_is_not_answered_200),
		T(a_refer_is_told_how_it_fares),
	};
#undef T
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
