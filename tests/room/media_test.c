/* hf-media as a process: what the two parties of a call hear, whatever becomes
 * of the helper, of hf-media itself and of strangers.  The test plays keeper
 * and hf-call; each party is a socket on the loopback. */

#include <arpa/inet.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/check.h"
#include "base/prompt.h"
#include "tests/lib/media_driver.h"
#include "wire/row.h"

enum { FRAME = 160, HEAD = 12, CALLER = 0, HELPER = 1, STREAMS = 8 };

static struct media_driver d;
static unsigned facts[MSG_NR];
static struct msg news[MSG_NR]; /* the last of each */

struct party {
	int fd;
	struct sockaddr_in to; /* hf-media's port */
	bool talks;
	uint8_t payload, byte; /* what it says, all day long */
	uint16_t seq;
	uint32_t ts;
	int64_t next;
	/* heard */
	unsigned packets, mine; /* of them with "byte" of the other */
	uint8_t other;          /* what the other one's bytes come to here */
	uint8_t last_payload;
	uint32_t ssrc, last_ts;
	uint16_t last_seq;
	bool broken; /* another SSRC, or a number that did not grow */
	int64_t last, longest_us;
	unsigned uneven; /* timestamp steps other than a frame */
};

static struct party caller, helper;

static int64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static uint16_t
party_open_at(const char *ip, struct party *p, uint32_t stream, uint8_t payload,
    uint8_t byte)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);

	memset(p, 0, sizeof(*p));
	p->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	inet_pton(AF_INET, ip, &a.sin_addr);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&a, &n), 0);
	p->to = a;
	p->to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	p->to.sin_port = htons((uint16_t)(d.port_first + 2 * stream));
	p->payload = payload;
	p->byte = byte;
	p->seq = 65530;
	return ntohs(a.sin_port);
}

static uint16_t
party_open(struct party *p, uint32_t stream, uint8_t payload, uint8_t byte)
{
	return party_open_at("127.0.0.1", p, stream, payload, byte);
}

static void
send_packet(struct party *p, uint8_t payload, const void *body, size_t n)
{
	uint8_t m[HEAD + 480] = { 0x80, payload };
	uint16_t seq = htons(p->seq++);
	uint32_t ts = htonl(p->ts);

	memcpy(m + 2, &seq, 2);
	memcpy(m + 4, &ts, 4);
	m[11] = p->byte;
	memcpy(m + HEAD, body, n);
	(void)sendto(
	    p->fd, m, HEAD + n, 0, (struct sockaddr *)&p->to, sizeof(p->to));
}

static void
talk(struct party *p)
{
	uint8_t body[FRAME];

	/* A square wave whose loudness differs from frame to frame. */
	for (int i = 0; i < FRAME; i++)
		body[i] = (uint8_t)(p->byte ^ (i / 16 % 2 ? 0x80 : 0));
	send_packet(p, p->payload, body, sizeof(body));
	p->ts += FRAME;
}

static void
hear(struct party *p)
{
	uint8_t m[1500];
	ssize_t n;

	while ((n = recv(p->fd, m, sizeof(m), 0)) >= HEAD) {
		uint16_t seq = (uint16_t)(m[2] << 8 | m[3]);
		uint32_t ts, ssrc;
		int64_t now = now_us();

		memcpy(&ts, m + 4, 4);
		memcpy(&ssrc, m + 8, 4);
		ts = ntohl(ts);
		if ((m[1] & 0x7f) >= 64 && (m[1] & 0x7f) < 96)
			continue; /* RTCP */
		if (p->packets > 0) {
			if (ssrc != p->ssrc ||
			    (int16_t)(seq - p->last_seq) <= 0 ||
			    (int32_t)(ts - p->last_ts) < 0)
				p->broken = true;
			if (ts - p->last_ts != FRAME)
				p->uneven++;
			if (now - p->last > p->longest_us)
				p->longest_us = now - p->last;
		}
		p->packets++;
		p->mine += n > HEAD && m[HEAD] == p->other;
		p->ssrc = ssrc;
		p->last_seq = seq;
		p->last_ts = ts;
		p->last = now;
		p->last_payload = m[1] & 0x7f;
	}
}

