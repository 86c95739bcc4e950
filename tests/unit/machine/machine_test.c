#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bare_machine.h"
#include "faultline/rng.h"

#define VA ((uint64_t)0x40000000)
#define USER_PAGE (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

enum { PAGES = 8 };

static void boot(struct bare_machine *bare)
{
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = cpu_profile_at(0)};
	bare_machine_init(bare, &config);
	/* Neighbours in the address space are far apart in RAM, in falling order. */
	for (uint64_t i = 0; i < PAGES; i++)
		(void)bare_map(bare, vaddr(VA + i * PAGE_BYTES), 1, (BARE_PAGES + (PAGES - i) * 0x3000) | USER_PAGE);
	bare_enter_ring3(bare, VA, VA);
}

/* A handler that maps the page that was missing. */
static void map_missing(void *self)
{
	struct bare_machine *bare = self;
	(void)bare_map(bare, vaddr(bare->cpu->cr2), 1,
		       (BARE_PAGES + 0x100000 + page_floor(bare->cpu->cr2) % 0x80000) | USER_PAGE);
	(void)machine_pop(bare->machine);
	machine_iretq(bare->machine);
}

static void machine_stores_and_loads_words_of_each_size(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	uint64_t value;
	for (unsigned bytes = 1; bytes <= 8; bytes *= 2) {
		assert_true(machine_store(bare.machine, vaddr(VA + 0x11), bytes, 0x8877665544332211));
		assert_true(machine_load(bare.machine, vaddr(VA + 0x11), bytes, &value));
		uint64_t mask = bytes == 8 ? UINT64_MAX : ((uint64_t)1 << (8 * bytes)) - 1;
		assert_int_equal(value, 0x8877665544332211 & mask);
	}
	bare_machine_release(&bare);
}

static void machine_splits_an_access_that_crosses_a_page(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	uint64_t accesses = mmu_stats_accesses(mmu_stats(machine_mmu(bare.machine)));
	assert_true(machine_store(bare.machine, vaddr(VA + 0xffd), 8, 0x8877665544332211));
	assert_int_equal(mmu_stats_accesses(mmu_stats(machine_mmu(bare.machine))) - accesses, 2);
	uint8_t tail[5];
	physmem_read(bare.mem, paddr(BARE_PAGES + (PAGES - 1) * 0x3000), tail, 5);
	assert_memory_equal(tail, "\x44\x55\x66\x77\x88", 5);
	uint64_t value;
	assert_true(machine_load(bare.machine, vaddr(VA + 0xffd), 8, &value));
	assert_int_equal(value, 0x8877665544332211);
	bare_machine_release(&bare);
}

static void machine_writes_nothing_of_a_crossing_store_before_both_pages_are_there(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	bare_gate(&bare, VECTOR_PAGE_FAULT, 0, map_missing, &bare);
	assert_true(machine_store(bare.machine, vaddr(VA + PAGES * PAGE_BYTES - 4), 8, 0x8877665544332211));
	assert_int_equal(machine_stats(bare.machine)->vectors[VECTOR_PAGE_FAULT], 1);
	assert_int_equal(bare.cpu->cr2, VA + PAGES * PAGE_BYTES);
	uint64_t value;
	assert_true(machine_load(bare.machine, vaddr(VA + PAGES * PAGE_BYTES - 4), 8, &value));
	assert_int_equal(value, 0x8877665544332211);
	bare_machine_release(&bare);
}

