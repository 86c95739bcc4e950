/* The glibc model's decisions, one by one. The recordings of the real library check their sum; here each has a name. */
#include <string.h>

#include "flat_heap.h"

#define FIRST_SMALL 0x2a0u /* behind the tcache's own chunk of 0x290 */

static uint64_t offset_of_malloc(struct flat_heap *flat, uint64_t bytes)
{
	return flat_heap_offset(heap_malloc(flat->heap, bytes));
}

static void the_first_malloc_asks_for_the_break_and_moves_it_by_33_pages(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	assert_int_equal(offset_of_malloc(&flat, 24), FIRST_SMALL);
	assert_int_equal(flat.facts->calls[SYSCALL_BRK], 2);
	assert_int_equal(flat_heap_offset(flat.facts->break_now), 0x21000);
	assert_int_equal(flat.facts->faults, 1);
	flat_heap_free(&flat);
}

static void the_tcache_returns_the_last_block_first(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t a = heap_malloc(flat.heap, 40), b = heap_malloc(flat.heap, 40);
	heap_free(flat.heap, a);
	heap_free(flat.heap, b);
	assert_int_equal(heap_malloc(flat.heap, 33), b);
	assert_int_equal(heap_malloc(flat.heap, 40), a);
	assert_int_equal(flat.heap->last_usable, 40);
	flat_heap_free(&flat);
}

static void links_of_cached_blocks_are_masked_by_their_address(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t a = heap_malloc(flat.heap, 40), b = heap_malloc(flat.heap, 40), link;
	heap_free(flat.heap, a);
	heap_free(flat.heap, b);
	assert_true(user_peek64(flat.user, b, &link));
	assert_int_equal(link, (b >> 12) ^ a);
	assert_true(user_peek64(flat.user, a, &link));
	assert_int_equal(link, a >> 12);
	flat_heap_free(&flat);
}

