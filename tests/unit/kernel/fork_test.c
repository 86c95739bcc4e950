/* fork: two processes, one set of pages, until somebody writes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel_private.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define AREA ((uint64_t)0x10000000)

static uint64_t page(uint64_t number)
{
	return AREA + number * PAGE_BYTES;
}

static void boot(struct rig *rig, enum paging_mode paging, uint64_t pages, uint64_t more_flags)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.swap_bytes = 16 * MIB;
	config.paging = paging;
	rig_boot_kernel(rig, 0, &config);
	uint64_t flags = LINUX_MAP_FIXED | LINUX_MAP_ANONYMOUS | (more_flags ? more_flags : LINUX_MAP_PRIVATE);
	assert_int_equal(rig_syscall(rig, SYS_NR_MMAP, AREA, pages * PAGE_BYTES, RW, flags, UINT64_MAX), AREA);
	for (uint64_t i = 0; i < pages; i++)
		rig_store(rig, page(i), 100 + i);
}

static struct process *do_fork(struct rig *rig)
{
	int64_t pid = rig_syscall(rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	assert_true(pid > 0);
	return kernel_process(rig->kernel, (unsigned)pid - 1);
}

static uint64_t frames_used(const struct rig *rig)
{
	return frame_pool_used(kernel_frames(rig->kernel), FRAME_ANON);
}

static void pages_are_shared_until_one_writes(void **state)
{
	(void)state;
	static const enum paging_mode modes[] = {PAGING_4LEVEL, PAGING_PAE, PAGING_32BIT, PAGING_5LEVEL};
	for (unsigned i = 0; i < 4; i++) {
		struct rig rig;
		boot(&rig, modes[i], 4, 0);
		uint64_t used = frames_used(&rig);
		struct process *child = do_fork(&rig);
		assert_int_equal(frames_used(&rig), used);
		rig_store(&rig, page(0), 1); /* the parent's write is a copy */
		assert_int_equal(frames_used(&rig), used + 1);
		assert_int_equal(rig_faults(&rig, FAULT_CAUSE_COW), 1);
		kernel_run(rig.kernel, child);
		assert_int_equal(rig_load(&rig, page(0)), 100);
		rig_store(&rig, page(1), 2);
		assert_int_equal(rig_load(&rig, page(1)), 2);
		kernel_run(rig.kernel, rig.process);
		assert_int_equal(rig_load(&rig, page(0)), 1);
		assert_int_equal(rig_load(&rig, page(1)), 101);
		rig_release(&rig);
	}
}

static void who_is_left_alone_with_a_page_writes_without_a_copy(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 4, 0);
	struct process *child = do_fork(&rig);
	rig_store(&rig, page(0), 1);
	uint64_t used = frames_used(&rig);
	kernel_run(rig.kernel, child);
	rig_store(&rig, page(0), 2);
	assert_int_equal(frames_used(&rig), used);
	assert_int_equal(child->stats.causes[FAULT_CAUSE_REUSE], 1);
	rig_release(&rig);
}

static void a_child_takes_its_shared_pages_with_it_only_if_nobody_else_has_them(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 4, 0);
	uint64_t used = frames_used(&rig), free = frame_pool_free(kernel_frames(rig.kernel));
	struct process *child = do_fork(&rig);
	kernel_run(rig.kernel, child);
	rig_store(&rig, page(0), 2);
	rig_syscall(&rig, SYS_NR_EXIT, 3, 0, 0, 0, 0);
	assert_true(child->death.dead);
	assert_int_equal(frames_used(&rig), used);
	kernel_run(rig.kernel, rig.process);
	assert_int_equal(rig_load(&rig, page(0)), 100);
	assert_int_equal(frame_pool_free(kernel_frames(rig.kernel)), free);
	rig_release(&rig);
}

