/* conf/keys - see keys.h */

#include "conf/keys.h"
#include "base/check.h"

#define US(n)      ((int64_t)(n))
#define MS(n)      (US(1000) * (n))
#define SECONDS(n) (MS(1000) * (n))
#define MINUTES(n) (SECONDS(60) * (n))
#define HOURS(n)   (MINUTES(60) * (n))

/* Where a value lies: one, a list with its count, a family of rows. */
#define ONE(s, f)                                                              \
	.at = offsetof(struct s, f), .size = sizeof(((struct s *)0)->f)
#define LIST(s, f, n)                                                          \
	.at = offsetof(struct s, f), .size = sizeof(((struct s *)0)->f[0]),    \
	.items = HF_LEN(((struct s *)0)->f),                                   \
	.count_at = offsetof(struct s, n),                                     \
	.count_size = sizeof(((struct s *)0)->n)
/* A list that is always full. */
#define ALL(s, f)                                                              \
	.at = offsetof(struct s, f), .size = sizeof(((struct s *)0)->f[0]),    \
	.items = HF_LEN(((struct s *)0)->f)

static const char *const strategies[] = { "longest-idle", NULL };
/* In the order of enum conf_symmetric. */
static const char *const symmetries[] = { "auto", "yes", "no", NULL };

/* clang-format off */
const struct conf_key conf_keys[] = {
	/* ---- root --------------------------------------------------------- */
	{ "site", SCOPE_ROOT, CONF_T_NAME, ONE(conf, site), .required = true,
	    .example = "lyon",
	    .help = "The name of this site, in logs, call records and on the wire between sites." },
	{ "calls_max", SCOPE_ROOT, CONF_T_COUNT, ONE(conf, calls_max),
	    .min = 1, .max = 100000, .def = "1000",
	    .help = "So many calls at once; more are refused with 503 and a time to try again. Each takes two streams (see rtp.ports); without this key it is lowered to what the ports allow." },
	{ "sip", SCOPE_ROOT, CONF_T_SECTION, ONE(conf, sip), .scope = SCOPE_SIP,
	    .help = "How this site speaks SIP." },
	{ "rtp", SCOPE_ROOT, CONF_T_SECTION, ONE(conf, rtp), .scope = SCOPE_RTP,
	    .help = "How it carries sound." },
	{ "guard", SCOPE_ROOT, CONF_T_SECTION, ONE(conf, guard), .scope = SCOPE_GUARD,
	    .help = "When a helper counts as failing. A bot, centre or site may have a guard: of its own with other values." },
	{ "keeper", SCOPE_ROOT, CONF_T_SECTION, ONE(conf, keeper), .scope = SCOPE_KEEPER,
	    .help = "How the processes are kept." },
	{ "store", SCOPE_ROOT, CONF_T_SECTION, ONE(conf, store), .scope = SCOPE_STORE,
	    .help = "Where things are kept." },
	{ "prompts", SCOPE_ROOT, CONF_T_SECTION, ONE(conf, prompts), .scope = SCOPE_PROMPTS,
	    .help = "What callers hear from us: wav files, mono, 16 bit, 8 or 16 kHz. They are read once, at start." },
	{ "codes", SCOPE_ROOT, CONF_T_SECTION, ONE(conf, codes), .scope = SCOPE_CODES,
	    .help = "What an agent dials on the phone." },
	{ "trunks", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, trunk, trunks), .scope = SCOPE_TRUNK,
	    .help = "Lines to the world. Calls are taken from their addresses and from agents, from nobody else." },
	{ "bots", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, helper, helpers), .scope = SCOPE_HELPER, .kind = CONF_BOT,
	    .help = "Voice bots reached over SIP, in a cloud or in the house. They are expected to speak when it is their turn." },
	{ "centres", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, helper, helpers), .scope = SCOPE_HELPER, .kind = CONF_CENTRE,
	    .help = "Contact centres in a cloud. They may hold and play music, so only packets and signalling judge them." },
	{ "sites", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, helper, helpers), .scope = SCOPE_HELPER, .kind = CONF_SITE,
	    .help = "Other Holdfasts that may take a call of ours. A call that comes from one of their addresses over a trunk may say in X-Holdfast-Path where it has been; nobody else is believed." },
	{ "queues", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, queue, queues), .scope = SCOPE_QUEUE,
	    .help = "Where callers wait for a person." },
	{ "agents", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, agent, agents), .scope = SCOPE_AGENT,
	    .help = "People with a SIP phone; the name is the phone's user name." },
	{ "voicemail", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, box, boxes), .scope = SCOPE_BOX,
	    .help = "Boxes for messages. Without this key a box named in a ladder comes into being with the defaults." },
	/* Before the ladders: their rungs' numbers are looked up in it. */
	{ "outbound", SCOPE_ROOT, CONF_T_SECTION, ONE(conf, outbound), .scope = SCOPE_OUTBOUND,
	    .help = "Calls to the world. Without it there are none." },
	{ "ladders", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, ladder, ladders), .scope = SCOPE_LADDER,
	    .help = "Who is tried for a caller, in which order. A rescue is one step down." },
	{ "numbers", SCOPE_ROOT, CONF_T_FAMILY, LIST(conf, number, numbers), .scope = SCOPE_NUMBER,
	    .help = "Which number leads to which ladder." },

	/* ---- sip ---------------------------------------------------------- */
	{ "listen", SCOPE_SIP, CONF_T_LISTEN, LIST(conf_sip, listen, listens),
	    .def = "udp:0.0.0.0:5060 tcp:0.0.0.0:5060",
	    .help = "Where requests are taken: transport, address and port." },
	{ "advertise", SCOPE_SIP, CONF_T_IP, ONE(conf_sip, advertise),
	    .def_said = "the address of the socket", .example = "198.51.100.7",
	    .help = "The public address to write into Via, Contact and SDP when we stand behind NAT." },
	{ "t1", SCOPE_SIP, CONF_T_SPAN, ONE(conf_sip, t1),
	    .min = MS(50), .max = SECONDS(5), .def = "500ms",
	    .help = "RFC 3261 T1: an estimate of the round trip; the first repetition comes after it." },
	{ "t2", SCOPE_SIP, CONF_T_SPAN, ONE(conf_sip, t2),
	    .min = MS(50), .max = SECONDS(60), .def = "4s",
	    .help = "RFC 3261 T2: the longest pause between repetitions." },
	{ "t4", SCOPE_SIP, CONF_T_SPAN, ONE(conf_sip, t4),
	    .min = MS(50), .max = SECONDS(60), .def = "5s",
	    .help = "RFC 3261 T4: how long a message may stay in the network." },
	{ "dialogs", SCOPE_SIP, CONF_T_COUNT, ONE(conf_sip, dialogs),
	    .min = 16, .max = 262144, .def = "16384",
	    .help = "Size of the dialog table; a call takes two or more." },
	{ "transactions", SCOPE_SIP, CONF_T_COUNT, ONE(conf_sip, transactions),
	    .min = 64, .max = 1048576, .def = "65536",
	    .help = "Size of the transaction table; one lives up to 64 times t1." },
	{ "tcp_connections", SCOPE_SIP, CONF_T_COUNT, ONE(conf_sip, tcp_connections),
	    .min = 1, .max = 10000, .def = "1000",
	    .help = "So many TCP connections at once." },
	{ "tcp_idle", SCOPE_SIP, CONF_T_SPAN, ONE(conf_sip, tcp_idle),
	    .min = SECONDS(1), .max = HOURS(24), .def = "10m",
	    .help = "A connection without traffic for so long is closed, unless a phone is registered over it or a call needs it." },
	{ "nonce_life", SCOPE_SIP, CONF_T_SPAN, ONE(conf_sip, nonce_life),
	    .min = SECONDS(1), .max = HOURS(24), .def = "5m",
	    .help = "So long a digest challenge can be answered." },
	{ "expires_min", SCOPE_SIP, CONF_T_SPAN, ONE(conf_sip, expires_min),
	    .min = SECONDS(1), .max = HOURS(24), .def = "60s",
	    .help = "A phone that wants to register for less gets 423." },
	{ "expires_max", SCOPE_SIP, CONF_T_SPAN, ONE(conf_sip, expires_max),
	    .min = SECONDS(1), .max = HOURS(24), .def = "1h",
	    .help = "A phone that wants more gets this." },
	{ "trace_bytes", SCOPE_SIP, CONF_T_BYTES, ONE(conf_sip, trace_bytes),
	    .min = 65536, .max = 1073741824, .def = "16M",
	    .help = "Memory for the messages that hfctl trace shows; the oldest make room." },
	{ "user_agent", SCOPE_SIP, CONF_T_TEXT, ONE(conf_sip, user_agent),
	    .def = "Holdfast",
	    .help = "What we call ourselves in User-Agent and Server." },
	{ "dns_servers", SCOPE_SIP, CONF_T_SERVER, LIST(conf_sip, dns, dns_count),
	    .def_said = "those of resolv.conf(5)", .example = "[192.0.2.53]",
	    .help = "Who is asked for the addresses of host names, port 53 unless said; /etc/hosts goes before." },

	/* ---- rtp ---------------------------------------------------------- */
	{ "address", SCOPE_RTP, CONF_T_IP, ONE(conf_rtp, address),
	    .def_said = "all, IPv4 and IPv6", .example = "192.0.2.7",
	    .help = "The one address to send and receive sound on." },
	{ "advertise", SCOPE_RTP, CONF_T_IP, ONE(conf_rtp, advertise),
	    .def_said = "sip.advertise", .example = "198.51.100.7",
	    .help = "The address to write into SDP." },
	{ "ports", SCOPE_RTP, CONF_T_PORTS, ONE(conf_rtp, port_first),
	    .min = 1024, .max = 65535, .def = "20000-29999",
	    .help = "First and last port. A stream takes two (RTP, RTCP), a call two streams or more; the sockets are opened ahead." },
	{ "workers", SCOPE_RTP, CONF_T_COUNT, ONE(conf_rtp, workers),
	    .min = 0, .max = 8, .def = "0",
	    .help = "Media processes; 0 is one for each processor core." },
	{ "latch_packets", SCOPE_RTP, CONF_T_COUNT, ONE(conf_rtp, latch_packets),
	    .min = 1, .max = 1000, .def = "10",
	    .help = "Behind NAT the sender's true address is learned within so many packets, then locked." },
	{ "dtmf_gap", SCOPE_RTP, CONF_T_SPAN, ONE(conf_rtp, dtmf_gap),
	    .min = MS(20), .max = SECONDS(1), .def = "50ms",
	    .help = "A DTMF digit whose last packets were lost is over when none has come for so long." },

	/* ---- guard -------------------------------------------------------- */
	{ "suspect", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, suspect),
	    .min = MS(20), .max = SECONDS(5), .def = "50ms",
	    .help = "So long beyond its packet interval without a packet: the caller hears comfort noise." },
	{ "voice", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, voice),
	    .min = MS(40), .max = SECONDS(10), .def = "180ms",
	    .help = "So long beyond the interval: the caller hears the bridging prompt (prompts.one_moment)." },
	{ "lost", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, lost),
	    .min = MS(100), .max = SECONDS(60), .def = "1s",
	    .help = "So long without a packet, when nothing else speaks against the helper: it is lost, the call goes one rung down." },
	{ "vote_after", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, vote_after),
	    .min = MS(100), .max = SECONDS(60), .def = "500ms",
	    .help = "The same when many calls of the helper are silent together." },
	{ "vote_share", SCOPE_GUARD, CONF_T_PERCENT, ONE(conf_guard, vote_share),
	    .min = 1, .max = 100, .def = "40%",
	    .help = "Many means this share of the helper's live calls ..." },
	{ "vote_min", SCOPE_GUARD, CONF_T_COUNT, ONE(conf_guard, vote_min),
	    .min = 2, .max = 1000, .def = "5",
	    .help = "... and at least so many. The vote also opens the helper's breaker for new calls." },
	{ "hush", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, hush),
	    .min = MS(0), .max = MINUTES(5), .def = "20s",
	    .help = "A bot not known yet whose packets stop in a pause may only be leaving its silence out: it is waited for so long, unless other evidence speaks against it." },
	{ "never", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, never),
	    .min = MS(100), .max = SECONDS(60), .def = "2s",
	    .help = "Answered, but no sound has come for so long: lost." },
	{ "patience_prompt", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, patience_prompt),
	    .min = MS(200), .max = MINUTES(5), .def = "3s",
	    .help = "A bot silent for so long when it is its turn: the caller hears a prompt." },
	{ "patience_lost", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, patience_lost),
	    .min = MS(200), .max = MINUTES(5), .def = "6s",
	    .help = "A bot silent for so long when it is its turn: lost." },
	{ "loop", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, loop),
	    .min = MS(200), .max = SECONDS(30), .def = "2s",
	    .help = "A stretch of so long said again without a change is a repetition." },
	{ "loop_times", SCOPE_GUARD, CONF_T_COUNT, ONE(conf_guard, loop_times),
	    .min = 2, .max = 100, .def = "3",
	    .help = "The same stretch heard so often in a row: the bot is lost in a loop." },
	{ "garbage", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, garbage),
	    .min = MS(200), .max = SECONDS(60), .def = "2s",
	    .help = "A bot's sound clipped or constant for so long: lost." },
	{ "hung_up_at_once", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, hung_up_at_once),
	    .min = MS(0), .max = MINUTES(1), .def = "3s",
	    .help = "A BYE so soon after the answer is a failure, not an end." },
	{ "hedge_after", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, hedge_after),
	    .min = MS(50), .max = SECONDS(32), .def = "300ms",
	    .help = "No 100 (Trying) for so long: the next bot of the ladder is rung as well, and the first to answer wins." },
	{ "setup_max", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, setup_max),
	    .min = MS(500), .max = MINUTES(3), .def = "10s",
	    .help = "Not answered for so long: lost." },
	{ "uplink_helpers", SCOPE_GUARD, CONF_T_COUNT, ONE(conf_guard, uplink_helpers),
	    .min = 2, .max = CONF_HELPERS_MAX, .def = "2",
	    .help = "So many remote helpers silent together is our own uplink: their breakers stay as they are." },
	{ "uplink_calls", SCOPE_GUARD, CONF_T_COUNT, ONE(conf_guard, uplink_calls),
	    .min = 1, .max = 1000, .def = "5",
	    .help = "Each of them must have so many live calls." },
	{ "uplink_within", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, uplink_within),
	    .min = MS(50), .max = SECONDS(10), .def = "500ms",
	    .help = "Together means within so long." },
	{ "uplink_after", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, uplink_after),
	    .min = MS(100), .max = SECONDS(60), .def = "1s",
	    .help = "Then, after so long, calls go to rungs in the house." },
	{ "probe_every", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, probe_every),
	    .min = MS(100), .max = HOURS(1), .def = "5s",
	    .help = "The pause between two OPTIONS to a helper." },
	{ "probe_timeout", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, probe_timeout),
	    .min = MS(50), .max = SECONDS(32), .def = "2s",
	    .help = "OPTIONS unanswered for so long has failed." },
	{ "breaker_trip", SCOPE_GUARD, CONF_T_COUNT, ONE(conf_guard, breaker_trip),
	    .min = 1, .max = 1000, .def = "3",
	    .help = "So many failures in a row open the helper's breaker: new calls skip its rung." },
	{ "breaker_heal", SCOPE_GUARD, CONF_T_COUNT, ONE(conf_guard, breaker_heal),
	    .min = 1, .max = 1000, .def = "3",
	    .help = "So many good probes in a row, and calls come back, by and by." },
	{ "rest_min", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, rest_min),
	    .min = MS(100), .max = HOURS(1), .def = "5s",
	    .help = "An open breaker waits so long before the first probe; twice as long after each one that fails." },
	{ "rest_max", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, rest_max),
	    .min = MS(100), .max = HOURS(24), .def = "60s",
	    .help = "But never longer than this." },
	{ "ramp", SCOPE_GUARD, CONF_T_PERCENT, ALL(conf_guard, ramp),
	    .min = 1, .max = 100, .def = "10% 25% 50% 100%",
	    .help = "Shares of new calls a healed helper gets, one after another; the last is 100%." },
	{ "ramp_step", SCOPE_GUARD, CONF_T_SPAN, ONE(conf_guard, ramp_step),
	    .min = MS(10), .max = HOURS(24), .def = "30s",
	    .help = "It stays so long on each." },

	/* ---- keeper ------------------------------------------------------- */
	{ "run_dir", SCOPE_KEEPER, CONF_T_PATH, ONE(conf_keeper, run_dir),
	    .def = "/run/holdfast",
	    .help = "Folder, best on tmpfs, of the control socket and the state of live calls." },
	{ "user", SCOPE_KEEPER, CONF_T_NAME, ONE(conf_keeper, user),
	    .def = "holdfast",
	    .help = "The account the other processes run as when holdfastd is started by root." },
	{ "restarts_per_s", SCOPE_KEEPER, CONF_T_COUNT, ONE(conf_keeper, restarts_per_s),
	    .min = 1, .max = 1000, .def = "10",
	    .help = "A process that keeps dying is restarted at most so often a second ..." },
	{ "restarts_burst", SCOPE_KEEPER, CONF_T_COUNT, ONE(conf_keeper, restarts_burst),
	    .min = 1, .max = 1000, .def = "20",
	    .help = "... after so many at once." },
	{ "drain_max", SCOPE_KEEPER, CONF_T_SPAN, ONE(conf_keeper, drain_max),
	    .min = SECONDS(0), .max = HOURS(24), .def = "30m",
	    .help = "At a stop, live calls have so long to end by themselves." },

	/* ---- store -------------------------------------------------------- */
	{ "dir", SCOPE_STORE, CONF_T_PATH, ONE(conf_store, dir),
	    .def = "/var/lib/holdfast",
	    .help = "Folder of the journal." },
	{ "spool", SCOPE_STORE, CONF_T_PATH, ONE(conf_store, spool),
	    .def = "/var/spool/holdfast",
	    .help = "Folder of voicemail." },
	{ "commit_every", SCOPE_STORE, CONF_T_SPAN, ONE(conf_store, commit_every),
	    .min = MS(1), .max = SECONDS(10), .def = "50ms",
	    .help = "Facts are written to the journal together, so often." },
	{ "keep_days", SCOPE_STORE, CONF_T_COUNT, ONE(conf_store, keep_days),
	    .min = 1, .max = 36500, .def = "400",
	    .help = "Call records older than so many days are deleted." },

	/* ---- prompts ------------------------------------------------------ */
	{ "dir", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, dir),
	    .def = "/usr/share/asterisk/sounds/en_US_f_Allison",
	    .help = "Folder of the files below, of queue music and of greetings; its digits/ has the numbers." },
	{ "one_moment", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, one_moment),
	    .def = "one-moment-please.wav",
	    .help = "The bridging prompt: what a caller hears when a helper has gone." },
	{ "still_there", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, still_there),
	    .def = "pls-hold-while-try.wav",
	    .help = "Said when a bot keeps a caller waiting." },
	{ "you_are_number", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, you_are_number),
	    .def = "queue-thereare.wav",
	    .help = "Said before the place in line." },
	{ "in_line", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, in_line),
	    .def = "queue-callswaiting.wav",
	    .help = "Said after it." },
	{ "voicemail_intro", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, voicemail_intro),
	    .def = "vm-intro.wav",
	    .help = "Asks for a message after the tone." },
	{ "no_messages", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, no_messages),
	    .def = "vm-nomore.wav",
	    .help = "Said to an agent whose box has no (further) message." },
	{ "goodbye", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, goodbye),
	    .def = "vm-goodbye.wav",
	    .help = "Said before we hang up." },
	{ "all_busy", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, all_busy),
	    .def = "vm-nobodyavail.wav",
	    .help = "Said when the ladder has ended and nobody could help." },
	{ "music", SCOPE_PROMPTS, CONF_T_PATH, ONE(conf_prompts, music),
	    .def = "/usr/share/asterisk/moh/macroform-cold_day.wav",
	    .help = "Played to those who wait, unless their queue has its own." },

	/* ---- codes -------------------------------------------------------- */
	{ "available", SCOPE_CODES, CONF_T_DIALLED, ONE(conf_codes, available),
	    .def = "*1", .help = "I take calls." },
	{ "not_ready", SCOPE_CODES, CONF_T_DIALLED, ONE(conf_codes, not_ready),
	    .def = "*2", .help = "I do not." },
	{ "wrap_up_end", SCOPE_CODES, CONF_T_DIALLED, ONE(conf_codes, wrap_up_end),
	    .def = "*3", .help = "I am done with the work after the last call." },
	{ "voicemail", SCOPE_CODES, CONF_T_DIALLED, ONE(conf_codes, voicemail),
	    .def = "*9", .help = "Play the messages of my box." },

	/* ---- outbound ----------------------------------------------------- */
	{ "allow", SCOPE_OUTBOUND, CONF_T_PATTERN, LIST(conf_outbound, allow, allows),
	    .def = "", .example = "[\"+33*\"]",
	    .help = "Numbers that may be called; a star at the end stands for any further digits." },
	{ "via", SCOPE_OUTBOUND, CONF_T_REF, LIST(conf_outbound, via, vias), .scope = SCOPE_TRUNK,
	    .def = "", .example = "[carrier]",
	    .help = "Trunks to call them over, tried in this order." },

	/* ---- trunks.NAME -------------------------------------------------- */
	{ "peers", SCOPE_TRUNK, CONF_T_NET, LIST(conf_trunk, peer, peers), .required = true,
	    .example = "[203.0.113.0/24]",
	    .help = "Addresses and networks that its calls come from." },
	{ "to", SCOPE_TRUNK, CONF_T_TARGET, ONE(conf_trunk, to),
	    .def_said = "no calls out", .example = "sip:203.0.113.5:5060",
	    .help = "Where calls to the world go; a host name is looked up as for a bot." },
	{ "symmetric", SCOPE_TRUNK, CONF_T_CHOICE, ONE(conf_trunk, symmetric), .words = symmetries,
	    .def = "auto",
	    .help = "May its sound come from elsewhere than its SDP says? As for an agent. With yes a stranger who guesses the port of a call that has just begun may speak in it." },
	{ "trusted", SCOPE_TRUNK, CONF_T_BOOL, ONE(conf_trunk, trusted),
	    .def = "no",
	    .help = "A caller who withholds his number (Privacy: id) is anonymous to it; say yes and it is told the number in P-Asserted-Identity, together with his wish (RFC 3325)." },
	{ "answer_when_ready", SCOPE_TRUNK, CONF_T_BOOL, ONE(conf_trunk, answer_when_ready),
	    .def = "no",
	    .help = "Answer a call only when a proven helper is on the line, so that the caller does not pay for ringing." },
	{ "ready_max", SCOPE_TRUNK, CONF_T_SPAN, ONE(conf_trunk, ready_max),
	    .min = MS(100), .max = MINUTES(3), .def = "10s",
	    .help = "With answer_when_ready: answer after so long in any case." },

	/* ---- bots.NAME, centres.NAME, sites.NAME -------------------------- */
	{ "to", SCOPE_HELPER, CONF_T_TARGET, LIST(conf_helper, to, targets), .required = true,
	    .example = "[\"sip:bot@bots.example.net\"]",
	    .help = "Its SIP addresses, tried in this order. A host may be a name: its A and AAAA records are looked up at start and again before they are too old, the last good answer is kept when the DNS fails, and its addresses are tried one after another. NAPTR and SRV records are not asked for." },
	{ "remote", SCOPE_HELPER, CONF_T_BOOL, ONE(conf_helper, remote),
	    .def = "yes",
	    .help = "It is behind our uplink. Say no for one in the house." },
	{ "trusted", SCOPE_HELPER, CONF_T_BOOL, ONE(conf_helper, trusted),
	    .def = "no",
	    .help = "A caller who withholds his number (Privacy: id) is anonymous to it; say yes and it is told the number in P-Asserted-Identity, together with his wish (RFC 3325)." },
	{ "provider", SCOPE_HELPER, CONF_T_NAME, ONE(conf_helper, provider),
	    .def = "", .example = "acme", .help = "Who runs it." },
	{ "region", SCOPE_HELPER, CONF_T_NAME, ONE(conf_helper, region),
	    .def = "", .example = "eu-west-3", .help = "Where it runs." },
	{ "guard", SCOPE_HELPER, CONF_T_SECTION, ONE(conf_helper, guard), .scope = SCOPE_GUARD,
	    .help = "The keys of guard: that are different for this one." },

	/* ---- queues.NAME -------------------------------------------------- */
	{ "strategy", SCOPE_QUEUE, CONF_T_CHOICE, ONE(conf_queue, strategy), .words = strategies,
	    .def = "longest-idle",
	    .help = "Who gets the next call: the agent who has been idle longest." },
	{ "max_wait", SCOPE_QUEUE, CONF_T_SPAN, ONE(conf_queue, max_wait),
	    .min = SECONDS(1), .max = HOURS(12), .def = "5m",
	    .help = "After so long the caller goes one rung down." },
	{ "ring", SCOPE_QUEUE, CONF_T_SPAN, ONE(conf_queue, ring),
	    .min = SECONDS(1), .max = MINUTES(3), .def = "15s",
	    .help = "An agent's phone rings so long, then the next one's." },
	{ "announce", SCOPE_QUEUE, CONF_T_SPAN, ONE(conf_queue, announce),
	    .min = SECONDS(0), .max = HOURS(1), .def = "30s",
	    .help = "The place in line is said so often; 0s is never." },
	{ "wrap_up", SCOPE_QUEUE, CONF_T_SPAN, ONE(conf_queue, wrap_up),
	    .min = SECONDS(0), .max = HOURS(1), .def = "10s",
	    .help = "After a call an agent has so long before the next." },
	{ "max_length", SCOPE_QUEUE, CONF_T_COUNT, ONE(conf_queue, max_length),
	    .min = 1, .max = 10000, .def = "200",
	    .help = "When so many wait, further callers go one rung down." },
	{ "music", SCOPE_QUEUE, CONF_T_PATH, ONE(conf_queue, music),
	    .def = "", .def_said = "prompts.music", .example = "/usr/share/asterisk/moh/reno_project-system.wav",
	    .help = "What is played to those who wait." },

	/* ---- agents.NAME -------------------------------------------------- */
	{ "queues", SCOPE_AGENT, CONF_T_REF, LIST(conf_agent, queue, queues), .scope = SCOPE_QUEUE,
	    .def = "", .example = "[sales]", .help = "Queues the agent serves." },
	{ "secret_file", SCOPE_AGENT, CONF_T_SECRET, .size = CONF_NUMBER_MAX, .required = true,
	    .example = "/etc/holdfast/anna",
	    .help = "File with the phone's password in its only line; nobody but its owner and group may read it." },
	{ "extension", SCOPE_AGENT, CONF_T_DIALLED, ONE(conf_agent, extension),
	    .def = "", .def_said = "the agent's name", .example = "\"201\"",
	    .help = "What other agents dial." },
	{ "ready_at_login", SCOPE_AGENT, CONF_T_BOOL, ONE(conf_agent, ready_at_login),
	    .def = "yes",
	    .help = "A phone that registers makes its agent available; else he dials codes.available first." },
	{ "symmetric", SCOPE_AGENT, CONF_T_CHOICE, ONE(conf_agent, symmetric), .words = symmetries,
	    .def = "auto",
	    .help = "May the phone's sound come from elsewhere than its SDP says? auto: from the host of its SDP or of its signalling, any port, when the first is private and the second another. yes: also from any host that sends three packets in a row within rtp.latch_packets. no: never. Once heard it is locked." },
	{ "realm", SCOPE_AGENT, CONF_T_TEXT, ONE(conf_agent, realm),
	    .def = "", .def_said = "the site's name", .example = "lyon.example.net",
	    .help = "The realm of the digest challenge." },

	/* ---- voicemail.NAME ----------------------------------------------- */
	{ "max", SCOPE_BOX, CONF_T_SPAN, ONE(conf_box, max),
	    .min = SECONDS(1), .max = HOURS(1), .def = "3m",
	    .help = "The longest message." },
	{ "messages", SCOPE_BOX, CONF_T_COUNT, ONE(conf_box, messages),
	    .min = 1, .max = 10000, .def = "200",
	    .help = "The most messages in the box; a full box is skipped." },
	{ "greeting", SCOPE_BOX, CONF_T_PATH, ONE(conf_box, greeting),
	    .def = "", .def_said = "prompts.voicemail_intro", .example = "vm-intro.wav",
	    .help = "What asks for the message." },
	{ "agents", SCOPE_BOX, CONF_T_REF, LIST(conf_box, agent, agents), .scope = SCOPE_AGENT,
	    .def = "", .def_said = "any agent", .example = "[anna]",
	    .help = "Who may listen by dialling codes.voicemail." },

	/* ---- ladders.NAME, numbers.NUMBER --------------------------------- */
	{ "", SCOPE_LADDER, CONF_T_RUNGS, LIST(conf_ladder, rung, rungs), .required = true,
	    .example = "[ { bot: cloud-a }, { queue: sales } ]",
	    .help = "A list of rungs, each one pair: bot, centre, site, queue or voicemail with a name, or number with a number that outbound.allow has." },
	{ "", SCOPE_NUMBER, CONF_T_REF, ONE(conf_number, ladder), .scope = SCOPE_LADDER, .required = true,
	    .example = "front",
	    .help = "The ladder's name. The number is written as the trunk sends it, in quotes." },
};
/* clang-format on */

