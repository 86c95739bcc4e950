/* A page leaves RAM: shrink_folio_list of mm/vmscan.c, try_to_unmap of mm/rmap.c. */
#include "page.h"
#include "reclaim.h"

/* What a look at all entries of a page finds. */
struct look {
	bool locked, dirty;
	uint32_t pid; /* of one that maps it, for the event */
	struct vaddr va;
};

static bool look_at(const struct rmap_entry *found, void *self)
{
	struct look *look = self;
	look->locked = look->locked || (found->vma->flags & VMA_LOCKED);
	look->dirty = look->dirty || pte_dirty(found->entry);
	look->pid = found->mm->owner->pid;
	look->va = found->va;
	return true;
}

struct unmap {
	struct pfn frame;
	uint64_t slot; /* the entries lead there from now on; 0: nowhere */
};

static bool unmap_one(const struct rmap_entry *found, void *self)
{
	const struct unmap *job = self;
	struct mm *mm = found->mm;
	struct kernel *kernel = mm->kernel;
	struct pte entry = {0};
	if (job->slot != 0) {
		entry = swap_entry(mm->layout, job->slot);
		swap_get(kernel, job->slot);
		mm->swapped++;
	}
	BUG_ON(pte_page_size(found->entry)); /* a huge page is split first */
	table_set(mm, found->va, found->entry_pa, entry);
	machine_charge(kernel->machine, COST_UNMAP_PAGE, 1);
	flush_range(mm, found->va, vaddr_add(found->va, PAGE_BYTES), PAGE_BYTES);
	(void)page_release(mm, found->va, found->entry); /* the caller frees it */
	return true;
}

/* False: an entry could not be found; nobody may lose a page that somebody still maps. */
static bool unmap_all(struct kernel *kernel, struct pfn frame, uint64_t slot)
{
	struct unmap job = {frame, slot};
	(void)rmap_for_each(kernel, frame, unmap_one, &job);
	return frame_at(kernel->frames, frame)->mappings == 0;
}

bool evict_unmap(struct kernel *kernel, struct pfn frame)
{
	return unmap_all(kernel, frame, 0);
}

static void tell(struct kernel *kernel, struct pfn frame, const struct look *look, const char *how)
{
	const struct frame *record = frame_at(kernel->frames, frame);
	emit(kernel->bus, EVENT_EVICT, frame.v, event_text(frame_use_name((enum frame_use)record->use)), look->pid,
	     look->va.v, event_text(how));
}

/* ---- one kind after the other ---- */

static bool add_to_swap(struct kernel *kernel, struct pfn frame)
{
	uint64_t slot;
	if (!swap_slot_take(kernel, &slot))
		return false;
	swap_cache_add(kernel, frame, slot);
	frame_at(kernel->frames, frame)->dirty = true;
	return true;
}

static bool evict_anon(struct kernel *kernel, struct pfn frame, const struct look *look)
{
	struct frame *record = frame_at(kernel->frames, frame);
	bool is_lazyfree = record->lazy && !record->dirty && !look->dirty && record->swap == 0;
	if (!is_lazyfree && record->swap == 0 && !add_to_swap(kernel, frame))
		return false;
	uint64_t slot = record->swap;
	if (!is_lazyfree && record->mappings > 0)
		kernel->swap.keys[slot] = replace_key(kernel, frame);
	if (!unmap_all(kernel, frame, slot))
		return false;
	bool write = record->dirty && !is_lazyfree;
	tell(kernel, frame, look,
	     is_lazyfree ? "dropped after MADV_FREE"
	     : write     ? "written to swap"
			 : "dropped, its slot in swap is up to date");
	if (write) {
		emit(kernel->bus, EVENT_SWAP_OUT, frame.v, slot, look->pid, look->va.v);
		swap_write(kernel, frame, slot);
	}
	page_free(kernel, frame);
	return true;
}

/* Shared memory keeps the slot in the file. */
static bool evict_shmem(struct kernel *kernel, struct pfn frame, const struct look *look)
{
	struct frame *record = frame_at(kernel->frames, frame);
	struct file *file = record->file;
	uint64_t index = record->vpn, slot = 0;
	bool write = record->dirty || look->dirty;
	if ((write && !swap_slot_take(kernel, &slot)))
		return false;
	if (!unmap_all(kernel, frame, 0))
		BUG();
	tell(kernel, frame, look, write ? "written to swap" : "dropped, it was never written");
	if (write) {
		emit(kernel->bus, EVENT_SWAP_OUT, frame.v, slot, look->pid, look->va.v);
		swap_write(kernel, frame, slot);
		file_swap_out(kernel, file, index, slot);
	} else {
		file_truncate(kernel, file, index, index + 1);
	}
	return true;
}

static bool evict_file(struct kernel *kernel, struct pfn frame, const struct look *look)
{
	struct frame *record = frame_at(kernel->frames, frame);
	struct file *file = record->file;
	uint64_t index = record->vpn;
	if (!unmap_all(kernel, frame, 0))
		BUG();
	bool write = record->dirty;
	tell(kernel, frame, look, write ? "written to its file" : "dropped, its file has it");
	if (write)
		file_write_back(kernel, file, index);
	file_truncate(kernel, file, index, index + 1);
	return true;
}

