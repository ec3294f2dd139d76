/*
 * tests/lib/sip_desk - a tiny house around one hf-sip: plays the keeper and
 * hf-call, so that hf-sip can be tried and measured alone.
 *
 *      sip_desk HF_SIP CONF_FILE
 *
 * Each call that arrives is passed to the first helper of the configuration;
 * what the helper answers goes to the caller, and who hangs up ends both.
 * Listens where the configuration says.  On SIGTERM it says what it saw and
 * ends, hf-sip with it.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/load/load.h"
#include "proc/chan.h"
#include "proc/loop.h"
#include "proc/snapshot.h"

enum {
	KEEPER_FD = 3,
	PORT = 20000,
	WAITING = 8,
};
#define HELPER_LEG (1ULL << 63)

static struct chan keeper, call;
static char queue[2][CHAN_QUEUE_BYTES];
static struct chan_fds waiting[2][WAITING];
static pid_t child;
static struct conf conf;
static struct conf_secrets secrets;
static struct {
	unsigned long arrived, rang, answered, confirmed, refused, left;
	unsigned long reoffered, info, referred, came, went;
} seen;

static void
die(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- hf-call ------------------------------------------------------------- */

static uint64_t
other(uint64_t leg)
{
	return leg ^ HELPER_LEG;
}

static void
drop(uint64_t leg)
{
	struct msg o = { .type = MSG_DROP_LEG };

	o.drop_leg.leg = leg;
	chan_send(&call, &o);
}

static void
arrived(const struct msg_leg_arrived *f)
{
	struct msg o = { .type = MSG_RING_LEG };
	struct msg_ring_leg *r = &o.ring_leg;

	r->leg = other(f->leg);
	r->kind = TO_HELPER;
	r->row = 0;
	memcpy(r->number, f->number, sizeof(r->number));
	memcpy(r->from, f->from, sizeof(r->from));
	memcpy(r->display, f->display, sizeof(r->display));
	r->hops = (uint8_t)(f->hops - 1);
	r->port = PORT + 2;
	r->give_up.us = 20 * 1000000LL;
	chan_send(&call, &o);
}

static void
on_fact(
    struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	struct msg o = { .type = MSG_ANSWER_LEG };

	(void)c;
	(void)fd;
	(void)n;
	(void)arg;
	switch (m->type) {
	case MSG_LEG_ARRIVED:
		seen.arrived++;
		arrived(&m->leg_arrived);
		break;
	case MSG_LEG_RANG:
		seen.rang++;
		o.type = MSG_PROGRESS_LEG;
		o.progress_leg.leg = other(m->leg_rang.leg);
		o.progress_leg.code = 180;
		chan_send(&call, &o);
		break;
	case MSG_LEG_ANSWERED:
		seen.answered++;
		o.answer_leg.leg = other(m->leg_answered.leg);
		o.answer_leg.port = PORT;
		chan_send(&call, &o);
		break;
	case MSG_LEG_CONFIRMED:
		seen.confirmed++;
		break;
	case MSG_LEG_REFUSED:
		seen.refused++;
		o.type = MSG_REFUSE_LEG;
		o.refuse_leg.leg = other(m->leg_refused.leg);
		o.refuse_leg.code =
		    m->leg_refused.code >= 300 ? m->leg_refused.code : 480;
		chan_send(&call, &o);
		break;
	case MSG_LEG_LEFT:
		seen.left++;
		drop(other(m->leg_left.leg));
		break;
	case MSG_LEG_REOFFERED:
		seen.reoffered++;
		break;
	case MSG_LEG_INFO:
		seen.info++;
		o.type = MSG_PASS_INFO;
		o.pass_info.leg = other(m->leg_info.leg);
		memcpy(o.pass_info.type, m->leg_info.type,
		    sizeof(o.pass_info.type));
		memcpy(&o.pass_info.body, &m->leg_info.body,
		    sizeof(o.pass_info.body));
		chan_send(&call, &o);
		break;
	case MSG_LEG_REFERRED:
		seen.referred++;
		break;
	case MSG_AGENT_CAME:
		seen.came++;
		break;
	case MSG_AGENT_WENT:
		seen.went++;
		break;
	default:
		break;
	}
}

/* ---- the keeper ---------------------------------------------------------- */

