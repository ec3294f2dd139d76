/*
 * tests/lib/story_parse - the language of tests/story/NAME.story: what a
 * caller, his helpers and the house do, one act a line, and what must come of
 * it.  The same text runs in virtual time (tests/sim) and with real processes
 * (the live runner); this file only says what a line means.
 *
 * LINES
 *   Words are separated by blanks; a comma counts as a blank; "..." is one
 *   word; # begins a comment.  The first act is   story "its promise".
 *   In the table below (and in story_parse.c, which is the grammar) small
 *   words stand for themselves and capitals for a value:
 *     NAME    an actor or a thing of the house, [a-z0-9_-]
 *     SPAN    90ms, 3s, 5m
 *     N CODE  a number
 *     TEXT    any one word, or "several in quotes"
 *     REST    all words to the end of the line
 *
 * THE HOUSE, before anybody calls
 *   story TEXT            its title
 *   only sim              cannot be done with real processes; only live: nor
 *   only live               in virtual time
 *   sweep NAME hangs up   run once without, then once for each moment: NAME
 *                           hangs up after the 1st, 2nd, ... thing that
 *                           happens, and all else still holds (sim); the
 *                           expectations are then skipped
 *   site NAME             ours (default: lyon)
 *   set KEY TEXT          a configuration key by its dotted path:
 *                           set queues.sales.max_wait 2s
 *   bot NAME [says TEXT]  a helper, reached over SIP, a stand-in of its own.
 *   centre NAME             "remote" unless said "in the house"
 *   neighbour NAME        a helper of kind site: another Holdfast
 *   bot NAME in the house
 *   trunk NAME            one more line to the world and who is at its far end
 *                           (live); "carrier" leads to the actor "world"
 *   queue NAME            default: one, "sales"
 *   box NAME              a voicemail box; default: one, "front"
 *   agent NAME at NAME [ready] [later] [serves NAME ...]
 *                         an account and a phone; extension = name; serves
 *                           "sales" unless said.  ready: registered and
 *                           available when the story begins; else offline;
 *                           later: not in the configuration at first
 *   phone NAME of NAME    one more phone of that agent, registered when the
 *                           story begins (live)
 *   ladder REST           of +33400000000, "KIND NAME" pairs:
 *                           ladder bot cloud-a, queue sales, voicemail front
 *                           default: bots, centres, neighbours in the order
 *                           they were named, then each queue if there is an
 *                           agent.  "number +33123456789" is a rung too
 *   ladder of TEXT is REST   of another number, instead of "ladder"
 *
 * WHAT A STAND-IN WILL DO with each call from now on (defaults: answers a
 * call after 20 ms, talks, answers OPTIONS)
 *   NAME will answer after SPAN
 *   NAME will refuse CODE         final answer to INVITE
 *   NAME will try only            100 and no more
 *   NAME will ring only           180 and no more
 *   NAME will never try           not even a 100 (nor OPTIONS)
 *   NAME will send no media       answers, and no packet comes
 *   NAME will talk early          183 with media before it answers
 *   NAME will hang up after SPAN  counted from its answer
 *   NAME will take N at once      one more is refused 503 (live)
 *   NAME will behave              back to the defaults
 *   An agent's phone rings and waits for "NAME answers" unless it "will
 *   answer after SPAN".
 *
 * ACTS, in the present tense; they happen at once
 *   NAME calls TEXT          a caller from the trunk (made by this line), or
 *                              an agent's phone: a number, an extension, or
 *                              a feature code (by its key: available,
 *                              not_ready, wrap_up_end, voicemail)
 *   NAME calls TEXT with TEXT   the same, and one header line more in its
 *                              INVITE: carol calls +33... with "Privacy: id"
 *   crowd of N calls TEXT    N callers more, all at once, crowd-1 ... crowd-N
 *   NAME answers             an agent's ringing phone
 *   NAME declines [CODE]     486 unless said
 *   NAME hangs up            BYE (or CANCEL), whoever it is
 *   NAME hangs up with CODE     with Reason: SIP;cause=CODE
 *   NAME hangs up saying TEXT   with Reason: ...;text="TEXT"
 *   NAME refers to TEXT      blind REFER; TEXT is a number
 *   NAME holds               re-INVITE sendonly; NAME resumes
 *   NAME reoffers            re-INVITE from another RTP port
 *   NAME presses TEXT        DTMF, RFC 4733
 *   NAME informs TEXT TEXT   INFO: content type, body
 *   NAME registers           an agent's phone; NAME unregisters
 *   kill NAME silently       no packet, no answer; its sockets stay open
 *   kill NAME closed         its sockets are closed: ICMP
 *   kill NAME media          no RTP; its SIP goes on
 *   revive NAME              all back
 *   NAME goes mute           sends silence; NAME talks: again
 *   NAME loops               says the same 2 s again and again
 *   NAME sends garbage       full-scale noise
 *   NAME suppresses silence  pauses by comfort noise (CN) from now on
 *   cut NAME for SPAN        packets from there are lost, both SIP and RTP
 *   cut uplink for SPAN      from all remote helpers
 *   restart NAME             kill -9 of a process: hf-media, hf-sip, hf-call;
 *                            holdfastd: the whole house, which starts again
 *   freeze NAME for SPAN     SIGSTOP, then SIGCONT
 *   reload without NAME      the configuration loses that agent
 *   reload with NAME         and gets him (back)
 *   operator REST            hfctl's words: operator helper cloud-a open
 *   after SPAN               nothing is done for so long
 *
 * EXPECTATIONS.  Without "within SPAN": 2s.  "never" and "was never" look
 * back from the end of the story.  WHAT is one of: an actor's name, comfort,
 * a-voice (any spoken prompt), ringback, music, a-beep, goodbye, something,
 * nothing (no packet for 200 ms).
 *   expect NAME hears WHAT
 *   expect NAME never hears WHAT
 *   expect NAME hears no gap of SPAN  between two packets since the last act
 *   expect NAME rings                 an agent's phone
 *   expect NAME never rings
 *   expect NAME is called             a helper gets an INVITE
 *   expect NAME is called with TEXT   its INVITE has this text in a header
 *   expect NAME was never called
 *   expect NAME was never called with TEXT
 *   expect NAME is answered           a caller gets 200
 *   expect NAME was never answered
 *   expect NAME was never re-invited
 *   expect NAME is refused CODE       a caller's call got this final answer
 *   expect NAME is let go             BYE or CANCEL came, or its own was
 *                                       answered: its leg is over
 *   expect NAME was never let go
 *   expect NAME gets digits TEXT
 *   expect NAME gets info TEXT        of this content type
 *   expect NAME is notified CODE      that his REFER has come to this
 *   expect NAME is held               re-INVITE sendonly; NAME is resumed
 *   expect NAME is STATE              agent or helper, as hfctl shows it:
 *                                       offline available ringing on_call
 *                                       wrap_up not_ready; closed open trial
 *                                       ramp
 *   expect journal says NAME [KEY=VALUE ...]    a fact of wire/msg.def, in
 *                                       small letters, with these fields
 *   expect journal never says NAME [KEY=VALUE ...]
 *   expect calls N                    so many are up
 *   expect box NAME has N
 *   Keys of a journal line are field names; "why" is "cause" of a RUNG_ENDED
 *   and CALL_ENDED, too, and "call" is a caller's name.
 *
 * After the last line all callers who are left hang up, and no call, leg or
 * stream may remain within 2 s.
 */
