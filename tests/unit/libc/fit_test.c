/* The textbook fits: the one decision in which they differ, and the engine that they share. */
#include <string.h>

#include "flat_heap.h"

/* Holes of 500, 200, 900 and 300 bytes, in this order of addresses, with used blocks between them. */
enum { HOLES = 4 };

static const uint64_t hole_bytes[HOLES] = {500, 200, 900, 300};

struct holes {
	struct flat_heap flat;
	uint64_t at[HOLES];
};

static struct holes dig(const char *allocator)
{
	struct holes holes = {.flat = flat_heap_new(allocator)};
	struct heap *heap = holes.flat.heap;
	for (unsigned i = 0; i < HOLES; i++) {
		holes.at[i] = heap_malloc(heap, hole_bytes[i]);
		(void)heap_malloc(heap, 16);
	}
	for (unsigned i = 0; i < HOLES; i++)
		heap_free(heap, holes.at[i]);
	flat_heap_check(&holes.flat);
	return holes;
}

static void first_fit_takes_the_lowest_hole_that_fits(void **state)
{
	(void)state;
	struct holes holes = dig("first-fit");
	assert_int_equal(heap_malloc(holes.flat.heap, 250), holes.at[0]);
	assert_int_equal(heap_malloc(holes.flat.heap, 190), holes.at[0] + 272);
	assert_int_equal(heap_malloc(holes.flat.heap, 180), holes.at[1]);
	flat_heap_free(&holes.flat);
}

static void best_fit_takes_the_smallest_hole_that_fits(void **state)
{
	(void)state;
	struct holes holes = dig("best-fit");
	assert_int_equal(heap_malloc(holes.flat.heap, 250), holes.at[3]);
	assert_int_equal(heap_malloc(holes.flat.heap, 180), holes.at[1]);
	assert_int_equal(heap_malloc(holes.flat.heap, 400), holes.at[0]);
	flat_heap_free(&holes.flat);
}

static void worst_fit_takes_the_largest_chunk(void **state)
{
	(void)state;
	struct holes holes = dig("worst-fit");
	uint64_t nearly_all_behind = holes.flat.facts->break_now - holes.at[3] - 600;
	assert_true(heap_malloc(holes.flat.heap, nearly_all_behind) > holes.at[3]);
	assert_int_equal(heap_malloc(holes.flat.heap, 60), holes.at[2]);
	flat_heap_free(&holes.flat);
}

static void next_fit_goes_on_behind_the_last_choice(void **state)
{
	(void)state;
	struct holes holes = dig("next-fit");
	assert_int_equal(heap_malloc(holes.flat.heap, 100), holes.at[0]);
	assert_int_equal(heap_malloc(holes.flat.heap, 100), holes.at[1]);
	assert_int_equal(heap_malloc(holes.flat.heap, 100), holes.at[2]);
	assert_int_equal(heap_malloc(holes.flat.heap, 100), holes.at[3]);
	flat_heap_free(&holes.flat);
}

static void next_fit_comes_round_to_the_start(void **state)
{
	(void)state;
	struct holes holes = dig("next-fit");
	assert_int_equal(heap_malloc(holes.flat.heap, 800), holes.at[2]);
	uint64_t rest = holes.flat.facts->break_now - holes.at[3] - 600;
	assert_int_not_equal(heap_malloc(holes.flat.heap, rest), 0);
	assert_int_equal(heap_malloc(holes.flat.heap, 480), holes.at[0]);
	flat_heap_free(&holes.flat);
}

