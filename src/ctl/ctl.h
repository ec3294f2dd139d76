/*
 * ctl - hfctl, the operator's hand: asks the house over the keeper's socket
 * and shows the answer, for people or as JSON.
 *
 *      verbs.c  --words-->  link.c  <==socket==>  keeper, rooms
 *         |                   | rows
 *         +---> show.c <------+        trace.c, why.c: answers with a shape
 *                                      diagnose.c: all of it, for support
 *
 * What comes back was partly written by strangers (numbers, SIP messages):
 * it is escaped before it reaches the terminal.
 */
#ifndef HF_CTL_CTL_H
#define HF_CTL_CTL_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/check.h"
#include "base/slice.h"
#include "base/time.h"
#include "wire/row.h"

/* Exit codes, as in hfctl(1). */
enum {
	CTL_DONE = 0,
	CTL_REFUSED = 1, /* the house says no, or something is wrong */
	CTL_USAGE = 2,
	CTL_AWAY = 3, /* no connection, or no answer in time */
};

enum { CTL_WORDS_MAX = 32, CTL_ERROR_MAX = 256 };

struct ctl {
	const char *socket;
	struct hf_span timeout; /* for each question */
	bool json;
	/* Options of single verbs; NULL or false when they are not given. */
	const char *past, *pcap, *file, *to;
	bool live, off, reset;

	const char *word[CTL_WORDS_MAX]; /* the verb and what follows */
	unsigned int words;

	int fd; /* -1: not connected */
	uint32_t id;
	char error[CTL_ERROR_MAX]; /* what is wrong; what to do */
};

/* ---- link ---------------------------------------------------------------- */

struct rows {
	struct hf_slice *row;
	size_t n, cap;
};
void rows_free(struct rows *r);

/* Asks and collects the whole answer.  CTL_DONE, or why not, with ctl->error
 * set; rows that came before an error are kept.  Free the rows in any case. */
int link_ask(struct ctl *c, const char *verb, const char *const *word,
    unsigned int words, struct rows *out);

/* Waits until the house ends the connection; false when it does not in time. */
bool link_ends(struct ctl *c, struct hf_span within);
/* Who listens at the socket; 0 when nobody does. */
pid_t link_pid(struct ctl *c);

/* A value of a row; false when it has none of this name. */
bool row_find(struct hf_slice row, const char *name, struct row_value *out);
int64_t row_int(struct hf_slice row, const char *name, int64_t otherwise);
/* Copied as a C string, "" when it is not there. */
const char *row_str(struct hf_slice row, const char *name, char *to, size_t n);

/* ---- show ---------------------------------------------------------------- */

void show_table(FILE *f, const struct rows *r, size_t from);
void show_fields(FILE *f, struct hf_slice row);
/* A JSON array of the rows from here on; an object of one row. */
void json_rows(FILE *f, const struct rows *r, size_t from);
void json_row(FILE *f, struct hf_slice row);
void json_text(FILE *f, struct hf_slice s);

/* Without anything a terminal would obey; bytes that are not UTF-8 as \xNN.
 * Returns how many columns it takes; f may be NULL. */
size_t put_safe(FILE *f, struct hf_slice s);
/* "71ms", "1.50s", "2m05s", "3h12m", "2d4h" */
const char *span_text(int64_t us, char *to, size_t n);
/* "2026-03-01 12:00:00.123", local time */
const char *wall_text(int64_t us, char *to, size_t n);

/* ---- verbs --------------------------------------------------------------- */

enum complete_kind {
	COMPLETE_NOTHING,
	COMPLETE_WORDS, /* .words, apart by blanks */
	COMPLETE_CALL,
	COMPLETE_AGENT,
	COMPLETE_HELPER,
	COMPLETE_BOX,
	COMPLETE_NUMBER,
};

struct ctl_verb {
	const char *name;
	const char *args; /* as in the manual page */
	const char *help;
	int (*run)(struct ctl *c);
	unsigned int words_min, words_max; /* after the verb */
	struct {
		enum complete_kind kind;
		const char *words;
	} complete[2]; /* first and second word */
	const char *options;
};

extern const struct ctl_verb ctl_verbs[];
extern const size_t ctl_verbs_nr;
const struct ctl_verb *verb_find(const char *name);

int verb_trace(struct ctl *c);
int verb_why(struct ctl *c);
int verb_config(struct ctl *c);
int verb_upgrade(struct ctl *c);
int verb_diagnose(struct ctl *c);

/* hfctl complete N WORD...: what could stand at the Nth word. */
int complete_run(struct ctl *c, int argc, char **argv);

#endif
