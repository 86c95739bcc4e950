/* mremap: grow, shrink or move a mapping; its page-table entries move, its frames stay. See mm/mremap.c. */
#include "kernel_private.h"

static bool can_grow_in_place(const struct mm *mm, const struct vma *vma, uint64_t address, uint64_t old_bytes,
			      uint64_t new_bytes)
{
	if (vma->end.v != address + old_bytes || !in_user_half(mm, address, new_bytes))
		return false;
	return vma_tree_is_free(&mm->vmas, vma->end, new_bytes - old_bytes);
}

static int64_t move(struct mm *mm, struct vma *vma, struct vaddr from, uint64_t old_bytes, struct vaddr to,
		    uint64_t new_bytes)
{
	uint32_t flags = vma->flags;
	const char *name = vma->name;
	mm_map(mm, to, new_bytes, flags, name);
	if (!page_move_range(mm, from, to, old_bytes < new_bytes ? old_bytes : new_bytes)) {
		mm_unmap(mm, to, new_bytes);
		return -LINUX_ENOMEM;
	}
	mm_unmap(mm, from, old_bytes);
	return (int64_t)to.v;
}

static int64_t move_fixed(struct mm *mm, struct vma *vma, const uint64_t args[6], uint64_t old_bytes,
			  uint64_t new_bytes)
{
	struct vaddr from = vaddr(args[0]), to = vaddr(args[4]);
	if (page_offset(to.v) != 0 || !in_user_half(mm, to.v, new_bytes))
		return -LINUX_EINVAL;
	if (from.v < to.v + new_bytes && to.v < from.v + old_bytes)
		return -LINUX_EINVAL;
	int64_t error = mm_may_cut(mm, to, new_bytes);
	if (error)
		return error;
	mm_unmap(mm, to, new_bytes);
	if (old_bytes > new_bytes) {
		mm_unmap(mm, vaddr_add(from, new_bytes), old_bytes - new_bytes);
		old_bytes = new_bytes;
	}
	vma = vma_tree_find(&mm->vmas, from);
	return move(mm, vma, from, old_bytes, to, new_bytes);
}

static int64_t grow(struct mm *mm, struct vma *vma, const uint64_t args[6], uint64_t old_bytes, uint64_t new_bytes)
{
	struct vaddr from = vaddr(args[0]), to;
	uint64_t more = new_bytes - old_bytes;
	if ((vma->flags & VMA_ACCOUNT) && !mm_may_commit(mm, more, vma->flags))
		return -LINUX_ENOMEM;
	if (can_grow_in_place(mm, vma, from.v, old_bytes, new_bytes)) {
		mm_resize(mm, vma, vma->start, vaddr_add(from, new_bytes));
		mm_try_merge(mm, vma);
		return (int64_t)from.v;
	}
	if (!(args[3] & LINUX_MREMAP_MAYMOVE) || mm->vmas.count >= MAX_MAP_COUNT - 3)
		return -LINUX_ENOMEM;
	if (!mm_find_place(mm, 0, new_bytes, &to))
		return -LINUX_ENOMEM;
	return move(mm, vma, from, old_bytes, to, new_bytes);
}

int64_t sys_mremap(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	uint64_t old_bytes = page_ceil(args[1]), new_bytes = page_ceil(args[2]), flags = args[3];
	struct vaddr from = vaddr(args[0]);
	bool fixed = (flags & LINUX_MREMAP_FIXED) != 0;
	if ((flags & ~(uint64_t)(LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED)) || page_offset(from.v) != 0 ||
	    new_bytes == 0 || (fixed && !(flags & LINUX_MREMAP_MAYMOVE)) || old_bytes == 0)
		return -LINUX_EINVAL;
	struct vma *vma = vma_tree_find(&mm->vmas, from);
	if (!vma || old_bytes > vma->end.v - from.v)
		return -LINUX_EFAULT;
	if (vma->flags & VMA_HUGE)
		return -LINUX_EINVAL;
	if (new_bytes > mm->layout->task_size)
		return -LINUX_ENOMEM;
	if (fixed)
		return move_fixed(mm, vma, args, old_bytes, new_bytes);
	if (new_bytes > old_bytes)
		return grow(mm, vma, args, old_bytes, new_bytes);
	if (new_bytes < old_bytes)
		mm_unmap(mm, vaddr_add(from, new_bytes), old_bytes - new_bytes);
	return (int64_t)from.v;
}
