/* brk(2): the heap is a VMA whose end the program moves. See mm/mmap.c, sys_brk. */
#include "kernel_private.h"

static int64_t move_break(struct mm *mm, uint64_t to)
{
	emit(mm->kernel->bus, EVENT_BREAK, mm->brk.v, to);
	mm->brk = vaddr(to);
	return (int64_t)to;
}

static bool grow_heap(struct mm *mm, struct vaddr old_end, struct vaddr new_end)
{
	const uint32_t flags = VMA_READ | VMA_WRITE | VMA_HEAP | VMA_ACCOUNT;
	uint64_t bytes = new_end.v - old_end.v;
	struct vma *next = vma_tree_after(&mm->vmas, old_end);
	uint64_t guard = next && (next->flags & VMA_GROWSDOWN) ? VMA_STACK_GUARD_BYTES : 0;
	if (new_end.v > mm->layout->task_size || (next && new_end.v + PAGE_BYTES > next->start.v - guard))
		return false;
	if (!mm_may_commit(mm, bytes, flags) || mm->vmas.count >= MAX_MAP_COUNT)
		return false;
	struct vma *heap = old_end.v > mm->start_brk.v ? vma_tree_find(&mm->vmas, vaddr(old_end.v - 1)) : NULL;
	if (heap && (heap->flags & VMA_HEAP) && heap->flags == flags)
		mm_resize(mm, heap, heap->start, new_end);
	else
		mm_map(mm, old_end, bytes, flags, "[heap]");
	return true;
}

/* The result is the break: the old one when the request cannot be met, which is how brk(2) fails. */
int64_t sys_brk(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	uint64_t wanted = args[0];
	if (wanted < mm->start_brk.v || wanted > mm->layout->task_size)
		return (int64_t)mm->brk.v;
	struct vaddr old_end = vaddr(page_ceil(mm->brk.v)), new_end = vaddr(page_ceil(wanted));
	if (new_end.v < old_end.v)
		mm_unmap(mm, new_end, old_end.v - new_end.v);
	else if (new_end.v > old_end.v && !grow_heap(mm, old_end, new_end))
		return (int64_t)mm->brk.v;
	return wanted == mm->brk.v ? (int64_t)wanted : move_break(mm, wanted);
}
