/*
 * proc/snapshot - a plain value in a sealed memfd: written once by the keeper,
 * mapped read-only by the rooms; nobody can change it under a reader.
 */
#ifndef HF_PROC_SNAPSHOT_H
#define HF_PROC_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

/* What every such value begins with (struct conf, struct conf_secrets). */
struct snapshot_head {
	uint32_t magic, version, size, generation;
};

/* A sealed memfd with these bytes, or -1 and errno. */
int snapshot_make(const char *name, const void *value, size_t size);

/* Maps it, or NULL when it is not sealed or not what we were built for.  Takes
 * fd in any case.  munmap() by size when done. */
const void *snapshot_map(int fd, uint32_t magic, uint32_t version, size_t size);

#endif
