/* The VMA tree against an array with one flag per page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "vma_tree.h"

enum { PAGES = 600, AREAS = 200 };
#define BASE VMA_LOWEST

static struct vaddr page(uint64_t index)
{
	return vaddr(BASE + index * PAGE_BYTES);
}

/* Upper end of the highest run of `count` free pages below `ceiling`, or PAGES + 1. */
static uint64_t highest_run(const bool *used, uint64_t count, uint64_t ceiling)
{
	uint64_t run = 0;
	for (uint64_t i = ceiling; i-- > 0;) {
		run = used[i] ? 0 : run + 1;
		if (run == count)
			return i;
	}
	return PAGES + 1;
}

static void compare(const struct vma_tree *tree, const bool *used, struct rng *rng)
{
	uint64_t count = 1 + rng_below(rng, 40), ceiling = 1 + rng_below(rng, PAGES);
	uint64_t expected = highest_run(used, count, ceiling);
	struct vaddr found;
	bool ok = vma_tree_top_down(tree, count * PAGE_BYTES, page(ceiling), &found);
	assert_int_equal(ok, expected <= PAGES);
	if (ok)
		assert_int_equal(found.v, page(expected).v);
	uint64_t probe = rng_below(rng, PAGES);
	const struct vma *after = vma_tree_after(tree, page(probe));
	bool inside = after && after->start.v <= page(probe).v;
	assert_int_equal(inside, used[probe]);
}

static void random_areas_agree_with_an_array_of_pages(void **state)
{
	(void)state;
	static struct vma areas[AREAS];
	static bool used[PAGES], live[AREAS];
	struct vma_tree tree = {.root = NULL};
	struct rng rng = rng_seeded(7);
	for (unsigned step = 0; step < 20000; step++) {
		unsigned i = (unsigned)rng_below(&rng, AREAS);
		if (live[i]) {
			for (uint64_t va = areas[i].start.v; va < areas[i].end.v; va += PAGE_BYTES)
				used[(va - BASE) / PAGE_BYTES] = false;
			vma_tree_remove(&tree, &areas[i]);
			live[i] = false;
		} else {
			uint64_t start = rng_below(&rng, PAGES), length = 1 + rng_below(&rng, 6), end = start;
			while (end < PAGES && end < start + length && !used[end])
				used[end++] = true;
			if (end == start)
				continue;
			areas[i] = (struct vma){.start = page(start), .end = page(end), .name = ""};
			vma_tree_insert(&tree, &areas[i]);
			live[i] = true;
		}
		compare(&tree, used, &rng);
		if (step % 200 == 0)
			assert_true(vma_tree_check(&tree));
	}
}

static void find_remembers_but_never_lies(void **state)
{
	(void)state;
	struct vma_tree tree = {.root = NULL};
	struct vma a = {.start = page(10), .end = page(20), .name = ""},
		   b = {.start = page(20), .end = page(30), .name = ""};
	vma_tree_insert(&tree, &a);
	vma_tree_insert(&tree, &b);
	assert_ptr_equal(vma_tree_find(&tree, page(19)), &a);
	vma_tree_resize(&tree, &a, page(10), page(15));
	assert_null(vma_tree_find(&tree, page(19)));
	assert_ptr_equal(vma_tree_find(&tree, page(20)), &b);
	vma_tree_remove(&tree, &b);
	assert_null(vma_tree_find(&tree, page(20)));
	assert_true(vma_tree_check(&tree));
}

static void nothing_is_placed_into_the_guard_gap_of_a_stack(void **state)
{
	(void)state;
	struct vma_tree tree = {.root = NULL};
	struct vma stack = {.start = page(500), .end = page(510), .flags = VMA_GROWSDOWN, .name = "[stack]"};
	struct vaddr found;
	vma_tree_insert(&tree, &stack);
	assert_true(vma_tree_top_down(&tree, PAGE_BYTES, page(505), &found));
	assert_int_equal(found.v, stack.start.v - VMA_STACK_GUARD_BYTES - PAGE_BYTES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(random_areas_agree_with_an_array_of_pages),
	    cmocka_unit_test(find_remembers_but_never_lies),
	    cmocka_unit_test(nothing_is_placed_into_the_guard_gap_of_a_stack),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
