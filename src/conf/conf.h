/*
 * conf - the configuration as every process sees it: one plain value, checked
 * once by the keeper (conf/load), shipped as a sealed memfd, never parsed
 * again.  No pointers, so the snapshot is the struct.  conf/keys.c describes
 * every field (name, type, unit, range, default, help); the manual page
 * holdfast.conf(5) comes from that table.
 *
 * Index types: "helper", "agent", ... in messages are places in these arrays.
 * They keep their meaning until the next snapshot; a name keeps its place
 * across reloads as long as it is configured (conf/load sees to it), so calls
 * that are up are not confused by a reload.
 */
#ifndef HF_CONF_CONF_H
#define HF_CONF_CONF_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/time.h"

#define CONF_MAGIC   0x48464346u /* "HFCF" */
#define CONF_VERSION 1
#define CONF_NONE    UINT16_MAX /* no such row */

enum {
	CONF_NAME_MAX = 32,
	CONF_NUMBER_MAX = 64,
	CONF_URI_MAX = 128,
	CONF_PATH_MAX = 128,
	CONF_LISTENS_MAX = 8,
	CONF_TARGETS_MAX = 4,
	CONF_DNS_MAX = 4,
	CONF_MD5_AGENTS_MAX = 16,
	CONF_TRUNKS_MAX = 16,
	CONF_PEERS_MAX = 16,
	CONF_HELPERS_MAX = 64,
	CONF_QUEUES_MAX = 64,
	CONF_AGENTS_MAX = 512,
	CONF_AGENT_QUEUES_MAX = 8,
	CONF_BOXES_MAX = 64,
	CONF_MESSAGES_MAX = 4096, /* of one box */
	CONF_LADDERS_MAX = 64,
	CONF_RUNGS_MAX = 8,
	CONF_NUMBERS_MAX = 512,
	CONF_ALLOW_MAX = 32,
	CONF_SOS_MAX = 16, /* emergency numbers */
	CONF_SOS_CALLS_MAX = 16,
};

/* CONF_TLS may stand in a target; a listening address is UDP or TCP. */
enum conf_transport { CONF_UDP, CONF_TCP, CONF_TLS };

struct conf_listen {
	struct hf_addr addr;
	uint8_t transport; /* enum conf_transport */
	uint8_t pad[3];
};

/* "sip:bot@192.0.2.9:5060;transport=tcp": the text as written, and where it
 * leads.  addr.family is 0 when the host is a name; addr.port is set anyway. */
struct conf_target {
	char uri[CONF_URI_MAX];
	char user[CONF_NUMBER_MAX];
	char host[CONF_NUMBER_MAX];
	struct hf_addr addr;
	uint8_t transport;
	uint8_t pad[3];
};

struct conf_sip {
	uint16_t listens;
	struct conf_listen listen[CONF_LISTENS_MAX];
	struct hf_addr advertise; /* family 0: the address of the socket */
	uint16_t locals;          /* 0: the private ones */
	struct hf_net local[CONF_PEERS_MAX]; /* are not told advertise */
	struct hf_span t1, t2, t4;           /* RFC 3261 17.1.1.1 */
	struct hf_span next_target;
	struct hf_span retry_after; /* 0: not said */
	uint32_t dialogs;           /* size of the dialog table */
	uint32_t transactions;
	uint32_t tcp_connections;
	struct hf_span tcp_idle;
	uint32_t tcp_per_address;
	struct hf_span tcp_partial; /* a message that has begun is whole */
	uint32_t calls_per_s;       /* new ones, of all trunks and agents */
	uint32_t address_per_s, address_burst; /* of one that is no trunk's */
	uint32_t user_per_s, user_burst;
	struct hf_span nonce_life;
	uint32_t guesses; /* wrong passwords, then one each pause */
	struct hf_span guess_pause;
	struct hf_span expires_min, expires_max; /* registrations */
	uint32_t trace_bytes; /* ring of recent messages for hfctl trace */
	char user_agent[CONF_NAME_MAX];
	uint16_t dns_count; /* 0: the system's */
	struct hf_addr dns[CONF_DNS_MAX];
	/* Beginnings of the User-Agent of phones that are asked for MD5 alone.
	 */
	uint16_t md5_agents;
	char md5_agent[CONF_MD5_AGENTS_MAX][CONF_NAME_MAX];
};

