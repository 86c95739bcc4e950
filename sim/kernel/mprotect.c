/* mprotect: what may be done with a range. See mm/mprotect.c. */
#include "kernel_private.h"

/* mprotect_fixup: the promise that the new rights mean, before they are given. *flags gains or loses VMA_ACCOUNT. */
static bool account(struct mm *mm, const struct vma *vma, uint64_t pages, uint32_t *flags)
{
	if (!(*flags & VMA_WRITE)) {
		/* Memory that was never written has nothing to keep the promise for. */
		if ((vma->flags & VMA_ACCOUNT) && !vma->file && !vma->anon)
			*flags &= ~(uint32_t)VMA_ACCOUNT;
		return true;
	}
	if (!mm_may_expand(mm, *flags, pages) && mm_may_expand(mm, vma->flags, pages))
		return false;
	const uint32_t promised = VMA_ACCOUNT | VMA_WRITE | VMA_HUGETLB | VMA_SHARED | VMA_NORESERVE;
	if (vma->flags & promised)
		return true;
	*flags |= VMA_ACCOUNT;
	return mm_charge(mm, (int64_t)pages);
}

/* [start, end) of one VMA. *next is where the caller goes on: behind what the VMA has become. */
static int64_t protect(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end, uint32_t flags,
		       struct vaddr *next)
{
	uint32_t old_flags = vma->flags;
	uint64_t pages = (end.v - start.v) / PAGE_BYTES;
	bool charged = !(old_flags & VMA_ACCOUNT);
	*next = end;
	if (flags & VMA_PROT & ~(flags >> (VMA_BIT_MAYREAD - VMA_BIT_READ)))
		return -LINUX_EACCES;
	if (flags == old_flags)
		return 0;
	if (!account(mm, vma, pages, &flags))
		return -LINUX_ENOMEM;
	charged = charged && (flags & VMA_ACCOUNT);
	int64_t error = mm_modify(mm, &vma, start, end, flags);
	if (error) {
		(void)mm_charge(mm, charged ? -(int64_t)pages : 0);
		return error;
	}
	vma->flags = flags;
	mm_count(mm, old_flags, pages, false);
	mm_count(mm, flags, pages, true);
	if ((old_flags & VMA_ACCOUNT) && !(flags & VMA_ACCOUNT))
		(void)mm_charge(mm, -(int64_t)pages);
	page_protect_range(mm, vma, start, end);
	emit(mm->kernel->bus, EVENT_VMA_CHANGE, vma->start.v, vma->end.v, event_text(vma_prot_text(flags)),
	     event_text(vma->name));
	/* Locked private memory that becomes writable is copied now, not at the next write. */
	if ((old_flags & (VMA_WRITE | VMA_SHARED | VMA_LOCKED)) == VMA_LOCKED && (flags & VMA_WRITE))
		(void)mm_populate(mm, start, end.v - start.v, true);
	return 0;
}

/* PROT_GROWSDOWN: the range begins where the stack begins. */
static int64_t find_first(struct mm *mm, struct vaddr *start, struct vaddr end, bool grows_down, struct vma **out)
{
	struct vma *vma = vma_tree_after(&mm->vmas, *start);
	*out = vma;
	if (!vma || vma->start.v >= end.v)
		return -LINUX_ENOMEM;
	if (!grows_down)
		return vma->start.v > start->v ? -LINUX_ENOMEM : 0;
	*start = vma->start;
	return vma->flags & VMA_GROWSDOWN ? 0 : -LINUX_EINVAL;
}

/* All VMAs up to the first hole are changed, also when there is one. */
int64_t sys_mprotect(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	uint64_t bytes = page_ceil(args[1]), prot = args[2] & ~(uint64_t)LINUX_PROT_GROWSDOWN;
	struct vaddr start = vaddr(args[0]), end = vaddr_add(start, bytes);
	struct vma *vma;
	if (page_offset(args[0]) != 0)
		return -LINUX_EINVAL;
	if (args[1] == 0)
		return 0;
	if (end.v <= start.v)
		return -LINUX_ENOMEM;
	if (prot & ~(uint64_t)VMA_PROT)
		return -LINUX_EINVAL;
	int64_t error = find_first(mm, &start, end, (args[2] & LINUX_PROT_GROWSDOWN) != 0, &vma);
	while (!error && start.v < end.v) {
		if (!vma || vma->start.v > start.v)
			return -LINUX_ENOMEM;
		struct vaddr stop = vaddr(vma->end.v < end.v ? vma->end.v : end.v);
		error = protect(mm, vma, start, stop, (vma->flags & ~(uint32_t)VMA_PROT) | (uint32_t)prot, &start);
		vma = vma_tree_after(&mm->vmas, start);
	}
	return error;
}
