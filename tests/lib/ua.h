/*
 * tests/lib/ua - phones, bots and trunks of the tests: many user agents in one
 * process, over UDP and TCP, IPv4 and IPv6, which speak SIP and RTP and
 * misbehave on demand.  Nothing in here comes from src/io: what both read
 * wrongly in the same way would never be found.
 *
 *      world -- ua -- call -- media
 *
 * One thread; things happen inside ua_run() only.  Times are microseconds on
 * the monotonic clock; a packet's arrival is the kernel's time stamp.  All
 * memory is the world's and ends with it.
 */
#ifndef HF_TESTS_UA_H
#define HF_TESTS_UA_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "tests/lib/sip_text.h"
#include "tests/lib/voice.h"

enum ua_transport { UA_UDP, UA_TCP };

/* What happened to a call, in its notes. */
enum ua_event {
	UA_CALLED,     /* an INVITE came */
	UA_TRIED,      /* 100 */
	UA_RANG,       /* 18x: code */
	UA_ANSWERED,   /* 2xx came */
	UA_CONFIRMED,  /* the ACK to our 2xx came */
	UA_REFUSED,    /* 3xx to 6xx came: code; 0: nobody answered */
	UA_BYE,        /* BYE came; text: its Reason */
	UA_CANCELLED,  /* CANCEL came; text: its Reason */
	UA_LEFT,       /* our own BYE or CANCEL was answered */
	UA_REINVITED,  /* a re-INVITE came; text: its direction */
	UA_REANSWERED, /* ours was answered: code */
	UA_REFERRED,   /* our REFER was answered: code */
	UA_NOTIFIED,   /* NOTIFY came; text: its body */
	UA_INFORMED,   /* INFO came; text: its type */
	UA_DIGIT,      /* RFC 4733: code is the character */
	UA_REGISTERED, /* code */
	UA_OPTIONED,   /* our OPTIONS was answered: code */
};

struct ua_note {
	int64_t at;
	int64_t
	    came; /* the kernel's stamp on the message that told us, or at */
	enum ua_event what;
	int code;
	char text[96];
};

/* One RTP packet that came. */
struct ua_heard {
	int64_t at; /* kernel's time stamp */
	uint32_t ts, ssrc;
	uint16_t seq;
	uint8_t payload;
	bool marker;
	int8_t whose; /* an actor, or VOICE_... */
};

enum ua_speech {
	UA_TALKS,      /* in its voice, without a pause */
	UA_SILENT,     /* digital silence */
	UA_LOOPS,      /* the same second again */
	UA_GARBAGE,    /* full-scale noise */
	UA_SUPPRESSES, /* talks 600 ms, then CN and nothing for 800 ms */
	UA_NOTHING,    /* no packet at all; the socket stays open */
};

/* How a user agent behaves; may be changed at any time, new calls take it. */
struct ua_manner {
	int refuse;     /* final answer to INVITE, 0: none */
	int channels;   /* so many calls at once, then 503; 0: any number */
	bool no_100;    /* nothing before ring_ms */
	int ring_ms;    /* 180 after so long; negative: never */
	int answer_ms;  /* 200 after so long; negative: on ua_answer() */
	bool early;     /* 183 with media instead of 180 */
	bool no_media;  /* answers, and no packet comes */
	bool one_way;   /* hears nothing and says so by RTCP */
	int hang_up_ms; /* after the answer; negative: never */
	char hang_up_reason[96];
	enum ua_speech speech;
	int loss_pct;   /* of the packets it sends */
	int jitter_ms;  /* mean of an exponential delay */
	int ptime;      /* 10 to 60 */
	int payload[4]; /* 0 PCMU, 8 PCMA; ends with -1 */
	int dtmf;       /* telephone-event's payload type, 0: none */
	int cn;         /* 13, or 0: none */
	bool mux;       /* rtcp-mux offered */
	bool late_offer;
	char lines[200]; /* more header lines in an INVITE, CRLF behind each */
	char nat_ip[64]; /* what Contact and SDP say instead of its address */
	bool foreign_media; /* sockets are opened; the owner moves packets */
};

