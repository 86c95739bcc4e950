/* mremap: grow, shrink or move a mapping; its page-table entries move, its frames stay. See mm/mremap.c, whose names
 * the steps have. */
#include "kernel_private.h"

/* One call; for a move of several VMAs, one of them at a time. */
struct remap {
	struct mm *mm;
	struct vma *vma;
	struct vaddr from, to;
	uint64_t old_bytes, new_bytes, flags;
	bool populates; /* what grew is locked */
};

static bool implies_new_address(const struct remap *remap)
{
	return (remap->flags & (LINUX_MREMAP_FIXED | LINUX_MREMAP_DONTUNMAP)) != 0;
}

static bool overlaps(const struct remap *remap)
{
	return remap->from.v < remap->to.v + remap->new_bytes && remap->to.v < remap->from.v + remap->old_bytes;
}

/* check_mremap_params */
static int64_t check_params(const struct remap *remap)
{
	const uint64_t known = LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_FIXED | LINUX_MREMAP_DONTUNMAP;
	if ((remap->flags & ~known) || page_offset(remap->from.v) != 0 || remap->new_bytes == 0 ||
	    remap->new_bytes > remap->mm->layout->task_size)
		return -LINUX_EINVAL;
	if (!implies_new_address(remap))
		return 0;
	if (!in_user_half(remap->mm, remap->to.v, remap->new_bytes) || page_offset(remap->to.v) != 0 ||
	    !(remap->flags & LINUX_MREMAP_MAYMOVE))
		return -LINUX_EINVAL;
	if ((remap->flags & LINUX_MREMAP_DONTUNMAP) && remap->old_bytes != remap->new_bytes)
		return -LINUX_EINVAL;
	if (overlaps(remap))
		return -LINUX_EINVAL;
	/* Both ranges may have to be split before the move, and move_vma wants four maps to spare. */
	return mm_is_full(remap->mm, 6) ? -LINUX_ENOMEM : 0;
}

/* A mapping of huge pages may be shortened and moved, by whole pages. */
static bool align_hugetlb(struct remap *remap)
{
	const uint64_t huge = vma_page_bytes(remap->mm, remap->vma);
	remap->old_bytes = align_up(remap->old_bytes, huge);
	remap->new_bytes = align_up(remap->new_bytes, huge);
	return remap->from.v % huge == 0 && remap->to.v % huge == 0 && remap->new_bytes <= remap->old_bytes;
}

/* check_prep_vma */
static int64_t check_vma(struct remap *remap)
{
	const struct vma *vma = remap->vma;
	if (!vma)
		return -LINUX_EFAULT;
	if ((vma->flags & VMA_HUGETLB) && !align_hugetlb(remap))
		return -LINUX_EINVAL;
	uint64_t old_bytes = remap->old_bytes, new_bytes = remap->new_bytes;
	if (!implies_new_address(remap) && new_bytes <= old_bytes)
		return 0;
	/* Nothing long is the old idiom for a second view of shared memory. */
	if (old_bytes == 0 && !(vma->flags & (VMA_SHARED | VMA_MAYSHARE)))
		return -LINUX_EINVAL;
	if ((remap->flags & LINUX_MREMAP_DONTUNMAP) && (vma->flags & VMA_DONTEXPAND))
		return -LINUX_EINVAL;
	if (old_bytes > new_bytes)
		old_bytes = new_bytes;
	if (old_bytes > vma->end.v - remap->from.v)
		return -LINUX_EFAULT;
	if (new_bytes <= old_bytes)
		return 0;
	uint64_t more = new_bytes - old_bytes;
	if (!mm_may_lock(remap->mm, vma->flags, more))
		return -LINUX_EAGAIN;
	return mm_may_expand(remap->mm, vma->flags, more / PAGE_BYTES) ? 0 : -LINUX_ENOMEM;
}

/* vrm_calc_charge: nothing is promised twice, unless the old mapping stays. */
static bool charge(struct remap *remap)
{
	uint64_t bytes = remap->new_bytes - remap->old_bytes;
	if (remap->flags & LINUX_MREMAP_DONTUNMAP)
		bytes = remap->new_bytes;
	return !(remap->vma->flags & VMA_ACCOUNT) || mm_charge(remap->mm, (int64_t)(bytes / PAGE_BYTES));
}

/* ---- moving ---- */

/* copy_vma: the new mapping joins its neighbours where it can. Memory that was never written has no page numbers to
 * keep. */
