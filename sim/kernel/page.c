/* What stands behind a page: giving, taking away, moving and re-protecting frames. See mm/memory.c. */
#include "page.h"

#include "reclaim.h"

/* The entry that a VMA's permissions call for. Hardware has no "present, but not readable": without any permission the
 * entry is not present and keeps its frame. What is `ours` to write is a frame of our own, or shared memory. */
struct pte page_entry(const struct mm *mm, const struct vma *vma, struct pfn frame, bool ours)
{
	uint64_t word = pfn_to_paddr(frame).v | PTE_USER | PTE_ACCESSED;
	word |= vma->flags & VMA_PROT ? PTE_PRESENT : PTE_PROT_NONE;
	if ((vma->flags & VMA_WRITE) && ours)
		word |= PTE_WRITABLE;
	if (!(vma->flags & VMA_EXEC))
		word |= mm->layout->no_execute;
	if (vma->flags & VMA_HUGETLB)
		word |= PTE_PAGE_SIZE;
	return (struct pte){word};
}

static struct pte dirty(struct pte entry)
{
	return (struct pte){entry.word | PTE_DIRTY};
}

enum rss_kind page_kind(const struct frame *record)
{
	if (record->use == FRAME_IMAGE || record->use == FRAME_FILE)
		return RSS_FILE;
	return record->use == FRAME_SHMEM ? RSS_SHMEM : RSS_ANON;
}

bool page_is_exclusive(const struct kernel *kernel, const struct frame *record)
{
	return record->mappings == 1 && (record->swap == 0 || kernel->swap.counts[record->swap] == 0);
}

bool page_may_be_reused(const struct kernel *kernel, struct pfn frame)
{
	const struct frame *record = frame_peek(kernel->frames, frame);
	return page_is_exclusive(kernel, record) &&
	       (!frame_is_in_folio(record) || folio_is_exclusive(kernel, folio_head(record, frame)));
}

void page_free(struct kernel *kernel, struct pfn frame)
{
	const struct frame *record = frame_at(kernel->frames, frame);
	if (record->use == FRAME_HUGETLB) {
		hugetlb_free(kernel, frame);
		return;
	}
	if (frame_is_in_folio(record))
		folio_end(kernel, frame);
	if (record->use == FRAME_ANON && record->swap != 0)
		swap_cache_remove(kernel, frame);
	reclaim_forget(kernel, frame);
	frame_put(kernel->frames, frame);
}

void page_count_resident(struct mm *mm, enum rss_kind kind, uint64_t pages)
{
	struct process_stats *stats = &mm->owner->stats;
	mm->rss[kind] += pages;
	uint64_t resident = mm_resident(mm);
	if (resident > stats->peak_resident)
		stats->peak_resident = resident;
}

/* Ends the mapping of an entry: the zero page is only counted, a page of a file stays in the page cache. True: the
 * frame, or the folio that it is in, is nobody's now, and is to be freed once no TLB can reach it. */
bool page_release(struct mm *mm, struct vaddr va, struct pte entry)
{
	struct kernel *kernel = mm->kernel;
	struct pfn frame = pfn(pte_frame(entry));
	struct frame *record = frame_at(kernel->frames, frame);
	BUG_ON(record->mappings == 0);
	if (record->use == FRAME_HUGETLB)
		return hugetlb_release(mm, va, frame);
	if (pte_page_size(entry))
		return thp_unmap(mm, va, entry);
	if (frame.v == kernel->zero_page.v) {
		record->mappings--;
		mm->zero--;
		return false;
	}
	enum rss_kind kind = page_kind(record);
	*frame_dirty_mark(kernel->frames, frame) |= pte_dirty(entry);
	mm->rss[kind]--;
	if (kind != RSS_ANON) {
		record->mappings--;
		return false;
	}
	rmap_remove(mm, frame, va);
	if (frame_is_in_folio(record))
		return *folio_field(kernel->frames, folio_head(record, frame), FOLIO_MAPPED) == 0;
	/* In the swap cache it stays for those whose entries lead there. */
	return record->mappings == 0 && (record->swap == 0 || kernel->swap.counts[record->swap] == 0);
}

/* Records whose frame it is from now on. */
static void own(struct mm *mm, struct pfn frame, struct vaddr va, uint64_t pages)
{
	rmap_add(mm, frame, va);
	mm_process(mm)->stats.frames_taken += pages;
	page_count_resident(mm, RSS_ANON, pages);
}

/* ---- faults ---- */

