/* io/rtp/tap - see tap.h */

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/rtp/tap.h"

enum {
	MAGIC = 0x48465431, /* "HFT1" */
	CACHE_LINE = 64,
	ALIGN = 8,
	/* Kept free of data: room for the BEGIN or END of 512 recordings. */
	RESERVE = 512 * (int)sizeof(struct tap_record),
};

/* Positions count bytes since the beginning and never wrap; each side writes
 * only its own, on a cache line of its own. */
struct tap_ring {
	uint32_t magic, bytes;
	uint8_t pad0[CACHE_LINE - 8];
	_Atomic uint64_t written;
	uint8_t pad1[CACHE_LINE - 8];
	_Atomic uint64_t taken;
	uint8_t pad2[CACHE_LINE - 8];
	uint8_t data[];
};
_Static_assert(sizeof(struct tap_ring) == 3 * CACHE_LINE, "a line for each");
_Static_assert(sizeof(struct tap_record) == ALIGN, "records stay aligned");

static bool
good_size(uint32_t bytes)
{
	return bytes >= TAP_BYTES_MIN && bytes <= TAP_BYTES_MAX &&
	       (bytes & (bytes - 1)) == 0;
}

static uint32_t
padded(uint16_t n)
{
	return (uint32_t)(n + ALIGN - 1) & ~(uint32_t)(ALIGN - 1);
}

static struct tap_ring *
map(int fd, uint32_t bytes)
{
	void *p = mmap(NULL, sizeof(struct tap_ring) + bytes,
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return p == MAP_FAILED ? NULL : p;
}

bool
tap_make(struct tap *t, uint32_t bytes, int *fd)
{
	const size_t size = sizeof(struct tap_ring) + bytes;

	hf_assert(good_size(bytes));
	int memfd = memfd_create("hf-tap", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (memfd < 0)
		return false;
	if (ftruncate(memfd, (off_t)size) != 0 ||
	    fcntl(memfd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		goto fail;
	*t = (struct tap){ .ring = map(memfd, bytes), .bytes = bytes };
	if (t->ring == NULL)
		goto fail;
	t->ring->magic = MAGIC;
	t->ring->bytes = bytes;
	*fd = memfd;
	return true;
fail:
	close(memfd);
	return false;
}

bool
tap_open(struct tap *t, int fd, uint32_t bytes)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	/* A mapping that its maker can shorten is a SIGBUS for us. */
	if (!good_size(bytes) || seals < 0 || (seals & F_SEAL_SHRINK) == 0 ||
	    fstat(fd, &st) != 0 ||
	    (uint64_t)st.st_size != sizeof(struct tap_ring) + bytes)
		return false;
	struct tap_ring *ring = map(fd, bytes);
	if (ring == NULL)
		return false;
	*t = (struct tap){ .ring = ring, .bytes = bytes };
	if (ring->magic != MAGIC || ring->bytes != bytes) {
		tap_close(t);
		return false;
	}
	/* Where the reader before us stopped. */
	t->at = atomic_load_explicit(&ring->taken, memory_order_relaxed);
	return true;
}

void
tap_close(struct tap *t)
{
	if (t->ring != NULL)
		munmap(t->ring, sizeof(struct tap_ring) + t->bytes);
	t->ring = NULL;
}

static void
copy_in(struct tap *t, uint64_t at, const void *p, uint32_t n)
{
	uint32_t from = (uint32_t)at & (t->bytes - 1);
	uint32_t first = n < t->bytes - from ? n : t->bytes - from;

	memcpy(t->ring->data + from, p, first);
	memcpy(t->ring->data, (const uint8_t *)p + first, n - first);
}

static void
copy_out(const struct tap *t, uint64_t at, void *p, uint32_t n)
{
	uint32_t from = (uint32_t)at & (t->bytes - 1);
	uint32_t first = n < t->bytes - from ? n : t->bytes - from;

	memcpy(p, t->ring->data + from, first);
	memcpy((uint8_t *)p + first, t->ring->data, n - first);
}

bool
tap_put(struct tap *t, enum tap_kind kind, uint32_t recording,
    const uint8_t *ulaw, uint16_t n)
{
	const struct tap_record r = {
		.recording = recording,
		.n = n,
		.kind = (uint8_t)kind,
	};
	uint32_t need = sizeof(r) + padded(n);
	uint32_t keep = kind == TAP_DATA ? RESERVE : 0;

	hf_assert(n <= TAP_DATA_MAX && (kind == TAP_DATA || n == 0));
	uint64_t used =
	    t->at - atomic_load_explicit(&t->ring->taken, memory_order_acquire);
	/* used > bytes: the reader's position is nonsense; as good as full. */
	if (used > t->bytes || need + keep > t->bytes - used) {
		t->lost += n;
		return false;
	}
	copy_in(t, t->at, &r, sizeof(r));
	if (n > 0)
		copy_in(t, t->at + sizeof(r), ulaw, n);
	t->at += need;
	atomic_store_explicit(&t->ring->written, t->at, memory_order_release);
	return true;
}

enum tap_got
tap_take(struct tap *t, struct tap_record *out, uint8_t *ulaw)
{
	struct tap_record r;
	uint64_t there =
	    atomic_load_explicit(&t->ring->written, memory_order_acquire) -
	    t->at;

	if (there == 0)
		return TAP_EMPTY;
	if (there > t->bytes || there < sizeof(r))
		return TAP_BROKEN;
	copy_out(t, t->at, &r, sizeof(r)); /* once: it could change under us */
	if (r.n > TAP_DATA_MAX || sizeof(r) + padded(r.n) > there ||
	    r.kind < TAP_BEGIN || r.kind > TAP_END)
		return TAP_BROKEN;
	copy_out(t, t->at + sizeof(r), ulaw, r.n);
	t->at += sizeof(r) + padded(r.n);
	atomic_store_explicit(&t->ring->taken, t->at, memory_order_release);
	*out = r;
	return TAP_GOT;
}