static void copy_vma(struct remap *remap)
{
	struct mm *mm = remap->mm;
	struct area area = area_of(remap->vma, remap->from, remap->from);
	area.start = remap->to;
	area.end = vaddr_add(remap->to, remap->new_bytes);
	if (!remap->vma->file && !remap->vma->anon)
		area.pgoff = remap->to.v / PAGE_BYTES;
	mm_map(mm, &area);
	remap->vma = vma_tree_find(&mm->vmas, remap->from); /* it may have been taken in */
}

/* unmap_source_vma: the promise has moved with the pages. */
static void unmap_source(struct remap *remap)
{
	struct mm *mm = remap->mm;
	if (remap->vma->flags & VMA_ACCOUNT)
		mm_charge_again(mm, remap->old_bytes / PAGE_BYTES);
	mm_unmap(mm, remap->from, remap->old_bytes);
}

/* dontunmap_complete: the old mapping stays, empty and unlocked. */
static void keep_source(struct remap *remap)
{
	struct vma *vma = remap->vma;
	vma->flags &= ~(uint32_t)VMA_LOCKED_MASK;
	if (vma->start.v == remap->from.v && vma->end.v == remap->from.v + remap->old_bytes)
		vma->anon = 0;
}

static bool move_pages(const struct remap *remap)
{
	if (remap->vma->flags & VMA_HUGETLB)
		return hugetlb_move(remap->vma, remap->from, remap->to, remap->old_bytes);
	return page_move_range(remap->mm, remap->from, remap->to, remap->old_bytes);
}

static int64_t move(struct remap *remap)
{
	struct mm *mm = remap->mm;
	if (mm_is_full(mm, 4))
		return -LINUX_ENOMEM;
	if (!charge(remap))
		return -LINUX_ENOMEM;
	uint64_t locked = remap->vma->flags & VMA_LOCKED;
	copy_vma(remap);
	if (!move_pages(remap)) {
		/* The promise of the new mapping goes with it. */
		if ((remap->vma->flags & VMA_ACCOUNT) && !(remap->flags & LINUX_MREMAP_DONTUNMAP))
			mm_charge_again(mm, remap->old_bytes / PAGE_BYTES);
		mm_unmap(mm, remap->to, remap->new_bytes);
		return -LINUX_ENOMEM;
	}
	if (remap->vma->reserves)
		hugetlb_move_promise(remap->vma, remap->from, vaddr_add(remap->from, remap->old_bytes));
	remap->populates = locked && remap->new_bytes > remap->old_bytes;
	if (remap->flags & LINUX_MREMAP_DONTUNMAP)
		keep_source(remap);
	else if (remap->old_bytes > 0)
		unmap_source(remap);
	return (int64_t)remap->to.v;
}

/* vrm_set_new_addr */
static int64_t choose_place(struct remap *remap)
{
	uint64_t hint = implies_new_address(remap) ? remap->to.v : 0;
	uint64_t flags = remap->flags & LINUX_MREMAP_FIXED ? LINUX_MAP_FIXED : 0;
	if (remap->vma->flags & VMA_MAYSHARE)
		flags |= LINUX_MAP_SHARED;
	return mm_place(remap->mm, hint, remap->new_bytes, vma_page_bytes(remap->mm, remap->vma), flags, &remap->to);
}

static int64_t move_to_new_place(struct remap *remap)
{
	int64_t error = choose_place(remap);
	return error ? error : move(remap);
}

/* mremap_to */
static int64_t move_to(struct remap *remap)
{
	struct mm *mm = remap->mm;
	if (remap->flags & LINUX_MREMAP_FIXED) {
		int64_t error = mm_munmap(mm, remap->to.v, remap->new_bytes);
		if (error)
			return error;
		remap->vma = vma_tree_find(&mm->vmas, remap->from);
		if (!remap->vma)
			return -LINUX_EFAULT;
	}
	if (remap->old_bytes > remap->new_bytes) {
		uint64_t less = remap->old_bytes - remap->new_bytes;
		int64_t error = mm_munmap(mm, remap->from.v + remap->new_bytes, less);
		if (error)
			return error;
		remap->old_bytes = remap->new_bytes;
		remap->vma = vma_tree_find(&mm->vmas, remap->from);
	}
	if ((remap->flags & LINUX_MREMAP_DONTUNMAP) &&
	    !mm_may_expand(mm, remap->vma->flags, remap->old_bytes / PAGE_BYTES))
		return -LINUX_ENOMEM;
	return move_to_new_place(remap);
}

