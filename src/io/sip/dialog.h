/*
 * io/sip/dialog - what two SIP parties know of each other (RFC 3261 12): a
 * plain fixed-size record without pointers, made to lie in a slot, and the
 * rules for requests inside a dialog.  Nothing here sends or waits.
 */
#ifndef HF_IO_SIP_DIALOG_H
#define HF_IO_SIP_DIALOG_H

#include "base/hash.h"
#include "io/sip/flow.h"
#include "io/sip/msg.h"

enum {
	SIP_CALL_ID_MAX = 256, /* longer ones are refused with 400 */
	SIP_TAG_MAX = 192,
	SIP_OUR_TAG = 16, /* hex digits of a random number */
	SIP_URI_MAX = 256,
	SIP_ROUTES_MAX = 768, /* a whole route set, as it is written */
};

struct sip_dialog {
	char call_id[SIP_CALL_ID_MAX];
	char local_tag[SIP_OUR_TAG + 1];
	char remote_tag[SIP_TAG_MAX]; /* empty: not known yet */
	char local[SIP_URI_MAX];      /* URIs of From and To */
	char remote[SIP_URI_MAX];
	char target[SIP_URI_MAX]; /* his Contact: our Request-URI */
	char
	    routes[SIP_ROUTES_MAX]; /* "<sip:a;lr>, <sip:b;lr>", in our order */
	struct sip_flow flow;       /* where our requests go */
	uint32_t cseq_local;        /* of our last request */
	uint32_t cseq_remote;       /* of his last one */
	uint32_t cseq_invite;       /* of our last INVITE: its ACK's number */
	bool cseq_remote_known;
	bool symmetric; /* the user says: answer to the source, always */
	bool natted; /* his Contact is not where he is: answer to the source */
	bool again;  /* taken up from a record, and nothing new has come yet */
};

/* Our tag as number (its key in tables) and as text. */
uint64_t sip_tag_make(struct hf_rand *r, char *to);
void sip_tag_text(uint64_t tag, char *to); /* SIP_OUR_TAG + 1 bytes */
bool sip_tag_number(struct hf_slice tag, uint64_t *out);

/* The callee's side of an INVITE (12.1.1).  0, or the status to refuse it
 * with.  d->local_tag is set before. */
uint16_t sip_dialog_called(
    struct sip_dialog *d, const struct sip_msg *m, const struct sip_flow *from);

/* The caller's side when a response with a To tag comes (12.1.2); a later
 * 2xx of another branch overwrites what an early one said (13.2.2.4). */
bool sip_dialog_answered(
    struct sip_dialog *d, const struct sip_msg *m, const struct sip_flow *from);

/* Call-ID and tags of a message from the far end fit (12.2.2).  An unknown
 * remote tag fits all. */
bool sip_dialog_has(const struct sip_dialog *d, const struct sip_msg *m);

/* A request in order?  0, or 500 (12.2.2); notes its CSeq. */
uint16_t sip_dialog_order(struct sip_dialog *d, const struct sip_msg *m);

/* Target refresh: Contact of an INVITE or UPDATE, or of its 2xx. */
void sip_dialog_refresh(
    struct sip_dialog *d, const struct sip_msg *m, const struct sip_flow *from);

/* The beginning of a request in the dialog: request line, Via, Max-Forwards,
 * Route, From, To, Call-ID, CSeq (12.2.1.1; strict routers are humoured).  The
 * next CSeq is used up, except for ACK, which bears its INVITE's. */
void sip_dialog_put(struct hf_buf *b, struct sip_dialog *d,
    enum sip_method method, const char *branch, const struct hf_addr *here,
    unsigned max_forwards);

#endif
