/* Pages of 1 GiB: set aside at boot, mapped by entries of level 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/pages.h"
#include "faultline/procfs.h"
#include "kernel_private.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define AREA (16 * GIB)
#define HUGE_FLAGS (LINUX_MAP_FIXED | LINUX_MAP_HUGETLB | LINUX_MAP_HUGE_1GB)

/* RAM for so many pages, and for the rest. */
static void boot(struct rig *rig, uint64_t pages)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.hugepages_1g = pages;
	rig_boot_kernel(rig, (pages + 1) * GIB + 64 * MIB, &config);
	assert_int_equal(rig->kernel->hugetlb[HUGETLB_GIGANTIC].total, pages);
}

static void assert_pool(const struct rig *rig, uint64_t free, uint64_t reserved)
{
	assert_int_equal(rig->kernel->hugetlb[HUGETLB_GIGANTIC].free, free);
	assert_int_equal(rig->kernel->hugetlb[HUGETLB_GIGANTIC].reserved, reserved);
}

static void check(const struct rig *rig)
{
	struct error why = {.text = ""};
	if (!kernel_check(rig->kernel, &why))
		fail_msg("%s", why.text);
}

static struct walk walk(const struct rig *rig, uint64_t va)
{
	struct walk walk;
	struct paging paging = mmu_paging(machine_mmu(rig->machine));
	walk_peek(machine_memory(rig->machine), &paging, vaddr(va), &walk);
	return walk;
}

static void one_fault_and_one_entry_for_a_gigabyte(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	uint64_t resident = process_resident_pages(rig.process);
	assert_int_equal(rig_mmap(&rig, AREA, 2 * GIB, RW, HUGE_FLAGS), AREA);
	assert_pool(&rig, 2, 2);
	uint64_t minor = rig.process->stats.minor_faults;
	for (uint64_t at = AREA; at < AREA + GIB; at += 64 * MIB)
		rig_store(&rig, at, at);
	for (uint64_t at = AREA; at < AREA + GIB; at += 64 * MIB)
		assert_int_equal(rig_load(&rig, at), at);
	assert_int_equal(rig.process->stats.minor_faults, minor + 1);
	assert_pool(&rig, 1, 1);
	assert_int_equal(process_resident_pages(rig.process), resident);
	assert_int_equal(process_hugetlb_pages(rig.process), GIB / PAGE_BYTES);
	struct walk found = walk(&rig, AREA + 5 * MIB);
	assert_int_equal(found.outcome, WALK_MAPPED);
	assert_int_equal(found.count, 2); /* PML4E, PDPTE */
	assert_int_equal(found.size, PAGE_SIZE_1G);
	check(&rig);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA, 2 * MIB, 0, 0, 0), -LINUX_EINVAL);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, AREA, GIB, 2 * GIB, LINUX_MREMAP_MAYMOVE, 0), -LINUX_EINVAL);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA, 2 * GIB, 0, 0, 0), 0);
	assert_false(rig_read(&rig, AREA)); /* not even from the TLB */
	assert_pool(&rig, 2, 0);
	check(&rig);
	rig_release(&rig);
}

/* The host keeps only what has been written. */
static void what_comes_back_is_clean(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 1);
	assert_int_equal(rig_mmap(&rig, AREA, GIB, RW, HUGE_FLAGS), AREA);
	rig_store(&rig, AREA + 700 * MIB, 7);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, AREA, GIB, LINUX_MADV_DONTNEED, 0, 0), 0);
	assert_pool(&rig, 1, 1);
	assert_int_equal(rig_load(&rig, AREA + 700 * MIB), 0);
	check(&rig);
	rig_release(&rig);
}

