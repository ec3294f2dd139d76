/*
 * io/sip/session - calls of ours, one dialog each (RFC 3261 13 to 15): INVITE
 * both ways, its repeated 2xx and ACK, re-INVITE and UPDATE, CANCEL, BYE, INFO
 * and REFER.  Bytes and time go in, bytes and news come out; what the bodies
 * mean is the user's business, and so is whom to let in.
 *
 *   he calls:  INVITED  --answer--> ANSWERED --ACK--> UP --BYE--> (free)
 *   we call:   CALLING  --2xx, we ACK----------------> UP --our BYE--> LEAVING
 *              CALLING  --we give up--> CANCELLING --final--> (free)
 *
 * A session that its user has let go (sip_session_drop) says goodbye by
 * itself and tells nothing more.  Everything is a plain record with absolute
 * deadlines; what cannot outlive the process as it is (timers, transactions,
 * kept bytes) lies beside it, and io/sip/record says what of it does.
 */
#ifndef HF_IO_SIP_SESSION_H
#define HF_IO_SIP_SESSION_H

#include "io/sip/dialog.h"
#include "io/sip/transaction.h"

enum sip_session_state {
	SIP_S_FREE,
	SIP_S_INVITED,
	SIP_S_CALLING,
	SIP_S_CANCELLING,
	SIP_S_ANSWERED,
	SIP_S_UP,
	SIP_S_LEAVING,
};
enum { SIP_S_NR = SIP_S_LEAVING + 1 };

enum { SIP_DROP_TEXT_MAX = 64 };

struct sip_session {
	struct sip_dialog dialog;
	uint64_t user; /* the user's handle; 0: he let it go */
	uint64_t mark; /* the user's, for traces: stays when he lets go */
	uint64_t tag;  /* number of our tag */
	struct hf_time repeat, end; /* of the unacknowledged 2xx */
	struct hf_time give_up; /* on our INVITE, the first or not: CANCEL */
	struct hf_time retry;   /* a re-INVITE that met another (14.1) */
	struct hf_span interval;
	uint32_t n;             /* own place */
	uint32_t cseq_answered; /* CSeq of the INVITE our 2xx is for */
	uint16_t drop_code;     /* why, for the BYE that must wait */
	uint8_t state;
	uint16_t
	    account;    /* whose credentials challenges ask for; 0: nobody's */
	uint16_t phone; /* the user's: whose phone is at the far end; 0: none */
	bool caller;    /* we made the Call-ID */
	bool early;     /* CALLING: a To tag came */
	bool unacked;   /* our 2xx (also to a re-INVITE) waits for its ACK */
	bool late;      /* our 2xx held the offer: the ACK holds the answer */
	char drop_text[SIP_DROP_TEXT_MAX];
};

/* Beside the record: only for as long as the process lives. */
struct sip_session_live {
	struct hf_timer timer;
	struct sip_sessions *table;
	struct hf_ref invite;   /* its transaction, either way */
	struct hf_ref reinvite; /* ours, waiting for an answer */
	struct sip_flow source; /* INVITED: where the INVITE came from; CALLING:
				 * where ours went; later: where our 2xx goes */
	uint32_t asked;         /* kept bytes: his INVITE */
	uint32_t answer;        /* kept bytes: our 2xx */
	uint32_t credentials;   /* kept bytes: what answered a challenge */
	uint8_t stale;          /* nonces, since a request was last heard */
	bool changed;           /* since its record was last asked for */
	bool reworded;          /* ... and its words */
};

enum sip_left {
	SIP_LEFT_BYE,
	SIP_LEFT_CANCEL,
	SIP_LEFT_NO_ACK, /* our 2xx was never acknowledged */
	SIP_LEFT_LOST,   /* the far end does not know the dialog any more */
};

