/* Swap: what is taken away comes back as it was, and nothing is lost, kept or counted twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel_private.h"
#include "reclaim.h"
#include "rig.h"

enum { RW = LINUX_PROT_READ | LINUX_PROT_WRITE };
#define AREA ((uint64_t)0x10000000)

static void boot(struct rig *rig, uint64_t swap_bytes, enum block_kind device, enum paging_mode paging)
{
	struct kernel_config config = KERNEL_CONFIG_DEFAULT;
	config.swap_bytes = swap_bytes;
	config.swap_device = device;
	config.paging = paging;
	rig_boot_kernel(rig, 0, &config);
}

static uint64_t page(uint64_t number)
{
	return AREA + number * PAGE_BYTES;
}

static void map(struct rig *rig, uint64_t pages, uint64_t more)
{
	assert_int_equal(rig_mmap(rig, AREA, pages * PAGE_BYTES, RW, LINUX_MAP_FIXED | more), AREA);
}

static void fill(struct rig *rig, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		rig_store(rig, page(i), 1000 + i);
}

static void assert_filled(struct rig *rig, uint64_t pages)
{
	for (uint64_t i = 0; i < pages; i++)
		assert_int_equal(rig_load(rig, page(i)), 1000 + i);
}

static void advise(struct rig *rig, uint64_t first, uint64_t pages, uint64_t advice)
{
	assert_int_equal(rig_syscall(rig, SYS_NR_MADVISE, page(first), pages * PAGE_BYTES, advice, 0, 0), 0);
}

/* With so many pages that have been written. */
static void boot_filled(struct rig *rig, uint64_t swap_bytes, enum block_kind kind, enum paging_mode paging,
			uint64_t pages)
{
	boot(rig, swap_bytes, kind, paging);
	map(rig, pages, 0);
	fill(rig, pages);
}

static void page_out(struct rig *rig, uint64_t first, uint64_t pages)
{
	advise(rig, first, pages, LINUX_MADV_PAGEOUT);
}

static const struct vm_counts *counts(const struct rig *rig)
{
	return kernel_vm_counts(rig->kernel);
}

static void assert_swap(const struct rig *rig, uint64_t used, uint64_t cached)
{
	struct swap_use use = kernel_swap_use(rig->kernel);
	assert_int_equal(use.used, used);
	assert_int_equal(use.cached, cached);
}

static void an_entry_of_swap_is_not_present_and_keeps_its_slot(void **state)
{
	(void)state;
	static const enum paging_mode modes[] = {PAGING_32BIT, PAGING_PAE, PAGING_4LEVEL, PAGING_5LEVEL};
	static const uint64_t slots[] = {1, 2, 255, 4096, (1 << 23) - 1};
	for (unsigned i = 0; i < 4; i++) {
		const struct layout *layout = layout_of(modes[i]);
		for (unsigned j = 0; j < 5; j++) {
			struct pte entry = swap_entry(layout, slots[j]);
			assert_true(entry_is_swap(entry));
			assert_false(pte_page_size(entry));
			assert_int_equal(swap_entry_slot(layout, entry), slots[j]);
		}
	}
}

static void contents_survive_any_number_of_evictions(void **state)
{
	(void)state;
	for (enum block_kind device = 0; device < BLOCK_KIND_COUNT; device++) {
		struct rig rig;
		boot_filled(&rig, 4 * MIB, device, PAGING_4LEVEL, 64);
		for (unsigned round = 0; round < 5; round++) {
			page_out(&rig, 0, 64);
			assert_int_equal(process_swap_pages(rig.process), 64);
			assert_filled(&rig, 64);
			assert_int_equal(process_swap_pages(rig.process), 0);
		}
		rig_release(&rig);
	}
}

static void contents_survive_in_every_paging_mode(void **state)
{
	(void)state;
	for (enum paging_mode mode = 0; mode < PAGING_MODE_COUNT; mode++) {
		struct rig rig;
		boot_filled(&rig, 4 * MIB, BLOCK_SSD, mode, 16);
		page_out(&rig, 0, 16);
		assert_filled(&rig, 16);
		rig_release(&rig);
	}
}

static void the_first_fault_reads_and_its_neighbours_are_in_the_swap_cache(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 4 * MIB, BLOCK_SSD, PAGING_4LEVEL, 16);
	page_out(&rig, 0, 16);
	assert_true(rig_read(&rig, page(9)));
	assert_int_equal(rig.process->stats.major_faults, 1);
	assert_int_equal(counts(&rig)->swapped_in, 8);
	assert_int_equal(counts(&rig)->swap_readahead, 7);
	assert_true(rig_read(&rig, page(8)));
	assert_int_equal(rig.process->stats.major_faults, 1);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_SWAP_CACHE), 1);
	assert_true(rig_read(&rig, page(7)));
	assert_int_equal(rig.process->stats.major_faults, 2);
	rig_release(&rig);
}

