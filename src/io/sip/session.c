/* io/sip/session - see session.h: the table, time, and what we say */

#include <stdlib.h>

#include "base/table.h"
#include "io/sip/build.h"
#include "io/sip/session_own.h"

enum {
	HOPS = 70, /* RFC 3261 8.1.1.6 */
};

#define TO(s) HF_BIT(SIP_S_##s)
/* clang-format off */
static const struct {
	const char *name;
	unsigned next;			/* states that may follow */
} states[] = {
	[SIP_S_FREE]       = { "free",       TO(INVITED) | TO(CALLING) },
	[SIP_S_INVITED]    = { "invited",    TO(ANSWERED) | TO(FREE) },
	[SIP_S_CALLING]    = { "calling",    TO(CANCELLING) | TO(UP) |
					     TO(FREE) },
	[SIP_S_CANCELLING] = { "cancelling", TO(UP) | TO(FREE) },
	[SIP_S_ANSWERED]   = { "answered",   TO(UP) | TO(LEAVING) | TO(FREE) },
	[SIP_S_UP]         = { "up",         TO(LEAVING) | TO(FREE) },
	[SIP_S_LEAVING]    = { "leaving",    TO(FREE) },
};
/* clang-format on */
#undef TO
_Static_assert(HF_LEN(states) == SIP_S_NR, "one row per state");

static hf_timer_fn on_timer;

/* ---- the table ----------------------------------------------------------- */

bool
sip_sessions_init(struct sip_sessions *ss, struct sip_session *memory,
    const struct sip_sessions_conf *conf, struct hf_wheel *wheel,
    struct hf_rand *rand, const struct sip_session_hooks *hooks, void *arg,
    struct hf_time now)
{
	uint32_t cells = 4;

	while (cells < 2 * conf->sessions)
		cells *= 2;
	*ss = (struct sip_sessions){
		.session = memory,
		.hooks = hooks,
		.arg = arg,
		.now = now,
		.wheel = wheel,
		.rand = rand,
		.hash.k = { hf_rand_u64(rand), hf_rand_u64(rand) },
		.cells_n = cells,
	};
	(void)hf_slice_copy(hf_slice_of(conf->user_agent), ss->user_agent,
	    sizeof(ss->user_agent));
	ss->live = calloc(conf->sessions, sizeof(*ss->live));
	ss->places = calloc(conf->sessions, sizeof(*ss->places));
	ss->cells = hf_table(cells, sizeof(*ss->cells));
	ss->changed = calloc(conf->sessions, sizeof(*ss->changed));
	if (ss->live == NULL || ss->places == NULL || ss->cells == NULL ||
	    ss->changed == NULL ||
	    !sip_transactions_init(&ss->tt, conf->transactions, &conf->timers,
		wheel, rand, &sip_session_trans_hooks, ss)) {
		free(ss->live);
		free(ss->places);
		hf_table_free(ss->cells, ss->cells_n, sizeof(*ss->cells));
		free(ss->changed);
		return false;
	}
	hf_pool_init(&ss->pool, ss->places, conf->sessions);
	hf_map_init(&ss->by_tag, ss->cells, cells);
	return true;
}

void
sip_sessions_free(struct sip_sessions *ss)
{
	sip_transactions_free(&ss->tt);
	free(ss->live);
	free(ss->places);
	hf_table_free(ss->cells, ss->cells_n, sizeof(*ss->cells));
	free(ss->changed);
	*ss = (struct sip_sessions){ 0 };
}

void
sip_session_move(struct sip_session *s, enum sip_session_state next)
{
	hf_assert(states[s->state].next & HF_BIT(next));
	s->state = (uint8_t)next;
}

void
sip_session_touch(struct sip_sessions *ss, const struct sip_session *s)
{
	struct sip_session_live *l = sip_live(ss, s);

	if (l->changed)
		return;
	l->changed = true;
	ss->changed[ss->changes++] = s->n;
}

void
sip_session_reword(struct sip_sessions *ss, const struct sip_session *s)
{
	sip_live(ss, s)->reworded = true;
	sip_session_touch(ss, s);
}

