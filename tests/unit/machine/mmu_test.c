#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "bare_machine.h"
#include "faultline/rng.h"
#include "slow_walk.h"

#define VA ((uint64_t)0x40000000)
#define USER_PAGE (PTE_PRESENT | PTE_WRITABLE | PTE_USER)

static void boot_with(struct bare_machine *bare, const char *profile, enum tlb_replacement replacement,
		      bool no_prediction)
{
	struct machine_config config = {.memory_bytes = 16 * MIB,
					.profile = cpu_profile_find(profile),
					.tlb_replacement = replacement,
					.no_prediction = no_prediction};
	assert_non_null(config.profile);
	bare_machine_init(bare, &config);
}

static void boot(struct bare_machine *bare, const char *profile, bool no_prediction)
{
	boot_with(bare, profile, TLB_LRU, no_prediction);
}

static void ring3(struct bare_machine *bare)
{
	bare_enter_ring3(bare, VA, VA);
}

static bool access(struct bare_machine *bare, uint64_t va, enum access_kind kind, uint64_t *pa, struct fault *fault)
{
	struct paddr where = {0};
	bool ok = mmu_access(machine_mmu(bare->machine), vaddr(va), kind, &where, fault);
	*pa = where.v;
	return ok;
}

static uint64_t reach(struct bare_machine *bare, uint64_t va, enum access_kind kind)
{
	struct fault fault;
	uint64_t pa;
	assert_true(access(bare, va, kind, &pa, &fault));
	return pa;
}

static uint32_t refused(struct bare_machine *bare, uint64_t va, enum access_kind kind)
{
	struct fault fault;
	uint64_t pa;
	assert_false(access(bare, va, kind, &pa, &fault));
	assert_int_equal(fault.vector, VECTOR_PAGE_FAULT);
	assert_int_equal(fault.va.v, va);
	return fault.error_code;
}

static void release(struct bare_machine *bare)
{
	const char *why = "";
	if (!mmu_check(machine_mmu(bare->machine), &why))
		fail_msg("broken: %s", why);
	bare_machine_release(bare);
}

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

/* ---- random differential tests ---- */

enum { SPREAD = 24 };

/* A few addresses that share and do not share tables. */
static uint64_t random_address(struct rng *rng)
{
	static const uint64_t bases[] = {VA, VA + 0x200000, 3 * GIB, 0xffffff8000000000};
	return bases[rng_below(rng, 4)] + rng_below(rng, SPREAD) * PAGE_BYTES + rng_below(rng, 512) * 8;
}

/* An entry of any kind, mostly sane. */
static uint64_t random_leaf(struct rng *rng)
{
	uint64_t entry = (BARE_PAGES + rng_below(rng, 256) * PAGE_BYTES) | PTE_PRESENT;
	entry |= rng_below(rng, 4) ? PTE_WRITABLE : 0;
	entry |= rng_below(rng, 4) ? PTE_USER : 0;
	entry |= rng_below(rng, 4) ? 0 : PTE_GLOBAL;
	entry |= rng_below(rng, 6) ? 0 : PTE_NO_EXECUTE;
	entry |= rng_below(rng, 3) << 59;
	if (rng_below(rng, 16) == 0)
		entry |= (uint64_t)1 << 50;
	return rng_below(rng, 8) ? entry : entry & ~PTE_PRESENT;
}

static struct slow_state slow_state_of(const struct bare_machine *bare)
{
	const struct cpu *cpu = bare->cpu;
	return (struct slow_state){
	    .cr3 = cpu->cr3,
	    .mode = SLOW_4LEVEL,
	    .maxphyaddr = mmu_paging(machine_mmu_const(bare->machine)).maxphyaddr,
	    .wp = cpu->cr0 & CR0_WP,
	    .nxe = cpu->efer & EFER_NXE,
	    .smep = cpu->cr4 & CR4_SMEP,
	    .smap = cpu->cr4 & CR4_SMAP,
	    .pke = cpu->cr4 & CR4_PKE,
	    .ac = cpu->rflags & RFLAGS_AC,
	    .user_mode = cpu->cpl == 3,
	    .pkru = cpu->pkru,
	};
}

