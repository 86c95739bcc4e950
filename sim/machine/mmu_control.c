/* Construction of the MMU, control registers, invalidation, and the doors for observers. */
#include "faultline/status.h"
#include "mmu_private.h"

static const char *const kind_names[] = {[ACCESS_READ] = "read", [ACCESS_WRITE] = "write", [ACCESS_FETCH] = "fetch"};

const char *access_kind_name(enum access_kind kind)
{
	BUG_ON(kind >= ACCESS_KIND_COUNT);
	return kind_names[kind];
}

/* The largest size of a level that is no larger than the page decides where it goes; the first such array. */
static void add_home(struct tlb_level *level, enum page_size mapping)
{
	struct tlb_probe *home = &level->home[mapping];
	for (unsigned i = 0; i < level->probe_count; i++) {
		unsigned shift = page_size_shift(level->probes[i].size);
		if (shift > page_size_shift(mapping))
			continue;
		if (!home->tlb || shift > page_size_shift(home->size))
			*home = level->probes[i];
	}
}

/* Small pages first: where a piece of a page and the whole page are both there, the piece came first, and whoever
 * remembers it is right. */
static void add_probe(struct tlb_level *level, struct tlb *tlb, enum page_size size)
{
	unsigned at = level->probe_count++;
	for (; at > 0 && level->probes[at - 1].shift > page_size_shift(size); at--)
		level->probes[at] = level->probes[at - 1];
	level->probes[at] = (struct tlb_probe){
	    .tlb = tlb,
	    .tag_bits = TLB_TAG_VALID | (uint64_t)size << TLB_TAG_SIZE_SHIFT,
	    .size = size,
	    .shift = (uint8_t)page_size_shift(size),
	};
}

static void add_to_level(struct tlb_level *level, struct tlb *tlb)
{
	for (unsigned size = 0; size < PAGE_SIZE_COUNT; size++) {
		if (tlb->geometry.page_sizes & PAGE_SIZE_BIT(size))
			add_probe(level, tlb, (enum page_size)size);
	}
}

/* Adds the arrays of one list of the profile to the level of each side that they serve. */
static void add_arrays(struct mmu *mmu, struct arena *arena, enum tlb_replacement replacement,
		       const struct tlb_geometry *geometries, unsigned count, enum tlb_role role,
		       struct tlb_level *levels, unsigned sides)
{
	for (unsigned i = 0; i < count; i++) {
		if (geometries[i].page_sizes == 0)
			continue;
		struct tlb *tlb = &mmu->arrays[mmu->array_count++];
		tlb_init(tlb, arena, geometries[i], role, replacement);
		for (unsigned side = 0; side < TLB_SIDE_COUNT; side++) {
			unsigned served = geometries[i].sides ? geometries[i].sides & sides : sides;
			if (served & TLB_SIDE_BIT(side))
				add_to_level(&levels[side], tlb);
		}
	}
	for (unsigned side = 0; side < TLB_SIDE_COUNT; side++) {
		for (unsigned size = 0; size < PAGE_SIZE_COUNT; size++)
			add_home(&levels[side], (enum page_size)size);
	}
}

static void add_tlbs(struct mmu *mmu, struct arena *arena, const struct cpu_profile *profile,
		     enum tlb_replacement replacement)
{
	unsigned data = TLB_SIDE_BIT(TLB_DATA);
	unsigned code = TLB_SIDE_BIT(TLB_INSTRUCTION);
	add_arrays(mmu, arena, replacement, profile->l1d, PROFILE_L1_ARRAYS, TLB_ROLE_L1D, mmu->l1, data);
	add_arrays(mmu, arena, replacement, profile->l1i, PROFILE_L1_ARRAYS, TLB_ROLE_L1I, mmu->l1, code);
	add_arrays(mmu, arena, replacement, profile->l2, PROFILE_L2_ARRAYS, TLB_ROLE_L2, mmu->l2, data | code);
}

