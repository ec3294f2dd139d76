/* logic/call/voicemail - leaving a message, and listening to those that were
 * left.
 *
 *   GREETING -> RECORDING -> SAVING -> goodbye
 *   LOADING -> PLAYING -> LOADING (1: next, 7: delete) ... -> EMPTY, #: end
 *
 * hf-rec writes and reads; we only say when. */

#include <stdlib.h>

#include "base/prompt.h"
#include "logic/call/inner.h"

enum {
	GREETING_MAX_MS = 60000,
	SILENCE_ENDS_MS = 6000,
	SAVE_MAX_MS = 3000, /* waiting for hf-rec */
	LOAD_MAX_MS = 5000,
	KEEP_MIN_MS = 1000, /* shorter is a hang-up, not a message */
	LISTEN_MAX_MS = 3600000,
};

static const struct conf_box *
box_of(const struct engine *e, const struct call *c)
{
	return &e->conf->box[c->box];
}

static void
feel(struct engine *e, struct call *c, bool on)
{
	struct msg_feel_stream *o = ORDER(e, MSG_FEEL_STREAM, feel_stream);

	o->stream = c->caller.stream;
	o->on = on;
	send_media(e, c);
}

/* ---- leaving a message --------------------------------------------------- */

void
voicemail_begin(struct engine *e, struct call *c, uint16_t box)
{
	const uint8_t greeting[] = { e->conf->box[box].greeting[0] != '\0'
					 ? (uint8_t)(PROMPT_GREETING + box)
					 : (uint8_t)PROMPT_VOICEMAIL_INTRO,
		PROMPT_BEEP, PROMPT_NONE };

	c->box = box;
	c->rung_began = e->now;
	c->voicemail = VOICEMAIL_GREETING;
	enter(e, c, CALL_STATE_WITH_HELPER);
	due_in(e, c, DUE_STATE, hf_ms(GREETING_MAX_MS));
	caller_answer(e, c);
	caller_play(e, c, greeting, AFTER_SILENCE, 0);
}

static void
order_record(struct engine *e, struct call *c)
{
	struct msg_record_stream *o =
	    ORDER(e, MSG_RECORD_STREAM, record_stream);

	o->stream = c->caller.stream;
	o->recording = c->recording;
	o->max = box_of(e, c)->max;
	o->silence = hf_ms(SILENCE_ENDS_MS);
	send_media(e, c);
	feel(e, c, true);
}

static void
order_begin(struct engine *e, const struct call *c)
{
	struct msg_begin_message *o =
	    ORDER(e, MSG_BEGIN_MESSAGE, begin_message);

	o->recording = c->recording;
	o->box = c->box;
	o->call = c->ref;
	/* Who listens is not told what the caller withholds. */
	TEXT(o->from, c->restricted ? "anonymous" : c->from);
	o->at.us = c->recorded.us + e->wall_ahead;
	send_rec(e);
}

void
voicemail_begin_again(struct engine *e, const struct call *c)
{
	if (c->voicemail == VOICEMAIL_RECORDING)
		order_begin(e, c);
}

static void
record(struct engine *e, struct call *c)
{
	struct hf_span max = box_of(e, c)->max;

	c->voicemail = VOICEMAIL_RECORDING;
	c->recording = ++e->next_recording;
	c->recorded = e->now;
	order_begin(e, c);
	order_record(e, c);
	due_in(e, c, DUE_STATE,
	    (struct hf_span){ max.us + hf_ms(SAVE_MAX_MS).us });
}

void
voicemail_resume(struct engine *e, struct call *c)
{
	order_record(e, c);
}

static void
end_message(struct engine *e, struct call *c, bool keep)
{
	struct msg_end_message *o = ORDER(e, MSG_END_MESSAGE, end_message);

	o->recording = c->recording;
	o->keep = keep;
	send_rec(e);
}

static void
end_recording(struct engine *e, struct call *c)
{
	struct msg_end_recording *o =
	    ORDER(e, MSG_END_RECORDING, end_recording);

	o->stream = c->caller.stream;
	o->recording = c->recording;
	send_media(e, c);
}

/* The rung is over; what was said is hf-rec's now. */
static void
finish(struct engine *e, struct call *c, enum cause why)
{
	const char *name = box_of(e, c)->name;

	c->voicemail = VOICEMAIL_NONE;
	tell_rung_without_leg(e, c, RUNG_VOICEMAIL, name, why);
	c->last_kind = RUNG_VOICEMAIL;
	TEXT(c->last_name, name);
}

void
voicemail_recorded(
    struct engine *e, struct call *c, const struct msg_recording_ended *m)
{
	if (c->voicemail != VOICEMAIL_RECORDING || m->recording != c->recording)
		return;
	c->voicemail = VOICEMAIL_SAVING;
	end_message(e, c, m->length.us >= hf_ms(KEEP_MIN_MS).us);
	due_in(e, c, DUE_STATE, hf_ms(SAVE_MAX_MS));
	if (m->length.us < hf_ms(KEEP_MIN_MS).us) {
		finish(e, c, CAUSE_DONE);
		part(e, c, CAUSE_DONE);
	}
}

