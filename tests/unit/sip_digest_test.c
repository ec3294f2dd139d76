/* io/sip/digest: who gets in, who does not, and what they can tell apart. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "io/sip/digest.h"
#include "io/tls/digest.h"

static const struct sip_hashes hashes = { tls_md5, tls_sha256, NULL };
static const struct hf_hash_key key = { { 1, 2 } };
static struct sip_nonce_use table[16];
static struct sip_digest server;
static struct hf_time now;
static char memory[65536];
static const char *request_uri = "sip:b", *digest_uri = "sip:b";

static int
setup(void **state)
{
	(void)state;
	now.us = 1000000;
	request_uri = digest_uri = "sip:b";
	sip_digest_init(&server, &hashes, &key, "holdfast",
	    (struct hf_span){ 60000000 }, table, HF_LEN(table));
	return 0;
}

#define S(text) hf_slice_of(text)

/* A 401 with these challenge lines, parsed. */
static void
challenged(const char *lines, struct sip_msg *m)
{
	static char text[4096];

	snprintf(text, sizeof(text),
	    "SIP/2.0 401 Unauthorized\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
	    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\n"
	    "CSeq: 1 REGISTER\r\n%s\r\n",
	    lines);
	assert_int_equal(sip_parse(S(text), m).parsed, SIP_GOOD);
}

/* A REGISTER with this Authorization line, parsed. */
static void
requested(const char *line, struct sip_msg *m)
{
	static char text[4096];

	snprintf(text, sizeof(text),
	    "REGISTER %s SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1\r\n"
	    "From: <sip:a@b>;tag=1\r\nTo: <sip:a@b>\r\nCall-ID: x\r\n"
	    "CSeq: 1 REGISTER\r\n%s\r\n",
	    request_uri, line);
	assert_int_equal(sip_parse(S(text), m).parsed, SIP_GOOD);
}

/* A request that told nobody who we are. */
static const struct sip_msg *
asked(const char *method, const char *uri)
{
	static struct sip_msg m;

	m = (struct sip_msg){ .method_text = S(method), .uri_text = S(uri) };
	return &m;
}

static const struct sip_claim *
claim(const char *user, const char *secret, const char *cnonce)
{
	static struct sip_claim who;

	who = (struct sip_claim){ &hashes, S(user), S(secret), S(cnonce) };
	return &who;
}

/* The server's challenge, answered by our client; only_md5 drops the first
 * line.  Returns the Authorization line. */
static const char *
answer(const char *user, const char *secret, bool only_md5)
{
	static char line[SIP_DIGEST_TEXT_MAX];
	static struct sip_msg m;
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));
	char *text = memory;

	sip_digest_challenge(&server, &b, 401, false, now);
	hf_buf_char(&b, '\0');
	if (only_md5)
		text = strstr(memory, "\r\n") + 2;
	challenged(text, &m);
	b = hf_buf_on(line, sizeof(line));
	assert_true(sip_digest_answer(&b, &m, asked("REGISTER", digest_uri),
	    claim(user, secret, "c0ffee")));
	hf_buf_char(&b, '\0');
	assert_false(b.overflow);
	return line;
}

static enum sip_auth
verdict(const char *line, bool known, const char *secret)
{
	static struct sip_msg m;
	struct sip_credentials c;
	enum sip_auth a;

	requested(line, &m);
	a = sip_digest_find(&server, &m, SIP_H_AUTHORIZATION, &c);
	if (a != SIP_AUTH_GOOD)
		return a;
	return sip_digest_verify(
	    &server, &c, m.method_text, known, S(secret), now);
}

