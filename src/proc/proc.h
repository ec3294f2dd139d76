/*
 * proc - the one skeleton of all rooms.  A room is a table of handlers; the
 * skeleton brings the loop, the timers, the channels to the neighbours, the
 * configuration and one way to die.
 *
 *      keeper ---CONFIG, SOCKET, NEIGHBOUR, START---> room
 *      room   ---READY--> keeper
 *      turn: epoll -> due timers -> messages -> room->turn_end -> flush
 *
 * Facts for hf-store are kept in proc/spool until it says STORED.  On a new
 * channel all that wait are sent again under their old boot and seq; hf-store
 * skips what it knows.
 *
 * A turn ends by flushing what was sent to each neighbour as one datagram
 * (SOCK_SEQPACKET), so a busy room pays for few system calls.
 */
#ifndef HF_PROC_PROC_H
#define HF_PROC_PROC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/time.h"
#include "base/wheel.h"
#include "conf/conf.h"
#include "proc/slots.h"
#include "wire/msg.h"

enum peer {
	PEER_KEEPER,
	PEER_SIP,
	PEER_MEDIA, /* the first of as many as there are workers */
	PEER_REC = PEER_MEDIA + 8,
	PEER_CALL,
	PEER_STORE,
	PEER_NR,
};
#define PROC_MEDIA_MAX (PEER_REC - PEER_MEDIA)

struct proc_room {
	const char *name; /* "hf-sip" */

	/* Descriptors the keeper hands over, before start().  The room owns
	 * them from here on. */
	void (*socket)(const struct msg_socket *m, const int *fd);

	/* Configuration and sockets are there; begin to work. */
	void (*start)(const struct conf *c, uint32_t boot, uint16_t worker);

	/* A later snapshot; the old one is gone when this returns.  Secrets
	 * go to hf-sip alone. */
	void (*reconf)(const struct conf *c);
	void (*secrets)(const struct conf_secrets *s);

	/* A neighbour is there (again): send it the whole picture. */
	void (*met)(enum peer from);
	void (*left)(enum peer from);

	/* One message; fd is -1 or a descriptor that came along, ours now. */
	void (*message)(enum peer from, const struct msg *m, int fd);

	/* An operator's question: answer with proc_reply(), now or later. */
	void (*ask)(const struct msg_ask *m);

	/* End of a turn, before the channels are flushed; may be NULL. */
	void (*turn_end)(struct hf_time now);

	/* The tables that outlive it, for the question before an upgrade. */
	const struct slots_form *const *forms;
	unsigned forms_nr;
};

/* Never returns before death: 0 after an orderly drain.  "--would-take DIR"
 * answers whether the tables in DIR could be taken over; see would.h. */
int proc_main(int argc, char **argv, const struct proc_room *room);

/* ---- for use inside handlers --------------------------------------------- */

/* The turn's time: one reading per turn, CLOCK_MONOTONIC. */
struct hf_time proc_now(void);
/* For people and the journal. */
struct hf_wall proc_wall(void);
struct hf_wheel *proc_wheel(void);
struct hf_rand *proc_rand(void);

/* Queues for the end of the turn.  A neighbour that is away: facts for the
 * store wait in a bounded spool, anything else is dropped and counted (the
 * picture sent by met() makes up for it).  fd is -1 or passed along (and
 * closed here); a message with a descriptor leaves at once, after what is
 * queued before it. */
void proc_send(enum peer to, const struct msg *m);
/* For a room that numbers its facts itself, before they are sent: the newest
 * number, and whose start it counts in; a frame with its number, which nobody
 * has sent in between (or of a start before); was that one put before? */
uint32_t proc_facts(uint32_t *boot);
void proc_fact(const void *frame, uint16_t n);
bool proc_fact_is_known(uint32_t boot, uint32_t seq);
void proc_send_fd(enum peer to, const struct msg *m, int fd);
bool proc_there(enum peer to);

/* Readiness of a descriptor.  events: EPOLLIN, EPOLLOUT. */
typedef void proc_fd_fn(int fd, uint32_t events, void *arg);
void proc_watch(int fd, uint32_t events, proc_fd_fn *fn, void *arg);
void proc_unwatch(int fd); /* before closing it */

/* Rows for an ASK: see wire/row.h.  error may be NULL; more says that another
 * reply will follow.  For answers of bounded length: rows that the channel has
 * no room for are dropped, and the answer ends with an error. */
void proc_reply(
    uint32_t id, const char *error, const void *row, uint16_t n, bool more);

/* A long answer, told row by row as there is room for it: next() writes the
 * row at *at, which begins as 0, and moves it on; false when there are no more
 * (and nothing was written).  Between two rows other messages are handled. */
typedef bool proc_row_fn(
    const struct msg_ask *q, uint64_t *at, struct hf_buf *row);
void proc_answer(const struct msg_ask *q, proc_row_fn *next);

/* Orderly end: flush, then exit 0. */
_Noreturn void proc_leave(void);

#endif
