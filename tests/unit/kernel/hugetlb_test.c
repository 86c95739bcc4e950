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
	assert_int_equal(rig->kernel->hugetlb.total, pages);
}

static int64_t map(struct rig *rig, uint64_t at, uint64_t pages, uint64_t flags)
{
	return rig_mmap(rig, at, pages * HUGE_BYTES, RW, LINUX_MAP_FIXED | LINUX_MAP_HUGETLB | flags);
}

static void assert_pool(const struct rig *rig, uint64_t free, uint64_t reserved)
{
	assert_int_equal(rig->kernel->hugetlb.free, free);
	assert_int_equal(rig->kernel->hugetlb.reserved, reserved);
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

struct text {
	char bytes[8192];
	size_t used;
};

static void add_text(void *self, const char *bytes, size_t length)
{
	struct text *text = self;
	assert_true(text->used + length < sizeof(text->bytes));
	memcpy(text->bytes + text->used, bytes, length);
	text->used += length;
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
	struct text text = {.used = 0};
	procfs_print(rig.kernel, rig.process, PROCFS_STATUS, add_text, &text);
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
	struct text text = {.used = 0};
	procfs_print_smaps_of(rig.process, process_vma_at(rig.process, vaddr(AREA)), add_text, &text);
	assert_non_null(strstr(text.bytes, "Private_Hugetlb:    2048 kB\n"));
	assert_non_null(strstr(text.bytes, "Rss:                   0 kB\n"));
	rig_release(&rig);
}

static void only_the_size_that_there_is_can_be_asked_for(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 2);
	assert_int_equal(map(&rig, AREA, 1, LINUX_MAP_HUGE_2MB), AREA);
	assert_int_equal(map(&rig, AREA, 1, (uint64_t)30 << LINUX_MAP_HUGE_SHIFT), -LINUX_EINVAL);
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
	    cmocka_unit_test(only_the_size_that_there_is_can_be_asked_for),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
