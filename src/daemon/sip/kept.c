/*
 * daemon/sip/kept - what outlives hf-sip: its sessions, the words they would
 * have to say again, and its legs, each in a table of slots.  They are
 * committed before the turn's bytes leave, so that a record may know more than
 * the far end has heard, never less.
 */

#include <errno.h>
#include <stddef.h>
#include <stdio.h>

#include "base/table.h"
#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"
#include "io/sip/record.h"
#include "proc/slots.h"

enum {
	/* After so long a death the far ends have given up; who has not is
	 * said goodbye. */
	LATE_MS = 30000,
	LEG_TEXT = 1024, /* an order or arrival, as it goes over the wire */
};

/* What a session would have to say again; whose it is stands in front, for
 * the two tables are not committed as one. */
struct words {
	struct hf_ref session;
	uint32_t n;
	char bytes[SIP_KEEP_BIG];
};

struct leg_record {
	uint64_t id;
	struct hf_ref ref, session, also[SIP_BINDINGS_MAX - 1];
	struct hf_time decide_by, next_by, untried_by, give_up;
	struct sip_media media;
	struct sdp_state sdp; /* its lines are in the tail */
	uint16_t port, trunk, agent, last_code, text;
	uint16_t row;
	uint8_t state, target, address, direction, codec, kind, verdict;
	bool rings;
	uint8_t tried; /* bit 0: a 100 or more; bit 1: 18x */
	bool untried, hold, late;
	char tail[SDP_STREAMS_MAX * sizeof(struct sdp_refused) + LEG_TEXT];
};

/* Where an agent is reached, by his name: places move with the file. */
struct phones_record {
	char name[CONF_NAME_MAX];
	struct sip_binding binding[SIP_BINDINGS_MAX];
};

/* A version that changes brings a line for the one before. */
enum table { DIALOGS, WORDS, LEGS, PHONES, ALIVE };
static const struct slots_form forms[] = {
	[DIALOGS] = { .name = "dialogs.slots",
	    .kind = 0x53504953, /* "SIPS" */
	    .version = 3,
	    .record_size = sizeof(struct sip_record) },
	[WORDS] = { .name = "words.slots",
	    .kind = 0x57504953, /* "SIPW" */
	    .version = 3,
	    .record_size = sizeof(struct words) },
	[LEGS] = { .name = "legs.slots",
	    .kind = 0x4c504953, /* "SIPL" */
	    .version = 3,
	    .record_size = sizeof(struct leg_record) },
	[PHONES] = { .name = "phones.slots",
	    .kind = 0x50504953, /* "SIPP" */
	    .version = 3,
	    .record_size = sizeof(struct phones_record) },
	[ALIVE] = { .name = "alive.slots",
	    .kind = 0x41504953, /* "SIPA" */
	    .version = 3,
	    .record_size = sizeof(struct hf_time) },
};
const struct slots_form *const kept_forms[KEPT_FORMS] = {
	&forms[DIALOGS],
	&forms[WORDS],
	&forms[LEGS],
	&forms[PHONES],
	&forms[ALIVE],
	&ended_form,
	&emergency_form,
};

static struct {
	struct slots sessions, words, legs, alive, phones;
	bool there;
	/* Sessions that have ended in this turn, once each. */
	uint32_t *over, overs;
} kept;

/* ---- open ---------------------------------------------------------------- */

bool
kept_table(struct slots *s, const struct slots_form *f, uint32_t count)
{
	char path[CONF_PATH_MAX + 32];
	bool fresh;
	int err;

	(void)snprintf(
	    path, sizeof(path), "%s/%s", room.conf->keeper.run_dir, f->name);
	err = slots_open(s, path, f, count, &fresh);
	if (err != 0)
		slots_complain(s, path, err);
	return err == 0;
}

static bool
open_one(struct slots *s, enum table which, uint32_t count)
{
	return kept_table(s, &forms[which], count);
}

