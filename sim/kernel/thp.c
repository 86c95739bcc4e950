#include "thp.h"

#include "page.h"

/* Frames that stay above the low watermark besides the page: the table behind it, and those on the way to it. */
enum { SPARE = 4 };

/* ---- where ---- */

/* Entries of level 2 map 2 MiB: TRANSPARENT_HUGEPAGE depends on it. */
static bool is_supported(const struct kernel *kernel)
{
	return kernel->layout->huge_order == FOLIO_ORDER;
}

bool thp_is_possible(const struct kernel *kernel, const struct vma *vma)
{
	return !vma->file && !(vma->flags & (VMA_SHARED | VMA_HUGETLB | VMA_NOHUGEPAGE)) && is_supported(kernel);
}

bool thp_is_allowed(const struct kernel *kernel, const struct vma *vma)
{
	if (!thp_is_possible(kernel, vma))
		return false;
	switch (kernel->config.thp) {
	case THP_ALWAYS:
		return true;
	case THP_MADVISE:
		return (vma->flags & VMA_HUGEPAGE) != 0;
	case THP_NEVER:
	case THP_MODE_COUNT:
		break;
	}
	return false;
}

static struct vaddr huge_start(const struct mm *mm, struct vaddr va)
{
	return vaddr(align_down(va.v, huge_bytes(mm)));
}

bool thp_fits(const struct mm *mm, const struct vma *vma, struct vaddr va)
{
	struct vaddr start = huge_start(mm, va);
	return start.v >= vma->start.v && start.v + huge_bytes(mm) <= vma->end.v;
}

bool thp_holds_one(const struct mm *mm, const struct vma *vma)
{
	uint64_t huge = huge_bytes(mm), last = align_down(vma->end.v, huge);
	return last >= huge && last - huge >= vma->start.v;
}

/* ---- one page ---- */

struct pte thp_entry(const struct mm *mm, const struct vma *vma, struct pfn head, bool ours)
{
	return (struct pte){page_entry(mm, vma, head, ours).word | PTE_PAGE_SIZE};
}

void thp_map(struct mm *mm, struct pfn head, struct vaddr va)
{
	for (uint64_t i = 0; i < FOLIO_FRAMES; i++)
		rmap_add(mm, pfn(head.v + i), vaddr_add(va, i * PAGE_BYTES));
	folio_count_entire(mm->kernel, head, true);
	mm->huge++;
	page_count_resident(mm, RSS_ANON, FOLIO_FRAMES);
}

bool thp_unmap(struct mm *mm, struct vaddr va, struct pte entry)
{
	struct kernel *kernel = mm->kernel;
	struct pfn head = pfn(pte_frame(entry));
	if (head.v == kernel->thp.zero.v) {
		frame_at(kernel->frames, head)->mappings--;
		mm->huge_zero--;
		return false;
	}
	*frame_dirty_mark(kernel->frames, head) |= pte_dirty(entry);
	for (uint64_t i = 0; i < FOLIO_FRAMES; i++)
		rmap_remove(mm, pfn(head.v + i), vaddr_add(va, i * PAGE_BYTES));
	folio_count_entire(kernel, head, false);
	mm->huge--;
	mm->rss[RSS_ANON] -= FOLIO_FRAMES;
	return *folio_field(kernel->frames, head, FOLIO_MAPPED) == 0;
}

static void clear_huge_page(struct kernel *kernel, struct pfn head)
{
	for (uint64_t i = 0; i < FOLIO_FRAMES; i++)
		physmem_zero(kernel->mem, pfn(head.v + i));
	machine_charge(kernel->machine, COST_ZERO_PAGE, FOLIO_FRAMES);
}

static bool take_block(struct kernel *kernel, struct pfn *head)
{
	return frame_pool_free(kernel->frames) >= kernel->reclaim.marks.low + FOLIO_FRAMES + SPARE &&
	       frame_take(kernel->frames, FOLIO_ORDER, FRAME_ANON, head);
}

