/* daemon/keeper/main - see keeper.h and holdfastd(8) */

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "conf/keys.h"
#include "conf/load/origins.h"
#include "daemon/keeper/keeper.h"
#include "proc/flight.h"
#include "proc/log.h"
#include "proc/loop.h"
#include "proc/snapshot.h"

#define CONF_DEFAULT "/etc/holdfast/holdfast.conf"

enum {
	SETTLE_MS = 10000,
	LOCK_TRIES = 200,
	LOCK_STEP_US = 10000,
};

/* One in force, one being read; large, so not on the stack. */
static struct conf confs[2];
static struct conf_secrets secrets[2];
static struct conf_report report;

static struct conf_origins origins[2];

static struct {
	const char *path;
	unsigned now; /* which of confs is in force */
	int conf_fd, secrets_fd, lock;
	struct keeper_user user;
	bool draining, stopping, over;
	/* That are up while it drains: hf-call's, and hf-sip's own. */
	uint32_t calls[2];
	bool adopting; /* rooms have outlived the keeper before us */
	struct past past;
	struct hf_hash_key key;
	uint64_t conf_seal[2], secrets_seal[2];
	struct hf_timer drain_max, settle;
} keeper = { .conf_fd = -1, .secrets_fd = -1, .lock = -1 };

const struct conf *
keeper_conf(void)
{
	return &confs[keeper.now];
}

int
keeper_conf_fd(void)
{
	return keeper.conf_fd;
}

int
keeper_secrets_fd(void)
{
	return keeper.secrets_fd;
}

const struct keeper_user *
keeper_user(void)
{
	return &keeper.user;
}

uint32_t
keeper_origin(const char *path)
{
	return conf_origins_line(&origins[keeper.now], path);
}

const char *
keeper_file(void)
{
	return keeper.path;
}

/* ---- configuration ---------------------------------------------------------
 */

static uint64_t
seal_of(const void *value, size_t size)
{
	return hf_hash(&keeper.key, value, size);
}

static void
note_seal(uint64_t seal[2], uint64_t new)
{
	if (seal[0] == new)
		return;
	seal[1] = seal[0];
	seal[0] = new;
}

bool
keeper_has_sealed(const void *value, size_t size, const uint64_t seal[2])
{
	uint64_t is = seal_of(value, size);

	return is == seal[0] || is == seal[1];
}

void
keeper_seals(struct past *p)
{
	p->key = keeper.key;
	memcpy(p->conf_seal, keeper.conf_seal, sizeof(p->conf_seal));
	memcpy(p->secrets_seal, keeper.secrets_seal, sizeof(p->secrets_seal));
}

/* Goes on with the key of the keeper before us, or a new one. */
static void
know_seals(const struct past *p)
{
	keeper.key = p->key;
	memcpy(keeper.conf_seal, p->conf_seal, sizeof(p->conf_seal));
	memcpy(keeper.secrets_seal, p->secrets_seal, sizeof(p->secrets_seal));
	if (p->key.k[0] == 0)
		hf_assert(getrandom(&keeper.key, sizeof(keeper.key), 0) ==
			  (ssize_t)sizeof(keeper.key));
}

/* Replaces the snapshots that children get. */
static bool
seal(unsigned which)
{
	int c = snapshot_make("holdfast-conf", &confs[which], sizeof(confs[0]));
	int s = snapshot_make(
	    "holdfast-secrets", &secrets[which], sizeof(secrets[0]));

	if (c < 0 || s < 0) {
		if (c >= 0)
			(void)close(c);
		return false;
	}
	if (keeper.conf_fd >= 0)
		(void)close(keeper.conf_fd);
	if (keeper.secrets_fd >= 0)
		(void)close(keeper.secrets_fd);
	note_seal(keeper.conf_seal, seal_of(&confs[which], sizeof(confs[0])));
	note_seal(
	    keeper.secrets_seal, seal_of(&secrets[which], sizeof(secrets[0])));
	keeper.conf_fd = c;
	keeper.secrets_fd = s;
	keeper.now = which;
	return true;
}

static void tell_log(void *arg, const char *line);

struct restarts {
	keeper_tell *tell;
	void *arg;
	bool wanted;
};

