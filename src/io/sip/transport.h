/*
 * io/sip/transport - the sockets of hf-sip (RFC 3261 18): UDP in batches, TCP
 * by io/sip/stream.  It knows no clock and no loop; it is told when a socket
 * is ready.  What is sent waits for the end of the turn and then leaves with
 * one system call.
 *
 * A UDP peer that is not there is noticed through the socket's error queue
 * (IP_RECVERR): the kernel gives back the bytes that were refused.
 */
#ifndef HF_IO_SIP_TRANSPORT_H
#define HF_IO_SIP_TRANSPORT_H

#include "io/sip/stream.h"

enum {
	SIP_SOCKETS_MAX = 8,
	SIP_BATCH = 32,    /* datagrams a system call */
	SIP_OUT_MAX = 256, /* messages waiting for the end of the turn */
	SIP_OUT_BYTES = 1 << 19,
	SIP_ROUTES = 64, /* remembered: which address of ours they see */
};

struct sip_socket {
	int fd;
	int family;
	struct hf_addr at;
	struct hf_time full; /* since when each look found more than it took */
};

struct sip_out {
	uint32_t at, len; /* in the arena */
	uint8_t socket;
	struct hf_addr to;
};

struct sip_transport_counts {
	uint64_t in, out, bytes_in, bytes_out;
	uint64_t unsent; /* the kernel did not take it */
	uint64_t refused;
	uint64_t empty; /* keep-alives */
};

struct sip_transport {
	struct sip_socket udp[SIP_SOCKETS_MAX];
	uint32_t udps;
	struct sip_socket tcp[SIP_STREAM_LISTENERS];
	uint32_t tcps;
	struct hf_addr advertise;
	/* Networks that reach us without the advertised address; the owner's,
	 * may change at any time.  None: the private ones. */
	const struct hf_net *local;
	uint32_t locals;
	struct sip_stream stream;
	char *in;  /* SIP_BATCH datagrams */
	char *out; /* the arena */
	uint32_t outs, out_bytes;
	bool flushing;
	struct sip_out queue[SIP_OUT_MAX];
	struct sip_route {
		struct hf_addr peer, here;
		struct hf_time until;
	} route[SIP_ROUTES];
	const struct sip_wire_hooks *hooks;
	void *arg;
	struct sip_transport_counts count;
};

/* advertise, when its family is not 0, is what others are told to reach us
 * at.  False: no memory. */
bool sip_transport_init(struct sip_transport *tp, uint32_t connections,
    struct hf_span idle, const struct hf_addr *advertise, struct hf_rand *rand,
    const struct sip_wire_hooks *hooks, void *arg);
void sip_transport_free(struct sip_transport *tp);

/* Bound sockets, made non-blocking here; false when there are too many or it
 * is not what it should be. */
bool sip_transport_udp(struct sip_transport *tp, int fd);
bool sip_transport_tcp(struct sip_transport *tp, int fd);

void sip_transport_ready(
    struct sip_transport *tp, int fd, uint32_t events, struct hf_time now);

/* The last look into a socket took as much as a turn takes: there is more. */
bool sip_transport_has_more(const struct sip_transport *tp);
/* More has come than we get round to, for so long that it is no burst and no
 * rest from before our time. */
bool sip_transport_is_behind(
    const struct sip_transport *tp, struct hf_time now);

/* How to reach a peer that we have not heard from; false: no socket of that
 * family. */
bool sip_transport_way(const struct sip_transport *tp,
    enum sip_transport_kind kind, const struct hf_addr *peer,
    struct sip_flow *out);

/* Is this peer on our side of the NAT that advertise is for? */
bool sip_transport_is_local(
    const struct sip_transport *tp, const struct hf_addr *peer);

/* Our own address as that peer should write it (Via, Contact). */
struct hf_addr sip_transport_here(
    struct sip_transport *tp, const struct sip_flow *flow, struct hf_time now);

/* Queues bytes for the end of the turn; they are copied.  False: it cannot be
 * sent. */
bool sip_transport_send(struct sip_transport *tp, struct sip_flow *to,
    struct hf_slice bytes, struct hf_time now);
void sip_transport_flush(struct sip_transport *tp);
void sip_transport_tidy(struct sip_transport *tp, struct hf_time now);

#endif