static void
live(int ms)
{
	int64_t until = now_us() + ms * 1000LL;

	while (now_us() < until) {
		struct party *all[] = { &caller, &helper };

		for (int i = 0; i < 2; i++) {
			struct party *p = all[i];

			if (p->fd < 0)
				continue;
			if (p->talks && now_us() >= p->next) {
				p->next = p->next == 0 ? now_us() : p->next;
				p->next += 20000;
				talk(p);
			}
			hear(p);
		}
		media_driver_run(&d, 1);
	}
}

static void
forget_heard(struct party *p)
{
	p->packets = p->mine = p->uneven = 0;
	p->broken = false;
	p->longest_us = 0;
}

static void
note(const struct msg *m, void *arg)
{
	(void)arg;
	facts[m->type]++;
	news[m->type] = *m;
}

/* A call between a mu-law caller and an A-law helper, both talking. */
static void
a_call(enum judge judge)
{
	struct media m;

	memset(facts, 0, sizeof(facts));
	m = media_driver_media(
	    party_open(&caller, CALLER, 0, 0x21), CODEC_PCMU);
	media_driver_open(&d, CALLER, &m);
	m = media_driver_media(
	    party_open(&helper, HELPER, 8, 0x35), CODEC_PCMA);
	media_driver_open(&d, HELPER, &m);
	caller.talks = helper.talks = true;
	media_driver_join(&d, CALLER, HELPER, judge);
	live(300);
}

static int
hang_up(void **state)
{
	(void)state;
	media_driver_close(&d, CALLER);
	media_driver_close(&d, HELPER);
	live(30);
	close(caller.fd);
	close(helper.fd);
	caller.fd = helper.fd = -1;
	return 0;
}

static void
both_hear_each_other_each_in_his_own_law(void **state)
{
	(void)state;
	a_call(JUDGE_EAR);
	/* 0x35 in A-law is 0x1f in mu-law, as the tables have it. */
	forget_heard(&caller);
	forget_heard(&helper);
	live(500);
	assert_in_range(caller.packets, 22, 28);
	assert_in_range(helper.packets, 22, 28);
	assert_int_equal(caller.last_payload, 0);
	assert_int_equal(helper.last_payload, 8);
	assert_int_equal(caller.uneven + helper.uneven, 0);
	assert_false(caller.broken || helper.broken);
	assert_int_equal(facts[MSG_STREAM_SPOKE], 2);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	assert_true(media_driver_ask(&d, "streams"));
	assert_true(media_driver_ask(&d, "media"));
	media_driver_close(&d, HELPER);
	live(50);
	assert_int_equal(facts[MSG_STREAM_CLOSED], 1);
	assert_in_range(
	    news[MSG_STREAM_CLOSED].stream_closed.packets_in, 35, 50);
	assert_int_equal(news[MSG_STREAM_CLOSED].stream_closed.lost, 0);
}

static void
a_helper_that_stops_is_bridged_and_welcome_back(void **state)
{
	(void)state;
	a_call(JUDGE_PACKETS);
	forget_heard(&caller);
	live(100);
	helper.talks = false;
	live(600);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 1);
	assert_int_equal(facts[MSG_STREAM_VOICED], 1);
	assert_int_equal(facts[MSG_STREAM_WELL], 0);
	/* 70 ms and a tick is promised; a busy test machine may add some. */
	assert_in_range(caller.longest_us, 60000, 110000);
	assert_in_range(
	    news[MSG_STREAM_VOICED].stream_voiced.gap.us, 60000, 110000);
	assert_true(caller.packets > 20);
	helper.talks = true;
	helper.next = 0;
	helper.ts += 600 * 8;
	helper.seq = (uint16_t)(helper.seq + 30); /* lost on the way */
	live(200);
	assert_int_equal(facts[MSG_STREAM_WELL], 1);
	assert_false(caller.broken);
	assert_in_range(
	    news[MSG_STREAM_WELL].stream_well.gap.us, 500000, 800000);
	live(100);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 1);
}

static void
a_closed_socket_is_known_with_the_next_packet(void **state)
{
	int64_t closed;

	(void)state;
	a_call(JUDGE_PACKETS);
	close(helper.fd);
	helper.fd = -1;
	closed = now_us();
	while (facts[MSG_STREAM_REFUSED] == 0 && now_us() - closed < 1000000)
		live(5);
	assert_true(now_us() - closed < 80000);
	live(200);
	assert_int_equal(facts[MSG_STREAM_REFUSED], 1);
}

