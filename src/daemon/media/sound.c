/* daemon/media/sound - what the house can say: prompts from files, once at
 * start, and the messages that hf-rec ships. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/check.h"
#include "daemon/media/room.h"

enum { PATH_LEN = 2 * CONF_PATH_MAX + 2, MESSAGE_BYTES_MAX = 8000 * 3600 };

static void
load(const struct conf *c, unsigned at, const char *file)
{
	char path[PATH_LEN];
	const char *why;

	if (file[0] == '\0')
		return;
	if (file[0] == '/')
		snprintf(path, sizeof(path), "%s", file);
	else
		snprintf(path, sizeof(path), "%s/%s", c->prompts.dir, file);
	if (!prompt_load(&room.book, at, path, &why))
		hf_log(LOG_WARNING, "prompt_not_loaded",
		    "prompt=%u path=\"%s\" why=%s", at, path, why);
}

void
sound_load(const struct conf *c)
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
		{ PROMPT_VOICEMAIL_INTRO, p->voicemail_intro },
		{ PROMPT_NO_MESSAGES, p->no_messages },
		{ PROMPT_GOODBYE, p->goodbye },
		{ PROMPT_ALL_BUSY, p->all_busy },
		{ PROMPT_MUSIC, p->music },
	};
	unsigned numbers;

	g711_init();
	hf_assert(prompt_synthesize(&room.book));
	for (size_t i = 0; i < HF_LEN(words); i++)
		load(c, words[i].at, words[i].file);
	for (unsigned q = 0; q < c->queues; q++)
		if (c->queue[q].used)
			load(c, PROMPT_QUEUE_MUSIC + q, c->queue[q].music);
	for (unsigned x = 0; x < c->boxes; x++)
		if (c->box[x].used)
			load(c, PROMPT_GREETING + x, c->box[x].greeting);
	numbers = prompt_load_digits(&room.book, p->dir);
	hf_log(LOG_INFO, "prompts_loaded", "numbers=%u", numbers);
}

void
sound_shipped(const struct msg_message_shipped *m, int fd)
{
	struct message *to = &room.message[room.message_next];
	struct stat st;
	void *p;

	if (fd < 0 || m->bytes == 0 || m->bytes > MESSAGE_BYTES_MAX ||
	    m->message == 0 || fstat(fd, &st) != 0 ||
	    st.st_size < (off_t)m->bytes) {
		hf_log(LOG_WARNING, "message_refused", "message=%u bytes=%u",
		    m->message, m->bytes);
		return;
	}
	p = mmap(NULL, m->bytes, PROT_READ, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return;
	/* The oldest gives way; a stream that still plays it falls silent. */
	clip_free(&to->clip);
	to->number = 0;
	if (clip_from_pcmu(&to->clip, p, m->bytes)) {
		to->number = m->message;
		room.message_next = (room.message_next + 1) % MESSAGES_MAX;
	}
	(void)munmap(p, m->bytes);
}

const struct clip *
sound_message(uint32_t number)
{
	for (size_t i = 0; i < HF_LEN(room.message); i++)
		if (room.message[i].number == number)
			return &room.message[i].clip;
	return NULL;
}
