#include "hugetlb.h"

#include "page.h"

/* ---- pools ---- */

static enum hugetlb_size size_of_level(unsigned level)
{
	return level == 2 ? HUGETLB_DEFAULT : HUGETLB_GIGANTIC;
}

static struct hugetlb *pool_of_level(struct kernel *kernel, unsigned level)
{
	return &kernel->hugetlb[size_of_level(level)];
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

static uint64_t untouched(const struct kernel *kernel, const struct file *file)
{
	return (file->bytes >> layout_level_shift(kernel->layout, file->huge_level)) - file->pages;
}

void hugetlb_forget(struct kernel *kernel, const struct file *file)
{
	if (file->reserves)
		unreserve(pool_of_level(kernel, file->huge_level), untouched(kernel, file));
}

void hugetlb_remove(struct mm *mm, struct file *file, uint64_t first, uint64_t end)
{
	struct hugetlb *pool = pool_of_level(mm->kernel, file->huge_level);
	const uint64_t before = file->pages;
	page_remove_range(mm, file, first, end);
	pool->reserved += file->reserves ? before - file->pages : 0; /* the promise holds again */
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
		if (!take_zeroed(fault, file->reserves, &page))
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

/* ---- checks ---- */

static uint64_t count_free(const struct kernel *kernel, const struct hugetlb *pool)
{
	uint64_t free = 0;
	for (uint32_t i = pool->first; i != 0; i = frame_peek(kernel->frames, pfn(i))->next)
		free++;
	return free;
}

static void count_promises_of(const struct mm *mm, uint64_t *promised)
{
	for (const struct vma *vma = mm->vmas.first; vma; vma = vma->next) {
		for (struct vaddr va = vma->start; vma->reserves && va.v < vma->end.v; va.v += vma_page_bytes(mm, vma))
			promised[size_of_level(vma->file->huge_level)] += !entry_used(table_get(mm, va));
	}
}

/* Frames of pages that are mapped, once for each mapping. */
static uint64_t count_mapped(const struct kernel *kernel)
{
	uint64_t mapped = 0;
	uint64_t left = frame_pool_used(kernel->frames, FRAME_HUGETLB);
	for (uint64_t i = 1; left > 0; i++) {
		const struct frame *record = frame_peek(kernel->frames, pfn(i));
		if (!record)
			return UINT64_MAX;
		if (record->use != FRAME_HUGETLB || !record->block_start)
			continue;
		uint64_t frames = (uint64_t)1 << record->order;
		mapped += record->mappings * frames;
		left -= frames;
		i += frames - 1; /* a gigantic page has one record */
	}
	return mapped;
}

bool hugetlb_check(const struct kernel *kernel, const char **why)
{
	uint64_t promised[HUGETLB_SIZES] = {0}, mapped = 0;
	for (unsigned i = 0; i < kernel->process_count; i++) {
		if (!kernel->spaces[i])
			continue;
		mapped += kernel->spaces[i]->hugetlb;
		count_promises_of(kernel->spaces[i], promised);
	}
	if (mapped != count_mapped(kernel))
		*why = "hugetlb: the tables do not map what the records of the pages say";
	for (const struct file *file = kernel->files; file; file = file->next) {
		if (file->reserves)
			promised[size_of_level(file->huge_level)] += untouched(kernel, file);
	}
	for (unsigned size = 0; size < HUGETLB_SIZES; size++) {
		const struct hugetlb *pool = &kernel->hugetlb[size];
		if (count_free(kernel, pool) != pool->free || pool->free > pool->total ||
		    promised[size] != pool->reserved)
			*why = "hugetlb: free or promised pages are miscounted";
	}
	return *why == NULL;
}
