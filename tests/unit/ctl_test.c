/* ctl: what reaches an operator's terminal, and what reaches a program. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl/ctl.h"
#include "ctl/trace.h"
#include "wire/ask.h"
#include "wire/msg.h"

static char out[65536];

static FILE *
begin(void)
{
	memset(out, 0, sizeof(out));
	return fmemopen(out, sizeof(out) - 1, "w");
}

static char bytes[8][ROW_MAX];
static struct hf_slice row[8];

static struct hf_buf
make(size_t i)
{
	return hf_buf_on(bytes[i], sizeof(bytes[i]));
}

static void
done(size_t i, const struct hf_buf *b)
{
	row[i] = (struct hf_slice){ bytes[i], b->n };
}

static void
spans_are_read_at_a_glance(void **state)
{
	static const struct {
		int64_t us;
		const char *text;
	} rows[] = {
		{ 0, "0ms" },
		{ 999, "999us" },
		{ 71200, "71ms" },
		{ 1502000, "1.50s" },
		{ 59994999, "59.99s" },
		{ 59995000, "1m00s" },
		{ 1999000, "2.00s" },
		{ 125000000, "2m05s" },
		{ 11520000000, "3h12m" },
		{ 187200000000, "2d4h" },
		{ -71200, "-71ms" },
	};
	char text[32];

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++)
		assert_string_equal(
		    span_text(rows[i].us, text, sizeof(text)), rows[i].text);
}

static void
a_strangers_bytes_do_not_reach_the_terminal(void **state)
{
	static const struct {
		struct hf_slice in;
		const char *shown;
	} rows[] = {
		{ HF_SLICE("caf\xc3\xa9"), "caf\xc3\xa9" },
		{ HF_SLICE("\033[2J"), "\\x1b[2J" },
		{ HF_SLICE("a\0b"), "a\\x00b" },
		{ HF_SLICE("a\r\nb"), "a\\x0d\\x0ab" },
		{ HF_SLICE("\xff\xc3"), "\\xff\\xc3" },
		{ HF_SLICE("\xc2\x9b"), "\\xc2\\x9b" },          /* CSI in C1 */
		{ HF_SLICE("\xc0\x80"), "\\xc0\\x80" },          /* overlong */
		{ HF_SLICE("\xe2\x80\xae"), "\\xe2\\x80\\xae" }, /* RLO */
		{ HF_SLICE("\x7f"), "\\x7f" },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		FILE *f = begin();

		put_safe(f, rows[i].in);
		fclose(f);
		assert_string_equal(out, rows[i].shown);
	}
}

static void
tables_stand_in_line(void **state)
{
	struct rows r = { .row = row, .n = 2 };
	struct hf_buf b = make(0);
	FILE *f;

	(void)state;
	row_text(&b, "id", "lyon-1-7");
	row_span(&b, "worst_gap", hf_ms(71));
	row_number(&b, "rescues", 1);
	row_text(&b, "with", "queue:sales");
	done(0, &b);
	b = make(1);
	row_text(&b, "id", "caf\xc3\xa9");
	row_span(&b, "worst_gap", hf_ms(125000));
	row_number(&b, "rescues", 12);
	row_text(&b, "with", "");
	done(1, &b);
	f = begin();
	show_table(f, &r, 0);
	fclose(f);
	assert_string_equal(out, "ID        WORST-GAP  RESCUES  WITH\n"
				 "lyon-1-7       71ms        1  queue:sales\n"
				 "caf\xc3\xa9          2m05s       12  -\n");
	f = begin();
	show_fields(f, row[0]);
	fclose(f);
	assert_string_equal(out, "id         lyon-1-7\n"
				 "worst_gap  71ms\n"
				 "rescues    1\n"
				 "with       queue:sales\n");
}

