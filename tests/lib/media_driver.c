/* tests/lib/media_driver - see media_driver.h */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "conf/load/load.h"
#include "proc/snapshot.h"
#include "tests/lib/media_driver.h"

enum {
	KEEPER_FD = 3,
	PORT_LOW = 30000,
	PORT_SPAN = 30000,
	TRIES = 50,
	READY_MS = 10000,
	BOOT = 7,
	GEN = 1,
};

static char queues[3][CHAN_QUEUE_BYTES];
static struct chan_fds waiting[3][8];

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- sockets ------------------------------------------------------------- */

static int
bind_any(uint16_t port, bool both)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	int no = 0;
	int fd =
	    socket(both ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	hf_assert(fd >= 0);
	if (both)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof(no));
	if (both ? bind(fd, (struct sockaddr *)&v6, sizeof(v6)) == 0
		 : bind(fd, (struct sockaddr *)&v4, sizeof(v4)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* All ports in a row, or none. */
static bool
bind_row(struct media_driver *d, uint16_t first, bool both)
{
	for (uint32_t i = 0; i < 2 * d->streams; i++) {
		d->rtp[i] = bind_any((uint16_t)(first + i), both);
		if (d->rtp[i] < 0) {
			while (i-- > 0)
				close(d->rtp[i]);
			return false;
		}
	}
	d->port_first = first;
	return true;
}

static void
bind_ports(struct media_driver *d, bool both)
{
	uint32_t span = PORT_SPAN - 2 * d->streams;

	srand((unsigned)(now_ms() ^ getpid()));
	d->rtp = calloc(2 * (size_t)d->streams, sizeof(*d->rtp));
	hf_assert(d->rtp != NULL);
	for (int i = 0; i < TRIES; i++)
		if (bind_row(d,
			(uint16_t)((PORT_LOW + (unsigned)rand() % span) & ~1u),
			both))
			return;
	hf_never("no free ports");
}

/* ---- the process --------------------------------------------------------- */

static void
pair(int fd[2])
{
	hf_assert(
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) == 0);
}

static void
send_fd(struct media_driver *d, const struct msg *m, int fd)
{
	chan_send_fds(&d->keeper, m, &fd, 1, false);
	chan_flush(&d->keeper);
}

static void
hand_over_sockets(struct media_driver *d)
{
	for (uint32_t i = 0; i < 2 * d->streams; i += CHAN_FDS_MAX) {
		struct msg m = { .type = MSG_SOCKET };
		uint32_t n = 2 * d->streams - i;

		n = n > CHAN_FDS_MAX ? CHAN_FDS_MAX : n;
		snprintf(m.socket.what, sizeof(m.socket.what), "rtp");
		m.socket.first = i / 2;
		m.socket.count = (uint16_t)n;
		chan_send_fds(&d->keeper, &m, d->rtp + i, (uint16_t)n, true);
		chan_flush(&d->keeper);
		while (d->keeper.blocked || d->keeper.head != d->keeper.tail) {
			usleep(1000);
			d->keeper.blocked = false;
			chan_flush(&d->keeper);
		}
	}
}

static void
neighbour(struct media_driver *d, struct chan *c, const char *name)
{
	struct msg m = { .type = MSG_NEIGHBOUR };
	int fd[2];

	pair(fd);
	snprintf(m.neighbour.name, sizeof(m.neighbour.name), "%s", name);
	send_fd(d, &m, fd[1]);
	chan_open(c, fd[0], BOOT);
}

static void
launch(struct media_driver *d, const char *program)
{
	struct msg m = { .type = MSG_CONFIG };
	int fd[2], conf;

	pair(fd);
	d->pid = fork();
	hf_assert(d->pid >= 0);
	if (d->pid == 0) {
		/* The channel is number 3 and nothing else is inherited. */
		hf_assert(dup2(fd[1], KEEPER_FD) == KEEPER_FD);
		fcntl(KEEPER_FD, F_SETFD, 0);
		execl(program, program, (char *)NULL);
		fprintf(stderr, "%s: %s\n", program, strerror(errno));
		_exit(127);
	}
	close(fd[1]);
	chan_open(&d->keeper, fd[0], BOOT);
	conf = snapshot_make("conf", &d->conf, sizeof(d->conf));
	hf_assert(conf >= 0);
	send_fd(d, &m, conf);
	hand_over_sockets(d);
	neighbour(d, &d->call, "hf-call");
	neighbour(d, &d->rec, "hf-rec");
	m = (struct msg){ .type = MSG_START };
	m.start.boot = BOOT;
	chan_send(&d->keeper, &m);
	chan_flush(&d->keeper);
	if (!media_driver_wait(d, MSG_READY, READY_MS))
		hf_never("hf-media did not start");
}

void
media_driver_start(struct media_driver *d, const char *program,
    const char *yaml, uint32_t streams, bool both)
{
	static struct conf_report report;
	char text[4096];

	memset(d, 0, sizeof(*d));
	d->streams = streams;
	/* A file system in memory, as the keeper's is: a disk would hold up
	 * whoever writes to a mapping. */
	snprintf(d->run_dir, sizeof(d->run_dir), "%s/hf-media-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	hf_assert(mkdtemp(d->run_dir) != NULL);
	snprintf(text, sizeof(text), "site: test\n%s", yaml);
	if (!conf_load_memory(text, strlen(text), "test.yaml", NULL, &d->conf,
		NULL, &report)) {
		conf_report_print(&report, STDERR_FILENO);
		hf_never("the test's configuration");
	}
	snprintf(d->conf.keeper.run_dir, sizeof(d->conf.keeper.run_dir), "%s",
	    d->run_dir);
	bind_ports(d, both);
	chan_init(
	    &d->keeper, ROOM_KEEPER, ROOM_MEDIA, queues[0], waiting[0], 8);
	chan_init(&d->call, ROOM_CALL, ROOM_MEDIA, queues[1], waiting[1], 8);
	chan_init(&d->rec, ROOM_REC, ROOM_MEDIA, queues[2], waiting[2], 8);
	launch(d, program);
}

static void
end(struct media_driver *d)
{
	kill(d->pid, SIGKILL);
	waitpid(d->pid, NULL, 0);
	chan_close(&d->keeper);
	chan_close(&d->call);
	chan_close(&d->rec);
}

void
media_driver_restart(struct media_driver *d, const char *program)
{
	end(d);
	launch(d, program);
}

void
media_driver_stop(struct media_driver *d)
{
	char command[128];

	end(d);
	for (uint32_t i = 0; i < 2 * d->streams; i++)
		close(d->rtp[i]);
	free(d->rtp);
	snprintf(command, sizeof(command), "rm -rf '%s'", d->run_dir);
	if (system(command) != 0)
		fprintf(stderr, "%s remains\n", d->run_dir);
}

/* ---- talking to it ------------------------------------------------------- */

void
media_driver_order(struct media_driver *d, const struct msg *m)
{
	chan_send(&d->call, m);
	if (d->call.tail - d->call.head > CHAN_QUEUE_BYTES / 2)
		media_driver_flush(d);
}

void
media_driver_flush(struct media_driver *d)
{
	while (d->call.head != d->call.tail) {
		d->call.blocked = false;
		chan_flush(&d->call);
		hf_assert(!d->call.cut);
		if (d->call.head != d->call.tail)
			usleep(500);
	}
}

struct waiting_for {
	struct media_driver *d;
	enum msg_type type;
	bool came;
};

static void
heard(struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	struct waiting_for *w = arg;

	(void)c;
	for (uint16_t i = 0; i < n; i++)
		close(fd[i]);
	if (w->d->fact != NULL)
		w->d->fact(m, w->d->arg);
	if (m->type == w->type && !w->came) {
		w->came = true;
		w->d->last = *m;
	}
}

static void
pump(struct media_driver *d, struct waiting_for *w, int64_t until)
{
	struct chan *c[] = { &d->keeper, &d->call, &d->rec };

	media_driver_flush(d);
	while (!w->came) {
		struct pollfd p[3];
		int64_t left = until - now_ms();

		for (int i = 0; i < 3; i++)
			p[i] = (struct pollfd){ c[i]->fd, POLLIN, 0 };
		if (left <= 0 || poll(p, 3, (int)left) <= 0)
			return;
		for (int i = 0; i < 3; i++)
			if (p[i].revents != 0 && !chan_read(c[i], heard, w))
				hf_never("hf-media has gone");
	}
}

bool
media_driver_wait(struct media_driver *d, enum msg_type type, int ms)
{
	struct waiting_for w = { d, type, false };

	pump(d, &w, now_ms() + ms);
	return w.came;
}

void
media_driver_run(struct media_driver *d, int ms)
{
	struct waiting_for w = { d, (enum msg_type) - 1, false };

	pump(d, &w, now_ms() + ms);
}

bool
media_driver_ask(struct media_driver *d, const char *verb)
{
	struct msg m = { .type = MSG_ASK };

	m.ask.id = 1;
	m.ask.deadline = HF_TIME_NEVER;
	snprintf(m.ask.verb, sizeof(m.ask.verb), "%s", verb);
	chan_send(&d->keeper, &m);
	chan_flush(&d->keeper);
	return media_driver_wait(d, MSG_REPLY, 2000);
}

struct hf_ref
media_driver_ref(uint32_t stream)
{
	return (struct hf_ref){ stream, GEN };
}

struct media
media_driver_media(uint16_t port, enum codec codec)
{
	struct media m = {
		.codec = codec,
		.payload = codec == CODEC_PCMA ? 8 : 0,
		.dtmf = 101,
		.ptime_ms = 20,
		.direction = DIRECTION_SENDRECV,
	};

	m.rtp = (struct hf_addr){
		.ip = { 127, 0, 0, 1 }, .family = 4, .port = port
	};
	m.rtcp = m.rtp;
	m.rtcp.port++;
	return m;
}

void
media_driver_open(
    struct media_driver *d, uint32_t stream, const struct media *to)
{
	struct msg m = { .type = MSG_OPEN_STREAM };

	m.open_stream.stream = media_driver_ref(stream);
	m.open_stream.call = (struct hf_ref){ stream / 2, GEN };
	m.open_stream.media = *to;
	media_driver_order(d, &m);
}

void
media_driver_close(struct media_driver *d, uint32_t stream)
{
	struct msg m = { .type = MSG_CLOSE_STREAM };

	m.close_stream.stream = media_driver_ref(stream);
	media_driver_order(d, &m);
}

void
media_driver_join(
    struct media_driver *d, uint32_t caller, uint32_t helper, enum judge judge)
{
	struct msg m = { .type = MSG_JOIN_STREAMS };

	m.join_streams.caller = media_driver_ref(caller);
	m.join_streams.helper = media_driver_ref(helper);
	m.join_streams.row = CONF_NONE;
	m.join_streams.judge = judge;
	media_driver_order(d, &m);
}

void
media_driver_play(struct media_driver *d, uint32_t stream, uint32_t id,
    uint8_t prompt, enum after after)
{
	struct msg m = { .type = MSG_PLAY_PROMPT };

	m.play_prompt.stream = media_driver_ref(stream);
	m.play_prompt.id = id;
	m.play_prompt.list.n = 1;
	m.play_prompt.list.p[0] = prompt;
	m.play_prompt.after = after;
	media_driver_order(d, &m);
}
