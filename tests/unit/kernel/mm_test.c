/* Memory calls: results and resulting VMAs, by example and against a model with one record per page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/bus.h"
#include "faultline/rng.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE, FIXED = LINUX_MAP_FIXED };

static unsigned count_vmas(const struct rig *rig)
{
	unsigned count = 0;
	for (const struct vma *vma = process_vma_after(rig->process, vaddr(0)); vma; vma = vma->next)
		count++;
	return count;
}

static int64_t munmap_(struct rig *rig, uint64_t address, uint64_t bytes)
{
	return rig_syscall(rig, SYS_NR_MUNMAP, address, bytes, 0, 0, 0);
}

static int64_t mprotect_(struct rig *rig, uint64_t address, uint64_t bytes, uint64_t prot)
{
	return rig_syscall(rig, SYS_NR_MPROTECT, address, bytes, prot, 0, 0);
}

static int64_t mremap_(struct rig *rig, uint64_t address, uint64_t old_bytes, uint64_t new_bytes, uint64_t flags,
		       uint64_t to)
{
	return rig_syscall(rig, SYS_NR_MREMAP, address, old_bytes, new_bytes, flags, to);
}

static void mappings_go_top_down_and_merge(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	unsigned before = count_vmas(&rig);
	int64_t a = rig_mmap(&rig, 0, 8192, RW, 0), b = rig_mmap(&rig, 0, 4096, RW, 0);
	assert_int_equal(b, a - 4096);
	assert_int_equal(count_vmas(&rig), before + 1);
	int64_t c = rig_mmap(&rig, 0, 4096, LINUX_PROT_READ, 0);
	assert_int_equal(c, b - 4096);
	assert_int_equal(count_vmas(&rig), before + 2);
	/* A hole is filled before lower addresses are used. */
	assert_int_equal(munmap_(&rig, (uint64_t)b, 4096), 0);
	assert_int_equal(rig_mmap(&rig, 0, 4096, RW, 0), b);
	rig_release(&rig);
}

static void multiples_of_2_mib_are_aligned(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	(void)rig_mmap(&rig, 0, 4096, RW, 0);
	assert_int_equal((uint64_t)rig_mmap(&rig, 0, 2 * MIB, RW, 0) % (2 * MIB), 0);
	assert_int_equal((uint64_t)rig_mmap(&rig, 0, 4 * MIB, RW, 0) % (2 * MIB), 0);
	rig_release(&rig);
}

static void bad_arguments_get_the_errno_of_linux(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t at = (uint64_t)rig_mmap(&rig, 0, 16384, RW, 0);
	assert_int_equal(rig_mmap(&rig, 0, 0, RW, 0), -LINUX_EINVAL);
	assert_int_equal(rig_mmap(&rig, 0, UINT64_MAX, RW, 0), -LINUX_ENOMEM);
	assert_int_equal(rig_mmap(&rig, 0, (uint64_t)1 << 50, RW, 0), -LINUX_ENOMEM);
	assert_int_equal(rig_mmap(&rig, 0, 1 * GIB, RW, 0), -LINUX_ENOMEM); /* more than all RAM */
	assert_true(rig_mmap(&rig, 0, 1 * GIB, RW, LINUX_MAP_NORESERVE) > 0);
	assert_int_equal(rig_mmap(&rig, 0x1001, 4096, RW, FIXED), -LINUX_EINVAL);
	assert_int_equal(rig_mmap(&rig, 0x1000, 4096, RW, FIXED), -LINUX_EPERM);
	assert_int_equal(rig_mmap(&rig, 0x7ffffffff000, 4096, RW, FIXED), -LINUX_ENOMEM);
	assert_int_equal(rig_mmap(&rig, at, 4096, RW, LINUX_MAP_FIXED_NOREPLACE), -LINUX_EEXIST);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MMAP, 0, 4096, RW, LINUX_MAP_PRIVATE, 3), -LINUX_EBADF);
	assert_int_equal(munmap_(&rig, at + 1, 4096), -LINUX_EINVAL);
	assert_int_equal(munmap_(&rig, at, 0), -LINUX_EINVAL);
	assert_int_equal(munmap_(&rig, 0x10000000, 4096), 0);
	assert_int_equal(mprotect_(&rig, 0x10000000, 4096, RW), -LINUX_ENOMEM);
	assert_int_equal(mprotect_(&rig, at + 8, 4096, RW), -LINUX_EINVAL);
	assert_int_equal(mprotect_(&rig, at, 0, RW), 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, at + 1, 4096, LINUX_MADV_DONTNEED, 0, 0), -LINUX_EINVAL);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, 0x10000000, 4096, LINUX_MADV_DONTNEED, 0, 0), -LINUX_ENOMEM);
	assert_int_equal(mremap_(&rig, at, 16384, 0, 1, 0), -LINUX_EINVAL);
	assert_int_equal(mremap_(&rig, 0x10000000, 4096, 8192, 1, 0), -LINUX_EFAULT);
	assert_int_equal(mremap_(&rig, at, 65536, 131072, 1, 0), -LINUX_EFAULT);
	assert_int_equal(mremap_(&rig, at, 4096, 8192, 2, 0x20000000), -LINUX_EINVAL);
	assert_int_equal(mremap_(&rig, at, 4096, 8192, 3, at), -LINUX_EINVAL);
	assert_int_equal(rig_syscall(&rig, (enum syscall_number)9999, 0, 0, 0, 0, 0), -LINUX_ENOSYS);
	assert_int_equal(rig_syscall(&rig, SYS_NR_WRITE, 1, at, 1, 0, 0), -LINUX_EBADF);
	assert_int_equal(rig_syscall(&rig, SYS_NR_WRITE, 2, 0x1000, 1, 0, 0), -LINUX_EFAULT);
	rig_release(&rig);
}

