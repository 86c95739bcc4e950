/* The address space in paging modes other than 4-level. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernel_private.h"
#include "rig.h"

#define RW (VMA_READ | VMA_WRITE)
#define WINDOW ((uint64_t)0x00007ffffffff000)
#define FIVE_LEVEL_END ((uint64_t)0x00fffffffffff000)

static void five_levels_change_nothing_without_a_hint(void **state)
{
	(void)state;
	struct rig four, five;
	rig_boot_paging(&four, PAGING_4LEVEL);
	rig_boot_paging(&five, PAGING_5LEVEL);
	assert_int_equal(rig_mmap(&four, 0, 64 * KIB, RW, 0), rig_mmap(&five, 0, 64 * KIB, RW, 0));
	/* The process needs one table more: its PML5. */
	assert_int_equal(process_table_pages(four.process) + 1, process_table_pages(five.process));
	rig_release(&four);
	rig_release(&five);
}

static void hint_above_the_window_opens_the_rest_of_five_levels(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_paging(&rig, PAGING_5LEVEL);
	/* Free: taken as it is. Documentation/arch/x86/x86_64/5level-paging.rst */
	uint64_t hint = (uint64_t)1 << 55;
	assert_int_equal(rig_mmap(&rig, hint, 64 * KIB, RW, 0), hint);
	assert_true(rig_write(&rig, hint + 4096));
	/* Taken now, so a place is searched from the top of the large space. */
	uint64_t at = (uint64_t)rig_mmap(&rig, hint, 64 * KIB, RW, 0);
	assert_true(at > WINDOW && at < FIVE_LEVEL_END);
	assert_true(rig_write(&rig, at));
	/* -1 is the way to say "anywhere, also up there". */
	assert_true((uint64_t)rig_mmap(&rig, UINT64_MAX, 64 * KIB, RW, 0) > WINDOW);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, hint, 64 * KIB, 0, 0, 0), 0);
	rig_release(&rig);
}

static void hint_across_the_end_of_the_window_is_no_place(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_paging(&rig, PAGING_5LEVEL);
	uint64_t at = (uint64_t)rig_mmap(&rig, WINDOW - 4096, 64 * KIB, RW, 0);
	assert_true(at < WINDOW - 4096);
	rig_release(&rig);
}

static void four_levels_end_at_the_window(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_paging(&rig, PAGING_4LEVEL);
	assert_true((uint64_t)rig_mmap(&rig, (uint64_t)1 << 55, 64 * KIB, RW, 0) < WINDOW);
	assert_int_equal(rig_mmap(&rig, (uint64_t)1 << 55, 4096, RW, LINUX_MAP_FIXED), -LINUX_ENOMEM);
	rig_release(&rig);
}

/* ---- 32-bit and PAE paging ---- */

static const enum paging_mode legacy_modes[] = {PAGING_32BIT, PAGING_PAE};

#define FOR_EACH_LEGACY(rig)                                                                                           \
	for (unsigned i = 0; i < 2 && (rig_boot_paging(&(rig), legacy_modes[i]), true); rig_release(&(rig)), i++)

static void legacy_process_lives_in_the_lower_three_gib(void **state)
{
	(void)state;
	struct rig rig;
	FOR_EACH_LEGACY(rig)
	{
		/* Where a stock i386 kernel without address randomisation puts things. */
		assert_int_equal(process_segment(rig.process, SEGMENT_TEXT).v, 0x00400000);
		assert_true(process_vma_at(rig.process, vaddr(0xbffff000)));
		assert_false(process_vma_at(rig.process, vaddr(0xc0000000)));
		uint64_t at = (uint64_t)rig_mmap(&rig, 0, 64 * KIB, RW, 0);
		assert_true(at < 0xb8000000 && at > 0xb7000000);
		assert_true(rig_write(&rig, at + 4096));
		assert_int_equal(rig_faults(&rig, FAULT_CAUSE_DEMAND_ZERO), 1);
		assert_int_equal(rig_mmap(&rig, 0xc0000000, 4096, RW, LINUX_MAP_FIXED), -LINUX_ENOMEM);
		assert_int_equal(machine_stats(rig.machine)->syscalls, 0); /* all by INT 0x80 */
		assert_int_equal(machine_stats(rig.machine)->vectors[SYSCALL_VECTOR], 2);
		assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, at, 64 * KIB, 0, 0, 0), 0);
	}
}

static void legacy_kernel_is_out_of_reach(void **state)
{
	(void)state;
	struct rig rig;
	FOR_EACH_LEGACY(rig)
	{
		assert_false(rig_read(&rig, 0xc0001000));
		assert_int_equal(rig.process->death.signal, 11);
		assert_int_equal(rig.process->death.error_code, FAULT_PRESENT | FAULT_USER);
	}
}

