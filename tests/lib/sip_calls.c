/* tests/lib/sip_calls - see sip_calls.h */

#include "tests/lib/sip_calls.h"

struct world *w;
struct party *a, *b;

int
calls_begin(void **state)
{
	w = world_new();
	a = &w->party[A];
	b = &w->party[B];
	return 0;
}

int
calls_end(void **state)
{
	world_free(w);
	return 0;
}

void
all_is_gone(void)
{
	w->lose = NULL;
	world_run(w, 2 * LONG);
	assert_true(world_is_empty(w));
}

void
end_well(void)
{
	w->lose = NULL;
	for (int i = 0; i < WORLD_PARTIES; i++) {
		struct party *p = &w->party[i];
		struct sip_session *s;

		for (int k = 0; k < WORLD_SESSIONS; k++) {
			s = &p->memory[k];
			if (s->state != SIP_S_FREE)
				sip_session_drop(
				    &p->ss, s, 0, HF_SLICE(""), w->now);
		}
	}
	all_is_gone();
}

struct sip_session *
call_up(void)
{
	struct sip_session *s = world_call(w, A, B);

	assert_non_null(s);
	world_run(w, 20);
	assert_int_equal(s->state, SIP_S_UP);
	assert_int_equal(b->seen[W_CONFIRMED], 1);
	(void)session(b, SIP_S_UP);
	return s;
}

struct sip_session *
call_rings(void)
{
	struct sip_session *s;

	b->answers = false;
	s = world_call(w, A, B);
	assert_non_null(s);
	world_run(w, 20);
	return s;
}

struct sip_session *
session(struct party *p, enum sip_session_state state)
{
	struct sip_session *s = world_session(p);

	assert_non_null(s);
	assert_int_equal(s->state, state);
	return s;
}

void
answer(struct party *p, const char *sdp)
{
	assert_true(sip_session_answer(&p->ss, session(p, SIP_S_INVITED),
	    hf_slice_of(sdp), false, w->now));
}

void
reinvite(struct party *p, const char *sdp)
{
	assert_true(sip_session_reinvite(
	    &p->ss, session(p, SIP_S_UP), hf_slice_of(sdp), w->now));
}

void
inform(struct party *p, const char *type, const char *body)
{
	assert_true(sip_session_tell(&p->ss, session(p, SIP_S_UP), SIP_INFO,
	    HF_SLICE(""), type, hf_slice_of(body), w->now));
}

void
drop(struct party *p)
{
	sip_session_drop(&p->ss, world_session(p), 0, HF_SLICE(""), w->now);
}

bool
is(struct hf_slice m, const char *begin)
{
	return hf_slice_starts(m, hf_slice_of(begin));
}

bool
lose_acks(struct world *x, uint8_t from, struct hf_slice m)
{
	(void)x;
	(void)from;
	return is(m, "ACK");
}
