#include "hugetlb.h"

#include "page.h"

/* ---- pools ---- */

static struct hugetlb *pool_of_level(struct kernel *kernel, unsigned level)
{
	return &kernel->hugetlb[hugetlb_size(level)];
}

static struct hugetlb *pool_of_page(struct kernel *kernel, struct pfn page)
{
	return pool_of_level(kernel, frame_at(kernel->frames, page)->order == FRAME_GIGANTIC_ORDER ? 3 : 2);
}

static bool is_gigantic(const struct kernel *kernel, const struct hugetlb *pool)
{
	return pool == &kernel->hugetlb[HUGETLB_GIGANTIC];
}

/* Else its pages are made when they are touched, and nothing is promised. */
static bool is_pool(const struct kernel *kernel, const struct hugetlb *pool)
{
	return pool->total > 0 || is_gigantic(kernel, pool);
}

/* Free pages that nobody has been promised. */
static uint64_t available(const struct hugetlb *pool)
{
	return pool->free > pool->reserved ? pool->free - pool->reserved : 0;
}

static void put(struct kernel *kernel, struct hugetlb *pool, struct pfn page)
{
	frame_at(kernel->frames, page)->next = pool->first;
	pool->first = (uint32_t)page.v;
	pool->free++;
}

static bool make(struct kernel *kernel, const struct hugetlb *pool, struct pfn *page)
{
	if (is_gigantic(kernel, pool))
		return frame_take_gigantic(kernel->frames, FRAME_HUGETLB, page);
	return frame_take(kernel->frames, kernel->layout->huge_order, FRAME_HUGETLB, page);
}

static void fill(struct kernel *kernel, struct hugetlb *pool, uint64_t pages)
{
	struct pfn page;
	while (pool->total < pages && make(kernel, pool, &page)) {
		put(kernel, pool, page);
		pool->total++;
	}
}

/* Entries of level 3 map pages: CPUID.80000001H:EDX.Page1GB, which all processors here have in 64-bit mode. */
static bool has_gigantic(const struct layout *layout)
{
	return layout->levels > 3;
}

enum status hugetlb_fill(struct kernel *kernel, struct error *error)
{
	const struct kernel_config *config = &kernel->config;
	struct hugetlb *gigantic = &kernel->hugetlb[HUGETLB_GIGANTIC];
	if (config->hugepages_1g > 0 && !has_gigantic(kernel->layout))
		return error_set(error, STATUS_BAD_INPUT,
				 "kernel.hugepages_1g: %s paging has no pages of 1 GiB, only 4-level and 5-level have",
				 paging_mode_info(kernel->layout->mode)->name);
	fill(kernel, gigantic, config->hugepages_1g);
	if (gigantic->total < config->hugepages_1g)
		return error_set(error, STATUS_BAD_INPUT,
				 "kernel.hugepages_1g: machine.memory of %llu MiB has room for %llu pages of 1 GiB, "
				 "not for %llu",
				 (unsigned long long)(physmem_bytes(kernel->mem) / MIB),
				 (unsigned long long)gigantic->total, (unsigned long long)config->hugepages_1g);
	fill(kernel, &kernel->hugetlb[HUGETLB_DEFAULT], config->hugepages);
	return STATUS_OK;
}

/* alloc_hugetlb_folio: a promised page should be there; others only if nobody has been promised the last ones. */
static bool take(struct kernel *kernel, struct hugetlb *pool, bool promised, struct pfn *page)
{
	if (!is_pool(kernel, pool))
		return make(kernel, pool, page);
	if (promised ? pool->free == 0 : available(pool) == 0)
		return false;
	pool->reserved -= promised;
	*page = pfn(pool->first);
	pool->first = frame_at(kernel->frames, *page)->next;
	pool->free--;
	return true;
}

void hugetlb_free(struct kernel *kernel, struct pfn page)
{
	struct hugetlb *pool = pool_of_page(kernel, page);
	if (is_pool(kernel, pool))
		put(kernel, pool, page);
	else
		frame_put(kernel->frames, page);
}

/* ---- mappings ---- */

unsigned hugetlb_level(const struct layout *layout, uint64_t map_flags)
{
	const uint64_t size = map_flags >> LINUX_MAP_HUGE_SHIFT & LINUX_MAP_HUGE_MASK;
	if (!(map_flags & LINUX_MAP_HUGETLB))
		return 1;
	if (size == 0 || size == layout_level_shift(layout, 2))
		return 2;
	return has_gigantic(layout) && size == layout_level_shift(layout, 3) ? 3 : 0;
}