/* A frame of its own in place of what the entry has: zeroed, or a copy. */
static bool map_anon(struct mm *mm, struct vma *vma, struct vaddr va, struct paddr entry_pa, struct pfn source)
{
	struct kernel *kernel = mm->kernel;
	struct pte old = entry_load(mm->kernel, entry_pa);
	struct pfn frame;
	if (!frame_take(kernel->frames, 0, FRAME_ANON, &frame))
		return false;
	if (source.v != 0)
		physmem_copy(kernel->mem, frame, source);
	else
		physmem_zero(kernel->mem, frame);
	machine_charge(kernel->machine, source.v != 0 ? COST_COPY_PAGE : COST_ZERO_PAGE, 1);
	mm_prepare_anon(mm, vma);
	bool nobodys = entry_used(old) && page_release(mm, va, old);
	BUG_ON(nobodys); /* it was the zero page, or somebody else has it, too */
	const struct frame *left = frame_at(kernel->frames, pfn(pte_frame(old)));
	if (entry_used(old) && frame_is_in_folio(left))
		folio_queue(kernel, folio_head(left, pfn(pte_frame(old))));
	own(mm, frame, va, 1);
	reclaim_add(kernel, frame);
	struct pte entry = page_entry(mm, vma, frame, true);
	bool clean = source.v == 0 && !(vma->flags & VMA_WRITE);
	table_set(mm, va, entry_pa, clean ? entry : dirty(entry));
	if (entry_used(old))
		flush_range(mm, va, vaddr_add(va, PAGE_BYTES), PAGE_BYTES);
	return true;
}

static void map_zero(struct mm *mm, const struct vma *vma, struct vaddr va, struct paddr entry_pa)
{
	frame_at(mm->kernel->frames, mm->kernel->zero_page)->mappings++;
	mm->zero++;
	table_set(mm, va, entry_pa, page_entry(mm, vma, mm->kernel->zero_page, false));
}

static void map_cached(struct mm *mm, const struct vma *vma, struct vaddr va, struct paddr entry_pa, struct pfn frame,
		       bool write)
{
	struct frame *record = frame_at(mm->kernel->frames, frame);
	record->mappings++;
	if (write)
		file_dirty(mm->kernel, frame);
	page_count_resident(mm, page_kind(record), 1);
	struct pte entry = page_entry(mm, vma, frame, write || page_shares_writes(vma));
	table_set(mm, va, entry_pa, write ? dirty(entry) : entry);
}

/* Only memory needs no word before a page becomes dirty: vma_wants_writenotify. */
bool page_shares_writes(const struct vma *vma)
{
	return (vma->flags & VMA_SHARED) && file_is_memory(vma->file);
}

static uint64_t index_in_file(const struct vma *vma, struct vaddr va)
{
	return vma->pgoff + (va.v - vma->start.v) / PAGE_BYTES;
}

/* next_uptodate_folio: not what is still being read, and not where a readahead begins. */
static bool may_map_around(struct kernel *kernel, const struct vma *vma, struct vaddr va, struct pfn *frame)
{
	const struct file *file = vma->file;
	uint64_t index = index_in_file(vma, va);
	return index < file_pages(file) && file_page(file, index, frame) && !file_is_marker(&file->ahead, index) &&
	       frame_at(kernel->frames, *frame)->ready <= kernel->bus->cycle;
}

/* do_fault_around: the pages of the aligned block around va that are in the page cache and not mapped yet, within the
 * VMA and one page table. */
static void map_around(struct mm *mm, const struct vma *vma, struct vaddr va)
{
	const uint64_t around = mm->kernel->config.fault_around_bytes;
	uint64_t start = align_down(va.v, around), end = start + around;
	uint64_t table = align_down(va.v, huge_bytes(mm));
	start = start < vma->start.v ? vma->start.v : start;
	end = start + around < vma->end.v ? start + around : vma->end.v;
	end = end < table + huge_bytes(mm) ? end : table + huge_bytes(mm);
	for (struct vaddr at = vaddr(start); at.v < end; at.v += PAGE_BYTES) {
		struct paddr entry_pa;
		struct pfn frame;
		if (at.v == va.v || !table_entry(mm, at, false, &entry_pa))
			continue;
		if (!entry_used(entry_load(mm->kernel, entry_pa)) && may_map_around(mm->kernel, vma, at, &frame))
			map_cached(mm, vma, at, entry_pa, frame, false);
	}
}

static enum fault_cause cause_of(const struct vma *vma, enum file_source source)
{
	if (source == FILE_FROM_SWAP)
		return FAULT_CAUSE_SWAP_IN;
	if (source == FILE_FROM_DISK)
		return FAULT_CAUSE_FILE_READ;
	return vma->file->shmem ? FAULT_CAUSE_SHARED : FAULT_CAUSE_FILE;
}

/* How a mapping is read: as MADV_RANDOM and MADV_SEQUENTIAL say. */
static struct reader reader_of(const struct vma *vma)
{
	if (vma->flags & VMA_RAND_READ)
		return (struct reader){&vma->file->ahead, READ_ONE, 1};
	return (struct reader){&vma->file->ahead, vma->flags & VMA_SEQ_READ ? READ_AHEAD : READ_AROUND, 1};
}