static void brk_answers_the_old_break_when_it_cannot_move(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	int64_t start = rig_syscall(&rig, SYS_NR_BRK, 0, 0, 0, 0, 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_BRK, (uint64_t)start + 100, 0, 0, 0, 0), start + 100);
	assert_int_equal(process_heap_bytes(rig.process), 100);
	assert_int_equal(rig_syscall(&rig, SYS_NR_BRK, (uint64_t)start - 4096, 0, 0, 0, 0), start + 100);
	assert_int_equal(rig_syscall(&rig, SYS_NR_BRK, (uint64_t)start + GIB, 0, 0, 0, 0), start + 100);
	/* A mapping in the way, with one page to spare. */
	assert_int_equal(rig_mmap(&rig, (uint64_t)start + 65536, 4096, RW, FIXED), start + 65536);
	assert_int_equal(rig_syscall(&rig, SYS_NR_BRK, (uint64_t)start + 65536, 0, 0, 0, 0), start + 100);
	assert_int_equal(rig_syscall(&rig, SYS_NR_BRK, (uint64_t)start + 61440, 0, 0, 0, 0), start + 61440);
	assert_true(rig_write(&rig, (uint64_t)start + 8192));
	assert_int_equal(rig_syscall(&rig, SYS_NR_BRK, (uint64_t)start, 0, 0, 0, 0), start);
	assert_false(rig_write(&rig, (uint64_t)start + 8192));
	rig_release(&rig);
}

static void mprotect_changes_entries_at_once_and_refuses_the_next_write(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t at = (uint64_t)rig_mmap(&rig, 0, 8 * 4096, RW, 0);
	unsigned vmas = count_vmas(&rig);
	for (unsigned i = 0; i < 8; i++)
		assert_true(rig_write(&rig, at + i * 4096));
	uint64_t faults = rig.process->stats.minor_faults;
	assert_int_equal(mprotect_(&rig, at + 8192, 8192, LINUX_PROT_READ), 0);
	assert_int_equal(count_vmas(&rig), vmas + 2);
	assert_int_equal(mprotect_(&rig, at, 8 * 4096, 0), 0);
	assert_int_equal(count_vmas(&rig), vmas);
	assert_int_equal(mprotect_(&rig, at, 8 * 4096, RW), 0);
	for (unsigned i = 0; i < 8; i++)
		assert_true(rig_write(&rig, at + i * 4096));
	assert_int_equal(rig.process->stats.minor_faults, faults);
	assert_int_equal(mprotect_(&rig, at, 4096, 0), 0);
	assert_false(rig_read(&rig, at));
	assert_int_equal(rig.process->death.error_code, FAULT_USER);
	rig_release(&rig);
}

