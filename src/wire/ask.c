/* wire/ask - see ask.h */

#include <string.h>

#include "base/check.h"
#include "wire/ask.h"

/* clang-format off */
const struct ask_verb ask_verbs[] = {
	/* ---- the keeper ---------------------------------------------------- */
	{ "status", ASK_KEEPER, 0, 0, false, "",
	    "first: site(s) version(s) up(d) generation(n) draining(b); then one "
	    "a process: process(s) pid(n) state(s) up(d) restarts(n) memory_kb(n)" },
	{ "config", ASK_KEEPER, 0, 0, false, "",
	    "one a key: key(s) value(s) origin(s: \"default\" or \"FILE:LINE\")" },
	{ "reload", ASK_KEEPER, 0, 1, true, "[reset]",
	    "generation(n), or an error row by row: problem(s)" },
	{ "drain", ASK_KEEPER, 1, 1, true, "on|off", "draining(b) calls(n)" },

	/* ---- hf-call ------------------------------------------------------- */
	{ "summary", ASK_CALL, 0, 0, false, "",
	    "calls(n) waiting(n) agents_available(n) agents(n) helpers_closed(n) "
	    "helpers(n) rescues(n)" },
	{ "calls", ASK_CALL, 0, 0, false, "",
	    "one a call: id(s) state(s) age(d) number(s) from(s) ladder(s) with(s)" },
	{ "call", ASK_CALL, 1, 1, false, "ID",
	    "one row; error \"no such call\" when it is not live" },
	{ "legs", ASK_CALL, 1, 1, false, "ID",
	    "one a leg tried so far: leg(n) side(s: caller|helper) name(s); "
	    "error \"no such call\" when it is not live" },
	{ "agents", ASK_CALL, 0, 0, false, "",
	    "name(s) state(s) since(d) queues(s) extension(s) calls(n)" },
	{ "agent", ASK_CALL, 2, 2, true, "NAME available|not-ready",
	    "name(s) state(s)" },
	{ "queues", ASK_CALL, 0, 0, false, "",
	    "name(s) waiting(n) longest(d) available(n) agents(n)" },
	{ "helpers", ASK_CALL, 0, 0, false, "",
	    "name(s) kind(s) breaker(s) forced(b) share(n: percent) calls(n) "
	    "failures(n) probed(d: since) rtt(d) evidence(s)" },
	{ "helper", ASK_CALL, 2, 2, true, "NAME open|close|auto",
	    "name(s) breaker(s) forced(b)" },
	{ "explain", ASK_CALL, 1, 1, false, "NUMBER",
	    "one a rung: rung(n) kind(s) name(s) now(s: \"would be tried\" or "
	    "why not)" },

	/* ---- hf-store ------------------------------------------------------ */
	{ "past", ASK_STORE, 1, 1, false, "N",
	    "the last N calls, the newest first: id(s) came(t) length(d) "
	    "number(s) from(s) ladder(s) last(s) cause(s) rescues(n) worst_gap(d)" },
	{ "past_call", ASK_STORE, 1, 1, false, "ID",
	    "its CDR, one row, then one a rung tried: step(n) kind(s) name(s) "
	    "cause(s) code(n) rang(d) talked(d) gap(d) voice(d) decided(d) "
	    "evidence(s)" },
	{ "past_legs", ASK_STORE, 1, 1, false, "ID",
	    "leg(n) side(s: caller|helper) name(s)" },
	{ "why", ASK_STORE, 1, 1, false, "ID",
	    "the timeline, the oldest first: at(t) what(s) detail(s); live calls "
	    "too" },

	/* ---- hf-rec -------------------------------------------------------- */
	{ "messages", ASK_REC, 0, 1, false, "[BOX]",
	    "one a message: box(s) name(s) from(s) at(t) length(d)" },
	{ "message_export", ASK_REC, 2, 2, false, "BOX NAME",
	    "the wav file in order: data(s, up to 7,000 bytes) offset(n) size(n)" },
	{ "message_delete", ASK_REC, 2, 2, true, "BOX NAME", "name(s)" },

	/* ---- hf-sip, hf-media ---------------------------------------------- */
	{ "trace", ASK_SIP, 1, 16, false, "LEG...",
	    "messages of these legs, decimal, the oldest first: at(t) leg(n) "
	    "dir(s: in|out) transport(s) local(s) remote(s) text(s, whole)" },
	{ "registrations", ASK_SIP, 0, 0, false, "",
	    "agent(s) contact(s) expires(d) transport(s)" },
	{ "sip", ASK_SIP, 0, 0, false, "", "name(s) value(n): counters" },
	{ "streams", ASK_MEDIA, 0, 0, false, "",
	    "one an open stream: stream(n) worker(n) port(n) remote(s) codec(s) "
	    "partner(n) packets_in(n) packets_out(n) lost(n) gap_max(d) state(s)" },
};
/* clang-format on */

const size_t ask_verbs_nr = HF_LEN(ask_verbs);

const struct ask_verb *
ask_find(const char *name)
{
	for (size_t i = 0; i < ask_verbs_nr; i++)
		if (strcmp(ask_verbs[i].name, name) == 0)
			return &ask_verbs[i];
	return NULL;
}

bool
ask_word(struct hf_slice args, unsigned int nth, char *to, size_t cap)
{
	to[0] = '\0';
	while (args.n > 0) {
		size_t end = hf_slice_find(args, '\0');

		if (nth-- == 0)
			return hf_slice_copy(
			    (struct hf_slice){ args.p, end }, to, cap);
		end += end < args.n;
		args = (struct hf_slice){ args.p + end, args.n - end };
	}
	return false;
}

unsigned int
ask_words(struct hf_slice args)
{
	unsigned int n = 0;

	while (args.n > 0) {
		size_t end = hf_slice_find(args, '\0');

		end += end < args.n;
		args = (struct hf_slice){ args.p + end, args.n - end };
		n++;
	}
	return n;
}
