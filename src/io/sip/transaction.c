/* io/sip/transaction - see transaction.h */

#include <stdlib.h>

#include "base/table.h"
#include "io/sip/build.h"
#include "io/sip/transaction.h"

/* Sets a CANCEL's key apart from its INVITE's: both carry one branch. */
#define CANCEL_MARK 0x9e3779b97f4a7c15u

enum {
	RESERVED_SHARE = 8,  /* 1/8 of the table is for requests in dialogs */
	FORGET_STEP_MS = 50, /* nobody needs a straggler forgotten sooner */
};

#define TO(s) HF_BIT(SIP_T_##s)
/* clang-format off */
static const struct {
	const char *name;
	unsigned next;			/* states that may follow */
} states[] = {
	[SIP_T_FREE]       = { "free",       TO(CALLING) | TO(PROCEEDING) },
	[SIP_T_CALLING]    = { "calling",    TO(PROCEEDING) | TO(COMPLETED) |
					     TO(ACCEPTED) | TO(FREE) },
	[SIP_T_PROCEEDING] = { "proceeding", TO(COMPLETED) | TO(ACCEPTED) |
					     TO(FREE) },
	[SIP_T_COMPLETED]  = { "completed",  TO(CONFIRMED) | TO(FREE) },
	[SIP_T_CONFIRMED]  = { "confirmed",  TO(FREE) },
	[SIP_T_ACCEPTED]   = { "accepted",   TO(FREE) },
};
/* clang-format on */
#undef TO
_Static_assert(HF_LEN(states) == SIP_T_NR, "one row per state");

static hf_timer_fn on_timer, on_forget;

static struct hf_ref
ref_of(const struct sip_trans *t)
{
	return hf_pool_at(&t->table->pool, t->n);
}

static bool
is_client(const struct sip_trans *t)
{
	return t->kind == SIP_CLIENT_INVITE || t->kind == SIP_CLIENT_OTHER;
}

static bool
is_reliable(const struct sip_trans *t)
{
	return t->flow.transport != SIP_UDP;
}

/* ---- the table ----------------------------------------------------------- */

bool
sip_transactions_init(struct sip_transactions *tt, uint32_t cap,
    const struct sip_timers *t, struct hf_wheel *wheel, struct hf_rand *rand,
    const struct sip_trans_hooks *hooks, void *arg)
{
	uint32_t cells = 4;

	hf_assert(cap > 0 && t->t1.us > 0);
	while (cells < 2 * cap)
		cells *= 2;
	*tt = (struct sip_transactions){
		.cap = cap,
		.cells_n = cells,
		.t = *t,
		.wheel = wheel,
		.rand = rand,
		.hooks = hooks,
		.arg = arg,
		.hash.k = { hf_rand_u64(rand), hf_rand_u64(rand) },
	};
	tt->trans = hf_table(cap, sizeof(*tt->trans));
	tt->places = hf_table(cap, sizeof(*tt->places));
	for (size_t i = 0; i < HF_LEN(tt->cells); i++)
		tt->cells[i] = hf_table(cells, sizeof(**tt->cells));
	if (tt->trans == NULL || tt->places == NULL || tt->cells[0] == NULL ||
	    tt->cells[1] == NULL ||
	    !sip_keep_init(&tt->keep, cap, cap, cap / 16 + 16)) {
		sip_transactions_free(tt);
		return false;
	}
	hf_pool_init(&tt->pool, tt->places, cap);
	hf_map_init(&tt->by_key, tt->cells[0], cells);
	hf_map_init(&tt->by_merge, tt->cells[1], cells);
	for (size_t i = 0; i < HF_LEN(tt->lingering); i++)
		hf_list_init(&tt->lingering[i]);
	hf_timer_init(&tt->forget, on_forget);
	return true;
}

void
sip_transactions_free(struct sip_transactions *tt)
{
	if (tt->wheel != NULL)
		hf_timer_stop(tt->wheel, &tt->forget);
	hf_table_free(tt->trans, tt->cap, sizeof(*tt->trans));
	hf_table_free(tt->places, tt->cap, sizeof(*tt->places));
	for (size_t i = 0; i < HF_LEN(tt->cells); i++)
		hf_table_free(tt->cells[i], tt->cells_n, sizeof(**tt->cells));
	sip_keep_free(&tt->keep);
	*tt = (struct sip_transactions){ 0 };
}

