/* mincore and msync: asking about pages, and writing them back. See mm/mincore.c, mm/msync.c. */
#include "kernel_private.h"

/* Whether the page is in RAM: mapped here, in the swap cache, or in the page cache of the file behind it. */
static unsigned char is_resident(const struct mm *mm, const struct vma *vma, struct vaddr va)
{
	struct pfn frame;
	struct pte entry = table_get(mm, va);
	if (entry_is_swap(entry))
		return swap_cache_find(mm->kernel, swap_entry_slot(mm->layout, entry)).v != 0;
	if (entry_used(entry))
		return 1;
	if (vma->flags & VMA_HUGETLB)
		return 0;
	return vma->file && file_page(vma->file, vma->pgoff + (va.v - vma->start.v) / PAGE_BYTES, &frame);
}

int64_t sys_mincore(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	uint64_t pages = args[1] / PAGE_BYTES + (page_offset(args[1]) != 0);
	if (page_offset(args[0]) != 0)
		return -LINUX_EINVAL;
	if (!in_user_half(mm, args[0], args[1]))
		return -LINUX_ENOMEM;
	if (!in_user_half(mm, args[2], pages))
		return -LINUX_EFAULT;
	for (uint64_t i = 0; i < pages; i++) {
		struct vaddr va = vaddr(args[0] + i * PAGE_BYTES);
		const struct vma *vma = vma_tree_find(&mm->vmas, va);
		if (!vma)
			return -LINUX_ENOMEM;
		unsigned char answer = is_resident(mm, vma, va);
		if (!copy_to_user(mm, args[2] + i, &answer, 1))
			return -LINUX_EFAULT;
	}
	return 0;
}

/* MS_SYNC writes what is dirty of files that are mapped shared, and waits. MS_ASYNC does nothing: dirty pages are known
 * without it. */
static void sync_range(struct kernel *kernel, const struct vma *vma, uint64_t start, uint64_t end)
{
	uint64_t first = vma->pgoff + (start - vma->start.v) / PAGE_BYTES;
	uint64_t stop = end < vma->end.v ? end : vma->end.v;
	if (!(vma->flags & VMA_SHARED) || file_is_memory(vma->file))
		return;
	file_sync(kernel, vma->file, first, first + (stop - start) / PAGE_BYTES, "msync");
	block_wait(kernel, vma->file->written_until);
}

int64_t sys_msync(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	const uint64_t known = LINUX_MS_ASYNC | LINUX_MS_INVALIDATE | LINUX_MS_SYNC;
	uint64_t flags = args[2], start = args[0], end = start + page_ceil(args[1]);
	int64_t holes = 0;
	if ((flags & ~known) || page_offset(start) != 0 || ((flags & LINUX_MS_ASYNC) && (flags & LINUX_MS_SYNC)))
		return -LINUX_EINVAL;
	if (end < start)
		return -LINUX_ENOMEM;
	while (start < end) {
		const struct vma *vma = vma_tree_after(&process->mm->vmas, vaddr(start));
		if (!vma)
			return -LINUX_ENOMEM;
		if (start < vma->start.v) {
			holes = -LINUX_ENOMEM;
			if (flags == LINUX_MS_ASYNC || vma->start.v >= end)
				return holes;
			start = vma->start.v;
		}
		if ((flags & LINUX_MS_INVALIDATE) && (vma->flags & VMA_LOCKED))
			return -LINUX_EBUSY;
		if (flags & LINUX_MS_SYNC)
			sync_range(kernel, vma, start, end);
		start = vma->end.v;
	}
	return holes;
}