static void machine_counts_a_touched_range_in_words_and_looks_up_once_a_page(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct mmu_stats before = *mmu_stats(machine_mmu(bare.machine));
	uint64_t cycle = bare.bus.cycle;
	assert_true(machine_touch(bare.machine, vaddr(VA + 4), 3 * PAGE_BYTES, ACCESS_READ));
	const struct mmu_stats *after = mmu_stats(machine_mmu(bare.machine));
	assert_int_equal(after->accesses[ACCESS_READ] - before.accesses[ACCESS_READ], 3 * 512 + 1);
	assert_int_equal(after->walks - before.walks, 4);
	assert_int_equal(mmu_stats_l1_hits(after) - mmu_stats_l1_hits(&before), 3 * 512 + 1 - 4);
	assert_true(bare.bus.cycle - cycle > 3 * 512);
	assert_true(machine_touch(bare.machine, vaddr(VA), 0, ACCESS_READ));
	assert_false(physmem_has_content(bare.mem, pfn((BARE_PAGES + PAGES * 0x3000) >> PAGE_SHIFT)));
	bare_machine_release(&bare);
}

static void machine_fills_ranges_and_leaves_zero_for_free(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	uint64_t value;
	assert_true(machine_fill(bare.machine, vaddr(VA + 100), 0, 2 * PAGE_BYTES));
	assert_false(physmem_has_content(bare.mem, pfn((BARE_PAGES + (PAGES - 1) * 0x3000) >> PAGE_SHIFT)));
	assert_true(machine_fill(bare.machine, vaddr(VA + 0xffe), 0xab, PAGE_BYTES + 4));
	assert_true(machine_load(bare.machine, vaddr(VA + 0xff8), 8, &value));
	assert_int_equal(value, 0xabab000000000000);
	assert_true(machine_load(bare.machine, vaddr(VA + 0x2000), 8, &value));
	assert_int_equal(value, 0xabab);
	assert_true(machine_fill(bare.machine, vaddr(VA + 0xffe), 0, 2));
	assert_true(machine_load(bare.machine, vaddr(VA + 0xff8), 8, &value));
	assert_int_equal(value, 0);
	bare_machine_release(&bare);
}

static void machine_copies_like_memmove(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	static uint8_t model[PAGES * 4096];
	struct rng rng = rng_seeded(3);
	memset(model, 0, sizeof(model));
	for (unsigned i = 0; i < 3 * 4096; i++) {
		model[i] = (uint8_t)rng_next(&rng);
		assert_true(machine_store(bare.machine, vaddr(VA + i), 1, model[i]));
	}
	for (int i = 0; i < 300; i++) {
		uint64_t length = rng_below(&rng, 3 * 4096);
		uint64_t to = rng_below(&rng, sizeof(model) - length);
		uint64_t from = rng_below(&rng, 2) ? rng_below(&rng, sizeof(model) - length) : to + rng_below(&rng, 9);
		if (from + length > sizeof(model))
			continue;
		assert_true(machine_copy(bare.machine, vaddr(VA + to), vaddr(VA + from), length));
		memmove(model + to, model + from, length);
	}
	for (unsigned i = 0; i < sizeof(model); i += 8) {
		uint64_t value, expected;
		memcpy(&expected, model + i, 8);
		assert_true(machine_load(bare.machine, vaddr(VA + i), 8, &value));
		assert_int_equal(value, expected);
	}
	bare_machine_release(&bare);
}

static void machine_restarts_bulk_moves_after_faults(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	bare_gate(&bare, VECTOR_PAGE_FAULT, 0, map_missing, &bare);
	uint64_t target = VA + 0x20000;
	uint64_t value;
	assert_true(machine_fill(bare.machine, vaddr(VA), 7, 2 * PAGE_BYTES));
	assert_true(machine_copy(bare.machine, vaddr(target + 8), vaddr(VA), 2 * PAGE_BYTES));
	assert_int_equal(machine_stats(bare.machine)->vectors[VECTOR_PAGE_FAULT], 3);
	assert_true(machine_load(bare.machine, vaddr(target + 2 * PAGE_BYTES), 8, &value));
	assert_int_equal(value, 0x0707070707070707);
	bare_machine_release(&bare);
}

static void stay_in_ring_0(void *self)
{
	(void)self;
}