const size_t conf_keys_nr = HF_LEN(conf_keys);

#define SCOPE(s, n) .size = sizeof(struct s), .one = (n)
#define FAMILY(s, f, n)                                                        \
	SCOPE(s, n), .name_size = sizeof(((struct s *)0)->f),                  \
		     .used_at = offsetof(struct s, used)

const struct conf_scope_row conf_scopes[SCOPE_NR] = {
	[SCOPE_ROOT] = { SCOPE(conf, "file") },
	[SCOPE_SIP] = { SCOPE(conf_sip, "section") },
	[SCOPE_RTP] = { SCOPE(conf_rtp, "section") },
	[SCOPE_GUARD] = { SCOPE(conf_guard, "section") },
	[SCOPE_KEEPER] = { SCOPE(conf_keeper, "section") },
	[SCOPE_STORE] = { SCOPE(conf_store, "section") },
	[SCOPE_PROMPTS] = { SCOPE(conf_prompts, "section") },
	[SCOPE_CODES] = { SCOPE(conf_codes, "section") },
	[SCOPE_OUTBOUND] = { SCOPE(conf_outbound, "section") },
	[SCOPE_TRUNK] = { FAMILY(conf_trunk, name, "trunk") },
	[SCOPE_HELPER] = { FAMILY(conf_helper, name, "helper") },
	[SCOPE_QUEUE] = { FAMILY(conf_queue, name, "queue") },
	[SCOPE_AGENT] = { FAMILY(conf_agent, name, "agent") },
	[SCOPE_BOX] = { FAMILY(conf_box, name, "voicemail box") },
	[SCOPE_LADDER] = { FAMILY(conf_ladder, name, "ladder") },
	[SCOPE_NUMBER] = { FAMILY(conf_number, number, "number") },
};

