/*
 * daemon/sip/emergency - calls for help.  They are the one decision that the
 * edge takes, and it takes it always: a path that is walked every time is one
 * that works on the day when everything else is dead (decision 17).
 *
 *      phone --INVITE--> leg ---facts---> emergency ---orders---> leg --> trunk
 *                                             |
 *                                             '--orders--> hf-media
 *
 * A little mind beside hf-call: the legs of an emergency call are legs like any
 * other, but what they tell comes here, and orders come from here.  One knows
 * them by a bit of their number, which outlives us with it.
 *
 *      TRYING --answered--> UP --somebody leaves--> OVER --recorded--> (free)
 *         '------------- all refuse, caller leaves ---^
 *
 *   emergency        who may, which trunk next, what the legs tell
 *   emergency_calls  the records: slots, streams, what hf-call is told
 *   emergency_words  what the caller's INVITE says that is passed on
 */
#ifndef HF_DAEMON_SIP_EMERGENCY_H
#define HF_DAEMON_SIP_EMERGENCY_H

#include "daemon/sip/room.h"

/* Neither hf-sip nor hf-call counts so far: both begin anew before it. */
#define EMERGENCY_LEG (1ULL << 31)

static inline bool
is_emergency_leg(uint64_t id)
{
	return (id & EMERGENCY_LEG) != 0;
}

/* ---- for the rest of hf-sip ---------------------------------------------- */

/* Is it an INVITE that dials for help? */
bool emergency_is_dialled(const struct sip_msg *m);
/* What the trunk is to be asked for, then. */
void emergency_number(const struct sip_msg *m, char *to, size_t cap);
/* The same when the gate knows who he is (room.from_agent, room.from_trunk). */
bool emergency_is_let_in(const struct sip_msg *m);
/* Anybody may, without a password. */
bool emergency_is_strangers(const struct sip_msg *m);

/* The tables of legs and dialogs: sip.dialogs, and what is kept for emergency
 * calls.  May this leg be made? */
uint32_t emergency_dialogs(const struct conf *c);
bool emergency_leaves_room(uint64_t leg);

/* To whom the leg's facts go: here, or to hf-call. */
void leg_tell(const struct msg *m);

void emergency_fact(const struct msg *m);
void emergency_left(const struct msg_leg_left *left, bool refused);
void emergency_media(const struct msg *m);
void emergency_met(void);           /* hf-call is there (again) */
void emergency_noted(uint64_t leg); /* hf-call has its record */

/* Is this agent calling for help?  Nobody else calls him, then. */
bool emergency_has(uint16_t agent);

/* More header lines for the INVITE to the trunk, and the body that our offer
 * stands in, with its type. */
void emergency_words(const struct leg *l, const struct sip_flow *to,
    struct hf_buf *lines, struct hf_slice *body, const char **type);

/* Also after a reload: says when none can be called. */
void emergency_start(void);
void emergency_open(void);     /* before the legs are found again, ... */
void emergency_restored(void); /* ... and after that */
void emergency_commit(void);
void emergency_drain(bool on);
void emergency_let_go(void); /* the house closes, and waits no more */
/* How many are under way; a row for hfctl emergency, as proc_answer() wants. */
uint32_t emergency_calls(void);
bool emergency_next(const struct msg_ask *q, uint64_t *at, struct hf_buf *row);

/* ---- between the pages --------------------------------------------------- */

enum emergency_state {
	EMERGENCY_FREE,
	EMERGENCY_TRYING,
	EMERGENCY_UP,
	EMERGENCY_OVER, /* hf-call has not confirmed that it has the record */
};

/* How the trunks are gone through: none is waited for; then the newest other
 * call of those that seemed full is ended; then who was silent is asked again,
 * with patience. */
enum emergency_round { ROUND_QUICK, ROUND_PREEMPT, ROUND_PATIENT, ROUND_NONE };

enum {
	EMERGENCY_PLACES = 64, /* most of them: records that wait for hf-call */
	EMERGENCY_TRIED = 128,
};

/* Plain and fixed-size: it is its slot's record. */
struct emergency {
	uint64_t caller, line; /* legs; line 0: none is being called */
	uint64_t last;         /* line, or the one before it */
	struct hf_ref stream[2];
	struct media media[2];
	/* Then the trunk is called once more or, while it is being called, is
	 * given up. */
	struct hf_time again;
	struct hf_wall came, answered, ended;
	uint16_t trunk, agent; /* who calls */
	uint16_t full, silent; /* places in emergency.via, a bit each */
	uint16_t last_code;
	uint16_t lines; /* calls to trunks */
	uint16_t preempted;
	uint8_t state, round, via, agains, cause, pair, hops;
	bool ringing; /* a trunk has said 18x */
	bool young;   /* nobody has heard a word of ours yet */
	char number[CONF_NUMBER_MAX];
	char from[CONF_NUMBER_MAX];
	char shown[CONF_NUMBER_MAX]; /* the number to call back */
	char display[CONF_NUMBER_MAX];
	char over[CONF_NAME_MAX]; /* the trunk it is, or was, on */
	char tried[EMERGENCY_TRIED];
};

enum { SIDE_CALLER, SIDE_LINE };

struct emergency *emergency_take(uint64_t caller);
struct emergency *emergency_by_leg(uint64_t leg);
struct emergency *emergency_at(uint32_t place);
struct hf_timer *emergency_timer(const struct emergency *c);
void emergency_touch(const struct emergency *c);
void emergency_give(struct emergency *c);
/* We died before anybody heard of it: its caller says his INVITE again, and is
 * another call. */
bool emergency_never_was(const struct emergency *c);
void emergency_legs_are_there(void);
/* "lyon-e-1a2b": in the log and in the journal. */
void emergency_name(const struct emergency *c, char *to, size_t cap);
uint16_t emergency_port(const struct emergency *c, int side);
/* What hf-media must know of one side; joined when both are known. */
void emergency_say_media(struct emergency *c, int side);
void emergency_close_media(struct emergency *c, int side);
/* hf-call writes its record. */
void emergency_tell_ended(const struct emergency *c);
/* A deadline has come (emergency.c). */
hf_timer_fn emergency_again;

#endif
