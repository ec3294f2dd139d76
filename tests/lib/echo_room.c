/*
 * tests/lib/echo_room - a room for testing the keeper and the skeleton: every
 * hf-* in one program, told apart by its name.  It says on the wire what was
 * handed to it.
 *
 *      hf-sip    answers a datagram at its SIP socket with its pid;
 *                "die" fails an assertion, "exec" starts a program,
 *                "fact" makes hf-call tell hf-store,
 *                "stall" stops it for a second
 *                at the end it is slow to read what hf-call orders last
 *      hf-call   at the end orders a lot
 *      hf-media  answers a datagram at an RTP or RTCP socket likewise;
 *                "connect" makes it hear only whom it comes from
 *      hf-store  keeps its count of different facts in a slot
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/log.h"
#include "proc/proc.h"
#include "proc/slots.h"
#include "wire/ask.h"
#include "wire/row.h"

enum {
	STALL_US = 1000000,
	SLOW_US = 100000,
	PARTING = 16000, /* orders */
	SMALL = 100000,  /* bytes: less than those */
	FDS = 64,
	KIND = 1,
	MUCH_ROWS = 1000,
	MUCH_BYTES = 4000,
};

static struct {
	const char *name;
	uint32_t generation, sockets, ends, orders;
	bool met[PEER_NR], draining, closing;
	struct slots slots;
	/* What hf-store keeps: the newest fact, and how many came. */
	struct ledger {
		uint32_t boot, seq, facts;
	} ledger;
} me;

static void
tell_a_fact(void)
{
	struct msg m = { .type = MSG_CALL_ENDED };

	m.call_ended.call.n = ++me.ends;
	m.call_ended.call.gen = 1;
	proc_send(PEER_STORE, &m);
}

static void
heard(int fd, uint32_t events, void *arg)
{
	struct msg m = { .type = MSG_LEG_RANG };
	struct sockaddr_storage from;
	socklen_t n = sizeof(from);
	char text[64];
	ssize_t len;

	(void)events;
	(void)arg;
	len = recvfrom(fd, text, sizeof(text) - 1, MSG_DONTWAIT,
	    (struct sockaddr *)&from, &n);
	if (len < 0)
		return;
	text[len] = '\0';
	if (strcmp(text, "die") == 0)
		hf_never("told to die");
	if (strcmp(text, "exec") == 0)
		(void)execl("/bin/true", "true", (char *)NULL);
	if (strcmp(text, "connect") == 0)
		(void)connect(fd, (struct sockaddr *)&from, n);
	if (strcmp(text, "stall") == 0)
		(void)usleep(STALL_US);
	if (strcmp(text, "fact") == 0)
		proc_send(PEER_CALL, &m);
	len = snprintf(text, sizeof(text), "%d", (int)getpid());
	(void)sendto(
	    fd, text, (size_t)len, MSG_DONTWAIT, (struct sockaddr *)&from, n);
}

static void
sockets(const struct msg_socket *m, const int *fd)
{
	for (uint16_t i = 0; i < m->count; i++) {
		if (strcmp(m->what, "sip-tcp") != 0)
			proc_watch(fd[i], EPOLLIN, heard, NULL);
		me.sockets++;
	}
}

static const struct slots_form form = {
	.name = "ledger",
	.kind = KIND,
	.version = 1,
	.record_size = sizeof(me.ledger),
};

static void
start(const struct conf *c, uint32_t boot, uint16_t worker)
{
	char path[CONF_PATH_MAX + 16];
	bool fresh;

	(void)boot;
	(void)worker;
	me.generation = c->generation;
	if (strcmp(me.name, "hf-store") != 0)
		return;
	(void)snprintf(path, sizeof(path), "%s/slots.store", c->keeper.run_dir);
	hf_assert(slots_open(&me.slots, path, &form, 1, &fresh) == 0);
	(void)slots_read(&me.slots, 0, &me.ledger);
}

static void
reconf(const struct conf *c)
{
	me.generation = c->generation;
}

static void
store_says(enum peer to)
{
	struct msg m = { .type = MSG_STORED,
		.stored = { me.ledger.boot, me.ledger.seq } };

	proc_send(to, &m);
}

static void
met(enum peer from)
{
	me.met[from] = true;
	if (strcmp(me.name, "hf-store") == 0 && from == PEER_CALL)
		store_says(from);
}

static void
left(enum peer from)
{
	me.met[from] = false;
	if (from == PEER_CALL && me.orders > 0)
		hf_log(LOG_INFO, "orders_read", "all=%d n=%u",
		    me.orders == PARTING, me.orders);
	if (from == PEER_CALL && me.closing)
		proc_leave();
}

