/* madvise: how a range will be used. One row an advice: either it changes flags of the VMAs, or it does something to
 * their pages, or it is accepted and changes nothing. See mm/madvise.c. */
#include "kernel_private.h"
#include "khugepaged.h"
#include "reclaim.h"

typedef int64_t advice_fn(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end);

/* madvise_dontneed_free_valid_vma: of huge pages only whole ones. */
static int64_t dontneed_locked(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	const uint64_t page = vma_page_bytes(mm, vma);
	if (start.v % page != 0)
		return -LINUX_EINVAL;
	page_drop_range(mm, start, vaddr(align_down(end.v, page)));
	return 0;
}

static int64_t dontneed(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	return vma->flags & VMA_LOCKED ? -LINUX_EINVAL : dontneed_locked(mm, vma, start, end);
}

/* Until memory runs short a freed page is only a clean one. */
static int64_t make_lazy(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	if (vma->file || (vma->flags & (VMA_LOCKED | VMA_HUGETLB)))
		return -LINUX_EINVAL;
	page_clean_range(mm, start, end);
	return 0;
}

/* madvise_remove: punches a hole into the file or the shared memory; who maps it loses the pages, too. */
static int64_t remove_pages(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	if ((vma->flags & VMA_LOCKED) || !vma->file)
		return -LINUX_EINVAL;
	if ((vma->flags & (VMA_SHARED | VMA_MAYWRITE)) != (VMA_SHARED | VMA_MAYWRITE))
		return -LINUX_EACCES;
	uint64_t first = vma->pgoff + (start.v - vma->start.v) / PAGE_BYTES;
	uint64_t stop = first + (end.v - start.v) / PAGE_BYTES;
	if (vma->file->huge_level)
		hugetlb_remove(mm, vma->file, first, stop);
	else
		page_punch_hole(mm->kernel, vma->file, first, stop);
	return 0;
}

/* Locked and huge pages may not be asked for. */
static int64_t cold(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	if (vma->flags & (VMA_LOCKED | VMA_HUGETLB))
		return -LINUX_EINVAL;
	thp_split_parts(mm, start, end, "a part of it is cold");
	return 0;
}

static int64_t pageout(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	int64_t error = cold(mm, vma, start, end);
	if (!error)
		evict_range(mm, vma, start, end);
	return error;
}

/* madvise_willneed. What is in swap is left there. */
static int64_t willneed(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	if (vma->file) {
		uint64_t first = vma->pgoff + (start.v - vma->start.v) / PAGE_BYTES;
		file_will_need(mm->kernel, vma->file, first, first + (end.v - start.v) / PAGE_BYTES);
	}
	return 0;
}

/* What an advice does; with no function it clears and sets flags. */
struct advice {
	int number;
	advice_fn *act;
	uint32_t clear, set;
	bool private_only; /* MADV_WIPEONFORK: -EINVAL elsewhere */
};

static const struct advice advices[] = {
    {LINUX_MADV_NORMAL, NULL, VMA_RAND_READ | VMA_SEQ_READ, 0, false},
    {LINUX_MADV_RANDOM, NULL, VMA_SEQ_READ, VMA_RAND_READ, false},
    {LINUX_MADV_SEQUENTIAL, NULL, VMA_RAND_READ, VMA_SEQ_READ, false},
    {LINUX_MADV_WILLNEED, willneed, 0, 0, false},
    {LINUX_MADV_DONTNEED, dontneed, 0, 0, false},
    {LINUX_MADV_DONTNEED_LOCKED, dontneed_locked, 0, 0, false},
    {LINUX_MADV_FREE, make_lazy, 0, 0, false},
    {LINUX_MADV_REMOVE, remove_pages, 0, 0, false},
    {LINUX_MADV_DONTFORK, NULL, 0, VMA_DONTCOPY, false},
    {LINUX_MADV_DOFORK, NULL, VMA_DONTCOPY, 0, false},
    {LINUX_MADV_MERGEABLE, NULL, 0, VMA_MERGEABLE, false},
    {LINUX_MADV_UNMERGEABLE, NULL, VMA_MERGEABLE, 0, false},
    {LINUX_MADV_HUGEPAGE, NULL, VMA_NOHUGEPAGE, VMA_HUGEPAGE, false},
    {LINUX_MADV_NOHUGEPAGE, NULL, VMA_HUGEPAGE, VMA_NOHUGEPAGE, false},
    {LINUX_MADV_DONTDUMP, NULL, 0, VMA_DONTDUMP, false},
    {LINUX_MADV_DODUMP, NULL, VMA_DONTDUMP, 0, false},
    {LINUX_MADV_WIPEONFORK, NULL, 0, VMA_WIPEONFORK, true},
    {LINUX_MADV_KEEPONFORK, NULL, VMA_WIPEONFORK, 0, false},
    {LINUX_MADV_COLD, cold, 0, 0, false},
    {LINUX_MADV_PAGEOUT, pageout, 0, 0, false},
    {LINUX_MADV_COLLAPSE, khugepaged_collapse_range, 0, 0, false},
};

