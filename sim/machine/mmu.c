#include "mmu_private.h"

#include "faultline/status.h"

/* What a translation allows this access, SDM 3A 4.6; the same for entries from a TLB and from RAM. Returns 0 or
 * FAULT_PRESENT, with FAULT_PROTECTION_KEY when the key forbids it (even if something else does, too). */
static inline uint32_t denial(const struct mmu *mmu, const struct access *access, uint64_t word)
{
	bool user_mode = access->mode & MODE_USER;
	bool user_page = word & TLB_WORD_USER;
	bool write = access->kind == ACCESS_WRITE;
	bool denied = user_mode && !user_page;
	if (access->kind == ACCESS_FETCH) {
		denied |= (word & TLB_WORD_NO_EXECUTE) || (!user_mode && user_page && mmu->smep);
		return denied ? FAULT_PRESENT : 0;
	}
	bool obeys_read_only = user_mode || mmu->write_protect;
	denied |= write && !(word & TLB_WORD_WRITABLE) && obeys_read_only;
	denied |= !user_mode && user_page && mmu->smap && !(access->mode & MODE_AC);
	uint32_t key_bits = 0;
	if (user_page ? mmu->user_keys : mmu->supervisor_keys) {
		uint32_t keys = user_page ? mmu->cpu->pkru : mmu->cpu->pkrs;
		uint32_t rights = keys >> (2 * (word >> TLB_WORD_KEY_SHIFT & 15));
		if ((rights & 1) || ((rights & 2) && write && obeys_read_only))
			key_bits = FAULT_PRESENT | FAULT_PROTECTION_KEY;
	}
	return (denied ? FAULT_PRESENT : 0) | key_bits;
}

/* What all words have in common that denial() lets pass: every rule is a conjunction of bits that must be set or clear,
 * so this is the rule itself, in a form that is tested at once. */
static struct mmu_permit permit_of(const struct mmu *mmu, const struct access *access)
{
	const uint64_t rights = TLB_WORD_USER | TLB_WORD_WRITABLE | TLB_WORD_NO_EXECUTE;
	struct mmu_permit none = {.care = UINT64_MAX, .want = UINT64_MAX};
	uint64_t in_all = rights;
	uint64_t in_any = 0;
	for (uint64_t word = 0; word <= rights; word++) {
		if (denial(mmu, access, word))
			continue;
		in_all &= word;
		in_any |= word;
	}
	if (in_all & ~in_any)
		return none; /* nothing passed */
	struct mmu_permit permit = {.care = rights & ~(in_all ^ in_any), .want = in_all};
	/* Only a write that finds D clear in the cached entry returns to the tables: SDM 3A 4.8. */
	if (access->kind == ACCESS_WRITE) {
		permit.care |= TLB_WORD_DIRTY;
		permit.want |= TLB_WORD_DIRTY;
	}
	if (mmu->user_keys || mmu->supervisor_keys)
		permit.care |= (uint64_t)15 << TLB_WORD_KEY_SHIFT;
	return permit;
}

void mmu_learn_permits(struct mmu *mmu)
{
	for (unsigned kind = 0; kind < ACCESS_KIND_COUNT; kind++) {
		for (unsigned mode = 0; mode < MODE_COUNT; mode++) {
			const struct access access = {.kind = (enum access_kind)kind, .mode = mode};
			mmu->permits[kind][mode] = permit_of(mmu, &access);
		}
	}
}

static uint32_t access_bits(const struct mmu *mmu, const struct access *access)
{
	uint32_t bits = 0;
	if (access->kind == ACCESS_WRITE)
		bits |= FAULT_WRITE;
	if (access->mode & MODE_USER)
		bits |= FAULT_USER;
	if (access->kind == ACCESS_FETCH && (mmu->smep || mmu->paging.nxe))
		bits |= FAULT_FETCH;
	return bits;
}

static uint64_t word_of(const struct walk *walk)
{
	const struct walk_rights *rights = &walk->rights;
	return walk->page.v | (rights->user ? TLB_WORD_USER : 0) | (rights->writable ? TLB_WORD_WRITABLE : 0) |
	       (rights->no_execute ? TLB_WORD_NO_EXECUTE : 0) | (walk->dirty ? TLB_WORD_DIRTY : 0) |
	       (uint64_t)rights->protection_key << TLB_WORD_KEY_SHIFT | (uint64_t)walk->size << TLB_WORD_MAPPING_SHIFT;
}

/* A line that has just served the access will serve the next one, too: see mmu_private.h. A tree of pointers is more
 * than the shortcut can keep up to date. */