static void
the_examples_of_rfc_7616_come_out(void **state)
{
	static struct sip_msg m;
	static const struct {
		const char *algorithm, *response;
	} rows[] = {
		{ "MD5", "8ca523f5e9506fed4657c9700eebdbec" },
		{ "SHA-256",
		    "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5"
		    "856cb6c1" },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		char lines[512], want[128];
		struct hf_buf b = hf_buf_on(memory, sizeof(memory));

		snprintf(lines, sizeof(lines),
		    "WWW-Authenticate: Digest realm=\"http-auth@example.org\","
		    " qop=\"auth, auth-int\", algorithm=%s,"
		    " nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\","
		    " opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\""
		    "\r\n",
		    rows[i].algorithm);
		snprintf(
		    want, sizeof(want), "response=\"%s\"", rows[i].response);
		challenged(lines, &m);
		assert_true(
		    sip_digest_answer(&b, &m, asked("GET", "/dir/index.html"),
			claim("Mufasa", "Circle of Life",
			    "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")));
		hf_buf_char(&b, '\0');
		assert_non_null(strstr(memory, want));
	}
}

static void
the_right_password_gets_in_with_either_hash(void **state)
{
	(void)state;
	assert_int_equal(
	    verdict(answer("anna", "s3cret", false), true, "s3cret"),
	    SIP_AUTH_GOOD);
	assert_non_null(strstr(answer("anna", "x", false), "SHA-256"));
	assert_int_equal(
	    verdict(answer("anna", "s3cret", true), true, "s3cret"),
	    SIP_AUTH_GOOD);
}

static void
a_wrong_password_and_an_unknown_user_look_the_same(void **state)
{
	(void)state;
	assert_int_equal(
	    verdict(answer("anna", "guess", false), true, "s3cret"),
	    SIP_AUTH_WRONG);
	assert_int_equal(verdict(answer("nobody", "guess", false), false, ""),
	    SIP_AUTH_WRONG);
	/* Not even the empty password of a user who does not exist. */
	assert_int_equal(
	    verdict(answer("nobody", "", false), false, ""), SIP_AUTH_WRONG);
}

static void
a_response_works_once(void **state)
{
	char line[SIP_DIGEST_TEXT_MAX];

	(void)state;
	strcpy(line, answer("anna", "s3cret", false));
	assert_int_equal(verdict(line, true, "s3cret"), SIP_AUTH_GOOD);
	assert_int_equal(verdict(line, true, "s3cret"), SIP_AUTH_STALE);
}

/* Who listens in may not dial another number with what he heard. */
static void
a_response_is_good_for_its_own_uri_only(void **state)
{
	static const struct {
		const char *digest, *request;
		enum sip_auth want;
	} rows[] = {
		{ "sip:100@h", "sip:100@h", SIP_AUTH_GOOD },
		/* A proxy on the way put another host. */
		{ "sip:100@h", "sip:100@192.0.2.1:5070", SIP_AUTH_GOOD },
		{ "sip:h", "sip:192.0.2.1;transport=tcp", SIP_AUTH_GOOD },
		{ "sip:%61nna@h", "sip:anna@h", SIP_AUTH_GOOD },
		{ "tel:+33100", "tel:+33100", SIP_AUTH_GOOD },
		{ "sip:100@h", "sip:+33899@h", SIP_AUTH_BAD },
		{ "sip:h", "sip:100@h", SIP_AUTH_BAD },
		{ "sip:100@h", "sips:100@h", SIP_AUTH_BAD },
		{ "tel:+33100", "tel:+33899", SIP_AUTH_BAD },
		{ "100", "sip:100@h", SIP_AUTH_BAD },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		digest_uri = rows[i].digest;
		request_uri = rows[i].request;
		assert_int_equal(
		    verdict(answer("anna", "s3cret", false), true, "s3cret"),
		    rows[i].want);
	}
}

static void
a_nonce_expires(void **state)
{
	char line[SIP_DIGEST_TEXT_MAX];

	(void)state;
	strcpy(line, answer("anna", "s3cret", false));
	now.us += 59999999;
	assert_int_equal(verdict(line, true, "s3cret"), SIP_AUTH_GOOD);
	strcpy(line, answer("anna", "s3cret", false));
	now.us += 60000000;
	assert_int_equal(verdict(line, true, "s3cret"), SIP_AUTH_STALE);
}

