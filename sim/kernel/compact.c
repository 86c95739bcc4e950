#include "compact.h"

#include "kernel_private.h"

enum {
	COSTLY_ORDER = 3,        /* PAGE_ALLOC_COSTLY_ORDER: blocks up to this one are worth any effort */
	EXTFRAG_THRESHOLD = 500, /* vm.extfrag_threshold */
	MOST_SHIFT = 6,          /* COMPACT_MAX_DEFER_SHIFT */
};

/* ---- how free memory lies ---- */

/* Blocks of the order that the free ones can be cut into. */
static uint64_t suitable(const struct free_blocks *free, unsigned order)
{
	uint64_t count = 0;
	for (unsigned i = order; i <= FRAME_MAX_ORDER; i++)
		count += free->of[i] << (i - order);
	return count;
}

int fragmentation_index(const struct free_blocks *free, unsigned order)
{
	if (free->total == 0)
		return 0;
	if (suitable(free, order) > 0)
		return -1000;
	return 1000 - (int)((1000 + free->pages * 1000 / ((uint64_t)1 << order)) / free->total);
}

int unusable_free_index(const struct free_blocks *free, unsigned order)
{
	if (free->pages == 0)
		return 1000;
	return (int)((free->pages - (suitable(free, order) << order)) * 1000 / free->pages);
}

/* ---- one page moves ---- */

struct move {
	struct pfn from, to;
};

static bool point_elsewhere(const struct rmap_entry *found, void *self)
{
	const struct move *move = self;
	struct mm *mm = found->mm;
	table_set(mm, found->va, found->entry_pa, pte_with_frame(found->entry, move->to.v));
	flush_range(mm, found->va, vaddr_add(found->va, PAGE_BYTES), PAGE_BYTES);
	machine_charge(mm->kernel->machine, COST_UNMAP_PAGE, 1);
	return true;
}

/* migrate_folio: content, entries, record, and whoever knows the page by its frame. */
static void migrate(struct kernel *kernel, struct pfn from, struct pfn to)
{
	struct move move = {from, to};
	struct frame *old = frame_at(kernel->frames, from), *new = frame_at(kernel->frames, to);
	physmem_copy(kernel->mem, to, from);
	machine_charge(kernel->machine, COST_COPY_PAGE, 1);
	(void)rmap_for_each(kernel, from, point_elsewhere, &move);
	*new = *old;
	old->mappings = 0;
	if (frame_is_cached(new))
		file_page_moves(kernel, new->file, new->vpn, to);
	else if (new->swap != 0)
		kernel->swap.frames[new->swap] = (uint32_t)to.v;
	reclaim_move(kernel, from, to);
	frame_put(kernel->frames, from);
	kernel->vm.pgmigrate_success++;
}

/* isolate_migratepages: a page of a process or of a file, by itself, and not on its way from the disk. */
static bool is_movable(const struct kernel *kernel, const struct frame *record)
{
	if (record->order != 0 || !record->block_start)
		return false;
	return record->use == FRAME_ANON || (frame_is_cached(record) && record->ready <= kernel->bus->cycle);
}

/* ---- the two scanners ---- */

struct zone {
	struct kernel *kernel;
	unsigned order;   /* of the block that is wanted */
	uint64_t frames;  /* of such a block */
	uint64_t migrate; /* first frame of the block that is being emptied */
	uint64_t free;    /* frames from here on have been looked at for free ones */
	uint64_t scanned, migrated;
};

/* A free frame behind the migrate scanner, from the end of memory, of a block that is not free as a whole. For a small
 * block any will do (ignore_block_suitable), for a large one none that lies among what cannot move. */
static bool take_free(struct zone *zone, enum frame_use use, struct pfn *out)
{
	struct kernel *kernel = zone->kernel;
	while (zone->free > zone->migrate + zone->frames) {
		struct pfn frame = pfn(--zone->free);
		unsigned order;
		kernel->vm.compact_free_scanned++;
		if (!frame_is_free(kernel->frames, frame, &order))
			continue;
		if (order >= FOLIO_ORDER || (zone->order > COSTLY_ORDER && frame_is_grouped(kernel->frames, frame))) {
			zone->free = align_down(frame.v, FOLIO_FRAMES);
			continue;
		}
		frame_take_at(kernel->frames, frame, use);
		*out = frame;
		return true;
	}
	return false;
}

