/* vfork: two processes in one memory, of which one waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpus.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE, PAGES = 8 };
#define AREA ((uint64_t)0x10000000)

static const enum paging_mode modes[] = {PAGING_4LEVEL, PAGING_PAE, PAGING_32BIT, PAGING_5LEVEL};
enum { MODES = sizeof(modes) / sizeof(*modes) };

static uint64_t page(uint64_t number)
{
	return AREA + number * PAGE_BYTES;
}

static void fill(struct rig *rig)
{
	assert_int_equal(rig_mmap(rig, AREA, PAGES * PAGE_BYTES, RW, LINUX_MAP_FIXED), AREA);
	for (uint64_t i = 0; i < PAGES; i++)
		rig_store(rig, page(i), 100 + i);
}

static void boot(struct rig *rig, enum paging_mode paging)
{
	rig_boot_paging(rig, paging);
	fill(rig);
}

/* The child, which runs. */
static struct process *enter_child(struct rig *rig, struct process *parent)
{
	(void)rig_syscall(rig, SYS_NR_VFORK, 0, 0, 0, 0, 0);
	struct process *child = kernel_process(rig->kernel, parent->vfork_child - 1);
	assert_non_null(child);
	assert_null(kernel_current(rig->kernel)); /* the caller sleeps */
	assert_true(kernel_waits_in_vfork(rig->kernel, parent));
	kernel_run(rig->kernel, child);
	assert_int_equal((uint32_t)machine_cpu(rig->machine)->gpr[GPR_RAX], 0);
	return child;
}

static void return_to(struct rig *rig, struct process *parent, const struct process *child)
{
	assert_false(kernel_waits_in_vfork(rig->kernel, parent));
	kernel_run(rig->kernel, parent);
	assert_int_equal((uint32_t)machine_cpu(rig->machine)->gpr[GPR_RAX], child->pid);
	assert_int_equal(parent->vfork_child, 0);
}

static uint64_t free_frames(const struct rig *rig)
{
	return frame_pool_free(kernel_frames(rig->kernel));
}

static void nothing_is_copied_and_what_the_child_writes_is_the_parents(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MODES; i++) {
		struct rig rig;
		boot(&rig, modes[i]);
		uint64_t free = free_frames(&rig), tables = process_table_pages(rig.process);
		uint64_t flushes = machine_mmu_stats(rig.machine).flushes;
		struct process *child = enter_child(&rig, rig.process);
		assert_int_equal(free_frames(&rig), free - 4); /* its stack in the kernel */
		assert_int_equal(process_page_table(child).v, process_page_table(rig.process).v);
		assert_int_equal(child->pcid, rig.process->pcid);
		for (uint64_t p = 0; p < PAGES; p++) {
			assert_int_equal(rig_load(&rig, page(p)), 100 + p);
			rig_store(&rig, page(p), 200 + p);
		}
		rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
		return_to(&rig, rig.process, child);
		assert_int_equal(machine_mmu_stats(rig.machine).flushes, flushes);
		for (uint64_t p = 0; p < PAGES; p++) {
			assert_int_equal(rig_load(&rig, page(p)), 200 + p);
			rig_store(&rig, page(p), 300 + p);
		}
		assert_int_equal(rig_faults(&rig, FAULT_CAUSE_COW) + rig_faults(&rig, FAULT_CAUSE_REUSE), 0);
		assert_int_equal(child->stats.minor_faults, 0);
		assert_int_equal(process_table_pages(rig.process), tables);
		assert_int_equal(free_frames(&rig), free);
		assert_int_equal(rig_syscall(&rig, SYS_NR_WAIT4, UINT64_MAX, 0, 0, 0, 0), child->pid);
		rig_release(&rig);
	}
}

static void what_the_child_maps_and_unmaps_stays_so(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL);
	struct process *child = enter_child(&rig, rig.process);
	assert_int_equal(rig_mmap(&rig, page(100), PAGE_BYTES, RW, LINUX_MAP_FIXED), page(100));
	rig_store(&rig, page(100), 5);
	assert_int_equal(child->stats.causes[FAULT_CAUSE_DEMAND_ZERO], 1); /* its doing */
	assert_int_equal(child->stats.frames_taken, 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, page(3), PAGE_BYTES, 0, 0, 0), 0);
	rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	return_to(&rig, rig.process, child);
	assert_int_equal(rig_load(&rig, page(100)), 5);
	assert_false(rig_read(&rig, page(3)));
	assert_true(rig.process->death.dead);
	rig_release(&rig);
}

