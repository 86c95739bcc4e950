/* The heap as the allocator keeps it: blocks in the order of their addresses, the lists that hold the free ones, and
 * the way of the current call through them. */
#include "view.h"

#include <inttypes.h>
#include <string.h>

#include "faultline/bus.h"
#include "faultline/heap.h"
#include "faultline/pages.h"
#include "faultline/phrase.h"
#include "page_glyphs.h"

/* A heap can have millions of blocks: so many are looked at, the last ones of them are kept. */
enum { MOST_BLOCKS = 20000, KEPT_BLOCKS = 256, SEARCH_ROWS = 12, TAIL_COLUMNS = 18 };

struct blocks {
	struct heap_block kept[KEPT_BLOCKS];
	uint64_t seen, used, free, cached;
	uint64_t free_bytes, largest_free;
	uint64_t top, top_bytes;
};

static const struct heap *heap_of(const struct scene *scene)
{
	return scene->shown && scene->shown->mm ? world_heap(scene->world, scene->process) : NULL;
}

static void title(const struct scene *scene, char *out, size_t room)
{
	const struct heap *heap = heap_of(scene);
	out[0] = '\0';
	if (heap)
		(void)snprintf(out, room, "%s%s", heap->ops->name, heap->thread ? " (thread)" : "");
}

static void take_block(void *self, const struct heap_block *block)
{
	struct blocks *blocks = self;
	blocks->kept[blocks->seen++ % KEPT_BLOCKS] = *block;
	switch (block->state) {
	case HEAP_BLOCK_USED:
		blocks->used++;
		break;
	case HEAP_BLOCK_FREE:
		blocks->free++;
		blocks->free_bytes += block->bytes;
		blocks->largest_free = block->bytes > blocks->largest_free ? block->bytes : blocks->largest_free;
		break;
	case HEAP_BLOCK_CACHED:
		blocks->cached++;
		break;
	case HEAP_BLOCK_TOP:
	default:
		blocks->top = block->chunk;
		blocks->top_bytes = block->bytes;
		break;
	}
}

/* ---- parts of the panel; each returns the rows it used ---- */

static unsigned draw_counts(const struct heap *heap, const struct blocks *blocks, struct area area, unsigned row)
{
	const struct heap_stats *stats = &heap->stats;
	unsigned column = area_text(area, row, 0, STYLE_TEXT, "live %" PRIu64 " in %" PRIu64 " blocks",
				    stats->live_bytes, stats->live_blocks);
	column = area_text(area, row, column + 2, STYLE_TEXT, "free %" PRIu64 " cached %" PRIu64, blocks->free,
			   blocks->cached);
	if (blocks->free_bytes && column + 16 < area.columns)
		(void)area_text(area, row, column + 2, STYLE_DIM, "frag %" PRIu64 "%%",
				(blocks->free_bytes - blocks->largest_free) * 100 / blocks->free_bytes);
	return 1;
}

static unsigned draw_top(const struct scene *scene, const struct blocks *blocks, struct area area, unsigned row)
{
	uint64_t start = process_segment(scene->shown, SEGMENT_HEAP).v;
	if (blocks->top) {
		unsigned column = area_whole(area, row, 0, STYLE_STRONG, "top %" PRIx64, blocks->top);
		(void)area_text(area, row, column + 1, STYLE_TEXT, "size %s = %s",
				scene_number(scene, blocks->top_bytes).text, phrase_size(blocks->top_bytes).text);
	} else {
		(void)area_whole(area, row, 0, STYLE_TEXT, "heap starts at %" PRIx64, start);
	}
	return 1;
}

/* The pages of the heap in the glyph language of the address space, several to a cell where they are many. */
static unsigned draw_bar(const struct scene *scene, struct area area, unsigned row)
{
	uint64_t start = process_segment(scene->shown, SEGMENT_HEAP).v;
	const struct vma *vma = process_vma_after(scene->shown, vaddr(start));
	uint64_t steps = BAR_STEPS;
	struct census all;
	if (!vma || vma->start.v > start || strcmp(vma->name, "[heap]") != 0) {
		(void)area_text(area, row, 0, STYLE_DIM, "pages: none yet, the heap is empty");
		return 1;
	}
	census_take(scene->shown, vma, vma->start, vma->end, &steps, &all);
	unsigned column = area_text(area, row, 0, STYLE_TEXT, "pages ");
	uint64_t pages = vma_bytes(vma) / PAGE_BYTES;
	const struct page_bar bar = {scene->shown, vma, scene->has_address, scene->address};
	unsigned cells = area.columns > column + TAIL_COLUMNS ? area.columns - column - TAIL_COLUMNS : 0;
	column += page_bar_draw(&bar, area, row, column, cells);
	(void)area_text(area, row, column + 1, STYLE_TEXT, "%" PRIu64 "/%" PRIu64 "%s", all.resident, pages,
			all.seen < all.pages ? "+" : "");
	return 1;
}

