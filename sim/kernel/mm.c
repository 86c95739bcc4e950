/* Address spaces: VMAs come, go, split, merge and change size. No frame is given here. */
#include "kernel_private.h"

static bool same_kind(const struct vma *a, const struct vma *b)
{
	return a->flags == b->flags && a->name == b->name;
}

static void count_virtual(struct mm *mm, uint64_t bytes, uint32_t flags, bool add)
{
	uint64_t pages = flags & VMA_ACCOUNT ? bytes / PAGE_BYTES : 0;
	mm->virtual_bytes += add ? bytes : -bytes;
	mm->committed += add ? pages : -pages;
	mm->kernel->committed += add ? pages : -pages;
}

bool mm_may_commit(const struct mm *mm, uint64_t bytes, uint32_t flags)
{
	const struct kernel *kernel = mm->kernel;
	uint64_t pages = bytes / PAGE_BYTES, total = frame_pool_total(kernel->frames);
	switch (kernel->config.overcommit) {
	case OVERCOMMIT_ALWAYS:
		return true;
	case OVERCOMMIT_NEVER:
		/* vm.overcommit_ratio is 50 by default. */
		return kernel->committed + pages <= total / 2;
	case OVERCOMMIT_HEURISTIC:
	case OVERCOMMIT_COUNT:
		break;
	}
	return (flags & VMA_NORESERVE) || pages <= total;
}

static struct vma *new_vma(struct mm *mm, struct vaddr start, struct vaddr end, uint32_t flags, const char *name)
{
	struct vma *vma = pool_take(&mm->kernel->vma_pool);
	*vma = (struct vma){.start = start, .end = end, .flags = flags, .name = name};
	vma_tree_insert(&mm->vmas, vma);
	return vma;
}

static void drop_vma(struct mm *mm, struct vma *vma)
{
	vma_tree_remove(&mm->vmas, vma);
	pool_put(&mm->kernel->vma_pool, vma);
}

static void announce(struct mm *mm, const struct vma *vma)
{
	emit(mm->kernel->bus, EVENT_VMA_CHANGE, vma->start.v, vma->end.v, event_text(vma_prot_text(vma->flags)),
	     event_text(vma->name));
}

struct vma *mm_try_merge(struct mm *mm, struct vma *vma)
{
	struct vma *prev = vma->prev, *next = vma->next;
	if (prev && prev->end.v == vma->start.v && same_kind(prev, vma)) {
		struct vaddr end = vma->end;
		drop_vma(mm, vma);
		vma_tree_resize(&mm->vmas, prev, prev->start, end);
		vma = prev;
	}
	if (next && next->start.v == vma->end.v && same_kind(next, vma)) {
		struct vaddr end = next->end;
		drop_vma(mm, next);
		vma_tree_resize(&mm->vmas, vma, vma->start, end);
	}
	return vma;
}

struct vma *mm_map(struct mm *mm, struct vaddr start, uint64_t bytes, uint32_t flags, const char *name)
{
	struct vma *vma = new_vma(mm, start, vaddr_add(start, bytes), flags, name);
	count_virtual(mm, bytes, flags, true);
	emit(mm->kernel->bus, EVENT_VMA_ADD, start.v, start.v + bytes, event_text(vma_prot_text(flags)),
	     event_text(name));
	return mm_try_merge(mm, vma);
}

void mm_resize(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	count_virtual(mm, vma_bytes(vma), vma->flags, false);
	vma_tree_resize(&mm->vmas, vma, start, end);
	count_virtual(mm, vma_bytes(vma), vma->flags, true);
	announce(mm, vma);
}

bool mm_split(struct mm *mm, struct vma *vma, struct vaddr at)
{
	if (mm->vmas.count >= MAX_MAP_COUNT)
		return false;
	struct vaddr end = vma->end;
	vma_tree_resize(&mm->vmas, vma, vma->start, at);
	new_vma(mm, at, end, vma->flags, vma->name);
	return true;
}

/* Only a border of a huge page may become the border of a VMA of huge pages. */
static bool splits_huge_page(struct mm *mm, struct vaddr at)
{
	const struct vma *vma = at.v % huge_bytes(mm) == 0 ? NULL : vma_tree_find(&mm->vmas, at);
	return vma && (vma->flags & VMA_HUGE);
}

int64_t mm_may_cut(struct mm *mm, struct vaddr start, uint64_t bytes)
{
	const struct vma *vma = vma_tree_after(&mm->vmas, start);
	bool makes_hole = vma && vma->start.v < start.v && vma->end.v > start.v + bytes;
	if (makes_hole && mm->vmas.count >= MAX_MAP_COUNT)
		return -LINUX_ENOMEM;
	return splits_huge_page(mm, start) || splits_huge_page(mm, vaddr_add(start, bytes)) ? -LINUX_EINVAL : 0;
}