/* ---- in place ---- */

/* expand_vma_in_place: the area above is taken in, and so is a neighbour that it reaches. */
static int64_t expand_in_place(struct remap *remap)
{
	struct mm *mm = remap->mm;
	struct vma *vma = remap->vma;
	uint64_t more = remap->new_bytes - remap->old_bytes;
	if (!charge(remap))
		return -LINUX_ENOMEM;
	struct area area = area_of(vma, vma->end, vma->end);
	area.end = vaddr_add(vma->end, more);
	struct vma *merged = mm_merge_new(mm, &area, false);
	BUG_ON(!merged);
	mm_count(mm, area.flags, more / PAGE_BYTES, true);
	if (area.flags & VMA_LOCKED)
		mm->locked_vm += more / PAGE_BYTES;
	remap->populates = (area.flags & VMA_LOCKED) != 0;
	emit(mm->kernel->bus, EVENT_VMA_CHANGE, merged->start.v, merged->end.v,
	     event_text(vma_prot_text(merged->flags)), event_text(merged->name));
	return (int64_t)remap->from.v;
}

/* vrm_can_expand_in_place */
static bool can_expand(const struct remap *remap)
{
	const struct vma *vma = remap->vma;
	uint64_t more = remap->new_bytes - remap->old_bytes;
	return vma->end.v == remap->from.v + remap->old_bytes &&
	       in_user_half(remap->mm, vma->start.v, vma_bytes(vma) + more) &&
	       vma_tree_is_free(&remap->mm->vmas, vma->end, more);
}

/* mremap_at */
static int64_t resize(struct remap *remap)
{
	if (remap->new_bytes < remap->old_bytes) {
		int64_t error = mm_munmap(remap->mm, remap->from.v + remap->new_bytes,
					  remap->old_bytes - remap->new_bytes);
		return error ? error : (int64_t)remap->from.v;
	}
	if (remap->new_bytes == remap->old_bytes)
		return (int64_t)remap->from.v;
	if (can_expand(remap))
		return expand_in_place(remap);
	return remap->flags & LINUX_MREMAP_MAYMOVE ? move_to_new_place(remap) : -LINUX_ENOMEM;
}

/* remap_move: a fixed move without a change of size takes along all VMAs of the range, and the holes between them. */
static int64_t move_all(const struct remap *whole)
{
	struct mm *mm = whole->mm;
	const uint64_t end = whole->from.v + whole->old_bytes;
	int64_t result = -LINUX_EFAULT;
	uint64_t at = whole->from.v;
	while (at < end) {
		struct vma *vma = vma_tree_after(&mm->vmas, vaddr(at));
		if (!vma || vma->start.v >= end)
			break;
		if (result < 0 && vma->start.v > at)
			return -LINUX_EFAULT;
		uint64_t from = vma->start.v > at ? vma->start.v : at;
		struct remap part = *whole;
		part.vma = vma;
		part.from = vaddr(from);
		part.to = vaddr(whole->to.v + (from - whole->from.v));
		part.old_bytes = part.new_bytes = (vma->end.v < end ? vma->end.v : end) - from;
		at = from + part.old_bytes;
		int64_t error = check_vma(&part);
		int64_t moved = error ? error : move_to(&part);
		if (moved < 0)
			return moved;
		result = result < 0 ? moved : result;
	}
	return result;
}

int64_t sys_mremap(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	struct remap remap = {.mm = mm,
			      .from = vaddr(args[0]),
			      .to = vaddr(args[4]),
			      .old_bytes = page_ceil(args[1]),
			      .new_bytes = page_ceil(args[2]),
			      .flags = args[3]};
	int64_t result = check_params(&remap);
	if (result)
		return result;
	if ((remap.flags & LINUX_MREMAP_FIXED) && remap.old_bytes == remap.new_bytes)
		return move_all(&remap);
	remap.vma = vma_tree_find(&mm->vmas, remap.from);
	result = check_vma(&remap);
	if (result)
		return result;
	uint64_t old_bytes = remap.old_bytes;
	result = implies_new_address(&remap) ? move_to(&remap) : resize(&remap);
	if (result > 0 && remap.populates)
		(void)mm_populate(mm, vaddr((uint64_t)result + old_bytes), remap.new_bytes - old_bytes, true);
	return result;
}
