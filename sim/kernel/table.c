/* Page tables in simulated RAM, of the paging mode's number of levels, as the kernel edits them through its direct map.
 * The record of a table's frame counts the entries in use (frame.mappings), so that an empty table is known without
 * reading it. */
#include "kernel_private.h"

static struct paddr entry_of(const struct mm *mm, struct paddr table, struct vaddr va, unsigned level)
{
	return entry_at(mm->kernel, table, layout_index(mm->layout, va, level));
}

static struct pte load(const struct mm *mm, struct paddr pa)
{
	return entry_load(mm->kernel, pa);
}

/* Bytes that an entry of this level spans: log2. */
static unsigned shift_of(const struct mm *mm, unsigned level)
{
	return (unsigned)layout_level_shift(mm->layout, level);
}

static struct paddr target(struct pte entry)
{
	return pfn_to_paddr(pfn(pte_frame(entry)));
}

static struct frame *table_record(const struct mm *mm, struct paddr entry_pa)
{
	return frame_at(mm->kernel->frames, paddr_to_pfn(entry_pa));
}

/* Writes an entry of any level and keeps the table's count of used entries. */
static void write_entry(struct mm *mm, struct vaddr va, struct paddr pa, struct pte entry, unsigned level)
{
	struct pte old = load(mm, pa);
	entry_store(mm->kernel, pa, entry);
	table_record(mm, pa)->mappings += (uint32_t)entry_used(entry) - (uint32_t)entry_used(old);
	uint64_t of = mm->owner ? mm->owner->pid : 0;
	if (entry_used(entry))
		emit(mm->kernel->bus, EVENT_PTE_SET, va.v, entry.word, level, of);
	else
		emit(mm->kernel->bus, EVENT_PTE_CLEAR, va.v, old.word, level, of);
}

static bool new_table(struct mm *mm, struct pfn *out)
{
	if (!frame_take(mm->kernel->frames, 0, FRAME_TABLE, out))
		return false;
	physmem_zero(mm->kernel->mem, *out);
	machine_charge(mm->kernel->machine, COST_ZERO_PAGE, 1);
	mm->tables++;
	return true;
}

static bool make_table(struct mm *mm, struct vaddr va, struct paddr pa, unsigned level, struct pte *entry)
{
	struct pfn frame;
	if (!new_table(mm, &frame))
		return false;
	bool in_root = level == mm->layout->levels;
	*entry = (struct pte){pfn_to_paddr(frame).v |
			      (in_root ? mm->layout->root_entry_rights : mm->layout->table_rights)};
	write_entry(mm, va, pa, *entry, level);
	return true;
}

/* The table of level `lowest` that serves va. */
static bool descend(struct mm *mm, struct vaddr va, unsigned lowest, bool create, struct paddr *out)
{
	struct paddr table = pfn_to_paddr(mm->root);
	for (unsigned level = mm->layout->levels; level > lowest; level--) {
		struct paddr pa = entry_of(mm, table, va, level);
		struct pte entry = load(mm, pa);
		if (!entry_used(entry) && (!create || !make_table(mm, va, pa, level, &entry)))
			return false;
		if (pte_page_size(entry))
			return false;
		table = target(entry);
	}
	*out = table;
	return true;
}

/* Its level; 0: there is none. */
static unsigned find_leaf(const struct mm *mm, struct vaddr va, struct paddr *entry_pa, struct pte *out)
{
	struct paddr table = pfn_to_paddr(mm->root);
	for (unsigned level = mm->layout->levels;; level--) {
		*entry_pa = entry_of(mm, table, va, level);
		*out = load(mm, *entry_pa);
		if (!entry_used(*out))
			return 0;
		if (level == 1 || pte_page_size(*out))
			return level;
		table = target(*out);
	}
}

bool table_leaf(const struct mm *mm, struct vaddr va, struct paddr *entry_pa, struct pte *out)
{
	return find_leaf(mm, va, entry_pa, out) != 0;
}

bool table_entry(struct mm *mm, struct vaddr va, bool create, struct paddr *out)
{
	if (va.v >> 21 != mm->cached_region) {
		struct paddr table;
		if (!descend(mm, va, 1, create, &table))
			return false;
		mm->cached_region = va.v >> 21;
		mm->cached_table = table;
	}
	*out = entry_of(mm, mm->cached_table, va, 1);
	return true;
}