static struct call *
of_recording(struct engine *e, uint32_t recording)
{
	for (uint32_t i = 0; i < e->pool.cap; i++) {
		struct call *c = &e->call[i];

		if (!hf_ref_none(c->ref) && recording != 0 &&
		    c->recording == recording)
			return c;
	}
	return NULL;
}

void
voicemail_saved(struct engine *e, const struct msg_message_saved *m)
{
	struct call *c = of_recording(e, m->recording);

	if (m->box < CONF_BOXES_MAX)
		e->mailbox[m->box]++;
	if (c == NULL || c->voicemail != VOICEMAIL_SAVING)
		return;
	touch(e, c);
	tell_evidence(
	    e, c, "message_saved", "%lld ms", (long long)m->length.us / 1000);
	finish(e, c, CAUSE_DONE);
	part(e, c, CAUSE_DONE);
}

void
voicemail_lost(struct engine *e, const struct msg_message_lost *m)
{
	struct call *c = of_recording(e, m->recording);

	if (c == NULL || (c->voicemail != VOICEMAIL_RECORDING &&
			     c->voicemail != VOICEMAIL_SAVING))
		return;
	touch(e, c);
	tell_evidence(e, c, "message_lost", "%s", m->why);
	end_recording(e, c);
	finish(e, c, CAUSE_OUR_FAULT);
	c->why = CAUSE_OUR_FAULT;
	c->from_kind = RUNG_VOICEMAIL;
	TEXT(c->from_name, c->last_name);
	c->lost_since = e->now;
	enter(e, c, CALL_STATE_RESCUE);
	descend(e, c);
}

/* ---- listening ----------------------------------------------------------- */

static bool
is_named(const struct conf_box *b, uint16_t agent)
{
	for (unsigned k = 0; k < b->agents; k++) {
		if (b->agent[k] == agent)
			return true;
	}
	return false;
}

/* His own before everybody's. */
static uint16_t
first_box(const struct engine *e, uint16_t agent)
{
	uint16_t any = CONF_NONE;

	for (uint16_t i = 0; i < e->conf->boxes; i++) {
		const struct conf_box *b = &e->conf->box[i];

		if (!b->used)
			continue;
		if (is_named(b, agent))
			return i;
		if (b->agents == 0 && any == CONF_NONE)
			any = i;
	}
	return any;
}

uint16_t
voicemail_box(const struct engine *e, uint16_t agent, const char *which)
{
	unsigned long nth = strtoul(which, NULL, 10);

	if (which[0] == '\0')
		return first_box(e, agent);
	for (uint16_t i = 0; i < e->conf->boxes; i++) {
		const struct conf_box *b = &e->conf->box[i];

		if (!b->used || (b->agents > 0 && !is_named(b, agent)))
			continue;
		if (strcmp(b->name, which) == 0 || (nth > 0 && --nth == 0))
			return i;
	}
	return CONF_NONE;
}

static void
load(struct engine *e, struct call *c)
{
	struct msg_load_message *o = ORDER(e, MSG_LOAD_MESSAGE, load_message);

	c->voicemail = VOICEMAIL_LOADING;
	c->message = ++e->next_recording;
	o->box = c->box;
	o->nth = c->nth;
	o->message = c->message;
	o->stream = c->caller.stream;
	send_rec(e);
	due_in(e, c, DUE_STATE, hf_ms(LOAD_MAX_MS));
}

void
voicemail_listen(struct engine *e, struct call *c, uint16_t box)
{
	c->kind = CALL_LISTEN;
	if (box == CONF_NONE) {
		gone(e, c, CAUSE_FORBIDDEN);
		return;
	}
	c->box = box;
	c->nth = 0;
	c->rung_began = e->now;
	caller_answer(e, c);
	enter(e, c, CALL_STATE_WITH_HELPER);
	feel(e, c, true);
	load(e, c);
}

static void
no_more(struct engine *e, struct call *c)
{
	static const uint8_t none[] = { PROMPT_NO_MESSAGES, PROMPT_NONE };

	c->voicemail = VOICEMAIL_EMPTY;
	caller_play(e, c, none, AFTER_SILENCE, 0);
	due_in(e, c, DUE_STATE, hf_ms(GREETING_MAX_MS));
}

void
voicemail_loaded(struct engine *e, const struct msg_message_loaded *m)
{
	static const uint8_t none[] = { PROMPT_NONE };

	for (uint32_t i = 0; i < e->pool.cap; i++) {
		struct call *c = &e->call[i];

		if (hf_ref_none(c->ref) || c->message != m->message ||
		    c->voicemail != VOICEMAIL_LOADING)
			continue;
		touch(e, c);
		if (m->name[0] == '\0') {
			no_more(e, c);
			return;
		}
		c->voicemail = VOICEMAIL_PLAYING;
		TEXT(c->message_name, m->name);
		caller_play(e, c, none, AFTER_SILENCE, m->message);
		due_in(e, c, DUE_STATE, hf_ms(LISTEN_MAX_MS));
		return;
	}
	e->counts.stale_facts++;
}

