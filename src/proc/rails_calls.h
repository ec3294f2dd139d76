/* proc/rails_calls - the filters that tools/gen-rails makes; for rails.c. */
#ifndef HF_PROC_RAILS_CALLS_H
#define HF_PROC_RAILS_CALLS_H

#include <linux/filter.h>
#include <stddef.h>

#include "wire/msg.h"

enum {
	/* Stands in a filter where the process's own number is to be: more
	 * than any process has. */
	RAILS_OWN_PID = 0x48465049,
	RAILS_CALL_NAMES = 512,
};

struct rails_calls {
	const struct sock_filter *line;
	size_t n;
};

/* None (NULL) for the keeper. */
extern const struct rails_calls rails_calls[ROOM_NR];
/* By number; NULL where there is none. */
extern const char *const rails_call_names[RAILS_CALL_NAMES];

#endif
