/* conf/keys: the table is sound, and values go in and out as text. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/check.h"
#include "conf/keys.h"

static const struct conf_key *
key(enum conf_scope in, const char *name)
{
	for (size_t i = 0; i < conf_keys_nr; i++)
		if (conf_keys[i].in == in &&
		    strcmp(conf_keys[i].name, name) == 0)
			return &conf_keys[i];
	fail_msg("no key %s", name);
	return NULL;
}

static void
each_row_is_sound(void **state)
{
	(void)state;
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];
		const struct conf_scope_row *s = &conf_scopes[k->in];

		assert_non_null(k->help);
		assert_non_null(conf_type_name(k->type));
		assert_non_null(conf_type_how(k->type));
		for (size_t j = 0; j < i; j++)
			assert_false(conf_keys[j].in == k->in &&
				     strcmp(conf_keys[j].name, k->name) == 0);
		if (k->type == CONF_T_SECRET)
			continue;
		assert_true(k->size > 0);
		assert_true(
		    k->at + k->size * (k->items > 0 ? k->items : 1) <= s->size);
		if (k->type == CONF_T_SECTION || k->type == CONF_T_FAMILY)
			continue;
		/* The page can show a value of each key. */
		assert_true(
		    k->required || k->def != NULL || k->def_said != NULL);
		assert_true(
		    k->example != NULL || (k->def != NULL && *k->def != '\0'));
		if (k->type == CONF_T_SPAN || k->type == CONF_T_COUNT ||
		    k->type == CONF_T_PERCENT || k->type == CONF_T_BYTES)
			assert_true(k->min < k->max);
	}
}

