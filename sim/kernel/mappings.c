/* Which entries point at a frame, found without any record but the frame's own: where it says, in the VMAs that map
 * its file, or by reading all tables. */
#include "faultline/pages.h"

#include <stdio.h>

#include "kernel_private.h"

bool frame_block_of(const struct kernel *kernel, struct pfn frame, struct frame_block *out)
{
	for (unsigned order = 0; order <= FRAME_GIGANTIC_ORDER; order++) {
		struct pfn first = pfn(align_down(frame.v, (uint64_t)1 << order));
		const struct frame *record = frame_peek(kernel->frames, first);
		if (record && record->block_start && record->order >= order) {
			*out = (struct frame_block){first, *record};
			return true;
		}
	}
	return false;
}

/* What is looked for: entries that point into [first, end). */
struct hunt {
	const struct kernel *kernel;
	uint64_t first, end;
	bool tables; /* the frame is a page table */
	struct mapping *out;
	unsigned room, found;
	uint64_t *steps;
	const struct process *owner; /* of the address space that is looked at */
};

static bool spend(const struct hunt *hunt)
{
	if (*hunt->steps == 0)
		return false;
	--*hunt->steps;
	return true;
}

static bool is_it(const struct hunt *hunt, struct pte entry)
{
	return entry_used(entry) && pte_frame(entry) >= hunt->first && pte_frame(entry) < hunt->end;
}

static void tell(struct hunt *hunt, struct vaddr va, unsigned level, struct paddr at, struct pte entry)
{
	if (hunt->found < hunt->room)
		hunt->out[hunt->found] = (struct mapping){hunt->owner, hunt->owner->pid - 1, va, level, at, entry};
	hunt->found++;
}

/* The entry of that address, if it maps the frame. */
static bool ask(struct hunt *hunt, const struct mm *mm, struct vaddr va)
{
	struct paddr table = pfn_to_paddr(mm->root);
	if (!spend(hunt))
		return false;
	for (unsigned level = mm->layout->levels;; level--) {
		struct paddr at = entry_at(mm->kernel, table, layout_index(mm->layout, va, level));
		struct pte entry = entry_load(mm->kernel, at);
		if (!entry_used(entry))
			return true;
		if (level == 1 || pte_page_size(entry)) {
			uint64_t span = (uint64_t)1 << layout_level_shift(mm->layout, level);
			if (is_it(hunt, entry))
				tell(hunt, vaddr(align_down(va.v, span)), level, at, entry);
			return true;
		}
		table = pfn_to_paddr(pfn(pte_frame(entry)));
	}
}

/* Reads all tables of an address space. */
static bool search(struct hunt *hunt, const struct mm *mm, struct paddr table, uint64_t base, unsigned level)
{
	unsigned entries = layout_entries(mm->layout, level);
	for (unsigned i = 0; i < entries; i++) {
		struct vaddr va = vaddr(base + ((uint64_t)i << layout_level_shift(mm->layout, level)));
		struct paddr at = entry_at(mm->kernel, table, i);
		struct pte entry = entry_load(mm->kernel, at);
		if (!spend(hunt))
			return false;
		bool leaf = level == 1 || pte_page_size(entry);
		if (leaf != hunt->tables && is_it(hunt, entry))
			tell(hunt, va, level, at, entry);
		if (entry_used(entry) && !leaf && !(hunt->tables && level == 2) &&
		    !search(hunt, mm, pfn_to_paddr(pfn(pte_frame(entry))), va.v, level - 1))
			return false;
	}
	return true;
}

/* A page of a file: in each VMA that maps one, the place where it would be. */
static bool search_areas(struct hunt *hunt, const struct mm *mm, uint64_t index)
{
	for (const struct vma *vma = mm->vmas.first; vma; vma = vma->next) {
		uint64_t offset = index - vma->pgoff;
		if (!spend(hunt))
			return false;
		if (vma->file && index >= vma->pgoff && offset < vma_bytes(vma) / PAGE_BYTES &&
		    !ask(hunt, mm, vaddr(vma->start.v + offset * PAGE_BYTES)))
			return false;
	}
	return true;
}

static bool search_space(struct hunt *hunt, const struct mm *mm, const struct frame *record)
{
	if (hunt->tables && is_it(hunt, (struct pte){pfn_to_paddr(mm->root).v | PTE_PRESENT}))
		tell(hunt, vaddr(0), mm->layout->levels + 1u, paddr(0), (struct pte){pfn_to_paddr(mm->root).v});
	if (frame_is_cached(record))
		return search_areas(hunt, mm, record->vpn);
	return search(hunt, mm, pfn_to_paddr(mm->root), 0, mm->layout->levels);
}

/* Of a huge page: one that maps the whole. */
static bool has_one_entry(const struct kernel *kernel, struct pfn frame)
{
	const struct frame *record = frame_peek(kernel->frames, frame);
	if (!frame_is_in_folio(record))
		return record->mappings == 1;
	return folio_peek(kernel->frames, frame, FOLIO_ENTIRE) == 1 && folio_is_exclusive(kernel, frame);
}

/* The only entry of an anonymous frame stands where its record says. */
static bool stands_where_it_says(struct hunt *hunt, const struct frame *record)
{
	const struct mm *mm = hunt->kernel->spaces[record->space - 1];
	if (!mm)
		return false;
	hunt->owner = mm->owner;
	(void)ask(hunt, mm, vpn_to_vaddr(vpn(record->vpn)));
	return hunt->found == 1;
}

unsigned frame_mappings(const struct kernel *kernel, struct pfn frame, struct mapping *out, unsigned room,
			uint64_t *steps, bool *complete)
{
	struct frame_block block;
	*complete = true;
	if (!frame_block_of(kernel, frame, &block) || block.record.use == FRAME_FREE ||
	    block.record.use == FRAME_KERNEL)
		return 0;
	const struct frame *record = &block.record;
	struct hunt hunt = {kernel,
			    block.first.v,
			    block.first.v + ((uint64_t)1 << record->order),
			    record->use == FRAME_TABLE,
			    out,
			    room,
			    0,
			    steps,
			    0};
	if (!hunt.tables && record->mappings == 0 && !frame_is_in_folio(record))
		return 0;
	if (record->use == FRAME_ANON && has_one_entry(kernel, block.first) && stands_where_it_says(&hunt, record))
		return 1;
	hunt.found = 0;
	for (unsigned i = 0; i < kernel->process_count && *complete; i++) {
		const struct mm *mm = kernel->spaces[i];
		hunt.owner = mm ? mm->owner : NULL;
		*complete = !mm || search_space(&hunt, mm, record);
	}
	return hunt.found;
}

bool kernel_cached_file(const struct kernel *kernel, unsigned index, struct cached_file *out)
{
	const struct file *file = kernel->files;
	while (file && (file->huge_level != 0 || index-- > 0)) /* memory of MAP_HUGETLB is in no cache */
		file = file->next;
	if (file)
		*out = (struct cached_file){file->path, file->shmem, file->bytes, file->pages, file->areas};
	return file != NULL;
}

struct kernel_symbol kernel_symbol_at(const struct kernel *kernel, struct vaddr va)
{
	struct kernel_symbol symbol = {""};
	if (kernel->layout->is_64bit && va.v == syscall_entry(kernel).v)
		(void)snprintf(symbol.text, sizeof(symbol.text), "SYSCALL entry");
	for (unsigned vector = 0; vector < GATES; vector++) {
		if (va.v == exception_entry(kernel, vector).v)
			(void)snprintf(symbol.text, sizeof(symbol.text), "%s entry, vector %u", vector_name(vector),
				       vector);
	}
	return symbol;
}
