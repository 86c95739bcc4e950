/* Transparent huge pages: when a fault gets one, what splits it, and what is counted. What the host's kernel does with
 * the same calls is compared in diff/vma_native; here are fork, swap, limits, the queue and the counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel_private.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE, HUGE_PAGES = 512 };
#define AREA ((uint64_t)0x10000000)
#define HUGE_BYTES (2 * MIB)

static void boot(struct rig *rig, uint64_t memory, enum thp_mode mode, uint64_t swap, uint64_t huge)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.thp = mode;
	config.swap_bytes = swap;
	config.overcommit = OVERCOMMIT_ALWAYS;
	rig_boot_kernel(rig, memory, &config);
	assert_int_equal(rig_mmap(rig, AREA, huge * HUGE_BYTES, RW, LINUX_MAP_FIXED), AREA);
}

static const struct vm_counts *counts(const struct rig *rig)
{
	return kernel_vm_counts(rig->kernel);
}

static int64_t advise(struct rig *rig, uint64_t at, uint64_t bytes, uint64_t advice)
{
	return rig_syscall(rig, SYS_NR_MADVISE, at, bytes, advice, 0, 0);
}

static bool is_huge(const struct rig *rig, uint64_t at)
{
	return pte_page_size(table_get(rig->process->mm, vaddr(at)));
}

static void one_write_takes_512_frames_in_one_fault(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_ALWAYS, 0, 4);
	uint64_t before = process_anon_pages(rig.process), tables = process_table_pages(rig.process);
	rig_store(&rig, AREA + 5 * PAGE_BYTES, 7);
	for (uint64_t i = 0; i < HUGE_PAGES; i++)
		assert_true(rig_write(&rig, AREA + i * PAGE_BYTES + 8));
	assert_int_equal(rig_load(&rig, AREA + 5 * PAGE_BYTES), 7);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_HUGE), 1);
	assert_int_equal(rig.process->stats.minor_faults, 1);
	assert_int_equal(process_anon_pages(rig.process) - before, HUGE_PAGES);
	assert_int_equal(counts(&rig)->thp_fault_alloc, 1);
	/* The table for the day when it is split, and the directories above. */
	assert_int_equal(process_table_pages(rig.process) - tables, 3);
	rig_release(&rig);
}

static void the_mode_says_who_gets_them(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_MADVISE, 0, 4);
	assert_int_equal(advise(&rig, AREA + HUGE_BYTES, 3 * HUGE_BYTES, LINUX_MADV_HUGEPAGE), 0);
	assert_int_equal(advise(&rig, AREA + 3 * HUGE_BYTES, HUGE_BYTES, LINUX_MADV_NOHUGEPAGE), 0);
	for (uint64_t i = 0; i < 4; i++)
		rig_store(&rig, AREA + i * HUGE_BYTES, i);
	assert_false(is_huge(&rig, AREA));
	assert_true(is_huge(&rig, AREA + HUGE_BYTES) && is_huge(&rig, AREA + 2 * HUGE_BYTES));
	assert_false(is_huge(&rig, AREA + 3 * HUGE_BYTES));
	assert_int_equal(counts(&rig)->thp_fault_fallback, 0);
	rig_release(&rig);

	boot(&rig, 64 * MIB, THP_NEVER, 0, 1);
	assert_int_equal(advise(&rig, AREA, HUGE_BYTES, LINUX_MADV_HUGEPAGE), 0);
	rig_store(&rig, AREA, 1);
	assert_false(is_huge(&rig, AREA));
	rig_release(&rig);
}

static void a_block_that_is_not_there_is_a_fallback(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 8 * MIB, THP_ALWAYS, 0, 8);
	for (uint64_t i = 0; i < 8; i++)
		rig_store(&rig, AREA + i * HUGE_BYTES, i);
	assert_in_range(counts(&rig)->thp_fault_alloc, 1, 3);
	assert_int_equal(counts(&rig)->thp_fault_alloc + counts(&rig)->thp_fault_fallback, 8);
	rig_release(&rig);
}

static void reads_share_the_huge_zero_page(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_ALWAYS, 0, 4);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(rig_load(&rig, AREA + i * HUGE_BYTES + 8 * PAGE_BYTES), 0);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_HUGE_ZERO), 4);
	assert_int_equal(counts(&rig)->thp_zero_page_alloc, 1);
	assert_int_equal(process_zero_pages(rig.process), 4 * HUGE_PAGES);
	rig_store(&rig, AREA + 3 * PAGE_BYTES, 9); /* a huge page of its own in one fault */
	assert_true(is_huge(&rig, AREA));
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_ZERO_PAGE_WRITE), 1);
	assert_int_equal(process_zero_pages(rig.process), 3 * HUGE_PAGES);
	/* Split, it becomes 512 small zero pages. */
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA + HUGE_BYTES, PAGE_BYTES, 0, 0, 0), 0);
	assert_int_equal(process_zero_pages(rig.process), 3 * HUGE_PAGES - 1);
	assert_int_equal(counts(&rig)->thp_split_pmd, 1);
	assert_int_equal(counts(&rig)->thp_split_page, 0);
	rig_release(&rig);
}

