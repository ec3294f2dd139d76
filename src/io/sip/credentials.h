/*
 * io/sip/credentials - a request of ours that was challenged (401, 407) is
 * said once more, with what its user knows (RFC 3261 22.2 and 22.3): the same
 * call, a CSeq one higher.  Our first INVITE and the BYE of such a call are;
 * a refused re-INVITE leaves the call as it was.
 */
#ifndef HF_IO_SIP_CREDENTIALS_H
#define HF_IO_SIP_CREDENTIALS_H

#include "io/sip/session.h"

/* The final response m to an INVITE (CALLING) or a BYE (LEAVING).  True: it
 * was a challenge and is answered, the session goes on.  A challenge that
 * comes again is a refusal, unless it says that only the nonce was too old. */
bool sip_session_challenged(
    struct sip_sessions *ss, struct sip_session *s, const struct sip_msg *m);

/* For the ACK of the first 2xx, which bears its INVITE's credentials
 * (13.2.2.4): whole header lines, mostly none. */
struct hf_slice sip_session_credentials(
    struct sip_sessions *ss, const struct sip_session *s);

#endif
