/* The MMU against a walk without TLBs, and with its shortcut against itself without it. */
#include "faultline/rng.h"
#include "mmu_rig.h"
#include "slow_walk.h"

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
	    cmocka_unit_test(mmu_agrees_with_a_walk_without_tlbs_on_every_profile),
	    cmocka_unit_test(mmu_agrees_with_a_walk_without_tlbs_on_any_geometry),
	    cmocka_unit_test(mmu_counts_the_same_with_and_without_the_shortcut),
	    cmocka_unit_test(mmu_tells_the_events_that_it_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