static void
json_says_units_and_is_always_json(void **state)
{
	struct rows r = { .row = row, .n = 1 };
	struct hf_buf b = make(0);
	FILE *f = begin();

	(void)state;
	row_text(&b, "from", "a\"b\\c\n\xff\xc2\x9b");
	row_span(&b, "gap", (struct hf_span){ 71250 });
	row_span(&b, "early", (struct hf_span){ -1 });
	row_number(&b, "n", -5);
	row_number(&b, "leg", INT64_MIN);
	row_bool(&b, "live", true);
	row_wall(&b, "at", (struct hf_wall){ 1772366400123456 });
	row_wall(&b, "answered", (struct hf_wall){ 0 });
	done(0, &b);
	json_rows(f, &r, 0);
	fclose(f);
	assert_string_equal(out,
	    "[\n  {\"from\": \"a\\\"b\\\\c\\u000a\\ufffd\\u009b\", "
	    "\"gap_ms\": 71.250, \"early_ms\": -0.001, \"n\": -5, "
	    "\"leg\": \"-9223372036854775808\", "
	    "\"live\": true, \"at\": \"2026-03-01T12:00:00.123456Z\", "
	    "\"answered\": null}\n]");
	f = begin();
	r.n = 0;
	json_rows(f, &r, 0);
	fclose(f);
	assert_string_equal(out, "[]");
}

/* ---- trace --------------------------------------------------------------- */

static void
message(size_t i, int64_t at, uint64_t leg, bool in, const char *remote,
    const char *text)
{
	struct hf_buf b = make(i);

	row_wall(&b, "at", (struct hf_wall){ 1772366400000000 + at });
	row_number(&b, "leg", (int64_t)leg);
	row_text(&b, "dir", in ? "in" : "out");
	row_text(&b, "transport", leg == 3 ? "tcp" : "udp");
	row_text(&b, "local", "192.0.2.1:5060");
	row_text(&b, "remote", remote);
	row_text(&b, "text", text);
	done(i, &b);
}

/* A row is copied to where it can grow, as link_ask() does. */
static void
a_message_longer_than_a_row_is_whole_again(void **state)
{
	struct hf_slice got[4];
	struct rows r = { .row = got, .n = 4 };
	struct trace_message m;
	struct hf_buf b;

	(void)state;
	message(0, 0, 1, true, "198.51.100.7:5060", "INVITE ");
	b = make(1);
	row_slice(&b, "text_more", (struct hf_slice){ "sip:\0:", 6 });
	done(1, &b);
	b = make(2);
	row_text(&b, "text_more", "x");
	done(2, &b);
	message(3, 9, 1, false, "198.51.100.7:5060", "BYE");
	for (size_t i = 0; i < r.n; i++) {
		got[i] = (struct hf_slice){ malloc(row[i].n), row[i].n };
		memcpy((char *)(uintptr_t)got[i].p, row[i].p, row[i].n);
	}
	trace_join(&r);
	assert_int_equal(r.n, 2);
	assert_true(trace_row(got[0], &m));
	assert_int_equal(m.text.n, 14);
	assert_memory_equal(m.text.p, "INVITE sip:\0:x", 14);
	assert_true(trace_row(got[1], &m));
	assert_true(hf_slice_eq(m.text, HF_SLICE("BYE")));
	for (size_t i = 0; i < r.n; i++)
		free((void *)(uintptr_t)got[i].p);
}

static void
a_trace_is_drawn_as_a_ladder(void **state)
{
	static const struct trace_leg leg[] = {
		{ 1, true, "" },
		{ 2, false, "bot cloud-a" },
		{ 3, false, "agent anna" },
	};
	struct rows r = { .row = row, .n = 4 };
	FILE *f = begin();

	(void)state;
	message(0, 0, 1, true, "203.0.113.9:5060",
	    "INVITE sip:+334@x SIP/2.0\r\nCSeq: 1 INVITE\r\n"
	    "c: application/sdp\r\n\r\nv=0\r\n");
	message(1, 1200, 2, false, "192.0.2.9:5060",
	    "INVITE sip:bot@x SIP/2.0\r\n\r\n");
	message(2, 3400, 3, false, "192.0.2.20:5060",
	    "CANCEL sip:anna@x SIP/2.0\r\n\r\n");
	message(3, 1003400, 1, false, "203.0.113.9:5060",
	    "SIP/2.0 200 O\033K\r\nCSeq: 1 INVITE\r\n\r\n");
	ladder_show(f, leg, HF_LEN(leg), &r);
	fclose(f);
	assert_string_equal(out,
	    "              caller                        Holdfast              "
	    "        bot cloud-a                   agent anna\n"
	    "              203.0.113.9:5060              192.0.2.1:5060        "
	    "        192.0.2.9:5060                192.0.2.20:5060\n"
	    "     0.000 ms  |-- INVITE (SDP) ------------>|                    "
	    "         |                             |\n"
	    "     1.200 ms  |                             |-- INVITE ----------"
	    "-------->|                             |\n"
	    "     3.400 ms  |                             |-- CANCEL ----------"
	    "-------------------------------------->|\n"
	    "  1003.400 ms  |<- 200 O?K to INVITE --------|                    "
	    "         |                             |\n");
}

