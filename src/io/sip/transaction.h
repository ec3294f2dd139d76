/*
 * io/sip/transaction - the four machines of RFC 3261 17, as corrected by RFC
 * 6026: they say things again until they are heard, and hear things once.
 * Fixed-size records with absolute deadlines; no socket, no clock: bytes go
 * out through a hook and time is handed in.
 *
 *   INVITE client   CALLING -> PROCEEDING -> COMPLETED (3xx-6xx, we ACK)
 *                                         -> ACCEPTED  (2xx, the user ACKs)
 *   other client    CALLING -> PROCEEDING -> COMPLETED
 *   INVITE server   PROCEEDING -> COMPLETED -> CONFIRMED (ACK came)
 *                              -> ACCEPTED  (the user repeats the 2xx)
 *   other server    CALLING -> PROCEEDING -> COMPLETED
 *
 * A transaction that only waits for stragglers lingers; when the table runs
 * full the longest lingering goes first, so that the table's size bounds
 * memory and never the rate of calls.
 */
#ifndef HF_IO_SIP_TRANSACTION_H
#define HF_IO_SIP_TRANSACTION_H

#include "base/hash.h"
#include "base/pool.h"
#include "base/wheel.h"
#include "io/sip/flow.h"
#include "io/sip/keep.h"
#include "io/sip/msg.h"

enum sip_trans_kind {
	SIP_CLIENT_INVITE,
	SIP_CLIENT_OTHER,
	SIP_SERVER_INVITE,
	SIP_SERVER_OTHER,
};

enum sip_trans_state {
	SIP_T_FREE,
	SIP_T_CALLING, /* the RFC's Calling and Trying */
	SIP_T_PROCEEDING,
	SIP_T_COMPLETED,
	SIP_T_CONFIRMED,
	SIP_T_ACCEPTED,
};
enum { SIP_T_NR = SIP_T_ACCEPTED + 1 };

/* Why a transaction ended without what it waited for. */
enum sip_trans_end {
	SIP_END_TIMEOUT,     /* timers B, F: nobody answered */
	SIP_END_NO_ACK,      /* timer H */
	SIP_END_UNREACHABLE, /* ICMP, or the connection failed */
};

struct sip_timers {
	struct hf_span t1, t2, t4; /* RFC 3261 17.1.1.1 */
};

/* A branch of ours: the magic cookie and 16 hex digits. */
#define SIP_COOKIE     "z9hG4bK"
#define SIP_BRANCH_LEN 23

struct sip_transactions;

/* What the transactions ask of their user, the session layer.  Handlers may
 * call back into the table. */
struct sip_trans_hooks {
	/* False: it could not be sent at all. */
	bool (*send)(void *arg, struct sip_flow *to, struct hf_slice bytes);
	/* A request that would begin a transaction: 0, or the status that
	 * stateless() is to refuse it with. */
	uint16_t (*admit)(
	    void *arg, const struct sip_msg *m, const struct sip_flow *from);
	/* A new request; its final response is owed through t. */
	void (*request)(void *arg, struct hf_ref t, const struct sip_msg *m,
	    const struct sip_flow *from);
	/* No transaction for it: an ACK for a 2xx (not answered), or a request
	 * to be answered without state: status says how. */
	void (*ack)(
	    void *arg, const struct sip_msg *m, const struct sip_flow *from);
	void (*stateless)(void *arg, const struct sip_msg *m,
	    const struct sip_flow *from, uint16_t status);
	/* A CANCEL (itself transaction t) for the INVITE transaction. */
	void (*cancelled)(void *arg, struct hf_ref t, const struct sip_msg *m,
	    struct hf_ref invite, uint64_t user);
	/* A CANCEL of ours is being written: header lines for it (Reason). */
	void (*cancelling)(void *arg, uint64_t user, struct hf_buf *lines);
	/* A response, retransmissions taken out; every 2xx to an INVITE.  What
	 * was asked: sip_trans_asked(). */
	void (*response)(void *arg, struct hf_ref t, uint64_t user,
	    const struct sip_msg *m, const struct sip_flow *from);
	/* A 2xx to an INVITE that matches no transaction any more. */
	void (*stray)(
	    void *arg, const struct sip_msg *m, const struct sip_flow *from);
	void (*ended)(void *arg, struct hf_ref t, uint64_t user,
	    enum sip_method method, enum sip_trans_end why);
};

/* What a lingering one needs comes first, side by side: at a busy hour most of
 * the table only waits to be forgotten. */
struct sip_trans {
	struct hf_list linger;
	uint64_t key;   /* in by_key */
	uint64_t merge; /* RFC 3261 8.2.2.2; 0: none */
	struct hf_time end;
	uint32_t n;    /* own place */
	uint32_t kept; /* what is said again */
	uint16_t status;
	uint8_t kind, state, method;
	bool lingers;
	bool cancel;   /* wanted, as soon as a 1xx is here (RFC 3261 9.1) */
	uint64_t user; /* the session's handle; 0: nobody cares */
	struct sip_flow flow;
	struct hf_timer timer; /* at the earlier of repeat and end */
	struct sip_transactions *table;
	struct hf_time repeat;
	struct hf_span interval; /* to the next repetition */
};

/* How long a transaction knows stragglers. */
enum { SIP_LINGER_T4, SIP_LINGER_64T1, SIP_LINGER_NR };

