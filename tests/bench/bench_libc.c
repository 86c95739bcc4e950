/* The C library's budgets: every access of an allocator is one of the simulated machine. */
#include "bench.h"
#include "computer.h"

/* What the tcache serves: the block that was freed last. */
static void round_same_size(void *self, uint64_t count)
{
	struct computer *computer = self;
	for (uint64_t i = 0; i < count; i += 2)
		heap_free(computer->heap, heap_malloc(computer->heap, 24));
}

/* A window of live blocks of mixed sizes, the oldest freed first. */
static void round_window(void *self, uint64_t count)
{
	struct computer *computer = self;
	uint64_t blocks[64] = {0};
	uint64_t size = 1;
	for (uint64_t i = 0; i < count; i += 2) {
		uint64_t *slot = &blocks[i / 2 % 64];
		size = (size * 5 + 17) % 2039;
		heap_free(computer->heap, *slot);
		*slot = heap_malloc(computer->heap, size);
	}
	for (unsigned i = 0; i < 64; i++)
		heap_free(computer->heap, blocks[i]);
}

static void measure(struct bench *bench, const char *libc, const char *same, double budget, const char *window)
{
	static struct computer computer;
	computer_boot(&computer, 64 * MIB, libc);
	bench_measure(bench, same, budget, round_same_size, &computer);
	bench_measure(bench, window, 0, round_window, &computer);
	computer_free(&computer);
}

void bench_libc(struct bench *bench)
{
	measure(bench, "glibc", "libc: glibc malloc or free, tcache", 15, "libc: glibc malloc or free, 64 live, mixed");
	measure(bench, "first-fit", "libc: first-fit malloc or free", 0, "libc: first-fit, 64 live, mixed");
	measure(bench, "best-fit", "libc: best-fit malloc or free", 0, "libc: best-fit, 64 live, mixed");
}
