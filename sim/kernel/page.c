/* What stands behind a page: giving, taking away, moving and re-protecting frames. */
#include "kernel_private.h"

/* arch/x86/mm/tlb.c, tlb_single_page_flush_ceiling: beyond it one full flush is cheaper. */
enum { SINGLE_FLUSH_CEILING = 33 };

/* The entry that a VMA's permissions call for. Hardware has no "present, but not readable": without any permission the
 * entry is not present and keeps its frame. */
static struct pte entry_for(const struct mm *mm, const struct vma *vma, struct pfn frame, bool zero_page)
{
	uint64_t word = pfn_to_paddr(frame).v | PTE_USER | PTE_ACCESSED;
	word |= vma->flags & VMA_PROT ? PTE_PRESENT : PTE_PROT_NONE;
	if ((vma->flags & VMA_WRITE) && !zero_page)
		word |= PTE_WRITABLE | PTE_DIRTY;
	if (!(vma->flags & VMA_EXEC))
		word |= mm->layout->no_execute;
	if (vma->flags & VMA_HUGE)
		word |= PTE_PAGE_SIZE;
	return (struct pte){word};
}

static void count_resident(struct mm *mm, uint64_t pages)
{
	mm->resident += pages;
	if (mm->resident > mm->process->stats.peak_resident)
		mm->process->stats.peak_resident = mm->resident;
}

/* Ends the mapping of an entry: the zero page is only counted, a frame of its own is freed. */
static void release(struct mm *mm, struct pte entry)
{
	struct kernel *kernel = mm->kernel;
	struct pfn frame = pfn(pte_frame(entry));
	struct frame *record = frame_at(kernel->frames, frame);
	BUG_ON(record->mappings == 0);
	record->mappings--;
	if (frame.v == kernel->zero_page.v) {
		mm->zero--;
		return;
	}
	mm->resident -= leaf_bytes(mm, entry) / PAGE_BYTES;
	if (record->mappings == 0)
		frame_put(kernel->frames, frame);
}

/* Records whose frame it is from now on. */
static void own(struct mm *mm, struct pfn frame, struct vaddr va, uint64_t pages)
{
	struct frame *record = frame_at(mm->kernel->frames, frame);
	record->mappings = 1;
	record->pid = mm->process->pid;
	record->vpn = vaddr_to_vpn(va).v;
	mm->process->stats.frames_taken += pages;
	count_resident(mm, pages);
}

bool page_map_anon(struct mm *mm, const struct vma *vma, struct vaddr va, enum frame_use use)
{
	struct kernel *kernel = mm->kernel;
	struct paddr entry_pa;
	struct pfn frame;
	if (!table_entry(mm, va, true, &entry_pa))
		return false;
	struct pte old = entry_load(kernel, entry_pa);
	if (!frame_take(kernel->frames, 0, use, &frame))
		return false;
	physmem_zero(kernel->mem, frame);
	machine_charge(kernel->machine, COST_ZERO_PAGE, 1);
	if (entry_used(old))
		release(mm, old);
	own(mm, frame, va, 1);
	table_set(mm, va, entry_pa, entry_for(mm, vma, frame, false));
	if (entry_used(old))
		flush_range(mm, va, vaddr_add(va, PAGE_BYTES), 1);
	return true;
}

static bool map_zero(struct mm *mm, const struct vma *vma, struct vaddr va)
{
	struct paddr entry_pa;
	if (!table_entry(mm, va, true, &entry_pa))
		return false;
	frame_at(mm->kernel->frames, mm->kernel->zero_page)->mappings++;
	mm->zero++;
	table_set(mm, va, entry_pa, entry_for(mm, vma, mm->kernel->zero_page, true));
	return true;
}

static bool map_huge(struct mm *mm, const struct vma *vma, struct vaddr va)
{
	const uint64_t pages = huge_bytes(mm) / PAGE_BYTES;
	struct kernel *kernel = mm->kernel;
	struct vaddr start = vaddr(align_down(va.v, huge_bytes(mm)));
	struct paddr entry_pa;
	struct pfn block;
	if (!table_huge_entry(mm, start, true, &entry_pa) ||
	    !frame_take(kernel->frames, mm->layout->huge_order, FRAME_ANON, &block))
		return false;
	for (uint64_t i = 0; i < pages; i++)
		physmem_zero(kernel->mem, pfn(block.v + i));
	machine_charge(kernel->machine, COST_ZERO_PAGE, pages);
	own(mm, block, start, pages);
	table_set(mm, start, entry_pa, entry_for(mm, vma, block, false));
	return true;
}