struct sip_trans_counts {
	uint64_t started[4]; /* by kind */
	uint64_t repeats_out, repeats_in;
	uint64_t timeouts, unreachable;
	uint64_t unmatched; /* responses and ACKs nobody waits for */
	uint64_t merged, full, evicted;
};

struct sip_transactions {
	struct sip_trans *trans;
	struct hf_pool pool;
	struct hf_map by_key, by_merge;
	/* Oldest first, in order of their ends: a list for each of the two
	 * times to linger, so that one timer serves all. */
	struct hf_list lingering[SIP_LINGER_NR];
	uint32_t lingerers; /* in both */
	struct hf_timer forget;
	struct sip_keep keep;
	bool urgent; /* admit() says: a place kept for calls that are up will do
		      */
	uint32_t asked; /* kept bytes, see sip_trans_asked() */
	struct sip_timers t;
	struct hf_wheel *wheel;
	struct hf_rand *rand;
	struct hf_hash_key hash;
	const struct sip_trans_hooks *hooks;
	void *arg;
	struct sip_trans_counts count;
	/* memory */
	uint32_t cap, cells_n;
	struct hf_pool_place *places;
	struct hf_map_cell *cells[2];
};

/* Makes the table of cap places; false when there is no memory.  hooks, wheel
 * and rand must outlive it. */
bool sip_transactions_init(struct sip_transactions *tt, uint32_t cap,
    const struct sip_timers *t, struct hf_wheel *wheel, struct hf_rand *rand,
    const struct sip_trans_hooks *hooks, void *arg);
void sip_transactions_free(struct sip_transactions *tt);

/* A well-formed message came in. */
void sip_transactions_receive(struct sip_transactions *tt,
    const struct sip_msg *m, const struct sip_flow *from, struct hf_time now);

/* The network said that nobody takes these bytes of ours (the beginning of
 * the datagram, as the error queue gives it back). */
void sip_transactions_refused(
    struct sip_transactions *tt, struct hf_slice bytes, struct hf_time now);

/* The connection is gone, with whatever was not answered on it. */
void sip_transactions_lost(struct sip_transactions *tt, struct hf_ref conn,
    const struct hf_addr *peer, struct hf_time now);

/* A branch for a new request; to has SIP_BRANCH_LEN + 1 bytes.  The value is
 * given to sip_trans_start(). */
uint64_t sip_branch(struct sip_transactions *tt, char *to);

/* Sends a request of ours (never an ACK).  False: the table is full or it
 * could not be sent; nothing remains then and ended() is not called. */
bool sip_trans_start(struct sip_transactions *tt, enum sip_method method,
    uint64_t branch, struct hf_slice bytes, const struct sip_flow *to,
    uint64_t user, struct hf_time now, struct hf_ref *out) HF_CHECK;

/* Answers a request.  After a final answer the handle is not the user's any
 * more.  A stale handle is ignored. */
void sip_trans_respond(struct sip_transactions *tt, struct hf_ref t,
    uint16_t status, struct hf_slice bytes, struct hf_time now);

/* CANCELs our INVITE, now or as soon as RFC 3261 9.1 lets us.  Stale handles
 * and finished transactions are ignored. */
void sip_trans_cancel(
    struct sip_transactions *tt, struct hf_ref t, struct hf_time now);

/* The far end is there over another connection than the one that t was begun
 * on, which is gone: what t still says (CANCEL, ACK, an answer) goes over that.
 * A CANCEL that was said already is said once more, it may have been lost with
 * the old one.  Stale handles are ignored. */
void sip_trans_follow(struct sip_transactions *tt, struct hf_ref t,
    const struct sip_flow *to, struct hf_time now);

/* Within hooks->response(): the request that a final answer other than 2xx is
 * for.  Empty: it could not be kept. */
struct hf_slice sip_trans_asked(const struct sip_transactions *tt);

/* The user goes away (or comes): news of t are for user from now on.  What
 * nobody looks after (user 0, as at its begin) does not stay: a request that
 * is never answered, ours or theirs, is over in 64*T1. */
void sip_trans_adopt(struct sip_transactions *tt, struct hf_ref t,
    uint64_t user, struct hf_time now);

/* ---- a new process goes on where the one before died --------------------- */

/* The bytes of an unfinished INVITE of ours, as they would be said again. */
struct hf_slice sip_trans_words(
    const struct sip_transactions *tt, struct hf_ref t);

/* Our INVITE once more, under its old branch; cancel: only to CANCEL it.
 * False: no room, not an INVITE of ours, or it cannot be sent. */
bool sip_trans_resume_invite(struct sip_transactions *tt, struct hf_slice bytes,
    const struct sip_flow *to, uint64_t user, bool cancel, struct hf_time now,
    struct hf_ref *out) HF_CHECK;

/* Knows an INVITE again: m is the INVITE itself, whose answer is still owed,
 * or our 2xx to it. */
bool sip_trans_resume_server(struct sip_transactions *tt,
    const struct sip_msg *m, const struct sip_flow *from, uint64_t user,
    struct hf_time now, struct hf_ref *out) HF_CHECK;

const struct sip_trans *sip_trans_at(
    const struct sip_transactions *tt, struct hf_ref t);
const char *sip_trans_state_name(enum sip_trans_state s);

#endif
