/*
 * ctl/bundle - one tar file of small texts, packed by gzip(1), that nobody but
 * its maker may read.
 */
#ifndef HF_CTL_BUNDLE_H
#define HF_CTL_BUNDLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

enum {
	BUNDLE_FILE_MAX = 4 << 20, /* bytes; the rest of it is cut off */
	BUNDLE_MAX = 32 << 20,     /* of all; what comes later is left out */
};

struct bundle {
	const char *path;
	int fd; /* to gzip */
	pid_t gzip;
	size_t bytes;
	int err; /* the first, an errno */

	FILE *text; /* of the file that is being written, see bundle_file() */
	char *memory;
	size_t size;
	char name[96];
};

/* Makes the file, never over one that is there; "-" is standard output.
 * 0 or errno. */
int bundle_open(struct bundle *b, const char *path);

/* Where to write the file of this name; what was written before it is in the
 * bundle from now on.  Never NULL. */
FILE *bundle_file(struct bundle *b, const char *name);

/* 0, or errno: then there is no bundle. */
int bundle_close(struct bundle *b);

#endif
