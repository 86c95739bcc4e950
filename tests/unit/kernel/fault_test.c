/* Promises kept late: what page faults do, and which ones end a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/walk.h"
#include "rig.h"

static uint64_t heap_of(struct rig *rig, uint64_t bytes)
{
	uint64_t start = (uint64_t)rig_syscall(rig, SYS_NR_BRK, 0, 0, 0, 0, 0);
	assert_int_equal(rig_syscall(rig, SYS_NR_BRK, start + bytes, 0, 0, 0, 0), start + bytes);
	return start;
}

static struct walk look(const struct rig *rig, uint64_t va)
{
	struct walk walk;
	struct paging paging = mmu_paging(machine_mmu(rig->machine));
	walk_peek(machine_memory(rig->machine), &paging, vaddr(va), &walk);
	return walk;
}

static void brk_promises_and_the_first_write_gives_a_frame(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel));
	uint64_t heap = heap_of(&rig, 1 * MIB);
	assert_int_equal(frame_pool_free(kernel_frames(rig.kernel)), free);
	assert_int_equal(rig.process->stats.minor_faults, 0);
	assert_int_not_equal(look(&rig, heap).outcome, WALK_MAPPED);
	assert_true(rig_write(&rig, heap));
	assert_int_equal(rig.process->stats.minor_faults, 1);
	assert_true(rig_write(&rig, heap + 4088));
	assert_int_equal(rig.process->stats.minor_faults, 1);
	assert_true(rig_write(&rig, heap + 4096));
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_DEMAND_ZERO), 2);
	rig_release(&rig);
}

static void a_read_maps_the_zero_page_and_a_write_replaces_it(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t heap = heap_of(&rig, 64 * KIB), resident = process_resident_pages(rig.process);
	assert_true(rig_read(&rig, heap));
	assert_true(rig_read(&rig, heap + 4096));
	assert_int_equal(look(&rig, heap).page.v, look(&rig, heap + 4096).page.v);
	assert_false(look(&rig, heap).rights.writable);
	assert_int_equal(process_zero_pages(rig.process), 2);
	assert_int_equal(process_resident_pages(rig.process), resident);
	assert_true(rig_write(&rig, heap));
	assert_int_not_equal(look(&rig, heap).page.v, look(&rig, heap + 4096).page.v);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_ZERO_PAGE), 2);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_ZERO_PAGE_WRITE), 1);
	assert_int_equal(process_zero_pages(rig.process), 1);
	uint64_t value;
	assert_true(machine_load(rig.machine, vaddr(heap), 8, &value));
	assert_int_equal(value, heap);
	rig_release(&rig);
}

static void a_reused_frame_reads_as_zero(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t heap = heap_of(&rig, 64 * KIB), value = 1;
	for (uint64_t at = 0; at < 64 * KIB; at += 4096)
		assert_true(rig_write(&rig, heap + at + 8));
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, heap, 64 * KIB, LINUX_MADV_DONTNEED, 0, 0), 0);
	for (uint64_t at = 0; at < 64 * KIB; at += 4096) {
		assert_true(rig_write(&rig, heap + at));
		assert_true(machine_load(rig.machine, vaddr(heap + at + 8), 8, &value));
		assert_int_equal(value, 0);
	}
	rig_release(&rig);
}

static void the_stack_grows_down_to_its_limit(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t top = 0x7ffffffff000;
	assert_true(rig_write(&rig, top - 1 * MIB));
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_STACK_GROWTH), 1);
	assert_int_equal(process_vma_at(rig.process, vaddr(top - 8))->start.v, top - 1 * MIB);
	assert_true(rig_write(&rig, top - 8 * MIB));
	assert_false(rig_write(&rig, top - 8 * MIB - 8));
	assert_string_equal(rig.process->death.signal_name, "SIGSEGV");
	assert_string_equal(rig.process->death.why, fault_cause_text(FAULT_CAUSE_SEGV_MAPERR));
	rig_release(&rig);
}

/* Runs one deadly access in a fresh world and checks what the kernel said about it. */
static void expect_death(uint64_t va, enum access_kind kind, enum fault_cause cause, uint32_t error_code)
{
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel));
	uint64_t held = process_anon_pages(rig.process) + process_table_pages(rig.process) + 4;
	assert_false(machine_touch(rig.machine, vaddr(va), 8, kind));
	const struct process_death *death = &rig.process->death;
	assert_true(death->dead);
	assert_int_equal(death->signal, 11);
	assert_int_equal(death->va.v, va);
	assert_int_equal(death->error_code, error_code);
	assert_string_equal(death->why, fault_cause_text(cause));
	assert_int_equal(rig_faults(&rig, cause), 1);
	assert_null(kernel_current(rig.kernel));
	assert_int_equal(machine_cpu(rig.machine)->cpl, 0);
	/* All of it comes back: anonymous pages, tables, and the kernel stack of four frames; what is of a file stays
	 * in the page cache. */
	assert_int_equal(frame_pool_free(kernel_frames(rig.kernel)), free + held);
	rig_release(&rig);
}

