/* /proc/PID/smaps and smaps_rollup: fs/proc/task_mmu.c, smaps_account and __show_smap. */
#include <inttypes.h>

#include "procfs.h"

/* Shares of pages are counted with 12 more bits than bytes: PSS_SHIFT. */
enum { PSS_SHIFT = 12 };

struct mem_size {
	uint64_t resident, shared_clean, shared_dirty, private_clean, private_dirty, referenced, anonymous, lazyfree;
	uint64_t anon_huge, shared_hugetlb, private_hugetlb;
	uint64_t swap, swap_pss; /* of private memory */
	uint64_t pss, pss_dirty, pss_anon, pss_file, pss_shmem, pss_locked;
};

static void account_page(struct mem_size *size, const struct frame_pool *frames, struct pte entry, bool locked)
{
	const struct frame *frame = frame_peek(frames, pfn(pte_frame(entry)));
	bool anon = frame->use == FRAME_ANON, dirty = pte_dirty(entry) || frame_is_dirty(frames, pfn(pte_frame(entry)));
	uint64_t pss = (PAGE_BYTES << PSS_SHIFT) / (frame->mappings ? frame->mappings : 1);
	size->resident += PAGE_BYTES;
	size->anonymous += anon ? PAGE_BYTES : 0;
	size->lazyfree += anon && !dirty ? PAGE_BYTES : 0;
	size->anon_huge += anon && pte_page_size(entry) ? PAGE_BYTES : 0;
	size->referenced += pte_accessed(entry) ? PAGE_BYTES : 0;
	if (frame->mappings > 1)
		*(dirty ? &size->shared_dirty : &size->shared_clean) += PAGE_BYTES;
	else
		*(dirty ? &size->private_dirty : &size->private_clean) += PAGE_BYTES;
	size->pss += pss;
	size->pss_dirty += dirty ? pss : 0;
	size->pss_locked += locked ? pss : 0;
	*(anon ? &size->pss_anon : frame->use == FRAME_SHMEM ? &size->pss_shmem : &size->pss_file) += pss;
}

static void account_swap(struct mem_size *size, const struct swap *swap, uint64_t slot)
{
	size->swap += PAGE_BYTES;
	size->swap_pss += (PAGE_BYTES << PSS_SHIFT) / swap->counts[slot];
}

/* smaps_hugetlb_range */
static void gather_hugetlb(const struct mm *mm, const struct vma *vma, struct mem_size *size)
{
	const uint64_t huge = vma_page_bytes(mm, vma);
	for (struct vaddr va = vma->start; va.v < vma->end.v; va.v += huge) {
		struct pte entry = table_get(mm, va);
		if (!entry_used(entry))
			continue;
		bool shared = frame_peek(mm->kernel->frames, pfn(pte_frame(entry)))->mappings > 1;
		*(shared ? &size->shared_hugetlb : &size->private_hugetlb) += huge;
	}
}

static void gather(const struct mm *mm, const struct vma *vma, struct mem_size *size)
{
	if (vma->flags & VMA_HUGETLB)
		gather_hugetlb(mm, vma, size);
	/* Pages of hugetlb are in no count but their own. */
	for (struct vaddr va = vma->start; va.v < vma->end.v && !(vma->flags & VMA_HUGETLB); va.v += PAGE_BYTES) {
		struct pte entry = table_get(mm, va);
		const struct frame *frame = frame_peek(mm->kernel->frames, pfn(pte_frame(entry)));
		if (entry_is_swap(entry))
			account_swap(size, &mm->kernel->swap, swap_entry_slot(mm->layout, entry));
		else if (entry_used(entry) && frame && frame->use != FRAME_ZERO)
			account_page(size, mm->kernel->frames, entry, (vma->flags & VMA_LOCKED) != 0);
	}
}

static void row(const struct sink *sink, const char *label, uint64_t bytes)
{
	sink_print(sink, "%-16s%8" PRIu64 " kB\n", label, bytes / KIB);
}

