#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "tlb_private.h"

struct fixture {
	struct arena *arena;
	struct tlb tlb;
	uint64_t tick;
};

static void init_with(struct fixture *f, struct tlb_geometry geometry, enum tlb_replacement replacement)
{
	f->arena = arena_new(1 << 20);
	assert_non_null(f->arena);
	f->tick = 0;
	tlb_init(&f->tlb, f->arena, geometry, TLB_ROLE_L1D, replacement);
}

static void init(struct fixture *f, struct tlb_geometry geometry)
{
	init_with(f, geometry, TLB_LRU);
}

static void release(struct fixture *f)
{
	arena_free(f->arena);
}

/* Returns the way. */
static uint32_t insert(struct fixture *f, uint64_t va, uint64_t pcid, enum page_size size, enum page_size mapping,
		       bool global)
{
	uint64_t lost;
	uint64_t word = (va & TLB_WORD_ADDRESS) | (uint64_t)mapping << TLB_WORD_MAPPING_SHIFT;
	uint64_t tag = tlb_tag(tlb_key(vaddr(va), pcid), size);
	tag = global ? tlb_tag_global(tag) : tag;
	const struct tlb_line *line = tlb_insert(&f->tlb, tag, word, ++f->tick, &lost);
	return (uint32_t)(line - tlb_lines(&f->tlb, tlb_set(&f->tlb, tag & TLB_TAG_PAGE)));
}

static bool holds(const struct fixture *f, uint64_t va, uint64_t pcid, enum page_size size)
{
	return tlb_find(&f->tlb, tlb_key(vaddr(va), pcid), size) != NULL;
}

/* A list in the order of use per set (of filling, for FIFO): the definition, without stamps. */
struct naive {
	uint64_t pages[16][72];
	unsigned used[16];
	bool fifo;
};

static void naive_move_to_front(uint64_t *list, unsigned at, uint64_t page)
{
	for (; at > 0; at--)
		list[at] = list[at - 1];
	list[0] = page;
}

static unsigned naive_find(const struct naive *n, unsigned set, uint64_t page)
{
	unsigned at = 0;
	while (at < n->used[set] && n->pages[set][at] != page)
		at++;
	return at;
}

static bool naive_touch(struct naive *n, unsigned set, unsigned ways, uint64_t page)
{
	unsigned at = naive_find(n, set, page);
	bool hit = at < n->used[set];
	if (!hit) {
		if (n->used[set] < ways)
			n->used[set]++;
		at = n->used[set] - 1;
	}
	if (!hit || !n->fifo)
		naive_move_to_front(n->pages[set], at, page);
	return hit;
}

static bool naive_drop(struct naive *n, unsigned set, uint64_t page)
{
	unsigned at = naive_find(n, set, page);
	if (at == n->used[set])
		return false;
	for (n->used[set]--; at < n->used[set]; at++)
		n->pages[set][at] = n->pages[set][at + 1];
	return true;
}