static void a_null_pointer_is_a_segmentation_fault(void **state)
{
	(void)state;
	expect_death(0, ACCESS_READ, FAULT_CAUSE_SEGV_MAPERR, FAULT_USER);
	expect_death(0, ACCESS_WRITE, FAULT_CAUSE_SEGV_MAPERR, FAULT_USER | FAULT_WRITE);
}

static void writing_text_is_an_access_error(void **state)
{
	(void)state;
	expect_death(0x555555554000, ACCESS_WRITE, FAULT_CAUSE_SEGV_ACCERR, FAULT_USER | FAULT_WRITE | FAULT_PRESENT);
}

static void executing_data_is_an_access_error(void **state)
{
	(void)state;
	expect_death(0x55555555a000, ACCESS_FETCH, FAULT_CAUSE_SEGV_ACCERR, FAULT_USER | FAULT_FETCH | FAULT_PRESENT);
}

static void kernel_memory_is_out_of_reach_for_ring_3(void **state)
{
	(void)state;
	expect_death(0xffffffff81000000, ACCESS_READ, FAULT_CAUSE_SEGV_MAPERR, FAULT_USER | FAULT_PRESENT);
	expect_death(0xffff888000000000, ACCESS_WRITE, FAULT_CAUSE_SEGV_MAPERR,
		     FAULT_USER | FAULT_WRITE | FAULT_PRESENT);
}

static void running_out_of_frames_kills_with_a_reason(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 1 * MIB, OVERCOMMIT_ALWAYS);
	uint64_t heap = heap_of(&rig, 4 * MIB), touched = 0;
	while (rig_write(&rig, heap + touched))
		touched += 4096;
	assert_true(touched > 256 * KIB && touched < 1 * MIB);
	assert_int_equal(rig.process->death.signal, 9);
	assert_int_equal(rig.bus.count[EVENT_OOM], 1);
	assert_true(frame_pool_free(kernel_frames(rig.kernel)) > touched / 4096);
	rig_release(&rig);
}

static void two_processes_have_the_same_addresses_and_different_frames(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	struct process *second = kernel_spawn(rig.kernel, &(struct process_spec){.name = "second"});
	uint64_t heap = heap_of(&rig, 64 * KIB), value;
	assert_true(machine_store(rig.machine, vaddr(heap), 8, 111));
	struct walk first_walk = look(&rig, heap);
	kernel_run(rig.kernel, second);
	assert_ptr_equal(kernel_current(rig.kernel), second);
	assert_int_equal(machine_cpu(rig.machine)->cpl, 3);
	assert_int_equal(heap_of(&rig, 64 * KIB), heap);
	assert_true(machine_store(rig.machine, vaddr(heap), 8, 222));
	assert_int_not_equal(look(&rig, heap).page.v, first_walk.page.v);
	kernel_run(rig.kernel, rig.process);
	assert_true(machine_load(rig.machine, vaddr(heap), 8, &value));
	assert_int_equal(value, 111);
	assert_int_equal(rig.process->stats.switches, 2);
	/* The second dies; the first goes on. */
	kernel_run(rig.kernel, second);
	assert_false(rig_write(&rig, 0));
	assert_true(second->death.dead);
	kernel_run(rig.kernel, rig.process);
	assert_true(machine_load(rig.machine, vaddr(heap), 8, &value));
	assert_int_equal(value, 111);
	rig_release(&rig);
}

