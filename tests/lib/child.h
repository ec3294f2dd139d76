/*
 * tests/lib/child - programs that a test starts and what they log.  None
 * outlives the test, however it ends.
 */
#ifndef HF_TESTS_CHILD_H
#define HF_TESTS_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* argv[0], a full path, in the folder dir, which is its HOME (NULL: where we
 * are); it reads in, or nothing when that is -1, and adds what it says to log.
 * sig is how it hears that we died.  Dies when there is no process left. */
pid_t child_start(
    char *const *argv, const char *dir, const char *log, int in, int sig);

/* It ends by itself within so long; status as waitpid(2) has it. */
bool child_ends(pid_t, int64_t ms, int *status);

/* How long it has stood in line for a processor so far, in us: what a busy
 * machine adds to whatever is timed. */
int64_t child_waited(pid_t);

/* stop(of) is called at the test's end, unless of is over by then. */
void child_at_end(void (*stop)(void *of), void *of);
void child_is_over(void *of);

/* Is that in one of the file's lines?  No, when there is no such file. */
bool file_says(const char *path, const char *text);
/* The same, of what stands behind its first bytes. */
bool file_says_after(const char *path, long bytes, const char *text);
/* The whole of it to stderr, as the log of that one. */
void file_show(const char *path, const char *whose);

#endif
