/* tests/room/keeper - see keeper.h */

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "conf/load/load.h"
#include "proc/chan.h"
#include "proc/snapshot.h"
#include "tests/room/keeper.h"
#include "wire/row.h"

enum { KEPT = 2048, CHILD_FD = 3 };

struct line {
	struct chan chan;
	char queue[CHAN_QUEUE_BYTES];
	struct chan_fds fds[4];
	bool joined;
	/* What was said and not yet looked at. */
	struct msg *kept[KEPT];
	int kept_fd[KEPT];
	unsigned first, n;
};

static void (*prepare)(void);
static struct line lines[ROOM_NR];
static char dir[64];
static enum room child_room;
static pid_t child;
static uint32_t boot;
static bool gone;

static void
on_message(
    struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	struct line *l = arg;

	(void)c;
	if (l->n == KEPT) { /* nobody asked: forget the oldest */
		free(l->kept[l->first]);
		if (l->kept_fd[l->first] >= 0)
			close(l->kept_fd[l->first]);
		l->first = (l->first + 1) % KEPT;
		l->n--;
	}
	unsigned at = (l->first + l->n) % KEPT;
	l->kept[at] = malloc(sizeof(*m));
	assert_non_null(l->kept[at]);
	memcpy(l->kept[at], m, sizeof(*m));
	l->kept_fd[at] = n > 0 ? fd[0] : -1;
	l->n++;
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
forget(struct line *l)
{
	for (; l->n > 0; l->n--, l->first = (l->first + 1) % KEPT) {
		free(l->kept[l->first]);
		if (l->kept_fd[l->first] >= 0)
			close(l->kept_fd[l->first]);
	}
}

/* ---- what is the test's own ---------------------------------------------- */

const char *
room_program(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: %s PROGRAM\n", argv[0]);
		exit(2);
	}
	cmocka_set_test_filter(getenv("HF_TEST"));
	return argv[1];
}

const char *
room_dir(struct conf *c)
{
	strcpy(dir, "/tmp/hf-room-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(c->keeper.run_dir, sizeof(c->keeper.run_dir), "%s", dir);
	c->keeper.rails = true;
	return dir;
}

void
room_over(void)
{
	char rm[128];

	room_kill();
	snprintf(rm, sizeof(rm), "rm -rf %s", dir);
	assert_int_equal(system(rm), 0);
}

const char *
room_ip(unsigned n)
{
	static char ip[8][32];
	static unsigned turn;
	char *to = ip[turn++ % HF_LEN(ip)];

	snprintf(to, sizeof(ip[0]), "127.%d.%d.%u", 20 + getpid() % 200,
	    getpid() / 200 % 250, n);
	return to;
}

int
room_bind(int type, const char *ip, struct hf_addr *at)
{
	struct timeval wait = { .tv_sec = NOT_LONG / 1000 };
	struct sockaddr_storage ss;
	uint16_t port = at->port;
	socklen_t n;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	assert_true(hf_addr_parse_ip(hf_slice_of(ip), at));
	at->port = port;
	n = hf_addr_to_sockaddr(at, AF_INET, &ss);
	assert_int_equal(bind(fd, (struct sockaddr *)&ss, n), 0);
	assert_int_equal(
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 16), 0);
	n = sizeof(ss);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&ss, &n), 0);
	assert_true(hf_addr_from_sockaddr((struct sockaddr *)&ss, at));
	return fd;
}

/* ---- life ---------------------------------------------------------------- */

static void
become(const char *path, int fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd == CHILD_FD)
		fcntl(fd, F_SETFD, 0);
	else
		dup2(fd, CHILD_FD);
	execl(path, path, (char *)NULL);
	_exit(127);
}

static void
hand_over(enum room neighbour)
{
	struct line *l = &lines[neighbour];
	struct msg m = { .type = MSG_NEIGHBOUR };
	int pair[2];

	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	chan_init(
	    &l->chan, neighbour, child_room, l->queue, l->fds, HF_LEN(l->fds));
	chan_open(&l->chan, pair[0], boot);
	snprintf(m.neighbour.name, sizeof(m.neighbour.name), "hf-%s",
	    room_name(neighbour));
	room_tell_fd(ROOM_KEEPER, &m, pair[1]);
}

void
room_join(enum room neighbour)
{
	lines[neighbour].joined = true;
}

void
room_prepare(void (*fn)(void))
{
	prepare = fn;
}

void
room_configure(struct conf *c, const char *yaml)
{
	static struct conf_report report;

	if (!conf_load_memory(
		yaml, strlen(yaml), "room.yaml", NULL, c, NULL, &report)) {
		conf_report_print(&report, STDERR_FILENO);
		hf_never("the test's configuration");
	}
}

void
room_start(const char *path, enum room room, const struct conf *c)
{
	struct line *k = &lines[ROOM_KEEPER];
	struct msg m = { .type = MSG_CONFIG };
	int pair[2];

	boot++;
	child_room = room;
	gone = false;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		become(path, pair[1]);
	close(pair[1]);
	chan_init(
	    &k->chan, ROOM_KEEPER, room, k->queue, k->fds, HF_LEN(k->fds));
	chan_open(&k->chan, pair[0], boot);
	room_tell_fd(ROOM_KEEPER, &m, snapshot_make("conf", c, sizeof(*c)));
	for (int r = 0; r < ROOM_NR; r++)
		if (lines[r].joined)
			hand_over((enum room)r);
	if (prepare != NULL)
		prepare();
	m = (struct msg){ .type = MSG_START, .start = { .boot = boot } };
	room_tell(ROOM_KEEPER, &m);
	assert_true(room_hears(ROOM_KEEPER, MSG_READY, &m, NULL, NOT_LONG));
	assert_int_equal(m.ready.pid, child);
}

