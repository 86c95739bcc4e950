/* What the page tables of an address space must obey: one sweep over all of them. */
#include "kernel_private.h"

/* Counts of one sweep over the tables of an address space. */
struct sweep {
	uint64_t resident, hugetlb, zero, huge, huge_zero, tables, swapped;
	const char *why;
};

static void check_swap_entry(const struct mm *mm, struct pte entry, uint64_t va, struct sweep *sweep)
{
	const struct swap *swap = &mm->kernel->swap;
	uint64_t slot = swap_entry_slot(mm->layout, entry);
	const struct vma *vma = vma_tree_after(&mm->vmas, vaddr(va));
	if (!vma || vma->start.v > va)
		sweep->why = "an entry that leads to swap lies outside every VMA";
	else if (slot == 0 || slot >= swap->slots || swap->counts[slot] == 0)
		sweep->why = "an entry leads to a slot of swap that is free";
	sweep->swapped++;
}

/* What an entry of anonymous frames must obey, NULL: it does. */
static const char *check_anon(const struct mm *mm, struct pte entry, uint64_t va)
{
	const char *why = NULL;
	for (uint64_t i = 0; i < leaf_bytes(mm, entry) / PAGE_BYTES; i++) {
		struct pfn frame = pfn(pte_frame(entry) + i);
		if (!rmap_has(mm->kernel, frame, mm->id, (va >> PAGE_SHIFT) + i))
			why = "a frame's reverse mapping does not know an entry that points at it";
		else if (pte_writable(entry) && !page_is_exclusive(mm->kernel, frame_peek(mm->kernel->frames, frame)))
			why = "an anonymous page is writable though others have it, too";
	}
	return why;
}

/* A huge page lies within its VMA, and a part of a block is not mapped as one. */
static const char *check_huge(const struct vma *vma, const struct frame *record, uint64_t va, uint64_t span)
{
	if (va + span > vma->end.v)
		return "a huge page reaches beyond its VMA";
	if (!record->block_start || PAGE_BYTES << record->order != span)
		return "an entry maps as a huge page what is none of its size";
	return NULL;
}

static void check_leaf(const struct mm *mm, struct pte entry, uint64_t va, uint64_t span, struct sweep *sweep)
{
	if (entry_is_swap(entry)) {
		check_swap_entry(mm, entry, va, sweep);
		return;
	}
	struct pfn frame = pfn(pte_frame(entry));
	const struct vma *vma = vma_tree_after(&mm->vmas, vaddr(va));
	const struct frame *record = frame_peek(mm->kernel->frames, frame);
	if (!vma || vma->start.v > va)
		sweep->why = "a present entry lies outside every VMA";
	else if (pte_writable(entry) && !(vma->flags & VMA_WRITE))
		sweep->why = "a writable entry lies in a VMA without write permission";
	else if (!record || record->use == FRAME_FREE)
		sweep->why = "a present entry points at a free frame";
	else if (record->use == FRAME_ZERO && pte_writable(entry))
		sweep->why = "the zero page is mapped writable";
	else if (record->use == FRAME_ANON && check_anon(mm, entry, va))
		sweep->why = check_anon(mm, entry, va);
	else if (pte_page_size(entry) && check_huge(vma, record, va, span))
		sweep->why = check_huge(vma, record, va, span);
	else if ((record->use == FRAME_IMAGE || record->use == FRAME_SHMEM) && pte_writable(entry) &&
		 !(vma->flags & VMA_SHARED))
		sweep->why = "a page of a file is writable in a private mapping";
	else if (record->use == FRAME_FILE && pte_writable(entry) && !record->dirty)
		sweep->why = "a clean page of a file can be written without notice";
	sweep->huge += pte_page_size(entry) && record && frame_is_in_folio(record);
	if (frame.v == mm->kernel->zero_page.v)
		sweep->zero++;
	else if (frame.v == mm->kernel->thp.zero.v)
		sweep->huge_zero++;
	else if (record && record->use == FRAME_HUGETLB)
		sweep->hugetlb += span / PAGE_BYTES;
	else
		sweep->resident += span / PAGE_BYTES;
}

static bool is_transparent(const struct mm *mm, struct pte entry)
{
	return pte_page_size(entry) && thp_is_transparent(frame_peek(mm->kernel->frames, pfn(pte_frame(entry))));
}

static uint32_t count_deposited(const struct mm *mm, struct paddr directory)
{
	const struct frame_pool *frames = mm->kernel->frames;
	uint32_t count = 0;
	for (uint32_t i = frame_peek(frames, paddr_to_pfn(directory))->next; i != 0;
	     i = frame_peek(frames, pfn(i))->next)
		count++;
	return count;
}

static void sweep_table(const struct mm *mm, struct paddr table, uint64_t base, unsigned level, struct sweep *sweep)
{
	uint64_t span = (uint64_t)1 << layout_level_shift(mm->layout, level);
	uint32_t present = 0, deposits = 0;
	for (unsigned i = 0; i < layout_entries(mm->layout, level); i++) {
		struct pte entry = entry_load(mm->kernel, entry_at(mm->kernel, table, i));
		if (!entry_used(entry))
			continue;
		present++;
		deposits += level == 2 && is_transparent(mm, entry);
		if (level == 1 || pte_page_size(entry))
			check_leaf(mm, entry, base + i * span, span, sweep);
		else
			sweep_table(mm, pfn_to_paddr(pfn(pte_frame(entry))), base + i * span, level - 1, sweep);
	}
	sweep->tables += 1 + deposits;
	if (level == 2 && count_deposited(mm, table) != deposits)
		sweep->why = "the tables kept back are not as many as the huge pages";
	if (frame_peek(mm->kernel->frames, paddr_to_pfn(table))->mappings != present)
		sweep->why = "a table's count of entries is wrong";
}

bool table_check(const struct mm *mm, const char **why)
{
	struct sweep sweep = {.why = NULL};
	sweep_table(mm, pfn_to_paddr(mm->root), 0, mm->layout->levels, &sweep);
	if (!sweep.why && sweep.resident != mm_resident(mm))
		sweep.why = "the resident count is not what the tables hold";
	if (!sweep.why && sweep.hugetlb != mm->hugetlb)
		sweep.why = "the count of pages of hugetlb is not what the tables hold";
	if (!sweep.why && sweep.zero != mm->zero)
		sweep.why = "the count of zero pages is not what the tables hold";
	if (!sweep.why && (sweep.huge != mm->huge || sweep.huge_zero != mm->huge_zero))
		sweep.why = "the count of huge pages is not what the tables hold";
	if (!sweep.why && sweep.swapped != mm->swapped)
		sweep.why = "the count of swapped pages is not what the tables hold";
	if (!sweep.why && sweep.tables != mm->tables)
		sweep.why = "the count of page tables is not what the tables hold";
	*why = sweep.why;
	return sweep.why == NULL;
}