const char *
conf_type_name(enum conf_type t)
{
	static const char *const name[CONF_T_NR] = {
		[CONF_T_NAME] = "a name",
		[CONF_T_TEXT] = "a text",
		[CONF_T_PATH] = "a path",
		[CONF_T_DIALLED] = "a number to dial",
		[CONF_T_PATTERN] = "a number or a beginning of numbers",
		[CONF_T_SPAN] = "a span of time",
		[CONF_T_COUNT] = "a whole number",
		[CONF_T_PERCENT] = "a share in percent",
		[CONF_T_BYTES] = "a size in bytes",
		[CONF_T_BOOL] = "yes or no",
		[CONF_T_CHOICE] = "one of the known words",
		[CONF_T_IP] = "an IP address",
		[CONF_T_SERVER] = "an IP address with or without a port",
		[CONF_T_LISTEN] = "a transport with address and port",
		[CONF_T_TARGET] = "a SIP URI",
		[CONF_T_NET] = "an address or a network",
		[CONF_T_PORTS] = "a range of ports",
		[CONF_T_REF] = "a name of the file",
		[CONF_T_SECRET] = "a path",
		[CONF_T_RUNGS] = "a list of rungs",
		[CONF_T_SECTION] = "a section",
		[CONF_T_FAMILY] = "a section of names",
	};
	return name[t];
}

