/*
 * logic/call/engine - the mind of the house: facts go in, orders come out.
 *
 *      hf-sip, hf-media, hf-rec  --facts-->  engine  --orders--> them
 *                                              '------facts----> hf-store
 *
 * It does no I/O, reads no clock and allocates nothing: the memory is handed
 * in at boot, the time with every fact.  So a year of outages can be played
 * in a second (tests/sim), and the process that runs it (daemon/call) links
 * libc alone.
 *
 * Who owns what: the engine owns calls, queues, agents' states, breakers and
 * the numbers of streams and legs.  hf-sip owns dialogs, hf-media packets.
 */
#ifndef HF_LOGIC_CALL_ENGINE_H
#define HF_LOGIC_CALL_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/time.h"
#include "base/wheel.h"
#include "conf/conf.h"
#include "logic/call/call.h"
#include "logic/guard/breaker.h"
#include "logic/guard/vote.h"
#include "wire/msg.h"

enum { ENGINE_WORKERS_MAX = 8, AGENT_WHY_MAX = 32 };

/* Where orders and facts go.  m is valid during the call only. */
struct orders {
	void (*put)(struct orders *o, enum room to, unsigned worker,
	    const struct msg *m);
	/* May be NULL.  Which call is in hand, by its place; HF_MAP_NONE when
	 * none is any more.  Should we die now, it may be the cause. */
	void (*inside)(struct orders *o, uint32_t place);
};

struct engine;

/* What of a call cannot lie in a slot; same place as its record. */
struct call_mind {
	struct engine *engine;
	struct hf_timer timer;
	struct hf_list waiting; /* in its queue */
	bool dirty, touched;
	bool restored; /* found in its slot */
	bool unsaid;   /* its last orders may have died with us */
};

struct agent {
	struct engine *engine;
	struct hf_timer timer; /* end of wrap_up */
	uint8_t state;         /* enum agent_state */
	bool registered;
	bool wants;              /* available again after the call */
	bool dialled;            /* the call was his own: no wrap_up */
	uint8_t missed;          /* rings in a row not answered */
	uint8_t failed;          /* enum cause: not_ready since his phone did */
	bool anew;               /* it has started again in this call */
	struct hf_ref call;      /* ringing and on_call: his */
	struct hf_time idle;     /* since when; the longest is rung first */
	struct hf_wall since;    /* his present state */
	char why[AGENT_WHY_MAX]; /* he is in it; empty: it says so itself */
	struct hf_time charged;  /* his calls to the world are paid off */
};

struct queue {
	struct hf_list waiting; /* call_mind.waiting, first in line first */
	uint32_t length;
	/* How fast the line moves while there is one, for the estimate. */
	struct hf_time moved; /* it began, or somebody left it for an agent */
	struct hf_span pace;  /* mean between two who did */
	uint32_t paces;       /* measured */
};

struct helper {
	struct engine *engine;
	struct breaker breaker;
	enum breaker_phase told; /* the phase the world knows */
	struct hf_timer timer;   /* breaker or probe, whichever is nearer */
	struct hf_time probe;    /* the next one */
	bool probing;
	bool answers;  /* has ever answered OPTIONS: only then silence counts */
	bool answered; /* the last one */
	char why[96];  /* its present phase */
	uint8_t target; /* being probed */
	uint32_t ticket;
	bool has_ticket;
	uint32_t calls;        /* legs up or being set up */
	uint32_t silences;     /* no 100: so many of its breaker's failures */
	struct hf_time hushed; /* the last of them was counted then */
	struct hf_wall since;  /* its present phase */
	struct hf_span rtt;
};

enum { ENGINE_EARLY_MAX = 64, ENGINE_REFUSED_MAX = 64 };

struct worker {
	bool there;
	uint32_t first, count; /* its streams */
	struct hf_pool streams;
	struct hf_time gone; /* since when it is away; 0: it is not */
};

