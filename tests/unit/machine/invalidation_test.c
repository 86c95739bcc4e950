/* What TLBs and paging-structure caches may remember, and what makes them forget. SDM 3A 4.10.4.
 *
 * First by name: each way to invalidate against each kind of remembered entry; what must go is gone, and what the
 * invalidation does not cover still shows the old translation. Then at random: any sequence of accesses, changes and
 * correct invalidations gives what a machine without caches gives, in every mode, for any geometry and replacement, and
 * with the same counts whether or not the MMU takes its shortcut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "faultline/rng.h"
#include "machine_private.h"
#include "paged.h"
#include "slow_walk.h"

#define LEAF (PTE_PRESENT | PTE_WRITABLE | PTE_USER)
#define OLD_PAGE PAGED_PAGES
#define NEW_PAGE (PAGED_PAGES + 0x400000)

/* ---- by name ---- */

#define INVALIDATION_LIST(X)                                                                                           \
	X(NOTHING)                                                                                                     \
	X(INVLPG)                                                                                                      \
	X(INVLPG_ELSEWHERE)                                                                                            \
	X(CR3_LOAD)                                                                                                    \
	X(CR3_LOAD_NOFLUSH)                                                                                            \
	X(INVPCID_0)                                                                                                   \
	X(INVPCID_1)                                                                                                   \
	X(INVPCID_2)                                                                                                   \
	X(INVPCID_3)                                                                                                   \
	X(PGE_TOGGLE)                                                                                                  \
	X(SMEP_SET)

enum invalidation {
#define X(id) DO_##id,
	INVALIDATION_LIST(X)
#undef X
	    DO_COUNT
};

static const char *const names[] = {
#define X(id) [DO_##id] = #id,
    INVALIDATION_LIST(X)
#undef X
};

/* On the space that is loaded. */
static void invalidate(struct paged *paged, enum invalidation how, uint64_t va)
{
	uint64_t cr4 = paged->cpu->cr4;
	uint64_t pcid = cr4 & CR4_PCIDE ? paged->cpu->cr3 & CR3_PCID_MASK : 0;
	switch (how) {
	case DO_NOTHING:
	case DO_COUNT:
		break;
	case DO_INVLPG:
		machine_invlpg(paged->machine, vaddr(va));
		break;
	case DO_INVLPG_ELSEWHERE:
		machine_invlpg(paged->machine, vaddr(PAGED_USER + 8 * MIB));
		break;
	case DO_CR3_LOAD:
		machine_write_cr3(paged->machine, paged->cpu->cr3);
		break;
	case DO_CR3_LOAD_NOFLUSH:
		machine_write_cr3(paged->machine, paged->cpu->cr3 | CR3_NOFLUSH);
		break;
	case DO_INVPCID_0:
		mmu_invpcid(paged->mmu, INVPCID_ADDRESS, pcid, vaddr(va));
		break;
	case DO_INVPCID_1:
		mmu_invpcid(paged->mmu, INVPCID_CONTEXT, pcid, vaddr(0));
		break;
	case DO_INVPCID_2:
		mmu_invpcid(paged->mmu, INVPCID_ALL_WITH_GLOBAL, 0, vaddr(0));
		break;
	case DO_INVPCID_3:
		mmu_invpcid(paged->mmu, INVPCID_ALL, 0, vaddr(0));
		break;
	case DO_PGE_TOGGLE:
		machine_write_cr4(paged->machine, cr4 ^ CR4_PGE);
		machine_write_cr4(paged->machine, cr4);
		break;
	case DO_SMEP_SET:
		machine_write_cr4(paged->machine, cr4 | CR4_SMEP);
		break;
	}
}

static uint64_t reach(struct paged *paged, uint64_t va)
{
	struct paddr pa;
	struct fault fault;
	assert_true(mmu_access(paged->mmu, vaddr(va), ACCESS_READ, &pa, &fault));
	return pa.v;
}

static void load_space(struct paged *paged, unsigned space)
{
	uint64_t keep = paged->cpu->cr4 & CR4_PCIDE ? CR3_NOFLUSH : 0;
	machine_write_cr3(paged->machine, paged_cr3(paged, space) | keep);
}

/* Each remembers something, changes the tables behind its back, invalidates, and tells where the access goes now. */
typedef uint64_t remember_fn(struct paged *paged, enum invalidation how);

static uint64_t remember_page(struct paged *paged, enum invalidation how)
{
	paged_set(paged, 0, PAGED_USER, 1, OLD_PAGE | LEAF);
	(void)reach(paged, PAGED_USER);
	paged_set(paged, 0, PAGED_USER, 1, NEW_PAGE | LEAF);
	invalidate(paged, how, PAGED_USER);
	return reach(paged, PAGED_USER);
}

