#include "mmu_rig.h"

static void mmu_walks_once_and_hits_from_then_on(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	ring3(&bare);
	struct mmu_stats before = *mmu_stats(machine_mmu(bare.machine));
	assert_int_equal(reach(&bare, VA + 0x123, ACCESS_READ), BARE_PAGES + 0x123);
	assert_int_equal(reach(&bare, VA + 0x456, ACCESS_READ), BARE_PAGES + 0x456);
	const struct mmu_stats *after = mmu_stats(machine_mmu(bare.machine));
	assert_int_equal(after->walks - before.walks, 1);
	assert_int_equal(after->walk_entries - before.walk_entries, 4);
	assert_int_equal(after->l1_hits[TLB_DATA][PAGE_SIZE_4K] - before.l1_hits[TLB_DATA][PAGE_SIZE_4K], 1);
	assert_int_equal(after->accesses[ACCESS_READ] - before.accesses[ACCESS_READ], 2);
	release(&bare);
}

static void mmu_begins_the_walk_of_a_neighbour_at_the_pde_cache(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	(void)bare_map(&bare, vaddr(VA + 0x1000), 1, (BARE_PAGES + 0x1000) | USER_PAGE);
	ring3(&bare);
	(void)reach(&bare, VA, ACCESS_READ);
	struct mmu_stats before = *mmu_stats(machine_mmu(bare.machine));
	(void)reach(&bare, VA + 0x1000, ACCESS_READ);
	const struct mmu_stats *after = mmu_stats(machine_mmu(bare.machine));
	assert_int_equal(after->walk_entries - before.walk_entries, 1);
	assert_int_equal(after->psc_hits[PSC_PDE] - before.psc_hits[PSC_PDE], 1);
	release(&bare);
}

static void mmu_serves_what_fell_out_of_the_first_level_from_the_second(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	for (uint64_t i = 0; i < 128; i++)
		(void)bare_map(&bare, vaddr(VA + i * PAGE_BYTES), 1, (BARE_PAGES + i * PAGE_BYTES) | USER_PAGE);
	ring3(&bare);
	for (uint64_t i = 0; i < 128; i++)
		(void)reach(&bare, VA + i * PAGE_BYTES, ACCESS_READ);
	struct mmu_stats before = *mmu_stats(machine_mmu(bare.machine));
	for (uint64_t i = 0; i < 128; i++)
		assert_int_equal(reach(&bare, VA + i * PAGE_BYTES, ACCESS_READ), BARE_PAGES + i * PAGE_BYTES);
	const struct mmu_stats *after = mmu_stats(machine_mmu(bare.machine));
	assert_int_equal(after->walks, before.walks);
	assert_int_equal(after->l2_hits[PAGE_SIZE_4K] - before.l2_hits[PAGE_SIZE_4K], 128);
	release(&bare);
}

static void mmu_denies_user_write_to_readonly_page(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | PTE_PRESENT | PTE_USER);
	ring3(&bare);
	(void)reach(&bare, VA, ACCESS_READ);
	assert_int_equal(refused(&bare, VA, ACCESS_WRITE), FAULT_PRESENT | FAULT_WRITE | FAULT_USER);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->rewalks_denied, 1);
	release(&bare);
}

static void mmu_grants_new_rights_without_a_flush(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	struct paddr pte = bare_map(&bare, vaddr(VA), 1, BARE_PAGES | PTE_PRESENT | PTE_USER);
	struct paddr pde = bare_entry(&bare, vaddr(VA), 2);
	physmem_store64(bare.mem, pde, physmem_load64(bare.mem, pde) & ~PTE_WRITABLE);
	ring3(&bare);
	(void)reach(&bare, VA, ACCESS_READ);
	/* The leaf was never read again, the path is cached read-only: both are looked up again before a fault. */
	physmem_store64(bare.mem, pde, physmem_load64(bare.mem, pde) | PTE_WRITABLE);
	physmem_store64(bare.mem, pte, physmem_load64(bare.mem, pte) | PTE_WRITABLE);
	(void)reach(&bare, VA, ACCESS_WRITE);
	release(&bare);
}

static void mmu_walks_a_denied_cached_path_again_from_the_root(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	(void)bare_map(&bare, vaddr(VA + 0x1000), 1, BARE_PAGES | USER_PAGE);
	struct paddr pde = bare_entry(&bare, vaddr(VA), 2);
	physmem_store64(bare.mem, pde, physmem_load64(bare.mem, pde) & ~PTE_WRITABLE);
	ring3(&bare);
	(void)reach(&bare, VA, ACCESS_READ);
	physmem_store64(bare.mem, pde, physmem_load64(bare.mem, pde) | PTE_WRITABLE);
	(void)reach(&bare, VA + 0x1000, ACCESS_WRITE);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->rewalks_stale_path, 1);
	release(&bare);
}

