/* tests/lib/sip_world - see sip_world.h */

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/sip_world.h"

static struct hf_addr
addr_of(uint8_t n)
{
	return (struct hf_addr){
		.ip = { 192, 0, 2, (uint8_t)(n + 1) },
		.family = 4,
		.port = 5060,
	};
}

static void
note(struct party *p, enum world_event e, struct sip_session *s,
    const struct sip_msg *m)
{
	p->seen[e]++;
	p->last = s;
	if (s != NULL)
		p->last_n = s->n;
	if (m != NULL && !m->request)
		p->status = m->status;
	if (m != NULL && m->body.n > 0)
		(void)hf_slice_copy(m->body, p->body, sizeof(p->body));
}

static bool
on_send(void *arg, struct sip_flow *to, struct hf_slice bytes)
{
	struct party *p = arg;
	struct world *w = p->world;
	uint8_t at = (uint8_t)(to->peer.ip[3] - 1);

	w->sent++;
	if (at >= WORLD_PARTIES || bytes.n > sizeof(w->queue[0].bytes))
		return true;
	if (w->lose != NULL && w->lose(w, p->n, bytes))
		return true;
	if (w->queued == WORLD_QUEUE)
		return true;
	w->queue[w->queued].at = hf_time_after(w->now, hf_ms(1));
	w->queue[w->queued].to = at;
	w->queue[w->queued].from = (struct sip_flow){ .peer = addr_of(p->n) };
	w->queue[w->queued].n = (uint32_t)bytes.n;
	memcpy(w->queue[w->queued].bytes, bytes.p, bytes.n);
	w->queued++;
	return true;
}

static struct hf_addr
on_here(void *arg, const struct sip_flow *flow)
{
	(void)flow;
	return addr_of(((struct party *)arg)->n);
}

static uint16_t
on_admit(void *arg, const struct sip_msg *m, const struct sip_flow *from)
{
	(void)m;
	(void)from;
	return ((struct party *)arg)->let_in ? 0 : 403;
}

static void
on_stateless(void *arg, const struct sip_msg *m, const struct sip_flow *from,
    uint16_t status)
{
	struct party *p = arg;

	sip_sessions_reply(
	    &p->ss, HF_REF_NONE, m, from, status, HF_SLICE(""), HF_SLICE(""));
}

static void
on_outside(void *arg, struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from)
{
	struct party *p = arg;
	struct sip_session *s;

	if (p->deaf)
		return;
	if (m->method != SIP_INVITE) {
		sip_sessions_reply(
		    &p->ss, t, m, from, 404, HF_SLICE(""), HF_SLICE(""));
		return;
	}
	s = sip_session_invited(&p->ss, t, m, from, 1);
	if (s == NULL)
		return;
	note(p, W_ARRIVED, s, m);
	if (p->rings)
		sip_session_ring(&p->ss, s, 180, HF_SLICE(""), p->world->now);
	if (p->answers)
		(void)!sip_session_answer(&p->ss, s, hf_slice_of(p->sdp),
		    m->body.n == 0, p->world->now);
}

static void
on_outcome(void *arg, uint64_t user, const struct sip_msg *m)
{
	(void)user;
	((struct party *)arg)->status = 0;
	note(arg, W_OUTCOME, NULL, m);
}

static void
on_rang(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	note(arg, W_RANG, s, m);
}

static void
on_answered(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	note(arg, W_ANSWERED, s, m);
}

static void
on_refused(void *arg, struct sip_session *s, const struct sip_msg *m,
    enum sip_trans_end why)
{
	struct party *p = arg;

	p->status = 0;
	p->why = why;
	note(p, W_REFUSED, s, m);
}

static void
on_confirmed(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	note(arg, W_CONFIRMED, s, m);
}

static uint16_t
on_reoffered(void *arg, struct sip_session *s, const struct sip_msg *m,
    struct hf_buf *sdp)
{
	struct party *p = arg;