static uint64_t remember_large_page(struct paged *paged, enum invalidation how)
{
	uint64_t inside = paged_span(paged, 2) - PAGE_BYTES;
	paged_set(paged, 0, PAGED_USER, 2, OLD_PAGE | LEAF | PTE_PAGE_SIZE);
	(void)reach(paged, PAGED_USER);
	paged_set(paged, 0, PAGED_USER, 2, NEW_PAGE | LEAF | PTE_PAGE_SIZE);
	invalidate(paged, how, PAGED_USER + inside);
	return reach(paged, PAGED_USER);
}

static uint64_t remember_global_page(struct paged *paged, enum invalidation how)
{
	paged_set(paged, 0, paged->shared, 1, OLD_PAGE | LEAF | PTE_GLOBAL);
	(void)reach(paged, paged->shared);
	paged_set(paged, 0, paged->shared, 1, NEW_PAGE | LEAF | PTE_GLOBAL);
	invalidate(paged, how, paged->shared);
	return reach(paged, paged->shared);
}

static uint64_t remember_page_of_another_space(struct paged *paged, enum invalidation how)
{
	paged_set(paged, 1, PAGED_USER, 1, OLD_PAGE | LEAF);
	load_space(paged, 1);
	(void)reach(paged, PAGED_USER);
	load_space(paged, 0);
	paged_set(paged, 1, PAGED_USER, 1, NEW_PAGE | LEAF);
	invalidate(paged, how, PAGED_USER);
	load_space(paged, 1);
	return reach(paged, PAGED_USER);
}

/* A page that was never used, below a PDE that was. */
static uint64_t remember_path(struct paged *paged, enum invalidation how)
{
	uint64_t neighbour = PAGED_USER + PAGE_BYTES;
	paged_set(paged, 0, PAGED_USER, 1, PAGED_PAGES | LEAF);
	paged_set(paged, 0, neighbour, 1, OLD_PAGE | LEAF);
	(void)reach(paged, PAGED_USER);
	paged_set(paged, 0, PAGED_USER, 2, 0);
	paged_set(paged, 0, neighbour, 1, NEW_PAGE | LEAF); /* in a new table */
	invalidate(paged, how, PAGED_USER);
	return reach(paged, neighbour);
}

#define BIT(id) (1u << DO_##id)
#define BIT_ALL ((1u << DO_COUNT) - 1)

static const struct {
	const char *what;
	remember_fn *fn;
	bool needs_pcid;
	unsigned forgets; /* BIT of each that makes it forget */
} cases[] = {
    {"a page", remember_page, false, BIT_ALL & ~(BIT(NOTHING) | BIT(INVLPG_ELSEWHERE) | BIT(CR3_LOAD_NOFLUSH))},
    {"a large page", remember_large_page, false,
     BIT_ALL & ~(BIT(NOTHING) | BIT(INVLPG_ELSEWHERE) | BIT(CR3_LOAD_NOFLUSH))},
    {"a global page", remember_global_page, false, BIT(INVLPG) | BIT(INVPCID_2) | BIT(PGE_TOGGLE)},
    {"a page of another PCID", remember_page_of_another_space, true, BIT(INVPCID_2) | BIT(INVPCID_3) | BIT(PGE_TOGGLE)},
    /* INVLPG drops all paging-structure entries of the PCID, whatever their address. */
    {"a path", remember_path, false, BIT_ALL & ~(BIT(NOTHING) | BIT(CR3_LOAD_NOFLUSH))},
};

static void invalidations_reach_what_they_must_and_no_more(void **state)
{
	(void)state;
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = cpu_profile_find("skylake")};
	for (unsigned mode = 0; mode < PAGING_MODE_COUNT; mode++) {
		for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]) * DO_COUNT; i++) {
			enum invalidation how = (enum invalidation)(i % DO_COUNT);
			struct paged paged;
			paged_init(&paged, (enum paging_mode)mode, &config);
			bool pcids = (paged.cpu->cr4 & CR4_PCIDE) != 0;
			if (pcids || (!cases[i / DO_COUNT].needs_pcid && how != DO_CR3_LOAD_NOFLUSH)) {
				uint64_t pa = cases[i / DO_COUNT].fn(&paged, how);
				bool forgotten = cases[i / DO_COUNT].forgets >> how & 1;
				if (pa != (forgotten ? NEW_PAGE : OLD_PAGE))
					fail_msg("%s paging: after %s, %s is %s", paging_mode_info(paged.mode)->name,
						 names[how], cases[i / DO_COUNT].what,
						 forgotten ? "still remembered" : "forgotten");
			}
			paged_release(&paged);
		}
	}
}

