/* daemon/keeper/control - see keeper.h and wire/ask.h */

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/check.h"
#include "conf/keys.h"
#include "daemon/keeper/keeper.h"
#include "proc/chan.h"
#include "proc/control.h"
#include "proc/log.h"
#include "proc/loop.h"
#include "wire/ask.h"
#include "wire/row.h"

enum {
	CLIENTS_MAX = 16,
	ASKS_MAX = 64,
	GROUPS_MAX = 64,
	BACKLOG = 16,
	BREATH_MS = 1000,    /* when we have no descriptor to accept with */
	WAIT_MAX_MS = 60000, /* no question is granted more */
	NO_ROWS = CHAN_QUEUE_BYTES / 4, /* of the queue, for how they end */
};

struct client {
	struct chan chan; /* fd -1: free */
	uint32_t gen;
	uint32_t watched;
	uid_t uid;
	struct hf_time heard; /* connected, or asked, last */
};

/* One question on its way. */
struct ask {
	bool used;
	uint32_t tag; /* the id that rooms see; the place is its low bits */
	uint32_t client, client_gen;
	uint32_t id;      /* the client's */
	uint32_t waiting; /* children that have not finished, a bit each */
	uint32_t owed[CHILDREN_MAX]; /* bytes of rows not asked for anew */
	uint32_t told; /* children that have sent rows, a bit each */
	bool failed;
	bool broken; /* what was told is not the whole answer */
	char error[sizeof(((struct msg_reply *)0)->error)];
	struct hf_timer deadline;
};

_Static_assert(CHILDREN_MAX <= 32, "a bit each");
_Static_assert((ASKS_MAX & (ASKS_MAX - 1)) == 0, "a tag's low bits");

static struct {
	int fd; /* -1: closed */
	char path[KEEPER_PATH_MAX];
	struct hf_time opened;
	struct client client[CLIENTS_MAX];
	struct ask ask[ASKS_MAX];
	uint32_t tags;
	struct hf_timer breath;
} control = { .fd = -1 };

static char queues[CLIENTS_MAX][CHAN_QUEUE_BYTES];
static struct chan_fds no_fds[CLIENTS_MAX];
static struct msg reply; /* large */

/* ---- answers ---------------------------------------------------------------
 */

static void
send_reply(struct client *cl)
{
	static char frame[MSG_FRAME_MAX];
	struct hf_buf b = hf_buf_on(frame, sizeof(frame));

	reply.type = MSG_REPLY;
	hf_assert(msg_encode(&b, &reply));
	chan_send_frame(&cl->chan, frame, b.n);
}

/* The row in reply.reply.row goes out; more follow. */
static void
send_row(struct client *cl, uint32_t id)
{
	reply.reply.id = id;
	reply.reply.more = true;
	reply.reply.error[0] = '\0';
	send_reply(cl);
}

static void
finish(struct client *cl, uint32_t id, const char *error)
{
	reply.reply.id = id;
	reply.reply.more = false;
	reply.reply.row.n = 0;
	(void)snprintf(
	    reply.reply.error, sizeof(reply.reply.error), "%s", error);
	send_reply(cl);
}

static struct hf_buf
row_begin(void)
{
	return hf_buf_on(reply.reply.row.p, sizeof(reply.reply.row.p));
}

static void
row_end(struct client *cl, uint32_t id, const struct hf_buf *b)
{
	reply.reply.row.n = (uint16_t)b->n;
	send_row(cl, id);
}

/* ---- questions on their way ------------------------------------------------
 */

static struct client *
client_of(const struct ask *a)
{
	struct client *cl = &control.client[a->client];

	return cl->chan.fd >= 0 && cl->gen == a->client_gen ? cl : NULL;
}

static void
ask_more(const struct ask *a, uint32_t child, uint32_t bytes)
{
	struct msg m = { .type = MSG_ANSWER_MORE,
		.answer_more = { .id = a->tag, .bytes = bytes } };

	(void)children_ask(child, &m);
}

static void
ask_end(struct ask *a)
{
	struct client *cl = client_of(a);

	hf_timer_stop(loop_wheel(), &a->deadline);
	for (uint32_t i = 0; i < children_count(); i++)
		if (a->waiting & HF_BIT(i))
			ask_more(a, i, 0);
	a->used = false;
	if (cl == NULL)
		return;
	/* Several were asked and one did not know: what the others said is
	 * still an answer. */
	finish(cl, a->id,
	    a->failed && (a->told == 0 || a->broken) ? a->error : "");
}