static void
a_nonce_of_somebody_else_is_stale(void **state)
{
	static const struct hf_hash_key other = { { 3, 4 } };
	char line[SIP_DIGEST_TEXT_MAX], *nonce;

	(void)state;
	strcpy(line, answer("anna", "s3cret", false));
	nonce = strstr(line, "nonce=\"") + 7;
	nonce[15] = nonce[15] == '0' ? '1' : '0';
	assert_int_equal(verdict(line, true, "s3cret"), SIP_AUTH_STALE);

	strcpy(line, answer("anna", "s3cret", false));
	sip_digest_init(&server, &hashes, &other, "holdfast",
	    (struct hf_span){ 60000000 }, table, HF_LEN(table));
	assert_int_equal(verdict(line, true, "s3cret"), SIP_AUTH_STALE);
}

static void
forgetting_a_used_nonce_does_not_make_it_new(void **state)
{
	char first[SIP_DIGEST_TEXT_MAX];

	(void)state;
	strcpy(first, answer("anna", "s3cret", false));
	assert_int_equal(verdict(first, true, "s3cret"), SIP_AUTH_GOOD);
	/* Many others push it out of the table. */
	for (int i = 0; i < 200; i++) {
		now.us += 1000;
		assert_int_equal(verdict(answer("bob", "b", false), true, "b"),
		    SIP_AUTH_GOOD);
	}
	assert_int_equal(verdict(first, true, "s3cret"), SIP_AUTH_STALE);
}

static void
strangers_cannot_use_up_a_nonce(void **state)
{
	char line[SIP_DIGEST_TEXT_MAX];

	(void)state;
	strcpy(line, answer("anna", "s3cret", false));
	assert_int_equal(verdict(line, true, "other"), SIP_AUTH_WRONG);
	assert_int_equal(verdict(line, true, "s3cret"), SIP_AUTH_GOOD);
}

/* The same nonce with other counts, as a phone that saves a round trip does. */
static void
use_counts_may_come_out_of_order_but_not_twice(void **state)
{
	static const struct {
		uint32_t nc;
		enum sip_auth want;
	} rows[] = {
		{ 1, SIP_AUTH_GOOD },
		{ 3, SIP_AUTH_GOOD },
		{ 2, SIP_AUTH_GOOD },
		{ 3, SIP_AUTH_STALE },
		{ 2, SIP_AUTH_STALE },
		{ 67, SIP_AUTH_GOOD },
		{ 4, SIP_AUTH_GOOD },
		{ 1, SIP_AUTH_STALE },
		{ 5000, SIP_AUTH_GOOD },
		{ 68, SIP_AUTH_STALE },
		{ 4999, SIP_AUTH_GOOD },
		{ 0xffffffff, SIP_AUTH_GOOD },
	};
	char nonce[SIP_NONCE_TEXT + 1];
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));

	(void)state;
	sip_digest_challenge(&server, &b, 401, false, now);
	memcpy(nonce, strstr(memory, "nonce=\"") + 7, SIP_NONCE_TEXT);
	nonce[SIP_NONCE_TEXT] = '\0';
	for (size_t i = 0; i < HF_LEN(rows); i++) {
		char nc[9], line[1024], hex[2][33];
		struct hf_slice part[11];
		uint8_t raw[16];
		struct hf_buf h;

		snprintf(nc, sizeof(nc), "%08x", rows[i].nc);
		part[0] = S("anna:holdfast:s3cret");
		tls_md5(NULL, part, 1, raw);
		h = hf_buf_on(hex[0], 33);
		hf_buf_hex(&h, raw, 16);
		part[0] = S("REGISTER:sip:b");
		tls_md5(NULL, part, 1, raw);
		h = hf_buf_on(hex[1], 33);
		hf_buf_hex(&h, raw, 16);
		part[0] = (struct hf_slice){ hex[0], 32 };
		part[1] = part[3] = part[5] = S(":");
		part[2] = S(nonce);
		part[4] = S(nc);
		part[6] = S("cc:auth:");
		part[7] = (struct hf_slice){ hex[1], 32 };
		tls_md5(NULL, part, 8, raw);
		h = hf_buf_on(hex[0], 33);
		hf_buf_hex(&h, raw, 16);
		snprintf(line, sizeof(line),
		    "Authorization: Digest username=\"anna\", "
		    "realm=\"holdfast\", nonce=\"%s\", uri=\"sip:b\", "
		    "response=\"%.32s\", cnonce=\"cc\", nc=%s, qop=auth\r\n",
		    nonce, hex[0], nc);
		if (verdict(line, true, "s3cret") != rows[i].want)
			fail_msg("row %zu", i);
	}
}