static void
hang_up(bool keeper_too)
{
	for (int r = 0; r < ROOM_NR; r++) {
		if (r == ROOM_KEEPER && !keeper_too)
			continue;
		if (lines[r].chan.fds != NULL)
			chan_close(&lines[r].chan);
		forget(&lines[r]);
	}
}

void
room_leaves(enum room neighbour)
{
	chan_close(&lines[neighbour].chan);
}

void
room_returns(enum room neighbour)
{
	hand_over(neighbour);
}

void
room_kill(void)
{
	if (child == 0)
		return;
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	child = 0;
	hang_up(true);
}

void
room_end(void)
{
	hang_up(false);
	for (int i = 0; child != 0 && i < NOT_LONG; i++) {
		if (waitpid(child, NULL, WNOHANG) == child)
			child = 0;
		else
			usleep(1000);
	}
	assert_int_equal(child, 0);
	hang_up(true);
}

bool
room_lives(void)
{
	return child != 0 && !gone && waitpid(child, NULL, WNOHANG) == 0;
}

pid_t
room_pid(void)
{
	return child;
}

/* ---- talking ------------------------------------------------------------- */

void
room_tell(enum room as, const struct msg *m)
{
	chan_send(&lines[as].chan, m);
	chan_flush(&lines[as].chan);
}

void
room_tell_again(
    enum room as, const struct msg *m, uint32_t of_boot, uint32_t seq)
{
	lines[as].chan.boot = of_boot;
	lines[as].chan.seq = seq - 1;
	room_tell(as, m);
}

void
room_tell_fd(enum room as, const struct msg *m, int fd)
{
	chan_send_fds(&lines[as].chan, m, &fd, 1, false);
	chan_flush(&lines[as].chan);
}

static bool
look(struct line *l, enum msg_type type, struct msg *out, int *fd)
{
	while (l->n > 0) {
		unsigned at = l->first;
		bool hit = l->kept[at]->type == type;
		int with = l->kept_fd[at];

		if (hit)
			memcpy(out, l->kept[at], sizeof(*out));
		free(l->kept[at]);
		l->first = (l->first + 1) % KEPT;
		l->n--;
		if (hit && fd != NULL)
			*fd = with;
		else if (with >= 0)
			close(with);
		if (hit)
			return true;
	}
	return false;
}

/* One step of everyone's conversation. */
static void
listen_all(int ms)
{
	struct pollfd p[ROOM_NR];
	struct line *who[ROOM_NR];
	nfds_t n = 0;

	for (int r = 0; r < ROOM_NR; r++) {
		struct line *l = &lines[r];
		if (l->chan.fds == NULL || l->chan.fd < 0)
			continue;
		who[n] = l;
		p[n++] = (struct pollfd){ .fd = l->chan.fd,
			.events =
			    (short)(POLLIN | (l->chan.blocked ? POLLOUT : 0)) };
	}
	if (n == 0 || poll(p, n, ms) <= 0)
		return;
	for (nfds_t i = 0; i < n; i++) {
		if ((p[i].revents & POLLOUT) != 0)
			chan_flush(&who[i]->chan);
		if ((p[i].revents & (POLLIN | POLLHUP)) != 0 &&
		    !chan_read(&who[i]->chan, on_message, who[i])) {
			gone |= who[i] == &lines[ROOM_KEEPER];
			chan_close(&who[i]->chan);
		}
	}
}

bool
room_hears(enum room as, enum msg_type type, struct msg *out, int *fd, int ms)
{
	int64_t until = now_ms() + ms;

	for (;;) {
		int64_t left = until - now_ms();
		if (look(&lines[as], type, out, fd))
			return true;
		if (gone || left < 0)
			return false;
		listen_all((int)left);
	}
}

/* ---- asking -------------------------------------------------------------- */

static char answer[512 * 1024];
static unsigned rows;

static void
add_row(struct hf_slice row)
{
	struct row_value v;
	size_t n = strlen(answer);

	rows++;
	while (row_next(&row, &v))
		n += (size_t)snprintf(answer + n, sizeof(answer) - n,
		    "%.*s=%.*s|", (int)v.name.n, v.name.p, (int)v.value.n,
		    v.value.p);
	assert_int_equal(row.n, 0);
	assert_true(n + 2 < sizeof(answer));
	strcpy(answer + n, "\n");
}

const char *
room_ask(const char *verb, const char *args, size_t n)
{
	static uint32_t id;
	static struct msg m;

	memset(&m, 0, sizeof(m));
	m.type = MSG_ASK;
	m.ask.id = ++id;
	m.ask.deadline = HF_TIME_NEVER;
	snprintf(m.ask.verb, sizeof(m.ask.verb), "%s", verb);
	memcpy(m.ask.args.p, args, n);
	m.ask.args.n = (uint16_t)n;
	room_tell(ROOM_KEEPER, &m);
	answer[0] = '\0';
	rows = 0;
	do {
		if (!room_hears(ROOM_KEEPER, MSG_REPLY, &m, NULL, NOT_LONG))
			return "no answer";
		assert_int_equal(m.reply.id, id);
		if (m.reply.error[0] != '\0')
			return strcpy(answer, m.reply.error);
		if (m.reply.row.n > 0)
			add_row((struct hf_slice){
			    (const char *)m.reply.row.p, m.reply.row.n });
	} while (m.reply.more);
	return answer;
}

unsigned
room_rows(void)
{
	return rows;
}
