/*
 * The torture messages of RFC 4475 and RFC 5118, sent to a running house: each
 * gets the answer that its section asks for, none is followed by silence.  The
 * table beside the messages' insides is tests/unit/sip_torture_test.c; here
 * stands what the whole house makes of those that are well-formed.
 */

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/lib/site.h"

#define LEN(a) (sizeof(a) / sizeof((a)[0]))

enum {
	SILENCE = 0,
	PORTS = 5,
	FILE_MAX = 8192,
	ANSWER_MS = 500,
	SILENCE_MS = 150,
	SKIP_CODE = 77,
};

static const struct row {
	const char *file;
	int udp, tcp; /* a status, or SILENCE */
	bool closed;  /* ... and TCP's connection is ended */
} rows[] = {
	/* Well-formed: nobody here has that number, 404; a REGISTER is asked
	 * who it is, 401; a BYE of no call, 481. */
	/* it has a To tag, and so is for a call that there is not */
	{ "rfc4475/wsinv.dat", 481, 481 },
	{ "rfc4475/intmeth.dat", 501, 501 },
	{ "rfc4475/esc01.dat", 404, 404 },
	{ "rfc4475/escnull.dat", 401, 401 },
	{ "rfc4475/esc02.dat", 501, 501 },
	{ "rfc4475/lwsdisp.dat", 200, 200 },
	{ "rfc4475/longreq.dat", 404, 404 },
	/* over TCP both are heard; the second one's length is short of its
	 * body, and what is left begins no message */
	{ "rfc4475/dblreq.dat", 401, 401, true },
	{ "rfc4475/semiuri.dat", 200, 200 },
	{ "rfc4475/transports.dat", 200, 200 },
	{ "rfc4475/mpart01.dat", 405, 405 },
	{ "rfc4475/unreason.dat", SILENCE, SILENCE },
	{ "rfc4475/noreason.dat", SILENCE, SILENCE },
	/* Malformed. */
	{ "rfc4475/badinv01.dat", 400, 400 },
	/* more is to come, for all that TCP can know */
	{ "rfc4475/clerr.dat", 400, SILENCE },
	{ "rfc4475/ncl.dat", 400, 400, true },
	{ "rfc4475/scalar02.dat", 400, 400 },
	{ "rfc4475/scalarlg.dat", SILENCE, SILENCE },
	{ "rfc4475/quotbal.dat", 400, 400 },
	{ "rfc4475/ltgtruri.dat", 400, 400 },
	{ "rfc4475/lwsruri.dat", 400, 400 },
	{ "rfc4475/lwsstart.dat", 400, 400 },
	{ "rfc4475/trws.dat", 400, 400 },
	{ "rfc4475/escruri.dat", 400, 400 },
	{ "rfc4475/baddate.dat", 404, 404 },
	{ "rfc4475/regbadct.dat", 400, 400 },
	{ "rfc4475/badaspec.dat", 400, 400 },
	{ "rfc4475/baddn.dat", 400, 400 },
	{ "rfc4475/badvers.dat", 505, 505 },
	{ "rfc4475/mismatch01.dat", 400, 400 },
	{ "rfc4475/mismatch02.dat", 400, 400 },
	{ "rfc4475/bigcode.dat", SILENCE, SILENCE },
	{ "rfc4475/badbranch.dat", 200, 200 },
	/* For the layers above. */
	{ "rfc4475/insuf.dat", 400, 400 },
	{ "rfc4475/unkscm.dat", 416, 416 },
	{ "rfc4475/novelsc.dat", 416, 416 },
	{ "rfc4475/unksm2.dat", 401, 401 },
	{ "rfc4475/bext01.dat", 420, 420 },
	{ "rfc4475/invut.dat", 415, 415 },
	{ "rfc4475/regaut01.dat", 401, 401 },
	{ "rfc4475/multi01.dat", 400, 400 },
	{ "rfc4475/mcl01.dat", 400, 400, true },
	{ "rfc4475/bcast.dat", SILENCE, SILENCE },
	{ "rfc4475/zeromf.dat", 200, 200 },
	{ "rfc4475/cparam01.dat", 401, 401 },
	{ "rfc4475/cparam02.dat", 401, 401 },
	{ "rfc4475/regescrt.dat", 401, 401 },
	{ "rfc4475/sdp01.dat", 406, 406 },
	/* no length: RFC 3261 20.14 */
	{ "rfc4475/inv2543.dat", 404, SILENCE, true },
	{ "rfc5118/ipv6-good", 401, 401 },
	{ "rfc5118/ipv6-bad", 400, 400 },
	{ "rfc5118/port-ambiguous", 401, 401 },
	{ "rfc5118/port-unambiguous", 401, 401 },
	{ "rfc5118/via-received-param-with-delim", 481, 481 },
	{ "rfc5118/via-received-param-no-delim", 200, 200 },
	/* its offer is G.726 alone; the other one's too */
	{ "rfc5118/ipv6-in-sdp", 488, 488 },
	{ "rfc5118/mult-ip-in-header", 481, 481 },
	{ "rfc5118/mult-ip-in-sdp", 404, 404 },
	{ "rfc5118/ipv4-mapped-ipv6", 488, 488 },
	{ "rfc5118/ipv6-bug-abnf-3-colons", 200, 200 },
	{ "rfc5118/ipv6-correct-abnf-2-colons", 200, 200 },
};

