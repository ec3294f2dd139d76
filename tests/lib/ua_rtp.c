/* What a user agent says and hears. */
#include "tests/lib/ua.h"

#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	RTP_HEADER = 12,
	RTP_MAX = 1500,
	WAV_HEADER = 44,
	LATE_MAX = 64,
	LOOP_FRAMES = 50,      /* 1 s */
	SPURT_US = 600 * 1000, /* UA_SUPPRESSES: talks so long */
	PAUSE_US = 800 * 1000, /* and then not */
	RTCP_EVERY_US = 1000 * 1000,
	BEHIND_MAX_US = 500 * 1000, /* our own stall: do not catch up */
	DIGIT_PACKETS = 8,
	DIGIT_ENDS = 3,
	DIGIT_GAP = 5, /* packets' time between two digits */
	RTCP_SR = 200,
	NTP_UNIX = 2208988800u,
};

static const char digits[] = "0123456789*#ABCD";

/* Packets that jitter holds back. */
struct ua_late {
	unsigned n;
	struct {
		int64_t at;
		int len;
		uint8_t p[RTP_MAX];
	} packet[LATE_MAX];
	int64_t last;
};

static socklen_t
length_of(const struct sockaddr_storage *a)
{
	return a->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6)
					: sizeof(struct sockaddr_in);
}

static uint32_t
read32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

static void
write32(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 24);
	p[1] = (uint8_t)(v >> 16);
	p[2] = (uint8_t)(v >> 8);
	p[3] = (uint8_t)v;
}

/* ---- sockets and SDP
 * ------------------------------------------------------------- */

void
ua_media_open(struct ua_call *c)
{
	struct ua_media *m = &c->media;
	struct ua_world *w = c->ua->world;

	if (m->rtp >= 0)
		return;
	m->port = ua_port_take(w, c->ua->ip, &m->rtp, &m->rtcp);
	if (!c->manner.foreign_media) {
		ua_watch(w, m->rtp, c, UA_FD_RTP);
		ua_watch(w, m->rtcp, c, UA_FD_RTCP);
		ua_media_count(w, 1);
	}
	if (m->ssrc == 0) {
		m->ssrc = ua_random(w);
		m->seq = (uint16_t)ua_random(w);
		m->ts = ua_random(w);
		m->frame = ua_random(w) % 100000;
		m->speech = c->manner.speech;
		m->fresh = true;
	}
}

void
ua_media_close(struct ua_call *c)
{
	struct ua_media *m = &c->media;

	if (m->rtp < 0)
		return;
	if (!c->manner.foreign_media) {
		ua_unwatch(c->ua->world, m->rtp);
		ua_unwatch(c->ua->world, m->rtcp);
		ua_media_count(c->ua->world, -1);
	}
	close(m->rtp);
	close(m->rtcp);
	m->rtp = m->rtcp = -1;
}

void
ua_close_media(struct ua *u)
{
	for (struct ua_call *c = u->calls; c != NULL; c = c->next)
		ua_media_close(c);
}

void
ua_open_media(struct ua *u)
{
	for (struct ua_call *c = u->calls; c != NULL; c = c->next)
		if (!c->over && c->media.port != 0)
			ua_media_open(c);
}

int
ua_media_sdp(struct ua_call *c, bool answer, char *out, size_t cap)
{
	const struct ua_manner *w = &c->manner;
	const char *ip = w->nat_ip[0] != '\0' ? w->nat_ip : c->ua->ip;
	const char *kind = strchr(ip, ':') != NULL ? "IP6" : "IP4";
	struct ua_media *m = &c->media;
	const char *direction = c->direction;

	if (answer && strcmp(m->theirs, "sendonly") == 0)
		direction = "recvonly";
	if (answer && strcmp(m->theirs, "recvonly") == 0)
		direction = "sendonly";
	if (answer && strcmp(m->theirs, "inactive") == 0)
		direction = "inactive";
	int n = snprintf(out, cap,
	    "v=0\r\no=- %u %u IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n"
	    "m=audio %d RTP/AVP",
	    m->ssrc >> 1, ++c->sdp_version, kind, ip, kind, ip, m->port);

	if (answer) {
		n += snprintf(out + n, cap - (size_t)n, " %d", m->payload);
	} else {
		for (int i = 0; i < 4 && w->payload[i] >= 0; i++)
			n += snprintf(
			    out + n, cap - (size_t)n, " %d", w->payload[i]);
	}
	int cn = answer ? m->cn : w->cn, dtmf = answer ? m->dtmf : w->dtmf;
	if (cn != 0)
		n += snprintf(out + n, cap - (size_t)n, " %d", cn);
	if (dtmf != 0)
		n += snprintf(out + n, cap - (size_t)n, " %d", dtmf);
	n += snprintf(out + n, cap - (size_t)n,
	    "\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n");
	if (dtmf != 0)
		n += snprintf(out + n, cap - (size_t)n,
		    "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n",
		    dtmf, dtmf);
	if (w->mux)
		n += snprintf(out + n, cap - (size_t)n, "a=rtcp-mux\r\n");
	n += snprintf(out + n, cap - (size_t)n, "a=ptime:%d\r\na=%s\r\n",
	    w->ptime, direction);
	return n;
}