#ifndef HF_TESTS_STORY_PARSE_H
#define HF_TESTS_STORY_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/time.h"

enum story_verb {
	/* the house */
	STORY_STORY,
	STORY_ONLY_SIM,
	STORY_ONLY_LIVE,
	STORY_SWEEP,     /* NAME */
	STORY_SITE,      /* NAME */
	STORY_SET,       /* KEY VALUE */
	STORY_BOT,       /* NAME [TEXT] */
	STORY_BOT_LOCAL, /* NAME */
	STORY_CENTRE,    /* NAME */
	STORY_NEIGHBOUR, /* NAME */
	STORY_TRUNK,     /* NAME */
	STORY_QUEUE,     /* NAME */
	STORY_BOX,       /* NAME */
	STORY_AGENT,     /* NAME SITE [words: "ready" "serves" QUEUE...] */
	STORY_PHONE,     /* NAME AGENT */
	STORY_LADDER,    /* [kind name]... */
	STORY_LADDER_OF, /* NUMBER [kind name]... */
	/* standing orders */
	STORY_WILL_ANSWER,    /* NAME SPAN */
	STORY_WILL_REFUSE,    /* NAME CODE */
	STORY_WILL_TRY,       /* NAME */
	STORY_WILL_RING,      /* NAME */
	STORY_WILL_NEVER_TRY, /* NAME */
	STORY_WILL_NO_MEDIA,  /* NAME */
	STORY_WILL_EARLY,     /* NAME */
	STORY_WILL_HANG_UP,   /* NAME SPAN */
	STORY_WILL_TAKE,      /* NAME COUNT */
	STORY_WILL_BEHAVE,    /* NAME */
	/* acts */
	STORY_CALLS_WITH,      /* NAME NUMBER LINE */
	STORY_CALLS,           /* NAME NUMBER */
	STORY_CROWD,           /* COUNT NUMBER */
	STORY_ANSWERS,         /* NAME */
	STORY_DECLINES,        /* NAME [CODE] */
	STORY_HANGS_UP,        /* NAME */
	STORY_HANGS_UP_WITH,   /* NAME CODE */
	STORY_HANGS_UP_SAYING, /* NAME TEXT */
	STORY_REFERS,          /* NAME NUMBER */
	STORY_HOLDS,           /* NAME */
	STORY_RESUMES,         /* NAME */
	STORY_REOFFERS,        /* NAME */
	STORY_PRESSES,         /* NAME DIGITS */
	STORY_INFORMS,         /* NAME TYPE BODY */
	STORY_REGISTERS,       /* NAME */
	STORY_UNREGISTERS,     /* NAME */
	STORY_KILL_SILENTLY,   /* NAME */
	STORY_KILL_CLOSED,     /* NAME */
	STORY_KILL_MEDIA,      /* NAME */
	STORY_REVIVE,          /* NAME */
	STORY_MUTE,            /* NAME */
	STORY_TALKS,           /* NAME */
	STORY_LOOPS,           /* NAME */
	STORY_GARBAGE,         /* NAME */
	STORY_SUPPRESSES,      /* NAME */
	STORY_CUT,             /* NAME SPAN; "uplink" for all remote helpers */
	STORY_RESTART_WITH,    /* NAME of a process, NAME of another */
	STORY_RESTART,         /* NAME of a process, or "house" for all */
	STORY_UPGRADE,         /* to a build that speaks another language */
	STORY_FREEZE,          /* NAME SPAN */
	STORY_RELOAD_WITHOUT,  /* NAME */
	STORY_RELOAD_WITH,     /* NAME */
	STORY_OPERATOR,        /* words... */
	STORY_AFTER,           /* SPAN */
	/* expectations */
	STORY_HEARS,             /* NAME WHAT */
	STORY_HEARS_NO_GAP,      /* NAME SPAN, since the last act */
	STORY_NEVER_HEARS,       /* NAME WHAT */
	STORY_RINGS,             /* NAME */
	STORY_NEVER_RINGS,       /* NAME */
	STORY_CALLED_WITH,       /* NAME TEXT */
	STORY_IS_CALLED,         /* NAME */
	STORY_NEVER_CALLED_WITH, /* NAME TEXT */
	STORY_NEVER_CALLED,      /* NAME */
	STORY_IS_ANSWERED,       /* NAME */
	STORY_NEVER_ANSWERED,    /* NAME */
	STORY_NEVER_REINVITED,   /* NAME */
	STORY_IS_REFUSED,        /* NAME CODE */
	STORY_LET_GO,            /* NAME */
	STORY_NEVER_LET_GO,      /* NAME */
	STORY_GETS_DIGITS,       /* NAME DIGITS */
	STORY_GETS_INFO,         /* NAME TYPE */
	STORY_IS_NOTIFIED,       /* NAME CODE */
	STORY_IS_HELD,           /* NAME */
	STORY_IS_RESUMED,        /* NAME */
	STORY_IS,                /* NAME STATE */
	STORY_JOURNAL,           /* FACT [key=value]... */
	STORY_JOURNAL_NEVER,     /* FACT [key=value]... */
	STORY_CALLS_UP,          /* COUNT */
	STORY_BOX_HAS,           /* NAME COUNT */
};
enum { STORY_VERBS = STORY_BOX_HAS + 1 };