void
sip_session_begin_life(struct sip_sessions *ss, struct sip_session *s)
{
	struct sip_session_live *l = sip_live(ss, s);

	/* Its place may still be in the list for the one before it. */
	*l = (struct sip_session_live){ .table = ss, .changed = l->changed };
	hf_timer_init(&l->timer, on_timer);
	if (!hf_map_put(&ss->by_tag, s->tag, s->n))
		hf_never("the map has room for every session");
	sip_session_reword(ss, s);
}

static struct sip_session *
session_new(
    struct sip_sessions *ss, enum sip_session_state state, uint64_t user)
{
	struct sip_session *s;
	struct hf_ref r;

	if (!hf_pool_take(&ss->pool, &r)) {
		ss->count.full++;
		return NULL;
	}
	s = &ss->session[r.n];
	*s = (struct sip_session){
		.user = user,
		.n = r.n,
		.repeat = HF_TIME_NEVER,
		.end = HF_TIME_NEVER,
		.give_up = HF_TIME_NEVER,
		.retry = HF_TIME_NEVER,
	};
	s->tag = sip_tag_make(ss->rand, s->dialog.local_tag);
	sip_session_begin_life(ss, s);
	sip_session_move(s, state);
	return s;
}

void
sip_session_free(struct sip_sessions *ss, struct sip_session *s)
{
	struct sip_session_live *l = sip_live(ss, s);

	sip_session_move(s, SIP_S_FREE);
	sip_session_reword(ss, s);
	hf_timer_stop(ss->wheel, &l->timer);
	sip_keep_give(&ss->tt.keep, &l->asked);
	sip_keep_give(&ss->tt.keep, &l->answer);
	sip_keep_give(&ss->tt.keep, &l->credentials);
	sip_trans_adopt(&ss->tt, l->invite, 0, ss->now);
	sip_trans_adopt(&ss->tt, l->reinvite, 0, ss->now);
	hf_map_del(&ss->by_tag, s->tag);
	hf_pool_give(&ss->pool, sip_session_ref(ss, s));
}

struct sip_session *
sip_session_by_tag(const struct sip_sessions *ss, struct hf_slice tag)
{
	uint64_t v;
	uint32_t n;

	if (!sip_tag_number(tag, &v))
		return NULL;
	n = hf_map_get(&ss->by_tag, v);
	return n == HF_MAP_NONE ? NULL : &ss->session[n];
}

const char *
sip_session_state_name(enum sip_session_state s)
{
	hf_assert((unsigned)s < SIP_S_NR);
	return states[s].name;
}

uint32_t
sip_spread(struct hf_rand *r, uint16_t seconds)
{
	return seconds + hf_rand_below(r, seconds + 1U);
}

/* ---- time ---------------------------------------------------------------- */

void
sip_session_arm(struct sip_sessions *ss, struct sip_session *s)
{
	struct hf_timer *t = &sip_live(ss, s)->timer;
	struct hf_time due = hf_time_min(
	    hf_time_min(s->repeat, s->end), hf_time_min(s->give_up, s->retry));

	if (due.us == INT64_MAX)
		hf_timer_stop(ss->wheel, t);
	else if (due.us != t->due.us)
		hf_timer_start(ss->wheel, t, due);
}

static bool
due(struct hf_time *t, struct hf_time now)
{
	if (hf_time_before(now, *t))
		return false;
	*t = HF_TIME_NEVER;
	return true;
}

/* RFC 3261 13.3.1.4: nobody acknowledged our 2xx for 64*T1. */
static void
give_up_on_ack(struct sip_sessions *ss, struct sip_session *s)
{
	ss->count.no_ack++;
	s->unacked = false;
	s->repeat = HF_TIME_NEVER;
	sip_session_leave(ss, s, NULL, SIP_LEFT_NO_ACK);
}

/* An INVITE of ours had its time: RFC 3261 bounds only the wait for a first
 * sign of life. */
