/*
 * daemon/media - hf-media moves 20 ms frames.  It owns the RTP ports of its
 * worker, relays between the two parties of a call, speaks for the house
 * (comfort noise, prompts, music) and notices a helper that falls silent.
 * hf-call decides who hears whom; only the bridge over a sudden silence is
 * built here, because it cannot wait for anybody.
 *
 *   port.c    the sockets: whose packets come in, where ours go
 *   hear.c    a packet came
 *   say.c     a frame of our own is due
 *   guard.c   what the watches on a helper say, and the bridge
 *   report.c  RTCP
 *   record.c  the tap to hf-rec
 *   stream.c  the table of streams, and hf-call's orders about them
 *   sound.c   prompts from files, messages from hf-rec
 *   tick.c    once a millisecond
 *   main.c    orders in, facts out, an operator's questions
 *
 * A stream is one party's RTP and RTCP port.  All memory is taken at start.
 */
#ifndef HF_DAEMON_MEDIA_ROOM_H
#define HF_DAEMON_MEDIA_ROOM_H

#include <stdbool.h>
#include <stdint.h>

#include "conf/conf.h"
#include "io/rtp/dtmf.h"
#include "io/rtp/ear.h"
#include "io/rtp/prompt.h"
#include "io/rtp/rtcp.h"
#include "io/rtp/rtp.h"
#include "io/rtp/tap.h"
#include "io/rtp/voice.h"
#include "logic/guard/watch.h"
#include "proc/log.h"
#include "proc/proc.h"
#include "proc/slots.h"

enum {
	TICK_US = 1000,
	STALL_US = 10000, /* a tick so late shifts the guards' deadlines */
	CATCH_UP = 3,     /* frames sent at once after being late */
	PLAY_MAX = 24,
	MESSAGES_MAX = 64,
	KIN_MAX = CONF_HELPERS_MAX + 1, /* the last: whoever has no row */
};

/* What one party hears, as hf-call ordered it. */
enum source { SOURCE_NONE, SOURCE_PARTNER, SOURCE_COMFORT, SOURCE_CLIP };
/* What hf-media itself lays over SOURCE_PARTNER. */
enum bridge { BRIDGE_NONE, BRIDGE_COMFORT, BRIDGE_PROMPT };
enum role { ROLE_NONE, ROLE_CALLER, ROLE_HELPER };

/* A list of sounds being played. */
struct play {
	uint32_t id;
	uint32_t message; /* a voicemail message instead of the list */
	uint8_t list[PLAY_MAX];
	uint8_t n, at;
	uint8_t after;
	uint8_t waited;  /* frames in a row for the message to be read */
	bool told;       /* PROMPT_ENDED has been sent, or nobody asked */
	uint32_t sample; /* within the sound */
};

struct recording {
	uint32_t number; /* 0: none */
	struct hf_span max, silence;
	struct hf_time since, spoke;
	uint64_t samples;
	struct ear_floor floor;
};

/* What a successor needs to go on; plain, fixed-size, one slot a stream.
 * Committed when something changes and with each RTCP report. */
struct stream_record {
	struct hf_ref ref, call, partner;
	struct media media;
	uint8_t role, judge;
	uint16_t row;
	uint8_t source, locked;
	uint16_t seq;
	uint32_t ssrc, ts;
	struct hf_addr far; /* where the socket is connected to */
	struct hf_time at;  /* when seq and ts were true */
};

struct stream {
	/* The hot part: what a relayed packet touches. */
	int fd, rtcp_fd;
	bool dialled, rtcp_dialled; /* connected somewhere, or may be */
	bool polled;                /* both stand in the epoll set, for good */
	bool open, may_send;
	bool connected;  /* to far: the kernel keeps others out, ... */
	bool unsure;     /* ... but some may have come before that */
	bool undialable; /* there is no way to far */
	bool unclaimed;  /* hf-call is there again, and has not named it */
	bool heard;      /* something, since it was opened */
	bool listen;     /* the ear is needed */
	bool felt, refused;
	bool held; /* by either side: nobody is judged */
	uint8_t role, judge, source, bridge;
	uint16_t row;
	struct stream *partner; /* NULL: nobody */
	struct voice_format in; /* what payload numbers mean */
	struct voice voice;     /* towards this party */
	struct rtp_meter meter; /* from this party */
	int32_t in_time;        /* transit of packets that were not held up */
	struct watch watch;     /* of a helper, and of what its caller hears */
	struct ear_floor floor;
	struct hf_span hole;     /* longest the party heard nothing, now ... */
	struct hf_span hole_max; /* ... and in all */
	struct hf_time say_due;
	struct hf_time bridge_due; /* nothing came since the join */

