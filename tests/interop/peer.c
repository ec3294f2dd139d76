#include "tests/interop/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/child.h"
#include "tests/lib/voice.h"

enum {
	STOP_MS = 3000,
	POLL_US = 5000,
	LISTEN_MS = 5000,
	LEVELS = 10,
	LEVEL_FIRST = 6,
	FRAMES_A_SECOND = VOICE_RATE / VOICE_FRAME,
};

const char *
peer_program(const char *name)
{
	static const char *const where[] = { "/usr/bin", "/usr/sbin",
		"/usr/local/bin" };
	static char path[100];

	for (size_t i = 0; i < sizeof where / sizeof *where; i++) {
		snprintf(path, sizeof path, "%s/%s", where[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	printf("skipped: %s is not installed\n", name);
	return NULL;
}

void
peer_dir(const struct scene *s, struct peer *p, const char *name)
{
	*p = (struct peer){ .in = -1 };
	snprintf(p->name, sizeof p->name, "%s", name);
	snprintf(p->dir, sizeof p->dir, "%s/%s", s->dir, name);
	snprintf(p->log, sizeof p->log, "%s/log", p->dir);
	mkdir(p->dir, 0755);
}

static void
stop(void *peer)
{
	peer_stop(peer);
}

void
peer_start(struct peer *p, char *const *argv)
{
	int in[2];

	if (pipe2(in, O_CLOEXEC) != 0) {
		perror(argv[0]);
		exit(99);
	}
	p->pid = child_start(argv, p->dir, p->log, in[0], SIGKILL);
	close(in[0]);
	p->in = in[1];
	child_at_end(stop, p);
}

void
peer_file(const struct peer *p, const char *name, const char *fmt, ...)
{
	char path[200];
	va_list a;

	snprintf(path, sizeof path, "%s/%s", p->dir, name);
	FILE *f = fopen(path, "w");
	if (f == NULL) {
		perror(path);
		exit(99);
	}
	va_start(a, fmt);
	vfprintf(f, fmt, a);
	va_end(a);
	fclose(f);
}

bool
peer_listens(const char *ip, int port, bool tcp)
{
	struct in_addr at;
	char end[40];

	inet_pton(AF_INET, ip, &at);
	/* "local remote", the remote of a listener being nobody */
	snprintf(end, sizeof end, ": %08X:%04X 00000000:0000", at.s_addr, port);
	for (int ms = 0; ms < LISTEN_MS; ms += POLL_US / 1000) {
		if (file_says(tcp ? "/proc/net/tcp" : "/proc/net/udp", end))
			return true;
		usleep(POLL_US);
	}
	fprintf(stderr, "nobody listens at %s:%d\n", ip, port);
	return false;
}

/* Within so long. */
static bool
ends(struct peer *p, int64_t ms, int *status)
{
	int s;

	if (p->pid == 0 || !child_ends(p->pid, ms, &s))
		return false;
	p->pid = 0;
	close(p->in);
	p->in = -1;
	child_is_over(p);
	*status = WIFEXITED(s) ? WEXITSTATUS(s) : 255;
	return true;
}

bool
peer_ended(struct peer *p, int *status)
{
	return ends(p, 0, status);
}

bool
peer_stop(struct peer *p)
{
	static const int signals[] = { SIGTERM, SIGKILL };
	int status = 0;

	if (p->pid == 0)
		return true;
	if (peer_ended(p, &status))
		return status == 0;
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
		kill(p->pid, signals[i]);
		if (ends(p, STOP_MS, &status))
			return true;
	}
	return false;
}

void
peer_voice_ulaw(const char *path, int voice, int seconds)
{
	uint8_t mu[VOICE_FRAME];
	FILE *f = fopen(path, "wb");

	if (f == NULL) {
		perror(path);
		exit(99);
	}
	for (int i = 0; i < seconds * FRAMES_A_SECOND; i++) {
		voice_speak(VOICE_PCMU, voice, LEVEL_FIRST + i * 7 % LEVELS, 0,
		    mu, sizeof mu);
		fwrite(mu, 1, sizeof mu, f);
	}
	fclose(f);
}