struct conf_rtp {
	struct hf_addr address;         /* bind to this; family 0: any */
	struct hf_addr advertise;       /* in SDP; family 0: sip.advertise */
	uint16_t port_first, port_last; /* two ports a stream: RTP, RTCP */
	uint16_t workers;               /* 0: one per core */
	uint16_t
	    latch_packets; /* symmetric RTP: learn within so many, then lock */
	struct hf_span dtmf_gap;
};

/* How a helper's failing is noticed: DESIGN "How a helper fails".  Global
 * defaults under "guard:", each may be overridden in a helper's row. */
struct conf_guard {
	struct hf_span suspect; /* silence beyond the interval: comfort noise */
	struct hf_span voice;   /* beyond the interval: the bridging prompt */
	struct hf_span lost;    /* one call alone */
	struct hf_span vote_after;
	uint32_t vote_share;  /* percent of the helper's live calls */
	uint32_t vote_min;    /* and at least so many */
	struct hf_span hush;  /* a stranger's silence that began in a pause */
	struct hf_span never; /* answered, but RTP never came */
	struct hf_span fresh; /* joined and says nothing: comfort noise */
	struct hf_span grace_max; /* on a rough path: waited for at most */
	struct hf_span sign_max;  /* who leaves silence out: no RTCP so long */
	uint32_t deaf_reports;    /* in a row that show nothing received */
	struct hf_span patience_prompt; /* mute when it is its turn */
	struct hf_span patience_lost;
	struct hf_span loop;            /* the same stretch again: length */
	uint32_t loop_times;            /* so often: a loop */
	struct hf_span garbage;         /* clipped or constant so long */
	struct hf_span word;            /* so much of a voice is one */
	struct hf_span pause;           /* after it: the turn is over */
	struct hf_span bye_wait;        /* port closed, and no BYE */
	struct hf_span hung_up_at_once; /* a BYE this early is a failure */
	struct hf_span hedge_after;     /* no 100: ring the next bot as well */
	struct hf_span setup_max;       /* no answer */
	uint32_t uplink_helpers; /* so many remote helpers silent together */
	uint32_t uplink_calls;   /* with so many live calls each */
	struct hf_span uplink_within;
	struct hf_span uplink_after; /* then calls go to local rungs */
	struct hf_span probe_every;  /* OPTIONS to each helper */
	struct hf_span probe_timeout;
	uint32_t breaker_trip, breaker_heal;
	struct hf_span rest_min, rest_max;
	uint32_t ramp[4];         /* percent of new calls, last is 100 */
	struct hf_span ramp_step; /* stay on each so long */
};

enum conf_helper_kind { CONF_BOT, CONF_CENTRE, CONF_SITE };

struct conf_helper {
	char name[CONF_NAME_MAX];
	uint8_t kind;   /* enum conf_helper_kind */
	uint8_t used;   /* a row may be empty: places are kept across reloads */
	uint8_t remote; /* behind our uplink; false for one in the house */
	uint8_t trusted; /* with the number of a caller who withholds it */
	uint8_t targets;
	struct conf_target to[CONF_TARGETS_MAX]; /* tried in order */
	char provider[CONF_NAME_MAX], region[CONF_NAME_MAX];
	struct conf_guard guard;
};

/* Whether a party may send from elsewhere than its SDP says. */
enum conf_symmetric {
	CONF_SYMMETRIC_AUTO,
	CONF_SYMMETRIC_YES,
	CONF_SYMMETRIC_NO,
};

struct conf_trunk {
	char name[CONF_NAME_MAX];
	uint8_t used;
	uint8_t answer_when_ready; /* 200 OK only with a proven helper */
	uint8_t symmetric;         /* enum conf_symmetric */
	uint8_t trusted; /* with the number of a caller who withholds it */
	uint16_t peers;
	struct conf_target to; /* for calls out; targets 0 when uri is empty */
	struct hf_net peer[CONF_PEERS_MAX];
	uint32_t calls_per_s; /* from it; 0: what the house takes */
	uint32_t pad;
	struct hf_span ready_max;    /* answer_when_ready: then answer anyway */
	struct hf_span probe_every;  /* OPTIONS to it; 0: never */
	char user[CONF_NUMBER_MAX];  /* answers its challenges; empty: none */
	char realm[CONF_NUMBER_MAX]; /* of this realm alone; empty: of each */
};

