/*
 * io/sip/digest - who are you: digest authentication (RFC 7616, RFC 8760,
 * RFC 3261 section 22) as server and as client, with SHA-256 and MD5.  A nonce
 * carries its time and our keyed hash, so nothing is kept per challenge; the
 * use counts of nonces that were answered are, in a small table, so that a
 * response works once.  An unknown user and a wrong password take the same
 * path through the same hashes.
 */
#ifndef HF_IO_SIP_DIGEST_H
#define HF_IO_SIP_DIGEST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/slice.h"
#include "base/time.h"
#include "io/sip/msg.h"

/* The hash functions come from outside (io/tls/digest has them): the parts
 * are hashed as one text; out has 16 or 32 bytes. */
typedef void sip_hash_fn(
    void *ctx, const struct hf_slice *part, size_t parts, uint8_t *out);
struct sip_hashes {
	sip_hash_fn *md5, *sha256;
	void *ctx;
};

enum {
	SIP_NONCE_TEXT = 48, /* characters */
	SIP_DIGEST_SECRET_MAX = 128,
	SIP_DIGEST_TEXT_MAX = 1024, /* our header lines fit into this */
	SIP_REALMS_MAX = 4, /* that one request of ours can be known to */
};

/* A nonce that was answered: which use counts came (highest, and the 64
 * below it). */
struct sip_nonce_use {
	uint64_t nonce; /* its keyed hash; 0: free */
	int64_t made_us;
	uint64_t seen;
	uint32_t top;
	uint32_t pad;
};

struct sip_digest {
	struct sip_hashes hash;
	struct hf_hash_key key; /* of this boot: earlier nonces are stale */
	uint64_t counter;
	struct hf_span life;
	char realm[64];
	struct sip_nonce_use *use; /* the caller's memory */
	uint32_t uses;             /* a power of two, at least 4 */
	/* Nonces made up to here are not taken any more, unless they are in
	 * the table: room had to be made. */
	int64_t forgotten_us;
};

void sip_digest_init(struct sip_digest *d, const struct sip_hashes *hash,
    const struct hf_hash_key *key, const char *realm, struct hf_span life,
    struct sip_nonce_use *memory, uint32_t uses);

/* Two header lines, SHA-256 first: WWW-Authenticate for a 401, or
 * Proxy-Authenticate for a 407. */
void sip_digest_challenge(struct sip_digest *d, struct hf_buf *b,
    uint16_t status, bool stale, struct hf_time now);

/* What an Authorization header says. */
struct sip_credentials {
	struct hf_slice username, realm, nonce, uri, response, cnonce, nc_text;
	struct hf_slice qop, algorithm_text, opaque;
	bool sha256;
	bool has_qop;
	uint32_t nc;
};

/* The header of a request that is for our realm (Authorization or
 * Proxy-Authorization).  NONE: challenge him; BAD: answer 400, also when it was
 * made for another Request-URI. */
enum sip_auth {
	SIP_AUTH_GOOD,
	SIP_AUTH_NONE,  /* no Digest credentials for this realm: challenge */
	SIP_AUTH_STALE, /* right or not, the nonce is over: challenge, stale */
	SIP_AUTH_WRONG, /* unknown user or bad password: challenge or 403 */
	SIP_AUTH_BAD,   /* malformed: 400 */
};
enum sip_auth sip_digest_find(const struct sip_digest *d,
    const struct sip_msg *m, enum sip_header h, struct sip_credentials *out);

/*
 * Is he who he says?  secret is that user's password; known = false for a user
 * who does not exist (secret is then ignored, the time spent is the same).
 * method is the request's (an ACK or CANCEL is never asked).
 */
enum sip_auth sip_digest_verify(struct sip_digest *d,
    const struct sip_credentials *c, struct hf_slice method, bool known,
    struct hf_slice secret, struct hf_time now);

/* Who we are to those who ask; cnonce is random text. */
struct sip_claim {
	const struct sip_hashes *hash;
	struct hf_slice user, secret, cnonce;
	struct hf_slice realm; /* none other is answered; empty: each is */
};

/*
 * The client's side: whole Authorization and Proxy-Authorization lines for
 * asked, once it is asked again (RFC 3261 22.2 and 22.3).  Of each realm that
 * the 401 or 407 names, the first challenge that we can do is answered; what
 * asked said to other realms is said again, with the nonce's next count.
 * False when nothing can be answered, when a realm did not like our answer
 * (but for its nonce's age), and when there is no end of realms.
 */
bool sip_digest_answer(struct hf_buf *b, const struct sip_msg *challenge,
    const struct sip_msg *asked, const struct sip_claim *who);

/* Does the challenge say that nothing was wrong but the nonce's age? */
bool sip_digest_stale(const struct sip_msg *challenge);

/* A quoted string's text: \x becomes x.  False when it does not fit. */
bool sip_unquote(struct hf_slice s, char *to, size_t cap);

#endif
