/* Programs that ruin a glibc heap, and what glibc 2.36 prints before it aborts them. The words were compared with those
 * of the real library, crime by crime. */
#include "crime.h"

/* ---- free ---- */

static void free_cached_twice(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 24);
	heap_free(heap, block);
	heap_free(heap, block);
}

static void free_fast_twice(struct heap *heap)
{
	uint64_t block = guarded(heap, 0x28);
	fill_tcache(heap, 0x28);
	heap_free(heap, block);
	heap_free(heap, block);
}

static void free_large_twice(struct heap *heap)
{
	heap_free(heap, in_unsorted(heap, 2000));
}

static void free_misaligned(struct heap *heap)
{
	heap_free(heap, heap_malloc(heap, 2000) + 8);
}

static void free_wrapping(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 2000);
	write_size(heap, block, ~(uint64_t)15 | 1);
	heap_free(heap, block);
}

static void free_tiny(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 2000);
	write_size(heap, block, 0x11);
	heap_free(heap, block);
}

static void free_ruined_entry(struct heap *heap)
{
	uint64_t a = heap_malloc(heap, 24), b = heap_malloc(heap, 24);
	heap_free(heap, a);
	heap_free(heap, b);
	write_link(heap, b, 0, (b >> 12) ^ (a + 8));
	write_link(heap, a, 1, user_load64(heap->user, b + 8)); /* the key of a cached block */
	heap_free(heap, a);
}

static void free_fast_with_bad_successor(struct heap *heap)
{
	uint64_t block = guarded(heap, 0x28);
	fill_tcache(heap, 0x28);
	user_store64(heap->user, block + 0x28, 0x10);
	heap_free(heap, block);
}

static void free_top(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 2000);
	heap_free(heap, block);
	heap_free(heap, block);
}

static void free_beyond_top(struct heap *heap)
{
	uint64_t block = guarded(heap, 2000);
	write_size(heap, block, 0x40000 | 1);
	heap_free(heap, block);
}

static void free_with_bad_successor(struct heap *heap)
{
	uint64_t block = guarded(heap, 2000);
	user_store64(heap->user, block + 2008, 0x9);
	heap_free(heap, block);
}

static void free_with_wrong_prev_size(struct heap *heap)
{
	uint64_t before = heap_malloc(heap, 2000), block = guarded(heap, 2000);
	heap_free(heap, before);
	write_prev_size(heap, block, 0x400);
	heap_free(heap, block);
}

static void free_behind_broken_links(struct heap *heap)
{
	uint64_t before = heap_malloc(heap, 2000), block = guarded(heap, 2000);
	heap_free(heap, before);
	write_link(heap, before, 0, before);
	heap_free(heap, block);
}

static void free_into_broken_unsorted(struct heap *heap)
{
	uint64_t a = guarded(heap, 2000), b = guarded(heap, 2000);
	heap_free(heap, a);
	write_link(heap, a, 1, b);
	heap_free(heap, b);
}

static void free_mapped_with_prev_size(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 300000);
	write_prev_size(heap, block, 8);
	heap_free(heap, block);
}

/* ---- malloc ---- */

static void malloc_unaligned_cached(struct heap *heap)
{
	uint64_t a = heap_malloc(heap, 24), b = heap_malloc(heap, 24);
	heap_free(heap, a);
	heap_free(heap, b);
	write_link(heap, b, 0, (b >> 12) ^ (a + 8));
	(void)heap_malloc(heap, 24);
	(void)heap_malloc(heap, 24);
}

static void malloc_unaligned_fast(struct heap *heap)
{
	uint64_t block = in_fastbin(heap);
	write_link(heap, block, 0, (block >> 12) ^ (block + 8));
	(void)heap_calloc(heap, 1, 0x28);
}

static void malloc_fast_of_other_size(struct heap *heap)
{
	uint64_t block = in_fastbin(heap);
	write_size(heap, block, 0x51);
	(void)heap_malloc(heap, 0x28);
}