static void a_write_after_fork_copies_4_kib(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_ALWAYS, 0, 1);
	for (uint64_t i = 0; i < HUGE_PAGES; i++)
		rig_store(&rig, AREA + i * PAGE_BYTES, 1000 + i);
	int64_t pid = rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	struct process *child = kernel_process(rig.kernel, (unsigned)pid - 1);
	uint64_t frames = frame_pool_used(kernel_frames(rig.kernel), FRAME_ANON);
	kernel_run(rig.kernel, child);
	rig_store(&rig, AREA + 7 * PAGE_BYTES, 7);
	assert_int_equal(child->stats.causes[FAULT_CAUSE_COW], 1);
	assert_int_equal(counts(&rig)->thp_split_pmd, 1);
	assert_int_equal(counts(&rig)->thp_split_page, 0);
	assert_int_equal(frame_pool_used(kernel_frames(rig.kernel), FRAME_ANON), frames + 1);
	assert_false(pte_page_size(table_get(child->mm, vaddr(AREA))));
	assert_true(is_huge(&rig, AREA)); /* the parent's is as it was */
	for (uint64_t i = 0; i < HUGE_PAGES; i++)
		assert_int_equal(rig_load(&rig, AREA + i * PAGE_BYTES), i == 7 ? 7 : 1000 + i);
	(void)rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	kernel_run(rig.kernel, rig.process);
	/* Nobody else has it any more: the whole page is kept. */
	rig_store(&rig, AREA + 8 * PAGE_BYTES, 8);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_REUSE), 1);
	assert_true(is_huge(&rig, AREA) && pte_writable(table_get(rig.process->mm, vaddr(AREA))));
	assert_int_equal(rig_load(&rig, AREA + 7 * PAGE_BYTES), 1007);
	rig_release(&rig);
}

/* While the child still has other parts of the page the parent copies what it writes, also what the child has copied.
 */
static void a_part_is_reused_only_when_the_whole_is_ours(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_ALWAYS, 0, 1);
	rig_store(&rig, AREA, 1);
	int64_t pid = rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	kernel_run(rig.kernel, kernel_process(rig.kernel, (unsigned)pid - 1));
	rig_store(&rig, AREA, 2);
	kernel_run(rig.kernel, rig.process);
	uint64_t copies = rig_faults(&rig, FAULT_CAUSE_COW);
	rig_store(&rig, AREA, 3);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_COW) - copies, 1);
	assert_int_equal(counts(&rig)->thp_deferred_split_page, 1);
	rig_release(&rig);
}

/* What nobody maps any more is freed when memory runs short, not before. */
static void a_torn_page_waits_until_memory_runs_short(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 16 * MIB, THP_ALWAYS, 0, 16);
	for (uint64_t i = 0; i < 3 * HUGE_PAGES; i++)
		rig_store(&rig, AREA + i * PAGE_BYTES, i + 1);
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel));
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(
		    advise(&rig, AREA + i * HUGE_BYTES + PAGE_BYTES, HUGE_BYTES - PAGE_BYTES, LINUX_MADV_DONTNEED), 0);
	assert_int_equal(frame_pool_free(kernel_frames(rig.kernel)), free);
	assert_int_equal(counts(&rig)->thp_deferred_split_page, 3);
	/* More than is left without those. */
	assert_int_equal(advise(&rig, AREA + 3 * HUGE_BYTES, 8 * HUGE_BYTES, LINUX_MADV_NOHUGEPAGE), 0);
	for (uint64_t i = 3 * HUGE_PAGES; i < 3 * HUGE_PAGES + 3000; i++)
		assert_true(rig_write(&rig, AREA + i * PAGE_BYTES));
	assert_true(counts(&rig)->thp_split_page > 0);
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(rig_load(&rig, AREA + i * HUGE_BYTES), i * HUGE_PAGES + 1);
	rig_release(&rig);
}

