/*
 * proc/crash - deaths on order, for the drill of points.  Only in a build with
 * -Dcrash_points=true; in any other there is nothing of it.
 *
 * Each store to a slot and each system call of a process is a point.  A test
 * maps the page that HF_CRASH names, and so does each process, before main();
 * while a process' cell is on, its points are counted, and it kills itself
 * right before the die_at-th, which is struck off: its next life goes on.
 * Calls of the libraries count, too (they meet our functions of that name);
 * those within the C library do not.
 */
#ifndef HF_PROC_CRASH_H
#define HF_PROC_CRASH_H

#include <stdint.h>

#define CRASH_MAGIC 0x48534352u
enum { CRASH_CELLS = 8, CRASH_NAME = 16, CRASH_WHERE = 48 };

struct crash_page {
	uint32_t magic, pad;
	struct crash_cell {
		char name[CRASH_NAME]; /* of the program: "hf-sip" */
		uint32_t on;
		uint32_t deaths;
		uint64_t count, die_at;
		char where[CRASH_WHERE]; /* it died before this */
	} cell[CRASH_CELLS];
};

#ifdef HF_CRASH_POINTS
void crash_store(const char *path, const char *what);
#define CRASH_STORE(path, what) crash_store(path, what)
#else
#define CRASH_STORE(path, what) ((void)0)
#endif

#endif
