/* tests/sim/sim_look - what has come of it; see sim.h */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "sim/sim.h"
#include "wire/codec.h"

/* ---- the journal --------------------------------------------------------- */

static uint64_t
number_at(const char *p, enum wire_kind kind)
{
	switch (kind) {
	case WIRE_BOOL:
		return *(const bool *)p;
	case WIRE_U8:
		return *(const uint8_t *)p;
	case WIRE_U16:
		return *(const uint16_t *)(const void *)p;
	case WIRE_U32:
		return *(const uint32_t *)(const void *)p;
	default:
		return (uint64_t) * (const int64_t *)(const void *)p;
	}
}

/* " key=value key=value ": every field of a fact, names as in msg.def. */
static void
fields_put(struct hf_buf *b, const struct msg *m)
{
	const struct wire_shape *shape = wire_msgs[m->type].shape;
	const char *body = (const char *)m + MSG_BODY_AT;

	hf_buf_str(b, " ");
	for (unsigned i = 0; i < shape->n; i++) {
		const struct wire_field *f = &shape->field[i];
		const char *p = body + f->at;

		if (f->kind == WIRE_TEXT) {
			hf_buf_fmt(b, "%s=%s ", f->name, p);
		} else if (f->kind == WIRE_ENUM) {
			const struct wire_enum *e = f->sub;

			hf_buf_fmt(b, "%s=%s ", f->name,
			    e->word[*(const uint32_t *)(const void *)p]);
		} else if (f->kind <= WIRE_SPAN) {
			hf_buf_fmt(b, "%s=%llu ", f->name,
			    (unsigned long long)number_at(p, f->kind));
		}
	}
}

/* No silence is longer than what it was in, whatever clock it was taken from.
 */
static void
spans_check(const struct msg *m)
{
	const struct msg_call_ended *c = &m->call_ended;
	const struct msg_rung_ended *r = &m->rung_ended;

	if (m->type == MSG_CALL_ENDED)
		hf_assert(c->worst_gap.us <= c->ended.us - c->came.us);
	if (m->type == MSG_RUNG_ENDED) {
		int64_t age = r->rang.us + r->talked.us;

		hf_assert(r->gap.us <= age && r->voice.us <= age &&
			  r->decided.us <= age);
	}
}

void
sim_journal(struct sim *s, const struct msg *m)
{
	char text[2000];
	struct hf_buf b = hf_buf_on(text, sizeof(text) - 1);
	struct sim_fact *f = &s->fact[s->facts];

	spans_check(m);
	s->came += m->type == MSG_CALL_CAME;
	/* Who was refused at the door has no "came". */
	s->ended +=
	    m->type == MSG_CALL_ENDED && !hf_ref_none(m->call_ended.call);
	if (s->facts == SIM_FACTS)
		return;
	fields_put(&b, m);
	text[b.n] = '\0';
	f->type = m->type;
	f->text = strdup(text);
	snprintf(f->id, sizeof(f->id), "%s",
	    m->type == MSG_CALL_CAME      ? m->call_came.id
	    : m->type == MSG_RUNG_ENDED   ? m->rung_ended.id
	    : m->type == MSG_EVIDENCE     ? m->evidence.id
	    : m->type == MSG_CALL_RESCUED ? m->call_rescued.id
	    : m->type == MSG_CALL_ENDED   ? m->call_ended.id
					  : "");
	s->facts++;
}

static bool
is_call_of(const struct sim *s, const char *id, const char *caller)
{
	char from[80], own[80];

	snprintf(from, sizeof(from), " from=%s ", caller);
	snprintf(own, sizeof(own), " id=%s ", id);
	for (unsigned i = 0; i < s->facts; i++) {
		const struct sim_fact *f = &s->fact[i];

		if (f->type == MSG_CALL_CAME && strstr(f->text, own) != NULL &&
		    strstr(f->text, from) != NULL)
			return true;
	}
	return false;
}

