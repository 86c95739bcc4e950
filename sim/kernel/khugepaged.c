/* Small pages become a huge one afterwards: the kernel's thread that looks for them, and MADV_COLLAPSE. See
 * mm/khugepaged.c. */
#include "khugepaged.h"

#include "page.h"

/* What has become of the 2 MiB that were looked at. */
enum scan_result {
	SCAN_SUCCEED,
	SCAN_PMD_NULL,   /* nothing is mapped there */
	SCAN_PMD_MAPPED, /* a huge page is there */
	SCAN_EXCEED,     /* too many pages are missing, in swap, or shared */
	SCAN_LACK_REFERENCED_PAGE,
	SCAN_ALLOC_HUGE_PAGE_FAIL,
	SCAN_CGROUP_CHARGE_FAIL,
};

struct collapse {
	struct mm *mm;
	struct vma *vma;
	struct vaddr start;
	const char *who; /* NULL: the thread, which obeys its limits */
	struct paddr directory_pa, table;
	uint64_t missing, swapped, shared, referenced;
};

static bool is_thread(const struct collapse *job)
{
	return job->who == NULL;
}

static bool is_beyond(const struct collapse *job, uint64_t count, uint64_t most, uint64_t *counter)
{
	if (!is_thread(job) || count <= most)
		return false;
	++*counter;
	return true;
}

/* One entry of the table. */
static enum scan_result scan_entry(struct collapse *job, struct pte entry)
{
	struct kernel *kernel = job->mm->kernel;
	const struct khugepaged_config *most = &kernel->config.khugepaged;
	struct vm_counts *vm = &kernel->vm;
	struct pfn frame = pfn(pte_frame(entry));
	bool exceeds = false;
	if (entry_is_swap(entry)) {
		exceeds = is_beyond(job, ++job->swapped, most->max_ptes_swap, &vm->thp_scan_exceed_swap_pte);
	} else if (!entry_used(entry) || frame_is_zero(kernel, frame)) {
		exceeds = is_beyond(job, ++job->missing, most->max_ptes_none, &vm->thp_scan_exceed_none_pte);
	} else {
		job->referenced += pte_accessed(entry);
		job->shared += !page_may_be_reused(kernel, frame);
		exceeds = is_beyond(job, job->shared, most->max_ptes_shared, &vm->thp_scan_exceed_share_pte);
	}
	return exceeds ? SCAN_EXCEED : SCAN_SUCCEED;
}

/* mm_find_pmd and hpage_collapse_scan_pmd. */
static enum scan_result scan(struct collapse *job)
{
	struct mm *mm = job->mm;
	const struct kernel *kernel = mm->kernel;
	job->missing = job->swapped = job->shared = job->referenced = 0;
	if (!table_huge_entry(mm, job->start, false, &job->directory_pa))
		return SCAN_PMD_NULL;
	struct pte directory = entry_load(kernel, job->directory_pa);
	if (!entry_used(directory))
		return SCAN_PMD_NULL;
	if (pte_page_size(directory))
		return SCAN_PMD_MAPPED;
	job->table = pfn_to_paddr(pfn(pte_frame(directory)));
	machine_charge(kernel->machine, COST_SCAN_PAGE, FOLIO_FRAMES);
	for (unsigned i = 0; i < FOLIO_FRAMES; i++) {
		enum scan_result result = scan_entry(job, entry_load(kernel, entry_at(kernel, job->table, i)));
		if (result != SCAN_SUCCEED)
			return result;
	}
	bool is_idle = job->referenced == 0 || (job->swapped > 0 && job->referenced < FOLIO_FRAMES / 2);
	return is_thread(job) && is_idle ? SCAN_LACK_REFERENCED_PAGE : SCAN_SUCCEED;
}

