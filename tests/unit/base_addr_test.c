/* base/addr: one address, one value. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>

#include "base/addr.h"
#include "base/check.h"

static void
addresses_are_read_and_written(void **state)
{
	static const struct {
		const char *text;  /* as somebody wrote it */
		const char *again; /* as we do; NULL: refused */
		const char *host;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.1", "192.0.2.1" },
		{ "2001:DB8::1", "2001:db8::1", "[2001:db8::1]" },
		{ "[2001:db8::1]", "2001:db8::1", "[2001:db8::1]" },
		{ "::ffff:192.0.2.9", "192.0.2.9", "192.0.2.9" },
		{ "::", "::", "[::]" },
		{ "fe80::1%3", "fe80::1", "[fe80::1]" },
		{ "192.0.2.256", NULL, NULL },
		{ "192.0.2", NULL, NULL },
		{ "[192.0.2.1]", NULL, NULL },
		{ "192.0.2.1 ", NULL, NULL },
		{ "[::1", NULL, NULL },
		{ "fe80::1%eth0", NULL, NULL },
		{ "example.net", NULL, NULL },
		{ "", NULL, NULL },
		{ "1111:2222:3333:4444:5555:6666:7777:8888:9999", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		char memory[64];
		struct hf_buf b = hf_buf_on(memory, sizeof(memory));
		struct hf_addr a;
		bool ok = hf_addr_parse_ip(hf_slice_of(rows[i].text), &a);

		assert_int_equal(ok, rows[i].again != NULL);
		if (!ok)
			continue;
		hf_addr_put_ip(&b, &a);
		assert_true(
		    hf_slice_eq(hf_buf_taken(&b), hf_slice_of(rows[i].again)));
		b = hf_buf_on(memory, sizeof(memory));
		hf_addr_put_host(&b, &a);
		assert_true(
		    hf_slice_eq(hf_buf_taken(&b), hf_slice_of(rows[i].host)));
	}
}

static void
ports_are_read_and_written(void **state)
{
	static const char *const good[] = { "192.0.2.1:5060", "[::1]:65535",
		"0.0.0.0:0" };
	static const char *const bad[] = { "192.0.2.1",
		"192.0.2.1:", "192.0.2.1:65536", "::1:5060", ":5060", "[::1]",
		"[::1]5060", "192.0.2.1:50x", "" };
	char text[HF_ADDR_TEXT_MAX];
	struct hf_addr a;

	(void)state;
	for (size_t i = 0; i < HF_LEN(good); i++) {
		assert_true(hf_addr_parse(hf_slice_of(good[i]), &a));
		assert_string_equal(hf_addr_text(&a, text), good[i]);
	}
	for (size_t i = 0; i < HF_LEN(bad); i++)
		assert_false(hf_addr_parse(hf_slice_of(bad[i]), &a));
	a = (struct hf_addr){ 0 };
	assert_string_equal(hf_addr_text(&a, text), "none");
	memset(&a, 0xff, sizeof(a));
	a.family = 6;
	assert_string_equal(hf_addr_text(&a, text),
	    "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]:65535");
}

static void
the_kernel_gives_back_what_it_was_given(void **state)
{
	static const char *const text[] = { "192.0.2.1:5060", "[2001:db8::1]:9",
		"0.0.0.0:1" };
	struct sockaddr_storage ss;
	struct hf_addr a, b;

	(void)state;
	for (size_t i = 0; i < HF_LEN(text); i++) {
		assert_true(hf_addr_parse(hf_slice_of(text[i]), &a));
		assert_int_equal(hf_addr_to_sockaddr(&a, AF_INET6, &ss),
		    sizeof(struct sockaddr_in6));
		assert_true(hf_addr_from_sockaddr((struct sockaddr *)&ss, &b));
		if (i < 2)
			assert_true(hf_addr_eq(&a, &b));
		else /* any is any, in both families */
			assert_true(hf_addr_is_any(&b));
	}
	assert_true(hf_addr_parse(hf_slice_of(text[0]), &a));
	assert_int_equal(
	    hf_addr_to_sockaddr(&a, AF_INET, &ss), sizeof(struct sockaddr_in));
	assert_true(hf_addr_from_sockaddr((struct sockaddr *)&ss, &b));
	assert_true(hf_addr_eq(&a, &b));
	assert_true(hf_addr_parse(hf_slice_of(text[1]), &a));
	assert_int_equal(hf_addr_to_sockaddr(&a, AF_INET, &ss), 0);
	a = (struct hf_addr){ 0 };
	assert_int_equal(hf_addr_to_sockaddr(&a, AF_INET6, &ss), 0);
	ss.ss_family = AF_UNIX;
	assert_false(hf_addr_from_sockaddr((struct sockaddr *)&ss, &b));
}

static void
networks_hold_their_hosts_and_nobody_else(void **state)
{
	static const struct {
		const char *net, *host;
		bool in;
	} rows[] = {
		{ "203.0.113.0/24", "203.0.113.255", true },
		{ "203.0.113.0/24", "203.0.114.0", false },
		{ "203.0.113.128/25", "203.0.113.127", false },
		{ "203.0.113.7", "203.0.113.7", true },
		{ "203.0.113.7", "203.0.113.6", false },
		{ "0.0.0.0/0", "8.8.8.8", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "8.8.8.8", false },
		{ "2001:db8::/33", "2001:db8:7fff::1", true },
		{ "2001:db8::/33", "2001:db8:8000::1", false },
		{ "2001:db8::1/128", "2001:db8::1", true },
	};
	static const char *const bad[] = { "203.0.113.0/33", "::/129", "/24",
		"203.0.113.0/", "203.0.113.0/x", "" };
	struct hf_net n;
	struct hf_addr a;

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		assert_true(hf_net_parse(hf_slice_of(rows[i].net), &n));
		assert_true(hf_addr_parse_ip(hf_slice_of(rows[i].host), &a));
		assert_int_equal(hf_net_has(&n, &a), rows[i].in);
	}
	for (size_t i = 0; i < HF_LEN(bad); i++)
		assert_false(hf_net_parse(hf_slice_of(bad[i]), &n));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(ports_are_read_and_written),
		cmocka_unit_test(the_kernel_gives_back_what_it_was_given),
		cmocka_unit_test(networks_hold_their_hosts_and_nobody_else),
	};

	return cmocka_run_group_tests_name("base/addr", tests, NULL, NULL);
}