static bool
fact_has(const struct sim *s, const struct sim_fact *f, const char *word)
{
	const char *eq = strchr(word, '=');
	char want[120];

	if (eq == NULL)
		return false;
	if (strncmp(word, "call=", 5) == 0)
		return is_call_of(s, f->id, eq + 1);
	if (strncmp(word, "why=", 4) == 0 &&
	    (f->type == MSG_RUNG_ENDED || f->type == MSG_CALL_ENDED))
		snprintf(want, sizeof(want), " cause%s ", eq);
	else
		snprintf(want, sizeof(want), " %s ", word);
	return strstr(f->text, want) != NULL;
}

static enum msg_type
type_of(const char *small)
{
	for (unsigned t = 1; t < wire_msgs_nr; t++) {
		if (strcasecmp(wire_msgs[t].name, small) == 0)
			return (enum msg_type)t;
	}
	return (enum msg_type)0;
}

static bool
journal_says(struct sim *s, const struct story_act *t)
{
	enum msg_type type = type_of(t->word[0]);

	for (unsigned i = 0; i < s->facts; i++) {
		bool all = s->fact[i].type == type;

		for (unsigned w = 1; all && w < t->words; w++)
			all = fact_has(s, &s->fact[i], t->word[w]);
		if (all)
			return true;
	}
	return false;
}

/* ---- people -------------------------------------------------------------- */

static const struct sim_note *
seen(const struct sim_actor *a, enum sim_what what, int64_t from)
{
	for (unsigned i = 0; i < a->notes; i++) {
		if (a->note[i].what == what && a->note[i].at >= from)
			return &a->note[i];
	}
	return NULL;
}

static bool
notified(const struct sim_actor *a, int code, int64_t from)
{
	for (unsigned i = 0; i < a->notes; i++) {
		if (a->note[i].what == NOTE_NOTIFIED && a->note[i].at >= from &&
		    a->note[i].code == code)
			return true;
	}
	return false;
}

static bool
called_with(const struct sim_actor *a, const char *text)
{
	for (unsigned i = 0; i < a->notes; i++) {
		if (a->note[i].what == NOTE_CALLED &&
		    strstr(a->note[i].text, text) != NULL)
			return true;
	}
	return false;
}

static int
sound_of(struct sim *s, const char *word)
{
	static const char *const words[] = {
		[SOUND_COMFORT - SIM_ACTORS] = "comfort",
		[SOUND_VOICE - SIM_ACTORS] = "a-voice",
		[SOUND_RINGBACK - SIM_ACTORS] = "ringback",
		[SOUND_MUSIC - SIM_ACTORS] = "music",
		[SOUND_BEEP - SIM_ACTORS] = "a-beep",
		[SOUND_GOODBYE - SIM_ACTORS] = "goodbye",
		[SOUND_NOTHING - SIM_ACTORS] = "nothing",
		[SOUND_SOMETHING - SIM_ACTORS] = "something",
	};
	const struct sim_actor *a = sim_find(s, word);

	for (unsigned i = 0; i < HF_LEN(words); i++) {
		if (strcmp(words[i], word) == 0)
			return SIM_ACTORS + (int)i;
	}
	return a == NULL ? -1 : (int)(a - s->actor);
}

static bool
state_is(const struct sim *s, const struct sim_actor *a, const char *word)
{
	const char *is = "";

	if (a->role == SIM_AGENT)
		is = agent_state_name(
		    (enum agent_state)s->engine->agent[a->row].state);
	else if (a->role == SIM_HELPER)
		is = breaker_phase_name(
		    breaker_phase(&s->engine->helper[a->row].breaker));
	return strcmp(is, word) == 0;
}

struct look {
	const struct story_act *t;
	struct sim_actor *a;
	int64_t until;
};

