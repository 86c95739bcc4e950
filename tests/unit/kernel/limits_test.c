/* Limits of a process, promises of memory, and where chance puts things. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };

/* The struct rlimit of the program: a variable of its own. */
static int64_t limit(struct rig *rig, uint64_t resource, uint64_t soft, uint64_t hard)
{
	uint64_t at = rig->process->segment_start[SEGMENT_DATA].v;
	assert_true(machine_store(rig->machine, vaddr(at), 8, soft));
	assert_true(machine_store(rig->machine, vaddr(at + 8), 8, hard));
	return rig_syscall(rig, SYS_NR_PRLIMIT64, 0, resource, at, 0, 0);
}

static int64_t brk_to(struct rig *rig, uint64_t at)
{
	return rig_syscall(rig, SYS_NR_BRK, at, 0, 0, 0, 0);
}

static void prlimit_has_the_errors_of_linux(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	const uint64_t none = LINUX_RLIM_INFINITY;
	uint64_t at = rig.process->segment_start[SEGMENT_BSS].v, value = 0;
	assert_int_equal(limit(&rig, LINUX_RLIMIT_MEMLOCK, 2, 1), -LINUX_EINVAL);
	assert_int_equal(limit(&rig, LINUX_RLIMIT_MEMLOCK, 1, none), -LINUX_EPERM);
	assert_int_equal(limit(&rig, 99, 1, 1), -LINUX_EINVAL);
	assert_int_equal(rig_syscall(&rig, SYS_NR_PRLIMIT64, 7, LINUX_RLIMIT_AS, 0, at, 0), -LINUX_ESRCH);
	assert_int_equal(rig_syscall(&rig, SYS_NR_PRLIMIT64, 0, LINUX_RLIMIT_AS, 0x1000, 0, 0), -LINUX_EFAULT);
	assert_int_equal(rig_syscall(&rig, SYS_NR_PRLIMIT64, 0, LINUX_RLIMIT_STACK, 0, at, 0), 0);
	assert_true(machine_load(rig.machine, vaddr(at), 8, &value));
	assert_int_equal(value, 8 * MIB);
	assert_true(machine_load(rig.machine, vaddr(at + 8), 8, &value));
	assert_true(value == none);
	rig_release(&rig);
}

static void the_data_limit_stops_brk_and_writable_mappings(void **state)
{
	(void)state;
	struct rig rig;
	const uint64_t none = LINUX_RLIM_INFINITY;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t start = (uint64_t)brk_to(&rig, 0);
	assert_int_equal(limit(&rig, LINUX_RLIMIT_DATA, 64 * KIB, none), 0);
	/* The program's 8 KiB of initialised variables count with the heap. */
	assert_int_equal(brk_to(&rig, start + 57 * KIB), start);
	assert_int_equal(brk_to(&rig, start + 16 * KIB), start + 16 * KIB);
	assert_int_equal(rig_mmap(&rig, 0, 64 * KIB, RW, 0), -LINUX_ENOMEM);
	int64_t shut = rig_mmap(&rig, 0, 64 * KIB, LINUX_PROT_READ, 0);
	assert_true(shut > 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MPROTECT, (uint64_t)shut, 64 * KIB, RW, 0, 0), -LINUX_ENOMEM);
	rig_release(&rig);
}

static void the_stack_limit_can_change_while_the_program_runs(void **state)
{
	(void)state;
	struct rig rig;
	const uint64_t top = 0x7ffffffff000;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	assert_int_equal(limit(&rig, LINUX_RLIMIT_STACK, 256 * KIB, 8 * MIB), 0);
	assert_true(rig_write(&rig, top - 256 * KIB));
	assert_false(rig_write(&rig, top - 260 * KIB));
	rig_release(&rig);
}

static void a_large_stack_limit_moves_the_mappings_down(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_with(&rig, 0, NULL, &(struct process_spec){.name = "test", .stack_limit = 1 * GIB});
	/* mmap_base: the stack, the gap of 256 pages, and then the mappings. */
	uint64_t libc_end = rig.process->segment_start[SEGMENT_LIBC_DATA].v + 16 * KIB;
	assert_int_equal(libc_end, 0x7ffffffff000 - 1 * GIB - 1 * MIB);
	rig_release(&rig);
}