static void
give_up_asking(struct sip_sessions *ss, struct sip_session *s)
{
	struct sip_session_live *l = sip_live(ss, s);
	uint64_t user = s->user;

	if (s->state == SIP_S_UP) {
		/* 487 leaves the call as it was; silence ends it. */
		sip_trans_cancel(&ss->tt, l->reinvite, ss->now);
		return;
	}
	if (s->state == SIP_S_CANCELLING) {
		/* Whom the CANCEL waited for has not come back. */
		if (hf_ref_none(l->invite))
			sip_session_free(ss, s);
		return;
	}
	if (s->state != SIP_S_CALLING)
		return;
	sip_session_move(s, SIP_S_CANCELLING);
	sip_trans_cancel(&ss->tt, l->invite, ss->now);
	if (user != 0)
		ss->hooks->refused(ss->arg, s, NULL, SIP_END_TIMEOUT);
	s->user = 0;
}

static void
on_timer(struct hf_timer *timer, struct hf_time now)
{
	struct sip_session_live *l =
	    HF_CONTAINER(timer, struct sip_session_live, timer);
	struct sip_sessions *ss = l->table;
	struct sip_session *s = &ss->session[l - ss->live];
	struct hf_slice again;

	ss->now = now;
	if (due(&s->end, now)) {
		give_up_on_ack(ss, s);
		return;
	}
	if (due(&s->repeat, now)) {
		again = sip_keep_get(&ss->tt.keep, l->answer);
		if (again.n > 0) {
			ss->tt.count.repeats_out++;
			(void)!sip_session_send(ss, s, again);
		}
		s->interval.us *= 2;
		if (s->interval.us > ss->tt.t.t2.us)
			s->interval = ss->tt.t.t2;
		s->repeat = hf_time_after(now, s->interval);
	}
	if (due(&s->give_up, now))
		give_up_asking(ss, s);
	/* Deadlines that have gone by need no commit: were we to die now, they
	 * would be due at once, and that is no harm. */
	if (due(&s->retry, now) && s->state == SIP_S_UP && s->user != 0)
		ss->hooks->retry(ss->arg, s);
	if (s->state != SIP_S_FREE)
		sip_session_arm(ss, s);
}

/* ---- writing ------------------------------------------------------------- */

bool
sip_session_send(
    struct sip_sessions *ss, struct sip_session *s, struct hf_slice bytes)
{
	return ss->hooks->send(ss->arg, &sip_live(ss, s)->source, bytes);
}

struct hf_buf *
sip_draft(struct sip_draft *d)
{
	d->b = hf_buf_on(d->room, sizeof(d->room));
	return &d->b;
}

void
sip_draft_answer(struct sip_sessions *ss, struct hf_ref t, uint16_t status,
    const struct hf_buf *b)
{
	if (!b->overflow)
		sip_trans_respond(&ss->tt, t, status, hf_buf_taken(b), ss->now);
}

void
sip_put_agent(struct sip_sessions *ss, struct hf_buf *b)
{
	if (ss->user_agent[0] != '\0')
		sip_put(b, SIP_H_USER_AGENT, hf_slice_of(ss->user_agent));
}

void
sip_put_our_contact(struct sip_sessions *ss, struct hf_buf *b,
    const struct sip_flow *flow, struct hf_slice user)
{
	struct hf_addr here = ss->hooks->here(ss->arg, flow);

	sip_put_contact(b, user, &here,
	    flow->transport == SIP_TCP ? HF_SLICE("tcp") : HF_SLICE(""));
}

uint64_t
sip_session_begin(struct sip_sessions *ss, struct sip_dialog *d,
    enum sip_method method, struct hf_buf *b)
{
	struct hf_addr here = ss->hooks->here(ss->arg, &d->flow);
	char branch[SIP_BRANCH_LEN + 1];
	uint64_t v = sip_branch(&ss->tt, branch);

	sip_dialog_put(b, d, method, branch, &here, HOPS);
	return v;
}

void
sip_session_ack(
    struct sip_sessions *ss, struct sip_dialog *d, struct hf_slice lines)
{
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);

	(void)sip_session_begin(ss, d, SIP_ACK, b);
	hf_buf_slice(b, lines);
	sip_put_agent(ss, b);
	sip_put_body(b, NULL, HF_SLICE(""));
	if (!b->overflow)
		(void)!ss->hooks->send(ss->arg, &d->flow, hf_buf_taken(b));
}

