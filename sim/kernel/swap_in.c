/* A fault on an entry that leads to swap: do_swap_page of mm/memory.c. */
#include "page.h"
#include "reclaim.h"

/* should_try_to_free_swap: the slot of a page that is back is not worth keeping when swap gets full, when the page will
 * be written anyway, or when it will not be swapped out again. */
static bool gives_slot_back(const struct kernel *kernel, const struct vma *vma, bool write)
{
	return write || swap_is_half_full(&kernel->swap) || (vma->flags & VMA_LOCKED) ||
	       kernel->swap.device.kind->by_cpu;
}

/* The entry leads to the frame again, and one fewer to the slot. */
static void map_again(struct mm *mm, const struct vma *vma, struct vaddr va, struct paddr entry_pa, struct pfn frame,
		      bool write)
{
	struct kernel *kernel = mm->kernel;
	struct frame *record = frame_at(kernel->frames, frame);
	uint64_t slot = record->swap;
	rmap_add(mm, frame, va); /* before the slot loses its entry: the frame is somebody's */
	mm->swapped--;
	swap_put(kernel, slot);
	page_count_resident(mm, RSS_ANON, 1);
	bool ours = page_is_exclusive(kernel, record);
	struct pte entry = page_entry(mm, vma, frame, write && ours);
	if (write && ours)
		entry.word |= PTE_DIRTY;
	table_set(mm, va, entry_pa, entry);
	if (ours && gives_slot_back(kernel, vma, write)) {
		swap_cache_remove(kernel, frame);
		record->dirty = true; /* its only copy */
	}
}

enum fault_cause page_swap_in(struct mm *mm, struct vma *vma, struct vaddr va, struct paddr entry_pa, bool write)
{
	struct kernel *kernel = mm->kernel;
	uint64_t slot = swap_entry_slot(mm->layout, entry_load(kernel, entry_pa));
	struct pfn frame = swap_cache_find(kernel, slot);
	enum fault_cause cause = FAULT_CAUSE_SWAP_CACHE;
	if (frame.v == 0) {
		cause = FAULT_CAUSE_SWAP_IN;
		if (!swap_read(kernel, mm, vma, va, slot, &frame))
			return FAULT_CAUSE_OUT_OF_MEMORY;
	}
	map_again(mm, vma, va, entry_pa, frame, write);
	if (write && !pte_writable(entry_load(kernel, entry_pa)) &&
	    page_fault_protected(mm, vma, va, entry_pa) == FAULT_CAUSE_OUT_OF_MEMORY)
		return FAULT_CAUSE_OUT_OF_MEMORY;
	return cause;
}
