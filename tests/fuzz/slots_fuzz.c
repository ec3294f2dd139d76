/* A table of slots with foreign bytes in it: damaged, or another program's.  It
 * may be read, converted or put aside; nobody dies of it, and a record that is
 * found is whole. */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/check.h"
#include "proc/log.h"
#include "proc/slots.h"
#include "proc/slots_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { SIZE = 40, OLD_SIZE = 24, COUNT = 70, FILE_MAX = 64 * 1024 };

static uint32_t
grow(const void *from, uint32_t n, void *to)
{
	if (((const char *)from)[0] == 'x')
		return 0;
	memcpy(to, from, n);
	return n;
}

static const struct slots_past past[] = { { 1, OLD_SIZE, grow } };
static const struct slots_form old = {
	.name = "fuzz", .kind = 7, .version = 1, .record_size = OLD_SIZE
};
static const struct slots_form form = {
	.name = "fuzz",
	.kind = 7,
	.version = 2,
	.record_size = SIZE,
	.past = past,
	.pasts = 1,
};

static char path[64];

static size_t
make(const struct slots_form *f, char *to)
{
	char record[SIZE] = "a record";
	struct slots s;
	ssize_t n;
	bool fresh;
	int fd;

	(void)unlink(path);
	hf_assert(slots_open(&s, path, f, COUNT, &fresh) == 0);
	for (uint32_t i = 0; i < COUNT; i += 9) {
		slots_commit(&s, i, record);
		slots_commit_part(&s, i, record, 8);
	}
	slots_close(&s);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	hf_assert(fd >= 0);
	n = read(fd, to, FILE_MAX);
	hf_assert(n > 0 && n < FILE_MAX);
	(void)close(fd);
	return (size_t)n;
}

/* Damage that its maker knew how to sign. */
static void
sign(char *table, const struct slots_shape *f, uint32_t i)
{
	char *at = table + f->first + i * f->stride;

	for (unsigned k = 0; k < 2; k++) {
		struct slots_copy *c = (struct slots_copy *)(void *)at + k;
		char *record =
		    at + 2 * sizeof(*c) + k * (f->stride / 2 - sizeof(*c));

		if (c->n <= f->record_size)
			c->crc = slots_sum(i, c, record);
	}
}

static void
write_file(const void *p, size_t n)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	hf_assert(fd >= 0 && write(fd, p, n) == (ssize_t)n);
	(void)close(fd);
}

static void
look(uint32_t i, const void *record, void *arg)
{
	volatile char sum = 0;

	(void)arg;
	hf_assert(i < COUNT);
	for (unsigned k = 0; k < SIZE; k++)
		sum = (char)(sum + ((const char *)record)[k]);
}

static void
hear(uint32_t i, const void *record, uint32_t n, void *arg)
{
	(void)arg;
	(void)i;
	hf_assert(record != NULL || n == 0);
}

static void
live_with_it(void)
{
	char record[SIZE], why[160];
	struct slots_mark mark = { 0 };
	uint32_t poisoned;
	struct slots s;
	bool fresh, whole, take;

	take = slots_would_take(path, &form, COUNT, why, sizeof(why));
	hf_assert(take || why[0] != '\0');
	(void)slots_since(path, &mark, &whole, hear, NULL);
	(void)slots_since(path, &mark, &whole, hear, NULL);
	hf_assert(slots_open(&s, path, &form, COUNT, &fresh) == 0);
	(void)slots_condemned(&s, &poisoned);
	(void)slots_each(&s, look, NULL);
	for (uint32_t i = 0; i < COUNT; i++)
		(void)slots_read(&s, i, record);
	slots_enter(&s, 3);
	memset(record, 'y', sizeof(record));
	slots_commit(&s, 3, record);
	memset(record, 0, sizeof(record));
	hf_assert(slots_read(&s, 3, record) && record[SIZE - 1] == 'y');
	slots_leave(&s);
	slots_release(&s, 3);
	hf_assert(!slots_read(&s, 3, record));
	slots_close(&s);
	hf_assert(slots_open(&s, path, &form, COUNT, &fresh) == 0 && !fresh);
	slots_close(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static char ours[FILE_MAX], before[FILE_MAX], table[FILE_MAX];
	static size_t ours_n, before_n;
	bool of_before;
	size_t size;

	if (path[0] == '\0') {
		hf_log_open("fuzz", LOG_ERROR);
		(void)snprintf(path, sizeof(path), "/dev/shm/hf-slots-fuzz.%d",
		    (int)getpid());
		ours_n = make(&form, ours);
		before_n = make(&old, before);
	}
	if (n == 0)
		return 0;
	of_before = data[0] & 1;
	size = of_before ? before_n : ours_n;
	memcpy(table, of_before ? before : ours, size);
	if (data[0] & 2) { /* bytes of somebody else */
		write_file(data + 1, n - 1);
	} else { /* three bytes a change: where, where, what */
		for (size_t i = 1; i + 3 <= n; i += 3)
			table[(data[i] << 8 | data[i + 1]) % size] =
			    (char)data[i + 2];
		if (data[0] & 4) {
			struct slots_shape f =
			    slots_shape_of(of_before ? OLD_SIZE : SIZE, COUNT);

			for (uint32_t i = 0; i < COUNT; i++)
				sign(table, &f, i);
		}
		write_file(table, size);
	}
	live_with_it();
	(void)unlink(path);
	return 0;
}
