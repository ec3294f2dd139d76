/*
 * conf/load/origins - where each setting in force was written, for hfctl
 * config: filled during a load, asked by path afterwards.
 */
#ifndef HF_CONF_LOAD_ORIGINS_H
#define HF_CONF_LOAD_ORIGINS_H

#include <stdint.h>

#include "conf/load/load.h"

enum { CONF_ORIGINS_MAX = 8192 };

struct conf_origins {
	uint32_t n;
	struct {
		uint64_t path; /* hashed */
		uint32_t line;
	} row[CONF_ORIGINS_MAX];
};

/* Empties it, and hears what the next load with this report reads. */
void conf_origins_hear(struct conf_origins *o, struct conf_report *report);

/* The line of the file, or 0: it has its default. */
uint32_t conf_origins_line(const struct conf_origins *o, const char *path);

#endif
