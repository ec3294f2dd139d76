/*
 * tests/lib/sip_calls - what the tests of sessions begin and end with: a world
 * of its own for each, in which A calls B.
 */
#ifndef HF_TESTS_SIP_CALLS_H
#define HF_TESTS_SIP_CALLS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/lib/sip_world.h"

enum { A, B, C };
enum { LONG = 70000 }; /* ms: longer than everything that lingers */

extern struct world *w;
extern struct party *a, *b;

int calls_begin(void **state);
int calls_end(void **state);

/* All that lingers has gone, and nothing is left. */
void all_is_gone(void);
/* The same, once everyone has hung up. */
void end_well(void);

/* A's session with B, who answers; or who rings until somebody says more. */
struct sip_session *call_up(void);
struct sip_session *call_rings(void);

/* The party's only session, which is in this state. */
struct sip_session *session(struct party *p, enum sip_session_state state);

/* What the party does with its only session. */
void answer(struct party *p, const char *sdp);
void reinvite(struct party *p, const char *sdp);
void inform(struct party *p, const char *type, const char *body);
void drop(struct party *p);

bool is(struct hf_slice m, const char *begin);
/* For world.lose. */
bool lose_acks(struct world *x, uint8_t from, struct hf_slice m);

#endif
