/*
 * daemon/sip/room - hf-sip: what its pages share.
 *
 *   main   the sockets, the skeleton's handlers, the trace
 *   gate   who is let in: trunks by address, agents by digest; REGISTER
 *   limits how much of what comes is heard
 *   leg    a leg of hf-call's is a session of ours: facts and orders
 *   info   what an INFO carries
 *   ended  how legs ended, for an hf-call that has not heard
 *   turned callers whom hf-sip turns away by itself
 *   ring   calling out: a helper's targets in order, an agent's phones at once
 *   kept   what of it outlives the process
 *   names  where the targets' host names lead, looked up ahead
 *   ask    OPTIONS to helpers; an operator's questions
 *   trunks OPTIONS to trunks, and who of them answers
 *   emergency*  calls for help, by ourselves: emergency.h
 */
#ifndef HF_DAEMON_SIP_ROOM_H
#define HF_DAEMON_SIP_ROOM_H

#include <string.h>

#include "conf/conf.h"
#include "io/dns/names.h"
#include "io/sip/digest.h"
#include "io/sip/guess.h"
#include "io/sip/limit.h"
#include "io/sip/registrar.h"
#include "io/sip/sdp.h"
#include "io/sip/session.h"
#include "io/sip/trace.h"
#include "io/sip/transport.h"
#include "proc/log.h"
#include "proc/proc.h"
#include "proc/slots.h"

/* Between sites: which of them a call has been through. */
#define PATH_HEADER "X-Holdfast-Path"

/* How long hf-call may think about a caller before he hears 503: when it is
 * there, and when it is not. */
enum { DECIDE_MS = 4000, AWAY_MS = 500 };

/* Begins a message; only its own part is cleared, because the whole struct is
 * as large as the largest of them. */
#define FACT(m, t, field)                                                      \
	((m).type = (t), (void)memset(&(m).field, 0, sizeof((m).field)))

/* How far a leg has come. */
enum leg_state {
	LEG_FREE,
	LEG_WAITING,  /* arrived, and hf-call has said nothing yet */
	LEG_ARRIVED,  /* hf-call knows */
	LEG_RINGING,  /* we call */
	LEG_ANSWERED, /* our 200 waits for its ACK */
	LEG_UP,
};

/* A leg: plain and fixed-size; kept.c says what of it lies in a slot.  The
 * order that made it is kept to try the next target.  While an agent's phones
 * ring it has several sessions; there is always a first one. */
struct leg {
	uint64_t id;
	struct hf_ref session;
	struct hf_ref also[SIP_BINDINGS_MAX - 1]; /* RINGING: the others */
	struct sdp_state sdp;
	struct sip_media media; /* as last told to hf-call */
	struct msg_ring_leg order;
	struct msg_leg_arrived arrived; /* while WAITING */
	struct hf_time decide_by;       /* WAITING: then 503 */
	struct hf_time next_by;    /* RINGING: no sign of life: next target */
	struct hf_time untried_by; /* RINGING: no sign of life: say so */
	struct hf_time give_up;
	struct hf_time since; /* of this life */
	uint32_t n;
	uint16_t port;  /* our RTP */
	uint16_t trunk; /* who it came from, CONF_NONE */
	uint16_t agent;
	uint16_t last_code;
	uint8_t verdict; /* enum cause: of the phones that have refused */
	uint8_t state;
	uint8_t target;
	uint8_t address;   /* of the target */
	uint8_t direction; /* enum sip_direction: what we want */
	bool tried;        /* a provisional answer came from this target */
	bool rang;         /* 18x, with its media if that has a codec */
	bool untried;      /* LEG_UNTRIED was said */
	bool hold;         /* a re-INVITE is due as soon as it may go */
	bool offered;      /* ... is out, and its answer not yet here */
	bool late;         /* our 2xx will hold the offer */
};

struct leg_live {
	struct hf_timer timer;
	bool changed; /* since its record was last asked for */
};