bool hugetlb_reserve(struct mm *mm, struct area *area, unsigned level)
{
	struct kernel *kernel = mm->kernel;
	struct hugetlb *pool = pool_of_level(kernel, level);
	const uint64_t bytes = area->end.v - area->start.v, pages = bytes / level_bytes(mm, level);
	const bool promises = is_pool(kernel, pool) && !(area->flags & VMA_NORESERVE);
	const bool shared = (area->flags & VMA_SHARED) != 0;
	if (promises && available(pool) < pages)
		return false;
	pool->reserved += promises ? pages : 0;
	area->reserves = promises && !shared;
	area->file = file_hugetlb(kernel, bytes, level, promises && shared);
	return true;
}

static void unreserve(struct hugetlb *pool, uint64_t pages)
{
	BUG_ON(pool->reserved < pages);
	pool->reserved -= pages;
}

void hugetlb_unreserve(struct mm *mm, const struct vma *vma, uint64_t bytes)
{
	unreserve(pool_of_level(mm->kernel, vma->file->huge_level), bytes / vma_page_bytes(mm, vma));
}

uint64_t hugetlb_promised_file(const struct kernel *kernel, const struct file *file)
{
	if (!file->reserves)
		return 0;
	return (file->bytes >> layout_level_shift(kernel->layout, file->huge_level)) - file->pages - file->punched;
}

uint64_t hugetlb_promised(const struct vma *vma, struct vaddr start, struct vaddr end)
{
	uint64_t pages = 0;
	for (struct vaddr va = start; vma->reserves && va.v < end.v; va.v += vma_page_bytes(vma->mm, vma))
		pages += !entry_used(table_get(vma->mm, va));
	return pages;
}

void hugetlb_forget(struct kernel *kernel, const struct file *file)
{
	unreserve(pool_of_level(kernel, file->huge_level), hugetlb_promised_file(kernel, file));
}

/* hugetlbfs_zero_partial_page: [first, end) lies in one page. */
static void zero_part(struct kernel *kernel, const struct file *file, uint64_t first, uint64_t end, uint64_t frames)
{
	struct pfn page;
	if (!file_page(file, align_down(first, frames), &page))
		return;
	for (uint64_t index = first; index < end; index++)
		physmem_zero(kernel->mem, pfn(page.v + index % frames));
}

void hugetlb_remove(struct mm *mm, struct file *file, uint64_t first, uint64_t end)
{
	const uint64_t step = level_bytes(mm, file->huge_level) / PAGE_BYTES;
	const uint64_t from = align_up(first, step), to = align_down(end, step);
	struct pfn page;
	if (first < from)
		zero_part(mm->kernel, file, first, end < from ? end : from, step);
	if (end > to && to >= from)
		zero_part(mm->kernel, file, to, end, step);
	for (uint64_t index = from; index < to; index += step) {
		if (!file_page(file, index, &page))
			continue;
		page_remove_range(mm, file, index, index + step);
		if (file->reserves)
			file_punch(mm->kernel, file, index);
	}
}

static void drop(struct mm *mm, struct vaddr va, struct pfn page)
{
	mm->hugetlb -= (uint64_t)1 << frame_at(mm->kernel->frames, page)->order;
	rmap_remove(mm, page, va);
}

bool hugetlb_release(struct mm *mm, struct vaddr va, struct pfn page)
{
	const struct vma *vma = vma_tree_find(&mm->vmas, va);
	drop(mm, va, page);
	pool_of_page(mm->kernel, page)->reserved += vma->reserves; /* the promise holds again */
	return !(vma->flags & VMA_SHARED) && frame_at(mm->kernel->frames, page)->mappings == 0;
}

/* Page number in the file, in units of 4 KiB, of the page that va lies in. */
static uint64_t index_of(const struct vma *vma, struct vaddr va)
{
	return vma->pgoff + (align_down(va.v, vma_page_bytes(vma->mm, vma)) - vma->start.v) / PAGE_BYTES;
}

bool hugetlb_frame(const struct vma *vma, struct vaddr va, struct pfn *out)
{
	if (!file_page(vma->file, index_of(vma, va), out))
		return false;
	out->v += va.v % vma_page_bytes(vma->mm, vma) / PAGE_BYTES;
	return true;
}

/* ---- faults ---- */