static void exec_path(struct rig *rig, const char *path)
{
	uint64_t words[4] = {0};
	memcpy(words, path, strlen(path));
	for (unsigned i = 0; i < 4; i++)
		rig_store(rig, page(PAGES - 1) + 8 * i, words[i]);
	(void)rig_syscall(rig, SYS_NR_EXECVE, page(PAGES - 1), 0, 0, 0, 0);
}

static void exec_leaves_the_memory_to_the_parent(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MODES; i++) {
		struct rig rig;
		boot(&rig, modes[i]);
		assert_true(kernel_install(rig.kernel, &(struct process_spec){.name = "other"}));
		uint64_t free = free_frames(&rig), cached = kernel_cache_use(rig.kernel).files;
		struct process *child = enter_child(&rig, rig.process);
		exec_path(&rig, "/usr/bin/other");
		assert_string_equal(child->name, "other");
		assert_true(process_page_table(child).v != process_page_table(rig.process).v);
		assert_true(modes[i] == PAGING_PAE || modes[i] == PAGING_32BIT || child->pcid != rig.process->pcid);
		/* Both can run now, each in its own. */
		return_to(&rig, rig.process, child);
		for (uint64_t p = 0; p < PAGES - 1; p++)
			assert_int_equal(rig_load(&rig, page(p)), 100 + p);
		rig_store(&rig, page(0), 1);
		assert_int_equal(rig_faults(&rig, FAULT_CAUSE_COW) + rig_faults(&rig, FAULT_CAUSE_REUSE), 0);
		kernel_run(rig.kernel, child);
		assert_false(process_vma_at(child, vaddr(AREA)));
		rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
		kernel_run(rig.kernel, rig.process);
		/* Once, and not the parent's. The program stays in the page cache. */
		assert_int_equal(free_frames(&rig) + kernel_cache_use(rig.kernel).files - cached, free);
		assert_int_equal(rig_load(&rig, page(1)), 101);
		rig_release(&rig);
	}
}

static void a_call_of_exec_that_fails_lets_the_parent_wait_on(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL);
	struct process *child = enter_child(&rig, rig.process);
	exec_path(&rig, "/usr/bin/nothing");
	assert_int_equal((int64_t)machine_cpu(rig.machine)->gpr[GPR_RAX], -LINUX_ENOENT);
	assert_true(kernel_waits_in_vfork(rig.kernel, rig.process));
	rig_syscall(&rig, SYS_NR_EXIT, 127, 0, 0, 0, 0);
	return_to(&rig, rig.process, child);
	rig_release(&rig);
}

static void a_child_that_is_killed_lets_the_parent_go_on(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MODES; i++) {
		struct rig rig;
		boot(&rig, modes[i]);
		uint64_t free = free_frames(&rig);
		struct process *child = enter_child(&rig, rig.process);
		assert_false(rig_read(&rig, page(1000)));
		assert_int_equal(child->death.signal, 11);
		return_to(&rig, rig.process, child);
		assert_int_equal(rig_load(&rig, page(2)), 102);
		assert_int_equal(free_frames(&rig), free);
		rig_release(&rig);
	}
}

static void a_child_may_call_vfork_and_fork(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL);
	uint64_t free = free_frames(&rig);
	struct process *child = enter_child(&rig, rig.process), *grandchild = enter_child(&rig, child);
	assert_int_equal(rig.process->mm->users, 3);
	int64_t pid = rig_syscall(&rig, SYS_NR_FORK, 0, 0, 0, 0, 0);
	rig_store(&rig, page(0), 7); /* a copy: the fork has page 0, too */
	assert_int_equal(grandchild->stats.causes[FAULT_CAUSE_COW], 1);
	rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	assert_true(kernel_waits_in_vfork(rig.kernel, rig.process));
	return_to(&rig, child, grandchild);
	assert_int_equal(rig_load(&rig, page(0)), 7);
	rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	kernel_run(rig.kernel, kernel_process(rig.kernel, (unsigned)pid - 1));
	assert_int_equal(rig_load(&rig, page(0)), 100);
	rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	return_to(&rig, rig.process, child);
	assert_int_equal(free_frames(&rig), free);
	rig_release(&rig);
}