	struct hf_ref ref, call;
	struct media media;
	int family;           /* of the sockets: AF_INET or AF_INET6 */
	struct hf_addr far;   /* where we send: signalled, or latched */
	struct hf_addr latch; /* who has been knocking */
	uint16_t latch_same, latch_seen;
	uint64_t strangers;      /* packets refused, ... */
	struct hf_addr stranger; /* ... the last from there */
	struct play play;
	uint32_t music_sample;
	uint8_t music;
	struct recording recording;
	struct dtmf dtmf;
	/* RTCP */
	struct hf_time rtcp_due;
	uint64_t reported_packets; /* sent, at our last report */
	uint32_t their_ntp;
	struct hf_time their_report;
	uint32_t their_highest;
	uint64_t sent_then; /* ours, at their last report */
	uint8_t deaf;       /* reports in a row that show nothing received */
	bool one_way;
	bool reports_us;        /* its reports have had a block about us */
	bool signed_on;         /* RTCP came since our last report */
	uint64_t received_then; /* at our last report */
	struct hf_time quiet;   /* since when nothing came, or we said so */
	struct patience patience;
};

/* A message from hf-rec's box: its file, kept open until it was said. */
struct message {
	uint32_t number; /* 0: free */
	int fd;
	uint32_t from, bytes; /* mu-law, a byte a sample */
};

extern struct media_room {
	const struct conf *conf;
	uint16_t worker;
	uint32_t first, count; /* streams of this worker */
	uint32_t sos;          /* the first that is hf-sip's */
	uint32_t open;
	struct stream *stream; /* by number less first */
	struct hf_time *due; /* the same; kept apart so that a scan is quick */
	struct hf_time
	    *block_due; /* earliest of DUE_BLOCK of them, or earlier */
	int epoll, timer;
	bool ticking;
	struct hf_time last_tick;
	struct hf_time worked; /* our processor time, then */
	struct prompt_book book;
	struct message message[MESSAGES_MAX];
	uint32_t message_next;
	struct starve_kin kin[KIN_MAX];
	struct tap tap;
	bool tapped;
	struct slots slots;
	bool slotted;
	struct {
		uint64_t ticks, late, stalls;
		struct hf_span late_max;
		uint64_t in, out, odd, refused, unsent, stale, rtcp_in;
	} count_of;
} room;

enum { DUE_BLOCK = 64 };

/* ---- tick.c -------------------------------------------------------------- */
void tick_open(void);
/* Streams are open, or the last has closed. */
void tick_run(bool on);
/* Something about the stream is due at "at", perhaps earlier than all else. */
void tick_at(const struct stream *s, struct hf_time at);

/* ---- port.c -------------------------------------------------------------- */
void port_take(struct stream *s, int fd, bool rtcp);
/* For media.rtp, or, behind NAT, for whom the first packets show. */
void port_open(struct stream *s);
/* The same for a stream of an earlier life, which had found far. */
void port_adopt(struct stream *s, const struct hf_addr *far);
void port_close(struct stream *s);
void port_send(struct stream *s, const uint8_t *p, uint16_t n);
void port_send_rtcp(struct stream *s, const void *p, size_t n);
/* What has come; all: until the socket is empty, not only as far as the packets
 * were late and others may wait behind them. */
void port_hear(struct stream *s, bool all, struct hf_time now);
/* Nothing came from the party.  The commonest mistake of all is to announce one
 * address and to send from another: if that may be it, hf-call is told. */
