/*
 * io/sip/peek - what kind of message is this, before it is worth parsing?  In
 * a flood most is thrown away by what is seen here: the first line and To's
 * tag, one pass over the header, nothing checked.  Whatever is wrong with the
 * message besides, the parser finds; and a peek that was deceived costs no
 * more than a message that was parsed.
 */
#ifndef HF_IO_SIP_PEEK_H
#define HF_IO_SIP_PEEK_H

#include "base/slice.h"

enum sip_peek_kind {
	SIP_PEEK_NOISE,  /* no SIP that we know */
	SIP_PEEK_ANSWER, /* a response */
	SIP_PEEK_ABOUT,  /* ACK or CANCEL: about a request that was heard */
	SIP_PEEK_INSIDE, /* To has a tag */
	SIP_PEEK_NEW,    /* any other request */
};

struct sip_peek {
	enum sip_peek_kind kind;
	bool invite, cancel;
	struct hf_slice uri;  /* the Request-URI */
	struct hf_slice user; /* of it, as written; may be empty */
	struct hf_slice tag;  /* INSIDE: To's */
};

struct sip_peek sip_peek(struct hf_slice bytes);

#endif
