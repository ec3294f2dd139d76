/* base/check - see check.h */

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/check.h"

_Noreturn void
hf_die(const char *file, int line, const char *what)
{
	dprintf(STDERR_FILENO, "assert_failed at=%s:%d what=\"%s\"\n", file,
	    line, what);
	abort();
}