/* __collapse_huge_page_swapin. False: no frame, or a page has gone again. */
static bool swap_in(struct collapse *job)
{
	struct mm *mm = job->mm;
	for (unsigned i = 0; i < FOLIO_FRAMES; i++) {
		struct vaddr va = vaddr_add(job->start, i * PAGE_BYTES);
		struct paddr entry_pa;
		if (!table_entry(mm, va, false, &entry_pa))
			return false;
		if (!entry_is_swap(entry_load(mm->kernel, entry_pa)))
			continue;
		if (!reclaim_for_frames(mm->kernel, mm, 1) ||
		    page_swap_in(mm, job->vma, va, entry_pa, false) == FAULT_CAUSE_OUT_OF_MEMORY)
			return false;
	}
	return true;
}

/* __collapse_huge_page_copy: the content, and the end of the mapping. What becomes nobody's is for the caller to free,
 * when no TLB can reach it. */
static unsigned copy(const struct collapse *job, struct pfn head, struct pfn freed[FOLIO_FRAMES])
{
	struct mm *mm = job->mm;
	struct kernel *kernel = mm->kernel;
	unsigned count = 0;
	for (unsigned i = 0; i < FOLIO_FRAMES; i++) {
		struct paddr entry_pa = entry_at(kernel, job->table, i);
		struct pte entry = entry_load(kernel, entry_pa);
		struct pfn from = pfn(pte_frame(entry)), to = pfn(head.v + i);
		if (!entry_used(entry) || frame_is_zero(kernel, from))
			physmem_zero(kernel->mem, to);
		else
			physmem_copy(kernel->mem, to, from);
		entry_store(kernel, entry_pa, (struct pte){0});
		if (!entry_used(entry))
			continue;
		struct pfn owner = folio_head(frame_at(kernel->frames, from), from);
		if (page_release(mm, vaddr_add(job->start, i * PAGE_BYTES), entry))
			freed[count++] = owner;
		else if (frame_is_in_folio(frame_at(kernel->frames, owner)))
			folio_queue(kernel, owner);
	}
	machine_charge(kernel->machine, COST_ZERO_PAGE, job->missing);
	machine_charge(kernel->machine, COST_COPY_PAGE, FOLIO_FRAMES - job->missing);
	return count;
}

/* collapse_huge_page, when it has its block. The table stays behind the page. */
static void replace(struct collapse *job, struct pfn head)
{
	struct mm *mm = job->mm;
	struct kernel *kernel = mm->kernel;
	struct pfn freed[FOLIO_FRAMES], table = paddr_to_pfn(job->table);
	emit(kernel->bus, EVENT_COLLAPSE, event_text(is_thread(job) ? "khugepaged" : job->who), mm->owner->pid,
	     job->start.v, head.v, FOLIO_FRAMES - job->missing);
	folio_make(kernel, head);
	unsigned count = copy(job, head, freed);
	frame_at(kernel->frames, table)->mappings = 0;
	table_deposit_again(mm, job->directory_pa, table);
	thp_map(mm, head, job->start);
	mm->owner->stats.frames_taken += FOLIO_FRAMES;
	mm_prepare_anon(mm, job->vma);
	reclaim_add(kernel, head);
	struct pte entry = thp_entry(mm, job->vma, head, true);
	table_set(mm, job->start, job->directory_pa, (struct pte){entry.word | PTE_DIRTY});
	flush_range(mm, job->start, vaddr_add(job->start, huge_bytes(mm)), PAGE_BYTES);
	for (unsigned i = 0; i < count; i++)
		page_free(kernel, freed[i]);
}

static enum scan_result collapse(struct collapse *job)
{
	struct mm *mm = job->mm;
	struct vm_counts *vm = &mm->kernel->vm;
	struct pfn head;
	enum scan_result result = scan(job);
	if (result == SCAN_SUCCEED && job->swapped > 0)
		result = swap_in(job) ? scan(job) : SCAN_LACK_REFERENCED_PAGE;
	if (result != SCAN_SUCCEED || job->swapped > 0)
		return result;
	mm->kernel->charging = mm;
	enum thp_room room = thp_take(mm, THP_RECLAIM_AND_COMPACT, &head);
	vm->thp_collapse_alloc += room != THP_NO_BLOCK;
	vm->thp_collapse_alloc_failed += room == THP_NO_BLOCK;
	if (room != THP_TAKEN)
		return room == THP_NO_BLOCK ? SCAN_ALLOC_HUGE_PAGE_FAIL : SCAN_CGROUP_CHARGE_FAIL;
	/* Getting it may have cost some of the pages. */
	result = scan(job);
	if (result != SCAN_SUCCEED || job->swapped > 0) {
		frame_put(mm->kernel->frames, head);
		return result;
	}
	vm->thp_pages_collapsed++;
	replace(job, head);
	return SCAN_SUCCEED;
}

