/*
 * proc/would - before an upgrade: what would this program make of the tables
 * that its running ancestor keeps?
 *
 *      $ hf-call --would-take /run/holdfast
 *      table=call.slots take=yes
 *      table=house.slots take=no why="its version is 3 ..."
 */
#ifndef HF_PROC_WOULD_H
#define HF_PROC_WOULD_H

#include "proc/proc.h"

/* A line a table that is there; 0 when each of them would be taken whole. */
int would_take(const struct proc_room *room, const char *run_dir);

#endif
