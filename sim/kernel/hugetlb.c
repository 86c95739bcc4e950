#include "hugetlb.h"

#include "page.h"

static bool has_pool(const struct kernel *kernel)
{
	return kernel->hugetlb.total > 0;
}

static void put(struct kernel *kernel, struct pfn page)
{
	frame_at(kernel->frames, page)->next = kernel->hugetlb.first;
	kernel->hugetlb.first = (uint32_t)page.v;
	kernel->hugetlb.free++;
}

void hugetlb_fill(struct kernel *kernel, uint64_t pages)
{
	struct pfn page;
	while (kernel->hugetlb.total < pages &&
	       frame_take(kernel->frames, kernel->layout->huge_order, FRAME_HUGETLB, &page)) {
		put(kernel, page);
		kernel->hugetlb.total++;
	}
}

bool hugetlb_may_reserve(const struct kernel *kernel, uint64_t pages)
{
	return kernel->hugetlb.free - kernel->hugetlb.reserved >= pages;
}

void hugetlb_reserve(struct kernel *kernel, uint64_t pages)
{
	kernel->hugetlb.reserved += pages;
}

void hugetlb_unreserve(struct kernel *kernel, uint64_t pages)
{
	BUG_ON(kernel->hugetlb.reserved < pages);
	kernel->hugetlb.reserved -= pages;
}

/* alloc_hugetlb_folio: `promised` pages are there; others only if nobody has been promised the last ones. */
static bool take(struct kernel *kernel, bool promised, struct pfn *page)
{
	struct hugetlb *pool = &kernel->hugetlb;
	if (!has_pool(kernel))
		return frame_take(kernel->frames, kernel->layout->huge_order, FRAME_HUGETLB, page);
	if (!promised && pool->free == pool->reserved)
		return false;
	pool->reserved -= promised;
	*page = pfn(pool->first);
	pool->first = frame_at(kernel->frames, *page)->next;
	pool->free--;
	return true;
}

void hugetlb_free(struct kernel *kernel, struct pfn page)
{
	if (has_pool(kernel))
		put(kernel, page);
	else
		frame_put(kernel->frames, page);
}

bool hugetlb_release(struct mm *mm, struct vaddr va, struct pfn page)
{
	mm->hugetlb -= huge_bytes(mm) / PAGE_BYTES;
	rmap_remove(mm, page, va);
	return frame_at(mm->kernel->frames, page)->mappings == 0;
}

/* ---- faults ---- */

struct huge_fault {
	struct mm *mm;
	struct vma *vma;
	struct vaddr start;
	struct paddr entry_pa;
};

static void map(const struct huge_fault *fault, struct pfn page)
{
	struct mm *mm = fault->mm;
	const uint64_t pages = huge_bytes(mm) / PAGE_BYTES;
	rmap_add(mm, page, fault->start);
	mm->process->stats.frames_taken += pages;
	mm->hugetlb += pages;
	struct pte entry = page_entry(mm, fault->vma, page, true);
	table_set(mm, fault->start, fault->entry_pa, (struct pte){entry.word | PTE_DIRTY});
}

static enum fault_cause out_of_pages(const struct kernel *kernel)
{
	return has_pool(kernel) ? FAULT_CAUSE_NO_HUGE_PAGE : FAULT_CAUSE_OUT_OF_MEMORY;
}

/* hugetlb_no_page */
static enum fault_cause fault_missing(const struct huge_fault *fault)
{
	struct kernel *kernel = fault->mm->kernel;
	const uint64_t pages = huge_bytes(fault->mm) / PAGE_BYTES;
	struct pfn page;
	if (!take(kernel, fault->vma->reserves, &page))
		return out_of_pages(kernel);
	for (uint64_t i = 0; i < pages; i++)
		physmem_zero(kernel->mem, pfn(page.v + i));
	machine_charge(kernel->machine, COST_ZERO_PAGE, pages);
	map(fault, page);
	return FAULT_CAUSE_DEMAND_ZERO;
}

