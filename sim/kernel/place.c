/* Where a mapping goes: get_unmapped_area of mm/mmap.c, arch/x86/kernel/sys_x86_64.c, mm/huge_memory.c. */
#include "kernel_private.h"

/* mmap_address_hint_valid: a range may not straddle the end of the window. */
static bool hint_is_valid(const struct mm *mm, uint64_t start, uint64_t bytes)
{
	uint64_t window = mm->layout->window;
	return in_user_half(mm, start, bytes) && (start > window) == (start + bytes > window);
}

/* A hint above the window opens the part of user space that is left alone otherwise. */
static struct vaddr ceiling_for(const struct mm *mm, uint64_t hint)
{
	const struct layout *layout = mm->layout;
	return vaddr_add(mm->mmap_ceiling, hint > layout->window ? layout->task_size - layout->window : 0);
}

static bool at_hint(const struct mm *mm, uint64_t hint, uint64_t bytes, struct vaddr *out)
{
	*out = vaddr(hint);
	return hint != 0 && hint_is_valid(mm, hint, bytes) && vma_tree_has_room(&mm->vmas, vaddr(hint), bytes);
}

/* arch_get_unmapped_area_topdown: the hint if the next area leaves room for it, else the highest gap. */
static bool top_down(const struct mm *mm, uint64_t hint, uint64_t bytes, struct vaddr *out)
{
	return at_hint(mm, hint, bytes, out) || vma_tree_top_down(&mm->vmas, bytes, ceiling_for(mm, hint), out);
}

/* To a multiple of the size of huge pages, if a gap with room for the alignment exists. */
static bool huge_aligned(const struct mm *mm, uint64_t bytes, uint64_t huge, struct vaddr *out)
{
	struct vaddr at;
	if (bytes + huge < bytes || !vma_tree_top_down(&mm->vmas, bytes + huge, mm->mmap_ceiling, &at))
		return false;
	uint64_t up = align_up(at.v, huge);
	*out = vaddr(up == at.v ? at.v + huge : up);
	return true;
}

/* round_hint_to_min; hugetlb_get_unmapped_area then rounds up. */
static uint64_t round_hint(uint64_t hint, uint64_t unit)
{
	hint = page_floor(hint);
	return align_up(hint != 0 && hint < VMA_LOWEST ? VMA_LOWEST : hint, unit);
}

static int64_t fixed_place(const struct mm *mm, uint64_t at, uint64_t bytes, uint64_t unit)
{
	if (unit > PAGE_BYTES && at % unit != 0)
		return -LINUX_EINVAL;
	if (!in_user_half(mm, at, bytes))
		return -LINUX_ENOMEM;
	if (page_offset(at) != 0)
		return -LINUX_EINVAL;
	/* security_mmap_addr: only root may map below vm.mmap_min_addr. */
	return at < VMA_LOWEST ? -LINUX_EPERM : 0;
}

int64_t mm_place(const struct mm *mm, uint64_t hint, uint64_t bytes, uint64_t page_bytes, uint64_t map_flags,
		 struct vaddr *out)
{
	if (map_flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE)) {
		*out = vaddr(hint);
		return fixed_place(mm, hint, bytes, page_bytes);
	}
	hint = round_hint(hint, page_bytes);
	if (page_bytes > PAGE_BYTES)
		return at_hint(mm, hint, bytes, out) || huge_aligned(mm, bytes, page_bytes, out) ? 0 : -LINUX_ENOMEM;
	/* __thp_get_unmapped_area: whole huge pages, even where those are off. Only private memory without a hint:
	 * shared memory asks shmem, which has no huge pages by default. */
	bool aligns = hint == 0 && bytes % huge_bytes(mm) == 0 && !(map_flags & LINUX_MAP_SHARED);
	if (aligns && huge_aligned(mm, bytes, huge_bytes(mm), out))
		return 0;
	return top_down(mm, hint, bytes, out) ? 0 : -LINUX_ENOMEM;
}