static void
odd_headers_are_told_apart(void **state)
{
#define USUAL "username=\"a\", realm=\"holdfast\", nonce=\"n\", uri=\"sip:b\", "
	static const struct {
		const char *line;
		enum sip_auth want;
	} rows[] = {
		{ "", SIP_AUTH_NONE },
		{ "Authorization: Basic YTpi\r\n", SIP_AUTH_NONE },
		{ "Authorization: NoOneKnowsThisScheme opaque-data=here\r\n",
		    SIP_AUTH_NONE },
		{ "Authorization: Digest\r\n", SIP_AUTH_NONE },
		{ "Authorization: Digest " USUAL "response=\"r\"\r\n",
		    SIP_AUTH_STALE },
		{ "Authorization: digest " USUAL "response = \"r\"\r\n",
		    SIP_AUTH_STALE },
		{ "Authorization: Digest " USUAL "\r\n", SIP_AUTH_BAD },
		{ "Authorization: Digest " USUAL
		  "response=\"r\", uri=\"v\"\r\n",
		    SIP_AUTH_BAD },
		{ "Authorization: Digest " USUAL "response=\"r\r\n",
		    SIP_AUTH_BAD },
		{ "Authorization: Digest " USUAL "response=\"r\", =x\r\n",
		    SIP_AUTH_BAD },
		{ "Authorization: Digest " USUAL "response=\"r\", qop=auth\r\n",
		    SIP_AUTH_BAD },
		{ "Authorization: Digest " USUAL
		  "response=\"r\", qop=auth, cnonce=\"c\", nc=0\r\n",
		    SIP_AUTH_BAD },
		{ "Authorization: Digest " USUAL
		  "response=\"r\", qop=auth, cnonce=\"c\", nc=000000001\r\n",
		    SIP_AUTH_BAD },
		{ "Authorization: Digest " USUAL
		  "response=\"r\", qop=auth-int, cnonce=\"c\", nc=1\r\n",
		    SIP_AUTH_BAD },
		{ "Authorization: Digest " USUAL
		  "response=\"r\", algorithm=MD5-sess\r\n",
		    SIP_AUTH_NONE },
		{ "Authorization: Digest username=\"a\", realm=\"other\", "
		  "nonce=\"n\", uri=\"sip:b\", response=\"r\"\r\n",
		    SIP_AUTH_NONE },
	};

	(void)state;
	for (size_t i = 0; i < HF_LEN(rows); i++)
		if (verdict(rows[i].line, true, "x") != rows[i].want)
			fail_msg("row %zu: %s", i, rows[i].line);
}

static void
a_challenge_cannot_put_a_line_into_our_answer(void **state)
{
	static struct sip_msg m;
	struct hf_buf b = hf_buf_on(memory, sizeof(memory));

	(void)state;
	challenged(
	    "WWW-Authenticate: Digest realm=\"a\r\n b\", nonce=\"n\"\r\n", &m);
	assert_false(sip_digest_answer(
	    &b, &m, asked("REGISTER", "sip:b"), claim("u", "s", "c")));
	challenged("WWW-Authenticate: Digest realm=\"a\", nonce=\"n\", "
		   "algorithm=SHA-512-256\r\n",
	    &m);
	assert_false(sip_digest_answer(
	    &b, &m, asked("REGISTER", "sip:b"), claim("u", "s", "c")));
	assert_int_equal(b.n, 0);
}

