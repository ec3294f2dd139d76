/*
 * bench/rtp_load - both parties of many calls, in a process of its own: sends
 * 50 packets a second from each, and learns from the kernel's time stamps how
 * long each was on its way through whoever relays.
 */
#ifndef HF_BENCH_RTP_LOAD_H
#define HF_BENCH_RTP_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum { RTP_LOAD_SIDES = 2 }; /* caller, helper */

struct rtp_load_result {
	uint64_t sent, received; /* in the window */
	double p50_ms, p99_ms, max_ms;
	double late_pct; /* sent more than 2 ms behind their time */
	double cpu_s;    /* of the relaying process, in the window */
	double window_s;
	bool ok;
};

struct rtp_load {
	int fd[RTP_LOAD_SIDES];
	uint16_t port[RTP_LOAD_SIDES]; /* where the relay must send */
	uint32_t calls;
	struct sockaddr_in *to; /* 2 * calls: where each party sends */
};

/* Opens the parties' sockets; to is for the caller to fill in. */
void rtp_load_open(struct rtp_load *l, uint32_t calls);
void rtp_load_close(struct rtp_load *l);

/* Warms up, then measures for so long; relay is the process whose processor
 * time counts. */
struct rtp_load_result rtp_load_run(
    const struct rtp_load *l, pid_t relay, int warm_ms, int window_ms, int cpu);

/* This process, or another, to one processor and ahead of the rest, when the
 * system lets us. */
void rtp_load_pin(pid_t pid, int cpu, bool first);

#endif
