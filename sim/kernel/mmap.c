/* mmap and munmap: promises made and taken back. See the man pages and mm/mmap.c. */
#include "kernel_private.h"

/* Anonymous private memory, the only kind that ring 3 can ask for. */
enum {
	MAP_KNOWN = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED | LINUX_MAP_NORESERVE |
		    LINUX_MAP_POPULATE | LINUX_MAP_FIXED_NOREPLACE | LINUX_MAP_HUGETLB
};

/* arch/x86/mm/mmap.c, mmap_address_hint_valid: a range may not straddle the end of the window. */
static bool hint_is_valid(const struct mm *mm, uint64_t start, uint64_t bytes)
{
	uint64_t window = mm->layout->window;
	return in_user_half(mm, start, bytes) && (start > window) == (start + bytes > window);
}

/* Where the mapping goes: the fixed address, the hint if it is free, else top-down. */
static int64_t choose_place(const struct mm *mm, uint64_t hint, uint64_t bytes, uint64_t flags, struct vaddr *out)
{
	const uint64_t unit = flags & LINUX_MAP_HUGETLB ? huge_bytes(mm) : PAGE_BYTES;
	*out = vaddr(hint);
	if (flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE)) {
		if (hint % unit != 0)
			return -LINUX_EINVAL;
		if (!in_user_half(mm, hint, bytes))
			return -LINUX_ENOMEM;
		if (hint < VMA_LOWEST)
			return -LINUX_EPERM;
		if ((flags & LINUX_MAP_FIXED_NOREPLACE) && !vma_tree_is_free(&mm->vmas, *out, bytes))
			return -LINUX_EEXIST;
		return 0;
	}
	*out = vaddr(align_up(hint, unit));
	if (hint != 0 && out->v >= VMA_LOWEST && hint_is_valid(mm, out->v, bytes) &&
	    vma_tree_is_free(&mm->vmas, *out, bytes))
		return 0;
	return mm_find_place(mm, hint, bytes, out) && out->v % unit == 0 ? 0 : -LINUX_ENOMEM;
}

bool mm_populate(struct mm *mm, struct vaddr start, uint64_t bytes)
{
	const struct vma *vma = vma_tree_find(&mm->vmas, start);
	for (uint64_t done = 0; done < bytes; done += PAGE_BYTES) {
		struct vaddr va = vaddr_add(start, done);
		if (entry_used(table_get(mm, va)))
			continue;
		if (!page_map(mm, vma, va, (vma->flags & VMA_WRITE) != 0))
			return false;
	}
	return true;
}

static uint32_t vma_flags_of(const struct kernel *kernel, uint64_t prot, uint64_t flags)
{
	bool reserves = !(flags & LINUX_MAP_NORESERVE) || kernel->config.overcommit == OVERCOMMIT_NEVER;
	uint32_t vma_flags = (uint32_t)prot;
	vma_flags |= flags & LINUX_MAP_NORESERVE ? VMA_NORESERVE : 0;
	vma_flags |= flags & LINUX_MAP_HUGETLB ? VMA_HUGE : 0;
	/* Private memory that cannot be written promises no frame. */
	vma_flags |= (prot & VMA_WRITE) && reserves ? VMA_ACCOUNT : 0;
	return vma_flags;
}

/* What is wrong with the request by itself; *bytes becomes the length in whole pages. */
static int64_t check_request(const struct mm *mm, const uint64_t args[6], uint64_t *bytes)
{
	uint64_t prot = args[2], flags = args[3];
	if (args[1] == 0 || (flags & ~(uint64_t)MAP_KNOWN) || !(flags & LINUX_MAP_PRIVATE) ||
	    (prot & ~(uint64_t)VMA_PROT))
		return -LINUX_EINVAL;
	if (!(flags & LINUX_MAP_ANONYMOUS))
		return -LINUX_EBADF;
	if (!page_length(mm, args[1], bytes) || mm->vmas.count >= MAX_MAP_COUNT)
		return -LINUX_ENOMEM;
	if (flags & LINUX_MAP_HUGETLB)
		*bytes = align_up(*bytes, huge_bytes(mm));
	return 0;
}

int64_t sys_mmap(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	struct mm *mm = process->mm;
	uint64_t bytes;
	struct vaddr at;
	int64_t error = check_request(mm, args, &bytes);
	if (!error)
		error = choose_place(mm, args[0], bytes, args[3], &at);
	if (error)
		return error;
	uint32_t flags = vma_flags_of(kernel, args[2], args[3]);
	if ((flags & VMA_ACCOUNT) && !mm_may_commit(mm, bytes, flags))
		return -LINUX_ENOMEM;
	error = mm_may_cut(mm, at, bytes);
	if (error)
		return error;
	mm_unmap(mm, at, bytes);
	mm_map(mm, at, bytes, flags, "");
	/* As on Linux, a populate that runs out of frames does not undo the mapping. */
	if ((args[3] & LINUX_MAP_POPULATE) && (args[2] & VMA_PROT))
		(void)mm_populate(mm, at, bytes);
	return (int64_t)at.v;
}

int64_t sys_munmap(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	const struct mm *mm = process->mm;
	uint64_t bytes;
	if (page_offset(args[0]) != 0 || !page_length(mm, args[1], &bytes) || !in_user_half(mm, args[0], bytes))
		return -LINUX_EINVAL;
	int64_t error = mm_may_cut(process->mm, vaddr(args[0]), bytes);
	if (!error)
		mm_unmap(process->mm, vaddr(args[0]), bytes);
	return error;
}