/* ---- MADV_COLLAPSE ---- */

static int64_t errno_of(enum scan_result result)
{
	return result == SCAN_ALLOC_HUGE_PAGE_FAIL ? -LINUX_ENOMEM
	       : result == SCAN_CGROUP_CHARGE_FAIL ? -LINUX_EBUSY
						   : -LINUX_EINVAL;
}

int64_t khugepaged_collapse_range(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	const uint64_t huge = huge_bytes(mm);
	enum scan_result failure = SCAN_SUCCEED;
	if (vma->anon == 0 || !thp_is_possible(mm->kernel, vma) || !thp_holds_one(mm, vma))
		return -LINUX_EINVAL;
	if (align_up(start.v, huge) > align_down(end.v, huge))
		return -LINUX_EINVAL;
	for (struct vaddr at = vaddr(align_up(start.v, huge)); at.v + huge <= end.v; at.v += huge) {
		struct collapse job = {.mm = mm, .vma = vma, .start = at, .who = "MADV_COLLAPSE"};
		enum scan_result result = collapse(&job);
		if (result == SCAN_SUCCEED || result == SCAN_PMD_MAPPED)
			continue;
		failure = result;
		if (result == SCAN_ALLOC_HUGE_PAGE_FAIL)
			break;
	}
	return failure == SCAN_SUCCEED ? 0 : errno_of(failure);
}

/* ---- the thread ---- */

/* The next place at or behind the cursor, of the address space that the cursor is in. False: it has no more. */
static bool next_place(const struct kernel *kernel, struct collapse *job)
{
	struct mm *mm = kernel->spaces[kernel->thp.scan_space];
	struct vaddr at = kernel->thp.scan_at;
	const uint64_t huge = layout_huge_bytes(kernel->layout);
	for (struct vma *vma = mm ? vma_tree_after(&mm->vmas, at) : NULL; vma; vma = vma->next) {
		struct vaddr start = vaddr(align_up(vma->start.v > at.v ? vma->start.v : at.v, huge));
		if (vma->anon == 0 || !thp_is_allowed(kernel, vma) || start.v + huge > vma->end.v)
			continue;
		*job = (struct collapse){.mm = mm, .vma = vma, .start = start};
		return true;
	}
	return false;
}

/* khugepaged_do_scan: so many pages, but not beyond the end of a whole pass over all address spaces. */
static void scan_pages(struct kernel *kernel)
{
	struct thp *thp = &kernel->thp;
	uint64_t pages = 0, begun = 0;
	while (pages < kernel->config.khugepaged.pages_to_scan) {
		struct collapse job;
		begun += thp->scan_space == 0 && thp->scan_at.v == 0;
		if (begun == 2)
			return;
		if (next_place(kernel, &job)) {
			thp->scan_at = vaddr_add(job.start, huge_bytes(job.mm));
			pages += FOLIO_FRAMES;
			(void)collapse(&job);
			continue;
		}
		thp->scan_at = vaddr(0);
		thp->scan_space = (thp->scan_space + 1) % kernel->process_count;
	}
}

void khugepaged_run(struct kernel *kernel)
{
	uint64_t now = kernel->bus->cycle, every = kernel->config.khugepaged.scan_sleep_cycles;
	kernel->thp.next_scan = now + (every ? every : 1);
	if (kernel->config.thp == THP_NEVER || kernel->process_count == 0)
		return;
	const struct mm *charging = kernel->charging;
	machine_charge(kernel->machine, COST_CONTEXT_SWITCH, 2);
	scan_pages(kernel);
	kernel->charging = charging;
}
