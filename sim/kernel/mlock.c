/* mlock, mlock2, munlock, mlockall, munlockall: pages that stay. See mm/mlock.c. */
#include "kernel_private.h"

static bool can_lock(const struct process *process)
{
	return process_limit(process, RLIMIT_INDEX_MEMLOCK) != 0;
}

/* mlock_fixup: [start, end) of one VMA gets these lock flags. */
static int64_t lock_vma(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end, uint32_t lock)
{
	uint32_t old_flags = vma->flags, flags = (old_flags & ~(uint32_t)VMA_LOCKED_MASK) | lock;
	uint64_t pages = (end.v - start.v) / PAGE_BYTES;
	if (flags == old_flags || (old_flags & VMA_HUGETLB))
		return 0;
	int64_t error = mm_modify(mm, &vma, start, end, flags);
	if (error)
		return error;
	if (!(flags & VMA_LOCKED))
		mm->locked_vm -= pages;
	else if (!(old_flags & VMA_LOCKED))
		mm->locked_vm += pages;
	vma->flags = flags;
	return 0;
}

/* apply_vma_lock_flags: all VMAs up to the first hole are changed, also when there is one. */
static int64_t lock_range(struct mm *mm, struct vaddr start, struct vaddr end, uint32_t lock)
{
	if (end.v < start.v)
		return -LINUX_EINVAL;
	while (start.v < end.v) {
		struct vma *vma = vma_tree_find(&mm->vmas, start);
		if (!vma)
			return -LINUX_ENOMEM;
		struct vaddr stop = vaddr(vma->end.v < end.v ? vma->end.v : end.v);
		int64_t error = lock_vma(mm, vma, start, stop, lock);
		if (error)
			return error;
		start = stop;
	}
	return 0;
}

/* count_mm_mlocked_page_nr: a range beyond the end of all addresses ends there. */
static uint64_t locked_pages(const struct mm *mm, struct vaddr start, uint64_t bytes)
{
	struct vaddr end = vaddr(bytes > UINT64_MAX - start.v ? UINT64_MAX : start.v + bytes);
	uint64_t pages = 0;
	for (const struct vma *vma = vma_tree_after(&mm->vmas, start); vma && vma->start.v < end.v; vma = vma->next) {
		uint64_t from = vma->start.v > start.v ? vma->start.v : start.v;
		uint64_t to = vma->end.v < end.v ? vma->end.v : end.v;
		pages += vma->flags & VMA_LOCKED ? (to - from) / PAGE_BYTES : 0;
	}
	return pages;
}

static int64_t do_lock(struct process *process, uint64_t at, uint64_t length, uint32_t lock)
{
	struct mm *mm = process->mm;
	if (!can_lock(process))
		return -LINUX_EPERM;
	struct vaddr start = vaddr(page_floor(at));
	uint64_t bytes = page_ceil(length + page_offset(at));
	struct vaddr end = vaddr_add(start, bytes);
	uint64_t limit = process_limit(process, RLIMIT_INDEX_MEMLOCK) / PAGE_BYTES;
	uint64_t pages = bytes / PAGE_BYTES + mm->locked_vm;
	/* What is locked already is not counted twice. */
	if (pages > limit)
		pages -= locked_pages(mm, start, bytes);
	if (pages > limit)
		return -LINUX_ENOMEM;
	int64_t error = lock_range(mm, start, end, lock);
	if (!error)
		error = mm_populate(mm, start, bytes, false);
	/* __mlock_posix_error_return */
	if (error == -LINUX_EFAULT)
		return -LINUX_ENOMEM;
	return error;
}

int64_t sys_mlock(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	return do_lock(process, args[0], args[1], VMA_LOCKED);
}

int64_t sys_mlock2(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	if (args[2] & ~(uint64_t)LINUX_MLOCK_ONFAULT)
		return -LINUX_EINVAL;
	uint32_t on_fault = args[2] & LINUX_MLOCK_ONFAULT ? VMA_LOCKONFAULT : 0;
	return do_lock(process, args[0], args[1], VMA_LOCKED | on_fault);
}

int64_t sys_munlock(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct vaddr start = vaddr(page_floor(args[0]));
	return lock_range(process->mm, start, vaddr_add(start, page_ceil(args[1] + page_offset(args[0]))), 0);
}

/* apply_mlockall_flags: what cannot be split off keeps its flags. */
static void lock_all(struct mm *mm, uint64_t flags)
{
	uint32_t lock = VMA_LOCKED | (flags & LINUX_MCL_ONFAULT ? VMA_LOCKONFAULT : 0);
	mm->def_flags = flags & LINUX_MCL_FUTURE ? lock : 0;
	if ((flags & LINUX_MCL_FUTURE) && !(flags & LINUX_MCL_CURRENT))
		return;
	struct vaddr at = vaddr(0);
	for (struct vma *vma; (vma = vma_tree_after(&mm->vmas, at));) {
		at = vma->end;
		(void)lock_vma(mm, vma, vma->start, vma->end, flags & LINUX_MCL_CURRENT ? lock : 0);
	}
}

int64_t sys_mlockall(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	const uint64_t known = LINUX_MCL_CURRENT | LINUX_MCL_FUTURE | LINUX_MCL_ONFAULT;
	struct mm *mm = process->mm;
	uint64_t flags = args[0];
	if (flags == 0 || (flags & ~known) || flags == LINUX_MCL_ONFAULT)
		return -LINUX_EINVAL;
	if (!can_lock(process))
		return -LINUX_EPERM;
	bool current = (flags & LINUX_MCL_CURRENT) != 0;
	if (current && mm->total_vm > process_limit(process, RLIMIT_INDEX_MEMLOCK) / PAGE_BYTES)
		return -LINUX_ENOMEM;
	lock_all(mm, flags);
	if (current)
		(void)mm_populate(mm, vaddr(0), mm->layout->task_size, true);
	return 0;
}

int64_t sys_munlockall(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel, (void)args;
	lock_all(process->mm, 0);
	return 0;
}