static void
a_trace_is_written_as_packets(void **state)
{
	struct rows r = { .row = row, .n = 3 };
	const char *text = "INVITE sip:bot@x SIP/2.0\r\n\r\n";
	size_t n = strlen(text);
	FILE *f = begin();
	uint32_t len;

	(void)state;
	message(0, 0, 1, true, "203.0.113.9:5060", text);
	message(1, 1000, 3, false, "203.0.113.9:5060", text);
	message(2, 2000, 3, false, "[2001:db8::1]:5060", text); /* mixed */
	assert_true(pcap_write(f, &r));
	fclose(f);
	memcpy(&len, out + 24 + 8, 4);
	assert_int_equal(len, 20 + 8 + n);
	assert_int_equal(out[24 + 16 + 9], 17);
	assert_memory_equal(out + 24 + 16 + 28, text, n);
	memcpy(&len, out + 24 + 16 + len + 8, 4);
	assert_int_equal(len, 20 + 20 + n);
	/* The third has no two ends of one family: left out, not made up. */
	assert_int_equal(out[24 + 16 + 28 + n + 16 + len], 0);
}

static void
tshark_reads_the_packets(void **state)
{
#define REST                                                                   \
	"Via: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"      \
	"To: <sip:b@h>\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n"                    \
	"Content-Length: 0\r\n\r\n"
	static const char *const lines[] = { "INVITE sip:b@h", "100 Trying",
		"200 OK" };
	struct rows r = { .row = row, .n = 3 };
	char file[] = "/tmp/ctl_test_pcap.XXXXXX", command[512], line[512];
	size_t seen = 0;
	FILE *f;
	int fd;

	(void)state;
	if (access("/usr/bin/tshark", X_OK) != 0) {
		printf("skipped: no tshark here\n");
		skip();
	}
	message(0, 0, 1, true, "203.0.113.9:5060",
	    "INVITE sip:b@h SIP/2.0\r\n" REST);
	message(1, 400, 1, false, "203.0.113.9:5060",
	    "SIP/2.0 100 Trying\r\n" REST);
	message(
	    2, 9000, 3, false, "203.0.113.9:5060", "SIP/2.0 200 OK\r\n" REST);
	fd = mkstemp(file);
	assert_true(fd >= 0);
	f = fdopen(fd, "w");
	assert_true(pcap_write(f, &r));
	fclose(f);
	/* Only what is SIP, whole, and has good checksums. */
	snprintf(command, sizeof(command),
	    "tshark -n -r %s -o ip.check_checksum:TRUE "
	    "-o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE "
	    "-Y 'sip && !_ws.malformed && ip.checksum.status == 1 && "
	    "(udp.checksum.status == 1 || tcp.checksum.status == 1)' "
	    "2>/dev/null",
	    file);
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f) != NULL && seen < HF_LEN(lines)) {
		if (strstr(line, lines[seen]) == NULL)
			fail_msg("no %s in %s", lines[seen], line);
		seen++;
	}
	pclose(f);
	unlink(file);
	assert_int_equal(seen, HF_LEN(lines));
#undef REST
}

/* ---- the far end --------------------------------------------------------- */

static char dir[] = "/tmp/ctl_test.XXXXXX";
static char path[64];