static void fork_shares_and_a_write_copies(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	assert_int_equal(rig_mmap(&rig, AREA, GIB, RW, HUGE_FLAGS), AREA);
	rig_store(&rig, AREA + 300 * MIB, 1);
	rig_store(&rig, AREA + 900 * MIB, 2);
	int64_t pid = rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	struct process *child = kernel_process(rig.kernel, (unsigned)pid - 1);
	check(&rig);
	rig_store(&rig, AREA + 300 * MIB, 3); /* the parent copies */
	assert_pool(&rig, 0, 0);
	assert_int_equal(rig.process->stats.causes[FAULT_CAUSE_COW], 1);
	assert_int_equal(rig_load(&rig, AREA + 900 * MIB), 2);
	kernel_run(rig.kernel, child);
	assert_int_equal(rig_load(&rig, AREA + 300 * MIB), 1);
	rig_store(&rig, AREA + 900 * MIB, 4); /* nobody else has it any more */
	assert_int_equal(child->stats.causes[FAULT_CAUSE_REUSE], 1);
	check(&rig);
	(void)rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	kernel_run(rig.kernel, rig.process);
	assert_int_equal(rig_load(&rig, AREA + 900 * MIB), 2);
	assert_pool(&rig, 1, 0);
	check(&rig);
	rig_release(&rig);
}

static void shared_memory_of_such_pages(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 1);
	const uint64_t flags = LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS | HUGE_FLAGS;
	assert_int_equal(rig_syscall(&rig, SYS_NR_MMAP, AREA, GIB, RW, flags, -1ull), AREA);
	int64_t pid = rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	kernel_run(rig.kernel, kernel_process(rig.kernel, (unsigned)pid - 1));
	rig_store(&rig, AREA + 513 * MIB, 5);
	kernel_run(rig.kernel, rig.process);
	uint64_t value = 0;
	assert_true(process_peek64(rig.process, vaddr(AREA + 513 * MIB), &value));
	assert_int_equal(value, 5);
	assert_int_equal(rig_load(&rig, AREA + 513 * MIB), 5);
	check(&rig);
	rig_release(&rig);
}

/* TLB entries of that size follow the entry: what mprotect forbids is forbidden at once. */
static void mprotect_changes_the_one_entry(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 1);
	assert_int_equal(rig_mmap(&rig, AREA, GIB, RW, HUGE_FLAGS), AREA);
	rig_store(&rig, AREA + 4096, 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MPROTECT, AREA, 2 * MIB, LINUX_PROT_READ, 0, 0), -LINUX_EINVAL);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MPROTECT, AREA, GIB, LINUX_PROT_READ, 0, 0), 0);
	assert_int_equal(walk(&rig, AREA).size, PAGE_SIZE_1G);
	check(&rig);
	assert_int_equal(rig_load(&rig, AREA + 4096), 1);
	assert_false(rig_write(&rig, AREA + 512 * MIB));
	assert_int_equal(rig.process->death.signal, 11);
	rig_release(&rig);
}

/* meminfo has rows for the default size only, and one for all. */
static void proc_shows_them(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 1);
	assert_int_equal(rig_mmap(&rig, AREA, GIB, RW, HUGE_FLAGS), AREA);
	rig_store(&rig, AREA, 1);
	struct rig_text smaps = {.used = 0}, meminfo = {.used = 0};
	procfs_print_smaps_of(rig.process, process_vma_at(rig.process, vaddr(AREA)), rig_add_text, &smaps);
	assert_non_null(strstr(smaps.bytes, "KernelPageSize:  1048576 kB\n"));
	assert_non_null(strstr(smaps.bytes, "MMUPageSize:     1048576 kB\n"));
	assert_non_null(strstr(smaps.bytes, "Private_Hugetlb: 1048576 kB\n"));
	assert_non_null(strstr(smaps.bytes, "Rss:                   0 kB\n"));
	procfs_print(rig.kernel, rig.process, PROCFS_MEMINFO, rig_add_text, &meminfo);
	assert_non_null(strstr(meminfo.bytes, "HugePages_Total:       0\n"));
	assert_non_null(strstr(meminfo.bytes, "Hugepagesize:       2048 kB\n"));
	assert_non_null(strstr(meminfo.bytes, "Hugetlb:         1048576 kB\n"));
	rig_release(&rig);
}