bool page_map(struct mm *mm, const struct vma *vma, struct vaddr va, bool write)
{
	if (vma->flags & VMA_HUGE)
		return map_huge(mm, vma, va);
	return write ? page_map_anon(mm, vma, va, FRAME_ANON) : map_zero(mm, vma, va);
}

void flush_range(struct mm *mm, struct vaddr start, struct vaddr end, uint64_t pages)
{
	struct machine *machine = mm->kernel->machine;
	if (pages == 0 || mm->kernel->current != mm->process)
		return;
	if (pages > SINGLE_FLUSH_CEILING) {
		machine_write_cr3(machine, machine_cpu(machine)->cr3);
		return;
	}
	for (struct vaddr va = start; va.v < end.v; va.v += PAGE_BYTES)
		machine_invlpg(machine, va);
}

/* First and last page that an edit of entries changed, for one flush at the end. */
struct changed {
	struct vaddr start, end;
	uint64_t pages;
};

static void changed_add(const struct mm *mm, struct changed *changed, struct vaddr va, struct pte entry)
{
	if (changed->pages++ == 0)
		changed->start = va;
	changed->end = vaddr_add(va, leaf_bytes(mm, entry));
}

static void changed_flush(struct mm *mm, const struct changed *changed)
{
	uint64_t span = (changed->end.v - changed->start.v) / PAGE_BYTES;
	flush_range(mm, changed->start, changed->end, changed->pages == 0 ? 0 : span);
}

static void zap(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	table_set(mm, va, entry_pa, (struct pte){0});
	changed_add(mm, self, va, entry);
	release(mm, entry);
}

void page_zap_range(struct mm *mm, struct vaddr start, struct vaddr end)
{
	struct changed changed = {.pages = 0};
	table_for_each(mm, start, end, zap, &changed);
	changed_flush(mm, &changed);
}

struct protect {
	const struct vma *vma;
	struct changed changed;
};

static void protect(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	struct protect *job = self;
	bool zero_page = pte_frame(entry) == mm->kernel->zero_page.v;
	struct pte wanted = entry_for(mm, job->vma, pfn(pte_frame(entry)), zero_page);
	/* A page that was ever written stays dirty, whatever may be done with it now. */
	wanted.word |= entry.word & PTE_DIRTY;
	if (wanted.word == entry.word)
		return;
	table_set(mm, va, entry_pa, wanted);
	changed_add(mm, &job->changed, va, entry);
}

void page_protect_range(struct mm *mm, const struct vma *vma)
{
	struct protect job = {.vma = vma};
	table_for_each(mm, vma->start, vma->end, protect, &job);
	changed_flush(mm, &job.changed);
}

struct move {
	uint64_t delta; /* to - from, modulo 2^64 */
	struct changed changed;
};

static void move(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	struct move *job = self;
	struct vaddr to = vaddr_add(va, job->delta);
	struct paddr to_pa;
	bool made = table_entry(mm, to, true, &to_pa);
	BUG_ON(!made); /* page_move_range made the tables first */
	table_set(mm, va, entry_pa, (struct pte){0});
	table_set(mm, to, to_pa, entry);
	if (pte_frame(entry) != mm->kernel->zero_page.v)
		frame_at(mm->kernel->frames, pfn(pte_frame(entry)))->vpn = vaddr_to_vpn(to).v;
	changed_add(mm, &job->changed, va, entry);
}

static void make_target_table(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry, void *self)
{
	(void)entry_pa, (void)entry;
	struct move *job = self;
	struct paddr unused;
	if (!table_entry(mm, vaddr_add(va, job->delta), true, &unused))
		job->changed.pages++;
}

bool page_move_range(struct mm *mm, struct vaddr from, struct vaddr to, uint64_t bytes)
{
	struct move job = {.delta = to.v - from.v};
	struct vaddr end = vaddr_add(from, bytes);
	table_for_each(mm, from, end, make_target_table, &job);
	if (job.changed.pages != 0) {
		table_prune(mm, to, vaddr_add(to, bytes));
		return false;
	}
	table_for_each(mm, from, end, move, &job);
	changed_flush(mm, &job.changed);
	return true;
}