/* ---- at random ---- */

enum { REGIONS = 3, PAGES = 6 };

/* A run on two machines, one with the shortcut, one without; the first one's tables are the truth. */
struct trial {
	struct paged fast, plain;
	struct rng rng;
	unsigned space;
	bool must_flush[PAGED_SPACES]; /* at the next switch to it */
};

static struct cpu_profile random_profile(struct rng *rng)
{
	struct cpu_profile profile = {.name = "random", .maxphyaddr = 40};
	const uint8_t all = (1u << PAGE_SIZE_COUNT) - 1;
	struct tlb_geometry *arrays[] = {profile.l1d, profile.l1i, profile.l2};
	for (unsigned i = 0; i < 3; i++) {
		uint8_t left = all;
		for (unsigned n = 0; n < 2; n++) {
			uint8_t sizes = n ? left : (uint8_t)rng_below(rng, all + 1);
			left &= (uint8_t)~sizes;
			arrays[i][n] = (struct tlb_geometry){.page_sizes = rng_below(rng, 4) ? sizes : 0,
							     .sets = (uint16_t)(1 << rng_below(rng, 4)),
							     .ways = (uint16_t)(1 + rng_below(rng, 6)),
							     .xor_index = rng_below(rng, 2)};
		}
	}
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++)
		profile.psc_entries[i] = (uint16_t)(rng_below(rng, 3) ? 4u << rng_below(rng, 3) : 0);
	return profile;
}

static void both_set(struct trial *trial, unsigned space, uint64_t va, unsigned level, uint64_t entry)
{
	paged_set(&trial->fast, space, va, level, entry);
	paged_set(&trial->plain, space, va, level, entry);
}

static void both_invalidate(struct trial *trial, enum invalidation how, uint64_t va)
{
	invalidate(&trial->fast, how, va);
	invalidate(&trial->plain, how, va);
}

static void both_invpcid(struct trial *trial, enum invpcid_type type, unsigned space, uint64_t va)
{
	uint64_t pcid = trial->fast.cpu->cr4 & CR4_PCIDE ? space : 0;
	mmu_invpcid(trial->fast.mmu, type, pcid, vaddr(va));
	mmu_invpcid(trial->plain.mmu, type, pcid, vaddr(va));
}

/* Somewhere in a region: three in user space, one that is shared (one entry of level 2 wide). */
static uint64_t random_va(struct trial *trial, bool shared)
{
	uint64_t base = shared ? trial->fast.shared : PAGED_USER;
	uint64_t region = shared ? 0 : rng_below(&trial->rng, REGIONS) * paged_span(&trial->fast, 2);
	return base + region + rng_below(&trial->rng, PAGES) * PAGE_BYTES + rng_below(&trial->rng, 512) * 8;
}

static uint64_t random_leaf(struct trial *trial, bool shared, bool large)
{
	struct rng *rng = &trial->rng;
	uint64_t unit = large ? paged_span(&trial->fast, 2) : PAGE_BYTES;
	uint64_t entry = PAGED_PAGES + rng_below(rng, large ? 2 : 64) * unit;
	entry |= rng_below(rng, 8) ? PTE_PRESENT : 0;
	entry |= rng_below(rng, 4) ? PTE_WRITABLE : 0;
	entry |= rng_below(rng, 4) ? PTE_USER : 0;
	entry |= shared && rng_below(rng, 2) ? PTE_GLOBAL : 0;
	entry |= large ? PTE_PAGE_SIZE : 0;
	if (trial->fast.mode != PAGING_32BIT)
		entry |= rng_below(rng, 6) ? 0 : PTE_NO_EXECUTE;
	if (trial->fast.mode >= PAGING_4LEVEL)
		entry |= rng_below(rng, 3) << 59;
	return entry;
}

/* Something of one space's own has changed, anywhere below `va` when it is an upper entry. */
static void forget_own(struct trial *trial, unsigned space, uint64_t va, bool upper)
{
	bool current = space == trial->space;
	bool pcids = (trial->fast.cpu->cr4 & CR4_PCIDE) != 0;
	if (!current && !pcids)
		return; /* the switch to it forgets everything */
	switch (rng_below(&trial->rng, 6)) {
	case 0:
		both_invpcid(trial, INVPCID_ALL, 0, 0);
		break;
	case 1:
		both_invpcid(trial, INVPCID_CONTEXT, space, 0);
		break;
	case 2:
		both_invalidate(trial, DO_PGE_TOGGLE, 0);
		break;
	case 3:
		if (current)
			both_invalidate(trial, DO_CR3_LOAD, 0);
		else
			trial->must_flush[space] = true;
		break;
	default:
		if (upper)
			both_invpcid(trial, INVPCID_CONTEXT, space, 0);
		else if (current && rng_below(&trial->rng, 2))
			both_invalidate(trial, DO_INVLPG, va);
		else
			both_invpcid(trial, INVPCID_ADDRESS, space, va);
		break;
	}
}