static void mmu_sets_dirty_at_the_first_write_through_a_clean_entry(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	struct paddr pte = bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	ring3(&bare);
	(void)reach(&bare, VA, ACCESS_READ);
	uint64_t rewalks = mmu_stats(machine_mmu(bare.machine))->rewalks_dirty;
	assert_int_equal(physmem_load64(bare.mem, pte), BARE_PAGES | USER_PAGE | PTE_ACCESSED);
	(void)reach(&bare, VA, ACCESS_WRITE);
	assert_int_equal(physmem_load64(bare.mem, pte), BARE_PAGES | USER_PAGE | PTE_ACCESSED | PTE_DIRTY);
	/* The entry is dirty now: RAM is not looked at any more. */
	physmem_store64(bare.mem, pte, BARE_PAGES | USER_PAGE);
	(void)reach(&bare, VA, ACCESS_WRITE);
	assert_int_equal(physmem_load64(bare.mem, pte), BARE_PAGES | USER_PAGE);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->rewalks_dirty, rewalks + 1);
	release(&bare);
}

static void mmu_shows_the_stale_translation_until_invlpg(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	struct paddr pte = bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	ring3(&bare);
	(void)reach(&bare, VA, ACCESS_READ);
	physmem_store64(bare.mem, pte, (BARE_PAGES + 0x5000) | USER_PAGE);
	assert_int_equal(reach(&bare, VA, ACCESS_READ), BARE_PAGES);
	struct paddr peeked;
	assert_true(mmu_peek(machine_mmu_const(bare.machine), vaddr(VA), &peeked));
	assert_int_equal(peeked.v, BARE_PAGES + 0x5000);
	machine_invlpg(bare.machine, vaddr(VA));
	assert_int_equal(reach(&bare, VA, ACCESS_READ), BARE_PAGES + 0x5000);
	release(&bare);
}

static void mmu_forgets_all_but_global_pages_at_a_cr3_load(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	(void)bare_map(&bare, vaddr(VA + 0x1000), 1, BARE_PAGES | USER_PAGE | PTE_GLOBAL);
	ring3(&bare);
	(void)reach(&bare, VA, ACCESS_READ);
	(void)reach(&bare, VA + 0x1000, ACCESS_READ);
	machine_write_cr3(bare.machine, bare.root.v);
	uint64_t walks = mmu_stats(machine_mmu(bare.machine))->walks;
	(void)reach(&bare, VA + 0x1000, ACCESS_READ);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->walks, walks);
	(void)reach(&bare, VA, ACCESS_READ);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->walks, walks + 1);
	machine_write_cr4(bare.machine, CR4_PAE);
	(void)reach(&bare, VA + 0x1000, ACCESS_READ);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->walks, walks + 2);
	release(&bare);
}

static void mmu_keeps_the_entries_of_each_pcid(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE);
	machine_write_cr4(bare.machine, CR4_PAE | CR4_PGE | CR4_PCIDE);
	ring3(&bare);
	machine_write_cr3(bare.machine, bare.root.v | 1);
	(void)reach(&bare, VA, ACCESS_READ);
	machine_write_cr3(bare.machine, bare.root.v | 2 | CR3_NOFLUSH);
	uint64_t walks = mmu_stats(machine_mmu(bare.machine))->walks;
	(void)reach(&bare, VA, ACCESS_READ);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->walks, walks + 1);
	machine_write_cr3(bare.machine, bare.root.v | 1 | CR3_NOFLUSH);
	(void)reach(&bare, VA, ACCESS_READ);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->walks, walks + 1);
	machine_write_cr3(bare.machine, bare.root.v | 1);
	(void)reach(&bare, VA, ACCESS_READ);
	assert_int_equal(mmu_stats(machine_mmu(bare.machine))->walks, walks + 2);
	assert_int_equal(bare.cpu->cr3, bare.root.v | 1);
	release(&bare);
}

static void mmu_maps_large_pages_whole_or_in_pieces(void **state)
{
	(void)state;
	static const char *const profiles[] = {"skylake", "zen2", "textbook", "none"};
	for (unsigned i = 0; i < 4; i++) {
		struct bare_machine bare;
		boot(&bare, profiles[i], false);
		(void)bare_map(&bare, vaddr(1 * GIB), 3, 0 | USER_PAGE | PTE_PAGE_SIZE);
		(void)bare_map(&bare, vaddr(2 * GIB), 2, 0x400000 | USER_PAGE | PTE_PAGE_SIZE);
		ring3(&bare);
		for (int round = 0; round < 2; round++) {
			assert_int_equal(reach(&bare, 1 * GIB + 0x212345, ACCESS_READ), 0x212345);
			assert_int_equal(reach(&bare, 1 * GIB + 0x212345, ACCESS_FETCH), 0x212345);
			assert_int_equal(reach(&bare, 2 * GIB + 0x12345, ACCESS_WRITE), 0x412345);
		}
		/* INVLPG anywhere in the page drops every piece of it. */
		physmem_store64(bare.mem, bare_entry(&bare, vaddr(1 * GIB), 3), 0);
		machine_invlpg(bare.machine, vaddr(1 * GIB + 0x3ffff000));
		assert_int_equal(refused(&bare, 1 * GIB + 0x212345, ACCESS_FETCH), FAULT_USER | FAULT_FETCH);
		assert_int_equal(refused(&bare, 1 * GIB + 0x212345, ACCESS_READ), FAULT_USER);
		release(&bare);
	}
}

