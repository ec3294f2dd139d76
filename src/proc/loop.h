/*
 * proc/loop - one thread's waiting: descriptors by epoll, timers by a wheel,
 * and the clock, which is read once a turn so that all that happens in a turn
 * happens at the same time.
 */
#ifndef HF_PROC_LOOP_H
#define HF_PROC_LOOP_H

#include <stdint.h>

#include "base/hash.h"
#include "base/time.h"
#include "base/wheel.h"

typedef void loop_fd_fn(int fd, uint32_t events, void *arg);

/* Once at boot.  Makes the table of descriptors as large as the limit on open
 * files; dies when there is no memory for it. */
void loop_open(void);

/* events: EPOLLIN, EPOLLOUT.  Watching again changes events and handler. */
void loop_watch(int fd, uint32_t events, loop_fd_fn *fn, void *arg);
void loop_unwatch(int fd); /* before closing it; harmless when not watched */

/* Waits for the next thing, then handles all that is there: descriptors
 * first, then what is due. */
void loop_turn(void);

struct hf_time loop_now(void);  /* of this turn */
struct hf_wall loop_wall(void); /* read at most once a turn */
struct hf_wheel *loop_wheel(void);
struct hf_rand *loop_rand(void);

#endif
