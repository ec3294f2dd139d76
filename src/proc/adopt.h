/*
 * proc/adopt - how a room and a keeper find each other again.  A room whose
 * keeper has died works on.  It listens at a socket that it was given at birth
 * (so it need not reach any path), and the next keeper connects to it:
 *
 *      room                                  the next keeper
 *        | HELLO    + its configuration  -->   who it is, and what it speaks
 *        | SOCKETS  + up to 64           -->   all that it was ever handed
 *        | ALL                           -->
 *        |                               <--   TAKEN or KNOWN
 *        | YES                           -->
 *
 * TAKEN: this connection is the channel to the keeper now.  KNOWN: the keeper
 * is of another build, which speaks another language; it knows of the room,
 * says no more, and will put its own in its place.
 *
 * This layout never changes, so that a keeper of any build understands a room
 * of any other.  What a later one has to add stands behind what is here, and is
 * told by bytes.  Both are on one machine: its byte order.
 */
#ifndef HF_PROC_ADOPT_H
#define HF_PROC_ADOPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "wire/msg.h"

#define ADOPT_MAGIC 0x44414648u /* "HFAD" */
#define ADOPT_NAME  "adopt."    /* in keeper.run_dir, a room's name follows */

enum { ADOPT_NAME_MAX = 16, ADOPT_JOINS = 16, ADOPT_FDS = 64 };

enum adopt_kind {
	ADOPT_HELLO = 1,
	ADOPT_SOCKETS,
	ADOPT_ALL,
	ADOPT_TAKEN,
	ADOPT_KNOWN,
	ADOPT_YES,
};

/* Each datagram begins so. */
struct adopt_head {
	uint32_t magic;
	uint16_t kind;
	uint16_t bytes; /* of the datagram */
};

enum adopt_flags {
	ADOPT_DRAINING = 1, /* no new calls */
	ADOPT_STOPPING = 2, /* and leave when the last is over */
};

struct adopt_hello {
	struct adopt_head head;
	char room[ADOPT_NAME_MAX]; /* "hf-sip" */
	uint16_t worker;
	uint16_t secrets; /* 1: a second descriptor comes along */
	uint32_t pid;
	uint32_t boot;
	uint32_t generation; /* of the configuration in force */
	uint32_t flags;
	uint32_t joins;
	uint64_t language;   /* adopt_language() */
	uint64_t program[2]; /* device and inode of what it runs */
	int64_t since_us;    /* CLOCK_MONOTONIC, when it began */
	/* To whom there is a channel, by the number the keeper gave it: both
	 * ends say the same one, or it is none. */
	struct adopt_join {
		char room[ADOPT_NAME_MAX];
		uint64_t worker;
		uint64_t join;
	} join[ADOPT_JOINS];
};

struct adopt_sockets {
	struct adopt_head head;
	char what[ADOPT_NAME_MAX]; /* as in SOCKET */
	uint32_t first;
	uint32_t count;
};

_Static_assert(sizeof(struct adopt_head) == 8 &&
		   sizeof(struct adopt_hello) == 80 + 16 * 32 &&
		   offsetof(struct adopt_hello, language) == 48 &&
		   sizeof(struct adopt_sockets) == 32,
    "it never changes");

/* What rooms of this build say to each other: the messages and the
 * configuration. */
uint64_t adopt_language(void);

struct adopt_head adopt_head(enum adopt_kind kind, size_t bytes);

/* One datagram with descriptors, which stay open here.  0 or errno. */
int adopt_send(int fd, const void *datagram, size_t bytes, const int *fds,
    size_t n, int flags);

/* n of a datagram, or -1 and errno; *fds descriptors (ADOPT_FDS at most), ours
 * now.  What was cut off is EBADMSG.  who (may be NULL): who sent it, when the
 * socket has SO_PASSCRED. */
ssize_t adopt_receive(int fd, void *to, size_t cap, int *fd_to, size_t *fds,
    struct ucred *who, int flags);

/* ---- in a room ----------------------------------------------------------- */

/* What it was handed, remembered for the next keeper.  door: the socket to
 * listen at. */
void adopt_door(int fd);
void adopt_remember(const struct msg_socket *m, const int *fd);
void adopt_remember_conf(int fd, bool secrets); /* keeps a copy */

/* There is a door: nobody need leave because the keeper has. */
bool adopt_possible(void);

struct adopt_ways {
	void (*fill)(struct adopt_hello *h);
	void (*taken)(int fd);     /* ours: the channel to the keeper */
	void (*known)(bool there); /* by one who says no more; or he left */
};

/* The keeper has left: waits for the next. */
void adopt_wait(const struct adopt_ways *ways);

#endif
