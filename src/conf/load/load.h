/*
 * conf/load - from the YAML file to the snapshot.  libyaml splits the text,
 * the key table (conf/keys.h) is the schema, and each thing that is wrong
 * becomes one line:
 *
 *      FILE:LINE:COLUMN: where in the file: what is wrong; what to do
 *
 * The file is an operator's, yet it is treated like a stranger's: its size,
 * depth and number of members are bounded, and anchors, aliases and tags are
 * refused, so nothing can be larger in memory than on the page.
 */
#ifndef HF_CONF_LOAD_LOAD_H
#define HF_CONF_LOAD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"
#include "conf/conf.h"

enum {
	CONF_PROBLEMS_MAX = 20, /* told; further ones are counted */
	CONF_PROBLEM_TEXT = 400,
	CONF_FILE_BYTES_MAX = 1 << 20,
};

struct conf_problem {
	uint32_t line, column; /* from 1 */
	bool warning;          /* it works, but perhaps not as meant */
	char text[CONF_PROBLEM_TEXT];
};

struct conf_report {
	char file[256];
	uint32_t errors, warnings; /* in all */
	/* Told here, in the order of the file; errors before warnings when
	 * there are too many. */
	uint32_t problems;
	struct conf_problem problem[CONF_PROBLEMS_MAX];

	/* May be set before the load: hears the line that each value came
	 * from, by its path ("bots.cloud-a.guard.voice"). */
	void (*origin)(void *arg, const char *path, uint32_t line);
	void *origin_arg;
};

/*
 * Reads and checks the file.  old (NULL at the first load) is the snapshot in
 * force: names keep their places.  secrets may be NULL: then no other file
 * than this one is touched (secrets, prompts).  False when there is an error:
 * *out and *secrets are then not to be used, but for keeper.run_dir, which is
 * empty where it could not be read.
 */
bool conf_load(const char *path, const struct conf *old, struct conf *out,
    struct conf_secrets *secrets, struct conf_report *report) HF_CHECK;

/* The same for a text in memory; name stands in the report, and relative
 * paths start from its folder. */
bool conf_load_memory(const char *text, size_t n, const char *name,
    const struct conf *old, struct conf *out, struct conf_secrets *secrets,
    struct conf_report *report) HF_CHECK;

/* All problems, a line each, and how many more there are. */
typedef void conf_tell(void *arg, const char *line);
void conf_report_each(
    const struct conf_report *report, conf_tell *tell, void *arg);
void conf_report_print(const struct conf_report *report, int fd);

#endif