static void a_page_that_was_only_read_is_not_written_again(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 4 * MIB, BLOCK_SSD, PAGING_4LEVEL, 1);
	page_out(&rig, 0, 1);
	assert_int_equal(counts(&rig)->swapped_out, 1);
	assert_filled(&rig, 1);
	assert_swap(&rig, 1, 1);
	page_out(&rig, 0, 1);
	assert_int_equal(counts(&rig)->swapped_out, 1);
	assert_filled(&rig, 1);
	/* A write makes it its owner's again, without a copy. */
	fill(&rig, 1);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_REUSE), 1);
	page_out(&rig, 0, 1);
	assert_int_equal(counts(&rig)->swapped_out, 2);
	rig_release(&rig);
}

static void a_write_gives_the_slot_back(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 4 * MIB, BLOCK_SSD, PAGING_4LEVEL, 1);
	page_out(&rig, 0, 1);
	assert_swap(&rig, 1, 0);
	rig_store(&rig, page(0), 7);
	assert_swap(&rig, 0, 0);
	assert_int_equal(rig_load(&rig, page(0)), 7);
	rig_release(&rig);
}

static void waiting_for_a_slower_device_takes_longer(void **state)
{
	(void)state;
	uint64_t before = UINT64_MAX;
	static const enum block_kind slower_first[] = {BLOCK_DISK, BLOCK_SSD, BLOCK_NVME, BLOCK_ZRAM};
	for (unsigned i = 0; i < 4; i++) {
		struct rig rig;
		boot_filled(&rig, 4 * MIB, slower_first[i], PAGING_4LEVEL, 1);
		page_out(&rig, 0, 1);
		uint64_t since = rig.bus.cycle;
		assert_filled(&rig, 1);
		assert_true(rig.bus.cycle - since < before);
		before = rig.bus.cycle - since;
		assert_true((rig.process->stats.waited_cycles == 0) == (slower_first[i] == BLOCK_ZRAM));
		rig_release(&rig);
	}
}

static void a_full_swap_leaves_pages_where_they_are(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 5 * PAGE_BYTES, BLOCK_SSD, PAGING_4LEVEL, 8); /* four slots and the header */
	page_out(&rig, 0, 8);
	assert_int_equal(process_swap_pages(rig.process), 4);
	assert_filled(&rig, 8);
	/* More than half full: the slots of pages that are back are given away at once. */
	assert_true(kernel_swap_use(rig.kernel).used <= 2);
	rig_release(&rig);
}

static void without_swap_nothing_anonymous_goes(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 0, BLOCK_SSD, PAGING_4LEVEL, 8);
	uint64_t resident = process_resident_pages(rig.process);
	page_out(&rig, 0, 8);
	assert_int_equal(process_resident_pages(rig.process), resident);
	rig_release(&rig);
}

static void what_is_unmapped_gives_its_slots_back(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 4 * MIB, BLOCK_SSD, PAGING_4LEVEL, 16);
	page_out(&rig, 0, 16);
	assert_true(rig_read(&rig, page(0))); /* some are in the swap cache now */
	assert_swap(&rig, 16, 8);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA, 16 * PAGE_BYTES, 0, 0, 0), 0);
	assert_swap(&rig, 0, 0);
	rig_release(&rig);
}

static void what_is_in_swap_moves_and_changes_its_rights(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 4 * MIB, BLOCK_SSD, PAGING_4LEVEL, 4);
	page_out(&rig, 0, 4);
	uint64_t to = AREA + 64 * MIB;
	assert_int_equal(rig_syscall(&rig, SYS_NR_MREMAP, AREA, 4 * PAGE_BYTES, 4 * PAGE_BYTES,
				     LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED, to),
			 to);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MPROTECT, to, 4 * PAGE_BYTES, LINUX_PROT_READ, 0, 0), 0);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(rig_load(&rig, to + i * PAGE_BYTES), 1000 + i);
	assert_false(rig_write(&rig, to));
	rig_release(&rig);
}

static void a_page_freed_by_madvise_goes_without_being_written(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 4 * MIB, BLOCK_SSD, PAGING_4LEVEL, 4);
	advise(&rig, 0, 4, LINUX_MADV_FREE);
	rig_store(&rig, page(1), 5); /* this one is needed again */
	page_out(&rig, 0, 4);
	assert_int_equal(counts(&rig)->swapped_out, 1);
	assert_int_equal(rig_load(&rig, page(0)), 0);
	assert_int_equal(rig_load(&rig, page(1)), 5);
	/* What is in swap is forgotten at once. */
	page_out(&rig, 1, 1);
	advise(&rig, 0, 4, LINUX_MADV_FREE);
	assert_swap(&rig, 0, 0);
	assert_int_equal(rig_load(&rig, page(1)), 0);
	rig_release(&rig);
}

