/*
 * daemon/call - hf-call: the engine of logic/call on the skeleton of proc.  It
 * decides about every call and touches nothing: no network, no disk but its
 * slots, no library but libc.
 *
 *      hf-sip, hf-media, hf-rec --facts--> main.c -> engine -> orders --> them
 *      hfctl --ASK--> ask.c reads the engine's tables, or acts through it
 */
#ifndef HF_DAEMON_CALL_CALL_H
#define HF_DAEMON_CALL_CALL_H

#include "logic/call/engine.h"
#include "wire/msg.h"

/* An operator's question; orders that come of it go to out. */
void ask_answer(struct engine *e, const struct msg_ask *m, struct orders *out);

#endif
