/* base/check - see check.h */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"

void (*hf_die_note)(const char *words);

_Noreturn void
hf_die(const char *file, int line, const char *what)
{
	char words[256];

	(void)snprintf(words, sizeof(words),
	    "assert_failed at=%s:%d what=\"%s\"", file, line, what);
	dprintf(STDERR_FILENO, "%s\n", words);
	if (hf_die_note != NULL)
		hf_die_note(words);
	abort();
}
