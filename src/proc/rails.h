/*
 * proc/rails - what a room gives up for good, so that who takes it over finds
 * nothing to take.  It is closed in when its files are open and its sockets
 * had, before it hears the first byte from outside:
 *
 *      keeper  fork -> rails_become(): the account, and of root's powers
 *              CAP_SYS_CHROOT alone, over the exec
 *      room    start() -> rails_up(): an empty folder as root (hf-call,
 *              hf-media, hf-rec), Landlock for the folders that stay, no
 *              powers at all, a list of system calls -> READY
 *
 *                 opens                          sockets          system calls
 *      hf-call    nothing                        those it has     the fewest
 *      hf-media   nothing                        those it has
 *      hf-rec     store.spool                    those it has     files'
 *      hf-store   store.dir                      those it has     files'
 *      hf-sip     to read: /etc (resolv.conf,    IPv4, IPv6       reading
 * files' hosts), where resolv.conf lies
 *
 * A system call that is not on the list is not made: the process says which
 * it was (rails_broken, also as last words in the flight recorder) and dies by
 * SIGSYS.  What the kernel does not have is said at each start (rails_off),
 * and the room works without.
 */
#ifndef HF_PROC_RAILS_H
#define HF_PROC_RAILS_H

#include <stdbool.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "wire/msg.h"

struct rails {
	bool calls; /* the list of system calls is in force */
	bool chrooted;
	bool powerless;    /* no capability, and none to be had */
	unsigned landlock; /* its version; 0: not there */
	bool off;          /* on purpose */
	char lacks[128], why[128];
};

/* In the child between fork and exec, as root: the account for good.  Neither
 * allocates nor logs.  False with errno: it must not live. */
bool rails_become(uid_t uid, gid_t gid);

/* Closes this room in; says at warning what is lacking. */
void rails_up(enum room self, const struct conf *c);

/* What came of it. */
const struct rails *rails_now(void);

#endif
