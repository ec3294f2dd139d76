/*
 * daemon/sip/ended - how legs have ended: see room.h.  The news may be lost on
 * its way to hf-call, by our death or by his.  Then he asks for a leg that is
 * not there any more, and is told from here what became of it.  It is committed
 * before the leg itself is gone from its slot, so that one of the two is there.
 */

#include <string.h>

#include "base/table.h"
#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"
#include "proc/slots.h"

enum {
	ENDED_MAX = 4096, /* two seconds at a thousand calls a second */
	CELLS = 4 * ENDED_MAX,
	PICTURE_MAX = 1024, /* told to an hf-call that is there again */
	PICTURE_MS = 10000,
};

struct ended {
	uint32_t n; /* the running number; its place is n % ENDED_MAX */
	bool refused;
	struct hf_time at;
	struct msg_leg_left left;
};

const struct slots_form ended_form = {
	.name = "ended.slots",
	.kind = 0x45504953, /* "SIPE" */
	.version = 1,
	.record_size = sizeof(struct ended),
};

static struct {
	struct ended *last;
	struct hf_map by_leg;
	uint32_t made, kept; /* running numbers: of the next, and committed */
	struct slots slots;
	bool there;
} ended;

static struct ended *
place_of(uint32_t n)
{
	return &ended.last[n % ENDED_MAX];
}

static void
remember(const struct ended *e)
{
	struct ended *to = place_of(e->n);

	if (to->left.leg != 0 &&
	    hf_map_get(&ended.by_leg, to->left.leg) == to->n % ENDED_MAX)
		hf_map_del(&ended.by_leg, to->left.leg);
	*to = *e;
	if (!hf_map_put(&ended.by_leg, e->left.leg, e->n % ENDED_MAX))
		hf_never("the map has room for all that are remembered");
}

static void
tell(const struct ended *e)
{
	struct msg m;

	m.type = e->refused ? MSG_LEG_REFUSED : MSG_LEG_LEFT;
	if (e->refused) {
		m.leg_refused.leg = e->left.leg;
		m.leg_refused.cause = e->left.cause;
		m.leg_refused.code = e->left.code;
		memcpy(m.leg_refused.reason, e->left.reason,
		    sizeof(e->left.reason));
	} else {
		m.leg_left = e->left;
	}
	proc_send(PEER_CALL, &m);
}

void
ended_tell(const struct msg_leg_left *left, bool refused)
{
	struct ended e = {
		.n = ended.made,
		.refused = refused,
		.at = room.now,
		.left = *left,
	};

	if (is_emergency_leg(left->leg)) {
		emergency_left(left, refused);
		return;
	}
	ended.made++;
	remember(&e);
	if (proc_there(PEER_CALL))
		tell(&e);
}

bool
ended_again(uint64_t leg)
{
	uint32_t i = hf_map_get(&ended.by_leg, leg);

	if (i == HF_MAP_NONE)
		return false;
	tell(&ended.last[i]);
	return true;
}

void
ended_picture(void)
{
	uint32_t n = ended.made < PICTURE_MAX ? ended.made : PICTURE_MAX;

	/* Of a process before us he asks, leg by leg. */
	for (uint32_t i = ended.made - n; !room.fresh && i != ended.made; i++)
		if (hf_time_since(place_of(i)->at, room.now).us <
		    (int64_t)PICTURE_MS * 1000)
			tell(place_of(i));
}

/* ---- what outlives us ---------------------------------------------------- */

static void
ended_read(uint32_t i, const void *record, void *arg)
{
	const struct ended *e = record;

	(void)arg;
	if (e->n % ENDED_MAX != i || e->left.leg == 0)
		return;
	remember(e);
	if (e->n >= ended.made)
		ended.made = e->n + 1;
}

bool
ended_open(void)
{
	struct hf_map_cell *cells = hf_table(CELLS, sizeof(*cells));

	ended.last = hf_table(ENDED_MAX, sizeof(*ended.last));
	if (cells == NULL || ended.last == NULL)
		return false;
	hf_map_init(&ended.by_leg, cells, CELLS);
	return true;
}

void
ended_restore(void)
{
	ended.there = kept_table(&ended.slots, &ended_form, ENDED_MAX);
	if (ended.there)
		(void)slots_each(&ended.slots, ended_read, NULL);
	ended.kept = ended.made;
}

void
ended_commit(void)
{
	if (ended.made - ended.kept > ENDED_MAX)
		ended.kept = ended.made - ENDED_MAX;
	for (; ended.there && ended.kept != ended.made; ended.kept++)
		slots_commit(
		    &ended.slots, ended.kept % ENDED_MAX, place_of(ended.kept));
}