/* Counted refusals, by reason. */
struct gate_counts {
	uint64_t stranger, challenged, wrong, guessing, stale, malformed,
	    options;
	uint64_t registered, unregistered;
};

struct sip_room {
	const struct conf *conf;
	const struct conf_secrets *secrets;
	uint32_t boot;
	uint32_t legs_made;
	struct hf_time born;
	bool fresh; /* hf-call has not met this process yet */
	struct hf_time now;

	struct sip_transport tp;
	struct sip_sessions ss;
	struct sip_session *sessions;
	struct sip_digest digest;
	struct sip_guess guess;
	struct sip_registrar registrar;
	struct sip_trace trace;
	struct dns_names names;

	struct leg *leg;
	struct leg_live *live;
	struct hf_pool legs;
	struct hf_map by_id;
	uint32_t *changed; /* legs, each once */
	uint32_t changes;

	/* Who sent the request being handled, as the gate found out. */
	uint16_t from_trunk, from_agent;
	bool over;         /* ... and that this address has had its share */
	bool urgent;       /* an emergency number is dialled */
	uint64_t arriving; /* the leg that it makes, for the trace */

	struct gate_counts gate;
	/* Refused because more came than is taken, by whose limit. */
	struct {
		uint64_t unread, address, user, trunk, house, behind;
	} limits;
	struct {
		uint64_t away, untold;
	} turned;
	uint64_t bad_messages, dropped_messages;
	struct hf_timer tick;
};

extern struct sip_room room;

/* ---- main ---------------------------------------------------------------- */
/* Takes in what waits in the UDP sockets.  It may end any leg. */
void hear_all(void);

/* ---- gate ---------------------------------------------------------------- */
const struct sip_hashes *gate_hashes(void);
const char *gate_realm(void);
uint16_t gate_admit(
    void *arg, const struct sip_msg *m, const struct sip_flow *from);
void gate_stateless(void *arg, const struct sip_msg *m,
    const struct sip_flow *from, uint16_t status);
/* Whose trunk sends from there; CONF_NONE: nobody's. */
uint16_t gate_trunk(const struct hf_addr *peer);
/* Does one of the configured sites send from there? */
bool gate_is_site(const struct hf_addr *peer);
void gate_register(
    struct hf_ref t, const struct sip_msg *m, const struct sip_flow *from);
/* Whose credentials answer a challenge in a call over this trunk, whichever
 * side called; 0: nobody's.  And they. */
uint16_t gate_account(uint16_t trunk);
bool gate_credentials(void *arg, uint16_t account, const struct sip_flow *way,
    const struct sip_msg *asked, const struct sip_msg *challenge,
    struct hf_buf *lines);
/* Bindings that are over; a closed connection's. */
void gate_tidy(void);
void gate_hangup(struct hf_ref conn);
/* The connections that phones are registered over live on. */
void gate_hold(struct hf_time now);
/* After a reload: who has gone, or has another password now, is not reached at
 * the phone that the old one let in. */
void gate_reconf(const struct conf *old, const struct conf *new);
void gate_secrets(
    const struct conf_secrets *old, const struct conf_secrets *new);
/* All registered agents, for an hf-call that has just come. */
void gate_picture(void);

/* ---- limits -------------------------------------------------------------- */
void limits_start(const struct conf *c, const struct hf_hash_key *hash);
void limits_conf(const struct conf *c);
/* Is this worth reading?  What belongs to a call always is; room.over says that
 * a refusal is all that it may come to. */
bool limits_hear(struct hf_slice bytes, const struct sip_flow *from) HF_CHECK;
/* A wrong password came from there. */
void limits_wrong(const struct hf_addr *source);
/* Addresses that have had their share. */
uint32_t limits_over(void);
/* room.from_agent or from_trunk asks for something new: too much of it? */
bool limits_refuse(const struct sip_msg *m) HF_CHECK;

/* ---- names --------------------------------------------------------------- */
void names_start(void);
void names_reconf(void);
/* How many addresses a target has now, as far as is known; the kth of them,
 * with the target's port. */
