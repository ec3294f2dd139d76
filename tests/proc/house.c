/* tests/proc/house - see house.h */

#include "proc/house.h"
#include "lib/otherwise.h"

const char *const house_rooms[ROOMS] = { "hf-store", "hf-rec", "hf-media",
	"hf-sip", "hf-call" };

const char *holdfastd, *echo_room;
static char dir[] = "/tmp/hf-keeper-XXXXXX";
pid_t keeper;
uint16_t sip_port, rtp_port;
int log_fd = -1;
void (*keeper_begins)(void);
/* Besides; our folders are root's when we are. */
const char *keeper_keys = "user: root";
const char *house_opens = "house_open";
const char *orphans_max = "8s";
const char *rtp_address = "address: 127.0.0.1, ";

/* ---- a house of our own ----------------------------------------------------
 */

void
path_of(char *to, const char *name)
{
	(void)snprintf(to, TEXT, "%s/%s", dir, name);
}

bool
copy(const char *from, const char *name)
{
	char to[TEXT], bytes[65536];
	int in = open(from, O_RDONLY), out;
	ssize_t n = 0;

	path_of(to, name);
	out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	while (in >= 0 && out >= 0 && (n = read(in, bytes, sizeof(bytes))) > 0)
		if (write(out, bytes, (size_t)n) != n)
			return false;
	return close(in) == 0 && close(out) == 0 && n == 0;
}

/* A port nobody has; for a range, that nobody has any of. */
uint16_t
free_ports(unsigned n)
{
	for (int tries = 0; tries < 200; tries++) {
		uint16_t first =
		    (uint16_t)(20000 + (getpid() * 7 + tries * 311) % 20000);
		unsigned good = 0;

		for (; good < n; good++) {
			struct sockaddr_in sa = { .sin_family = AF_INET,
				.sin_port = htons((uint16_t)(first + good)),
				.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
			int fd = socket(AF_INET, SOCK_DGRAM, 0);
			bool mine =
			    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) == 0;

			(void)close(fd);
			if (!mine)
				break;
		}
		if (good == n)
			return (uint16_t)(first + first % 2);
	}
	return 0;
}

void
write_conf(const char *site, const char *more)
{
	char path[TEXT];
	FILE *f;

	path_of(path, "holdfast.conf");
	f = fopen(path, "w");
	assert_non_null(f);
	(void)fprintf(f,
	    "site: %s\n"
	    "sip: { listen: [\"udp:127.0.0.1:%u\", \"tcp:127.0.0.1:%u\"] }\n"
	    "rtp: { %sports: %u-%u, workers: 2 }\n"
	    "keeper: { run_dir: %s/run, drain_max: 2s, orphans_max: %s, %s }\n"
	    "store: { dir: %s/store, spool: %s/spool }\n%s",
	    site, sip_port, sip_port, rtp_address, rtp_port,
	    rtp_port + RTP_PORTS - 1, dir, orphans_max, keeper_keys, dir, dir,
	    more);
	assert_int_equal(fclose(f), 0);
}

int64_t
now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void
breathe(void)
{
	(void)usleep(10000);
}

/* ---- questions -------------------------------------------------------------
 */

static void
take_row(struct answer *a, const struct msg_reply *r)
{
	struct hf_slice in = { (const char *)r->row.p, r->row.n };
	struct row_value v;
	size_t n = strlen(a->all);

	if (r->row.n == 0)
		return;
	a->rows++;
	while (row_next(&in, &v) && n < sizeof(a->all))
		n += (size_t)snprintf(a->all + n, sizeof(a->all) - n,
		    "%.*s=%.*s ", (int)v.name.n, v.name.p, (int)v.value.n,
		    v.value.p);
	if (n >= sizeof(a->all))
		return;
	(void)snprintf(a->all + n, sizeof(a->all) - n, "\n");
	assert_int_equal(in.n, 0);
}

bool
ask(const char *verb, const char *word, int wait_ms, struct answer *a)
{
	static struct msg reply;
	char *words[] = { (char *)(uintptr_t)word };
	char run[TEXT];
	int fd, err;

	memset(a, 0, sizeof(*a));
	path_of(run, "run");
	fd = asker_connect(run);
	if (fd < 0)
		return false;
	err = asker_ask(fd, 7, verb, words, word != NULL, hf_ms(wait_ms));
	do {
		if (err == 0)
			err = asker_reply(fd, &reply, hf_ms(wait_ms + 1000));
		if (err != 0)
			break;
		assert_int_equal(reply.reply.id, 7);
		take_row(a, &reply.reply);
		(void)snprintf(
		    a->error, sizeof(a->error), "%s", reply.reply.error);
	} while (reply.reply.more);
	(void)close(fd);
	return err == 0;
}

/* The number behind "name=" in the line that holds who; -1 without. */
long
number_of(const struct answer *a, const char *who, const char *name)
{
	char key[64];
	const char *line = strstr(a->all, who), *at;

	if (line == NULL)
		return -1;
	(void)snprintf(key, sizeof(key), "%s=", name);
	at = strstr(line, key);
	return at == NULL ? -1 : strtol(at + strlen(key), NULL, 10);
}

/* ---- a datagram to the house -----------------------------------------------
 */

