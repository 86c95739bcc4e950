/* brk(2): the heap is a VMA whose end the program moves. See mm/mmap.c, sys_brk and do_brk_flags. */
#include "kernel_private.h"

static int64_t move_break(struct mm *mm, uint64_t to)
{
	emit(mm->kernel->bus, EVENT_BREAK, mm->brk.v, to);
	mm->brk = vaddr(to);
	return (int64_t)to;
}

/* check_data_rlimit: the heap and the program's variables count together. */
static bool below_data_limit(const struct mm *mm, uint64_t brk)
{
	uint64_t limit = process_limit(mm_process(mm), RLIMIT_INDEX_DATA);
	return limit == LINUX_RLIM_INFINITY || brk - mm->start_brk.v + mm->end_data.v - mm->start_data.v <= limit;
}

/* A page must stay free above the heap, and the guard gap below a stack. */
static bool has_room(const struct mm *mm, struct vaddr old_end, struct vaddr new_end)
{
	if (new_end.v > mm->layout->task_size || !mm_may_lock(mm, mm->def_flags, new_end.v - old_end.v))
		return false;
	return vma_tree_has_room(&mm->vmas, old_end, new_end.v + PAGE_BYTES - old_end.v);
}

static bool grow_heap(struct mm *mm, struct vaddr old_end, struct vaddr new_end)
{
	uint64_t pages = (new_end.v - old_end.v) / PAGE_BYTES;
	struct area area = {.start = old_end,
			    .end = new_end,
			    .flags = VMA_READ | VMA_WRITE | VMA_MAY | VMA_ACCOUNT | mm->def_flags,
			    .pgoff = old_end.v / PAGE_BYTES,
			    .name = "[heap]"};
	if (!has_room(mm, old_end, new_end) || !mm_may_expand(mm, area.flags, pages) ||
	    mm->vmas.count > mm->kernel->config.max_map_count || !mm_charge(mm, (int64_t)pages))
		return false;
	/* Nothing below the first break is expanded: the heap begins as a VMA of its own. */
	struct vma *merged = old_end.v > mm->start_brk.v ? mm_merge_new(mm, &area, true) : NULL;
	if (!merged) {
		mm_map_alone(mm, &area);
		return true;
	}
	mm_count(mm, area.flags, pages, true);
	if (area.flags & VMA_LOCKED)
		mm->locked_vm += pages;
	emit(mm->kernel->bus, EVENT_VMA_CHANGE, merged->start.v, merged->end.v, event_text("rw-"),
	     event_text(merged->name));
	return true;
}

/* True when something of the heap lies there. */
static bool shrink_heap(struct mm *mm, struct vaddr new_end, struct vaddr old_end)
{
	const struct vma *vma = vma_tree_after(&mm->vmas, new_end);
	if (!vma || vma->start.v >= old_end.v || mm_prepare_cut(mm, new_end, old_end.v - new_end.v) != 0)
		return false;
	mm_unmap(mm, new_end, old_end.v - new_end.v);
	return true;
}

/* The result is the break: the old one when the request cannot be met, which is how brk(2) fails. */
int64_t sys_brk(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	uint64_t wanted = args[0];
	if (wanted < mm->start_brk.v || wanted > mm->layout->task_size || !below_data_limit(mm, wanted))
		return (int64_t)mm->brk.v;
	struct vaddr old_end = vaddr(page_ceil(mm->brk.v)), new_end = vaddr(page_ceil(wanted));
	if (new_end.v < old_end.v && !shrink_heap(mm, new_end, old_end))
		return (int64_t)mm->brk.v;
	if (new_end.v > old_end.v && !grow_heap(mm, old_end, new_end))
		return (int64_t)mm->brk.v;
	if (wanted != mm->brk.v)
		(void)move_break(mm, wanted);
	if (new_end.v > old_end.v && (mm->def_flags & VMA_LOCKED))
		(void)mm_populate(mm, old_end, new_end.v - old_end.v, true);
	return (int64_t)wanted;
}