/* ---- legs ---------------------------------------------------------------- */

/* What made it, while it may still be needed. */
static uint16_t
put_origin(const struct leg *l, char *to, size_t cap)
{
	static struct msg m;
	struct hf_buf b = hf_buf_on(to, cap);

	if (l->state == LEG_RINGING) {
		m.type = MSG_RING_LEG;
		m.ring_leg = l->order;
	} else if (l->state == LEG_WAITING || l->state == LEG_ARRIVED) {
		m.type = MSG_LEG_ARRIVED;
		m.leg_arrived = l->arrived;
	} else {
		return 0;
	}
	return msg_encode(&b, &m) ? (uint16_t)b.n : 0;
}

/* Bytes of the lines as they were named: ours, and those we refused. */
static size_t
line_bytes(uint8_t streams)
{
	return streams * sizeof(struct sdp_refused);
}

static uint32_t
leg_write(const struct leg *l, struct leg_record *r)
{
	char *at = r->tail;
	size_t lines = line_bytes(l->sdp.streams);

	memset(r, 0, offsetof(struct leg_record, tail));
	r->id = l->id;
	r->ref = hf_pool_at(&room.legs, l->n);
	r->session = l->session;
	memcpy(r->also, l->also, sizeof(r->also));
	r->decide_by = l->decide_by;
	r->next_by = l->next_by;
	r->untried_by = l->untried_by;
	r->give_up = l->give_up;
	r->media = l->media;
	memcpy(&r->sdp, &l->sdp, offsetof(struct sdp_state, refused));
	r->port = l->port;
	r->trunk = l->trunk;
	r->agent = l->agent;
	r->last_code = l->last_code;
	r->verdict = l->verdict;
	r->state = l->state;
	r->target = l->target;
	r->address = l->address;
	r->direction = l->direction;
	r->codec = (uint8_t)l->order.codec;
	r->kind = (uint8_t)l->order.kind;
	r->row = l->order.row;
	r->rings = l->order.leg != 0;
	r->tried = (uint8_t)(l->tried | l->rang << 1);
	r->untried = l->untried;
	r->hold = l->hold || l->offered;
	r->late = l->late;
	memcpy(at, l->sdp.refused, lines);
	at += lines;
	r->text = put_origin(l, at, LEG_TEXT);
	return (uint32_t)(at + r->text - (char *)r);
}

static bool
take_origin(struct leg *l, const char *p, size_t n)
{
	static struct msg m;
	struct hf_slice in = { p, n };

	if (n == 0)
		return l->state == LEG_ANSWERED || l->state == LEG_UP;
	if (n > LEG_TEXT || !msg_decode(&in, &m))
		return false;
	if (m.type == MSG_RING_LEG)
		l->order = m.ring_leg;
	else if (m.type == MSG_LEG_ARRIVED)
		l->arrived = m.leg_arrived;
	return true;
}

static void
leg_read(uint32_t i, const void *record, void *arg)
{
	const struct leg_record *r = record;
	size_t lines = line_bytes(r->sdp.streams);
	struct leg *l;

	(void)arg;
	slots_enter(&kept.legs, i);
	if (r->ref.n != i || r->sdp.streams > SDP_STREAMS_MAX ||
	    (l = leg_restore(r->id, r->ref)) == NULL) {
		slots_release(&kept.legs, i);
		return;
	}
	l->session = r->session;
	memcpy(l->also, r->also, sizeof(l->also));
	l->decide_by = r->decide_by;
	l->next_by = r->next_by;
	l->untried_by = r->untried_by;
	l->give_up = r->give_up;
	l->media = r->media;
	memcpy(&l->sdp, &r->sdp, offsetof(struct sdp_state, refused));
	memcpy(l->sdp.refused, r->tail, lines);
	l->port = r->port;
	l->trunk = r->trunk;
	l->agent = r->agent;
	l->last_code = r->last_code;
	l->verdict = r->verdict;
	l->state = r->state;
	l->target = r->target;
	l->address = r->address;
	l->direction = r->direction;
	l->tried = r->tried & 1;
	l->rang = r->tried >> 1 & 1;
	l->untried = r->untried;
	l->hold = r->hold;
	l->late = r->late;
	if (r->rings) {
		l->order.leg = r->id;
		l->order.codec = (enum codec)r->codec;
		l->order.kind = (enum to)r->kind;
		l->order.row = r->row;
	}
	if (!take_origin(l, r->tail + lines, r->text))
		leg_free(l);
}