static bool evict_page(struct kernel *kernel, struct pfn frame)
{
	struct look look = {.pid = 0};
	const struct frame *record = frame_at(kernel->frames, frame);
	(void)rmap_for_each(kernel, frame, look_at, &look);
	if (look.locked)
		return false;
	switch ((enum frame_use)record->use) {
	case FRAME_ANON:
		return evict_anon(kernel, frame, &look);
	case FRAME_SHMEM:
		return evict_shmem(kernel, frame, &look);
	case FRAME_IMAGE:
	case FRAME_FILE:
		return evict_file(kernel, frame, &look);
	case FRAME_FREE:
	case FRAME_KERNEL:
	case FRAME_TABLE:
	case FRAME_ZERO:
	case FRAME_HUGETLB:
	case FRAME_USE_COUNT:
		break;
	}
	BUG();
}

/* shrink_folio_list: the pages of a folio that was split are next on its list. */
static uint64_t evict_folio(struct kernel *kernel, struct pfn head)
{
	struct look look = {.pid = 0};
	(void)rmap_for_each(kernel, head, look_at, &look);
	if (look.locked)
		return 0;
	kernel->vm.thp_swpout_fallback++;
	uint64_t freed = thp_split_page(kernel, head, "it is to be swapped out");
	for (uint64_t i = head.v; i < head.v + FOLIO_FRAMES; i++) {
		if (frame_at(kernel->frames, pfn(i))->use == FRAME_ANON)
			freed += evict_page(kernel, pfn(i));
	}
	return freed;
}

uint64_t evict(struct kernel *kernel, struct pfn frame)
{
	return frame_is_in_folio(frame_at(kernel->frames, frame)) ? evict_folio(kernel, frame)
								  : evict_page(kernel, frame);
}

/* madvise_cold_or_pageout_pte_range. A program's image belongs to root, and is not asked for: can_do_file_pageout. */
void evict_range(struct mm *mm, const struct vma *vma, struct vaddr start, struct vaddr end)
{
	struct kernel *kernel = mm->kernel;
	bool anon_only = vma->file && vma->file->image;
	thp_split_parts(mm, start, end, "a part is to be swapped out");
	for (struct vaddr va = start; va.v < end.v; va.v += PAGE_BYTES) {
		struct pte entry = table_get(mm, va);
		struct pfn frame = pfn(pte_frame(entry));
		if (!pte_present(entry) || frame_is_zero(kernel, frame))
			continue;
		const struct frame *record = frame_at(kernel->frames, frame);
		if (record->mappings != 1 || (anon_only && record->use != FRAME_ANON))
			continue;
		(void)evict(kernel, folio_head(record, frame));
	}
}

/* What all frames of the page say. */
static struct look look_at_all(struct kernel *kernel, struct pfn frame)
{
	struct look look = {.pid = 0};
	uint64_t pages = (uint64_t)1 << frame_at(kernel->frames, frame)->order;
	for (uint64_t i = frame.v; i < frame.v + pages; i++)
		(void)rmap_for_each(kernel, pfn(i), look_at, &look);
	look.dirty = look.dirty || frame_is_dirty(kernel->frames, frame);
	return look;
}

bool page_is_dirty(struct kernel *kernel, struct pfn frame)
{
	return frame_at(kernel->frames, frame)->dirty || look_at_all(kernel, frame).dirty;
}

bool page_may_go(struct kernel *kernel, struct pfn frame)
{
	const struct look look = look_at_all(kernel, frame);
	const struct frame *record = frame_at(kernel->frames, frame);
	bool needs_slot = record->use == FRAME_SHMEM || (record->use == FRAME_ANON && record->swap == 0);
	bool is_full = kernel->swap.used >= swap_total(&kernel->swap);
	return !look.locked && !(needs_slot && is_full && look.dirty);
}

/* The flush makes the next use of the page visible, which an entry in a TLB would hide. Linux does without it on x86:
 * ptep_clear_flush_young of arch/x86/mm/pgtable.c. */
static bool forget_use(const struct rmap_entry *found, void *self)
{
	bool *used = self;
	struct mm *mm = found->mm;
	if (!pte_accessed(found->entry))
		return true;
	*used = true;
	uint64_t bytes = leaf_bytes(mm, found->entry);
	struct vaddr start = vaddr(align_down(found->va.v, bytes));
	table_set(mm, start, found->entry_pa, (struct pte){found->entry.word & ~PTE_ACCESSED});
	flush_range(mm, start, vaddr_add(start, bytes), bytes);
	return true;
}

bool page_was_used(struct kernel *kernel, struct pfn frame)
{
	bool used = false;
	uint64_t pages = (uint64_t)1 << frame_at(kernel->frames, frame)->order;
	for (uint64_t i = frame.v; i < frame.v + pages; i++)
		(void)rmap_for_each(kernel, pfn(i), forget_use, &used);
	return used;
}