enum conf_strategy { CONF_LONGEST_IDLE };

struct conf_queue {
	char name[CONF_NAME_MAX];
	uint8_t used;
	uint8_t strategy;
	uint8_t estimate; /* of the wait is said as well */
	uint8_t pad[1];
	struct hf_span max_wait;
	struct hf_span ring;     /* an agent's phone rings so long */
	struct hf_span announce; /* position, every so often; 0 never */
	struct hf_span wrap_up;
	uint32_t max_length;
	char music[CONF_PATH_MAX]; /* empty: prompts.music */
};

struct conf_agent {
	char name[CONF_NAME_MAX];
	uint8_t used;
	uint8_t queues;
	uint8_t ready_at_login; /* registered means available */
	uint8_t symmetric;      /* enum conf_symmetric */
	uint16_t queue[CONF_AGENT_QUEUES_MAX];
	char extension[CONF_NAME_MAX]; /* dialled by other agents; default name
					*/
	char realm[CONF_NUMBER_MAX];
	char number[CONF_NUMBER_MAX]; /* shown; "": outbound.number */
};

struct conf_box {
	char name[CONF_NAME_MAX];
	uint8_t used;
	uint8_t pad[7];
	struct hf_span max; /* one message */
	uint32_t messages;  /* most kept in the box */
	char greeting[CONF_PATH_MAX];
	uint16_t agents;
	uint16_t agent[CONF_AGENT_QUEUES_MAX]; /* who may listen */
};

enum conf_rung_kind {
	CONF_RUNG_BOT,
	CONF_RUNG_CENTRE,
	CONF_RUNG_QUEUE,
	CONF_RUNG_SITE,
	CONF_RUNG_NUMBER,
	CONF_RUNG_VOICEMAIL,
};
enum { CONF_RUNG_KINDS = CONF_RUNG_VOICEMAIL + 1 };

struct conf_rung {
	uint8_t kind; /* enum conf_rung_kind */
	uint8_t pad;
	uint16_t row; /* helper, queue or box; CONF_NONE for a number */
	char number[CONF_NUMBER_MAX];
};

struct conf_ladder {
	char name[CONF_NAME_MAX];
	uint8_t used;
	uint8_t pad;
	uint16_t rungs;
	struct conf_rung rung[CONF_RUNGS_MAX];
};

struct conf_number {
	char number[CONF_NUMBER_MAX];
	uint16_t ladder;
	uint8_t used;
	uint8_t pad[5];
};

struct conf_outbound {
	uint16_t allows, vias;
	uint16_t via[CONF_TRUNKS_MAX];
	char allow[CONF_ALLOW_MAX][CONF_NUMBER_MAX]; /* "+33*": prefix */
	char number[CONF_NUMBER_MAX]; /* shown; "": the agent's extension */
	uint32_t at_once, per_hour;   /* on one agent's account */
};

/* Calls that hf-sip routes by itself, whatever else has died. */
struct conf_emergency {
	uint16_t numbers, vias, trunks;
	uint16_t calls;         /* at once: streams that nobody else gets */
	struct hf_span no_ring; /* then the next trunk */
	uint8_t strangers;      /* from whoever asks */
	uint8_t pad[3];
	uint16_t via[CONF_TRUNKS_MAX];   /* tried in order */
	uint16_t trunk[CONF_TRUNKS_MAX]; /* whose callers may dial them */
	char number[CONF_SOS_MAX][CONF_NUMBER_MAX];
	char sos[CONF_NUMBER_MAX]; /* what urn:service:sos stands for */
};

/* What an agent dials on the phone to change his state. */
struct conf_codes {
	char available[CONF_NAME_MAX];
	char not_ready[CONF_NAME_MAX];
	char wrap_up_end[CONF_NAME_MAX];
	char voicemail[CONF_NAME_MAX];
};

/* Files, 8 kHz or 16 kHz mono wav; turned into G.711 at start. */
struct conf_prompts {
	char dir[CONF_PATH_MAX];        /* recorded numbers and words */
	char one_moment[CONF_PATH_MAX]; /* the bridging prompt */
	char still_there[CONF_PATH_MAX];
	char you_are_number[CONF_PATH_MAX];
	char in_line[CONF_PATH_MAX];
	char wait_is[CONF_PATH_MAX], less_than[CONF_PATH_MAX];
	char minutes[CONF_PATH_MAX];
	char voicemail_intro[CONF_PATH_MAX];
	char no_messages[CONF_PATH_MAX];
	char goodbye[CONF_PATH_MAX];
	char all_busy[CONF_PATH_MAX];
	char music[CONF_PATH_MAX];
};