static void swapping_out_splits_and_forgets_what_is_zero(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_ALWAYS, 16 * MIB, 1);
	uint64_t before = process_anon_pages(rig.process);
	for (uint64_t i = 0; i < HUGE_PAGES; i += 2)
		rig_store(&rig, AREA + i * PAGE_BYTES, i + 1);
	assert_int_equal(advise(&rig, AREA, HUGE_BYTES, LINUX_MADV_PAGEOUT), 0);
	assert_int_equal(process_anon_pages(rig.process), before);
	assert_int_equal(process_swap_pages(rig.process), HUGE_PAGES / 2);
	assert_int_equal(process_zero_pages(rig.process), HUGE_PAGES / 2);
	assert_int_equal(counts(&rig)->thp_split_page, 1);
	assert_int_equal(counts(&rig)->thp_swpout_fallback, 1);
	for (uint64_t i = 0; i < HUGE_PAGES; i++)
		assert_int_equal(rig_load(&rig, AREA + i * PAGE_BYTES), i % 2 ? 0 : i + 1);
	assert_false(is_huge(&rig, AREA)); /* they come back one by one */
	rig_release(&rig);
}

static void a_memory_limit_counts_all_of_it(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.thp = THP_ALWAYS;
	rig_boot_kernel(&rig, 64 * MIB, &config);
	struct process_spec spec = {.name = "limited", .memory_limit = 5 * MIB};
	struct process *limited = kernel_spawn(rig.kernel, &spec);
	kernel_run(rig.kernel, limited);
	assert_int_equal(rig_mmap(&rig, AREA, 8 * HUGE_BYTES, RW, LINUX_MAP_FIXED), AREA);
	for (uint64_t i = 0; i < 3; i++)
		rig_store(&rig, AREA + i * HUGE_BYTES, i);
	assert_int_equal(counts(&rig)->thp_fault_alloc, 2);
	assert_int_equal(counts(&rig)->thp_fault_fallback_charge, 1);
	rig_release(&rig);
}

/* One entry of the TLB serves 2 MiB, and one INVLPG drops it. */
static void the_tlb_holds_2_mib(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_ALWAYS, 0, 2);
	rig_store(&rig, AREA, 1);
	struct mmu_stats before = machine_mmu_stats(rig.machine);
	for (uint64_t i = 0; i < HUGE_PAGES; i++)
		(void)rig_load(&rig, AREA + i * PAGE_BYTES);
	struct mmu_stats after = machine_mmu_stats(rig.machine);
	assert_in_range(after.walks - before.walks, 0, 1);
	uint64_t flushes = rig.bus.count[EVENT_TLB_FLUSH];
	assert_int_equal(rig_syscall(&rig, SYS_NR_MPROTECT, AREA, HUGE_BYTES, LINUX_PROT_READ, 0, 0), 0);
	assert_int_equal(rig.bus.count[EVENT_TLB_FLUSH] - flushes, 1);
	rig_release(&rig);
}

static void a_dropped_range_is_ready_for_a_huge_page_again(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_MADVISE, 0, 2);
	rig_store(&rig, AREA, 1);
	assert_int_equal(advise(&rig, AREA, 2 * HUGE_BYTES, LINUX_MADV_HUGEPAGE), 0);
	rig_store(&rig, AREA + PAGE_BYTES, 1);
	assert_false(is_huge(&rig, AREA)); /* there is a table */
	assert_int_equal(advise(&rig, AREA, HUGE_BYTES, LINUX_MADV_DONTNEED), 0);
	rig_store(&rig, AREA, 1);
	assert_true(is_huge(&rig, AREA)); /* CONFIG_PT_RECLAIM has taken it away */
	rig_release(&rig);
}

/* ---- small pages that become a huge one ---- */

static void collapse_makes_one_of_what_is_there(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 64 * MIB, THP_NEVER, 16 * MIB, 2);
	for (uint64_t i = 0; i < HUGE_PAGES; i += 3)
		rig_store(&rig, AREA + i * PAGE_BYTES, i + 1);
	(void)rig_load(&rig, AREA + PAGE_BYTES); /* the zero page, which is as good as none */
	assert_int_equal(advise(&rig, AREA, 30 * PAGE_BYTES, LINUX_MADV_PAGEOUT), 0);
	uint64_t before = process_anon_pages(rig.process), tables = process_table_pages(rig.process);
	uint64_t faults = rig.process->stats.minor_faults + rig.process->stats.major_faults;
	/* The mode is not asked. */
	assert_int_equal(advise(&rig, AREA, HUGE_BYTES, LINUX_MADV_COLLAPSE), 0);
	assert_true(is_huge(&rig, AREA));
	assert_int_equal(process_anon_pages(rig.process) - before, HUGE_PAGES - HUGE_PAGES / 3 - 1 + 10);
	assert_int_equal(process_table_pages(rig.process), tables); /* it waits behind the page */
	assert_int_equal(rig.process->stats.minor_faults + rig.process->stats.major_faults, faults);
	assert_int_equal(process_swap_pages(rig.process), 0);
	for (uint64_t i = 0; i < HUGE_PAGES; i++)
		assert_int_equal(rig_load(&rig, AREA + i * PAGE_BYTES), i % 3 ? 0 : i + 1);
	assert_int_equal(counts(&rig)->thp_collapse_alloc, 1);
	assert_int_equal(advise(&rig, AREA, HUGE_BYTES, LINUX_MADV_COLLAPSE), 0); /* it is one already */
	assert_int_equal(advise(&rig, AREA, 2 * HUGE_BYTES, LINUX_MADV_COLLAPSE), -LINUX_EINVAL);
	rig_release(&rig);
}

