/* What memory calls do to MAP_HUGETLB. The numbers are those of Linux 6.18: diff.vma_native_hugetlb compares more of
 * them where the host has a pool. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel_private.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE, POOL = 8 };
enum { MOVE = LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED };
#define AREA ((uint64_t)0x650000000000)
#define ELSEWHERE ((uint64_t)0x650010000000)
#define HUGE_BYTES (2 * MIB)

static void boot(struct rig *rig)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.hugepages = POOL;
	rig_boot_kernel(rig, 64 * MIB, &config);
}

static int64_t map(struct rig *rig, uint64_t at, uint64_t bytes, uint64_t flags)
{
	return rig_mmap(rig, at, bytes, RW, LINUX_MAP_HUGETLB | flags);
}

static int64_t advise(struct rig *rig, uint64_t at, uint64_t bytes, uint64_t advice)
{
	return rig_syscall(rig, SYS_NR_MADVISE, at, bytes, advice, 0, 0);
}

static void assert_pool(const struct rig *rig, uint64_t free, uint64_t reserved)
{
	assert_int_equal(rig->kernel->hugetlb[HUGETLB_DEFAULT].free, free);
	assert_int_equal(rig->kernel->hugetlb[HUGETLB_DEFAULT].reserved, reserved);
}

static void pages_and_promises_move(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, AREA, 4 * HUGE_BYTES, LINUX_MAP_FIXED), AREA);
	rig_store(&rig, AREA + 8, 77);
	assert_pool(&rig, POOL - 1, 3);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, AREA, 4 * HUGE_BYTES, 4 * HUGE_BYTES, MOVE, ELSEWHERE),
			 ELSEWHERE);
	assert_pool(&rig, POOL - 1, 3);
	uint64_t faults = rig.process->stats.minor_faults;
	assert_int_equal(rig_load(&rig, ELSEWHERE + 8), 77);
	assert_int_equal(rig.process->stats.minor_faults, faults);
	rig_store(&rig, ELSEWHERE + HUGE_BYTES, 1);
	assert_pool(&rig, POOL - 2, 2);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, ELSEWHERE, 4 * HUGE_BYTES, 0, 0, 0), 0);
	assert_pool(&rig, POOL, 0);
	rig_release(&rig);
}

static void the_rest_of_what_moves_loses_its_promise(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, AREA, 4 * HUGE_BYTES, LINUX_MAP_FIXED), AREA);
	rig_store(&rig, AREA, 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, AREA, 2 * HUGE_BYTES, 2 * HUGE_BYTES, MOVE, ELSEWHERE),
			 ELSEWHERE);
	rig_store(&rig, ELSEWHERE + HUGE_BYTES, 1);
	assert_pool(&rig, POOL - 2, 2);
	rig_store(&rig, AREA + 2 * HUGE_BYTES, 1); /* as somebody who was promised nothing */
	assert_pool(&rig, POOL - 3, 2);
	(void)rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	assert_pool(&rig, POOL, 2); /* for ever */
	rig_release(&rig);
}

static void mappings_shrink_but_do_not_grow(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, AREA, 4 * HUGE_BYTES, LINUX_MAP_FIXED), AREA);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, AREA, 4 * HUGE_BYTES, HUGE_BYTES + 1, 0, 0), AREA);
	assert_pool(&rig, POOL, 2);
	assert_int_equal(
	    rig_syscall(&rig, SYS_NR_MREMAP, AREA, 2 * HUGE_BYTES, 3 * HUGE_BYTES, LINUX_MREMAP_MAYMOVE, 0),
	    -LINUX_EINVAL);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, AREA, HUGE_BYTES, HUGE_BYTES, MOVE, ELSEWHERE + PAGE_BYTES),
			 -LINUX_EINVAL);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, AREA, HUGE_BYTES, HUGE_BYTES,
				     LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_DONTUNMAP, 0),
			 -LINUX_EINVAL);
	rig_release(&rig);
}

static void a_hole_in_shared_memory_ends_a_promise(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MMAP, AREA, 4 * HUGE_BYTES, RW,
				     LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED | LINUX_MAP_HUGETLB,
				     UINT64_MAX),
			 AREA);
	rig_store(&rig, AREA, 1);
	rig_store(&rig, AREA + HUGE_BYTES, 2);
	assert_pool(&rig, POOL - 2, 2);
	/* Of the second page only the part goes that the range reaches: it is cleared. */
	assert_int_equal(advise(&rig, AREA, HUGE_BYTES + PAGE_BYTES, LINUX_MADV_REMOVE), 0);
	assert_pool(&rig, POOL - 1, 2);
	assert_int_equal(rig_load(&rig, AREA + HUGE_BYTES), 0);
	rig_store(&rig, AREA, 3);
	assert_pool(&rig, POOL - 2, 2);
	assert_int_equal(advise(&rig, AREA, HUGE_BYTES, LINUX_MADV_REMOVE), 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA, 4 * HUGE_BYTES, 0, 0, 0), 0);
	assert_pool(&rig, POOL, 0);
	rig_release(&rig);
}