struct sip_session_hooks {
	bool (*send)(void *arg, struct sip_flow *to, struct hf_slice bytes);
	/* Our address as that peer should write it. */
	struct hf_addr (*here)(void *arg, const struct sip_flow *flow);
	/* As in transaction.h; requests inside dialogs do not come here. */
	uint16_t (*admit)(
	    void *arg, const struct sip_msg *m, const struct sip_flow *from);
	void (*stateless)(void *arg, const struct sip_msg *m,
	    const struct sip_flow *from, uint16_t status);
	/* Credentials for a challenge to a request of ours, as whole header
	 * lines; account is the call's, asked what was challenged, way where
	 * it goes once more.  False: there are none, they are not for whoever
	 * is there, or it asks for what we cannot do. */
	bool (*credentials)(void *arg, uint16_t account,
	    const struct sip_flow *way, const struct sip_msg *asked,
	    const struct sip_msg *challenge, struct hf_buf *lines);
	/* An INVITE that was admitted is about to be refused by the layers
	 * below its user, with this status: outside() will not come, or
	 * sip_session_invited() says NULL.  May be NULL. */
	void (*turned_away)(void *arg, const struct sip_msg *m,
	    const struct sip_flow *from, uint16_t status);
	/* A new call (INVITE), or another request outside of dialogs: to be
	 * answered with sip_session_invited() or sip_sessions_reply(). */
	void (*outside)(void *arg, struct hf_ref t, const struct sip_msg *m,
	    const struct sip_flow *from);
	/* What came of sip_sessions_ask(); m is NULL when nothing came. */
	void (*outcome)(void *arg, uint64_t user, const struct sip_msg *m);

	/* Of a session: */
	void (*rang)(void *arg, struct sip_session *s, const struct sip_msg *m);
	void (*answered)(
	    void *arg, struct sip_session *s, const struct sip_msg *m);
	/* The end of CALLING; m is NULL when no answer came. */
	void (*refused)(void *arg, struct sip_session *s,
	    const struct sip_msg *m, enum sip_trans_end why);
	/* Our 2xx was acknowledged; m bears the answer when it was late. */
	void (*confirmed)(
	    void *arg, struct sip_session *s, const struct sip_msg *m);
	/* A re-INVITE or UPDATE; m without a body: an offer is wanted.  Our
	 * description goes into sdp; returns 200 or why not. */
	uint16_t (*reoffered)(void *arg, struct sip_session *s,
	    const struct sip_msg *m, struct hf_buf *sdp);
	/* The outcome of our own re-INVITE; m is NULL when nothing came. */
	void (*reanswered)(
	    void *arg, struct sip_session *s, const struct sip_msg *m);
	/* It met theirs; now is the time to try sip_session_reinvite again. */
	void (*retry)(void *arg, struct sip_session *s);
	/* An INFO: 200, or why it goes nowhere. */
	uint16_t (*info)(
	    void *arg, struct sip_session *s, const struct sip_msg *m);
	/* 202, or why not.  to is the Refer-To URI. */
	uint16_t (*referred)(
	    void *arg, struct sip_session *s, const struct sip_uri *to);
	/* The far end is gone (or the dialog); m is NULL without a message. */
	void (*left)(void *arg, struct sip_session *s, const struct sip_msg *m,
	    enum sip_left how);
};

struct sip_session_counts {
	uint64_t calls_in, calls_out, full;
	uint64_t glare, out_of_order, no_ack, forked, looped, no_dialog;
	uint64_t ack_unmatched, restored;
};

struct sip_sessions {
	struct sip_transactions tt;
	struct sip_session *session; /* the caller's memory: slots */
	struct sip_session_live *live;
	struct hf_pool pool;
	struct hf_map by_tag;
	const struct sip_session_hooks *hooks;
	void *arg;
	struct hf_time now;
	struct hf_wheel *wheel;
	struct hf_rand *rand;
	struct hf_hash_key hash;
	char user_agent[64];    /* empty: no such header */
	uint16_t retry_after_s; /* on 503, 0: not said; the owner may set it */
	struct sip_session_counts count;
	uint32_t *changed; /* places, each once */
	uint32_t changes;
	struct hf_pool_place *places;
	struct hf_map_cell *cells;
	uint32_t cells_n;
	/* The INVITE that was last read again, and whose it is. */
	struct hf_ref asked_of;
	struct sip_msg asked;
};

struct sip_sessions_conf {
	uint32_t sessions, transactions;
	struct sip_timers timers;
	const char *user_agent;
};

/* memory: conf->sessions records, zero.  False: no memory. */
bool sip_sessions_init(struct sip_sessions *ss, struct sip_session *memory,
    const struct sip_sessions_conf *conf, struct hf_wheel *wheel,
    struct hf_rand *rand, const struct sip_session_hooks *hooks, void *arg,
    struct hf_time now);
void sip_sessions_free(struct sip_sessions *ss);

/* One message, as it came. */
void sip_sessions_receive(struct sip_sessions *ss, const struct sip_msg *m,
    struct sip_verdict v, const struct sip_flow *from, struct hf_time now);