static void change_something(struct bare_machine *bare, struct rng *rng)
{
	struct machine *machine = bare->machine;
	switch (rng_below(rng, 9)) {
	case 0:
	case 1:
	case 2: {
		uint64_t va = page_floor(random_address(rng));
		(void)bare_map(bare, vaddr(va), 1, random_leaf(rng));
		machine_invlpg(machine, vaddr(va));
		break;
	}
	case 3: {
		uint64_t va = random_address(rng);
		struct paddr upper = bare_entry(bare, vaddr(va), 2 + (unsigned)rng_below(rng, 2));
		physmem_store64(bare->mem, upper,
				physmem_load64(bare->mem, upper) ^ (rng_below(rng, 2) ? PTE_WRITABLE : PTE_USER));
		/* Global entries under it must go, too. */
		machine_write_cr4(machine, bare->cpu->cr4 ^ CR4_PGE);
		machine_write_cr4(machine, bare->cpu->cr4 ^ CR4_PGE);
		break;
	}
	case 4:
		bare->cpu->cpl = rng_below(rng, 2) ? 3 : 0;
		break;
	case 5:
		bare->cpu->rflags ^= RFLAGS_AC;
		break;
	case 6:
		machine_write_cr0(machine, bare->cpu->cr0 ^ CR0_WP);
		break;
	case 7:
		machine_write_cr4(machine, bare->cpu->cr4 ^ (rng_below(rng, 2) ? CR4_SMEP : CR4_SMAP));
		break;
	default:
		machine_write_pkru(machine, (uint32_t)rng_next(rng));
		machine_write_cr4(machine, bare->cpu->cr4 ^ CR4_PKE);
		break;
	}
}

static void compare_with_slow_walk(struct bare_machine *bare, uint64_t seed)
{
	struct rng rng = rng_seeded(seed);
	static const char kinds[] = {[ACCESS_READ] = 'r', [ACCESS_WRITE] = 'w', [ACCESS_FETCH] = 'x'};
	for (uint64_t i = 0; i < 4; i++) {
		static const uint64_t bases[] = {VA, VA + 0x200000, 3 * GIB, 0xffffff8000000000};
		for (uint64_t page = 0; page < SPREAD; page++)
			(void)bare_map(bare, vaddr(bases[i] + page * PAGE_BYTES), 1, random_leaf(&rng));
	}
	for (int i = 0; i < 20000; i++) {
		if (rng_below(&rng, 10) == 0)
			change_something(bare, &rng);
		uint64_t va = random_address(&rng);
		enum access_kind kind = (enum access_kind)rng_below(&rng, ACCESS_KIND_COUNT);
		struct slow_state slow = slow_state_of(bare);
		uint64_t pa;
		struct fault fault = {0, 0, {0}};
		bool ok = access(bare, va, kind, &pa, &fault);
		struct paddr leaf = bare_entry(bare, vaddr(va), 1);
		uint64_t after = physmem_load64(bare->mem, leaf);
		struct slow_result expected = slow_walk(bare->mem, &slow, va, kinds[kind]);
		if (ok != expected.ok || (ok ? pa != expected.pa : fault.error_code != expected.error_code))
			fail_msg("seed %llu step %d va 0x%llx %c: ok %d pa 0x%llx error %u, expected %d 0x%llx %u",
				 (unsigned long long)seed, i, (unsigned long long)va, kinds[kind], ok,
				 (unsigned long long)pa, fault.error_code, expected.ok, (unsigned long long)expected.pa,
				 expected.error_code);
		/* The slow walk sets A and D now; the MMU must have done so already. */
		assert_int_equal(after, physmem_load64(bare->mem, leaf));
	}
}

static void mmu_agrees_with_a_walk_without_tlbs_on_every_profile(void **state)
{
	(void)state;
	for (unsigned i = 0; cpu_profile_at(i); i++) {
		struct bare_machine bare;
		boot(&bare, cpu_profile_at(i)->name, false);
		compare_with_slow_walk(&bare, 100 + i);
		release(&bare);
	}
}