static void
leave(void)
{
	struct msg m = { .type = MSG_DROP_LEG,
		.drop_leg.reason = "the house closes, goodbye" };
	int small = SMALL;

	me.closing = true;
	if (strcmp(me.name, "hf-call") == 0) {
		/* Wherever the channel is: the kernel shall not hold all. */
		for (int fd = 3; fd < FDS; fd++)
			(void)setsockopt(
			    fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
		for (int i = 0; i < PARTING; i++)
			proc_send(PEER_SIP, &m);
	}
	/* What hf-call orders is read to the end. */
	if (strcmp(me.name, "hf-sip") != 0 || !me.met[PEER_CALL])
		proc_leave();
}

static void
store_takes(const struct msg *m)
{
	if (m->boot < me.ledger.boot ||
	    (m->boot == me.ledger.boot && m->seq <= me.ledger.seq))
		return; /* known */
	me.ledger = (struct ledger){ m->boot, m->seq, me.ledger.facts + 1 };
	slots_commit(&me.slots, 0, &me.ledger);
}

static void
message(enum peer from, const struct msg *m, int fd)
{
	struct msg drained = { .type = MSG_DRAINED };

	if (fd >= 0)
		(void)close(fd);
	switch ((unsigned)m->type) {
	case MSG_LEG_RANG:
	case MSG_OPERATOR_ACTED:
		tell_a_fact();
		break;
	case MSG_CALL_ENDED:
		store_takes(m);
		store_says(from);
		break;
	case MSG_DRAIN:
		me.draining = m->drain.on;
		if (m->drain.die && (strcmp(me.name, "hf-call") == 0 ||
					strcmp(me.name, "hf-sip") == 0))
			proc_send(PEER_KEEPER, &drained);
		if (m->drain.now)
			leave();
		break;
	case MSG_DROP_LEG:
		if (me.orders++ == 0)
			(void)usleep(SLOW_US);
		break;
	default:
		break;
	}
}

/* Far more than a channel holds. */
static bool
much(const struct msg_ask *q, uint64_t *at, struct hf_buf *row)
{
	static char text[MUCH_BYTES + 1];

	(void)q;
	if (*at == MUCH_ROWS)
		return false;
	memset(text, 'm', MUCH_BYTES);
	row_number(row, "row", (int64_t)(*at)++);
	row_text(row, "text", text);
	return true;
}

/* The same in one piece, as no room should. */
static void
flood(uint32_t id)
{
	char bytes[ROW_MAX];
	struct hf_buf b = hf_buf_on(bytes, sizeof(bytes));
	uint64_t at = 0;

	while (much(NULL, &at, &b)) {
		proc_reply(id, NULL, bytes, (uint16_t)b.n, true);
		b.n = 0;
	}
	proc_reply(id, NULL, NULL, 0, false);
}

static void
ask(const struct msg_ask *m)
{
	struct hf_slice args = { (const char *)m->args.p, m->args.n };
	size_t neighbours = 0;
	char bytes[512], word[64];
	struct hf_buf b = hf_buf_on(bytes, sizeof(bytes));

	(void)ask_word(args, 0, word, sizeof(word));
	if (strcmp(word, "silence") == 0)
		return;
	if (strcmp(word, "much") == 0) {
		proc_answer(m, much);
		return;
	}
	if (strcmp(word, "flood") == 0) {
		flood(m->id);
		return;
	}
	if (strcmp(word, "error") == 0) {
		proc_reply(m->id, "as you wish", NULL, 0, false);
		return;
	}
	for (int p = 0; p < PEER_NR; p++)
		neighbours += me.met[p];
	row_text(&b, "room", me.name);
	row_number(&b, "generation", me.generation);
	row_number(&b, "sockets", me.sockets);
	row_number(&b, "neighbours", (int64_t)neighbours);
	row_number(&b, "facts", me.ledger.facts);
	row_text(&b, "word", word);
	row_bool(&b, "draining", me.draining);
	proc_reply(m->id, NULL, bytes, (uint16_t)b.n, false);
}

int
main(int argc, char **argv)
{
	static struct proc_room room = {
		.socket = sockets,
		.start = start,
		.reconf = reconf,
		.met = met,
		.left = left,
		.message = message,
		.ask = ask,
	};
	const char *slash = strrchr(argv[0], '/');

	me.name = room.name = slash != NULL ? slash + 1 : argv[0];
	return proc_main(argc, argv, &room);
}
