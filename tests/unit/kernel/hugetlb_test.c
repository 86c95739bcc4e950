/* The pool of MAP_HUGETLB: promises at mmap, and what happens when it is empty. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/procfs.h"
#include "kernel_private.h"
#include "reclaim.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define AREA ((uint64_t)0x10000000)
#define HUGE_BYTES (2 * MIB)

static void boot(struct rig *rig, uint64_t pages)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.hugepages = pages;
	rig_boot_kernel(rig, 64 * MIB, &config);
	assert_int_equal(rig->kernel->hugetlb[HUGETLB_DEFAULT].total, pages);
}

static int64_t map(struct rig *rig, uint64_t at, uint64_t pages, uint64_t flags)
{
	return rig_mmap(rig, at, pages * HUGE_BYTES, RW, LINUX_MAP_FIXED | LINUX_MAP_HUGETLB | flags);
}

static void assert_pool(const struct rig *rig, uint64_t free, uint64_t reserved)
{
	assert_int_equal(rig->kernel->hugetlb[HUGETLB_DEFAULT].free, free);
	assert_int_equal(rig->kernel->hugetlb[HUGETLB_DEFAULT].reserved, reserved);
}

static void mmap_promises_and_touching_takes(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4);
	assert_int_equal(map(&rig, AREA, 3, 0), AREA);
	assert_pool(&rig, 4, 3);
	assert_int_equal(map(&rig, AREA + 8 * HUGE_BYTES, 2, 0), -LINUX_ENOMEM);
	rig_store(&rig, AREA + HUGE_BYTES + 8, 1);
	assert_pool(&rig, 3, 2);
	/* Dropped, it is promised again; unmapped, no longer. */
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, AREA, 3 * HUGE_BYTES, LINUX_MADV_DONTNEED, 0, 0), 0);
	assert_pool(&rig, 4, 3);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA + HUGE_BYTES, HUGE_BYTES, 0, 0, 0), 0);
	assert_pool(&rig, 4, 2);
	rig_store(&rig, AREA + 2 * HUGE_BYTES, 1);
	assert_int_equal(rig_load(&rig, AREA + 2 * HUGE_BYTES + 8), 0); /* pages come back clean */
	(void)rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	assert_pool(&rig, 4, 0);
	rig_release(&rig);
}

static void who_was_promised_nothing_gets_sigbus(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	assert_int_equal(map(&rig, AREA, 2, 0), AREA);
	assert_int_equal(map(&rig, AREA + 8 * HUGE_BYTES, 4, LINUX_MAP_NORESERVE), AREA + 8 * HUGE_BYTES);
	assert_false(rig_write(&rig, AREA + 8 * HUGE_BYTES));
	assert_int_equal(rig.process->death.signal, 7);
	assert_pool(&rig, 2, 0);
	rig_release(&rig);
}