struct huge_fault {
	struct mm *mm;
	struct vma *vma;
	struct hugetlb *pool;
	uint64_t frames; /* of a page */
	struct vaddr start;
	struct paddr entry_pa;
	bool write;
};

static void map(const struct huge_fault *fault, struct pfn page, bool writable)
{
	struct mm *mm = fault->mm;
	rmap_add(mm, page, fault->start);
	mm->hugetlb += fault->frames;
	struct pte entry = page_entry(mm, fault->vma, page, writable);
	entry.word |= pte_writable(entry) ? PTE_DIRTY : 0;
	table_set(mm, fault->start, fault->entry_pa, entry);
}

static enum fault_cause out_of_pages(const struct huge_fault *fault)
{
	return is_pool(fault->mm->kernel, fault->pool) ? FAULT_CAUSE_NO_HUGE_PAGE : FAULT_CAUSE_OUT_OF_MEMORY;
}

static bool take_zeroed(const struct huge_fault *fault, bool promised, struct pfn *page)
{
	struct kernel *kernel = fault->mm->kernel;
	if (!take(kernel, fault->pool, promised, page))
		return false;
	for (uint64_t i = 0; i < fault->frames; i++)
		physmem_zero(kernel->mem, pfn(page->v + i));
	machine_charge(kernel->machine, COST_ZERO_PAGE, fault->frames);
	return true;
}

/* hugetlb_no_page of a shared mapping: whoever comes first gives the file its page. */
static enum fault_cause fault_shared(const struct huge_fault *fault)
{
	struct file *file = fault->vma->file;
	const uint64_t index = index_of(fault->vma, fault->start);
	struct pfn page;
	if (!file_page(file, index, &page)) {
		if (!take_zeroed(fault, file->reserves && !file_is_punched(file, index), &page))
			return out_of_pages(fault);
		file_insert(fault->mm->kernel, file, index, page);
	}
	map(fault, page, true);
	return FAULT_CAUSE_SHARED;
}

/* The same of a private one. A page that was only read is writable by a further fault. */
static enum fault_cause fault_private(const struct huge_fault *fault)
{
	struct pfn page;
	if (!take_zeroed(fault, fault->vma->reserves, &page))
		return out_of_pages(fault);
	mm_process(fault->mm)->stats.frames_taken += fault->frames;
	map(fault, page, fault->write);
	return FAULT_CAUSE_DEMAND_ZERO;
}

static bool unmap_others(const struct rmap_entry *found, void *self)
{
	const struct mm *own = self;
	struct mm *mm = found->mm;
	if (mm == own)
		return true;
	const uint64_t bytes = leaf_bytes(mm, found->entry);
	table_set(mm, found->va, found->entry_pa, (struct pte){0});
	flush_range(mm, found->va, vaddr_add(found->va, bytes), bytes);
	drop(mm, found->va, pfn(pte_frame(found->entry))); /* the owner has it, too */
	return true;
}

static void replace_by_copy(const struct huge_fault *fault, struct pfn from, struct pfn to)
{
	struct mm *mm = fault->mm;
	struct kernel *kernel = mm->kernel;
	const uint64_t bytes = fault->frames * PAGE_BYTES;
	for (uint64_t i = 0; i < fault->frames; i++)
		physmem_copy(kernel->mem, pfn(to.v + i), pfn(from.v + i));
	machine_charge(kernel->machine, COST_COPY_PAGE, fault->frames);
	mm_process(mm)->stats.frames_taken += fault->frames;
	drop(mm, fault->start, from); /* others have it */
	map(fault, to, true);
	flush_range(mm, fault->start, vaddr_add(fault->start, bytes), bytes);
}

/* hugetlb_wp: the owner of a reservation takes the page from its children if there is none for a copy. */
static enum fault_cause fault_protected(const struct huge_fault *fault, struct pte entry)
{
	struct mm *mm = fault->mm;
	struct kernel *kernel = mm->kernel;
	struct pfn from = pfn(pte_frame(entry)), to;
	const struct frame *record = frame_at(kernel->frames, from);
	bool others = record->mappings > 1 && !(fault->vma->flags & VMA_SHARED);
	if (others && take(kernel, fault->pool, false, &to)) {
		replace_by_copy(fault, from, to);
		return FAULT_CAUSE_COW;
	}
	if (others && !fault->vma->reserves)
		return out_of_pages(fault);
	if (others)
		(void)rmap_for_each(kernel, from, unmap_others, mm);
	entry = page_entry(mm, fault->vma, from, true);
	table_set(mm, fault->start, fault->entry_pa, (struct pte){entry.word | PTE_DIRTY});
	return FAULT_CAUSE_REUSE;
}