static void forget_shared(struct trial *trial, uint64_t va, bool was_global)
{
	if (was_global && rng_below(&trial->rng, 2))
		both_invalidate(trial, DO_INVLPG, va);
	else if (rng_below(&trial->rng, 2))
		both_invpcid(trial, INVPCID_ALL_WITH_GLOBAL, 0, 0);
	else
		both_invalidate(trial, DO_PGE_TOGGLE, 0);
}

static void change_leaf(struct trial *trial)
{
	bool shared = rng_below(&trial->rng, 3) == 0;
	unsigned space = (unsigned)rng_below(&trial->rng, PAGED_SPACES);
	uint64_t va = random_va(trial, shared);
	if (!shared && (paged_get(&trial->fast, space, va, 2) & PTE_PAGE_SIZE))
		return;
	uint64_t old = paged_get(&trial->fast, space, va, 1);
	both_set(trial, space, va, 1, random_leaf(trial, shared, false));
	if (shared)
		forget_shared(trial, va, old & PTE_GLOBAL);
	else
		forget_own(trial, space, va, false);
}

/* An entry of level 2 gets other rights, becomes a large page, or a table again. */
static void change_upper(struct trial *trial)
{
	unsigned space = (unsigned)rng_below(&trial->rng, PAGED_SPACES);
	uint64_t va = random_va(trial, false);
	uint64_t old = paged_get(&trial->fast, space, va, 2);
	uint64_t changed = old ^ (rng_below(&trial->rng, 2) ? PTE_WRITABLE : PTE_USER);
	if (old & PTE_PAGE_SIZE)
		changed = 0;
	else if (rng_below(&trial->rng, 3) == 0)
		changed = random_leaf(trial, false, true);
	both_set(trial, space, va, 2, changed);
	forget_own(trial, space, va, true);
}

static void switch_space(struct trial *trial)
{
	unsigned space = (unsigned)rng_below(&trial->rng, PAGED_SPACES);
	bool pcids = (trial->fast.cpu->cr4 & CR4_PCIDE) != 0;
	bool keep = pcids && !trial->must_flush[space] && rng_below(&trial->rng, 4);
	uint64_t value = paged_cr3(&trial->fast, space) | (keep ? CR3_NOFLUSH : 0);
	trial->must_flush[space] = false;
	trial->space = space;
	machine_write_cr3(trial->fast.machine, value);
	machine_write_cr3(trial->plain.machine, value);
}

static void change_rights(struct trial *trial)
{
	static const uint64_t bits[] = {CR4_SMEP, CR4_SMAP, CR4_PKE, CR4_PKS};
	uint64_t cr4 = trial->fast.cpu->cr4 ^ bits[rng_below(&trial->rng, 4)];
	uint64_t cr0 = trial->fast.cpu->cr0 ^ (rng_below(&trial->rng, 2) ? CR0_WP : 0);
	uint8_t cpl = rng_below(&trial->rng, 2) ? 3 : (uint8_t)rng_below(&trial->rng, 3);
	uint64_t ac = rng_below(&trial->rng, 2) ? RFLAGS_AC : 0;
	uint32_t keys = (uint32_t)rng_next(&trial->rng);
	struct paged *both[] = {&trial->fast, &trial->plain};
	for (unsigned i = 0; i < 2; i++) {
		machine_write_cr4(both[i]->machine, cr4);
		machine_write_cr0(both[i]->machine, cr0);
		machine_write_pkru(both[i]->machine, keys);
		machine_write_pkrs(both[i]->machine, ~keys);
		both[i]->cpu->cpl = cpl;
		both[i]->cpu->rflags = RFLAGS_FIXED | ac;
	}
}

