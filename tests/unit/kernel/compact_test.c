/* Compaction: what moves, what is found again afterwards, when it is tried, and the indices of fragmentation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "kernel_private.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define AREA ((uint64_t)0x10000000)
#define WANTED ((uint64_t)0x20000000)
#define COMMON ((uint64_t)0x30000000)

static uint64_t page(uint64_t number)
{
	return AREA + number * PAGE_BYTES;
}

/* Small pages all over memory, of which every second one is given back: half of it is free, and no two frames side by
 * side. */
static uint64_t boot_in_pieces(struct rig *rig, enum thp_defrag defrag)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.thp = THP_MADVISE;
	config.thp_defrag = defrag;
	config.swap_bytes = 16 * MIB;
	rig_boot_kernel(rig, 32 * MIB, &config);
	uint64_t pages = frame_pool_free(kernel_frames(rig->kernel)) - rig->kernel->reclaim.marks.high - 64;
	assert_int_equal(rig_mmap(rig, AREA, pages * PAGE_BYTES, RW, LINUX_MAP_FIXED | LINUX_MAP_NORESERVE), AREA);
	for (uint64_t i = 0; i < pages; i++)
		rig_store(rig, page(i), 1000 + i);
	for (uint64_t i = 1; i < pages; i += 2)
		assert_int_equal(rig_syscall(rig, SYS_NR_MADVISE, page(i), PAGE_BYTES, LINUX_MADV_DONTNEED, 0, 0), 0);
	assert_int_equal(rig_mmap(rig, WANTED, 8 * MIB, RW, LINUX_MAP_FIXED), WANTED);
	assert_int_equal(rig_syscall(rig, SYS_NR_MADVISE, WANTED, 8 * MIB, LINUX_MADV_HUGEPAGE, 0, 0), 0);
	/* What is left at the end of memory, in one piece. */
	struct free_blocks free = frame_pool_blocks(kernel_frames(rig->kernel));
	while (fragmentation_index(&free, FOLIO_ORDER) < 0) {
		struct pfn unused;
		assert_true(frame_take(rig->kernel->frames, FOLIO_ORDER, FRAME_KERNEL, &unused));
		free = frame_pool_blocks(kernel_frames(rig->kernel));
	}
	return pages;
}

static void assert_kept(struct rig *rig, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i += 2)
		assert_int_equal(rig_load(rig, page(i)), 1000 + i);
}

static bool wanted_is_huge(const struct rig *rig, uint64_t number)
{
	return pte_page_size(table_get(rig->process->mm, vaddr(WANTED + number * 2 * MIB)));
}

static void a_huge_fault_makes_its_block(void **state)
{
	(void)state;
	struct rig rig;
	uint64_t pages = boot_in_pieces(&rig, THP_DEFRAG_MADVISE);
	for (uint64_t i = 0; i < 3; i++)
		rig_store(&rig, WANTED + i * 2 * MIB, i);
	assert_true(wanted_is_huge(&rig, 0) && wanted_is_huge(&rig, 1) && wanted_is_huge(&rig, 2));
	const struct vm_counts *vm = kernel_vm_counts(rig.kernel);
	assert_in_range(vm->compact_success, 1, 3);
	assert_true(vm->pgmigrate_success >= 256);
	assert_int_equal(vm->swapped_out, 0);
	assert_int_equal(rig.bus.count[EVENT_COMPACT], vm->compact_stall);
	assert_kept(&rig, pages);
	rig_release(&rig);
}

static void who_may_not_compact_falls_back(void **state)
{
	(void)state;
	struct rig rig;
	uint64_t pages = boot_in_pieces(&rig, THP_DEFRAG_NEVER);
	rig_store(&rig, WANTED, 1);
	assert_false(wanted_is_huge(&rig, 0));
	assert_int_equal(kernel_vm_counts(rig.kernel)->compact_stall, 0);
	assert_int_equal(kernel_vm_counts(rig.kernel)->thp_fault_fallback, 1);
	assert_kept(&rig, pages);
	rig_release(&rig);
}