/* What is no call's and must outlive us all the same, as a plain record for a
 * slot: who wants calls, and what is known of the helpers. */
struct house {
	struct hf_time alive; /* the last sign of life while there were calls */
	struct kept_agent {
		char name[CONF_NAME_MAX];
		uint8_t state; /* enum agent_state */
		bool wants;
		uint8_t missed, failed;
		struct hf_time idle, due; /* end of wrap_up */
		struct hf_wall since;
		char why[AGENT_WHY_MAX];
	} agent[CONF_AGENTS_MAX];
	struct kept_helper {
		char name[CONF_NAME_MAX];
		struct breaker breaker;
		bool answers;
	} helper[CONF_HELPERS_MAX];
};

struct engine {
	const struct conf *conf;
	struct orders *out; /* during a turn */
	struct hf_time now;
	int64_t wall_ahead; /* wall clock minus monotonic */
	uint32_t boot;
	uint32_t next_call, next_leg, next_prompt, next_recording;
	int64_t refused_second; /* the second that these were told in */
	uint32_t refused_told;
	bool draining;
	bool sip_gone;
	struct hf_time sip_back; /* since when it is another process */
	char operator_name[64];  /* who gave the order under way */

	struct hf_wheel wheel;
	struct hf_pool pool;
	struct call *call;
	struct call_mind *mind;
	uint32_t *dirty; /* places, each once */
	uint32_t dirties;
	uint32_t *touched; /* in this turn */
	uint32_t touches;
	bool house_changed;
	struct hf_timer alive; /* runs while there are calls */
	/* Nobody was there in between: a call that did not outlive that ended
	 * when it began, as far as anybody knows. */
	struct hf_time slept_from, slept_until;

	/* Callers who came before hf-media said hello: they hear the ringback
	 * of their own network a moment longer, not a refusal. */
	struct msg_leg_arrived early[ENGINE_EARLY_MAX];
	uint32_t earlies;
	bool media_known; /* some worker has reported */
	struct hf_timer
	    phones; /* runs: who of the agents is there is told yet */

	/* The last refusals: hf-sip may have died before it heard them. */
	struct msg_refuse_leg refused[ENGINE_REFUSED_MAX];
	uint32_t refusals;

	struct hf_map legs; /* leg -> call's place */
	struct worker worker[ENGINE_WORKERS_MAX];
	struct hf_pool_place *stream_place; /* by stream number */
	uint32_t *stream_call; /* stream's number -> call's place */
	uint32_t streams;

	struct agent agent[CONF_AGENTS_MAX];
	struct queue queue[CONF_QUEUES_MAX];
	struct helper helper[CONF_HELPERS_MAX];
	struct vote vote[CONF_HELPERS_MAX];
	uint32_t mailbox[CONF_BOXES_MAX]; /* messages in each */

	struct engine_counts {
		uint64_t calls, rescues, refused_full, stale_facts;
		uint64_t refused_untold; /* not in the journal */
		uint64_t refused_over_limit;
	} counts;

	struct msg m; /* being put together */
};

/* Bytes of memory an engine for this configuration wants, itself included. */
size_t engine_size(const struct conf *c);

/*
 * Builds an engine in memory (zeroed, aligned for anything, engine_size()
 * bytes).  conf stays the caller's and must outlive the engine or the next
 * engine_reconf().  boot counts starts of the house's mind; it dates legs.
 */
struct engine *engine_init(
    void *memory, const struct conf *c, uint32_t boot, struct hf_time now);

/* Calls to the world that are on each agent's account now. */
void engine_outward(const struct engine *e, uint32_t n[CONF_AGENTS_MAX]);

/* A later snapshot; tables keep the size of the first. */
void engine_reconf(struct engine *e, const struct conf *c, struct hf_time now,
    struct orders *out);

/* Sets what people's clocks show at now. */
void engine_wall(struct engine *e, struct hf_time now, struct hf_wall wall);