static void
arm(struct sip_trans *t)
{
	struct hf_time due = hf_time_min(t->repeat, t->end);

	if (due.us == INT64_MAX)
		hf_timer_stop(t->table->wheel, &t->timer);
	else if (due.us != t->timer.due.us)
		hf_timer_start(t->table->wheel, &t->timer, due);
}

static void
move(struct sip_trans *t, enum sip_trans_state next)
{
	hf_assert(states[t->state].next & HF_BIT(next));
	t->state = (uint8_t)next;
}

static void
drop(struct sip_trans *t)
{
	struct sip_transactions *tt = t->table;

	move(t, SIP_T_FREE);
	if (t->lingers) {
		hf_list_remove(&t->linger);
		tt->lingerers--;
	} else {
		hf_timer_stop(tt->wheel, &t->timer);
	}
	hf_map_del(&tt->by_key, t->key);
	if (t->merge != 0)
		hf_map_del(&tt->by_merge, t->merge);
	sip_keep_give(&tt->keep, &t->kept);
	hf_pool_give(&tt->pool, ref_of(t));
}

/* Over, and its user has not heard so yet. */
static void
fail(struct sip_trans *t, enum sip_trans_end why)
{
	struct sip_transactions *tt = t->table;
	struct hf_ref r = ref_of(t);
	enum sip_method method = t->method;
	uint64_t user = t->user;

	if (why == SIP_END_UNREACHABLE)
		tt->count.unreachable++;
	else
		tt->count.timeouts++;
	drop(t);
	if (user != 0)
		tt->hooks->ended(tt->arg, r, user, method, why);
}

static struct hf_span
times(struct hf_span s, int n)
{
	return (struct hf_span){ s.us * n };
}

/* 64*T1: the RFC's timers B, F, H, J, L, M and, for UDP, at least 32 s, D. */
static struct hf_span
long_wait(const struct sip_transactions *tt)
{
	return times(tt->t.t1, 64);
}

static struct sip_trans *
oldest(const struct sip_transactions *tt, int which)
{
	const struct hf_list *l = &tt->lingering[which];

	return hf_list_empty(l)
		   ? NULL
		   : HF_CONTAINER(l->next, struct sip_trans, linger);
}

/* The one that has lingered longest; NULL: none does. */
static struct sip_trans *
longest_lingering(const struct sip_transactions *tt)
{
	struct sip_trans *a = oldest(tt, SIP_LINGER_T4);
	struct sip_trans *b = oldest(tt, SIP_LINGER_64T1);

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	return a->end.us - tt->t.t4.us < b->end.us - long_wait(tt).us ? a : b;
}

static void
arm_forget(struct sip_transactions *tt, struct hf_time end)
{
	if (!hf_timer_running(&tt->forget))
		hf_timer_start(tt->wheel, &tt->forget,
		    hf_time_after(end, hf_ms(FORGET_STEP_MS)));
}

static void
on_forget(struct hf_timer *timer, struct hf_time now)
{
	struct sip_transactions *tt =
	    HF_CONTAINER(timer, struct sip_transactions, forget);
	struct hf_time next = HF_TIME_NEVER;
	struct sip_trans *t;

	for (int i = 0; i < SIP_LINGER_NR; i++) {
		while (
		    (t = oldest(tt, i)) != NULL && !hf_time_before(now, t->end))
			drop(t);
		if (t != NULL)
			next = hf_time_min(next, t->end);
	}
	if (next.us != INT64_MAX)
		arm_forget(tt, next);
}

/* Nothing more is expected of it than to know stragglers, for a while: T4 or
 * 64*T1 over UDP, and not at all where nothing can straggle. */
static void
linger(struct sip_trans *t, int which, struct hf_time now)
{
	struct sip_transactions *tt = t->table;
	struct hf_span wait = which == SIP_LINGER_T4 ? tt->t.t4 : long_wait(tt);

	hf_timer_stop(tt->wheel, &t->timer);
	t->repeat = HF_TIME_NEVER;
	t->end = hf_time_after(now, wait);
	t->lingers = true;
	hf_list_push(&tt->lingering[which], &t->linger);
	tt->lingerers++;
	arm_forget(tt, t->end);
}