static void
ignore(
    struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	(void)c;
	(void)arg;
	if (m->type == MSG_READY)
		fprintf(stderr, "desk: hf-sip is ready\n");
	for (uint16_t i = 0; i < n; i++)
		close(fd[i]);
}

static void
on_ready(int fd, uint32_t events, void *arg)
{
	struct chan *c = arg;

	(void)fd;
	(void)events;
	if (!chan_read(c, c == &call ? on_fact : ignore, NULL)) {
		fprintf(stderr, "desk: hf-sip is gone\n");
		exit(1);
	}
}

static void
on_signal(int fd, uint32_t events, void *arg)
{
	(void)fd;
	(void)events;
	(void)arg;
	printf("arrived=%lu rang=%lu answered=%lu confirmed=%lu refused=%lu "
	       "left=%lu reoffered=%lu info=%lu referred=%lu came=%lu "
	       "went=%lu\n",
	    seen.arrived, seen.rang, seen.answered, seen.confirmed,
	    seen.refused, seen.left, seen.reoffered, seen.info, seen.referred,
	    seen.came, seen.went);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	exit(0);
}

static void
hand_over(enum msg_type type, const void *value, size_t size)
{
	struct msg m = { .type = type };
	int fd = snapshot_make("desk", value, size);

	if (fd < 0)
		die("snapshot");
	m.config.generation = 1;
	chan_send_fds(&keeper, &m, &fd, 1, false);
}

static void
listen_at(const struct conf_listen *l)
{
	bool tcp = l->transport == CONF_TCP;
	int family = l->addr.family == 6 ? AF_INET6 : AF_INET, one = 1;
	struct sockaddr_storage ss;
	socklen_t n = hf_addr_to_sockaddr(&l->addr, family, &ss);
	struct msg m = { .type = MSG_SOCKET };
	int fd =
	    socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&ss, n) < 0 ||
	    (tcp && listen(fd, 128) < 0))
		die("listen");
	strcpy(m.socket.what, tcp ? "sip-tcp" : "sip-udp");
	m.socket.count = 1;
	m.socket.at = l->addr;
	chan_send_fds(&keeper, &m, &fd, 1, false);
}

static void
start(const char *hf_sip)
{
	int k[2], c[2];
	struct msg m = { .type = MSG_NEIGHBOUR };

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, k) < 0 ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, c) < 0)
		die("socketpair");
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		if (k[1] == KEEPER_FD)
			fcntl(KEEPER_FD, F_SETFD, 0);
		else
			dup2(k[1], KEEPER_FD);
		execl(hf_sip, "hf-sip", (char *)NULL);
		die(hf_sip);
	}
	close(k[1]);
	chan_init(
	    &keeper, ROOM_KEEPER, ROOM_SIP, queue[0], waiting[0], WAITING);
	chan_init(&call, ROOM_CALL, ROOM_SIP, queue[1], waiting[1], WAITING);
	chan_open(&keeper, k[0], 1);
	chan_open(&call, c[0], 1);
	hand_over(MSG_CONFIG, &conf, sizeof(conf));
	hand_over(MSG_SECRETS, &secrets, sizeof(secrets));
	for (uint16_t i = 0; i < conf.sip.listens; i++)
		listen_at(&conf.sip.listen[i]);
	strcpy(m.neighbour.name, "hf-call");
	chan_send_fds(&keeper, &m, &c[1], 1, false);
	m = (struct msg){ .type = MSG_START };
	m.start.boot = 1;
	chan_send(&keeper, &m);
	chan_flush(&keeper);
	loop_watch(k[0], EPOLLIN, on_ready, &keeper);
	loop_watch(c[0], EPOLLIN, on_ready, &call);
	fprintf(stderr, "desk: hf-sip pid %d\n", (int)child);
}

int
main(int argc, char **argv)
{
	static struct conf_report report;
	sigset_t set;

	if (argc != 3) {
		fprintf(stderr, "usage: sip_desk HF_SIP CONF_FILE\n");
		return 2;
	}
	if (!conf_load(argv[2], NULL, &conf, &secrets, &report)) {
		conf_report_print(&report, 2);
		return 1;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	loop_open();
	start(argv[1]);
	sigprocmask(SIG_BLOCK, &set, NULL);
	loop_watch(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK), EPOLLIN,
	    on_signal, NULL);
	for (;;) {
		loop_turn();
		chan_flush(&keeper);
		chan_flush(&call);
	}
}
