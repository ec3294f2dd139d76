/*
 * base/table - memory for a large table, made at boot: zero, faulted in when
 * it is touched, in large pages where the system has them, because a table
 * that is walked at random costs more in page walks than in anything else.
 */
#ifndef HF_BASE_TABLE_H
#define HF_BASE_TABLE_H

#include <stddef.h>

/* n things of size bytes; NULL when there is no memory. */
void *hf_table(size_t n, size_t size);
/* Has it in memory at once: for a table that is touched all over as soon as
 * there is work, so that no call waits for a large page to be cleared. */
void hf_table_warm(void *p, size_t n, size_t size);
/* The same n and size; NULL is welcome. */
void hf_table_free(void *p, size_t n, size_t size);

#endif