/* The threads make blocks for those who come later. */
static void deferred_work_serves_the_next_fault(void **state)
{
	(void)state;
	struct rig rig;
	uint64_t pages = boot_in_pieces(&rig, THP_DEFRAG_DEFER);
	rig_store(&rig, WANTED, 1);
	rig_store(&rig, WANTED + 2 * MIB, 1);
	assert_false(wanted_is_huge(&rig, 0));
	assert_true(wanted_is_huge(&rig, 1));
	assert_kept(&rig, pages);
	rig_release(&rig);
}

/* Locked, shared after fork, of shared memory, in the swap cache: each of them is found in its new frame. */
static void pages_of_all_kinds_move(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.swap_bytes = 16 * MIB;
	rig_boot_kernel(&rig, 16 * MIB, &config);
	assert_int_equal(rig_mmap(&rig, AREA, 2 * MIB, RW, LINUX_MAP_FIXED), AREA);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MMAP, COMMON, 2 * MIB, RW,
				     LINUX_MAP_FIXED | LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS, UINT64_MAX),
			 COMMON);
	for (uint64_t i = 0; i < 512; i++) {
		rig_store(&rig, page(i), 1000 + i);
		rig_store(&rig, COMMON + i * PAGE_BYTES, 2000 + i);
	}
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCK, AREA, 64 * PAGE_BYTES, 0, 0, 0), 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, page(100), 8 * PAGE_BYTES, LINUX_MADV_PAGEOUT, 0, 0), 0);
	(void)rig_load(&rig, page(100)); /* its neighbours are read ahead: nobody maps them */
	assert_true(rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0) > 0);
	uint64_t before = kernel_vm_counts(rig.kernel)->pgmigrate_success;
	/* Nothing big is free. */
	struct pfn unused;
	while (frame_take(rig.kernel->frames, FOLIO_ORDER, FRAME_KERNEL, &unused)) {
	}
	struct pfn some[256];
	unsigned count = 0;
	while (count < 200 && frame_take(rig.kernel->frames, 0, FRAME_KERNEL, &some[count]))
		count++;
	rig.kernel->reclaim.marks = (struct watermarks){0, 0, 0};
	for (unsigned i = 0; i < count; i++)
		frame_put(rig.kernel->frames, some[i]);
	(void)compact_memory(rig.kernel, FOLIO_ORDER, "test");
	struct error why = {.text = ""};
	if (!kernel_check(rig.kernel, &why))
		fail_msg("%s", why.text);
	(void)before;
	for (uint64_t i = 0; i < 512; i++) {
		assert_int_equal(rig_load(&rig, page(i)), 1000 + i);
		assert_int_equal(rig_load(&rig, COMMON + i * PAGE_BYTES), 2000 + i);
	}
	rig_release(&rig);
}

/* The stack in the kernel wants four frames side by side. */
static void a_fork_puts_together_what_its_stack_needs(void **state)
{
	(void)state;
	struct rig rig;
	uint64_t pages = boot_in_pieces(&rig, THP_DEFRAG_NEVER);
	struct pfn unused;
	while (frame_take(rig.kernel->frames, STACK_ORDER, FRAME_KERNEL, &unused)) {
	}
	int64_t pid = rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	assert_true(pid > 0);
	assert_int_equal(kernel_vm_counts(rig.kernel)->compact_success, 1);
	assert_true(kernel_vm_counts(rig.kernel)->pgmigrate_success <= 4);
	assert_kept(&rig, pages);
	kernel_run(rig.kernel, kernel_process(rig.kernel, (unsigned)pid - 1));
	assert_kept(&rig, pages);
	rig_release(&rig);
}