bool table_entry_at(struct mm *mm, struct vaddr va, unsigned level, bool create, struct paddr *out)
{
	struct paddr table;
	if (!descend(mm, va, level, create, &table))
		return false;
	*out = entry_of(mm, table, va, level);
	return true;
}

bool table_huge_entry(struct mm *mm, struct vaddr va, bool create, struct paddr *out)
{
	return table_entry_at(mm, va, 2, create, out);
}

struct pte table_get(const struct mm *mm, struct vaddr va)
{
	struct paddr unused;
	struct pte entry;
	unsigned level = find_leaf(mm, va, &unused, &entry);
	return level > 1 ? pte_with_frame(entry, pte_frame(entry) + va.v % level_bytes(mm, level) / PAGE_BYTES) : entry;
}

static unsigned leaf_level(const struct mm *mm, struct pte entry)
{
	uint64_t bytes = leaf_bytes(mm, entry);
	return bytes == PAGE_BYTES ? 1 : bytes == huge_bytes(mm) ? 2 : 3;
}

void table_set(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pte entry)
{
	struct pte old = load(mm, entry_pa);
	unsigned level = leaf_level(mm, pte_page_size(entry) ? entry : old);
	if (level > 1)
		mm->cached_region = UINT64_MAX; /* there may have been an empty table */
	write_entry(mm, va, entry_pa, entry, level);
}

/* ---- tables kept back for the time when a huge page is split: pgtable_trans_huge_deposit of mm/pgtable-generic.c */

bool table_deposit(struct mm *mm, struct paddr entry_pa)
{
	struct pfn frame;
	if (!new_table(mm, &frame))
		return false;
	table_deposit_again(mm, entry_pa, frame);
	return true;
}

void table_deposit_again(struct mm *mm, struct paddr entry_pa, struct pfn table)
{
	struct frame *directory = table_record(mm, entry_pa);
	frame_at(mm->kernel->frames, table)->next = directory->next;
	directory->next = (uint32_t)table.v;
}

struct pfn table_withdraw(struct mm *mm, struct paddr entry_pa)
{
	struct frame *directory = table_record(mm, entry_pa);
	struct pfn table = pfn(directory->next);
	BUG_ON(table.v == 0);
	directory->next = frame_at(mm->kernel->frames, table)->next;
	return table;
}

void table_free_deposit(struct mm *mm, struct paddr entry_pa)
{
	struct pfn table = table_withdraw(mm, entry_pa);
	mm->tables--;
	frame_put(mm->kernel->frames, table);
}

void table_hang(struct mm *mm, struct vaddr va, struct paddr entry_pa, struct pfn table, uint32_t entries)
{
	frame_at(mm->kernel->frames, table)->mappings = entries;
	write_entry(mm, va, entry_pa, (struct pte){pfn_to_paddr(table).v | mm->layout->table_rights}, 2);
}

/* A visit of the part of one table that serves [start, end). */
struct visit {
	struct mm *mm;
	uint64_t start, end;
	table_fn *fn;
	void *self;
};

static void visit_table(const struct visit *visit, struct paddr table, uint64_t base, unsigned level)
{
	const struct mm *mm = visit->mm;
	unsigned shift = shift_of(mm, level);
	uint64_t span = (uint64_t)1 << shift;
	uint64_t first = visit->start > base ? (visit->start - base) >> shift : 0;
	for (uint64_t i = first; i < layout_entries(mm->layout, level) && base + i * span < visit->end; i++) {
		struct paddr pa = entry_at(mm->kernel, table, (unsigned)i);
		struct pte entry = load(mm, pa);
		if (!entry_used(entry))
			continue;
		if (level == 1 || pte_page_size(entry))
			visit->fn(visit->mm, vaddr(base + i * span), pa, entry, visit->self);
		else
			visit_table(visit, target(entry), base + i * span, level - 1);
	}
}

void table_for_each(struct mm *mm, struct vaddr start, struct vaddr end, table_fn *fn, void *self)
{
	struct visit visit = {mm, start.v, end.v, fn, self};
	visit_table(&visit, pfn_to_paddr(mm->root), 0, mm->layout->levels);
}