void sip_sessions_refused(
    struct sip_sessions *ss, struct hf_slice bytes, struct hf_time now);
void sip_sessions_lost(
    struct sip_sessions *ss, struct hf_ref conn, struct hf_time now);

/* Answers a request outside of dialogs: t's, or without state when t is none.
 * lines: whole header lines, may be empty. */
void sip_sessions_reply(struct sip_sessions *ss, struct hf_ref t,
    const struct sip_msg *m, const struct sip_flow *from, uint16_t status,
    struct hf_slice reason, struct hf_slice lines);

/* A request of its own (OPTIONS) to uri; outcome() tells.  user: below 2^63,
 * not 0. */
bool sip_sessions_ask(struct sip_sessions *ss, enum sip_method method,
    const struct sip_flow *to, struct hf_slice uri, uint64_t user,
    struct hf_time now);

/* Takes a new call in: 100 is sent.  NULL: it has been refused (503 or what
 * the dialog rules ask for). */
struct sip_session *sip_session_invited(struct sip_sessions *ss,
    struct hf_ref t, const struct sip_msg *m, const struct sip_flow *from,
    uint64_t user);

struct sip_call {
	struct sip_flow to;
	struct hf_slice uri;  /* Request-URI and To */
	struct hf_slice user; /* of our From URI: the caller's number */
	struct hf_slice display;
	struct hf_slice lines; /* more header lines */
	struct hf_slice body;  /* our offer */
	const char *type;      /* of the body; NULL: application/sdp */
	unsigned max_forwards; /* 0: only for whom it reaches */
	bool anonymous;        /* From says nobody's name */
	struct hf_time give_up;
	uint64_t handle; /* the user's */
	uint16_t
	    account; /* for hooks->credentials; 0: challenges are refusals */
};
/* Calls; NULL: no room, or it could not be sent. */
struct sip_session *sip_session_call(
    struct sip_sessions *ss, const struct sip_call *c, struct hf_time now);

/* INVITED: a provisional answer, body may be empty. */
void sip_session_ring(struct sip_sessions *ss, struct sip_session *s,
    uint16_t status, struct hf_slice body, struct hf_time now);
/* INVITED: 200.  late: body is an offer.  False: it could not be written; the
 * caller has heard 500 and the session is gone. */
bool sip_session_answer(struct sip_sessions *ss, struct sip_session *s,
    struct hf_slice body, bool late, struct hf_time now) HF_CHECK;
/* INVITED: a final refusal; the session is gone. */
void sip_session_refuse(struct sip_sessions *ss, struct sip_session *s,
    uint16_t status, struct hf_slice reason, struct hf_slice lines,
    struct hf_time now);
/* Whatever its state, it ends; code and text for the Reason header, 0: none. */
void sip_session_drop(struct sip_sessions *ss, struct sip_session *s,
    uint16_t code, struct hf_slice text, struct hf_time now);

/* UP: a new offer.  False: not now (another one is on its way). */
bool sip_session_reinvite(struct sip_sessions *ss, struct sip_session *s,
    struct hf_slice body, struct hf_time now);
/* UP: INFO, or NOTIFY with "message/sipfrag" for our REFER's subscription. */
bool sip_session_tell(struct sip_sessions *ss, struct sip_session *s,
    enum sip_method method, struct hf_slice lines, const char *type,
    struct hf_slice body, struct hf_time now);

/* His connection has ended, and he is there over another one: what is said to
 * him from now on goes over that. */
void sip_session_follow(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_flow *to);
/* It rang over a connection that is gone, and rings no more for us: he has to
 * come back to hear so. */
bool sip_session_awaits(
    const struct sip_sessions *ss, const struct sip_session *s);

/* UP: how the REFER fares (a status), for its subscription (RFC 3515 2.4.5). */
void sip_session_report(struct sip_sessions *ss, struct sip_session *s,
    uint16_t status, struct hf_time now);

/* INVITED: the INVITE once more, as long as it is not answered. */
bool sip_session_asked(
    struct sip_sessions *ss, const struct sip_session *s, struct sip_msg *m);

struct sip_session *sip_session_by_tag(
    const struct sip_sessions *ss, struct hf_slice tag);

/* So long or up to twice as long: whom we send away together does not come back
 * together. */
uint32_t sip_spread(struct hf_rand *r, uint16_t seconds);
const char *sip_session_state_name(enum sip_session_state s);

#endif
