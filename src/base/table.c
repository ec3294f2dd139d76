/* base/table - see table.h */

#include <stdint.h>
#include <sys/mman.h>

#include "base/table.h"

enum { LARGE_PAGE = 2 << 20 };

void *
hf_table(size_t n, size_t size)
{
	void *p;

	if (n == 0 || size > SIZE_MAX / n)
		return NULL;
	p = mmap(NULL, n * size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	if (n * size >= 2 * (size_t)LARGE_PAGE)
		(void)madvise(p, n * size, MADV_HUGEPAGE);
	return p;
}

void
hf_table_warm(void *p, size_t n, size_t size)
{
	/* Where the kernel is too old for it (5.14), touching will do. */
	(void)madvise(p, n * size, MADV_POPULATE_WRITE);
}

void
hf_table_free(void *p, size_t n, size_t size)
{
	if (p != NULL)
		(void)munmap(p, n * size);
}