static void
ask_note(struct ask *a, const char *error)
{
	if (!a->failed)
		(void)snprintf(a->error, sizeof(a->error), "%s", error);
	a->failed = true;
}

static void
too_late(struct hf_timer *t, struct hf_time now)
{
	struct ask *a = HF_CONTAINER(t, struct ask, deadline);
	struct child_news who;
	char error[80];

	(void)now;
	for (uint32_t i = 0; i < children_count(); i++) {
		if (!(a->waiting & HF_BIT(i)))
			continue;
		children_news(i, &who);
		(void)snprintf(error, sizeof(error),
		    "hf-%s does not answer; see its lines in the log",
		    room_name(who.room));
		a->broken = true;
		a->failed = false;
		ask_note(a, error);
	}
	ask_end(a);
}

static struct ask *
ask_tagged(uint32_t tag)
{
	struct ask *a = &control.ask[tag % ASKS_MAX];

	return a->used && a->tag == tag ? a : NULL;
}

static struct ask *
ask_new(void)
{
	for (uint32_t i = 0; i < ASKS_MAX; i++) {
		struct ask *a = &control.ask[i];

		if (a->used)
			continue;
		hf_timer_init(&a->deadline, too_late);
		a->used = true;
		a->tag = ++control.tags * ASKS_MAX + i;
		a->waiting = 0;
		memset(a->owed, 0, sizeof(a->owed));
		a->told = 0;
		a->failed = a->broken = false;
		return a;
	}
	return NULL;
}

/* An operator who stands still must not cost us more than his own answer. */
static bool
has_room(const struct client *cl)
{
	return chan_waiting(&cl->chan) < CHAN_QUEUE_BYTES - NO_ROWS;
}

static void
child_done(struct ask *a, uint32_t child)
{
	a->waiting &= ~HF_BIT(child);
	if (a->waiting == 0)
		ask_end(a);
}

void
control_answered(uint32_t child, const struct msg_reply *r)
{
	struct ask *a = ask_tagged(r->id);
	struct client *cl;

	if (a == NULL || !(a->waiting & HF_BIT(child)))
		return; /* came too late */
	cl = client_of(a);
	if (r->error[0] != '\0') {
		ask_note(a, r->error);
		a->broken = a->broken || (a->told & HF_BIT(child));
	}
	a->owed[child] += r->row.n;
	if (cl != NULL && r->row.n > 0 && !has_room(cl)) {
		a->broken = true;
		ask_note(a, "the answer is too long to be told whole; ask for "
			    "less");
	} else if (cl != NULL && r->row.n > 0) {
		a->told |= HF_BIT(child);
		reply.reply.row.n = r->row.n;
		memcpy(reply.reply.row.p, r->row.p, r->row.n);
		send_row(cl, a->id);
	}
	if (!r->more)
		child_done(a, child);
}

void
control_child_gone(uint32_t child)
{
	for (uint32_t i = 0; i < ASKS_MAX; i++) {
		struct ask *a = &control.ask[i];

		if (!a->used || !(a->waiting & HF_BIT(child)))
			continue;
		ask_note(
		    a, "the process that knows is being restarted; ask again");
		a->broken = a->broken || (a->told & HF_BIT(child));
		child_done(a, child);
	}
}

/* ---- what the keeper answers itself ----------------------------------------
 */