enum fault_cause hugetlb_fault(struct mm *mm, struct vma *vma, struct vaddr va, bool write)
{
	const unsigned level = vma->file->huge_level;
	const uint64_t bytes = level_bytes(mm, level);
	struct huge_fault fault = {.mm = mm,
				   .vma = vma,
				   .pool = pool_of_level(mm->kernel, level),
				   .frames = bytes / PAGE_BYTES,
				   .start = vaddr(align_down(va.v, bytes)),
				   .write = write};
	if (!table_entry_at(mm, fault.start, level, true, &fault.entry_pa))
		return FAULT_CAUSE_OUT_OF_MEMORY;
	struct pte entry = entry_load(mm->kernel, fault.entry_pa);
	if (!entry_used(entry))
		return vma->flags & VMA_SHARED ? fault_shared(&fault) : fault_private(&fault);
	return write && !pte_writable(entry) ? fault_protected(&fault, entry) : FAULT_CAUSE_SPURIOUS;
}

bool hugetlb_takes_frames(const struct mm *mm, const struct vma *vma)
{
	return (vma->flags & VMA_HUGETLB) && !is_pool(mm->kernel, pool_of_level(mm->kernel, vma->file->huge_level));
}

/* ---- mremap ---- */

static bool make_tables(const struct vma *vma, struct vaddr from, struct vaddr to, uint64_t bytes)
{
	const uint64_t huge = vma_page_bytes(vma->mm, vma);
	struct paddr unused;
	for (uint64_t at = 0; at < bytes; at += huge) {
		if (entry_used(table_get(vma->mm, vaddr_add(from, at))) &&
		    !table_entry_at(vma->mm, vaddr_add(to, at), vma->file->huge_level, true, &unused))
			return false;
	}
	return true;
}

static void move_entry(const struct vma *vma, struct vaddr from, struct vaddr to)
{
	struct mm *mm = vma->mm;
	const unsigned level = vma->file->huge_level;
	struct paddr from_pa, to_pa;
	if (!table_entry_at(mm, from, level, false, &from_pa) || !entry_used(entry_load(mm->kernel, from_pa)))
		return;
	struct pte entry = entry_load(mm->kernel, from_pa);
	bool made = table_entry_at(mm, to, level, true, &to_pa);
	BUG_ON(!made); /* make_tables did */
	table_set(mm, from, from_pa, (struct pte){0});
	table_set(mm, to, to_pa, entry);
	rmap_move(mm, pfn(pte_frame(entry)), from, to);
}

bool hugetlb_move(const struct vma *vma, struct vaddr from, struct vaddr to, uint64_t bytes)
{
	const uint64_t huge = vma_page_bytes(vma->mm, vma);
	if (!make_tables(vma, from, to, bytes)) {
		table_prune(vma->mm, to, vaddr_add(to, bytes));
		return false;
	}
	for (uint64_t at = 0; at < bytes; at += huge)
		move_entry(vma, vaddr_add(from, at), vaddr_add(to, at));
	flush_range(vma->mm, from, vaddr_add(from, bytes), huge);
	return true;
}

void hugetlb_move_promise(struct vma *vma, struct vaddr start, struct vaddr end)
{
	pool_of_level(vma->mm->kernel, vma->file->huge_level)->lost += hugetlb_promised(vma, vma->start, start) +
								       hugetlb_promised(vma, end, vma->end);
	vma->reserves = false;
}

/* ---- fork ---- */

bool hugetlb_copy(struct mm *child, struct mm *parent, struct vaddr va, struct paddr entry_pa, struct pte entry)
{
	struct paddr child_pa;
	const struct vma *vma = vma_tree_find(&parent->vmas, va);
	const struct pte shared = {entry.word & ~PTE_WRITABLE};
	if (!table_entry_at(child, va, vma->file->huge_level, true, &child_pa))
		return false;
	rmap_add(child, pfn(pte_frame(entry)), va);
	child->hugetlb += vma_page_bytes(parent, vma) / PAGE_BYTES;
	if (shared.word != entry.word)
		table_set(parent, va, entry_pa, shared);
	table_set(child, va, child_pa, (struct pte){shared.word & ~PTE_ACCESSED});
	return true;
}