static inline void remember(struct mmu *mmu, const struct access *access, enum page_size size, struct tlb_line *line,
			    struct paddr pa)
{
	uint64_t frame = page_floor(pa.v);
	if (!mmu->remembers || !physmem_holds(mmu->mem, paddr(frame), PAGE_BYTES))
		return;
	mmu->remembers_large |= tlb_word_mapping(line->word) != PAGE_SIZE_4K;
	*mmu_memo_at(mmu, access->va, access->kind) = (struct mmu_memo){
	    .key = mmu_memo_key(mmu, access->va, access->mode),
	    .frame = frame | size,
	    .stamp = mmu->replacement == TLB_LRU ? &line->stamp : &mmu->no_stamp,
	};
}

/* An entry of an L1 TLB went: memos of it are void. */
static inline void forget_entry(struct mmu *mmu, uint64_t tag)
{
	if (tlb_tag_size(tag) == PAGE_SIZE_4K)
		mmu_forget_page(mmu, vaddr((tag & TLB_TAG_PAGE) << PAGE_SHIFT));
	else
		mmu_forget_all(mmu);
}

/* The part of a page that an array for smaller ones holds. */
static uint64_t piece_of(uint64_t word, enum page_size mapping, enum page_size piece, struct vaddr va)
{
	uint64_t inside = va.v & (page_size_bytes(mapping) - 1);
	return (word & ~((page_size_bytes(mapping) - 1) & TLB_WORD_ADDRESS)) | (inside & ~(page_size_bytes(piece) - 1));
}

/* Puts a translation into the array of a level that takes its size, whole or in pieces. Returns its line, and the tag
 * that was lost, 0: none. */
static inline struct tlb_line *fill(struct mmu *mmu, const struct tlb_probe *home, const struct access *access,
				    bool global, uint64_t word, uint64_t *lost)
{
	enum page_size mapping = tlb_word_mapping(word);
	if (home->size != mapping)
		word = piece_of(word, mapping, home->size, access->va);
	uint64_t tag = mmu_tag(mmu, home, access->va);
	tag = global ? tlb_tag_global(tag) : tag;
	struct tlb_line *line = tlb_insert(home->tlb, tag, word, mmu->tick, lost);
	mmu->stats.filled++;
	mmu->stats.evicted += *lost != 0;
	return line;
}

/* `size` is what is known of the page: a piece from the second level is no larger in the first. `pa` is where the
 * access goes. */
static inline void fill_l1(struct mmu *mmu, const struct access *access, enum page_size size, bool global,
			   uint64_t word, struct paddr pa)
{
	const struct tlb_probe *home = &mmu->l1[tlb_side_of(access->kind)].home[size];
	uint64_t lost;
	if (!home->tlb)
		return;
	struct tlb_line *line = fill(mmu, home, access, global, word, &lost);
	if (lost)
		forget_entry(mmu, lost);
	remember(mmu, access, home->size, line, pa);
}

static inline void fill_l2(struct mmu *mmu, const struct access *access, bool global, uint64_t word)
{
	const struct tlb_probe *home = &mmu->l2[tlb_side_of(access->kind)].home[tlb_word_mapping(word)];
	uint64_t lost;
	if (home->tlb)
		(void)fill(mmu, home, access, global, word, &lost);
}

enum verdict { VERDICT_MISS, VERDICT_HIT, VERDICT_CLEAN, VERDICT_DENIED };

struct lookup {
	enum verdict verdict; /* a hit allows the access; CLEAN and DENIED found an entry that does not */
	enum page_size size;  /* of a hit */
	struct tlb_line *line;
};

static enum verdict refusal(const struct mmu *mmu, const struct access *access, uint64_t word)
{
	if (denial(mmu, access, word))
		return VERDICT_DENIED;
	if (access->kind == ACCESS_WRITE && !(word & TLB_WORD_DIRTY))
		return VERDICT_CLEAN;
	return VERDICT_HIT;
}

static inline struct lookup look_up(struct mmu *mmu, const struct tlb_level *level, const struct access *access)
{
	const struct tlb_probe *end = level->probes + level->probe_count;
	unsigned half = tlb_half(access->va);
	for (const struct tlb_probe *probe = level->probes; probe < end; probe++) {
		if (!probe->tlb->count[probe->size][half])
			continue;
		struct tlb_line *line = tlb_find_tag(probe->tlb, mmu_tag(mmu, probe, access->va));
		if (!line)
			continue;
		struct lookup found = {VERDICT_HIT, probe->size, line};
		if (!mmu_permits(mmu, access, line->word))
			found.verdict = refusal(mmu, access, line->word);
		if (found.verdict == VERDICT_HIT)
			tlb_used(probe->tlb, line, mmu->tick);
		return found;
	}
	return (struct lookup){.verdict = VERDICT_MISS};
}

static void forget_translation(struct mmu *mmu, struct tlb_key key)
{
	mmu->stats.dropped += mmu_drop_entries(mmu, key);
}