/* What the call in progress has looked at, and what it did. */
static unsigned draw_search(const struct scene *scene, struct area area, unsigned row, unsigned most)
{
	static const uint64_t kinds = EVENT_BIT(EVENT_LIBC_CALL) | EVENT_BIT(EVENT_LIBC_SEARCH) |
				      EVENT_BIT(EVENT_LIBC_SPLIT) | EVENT_BIT(EVENT_LIBC_COALESCE) |
				      EVENT_BIT(EVENT_LIBC_PLACE) | EVENT_BIT(EVENT_LIBC_GROW) |
				      EVENT_BIT(EVENT_LIBC_SHRINK) | EVENT_BIT(EVENT_LIBC_RETURN) |
				      EVENT_BIT(EVENT_LIBC_ABORT);
	uint64_t found[SEARCH_ROWS];
	unsigned count = 0;
	most = most > SEARCH_ROWS ? SEARCH_ROWS : most;
	for (uint64_t number = scene->position; number > 0 && number >= scene->operation_start && count < most;
	     number--) {
		const struct travel_record *record = travel_record(scene->travel, number);
		if (!record)
			break;
		if (record->event.pid == scene->shown->pid && (kinds & EVENT_BIT(record->event.kind)))
			found[count++] = number;
	}
	for (unsigned i = 0; i < count; i++) {
		const struct travel_record *record = travel_record(scene->travel, found[count - 1 - i]);
		bool now = found[count - 1 - i] == scene->position;
		if (now)
			(void)area_glyph(area, row + i, 0, STYLE_CURRENT, GLYPH_CURRENT);
		(void)area_text(area, row + i, 2, now ? STYLE_STRONG : STYLE_LIBC, "%s", record->sentence);
	}
	return count;
}

static const char *state_word(const struct heap_block *block)
{
	static const char *const words[] = {[HEAP_BLOCK_USED] = "used",
					    [HEAP_BLOCK_FREE] = "free",
					    [HEAP_BLOCK_CACHED] = "cached",
					    [HEAP_BLOCK_TOP] = "top"};
	return words[block->state];
}

static uint64_t kept_of(const struct blocks *blocks)
{
	return blocks->seen < KEPT_BLOCKS ? blocks->seen : KEPT_BLOCKS;
}

/* False: a change is in progress, or they are too many; `why` is "" then. */
static bool walk_blocks(const struct heap *heap, struct blocks *blocks, const char **why)
{
	memset(blocks, 0, sizeof(*blocks));
	*why = "";
	return heap->stats.live_blocks < MOST_BLOCKS && heap->ops->walk(heap, take_block, blocks, why);
}

/* The last blocks, those nearest to the top, or those around the selected one. */
static void draw_blocks(const struct scene *scene, const struct blocks *blocks, struct area area, unsigned row)
{
	const struct selection *selection = &scene->selected[PANEL_HEAP];
	uint64_t kept = kept_of(blocks);
	unsigned rows = area.rows > row ? area.rows - row : 0;
	uint64_t shown = kept < rows ? kept : rows;
	uint64_t below = selection->active && selection->at > shown / 2 ? selection->at - shown / 2 : 0;
	below = below > kept - shown ? kept - shown : below;
	for (unsigned i = 0; i < shown; i++) {
		uint64_t back = below + shown - 1 - i; /* from the last one */
		const struct heap_block *block = &blocks->kept[(blocks->seen - 1 - back) % KEPT_BLOCKS];
		enum style style = block->state == HEAP_BLOCK_USED  ? STYLE_TEXT
				   : block->state == HEAP_BLOCK_TOP ? STYLE_STRONG
								    : STYLE_GOOD;
		unsigned column = area_whole(area, row + i, 0, style, "%" PRIx64, block->chunk);
		column = area_text(area, row + i, column + 1, style, "%8" PRIu64 " %s", block->bytes,
				   state_word(block));
		if (block->where[0])
			(void)area_text(area, row + i, column + 1, style, "in %s", block->where);
		if (selection->active && selection->at == back)
			area_restyle(area, row + i, 0, area.columns, STYLE_SELECTED);
	}
}

static void draw(const struct scene *scene, struct area area)
{
	struct blocks blocks;
	const char *why;
	const struct heap *heap = heap_of(scene);
	if (!heap) {
		(void)area_text(area, 0, 0, STYLE_DIM, "no process lives here now");
		return;
	}
	bool whole = walk_blocks(heap, &blocks, &why);
	unsigned row = 0;
	if (whole)
		row += draw_top(scene, &blocks, area, row);
	else if (heap->stats.live_blocks >= MOST_BLOCKS)
		row += (unsigned)(area_text(area, row, 0, STYLE_DIM, "%" PRIu64 " blocks: too many to walk",
					    heap->stats.live_blocks) > 0);
	else
		row += (unsigned)(area_text(area, row, 0, STYLE_CHANGED, "* in the middle of a change: %s", why) > 0);
	row += draw_bar(scene, area, row);
	row += draw_counts(heap, &blocks, area, row);
	row += draw_search(scene, area, row,
			   area.rows > row + 2 ? (area.rows - row + 1) / 2
			   : area.rows > row   ? area.rows - row
					       : 0);
	if (whole)
		draw_blocks(scene, &blocks, area, row);
}

/* ---- the selection: how many blocks before the last one ---- */

static bool move(struct scene *scene, enum move move)
{
	static const int steps[] = {
	    [MOVE_UP] = 1,       [MOVE_DOWN] = -1,       [MOVE_LEFT] = 1,           [MOVE_RIGHT] = -1,
	    [MOVE_PAGE_UP] = 10, [MOVE_PAGE_DOWN] = -10, [MOVE_HOME] = KEPT_BLOCKS, [MOVE_END] = -KEPT_BLOCKS};
	struct selection *selection = &scene->selected[PANEL_HEAP];
	const struct heap *heap = heap_of(scene);
	struct blocks blocks;
	const char *why;
	if (!heap || !walk_blocks(heap, &blocks, &why) || blocks.seen == 0)
		return false;
	int64_t first = (int64_t)kept_of(&blocks) - 1;
	int64_t at = (selection->active ? (int64_t)selection->at : 0) + steps[move];
	at = at < 0 ? 0 : at > first ? first : at;
	bool moved = !selection->active || (uint64_t)at != selection->at;
	*selection = (struct selection){true, (uint64_t)at};
	return moved;
}

const struct view view_heap = {.panel = PANEL_HEAP, .title = title, .draw = draw, .move = move};