/* A pool of one page, which holds 5 and belongs to a process and its child. */
static struct process *boot_and_fork(struct rig *rig)
{
	boot(rig, 1);
	assert_int_equal(map(rig, AREA, 1, 0), AREA);
	rig_store(rig, AREA, 5);
	int64_t pid = rig_syscall(rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	return kernel_process(rig->kernel, (unsigned)pid - 1);
}

/* The child shares what is there; there is no page for its copy. */
static void a_child_that_writes_gets_sigbus_when_the_pool_is_empty(void **state)
{
	(void)state;
	struct rig rig;
	struct process *child = boot_and_fork(&rig);
	kernel_run(rig.kernel, child);
	assert_int_equal(rig_load(&rig, AREA), 5);
	assert_false(rig_write(&rig, AREA));
	assert_int_equal(child->death.signal, 7);
	kernel_run(rig.kernel, rig.process);
	rig_store(&rig, AREA, 6);
	assert_int_equal(rig_load(&rig, AREA), 6);
	rig_release(&rig);
}

/* The owner of the promise is served: its page is taken from the child. */
static void the_owner_takes_its_page_back(void **state)
{
	(void)state;
	struct rig rig;
	struct process *child = boot_and_fork(&rig);
	rig_store(&rig, AREA, 6);
	assert_int_equal(rig_load(&rig, AREA), 6);
	kernel_run(rig.kernel, child);
	assert_false(rig_read(&rig, AREA));
	assert_int_equal(child->death.signal, 7);
	rig_release(&rig);
}

static int64_t fork_child(struct rig *rig)
{
	return rig_syscall(rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
}

static void status_counts_them_apart(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	uint64_t anon = process_anon_pages(rig.process), resident = process_resident_pages(rig.process);
	int64_t badness = oom_badness(rig.process, oom_total_pages(rig.kernel));
	uint64_t tables = process_table_pages(rig.process);
	assert_int_equal(map(&rig, AREA, 2, 0), AREA);
	rig_store(&rig, AREA, 1);
	rig_store(&rig, AREA + HUGE_BYTES, 1);
	assert_int_equal(process_anon_pages(rig.process), anon);
	assert_int_equal(process_resident_pages(rig.process), resident);
	assert_int_equal(process_hugetlb_pages(rig.process), 2 * HUGE_BYTES / PAGE_BYTES);
	/* Badness is resident pages, swap and tables. */
	badness += (int64_t)(process_table_pages(rig.process) - tables);
	assert_int_equal(oom_badness(rig.process, oom_total_pages(rig.kernel)), badness);
	struct rig_text text = {.used = 0};
	procfs_print(rig.kernel, rig.process, PROCFS_STATUS, rig_add_text, &text);
	assert_non_null(strstr(text.bytes, "HugetlbPages:\t    4096 kB\n"));
	/* A child maps what is there, and counts it, too. */
	const struct process *child = kernel_process(rig.kernel, (unsigned)fork_child(&rig) - 1);
	assert_int_equal(process_hugetlb_pages(child), 2 * HUGE_BYTES / PAGE_BYTES);
	(void)rig_syscall(&rig, SYS_NR_MUNMAP, AREA, HUGE_BYTES, 0, 0, 0);
	assert_int_equal(process_hugetlb_pages(rig.process), HUGE_BYTES / PAGE_BYTES);
	rig_release(&rig);
}

static void smaps_counts_them_apart(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	assert_int_equal(map(&rig, AREA, 2, 0), AREA);
	rig_store(&rig, AREA, 1);
	struct rig_text text = {.used = 0};
	procfs_print_smaps_of(rig.process, process_vma_at(rig.process, vaddr(AREA)), rig_add_text, &text);
	assert_non_null(strstr(text.bytes, "Private_Hugetlb:    2048 kB\n"));
	assert_non_null(strstr(text.bytes, "Rss:                   0 kB\n"));
	rig_release(&rig);
}

/* ---- shared mappings ---- */

static struct process *fork_into(struct rig *rig)
{
	struct process *child = kernel_process(rig->kernel, (unsigned)fork_child(rig) - 1);
	kernel_run(rig->kernel, child);
	return child;
}

static int64_t map_shared(struct rig *rig, uint64_t pages, uint64_t flags)
{
	return rig_syscall(rig, SYS_NR_MMAP, AREA, pages * HUGE_BYTES, RW,
			   LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED | LINUX_MAP_HUGETLB | flags, -1ull);
}

/* What one of them touches is there for the other, whenever that was. */
static void shared_pages_are_the_same_for_all(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 3);
	assert_int_equal(map_shared(&rig, 3, 0), AREA);
	assert_pool(&rig, 3, 3);
	rig_store(&rig, AREA, 1);
	struct process *child = fork_into(&rig);
	assert_int_equal(process_hugetlb_pages(child), 0); /* faults bring them */
	assert_int_equal(rig_load(&rig, AREA), 1);
	rig_store(&rig, AREA + HUGE_BYTES, 2);
	rig_store(&rig, AREA + 8, 3);
	kernel_run(rig.kernel, rig.process);
	assert_int_equal(rig_load(&rig, AREA + HUGE_BYTES), 2);
	assert_int_equal(rig_load(&rig, AREA + 8), 3);
	assert_pool(&rig, 1, 1);
	assert_int_equal(child->stats.causes[FAULT_CAUSE_COW] + rig.process->stats.causes[FAULT_CAUSE_COW], 0);
	rig_release(&rig);
}

/* The promise belongs to the memory, not to who has asked for it. */
static void promises_of_shared_memory_serve_all_and_end_with_it(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	assert_int_equal(map_shared(&rig, 2, 0), AREA);
	(void)fork_into(&rig);
	rig_store(&rig, AREA, 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, AREA, HUGE_BYTES, LINUX_MADV_DONTNEED, 0, 0), 0);
	assert_pool(&rig, 1, 1); /* the memory keeps it */
	assert_int_equal(rig_load(&rig, AREA), 1);
	(void)rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	assert_pool(&rig, 1, 1);
	kernel_run(rig.kernel, rig.process);
	uint64_t value = 0;
	assert_true(process_peek64(rig.process, vaddr(AREA), &value)); /* nobody maps it now */
	assert_int_equal(value, 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, AREA, HUGE_BYTES, LINUX_MADV_REMOVE, 0, 0), 0);
	assert_pool(&rig, 2, 1); /* what was removed is promised no longer */
	assert_int_equal(rig_load(&rig, AREA), 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA, HUGE_BYTES, 0, 0, 0), 0);
	assert_pool(&rig, 1, 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA + HUGE_BYTES, HUGE_BYTES, 0, 0, 0), 0);
	assert_pool(&rig, 2, 0);
	rig_release(&rig);
}