static void
tell_restart(
    void *arg, const char *path, const char *value, const struct conf_key *k)
{
	struct restarts *r = arg;
	char line[KEEPER_PATH_MAX + 128];

	(void)value;
	(void)k;
	/* Where nobody writes it, it is what the ports carry: those are told.
	 */
	if (strcmp(path, "calls_max") == 0 &&
	    conf_origins_line(&origins[0], path) == 0 &&
	    conf_origins_line(&origins[1], path) == 0)
		return;
	(void)snprintf(line, sizeof(line),
	    "%s: a change takes a restart of holdfastd", path);
	r->tell(r->arg, line);
	r->wanted = true;
}

/* Rooms take these once, when they start: a room that came by them later, at
 * its next death, would differ from the others. */
static bool
stays(const struct conf *new, keeper_tell *tell, void *arg)
{
	struct restarts r = { tell, arg, false };

	conf_each_restart(keeper_conf(), new, tell_restart, &r);
	return !r.wanted;
}

/* Reads into the place that is not in force. */
static bool
load(keeper_tell *tell, void *arg, bool first)
{
	unsigned next = !keeper.now;
	bool well;

	memset(&report, 0, sizeof(report));
	conf_origins_hear(&origins[next], &report);
	well = conf_load(keeper.path, first ? NULL : keeper_conf(),
	    &confs[next], &secrets[next], &report);
	conf_report_each(&report, tell, arg);
	if (!well)
		return false;
	confs[next].generation = secrets[next].generation =
	    first ? 1 : keeper_conf()->generation + 1;
	return first || stays(&confs[next], tell, arg);
}

bool
keeper_file_stays(keeper_tell *tell, void *arg)
{
	return load(tell, arg, false);
}

bool
keeper_reload(keeper_tell *tell, void *arg)
{
	if (!load(tell, arg, false) || !seal(!keeper.now)) {
		hf_log(LOG_WARNING, "config_kept", "generation=%u errors=%u",
		    keeper_conf()->generation, report.errors);
		return false;
	}
	hf_log(LOG_NOTICE, "config_applied", "generation=%u",
	    keeper_conf()->generation);
	children_reconf();
	return true;
}

/* ---- the configuration of a house that is open -----------------------------
 */

static bool
same(const void *a, const void *b, size_t size)
{
	const size_t head = offsetof(struct conf, generation) +
			    sizeof(keeper_conf()->generation);

	return memcmp((const char *)a + head, (const char *)b + head,
		   size - head) == 0;
}

/* The rooms that are there have one in force: it stays so until the file, read
 * again in its light, is good to replace it.  hf-sip's secrets may have died
 * with it.  False: there is no going on. */
static bool
take_over(void)
{
	unsigned in_force = !keeper.now, file;
	bool has_secrets, well;

	if (!adopt_conf(&keeper.past, &confs[in_force])) {
		/* Nobody there, or of a build that had another one. */
		confs[keeper.now].generation = secrets[keeper.now].generation =
		    adopt_generation() + 1;
		return seal(keeper.now);
	}
	has_secrets =
	    adopt_secrets(&keeper.past, &confs[in_force], &secrets[in_force]);
	origins[in_force] = origins[keeper.now];
	file = keeper.now;
	keeper.now = in_force;
	well = load(tell_log, NULL, false);
	if (well && same(&confs[file], keeper_conf(), sizeof(confs[0])) &&
	    (!has_secrets ||
		same(&secrets[file], &secrets[in_force], sizeof(secrets[0])))) {
		confs[file].generation = secrets[file].generation =
		    keeper_conf()->generation;
		return seal(file);
	}
	if (well) {
		hf_log(LOG_NOTICE, "config_applied", "generation=%u",
		    confs[file].generation);
		return seal(file);
	}
	hf_log(LOG_WARNING, "config_kept", "generation=%u errors=%u",
	    keeper_conf()->generation, report.errors);
	if (has_secrets)
		return seal(in_force);
	hf_log(LOG_ERROR, "secrets_lost",
	    "why=\"hf-sip has died, and the file is refused\"");
	return false;
}

static void
tell_log(void *arg, const char *line)
{
	(void)arg;
	hf_log(LOG_WARNING, "config_problem", "line=\"%s\"", line);
}

static void
tell_stderr(void *arg, const char *line)
{
	(void)arg;
	(void)fprintf(stderr, "%s\n", line);
}

/* ---- the end ---------------------------------------------------------------
 */