static void
a_helper_without_a_word_is_noticed(void **state)
{
	struct media m;

	(void)state;
	memset(facts, 0, sizeof(facts));
	m = media_driver_media(
	    party_open(&caller, CALLER, 0, 0x21), CODEC_PCMU);
	media_driver_open(&d, CALLER, &m);
	m = media_driver_media(
	    party_open(&helper, HELPER, 8, 0x35), CODEC_PCMA);
	media_driver_open(&d, HELPER, &m);
	caller.talks = true;
	media_driver_join(&d, CALLER, HELPER, JUDGE_PACKETS);
	live(400);
	assert_true(caller.packets > 10); /* the hiss of an open line */
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	live(1900);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 1);
	assert_int_equal(facts[MSG_STREAM_VOICED], 1);
	assert_int_equal(news[MSG_STREAM_SUSPECT].stream_suspect.last.us, 0);
	assert_false(caller.broken);
}

static void
music_keeps_its_pace_and_prompts_end(void **state)
{
	(void)state;
	a_call(JUDGE_PACKETS);
	forget_heard(&caller);
	media_driver_play(&d, CALLER, 5, PROMPT_CONFIRM, AFTER_MUSIC);
	live(2000);
	assert_int_equal(facts[MSG_PROMPT_ENDED], 1);
	assert_int_equal(news[MSG_PROMPT_ENDED].prompt_ended.id, 5);
	assert_in_range(caller.packets, 97, 103);
	assert_true(caller.uneven <= 1);
	assert_false(caller.broken);
	media_driver_play(&d, CALLER, 6, PROMPT_REFUSE, AFTER_PARTNER);
	live(700);
	forget_heard(&caller);
	live(300);
	assert_int_equal(facts[MSG_PROMPT_ENDED], 2);
	assert_in_range(caller.packets, 12, 18);
	assert_false(caller.broken);
}

static void
parting_leaves_an_open_line(void **state)
{
	struct msg m = { .type = MSG_PART_STREAMS };

	(void)state;
	a_call(JUDGE_PACKETS);
	m.part_streams.caller = media_driver_ref(CALLER);
	media_driver_order(&d, &m);
	live(50);
	forget_heard(&caller);
	forget_heard(&helper);
	live(400);
	assert_in_range(caller.packets, 17, 23);
	assert_int_equal(helper.packets, 0);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	helper.talks = false;
	live(200);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
}

static void
a_stranger_is_not_heard(void **state)
{
	struct party stranger;

	(void)state;
	a_call(JUDGE_NOBODY);
	(void)party_open(&stranger, HELPER, 8, 0x35);
	helper.talks = false;
	live(50);
	forget_heard(&caller);
	for (int i = 0; i < 10; i++) {
		talk(&stranger);
		live(10);
	}
	assert_int_equal(caller.packets, 0);
	close(stranger.fd);
}

/* A call whose helper's port has seen all sorts before, from the very address
 * that the helper has now. */
static void
what_came_before_the_call_is_not_heard(void **state)
{
	struct party stranger;
	struct media m;
	uint16_t port;

	(void)state;
	m = media_driver_media(
	    party_open(&caller, CALLER, 0, 0x21), CODEC_PCMU);
	media_driver_open(&d, CALLER, &m);
	port = party_open(&helper, HELPER, 8, 0x35);
	(void)party_open(&stranger, HELPER, 8, 0x35);
	for (int i = 0; i < 20; i++) { /* nobody has the port */
		talk(&helper);
		talk(&stranger);
	}
	live(30);
	for (int i = 0; i < 20; i++) {
		talk(&helper);
		talk(&stranger);
	}
	m = media_driver_media(port, CODEC_PCMA);
	media_driver_open(&d, HELPER, &m);
	caller.other = 0x1f; /* 0x35, transcoded */
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	live(100);
	assert_int_equal(caller.mine, 0);
	for (int i = 0; i < 20; i++) /* before the helper's first word */
		talk(&stranger);
	live(50);
	assert_int_equal(caller.mine, 0);
	/* Right behind the helper's first word, in one heap with it. */
	kill(d.pid, SIGSTOP);
	talk(&helper);
	for (int i = 0; i < 20; i++)
		talk(&stranger);
	kill(d.pid, SIGCONT);
	live(50);
	assert_int_equal(caller.mine, 1);
	for (int i = 0; i < 20; i++) {
		talk(&stranger);
		talk(&helper);
		live(10);
	}
	assert_int_equal(caller.mine, 21);
	close(stranger.fd);
}