static bool
send_bye(struct sip_sessions *ss, struct sip_dialog *d, uint64_t user,
    uint16_t code, struct hf_slice text)
{
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	uint64_t branch = sip_session_begin(ss, d, SIP_BYE, b);
	struct hf_ref r;

	if (code != 0)
		sip_put_reason(b, "SIP", code, text);
	sip_put_agent(ss, b);
	sip_put_body(b, NULL, HF_SLICE(""));
	return !b->overflow &&
	       sip_trans_start(&ss->tt, SIP_BYE, branch, hf_buf_taken(b),
		   &d->flow, user, ss->now, &r);
}

void
sip_session_bye(struct sip_sessions *ss, struct sip_session *s, uint16_t code,
    struct hf_slice text)
{
	uint64_t user = hf_ref_key(sip_session_ref(ss, s));

	s->user = 0;
	s->unacked = false;
	s->repeat = s->end = s->retry = s->give_up = HF_TIME_NEVER;
	sip_session_arm(ss, s);
	sip_session_move(s, SIP_S_LEAVING);
	if (!send_bye(ss, &s->dialog, user, code, text))
		sip_session_free(ss, s);
}

void
sip_session_decline(struct sip_sessions *ss, const struct sip_msg *m,
    const struct sip_flow *from)
{
	struct sip_dialog d = { .cseq_invite = m->cseq, .cseq_local = m->cseq };

	ss->count.forked++;
	if (!hf_slice_copy(m->call_id, d.call_id, sizeof(d.call_id)) ||
	    !hf_slice_copy(m->from_tag, d.local_tag, sizeof(d.local_tag)) ||
	    !hf_slice_copy(m->from.uri.whole, d.local, sizeof(d.local)) ||
	    !hf_slice_copy(m->to.uri.whole, d.remote, sizeof(d.remote)))
		return;
	d.flow = *from;
	if (!sip_dialog_answered(&d, m, from))
		return;
	sip_session_ack(ss, &d, HF_SLICE(""));
	(void)!send_bye(ss, &d, 0, 0, HF_SLICE(""));
}

void
sip_session_leave(struct sip_sessions *ss, struct sip_session *s,
    const struct sip_msg *m, enum sip_left how)
{
	bool goodbye = how == SIP_LEFT_NO_ACK || how == SIP_LEFT_LOST;

	if (s->user != 0)
		ss->hooks->left(ss->arg, s, m, how);
	s->user = 0;
	if (goodbye && (s->state == SIP_S_UP || s->state == SIP_S_ANSWERED))
		sip_session_bye(ss, s, 408, HF_SLICE("no answer"));
	else
		sip_session_free(ss, s);
}

/* ---- answering ----------------------------------------------------------- */

/* The tag of an answer without a dialog: the same for the same request (RFC
 * 3261 8.2.7). */
static void
stateless_tag(const struct sip_sessions *ss, const struct sip_msg *m, char *to)
{
	struct hf_buf b = hf_buf_on(to, SIP_OUR_TAG + 1);
	uint64_t h = hf_hash(&ss->hash, m->call_id.p, m->call_id.n) ^ m->cseq;

	hf_buf_hex(&b, &h, sizeof(h));
	to[SIP_OUR_TAG] = '\0';
}

void
sip_sessions_reply(struct sip_sessions *ss, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from, uint16_t status,
    struct hf_slice reason, struct hf_slice lines)
{
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	char tag[SIP_OUR_TAG + 1];
	struct sip_flow to;

	stateless_tag(ss, m, tag);
	sip_put_reply(b, m, status, reason, hf_slice_of(tag), &from->peer);
	if (status == 503 && ss->retry_after_s > 0)
		sip_put_number(b, SIP_H_RETRY_AFTER,
		    sip_spread(ss->rand, ss->retry_after_s));
	if (status == 405 || status == 501)
		sip_put(b, SIP_H_ALLOW, HF_SLICE(SIP_ALLOW));
	hf_buf_slice(b, lines);
	sip_put_agent(ss, b);
	sip_put_body(b, NULL, HF_SLICE(""));
	if (!hf_ref_none(t)) {
		sip_draft_answer(ss, t, status, b);
		return;
	}
	to = sip_flow_back(&m->via, from);
	if (!b->overflow)
		(void)!ss->hooks->send(ss->arg, &to, hf_buf_taken(b));
}

/* The kept INVITE.  It is asked for several times while a call is set up, and
 * often twice in a row: the last one is read only once. */
