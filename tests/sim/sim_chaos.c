/*
 * sim_chaos [SEEDS [FIRST]]: for each seed a house in which everybody does
 * anything at any time; every second seed hf-call also hears facts that cannot
 * be true.  What must hold: no call is lost from the tables, each has one
 * record at its end, no leg, stream or agent stays behind, tables are bounded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sim/sim.h"

enum {
	SEEDS = 10000,
	SEEDS_SLOW = 100, /* under valgrind */
	ACTS = 60,
	PAUSE_MAX_MS = 400,
	AFTERWARDS_MS = 120000,
	TICK_US = 20000,
	STRANGE_ONE_IN = 3,
};

static const char house[] =
    "story chaos\n"
    "set calls_max 24\n"
    "set queues.sales.ring 1s\n"
    "set queues.sales.max_wait 3s\n"
    "set queues.sales.announce 1s\n"
    "set queues.sales.wrap_up 1s\n"
    "set queues.sales.max_length 5\n"
    "set guard.setup_max 1s\n"
    "set guard.never 500ms\n"
    "set guard.rest_min 500ms\n"
    "set guard.ramp_step 300ms\n"
    "set guard.probe_every 500ms\n"
    "set guard.probe_timeout 300ms\n"
    "set guard.patience_prompt 500ms\n"
    "set guard.patience_lost 1s\n"
    "set guard.vote_min 2\n"
    "set guard.uplink_calls 2\n"
    "bot a\nbot b\nbot c in the house\ncentre d\nneighbour e\n"
    "agent f at lyon ready\nagent g at lyon ready\nagent h at lyon\n"
    "ladder bot a bot b queue sales bot c voicemail front\n"
    "ladder of +331 is bot b bot a centre d queue sales number +33699\n"
    "ladder of +332 is queue sales neighbour e voicemail front\n"
    "set voicemail.front.max 2s\n";

/* W: anybody, C: a caller, H: a helper, A: an agent. */
static const char *const acts[] = {
	"C calls +33400000000",
	"C calls +33400000000",
	"C calls +331",
	"C calls +331",
	"C calls +332",
	"C calls +33499",
	"A calls g",
	"A calls f",
	"A calls +33611",
	"A calls +49",
	"A calls voicemail",
	"A calls not_ready",
	"A calls available",
	"A calls wrap_up_end",
	"C hangs up",
	"C hangs up",
	"W hangs up",
	"W hangs up with 503",
	"H hangs up saying agent",
	"H refers to +33677",
	"H refers to f",
	"A refers to g",
	"W refers to 999",
	"A answers",
	"A answers",
	"A answers",
	"A declines",
	"A registers",
	"A unregisters",
	"W holds",
	"W resumes",
	"W resumes",
	"W reoffers",
	"C presses 1",
	"A presses 7",
	"W presses #",
	"W informs a/b c",
	"kill W silently",
	"kill W closed",
	"kill W media",
	"revive W",
	"revive H",
	"revive H",
	"W goes mute",
	"H loops",
	"H sends garbage",
	"W talks",
	"H suppresses silence",
	"cut W for 300ms",
	"cut uplink for 300ms",
	"cut uplink for 2s",
	"H will refuse 500",
	"H will never try",
	"H will try only",
	"H will ring only",
	"H will talk early",
	"H will send no media",
	"H will hang up after 300ms",
	"H will answer after 700ms",
	"H will behave",
	"H will behave",
	"A will answer after 200ms",
	"operator helper a open",
	"operator helper a auto",
	"operator helper b close",
	"operator agent f not_ready",
	"operator agent f available",
	"restart hf-call",
	"restart hf-media",
	"restart hf-sip",
};

static struct story said, one;
static uint64_t dice;

static uint32_t
below(uint32_t n)
{
	dice = dice * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(dice >> 33) % n;
}

static const char *
name_for(char kind)
{
	static const char *const caller[] = { "p", "q", "r", "s", "t", "u", "v",
		"w" };
	static const char *const helper[] = { "a", "b", "c", "d", "e",
		"world" };
	static const char *const agent[] = { "f", "g", "h" };

	switch (kind) {
	case 'C':
		return caller[below(HF_LEN(caller))];
	case 'H':
		return helper[below(HF_LEN(helper))];
	case 'A':
		return agent[below(HF_LEN(agent))];
	default:
		return name_for("CHA"[below(3)]);
	}
}