/* The far end's SDP, offer or answer, decides what we send and where to. */
void
ua_media_agree(struct ua_call *c, const char *body)
{
	struct ua_media *m = &c->media;
	struct sdp_text s;
	char text[96];

	sdp_text_read(&s, body);
	if (!s.there || s.ip[0] == '\0')
		return;
	m->payload = -1;
	for (int i = 0; i < s.payloads && m->payload < 0; i++)
		for (int k = 0; k < 4 && c->manner.payload[k] >= 0; k++)
			if (s.payload[i] == c->manner.payload[k])
				m->payload = s.payload[i];
	if (m->payload < 0)
		return;
	m->dtmf = c->manner.dtmf != 0 ? s.dtmf : 0;
	m->cn = c->manner.cn != 0 ? s.cn : 0;
	m->ptime = c->manner.ptime;
	snprintf(text, sizeof text,
	    strchr(s.ip, ':') != NULL ? "[%s]:%d" : "%s:%d", s.ip, s.port);
	m->remote = ua_where(text).to;
	m->remote_rtcp = m->remote;
	((struct sockaddr_in *)&m->remote_rtcp)->sin_port =
	    htons((uint16_t)(s.mux && c->manner.mux ? s.port
			     : s.rtcp != 0          ? s.rtcp
						    : s.port + 1));
	snprintf(m->theirs, sizeof m->theirs, "%s", s.direction);
	m->held = strcmp(s.direction, "sendonly") == 0 ||
		  strcmp(s.direction, "inactive") == 0 ||
		  strcmp(c->direction, "inactive") == 0 ||
		  strcmp(c->direction, "recvonly") == 0;
	if (!m->up) {
		m->up = true;
		m->next = ua_now();
		m->next_rtcp = m->next + RTCP_EVERY_US / 2;
	}
}

/* ---- sending
 * -------------------------------------------------------------------------- */

static void
put_out(struct ua_call *c, const uint8_t *p, int n)
{
	struct ua_media *m = &c->media;

	m->last_sent = ua_now();
	m->sent++;
	if (sendto(m->rtp, p, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL,
		(struct sockaddr *)&m->remote, length_of(&m->remote)) < 0)
		return; /* refused: the far end is gone, which is no fault here
			 */
}

/* Loss and jitter, then the wire. */
static void
packet_send(struct ua_call *c, const uint8_t *p, int n)
{
	struct ua_media *m = &c->media;
	struct ua_world *w = c->ua->world;

	if (c->ua->dead || ua_now() < c->ua->cut_until ||
	    (int)(ua_random(w) % 100) < c->manner.loss_pct)
		return;
	if (c->manner.jitter_ms == 0) {
		put_out(c, p, n);
		return;
	}
	if (m->late == NULL && (m->late = calloc(1, sizeof *m->late)) == NULL)
		abort();
	if (m->late->n == LATE_MAX)
		return;
	double u = (ua_random(w) % 100000 + 1) / 100001.0;
	int64_t at = ua_now() + (int64_t)(-log(u) * c->manner.jitter_ms * 1000);
	/* A path queues; it seldom overtakes. */
	if (at < m->late->last)
		at = m->late->last;
	m->late->last = at;
	m->late->packet[m->late->n].at = at;
	m->late->packet[m->late->n].len = n;
	memcpy(m->late->packet[m->late->n++].p, p, (size_t)n);
}