static void mmu_refuses_addresses_that_are_not_canonical(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	struct paddr pa;
	struct fault fault;
	struct mmu *mmu = machine_mmu(bare.machine);
	assert_false(mmu_access(mmu, vaddr(0x800000000000), ACCESS_READ, &pa, &fault));
	assert_int_equal(fault.vector, VECTOR_PROTECTION);
	assert_false(mmu_access_stack(mmu, vaddr(0x800000000000), ACCESS_READ, &pa, &fault));
	assert_int_equal(fault.vector, VECTOR_STACK);
	assert_int_equal(mmu_stats(mmu)->not_canonical, 2);
	assert_false(mmu_peek(mmu, vaddr(0x800000000000), &pa));
	release(&bare);
}

static void mmu_without_paging_passes_addresses_through(void **state)
{
	(void)state;
	struct arena *arena = arena_new(64 * MIB);
	struct bus bus;
	bus_init(&bus);
	struct machine_config config = {.memory_bytes = 4 * MIB, .profile = cpu_profile_at(0)};
	struct machine *machine = machine_new(arena, &bus, &config);
	struct paddr pa;
	struct fault fault;
	assert_true(mmu_access(machine_mmu(machine), vaddr(0x1234), ACCESS_READ, &pa, &fault));
	assert_int_equal(pa.v, 0x1234);
	assert_true(mmu_peek(machine_mmu(machine), vaddr(0x1234), &pa));
	assert_int_equal(mmu_stats(machine_mmu(machine))->unpaged, 1);
	arena_free(arena);
}

static void mmu_obeys_smap_smep_and_protection_keys_at_once(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	(void)bare_map(&bare, vaddr(VA), 1, BARE_PAGES | USER_PAGE | (uint64_t)3 << 59);
	(void)reach(&bare, VA, ACCESS_READ);
	machine_write_cr4(bare.machine, CR4_PAE | CR4_PGE | CR4_SMAP | CR4_SMEP | CR4_PKE);
	assert_int_equal(refused(&bare, VA, ACCESS_READ), FAULT_PRESENT);
	assert_int_equal(refused(&bare, VA, ACCESS_FETCH), FAULT_PRESENT | FAULT_FETCH);
	bare.cpu->rflags |= RFLAGS_AC;
	(void)reach(&bare, VA, ACCESS_READ);
	machine_write_pkru(bare.machine, 1u << 6);
	assert_int_equal(refused(&bare, VA, ACCESS_READ), FAULT_PRESENT | FAULT_PROTECTION_KEY);
	machine_write_pkru(bare.machine, 2u << 6);
	(void)reach(&bare, VA, ACCESS_READ);
	assert_int_equal(refused(&bare, VA, ACCESS_WRITE), FAULT_PRESENT | FAULT_WRITE | FAULT_PROTECTION_KEY);
	release(&bare);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(mmu_walks_once_and_hits_from_then_on),
	    cmocka_unit_test(mmu_begins_the_walk_of_a_neighbour_at_the_pde_cache),
	    cmocka_unit_test(mmu_serves_what_fell_out_of_the_first_level_from_the_second),
	    cmocka_unit_test(mmu_denies_user_write_to_readonly_page),
	    cmocka_unit_test(mmu_grants_new_rights_without_a_flush),
	    cmocka_unit_test(mmu_walks_a_denied_cached_path_again_from_the_root),
	    cmocka_unit_test(mmu_sets_dirty_at_the_first_write_through_a_clean_entry),
	    cmocka_unit_test(mmu_shows_the_stale_translation_until_invlpg),
	    cmocka_unit_test(mmu_forgets_all_but_global_pages_at_a_cr3_load),
	    cmocka_unit_test(mmu_keeps_the_entries_of_each_pcid),
	    cmocka_unit_test(mmu_maps_large_pages_whole_or_in_pieces),
	    cmocka_unit_test(mmu_refuses_addresses_that_are_not_canonical),
	    cmocka_unit_test(mmu_without_paging_passes_addresses_through),
	    cmocka_unit_test(mmu_obeys_smap_smep_and_protection_keys_at_once),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
