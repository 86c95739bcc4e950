/* What others may know of a process. */
#include "cpus.h"

struct vaddr process_segment(const struct process *process, enum segment segment)
{
	if (segment == SEGMENT_HEAP)
		return process->mm ? process->mm->start_brk : vaddr(0);
	if (segment == SEGMENT_STACK) {
		const struct kernel *kernel = process->mm ? process->mm->kernel : NULL;
		bool running = kernel && cpu_current(kernel, process->last) == process;
		return vaddr(running ? machine_cpu_at(kernel->machine, process->last)->gpr[GPR_RSP]
				     : process->contexts[process->last].gpr[GPR_RSP]);
	}
	return process->segment_start[segment];
}

bool process_borrows_memory(const struct process *process)
{
	return process->mm && process->mm->owner != process;
}

uint64_t process_virtual_bytes(const struct process *process)
{
	return process->mm ? process->mm->total_vm * PAGE_BYTES : 0;
}

uint64_t process_resident_pages(const struct process *process)
{
	return process->mm ? mm_resident(process->mm) : 0;
}

uint64_t process_anon_pages(const struct process *process)
{
	return process->mm ? process->mm->rss[RSS_ANON] : 0;
}

uint64_t process_zero_pages(const struct process *process)
{
	return process->mm ? process->mm->zero + process->mm->huge_zero * FOLIO_FRAMES : 0;
}

uint64_t process_huge_pages(const struct process *process)
{
	return process->mm ? process->mm->huge * FOLIO_FRAMES : 0;
}

uint64_t process_hugetlb_pages(const struct process *process)
{
	return process->mm ? process->mm->hugetlb : 0;
}

uint64_t process_swap_pages(const struct process *process)
{
	return process->mm ? process->mm->swapped : 0;
}

uint64_t process_table_pages(const struct process *process)
{
	return process->mm ? process->mm->tables : 0;
}

uint64_t process_heap_bytes(const struct process *process)
{
	return process->mm ? process->mm->brk.v - process->mm->start_brk.v : 0;
}

struct vaddr process_break(const struct process *process)
{
	return process->mm ? process->mm->brk : vaddr(0);
}

struct paddr process_page_table(const struct process *process)
{
	return process->mm ? pfn_to_paddr(process->mm->root) : paddr(0);
}

/* A page that no entry leads to: in the page cache, in swap, or on the disk. */
static bool peek_file(const struct kernel *kernel, const struct vma *vma, struct vaddr va, uint64_t *out)
{
	const struct file *file = vma->file;
	uint64_t index = vma->pgoff + (va.v - vma->start.v) / PAGE_BYTES, slot;
	struct pfn frame;
	if (index >= file_pages(file))
		return false;
	if (file->huge_level ? hugetlb_frame(vma, va, &frame) : file_page(file, index, &frame))
		*out = physmem_load64(kernel->mem, paddr_add(pfn_to_paddr(frame), page_offset(va.v)));
	else if (file_slot(file, index, &slot))
		*out = physmem_load64(kernel->swap.store, paddr_add(pfn_to_paddr(pfn(slot)), page_offset(va.v)));
	else if (file_is_memory(file))
		return false;
	else
		*out = file_peek64(kernel, file, index * PAGE_BYTES + page_offset(va.v));
	return true;
}

bool process_peek64(const struct process *process, struct vaddr va, uint64_t *out)
{
	const struct mm *mm = process->mm;
	struct pte entry = mm ? table_get(mm, va) : (struct pte){0};
	struct pfn frame = pfn(pte_frame(entry));
	const struct physmem *mem = mm ? mm->kernel->mem : NULL;
	const struct vma *vma = mm && !entry_used(entry) ? process_vma_at(process, va) : NULL;
	if (vma && vma->file)
		return peek_file(mm->kernel, vma, va, out);
	if (!entry_used(entry))
		return false;
	if (entry_is_swap(entry)) {
		frame = swap_cache_find(mm->kernel, swap_entry_slot(mm->layout, entry));
		if (frame.v == 0) {
			mem = mm->kernel->swap.store;
			frame = pfn(swap_entry_slot(mm->layout, entry));
		}
	}
	*out = physmem_load64(mem, paddr_add(pfn_to_paddr(frame), page_offset(va.v)));
	return true;
}

const struct vma *process_vma_after(const struct process *process, struct vaddr va)
{
	return process->mm ? vma_tree_after(&process->mm->vmas, va) : NULL;
}

const struct vma *process_vma_at(const struct process *process, struct vaddr va)
{
	const struct vma *vma = process_vma_after(process, va);
	return vma && vma->start.v <= va.v ? vma : NULL;
}