unsigned target_addresses(const struct conf_target *c);
bool target_address(
    const struct conf_target *c, unsigned k, struct hf_addr *at);

/* ---- who ----------------------------------------------------------------- */
/* Fills l->arrived from its INVITE.  False: it has been through more sites
 * than can be told apart (482). */
bool who_calls(struct leg *l, const struct sip_msg *m,
    const struct sip_flow *from) HF_CHECK;
/* The number or extension that a Refer-To names.  False: it names a host, a
 * web page or nothing that can be dialled. */
bool who_is_meant(const struct sip_uri *to, char *number, size_t cap) HF_CHECK;

/* ---- turned -------------------------------------------------------------- */
/* An INVITE that the gate let in is refused here, with this status: before it
 * is.  A handler of the session layer, too. */
void turned_away(void *arg, const struct sip_msg *m,
    const struct sip_flow *from, uint16_t status);
/* A leg ends that hf-call does not know of, or may not; false: it does. */
bool turned_leg(const struct leg *l, enum cause cause, uint16_t code) HF_CHECK;
/* hf-call is there (again): whom it missed. */
void turned_picture(void);

/* ---- leg ----------------------------------------------------------------- */
bool legs_open(uint32_t cap);
uint64_t leg_number(void); /* a new one, for who comes in */
struct leg *leg_new(uint64_t id, enum leg_state state);
void leg_free(struct leg *l);
/* Its record is not what it was: at the turn's end it is committed. */
void leg_touch(struct leg *l);
bool legs_changed(uint32_t *place); /* the next one, as in io/sip/record.h */
/* As found in its slot; NULL: it cannot be. */
struct leg *leg_restore(uint64_t id, struct hf_ref ref);
/* Sessions are restored as well: legs without one are over. */
void legs_restored(void);
/* What the sessions with that agent's phones bear as phone; 0: nobody's. */
uint16_t legs_phone(uint16_t agent);
/* This agent's phone has registered over another connection: its calls whose
 * connection is gone go on over this one (RFC 5626 4.2). */
void legs_follow(uint16_t agent, const struct sip_flow *to);
struct leg *leg_by_id(uint64_t id);
struct leg *leg_of(const struct sip_session *s); /* by s->user */
struct sip_session *leg_session(const struct leg *l);
/* Its sessions while it rings: has it this one, has it several, and now it has
 * it no more (the session itself is the caller's to end). */
bool leg_has(const struct leg *l, struct hf_ref session);
bool leg_has_several(const struct leg *l);
void leg_without(struct leg *l, struct hf_ref session);
/* It has this one alone: all others are let go. */
void leg_keep_only(struct leg *l, struct hf_ref session, uint16_t code,
    struct hf_slice reason);
void leg_arm(struct leg *l);
hf_timer_fn leg_timer; /* one of its deadlines has come */
void leg_arrive(
    struct hf_ref t, const struct sip_msg *m, const struct sip_flow *from);
/* Our part of a description towards this peer. */
struct sdp_ours leg_ours(const struct leg *l, const struct sip_flow *flow);
struct media leg_media(const struct sip_media *m);
void leg_order(const struct msg *m);
/* It ends, and hf-call is told why; for the Reason header: code and reason. */
void leg_end(
    struct leg *l, enum cause cause, uint16_t code, const char *reason);
/* What whoever decides about it may have slept through. */
void leg_tell_again(struct leg *l);
/* The end of a leg that was never answered. */
void leg_refused(const struct leg *l, enum cause cause, uint16_t code,
    struct hf_slice reason);
/* hf-call is there (again): what it waits for, and what it slept through. */
void legs_picture(void);
/* The Reason header of a goodbye (RFC 3326). */
enum cause reason_of(
    const struct sip_msg *m, uint16_t *code, char *text, size_t cap);

/* Handlers of the session layer. */
void on_answered(void *arg, struct sip_session *s, const struct sip_msg *m);
void on_confirmed(void *arg, struct sip_session *s, const struct sip_msg *m);
uint16_t on_reoffered(void *arg, struct sip_session *s, const struct sip_msg *m,
    struct hf_buf *sdp);