static void mremap_moves_pages_with_their_contents_and_without_faults(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t value, low = (uint64_t)rig_mmap(&rig, 0, 16384, RW, 0);
	(void)rig_mmap(&rig, low - 4096, 4096, LINUX_PROT_READ, 0);
	for (unsigned i = 0; i < 4; i++)
		assert_true(rig_write(&rig, low + i * 4096));
	uint64_t faults = rig.process->stats.minor_faults;
	uint64_t to = (uint64_t)mremap_(&rig, low, 16384, 65536, LINUX_MREMAP_MAYMOVE, 0);
	assert_true((int64_t)to > 0 && to != low);
	for (unsigned i = 0; i < 4; i++) {
		assert_true(machine_load(rig.machine, vaddr(to + i * 4096), 8, &value));
		assert_int_equal(value, low + i * 4096);
	}
	assert_int_equal(rig.process->stats.minor_faults, faults);
	assert_null(process_vma_at(rig.process, vaddr(low)));
	assert_int_equal(mremap_(&rig, to, 65536, 8192, 0, 0), to);
	assert_int_equal(mremap_(&rig, to, 8192, 65536, 0, 0), to); /* in place: the room is free again */
	assert_int_equal(mremap_(&rig, to, 65536, 4096, 3, 0x20000000), 0x20000000);
	assert_true(machine_load(rig.machine, vaddr(0x20000000), 8, &value));
	assert_int_equal(value, low);
	assert_false(rig_read(&rig, to));
	rig_release(&rig);
}

static void populate_takes_its_faults_at_once(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t resident = process_resident_pages(rig.process);
	uint64_t at = (uint64_t)rig_mmap(&rig, 0, 65536, RW, LINUX_MAP_POPULATE);
	assert_int_equal(process_resident_pages(rig.process), resident + 16);
	/* getrusage counts them in the call: mm_account_fault. */
	assert_int_equal(rig.process->stats.minor_faults, 16);
	assert_int_equal(rig.process->stats.kernel_faults, 16);
	assert_true(rig_write(&rig, at + 40960));
	assert_int_equal(rig.process->stats.minor_faults, 16);
	rig_release(&rig);
}

static void overcommit_never_keeps_all_promises_below_half_of_ram(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 64 * MIB, OVERCOMMIT_NEVER);
	assert_true(rig_mmap(&rig, 0, 16 * MIB, RW, 0) > 0);
	assert_int_equal(rig_mmap(&rig, 0, 16 * MIB, RW, 0), -LINUX_ENOMEM);
	assert_int_equal(rig_mmap(&rig, 0, 16 * MIB, RW, LINUX_MAP_NORESERVE), -LINUX_ENOMEM);
	int64_t shut = rig_mmap(&rig, 0, 16 * MIB, LINUX_PROT_READ, 0);
	assert_true(shut > 0); /* read-only memory promises nothing */
	assert_int_equal(mprotect_(&rig, (uint64_t)shut, 16 * MIB, RW), -LINUX_ENOMEM);
	rig_release(&rig);
}

static void a_huge_mapping_takes_one_fault_for_512_pages(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t resident = process_resident_pages(rig.process), value;
	uint64_t at = (uint64_t)rig_mmap(&rig, 0, 3 * MIB, RW, LINUX_MAP_HUGETLB);
	assert_int_equal(at % (2 * MIB), 0);
	assert_int_equal(vma_bytes(process_vma_at(rig.process, vaddr(at))), 4 * MIB);
	for (uint64_t offset = 0; offset < 2 * MIB; offset += 4096)
		assert_true(rig_write(&rig, at + offset));
	assert_int_equal(rig.process->stats.minor_faults, 1);
	assert_true(rig_read(&rig, at + 2 * MIB)); /* there is no huge zero page */
	assert_int_equal(process_resident_pages(rig.process), resident);
	assert_int_equal(process_hugetlb_pages(rig.process), 1024);
	assert_true(machine_load(rig.machine, vaddr(at + 4096), 8, &value));
	assert_int_equal(value, at + 4096);
	assert_int_equal(munmap_(&rig, at + 4096, 4096), -LINUX_EINVAL);
	assert_int_equal(mprotect_(&rig, at, 4096, LINUX_PROT_READ), -LINUX_EINVAL);
	assert_int_equal(mremap_(&rig, at, 2 * MIB, 4 * MIB, 1, 0), -LINUX_EINVAL);
	assert_int_equal(rig_mmap(&rig, at + 4096, 2 * MIB, RW, FIXED | LINUX_MAP_HUGETLB), -LINUX_EINVAL);
	assert_int_equal(mprotect_(&rig, at, 2 * MIB, LINUX_PROT_READ), 0);
	assert_int_equal(munmap_(&rig, at + 2 * MIB, 2 * MIB), 0);
	assert_int_equal(process_hugetlb_pages(rig.process), 512);
	assert_false(rig_write(&rig, at));
	rig_release(&rig);
}

