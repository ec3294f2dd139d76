/* daemon/sip/legs - the table of legs, and which of them are to be committed:
 * see room.h */

#include <stdlib.h>
#include <string.h>

#include "base/table.h"
#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"

bool
legs_open(uint32_t cap)
{
	struct hf_pool_place *places = calloc(cap, sizeof(*places));
	struct hf_map_cell *cells;
	uint32_t n = 4;

	while (n < 2 * cap)
		n *= 2;
	cells = hf_table(n, sizeof(*cells));
	room.leg = hf_table(cap, sizeof(*room.leg));
	room.live = calloc(cap, sizeof(*room.live));
	room.changed = calloc(cap, sizeof(*room.changed));
	if (places == NULL || cells == NULL || room.leg == NULL ||
	    room.live == NULL || room.changed == NULL)
		return false;
	hf_pool_init(&room.legs, places, cap);
	hf_map_init(&room.by_id, cells, n);
	return true;
}

void
leg_touch(struct leg *l)
{
	struct leg_live *live = &room.live[l->n];

	if (live->changed)
		return;
	live->changed = true;
	room.changed[room.changes++] = l->n;
}

bool
legs_changed(uint32_t *place)
{
	if (room.changes == 0)
		return false;
	*place = room.changed[--room.changes];
	room.live[*place].changed = false;
	return true;
}

static struct leg *
begin(uint64_t id, uint32_t n)
{
	struct leg *l = &room.leg[n];

	if (!hf_map_put(&room.by_id, id, n))
		hf_never("the map has room for every leg");
	memset(l, 0, sizeof(*l));
	l->id = id;
	l->n = n;
	l->since = room.now;
	l->trunk = l->agent = CONF_NONE;
	l->decide_by = l->next_by = l->give_up = HF_TIME_NEVER;
	l->untried_by = HF_TIME_NEVER;
	hf_timer_init(&room.live[n].timer, leg_timer);
	leg_touch(l);
	return l;
}

struct leg *
leg_new(uint64_t id, enum leg_state state)
{
	struct hf_ref r;
	struct leg *l;

	if (!emergency_leaves_room(id) || !hf_pool_take(&room.legs, &r))
		return NULL;
	l = begin(id, r.n);
	l->state = (uint8_t)state;
	l->sdp.session = hf_rand_u64(proc_rand()) >> 2;
	return l;
}

struct leg *
leg_restore(uint64_t id, struct hf_ref ref)
{
	if (id == 0 || leg_by_id(id) != NULL || ref.n >= room.legs.cap ||
	    ref.gen % 2 == 0 || !hf_ref_none(hf_pool_at(&room.legs, ref.n)))
		return NULL;
	hf_pool_restore(&room.legs, ref);
	return begin(id, ref.n);
}

void
leg_free(struct leg *l)
{
	hf_timer_stop(proc_wheel(), &room.live[l->n].timer);
	hf_map_del(&room.by_id, l->id);
	leg_touch(l);
	l->state = LEG_FREE;
	hf_pool_give(&room.legs, hf_pool_at(&room.legs, l->n));
}

struct leg *
leg_by_id(uint64_t id)
{
	uint32_t n = id != 0 ? hf_map_get(&room.by_id, id) : HF_MAP_NONE;

	return n == HF_MAP_NONE ? NULL : &room.leg[n];
}

struct leg *
leg_of(const struct sip_session *s)
{
	return leg_by_id(s->user);
}

struct sip_session *
leg_session(const struct leg *l)
{
	return hf_pool_has(&room.ss.pool, l->session)
		   ? &room.sessions[l->session.n]
		   : NULL;
}

/* ---- a phone comes back ---------------------------------------------------
 */

uint16_t
legs_phone(uint16_t agent)
{
	return agent != CONF_NONE ? (uint16_t)(agent + 1) : 0;
}

void
legs_follow(uint16_t agent, const struct sip_flow *to)
{
	if (to->transport != SIP_TCP || agent == CONF_NONE)
		return;
	room.ss.now = room.now;
	for (uint32_t i = 0; i < room.ss.pool.fresh; i++) {
		struct sip_session *s = &room.sessions[i];
		const struct sip_flow *was = &s->dialog.flow;

		/* One host is a whole office behind its NAT: another agent's
		 * phone would say 481, and his would ring on. */
		if (s->state == SIP_S_FREE || s->phone != legs_phone(agent) ||
		    was->transport != SIP_TCP ||
		    !hf_addr_same_host(&was->peer, &to->peer) ||
		    hf_pool_has(&room.tp.stream.pool, was->conn))
			continue;
		if (s->dialog.natted || s->state == SIP_S_CALLING ||
		    s->state == SIP_S_CANCELLING)
			sip_session_follow(&room.ss, s, to);
	}
}

/* ---- several sessions ---------------------------------------------------- */

bool
leg_has(const struct leg *l, struct hf_ref session)
{
	bool has = hf_ref_is(l->session, session);

	for (unsigned i = 0; i < HF_LEN(l->also); i++)
		has |= hf_ref_is(l->also[i], session);
	return has && !hf_ref_none(session);
}

bool
leg_has_several(const struct leg *l)
{
	for (unsigned i = 0; i < HF_LEN(l->also); i++)
		if (!hf_ref_none(l->also[i]))
			return true;
	return false;
}

void
leg_without(struct leg *l, struct hf_ref session)
{
	bool first = hf_ref_is(l->session, session);

	leg_touch(l);
	if (first)
		l->session = HF_REF_NONE;
	for (unsigned i = 0; i < HF_LEN(l->also); i++) {
		if (hf_ref_is(l->also[i], session))
			l->also[i] = HF_REF_NONE;
		if (!first || hf_ref_none(l->also[i]))
			continue;
		l->session = l->also[i];
		l->also[i] = HF_REF_NONE;
		first = false;
	}
}

void
leg_keep_only(
    struct leg *l, struct hf_ref session, uint16_t code, struct hf_slice reason)
{
	struct hf_ref all[1 + HF_LEN(l->also)] = { l->session };

	memcpy(all + 1, l->also, sizeof(l->also));
	leg_touch(l);
	l->session = session;
	memset(l->also, 0, sizeof(l->also));
	for (unsigned i = 0; i < HF_LEN(all); i++)
		if (!hf_ref_is(all[i], session) &&
		    hf_pool_has(&room.ss.pool, all[i]))
			sip_session_drop(&room.ss, &room.sessions[all[i].n],
			    code, reason, room.now);
}

void
leg_arm(struct leg *l)
{
	struct hf_timer *t = &room.live[l->n].timer;
	struct hf_time due =
	    hf_time_min(hf_time_min(l->decide_by, l->next_by), l->untried_by);

	if (due.us == INT64_MAX)
		hf_timer_stop(proc_wheel(), t);
	else if (due.us != t->due.us)
		hf_timer_start(proc_wheel(), t, due);
}