void port_mistaken(struct stream *s);
void port_hear_rtcp(struct stream *s, struct hf_time now);

/* ---- hear.c -------------------------------------------------------------- */
/* True when it came in time, so that none can be waiting behind it. */
bool hear_packet(struct stream *s, uint8_t *p, size_t n, struct hf_time now);
/* A key whose last packets were lost. */
void hear_age(struct stream *s, struct hf_time now);

/* ---- say.c --------------------------------------------------------------- */
/* Whoever speaks next begins now. */
void say_source(struct stream *s, enum source source, struct hf_time now);
void say_bridge(struct stream *s, enum bridge bridge, struct hf_time now);
void say_play(struct stream *s, const struct play *p, struct hf_time now);
void say_age(struct stream *s, struct hf_time now);
/* The stream closes. */
void say_end(struct stream *s);
void say_relay(struct stream *to, struct rtp_packet *p, enum voice_kind kind,
    struct hf_time now);
/* What the party hears comes from us, not from its partner. */
bool say_ours(const struct stream *s);

/* ---- guard.c ------------------------------------------------------------- */
/* The thresholds for this helper; the common ones for any other party. */
const struct conf_guard *guard_conf(const struct stream *helper);
void guard_begin(struct stream *helper, struct hf_time now);
void guard_end(struct stream *helper);
void guard_hold(struct stream *s, bool held, struct hf_time now);
void guard_packet(struct stream *s, const struct rtp_packet *p,
    enum voice_kind kind, const struct ear_frame *f, struct hf_time now);
void guard_age(struct stream *s, struct hf_time now);
void guard_shift(struct stream *s, struct hf_span lateness, struct hf_time now);
void guard_sign(struct stream *s, struct hf_time now);
struct hf_time guard_due(const struct stream *s);
bool guard_silent(const struct stream *helper);

/* ---- report.c ------------------------------------------------------------ */
void report_begin(struct stream *s, struct hf_time now);
void report_age(struct stream *s, struct hf_time now);
void report_hear(
    struct stream *s, const uint8_t *p, size_t n, struct hf_time now);

/* ---- record.c ------------------------------------------------------------ */
void record_met(void); /* hf-rec is there (again) */
void record_begin(const struct msg_record_stream *m, struct hf_time now);
void record_end(struct stream *s, enum cause why, struct hf_time now);
void record_packet(struct stream *s, const struct rtp_packet *p,
    enum voice_kind kind, const struct ear_frame *f, struct hf_time now);
void record_age(struct stream *s, struct hf_time now);
struct hf_time record_due(const struct stream *s);

/* ---- sound.c ------------------------------------------------------------- */
void sound_load(const struct conf *c);
void sound_shipped(const struct msg_message_shipped *m, int fd);
/* The next *n samples, or as many as are in memory now, which may be none;
 * false at its end, or when there is no such message. */
bool sound_read(uint32_t number, uint32_t sample, enum g711_law law,
    uint8_t *to, uint16_t *n);
/* Nobody wants to hear it any more; nothing happens when it is not there. */
void sound_done(uint32_t number);

/* ---- stream.c ------------------------------------------------------------ */
void stream_table(uint32_t first, uint32_t count);
struct stream *stream_at(struct hf_ref r); /* NULL: another's, or gone */
void stream_open(const struct msg_open_stream *m, struct hf_time now);
void stream_close(struct stream *s, struct hf_time now);
void stream_join(const struct msg_join_streams *m, struct hf_time now);
void stream_part(struct stream *s, struct hf_time now);
void stream_play(const struct msg_play_prompt *m, struct hf_time now);
void stream_age(struct stream *s, struct hf_time now);
struct hf_time stream_due(const struct stream *s);
void stream_listen(struct stream *s); /* does it need the ear? */
/* To whom its orders come from: of an emergency call hf-sip wants to know
 * little, and hf-call nothing. */
void stream_tell(const struct stream *s, const struct msg *m);
void stream_commit(const struct stream *s, struct hf_time now);
void stream_restore(struct hf_time now);

#endif
