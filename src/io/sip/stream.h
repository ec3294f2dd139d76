/*
 * io/sip/stream - SIP over TCP (RFC 3261 18): a bounded table of connections,
 * each with bounded buffers, and so many of them for one host.  Whoever sends
 * nothing for too long and is not held is closed, and so is whoever does not
 * read what we send, or does not come to the end of what he says.  A connection
 * is used again for the same peer, whichever side opened it.
 */
#ifndef HF_IO_SIP_STREAM_H
#define HF_IO_SIP_STREAM_H

#include "base/hash.h"
#include "base/list.h"
#include "base/pool.h"
#include "base/time.h"
#include "io/sip/flow.h"

enum {
	SIP_STREAM_RX = SIP_MSG_MAX + 1025, /* a message and keep-alives */
	SIP_STREAM_TX = 65536,
	SIP_STREAM_LISTENERS = 8,
};

/* What the sockets tell, TCP and UDP alike. */
struct sip_wire_hooks {
	void (*received)(
	    void *arg, struct hf_slice bytes, const struct sip_flow *from);
	/* A datagram of ours came back: nobody there. */
	void (*refused)(void *arg, struct hf_slice bytes);
	/* A connection is gone; asked: we had sent a request over it. */
	void (*lost)(void *arg, struct hf_ref conn, bool asked);
	/* A connection was silent for too long: hold (sip_stream_hold) those
	 * that must not be closed for that.  May be NULL. */
	void (*silent)(void *arg, struct hf_time now);
	/* Readiness wanted; events 0: none any more (before the close). */
	void (*watch)(void *arg, int fd, uint32_t events);
};

struct sip_conn {
	struct hf_list age;     /* longest silent first */
	struct hf_list partial; /* in by_partial, or alone */
	struct hf_time whole_by;
	struct hf_addr peer;
	struct hf_time heard; /* or opened, or last sent to */
	int fd;               /* -1: free */
	bool connecting, asked, doomed;
	bool known; /* a message has come whole, or it is ours */
	uint32_t n, rx, tx;
};

struct sip_stream_counts {
	uint64_t accepted, opened, closed, refused, idle, garbled, slow;
	uint64_t partial;
};

struct sip_stream {
	struct sip_conn *conn;
	char *rx, *tx; /* SIP_STREAM_RX and SIP_STREAM_TX bytes each */
	struct hf_pool pool;
	struct hf_pool_place *places;
	struct hf_map by_peer, by_fd;
	struct hf_map of_host; /* how many it has */
	struct hf_map_cell *cells[3];
	struct hf_hash_key hash;
	struct hf_list by_age;
	struct hf_list by_partial; /* those who owe us an end, by whole_by */
	int listener[SIP_STREAM_LISTENERS];
	uint32_t listeners;
	struct hf_span idle;
	/* The owner's, set behind init: a message that has begun, and the first
	 * one of who connects, is whole in this time; so many connections a
	 * host.  0: whenever; any. */
	struct hf_span partial;
	uint32_t per_host;
	const struct sip_wire_hooks *hooks;
	void *arg;
	struct sip_stream_counts count;
};

/* cap connections, closed after idle without a byte.  False: no memory. */
bool sip_stream_init(struct sip_stream *s, uint32_t cap, struct hf_span idle,
    struct hf_rand *rand, const struct sip_wire_hooks *hooks, void *arg);
void sip_stream_free(struct sip_stream *s);

/* A listening socket, non-blocking; it stays the caller's to close. */
bool sip_stream_listen(struct sip_stream *s, int fd);

/* True when fd is one of ours; it has then been served. */
bool sip_stream_ready(
    struct sip_stream *s, int fd, uint32_t events, struct hf_time now);

/* Queues bytes, on to->conn while it is there, else on a connection to
 * to->peer, opened when there is none; to->conn says which.  False: no room,
 * or nobody can be reached. */
bool sip_stream_send(struct sip_stream *s, struct sip_flow *to,
    struct hf_slice bytes, bool request, struct hf_time now);

/* Its silence is forgiven, as if it had just been heard; a stale handle is
 * ignored. */
void sip_stream_hold(
    struct sip_stream *s, struct hf_ref conn, struct hf_time now);

/* Closes what is idle, or takes too long over a message, and connection
 * attempts nobody answers; to be called every second or so. */
void sip_stream_tidy(struct sip_stream *s, struct hf_time now);

#endif