const char *
conf_type_how(enum conf_type t)
{
	static const char *const how[CONF_T_NR] = {
		[CONF_T_NAME] = "letters, digits, dot, dash and underscore, "
				"like cloud-a",
		[CONF_T_TEXT] = "printable characters",
		[CONF_T_PATH] = "a path, like /etc/holdfast/anna",
		[CONF_T_DIALLED] = "digits with + * # or letters, in quotes, "
				   "like \"+33400000000\"",
		[CONF_T_PATTERN] = "a number, or its beginning and a star, in "
				   "quotes, like \"+33*\"",
		[CONF_T_SPAN] = "a number and a unit (us, ms, s, m, h or d), "
				"like 180ms, 3s or 5m",
		[CONF_T_COUNT] = "digits only, like 5",
		[CONF_T_PERCENT] = "a number and a percent sign, like 40%",
		[CONF_T_BYTES] = "a number, with K, M or G when large, "
				 "like 16M",
		[CONF_T_BOOL] = "yes or no",
		[CONF_T_CHOICE] = "one of its words",
		[CONF_T_IP] = "an address without a port, like 198.51.100.7 "
			      "or 2001:db8::7",
		[CONF_T_SERVER] = "an address, with its port when it is not "
				  "the usual one, like 192.0.2.53 or "
				  "\"[2001:db8::53]:5353\"",
		[CONF_T_LISTEN] = "udp or tcp, an address and a port, like "
				  "\"udp:0.0.0.0:5060\" or \"tcp:[::]:5060\"",
		[CONF_T_TARGET] = "a SIP URI, like "
				  "\"sip:bot@192.0.2.9:5060;transport=tcp\"",
		[CONF_T_NET] = "an address or a network, like 203.0.113.0/24",
		[CONF_T_PORTS] = "the first and the last port, like "
				 "20000-29999",
		[CONF_T_REF] = "a name that the file defines",
		[CONF_T_SECRET] = "a path, like /etc/holdfast/anna",
		[CONF_T_RUNGS] = "a list, like [ { bot: cloud-a }, "
				 "{ queue: sales } ]",
		[CONF_T_SECTION] = "its keys, indented below it",
		[CONF_T_FAMILY] =
		    "names, each with its keys, indented below it",
	};
	return how[t];
}