/* What becomes of a REGISTER with these lines after that challenge. */
static const char *
answers(const char *told, const char *challenge)
{
	static char lines[4096];
	static struct sip_msg was, m;
	struct hf_buf b = hf_buf_on(lines, sizeof(lines) - 1);

	requested(told, &was);
	challenged(challenge, &m);
	if (!sip_digest_answer(&b, &m, &was, claim("u", "s", "c")))
		return NULL;
	assert_false(b.overflow);
	lines[b.n] = '\0';
	return lines;
}

static void
each_realm_is_told_once_and_the_others_again(void **state)
{
#define ASKS(realm, nonce, more)                                               \
	"WWW-Authenticate: Digest realm=\"" realm "\", nonce=\"" nonce         \
	"\", qop=\"auth\"" more "\r\n"
	static const char proxy[] =
	    "Proxy-Authorization: Digest username=\"u\", realm=\"p\", "
	    "nonce=\"pn\", uri=\"sip:b\", response=\"00\", qop=auth, "
	    "nc=00000009, cnonce=\"c\", algorithm=MD5\r\n";
	char told[2048], many[2048];
	const char *got;

	(void)state;
	/* A second realm: the first one's nonce goes on counting. */
	got = answers(proxy, ASKS("a", "an", ""));
	assert_non_null(got);
	assert_non_null(strstr(got, "Proxy-Authorization: Digest"));
	assert_non_null(strstr(got, "nc=0000000a"));
	assert_non_null(strstr(got, "\r\nProxy-Authorization"));
	assert_true(strncmp(got, "Authorization: Digest", 21) == 0);
	assert_non_null(strstr(got, "nonce=\"an\""));
	assert_null(strstr(got, "response=\"00\""));
	/* Two realms in one answer are both told. */
	got = answers("", ASKS("a", "an", "") ASKS("b", "bn", ""));
	assert_non_null(strstr(got, "nonce=\"an\""));
	assert_non_null(strstr(got, "nonce=\"bn\""));
	/* The same realm again: only when nothing but its nonce was wrong. */
	snprintf(told, sizeof(told), "%s", answers("", ASKS("a", "an", "")));
	assert_null(answers(told, ASKS("a", "new", "")));
	got = answers(told, ASKS("a", "new", ", stale=true"));
	assert_non_null(strstr(got, "nonce=\"new\""));
	assert_null(strstr(got, "nonce=\"an\""));
	/* SHA-256 and MD5 of one realm: the first. */
	got = answers("", ASKS("a", "1", ", algorithm=SHA-256")
			      ASKS("a", "2", ", algorithm=MD5"));
	assert_null(strstr(got, "nonce=\"2\""));
	/* Who finds a new name each time is not followed for ever. */
	many[0] = '\0';
	for (int i = 0; i < SIP_REALMS_MAX; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
		    "Authorization: Digest username=\"u\", realm=\"r%d\", "
		    "nonce=\"n\", uri=\"sip:b\", response=\"0\"\r\n",
		    i);
	assert_null(answers(many, ASKS("a", "an", "")));
#undef ASKS
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    the_examples_of_rfc_7616_come_out, setup),
		cmocka_unit_test_setup(
		    the_right_password_gets_in_with_either_hash, setup),
		cmocka_unit_test_setup(
		    a_wrong_password_and_an_unknown_user_look_the_same, setup),
		cmocka_unit_test_setup(a_response_works_once, setup),
		cmocka_unit_test_setup(
		    a_response_is_good_for_its_own_uri_only, setup),
		cmocka_unit_test_setup(a_nonce_expires, setup),
		cmocka_unit_test_setup(
		    a_nonce_of_somebody_else_is_stale, setup),
		cmocka_unit_test_setup(
		    forgetting_a_used_nonce_does_not_make_it_new, setup),
		cmocka_unit_test_setup(strangers_cannot_use_up_a_nonce, setup),
		cmocka_unit_test_setup(
		    use_counts_may_come_out_of_order_but_not_twice, setup),
		cmocka_unit_test_setup(odd_headers_are_told_apart, setup),
		cmocka_unit_test_setup(
		    a_challenge_cannot_put_a_line_into_our_answer, setup),
		cmocka_unit_test_setup(
		    each_realm_is_told_once_and_the_others_again, setup),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
