/*
 * io/sip/build - writing SIP messages into a buffer, header by header, in the
 * order of the calls.  Nothing here fails: a message that does not fit marks
 * the buffer, which is asked once at the end.  Every foreign byte is checked
 * or escaped on its way out, so that nobody can put a line of his own into a
 * message of ours.
 *
 * A request:  sip_put_request_line, sip_put_via, ..., sip_put_body
 * A response: sip_put_reply, more headers, sip_put_body
 */
#ifndef HF_IO_SIP_BUILD_H
#define HF_IO_SIP_BUILD_H

#include "io/sip/msg.h"

/* What we can do; the values of Allow and Accept. */
#define SIP_ALLOW                                                              \
	"INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, REFER, NOTIFY, "             \
	"UPDATE, REGISTER"
#define SIP_ACCEPT "application/sdp, multipart/mixed"

/* First lines.  The URI is written as it is, but ends at the first byte that
 * may not stand in a request line.  An empty reason: sip_reason(). */
void sip_put_request_line(
    struct hf_buf *b, struct hf_slice method, struct hf_slice uri);
void sip_put_status_line(
    struct hf_buf *b, uint16_t status, struct hf_slice reason);

/* "Name: value" and the line end.  Folds, CR and LF in the value become
 * blanks. */
void sip_put(struct hf_buf *b, enum sip_header h, struct hf_slice value);
void sip_put_named(
    struct hf_buf *b, struct hf_slice name, struct hf_slice value);
void sip_put_number(struct hf_buf *b, enum sip_header h, uint64_t value);

/* Our own Via: "SIP/2.0/UDP host:port;branch=...;rport".  The transport is
 * "UDP" or "TCP"; by is the address we want answers at. */
void sip_put_via(struct hf_buf *b, const char *transport,
    const struct hf_addr *by, struct hf_slice branch);

/* "From: "Anna" <sip:anna@example.net>;tag=abc".  Display and tag may be
 * empty; the display is quoted and escaped here. */
void sip_put_name_addr(struct hf_buf *b, enum sip_header h,
    struct hf_slice display, struct hf_slice uri, struct hf_slice tag);

/* "Contact: <sip:user@host:port;transport=tcp>"; user and transport may be
 * empty. */
void sip_put_contact(struct hf_buf *b, struct hf_slice user,
    const struct hf_addr *at, struct hf_slice transport);

void sip_put_cseq(struct hf_buf *b, uint32_t cseq, struct hf_slice method);

/* RFC 3326: "Reason: SIP;cause=200;text="Call completed elsewhere"".  An empty
 * text: none. */
void sip_put_reason(struct hf_buf *b, const char *protocol, uint16_t cause,
    struct hf_slice text);
/* Every entry of one header of another message, one line each, in order:
 * Record-Route in a 2xx, Via in a response. */
void sip_put_copies(
    struct hf_buf *b, const struct sip_msg *from, enum sip_header h);

/* Content-Type (when there is a body; type NULL: it is written already),
 * Content-Length, the empty line and the body: the end of every message. */
void sip_put_body(struct hf_buf *b, const char *type, struct hf_slice body);

/* Pieces: text in double quotes with \ before " and \; a URI's user part with
 * %XX where RFC 3261 25.1 wants it; "sip:user@host:port". */
void sip_put_quoted(struct hf_buf *b, struct hf_slice text);
void sip_put_user(struct hf_buf *b, struct hf_slice user);
void sip_put_uri(
    struct hf_buf *b, struct hf_slice user, const struct hf_addr *at);

/*
 * The beginning of a response (RFC 3261 8.2.6.2): status line, all Vias (the
 * topmost with received and rport as source says; NULL leaves it alone), From,
 * To, Call-ID, CSeq.  The tag goes into To unless To has one, or the status is
 * 100, or the tag is empty.  req may be SIP_BAD; what it lacks is left out.
 */
void sip_put_reply(struct hf_buf *b, const struct sip_msg *req, uint16_t status,
    struct hf_slice reason, struct hf_slice to_tag,
    const struct hf_addr *source);

/* Whole messages of the INVITE client transaction, made from the INVITE we
 * sent: the ACK for a 3xx to 6xx (17.1.1.3) and the CANCEL
 * (9.1), with more header lines of ours. */
void sip_put_ack(struct hf_buf *b, const struct sip_msg *invite,
    const struct sip_msg *response);
void sip_put_cancel(
    struct hf_buf *b, const struct sip_msg *invite, struct hf_slice lines);

#endif