void on_reanswered(void *arg, struct sip_session *s, const struct sip_msg *m);
void on_retry(void *arg, struct sip_session *s);
uint16_t on_referred(
    void *arg, struct sip_session *s, const struct sip_uri *to);
void on_left(void *arg, struct sip_session *s, const struct sip_msg *m,
    enum sip_left how);

/* ---- ended --------------------------------------------------------------- */
bool ended_open(void);
/* A leg that hf-call knows is over: told, and remembered for a while. */
void ended_tell(const struct msg_leg_left *left, bool refused);
/* The same once more of a leg that was asked for; false: nothing is known. */
bool ended_again(uint64_t leg) HF_CHECK;
/* hf-call is there (again): what it may not have heard. */
void ended_picture(void);
/* What the process before us knew; and before the turn's bytes leave. */
void ended_restore(void);
void ended_commit(void);

/* ---- kept ---------------------------------------------------------------- */
enum { KEPT_FORMS = 7 };
extern const struct slots_form *const kept_forms[KEPT_FORMS];
extern const struct slots_form ended_form, emergency_form;
/* Once all is there to be restored into, and sockets to speak through. */
void kept_open(void);
/* A table of its own in run_dir; false, and said, when it cannot be had. */
bool kept_table(struct slots *s, const struct slots_form *f, uint32_t count);
void kept_commit(void);
/* The turn's bytes have left: the records of what ended in it can go.  Not
 * before, for they are all that knows of a last answer. */
void kept_flushed(void);
/* Around what concerns one session: it is let go when we die of it twice. */
void kept_enter(uint32_t session);
void kept_leave(void);
/* The agent's phones are others than before. */
void kept_phones(uint16_t agent);
/* We live: now and then, so that a later start knows how old its past is. */
void kept_alive(void);

/* ---- info ---------------------------------------------------------------- */
uint16_t on_info(void *arg, struct sip_session *s, const struct sip_msg *m);

/* ---- ring ---------------------------------------------------------------- */
void ring_leg(const struct msg_ring_leg *o);
/* No sign of life from the present target. */
void ring_next(struct leg *l);
/* Nobody has said anything, and it was time to, so long ago. */
void ring_untried(struct leg *l, struct hf_span late);
void tell_untried(const struct leg *l);
/* The first sign of life, whatever it is. */
void tell_tried(struct leg *l);
/* code 0: what it was, as far as its media say. */
void tell_rang(const struct leg *l, uint16_t code);
void on_rang(void *arg, struct sip_session *s, const struct sip_msg *m);
void on_refused(void *arg, struct sip_session *s, const struct sip_msg *m,
    enum sip_trans_end why);
/* This one's call has come to nothing.  The leg may be over by it. */
void ring_lost(struct leg *l, struct hf_ref session, enum cause cause,
    uint16_t code, struct hf_slice reason);

/* ---- ask ----------------------------------------------------------------- */
void probe_helper(const struct msg_probe_helper *o);
void probe_outcome(void *arg, uint64_t user, const struct sip_msg *m);
/* The way to a target: the address of it that answered last, or the next that
 * a socket of ours reaches.  False: there is none. */
bool probe_way(uint8_t *address, const struct conf_target *c,
    struct sip_flow *way) HF_CHECK;
/* Does this, or NULL, come from one who lives? */
bool probe_is_alive(const struct sip_msg *m);
void ask_answer(const struct msg_ask *m);

/* ---- trunks -------------------------------------------------------------- */
#define PROBE_TRUNK (1ULL << 31) /* in the handle of a question to a trunk */
void trunks_start(void);
void trunks_reconf(void);
void trunk_outcome(uint16_t row, uint32_t round, const struct sip_msg *m);
/* A row for hfctl trunks; as proc_answer() wants it. */
bool trunks_next(const struct msg_ask *q, uint64_t *at, struct hf_buf *row);

#endif