static void empty_page_tables_are_given_back_by_munmap(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t tables = process_table_pages(rig.process);
	uint64_t at = 0x200000000000;
	assert_int_equal(rig_mmap(&rig, at, 4096, RW, FIXED), at);
	assert_int_equal(process_table_pages(rig.process), tables);
	assert_true(rig_write(&rig, at));
	assert_int_equal(process_table_pages(rig.process), tables + 3);
	assert_int_equal(munmap_(&rig, at, 4096), 0);
	assert_int_equal(process_table_pages(rig.process), tables);
	rig_release(&rig);
}

/* ---- the model: one record per page of a fixed region ---- */

enum { MODEL_PAGES = 64 };
#define REGION ((uint64_t)0x100000000000)

struct model {
	bool mapped[MODEL_PAGES], written[MODEL_PAGES];
	uint8_t prot[MODEL_PAGES];
	uint64_t value[MODEL_PAGES];
};

static void model_call(struct rig *rig, struct model *model, struct rng *rng)
{
	uint64_t first = rng_below(rng, MODEL_PAGES), count = 1 + rng_below(rng, MODEL_PAGES - first);
	uint64_t at = REGION + first * 4096, bytes = count * 4096;
	static const uint8_t prots[] = {0, LINUX_PROT_READ, RW};
	uint8_t prot = prots[rng_below(rng, 3)];
	bool covered = true;
	for (uint64_t i = first; i < first + count; i++)
		covered = covered && model->mapped[i];
	uint64_t kind = rng_below(rng, 4);
	if (kind == 0)
		assert_int_equal(rig_mmap(rig, at, bytes, prot, FIXED), at);
	else if (kind == 1)
		assert_int_equal(munmap_(rig, at, bytes), 0);
	else if (kind == 2)
		assert_int_equal(mprotect_(rig, at, bytes, prot), covered ? 0 : -LINUX_ENOMEM);
	else
		assert_int_equal(rig_syscall(rig, SYS_NR_MADVISE, at, bytes, LINUX_MADV_DONTNEED, 0, 0),
				 covered ? 0 : -LINUX_ENOMEM);
	bool hole = false;
	for (uint64_t i = first; i < first + count; i++) {
		hole = hole || !model->mapped[i]; /* mprotect stops there; the rest has its new rights */
		if (kind == 2 && !hole)
			model->prot[i] = prot;
		if (kind == 2)
			continue;
		model->written[i] = false;
		if (kind < 2)
			model->mapped[i] = kind == 0;
		if (kind == 0)
			model->prot[i] = prot;
	}
}

static void model_access(struct rig *rig, struct model *model, struct rng *rng)
{
	uint64_t i = rng_below(rng, MODEL_PAGES), value = 0;
	if (!model->mapped[i] || !(model->prot[i] & LINUX_PROT_READ))
		return; /* it would be deadly: other tests do that */
	if ((model->prot[i] & LINUX_PROT_WRITE) && rng_below(rng, 2)) {
		model->value[i] = rng_next(rng);
		model->written[i] = true;
		assert_true(machine_store(rig->machine, vaddr(REGION + i * 4096), 8, model->value[i]));
	}
	assert_true(machine_load(rig->machine, vaddr(REGION + i * 4096), 8, &value));
	assert_int_equal(value, model->written[i] ? model->value[i] : 0);
}

static void compare_vmas(const struct rig *rig, const struct model *model)
{
	for (uint64_t i = 0; i < MODEL_PAGES; i++) {
		const struct vma *vma = process_vma_at(rig->process, vaddr(REGION + i * 4096));
		assert_int_equal(vma != NULL, model->mapped[i]);
		if (vma)
			assert_int_equal(vma->flags & VMA_PROT, model->prot[i]);
	}
}

