/* proc/rails - see rails.h */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/flight.h"
#include "proc/log.h"
#include "proc/rails.h"
#include "proc/rails_calls.h"

enum {
	CAP_WORDS = 2,
	FILTER_MAX = 4096,
	PATH_BYTES = CONF_PATH_MAX + 32,
};

/* Landlock's, as the kernel has it since version 6 of the interface; headers
 * do not name what is newer than they are. */
struct ruleset {
	uint64_t fs, net, scoped;
};

#define FS_V1     ((UINT64_C(1) << 13) - 1)
#define FS_REFER  (UINT64_C(1) << 13) /* version 2 */
#define FS_TRUNC  (UINT64_C(1) << 14) /* 3 */
#define FS_IOCTL  (UINT64_C(1) << 15) /* 5 */
#define NET_ALL   (UINT64_C(3))       /* 4: bind and connect over TCP */
#define SCOPE_ALL (UINT64_C(3))       /* 6: abstract sockets, signals */
#define MAY_READ  ((uint64_t)LANDLOCK_ACCESS_FS_READ_FILE)
#define MAY_CHANGE                                                             \
	(MAY_READ |                                                            \
	    (uint64_t)(LANDLOCK_ACCESS_FS_WRITE_FILE |                         \
		       LANDLOCK_ACCESS_FS_READ_DIR |                           \
		       LANDLOCK_ACCESS_FS_REMOVE_DIR |                         \
		       LANDLOCK_ACCESS_FS_REMOVE_FILE |                        \
		       LANDLOCK_ACCESS_FS_MAKE_DIR |                           \
		       LANDLOCK_ACCESS_FS_MAKE_REG) |                          \
	    FS_REFER | FS_TRUNC)

static struct {
	struct rails now;
	enum room self;
} rails;

static void
lack(const char *what, const char *why)
{
	size_t n = strlen(rails.now.lacks), w = strlen(rails.now.why);

	(void)snprintf(rails.now.lacks + n, sizeof(rails.now.lacks) - n, "%s%s",
	    n > 0 ? "," : "", what);
	(void)snprintf(rails.now.why + w, sizeof(rails.now.why) - w, "%s%s: %s",
	    w > 0 ? "; " : "", what, why);
}

static void
tell_lack(void)
{
	hf_log(LOG_WARNING, "rails_off", "lacks=%s why=\"%s\"", rails.now.lacks,
	    rails.now.why);
}

/* ---- powers --------------------------------------------------------------
 */

static bool
set_powers(uint32_t kept)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[CAP_WORDS] = { { 0 } };

	data[0].permitted = data[0].inheritable = data[0].effective = kept;
	return syscall(SYS_capset, &head, data) == 0;
}

bool
rails_become(uid_t uid, gid_t gid)
{
	if (setgroups(1, &gid) != 0 || setgid(gid) != 0 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setuid(uid) != 0)
		return false;
	/* Over the exec goes what is ambient.  Without it the room says that
	 * it cannot change its root. */
	if (!set_powers(HF_BIT(CAP_SYS_CHROOT)) ||
	    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_CHROOT, 0, 0) !=
		0)
		return set_powers(0);
	return true;
}

static void
drop_powers(void)
{
	bool well = set_powers(0);

	/* Also for those that no keeper has started. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		well = false;
	rails.now.powerless = well;
	if (!well)
		lack("powers", strerror(errno));
	else if (geteuid() == 0)
		lack("account", "keeper.user is root");
}

/* ---- root ----------------------------------------------------------------
 */

/* A folder that is gone from its place: nothing is in it, and nothing can be
 * put there any more. */
static int
make_nowhere(const char *run_dir)
{
	char path[PATH_BYTES];
	int fd;

	(void)snprintf(
	    path, sizeof(path), "%s/nowhere.%d", run_dir, (int)getpid());
	if (mkdir(path, S_IRWXU) != 0)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	(void)rmdir(path);
	return fd;
}

static void
change_root(const struct conf *c)
{
	int fd = make_nowhere(c->keeper.run_dir);

	if (fd >= 0 && fchdir(fd) == 0 && chroot(".") == 0)
		rails.now.chrooted = true;
	else
		lack("chroot", strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

/* hf-store gives SQLite a path, and hf-sip reads /etc anew; what they may open
 * is Landlock's. */
static bool
needs_paths(enum room r)
{
	return r == ROOM_STORE || r == ROOM_SIP;
}

/* ---- Landlock ------------------------------------------------------------
 */

static uint64_t
fs_known(unsigned version)
{
	return FS_V1 | (version >= 2 ? FS_REFER : 0) |
	       (version >= 3 ? FS_TRUNC : 0) | (version >= 5 ? FS_IOCTL : 0);
}

static size_t
ruleset_bytes(unsigned version)
{
	return version >= 6   ? sizeof(struct ruleset)
	       : version >= 4 ? offsetof(struct ruleset, scoped)
			      : offsetof(struct ruleset, net);
}

/* A place that is not there needs no leave. */
static void
leave_place(int set, const char *path, uint64_t may)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = may };
	struct stat st;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return;
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE;
	if (syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH,
		&rule, 0) != 0)
		hf_log(LOG_WARNING, "place_not_left", "path=%s why=\"%s\"",
		    path, strerror(errno));
	(void)close(rule.parent_fd);
}

