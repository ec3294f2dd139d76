/*
 * tests/lib/site - one Holdfast for a test: its configuration is gathered key
 * by key, holdfastd of the stage is started with it in a folder of its own, and
 * at the end it is stopped by its process id and looked over: nothing may have
 * asserted, nothing may be left up.
 *
 * Every site, caller, helper and phone of one test process has its own
 * 127.x.y.z, where x comes from the process id, so that tests can run side by
 * side:  127.x.0.n the house, .1 callers (the trunk), .2 helpers, .3 agents.
 */
#ifndef HF_TESTS_SITE_H
#define HF_TESTS_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tests/lib/ua.h"

enum site_street { SITE_HOUSE, SITE_TRUNK, SITE_HELPERS, SITE_AGENTS };

/* What the house says, as voices of its own (site_prompts); actors take those
 * below. */
enum site_voice {
	SITE_ONE_MOMENT = 26,
	SITE_STILL_THERE,
	SITE_YOU_ARE_NUMBER,
	SITE_IN_LINE,
	SITE_VOICEMAIL_INTRO,
	SITE_NO_MESSAGES,
	SITE_GOODBYE,
	SITE_ALL_BUSY,
	SITE_MUSIC,
};

struct site_key {
	char path[120];
	char value[600];
};

struct site {
	char name[32];
	char dir[64]; /* everything of it: configuration, run_dir, store, log */
	char run[64]; /* where dir/run leads, on tmpfs; "": nowhere else */
	char ip[64];
	int port;
	pid_t pid;
	int builds;           /* that it was upgraded to */
	struct ua_where udp;  /* where calls go */
	void (*pass)(int ms); /* how time passes while an upgrade is waited for;
			       * NULL: the world goes on */
	struct site_key *key;
	size_t keys, key_cap;
};

/* The nth address of a street, 1 to 250; a static buffer a street. */
const char *site_address(enum site_street, int n);

/* A site with what every test needs: listeners (UDP and TCP), RTP ports, run
 * and store folders, a trunk "carrier" of the whole trunk street.  ipv6: it
 * listens on ::1, and the trunk is ::1.  NULL and a message when there is no
 * stage (HF_STAGE, else build/stage). */
struct site *site_new(const char *name, bool ipv6);

/* "queues.sales.max_wait", "2s": YAML text behind a dotted path; the last word
 * counts.  A part in quotes may hold dots. */
void site_set(struct site *, const char *path, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

void site_unset(struct site *, const char *path);

/* An agent's account; writes the secret's file. */
void site_agent(
    struct site *, const char *name, const char *secret, const char *queues);

/* Every prompt is a voice that can be told from all others, instead of Debian's
 * recordings. */
void site_prompts(struct site *);

/* It will stand there instead. */
void site_move(struct site *, const char *ip, int port);

/* A wav file, 8 kHz, mono, 16 bit, of a voice that talks for so many 20 ms. */
void site_wav(const char *path, int voice, unsigned frames);

/* How often longer everything that waits may take: HF_SLOW of the environment,
 * or 1.  Its rooms run under valgrind, say. */
int64_t site_patience(void);

/* Starts it and waits until it answers OPTIONS; false with its log on standard
 * error when it does not within 10 s. */
bool site_start(struct site *, struct ua_world *);

/* kill -9 of its keeper, and two seconds later a start from what it left.  with
 * (may be NULL): of the rooms, too, whose names begin so. */
bool site_again(struct site *, struct ua_world *, const char *with);

/* hfctl upgrade, while the world goes on, to a build that speaks another
 * language than the one before. */
bool site_upgrade(struct site *, struct ua_world *);

/* kill -9 of its keeper, and another is started at once; nobody waits until it
 * is there. */
bool site_new_keeper(struct site *);

/* SIGTERM, while the world goes on, and a start when it has ended well. */
bool site_reopen(struct site *, struct ua_world *);

/* Stops it; false, with its log on standard error, when it did not end well or
 * its log tells of an assertion or a sanitizer. */
/* Writes the configuration anew and has it taken over (hfctl reload). */
bool site_reload(struct site *);
bool site_stop(struct site *);
void site_free(struct site *);

/* Runs hfctl with these words; what it said, at most cap - 1 bytes.  Returns
 * its exit status. */
int site_ctl(const struct site *, const char *words, char *out, size_t cap);

/* The process of that name ("hf-media"): its pid, or 0.  nth counts from 0. */
pid_t site_child(const struct site *, const char *name, int nth);

/* All its processes together: CPU time so far in us, resident memory in KB. */
int64_t site_cpu(const struct site *);
int64_t site_memory(const struct site *);

/* How long its processes and our own have stood in line for a processor since
 * the mark, in us. */
enum { SITE_PIDS = 64 };
struct site_mark {
	pid_t pid[SITE_PIDS];
	int64_t us[SITE_PIDS];
	int n;
};
void site_mark(const struct site *, struct site_mark *);
int64_t site_waited(const struct site *, const struct site_mark *);

void site_show_log(const struct site *);

/* Bytes of a file under the stage: "sbin/holdfastd". */
const char *site_stage(const char *path);

#endif
