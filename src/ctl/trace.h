/*
 * ctl/trace - SIP messages of a call: drawn as a ladder, or written as packets
 * that tshark and sngrep open.
 */
#ifndef HF_CTL_TRACE_H
#define HF_CTL_TRACE_H

#include "base/addr.h"
#include "ctl/ctl.h"

struct trace_message {
	int64_t at; /* wall, us */
	uint64_t leg;
	bool in, tcp;
	struct hf_addr local, remote;
	struct hf_slice text;
};

enum { TRACE_LEGS_MAX = 64 };

struct trace_leg {
	uint64_t leg;
	bool caller;
	char name[64];
};

/* Rows of text_more go to the end of the text before them: a message is longer
 * than a row.  Nothing is left of such a row that has none before it. */
void trace_join(struct rows *r);

/* False when the row is not a message. */
bool trace_row(struct hf_slice row, struct trace_message *out);

void ladder_show(FILE *f, const struct trace_leg *leg, size_t legs,
    const struct rows *messages);

/* A capture of raw IP packets, made up around the messages: addresses, ports,
 * times and bytes are true; TCP's numbers are ours and start at 1. */
bool pcap_write(FILE *f, const struct rows *messages);

#endif
