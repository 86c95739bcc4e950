/* Edits of all pages of a range at once, and the flush that must follow. See mm/memory.c, mm/mprotect.c, mm/mremap.c.
 */
#include "page.h"

/* First and last page that an edit of entries changed, for one flush at the end. */
struct changed {
	struct vaddr start, end;
	uint64_t pages;
	uint64_t smallest; /* of them, in bytes */
};

static void changed_add(const struct mm *mm, struct changed *changed, struct vaddr va, struct pte entry)
{
	uint64_t bytes = leaf_bytes(mm, entry);
	if (changed->pages++ == 0) {
		changed->start = va;
		changed->smallest = bytes;
	}
	changed->end = vaddr_add(va, bytes);
	changed->smallest = bytes < changed->smallest ? bytes : changed->smallest;
}

static void changed_flush(struct mm *mm, const struct changed *changed)
{
	if (changed->pages > 0)
		flush_range(mm, changed->start, changed->end, changed->smallest);
}

/* mmu_gather: frames that lost their last entry wait, chained by their records, until no TLB can reach them. */
struct gather {
	struct changed changed;
	struct pfn first, last; /* 0: none */
	struct pfn torn;        /* the folio that has lost an entry of a part last; 0: none */
};

/* What is left of a folio may be split to free the rest; not before it is known that something is left. */
static void gather_torn(struct kernel *kernel, struct gather *gather, struct pfn head)
{
	if (gather->torn.v != 0 && gather->torn.v != head.v)
		folio_queue(kernel, gather->torn);
	gather->torn = head;
}

static void gather_frame(struct frame_pool *frames, struct gather *gather, struct pfn frame)
{
	frame_at(frames, frame)->next = 0;
	if (gather->first.v == 0)
		gather->first = frame;
	else
		frame_at(frames, gather->last)->next = (uint32_t)frame.v;
	gather->last = frame;
}

static void free_gathered(struct kernel *kernel, const struct gather *gather)
{
	struct pfn frame = gather->first;
	while (frame.v != 0) {
		struct pfn next = pfn(frame_at(kernel->frames, frame)->next);
		page_free(kernel, frame);
		frame = next;
	}
}

/* free_swap_and_cache: an entry that led to swap is gone. */
static void forget_swap(struct mm *mm, struct pte entry)
{
	const struct swap *swap = &mm->kernel->swap;
	uint64_t slot = swap_entry_slot(mm->layout, entry);
	if (swap->counts[slot] == 1 && swap->frames[slot] == 0)
		policy_forget(mm->group->policy, swap->keys[slot]);
	mm->swapped--;
	swap_put(mm->kernel, slot);
}

static void zap(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	struct gather *gather = self;
	table_set(mm, va, entry_pa, (struct pte){0});
	if (entry_is_swap(entry)) {
		forget_swap(mm, entry);
		return;
	}
	changed_add(mm, &gather->changed, va, entry);
	struct kernel *kernel = mm->kernel;
	struct pfn frame = pfn(pte_frame(entry));
	const struct frame *record = frame_at(kernel->frames, frame);
	struct pfn head = folio_head(record, frame);
	if (pte_page_size(entry) && thp_is_transparent(record))
		table_free_deposit(mm, entry_pa);
	bool nobodys = page_release(mm, va, entry);
	if (nobodys)
		gather_frame(kernel->frames, gather, head);
	else if (frame_is_in_folio(record))
		gather_torn(kernel, gather, head);
}

/* CONFIG_PT_RECLAIM: tables whose whole range is dropped go, too. */
static void gather_tables(struct mm *mm, struct gather *gather, struct vaddr start, struct vaddr end)
{
	uint64_t span = (uint64_t)1 << layout_level_shift(mm->layout, 2);
	struct pfn table;
	for (struct vaddr at = vaddr(align_up(start.v, span)); at.v + span <= end.v; at.v += span) {
		if (!table_take_empty(mm, at, &table))
			continue;
		gather_frame(mm->kernel->frames, gather, table);
		changed_add(mm, &gather->changed, at, (struct pte){0});
		changed_add(mm, &gather->changed, vaddr(at.v + span - PAGE_BYTES), (struct pte){0});
	}
}

static void zap_range(struct mm *mm, struct vaddr start, struct vaddr end, bool tables)
{
	struct gather gather = {.changed = {.pages = 0}};
	thp_split_ends(mm, start, end, "a part of it is unmapped");
	table_for_each(mm, start, end, zap, &gather);
	gather_torn(mm->kernel, &gather, pfn(0));
	if (tables)
		gather_tables(mm, &gather, start, end);
	changed_flush(mm, &gather.changed);
	free_gathered(mm->kernel, &gather);
}