/* After a restart, before the first fact: a call as found in its slot.  False
 * when it cannot be (another configuration, a place twice). */
bool engine_restore(struct engine *e, const struct call *c) HF_CHECK;

/* One fact.  A fact about what is no longer there is counted and ignored. */
void engine_fact(struct engine *e, const struct msg *m, struct hf_time now,
    struct orders *out);

/* We died of that call twice: it is over, and its record says so.  Its legs end
 * when hf-sip names them. */
void engine_condemned(struct engine *e, const struct call *c,
    struct hf_time now, struct orders *out);

/* hf-rec is there (again): it hears of the messages that are being left. */
void engine_rec_met(struct engine *e, struct hf_time now, struct orders *out);

/* This hf-media is away; MEDIA_STARTED says when it is back. */
void engine_media_gone(struct engine *e, unsigned worker, struct hf_time now);

/* hf-sip is away; SIP_STARTED says when it is back. */
void engine_sip_gone(struct engine *e);

/* What time brings; call it when engine_next() has come. */
void engine_time(struct engine *e, struct hf_time now, struct orders *out);
struct hf_time engine_next(const struct engine *e);

/* ---- an operator's acts; false: *error says why, for him to read --------- */

/* Who gives the next orders, for the journal. */
void engine_operator(struct engine *e, const char *who);
bool engine_agent_set(struct engine *e, uint16_t agent, enum agent_state s,
    const char *why, struct hf_time now, struct orders *out,
    const char **error);
bool engine_helper_force(struct engine *e, uint16_t helper,
    enum breaker_force f, struct hf_time now, struct orders *out,
    const char **error);
bool engine_call_drop(struct engine *e, struct hf_ref call, struct hf_time now,
    struct orders *out, const char **error);
void engine_drain(struct engine *e, bool on);
/* Ends up to so many calls, cause drain; goodbye to all their parties. */
void engine_let_go(
    struct engine *e, uint32_t calls, struct hf_time now, struct orders *out);
bool engine_draining(const struct engine *e);

/* ---- for readers: daemon/call's answers, tests -------------------------- */

uint32_t engine_calls(const struct engine *e);
/* The call at this place, or NULL when it is free. */
const struct call *engine_call(const struct engine *e, uint32_t place);
const char *engine_ladder_name(const struct engine *e, const struct call *c);
/* Of the record and its rungs: "cloud-a", "sales", "+33..." */
const char *engine_helper_name(
    const struct engine *e, const struct call *c, const struct leg *l);
/* The next call in line of a queue behind this place (HF_MAP_NONE: first). */
uint32_t engine_waiting(const struct engine *e, uint16_t queue, uint32_t after);
/* May the rung be tried by a new call now?  *why is CAUSE_NONE or the reason.
 */
bool engine_rung_usable(
    const struct engine *e, const struct conf_rung *r, enum cause *why);
/* His state as the world sees it: without a phone he is offline, also while it
 * is waited for and he will be again what he was. */
enum agent_state engine_agent_state(const struct engine *e, uint16_t agent);
/* Why he is in it, as in the journal: "did not answer"; may be empty. */
const char *engine_agent_why(const struct engine *e, uint16_t agent);
/* Is somebody there for this queue? */
bool engine_staffed(const struct engine *e, uint16_t queue);

/* Records that changed since the last time, to be committed to their slots:
 * the place, or HF_MAP_NONE when there are no more.  A record with ref.gen 0
 * is gone. */
uint32_t engine_changed(struct engine *e);

/* Has anything of the house's record changed since the last time?  Then *h is
 * filled. */
bool engine_house_changed(struct engine *e, struct house *h);
/* After engine_init() and before the calls. */
void engine_house_restore(struct engine *e, const struct house *h);

/* Everything that must hold, checked call by call and table by table; dies
 * where it does not.  Costs as much as there are calls: for tests. */
void engine_check(const struct engine *e);

#endif
