/* daemon/sip/info - what an INFO carries, or why it cannot: see room.h */

#include <string.h>

#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"

static bool
has(const struct sip_msg *m, struct hf_slice name)
{
	for (uint16_t i = 0; i < m->headers; i++)
		if (hf_slice_eq_nocase(m->header[i].name, name))
			return true;
	return false;
}

/* What is answered 200 is handed on whole, or it was lost in silence; hf-call
 * knows whether there is anybody to hand it to. */
uint16_t
on_info(void *arg, struct sip_session *s, const struct sip_msg *m)
{
	const struct sip_header_line *h = sip_find(m, SIP_H_CONTENT_TYPE, 0);
	struct leg *l = leg_of(s);
	struct msg f;

	FACT(f, MSG_LEG_INFO, leg_info);
	(void)arg;
	if (l == NULL)
		return 481;
	/* RFC 6086 4.2.2: we offered no packages. */
	if (has(m, HF_SLICE("Info-Package")))
		return 469;
	if (m->body.n > sizeof(f.leg_info.body.p))
		return 413;
	/* Only the type goes along with the body. */
	if (m->body.n > 0 &&
	    (h == NULL || has(m, HF_SLICE("Content-Encoding")) ||
		!hf_slice_copy(
		    h->value, f.leg_info.type, sizeof(f.leg_info.type))))
		return 415;
	f.leg_info.leg = l->id;
	f.leg_info.body.n = (uint16_t)m->body.n;
	memcpy(f.leg_info.body.p, m->body.p, m->body.n);
	leg_tell(&f);
	return 200;
}
