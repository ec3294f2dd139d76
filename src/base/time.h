/*
 * base/time - points in time and spans of time, as two types that the
 * compiler will not let you mix up.  Nobody below proc/loop asks what time
 * it is: "now" is handed in, so that a test or a simulation can hand in its
 * own.
 */
#ifndef HF_BASE_TIME_H
#define HF_BASE_TIME_H

#include <stdbool.h>
#include <stdint.h>

/* A point on the monotonic clock. */
struct hf_time {
	int64_t us;
};

/* A distance between two points. */
struct hf_span {
	int64_t us;
};

/* A point on the calendar: microseconds since 1970, UTC.  For people and the
 * journal only; no deadline is ever computed from it. */
struct hf_wall {
	int64_t us;
};

/* After everything: a deadline that was never set. */
#define HF_TIME_NEVER ((struct hf_time){ INT64_MAX })

static inline struct hf_span
hf_ms(int64_t ms)
{
	return (struct hf_span){ ms * 1000 };
}

static inline struct hf_time
hf_time_after(struct hf_time t, struct hf_span s)
{
	return (struct hf_time){ t.us + s.us };
}

/* How long from a to b; negative when b came first. */
static inline struct hf_span
hf_time_since(struct hf_time a, struct hf_time b)
{
	return (struct hf_span){ b.us - a.us };
}

static inline bool
hf_time_before(struct hf_time a, struct hf_time b)
{
	return a.us < b.us;
}

static inline struct hf_time
hf_time_min(struct hf_time a, struct hf_time b)
{
	return a.us < b.us ? a : b;
}

#endif
