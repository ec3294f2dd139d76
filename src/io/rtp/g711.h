/*
 * io/rtp/g711 - ITU-T G.711: eight bits that sound like thirteen.  Everything
 * is a table, because a table is what a frame of 160 samples can afford at
 * fifty frames a second and a thousand calls.
 */
#ifndef HF_IO_RTP_G711_H
#define HF_IO_RTP_G711_H

#include <stddef.h>
#include <stdint.h>

enum {
	G711_RATE = 8000,
	G711_PER_MS = G711_RATE / 1000, /* samples, and bytes */
	G711_PCMU_SILENCE = 0xff,
	G711_PCMA_SILENCE = 0xd5,
};

enum g711_law { G711_PCMU, G711_PCMA };

/* Indexed by law and byte: the sample on a scale of 16 bits, and what it adds
 * to a frame's energy (the square, shifted right by four so that a frame's
 * sum fits 32 bits). */
extern int16_t g711_linear[2][256];
extern uint32_t g711_power[2][256];
/* Indexed by the law it is in: the byte in the other law. */
extern uint8_t g711_other[2][256];

/* Fills the tables; once, before anything else here. */
void g711_init(void);

uint8_t g711_encode(enum g711_law law, int16_t sample);

/* In place, from "law" to the other one. */
void g711_transcode(enum g711_law law, uint8_t *p, size_t n);

#endif
