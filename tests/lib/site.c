#include "tests/lib/site.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/child.h"
#include "tests/lib/otherwise.h"

enum {
	READY_MS = 10000,
	DOWN_MS = 2000, /* until somebody starts it again */
	STOP_MS = 8000,
	RTP_FIRST = 20000,
	RTP_LAST = 20999,
	DEPTH_MAX = 16,
};

static const char *
net(void)
{
	static char text[32];

	if (text[0] == '\0')
		snprintf(text, sizeof text, "127.%d", 16 + getpid() % 200);
	return text;
}

const char *
site_address(enum site_street street, int n)
{
	static char text[4][64];

	snprintf(text[street], sizeof text[street], "%s.%d.%d", net(),
	    (int)street + 4 * (getpid() / 200 % 60), n);
	return text[street];
}

const char *
site_stage(const char *path)
{
	static char text[300];
	const char *stage = getenv("HF_STAGE");

	snprintf(text, sizeof text, "%s/%s",
	    stage != NULL ? stage : "build/stage", path);
	return text;
}

/* ---- configuration
 * ------------------------------------------------------------- */

void
site_set(struct site *s, const char *path, const char *fmt, ...)
{
	struct site_key *k = NULL;
	va_list a;

	for (size_t i = 0; i < s->keys; i++)
		if (strcmp(s->key[i].path, path) == 0)
			k = &s->key[i];
	if (k == NULL) {
		if (s->keys == s->key_cap) {
			s->key_cap = 2 * s->key_cap + 64;
			s->key = realloc(s->key, s->key_cap * sizeof *s->key);
			if (s->key == NULL)
				abort();
		}
		k = &s->key[s->keys++];
		snprintf(k->path, sizeof k->path, "%s", path);
	}
	va_start(a, fmt);
	vsnprintf(k->value, sizeof k->value, fmt, a);
	va_end(a);
}

void
site_unset(struct site *s, const char *path)
{
	for (size_t i = 0; i < s->keys; i++)
		if (strcmp(s->key[i].path, path) == 0) {
			memmove(&s->key[i], &s->key[i + 1],
			    (--s->keys - i) * sizeof *s->key);
			return;
		}
}

/* How long the part of a path at p is: to a dot that is not in quotes. */
static size_t
part(const char *p)
{
	bool quoted = false;
	size_t n = 0;

	for (; p[n] != '\0' && (quoted || p[n] != '.'); n++)
		if (p[n] == '"')
			quoted = !quoted;
	return n;
}

/* All keys below prefix (n bytes, its dot included), grouped. */
static void
keys_write(
    const struct site *s, FILE *f, const char *prefix, size_t n, int depth)
{
	for (size_t i = 0; i < s->keys; i++) {
		const char *p = s->key[i].path;
		if (strncmp(p, prefix, n) != 0)
			continue;
		size_t k = part(p + n);
		bool leaf = p[n + k] == '\0', before = false;
		for (size_t j = 0; j < i; j++)
			if (strncmp(s->key[j].path, p, n + k) == 0 &&
			    s->key[j].path[n + k] == '.')
				before = true;
		if (before)
			continue;
		fprintf(f, "%*s%.*s:", 2 * depth, "", (int)k, p + n);
		if (leaf) {
			fprintf(f, " %s\n", s->key[i].value);
		} else {
			fprintf(f, "\n");
			keys_write(s, f, p, n + k + 1, depth + 1);
		}
	}
}

static void
file_write(
    const struct site *s, const char *name, const char *text, mode_t mode)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", s->dir, name);
	FILE *f = fopen(path, "w");
	if (f == NULL) {
		perror(path);
		exit(99);
	}
	fchmod(fileno(f), mode);
	if (text != NULL)
		fputs(text, f);
	else
		keys_write(s, f, "", 0, 0);
	fclose(f);
}

/* The children give up root for this account, which owns their folders. */
static const struct passwd *
account(void)
{
	const struct passwd *p = getpwnam("holdfast");

	return p != NULL ? p : getpwnam("nobody");
}

