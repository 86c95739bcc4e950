/* brk, mmap, munmap, mprotect, madvise: promises made, changed and taken back. See the man pages and mm/mmap.c. */
#include "kernel_private.h"

/* Anonymous private memory, the only kind that ring 3 can ask for. */
enum {
	MAP_KNOWN = LINUX_MAP_PRIVATE | LINUX_MAP_ANONYMOUS | LINUX_MAP_FIXED | LINUX_MAP_NORESERVE |
		    LINUX_MAP_POPULATE | LINUX_MAP_FIXED_NOREPLACE
};

/* Rounds a length up to pages; false when it is zero or cannot fit into any address space. */
static bool page_length(uint64_t bytes, uint64_t *out)
{
	*out = page_ceil(bytes);
	return bytes != 0 && *out != 0 && *out <= TASK_SIZE;
}

static bool in_user_half(uint64_t start, uint64_t bytes)
{
	return bytes <= TASK_SIZE && start <= TASK_SIZE - bytes;
}

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
	if (new_end.v > TASK_SIZE || (next && new_end.v + PAGE_BYTES > next->start.v - guard))
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
	if (wanted < mm->start_brk.v || wanted > TASK_SIZE)
		return (int64_t)mm->brk.v;
	struct vaddr old_end = vaddr(page_ceil(mm->brk.v)), new_end = vaddr(page_ceil(wanted));
	if (new_end.v < old_end.v)
		mm_unmap(mm, new_end, old_end.v - new_end.v);
	else if (new_end.v > old_end.v && !grow_heap(mm, old_end, new_end))
		return (int64_t)mm->brk.v;
	return wanted == mm->brk.v ? (int64_t)wanted : move_break(mm, wanted);
}

/* Where the mapping goes: the fixed address, the hint if it is free, else top-down. */
static int64_t choose_place(const struct mm *mm, uint64_t hint, uint64_t bytes, uint64_t flags, struct vaddr *out)
{
	*out = vaddr(page_floor(hint));
	if (flags & (LINUX_MAP_FIXED | LINUX_MAP_FIXED_NOREPLACE)) {
		if (page_offset(hint) != 0)
			return -LINUX_EINVAL;
		if (!in_user_half(hint, bytes))
			return -LINUX_ENOMEM;
		if (hint < VMA_LOWEST)
			return -LINUX_EPERM;
		if ((flags & LINUX_MAP_FIXED_NOREPLACE) && !vma_tree_is_free(&mm->vmas, *out, bytes))
			return -LINUX_EEXIST;
		return 0;
	}
	*out = vaddr(page_ceil(hint));
	if (hint != 0 && out->v >= VMA_LOWEST && in_user_half(out->v, bytes) &&
	    vma_tree_is_free(&mm->vmas, *out, bytes))
		return 0;
	return mm_find_place(mm, bytes, out) ? 0 : -LINUX_ENOMEM;
}

bool mm_populate(struct mm *mm, struct vaddr start, uint64_t bytes)
{
	const struct vma *vma = vma_tree_find(&mm->vmas, start);
	for (uint64_t done = 0; done < bytes; done += PAGE_BYTES) {
		struct vaddr va = vaddr_add(start, done);
		if (entry_used(table_get(mm, va)))
			continue;
		bool given = vma->flags & VMA_WRITE ? page_map_anon(mm, vma, va, FRAME_ANON)
						    : page_map_zero(mm, vma, va);
		if (!given)
			return false;
	}
	return true;
}

int64_t sys_mmap(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	struct mm *mm = process->mm;
	uint64_t prot = args[2], flags = args[3], bytes;
	struct vaddr at;
	if (args[1] == 0 || (flags & ~(uint64_t)MAP_KNOWN) || !(flags & LINUX_MAP_PRIVATE) ||
	    (prot & ~(uint64_t)VMA_PROT))
		return -LINUX_EINVAL;
	if (!(flags & LINUX_MAP_ANONYMOUS))
		return -LINUX_EBADF;
	if (!page_length(args[1], &bytes) || mm->vmas.count >= MAX_MAP_COUNT)
		return -LINUX_ENOMEM;
	int64_t error = choose_place(mm, args[0], bytes, flags, &at);
	if (error)
		return error;
	uint32_t vma_flags = (uint32_t)prot | (flags & LINUX_MAP_NORESERVE ? VMA_NORESERVE : 0);
	bool accounts = (prot & VMA_WRITE) &&
			(!(flags & LINUX_MAP_NORESERVE) || kernel->config.overcommit == OVERCOMMIT_NEVER);
	vma_flags |= accounts ? VMA_ACCOUNT : 0;
	if (accounts && !mm_may_commit(mm, bytes, vma_flags))
		return -LINUX_ENOMEM;
	if (!mm_may_unmap(mm, at, bytes))
		return -LINUX_ENOMEM;
	mm_unmap(mm, at, bytes);
	mm_map(mm, at, bytes, vma_flags, "");
	/* As on Linux, a populate that runs out of frames does not undo the mapping. */
	if ((flags & LINUX_MAP_POPULATE) && (prot & VMA_PROT))
		(void)mm_populate(mm, at, bytes);
	return (int64_t)at.v;
}

int64_t sys_munmap(struct kernel *kernel, struct process *process, const uint64_t args[6])
{
	(void)kernel;
	uint64_t bytes;
	if (page_offset(args[0]) != 0 || !page_length(args[1], &bytes) || !in_user_half(args[0], bytes))
		return -LINUX_EINVAL;
	if (!mm_may_unmap(process->mm, vaddr(args[0]), bytes))
		return -LINUX_ENOMEM;
	mm_unmap(process->mm, vaddr(args[0]), bytes);
	return 0;
}

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
	if (!page_length(args[1], &bytes) || !in_user_half(start.v, bytes))
		return -LINUX_ENOMEM;
	end = vaddr_add(start, bytes);
	if (!is_covered(mm, start, end) || !split_at(mm, start) || !split_at(mm, end))
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
	    !in_user_half(start.v, bytes))
		return -LINUX_EINVAL;
	end = vaddr_add(start, bytes);
	for (const struct vma *vma = vma_tree_after(&mm->vmas, start); vma && vma->start.v < end.v; vma = vma->next) {
		uint64_t from = vma->start.v > start.v ? vma->start.v : start.v;
		uint64_t to = vma->end.v < end.v ? vma->end.v : end.v;
		page_zap_range(mm, vaddr(from), vaddr(to));
	}
	/* What was mapped has been dropped even when the range has holes. */
	return is_covered(mm, start, end) ? 0 : -LINUX_ENOMEM;
}
