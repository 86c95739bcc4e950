/* Rules of the memory calls that random sequences on a real kernel have shown: tests/diff/vma_native. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE, FIXED = LINUX_MAP_FIXED };
#define AT ((uint64_t)0x100000000000)

static uint64_t page(uint64_t number)
{
	return AT + number * PAGE_BYTES;
}

static int64_t map(struct rig *rig, uint64_t first, uint64_t count, uint64_t prot, uint64_t more_flags)
{
	return rig_mmap(rig, page(first), count * PAGE_BYTES, prot, FIXED | more_flags);
}

static int64_t share(struct rig *rig, uint64_t first, uint64_t count)
{
	return rig_syscall(rig, SYS_NR_MMAP, page(first), count * PAGE_BYTES, RW,
			   LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS | FIXED, UINT64_MAX);
}

static int64_t protect(struct rig *rig, uint64_t first, uint64_t count, uint64_t prot)
{
	return rig_syscall(rig, SYS_NR_MPROTECT, page(first), count * PAGE_BYTES, prot, 0, 0);
}

static int64_t advise(struct rig *rig, uint64_t first, uint64_t count, uint64_t advice)
{
	return rig_syscall(rig, SYS_NR_MADVISE, page(first), count * PAGE_BYTES, advice, 0, 0);
}

static void assert_vma(const struct rig *rig, uint64_t first, uint64_t end)
{
	const struct vma *vma = process_vma_at(rig->process, vaddr(page(first)));
	assert_non_null(vma);
	assert_int_equal(vma->start.v, page(first));
	assert_int_equal(vma->end.v, page(end));
}

static void boot(struct rig *rig)
{
	rig_boot(rig, 0, OVERCOMMIT_HEURISTIC);
}

static void memory_written_apart_does_not_merge(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, 0, 4, RW, 0), page(0));
	assert_int_equal(map(&rig, 8, 4, RW, 0), page(8));
	assert_true(rig_write(&rig, page(0)) && rig_write(&rig, page(8)));
	/* The hole closes; what has pages of its own on both sides stays apart. */
	assert_int_equal(map(&rig, 4, 4, RW, 0), page(4));
	assert_vma(&rig, 0, 8);
	assert_vma(&rig, 8, 12);
	rig_release(&rig);
}

static void a_moved_mapping_merges_only_if_it_was_never_written(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	for (unsigned written = 0; written < 2; written++) {
		assert_int_equal(map(&rig, 0, 2, RW, 0), page(0));
		assert_int_equal(map(&rig, 10, 2, RW, 0), page(10));
		if (written)
			assert_true(rig_write(&rig, page(10)));
		assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, page(10), 2 * PAGE_BYTES, 2 * PAGE_BYTES,
					     LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, page(2)),
				 page(2));
		assert_vma(&rig, 0, written ? 2 : 4);
		assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, page(0), 16 * PAGE_BYTES, 0, 0, 0), 0);
	}
	rig_release(&rig);
}

static void a_grown_stack_keeps_its_page_numbers(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, 20, 4, RW, LINUX_MAP_GROWSDOWN), page(20));
	assert_true(rig_write(&rig, page(10)));
	assert_vma(&rig, 10, 24);
	/* Split and joined again: only possible if page numbers follow the addresses. */
	assert_int_equal(protect(&rig, 12, 2, LINUX_PROT_READ), 0);
	assert_int_equal(protect(&rig, 12, 2, RW), 0);
	assert_vma(&rig, 10, 24);
	rig_release(&rig);
}

static void a_refused_mmap_leaves_what_it_split(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, 0, 8, RW, 0), page(0));
	rig.process->limits[RLIMIT_INDEX_AS].soft = process_virtual_bytes(rig.process);
	assert_int_equal(map(&rig, 4, 8, RW, 0), -LINUX_ENOMEM);
	assert_vma(&rig, 0, 4);
	assert_vma(&rig, 4, 8);
	rig_release(&rig);
}

static void calls_change_what_lies_before_a_hole(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, 0, 4, RW, 0), page(0));
	assert_int_equal(map(&rig, 8, 4, RW, 0), page(8));
	assert_int_equal(protect(&rig, 2, 10, LINUX_PROT_READ), -LINUX_ENOMEM);
	assert_vma(&rig, 0, 2);
	assert_vma(&rig, 8, 12);
	assert_true(rig_write(&rig, page(8)));
	/* madvise goes on behind the hole. */
	assert_int_equal(advise(&rig, 2, 10, LINUX_MADV_DONTNEED), -LINUX_ENOMEM);
	uint64_t faults = rig.process->stats.minor_faults;
	assert_true(rig_read(&rig, page(8)));
	assert_int_equal(rig.process->stats.minor_faults, faults + 1);
	rig_release(&rig);
}

