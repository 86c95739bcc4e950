/* The MMU's state, and the shortcut for translations that were made before.
 *
 * The shortcut: a memo says "this page, in this mode and for this kind of access, was last served by that L1 slot". As
 * long as the slot still holds the very same entry, looking it up again would find it and allow the access; so the
 * memo does what that lookup would do (stamp, counters, cycles) and skips the search. Statistics and results are those
 * of the search; a test runs both. */
#ifndef FAULTLINE_MMU_PRIVATE_H
#define FAULTLINE_MMU_PRIVATE_H

#include "faultline/bus.h"
#include "faultline/cost.h"
#include "faultline/cpu.h"
#include "faultline/mmu.h"
#include "faultline/profile.h"
#include "physmem_private.h"
#include "psc.h"
#include "tlb_private.h"

/* Who accesses: decides with the page's rights. */
#define MODE_USER 1u /* CPL 3 */
#define MODE_AC 2u   /* RFLAGS.AC: suspends SMAP for explicit accesses */
#define MODE_IMPLICIT                                                                                                  \
	4u /* descriptor tables, TSS, stack pushes of a delivery: supervisor whatever the CPL, SDM 3A 4.6 */

struct access {
	struct vaddr va;
	enum access_kind kind;
	unsigned mode;
	bool through_stack; /* a non-canonical address is #SS */
	uint64_t words;     /* how many accesses to this page it counts for, at least 1 */
};

struct mmu_memo {
	uint64_t key; /* page, generation, mode; 0: unused */
	uint64_t tag, word;
	uint32_t slot;
};

enum { MEMO_COUNT = 128, TLB_MAX_ARRAYS = 2 * PROFILE_L1_ARRAYS + PROFILE_L2_ARRAYS };

/* One level for one side, worked out from the geometry once. */
struct tlb_level {
	/* Where an address is looked for: each array with each size that it holds. */
	struct tlb_probe {
		struct tlb *tlb;
		enum page_size size;
	} probes[PROFILE_L2_ARRAYS * PAGE_SIZE_COUNT];
	unsigned probe_count;
	/* Where a page of each size goes, and in pieces of which size. tlb NULL: nowhere. */
	struct tlb_probe home[PAGE_SIZE_COUNT];
};

struct mmu {
	struct mmu_stats stats;
	struct bus *bus;
	const struct cpu *cpu;
	const struct cost_table *costs;
	struct physmem *mem;
	uint64_t tick;            /* lookups so far; ranks entries by their last use */
	uint64_t memo_generation; /* in place for a key: bits 11:3, never 0 */
	bool no_prediction;
	uint64_t *tags; /* slots of all arrays */
	struct tlb_value *values;
	struct mmu_memo memos[ACCESS_KIND_COUNT][MEMO_COUNT];

	struct tlb arrays[TLB_MAX_ARRAYS];
	unsigned array_count;
	struct tlb_level l1[TLB_SIDE_COUNT], l2[TLB_SIDE_COUNT];
	struct psc psc[PSC_LEVEL_COUNT];

	/* The control registers, as far as they matter here. */
	struct paging paging;
	uint64_t pcid;
	uint8_t maxphyaddr;
	bool enabled, write_protect, smep, smap, protection_keys, global_pages;
};

struct mmu *mmu_new(struct arena *arena, struct physmem *mem, struct bus *bus, const struct cpu *cpu,
		    const struct cpu_profile *profile, const struct cost_table *costs, bool no_prediction);

/* Translates with all consequences: TLB fills, A and D, counters, cycles. False: *fault says why not. */
bool mmu_translate(struct mmu *mmu, const struct access *access, struct paddr *pa, struct fault *fault);

/* A control register, EFER or PKRU was written. */
void mmu_refresh(struct mmu *mmu);
/* In PAE paging, loads the PDPTE registers through CR3. False: one is bad, #GP(0), none was loaded. */
bool mmu_load_pdptes(struct mmu *mmu);
void mmu_drop_page(struct mmu *mmu, struct vaddr va);
void mmu_drop_pcid(struct mmu *mmu, uint64_t pcid, const char *how);
void mmu_drop_all(struct mmu *mmu, const char *how);
static inline enum tlb_side tlb_side_of(enum access_kind kind)
{
	return kind == ACCESS_FETCH ? TLB_INSTRUCTION : TLB_DATA;
}

/* The mode of an explicit access now. */
static inline unsigned mmu_mode(const struct cpu *cpu)
{
	_Static_assert(RFLAGS_AC >> 17 == MODE_AC, "AC shifts into its mode bit");
	return (cpu->cpl == 3 ? MODE_USER : 0) | ((unsigned)(cpu->rflags >> 17) & MODE_AC);
}

static inline struct mmu_memo *mmu_memo_at(struct mmu *mmu, struct vaddr va, enum access_kind kind)
{
	return &mmu->memos[kind][(va.v >> PAGE_SHIFT ^ va.v >> (PAGE_SHIFT + 7)) % MEMO_COUNT];
}

/* Page numbers have 52 bits, sign included: a non-canonical address has no memo. */
static inline uint64_t mmu_memo_key(const struct mmu *mmu, struct vaddr va, unsigned mode)
{
	return page_floor(va.v) | mmu->memo_generation | mode;
}

/* The shortcut. False: nothing was counted, ask mmu_translate. */
static inline bool mmu_recall(struct mmu *mmu, struct vaddr va, enum access_kind kind, unsigned mode, uint64_t words,
			      struct paddr *pa)
{
	const struct mmu_memo *memo = mmu_memo_at(mmu, va, kind);
	if (memo->key != mmu_memo_key(mmu, va, mode))
		return false;
	struct tlb_value *value = &mmu->values[memo->slot];
	if (mmu->tags[memo->slot] != memo->tag || value->word != memo->word)
		return false;
	enum page_size size = tlb_tag_size(memo->tag);
	value->stamp = ++mmu->tick;
	mmu->stats.accesses[kind] += words;
	mmu->stats.l1_hits[tlb_side_of(kind)][size] += words;
	mmu->bus->cycle += mmu->costs->cycles[COST_ACCESS] * words;
	*pa = paddr((memo->word & TLB_WORD_ADDRESS) | (va.v & (page_size_bytes(size) - 1)));
	return true;
}

#endif
