/* Sessions in a strange world: forks, loops, strangers and routes, told by the
 * bytes of a third party. */

#include <stdio.h>

#include "io/sip/build.h"
#include "tests/lib/sip_calls.h"

static char raw[12000];

static struct hf_slice
invite(const char *branch, const char *extra)
{
	int n = snprintf(raw, sizeof(raw),
	    "INVITE sip:200@192.0.2.2 SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP 192.0.2.3;branch=%s\r\n"
	    "Max-Forwards: 70\r\n"
	    "From: <sip:c@192.0.2.3>;tag=c\r\n"
	    "To: <sip:200@192.0.2.2>\r\n"
	    "Call-ID: one@192.0.2.3\r\n"
	    "CSeq: 1 INVITE\r\n"
	    "Contact: <sip:c@192.0.2.3>\r\n%s"
	    "Content-Length: 0\r\n\r\n",
	    branch, extra);

	return (struct hf_slice){ raw, (size_t)n };
}

static char heard[12000]; /* the last thing C was told */

static bool
hear_c(struct world *x, uint8_t from, struct hf_slice m)
{
	(void)x;
	if (from == B)
		(void)hf_slice_copy(m, heard, sizeof(heard));
	return from == B;
}

static void
c_says(struct hf_slice m)
{
	world_say(w, C, B, m);
	w->lose = hear_c;
	world_run(w, 2);
}

/* C's ACK, with an answer or without. */
static void
c_acks(const struct sip_session *s, const char *sdp)
{
	char ack[1000];
	int n = snprintf(ack, sizeof(ack),
	    "ACK sip:200@192.0.2.2 SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKack\r\n"
	    "From: <sip:c@192.0.2.3>;tag=c\r\n"
	    "To: <sip:200@192.0.2.2>;tag=%s\r\n"
	    "Call-ID: one@192.0.2.3\r\nCSeq: 1 ACK\r\n"
	    "%sContent-Length: %zu\r\n\r\n%s",
	    s->dialog.local_tag,
	    sdp[0] == '\0' ? "" : "Content-Type: application/sdp\r\n",
	    strlen(sdp), sdp);

	world_say(w, C, B, (struct hf_slice){ ack, (size_t)n });
	world_run(w, 3);
	assert_int_equal(s->state, SIP_S_UP);
}

static void
routed(const char *routes)
{
	world_say(w, C, B, invite("z9hG4bKone", routes));
	world_run(w, 3);
	c_acks(session(b, SIP_S_ANSWERED), "");
	w->lose = hear_c;
	drop(b);
}

static void
requests_take_the_route_that_was_recorded(void **state)
{
	routed("Record-Route: <sip:192.0.2.1;lr>, <sip:192.0.2.9;lr>\r\n");
	assert_non_null(strstr(heard, "BYE sip:c@192.0.2.3 SIP/2.0\r\n"));
	assert_non_null(
	    strstr(heard, "Route: <sip:192.0.2.1;lr>, <sip:192.0.2.9;lr>\r\n"));
	assert_int_equal(b->memory[0].dialog.flow.peer.ip[3], 1);
	end_well();
}

/* A TLS port hears nothing over UDP. */
static void
what_we_do_not_speak_is_answered_where_it_came_from(void **state)
{
	static const char *const routes[] = {
		"Record-Route: <sip:192.0.2.9:5061;transport=tls;lr>\r\n",
		"Record-Route: <sips:192.0.2.9;lr>\r\n",
	};

	for (size_t i = 0; i < HF_LEN(routes); i++) {
		routed(routes[i]);
		assert_int_equal(b->memory[0].dialog.flow.peer.ip[3], 3);
		end_well();
		(void)calls_end(state);
		(void)calls_begin(state);
	}
}

static void
who_wants_tls_all_the_way_is_refused(void **state)
{
	struct hf_slice m = invite("z9hG4bKone", "");
	char text[1000];
	int n = snprintf(text, sizeof(text), "INVITE sips:%.*s",
	    (int)(m.n - strlen("INVITE sip:")), m.p + strlen("INVITE sip:"));

	world_say(w, C, B, (struct hf_slice){ text, (size_t)n });
	w->lose = hear_c;
	world_run(w, 2);
	assert_non_null(strstr(heard, "SIP/2.0 416 "));
	assert_int_equal(b->seen[W_ARRIVED], 0);
	end_well();
}