static void
do_something(struct sim *s)
{
	const char *from = acts[below(HF_LEN(acts))];
	char text[120] = "story x\n";
	size_t n = strlen(text);

	for (; *from != '\0'; from++) {
		if (strchr("CHAW", *from) != NULL)
			n += (size_t)sprintf(text + n, "%s", name_for(*from));
		else if (*from == '#')
			n += (size_t)sprintf(text + n, "\"#\"");
		else
			text[n++] = *from;
	}
	text[n] = '\0';
	if (!story_parse(&one, text, n))
		hf_never(text);
	(void)sim_act(s, &one.act[1]);
}

/* ---- facts that cannot be true ------------------------------------------- */

static uint64_t
some_leg(struct sim *s)
{
	const struct call *c = engine_call(s->engine, below(24));

	if (c == NULL || below(8) == 0)
		return ((uint64_t)below(2) << 63) | below(40);
	return below(2) ? c->caller.id : c->helper[below(2)].id;
}

static struct hf_ref
some_stream(struct sim *s)
{
	const struct call *c = engine_call(s->engine, below(24));

	if (c == NULL || below(8) == 0)
		return (struct hf_ref){ below(600), below(5) };
	return below(2) ? c->caller.stream : c->helper[below(2)].stream;
}

static void
strange_fact(struct sim *s)
{
	static const enum msg_type of_legs[] = { MSG_LEG_TRIED, MSG_LEG_RANG,
		MSG_LEG_ANSWERED, MSG_LEG_CONFIRMED, MSG_LEG_REFUSED,
		MSG_LEG_LEFT, MSG_LEG_REOFFERED, MSG_LEG_REFERRED,
		MSG_LEG_INFO };
	static const enum msg_type of_streams[] = { MSG_STREAM_SPOKE,
		MSG_STREAM_SUSPECT, MSG_STREAM_VOICED, MSG_STREAM_WELL,
		MSG_STREAM_REFUSED, MSG_STREAM_MUTE, MSG_STREAM_SPEAKS,
		MSG_STREAM_LOOPED, MSG_STREAM_GARBLED, MSG_STREAM_SUPPRESSED,
		MSG_STREAM_ONE_WAY, MSG_STREAM_DTMF, MSG_STREAM_CLOSED,
		MSG_PROMPT_ENDED, MSG_RECORDING_ENDED };
	static struct msg m;

	memset(&m, 0, sizeof(m));
	switch (below(5)) {
	case 4:
		m.type = MSG_LEG_ARRIVED;
		m.leg_arrived.leg = some_leg(s);
		m.leg_arrived.trunk = (uint16_t)(below(2) ? 0 : below(70));
		m.leg_arrived.agent =
		    (uint16_t)(below(2) ? CONF_NONE : below(600));
		strcpy(m.leg_arrived.number, below(2) ? "+331" : "f");
		strcpy(m.leg_arrived.path,
		    below(2) ? "lyon/1 e/0" : "lyon/0 e/1 lyon/99");
		m.leg_arrived.media.codec = (enum codec)below(3);
		break;
	case 0:
		m.type = of_legs[below(HF_LEN(of_legs))];
		m.leg_left.leg = some_leg(s);
		if (m.type == MSG_LEG_LEFT || m.type == MSG_LEG_REFUSED)
			m.leg_left.cause = (enum cause)below(CAUSE_NR);
		if (m.type == MSG_LEG_ANSWERED)
			m.leg_answered.media.codec = (enum codec)below(3);
		if (m.type == MSG_LEG_RANG)
			m.leg_rang.media.codec = (enum codec)below(3);
		if (m.type == MSG_LEG_CONFIRMED)
			m.leg_confirmed.media.codec = (enum codec)below(3);
		if (m.type == MSG_LEG_REOFFERED) {
			m.leg_reoffered.media.codec = (enum codec)below(3);
			m.leg_reoffered.media.direction =
			    (enum direction)below(DIRECTION_NR);
		}
		break;
	case 1:
	case 2:
		m.type = of_streams[below(HF_LEN(of_streams))];
		m.stream_spoke.stream = some_stream(s);
		if (m.type == MSG_STREAM_SUSPECT)
			m.stream_suspect.last.us = s->now - below(2000000);
		if (m.type == MSG_STREAM_MUTE)
			m.stream_mute.lost = below(2) != 0;
		if (m.type == MSG_PROMPT_ENDED)
			m.prompt_ended.id = below(100);
		if (m.type == MSG_STREAM_DTMF)
			m.stream_dtmf.digit = (uint8_t) "17#"[below(3)];
		break;
	case 3:
		m.type = below(2) ? MSG_MESSAGE_LOST : MSG_MESSAGE_LOADED;
		if (below(2)) {
			m.type = MSG_HELPER_PROBED;
			m.helper_probed.helper = (uint16_t)below(70);
			m.helper_probed.ok = below(2) != 0;
		} else {
			m.message_loaded.message = below(20);
		}
		break;
	}
	sim_fact(s, &m);
}