static void a_page_table_stays_while_a_vma_may_need_it(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	uint64_t tables = process_table_pages(rig.process);
	assert_int_equal(map(&rig, 0, 1, RW, 0), page(0));
	assert_int_equal(map(&rig, 16, 1, LINUX_PROT_READ, 0), page(16));
	assert_true(rig_write(&rig, page(0)));
	assert_int_equal(process_table_pages(rig.process), tables + 3);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, page(0), PAGE_BYTES, 0, 0, 0), 0);
	assert_int_equal(process_table_pages(rig.process), tables + 3);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, page(16), PAGE_BYTES, 0, 0, 0), 0);
	assert_int_equal(process_table_pages(rig.process), tables);
	rig_release(&rig);
}

static void mremap_checks_what_it_unmaps(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, 0, 8, RW, 0), page(0));
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, page(0), UINT64_MAX - PAGE_BYTES, 2 * PAGE_BYTES,
				     LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, page(20)),
			 -LINUX_EINVAL);
	assert_vma(&rig, 0, 8);
	rig_release(&rig);
}

static void lengths_of_mlock_wrap_as_on_linux(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, 0, 4, LINUX_PROT_NONE, 0), page(0));
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCK, page(2), UINT64_MAX, 0, 0, 0), 0);
	assert_int_equal(map(&rig, 0, 4, RW, LINUX_MAP_LOCKED), page(0));
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCK, page(2), UINT64_MAX - PAGE_BYTES, 0, 0, 0), -LINUX_ENOMEM);
	rig_release(&rig);
}

static void locked_on_fault_is_not_populated_by_mprotect(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, 0, 4, LINUX_PROT_READ, 0), page(0));
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCK2, page(0), 4 * PAGE_BYTES, LINUX_MLOCK_ONFAULT, 0, 0), 0);
	assert_int_equal(protect(&rig, 0, 4, RW), 0);
	assert_int_equal(rig.process->stats.minor_faults, 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCK, page(0), 4 * PAGE_BYTES, 0, 0, 0), 0);
	assert_int_equal(rig.process->stats.minor_faults, 4);
	rig_release(&rig);
}

static void shared_memory_ends_where_it_was_made_to(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(share(&rig, 0, 2), page(0));
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, page(0), 2 * PAGE_BYTES, 4 * PAGE_BYTES, 0, 0), page(0));
	assert_true(rig_write(&rig, page(1)));
	assert_int_equal(advise(&rig, 2, 1, LINUX_MADV_POPULATE_READ), -LINUX_EFAULT);
	assert_false(rig_write(&rig, page(2)));
	assert_string_equal(rig.process->death.signal_name, "SIGBUS");
	rig_release(&rig);
}

static void two_views_of_shared_memory_are_one(void **state)
{
	(void)state;
	struct rig rig;
	uint64_t value = 0;
	boot(&rig);
	assert_int_equal(share(&rig, 0, 2), page(0));
	assert_true(machine_store(rig.machine, vaddr(page(1)), 8, 77));
	/* An old length of zero makes a second view. */
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, page(0), 0, 2 * PAGE_BYTES,
				     LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, page(10)),
			 page(10));
	assert_true(machine_load(rig.machine, vaddr(page(11)), 8, &value));
	assert_int_equal(value, 77);
	assert_int_equal(advise(&rig, 1, 1, LINUX_MADV_REMOVE), 0);
	assert_true(machine_load(rig.machine, vaddr(page(11)), 8, &value));
	assert_int_equal(value, 0);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(memory_written_apart_does_not_merge),
	    cmocka_unit_test(a_moved_mapping_merges_only_if_it_was_never_written),
	    cmocka_unit_test(a_grown_stack_keeps_its_page_numbers),
	    cmocka_unit_test(a_refused_mmap_leaves_what_it_split),
	    cmocka_unit_test(calls_change_what_lies_before_a_hole),
	    cmocka_unit_test(a_page_table_stays_while_a_vma_may_need_it),
	    cmocka_unit_test(mremap_checks_what_it_unmaps),
	    cmocka_unit_test(lengths_of_mlock_wrap_as_on_linux),
	    cmocka_unit_test(locked_on_fault_is_not_populated_by_mprotect),
	    cmocka_unit_test(shared_memory_ends_where_it_was_made_to),
	    cmocka_unit_test(two_views_of_shared_memory_are_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
