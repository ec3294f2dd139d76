/*
 * tests/proc/house - a house of our own: a real holdfastd, rooms that only echo
 * (tests/lib/echo_room), in a folder that goes with the test.
 */
#ifndef HF_TESTS_PROC_HOUSE_H
#define HF_TESTS_PROC_HOUSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "lib/asker.h"
#include "wire/row.h"

enum {
	WAIT_MS = 5000, /* for anything that should happen */
	STREAMS = 70,   /* more than one SOCKET message holds */
	RTP_PORTS = 2 * STREAMS,
	TEXT = 256,
	ROOMS = 5,
};

extern const char *const house_rooms[ROOMS];
extern const char *holdfastd, *echo_room; /* argv: the programs */
extern pid_t keeper;                      /* 0: none */
extern uint16_t sip_port, rtp_port;
extern int log_fd;
extern const char *keeper_keys; /* besides, under keeper: */
extern const char *orphans_max;
extern const char *house_opens;     /* what the log then says */
extern const char *rtp_address;     /* "address: ..., ", or "" */
extern void (*keeper_begins)(void); /* in the child, before the exec */

/* Makes the folder and its programs; takes it away. */
bool house_begin(int argc, char **argv);
void house_end(void);

struct answer {
	uint32_t rows;
	char error[TEXT];
	char all[65536]; /* "name=value " of all rows, a line each, while they
			    fit */
};

void path_of(char *to, const char *name);
bool copy(const char *from, const char *name);
/* A port nobody has; for a range, that nobody has any of. */
uint16_t free_ports(unsigned n);
void write_conf(const char *site, const char *more);
int64_t now_ms(void);
void breathe(void);
bool ask(const char *verb, const char *word, int wait_ms, struct answer *a);
/* The number behind "name=" in the line that holds who; -1 without. */
long number_of(const struct answer *a, const char *who, const char *name);
int client(uint16_t port);
/* The pid that answers; 0 when nobody does. */
pid_t hear(int fd, int ms);
pid_t say(uint16_t port, const char *text, int ms);
bool log_says(const char *text);
void show_log(void);
bool log_will_say(const char *text);
int open_house(void **state);
int close_house(void **state);

/* Our programs again, in a folder beside them; otherwise: as if they were of a
 * build that speaks another language. */
void make_build(const char *folder, bool otherwise);

/* Its rooms go on. */
void kill_keeper(void);
void start_keeper(void);
/* True when the next one has the house. */
bool next_keeper(void);
off_t log_end(void);
bool log_says_after(off_t at, const char *text);
bool log_will_say_after(off_t at, const char *text);

#endif