static void
folder(const struct site *s, const char *name)
{
	const struct passwd *p = account();
	char path[128];

	snprintf(path, sizeof path, "%s/%s", s->dir, name);
	mkdir(path, 0750);
	if (geteuid() == 0 && p != NULL &&
	    chown(path, p->pw_uid, p->pw_gid) != 0)
		perror(path);
}

/* On tmpfs, as where it is installed: a page of a file on disk that the kernel
 * is writing back makes whoever writes to it wait for the disk. */
static void
folder_run(struct site *s)
{
	char path[128];

	snprintf(path, sizeof path, "%s/run", s->dir);
	snprintf(s->run, sizeof s->run, "/dev/shm/holdfast-test.XXXXXX");
	if (mkdtemp(s->run) == NULL) {
		s->run[0] = '\0';
	} else if (symlink(s->run, path) != 0) {
		rmdir(s->run);
		s->run[0] = '\0';
	}
	folder(s, "run");
}

static int
free_port(const char *ip)
{
	struct ua_world *w = ua_world_new();
	int port = ua_new(w, "port", ip, UA_UDP, 0)->port;

	ua_world_free(w);
	return port;
}

static void
keys_common(struct site *s, bool ipv6)
{
	char host[80];

	ua_host_text(s->ip, host, sizeof host);
	site_set(s, "site", "%s", s->name);
	site_set(s, "sip.listen", "[\"udp:%s:%d\", \"tcp:%s:%d\"]", host,
	    s->port, host, s->port);
	site_set(s, "rtp.address", "\"%s\"", s->ip);
	site_set(s, "rtp.ports", "%d-%d", RTP_FIRST, RTP_LAST);
	site_set(s, "rtp.workers", "1");
	if (s->run[0] != '\0')
		site_set(s, "keeper.run_dir", "%s", s->run);
	else
		site_set(s, "keeper.run_dir", "%s/run", s->dir);
	site_set(s, "keeper.drain_max", "0s");
	if (getenv("HF_RAILS") != NULL)
		site_set(s, "keeper.rails", "%s", getenv("HF_RAILS"));
	site_set(s, "keeper.orphans_max", "10s");
	if (geteuid() == 0 && account() != NULL)
		site_set(s, "keeper.user", "%s", account()->pw_name);
	site_set(s, "store.dir", "%s/store", s->dir);
	site_set(s, "store.spool", "%s/spool", s->dir);
	char trunk[64];
	snprintf(trunk, sizeof trunk, "%s", site_address(SITE_TRUNK, 0));
	site_set(s, "trunks.carrier.peers", ipv6 ? "[\"::1\"]" : "[\"%s/24\"]",
	    trunk);
}

struct site *
site_new(const char *name, bool ipv6)
{
	static int number;
	struct site *s = calloc(1, sizeof *s);
	char where[80], host[70];

	if (s == NULL)
		abort();
	if (access(site_stage("sbin/holdfastd"), X_OK) != 0) {
		fprintf(stderr, "no %s: make first, or set HF_STAGE\n",
		    site_stage("sbin/holdfastd"));
		free(s);
		return NULL;
	}
	snprintf(s->name, sizeof s->name, "%s", name);
	snprintf(s->dir, sizeof s->dir, "/tmp/holdfast-test.XXXXXX");
	if (mkdtemp(s->dir) == NULL)
		exit(99);
	chmod(s->dir, 0755);
	snprintf(s->ip, sizeof s->ip, "%s",
	    ipv6 ? "::1" : site_address(SITE_HOUSE, ++number));
	s->port = free_port(s->ip);
	ua_host_text(s->ip, host, sizeof host);
	snprintf(where, sizeof where, "%s:%d", host, s->port);
	s->udp = ua_where(where);
	folder_run(s);
	folder(s, "store");
	folder(s, "spool");
	keys_common(s, ipv6);
	return s;
}

void
site_agent(
    struct site *s, const char *name, const char *secret, const char *queues)
{
	char path[120], text[100];

