/* daemon/media/sound - what the house can say: prompts from files, once at
 * start, and the messages that hf-rec ships: these are read as they are said,
 * one frame at a time, so that the longest costs no more than the shortest. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/media/room.h"
#include "io/rtp/prompt_file.h"

enum { PATH_LEN = 2 * CONF_PATH_MAX + 2 };

/* Called for each sound that may come from a file. */
typedef void sound_fn(unsigned at, const char *path, void *arg);

static void
name(const struct conf *c, unsigned at, const char *file, sound_fn *fn,
    void *arg)
{
	char path[PATH_LEN];

	if (file[0] == '\0')
		return;
	if (file[0] == '/')
		snprintf(path, sizeof(path), "%s", file);
	else
		snprintf(path, sizeof(path), "%s/%s", c->prompts.dir, file);
	fn(at, path, arg);
}

static void
load(unsigned at, const char *path, void *arg)
{
	bool *odd = arg;
	const char *why;

	if (prompt_load(&room.book, at, path, &why))
		return;
	hf_log(LOG_WARNING, "prompt_not_loaded", "prompt=%u path=\"%s\" why=%s",
	    at, path, why);
	if (access(path, R_OK) == 0)
		*odd = true;
}

static void
each_sound(const struct conf *c, sound_fn *fn, void *arg)
{
	const struct conf_prompts *p = &c->prompts;
	const struct {
		unsigned at;
		const char *file;
	} words[] = {
		{ PROMPT_ONE_MOMENT, p->one_moment },
		{ PROMPT_STILL_THERE, p->still_there },
		{ PROMPT_YOU_ARE_NUMBER, p->you_are_number },
		{ PROMPT_IN_LINE, p->in_line },
		{ PROMPT_WAIT_IS, p->wait_is },
		{ PROMPT_LESS_THAN, p->less_than },
		{ PROMPT_MINUTES, p->minutes },
		{ PROMPT_VOICEMAIL_INTRO, p->voicemail_intro },
		{ PROMPT_NO_MESSAGES, p->no_messages },
		{ PROMPT_GOODBYE, p->goodbye },
		{ PROMPT_ALL_BUSY, p->all_busy },
		{ PROMPT_MUSIC, p->music },
	};

	for (size_t i = 0; i < HF_LEN(words); i++)
		name(c, words[i].at, words[i].file, fn, arg);
	for (unsigned q = 0; q < c->queues; q++)
		if (c->queue[q].used)
			name(c, PROMPT_QUEUE_MUSIC + q, c->queue[q].music, fn,
			    arg);
	for (unsigned x = 0; x < c->boxes; x++)
		if (c->box[x].used)
			name(c, PROMPT_GREETING + x, c->box[x].greeting, fn,
			    arg);
}

/* Said at each start, whether the book had to be made or not. */
static void
miss(unsigned at, const char *path, void *arg)
{
	(void)arg;
	if (access(path, R_OK) != 0)
		hf_log(LOG_WARNING, "prompt_not_loaded",
		    "prompt=%u path=\"%s\" why=\"%s\"", at, path,
		    strerror(errno));
}

static void
add_to_key(unsigned at, const char *path, void *arg)
{
	uint64_t *key = arg;

	*key = prompt_file_key(*key ^ at, path);
}

/* What the book is made from. */
static uint64_t
key_of(const struct conf *c)
{
	char path[PATH_LEN];
	uint64_t key = 0;

	each_sound(c, add_to_key, &key);
	for (unsigned i = 0; i < PROMPT_NUMBERS; i++)
		if (prompt_digit_path(path, sizeof(path), c->prompts.dir, i))
			key = prompt_file_key(key, path);
	return key;
}

void
sound_load(const struct conf *c)
{
	char path[CONF_PATH_MAX + 16];
	uint64_t key = key_of(c);
	bool odd = false;
	unsigned numbers;
	int err = 0;

	g711_init();
	snprintf(path, sizeof(path), "%s/prompts", c->keeper.run_dir);
	if (prompt_file_map(&room.book, key, path)) {
		each_sound(c, miss, NULL);
		hf_log(LOG_INFO, "prompts_found", "path=%s", path);
		return;
	}
	hf_assert(prompt_synthesize(&room.book));
	each_sound(c, load, &odd);
	numbers = prompt_load_digits(&room.book, c->prompts.dir);
	/* A file that we cannot read is complained of at every start. */
	if (!odd)
		err = prompt_file_write(&room.book, key, path, room.worker);
	if (err != 0)
		hf_log(LOG_NOTICE, "prompts_not_kept", "path=%s why=\"%s\"",
		    path, strerror(err));
	hf_log(LOG_INFO, "prompts_loaded", "numbers=%u", numbers);
}

/* ---- messages ------------------------------------------------------------ */

static struct message *
message_at(uint32_t number)
{
	for (size_t i = 0; i < HF_LEN(room.message); i++)
		if (room.message[i].number == number)
			return &room.message[i];
	return NULL;
}

static void
drop(struct message *m)
{
	if (m->number != 0)
		(void)close(m->fd);
	m->number = 0;
}

void
sound_shipped(const struct msg_message_shipped *m, int fd)
{
	struct message *to;

	if (fd < 0 || m->bytes == 0 || m->message == 0 ||
	    (fd = fcntl(fd, F_DUPFD_CLOEXEC, 0)) < 0) {
		hf_log(LOG_WARNING, "message_refused", "message=%u bytes=%u",
		    m->message, m->bytes);
		return;
	}
	sound_done(m->message);
	/* The oldest gives way; a stream that still plays it falls silent. */
	to = &room.message[room.message_next];
	room.message_next = (room.message_next + 1) % MESSAGES_MAX;
	drop(to);
	*to = (struct message){
		.number = m->message,
		.fd = fd,
		.from = m->from,
		.bytes = m->bytes,
	};
}

/* A tick waits for no disk: what is not in memory yet is asked for by this
 * same call, and comes with a later frame. A file system that cannot say "not
 * yet" (most of those in a network) is waited for: hf-rec asks for the whole
 * message when it ships it, and store.spool should be a local one. */
static ssize_t
read_now(int fd, uint8_t *to, uint16_t n, off_t at)
{
	struct iovec v = { to, n };
	ssize_t got = preadv2(fd, &v, 1, at, RWF_NOWAIT);

	if (got < 0 && errno == EOPNOTSUPP)
		got = preadv(fd, &v, 1, at);
	return got;
}

bool
sound_read(uint32_t number, uint32_t sample, enum g711_law law, uint8_t *to,
    uint16_t *n)
{
	const struct message *m = message_at(number);
	uint32_t left;
	ssize_t got;

	if (number == 0 || m == NULL || sample >= m->bytes)
		return false;
	left = m->bytes - sample;
	if (left > *n)
		left = *n;
	got = read_now(m->fd, to, (uint16_t)left, (off_t)m->from + sample);
	if (got == 0 || (got < 0 && errno != EAGAIN))
		return false;
	*n = (uint16_t)(got > 0 ? got : 0);
	if (law == G711_PCMA)
		g711_transcode(G711_PCMU, to, *n);
	return true;
}

void
sound_done(uint32_t number)
{
	struct message *m = number != 0 ? message_at(number) : NULL;

	if (m != NULL)
		drop(m);
}
