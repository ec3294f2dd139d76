/*
 * logic/call/call - one call as a plain record: no pointers, so it lies in a
 * slot and outlives us.
 *
 *   caller ==(leg, stream)== [ this record ] ==(leg, stream)== helper
 *
 *   ARRIVED --> REACHING <--> WAITING          GONE is reached from everywhere,
 *      |          |   ^          |             and is the end of the record
 *      |          v   |          v
 *      |     WITH_HELPER --> RESCUE --> PARTING --> GONE
 *
 * The caller's leg and stream are the same from the first state to the last;
 * a rescue changes only the other side.
 */
#ifndef HF_LOGIC_CALL_CALL_H
#define HF_LOGIC_CALL_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/time.h"
#include "conf/conf.h"
#include "logic/guard/vote.h"
#include "wire/msg.h"

enum {
	CALL_ID_MAX = 40,
	CALL_RUNG_NONE = 255, /* not on a rung of the ladder */
	CALL_HELPERS = 2,     /* one, or two while a setup is hedged */
};

enum leg_state {
	LEG_NONE,
	LEG_ASKED, /* INVITE ordered, or arrived */
	LEG_TRIED, /* 100 came */
	LEG_RANG,  /* 180, 183 */
	LEG_UP,    /* answered */
};

struct leg {
	uint64_t id; /* 0: no leg */
	struct hf_ref stream;
	struct media media; /* codec none: not agreed yet */
	uint8_t state;      /* enum leg_state */
	uint8_t kind;       /* enum rung: what is at the other end */
	uint8_t rung;       /* place in the ladder, or CALL_RUNG_NONE */
	uint8_t asked_dir;  /* enum direction of our last re-INVITE */
	uint16_t row;       /* helper, agent or trunk; CONF_NONE for a caller */
	uint16_t code;
	uint16_t reported; /* what its REFER came to; 0: nothing yet */
	bool open;         /* OPEN_STREAM was ordered */
	bool joined;       /* with the caller */
	bool proven;       /* its breaker knows that it was good */
	bool untried;      /* ASKED: nothing came back in its time */
	bool holds;        /* it has put the caller on hold */
	bool has_ticket;
	bool ended;      /* its dialog is over: no BYE of ours */
	bool referred;   /* rung because a REFER named it */
	uint16_t payer;  /* on whose account, agent + 1; 0: the house's */
	uint32_t ticket; /* of its helper's breaker */
	struct hf_time asked, up, reported_at;
	struct voter voter;        /* its packets */
	struct hf_span gap, voice; /* heard by the caller; see RUNG_ENDED */
};

/* Deadlines; the call's one timer runs to the nearest. */
enum due {
	DUE_STATE,    /* the state has lasted long enough */
	DUE_NEVER,    /* answered, and no packet came */
	DUE_PROVEN,   /* it has not hung up at once */
	DUE_JUDGE,    /* ask the vote */
	DUE_CLOSED,   /* its media port is closed, and no BYE came */
	DUE_READY,    /* answer when ready: answer anyway */
	DUE_ANNOUNCE, /* tell the place in line */
	DUE_PASSED,   /* whom a REFER named has not answered */
	DUE_LONGEST,  /* nobody may talk for longer */
	DUE_NR,
};

enum call_kind {
	CALL_LADDER, /* from the trunk, down a ladder */
	CALL_DIRECT, /* an agent calls an agent or a number */
	CALL_CODE,   /* an agent dialled a feature code */
	CALL_LISTEN, /* an agent listens to voicemail */
};

/* WITH_HELPER, and helper[1] is rung to take over: who wants it so? */
enum passing {
	PASSING_NOT,
	PASSING_BY_HELPER, /* he goes, helper[1] takes his place */
	PASSING_BY_CALLER, /* he goes, helper[0] becomes the caller */
};

enum voicemail_part {
	VOICEMAIL_NONE,
	VOICEMAIL_GREETING,
	VOICEMAIL_RECORDING,
	VOICEMAIL_SAVING,
	VOICEMAIL_LOADING,
	VOICEMAIL_PLAYING,
	VOICEMAIL_EMPTY,
};

struct call {
	struct hf_ref ref; /* gen 0: this place is free */
	char id[CALL_ID_MAX];
	uint8_t state;  /* enum call_state; written by enter() alone */
	uint8_t kind;   /* enum call_kind */
	uint8_t worker; /* the hf-media that has both streams */
	uint8_t hops;
	uint8_t rung;      /* place in the ladder */
	uint8_t via;       /* outbound.via that is being tried */
	uint8_t voicemail; /* enum voicemail_part */
	uint8_t cause;     /* why it parts, enum cause */
	uint8_t passing;   /* enum passing */
	bool answered;     /* 200 was ordered */
	bool ringing;      /* 180 was ordered */
	bool early;        /* 183 with our SDP was ordered */
	bool late_offer;   /* the caller's media comes with the ACK */
	bool when_ready;   /* answer only with a proven helper */
	bool caller_held;  /* the caller has put us on hold */
	bool local_only;   /* our uplink is down: no remote rungs */
	bool restricted;   /* he does not show his number */
	uint16_t tried;    /* rungs of the ladder, one bit each */
	uint16_t ladder, trunk;
	uint16_t agent; /* the caller is this agent, or CONF_NONE */
	uint16_t queue; /* where he waits, or waited, or CONF_NONE */
	uint16_t box;
	uint16_t steps, rescues;
	char number[CONF_NUMBER_MAX];
	char from[CONF_NUMBER_MAX];
	char display[CONF_NUMBER_MAX];
	char path[CONF_PATH_MAX];
	char target[CONF_NUMBER_MAX];    /* a number rung's */
	char passed_to[CONF_NUMBER_MAX]; /* a REFER's */
	struct leg caller;
	struct leg helper[CALL_HELPERS]; /* [0] first; a hole moves up */
	struct hf_time due[DUE_NR];
	uint64_t caller_leg, helper_leg; /* the last of each, for the CDR */
	struct hf_time arrived;
	struct hf_time queued;     /* his place in line, kept for ever */
	struct hf_time rung_began; /* queue and voicemail, which have no leg */
	struct hf_time entered;    /* the present state */
	struct hf_time recorded;   /* since when a message is */
	struct hf_wall came, answered_at;
	struct hf_span worst_gap;
	struct msg_play_prompt playing; /* id 0: none; to say it again */
	uint32_t recording, message;
	uint16_t nth; /* message being listened to */
	char message_name[CONF_NUMBER_MAX];
	/* Who had the caller last, and who is being replaced. */
	uint8_t last_kind, from_kind;
	uint8_t why; /* enum cause of the rescue under way */
	char last_name[CONF_NUMBER_MAX], from_name[CONF_NUMBER_MAX];
	struct hf_time lost_since; /* the last good packet of who was lost */
};

#endif
