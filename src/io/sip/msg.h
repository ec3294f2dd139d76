/*
 * io/sip/msg - one SIP message as slices of the bytes it came in (RFC 3261
 * section 7 and 25).  Parsing copies nothing, allocates nothing and does not
 * recurse; the bytes must outlive the struct.  Headers keep their order;
 * comma lists of Via, Route, Record-Route and Contact are split into one entry
 * each, folded lines and compact names are understood.
 */
#ifndef HF_IO_SIP_MSG_H
#define HF_IO_SIP_MSG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/slice.h"

enum {
	SIP_MSG_MAX = 65535,   /* bytes in one message */
	SIP_HEADERS_MAX = 128, /* header entries after splitting lists */
};

enum sip_method {
	SIP_INVITE,
	SIP_ACK,
	SIP_BYE,
	SIP_CANCEL,
	SIP_OPTIONS,
	SIP_REGISTER,
	SIP_INFO,
	SIP_REFER,
	SIP_NOTIFY,
	SIP_PRACK,
	SIP_UPDATE,
	SIP_MESSAGE,
	SIP_SUBSCRIBE,
	SIP_PUBLISH,
	SIP_OTHER, /* syntactically fine, unknown to us: 405 or 501 */
};

enum sip_header {
	SIP_H_OTHER,
	SIP_H_ACCEPT,
	SIP_H_ALLOW,
	SIP_H_AUTHORIZATION,
	SIP_H_CALL_ID,
	SIP_H_CONTACT,
	SIP_H_CONTENT_DISPOSITION,
	SIP_H_CONTENT_ENCODING,
	SIP_H_CONTENT_LENGTH,
	SIP_H_CONTENT_TYPE,
	SIP_H_CSEQ,
	SIP_H_DATE,
	SIP_H_DIVERSION,
	SIP_H_EVENT,
	SIP_H_EXPIRES,
	SIP_H_FROM,
	SIP_H_HISTORY_INFO,
	SIP_H_MAX_FORWARDS,
	SIP_H_MIN_EXPIRES,
	SIP_H_P_ASSERTED_IDENTITY,
	SIP_H_PRIVACY,
	SIP_H_PROXY_AUTHENTICATE,
	SIP_H_PROXY_AUTHORIZATION,
	SIP_H_PROXY_REQUIRE,
	SIP_H_REASON,
	SIP_H_RECORD_ROUTE,
	SIP_H_REFER_TO,
	SIP_H_REFERRED_BY,
	SIP_H_REPLACES,
	SIP_H_REQUIRE,
	SIP_H_RETRY_AFTER,
	SIP_H_ROUTE,
	SIP_H_RSEQ,
	SIP_H_RACK,
	SIP_H_SERVER,
	SIP_H_SESSION_EXPIRES,
	SIP_H_SUBSCRIPTION_STATE,
	SIP_H_SUPPORTED,
	SIP_H_TO,
	SIP_H_UNSUPPORTED,
	SIP_H_USER_AGENT,
	SIP_H_USER_TO_USER,
	SIP_H_VIA,
	SIP_H_WARNING,
	SIP_H_WWW_AUTHENTICATE,
	SIP_H_NR
};
_Static_assert(SIP_H_NR <= 64, "sip_msg.seen has a bit for each");

/* sip:user:password@host:port;params?headers (RFC 3261 19.1).  Of a tel URI
 * the number is in user, its parameters in params; of any other scheme only
 * whole and scheme are set. */
struct sip_uri {
	struct hf_slice whole;
	struct hf_slice scheme; /* "sip", "sips", "tel" or anything else */
	struct hf_slice user;   /* still escaped; empty when absent */
	struct hf_slice host;   /* without brackets */
	struct hf_slice params; /* behind the first ';', without it */
	struct hf_slice headers;
	uint16_t port; /* 0 when absent */
};

/* From, To, Contact, Route, ...: "Name" <uri>;params, or uri;params. */
struct sip_name_addr {
	struct hf_slice display; /* unquoted outside, escapes left in */
	struct sip_uri uri;
	struct hf_slice params; /* header parameters behind the first ';' */
};

struct sip_via {
	struct hf_slice transport; /* "UDP" */
	struct hf_slice host;
	uint16_t port; /* 0 when absent */
	struct hf_slice branch, received, rport;
	bool has_rport;
	struct hf_slice whole;
};

struct sip_header_line {
	enum sip_header id;
	struct hf_slice name;
	struct hf_slice value; /* trimmed; folds still inside */
};

struct sip_msg {
	struct hf_slice raw;
	bool request;
	/* request */
	enum sip_method method;
	struct hf_slice method_text;
	struct hf_slice uri_text;
	struct sip_uri uri;
	/* response */
	uint16_t status;
	struct hf_slice reason;

