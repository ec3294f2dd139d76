/*
 * hf-sip - speaks SIP for the house: transports, transactions, dialogs,
 * registrar and digest.  It decides nothing about calls; hf-call does.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/table.h"
#include "daemon/sip/emergency.h"
#include "daemon/sip/room.h"

enum {
	TICK_MS = 500,
	/* Under load waking up costs more than the work, ours and theirs:
	 * above so many datagrams a window the sockets are read, and what is
	 * said leaves, once in a while. */
	BUSY_TICK_MS = 2,
	BUSY_WINDOW_MS = 50,
	BUSY_FROM = 100,
	BUSY_UNTIL = 50,
	NONCES = 1024, /* answered ones that are remembered */
	SOCKETS_MAX = 32,
	GOODBYES_MS = 700, /* the second over UDP goes after 500 */
};

struct sip_room room;

static struct {
	bool on; /* the house closes */
	bool late;
	struct hf_timer timer; /* from hf-call's last word on */
} closing;

static struct {
	int fd;
	bool tcp;
} handed[SOCKETS_MAX];
static unsigned handeds;

/* An INVITE waits here for its leg's number before it goes into the trace. */
static struct sip_traced untraced;
static bool has_untraced;

/* ---- the trace ----------------------------------------------------------- */

/* Whose tag was looked up last: whom the message in hand is about. */
static const struct sip_session *in_hand;

/* The leg of a tag of ours; 0: it is nobody's. */
static uint64_t
leg_tagged(struct hf_slice tag)
{
	const struct sip_session *s = sip_session_by_tag(&room.ss, tag);

	in_hand = s;
	if (s == NULL)
		return 0;
	return s->mark != 0 ? s->mark : s->user;
}

/* The leg whose tag is in these bytes of ours; 0: none. */
static uint64_t
leg_in(struct hf_slice bytes)
{
	static const struct hf_slice mark = HF_SLICE(";tag=");
	const char *p = bytes.p, *end = bytes.p + bytes.n;

	uint64_t leg = 0;

	while (leg == 0 &&
	       (p = memmem(p, (size_t)(end - p), mark.p, mark.n)) != NULL) {
		p += mark.n;
		if (end - p >= SIP_OUR_TAG)
			leg = leg_tagged((struct hf_slice){ p, SIP_OUR_TAG });
	}
	return leg;
}

static void
trace_held(uint64_t leg)
{
	if (!has_untraced)
		return;
	has_untraced = false;
	untraced.leg = leg;
	sip_trace_put(&room.trace, &untraced);
}

static void
trace_out(const struct sip_flow *to, struct hf_slice bytes)
{
	struct sip_traced t = {
		.at = proc_wall(),
		.leg = leg_in(bytes),
		.local = sip_transport_here(&room.tp, to, room.now),
		.remote = to->peer,
		.transport = to->transport,
		.out = true,
		/* What an answer repeats of its request is no secret. */
		.plain = hf_slice_starts(bytes, HF_SLICE("SIP/")),
		.bytes = bytes,
	};

	if (t.leg == 0) /* a 100 bears no tag yet */
		t.leg = room.arriving;
	trace_held(t.leg);
	sip_trace_put(&room.trace, &t);
}

static void
trace_in(const struct sip_flow *from, struct hf_slice bytes,
    const struct sip_msg *m, bool whole)
{
	untraced = (struct sip_traced){
		.at = proc_wall(),
		.leg = leg_tagged(m->from_tag),
		.local = sip_transport_here(&room.tp, from, room.now),
		.remote = from->peer,
		.transport = from->transport,
		.plain = whole && sip_find(m, SIP_H_AUTHORIZATION, 0) == NULL &&
			 sip_find(m, SIP_H_PROXY_AUTHORIZATION, 0) == NULL,
		.bytes = bytes,
	};
	if (untraced.leg == 0)
		untraced.leg = leg_tagged(m->to_tag);
	has_untraced = true;
	if (untraced.leg != 0)
		trace_held(untraced.leg);
}

/* ---- bytes in and out ---------------------------------------------------- */

static void
on_received(void *arg, struct hf_slice bytes, const struct sip_flow *from)
{
	static struct sip_msg m;
	struct sip_verdict v;

	(void)arg;
	if (!limits_hear(bytes, from))
		return;
	v = sip_parse(bytes, &m);
	if (v.parsed == SIP_DROP) {
		room.dropped_messages++;
		return;
	}
	if (v.parsed == SIP_BAD)
		room.bad_messages++;
	trace_in(from, bytes, &m, v.parsed == SIP_GOOD);
	if (in_hand != NULL)
		kept_enter(in_hand->n);
	sip_sessions_receive(&room.ss, &m, v, from, room.now);
	kept_leave();
	trace_held(room.arriving);
	room.arriving = 0;
}

