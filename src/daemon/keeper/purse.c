/* daemon/keeper/purse - see keeper.h */

#include "daemon/keeper/keeper.h"
#include "proc/loop.h"

enum { US_PER_S = 1000000 };

static struct {
	int64_t tokens_us; /* what restarts may cost, in time earned */
	struct hf_time earned;
} purse;

static int64_t
price_us(void)
{
	return US_PER_S / keeper_conf()->keeper.restarts_per_s;
}

static void
earn(struct hf_time now)
{
	int64_t most = price_us() * keeper_conf()->keeper.restarts_burst;

	purse.tokens_us += hf_time_since(purse.earned, now).us;
	if (purse.tokens_us > most)
		purse.tokens_us = most;
	purse.earned = now;
}

void
purse_open(const struct past *past)
{
	bool known = past != NULL && past->bytes != 0;

	purse.earned = loop_now();
	purse.tokens_us = price_us() * keeper_conf()->keeper.restarts_burst;
	if (!known)
		return;
	purse.earned.us = past->earned_us;
	purse.tokens_us = past->tokens_us;
}

void
purse_remember(struct past *past)
{
	past->tokens_us = purse.tokens_us;
	past->earned_us = purse.earned.us;
}

struct hf_span
purse_pay(uint32_t restarts)
{
	int64_t cost = price_us() * restarts;

	earn(loop_now());
	if (purse.tokens_us < cost)
		return (struct hf_span){ cost - purse.tokens_us };
	purse.tokens_us -= cost;
	return (struct hf_span){ 0 };
}