bool
sip_session_asked(
    struct sip_sessions *ss, const struct sip_session *s, struct sip_msg *m)
{
	struct hf_slice b = sip_keep_get(&ss->tt.keep, sip_live(ss, s)->asked);
	struct hf_ref me = sip_session_ref(ss, s);

	if (b.n == 0)
		return false;
	if (!hf_ref_is(ss->asked_of, me)) {
		ss->asked_of = HF_REF_NONE;
		if (sip_parse(b, &ss->asked).parsed != SIP_GOOD)
			return false;
		ss->asked_of = me;
	}
	sip_msg_copy(m, &ss->asked);
	return true;
}

void
sip_session_turned(struct sip_sessions *ss, const struct sip_msg *m,
    const struct sip_flow *from, uint16_t status)
{
	if (m->method == SIP_INVITE && ss->hooks->turned_away != NULL)
		ss->hooks->turned_away(ss->arg, m, from, status);
}

struct sip_session *
sip_session_invited(struct sip_sessions *ss, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from, uint64_t user)
{
	struct sip_session *s = session_new(ss, SIP_S_INVITED, user);
	struct sip_session_live *l;
	uint16_t status = 503;

	if (s != NULL) {
		l = sip_live(ss, s);
		l->source = *from;
		l->asked = sip_keep_put(&ss->tt.keep, m->raw);
		status = sip_dialog_called(&s->dialog, m, from);
		if (l->asked == 0)
			status = m->raw.n > SIP_KEEP_BIG ? 513 : 503;
	}
	if (status != 0) {
		if (s != NULL)
			sip_session_free(ss, s);
		sip_session_turned(ss, m, from, status);
		sip_sessions_reply(
		    ss, t, m, from, status, HF_SLICE(""), HF_SLICE(""));
		return NULL;
	}
	ss->count.calls_in++;
	l->invite = t;
	sip_trans_adopt(
	    &ss->tt, t, hf_ref_key(sip_session_ref(ss, s)), ss->now);
	sip_sessions_reply(ss, t, m, from, 100, HF_SLICE(""), HF_SLICE(""));
	return s;
}

void
sip_session_ring(struct sip_sessions *ss, struct sip_session *s,
    uint16_t status, struct hf_slice body, struct hf_time now)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	struct sip_msg m;

	ss->now = now;
	if (s->state != SIP_S_INVITED || !sip_session_asked(ss, s, &m))
		return;
	sip_put_reply(b, &m, status, HF_SLICE(""),
	    hf_slice_of(s->dialog.local_tag), &l->source.peer);
	sip_put_copies(b, &m, SIP_H_RECORD_ROUTE);
	sip_put_our_contact(ss, b, &s->dialog.flow, HF_SLICE(""));
	sip_put_agent(ss, b);
	sip_put_body(b, "application/sdp", body);
	sip_draft_answer(ss, l->invite, status, b);
}

bool
sip_session_accept(struct sip_sessions *ss, struct sip_session *s,
    struct hf_ref t, const struct sip_msg *invite, const struct sip_flow *from,
    struct hf_slice body, bool late)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);

	sip_put_reply(b, invite, 200, HF_SLICE(""),
	    hf_slice_of(s->dialog.local_tag), &from->peer);
	sip_put_copies(b, invite, SIP_H_RECORD_ROUTE);
	sip_put_our_contact(ss, b, &s->dialog.flow, HF_SLICE(""));
	sip_put(b, SIP_H_ALLOW, HF_SLICE(SIP_ALLOW));
	sip_put_agent(ss, b);
	sip_put_body(b, "application/sdp", body);
	if (b->overflow)
		return false;
	l->source = sip_flow_back(&invite->via, from);
	sip_keep_give(&ss->tt.keep, &l->answer);
	l->answer = sip_keep_put(&ss->tt.keep, hf_buf_taken(b));
	sip_session_reword(ss, s);
	s->cseq_answered = invite->cseq;
	s->unacked = true;
	s->late = late;
	s->interval = ss->tt.t.t1;
	/* Over TCP too: a proxy behind may speak UDP (13.3.1.4). */
	s->repeat = hf_time_after(ss->now, s->interval);
	s->end =
	    hf_time_after(ss->now, (struct hf_span){ 64 * ss->tt.t.t1.us });
	sip_session_arm(ss, s);
	sip_trans_respond(&ss->tt, t, 200, hf_buf_taken(b), ss->now);
	return true;
}