/* Nothing cached may serve the address again. */
static void forget_address(struct mmu *mmu, struct tlb_key key)
{
	forget_translation(mmu, key);
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++)
		psc_drop_address(&mmu->psc[i], key);
}

/* The lowest upper-level entry that a cache knows; the root if none. */
static struct walk_start find_start(struct mmu *mmu, struct tlb_key key)
{
	struct walk_start start;
	for (unsigned i = 0; i < PSC_LEVEL_COUNT; i++) {
		if (mmu->psc[i].level <= mmu->paging.levels && psc_find(&mmu->psc[i], key, mmu->tick, &start)) {
			mmu->stats.psc_hits[i]++;
			return start;
		}
	}
	return walk_start_at_root(&mmu->paging);
}

/* A walk that was used teaches the paging-structure caches every upper entry that it read. */
static void teach_psc(struct mmu *mmu, struct tlb_key key, const struct walk_start *start, const struct walk *walk)
{
	struct walk_rights rights = start->rights;
	for (unsigned i = walk->registers; i + 1 < walk->count; i++) {
		struct pte entry = walk->step[i].entry;
		rights.user = rights.user && pte_user(entry);
		rights.writable = rights.writable && pte_writable(entry);
		rights.no_execute = rights.no_execute || pte_no_execute(entry);
		psc_insert(&mmu->psc[walk->step[i].level - 2], key, mmu->tick, pfn_to_paddr(pfn(pte_frame(entry))),
			   &rights);
	}
}

static void read_tables(struct mmu *mmu, const struct walk_start *start, const struct access *access, struct walk *walk)
{
	walk_read(mmu->mem, &mmu->paging, start, access->va, walk);
	unsigned read = walk->count - walk->registers;
	uint64_t cycles = (uint64_t)mmu->costs->cycles[COST_WALK_STEP] * read;
	mmu->stats.walks++;
	mmu->stats.walk_entries += read;
	mmu->stats.walk_cycles += cycles;
	mmu->bus->cycle += cycles;
	if (walk->outcome == WALK_MAPPED && denial(mmu, access, word_of(walk)))
		walk->outcome = WALK_DENIED;
	emit(mmu->bus, EVENT_WALK, access->va.v, read, walk->step[walk->count - 1].entry.word,
	     event_text(walk_outcome_text(walk->outcome)));
}

static void page_fault(struct mmu *mmu, const struct access *access, const struct walk *walk, struct fault *fault)
{
	uint32_t why = 0;
	if (walk->outcome == WALK_RESERVED)
		why = FAULT_PRESENT | FAULT_RESERVED;
	else if (walk->outcome == WALK_DENIED)
		why = denial(mmu, access, word_of(walk));
	*fault = (struct fault){VECTOR_PAGE_FAULT, why | access_bits(mmu, access), access->va};
	mmu->stats.walk_refused++;
	mmu->stats.page_faults++;
	/* A page fault drops what is cached for its address, the path included: SDM 3A 4.10.4.1. */
	forget_address(mmu, tlb_key(access->va, mmu->pcid));
}

static void learn(struct mmu *mmu, const struct access *access, const struct walk_start *start, struct walk *walk,
		  struct paddr *pa)
{
	struct tlb_key key = tlb_key(access->va, mmu->pcid);
	struct walk_marks marks = walk_mark(mmu->mem, &mmu->paging, walk, access->kind == ACCESS_WRITE);
	mmu->stats.accessed_set += marks.accessed;
	mmu->stats.dirty_set += marks.dirty;
	mmu->stats.walk_mapped[walk->size]++;
	teach_psc(mmu, key, start, walk);
	uint64_t word = word_of(walk);
	bool global = walk->global && mmu->global_pages;
	*pa = mmu_physical(word, walk->size, access->va);
	fill_l2(mmu, access, global, word);
	fill_l1(mmu, access, walk->size, global, word, *pa);
	uint64_t bytes = page_size_bytes(walk->size);
	emit(mmu->bus, EVENT_TLB_FILL, align_down(access->va.v, bytes), paddr_to_pfn(walk->page).v, bytes);
}

/* Only the tables in RAM may refuse an access. What a paging-structure cache remembers may be older than they are, and
 * rights may have been added since without a flush (SDM 3A 4.10.4.3): a walk that began there and is denied is done
 * again from the root. */
static bool walk_tables(struct mmu *mmu, const struct access *access, struct paddr *pa, struct fault *fault)
{
	struct walk_start start = find_start(mmu, tlb_key(access->va, mmu->pcid));
	struct walk walk;
	read_tables(mmu, &start, access, &walk);
	if (walk.outcome == WALK_DENIED && start.level != mmu->paging.levels) {
		mmu->stats.rewalks_stale_path++;
		start = walk_start_at_root(&mmu->paging);
		read_tables(mmu, &start, access, &walk);
	}
	if (walk.outcome != WALK_MAPPED) {
		page_fault(mmu, access, &walk, fault);
		return false;
	}
	learn(mmu, access, &start, &walk, pa);
	return true;
}