static void mmu_agrees_with_a_walk_without_tlbs_on_any_geometry(void **state)
{
	(void)state;
	struct rng rng = rng_seeded(4711);
	for (int i = 0; i < 12; i++) {
		struct cpu_profile profile = {.name = "random", .maxphyaddr = 46};
		profile.l1d[0] = (struct tlb_geometry){.page_sizes = 1,
						       .sets = (uint16_t)(1 << rng_below(&rng, 4)),
						       .ways = (uint16_t)(1 + rng_below(&rng, 5))};
		profile.l1i[0] = (struct tlb_geometry){.page_sizes = 1,
						       .sets = (uint16_t)(1 << rng_below(&rng, 4)),
						       .ways = (uint16_t)(1 + rng_below(&rng, 5))};
		profile.l2[0] = (struct tlb_geometry){.page_sizes = 3,
						      .sets = (uint16_t)(1 << rng_below(&rng, 5)),
						      .ways = (uint16_t)(1 + rng_below(&rng, 20)),
						      .xor_index = rng_below(&rng, 2)};
		profile.psc_entries[PSC_PDE] = rng_below(&rng, 2) ? 4 : 0;
		profile.psc_entries[PSC_PDPTE] = rng_below(&rng, 2) ? 8 : 0;
		struct machine_config config = {
		    .memory_bytes = 16 * MIB,
		    .profile = &profile,
		    .tlb_replacement = (enum tlb_replacement)(i % TLB_REPLACEMENT_COUNT),
		};
		struct bare_machine bare;
		bare_machine_init(&bare, &config);
		compare_with_slow_walk(&bare, 1000 + (uint64_t)i);
		release(&bare);
	}
}

static void run_script(struct bare_machine *bare, uint64_t seed)
{
	struct rng rng = rng_seeded(seed);
	/* One page more than accesses begin in: a range may run into it. */
	for (uint64_t i = 0; i <= 200; i++)
		(void)bare_map(bare, vaddr(VA + i * PAGE_BYTES), 1, (BARE_PAGES + i * PAGE_BYTES) | USER_PAGE);
	for (int i = 0; i < 50000; i++) {
		uint64_t va = VA + rng_below(&rng, rng_below(&rng, 2) ? 200 : 8) * PAGE_BYTES;
		switch (rng_below(&rng, 40)) {
		case 0:
			machine_invlpg(bare->machine, vaddr(va));
			break;
		case 1:
			machine_write_cr3(bare->machine, bare->root.v);
			break;
		case 2:
			bare->cpu->cpl = rng_below(&rng, 2) ? 3 : 0;
			break;
		default:
			assert_true(machine_touch(bare->machine, vaddr(va + rng_below(&rng, 4000)),
						  1 + rng_below(&rng, 4000),
						  (enum access_kind)rng_below(&rng, ACCESS_KIND_COUNT)));
			break;
		}
	}
}

static void compare_with_shortcut(const char *profile, enum tlb_replacement replacement)
{
	struct bare_machine fast, slow;
	boot_with(&fast, profile, replacement, false);
	boot_with(&slow, profile, replacement, true);
	run_script(&fast, 5);
	run_script(&slow, 5);
	assert_memory_equal(mmu_stats(machine_mmu(fast.machine)), mmu_stats(machine_mmu(slow.machine)),
			    sizeof(struct mmu_stats));
	assert_int_equal(fast.bus.cycle, slow.bus.cycle);
	assert_int_equal(fast.bus.number, slow.bus.number);
	release(&fast);
	release(&slow);
}

static void mmu_counts_the_same_with_and_without_the_shortcut(void **state)
{
	(void)state;
	for (unsigned i = 0; cpu_profile_at(i); i++)
		compare_with_shortcut(cpu_profile_at(i)->name, TLB_LRU);
	for (unsigned replacement = TLB_LRU + 1; replacement < TLB_REPLACEMENT_COUNT; replacement++)
		compare_with_shortcut("skylake", (enum tlb_replacement)replacement);
}

static void mmu_tells_the_events_that_it_counts(void **state)
{
	(void)state;
	struct bare_machine bare;
	boot(&bare, "skylake", false);
	run_script(&bare, 6);
	const struct mmu_stats *stats = mmu_stats(machine_mmu(bare.machine));
	assert_int_equal(bare.bus.count[EVENT_WALK], stats->walks);
	assert_int_equal(bare.bus.count[EVENT_TLB_FLUSH], stats->flushes);
	assert_int_equal(bare.bus.count[EVENT_TLB_MISS] + stats->rewalks_dirty + stats->rewalks_denied +
			     stats->rewalks_stale_path,
			 stats->walks);
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
	    cmocka_unit_test(mmu_agrees_with_a_walk_without_tlbs_on_every_profile),
	    cmocka_unit_test(mmu_agrees_with_a_walk_without_tlbs_on_any_geometry),
	    cmocka_unit_test(mmu_counts_the_same_with_and_without_the_shortcut),
	    cmocka_unit_test(mmu_tells_the_events_that_it_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
