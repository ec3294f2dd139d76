/*
 * hf-flight FILE - shows a flight recorder: the last log lines, then the last
 * messages with their time since the machine's start.  For the morning after.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proc/flight.h"
#include "proc/proc.h"

enum { US_PER_S = 1000000 };

static void
show_line(const char *text)
{
	(void)puts(text);
}

static void
put_peer(uint8_t peer)
{
	static const char *const names[PEER_NR] = {
		[PEER_KEEPER] = "holdfastd",
		[PEER_SIP] = "hf-sip",
		[PEER_REC] = "hf-rec",
		[PEER_CALL] = "hf-call",
		[PEER_STORE] = "hf-store",
	};

	if (peer >= PEER_MEDIA && peer < PEER_REC)
		(void)printf("hf-media/%u", peer - PEER_MEDIA);
	else
		(void)fputs(peer < PEER_NR ? names[peer] : "?", stdout);
}

/* What a message is about: a leg, or a place and its tenant as in the log. */
static void
put_about(uint16_t type, uint64_t about)
{
	char text[HF_REF_TEXT_MAX];
	struct hf_ref ref = { (uint32_t)about, (uint32_t)(about >> 32) };
	const struct wire_field *f;

	if (type == 0 || type >= wire_msgs_nr ||
	    wire_msgs[type].shape->n == 0 ||
	    wire_msgs[type].shape->field[0].personal)
		return;
	f = &wire_msgs[type].shape->field[0];
	if (f->kind == WIRE_REF)
		(void)printf(" %s=%s", f->name, hf_ref_text(ref, text));
	else if (f->kind == WIRE_U64 || f->kind == WIRE_U32 ||
		 f->kind == WIRE_U16)
		(void)printf(" %s=%" PRIu64, f->name, about);
}

static void
show_moment(const struct flight_moment *m)
{
	(void)printf("%6" PRId64 ".%06" PRId64 " %s ", m->at.us / US_PER_S,
	    m->at.us % US_PER_S, m->sent ? "to  " : "from");
	put_peer(m->peer);
	(void)printf(" %s", msg_name(m->type));
	put_about(m->type, m->about);
	(void)putchar('\n');
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		(void)fprintf(stderr, "usage: hf-flight FILE\n");
		return 2;
	}
	if (!flight_read(argv[1], show_line, show_moment)) {
		(void)fprintf(
		    stderr, "%s is not a flight recorder's file\n", argv[1]);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