struct mmu *mmu_new(struct arena *arena, struct physmem *mem, struct bus *bus, const struct cpu *cpu,
		    const struct cpu_profile *profile, const struct cost_table *costs, bool no_prediction,
		    enum tlb_replacement replacement)
{
	static const uint8_t levels[] = {
#define X(id, level, name) [PSC_##id] = (level),
	    PSC_LEVEL_LIST(X)
#undef X
	};
	struct mmu *mmu = arena_alloc(arena, sizeof(*mmu), 64);
	mmu->bus = bus;
	mmu->cpu = cpu;
	mmu->costs = costs;
	mmu->access_cycles = costs->cycles[COST_ACCESS];
	mmu->mem = mem;
	mmu->maxphyaddr = profile->maxphyaddr;
	mmu->remembers = !no_prediction && replacement != TLB_TREE_PLRU;
	mmu->replacement = replacement;
	add_tlbs(mmu, arena, profile, replacement);
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++)
		psc_init(&mmu->psc[i], arena, levels[i], profile->psc_entries[i]);
	mmu_refresh(mmu);
	return mmu;
}

/* A new generation: no key of before is equal to one of now. The 511 generations that a key can tell apart are followed
 * by a clean table. */
void mmu_forget_all(struct mmu *mmu)
{
	mmu->remembers_large = false;
	const uint64_t last = (uint64_t)511 << 3;
	if (mmu->memo_generation < last) {
		mmu->memo_generation += (uint64_t)1 << 3;
		return;
	}
	memset(mmu->memos, 0, sizeof(mmu->memos));
	mmu->memo_generation = (uint64_t)1 << 3;
}

void mmu_stop_shortcut(struct mmu *mmu)
{
	mmu->remembers = false;
	mmu_forget_all(mmu);
}

void mmu_add_watcher(struct mmu *mmu, mmu_watch_fn *fn, void *self)
{
	mmu_stop_shortcut(mmu);
	for (unsigned i = 0; i < mmu->watcher_count; i++) {
		if (mmu->watchers[i].fn == fn && mmu->watchers[i].self == self)
			return;
	}
	BUG_ON(mmu->watcher_count == MMU_WATCHERS);
	mmu->watchers[mmu->watcher_count++] = (struct mmu_watcher){fn, self};
}

/* SDM 3A 4.1.1, as if CR0.PG were set. */
static enum paging_mode mode_of(const struct cpu *cpu)
{
	if (cpu->efer & EFER_LMA)
		return cpu->cr4 & CR4_LA57 ? PAGING_5LEVEL : PAGING_4LEVEL;
	return cpu->cr4 & CR4_PAE ? PAGING_PAE : PAGING_32BIT;
}

/* The PDPTE registers stay as they are: only paging_load_pdptes loads them. */
static void refresh_paging(struct mmu *mmu)
{
	const struct cpu *cpu = mmu->cpu;
	struct paging paging = paging_make(mode_of(cpu), cpu->cr3, mmu->maxphyaddr, (cpu->efer & EFER_NXE) != 0,
					   (cpu->cr4 & CR4_PSE) != 0);
	memcpy(paging.pdpte, mmu->paging.pdpte, sizeof(paging.pdpte));
	mmu->paging = paging;
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++)
		mmu->psc[i].shift = walk_level_shift(&mmu->paging, mmu->psc[i].level);
}

bool mmu_load_pdptes(struct mmu *mmu)
{
	return paging_load_pdptes(&mmu->paging, mmu->mem);
}

void mmu_refresh(struct mmu *mmu)
{
	const struct cpu *cpu = mmu->cpu;
	bool pcide = (cpu->cr4 & CR4_PCIDE) != 0;
	refresh_paging(mmu);
	mmu->pcid = pcide ? cpu->cr3 & CR3_PCID_MASK : 0;
	mmu->space = mmu->pcid << TLB_TAG_PCID_SHIFT;
	mmu->enabled = (cpu->cr0 & CR0_PG) != 0;
	mmu->write_protect = (cpu->cr0 & CR0_WP) != 0;
	mmu->smep = (cpu->cr4 & CR4_SMEP) != 0;
	mmu->smap = (cpu->cr4 & CR4_SMAP) != 0;
	mmu->user_keys = (cpu->cr4 & CR4_PKE) && (cpu->efer & EFER_LMA);
	mmu->supervisor_keys = (cpu->cr4 & CR4_PKS) && (cpu->efer & EFER_LMA);
	mmu->global_pages = (cpu->cr4 & CR4_PGE) != 0;
	mmu_forget_all(mmu);
	struct mmu_rules rules = {
	    .known = true,
	    .write_protect = mmu->write_protect,
	    .smep = mmu->smep,
	    .smap = mmu->smap,
	    .user_keys = mmu->user_keys,
	    .supervisor_keys = mmu->supervisor_keys,
	    .pkru = cpu->pkru,
	    .pkrs = cpu->pkrs,
	};
	if (memcmp(&rules, &mmu->permits_rules, sizeof(rules)) != 0) {
		mmu->permits_rules = rules;
		mmu_learn_permits(mmu);
	}
}

