/*
 * tests/lib/media_driver - the keeper and hf-call in one, for a single
 * hf-media: real process, real sockets, its own channels.  For tests and
 * benches of that room alone.
 */
#ifndef HF_TESTS_MEDIA_DRIVER_H
#define HF_TESTS_MEDIA_DRIVER_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "conf/conf.h"
#include "proc/chan.h"
#include "wire/msg.h"

struct media_driver {
	pid_t pid;
	struct conf conf;
	char run_dir[64];
	uint16_t port_first;
	uint32_t streams;
	int *rtp; /* our copies of the sockets, as the keeper keeps them */
	struct chan keeper, call, rec;
	struct msg last; /* what media_driver_wait() found */
	void (*fact)(
	    const struct msg *m, void *arg); /* each one; may be NULL */
	void *arg;
};

/* Starts program with so many streams, on free ports of all addresses: of IPv4,
 * or of both families through one socket.  yaml: more configuration, or "".
 * Dies when the machine cannot. */
void media_driver_start(struct media_driver *d, const char *program,
    const char *yaml, uint32_t streams, bool both);
/* Kills it with SIGKILL and starts it again on the same sockets. */
void media_driver_restart(struct media_driver *d, const char *program);
void media_driver_stop(struct media_driver *d);

void media_driver_order(struct media_driver *d, const struct msg *m);
void media_driver_flush(struct media_driver *d);

/* Handles facts until one of this type comes; false after so long. */
bool media_driver_wait(struct media_driver *d, enum msg_type type, int ms);
/* The same for so long, whatever comes. */
void media_driver_run(struct media_driver *d, int ms);

/* An operator's question; the first row of the answer lands in last.reply. */
bool media_driver_ask(struct media_driver *d, const char *verb);

/* The usual orders.  port: where the party receives, on 127.0.0.1. */
struct media media_driver_media(uint16_t port, enum codec codec);
void media_driver_open(
    struct media_driver *d, uint32_t stream, const struct media *m);
void media_driver_close(struct media_driver *d, uint32_t stream);
void media_driver_join(
    struct media_driver *d, uint32_t caller, uint32_t helper, enum judge judge);
void media_driver_play(struct media_driver *d, uint32_t stream, uint32_t id,
    uint8_t prompt, enum after after);

struct hf_ref media_driver_ref(uint32_t stream);

#endif