static void
linger_unless_reliable(struct sip_trans *t, int which, struct hf_time now)
{
	if (is_reliable(t))
		drop(t);
	else
		linger(t, which, now);
}

/* Who only lingers is in nobody's way: he goes when his place is needed. */
static bool
has_room(const struct sip_transactions *tt, bool new_work)
{
	uint32_t room = tt->pool.cap, at_work = tt->pool.used - tt->lingerers;

	if (new_work)
		room -= room / RESERVED_SHARE;
	return at_work < room;
}

static struct sip_trans *
take(struct sip_transactions *tt, enum sip_trans_kind kind,
    enum sip_trans_state state, uint64_t key, bool new_work)
{
	struct sip_trans *t;
	struct hf_ref r;

	if (!has_room(tt, new_work)) {
		tt->count.full++;
		return NULL;
	}
	if (tt->pool.used == tt->pool.cap) {
		tt->count.evicted++;
		drop(longest_lingering(tt));
	}
	if (!hf_pool_take(&tt->pool, &r))
		hf_never("a pool with a free place gives none");
	if (!hf_map_put(&tt->by_key, key, r.n)) {
		hf_pool_give(&tt->pool, r);
		return NULL;
	}
	t = &tt->trans[r.n];
	*t = (struct sip_trans){
		.table = tt,
		.key = key,
		.n = r.n,
		.kind = (uint8_t)kind,
		.repeat = HF_TIME_NEVER,
		.end = HF_TIME_NEVER,
	};
	hf_timer_init(&t->timer, on_timer);
	hf_list_init(&t->linger);
	move(t, state);
	tt->count.started[kind]++;
	return t;
}

static struct sip_trans *
at(const struct sip_transactions *tt, struct hf_ref r)
{
	return hf_pool_has(&tt->pool, r) ? &tt->trans[r.n] : NULL;
}

const struct sip_trans *
sip_trans_at(const struct sip_transactions *tt, struct hf_ref t)
{
	return at(tt, t);
}

static struct sip_trans *
by_key(const struct sip_transactions *tt, uint64_t key)
{
	uint32_t n = hf_map_get(&tt->by_key, key);

	return n == HF_MAP_NONE ? NULL : &tt->trans[n];
}

static bool
say_again(struct sip_trans *t)
{
	struct sip_transactions *tt = t->table;
	struct hf_slice s = sip_keep_get(&tt->keep, t->kept);

	if (s.n == 0)
		return true;
	tt->count.repeats_out++;
	return tt->hooks->send(tt->arg, &t->flow, s);
}

static void
keep(struct sip_trans *t, struct hf_slice bytes)
{
	sip_keep_give(&t->table->keep, &t->kept);
	t->kept = sip_keep_put(&t->table->keep, bytes);
}

/* ---- names of transactions ----------------------------------------------- */

static void
mix(struct hf_buf *b, struct hf_slice s)
{
	uint16_t n = (uint16_t)s.n;

	hf_buf_put(b, &n, sizeof(n));
	hf_buf_slice(b, s);
}

/* Two maps share the keys' space with our branches; 0 cannot be stored. */
static uint64_t
hash(const struct sip_transactions *tt, const struct hf_buf *b)
{
	uint64_t h = hf_hash(&tt->hash, b->p, b->n);

	return h != 0 ? h : 1;
}

/* RFC 3261 17.2.3: branch, sent-by and method; without the magic cookie what
 * RFC 2543 compared, save To's tag, which an ACK has and its INVITE has not. */
static uint64_t
server_key(const struct sip_transactions *tt, const struct sip_msg *m,
    struct hf_slice method)
{
	static char room[3 * SIP_MSG_MAX]; /* slices of one message, twice */
	struct hf_buf b = hf_buf_on(room, sizeof(room));

	mix(&b, method);
	if (hf_slice_starts(m->via.branch, HF_SLICE(SIP_COOKIE)) &&
	    m->via.branch.n > sizeof(SIP_COOKIE) - 1) {
		mix(&b, m->via.branch);
		mix(&b, m->via.host);
		hf_buf_put(&b, &m->via.port, sizeof(m->via.port));
	} else {
		mix(&b, m->uri_text);
		mix(&b, m->from_tag);
		mix(&b, m->call_id);
		mix(&b, m->via.whole);
		hf_buf_put(&b, &m->cseq, sizeof(m->cseq));
	}
	return hash(tt, &b);
}