bool
sip_session_answer(struct sip_sessions *ss, struct sip_session *s,
    struct hf_slice body, bool late, struct hf_time now)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct sip_flow from = l->source;
	struct sip_msg m;

	ss->now = now;
	if (s->state != SIP_S_INVITED)
		return true; /* again: it is on its way already */
	if (!sip_session_asked(ss, s, &m) ||
	    !sip_session_accept(ss, s, l->invite, &m, &from, body, late)) {
		sip_session_refuse(ss, s, 500, HF_SLICE(""), HF_SLICE(""), now);
		return false;
	}
	sip_session_move(s, SIP_S_ANSWERED);
	l->invite = HF_REF_NONE;
	sip_keep_give(&ss->tt.keep, &l->asked);
	return true;
}

void
sip_session_refuse(struct sip_sessions *ss, struct sip_session *s,
    uint16_t status, struct hf_slice reason, struct hf_slice lines,
    struct hf_time now)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	struct sip_msg m;

	ss->now = now;
	if (s->state != SIP_S_INVITED)
		return;
	if (sip_session_asked(ss, s, &m)) {
		sip_put_reply(b, &m, status, reason,
		    hf_slice_of(s->dialog.local_tag), &l->source.peer);
		hf_buf_slice(b, lines);
		sip_put_agent(ss, b);
		sip_put_body(b, NULL, HF_SLICE(""));
		sip_draft_answer(ss, l->invite, status, b);
	}
	sip_session_free(ss, s);
}

/* ---- calling ------------------------------------------------------------- */

static void
new_call_id(struct sip_sessions *ss, char *to)
{
	uint64_t v[2] = { hf_rand_u64(ss->rand), hf_rand_u64(ss->rand) };
	struct hf_buf b = hf_buf_on(to, SIP_CALL_ID_MAX - 1);

	hf_buf_hex(&b, v, sizeof(v));
	to[b.n] = '\0';
}

struct sip_session *
sip_session_call(
    struct sip_sessions *ss, const struct sip_call *c, struct hf_time now)
{
	struct sip_session *s = session_new(ss, SIP_S_CALLING, c->handle);
	struct hf_addr here = ss->hooks->here(ss->arg, &c->to);
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft), uri;
	char branch[SIP_BRANCH_LEN + 1];
	struct sip_dialog *d;
	uint64_t v;

	ss->now = now;
	if (s == NULL)
		return NULL;
	d = &s->dialog;
	s->caller = true;
	new_call_id(ss, d->call_id);
	uri = hf_buf_on(d->local, sizeof(d->local) - 1);
	if (c->anonymous) /* RFC 3323 4.1 */
		hf_buf_str(&uri, "sip:anonymous@anonymous.invalid");
	else
		sip_put_uri(&uri, c->user, &here);
	d->local[uri.n] = '\0';
	d->flow = c->to;
	d->cseq_local = hf_rand_below(ss->rand, 1 << 16);
	if (uri.overflow ||
	    !hf_slice_copy(c->uri, d->remote, sizeof(d->remote)) ||
	    !hf_slice_copy(c->uri, d->target, sizeof(d->target)))
		goto failed;
	d->cseq_invite = ++d->cseq_local;
	v = sip_branch(&ss->tt, branch);
	sip_put_request_line(b, HF_SLICE("INVITE"), c->uri);
	sip_put_via(b, c->to.transport == SIP_TCP ? "TCP" : "UDP", &here,
	    hf_slice_of(branch));
	sip_put_number(b, SIP_H_MAX_FORWARDS, c->max_forwards);
	sip_put_name_addr(b, SIP_H_FROM, c->display, hf_slice_of(d->local),
	    hf_slice_of(d->local_tag));
	sip_put_name_addr(b, SIP_H_TO, HF_SLICE(""), c->uri, HF_SLICE(""));
	sip_put(b, SIP_H_CALL_ID, hf_slice_of(d->call_id));
	sip_put_cseq(b, d->cseq_invite, HF_SLICE("INVITE"));
	sip_put_our_contact(ss, b, &c->to, HF_SLICE(""));
	sip_put(b, SIP_H_ALLOW, HF_SLICE(SIP_ALLOW));
	hf_buf_slice(b, c->lines);
	sip_put_agent(ss, b);
	sip_put_body(b, c->type != NULL ? c->type : "application/sdp", c->body);
	if (b->overflow ||
	    !sip_trans_start(&ss->tt, SIP_INVITE, v, hf_buf_taken(b), &c->to,
		hf_ref_key(sip_session_ref(ss, s)), now,
		&sip_live(ss, s)->invite))
		goto failed;
	ss->count.calls_out++;
	s->account = c->account;
	sip_live(ss, s)->source = c->to;
	s->give_up = c->give_up;
	sip_session_arm(ss, s);
	return s;