struct conf_store {
	char dir[CONF_PATH_MAX];   /* journal.db */
	char spool[CONF_PATH_MAX]; /* hf-rec: voicemail */
	struct hf_span commit_every;
	uint32_t keep_days;
};

struct conf_keeper {
	char run_dir[CONF_PATH_MAX]; /* control socket, slots; tmpfs */
	char user[CONF_NAME_MAX];    /* children run as */
	uint32_t restarts_per_s, restarts_burst;
	struct hf_span drain_max;
	bool rails;                 /* rooms give up what they do not need */
	struct hf_span orphans_max; /* rooms live on without a keeper */
};

struct conf_calls {
	struct hf_span
	    silent_max;         /* then it is asked whether it lives; 0 never */
	struct hf_span longest; /* from the answer; 0: no end */
	struct hf_span ring;    /* numbers outside, and colleagues */
	struct hf_span goodbye; /* the longest */
	struct hf_span phones;  /* to come back to an hf-sip that died */
};

struct conf {
	uint32_t magic, version, size, generation;
	char site[CONF_NAME_MAX];
	uint32_t calls_max;
	uint32_t pad;
	struct conf_calls calls;
	struct conf_sip sip;
	struct conf_rtp rtp;
	struct conf_guard guard;
	struct conf_keeper keeper;
	struct conf_store store;
	struct conf_prompts prompts;
	struct conf_codes codes;
	struct conf_outbound outbound;
	struct conf_emergency emergency;
	uint16_t trunks, helpers, queues, agents, boxes, ladders, numbers, pad2;
	/* Counts are one past the highest used row. */
	struct conf_trunk trunk[CONF_TRUNKS_MAX];
	struct conf_helper helper[CONF_HELPERS_MAX];
	struct conf_queue queue[CONF_QUEUES_MAX];
	struct conf_agent agent[CONF_AGENTS_MAX];
	struct conf_box box[CONF_BOXES_MAX];
	struct conf_ladder ladder[CONF_LADDERS_MAX];
	struct conf_number number[CONF_NUMBERS_MAX];
};

/* Shipped to hf-sip alone, in a memfd of its own; never logged. */
struct conf_secrets {
	uint32_t magic, version, size, generation;
	char agent[CONF_AGENTS_MAX]
		  [CONF_NUMBER_MAX]; /* by place in conf.agent */
	char trunk[CONF_TRUNKS_MAX][CONF_NUMBER_MAX]; /* in conf.trunk */
};

/* The row's place, or CONF_NONE. */
uint16_t conf_helper_find(const struct conf *c, const char *name);
uint16_t conf_queue_find(const struct conf *c, const char *name);
uint16_t conf_agent_find(const struct conf *c, const char *name);
/* Whom it leads to: a helper, queue or box by name, or the number. */
const char *conf_rung_title(const struct conf *c, const struct conf_rung *r);
/* Was this agent's row somebody's before the reload who is not there now?  It
 * can be another's by now. */
bool conf_agent_left(
    const struct conf *old, const struct conf *new, uint16_t agent);
uint16_t conf_trunk_find(const struct conf *c, const char *name);
uint16_t conf_box_find(const struct conf *c, const char *name);
uint16_t conf_ladder_find(const struct conf *c, const char *name);
/* The ladder bound to a dialled number, or CONF_NONE. */
uint16_t conf_ladder_for(const struct conf *c, const char *number);
/* May this number be called out?  (outbound.allow, prefixes with *) */
bool conf_may_call(const struct conf *c, const char *number);
/* Its place among emergency.numbers, or CONF_NONE. */
uint16_t conf_sos_find(const struct conf *c, const char *number);
/* How many streams there are; the first of those at the end that are kept for
 * emergency calls: two a call, an eighth of all at most, so that one hf-media
 * has all of them.  hf-call has those before it. */
uint32_t conf_streams(const struct conf *c);
uint32_t conf_sos_first(const struct conf *c);
/* Seconds for the Retry-After of a 503; 0: none. */
uint16_t conf_retry_after(const struct conf *c);
const char *conf_rung_kind_name(enum conf_rung_kind k);

#endif
