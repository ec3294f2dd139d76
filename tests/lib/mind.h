/*
 * tests/lib/mind - one engine of logic/call: it is told facts, and what it
 * orders is looked at by the test.
 */
#ifndef HF_TESTS_MIND_H
#define HF_TESTS_MIND_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "logic/call/engine.h"

enum { SECOND = 1000000 };

extern struct conf conf;
extern struct engine *e;
extern struct hf_time now;

/* A house whose number 100 leads up a ladder of so many rungs; the test says
 * which they are, and all else. */
void mind_house(uint16_t rungs);
/* The first rung is a queue, and agent anna serves it. */
void mind_queue(void);
/* Such a house with a bot on each rung, which is left in peace. */
void mind_bots(uint16_t bots);
/* It thinks from now on, and order sees what it wants; inside may be NULL. */
void mind_wakes(void (*order)(const struct msg *m),
    void (*inside)(struct orders *o, uint32_t place));

void tell(const struct msg *m);
void passes(int64_t seconds);
void passes_ms(int64_t ms);

/* hf-media is there; anna is registered; hf-sip has died, and is there again
 * without the phones of TCP; a caller dials 100; somebody of ours answers. */
void media_comes(void);
void anna_comes(void);
/* It was registered: it has started again, or only renewed that. */
void annas_phone(bool starts);
void sip_dies(void);
void caller_comes(uint64_t leg);
void leg_answers(uint64_t leg);
void leg_leaves(uint64_t leg);
/* The mind dies, and so long later it is there again, with its first call, if
 * there is one, and the house's record; nobody has told it anything yet. */
void mind_sleeps(int64_t seconds);
/* The same at once, with its first calls. */
void mind_sleeps_with_all(uint32_t calls);
/* It died of this call twice, and is there without it. */
void mind_dies_of(const struct call *c);
/* Nobody is waited for any more. */
void house_closes(void);

#endif
