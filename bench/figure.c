#include "bench/figure.h"

#include <stdio.h>
#include <stdlib.h>

bool
figure(const char *prefix, const char *name, double value, const char *goal)
{
	bool met = true;

	printf("FIGURE name=%s%s value=%.10g", prefix, name,
	    (double)(int64_t)(value * 100 + (value < 0 ? -0.5 : 0.5)) / 100);
	if (goal != NULL) {
		double g = atof(goal + 2);
		met = goal[0] == '<'   ? value <= g
		      : goal[0] == '>' ? value >= g
				       : value == g;
		printf(" goal%s%s", goal, met ? "" : " missed");
	}
	printf("\n");
	fflush(stdout);
	return met;
}

static int
compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

double
figure_percentile(int64_t *value, size_t n, double percent)
{
	if (n == 0)
		return -1;
	qsort(value, n, sizeof *value, compare);
	return (double)value[(size_t)((double)(n - 1) * percent / 100 + 0.5)];
}