static void malloc_broken_small_bin(struct heap *heap)
{
	uint64_t block = guarded(heap, 0x200);
	fill_tcache(heap, 0x200);
	heap_free(heap, block);
	(void)heap_malloc(heap, 3000);
	empty_tcache(heap, 0x200);
	write_link(heap, block, 1, block);
	(void)heap_malloc(heap, 0x200);
}

static void malloc_unsorted_of_absurd_size(struct heap *heap)
{
	write_size(heap, in_unsorted(heap, 2000), 0x40000000 | 1);
	(void)heap_malloc(heap, 3000);
}

static void malloc_unsorted_with_absurd_successor(struct heap *heap)
{
	uint64_t block = in_unsorted(heap, 2000);
	user_store64(heap->user, block + 2008, 0x40000000);
	(void)heap_malloc(heap, 3000);
}

static void malloc_unsorted_of_other_foot(struct heap *heap)
{
	uint64_t block = in_unsorted(heap, 2000);
	user_store64(heap->user, block + 2000, 0x400);
	(void)heap_malloc(heap, 3000);
}

static void malloc_unsorted_with_broken_links(struct heap *heap)
{
	uint64_t block = in_unsorted(heap, 2000);
	write_link(heap, block, 0, block);
	(void)heap_malloc(heap, 3000);
}

static void malloc_unsorted_marked_used(struct heap *heap)
{
	uint64_t block = in_unsorted(heap, 2000);
	user_store64(heap->user, block + 2008, 0x21);
	(void)heap_malloc(heap, 3000);
}

static void malloc_large_with_wrong_foot(struct heap *heap)
{
	uint64_t block = in_unsorted(heap, 2000);
	(void)heap_malloc(heap, 3000);
	user_store64(heap->user, block + 2000, 0x400);
	(void)heap_malloc(heap, 1500);
}

static void malloc_large_with_broken_sizes(struct heap *heap)
{
	uint64_t elsewhere = heap_malloc(heap, 100), block = in_unsorted(heap, 2000);
	(void)heap_malloc(heap, 3000);
	write_link(heap, block, 2, elsewhere);
	(void)heap_malloc(heap, 1990);
}

static void malloc_absurd_top(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 24);
	user_store64(heap->user, block + 24, ~(uint64_t)0);
	(void)heap_malloc(heap, 2000);
}

static void malloc_small_top(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 24);
	user_store64(heap->user, block + 24, 0x101);
	(void)heap_malloc(heap, 2000);
}

static void consolidate_unaligned(struct heap *heap)
{
	uint64_t block = in_fastbin(heap);
	write_link(heap, block, 0, (block >> 12) ^ (block + 8));
	(void)heap_malloc(heap, 3000);
}

static void consolidate_other_size(struct heap *heap)
{
	write_size(heap, in_fastbin(heap), 0x51);
	(void)heap_malloc(heap, 3000);
}

/* ---- realloc ---- */

static void realloc_misaligned(struct heap *heap)
{
	(void)heap_realloc(heap, heap_malloc(heap, 100) + 8, 200);
}

static void realloc_tiny(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 100);
	write_size(heap, block, 0x9);
	(void)heap_realloc(heap, block, 200);
}

static void realloc_with_bad_successor(struct heap *heap)
{
	uint64_t block = guarded(heap, 0x68);
	user_store64(heap->user, block + 0x68, 0x9);
	(void)heap_realloc(heap, block, 200);
}

static void realloc_mapped_with_prev_size(struct heap *heap)
{
	uint64_t block = heap_malloc(heap, 300000);
	write_prev_size(heap, block, 8);
	(void)heap_realloc(heap, block, 400000);
}

