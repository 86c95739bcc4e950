/* mmap and munmap: promises made and taken back. See the man pages and mm/mmap.c. */
#include "kernel_private.h"
#include "open_file.h"

enum { MAP_TYPE = 0x0f, MAP_SHARED_VALIDATE = 0x03 };

/* calc_vm_prot_bits and calc_vm_flag_bits. */
static uint32_t vma_flags_of(const struct mm *mm, const struct open_file *open, uint64_t prot, uint64_t flags)
{
	uint32_t vma_flags = (uint32_t)(prot & VMA_PROT) | VMA_MAY | mm->def_flags;
	vma_flags |= flags & LINUX_MAP_GROWSDOWN ? VMA_GROWSDOWN : 0;
	vma_flags |= flags & LINUX_MAP_LOCKED ? VMA_LOCKED : 0;
	vma_flags |= flags & LINUX_MAP_STACK ? VMA_NOHUGEPAGE : 0;
	vma_flags |= flags & LINUX_MAP_HUGETLB ? VMA_HUGETLB | VMA_DONTEXPAND : 0;
	vma_flags |= (flags & LINUX_MAP_SHARED) ? VMA_SHARED | VMA_MAYSHARE : 0;
	bool never = mm->kernel->config.overcommit == OVERCOMMIT_NEVER;
	/* What may not be written through the descriptor is shared only to look at. */
	if (open && !open_file_writes(open))
		vma_flags &= ~(uint32_t)(VMA_MAYWRITE | VMA_SHARED);
	vma_flags |= (flags & LINUX_MAP_NORESERVE) && !never ? VMA_NORESERVE : 0;
	return vma_flags;
}

/* do_mmap, before it looks for a place; *bytes becomes the length in whole pages. */
static int64_t check_request(const struct mm *mm, const struct open_file *open, const uint64_t args[6], unsigned level,
			     uint64_t *bytes)
{
	if (page_offset(args[5]) != 0)
		return -LINUX_EINVAL;
	if (!(args[3] & LINUX_MAP_ANONYMOUS) && !open)
		return -LINUX_EBADF;
	if (level == 0 || (open && (args[3] & LINUX_MAP_HUGETLB)))
		return -LINUX_EINVAL;
	const uint64_t length = level > 1 ? align_up(args[1], level_bytes(mm, level)) : args[1];
	if (length == 0)
		return -LINUX_EINVAL;
	if (!page_length(mm, length, bytes) || mm->vmas.count > mm->kernel->config.max_map_count)
		return -LINUX_ENOMEM;
	if (open && args[5] + *bytes < args[5])
		return -LINUX_EOVERFLOW;
	return 0;
}

/* do_mmap, behind the place. */
static int64_t check_rights(const struct mm *mm, const struct open_file *open, const struct area *area, uint64_t prot,
			    uint64_t flags)
{
	const uint64_t bytes = area->end.v - area->start.v;
	const uint32_t vma_flags = area->flags;
	if ((flags & LINUX_MAP_FIXED_NOREPLACE) && !vma_tree_is_free(&mm->vmas, area->start, bytes))
		return -LINUX_EEXIST;
	if ((flags & LINUX_MAP_LOCKED) && process_limit(mm_process(mm), RLIMIT_INDEX_MEMLOCK) == 0)
		return -LINUX_EPERM;
	if (!mm_may_lock(mm, vma_flags, bytes))
		return -LINUX_EAGAIN;
	uint64_t type = flags & MAP_TYPE;
	bool has_file = open || (flags & LINUX_MAP_HUGETLB);
	bool known = type == LINUX_MAP_SHARED || type == LINUX_MAP_PRIVATE || (has_file && type == MAP_SHARED_VALIDATE);
	if (known && type == MAP_SHARED_VALIDATE && (flags & LINUX_MAP_FIXED_NOREPLACE))
		return -LINUX_EOPNOTSUPP;
	if (open && ((type != LINUX_MAP_PRIVATE && (prot & LINUX_PROT_WRITE) && !open_file_writes(open)) ||
		     !open_file_reads(open)))
		return -LINUX_EACCES;
	bool grows = (vma_flags & VMA_GROWSDOWN) && (has_file || (vma_flags & VMA_SHARED));
	return known && !grows ? 0 : -LINUX_EINVAL;
}