/* One page that cannot move makes the whole block useless: skip_on_failure. */
static bool can_be_emptied(struct zone *zone)
{
	const struct kernel *kernel = zone->kernel;
	for (uint64_t i = zone->migrate; i < zone->migrate + zone->frames; i++) {
		const struct frame *record = frame_peek(kernel->frames, pfn(i));
		unsigned order;
		zone->scanned++;
		if (!record || is_movable(kernel, record))
			continue;
		if (!frame_is_free(kernel->frames, pfn(i), &order))
			return false;
		i += ((uint64_t)1 << order) - 1;
	}
	return true;
}

/* False: no frame is left to move to. */
static bool empty_block(struct zone *zone)
{
	struct kernel *kernel = zone->kernel;
	for (uint64_t i = zone->migrate; i < zone->migrate + zone->frames; i++) {
		const struct frame *record = frame_peek(kernel->frames, pfn(i));
		struct pfn to;
		if (!record || !is_movable(kernel, record))
			continue;
		kernel->vm.compact_isolated++;
		if (!take_free(zone, (enum frame_use)record->use, &to))
			return false;
		migrate(kernel, pfn(i), to);
		zone->migrated++;
	}
	return true;
}

static bool has_block(const struct zone *zone)
{
	struct free_blocks free = frame_pool_blocks(zone->kernel->frames);
	return suitable(&free, zone->order) > 0;
}

/* compact_zone: until a block is free, or the scanners meet. */
static bool compact_zone(struct zone *zone)
{
	for (; zone->migrate + zone->frames < zone->free; zone->migrate += zone->frames) {
		if (can_be_emptied(zone) && !empty_block(zone))
			return has_block(zone);
		if (has_block(zone))
			return true;
	}
	return false;
}

/* compaction_suitable: frames to move to (compact_gap), and for a large block memory in pieces rather than used up. */
static bool is_suitable(const struct kernel *kernel, unsigned order)
{
	const struct watermarks *marks = &kernel->reclaim.marks;
	const uint64_t gap = (uint64_t)2 << order;
	struct free_blocks free = frame_pool_blocks(kernel->frames);
	int index = fragmentation_index(&free, order);
	if (order <= COSTLY_ORDER)
		return free.pages >= marks->min + gap;
	return free.pages >= marks->low + gap && (index < 0 || index > EXTFRAG_THRESHOLD);
}

/* compaction_deferred */
static bool is_deferred(struct compact *compact, unsigned order)
{
	if (order <= COSTLY_ORDER || compact->deferred == 0)
		return false;
	compact->deferred--;
	return true;
}

/* defer_compaction, compaction_defer_reset */
static void learn(struct compact *compact, unsigned order, bool found)
{
	if (order <= COSTLY_ORDER)
		return;
	compact->shift = found ? 0 : compact->shift < MOST_SHIFT ? compact->shift + 1 : MOST_SHIFT;
	compact->deferred = found ? 0 : 1u << compact->shift;
}

static const char *outcome(unsigned order, bool found)
{
	if (order < FOLIO_ORDER)
		return found ? "a small block is free" : "no small block could be freed";
	return found ? "2 MiB are free side by side" : "no 2 MiB could be freed";
}

bool compact_memory(struct kernel *kernel, unsigned order, const char *who)
{
	const uint64_t frames = (uint64_t)1 << order;
	struct vm_counts *vm = &kernel->vm;
	if (!is_suitable(kernel, order) || is_deferred(&kernel->compact, order))
		return false;
	struct zone zone = {.kernel = kernel,
			    .order = order,
			    .frames = frames,
			    .free = align_down(frame_pool_total(kernel->frames), frames)};
	bool found = compact_zone(&zone);
	machine_charge(kernel->machine, COST_SCAN_PAGE, zone.scanned);
	vm->compact_stall++;
	vm->compact_success += found;
	vm->compact_fail += !found;
	vm->compact_migrate_scanned += zone.scanned;
	learn(&kernel->compact, order, found);
	emit(kernel->bus, EVENT_COMPACT, event_text(who), zone.scanned, zone.migrated,
	     event_text(outcome(order, found)));
	return found;
}