/* The last call's helper talks on into the next one, at his own port. */
static void
the_earlier_tenant_is_not_heard(void **state)
{
	struct party earlier;
	struct media m;

	(void)state;
	a_call(JUDGE_NOBODY);
	m = media_driver_media(
	    party_open(&earlier, HELPER, 8, 0x35), CODEC_PCMA);
	media_driver_close(&d, HELPER);
	live(20);
	media_driver_open(&d, HELPER, &m);
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	for (int i = 0; i < 10; i++) {
		talk(&earlier);
		live(10);
	}
	assert_true(caller.packets > 10);
	caller.other = 0x1f;
	media_driver_close(&d, HELPER);
	for (int i = 0; i < 10; i++)
		talk(&earlier);
	m = media_driver_media(
	    party_open(&helper, HELPER, 8, 0x35), CODEC_PCMA);
	media_driver_open(&d, HELPER, &m);
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	live(20);
	forget_heard(&caller);
	for (int i = 0; i < 20; i++) {
		talk(&earlier);
		live(5);
	}
	assert_int_equal(caller.mine, 0);
	helper.talks = true;
	live(200);
	assert_true(caller.mine > 5);
	close(earlier.fd);
}

/* A re-INVITE moves the helper: his old place has nothing to say. */
static void
whoever_moves_is_heard_from_there_alone(void **state)
{
	struct party old;
	struct media m;

	(void)state;
	a_call(JUDGE_NOBODY);
	old = helper;
	m = media_driver_media(
	    party_open(&helper, HELPER, 8, 0x35), CODEC_PCMA);
	media_driver_open(&d, HELPER, &m);
	live(30);
	caller.other = 0x1f;
	forget_heard(&caller);
	for (int i = 0; i < 10; i++) {
		talk(&old);
		live(10);
	}
	assert_int_equal(caller.mine, 0);
	helper.seq = (uint16_t)(old.seq + 10); /* the same talker */
	helper.ts = old.ts + 10 * FRAME;
	helper.talks = true;
	live(200);
	assert_true(caller.mine > 5);
	close(old.fd);
}

static int
reporter(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	inet_pton(AF_INET, "127.0.0.1", &a.sin_addr);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

static void
send_reports(int fd, uint32_t stream, int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)(d.port_first + 2 * stream + 1)) };
	uint8_t m[8] = { 0x80, 201, 0, 1, 0, 0, 0, 9 };

	inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
	while (n-- > 0)
		(void)sendto(
		    fd, m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to));
}

static int64_t
media_counts(const char *name)
{
	struct hf_slice in;
	struct row_value v;

	assert_true(media_driver_ask(&d, "media"));
	in = (struct hf_slice){ (const char *)d.last.reply.row.p,
		d.last.reply.row.n };
	while (row_next(&in, &v))
		if (v.name.n == strlen(name) &&
		    memcmp(v.name.p, name, v.name.n) == 0)
			return strtoll(v.value.p, NULL, 10);
	fail_msg("no %s", name);
	return -1;
}

