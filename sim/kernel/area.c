/* VMAs come, go, split, merge and change size, as mm/vma.c has it. No frame is given here. */
#include <string.h>

#include "kernel_private.h"

static uint64_t pages_between(struct vaddr start, struct vaddr end)
{
	return (end.v - start.v) / PAGE_BYTES;
}

static struct vma *new_vma(struct mm *mm, const struct area *area)
{
	struct vma *vma = pool_take(&mm->kernel->vma_pool);
	*vma = (struct vma){.start = area->start,
			    .end = area->end,
			    .flags = area->flags,
			    .anon = area->anon,
			    .pgoff = area->pgoff,
			    .file = area->file,
			    .name = area->name,
			    .reserves = area->reserves,
			    .mm = mm};
	if (area->file)
		file_get(area->file, vma);
	vma_tree_insert(&mm->vmas, vma);
	return vma;
}

static void drop_vma(struct mm *mm, struct vma *vma)
{
	vma_tree_remove(&mm->vmas, vma);
	if (vma->file)
		file_put(mm->kernel, vma->file, vma);
	pool_put(&mm->kernel->vma_pool, vma);
}

struct area area_of(const struct vma *vma, struct vaddr start, struct vaddr end)
{
	return (struct area){.start = start,
			     .end = end,
			     .flags = vma->flags,
			     .anon = vma->anon,
			     .pgoff = vma->pgoff + pages_between(vma->start, start),
			     .file = vma->file,
			     .name = vma->name,
			     .reserves = vma->reserves};
}

/* Moves the borders; what lies at an address keeps its page number. */
static void set_range(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	vma->pgoff += start.v / PAGE_BYTES - vma->start.v / PAGE_BYTES;
	vma_tree_resize(&mm->vmas, vma, start, end);
}

static void announce(struct mm *mm, const struct vma *vma)
{
	emit(mm->kernel->bus, EVENT_VMA_CHANGE, vma->start.v, vma->end.v, event_text(vma_prot_text(vma->flags)),
	     event_text(vma->name));
}

/* ---- merging ---- */

/* is_mergeable_anon_vma: pages of two different anon_vmas cannot live in one VMA. */
static bool anon_agree(uint32_t a, uint32_t b)
{
	return a == 0 || b == 0 || a == b;
}

static bool same_kind(const struct vma *vma, const struct area *area)
{
	return vma->flags == area->flags && !(area->flags & VMA_DONTEXPAND) && vma->file == area->file &&
	       anon_agree(vma->anon, area->anon);
}

static bool joins_below(const struct vma *prev, const struct area *area)
{
	return prev && prev->end.v == area->start.v && same_kind(prev, area) &&
	       prev->pgoff + pages_between(prev->start, prev->end) == area->pgoff;
}

static bool joins_above(const struct vma *next, const struct area *area)
{
	return next && next->start.v == area->end.v && same_kind(next, area) &&
	       area->pgoff + pages_between(area->start, area->end) == next->pgoff;
}

/* The anonymous memory and the name of a VMA that takes another one in. */
static void adopt(struct vma *vma, uint32_t anon, const char *name)
{
	vma->anon = vma->anon ? vma->anon : anon;
	if (vma->name[0] == '\0' || strcmp(name, "[heap]") == 0)
		vma->name = name;
}

struct vma *mm_merge_new(struct mm *mm, const struct area *area, bool only_below)
{
	struct vma *next = vma_tree_after(&mm->vmas, area->start);
	struct vma *prev = next ? next->prev : mm->vmas.last;
	bool below = joins_below(prev, area);
	bool above = !only_below && joins_above(next, area) && (!below || anon_agree(prev->anon, next->anon));
	if (below && above) {
		struct vaddr end = next->end;
		adopt(prev, area->anon ? area->anon : next->anon, next->name);
		drop_vma(mm, next);
		set_range(mm, prev, prev->start, end);
	} else if (below) {
		adopt(prev, area->anon, area->name);
		set_range(mm, prev, prev->start, area->end);
	} else if (above) {
		adopt(next, area->anon, area->name);
		next->pgoff = area->pgoff;
		vma_tree_resize(&mm->vmas, next, area->start, next->end);
	}
	return below ? prev : above ? next : NULL;
}

/* vma_merge_existing_range: [area) is the whole or an end of vma, and takes the flags of a neighbour. */
static struct vma *merge_existing(struct mm *mm, struct vma *vma, const struct area *area)
{
	bool leftmost = area->start.v == vma->start.v, rightmost = area->end.v == vma->end.v;
	struct vma *prev = leftmost ? vma->prev : NULL, *next = rightmost ? vma->next : NULL;
	bool below = joins_below(prev, area);
	bool above = joins_above(next, area) && (!below || anon_agree(prev->anon, next->anon));
	if (below && above) {
		struct vaddr end = next->end;
		adopt(prev, vma->anon ? vma->anon : next->anon, vma->name);
		adopt(prev, 0, next->name);
		drop_vma(mm, vma);
		drop_vma(mm, next);
		set_range(mm, prev, prev->start, end);
	} else if (below) {
		adopt(prev, vma->anon, vma->name);
		if (rightmost)
			drop_vma(mm, vma);
		else
			set_range(mm, vma, area->end, vma->end);
		set_range(mm, prev, prev->start, area->end);
	} else if (above) {
		adopt(next, vma->anon, vma->name);
		if (leftmost)
			drop_vma(mm, vma);
		else
			set_range(mm, vma, vma->start, area->start);
		next->pgoff = area->pgoff;
		vma_tree_resize(&mm->vmas, next, area->start, next->end);
	}
	return below ? prev : above ? next : NULL;
}