static void
values_are_read_and_written(void **state)
{
	static const struct {
		enum conf_scope in;
		const char *key, *text, *again; /* again NULL: refused */
	} rows[] = {
		{ SCOPE_GUARD, "voice", "180ms", "180ms" },
		{ SCOPE_GUARD, "voice", "0.25s", "250ms" },
		{ SCOPE_GUARD, "voice", "250 ms", "250ms" },
		{ SCOPE_GUARD, "lost", "1000ms", "1s" },
		{ SCOPE_GUARD, "voice", "180", NULL },
		{ SCOPE_GUARD, "voice", "180msec", NULL },
		{ SCOPE_GUARD, "voice", "-180ms", NULL },
		{ SCOPE_GUARD, "voice", ".5s", NULL },
		{ SCOPE_GUARD, "voice", "1.s", NULL },
		{ SCOPE_GUARD, "voice", "999999999999999999999s", NULL },
		{ SCOPE_GUARD, "voice", "", NULL },
		{ SCOPE_QUEUE, "max_wait", "1h", "1h" },
		{ SCOPE_QUEUE, "max_wait", "90s", "90s" },
		{ SCOPE_QUEUE, "max_wait", "300s", "5m" },
		{ SCOPE_GUARD, "vote_share", "40%", "40%" },
		{ SCOPE_GUARD, "vote_share", "40 %", "40%" },
		{ SCOPE_GUARD, "vote_share", "40", NULL },
		{ SCOPE_GUARD, "vote_share", "101%", NULL },
		{ SCOPE_GUARD, "vote_min", "5", "5" },
		{ SCOPE_GUARD, "vote_min", "5s", NULL },
		{ SCOPE_GUARD, "vote_min", "0x5", NULL },
		{ SCOPE_SIP, "trace_bytes", "16M", "16M" },
		{ SCOPE_SIP, "trace_bytes", "1048576", "1M" },
		{ SCOPE_SIP, "trace_bytes", "99999999999999G", NULL },
		{ SCOPE_SIP, "trace_bytes", "M", NULL },
		{ SCOPE_RTP, "ports", "20000-29999", "20000-29999" },
		{ SCOPE_RTP, "ports", "20001-29999", NULL },
		{ SCOPE_RTP, "ports", "29999-20000", NULL },
		{ SCOPE_RTP, "ports", "20000-70000", NULL },
		{ SCOPE_RTP, "ports", "20000", NULL },
		{ SCOPE_RTP, "address", "192.0.2.7", "192.0.2.7" },
		{ SCOPE_RTP, "address", "2001:DB8::7", "2001:db8::7" },
		{ SCOPE_RTP, "address", "192.0.2.7:5", NULL },
		{ SCOPE_SIP, "listen", "udp:0.0.0.0:5060", "udp:0.0.0.0:5060" },
		{ SCOPE_SIP, "listen", "tcp:[::]:5060", "tcp:[::]:5060" },
		{ SCOPE_SIP, "listen", "tls:0.0.0.0:5061", NULL },
		{ SCOPE_SIP, "listen", "udp:0.0.0.0:0", NULL },
		{ SCOPE_SIP, "listen", "udp:", NULL },
		{ SCOPE_TRUNK, "peers", "203.0.113.0/24", "203.0.113.0/24" },
		{ SCOPE_TRUNK, "peers", "203.0.113.5", "203.0.113.5/32" },
		{ SCOPE_TRUNK, "peers", "203.0.113.5/33", NULL },
		{ SCOPE_TRUNK, "answer_when_ready", "true", "yes" },
		{ SCOPE_TRUNK, "answer_when_ready", "off", NULL },
		{ SCOPE_QUEUE, "strategy", "longest-idle", "longest-idle" },
		{ SCOPE_QUEUE, "strategy", "random", NULL },
		{ SCOPE_ROOT, "site", "lyon-2.a_b", "lyon-2.a_b" },
		{ SCOPE_ROOT, "site", "-lyon", NULL },
		{ SCOPE_ROOT, "site", "ly on", NULL },
		{ SCOPE_ROOT, "site", "a-name-of-thirty-two-characters-",
		    NULL },
		{ SCOPE_OUTBOUND, "allow", "+33*", "+33*" },
		{ SCOPE_OUTBOUND, "allow", "*", "*" },
		{ SCOPE_OUTBOUND, "allow", "+3*3", NULL },
		{ SCOPE_OUTBOUND, "allow", "33+", NULL },
		{ SCOPE_CODES, "available", "*1", "*1" },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		const struct conf_key *k = key(rows[i].in, rows[i].key);
		_Alignas(8) char at[2048] = { 0 };
		char text[256] = { 0 };
		struct hf_buf why = hf_buf_on(text, sizeof(text) - 1);
		bool ok =
		    conf_value_parse(k, hf_slice_of(rows[i].text), at, &why);

		if (rows[i].again == NULL) {
			if (ok)
				fail_msg("%s was taken", rows[i].text);
			/* What is wrong; what to do. */
			assert_non_null(strstr(text, "; "));
			continue;
		}
		if (!ok)
			fail_msg("%s: %s", rows[i].text, text);
		conf_value_put(k, at, NULL, &why);
		assert_string_equal(text, rows[i].again);
	}
}

static void
each_limit_is_itself_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < conf_keys_nr; i++) {
		const struct conf_key *k = &conf_keys[i];
		const int64_t limit[] = { k->min, k->max };

		if (k->type != CONF_T_SPAN && k->type != CONF_T_COUNT &&
		    k->type != CONF_T_PERCENT && k->type != CONF_T_BYTES)
			continue;
		for (size_t l = 0; l < HF_LEN(limit); l++) {
			char text[256] = { 0 }, why[256] = { 0 };
			struct hf_buf b = hf_buf_on(why, sizeof(why) - 1);
			_Alignas(8) char at[8] = { 0 };

			snprintf(text, sizeof(text), "%lld%s",
			    (long long)limit[l],
			    k->type == CONF_T_SPAN      ? "us"
			    : k->type == CONF_T_PERCENT ? "%"
							: "");
			if (!conf_value_parse(k, hf_slice_of(text), at, &b))
				fail_msg("%s %s: %s", k->name, text, why);
		}
	}
}