static void
on_bytes_refused(void *arg, struct hf_slice bytes)
{
	(void)arg;
	sip_sessions_refused(&room.ss, bytes, room.now);
}

static void
on_lost(void *arg, struct hf_ref conn, bool asked)
{
	(void)arg;
	if (asked)
		sip_sessions_lost(&room.ss, conn, room.now);
	gate_hangup(conn);
}

/* A phone that is registered, or in a call, need not say a word. */
static void
on_silent(void *arg, struct hf_time now)
{
	(void)arg;
	for (uint32_t i = 0; i < room.ss.pool.cap; i++) {
		const struct sip_session *s = &room.ss.session[i];

		if (s->state != SIP_S_FREE)
			sip_stream_hold(
			    &room.tp.stream, s->dialog.flow.conn, now);
	}
	gate_hold(now);
}

/* ---- busy or not --------------------------------------------------------- */

static struct {
	bool on;
	bool due;      /* this turn is the tick's */
	uint64_t seen; /* datagrams, at the window's begin */
	struct hf_time begin;
	struct hf_timer poll;
} busy;

static void on_fd(int fd, uint32_t events, void *arg);

static void
busy_set(bool on)
{
	busy.on = on;
	for (unsigned i = 0; i < handeds; i++) {
		if (handed[i].tcp)
			continue;
		if (on)
			proc_unwatch(handed[i].fd);
		else
			proc_watch(handed[i].fd, EPOLLIN, on_fd, NULL);
	}
	if (on)
		hf_timer_start(proc_wheel(), &busy.poll,
		    hf_time_after(room.now, hf_ms(BUSY_TICK_MS)));
}

static void
busy_weigh(void)
{
	uint64_t n = room.tp.count.in - busy.seen;
	bool over = hf_time_since(busy.begin, room.now).us >=
		    (int64_t)BUSY_WINDOW_MS * 1000;

	if (!busy.on && n > BUSY_FROM && !over)
		busy_set(true);
	else if (busy.on && over && n < BUSY_UNTIL)
		busy_set(false);
	if (over) {
		busy.begin = room.now;
		busy.seen = room.tp.count.in;
	}
}

void
hear_all(void)
{
	for (unsigned i = 0; i < handeds; i++)
		if (!handed[i].tcp)
			sip_transport_ready(
			    &room.tp, handed[i].fd, EPOLLIN, room.now);
}

static void
on_poll(struct hf_timer *t, struct hf_time now)
{
	room.now = now;
	busy.due = true;
	hear_all();
	busy_weigh();
	/* Nobody rests while there is more than a turn takes. */
	if (busy.on)
		hf_timer_start(proc_wheel(), t,
		    hf_time_after(now, hf_ms(sip_transport_has_more(&room.tp)
						 ? 0
						 : BUSY_TICK_MS)));
}

static void
on_fd(int fd, uint32_t events, void *arg)
{
	(void)arg;
	room.now = proc_now();
	sip_transport_ready(&room.tp, fd, events, room.now);
	busy_weigh();
}

static void
on_watch(void *arg, int fd, uint32_t events)
{
	(void)arg;
	if (events == 0)
		proc_unwatch(fd);
	else
		proc_watch(fd, events, on_fd, NULL);
}

static const struct sip_wire_hooks wire_hooks = {
	.received = on_received,
	.refused = on_bytes_refused,
	.lost = on_lost,
	.silent = on_silent,
	.watch = on_watch,
};

static bool
on_send(void *arg, struct sip_flow *to, struct hf_slice bytes)
{
	(void)arg;
	trace_out(to, bytes);
	return sip_transport_send(&room.tp, to, bytes, room.now);
}

static struct hf_addr
on_here(void *arg, const struct sip_flow *flow)
{
	(void)arg;
	return sip_transport_here(&room.tp, flow, room.now);
}

static void
on_outside(void *arg, struct hf_ref t, const struct sip_msg *m,
    const struct sip_flow *from)
{
	(void)arg;
	if (m->method == SIP_REGISTER)
		gate_register(t, m, from);
	else
		leg_arrive(t, m, from);
}