static uint64_t
merge_key(const struct sip_transactions *tt, const struct sip_msg *m,
    struct hf_slice method)
{
	static char room[2 * SIP_MSG_MAX];
	struct hf_buf b = hf_buf_on(room, sizeof(room));

	mix(&b, m->from_tag);
	mix(&b, m->call_id);
	mix(&b, method);
	hf_buf_put(&b, &m->cseq, sizeof(m->cseq));
	return hash(tt, &b);
}

uint64_t
sip_branch(struct sip_transactions *tt, char *to)
{
	static const char hex[] = "0123456789abcdef";
	uint64_t v;

	do {
		v = hf_rand_u64(tt->rand);
	} while (v == 0 || v == CANCEL_MARK);
	memcpy(to, SIP_COOKIE, sizeof(SIP_COOKIE) - 1);
	for (int i = 0; i < 16; i++)
		to[7 + i] = hex[v >> (60 - 4 * i) & 0xf];
	to[SIP_BRANCH_LEN] = '\0';
	return v;
}

static bool
our_branch(struct hf_slice s, uint64_t *out)
{
	const size_t cookie = sizeof(SIP_COOKIE) - 1;

	return s.n == SIP_BRANCH_LEN &&
	       hf_slice_starts(s, HF_SLICE(SIP_COOKIE)) &&
	       hf_slice_hex(
		   (struct hf_slice){ s.p + cookie, s.n - cookie }, out) &&
	       *out != 0 && *out != CANCEL_MARK;
}

static uint64_t
client_key(uint64_t branch, enum sip_method method)
{
	return method == SIP_CANCEL ? branch ^ CANCEL_MARK : branch;
}

/* ---- client -------------------------------------------------------------- */

bool
sip_trans_start(struct sip_transactions *tt, enum sip_method method,
    uint64_t branch, struct hf_slice bytes, const struct sip_flow *to,
    uint64_t user, struct hf_time now, struct hf_ref *out)
{
	enum sip_trans_kind kind =
	    method == SIP_INVITE ? SIP_CLIENT_INVITE : SIP_CLIENT_OTHER;
	struct sip_trans *t;

	hf_assert(method != SIP_ACK);
	t = take(tt, kind, SIP_T_CALLING, client_key(branch, method), false);
	if (t == NULL)
		return false;
	t->flow = *to;
	t->user = user;
	t->method = (uint8_t)method;
	t->end = hf_time_after(now, long_wait(tt));
	if (!tt->hooks->send(tt->arg, &t->flow, bytes)) {
		drop(t);
		return false;
	}
	/* Not for repetitions alone: they are the pattern of an INVITE's ACK
	 * and CANCEL, and of what follows a challenge. */
	keep(t, bytes);
	if (!is_reliable(t)) {
		t->interval = tt->t.t1;
		t->repeat = hf_time_after(now, t->interval);
	}
	arm(t);
	*out = ref_of(t);
	return true;
}

struct hf_slice
sip_trans_asked(const struct sip_transactions *tt)
{
	return sip_keep_get(&tt->keep, tt->asked);
}

/* It is not said again; who hears of the answer may still read it. */
static void
set_aside(struct sip_trans *t)
{
	struct sip_transactions *tt = t->table;

	sip_keep_give(&tt->keep, &tt->asked);
	tt->asked = t->kept;
	t->kept = 0;
}

/* What a client transaction's INVITE looked like; false when it could not be
 * kept. */
static bool
pattern(const struct sip_trans *t, struct sip_msg *m)
{
	struct hf_slice s = sip_keep_get(&t->table->keep, t->kept);

	return s.n > 0 && sip_parse(s, m).parsed == SIP_GOOD;
}

static void
send_ack(struct sip_trans *t, const struct sip_msg *response)
{
	char room[SIP_KEEP_BIG];
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	struct sip_msg invite;

	if (!pattern(t, &invite))
		return;
	sip_put_ack(&b, &invite, response);
	if (b.overflow)
		return;
	/* From now on the ACK is what we say again. */
	set_aside(t);
	keep(t, hf_buf_taken(&b));
	t->table->hooks->send(t->table->arg, &t->flow, hf_buf_taken(&b));
}