/* Cuts [start, end) out of one VMA. */
static void cut(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	struct vaddr old_start = vma->start, old_end = vma->end;
	count_virtual(mm, end.v - start.v, vma->flags, false);
	if (start.v > old_start.v) {
		vma_tree_resize(&mm->vmas, vma, old_start, start);
		if (end.v < old_end.v)
			new_vma(mm, end, old_end, vma->flags, vma->name);
	} else if (end.v < old_end.v) {
		vma_tree_resize(&mm->vmas, vma, end, old_end);
	} else {
		drop_vma(mm, vma);
	}
}

void mm_unmap(struct mm *mm, struct vaddr start, uint64_t bytes)
{
	struct vaddr end = vaddr_add(start, bytes);
	struct vma *vma = vma_tree_after(&mm->vmas, start);
	if (!vma || vma->start.v >= end.v)
		return;
	page_zap_range(mm, start, end);
	while (vma && vma->start.v < end.v) {
		struct vma *next = vma->next;
		struct vaddr from = vaddr(vma->start.v > start.v ? vma->start.v : start.v);
		struct vaddr to = vaddr(vma->end.v < end.v ? vma->end.v : end.v);
		emit(mm->kernel->bus, EVENT_VMA_REMOVE, from.v, to.v, event_text(vma->name));
		cut(mm, vma, from, to);
		vma = next;
	}
	table_prune(mm, start, end);
}

/* mm/huge_memory.c, thp_get_unmapped_area: a length that is a multiple of 2 MiB goes to a multiple of 2 MiB, if a gap
 * with room for the alignment exists, even where huge pages are off. */
bool mm_find_place(const struct mm *mm, uint64_t hint, uint64_t bytes, struct vaddr *out)
{
	const uint64_t huge = 2 * MIB;
	const struct layout *layout = mm->layout;
	struct vaddr ceiling = mm->mmap_ceiling;
	struct vaddr at;
	if (hint > layout->window)
		ceiling = vaddr_add(ceiling, layout->task_size - layout->window);
	if (bytes % huge == 0 && bytes + huge > bytes && vma_tree_top_down(&mm->vmas, bytes + huge, ceiling, &at)) {
		uint64_t up = align_up(at.v, huge);
		*out = vaddr(up == at.v ? at.v + huge : up);
		return true;
	}
	return vma_tree_top_down(&mm->vmas, bytes, ceiling, out);
}

struct mm *mm_new(struct kernel *kernel, struct process *process, const struct process_spec *spec)
{
	struct mm *mm = pool_take(&kernel->mm_pool);
	mm->kernel = kernel;
	mm->layout = kernel->layout;
	mm->process = process;
	mm->stack_limit = spec->stack_limit;
	mm->mmap_ceiling = spec->mmap_ceiling;
	mm->start_brk = mm->brk = spec->start_brk;
	if (!table_new_root(mm)) {
		pool_put(&kernel->mm_pool, mm);
		return NULL;
	}
	return mm;
}

void mm_free(struct mm *mm)
{
	struct kernel *kernel = mm->kernel;
	page_zap_range(mm, vaddr(0), vaddr(mm->layout->task_size));
	while (mm->vmas.first) {
		struct vma *vma = mm->vmas.first;
		count_virtual(mm, vma_bytes(vma), vma->flags, false);
		drop_vma(mm, vma);
	}
	table_free_root(mm);
	BUG_ON(mm->resident != 0 || mm->zero != 0 || mm->tables != 0 || mm->committed != 0);
	pool_put(&kernel->mm_pool, mm);
}

bool mm_check(const struct mm *mm, struct error *why)
{
	const char *what = NULL;
	uint64_t bytes = 0, committed = 0;
	for (const struct vma *vma = mm->vmas.first; vma; vma = vma->next) {
		bytes += vma_bytes(vma);
		committed += vma->flags & VMA_ACCOUNT ? vma_bytes(vma) / PAGE_BYTES : 0;
	}
	if (!vma_tree_check(&mm->vmas))
		what = "the VMA tree is out of order";
	else if (bytes != mm->virtual_bytes)
		what = "the virtual size is not the sum of the VMAs";
	else if (committed != mm->committed)
		what = "the committed size is not the sum of the accounted VMAs";
	else
		(void)table_check(mm, &what);
	if (what)
		(void)error_set(why, STATUS_MACHINE_STOPPED, "process %u: %s", mm->process->pid, what);
	return what == NULL;
}
