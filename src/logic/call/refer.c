/* logic/call/refer - a party passes the caller on: REFER. */

#include "logic/call/inner.h"

/* "sip:+33611111111@example.net;user=phone" or "tel:...": who is meant? */
static void
refer_number(const char *target, char *to, size_t cap)
{
	const char *at = strchr(target, ':');
	size_t n;

	at = at == NULL ? target : at + 1;
	n = strcspn(at, "@;?>");
	if (n >= cap)
		n = 0;
	memcpy(to, at, n);
	to[n] = '\0';
}

void
leg_referred(
    struct engine *e, struct call *c, struct leg *l, const char *target)
{
	char number[CONF_NUMBER_MAX];
	struct msg_report_refer *o;
	bool allowed, may;

	refer_number(target, number, sizeof(number));
	allowed = agent_of_extension(e, number) != CONF_NONE ||
		  (number[0] != '\0' && conf_may_call(e->conf, number) &&
		      e->conf->outbound.vias > 0);
	/* A bot that asks for somebody we do not know still asks for a
	 * person: the ladder has one.  An agent chose; he is told no. */
	may = l != &c->caller && l->state == LEG_UP && c->kind == CALL_LADDER &&
	      c->state == CALL_STATE_WITH_HELPER &&
	      (allowed || l->kind != RUNG_AGENT);
	o = ORDER(e, MSG_REPORT_REFER, report_refer);
	o->leg = l->id;
	o->code = may ? 200 : 403;
	send_sip(e);
	if (may)
		helper_yields(e, c, l, allowed ? number : NULL);
}