	/* What RFC 3261 8.1.1 makes mandatory, already parsed. */
	struct sip_via via; /* the topmost */
	struct sip_name_addr from, to;
	struct hf_slice from_tag, to_tag;
	struct hf_slice call_id;
	uint32_t cseq;
	enum sip_method cseq_method;
	struct hf_slice cseq_method_text;
	uint8_t max_forwards;
	bool has_max_forwards;

	uint64_t seen; /* a bit for each enum sip_header that is there */
	uint16_t headers;
	struct sip_header_line header[SIP_HEADERS_MAX];
	struct hf_slice body;
};

/*
 * What came of parsing.  BAD with a status is a request that must be answered
 * so (and then ignored); everything needed for the answer (Via, From, To,
 * Call-ID, CSeq) is then in the struct.  DROP cannot be answered.
 */
enum sip_parsed { SIP_GOOD, SIP_BAD, SIP_DROP };
struct sip_verdict {
	enum sip_parsed parsed;
	uint16_t status; /* for BAD: 400, 413, 416, 420, 501, 505, ... */
	const char *why; /* static text: reason phrase, counter, log */
	uint32_t at;     /* byte offset of the trouble */
};

/* A datagram: one message; bytes behind Content-Length are cut off (RFC 3261
 * 18.3), too few are BAD 400.  A response that is wrong in any way, or has more
 * than one Via (8.1.3.3: we are never a proxy), and a wrong ACK are DROP. */
struct sip_verdict sip_parse(struct hf_slice bytes, struct sip_msg *out);

/* The same slices of the same bytes once more, without the empty rest. */
void sip_msg_copy(struct sip_msg *to, const struct sip_msg *from);

/* A stream: how many bytes the first message in them has.  0: not all here
 * yet.  -1: never will be (no end within SIP_MSG_MAX, no or bad
 * Content-Length): close the connection.  Leading CRLF keep-alives (RFC 5626
 * 3.5.1) are counted in *skip. */
int sip_frame(struct hf_slice bytes, uint32_t *skip);

/* Where that is -1, behind skip: the bytes of the head, when it is the wrong
 * Content-Length in it that keeps the message from having an end.  It can be
 * read, and is BAD 400 (RFC 4475 3.1.2.3 and 3.3.9).  0: there is nothing to
 * answer. */
uint32_t sip_frame_head(struct hf_slice bytes);

/* The n-th (from 0) entry of a header; NULL when there is none. */
const struct sip_header_line *sip_find(
    const struct sip_msg *m, enum sip_header id, unsigned nth);

/* Takes the next item off a comma list; quotes and <> protect commas.  False
 * at the end; empty items are passed over. */
bool sip_list_next(struct hf_slice *list, struct hf_slice *item);

/* Writes the option tags of Require (or Proxy-Require) that are not in the
 * comma list known, as the value of Unsupported.  True when there are any:
 * the answer is 420 (8.2.2.3). */
bool sip_unknown_required(const struct sip_msg *m, enum sip_header id,
    struct hf_slice known, struct hf_buf *unsupported);

bool sip_parse_uri(struct hf_slice s, struct sip_uri *out);
bool sip_parse_name_addr(struct hf_slice s, struct sip_name_addr *out);
bool sip_parse_via(struct hf_slice s, struct sip_via *out);

/* ";name=value" among params (of a URI or a header); names without case,
 * quotes taken off.  False when absent; an empty value when it has none. */
bool sip_param(
    struct hf_slice params, struct hf_slice name, struct hf_slice *value);

/* Undoes %XX into to; false when it does not fit or holds %00. */
bool sip_unescape(struct hf_slice s, char *to, size_t cap);

/* "urn:service:sos", "urn:service:sos.fire": a call for help (RFC 5031). */
bool sip_is_sos(struct hf_slice uri);

/* The number a host part is, if it is one: with or without brackets, and with
 * the three colons of RFC 3261's grammar mistake (RFC 5118 4.5). */
bool sip_host_addr(struct hf_slice host, struct hf_addr *out);

/* URI comparison of RFC 3261 19.1.4. */
bool sip_uri_eq(const struct sip_uri *a, const struct sip_uri *b);
/* The same scheme and user; hosts, which proxies rewrite, may differ. */
bool sip_uri_names(const struct sip_uri *a, const struct sip_uri *b);

const char *sip_method_name(enum sip_method m);
const char *sip_header_name(enum sip_header h);
/* "Busy Here" for 486; "Unknown" classes by their first digit. */
const char *sip_reason(uint16_t status);

#endif