static void what_is_in_swap_is_shared_there(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 16, 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, AREA, 16 * PAGE_BYTES, LINUX_MADV_PAGEOUT, 0, 0), 0);
	struct process *child = do_fork(&rig);
	assert_int_equal(process_swap_pages(child), 16);
	assert_int_equal(kernel_swap_use(rig.kernel).used, 16);
	kernel_run(rig.kernel, child);
	for (uint64_t i = 0; i < 16; i++) {
		assert_int_equal(rig_load(&rig, page(i)), 100 + i);
		rig_store(&rig, page(i), 200 + i);
	}
	kernel_run(rig.kernel, rig.process);
	for (uint64_t i = 0; i < 16; i++)
		assert_int_equal(rig_load(&rig, page(i)), 100 + i);
	rig_release(&rig);
}

static void a_shared_page_is_swapped_out_for_both(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 1, 0);
	struct process *child = do_fork(&rig);
	assert_true(evict(rig.kernel, pfn(pte_frame(table_get(rig.process->mm, vaddr(AREA))))));
	assert_int_equal(process_swap_pages(rig.process), 1);
	assert_int_equal(process_swap_pages(child), 1);
	assert_int_equal(rig_load(&rig, AREA), 100);
	kernel_run(rig.kernel, child);
	assert_int_equal(rig_load(&rig, AREA), 100);
	assert_int_equal(child->stats.causes[FAULT_CAUSE_SWAP_CACHE], 1);
	/* The second to come finds the frame that the first read. */
	assert_int_equal(table_get(child->mm, vaddr(AREA)).word, table_get(rig.process->mm, vaddr(AREA)).word);
	rig_release(&rig);
}

static void shared_memory_stays_shared(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 4, LINUX_MAP_SHARED);
	struct process *child = do_fork(&rig);
	rig_store(&rig, page(0), 1);
	kernel_run(rig.kernel, child);
	assert_int_equal(rig_load(&rig, page(0)), 1);
	rig_store(&rig, page(1), 2);
	kernel_run(rig.kernel, rig.process);
	assert_int_equal(rig_load(&rig, page(1)), 2);
	rig_release(&rig);
}

static void advice_says_what_a_child_gets(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 3, 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, page(0), PAGE_BYTES, LINUX_MADV_DONTFORK, 0, 0), 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, page(1), PAGE_BYTES, LINUX_MADV_WIPEONFORK, 0, 0), 0);
	struct process *child = do_fork(&rig);
	kernel_run(rig.kernel, child);
	assert_int_equal(rig_load(&rig, page(1)), 0);
	assert_int_equal(rig_load(&rig, page(2)), 102);
	assert_false(rig_read(&rig, page(0)));
	rig_release(&rig);
}

static void locks_are_not_inherited(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 3, 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCK, AREA, 3 * PAGE_BYTES, 0, 0, 0), 0);
	struct process *child = do_fork(&rig);
	assert_int_equal(child->mm->locked_vm, 0);
	assert_int_equal(rig.process->mm->locked_vm, 3);
	rig_release(&rig);
}

static void huge_pages_are_shared_until_one_writes(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 512, LINUX_MAP_PRIVATE | LINUX_MAP_HUGETLB);
	uint64_t frames = frame_pool_used(kernel_frames(rig.kernel), FRAME_HUGETLB);
	struct process *child = do_fork(&rig);
	assert_int_equal(frame_pool_used(kernel_frames(rig.kernel), FRAME_HUGETLB), frames);
	rig_store(&rig, page(3), 1);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_COW), 1);
	assert_int_equal(frame_pool_used(kernel_frames(rig.kernel), FRAME_HUGETLB), frames + 512);
	kernel_run(rig.kernel, child);
	assert_int_equal(rig_load(&rig, page(3)), 103);
	rig_store(&rig, page(3), 2);
	assert_int_equal(child->stats.causes[FAULT_CAUSE_REUSE], 1);
	rig_release(&rig);
}