/* Where their Vias want the answers: an answer without rport goes to the port
 * of sent-by, so we listen there. */
static const int ports[PORTS] = { 5060, 5050, 5070, 6050, 19823 };
static struct pollfd in[PORTS];
static struct sockaddr_in house;
static const char *corpora;
static char text[2 * FILE_MAX];
static size_t text_n;

static bool
listen_for_answers(const char *ip)
{
	for (int i = 0; i < PORTS; i++) {
		struct sockaddr_in at = { .sin_family = AF_INET,
			.sin_port = htons((uint16_t)ports[i]) };

		inet_pton(AF_INET, ip, &at.sin_addr);
		in[i] = (struct pollfd){ .fd = socket(AF_INET,
					     SOCK_DGRAM | SOCK_CLOEXEC, 0),
			.events = POLLIN };
		if (bind(in[i].fd, (struct sockaddr *)&at, sizeof(at)) != 0) {
			perror("bind");
			return false;
		}
	}
	return true;
}

/* ---- the messages -------------------------------------------------------- */

static void
replace(const char *what, const char *by)
{
	char *at = memmem(text, text_n, what, strlen(what));

	if (at != NULL && strlen(what) == strlen(by))
		memcpy(at, by, strlen(by));
}

static bool
load(const struct row *row, int number)
{
	char path[512], raw[FILE_MAX], other[32];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/sip/%s", corpora, row->file);
	f = fopen(path, "rb");
	if (f == NULL)
		return false;
	n = fread(raw, 1, sizeof(raw), f);
	fclose(f);
	text_n = 0;
	for (size_t i = 0; i < n; i++) {
		/* Those of RFC 5118 have lost their CRs; a binary body of
		 * RFC 4475 keeps its bytes. */
		if (raw[i] == '\n' && (i == 0 || raw[i - 1] != '\r') &&
		    strncmp(row->file, "rfc5118", 7) == 0)
			text[text_n++] = '\r';
		text[text_n++] = raw[i];
	}
	if (memmem(text, text_n, "\r\n\r\n", 4) == NULL) {
		memcpy(text + text_n, "\r\n", 2);
		text_n += 2;
	}
	/* RFC 5118 uses one branch and one Call-ID for many: they would be
	 * taken for one request sent again, or come by two ways.  One
	 * Content-Length is too large. */
	snprintf(other, sizeof(other), "z9hG4bKas3-%03d", number + 200);
	replace("z9hG4bKas3-111", other);
	snprintf(other, sizeof(other), "@hlau_4%03d", number);
	replace("@hlau_4100", other);
	if (strcmp(row->file, "rfc5118/ipv6-in-sdp") == 0)
		replace("Content-Length: 268", "Content-Length: 251");
	return true;
}