struct ua_world;
struct ua;
struct ua_conn;

struct ua_where {
	struct sockaddr_storage to;
	struct ua_conn *conn; /* TCP; NULL: UDP */
};

struct ua_media {
	int rtp, rtcp; /* descriptors, -1: closed */
	int port;
	bool up;         /* a remote address is known */
	bool held;       /* we may not send */
	char theirs[12]; /* direction of their last SDP */
	struct sockaddr_storage remote, remote_rtcp;
	int payload, dtmf, cn, ptime;
	enum ua_speech speech;
	/* sending */
	uint16_t seq;
	uint32_t ts, ssrc, frame;
	size_t said; /* of the ua's words */
	int64_t next, next_rtcp, last_sent;
	bool fresh; /* the next packet starts a talk spurt */
	uint64_t sent;
	char digits[32];
	int digit_step;
	uint32_t digit_ts;
	struct ua_late *late; /* delayed by jitter */
	/* received */
	struct ua_heard *heard;
	size_t hears, heard_cap;
	uint64_t rtcp_came;
	uint32_t last_digit_ts;
};

struct ua_again {
	char *raw;
	int len;
	struct ua_where to;
	int64_t next, wait, until;
	char branch[80];
	char method[24];
	bool live;
};

struct ua_call {
	struct ua *ua;
	struct ua_call *next, *same_hash;
	bool incoming;
	bool answered, confirmed, over;
	bool cancelling; /* CANCEL is to be sent, or was */
	bool pseudo;     /* REGISTER, OPTIONS */
	bool authorized;
	int code; /* last response, or what we refused with */
	char call_id[SIP_WORD_MAX];
	char local[SIP_WORD_MAX], remote[SIP_WORD_MAX]; /* From/To values */
	char local_tag[32], remote_tag[96];
	char target[SIP_WORD_MAX]; /* remote target */
	char request_uri[SIP_WORD_MAX];
	char route[1024];
	uint32_t cseq, invite_cseq;
	struct ua_where peer;
	char *invite; /* the INVITE as it came, for responses */
	struct ua_again cli_inv, cli_non, srv_inv, srv_non, ack;
	struct ua_manner manner;
	int64_t came, ring_at, answer_at, hang_up_at;
	struct ua_note *note;
	size_t notes, note_cap;
	struct ua_media media;
	char direction[12]; /* what we want in our next offer */
	char auth[1024];
	uint32_t sdp_version;
	bool speechless; /* hears, and sends no SIP any more */
	void *owner;     /* the test's own */
};

struct ua {
	struct ua_world *world;
	struct ua *next;
	char name[32], ip[64];
	int family; /* AF_INET, AF_INET6 */
	enum ua_transport transport;
	int port, udp, tcp;
	int voice;
	struct ua_manner manner;
	bool dead; /* no packet in or out, nothing answered */
	int64_t cut_until;
	char user[64], secret[64]; /* for digest; user also in From */
	const uint8_t *says;       /* mu-law, instead of its tones; again and */
	size_t says_n;             /*   again */
	struct ua_call *calls;     /* newest first */
	uint64_t options;          /* came */
	/* Called for each note; may be NULL. */
	void (*on_note)(struct ua_call *, const struct ua_note *);
	void *owner;
};

int64_t ua_now(void);

struct ua_world *ua_world_new(void);
void ua_world_free(struct ua_world *);

/* Runs everything until done(arg), at most so long; what done said last.
 * done may be NULL.  It is asked after each turn, about once a millisecond. */
bool ua_run(struct ua_world *, int64_t ms, bool (*done)(void *), void *arg);

/* One turn: what is due, then what came, after at most so long a wait. */
void ua_turn(struct ua_world *, int wait_ms);

/* Look after SIP's timers only so often (5 ms): for thousands of calls. */
void ua_world_slow(struct ua_world *, int64_t us);

/* The defaults: PCMU and PCMA, 20 ms, rings at once, answers after 20 ms. */
struct ua_manner ua_manner(void);