	note(p, W_REOFFERED, s, m);
	hf_buf_str(sdp, p->sdp);
	return p->reoffer_status;
}

static void
on_reanswered(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	note(arg, W_REANSWERED, s, m);
}

static void
on_retry(void *arg, struct sip_session *s)
{
	struct party *p = arg;

	if (p->retries)
		(void)!sip_session_reinvite(
		    &p->ss, s, hf_slice_of(p->sdp), p->world->now);
}

static uint16_t
on_info(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	note(arg, W_INFO, s, m);
	return ((struct party *)arg)->info_status;
}

static uint16_t
on_referred(void *arg, struct sip_session *s, const struct sip_uri *to)
{
	(void)to;
	note(arg, W_REFERRED, s, NULL);
	return 202;
}

static void
on_left(void *arg, struct sip_session *s, const struct sip_msg *m,
    enum sip_left how)
{
	((struct party *)arg)->how = how;
	note(arg, W_LEFT, s, m);
}

static const struct sip_session_hooks hooks = {
	.send = on_send,
	.here = on_here,
	.admit = on_admit,
	.stateless = on_stateless,
	.outside = on_outside,
	.outcome = on_outcome,
	.rang = on_rang,
	.answered = on_answered,
	.refused = on_refused,
	.confirmed = on_confirmed,
	.reoffered = on_reoffered,
	.reanswered = on_reanswered,
	.retry = on_retry,
	.info = on_info,
	.referred = on_referred,
	.left = on_left,
};

static void
begin(struct party *p)
{
	const struct sip_sessions_conf conf = {
		.sessions = WORLD_SESSIONS,
		.transactions = 64,
		.timers = { hf_ms(500), hf_ms(4000), hf_ms(5000) },
		.user_agent = "world",
	};

	hf_wheel_init(&p->wheel, p->world->now);
	hf_assert(sip_sessions_init(&p->ss, p->memory, &conf, &p->wheel,
	    &p->rand, &hooks, p, p->world->now));
}

struct world *
world_new(void)
{
	struct world *w = calloc(1, sizeof(*w));

	hf_assert(w != NULL);
	w->now.us = 1000000;
	for (uint8_t i = 0; i < WORLD_PARTIES; i++) {
		struct party *p = &w->party[i];

		p->world = w;
		p->n = i;
		p->rand.key.k[0] = i + 1;
		p->answers = p->rings = p->let_in = p->retries = true;
		p->reoffer_status = p->info_status = 200;
		snprintf(p->sdp, sizeof(p->sdp), "v=0 of party %u", i);
		begin(p);
	}
	return w;
}

void
world_dies(struct world *w, uint8_t party, bool unwanted)
{
	static struct kept {
		struct sip_record record;
		char words[SIP_KEEP_BIG];
		size_t n;
		bool is;
	} kept[WORLD_SESSIONS];
	struct party *p = &w->party[party];
	struct hf_slice words;

	for (uint32_t i = 0; i < WORLD_SESSIONS; i++) {
		struct kept *k = &kept[i];

		k->is = p->memory[i].state != SIP_S_FREE;
		if (!k->is)
			continue;
		/* What lies behind its texts must not matter. */
		memset(&k->record, 0xa5, sizeof(k->record));
		(void)sip_record_write(&p->ss, &p->memory[i], &k->record);
		p->ss.live[i].reworded = true;
		hf_assert(sip_session_words(&p->ss, &p->memory[i], &words));
		memcpy(k->words, words.p, words.n);
		k->n = words.n;
	}
	sip_sessions_free(&p->ss);
	memset(p->memory, 0, sizeof(p->memory));
	begin(p);
	for (uint32_t i = 0; i < WORLD_SESSIONS; i++)
		if (kept[i].is)
			(void)!sip_session_restore(&p->ss, &kept[i].record,
			    (struct hf_slice){ kept[i].words, kept[i].n },
			    !unwanted, w->now);
}

void
world_free(struct world *w)
{
	for (uint8_t i = 0; i < WORLD_PARTIES; i++)
		sip_sessions_free(&w->party[i].ss);
	free(w);
}

