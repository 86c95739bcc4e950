/* Reclaim: when pages go, whose pages go, and who is killed when none can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel_private.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define AREA ((uint64_t)0x10000000)

static struct kernel_config with_swap(uint64_t bytes)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.swap_bytes = bytes;
	config.overcommit = OVERCOMMIT_ALWAYS;
	return config;
}

static uint64_t page(uint64_t number)
{
	return AREA + number * PAGE_BYTES;
}

static void map(struct rig *rig, uint64_t pages)
{
	assert_int_equal(rig_mmap(rig, AREA, pages * PAGE_BYTES, RW, LINUX_MAP_FIXED), AREA);
}

/* Writes pages until the process dies; returns how many were written. */
static uint64_t fill(struct rig *rig, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++) {
		if (!machine_store(rig->machine, vaddr(page(i)), 8, 1000 + i))
			return i;
	}
	return pages;
}

static void assert_filled(struct rig *rig, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		assert_int_equal(rig_load(rig, page(i)), 1000 + i);
}

static struct process *spawn(struct rig *rig, struct process_spec spec)
{
	struct process *process = kernel_spawn(rig->kernel, &spec);
	assert_non_null(process);
	return process;
}

static void watermarks_are_those_of_linux(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 64 * MIB, OVERCOMMIT_HEURISTIC);
	/* 4 * sqrt(KiB) KiB: what boot left is a little below 64 MiB, so a little below 1024 KiB. */
	const struct watermarks *marks = &rig.kernel->reclaim.marks;
	assert_in_range(marks->min, 253, 256);
	assert_int_equal(marks->low, marks->min + marks->min / 4);
	assert_int_equal(marks->high, marks->min + 2 * (marks->min / 4));
	rig_release(&rig);
}

static void contents_survive_four_times_as_much_as_there_is(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = with_swap(32 * MIB);
	rig_boot_kernel(&rig, 4 * MIB, &config);
	map(&rig, 4096);
	assert_int_equal(fill(&rig, 4096), 4096);
	assert_filled(&rig, 4096);
	assert_filled(&rig, 4096);
	assert_true(rig.process->stats.major_faults > 0);
	assert_true(frame_pool_low_water(kernel_frames(rig.kernel)) >= rig.kernel->reclaim.marks.min);
	rig_release(&rig);
}

static void the_thread_of_the_kernel_works_below_low_and_stops_at_high(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = with_swap(32 * MIB);
	rig_boot_kernel(&rig, 8 * MIB, &config);
	const struct watermarks *marks = &rig.kernel->reclaim.marks;
	map(&rig, 4096);
	for (uint64_t i = 0; kernel_vm_counts(rig.kernel)->kswapd_wakes == 0; i++)
		rig_store(&rig, page(i), 1);
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel));
	assert_true(free <= marks->high && free + 8 > marks->high); /* the fault itself took some */
	assert_int_equal(kernel_vm_counts(rig.kernel)->direct_stalls, 0);
	rig_release(&rig);
}

static void pages_that_are_used_stay(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = with_swap(32 * MIB);
	rig_boot_kernel(&rig, 4 * MIB, &config);
	map(&rig, 4096);
	rig_store(&rig, page(0), 77);
	for (uint64_t i = 1; i < 4096; i++) {
		rig_store(&rig, page(i), 1);
		assert_int_equal(rig_load(&rig, page(0)), 77);
	}
	/* Used between any two rounds of the hand, though its translation stood in the TLB. */
	assert_int_equal(rig.process->stats.major_faults, 0);
	rig_release(&rig);
}

static void a_limit_holds_and_what_is_above_it_goes_to_swap(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = with_swap(32 * MIB);
	rig_boot_kernel(&rig, 0, &config);
	struct process *small = spawn(&rig, (struct process_spec){.name = "small", .memory_limit = 256 * KIB});
	kernel_run(rig.kernel, small);
	map(&rig, 256);
	assert_int_equal(fill(&rig, 256), 256);
	assert_filled(&rig, 256);
	assert_true(small->mm->group->charged <= 64 + 8);          /* readahead may exceed it until the next fault */
	assert_true(process_resident_pages(small) <= 64 + 8 + 16); /* what was in the page cache is not charged */
	assert_true(small->stats.major_faults > 0);
	rig_release(&rig);
}