/* An address with bits that paging does not translate. 32-bit paging and PAE paging wrap around at 4 GiB. */
static bool translate_wide(struct mmu *mmu, const struct access *access, struct paddr *pa, struct fault *fault)
{
	if (mmu->paging.levels < 4) {
		struct access wrapped = *access;
		wrapped.va.v &= UINT32_MAX;
		return mmu_translate(mmu, &wrapped, pa, fault);
	}
	mmu->stats.not_canonical++;
	*fault = (struct fault){access->through_stack ? VECTOR_STACK : VECTOR_PROTECTION, 0, access->va};
	return false;
}

static inline void serve_from_l2(struct mmu *mmu, const struct access *access, const struct lookup *found,
				 struct paddr *pa)
{
	uint64_t word = found->line->word;
	uint64_t cycles = mmu->costs->cycles[COST_TLB_L2_HIT];
	mmu->stats.l2_hits[found->size]++;
	mmu->stats.walk_cycles += cycles;
	mmu->bus->cycle += cycles;
	*pa = mmu_physical(word, found->size, access->va);
	fill_l1(mmu, access, found->size, (found->line->tag & TLB_TAG_GLOBAL) != 0, word, *pa);
}

/* No TLB serves the access: it has no entry, or one that does not allow it. */
static bool translate_missed(struct mmu *mmu, const struct access *access, enum verdict verdict, struct paddr *pa,
			     struct fault *fault)
{
	struct tlb_key key = tlb_key(access->va, mmu->pcid);
	switch (verdict) {
	case VERDICT_HIT:
	case VERDICT_MISS:
		emit(mmu->bus, EVENT_TLB_MISS, access->va.v, event_text(access_kind_name(access->kind)));
		break;
	case VERDICT_CLEAN:
		mmu->stats.rewalks_dirty++;
		forget_translation(mmu, key);
		break;
	case VERDICT_DENIED:
		/* With the path forgotten, too, the walk begins at the root: see walk_tables. */
		mmu->stats.rewalks_denied++;
		forget_address(mmu, key);
		break;
	}
	return walk_tables(mmu, access, pa, fault);
}

static bool translate_unpaged(struct mmu *mmu, const struct access *access, struct paddr *pa)
{
	mmu->stats.unpaged += access->words;
	mmu->bus->cycle += mmu->costs->cycles[COST_ACCESS] * access->words;
	*pa = paddr(access->va.v & UINT32_MAX); /* there is no IA-32e mode without paging */
	return true;
}

static void count_l1_miss(struct mmu *mmu, enum access_kind kind)
{
	mmu->stats.accesses[kind]++;
	mmu->stats.l1_misses[tlb_side_of(kind)]++;
	mmu->bus->cycle += mmu->costs->cycles[COST_ACCESS];
}

static void tell_watchers(const struct mmu *mmu, const struct access *access, struct paddr pa)
{
	const struct mmu_reference reference = {access->va, pa, access->kind};
	for (unsigned i = 0; i < mmu->watcher_count; i++)
		mmu->watchers[i].fn(mmu->watchers[i].self, &reference);
}

bool mmu_translate(struct mmu *mmu, const struct access *access, struct paddr *pa, struct fault *fault)
{
	if (!mmu->enabled)
		return translate_unpaged(mmu, access, pa);
	if (!vaddr_is_canonical(access->va, mmu->paging.levels))
		return translate_wide(mmu, access, pa, fault);
	enum tlb_side side = tlb_side_of(access->kind);
	/* The first word of a range may miss; it brings the page into the L1 TLB, where the others find it. */
	for (uint64_t left = access->words; left; left--) {
		mmu->tick++;
		struct lookup found = look_up(mmu, &mmu->l1[side], access);
		if (found.verdict == VERDICT_HIT) {
			*pa = mmu_physical(found.line->word, found.size, access->va);
			mmu_count_l1_hit(mmu, access->kind, found.size, left);
			if (mmu->remembers)
				remember(mmu, access, found.size, found.line, *pa);
			else if (mmu->watcher_count)
				tell_watchers(mmu, access, *pa);
			return true;
		}
		count_l1_miss(mmu, access->kind);
		if (found.verdict == VERDICT_MISS)
			found = look_up(mmu, &mmu->l2[side], access);
		if (found.verdict == VERDICT_HIT)
			serve_from_l2(mmu, access, &found, pa);
		else if (!translate_missed(mmu, access, found.verdict, pa, fault))
			return false;
	}
	if (mmu->watcher_count)
		tell_watchers(mmu, access, *pa);
	return true;
}
