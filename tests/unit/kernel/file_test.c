/* The page cache: pages by number, shared by all who map the file, and mapped by the block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel_private.h"
#include "rig.h"

struct seen {
	uint64_t count, last;
	bool in_order;
};

static void see(void *self, uint64_t index, struct pfn frame)
{
	struct seen *seen = self;
	(void)frame;
	seen->in_order = seen->in_order && (seen->count == 0 || index > seen->last);
	seen->last = index;
	seen->count++;
}

static void a_file_finds_pages_wherever_they_are(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	struct file *file = file_shmem(rig.kernel, TIB, 0);
	static const uint64_t indexes[] = {0, 63, 64, 4095, 4096, 1000000, 268435455};
	const unsigned count = sizeof(indexes) / sizeof(*indexes);
	struct pfn frames[sizeof(indexes) / sizeof(*indexes)], found;
	const struct reader reader = {&file->ahead, READ_AROUND, 1};
	for (unsigned i = 0; i < count; i++) {
		assert_false(file_page(file, indexes[i], &found));
		assert_int_equal(file_page_get(rig.kernel, file, indexes[i], &reader, &frames[i]), FILE_NEW);
	}
	for (unsigned i = 0; i < count; i++) {
		assert_true(file_page(file, indexes[i], &found));
		assert_int_equal(found.v, frames[i].v);
	}
	assert_false(file_page(file, 65, &found));
	struct seen seen = {.in_order = true};
	file_for_each(file, see, &seen);
	assert_int_equal(seen.count, count);
	assert_true(seen.in_order);
	file_truncate(rig.kernel, file, 64, 4096);
	assert_int_equal(file->pages, count - 2);
	assert_false(file_page(file, 64, &found));
	assert_true(file_page(file, 63, &found) && file_page(file, 4096, &found));
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel));
	struct vma vma = {.file = file};
	file_get(file, &vma);
	file_put(rig.kernel, file, &vma);
	assert_int_equal(frame_pool_free(kernel_frames(rig.kernel)), free + count - 2);
	rig_release(&rig);
}

static uint64_t faults_of_text(struct rig *rig, uint64_t first, uint64_t count)
{
	uint64_t before = rig->process->stats.minor_faults, text = rig->process->segment_start[SEGMENT_TEXT].v;
	for (uint64_t i = first; i < first + count; i++)
		assert_true(machine_touch(rig->machine, vaddr(text + i * PAGE_BYTES), 8, ACCESS_FETCH));
	return rig->process->stats.minor_faults - before;
}

static void text_comes_in_aligned_blocks_of_sixteen_pages(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot_with(&rig, 0, NULL, &(struct process_spec){.name = "test", .text_bytes = 256 * KIB});
	/* 0x555555554000 is the fifth page of a block: fault-around begins at the VMA and takes sixteen pages from
	 * there. */
	assert_int_equal(faults_of_text(&rig, 0, 16), 0);
	assert_int_equal(rig.process->mm->rss[RSS_FILE], 16 + 4);
	assert_int_equal(faults_of_text(&rig, 16, 1), 1);
	/* The block of that page ends at page 28. */
	assert_int_equal(faults_of_text(&rig, 16, 12), 0);
	assert_int_equal(faults_of_text(&rig, 28, 16), 1);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_FILE), 2);
	rig_release(&rig);
}

static void a_private_write_copies_and_the_file_stays(void **state)
{
	(void)state;
	struct rig rig;
	uint64_t value = 1;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t data = rig.process->segment_start[SEGMENT_DATA].v;
	assert_true(rig_read(&rig, data));
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_FILE), 1);
	assert_true(rig_write(&rig, data));
	assert_true(rig_write(&rig, data + 4096));
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_COW), 2);
	struct process *second = kernel_spawn(rig.kernel, &(struct process_spec){.name = "test"});
	assert_non_null(second);
	kernel_run(rig.kernel, second);
	assert_true(machine_load(rig.machine, vaddr(data), 8, &value));
	assert_int_equal(value, 0);
	/* Dropped, the copy is gone and the file's page comes back. */
	kernel_run(rig.kernel, rig.process);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, data, 4096, LINUX_MADV_DONTNEED, 0, 0), 0);
	assert_true(machine_load(rig.machine, vaddr(data), 8, &value));
	assert_int_equal(value, 0);
	rig_release(&rig);
}

static void two_processes_of_one_program_share_its_text(void **state)
{
	(void)state;
	struct rig rig;
	rig_boot(&rig, 0, OVERCOMMIT_HEURISTIC);
	uint64_t image = frame_pool_used(kernel_frames(rig.kernel), FRAME_IMAGE);
	struct process *second = kernel_spawn(rig.kernel, &(struct process_spec){.name = "test"});
	assert_non_null(second);
	assert_int_equal(frame_pool_used(kernel_frames(rig.kernel), FRAME_IMAGE), image);
	struct vaddr text = rig.process->segment_start[SEGMENT_TEXT];
	struct pte first_entry = table_get(rig.process->mm, text), second_entry = table_get(second->mm, text);
	assert_int_equal(pte_frame(first_entry), pte_frame(second_entry));
	assert_int_equal(frame_peek(kernel_frames(rig.kernel), pfn(pte_frame(first_entry)))->mappings, 2);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_finds_pages_wherever_they_are),
	    cmocka_unit_test(text_comes_in_aligned_blocks_of_sixteen_pages),
	    cmocka_unit_test(a_private_write_copies_and_the_file_stays),
	    cmocka_unit_test(two_processes_of_one_program_share_its_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