failed:
	sip_session_free(ss, s);
	return NULL;
}

bool
sip_sessions_ask(struct sip_sessions *ss, enum sip_method method,
    const struct sip_flow *to, struct hf_slice uri, uint64_t user,
    struct hf_time now)
{
	struct hf_addr here = ss->hooks->here(ss->arg, to);
	struct hf_slice name = hf_slice_of(sip_method_name(method));
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft), from;
	char branch[SIP_BRANCH_LEN + 1], tag[SIP_OUR_TAG + 1];
	char call_id[SIP_CALL_ID_MAX], room[SIP_URI_MAX];
	uint64_t v = sip_branch(&ss->tt, branch);
	struct hf_ref r;

	hf_assert(user != 0 && (user & SIP_ASKED) == 0);
	(void)sip_tag_make(ss->rand, tag);
	new_call_id(ss, call_id);
	from = hf_buf_on(room, sizeof(room));
	sip_put_uri(&from, HF_SLICE(""), &here);
	sip_put_request_line(b, name, uri);
	sip_put_via(b, to->transport == SIP_TCP ? "TCP" : "UDP", &here,
	    hf_slice_of(branch));
	sip_put_number(b, SIP_H_MAX_FORWARDS, HOPS);
	sip_put_name_addr(
	    b, SIP_H_FROM, HF_SLICE(""), hf_buf_taken(&from), hf_slice_of(tag));
	sip_put_name_addr(b, SIP_H_TO, HF_SLICE(""), uri, HF_SLICE(""));
	sip_put(b, SIP_H_CALL_ID, hf_slice_of(call_id));
	sip_put_cseq(b, 1, name);
	sip_put_our_contact(ss, b, to, HF_SLICE(""));
	sip_put(b, SIP_H_ACCEPT, HF_SLICE(SIP_ACCEPT));
	sip_put_agent(ss, b);
	sip_put_body(b, NULL, HF_SLICE(""));
	return !b->overflow &&
	       sip_trans_start(&ss->tt, method, v, hf_buf_taken(b), to,
		   user | SIP_ASKED, now, &r);
}

/* ---- in the call --------------------------------------------------------- */

bool
sip_session_reinvite(struct sip_sessions *ss, struct sip_session *s,
    struct hf_slice body, struct hf_time now)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	uint64_t branch;

	ss->now = now;
	if (s->state != SIP_S_UP || s->unacked || !hf_ref_none(l->reinvite) ||
	    s->retry.us != INT64_MAX)
		return false;
	sip_session_touch(ss, s);
	sip_keep_give(&ss->tt.keep, &l->credentials);
	branch = sip_session_begin(ss, &s->dialog, SIP_INVITE, b);
	sip_put_our_contact(ss, b, &s->dialog.flow, HF_SLICE(""));
	sip_put(b, SIP_H_ALLOW, HF_SLICE(SIP_ALLOW));
	sip_put_agent(ss, b);
	sip_put_body(b, "application/sdp", body);
	if (b->overflow ||
	    !sip_trans_start(&ss->tt, SIP_INVITE, branch, hf_buf_taken(b),
		&s->dialog.flow, hf_ref_key(sip_session_ref(ss, s)), now,
		&l->reinvite))
		return false;
	s->give_up =
	    hf_time_after(now, (struct hf_span){ 64 * ss->tt.t.t1.us });
	sip_session_arm(ss, s);
	return true;
}

