/*
 * tests/room/media_room - one hf-media as a process and the two parties of a
 * call, each a socket on the loopback that talks and listens in real time.
 * The test plays the keeper and hf-call.
 *
 *      group       media_room_start, media_room_stop
 *      test        a_call() or its parts; media_room_hang_up as teardown
 */
#ifndef TESTS_ROOM_MEDIA_ROOM_H
#define TESTS_ROOM_MEDIA_ROOM_H

#include "tests/lib/media_driver.h"
#include "tests/room/keeper.h"

enum { CALLER = 0, HELPER = 1 }; /* their streams */
enum { FRAME = 160, FIRST_SEQ = 65530 };

struct party {
	int fd;                /* -1: none */
	struct sockaddr_in to; /* hf-media's port */
	bool talks;
	uint8_t payload, byte; /* what it says, all day long */
	uint16_t seq;
	uint32_t ts;
	int64_t next;
	/* heard */
	unsigned packets, mine; /* of them with "byte" of the other */
	uint8_t other;          /* what the other one's bytes come to here */
	uint8_t last_payload;
	uint32_t ssrc, last_ts;
	uint16_t last_seq;
	bool broken; /* another SSRC, or a number that did not grow */
	int64_t first, last, longest_us; /* by the kernel's stamps */
	unsigned uneven; /* timestamp steps other than a frame */
};

enum { HELPER_IN_PCMU = 0x1f }; /* the helper's byte, as the caller hears it */

extern const char *program;
extern uint32_t media_room_streams; /* 8, or as set before the start */
extern struct media_driver d;
extern struct party caller, helper; /* mu-law and A-law */
extern unsigned facts[MSG_NR];
extern struct msg news[MSG_NR]; /* the last of each */

int media_room_start(void **state);
int media_room_stop(void **state);
int media_room_hang_up(void **state);

/* hf-media dies; another goes on with its sockets. */
void media_room_again(void);

int64_t now_us(void);

/* A party at that address, which sends to this stream in its law: its port. */
uint16_t party_open_at(const char *ip, struct party *p, uint32_t stream);
uint16_t party_open(struct party *p, uint32_t stream);
/* Opens it and tells hf-media where it is. */
void party_comes(struct party *p, uint32_t stream);
/* A frame in its voice; or so many bytes of this type. */
void talk(struct party *p);
void send_packet(struct party *p, uint8_t payload, const void *body, size_t n);
void forget_heard(struct party *p);

/* Both talk and listen for so long; or until that fact has come so often, which
 * it does within NOT_LONG or the test has failed. */
void live(int ms);
void live_until(enum msg_type type, unsigned times);
/* Until so many packets were counted there, in a party; more may come. */
void live_heard(const unsigned *packets, unsigned least);

/* What it has heard came every 20 ms. */
void assert_pace(const struct party *p);

/* How long the machine has kept hf-media and us waiting for a processor so
 * far. */
int64_t waited_us(void);

/* A call between a mu-law caller and an A-law helper, both talking. */
void a_call(enum judge judge);

#endif