static void the_eighth_block_goes_to_the_fastbin_and_calloc_takes_only_from_there(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t block[9];
	for (unsigned i = 0; i < 9; i++)
		block[i] = heap_malloc(flat.heap, 40);
	for (unsigned i = 0; i < 9; i++)
		heap_free(flat.heap, block[i]);
	assert_int_equal(heap_calloc(flat.heap, 1, 40), block[8]);
	assert_int_equal(heap_malloc(flat.heap, 40), block[6]);
	/* There is room in the tcache now, so the next fastbin hit moves the rest of the bin there. */
	heap_free(flat.heap, block[8]);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void neighbours_in_the_unsorted_bin_are_joined_and_split_again(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t a = heap_malloc(flat.heap, 0x500), b = heap_malloc(flat.heap, 0x500);
	(void)heap_malloc(flat.heap, 24);
	heap_free(flat.heap, a);
	heap_free(flat.heap, b);
	assert_int_equal(flat.heap->stats.coalesces, 1);
	assert_int_equal(heap_malloc(flat.heap, 0x800), a);
	assert_int_equal(heap_malloc(flat.heap, 0x100), a + 0x810);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void a_large_bin_gives_the_second_of_the_smallest_size_that_fits(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	static const uint64_t sizes[] = {0x4f8, 0x4d8, 0x4d8, 0x4c8};
	uint64_t block[4];
	for (unsigned i = 0; i < 4; i++) {
		block[i] = heap_malloc(flat.heap, sizes[i]);
		(void)heap_malloc(flat.heap, 24);
	}
	for (unsigned i = 0; i < 4; i++)
		heap_free(flat.heap, block[i]);
	(void)heap_malloc(flat.heap, 0x1000); /* sorts them */
	flat_heap_check(&flat);
	assert_int_equal(heap_malloc(flat.heap, 0x4d0), block[2]);
	assert_int_equal(heap_malloc(flat.heap, 0x4d0), block[1]);
	assert_int_equal(heap_malloc(flat.heap, 0x4d0), block[0]);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void at_the_threshold_a_block_is_mapped_and_its_free_raises_the_threshold(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t below = heap_malloc(flat.heap, 128 * KIB - 40), block = heap_malloc(flat.heap, 128 * KIB);
	assert_true(below < flat.facts->break_now);
	assert_int_equal(block, FLAT_CEILING - 33 * PAGE_BYTES + 16);
	assert_int_equal(heap_usable_size(flat.heap, block), 33 * PAGE_BYTES - 16);
	heap_free(flat.heap, block);
	assert_int_equal(flat.facts->calls[SYSCALL_MUNMAP], 1);
	assert_true(heap_malloc(flat.heap, 128 * KIB) < flat.facts->break_now);
	assert_int_equal(flat.facts->calls[SYSCALL_MMAP], 1);
	flat_heap_free(&flat);
}

static void realloc_of_a_mapped_block_is_mremap(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t block = heap_malloc(flat.heap, 200000);
	user_store64(flat.user, block + 100000, 0x1234);
	uint64_t faults = flat.facts->faults;
	block = heap_realloc(flat.heap, block, 400000);
	assert_int_equal(user_load64(flat.user, block + 100000), 0x1234);
	assert_int_equal(flat.facts->faults, faults);
	assert_int_equal(flat.facts->calls[SYSCALL_MREMAP], 1);
	assert_int_equal(heap_realloc(flat.heap, block, 20), block);
	assert_int_equal(flat.facts->calls[SYSCALL_MREMAP], 2);
	assert_int_equal(heap_usable_size(flat.heap, block), PAGE_BYTES - 16);
	flat_heap_free(&flat);
}

static void calloc_clears_no_farther_than_the_old_top(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	(void)heap_malloc(flat.heap, 100);
	uint64_t faults = flat.facts->faults;
	assert_true(heap_calloc(flat.heap, 1, 131000 - 100) < flat.facts->break_now);
	assert_in_range(flat.facts->faults - faults, 30, 33);
	faults = flat.facts->faults;
	uint64_t block = heap_calloc(flat.heap, 1, 130000);
	assert_true(block < flat.facts->break_now);
	assert_in_range(flat.facts->faults - faults, 1, 4);
	faults = flat.facts->faults;
	assert_true(heap_calloc(flat.heap, 1, 200000) > flat.facts->break_now);
	assert_int_equal(flat.facts->faults - faults, 1);
	flat_heap_free(&flat);
}

static void calloc_above_ptrdiff_max_happens_before_the_tcache_exists(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	assert_int_equal(heap_calloc(flat.heap, (uint64_t)1 << 62, 2), 0);
	assert_int_equal(flat.heap->errno_value, HEAP_ENOMEM);
	assert_int_equal(flat.facts->calls[SYSCALL_BRK], 0);
	flat_heap_free(&flat);
}

static void a_large_free_trims_the_top(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t a = heap_malloc(flat.heap, 120000), b = heap_malloc(flat.heap, 120000);
	uint64_t high = flat.facts->break_now;
	heap_free(flat.heap, a);
	heap_free(flat.heap, b);
	assert_true(flat.facts->break_now < high);
	assert_true(flat_heap_offset(flat.facts->break_now) >= 128 * KIB);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void malloc_trim_drops_the_pages_inside_free_chunks(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t block = heap_malloc(flat.heap, 50000), value;
	(void)heap_malloc(flat.heap, 24);
	user_fill(flat.user, block, 0xee, 50000);
	heap_free(flat.heap, block);
	assert_true(user_peek64(flat.user, block + 20000, &value));
	assert_int_equal(heap_trim(flat.heap, 0), 1);
	assert_false(user_peek64(flat.user, block + 20000, &value));
	assert_int_equal(flat.facts->calls[SYSCALL_MADVISE], 1);
	assert_int_equal(heap_malloc(flat.heap, 50000), block);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void a_foreign_sbrk_leaves_fences_behind(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t first = heap_malloc(flat.heap, 100), foreign = heap_sbrk(flat.heap, 100), word;
	(void)heap_malloc(flat.heap, 0x1f000); /* the last that the old top holds */
	uint64_t block = heap_malloc(flat.heap, 0x1f000);
	assert_int_equal(block % 16, 0);
	assert_true(block > foreign);
	assert_true(user_peek64(flat.user, foreign - 8, &word));
	assert_int_equal(word, 16 + 1);
	heap_free(flat.heap, block);
	heap_free(flat.heap, first);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void when_brk_fails_the_heap_goes_on_in_a_mapping(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t low = heap_malloc(flat.heap, 100);
	flat.facts->break_limit = flat.facts->break_now;
	uint64_t block = heap_malloc(flat.heap, 100000);
	assert_true(heap_malloc(flat.heap, 100000) > flat.facts->break_now);
	assert_int_equal(flat.facts->calls[SYSCALL_MMAP], 1);
	uint64_t mapped = FLAT_CEILING - flat.facts->mapped_bytes;
	assert_int_equal(flat.facts->mapped_bytes % MIB, 0);
	assert_true(heap_malloc(flat.heap, 120000) >= mapped);
	heap_free(flat.heap, block);
	heap_free(flat.heap, low);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void memalign_returns_both_ends_to_the_heap(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	(void)heap_malloc(flat.heap, 24);
	uint64_t block = heap_aligned_alloc(flat.heap, 4096, 1000);
	assert_int_equal(flat_heap_offset(block), 4096);
	assert_int_equal(heap_usable_size(flat.heap, block), 1000);
	flat_heap_check(&flat);
	assert_int_equal(heap_aligned_alloc(flat.heap, 48, 10) % 64, 0);
	flat.heap->errno_value = 0;
	assert_int_equal(heap_aligned_alloc(flat.heap, ((uint64_t)1 << 63) + 1, 10), 0);
	assert_int_equal(flat.heap->errno_value, HEAP_EINVAL);
	flat_heap_free(&flat);
}

static void tunables_are_read_at_the_start(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_prepare(heap_find("glibc"));
	const struct heap_ops *ops = flat.heap->ops;
	assert_true(ops->tunable(flat.heap, "tcache_count", 0));
	assert_true(ops->tunable(flat.heap, "mmap_threshold", 300000));
	assert_false(ops->tunable(flat.heap, "no_such_tunable", 1));
	ops->start(flat.heap);
	uint64_t a = heap_malloc(flat.heap, 40), b = heap_malloc(flat.heap, 40);
	heap_free(flat.heap, a);
	heap_free(flat.heap, b);
	assert_int_equal(heap_calloc(flat.heap, 1, 40), b); /* from the fastbin: nothing is cached */
	assert_true(heap_malloc(flat.heap, 200000) < flat.facts->break_now);
	assert_int_equal(flat.facts->calls[SYSCALL_MMAP], 0);
	flat_heap_free(&flat);
}

static void mallopt_sets_thresholds_and_ends_their_dynamics(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	assert_int_equal(heap_mallopt(flat.heap, -3, 150000), 1);
	heap_free(flat.heap, heap_malloc(flat.heap, 200000));
	heap_free(flat.heap, heap_malloc(flat.heap, 200000));
	assert_int_equal(flat.facts->calls[SYSCALL_MMAP], 2);
	assert_int_equal(heap_mallopt(flat.heap, 1, 1000), 0); /* M_MXFAST: at most 160 */
	assert_int_equal(heap_mallopt(flat.heap, -6, 0x5a), 1);
	uint64_t block = heap_malloc(flat.heap, 1000);
	assert_int_equal(user_load8(flat.user, block + 999), 0xa5);
	flat_heap_free(&flat);
}

static void a_failed_realloc_leaves_the_block(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t block = heap_malloc(flat.heap, 100);
	user_store64(flat.user, block, 99);
	flat.facts->break_limit = flat.facts->break_now;
	flat.facts->mapped_limit = PAGE_BYTES;
	assert_int_equal(heap_realloc(flat.heap, block, MIB), 0);
	assert_int_equal(flat.heap->errno_value, HEAP_ENOMEM);
	assert_int_equal(user_load64(flat.user, block), 99);
	assert_int_equal(flat.heap->stats.live_blocks, 1);
	heap_free(flat.heap, block);
	flat_heap_free(&flat);
}

static void free_keeps_errno(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("glibc");
	uint64_t block = heap_malloc(flat.heap, 300000);
	flat.heap->errno_value = 77;
	heap_free(flat.heap, block);
	assert_int_equal(flat.heap->errno_value, 77);
	flat_heap_free(&flat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_first_malloc_asks_for_the_break_and_moves_it_by_33_pages),
	    cmocka_unit_test(the_tcache_returns_the_last_block_first),
	    cmocka_unit_test(links_of_cached_blocks_are_masked_by_their_address),
	    cmocka_unit_test(the_eighth_block_goes_to_the_fastbin_and_calloc_takes_only_from_there),
	    cmocka_unit_test(neighbours_in_the_unsorted_bin_are_joined_and_split_again),
	    cmocka_unit_test(a_large_bin_gives_the_second_of_the_smallest_size_that_fits),
	    cmocka_unit_test(at_the_threshold_a_block_is_mapped_and_its_free_raises_the_threshold),
	    cmocka_unit_test(realloc_of_a_mapped_block_is_mremap),
	    cmocka_unit_test(calloc_clears_no_farther_than_the_old_top),
	    cmocka_unit_test(calloc_above_ptrdiff_max_happens_before_the_tcache_exists),
	    cmocka_unit_test(a_large_free_trims_the_top),
	    cmocka_unit_test(malloc_trim_drops_the_pages_inside_free_chunks),
	    cmocka_unit_test(a_foreign_sbrk_leaves_fences_behind),
	    cmocka_unit_test(when_brk_fails_the_heap_goes_on_in_a_mapping),
	    cmocka_unit_test(memalign_returns_both_ends_to_the_heap),
	    cmocka_unit_test(tunables_are_read_at_the_start),
	    cmocka_unit_test(mallopt_sets_thresholds_and_ends_their_dynamics),
	    cmocka_unit_test(a_failed_realloc_leaves_the_block),
	    cmocka_unit_test(free_keeps_errno),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