static void chance_moves_everything_and_repeats_itself(void **state)
{
	(void)state;
	struct rig plain, first, again, other;
	const struct process_spec spec = {.name = "test", .aslr_seed = 7}, others = {.name = "test", .aslr_seed = 8};
	rig_boot(&plain, 0, OVERCOMMIT_HEURISTIC);
	rig_boot_with(&first, 0, NULL, &spec);
	rig_boot_with(&again, 0, NULL, &spec);
	rig_boot_with(&other, 0, NULL, &others);
	static const enum segment segments[] = {SEGMENT_TEXT, SEGMENT_HEAP, SEGMENT_LIBC, SEGMENT_STACK};
	for (unsigned i = 0; i < sizeof(segments) / sizeof(*segments); i++) {
		uint64_t at = process_segment(first.process, segments[i]).v;
		assert_int_equal(at, process_segment(again.process, segments[i]).v);
		assert_int_not_equal(at, process_segment(plain.process, segments[i]).v);
		assert_int_not_equal(at, process_segment(other.process, segments[i]).v);
	}
	assert_int_equal(rig_mmap(&first, 0, 4096, RW, 0), rig_mmap(&again, 0, 4096, RW, 0));
	rig_release(&plain);
	rig_release(&first);
	rig_release(&again);
	rig_release(&other);
}

static void shared_memory_is_promised_once_and_given_back_with_its_last_mapping(void **state)
{
	(void)state;
	struct rig rig;
	const uint64_t flags = LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS;
	rig_boot(&rig, 64 * MIB, OVERCOMMIT_NEVER);
	int64_t a = rig_syscall(&rig, SYS_NR_MMAP, 0, 20 * MIB, RW, flags, UINT64_MAX);
	assert_true(a > 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MMAP, 0, 20 * MIB, RW, flags, UINT64_MAX), -LINUX_ENOMEM);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, (uint64_t)a, 10 * MIB, 0, 0, 0), 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MMAP, 0, 20 * MIB, RW, flags, UINT64_MAX), -LINUX_ENOMEM);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, (uint64_t)a + 10 * MIB, 10 * MIB, 0, 0, 0), 0);
	assert_true(rig_syscall(&rig, SYS_NR_MMAP, 0, 20 * MIB, RW, flags, UINT64_MAX) > 0);
	rig_release(&rig);
}

static void mlockall_locks_what_comes(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCKALL, LINUX_MCL_FUTURE, 0, 0, 0, 0), 0);
	uint64_t faults = rig.process->stats.minor_faults, start = (uint64_t)brk_to(&rig, 0);
	assert_int_equal(brk_to(&rig, start + 64 * KIB), start + 64 * KIB);
	assert_int_equal(rig.process->stats.minor_faults, faults + 16);
	assert_int_equal(limit(&rig, LINUX_RLIMIT_MEMLOCK, 100 * KIB, 8 * MIB), 0);
	assert_int_equal(rig_mmap(&rig, 0, 64 * KIB, RW, 0), -LINUX_EAGAIN);
	assert_int_equal(brk_to(&rig, start + 128 * KIB), start + 64 * KIB);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCKALL, LINUX_MCL_CURRENT, 0, 0, 0, 0), -LINUX_ENOMEM);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNLOCKALL, 0, 0, 0, 0, 0), 0);
	assert_true(rig_mmap(&rig, 0, 64 * KIB, RW, 0) > 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCKALL, 0, 0, 0, 0, 0), -LINUX_EINVAL);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(prlimit_has_the_errors_of_linux),
	    cmocka_unit_test(the_data_limit_stops_brk_and_writable_mappings),
	    cmocka_unit_test(the_stack_limit_can_change_while_the_program_runs),
	    cmocka_unit_test(a_large_stack_limit_moves_the_mappings_down),
	    cmocka_unit_test(chance_moves_everything_and_repeats_itself),
	    cmocka_unit_test(shared_memory_is_promised_once_and_given_back_with_its_last_mapping),
	    cmocka_unit_test(mlockall_locks_what_comes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