/* Reports: before the first of ours and after it, at a port of their own. */
static void
reports_are_believed_from_their_place_alone(void **state)
{
	int right, wrong, right_early;
	uint16_t right_port, wrong_port;
	struct media m;
	uint8_t got[64];
	int64_t until = now_us() + 8000000, heard;

	(void)state;
	heard = media_counts("rtcp_in");
	memset(facts, 0, sizeof(facts));
	right = reporter(&right_port);
	wrong = reporter(&wrong_port);
	send_reports(right, HELPER, 5); /* too early: forgotten */
	m = media_driver_media(
	    party_open(&caller, CALLER, 0, 0x21), CODEC_PCMU);
	media_driver_open(&d, CALLER, &m);
	m = media_driver_media(
	    party_open(&helper, HELPER, 8, 0x35), CODEC_PCMA);
	m.rtcp.port = right_port;
	media_driver_open(&d, HELPER, &m);
	live(50);
	send_reports(wrong, HELPER, 4);
	send_reports(right, HELPER, 1);
	live(50);
	while ((right_early = (int)recv(right, got, sizeof(got), 0)) < 0 &&
	       now_us() < until)
		live(20);
	assert_true(right_early > 8 && (got[1] == 200 || got[1] == 201));
	send_reports(wrong, HELPER, 4); /* the kernel keeps these out */
	send_reports(right, HELPER, 1);
	live(50);
	media_driver_close(&d, HELPER);
	live(50);
	assert_int_equal(facts[MSG_STREAM_CLOSED], 1);
	assert_int_equal(news[MSG_STREAM_CLOSED].stream_closed.refused, 4);
	assert_int_equal(media_counts("rtcp_in"), heard + 2);
	/* With rtcp-mux nobody is believed at that port. */
	m.mux = true;
	media_driver_open(&d, HELPER, &m);
	live(20);
	send_reports(right, HELPER, 3);
	send_reports(wrong, HELPER, 3);
	live(30);
	media_driver_close(&d, HELPER);
	live(30);
	assert_int_equal(news[MSG_STREAM_CLOSED].stream_closed.refused, 6);
	close(right);
	close(wrong);
}

static void
behind_nat_the_true_port_is_learned_once(void **state)
{
	struct party stranger;
	struct media m;
	uint16_t port;

	(void)state;
	memset(facts, 0, sizeof(facts));
	m = media_driver_media(
	    party_open(&caller, CALLER, 0, 0x21), CODEC_PCMU);
	media_driver_open(&d, CALLER, &m);
	port = party_open(&helper, HELPER, 8, 0x35);
	m = media_driver_media((uint16_t)(port == 9 ? 10 : 9), CODEC_PCMA);
	m.latch = LATCH_HOST;
	media_driver_open(&d, HELPER, &m);
	caller.talks = helper.talks = true;
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	live(300);
	assert_true(helper.packets > 8);
	assert_true(caller.packets > 8);
	(void)party_open(&stranger, HELPER, 8, 0x35);
	helper.talks = false;
	live(50);
	forget_heard(&caller);
	for (int i = 0; i < 20; i++) {
		talk(&stranger);
		live(5);
	}
	assert_int_equal(caller.packets, 0);
	close(stranger.fd);
}

/* A caller whose SDP names an address in his own house; nobody talks yet. */
static void
a_call_behind_nat(enum latch latch, const char *source)
{
	struct media m;

	memset(facts, 0, sizeof(facts));
	m = media_driver_media(
	    party_open(&helper, HELPER, 8, 0x35), CODEC_PCMA);
	media_driver_open(&d, HELPER, &m);
	m = media_driver_media(9, CODEC_PCMU);
	assert_true(hf_addr_parse_ip(HF_SLICE("10.77.1.2"), &m.rtp));
	m.rtp.port = 4000;
	assert_true(hf_addr_parse_ip(hf_slice_of(source), &m.source));
	m.latch = latch;
	media_driver_open(&d, CALLER, &m);
	media_driver_join(&d, CALLER, HELPER, JUDGE_NOBODY);
	live(30);
}

static void
knock(const char *ip, int times)
{
	struct party stranger;

	(void)party_open_at(ip, &stranger, CALLER, 0, 0x21);
	for (int i = 0; i < times; i++) {
		talk(&stranger);
		live(3);
	}
	close(stranger.fd);
}

static void
behind_nat_only_the_signalled_hosts_are_believed(void **state)
{
	(void)state;
	a_call_behind_nat(LATCH_HOST, "127.0.0.8");
	knock("127.0.0.9", 40);
	assert_int_equal(helper.packets, 0);
	(void)party_open_at("127.0.0.8", &caller, CALLER, 0, 0x21);
	caller.talks = helper.talks = true;
	live(200);
	assert_true(helper.packets > 6);
	assert_true(caller.packets > 6);
}

