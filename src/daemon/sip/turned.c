/* daemon/sip/turned - callers who were let in and turned away before hf-call
 * had a say: see room.h */

#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"

enum {
	/* Where hf-call is away they wait for it, as many a second as it would
	 * write down: the rest is a number. */
	TURNED_MAX = 256,
	TURNED_A_SECOND = 10,
	SECOND_US = 1000000,
};

static struct {
	struct msg_leg_turned_away fact[TURNED_MAX];
	uint32_t n;
	int64_t second; /* the one that these of it came in */
	uint32_t same;
} waiting;

static enum cause
cause_of(uint16_t status)
{
	switch (status) {
	case 482:
	case 483:
		return CAUSE_LOOP_DETECTED;
	case 500:
		return CAUSE_OUR_FAULT;
	case 503:
		return CAUSE_BUSY;
	default:
		return CAUSE_REFUSED;
	}
}

/* A place for one who waits; NULL: he is counted. */
static struct msg_leg_turned_away *
place(struct hf_wall at)
{
	int64_t second = at.us / SECOND_US;

	if (second != waiting.second) {
		waiting.second = second;
		waiting.same = 0;
	}
	if (waiting.n == TURNED_MAX || waiting.same == TURNED_A_SECOND) {
		room.turned.untold++;
		return NULL;
	}
	waiting.same++;
	return &waiting.fact[waiting.n++];
}

/* hf-call writes down no more of them than that, either: where many are refused
 * because there are many, finding out who each of them was is what costs. */
static bool
is_worth_telling(void)
{
	static struct hf_time second;
	static uint32_t told;

	if (hf_time_since(second, room.now).us >= SECOND_US) {
		second = room.now;
		told = 0;
	}
	return told++ < TURNED_A_SECOND;
}

static void
tell(const struct msg_leg_arrived *who, enum cause cause, uint16_t code)
{
	struct msg_leg_turned_away *p;
	struct msg m;

	FACT(m, MSG_LEG_TURNED_AWAY, leg_turned_away);
	m.leg_turned_away.leg = who->leg;
	m.leg_turned_away.trunk = who->trunk;
	m.leg_turned_away.agent = who->agent;
	m.leg_turned_away.code = code;
	m.leg_turned_away.cause = cause;
	memcpy(m.leg_turned_away.number, who->number, sizeof(who->number));
	memcpy(m.leg_turned_away.from, who->from, sizeof(who->from));
	m.leg_turned_away.at = who->at;
	room.turned.away++;
	if (proc_there(PEER_CALL))
		proc_send(PEER_CALL, &m);
	else if ((p = place(who->at)) != NULL)
		*p = m.leg_turned_away;
}

void
turned_away(void *arg, const struct sip_msg *m, const struct sip_flow *from,
    uint16_t status)
{
	static struct leg who;

	(void)arg;
	if (room.from_trunk == CONF_NONE && room.from_agent == CONF_NONE)
		return; /* a stranger is a number elsewhere */
	if (status == 503 && !is_worth_telling()) {
		room.turned.away++;
		room.turned.untold++;
		return;
	}
	/* Its messages are found in the trace by this number. */
	if (room.arriving == 0)
		room.arriving = leg_number();
	memset(&who, 0, sizeof(who));
	who.id = room.arriving;
	who.trunk = room.from_trunk;
	who.agent = room.from_agent;
	(void)!who_calls(&who, m, from);
	tell(&who.arrived, cause_of(status), status);
}

bool
turned_leg(const struct leg *l, enum cause cause, uint16_t code)
{
	if (is_emergency_leg(l->id))
		return false;
	if (l->state != LEG_WAITING &&
	    (l->state != LEG_ARRIVED || proc_there(PEER_CALL)))
		return false;
	tell(
	    &l->arrived, cause == CAUSE_DONE ? CAUSE_CALLER_LEFT : cause, code);
	return true;
}

void
turned_picture(void)
{
	struct msg m;

	for (uint32_t i = 0; i < waiting.n; i++) {
		m.type = MSG_LEG_TURNED_AWAY;
		m.leg_turned_away = waiting.fact[i];
		proc_send(PEER_CALL, &m);
	}
	waiting.n = 0;
}
