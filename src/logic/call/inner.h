/*
 * logic/call/inner - what the engine's stories may ask of one another.  Not
 * for anybody outside this folder.
 *
 *   engine.c     tables, facts and deadlines to whom they concern
 *   arrive.c     a call begins
 *   machine.c    what may follow what; enter(); invariants
 *   ladder.c     the next rung, and how one begins
 *   rescue.c     how a helper fails, yields or is done
 *   legs.c       legs and streams: ring, open, join, drop
 *   queue.c      waiting           agents.c     people
 *   helpers.c    breakers, probes  voicemail.c  messages
 *   outcalls.c   calls of agents   evidence.c   what the journal hears
 *   refer.c      a party passes the caller on
 */
#ifndef HF_LOGIC_CALL_INNER_H
#define HF_LOGIC_CALL_INNER_H

#include <stdio.h>
#include <string.h>

#include "logic/call/engine.h"

/* ---- engine.c ------------------------------------------------------------ */

/* A blank order in the engine's own message; then one of the sends. */
#define ORDER(e, type_, member)                                                \
	((e)->m.type = (type_),                                                \
	    memset(&(e)->m.member, 0, sizeof((e)->m.member)), &(e)->m.member)

void send_sip(struct engine *e);
void send_media(struct engine *e, const struct call *c);
void send_rec(struct engine *e);
void send_store(struct engine *e);

/* Who changes a call says so: at the turn's end it is checked, its timer set
 * and its record committed. */
void touch(struct engine *e, struct call *c);
struct hf_wall wall_now(const struct engine *e);
/* hf-sip died, perhaps with a BYE that it had read: that is repeated after T1
 * (RFC 3261 17.1.2.2). */
bool bye_may_come_again(const struct engine *e);
struct call_mind *mind_of(const struct engine *e, const struct call *c);
void due_in(struct engine *e, struct call *c, enum due d, struct hf_span s);
/* The record and its table places are given back. */
void call_free(struct engine *e, struct call *c);

/* ---- machine.c ----------------------------------------------------------- */

/* The only one who writes ->state. */
void enter(struct engine *e, struct call *c, enum call_state next);
/* The caller is let go, now or after a goodbye. */
void part(struct engine *e, struct call *c, enum cause why);
/* It is over: everything is given back, the CDR is written. */
void gone(struct engine *e, struct call *c, enum cause why);
/* What the caller was hearing has come to its end. */
void machine_prompt_ended(struct engine *e, struct call *c);
void machine_time(struct engine *e, struct call *c, enum due d);
void machine_check(const struct engine *e, const struct call *c);

/* ---- arrive.c ------------------------------------------------------------ */

void call_arrived(struct engine *e, const struct msg_leg_arrived *m);
/* What another site is told when this rung leads there: where the call has
 * been.  False: it does not fit any more, which no honest call gets to. */
bool path_on(const struct engine *e, const struct call *c, uint8_t rung,
    char to[CONF_PATH_MAX]) HF_CHECK;
/* The next call's name for the journal, unique for ever. */
void call_name(struct engine *e, char *id, size_t cap);
/* Callers who came before hf-media: one gave up, and that is written down;
 * false: he is none of them.  Now all may come in. */
bool call_left_early(
    struct engine *e, uint64_t leg, enum cause why, uint16_t code);
void call_early_admit(struct engine *e);
/* hf-sip turned him away: his record. */
void call_turned_away(struct engine *e, const struct msg_leg_turned_away *m);

/* ---- ladder.c ------------------------------------------------------------ */

/* Down to the next usable rung behind c->rung, or to the end. */
void descend(struct engine *e, struct call *c);
/* The next bot is rung as well; nothing happens when there is none. */
void hedge(struct engine *e, struct call *c);
/* Is there a usable rung below? */
bool ladder_goes_on(const struct engine *e, const struct call *c);
/* An outside number, over the trunk whose turn it is; NULL: there is none. */
struct leg *number_ring(struct engine *e, struct call *c, uint8_t rung,
    const char *number, struct hf_span give_up);
/* Over the next trunk; false when this one's answer was a person's. */
bool number_again(struct engine *e, struct call *c, const struct leg *failed);
bool path_has(const char *path, const char *site, unsigned *rung);
const struct conf_rung *rung_at(
    const struct engine *e, const struct call *c, uint8_t rung);

/* ---- rescue.c ------------------------------------------------------------ */

void helper_answered(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_answered *m);
void helper_rang(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_rang *m);
void helper_refused(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_refused *m);
void helper_left(struct engine *e, struct call *c, struct leg *l,
    const struct msg_leg_left *m);