static void
send_cancel(struct sip_trans *t, struct hf_time now)
{
	struct sip_transactions *tt = t->table;
	char room[SIP_KEEP_BIG], more[256];
	struct hf_buf b = hf_buf_on(room, sizeof(room));
	struct hf_buf lines = hf_buf_on(more, sizeof(more));
	struct sip_msg invite;
	struct hf_ref r;

	t->cancel = true;
	/* RFC 3261 9.1: no final answer to come then either. */
	t->end = hf_time_after(now, long_wait(tt));
	arm(t);
	if (!pattern(t, &invite))
		return;
	if (t->user != 0)
		tt->hooks->cancelling(tt->arg, t->user, &lines);
	sip_put_cancel(
	    &b, &invite, lines.overflow ? HF_SLICE("") : hf_buf_taken(&lines));
	if (b.overflow)
		return;
	(void)!sip_trans_start(
	    tt, SIP_CANCEL, t->key, hf_buf_taken(&b), &t->flow, 0, now, &r);
}

void
sip_trans_cancel(
    struct sip_transactions *tt, struct hf_ref r, struct hf_time now)
{
	struct sip_trans *t = at(tt, r);

	if (t == NULL || t->kind != SIP_CLIENT_INVITE || t->cancel)
		return;
	if (t->state == SIP_T_PROCEEDING)
		send_cancel(t, now);
	else if (t->state == SIP_T_CALLING)
		t->cancel = true;
}

void
sip_trans_follow(struct sip_transactions *tt, struct hf_ref r,
    const struct sip_flow *to, struct hf_time now)
{
	struct sip_trans *t = at(tt, r), *c;

	if (t == NULL)
		return;
	t->flow = *to;
	if (t->kind != SIP_CLIENT_INVITE || t->state != SIP_T_PROCEEDING ||
	    !t->cancel)
		return;
	c = by_key(tt, client_key(t->key, SIP_CANCEL));
	if (c != NULL)
		drop(c);
	send_cancel(t, now);
}

static void
hear_provisional(struct sip_trans *t, struct hf_time now)
{
	bool first = t->state == SIP_T_CALLING;

	if (first)
		move(t, SIP_T_PROCEEDING);
	if (t->kind == SIP_CLIENT_INVITE) {
		if (first) {
			t->repeat = HF_TIME_NEVER;
			t->end = HF_TIME_NEVER;
		}
		if (first && t->cancel)
			send_cancel(t, now);
	} else if (first && !is_reliable(t)) {
		t->interval = t->table->t.t2;
		t->repeat = hf_time_after(now, t->interval);
	}
	arm(t);
}

static void
hear_final(struct sip_trans *t, const struct sip_msg *m, struct hf_time now)
{
	struct sip_transactions *tt = t->table;

	if (t->kind == SIP_CLIENT_OTHER) {
		move(t, SIP_T_COMPLETED);
		set_aside(t);
		linger_unless_reliable(t, SIP_LINGER_T4, now);
	} else if (m->status < 300) {
		move(t, SIP_T_ACCEPTED);
		sip_keep_give(&tt->keep, &t->kept);
		linger(t, SIP_LINGER_64T1, now);
	} else {
		move(t, SIP_T_COMPLETED);
		send_ack(t, m);
		linger_unless_reliable(t, SIP_LINGER_64T1, now);
	}
}

static void
hear(struct sip_transactions *tt, const struct sip_msg *m,
    const struct sip_flow *from, struct hf_time now)
{
	struct sip_trans *t = NULL;
	struct hf_ref r;
	uint64_t branch, user;

	if (our_branch(m->via.branch, &branch))
		t = by_key(tt, client_key(branch, m->cseq_method));
	if (t == NULL || !is_client(t) ||
	    (t->kind == SIP_CLIENT_INVITE) != (m->cseq_method == SIP_INVITE)) {
		if (m->cseq_method == SIP_INVITE && m->status / 100 == 2)
			tt->hooks->stray(tt->arg, m, from);
		else
			tt->count.unmatched++;
		return;
	}
	r = ref_of(t);
	user = t->user;
	switch ((enum sip_trans_state)t->state) {
	case SIP_T_CALLING:
	case SIP_T_PROCEEDING:
		t->status = m->status;
		if (m->status < 200)
			hear_provisional(t, now);
		else
			hear_final(t, m, now);
		break;
	case SIP_T_ACCEPTED:
		if (m->status / 100 == 2)
			break;
		tt->count.repeats_in++;
		return;
	case SIP_T_COMPLETED:
		tt->count.repeats_in++;
		if (t->kind == SIP_CLIENT_INVITE && m->status >= 300)
			(void)!say_again(t);
		return;
	case SIP_T_CONFIRMED:
	case SIP_T_FREE:
		hf_never("a client transaction in a server's state");
	}
	/* t may be gone by now; its reference tells. */
	if (user != 0)
		tt->hooks->response(tt->arg, r, user, m, from);
	sip_keep_give(&tt->keep, &tt->asked);
}

