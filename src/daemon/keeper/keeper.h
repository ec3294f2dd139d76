/*
 * daemon/keeper - holdfastd: starts the rooms in order, keeps their sockets,
 * watches them and starts them again.  It touches no byte from the network,
 * so what comes from there cannot take down what holds the house together.
 *
 *      main      options, configuration, signals, the end
 *      sockets   every SIP and RTP socket, opened once and kept
 *      children  the rooms as processes: joined, watched, restarted
 *      control   questions of operators, routed to the rooms that know
 */
#ifndef HF_DAEMON_KEEPER_KEEPER_H
#define HF_DAEMON_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/time.h"
#include "conf/conf.h"
#include "wire/msg.h"

enum {
	WORKERS_MAX = 8,
	CHILDREN_MAX = ROOM_NR + WORKERS_MAX,
	KEEPER_PATH_MAX = CONF_PATH_MAX + 64,
};

/* ---- main ---------------------------------------------------------------- */

/* The configuration in force. */
const struct conf *keeper_conf(void);

/* Sealed snapshots of it, to hand out; ours to keep. */
int keeper_conf_fd(void);
int keeper_secrets_fd(void);

/* The line of the file that a value came from; 0: it is the default. */
uint32_t keeper_origin(const char *path);
const char *keeper_file(void);

/* Applies the file whole, or keeps what is in force.  False when refused;
 * tell() hears each line of why. */
typedef void keeper_tell(void *arg, const char *line);
bool keeper_reload(keeper_tell *tell, void *arg);

/* on: hf-call takes no new calls.  stop: and when the last is over, or
 * keeper.drain_max has passed, the house closes. */
void keeper_drain(bool on, bool stop);
bool keeper_draining(void);
void keeper_drained(uint32_t calls); /* hf-call says so */

/* Whom the children run as; uid 0 when nobody was named or we are not root. */
struct keeper_user {
	bool change;
	uid_t uid;
	gid_t gid;
};
const struct keeper_user *keeper_user(void);

/* ---- sockets ------------------------------------------------------------- */

/* Opens all that the configuration names.  False after telling what is in the
 * way. */
bool sockets_open(const struct conf *c, keeper_tell *tell, void *arg);

/* How many streams (pairs of RTP and RTCP) there are, and one worker's. */
uint32_t sockets_streams(void);
void sockets_share(uint16_t worker, uint32_t *first, uint32_t *count);

/* Hands a room what is its own: sends SOCKET messages. */
struct chan;
void sockets_hand_over(struct chan *to, enum room room, uint16_t worker);

/* ---- children ------------------------------------------------------------ */

/* Once, first: which rooms there will be. */
void children_prepare(uint16_t workers);
uint16_t children_workers(void);

/* Starts the first; each that is ready starts the next. */
void children_start(void);

/* After a reload. */
void children_reconf(void);

/* Sends to every child of the room; false when none was there. */
bool children_send(enum room room, const struct msg *m);

/* Sends to the child of this place; false when it is not ready. */
bool children_ask(uint32_t i, const struct msg *m);

/* Sends what was queued since the last time. */
void children_flush(void);

/* The end has come: who goes from now on has left, and has no successor. */
void children_may_leave(void);

/* Stops all: who decides first, so that whoever is still on the line is let
 * go, then the door, the memory last.  Returns when all are gone. */
void children_stop(void);

/* What the keeper knows of each, for hfctl status. */
struct child_news {
	enum room room;
	uint16_t worker;
	pid_t pid; /* 0: waits to be started */
	bool ready;
	uint32_t starts;
	struct hf_span up;
};
uint32_t children_count(void);
void children_news(uint32_t i, struct child_news *out);

/* ---- control ------------------------------------------------------------- */

#define CONTROL_NAME  "control"  /* in keeper.run_dir */
#define CONTROL_GROUP "holdfast" /* may ask, though not act */

/* 0 or errno. */
int control_open(const char *run_dir);
void control_close(void);

/* A room's answer; child is its place among the children. */
void control_answered(uint32_t child, const struct msg_reply *r);
/* A room died: it will not answer any more. */
void control_child_gone(uint32_t child);

/* Sends what was queued for operators since the last time, and asks the rooms
 * for more where there is room for it. */
void control_flush(void);

#endif