static void without_swap_a_limit_kills_inside(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = with_swap(0);
	rig_boot_kernel(&rig, 0, &config);
	map(&rig, 1024);
	assert_int_equal(fill(&rig, 1024), 1024); /* the largest, but outside */
	struct process *small = spawn(&rig, (struct process_spec){.name = "small", .memory_limit = 256 * KIB});
	kernel_run(rig.kernel, small);
	map(&rig, 256);
	assert_true(fill(&rig, 256) < 64);
	assert_int_equal(small->death.signal, 9);
	assert_false(rig.process->death.dead);
	assert_int_equal(kernel_vm_counts(rig.kernel)->oom_kills, 1);
	rig_release(&rig);
}

static void the_worst_is_killed_for_another(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = with_swap(0);
	rig_boot_kernel(&rig, 8 * MIB, &config);
	map(&rig, 4096);
	assert_int_equal(fill(&rig, 1000), 1000);
	struct process *second = spawn(&rig, (struct process_spec){.name = "second"});
	kernel_run(rig.kernel, second);
	map(&rig, 4096);
	/* The first has more when memory runs out; then its frames are the second's. */
	assert_int_equal(fill(&rig, 1200), 1200);
	assert_true(rig.process->death.dead);
	assert_int_equal(rig.process->death.signal, 9);
	assert_filled(&rig, 1200);
	rig_release(&rig);
}

static void who_may_not_be_killed_is_not(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = with_swap(0);
	rig_boot_kernel(&rig, 8 * MIB, &config);
	rig.process->oom_score_adj = OOM_SCORE_ADJ_MIN;
	map(&rig, 4096);
	assert_int_equal(fill(&rig, 1000), 1000);
	struct process *second = spawn(&rig, (struct process_spec){.name = "second"});
	kernel_run(rig.kernel, second);
	map(&rig, 4096);
	assert_true(fill(&rig, 1200) < 1200);
	assert_true(second->death.dead);
	assert_false(rig.process->death.dead);
	rig_release(&rig);
}

static void an_adjustment_counts_in_thousandths_of_all_memory(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	int64_t plain = oom_badness(rig.process, 16000);
	rig.process->oom_score_adj = 500;
	assert_int_equal(oom_badness(rig.process, 16000), plain + 8000);
	rig.process->oom_score_adj = -250;
	assert_int_equal(oom_badness(rig.process, 16000), plain - 4000);
	rig.process->oom_score_adj = OOM_SCORE_ADJ_MIN;
	assert_int_equal(oom_badness(rig.process, 16000), INT64_MIN);
	rig_release(&rig);
}

static void local_replacement_leaves_others_alone(void **state)
{
	(void)state;
	for (unsigned local = 0; local < 2; local++) {
		struct rig rig;
		struct kernel_config config = with_swap(32 * MIB);
		config.scope = local ? REPLACEMENT_LOCAL : REPLACEMENT_GLOBAL;
		rig_boot_kernel(&rig, 8 * MIB, &config);
		map(&rig, 4096);
		assert_int_equal(fill(&rig, 500), 500);
		struct process *second = spawn(&rig, (struct process_spec){.name = "second"});
		kernel_run(rig.kernel, second);
		map(&rig, 4096);
		assert_int_equal(fill(&rig, 4096), 4096);
		assert_true((process_swap_pages(rig.process) == 0) == (local == 1));
		rig_release(&rig);
	}
}

static void a_process_that_seldom_faults_gives_up_what_it_does_not_use(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = with_swap(32 * MIB);
	config.allocation = ALLOCATION_PFF;
	config.pff_cycles = 50000;
	rig_boot_kernel(&rig, 0, &config);
	map(&rig, 300);
	assert_int_equal(fill(&rig, 200), 200); /* one fault after the other: it may grow */
	assert_int_equal(process_swap_pages(rig.process), 0);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 100000; i++)
			(void)rig_load(&rig, page(i % 4));
		rig_store(&rig, page(250 + round), 1);
	}
	assert_true(process_swap_pages(rig.process) >= 190);
	assert_filled(&rig, 200);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(watermarks_are_those_of_linux),
	    cmocka_unit_test(contents_survive_four_times_as_much_as_there_is),
	    cmocka_unit_test(the_thread_of_the_kernel_works_below_low_and_stops_at_high),
	    cmocka_unit_test(pages_that_are_used_stay),
	    cmocka_unit_test(a_limit_holds_and_what_is_above_it_goes_to_swap),
	    cmocka_unit_test(without_swap_a_limit_kills_inside),
	    cmocka_unit_test(the_worst_is_killed_for_another),
	    cmocka_unit_test(who_may_not_be_killed_is_not),
	    cmocka_unit_test(an_adjustment_counts_in_thousandths_of_all_memory),
	    cmocka_unit_test(local_replacement_leaves_others_alone),
	    cmocka_unit_test(a_process_that_seldom_faults_gives_up_what_it_does_not_use),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
