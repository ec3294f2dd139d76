/*
 * bench_call - what hf-call's own thinking costs: calls from a trunk to a bot
 * and out again, the engine alone, every fact decoded and every order encoded
 * as between the rooms.  A second load lets each bot die in mid-sentence and
 * an agent take over.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/figure.h"
#include "conf/load/load.h"
#include "logic/call/engine.h"

enum { CALLS = 100000, TOGETHER = 750, STREAMS = 4000 };

static const char yaml[] =
    "site: lyon\ncalls_max: 1000\nrtp:\n  ports: 20000-27999\n"
    "trunks:\n  carrier:\n    peers: [127.0.0.1]\n"
    "bots:\n  cloud-a:\n    to: [\"sip:bot@127.0.0.2\"]\n"
    "queues:\n  sales:\n    wrap_up: 0s\n"
    "agents:\n%s"
    "ladders:\n  front: [ { bot: cloud-a }, { queue: sales } ]\n"
    "numbers:\n  \"+33400000000\": front\n";

static struct {
	struct orders orders;
	struct engine *engine;
	struct conf conf;
	struct hf_time now;
	uint64_t rung; /* the last leg that hf-call rang */
	struct hf_ref opened, asked[2];
	uint64_t messages, bytes;
} b;

static void
put(struct orders *o, enum room to, unsigned worker, const struct msg *m)
{
	static char frame[MSG_FRAME_MAX];
	struct hf_buf f = hf_buf_on(frame, sizeof(frame));

	(void)o;
	(void)to;
	(void)worker;
	if (!msg_encode(&f, m))
		abort();
	b.messages++;
	b.bytes += f.n;
	if (m->type == MSG_RING_LEG)
		b.rung = m->ring_leg.leg;
	if (m->type == MSG_OPEN_STREAM)
		b.opened = m->open_stream.stream;
}

static void
fact(struct msg *m)
{
	static char frame[MSG_FRAME_MAX];
	static struct msg in;
	struct hf_buf f = hf_buf_on(frame, sizeof(frame));
	struct hf_slice s;

	b.now.us += 100;
	if (!msg_encode(&f, m))
		abort();
	s = hf_buf_taken(&f);
	if (!msg_decode(&s, &in))
		abort();
	b.messages++;
	engine_fact(b.engine, &in, b.now, &b.orders);
	while (engine_changed(b.engine) != HF_MAP_NONE)
		continue;
	if (engine_next(b.engine).us <= b.now.us)
		engine_time(b.engine, b.now, &b.orders);
}

static struct media
g711(void)
{
	return (struct media){
		.rtp = { .ip = { 127, 0, 0, 1 }, .family = 4, .port = 4000 },
		.codec = CODEC_PCMA,
		.payload = 8,
		.ptime_ms = 20,
	};
}

static struct msg m;

static void
leg_fact(enum msg_type type, uint64_t leg)
{
	m.type = type;
	memset(&m.leg_answered, 0, sizeof(m.leg_answered));
	m.leg_answered.leg = leg;
	if (type == MSG_LEG_ANSWERED)
		m.leg_answered.media = g711();
	fact(&m);
}

static void
left(uint64_t leg, enum cause why)
{
	m.type = MSG_LEG_LEFT;
	memset(&m.leg_left, 0, sizeof(m.leg_left));
	m.leg_left.leg = leg;
	m.leg_left.cause = why;
	fact(&m);
}

static void
arrives(uint64_t leg)
{
	m.type = MSG_LEG_ARRIVED;
	memset(&m.leg_arrived, 0, sizeof(m.leg_arrived));
	m.leg_arrived.leg = leg;
	m.leg_arrived.agent = CONF_NONE;
	m.leg_arrived.hops = 70;
	strcpy(m.leg_arrived.number, "+33400000000");
	strcpy(m.leg_arrived.from, "+33611111111");
	m.leg_arrived.media = g711();
	fact(&m);
}

static void
spoke(void)
{
	m.type = MSG_STREAM_SPOKE;
	m.stream_spoke.stream = b.opened;
	m.stream_spoke.at = b.now;
	fact(&m);
}

/* One call is set up, and TOGETHER calls later it ends. */
static void
plain_call(uint64_t n)
{
	arrives(n);
	leg_fact(MSG_LEG_TRIED, b.rung);
	leg_fact(MSG_LEG_ANSWERED, b.rung);
	spoke();
	leg_fact(MSG_LEG_CONFIRMED, n);
	if (n > TOGETHER)
		left(n - TOGETHER, CAUSE_DONE);
}

static void
rescued_call(uint64_t n)
{
	arrives(n);
	leg_fact(MSG_LEG_TRIED, b.rung);
	leg_fact(MSG_LEG_ANSWERED, b.rung);
	spoke();
	leg_fact(MSG_LEG_CONFIRMED, n);
	b.now.us += 4000000; /* proven: its breaker stays closed */
	engine_time(b.engine, b.now, &b.orders);
	m.type = MSG_STREAM_SUSPECT;
	m.stream_suspect.stream = b.opened;
	m.stream_suspect.last = b.now;
	fact(&m);
	m.type = MSG_STREAM_REFUSED;
	m.stream_refused.stream = b.opened;
	fact(&m);
	leg_fact(MSG_LEG_TRIED, b.rung);
	leg_fact(MSG_LEG_ANSWERED, b.rung);
	spoke();
	left(n, CAUSE_DONE);
}

static double
cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) * 1e6 +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static void
begin(void)
{
	static struct conf_report report;
	char text[20000], agents[12000];
	struct hf_buf a = hf_buf_on(agents, sizeof(agents) - 1);
	void *memory;
	int n;

	for (int i = 0; i < 100; i++)
		hf_buf_fmt(&a,
		    "  a%d: { queues: [sales], secret_file: /nowhere/a }\n", i);
	agents[a.n] = '\0';
	n = snprintf(text, sizeof(text), yaml, agents);
	if (!conf_load_memory(
		text, (size_t)n, "bench.yaml", NULL, &b.conf, NULL, &report)) {
		conf_report_print(&report, 2);
		exit(1);
	}
	b.now = (struct hf_time){ 1000000 };
	b.orders.put = put;
	memory = calloc(1, engine_size(&b.conf));
	b.engine = engine_init(memory, &b.conf, 1, b.now);
	engine_wall(b.engine, b.now, (struct hf_wall){ 1 });
	m.type = MSG_MEDIA_STARTED;
	memset(&m.media_started, 0, sizeof(m.media_started));
	m.media_started.count = STREAMS;
	fact(&m);
	for (uint16_t i = 0; i < 100; i++) {
		m.type = MSG_AGENT_CAME;
		memset(&m.agent_came, 0, sizeof(m.agent_came));
		m.agent_came.agent = i;
		fact(&m);
	}
}

static bool
run(const char *prefix, void (*one)(uint64_t), const char *goal)
{
	double began;
	uint64_t messages;
	bool well;

	begin();
	messages = b.messages;
	began = cpu_us();
	for (uint64_t n = 1; n <= CALLS; n++)
		one(n);
	well =
	    figure(prefix, "cpu_us_per_call", (cpu_us() - began) / CALLS, goal);
	figure(prefix, "messages_per_call",
	    (double)(b.messages - messages) / CALLS, NULL);
	well &= figure(prefix, "calls_lost",
	    (double)(b.engine->counts.calls != CALLS), "==0");
	return well;
}

int
main(void)
{
	bool well = run("", plain_call, "<=20");

	return run("rescued_", rescued_call, "<=40") && well ? 0 : 1;
}
