/* What stands behind the pages of an address space, counted. */
#include "faultline/pages.h"

#include "kernel_private.h"

static const struct {
	const char *name, *text;
	bool resident;
} states[] = {
#define X(id, name, resident, text) [PAGE_##id] = {#name, text, resident},
    PAGE_STATE_LIST(X)
#undef X
};

const char *page_state_name(enum page_state state)
{
	return states[state].name;
}

const char *page_state_text(enum page_state state)
{
	return states[state].text;
}

struct absent_entry kernel_absent_entry(const struct kernel *kernel, struct pte entry)
{
	if (pte_present(entry) || entry.word == 0)
		return (struct absent_entry){0};
	if (entry.word & PTE_PROT_NONE)
		return (struct absent_entry){.kept = true, .frame = {pte_frame(entry)}};
	return (struct absent_entry){.swapped = true, .slot = swap_entry_slot(kernel->layout, entry)};
}

struct count {
	const struct mm *mm;
	const struct vma *vma;
	uint64_t start, end;
	uint64_t *steps;
	struct census *out;
};

/* Private memory that may be written, but not through this entry: the first store makes a copy. */
static bool copies_on_write(const struct vma *vma, struct pte entry)
{
	return (vma->flags & VMA_WRITE) && !(vma->flags & VMA_SHARED) && !pte_writable(entry);
}

static enum page_state state_of(const struct count *count, struct pte entry)
{
	const struct kernel *kernel = count->mm->kernel;
	if (!entry_used(entry))
		return PAGE_ABSENT;
	if (!pte_present(entry) && !(entry.word & PTE_PROT_NONE))
		return PAGE_SWAPPED;
	const struct frame *frame = frame_peek(kernel->frames, pfn(pte_frame(entry)));
	if (frame && frame->use == FRAME_ZERO)
		return PAGE_ZERO;
	if (pte_page_size(entry))
		return frame && frame->use == FRAME_HUGETLB ? PAGE_HUGETLB : PAGE_HUGE;
	if (count->vma->flags & VMA_SHARED)
		return PAGE_SHARED;
	bool of_file = frame && frame->use != FRAME_ANON;
	if (copies_on_write(count->vma, entry) && (of_file || (frame && frame->mappings > 1)))
		return PAGE_COW;
	return of_file ? PAGE_FILE : PAGE_OWN;
}

/* All pages of the range that lie within [base, base + span). */
static void count_pages(const struct count *count, uint64_t base, uint64_t span, enum page_state state)
{
	uint64_t first = base > count->start ? base : count->start;
	uint64_t last = base + span < count->end ? base + span : count->end;
	uint64_t pages = (last - first) / PAGE_BYTES;
	count->out->seen += pages;
	count->out->count[state] += pages;
	count->out->resident += states[state].resident ? pages : 0;
}

/* False: the budget is spent. */
static bool count_table(const struct count *count, struct paddr table, uint64_t base, unsigned level)
{
	const struct mm *mm = count->mm;
	uint64_t span = (uint64_t)1 << layout_level_shift(mm->layout, level);
	unsigned entries = layout_entries(mm->layout, level);
	uint64_t first = count->start > base ? (count->start - base) / span : 0;
	for (uint64_t i = first; i < entries && base + i * span < count->end; i++) {
		struct pte entry = entry_load(mm->kernel, entry_at(mm->kernel, table, (unsigned)i));
		bool leaf = level == 1 || !entry_used(entry) || pte_page_size(entry);
		if (*count->steps == 0)
			return false;
		--*count->steps;
		if (leaf)
			count_pages(count, base + i * span, span, state_of(count, entry));
		else if (!count_table(count, pfn_to_paddr(pfn(pte_frame(entry))), base + i * span, level - 1))
			return false;
	}
	return true;
}

void census_take(const struct process *process, const struct vma *vma, struct vaddr start, struct vaddr end,
		 uint64_t *steps, struct census *out)
{
	*out = (struct census){.pages = (end.v - start.v) / PAGE_BYTES};
	if (!process->mm || start.v >= end.v)
		return;
	const struct count count = {process->mm, vma, start.v, end.v, steps, out};
	(void)count_table(&count, pfn_to_paddr(process->mm->root), 0, process->mm->layout->levels);
}