static void
late_send(struct ua_call *c, int64_t now)
{
	struct ua_late *l = c->media.late;

	while (l != NULL && l->n > 0 && l->packet[0].at <= now) {
		put_out(c, l->packet[0].p, l->packet[0].len);
		memmove(
		    &l->packet[0], &l->packet[1], --l->n * sizeof l->packet[0]);
	}
}

static void
header_put(
    struct ua_media *m, uint8_t *p, int payload, bool marker, uint32_t ts)
{
	p[0] = 0x80;
	p[1] = (uint8_t)(payload | (marker ? 0x80 : 0));
	p[2] = (uint8_t)(m->seq >> 8);
	p[3] = (uint8_t)m->seq;
	write32(p + 4, ts);
	write32(p + 8, m->ssrc);
	m->seq++;
}

/* One event packet; true while a digit is being sent. */
static bool
digit_send(struct ua_call *c, uint32_t samples)
{
	struct ua_media *m = &c->media;
	uint8_t p[RTP_HEADER + 4];
	const char *d;

	if (m->digits[0] == '\0' || m->dtmf == 0)
		return false;
	if (m->digit_step >= DIGIT_PACKETS) {
		if (++m->digit_step == DIGIT_PACKETS + DIGIT_GAP) {
			memmove(m->digits, m->digits + 1, strlen(m->digits));
			m->digit_step = 0;
		}
		return false;
	}
	if ((d = strchr(digits, m->digits[0])) == NULL)
		d = digits;
	if (m->digit_step == 0)
		m->digit_ts = m->ts;
	bool ending = m->digit_step >= DIGIT_PACKETS - DIGIT_ENDS;
	uint32_t steps =
	    ending ? DIGIT_PACKETS - DIGIT_ENDS : (uint32_t)m->digit_step + 1;
	header_put(m, p, m->dtmf, m->digit_step == 0, m->digit_ts);
	p[RTP_HEADER] = (uint8_t)(d - digits);
	p[RTP_HEADER + 1] = (uint8_t)((ending ? 0x80 : 0) | 10);
	p[RTP_HEADER + 2] = (uint8_t)((steps * samples) >> 8);
	p[RTP_HEADER + 3] = (uint8_t)(steps * samples);
	packet_send(c, p, sizeof p);
	m->digit_step++;
	m->fresh = true;
	return true;
}

bool
ua_says(struct ua *u, const char *path)
{
	FILE *f = fopen(path, "rb");
	long n = 0;
	int16_t *wav;
	uint8_t *mu;

	if (f == NULL)
		return false;
	if (fseek(f, 0, SEEK_END) != 0 || (n = ftell(f) - WAV_HEADER) <= 0) {
		fclose(f);
		return false;
	}
	size_t samples = (size_t)n / 2, all = samples + VOICE_RATE;
	wav = malloc((size_t)n);
	mu = malloc(all);
	if (wav == NULL || mu == NULL)
		abort();
	fseek(f, WAV_HEADER, SEEK_SET);
	bool whole = fread(wav, 2, samples, f) == samples;
	fclose(f);
	for (size_t i = 0; i < all; i++)
		mu[i] = voice_encode(VOICE_PCMU, i < samples ? wav[i] : 0);
	free(wav);
	free((void *)(uintptr_t)u->says);
	u->says = mu;
	u->says_n = all;
	return whole;
}

/* Its words, from where it is in them. */
static void
words_fill(struct ua_call *c, enum voice_law law, uint8_t *p, uint32_t samples)
{
	const struct ua *u = c->ua;

	for (uint32_t i = 0; i < samples; i++) {
		uint8_t b = u->says[c->media.said++ % u->says_n];
		p[i] = law == VOICE_PCMU
			   ? b
			   : voice_encode(law, voice_decode(VOICE_PCMU, b));
	}
}

