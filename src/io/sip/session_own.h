/* io/sip/session_own - what session.c and session_in.c share; for nobody else.
 */
#ifndef HF_IO_SIP_SESSION_OWN_H
#define HF_IO_SIP_SESSION_OWN_H

#include "io/sip/session.h"

/* A message of ours under construction.  An answer gives back what the largest
 * request brought: it must not be the answer that does not fit. */
struct sip_draft {
	struct hf_buf b;
	char room[SIP_MSG_MAX + 8192];
};

#define SIP_ASKED (1ULL << 63) /* marks sip_sessions_ask()'s users */

static inline struct sip_session_live *
sip_live(struct sip_sessions *ss, const struct sip_session *s)
{
	return &ss->live[s->n];
}

static inline struct hf_ref
sip_session_ref(const struct sip_sessions *ss, const struct sip_session *s)
{
	return hf_pool_at(&ss->pool, s->n);
}

/* Its record is not what it was: at the turn's end it is committed.  Reword:
 * so is what it would have to say again. */
void sip_session_touch(struct sip_sessions *ss, const struct sip_session *s);
void sip_session_reword(struct sip_sessions *ss, const struct sip_session *s);
/* What lies beside a record that has just come to life. */
void sip_session_begin_life(struct sip_sessions *ss, struct sip_session *s);

void sip_session_move(struct sip_session *s, enum sip_session_state next);
void sip_session_free(struct sip_sessions *ss, struct sip_session *s);
void sip_session_arm(struct sip_sessions *ss, struct sip_session *s);
bool sip_session_send(
    struct sip_sessions *ss, struct sip_session *s, struct hf_slice bytes);

/* Says so to who keeps books. */
void sip_session_turned(struct sip_sessions *ss, const struct sip_msg *m,
    const struct sip_flow *from, uint16_t status);

struct hf_buf *sip_draft(struct sip_draft *d);
/* Answers through t; nothing is sent of what did not fit. */
void sip_draft_answer(struct sip_sessions *ss, struct hf_ref t, uint16_t status,
    const struct hf_buf *b);
void sip_put_agent(struct sip_sessions *ss, struct hf_buf *b);
void sip_put_our_contact(struct sip_sessions *ss, struct hf_buf *b,
    const struct sip_flow *flow, struct hf_slice user);
/* The beginning of a request in s's dialog; the transaction's branch. */
uint64_t sip_session_begin(struct sip_sessions *ss, struct sip_dialog *d,
    enum sip_method method, struct hf_buf *b);
/* lines: more header lines, may be empty. */
void sip_session_ack(
    struct sip_sessions *ss, struct sip_dialog *d, struct hf_slice lines);
void sip_session_bye(struct sip_sessions *ss, struct sip_session *s,
    uint16_t code, struct hf_slice text);
/* A 2xx that nobody wants: ACK, then BYE (13.2.2.4). */
void sip_session_decline(struct sip_sessions *ss, const struct sip_msg *m,
    const struct sip_flow *from);
/* Our 2xx to an INVITE goes out, and again until it is acknowledged.  False: it
 * cannot be written; nothing was sent. */
bool sip_session_accept(struct sip_sessions *ss, struct sip_session *s,
    struct hf_ref t, const struct sip_msg *invite, const struct sip_flow *from,
    struct hf_slice body, bool late) HF_CHECK;
/* Over: the user hears it, unless he let go. */
void sip_session_leave(struct sip_sessions *ss, struct sip_session *s,
    const struct sip_msg *m, enum sip_left how);

extern const struct sip_trans_hooks sip_session_trans_hooks;

#endif