static void locked_pages_stay(void **state)
{
	(void)state;
	struct rig rig;
	boot_filled(&rig, 4 * MIB, BLOCK_SSD, PAGING_4LEVEL, 4);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MLOCK, AREA, 4 * PAGE_BYTES, 0, 0, 0), 0);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MADVISE, AREA, 4 * PAGE_BYTES, LINUX_MADV_PAGEOUT, 0, 0),
			 -LINUX_EINVAL);
	assert_false(evict(rig.kernel, pfn(pte_frame(table_get(rig.process->mm, vaddr(AREA))))));
	assert_filled(&rig, 4);
	rig_release(&rig);
}

static void shared_memory_goes_to_swap_and_comes_back(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4 * MIB, BLOCK_NVME, PAGING_4LEVEL);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MMAP, AREA, 8 * PAGE_BYTES, RW,
				     LINUX_MAP_FIXED | LINUX_MAP_SHARED | LINUX_MAP_ANONYMOUS, UINT64_MAX),
			 AREA);
	fill(&rig, 8);
	page_out(&rig, 0, 8);
	assert_swap(&rig, 8, 0);
	assert_int_equal(process_swap_pages(rig.process), 0); /* the file has them, not the process */
	assert_filled(&rig, 8);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_SWAP_IN), 8);
	assert_swap(&rig, 0, 0);
	page_out(&rig, 0, 8);
	assert_int_equal(rig_syscall(&rig, SYS_NR_MUNMAP, AREA, 8 * PAGE_BYTES, 0, 0, 0), 0);
	assert_swap(&rig, 0, 0);
	rig_release(&rig);
}

static void a_page_of_the_program_is_dropped_and_read_again(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 0, BLOCK_SSD, PAGING_4LEVEL);
	uint64_t text = rig.process->segment_start[SEGMENT_TEXT].v;
	uint64_t before = rig_load(&rig, text);
	uint64_t free = frame_pool_free(kernel_frames(rig.kernel));
	assert_true(evict(rig.kernel, pfn(pte_frame(table_get(rig.process->mm, vaddr(text))))));
	assert_int_equal(frame_pool_free(kernel_frames(rig.kernel)), free + 1);
	assert_int_equal(rig_load(&rig, text), before);
	assert_int_equal(rig_faults(&rig, FAULT_CAUSE_FILE_READ), 1);
	assert_int_equal(counts(&rig)->file_pages_in, 1);
	assert_int_equal(counts(&rig)->file_pages_out, 0);
	rig_release(&rig);
}

static void slots_are_given_away_in_order_from_empty_clusters(void **state)
{
	(void)state;
	struct rig rig;
	boot(&rig, 4 * MIB, BLOCK_SSD, PAGING_4LEVEL);
	for (uint64_t i = 1; i <= 300; i++) {
		uint64_t slot = 0;
		assert_true(swap_slot_take(rig.kernel, &slot));
		assert_int_equal(slot, i);
		swap_get(rig.kernel, slot);
	}
	/* Holes are for the time when no cluster is empty. */
	swap_put(rig.kernel, 5);
	for (uint64_t i = 301; i < 1024; i++) {
		uint64_t slot = 0;
		assert_true(swap_slot_take(rig.kernel, &slot));
		assert_int_equal(slot, i);
		swap_get(rig.kernel, slot);
	}
	uint64_t slot = 0;
	assert_true(swap_slot_take(rig.kernel, &slot));
	assert_int_equal(slot, 5);
	swap_get(rig.kernel, slot);
	assert_false(swap_slot_take(rig.kernel, &slot));
	for (uint64_t i = 1; i < 1024; i++)
		swap_put(rig.kernel, i);
	assert_swap(&rig, 0, 0);
	rig_release(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(an_entry_of_swap_is_not_present_and_keeps_its_slot),
	    cmocka_unit_test(contents_survive_any_number_of_evictions),
	    cmocka_unit_test(contents_survive_in_every_paging_mode),
	    cmocka_unit_test(the_first_fault_reads_and_its_neighbours_are_in_the_swap_cache),
	    cmocka_unit_test(a_page_that_was_only_read_is_not_written_again),
	    cmocka_unit_test(a_write_gives_the_slot_back),
	    cmocka_unit_test(waiting_for_a_slower_device_takes_longer),
	    cmocka_unit_test(a_full_swap_leaves_pages_where_they_are),
	    cmocka_unit_test(without_swap_nothing_anonymous_goes),
	    cmocka_unit_test(what_is_unmapped_gives_its_slots_back),
	    cmocka_unit_test(what_is_in_swap_moves_and_changes_its_rights),
	    cmocka_unit_test(a_page_freed_by_madvise_goes_without_being_written),
	    cmocka_unit_test(locked_pages_stay),
	    cmocka_unit_test(shared_memory_goes_to_swap_and_comes_back),
	    cmocka_unit_test(a_page_of_the_program_is_dropped_and_read_again),
	    cmocka_unit_test(slots_are_given_away_in_order_from_empty_clusters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
