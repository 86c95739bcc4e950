/* The rarer crimes: lists that only a careful vandal ruins, assertions of malloc.c, and what threads leave behind. */
#include "crime.h"

static void cache_in_a_circle(struct heap *heap)
{
	uint64_t a = heap_malloc(heap, 24), b = heap_malloc(heap, 24), c = heap_malloc(heap, 24);
	heap_free(heap, a);
	heap_free(heap, b);
	write_link(heap, a, 0, (a >> 12) ^ b);
	write_link(heap, c, 1, user_load64(heap->user, b + 8)); /* the key of a cached block */
	heap_free(heap, c);
}

static void move_the_break_down(struct heap *heap)
{
	(void)heap_malloc(heap, 100);
	(void)heap_sbrk(heap, -8192);
	(void)heap_malloc(heap, 100000);
	(void)heap_malloc(heap, 100000);
}

/* The allocator itself frees a piece into a fastbin whose first chunk has another size. */
static void put_before_a_chunk_of_another_size(struct heap *heap)
{
	uint64_t block = guarded(heap, 0x28), large = guarded(heap, 0x100);
	fill_tcache(heap, 0x28);
	heap_free(heap, block);
	write_size(heap, block, 0x51);
	(void)heap_realloc(heap, large, 0x100 - 0x30);
}

/* One pass looks at 10000 chunks of the unsorted bin; the newest are still there when a larger chunk is cut, and what
 * is left of it is to go before them. */
static void cut_before_broken_unsorted(struct heap *heap, uint64_t bytes)
{
	enum { COUNT = 10010 };
	uint64_t blocks[COUNT];
	for (unsigned i = 0; i < COUNT; i++)
		blocks[i] = guarded(heap, 1100);
	for (unsigned i = 0; i < COUNT; i++)
		heap_free(heap, blocks[i]);
	write_link(heap, blocks[COUNT - 1], 1, blocks[0]);
	(void)heap_malloc(heap, bytes);
}

static void cut_small_before_broken_unsorted(struct heap *heap)
{
	cut_before_broken_unsorted(heap, 600);
}

static void cut_large_before_broken_unsorted(struct heap *heap)
{
	cut_before_broken_unsorted(heap, 1080);
}

static void sort_into_a_bin_with_a_broken_link(struct heap *heap)
{
	uint64_t a = guarded(heap, 2000), b = guarded(heap, 2010);
	heap_free(heap, a);
	(void)heap_malloc(heap, 3000);
	heap_free(heap, b);
	write_link(heap, a, 1, a); /* bk: behind it the larger one is to be linked */
	(void)heap_malloc(heap, 3000);
}

static void sort_into_a_bin_with_broken_sizes(struct heap *heap)
{
	uint64_t a = guarded(heap, 2000), b = guarded(heap, 2010), elsewhere = heap_malloc(heap, 100);
	heap_free(heap, a);
	(void)heap_malloc(heap, 3000);
	heap_free(heap, b);
	write_link(heap, a, 3, elsewhere - 16); /* bk_nextsize */
	(void)heap_malloc(heap, 3000);
}

static void take_a_misaligned_fast_chunk(struct heap *heap)
{
	uint64_t block = guarded(heap, 0x28);
	fill_tcache(heap, 0x28);
	heap_free(heap, block);
	write_link(heap, block, 0, (block >> 12) ^ (block + 8));
	(void)heap_calloc(heap, 1, 0x28);
	(void)heap_calloc(heap, 1, 0x28);
}

static void join_a_fast_chunk_with_a_wrong_neighbour(struct heap *heap)
{
	uint64_t front = guarded(heap, 2000), block = in_fastbin(heap);
	(void)front;
	write_prev_size(heap, block, 0x40);
	write_size(heap, block, 0x30); /* says that the one before is free */
	(void)heap_malloc(heap, 3000);
}

static void free_a_chunk_smaller_than_its_bin(struct heap *heap)
{
	uint64_t block = in_unsorted(heap, 2000);
	(void)heap_malloc(heap, 3000);
	write_size(heap, block, 0x21);
	(void)heap_malloc(heap, 600);
}

static void sort_beside_a_chunk_of_another_arena(struct heap *heap)
{
	uint64_t a = guarded(heap, 2000), b = guarded(heap, 2010);
	heap_free(heap, a);
	(void)heap_malloc(heap, 3000);
	heap_free(heap, b);
	write_size(heap, a, 0x7e5);
	(void)heap_malloc(heap, 3000);
}

static void end_a_thread_with_a_misaligned_cache(struct heap *heap)
{
	(void)heap_thread_create(heap, 1);
	heap_thread_switch(heap, 1);
	uint64_t block = heap_malloc(heap, 24);
	(void)heap_malloc(heap, 24);
	heap_free(heap, block);
	write_link(heap, block, 0, (block >> 12) ^ (block + 8));
	heap_thread_switch(heap, 0);
	heap_thread_join(heap, 1);
}

static void take_a_misaligned_fast_chunk_with_threads(struct heap *heap)
{
	uint64_t block = in_fastbin(heap);
	(void)heap_thread_create(heap, 1);
	write_link(heap, block, 0, (block >> 12) ^ (block + 8));
	(void)heap_calloc(heap, 1, 0x28);
}

static const struct crime crimes[] = {
    CRIME(cache_in_a_circle, "free(): too many chunks detected in tcache"),
    CRIME(move_the_break_down, "break adjusted to free malloc space"),
    CRIME(put_before_a_chunk_of_another_size, "invalid fastbin entry (free)"),
    CRIME(cut_small_before_broken_unsorted, "malloc(): corrupted unsorted chunks 2"),
    CRIME(cut_large_before_broken_unsorted, "malloc(): corrupted unsorted chunks"),
    CRIME(sort_into_a_bin_with_a_broken_link, "malloc(): largebin double linked list corrupted (bk)"),
    CRIME(sort_into_a_bin_with_broken_sizes, "malloc(): largebin double linked list corrupted (nextsize)"),
    CRIME(take_a_misaligned_fast_chunk, "malloc(): unaligned fastbin chunk detected 2"),
    CRIME(join_a_fast_chunk_with_a_wrong_neighbour, "corrupted size vs. prev_size in fastbins"),
    CRIME(free_a_chunk_smaller_than_its_bin,
	  "Fatal glibc error: malloc assertion failure in _int_malloc: (unsigned long) (size) >= (unsigned long) (nb)"),
    CRIME(sort_beside_a_chunk_of_another_arena,
	  "Fatal glibc error: malloc assertion failure in _int_malloc: chunk_main_arena (bck->bk)"),
    CRIME(end_a_thread_with_a_misaligned_cache, "tcache_thread_shutdown(): unaligned tcache chunk detected"),
    CRIME(take_a_misaligned_fast_chunk_with_threads, "malloc(): unaligned fastbin chunk detected"),
};

static void every_crime_ends_in_the_words_of_the_real_library(void **state)
{
	(void)state;
	crimes_try(crimes, sizeof(crimes) / sizeof(crimes[0]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_crime_ends_in_the_words_of_the_real_library),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