bool
keeper_draining(void)
{
	return keeper.draining;
}

bool
keeper_stopping(void)
{
	return keeper.stopping;
}

/* hf-call leaves with its last word, and its death may be read in this turn. */
static void
be_over(void)
{
	keeper.over = true;
	hf_timer_stop(loop_wheel(), &keeper.drain_max);
	children_may_leave();
}

static void
drain_over(struct hf_timer *t, struct hf_time now)
{
	(void)t;
	(void)now;
	hf_log(LOG_WARNING, "drain_ended", "why=drain_max");
	be_over();
}

void
keeper_drain(bool on, bool stop)
{
	struct msg m = { .type = MSG_DRAIN };

	if (keeper.stopping)
		on = stop = true; /* there is no way back from the end */
	m.drain.on = on;
	m.drain.die = stop;
	if (on != keeper.draining || stop != keeper.stopping)
		hf_log(LOG_NOTICE, "house_draining", "on=%d stop=%d", on, stop);
	keeper.draining = on;
	/* Who is not there has no calls; the others say how many. */
	keeper.calls[1] = children_send(ROOM_SIP, &m) ? UINT32_MAX : 0;
	/* hf-call leaves when its last call is over, and would come back as
	 * long as hf-sip has one. */
	m.drain.die = stop && keeper.calls[1] == 0;
	keeper.calls[0] = children_send(ROOM_CALL, &m) ? UINT32_MAX : 0;
	if (stop && keeper.calls[0] == 0 && keeper.calls[1] == 0)
		be_over();
	if (stop && !keeper.stopping)
		hf_timer_start(loop_wheel(), &keeper.drain_max,
		    hf_time_after(loop_now(), keeper_conf()->keeper.drain_max));
	keeper.stopping = stop;
}

void
keeper_drained(enum room room, uint32_t calls)
{
	struct msg m = { .type = MSG_DRAIN, .drain = { true, true, false } };

	keeper.calls[room == ROOM_SIP] = calls;
	if (keeper.stopping && room == ROOM_SIP && calls == 0)
		(void)children_send(ROOM_CALL, &m);
	if (!keeper.stopping || keeper.calls[0] > 0 || keeper.calls[1] > 0)
		return;
	hf_log(LOG_NOTICE, "drain_ended", "why=no_calls");
	be_over();
}

/* Nobody waits for the answer. */
static void
upgrade_told(const char *line)
{
	hf_log(LOG_ERROR, "upgrade_problem", "line=\"%s\"", line);
}

static void
upgrade_ended(const char *why, const char *from, const char *to)
{
	(void)why;
	(void)from;
	(void)to;
}

static void
signal_came(int fd, uint32_t events, void *arg)
{
	struct signalfd_siginfo si;

	(void)events;
	(void)arg;
	if (read(fd, &si, sizeof(si)) != (ssize_t)sizeof(si))
		return;
	if (si.ssi_signo == SIGHUP)
		(void)keeper_reload(tell_log, NULL);
	else if (si.ssi_signo == SIGUSR2) {
		if (!upgrade_busy())
			upgrade_begin("", upgrade_told, upgrade_ended);
	} else if (keeper.stopping)
		be_over(); /* asked twice: now */
	else
		keeper_drain(true, true);
}

/* ---- the beginning ---------------------------------------------------------
 */

static void
our_signals(sigset_t *set)
{
	(void)sigemptyset(set);
	(void)sigaddset(set, SIGTERM);
	(void)sigaddset(set, SIGINT);
	(void)sigaddset(set, SIGHUP);
	(void)sigaddset(set, SIGUSR2);
}

/* From the first moment: who dies of a signal to stop while he takes the rooms
 * over leaves them to nobody. */