/* Resident memory; 0 when it cannot be told. */
static int64_t
memory_kb(pid_t pid)
{
	char path[32], text[64];
	long pages = 0;
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/statm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	(void)sscanf(text, "%*s %ld", &pages);
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void
tell_process(struct client *cl, uint32_t id, const char *name, pid_t pid,
    const char *state, struct hf_span up, int64_t restarts)
{
	struct hf_buf b = row_begin();

	row_text(&b, "process", name);
	row_number(&b, "pid", pid);
	row_text(&b, "state", state);
	row_span(&b, "up", up);
	row_number(&b, "restarts", restarts);
	row_number(&b, "memory_kb", pid != 0 ? memory_kb(pid) : 0);
	row_end(cl, id, &b);
}

static void
tell_child(struct client *cl, uint32_t id, const struct child_news *who)
{
	char name[16];

	if (who->room == ROOM_MEDIA)
		(void)snprintf(name, sizeof(name), "hf-media/%u", who->worker);
	else
		(void)snprintf(
		    name, sizeof(name), "hf-%s", room_name(who->room));
	tell_process(cl, id, name, who->pid,
	    who->kept       ? "kept"
	    : who->old      ? "old"
	    : who->ready    ? "up"
	    : who->pid != 0 ? "starting"
			    : "waiting",
	    who->up, who->starts > 0 ? (int64_t)who->starts - 1 : 0);
}

static void
do_status(struct client *cl, const struct msg_ask *ask)
{
	const struct conf *c = keeper_conf();
	struct hf_span up = hf_time_since(control.opened, loop_now());
	struct hf_span open = hf_time_since(children_opened(), loop_now());
	struct hf_buf b = row_begin();
	struct child_news who;

	row_text(&b, "site", c->site);
	row_text(&b, "version", HF_VERSION);
	row_span(&b, "up", open);
	row_number(&b, "generation", c->generation);
	row_bool(&b, "draining", keeper_draining());
	row_number(&b, "streams", sockets_streams());
	row_end(cl, ask->id, &b);
	tell_process(
	    cl, ask->id, "holdfastd", getpid(), "up", up, children_keepers());
	for (uint32_t i = 0; i < children_count(); i++) {
		children_news(i, &who);
		tell_child(cl, ask->id, &who);
	}
	finish(cl, ask->id, "");
}

struct to_client {
	struct client *client;
	uint32_t id;
};

static void
tell_key(
    void *arg, const char *path, const char *value, const struct conf_key *k)
{
	struct to_client *to = arg;
	char origin[300] = "default";
	uint32_t line = keeper_origin(path);
	struct hf_buf b = row_begin();

	(void)k;
	if (line > 0)
		(void)snprintf(
		    origin, sizeof(origin), "%s:%u", keeper_file(), line);
	row_text(&b, "key", path);
	row_text(&b, "value", value);
	row_text(&b, "origin", origin);
	row_end(to->client, to->id, &b);
}

static void
do_config(struct client *cl, const struct msg_ask *ask)
{
	struct to_client to = { cl, ask->id };

	conf_each(keeper_conf(), tell_key, &to);
	finish(cl, ask->id, "");
}

static void
tell_line(void *arg, const char *line)
{
	struct to_client *to = arg;
	struct hf_buf b = row_begin();

	row_text(&b, "problem", line);
	row_end(to->client, to->id, &b);
}

static void
do_reload(struct client *cl, const struct msg_ask *ask)
{
	struct to_client to = { cl, ask->id };
	bool done = keeper_reload(tell_line, &to);
	struct hf_buf b;

	if (!done) {
		finish(cl, ask->id, "refused; the old configuration stays");
		return;
	}
	b = row_begin();
	row_number(&b, "generation", keeper_conf()->generation);
	row_end(cl, ask->id, &b);
	finish(cl, ask->id, "");
}

/* False: it was not said how, and that is answered. */
static bool
drain_ordered(struct client *cl, const struct msg_ask *ask)
{
	struct hf_slice args = { (const char *)ask->args.p, ask->args.n };
	char how[8];

	(void)ask_word(args, 0, how, sizeof(how));
	if (strcmp(how, "on") != 0 && strcmp(how, "off") != 0) {
		finish(cl, ask->id, "say drain on|off");
		return false;
	}
	keeper_drain(strcmp(how, "on") == 0, false);
	return true;
}

/* Who waits for the programs of another build to say whether they would. */
static struct {
	uint32_t client, gen, id;
} upgrader;

static struct client *
upgrader_client(void)
{
	struct client *cl = &control.client[upgrader.client];

	return cl->chan.fd >= 0 && cl->gen == upgrader.gen ? cl : NULL;
}

static void
upgrade_told(const char *line)
{
	struct client *cl = upgrader_client();
	struct to_client to = { cl, upgrader.id };

	if (cl != NULL)
		tell_line(&to, line);
}

static void
upgrade_ended(const char *why, const char *from, const char *to)
{
	struct client *cl = upgrader_client();
	struct hf_buf b;

	if (cl == NULL)
		return;
	if (why[0] == '\0') {
		b = row_begin();
		row_text(&b, "from", from);
		row_text(&b, "to", to);
		row_end(cl, upgrader.id, &b);
	}
	finish(cl, upgrader.id, why);
}

static void
do_upgrade(struct client *cl, const struct msg_ask *ask)
{
	struct hf_slice args = { (const char *)ask->args.p, ask->args.n };
	char folder[KEEPER_PATH_MAX] = "";

	if (ask->args.n > 0 && !ask_word(args, 0, folder, sizeof(folder))) {
		finish(cl, ask->id, "the folder's name is too long");
		return;
	}
	if (upgrade_busy()) {
		finish(cl, ask->id, "one is under way; see hfctl status");
		return;
	}
	upgrader.client = (uint32_t)(cl - control.client);
	upgrader.gen = cl->gen;
	upgrader.id = ask->id;
	upgrade_begin(folder, upgrade_told, upgrade_ended);
}

static const struct {
	const char *verb;
	void (*run)(struct client *cl, const struct msg_ask *ask);
} own[] = {
	{ "status", do_status },
	{ "config", do_config },
	{ "reload", do_reload },
	{ "upgrade", do_upgrade },
};

/* ---- questions for the rooms -----------------------------------------------
 */

static bool
is_asked(enum ask_room r, enum room who)
{
	switch (r) {
	case ASK_KEEPER:
		return false;
	case ASK_CALL:
		return who == ROOM_CALL;
	case ASK_STORE:
		return who == ROOM_STORE;
	case ASK_SIP:
		return who == ROOM_SIP;
	case ASK_REC:
		return who == ROOM_REC;
	case ASK_MEDIA:
		return who == ROOM_MEDIA;
	case ASK_SPOOLS:
		return who == ROOM_CALL || who == ROOM_REC;
	case ASK_ALL:
		return true;
	}
	hf_never("a room that is not in the list");
}

/* One bound, whoever asks: a hung room must not fill our table. */
static struct hf_time
bounded(struct hf_time deadline)
{
	struct hf_time most = hf_time_after(loop_now(), hf_ms(WAIT_MAX_MS));

	return hf_time_min(deadline, most);
}

static void
pass_on(struct client *cl, const struct ask_verb *v, struct msg *m)
{
	struct ask *a = ask_new();
	struct child_news who;
	char error[80];

	if (a == NULL) {
		finish(cl, m->ask.id, "too many questions at once; ask again");
		return;
	}
	a->client = (uint32_t)(cl - control.client);
	a->client_gen = cl->gen;
	a->id = m->ask.id;
	m->ask.id = a->tag;
	if (v->as != NULL)
		(void)snprintf(m->ask.verb, sizeof(m->ask.verb), "%s", v->as);
	m->ask.deadline = bounded(m->ask.deadline);
	for (uint32_t i = 0; i < children_count(); i++) {
		children_news(i, &who);
		if (!is_asked(v->room, who.room))
			continue;
		if (children_ask(i, m)) {
			a->waiting |= HF_BIT(i);
			continue;
		}
		(void)snprintf(error, sizeof(error),
		    "hf-%s is being restarted; ask again", room_name(who.room));
		ask_note(a, error);
	}
	if (a->waiting == 0)
		ask_end(a);
	else
		hf_timer_start(loop_wheel(), &a->deadline, m->ask.deadline);
}

/* Why not, or NULL.  The words get their end, so that rooms need not copy. */
static const char *
refused(const struct client *cl, const struct ask_verb *v, struct msg_ask *ask)
{
	static char why[sizeof(((struct msg_reply *)0)->error)];
	uint16_t n = ask->args.n;
	unsigned words;

	if (v == NULL)
		return "no such question; are hfctl and holdfastd of the same "
		       "version?";
	if (v->acts && cl->uid != 0 && cl->uid != geteuid())
		return "only root or the house's own user may do this";
	if (n > 0 && ask->args.p[n - 1] != '\0') {
		if (n == sizeof(ask->args.p))
			return "the words are too long";
		ask->args.p[n] = '\0';
		ask->args.n++;
	}
	words = ask_words(
	    (struct hf_slice){ (const char *)ask->args.p, ask->args.n });
	if (words >= v->args_min && words <= v->args_max)
		return NULL;
	(void)snprintf(why, sizeof(why), "%s%s%s%s",
	    v->args[0] != '\0' ? "say " : "", v->name,
	    v->args[0] != '\0' ? " " : " takes no words", v->args);
	return why;
}

static bool
is_about_a_person(const struct ask_verb *v, const char *what)
{
	return strcmp(v->name, "agent") == 0 ||
	       strncmp(v->name, "message", strlen("message")) == 0 ||
	       strchr(what, '"') != NULL;
}

/* Into the log, and, by way of hf-call, into the journal: hf-call tells itself
 * what was done through it, and with what outcome. */
static void
note_act(const struct client *cl, const struct ask_verb *v,
    const struct msg_ask *ask)
{
	struct msg m = { .type = MSG_OPERATOR_ACTED };
	struct msg_operator_acted *o = &m.operator_acted;
	struct hf_buf b = hf_buf_on(o->what, sizeof(o->what) - 1);
	size_t at = 0;

	hf_buf_str(&b, v->name);
	for (const char *w; (w = control_word(ask, &at)) != NULL;) {
		hf_buf_char(&b, ' ');
		hf_buf_str(&b, w);
	}
	/* Of a person the journal alone tells. */
	hf_log(LOG_NOTICE, "operator_acted", "what=\"%s\" uid=%u",
	    is_about_a_person(v, o->what) ? v->name : o->what, cl->uid);
	if (v->room == ASK_CALL)
		return;
	o->at = loop_wall();
	(void)snprintf(o->who, sizeof(o->who), "uid %u", cl->uid);
	(void)children_send(ROOM_CALL, &m);
}

/* How many calls are left only hf-call knows, who hears this behind the order
 * itself. */
static const struct ask_verb drained = { .name = "drain", .room = ASK_CALL };

static void
asked(struct client *cl, struct msg *m)
{
	const struct ask_verb *v = ask_find(m->ask.verb);
	const char *why = refused(cl, v, &m->ask);

	m->ask.uid = cl->uid;
	if (why != NULL) {
		finish(cl, m->ask.id, why);
		return;
	}
	if (v->acts)
		note_act(cl, v, &m->ask);
	for (size_t i = 0; i < HF_LEN(own); i++)
		if (strcmp(own[i].verb, v->name) == 0) {
			own[i].run(cl, &m->ask);
			return;
		}
	if (strcmp(v->name, "drain") == 0) {
		if (!drain_ordered(cl, &m->ask))
			return;
		v = &drained;
	}
	pass_on(cl, v, m);
}

/* ---- clients ---------------------------------------------------------------
 */

static void
client_close(struct client *cl)
{
	for (uint32_t i = 0; i < ASKS_MAX; i++)
		if (control.ask[i].used && client_of(&control.ask[i]) == cl)
			ask_end(&control.ask[i]);
	loop_unwatch(cl->chan.fd);
	cl->watched = 0;
	chan_close(&cl->chan);
}

/* Not chan_read(): an operator is not a room, and may only ask. */
static bool
client_read(struct client *cl)
{
	static struct msg m;
	static char bytes[MSG_FRAME_MAX];
	ssize_t n = recv(cl->chan.fd, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct hf_slice in;

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	in = (struct hf_slice){ bytes, (size_t)n };
	if (n == 0 || !msg_decode(&in, &m) || in.n > 0 || m.type != MSG_ASK)
		return false;
	cl->heard = loop_now();
	asked(cl, &m);
	return true;
}

static void
client_ready(int fd, uint32_t events, void *arg)
{
	struct client *cl = arg;

	(void)fd;
	if (events & EPOLLOUT)
		chan_flush(&cl->chan);
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !client_read(cl))
		client_close(cl);
}

/* What is owed to an operator is asked for as he takes what he has. */
static void
go_on(struct ask *a)
{
	const struct client *cl = client_of(a);

	if (cl == NULL || chan_waiting(&cl->chan) > CHAN_QUEUE_BYTES / 2)
		return;
	for (uint32_t i = 0; i < children_count(); i++)
		if ((a->waiting & HF_BIT(i)) && a->owed[i] > ASK_WINDOW / 2) {
			ask_more(a, i, a->owed[i]);
			a->owed[i] = 0;
		}
}

void
control_flush(void)
{
	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *cl = &control.client[i];
		uint32_t events;

		if (cl->chan.fd < 0)
			continue;
		if (!cl->chan.blocked)
			chan_flush(&cl->chan);
		if (cl->chan.cut) {
			client_close(cl);
			continue;
		}
		events = EPOLLIN | (cl->chan.blocked ? EPOLLOUT : 0U);
		if (events != cl->watched)
			loop_watch(cl->chan.fd, events, client_ready, cl);
		cl->watched = events;
	}
	for (uint32_t i = 0; i < ASKS_MAX; i++)
		if (control.ask[i].used)
			go_on(&control.ask[i]);
}