	snprintf(text, sizeof text, "secret-%s", name);
	char line[100];
	snprintf(line, sizeof line, "%s\n", secret);
	file_write(s, text, line, 0600);
	snprintf(path, sizeof path, "agents.%s.secret_file", name);
	site_set(s, path, "%s/secret-%s", s->dir, name);
	snprintf(path, sizeof path, "agents.%s.queues", name);
	site_set(s, path, "[%s]", queues);
}

static void
put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

void
site_wav(const char *path, int voice, unsigned frames)
{
	static const uint8_t form[] = { 16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0,
		0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0, 'd', 'a', 't', 'a' };
	uint8_t head[44] = "RIFF....WAVEfmt ", mu[VOICE_FRAME];
	uint32_t n = frames * VOICE_FRAME * 2;
	FILE *f = fopen(path, "wb");

	if (f == NULL) {
		perror(path);
		exit(99);
	}
	memcpy(head + 16, form, sizeof form);
	put32(head + 4, n + 36);
	put32(head + 40, n);
	fwrite(head, 1, sizeof head, f);
	for (unsigned i = 0; i < frames; i++) {
		voice_speak(
		    VOICE_PCMU, voice, 6 + (int)(i * 7 % 10), 0, mu, sizeof mu);
		for (size_t k = 0; k < sizeof mu; k++) {
			int16_t v = voice_decode(VOICE_PCMU, mu[k]);
			fwrite(&v, sizeof v, 1, f);
		}
	}
	fclose(f);
}

void
site_prompts(struct site *s)
{
	static const struct {
		const char *key;
		enum site_voice voice;
		unsigned frames;
	} prompt[] = {
		{ "one_moment", SITE_ONE_MOMENT, 100 },
		{ "still_there", SITE_STILL_THERE, 45 },
		{ "you_are_number", SITE_YOU_ARE_NUMBER, 45 },
		{ "in_line", SITE_IN_LINE, 45 },
		{ "voicemail_intro", SITE_VOICEMAIL_INTRO, 45 },
		{ "no_messages", SITE_NO_MESSAGES, 45 },
		{ "goodbye", SITE_GOODBYE, 45 },
		{ "all_busy", SITE_ALL_BUSY, 45 },
		{ "music", SITE_MUSIC, 500 },
	};

	for (size_t i = 0; i < sizeof prompt / sizeof *prompt; i++) {
		char path[120], key[64];
		snprintf(path, sizeof path, "%s/%s.wav", s->dir, prompt[i].key);
		snprintf(key, sizeof key, "prompts.%s", prompt[i].key);
		site_wav(path, prompt[i].voice, prompt[i].frames);
		site_set(s, key, "%s", path);
	}
}

void
site_move(struct site *s, const char *ip, int port)
{
	char where[100], host[80];

	ua_host_text(ip, host, sizeof host);
	snprintf(s->ip, sizeof s->ip, "%s", ip);
	s->port = port;
	snprintf(where, sizeof where, "%s:%d", host, port);
	s->udp = ua_where(where);
	site_set(s, "sip.listen", "[\"udp:%s\", \"tcp:%s\"]", where, where);
	site_set(s, "rtp.address", "\"%s\"", ip);
}

/* ---- processes ----------------------------------------------------------- */

static bool
is_optioned(void *arg)
{
	return ua_noted(arg, UA_OPTIONED, 0) != NULL;
}

static void
stop(void *site)
{
	site_stop(site);
}

int64_t
site_patience(void)
{
	const char *slow = getenv("HF_SLOW");

	return slow == NULL ? 1 : atoi(slow);
}

static void
launch(struct site *s)
{
	char conf[100], log[100], program[300];
	char *argv[] = { program, (char *)"-c", conf, NULL };

	snprintf(program, sizeof program, "%s", site_stage("sbin/holdfastd"));
	snprintf(conf, sizeof conf, "%s/holdfast.yaml", s->dir);
	snprintf(log, sizeof log, "%s/log", s->dir);
	s->pid = child_start(argv, NULL, log, -1, SIGTERM);
	child_at_end(stop, s);
}