static void
where_any_host_may_come_from_the_one_that_keeps_knocking_is_it(void **state)
{
	(void)state;
	a_call_behind_nat(LATCH_ANY, "127.0.0.8");
	knock("127.0.0.10", 2);
	knock("127.0.0.11", 2);
	assert_int_equal(helper.packets, 0);
	(void)party_open_at("127.0.0.9", &caller, CALLER, 0, 0x21);
	caller.talks = helper.talks = true;
	live(200);
	assert_true(helper.packets > 5);
	assert_true(caller.packets > 5);
	forget_heard(&helper);
	caller.talks = false;
	live(40);
	forget_heard(&helper);
	knock("127.0.0.10", 10); /* it is locked */
	assert_int_equal(helper.packets, 0);
}

static void
where_any_host_may_come_from_it_must_come_soon(void **state)
{
	(void)state;
	a_call_behind_nat(LATCH_ANY, "127.0.0.8");
	for (int i = 0; i < 6; i++) { /* rtp.latch_packets and more */
		knock("127.0.0.10", 1);
		knock("127.0.0.11", 1);
	}
	knock("127.0.0.9", 10);
	assert_int_equal(helper.packets, 0);
	(void)party_open_at("127.0.0.8", &caller, CALLER, 0, 0x21);
	caller.talks = true;
	live(100);
	assert_true(helper.packets > 2); /* the signalled one always may */
}

static void
our_own_stall_blames_nobody(void **state)
{
	(void)state;
	a_call(JUDGE_PACKETS);
	kill(d.pid, SIGSTOP);
	for (int i = 0; i < 25; i++) { /* both go on talking */
		talk(&caller);
		talk(&helper);
		usleep(20000);
	}
	caller.next = helper.next = 0;
	kill(d.pid, SIGCONT);
	live(300);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	assert_false(caller.broken);
	/* Also when nothing came meanwhile: the stall may have been the
	 * whole machine's. */
	kill(d.pid, SIGSTOP);
	usleep(400000);
	caller.next = helper.next = 0;
	kill(d.pid, SIGCONT);
	live(300);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
}

static void
a_successor_goes_on_with_the_same_stream(void **state)
{
	uint32_t ssrc;

	(void)state;
	a_call(JUDGE_PACKETS);
	ssrc = caller.ssrc;
	media_driver_restart(&d, getenv("HF_MEDIA"));
	live(300);
	assert_false(caller.broken);
	assert_false(helper.broken);
	assert_int_equal(caller.ssrc, ssrc);
	assert_int_equal(news[MSG_MEDIA_STARTED].media_started.open, 2);
	forget_heard(&caller);
	live(300);
	assert_in_range(caller.packets, 12, 18);
	helper.talks = false;
	live(150);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 1);
}

/* Words that came while nobody was there lie in the socket. */
static void
what_was_said_during_a_restart_is_heard_after_it(void **state)
{
	(void)state;
	a_call(JUDGE_NOBODY);
	live(100);
	helper.talks = false;
	live(60);
	caller.other = 0x1f;
	forget_heard(&caller);
	kill(d.pid, SIGSTOP); /* it will not read them; its death is next */
	for (int i = 0; i < 6; i++) {
		talk(&helper);
		usleep(20000);
	}
	media_driver_restart(&d, getenv("HF_MEDIA"));
	live(300);
	assert_int_equal(caller.mine, 6);
	assert_false(caller.broken);
	/* And the way back is short: nothing is read and rendered anew. */
	helper.talks = true;
	helper.next = 0;
	live(100);
	forget_heard(&caller);
	live(60); /* the gap begins with the last of these */
	media_driver_restart(&d, getenv("HF_MEDIA"));
	live(200);
	print_message("restart: %lld ms without a packet\n",
	    (long long)caller.longest_us / 1000);
	assert_true(caller.longest_us < 90000);
}

static void
keys_are_told_while_felt(void **state)
{
	struct msg m = { .type = MSG_FEEL_STREAM };
	uint8_t event[4] = { 7, 0x0a, 0, 160 };

	(void)state;
	a_call(JUDGE_PACKETS);
	m.feel_stream.stream = media_driver_ref(CALLER);
	m.feel_stream.on = true;
	media_driver_order(&d, &m);
	live(20);
	caller.talks = false;
	for (int i = 0; i < 8; i++) {
		event[3] = (uint8_t)(i * 20);
		event[1] = i >= 5 ? 0x8a : 0x0a;
		send_packet(&caller, 101, event, sizeof(event));
		live(20);
	}
	assert_int_equal(facts[MSG_STREAM_DTMF], 1);
	assert_int_equal(news[MSG_STREAM_DTMF].stream_dtmf.digit, '7');
}