/* __alloc_pages_slowpath, for a costly order: compaction first, then reclaim of what it lacks, once. */
static bool make_block(struct mm *mm, enum thp_effort effort, struct pfn *head)
{
	struct kernel *kernel = mm->kernel;
	const uint64_t enough = kernel->reclaim.marks.low + 2 * FOLIO_FRAMES + SPARE;
	if (effort == THP_JUST_LOOK)
		return false;
	if (effort == THP_WAKE_THREADS) { /* for those who come later */
		reclaim_for_huge(kernel, mm, 0, false);
		(void)compact_memory(kernel, FOLIO_ORDER, "kcompactd");
		return false;
	}
	if (compact_memory(kernel, FOLIO_ORDER, "direct compaction") && take_block(kernel, head))
		return true;
	if (effort == THP_COMPACT || frame_pool_free(kernel->frames) >= enough)
		return false;
	reclaim_for_huge(kernel, mm, enough, true);
	(void)compact_memory(kernel, FOLIO_ORDER, "direct compaction");
	return take_block(kernel, head);
}

enum thp_room thp_take(struct mm *mm, enum thp_effort effort, struct pfn *head)
{
	struct kernel *kernel = mm->kernel;
	if (!memgroup_has_room(kernel, mm->group, FOLIO_FRAMES))
		return THP_NO_CHARGE;
	return take_block(kernel, head) || make_block(mm, effort, head) ? THP_TAKEN : THP_NO_BLOCK;
}

/* vma_thp_gfp_mask */
static enum thp_effort effort_for(const struct kernel *kernel, const struct vma *vma)
{
	bool advised = (vma->flags & VMA_HUGEPAGE) != 0;
	switch (kernel->config.thp_defrag) {
	case THP_DEFRAG_ALWAYS:
		return advised ? THP_RECLAIM_AND_COMPACT : THP_COMPACT;
	case THP_DEFRAG_DEFER:
		return THP_WAKE_THREADS;
	case THP_DEFRAG_DEFER_MADVISE:
		return advised ? THP_RECLAIM_AND_COMPACT : THP_WAKE_THREADS;
	case THP_DEFRAG_MADVISE:
		return advised ? THP_RECLAIM_AND_COMPACT : THP_JUST_LOOK;
	case THP_DEFRAG_NEVER:
	case THP_DEFRAG_COUNT:
		break;
	}
	return THP_JUST_LOOK;
}

/* vma_alloc_anon_folio_pmd */
static bool take_for_fault(struct mm *mm, const struct vma *vma, struct pfn *head)
{
	struct vm_counts *vm = &mm->kernel->vm;
	enum thp_room room = thp_take(mm, effort_for(mm->kernel, vma), head);
	vm->thp_fault_fallback += room != THP_TAKEN;
	vm->thp_fault_fallback_charge += room == THP_NO_CHARGE;
	return room == THP_TAKEN;
}

/* ---- the huge zero page ---- */

/* get_huge_zero_folio */
static bool get_zero(struct mm *mm)
{
	struct kernel *kernel = mm->kernel;
	struct thp *thp = &kernel->thp;
	if (thp->zero.v == 0) {
		if (!frame_take(kernel->frames, FOLIO_ORDER, FRAME_ZERO, &thp->zero)) {
			kernel->vm.thp_zero_page_alloc_failed++;
			return false;
		}
		frame_share(kernel->frames, thp->zero);
		clear_huge_page(kernel, thp->zero);
		kernel->vm.thp_zero_page_alloc++;
	}
	thp->zero_users += !mm->uses_huge_zero;
	mm->uses_huge_zero = true;
	return true;
}

void thp_forget_zero(struct mm *mm)
{
	mm->kernel->thp.zero_users -= mm->uses_huge_zero;
	mm->uses_huge_zero = false;
}

static void count_zero(struct mm *mm)
{
	frame_at(mm->kernel->frames, mm->kernel->thp.zero)->mappings++;
	mm->huge_zero++;
}

/* ---- faults ---- */

/* A fault on 2 MiB that have no table yet. */
struct huge_fault {
	struct mm *mm;
	struct vma *vma;
	struct vaddr start;
	struct paddr entry_pa;
};

static bool map_zero(const struct huge_fault *fault)
{
	struct mm *mm = fault->mm;
	if (!get_zero(mm)) {
		mm->kernel->vm.thp_fault_fallback++;
		return false;
	}
	count_zero(mm);
	table_set(mm, fault->start, fault->entry_pa, thp_entry(mm, fault->vma, mm->kernel->thp.zero, false));
	return true;
}