bool
site_start(struct site *s, struct ua_world *w)
{
	int64_t ms = READY_MS * site_patience();
	char log[100];
	struct stat was;

	file_write(s, "holdfast.yaml", NULL, 0644);
	snprintf(log, sizeof log, "%s/log", s->dir);
	/* An earlier life has said in there that it was open. */
	long before = stat(log, &was) == 0 ? (long)was.st_size : 0;
	launch(s);
	/* From the trunk: nobody else is a friend. */
	struct ua *u = ua_new(w, "herald",
	    strchr(s->ip, ':') != NULL ? s->ip : site_address(SITE_TRUNK, 250),
	    UA_UDP, 0);
	for (int64_t until = ua_now() + ms * 1000; ua_now() < until;) {
		struct ua_call *c = ua_options(u, s->udp);
		/* hf-sip answers before everyone else is there. */
		if (ua_run(w, 250, is_optioned, c) &&
		    file_says_after(log, before, " house_open "))
			return true;
		c->cli_non.live = false;
		if (child_ends(s->pid, 0, NULL)) {
			s->pid = 0;
			child_is_over(s);
			break;
		}
	}
	fprintf(stderr, "%s did not come up\n", s->name);
	site_show_log(s);
	return false;
}

/* A word of /proc/PID/NAME's first line, as text. */
static bool
proc_read(pid_t pid, const char *name, char *out, size_t cap)
{
	char path[64];

	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, out, cap - 1);
	close(fd);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* It lives, and is one of ours still. */
static bool
is_room(pid_t pid)
{
	char text[1024];
	const char *end;

	return proc_read(pid, "stat", text, sizeof text) &&
	       strstr(text, "(hf-") != NULL &&
	       (end = strrchr(text, ')')) != NULL && end[2] != 'Z';
}

static bool
has(const pid_t *pid, int n, pid_t one)
{
	for (int i = 0; i < n; i++)
		if (pid[i] == one)
			return true;
	return false;
}

/* The keeper and the rooms, into pid; how many.  The log tells who was started:
 * rooms outlive their keeper, and are nobody's children then. */
static int
family(const struct site *s, pid_t *pid, int most)
{
	char path[100], line[2000];
	const char *at;
	int n = 0;

	if (s->pid != 0)
		pid[n++] = s->pid;
	snprintf(path, sizeof path, "%s/log", s->dir);
	FILE *f = fopen(path, "r");
	while (f != NULL && n < most && fgets(line, sizeof line, f) != NULL) {
		if (strstr(line, " room_starting ") == NULL ||
		    (at = strstr(line, " pid=")) == NULL)
			continue;
		pid_t p = (pid_t)atoi(at + 5);
		if (p > 0 && !has(pid, n, p) && is_room(p))
			pid[n++] = p;
	}
	if (f != NULL)
		fclose(f);
	return n;
}

static bool
is_bad(const char *line)
{
	static const char *const bad[] = { "assert", "Sanitizer",
		"runtime error:", "core dumped" };

	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (strstr(line, bad[i]) != NULL)
			return true;
	return strncmp(line, "==", 2) == 0 || /* so valgrind speaks */
	       /* who leaves by itself has not died */
	       (strstr(line, " error room_died ") != NULL &&
		   strstr(line, " exit=0 ") != NULL);
}

static bool
log_is_clean(const struct site *s)
{
	char path[100], line[2000];
	bool clean = true;

	snprintf(path, sizeof path, "%s/log", s->dir);
	FILE *f = fopen(path, "r");
	if (f == NULL)
		return false;
	while (fgets(line, sizeof line, f) != NULL)
		if (is_bad(line)) {
			fprintf(stderr, "bad news: %s", line);
			clean = false;
		}
	fclose(f);
	return clean;
}