static void machine_ends_bulk_moves_when_the_program_is_ended(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	bare_gate(&bare, VECTOR_PAGE_FAULT, 0, stay_in_ring_0, &bare);
	assert_false(machine_fill(bare.machine, vaddr(VA + PAGES * PAGE_BYTES), 1, 1));
	assert_false(machine_touch(bare.machine, vaddr(VA + PAGES * PAGE_BYTES), 1, ACCESS_READ));
	assert_false(machine_copy(bare.machine, vaddr(VA + PAGES * PAGE_BYTES), vaddr(VA), 1));
	assert_false(machine_copy(bare.machine, vaddr(VA), vaddr(VA + PAGES * PAGE_BYTES), 1));
	assert_false(machine_copy(bare.machine, vaddr(VA + 8), vaddr(VA + PAGES * PAGE_BYTES - 8), 16));
	bare_machine_release(&bare);
}

static void machine_of_a_terabyte_runs(void **state)
{
	(void)state;
	struct machine_config config = {.memory_bytes = TIB, .profile = cpu_profile_at(0)};
	struct bare_machine bare;
	bare_machine_init(&bare, &config);
	(void)bare_map(&bare, vaddr(VA), 1, (TIB - PAGE_BYTES) | USER_PAGE);
	bare_enter_ring3(&bare, VA, VA);
	uint64_t value;
	assert_true(machine_store(bare.machine, vaddr(VA + 8), 8, 99));
	assert_true(machine_load(bare.machine, vaddr(VA + 8), 8, &value));
	assert_int_equal(value, 99);
	bare_machine_release(&bare);
}

static void machine_charges_from_the_table_it_was_given(void **state)
{
	(void)state;
	struct arena *arena = arena_new(64 * MIB);
	struct bus bus;
	bus_init(&bus);
	struct cost_table costs = cost_table_default();
	costs.cycles[COST_VMA_LOOKUP] = 1000;
	struct machine_config config = {.memory_bytes = 4 * MIB, .profile = cpu_profile_at(0), .costs = &costs};
	struct machine *machine = machine_new(arena, &bus, &config);
	machine_charge(machine, COST_VMA_LOOKUP, 3);
	assert_int_equal(bus.cycle, 3000);
	assert_string_equal(cost_info(COST_VMA_LOOKUP)->name, "vma_lookup");
	arena_free(arena);
}

static void profiles_are_complete_and_cite_their_source(void **state)
{
	(void)state;
	assert_string_equal(cpu_profile_at(0)->name, "skylake");
	for (unsigned i = 0; cpu_profile_at(i); i++) {
		const struct cpu_profile *profile = cpu_profile_at(i);
		assert_ptr_equal(cpu_profile_find(profile->name), profile);
		assert_true(strlen(profile->source) > 0);
		assert_in_range(profile->maxphyaddr, 36, 52);
		struct cost_table costs = cpu_profile_costs(profile);
		if (profile->walk_step_cycles)
			assert_int_equal(costs.cycles[COST_WALK_STEP], profile->walk_step_cycles);
	}
	assert_null(cpu_profile_find("i386"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(machine_stores_and_loads_words_of_each_size),
	    cmocka_unit_test(machine_splits_an_access_that_crosses_a_page),
	    cmocka_unit_test(machine_writes_nothing_of_a_crossing_store_before_both_pages_are_there),
	    cmocka_unit_test(machine_counts_a_touched_range_in_words_and_looks_up_once_a_page),
	    cmocka_unit_test(machine_fills_ranges_and_leaves_zero_for_free),
	    cmocka_unit_test(machine_copies_like_memmove),
	    cmocka_unit_test(machine_restarts_bulk_moves_after_faults),
	    cmocka_unit_test(machine_ends_bulk_moves_when_the_program_is_ended),
	    cmocka_unit_test(machine_of_a_terabyte_runs),
	    cmocka_unit_test(machine_charges_from_the_table_it_was_given),
	    cmocka_unit_test(profiles_are_complete_and_cite_their_source),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
