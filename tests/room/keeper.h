/*
 * tests/room/keeper - plays the keeper and the neighbours of one room: starts
 * the real program, hands it a configuration and channels, and can kill it.
 */
#ifndef TESTS_ROOM_KEEPER_H
#define TESTS_ROOM_KEEPER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "wire/msg.h"

enum { NOT_LONG = 5000 }; /* ms: a room that says nothing by then is broken */

/* The program to be tried, which is the command line's only word.  HF_TEST in
 * the environment names the tests to run: one, or a pattern. */
const char *room_program(int argc, char **argv);

/* A folder of the test's own, which is c's run_dir from now on. */
const char *room_dir(struct conf *c);

/* A test's end: the room is killed, and its folder goes. */
void room_over(void);

/* Loopback addresses of this process alone, 1 to 250. */
const char *room_ip(unsigned n);

/* A socket at that address and *at's port, 0: a free one; *at says where it
 * is.  Who reads it waits NOT_LONG at most. */
int room_bind(int type, const char *ip, struct hf_addr *at);

/* A configuration that says "yaml" and has the defaults for all else. */
void room_configure(struct conf *c, const char *yaml);

/* The program at path, as this room, with this configuration.  Neighbours
 * that were joined before are joined again. */
void room_start(const char *path, enum room room, const struct conf *c);

/* Called before each START: what else the keeper hands over. */
void room_prepare(void (*fn)(void));

/* We play this neighbour from the next start on. */
void room_join(enum room neighbour);

/* It dies, and is there again, while the room lives. */
void room_leaves(enum room neighbour);
void room_returns(enum room neighbour);

/* SIGKILL and wait; or: all neighbours leave, and it must end by itself. */
void room_kill(void);
void room_end(void);
bool room_lives(void);
pid_t room_pid(void);

/* As this neighbour (or the keeper).  seq 0: the next number; otherwise sent
 * again under that one.  fd is closed. */
void room_tell(enum room as, const struct msg *m);
void room_tell_again(
    enum room as, const struct msg *m, uint32_t boot, uint32_t seq);
void room_tell_fd(enum room as, const struct msg *m, int fd);

/* The next message of this type that comes to this neighbour; others are
 * dropped.  *fd (may be NULL) is a descriptor that came along, or -1.  False
 * when none comes in time or the room is gone. */
bool room_hears(
    enum room as, enum msg_type type, struct msg *out, int *fd, int ms);

/* An operator's question.  Rows as text, "name=value|" a column, a line a row;
 * the error when there is one. */
const char *room_ask(const char *verb, const char *args, size_t n);
unsigned room_rows(void);

#endif