/* The Call-ID line's value, whichever of its names it has: they differ from
 * message to message.  NULs may be anywhere before it. */
static void
call_id_of(const char *p, size_t n, char *to, size_t cap)
{
	static const char *const names[] = { "Call-ID:", "I:" };

	to[0] = '\0';
	for (const char *end = p + n, *line = p; line < end;) {
		const char *lf = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((lf != NULL ? lf : end) - line);

		for (size_t i = 0; i < LEN(names); i++) {
			size_t name = strlen(names[i]);

			if (len <= name || strncasecmp(line, names[i], name))
				continue;
			line += name;
			line += strspn(line, " ");
			snprintf(
			    to, cap, "%.*s", (int)strcspn(line, "\r\n"), line);
			return;
		}
		line += len + 1;
	}
}

/* ---- answers ------------------------------------------------------------- */

/* The status of the next final answer with that Call-ID, or SILENCE. */
static int
answer(const char *call_id, int wait_ms)
{
	char got[65536], id[512];

	while (poll(in, PORTS, wait_ms) > 0) {
		for (int i = 0; i < PORTS; i++) {
			ssize_t n;
			int status;

			if (!(in[i].revents & POLLIN))
				continue;
			n = recv(in[i].fd, got, sizeof(got) - 1, 0);
			if (n <= 0)
				continue;
			got[n] = '\0';
			/* Earlier refusals come again until they are ACKed. */
			call_id_of(got, (size_t)n, id, sizeof(id));
			if (sscanf(got, "SIP/2.0 %d", &status) == 1 &&
			    status >= 200 && strcmp(id, call_id) == 0)
				return status;
		}
	}
	return SILENCE;
}

static void
send_text(const char *p, size_t n)
{
	if (sendto(in[0].fd, p, n, 0, (struct sockaddr *)&house,
		sizeof(house)) != (ssize_t)n)
		perror("sendto");
}

/* Does it still answer one who asks politely? */
static bool
lives(const char *ip, int number)
{
	char ask[1024], id[64];

	snprintf(id, sizeof(id), "alive-%d", number);
	snprintf(ask, sizeof(ask),
	    "OPTIONS sip:%s SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP %s:5060;branch=z9hG4bKalive%d\r\n"
	    "Max-Forwards: 70\r\nFrom: <sip:t@%s>;tag=%d\r\n"
	    "To: <sip:%s>\r\nCall-ID: %s\r\nCSeq: 1 OPTIONS\r\n"
	    "Content-Length: 0\r\n\r\n",
	    ip, ip, number, ip, number, ip, id);
	send_text(ask, strlen(ask));
	return answer(id, ANSWER_MS) == 200;
}

static bool
play(const struct row *row, int number, const char *ip)
{
	char call_id[512];
	int got;

	if (!load(row, number)) {
		printf("FAIL %s: cannot be read\n", row->file);
		return false;
	}
	call_id_of(text, text_n, call_id, sizeof(call_id));
	send_text(text, text_n);
	got = answer(call_id, row->udp == SILENCE ? SILENCE_MS : ANSWER_MS);
	if (got != row->udp) {
		printf("FAIL %s: got %d, want %d\n", row->file, got, row->udp);
		return false;
	}
	if (!lives(ip, number)) {
		printf("FAIL %s: no answer to OPTIONS after it\n", row->file);
		return false;
	}
	return true;
}

/* What came down that connection within so long: the first final answer, and
 * whether it was ended. */
static int
stream_answer(int fd, const struct row *row, bool *closed)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static char got[65536];
	size_t n = 0;
	int status = SILENCE;

	*closed = false;
	/* As long as it takes for what is wanted, and a little for more. */
	while (poll(&p, 1,
		   (status == row->tcp && *closed == row->closed)
		       ? SILENCE_MS
		       : ANSWER_MS) > 0) {
		ssize_t more = recv(fd, got + n, sizeof(got) - 1 - n, 0);

		*closed = more <= 0;
		if (more <= 0)
			break;
		n += (size_t)more;
		got[n] = '\0';
		for (const char *at = got;
		     status == SILENCE && at != NULL && *at != '\0';
		     at = strstr(at + 1, "SIP/2.0 "))
			if (sscanf(at, "SIP/2.0 %d", &status) != 1 ||
			    status < 200)
				status = SILENCE;
	}
	return status;
}

