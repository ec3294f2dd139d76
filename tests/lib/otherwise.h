/* tests/lib/otherwise - makes of a copy of one of our programs one of another
 * build: it speaks another language (proc/adopt.h). */
#ifndef HF_TESTS_LIB_OTHERWISE_H
#define HF_TESTS_LIB_OTHERWISE_H

#include <stdbool.h>

/* False when it could not be, or has no language. */
bool speak_otherwise(const char *path);

#endif
