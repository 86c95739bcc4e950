/* Pages that the kernel faults in by itself, and its copies from and to user memory: mm/gup.c, lib/usercopy.c. Each
 * such fault counts as one of the process, as mm_account_fault counts it. */
#include "kernel_private.h"

/* follow_page_pte with FOLL_TOUCH: a page that is there is marked as the access would mark it, in its frame's record.
 */
static bool already_there(struct mm *mm, struct vaddr va, bool write)
{
	struct pte entry = table_get(mm, va);
	if (!pte_present(entry) || (write && !pte_writable(entry)))
		return false;
	if (write && !pte_dirty(entry))
		*frame_dirty_mark(mm->kernel->frames, pfn(pte_frame(entry))) = true;
	return true;
}

/* One page; 0, -ENOMEM or -EFAULT. */
static int64_t fault_in(struct mm *mm, struct vma *vma, struct vaddr va, bool write)
{
	if (already_there(mm, va, write))
		return 0;
	enum fault_cause cause = page_fault(mm, vma, va, write);
	if (!fault_cause_is_resolved(cause))
		return cause == FAULT_CAUSE_OUT_OF_MEMORY ? -LINUX_ENOMEM : -LINUX_EFAULT;
	mm_process(mm)->stats.kernel_faults++;
	fault_count(mm, va, cause);
	return 0;
}

int64_t mm_populate_vma(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end, bool write)
{
	int64_t error = 0;
	for (struct vaddr va = start; !error && va.v < end.v; va.v += PAGE_BYTES)
		error = fault_in(mm, vma, va, write);
	return error;
}

/* populate_vma_page_range: private memory that can be written is faulted in as by a write. */
static int64_t populate_part(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	if (vma->flags & VMA_LOCKONFAULT)
		return 0;
	if (!(vma->flags & VMA_PROT))
		return -LINUX_EFAULT;
	return mm_populate_vma(mm, vma, start, end, (vma->flags & (VMA_WRITE | VMA_SHARED)) == VMA_WRITE);
}

int64_t mm_populate(struct mm *mm, struct vaddr start, uint64_t bytes, bool ignore_errors)
{
	struct vaddr end = vaddr_add(start, bytes);
	struct vma *vma = bytes == 0 ? NULL : vma_tree_after(&mm->vmas, start);
	for (; vma && vma->start.v < end.v; vma = vma->next) {
		struct vaddr from = vaddr(vma->start.v > start.v ? vma->start.v : start.v);
		struct vaddr to = vaddr(vma->end.v < end.v ? vma->end.v : end.v);
		int64_t error = populate_part(mm, vma, from, to);
		if (error && !ignore_errors)
			return error;
	}
	return 0;
}

/* ---- copies ---- */

/* The RAM behind a byte of user memory, faulted in where the VMA allows it. */
static bool user_page(struct mm *mm, uint64_t at, bool write, struct paddr *out)
{
	struct vaddr page = vaddr(page_floor(at));
	struct vma *vma = at < mm->layout->task_size ? vma_tree_find(&mm->vmas, page) : NULL;
	if (!vma || !(vma->flags & (write ? (uint32_t)VMA_WRITE : (uint32_t)VMA_PROT)) ||
	    fault_in(mm, vma, page, write) != 0)
		return false;
	struct pte entry = table_get(mm, page);
	*out = paddr_add(pfn_to_paddr(pfn(pte_frame(entry))), page_offset(at));
	return true;
}

static uint64_t chunk(uint64_t at, uint64_t left)
{
	uint64_t room = PAGE_BYTES - page_offset(at);
	return left < room ? left : room;
}

bool copy_from_user(struct mm *mm, uint64_t from, void *to, uint64_t bytes)
{
	struct paddr pa;
	for (uint64_t done = 0, part; done < bytes; done += part) {
		part = chunk(from + done, bytes - done);
		if (!user_page(mm, from + done, false, &pa))
			return false;
		physmem_read(mm->kernel->mem, pa, (char *)to + done, part);
	}
	return true;
}

bool copy_to_user(struct mm *mm, uint64_t to, const void *from, uint64_t bytes)
{
	struct paddr pa;
	for (uint64_t done = 0, part; done < bytes; done += part) {
		part = chunk(to + done, bytes - done);
		if (!user_page(mm, to + done, true, &pa))
			return false;
		physmem_write(mm->kernel->mem, pa, (const char *)from + done, part);
	}
	return true;
}