bool
sip_session_tell(struct sip_sessions *ss, struct sip_session *s,
    enum sip_method method, struct hf_slice lines, const char *type,
    struct hf_slice body, struct hf_time now)
{
	struct sip_draft draft;
	struct hf_buf *b = sip_draft(&draft);
	struct hf_ref r;
	uint64_t branch;

	ss->now = now;
	if (s->state != SIP_S_UP)
		return false;
	sip_session_touch(ss, s);
	branch = sip_session_begin(ss, &s->dialog, method, b);
	sip_put_our_contact(ss, b, &s->dialog.flow, HF_SLICE(""));
	hf_buf_slice(b, lines);
	sip_put_agent(ss, b);
	sip_put_body(b, type, body);
	return !b->overflow && sip_trans_start(&ss->tt, method, branch,
				   hf_buf_taken(b), &s->dialog.flow,
				   hf_ref_key(sip_session_ref(ss, s)), now, &r);
}

void
sip_session_follow(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_flow *to)
{
	struct sip_session_live *l = sip_live(ss, s);
	struct hf_slice words = sip_keep_get(&ss->tt.keep, l->asked);

	s->dialog.flow = l->source = *to;
	sip_session_reword(ss, s);
	sip_trans_follow(&ss->tt, l->invite, to, ss->now);
	sip_trans_follow(&ss->tt, l->reinvite, to, ss->now);
	if (s->state != SIP_S_CANCELLING || !hf_ref_none(l->invite))
		return;
	s->give_up = HF_TIME_NEVER;
	sip_session_arm(ss, s);
	if (!sip_trans_resume_invite(&ss->tt, words, to,
		hf_ref_key(sip_session_ref(ss, s)), true, ss->now, &l->invite))
		sip_session_free(ss, s);
}

bool
sip_session_awaits(const struct sip_sessions *ss, const struct sip_session *s)
{
	return s->state == SIP_S_CANCELLING &&
	       hf_ref_none(ss->live[s->n].invite);
}

void
sip_session_report(struct sip_sessions *ss, struct sip_session *s,
    uint16_t status, struct hf_time now)
{
	char room[128], text[64];
	struct hf_buf lines = hf_buf_on(room, sizeof(room));
	struct hf_buf body = hf_buf_on(text, sizeof(text));

	sip_put(&lines, SIP_H_EVENT, HF_SLICE("refer"));
	sip_put(&lines, SIP_H_SUBSCRIPTION_STATE,
	    status < 200 ? HF_SLICE("active;expires=60")
			 : HF_SLICE("terminated;reason=noresource"));
	sip_put_status_line(&body, status, HF_SLICE(""));
	(void)!sip_session_tell(ss, s, SIP_NOTIFY, hf_buf_taken(&lines),
	    "message/sipfrag;version=2.0", hf_buf_taken(&body), now);
}

void
sip_session_drop(struct sip_sessions *ss, struct sip_session *s, uint16_t code,
    struct hf_slice text, struct hf_time now)
{
	struct sip_session_live *l = sip_live(ss, s);

	ss->now = now;
	s->user = 0;
	switch ((enum sip_session_state)s->state) {
	case SIP_S_INVITED:
		sip_session_refuse(ss, s,
		    code >= 300 && code < 700 ? code : 480, text, HF_SLICE(""),
		    now);
		break;
	case SIP_S_CALLING:
		s->give_up = HF_TIME_NEVER;
		s->drop_code = code;
		(void)hf_slice_copy(text, s->drop_text, sizeof(s->drop_text));
		sip_session_move(s, SIP_S_CANCELLING);
		sip_session_arm(ss, s);
		sip_trans_cancel(&ss->tt, l->invite, now);
		break;
	case SIP_S_ANSWERED:
		/* RFC 3261 15: no BYE before the ACK (or its time is up).  In
		 * the other states a session whose user is gone says by
		 * itself, when it is found again, what is said here. */
		sip_session_touch(ss, s);
		s->drop_code = code;
		(void)hf_slice_copy(text, s->drop_text, sizeof(s->drop_text));
		break;
	case SIP_S_UP:
		sip_session_bye(ss, s, code, text);
		break;
	case SIP_S_CANCELLING:
	case SIP_S_LEAVING:
	case SIP_S_FREE:
		break;
	}
}