static void
a_strict_router_finds_itself_in_the_request_line(void **state)
{
	routed("Record-Route: <sip:192.0.2.1>\r\n"
	       "Record-Route: <sip:192.0.2.9;lr>\r\n");
	assert_non_null(strstr(heard, "BYE sip:192.0.2.1 SIP/2.0\r\n"));
	assert_non_null(
	    strstr(heard, "Route: <sip:192.0.2.9;lr>, <sip:c@192.0.2.3>\r\n"));
	end_well();
}

static void
a_request_that_came_on_two_ways_is_482(void **state)
{
	b->answers = false;
	world_say(w, C, B, invite("z9hG4bKone", ""));
	c_says(invite("z9hG4bKtwo", ""));
	assert_int_equal(b->seen[W_ARRIVED], 1);
	assert_int_equal(b->ss.tt.count.merged, 1);
	assert_non_null(strstr(heard, "SIP/2.0 482 "));
	end_well();
}

static void
what_we_cannot_do_is_refused_by_name(void **state)
{
	c_says(invite("z9hG4bKone", "Require: 100rel, flux\r\n"));
	assert_non_null(strstr(heard, "SIP/2.0 420 "));
	assert_non_null(strstr(heard, "\r\nUnsupported: 100rel, flux\r\n"));
	end_well();
}

static void
a_long_wish_is_refused_by_name_too(void **state)
{
	char extra[2000];

	snprintf(extra, sizeof(extra), "Require: %0*d, flux\r\n", 1000, 0);
	c_says(invite("z9hG4bKone", extra));
	assert_non_null(strstr(heard, "SIP/2.0 420 "));
	assert_non_null(strstr(heard, "0, flux\r\nUser-Agent: "));
	end_well();
}

static void
a_stranger_leaves_no_trace_in_the_tables(void **state)
{
	b->let_in = false;
	c_says(invite("z9hG4bKone", ""));
	assert_non_null(strstr(heard, "SIP/2.0 403 "));
	assert_true(world_is_empty(w));
}

static void
a_late_second_answer_is_acked_and_ended(void **state)
{
	struct sip_session *s = call_up();
	char text[1500];
	int n;

	n = snprintf(text, sizeof(text),
	    "SIP/2.0 200 OK\r\n"
	    "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%016x\r\n"
	    "From: <%s>;tag=%s\r\nTo: <%s>;tag=other\r\nCall-ID: %s\r\n"
	    "CSeq: %u INVITE\r\nContact: <sip:x@192.0.2.3>\r\n"
	    "Content-Length: 0\r\n\r\n",
	    1, s->dialog.local, s->dialog.local_tag, s->dialog.remote,
	    s->dialog.call_id, s->dialog.cseq_invite);
	world_say(w, C, A, (struct hf_slice){ text, (size_t)n });
	world_run(w, 2);
	assert_int_equal(a->ss.count.forked, 1);
	assert_int_equal(s->state, SIP_S_UP);
	world_run(w, 10);
	/* C knows no such dialog: 481, and A does not mind. */
	assert_int_equal(w->party[C].ss.count.no_dialog, 1);
	end_well();
}

static void
our_own_call_that_comes_back_is_a_loop(void **state)
{
	struct sip_session *s;
	char text[1500];
	int n;

	b->answers = false;
	s = world_call(w, A, B);
	n = snprintf(text, sizeof(text),
	    "INVITE sip:200@192.0.2.1 SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP 192.0.2.3;branch=z9hG4bKx\r\n"
	    "Max-Forwards: 60\r\nFrom: <sip:x@y>;tag=%s\r\n"
	    "To: <sip:200@192.0.2.2>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\n"
	    "Contact: <sip:x@192.0.2.3>\r\nContent-Length: 0\r\n\r\n",
	    s->dialog.local_tag, s->dialog.call_id);
	world_say(w, C, A, (struct hf_slice){ text, (size_t)n });
	world_run(w, 5);
	assert_int_equal(a->ss.count.looped, 1);
	end_well();
}