/* ---- sessions ------------------------------------------------------------ */

struct restoring {
	bool late;
	uint32_t sessions, goodbyes;
};

static void
session_read(uint32_t i, const void *record, void *arg)
{
	static struct words w;
	struct restoring *how = arg;
	const struct sip_record *r = record;
	struct leg *l = leg_by_id(r->user);
	struct hf_slice words = HF_SLICE("");
	struct sip_session *s = NULL;
	bool wanted;

	slots_enter(&kept.sessions, i);
	wanted = !how->late && l != NULL && leg_has(l, r->ref);
	if (slots_read(&kept.words, i, &w) && w.n <= sizeof(w.bytes) &&
	    hf_ref_is(w.session, r->ref))
		words = (struct hf_slice){ w.bytes, w.n };
	if (r->ref.n == i)
		s = sip_session_restore(&room.ss, r, words, wanted, room.now);
	if (s == NULL) {
		slots_release(&kept.sessions, i);
		slots_release(&kept.words, i);
	}
	how->sessions += s != NULL && wanted;
	how->goodbyes += !wanted;
}

/* ---- phones -------------------------------------------------------------- */

void
kept_phones(uint16_t agent)
{
	struct phones_record r = { .name = "" };

	if (!kept.there)
		return;
	memcpy(r.name, room.conf->agent[agent].name, sizeof(r.name));
	memcpy(r.binding, room.registrar.at[agent], sizeof(r.binding));
	slots_commit(&kept.phones, agent, &r);
}

struct phones_read {
	bool late;
	uint32_t known, gone;
};

/* A phone that came over a connection comes again over another. */
static void
phones_read(uint32_t i, const void *record, void *arg)
{
	const struct phones_record *r = record;
	struct phones_read *how = arg;
	struct sip_binding *to;
	uint16_t agent = conf_agent_find(room.conf, r->name);

	if (agent == CONF_NONE || !room.conf->agent[agent].used || how->late) {
		slots_release(&kept.phones, i);
		return;
	}
	to = room.registrar.at[agent];
	memcpy(to, r->binding, sizeof(r->binding));
	for (unsigned k = 0; k < SIP_BINDINGS_MAX; k++) {
		if (to[k].contact[0] == '\0')
			continue;
		how->known += to[k].transport == SIP_UDP;
		how->gone += to[k].transport != SIP_UDP;
		if (to[k].transport != SIP_UDP)
			to[k] = (struct sip_binding){ .contact = "" };
	}
}

/* ---- life ---------------------------------------------------------------- */

/* When we were last seen alive; NEVER: not since this machine runs. */
static bool
died_long_ago(void)
{
	struct hf_time last;

	return !slots_read(&kept.alive, 0, &last) ||
	       hf_time_before(room.now, last) ||
	       hf_time_since(last, room.now).us > (int64_t)LATE_MS * 1000;
}

void
kept_alive(void)
{
	if (kept.there)
		slots_commit(&kept.alive, 0, &room.now);
}

static void
tell_condemned(const struct slots *s, const char *what)
{
	uint32_t n;

	if (slots_condemned(s, &n))
		hf_log(LOG_ERROR, "record_released",
		    "table=%s slot=%u why=died_twice", what, n);
}