uint32_t mmu_drop_entries(struct mmu *mmu, struct tlb_key key)
{
	uint32_t dropped = 0;
	unsigned half = tlb_half(key.va);
	for (struct tlb *tlb = mmu->arrays; tlb < mmu->arrays + mmu->array_count; tlb++) {
		if (tlb->count_of_half[half])
			dropped += tlb_drop_page(tlb, key);
	}
	if (dropped && mmu->remembers_large)
		mmu_forget_all(mmu);
	else if (dropped)
		mmu_forget_page(mmu, key.va);
	return dropped;
}

/* SDM 3A 4.10.4.1: the page's entries of this PCID and its global ones, and all paging-structure entries of the PCID.
 */
void mmu_drop_page(struct mmu *mmu, struct vaddr va)
{
	mmu->stats.flushed += mmu_drop_entries(mmu, tlb_key(va, mmu->pcid));
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++)
		psc_drop_pcid(&mmu->psc[i], mmu->pcid);
	mmu->stats.flushes++;
	emit(mmu->bus, EVENT_TLB_FLUSH, event_text("INVLPG"), va.v);
}

void mmu_drop_pcid(struct mmu *mmu, uint64_t pcid, const char *how)
{
	mmu_forget_all(mmu);
	for (unsigned i = 0; i < mmu->array_count; i++)
		mmu->stats.flushed += tlb_drop_pcid(&mmu->arrays[i], pcid);
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++)
		psc_drop_pcid(&mmu->psc[i], pcid);
	mmu->stats.flushes++;
	emit(mmu->bus, EVENT_TLB_FLUSH, event_text(how), 0);
}

void mmu_invpcid(struct mmu *mmu, enum invpcid_type type, uint64_t pcid, struct vaddr va)
{
	struct tlb_key key = tlb_key(va, pcid);
	mmu_forget_all(mmu);
	for (unsigned i = 0; i < mmu->array_count; i++) {
		struct tlb *tlb = &mmu->arrays[i];
		switch (type) {
		case INVPCID_ADDRESS:
			mmu->stats.flushed += tlb_drop_own_page(tlb, key);
			break;
		case INVPCID_CONTEXT:
			mmu->stats.flushed += tlb_drop_pcid(tlb, pcid);
			break;
		case INVPCID_ALL_WITH_GLOBAL:
			mmu->stats.flushed += tlb_drop_all(tlb);
			break;
		case INVPCID_ALL:
		case INVPCID_TYPE_COUNT:
			mmu->stats.flushed += tlb_drop_own(tlb);
			break;
		}
	}
	bool one_context = type == INVPCID_ADDRESS || type == INVPCID_CONTEXT;
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++) {
		if (one_context)
			psc_drop_pcid(&mmu->psc[i], pcid);
		else
			psc_drop_all(&mmu->psc[i]);
	}
	mmu->stats.flushes++;
	emit(mmu->bus, EVENT_TLB_FLUSH, event_text("INVPCID"), type == INVPCID_ADDRESS ? va.v : 0);
}

void mmu_drop_all(struct mmu *mmu, const char *how)
{
	mmu_forget_all(mmu);
	for (unsigned i = 0; i < mmu->array_count; i++)
		mmu->stats.flushed += tlb_drop_all(&mmu->arrays[i]);
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++)
		psc_drop_all(&mmu->psc[i]);
	mmu->stats.flushes++;
	emit(mmu->bus, EVENT_TLB_FLUSH, event_text(how), 0);
}

static bool access_once(struct mmu *mmu, struct vaddr va, enum access_kind kind, bool through_stack, struct paddr *pa,
			struct fault *fault)
{
	unsigned mode = mmu_mode(mmu->cpu);
	if (mmu_recall(mmu, va, kind, mode, 1, pa))
		return true;
	struct access access = {.va = va, .kind = kind, .mode = mode, .through_stack = through_stack, .words = 1};
	return mmu_translate(mmu, &access, pa, fault);
}

