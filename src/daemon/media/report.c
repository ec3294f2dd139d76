/* daemon/media/report - RTCP.  We are one end of each party's session and
 * report for ourselves; what the party reports tells whether it hears us. */

#include <time.h>

#include "base/check.h"
#include "daemon/media/room.h"

enum {
	EVERY_MS = 5000,
	FIRST_MS = 2000,    /* and up to twice that: not all at once */
	DEAF_PACKETS = 100, /* sent to it since its last report, at least */
	ROOM_LEN = 512,
};

static const int64_t NTP_SINCE_1900 = 2208988800; /* seconds to 1970 */

static uint64_t
ntp_now(void)
{
	uint64_t us = (uint64_t)proc_wall().us;

	return (us / 1000000 + (uint64_t)NTP_SINCE_1900) << 32 |
	       ((us % 1000000) << 32) / 1000000;
}

static struct hf_span
interval(int64_t ms)
{
	/* RFC 3550 6.2: spread between half and one and a half. */
	return hf_ms(ms / 2 + hf_rand_below(proc_rand(), (uint32_t)ms));
}

void
report_begin(struct stream *s, struct hf_time now)
{
	s->their_report = HF_TIME_NEVER;
	s->deaf = 0;
	s->reports_us = false;
	s->signed_on = false;
	s->received_then = s->meter.received;
	s->quiet = now;
	s->one_way = false;
	s->reported_packets = s->voice.packets;
	s->rtcp_due = hf_time_after(now, interval(FIRST_MS * 2));
	tick_at(s, s->rtcp_due);
}

/* In 65,536ths of a second, as a report block wants it. */
static uint32_t
delay_since(struct hf_time then, struct hf_time now)
{
	return (uint32_t)(hf_time_since(then, now).us * 65536 / 1000000);
}

static void
send_report(struct stream *s, struct hf_time now)
{
	char memory[ROOM_LEN], cname[HF_REF_TEXT_MAX + 16] = "holdfast-";
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));
	char ref[HF_REF_TEXT_MAX];
	struct hf_buf name = hf_buf_on(cname + 9, sizeof(cname) - 10);
	struct rtcp_report r = {
		.ssrc = s->voice.ssrc,
		.sender = s->voice.packets != s->reported_packets,
		.ntp = ntp_now(),
		.ts = s->voice.ts + (uint32_t)(voice_hole(&s->voice, now).us *
					       G711_PER_MS / 1000),
		.packets = (uint32_t)s->voice.packets,
		.octets = (uint32_t)s->voice.octets,
		.hears = s->meter.begun,
		.about = s->meter.ssrc,
		.cname = cname,
	};

	hf_buf_str(&name, hf_ref_text(s->ref, ref));
	if (r.hears) {
		r.fraction = rtp_meter_fraction(&s->meter);
		r.lost = (uint32_t)rtp_meter_lost(&s->meter);
		r.highest = rtp_meter_highest(&s->meter);
		r.jitter = s->meter.jitter16 >> 4;
	}
	if (s->their_report.us != INT64_MAX) {
		r.lsr = s->their_ntp;
		r.dlsr = delay_since(s->their_report, now);
	}
	rtcp_put(&b, &r);
	hf_assert(!b.overflow);
	port_send_rtcp(s, memory, b.n);
	s->reported_packets = s->voice.packets;
}

/* Seen from report to report: that costs a packet nothing, and what matters
 * here is a minute. */
static void
look_for_signs(struct stream *s, struct hf_time now)
{
	struct msg m = { .type = MSG_STREAM_SILENT };
	struct hf_span most = room.conf->calls.silent_max;

	if (s->signed_on || s->meter.received != s->received_then) {
		s->signed_on = false;
		s->received_then = s->meter.received;
		s->quiet = now;
		return;
	}
	if (most.us == 0 || hf_time_since(s->quiet, now).us < most.us)
		return;
	m.stream_silent.stream = s->ref;
	m.stream_silent.silent = hf_time_since(s->quiet, now);
	s->quiet = now;
	port_mistaken(s);
	stream_tell(s, &m);
}

void
report_age(struct stream *s, struct hf_time now)
{
	if (hf_time_before(now, s->rtcp_due))
		return;
	look_for_signs(s, now);
	s->rtcp_due = hf_time_after(now, interval(EVERY_MS));
	if (s->media.rtp.family != 0)
		send_report(s, now);
	stream_commit(s, now);
}

/* Packets leave here and none arrives there, report after report. */
static void
judge(struct stream *s, const struct rtcp_news *n)
{
	struct msg m = { .type = MSG_STREAM_ONE_WAY };
	bool sent = s->voice.packets - s->sent_then >= DEAF_PACKETS;
	bool moved = n->about_us && n->highest != s->their_highest;

	/* A block is about what was heard since the last report, so it is
	 * missing when we are not heard any more (RFC 3550 6.4); but a stack
	 * that never wrote one about us says nothing. */
	if (n->about_us)
		s->their_highest = n->highest;
	s->reports_us |= n->about_us;
	if (!sent || !s->reports_us)
		return;
	s->sent_then = s->voice.packets;
	s->deaf = moved ? 0 : (uint8_t)(s->deaf + (s->deaf < UINT8_MAX));
	if (moved)
		s->one_way = false;
	if (s->deaf < guard_conf(s)->deaf_reports || s->one_way)
		return;
	s->one_way = true;
	m.stream_one_way.stream = s->ref;
	stream_tell(s, &m);
}

void
report_hear(struct stream *s, const uint8_t *p, size_t n, struct hf_time now)
{
	struct rtcp_news news;

	room.count_of.rtcp_in++;
	if (!rtcp_parse((struct hf_slice){ (const char *)p, n }, s->voice.ssrc,
		&news)) {
		room.count_of.odd++;
		return;
	}
	if (news.sender) {
		s->their_ntp = news.ntp_mid;
		s->their_report = now;
	}
	s->signed_on = true;
	guard_sign(s, now);
	judge(s, &news);
}
