/*
 * Three parties, orders and messages at random, time in leaps: nothing may
 * break, and when all is said and time has passed every table is empty.
 *
 * The input is a programme: an operation a byte, its arguments behind it.
 */

#include <stdio.h>
#include <stdlib.h>

#include "tests/lib/sip_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONG_MS = 150000, OPS = 17 };

static struct world *w;
static struct hf_slice input;
static char heard[4096]; /* a message that was on the wire */
static size_t heard_n;
static uint8_t losing;

static uint8_t
take(void)
{
	uint8_t v;

	if (input.n == 0)
		return 0;
	v = (uint8_t)input.p[0];
	input.p++;
	input.n--;
	return v;
}

static bool
lose(struct world *x, uint8_t from, struct hf_slice bytes)
{
	(void)from;
	if (bytes.n < sizeof(heard)) {
		memcpy(heard, bytes.p, bytes.n);
		heard_n = bytes.n;
	}
	return losing != 0 && x->sent % (losing + 1u) == 0;
}

static struct sip_session *
some(struct party *p)
{
	struct sip_session *s = &p->memory[take() % WORLD_SESSIONS];

	return s->state != SIP_S_FREE ? s : world_session(p);
}

/* A request in a dialog of p's, as its far end would write it, or nearly. */
static void
forge(struct party *p)
{
	struct sip_session *s = some(p);
	enum sip_method method = take() % (SIP_OTHER + 1);
	const char *name = sip_method_name(method);
	uint8_t odd = take();
	char text[2000];
	int n;

	if (s == NULL)
		return;
	n = snprintf(text, sizeof(text),
	    "%s sip:x@192.0.2.%d SIP/2.0\r\n"
	    "Via: SIP/2.0/UDP 192.0.2.3;branch=%s%u\r\n"
	    "Max-Forwards: 70\r\nFrom: <%s>;tag=%s\r\nTo: <%s>;tag=%s\r\n"
	    "Call-ID: %s\r\nCSeq: %u %s\r\n%s%s"
	    "Content-Length: %d\r\n\r\n%s",
	    name, p->n + 1, odd & 1 ? "old" : SIP_COOKIE, w->sent + odd,
	    s->dialog.remote, s->dialog.remote_tag, s->dialog.local,
	    odd & 2 ? "nobody" : s->dialog.local_tag, s->dialog.call_id,
	    odd & 4 ? s->cseq_answered : s->dialog.cseq_remote + 1, name,
	    odd & 8 ? "Contact: <sip:y@192.0.2.3;transport=tcp>\r\n" : "",
	    odd & 16 ? "Refer-To: <sip:z@192.0.2.3>\r\n" : "", odd & 32 ? 3 : 0,
	    odd & 32 ? "v=0" : "");
	if (n > 0 && (size_t)n < sizeof(text))
		world_say(w, take() % WORLD_PARTIES, p->n,
		    (struct hf_slice){ text, (size_t)n });
}

/* What was on the wire, once more, changed a little. */
static void
echo(struct party *p)
{
	char text[sizeof(heard)];
	uint8_t changes = take() % 4;

	if (heard_n == 0)
		return;
	memcpy(text, heard, heard_n);
	for (uint8_t i = 0; i < changes; i++) {
		size_t at = (size_t)take() << 8 | take();

		text[at % heard_n] = (char)take();
	}
	world_say(w, take() % WORLD_PARTIES, p->n,
	    (struct hf_slice){ text, heard_n });
}

static void
operate(struct party *p, uint8_t op)
{
	struct sip_session *s;
	uint16_t code = (uint16_t)(100 + take() * 2);

	switch (op) {
	case 0:
	case 1:
		(void)world_call(w, p->n, take() % WORLD_PARTIES);
		return;
	case 2:
		world_run(w, take());
		return;
	case 3:
		world_run(w, (int64_t)take() * 200);
		return;
	case 4:
		losing = take() % 4;
		return;
	case 5:
		forge(p);
		return;
	case 6:
		echo(p);
		return;
	case 7:
		p->answers = code & 2;
		p->rings = code & 4;
		p->retries = code & 8;
		p->let_in = code & 0xf0;
		p->reoffer_status = code & 16 ? 488 : 200;
		return;
	case 8:
		w->dead[p->n] = take() & 1;
		return;
	case 9:
		world_say(w, take() % WORLD_PARTIES, p->n, input);
		input.n = 0;
		return;
	}
	s = some(p);
	if (s == NULL)
		return;
	switch (op) {
	case 10:
		sip_session_drop(&p->ss, s, code, HF_SLICE("x"), w->now);
		break;
	case 11:
		sip_session_ring(&p->ss, s, 180, HF_SLICE("v=0"), w->now);
		break;
	case 12:
		(void)!sip_session_answer(
		    &p->ss, s, HF_SLICE("v=0"), code & 2, w->now);
		break;
	case 13:
		sip_session_refuse(
		    &p->ss, s, 486, HF_SLICE(""), HF_SLICE(""), w->now);
		break;
	case 14:
		(void)sip_session_reinvite(&p->ss, s, HF_SLICE("v=0"), w->now);
		break;
	case 15:
		(void)sip_session_tell(&p->ss, s, SIP_INFO, HF_SLICE(""),
		    "text/plain", HF_SLICE("x"), w->now);
		break;
	case 16:
		sip_session_report(&p->ss, s, 200, w->now);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 2000)
		return 0;
	input = (struct hf_slice){ (const char *)data, size };
	heard_n = 0;
	losing = 0;
	w = world_new();
	w->lose = lose;
	while (input.n > 0) {
		uint8_t op = take();

		operate(&w->party[op / OPS % WORLD_PARTIES], op % OPS);
	}
	losing = 0;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < WORLD_PARTIES; i++) {
			struct party *p = &w->party[i];

			w->dead[i] = false;
			for (int k = 0; k < WORLD_SESSIONS; k++)
				if (p->memory[k].state != SIP_S_FREE)
					sip_session_drop(&p->ss, &p->memory[k],
					    0, HF_SLICE(""), w->now);
		}
		world_run(w, LONG_MS);
	}
	hf_assert(world_is_empty(w));
	world_free(w);
	return 0;
}