bool mmu_access(struct mmu *mmu, struct vaddr va, enum access_kind kind, struct paddr *pa, struct fault *fault)
{
	return access_once(mmu, va, kind, false, pa, fault);
}

bool mmu_access_stack(struct mmu *mmu, struct vaddr va, enum access_kind kind, struct paddr *pa, struct fault *fault)
{
	return access_once(mmu, va, kind, true, pa, fault);
}

static uint64_t sum(const uint64_t *values, unsigned count)
{
	uint64_t total = 0;
	for (unsigned i = 0; i < count; i++)
		total += values[i];
	return total;
}

const struct mmu_stats *mmu_stats(const struct mmu *mmu)
{
	return &mmu->stats;
}

uint64_t mmu_stats_accesses(const struct mmu_stats *stats)
{
	return sum(stats->accesses, ACCESS_KIND_COUNT);
}

uint64_t mmu_stats_l1_hits(const struct mmu_stats *stats)
{
	return sum(stats->l1_hits[TLB_DATA], PAGE_SIZE_COUNT) + sum(stats->l1_hits[TLB_INSTRUCTION], PAGE_SIZE_COUNT);
}

uint64_t mmu_stats_l1_misses(const struct mmu_stats *stats)
{
	return sum(stats->l1_misses, TLB_SIDE_COUNT);
}

uint64_t mmu_stats_l2_hits(const struct mmu_stats *stats)
{
	return sum(stats->l2_hits, PAGE_SIZE_COUNT);
}

bool mmu_check(const struct mmu *mmu, const char **why)
{
	const struct mmu_stats *stats = &mmu->stats;
	uint64_t valid = 0;
	for (unsigned i = 0; i < mmu->array_count; i++)
		valid += mmu->arrays[i].valid;
	const struct {
		bool holds;
		const char *text;
	} identities[] = {
	    {mmu_stats_accesses(stats) == mmu_stats_l1_hits(stats) + mmu_stats_l1_misses(stats),
	     "accesses == L1 TLB hits + L1 TLB misses"},
	    {mmu_stats_l1_misses(stats) == mmu_stats_l2_hits(stats) + stats->walks - stats->rewalks_stale_path,
	     "L1 TLB misses == L2 TLB hits + first walks"},
	    {stats->walks == sum(stats->walk_mapped, PAGE_SIZE_COUNT) + stats->walk_refused + stats->rewalks_stale_path,
	     "walks == walks that mapped + walks that faulted + walks repeated"},
	    {stats->filled == valid + stats->evicted + stats->flushed + stats->dropped,
	     "TLB entries filled == entries there + evicted + flushed + dropped"},
	};
	for (unsigned i = 0; i < sizeof(identities) / sizeof(identities[0]); i++) {
		if (!identities[i].holds) {
			*why = identities[i].text;
			return false;
		}
	}
	return true;
}

struct paging mmu_paging(const struct mmu *mmu)
{
	return mmu->paging;
}

bool mmu_peek(const struct mmu *mmu, struct vaddr va, struct paddr *pa)
{
	struct walk walk;
	*pa = paddr(va.v);
	if (!mmu->enabled)
		return true;
	walk_peek(mmu->mem, &mmu->paging, va, &walk);
	if (walk.outcome != WALK_MAPPED)
		return false;
	*pa = paddr_add(walk.page, va.v & (page_size_bytes(walk.size) - 1));
	return true;
}

unsigned mmu_tlb_count(const struct mmu *mmu)
{
	return mmu->array_count;
}

const struct tlb *mmu_tlb(const struct mmu *mmu, unsigned index)
{
	BUG_ON(index >= mmu->array_count);
	return &mmu->arrays[index];
}

unsigned mmu_psc_slots(const struct mmu *mmu, enum psc_level level)
{
	const struct psc *psc = &mmu->psc[level];
	return psc->level <= mmu->paging.levels ? psc->sets * PSC_WAYS : 0;
}

bool mmu_psc_slot(const struct mmu *mmu, enum psc_level level, unsigned slot, struct psc_slot *out)
{
	BUG_ON(slot >= mmu_psc_slots(mmu, level));
	return psc_look(&mmu->psc[level], slot, mmu->paging.levels, out);
}
