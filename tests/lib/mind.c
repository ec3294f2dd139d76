/* tests/lib/mind - see mind.h */

#include <stdlib.h>

#include "tests/lib/mind.h"

enum { CALLS_KEPT = 4, STREAMS = 100, CALLS = 20 };

struct conf conf;
struct engine *e;
struct hf_time now;

static void (*look)(const struct msg *m);
static struct orders out;
static struct house house; /* as it is in its slot */

static void
put(struct orders *o, enum room to, unsigned worker, const struct msg *m)
{
	look(m);
}

void
mind_house(uint16_t rungs)
{
	conf = (struct conf){ .calls_max = CALLS };
	conf.rtp.port_first = 20000;
	conf.rtp.port_last = 20000 + 2 * STREAMS - 1;
	conf.ladders = conf.numbers = conf.trunks = 1;
	conf.trunk[0].used = true;
	conf.ladder[0] = (struct conf_ladder){ .used = true, .rungs = rungs };
	conf.number[0] = (struct conf_number){ .number = "100", .used = true };
}

void
mind_queue(void)
{
	conf.queues = conf.agents = 1;
	conf.ladder[0].rung[0].kind = CONF_RUNG_QUEUE;
	conf.queue[0] = (struct conf_queue){ .used = true,
		.max_wait = hf_ms(3600000),
		.ring = hf_ms(20000),
		.announce = hf_ms(30000) };
	conf.agent[0] = (struct conf_agent){ .used = true,
		.name = "anna",
		.queues = 1,
		.ready_at_login = true };
	conf.guard.never = hf_ms(36000000);
	conf.guard.hung_up_at_once = hf_ms(3000);
}

void
mind_bots(uint16_t bots)
{
	struct conf_guard *g;

	mind_house(bots);
	conf.helpers = bots;
	for (uint16_t i = 0; i < bots; i++) {
		conf.ladder[0].rung[i].kind = CONF_RUNG_BOT;
		conf.ladder[0].rung[i].row = i;
		conf.helper[i].used = true;
		conf.helper[i].kind = CONF_BOT;
		conf.helper[i].targets = 1;
		g = &conf.helper[i].guard;
		g->setup_max = hf_ms(8000);
		g->never = hf_ms(36000000);
		g->probe_every = hf_ms(36000000);
		g->probe_timeout = hf_ms(1000);
		g->breaker_trip = 3;
		g->breaker_heal = 1;
		g->rest_min = g->rest_max = hf_ms(1000);
		g->ramp_step = hf_ms(1000);
		for (unsigned k = 0; k < HF_LEN(g->ramp); k++)
			g->ramp[k] = 100;
	}
}

void
mind_wakes(void (*order)(const struct msg *m),
    void (*inside)(struct orders *o, uint32_t place))
{
	look = order;
	out = (struct orders){ .put = put, .inside = inside };
	free(e);
	e = calloc(1, engine_size(&conf));
	assert_non_null(e);
	now.us = SECOND;
	e = engine_init(e, &conf, 1, now);
}

void
tell(const struct msg *m)
{
	engine_fact(e, m, now, &out);
	(void)engine_house_changed(e, &house);
}

void
passes_ms(int64_t ms)
{
	now.us += ms * 1000;
	engine_time(e, now, &out);
	(void)engine_house_changed(e, &house);
}

void
passes(int64_t seconds)
{
	passes_ms(seconds * 1000);
}

void
media_comes(void)
{
	struct msg m = { .type = MSG_MEDIA_STARTED };

	m.media_started.count = STREAMS;
	tell(&m);
}

void
anna_comes(void)
{
	const struct msg m = { .type = MSG_AGENT_CAME };

	tell(&m);
}

void
annas_phone(bool starts)
{
	struct msg m = { .type = MSG_AGENT_CAME };

	m.agent_came.anew = starts;
	tell(&m);
}

void
sip_dies(void)
{
	struct msg m = { .type = MSG_SIP_STARTED };

	m.sip_started.fresh = true;
	tell(&m);
}

void
caller_comes(uint64_t leg)
{
	struct msg m = { .type = MSG_LEG_ARRIVED };

	m.leg_arrived.leg = leg;
	m.leg_arrived.agent = CONF_NONE;
	m.leg_arrived.hops = 70;
	strcpy(m.leg_arrived.number, "100");
	m.leg_arrived.media.codec = CODEC_PCMU;
	tell(&m);
}

void
leg_answers(uint64_t leg)
{
	struct msg m = { .type = MSG_LEG_ANSWERED };

	m.leg_answered.leg = leg;
	m.leg_answered.media.codec = CODEC_PCMU;
	tell(&m);
}

void
leg_leaves(uint64_t leg)
{
	struct msg m = { .type = MSG_LEG_LEFT };

	m.leg_left.leg = leg;
	m.leg_left.cause = CAUSE_DONE;
	tell(&m);
}

void
house_closes(void)
{
	engine_drain(e, true);
	engine_let_go(e, UINT32_MAX, now, &out);
}

static void
sleeps(int64_t seconds, uint32_t most)
{
	struct hf_time woke = hf_time_after(now, hf_ms(seconds * 1000));
	static struct call kept[CALLS_KEPT];
	uint32_t n = 0;

	assert_true(most <= CALLS_KEPT);
	for (uint32_t i = 0; i < most; i++)
		if (engine_call(e, i) != NULL)
			kept[n++] = *engine_call(e, i);
	mind_wakes(look, out.inside);
	now = woke;
	engine_wall(e, now, (struct hf_wall){ now.us });
	engine_time(e, now, &out);
	engine_house_restore(e, &house);
	for (uint32_t i = 0; i < n; i++)
		assert_true(engine_restore(e, &kept[i]));
}

void
mind_sleeps(int64_t seconds)
{
	sleeps(seconds, 1);
}

void
mind_sleeps_with_all(uint32_t calls)
{
	sleeps(0, calls);
}

void
mind_dies_of(const struct call *c)
{
	mind_wakes(look, out.inside);
	engine_wall(e, now, (struct hf_wall){ now.us });
	engine_time(e, now, &out);
	engine_condemned(e, c, now, &out);
}