static struct slow_state truth(const struct paged *paged)
{
	const struct cpu *cpu = paged->cpu;
	struct slow_state state = {
	    .mode = (enum slow_mode)paged->mode,
	    .cr3 = cpu->cr3,
	    .maxphyaddr = 40,
	    .wp = cpu->cr0 & CR0_WP,
	    .nxe = cpu->efer & EFER_NXE,
	    .smep = cpu->cr4 & CR4_SMEP,
	    .smap = cpu->cr4 & CR4_SMAP,
	    .pse = true,
	    .pke = cpu->cr4 & CR4_PKE,
	    .pks = cpu->cr4 & CR4_PKS,
	    .ac = cpu->rflags & RFLAGS_AC,
	    .user_mode = cpu->cpl == 3,
	    .pkru = cpu->pkru,
	    .pkrs = cpu->pkrs,
	};
	if (paged->mode == PAGING_PAE)
		assert_true(slow_load_pdptes(paged->mem, &state));
	return state;
}

static void access_and_compare(struct trial *trial, uint64_t seed, int step)
{
	static const char kinds[] = {[ACCESS_READ] = 'r', [ACCESS_WRITE] = 'w', [ACCESS_FETCH] = 'x'};
	uint64_t va = random_va(trial, rng_below(&trial->rng, 3) == 0);
	enum access_kind kind = (enum access_kind)rng_below(&trial->rng, ACCESS_KIND_COUNT);
	struct slow_state state = truth(&trial->fast);
	struct paddr pa = {0}, plain_pa = {0};
	struct fault fault = {0}, plain_fault = {0};
	bool ok = mmu_access(trial->fast.mmu, vaddr(va), kind, &pa, &fault);
	bool plain_ok = mmu_access(trial->plain.mmu, vaddr(va), kind, &plain_pa, &plain_fault);
	struct slow_result expected = slow_walk(trial->fast.mem, &state, va, kinds[kind]);
	if (ok != expected.ok || plain_ok != expected.ok ||
	    (ok && (pa.v != expected.pa || plain_pa.v != expected.pa)) ||
	    (!ok && (fault.error_code != expected.error_code || plain_fault.error_code != expected.error_code)))
		fail_msg("seed %llu step %d, %s paging, va 0x%llx %c: got %d 0x%llx error %u (without the shortcut %d "
			 "0x%llx error %u), expected %d 0x%llx error %u",
			 (unsigned long long)seed, step, paging_mode_info(trial->fast.mode)->name,
			 (unsigned long long)va, kinds[kind], ok, (unsigned long long)pa.v, fault.error_code, plain_ok,
			 (unsigned long long)plain_pa.v, plain_fault.error_code, expected.ok,
			 (unsigned long long)expected.pa, expected.error_code);
	/* The slow walk has set A and D in the first machine's tables; the leaf of the other one must have them. Those
	 * of the way there may lack A where a global entry of another space served. */
	if (ok) {
		struct paddr leaf = paddr(expected.at[expected.count - 1]);
		assert_int_equal(physmem_load32(trial->plain.mem, leaf), physmem_load32(trial->fast.mem, leaf));
	}
	(void)slow_walk(trial->plain.mem, &state, va, kinds[kind]);
}

static void run_trial(enum paging_mode mode, uint64_t seed)
{
	struct trial trial = {.rng = rng_seeded(seed)};
	struct cpu_profile profile = random_profile(&trial.rng);
	struct machine_config config = {.memory_bytes = 16 * MIB, .profile = &profile};
	config.tlb_replacement = (enum tlb_replacement)rng_below(&trial.rng, TLB_REPLACEMENT_COUNT);
	paged_init(&trial.fast, mode, &config);
	config.no_prediction = true;
	paged_init(&trial.plain, mode, &config);
	for (int step = 0; step < 6000; step++) {
		uint64_t what = rng_below(&trial.rng, 40);
		/* Tables that are forgotten are not used again, and RAM for new ones ends where pages begin. */
		bool room = trial.fast.next_table < PAGED_PAGES >> PAGE_SHIFT;
		if (what < 4)
			change_leaf(&trial);
		else if (what < 6 && room)
			change_upper(&trial);
		else if (what < 8)
			switch_space(&trial);
		else if (what < 9)
			change_rights(&trial);
		else
			access_and_compare(&trial, seed, step);
	}
	const char *why = "";
	if (!mmu_check(trial.fast.mmu, &why))
		fail_msg("seed %llu: %s", (unsigned long long)seed, why);
	assert_memory_equal(mmu_stats(trial.fast.mmu), mmu_stats(trial.plain.mmu), sizeof(struct mmu_stats));
	assert_int_equal(trial.fast.bus.cycle, trial.plain.bus.cycle);
	paged_release(&trial.fast);
	paged_release(&trial.plain);
}

static void correct_invalidations_hide_every_cache(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 48; seed++)
		run_trial((enum paging_mode)(seed % PAGING_MODE_COUNT), seed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(invalidations_reach_what_they_must_and_no_more),
	    cmocka_unit_test(correct_invalidations_hide_every_cache),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