static void
audio_fill(struct ua_call *c, uint8_t *p, uint32_t samples)
{
	struct ua_media *m = &c->media;
	enum voice_law law = m->payload == 8 ? VOICE_PCMA : VOICE_PCMU;
	uint32_t frame = m->frame;

	switch (m->speech) {
	case UA_SILENT:
		memset(p, voice_encode(law, 0), samples);
		break;
	case UA_GARBAGE:
		for (uint32_t i = 0; i < samples; i++)
			p[i] = voice_encode(
			    law, ua_random(c->ua->world) & 1 ? 32000 : -32000);
		break;
	case UA_LOOPS:
		frame %= LOOP_FRAMES;
		/* fall through */
	case UA_TALKS:
	case UA_SUPPRESSES:
	case UA_NOTHING:
		if (c->ua->says != NULL) {
			words_fill(c, law, p, samples);
			break;
		}
		voice_speak(
		    law, c->ua->voice, voice_level(frame), m->ts, p, samples);
		break;
	}
}

/* What is due now: audio, an event, comfort noise or nothing. */
static void
media_send(struct ua_call *c, int64_t now)
{
	struct ua_media *m = &c->media;
	uint32_t samples = (uint32_t)m->ptime * (VOICE_RATE / 1000);
	uint8_t p[RTP_MAX];
	int64_t place = now % (SPURT_US + PAUSE_US);
	bool quiet = m->speech == UA_NOTHING || m->held || c->manner.no_media ||
		     (m->speech == UA_SUPPRESSES && place >= SPURT_US);

	if (!digit_send(c, samples) && !quiet) {
		header_put(m, p, m->payload, m->fresh, m->ts);
		audio_fill(c, p + RTP_HEADER, samples);
		packet_send(c, p, RTP_HEADER + (int)samples);
		m->fresh = false;
	} else if (m->speech == UA_SUPPRESSES && quiet && !m->fresh &&
		   m->cn != 0) {
		header_put(m, p, m->cn, false, m->ts);
		p[RTP_HEADER] = 70; /* -70 dBov, RFC 3389 */
		packet_send(c, p, RTP_HEADER + 1);
		m->fresh = true;
	}
	if (quiet)
		m->fresh = true;
	m->ts += samples;
	m->frame++;
}

/* A sender report with one block about what it hears (RFC 3550 6.4.1). */
static void
rtcp_send(struct ua_call *c, int64_t now)
{
	struct ua_media *m = &c->media;
	const struct ua_heard *h =
	    m->hears > 0 ? &m->heard[m->hears - 1] : NULL;
	uint8_t p[64] = { 0x80, RTCP_SR };
	int n = 28;

	write32(p + 4, m->ssrc);
	write32(p + 8, (uint32_t)(now / 1000000) + NTP_UNIX);
	write32(p + 12, (uint32_t)((now % 1000000) * 4294));
	write32(p + 16, m->ts);
	write32(p + 20, (uint32_t)m->sent);
	write32(p + 24, (uint32_t)m->sent * 160);
	if (h != NULL) {
		p[0] = 0x81;
		write32(p + 28, h->ssrc);
		write32(p + 36, h->seq);
		n += 24;
	}
	p[3] = (uint8_t)(n / 4 - 1);
	if (!c->ua->dead && now >= c->ua->cut_until)
		sendto(c->manner.mux ? m->rtp : m->rtcp, p, (size_t)n,
		    MSG_DONTWAIT | MSG_NOSIGNAL,
		    (struct sockaddr *)&m->remote_rtcp,
		    length_of(&m->remote_rtcp));
}

void
ua_media_turn(struct ua_world *w, int64_t now)
{
	for (struct ua *u = ua_first(w); u != NULL; u = u->next)
		for (struct ua_call *c = u->calls; c != NULL; c = c->next) {
			struct ua_media *m = &c->media;
			if (!m->up || m->rtp < 0 || c->manner.foreign_media)
				continue;
			late_send(c, now);
			if (c->over)
				continue;
			if (now - m->next > BEHIND_MAX_US)
				m->next = now;
			for (; m->next <= now; m->next += m->ptime * 1000)
				media_send(c, m->next);
			if (now >= m->next_rtcp) {
				m->next_rtcp = now + RTCP_EVERY_US;
				rtcp_send(c, now);
			}
		}
}

/* ---- hearing
 * ------------------------------------------------------------------------------
 */