static void descriptors_are_copied(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, PAGING_4LEVEL);
	const struct file_spec spec = {"/data", PAGE_BYTES, FILE_CONTENT_OFFSETS};
	assert_true(kernel_add_file(rig.kernel, &spec));
	rig_store(&rig, page(0), 0x617461642f); /* "/data" */
	int64_t fd = rig_syscall(&rig, SYS_NR_OPENAT, (uint64_t)-100, page(0), LINUX_O_RDONLY, 0, 0);
	assert_true(fd >= 0);
	struct process *child = enter_child(&rig, rig.process);
	assert_int_equal(rig_syscall(&rig, SYS_NR_CLOSE, (uint64_t)fd, 0, 0, 0, 0), 0);
	rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	return_to(&rig, rig.process, child);
	assert_int_equal(rig_syscall(&rig, SYS_NR_READ, (uint64_t)fd, page(1), 8, 0, 0), 8);
	rig_release(&rig);
}

/* The child's home is the other CPU. */
static void a_cpu_whose_process_waits_is_idle(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_cpus(&rig, 2, PAGING_4LEVEL);
	fill(&rig);
	struct process *child = enter_child(&rig, rig.process);
	assert_int_equal(machine_cpu_number(rig.machine), 1);
	assert_null(cpu_current(rig.kernel, 0));
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, page(3), PAGE_BYTES, 0, 0, 0), 0);
	assert_int_equal(rig.bus.count[EVENT_IPI], 0); /* lazy TLB mode: it looks before it goes on */
	rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	return_to(&rig, rig.process, child);
	assert_int_equal(machine_cpu_number(rig.machine), 0);
	assert_int_equal(rig_load(&rig, page(2)), 102);
	assert_false(rig_read(&rig, page(3)));
	rig_release(&rig);
}

/* ---- the OOM killer ---- */

static void take(struct rig *rig, uint64_t pages)
{
	assert_int_equal(rig_mmap(rig, AREA, pages * PAGE_BYTES, RW, LINUX_MAP_FIXED), AREA);
}

static uint64_t touch(struct rig *rig, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++) {
		if (!rig_write(rig, page(i)))
			return i;
	}
	return pages;
}

static void boot_small(struct rig *rig)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.overcommit = OVERCOMMIT_ALWAYS;
	rig_boot_kernel(rig, 8 * MIB, &config);
	take(rig, 4096);
	assert_int_equal(touch(rig, 1000), 1000);
}

static void who_is_chosen_takes_all_with_it_that_have_its_memory(void **state)
{
	(void)state;
	struct rig rig;
	boot_small(&rig);
	const struct process *child = enter_child(&rig, rig.process);
	assert_int_equal(oom_badness(child, 2000), INT64_MIN);
	struct process *other = kernel_spawn(rig.kernel, &(struct process_spec){.name = "other"});
	kernel_run(rig.kernel, other);
	take(&rig, 4096);
	assert_int_equal(touch(&rig, 1200), 1200);
	assert_int_equal(kernel_vm_counts(rig.kernel)->oom_kills, 1);
	assert_int_equal(child->death.signal, 9);
	assert_int_equal(rig.process->death.signal, 9);
	rig_release(&rig);
}

static void a_child_that_runs_out_of_memory_dies_with_its_parent(void **state)
{
	(void)state;
	struct rig rig;
	boot_small(&rig);
	const struct process *child = enter_child(&rig, rig.process);
	assert_true(touch(&rig, 4096) < 4096);
	assert_int_equal(child->death.signal, 9);
	assert_int_equal(rig.process->death.signal, 9);
	assert_int_equal(frame_pool_used(kernel_frames(rig.kernel), FRAME_ANON), 0);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_is_copied_and_what_the_child_writes_is_the_parents),
	    cmocka_unit_test(what_the_child_maps_and_unmaps_stays_so),
	    cmocka_unit_test(exec_leaves_the_memory_to_the_parent),
	    cmocka_unit_test(a_call_of_exec_that_fails_lets_the_parent_wait_on),
	    cmocka_unit_test(a_child_that_is_killed_lets_the_parent_go_on),
	    cmocka_unit_test(a_child_may_call_vfork_and_fork),
	    cmocka_unit_test(descriptors_are_copied),
	    cmocka_unit_test(a_cpu_whose_process_waits_is_idle),
	    cmocka_unit_test(who_is_chosen_takes_all_with_it_that_have_its_memory),
	    cmocka_unit_test(a_child_that_runs_out_of_memory_dies_with_its_parent),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
