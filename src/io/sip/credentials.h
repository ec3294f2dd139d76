/*
 * io/sip/credentials - a request of ours that was challenged (401, 407) is
 * said once more, with what its user knows (RFC 3261 22.2 and 22.3): the same
 * call, a CSeq one higher.  So is whatever we ask in a call that has an
 * account: its INVITE, and BYE, re-INVITE, INFO, NOTIFY and OPTIONS inside.
 * Nothing is said to a realm before it asks: the next request begins anew.
 */
#ifndef HF_IO_SIP_CREDENTIALS_H
#define HF_IO_SIP_CREDENTIALS_H

#include "io/sip/session.h"

/* The final response m, within the transactions' hook.  True: it was a
 * challenge and is answered, the session goes on.  One that comes again from
 * the same realm is a refusal, unless it says that only the nonce was too old;
 * and it may not say that more often than there are realms. */
bool sip_session_challenged(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_msg *m);

/* For the ACK of a 2xx, which bears its INVITE's credentials (13.2.2.4): whole
 * header lines, mostly none. */
struct hf_slice sip_session_credentials(
    struct sip_sessions *ss, const struct sip_session *s);

#endif