/* ---- server -------------------------------------------------------------- */

static void
hear_ack(struct sip_transactions *tt, const struct sip_msg *m,
    const struct sip_flow *from, struct hf_time now)
{
	struct sip_trans *t = by_key(tt, server_key(tt, m, HF_SLICE("INVITE")));

	if (t == NULL || t->kind != SIP_SERVER_INVITE ||
	    t->state == SIP_T_ACCEPTED) {
		tt->hooks->ack(tt->arg, m, from);
		return;
	}
	if (t->state != SIP_T_COMPLETED)
		return; /* before any final answer, or once more */
	move(t, SIP_T_CONFIRMED);
	sip_keep_give(&tt->keep, &t->kept);
	linger_unless_reliable(t, SIP_LINGER_T4, now);
}

/* A request we know: say again what we said. */
static void
hear_again(struct sip_trans *t)
{
	t->table->count.repeats_in++;
	if (t->state == SIP_T_PROCEEDING || t->state == SIP_T_COMPLETED)
		(void)!say_again(t);
}

static void
hear_request(struct sip_transactions *tt, const struct sip_msg *m,
    const struct sip_flow *from, struct hf_time now)
{
	uint64_t key = server_key(tt, m, m->method_text), merge = 0;
	struct sip_trans *t = by_key(tt, key), *invite = NULL;
	bool is_invite = m->method == SIP_INVITE;
	uint16_t status;

	if (t != NULL) {
		hear_again(t);
		return;
	}
	if (m->method == SIP_CANCEL) {
		invite = by_key(tt, server_key(tt, m, HF_SLICE("INVITE")));
		if (invite == NULL || invite->kind != SIP_SERVER_INVITE) {
			tt->hooks->stateless(tt->arg, m, from, 481);
			return;
		}
	} else if (m->to_tag.n == 0) {
		merge = merge_key(tt, m, m->method_text);
		if (hf_map_get(&tt->by_merge, merge) != HF_MAP_NONE) {
			tt->count.merged++;
			tt->hooks->stateless(tt->arg, m, from, 482);
			return;
		}
	}
	tt->urgent = false;
	if (invite == NULL &&
	    (status = tt->hooks->admit(tt->arg, m, from)) != 0) {
		tt->hooks->stateless(tt->arg, m, from, status);
		return;
	}
	t = take(tt, is_invite ? SIP_SERVER_INVITE : SIP_SERVER_OTHER,
	    is_invite ? SIP_T_PROCEEDING : SIP_T_CALLING, key,
	    m->to_tag.n == 0 && m->method != SIP_CANCEL && !tt->urgent);
	if (t == NULL) {
		tt->hooks->stateless(tt->arg, m, from, 503);
		return;
	}
	if (merge != 0 && hf_map_put(&tt->by_merge, merge, t->n))
		t->merge = merge;
	t->method = (uint8_t)m->method;
	t->flow = sip_flow_back(&m->via, from);
	/* Whatever the user does, it does not stay; an INVITE may, when a
	 * session looks after it. */
	t->end = hf_time_after(now, long_wait(tt));
	arm(t);
	if (invite != NULL && by_key(tt, invite->key) == invite)
		tt->hooks->cancelled(
		    tt->arg, ref_of(t), m, ref_of(invite), invite->user);
	else
		tt->hooks->request(tt->arg, ref_of(t), m, from);
}

void
sip_trans_respond(struct sip_transactions *tt, struct hf_ref r, uint16_t status,
    struct hf_slice bytes, struct hf_time now)
{
	struct sip_trans *t = at(tt, r);