static const struct sip_session_hooks session_hooks = {
	.send = on_send,
	.here = on_here,
	.admit = gate_admit,
	.stateless = gate_stateless,
	.credentials = gate_credentials,
	.turned_away = turned_away,
	.outside = on_outside,
	.outcome = probe_outcome,
	.rang = on_rang,
	.answered = on_answered,
	.refused = on_refused,
	.confirmed = on_confirmed,
	.reoffered = on_reoffered,
	.reanswered = on_reanswered,
	.retry = on_retry,
	.info = on_info,
	.referred = on_referred,
	.left = on_left,
};

/* ---- the skeleton's handlers --------------------------------------------- */

static void
take_socket(const struct msg_socket *m, const int *fd)
{
	bool tcp = strcmp(m->what, "sip-tcp") == 0;

	for (unsigned i = 0; i < m->count; i++) {
		if ((!tcp && strcmp(m->what, "sip-udp") != 0) ||
		    handeds == SOCKETS_MAX) {
			close(fd[i]);
			continue;
		}
		handed[handeds].fd = fd[i];
		handed[handeds++].tcp = tcp;
	}
}

static void
on_tick(struct hf_timer *t, struct hf_time now)
{
	room.now = now;
	sip_transport_tidy(&room.tp, now);
	gate_tidy();
	kept_alive();
	hf_timer_start(proc_wheel(), t, hf_time_after(now, hf_ms(TICK_MS)));
}

/* Memory is made at boot: without it there is no room to be. */
static void
need(bool there, const char *what)
{
	if (there)
		return;
	hf_log(LOG_ERROR, "start_failed", "why=\"no memory for %s\"", what);
	exit(EXIT_FAILURE);
}

static void
make_tables(const struct conf_sip *c)
{
	uint32_t dialogs = emergency_dialogs(room.conf);
	const struct sip_sessions_conf sc = {
		.sessions = dialogs,
		.transactions = c->transactions,
		.timers = { c->t1, c->t2, c->t4 },
		.user_agent = c->user_agent,
	};
	const struct sip_hashes *hashes = gate_hashes();
	struct hf_hash_key key = { { hf_rand_u64(proc_rand()),
	    hf_rand_u64(proc_rand()) } };
	struct sip_nonce_use *nonces = calloc(NONCES, sizeof(*nonces));
	struct sip_binding(*people)[SIP_BINDINGS_MAX] =
	    calloc(CONF_AGENTS_MAX, sizeof(*people));
	uint32_t ring = c->trace_bytes < 4096 ? 4096 : c->trace_bytes;
	void *trace = hf_table(1, ring);

	room.sessions = hf_table(dialogs, sizeof(*room.sessions));
	need(room.sessions != NULL && nonces != NULL && people != NULL &&
		 trace != NULL,
	    "the tables");
	need(legs_open(dialogs), "legs");
	need(ended_open(), "ended legs");
	need(sip_transport_init(&room.tp, c->tcp_connections, c->tcp_idle,
		 &c->advertise, proc_rand(), &wire_hooks, NULL),
	    "sockets");
	room.tp.local = c->local;
	room.tp.locals = c->locals;
	room.tp.stream.partial = c->tcp_partial;
	room.tp.stream.per_host = c->tcp_per_address;
	need(sip_sessions_init(&room.ss, room.sessions, &sc, proc_wheel(),
		 proc_rand(), &session_hooks, NULL, room.now),
	    "dialogs");
	room.ss.retry_after_s = conf_retry_after(room.conf);
	sip_digest_init(&room.digest, hashes, &key, gate_realm(), c->nonce_life,
	    nonces, NONCES);
	sip_guess_init(&room.guess, &key, c->guesses, c->guess_pause);
	limits_start(room.conf, &key);
	sip_registrar_init(&room.registrar, people, CONF_AGENTS_MAX,
	    c->expires_min, c->expires_max);
	hf_table_warm(trace, 1, ring);
	sip_trace_init(&room.trace, trace, ring);
}

/* Woken is enough: the turn's end looks. */
static void
goodbyes_late(struct hf_timer *t, struct hf_time now)
{
	(void)t;
	room.now = now;
	closing.late = true;
}