/* He had a helper, or waited for one: into RESCUE, out of the leg. */
void let_down(struct engine *e, struct call *c, struct leg *l, enum cause why);
/* It steps back on purpose; target is a number it wishes, or NULL. */
void helper_yields(
    struct engine *e, struct call *c, struct leg *l, const char *target);
void helper_spoke(struct engine *e, struct call *c, struct leg *l);
void helper_proven(struct engine *e, struct call *c, struct leg *l);
/* The one way down: it failed, for this cause; evidence is for people. */
void helper_lost(struct engine *e, struct call *c, struct leg *l,
    enum cause why, const char *evidence);
void stream_suspect(struct engine *e, struct call *c, struct leg *l,
    const struct msg_stream_suspect *m);
void helper_closed(struct engine *e, struct call *c, const struct leg *l);
void stream_strangers(struct engine *e, struct call *c, const struct leg *l,
    const struct msg_stream_strangers *m);
void stream_voiced(struct engine *e, struct call *c, struct leg *l,
    const struct msg_stream_voiced *m);
void stream_well(struct engine *e, struct call *c, struct leg *l,
    const struct msg_stream_well *m);
/* It owes us no packet any more: it is held. */
void stream_excused(struct engine *e, struct call *c, struct leg *l);
void stream_mute(struct engine *e, struct call *c, struct leg *l,
    const struct msg_stream_mute *m);
void judge(struct engine *e, struct call *c, struct leg *l);
/* Every call of this helper, after news about it. */
void judge_all(struct engine *e, uint16_t helper, bool options_failed);
/* The caller hears a voice, then music, until somebody takes over. */
void voice_at_once(struct engine *e, struct call *c);
/* Lets the rung that just ended know, and remembers who had the caller. */
void rung_over(struct engine *e, struct call *c, struct leg *l, enum cause why,
    const char *evidence);

/* ---- refer.c ------------------------------------------------------------- */

void leg_referred(
    struct engine *e, struct call *c, struct leg *l, const char *number);
/* Rings whom a yielding helper named, or goes down the ladder. */
void reach_named(struct engine *e, struct call *c, const char *number);
/* hf-sip died: what was said on a REFER a moment ago may have died with it. */
void report_again(struct engine *e, const struct leg *to);
/* Is it the leg that is rung to take over while another still talks? */
bool pass_is_to(const struct call *c, const struct leg *l);
/* It has answered: who passed on is told and let go, it is helper[0]. */
void pass_answered(struct engine *e, struct call *c);
/* It will not: who passed on is told and keeps the other. */
void pass_failed(
    struct engine *e, struct call *c, enum cause why, const char *evidence);
void pass_late(struct engine *e, struct call *c);
/* False: he was not about to pass on.  Else he is gone now, and who is rung is
 * waited for. */
bool pass_left(struct engine *e, struct call *c, struct leg *l, enum cause why);

/* hf-sip reports no_answer after so long; when we assume it ourselves. */
static inline struct hf_span
ring_late(struct hf_span ring)
{
	return (struct hf_span){ ring.us + hf_ms(2000).us };
}

/* ---- legs.c -------------------------------------------------------------- */

const struct conf_guard *guard_of(const struct engine *e, const struct leg *l);
bool leg_is_helpers(const struct leg *l); /* has a breaker and a vote */
const char *leg_name(
    const struct engine *e, const struct call *c, const struct leg *l);
bool stream_take(struct engine *e, struct call *c, struct leg *l) HF_CHECK;
uint16_t leg_port(const struct engine *e, const struct leg *l);

/* An INVITE to a helper, an agent or a number; NULL when we have no stream
 * left.  row is a helper, an agent or a trunk. */
struct leg *leg_ring(struct engine *e, struct call *c, enum rung kind,
    uint16_t row, uint8_t rung, const char *number, struct hf_span give_up);
void leg_open(struct engine *e, struct call *c, struct leg *l);
void leg_join(struct engine *e, struct call *c, struct leg *l);
/* BYE, CANCEL or a refusal, and all that belonged to it is given back. */
void leg_drop(struct engine *e, struct call *c, struct leg *l, uint16_t code,
    const char *reason);
/* The far end has gone already: leg_drop() says nothing to it. */
void leg_ended(struct engine *e, struct call *c, struct leg *l);
/* Like leg_drop(), and nothing is ordered of hf-sip. */
void leg_forget(struct engine *e, struct call *c, struct leg *l);
/* Does it count in its helper's vote now, and how?  True: with it the helper
 * has fallen. */