static void a_parent_waits_for_its_children_only(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL, 1, 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_WAIT4, UINT64_MAX, 0, 0, 0, 0), -LINUX_ECHILD);
	struct process *child = do_fork(&rig);
	assert_int_equal(rig_syscall(&rig, SYS_NR_WAIT4, UINT64_MAX, 0, LINUX_WNOHANG, 0, 0), 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_WAIT4, UINT64_MAX, 0, 0, 0, 0), -LINUX_ERESTARTSYS);
	kernel_run(rig.kernel, child);
	assert_int_equal(rig_syscall(&rig, SYS_NR_WAIT4, UINT64_MAX, 0, 0, 0, 0), -LINUX_ECHILD);
	rig_syscall(&rig, SYS_NR_EXIT, 3, 0, 0, 0, 0);
	kernel_run(rig.kernel, rig.process);
	assert_int_equal(rig_syscall(&rig, SYS_NR_WAIT4, UINT64_MAX, AREA, 0, 0, 0), child->pid);
	assert_int_equal((uint32_t)rig_load(&rig, AREA), 3 << 8);
	assert_int_equal(rig_syscall(&rig, SYS_NR_WAIT4, UINT64_MAX, 0, 0, 0, 0), -LINUX_ECHILD);
	rig_release(&rig);
}

static void a_promise_that_cannot_be_made_twice_refuses_the_fork(void **state)
{
	(void)state;
	struct rig rig;
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.overcommit = OVERCOMMIT_NEVER;
	rig_boot_kernel(&rig, 0, &config);
	assert_int_equal(rig_mmap(&rig, AREA, 16 * MIB, RW, LINUX_MAP_FIXED), AREA);
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel)), committed = rig.kernel->committed;
	assert_int_equal(rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0), -LINUX_ENOMEM);
	assert_int_equal(frame_pool_free(kernel_frames(rig.kernel)), free);
	assert_int_equal(rig.kernel->committed, committed);
	size_t used = arena_used(rig.arena);
	for (unsigned again = 0; again < 1000; again++)
		assert_int_equal(rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0), -LINUX_ENOMEM);
	assert_int_equal(arena_used(rig.arena), used); /* a world has only so much */
	rig_store(&rig, AREA, 5);                      /* and the parent goes on */
	rig_release(&rig);
}

/* A program may try as often as it likes: what a world may take of the host is limited. */
static void forks_that_fail_keep_nothing(void **state)
{
	(void)state;
	static const enum syscall_number calls[] = {SYS_NR_FORK, SYS_NR_VFORK};
	for (unsigned i = 0; i < 2; i++) {
		struct rig rig;
		struct pfn frame;
		boot(&rig, PAGING_4LEVEL, 1, 0);
		while (frame_take(rig.kernel->frames, 0, FRAME_KERNEL, &frame))
			continue;
		assert_int_equal(rig_syscall(&rig, calls[i], 0, 0, 0, 0, 0), -LINUX_ENOMEM);
		size_t used = arena_used(rig.arena);
		for (unsigned again = 0; again < 1000; again++)
			assert_int_equal(rig_syscall(&rig, calls[i], 0, 0, 0, 0, 0), -LINUX_ENOMEM);
		assert_int_equal(arena_used(rig.arena), used);
		rig_release(&rig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pages_are_shared_until_one_writes),
	    cmocka_unit_test(who_is_left_alone_with_a_page_writes_without_a_copy),
	    cmocka_unit_test(a_child_takes_its_shared_pages_with_it_only_if_nobody_else_has_them),
	    cmocka_unit_test(what_is_in_swap_is_shared_there),
	    cmocka_unit_test(a_shared_page_is_swapped_out_for_both),
	    cmocka_unit_test(shared_memory_stays_shared),
	    cmocka_unit_test(advice_says_what_a_child_gets),
	    cmocka_unit_test(locks_are_not_inherited),
	    cmocka_unit_test(huge_pages_are_shared_until_one_writes),
	    cmocka_unit_test(a_parent_waits_for_its_children_only),
	    cmocka_unit_test(a_promise_that_cannot_be_made_twice_refuses_the_fork),
	    cmocka_unit_test(forks_that_fail_keep_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