/* ---- one seed ------------------------------------------------------------ */

static bool
all_gone(struct sim *s, void *arg)
{
	const bool *strange = arg;

	return engine_calls(s->engine) == 0 &&
	       (*strange || !sim_anything_open(s));
}

static bool
agents_rest(const struct sim *s)
{
	for (unsigned i = 0; i < s->conf.agents; i++) {
		if (s->engine->agent[i].state == AGENT_STATE_RINGING ||
		    s->engine->agent[i].state == AGENT_STATE_ON_CALL)
			return false;
	}
	return true;
}

static const char *
play(struct sim *s, bool strange)
{
	for (unsigned i = 0; i < said.acts; i++)
		(void)sim_house(s, &said.act[i]);
	s->tick_us = TICK_US;
	if (!sim_start(s))
		return "the house does not stand";
	for (int i = 0; i < ACTS; i++) {
		do_something(s);
		if (strange && below(STRANGE_ONE_IN) == 0)
			strange_fact(s);
		sim_run(s, s->now + below(PAUSE_MAX_MS) * 1000, NULL, NULL);
		engine_check(s->engine);
	}
	for (unsigned i = 0; i < s->actors; i++) {
		struct sim_actor *a = &s->actor[i];

		while (a->role != SIM_HELPER && sim_leg_current(s, a) != NULL)
			sim_hangs_up(s, a, CAUSE_DONE, 0, "");
	}
	/* In a house that hears what is not true a caller may have left
	 * unheard: then others end the call, in time. */
	if (!sim_run(s, s->now + AFTERWARDS_MS * 1000LL, all_gone, &strange) &&
	    !strange)
		return "something is left";
	engine_check(s->engine);
	if (!strange && s->came != s->ended)
		return "a call without its record, or with two";
	if (s->came - s->ended != engine_calls(s->engine))
		return "records and calls differ";
	if (!strange && !agents_rest(s))
		return "an agent is stuck";
	return NULL;
}

int
main(int argc, char **argv)
{
	unsigned seeds = argc > 1                ? (unsigned)atoi(argv[1])
			 : getenv("HF_VALGRIND") ? SEEDS_SLOW
						 : SEEDS;
	unsigned first = argc > 2 ? (unsigned)atoi(argv[2]) : 1;
	uint64_t calls = 0, rescues = 0, moments = 0;
	clock_t began = clock();

	if (!story_parse(&said, house, strlen(house))) {
		fprintf(stderr, "%s\n", said.error);
		return 1;
	}
	for (unsigned seed = first; seed < first + seeds; seed++) {
		struct sim *s = sim_new();
		const char *wrong;

		dice = seed * 7919u + 1;
		wrong = play(s, seed % 2 == 0);
		calls += s->came;
		rescues += s->engine->counts.rescues;
		moments += s->moments;
		if (wrong != NULL) {
			sim_show(s);
			fprintf(stderr, "not ok: seed %u: %s\n", seed, wrong);
			return 1;
		}
		sim_free(s);
	}
	printf("%u seeds, %llu calls, %llu rescues, %llu facts and deadlines, "
	       "%.1f s\n",
	    seeds, (unsigned long long)calls, (unsigned long long)rescues,
	    (unsigned long long)moments,
	    (double)(clock() - began) / CLOCKS_PER_SEC);
	return 0;
}