bool leg_vote(struct engine *e, struct call *c, struct leg *l);
struct leg *helper_up(struct call *c); /* the one who has the caller, or NULL */

/* After a start of hf-media or of ours. */
void call_reopen(struct engine *e, struct call *c); /* its streams */
void call_rejoin(struct engine *e, struct call *c); /* who hears what */
void call_restored(struct engine *e, struct call *c);
/* hf-sip hears once more what the call wants of it; lost: orders may not have
 * reached it.  Nothing is done twice, and a leg that is no more is told. */
void call_reorder(struct engine *e, struct call *c, bool lost);
/* The worker's streams that calls have are taken. */
void streams_restore(struct engine *e, unsigned worker);

/* The caller's side. */
void caller_ring(struct engine *e, struct call *c);   /* 180, once */
void caller_early(struct engine *e, struct call *c);  /* 183 with SDP, once */
void caller_listen(struct engine *e, struct call *c); /* can hear us */
void caller_answer(struct engine *e, struct call *c); /* 200, once */
/* list ends with PROMPT_NONE; music follows when asked, then it never ends. */
void caller_play(struct engine *e, struct call *c, const uint8_t *list,
    enum after after, uint32_t message);
void caller_refuse(
    struct engine *e, struct call *c, uint16_t code, const char *reason);
/* A leg that never became a call, or whose call is over. */
void leg_refuse(struct engine *e, uint64_t leg, uint16_t code,
    uint16_t retry_after, const char *reason);
/* hf-sip asks about it once more: it died before it heard what we said.  True:
 * that is said again. */
bool leg_refused_before(struct engine *e, uint64_t leg);
/* Not a sign of life from a party that is connected: is it still there? */
void leg_silent(
    struct engine *e, struct call *c, struct leg *l, const char *evidence);
/* Whatever hold we asked of it is over. */
void leg_resume(struct engine *e, struct leg *l);
void caller_reoffered(
    struct engine *e, struct call *c, const struct media *media);
void helper_reoffered(
    struct engine *e, struct call *c, struct leg *l, const struct media *media);

/* ---- queue.c ------------------------------------------------------------- */

bool queue_usable(const struct engine *e, uint16_t queue, enum cause *why);
void queue_begin(struct engine *e, struct call *c, uint16_t queue);
/* Back with his place: the agent did not answer, or was lost. */
void queue_return(struct engine *e, struct call *c);
void queue_restored(struct engine *e, struct call *c);
void queue_leave(struct engine *e, struct call *c); /* out of the line */
/* On to the next rung: he has waited too long, or nobody is there. */
void queue_give_up(struct engine *e, struct call *c, enum cause why);
void queue_announce(struct engine *e, struct call *c);
/* One who waited has been answered: so fast does the line move. */
void queue_moved(struct engine *e, const struct call *c, const struct leg *l);
/* Somebody became available, or somebody came: bring them together. */
void queue_match(struct engine *e, uint16_t queue);
void queue_match_agent(struct engine *e, uint16_t agent);
/* Nobody is there any more: those who wait go on, if there is a rung. */
void queue_abandoned(struct engine *e, uint16_t queue);

/* ---- agents.c ------------------------------------------------------------ */

void agents_init(struct engine *e);
bool agent_serves(const struct engine *e, uint16_t agent, uint16_t queue);
uint16_t agent_longest_idle(const struct engine *e, uint16_t queue);
uint16_t agent_of_extension(const struct engine *e, const char *extension);
void agent_came(struct engine *e, uint16_t agent, bool anew);
void agent_went(struct engine *e, uint16_t agent);
/* hf-sip is there (again): who is registered it will say.  Who it does not
 * name has calls.phones_back to come back; until then he is not rung, and all
 * else stays as it was. */
void agents_unsure(struct engine *e);
bool agents_are_unsure(const struct engine *e);
/* His state, for one who wants to ring him now. */
enum agent_state agent_reached_as(const struct engine *e, uint16_t agent);
void agent_ring(struct engine *e, uint16_t agent, struct call *c);
void agent_talk(struct engine *e, uint16_t agent, struct call *c, bool dialled);
/* The leg to (or from) him is over; answered says whether he ever was on it,
 * why whether his phone is to blame. */
void agent_free(struct engine *e, uint16_t agent, struct call *c, bool answered,
    enum cause why);
void agent_restored(
    struct engine *e, uint16_t agent, struct call *c, enum agent_state s);
bool agent_wish(
    struct engine *e, uint16_t agent, enum agent_state s, const char *why);

/* A reload: those who are gone, while the old configuration still knows their
 * names; then who has their places now. */