/* A keeper that answers by what it was asked. */
static void
keep(int fd)
{
	static char in[65536], to[65536];
	static struct msg m, reply;
	ssize_t n;

	while ((n = recv(fd, in, sizeof(in), 0)) > 0) {
		struct hf_slice s = { in, (size_t)n };
		struct hf_buf b = hf_buf_on(to, sizeof(to)), r;

		if (!msg_decode(&s, &m) || m.type != MSG_ASK)
			_exit(1);
		reply = (struct msg){ .type = MSG_REPLY };
		reply.reply.id = m.ask.id - 1; /* late, of another question */
		reply.reply.more = false;
		msg_encode(&b, &reply);
		reply.reply.id = m.ask.id;
		if (strcmp(m.ask.verb, "mute") == 0)
			continue;
		if (strcmp(m.ask.verb, "garbage") == 0) {
			send(fd, "garbage", 7, 0);
			continue;
		}
		if (strcmp(m.ask.verb, "refuse") == 0)
			strcpy(reply.reply.error, "no; try yes");
		for (int i = 0; i < 3 && reply.reply.error[0] == '\0'; i++) {
			char word[32];

			r = hf_buf_on(
			    reply.reply.row.p, sizeof(reply.reply.row.p));
			ask_word((struct hf_slice){ (char *)m.ask.args.p,
				     m.ask.args.n },
			    1, word, sizeof(word));
			row_text(&r, "word", word);
			row_number(&r, "i", i);
			reply.reply.row.n = (uint16_t)r.n;
			reply.reply.more = i < 2;
			msg_encode(&b, &reply);
		}
		if (reply.reply.error[0] != '\0')
			msg_encode(&b, &reply);
		send(fd, to, b.n, 0);
	}
	_exit(0);
}

static void
answers_and_silence_are_told_apart(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	struct ctl c = { .fd = -1, .socket = path, .timeout = hf_ms(2000) };
	static const char *const words[] = { "one", "two" };
	struct rows r;
	char text[32];
	int fd, status;
	pid_t pid;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/control", dir);
	assert_int_equal(link_ask(&c, "status", NULL, 0, &r), CTL_AWAY);
	assert_non_null(strstr(c.error, "is holdfastd running?"));
	strcpy(a.sun_path, path);
	fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	pid = fork();
	if (pid == 0)
		keep(accept(fd, NULL, NULL));

	assert_int_equal(link_ask(&c, "status", words, 2, &r), CTL_DONE);
	assert_int_equal(r.n, 3);
	assert_string_equal(
	    row_str(r.row[2], "word", text, sizeof(text)), "two");
	assert_int_equal(row_int(r.row[2], "i", 9), 2);
	assert_int_equal(row_int(r.row[2], "j", 9), 9);
	rows_free(&r);
	assert_int_equal(link_ask(&c, "refuse", NULL, 0, &r), CTL_REFUSED);
	assert_string_equal(c.error, "no; try yes");
	rows_free(&r);
	c.timeout = hf_ms(50);
	assert_int_equal(link_ask(&c, "mute", NULL, 0, &r), CTL_AWAY);
	assert_non_null(strstr(c.error, "no answer to \"mute\" within 50 ms"));
	rows_free(&r);
	c.timeout = hf_ms(2000);
	assert_int_equal(link_ask(&c, "garbage", NULL, 0, &r), CTL_AWAY);
	rows_free(&r);
	assert_int_equal(link_ask(&c, "status", NULL, 0, &r), CTL_DONE);
	rows_free(&r);
	close(c.fd);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	unlink(path);
	rmdir(dir);
}

/* ---- the tables ---------------------------------------------------------- */

static void
each_verb_says_what_it_is_for_and_what_completes_it(void **state)
{
	(void)state;
	for (size_t i = 0; i < ctl_verbs_nr; i++) {
		const struct ctl_verb *v = &ctl_verbs[i];

		assert_true(strlen(v->help) > 10);
		assert_true(v->words_min <= v->words_max);
		assert_ptr_equal(verb_find(v->name), v);
		/* Words that it takes are completed. */
		if (v->words_min > 0)
			assert_true(v->complete[0].kind != COMPLETE_NOTHING);
	}
	for (size_t i = 0; i < ask_verbs_nr; i++) {
		assert_non_null(ask_verbs[i].rows);
		assert_ptr_equal(ask_find(ask_verbs[i].name), &ask_verbs[i]);
	}
	assert_null(ask_find("nothing"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(spans_are_read_at_a_glance),
		cmocka_unit_test(a_strangers_bytes_do_not_reach_the_terminal),
		cmocka_unit_test(tables_stand_in_line),
		cmocka_unit_test(json_says_units_and_is_always_json),
		cmocka_unit_test(a_message_longer_than_a_row_is_whole_again),
		cmocka_unit_test(a_trace_is_drawn_as_a_ladder),
		cmocka_unit_test(a_trace_is_written_as_packets),
		cmocka_unit_test(tshark_reads_the_packets),
		cmocka_unit_test(answers_and_silence_are_told_apart),
		cmocka_unit_test(
		    each_verb_says_what_it_is_for_and_what_completes_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
