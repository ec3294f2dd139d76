/*
 * story_live [--tcp] [--ipv6] [--nat] FILE...: plays each story with real
 * processes.  Last line: N passed, N failed, N skipped.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/story/live.h"

enum outcome { PASSED, FAILED, SKIPPED, OUTCOMES };

static struct story story;
static struct live live;

static const char *
line_of(const char *path, unsigned line)
{
	static char text[300];
	FILE *f = fopen(path, "r");

	text[0] = '\0';
	for (unsigned i = 0; f != NULL && i < line; i++)
		if (fgets(text, sizeof text, f) == NULL)
			break;
	if (f != NULL)
		fclose(f);
	text[strcspn(text, "\n")] = '\0';
	return text + strspn(text, " \t");
}

static void
complain(const char *path, const struct story_act *t)
{
	fprintf(stderr, "not ok: %s:%u: %s\n  %s\n", path, t->line,
	    line_of(path, t->line), live.why);
}

static bool
play(const char *path)
{
	for (unsigned i = 0; i < story.acts; i++) {
		const struct story_act *t = &story.act[i];
		bool well;
		live.why[0] = '\0';
		if (story_is_house(t->verb)) {
			well = live_house(&live, t);
		} else {
			if (!live.up && !live_start(&live))
				return false;
			if (i > 0 && !story_is_expectation(t->verb) &&
			    story.act[i - 1].verb == STORY_HEARS)
				live_run(&live, LIVE_WORD_MS, NULL, NULL);
			well = story_is_never(t->verb) ? true
			       : story_is_expectation(t->verb)
				   ? live_expect(&live, t)
				   : live_act(&live, t);
		}
		if (!well) {
			complain(path, t);
			return false;
		}
	}
	if (!live_end(&live)) {
		fprintf(stderr, "not ok: %s: %s\n", path, live.why);
		return false;
	}
	for (unsigned i = 0; i < story.acts; i++)
		if (story_is_never(story.act[i].verb) &&
		    !live_never(&live, &story.act[i])) {
			complain(path, &story.act[i]);
			return false;
		}
	return true;
}

static enum outcome
run(const char *path, struct live_way way)
{
	if (!story_load(&story, path)) {
		fprintf(stderr, "not ok: %s: %s\n", path, story.error);
		return FAILED;
	}
	if (story.only_sim || story.sweep != NULL) {
		printf("skipped %s: it is for virtual time\n", path);
		return SKIPPED;
	}
	memset(&live, 0, sizeof live);
	live.story = &story;
	live.way = way;
	live.world = ua_world_new();
	live.site = site_new("lyon", way.ipv6);
	bool well = live.site != NULL && play(path);
	if (!well)
		live_show(&live);
	if (live.site != NULL && live.site->pid != 0)
		well = site_stop(live.site) && well;
	live_free(&live);
	printf("%s: %s%s%s%s\n", well ? "ok" : "not ok", story.title,
	    way.tcp ? ", over TCP" : "", way.ipv6 ? ", over IPv6" : "",
	    way.nat ? ", phones behind NAT" : "");
	fflush(stdout);
	return well ? PASSED : FAILED;
}

int
main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "tcp", no_argument, NULL, 't' },
		{ "ipv6", no_argument, NULL, '6' },
		{ "nat", no_argument, NULL, 'n' },
		{ NULL, 0, NULL, 0 },
	};
	struct live_way way = { .tcp = false };
	int count[OUTCOMES] = { 0 };

	for (int o; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		way.tcp |= o == 't';
		way.ipv6 |= o == '6';
		way.nat |= o == 'n';
		if (o == '?')
			return 2;
	}
	for (int i = optind; i < argc; i++)
		count[run(argv[i], way)]++;
	printf("%d passed, %d failed, %d skipped\n", count[PASSED],
	    count[FAILED], count[SKIPPED]);
	return count[FAILED] == 0 ? 0 : 1;
}