static void random_calls_agree_with_a_model_of_pages(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct rig rig;
		struct model model = {.mapped = {false}};
		struct rng rng = rng_seeded(seed);
		struct error why;
		rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
		for (unsigned step = 0; step < 300; step++) {
			model_call(&rig, &model, &rng);
			for (unsigned i = 0; i < 6; i++)
				model_access(&rig, &model, &rng);
			compare_vmas(&rig, &model);
			if (step % 20 == 0 && !kernel_check(rig.kernel, &why))
				fail_msg("seed %u step %u: %s", (unsigned)seed, step, why.text);
		}
		rig_release(&rig);
	}
}

static void exit_and_abort_end_the_process_in_their_own_ways(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	assert_int_equal(rig_syscall(&rig, SYS_NR_GETPID, 0, 0, 0, 0, 0), 1);
	assert_int_equal(rig_syscall(&rig, SYS_NR_TGKILL, 5, 5, 6, 0, 0), -LINUX_ESRCH);
	assert_int_equal(rig_syscall(&rig, SYS_NR_TGKILL, 1, 1, 99, 0, 0), -LINUX_EINVAL);
	(void)rig_syscall(&rig, SYS_NR_EXIT, 3, 0, 0, 0, 0);
	assert_true(rig.process->death.dead);
	assert_int_equal(rig.process->death.status, 3);
	assert_int_equal(rig.process->death.signal, 0);
	assert_int_equal(process_virtual_bytes(rig.process), 0);
	rig_release(&rig);
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t text = rig.process->segment_start[SEGMENT_DATA].v;
	assert_true(machine_store(rig.machine, vaddr(text), 8, 0x6f6c6c6568)); /* "hello" */
	assert_int_equal(rig_syscall(&rig, SYS_NR_WRITE, 2, text, 5, 0, 0), 5);
	assert_string_equal(rig.process->message, "hello");
	(void)rig_syscall(&rig, SYS_NR_TGKILL, 1, 1, 6, 0, 0);
	assert_string_equal(rig.process->death.signal_name, "SIGABRT");
	rig_release(&rig);
}

struct onlooker {
	const struct process *process;
	struct vaddr va;
	bool gone, back; /* it was found no more; and then it was */
};

static void look(void *self, const struct event *event)
{
	struct onlooker *onlooker = self;
	uint64_t value;
	(void)event;
	bool found = process_peek64(onlooker->process, onlooker->va, &value);
	onlooker->back |= onlooker->gone && found;
	onlooker->gone |= !found;
}

/* At the end its tables are gone, and full of junk where the kernel is built to find uses of freed frames. */
static void who_looks_at_a_dying_process_finds_nothing(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	struct onlooker onlooker = {rig.process, rig.process->segment_start[SEGMENT_DATA], false, false};
	assert_true(machine_store(rig.machine, onlooker.va, 8, 1));
	bus_subscribe(&rig.bus, EVENT_BIT(EVENT_FRAME_FREE), look, &onlooker);
	(void)rig_syscall(&rig, SYS_NR_EXIT, 0, 0, 0, 0, 0);
	assert_true(onlooker.gone);
	assert_false(onlooker.back);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mappings_go_top_down_and_merge),
	    cmocka_unit_test(multiples_of_2_mib_are_aligned),
	    cmocka_unit_test(bad_arguments_get_the_errno_of_linux),
	    cmocka_unit_test(brk_answers_the_old_break_when_it_cannot_move),
	    cmocka_unit_test(mprotect_changes_entries_at_once_and_refuses_the_next_write),
	    cmocka_unit_test(mremap_moves_pages_with_their_contents_and_without_faults),
	    cmocka_unit_test(populate_takes_its_faults_at_once),
	    cmocka_unit_test(overcommit_never_keeps_all_promises_below_half_of_ram),
	    cmocka_unit_test(a_huge_mapping_takes_one_fault_for_512_pages),
	    cmocka_unit_test(empty_page_tables_are_given_back_by_munmap),
	    cmocka_unit_test(random_calls_agree_with_a_model_of_pages),
	    cmocka_unit_test(who_looks_at_a_dying_process_finds_nothing),
	    cmocka_unit_test(exit_and_abort_end_the_process_in_their_own_ways),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