/* Both sizes at once; an inner frame leads back to its page, which says how it is mapped. */
static void sizes_stand_side_by_side(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 1);
	assert_int_equal(rig_mmap(&rig, AREA, GIB, RW, HUGE_FLAGS), AREA);
	assert_int_equal(rig_mmap(&rig, AREA + GIB, 2 * MIB, RW, LINUX_MAP_FIXED | LINUX_MAP_HUGETLB), AREA + GIB);
	rig_store(&rig, AREA + GIB - 8, 1);
	rig_store(&rig, AREA + GIB, 2);
	check(&rig);
	struct frame_block block;
	struct pfn inner = pfn(walk(&rig, AREA).page.v / PAGE_BYTES + 12345);
	assert_true(frame_block_of(rig.kernel, inner, &block));
	assert_int_equal(block.record.use, FRAME_HUGETLB);
	assert_int_equal((uint64_t)1 << block.record.order, GIB / PAGE_BYTES);
	struct mapping mapping;
	uint64_t steps = 1u << 20;
	bool complete;
	assert_int_equal(frame_mappings(rig.kernel, inner, &mapping, 1, &steps, &complete), 1);
	assert_int_equal(mapping.va.v, AREA);
	assert_int_equal(mapping.level, 3);
	rig_release(&rig);
}

/* Of the direct map, whose entries of level 3 lead to frames without records, too. */
static void the_direct_map_can_be_looked_at(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 0);
	const struct paddr far = paddr(GIB - 8 * MIB);
	uint64_t value = 0;
	physmem_store64(machine_memory(rig.machine), far, 77);
	assert_true(process_peek64(rig.process, direct_map(rig.kernel, far), &value));
	assert_int_equal(value, 77);
	rig_release(&rig);
}

static enum status boot_status(enum paging_mode paging, uint64_t memory_bytes, struct error *error)
{
	const struct machine_config config = {.memory_bytes = memory_bytes, .profile = cpu_profile_at(0)};
	struct kernel_config kernel_config = KERNEL_CONFIG_DEFAULT;
	kernel_config.paging = paging;
	kernel_config.hugepages_1g = 1;
	struct arena *arena = arena_new(machine_reserve_bytes(&config) +
					kernel_reserve_bytes(&kernel_config, memory_bytes, 1) + GIB);
	struct kernel *kernel;
	struct bus bus;
	bus_init(&bus);
	enum status status = kernel_boot(arena, machine_new(arena, &bus, &config), &kernel_config, &kernel, error);
	arena_free(arena);
	return status;
}

static void what_cannot_be_set_aside_is_said_at_boot(void **state)
{
	(void)state;
	struct error error;
	assert_int_equal(boot_status(PAGING_PAE, 512 * MIB, &error), STATUS_BAD_INPUT);
	assert_non_null(strstr(error.text, "pae paging has no pages of 1 GiB"));
	assert_int_equal(boot_status(PAGING_4LEVEL, GIB, &error), STATUS_BAD_INPUT);
	assert_non_null(strstr(error.text, "machine.memory of 1024 MiB has room for 0 pages of 1 GiB"));
	assert_int_equal(boot_status(PAGING_5LEVEL, 2 * GIB, &error), STATUS_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_fault_and_one_entry_for_a_gigabyte),
	    cmocka_unit_test(what_comes_back_is_clean),
	    cmocka_unit_test(fork_shares_and_a_write_copies),
	    cmocka_unit_test(shared_memory_of_such_pages),
	    cmocka_unit_test(mprotect_changes_the_one_entry),
	    cmocka_unit_test(proc_shows_them),
	    cmocka_unit_test(sizes_stand_side_by_side),
	    cmocka_unit_test(the_direct_map_can_be_looked_at),
	    cmocka_unit_test(what_cannot_be_set_aside_is_said_at_boot),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