static const struct advice *find_advice(uint64_t number)
{
	for (unsigned i = 0; i < sizeof(advices) / sizeof(*advices); i++) {
		if ((uint64_t)advices[i].number == number)
			return &advices[i];
	}
	return NULL;
}

/* ksm_madvise skips what cannot be merged. */
static bool is_skipped(const struct advice *advice, const struct vma *vma)
{
	return advice->set == VMA_MERGEABLE && (vma->flags & (VMA_SHARED | VMA_MAYSHARE | VMA_HUGETLB));
}

static int64_t apply(struct mm *mm, const struct advice *advice, struct vma *vma, struct vaddr start, struct vaddr end)
{
	if (advice->act)
		return advice->act(mm, vma, start, end);
	if (advice->private_only && (vma->file || (vma->flags & VMA_SHARED)))
		return -LINUX_EINVAL;
	uint32_t flags = (vma->flags & ~advice->clear) | advice->set;
	if (flags == vma->flags || is_skipped(advice, vma))
		return 0;
	int64_t error = mm_modify(mm, &vma, start, end, flags);
	if (error)
		return error == -LINUX_ENOMEM ? -LINUX_EAGAIN : error; /* as for want of any kernel resource */
	vma->flags = flags;
	return 0;
}

/* madvise_walk_vmas: goes on behind a hole, and says so at the end. */
static int64_t walk(struct mm *mm, const struct advice *advice, struct vaddr start, struct vaddr end)
{
	int64_t holes = 0;
	while (start.v < end.v) {
		struct vma *vma = vma_tree_after(&mm->vmas, start);
		if (!vma)
			return -LINUX_ENOMEM;
		if (start.v < vma->start.v) {
			holes = -LINUX_ENOMEM;
			start = vma->start;
			if (start.v >= end.v)
				break;
		}
		struct vaddr stop = vaddr(vma->end.v < end.v ? vma->end.v : end.v);
		int64_t error = apply(mm, advice, vma, start, stop);
		if (error)
			return error;
		start = stop;
	}
	return holes;
}

/* madvise_populate: a hole or a refusal ends it. */
static int64_t populate(struct mm *mm, struct vaddr start, struct vaddr end, bool write)
{
	while (start.v < end.v) {
		struct vma *vma = vma_tree_find(&mm->vmas, start);
		if (!vma)
			return -LINUX_ENOMEM;
		if (!(vma->flags & (write ? (uint32_t)VMA_WRITE : (uint32_t)VMA_READ)))
			return -LINUX_EINVAL;
		struct vaddr stop = vaddr(vma->end.v < end.v ? vma->end.v : end.v);
		int64_t error = mm_populate_vma(mm, vma, start, stop, write);
		if (error)
			return error;
		start = stop;
	}
	return 0;
}

int64_t sys_madvise(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	uint64_t bytes = page_ceil(args[1]), number = args[2];
	struct vaddr start = vaddr(args[0]), end = vaddr_add(start, bytes);
	bool populates = number == LINUX_MADV_POPULATE_READ || number == LINUX_MADV_POPULATE_WRITE;
	const struct advice *advice = find_advice(number);
	if ((!advice && !populates) || page_offset(args[0]) != 0 || (args[1] != 0 && bytes == 0) || end.v < start.v)
		return -LINUX_EINVAL;
	if (start.v == end.v)
		return 0;
	if (populates)
		return populate(mm, start, end, number == LINUX_MADV_POPULATE_WRITE);
	return walk(mm, advice, start, end);
}