static void print_size(const struct sink *sink, const struct mem_size *size, bool rollup)
{
	row(sink, "Rss:", size->resident);
	row(sink, "Pss:", size->pss >> PSS_SHIFT);
	row(sink, "Pss_Dirty:", size->pss_dirty >> PSS_SHIFT);
	if (rollup) {
		row(sink, "Pss_Anon:", size->pss_anon >> PSS_SHIFT);
		row(sink, "Pss_File:", size->pss_file >> PSS_SHIFT);
		row(sink, "Pss_Shmem:", size->pss_shmem >> PSS_SHIFT);
	}
	row(sink, "Shared_Clean:", size->shared_clean);
	row(sink, "Shared_Dirty:", size->shared_dirty);
	row(sink, "Private_Clean:", size->private_clean);
	row(sink, "Private_Dirty:", size->private_dirty);
	row(sink, "Referenced:", size->referenced);
	row(sink, "Anonymous:", size->anonymous);
	row(sink, "KSM:", 0);
	row(sink, "LazyFree:", size->lazyfree);
	row(sink, "AnonHugePages:", size->anon_huge);
	row(sink, "ShmemPmdMapped:", 0);
	row(sink, "FilePmdMapped:", 0);
	row(sink, "Shared_Hugetlb:", size->shared_hugetlb);
	row(sink, "Private_Hugetlb:", size->private_hugetlb);
	row(sink, "Swap:", size->swap);
	row(sink, "SwapPss:", size->swap_pss >> PSS_SHIFT);
	row(sink, "Locked:", size->pss_locked >> PSS_SHIFT);
}

static void print_flags(const struct sink *sink, uint32_t flags)
{
	static const char *const letters[VMA_BITS] = {
#define X(id, letters, text) [VMA_BIT_##id] = (letters),
	    VMA_FLAG_LIST(X)
#undef X
	};
	sink_print(sink, "VmFlags: ");
	for (unsigned bit = 0; bit < VMA_BITS; bit++) {
		if (flags & (uint32_t)1 << bit)
			sink_print(sink, "%s ", letters[bit]);
	}
	sink_print(sink, "\n");
}

static void print_vma(const struct mm *mm, const struct vma *vma, const struct sink *sink)
{
	struct mem_size size = {0};
	uint64_t page = vma_page_bytes(mm, vma);
	gather(mm, vma, &size);
	procfs_maps_line(mm, vma, sink);
	row(sink, "Size:", vma_bytes(vma));
	row(sink, "KernelPageSize:", page);
	row(sink, "MMUPageSize:", page);
	print_size(sink, &size, false);
	sink_print(sink, "THPeligible:    %8u\n", thp_is_allowed(mm->kernel, vma) && thp_holds_one(mm, vma));
	print_flags(sink, vma->flags);
}

void procfs_print_smaps_of(const struct process *process, const struct vma *vma, procfs_write_fn *write, void *self)
{
	const struct sink sink = {write, self};
	print_vma(process->mm, vma, &sink);
}

void procfs_smaps(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)kernel;
	for (const struct vma *vma = process_vma_after(process, vaddr(0)); vma; vma = vma->next)
		print_vma(process->mm, vma, sink);
}

void procfs_smaps_rollup(const struct kernel *kernel, const struct process *process, const struct sink *sink)
{
	(void)kernel;
	const struct mm *mm = process->mm;
	struct mem_size size = {0};
	if (!mm || !mm->vmas.first)
		return;
	for (const struct vma *vma = mm->vmas.first; vma; vma = vma->next)
		gather(mm, vma, &size);
	sink_print(sink, "%08" PRIx64 "-%08" PRIx64 " ---p 00000000 00:00 0%*s[rollup]\n", mm->vmas.first->start.v,
		   mm->vmas.last->end.v, 26, "");
	print_size(sink, &size, true);
}
