#include "tests/interop/peer.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/voice.h"

enum {
	STOP_MS = 3000,
	POLL_US = 5000,
	LISTEN_MS = 5000,
	PEERS = 16,
	WAV_HEAD = 44,
	WAV_RATE = 24, /* where a wav file says its rate and its bits */
	WAV_BITS = 34,
	WAV_CHANNELS = 22,
	LEVELS = 10,
	LEVEL_FIRST = 6,
	FRAMES_A_SECOND = VOICE_RATE / VOICE_FRAME,
};

/* Peers that are up; none outlives the test. */
static struct peer *up[PEERS];

static void
stop_all(void)
{
	for (size_t i = 0; i < PEERS; i++)
		if (up[i] != NULL)
			peer_stop(up[i]);
}

static void
up_note(struct peer *old, struct peer *new)
{
	static bool registered;

	if (!registered)
		atexit(stop_all);
	registered = true;
	for (size_t i = 0; i < PEERS; i++)
		if (up[i] == old) {
			up[i] = new;
			return;
		}
}

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

void
peer_start(struct peer *p, char *const *argv)
{
	int in[2];

	if (pipe2(in, O_CLOEXEC) != 0 || (p->pid = fork()) < 0) {
		perror(argv[0]);
		exit(99);
	}
	if (p->pid != 0) {
		close(in[0]);
		p->in = in[1];
		up_note(NULL, p);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	int fd = open(p->log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(in[0], 0);
	dup2(fd, 1);
	dup2(fd, 2);
	for (int i = 3; i < 1024; i++)
		close(i);
	setenv("HOME", p->dir, 1);
	if (chdir(p->dir) == 0)
		execv(argv[0], argv);
	_exit(127);
}

void
peer_say(struct peer *p, const char *fmt, ...)
{
	char line[600];
	va_list a;

	va_start(a, fmt);
	int n = vsnprintf(line, sizeof line - 1, fmt, a);
	va_end(a);
	line[n++] = '\n';
	/* One that has died already is noticed by what does not happen. */
	signal(SIGPIPE, SIG_IGN);
	if (p->in < 0 || write(p->in, line, (size_t)n) != n)
		fprintf(stderr, "%s does not listen\n", p->name);
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
peer_logged(const struct peer *p, const char *text)
{
	char line[4000];
	bool found = false;
	FILE *f = fopen(p->log, "r");

	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = strstr(line, text) != NULL;
	if (f != NULL)
		fclose(f);
	return found;
}

static bool
listens(const char *table, const char *end)
{
	char line[300];
	bool found = false;
	FILE *f = fopen(table, "r");

	while (f != NULL && !found && fgets(line, sizeof line, f) != NULL)
		found = strstr(line, end) != NULL;
	if (f != NULL)
		fclose(f);
	return found;
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
		if (listens(tcp ? "/proc/net/tcp" : "/proc/net/udp", end))
			return true;
		usleep(POLL_US);
	}
	fprintf(stderr, "nobody listens at %s:%d\n", ip, port);
	return false;
}

void
peer_show_log(const struct peer *p)
{
	char line[4000];
	FILE *f = fopen(p->log, "r");

	fprintf(stderr, "---- log of %s ----\n", p->name);
	while (f != NULL && fgets(line, sizeof line, f) != NULL)
		fputs(line, stderr);
	fprintf(stderr, "---- end ----\n");
	if (f != NULL)
		fclose(f);
}

bool
peer_ended(struct peer *p, int *status)
{
	int s;

	if (p->pid == 0 || waitpid(p->pid, &s, WNOHANG) != p->pid)
		return false;
	p->pid = 0;
	close(p->in);
	p->in = -1;
	up_note(p, NULL);
	*status = WIFEXITED(s) ? WEXITSTATUS(s) : 255;
	return true;
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
		for (int ms = 0; ms < STOP_MS; ms += POLL_US / 1000) {
			if (peer_ended(p, &status))
				return true;
			usleep(POLL_US);
		}
	}
	return false;
}

/* ---- voices
 * ---------------------------------------------------------------------- */

static void
put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void
voice_file(const char *path, int voice, int seconds, bool wav)
{
	static const uint8_t form[] = { 16, 0, 0, 0, 1, 0, 1, 0, 0x40, 0x1f, 0,
		0, 0x80, 0x3e, 0, 0, 2, 0, 16, 0, 'd', 'a', 't', 'a' };
	uint8_t head[WAV_HEAD] = "RIFF....WAVEfmt ", mu[VOICE_FRAME];
	int frames = seconds * FRAMES_A_SECOND;
	uint32_t n = (uint32_t)frames * VOICE_FRAME * 2;
	FILE *f = fopen(path, "wb");

	if (f == NULL) {
		perror(path);
		exit(99);
	}
	memcpy(head + 16, form, sizeof form);
	put32(head + 4, n + 36);
	put32(head + 40, n);
	if (wav)
		fwrite(head, 1, sizeof head, f);
	for (int i = 0; i < frames; i++) {
		voice_speak(VOICE_PCMU, voice, LEVEL_FIRST + i * 7 % LEVELS, 0,
		    mu, sizeof mu);
		for (size_t k = 0; wav && k < sizeof mu; k++) {
			int16_t v = voice_decode(VOICE_PCMU, mu[k]);
			fwrite(&v, sizeof v, 1, f);
		}
		if (!wav)
			fwrite(mu, 1, sizeof mu, f);
	}
	fclose(f);
}

void
peer_voice_wav(const char *path, int voice, int seconds)
{
	voice_file(path, voice, seconds, true);
}

void
peer_voice_ulaw(const char *path, int voice, int seconds)
{
	voice_file(path, voice, seconds, false);
}

int
peer_recorded(const char *path, int voice)
{
	uint8_t head[WAV_HEAD], mu[VOICE_FRAME];
	int16_t x[48 * 20 * 2];
	uint32_t rate;
	int found = 0;
	FILE *f = fopen(path, "rb");

	if (f == NULL)
		return 0;
	if (fread(head, 1, sizeof head, f) != sizeof head) {
		fclose(f);
		return 0;
	}
	memcpy(&rate, head + WAV_RATE, sizeof rate);
	size_t step = rate / VOICE_RATE * head[WAV_CHANNELS];
	if (step == 0 || step > 12 || head[WAV_BITS] != 16) {
		fprintf(stderr, "%s: %u Hz, %d channels, %d bits\n", path, rate,
		    head[WAV_CHANNELS], head[WAV_BITS]);
		fclose(f);
		return 0;
	}
	/* Nothing of ours is above 1.6 kHz, so every so many samples will do.
	 */
	while (
	    fread(x, sizeof *x, step * VOICE_FRAME, f) == step * VOICE_FRAME) {
		for (size_t i = 0; i < VOICE_FRAME; i++)
			mu[i] = voice_encode(VOICE_PCMU, x[i * step]);
		found += voice_whose(VOICE_PCMU, mu, VOICE_FRAME) == voice;
	}
	fclose(f);
	return found;
}
