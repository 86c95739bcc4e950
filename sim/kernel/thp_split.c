/* A huge page becomes 512 small ones: first an entry that maps it, then the page itself. */
#include "page.h"

/* ---- an entry ---- */

/* What the small entries say: where the large one led, with its rights and bits. */
static void fill_table(struct mm *mm, struct pfn table, struct pte entry)
{
	const struct kernel *kernel = mm->kernel;
	bool zero = pte_frame(entry) == kernel->thp.zero.v;
	struct pte small = {entry.word & ~PTE_PAGE_SIZE};
	for (unsigned i = 0; i < FOLIO_FRAMES; i++) {
		uint64_t frame = zero ? kernel->zero_page.v : pte_frame(entry) + i;
		entry_store(mm->kernel, entry_at(kernel, pfn_to_paddr(table), i), pte_with_frame(small, frame));
	}
	machine_charge(kernel->machine, COST_PTE_UPDATE, FOLIO_FRAMES);
}

/* Afterwards the small zero page is mapped in place of the huge one; other frames are mapped as before. */
static void count_split(struct mm *mm, struct pte entry)
{
	struct kernel *kernel = mm->kernel;
	struct pfn head = pfn(pte_frame(entry));
	if (head.v != kernel->thp.zero.v) {
		folio_count_entire(kernel, head, false);
		mm->huge--;
		return;
	}
	(void)thp_unmap(mm, vaddr(0), entry);
	frame_at(kernel->frames, kernel->zero_page)->mappings += FOLIO_FRAMES;
	mm->zero += FOLIO_FRAMES;
}

void thp_split_entry(struct mm *mm, struct vaddr va, struct paddr entry_pa, const char *why)
{
	struct kernel *kernel = mm->kernel;
	struct pte entry = entry_load(kernel, entry_pa);
	struct pfn table = table_withdraw(mm, entry_pa);
	emit(kernel->bus, EVENT_HUGE_SPLIT, event_text("entry"), mm->owner->pid, va.v, pte_frame(entry),
	     event_text(why));
	fill_table(mm, table, entry);
	table_hang(mm, va, entry_pa, table, FOLIO_FRAMES);
	count_split(mm, entry);
	flush_range(mm, va, vaddr_add(va, huge_bytes(mm)), huge_bytes(mm));
	kernel->vm.thp_split_pmd++;
}

void thp_split_at(struct mm *mm, struct vaddr at, const char *why)
{
	struct vaddr start = vaddr(align_down(at.v, huge_bytes(mm)));
	const struct kernel *kernel = mm->kernel;
	struct paddr entry_pa;
	if (start.v == at.v || (kernel->thp.folios == 0 && kernel->thp.zero.v == 0) ||
	    !table_huge_entry(mm, start, false, &entry_pa))
		return;
	struct pte entry = entry_load(kernel, entry_pa);
	if (pte_page_size(entry) && thp_is_transparent(frame_peek(kernel->frames, pfn(pte_frame(entry)))))
		thp_split_entry(mm, start, entry_pa, why);
}

void thp_split_ends(struct mm *mm, struct vaddr start, struct vaddr end, const char *why)
{
	thp_split_at(mm, start, why);
	thp_split_at(mm, end, why);
}

/* ---- a page ---- */

/* What is split, and the translations that are to be dropped. */
struct job {
	struct kernel *kernel;
	const char *why;
	struct mm *mm; /* whose entries have been changed last; NULL: none */
	struct vaddr start;
};

static bool split_found(const struct rmap_entry *found, void *self)
{
	const struct job *job = self;
	if (pte_page_size(found->entry))
		thp_split_entry(found->mm, found->va, found->entry_pa, job->why);
	return true;
}

static void flush_changed(struct job *job, struct mm *next)
{
	if (job->mm && job->mm != next)
		flush_range(job->mm, job->start, vaddr_add(job->start, huge_bytes(job->mm)), PAGE_BYTES);
	job->mm = next;
}

/* try_to_map_unused_to_zeropage */
static bool map_zero_instead(const struct rmap_entry *found, void *self)
{
	struct job *job = self;
	struct mm *mm = found->mm;
	struct pfn zero = job->kernel->zero_page;
	if (found->vma->flags & VMA_LOCKED)
		return true;
	flush_changed(job, mm);
	job->start = vaddr(align_down(found->va.v, huge_bytes(mm)));
	(void)page_release(mm, found->va, found->entry); /* the caller frees it */
	frame_at(job->kernel->frames, zero)->mappings++;
	mm->zero++;
	table_set(mm, found->va, found->entry_pa, page_entry(mm, found->vma, zero, false));
	return true;
}