static void
deliver(struct world *w, unsigned i)
{
	static struct sip_msg m;
	static char bytes[sizeof(w->queue[0].bytes)];
	struct hf_slice s = { bytes, w->queue[i].n };
	struct sip_flow from = w->queue[i].from;
	struct party *p = &w->party[w->queue[i].to];
	struct sip_verdict v;

	memcpy(bytes, w->queue[i].bytes, s.n);
	memmove(&w->queue[i], &w->queue[i + 1],
	    (w->queued - i - 1) * sizeof(w->queue[0]));
	w->queued--;
	if (w->dead[p->n]) {
		uint8_t back = (uint8_t)(from.peer.ip[3] - 1);

		sip_sessions_refused(&w->party[back].ss, s, w->now);
		return;
	}
	v = sip_parse(s, &m);
	sip_sessions_receive(&p->ss, &m, v, &from, w->now);
}

/* When the next thing happens, at most until. */
static struct hf_time
next(const struct world *w, struct hf_time until)
{
	struct hf_time t = until;

	for (unsigned i = 0; i < w->queued; i++)
		t = hf_time_min(t, w->queue[i].at);
	for (uint8_t i = 0; i < WORLD_PARTIES; i++)
		t = hf_time_min(t, hf_wheel_next(&w->party[i].wheel));
	/* Time never stands still, whatever the wheels say. */
	if (t.us < w->now.us + 1000)
		t.us = w->now.us + 1000;
	return t;
}

void
world_run(struct world *w, int64_t ms)
{
	struct hf_time until = hf_time_after(w->now, hf_ms(ms));

	while (hf_time_before(w->now, until)) {
		w->now = next(w, until);
		for (unsigned i = 0; i < w->queued;) {
			if (hf_time_before(w->now, w->queue[i].at)) {
				i++;
				continue;
			}
			deliver(w, i);
			i = 0;
		}
		for (uint8_t i = 0; i < WORLD_PARTIES; i++)
			hf_wheel_turn(&w->party[i].wheel, w->now);
	}
}

struct sip_session *
world_call(struct world *w, uint8_t from, uint8_t to)
{
	char uri[64];
	struct sip_call c = {
		.max_forwards = 70,
		.to = { .peer = addr_of(to) },
		.uri = { uri, 0 },
		.user = HF_SLICE("100"),
		.body = hf_slice_of(w->party[from].sdp),
		.give_up = HF_TIME_NEVER,
		.handle = 1,
	};

	c.uri.n =
	    (size_t)snprintf(uri, sizeof(uri), "sip:200@192.0.2.%d", to + 1);
	return sip_session_call(&w->party[from].ss, &c, w->now);
}

void
world_say(struct world *w, uint8_t from, uint8_t to, struct hf_slice bytes)
{
	struct sip_flow f = { .peer = addr_of(to) };

	(void)on_send(&w->party[from], &f, bytes);
}

struct sip_session *
world_session(struct party *p)
{
	for (uint32_t i = 0; i < WORLD_SESSIONS; i++)
		if (p->memory[i].state != SIP_S_FREE)
			return &p->memory[i];
	return NULL;
}

static uint32_t
kept(const struct sip_keep *k)
{
	uint32_t n = 0;

	for (int i = 0; i < SIP_KEEP_NR; i++)
		n += k->drawers[i].used;
	return n;
}

bool
world_is_empty(const struct world *w)
{
	for (uint8_t i = 0; i < WORLD_PARTIES; i++) {
		const struct sip_sessions *ss = &w->party[i].ss;

		if (ss->pool.used != 0 || ss->tt.pool.used != 0 ||
		    kept(&ss->tt.keep) != 0 || ss->by_tag.n != 0 ||
		    ss->tt.by_key.n != 0 || ss->tt.by_merge.n != 0 ||
		    w->party[i].wheel.running != 0)
			return false;
	}
	return true;
}
