/*
 * proc/chan - a channel to one neighbour: messages of a turn travel together
 * in few datagrams (SOCK_SEQPACKET), descriptors travel with the message that
 * speaks of them.
 *
 *      chan_send -> [ queue, bounded ] -> chan_flush -> socket
 *
 * The neighbour may stand still for a while: then the queue fills.  When it is
 * full the channel is cut: both sides start again with whole pictures, which
 * is better than news with holes in it.
 */
#ifndef HF_PROC_CHAN_H
#define HF_PROC_CHAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/msg.h"

enum {
	CHAN_DATAGRAM_MAX = 32 * 1024,
	CHAN_FDS_MAX = 64, /* with one message */
	CHAN_QUEUE_BYTES = 1024 * 1024,
	CHAN_READS_A_TURN = 64, /* so that no neighbour starves the others */
};

/* Descriptors that wait for their message's turn. */
struct chan_fds {
	uint64_t at; /* position of the message in the stream of bytes */
	uint16_t n;
	bool keep; /* ours stays open when it is sent */
	int fd[CHAN_FDS_MAX];
};

struct chan {
	int fd; /* -1: not there */
	enum room self, other;
	uint32_t boot, seq; /* stamped on what is sent */
	bool cut;     /* broken or full: close it at the end of the turn */
	bool blocked; /* wait for EPOLLOUT before the next flush */
	char *queue;
	size_t head, tail;
	uint64_t base; /* position in the stream of queue[0] */
	struct chan_fds *fds;
	uint32_t fds_cap, fds_first, fds_n;
	uint64_t sent, datagrams, received, refused;
};

/* queue: CHAN_QUEUE_BYTES.  fds: as many messages with descriptors as may
 * wait.  Both belong to the caller and serve every reopening. */
void chan_init(struct chan *c, enum room self, enum room other, char *queue,
    struct chan_fds *fds, uint32_t fds_cap);

/* fd is ours from here on: a SOCK_SEQPACKET socket, made non-blocking. */
void chan_open(struct chan *c, int fd, uint32_t boot);

/* Closes the socket and forgets what waits in the queue. */
void chan_close(struct chan *c);

/* Queues; dies when the message may not go this way.  Does nothing on a
 * channel that is closed or cut. */
void chan_send(struct chan *c, const struct msg *m);
/* The same with descriptors; they are closed once sent unless keep. */
void chan_send_fds(
    struct chan *c, const struct msg *m, const int *fd, uint16_t n, bool keep);
/* A frame that msg_encode() made earlier, with its own boot and seq. */
void chan_send_frame(struct chan *c, const void *frame, size_t n);

/* Bytes in the queue. */
size_t chan_waiting(const struct chan *c);

/* Sends what the kernel takes. */
void chan_flush(struct chan *c);

/* fds belong to the handler, which must close them. */
typedef void chan_fn(
    struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg);

/* Reads and hands over what is there.  False when the other side is gone or
 * said something that is not a message it may send; close the channel then. */
bool chan_read(struct chan *c, chan_fn *fn, void *arg) HF_CHECK;

#endif
