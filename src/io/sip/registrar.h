/*
 * io/sip/registrar - where a person's phones are (RFC 3261 section 10.3).  An
 * address of record is a small number (the agent's place); each has a few
 * bindings, plain fixed-size records in the caller's memory.  A binding keeps
 * the address its REGISTER came from, so that a phone behind NAT is reached
 * along the way it opened.
 */
#ifndef HF_IO_SIP_REGISTRAR_H
#define HF_IO_SIP_REGISTRAR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/buf.h"
#include "base/time.h"
#include "io/sip/msg.h"

enum {
	SIP_BINDINGS_MAX = 4, /* contacts of one address of record */
	SIP_CONTACT_MAX = 256,
	SIP_REG_CALL_ID_MAX = 128,
};

struct sip_binding {
	char contact[SIP_CONTACT_MAX]; /* the URI; empty: free */
	char call_id[SIP_REG_CALL_ID_MAX];
	uint32_t cseq;
	uint16_t q;        /* preference, 0 to 1000 */
	uint8_t transport; /* 0 UDP, 1 TCP, as the caller counts them */
	uint8_t pad;
	struct hf_addr received; /* where the REGISTER came from */
	struct hf_addr local;    /* our socket it came to */
	uint64_t connection;     /* caller's number of the stream, else 0 */
	struct hf_time since, until;
};

struct sip_registrar {
	struct sip_binding (*at)[SIP_BINDINGS_MAX]; /* by address of record */
	uint32_t people;
	struct hf_span expires_min, expires_max; /* default: max */
};

/* The memory: people rows of SIP_BINDINGS_MAX; all zeros, or as it was before
 * a restart. */
void sip_registrar_init(struct sip_registrar *r,
    struct sip_binding (*memory)[SIP_BINDINGS_MAX], uint32_t people,
    struct hf_span expires_min, struct hf_span expires_max);

/* What came of a REGISTER; of a refused one nothing. */
struct sip_registered {
	uint16_t status; /* 200, 400, 403 too many, 423 too short, 500 late */
	const char *why; /* static text */
	bool came;       /* there is a binding and there was none */
	bool went;       /* there was one and there is none */
	bool there;      /* it has registered something, not only taken away */
	/* A contact that was not there, or whose Call-ID is another one: a
	 * phone keeps it until it starts again (10.2). */
	bool anew;
};

struct sip_register_from {
	struct hf_addr received, local;
	uint8_t transport;
	uint64_t connection;
};

/* Takes an authenticated REGISTER for that person: all of its contacts, or
 * none of them (10.3 step 7).  When there is no place left, the binding that
 * would end first makes room: phones that restart leave dead ones behind. */
struct sip_registered sip_register(struct sip_registrar *r, uint32_t person,
    const struct sip_msg *m, const struct sip_register_from *from,
    struct hf_time now);

/* The Contact lines of the 200, one a binding, with their remaining seconds;
 * for 423 the Min-Expires line. */
void sip_registrar_put(const struct sip_registrar *r, uint32_t person,
    const struct sip_registered *how, struct hf_buf *b, struct hf_time now);

/* All of that person's bindings are over, whoever made them.  True: there were
 * some. */
bool sip_registrar_clear(struct sip_registrar *r, uint32_t person);

/* The n-th living binding, best first: higher q, then the younger.  NULL when
 * there are no more. */
const struct sip_binding *sip_bindings(const struct sip_registrar *r,
    uint32_t person, unsigned nth, struct hf_time now);

/* Frees what is over; true when that was the person's last one. */
bool sip_registrar_expire(
    struct sip_registrar *r, uint32_t person, struct hf_time now);
/* A stream has ended: its bindings are no good any more (RFC 5626 4.2).  True
 * when that was the person's last one. */
bool sip_registrar_hangup(
    struct sip_registrar *r, uint32_t person, uint64_t connection);
/* When sip_registrar_expire() has something to do, or HF_TIME_NEVER. */
struct hf_time sip_registrar_next(
    const struct sip_registrar *r, uint32_t person);

#endif