/* remap_page: pages that were never filled are not worth their frames any more. */
static void map_zeroes_instead(struct job *job, struct pfn head)
{
	struct kernel *kernel = job->kernel;
	for (uint64_t i = head.v; i < head.v + FOLIO_FRAMES; i++) {
		if (physmem_is_zero(kernel->mem, pfn(i)))
			(void)rmap_for_each(kernel, pfn(i), map_zero_instead, job);
	}
	flush_changed(job, NULL);
	machine_charge(kernel->machine, COST_SCAN_PAGE, FOLIO_FRAMES);
}

uint64_t thp_split_page(struct kernel *kernel, struct pfn head, const char *why)
{
	struct job job = {kernel, why, NULL, vaddr(0)};
	const struct frame *record = frame_at(kernel->frames, head);
	/* An entry that maps the whole maps the first frame. */
	(void)rmap_for_each(kernel, head, split_found, &job);
	emit(kernel->bus, EVENT_HUGE_SPLIT, event_text("page"), record->space, record->vpn << PAGE_SHIFT, head.v,
	     event_text(why));
	map_zeroes_instead(&job, head);
	kernel->vm.thp_split_page++;
	return folio_split(kernel, head);
}

/* ---- advice about a part ---- */

/* The first huge page from `start` on of which the range covers only a part, and that nobody else has. */
struct search {
	struct vaddr start, end;
	struct pfn looked_at, found;
	struct vaddr at; /* where it was found */
};

/* All frames of the folio stand in their order, where the first one would be, within the range. */
static bool is_covered(const struct mm *mm, const struct search *search, struct pfn head, struct vaddr first)
{
	if (first.v < search->start.v || first.v + huge_bytes(mm) > search->end.v)
		return false;
	for (uint64_t i = 0; i < FOLIO_FRAMES; i++) {
		struct pte entry = table_get(mm, vaddr_add(first, i * PAGE_BYTES));
		if (!entry_has_frame(entry) || pte_frame(entry) != head.v + i)
			return false;
	}
	return true;
}

static void look_for_part(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	(void)entry_pa;
	struct search *search = self;
	struct kernel *kernel = mm->kernel;
	struct pfn frame = pfn(pte_frame(entry));
	if (search->found.v != 0 || !entry_has_frame(entry))
		return;
	struct pfn head = folio_head(frame_at(kernel->frames, frame), frame);
	if (!frame_is_in_folio(frame_at(kernel->frames, frame)) || head.v == search->looked_at.v)
		return;
	search->looked_at = head;
	search->at = va;
	if (folio_is_exclusive(kernel, head) &&
	    !is_covered(mm, search, head, vaddr(va.v - (frame.v - head.v) * PAGE_BYTES)))
		search->found = head;
}

void thp_split_parts(struct mm *mm, struct vaddr start, struct vaddr end, const char *why)
{
	struct search search = {.start = start, .end = end, .at = start};
	if (mm->kernel->thp.folios == 0)
		return;
	do {
		search.found = search.looked_at = pfn(0);
		table_for_each(mm, search.at, end, look_for_part, &search);
		if (search.found.v != 0)
			(void)thp_split_page(mm->kernel, search.found, why);
	} while (search.found.v != 0);
}

/* ---- when memory runs short ---- */

/* shrink_huge_zero_folio_scan */
static uint64_t free_zero(struct kernel *kernel)
{
	struct thp *thp = &kernel->thp;
	if (thp->zero.v == 0 || thp->zero_users != 0)
		return 0;
	frame_put(kernel->frames, thp->zero);
	thp->zero = pfn(0);
	return FOLIO_FRAMES;
}

/* deferred_split_scan */
uint64_t thp_shrink(struct kernel *kernel, uint64_t want)
{
	uint64_t freed = 0;
	while (freed < want && kernel->thp.queue_first != 0)
		freed += thp_split_page(kernel, pfn(kernel->thp.queue_first), "a part of it is not used any more");
	return freed < want ? freed + free_zero(kernel) : freed;
}
