/* daemon/sip/who - who calls, whom, and by which way: see room.h */

#include <string.h>

#include "daemon/sip/room.h"

enum { HOPS = 70 }; /* RFC 3261 8.1.1.6: when nobody counted yet */

/* The user part as text; what does not fit is not a number. */
static void
user_text(struct hf_slice user, char *to, size_t cap)
{
	if (!sip_unescape(user, to, cap))
		to[0] = '\0';
}

/* Does the header (RFC 3323 4.2) ask us to keep his number to ourselves?
 * "critical", "session" and "none" do not. */
static bool
asks_privacy(const struct sip_msg *m)
{
	static const char *const words[] = { "id", "user", "header" };
	const struct sip_header_line *h;

	for (unsigned i = 0; (h = sip_find(m, SIP_H_PRIVACY, i)) != NULL; i++) {
		struct hf_slice rest = h->value;

		while (rest.n > 0) {
			size_t n = hf_slice_find(rest, ';');
			struct hf_slice one =
			    hf_slice_trim((struct hf_slice){ rest.p, n });

			for (size_t k = 0; k < HF_LEN(words); k++)
				if (hf_slice_eq_nocase(
					one, hf_slice_of(words[k])))
					return true;
			n += n < rest.n;
			rest = (struct hf_slice){ rest.p + n, rest.n - n };
		}
	}
	return false;
}

/* Every site writes one line; more of them are read as one long way.  False:
 * too long, and what is cut off could be the ring itself. */
static bool
path_read(const struct sip_msg *m, char *to, size_t cap)
{
	struct hf_buf b = hf_buf_on(to, cap - 1);

	for (uint16_t i = 0; i < m->headers; i++) {
		if (!hf_slice_eq_nocase(
			m->header[i].name, HF_SLICE(PATH_HEADER)))
			continue;
		if (b.n > 0)
			hf_buf_char(&b, ' ');
		hf_buf_slice(&b, m->header[i].value);
	}
	to[b.n] = '\0';
	return !b.overflow;
}

static void
name_caller(struct leg *l, const struct sip_msg *m)
{
	struct msg_leg_arrived *f = &l->arrived;
	const struct sip_header_line *h =
	    sip_find(m, SIP_H_P_ASSERTED_IDENTITY, 0);
	struct sip_name_addr who = m->from, asserted;

	/* A trunk's own word on who calls counts more than the caller's. */
	if (l->trunk != CONF_NONE && h != NULL &&
	    sip_parse_name_addr(h->value, &asserted))
		who = asserted;
	if (!sip_unquote(who.display, f->display, sizeof(f->display)))
		f->display[0] = '\0';
	if (l->agent != CONF_NONE) {
		const struct conf_agent *a = &room.conf->agent[l->agent];

		(void)hf_slice_copy(
		    hf_slice_of(
			a->extension[0] != '\0' ? a->extension : a->name),
		    f->from, sizeof(f->from));
	} else {
		user_text(who.uri.user, f->from, sizeof(f->from));
	}
	f->restricted = asks_privacy(m);
}

bool
who_calls(struct leg *l, const struct sip_msg *m, const struct sip_flow *from)
{
	struct msg_leg_arrived *f = &l->arrived;

	f->leg = l->id;
	f->trunk = l->trunk;
	f->agent = l->agent;
	f->hops = m->has_max_forwards ? m->max_forwards : HOPS;
	f->source = from->peer;
	f->at = proc_wall();
	user_text(m->uri.user, f->number, sizeof(f->number));
	name_caller(l, m);
	/* It moves a call down our ladder: nobody but a site may say it. */
	if (l->trunk == CONF_NONE || !gate_is_site(&from->peer))
		return true;
	return path_read(m, f->path, sizeof(f->path));
}

/* RFC 3966 5.1.1: what is there for the eye only. */
static void
strip_separators(char *number)
{
	char *to = number;

	for (const char *p = number; *p != '\0'; p++)
		if (strchr("-.()", *p) == NULL)
			*to++ = *p;
	*to = '\0';
}

bool
who_is_meant(const struct sip_uri *to, char *number, size_t cap)
{
	bool tel = hf_slice_eq_nocase(to->scheme, HF_SLICE("tel"));
	struct hf_slice user = to->user;

	if (!tel && !hf_slice_eq_nocase(to->scheme, HF_SLICE("sip")) &&
	    !hf_slice_eq_nocase(to->scheme, HF_SLICE("sips")))
		return false;
	/* "+33611;phone-context=...", "name:password" */
	user.n = hf_slice_find(user, ';');
	user.n = hf_slice_find(user, ':');
	if (!sip_unescape(user, number, cap))
		return false;
	if (tel)
		strip_separators(number);
	return number[0] != '\0';
}
