/* mprotect and madvise: existing promises changed, or their pages dropped. See mm/mprotect.c, mm/madvise.c. */
#include "kernel_private.h"

/* Splits VMAs so that `start` and `end` are borders wherever they fall into one. */
static bool split_at(struct mm *mm, struct vaddr at)
{
	struct vma *vma = vma_tree_find(&mm->vmas, at);
	return !vma || vma->start.v == at.v || mm_split(mm, vma, at);
}

static bool is_covered(const struct mm *mm, struct vaddr start, struct vaddr end)
{
	const struct vma *vma = vma_tree_after(&mm->vmas, start);
	for (uint64_t at = start.v; at < end.v; at = vma->end.v, vma = vma->next) {
		if (!vma || vma->start.v > at)
			return false;
		if (vma->end.v >= end.v)
			return true;
	}
	return true;
}

/* Changes one whole VMA; a private mapping that becomes writable is a new promise and is accounted. */
static bool protect_vma(struct mm *mm, struct vma *vma, uint32_t prot)
{
	uint32_t flags = (vma->flags & ~(uint32_t)VMA_PROT) | prot;
	uint64_t pages = vma_bytes(vma) / PAGE_BYTES;
	if ((prot & VMA_WRITE) && !(flags & (VMA_ACCOUNT | VMA_NORESERVE))) {
		if (!mm_may_commit(mm, vma_bytes(vma), flags))
			return false;
		flags |= VMA_ACCOUNT;
		mm->committed += pages;
		mm->kernel->committed += pages;
	}
	vma->flags = flags;
	page_protect_range(mm, vma);
	emit(mm->kernel->bus, EVENT_VMA_CHANGE, vma->start.v, vma->end.v, event_text(vma_prot_text(flags)),
	     event_text(vma->name));
	return true;
}

int64_t sys_mprotect(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	struct vaddr start = vaddr(args[0]), end;
	uint64_t bytes;
	if (page_offset(args[0]) != 0 || (args[2] & ~(uint64_t)VMA_PROT))
		return -LINUX_EINVAL;
	if (args[1] == 0)
		return 0;
	if (!page_length(mm, args[1], &bytes) || !in_user_half(mm, start.v, bytes))
		return -LINUX_ENOMEM;
	end = vaddr_add(start, bytes);
	if (!is_covered(mm, start, end))
		return -LINUX_ENOMEM;
	int64_t error = mm_may_cut(mm, start, bytes);
	if (error)
		return error;
	if (!split_at(mm, start) || !split_at(mm, end))
		return -LINUX_ENOMEM;
	struct vma *vma = vma_tree_find(&mm->vmas, start);
	while (vma && vma->start.v < end.v) {
		if (!protect_vma(mm, vma, (uint32_t)args[2]))
			return -LINUX_ENOMEM;
		vma = mm_try_merge(mm, vma)->next;
	}
	if (vma)
		mm_try_merge(mm, vma);
	return 0;
}

int64_t sys_madvise(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	struct vaddr start = vaddr(args[0]), end;
	uint64_t bytes = page_ceil(args[1]);
	if (page_offset(args[0]) != 0 || args[2] != LINUX_MADV_DONTNEED || (args[1] != 0 && bytes == 0) ||
	    !in_user_half(mm, start.v, bytes))
		return -LINUX_EINVAL;
	end = vaddr_add(start, bytes);
	int64_t error = mm_may_cut(mm, start, bytes);
	if (error == -LINUX_EINVAL)
		return error;
	for (const struct vma *vma = vma_tree_after(&mm->vmas, start); vma && vma->start.v < end.v; vma = vma->next) {
		uint64_t from = vma->start.v > start.v ? vma->start.v : start.v;
		uint64_t to = vma->end.v < end.v ? vma->end.v : end.v;
		page_zap_range(mm, vaddr(from), vaddr(to));
	}
	/* What was mapped has been dropped even when the range has holes. */
	return is_covered(mm, start, end) ? 0 : -LINUX_ENOMEM;
}