/* The upper part becomes a VMA of its own. */
static struct vma *split(struct mm *mm, struct vma *vma, struct vaddr at)
{
	struct area upper = area_of(vma, at, vma->end);
	set_range(mm, vma, vma->start, at);
	return new_vma(mm, &upper);
}

/* Only a border of a huge page may become the border of a VMA of huge pages. */
static bool splits_huge_page(const struct vma *vma, struct vaddr at)
{
	return at.v % vma_page_bytes(vma->mm, vma) != 0;
}

/* split_vma: *vma becomes the lower or the upper part. */
static int64_t split_for(struct mm *mm, struct vma **vma, struct vaddr at, bool upper)
{
	if (mm_is_full(mm, 1))
		return -LINUX_ENOMEM;
	if (splits_huge_page(*vma, at))
		return -LINUX_EINVAL;
	struct vma *above = split(mm, *vma, at);
	*vma = upper ? above : *vma;
	return 0;
}

int64_t mm_modify(struct mm *mm, struct vma **vma, struct vaddr start, struct vaddr end, uint32_t flags)
{
	struct area area = area_of(*vma, start, end);
	area.flags = flags;
	thp_split_ends(mm, start, end, "a border of a VMA falls into it");
	struct vma *merged = merge_existing(mm, *vma, &area);
	int64_t error = 0;
	if (!merged && start.v > (*vma)->start.v)
		error = split_for(mm, vma, start, true);
	if (!merged && !error && end.v < (*vma)->end.v)
		error = split_for(mm, vma, end, false);
	*vma = merged ? merged : *vma;
	return error;
}

void mm_split_at(struct mm *mm, struct vaddr at)
{
	struct vma *vma = vma_tree_find(&mm->vmas, at);
	if (vma && vma->start.v < at.v) {
		thp_split_at(mm, at, "a border of a VMA falls into it");
		(void)split(mm, vma, at);
	}
}

/* ---- mapping and unmapping ---- */

static void count_new(struct mm *mm, const struct area *area)
{
	uint64_t pages = pages_between(area->start, area->end);
	mm_count(mm, area->flags, pages, true);
	if (area->flags & VMA_LOCKED)
		mm->locked_vm += pages;
	emit(mm->kernel->bus, EVENT_VMA_ADD, area->start.v, area->end.v, event_text(vma_prot_text(area->flags)),
	     event_text(area->name));
}

struct vma *mm_map(struct mm *mm, const struct area *area)
{
	count_new(mm, area);
	struct vma *merged = mm_merge_new(mm, area, false);
	return merged ? merged : new_vma(mm, area);
}

struct vma *mm_map_alone(struct mm *mm, const struct area *area)
{
	count_new(mm, area);
	return new_vma(mm, area);
}

void mm_resize(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	uint64_t before = pages_between(vma->start, vma->end), after = pages_between(start, end);
	mm_count(mm, vma->flags, after - before, true);
	if (vma->flags & VMA_LOCKED)
		mm->locked_vm += after - before;
	set_range(mm, vma, start, end);
	announce(mm, vma);
}

int64_t mm_prepare_cut(struct mm *mm, struct vaddr start, uint64_t bytes)
{
	const struct vma *vma = vma_tree_after(&mm->vmas, start);
	bool makes_hole = vma && vma->start.v < start.v && vma->end.v > start.v + bytes;
	if (makes_hole && mm_is_full(mm, 1))
		return -LINUX_ENOMEM;
	struct vaddr end = vaddr_add(start, bytes);
	const struct vma *first = vma_tree_find(&mm->vmas, start), *last = vma_tree_find(&mm->vmas, end);
	if (first && splits_huge_page(first, start))
		return -LINUX_EINVAL;
	if (!last || !splits_huge_page(last, end))
		return 0;
	mm_split_at(mm, start);
	return -LINUX_EINVAL;
}

/* Cuts [start, end) out of one VMA. */
static void cut(struct mm *mm, struct vma *vma, struct vaddr start, struct vaddr end)
{
	uint64_t pages = pages_between(start, end);
	mm_count(mm, vma->flags, pages, false);
	if (vma->flags & VMA_LOCKED)
		mm->locked_vm -= pages;
	if (vma->flags & VMA_ACCOUNT)
		(void)mm_charge(mm, -(int64_t)pages);
	if (vma->reserves) /* nothing of it is there any more */
		hugetlb_unreserve(mm, vma, end.v - start.v);
	if (start.v > vma->start.v) {
		if (end.v < vma->end.v)
			(void)split(mm, vma, end);
		set_range(mm, vma, vma->start, start);
	} else if (end.v < vma->end.v) {
		set_range(mm, vma, end, vma->end);
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

/* ---- anonymous memory: mm/rmap.c ---- */

/* anon_vma_compatible: the two could be one VMA but for what may be done with them. */
static bool could_be_one(const struct vma *low, const struct vma *high)
{
	uint32_t differ = (low->flags ^ high->flags) & ~(uint32_t)VMA_PROT;
	return low->end.v == high->start.v && low->file == high->file && differ == 0 &&
	       low->pgoff + pages_between(low->start, low->end) == high->pgoff;
}

void mm_prepare_anon(struct mm *mm, struct vma *vma)
{
	if (vma->anon)
		return;
	const struct vma *next = vma->next, *prev = vma->prev;
	if (next && next->anon && could_be_one(vma, next))
		vma->anon = next->anon;
	else if (prev && prev->anon && could_be_one(prev, vma))
		vma->anon = prev->anon;
	else
		vma->anon = ++mm->anons;
}
