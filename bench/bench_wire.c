/*
 * bench_wire - what a message between two rooms costs: CPU of the codec, of a
 * channel (queue, datagram, kernel, decode) in turns of several sizes, and of
 * a slot and a fact kept.  Single thread, both ends in this process, so that
 * its CPU time is all there is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/check.h"
#include "bench/figure.h"
#include "proc/chan.h"
#include "proc/slots.h"
#include "proc/spool.h"

enum {
	ROUNDS = 200000,
	SLOT_ROUNDS = 100000,
	RECORD_BYTES = 1024, /* about a call's record */
	SPOOL_AREA = 1 << 23,
	STORED_EVERY = 64,
};

static char queue[2][CHAN_QUEUE_BYTES];
static struct chan_fds no_fds[2];
static volatile uint64_t seen;

static double
cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec * 1e9 + (double)ts.tv_nsec;
}

/* The messages of a call that are many: leg, stream and journal news. */
static void
sample(struct msg *m, unsigned i)
{
	struct media media = { .codec = CODEC_PCMU,
		.ptime_ms = 20,
		.rtp = { .family = 4, .port = 4000 },
		.rtcp = { .family = 4, .port = 4001 } };

	switch (i % 4) {
	case 0:
		m->type = MSG_LEG_ANSWERED;
		m->leg_answered =
		    (struct msg_leg_answered){ .leg = i, .media = media };
		break;
	case 1:
		m->type = MSG_LEG_RANG;
		m->leg_rang = (struct msg_leg_rang){
			.leg = i, .code = 180, .media = media
		};
		break;
	case 2:
		m->type = MSG_LEG_ARRIVED;
		m->leg_arrived = (struct msg_leg_arrived){ .leg = i,
			.number = "+33400000000",
			.from = "+33612345678",
			.path = "lyon/2",
			.media = media };
		break;
	default:
		m->type = MSG_LEG_LEFT;
		m->leg_left = (struct msg_leg_left){
			.leg = i, .cause = CAUSE_DONE, .reason = "bye"
		};
		break;
	}
}

static void
bench_codec(void)
{
	static char frame[MSG_FRAME_MAX];
	static struct msg m, got;
	double start = cpu_ns(), encode;

	for (unsigned i = 0; i < ROUNDS; i++) {
		struct hf_buf b = hf_buf_on(frame, sizeof(frame));

		sample(&m, i);
		hf_assert(msg_encode(&b, &m));
	}
	encode = (cpu_ns() - start) / ROUNDS;
	start = cpu_ns();
	for (unsigned i = 0; i < ROUNDS; i++) {
		struct hf_buf b = hf_buf_on(frame, sizeof(frame));
		struct hf_slice in;

		sample(&m, i);
		hf_assert(msg_encode(&b, &m));
		in = hf_buf_taken(&b);
		hf_assert(msg_decode(&in, &got));
	}
	figure("", "encode_ns", encode, NULL);
	figure("", "decode_ns", (cpu_ns() - start) / ROUNDS - encode, NULL);
}

static void
take(struct chan *c, const struct msg *m, const int *fd, uint16_t n, void *arg)
{
	(void)c;
	(void)fd;
	(void)n;
	(void)arg;
	seen += m->seq;
}

/* So many messages in each turn, then one flush and one reading. */
static double
bench_turns(unsigned each)
{
	static struct msg m;
	struct chan a, b;
	double start;
	int pair[2];

	hf_assert(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) == 0);
	chan_init(&a, ROOM_SIP, ROOM_CALL, queue[0], &no_fds[0], 1);
	chan_init(&b, ROOM_CALL, ROOM_SIP, queue[1], &no_fds[1], 1);
	chan_open(&a, pair[0], 1);
	chan_open(&b, pair[1], 1);
	start = cpu_ns();
	for (unsigned i = 0; i < ROUNDS / each; i++) {
		for (unsigned k = 0; k < each; k++) {
			sample(&m, k);
			chan_send(&a, &m);
		}
		chan_flush(&a);
		hf_assert(chan_read(&b, take, NULL));
	}
	start = (cpu_ns() - start) / (ROUNDS / each * each);
	chan_close(&a);
	chan_close(&b);
	return start;
}

static const struct slots_form form = {
	.name = "bench", .kind = 1, .version = 1, .record_size = RECORD_BYTES
};

static bool
bench_keeping(void)
{
	char dir[] = "/dev/shm/hf-bench-XXXXXX", path[64];
	static char record[RECORD_BYTES];
	static struct msg m = { .type = MSG_CALL_ENDED };
	struct slots slots;
	struct spool spool;
	const void *frame;
	double start;
	bool fresh, well;
	uint16_t n;

	if (mkdtemp(dir) == NULL)
		return false;
	(void)snprintf(path, sizeof(path), "%s/slots", dir);
	well = slots_open(&slots, path, &form, 4096, &fresh) == 0;
	if (well) {
		start = cpu_ns();
		for (uint32_t i = 0; i < SLOT_ROUNDS; i++)
			slots_commit(&slots, i % 1024, record);
		figure("", "slot_commit_ns", (cpu_ns() - start) / SLOT_ROUNDS,
		    NULL);
		slots_close(&slots);
	}
	(void)unlink(path);
	(void)snprintf(path, sizeof(path), "%s/spool", dir);
	if (well && spool_open(&spool, path, SPOOL_AREA, 1) == 0) {
		start = cpu_ns();
		for (uint32_t i = 1; i <= SLOT_ROUNDS; i++) {
			spool_put(&spool, &m);
			hf_assert(spool_next(&spool, &frame, &n));
			if (i % STORED_EVERY == 0)
				spool_stored(&spool, 1, i);
		}
		figure(
		    "", "fact_kept_ns", (cpu_ns() - start) / SLOT_ROUNDS, NULL);
		hf_assert(spool.dropped == 0);
		spool_close(&spool);
	}
	(void)unlink(path);
	(void)rmdir(dir);
	return well;
}

int
main(void)
{
	static const unsigned sizes[] = { 1, 5, 20, 100 };
	bool met = true;

	bench_codec();
	for (size_t i = 0; i < HF_LEN(sizes); i++) {
		char name[48];

		(void)snprintf(
		    name, sizeof(name), "message_ns_turns_of_%u", sizes[i]);
		met &= figure("", name, bench_turns(sizes[i]),
		    sizes[i] >= 5 ? "<=2000" : NULL);
	}
	if (!bench_keeping())
		return EXIT_FAILURE;
	return met ? EXIT_SUCCESS : EXIT_FAILURE;
}