static bool map_new(const struct huge_fault *fault)
{
	struct mm *mm = fault->mm;
	struct kernel *kernel = mm->kernel;
	struct pfn head;
	if (!take_for_fault(mm, fault->vma, &head))
		return false;
	clear_huge_page(kernel, head);
	folio_make(kernel, head);
	thp_map(mm, head, fault->start);
	mm_process(mm)->stats.frames_taken += FOLIO_FRAMES;
	reclaim_add(kernel, head);
	struct pte entry = thp_entry(mm, fault->vma, head, true);
	table_set(mm, fault->start, fault->entry_pa, (struct pte){entry.word | PTE_DIRTY});
	kernel->vm.thp_fault_alloc++;
	return true;
}

/* do_huge_pmd_anonymous_page */
static bool fault_missing(const struct huge_fault *fault, bool write, enum fault_cause *cause)
{
	struct mm *mm = fault->mm;
	mm_prepare_anon(mm, fault->vma);
	if (!table_deposit(mm, fault->entry_pa))
		return false;
	bool own = write || mm_reads_take_frames(mm);
	*cause = own ? FAULT_CAUSE_HUGE : FAULT_CAUSE_HUGE_ZERO;
	if (own ? map_new(fault) : map_zero(fault))
		return true;
	table_free_deposit(mm, fault->entry_pa);
	return false;
}

/* do_huge_zero_wp_pmd */
static bool replace_zero(const struct huge_fault *fault, struct pte entry)
{
	struct mm *mm = fault->mm;
	if (!map_new(fault))
		return false;
	(void)thp_unmap(mm, fault->start, entry);
	flush_range(mm, fault->start, vaddr_add(fault->start, huge_bytes(mm)), huge_bytes(mm));
	return true;
}

/* do_huge_pmd_wp_page: where the whole page cannot be kept it is split, and the fault is one of small pages. */
static bool fault_protected(const struct huge_fault *fault, struct pte entry, enum fault_cause *cause)
{
	struct mm *mm = fault->mm;
	struct pfn head = pfn(pte_frame(entry));
	bool zero = head.v == mm->kernel->thp.zero.v;
	if (zero && replace_zero(fault, entry)) {
		*cause = FAULT_CAUSE_ZERO_PAGE_WRITE;
		return true;
	}
	if (!zero && folio_is_exclusive(mm->kernel, head)) {
		struct pte own = thp_entry(mm, fault->vma, head, true);
		table_set(mm, fault->start, fault->entry_pa, (struct pte){own.word | PTE_DIRTY});
		*cause = FAULT_CAUSE_REUSE;
		return true;
	}
	thp_split_entry(mm, fault->start, fault->entry_pa, "a write to a part of it");
	return false;
}

bool thp_fault(struct mm *mm, struct vma *vma, struct vaddr va, bool write, enum fault_cause *cause)
{
	struct kernel *kernel = mm->kernel;
	bool wanted = thp_is_allowed(kernel, vma) && thp_fits(mm, vma, va);
	struct huge_fault fault = {.mm = mm, .vma = vma, .start = huge_start(mm, va)};
	if ((!wanted && kernel->thp.folios == 0 && kernel->thp.zero.v == 0) || (vma->flags & VMA_HUGETLB))
		return false;
	if (!table_huge_entry(mm, fault.start, wanted, &fault.entry_pa))
		return false;
	struct pte entry = entry_load(kernel, fault.entry_pa);
	if (!entry_used(entry))
		return wanted && fault_missing(&fault, write, cause);
	if (!pte_page_size(entry))
		return false;
	if (write && !pte_writable(entry))
		return fault_protected(&fault, entry, cause);
	*cause = FAULT_CAUSE_SPURIOUS;
	return true;
}

/* ---- fork ---- */

bool thp_copy(struct mm *child, struct mm *parent, struct vaddr va, struct paddr entry_pa, struct pte entry)
{
	struct paddr child_pa;
	struct pfn head = pfn(pte_frame(entry));
	struct pte shared = {entry.word & ~PTE_WRITABLE};
	if (!table_huge_entry(child, va, true, &child_pa) || !table_deposit(child, child_pa))
		return false;
	if (head.v == child->kernel->thp.zero.v) {
		(void)get_zero(child);
		count_zero(child);
	} else {
		thp_map(child, head, va);
		if (shared.word != entry.word)
			table_set(parent, va, entry_pa, shared);
	}
	table_set(child, va, child_pa, (struct pte){shared.word & ~PTE_ACCESSED});
	return true;
}