static void
hold_signals(void)
{
	sigset_t set;

	our_signals(&set);
	hf_assert(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	(void)signal(SIGPIPE, SIG_IGN);
}

static void
watch_signals(void)
{
	sigset_t set;
	int fd;

	our_signals(&set);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	hf_assert(fd >= 0);
	loop_watch(fd, EPOLLIN, signal_came, NULL);
}

static bool
wrong_dir(const char *key, const char *path)
{
	(void)fprintf(stderr, "holdfastd: %s: %s: %s%s\n", key, path,
	    strerror(errno),
	    errno == ENOENT    ? "; make the folder it lies in"
	    : errno == ENOTDIR ? "; name a folder"
			       : "");
	return false;
}

/* Makes it when it is not there and gives it away, never by way of a link: who
 * may write where it lies must not choose what root gives to whom. */
static bool
folder_for(const char *key, const char *path, uid_t uid, gid_t gid, mode_t mode)
{
	int fd;
	bool well;

	if (mkdir(path, 0750) != 0 && errno != EEXIST)
		return wrong_dir(key, path);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return wrong_dir(key, path);
	well = !keeper.user.change || (fchown(fd, uid, gid) == 0 &&
					  (mode == 0 || fchmod(fd, mode) == 0));
	if (!well)
		(void)wrong_dir(key, path);
	(void)close(fd);
	return well;
}

/* A folder that one of the rooms writes into. */
static bool
make_dir(const char *key, const char *path)
{
	return path[0] == '\0' ||
	       folder_for(key, path, keeper.user.uid, keeper.user.gid, 0);
}

/* Rooms may put files here, and may not take away ours: the folder stays
 * root's and is sticky.  Who may ask must be able to reach the socket. */
static bool
make_run_dir(const char *path)
{
	return folder_for("keeper.run_dir", path, 0, keeper.user.gid, 01771);
}

/* Who parses what strangers send is not root, unless somebody has asked for
 * that in so many words. */
static bool
choose_user(void)
{
	const char *name = keeper_conf()->keeper.user;
	const struct passwd *pw;

	if (geteuid() != 0)
		return true;
	pw = getpwnam(name);
	if (pw == NULL) {
		(void)fprintf(stderr,
		    "holdfastd: keeper.user: there is no account \"%s\"; make "
		    "it (adduser --system --group --no-create-home %s), or "
		    "name another; \"user: root\" gives no root up\n",
		    name, name);
		return false;
	}
	keeper.user =
	    (struct keeper_user){ pw->pw_uid != 0, pw->pw_uid, pw->pw_gid };
	return true;
}

/* Who holds the lock has written who he is. */
static bool
holder_is_dead(int lock)
{
	char text[16] = "";
	struct pollfd f = { .events = POLLIN };
	bool dead;

	if (pread(lock, text, sizeof(text) - 1, 0) <= 0 || atoi(text) <= 0)
		return false;
	if (atoi(text) == getpid())
		return true; /* we were another program then */
	f.fd = pidfd_open((pid_t)atoi(text), 0);
	if (f.fd < 0)
		return errno == ESRCH;
	dead = poll(&f, 1, 0) == 1;
	(void)close(f.fd);
	return dead;
}

/* A child of a keeper that died in that moment has the lock, too, until it has
 * become what it was born for. */
static bool
take_lock(int lock)
{
	for (int i = 0; flock(lock, LOCK_EX | LOCK_NB) != 0; i++) {
		int err = errno;

		if (err != EWOULDBLOCK || i == LOCK_TRIES ||
		    !holder_is_dead(lock)) {
			errno = err;
			return false;
		}
		(void)usleep(LOCK_STEP_US);
	}
	return true;
}

/* One house a folder: a second would unlink the first one's control socket
 * and write into its slots. */
static bool
lock_house(void)
{
	char path[KEEPER_PATH_MAX], text[16];
	int n;

	(void)snprintf(
	    path, sizeof(path), "%s/keeper.pid", keeper_conf()->keeper.run_dir);
	keeper.lock =
	    open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	/* Who may read it may lock it, and keep the next keeper out. */
	if (keeper.lock >= 0)
		(void)fchmod(keeper.lock, 0600);
	if (keeper.lock < 0 || !take_lock(keeper.lock)) {
		(void)fprintf(stderr, "holdfastd: %s: %s\n", path,
		    errno == EWOULDBLOCK ? "another holdfastd holds this house"
					 : strerror(errno));
		return false;
	}
	n = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	return ftruncate(keeper.lock, 0) == 0 &&
	       write(keeper.lock, text, (size_t)n) == n;
}

static bool
prepare_folders(void)
{
	const struct conf *c = keeper_conf();
	char flight[KEEPER_PATH_MAX];
	int err;

	if (!make_run_dir(c->keeper.run_dir) || !lock_house() ||
	    !make_dir("store.dir", c->store.dir) ||
	    !make_dir("store.spool", c->store.spool))
		return false;
	(void)snprintf(
	    flight, sizeof(flight), "%s/flight.holdfastd", c->keeper.run_dir);
	err = flight_open(flight);
	if (err != 0)
		hf_log(LOG_WARNING, "flight_recorder_off", "why=\"%s\"",
		    strerror(err));
	return true;
}

static uint16_t
workers(void)
{
	cpu_set_t cpus;
	int n = keeper_conf()->rtp.workers;

	if (n == 0 && sched_getaffinity(0, sizeof(cpus), &cpus) == 0)
		n = CPU_COUNT(&cpus);
	if (n < 1)
		n = 1;
	return (uint16_t)(n > WORKERS_MAX ? WORKERS_MAX : n);
}

static void
settle(struct hf_timer *t, struct hf_time now)
{
	hf_log_settle();
	hf_timer_start(loop_wheel(), t, hf_time_after(now, hf_ms(SETTLE_MS)));
}

static bool
open_house(void)
{
	struct past *past = &keeper.past;
	int err;

	if (!choose_user() || !prepare_folders())
		return false;
	past_read(past);
	know_seals(past);
	service_take();
	keeper.adopting = adopt_meet(past) > 0;
	if (!take_over())
		return false;
	programs_open();
	children_prepare(keeper.adopting && past->workers >= 1 &&
				 past->workers <= WORKERS_MAX
			     ? (uint16_t)past->workers
			     : workers());
	if (!sockets_open(keeper_conf(), past->boot > 0, tell_stderr, NULL))
		return false;
	loop_open(); /* after the limit on open files was raised */
	watch_signals();
	err = control_open(keeper_conf()->keeper.run_dir);
	if (err != 0) {
		(void)fprintf(
		    stderr, "holdfastd: control socket: %s\n", strerror(err));
		return false;
	}
	hf_timer_init(&keeper.drain_max, drain_over);
	hf_timer_init(&keeper.settle, settle);
	settle(&keeper.settle, loop_now());
	return true;
}

/* What was asked of the house before goes on, but its end: who starts it again
 * wants it open. */
static void
begin(void)
{
	uint32_t flags = adopt_flags();

	if (!keeper.adopting) {
		children_start();
		return;
	}
	children_adopt(&keeper.past);
	if (flags & ADOPT_STOPPING)
		keeper_drain(false, false);
	else if (flags & ADOPT_DRAINING)
		keeper_drain(true, false);
}

static int
live(void)
{
	if (!open_house())
		return EXIT_FAILURE;
	hf_log(LOG_NOTICE, "keeper_started", "site=%s pid=%d workers=%u",
	    keeper_conf()->site, (int)getpid(), children_workers());
	begin();
	service_keep();
	service_notify("READY=1");
	for (;;) {
		control_flush();
		children_flush(); /* what that has asked for goes too */
		if (keeper.over)
			break;
		upgrade_if_due();
		loop_turn();
	}
	service_notify("STOPPING=1");
	control_close();
	children_stop();
	hf_log(LOG_NOTICE, "house_closed", "%s", "");
	return EXIT_SUCCESS;
}

static void
usage(FILE *to)
{
	(void)fprintf(to,
	    "usage: holdfastd [-t] [-c FILE]\n"
	    "  -c, --config FILE  the configuration (" CONF_DEFAULT ")\n"
	    "  -t, --test         check it and say what is wrong, start "
	    "nothing\n"
	    "  -h, --help         this\n"
	    "      --version      the version\n");
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "test", no_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	bool test = false;
	int o;

	keeper.path = CONF_DEFAULT;
	while ((o = getopt_long(argc, argv, "c:th", options, NULL)) != -1)
		switch (o) {
		case 'c':
			keeper.path = optarg;
			break;
		case 't':
			test = true;
			break;
		case 'h':
			usage(stdout);
			return EXIT_SUCCESS;
		case 'V':
			(void)puts("holdfastd " HF_VERSION);
			return EXIT_SUCCESS;
		default:
			usage(stderr);
			return 2;
		}
	if (optind != argc) {
		usage(stderr);
		return 2;
	}
	hf_log_open("holdfastd", LOG_INFO);
	upgrade_remember(argv);
	if (!load(tell_stderr, NULL, true))
		return EXIT_FAILURE;
	if (test)
		return EXIT_SUCCESS;
	keeper.now = !keeper.now;
	hold_signals();
	return live();
}