void
kept_open(void)
{
	uint32_t n = emergency_dialogs(room.conf);
	struct restoring how = { 0 };
	struct phones_read phones;

	kept.there = open_one(&kept.sessions, DIALOGS, n) &&
		     open_one(&kept.words, WORDS, n) &&
		     open_one(&kept.legs, LEGS, n) &&
		     open_one(&kept.phones, PHONES, CONF_AGENTS_MAX) &&
		     open_one(&kept.alive, ALIVE, 1);
	kept.over = hf_table(n, sizeof(*kept.over));
	hf_assert(kept.over != NULL);
	if (!kept.there)
		return;
	tell_condemned(&kept.legs, "legs");
	tell_condemned(&kept.sessions, "dialogs");
	ended_restore();
	how.late = died_long_ago();
	phones = (struct phones_read){ .late = how.late };
	(void)slots_each(&kept.phones, phones_read, &phones);
	for (uint16_t i = 0; i < CONF_AGENTS_MAX; i++)
		if (sip_bindings(&room.registrar, i, 0, room.now) != NULL)
			kept_phones(i);
		else
			slots_release(&kept.phones, i);
	(void)slots_each(&kept.legs, leg_read, NULL);
	slots_leave(&kept.legs);
	(void)slots_each(&kept.sessions, session_read, &how);
	slots_leave(&kept.sessions);
	emergency_open();
	legs_restored();
	emergency_restored();
	kept_alive();
	if (phones.gone > 0)
		hf_log(LOG_NOTICE, "phones_disconnected",
		    "phones=%u known=%u why=\"their connections ended with the "
		    "process before\"",
		    phones.gone, phones.known);
	if (how.sessions + how.goodbyes > 0)
		hf_log(LOG_NOTICE, "dialogs_restored", "dialogs=%u goodbyes=%u",
		    how.sessions, how.goodbyes);
}

void
kept_enter(uint32_t session)
{
	if (kept.there)
		slots_enter(&kept.sessions, session);
}

void
kept_leave(void)
{
	if (kept.there)
		slots_leave(&kept.sessions);
}

static void
commit_session(uint32_t place)
{
	static struct sip_record r;
	static struct words w;
	const struct sip_session *s = &room.sessions[place];
	struct hf_slice words;

	if (s->state == SIP_S_FREE) {
		kept.over[kept.overs++] = place;
		return;
	}
	slots_commit_part(
	    &kept.sessions, place, &r, sip_record_write(&room.ss, s, &r));
	if (!sip_session_words(&room.ss, s, &words))
		return;
	if (words.n == 0) {
		slots_release(&kept.words, place);
		return;
	}
	hf_assert(words.n <= sizeof(w.bytes));
	w.session = hf_pool_at(&room.ss.pool, place);
	w.n = (uint32_t)words.n;
	memcpy(w.bytes, words.p, words.n);
	slots_commit_part(&kept.words, place, &w,
	    (uint32_t)(offsetof(struct words, bytes) + words.n));
}

static void
commit_leg(uint32_t place)
{
	static struct leg_record r;
	const struct leg *l = &room.leg[place];

	if (l->state == LEG_FREE)
		slots_release(&kept.legs, place);
	else
		slots_commit_part(&kept.legs, place, &r, leg_write(l, &r));
}

void
kept_flushed(void)
{
	for (uint32_t i = 0; i < kept.overs; i++) {
		uint32_t place = kept.over[i];

		if (room.sessions[place].state != SIP_S_FREE)
			continue;
		slots_release(&kept.sessions, place);
		slots_release(&kept.words, place);
	}
	kept.overs = 0;
}

void
kept_commit(void)
{
	uint32_t place;

	ended_commit();
	/* A call for help knows its legs before they are there: one that is not
	 * is called again. */
	emergency_commit();
	if (!kept.there)
		return;
	/* Legs, sessions, words: a death in between finds a leg ahead of its
	 * session, and a session ahead of its words, and both know that. */
	while (legs_changed(&place))
		commit_leg(place);
	while (sip_sessions_changed(&room.ss, &place))
		commit_session(place);
}
