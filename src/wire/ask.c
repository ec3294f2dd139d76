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
	{ "upgrade", ASK_KEEPER, 0, 1, true, "[FOLDER]",
	    "from(s) to(s), and the connection ends; or an error row by row: "
	    "problem(s)" },

	/* ---- hf-call ------------------------------------------------------- */
	{ "summary", ASK_CALL, 0, 0, false, "",
	    "calls(n) waiting(n) agents_available(n) agents(n) helpers_closed(n) "
	    "helpers(n) rescues(n)" },
	{ "calls", ASK_CALL, 0, 0, false, "",
	    "one a call: id(s) state(s) age(d) number(s) from(s) ladder(s) with(s)" },
	{ "call", ASK_CALL, 1, 1, false, "ID",
	    "one row; error \"no such call\" when it is not live" },
	{ "agents", ASK_CALL, 0, 0, false, "",
	    "name(s) state(s) why(s) since(w) registered(b) call(s) missed(n)" },
	{ "agent", ASK_CALL, 2, 2, true, "NAME available|not_ready",
	    "name(s) state(s)" },
	{ "queues", ASK_CALL, 0, 0, false, "",
	    "name(s) waiting(n) longest(d) available(n) agents(n)" },
	{ "helpers", ASK_CALL, 0, 0, false, "",
	    "name(s) kind(s) breaker(s) forced(s: open|close or nothing) since(w) "
	    "calls(n) silent(n) answers_options(b) rtt(d) remote(b) provider(s) "
	    "region(s) why(s)" },
	{ "helper", ASK_CALL, 2, 2, true, "NAME open|close|auto",
	    "name(s) breaker(s) forced(b)" },
	{ "explain", ASK_CALL, 1, 1, false, "NUMBER",
	    "one a rung: rung(n) kind(s) name(s) now(s: \"would be tried\" or "
	    "why not)" },

	{ "legs", ASK_CALL, 1, 1, false, "ID",
	    "one a leg that is up: leg(n) side(s: caller|helper) name(s); an "
	    "error when the call is not live" },
	{ "drop", ASK_CALL, 1, 1, true, "ID", "dropped(s)" },

	/* ---- hf-store ------------------------------------------------------ */
	{ "past", ASK_STORE, 0, 4, false, "[limit N] [since SECONDS]",
	    "the newest first: id(s) came(t) number(s) from(s) ladder(s) "
	    "cause(s) length(d) rescues(n) worst_gap(d) last(s)",
	    .as = "calls" },
	{ "past_call", ASK_STORE, 1, 1, false, "ID|last",
	    "its record, then one a rung tried: step(n) who(s) cause(s) "
	    "code(n) rang(d) talked(d) gap(d) voice(d) decided(d) evidence(s)",
	    .as = "call" },
	{ "past_legs", ASK_STORE, 1, 1, false, "ID|last",
	    "leg(n) side(s: caller|helper) name(s)", .as = "legs" },
	{ "why", ASK_STORE, 1, 1, false, "ID|last",
	    "the timeline, the oldest first, of live calls too: at(t) after(d) "
	    "what(s) detail(s) id(s: the call's, in the first)" },
	{ "journal", ASK_STORE, 0, 0, false, "", "counters, in one row" },
	{ "spools", ASK_SPOOLS, 0, 0, false, "",
	    "facts on their way to the journal: process(s) waiting(n) dropped(n) "
	    "kept_in(s: file|memory)" },

	/* ---- every room ---------------------------------------------------- */
	{ "rails", ASK_ALL, 0, 0, false, "",
	    "what each has given up: process(s) worker(n) rails(s: up|part|off) "
	    "lacks(s) landlock(n: its version) why(s)" },

	/* ---- hf-rec -------------------------------------------------------- */
	{ "messages", ASK_REC, 0, 1, false, "[BOX]",
	    "one a message: box(s) name(s) at(t) length(d) from(s)" },
	{ "message_export", ASK_REC, 2, 2, false, "BOX NAME",
	    "where it lies: path(s) at(t) length(d)" },
	{ "message_delete", ASK_REC, 2, 2, true, "BOX NAME", "" },

	/* ---- hf-sip, hf-media ---------------------------------------------- */
	{ "trace", ASK_SIP, 1, 16, false, "LEG...",
	    "messages of these legs, decimal, the oldest first: at(t) leg(n) "
	    "dir(s: in|out) transport(s) local(s) remote(s) text(s); text_more(s) "
	    "alone is what the row before had no room for" },
	{ "emergency", ASK_SIP, 0, 0, false, "",
	    "emergency calls, and those whose record waits for hf-call: id(s) "
	    "state(s: trying|up|over) came(w) number(s) from(s) over(s: the "
	    "trunk) tried(s)" },
	{ "registrations", ASK_SIP, 0, 0, false, "",
	    "agent(s) contact(s) expires(d) transport(s)" },
	{ "trunks", ASK_SIP, 0, 0, false, "",
	    "one a trunk: name(s) state(s: up|down|unknown) to(s) since(t) "
	    "rtt(d) code(n: of its last answer to OPTIONS)" },
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

struct hf_slice
ask_next(struct hf_slice *args)
{
	size_t n = hf_slice_find(*args, '\0');
	struct hf_slice word = { args->p, n };

	n += n < args->n;
	*args = (struct hf_slice){ args->p + n, args->n - n };
	return word;
}

bool
ask_word(struct hf_slice args, unsigned int nth, char *to, size_t cap)
{
	to[0] = '\0';
	while (args.n > 0) {
		struct hf_slice word = ask_next(&args);

		if (nth-- == 0)
			return hf_slice_copy(word, to, cap);
	}
	return false;
}

unsigned int
ask_words(struct hf_slice args)
{
	unsigned int n = 0;

	for (; args.n > 0; n++)
		(void)ask_next(&args);
	return n;
}