bool
site_stop(struct site *s)
{
	pid_t pid[SITE_PIDS];
	int status = 0;
	bool well = true;

	if (s->pid == 0)
		return false;
	int n = family(s, pid, SITE_PIDS);
	kill(s->pid, SIGTERM);
	if (!child_ends(s->pid, STOP_MS * site_patience(), &status)) {
		fprintf(stderr, "%s did not stop in %d ms\n", s->name, STOP_MS);
		kill(s->pid, SIGKILL);
		child_ends(s->pid, STOP_MS, &status);
		/* Children outlive a killed keeper: these are its own. */
		for (int i = 0; i < n; i++)
			kill(pid[i], SIGKILL);
		well = false;
	} else if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		fprintf(stderr, "%s ended with status %#x\n", s->name, status);
		well = false;
	}
	s->pid = 0;
	child_is_over(s);
	well = log_is_clean(s) && well;
	if (!well)
		site_show_log(s);
	return well;
}

static bool
kill_keeper(struct site *s)
{
	if (s->pid == 0 || kill(s->pid, SIGKILL) != 0 ||
	    !child_ends(s->pid, STOP_MS, NULL))
		return false;
	s->pid = 0;
	child_is_over(s);
	return true;
}

bool
site_new_keeper(struct site *s)
{
	if (!kill_keeper(s))
		return false;
	launch(s);
	return true;
}

bool
site_again(struct site *s, struct ua_world *w, const char *with)
{
	pid_t pid;

	if (!kill_keeper(s))
		return false;
	for (int nth = 0; with != NULL && (pid = site_child(s, with, nth)) != 0;
	     nth++)
		kill(pid, SIGKILL);
	(void)ua_run(w, DOWN_MS, NULL, NULL);
	return site_start(s, w);
}

bool
site_reopen(struct site *s, struct ua_world *w)
{
	int64_t end = ua_now() + STOP_MS * site_patience() * INT64_C(1000);
	int status = -1;

	if (s->pid == 0 || kill(s->pid, SIGTERM) != 0)
		return false;
	while (!child_ends(s->pid, 0, &status) && ua_now() < end)
		(void)ua_run(w, 20, NULL, NULL);
	if (status != 0)
		return false;
	s->pid = 0;
	child_is_over(s);
	return log_is_clean(s) && site_start(s, w);
}

/* To its end, while the world goes on. */
static bool
run_to_end(
    struct site *s, struct ua_world *w, char *const *argv, const char *log)
{
	int64_t end = ua_now() + READY_MS * site_patience() * INT64_C(1000);
	pid_t pid = child_start(argv, NULL, log, -1, SIGKILL);
	int status = -1;

	while (!child_ends(pid, 0, &status) && ua_now() < end)
		if (s->pass != NULL)
			s->pass(20);
		else
			(void)ua_run(w, 20, NULL, NULL);
	if (status != 0)
		file_show(log, argv[0]);
	return status == 0;
}

/* All that speak. */
static bool
let_speak_otherwise(const char *build)
{
	static const char *const program[] = { "sbin/holdfastd",
		"libexec/holdfast/hf-call", "libexec/holdfast/hf-media",
		"libexec/holdfast/hf-rec", "libexec/holdfast/hf-sip",
		"libexec/holdfast/hf-store" };
	char path[400];

	for (size_t i = 0; i < sizeof program / sizeof *program; i++) {
		snprintf(path, sizeof path, "%s/%s", build, program[i]);
		if (!speak_otherwise(path))
			return false;
	}
	return true;
}

bool
site_upgrade(struct site *s, struct ua_world *w)
{
	char hfctl[300], socket[100], to[100], log[100], copy[800];
	char *copying[] = { (char *)"/bin/sh", (char *)"-c", copy, NULL };
	char *upgrading[] = { hfctl, (char *)"--socket", socket,
		(char *)"upgrade", (char *)"--to", to, NULL };

	snprintf(hfctl, sizeof hfctl, "%s", site_stage("bin/hfctl"));
	snprintf(socket, sizeof socket, "%s/run/control", s->dir);
	snprintf(to, sizeof to, "%s/build-%d", s->dir, ++s->builds);
	snprintf(log, sizeof log, "%s/upgrade.log", s->dir);
	snprintf(copy, sizeof copy,
	    "mkdir '%s' && cd '%s' && cp -r sbin libexec '%s'", to,
	    site_stage("."), to);
	/* There and back: one build's number differs from the other's. */
	return run_to_end(s, w, copying, log) &&
	       (s->builds % 2 == 0 || let_speak_otherwise(to)) &&
	       run_to_end(s, w, upgrading, log);
}

