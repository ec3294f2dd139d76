/*
 * tests/unit/conf_try - a configuration from a text, for the tests of
 * conf/load.
 */
#ifndef HF_TESTS_CONF_TRY_H
#define HF_TESTS_CONF_TRY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/keys.h"
#include "conf/load/load.h"

static struct conf conf;
static struct conf_report report;

static inline bool
load(const char *text)
{
	return conf_load_memory(
	    text, strlen(text), "holdfast.yaml", NULL, &conf, NULL, &report);
}

static inline void
print_report(const char *text)
{
	fprintf(stderr, "---\n%s---\n", text);
	conf_report_print(&report, STDERR_FILENO);
}

static inline void
must_load(const char *text)
{
	if (load(text))
		return;
	print_report(text);
	fail_msg("it did not load");
}

static inline void
write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

/* The file of the design. */
static const char example[] =
    "site: lyon\n"
    "sip:      { listen: [\"udp:0.0.0.0:5060\", \"tcp:0.0.0.0:5060\"], "
    "advertise: 198.51.100.7 }\n"
    "rtp:      { ports: 20000-29999 }\n"
    "trunks:   { carrier: { peers: [203.0.113.0/24] } }\n"
    "bots:\n"
    "  cloud-a: { to: [\"sip:bot@bots.example.net\"] }\n"
    "centres:\n"
    "  genesys: { to: [\"sip:cc@edge.example.net;transport=tls\"] }\n"
    "queues:   { sales: { strategy: longest-idle, max_wait: 5m, ring: 15s } }\n"
    "agents:   { anna: { queues: [sales], secret_file: /etc/holdfast/anna } }\n"
    "ladders:\n"
    "  front:  [ { bot: cloud-a }, { queue: sales }, { voicemail: front } ]\n"
    "numbers:  { \"+33400000000\": front }\n"
    "outbound: { allow: [\"+33*\"], via: [carrier] }\n";

#endif
