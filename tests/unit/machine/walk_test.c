#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bare_machine.h"

#define VA ((uint64_t)0x40000000)
#define USER_PAGE (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

static struct walk peek(const struct bare_machine *bare, uint64_t va)
{
	struct paging paging = mmu_paging(machine_mmu_const(bare->machine));
	struct walk walk;
	walk_peek(machine_memory_const(bare->machine), &paging, vaddr(va), &walk);
	return walk;
}

static void boot(struct bare_machine *bare)
{
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = cpu_profile_at(0)};
	bare_machine_init(bare, &config);
}

static void walk_peek_lists_every_entry_on_the_path(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct paddr leaf = bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE | PTE_NO_EXECUTE | (uint64_t)9 << 59);
	struct walk walk = peek(&bare, VA + 0x123);
	assert_int_equal(walk.outcome, WALK_MAPPED);
	assert_int_equal(walk.count, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(walk.step[i].level, 4 - i);
	assert_int_equal(walk.step[3].pa.v, leaf.v);
	assert_int_equal(walk.page.v, BARE_PAGES);
	assert_int_equal(walk.size, PAGE_SIZE_4K);
	assert_true(walk.rights.user && walk.rights.writable && walk.rights.no_execute);
	assert_int_equal(walk.rights.protection_key, 9);
	assert_false(walk.global || walk.dirty);
	bare_machine_release(&bare);
}

static void walk_peek_changes_nothing(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	struct paddr leaf = bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	struct mmu_stats before = *mmu_stats(machine_mmu(bare.machine));
	uint64_t cycle = bare.bus.cycle;
	uint64_t events = bare.bus.number;
	struct paddr pa;
	(void)peek(&bare, VA);
	assert_true(mmu_peek(machine_mmu_const(bare.machine), vaddr(VA + 5), &pa));
	assert_int_equal(pa.v, BARE_PAGES + 5);
	assert_int_equal(physmem_load64(bare.mem, leaf), BARE_PAGES | USER_PAGE);
	assert_memory_equal(&before, mmu_stats(machine_mmu(bare.machine)), sizeof(before));
	assert_int_equal(bare.bus.cycle, cycle);
	assert_int_equal(bare.bus.number, events);
	bare_machine_release(&bare);
}

static void walk_stops_where_it_must(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare);
	assert_int_equal(peek(&bare, VA).outcome, WALK_NOT_PRESENT);
	assert_int_equal(peek(&bare, VA).count, 1);
	assert_int_equal(peek(&bare, 0x800000000000).outcome, WALK_NOT_CANONICAL);
	(void)bare_map(&bare, vaddr(VA), 2, 0x200000 | USER_PAGE | PTE_PAGE_SIZE | 0x2000);
	assert_int_equal(peek(&bare, VA).outcome, WALK_RESERVED);
	assert_int_equal(peek(&bare, VA).count, 3);
	(void)bare_map(&bare, vaddr(VA), 2, 0x200000 | USER_PAGE | PTE_PAGE_SIZE | 0x1000);
	assert_int_equal(peek(&bare, VA).outcome, WALK_MAPPED);
	assert_int_equal(peek(&bare, VA).size, PAGE_SIZE_2M);
	assert_int_equal(peek(&bare, VA).page.v, 0x200000);
	bare_machine_release(&bare);
}

static void walk_through_tables_beyond_ram_finds_reserved_bits(void **state)
{
	(void)state;
	/* An unpopulated bus answers with ones, and an entry of ones has reserved bits set. */
	struct bare_machine bare;
	boot(&bare);
	physmem_store64(bare.mem, paddr_add(bare.root, 8), GIB | USER_PAGE);
	struct walk walk = peek(&bare, (uint64_t)1 << 39);
	assert_int_equal(walk.outcome, WALK_RESERVED);
	assert_int_equal(walk.count, 2);
	bare_machine_release(&bare);
}

static void walk_names_levels_and_outcomes(void **state)
{
	(void)state;
	assert_string_equal(walk_level_name(5), "PML5E");
	assert_string_equal(walk_level_name(1), "PTE");
	assert_string_equal(walk_outcome_text(WALK_DENIED), "access denied");
	assert_string_equal(access_kind_name(ACCESS_FETCH), "fetch");
	assert_string_equal(vector_name(VECTOR_PAGE_FAULT), "#PF");
	assert_string_equal(vector_name(0x80), "INT");
	assert_true(vaddr_is_canonical(vaddr(0xffff800000000000), 4));
	assert_false(vaddr_is_canonical(vaddr(0xff00000000000000), 4));
	assert_true(vaddr_is_canonical(vaddr(0xff00000000000000), 5));
}

#define X(field, first, bits, text)                                                                                    \
	static void pte_##field##_round_trips(void **state)                                                            \
	{                                                                                                              \
		(void)state;                                                                                           \
		uint64_t all = ((uint64_t)1 << (bits)) - 1;                                                            \
		struct pte set = pte_with_##field((struct pte){0}, UINT64_MAX);                                        \
		assert_int_equal(pte_##field(set), all);                                                               \
		assert_int_equal(set.word, all << (first));                                                            \
		assert_int_equal(pte_with_##field((struct pte){UINT64_MAX}, 0).word, ~(all << (first)));               \
	}
PTE_FIELDS(X)
#undef X

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(walk_peek_lists_every_entry_on_the_path),
					   cmocka_unit_test(walk_peek_changes_nothing),
					   cmocka_unit_test(walk_stops_where_it_must),
					   cmocka_unit_test(walk_through_tables_beyond_ram_finds_reserved_bits),
					   cmocka_unit_test(walk_names_levels_and_outcomes),
#define X(field, first, bits, text) cmocka_unit_test(pte_##field##_round_trips),
					   PTE_FIELDS(X)
#undef X
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