static void neighbours_join_on_both_sides(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("first-fit");
	uint64_t block[4];
	for (unsigned i = 0; i < 4; i++)
		block[i] = heap_malloc(flat.heap, 100);
	heap_free(flat.heap, block[0]);
	heap_free(flat.heap, block[2]);
	heap_free(flat.heap, block[1]);
	assert_int_equal(flat.heap->stats.coalesces, 2);
	assert_int_equal(heap_malloc(flat.heap, 320), block[0]);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

static void a_remainder_too_small_for_a_chunk_stays_with_the_block(void **state)
{
	(void)state;
	struct holes holes = dig("best-fit");
	uint64_t block = heap_malloc(holes.flat.heap, 290);
	assert_int_equal(block, holes.at[3]);
	assert_int_equal(heap_usable_size(holes.flat.heap, block), 312);
	flat_heap_free(&holes.flat);
}

static void realloc_grows_into_a_free_neighbour(void **state)
{
	(void)state;
	struct holes holes = dig("first-fit");
	uint64_t block = heap_malloc(holes.flat.heap, 100);
	user_fill(holes.flat.user, block, 0x5a, 100);
	assert_int_equal(heap_realloc(holes.flat.heap, block, 450), block);
	assert_int_equal(user_load8(holes.flat.user, block + 99), 0x5a);
	assert_int_not_equal(heap_realloc(holes.flat.heap, block, 700), block);
	flat_heap_check(&holes.flat);
	flat_heap_free(&holes.flat);
}

static void the_heap_grows_by_brk_and_shrinks_when_its_end_is_free(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("first-fit");
	uint64_t keep = heap_malloc(flat.heap, 100);
	uint64_t small_break = flat.facts->break_now;
	assert_int_equal(small_break, FLAT_START_BRK + 64 * KIB);
	uint64_t block = heap_malloc(flat.heap, MIB);
	assert_true(flat.facts->break_now > FLAT_START_BRK + MIB);
	user_fill(flat.user, block, 1, MIB);
	heap_free(flat.heap, block);
	assert_true(flat.facts->break_now <= FLAT_START_BRK + 2 * PAGE_BYTES);
	flat_heap_check(&flat);
	assert_int_equal(heap_malloc(flat.heap, MIB), block);
	heap_free(flat.heap, keep);
	flat_heap_check(&flat);
	assert_int_equal(flat.facts->calls[SYSCALL_MMAP], 0);
	flat_heap_free(&flat);
}

static void a_break_moved_by_the_program_starts_a_new_stretch(void **state)
{
	(void)state;
	struct flat_heap flat = flat_heap_new("best-fit");
	uint64_t first = heap_malloc(flat.heap, 100);
	uint64_t foreign = heap_sbrk(flat.heap, 5001);
	user_fill(flat.user, foreign, 0x77, 5001);
	uint64_t block = heap_malloc(flat.heap, 100000);
	assert_true(block >= foreign + 5001);
	assert_int_equal(block % 16, 0);
	user_fill(flat.user, block, 0x11, 100000);
	heap_free(flat.heap, block);
	heap_free(flat.heap, first);
	assert_int_equal(user_load8(flat.user, foreign), 0x77);
	assert_int_equal(user_load8(flat.user, foreign + 5000), 0x77);
	flat_heap_check(&flat);
	flat_heap_free(&flat);
}

struct crime {
	struct heap *heap;
	uint64_t block;
	void (*commit)(struct crime *crime);
};

static void commit(void *self)
{
	struct crime *crime = self;
	crime->commit(crime);
}

static void overwrite_links(struct crime *crime)
{
	(void)heap_malloc(crime->heap, 16);
	heap_free(crime->heap, crime->block);
	user_store64(crime->heap->user, crime->block, crime->block + 64);
	(void)heap_malloc(crime->heap, 300);
}

static void overwrite_foot(struct crime *crime)
{
	uint64_t next = heap_malloc(crime->heap, 300);
	(void)heap_malloc(crime->heap, 16);
	heap_free(crime->heap, crime->block);
	user_store64(crime->heap->user, next - 16, 64);
	heap_free(crime->heap, next);
}

static void between_two_free(struct crime *crime)
{
	uint64_t middle = heap_malloc(crime->heap, 300), behind = heap_malloc(crime->heap, 300);
	(void)heap_malloc(crime->heap, 16);
	heap_free(crime->heap, crime->block);
	heap_free(crime->heap, behind);
	heap_free(crime->heap, middle);
	heap_free(crime->heap, middle);
}

static void realloc_freed(struct crime *crime)
{
	(void)heap_malloc(crime->heap, 16);
	heap_free(crime->heap, crime->block);
	(void)heap_realloc(crime->heap, crime->block, 1000);
}

static void ruined_tags_and_lists_abort_with_words(void **state)
{
	(void)state;
	static const struct {
		void (*commit)(struct crime *crime);
		const char *words;
	} table[] = {{overwrite_links, "corrupted free list"},
		     {overwrite_foot, "corrupted size vs. prev_size"},
		     {between_two_free, "double free or corruption (!prev)"},
		     {realloc_freed, "double free or corruption (!prev)"}};
	for (unsigned i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct flat_heap flat = flat_heap_new("first-fit");
		struct crime crime = {flat.heap, heap_malloc(flat.heap, 300), table[i].commit};
		assert_false(user_run(flat.user, commit, &crime));
		assert_string_equal(flat.facts->message, table[i].words);
		flat_heap_free(&flat);
	}
}

static void the_walk_finds_a_broken_heap(void **state)
{
	(void)state;
	struct holes holes = dig("first-fit");
	const char *why = NULL;
	user_store64(holes.flat.user, holes.at[1] - 8, 64 + 1);
	assert_false(holes.flat.heap->ops->walk(holes.flat.heap, NULL, NULL, &why));
	assert_non_null(why);
	flat_heap_free(&holes.flat);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_fit_takes_the_lowest_hole_that_fits),
	    cmocka_unit_test(best_fit_takes_the_smallest_hole_that_fits),
	    cmocka_unit_test(worst_fit_takes_the_largest_chunk),
	    cmocka_unit_test(next_fit_goes_on_behind_the_last_choice),
	    cmocka_unit_test(next_fit_comes_round_to_the_start),
	    cmocka_unit_test(neighbours_join_on_both_sides),
	    cmocka_unit_test(a_remainder_too_small_for_a_chunk_stays_with_the_block),
	    cmocka_unit_test(realloc_grows_into_a_free_neighbour),
	    cmocka_unit_test(the_heap_grows_by_brk_and_shrinks_when_its_end_is_free),
	    cmocka_unit_test(a_break_moved_by_the_program_starts_a_new_stretch),
	    cmocka_unit_test(ruined_tags_and_lists_abort_with_words),
	    cmocka_unit_test(the_walk_finds_a_broken_heap),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