static void
a_late_offer_is_answered_in_the_ack(void **state)
{
	struct sip_session *s;

	world_say(w, C, B, invite("z9hG4bKone", ""));
	world_run(w, 3);
	s = session(b, SIP_S_ANSWERED);
	assert_true(s->late);
	/* Twice: its answer is heard once. */
	for (int i = 0; i < 2; i++) {
		c_acks(s, "v=0 answer");
		assert_int_equal(b->seen[W_CONFIRMED], 1);
		assert_string_equal(b->body, "v=0 answer");
	}
	end_well();
}

/* A caller who came a long way: so many bytes in all. */
static void
say_invite_of(size_t bytes)
{
	static const char way[] = "Via: SIP/2.0/UDP x;y=\r\n";
	size_t base = invite("z9hG4bKlong", way).n;
	char extra[12000];

	snprintf(extra, sizeof(extra), "Via: SIP/2.0/UDP x;y=%0*d\r\n",
	    (int)(bytes - base), 0);
	assert_int_equal(invite("z9hG4bKlong", extra).n, bytes);
	world_say(w, C, B, (struct hf_slice){ raw, bytes });
	w->lose = hear_c;
}

static void
an_invite_too_long_to_keep_is_refused_and_forgotten(void **state)
{
	say_invite_of(SIP_KEEP_BIG + 1000);
	world_run(w, 2);
	assert_non_null(strstr(heard, "SIP/2.0 513 "));
	assert_int_equal(b->seen[W_ARRIVED], 0);
	world_run(w, LONG);
	assert_true(world_is_empty(w));
}

static void
the_longest_invite_that_is_kept_is_answered(void **state)
{
	say_invite_of(SIP_KEEP_BIG);
	world_run(w, 2);
	assert_int_equal(b->seen[W_ARRIVED], 1);
	assert_non_null(strstr(heard, "SIP/2.0 200 "));
	assert_int_equal(world_session(b)->state, SIP_S_ANSWERED);
	end_well();
}

static void
an_invite_that_its_user_forgets_does_not_stay(void **state)
{
	b->deaf = true;
	world_say(w, C, B, invite("z9hG4bKone", ""));
	world_run(w, 10);
	assert_int_equal(b->ss.tt.pool.used, 1);
	world_run(w, LONG);
	assert_true(world_is_empty(w));
}

static void
an_old_request_is_out_of_order(void **state)
{
	struct sip_session *s = call_up();

	world_session(b)->dialog.cseq_remote += 100;
	assert_true(sip_session_tell(
	    &a->ss, s, SIP_OPTIONS, HF_SLICE(""), NULL, HF_SLICE(""), w->now));
	world_run(w, 10);
	assert_int_equal(b->ss.count.out_of_order, 1);
	world_session(b)->dialog.cseq_remote -= 100;
	end_well();
}

static void
a_full_house_refuses_the_new_and_serves_the_old(void **state)
{
	(void)call_up();
	for (int i = 0; i < 2 * WORLD_SESSIONS; i++) {
		world_call(w, C, B);
		world_run(w, 10);
	}
	assert_true(b->ss.pool.used == WORLD_SESSIONS);
	assert_true(b->ss.count.full > 0);
	drop(a);
	world_run(w, 10);
	assert_int_equal(b->seen[W_LEFT], 1);
	end_well();
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, calls_begin, calls_end)
	const struct CMUnitTest tests[] = {
		T(requests_take_the_route_that_was_recorded),
		T(what_we_do_not_speak_is_answered_where_it_came_from),
		T(who_wants_tls_all_the_way_is_refused),
		T(a_strict_router_finds_itself_in_the_request_line),
		T(a_request_that_came_on_two_ways_is_482),
		T(what_we_cannot_do_is_refused_by_name),
		T(a_long_wish_is_refused_by_name_too),
		T(a_stranger_leaves_no_trace_in_the_tables),
		T(a_late_second_answer_is_acked_and_ended),
		T(our_own_call_that_comes_back_is_a_loop),
		T(a_late_offer_is_answered_in_the_ack),
		T(an_invite_too_long_to_keep_is_refused_and_forgotten),
		T(the_longest_invite_that_is_kept_is_answered),
		T(an_invite_that_its_user_forgets_does_not_stay),
		T(an_old_request_is_out_of_order),
		T(a_full_house_refuses_the_new_and_serves_the_old),
	};
#undef T
	return cmocka_run_group_tests_name(
	    "session strange", tests, NULL, NULL);
}