void page_zap_range(struct mm *mm, struct vaddr start, struct vaddr end)
{
	zap_range(mm, start, end, false);
}

void page_drop_range(struct mm *mm, struct vaddr start, struct vaddr end)
{
	zap_range(mm, start, end, true);
}

/* Nobody else has what the entry maps, of a huge page no part of it. */
static bool is_ours(const struct kernel *kernel, struct pte entry)
{
	struct pfn frame = pfn(pte_frame(entry));
	const struct frame *record = frame_peek(kernel->frames, frame);
	return pte_page_size(entry) && frame_is_in_folio(record) ? folio_is_exclusive(kernel, frame)
								 : page_is_exclusive(kernel, record);
}

/* MADV_FREE: the page keeps its content until memory runs short; a write makes it dirty again, without a fault. */
static void make_clean(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	if (entry_is_swap(entry)) {
		table_set(mm, va, entry_pa, (struct pte){0});
		forget_swap(mm, entry);
		return;
	}
	struct pfn frame = pfn(pte_frame(entry));
	struct frame *record = frame_at(mm->kernel->frames, frame);
	if (record->use == FRAME_ZERO || !is_ours(mm->kernel, entry))
		return;
	if (record->swap != 0)
		swap_cache_remove(mm->kernel, frame);
	struct frame *whole = folio_record(mm->kernel->frames, frame);
	whole->dirty = false;
	whole->lazy = true;
	table_set(mm, va, entry_pa, (struct pte){entry.word & ~(uint64_t)(PTE_DIRTY | PTE_ACCESSED)});
	changed_add(mm, self, va, entry);
}

void page_clean_range(struct mm *mm, struct vaddr start, struct vaddr end)
{
	struct changed changed = {.pages = 0};
	thp_split_parts(mm, start, end, "a part of it is freed");
	table_for_each(mm, start, end, make_clean, &changed);
	changed_flush(mm, &changed);
}

struct protect {
	const struct vma *vma;
	struct changed changed;
};

/* change_pte_range: a frame of our own becomes writable at once, the zero page and a file's page by the next write. */
static void protect(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	struct protect *job = self;
	struct pfn frame = pfn(pte_frame(entry));
	if (entry_is_swap(entry))
		return; /* it will come back with the rights that the VMA has then */
	const struct frame *record = frame_at(mm->kernel->frames, frame);
	bool ours = record->use == FRAME_ANON && is_ours(mm->kernel, entry);
	bool shared = (job->vma->flags & VMA_SHARED) && (pte_dirty(entry) || page_shares_writes(job->vma));
	struct pte wanted = page_entry(mm, job->vma, frame, ours || shared);
	const uint64_t kept = PTE_DIRTY | PTE_ACCESSED | PTE_PAGE_SIZE;
	wanted.word = (wanted.word & ~kept) | (entry.word & kept);
	if (wanted.word == entry.word)
		return;
	table_set(mm, va, entry_pa, wanted);
	changed_add(mm, &job->changed, va, entry);
}

void page_protect_range(struct mm *mm, const struct vma *vma, struct vaddr start, struct vaddr end)
{
	struct protect job = {.vma = vma};
	thp_split_ends(mm, start, end, "a part of it is protected");
	table_for_each(mm, start, end, protect, &job);
	changed_flush(mm, &job.changed);
}

struct move {
	uint64_t delta; /* to - from, modulo 2^64 */
	struct changed changed;
};

/* move_huge_pmd: the table behind the page moves along. */
static void move_huge(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, struct vaddr to)
{
	struct paddr to_pa;
	struct pfn head = pfn(pte_frame(entry));
	bool made = table_huge_entry(mm, to, true, &to_pa);
	BUG_ON(!made); /* as below */
	table_deposit_again(mm, to_pa, table_withdraw(mm, entry_pa));
	table_set(mm, va, entry_pa, (struct pte){0});
	table_set(mm, to, to_pa, entry);
	for (uint64_t i = 0; i < FOLIO_FRAMES && frame_at(mm->kernel->frames, head)->use == FRAME_ANON; i++)
		rmap_move(mm, pfn(head.v + i), vaddr_add(va, i * PAGE_BYTES), vaddr_add(to, i * PAGE_BYTES));
}