static void
leave_places(int set, enum room self, const struct conf *c, uint64_t known)
{
	/* resolv.conf is replaced, not written to, by those who keep it: its
	 * folder has to be named, and those it may point into. */
	static const char *const etc[] = { "/etc", "/run/systemd/resolve",
		"/run/resolvconf", "/run/NetworkManager", "/run/connman",
		"/dev/urandom" };

	switch (self) {
	case ROOM_SIP:
		for (size_t i = 0; i < HF_LEN(etc); i++)
			leave_place(set, etc[i], MAY_READ);
		break;
	case ROOM_REC:
		leave_place(set, c->store.spool, MAY_CHANGE & known);
		break;
	case ROOM_STORE:
		leave_place(set, c->store.dir, MAY_CHANGE & known);
		leave_place(set, "/dev/urandom", MAY_READ); /* SQLite's */
		break;
	case ROOM_MEDIA:
	case ROOM_CALL:
	case ROOM_KEEPER:
		break;
	}
}

/* Places are named while there are paths; the set is put into force later.
 * -1: the kernel has none. */
static int
make_places(enum room self, const struct conf *c)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	struct ruleset all = { .scoped = SCOPE_ALL };
	int set;

	if (version <= 0) {
		lack("landlock", strerror(errno));
		return -1;
	}
	all.fs = fs_known((unsigned)version);
	all.net = self == ROOM_SIP ? 0 : NET_ALL;
	set = (int)syscall(SYS_landlock_create_ruleset, &all,
	    ruleset_bytes((unsigned)version), 0);
	if (set < 0) {
		lack("landlock", strerror(errno));
		return -1;
	}
	leave_places(set, self, c, all.fs);
	rails.now.landlock = (unsigned)version;
	return set;
}

static void
enforce_places(int set)
{
	if (set < 0)
		return;
	if (syscall(SYS_landlock_restrict_self, set, 0) != 0) {
		lack("landlock", strerror(errno));
		rails.now.landlock = 0;
	}
	(void)close(set);
}

/* ---- system calls --------------------------------------------------------
 */

/* The call was not made.  Nothing here may take a lock that the caller of it
 * may have. */
static void
broken(int sig, siginfo_t *si, void *context)
{
	unsigned nr = (unsigned)si->si_syscall;
	const char *name = nr < RAILS_CALL_NAMES ? rails_call_names[nr] : NULL;
	char words[128];
	int n;

	(void)context;
	n = snprintf(words, sizeof(words),
	    "rails_broken room=hf-%s call=%s number=%u\n",
	    room_name(rails.self), name != NULL ? name : "?", nr);
	if (write(STDERR_FILENO, words, (size_t)n) != n)
		n++; /* it stands in the recorder */
	flight_note(words, strcspn(words, "\n"));
	(void)kill(getpid(), sig); /* nobody handles it any more */
	_exit(128 + sig);
}

static bool
hear_of_it(void)
{
	struct sigaction sa = { .sa_sigaction = broken,
		.sa_flags = (int)(SA_SIGINFO | SA_RESETHAND | SA_NODEFER) };

	return sigaction(SIGSYS, &sa, NULL) == 0;
}

static void
list_calls(enum room self)
{
	static struct sock_filter line[FILTER_MAX];
	const struct rails_calls *l = &rails_calls[self];
	struct sock_fprog prog = { (unsigned short)l->n, line };

	hf_assert(l->n > 0 && l->n <= FILTER_MAX);
	memcpy(line, l->line, l->n * sizeof(line[0]));
	for (size_t i = 0; i < l->n; i++)
		if (line[i].k == RAILS_OWN_PID)
			line[i].k = (uint32_t)getpid();
	rails.now.calls =
	    hear_of_it() &&
	    syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) == 0;
	if (!rails.now.calls)
		lack("seccomp", strerror(errno));
}

/* ---- all of it -----------------------------------------------------------
 */

static const char *
why_not(const struct conf *c)
{
#ifdef HF_SANITIZED
	(void)c;
	return "built with sanitizers, which need more";
#else
	return c->keeper.rails ? NULL : "keeper.rails is no";
#endif
}

void
rails_up(enum room self, const struct conf *c)
{
	const char *why = why_not(c);
	int places;

	rails.self = self;
	if (why != NULL) {
		(void)set_powers(0);
		rails.now.off = true;
		lack("all", why);
		tell_lack();
		return;
	}
	tzset(); /* the C library reads it once, from a file */
	places = make_places(self, c);
	if (!needs_paths(self))
		change_root(c);
	drop_powers();
	enforce_places(places);
	list_calls(self);
	if (rails.now.lacks[0] != '\0')
		tell_lack();
	hf_log(LOG_INFO, "rails_up", "calls=%d chroot=%d landlock=%u",
	    rails.now.calls, rails.now.chrooted, rails.now.landlock);
}

const struct rails *
rails_now(void)
{
	return &rails.now;
}