static bool unmap_others(const struct rmap_entry *found, void *self)
{
	const struct mm *own = self;
	struct mm *mm = found->mm;
	if (mm == own)
		return true;
	table_set(mm, found->va, found->entry_pa, (struct pte){0});
	flush_huge_range(mm, found->va, vaddr_add(found->va, huge_bytes(mm)));
	(void)page_release(mm, found->va, found->entry); /* the owner has it, too */
	return true;
}

/* hugetlb_wp: the owner of a reservation takes the page from its children if there is none for a copy. */
static enum fault_cause fault_protected(const struct huge_fault *fault, struct pte entry)
{
	struct mm *mm = fault->mm;
	struct kernel *kernel = mm->kernel;
	const uint64_t pages = huge_bytes(mm) / PAGE_BYTES;
	struct pfn from = pfn(pte_frame(entry)), to;
	const struct frame *record = frame_at(kernel->frames, from);
	bool copies = record->mappings > 1 && take(kernel, false, &to);
	if (record->mappings > 1 && !copies && fault->vma->reserves)
		(void)rmap_for_each(kernel, from, unmap_others, mm);
	if (record->mappings > 1 && !copies)
		return out_of_pages(kernel);
	if (!copies) {
		struct pte own = page_entry(mm, fault->vma, from, true);
		table_set(mm, fault->start, fault->entry_pa, (struct pte){own.word | PTE_DIRTY});
		return FAULT_CAUSE_REUSE;
	}
	for (uint64_t i = 0; i < pages; i++)
		physmem_copy(kernel->mem, pfn(to.v + i), pfn(from.v + i));
	machine_charge(kernel->machine, COST_COPY_PAGE, pages);
	(void)page_release(mm, fault->start, entry); /* others have it */
	map(fault, to);
	flush_huge_range(mm, fault->start, vaddr_add(fault->start, huge_bytes(mm)));
	return FAULT_CAUSE_COW;
}

enum fault_cause hugetlb_fault(struct mm *mm, struct vma *vma, struct vaddr va, bool write)
{
	struct huge_fault fault = {.mm = mm, .vma = vma, .start = vaddr(align_down(va.v, huge_bytes(mm)))};
	if (!table_huge_entry(mm, fault.start, true, &fault.entry_pa))
		return FAULT_CAUSE_OUT_OF_MEMORY;
	struct pte entry = entry_load(mm->kernel, fault.entry_pa);
	if (!entry_used(entry))
		return fault_missing(&fault);
	return write && !pte_writable(entry) ? fault_protected(&fault, entry) : FAULT_CAUSE_SPURIOUS;
}

/* ---- fork ---- */

bool hugetlb_copy(struct mm *child, struct mm *parent, struct vaddr va, struct paddr entry_pa, struct pte entry)
{
	struct paddr child_pa;
	const struct vma *vma = vma_tree_find(&parent->vmas, va);
	struct pte shared = {vma->flags & VMA_SHARED ? entry.word : entry.word & ~PTE_WRITABLE};
	if (!table_huge_entry(child, va, true, &child_pa))
		return false;
	rmap_add(child, pfn(pte_frame(entry)), va);
	child->hugetlb += huge_bytes(child) / PAGE_BYTES;
	if (shared.word != entry.word)
		table_set(parent, va, entry_pa, shared);
	table_set(child, va, child_pa, (struct pte){shared.word & ~PTE_ACCESSED});
	return true;
}

bool hugetlb_check(const struct kernel *kernel, const char **why)
{
	const struct hugetlb *pool = &kernel->hugetlb;
	uint64_t free = 0, promised = 0;
	for (uint32_t i = pool->first; i != 0; i = frame_peek(kernel->frames, pfn(i))->next)
		free++;
	for (unsigned i = 0; i < kernel->process_count; i++) {
		const struct mm *mm = kernel->processes[i]->mm;
		for (const struct vma *vma = mm ? mm->vmas.first : NULL; vma; vma = vma->next) {
			for (struct vaddr va = vma->start; vma->reserves && va.v < vma->end.v; va.v += huge_bytes(mm))
				promised += !entry_used(table_get(mm, va));
		}
	}
	if (free != pool->free || promised != pool->reserved || pool->reserved > pool->free)
		*why = "hugetlb: free or promised pages are miscounted";
	return *why == NULL;
}
