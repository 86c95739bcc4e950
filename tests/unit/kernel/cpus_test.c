/* Several CPUs: where processes and threads run, and who is told when translations go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cpus.h"
#include "rig.h"

#define RW (VMA_READ | VMA_WRITE)

enum { CPUS = 4 };

static void flush_counts(const struct rig *rig, uint64_t sent, uint64_t lazy)
{
	const struct process_stats *stats = &rig->process->stats;
	assert_int_equal(stats->shootdowns_sent, sent);
	assert_int_equal(stats->shootdowns_received, sent);
	assert_int_equal(stats->shootdowns_lazy, lazy);
}

/* Whether the CPU has a translation of the page that it may still use. */
static bool remembers(const struct rig *rig, unsigned cpu, uint64_t va)
{
	const struct mmu *mmu = machine_mmu_at(rig->machine, cpu);
	for (unsigned i = 0; i < mmu_tlb_count(mmu); i++) {
		for (unsigned slot = 0; slot < tlb_slots(mmu_tlb(mmu, i)); slot++) {
			struct tlb_entry entry;
			if (tlb_slot(mmu_tlb(mmu, i), slot, &entry) && entry.page.v == va)
				return true;
		}
	}
	return false;
}

static void run_on(struct rig *rig, unsigned cpu)
{
	assert_true(kernel_run_on(rig->kernel, rig->process, cpu));
	assert_int_equal(machine_cpu_number(rig->machine), cpu);
	assert_int_equal(machine_cpu(rig->machine)->cpl, 3);
}

static void processes_are_placed_round_robin_and_stay_current(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_cpus(&rig, CPUS, PAGING_4LEVEL);
	struct process *other = kernel_spawn(rig.kernel, &(struct process_spec){.name = "other"});
	assert_int_equal(rig.process->home, 0);
	assert_int_equal(other->home, 1);
	kernel_run(rig.kernel, other);
	assert_int_equal(machine_cpu_number(rig.machine), 1);
	assert_true(cpu_current(rig.kernel, 0) == rig.process);
	uint64_t switches = rig.bus.count[EVENT_SWITCH];
	for (int i = 0; i < 4; i++) {
		kernel_run(rig.kernel, rig.process);
		kernel_run(rig.kernel, other);
	}
	assert_int_equal(rig.bus.count[EVENT_SWITCH], switches); /* each has its CPU for itself */
	rig_release(&rig);
}

static void each_cpu_has_its_own_translations_of_the_same_tables(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < PAGING_MODE_COUNT; mode++) {
		struct rig rig;
		rig_boot_cpus(&rig, CPUS, (enum paging_mode)mode);
		uint64_t at = (uint64_t)rig_mmap(&rig, 0, 4096, RW, 0);
		assert_true(machine_store(rig.machine, vaddr(at), 8, 0x1234));
		assert_true(remembers(&rig, 0, at));
		run_on(&rig, 2);
		assert_false(remembers(&rig, 2, at));
		uint64_t value;
		assert_true(machine_load(rig.machine, vaddr(at), 8, &value));
		assert_int_equal(value, 0x1234);
		assert_true(remembers(&rig, 2, at));
		assert_int_equal(rig.process->stats.minor_faults, 1);
		rig_release(&rig);
	}
}

static void unmapping_is_told_to_every_cpu_that_runs_the_process(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < PAGING_MODE_COUNT; mode++) {
		struct rig rig;
		rig_boot_cpus(&rig, CPUS, (enum paging_mode)mode);
		uint64_t at = (uint64_t)rig_mmap(&rig, 0, 4 * 4096, RW, LINUX_MAP_POPULATE);
		for (unsigned cpu = 1; cpu < CPUS; cpu++) {
			run_on(&rig, cpu);
			assert_true(rig_read(&rig, at));
		}
		assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, at, 4 * 4096, 0, 0, 0), 0);
		flush_counts(&rig, 3, 0);
		assert_int_equal(rig.process->stats.shootdowns_pages, 3 * 4);
		assert_int_equal(rig.bus.count[EVENT_IPI], 3);
		assert_true(rig.process->stats.shootdowns_cycles > 3 * 1000);
		for (unsigned cpu = 0; cpu < CPUS; cpu++)
			assert_false(remembers(&rig, cpu, at));
		/* All go on where they were. */
		assert_int_equal(machine_cpu_number(rig.machine), 3);
		for (unsigned cpu = 0; cpu < CPUS; cpu++)
			assert_int_equal(machine_cpu_at(rig.machine, cpu)->cpl, 3);
		rig_release(&rig);
	}
}

static void more_than_33_pages_are_one_full_flush(void **state)
{
	(void)state;
	for (uint64_t pages = 33; pages <= 34; pages++) {
		struct rig rig;
		rig_boot_cpus(&rig, 2, PAGING_4LEVEL);
		uint64_t at = (uint64_t)rig_mmap(&rig, 0, pages * 4096, RW, LINUX_MAP_POPULATE);
		run_on(&rig, 1);
		assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, at, pages * 4096, 0, 0, 0), 0);
		assert_int_equal(rig.process->stats.shootdowns_full, pages > 33);
		assert_int_equal(rig.process->stats.shootdowns_pages, pages > 33 ? 0 : pages);
		rig_release(&rig);
	}
}

