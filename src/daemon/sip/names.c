/*
 * daemon/sip/names - where the configured targets are: see room.h.  Looked up
 * ahead, from the loop; a call takes what is known and never waits.
 */

#include <sys/epoll.h>

#include "daemon/sip/room.h"
#include "io/dns/resolver.h"

enum {
	NAMES_MAX = CONF_HELPERS_MAX * CONF_TARGETS_MAX + CONF_TRUNKS_MAX,
};

_Static_assert(sizeof(((struct conf_target *)0)->host) <= DNS_HOST_MAX,
    "a host of the configuration is one of the table");

static struct {
	struct dns_resolver resolver;
	struct hf_timer timer;
	bool reopen; /* a question failed: the system's servers may be others */
	/* At a reload the old names may still wait for answers. */
	struct dns_name row[NAMES_MAX + DNS_AT_ONCE];
} names;

/* ---- what is known ------------------------------------------------------- */

unsigned
target_addresses(const struct conf_target *c)
{
	const struct dns_name *n;

	if (c->addr.family != 0)
		return 1;
	n = dns_names_find(&room.names, c->host);
	return n == NULL ? 0 : n->ats;
}

bool
target_address(const struct conf_target *c, unsigned k, struct hf_addr *at)
{
	const struct dns_name *n;

	*at = c->addr;
	if (c->addr.family != 0)
		return k == 0;
	n = dns_names_find(&room.names, c->host);
	if (n == NULL || k >= n->ats)
		return false;
	*at = n->at[k];
	at->port = c->addr.port;
	return true;
}

/* ---- finding out --------------------------------------------------------- */

static void
tell(const struct dns_name *n, enum dns_news news, const struct dns_answer *a)
{
	char at[HF_ADDR_TEXT_MAX];
	struct hf_buf b = hf_buf_on(at, sizeof(at) - 1);

	hf_addr_put_ip(&b, &n->at[0]);
	at[b.n] = '\0';
	switch (news) {
	case DNS_AS_IT_WAS:
		return;
	case DNS_FOUND:
		hf_log(LOG_INFO, "name_found",
		    "name=%s addresses=%u first=%s ttl_s=%d", n->host, n->ats,
		    at, (int)(a->ttl.us / 1000000));
		return;
	case DNS_MOVED:
		hf_log(LOG_NOTICE, "name_moved",
		    "name=%s addresses=%u first=%s ttl_s=%d", n->host, n->ats,
		    at, (int)(a->ttl.us / 1000000));
		return;
	case DNS_LOST:
		hf_log(LOG_WARNING, "name_lost", "name=%s kept=%u why=\"%s\"",
		    n->host, n->ats, a->why != NULL ? a->why : "no address");
		return;
	case DNS_BACK:
		hf_log(LOG_NOTICE, "name_returned", "name=%s addresses=%u",
		    n->host, n->ats);
		return;
	}
}

static void
on_known(void *arg, uint32_t n, const struct dns_answer *a)
{
	(void)arg;
	tell(&room.names.name[n],
	    dns_names_answered(&room.names, n, a, room.now), a);
	names.reopen |= a->why != NULL;
}

static void arm(void);

static void
on_fd(int fd, uint32_t events, void *arg)
{
	(void)arg;
	room.now = proc_now();
	dns_ready(&names.resolver, fd,
	    (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) != 0,
	    (events & EPOLLOUT) != 0);
	arm();
}

static void
on_watch(void *arg, int fd, bool readable, bool writable)
{
	(void)arg;
	if (readable || writable)
		proc_watch(fd,
		    (readable ? EPOLLIN : 0u) | (writable ? EPOLLOUT : 0u),
		    on_fd, NULL);
	else
		proc_unwatch(fd);
}

static void
resolver_open(void)
{
	static const struct dns_hooks hooks = {
		.watch = on_watch,
		.answered = on_known,
	};
	const struct conf_sip *c = &room.conf->sip;
	const char *why;

	dns_close(&names.resolver);
	names.reopen = false;
	if (!dns_open(
		&names.resolver, c->dns, c->dns_count, &hooks, NULL, &why))
		hf_log(LOG_ERROR, "resolver_failed", "why=\"%s\"", why);
}

static void
ask_due(void)
{
	uint32_t n;

	while ((n = dns_names_due(&room.names, room.now)) != DNS_NONE)
		dns_ask(&names.resolver, n, room.names.name[n].host);
}

static void
arm(void)
{
	struct hf_time due = dns_names_next(&room.names);
	struct hf_span wait;

	if (dns_wait(&names.resolver, &wait))
		due = hf_time_min(due, hf_time_after(room.now, wait));
	if (due.us == INT64_MAX)
		hf_timer_stop(proc_wheel(), &names.timer);
	else
		hf_timer_start(proc_wheel(), &names.timer, due);
}

static void
on_timer(struct hf_timer *t, struct hf_time now)
{
	(void)t;
	room.now = now;
	dns_tick(&names.resolver);
	if (names.reopen && room.names.asking == 0)
		resolver_open();
	ask_due();
	arm();
}

/* ---- begin and reload ---------------------------------------------------- */

static void
want(const struct conf_target *c)
{
	if (c->uri[0] == '\0' || c->addr.family != 0 || c->host[0] == '\0' ||
	    c->transport == CONF_TLS)
		return;
	if (!dns_names_want(&room.names, c->host, room.now))
		hf_never("the table has a row for every target");
}

void
names_reconf(void)
{
	const struct conf *c = room.conf;

	dns_names_begin(&room.names);
	for (uint16_t i = 0; i < c->helpers; i++)
		for (uint8_t k = 0;
		     c->helper[i].used && k < c->helper[i].targets; k++)
			want(&c->helper[i].to[k]);
	for (uint16_t i = 0; i < c->trunks; i++)
		if (c->trunk[i].used)
			want(&c->trunk[i].to);
	dns_names_end(&room.names);
	resolver_open();
	ask_due();
	arm();
}

void
names_start(void)
{
	dns_names_init(&room.names, names.row, HF_LEN(names.row));
	hf_timer_init(&names.timer, on_timer);
	names_reconf();
}