/* The same bytes down a connection of their own, in two pieces.  What cannot be
 * cut into messages ends the connection, and where it is the length that is
 * wrong hears 400 before (RFC 4475 3.1.2.3, 3.3.9); what is not all there waits
 * (RFC 3261 18.3); the house goes on. */
static bool
play_stream(const struct row *row, int number, const char *ip)
{
	struct sockaddr_in me = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), got = -1;
	bool ok, closed = false;

	inet_pton(AF_INET, ip, &me.sin_addr);
	ok = load(row, number) &&
	     bind(fd, (struct sockaddr *)&me, sizeof(me)) == 0 &&
	     connect(fd, (struct sockaddr *)&house, sizeof(house)) == 0 &&
	     send(fd, text, text_n / 2, MSG_NOSIGNAL) > 0;
	/* It may have hung up on the first half already. */
	if (ok) {
		(void)!send(
		    fd, text + text_n / 2, text_n - text_n / 2, MSG_NOSIGNAL);
		got = stream_answer(fd, row, &closed);
	}
	close(fd);
	if (got != row->tcp || closed != row->closed) {
		printf("FAIL %s over TCP: got %d%s, want %d%s\n", row->file,
		    got, closed ? " and the end" : "", row->tcp,
		    row->closed ? " and the end" : "");
		ok = false;
	}
	if (!lives(ip, number + 1000)) {
		printf("FAIL %s over TCP: no answer to OPTIONS after it\n",
		    row->file);
		ok = false;
	}
	return ok;
}

/* Each end has its reason in the count. */
static bool
ends_are_counted(const struct site *s)
{
	static char said[20000];
	const char *at;
	int want = 0, got = -1;

	for (size_t i = 0; i < LEN(rows); i++)
		want += rows[i].closed;
	(void)site_ctl(s, "--json sip", said, sizeof(said));
	at = strstr(said, "\"tcp_garbled\"");
	if (at == NULL ||
	    sscanf(at, "\"tcp_garbled\", \"value\": %d", &got) != 1)
		got = -1;
	if (got != want)
		printf("FAIL tcp_garbled is %d, want %d\n", got, want);
	return got == want;
}

static bool
corpus_found(void)
{
	corpora = getenv("HF_CORPORA");
	if (corpora != NULL && load(&rows[0], 0))
		return true;
	printf("skipped: HF_CORPORA (%s) has no sip/rfc4475\n",
	    corpora != NULL ? corpora : "not set");
	return false;
}

int
main(void)
{
	struct ua_world *w;
	struct site *s;
	const char *ip;
	int passed = 0, failed = 0;

	if (!corpus_found())
		return SKIP_CODE;
	w = ua_world_new();
	s = site_new("lyon", false);
	if (s == NULL)
		return SKIP_CODE;
	ip = site_address(SITE_TRUNK, 9);
	if (!listen_for_answers(ip) || !site_start(s, w))
		return EXIT_FAILURE;
	house = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons((uint16_t)s->port) };
	inet_pton(AF_INET, s->ip, &house.sin_addr);
	for (size_t i = 0; i < LEN(rows); i++)
		play(&rows[i], (int)i, ip) ? passed++ : failed++;
	/* A house that has not heard them yet: they would be repetitions, and
	 * answered where they came from first. */
	site_stop(s) ? passed++ : failed++;
	if (!site_start(s, w))
		return EXIT_FAILURE;
	for (size_t i = 0; i < LEN(rows); i++)
		play_stream(&rows[i], (int)i, ip) ? passed++ : failed++;
	ends_are_counted(s) ? passed++ : failed++;
	/* Nothing may have asserted on the way. */
	site_stop(s) ? passed++ : failed++;
	site_free(s);
	printf("%d passed, %d failed, 0 skipped\n", passed, failed);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
