/* The kernel's budgets: system calls and page faults, through gates, tables and frames. */
#include "bench.h"
#include "computer.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE, ANONYMOUS = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS, BATCH = 4096 };

static int64_t call(struct computer *computer, enum syscall_number number, uint64_t a0, uint64_t a1, uint64_t a2,
		    uint64_t a3)
{
	return user_syscall(computer->user, (uint64_t)number, (const uint64_t[6]){a0, a1, a2, a3, UINT64_MAX, 0});
}

static void round_getpid(void *self, uint64_t count)
{
	while (count--)
		(void)call(self, SYS_NR_GETPID, 0, 0, 0, 0);
}

static void round_brk(void *self, uint64_t count)
{
	struct computer *computer = self;
	uint64_t now = (uint64_t)call(computer, SYS_NR_BRK, 0, 0, 0, 0);
	for (uint64_t i = 0; i < count; i++)
		(void)call(computer, SYS_NR_BRK, now + (i % 2 ? 0 : 0x21000), 0, 0, 0);
	(void)call(computer, SYS_NR_BRK, now, 0, 0, 0);
}

static void round_mmap(void *self, uint64_t count)
{
	struct computer *computer = self;
	for (uint64_t i = 0; i < count; i += 2) {
		int64_t at = call(computer, SYS_NR_MMAP, 0, 0x32000, RW, ANONYMOUS);
		(void)call(computer, SYS_NR_MUNMAP, (uint64_t)at, 0x32000, 0, 0);
	}
}

/* Every page of a fresh mapping once: one fault each. Making and unmapping the mapping is part of it. */
static void fault_pages(struct computer *computer, uint64_t count, enum access_kind kind)
{
	while (count) {
		uint64_t pages = count < BATCH ? count : BATCH;
		int64_t at = call(computer, SYS_NR_MMAP, 0, pages * PAGE_BYTES, RW, ANONYMOUS);
		for (uint64_t i = 0; i < pages; i++)
			user_touch(computer->user, (uint64_t)at + i * PAGE_BYTES, 8, kind);
		(void)call(computer, SYS_NR_MUNMAP, (uint64_t)at, pages * PAGE_BYTES, 0, 0);
		count -= pages;
	}
}

static void round_write_fault(void *self, uint64_t count)
{
	fault_pages(self, count, ACCESS_WRITE);
}

static void round_read_fault(void *self, uint64_t count)
{
	fault_pages(self, count, ACCESS_READ);
}

void bench_kernel(struct bench *bench)
{
	static struct computer computer;
	computer_boot(&computer, 256 * MIB, "glibc");
	bench_measure(bench, "kernel: system call (getpid)", 40, round_getpid, &computer);
	bench_measure(bench, "kernel: brk, 33 pages up or down", 0, round_brk, &computer);
	bench_measure(bench, "kernel: mmap or munmap of 50 pages, untouched", 0, round_mmap, &computer);
	bench_measure(bench, "kernel: minor fault, write, all included", 60, round_write_fault, &computer);
	bench_measure(bench, "kernel: minor fault, read (zero page)", 60, round_read_fault, &computer);
	computer_free(&computer);
}