static void boot_with_thread(struct rig *rig, uint64_t most_missing)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.thp = THP_ALWAYS;
	config.khugepaged.scan_sleep_cycles = 100000;
	config.khugepaged.max_ptes_none = most_missing;
	rig_boot_kernel(rig, 64 * MIB, &config);
	/* Small pages: when they come there is no room for a large one. */
	assert_int_equal(rig_mmap(rig, AREA, HUGE_BYTES / 2, RW, LINUX_MAP_FIXED), AREA);
	for (uint64_t i = 0; i < HUGE_PAGES / 4; i++)
		rig_store(rig, AREA + i * PAGE_BYTES, i + 1);
	assert_int_equal(rig_mmap(rig, AREA + HUGE_BYTES / 2, HUGE_BYTES / 2, RW, LINUX_MAP_FIXED),
			 AREA + HUGE_BYTES / 2);
}

static void let_it_run(struct rig *rig)
{
	machine_charge(rig->machine, COST_COMPUTE, 100000);
	(void)rig_syscall(rig, SYS_NR_GETPID, 0, 0, 0, 0, 0);
}

static void khugepaged_finds_them(void **state)
{
	(void)state;
	struct rig rig;
	boot_with_thread(&rig, 511);
	assert_false(is_huge(&rig, AREA));
	let_it_run(&rig);
	assert_true(is_huge(&rig, AREA));
	assert_int_equal(rig.bus.count[EVENT_COLLAPSE], 1);
	assert_int_equal(rig_load(&rig, AREA + 9 * PAGE_BYTES), 10);
	rig_release(&rig);
}

static void khugepaged_leaves_alone_what_is_mostly_missing(void **state)
{
	(void)state;
	struct rig rig;
	boot_with_thread(&rig, 300);
	let_it_run(&rig);
	assert_false(is_huge(&rig, AREA));
	assert_int_equal(counts(&rig)->thp_scan_exceed_none_pte, 1);
	for (uint64_t i = 0; i < 212; i++)
		rig_store(&rig, AREA + i * PAGE_BYTES, i + 1);
	let_it_run(&rig);
	assert_true(is_huge(&rig, AREA));
	rig_release(&rig);
}

static void khugepaged_leaves_alone_what_nobody_uses(void **state)
{
	(void)state;
	struct rig rig;
	boot_with_thread(&rig, 511);
	for (uint64_t i = 0; i < HUGE_PAGES / 4; i++)
		(void)page_was_used(rig.kernel,
				    pfn(pte_frame(table_get(rig.process->mm, vaddr(AREA + i * PAGE_BYTES)))));
	let_it_run(&rig);
	assert_false(is_huge(&rig, AREA));
	(void)rig_load(&rig, AREA);
	let_it_run(&rig);
	assert_true(is_huge(&rig, AREA));
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_write_takes_512_frames_in_one_fault),
	    cmocka_unit_test(the_mode_says_who_gets_them),
	    cmocka_unit_test(a_block_that_is_not_there_is_a_fallback),
	    cmocka_unit_test(reads_share_the_huge_zero_page),
	    cmocka_unit_test(a_write_after_fork_copies_4_kib),
	    cmocka_unit_test(a_part_is_reused_only_when_the_whole_is_ours),
	    cmocka_unit_test(a_torn_page_waits_until_memory_runs_short),
	    cmocka_unit_test(swapping_out_splits_and_forgets_what_is_zero),
	    cmocka_unit_test(a_memory_limit_counts_all_of_it),
	    cmocka_unit_test(the_tlb_holds_2_mib),
	    cmocka_unit_test(a_dropped_range_is_ready_for_a_huge_page_again),
	    cmocka_unit_test(collapse_makes_one_of_what_is_there),
	    cmocka_unit_test(khugepaged_finds_them),
	    cmocka_unit_test(khugepaged_leaves_alone_what_is_mostly_missing),
	    cmocka_unit_test(khugepaged_leaves_alone_what_nobody_uses),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