static void
start(const struct conf *c, uint32_t boot, uint16_t worker)
{
	(void)worker;
	room.conf = c;
	room.boot = boot;
	room.fresh = true;
	room.now = room.born = proc_now();
	make_tables(&c->sip);
	for (unsigned i = 0; i < handeds; i++) {
		bool good = handed[i].tcp
				? sip_transport_tcp(&room.tp, handed[i].fd)
				: sip_transport_udp(&room.tp, handed[i].fd);

		if (!good)
			hf_log(LOG_ERROR, "socket_refused", "fd=%d tcp=%d",
			    handed[i].fd, handed[i].tcp);
	}
	names_start();
	trunks_start();
	emergency_start();
	kept_open();
	busy.begin = room.now;
	hf_timer_init(&busy.poll, on_poll);
	hf_timer_init(&closing.timer, goodbyes_late);
	hf_timer_init(&room.tick, on_tick);
	hf_timer_start(
	    proc_wheel(), &room.tick, hf_time_after(room.now, hf_ms(TICK_MS)));
	hf_log(LOG_INFO, "sip_started", "sockets=%u dialogs=%u", handeds,
	    c->sip.dialogs);
}

static void
reconf(const struct conf *c)
{
	const struct conf *old = room.conf;

	room.now = proc_now();
	room.conf = c;
	gate_reconf(old, c);
	room.ss.retry_after_s = conf_retry_after(c);
	room.tp.advertise = c->sip.advertise;
	room.tp.local = c->sip.local;
	room.tp.locals = c->sip.locals;
	limits_conf(c);
	room.guess.wrong = c->sip.guesses;
	room.guess.pause = c->sip.guess_pause;
	room.registrar.expires_min = c->sip.expires_min;
	room.registrar.expires_max = c->sip.expires_max;
	/* Its nonces were made with the old one: phones are asked once more. */
	memset(room.digest.realm, 0, sizeof(room.digest.realm));
	(void)snprintf(
	    room.digest.realm, sizeof(room.digest.realm), "%s", gate_realm());
	names_reconf();
	trunks_reconf();
	emergency_start();
}

static void
secrets(const struct conf_secrets *s)
{
	const struct conf_secrets *old = room.secrets;

	room.secrets = s;
	if (old == NULL || room.conf == NULL)
		return;
	room.now = proc_now();
	gate_secrets(old, s);
}

static void
met(enum peer from)
{
	struct msg m;

	FACT(m, MSG_SIP_STARTED, sip_started);
	if (from != PEER_CALL)
		return;
	room.now = proc_now();
	m.sip_started.dialogs = room.legs.used;
	m.sip_started.fresh = room.fresh;
	proc_send(PEER_CALL, &m);
	gate_picture();
	legs_picture();
	turned_picture();
	emergency_met();
	room.fresh = false;
}

static void
left(enum peer from)
{
	/* What hf-call ordered before it left has been read. */
	if (from != PEER_CALL || !closing.on)
		return;
	hf_timer_start(proc_wheel(), &closing.timer,
	    hf_time_after(proc_now(), hf_ms(GOODBYES_MS)));
}

/* The house closes: we go when every goodbye is answered, or has been said
 * twice.  The next process says those again that were not answered. */
static void
leave_if_done(void)
{
	if (closing.on && !proc_there(PEER_CALL) &&
	    (closing.late || room.ss.pool.used == 0))
		proc_leave();
}

static void
message(enum peer from, const struct msg *m, int fd)
{
	if (fd >= 0)
		close(fd);
	room.now = proc_now();
	if (from == PEER_CALL && m->type == MSG_NOTE_EMERGENCY)
		emergency_noted(m->note_emergency.leg);
	else if (from == PEER_CALL)
		leg_order(m);
	else if (from >= PEER_MEDIA && from < PEER_MEDIA + PROC_MEDIA_MAX)
		emergency_media(m);
	else if (from == PEER_KEEPER && m->type == MSG_DRAIN) {
		emergency_drain(m->drain.on);
		closing.on = m->drain.on && m->drain.die && m->drain.now;
		if (closing.on)
			emergency_let_go();
	}
	if (closing.on && !proc_there(PEER_CALL) &&
	    !hf_timer_running(&closing.timer))
		left(PEER_CALL);
}

static void
ask(const struct msg_ask *m)
{
	room.now = proc_now();
	ask_answer(m);
}

static void
turn_end(struct hf_time now)
{
	room.now = now;
	if (!busy.on || busy.due) {
		kept_commit();
		sip_transport_flush(&room.tp);
		kept_flushed();
		leave_if_done();
	}
	busy.due = false;
}

int
main(int argc, char **argv)
{
	static const struct proc_room me = {
		.name = "hf-sip",
		.socket = take_socket,
		.start = start,
		.reconf = reconf,
		.secrets = secrets,
		.met = met,
		.left = left,
		.message = message,
		.ask = ask,
		.turn_end = turn_end,
		.forms = kept_forms,
		.forms_nr = KEPT_FORMS,
	};

	return proc_main(argc, argv, &me);
}