	if (t == NULL || is_client(t))
		return;
	if (t->state != SIP_T_CALLING && t->state != SIP_T_PROCEEDING)
		return; /* the first final answer stands */
	t->status = status;
	(void)!tt->hooks->send(tt->arg, &t->flow, bytes);
	if (status < 200) {
		keep(t, bytes);
		if (t->state == SIP_T_CALLING)
			move(t, SIP_T_PROCEEDING);
	} else if (t->kind == SIP_SERVER_OTHER) {
		move(t, SIP_T_COMPLETED);
		if (!is_reliable(t))
			keep(t, bytes);
		linger_unless_reliable(t, SIP_LINGER_64T1, now);
	} else if (status < 300) {
		move(t, SIP_T_ACCEPTED);
		sip_keep_give(&tt->keep, &t->kept);
		linger(t, SIP_LINGER_64T1, now);
	} else {
		move(t, SIP_T_COMPLETED);
		keep(t, bytes);
		t->end = hf_time_after(now, long_wait(tt));
		if (!is_reliable(t)) {
			t->interval = tt->t.t1;
			t->repeat = hf_time_after(now, t->interval);
		}
		arm(t);
	}
}

void
sip_trans_adopt(struct sip_transactions *tt, struct hf_ref r, uint64_t user,
    struct hf_time now)
{
	struct sip_trans *t = at(tt, r);

	if (t == NULL)
		return;
	t->user = user;
	if (t->state != SIP_T_PROCEEDING)
		return;
	if (user == 0)
		t->end = hf_time_after(now, long_wait(tt));
	else if (t->kind == SIP_SERVER_INVITE)
		t->end = HF_TIME_NEVER;
	arm(t);
}

/* ---- a new process --------------------------------------------------------
 */

struct hf_slice
sip_trans_words(const struct sip_transactions *tt, struct hf_ref r)
{
	const struct sip_trans *t = at(tt, r);

	if (t == NULL || t->kind != SIP_CLIENT_INVITE ||
	    (t->state != SIP_T_CALLING && t->state != SIP_T_PROCEEDING))
		return HF_SLICE("");
	return sip_keep_get(&tt->keep, t->kept);
}

bool
sip_trans_resume_invite(struct sip_transactions *tt, struct hf_slice bytes,
    const struct sip_flow *to, uint64_t user, bool cancel, struct hf_time now,
    struct hf_ref *out)
{
	struct sip_trans *t;
	struct sip_msg m;
	uint64_t branch;

	if (sip_parse(bytes, &m).parsed != SIP_GOOD || !m.request ||
	    m.method != SIP_INVITE || !our_branch(m.via.branch, &branch) ||
	    by_key(tt, branch) != NULL)
		return false;
	if (!cancel)
		return sip_trans_start(
		    tt, SIP_INVITE, branch, bytes, to, user, now, out);
	t = take(tt, SIP_CLIENT_INVITE, SIP_T_CALLING, branch, false);
	if (t == NULL)
		return false;
	t->flow = *to;
	t->user = user;
	t->method = SIP_INVITE;
	keep(t, bytes);
	*out = ref_of(t);
	/* Whether a 1xx came is not known any more; that the INVITE cannot be
	 * overtaken is (RFC 3261 9.1): it went out a life ago. */
	move(t, SIP_T_PROCEEDING);
	send_cancel(t, now);
	return true;
}

bool
sip_trans_resume_server(struct sip_transactions *tt, const struct sip_msg *m,
    const struct sip_flow *from, uint64_t user, struct hf_time now,
    struct hf_ref *out)
{
	static const struct hf_slice method = HF_SLICE("INVITE");
	uint64_t key = server_key(tt, m, method);
	uint64_t merge = merge_key(tt, m, method);
	struct sip_trans *t;

	if (by_key(tt, key) != NULL)
		return false;
	t = take(tt, SIP_SERVER_INVITE, SIP_T_PROCEEDING, key, true);
	if (t == NULL)
		return false;
	if (m->to_tag.n == 0 || !m->request)
		if (hf_map_put(&tt->by_merge, merge, t->n))
			t->merge = merge;
	t->method = SIP_INVITE;
	t->user = user;
	t->flow = m->request ? sip_flow_back(&m->via, from) : *from;
	*out = ref_of(t);
	if (!m->request) {
		t->status = m->status;
		move(t, SIP_T_ACCEPTED);
		linger(t, SIP_LINGER_64T1, now);
	}
	return true;
}