/* Pages of [start, start + bytes) that are mapped, and those of them that are accounted: they will go. */
static void count_covered(const struct mm *mm, struct vaddr start, uint64_t bytes, uint64_t *mapped,
			  uint64_t *accounted)
{
	*mapped = *accounted = 0;
	for (const struct vma *vma = vma_tree_after(&mm->vmas, start); vma && vma->start.v < start.v + bytes;
	     vma = vma->next) {
		uint64_t from = vma->start.v > start.v ? vma->start.v : start.v;
		uint64_t to = vma->end.v < start.v + bytes ? vma->end.v : start.v + bytes;
		*mapped += (to - from) / PAGE_BYTES;
		*accounted += vma->flags & VMA_ACCOUNT ? (to - from) / PAGE_BYTES : 0;
	}
}

/* mmap_region: what must hold before the old mappings go. The charge that they free counts. */
static int64_t reserve(struct mm *mm, struct area *area, unsigned level)
{
	uint64_t bytes = area->end.v - area->start.v, pages = bytes / PAGE_BYTES, mapped, accounted;
	int64_t error = mm_prepare_cut(mm, area->start, bytes);
	if (error)
		return error;
	/* What will go is split off before anything is refused, and stays so: vms_gather_munmap_vmas. */
	mm_split_at(mm, area->start);
	mm_split_at(mm, area->end);
	count_covered(mm, area->start, bytes, &mapped, &accounted);
	if (!mm_may_expand(mm, area->flags, pages - mapped))
		return -LINUX_ENOMEM;
	if (area->flags & VMA_HUGETLB)
		return hugetlb_reserve(mm, area, level) ? 0 : -LINUX_ENOMEM;
	/* accountable_mapping: private memory that can be written. */
	if ((area->flags & (VMA_NORESERVE | VMA_SHARED | VMA_WRITE)) == VMA_WRITE) {
		if (!mm_charge(mm, (int64_t)(pages - accounted)))
			return -LINUX_ENOMEM;
		mm_charge_again(mm, accounted);
		area->flags |= VMA_ACCOUNT;
	}
	if ((area->flags & VMA_SHARED) && !area->file) {
		uint64_t promised = area->flags & VMA_NORESERVE ? 0 : pages;
		if (!mm_charge_shared(mm, promised))
			return -LINUX_ENOMEM;
		area->file = file_shmem(mm->kernel, bytes, promised);
	}
	return 0;
}

int64_t sys_mmap(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	uint64_t bytes, flags = args[3];
	const struct open_file *open = flags & LINUX_MAP_ANONYMOUS ? NULL : open_file_of(process, args[4]);
	struct area area = {.name = open ? open->file->path : "", .file = open ? open->file : NULL};
	const unsigned level = hugetlb_level(mm->layout, flags);
	int64_t error = check_request(mm, open, args, level, &bytes);
	if (!error)
		error = mm_place(mm, args[0], bytes, level_bytes(mm, level), flags, &area.start);
	if (error)
		return error;
	area.end = vaddr_add(area.start, bytes);
	area.flags = vma_flags_of(mm, open, args[2], flags);
	area.pgoff = area.flags & (VMA_SHARED | VMA_HUGETLB) ? 0 : area.start.v / PAGE_BYTES;
	if (open)
		area.pgoff = args[5] / PAGE_BYTES;
	error = check_rights(mm, open, &area, args[2], flags);
	if (!error)
		error = reserve(mm, &area, level);
	if (error)
		return error;
	bool locked = (area.flags & VMA_LOCKED) != 0;
	if (area.flags & VMA_HUGETLB) /* huge pages stay in RAM anyway */
		area.flags &= ~(uint32_t)VMA_LOCKED_MASK;
	mm_unmap(mm, area.start, bytes);
	mm_map(mm, &area);
	/* A populate that runs out of frames does not undo the mapping. */
	bool populates = (flags & (LINUX_MAP_POPULATE | LINUX_MAP_NONBLOCK)) == LINUX_MAP_POPULATE;
	if (populates || locked)
		(void)mm_populate(mm, area.start, bytes, true);
	return (int64_t)area.start.v;
}

/* do_vmi_munmap */
int64_t mm_munmap(struct mm *mm, uint64_t start, uint64_t length)
{
	uint64_t bytes = page_ceil(length);
	if (page_offset(start) != 0 || !in_user_half(mm, start, length) || bytes == 0)
		return -LINUX_EINVAL;
	int64_t error = mm_prepare_cut(mm, vaddr(start), bytes);
	if (!error)
		mm_unmap(mm, vaddr(start), bytes);
	return error;
}

int64_t sys_munmap(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	return mm_munmap(process->mm, args[0], args[1]);
}