/* do_read_fault, do_cow_fault, do_shared_fault: the first access to a page of a file. */
static enum fault_cause fault_file(struct mm *mm, struct vma *vma, struct vaddr va, struct paddr entry_pa, bool write)
{
	uint64_t index = index_in_file(vma, va);
	struct pfn frame;
	bool shared = (vma->flags & VMA_SHARED) != 0;
	const struct reader reader = reader_of(vma);
	if (index >= file_pages(vma->file))
		return FAULT_CAUSE_BUS_ADRERR;
	enum file_source source = file_page_get(mm->kernel, vma->file, index, &reader, &frame);
	if (source == FILE_NO_FRAME)
		return FAULT_CAUSE_OUT_OF_MEMORY;
	if (write && !shared) {
		if (!map_anon(mm, vma, va, entry_pa, frame))
			return FAULT_CAUSE_OUT_OF_MEMORY;
		return source == FILE_FROM_DISK ? FAULT_CAUSE_FILE_READ : FAULT_CAUSE_COW;
	}
	if (write && !vma->file->shmem)
		file_balance_dirty(mm->kernel);
	map_cached(mm, vma, va, entry_pa, frame, write);
	if (!write)
		map_around(mm, vma, va);
	return cause_of(vma, source);
}

enum fault_cause page_fault_protected(struct mm *mm, struct vma *vma, struct vaddr va, struct paddr entry_pa)
{
	struct pte entry = entry_load(mm->kernel, entry_pa);
	struct pfn frame = pfn(pte_frame(entry)), source = frame;
	const struct frame *record = frame_at(mm->kernel->frames, frame);
	bool zero = frame.v == mm->kernel->zero_page.v;
	if (!zero && page_kind(record) == RSS_ANON && page_may_be_reused(mm->kernel, frame)) {
		table_set(mm, va, entry_pa, dirty(page_entry(mm, vma, frame, true)));
		return FAULT_CAUSE_REUSE;
	}
	if (!zero && (vma->flags & VMA_SHARED)) {
		file_balance_dirty(mm->kernel); /* before: it must not clean this page, which is about to be written */
		file_dirty(mm->kernel, frame);
		table_set(mm, va, entry_pa, dirty(page_entry(mm, vma, frame, true)));
		return FAULT_CAUSE_MKWRITE;
	}
	if (zero)
		source = pfn(0);
	if (!map_anon(mm, vma, va, entry_pa, source))
		return FAULT_CAUSE_OUT_OF_MEMORY;
	return zero ? FAULT_CAUSE_ZERO_PAGE_WRITE : FAULT_CAUSE_COW;
}

static enum fault_cause fault_missing(struct mm *mm, struct vma *vma, struct vaddr va, struct paddr entry_pa,
				      bool write)
{
	if (vma->file)
		return fault_file(mm, vma, va, entry_pa, write);
	if (write || mm_reads_take_frames(mm))
		return map_anon(mm, vma, va, entry_pa, pfn(0)) ? FAULT_CAUSE_DEMAND_ZERO : FAULT_CAUSE_OUT_OF_MEMORY;
	map_zero(mm, vma, va, entry_pa);
	return FAULT_CAUSE_ZERO_PAGE;
}

enum fault_cause page_fault(struct mm *mm, struct vma *vma, struct vaddr va, bool write)
{
	enum fault_cause cause;
	struct paddr entry_pa;
	if (!reclaim_for_fault(mm, vma, va, write))
		return FAULT_CAUSE_OUT_OF_MEMORY;
	if (vma->flags & VMA_HUGETLB)
		return hugetlb_fault(mm, vma, va, write);
	if (thp_fault(mm, vma, va, write, &cause))
		return cause;
	if (!table_entry(mm, va, true, &entry_pa))
		return FAULT_CAUSE_OUT_OF_MEMORY;
	struct pte entry = entry_load(mm->kernel, entry_pa);
	if (!entry_used(entry))
		return fault_missing(mm, vma, va, entry_pa, write);
	if (!entry_has_frame(entry))
		return page_swap_in(mm, vma, va, entry_pa, write);
	if (write && !pte_writable(entry))
		return page_fault_protected(mm, vma, va, entry_pa);
	return FAULT_CAUSE_SPURIOUS;
}

bool page_map_anon(struct mm *mm, struct vma *vma, struct vaddr va)
{
	struct paddr entry_pa;
	struct pfn source = pfn(0);
	if (!table_entry(mm, va, true, &entry_pa))
		return false;
	const struct reader reader = vma->file ? reader_of(vma) : (struct reader){0};
	if (vma->file &&
	    file_page_get(mm->kernel, vma->file, index_in_file(vma, va), &reader, &source) == FILE_NO_FRAME)
		return false;
	return map_anon(mm, vma, va, entry_pa, source);
}