static void failures_are_put_off_longer_and_longer(void **state)
{
	(void)state;
	struct rig rig;
	(void)boot_in_pieces(&rig, THP_DEFRAG_ALWAYS);
	/* A page that cannot move in each block. */
	struct pfn taken;
	for (uint64_t i = 0; i < frame_pool_total(kernel_frames(rig.kernel)); i += FOLIO_FRAMES) {
		for (uint64_t at = i; at < i + FOLIO_FRAMES; at++) {
			unsigned order;
			if (!frame_is_free(rig.kernel->frames, pfn(at), &order))
				continue;
			frame_take_at(rig.kernel->frames, pfn(at), FRAME_KERNEL);
			break;
		}
	}
	(void)taken;
	for (unsigned i = 0; i < 10; i++)
		assert_false(compact_memory(rig.kernel, FOLIO_ORDER, "test"));
	/* Tried, 2 put off, tried, 4 put off, tried, and so on. */
	assert_int_equal(kernel_vm_counts(rig.kernel)->compact_fail, 3);
	rig_release(&rig);
}

/* mm/vmstat.c: the numbers of a free list written down by hand. */
static void indices_are_those_of_linux(void **state)
{
	(void)state;
	struct free_blocks free = {.of = {100, 50, 0, 10}, .pages = 280, .total = 160};
	assert_int_equal(fragmentation_index(&free, 0), -1000);
	assert_int_equal(fragmentation_index(&free, 3), -1000);
	/* 1000 - (1000 + 280000 / 16) / 160 */
	assert_int_equal(fragmentation_index(&free, 4), 885);
	assert_int_equal(fragmentation_index(&free, 9), 991);
	assert_int_equal(unusable_free_index(&free, 0), 0);
	assert_int_equal(unusable_free_index(&free, 1), 357);
	assert_int_equal(unusable_free_index(&free, 3), 714);
	assert_int_equal(unusable_free_index(&free, 4), 1000);
	free = (struct free_blocks){.pages = 0};
	assert_int_equal(fragmentation_index(&free, 4), 0);
	assert_int_equal(unusable_free_index(&free, 4), 1000);
}

/* Against an array: frames taken one by one, wherever they lie, and given back. */
static void any_free_frame_can_be_taken(void **state)
{
	(void)state;
	enum { FRAMES = 4096, STEPS = 20000 };
	static bool used[FRAMES];
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	struct frame_pool *pool = rig.kernel->frames;
	struct rng rng = rng_seeded(7);
	struct pfn top;
	while (frame_take(pool, FRAME_MAX_ORDER, FRAME_KERNEL, &top) && top.v < 2 * FRAMES) {
	}
	const uint64_t base = 1024; /* behind what boot took */
	memset(used, 1, sizeof(used));
	for (uint64_t i = base; i < base + FRAMES; i += 1024) {
		frame_put(pool, pfn(i));
		memset(used + (i - base), 0, 1024);
	}
	for (unsigned i = 0; i < STEPS; i++) {
		uint64_t at = rng_below(&rng, FRAMES);
		unsigned order;
		assert_int_equal(frame_is_free(pool, pfn(base + at), &order), !used[at]);
		if (used[at])
			frame_put(pool, pfn(base + at));
		else
			frame_take_at(pool, pfn(base + at), FRAME_KERNEL);
		used[at] = !used[at];
		const char *why;
		if (i % 1000 == 0 && !frame_pool_check(pool, &why))
			fail_msg("%s", why);
	}
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_huge_fault_makes_its_block),
	    cmocka_unit_test(who_may_not_compact_falls_back),
	    cmocka_unit_test(deferred_work_serves_the_next_fault),
	    cmocka_unit_test(pages_of_all_kinds_move),
	    cmocka_unit_test(a_fork_puts_together_what_its_stack_needs),
	    cmocka_unit_test(failures_are_put_off_longer_and_longer),
	    cmocka_unit_test(indices_are_those_of_linux),
	    cmocka_unit_test(any_free_frame_can_be_taken),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