/* Root, whoever runs the house, and the group of its operators. */
static bool
may_ask(int fd, uid_t *uid)
{
	struct ucred who;
	gid_t groups[GROUPS_MAX];
	socklen_t n = sizeof(who);
	const struct group *g;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &n) != 0)
		return false;
	*uid = who.uid;
	if (who.uid == 0 || who.uid == geteuid())
		return true;
	g = getgrnam(CONTROL_GROUP);
	if (g == NULL)
		return false;
	if (who.gid == g->gr_gid)
		return true;
	n = sizeof(groups);
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &n) != 0)
		return false;
	for (size_t i = 0; i < n / sizeof(groups[0]); i++)
		if (groups[i] == g->gr_gid)
			return true;
	return false;
}

static bool
waits(const struct client *cl)
{
	for (uint32_t i = 0; i < ASKS_MAX; i++)
		if (control.ask[i].used && client_of(&control.ask[i]) == cl)
			return true;
	return false;
}

/* A free place; else that of who has been idle longest.  Root also takes that
 * of one who waits for an answer: nobody else locks him out. */
static struct client *
place_for(uid_t uid)
{
	struct client *best = NULL;

	for (uint32_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *cl = &control.client[i];

		if (cl->chan.fd < 0)
			return cl;
		if (waits(cl) && (uid != 0 || cl->uid == 0))
			continue;
		if (best == NULL || (waits(best) && !waits(cl)) ||
		    (waits(best) == waits(cl) &&
			hf_time_before(cl->heard, best->heard)))
			best = cl;
	}
	if (best != NULL)
		client_close(best);
	return best;
}

