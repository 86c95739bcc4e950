#include "rmap.h"

#include "kernel_private.h"

void rmap_init(struct kernel *kernel)
{
	kernel->rmap.nodes = arena_new_array(kernel->arena, struct rmap_node, RMAP_NODES);
	kernel->rmap.fresh = 1;
}

uint64_t rmap_reserve_bytes(void)
{
	return sizeof(struct rmap_node) * RMAP_NODES;
}

static uint32_t new_node(struct rmap *rmap, uint32_t space, uint64_t vpn, uint32_t next)
{
	uint32_t number = rmap->free;
	if (number != 0)
		rmap->free = rmap->nodes[number].next;
	else
		number = rmap->fresh++;
	BUG_ON(number == RMAP_NODES);
	rmap->nodes[number] = (struct rmap_node){next, space, vpn};
	return number;
}

/* Takes out the node that the link leads to; returns it. */
static struct rmap_node drop_node(struct rmap *rmap, uint32_t *link)
{
	uint32_t number = *link;
	struct rmap_node node = rmap->nodes[number];
	*link = node.next;
	rmap->nodes[number].next = rmap->free;
	rmap->free = number;
	return node;
}

/* The link to the node, NULL: there is none. */
static uint32_t *find_node(struct rmap *rmap, struct frame *record, uint32_t space, uint64_t vpn)
{
	uint32_t *link = &record->others;
	while (*link != 0) {
		struct rmap_node *node = &rmap->nodes[*link];
		if (node->space == space && node->vpn == vpn)
			return link;
		link = &node->next;
	}
	return NULL;
}

void rmap_add(struct mm *mm, struct pfn frame, struct vaddr va)
{
	struct frame *record = frame_at(mm->kernel->frames, frame);
	if (record->mappings == 0 && frame_is_in_folio(record))
		folio_count_mapped(mm->kernel, frame, true);
	if (record->mappings++ == 0) {
		record->space = mm->id;
		record->vpn = vaddr_to_vpn(va).v;
		return;
	}
	record->others = new_node(&mm->kernel->rmap, mm->id, vaddr_to_vpn(va).v, record->others);
}

void rmap_remove(struct mm *mm, struct pfn frame, struct vaddr va)
{
	struct rmap *rmap = &mm->kernel->rmap;
	struct frame *record = frame_at(mm->kernel->frames, frame);
	uint64_t vpn = vaddr_to_vpn(va).v;
	bool is_first = record->space == mm->id && record->vpn == vpn;
	if (--record->mappings == 0) {
		BUG_ON(!is_first);
		if (frame_is_in_folio(record))
			folio_count_mapped(mm->kernel, frame, false);
		return;
	}
	uint32_t *link = is_first ? &record->others : find_node(rmap, record, mm->id, vpn);
	BUG_ON(!link);
	struct rmap_node node = drop_node(rmap, link);
	if (is_first) {
		record->space = node.space;
		record->vpn = node.vpn;
	}
}

void rmap_move(struct mm *mm, struct pfn frame, struct vaddr from, struct vaddr to)
{
	struct frame *record = frame_at(mm->kernel->frames, frame);
	uint32_t space = mm->id;
	if (record->space == space && record->vpn == vaddr_to_vpn(from).v) {
		record->vpn = vaddr_to_vpn(to).v;
		return;
	}
	const uint32_t *link = find_node(&mm->kernel->rmap, record, space, vaddr_to_vpn(from).v);
	BUG_ON(!link);
	mm->kernel->rmap.nodes[*link].vpn = vaddr_to_vpn(to).v;
}

bool rmap_has(const struct kernel *kernel, struct pfn frame, uint32_t space, uint64_t vpn)
{
	const struct frame *record = frame_peek(kernel->frames, frame);
	if (record->space == space && record->vpn == vpn)
		return true;
	for (uint32_t i = record->others; i != 0; i = kernel->rmap.nodes[i].next) {
		if (kernel->rmap.nodes[i].space == space && kernel->rmap.nodes[i].vpn == vpn)
			return true;
	}
	return false;
}

/* The page's entry in this VMA, if it has one. */
static bool find_entry(struct vma *vma, struct vaddr va, struct pfn frame, struct rmap_entry *found)
{
	*found = (struct rmap_entry){.mm = vma->mm, .vma = vma, .va = va};
	if (!table_leaf(vma->mm, va, &found->entry_pa, &found->entry))
		return false;
	uint64_t first = pte_frame(found->entry), pages = leaf_bytes(vma->mm, found->entry) / PAGE_BYTES;
	return entry_has_frame(found->entry) && frame.v >= first && frame.v < first + pages;
}

static bool visit_at(struct kernel *kernel, uint32_t space, uint64_t vpn, struct pfn frame, rmap_fn *fn, void *self)
{
	struct mm *mm = kernel->spaces[space - 1];
	struct vaddr va = vaddr(vpn << PAGE_SHIFT);
	struct vma *vma = mm ? vma_tree_find(&mm->vmas, va) : NULL;
	struct rmap_entry found;
	return !vma || !find_entry(vma, va, frame, &found) || fn(&found, self);
}

/* The chain may lose the node that is being visited. */
static bool each_anon(struct kernel *kernel, struct pfn frame, rmap_fn *fn, void *self)
{
	const struct frame *record = frame_at(kernel->frames, frame);
	struct rmap_node here = {record->others, record->space, record->vpn};
	for (uint32_t left = record->mappings; left > 0; left--) {
		struct rmap_node ahead = kernel->rmap.nodes[here.next];
		if (!visit_at(kernel, here.space, here.vpn, frame, fn, self))
			return false;
		here = ahead;
	}
	return true;
}

static bool each_of_file(struct kernel *kernel, struct pfn frame, rmap_fn *fn, void *self)
{
	const struct frame *record = frame_at(kernel->frames, frame);
	struct rmap_entry found;
	struct vma *next;
	uint32_t left = record->mappings;
	for (struct vma *vma = record->file->areas_first; vma && left > 0; vma = next) {
		next = vma->file_next;
		uint64_t pages = vma_bytes(vma) / PAGE_BYTES;
		if (record->vpn < vma->pgoff || record->vpn >= vma->pgoff + pages)
			continue;
		if (!find_entry(vma, vaddr_add(vma->start, (record->vpn - vma->pgoff) * PAGE_BYTES), frame, &found))
			continue;
		left--;
		if (!fn(&found, self))
			return false;
	}
	return true;
}

bool rmap_for_each(struct kernel *kernel, struct pfn frame, rmap_fn *fn, void *self)
{
	const struct frame *record = frame_at(kernel->frames, frame);
	if (record->use == FRAME_ANON || record->use == FRAME_HUGETLB)
		return each_anon(kernel, frame, fn, self);
	return each_of_file(kernel, frame, fn, self);
}
