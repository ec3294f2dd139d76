/*
 * SIPp as caller, as bot and as agent, over UDP and TCP.  It echoes RTP, so a
 * voice that comes back has gone both ways; as a caller with a voice of its own
 * it plays a file.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/interop/peer.h"

enum {
	SPEAKS_S = 40,
	ENDS_MS = 7000, /* its bot lingers 4 s, for retransmissions */
	STEP_MS = 50,
	TALK_MS = 700,
	MEDIA_PORT = 30000,
};

/* ---- the caller ---------------------------------------------------------- */

/* Talks from a file and waits for BYE. */
static const char caller_xml[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<scenario name=\"caller\">\n"
    "<send retrans=\"500\"><![CDATA[\n\n"
    "INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n"
    "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
    "From: <sip:+33600000001@[local_ip]:[local_port]>;tag=[call_number]\n"
    "To: <sip:[service]@[remote_ip]:[remote_port]>\n"
    "Call-ID: [call_id]\nCSeq: 1 INVITE\n"
    "Contact: <sip:c@[local_ip]:[local_port];transport=[transport]>\n"
    "Max-Forwards: 70\nContent-Type: application/sdp\n"
    "Content-Length: [len]\n\n"
    "v=0\no=sipp 1 1 IN IP[local_ip_type] [local_ip]\ns=-\n"
    "c=IN IP[media_ip_type] [media_ip]\nt=0 0\n"
    "m=audio [rtpstream_audio_port] RTP/AVP 0\na=rtpmap:0 PCMU/8000\n"
    "]]></send>\n"
    "<recv response=\"100\" optional=\"true\"/>\n"
    "<recv response=\"180\" optional=\"true\"/>\n"
    "<recv response=\"183\" optional=\"true\"/>\n"
    "<recv response=\"200\" rtd=\"true\" rrs=\"true\"/>\n"
    "<send><![CDATA[\n\n"
    "ACK [next_url] SIP/2.0\n"
    "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]\n"
    "From: <sip:+33600000001@[local_ip]:[local_port]>;tag=[call_number]\n"
    "[last_To:]\nCall-ID: [call_id]\nCSeq: 1 ACK\n[routes]"
    "Max-Forwards: 70\nContent-Length: 0\n\n"
    "]]></send>\n"
    "<nop><action><exec rtp_stream=\"voice.ulaw,-1,0\"/></action></nop>\n"
    "<recv request=\"BYE\"/>\n"
    "<send><![CDATA[\n\n"
    "SIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n"
    "[last_Call-ID:]\n[last_CSeq:]\nContent-Length: 0\n\n"
    "]]></send>\n"
    "</scenario>\n";

/* Registers as anna with digest, and is done. */
#define REGISTER(cseq, credentials)                                            \
	"<send retrans=\"500\"><![CDATA[\n\n"                                  \
	"REGISTER sip:[remote_ip]:[remote_port] SIP/2.0\n"                     \
	"Via: SIP/2.0/[transport] "                                            \
	"[local_ip]:[local_port];branch=[branch]\n"                            \
	"From: <sip:anna@[remote_ip]>;tag=[call_number]\n"                     \
	"To: <sip:anna@[remote_ip]>\nCall-ID: [call_id]\n"                     \
	"CSeq: " cseq " REGISTER\n"                                            \
	"Contact: <sip:anna@[local_ip]:[local_port]>\n" credentials            \
	"Max-Forwards: 70\nExpires: 600\nUser-Agent: SIPp\n"                   \
	"Content-Length: 0\n\n]]></send>\n"
static const char register_xml[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<scenario name=\"register\">\n" REGISTER(
	"1", "") "<recv response=\"401\" auth=\"true\"/>\n" REGISTER("2",
	"[authentication username=anna password=correct-horse]\n") "<recv "
								   "response="
								   "\"200\"/>\n"
								   "</"
								   "scenario>"
								   "\n";

static char program[100];

/* With what all of them need; words: what is different, space apart. */
static void
sipp_start(struct scene *s, struct peer *p, const char *name, const char *ip,
    int port, bool tcp, const char *words)
{
	static int folders;
	char text[8][60], copy[400], folder[24], *argv[48];
	int n = 0;

	snprintf(folder, sizeof folder, "%s-%d", name, folders++);
	peer_dir(s, p, folder);
	peer_file(p, "caller.xml", "%s", caller_xml);
	peer_file(p, "register.xml", "%s", register_xml);
	snprintf(text[0], sizeof text[0], "%s/voice.ulaw", p->dir);
	peer_voice_ulaw(text[0], PEER_VOICE, SPEAKS_S);
	snprintf(text[0], sizeof text[0], "%s:%d", s->site->ip, s->site->port);
	snprintf(text[1], sizeof text[1], "%d", port);
	snprintf(text[2], sizeof text[2], "%d", MEDIA_PORT + folders * 10);
	snprintf(copy, sizeof copy, "%s", words);
	char *fixed[] = { program, text[0], (char *)"-i", (char *)ip,
		(char *)"-mi", (char *)ip, (char *)"-p", text[1], (char *)"-mp",
		text[2], (char *)"-t", (char *)(tcp ? "t1" : "u1"),
		(char *)"-nostdin", (char *)"-trace_msg", (char *)"-trace_err",
		(char *)"-message_file", (char *)"messages",
		(char *)"-error_file", (char *)"errors" };
	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		argv[n++] = fixed[i];
	for (char *w = strtok(copy, " "); w != NULL && n < 47;
	     w = strtok(NULL, " "))
		argv[n++] = w;
	argv[n] = NULL;
	peer_start(p, argv);
	if (strstr(words, "-sn uas") != NULL)
		peer_listens(ip, port, tcp);
}

struct ending {
	struct peer *peer;
	int status;
};

static bool
has_ended(void *arg)
{
	struct ending *e = arg;

	return peer_ended(e->peer, &e->status);
}

/* SIPp's exit status is 0 when every call went as its scenario says. */
static bool
ends_well(struct scene *s, struct peer *p)
{
	struct ending e = { .peer = p, .status = -1 };

	return scene_wait(s, ENDS_MS, has_ended, &e) && e.status == 0;
}

static void
is_content(struct scene *s, struct peer *p)
{
	scene_check(s, ends_well(s, p), "SIPp is content");
	peer_stop(p);
}

/* ---- the cases ----------------------------------------------------------- */

/* SIPp's own caller, who echoes: the bot hears itself, and after its death the
 * agent does. */
static void
echoing_caller(struct scene *s, bool tcp)
{
	struct peer p;

	printf("SIPp calls over %s, echoes, hangs up\n", tcp ? "TCP" : "UDP");
	sipp_start(s, &p, "caller", site_address(SITE_TRUNK, 20), 5060, tcp,
	    "-sn uac -s +33400000000 -m 1 -d 1500 -rtp_echo");
	struct ua_call *c = scene_call_of(s, s->bot);
	scene_check(s, c != NULL, "the bot is called");
	scene_check(s, scene_hears(s, c, SCENE_BOT), "the bot hears its echo");
	scene_check(s, scene_over(s, c), "the bot is told that it is over");
	is_content(s, &p);
}

static void
talking_caller(struct scene *s, bool tcp)
{
	struct peer p;

	printf("SIPp calls over %s, talks, is rescued\n", tcp ? "TCP" : "UDP");
	sipp_start(s, &p, "talker", site_address(SITE_TRUNK, 21), 5060, tcp,
	    "-sf caller.xml -s +33400000000 -m 1 -rtp_echo");
	struct ua_call *c = scene_call_of(s, s->bot);
	scene_check(
	    s, scene_hears(s, c, PEER_VOICE), "the bot hears the caller");
	scene_bot_dies(s);
	struct ua_call *a = scene_call_of(s, s->anna);
	scene_check(
	    s, scene_hears(s, a, PEER_VOICE), "the agent hears the caller");
	scene_leaves(s, a);
	is_content(s, &p);
	scene_bot_lives(s);
}

/* One of ours calls whom SIPp plays. */
static void
echoed(struct scene *s, const char *who)
{
	char promise[80];
	struct ua_call *c = ua_invite(s->caller, s->site->udp, "+33400000000");

	snprintf(
	    promise, sizeof promise, "the caller hears his echo from %s", who);
	scene_check(s, scene_hears(s, c, SCENE_CALLER), promise);
	scene_wait(s, TALK_MS, NULL, NULL);
	scene_check(s, !c->over, "the call goes on");
	ua_hang_up(c, NULL);
	scene_check(s, scene_over(s, c), "the caller can leave");
}

static void
bot(struct scene *s, bool tcp)
{
	struct peer p;

	printf("SIPp is the bot, over %s\n", tcp ? "TCP" : "UDP");
	ua_close(s->bot);
	sipp_start(s, &p, "bot", s->bot->ip, s->bot->port, tcp,
	    "-sn uas -m 1 -rtp_echo");
	echoed(s, "the bot");
	is_content(s, &p);
}

static void
agent(struct scene *s, bool tcp)
{
	struct peer p;

	printf("SIPp registers as agent, over %s\n", tcp ? "TCP" : "UDP");
	sipp_start(s, &p, "register", site_address(SITE_AGENTS, 20), 5070, tcp,
	    "-sf register.xml -m 1");
	scene_check(s, ends_well(s, &p), "the house believes who it is");
	scene_check(s, scene_registered(s), "anna is registered");
	peer_stop(&p);
	sipp_start(s, &p, "agent", site_address(SITE_AGENTS, 20), 5070, tcp,
	    "-sn uas -m 1 -rtp_echo");
	ua_open(s->bot);
	s->bot->manner.refuse = 503;
	echoed(s, "the agent");
	s->bot->manner.refuse = 0;
	is_content(s, &p);
}

int
main(void)
{
	const char *path = peer_program("sipp");
	int failed = 0;

	if (path == NULL)
		return PEER_SKIP;
	snprintf(program, sizeof program, "%s", path);
	for (int tcp = 0; tcp < 2; tcp++) {
		struct scene *s =
		    scene_new(tcp ? "turin" : "udine", tcp ? UA_TCP : UA_UDP);
		/* Our own phones, while SIPp is caller. */
		if (!scene_start(s, true))
			return EXIT_FAILURE;
		echoing_caller(s, tcp);
		talking_caller(s, tcp);
		failed |= scene_end(s);
		s = scene_new(tcp ? "trier" : "ulm", tcp ? UA_TCP : UA_UDP);
		/* Its bot takes OPTIONS for a call that goes wrong. */
		site_set(s->site, "guard.probe_every", "1h");
		if (!scene_start(s, false))
			return EXIT_FAILURE;
		bot(s, tcp);
		agent(s, false);
		failed |= scene_end(s);
	}
	return failed;
}
