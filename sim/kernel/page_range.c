/* Edits of all pages of a range at once, and the flush that must follow. See mm/memory.c, mm/mprotect.c, mm/mremap.c.
 */
#include "page.h"

/* First and last page that an edit of entries changed, for one flush at the end. */
struct changed {
	struct vaddr start, end;
	uint64_t pages;
};

static void changed_add(const struct mm *mm, struct changed *changed, struct vaddr va, struct pte entry)
{
	if (changed->pages++ == 0)
		changed->start = va;
	changed->end = vaddr_add(va, leaf_bytes(mm, entry));
}

static void changed_flush(struct mm *mm, const struct changed *changed)
{
	uint64_t span = (changed->end.v - changed->start.v) / PAGE_BYTES;
	flush_range(mm, changed->start, changed->end, changed->pages == 0 ? 0 : span);
}

/* mmu_gather: frames that lost their last entry wait, chained by their records, until no TLB can reach them. */
struct gather {
	struct changed changed;
	struct pfn first, last; /* 0: none */
};

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
	if (page_release(mm, va, entry))
		gather_frame(mm->kernel->frames, gather, pfn(pte_frame(entry)));
}

void page_zap_range(struct mm *mm, struct vaddr start, struct vaddr end)
{
	struct gather gather = {.changed = {.pages = 0}};
	table_for_each(mm, start, end, zap, &gather);
	changed_flush(mm, &gather.changed);
	free_gathered(mm->kernel, &gather);
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
	if (frame.v == mm->kernel->zero_page.v || !page_is_exclusive(mm->kernel, record))
		return;
	if (record->swap != 0)
		swap_cache_remove(mm->kernel, frame);
	record->dirty = false;
	table_set(mm, va, entry_pa, (struct pte){entry.word & ~(uint64_t)(PTE_DIRTY | PTE_ACCESSED)});
	changed_add(mm, self, va, entry);
}

void page_clean_range(struct mm *mm, struct vaddr start, struct vaddr end)
{
	struct changed changed = {.pages = 0};
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
	bool ours = record->use == FRAME_ANON && page_is_exclusive(mm->kernel, record);
	struct pte wanted = page_entry(mm, job->vma, frame, ours || (job->vma->flags & VMA_SHARED));
	const uint64_t kept = PTE_DIRTY | PTE_ACCESSED;
	wanted.word = (wanted.word & ~kept) | (entry.word & kept);
	if (wanted.word == entry.word)
		return;
	table_set(mm, va, entry_pa, wanted);
	changed_add(mm, &job->changed, va, entry);
}

void page_protect_range(struct mm *mm, const struct vma *vma, struct vaddr start, struct vaddr end)
{
	struct protect job = {.vma = vma};
	table_for_each(mm, start, end, protect, &job);
	changed_flush(mm, &job.changed);
}

struct move {
	uint64_t delta; /* to - from, modulo 2^64 */
	struct changed changed;
};

static void move(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	struct move *job = self;
	struct vaddr to = vaddr_add(va, job->delta);
	struct paddr to_pa;
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
	(void)entry_pa, (void)entry;
	struct move *job = self;
	struct paddr unused;
	if (!table_entry(mm, vaddr_add(va, job->delta), true, &unused))
		job->changed.pages++;
}

bool page_move_range(struct mm *mm, struct vaddr from, struct vaddr to, uint64_t bytes)
{
	struct move job = {.delta = to.v - from.v};
	struct vaddr end = vaddr_add(from, bytes);
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
		if (kernel->processes[i]->mm)
			zap_in(kernel->processes[i]->mm, &removal);
	}
	file_truncate(kernel, file, first, end);
}
