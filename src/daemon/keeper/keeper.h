/*
 * daemon/keeper - holdfastd: starts the rooms in order, keeps their sockets,
 * watches them and starts them again.  It touches no byte from the network,
 * so what comes from there cannot take down what holds the house together.
 *
 *      main      options, configuration, signals, the end
 *      sockets   every SIP and RTP socket, opened once and kept
 *      children  the rooms as processes: joined, watched, restarted
 *      program   the rooms' programs, and becoming one of them
 *      adopt     rooms that have outlived the keeper before us
 *      upgrade   another build takes the house over, if it can (try asks it)
 *      purse     what restarts may cost
 *      past      what the next keeper should know of this one
 *      service   the service manager: told how we are, and given our sockets
 *      control   questions of operators, routed to the rooms that know
 */
#ifndef HF_DAEMON_KEEPER_KEEPER_H
#define HF_DAEMON_KEEPER_KEEPER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/hash.h"
#include "base/time.h"
#include "conf/conf.h"
#include "proc/adopt.h"
#include "wire/msg.h"

enum {
	WORKERS_MAX = 8,
	CHILDREN_MAX = ROOM_NR + WORKERS_MAX,
	KEEPER_PATH_MAX = CONF_PATH_MAX + 64,
};

/* ---- main ---------------------------------------------------------------- */

struct past;

/* The configuration in force. */
const struct conf *keeper_conf(void);

/* Sealed snapshots of it, to hand out; ours to keep. */
int keeper_conf_fd(void);
int keeper_secrets_fd(void);

/* For the next keeper: what we have sealed; and whether it is that. */
void keeper_seals(struct past *p);
bool keeper_has_sealed(const void *value, size_t size, const uint64_t seal[2]);

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
bool keeper_stopping(void);
/* Would a reload take the file as it is now?  Says why not. */
bool keeper_file_stays(keeper_tell *tell, void *arg);
/* hf-call says so, and hf-sip of the emergency calls. */
void keeper_drained(enum room room, uint32_t calls);

/* Whom the children run as; uid 0 when nobody was named or we are not root. */
struct keeper_user {
	bool change;
	uid_t uid;
	gid_t gid;
};
const struct keeper_user *keeper_user(void);

/* ---- sockets ------------------------------------------------------------- */

/* Opens all that the configuration names.  again: somebody had them a moment
 * ago, and may be dying still.  False after telling what is in the way. */
bool sockets_open(
    const struct conf *c, bool again, keeper_tell *tell, void *arg);

/* One that was open before us, ours now: taken instead of a new one where the
 * configuration names its address.  stored: the service manager has it, too. */
void sockets_found(int fd, bool stored);
/* Whatever is found, it has. */
void sockets_all_stored(void);
/* They stay open for the program that we are about to become, or not. */
void sockets_over_exec(bool stay);
/* Those it does not have. */
void sockets_unstored(const int **fd, size_t *n);

/* How many streams (pairs of RTP and RTCP) there are, and one worker's. */
uint32_t sockets_streams(void);
void sockets_share(uint16_t worker, uint32_t *first, uint32_t *count);

/* Hands a room what is its own: sends SOCKET messages. */
struct chan;
void sockets_hand_over(struct chan *to, enum room room, uint16_t worker);

/* ---- program ------------------------------------------------------------- */

/* Rooms stand beside us (sbin/holdfastd, libexec/holdfast/hf-*).  They are held
 * open: what is unpacked in their place meanwhile is not started by us, who may
 * speak another language, but by the keeper of that build. */
void programs_open(void);
const char *program_folder(void); /* in which sbin and libexec are */
const char *program_path(enum room room);
/* It is what we would start: by device and inode. */
bool program_is(enum room room, const uint64_t id[2]);

/* In a child between fork and exec: nothing here allocates or logs. */
void program_begin(void);
bool program_give_up_root(void);
_Noreturn void program_become(enum room room, int channel);

/* ---- try ----------------------------------------------------------------- */

/* Runs a program beside the loop, one at a time and for some seconds; fn hears
 * whether it ended with 0, and what it said. */
typedef void try_fn(bool well, const char *said);
bool try_run(const char *path, char *const *argv, bool as_root, try_fn *fn);
bool try_busy(void);