static void came(int fd, uint32_t events, void *arg);

static void
listen_again(struct hf_timer *t, struct hf_time now)
{
	(void)t;
	(void)now;
	loop_watch(control.fd, EPOLLIN, came, NULL);
}

static void
came(int fd, uint32_t events, void *arg)
{
	struct client *cl;
	int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	uid_t uid = 0;

	(void)events;
	(void)arg;
	if (c < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			 errno == ENOMEM)) {
		/* He would wake us again at once, for nothing. */
		loop_unwatch(control.fd);
		hf_timer_start(loop_wheel(), &control.breath,
		    hf_time_after(loop_now(), hf_ms(BREATH_MS)));
	}
	if (c < 0)
		return;
	if (!may_ask(c, &uid)) {
		hf_log(LOG_WARNING, "operator_refused", "uid=%u", uid);
		(void)close(c);
		return;
	}
	cl = place_for(uid);
	if (cl == NULL) {
		hf_log(LOG_WARNING, "operator_refused", "why=too_many");
		(void)close(c);
		return;
	}
	chan_open(&cl->chan, c, 0);
	cl->uid = uid;
	cl->heard = loop_now();
	cl->gen++; /* watched by the flush at the end of this turn */
}

int
control_open(const char *run_dir)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	const struct group *g = getgrnam(CONTROL_GROUP);
	int n, err;

	n = snprintf(
	    control.path, sizeof(control.path), "%s/%s", run_dir, CONTROL_NAME);
	if (n < 0 || (size_t)n >= sizeof(sa.sun_path))
		return ENAMETOOLONG;
	memcpy(sa.sun_path, control.path, (size_t)n + 1);
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		chan_init(&control.client[i].chan, ROOM_KEEPER, ROOM_KEEPER,
		    queues[i], &no_fds[i], 1);
	(void)unlink(control.path); /* we hold the lock of this folder */
	control.fd =
	    socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control.fd < 0)
		return errno;
	if (bind(control.fd, (struct sockaddr *)&sa, sizeof(sa)) != 0 ||
	    chmod(control.path, 0660) != 0 ||
	    listen(control.fd, BACKLOG) != 0) {
		err = errno;
		(void)close(control.fd);
		control.fd = -1;
		return err;
	}
	if (g != NULL)
		(void)!chown(control.path, (uid_t)-1, g->gr_gid);
	/* An answer to a question of the keeper before us is none to ours. */
	control.tags = (uint32_t)hf_rand_u64(loop_rand());
	hf_timer_init(&control.breath, listen_again);
	loop_watch(control.fd, EPOLLIN, came, NULL);
	control.opened = loop_now();
	return 0;
}

void
control_close(void)
{
	if (control.fd < 0)
		return;
	for (uint32_t i = 0; i < CLIENTS_MAX; i++)
		if (control.client[i].chan.fd >= 0)
			client_close(&control.client[i]);
	loop_unwatch(control.fd);
	(void)close(control.fd);
	(void)unlink(control.path);
	control.fd = -1;
}