static void
delete_message(struct engine *e, struct call *c)
{
	struct msg_delete_message *o =
	    ORDER(e, MSG_DELETE_MESSAGE, delete_message);

	o->box = c->box;
	TEXT(o->name, c->message_name);
	send_rec(e);
	if (e->mailbox[c->box] > 0)
		e->mailbox[c->box]--;
}

void
voicemail_digit(struct engine *e, struct call *c, uint8_t digit)
{
	if (c->voicemail == VOICEMAIL_RECORDING && digit == '#') {
		end_recording(e, c);
		return;
	}
	if (c->kind != CALL_LISTEN || c->voicemail == VOICEMAIL_NONE)
		return;
	if (digit == '#') {
		gone(e, c, CAUSE_DONE);
		return;
	}
	if (c->voicemail != VOICEMAIL_PLAYING)
		return;
	if (digit == '1') {
		c->nth++;
		load(e, c);
	} else if (digit == '7') {
		delete_message(e, c);
		load(e, c); /* the next one has its number now */
	}
}

/* "Signal=5" and more lines, or the digit alone; 0: none. */
static uint8_t
digit_of(const struct msg_leg_info *m)
{
	static const char signal[] = "signal=", digits[] = "0123456789*#";
	struct hf_slice body = { (const char *)m->body.p, m->body.n };
	struct hf_slice type = hf_slice_of(m->type);
	uint64_t n;

	if (hf_slice_eq_nocase(type, HF_SLICE("application/dtmf-relay"))) {
		if (!hf_slice_starts_nocase(body, HF_SLICE(signal)))
			return 0;
		body.p += sizeof(signal) - 1;
		body.n -= sizeof(signal) - 1;
	} else if (!hf_slice_eq_nocase(type, HF_SLICE("application/dtmf"))) {
		return 0;
	}
	body.n = hf_slice_find(body, '\r');
	body = hf_slice_trim(body);
	/* Some write * and # as the numbers of RFC 4733's events. */
	if (hf_slice_number(body, sizeof(digits) - 2, &n))
		return (uint8_t)digits[n];
	return body.n == 1 && strchr(digits, body.p[0]) != NULL
		   ? (uint8_t)body.p[0]
		   : 0;
}

void
voicemail_info(struct engine *e, struct call *c, const struct msg_leg_info *m)
{
	uint8_t digit = digit_of(m);

	if (digit != 0)
		voicemail_digit(e, c, digit);
}

/* ---- both ---------------------------------------------------------------- */

void
voicemail_prompt_ended(struct engine *e, struct call *c)
{
	switch ((enum voicemail_part)c->voicemail) {
	case VOICEMAIL_GREETING:
		record(e, c);
		break;
	case VOICEMAIL_PLAYING: {
		/* He has time to press 7; then the next one. */
		static const uint8_t beep[] = { PROMPT_BEEP, PROMPT_NONE };

		caller_play(e, c, beep, AFTER_SILENCE, 0);
		c->playing.id = 0;
		due_in(e, c, DUE_STATE, hf_ms(LOAD_MAX_MS));
		break;
	}
	case VOICEMAIL_EMPTY:
		gone(e, c, CAUSE_DONE);
		break;
	case VOICEMAIL_NONE:
	case VOICEMAIL_RECORDING:
	case VOICEMAIL_SAVING:
	case VOICEMAIL_LOADING:
		break;
	}
}

void
voicemail_stop(struct engine *e, struct call *c)
{
	switch ((enum voicemail_part)c->voicemail) {
	case VOICEMAIL_NONE:
		return;
	case VOICEMAIL_RECORDING:
		end_recording(e, c);
		end_message(e, c,
		    hf_time_since(c->recorded, e->now).us >=
			hf_ms(KEEP_MIN_MS).us);
		break;
	case VOICEMAIL_GREETING:
	case VOICEMAIL_SAVING:
	case VOICEMAIL_LOADING:
	case VOICEMAIL_PLAYING:
	case VOICEMAIL_EMPTY:
		break;
	}
	if (c->kind == CALL_LADDER)
		finish(e, c, CAUSE_CALLER_LEFT);
	c->voicemail = VOICEMAIL_NONE;
}

void
voicemail_late(struct engine *e, struct call *c)
{
	switch ((enum voicemail_part)c->voicemail) {
	case VOICEMAIL_GREETING:
		record(e, c);
		break;
	case VOICEMAIL_RECORDING:
		end_recording(e, c);
		c->voicemail = VOICEMAIL_SAVING;
		end_message(e, c, true);
		due_in(e, c, DUE_STATE, hf_ms(SAVE_MAX_MS));
		break;
	case VOICEMAIL_SAVING:
		finish(e, c, CAUSE_DONE);
		part(e, c, CAUSE_DONE);
		break;
	case VOICEMAIL_PLAYING:
		c->nth++;
		load(e, c);
		break;
	case VOICEMAIL_LOADING:
	case VOICEMAIL_EMPTY:
	case VOICEMAIL_NONE:
		gone(e, c, CAUSE_DONE);
		break;
	}
}
