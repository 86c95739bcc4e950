#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "tlb_private.h"

enum { MAX_SLOTS = 64 };

struct fixture {
	struct tlb tlb;
	uint64_t tags[MAX_SLOTS];
	struct tlb_value values[MAX_SLOTS];
	uint64_t tick;
};

static void init(struct fixture *f, struct tlb_geometry geometry)
{
	*f = (struct fixture){.tick = 0};
	tlb_init(&f->tlb, geometry, TLB_ROLE_L1D, 0, f->tags, f->values);
}

static uint32_t insert(struct fixture *f, uint64_t va, uint64_t pcid, enum page_size size, enum page_size mapping,
		       bool global)
{
	uint32_t slot;
	struct tlb_value value = {(va & TLB_WORD_ADDRESS) | (uint64_t)mapping << TLB_WORD_MAPPING_SHIFT, ++f->tick};
	(void)tlb_insert(&f->tlb, tlb_tag((struct tlb_key){vaddr(va), pcid}, size, global), value, &slot);
	return slot;
}

static bool holds(const struct fixture *f, uint64_t va, uint64_t pcid, enum page_size size)
{
	return tlb_find(&f->tlb, (struct tlb_key){vaddr(va), pcid}, size) != TLB_NONE;
}

/* A list in the order of use per set: the definition of LRU, without stamps. */
struct naive {
	uint64_t pages[16][8];
	unsigned used[16];
};

static bool naive_touch(struct naive *n, unsigned sets, unsigned ways, uint64_t page)
{
	uint64_t *list = n->pages[page % sets];
	unsigned *used = &n->used[page % sets];
	unsigned at = 0;
	while (at < *used && list[at] != page)
		at++;
	bool hit = at < *used;
	if (!hit) {
		if (*used < ways)
			++*used;
		at = *used - 1;
	}
	for (; at > 0; at--)
		list[at] = list[at - 1];
	list[0] = page;
	return hit;
}

static void tlb_replaces_exactly_the_least_recently_used(void **state)
{
	(void)state;
	const struct tlb_geometry geometries[] = {
	    {.page_sizes = 1, .sets = 16, .ways = 4},
	    {.page_sizes = 1, .sets = 1, .ways = 8},
	    {.page_sizes = 1, .sets = 8, .ways = 1},
	    {.page_sizes = 1, .sets = 4, .ways = 6},
	};
	for (unsigned g = 0; g < sizeof(geometries) / sizeof(geometries[0]); g++) {
		struct fixture f;
		init(&f, geometries[g]);
		struct naive naive = {.used = {0}};
		struct rng rng = rng_seeded(7 + g);
		for (int i = 0; i < 20000; i++) {
			uint64_t page = rng_below(&rng, 100);
			struct tlb_key key = {vaddr(page << 12), 0};
			uint32_t slot = tlb_find(&f.tlb, key, PAGE_SIZE_4K);
			assert_int_equal(slot != TLB_NONE,
					 naive_touch(&naive, geometries[g].sets, geometries[g].ways, page));
			if (slot == TLB_NONE)
				(void)insert(&f, page << 12, 0, PAGE_SIZE_4K, PAGE_SIZE_4K, false);
			else
				f.values[slot].stamp = ++f.tick;
		}
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
	assert_int_equal(tlb_drop_page(&f.tlb, (struct tlb_key){vaddr(0x2fff), 9}), 1);
	assert_int_equal(f.tlb.valid, 0);
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
	assert_int_equal(tlb_drop_page(&f.tlb, (struct tlb_key){vaddr(0x2a5000), 0}), 2);
	assert_true(holds(&f, 0x400000, 0, PAGE_SIZE_4K));
	assert_true(holds(&f, 0x200000, 1, PAGE_SIZE_4K));
	assert_int_equal(tlb_drop_all(&f.tlb), 2);
	assert_int_equal(f.tlb.pieces, 0);
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
}

static void tlb_shows_its_entries_to_observers(void **state)
{
	(void)state;
	struct fixture f;
	init(&f, (struct tlb_geometry){.page_sizes = PAGE_SIZE_BIT(PAGE_SIZE_2M), .sets = 2, .ways = 2});
	uint64_t va = 0xffff800000600000;
	uint32_t slot;
	uint64_t word = 0x40000000 | TLB_WORD_WRITABLE | TLB_WORD_DIRTY | (uint64_t)5 << TLB_WORD_KEY_SHIFT |
			(uint64_t)PAGE_SIZE_1G << TLB_WORD_MAPPING_SHIFT;
	(void)tlb_insert(&f.tlb, tlb_tag((struct tlb_key){vaddr(va), 7}, PAGE_SIZE_2M, false),
			 (struct tlb_value){word, 99}, &slot);
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
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tlb_replaces_exactly_the_least_recently_used),
	    cmocka_unit_test(tlb_keeps_address_spaces_apart_but_shares_global_pages),
	    cmocka_unit_test(tlb_drops_all_pieces_of_a_large_page_at_once),
	    cmocka_unit_test(tlb_xor_index_spreads_pages_that_a_linear_one_piles_up),
	    cmocka_unit_test(tlb_shows_its_entries_to_observers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