static void
targets_lead_somewhere(void **state)
{
	static const struct {
		const char *uri, *user, *host;
		uint8_t family, transport;
		uint16_t port;
	} rows[] = {
		{ "sip:bot@192.0.2.9", "bot", "192.0.2.9", 4, CONF_UDP, 5060 },
		{ "sip:192.0.2.9:5080", "", "192.0.2.9", 4, CONF_UDP, 5080 },
		{ "SIP:bot@[2001:db8::1]:5070;transport=TCP", "bot",
		    "2001:db8::1", 6, CONF_TCP, 5070 },
		{ "sip:cc@edge.example.net;transport=tls", "cc",
		    "edge.example.net", 0, CONF_TLS, 5061 },
		{ "sip:bots.example.net:5062", "", "bots.example.net", 0,
		    CONF_UDP, 5062 },
		{ .uri = "sip:" },
		{ .uri = "sip:@192.0.2.9" },
		{ .uri = "sips:bot@192.0.2.9" },
		{ .uri = "tel:+33400000000" },
		{ .uri = "bot@192.0.2.9" },
		{ .uri = "sip:bot@192.0.2.9:0" },
		{ .uri = "sip:bot@192.0.2.9:99999" },
		{ .uri = "sip:bot@192.0.2.9:" },
		{ .uri = "sip:bot@[2001:db8::1" },
		{ .uri = "sip:bot@[2001:db8::1]x" },
		{ .uri = "sip:bot@192.0.2.9;transport=sctp" },
		{ .uri = "sip:bot@192.0.2.9;lr" },
		{ .uri = "sip:bo t@192.0.2.9" },
		{ .uri = "sip:bot@a b" },
		{ .uri = "sip:bot\r\nVia: x@192.0.2.9" },
	};
	const struct conf_key *k = key(SCOPE_HELPER, "to");

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		struct conf_target t;
		char text[256];
		struct hf_buf why = hf_buf_on(text, sizeof(text));
		bool ok =
		    conf_value_parse(k, hf_slice_of(rows[i].uri), &t, &why);

		if (ok != (rows[i].host != NULL))
			fail_msg("%s: %d", rows[i].uri, ok);
		if (!ok)
			continue;
		assert_string_equal(t.uri, rows[i].uri);
		assert_string_equal(t.user, rows[i].user);
		assert_string_equal(t.host, rows[i].host);
		assert_int_equal(t.addr.family, rows[i].family);
		assert_int_equal(t.addr.port, rows[i].port);
		assert_int_equal(t.transport, rows[i].transport);
	}
}

static void
foreign_text_in_a_message_cannot_drive_a_terminal(void **state)
{
	char text[512] = { 0 };
	struct hf_buf why = hf_buf_on(text, sizeof(text) - 1);
	char out[64];

	(void)state;
	assert_false(conf_value_parse(
	    key(SCOPE_ROOT, "site"), HF_SLICE("a\033[2Jb\r\n"), out, &why));
	for (const char *p = text; *p != '\0'; p++)
		assert_true((unsigned char)*p >= 0x20);
}

/* Half a second must not become "at once". */
static void
a_part_of_a_second_until_he_may_try_again_is_a_whole_one(void **state)
{
	static struct conf c;

	(void)state;
	c.sip.retry_after = hf_ms(500);
	assert_int_equal(conf_retry_after(&c), 1);
	c.sip.retry_after = hf_ms(5000);
	assert_int_equal(conf_retry_after(&c), 5);
	c.sip.retry_after = hf_ms(0);
	assert_int_equal(conf_retry_after(&c), 0);
	c.sip.retry_after = hf_ms(3600000);
	assert_int_equal(conf_retry_after(&c), 3600);
}

static void
the_allow_list_takes_beginnings(void **state)
{
	static struct conf c = { .outbound = { .allows = 2,
				     .allow = { "+33*", "112" } } };

	(void)state;
	assert_true(conf_may_call(&c, "+33400000000"));
	assert_true(conf_may_call(&c, "112"));
	assert_false(conf_may_call(&c, "1123"));
	assert_false(conf_may_call(&c, "+49"));
	assert_false(conf_may_call(&c, ""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_row_is_sound),
		cmocka_unit_test(values_are_read_and_written),
		cmocka_unit_test(each_limit_is_itself_allowed),
		cmocka_unit_test(targets_lead_somewhere),
		cmocka_unit_test(
		    a_part_of_a_second_until_he_may_try_again_is_a_whole_one),
		cmocka_unit_test(
		    foreign_text_in_a_message_cannot_drive_a_terminal),
		cmocka_unit_test(the_allow_list_takes_beginnings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