static void shared_memory_without_promises_may_end_in_sigbus(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 1);
	assert_int_equal(map_shared(&rig, 2, 0), -LINUX_ENOMEM);
	assert_int_equal(map_shared(&rig, 2, LINUX_MAP_NORESERVE), AREA);
	rig_store(&rig, AREA, 1);
	assert_false(rig_write(&rig, AREA + HUGE_BYTES));
	assert_int_equal(rig.process->death.signal, 7);
	assert_pool(&rig, 1, 0);
	rig_release(&rig);
}

/* Without a hint there is a place for it, aligned. */
static void shared_memory_finds_its_place(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	const uint64_t flags = LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS | LINUX_MAP_HUGETLB;
	int64_t at = rig_syscall(&rig, SYS_NR_MMAP, 0, HUGE_BYTES, RW, flags, -1ull);
	assert_true(at > 0);
	assert_int_equal((uint64_t)at % HUGE_BYTES, 0);
	/* What is taken is no hint. */
	int64_t next = rig_syscall(&rig, SYS_NR_MMAP, (uint64_t)at, HUGE_BYTES, RW, flags, -1ull);
	assert_int_equal(next, at - (int64_t)HUGE_BYTES);
	rig_release(&rig);
}

/* The child keeps the page that its parent has let go of, so the promise cannot be kept. */
static void a_page_that_a_child_keeps_breaks_the_promise(void **state)
{
	(void)state;
	struct rig rig;
	struct process *child = boot_and_fork(&rig);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, AREA, HUGE_BYTES, LINUX_MADV_DONTNEED, 0, 0), 0);
	assert_pool(&rig, 0, 1);
	assert_false(rig_write(&rig, AREA));
	assert_int_equal(rig.process->death.signal, 7);
	kernel_run(rig.kernel, child);
	assert_int_equal(rig_load(&rig, AREA), 5);
	assert_pool(&rig, 0, 0);
	rig_release(&rig);
}

/* make_huge_pte: private memory that was only read is not writable yet. */
static void a_write_after_a_read_faults_again(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 1);
	assert_int_equal(map(&rig, AREA, 1, 0), AREA);
	assert_int_equal(rig_load(&rig, AREA), 0);
	rig_store(&rig, AREA, 1);
	assert_int_equal(rig.process->stats.causes[FAULT_CAUSE_DEMAND_ZERO], 1);
	assert_int_equal(rig.process->stats.causes[FAULT_CAUSE_REUSE], 1);
	rig_release(&rig);
}

static void only_the_sizes_that_there_are_can_be_asked_for(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	assert_int_equal(map(&rig, AREA, 1, LINUX_MAP_HUGE_2MB), AREA);
	assert_int_equal(map(&rig, AREA, 1, (uint64_t)25 << LINUX_MAP_HUGE_SHIFT), -LINUX_EINVAL);
	/* The processor has pages of 1 GiB, but boot has set none aside. */
	assert_int_equal(map(&rig, GIB, 512, LINUX_MAP_HUGE_1GB), -LINUX_ENOMEM);
	assert_int_equal(map(&rig, GIB, 512, LINUX_MAP_HUGE_1GB | LINUX_MAP_NORESERVE), GIB);
	assert_false(rig_write(&rig, GIB));
	assert_int_equal(rig.process->death.signal, 7);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mmap_promises_and_touching_takes),
	    cmocka_unit_test(who_was_promised_nothing_gets_sigbus),
	    cmocka_unit_test(a_child_that_writes_gets_sigbus_when_the_pool_is_empty),
	    cmocka_unit_test(the_owner_takes_its_page_back),
	    cmocka_unit_test(status_counts_them_apart),
	    cmocka_unit_test(smaps_counts_them_apart),
	    cmocka_unit_test(shared_pages_are_the_same_for_all),
	    cmocka_unit_test(promises_of_shared_memory_serve_all_and_end_with_it),
	    cmocka_unit_test(shared_memory_without_promises_may_end_in_sigbus),
	    cmocka_unit_test(shared_memory_finds_its_place),
	    cmocka_unit_test(a_page_that_a_child_keeps_breaks_the_promise),
	    cmocka_unit_test(a_write_after_a_read_faults_again),
	    cmocka_unit_test(only_the_sizes_that_there_are_can_be_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
