/* Faults of a process that needs twice the memory there is: each evicts a page, writes it to swap and reads another. */
#include <stdio.h>

#include "bench.h"
#include "computer.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE, ANONYMOUS = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS };
#define MEMORY (32 * MIB)

struct loop {
	struct computer computer;
	uint64_t start, pages, next;
};

/* One page after the other, round and round: none is there any more when its turn comes. */
static void round_fault(void *self, uint64_t count)
{
	struct loop *loop = self;
	for (; count > 0; count--) {
		user_touch(loop->computer.user, loop->start + loop->next * PAGE_BYTES, 8, ACCESS_WRITE);
		loop->next = (loop->next + 1) % loop->pages;
	}
}

static void boot(struct loop *loop, const char *policy)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.swap_bytes = 4 * MEMORY;
	config.swap_device = BLOCK_ZRAM;
	config.page_cluster = 0;
	config.replacement = policy_find(policy);
	computer_boot_kernel(&loop->computer, MEMORY, "glibc", &config);
	loop->pages = 2 * MEMORY / PAGE_BYTES;
	loop->start = (uint64_t)user_syscall(
	    loop->computer.user, SYS_NR_MMAP,
	    (const uint64_t[6]){0, loop->pages * PAGE_BYTES, RW, ANONYMOUS, UINT64_MAX, 0});
	round_fault(loop, 2 * loop->pages);
}

void bench_pressure(struct bench *bench)
{
	static const char *const policies[] = {"fifo", "clock", "lru", "linux", "mglru"};
	for (unsigned i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		static struct loop loop;
		char name[64];
		(void)snprintf(name, sizeof(name), "pressure: fault with eviction, %s", policies[i]);
		if (!bench_wants(bench, name))
			continue;
		boot(&loop, policies[i]);
		bench_measure(bench, name, 0, round_fault, &loop);
		computer_free(&loop.computer);
	}
}
