/*
 * io/rtp/tap - what a party says, on its way to the disk: a ring in a sealed
 * memfd between one hf-media worker (who writes it, never waits and never
 * makes a system call for it) and hf-rec (who looks every 20 ms while anything
 * is being recorded).
 *
 *      hf-media: tap_make() -> TAP_RING with the memfd -> hf-rec: tap_open()
 *      per recording: BEGIN, DATA ..., END
 *
 * The ring belongs to two processes, so neither believes the other: positions
 * and lengths are checked on every step.  Data that does not fit is dropped
 * and counted; room for BEGIN and END is kept free, so that a recording always
 * ends.
 */
#ifndef HF_IO_RTP_TAP_H
#define HF_IO_RTP_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/check.h"

enum tap_kind { TAP_BEGIN = 1, TAP_DATA, TAP_END };

enum {
	TAP_DATA_MAX = 1024, /* bytes in one record; 20 ms are 160 */
	TAP_BYTES_MIN = 1 << 14,
	TAP_BYTES_MAX = 1 << 26,
};

struct tap_record {
	uint32_t recording; /* RECORD_STREAM's number */
	uint16_t n;         /* mu-law bytes that follow, 8,000 a second */
	uint8_t kind;       /* enum tap_kind */
	uint8_t pad;
};

struct tap_ring; /* what lies in the memfd; see tap.c */

/* One side's hold on a ring. */
struct tap {
	struct tap_ring *ring;
	uint32_t bytes;
	uint64_t at;   /* our own position: the other side cannot move it */
	uint64_t lost; /* data bytes dropped because hf-rec was too slow */
};

/* The writer's side.  bytes: a power of two, TAP_BYTES_MIN to TAP_BYTES_MAX;
 * *fd is the memfd to send, the caller's.  False: no memory, errno says. */
bool tap_make(struct tap *t, uint32_t bytes, int *fd) HF_CHECK;

/* The reader's side; keeps no hold on fd.  False when the memfd is not sealed
 * against shrinking or is not a ring of so many bytes. */
bool tap_open(struct tap *t, int fd, uint32_t bytes) HF_CHECK;
void tap_close(struct tap *t);

/* False: no room, counted in lost.  n <= TAP_DATA_MAX, 0 for BEGIN and END. */
bool tap_put(struct tap *t, enum tap_kind kind, uint32_t recording,
    const uint8_t *ulaw, uint16_t n);

enum tap_got { TAP_EMPTY, TAP_GOT, TAP_BROKEN };

/* The next record, its bytes copied to ulaw (TAP_DATA_MAX of them).  BROKEN:
 * the writer has lost its mind; close the ring and wait for its next one. */
enum tap_got tap_take(struct tap *t, struct tap_record *out, uint8_t *ulaw);

#endif