/* Touches, fills and drops pages at random, on both sides. */
static void compare_with_naive(struct tlb_geometry geometry, enum tlb_replacement replacement, uint64_t seed)
{
	struct fixture f;
	init_with(&f, geometry, replacement);
	struct naive naive = {.fifo = replacement == TLB_FIFO};
	struct rng rng = rng_seeded(seed);
	for (int i = 0; i < 20000; i++) {
		uint64_t page = rng_below(&rng, 2u * geometry.sets * geometry.ways + 1);
		unsigned set = (unsigned)(page % geometry.sets);
		struct tlb_key key = tlb_key(vaddr(page << 12), 0);
		if (rng_below(&rng, 16) == 0) {
			assert_int_equal(tlb_drop_page(&f.tlb, key), naive_drop(&naive, set, page));
			continue;
		}
		struct tlb_line *line = tlb_find(&f.tlb, key, PAGE_SIZE_4K);
		assert_int_equal(line != NULL, naive_touch(&naive, set, geometry.ways, page));
		if (!line)
			(void)insert(&f, page << 12, 0, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
		else
			tlb_used(&f.tlb, line, ++f.tick);
	}
	release(&f);
}

static void tlb_replaces_exactly_what_lru_and_fifo_say(void **state)
{
	(void)state;
	const struct tlb_geometry geometries[] = {
	    {.page_sizes = 1, .sets = 16, .ways = 4}, {.page_sizes = 1, .sets = 1, .ways = 8},
	    {.page_sizes = 1, .sets = 8, .ways = 1},  {.page_sizes = 1, .sets = 4, .ways = 6},
	    {.page_sizes = 1, .sets = 2, .ways = 16}, {.page_sizes = 1, .sets = 2, .ways = 24},
	    {.page_sizes = 1, .sets = 1, .ways = 72},
	};
	for (unsigned i = 0; i < sizeof(geometries) / sizeof(geometries[0]); i++) {
		compare_with_naive(geometries[i], TLB_LRU, 7 + i);
		compare_with_naive(geometries[i], TLB_FIFO, 70 + i);
	}
}

/* Fills with pages 0 to ways - 1, uses some again, fills one more; returns the page that had to go. */
static uint64_t page_lost(enum tlb_replacement replacement, uint64_t ways, const uint64_t *again, unsigned count)
{
	struct fixture f;
	init_with(&f, (struct tlb_geometry){.page_sizes = 1, .sets = 1, .ways = (uint16_t)ways}, replacement);
	for (uint64_t page = 0; page < ways; page++)
		(void)insert(&f, page << 12, 0, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
	for (unsigned i = 0; i < count; i++)
		tlb_used(&f.tlb, tlb_find(&f.tlb, tlb_key(vaddr(again[i] << 12), 0), PAGE_SIZE_4K), ++f.tick);
	(void)insert(&f, ways << 12, 0, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
	uint64_t lost = 0;
	while (lost < ways && holds(&f, lost << 12, 0, PAGE_SIZE_4K))
		lost++;
	release(&f);
	return lost;
}

/* Intel 486 cache, three bits for four ways: a use of way 0 after all four points to the half of ways 2 and 3, and
 * within it to the older. */
static void tlb_tree_plru_forgets_what_lru_remembers(void **state)
{
	(void)state;
	const uint64_t first[] = {0};
	const uint64_t two[] = {0, 2};
	assert_int_equal(page_lost(TLB_TREE_PLRU, 4, NULL, 0), 0);
	assert_int_equal(page_lost(TLB_LRU, 4, first, 1), 1);
	assert_int_equal(page_lost(TLB_TREE_PLRU, 4, first, 1), 2);
	assert_int_equal(page_lost(TLB_LRU, 4, two, 2), 1);
	assert_int_equal(page_lost(TLB_TREE_PLRU, 4, two, 2), 1);
	assert_int_equal(page_lost(TLB_FIFO, 4, two, 2), 0);
}

/* Whatever the number of ways, the most recently used half of the tree is safe, and every way is reached. */
static void tlb_tree_plru_uses_all_ways_and_spares_the_last_used(void **state)
{
	(void)state;
	for (uint64_t ways = 1; ways <= 72; ways++) {
		struct fixture f;
		init_with(&f, (struct tlb_geometry){.page_sizes = 1, .sets = 1, .ways = (uint16_t)ways}, TLB_TREE_PLRU);
		bool seen[72] = {false};
		uint64_t distinct = 0;
		uint32_t last = 0;
		for (uint64_t page = 0; page < 3 * ways; page++) {
			uint32_t way = insert(&f, page << 12, 0, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
			assert_true(way < ways && (ways == 1 || page == 0 || way != last));
			last = way;
			if (page >= ways && !seen[way]) {
				seen[way] = true;
				distinct++;
			}
		}
		/* Fills alone visit the leaves evenly when they are a power of two in number. */
		assert_true(distinct * 2 >= ways);
		if (is_power_of_two(ways))
			assert_int_equal(distinct, ways);
		release(&f);
	}
}

static void tlb_random_replaces_any_way_the_same_in_every_run(void **state)
{
	(void)state;
	uint32_t ways_of_runs[2][64];
	for (int run = 0; run < 2; run++) {
		struct fixture f;
		init_with(&f, (struct tlb_geometry){.page_sizes = 1, .sets = 1, .ways = 4}, TLB_RANDOM);
		uint32_t seen = 0;
		for (uint64_t page = 0; page < 64; page++) {
			uint32_t way = insert(&f, page << 12, 0, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
			ways_of_runs[run][page] = way;
			seen |= page >= 4 ? 1u << way : 0;
			assert_int_equal(f.tlb.valid, page < 4 ? page + 1 : 4);
		}
		assert_int_equal(seen, 15);
		release(&f);
	}
	assert_memory_equal(ways_of_runs[0], ways_of_runs[1], sizeof(ways_of_runs[0]));
}

static void lanes_say_where_a_comparison_holds(void **state)
{
	(void)state;
	lanes numbers;
	for (int i = 0; i < LANES; i++)
		((int8_t *)&numbers)[i] = (int8_t)(i * 7 - 50);
	for (int i = 0; i < LANES; i++) {
		int8_t number = (int8_t)(i * 7 - 50);
		assert_int_equal(lanes_where(numbers == lanes_all(number)), 1u << i);
		assert_int_equal(lanes_where(numbers < lanes_all(number)), (1u << i) - 1);
	}
}

static void tlb_keeps_address_spaces_apart_but_shares_global_pages(void **state)
{
	(void)state;
	struct fixture f;
	init(&f, (struct tlb_geometry){.page_sizes = 1, .sets = 4, .ways = 4});
	(void)insert(&f, 0x1000, 5, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
	(void)insert(&f, 0x2000, 5, PAGE_SIZE_4K, PAGE_SIZE_4K, true);
	assert_true(holds(&f, 0x1000, 5, PAGE_SIZE_4K));
	assert_false(holds(&f, 0x1000, 6, PAGE_SIZE_4K));
	assert_true(holds(&f, 0x2000, 6, PAGE_SIZE_4K));
	assert_int_equal(tlb_drop_pcid(&f.tlb, 5), 1);
	assert_false(holds(&f, 0x1000, 5, PAGE_SIZE_4K));
	assert_true(holds(&f, 0x2000, 5, PAGE_SIZE_4K));
	assert_int_equal(tlb_drop_page(&f.tlb, tlb_key(vaddr(0x2fff), 9)), 1);
	assert_int_equal(f.tlb.valid, 0);
	release(&f);
}

static void tlb_drops_all_pieces_of_a_large_page_at_once(void **state)
{
	(void)state;
	struct fixture f;
	init(&f, (struct tlb_geometry){.page_sizes = 1, .sets = 1, .ways = 8});
	(void)insert(&f, 0x200000, 0, PAGE_SIZE_4K, PAGE_SIZE_2M, false);
	(void)insert(&f, 0x3ff000, 0, PAGE_SIZE_4K, PAGE_SIZE_2M, false);
	(void)insert(&f, 0x400000, 0, PAGE_SIZE_4K, PAGE_SIZE_2M, false);
	(void)insert(&f, 0x200000, 1, PAGE_SIZE_4K, PAGE_SIZE_2M, false);
	assert_int_equal(tlb_drop_page(&f.tlb, tlb_key(vaddr(0x2a5000), 0)), 2);
	assert_true(holds(&f, 0x400000, 0, PAGE_SIZE_4K));
	assert_true(holds(&f, 0x200000, 1, PAGE_SIZE_4K));
	assert_int_equal(tlb_drop_all(&f.tlb), 2);
	assert_int_equal(f.tlb.pieces, 0);
	release(&f);
}

static void tlb_xor_index_spreads_pages_that_a_linear_one_piles_up(void **state)
{
	(void)state;
	struct fixture linear, mixed;
	init(&linear, (struct tlb_geometry){.page_sizes = 1, .sets = 16, .ways = 1});
	init(&mixed, (struct tlb_geometry){.page_sizes = 1, .sets = 16, .ways = 1, .xor_index = true});
	for (uint64_t i = 0; i < 16; i++) {
		(void)insert(&linear, i << 16, 0, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
		(void)insert(&mixed, i << 16, 0, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
	}
	assert_int_equal(linear.tlb.valid, 1);
	assert_int_equal(mixed.tlb.valid, 16);
	release(&linear);
	release(&mixed);
}

static void tlb_shows_its_entries_to_observers(void **state)
{
	(void)state;
	struct fixture f;
	init(&f, (struct tlb_geometry){.page_sizes = PAGE_SIZE_BIT(PAGE_SIZE_2M), .sets = 2, .ways = 2});
	uint64_t va = 0xffff800000600000;
	uint64_t word = 0x40000000 | TLB_WORD_WRITABLE | TLB_WORD_DIRTY | (uint64_t)5 << TLB_WORD_KEY_SHIFT |
			(uint64_t)PAGE_SIZE_1G << TLB_WORD_MAPPING_SHIFT;
	uint64_t lost;
	(void)tlb_insert(&f.tlb, tlb_tag(tlb_key(vaddr(va), 7), PAGE_SIZE_2M), word, 99, &lost);
	assert_int_equal(lost, 0);
	uint32_t slot = 2; /* an odd page: the second set's first way */
	struct tlb_entry entry;
	assert_true(tlb_slot(&f.tlb, slot, &entry));
	assert_int_equal(entry.page.v, va);
	assert_int_equal(entry.frame.v, 0x40000);
	assert_int_equal(entry.pcid, 7);
	assert_int_equal(entry.size, PAGE_SIZE_2M);
	assert_int_equal(entry.mapping_size, PAGE_SIZE_1G);
	assert_int_equal(entry.protection_key, 5);
	assert_int_equal(entry.stamp, 99);
	assert_true(entry.writable && entry.dirty && !entry.user && !entry.no_execute && !entry.global);
	assert_false(tlb_slot(&f.tlb, slot ^ 1, &entry));
	assert_int_equal(tlb_slots(&f.tlb), 4);
	assert_int_equal(tlb_geometry(&f.tlb).ways, 2);
	assert_string_equal(tlb_role_name(tlb_role(&f.tlb)), "L1D");
	assert_string_equal(page_size_name(PAGE_SIZE_1G), "1G");
	release(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lanes_say_where_a_comparison_holds),
	    cmocka_unit_test(tlb_replaces_exactly_what_lru_and_fifo_say),
	    cmocka_unit_test(tlb_tree_plru_forgets_what_lru_remembers),
	    cmocka_unit_test(tlb_tree_plru_uses_all_ways_and_spares_the_last_used),
	    cmocka_unit_test(tlb_random_replaces_any_way_the_same_in_every_run),
	    cmocka_unit_test(tlb_keeps_address_spaces_apart_but_shares_global_pages),
	    cmocka_unit_test(tlb_drops_all_pieces_of_a_large_page_at_once),
	    cmocka_unit_test(tlb_xor_index_spreads_pages_that_a_linear_one_piles_up),
	    cmocka_unit_test(tlb_shows_its_entries_to_observers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
