/* The MMU's state, and the shortcut for translations that were made before.
 *
 * The shortcut: a memo says "this page, in this mode and for this kind of access, was last served by that entry of the
 * L1 TLB". As long as the entry is there, looking it up again would find it and allow the access; so the memo does what
 * that lookup would do (stamp, counters, cycles) and skips the search. Whoever drops or replaces an entry of an L1 TLB
 * voids its memos. Statistics and results are those of the search; a test runs both. */
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
	uint64_t key;    /* page, generation, mode; 0: unused */
	uint64_t frame;  /* 51:12 physical address of the 4 KiB page, in RAM; 1:0 size of the entry */
	uint64_t *stamp; /* of the entry */
};

enum { MEMO_COUNT = 128, MODE_COUNT = 8 };

/* Which bits of a TLB word allow a kind of access in a mode: those of `care` must be as in `want`. */
struct mmu_permit {
	uint64_t care, want;
};

/* What the control registers say about rights. Without padding, to be compared as a whole. */
struct mmu_rules {
	uint8_t known; /* else the permits were never learnt */
	uint8_t write_protect, smep, smap, user_keys, supervisor_keys, unused[2];
	uint32_t pkru, pkrs;
};

enum { TLB_MAX_ARRAYS = 2 * PROFILE_L1_ARRAYS + PROFILE_L2_ARRAYS };

/* One size of pages in one array, with what follows from the size. */
struct tlb_probe {
	struct tlb *tlb;
	uint64_t tag_bits; /* of every tag */
	enum page_size size;
	uint8_t shift;
};

/* One level for one side, worked out from the geometry once. */
struct tlb_level {
	/* Where an address is looked for: each array with each size that it holds. */
	struct tlb_probe probes[PROFILE_L2_ARRAYS * PAGE_SIZE_COUNT];
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
	enum tlb_replacement replacement;
	uint64_t no_stamp; /* what memos stamp where a use changes no rank */
	/* Told of every access; nothing is remembered while there are any. */
	struct mmu_watcher {
		mmu_watch_fn *fn;
		void *self;
	} watchers[MMU_WATCHERS];
	unsigned watcher_count;
	bool remembers; /* memos are written; off in tests, and where the shortcut could not keep ranks up to date */
	bool remembers_large; /* some memo may be of a page of more than 4 KiB, or of a piece of one */
	uint32_t access_cycles;
	struct mmu_memo memos[ACCESS_KIND_COUNT][MEMO_COUNT];
	struct mmu_rules permits_rules; /* that the permits are of */
	struct mmu_permit permits[ACCESS_KIND_COUNT][MODE_COUNT];

	struct tlb arrays[TLB_MAX_ARRAYS];
	unsigned array_count;
	struct tlb_level l1[TLB_SIDE_COUNT], l2[TLB_SIDE_COUNT];
	struct psc psc[PSC_LEVEL_COUNT];

	/* The control registers, as far as they matter here. */
	struct paging paging;
	uint64_t pcid;
	uint64_t space; /* the PCID's bits of a tag */
	uint8_t maxphyaddr;
	bool enabled, write_protect, smep, smap, user_keys, supervisor_keys, global_pages;
};

struct mmu *mmu_new(struct arena *arena, struct physmem *mem, struct bus *bus, const struct cpu *cpu,
		    const struct cpu_profile *profile, const struct cost_table *costs, bool no_prediction,
		    enum tlb_replacement replacement);

/* Translates with all consequences: TLB fills, A and D, counters, cycles. False: *fault says why not. */
bool mmu_translate(struct mmu *mmu, const struct access *access, struct paddr *pa, struct fault *fault);

/* What the registers say of rights has changed. */
void mmu_learn_permits(struct mmu *mmu);
/* From now on every access is searched for. */
void mmu_stop_shortcut(struct mmu *mmu);
void mmu_add_watcher(struct mmu *mmu, mmu_watch_fn *fn, void *self); /* stops the shortcut */
/* A control register, EFER or PKRU was written. */
void mmu_refresh(struct mmu *mmu);
/* Voids all memos. */
void mmu_forget_all(struct mmu *mmu);
/* In PAE paging, loads the PDPTE registers through CR3. False: one is bad, #GP(0), none was loaded. */
bool mmu_load_pdptes(struct mmu *mmu);
void mmu_drop_page(struct mmu *mmu, struct vaddr va);
/* Drops what the TLBs hold of an address; returns how many entries. */
uint32_t mmu_drop_entries(struct mmu *mmu, struct tlb_key key);
/* The types of INVPCID, SDM 2: one address in a PCID and a whole PCID, both without global pages; everything;
 * everything but global pages. */
enum invpcid_type { INVPCID_ADDRESS, INVPCID_CONTEXT, INVPCID_ALL_WITH_GLOBAL, INVPCID_ALL, INVPCID_TYPE_COUNT };
void mmu_invpcid(struct mmu *mmu, enum invpcid_type type, uint64_t pcid, struct vaddr va);
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

/* Memos of one small page. */
static inline void mmu_forget_page(struct mmu *mmu, struct vaddr va)
{
	for (unsigned kind = 0; kind < ACCESS_KIND_COUNT; kind++)
		mmu_memo_at(mmu, va, (enum access_kind)kind)->key = 0;
}

static inline void mmu_count_l1_hit(struct mmu *mmu, enum access_kind kind, enum page_size size, uint64_t words)
{
	mmu->stats.accesses[kind] += words;
	mmu->stats.l1_hits[tlb_side_of(kind)][size] += words;
	mmu->bus->cycle += mmu->access_cycles * words;
}

/* The shortcut. False: nothing was counted, ask mmu_translate. True: the page is in RAM. */
static inline bool mmu_recall(struct mmu *mmu, struct vaddr va, enum access_kind kind, unsigned mode, uint64_t words,
			      struct paddr *pa)
{
	const struct mmu_memo *memo = mmu_memo_at(mmu, va, kind);
	if (memo->key != mmu_memo_key(mmu, va, mode))
		return false;
	*memo->stamp = ++mmu->tick;
	mmu_count_l1_hit(mmu, kind, (enum page_size)(memo->frame & 3), words);
	*pa = paddr(page_floor(memo->frame) | page_offset(va.v));
	return true;
}

/* Does an entry allow the access as it is? Asks the permit, which knows no keys but the first: false may be wrong. */
static inline bool mmu_permits(const struct mmu *mmu, const struct access *access, uint64_t word)
{
	const struct mmu_permit *permit = &mmu->permits[access->kind][access->mode];
	return ((word ^ permit->want) & permit->care) == 0;
}

/* The tag of the address, in the address space that is loaded. */
static inline uint64_t mmu_tag(const struct mmu *mmu, const struct tlb_probe *probe, struct vaddr va)
{
	return probe->tag_bits | mmu->space | (va.v & TLB_LINEAR) >> probe->shift;
}

static inline struct paddr mmu_physical(uint64_t word, enum page_size size, struct vaddr va)
{
	return paddr((word & TLB_WORD_ADDRESS) | (va.v & (page_size_bytes(size) - 1)));
}

#endif