static const struct crime crimes[] = {
    CRIME(free_cached_twice, "free(): double free detected in tcache 2"),
    CRIME(free_fast_twice, "double free or corruption (fasttop)"),
    CRIME(free_large_twice, "double free or corruption (!prev)"),
    CRIME(free_misaligned, "free(): invalid pointer"),
    CRIME(free_wrapping, "free(): invalid pointer"),
    CRIME(free_tiny, "free(): invalid size"),
    CRIME(free_ruined_entry, "free(): unaligned chunk detected in tcache 2"),
    CRIME(free_fast_with_bad_successor, "free(): invalid next size (fast)"),
    CRIME(free_top, "double free or corruption (top)"),
    CRIME(free_beyond_top, "double free or corruption (out)"),
    CRIME(free_with_bad_successor, "free(): invalid next size (normal)"),
    CRIME(free_with_wrong_prev_size, "corrupted size vs. prev_size while consolidating"),
    CRIME(free_behind_broken_links, "corrupted double-linked list"),
    CRIME(free_into_broken_unsorted, "free(): corrupted unsorted chunks"),
    CRIME(free_mapped_with_prev_size, "munmap_chunk(): invalid pointer"),
    CRIME(malloc_unaligned_cached, "malloc(): unaligned tcache chunk detected"),
    CRIME(malloc_unaligned_fast, "malloc(): unaligned fastbin chunk detected 3"),
    CRIME(malloc_fast_of_other_size, "malloc(): memory corruption (fast)"),
    CRIME(malloc_broken_small_bin, "malloc(): smallbin double linked list corrupted"),
    CRIME(malloc_unsorted_of_absurd_size, "malloc(): invalid size (unsorted)"),
    CRIME(malloc_unsorted_with_absurd_successor, "malloc(): invalid next size (unsorted)"),
    CRIME(malloc_unsorted_of_other_foot, "malloc(): mismatching next->prev_size (unsorted)"),
    CRIME(malloc_unsorted_with_broken_links, "malloc(): unsorted double linked list corrupted"),
    CRIME(malloc_unsorted_marked_used, "malloc(): invalid next->prev_inuse (unsorted)"),
    CRIME(malloc_large_with_wrong_foot, "corrupted size vs. prev_size"),
    CRIME(malloc_large_with_broken_sizes, "corrupted double-linked list (not small)"),
    CRIME(malloc_absurd_top, "malloc(): corrupted top size"),
    CRIME(
	malloc_small_top,
	"Fatal glibc error: malloc assertion failure in sysmalloc: (old_top == initial_top (av) && old_size == 0) || "
	"((unsigned long) (old_size) >= MINSIZE && prev_inuse (old_top) && ((unsigned long) old_end & (pagesize - 1)) "
	"== 0)"),
    CRIME(consolidate_unaligned, "malloc_consolidate(): unaligned fastbin chunk detected"),
    CRIME(consolidate_other_size, "malloc_consolidate(): invalid chunk size"),
    CRIME(realloc_misaligned, "realloc(): invalid pointer"),
    CRIME(realloc_tiny, "realloc(): invalid old size"),
    CRIME(realloc_with_bad_successor, "realloc(): invalid next size"),
    CRIME(realloc_mapped_with_prev_size, "mremap_chunk(): invalid pointer"),
};

static void every_crime_ends_in_the_words_of_the_real_library(void **state)
{
	(void)state;
	crimes_try(crimes, sizeof(crimes) / sizeof(crimes[0]));
}

static void the_walk_sees_a_crime_before_the_library_does(void **state)
{
	(void)state;
	static void (*const silent[])(struct heap *) = {malloc_unsorted_of_absurd_size, malloc_unsorted_of_other_foot,
							malloc_unsorted_with_broken_links, malloc_unsorted_marked_used,
							malloc_large_with_broken_sizes};
	for (unsigned i = 0; i < sizeof(silent) / sizeof(silent[0]); i++) {
		struct flat_heap flat = flat_heap_new("glibc");
		struct crime crime = {"", silent[i], ""};
		struct trial trial = {flat.heap, &crime};
		const char *why = NULL;
		assert_false(user_run(flat.user, crime_commit, &trial));
		assert_false(flat.heap->ops->walk(flat.heap, NULL, NULL, &why));
		assert_non_null(why);
		flat_heap_free(&flat);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_crime_ends_in_the_words_of_the_real_library),
	    cmocka_unit_test(the_walk_sees_a_crime_before_the_library_does),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