static void
digit_heard(struct ua_call *c, const uint8_t *p, int n, uint32_t ts)
{
	struct ua_media *m = &c->media;

	if (n < 4 || ts == m->last_digit_ts || p[0] >= sizeof digits - 1)
		return;
	m->last_digit_ts = ts;
	ua_note(c, UA_DIGIT, digits[p[0]], NULL);
}

static void
packet_heard(struct ua_call *c, const uint8_t *p, int n, int64_t at)
{
	struct ua_media *m = &c->media;

	if (n < RTP_HEADER || (p[0] & 0xc0) != 0x80)
		return;
	int payload = p[1] & 0x7f, skip = RTP_HEADER + 4 * (p[0] & 0x0f);
	if ((payload >= 72 && payload <= 76) || skip > n) {
		m->rtcp_came++; /* rtcp-mux, RFC 5761 */
		return;
	}
	if (m->hears == m->heard_cap) {
		m->heard_cap = m->heard_cap == 0 ? 512 : 2 * m->heard_cap;
		m->heard = realloc(m->heard, m->heard_cap * sizeof *m->heard);
		if (m->heard == NULL)
			abort();
	}
	struct ua_heard *h = &m->heard[m->hears++];
	*h = (struct ua_heard){ .at = at,
		.seq = (uint16_t)(p[2] << 8 | p[3]),
		.ts = read32(p + 4),
		.ssrc = read32(p + 8),
		.payload = (uint8_t)payload,
		.marker = p[1] >> 7,
		.whose = VOICE_NONE };
	if (payload == 0 || payload == 8)
		h->whose =
		    (int8_t)voice_whose(payload == 8 ? VOICE_PCMA : VOICE_PCMU,
			p + skip, (size_t)(n - skip));
	else if (payload == 13)
		h->whose = VOICE_FAINT;
	else if (payload == m->dtmf || payload == c->manner.dtmf) {
		h->whose = VOICE_EVENT;
		digit_heard(c, p + skip, n - skip, h->ts);
	}
}

void
ua_media_read(struct ua_call *c, bool rtcp)
{
	struct ua_media *m = &c->media;
	uint8_t p[2048], control[256];

	for (int fd = rtcp ? m->rtcp : m->rtp; fd >= 0;) {
		struct iovec v = { p, sizeof p };
		struct msghdr h = { .msg_iov = &v,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof control };
		ssize_t n = recvmsg(fd, &h, MSG_DONTWAIT);
		if (n < 0)
			return;
		if (c->ua->dead || ua_now() < c->ua->cut_until ||
		    c->manner.one_way)
			continue;
		if (rtcp)
			m->rtcp_came++;
		else
			packet_heard(c, p, (int)n, ua_kernel_time(&h));
	}
}

void
ua_press(struct ua_call *c, const char *text)
{
	strncat(c->media.digits, text,
	    sizeof c->media.digits - strlen(c->media.digits) - 1);
}

static bool
is_like(const struct ua_heard *h, int whose)
{
	return whose == VOICE_NONE || h->whose == whose ||
	       (whose == VOICE_FAINT && h->whose == VOICE_SILENT);
}

int64_t
ua_hears(const struct ua_call *c, int whose, int64_t from)
{
	const struct ua_media *m = &c->media;
	size_t lo = 0, hi = m->hears;

	while (lo < hi) { /* the first at or after from */
		size_t mid = (lo + hi) / 2;
		if (m->heard[mid].at < from)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (size_t i = lo; i < m->hears; i++) {
		int n = 0;
		if (!is_like(&m->heard[i], whose))
			continue;
		if (whose == VOICE_NONE)
			return m->heard[i].at;
		for (size_t k = i + 1; k < m->hears && k < i + 3; k++)
			n += is_like(&m->heard[k], whose);
		if (n > 0)
			return m->heard[i].at;
	}
	return -1;
}

int64_t
ua_longest_gap(const struct ua_call *c, int64_t from, int64_t to)
{
	const struct ua_media *m = &c->media;
	int64_t last = from, longest = 0;

	for (size_t i = 0; i < m->hears && m->heard[i].at < to; i++) {
		if (m->heard[i].at < from)
			continue;
		if (m->heard[i].at - last > longest)
			longest = m->heard[i].at - last;
		last = m->heard[i].at;
	}
	return to - last > longest ? to - last : longest;
}