enum {
	STORY_WORDS_MAX = 20,
	STORY_ACTS_MAX = 200,
	STORY_TEXT_MAX = 32768,
	STORY_ERROR_MAX = 200,
};

#define STORY_NUMBER "+33400000000" /* what "ladder" and its default bind */

struct story_act {
	enum story_verb verb;
	unsigned line;
	/* The values of the pattern in order, then the words of REST. */
	unsigned words;
	const char *word[STORY_WORDS_MAX];
	/* The first SPAN and the first N or CODE in it, else 0. */
	struct hf_span span;
	long number;
	struct hf_span within; /* expectations only; default 2 s */
};

/* Big (points into itself): make it static, do not copy it. */
struct story {
	const char *title;
	bool only_sim, only_live;
	const char *sweep; /* who hangs up at every moment, or NULL */
	unsigned acts;
	struct story_act act[STORY_ACTS_MAX];
	char error[STORY_ERROR_MAX]; /* "line 7: no such act: ..." */
	char text[STORY_TEXT_MAX];   /* what the words point into */
};

/* The whole text of a file.  False: *error says where and what. */
bool story_parse(struct story *s, const char *text, size_t n);
/* The same, read from a file. */
bool story_load(struct story *s, const char *path);

bool story_is_house(enum story_verb v); /* before the first call */
bool story_is_expectation(enum story_verb v);
/* Checked at the end of the story only. */
bool story_is_never(enum story_verb v);
/* "NAME calls TEXT": the pattern, for messages to people. */
const char *story_verb_pattern(enum story_verb v);

/* "90ms", "3s", "5m".  False when it is something else. */
bool story_span(const char *word, struct hf_span *out);

#endif