static void idle_cpu_is_spared_and_flushes_before_it_goes_on(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_cpus(&rig, 2, PAGING_4LEVEL);
	uint64_t at = (uint64_t)rig_mmap(&rig, 0, 4096, RW, 0);
	run_on(&rig, 1);
	assert_true(machine_store(rig.machine, vaddr(at), 8, 1));
	run_on(&rig, 0);
	kernel_end_thread(rig.kernel, rig.process, 1);
	assert_null(cpu_current(rig.kernel, 1));
	assert_true(kernel_loaded(rig.kernel, 1) == rig.process); /* lazy TLB mode */
	assert_int_equal(rig_syscall(&rig, SYS_NR_MPROTECT, at, 4096, VMA_READ, 0, 0), 0);
	flush_counts(&rig, 0, 1);
	assert_true(remembers(&rig, 1, at));
	assert_true(kernel_flushes_before_use(rig.kernel, 1, rig.process));
	run_on(&rig, 1);
	assert_false(remembers(&rig, 1, at));
	assert_false(machine_store(rig.machine, vaddr(at), 8, 2)); /* the right is gone here, too */
	assert_int_equal(rig.process->death.signal, 11);
	rig_release(&rig);
}

static void cpu_that_missed_nothing_keeps_its_translations(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_cpus(&rig, 2, PAGING_4LEVEL);
	uint64_t at = (uint64_t)rig_mmap(&rig, 0, 4096, RW, 0);
	run_on(&rig, 1);
	assert_true(rig_write(&rig, at));
	run_on(&rig, 0);
	kernel_end_thread(rig.kernel, rig.process, 1);
	uint64_t flushes = machine_mmu_stats(rig.machine).flushes;
	run_on(&rig, 1);
	assert_int_equal(machine_mmu_stats(rig.machine).flushes, flushes);
	assert_true(remembers(&rig, 1, at));
	rig_release(&rig);
}

static void process_that_runs_nowhere_needs_no_interrupt(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_cpus(&rig, 2, PAGING_4LEVEL);
	(void)kernel_spawn(rig.kernel, &(struct process_spec){.name = "second"});
	struct process *third = kernel_spawn(rig.kernel, &(struct process_spec){.name = "third"});
	uint64_t at = (uint64_t)rig_mmap(&rig, 0, 4096, RW, 0);
	assert_true(rig_write(&rig, at));
	run_on(&rig, 1);
	kernel_run(rig.kernel, third); /* takes CPU 0 away */
	run_on(&rig, 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, at, 4096, 0, 0, 0), 0);
	flush_counts(&rig, 0, 0);
	assert_true(remembers(&rig, 0, at)); /* of its PCID; nobody uses it */
	run_on(&rig, 0);
	assert_false(remembers(&rig, 0, at));
	assert_false(rig_read(&rig, at));
	rig_release(&rig);
}

static void death_takes_the_process_off_all_cpus(void **state)
{
	(void)state;
	for (unsigned mode = 0; mode < PAGING_MODE_COUNT; mode++) {
		struct rig rig;
		rig_boot_cpus(&rig, CPUS, (enum paging_mode)mode);
		for (unsigned cpu = 1; cpu < CPUS; cpu++)
			run_on(&rig, cpu);
		run_on(&rig, 1);
		kernel_end_thread(rig.kernel, rig.process, 2); /* lazy */
		assert_false(rig_read(&rig, 0));
		assert_true(rig.process->death.dead);
		for (unsigned cpu = 0; cpu < CPUS; cpu++) {
			assert_null(cpu_current(rig.kernel, cpu));
			assert_null(kernel_loaded(rig.kernel, cpu));
			assert_int_equal(machine_cpu_at(rig.machine, cpu)->cpl, 0);
		}
		rig_release(&rig);
	}
}

static void stack_goes_with_the_thread_that_goes_on(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_cpus(&rig, 2, PAGING_4LEVEL);
	uint64_t rsp = machine_cpu(rig.machine)->gpr[GPR_RSP];
	machine_cpu(rig.machine)->gpr[GPR_RSP] -= 64;
	run_on(&rig, 1);
	assert_int_equal(machine_cpu(rig.machine)->gpr[GPR_RSP], rsp - 64);
	machine_cpu(rig.machine)->gpr[GPR_RSP] += 64;
	run_on(&rig, 0);
	assert_int_equal(machine_cpu(rig.machine)->gpr[GPR_RSP], rsp);
	assert_int_equal(process_segment(rig.process, SEGMENT_STACK).v, rsp);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(processes_are_placed_round_robin_and_stay_current),
	    cmocka_unit_test(each_cpu_has_its_own_translations_of_the_same_tables),
	    cmocka_unit_test(unmapping_is_told_to_every_cpu_that_runs_the_process),
	    cmocka_unit_test(more_than_33_pages_are_one_full_flush),
	    cmocka_unit_test(idle_cpu_is_spared_and_flushes_before_it_goes_on),
	    cmocka_unit_test(cpu_that_missed_nothing_keeps_its_translations),
	    cmocka_unit_test(process_that_runs_nowhere_needs_no_interrupt),
	    cmocka_unit_test(death_takes_the_process_off_all_cpus),
	    cmocka_unit_test(stack_goes_with_the_thread_that_goes_on),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