void agents_leave(
    struct engine *e, const struct conf *old, const struct conf *new);
void agents_enter(struct engine *e, const struct conf *old);
void agents_keep(const struct engine *e, struct house *h);
void agents_kept(struct engine *e, const struct house *h);
void helpers_keep(const struct engine *e, struct house *h);
void helpers_kept(struct engine *e, const struct house *h);

/* ---- helpers.c ----------------------------------------------------------- */

void helpers_init(struct engine *e);
void helpers_reconf(struct engine *e);
void helper_tell(
    struct engine *e, struct leg *l, bool ok, const char *evidence);
void helper_trip(struct engine *e, uint16_t helper, const char *evidence);
/* It said nothing to our INVITE in its time; it said something to one. */
void helper_untried(struct engine *e, struct leg *l);
void helper_tried(struct engine *e, const struct leg *l);
void helper_probe_now(struct engine *e, uint16_t helper);
void helper_probed(struct engine *e, const struct msg_helper_probed *m);
/* Tells the world when the breaker's phase has changed. */
void helper_note(struct engine *e, uint16_t helper, const char *evidence);
struct vote_conf vote_conf_of(const struct engine *e, uint16_t helper);

/* ---- voicemail.c --------------------------------------------------------- */

void voicemail_begin(struct engine *e, struct call *c, uint16_t box);
/* Which of the boxes that he may hear: by name, by number (1: the first), or
 * "": his own, else anybody's.  CONF_NONE: none. */
uint16_t voicemail_box(
    const struct engine *e, uint16_t agent, const char *which);
void voicemail_listen(struct engine *e, struct call *c, uint16_t box);
void voicemail_prompt_ended(struct engine *e, struct call *c);
void voicemail_digit(struct engine *e, struct call *c, uint8_t digit);
/* A phone that sends its digits by INFO. */
void voicemail_info(
    struct engine *e, struct call *c, const struct msg_leg_info *m);
void voicemail_recorded(
    struct engine *e, struct call *c, const struct msg_recording_ended *m);
void voicemail_saved(struct engine *e, const struct msg_message_saved *m);
void voicemail_lost(struct engine *e, const struct msg_message_lost *m);
void voicemail_loaded(struct engine *e, const struct msg_message_loaded *m);
/* The caller is going: keep what he has said. */
void voicemail_stop(struct engine *e, struct call *c);
void voicemail_resume(struct engine *e, struct call *c);
/* hf-rec is there (again), or we are: it may not have heard of the message that
 * he is leaving; once it has, it does not mind. */
void voicemail_begin_again(struct engine *e, const struct call *c);
void voicemail_late(struct engine *e, struct call *c);

/* ---- outcalls.c ---------------------------------------------------------- */

void outcall_arrived(struct engine *e, struct call *c);
/* One more call to the world on this agent's account?  A yes is charged. */
bool outcall_pays(struct engine *e, uint16_t agent) HF_CHECK;
/* Code for the caller's phone when nobody was reached. */
uint16_t outcall_code(enum cause why, uint16_t code);

/* ---- evidence.c ---------------------------------------------------------- */

void tell_came(struct engine *e, const struct call *c);
void tell_evidence(struct engine *e, const struct call *c, const char *what,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* hf-media was away so long, and the caller heard nothing: nobody was there to
 * bridge it. */
void tell_media_gap(struct engine *e, struct call *c, struct hf_span gap);
void tell_rung(struct engine *e, struct call *c, const struct leg *l,
    enum cause why, const char *evidence);
void tell_rung_without_leg(struct engine *e, struct call *c, enum rung kind,
    const char *name, enum cause why);
void tell_rescued(
    struct engine *e, struct call *c, enum rung to_kind, const char *to_name);
void tell_ended(struct engine *e, const struct call *c, enum cause why);
/* hf-sip has routed it; its record is ours to write, once hf-sip forgets it. */
void tell_emergency(struct engine *e, const struct msg_emergency_ended *m);
/* A call that was never taken in: its one record, and what he heard; reason
 * may be empty. */
void tell_refused(struct engine *e, const struct msg_leg_arrived *m,
    enum cause why, uint16_t code, const char *reason);
void tell_agent(struct engine *e, uint16_t agent, const char *why);
void tell_breaker(struct engine *e, uint16_t helper, const char *evidence);
void tell_operator(struct engine *e, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* A C string into a field of a message or record, cut at its end. */
void text_set(char *to, size_t cap, const char *from);
#define TEXT(field, from) text_set((field), sizeof(field), (from))

#endif