static void places_lengths_and_kinds_are_checked(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, AREA + MIB, HUGE_BYTES, 0), AREA + HUGE_BYTES); /* a hint is rounded up */
	assert_int_equal(map(&rig, AREA + PAGE_BYTES, HUGE_BYTES, LINUX_MAP_FIXED), -LINUX_EINVAL);
	assert_int_equal(map(&rig, 0x7ffffffff000, HUGE_BYTES, LINUX_MAP_FIXED), -LINUX_EINVAL);
	assert_int_equal(map(&rig, 0x7fffffc00000, 2 * HUGE_BYTES, LINUX_MAP_FIXED), -LINUX_ENOMEM);
	assert_int_equal(map(&rig, AREA, UINT64_MAX, LINUX_MAP_FIXED), -LINUX_EINVAL);
	assert_int_equal(map(&rig, AREA, 0 - HUGE_BYTES, LINUX_MAP_FIXED), -LINUX_ENOMEM);
	assert_int_equal(map(&rig, AREA, HUGE_BYTES, LINUX_MAP_FIXED | LINUX_MAP_GROWSDOWN), -LINUX_EINVAL);
	/* MAP_SHARED_VALIDATE is for files, and behind huge pages there is one. */
	assert_int_equal(map(&rig, AREA, HUGE_BYTES, LINUX_MAP_FIXED | LINUX_MAP_SHARED), AREA);
	assert_int_equal(rig_mmap(&rig, ELSEWHERE, HUGE_BYTES, RW, LINUX_MAP_FIXED | LINUX_MAP_SHARED), -LINUX_EINVAL);
	rig_release(&rig);
}

static void huge_pages_do_not_come_apart(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, AREA, 4 * HUGE_BYTES, LINUX_MAP_FIXED), AREA);
	rig_store(&rig, AREA, 1);
	const uint64_t vmas = rig.process->mm->vmas.count;
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA + MIB, HUGE_BYTES, 0, 0, 0), -LINUX_EINVAL);
	assert_int_equal(advise(&rig, AREA + MIB, HUGE_BYTES, LINUX_MADV_DONTNEED), -LINUX_EINVAL);
	assert_int_equal(rig.process->mm->vmas.count, vmas);
	/* A part at the end is left alone, and advice that changes nothing splits nothing. */
	assert_int_equal(advise(&rig, AREA, MIB, LINUX_MADV_DONTNEED), 0);
	assert_int_equal(rig_load(&rig, AREA), 1);
	assert_int_equal(advise(&rig, AREA + MIB, HUGE_BYTES, LINUX_MADV_NORMAL), 0);
	assert_int_equal(rig.process->mm->vmas.count, vmas);
	/* The good border is cut first, and no neighbour ever joins. */
	assert_int_equal(rig_syscall(&rig, SYS_NR_MPROTECT, AREA + HUGE_BYTES, MIB, LINUX_PROT_READ, 0, 0),
			 -LINUX_EINVAL);
	assert_int_equal(rig.process->mm->vmas.count, vmas + 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA + 2 * HUGE_BYTES, MIB, 0, 0, 0), -LINUX_EINVAL);
	assert_int_equal(rig.process->mm->vmas.count, vmas + 2);
	rig_release(&rig);
}

static void a_locked_mapping_is_only_populated(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig);
	assert_int_equal(map(&rig, AREA, 2 * HUGE_BYTES, LINUX_MAP_FIXED | LINUX_MAP_LOCKED), AREA);
	assert_pool(&rig, POOL - 2, 0);
	assert_int_equal(rig.process->mm->locked_vm, 0);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pages_and_promises_move),
	    cmocka_unit_test(the_rest_of_what_moves_loses_its_promise),
	    cmocka_unit_test(mappings_shrink_but_do_not_grow),
	    cmocka_unit_test(a_hole_in_shared_memory_ends_a_promise),
	    cmocka_unit_test(places_lengths_and_kinds_are_checked),
	    cmocka_unit_test(huge_pages_do_not_come_apart),
	    cmocka_unit_test(a_locked_mapping_is_only_populated),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