/* ---- upgrade ------------------------------------------------------------- */

/* What we were called with. */
void upgrade_remember(char **argv);

/* Asks the programs in folder ("": ours) whether they could go on from here:
 * version, configuration, the tables of calls that are there.  line hears what
 * is in the way, then end why not, or nothing.  Not while one is under way. */
typedef void upgrade_line(const char *line);
typedef void upgrade_end(const char *why, const char *from, const char *to);
void upgrade_begin(const char *folder, upgrade_line *line, upgrade_end *end);
bool upgrade_busy(void);

/* Then becomes that holdfastd, in this process: it adopts our rooms as after
 * our death, and puts its own in their places. */
void upgrade_if_due(void);

/* ---- service ------------------------------------------------------------- */

/* Tells the service manager, when there is one (sd_notify(3)). */
void service_notify(const char *what);

/* Takes over what it has kept for us (LISTEN_FDS), or we for ourselves over an
 * exec. */
void service_take(void);
void service_exec(bool begins); /* or it has failed */

/* Gives it what it does not have: keeper and rooms may all die at once, and no
 * packet with them. */
void service_keep(void);

/* ---- past ---------------------------------------------------------------- */

/* Of a keeper that is dead, in keeper.run_dir. */
struct past {
	uint32_t boot; /* the last that was given; first, for ever */
	uint32_t bytes;
	uint32_t keepers; /* that have taken this house over */
	uint32_t workers;
	int64_t opened_us; /* CLOCK_MONOTONIC, as all times here */
	int64_t tokens_us, earned_us;
	/* Hashes of what was handed to rooms, the last and the one before,
	 * under a key that rooms do not have. */
	struct hf_hash_key key;
	uint64_t conf_seal[2], secrets_seal[2];
	struct {
		int32_t pid; /* 0: none */
		uint16_t room, worker;
		uint32_t starts, weak;
	} child[CHILDREN_MAX];
};

/* Zeroes where there is none. */
void past_read(struct past *p);
void past_write(const struct past *p);

/* ---- purse --------------------------------------------------------------- */

/* Full, or as the keeper before us left it. */
void purse_open(const struct past *past);
void purse_remember(struct past *past);
/* How long until so many restarts are paid for; they are, at once, when zero.
 */
struct hf_span purse_pay(uint32_t restarts);

/* ---- adopt --------------------------------------------------------------- */

/* A room that lives and has no keeper. */
struct adopted {
	enum room room;
	uint16_t worker;
	pid_t pid;
	int fd, pidfd, conf, secrets; /* -1: none */
	bool speaks;                  /* our language */
	struct adopt_hello hello;
};

/* Where a room is found by the next keeper: a socket for it to listen at, or
 * -1 after saying why. */
int adopt_door_open(enum room room, uint16_t worker);
void adopt_doors_close(void); /* all are gone */

/* Knocks at every door and hears who is there; takes over their sockets
 * (sockets_found).  How many there are. */
uint32_t adopt_meet(const struct past *past);

/* The configuration they have; false when nobody has one of our build. */
bool adopt_conf(const struct past *past, struct conf *c);
bool adopt_secrets(
    const struct past *past, const struct conf *c, struct conf_secrets *s);
uint32_t adopt_generation(void);
uint32_t adopt_flags(void); /* enum adopt_flags, of all of them */

/* Tells each whether it is taken; fn hears of those that said yes, and takes
 * fd and pidfd. */
typedef void adopt_fn(const struct adopted *a);
void adopt_each(adopt_fn *fn);

/* ---- children ------------------------------------------------------------ */

/* Once, first: which rooms there will be. */
void children_prepare(uint16_t workers);
uint16_t children_workers(void);

/* Starts the first; each that is ready starts the next. */
void children_start(void);

/* Instead, where rooms have outlived the last keeper: takes them over, and
 * starts who is missing. */
void children_adopt(const struct past *past);

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
	bool old;  /* not the program that we would start ... */
	bool kept; /* ... which could not go on from where it is */
	uint32_t starts;
	struct hf_span up;
};
uint32_t children_count(void);

/* How often this house was taken over from a keeper before us, and when it was
 * opened first. */
uint32_t children_keepers(void);
struct hf_time children_opened(void);
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