static void
a_recording_ends_when_its_speaker_does(void **state)
{
	struct msg m = { .type = MSG_RECORD_STREAM };

	(void)state;
	a_call(JUDGE_NOBODY);
	m.record_stream.stream = media_driver_ref(CALLER);
	m.record_stream.recording = 44;
	m.record_stream.max = hf_ms(60000);
	m.record_stream.silence = hf_ms(400);
	media_driver_order(&d, &m);
	live(300);
	assert_int_equal(facts[MSG_RECORDING_ENDED], 0);
	caller.talks = false;
	live(600);
	assert_int_equal(facts[MSG_RECORDING_ENDED], 1);
	assert_int_equal(
	    news[MSG_RECORDING_ENDED].recording_ended.cause, CAUSE_MUTE);
	assert_in_range(news[MSG_RECORDING_ENDED].recording_ended.length.us,
	    200000, 800000);
}

/* A receiver report about what hf-media sends to this party; or about nobody,
 * which is shorter. */
static void
report(struct party *p, uint32_t highest, bool about_us)
{
	uint8_t m[32] = { 0x81, 201, 0, 7, 0, 0, 0, 9 };
	size_t n = sizeof(m);

	memcpy(m + 8, &p->ssrc, 4); /* as it came: network order */
	highest = htonl(highest);
	memcpy(m + 16, &highest, 4);
	if (!about_us) {
		m[0] = 0x80;
		m[3] = 1;
		n = 8;
	}
	(void)sendto(p->fd, m, n, 0, (struct sockaddr *)&p->to, sizeof(p->to));
}

static void
a_party_that_hears_nothing_of_us_is_told(void **state)
{
	enum { TURN_MS = 2100 }; /* a hundred packets and more */
	struct media m;

	(void)state;
	a_call(JUDGE_NOBODY);
	close(caller.fd);
	m = media_driver_media(
	    party_open(&caller, CALLER, 0, 0x21), CODEC_PCMU);
	m.mux = true;
	media_driver_open(&d, CALLER, &m); /* a re-INVITE: it has moved */
	caller.talks = true;
	live(100);
	for (int i = 0; i < 4;
	     i++) { /* who never writes a block says nothing */
		report(&caller, 0, false);
		live(TURN_MS);
	}
	assert_int_equal(facts[MSG_STREAM_ONE_WAY], 0);
	report(&caller, 1002, true);
	for (int i = 0; i < 2; i++) {
		live(TURN_MS);
		report(&caller, 1002, true);
	}
	live(20);
	assert_int_equal(facts[MSG_STREAM_ONE_WAY], 0);
	live(TURN_MS);
	report(&caller, 0, false); /* he wrote one: now it is missing */
	live(20);
	assert_int_equal(facts[MSG_STREAM_ONE_WAY], 1);
}

static void
a_helper_on_hold_is_not_missed(void **state)
{
	struct sockaddr_in a;
	socklen_t n = sizeof(a);
	struct media m;

	(void)state;
	a_call(JUDGE_PACKETS);
	assert_int_equal(getsockname(helper.fd, (struct sockaddr *)&a, &n), 0);
	m = media_driver_media(ntohs(a.sin_port), CODEC_PCMA);
	m.direction = DIRECTION_INACTIVE;
	media_driver_open(&d, HELPER, &m);
	helper.talks = false;
	live(600);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	forget_heard(&helper);
	live(200);
	assert_int_equal(helper.packets, 0);
	m.direction = DIRECTION_SENDRECV;
	media_driver_open(&d, HELPER, &m);
	helper.talks = true;
	helper.next = 0;
	live(300);
	assert_in_range(helper.packets, 12, 18);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
	helper.talks = false;
	live(150);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 1);
}