static void only_pae_keeps_data_from_being_executed(void **state)
{
	(void)state;
	struct rig rig;
	FOR_EACH_LEGACY(rig)
	{
		uint64_t at = (uint64_t)rig_mmap(&rig, 0, 4096, RW, 0);
		assert_true(rig_write(&rig, at));
		bool runs = machine_touch(rig.machine, vaddr(at), 4, ACCESS_FETCH);
		assert_int_equal(runs, legacy_modes[i] == PAGING_32BIT);
	}
}

static void huge_page_is_what_a_level_2_entry_maps(void **state)
{
	(void)state;
	struct rig rig;
	FOR_EACH_LEGACY(rig)
	{
		const uint64_t huge = legacy_modes[i] == PAGING_32BIT ? 4 * MIB : 2 * MIB;
		uint64_t at = (uint64_t)rig_mmap(&rig, 0, 1, RW, LINUX_MAP_HUGETLB);
		assert_int_equal(at % huge, 0);
		assert_true(rig_write(&rig, at + huge - 8));
		assert_int_equal(process_hugetlb_pages(rig.process), huge / PAGE_BYTES);
		assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, at, huge, 0, 0, 0), 0);
	}
}

static void pae_tables_below_the_root_are_there_from_the_start(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_paging(&rig, PAGING_PAE);
	/* A GiB that was never used, with the PDPTE registers as they are: the table is found. */
	uint64_t at = (uint64_t)rig_mmap(&rig, 0x60000000, 4096, RW, LINUX_MAP_FIXED);
	assert_true(rig_write(&rig, at));
	struct paddr root = process_page_table(rig.process);
	for (unsigned i = 0; i < PAE_PDPTES; i++)
		assert_int_equal(physmem_load64(machine_memory(rig.machine), paddr_add(root, i * 8)) & 0xfff,
				 PTE_PRESENT);
	rig_release(&rig);
}

static void processes_switch_without_pcids(void **state)
{
	(void)state;
	struct rig rig;
	FOR_EACH_LEGACY(rig)
	{
		struct process *other = kernel_spawn(rig.kernel, &(struct process_spec){.name = "other"});
		uint64_t at = (uint64_t)rig_mmap(&rig, 0x50000000, 4096, RW, LINUX_MAP_FIXED);
		assert_true(machine_store(rig.machine, vaddr(at), 8, 1));
		kernel_run(rig.kernel, other);
		assert_int_equal(rig_mmap(&rig, 0x50000000, 4096, RW, LINUX_MAP_FIXED), at);
		assert_true(machine_store(rig.machine, vaddr(at), 8, 2));
		kernel_run(rig.kernel, rig.process);
		uint64_t value;
		assert_true(machine_load(rig.machine, vaddr(at), 8, &value));
		assert_int_equal(value, 1);
	}
}

static void ram_must_fit_into_the_direct_map(void **state)
{
	(void)state;
	struct machine_config config = {.memory_bytes = 897 * MIB, .profile = cpu_profile_at(0)};
	struct kernel_config kernel_config = {.paging = PAGING_PAE};
	struct error error = {.text = ""};
	struct kernel *kernel;
	struct bus bus;
	struct arena *arena = arena_new(machine_reserve_bytes(&config) +
					kernel_reserve_bytes(&kernel_config, config.memory_bytes, 8) + GIB);
	bus_init(&bus);
	struct machine *machine = machine_new(arena, &bus, &config);
	assert_int_equal(kernel_boot(arena, machine, &kernel_config, &kernel, &error), STATUS_BAD_INPUT);
	assert_non_null(strstr(error.text, "room for 896 MiB"));
	arena_free(arena);
}

static void every_system_call_has_a_number_for_32_bit_code(void **state)
{
	(void)state;
	for (unsigned i = 0; i < SYSCALL_UNKNOWN; i++) {
		const struct syscall_info *info = syscall_info((enum syscall_index)i);
		if (syscall_i386_number((uint64_t)info->number) < 0)
			fail_msg("%s has none: add it to SYSCALL_I386_LIST", info->name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(five_levels_change_nothing_without_a_hint),
	    cmocka_unit_test(hint_above_the_window_opens_the_rest_of_five_levels),
	    cmocka_unit_test(hint_across_the_end_of_the_window_is_no_place),
	    cmocka_unit_test(four_levels_end_at_the_window),
	    cmocka_unit_test(legacy_process_lives_in_the_lower_three_gib),
	    cmocka_unit_test(legacy_kernel_is_out_of_reach),
	    cmocka_unit_test(only_pae_keeps_data_from_being_executed),
	    cmocka_unit_test(huge_page_is_what_a_level_2_entry_maps),
	    cmocka_unit_test(pae_tables_below_the_root_are_there_from_the_start),
	    cmocka_unit_test(processes_switch_without_pcids),
	    cmocka_unit_test(ram_must_fit_into_the_direct_map),
	    cmocka_unit_test(every_system_call_has_a_number_for_32_bit_code),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