static void privileged_instructions_kill_by_a_protection_fault(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	assert_false(machine_instruction(rig.machine, INSN_HLT, 0));
	assert_int_equal(rig.process->death.vector, VECTOR_PROTECTION);
	assert_string_equal(rig.process->death.signal_name, "SIGSEGV");
	rig_release(&rig);
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	assert_false(machine_instruction(rig.machine, INSN_UD, 0));
	assert_string_equal(rig.process->death.signal_name, "SIGILL");
	rig_release(&rig);
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	assert_false(machine_instruction(rig.machine, INSN_INT3, 0));
	assert_string_equal(rig.process->death.signal_name, "SIGTRAP");
	rig_release(&rig);
}

static void a_machine_too_small_to_boot_is_an_error(void **state)
{
	(void)state;
	struct machine_config config = {.memory_bytes = 8 * PAGE_BYTES, .profile = cpu_profile_at(0)};
	struct kernel_config kernel_config = KERNEL_CONFIG_DEFAULT;
	struct arena *arena = arena_new(machine_reserve_bytes(&config) +
					kernel_reserve_bytes(&kernel_config, config.memory_bytes, 8) + GIB);
	struct bus bus;
	struct kernel *kernel;
	struct error error;
	bus_init(&bus);
	struct machine *machine = machine_new(arena, &bus, &config);
	assert_int_equal(kernel_boot(arena, machine, &kernel_config, &kernel, &error), STATUS_BAD_INPUT);
	assert_non_null(strstr(error.text, "32 KiB"));
	arena_free(arena);
}

static void a_process_that_does_not_fit_leaves_nothing_behind(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 320 * KIB, OVERCOMMIT_HEURISTIC);
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel));
	assert_null(kernel_spawn(rig.kernel, &(struct process_spec){.name = "big", .text_bytes = 1 * MIB}));
	/* Pages that made room in the page cache have not come back. */
	assert_true(frame_pool_free(kernel_frames(rig.kernel)) >= free);
	rig_release(&rig);
}

static void without_a_page_of_zeroes_a_read_takes_a_frame(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.zero_page = ZERO_PAGE_FORBIDDEN;
	rig_boot_kernel(&rig, 0, &config);
	const uint64_t at = 0x10000000;
	assert_int_equal(rig_mmap(&rig, at, 2 * PAGE_BYTES, LINUX_PROT_READ, LINUX_MAP_FIXED), at);
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel));
	assert_true(rig_read(&rig, at));
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_DEMAND_ZERO), 1);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_ZERO_PAGE), 0);
	assert_int_equal(frame_pool_free(kernel_frames(rig.kernel)), free - 4); /* and three tables */
	/* It is clean, but nobody gave it up by MADV_FREE: without swap it stays. */
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, at, PAGE_BYTES, LINUX_MADV_PAGEOUT, 0, 0), 0);
	assert_int_equal(look(&rig, at).outcome, WALK_MAPPED);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(brk_promises_and_the_first_write_gives_a_frame),
	    cmocka_unit_test(a_read_maps_the_zero_page_and_a_write_replaces_it),
	    cmocka_unit_test(a_reused_frame_reads_as_zero),
	    cmocka_unit_test(the_stack_grows_down_to_its_limit),
	    cmocka_unit_test(a_null_pointer_is_a_segmentation_fault),
	    cmocka_unit_test(writing_text_is_an_access_error),
	    cmocka_unit_test(executing_data_is_an_access_error),
	    cmocka_unit_test(kernel_memory_is_out_of_reach_for_ring_3),
	    cmocka_unit_test(running_out_of_frames_kills_with_a_reason),
	    cmocka_unit_test(two_processes_have_the_same_addresses_and_different_frames),
	    cmocka_unit_test(privileged_instructions_kill_by_a_protection_fault),
	    cmocka_unit_test(without_a_page_of_zeroes_a_read_takes_a_frame),
	    cmocka_unit_test(a_machine_too_small_to_boot_is_an_error),
	    cmocka_unit_test(a_process_that_does_not_fit_leaves_nothing_behind),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
