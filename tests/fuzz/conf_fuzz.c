/* Any file: refused with a line that has a place, or a snapshot that holds
 * only places that are there and that a reload of the same file keeps. */

#include <stdint.h>
#include <string.h>

#include "base/check.h"
#include "conf/keys.h"
#include "conf/load/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
check_ladders(const struct conf *c)
{
	for (uint16_t i = 0; i < c->ladders; i++)
		for (uint16_t r = 0; r < c->ladder[i].rungs; r++) {
			const struct conf_rung *rung = &c->ladder[i].rung[r];

			hf_assert(rung->kind < CONF_RUNG_KINDS);
			if (rung->kind == CONF_RUNG_NUMBER)
				hf_assert(conf_may_call(c, rung->number));
			else if (rung->kind == CONF_RUNG_QUEUE)
				hf_assert(c->queue[rung->row].used);
			else if (rung->kind == CONF_RUNG_VOICEMAIL)
				hf_assert(c->box[rung->row].used);
			else
				hf_assert(c->helper[rung->row].used);
		}
	for (uint16_t i = 0; i < c->numbers; i++)
		hf_assert(
		    !c->number[i].used || c->ladder[c->number[i].ladder].used);
}

static void
see(void *arg, const char *path, const char *value, const struct conf_key *k)
{
	(void)k;
	*(size_t *)arg += strlen(path) + strlen(value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct conf first, again;
	static struct conf_report report;
	size_t seen = 0;

	if (!conf_load_memory(
		(const char *)data, n, "fuzz", NULL, &first, NULL, &report)) {
		hf_assert(report.errors > 0 && report.problems > 0);
		for (uint32_t i = 0; i < report.problems; i++) {
			hf_assert(report.problem[i].line > 0);
			hf_assert(report.problem[i].column > 0);
			hf_assert(report.problem[i].text[0] != '\0');
			hf_assert(strchr(report.problem[i].text, '\n') == NULL);
		}
		return 0;
	}
	check_ladders(&first);
	conf_each(&first, see, &seen);
	hf_assert(seen > 0);
	if (!conf_load_memory(
		(const char *)data, n, "fuzz", &first, &again, NULL, &report))
		hf_never("taken once, refused the second time");
	again.generation = first.generation;
	hf_assert(memcmp(&first, &again, sizeof(first)) == 0);
	return 0;
}