static void
remove_below(const char *dir)
{
	DIR *d = opendir(dir);
	char path[600];

	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
		if (unlink(path) != 0)
			remove_below(path);
	}
	if (d != NULL)
		closedir(d);
	rmdir(dir);
}

void
site_free(struct site *s)
{
	if (s == NULL)
		return;
	if (s->pid != 0)
		site_stop(s);
	if (getenv("HF_KEEP") != NULL)
		fprintf(stderr, "kept: %s\n", s->dir);
	else {
		remove_below(s->dir);
		if (s->run[0] != '\0')
			remove_below(s->run);
	}
	free(s->key);
	free(s);
}

int
site_ctl(const struct site *s, const char *words, char *out, size_t cap)
{
	char command[1200];
	size_t n = 0;

	snprintf(command, sizeof command,
	    "'%s' --socket '%s/run/control' %s 2>&1", site_stage("bin/hfctl"),
	    s->dir, words);
	FILE *f = popen(command, "r");
	if (f == NULL)
		return -1;
	for (size_t k; n + 1 < cap && (k = fread(out + n, 1, cap - 1 - n, f));)
		n += k;
	if (cap > 0)
		out[n] = '\0';
	while (getc(f) != EOF)
		continue;
	int status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

bool
site_reload(struct site *s)
{
	char said[400];

	file_write(s, "holdfast.yaml", NULL, 0644);
	if (site_ctl(s, "reload", said, sizeof said) == 0)
		return true;
	fprintf(stderr, "hfctl reload: %s\n", said);
	return false;
}

pid_t
site_child(const struct site *s, const char *name, int nth)
{
	pid_t pid[SITE_PIDS];
	char text[1024];
	int n = family(s, pid, SITE_PIDS);

	for (int i = 0; i < n; i++)
		if (pid[i] != s->pid &&
		    proc_read(pid[i], "comm", text, sizeof text) &&
		    strncmp(text, name, strlen(name)) == 0 && nth-- == 0)
			return pid[i];
	return 0;
}

int64_t
site_cpu(const struct site *s)
{
	pid_t pid[SITE_PIDS];
	char text[1024];
	int n = family(s, pid, SITE_PIDS);
	int64_t ticks = 0;

	for (int i = 0; i < n; i++) {
		long long u = 0, k = 0;
		if (!proc_read(pid[i], "stat", text, sizeof text))
			continue;
		const char *at = strrchr(text, ')');
		if (at != NULL &&
		    sscanf(at,
			") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
			"%lld %lld",
			&u, &k) == 2)
			ticks += u + k;
	}
	return ticks * 1000000 / sysconf(_SC_CLK_TCK);
}

void
site_mark(const struct site *s, struct site_mark *m)
{
	m->n = family(s, m->pid, SITE_PIDS - 1);
	m->pid[m->n++] = getpid();
	for (int i = 0; i < m->n; i++)
		m->us[i] = child_waited(m->pid[i]);
}

int64_t
site_waited(const struct site *s, const struct site_mark *then)
{
	struct site_mark now;
	int64_t us = 0;

	site_mark(s, &now);
	for (int i = 0; i < now.n; i++) {
		us += now.us[i];
		for (int k = 0; k < then->n; k++)
			if (then->pid[k] == now.pid[i])
				us -= then->us[k];
	}
	return us;
}

int64_t
site_memory(const struct site *s)
{
	pid_t pid[SITE_PIDS];
	char text[1024];
	int n = family(s, pid, SITE_PIDS);
	int64_t pages = 0;

	for (int i = 0; i < n; i++) {
		long long r = 0;
		if (proc_read(pid[i], "statm", text, sizeof text) &&
		    sscanf(text, "%*d %lld", &r) == 1)
			pages += r;
	}
	return pages * sysconf(_SC_PAGESIZE) / 1024;
}

void
site_show_log(const struct site *s)
{
	char path[100];

	snprintf(path, sizeof path, "%s/log", s->dir);
	file_show(path, s->name);
}
