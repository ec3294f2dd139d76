/* io/sip/ladder - what was said, as a picture in text; see trace.h. */

#include "base/check.h"
#include "io/sip/lex.h"
#include "io/sip/sdp.h"
#include "io/sip/trace.h"

enum {
	PEERS_MAX = 6,
	TIME_WIDTH = 11,
	COLUMN = 24, /* from one line to the next */
	LINE_MAX_WIDTH = TIME_WIDTH + (PEERS_MAX + 1) * COLUMN,
	NOTE_MAX = 160,
};

/* Columns: the first who spoke to us, we, the others in order. */
struct picture {
	struct hf_addr peer[PEERS_MAX];
	unsigned peers;
	int64_t start_us;
	bool mask;
};

static unsigned
column_of_peer(unsigned peer)
{
	return peer == 0 ? 0 : peer + 1;
}

static unsigned
place(unsigned column)
{
	return TIME_WIDTH + COLUMN / 2 + column * COLUMN;
}

/* The peer's number; the last column is for all who find no place. */
static unsigned
peer_of(struct picture *p, const struct hf_addr *a)
{
	for (unsigned i = 0; i < p->peers; i++)
		if (hf_addr_eq(&p->peer[i], a))
			return i;
	if (p->peers == PEERS_MAX)
		return PEERS_MAX - 1;
	p->peer[p->peers] = *a;
	return p->peers++;
}

static void
put_line(struct hf_buf *b, const char *line, unsigned n)
{
	while (n > 0 && line[n - 1] == ' ')
		n--;
	hf_buf_put(b, line, n);
}

static void
centre(char *line, unsigned at, const char *text, size_t n)
{
	unsigned from = at > n / 2 ? at - (unsigned)(n / 2) : 0;

	for (size_t i = 0; i < n && from + i < LINE_MAX_WIDTH; i++)
		line[from + i] = text[i];
}

static void
put_heads(const struct picture *p, struct hf_buf *b)
{
	char line[LINE_MAX_WIDTH], text[HF_ADDR_TEXT_MAX];

	memset(line, ' ', sizeof(line));
	memcpy(line + TIME_WIDTH - 3, "ms", 2);
	centre(line, place(1), "holdfast", strlen("holdfast"));
	for (unsigned i = 0; i < p->peers; i++) {
		size_t n = strlen(hf_addr_text(&p->peer[i], text));

		/* A long IPv6 address: its end tells more than its middle. */
		if (n > COLUMN - 2) {
			memmove(text + 2, text + n - (COLUMN - 4), COLUMN - 4);
			memcpy(text, "..", 2);
			n = COLUMN - 2;
		}
		centre(line, place(column_of_peer(i)), text, n);
	}
	put_line(b, line, sizeof(line));
	hf_buf_char(b, '\n');
}

/* Printable ASCII of a foreign text. */
static void
put_clean(struct hf_buf *b, struct hf_slice s)
{
	for (size_t i = 0; i < s.n; i++)
		hf_buf_char(b, s.p[i] < ' ' || s.p[i] > '~' ? '?' : s.p[i]);
}

static void
put_label(struct hf_buf *b, const struct sip_msg *m)
{
	if (m->request) {
		put_clean(b, m->method_text);
	} else {
		hf_buf_u64(b, m->status);
		hf_buf_char(b, ' ');
		put_clean(b, m->reason);
	}
}

static void
put_media(struct hf_buf *b, const struct sip_msg *m)
{
	static const char *const ways[] = { "sendrecv", "sendonly", "recvonly",
		"inactive" };
	struct hf_slice text;
	struct sdp sdp;
	uint16_t status;
	const char *why;

	if (!sdp_find(m, &text, &status) || !sdp_parse(text, &sdp, &why))
		return;
	for (unsigned i = 0; i < sdp.streams; i++) {
		const struct sdp_stream *s = &sdp.stream[i];

		hf_buf_str(b, "  ");
		put_clean(b, s->kind);
		hf_buf_char(b, ' ');
		if (s->port != 0)
			hf_addr_put(b, &s->rtp);
		else
			hf_buf_str(b, "off");
		if (s->pcmu >= 0)
			hf_buf_str(b, " PCMU");
		if (s->pcma >= 0)
			hf_buf_str(b, " PCMA");
		if (s->port != 0) {
			hf_buf_char(b, ' ');
			hf_buf_str(b, ways[s->direction]);
		}
	}
}

/* What stands to the right of the arrow. */
static void
put_note(struct hf_buf *b, const struct picture *p, const struct sip_msg *m)
{
	char memory[NOTE_MAX];
	struct hf_buf note = hf_buf_on(memory, sizeof(memory));

	hf_buf_u64(&note, m->cseq);
	hf_buf_char(&note, ' ');
	put_clean(&note, m->cseq_method_text);
	if (m->request && m->uri.host.n > 0) {
		hf_buf_str(&note, "  ");
		if (m->uri.user.n > 0) {
			put_clean(
			    &note, p->mask ? HF_SLICE("***") : m->uri.user);
			hf_buf_char(&note, '@');
		}
		put_clean(&note, m->uri.host);
	}
	put_media(&note, m);
	hf_buf_slice(b, hf_buf_taken(&note));
}

static void
put_time(char *line, int64_t us)
{
	char text[32];
	struct hf_buf b = hf_buf_on(text, sizeof(text));

	hf_buf_fmt(&b, "%*.1f", TIME_WIDTH - 1, (double)us / 1000);
	memcpy(line, text, b.n < TIME_WIDTH ? b.n : TIME_WIDTH);
}

/* One message: "|------ INVITE ------>|" */
static void
put_arrow(struct picture *p, const struct sip_traced *t, struct hf_buf *b)
{
	static struct sip_msg m; /* large; we are one thread */
	char line[LINE_MAX_WIDTH], text[COLUMN];
	struct hf_buf label = hf_buf_on(text, sizeof(text) - 6);
	unsigned peer = place(column_of_peer(peer_of(p, &t->remote)));
	unsigned us = place(1);
	unsigned left = peer < us ? peer : us, right = peer < us ? us : peer;
	bool rightwards = t->out ? peer > us : peer < us;
	bool known = sip_parse(t->bytes, &m).parsed != SIP_DROP;

	memset(line, ' ', sizeof(line));
	put_time(line, t->at.us - p->start_us);
	for (unsigned i = 0; i <= p->peers; i++)
		line[place(i)] = '|';
	memset(line + left + 1, '-', right - left - 1);
	if (rightwards)
		line[right - 1] = '>';
	else
		line[left + 1] = '<';
	hf_buf_char(&label, ' ');
	if (known)
		put_label(&label, &m);
	else
		hf_buf_str(&label, "not SIP");
	label.overflow = false;
	hf_buf_char(&label, ' ');
	centre(line, left + (right - left) / 2, text, label.n);
	put_line(b, line, place(p->peers) + 1);
	if (known) {
		hf_buf_str(b, "   ");
		put_note(b, p, &m);
	}
	hf_buf_char(b, '\n');
}

void
sip_ladder(const struct sip_trace *t, const uint64_t *leg, unsigned legs,
    bool mask, struct hf_buf *b)
{
	struct picture p = { .mask = mask };
	struct sip_traced m;
	uint64_t at = 0;

	while (sip_trace_next(t, &at, leg, legs, &m)) {
		if (p.peers == 0)
			p.start_us = m.at.us;
		(void)peer_of(&p, &m.remote);
	}
	if (p.peers == 0)
		return;
	put_heads(&p, b);
	at = 0;
	while (sip_trace_next(t, &at, leg, legs, &m))
		put_arrow(&p, &m, b);
}