int
client(uint16_t port)
{
	struct sockaddr_in sa = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* The pid that answers; 0 when nobody does. */
pid_t
hear(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char text[64];
	ssize_t n;

	if (poll(&p, 1, ms) != 1)
		return 0;
	n = recv(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	return (pid_t)atoi(text);
}

pid_t
say(uint16_t port, const char *text, int ms)
{
	int fd = client(port);
	pid_t pid = 0;

	if (send(fd, text, strlen(text), 0) == (ssize_t)strlen(text))
		pid = hear(fd, ms);
	(void)close(fd);
	return pid;
}

/* ---- up and down -----------------------------------------------------------
 */

bool
log_says(const char *text)
{
	static char bytes[1 << 20];
	ssize_t n = pread(log_fd, bytes, sizeof(bytes) - 1, 0);

	if (n < 0)
		return false;
	bytes[n] = '\0';
	return strstr(bytes, text) != NULL;
}

void
show_log(void)
{
	static char bytes[1 << 16]; /* its end */
	off_t end = lseek(log_fd, 0, SEEK_END);
	ssize_t n = pread(log_fd, bytes, sizeof(bytes),
	    end > (off_t)sizeof(bytes) ? end - (off_t)sizeof(bytes) : 0);

	if (n > 0)
		(void)!write(STDERR_FILENO, bytes, (size_t)n);
}

bool
log_will_say(const char *text)
{
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (log_says(text))
			return true;
	return false;
}

int
open_house(void **state)
{
	char program[TEXT], conf[TEXT], log[TEXT];

	(void)state;
	path_of(program, "sbin/holdfastd");
	path_of(conf, "holdfast.conf");
	path_of(log, "log");
	write_conf("test", "");
	log_fd = open(log, O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0644);
	keeper = fork();
	if (keeper == 0) {
		(void)dup2(log_fd, STDERR_FILENO);
		if (keeper_begins != NULL)
			keeper_begins();
		(void)execl(program, program, "-c", conf, (char *)NULL);
		_exit(127);
	}
	if (!log_will_say(house_opens)) {
		show_log();
		return -1;
	}
	return 0;
}

int
close_house(void **state)
{
	int status = 0;

	(void)state;
	if (keeper > 0) {
		(void)kill(keeper, SIGTERM);
		for (int64_t end = now_ms() + 2 * WAIT_MS; now_ms() < end;) {
			if (waitpid(keeper, &status, WNOHANG) == keeper) {
				keeper = 0;
				break;
			}
			breathe();
		}
		if (keeper > 0) {
			show_log();
			(void)kill(keeper, SIGKILL);
			(void)waitpid(keeper, &status, 0);
			keeper = 0;
			status = -1;
		}
	}
	(void)close(log_fd);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -1;
}

/* ---- without its keeper -----------------------------------------------------
 */

void
kill_keeper(void)
{
	assert_int_equal(kill(keeper, SIGKILL), 0);
	assert_int_equal(waitpid(keeper, NULL, 0), keeper);
	keeper = 0;
}

off_t
log_end(void)
{
	return lseek(log_fd, 0, SEEK_END);
}

bool
log_says_after(off_t at, const char *text)
{
	static char bytes[1 << 20];
	ssize_t n = pread(log_fd, bytes, sizeof(bytes) - 1, at);

	bytes[n > 0 ? n : 0] = '\0';
	return strstr(bytes, text) != NULL;
}

bool
log_will_say_after(off_t at, const char *text)
{
	for (int64_t end = now_ms() + WAIT_MS; now_ms() < end; breathe())
		if (log_says_after(at, text))
			return true;
	return false;
}

void
start_keeper(void)
{
	char program[TEXT], conf[TEXT];

	path_of(program, "sbin/holdfastd");
	path_of(conf, "holdfast.conf");
	keeper = fork();
	if (keeper == 0) {
		(void)dup2(log_fd, STDERR_FILENO);
		if (keeper_begins != NULL)
			keeper_begins();
		(void)execl(program, program, "-c", conf, (char *)NULL);
		_exit(127);
	}
}

/* True when the next one has the house. */
bool
next_keeper(void)
{
	off_t at = log_end();

	start_keeper();
	if (log_will_say_after(at, "house_open"))
		return true;
	show_log();
	return false;
}

/* Beside ours, in a folder of its own. */
void
make_build(const char *folder, bool otherwise)
{
	static const char *const in[] = { "", "/sbin", "/libexec",
		"/libexec/holdfast" };
	char name[100], path[TEXT];

	for (size_t i = 0; i < HF_LEN(in); i++) {
		(void)snprintf(name, sizeof(name), "%s%s", folder, in[i]);
		path_of(path, name);
		(void)mkdir(path, 0755);
	}
	(void)snprintf(name, sizeof(name), "%s/sbin/holdfastd", folder);
	path_of(path, name);
	assert_true(copy(holdfastd, name));
	assert_true(!otherwise || speak_otherwise(path));
	for (size_t i = 0; i < HF_LEN(house_rooms); i++) {
		(void)snprintf(name, sizeof(name), "%s/libexec/holdfast/%s",
		    folder, house_rooms[i]);
		path_of(path, name);
		assert_true(copy(echo_room, name));
		assert_true(!otherwise || speak_otherwise(path));
	}
}

/* ---- the folder ------------------------------------------------------------
 */

bool
house_begin(int argc, char **argv)
{
	char path[TEXT];

	if (argc != 3 || mkdtemp(dir) == NULL)
		return false;
	holdfastd = argv[1];
	echo_room = argv[2];
	path_of(path, "sbin");
	(void)mkdir(path, 0755);
	path_of(path, "libexec");
	(void)mkdir(path, 0755);
	path_of(path, "libexec/holdfast");
	(void)mkdir(path, 0755);
	if (!copy(holdfastd, "sbin/holdfastd"))
		return false;
	for (size_t i = 0; i < ROOMS; i++) {
		(void)snprintf(
		    path, sizeof(path), "libexec/holdfast/%s", house_rooms[i]);
		if (!copy(echo_room, path))
			return false;
	}
	rtp_port = free_ports(RTP_PORTS + 4);
	sip_port = (uint16_t)(rtp_port + RTP_PORTS + 2);
	return true;
}

void
house_end(void)
{
	char command[TEXT];

	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	(void)!system(command);
}