/* ---- time and the network ------------------------------------------------ */

static void
repeat(struct sip_trans *t, struct hf_time now)
{
	struct sip_transactions *tt = t->table;
	/* Timer A knows no ceiling; E and G stop doubling at T2. */
	bool capped = t->kind != SIP_CLIENT_INVITE || t->state != SIP_T_CALLING;

	if (!say_again(t) && is_client(t)) {
		fail(t, SIP_END_UNREACHABLE);
		return;
	}
	t->interval = times(t->interval, 2);
	if (capped && t->interval.us > tt->t.t2.us)
		t->interval = tt->t.t2;
	t->repeat = hf_time_after(now, t->interval);
	arm(t);
}

static void
on_timer(struct hf_timer *timer, struct hf_time now)
{
	struct sip_trans *t = HF_CONTAINER(timer, struct sip_trans, timer);

	if (hf_time_before(now, t->end)) {
		if (!hf_time_before(now, t->repeat))
			repeat(t, now);
		else
			arm(t);
		return;
	}
	switch ((enum sip_trans_state)t->state) {
	case SIP_T_CALLING:
	case SIP_T_PROCEEDING:
		fail(t, SIP_END_TIMEOUT);
		break;
	case SIP_T_COMPLETED:
		hf_assert(t->kind == SIP_SERVER_INVITE);
		fail(t, SIP_END_NO_ACK);
		break;
	case SIP_T_CONFIRMED:
	case SIP_T_ACCEPTED:
	case SIP_T_FREE:
		hf_never("a timer ran of one who lingers or is gone");
	}
}

void
sip_transactions_receive(struct sip_transactions *tt, const struct sip_msg *m,
    const struct sip_flow *from, struct hf_time now)
{
	if (!m->request)
		hear(tt, m, from, now);
	else if (m->method == SIP_ACK)
		hear_ack(tt, m, from, now);
	else
		hear_request(tt, m, from, now);
}

void
sip_transactions_refused(
    struct sip_transactions *tt, struct hf_slice bytes, struct hf_time now)
{
	static const struct hf_slice mark = HF_SLICE(";branch=");
	enum sip_method method = SIP_OTHER;
	struct sip_trans *t;
	uint64_t branch;

	(void)now;
	if (hf_slice_starts(bytes, HF_SLICE("SIP/")) ||
	    hf_slice_starts(bytes, HF_SLICE("ACK ")))
		return;
	if (hf_slice_starts(bytes, HF_SLICE("CANCEL ")))
		method = SIP_CANCEL;
	while (bytes.n > mark.n + SIP_BRANCH_LEN &&
	       !hf_slice_starts(bytes, mark)) {
		bytes.p++;
		bytes.n--;
	}
	if (bytes.n <= mark.n + SIP_BRANCH_LEN)
		return;
	bytes = (struct hf_slice){ bytes.p + mark.n, SIP_BRANCH_LEN };
	if (!our_branch(bytes, &branch))
		return;
	t = by_key(tt, client_key(branch, method));
	/* Somebody was there already when an answer came: a port that closes
	 * in between is left to the timers. */
	if (t != NULL && is_client(t) && t->state == SIP_T_CALLING)
		fail(t, SIP_END_UNREACHABLE);
}

void
sip_transactions_lost(struct sip_transactions *tt, struct hf_ref conn,
    const struct hf_addr *peer, struct hf_time now)
{
	(void)peer;
	(void)now;
	for (uint32_t i = 0; i < tt->pool.cap; i++) {
		struct sip_trans *t = &tt->trans[i];

		if (t->state != SIP_T_CALLING && t->state != SIP_T_PROCEEDING)
			continue;
		if (!is_client(t) || !hf_ref_is(t->flow.conn, conn))
			continue;
		/* An INVITE that was heard may be answered on another
		 * connection (RFC 3261 18.2.2). */
		if (t->kind == SIP_CLIENT_INVITE &&
		    t->state == SIP_T_PROCEEDING)
			continue;
		fail(t, SIP_END_UNREACHABLE);
	}
}

const char *
sip_trans_state_name(enum sip_trans_state s)
{
	hf_assert((unsigned)s < SIP_T_NR);
	return states[s].name;
}
