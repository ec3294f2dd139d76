/*
 * io/sip/record - what of a session outlives the process: a plain record
 * whose texts lie one behind the other, so that a commit costs what they
 * take; and, while its state needs one, the message that it would have to
 * say again or to answer (its words).
 *
 *   INVITED             the caller's INVITE
 *   CALLING, CANCELLING our INVITE
 *   2xx not acknowledged  our 2xx
 *
 * Committed before the bytes leave: a record may know more than the far end
 * has heard, never less.
 */
#ifndef HF_IO_SIP_RECORD_H
#define HF_IO_SIP_RECORD_H

#include "io/sip/session.h"

enum sip_text {
	SIP_TEXT_CALL_ID,
	SIP_TEXT_REMOTE_TAG,
	SIP_TEXT_LOCAL,
	SIP_TEXT_REMOTE,
	SIP_TEXT_TARGET,
	SIP_TEXT_ROUTES,
	SIP_TEXT_DROP,
};
enum { SIP_TEXTS = SIP_TEXT_DROP + 1 };

struct sip_record {
	struct hf_ref ref; /* place and tenant in the table */
	uint64_t user, mark, tag;
	struct hf_time repeat, end, give_up, retry;
	struct hf_span interval;
	struct sip_flow flow, source;
	uint32_t cseq_local, cseq_remote, cseq_invite, cseq_answered;
	uint16_t drop_code, account, phone;
	uint16_t length[SIP_TEXTS];
	uint8_t state;
	bool caller, early, unacked, late;
	bool cseq_remote_known, symmetric, natted;
	char text[SIP_CALL_ID_MAX + SIP_TAG_MAX + 3 * SIP_URI_MAX +
		  SIP_ROUTES_MAX + SIP_DROP_TEXT_MAX];
};

/* What must be known of s; the bytes of *r that say something. */
uint32_t sip_record_write(const struct sip_sessions *ss,
    const struct sip_session *s, struct sip_record *r);

/* True when the words of s are others than when it was asked last; *out is
 * empty when it needs none. */
bool sip_session_words(
    struct sip_sessions *ss, const struct sip_session *s, struct hf_slice *out);

/* The next session that changed since it was asked last, by its place; false:
 * none.  One whose state is FREE is over. */
bool sip_sessions_changed(struct sip_sessions *ss, uint32_t *place);

/*
 * Before the first message of a new process, in order of places: takes up the
 * dialog again, says what was being said and arms what was due.  wanted: its
 * user still knows of it; else it says goodbye by itself.  NULL: there is no
 * sense in it any more, the record may go.
 */
struct sip_session *sip_session_restore(struct sip_sessions *ss,
    const struct sip_record *r, struct hf_slice words, bool wanted,
    struct hf_time now);

#endif