bool table_take_empty(struct mm *mm, struct vaddr va, struct pfn *table)
{
	struct paddr entry_pa;
	if (!table_huge_entry(mm, va, false, &entry_pa))
		return false;
	struct pte entry = load(mm, entry_pa);
	*table = pfn(pte_frame(entry));
	if (!entry_used(entry) || pte_page_size(entry) || frame_at(mm->kernel->frames, *table)->mappings != 0 ||
	    (mm->layout->fixed_root && mm->layout->levels == 2))
		return false;
	mm->cached_region = UINT64_MAX;
	write_entry(mm, va, entry_pa, (struct pte){0}, 2);
	mm->tables--;
	return true;
}

/* True when the table is empty afterwards. */
static bool prune(struct mm *mm, struct paddr table, uint64_t base, unsigned level, uint64_t start, uint64_t end)
{
	unsigned shift = shift_of(mm, level);
	uint64_t span = (uint64_t)1 << shift;
	bool fixed = mm->layout->fixed_root && level == mm->layout->levels;
	uint64_t first = start > base ? (start - base) >> shift : 0;
	for (uint64_t i = first; level > 1 && i < layout_entries(mm->layout, level) && base + i * span < end; i++) {
		struct paddr pa = entry_at(mm->kernel, table, (unsigned)i);
		struct pte entry = load(mm, pa);
		if (!entry_used(entry) || pte_page_size(entry) ||
		    !prune(mm, target(entry), base + i * span, level - 1, start, end) || fixed)
			continue;
		/* A table stays as long as a VMA may need it: free_pgtables of mm/memory.c. */
		if (!vma_tree_is_free(&mm->vmas, vaddr(base + i * span), span))
			continue;
		write_entry(mm, vaddr(base + i * span), pa, (struct pte){0}, level);
		mm->tables--;
		frame_put(mm->kernel->frames, pfn(pte_frame(entry)));
	}
	return frame_at(mm->kernel->frames, paddr_to_pfn(table))->mappings == 0;
}

void table_prune(struct mm *mm, struct vaddr start, struct vaddr end)
{
	mm->cached_region = UINT64_MAX;
	(void)prune(mm, pfn_to_paddr(mm->root), 0, mm->layout->levels, start.v, end.v);
}

bool table_new_root(struct mm *mm)
{
	const struct layout *layout = mm->layout;
	mm->cached_region = UINT64_MAX;
	if (!new_table(mm, &mm->root))
		return false;
	/* The upper half is the same in every address space, so entering the kernel needs no change of CR3. */
	struct kernel *kernel = mm->kernel;
	struct paddr own = pfn_to_paddr(mm->root), kernels = pfn_to_paddr(kernel->root);
	for (unsigned i = layout->user_entries; i < layout->root_entries; i++)
		entry_store(kernel, entry_at(kernel, own, i), load(mm, entry_at(kernel, kernels, i)));
	for (unsigned i = 0; layout->fixed_root && i < layout->user_entries; i++) {
		struct pte entry;
		struct vaddr va = vaddr((uint64_t)i << shift_of(mm, layout->levels));
		if (!make_table(mm, va, entry_at(kernel, own, i), layout->levels, &entry)) {
			table_free_root(mm);
			return false;
		}
	}
	return true;
}

/* The tables right below a fixed root go only with it. */
static void free_fixed_tables(struct mm *mm)
{
	const struct layout *layout = mm->layout;
	for (unsigned i = 0; layout->fixed_root && i < layout->user_entries; i++) {
		struct paddr pa = entry_at(mm->kernel, pfn_to_paddr(mm->root), i);
		struct pte entry = load(mm, pa);
		if (!entry_used(entry))
			continue;
		write_entry(mm, vaddr((uint64_t)i << shift_of(mm, layout->levels)), pa, (struct pte){0},
			    layout->levels);
		mm->tables--;
		frame_put(mm->kernel->frames, pfn(pte_frame(entry)));
	}
}

void table_free_root(struct mm *mm)
{
	table_prune(mm, vaddr(0), vaddr(mm->layout->task_size));
	free_fixed_tables(mm);
	BUG_ON(frame_at(mm->kernel->frames, mm->root)->mappings != 0);
	mm->tables--;
	struct pfn root = mm->root;
	mm->root = mm->kernel->root; /* whoever looks while it goes finds the kernel and nobody else */
	frame_put(mm->kernel->frames, root);
}
