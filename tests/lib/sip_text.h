/*
 * tests/lib/sip_text - SIP and SDP as plain text, for the tests' own phones.
 * Simple on purpose and apart from src/io/sip: what both sides read wrongly
 * in the same way would never be found.
 */
#ifndef HF_TESTS_SIP_TEXT_H
#define HF_TESTS_SIP_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SIP_TEXT_MAX = 9000, SIP_WORD_MAX = 256 };

/* Points into nothing: a message is copied once into raw. */
struct sip_text {
	char raw[SIP_TEXT_MAX]; /* NUL behind it */
	int len;
	const char *body; /* in raw */
	int status;       /* of a response, 0 for a request */
	char method[24];  /* of a request, or of the CSeq of a response */
	char uri[SIP_WORD_MAX];
	char call_id[SIP_WORD_MAX];
	char branch[SIP_WORD_MAX]; /* of the first Via */
	char from_tag[96], to_tag[96];
	uint32_t cseq;
};

/* False when it is not SIP at all. */
bool sip_text_read(struct sip_text *m, const char *p, size_t n);

/* The nth (from 0) line of a header, its value alone; "" and false when there
 * is none.  Compact forms are known. */
bool sip_text_get(
    const struct sip_text *m, const char *name, int nth, char *out, size_t cap);

/* value of ;name= in a header's value; false when absent. */
bool sip_text_param(const char *value, const char *name, char *out, size_t cap);

/* What is between < and >, or the value up to a ; */
void sip_text_uri(const char *value, char *out, size_t cap);

/* "sip:user@host:port;..." taken apart; port 5060 when absent.  IPv6 hosts
 * come without brackets. */
bool sip_text_host(const char *uri, char *host, size_t cap, int *port);

/* How long the first message on a TCP connection is; 0: more is needed;
 * negative: no SIP. */
int sip_text_frame(const char *p, size_t n);

/* ---- SDP: one audio line --------------------------------------------------
 */

struct sdp_text {
	bool there; /* an audio line with a port */
	char ip[64];
	int port, rtcp; /* rtcp 0: port + 1 */
	int payload[8]; /* as listed */
	int payloads;
	int dtmf; /* telephone-event's payload type, 0: none */
	int cn;
	int ptime;
	char direction[12]; /* sendrecv unless said */
	bool mux;
};

void sdp_text_read(struct sdp_text *s, const char *body);

/* Digest of RFC 2617 and RFC 7616 (MD5, SHA-256; qop auth or none): the value
 * of an Authorization header for this challenge. */
void sip_text_digest(const char *challenge, const char *user,
    const char *secret, const char *method, const char *uri, char *out,
    size_t cap);

#endif