static bool
is_so(struct sim *s, void *arg)
{
	const struct look *x = arg;
	const struct story_act *t = x->t;
	const struct sim_note *n;
	int sound;

	switch (t->verb) {
	case STORY_HEARS:
		sound = sound_of(s, t->word[1]);
		return sound >= 0 && x->a->first_heard[sound] >= 0 &&
		       x->a->first_heard[sound] <= x->until;
	case STORY_HEARS_NO_GAP:
		return true; /* what a kill costs is measured live */
	case STORY_RINGS:
	case STORY_IS_CALLED:
		return seen(x->a, NOTE_CALLED, s->acted) != NULL;
	case STORY_CALLED_WITH:
		return called_with(x->a, t->word[1]);
	case STORY_IS_ANSWERED:
		return seen(x->a, NOTE_ANSWERED, s->acted) != NULL;
	case STORY_IS_REFUSED:
		n = seen(x->a, NOTE_REFUSED, s->acted);
		return n != NULL && n->code == t->number;
	case STORY_LET_GO:
		return seen(x->a, NOTE_LET_GO, s->acted) != NULL ||
		       seen(x->a, NOTE_LEFT, s->acted) != NULL ||
		       seen(x->a, NOTE_REFUSED, s->acted) != NULL;
	case STORY_GETS_DIGITS:
		return strstr(x->a->digits, t->word[1]) != NULL;
	case STORY_GETS_INFO:
		n = seen(x->a, NOTE_INFO, s->acted);
		return n != NULL && strcmp(n->text, t->word[1]) == 0;
	case STORY_IS_NOTIFIED:
		return notified(x->a, (int)t->number, s->acted);
	case STORY_IS_HELD:
		return seen(x->a, NOTE_HELD, s->acted) != NULL;
	case STORY_IS_RESUMED:
		return seen(x->a, NOTE_RESUMED, s->acted) != NULL;
	case STORY_IS:
		return state_is(s, x->a, t->word[1]);
	case STORY_JOURNAL:
		return journal_says(s, t);
	case STORY_CALLS_UP:
		return (long)engine_calls(s->engine) == t->number;
	case STORY_BOX_HAS:
		return sim_messages(s, conf_box_find(&s->conf, t->word[0])) ==
		       t->number;
	default:
		return false;
	}
}

bool
sim_expect(struct sim *s, const struct story_act *t)
{
	struct look x = { t, sim_find(s, t->word[0]),
		s->deadlines + t->within.us };
	bool of_house = t->verb == STORY_JOURNAL || t->verb == STORY_CALLS_UP ||
			t->verb == STORY_BOX_HAS;

	if (x.a == NULL && !of_house) {
		snprintf(
		    s->why, sizeof(s->why), "nobody is called %s", t->word[0]);
		return false;
	}
	if (is_so(s, &x) || sim_run(s, x.until, is_so, &x))
		return true;
	snprintf(s->why, sizeof(s->why), "it is not so");
	return false;
}

bool
sim_never(struct sim *s, const struct story_act *t)
{
	struct sim_actor *a = sim_find(s, t->word[0]);
	int sound;

	if (t->verb == STORY_JOURNAL_NEVER)
		return !journal_says(s, t);
	if (a == NULL)
		return false;
	switch (t->verb) {
	case STORY_NEVER_HEARS:
		sound = sound_of(s, t->word[1]);
		return sound >= 0 && !a->ever_heard[sound];
	case STORY_NEVER_RINGS:
	case STORY_NEVER_CALLED:
		return seen(a, NOTE_CALLED, 0) == NULL;
	case STORY_NEVER_CALLED_WITH:
		return !called_with(a, t->word[1]);
	case STORY_NEVER_ANSWERED:
		return seen(a, NOTE_ANSWERED, 0) == NULL;
	case STORY_NEVER_REINVITED:
		return seen(a, NOTE_HELD, 0) == NULL &&
		       seen(a, NOTE_RESUMED, 0) == NULL;
	case STORY_NEVER_LET_GO:
		return seen(a, NOTE_LET_GO, 0) == NULL &&
		       seen(a, NOTE_REFUSED, 0) == NULL;
	default:
		return false;
	}
}

void
sim_show(struct sim *s)
{
	static const char *const what[] = { "called", "answered", "rang",
		"refused", "let go", "left", "held", "resumed", "info",
		"notified" };

	for (unsigned i = 0; i < s->actors; i++) {
		const struct sim_actor *a = &s->actor[i];

		for (unsigned k = 0; k < a->notes; k++)
			fprintf(stderr, "  %9.3f %s %s %d %s\n",
			    (double)(a->note[k].at - s->began) / 1e6, a->name,
			    what[a->note[k].what], a->note[k].code,
			    a->note[k].text);
	}
	for (unsigned i = 0; i < s->facts; i++)
		fprintf(stderr, "  %s%s\n", msg_name(s->fact[i].type),
		    s->fact[i].text);
}