/* A free SIP port of that address; it dies of an address that cannot be
 * bound (message, exit 99). */
struct ua *ua_new(struct ua_world *, const char *name, const char *ip,
    enum ua_transport, int voice);
/* Its SIP sockets: closed without a word; opened again on the same port. */
void ua_close(struct ua *);
void ua_open(struct ua *);
/* All its media: RTP sockets closed (the far end meets ICMP). */
void ua_close_media(struct ua *);
void ua_open_media(struct ua *);

/* "127.0.0.1:5060", "[::1]:5060" */
struct ua_where ua_where(const char *text);

/* What it says from now on instead of its tones: a wav file, 8 kHz, mono, 16
 * bit, and a second of silence behind it.  False: it cannot be read. */
bool ua_says(struct ua *, const char *path);

/* Each returns a call whose notes tell what came of it. */
struct ua_call *ua_invite(struct ua *, struct ua_where, const char *number);
struct ua_call *ua_register(struct ua *, struct ua_where, int expires);
struct ua_call *ua_options(struct ua *, struct ua_where);

void ua_answer(struct ua_call *);
void ua_ring(struct ua_call *, bool early);
void ua_refuse(struct ua_call *, int code);
/* BYE, CANCEL or 603, whatever fits.  reason: a Reason header's value, NULL. */
void ua_hang_up(struct ua_call *, const char *reason);
/* direction: "sendonly" (hold), "sendrecv"; move: from another RTP port. */
void ua_reinvite(struct ua_call *, const char *direction, bool move);
void ua_refer(struct ua_call *, const char *number);
void ua_inform(struct ua_call *, const char *type, const char *body);
void ua_press(struct ua_call *, const char *digits);

/* ---- what was noted and heard ---------------------------------------------
 */

/* The first note of that kind at or after `from`; NULL when there is none. */
const struct ua_note *ua_noted(
    const struct ua_call *, enum ua_event, int64_t from);

/* When, at or after `from`, did it begin to hear that voice (two frames of the
 * next three; an actor, or VOICE_...)?  -1: never.  VOICE_NONE: any packet. */
int64_t ua_hears(const struct ua_call *, int whose, int64_t from);

/* The longest time between two packets in the window, its ends included. */
int64_t ua_longest_gap(const struct ua_call *, int64_t from, int64_t to);

/* The newest call of a ua that is not over, or NULL. */
struct ua_call *ua_current(const struct ua *);

/* ---- between the library's files ------------------------------------------
 */

void ua_send(struct ua *, const struct ua_where *, const char *p, int n);
void ua_got(struct ua *, const struct ua_where *from, const char *p, int n);
void ua_sip_turn(struct ua_world *, int64_t now);
void ua_media_turn(struct ua_world *, int64_t now);
void ua_media_open(struct ua_call *);
void ua_media_close(struct ua_call *);
void ua_media_agree(struct ua_call *, const char *sdp);
int ua_media_sdp(struct ua_call *, bool answer, char *out, size_t cap);
void ua_media_read(struct ua_call *, bool rtcp);
void ua_note(struct ua_call *, enum ua_event, int code, const char *text);
struct ua_call *ua_find(struct ua *, const char *call_id);
struct ua_call *ua_call_new(struct ua *, const char *call_id);
uint32_t ua_random(struct ua_world *);
struct ua *ua_first(struct ua_world *);
void ua_watch(struct ua_world *, int fd, void *key, int kind);
void ua_unwatch(struct ua_world *, int fd);
struct ua_conn *ua_connect(struct ua *, const struct sockaddr_storage *);
int ua_port_take(struct ua_world *, const char *ip, int *rtp, int *rtcp);
void ua_host_text(const char *ip, char *out, size_t cap);
void ua_media_count(struct ua_world *, int more);
int64_t ua_kernel_time(struct msghdr *);
/* Kinds of descriptors a world watches. */
enum { UA_FD_UDP, UA_FD_LISTEN, UA_FD_CONN, UA_FD_RTP, UA_FD_RTCP };

#endif