static void
a_message_from_the_box_is_heard_to_its_end(void **state)
{
	struct msg m = { .type = MSG_MESSAGE_SHIPPED };
	uint8_t words[8000];
	int fd = memfd_create("message", MFD_CLOEXEC);

	(void)state;
	a_call(JUDGE_NOBODY);
	for (size_t i = 0; i < sizeof(words); i++)
		words[i] = (uint8_t)(0x27 ^ (i / 16 % 2 ? 0x80 : 0));
	assert_int_equal(
	    write(fd, words, sizeof(words)), (ssize_t)sizeof(words));
	m.message_shipped.message = 12;
	m.message_shipped.bytes = sizeof(words);
	chan_send_fds(&d.rec, &m, &fd, 1, false);
	chan_flush(&d.rec);
	live(50);
	caller.other = 0x27;
	forget_heard(&caller);
	m = (struct msg){ .type = MSG_PLAY_PROMPT };
	m.play_prompt.stream = media_driver_ref(CALLER);
	m.play_prompt.id = 9;
	m.play_prompt.message = 12;
	m.play_prompt.after = AFTER_SILENCE;
	media_driver_order(&d, &m);
	live(1200);
	assert_int_equal(facts[MSG_PROMPT_ENDED], 1);
	assert_in_range(caller.mine, 49, 51);
	assert_false(caller.broken);
}

static void
who_asks_and_is_not_answered_is_mute(void **state)
{
	(void)state;
	a_call(JUDGE_EAR);
	live(700);
	helper.byte = 0xd5; /* it listens: digital silence */
	live(600);
	caller.byte = 0xff; /* and so does he */
	live(2400);
	assert_int_equal(facts[MSG_STREAM_MUTE], 0);
	live(1200);
	assert_int_equal(facts[MSG_STREAM_MUTE], 1);
	assert_false(news[MSG_STREAM_MUTE].stream_mute.lost);
	helper.byte = 0x35;
	live(500);
	assert_int_equal(facts[MSG_STREAM_SPEAKS], 1);
	assert_int_equal(facts[MSG_STREAM_SUSPECT], 0);
}

static int
start_all(void **state)
{
	const char *program = getenv("HF_MEDIA");

	(void)state;
	if (program == NULL) {
		setenv("HF_MEDIA", HF_MEDIA_BUILT, 1);
		program = HF_MEDIA_BUILT;
	}
	media_driver_start(&d, program, "", STREAMS);
	d.fact = note;
	caller.fd = helper.fd = -1;
	return 0;
}

static int
stop_all(void **state)
{
	(void)state;
	media_driver_stop(&d);
	return 0;
}

int
main(void)
{
#define STORY(f) cmocka_unit_test_teardown(f, hang_up)
	static const struct CMUnitTest tests[] = {
		STORY(both_hear_each_other_each_in_his_own_law),
		STORY(a_helper_that_stops_is_bridged_and_welcome_back),
		STORY(a_closed_socket_is_known_with_the_next_packet),
		STORY(a_helper_without_a_word_is_noticed),
		STORY(music_keeps_its_pace_and_prompts_end),
		STORY(parting_leaves_an_open_line),
		STORY(a_stranger_is_not_heard),
		STORY(what_came_before_the_call_is_not_heard),
		STORY(the_earlier_tenant_is_not_heard),
		STORY(whoever_moves_is_heard_from_there_alone),
		STORY(reports_are_believed_from_their_place_alone),
		STORY(behind_nat_the_true_port_is_learned_once),
		STORY(behind_nat_only_the_signalled_hosts_are_believed),
		STORY(
		    where_any_host_may_come_from_the_one_that_keeps_knocking_is_it),
		STORY(where_any_host_may_come_from_it_must_come_soon),
		STORY(our_own_stall_blames_nobody),
		STORY(a_successor_goes_on_with_the_same_stream),
		STORY(what_was_said_during_a_restart_is_heard_after_it),
		STORY(keys_are_told_while_felt),
		STORY(a_recording_ends_when_its_speaker_does),
		STORY(a_party_that_hears_nothing_of_us_is_told),
		STORY(a_helper_on_hold_is_not_missed),
		STORY(a_message_from_the_box_is_heard_to_its_end),
		STORY(who_asks_and_is_not_answered_is_mute),
	};
#undef STORY

	cmocka_set_test_filter(getenv("HF_TEST"));

	return cmocka_run_group_tests(tests, start_all, stop_all);
}
