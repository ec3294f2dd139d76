/*
 * bench/figure - one line a figure, for people and programs:
 *   FIGURE name=gap_p99_ms value=71.2 goal<=90
 */
#ifndef HF_BENCH_FIGURE_H
#define HF_BENCH_FIGURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* goal: "<=90", ">=1500", "==0" or NULL.  False when it is missed. */
bool figure(
    const char *prefix, const char *name, double value, const char *goal);

/* The nth percentile of values, which are sorted by this; -1 of none. */
double figure_percentile(int64_t *value, size_t n, double percent);

#endif