static void move(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	struct move *job = self;
	struct vaddr to = vaddr_add(va, job->delta);
	struct paddr to_pa;
	if (pte_page_size(entry)) {
		move_huge(mm, va, entry_pa, entry, to);
		changed_add(mm, &job->changed, va, entry);
		return;
	}
	bool made = table_entry(mm, to, true, &to_pa);
	BUG_ON(!made); /* page_move_range made the tables first */
	table_set(mm, va, entry_pa, (struct pte){0});
	table_set(mm, to, to_pa, entry);
	if (entry_is_swap(entry))
		return;
	struct pfn frame = pfn(pte_frame(entry));
	if (frame_at(mm->kernel->frames, frame)->use == FRAME_ANON)
		rmap_move(mm, frame, va, to);
	changed_add(mm, &job->changed, va, entry);
}

static void make_target_table(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	struct move *job = self;
	struct vaddr to = vaddr_add(va, job->delta);
	struct paddr to_pa;
	/* A huge page moves as one if it finds an empty entry for one. */
	if (pte_page_size(entry) && to.v % huge_bytes(mm) == 0 && table_huge_entry(mm, to, true, &to_pa) &&
	    !entry_used(entry_load(mm->kernel, to_pa)))
		return;
	if (pte_page_size(entry))
		thp_split_entry(mm, va, entry_pa, "a part of it moves");
	bool made = table_entry(mm, to, true, &to_pa);
	if (made && pte_page_size(entry)) /* to.v may lie in two tables */
		made = table_entry(mm, vaddr_add(to, huge_bytes(mm) - PAGE_BYTES), true, &to_pa);
	if (!made)
		job->changed.pages++;
}

/* move_page_tables: where there is a table there will be one, also when nothing in it moves. */
static void make_tables_alike(struct mm *mm, struct vaddr from, struct vaddr end, struct move *job)
{
	const uint64_t span = (uint64_t)1 << layout_level_shift(mm->layout, 2);
	for (struct vaddr va = from, to; va.v < end.v;) {
		struct paddr entry_pa;
		to = vaddr_add(va, job->delta);
		struct pte entry = {0};
		if (table_huge_entry(mm, vaddr(align_down(va.v, span)), false, &entry_pa))
			entry = entry_load(mm->kernel, entry_pa);
		if (entry_used(entry) && !pte_page_size(entry) && !table_entry(mm, to, true, &entry_pa))
			job->changed.pages++;
		uint64_t left = span - va.v % span, room = span - to.v % span;
		va = vaddr_add(va, left < room ? left : room);
	}
}

bool page_move_range(struct mm *mm, struct vaddr from, struct vaddr to, uint64_t bytes)
{
	struct move job = {.delta = to.v - from.v};
	struct vaddr end = vaddr_add(from, bytes);
	thp_split_ends(mm, from, end, "a part of it moves");
	make_tables_alike(mm, from, end, &job);
	table_for_each(mm, from, end, make_target_table, &job);
	if (job.changed.pages != 0) {
		table_prune(mm, to, vaddr_add(to, bytes));
		return false;
	}
	table_for_each(mm, from, end, move, &job);
	changed_flush(mm, &job.changed);
	return true;
}

/* ---- pages of a file that cease to be ---- */

struct removal {
	const struct file *file;
	uint64_t first, end;
};

static void zap_in(struct mm *mm, const struct removal *removal)
{
	for (const struct vma *vma = mm->vmas.first; vma; vma = vma->next) {
		uint64_t below = vma->pgoff, above = vma->pgoff + vma_bytes(vma) / PAGE_BYTES;
		if (vma->file != removal->file || above <= removal->first || below >= removal->end)
			continue;
		uint64_t from = removal->first > below ? removal->first : below;
		uint64_t to = removal->end < above ? removal->end : above;
		page_zap_range(mm, vaddr_add(vma->start, (from - below) * PAGE_BYTES),
			       vaddr_add(vma->start, (to - below) * PAGE_BYTES));
	}
}

void page_remove_range(struct mm *mm, struct file *file, uint64_t first, uint64_t end)
{
	struct kernel *kernel = mm->kernel;
	const struct removal removal = {file, first, end};
	for (unsigned i = 0; i < kernel->process_count; i++) {
		if (kernel->spaces[i])
			zap_in(kernel->spaces[i], &removal);
	}
	file_truncate(kernel, file, first, end);
}

struct hole {
	struct kernel *kernel;
	uint64_t first, end;
};

static void unmap_cached(void *self, uint64_t index, struct pfn frame)
{
	const struct hole *hole = self;
	if (index >= hole->first && index < hole->end && !evict_unmap(hole->kernel, frame))
		BUG();
}

void page_punch_hole(struct kernel *kernel, struct file *file, uint64_t first, uint64_t end)
{
	struct hole hole = {kernel, first, end};
	file_for_each(file, unmap_cached, &hole);
	file_truncate(kernel, file, first, end);
	file_erase(kernel, file, first, end);
}
